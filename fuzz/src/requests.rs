//! What a browser or a proxy sends beside a page's own fields: the way back, forwarding headers, cookies, form bodies.

use std::net::IpAddr;

use axum::http::header::{COOKIE, FORWARDED};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use portal_auth_axum::client_address::TrustedProxies;
use portal_auth_axum::cookies::{CookieValue, Cookies, PortalCookie};
use portal_auth_axum::form::Form;
use portal_auth_axum::next::Next;
use url::Url;

use crate::Reached;

const ROUTES: [&str; 3] = ["/home", "/account", "/areas"];

/// A way back never leaves the site (I-31).
#[must_use]
pub fn next(data: &[u8]) -> Reached {
    let Ok(target) = std::str::from_utf8(data) else {
        return Reached::Refused;
    };
    let Some(next) = Next::parse(target, &ROUTES) else {
        return Reached::Refused;
    };
    assert_eq!(next.as_str(), target);
    assert!(target.len() <= 512 && HeaderValue::from_str(target).is_ok());
    for base in [
        "https://portal.example",
        "http://127.0.0.1:8080/account/login?next=x#y",
    ] {
        let base = Url::parse(base).expect("an address");
        let resolved = base.join(target).expect("a path");
        assert_eq!(resolved.origin(), base.origin());
        assert_eq!(Some(resolved.path()), target.split('?').next());
        assert!(ROUTES.iter().any(|route| resolved.path().starts_with(route)));
    }
    Reached::Accepted
}

/// The client's address never comes from a hop that no trusted proxy vouches for (I-32).
///
/// The first line is the peer; the others are headers: `x` and an `X-Forwarded-For`, or `f` and a `Forwarded`.
#[must_use]
pub fn forwarded(data: &[u8]) -> Reached {
    let mut lines = data.split(|b| *b == b'\n');
    let peer = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let Some(peer) = peer.and_then(|text| text.parse::<IpAddr>().ok()) else {
        return Reached::Refused;
    };
    let mut headers = HeaderMap::new();
    for (mark, value) in lines.take(16).filter_map(<[u8]>::split_first) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(if *mark == b'f' { FORWARDED } else { X_FORWARDED_FOR }, value);
        }
    }
    let client = |proxies: &TrustedProxies, peer| proxies.client_address(Some(peer), &headers);
    assert_eq!(client(&TrustedProxies::none(), peer), Some(peer.to_canonical()));
    let trusted: TrustedProxies = "10.0.0.0/8, 2001:db8:ffff::/48".parse().expect("two ranges");
    let found = client(&trusted, peer).expect("there is a peer");
    assert_eq!(found, found.to_canonical());
    if let IpAddr::V4(v4) = peer {
        assert_eq!(
            client(&trusted, v4.to_ipv6_mapped().into()),
            Some(found),
            "one address, one key"
        );
    }
    if !trusted.contains(peer) {
        assert_eq!(found, peer.to_canonical());
    }
    if !trusted.contains(found) {
        // A stranger can write anything further left, and nothing changes.
        for planted in [
            "203.0.113.99",
            "10.0.0.1",
            "for=203.0.113.99",
            "for=10.0.0.1",
            "\"",
            "for=\"[",
        ] {
            let planted = with_planted_hop(&headers, planted);
            assert_eq!(trusted.client_address(Some(peer), &planted), Some(found));
        }
    }
    Reached::accepted(found != peer.to_canonical())
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// `headers` with one more hop to the left of all others, in each header that is there.
fn with_planted_hop(headers: &HeaderMap, hop: &str) -> HeaderMap {
    let mut planted = HeaderMap::new();
    for name in [FORWARDED, X_FORWARDED_FOR] {
        if headers.contains_key(&name) {
            planted.append(&name, HeaderValue::from_str(hop).expect("a header value"));
        }
        for value in headers.get_all(&name) {
            planted.append(&name, value.clone());
        }
    }
    planted
}

/// A cookie is one token or absent, and sent twice it is absent (WEB-1, I-34). Each line is a `Cookie` header.
#[must_use]
pub fn cookies(data: &[u8]) -> Reached {
    let mut headers = HeaderMap::new();
    for line in data.split(|b| *b == b'\n').take(16) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    let held = Cookies::read(&headers);
    let mut any = false;
    for cookie in PortalCookie::ALL {
        let Some(value) = held.get(cookie) else { continue };
        any = true;
        assert_eq!(value.expose().len(), 43);
        assert!(CookieValue::parse(value.expose()).is_some());
        let set = cookie.set(value).header_value().expect("a header value");
        let line = set.to_str().expect("ASCII");
        assert!(line.starts_with(&format!("{}={};", cookie.name(), value.expose())));
        assert_eq!(line.matches(';').count(), line.matches("; ").count());
        let mut twice = headers.clone();
        let again = format!("{}={}", cookie.name(), value.expose());
        twice.append(COOKIE, HeaderValue::from_str(&again).expect("a header value"));
        assert!(Cookies::read(&twice).get(cookie).is_none());
    }
    Reached::accepted(any)
}

/// A form is read as the URL standard reads it, or not at all (LIM-1, I-34).
#[must_use]
pub fn form(data: &[u8]) -> Reached {
    let Ok(mut form) = Form::parse(data) else {
        return Reached::Refused;
    };
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(data).into_owned().collect();
    assert!(fields.len() <= 40);
    for (name, value) in &fields {
        assert_eq!(form.get(name), Some(value.as_str()));
    }
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert!(form.allow_only(&names).is_ok());
    if let Some((first, others)) = names.split_first() {
        assert_eq!(form.allow_only(others).is_ok(), *first == "form_token");
        let mut repeated = data.to_vec();
        repeated.push(b'&');
        repeated.extend_from_slice(data);
        assert!(
            Form::parse(&repeated).is_err(),
            "a field that comes twice has no value"
        );
    }
    for (name, value) in &fields {
        assert_eq!(form.take(name), *value);
        assert_eq!(form.get(name), None);
    }
    Reached::accepted(!fields.is_empty())
}
