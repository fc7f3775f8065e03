//! A reset without the secret answer waits a day, is told three times, and is taken back in any of three ways.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::time::Duration;

use common::watched_store::Mishap;
use common::{
    ANSWER, DAY, HOUR, MICRO, MINUTE, OPERATOR, OTHER_PASSWORD, PASSWORD, VAL, World, address, familiar,
    stranger,
};
use portal_auth::account::recovery::Paused;
use portal_auth::account::status::TwoStep;
use portal_auth::config::RecoveryFallback;
use portal_auth::error::Denied;
use portal_auth::features::recover_slowly::{RecoverSlowlyRefused, WithoutAnswer};
use portal_auth::features::reset_password::{ResetRefused, ResetStep};
use portal_auth::features::start_reset::StartResetRefused;
use portal_auth::link::LinkRefused;
use portal_auth::secret::token::LinkToken;
use portal_auth::store::AccountStore as _;
use portal_auth::testkit::recording_mailer::tokens_in;
use portal_auth::{NewPassword, TakeBackRefused};

/// Asks for a reset without the answer.
async fn ask(world: &World) -> LinkToken {
    let link = world.reset_link(VAL).await;
    let due_at = world.auth.recover_slowly(&stranger(1), &link).await.unwrap();
    assert_eq!(due_at, world.now().plus(DAY));
    link
}

async fn token_of(world: &World, kind: &str) -> LinkToken {
    let text = world.latest(VAL, kind).await;
    LinkToken::parse(tokens_in(&text)[0]).unwrap()
}

async fn set(world: &World, link: &LinkToken) -> bool {
    let form = NewPassword::new(OTHER_PASSWORD);
    world
        .auth
        .set_new_password(&stranger(1), link, None, &form)
        .await
        .is_ok()
}

/// Nothing waits any more, no further mail comes, and no link of the reset works.
async fn is_over(world: &World, notices: usize) {
    assert_eq!(world.account(VAL).await.recovery.due_at, None);
    let account = world.account(VAL).await;
    assert_eq!(world.auth.recovery_waits(&account).await.unwrap(), None);
    let resets = world.mails(VAL, "reset-password").await;
    world.clock.advance(DAY);
    assert_eq!(world.mails(VAL, "reset-password").await, resets);
    assert_eq!(world.mails(VAL, "recovery-asked").await, notices);
}

#[tokio::test]
async fn after_a_day_of_notices_a_link_comes_that_asks_for_no_answer() {
    // RST-7, P14, E16
    let world = World::new();
    world.person(VAL).await;
    let asked = ask(&world).await;
    let due_at = world.now().plus(DAY);
    let waits = world.auth.without_answer(&asked).await.unwrap();
    assert_eq!(waits, WithoutAnswer::Waits { until: due_at });
    assert_eq!(
        world
            .auth
            .recovery_waits(&world.account(VAL).await)
            .await
            .unwrap(),
        Some(due_at)
    );
    for (wait, notices) in [
        (Duration::ZERO, 1),
        (HOUR - MICRO, 1),
        (MICRO, 2),
        (HOUR * 11 - MICRO, 2),
        (MICRO, 3),
        (HOUR * 12 - MICRO, 3),
    ] {
        world.clock.advance(wait);
        assert_eq!(world.mails(VAL, "recovery-asked").await, notices);
        assert_eq!(world.mails(VAL, "reset-password").await, 1);
    }
    world.clock.advance(MICRO);
    assert_eq!(world.mails(VAL, "reset-password").await, 2);
    let link = token_of(&world, "reset-password").await;
    let page = world.auth.reset_page(&link, None).await.unwrap();
    assert_eq!(page.step, ResetStep::NewPassword);
    assert!(set(&world, &link).await);
    assert!(world.try_sign_in(&stranger(2), VAL, OTHER_PASSWORD).await.is_ok());
    is_over(&world, 3).await;
    assert_eq!(world.audited("recovery.asked"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn the_link_that_opens_late_works_for_a_day() {
    // RST-2
    for (wait, works) in [(DAY - MICRO, true), (DAY, false)] {
        let world = World::new();
        world.person(VAL).await;
        ask(&world).await;
        world.clock.advance(DAY);
        let link = token_of(&world, "reset-password").await;
        world.clock.advance(wait);
        assert_eq!(set(&world, &link).await, works);
    }
}

#[tokio::test]
async fn asking_again_while_one_waits_changes_nothing() {
    let world = World::new();
    world.person(VAL).await;
    ask(&world).await;
    let due_at = world.now().plus(DAY);
    world.clock.advance(HOUR * 2);
    let link = world.reset_link(VAL).await;
    let again = world.auth.recover_slowly(&stranger(1), &link).await.unwrap();
    assert_eq!(again, due_at);
    assert_eq!(world.mails(VAL, "recovery-asked").await, 2);
    assert_eq!(world.audited("recovery.asked"), 1);
}

#[tokio::test]
async fn two_requests_at_once_make_one_wait() {
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let (auth, same) = (world.auth.clone(), LinkToken::parse(link.expose()).unwrap());
    world.store.overtake("recovery.asked", async move {
        auth.recover_slowly(&stranger(2), &same).await.unwrap();
    });
    world.auth.recover_slowly(&stranger(1), &link).await.unwrap();
    assert_eq!(world.audited("recovery.asked"), 1);
    assert_eq!(world.mails(VAL, "recovery-asked").await, 1);
}

#[tokio::test]
async fn any_sign_in_with_the_right_password_takes_it_back() {
    // RST-7
    let world = World::new();
    world.person(VAL).await;
    ask(&world).await;
    world.work().await;
    assert!(
        world
            .try_sign_in(&stranger(5), VAL, "Wrong-Password-99")
            .await
            .is_err()
    );
    assert!(
        world.account(VAL).await.recovery.due_at.is_some(),
        "a wrong one does not"
    );
    world.clock.advance(HOUR * 2);
    world.signed_in(&stranger(6), VAL).await;
    assert_eq!(world.audited("recovery.cancelled"), 1);
    is_over(&world, 1).await;
}

#[tokio::test]
async fn so_it_does_once_the_link_is_out_already() {
    // RST-7
    let world = World::new();
    world.person(VAL).await;
    ask(&world).await;
    world.clock.advance(DAY);
    let link = token_of(&world, "reset-password").await;
    world.signed_in(&stranger(6), VAL).await;
    let refused = world.auth.reset_page(&link, None).await;
    assert!(
        matches!(
            refused,
            Err(Denied::Refused(ResetRefused::Link(LinkRefused::Ended)))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_half_done_sign_in_is_a_right_password_too() {
    let world = World::with(|config| config.recovery.delayed_with_two_step = true);
    world.careful_person(VAL).await;
    ask(&world).await;
    world.half_done(VAL).await;
    assert_eq!(world.account(VAL).await.recovery.due_at, None);
}

#[tokio::test]
async fn every_live_session_can_take_it_back() {
    // RST-7
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    assert!(
        !world
            .auth
            .cancel_recovery_signed_in(&stranger(1), &session)
            .await
            .unwrap()
    );
    ask(&world).await;
    world.store.meet("recovery.cancelled", Mishap::Conflict);
    assert!(
        world
            .auth
            .cancel_recovery_signed_in(&stranger(1), &session)
            .await
            .unwrap()
    );
    assert!(
        !world
            .auth
            .cancel_recovery_signed_in(&stranger(1), &session)
            .await
            .unwrap()
    );
    is_over(&world, 0).await;
    let gone = world.auth.cancel_recovery_signed_in(&stranger(1), &session).await;
    assert!(gone.is_err(), "only a live one: {gone:?}");
}

#[tokio::test]
async fn its_notices_can_take_it_back_by_the_address_that_they_went_to() {
    // RST-7, MAIL-6
    let world = World::new();
    world.person(VAL).await;
    ask(&world).await;
    let link = token_of(&world, "recovery-asked").await;
    let page = world.auth.cancel_recovery_page(&link).await.unwrap();
    assert_eq!(page.due_at, world.now().plus(DAY));
    for (typed, expected) in [
        ("", TakeBackRefused::AddressRequired),
        ("other@school.example", TakeBackRefused::OtherAddress),
        ("no address", TakeBackRefused::OtherAddress),
    ] {
        let refused = world.auth.cancel_recovery(&stranger(1), &link, typed).await;
        assert!(
            matches!(refused, Err(Denied::Refused(r)) if r == expected),
            "{typed}"
        );
    }
    assert!(world.account(VAL).await.recovery.due_at.is_some());
    world
        .auth
        .cancel_recovery(&stranger(1), &link, " VAL@School.Example ")
        .await
        .unwrap();
    is_over(&world, 1).await;
    let again = world.auth.cancel_recovery(&stranger(1), &link, VAL).await;
    assert!(
        matches!(
            again,
            Err(Denied::Refused(TakeBackRefused::Link(LinkRefused::Used)))
        ),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_cancelled_one_can_be_asked_for_anew() {
    let world = World::new();
    world.person(VAL).await;
    ask(&world).await;
    world.signed_in(&stranger(6), VAL).await;
    world.clock.advance(HOUR);
    ask(&world).await;
    world.clock.advance(DAY);
    let link = token_of(&world, "reset-password").await;
    assert!(set(&world, &link).await);
}

#[tokio::test]
async fn a_reset_by_the_answer_ends_it() {
    // RST-7
    let world = World::new();
    world.person(VAL).await;
    let link = ask(&world).await;
    let proof = world
        .auth
        .answer_reset(&stranger(1), &link, ANSWER)
        .await
        .unwrap();
    let form = NewPassword::new(OTHER_PASSWORD);
    world
        .auth
        .set_new_password(&stranger(1), &link, Some(&proof), &form)
        .await
        .unwrap();
    is_over(&world, 0).await;
}

#[tokio::test]
async fn whatever_changes_the_account_ends_it() {
    // SES-5: it carries the epoch
    let world = World::new();
    world.person(VAL).await;
    ask(&world).await;
    world.work().await;
    let cancel = token_of(&world, "recovery-asked").await;
    world
        .auth
        .end_all_sessions(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    let account = world.account(VAL).await;
    assert_eq!(world.auth.recovery_waits(&account).await.unwrap(), None);
    let refused = world.auth.cancel_recovery_page(&cancel).await;
    assert!(
        matches!(refused, Err(Denied::Refused(LinkRefused::Ended))),
        "{refused:?}"
    );
    for wait in [HOUR, HOUR * 11, HOUR * 12] {
        world.clock.advance(wait);
        assert_eq!(world.mails(VAL, "recovery-asked").await, 1);
        assert_eq!(world.mails(VAL, "reset-password").await, 1);
    }
}

#[tokio::test]
async fn it_is_not_offered_where_it_would_weaken_the_account() {
    // RST-7
    async fn refused(world: &World, offered: WithoutAnswer, why: &str) {
        let link = world.reset_link(VAL).await;
        assert_eq!(world.auth.without_answer(&link).await.unwrap(), offered);
        let answer = world.auth.recover_slowly(&stranger(1), &link).await;
        assert!(
            matches!(answer, Err(Denied::Refused(RecoverSlowlyRefused::NotOffered))),
            "{answer:?}"
        );
        let events = world.audit();
        assert_eq!(events.last().unwrap().reason, why);
    }
    let careful = World::new();
    careful.careful_person(VAL).await;
    assert_eq!(careful.account(VAL).await.two_step, TwoStep::Email);
    refused(&careful, WithoutAnswer::Administrator, "recovery.two_step").await;

    for (fallback, offered) in [
        (RecoveryFallback::Administrator, WithoutAnswer::Administrator),
        (RecoveryFallback::None, WithoutAnswer::Nothing),
    ] {
        let world = World::with(|config| config.recovery.fallback = fallback);
        world.person(VAL).await;
        refused(&world, offered, "recovery.not_offered").await;
    }

    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let offered = world.auth.without_answer(&link).await.unwrap();
    assert_eq!(offered, WithoutAnswer::Delayed { delay: DAY });
}

#[tokio::test]
async fn it_does_not_begin_while_the_recovery_is_paused_and_what_waits_goes_on() {
    // ANS-5
    let world = World::with(|config| config.recovery.failures_in_a_row = 1);
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    drop(world.auth.answer_reset(&stranger(1), &link, "wrong answer").await);
    let answer = world.auth.recover_slowly(&stranger(1), &link).await;
    assert!(
        matches!(
            answer,
            Err(Denied::Refused(RecoverSlowlyRefused::Paused(Paused::Until(_))))
        ),
        "{answer:?}"
    );
    world.clock.advance(DAY);
    let link = ask(&world).await;
    drop(world.auth.answer_reset(&stranger(1), &link, "wrong answer").await);
    world.clock.advance(DAY);
    let link = token_of(&world, "reset-password").await;
    assert!(set(&world, &link).await);
}

#[tokio::test]
async fn an_administrators_reset_asks_for_no_answer_and_lifts_every_pause() {
    // ANS-5, ADM-2
    let world = World::with(|config| {
        config.recovery.failures_in_a_row = 1;
        config.recovery.last_pause = 1;
    });
    world.person(VAL).await;
    let old = ask(&world).await;
    drop(world.auth.answer_reset(&stranger(1), &old, "wrong answer").await);
    let paused = world.account(VAL).await.recovery;
    assert_eq!(paused.pauses, 1);
    world.store.meet("reset.started", Mishap::Conflict);
    world
        .auth
        .start_reset_for(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    assert_eq!(
        world.account(VAL).await.recovery,
        portal_auth::account::recovery::Recovery::default()
    );
    let link = token_of(&world, "reset-password").await;
    let replaced = world.auth.reset_page(&old, None).await;
    assert!(
        matches!(
            replaced,
            Err(Denied::Refused(ResetRefused::Link(LinkRefused::Replaced)))
        ),
        "{replaced:?}"
    );
    let text = world.latest(VAL, "reset-password").await;
    assert!(text.contains("An administrator has started"), "{text}");
    let told = world.latest(VAL, "administrator-acted").await;
    assert!(told.contains("A reset of your password was started."), "{told}");
    assert!(
        !told.contains("reset-password"),
        "the link is in the other mail: {told}"
    );
    world.clock.advance(HOUR - MICRO);
    assert!(set(&world, &link).await);
    let event = world
        .audit()
        .into_iter()
        .find(|e| e.kind == "reset.started")
        .unwrap();
    assert_eq!(event.actor, portal_auth::audit::Actor::Administrator);
    // The wait is over as well: nothing more comes of it.
    world.clock.advance(DAY);
    assert_eq!(world.mails(VAL, "reset-password").await, 2);
}

#[tokio::test]
async fn an_administrator_starts_no_reset_for_what_is_not_in_use() {
    let world = World::new();
    let nobody = world.auth.start_reset_for(&OPERATOR, &address(VAL)).await;
    assert!(
        matches!(nobody, Err(Denied::Refused(StartResetRefused::NoAccount))),
        "{nobody:?}"
    );
    world.person(VAL).await;
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    let disabled = world.auth.start_reset_for(&OPERATOR, &address(VAL)).await;
    assert!(
        matches!(disabled, Err(Denied::Refused(StartResetRefused::NotInUse))),
        "{disabled:?}"
    );
}

#[tokio::test]
async fn an_administrator_who_ends_everything_ends_a_reset_that_waits_and_no_login_takes_it_back() {
    // ADM-1, SES-5, RST-7, LOG-1
    let world = World::new();
    world.person(VAL).await;
    ask(&world).await;
    world.work().await;
    world
        .auth
        .end_all_sessions(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    let account = world.account(VAL).await;
    assert_eq!(account.recovery.due_at, None);
    assert_eq!(world.store.live_links(account.id).await.unwrap(), []);
    world.clock.advance(HOUR * 2);
    world.signed_in(&stranger(6), VAL).await;
    assert_eq!(world.audited("recovery.cancelled"), 0, "nothing waited");
    is_over(&world, 1).await;
}

#[tokio::test]
async fn a_reset_in_the_own_browser_of_the_owner_keeps_its_session_out() {
    // RST-4
    let world = World::new();
    let device = world.person(VAL).await;
    let session = world.session(VAL).await;
    ask(&world).await;
    world.clock.advance(DAY);
    let link = token_of(&world, "reset-password").await;
    let form = NewPassword::new(OTHER_PASSWORD);
    world
        .auth
        .set_new_password(&familiar(&device), &link, None, &form)
        .await
        .unwrap();
    assert!(world.auth.authenticate(&session).await.is_err());
    assert!(world.try_sign_in(&stranger(3), VAL, PASSWORD).await.is_err());
    world.clock.advance(MINUTE);
    assert!(world.try_sign_in(&stranger(3), VAL, OTHER_PASSWORD).await.is_ok());
}
