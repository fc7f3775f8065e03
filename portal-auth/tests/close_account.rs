//! Closing an account: nobody signs in, the address stays claimed, a mailed link and the password bring it back for
//! fourteen days, and then nothing is left of it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::sync::Arc;

use common::watched_store::Mishap;
use common::{DAY, HOUR, MICRO, MINUTE, OTHER_PASSWORD, PASSWORD, VAL, World, address, familiar, stranger};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::{Status, TwoStep};
use portal_auth::error::Denied;
use portal_auth::features::administer::{AdministerRefused, Administrator};
use portal_auth::features::close_account::{AccountRestored, CloseRefused, EraseRefused, RestoreRefused};
use portal_auth::features::register::SubmitOutcome;
use portal_auth::features::sign_in::SignInRefused;
use portal_auth::link::LinkRefused;
use portal_auth::password::Password;
use portal_auth::secret::token::{DeviceToken, LinkToken, SessionToken};
use portal_auth::session::SessionEnd;
use portal_auth::store::AccountStore as _;
use portal_auth::testkit::recording_mailer::tokens_in;
use portal_auth::testkit::rows;
use portal_auth::unit_of_work::{Change, Write};

const WRONG: &str = "Wrong-Password-99";
const KIND: &str = "account-closing";

async fn close(world: &World, session: &SessionToken, password: &str) -> Result<(), Denied<CloseRefused>> {
    let password = Password::new(password);
    let closed = world.auth.close_account(&stranger(1), session, &password).await?;
    assert_eq!(closed.erased_from, world.now().plus(DAY * 14));
    Ok(())
}

/// A person who has closed the account; the link of the mail.
async fn closed(world: &World, email: &str) -> LinkToken {
    world.person(email).await;
    let session = world.session(email).await;
    close(world, &session, PASSWORD).await.unwrap();
    mailed(world, email).await
}

async fn mailed(world: &World, email: &str) -> LinkToken {
    let text = world.latest(email, KIND).await;
    LinkToken::parse(tokens_in(&text)[0]).unwrap()
}

async fn restore(
    world: &World,
    link: &LinkToken,
    password: &str,
) -> Result<AccountRestored, Denied<RestoreRefused>> {
    let password = Password::new(password);
    world.auth.restore_account(&stranger(1), link, &password).await
}

/// Somebody registers the address, from a network of their own.
async fn register_again(world: &World, email: &str, from: u32) {
    let visitor = stranger(from);
    let draft = world.fill_in(&visitor, email, OTHER_PASSWORD, "Ann").await;
    let outcome = world.auth.submit_registration(&visitor, &draft).await.unwrap();
    assert!(matches!(outcome, SubmitOutcome::CheckEmail(_)), "{outcome:?}");
}

fn refused_link<T: std::fmt::Debug>(answer: &Result<T, Denied<RestoreRefused>>) -> LinkRefused {
    match answer {
        Err(Denied::Refused(RestoreRefused::Link(refused))) => *refused,
        other => panic!("{other:?}"),
    }
}

async fn may_not_sign_in(world: &World) {
    let refused = world.try_sign_in(&stranger(9), VAL, PASSWORD).await;
    assert!(
        matches!(refused, Err(Denied::Refused(SignInRefused::NotCorrect))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn closing_signs_everybody_out_lets_nobody_in_and_keeps_the_data() {
    // CHG-5, SES-5, I-07
    let world = World::new();
    world.person(VAL).await;
    let (one, two) = (world.session(VAL).await, world.session(VAL).await);
    let before = world.account(VAL).await;
    close(&world, &one, PASSWORD).await.unwrap();
    for dead in [&one, &two] {
        assert!(matches!(
            world.auth.authenticate(dead).await,
            Err(Denied::Refused(SessionEnd::Revoked))
        ));
    }
    may_not_sign_in(&world).await;
    let after = world.account(VAL).await;
    assert_eq!(after.status, Status::Closed);
    assert_eq!(after.closed_at, Some(world.now()));
    assert_ne!(after.auth_epoch, before.auth_epoch);
    assert_eq!(after.profile, before.profile);
    assert_eq!(world.mails(VAL, KIND).await, 1, "E15");
    assert_eq!(world.audited("account.closed"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn closing_needs_the_password_and_a_proof_of_the_last_five_minutes() {
    // STP-3, THR-6
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let answer = close(&world, &session, "").await;
    assert!(matches!(
        answer,
        Err(Denied::Refused(CloseRefused::PasswordRequired))
    ));
    assert_eq!(world.audited("close.refused"), 0, "an empty field costs nothing");
    let answer = close(&world, &session, WRONG).await;
    assert!(matches!(answer, Err(Denied::Refused(CloseRefused::NotCorrect))));
    assert_eq!(world.audited("close.refused"), 1);
    world.clock.advance(MINUTE * 5 + MICRO);
    let answer = close(&world, &session, PASSWORD).await;
    assert!(matches!(answer, Err(Denied::Refused(CloseRefused::Confirm))));
    world.auth.sign_out(&stranger(1), &session).await.unwrap();
    let answer = close(&world, &session, PASSWORD).await;
    assert!(matches!(
        answer,
        Err(Denied::Refused(CloseRefused::SessionEnded(SessionEnd::Revoked)))
    ));
    assert_eq!(world.account(VAL).await.status, Status::Active);
    assert_eq!(world.mails(VAL, KIND).await, 0);
}

#[tokio::test]
async fn guessing_in_a_stolen_session_costs_like_guessing_at_the_door() {
    // THR-6: the eleventh try waits
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..10 {
        let answer = close(&world, &session, WRONG).await;
        assert!(matches!(answer, Err(Denied::Refused(CloseRefused::NotCorrect))));
    }
    let answer = close(&world, &session, PASSWORD).await;
    assert!(matches!(answer, Err(Denied::TooManyTries { .. })), "{answer:?}");
}

#[tokio::test]
async fn half_done_sign_ins_and_reset_links_of_before_are_dead() {
    // SES-5
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let half = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    close(&world, &session, PASSWORD).await.unwrap();
    assert!(
        world
            .auth
            .verify_code(&stranger(1), &half.challenge, &code, None)
            .await
            .is_err()
    );
    let link = mailed(&world, VAL).await;
    restore(&world, &link, PASSWORD).await.unwrap();
    let again = world
        .auth
        .verify_code(&stranger(1), &half.challenge, &code, None)
        .await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(world.account(VAL).await.two_step, TwoStep::Email);
}

#[tokio::test]
async fn the_link_and_the_password_bring_everything_back_and_open_no_session() {
    // CHG-5, I-16 of one change
    let world = World::new();
    let link = closed(&world, VAL).await;
    let before = world.account(VAL).await;
    world.clock.advance(DAY * 3);
    let page = world.auth.restore_page(&link).await.unwrap();
    assert_eq!(page.tries_left, 5);
    assert_eq!(page.erased_from, before.closed_at.unwrap().plus(DAY * 14));
    assert!(!page.masked_email.contains("val@"), "{page:?}");
    let restored = restore(&world, &link, PASSWORD).await.unwrap();
    assert_eq!(restored.email, address(VAL));
    assert!(restored.device.is_some());
    let after = world.account(VAL).await;
    assert_eq!((after.status, after.closed_at), (Status::Active, None));
    assert_ne!(after.auth_epoch, before.auth_epoch);
    assert_eq!(after.id, before.id);
    assert_eq!(after.profile, before.profile);
    assert_eq!(world.audited("account.restored"), 1);
    world.session(VAL).await;
    // The browser that brought it back is familiar: a stranger's noise does not reach it.
    let device = DeviceToken::parse(restored.device.unwrap().expose()).unwrap();
    world.guess_until_closed(&stranger(2), VAL).await;
    let here = world.try_sign_in(&familiar(&device), VAL, PASSWORD).await;
    assert!(here.is_ok(), "{here:?}");
    // Used once.
    assert_eq!(
        refused_link(&restore(&world, &link, PASSWORD).await),
        LinkRefused::Used
    );
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn the_grace_ends_exactly_and_then_nothing_is_left() {
    // CHG-5, ASVS 14.2.7
    let world = World::new();
    let link = closed(&world, VAL).await;
    let id = world.account(VAL).await.id;
    world.clock.advance(DAY * 14 - MICRO);
    world.work().await;
    world.auth.restore_page(&link).await.unwrap();
    world.clock.advance(MICRO);
    let late = restore(&world, &link, PASSWORD).await;
    assert!(matches!(refused_link(&late), LinkRefused::Expired { .. }));
    assert!(world.has_account(VAL).await, "nobody has erased it yet");
    world.work().await;
    assert!(!world.has_account(VAL).await);
    assert_eq!(world.store.by_id(id).await.unwrap(), None);
    assert_eq!(world.store.dossier(id).await.unwrap(), None);
    assert_eq!(world.audited("account.erased"), 1);
    assert_eq!(
        refused_link(&restore(&world, &link, PASSWORD).await),
        LinkRefused::Unknown
    );
    may_not_sign_in(&world).await;
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn whoever_registers_afterwards_inherits_nothing() {
    // CHG-5, I-02
    let world = World::new();
    let link = closed(&world, VAL).await;
    let old = world.account(VAL).await;
    world.clock.advance(DAY * 14);
    world.work().await;
    world.register_from(&stranger(5), VAL, OTHER_PASSWORD).await;
    let activation = world.link(VAL).await;
    world.activate(&activation, OTHER_PASSWORD).await.unwrap();
    let new = world.account(VAL).await;
    assert_ne!(new.id, old.id);
    assert_ne!(new.auth_epoch, old.auth_epoch);
    may_not_sign_in(&world).await;
    assert_eq!(
        refused_link(&restore(&world, &link, PASSWORD).await),
        LinkRefused::Unknown
    );
    let session = match world
        .try_sign_in(&stranger(1), VAL, OTHER_PASSWORD)
        .await
        .unwrap()
    {
        portal_auth::features::sign_in::SignInOutcome::SignedIn(new) => new.session,
        other => panic!("{other:?}"),
    };
    let signed_in = world.auth.authenticate(&session).await.unwrap();
    let told = world.auth.recent_activity(&signed_in).await.unwrap();
    assert!(told.iter().all(|entry| entry.kind.code() != "account.closed"));
}

#[tokio::test]
async fn wrong_passwords_count_on_the_link_and_registering_mails_another_one() {
    // CHG-5, THR-6, I-11
    let world = World::new();
    let link = closed(&world, VAL).await;
    for left in (0..5).rev() {
        let answer = restore(&world, &link, WRONG).await;
        assert!(
            matches!(answer, Err(Denied::Refused(RestoreRefused::NotCorrect { tries_left })) if tries_left == left),
            "{answer:?}"
        );
    }
    assert_eq!(
        refused_link(&restore(&world, &link, PASSWORD).await),
        LinkRefused::Ended
    );
    let empty = restore(&world, &link, "").await;
    assert_eq!(refused_link(&empty), LinkRefused::Ended);
    world.clock.advance(HOUR);
    register_again(&world, VAL, 5).await;
    assert_eq!(world.mails(VAL, KIND).await, 2);
    let another = mailed(&world, VAL).await;
    assert_ne!(another.expose(), link.expose());
    // It ends when the first one would have.
    let closed_at = world.account(VAL).await.closed_at.unwrap();
    let page = world.auth.restore_page(&another).await.unwrap();
    assert_eq!(page.erased_from, closed_at.plus(DAY * 14));
    restore(&world, &another, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_strangers_noise_at_the_door_does_not_keep_the_owner_from_coming_back() {
    // THR-4
    let world = World::new();
    let link = closed(&world, VAL).await;
    world.guess_until_closed(&stranger(2), VAL).await;
    restore(&world, &link, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn an_empty_password_is_not_counted() {
    let world = World::new();
    let link = closed(&world, VAL).await;
    let answer = restore(&world, &link, "").await;
    assert!(matches!(
        answer,
        Err(Denied::Refused(RestoreRefused::PasswordRequired))
    ));
    assert_eq!(world.auth.restore_page(&link).await.unwrap().tries_left, 5);
}

#[tokio::test]
async fn registering_meanwhile_looks_like_every_registration_and_mails_the_same_link_again() {
    // CHG-5, ENU-1
    let world = World::new();
    let link = closed(&world, VAL).await;
    world.clock.advance(DAY);
    register_again(&world, VAL, 5).await;
    register_again(&world, "new@school.example", 6).await;
    assert_eq!(world.mails(VAL, KIND).await, 2);
    assert_eq!(mailed(&world, VAL).await.expose(), link.expose());
    assert_eq!(world.mails(VAL, "already-registered").await, 0);
    assert_eq!(
        world.mails(VAL, "complete-registration").await,
        1,
        "the first one"
    );
    // The address stays claimed: nobody gets an account by it.
    assert_eq!(world.account(VAL).await.status, Status::Closed);
    world.clock.advance(HOUR);
    world.auth.resend_link_to(&stranger(7), VAL).await.unwrap();
    assert_eq!(world.mails(VAL, KIND).await, 3);
    restore(&world, &link, PASSWORD).await.unwrap();
    // An account that is in use again is told of registrations as before.
    world.clock.advance(HOUR);
    register_again(&world, VAL, 8).await;
    assert_eq!(world.mails(VAL, KIND).await, 3);
    assert_eq!(world.mails(VAL, "already-registered").await, 1);
}

#[tokio::test]
async fn a_registration_of_the_grace_does_not_survive_the_erasing() {
    // CHG-5: it would otherwise be completed by whoever has its link
    let world = World::new();
    closed(&world, VAL).await;
    world.clock.advance(DAY * 14 - HOUR);
    register_again(&world, VAL, 5).await;
    world.clock.advance(HOUR);
    world.work().await;
    let view = world.store.by_registrant(&address(VAL)).await.unwrap();
    assert_eq!((view.account, view.waiting), (None, None));
}

#[tokio::test]
async fn a_link_of_another_closing_or_purpose_brings_nothing_back() {
    // TOK-3, I-12
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    world
        .register_from(&stranger(3), "other@school.example", PASSWORD)
        .await;
    let activation = world.link("other@school.example").await;
    assert_eq!(
        refused_link(&restore(&world, &activation, PASSWORD).await),
        LinkRefused::Unknown
    );
    let session = world.session(VAL).await;
    close(&world, &session, PASSWORD).await.unwrap();
    let first = mailed(&world, VAL).await;
    // Closed, back without its link, and closed again: the first link is of the first closing.
    let back = AccountRow {
        status: Status::Active,
        closed_at: None,
        ..world.account(VAL).await
    };
    world.put_account(back).await;
    assert_eq!(
        refused_link(&restore(&world, &first, PASSWORD).await),
        LinkRefused::Ended
    );
    world.clock.advance(DAY);
    let session = world.session(VAL).await;
    close(&world, &session, PASSWORD).await.unwrap();
    assert_eq!(
        refused_link(&restore(&world, &first, PASSWORD).await),
        LinkRefused::Ended
    );
    let second = mailed(&world, VAL).await;
    restore(&world, &second, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn no_administrator_brings_a_closed_account_back() {
    // CHG-5, ADM-1: it comes back by its owner's link and password
    let world = World::new();
    let link = closed(&world, VAL).await;
    let (by, before) = (Administrator::at_the_command_line(), world.account(VAL).await);
    for refused in [
        world.auth.disable_account(&by, &address(VAL)).await,
        world.auth.enable_account(&by, &address(VAL)).await,
    ] {
        assert!(
            matches!(refused, Err(Denied::Refused(AdministerRefused::NotInThisStatus))),
            "{refused:?}"
        );
    }
    assert_eq!(world.account(VAL).await, before);
    restore(&world, &link, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn of_fifty_who_restore_at_once_one_does() {
    // I-11
    let world = Arc::new(World::new());
    let link = closed(&world, VAL).await;
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (world, link) = (Arc::clone(&world), LinkToken::parse(link.expose()).unwrap());
        racers.spawn(async move { restore(&world, &link, PASSWORD).await.is_ok() });
    }
    let won = racers.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
    assert_eq!(world.audited("account.restored"), 1);
}

#[tokio::test]
async fn of_fifty_who_close_at_once_one_does() {
    let world = Arc::new(World::new());
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (world, session) = (Arc::clone(&world), SessionToken::parse(session.expose()).unwrap());
        racers.spawn(async move { close(&world, &session, PASSWORD).await.is_ok() });
    }
    let won = racers.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
    assert_eq!(world.mails(VAL, KIND).await, 1);
}

#[tokio::test]
async fn a_restoring_that_is_written_first_makes_the_erasing_a_conflict() {
    // CHG-5: the version decides, not the clocks of two processes
    let world = World::new();
    closed(&world, VAL).await;
    world.clock.advance(DAY * 14);
    let restored = AccountRow {
        status: Status::Active,
        closed_at: None,
        ..world.account(VAL).await
    };
    let rival = rows::work().change(Change::Account(Box::new(Write::Update(restored))));
    world.store.meet("account.erased", Mishap::Rival(Box::new(rival)));
    world.work().await;
    assert_eq!(world.audited("account.erased"), 0);
    assert_eq!(world.account(VAL).await.status, Status::Active);
    world.session(VAL).await;
}

#[tokio::test]
async fn an_erasing_that_is_written_first_makes_the_restoring_find_nothing() {
    // CHG-5
    let world = Arc::new(World::new());
    let link = closed(&world, VAL).await;
    world.clock.advance(DAY * 14 - MICRO);
    let (clock, (_, background)) = (world.clock.clone(), world.another_process());
    world.store.overtake("account.restored", async move {
        clock.advance(MICRO);
        background.work_once().await.unwrap();
    });
    let late = restore(&world, &link, PASSWORD).await;
    assert_eq!(refused_link(&late), LinkRefused::Unknown);
    assert!(!world.has_account(VAL).await);
    assert_eq!(world.audited("account.restored"), 0);
    assert_eq!(world.audited("account.erased"), 1);
}

#[tokio::test]
async fn conflicts_are_decided_again() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..4 {
        world.store.meet("account.closed", Mishap::Conflict);
        world.store.meet("account.restored", Mishap::Conflict);
    }
    close(&world, &session, PASSWORD).await.unwrap();
    let link = mailed(&world, VAL).await;
    restore(&world, &link, PASSWORD).await.unwrap();
    assert_eq!(world.mails(VAL, KIND).await, 1);
}

#[tokio::test]
async fn a_failure_of_one_erasing_stops_no_other_and_is_tried_again() {
    let world = World::new();
    closed(&world, VAL).await;
    world.clock.advance(MINUTE);
    closed(&world, "kim@school.example").await;
    world.clock.advance(DAY * 14);
    world.store.meet("account.erased", Mishap::LostRequest);
    let (_, background) = world.another_process();
    background.work_once().await.unwrap();
    assert_eq!(world.audited("account.erased"), 1);
    world.clock.advance(MINUTE);
    background.work_once().await.unwrap();
    assert_eq!(world.audited("account.erased"), 2);
    assert!(!world.has_account(VAL).await);
    assert!(!world.has_account("kim@school.example").await);
}

#[tokio::test]
async fn an_operators_purge_erases_too() {
    let world = World::new();
    closed(&world, VAL).await;
    world.clock.advance(DAY * 14);
    let (_, background) = world.another_process();
    background.purge_all().await.unwrap();
    assert!(!world.has_account(VAL).await);
}

#[tokio::test]
async fn an_administrator_erases_at_once_and_audited() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let by = Administrator::at_the_command_line();
    world.auth.erase_account(&by, &address(VAL)).await.unwrap();
    assert!(!world.has_account(VAL).await);
    assert!(matches!(
        world.auth.authenticate(&session).await,
        Err(Denied::Refused(SessionEnd::Revoked))
    ));
    assert_eq!(world.audited("administer.erased"), 1);
    let again = world.auth.erase_account(&by, &address(VAL)).await;
    assert!(matches!(again, Err(Denied::Refused(EraseRefused::NoAccount))));
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_mail_of_a_closing_that_was_taken_back_is_not_sent() {
    // MAIL-8
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    close(&world, &session, PASSWORD).await.unwrap();
    let link = mailed(&world, VAL).await;
    world.clock.advance(HOUR);
    world.auth.resend_link_to(&stranger(7), VAL).await.unwrap();
    restore(&world, &link, PASSWORD).await.unwrap();
    assert_eq!(world.mails(VAL, KIND).await, 1);
}
