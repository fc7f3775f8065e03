//! Who is calling, put together from one request, so that no handler passes on a proxy's address by accident.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use portal_auth::secret::token::DeviceToken;
use portal_auth::visitor::Visitor;

use crate::client_address::ClientAddress;
use crate::cookies::{Cookies, PortalCookie};
use crate::language_cookie::chosen_language;

/// The [`Visitor`] of a request, which every outward method of `PortalAuth` asks for.
///
/// Made of the [`ClientAddress`], the device cookie, the language cookie and the `User-Agent`. As an extractor it answers 500 where
/// [`find_client_address`](crate::client_address::find_client_address) is missing. Where the connection has no
/// address, its visitor shares one guessing budget with all others of that kind.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "handlers take the visitor out by pattern"
)]
pub struct VisitorOf(pub Visitor);

impl<S: Sync> FromRequestParts<S> for VisitorOf {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let address = ClientAddress::from_request_parts(parts, state).await?;
        let device = Cookies::read(&parts.headers)
            .get(PortalCookie::Device)
            .and_then(|value| DeviceToken::parse(value.expose()));
        let agent = parts.headers.get(USER_AGENT);
        let visitor = Visitor::unknown()
            .with_device(device)
            .with_language(chosen_language(&parts.headers))
            .with_user_agent(agent.and_then(|line| line.to_str().ok()).unwrap_or_default());
        Ok(Self(match address.ip() {
            Some(ip) => visitor.from_network(ip),
            None => visitor,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::{Body, to_bytes};
    use axum::extract::connect_info::MockConnectInfo;
    use axum::http::{HeaderValue, Request};
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt as _;

    use super::*;
    use crate::client_address::{TrustedProxies, find_client_address};

    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn shows_the_visitor() -> Router {
        Router::new().route(
            "/",
            get(async |VisitorOf(visitor): VisitorOf| {
                let device = visitor.device().map_or("none", DeviceToken::expose);
                format!("{:?} {device} {}", visitor.network(), visitor.label())
            }),
        )
    }

    async fn ask(app: Router, headers: &[(&'static str, &str)]) -> (StatusCode, String) {
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            request.headers_mut().append(*name, value);
        }
        let answer = app.oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn seen(peer: Option<&str>, headers: &[(&'static str, &str)]) -> String {
        let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        let app = shows_the_visitor().layer(middleware::from_fn_with_state(proxies, find_client_address));
        let app = match peer {
            Some(peer) => app.layer(MockConnectInfo(peer.parse::<SocketAddr>().unwrap())),
            None => app,
        };
        ask(app, headers).await.1
    }

    #[tokio::test]
    async fn a_visitor_comes_from_behind_the_proxy_with_its_device_and_browser() {
        // THR-1, THR-5
        let cookie = format!("{}={TOKEN}", PortalCookie::Device.name());
        let headers = [
            ("x-forwarded-for", "198.51.100.7"),
            ("cookie", cookie.as_str()),
            ("user-agent", "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"),
        ];
        assert_eq!(
            seen(Some("10.0.0.1:4711"), &headers).await,
            format!("Some(198.51.100.7) {TOKEN} Firefox on Windows")
        );
        assert!(
            seen(Some("192.0.2.9:4711"), &headers)
                .await
                .starts_with("Some(192.0.2.9) ")
        );
    }

    #[tokio::test]
    async fn what_is_missing_or_doubtful_is_left_out() {
        // THR-5
        assert_eq!(seen(None, &[]).await, "None none An unknown browser");
        let twice = format!("{0}={TOKEN}; {0}={TOKEN}", PortalCookie::Device.name());
        let headers = [
            ("cookie", twice.as_str()),
            ("user-agent", "Firefox/140.0 \u{e9}"),
            ("x-forwarded-for", "198.51.100.7"),
        ];
        assert_eq!(
            seen(None, &headers).await,
            "None none An unknown browser",
            "a header is believed from a trusted connection only"
        );
    }

    #[tokio::test]
    async fn a_host_that_forgot_the_middleware_hears_of_it() {
        // THR-5
        let (status, _) = ask(shows_the_visitor(), &[]).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
