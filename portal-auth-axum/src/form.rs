//! A form as it was submitted, read strictly: one reading, or none at all.
//!
//! A field that comes twice, a broken escape or an unknown field is refused, because two layers that read such a form
//! differently are how checks get bypassed. Values are decoded exactly once and wiped from memory when dropped.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use zeroize::Zeroizing;

use crate::request_guard::FORM_TOKEN_FIELD;

/// The fields of one submitted form.
///
/// As an extractor it accepts only an `application/x-www-form-urlencoded` body of at most 16 KiB with at most 40
/// fields. The query is never merged in: a field that stands in both is refused.
///
/// Give the form an `action` without a query, as browsers otherwise post to the address with the query of the page.
pub struct Form(Vec<Field>);

struct Field {
    name: Zeroizing<String>,
    value: Zeroizing<String>,
}

impl Form {
    /// Reads a body that has already been collected.
    ///
    /// # Errors
    /// [`FormRejection::Malformed`], [`FormRejection::Repeated`] or [`FormRejection::TooManyFields`].
    pub fn parse(body: &[u8]) -> Result<Self, FormRejection> {
        let mut fields: Vec<Field> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if fields.len() >= MAX_FIELDS {
                return Err(FormRejection::TooManyFields);
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decoded(halves.next().unwrap_or_default())?;
            let value = decoded(halves.next().unwrap_or_default())?;
            if fields.iter().any(|field| field.name == name) {
                return Err(FormRejection::Repeated);
            }
            fields.push(Field { name, value });
        }
        Ok(Self(fields))
    }

    /// Reads the form of a request and gives the request back as it was, for a layer that looks at a form before its page
    /// does.
    ///
    /// # Errors
    /// As for the extractor; the page would have answered the same.
    pub async fn read_ahead(request: Request) -> Result<(Self, Request), FormRejection> {
        let (parts, body) = request.into_parts();
        if !is_urlencoded(&parts.headers) {
            return Err(FormRejection::WrongType);
        }
        let bytes = collect(&parts.headers, body).await?;
        let form = Self::parse(&bytes)?;
        // The bytes are wiped when the last reader lets go of them.
        let body = Body::from(Bytes::from_owner(bytes));
        Ok((form, Request::from_parts(parts, body)))
    }

    /// Makes sure that the form holds no other fields than `known` and `form_token`.
    ///
    /// # Errors
    /// [`FormRejection::Unknown`] where there is another one.
    pub fn allow_only(&self, known: &[&str]) -> Result<(), FormRejection> {
        let is_known = |name: &str| name == FORM_TOKEN_FIELD || known.contains(&name);
        if self.0.iter().all(|field| is_known(&field.name)) {
            Ok(())
        } else {
            Err(FormRejection::Unknown)
        }
    }

    /// The field's value, if the form holds it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|field| field.name.as_str() == name)
            .map(|field| field.value.as_str())
    }

    /// Takes the field out of the form; empty where it is missing, which means the same to a person.
    #[must_use]
    pub fn take(&mut self, name: &str) -> String {
        std::mem::take(&mut *self.take_secret(name))
    }

    /// Takes a field out of the form that must not stay in memory, such as a password; empty where it is missing.
    #[must_use]
    pub fn take_secret(&mut self, name: &str) -> Zeroizing<String> {
        let found = self.0.iter().position(|field| field.name.as_str() == name);
        found.map(|at| self.0.swap_remove(at).value).unwrap_or_default()
    }

    /// The form token, for [`FormGuard::check`](crate::request_guard::FormGuard::check); empty where it is missing.
    #[must_use]
    pub fn token(&self) -> &str {
        self.get(FORM_TOKEN_FIELD).unwrap_or_default()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names are typed by the client as well as values, so neither is shown.
        write!(f, "Form({} fields)", self.0.len())
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = FormRejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        if !is_urlencoded(&parts.headers) {
            return Err(FormRejection::WrongType);
        }
        let form = Self::parse(&collect(&parts.headers, body).await?)?;
        let query = Self::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
        if query.0.iter().any(|field| form.get(&field.name).is_some()) {
            return Err(FormRejection::Repeated);
        }
        Ok(form)
    }
}

/// Why a body was not accepted as a form; a browser that shows the portal's own pages causes none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormRejection {
    /// The content is no URL-encoded form in UTF-8, or is compressed: 415.
    #[error("the body is not a URL-encoded form")]
    WrongType,
    /// The body has more than 16 KiB: 413.
    #[error("the form has more than 16 KiB")]
    TooLarge,
    /// The body broke off before its end: 400.
    #[error("the body of the form broke off")]
    Interrupted,
    /// There are more than 40 fields: 400.
    #[error("the form has more than 40 fields")]
    TooManyFields,
    /// A field comes twice, in the body or in body and query: 400.
    #[error("a field of the form comes twice")]
    Repeated,
    /// A field is not one of the form's: 400.
    #[error("the form has a field that does not belong to it")]
    Unknown,
    /// An escape is broken, or the text is not UTF-8 or holds NUL: 400.
    #[error("the form is not well-formed text")]
    Malformed,
}

impl FormRejection {
    /// The status that answers it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Interrupted | Self::TooManyFields | Self::Repeated | Self::Unknown | Self::Malformed => {
                StatusCode::BAD_REQUEST
            }
        }
    }
}

impl IntoResponse for FormRejection {
    fn into_response(self) -> Response {
        (self.status(), format!("This cannot be read: {self}.\n")).into_response()
    }
}

/// The byte that two hexadecimal digits stand for.
pub(crate) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some((digit(high)? << 4) | digit(low)?)
}

fn is_urlencoded(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(Ok(line)), None) = (lines.next().map(|line| line.to_str()), lines.next()) else {
        return false;
    };
    let mut parts = line.split(';').map(str::trim);
    let named = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let utf8 = |part: &str| {
        let value = part
            .split_once('=')
            .filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
        value.is_some_and(|(_, set)| set.trim_matches('"').eq_ignore_ascii_case("utf-8"))
    };
    named && parts.all(utf8) && !headers.contains_key(CONTENT_ENCODING)
}

async fn collect(headers: &HeaderMap, mut body: Body) -> Result<Zeroizing<Vec<u8>>, FormRejection> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(FormRejection::TooLarge);
    }
    // All room at once, since a vector that grows leaves unwiped copies of passwords behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BODY));
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| FormRejection::Interrupted)?;
        let Some(data) = frame.data_ref() else { continue };
        if data.len() > MAX_BODY.saturating_sub(bytes.len()) {
            return Err(FormRejection::TooLarge);
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

fn decoded(text: &[u8]) -> Result<Zeroizing<String>, FormRejection> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match (bytes.next(), bytes.next()) {
                (Some(high), Some(low)) => hex_pair(high, low).ok_or(FormRejection::Malformed)?,
                _ => return Err(FormRejection::Malformed),
            },
            plain => plain,
        });
    }
    if decoded.contains(&0) {
        return Err(FormRejection::Malformed);
    }
    let text = std::str::from_utf8(&decoded).map_err(|_| FormRejection::Malformed)?;
    Ok(Zeroizing::new(text.to_owned()))
}

const MAX_BODY: usize = 16 * 1024;
const MAX_FIELDS: usize = 40;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const URLENCODED: &str = "application/x-www-form-urlencoded";

    async fn submit(uri: &str, kind: &str, body: impl Into<Body>) -> Result<Form, FormRejection> {
        let request = Request::post(uri)
            .header(CONTENT_TYPE, kind)
            .body(body.into())
            .unwrap();
        Form::from_request(request, &()).await
    }

    #[test]
    fn fields_are_decoded_exactly_once() {
        let mut form = Form::parse(b"email=a%40b.example&name=Zo%C3%AB+X&twice=%2541&plus=%2B&flag").unwrap();
        assert_eq!(form.get("email"), Some("a@b.example"));
        assert_eq!(form.get("flag"), Some(""));
        assert_eq!(form.get("missing"), None);
        assert_eq!(form.take("name"), "Zo\u{eb} X");
        assert_eq!(form.take("name"), "");
        assert_eq!(form.take("twice"), "%41");
        assert_eq!(form.take_secret("plus").as_str(), "+");
    }

    #[tokio::test]
    async fn a_form_that_was_read_ahead_is_there_for_its_page_too() {
        let request = |body: &'static str| {
            let request = Request::post("/x?a=1").header(CONTENT_TYPE, URLENCODED);
            request.body(Body::from(body)).unwrap()
        };
        let (ahead, request_again) = Form::read_ahead(request("email=a%40b.example&x=1"))
            .await
            .unwrap();
        assert_eq!(ahead.get("email"), Some("a@b.example"));
        let form = Form::from_request(request_again, &()).await.unwrap();
        assert_eq!(
            (form.get("email"), form.get("x")),
            (Some("a@b.example"), Some("1"))
        );
        let refused = Form::read_ahead(request("a=1&a=2")).await;
        assert_eq!(refused.unwrap_err(), FormRejection::Repeated);
    }

    #[test]
    fn a_field_that_comes_twice_is_refused() {
        // LIM-1, P-10
        for body in ["a=1&a=1", "a=1&b=2&a", "a=1&%61=2", "=1&=2"] {
            assert_eq!(
                Form::parse(body.as_bytes()).unwrap_err(),
                FormRejection::Repeated,
                "{body}"
            );
        }
    }

    #[test]
    fn text_that_is_not_well_formed_is_refused() {
        // P-48
        for body in [
            "a=%",
            "a=%4",
            "a=%zz",
            "a=%+1",
            "a=%00",
            "%00=a",
            "a=%80",
            "a=%C3",
            "a=%ED%A0%80",
            "a=%C0%AF",
        ] {
            assert_eq!(
                Form::parse(body.as_bytes()).unwrap_err(),
                FormRejection::Malformed,
                "{body}"
            );
        }
        assert_eq!(Form::parse(b"a=\xff").unwrap_err(), FormRejection::Malformed);
        assert_eq!(Form::parse(b"a=\0").unwrap_err(), FormRejection::Malformed);
    }

    #[test]
    fn forty_fields_pass_and_one_more_is_refused() {
        // LIM-1
        let body = |count: usize| {
            (0..count)
                .map(|n| format!("f{n}=x"))
                .collect::<Vec<_>>()
                .join("&")
        };
        assert!(Form::parse(body(40).as_bytes()).is_ok());
        assert_eq!(
            Form::parse(body(41).as_bytes()).unwrap_err(),
            FormRejection::TooManyFields
        );
        assert_eq!(
            Form::parse(body(10_000).as_bytes()).unwrap_err(),
            FormRejection::TooManyFields
        );
    }

    #[test]
    fn a_field_of_another_form_is_refused() {
        // P-10: `email[]` is a field of its own, not another `email`.
        let form = Form::parse(b"email=a&form_token=t").unwrap();
        assert_eq!(form.allow_only(&["email"]), Ok(()));
        assert_eq!(form.allow_only(&["password"]), Err(FormRejection::Unknown));
        let odd = Form::parse(b"email=a&email%5B%5D=b").unwrap();
        assert_eq!(odd.allow_only(&["email"]), Err(FormRejection::Unknown));
    }

    #[tokio::test]
    async fn only_a_urlencoded_body_in_utf8_is_a_form() {
        for kind in [
            URLENCODED,
            "Application/X-WWW-Form-Urlencoded",
            "application/x-www-form-urlencoded;charset=UTF-8",
        ] {
            assert!(submit("/", kind, "a=1").await.is_ok(), "{kind}");
        }
        for kind in [
            "",
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/x-www-form-urlencoded, application/json",
        ] {
            assert_eq!(
                submit("/", kind, "a=1").await.unwrap_err(),
                FormRejection::WrongType,
                "{kind}"
            );
        }
        let request = Request::post("/").body(Body::from("a=1")).unwrap();
        assert_eq!(
            Form::from_request(request, &()).await.unwrap_err(),
            FormRejection::WrongType
        );
        let request = Request::post("/")
            .header(CONTENT_TYPE, URLENCODED)
            .header(CONTENT_ENCODING, "gzip")
            .body(Body::empty());
        let refused = Form::from_request(request.unwrap(), &()).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn a_body_of_16_kib_passes_and_one_byte_more_is_too_large() {
        // LIM-1
        let body = |length: usize| format!("a={}", "x".repeat(length - 2));
        assert!(submit("/", URLENCODED, body(MAX_BODY)).await.is_ok());
        let refused = submit("/", URLENCODED, body(MAX_BODY + 1)).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn an_announced_flood_is_refused_before_it_is_read() {
        let request = Request::post("/")
            .header(CONTENT_TYPE, URLENCODED)
            .header(CONTENT_LENGTH, "5242880");
        let refused = Form::from_request(request.body(Body::from("a=1")).unwrap(), &())
            .await
            .unwrap_err();
        assert_eq!(refused, FormRejection::TooLarge);
    }

    #[tokio::test]
    async fn the_query_is_never_merged_into_the_form() {
        // P-10
        let form = submit("/?next=%2Fareas&email=q", URLENCODED, "password=x")
            .await
            .unwrap();
        assert_eq!((form.get("email"), form.get("next")), (None, None));
        let both = submit("/?email=q", URLENCODED, "email=b").await;
        assert_eq!(both.unwrap_err(), FormRejection::Repeated);
    }

    #[test]
    fn nothing_prints_what_was_typed() {
        let form = Form::parse(b"password=hunter2").unwrap();
        assert_eq!(format!("{form:?}"), "Form(1 fields)");
    }

    proptest! {
        #[test]
        fn what_a_browser_encodes_is_what_the_form_holds(value in "[^\0]{0,60}", name in "[^\0]{1,20}") {
            let body = url::form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish();
            let form = Form::parse(body.as_bytes()).unwrap();
            prop_assert_eq!(form.get(&name), Some(value.as_str()));
        }

        #[test]
        fn any_body_is_read_as_the_standard_says_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let Ok(form) = Form::parse(&body) else { return Ok(()) };
            for (name, value) in url::form_urlencoded::parse(&body) {
                prop_assert_eq!(form.get(&name), Some(&*value));
            }
        }
    }
}
