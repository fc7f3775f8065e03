//! Turning the second step on or off: a fresh proof, everybody signed out, and no session lifted.

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

use common::watched_store::Mishap;
use common::{MICRO, MINUTE, VAL, World, familiar, stranger};
use portal_auth::account::status::TwoStep;
use portal_auth::config::TwoStepPolicy;
use portal_auth::error::Denied;
use portal_auth::features::two_step::{TwoStepOutcome, TwoStepRefused};
use portal_auth::secret::token::SessionToken;
use portal_auth::session::{Level, SessionEnd};

async fn choose(
    world: &World,
    session: &SessionToken,
    choice: TwoStep,
) -> Result<TwoStepOutcome, Denied<TwoStepRefused>> {
    world.auth.set_two_step(&stranger(1), session, choice).await
}

async fn is_revoked(world: &World, session: &SessionToken) -> bool {
    matches!(
        world.auth.authenticate(session).await,
        Err(Denied::Refused(SessionEnd::Revoked))
    )
}

#[tokio::test]
async fn turning_it_on_signs_everybody_out_and_lifts_nobody() {
    // SES-5, SES-6, P-30, I-21
    let world = World::new();
    world.person(VAL).await;
    let (one, two) = (world.session(VAL).await, world.session(VAL).await);
    let outcome = choose(&world, &one, TwoStep::Email).await;
    assert!(
        matches!(outcome, Ok(TwoStepOutcome::Changed { .. })),
        "{outcome:?}"
    );
    assert!(is_revoked(&world, &one).await && is_revoked(&world, &two).await);
    assert_eq!(world.mails(VAL, "two-step-changed").await, 1, "MAIL-6");
    assert_eq!(world.audited("two_step.changed"), 1);
    let fresh = world.session_at_two(VAL).await;
    assert_eq!(world.auth.authenticate(&fresh).await.unwrap().level(), Level::Two);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn it_needs_a_fresh_proof() {
    // STP-3, CHG-4
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE * 5 + MICRO);
    assert!(matches!(
        choose(&world, &session, TwoStep::Email).await,
        Err(Denied::Refused(TwoStepRefused::Confirm))
    ));
    world.auth.authenticate(&session).await.unwrap();
    assert_eq!(world.account(VAL).await.two_step, TwoStep::Off);
    assert!(matches!(
        choose(&world, &session, TwoStep::Off).await,
        Ok(TwoStepOutcome::Unchanged)
    ));
}

#[tokio::test]
async fn turning_it_off_ends_half_done_sign_ins_too() {
    // SES-5, P-38
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let pending = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    choose(&world, &session, TwoStep::Off).await.unwrap();
    assert!(is_revoked(&world, &session).await);
    assert!(
        world
            .auth
            .code_notice(&pending.challenge)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        world
            .auth
            .verify_code(&stranger(1), &pending.challenge, &code, None)
            .await
            .is_err()
    );
    assert_eq!(world.signed_in(&stranger(1), VAL).await.level, Level::One);
}

#[tokio::test]
async fn the_browser_that_chose_stays_familiar_and_others_do_not() {
    // THR-1, SES-5
    let world = World::new();
    let chooser = world.person(VAL).await;
    let elsewhere = world.signed_in(&stranger(5), VAL).await.device.unwrap();
    let session = world.signed_in(&familiar(&chooser), VAL).await.session;
    world
        .auth
        .set_two_step(&familiar(&chooser), &session, TwoStep::Email)
        .await
        .unwrap();
    world.guess_until_closed(&stranger(2), VAL).await;
    let here = world
        .try_sign_in(&familiar(&chooser), VAL, common::PASSWORD)
        .await;
    assert!(here.is_ok(), "{here:?}");
    // The right password there has lifted nothing: the address waits for its own half minute.
    let there = world
        .try_sign_in(&familiar(&elsewhere), VAL, common::PASSWORD)
        .await;
    assert!(matches!(there, Err(Denied::TooManyTries { .. })), "{there:?}");
}

#[tokio::test]
async fn a_service_that_does_not_offer_it_refuses() {
    for policy in [TwoStepPolicy::Off, TwoStepPolicy::RequiredForAll] {
        let world = World::new();
        world.careful_person(VAL).await;
        let session = world.session_at_two(VAL).await;
        let (other, _background) = world.process_with(|c| c.two_step = policy);
        let answer = other.set_two_step(&stranger(1), &session, TwoStep::Off).await;
        assert!(matches!(answer, Err(Denied::Refused(TwoStepRefused::NotOffered))));
    }
}

#[tokio::test]
async fn an_ended_session_changes_nothing_and_conflicts_are_decided_again() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..4 {
        world.store.meet("two_step.changed", Mishap::Conflict);
    }
    choose(&world, &session, TwoStep::Email).await.unwrap();
    let again = choose(&world, &session, TwoStep::Off).await;
    assert!(matches!(
        again,
        Err(Denied::Refused(TwoStepRefused::SessionEnded(SessionEnd::Revoked)))
    ));
    assert_eq!(world.mails(VAL, "two-step-changed").await, 1);
}
