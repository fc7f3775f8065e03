//! What every axum host of `portal-auth` needs and nobody should copy by hand.
//!
//! | Module | What it gives |
//! |---|---|
//! | [`cookies`] | the six cookies, with their exact attributes, read without doubt |
//! | [`client_address`] | whose address a request really comes from, behind trusted proxies |
//! | [`host`] | the hosts under which the portal answers; 421 for every other |
//! | [`request_guard`] | 403 for other sites' requests, and the token that every form carries |
//! | [`form`] | a submitted form, read strictly and decoded once |
//! | [`language_cookie`] | the language a person has chosen |
//! | [`next`] | where to go after signing in, never off the site |
//! | [`security_headers`] | the headers that keep a browser strict |
//! | [`error`] | one answer for everything that is not success |
//! | [`visitor`] | who is calling, as every method of `PortalAuth` asks |
//! | [`session_cookies`] | the cookies of a sign-in, set together |
//! | [`signed_in`] | who is signed in, or the way to the sign-in page |
//! | [`areas`] | areas that ask for the second step |
//! | [`confirmed`] | pages that ask for a fresh proof |
//! | [`doors`] | the host's pages that people are sent to, and their way back |
//!
//! It renders no pages and holds no accounts: what a person may do is decided by `portal-auth` alone.
//!
//! # Example
//!
//! The layers in their order, outermost last, around a form that is answered only when it is genuine:
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::body::Body;
//! use axum::extract::State;
//! use axum::http::{Request, StatusCode};
//! use axum::response::{Html, IntoResponse};
//! use axum::routing::get;
//! use axum::{Router, middleware};
//! use portal_auth::environment::SystemEntropy;
//! use portal_auth_axum::client_address::{TrustedProxies, find_client_address};
//! use portal_auth_axum::cookies::Cookies;
//! use portal_auth_axum::error::Error;
//! use portal_auth_axum::form::Form;
//! use portal_auth_axum::host::{AcceptedHosts, require_accepted_host};
//! use portal_auth_axum::request_guard::{FORM_TOKEN_FIELD, FormCheck, FormGuard, refuse_cross_site};
//! use portal_auth_axum::security_headers::{SecurityHeaders, set_security_headers};
//! use tower::ServiceExt;
//!
//! async fn ask(State(guard): State<FormGuard>, cookies: Cookies) -> Result<impl IntoResponse, Error> {
//!     let issued = guard.issue(&cookies)?;
//!     let token = issued.token();
//!     let page = Html(format!(
//!         r#"<form method=post action=/name><input type=hidden name={FORM_TOKEN_FIELD} value={token}>…"#
//!     ));
//!     Ok((issued, page))
//! }
//!
//! async fn answer(State(guard): State<FormGuard>, cookies: Cookies, mut form: Form) -> impl IntoResponse {
//!     match guard.check(&cookies, form.token()) {
//!         FormCheck::Genuine => (StatusCode::OK, form.take("name")),
//!         FormCheck::Stale => (StatusCode::UNPROCESSABLE_ENTITY, "the form again".to_owned()),
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let base_url = "https://portal.example";
//! let hosts = AcceptedHosts::new(base_url, [])?;
//! let proxies: TrustedProxies = "10.0.0.0/8".parse()?;
//! let headers = SecurityHeaders::for_base_url(base_url);
//! let key_from_keyring = [7; 32];
//!
//! let app = Router::new()
//!     .route("/name", get(ask).post(answer))
//!     .with_state(FormGuard::new(key_from_keyring, Arc::new(SystemEntropy::default())))
//!     .layer(middleware::from_fn(refuse_cross_site))
//!     .layer(middleware::from_fn_with_state(proxies, find_client_address))
//!     .layer(middleware::from_fn_with_state(hosts, require_accepted_host))
//!     .layer(middleware::from_fn_with_state(headers, set_security_headers));
//!
//! let page = Request::get("/name").header("host", "portal.example").body(Body::empty())?;
//! assert_eq!(app.clone().oneshot(page).await?.status(), StatusCode::OK);
//!
//! let poisoned = Request::get("/name").header("host", "evil.example").body(Body::empty())?;
//! assert_eq!(app.oneshot(poisoned).await?.status(), StatusCode::MISDIRECTED_REQUEST);
//! # Ok(())
//! # }
//! ```

pub mod areas;
pub mod client_address;
pub mod confirmed;
pub mod cookies;
pub mod doors;
pub mod error;
pub mod form;
pub mod host;
pub mod language_cookie;
pub mod next;
pub mod request_guard;
pub mod security_headers;
pub mod session_cookies;
pub mod signed_in;
pub mod visitor;

pub use crate::error::Error;
