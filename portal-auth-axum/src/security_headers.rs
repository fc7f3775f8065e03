//! The headers that keep a browser strict, on every answer.
//!
//! A page needs to do nothing for them. The exceptions are values that a handler returns beside its page:
//! [`TokenPage`] for the page behind a mailed link, and [`PagePolicy`] where one answer needs a policy of its own.

use std::convert::Infallible;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponseParts, Response, ResponseParts};

/// The content policy of every page: everything from here, nothing inline, no frames around it.
pub const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
     object-src 'none'; frame-ancestors 'none'";

/// Which headers a portal sends, as far as that depends on its configuration.
#[derive(Debug, Clone, Copy)]
pub struct SecurityHeaders {
    transport: Option<&'static str>,
}

impl SecurityHeaders {
    /// The headers of a portal at `base_url`.
    ///
    /// Where that is `https`, browsers are told to use nothing else for two years, subdomains included; on plain
    /// `http`, which only a developer's machine may use, they are not.
    #[must_use]
    pub fn for_base_url(base_url: &str) -> Self {
        let secure = url::Url::parse(base_url).is_ok_and(|url| url.scheme() == "https");
        Self {
            transport: secure.then_some("max-age=63072000; includeSubDomains"),
        }
    }
}

/// Marks the page behind a mailed link: it is never cached or indexed and tells no other site its address.
///
/// Return it beside the page: `(TokenPage, page)`.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a marker that handlers write down")]
pub struct TokenPage;

impl IntoResponseParts for TokenPage {
    type Error = Infallible;

    fn into_response_parts(self, mut res: ResponseParts) -> Result<ResponseParts, Self::Error> {
        res.extensions_mut().insert(self);
        Ok(res)
    }
}

/// A content policy for one answer, in place of [`CONTENT_POLICY`].
///
/// # Security
/// This replaces the whole policy. It is a constant, so that nothing a person typed can get into it.
#[derive(Debug, Clone, Copy)]
pub struct PagePolicy {
    policy: &'static str,
    framing: &'static str,
}

impl PagePolicy {
    /// Uses `policy` for this answer, which still cannot be framed.
    #[must_use]
    pub const fn new(policy: &'static str) -> Self {
        Self {
            policy,
            framing: "DENY",
        }
    }

    /// Lets this portal's own pages show the answer in a frame; the policy must say `frame-ancestors 'self'` too.
    #[must_use]
    pub const fn framed_by_this_portal(mut self) -> Self {
        self.framing = "SAMEORIGIN";
        self
    }
}

impl IntoResponseParts for PagePolicy {
    type Error = Infallible;

    fn into_response_parts(self, mut res: ResponseParts) -> Result<ResponseParts, Self::Error> {
        res.extensions_mut().insert(self);
        Ok(res)
    }
}

/// Middleware that sets the headers on every answer, refusals and errors included.
///
/// `Cache-Control: no-store` is set wherever a handler chose nothing, and always on a [`TokenPage`]; the other
/// headers replace what a handler wrote. Make it the outermost layer, so that the answers of the others carry the
/// headers too: `axum::middleware::from_fn_with_state(headers, set_security_headers)`.
pub async fn set_security_headers(
    State(settings): State<SecurityHeaders>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let behind_link = response.extensions().get::<TokenPage>().is_some();
    let page = response
        .extensions()
        .get()
        .copied()
        .unwrap_or(PagePolicy::new(CONTENT_POLICY));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, page.policy);
    set(X_FRAME_OPTIONS, page.framing);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        REFERRER_POLICY,
        if behind_link { "no-referrer" } else { "same-origin" },
    );
    set(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
    set(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
    set(
        PERMISSIONS_POLICY,
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    );
    if let Some(transport) = settings.transport {
        set(STRICT_TRANSPORT_SECURITY, transport);
    }
    if behind_link {
        set(X_ROBOTS_TAG, "noindex");
    }
    if behind_link || !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderMap;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt as _;

    use super::*;

    async fn answer<R: IntoResponse + Clone + Send + Sync + 'static>(base_url: &str, page: R) -> HeaderMap {
        let layer =
            middleware::from_fn_with_state(SecurityHeaders::for_base_url(base_url), set_security_headers);
        let app: Router = Router::new().route("/", get(async move || page)).layer(layer);
        app.oneshot(Request::get("/").body(Body::empty()).unwrap())
            .await
            .unwrap()
            .headers()
            .clone()
    }

    #[tokio::test]
    async fn every_page_carries_exactly_the_documented_headers() {
        // WEB-5, WEB-6
        let headers = answer("https://portal.example", "page").await;
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
            ),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            (
                "permissions-policy",
                "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            ),
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(!headers.contains_key("x-robots-tag"));
        assert!(
            !headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control-"))
        );
    }

    #[tokio::test]
    async fn a_portal_on_plain_http_does_not_ask_for_https() {
        let headers = answer("http://127.0.0.1:8080", "page").await;
        assert!(!headers.contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[tokio::test]
    async fn a_page_behind_a_mailed_link_is_neither_kept_nor_told_about() {
        // TOK-5, P-34
        let headers = answer(
            "https://portal.example",
            (TokenPage, [(CACHE_CONTROL, "public")], "page"),
        )
        .await;
        assert_eq!(headers[REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[X_ROBOTS_TAG], "noindex");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
    }

    #[tokio::test]
    async fn an_asset_says_itself_how_long_it_may_be_kept() {
        let headers = answer(
            "https://portal.example",
            ([(CACHE_CONTROL, "max-age=60")], "body{}"),
        )
        .await;
        assert_eq!(headers[CACHE_CONTROL], "max-age=60");
    }

    #[tokio::test]
    async fn one_answer_can_have_a_policy_of_its_own_but_not_by_accident() {
        let own = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";
        let preview = answer(
            "https://portal.example",
            (PagePolicy::new(own).framed_by_this_portal(), "mail"),
        )
        .await;
        assert_eq!(preview[CONTENT_SECURITY_POLICY], own);
        assert_eq!(preview[X_FRAME_OPTIONS], "SAMEORIGIN");
        let stray = answer(
            "https://portal.example",
            ([(CONTENT_SECURITY_POLICY, "default-src *")], "page"),
        )
        .await;
        assert_eq!(stray[CONTENT_SECURITY_POLICY], CONTENT_POLICY);
        assert_eq!(stray.get_all(CONTENT_SECURITY_POLICY).iter().count(), 1);
    }
}
