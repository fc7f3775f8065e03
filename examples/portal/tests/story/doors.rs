//! What every answer carries.

use axum::http::header::ORIGIN;
use axum::http::{Method, StatusCode};

use crate::rig::{Database, Page, Person, Site};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

fn header<'a>(page: &'a Page, name: &str) -> &'a str {
    let all: Vec<_> = page.headers.get_all(name).iter().collect();
    assert_eq!(all.len(), 1, "{name} on {}", page.path);
    all[0].to_str().unwrap()
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_a_browser_strict() {
    let site = Site::with_inbox(Database::Sqlite);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let pages = [
        "/",
        "/help",
        "/account/login",
        "/account/register/security-details",
        "/account/register/sent",
    ];
    let others = [
        "/no/such/page",
        "/healthz",
        "/account/timed-out",
        "/home",
        "/admin",
        "/dev/mail",
        "/account/complete-registration",
    ];
    for path in pages.iter().chain(&others) {
        let page = jo.ask(Method::GET, path, &[]).await;
        // A4: 3.4.1 to 3.4.8
        assert_eq!(header(&page, "content-security-policy"), POLICY, "{path}");
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
        assert_eq!(header(&page, "x-frame-options"), "DENY");
        assert_eq!(header(&page, "cross-origin-opener-policy"), "same-origin");
        let referrer = if *path == "/account/complete-registration" {
            "no-referrer"
        } else {
            "same-origin"
        };
        assert_eq!(header(&page, "referrer-policy"), referrer, "{path}");
        assert_eq!(header(&page, "cache-control"), "no-store", "WEB-6: {path}");
        assert!(
            page.headers.get("strict-transport-security").is_none(),
            "plain http is for this machine only"
        );
        assert!(page.headers.get("server").is_none());
        // No code inline, nothing from elsewhere.
        assert!(
            !page.body.contains(" style=") && !page.body.contains(" onclick="),
            "{path}"
        );
        for source in page.attributes_of("script, img, link[rel=stylesheet]", "src") {
            assert!(source.starts_with('/'), "{path}: {source}");
        }
    }
    // R1: a first visit loads less than 60 kB.
    let home = jo.open("/").await;
    let mut bytes = home.body.len();
    let mut assets = home.attributes_of("script, img", "src");
    assets.extend(home.attributes_of("link", "href"));
    assets.sort_unstable();
    assets.dedup();
    for asset in &assets {
        let asset = jo.open(asset).await;
        assert_eq!(asset.status, 200, "{}", asset.path);
        assert!(
            header(&asset, "cache-control").contains("immutable"),
            "{}",
            asset.path
        );
        bytes += asset.body.len();
    }
    assert!(bytes < 60 * 1024, "{bytes}");
}

#[tokio::test]
async fn a_page_answers_its_own_methods_to_its_own_origin_only_and_says_what_it_is() {
    // A4: 3.4.2, 4.1.1, 4.1.4
    let site = Site::new(Database::Sqlite);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let stranger = [(ORIGIN, "https://evil.example")];
    for path in [
        "/",
        "/account/login",
        "/account/register/security-details",
        "/account/forgotten-password",
    ] {
        for method in [Method::GET, Method::HEAD] {
            let page = jo.ask(method, path, &stranger).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert_eq!(
                header(&page, "content-type"),
                "text/html; charset=utf-8",
                "{path}"
            );
            let shared = page
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control-"));
            assert!(!shared, "{path}: {:?}", page.headers);
        }
        for method in [
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
            Method::TRACE,
        ] {
            let page = jo.ask(method.clone(), path, &[]).await;
            assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
        let preflight = jo.ask(Method::OPTIONS, path, &stranger).await;
        assert!(
            preflight.headers.get("access-control-allow-origin").is_none(),
            "{path}"
        );
    }
    // What only acts has no page to look at.
    assert_eq!(
        jo.ask(Method::GET, "/account/logout", &[]).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn a_public_portal_is_reached_by_https_only() {
    let mut site = Site::new(Database::Sqlite);
    site.set("PORTAL_BASE_URL", "https://portal.example");
    assert!(site.run(&["keys", "generate"]).status.success());
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let mut request = jo.request(Method::GET, "/", &[]);
    request
        .headers_mut()
        .insert("host", "portal.example".parse().unwrap());
    let page = jo.exchange(request).await;
    assert_eq!(page.status, 200);
    let transport = header(&page, "strict-transport-security");
    assert_eq!(transport, "max-age=63072000; includeSubDomains");
    // Loopback hosts belong to a portal whose base URL is loopback.
    assert_eq!(jo.open("/").await.status, StatusCode::MISDIRECTED_REQUEST);
}
