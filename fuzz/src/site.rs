//! The portal itself: any form on any page, any request at all.

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use axum::response::Response;
use portal_auth_axum::cookies::PortalCookie;
use tower::ServiceExt as _;

use crate::Reached;
use crate::browser::{Browser, State, peer, wait_for};

/// Every page that takes a form.
const FORMS: [&str; 12] = [
    "/account/login",
    "/account/logout",
    "/account/verify",
    "/account/register/security-details",
    "/account/register/about-you",
    "/account/register/work-details",
    "/account/register/sent",
    "/account/complete-registration",
    "/account/two-step-verification",
    "/account/confirm-password",
    "/dev/mail",
    "/areas/send-ehat",
];
/// Six of a dozen: the states follow each other twice, once with a form token and once without.
const HAS_TOKEN: [bool; 12] = [
    true, true, true, true, true, true, false, false, false, false, false, false,
];
/// The longest page.
const PAGE_LIMIT: usize = 256 * 1024;
const AUTHORITY: &str = "127.0.0.1:8080";

/// No form makes the portal panic, answer with a server error, reflect markup or lead off the site (I-31, I-34).
///
/// The first byte chooses the page (`a` to `l`), the second how far the browser has come (`0` to `5` with a genuine
/// form token, `6` to `;` without); the rest is the body.
#[must_use]
pub fn portal_forms(data: &[u8]) -> Reached {
    let [page, state, body @ ..] = data else {
        return Reached::Refused;
    };
    let path = pick(&FORMS, page.wrapping_sub(b'a'));
    let (state, has_token) = (pick(&State::ALL, *state), pick(&HAS_TOKEN, *state));
    wait_for(async {
        let mut browser = Browser::new(state).await;
        let mut sent = Vec::new();
        if has_token {
            sent = format!("form_token={}&", browser.form_token()).into_bytes();
        }
        sent.extend_from_slice(body);
        let request = Request::post(path)
            .header(HOST, AUTHORITY)
            .header(ORIGIN, format!("http://{AUTHORITY}"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, browser.cookie_header())
            .body(Body::from(sent))
            .expect("a request");
        let mut next = exchange(&mut browser, request).await;
        let done = next.is_some();
        // What was kept is shown on the page that follows.
        for _ in 0..2 {
            let Some(path) = next else { break };
            let request = Request::get(path)
                .header(HOST, AUTHORITY)
                .header(COOKIE, browser.cookie_header())
                .body(Body::empty())
                .expect("a request");
            next = exchange(&mut browser, request).await;
        }
        Reached::accepted(done)
    })
}

/// No request at all makes the portal panic or answer with a server error (I-34).
///
/// The first byte says how far the browser has come, the rest of the first line is method and target; each further
/// line is a header.
#[must_use]
pub fn portal_requests(data: &[u8]) -> Reached {
    let Some((state, rest)) = data.split_first() else {
        return Reached::Refused;
    };
    let mut lines = rest.split(|b| *b == b'\n');
    let first = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let Some((method, target)) = first.and_then(|line| line.split_once(' ')) else {
        return Reached::Refused;
    };
    let Ok(mut request) = Request::builder().method(method).uri(target).body(Body::empty()) else {
        return Reached::Refused;
    };
    wait_for(async {
        let mut browser = Browser::new(pick(&State::ALL, *state)).await;
        let headers = request.headers_mut();
        headers.append(HOST, HeaderValue::from_static(AUTHORITY));
        headers.append(COOKIE, browser.cookie_header());
        add_lines(headers, lines);
        let next = exchange(&mut browser, request).await;
        Reached::accepted(next.is_some())
    })
}

/// One of `all`, each for its share of the bytes.
fn pick<T: Copy, const N: usize>(all: &[T; N], byte: u8) -> T {
    const { assert!(N > 0) };
    let at = usize::from(byte).checked_rem(N).and_then(|at| all.get(at));
    *at.expect("there is one")
}

/// Adds typed headers; one that the browser sends already replaces it.
fn add_lines<'a>(headers: &mut HeaderMap, lines: impl Iterator<Item = &'a [u8]>) {
    for line in lines.take(32) {
        let mut halves = line.splitn(2, |b| *b == b':');
        let name = halves.next().and_then(|name| HeaderName::from_bytes(name).ok());
        let value = halves
            .next()
            .and_then(|value| HeaderValue::from_bytes(value.trim_ascii()).ok());
        if let (Some(name), Some(value)) = (name, value) {
            if name == HOST {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
    }
}

/// Sends a request, checks the answer, keeps its cookies, and tells where it leads.
async fn exchange(browser: &mut Browser, mut request: Request<Body>) -> Option<String> {
    let asked = format!("{} {}", request.method(), request.uri());
    request.extensions_mut().insert(ConnectInfo(peer()));
    let response = match browser.router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    assert!(response.status().as_u16() < 500, "{asked}: {}", response.status());
    for line in response.headers().get_all(SET_COOKIE) {
        keep(browser, line, &asked);
    }
    let next = destination(&response, &asked);
    let (parts, body) = response.into_parts();
    let page = to_bytes(body, PAGE_LIMIT)
        .await
        .expect("a page of sensible length");
    let kind = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("text/html")) {
        assert!(parts.headers.contains_key(CONTENT_SECURITY_POLICY), "{asked}");
        let page = std::str::from_utf8(&page).expect("pages are UTF-8");
        // No element of ours begins so: it would be what somebody typed.
        assert!(!page.contains("<z"), "{asked}: typed markup stands in the page");
    }
    next
}

fn keep(browser: &mut Browser, line: &HeaderValue, asked: &str) {
    let line = line.to_str().expect("cookies are ASCII");
    let (name, rest) = line.split_once('=').expect("name and value");
    let (value, attributes) = rest.split_once(';').expect("attributes");
    let cookie = PortalCookie::ALL.into_iter().find(|cookie| cookie.name() == name);
    let cookie = cookie.unwrap_or_else(|| panic!("{asked}: unknown cookie {name}"));
    for needed in ["Path=/", "Secure", "HttpOnly", "SameSite="] {
        assert!(attributes.contains(needed), "{asked}: {name} without {needed}");
    }
    assert!(value.is_empty() || value.len() == 43, "{asked}: {name}");
    browser.put_cookie(cookie, value);
}

/// Where a redirect leads, which is always a path of the portal.
fn destination(response: &Response, asked: &str) -> Option<String> {
    let location = response.headers().get(LOCATION)?;
    let location = location.to_str().expect("locations are ASCII");
    assert!(
        response.status().is_redirection() || response.status() == StatusCode::CREATED,
        "{asked}"
    );
    let second = location.as_bytes().get(1);
    let is_path = location.starts_with('/') && second != Some(&b'/') && second != Some(&b'\\');
    assert!(
        is_path && !location.contains(['\r', '\n']),
        "{asked} leads to {location}"
    );
    Some(location.to_owned())
}
