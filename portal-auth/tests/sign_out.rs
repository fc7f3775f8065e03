//! Signing out: this session ends, the others live, and a second time does no harm.

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
use common::{HOUR, VAL, World, familiar, stranger};
use portal_auth::error::Denied;
use portal_auth::secret::token::SessionToken;
use portal_auth::session::SessionEnd;

#[tokio::test]
async fn signing_out_ends_this_session_only() {
    // SES-4, P-37
    let world = World::new();
    world.person(VAL).await;
    let (one, two) = (world.session(VAL).await, world.session(VAL).await);
    for _ in 0..2 {
        world.auth.sign_out(&stranger(1), &one).await.unwrap();
    }
    assert_eq!(world.audited("sign_out.done"), 1);
    assert!(matches!(
        world.auth.authenticate(&one).await,
        Err(Denied::Refused(SessionEnd::Revoked))
    ));
    world.auth.authenticate(&two).await.unwrap();
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn signing_out_of_nothing_is_fine() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(HOUR);
    world.auth.sign_out(&stranger(1), &session).await.unwrap();
    let forged = SessionToken::parse(&"A".repeat(43)).unwrap();
    world.auth.sign_out(&stranger(1), &forged).await.unwrap();
    assert_eq!(world.audited("sign_out.done"), 0);
}

#[tokio::test]
async fn nobody_is_told_that_they_are_out_before_they_are() {
    // SES-4, DB-5
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..4 {
        world.store.meet("sign_out.done", Mishap::Conflict);
    }
    world.auth.sign_out(&stranger(1), &session).await.unwrap();
    let answer = world.auth.authenticate(&session).await;
    assert!(matches!(answer, Err(Denied::Refused(SessionEnd::Revoked))));
    let session = world.session(VAL).await;
    for _ in 0..5 {
        world.store.meet("sign_out.done", Mishap::LostRequest);
    }
    let fault = world.auth.sign_out(&stranger(1), &session).await.unwrap_err();
    assert!(fault.is_transient(), "{fault}");
    world.auth.authenticate(&session).await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_down_is_not_taken_for_signed_out() {
    // DB-5
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.store.set_down(true);
    assert!(world.auth.sign_out(&stranger(1), &session).await.is_err());
    world.store.set_down(false);
    world.auth.authenticate(&session).await.unwrap();
}

#[tokio::test]
async fn the_browser_stays_familiar() {
    // THR-1
    let world = World::new();
    let device = world.person(VAL).await;
    let session = world.signed_in(&familiar(&device), VAL).await.session;
    world.auth.sign_out(&familiar(&device), &session).await.unwrap();
    world.guess_until_closed(&stranger(2), VAL).await;
    world.signed_in(&familiar(&device), VAL).await;
}
