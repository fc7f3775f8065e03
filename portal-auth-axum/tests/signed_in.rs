//! People at a host's doors: anonymous, signed in, timed out, ended from outside, and while the database is gone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a failed step of a test may panic"
)]

mod rig;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Router, middleware};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::{Status, TwoStep};
use portal_auth::config::TwoStepPolicy;
use portal_auth::environment::SystemEntropy;
use portal_auth::session::Level;
use portal_auth::testkit::rows::{self, MICRO};
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::request_guard::{FormCheck, FormGuard};
use portal_auth_axum::signed_in::SignedIn;

use self::rig::{Browser, PASSWORD, Rig};

/// The pages that need a session.
const CLOSED: [&str; 5] = [
    "/account/details",
    "/account/sessions",
    "/areas/open",
    "/areas/send",
    "/areas/invites",
];

fn me() -> String {
    rows::account_id(1).to_string()
}

fn drops_its_session(answer: &rig::Answer) -> bool {
    answer
        .set_cookies()
        .iter()
        .any(|line| line.starts_with("__Host-portal_session=;"))
}

#[tokio::test]
async fn a_stranger_is_sent_to_sign_in_and_then_lands_where_they_wanted() {
    // STP-2, WEB-4
    let rig = Rig::new().await;
    let mut browser = rig.browser();
    for page in CLOSED {
        let refused = browser.opens(&format!("{page}?a=1&b=2")).await;
        let next = format!("{}%3Fa%3D1%26b%3D2", page.replace('/', "%2F"));
        assert_eq!(refused.leads_to(), format!("/account/login?next={next}"));
        assert!(refused.set_cookies().is_empty());
    }
    let refused = browser.opens("/account/details?tab=2").await;
    let answer = browser.signs_in(refused.leads_to()).await;
    assert_eq!(answer.leads_to(), "/account/details?tab=2");
    assert_eq!(browser.opens(answer.leads_to()).await.body, me());
}

#[tokio::test]
async fn a_page_for_everybody_knows_who_is_there_and_refuses_nobody() {
    let rig = Rig::new().await;
    assert_eq!(rig.browser().opens("/maybe").await.body, "nobody");
    let mut browser = rig.signed_in_browser().await;
    assert_eq!(browser.opens("/maybe").await.body, me());
    rig.wait(30);
    let answer = browser.opens("/maybe").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "Idle"));
    assert_eq!(browser.opens("/account/login").await.body, "sign in");
}

#[tokio::test]
async fn signing_in_sets_all_cookies_together_and_makes_older_forms_stale() {
    // WEB-2, SES-2, THR-1
    let rig = Rig::new().await;
    let guard = FormGuard::new([7; 32], Arc::new(SystemEntropy::default()));
    let mut browser = rig.browser();
    browser
        .jar
        .push((PortalCookie::Form.name().into(), "A".repeat(43)));
    browser
        .jar
        .push((PortalCookie::Verify.name().into(), "A".repeat(43)));
    let before = guard.token_for(&browser.cookies()).unwrap();
    browser.signs_in("/account/login").await;
    let names: Vec<_> = browser.jar.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [PortalCookie::Session.name(), PortalCookie::Device.name()]);
    assert_eq!(guard.check(&browser.cookies(), before.as_str()), FormCheck::Stale);

    let first = browser.clone();
    let again = browser.signs_in("/account/login").await;
    assert!(
        !again
            .set_cookies()
            .iter()
            .any(|line| line.contains("portal_device")),
        "a familiar browser keeps its device"
    );
    assert_ne!(browser.jar, first.jar, "every sign-in gives a new token");
    assert_eq!(rig.sessions().await, 1, "the session it replaces is gone");
    let mut first = first;
    let refused = first.opens("/account/details").await;
    assert_eq!(refused.leads_to(), "/account/login?next=%2Faccount%2Fdetails");
}

#[tokio::test]
async fn a_session_lives_until_exactly_thirty_minutes_without_activity() {
    // SES-3, P28
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    rig.clock.advance(Duration::from_secs(1800) - MICRO);
    assert_eq!(browser.opens("/account/details").await.body, me());

    rig.clock.advance(Duration::from_secs(1800));
    for page in CLOSED {
        let refused = browser.clone().opens(&format!("{page}?a=1")).await;
        let next = page.replace('/', "%2F");
        assert_eq!(
            refused.leads_to(),
            format!("/account/timed-out?next={next}%3Fa%3D1")
        );
        assert!(drops_its_session(&refused), "{page}");
    }
    browser.opens("/account/details").await;
    assert!(!browser.holds(PortalCookie::Session.name()));
    assert!(browser.holds(PortalCookie::Device.name()), "THR-1");
    assert_eq!(
        browser.opens("/account/details").await.leads_to(),
        "/account/login?next=%2Faccount%2Fdetails"
    );
}

#[tokio::test]
async fn a_form_that_meets_a_timed_out_session_leads_back_to_its_page() {
    // P28
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    rig.wait(30);
    let refused = browser.submits("/account/details?x=1", "forename=Z").await;
    assert_eq!(refused.leads_to(), "/account/timed-out?next=%2Faccount%2Fdetails");
}

#[tokio::test]
async fn activity_does_not_help_beyond_twelve_hours() {
    // SES-3
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    for _ in 0..24 {
        rig.wait(29);
        assert_eq!(browser.opens("/account/details").await.body, me());
    }
    rig.clock.advance(Duration::from_secs(24 * 60) - MICRO);
    assert_eq!(browser.opens("/account/details").await.body, me());
    rig.clock.advance(MICRO);
    let refused = browser.opens("/account/details").await;
    assert_eq!(refused.leads_to(), "/account/timed-out?next=%2Faccount%2Fdetails");
    assert!(drops_its_session(&refused));
}

#[tokio::test]
async fn a_page_that_asks_by_itself_keeps_nobody_signed_in() {
    // SES-3
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    rig.wait(29);
    assert_eq!(browser.opens("/account/time-left").await.body, "some");
    rig.wait(1);
    let answer = browser.opens("/account/time-left").await;
    assert_eq!(answer.body, "Idle");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(rig.browser().opens("/account/time-left").await.body, "nobody");

    let mut browser = rig.signed_in_browser().await;
    rig.wait(29);
    browser.opens("/account/details").await;
    rig.wait(1);
    assert_eq!(browser.opens("/account/time-left").await.body, "some");
}

#[tokio::test]
async fn a_session_ended_from_outside_leads_to_the_sign_in_page_and_says_nothing_of_time() {
    // SES-5, I-21
    async fn is_ended(browser: &mut Browser) {
        let refused = browser.opens("/account/details").await;
        assert_eq!(refused.leads_to(), "/account/login?next=%2Faccount%2Fdetails");
        assert!(drops_its_session(&refused));
    }

    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    let auth_epoch = rows::epoch(99);
    let moved = AccountRow {
        auth_epoch,
        ..rig.account().await
    };
    rig.change_account(moved).await;
    is_ended(&mut browser).await;

    let mut browser = rig.signed_in_browser().await;
    let disabled = AccountRow {
        status: Status::Disabled,
        ..rig.account().await
    };
    rig.change_account(disabled).await;
    is_ended(&mut browser).await;

    let mut forged = rig.browser();
    let name = PortalCookie::Session.name();
    forged.jar.push((name.into(), "A".repeat(43)));
    let reads = rig.store.session_reads.load(Ordering::SeqCst);
    is_ended(&mut forged).await;
    assert_eq!(
        rig.store.session_reads.load(Ordering::SeqCst),
        reads,
        "a forged token costs no query"
    );
}

#[tokio::test]
async fn logging_out_ends_the_session_and_leaves_the_device() {
    // SES-4, THR-1
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    let mut other_tab = browser.clone();
    browser.submits("/account/logout", "").await;
    assert_eq!(rig.sessions().await, 0);
    assert!(!browser.holds(PortalCookie::Session.name()));
    assert!(browser.holds(PortalCookie::Device.name()));
    let refused = other_tab.opens("/account/details").await;
    assert_eq!(refused.leads_to(), "/account/login?next=%2Faccount%2Fdetails");
}

#[tokio::test]
async fn an_area_invites_whoever_has_not_turned_the_second_step_on() {
    // STP-1, STP-2, P16
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    assert_eq!(browser.opens("/areas/open").await.body, "One");
    let refused = browser.opens("/areas/send?form=3").await;
    assert_eq!(
        refused.leads_to(),
        "/account/two-step-verification?next=%2Fareas%2Fsend%3Fform%3D3"
    );
    assert!(refused.set_cookies().is_empty(), "the session lives on");
    let page = browser.opens("/areas/invites").await;
    assert_eq!(page.status, StatusCode::OK);
    let expected = format!("{} /account/two-step-verification?next=%2Fareas%2Finvites", me());
    assert_eq!(page.body, expected);
}

#[tokio::test]
async fn an_area_takes_a_session_with_both_steps() {
    // STP-1, STP-2
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    rig.lift_session_to(Level::Two).await;
    assert_eq!(browser.opens("/areas/open").await.body, "Two");
    assert_eq!(browser.opens("/areas/send").await.body, "Two");
    assert_eq!(browser.opens("/areas/invites").await.body, "entered");
    assert_eq!(browser.opens("/areas/nested/report").await.body, "report");
}

#[tokio::test]
async fn turning_the_second_step_on_lifts_no_session() {
    // STP-1, SES-6
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    let changed = AccountRow {
        two_step: TwoStep::Email,
        ..rig.account().await
    };
    rig.change_account(changed).await;
    let refused = browser.opens("/areas/send").await;
    assert_eq!(refused.leads_to(), "/account/login?next=%2Fareas%2Fsend");
    assert_eq!(
        browser.opens(refused.leads_to()).await.body,
        "sign in",
        "the sign-in page keeps a session that lacks the code"
    );
    let answer = browser.signs_in(refused.leads_to()).await;
    assert_eq!(answer.body, "code");
    assert!(browser.holds(PortalCookie::Verify.name()));
}

#[tokio::test]
async fn an_area_demands_nothing_where_the_policy_does_not() {
    // STP-2
    for policy in [TwoStepPolicy::Off, TwoStepPolicy::Optional] {
        let rig = Rig::with_policy(policy).await;
        let mut browser = rig.signed_in_browser().await;
        assert_eq!(browser.opens("/areas/send").await.body, "One", "{policy:?}");
        assert_eq!(
            rig.browser().opens("/areas/send").await.status,
            StatusCode::SEE_OTHER
        );
    }
}

#[tokio::test]
async fn a_session_of_before_a_stricter_policy_signs_in_again() {
    // STP-1
    let lax = Rig::with_policy(TwoStepPolicy::Off).await;
    let mut browser = lax.signed_in_browser().await;
    let strict = lax.restarted_with(TwoStepPolicy::RequiredForAll);
    browser.app = strict.app.clone();
    let refused = browser.opens("/areas/open").await;
    assert_eq!(refused.leads_to(), "/account/login?next=%2Fareas%2Fopen");
}

#[tokio::test]
async fn a_nested_area_behind_one_layer_finds_its_whole_way_back() {
    // STP-2
    let rig = Rig::new().await;
    let refused = rig.browser().opens("/areas/nested/report?y=2026").await;
    assert_eq!(
        refused.leads_to(),
        "/account/login?next=%2Fareas%2Fnested%2Freport%3Fy%3D2026"
    );
    let refused = rig.signed_in_browser().await.opens("/areas/nested/report").await;
    assert_eq!(
        refused.leads_to(),
        "/account/two-step-verification?next=%2Fareas%2Fnested%2Freport"
    );
}

#[tokio::test]
async fn a_proof_is_fresh_for_exactly_five_minutes() {
    // STP-3, P32
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    rig.wait(5);
    assert_eq!(browser.opens("/account/sessions").await.body, me());
    rig.clock.advance(MICRO);
    let asked = "/account/confirm-password?next=%2Faccount%2Fsessions";
    assert_eq!(browser.opens("/account/sessions").await.leads_to(), asked);
    let refused = browser.submits("/account/sessions", "end=all").await;
    assert_eq!(refused.leads_to(), asked);
    assert!(refused.set_cookies().is_empty(), "the session lives on");
    assert_eq!(browser.opens("/account/details").await.body, me());

    let old = browser.clone();
    let confirmed = browser
        .submits("/account/confirm-password", &format!("password={PASSWORD}"))
        .await;
    assert_eq!(confirmed.body, "confirmed");
    assert_eq!(browser.opens("/account/sessions").await.body, me());
    let mut old = old;
    assert_eq!(
        old.opens("/account/details").await.status,
        StatusCode::SEE_OTHER,
        "SES-2: the old token is dead"
    );
}

#[tokio::test]
async fn while_the_store_cannot_be_reached_nobody_gets_in_and_nobody_is_signed_out() {
    // DB-5
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    rig.store.unreachable.store(true, Ordering::SeqCst);
    for page in CLOSED
        .into_iter()
        .chain(["/maybe", "/account/time-left", "/areas/nested/report"])
    {
        let answer = browser.opens(page).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{page}");
        assert!(answer.headers.contains_key("retry-after"), "{page}");
        assert!(answer.set_cookies().is_empty(), "{page}");
        assert!(!answer.body.contains("db-7"), "{page}: WEB-8");
    }
    let answer = browser.submits("/account/logout", "").await;
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "it would be untrue that they are signed out"
    );
    assert_eq!(
        rig.browser().opens("/account/details").await.status,
        StatusCode::SEE_OTHER,
        "whoever holds no cookie is known to be nobody"
    );
    rig.store.unreachable.store(false, Ordering::SeqCst);
    assert_eq!(browser.opens("/account/details").await.body, me());
}

#[tokio::test]
async fn a_broken_store_is_not_called_a_passing_trouble() {
    // DB-5, WEB-8
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    rig.store.broken.store(true, Ordering::SeqCst);
    for page in CLOSED.into_iter().chain(["/maybe", "/account/time-left"]) {
        let answer = browser.opens(page).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{page}");
        assert_eq!(answer.body, "There is a problem with the service.\n", "{page}");
        assert!(answer.set_cookies().is_empty(), "{page}");
    }
}

#[tokio::test]
async fn an_activity_that_cannot_be_written_down_lets_nobody_in() {
    // DB-5, SES-3
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    rig.store.read_only.store(true, Ordering::SeqCst);
    rig.wait(1);
    let answer = browser.opens("/account/details").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn one_request_looks_its_session_up_once_and_the_next_one_again() {
    // SES-9
    let rig = Rig::new().await;
    let mut browser = rig.signed_in_browser().await;
    for requests in 1..=3 {
        assert_eq!(browser.opens("/areas/all").await.status, StatusCode::OK);
        assert_eq!(rig.store.session_reads.load(Ordering::SeqCst), requests);
    }
}

#[tokio::test]
async fn a_person_of_one_portal_is_a_stranger_to_another_in_the_same_program() {
    // SES-9
    let (ours, theirs) = (Rig::new().await, Rig::new().await);
    let mut browser = ours.signed_in_browser().await;
    let whoever = async |signed_in: SignedIn| signed_in.person().account().to_string();
    let under_ours = |inner: Router| {
        inner.layer(middleware::from_extractor_with_state::<SignedIn, _>(
            ours.host.clone(),
        ))
    };
    let page = |host: &rig::Host| {
        Router::new()
            .route("/account/details", get(whoever))
            .with_state(host.clone())
    };
    browser.app = under_ours(page(&ours.host));
    assert_eq!(browser.opens("/account/details").await.body, me());
    browser.app = under_ours(page(&theirs.host));
    let refused = browser.opens("/account/details").await;
    assert_eq!(refused.leads_to(), "/account/login?next=%2Faccount%2Fdetails");
}
