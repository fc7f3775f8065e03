//! Keeps other sites from acting in a person's name (CSRF), in two layers.
//!
//! [`refuse_cross_site`] answers 403 to every unsafe request that the browser itself marks as another site's. Where a
//! browser sends neither `Sec-Fetch-Site` nor `Origin`, the form token alone decides. [`FormGuard`] makes that token:
//! it is derived from the session cookie, or from an anonymous cookie while nobody is signed in. So it has no expiry
//! of its own, a page left open overnight still works, and it changes with the session at sign-in.

use std::fmt;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use portal_auth::environment::Entropy;
use portal_auth::error::Fault;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::cookies::{CookieValue, Cookies, PortalCookie, SetCookie};
use crate::host::AcceptedHost;

/// The name of the hidden field that every form carries.
pub const FORM_TOKEN_FIELD: &str = "form_token";

/// Makes and checks the tokens of forms.
///
/// Cloning is cheap; all processes of one portal must be given the same key.
#[derive(Clone)]
pub struct FormGuard {
    key: Arc<Zeroizing<[u8; BLOCK]>>,
    entropy: Arc<dyn Entropy>,
}

/// What a submitted form token turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a form whose token is stale must have no effect"]
#[expect(
    clippy::exhaustive_enums,
    reason = "a page must answer both, and there is no third"
)]
pub enum FormCheck {
    /// The form was made for this browser and this session: go on.
    Genuine,
    /// The token is missing, forged, or of another session: show the form again with its values (422), do nothing.
    Stale,
}

impl FormGuard {
    /// A guard that derives tokens under `key` and draws anonymous cookies from `entropy`.
    ///
    /// # Security
    /// Whoever knows the key can still not forge a token without the victim's cookie, but use a key of its own,
    /// derived from the keyring.
    #[must_use]
    pub fn new(key: [u8; 32], entropy: Arc<dyn Entropy>) -> Self {
        // HMAC fills a short key up with zeros to its block; doing it here leaves no error to handle.
        let mut block = Zeroizing::new([0; BLOCK]);
        let key = Zeroizing::new(key);
        block
            .iter_mut()
            .zip(key.iter())
            .for_each(|(to, from)| *to = *from);
        Self {
            key: Arc::new(block),
            entropy,
        }
    }

    /// The token for a form on the page that answers this request.
    ///
    /// A browser that holds neither cookie is given an anonymous one: return the [`IssuedToken`] beside the page.
    ///
    /// # Errors
    /// The [`Fault`] of the random source, when a cookie had to be drawn.
    pub fn issue(&self, cookies: &Cookies) -> Result<IssuedToken, Fault> {
        if let Some(token) = self.token_for(cookies) {
            return Ok(IssuedToken { token, cookie: None });
        }
        let value = CookieValue::random(&self.entropy)?;
        let token = self.derive(PortalCookie::Form, &value);
        Ok(IssuedToken {
            token,
            cookie: Some(PortalCookie::Form.set(&value)),
        })
    }

    /// The token that belongs to the cookies a browser holds; `None` when it holds nothing to bind to.
    #[must_use]
    pub fn token_for(&self, cookies: &Cookies) -> Option<FormToken> {
        let bound = [PortalCookie::Session, PortalCookie::Form];
        bound
            .into_iter()
            .find_map(|cookie| cookies.get(cookie).map(|value| self.derive(cookie, value)))
    }

    /// Compares the token that came with a form with the one that belongs to the cookies that came with it.
    ///
    /// # Security
    /// The comparison takes the same time wherever the tokens differ. A token of before sign-in is stale after it.
    pub fn check(&self, cookies: &Cookies, submitted: &str) -> FormCheck {
        let genuine = self
            .token_for(cookies)
            .is_some_and(|expected| bool::from(expected.0.as_bytes().ct_eq(submitted.as_bytes())));
        if genuine {
            FormCheck::Genuine
        } else {
            FormCheck::Stale
        }
    }

    /// Seals values that a page of the portal carries in hidden fields, where their person does not see them, for the
    /// browser that holds these cookies; `None` when it holds nothing to bind to.
    ///
    /// Names and values count in their order, so give them in that of a fixed list.
    #[must_use]
    pub fn seal<'a>(
        &self,
        cookies: &Cookies,
        values: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Option<FormToken> {
        let bound = [PortalCookie::Session, PortalCookie::Form];
        let (cookie, value) = bound.into_iter().find_map(|c| Some((c, cookies.get(c)?)))?;
        let mut mac = self.mac(b"portal-auth sealed values\0", cookie, value);
        for text in values.into_iter().flat_map(|(name, value)| [name, value]) {
            // With its length before it, no text can reach over into the next one.
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        Some(FormToken::of(mac))
    }

    /// Whether `seal` is the seal of exactly these values for exactly these cookies.
    ///
    /// # Security
    /// A form whose seal is wrong must have no effect: treat it like [`FormCheck::Stale`].
    #[must_use]
    pub fn is_sealed<'a>(
        &self,
        cookies: &Cookies,
        values: impl IntoIterator<Item = (&'a str, &'a str)>,
        seal: &str,
    ) -> bool {
        let expected = self.seal(cookies, values);
        expected.is_some_and(|expected| bool::from(expected.0.as_bytes().ct_eq(seal.as_bytes())))
    }

    fn derive(&self, cookie: PortalCookie, value: &CookieValue) -> FormToken {
        FormToken::of(self.mac(b"portal-auth form token\0", cookie, value))
    }

    /// A MAC of one use, bound to a cookie.
    fn mac(&self, label: &[u8], cookie: PortalCookie, value: &CookieValue) -> Hmac<Sha256> {
        Hmac::<Sha256>::new((&**self.key).into())
            .chain_update(label)
            .chain_update(cookie.name())
            .chain_update(b"\0")
            .chain_update(value.expose())
    }
}

impl fmt::Debug for FormGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormGuard").finish_non_exhaustive()
    }
}

/// The value of a form's hidden field `form_token`: 43 characters of base64url.
pub struct FormToken(Zeroizing<String>);

impl FormToken {
    fn of(mac: Hmac<Sha256>) -> Self {
        let tag = mac.finalize().into_bytes();
        Self(Zeroizing::new(Base64UrlUnpadded::encode_string(&tag)))
    }

    /// The characters to write into the page.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FormToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormToken(..)")
    }
}

/// A form token, and the anonymous cookie it is bound to where the browser had none.
///
/// Put [`token`](Self::token) into the page and return the value beside it, so that the cookie is set.
#[derive(Debug)]
#[must_use = "return it beside the page, or the browser never gets the cookie its form is bound to"]
pub struct IssuedToken {
    token: FormToken,
    cookie: Option<SetCookie>,
}

impl IssuedToken {
    /// The token for the hidden field.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.as_str()
    }
}

impl IntoResponseParts for IssuedToken {
    type Error = StatusCode;

    fn into_response_parts(self, res: ResponseParts) -> Result<ResponseParts, Self::Error> {
        match self.cookie {
            Some(cookie) => cookie.into_response_parts(res),
            None => Ok(res),
        }
    }
}

/// Middleware that answers 403 to unsafe requests that come from another site.
///
/// It stands inside of [`require_accepted_host`](crate::host::require_accepted_host), against whose host the `Origin`
/// is compared, and answers 500 where that is missing. Use it as `axum::middleware::from_fn(refuse_cross_site)`.
pub async fn refuse_cross_site(host: AcceptedHost, request: Request, next: Next) -> Response {
    if is_cross_site(request.method(), request.headers(), &host) {
        return (StatusCode::FORBIDDEN, "This request came from another site.\n").into_response();
    }
    next.run(request).await
}

/// Whether a request would act here and was made by a page of another origin.
///
/// Sibling hosts of the same site count as others. `Origin: null` passes only where `Sec-Fetch-Site` vouches for the
/// request, as it does for forms on pages that send no referrer.
#[must_use]
pub fn is_cross_site(method: &Method, headers: &HeaderMap, host: &AcceptedHost) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let (Some(site), Some(origin)) = (
        Told::of(headers, &SEC_FETCH_SITE),
        Told::of(headers, &header::ORIGIN),
    ) else {
        return true;
    };
    let vouched = matches!(site, Told::Once("same-origin" | "none"));
    match (site, origin) {
        (Told::Once(_), _) if !vouched => true,
        (_, Told::Nothing) => false,
        (_, Told::Once("null")) => !vouched,
        (_, Told::Once(origin)) => !host.is_origin(origin),
    }
}

/// What one header says.
#[derive(Clone, Copy)]
enum Told<'a> {
    Nothing,
    Once(&'a str),
}

impl<'a> Told<'a> {
    /// `None` when the header is there twice or cannot be read.
    fn of(headers: &'a HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut lines = headers.get_all(name).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Some(Self::Nothing),
            (Some(line), None) => line.to_str().ok().map(Self::Once),
            (Some(_), Some(_)) => None,
        }
    }
}

/// The block of SHA-256, which is what HMAC takes as its key.
const BLOCK: usize = 64;
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Uri};
    use portal_auth::environment::SystemEntropy;

    use super::*;
    use crate::host::AcceptedHosts;

    fn guard(key: u8) -> FormGuard {
        FormGuard::new([key; 32], Arc::new(SystemEntropy::default()))
    }

    fn holding(cookie: PortalCookie) -> Cookies {
        Cookies::default().with(cookie, CookieValue::random(&SystemEntropy::default()).unwrap())
    }

    fn token(guard: &FormGuard, cookies: &Cookies) -> String {
        guard.token_for(cookies).unwrap().as_str().to_owned()
    }

    #[test]
    fn a_token_is_genuine_for_the_cookie_it_was_made_for_however_late() {
        // WEB-2, R13: nothing in the token or the check knows a time.
        for cookie in [PortalCookie::Form, PortalCookie::Session] {
            let cookies = holding(cookie);
            let token = token(&guard(1), &cookies);
            assert_eq!(token.len(), 43);
            assert_eq!(guard(1).check(&cookies, &token), FormCheck::Genuine);
        }
    }

    #[test]
    fn a_token_of_another_browser_key_or_no_browser_is_stale() {
        let cookies = holding(PortalCookie::Form);
        let token = token(&guard(1), &cookies);
        assert_eq!(
            guard(1).check(&holding(PortalCookie::Form), &token),
            FormCheck::Stale
        );
        assert_eq!(guard(2).check(&cookies, &token), FormCheck::Stale);
        assert_eq!(guard(1).check(&Cookies::default(), &token), FormCheck::Stale);
        assert_eq!(guard(1).check(&Cookies::default(), ""), FormCheck::Stale);
    }

    #[test]
    fn a_seal_holds_for_its_values_and_its_browser_alone() {
        let cookies = holding(PortalCookie::Session);
        let values = [("email", "jo@school.example"), ("do", "")];
        let seal = guard(1).seal(&cookies, values).unwrap();
        let holds = |cookies: &Cookies, values: &[(&'static str, &'static str)], seal: &str| {
            guard(1).is_sealed(cookies, values.iter().copied(), seal)
        };
        assert!(holds(&cookies, &values, seal.as_str()));
        assert!(!holds(&holding(PortalCookie::Session), &values, seal.as_str()));
        assert!(!holds(&Cookies::default(), &values, seal.as_str()));
        assert!(!holds(&cookies, &values, ""));
        assert!(!guard(2).is_sealed(&cookies, values, seal.as_str()));
        assert!(
            !holds(&cookies, &values, &token(&guard(1), &cookies)),
            "a form token is no seal"
        );
        for other in [
            &[("email", "jo@school.exampl"), ("edo", "")][..],
            &[("email", "jo@school.example")],
            &[("do", ""), ("email", "jo@school.example")],
            &[("email", ""), ("do", "jo@school.example")],
            &[],
        ] {
            assert!(!holds(&cookies, other, seal.as_str()), "{other:?}");
        }
    }

    #[test]
    fn a_changed_token_is_stale() {
        let cookies = holding(PortalCookie::Form);
        let token = token(&guard(1), &cookies);
        let first = if token.starts_with('A') { "B" } else { "A" };
        let flipped: String = first.chars().chain(token.chars().skip(1)).collect();
        let short: String = token.chars().take(42).collect();
        for changed in ["", &short, &format!("{token}A"), &flipped] {
            assert_eq!(guard(1).check(&cookies, changed), FormCheck::Stale, "{changed}");
        }
    }

    #[test]
    fn a_token_from_before_sign_in_is_stale_after_it() {
        // WEB-2: rotated at login.
        let before = holding(PortalCookie::Form);
        let old = token(&guard(1), &before);
        let after = before.with(
            PortalCookie::Session,
            CookieValue::random(&SystemEntropy::default()).unwrap(),
        );
        assert_eq!(guard(1).check(&after, &old), FormCheck::Stale);
        let new = token(&guard(1), &after);
        assert_eq!(guard(1).check(&after, &new), FormCheck::Genuine);
        assert_eq!(
            guard(1).check(&after.without(PortalCookie::Session), &new),
            FormCheck::Stale
        );
    }

    #[test]
    fn one_value_in_two_cookies_gives_two_tokens() {
        let value = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let as_form = Cookies::default().with(PortalCookie::Form, CookieValue::parse(value).unwrap());
        let as_session = Cookies::default().with(PortalCookie::Session, CookieValue::parse(value).unwrap());
        assert_ne!(token(&guard(1), &as_form), token(&guard(1), &as_session));
    }

    #[test]
    fn a_browser_without_cookies_gets_an_anonymous_one_and_others_get_none() {
        let issued = guard(1).issue(&Cookies::default()).unwrap();
        let text = issued.token().to_owned();
        let response = (issued, "page").into_response();
        let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let value = line
            .strip_prefix("__Host-portal_form=")
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let cookies = Cookies::default().with(PortalCookie::Form, CookieValue::parse(value).unwrap());
        assert_eq!(guard(1).check(&cookies, &text), FormCheck::Genuine);

        let again = (guard(1).issue(&cookies).unwrap(), "page").into_response();
        assert!(!again.headers().contains_key(header::SET_COOKIE));
    }

    fn crosses(method: &Method, lines: &[(&'static str, &'static str)]) -> bool {
        let hosts = AcceptedHosts::new("https://portal.example", []).unwrap();
        let named = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("portal.example"))]);
        let host = hosts.check(&Uri::from_static("/"), &named).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        is_cross_site(method, &headers, &host)
    }

    const OURS: (&str, &str) = ("origin", "https://portal.example");
    const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");

    #[test]
    fn a_request_of_the_portals_own_page_passes() {
        for lines in [
            &[OURS, SAME][..],
            &[OURS],
            &[SAME],
            &[],
            &[("origin", "null"), SAME],
        ] {
            assert!(!crosses(&Method::POST, lines), "{lines:?}");
        }
    }

    #[test]
    fn an_unsafe_request_of_another_site_is_refused() {
        // P-40, P-41
        for lines in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "http://portal.example")],
            &[("origin", "https://www.portal.example")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[OURS, ("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example"), SAME],
            &[OURS, OURS],
            &[SAME, SAME],
        ] {
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                assert!(crosses(&method, lines), "{method} {lines:?}");
            }
        }
    }

    #[test]
    fn reading_a_page_from_another_site_is_allowed() {
        // WEB-3: a GET has no effect to protect, and links from other sites must work.
        for method in [Method::GET, Method::HEAD] {
            assert!(!crosses(
                &method,
                &[
                    ("origin", "https://evil.example"),
                    ("sec-fetch-site", "cross-site")
                ]
            ));
        }
    }
}
