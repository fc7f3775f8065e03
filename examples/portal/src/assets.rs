//! The stylesheet, the script and the icon, from the program itself.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

const STYLE: &str = include_str!("../assets/portal.css");
const SCRIPT: &str = include_str!("../assets/portal.js");
const SIGNED_IN_SCRIPT: &str = include_str!("../assets/signed-in.js");
const ICON: &str = include_str!("../assets/favicon.svg");

/// Changes with every asset, so that browsers may keep them for ever: an FNV-1a hash made when the program is built.
const VERSION: u64 = fnv(
    fnv(fnv(fnv(0xcbf2_9ce4_8422_2325, STYLE), SCRIPT), SIGNED_IN_SCRIPT),
    ICON,
);

const fn fnv(mut hash: u64, text: &str) -> u64 {
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        rest = tail;
    }
    hash
}

/// The version that pages put into the addresses of assets.
pub(crate) fn version() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| format!("{VERSION:016x}"))
}

/// The assets' routes.
pub(crate) fn routes() -> Router {
    Router::new()
        .route(
            "/assets/portal.css",
            get(|| async { asset("text/css; charset=utf-8", STYLE) }),
        )
        .route(
            "/assets/portal.js",
            get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }),
        )
        .route(
            "/assets/signed-in.js",
            get(|| async { asset("text/javascript; charset=utf-8", SIGNED_IN_SCRIPT) }),
        )
        .route(
            "/assets/favicon.svg",
            get(|| async { asset("image/svg+xml", ICON) }),
        )
        .route("/favicon.ico", get(|| async { asset("image/svg+xml", ICON) }))
}

fn asset(kind: &'static str, body: &'static str) -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ],
        body,
    )
}
