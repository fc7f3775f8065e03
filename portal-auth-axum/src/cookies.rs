//! The six cookies a browser holds, and nothing else: their names, their attributes, and reading them without doubt.
//!
//! Every value is one opaque token of 43 characters. A cookie that is sent twice, or whose value is not such a token,
//! counts as absent: which of two values a browser meant cannot be known, and guessing is what fixation lives on.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponseParts, ResponseParts};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use portal_auth::environment::{Entropy, draw};
use portal_auth::error::Fault;
use zeroize::Zeroizing;

/// One of the cookies that a portal sets.
///
/// All are `Secure`, `HttpOnly`, `Path=/` and without `Domain`, which the `__Host-` prefix makes browsers enforce: no
/// neighbouring host and no plain connection can plant one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PortalCookie {
    /// The session of a signed-in person.
    Session,
    /// What form tokens are bound to while nobody is signed in.
    Form,
    /// The registration that is being typed, or what a signed-in person had typed when their session ended.
    Draft,
    /// The mailed link whose page is open; lives 15 minutes.
    Link,
    /// A sign-in that still waits for its code, or a reset whose secret answer was given; never sent along on a cross-site navigation.
    Verify,
    /// The browser itself, so that a stranger's failures never keep its owner out; lives 180 days.
    Device,
}

impl PortalCookie {
    /// Every cookie there is.
    pub const ALL: [Self; 6] = [
        Self::Session,
        Self::Form,
        Self::Draft,
        Self::Link,
        Self::Verify,
        Self::Device,
    ];

    /// The cookie's name as browsers send it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "__Host-portal_session",
            Self::Form => "__Host-portal_form",
            Self::Draft => "__Host-portal_draft",
            Self::Link => "__Host-portal_link",
            Self::Verify => "__Host-portal_verify",
            Self::Device => "__Host-portal_device",
        }
    }

    /// How long the browser keeps the cookie; `None` means until it is closed.
    #[must_use]
    pub const fn max_age(self) -> Option<Duration> {
        match self {
            Self::Link => Some(Duration::from_secs(900)),
            Self::Device => Some(Duration::from_secs(180 * 24 * 60 * 60)),
            Self::Session | Self::Form | Self::Draft | Self::Verify => None,
        }
    }

    /// Makes the browser hold `value` under this name.
    #[must_use]
    pub fn set(self, value: &CookieValue) -> SetCookie {
        let lifetime = self
            .max_age()
            .map(|age| format!("; Max-Age={}", age.as_secs()))
            .unwrap_or_default();
        self.line(value.expose(), &lifetime)
    }

    /// Makes the browser forget the cookie.
    #[must_use]
    pub fn clear(self) -> SetCookie {
        // Expires and not Max-Age=0: a Max-Age on any other cookie than link and device is a fault (WEB-1).
        self.line("", "; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    }

    const fn same_site(self) -> &'static str {
        match self {
            Self::Verify => "Strict",
            Self::Session | Self::Form | Self::Draft | Self::Link | Self::Device => "Lax",
        }
    }

    fn line(self, value: &str, lifetime: &str) -> SetCookie {
        host_cookie(self.name(), value, self.same_site(), lifetime)
    }
}

/// Writes a cookie with the attributes that all of a portal's have (WEB-1).
pub(crate) fn host_cookie(name: &str, value: &str, same_site: &str, lifetime: &str) -> SetCookie {
    SetCookie(Zeroizing::new(format!(
        "{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}{lifetime}"
    )))
}

/// The value of a cookie: 32 bytes as 43 characters of strict base64url.
///
/// The characters say nothing about whether the token is genuine; only the library that made it can tell.
pub struct CookieValue(Zeroizing<String>);

impl CookieValue {
    /// Accepts exactly 43 characters of canonical base64url without padding.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        let decoded = Base64UrlUnpadded::decode(text, bytes.as_mut_slice()).ok()?;
        (decoded.len() == 32).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Draws a fresh value that nobody can guess.
    ///
    /// # Errors
    /// The [`Fault`] of the random source; show the page for a broken service.
    pub fn random(entropy: &dyn Entropy) -> Result<Self, Fault> {
        let bytes = Zeroizing::new(draw::<32>(entropy)?);
        Ok(Self(Zeroizing::new(Base64UrlUnpadded::encode_string(
            bytes.as_slice(),
        ))))
    }

    /// Takes over a token of the library's, whose type vouches for its 43 characters.
    pub(crate) fn of_token(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The 43 characters.
    ///
    /// # Security
    /// Whoever holds them is the person, as far as the library can tell: never log them or write them into a page.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CookieValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieValue(..)")
    }
}

/// The portal's cookies of one request; as an extractor it never fails.
#[derive(Debug, Default)]
pub struct Cookies(Vec<(PortalCookie, Option<CookieValue>)>);

impl Cookies {
    /// Reads the cookies out of a request's headers.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut held = Self::default();
        let lines = headers.get_all(COOKIE);
        for pair in lines
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        {
            held.note(pair.trim_ascii());
        }
        held
    }

    /// The cookie's value; `None` when it was not sent, was sent twice, or is not a token.
    #[must_use]
    pub fn get(&self, cookie: PortalCookie) -> Option<&CookieValue> {
        self.0
            .iter()
            .find(|(name, _)| *name == cookie)
            .and_then(|(_, value)| value.as_ref())
    }

    /// Drops a cookie from this view, as the browser will once the answer that clears it has arrived.
    ///
    /// A page that ends a session and shows a form needs this, so that the form is bound to what remains.
    #[must_use]
    pub fn without(mut self, cookie: PortalCookie) -> Self {
        self.0.retain(|(name, _)| *name != cookie);
        self
    }

    /// Puts a cookie into this view that the same answer sets, so that a form on that page is bound to it.
    #[must_use]
    pub fn with(self, cookie: PortalCookie, value: CookieValue) -> Self {
        let mut changed = self.without(cookie);
        changed.0.push((cookie, Some(value)));
        changed
    }

    fn note(&mut self, pair: &[u8]) {
        let Ok(pair) = std::str::from_utf8(pair) else {
            return;
        };
        let Some((name, value)) = pair.split_once('=') else {
            return;
        };
        let Some(cookie) = PortalCookie::ALL
            .into_iter()
            .find(|cookie| cookie.name() == name.trim_ascii_end())
        else {
            return;
        };
        match self.0.iter_mut().find(|(seen, _)| *seen == cookie) {
            Some((_, slot)) => *slot = None,
            None => self
                .0
                .push((cookie, CookieValue::parse(value.trim_ascii_start()))),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Cookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::read(&parts.headers))
    }
}

/// One `Set-Cookie` line, to be returned beside a response: `(PortalCookie::Session.set(&value), page)`.
pub struct SetCookie(Zeroizing<String>);

impl SetCookie {
    /// The header's value, marked as sensitive so that nothing prints it.
    ///
    /// # Errors
    /// `500 Internal Server Error` if the text were no header value, which no [`CookieValue`] can cause.
    pub fn header_value(&self) -> Result<HeaderValue, StatusCode> {
        let mut value = HeaderValue::from_str(&self.0).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.split_once('=').map_or("", |(name, _)| name);
        write!(f, "SetCookie({name})")
    }
}

impl IntoResponseParts for SetCookie {
    type Error = StatusCode;

    fn into_response_parts(self, mut res: ResponseParts) -> Result<ResponseParts, Self::Error> {
        res.headers_mut().append(SET_COOKIE, self.header_value()?);
        Ok(res)
    }
}

/// What an answer to a logout carries: the browser drops its cache, its storage and every cookie but the device's.
///
/// The device cookie stays, because it only says that this browser has been here before and protects its owner from
/// being locked out.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a marker that handlers write down")]
pub struct ForgetPerson;

impl IntoResponseParts for ForgetPerson {
    type Error = StatusCode;

    fn into_response_parts(self, mut res: ResponseParts) -> Result<ResponseParts, Self::Error> {
        for cookie in [
            PortalCookie::Session,
            PortalCookie::Form,
            PortalCookie::Link,
            PortalCookie::Verify,
        ] {
            res = cookie.clear().into_response_parts(res)?;
        }
        // Not "cookies": that would take the device cookie too.
        res.headers_mut()
            .insert(CLEAR_SITE_DATA, HeaderValue::from_static(r#""cache","storage""#));
        Ok(res)
    }
}

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use portal_auth::environment::SystemEntropy;
    use proptest::prelude::*;

    use super::*;

    const VALUE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn sent(lines: &[&str]) -> Cookies {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        Cookies::read(&headers)
    }

    fn line(cookie: &SetCookie) -> String {
        cookie.header_value().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn each_cookie_has_exactly_its_name_and_attributes() {
        // WEB-1
        let value = CookieValue::parse(VALUE).unwrap();
        let common = "Path=/; Secure; HttpOnly; SameSite=";
        let expected = [
            format!("__Host-portal_session={VALUE}; {common}Lax"),
            format!("__Host-portal_form={VALUE}; {common}Lax"),
            format!("__Host-portal_draft={VALUE}; {common}Lax"),
            format!("__Host-portal_link={VALUE}; {common}Lax; Max-Age=900"),
            format!("__Host-portal_verify={VALUE}; {common}Strict"),
            format!("__Host-portal_device={VALUE}; {common}Lax; Max-Age=15552000"),
        ];
        for (cookie, expected) in PortalCookie::ALL.into_iter().zip(expected) {
            let written = line(&cookie.set(&value));
            assert_eq!(written, expected);
            assert!(written.len() <= 4096);
        }
    }

    #[test]
    fn a_cleared_cookie_is_empty_and_long_expired() {
        assert_eq!(
            line(&PortalCookie::Draft.clear()),
            "__Host-portal_draft=; Path=/; Secure; HttpOnly; SameSite=Lax; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }

    #[test]
    fn a_cookie_is_found_among_others_and_in_split_headers() {
        let cookies = sent(&[
            "theme=dark; __Host-portal_form=x",
            &format!("a=b;__Host-portal_session={VALUE} "),
        ]);
        assert_eq!(cookies.get(PortalCookie::Session).unwrap().expose(), VALUE);
        assert!(cookies.get(PortalCookie::Form).is_none());
        assert!(cookies.get(PortalCookie::Device).is_none());
    }

    #[test]
    fn a_cookie_sent_twice_counts_as_absent() {
        // P-36: which of the two was planted cannot be known.
        let pair = format!("__Host-portal_session={VALUE}");
        assert!(
            sent(&[&format!("{pair}; {pair}")])
                .get(PortalCookie::Session)
                .is_none()
        );
        assert!(sent(&[&pair, &pair]).get(PortalCookie::Session).is_none());
        assert!(
            sent(&["__Host-portal_session=planted", &pair])
                .get(PortalCookie::Session)
                .is_none()
        );
        assert!(sent(&[&pair, &pair, &pair]).get(PortalCookie::Session).is_none());
    }

    #[test]
    fn only_the_exact_name_counts() {
        for name in [
            "__host-portal_session",
            "portal_session",
            "__Host-portal_session2",
            "__Secure-portal_session",
        ] {
            assert!(
                sent(&[&format!("{name}={VALUE}")])
                    .get(PortalCookie::Session)
                    .is_none(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_value_is_a_canonical_token_or_nothing() {
        assert!(CookieValue::parse(VALUE).is_some());
        let short = "A".repeat(42);
        let odd = format!("{short}B");
        for bad in ["", "A", &short, &format!("{VALUE}A"), &format!("{VALUE}="), &odd] {
            assert!(CookieValue::parse(bad).is_none(), "{bad}");
        }
        assert!(CookieValue::parse(&VALUE.replacen('A', "+", 1)).is_none());
        assert!(CookieValue::parse(&VALUE.replacen('A', "\"", 1)).is_none());
    }

    #[test]
    fn a_drawn_value_is_new_and_can_be_read_back() {
        let value = CookieValue::random(&SystemEntropy::default()).unwrap();
        assert!(CookieValue::parse(value.expose()).is_some());
        assert_ne!(
            value.expose(),
            CookieValue::random(&SystemEntropy::default()).unwrap().expose()
        );
    }

    #[test]
    fn nothing_prints_a_value() {
        let value = CookieValue::parse(VALUE).unwrap();
        let set = PortalCookie::Session.set(&value);
        let shown = format!("{value:?} {set:?} {:?}", set.header_value());
        assert!(!shown.contains(VALUE), "{shown}");
        assert!(shown.contains("__Host-portal_session"), "{shown}");
    }

    #[test]
    fn a_logout_forgets_everything_but_the_device() {
        // A4 14.3.1
        let response = (ForgetPerson, "bye").into_response();
        let cleared: Vec<_> = response
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .map(|v| v.to_str().unwrap())
            .collect();
        for cookie in [PortalCookie::Session, PortalCookie::Form, PortalCookie::Link] {
            assert!(
                cleared
                    .iter()
                    .any(|line| line.starts_with(&format!("{}=;", cookie.name())))
            );
        }
        assert!(!cleared.iter().any(|line| line.contains("portal_device")));
        assert_eq!(response.headers()["clear-site-data"], r#""cache","storage""#);
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic_and_yields_only_tokens(line in "[ -~]{0,200}") {
            let cookies = sent(&[&line]);
            for cookie in PortalCookie::ALL {
                if let Some(value) = cookies.get(cookie) {
                    prop_assert_eq!(value.expose().len(), 43);
                }
            }
        }
    }
}
