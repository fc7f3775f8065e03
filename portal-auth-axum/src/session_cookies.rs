//! The cookies of a sign-in, set together: a new session never stands beside what belonged to the one before.

use axum::http::StatusCode;
use axum::response::{IntoResponseParts, ResponseParts};
use portal_auth::secret::token::{
    AnswerToken, ChallengeToken, DeviceToken, DraftToken, KeptFormToken, LinkToken, SessionToken,
};
use portal_auth::{CodeSent, NewSession};

use crate::cookies::{CookieValue, PortalCookie, SetCookie};

/// The `Set-Cookie` lines of one step of a sign-in, to be returned beside the answer.
///
/// Logging out is [`ForgetPerson`](crate::cookies::ForgetPerson).
#[derive(Debug)]
#[must_use = "return it beside the answer, or the browser never gets the cookies"]
pub struct SessionCookies(Vec<SetCookie>);

impl SessionCookies {
    /// For a completed sign-in: the session, the device where the browser had none, nothing half done any more.
    ///
    /// # Security
    /// Forms are bound to the session from now on, and the anonymous cookie goes, so every form token of before is
    /// stale (WEB-2).
    pub fn for_new_session(new: &NewSession) -> Self {
        Self::for_renewed_session(&new.session).with_device(new.device.as_ref())
    }

    /// For a confirmation: the session's new token, and nothing half done any more.
    pub fn for_renewed_session(token: &SessionToken) -> Self {
        Self(vec![
            PortalCookie::Session.set(&token.into()),
            PortalCookie::Verify.clear(),
            PortalCookie::Form.clear(),
        ])
    }

    /// For a sign-in or a confirmation whose code is on its way.
    pub fn for_code(sent: &CodeSent) -> Self {
        Self(vec![PortalCookie::Verify.set(&(&sent.challenge).into())])
    }

    /// For a browser that became familiar without a session, such as by an activation; none where it was already.
    pub fn for_device(device: Option<&DeviceToken>) -> Self {
        Self(Vec::new()).with_device(device)
    }

    fn with_device(mut self, device: Option<&DeviceToken>) -> Self {
        self.0
            .extend(device.map(|token| PortalCookie::Device.set(&token.into())));
        self
    }
}

impl IntoIterator for SessionCookies {
    type Item = SetCookie;
    type IntoIter = std::vec::IntoIter<SetCookie>;

    /// The lines one by one, for a host that gathers what an answer sets.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl IntoResponseParts for SessionCookies {
    type Error = StatusCode;

    fn into_response_parts(self, res: ResponseParts) -> Result<ResponseParts, Self::Error> {
        self.0
            .into_iter()
            .try_fold(res, |res, cookie| cookie.into_response_parts(res))
    }
}

macro_rules! cookie_value_of {
    ($($token:ident),*) => {$(
        impl From<&$token> for CookieValue {
            fn from(token: &$token) -> Self {
                Self::of_token(token.expose())
            }
        }
    )*};
}

cookie_value_of!(
    SessionToken,
    DeviceToken,
    AnswerToken,
    ChallengeToken,
    DraftToken,
    KeptFormToken,
    LinkToken
);

#[cfg(test)]
mod tests {
    use axum::http::header::SET_COOKIE;
    use axum::response::IntoResponse as _;

    use super::*;

    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn lines(cookies: SessionCookies) -> Vec<String> {
        let answer = (cookies, "").into_response();
        let lines = answer.headers().get_all(SET_COOKIE).iter();
        lines.map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_familiar_browser_is_given_no_second_device_cookie() {
        assert!(lines(SessionCookies::for_device(None)).is_empty());
        let device = DeviceToken::parse(TOKEN);
        let lines = lines(SessionCookies::for_device(device.as_ref()));
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with(&format!("__Host-portal_device={TOKEN};")));
    }

    #[test]
    fn every_kind_of_token_becomes_the_cookie_value_it_is() {
        macro_rules! same {
            ($($token:ident),*) => {$(
                assert_eq!(CookieValue::from(&$token::parse(TOKEN).unwrap()).expose(), TOKEN);
            )*};
        }
        same!(
            SessionToken,
            DeviceToken,
            ChallengeToken,
            DraftToken,
            KeptFormToken,
            LinkToken
        );
    }
}
