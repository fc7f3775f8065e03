//! Choosing another password: the present one and a fresh proof, one commit, everybody else out, and the owner told.

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

use std::sync::Arc;

use common::watched_store::Mishap;
use common::{MICRO, MINUTE, OPERATOR, OTHER_PASSWORD, PASSWORD, VAL, World, address, familiar, stranger};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::environment::Timestamp;
use portal_auth::error::Denied;
use portal_auth::features::change_email::ChangeEmailForm;
use portal_auth::features::change_password::ChangePasswordRefused;
use portal_auth::features::sign_in::SignInOutcome;
use portal_auth::link::LinkState;
use portal_auth::password::Password;
use portal_auth::password::hash::HashParams;
use portal_auth::secret::token::SessionToken;
use portal_auth::session::{Level, SessionEnd};
use portal_auth::store::AccountStore as _;
use portal_auth::testkit::rows;
use portal_auth::unit_of_work::{Change, UnitOfWork, Write};
use portal_auth::visitor::Visitor;
use portal_auth::{NewPassword, RenewedSession};

type Answer = Result<RenewedSession, Denied<ChangePasswordRefused>>;

async fn change_from(
    world: &World,
    from: &Visitor,
    session: &SessionToken,
    current: &str,
    new: &str,
) -> Answer {
    let new = NewPassword::new(new).repeated(new);
    world
        .auth
        .change_password(from, session, &Password::new(current), &new)
        .await
}

async fn change(world: &World, session: &SessionToken, current: &str, new: &str) -> Answer {
    change_from(world, &stranger(1), session, current, new).await
}

async fn is_revoked(world: &World, session: &SessionToken) -> bool {
    matches!(
        world.auth.authenticate(session).await,
        Err(Denied::Refused(SessionEnd::Revoked))
    )
}

fn refused(answer: Answer) -> ChangePasswordRefused {
    match answer {
        Err(Denied::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

/// The codes of a refused form, as `field: reason`.
fn wrong(answer: Answer) -> Vec<String> {
    match refused(answer) {
        ChangePasswordRefused::Form(wrong) => {
            let errors = wrong.errors();
            errors
                .iter()
                .map(|e| format!("{}: {}", e.field, e.reason))
                .collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_new_password_works_the_old_one_does_not_and_the_owner_is_told() {
    // CHG-1, MAIL-6, ASVS 6.2.2
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let epoch = world.account(VAL).await.auth_epoch;
    let renewed = change(&world, &session, PASSWORD, OTHER_PASSWORD).await.unwrap();
    world.auth.authenticate(&renewed.session).await.unwrap();
    assert_ne!(world.account(VAL).await.auth_epoch, epoch);
    assert!(world.try_sign_in(&stranger(2), VAL, PASSWORD).await.is_err());
    let fresh = world.try_sign_in(&stranger(2), VAL, OTHER_PASSWORD).await;
    assert!(matches!(fresh, Ok(SignInOutcome::SignedIn(_))), "{fresh:?}");
    assert_eq!(world.mails(VAL, "password-changed").await, 1);
    let mail = world.latest(VAL, "password-changed").await;
    assert!(
        mail.contains("Firefox on Windows") && mail.contains("/account/not-me?t="),
        "{mail}"
    );
    assert_eq!(world.audited("change_password.done"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn everything_of_the_old_epoch_is_dead_and_the_own_session_goes_on_under_a_new_token() {
    // SES-2, SES-5, I-17, P-38
    let world = World::new();
    let elsewhere = world.person(VAL).await;
    let own = world.session(VAL).await;
    let other = world.signed_in(&familiar(&elsewhere), VAL).await.session;
    let account = world.account(VAL).await;
    let reset = rows::reset_link(7, &account);
    let work = rows::work().change(Change::Link(Box::new(Write::Insert(reset.clone()))));
    world.store.commit(work).await.unwrap();
    let form = ChangeEmailForm::new("new@school.example", PASSWORD);
    world.auth.change_email(&stranger(1), &own, form).await.unwrap();
    let pending = world.link_in("new@school.example", "confirm-email").await;

    let renewed = change(&world, &own, PASSWORD, OTHER_PASSWORD).await.unwrap();

    assert!(is_revoked(&world, &own).await, "the token is a new one");
    assert!(is_revoked(&world, &other).await);
    assert_ne!(renewed.session.expose(), own.expose());
    let person = world.auth.authenticate(&renewed.session).await.unwrap();
    assert_eq!(person.level(), Level::One);
    let reset = world.store.by_link(reset.key).await.unwrap().unwrap().link;
    assert_eq!((reset.state, reset.seed), (LinkState::Void, None));
    assert!(
        world.auth.confirm_email_page(&pending, None).await.is_err(),
        "TOK-3"
    );
    // The browser that changed it is familiar in the new epoch, the other one is not (THR-1).
    let device = renewed.device.unwrap();
    world.guess_until_closed(&stranger(3), VAL).await;
    assert!(
        world
            .try_sign_in(&familiar(&elsewhere), VAL, OTHER_PASSWORD)
            .await
            .is_err()
    );
    world
        .try_sign_in(&familiar(&device), VAL, OTHER_PASSWORD)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_half_done_sign_in_ends_and_a_session_at_level_two_stays_there() {
    // SES-5, P-38, I-21
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    world.clock.advance(MINUTE);
    let pending = world.half_done(VAL).await;
    let renewed = change(&world, &session, PASSWORD, OTHER_PASSWORD).await.unwrap();
    let person = world.auth.authenticate(&renewed.session).await.unwrap();
    assert_eq!(person.level(), Level::Two);
    assert!(
        world
            .auth
            .code_notice(&pending.challenge)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_change_extends_neither_the_session_nor_its_proof() {
    // I-19, STP-3
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let before = world.auth.authenticate(&session).await.unwrap();
    world.clock.advance(MINUTE * 4);
    let renewed = change(&world, &session, PASSWORD, OTHER_PASSWORD).await.unwrap();
    let after = world.auth.authenticate(&renewed.session).await.unwrap();
    assert_eq!(after.confirmed_at(), before.confirmed_at());
    assert_eq!(after.signed_in_at(), before.signed_in_at());
    assert_eq!(after.expires_at(), before.expires_at());
    world.clock.advance(MINUTE + MICRO);
    let again = change(&world, &renewed.session, OTHER_PASSWORD, PASSWORD).await;
    assert_eq!(refused(again), ChangePasswordRefused::Confirm);
}

#[tokio::test]
async fn it_needs_a_fresh_proof_to_the_microsecond() {
    // STP-3
    let world = World::new();
    world.person(VAL).await;
    let (one, two) = (world.session(VAL).await, world.session(VAL).await);
    world.clock.advance(MINUTE * 5 + MICRO);
    assert_eq!(
        refused(change(&world, &one, PASSWORD, OTHER_PASSWORD).await),
        ChangePasswordRefused::Confirm
    );
    world.auth.authenticate(&one).await.unwrap();
    world.clock.rewind(MICRO);
    change(&world, &two, PASSWORD, OTHER_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn everything_wrong_with_the_form_is_told_at_once_and_costs_no_try() {
    // R3, R7, PWD-3, RST-6
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.store.take_calls();
    let new = NewPassword::new("val").repeated("vel");
    let answer = world
        .auth
        .change_password(&stranger(1), &session, &Password::new(""), &new)
        .await;
    assert_eq!(
        wrong(answer),
        [
            "password: password.required",
            "new-password: password.too_short",
            "new-password: password.digits",
            "new-password: password.upper",
            "new-password: password.special",
            "new-password: password.is_username",
            "new-password2: password2.mismatch",
        ]
    );
    assert_eq!(
        wrong(change(&world, &session, PASSWORD, PASSWORD).await),
        ["new-password: password.reused"]
    );
    assert!(!world.store.take_calls().contains(&"charge"));
    // Whether the present password is right shows in none of this.
    assert_eq!(
        wrong(change(&world, &session, "Wrong-Password-99", "Wrong-Password-99").await),
        ["new-password: password.reused"]
    );
}

#[tokio::test]
async fn a_name_of_the_person_is_no_part_of_their_password() {
    // R7, PWD-3
    let world = World::new();
    let draft = world.fill_in(&stranger(1), VAL, PASSWORD, "Valentina").await;
    world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    let link = world.link(VAL).await;
    world.activate(&link, PASSWORD).await.unwrap();
    let session = world.session(VAL).await;
    assert_eq!(
        wrong(change(&world, &session, PASSWORD, "Valen-Tina-1987").await),
        ["new-password: password.context"]
    );
}

#[tokio::test]
async fn a_wrong_present_password_is_charged_like_a_sign_in_and_leaves_the_session_alone() {
    // THR-6, P-19
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE);
    let mut tries = 0;
    let closed = loop {
        match change(&world, &session, "Wrong-Password-99", OTHER_PASSWORD).await {
            Err(Denied::Refused(ChangePasswordRefused::NotCorrect)) => tries += 1,
            other => break other,
        }
    };
    assert!(matches!(closed, Err(Denied::TooManyTries { .. })), "{closed:?}");
    assert_eq!(tries, 10);
    assert_eq!(world.audited("change_password.refused"), tries);
    // One bucket for all doors: the front door is closed too, and the right password gets the same answer (THR-4).
    let front = world.try_sign_in(&stranger(9), VAL, PASSWORD).await;
    assert!(matches!(front, Err(Denied::TooManyTries { .. })), "{front:?}");
    let right = change(&world, &session, PASSWORD, OTHER_PASSWORD).await;
    assert!(matches!(right, Err(Denied::TooManyTries { .. })), "{right:?}");
    world.auth.authenticate(&session).await.unwrap();
    assert_eq!(world.mails(VAL, "too-many-tries").await, 1, "E13");
}

#[tokio::test]
async fn the_owners_browser_pays_from_its_own_budget() {
    // THR-1, I-23
    let world = World::new();
    let device = world.person(VAL).await;
    let session = world.signed_in(&familiar(&device), VAL).await.session;
    world.guess_until_closed(&stranger(3), VAL).await;
    let answer = change_from(&world, &familiar(&device), &session, PASSWORD, OTHER_PASSWORD).await;
    assert!(answer.is_ok(), "{answer:?}");
}

#[tokio::test]
async fn of_many_changes_at_once_one_is_made() {
    // I-17
    let world = Arc::new(World::new());
    world.person(VAL).await;
    let session = Arc::new(world.session(VAL).await);
    let mut racers = tokio::task::JoinSet::new();
    for n in 10..30 {
        let (world, session) = (Arc::clone(&world), Arc::clone(&session));
        racers.spawn(async move {
            let new = format!("Loud-Mountain-{n}");
            let answer = change(&world, &session, PASSWORD, &new).await;
            answer.map(|_| new)
        });
    }
    let answers = racers.join_all().await;
    let won: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    world.try_sign_in(&stranger(2), VAL, &won[0]).await.unwrap();
    assert_eq!(world.mails(VAL, "password-changed").await, 1);
}

#[tokio::test]
async fn a_rehash_in_between_does_not_lose_the_change() {
    // HASH-4
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let (stronger, _background) = world.process_with(|c| c.passwords.hash = HashParams::DEFAULT);
    let rehash = async move {
        let form = portal_auth::features::sign_in::SignInForm::new(VAL, PASSWORD);
        stronger.sign_in(&stranger(4), form).await.unwrap();
    };
    world.store.overtake("change_password.done", rehash);
    change(&world, &session, PASSWORD, OTHER_PASSWORD).await.unwrap();
    world
        .try_sign_in(&stranger(2), VAL, OTHER_PASSWORD)
        .await
        .unwrap();
    assert!(world.try_sign_in(&stranger(2), VAL, PASSWORD).await.is_err());
}

#[tokio::test]
async fn a_reset_in_between_wins() {
    // SES-5: the session whose person asked is dead by then
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let account = world.account(VAL).await;
    let reset = AccountRow {
        auth_epoch: rows::epoch(77),
        password: rows::hash(5),
        ..account
    };
    let rival = rows::work().change(Change::Account(Box::new(Write::Update(reset))));
    world
        .store
        .meet("change_password.done", Mishap::Rival(Box::new(rival)));
    assert_eq!(
        refused(change(&world, &session, PASSWORD, OTHER_PASSWORD).await),
        ChangePasswordRefused::SessionEnded(SessionEnd::Revoked)
    );
    assert_eq!(world.account(VAL).await.password, rows::hash(5));
    assert_eq!(world.mails(VAL, "password-changed").await, 0);
}

#[tokio::test]
async fn conflicts_are_decided_again_and_a_lost_answer_is_found() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..4 {
        world.store.meet("change_password.done", Mishap::Conflict);
    }
    let renewed = change(&world, &session, PASSWORD, OTHER_PASSWORD).await.unwrap();
    world.store.meet("change_password.done", Mishap::LostAnswer);
    let renewed = change(&world, &renewed.session, OTHER_PASSWORD, PASSWORD)
        .await
        .unwrap();
    world.auth.authenticate(&renewed.session).await.unwrap();
    for _ in 0..5 {
        world.store.meet("change_password.done", Mishap::Conflict);
    }
    let busy = change(&world, &renewed.session, PASSWORD, OTHER_PASSWORD).await;
    assert!(matches!(busy, Err(Denied::Busy { .. })), "{busy:?}");
    assert_eq!(world.mails(VAL, "password-changed").await, 2);
}

#[tokio::test]
async fn an_ended_session_and_a_disabled_account_change_nothing() {
    // I-07
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    assert_eq!(
        refused(change(&world, &session, PASSWORD, OTHER_PASSWORD).await),
        ChangePasswordRefused::SessionEnded(SessionEnd::Revoked)
    );
    assert_eq!(world.audited("change_password.refused"), 0);
}

#[tokio::test]
async fn a_reset_that_waited_without_the_answer_waits_no_longer() {
    // RST-7
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let mut account = world.account(VAL).await;
    account.recovery.due_at = Some(Timestamp::from_micros(5));
    account.recovery.answer_failures = 3;
    let work: UnitOfWork = rows::work().change(Change::Account(Box::new(Write::Update(account))));
    world.store.commit(work).await.unwrap();
    change(&world, &session, PASSWORD, OTHER_PASSWORD).await.unwrap();
    let recovery = world.account(VAL).await.recovery;
    assert_eq!((recovery.due_at, recovery.answer_failures), (None, 3));
}
