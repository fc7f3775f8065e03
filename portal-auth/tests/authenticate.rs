//! Every request of a signed-in person: alive to the microsecond, dead to the microsecond, and never lifted.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::{DAY, HOUR, MICRO, MINUTE, OPERATOR, PASSWORD, SECOND, VAL, World, address, stranger};
use portal_auth::account::status::TwoStep;
use portal_auth::config::TwoStepPolicy;
use portal_auth::error::Denied;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::secret::token::SessionToken;
use portal_auth::session::SessionEnd;
use portal_auth::{PortalAuth, SignedIn};

async fn ended(auth: &PortalAuth, session: &SessionToken) -> Option<SessionEnd> {
    match auth.authenticate(session).await {
        Ok(_) => None,
        Err(Denied::Refused(end)) => Some(end),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_of_one_step_ends_where_both_are_demanded_of_everybody() {
    // STP-1, SES-6, ASVS 6.3.3
    let world = World::new();
    world.careful_person(VAL).await;
    let two = world.session_at_two(VAL).await;
    let (lax, _one) = world.process_with(|c| c.two_step = TwoStepPolicy::Off);
    let form = SignInForm::new(VAL, PASSWORD);
    let Ok(SignInOutcome::SignedIn(one)) = lax.sign_in(&stranger(1), form).await else {
        panic!("no code is asked for");
    };
    let (strict, _two) = world.process_with(|c| c.two_step = TwoStepPolicy::RequiredForAll);
    assert_eq!(ended(&strict, &one.session).await, Some(SessionEnd::Revoked));
    assert_eq!(ended(&strict, &two).await, None, "it proved both");
    let (areas, _three) = world.process_with(|c| c.two_step = TwoStepPolicy::RequiredForAreas);
    assert_eq!(ended(&areas, &one.session).await, None, "areas ask by themselves");
}

#[tokio::test]
async fn a_session_dies_after_thirty_idle_minutes_exactly() {
    // SES-3, I-18, P-39
    let world = World::new();
    world.person(VAL).await;
    for (wait, end) in [(MINUTE * 30 - MICRO, None), (MINUTE * 30, Some(SessionEnd::Idle))] {
        let session = world.session(VAL).await;
        world.clock.advance(wait);
        assert_eq!(ended(&world.auth, &session).await, end);
    }
}

#[tokio::test]
async fn a_session_dies_twelve_hours_after_sign_in_whatever_its_activity() {
    // SES-3, I-19, P-39
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..35 {
        world.clock.advance(MINUTE * 20);
        assert_eq!(ended(&world.auth, &session).await, None);
    }
    world.clock.advance(MINUTE * 20 - MICRO);
    assert_eq!(ended(&world.auth, &session).await, None);
    world.clock.advance(MICRO);
    assert_eq!(ended(&world.auth, &session).await, Some(SessionEnd::Absolute));
}

#[tokio::test]
async fn two_processes_agree_on_the_last_activity_to_the_microsecond() {
    // SES-3, I-18: activity that one process has kept for less than a minute
    for (wait, end) in [(MINUTE * 30 - MICRO, None), (MINUTE * 30, Some(SessionEnd::Idle))] {
        let world = World::new();
        world.person(VAL).await;
        let (other, _background) = world.another_process();
        let session = world.session(VAL).await;
        world.clock.advance(SECOND * 50);
        world.store.take_calls();
        assert_eq!(ended(&world.auth, &session).await, None);
        assert!(
            !world.store.take_calls().contains(&"touch_many"),
            "the stamp is young"
        );
        world.clock.advance(SECOND * 10);
        world.work().await;
        assert!(
            world.store.take_calls().contains(&"touch_many"),
            "it is a minute old"
        );
        world.clock.advance(wait - SECOND * 10);
        assert_eq!(ended(&other, &session).await, end);
        assert_eq!(ended(&world.auth, &session).await, end);
    }
}

#[tokio::test]
async fn a_killed_process_may_shorten_a_life_and_never_lengthens_one() {
    // SES-3
    let world = World::new();
    world.person(VAL).await;
    let (other, _background) = world.another_process();
    let session = world.session(VAL).await;
    world.clock.advance(SECOND * 50);
    assert_eq!(ended(&world.auth, &session).await, None);
    // The stamp of this process is never written; the other knows only the sign-in.
    world.clock.advance(MINUTE * 30 - SECOND * 50);
    assert_eq!(ended(&other, &session).await, Some(SessionEnd::Idle));
}

#[tokio::test]
async fn a_page_that_asks_by_itself_keeps_nobody_signed_in() {
    // SES-3
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..29 {
        world.clock.advance(MINUTE);
        world.auth.peek(&session).await.unwrap();
    }
    world.clock.advance(MINUTE);
    assert!(matches!(
        world.auth.peek(&session).await,
        Err(Denied::Refused(SessionEnd::Idle))
    ));
}

#[tokio::test]
async fn a_forged_cookie_costs_no_query() {
    // SES-1, ASVS 7.2.1
    let world = World::new();
    world.store.take_calls();
    let forged = SessionToken::parse(&"A".repeat(43)).unwrap();
    assert_eq!(ended(&world.auth, &forged).await, Some(SessionEnd::Revoked));
    assert!(world.store.take_calls().is_empty());
}

#[tokio::test]
async fn every_request_asks_the_store() {
    // SES-9
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.store.take_calls();
    for _ in 0..3 {
        assert_eq!(ended(&world.auth, &session).await, None);
    }
    assert_eq!(world.store.take_calls(), ["session"; 3]);
}

#[tokio::test]
async fn a_change_of_the_epoch_ends_everything_from_the_first_request_on() {
    // SES-5, I-17, P-38
    for act in ["disable", "end all", "two step"] {
        let world = World::new();
        world.person(VAL).await;
        let (other, _background) = world.another_process();
        let sessions = [world.session(VAL).await, world.session(VAL).await];
        assert_eq!(ended(&other, &sessions[1]).await, None);
        match act {
            "disable" => world
                .auth
                .disable_account(&OPERATOR, &address(VAL))
                .await
                .unwrap(),
            "end all" => world
                .auth
                .end_all_sessions(&OPERATOR, &address(VAL))
                .await
                .unwrap(),
            _ => {
                world
                    .auth
                    .set_two_step(&stranger(1), &sessions[0], TwoStep::Email)
                    .await
                    .unwrap();
            }
        }
        for session in &sessions {
            for auth in [&world.auth, &other] {
                assert_eq!(ended(auth, session).await, Some(SessionEnd::Revoked), "{act}");
            }
        }
    }
}

#[tokio::test]
async fn a_session_from_the_future_is_not_believed() {
    // CLK-2
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.rewind(SECOND * 120);
    assert_eq!(ended(&world.auth, &session).await, None);
    world.clock.rewind(MICRO);
    assert_eq!(ended(&world.auth, &session).await, Some(SessionEnd::Revoked));
}

#[tokio::test]
async fn a_person_sees_what_was_decided_about_the_account() {
    // LOG-1
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE);
    assert!(
        world
            .try_sign_in(&stranger(9), VAL, "Wrong-Password-99")
            .await
            .is_err()
    );
    let signed_in: SignedIn = world.auth.authenticate(&session).await.unwrap();
    let all = world.auth.activity(&signed_in, &[], 10).await.unwrap();
    let kinds: Vec<_> = all.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds[..2], ["sign_in.refused", "sign_in.done"]);
    let some = world
        .auth
        .activity(&signed_in, &["sign_in.done"], 10)
        .await
        .unwrap();
    assert_eq!(some.len(), 1);
    world.clock.advance(DAY + HOUR);
    assert!(ended(&world.auth, &session).await.is_some());
}
