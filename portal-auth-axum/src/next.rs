//! Where a person wanted to go before signing in, and only ever a page of this portal.
//!
//! `next` comes from the address bar, so an attacker may have written it. What passes here can be put into a redirect:
//! it is a path below a known route and every browser resolves it to the portal's own origin.

use std::fmt;

/// A path of this portal that is safe to redirect to.
///
/// # Security
/// [`parse`](Self::parse) is the only way to make one, so a redirect that takes a `Next` is never an open one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next(String);

impl Next {
    /// Accepts `target` (as it stands after the form or query was decoded) if it lies under a known route.
    ///
    /// A route covers itself and everything below: `/areas` covers `/areas` and `/areas/send`, not `/areas-of-evil`;
    /// `/` covers only itself. `None` means: go home. At most 512 bytes, of the characters that RFC 3986
    /// allows in a path and query; one leading `/`; no backslash, dot segment, empty segment or `@` in the path,
    /// neither as written nor percent-encoded; no fragment.
    #[must_use]
    pub fn parse(target: &str, known_routes: &[&str]) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/?%-._~!$&'()*+,;=:@".contains(&b);
        if target.len() > MAX_LENGTH || !target.bytes().all(plain) {
            return None;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        percent_decoded(query)?;
        let decoded = percent_decoded(path)?;
        let segments = decoded.strip_prefix('/')?;
        let harmless = |c: char| !c.is_control() && !matches!(c, '\\' | '@' | '?' | '#');
        if !path.starts_with('/') || !decoded.chars().all(harmless) {
            return None;
        }
        // An empty last segment is a closing slash; any other is a second slash in a row.
        let mut inner = segments.split('/').peekable();
        while let Some(segment) = inner.next() {
            let doubled = segment.is_empty() && inner.peek().is_some();
            if doubled || segment == "." || segment == ".." {
                return None;
            }
        }
        let known = known_routes.iter().any(|route| match path.strip_prefix(route) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        });
        known.then(|| Self(target.to_owned()))
    }

    /// The path with its query, ready for a `Location` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Decodes once; `None` for a broken escape, a control character or bytes that are not UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            crate::form::hex_pair(bytes.next()?, bytes.next()?)?
        } else {
            byte
        });
    }
    String::from_utf8(decoded)
        .ok()
        .filter(|text| !text.chars().any(char::is_control))
}

const MAX_LENGTH: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    const ROUTES: &[&str] = &["/", "/account", "/areas"];

    #[test]
    fn a_path_below_a_known_route_passes_unchanged() {
        for target in [
            "/",
            "/account",
            "/account/",
            "/areas/send-ehat",
            "/areas/send?step=2&back=https://x//y",
            "/account/a%20b",
            "/account?q=%C3%A9&at=a@b",
            "/account/...",
        ] {
            assert_eq!(Next::parse(target, ROUTES).unwrap().as_str(), target);
        }
    }

    #[test]
    fn nothing_that_could_leave_the_site_passes() {
        // WEB-4, P-42
        for target in [
            "",
            "https://evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "account",
            " /account",
            "/account ",
            "/\t/evil.example",
            "/account\r\nSet-Cookie: a=b",
            "/%2Fevil.example",
            "/%2fevil.example",
            "/%5Cevil.example",
            "%2Faccount",
            "/account/%0d%0aa",
            "/account?a=%0d%0aa",
            "/account/%00",
            "/account/..//evil.example",
            "/account/../elsewhere",
            "/account/%2e%2E/elsewhere",
            "/account/.%2e",
            "/account/./x",
            "/account//x",
            "/account/a@evil.example",
            "/account/%40evil",
            "/account/%zz",
            "/account/%4",
            "/account/%ff",
            "/account#fragment",
            "/account/\u{2028}",
            "/accounts",
            "/elsewhere",
        ] {
            assert_eq!(Next::parse(target, ROUTES), None, "{target:?}");
        }
    }

    #[test]
    fn a_target_of_more_than_512_bytes_is_dropped() {
        // LIM-2
        let longest = format!("/account/{}", "a".repeat(512 - 9));
        assert!(Next::parse(&longest, ROUTES).is_some());
        assert!(Next::parse(&format!("{longest}a"), ROUTES).is_none());
    }

    fn keeps_origin_and_path(target: &str) -> Result<bool, TestCaseError> {
        let Some(next) = Next::parse(target, ROUTES) else {
            return Ok(false);
        };
        for base in ["https://portal.example", "http://127.0.0.1:8080/login?next=x"] {
            let base = Url::parse(base).unwrap();
            let resolved = base.join(next.as_str()).unwrap();
            prop_assert_eq!(resolved.origin(), base.origin());
            prop_assert_eq!(resolved.path(), target.split('?').next().unwrap());
        }
        Ok(true)
    }

    proptest! {
        #[test]
        fn i_31_what_passes_resolves_to_our_own_origin(target in r"\PC{0,40}") {
            // I-31
            keeps_origin_and_path(&target)?;
        }

        #[test]
        fn i_31_what_passes_resolves_to_our_own_origin_whatever_it_is_built_of(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "/", "//", "\\", "/account", "..", ".", "%2e", "%2f", "%5c", "@", ":", "evil.example", "https:",
                    "?", "#", "\t", "\n", "%09", "%00", "a", ";", "[", "]", "|", "%25", "\"", "<", "`", "{",
                ]),
                0..8,
            ),
        ) {
            // I-31
            keeps_origin_and_path(&pieces.concat())?;
        }

        #[test]
        fn plain_paths_are_not_dropped(tail in "[a-z0-9_-]{1,20}(\\?[a-z=&]{0,20})?") {
            let kept = keeps_origin_and_path(&format!("/account/{tail}"))?;
            prop_assert!(kept);
        }
    }
}
