//! The cookie that keeps the language a person has chosen, for as long as the browser is open.
//!
//! It is no secret and proves nothing, so it stands beside the [cookies](crate::cookies) that hold tokens. Its
//! attributes are theirs all the same: `__Host-` keeps a neighbouring host from choosing for people.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use portal_auth::language::LanguageTag;

use crate::cookies::{SetCookie, host_cookie};

/// The cookie's name as browsers send it.
pub const LANGUAGE_COOKIE: &str = "__Host-portal_lang";

/// The language that a request's cookie asks for.
///
/// `None` when it was not sent, was sent twice, or holds no language tag. Which languages there are texts in is for
/// the host to know: another one counts as no choice.
#[must_use]
pub fn chosen_language(headers: &HeaderMap) -> Option<LanguageTag> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok()?.split_once('='))
        .filter(|(name, _)| name.trim_ascii_end() == LANGUAGE_COOKIE)
        .map(|(_, value)| value.trim_ascii_start());
    match (found.next(), found.next()) {
        (Some(value), None) => LanguageTag::parse(value).ok(),
        _ => None,
    }
}

/// Makes the browser keep the choice until it is closed; the account keeps it for longer (WEB-1: no `Max-Age`).
#[must_use]
pub fn keep_language(language: &LanguageTag) -> SetCookie {
    host_cookie(LANGUAGE_COOKIE, language.as_str(), "Lax", "")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn chosen(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).unwrap());
        }
        chosen_language(&headers).map(|tag| tag.as_str().to_owned())
    }

    #[test]
    fn a_choice_is_read_among_other_cookies() {
        assert_eq!(chosen(&["a=b; __Host-portal_lang=cy"]).as_deref(), Some("cy"));
        assert_eq!(
            chosen(&["a=b", " __Host-portal_lang = en-gb "]).as_deref(),
            Some("en-GB")
        );
    }

    #[test]
    fn what_is_missing_doubled_or_no_tag_is_no_choice() {
        // P-36
        for lines in [
            &["a=b"][..],
            &["__Host-portal_lang="],
            &["__Host-portal_lang=../../etc/passwd"],
            &["portal_lang=cy"],
            &["__Host-portal_language=cy"],
            &["__Host-portal_lang=cy; __Host-portal_lang=cy"],
            &["__Host-portal_lang=cy", "__Host-portal_lang=en-GB"],
        ] {
            assert_eq!(chosen(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn the_cookie_has_the_attributes_of_all_others_and_no_age() {
        // WEB-1
        let cookie = keep_language(&LanguageTag::parse("cy").unwrap());
        assert_eq!(
            cookie.header_value().unwrap(),
            "__Host-portal_lang=cy; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }
}
