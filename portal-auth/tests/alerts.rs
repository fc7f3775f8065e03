//! Mails about sign-ins the owner may not have made: after many failures, after a right password without its code, and
//! from a browser not seen before.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::watched_store::Mishap;
use common::{DAY, MICRO, MINUTE, PASSWORD, VAL, World, familiar, stranger};
use portal_auth::account::status::TwoStep;
use portal_auth::visitor::Visitor;

const UNUSUAL: &str = "unusual-sign-in";
const NEW_DEVICE: &str = "new-device";

async fn fail(world: &World, from: &Visitor, times: u32) {
    for _ in 0..times {
        let answer = world.try_sign_in(from, VAL, "Wrong-Password-99").await;
        assert!(answer.is_err());
    }
}

#[tokio::test]
async fn a_right_password_after_five_wrong_ones_is_told_and_after_four_is_not() {
    // ASVS 6.3.5, E18
    let world = World::new();
    world.person(VAL).await;
    fail(&world, &stranger(2), 4).await;
    world.session(VAL).await;
    assert_eq!(world.mails(VAL, UNUSUAL).await, 0);
    fail(&world, &stranger(2), 1).await;
    world.session(VAL).await;
    assert_eq!(world.mails(VAL, UNUSUAL).await, 1);
    let text = world.latest(VAL, UNUSUAL).await;
    assert!(text.contains("Browser: Firefox on Windows"), "{text}");
    assert!(text.contains("/account/sessions"));
}

#[tokio::test]
async fn it_is_told_once_a_day() {
    // ASVS 6.3.5: with cooldown
    let world = World::new();
    world.person(VAL).await;
    fail(&world, &stranger(2), 9).await;
    world.session(VAL).await;
    world.session(VAL).await;
    world.clock.advance(DAY - MICRO);
    world.session(VAL).await;
    assert_eq!(world.mails(VAL, UNUSUAL).await, 1);
    world.clock.advance(MICRO);
    world.session(VAL).await;
    assert_eq!(world.mails(VAL, UNUSUAL).await, 2);
}

#[tokio::test]
async fn the_owners_own_browser_is_judged_by_its_own_failures() {
    let world = World::new();
    let device = world.person(VAL).await;
    fail(&world, &stranger(2), 6).await;
    world.signed_in(&familiar(&device), VAL).await;
    assert_eq!(
        world.mails(VAL, UNUSUAL).await,
        0,
        "a stranger's noise is not theirs"
    );
    fail(&world, &familiar(&device), 5).await;
    world.signed_in(&familiar(&device), VAL).await;
    assert_eq!(world.mails(VAL, UNUSUAL).await, 1);
}

#[tokio::test]
async fn a_right_password_whose_code_failed_is_told() {
    // ASVS 6.3.5
    let world = World::new();
    world.careful_person(VAL).await;
    let half = world.half_done(VAL).await;
    let wrong = world.wrong_code(VAL).await;
    for tries in 1..=5 {
        assert_eq!(world.mails(VAL, UNUSUAL).await, 0, "after {tries} tries");
        let answer = world
            .auth
            .verify_code(&stranger(3), &half.challenge, &wrong, None)
            .await;
        assert!(answer.is_err());
    }
    let text = world.latest(VAL, UNUSUAL).await;
    assert!(text.contains("None of them was"), "{text}");
}

#[tokio::test]
async fn where_a_code_is_asked_for_the_right_password_after_failures_is_told_too() {
    let world = World::new();
    world.careful_person(VAL).await;
    fail(&world, &stranger(2), 5).await;
    world.half_done(VAL).await;
    assert_eq!(world.mails(VAL, UNUSUAL).await, 1);
}

#[tokio::test]
async fn a_conflict_in_between_loses_no_mail_and_doubles_none() {
    let world = World::new();
    world.person(VAL).await;
    fail(&world, &stranger(2), 5).await;
    for _ in 0..3 {
        world.store.meet("sign_in.done", Mishap::Conflict);
    }
    world.session(VAL).await;
    assert_eq!(world.mails(VAL, UNUSUAL).await, 1);
}

#[tokio::test]
async fn an_ordinary_sign_in_asks_no_quota() {
    let world = World::new();
    world.person(VAL).await;
    world.store.take_calls();
    world.session(VAL).await;
    assert_eq!(world.store.take_calls(), ["by_email", "charge", "commit"]);
}

#[tokio::test]
async fn new_browsers_are_told_only_where_the_service_says_so() {
    // E12
    let world = World::new();
    world.person(VAL).await;
    world.signed_in(&stranger(4), VAL).await;
    assert_eq!(world.mails(VAL, NEW_DEVICE).await, 0);
}

#[tokio::test]
async fn a_browser_not_seen_before_is_told_once() {
    // E12, ASVS 6.3.5
    let world = World::with(|config| config.alerts.new_device = true);
    let device = world.person(VAL).await;
    world.signed_in(&familiar(&device), VAL).await;
    assert_eq!(
        world.mails(VAL, NEW_DEVICE).await,
        0,
        "activation made it familiar"
    );
    let elsewhere = world.signed_in(&stranger(4), VAL).await.device.unwrap();
    assert_eq!(world.mails(VAL, NEW_DEVICE).await, 1);
    let text = world.latest(VAL, NEW_DEVICE).await;
    assert!(text.contains("Network: 198.51.0.x"), "{text}");
    world.signed_in(&familiar(&elsewhere), VAL).await;
    assert_eq!(world.mails(VAL, NEW_DEVICE).await, 1);
}

#[tokio::test]
async fn a_browser_of_before_a_change_is_not_new_and_the_second_step_tells_as_well() {
    let world = World::with(|config| config.alerts.new_device = true);
    let device = world.person(VAL).await;
    let elsewhere = world.signed_in(&stranger(4), VAL).await;
    assert_eq!(world.mails(VAL, NEW_DEVICE).await, 1);
    let known = elsewhere.device.unwrap();
    world
        .auth
        .set_two_step(&familiar(&device), &elsewhere.session, TwoStep::Email)
        .await
        .unwrap();
    for (visitor, mails) in [(familiar(&known), 1), (stranger(9), 2)] {
        world.clock.advance(MINUTE);
        let sent = match world.try_sign_in(&visitor, VAL, PASSWORD).await.unwrap() {
            portal_auth::features::sign_in::SignInOutcome::CodeSent(sent) => sent,
            other => panic!("{other:?}"),
        };
        let code = world.code(VAL).await;
        world
            .auth
            .verify_code(&visitor, &sent.challenge, &code, None)
            .await
            .unwrap();
        assert_eq!(world.mails(VAL, NEW_DEVICE).await, mails);
    }
}
