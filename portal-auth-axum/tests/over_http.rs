//! A small portal with every layer in place, driven by raw requests as browsers and attackers send them.

#![expect(clippy::unwrap_used, reason = "a failed step of a test may panic")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use portal_auth::environment::{Entropy, SystemEntropy};
use portal_auth::error::{Denied, Fault};
use portal_auth_axum::client_address::{ClientAddress, TrustedProxies, find_client_address};
use portal_auth_axum::cookies::{CookieValue, Cookies, ForgetPerson, PortalCookie};
use portal_auth_axum::error::Error;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::host::{AcceptedHosts, require_accepted_host};
use portal_auth_axum::next::Next;
use portal_auth_axum::request_guard::{FormCheck, FormGuard, refuse_cross_site};
use portal_auth_axum::security_headers::{SecurityHeaders, TokenPage, set_security_headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

const BASE_URL: &str = "https://portal.example";

fn portal() -> Router {
    portal_drawing_from(Arc::new(SystemEntropy::default()))
}

fn portal_drawing_from(entropy: Arc<dyn Entropy>) -> Router {
    let hosts = AcceptedHosts::new(BASE_URL, ["www.portal.example"]).unwrap();
    let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
    Router::new()
        .route("/login", get(login_page).post(login))
        .route("/logout", post(logout))
        .route("/link", get(async || (TokenPage, Html("link"))))
        .route(
            "/address",
            get(async |address: ClientAddress| format!("{:?}", address.ip())),
        )
        .route("/limited", get(limited))
        .with_state(FormGuard::new([7; 32], entropy))
        .layer(middleware::from_fn(refuse_cross_site))
        .layer(middleware::from_fn_with_state(proxies, find_client_address))
        .layer(middleware::from_fn_with_state(hosts, require_accepted_host))
        .layer(middleware::from_fn_with_state(
            SecurityHeaders::for_base_url(BASE_URL),
            set_security_headers,
        ))
        .layer(MockConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))))
}

async fn login_page(State(guard): State<FormGuard>, cookies: Cookies) -> Result<impl IntoResponse, Error> {
    let issued = guard.issue(&cookies)?;
    let page = Html(issued.token().to_owned());
    Ok((issued, page))
}

async fn login(
    State(guard): State<FormGuard>,
    cookies: Cookies,
    mut form: Form,
) -> Result<Response, FormRejection> {
    form.allow_only(&["email", "password", "next"])?;
    if guard.check(&cookies, form.token()) == FormCheck::Stale {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, form.take("email")).into_response());
    }
    let session = CookieValue::random(&SystemEntropy::default()).unwrap();
    let next = Next::parse(&form.take("next"), &["/account"]);
    let target = next.as_ref().map_or("/", Next::as_str);
    Ok((PortalCookie::Session.set(&session), Redirect::to(target)).into_response())
}

async fn logout(State(guard): State<FormGuard>, cookies: Cookies, form: Form) -> Response {
    match guard.check(&cookies, form.token()) {
        FormCheck::Genuine => (ForgetPerson, Redirect::to("/")).into_response(),
        FormCheck::Stale => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    }
}

async fn limited() -> Result<(), Error> {
    let denied: Denied<()> = Denied::TooManyTries {
        retry_after: Duration::from_secs(90),
    };
    Err(denied.into())
}

/// A browser with nothing but a cookie jar and the page it looks at.
#[derive(Default)]
struct Browser {
    cookies: Vec<(String, String)>,
    token: String,
}

impl Browser {
    async fn opens(&mut self, app: &Router, path: &str) -> (StatusCode, HeaderMap) {
        let request = Request::get(path).header(header::COOKIE, self.jar());
        let answer = send(app, request.body(Body::empty()).unwrap()).await;
        self.keep(&answer.1);
        self.token = answer.2;
        (answer.0, answer.1)
    }

    async fn submits(&mut self, app: &Router, path: &str, fields: &str) -> (StatusCode, HeaderMap, String) {
        let body = format!("form_token={}&{fields}", self.token);
        let answer = send(
            app,
            form_post(path, &body)
                .header(header::COOKIE, self.jar())
                .body(body.into())
                .unwrap(),
        );
        let answer = answer.await;
        self.keep(&answer.1);
        answer
    }

    fn jar(&self) -> String {
        self.cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(held, _)| held != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

fn form_post(path: &str, body: &str) -> axum::http::request::Builder {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, body.len())
}

async fn send(app: &Router, mut request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    if !request.headers().contains_key(header::HOST) {
        request
            .headers_mut()
            .insert(header::HOST, "portal.example".parse().unwrap());
    }
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (
        parts.status,
        parts.headers,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn a_person_signs_in_with_a_form_and_out_with_another() {
    let (app, mut browser) = (portal(), Browser::default());
    assert_eq!(browser.opens(&app, "/login").await.0, StatusCode::OK);
    let (status, headers, _) = browser
        .submits(&app, "/login", "email=a%40b&password=x&next=%2Faccount%3Fa%3D1")
        .await;
    assert_eq!(
        (status, headers[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/account?a=1")
    );

    browser.opens(&app, "/login").await;
    let (status, headers, _) = browser.submits(&app, "/logout", "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers["clear-site-data"], r#""cache","storage""#);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
}

#[tokio::test]
async fn a_page_opened_before_sign_in_gets_the_form_again_with_its_values() {
    // R13, WEB-2: rotated at login.
    let (app, mut browser) = (portal(), Browser::default());
    browser.opens(&app, "/login").await;
    assert_eq!(
        browser.submits(&app, "/login", "email=a").await.0,
        StatusCode::SEE_OTHER
    );
    let (status, headers, body) = browser.submits(&app, "/login", "email=kept").await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "kept")
    );
    assert!(!headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn another_persons_token_has_no_effect() {
    // P-40
    let (app, mut browser, mut attacker) = (portal(), Browser::default(), Browser::default());
    browser.opens(&app, "/login").await;
    attacker.opens(&app, "/login").await;
    browser.token.clone_from(&attacker.token);
    let (status, headers, _) = browser.submits(&app, "/login", "email=a").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn a_genuine_form_sent_by_another_site_is_still_forbidden() {
    // P-40, P-41
    let (app, mut browser) = (portal(), Browser::default());
    browser.opens(&app, "/login").await;
    let body = format!("form_token={}&email=a", browser.token);
    for (name, value, expected) in [
        ("origin", "https://evil.example", StatusCode::FORBIDDEN),
        ("origin", "https://www.portal.example", StatusCode::FORBIDDEN),
        ("sec-fetch-site", "cross-site", StatusCode::FORBIDDEN),
        ("origin", "https://portal.example", StatusCode::SEE_OTHER),
        ("sec-fetch-site", "same-origin", StatusCode::SEE_OTHER),
    ] {
        let request = form_post("/login", &body)
            .header(header::COOKIE, browser.jar())
            .header(name, value);
        let (status, headers, _) = send(&app, request.body(body.clone().into()).unwrap()).await;
        assert_eq!(status, expected, "{name}: {value}");
        assert_eq!(
            headers.contains_key(header::SET_COOKIE),
            expected == StatusCode::SEE_OTHER
        );
    }
}

#[tokio::test]
async fn a_redirect_never_leaves_the_site() {
    // P-42
    for target in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "%2Faccount%2F%252e%252e%2Fx",
    ] {
        let (app, mut browser) = (portal(), Browser::default());
        browser.opens(&app, "/login").await;
        let (status, headers, _) = browser.submits(&app, "/login", &format!("next={target}")).await;
        assert_eq!(
            (status, headers[header::LOCATION].to_str().unwrap()),
            (StatusCode::SEE_OTHER, "/"),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_polluted_form_is_refused_before_its_token_is_looked_at() {
    // P-10
    for (path, body) in [
        ("/login", "email=a&email=b"),
        ("/login?email=a", "email=b"),
        ("/login", "email%5B%5D=a"),
        ("/login", "email=%00"),
        ("/login", "{\"email\":\"a\"}"),
    ] {
        let request = form_post(path, body).body(body.to_owned().into()).unwrap();
        assert_eq!(
            send(&portal(), request).await.0,
            StatusCode::BAD_REQUEST,
            "{path} {body}"
        );
    }
    let flood = "email=".to_owned() + &"x".repeat(5 << 20);
    let streamed = Request::post("/login").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let (status, ..) = send(&portal(), streamed.body(flood.into()).unwrap()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_poisoned_host_gets_no_page() {
    // P-31
    for (host, expected) in [
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("portal.example@evil.example", StatusCode::BAD_REQUEST),
        ("www.portal.example", StatusCode::OK),
    ] {
        let request = Request::get("/login")
            .header(header::HOST, host)
            .header("x-forwarded-host", "portal.example");
        let (status, headers, _) = send(&portal(), request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{host}");
        assert_eq!(
            headers["x-frame-options"], "DENY",
            "refusals carry the headers too"
        );
    }
}

#[tokio::test]
async fn a_handler_learns_the_clients_address_and_not_the_proxys() {
    // THR-5
    let request = Request::get("/address").header("x-forwarded-for", "6.6.6.6, 198.51.100.7");
    let (_, _, body) = send(&portal(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(body, "Some(198.51.100.7)");
}

#[tokio::test]
async fn a_forgotten_middleware_fails_loudly() {
    let app = Router::new().route("/address", get(async |_: ClientAddress| "page"));
    let request = Request::get("/address").body(Body::empty()).unwrap();
    assert_eq!(send(&app, request).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    let app = Router::new()
        .route("/", get(async || "page"))
        .layer(middleware::from_fn(refuse_cross_site));
    let request = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(send(&app, request).await.0, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_page_behind_a_link_and_a_refusal_carry_their_headers() {
    let (_, headers) = Browser::default().opens(&portal(), "/link").await;
    assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
    let (status, headers) = Browser::default().opens(&portal(), "/limited").await;
    assert_eq!(
        (status, &headers[header::RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &"90".parse().unwrap())
    );
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
}

#[derive(Debug)]
struct BrokenEntropy;

impl Entropy for BrokenEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), Fault> {
        Err(Fault::permanent("no randomness"))
    }
}

#[tokio::test]
async fn without_randomness_no_form_is_shown() {
    let app = portal_drawing_from(Arc::new(BrokenEntropy));
    let (status, headers) = Browser::default().opens(&app, "/login").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!headers.contains_key(header::SET_COOKIE));
}

/// Serves the portal on a socket of this machine for one raw request, and gives the status line of the answer.
async fn over_a_socket(request: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let app = portal().into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    server.abort();
    String::from_utf8(answer)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_is_measured_as_a_whole() {
    // LIM-1: no piece is too large by itself, and no length is announced.
    let piece = "x".repeat(4096);
    let head = "POST /login HTTP/1.1\r\nHost: portal.example\r\nConnection: close\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (pieces, status) in [
        (3, "HTTP/1.1 400 Bad Request"),
        (5, "HTTP/1.1 413 Payload Too Large"),
    ] {
        let chunks = format!("1000\r\n{piece}\r\n").repeat(pieces);
        // The short body is whole, and refused only because its one field is unknown.
        assert_eq!(over_a_socket(&format!("{head}{chunks}0\r\n\r\n")).await, status);
    }
}

#[tokio::test]
async fn an_odd_request_line_or_host_line_gets_no_page() {
    // P-31
    for (target, hosts, status) in [
        ("/login", "Host: portal.example\r\n", "HTTP/1.1 200 OK"),
        (
            "https://portal.example/login",
            "Host: portal.example\r\n",
            "HTTP/1.1 200 OK",
        ),
        (
            "http://evil.example/login",
            "Host: portal.example\r\n",
            "HTTP/1.1 421 Misdirected Request",
        ),
        (
            "/login",
            "Host: portal.example\r\nHost: evil.example\r\n",
            "HTTP/1.1 400 Bad Request",
        ),
        ("/login", "Host: \r\n", "HTTP/1.1 400 Bad Request"),
        ("/login", "", "HTTP/1.1 400 Bad Request"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        assert_eq!(over_a_socket(&request).await, status, "{target} {hosts}");
    }
}
