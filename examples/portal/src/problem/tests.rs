//! The pages for what went wrong, as the layers around all pages give them.

use axum::Router;
use axum::body::to_bytes;
use axum::http::header::COOKIE;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use portal_auth::environment::SystemEntropy;
use portal_auth_axum::cookies::{CookieValue, Cookies, PortalCookie};
use tower::ServiceExt as _;

use super::*;
use crate::app::always_answered;
use crate::app::tests::fresh_app;
use crate::kept_form::keep_what_was_typed;

async fn text(answer: Response) -> String {
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_page_that_panics_or_hangs_is_answered_and_the_next_one_too() {
    // WEB-8
    let (_folder, app) = fresh_app().await;
    let pages = Router::new()
        .route("/panics", get(|| async { panic!("a secret") as &str }))
        .route("/hangs", get(std::future::pending::<&str>))
        .route("/works", get(|| async { "well" }));
    let pages = always_answered(pages)
        .layer(from_fn_with_state(app.clone(), show_problems))
        .with_state(app);
    tokio::time::pause();
    for (path, status, wait, says) in [
        (
            "/panics",
            StatusCode::INTERNAL_SERVER_ERROR,
            None,
            "There is a problem with the service",
        ),
        (
            "/hangs",
            StatusCode::SERVICE_UNAVAILABLE,
            Some("5"),
            "The service is unavailable",
        ),
        ("/works", StatusCode::OK, None, "well"),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = pages.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let told = answer.headers().get(RETRY_AFTER).map(|v| v.to_str().unwrap());
        assert_eq!(told, wait, "{path}");
        let body = text(answer).await;
        assert!(body.contains(says), "{path}: {body}");
        assert!(!body.contains("a secret"), "{path}: {body}");
    }
}

#[tokio::test]
async fn what_was_typed_is_offered_again_when_something_broke() {
    // P24, R11, R13
    let (_folder, app) = fresh_app().await;
    let value = CookieValue::random(&SystemEntropy::default()).unwrap();
    let cookie = format!("{}={}", PortalCookie::Form.name(), value.expose());
    let cookies = Cookies::default().with(PortalCookie::Form, value);
    let token = app.guard.token_for(&cookies).unwrap();
    let breaks = || async { Fail::from(Fault::permanent("the roof fell in")) };
    let pages = Router::new()
        .route("/account/login", post(breaks))
        .layer(from_fn_with_state(app.clone(), keep_what_was_typed))
        .layer(from_fn_with_state(app.clone(), show_problems))
        .with_state(app);
    let send = async |token: &str| {
        let body = format!("form_token={token}&email=jo%40school.example&password=a+secret");
        let request = Request::post("/account/login")
            .header(COOKIE, &cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body));
        let answer = pages.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        text(answer).await
    };
    let typed = "What you typed is on this page, apart from passwords and answers.";
    let ours = send(token.as_str()).await;
    for fact in [
        typed,
        "<form method=\"post\" action=\"/account/login\" novalidate>",
        "<input type=\"hidden\" name=\"email\" value=\"jo@school.example\">",
        "<input type=\"hidden\" name=\"sealed\" value=\"",
        "this reference: <strong class=\"reference\">",
        "Try again</button>",
    ] {
        assert!(ours.contains(fact), "missing {fact:?} in:\n{ours}");
    }
    assert!(!ours.contains("a secret") && !ours.contains("the roof"), "{ours}");

    let foreign = send(&"A".repeat(43)).await;
    assert!(foreign.contains("this reference: "), "{foreign}");
    assert!(
        !foreign.contains(typed) && !foreign.contains("jo@school"),
        "{foreign}"
    );
}

#[tokio::test]
async fn a_wait_of_a_minute_or_more_says_when_to_come_back() {
    // P24
    let (_folder, app) = fresh_app().await;
    let pages = Router::new()
        .route("/soon", get(|| async { Fail::Busy { seconds: 59 } }))
        .route("/later", get(|| async { Fail::Busy { seconds: 7200 } }))
        .layer(from_fn_with_state(app.clone(), show_problems))
        .with_state(app.clone());
    let open = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        text(pages.clone().oneshot(request).await.unwrap()).await
    };
    let soon = open("/soon").await;
    assert!(soon.contains("We expect to be back in a few minutes."), "{soon}");

    let told = || {
        let now = app.auth.now();
        let back = now.plus(Duration::from_micros(7_259_999_999));
        format!("We expect to be back at {}.", app.local.moment(back, now))
    };
    // A minute may begin while the page is made.
    let (before, later, after) = (told(), open("/later").await, told());
    assert!(later.contains(&before) || later.contains(&after), "{later}");
}

#[test]
fn nobody_is_told_to_come_back_too_early() {
    let now = Timestamp::from_micros(1_777_844_459_999_999);
    let local = portal_auth::local_time::LocalTime::in_zone("Europe/London").unwrap();
    let told = |wait: &str| {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, wait.parse().unwrap())]);
        back_at(&headers, now).map(|back| local.moment(back, now))
    };
    // It is 10:40:59 pm and a bit.
    assert_eq!(told("60").as_deref(), Some("10:42 pm today"));
    assert_eq!(told("61").as_deref(), Some("10:43 pm today"));
    assert_eq!(told("5400").as_deref(), Some("12:11 am on 4 May"));
    for not_told in ["0", "59", "-60", "Fri, 31 Dec 1999 23:59:59 GMT"] {
        assert_eq!(told(not_told), None, "{not_told}");
    }
    assert_eq!(back_at(&HeaderMap::new(), now), None);
}
