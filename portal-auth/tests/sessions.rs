//! Where the owner is logged in: the list tells no secret, one session or all others end, and nobody else's.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::net::IpAddr;
use std::sync::Arc;

use common::watched_store::Mishap;
use common::{HOUR, MICRO, MINUTE, PASSWORD, SECOND, VAL, World, familiar, stranger};
use portal_auth::account::status::TwoStep;
use portal_auth::error::Denied;
use portal_auth::features::sessions::{EndSessionRefused, SessionEnded, SessionEntry};
use portal_auth::features::sign_in::SignInForm;
use portal_auth::secret::token::SessionToken;
use portal_auth::session::{Level, SessionEnd, SessionHandle};
use portal_auth::visitor::Visitor;

const KIM: &str = "kim@school.example";

async fn list(world: &World, session: &SessionToken) -> Vec<SessionEntry> {
    let signed_in = world.auth.authenticate(session).await.unwrap();
    world.auth.sessions(&signed_in).await.unwrap()
}

async fn end(
    world: &World,
    session: &SessionToken,
    handle: SessionHandle,
) -> Result<SessionEnded, Denied<EndSessionRefused>> {
    world.auth.end_session(&stranger(1), session, handle).await
}

async fn handle_of(world: &World, session: &SessionToken) -> SessionHandle {
    world.auth.authenticate(session).await.unwrap().handle()
}

async fn lives(world: &World, session: &SessionToken) -> bool {
    match world.auth.peek(session).await {
        Ok(_) => true,
        Err(Denied::Refused(SessionEnd::Revoked)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn not_found<T>(answer: &Result<T, Denied<EndSessionRefused>>) -> bool {
    matches!(answer, Err(Denied::Refused(EndSessionRefused::NotFound)))
}

#[tokio::test]
async fn the_list_names_browser_coarse_network_and_times_and_no_token() {
    // SES-7, ASVS 7.5.2
    let world = World::new();
    world.person(VAL).await;
    let phone = Visitor::unknown()
        .from_network(IpAddr::from([203, 0, 113, 7]))
        .with_user_agent("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1");
    let began = world.now();
    let away = world.signed_in(&phone, VAL).await.session;
    world.clock.advance(MINUTE * 2);
    let here = world.session(VAL).await;
    world.clock.advance(SECOND * 30);
    let entries = list(&world, &here).await;
    assert_eq!(entries.len(), 2);
    let (own, other) = (&entries[0], &entries[1]);
    assert!(own.is_this_one && !other.is_this_one);
    assert_eq!(
        own.last_used,
        world.now(),
        "a stamp that is not written yet counts"
    );
    assert_eq!((other.first_used, other.last_used), (began, began));
    assert_eq!(
        (&*other.browser, &*other.network),
        ("Safari on iPhone", "203.0.113.x")
    );
    let told = format!("{entries:?}");
    for token in [&away, &here] {
        assert!(!told.contains(token.expose()));
    }
    assert_ne!(own.handle, other.handle);
}

#[tokio::test]
async fn sessions_that_are_over_are_not_listed() {
    // SES-3
    let world = World::new();
    world.person(VAL).await;
    let old = world.session(VAL).await;
    world.clock.advance(MINUTE * 20);
    let here = world.session(VAL).await;
    world.clock.advance(MINUTE * 10 - MICRO);
    assert_eq!(list(&world, &here).await.len(), 2);
    world.clock.advance(MICRO);
    assert_eq!(list(&world, &here).await.len(), 1);
    assert!(world.auth.authenticate(&old).await.is_err());
}

#[tokio::test]
async fn one_session_ends_and_the_others_go_on() {
    // SES-4, 7.4.1, P-37
    let world = World::new();
    world.person(VAL).await;
    let (lost, other, here) = (
        world.session(VAL).await,
        world.session(VAL).await,
        world.session(VAL).await,
    );
    let handle = handle_of(&world, &lost).await;
    assert!(matches!(
        end(&world, &here, handle).await,
        Ok(SessionEnded::Other)
    ));
    assert!(!lives(&world, &lost).await);
    assert!(lives(&world, &other).await && lives(&world, &here).await);
    assert_eq!(world.audited("sessions.ended"), 1);
    // A second time there is nothing to end, and nothing is audited.
    assert!(not_found(&end(&world, &here, handle).await));
    assert_eq!(world.audited("sessions.ended"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn the_asking_session_can_end_itself() {
    let world = World::new();
    world.person(VAL).await;
    let here = world.session(VAL).await;
    let handle = handle_of(&world, &here).await;
    assert!(matches!(
        end(&world, &here, handle).await,
        Ok(SessionEnded::ThisOne)
    ));
    assert!(!lives(&world, &here).await);
}

#[tokio::test]
async fn a_handle_of_somebody_else_is_no_handle() {
    // I-31, SES-7
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    world.person(KIM).await;
    let (vals, kims) = (world.session(VAL).await, world.session(KIM).await);
    let theirs = handle_of(&world, &vals).await;
    assert!(not_found(&end(&world, &kims, theirs).await));
    assert!(not_found(
        &end(&world, &kims, SessionHandle::from_bytes([9; 16])).await
    ));
    assert!(lives(&world, &vals).await);
    assert_eq!(world.audited("sessions.ended"), 0);
}

#[tokio::test]
async fn ending_needs_a_proof_of_the_last_five_minutes_and_looking_does_not() {
    // STP-3, ASVS 7.5.2
    let world = World::new();
    world.person(VAL).await;
    let (other, here) = (world.session(VAL).await, world.session(VAL).await);
    let handle = handle_of(&world, &other).await;
    world.clock.advance(MINUTE * 5 + MICRO);
    assert_eq!(list(&world, &here).await.len(), 2);
    for refused in [
        end(&world, &here, handle).await.map(|_| ()),
        world
            .auth
            .end_other_sessions(&stranger(1), &here)
            .await
            .map(|_| ()),
    ] {
        assert!(
            matches!(refused, Err(Denied::Refused(EndSessionRefused::Confirm))),
            "{refused:?}"
        );
    }
    assert!(lives(&world, &other).await && lives(&world, &here).await);
}

#[tokio::test]
async fn a_dead_session_ends_nothing() {
    let world = World::new();
    world.person(VAL).await;
    let (dead, other) = (world.session(VAL).await, world.session(VAL).await);
    let handle = handle_of(&world, &other).await;
    world.auth.sign_out(&stranger(1), &dead).await.unwrap();
    let answers = [
        end(&world, &dead, handle).await.map(|_| ()),
        world
            .auth
            .end_other_sessions(&stranger(1), &dead)
            .await
            .map(|_| ()),
    ];
    for answer in answers {
        assert!(matches!(
            answer,
            Err(Denied::Refused(EndSessionRefused::SessionEnded(
                SessionEnd::Revoked
            )))
        ));
    }
    assert!(lives(&world, &other).await);
}

#[tokio::test]
async fn ending_all_others_leaves_this_one_under_a_new_token_with_its_own_times() {
    // SES-2, SES-5, I-17, I-19, I-21, P-36
    let world = World::new();
    world.person(VAL).await;
    let others = [world.session(VAL).await, world.session(VAL).await];
    let old = world.session(VAL).await;
    let before = world.auth.authenticate(&old).await.unwrap();
    world.clock.advance(MINUTE * 3);
    let still = world.auth.end_other_sessions(&stranger(1), &old).await.unwrap();
    for dead in others.iter().chain([&old]) {
        assert!(!lives(&world, dead).await);
    }
    let after = world.auth.authenticate(&still.session).await.unwrap();
    assert_eq!(after.level(), Level::One);
    assert_eq!(after.signed_in_at(), before.signed_in_at());
    assert_eq!(after.expires_at(), before.expires_at());
    assert_eq!(
        after.confirmed_at(),
        before.confirmed_at(),
        "no proof was given, so none got younger"
    );
    assert_ne!(after.handle(), before.handle());
    assert_eq!(list(&world, &still.session).await.len(), 1);
    assert_eq!(world.audited("sessions.others_ended"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn ending_all_others_kills_half_done_sign_ins_and_makes_other_browsers_strange() {
    // SES-5, THR-1
    let world = World::new();
    let own = world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let half = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    let still = world
        .auth
        .end_other_sessions(&familiar(&own), &session)
        .await
        .unwrap();
    assert!(still.device.is_none(), "the browser has a genuine one already");
    assert_eq!(
        world.auth.authenticate(&still.session).await.unwrap().level(),
        Level::Two
    );
    assert!(
        world
            .auth
            .verify_code(&stranger(1), &half.challenge, &code, None)
            .await
            .is_err()
    );
    // This browser has a budget of its own in the new epoch, whatever strangers do.
    world.guess_until_closed(&stranger(2), VAL).await;
    let here = world.try_sign_in(&familiar(&own), VAL, PASSWORD).await;
    assert!(here.is_ok(), "{here:?}");
    let elsewhere = world.try_sign_in(&stranger(3), VAL, PASSWORD).await;
    assert!(matches!(elsewhere, Err(Denied::TooManyTries { .. })));
}

#[tokio::test]
async fn conflicts_are_decided_again_and_a_session_that_ended_meanwhile_stays_dead() {
    let world = World::new();
    world.person(VAL).await;
    let (other, here) = (world.session(VAL).await, world.session(VAL).await);
    let handle = handle_of(&world, &other).await;
    for _ in 0..4 {
        world.store.meet("sessions.ended", Mishap::Conflict);
        world.store.meet("sessions.others_ended", Mishap::Conflict);
    }
    end(&world, &here, handle).await.unwrap();
    let still = world.auth.end_other_sessions(&stranger(1), &here).await.unwrap();
    assert!(lives(&world, &still.session).await && !lives(&world, &here).await);
}

#[tokio::test]
async fn of_many_who_end_one_session_exactly_one_does() {
    let world = Arc::new(World::new());
    world.person(VAL).await;
    let (lost, here) = (world.session(VAL).await, world.session(VAL).await);
    let handle = handle_of(&world, &lost).await;
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (world, here) = (Arc::clone(&world), SessionToken::parse(here.expose()).unwrap());
        racers.spawn(async move { end(&world, &here, handle).await.is_ok() });
    }
    let won = racers.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
    assert_eq!(world.audited("sessions.ended"), 1);
}

#[tokio::test]
async fn the_eleventh_session_ends_the_oldest() {
    // SES-8, ASVS 7.1.2
    let world = World::new();
    world.person(VAL).await;
    let oldest = world.session(VAL).await;
    let mut newest = None;
    for n in 0..10 {
        world.clock.advance(MINUTE);
        let form = SignInForm::new(VAL, PASSWORD);
        world.auth.sign_in(&stranger(n), form).await.unwrap();
        newest = Some(world.session(VAL).await);
    }
    assert!(!lives(&world, &oldest).await);
    assert_eq!(list(&world, &newest.unwrap()).await.len(), 10);
}

#[tokio::test]
async fn a_session_of_before_a_change_is_not_in_the_list() {
    // SES-5
    let world = World::new();
    world.person(VAL).await;
    let here = world.session(VAL).await;
    world.session(VAL).await;
    world
        .auth
        .set_two_step(&stranger(1), &here, TwoStep::Email)
        .await
        .unwrap();
    world.clock.advance(HOUR);
    let fresh = world.session_at_two(VAL).await;
    assert_eq!(list(&world, &fresh).await.len(), 1);
}
