//! What an administrator may do, and that an account in their hands is dead at once.

mod common;

use common::watched_store::Mishap;
use common::{HOUR, MINUTE, PASSWORD, VAL, World, address, familiar, stranger};
use portal_auth::error::Denied;
use portal_auth::features::administer::AdministerRefused;
use portal_auth::features::sign_in::SignInRefused;

#[tokio::test]
async fn a_disabled_account_is_dead_until_it_is_enabled() {
    // ADM-1, I-07, P-38
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let pending = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    world.auth.disable_account(&address(VAL)).await.unwrap();
    assert!(world.auth.authenticate(&session).await.is_err());
    assert!(
        world
            .auth
            .verify_code(&stranger(1), &pending.challenge, &code, None)
            .await
            .is_err()
    );
    let answer = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(matches!(answer, Err(Denied::Refused(SignInRefused::NotCorrect))));
    assert!(matches!(
        world.auth.disable_account(&address(VAL)).await,
        Err(Denied::Refused(AdministerRefused::NotInThisStatus))
    ));

    world.auth.enable_account(&address(VAL)).await.unwrap();
    assert!(
        world.auth.authenticate(&session).await.is_err(),
        "what died stays dead"
    );
    world.session_at_two(VAL).await;
    assert!(matches!(
        world.auth.enable_account(&address(VAL)).await,
        Err(Denied::Refused(AdministerRefused::NotInThisStatus))
    ));
    assert_eq!(world.audited("administer.disabled"), 1);
    assert_eq!(world.audited("administer.enabled"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_disabled_address_is_still_taken() {
    // I-02, ENU-4
    let world = World::new();
    world.person(VAL).await;
    world.auth.disable_account(&address(VAL)).await.unwrap();
    world.clock.advance(HOUR);
    world.register(VAL, PASSWORD).await;
    assert_eq!(
        world.mails(VAL, "complete-registration").await,
        1,
        "only the first one"
    );
    assert_eq!(world.mails(VAL, "already-registered").await, 1);
}

#[tokio::test]
async fn ending_all_sessions_forgets_the_devices_and_keeps_the_password() {
    // ADM-1, SES-5
    let world = World::new();
    let device = world.person(VAL).await;
    let session = world.session(VAL).await;
    world.auth.end_all_sessions(&address(VAL)).await.unwrap();
    assert!(world.auth.authenticate(&session).await.is_err());
    world.guess_until_closed(&stranger(2), VAL).await;
    let answer = world.try_sign_in(&familiar(&device), VAL, PASSWORD).await;
    assert!(
        matches!(answer, Err(Denied::TooManyTries { .. })),
        "a stranger now: {answer:?}"
    );
    world.clock.advance(MINUTE);
    world.signed_in(&familiar(&device), VAL).await;
    world.guess_until_closed(&stranger(2), VAL).await;
    world.signed_in(&familiar(&device), VAL).await;
}

#[tokio::test]
async fn unlocking_opens_what_guessing_closed() {
    // ADM-1, THR-3
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.guess_until_closed(&stranger(2), VAL).await;
    world.auth.unlock_account(&address(VAL)).await.unwrap();
    world.signed_in(&stranger(1), VAL).await;
    world.auth.authenticate(&session).await.unwrap();
    assert_eq!(world.guess_until_closed(&stranger(2), VAL).await, 10);
}

#[tokio::test]
async fn an_address_without_an_account_is_said_to_have_none() {
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    assert!(world.auth.find_account(&address(VAL)).await.unwrap().is_none());
    let refused = world.auth.unlock_account(&address(VAL)).await;
    assert!(matches!(
        refused,
        Err(Denied::Refused(AdministerRefused::NoAccount))
    ));
}

#[tokio::test]
async fn conflicts_are_decided_again_and_five_of_them_are_busy() {
    let world = World::new();
    world.person(VAL).await;
    for _ in 0..5 {
        world.store.meet("administer.disabled", Mishap::Conflict);
    }
    let busy = world.auth.disable_account(&address(VAL)).await;
    assert!(matches!(busy, Err(Denied::Busy { .. })));
    world.store.meet("administer.disabled", Mishap::Conflict);
    world.auth.disable_account(&address(VAL)).await.unwrap();
    assert_eq!(world.audited("administer.disabled"), 1);
}
