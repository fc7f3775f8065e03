//! Another address: asked for with the password, confirmed from the new mailbox, taken back from the old one.

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
use common::{
    DAY, HOUR, MICRO, MINUTE, OPERATOR, OTHER_PASSWORD, PASSWORD, VAL, World, address, familiar, stranger,
};
use portal_auth::account::status::{Status, TwoStep};
use portal_auth::error::Denied;
use portal_auth::features::change_email::{ChangeEmailForm, ChangeEmailRefused, EmailChangeAsked};
use portal_auth::features::confirm_email::{ConfirmEmailRefused, EmailConfirmed};
use portal_auth::features::sign_in::SignInForm;
use portal_auth::link::{LinkPurpose, LinkRefused};
use portal_auth::mail::outbox::MailStatus;
use portal_auth::password::Password;
use portal_auth::secret::token::{LinkToken, SessionToken};
use portal_auth::session::SessionEnd;
use portal_auth::store::{AccountStore as _, OutboxStore as _};
use portal_auth::{NewPassword, TakeBackRefused};

const NEW: &str = "val@college.example";
const THIEF: &str = "thief@elsewhere.example";
const OTHER: &str = "other@school.example";

type Asked = Result<EmailChangeAsked, Denied<ChangeEmailRefused>>;
type Confirmed = Result<EmailConfirmed, Denied<ConfirmEmailRefused>>;

async fn ask_with(world: &World, session: &SessionToken, email: &str, password: &str) -> Asked {
    let form = ChangeEmailForm::new(email, password).repeated(email);
    world.auth.change_email(&stranger(1), session, form).await
}

async fn ask(world: &World, session: &SessionToken, email: &str) -> EmailChangeAsked {
    ask_with(world, session, email, PASSWORD).await.unwrap()
}

async fn confirm(
    world: &World,
    link: &LinkToken,
    session: Option<&SessionToken>,
    password: &str,
) -> Confirmed {
    world
        .auth
        .confirm_email(&stranger(1), link, session, &Password::new(password))
        .await
}

fn refused<T: std::fmt::Debug, R: std::fmt::Debug>(answer: Result<T, Denied<R>>) -> R {
    match answer {
        Err(Denied::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

async fn is_revoked(world: &World, session: &SessionToken) -> bool {
    matches!(
        world.auth.authenticate(session).await,
        Err(Denied::Refused(SessionEnd::Revoked))
    )
}

/// A person with a session, and a change of address that waits.
async fn asked() -> (World, SessionToken, LinkToken) {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    ask(&world, &session, NEW).await;
    let link = world.link_in(NEW, "confirm-email").await;
    (world, session, link)
}

// ---- asking ----

#[tokio::test]
async fn the_old_address_works_until_the_new_one_is_confirmed() {
    // CHG-2, P-49
    let (world, session, link) = asked().await;
    assert_eq!(world.mails(NEW, "confirm-email").await, 1, "E8");
    assert_eq!(world.mails(VAL, "email-being-changed").await, 1, "E9");
    let notice = world.latest(VAL, "email-being-changed").await;
    assert!(notice.contains("/account/cancel-email-change?t="), "{notice}");
    assert!(!notice.contains(NEW), "masked: {notice}");
    let page = world.auth.confirm_email_page(&link, None).await.unwrap();
    assert_eq!((page.email.as_str(), page.asks_password), (NEW, true));
    world.auth.authenticate(&session).await.unwrap();
    world.try_sign_in(&stranger(2), VAL, PASSWORD).await.unwrap();
    assert!(world.try_sign_in(&stranger(2), NEW, PASSWORD).await.is_err());
    assert_eq!(world.audited("change_email.asked"), 1);
}

#[tokio::test]
async fn it_needs_a_fresh_proof_and_the_password() {
    // STP-3, CHG-2, P-49, THR-6
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE * 5);
    let wrong = ask_with(&world, &session, NEW, OTHER_PASSWORD).await;
    assert_eq!(refused(wrong), ChangeEmailRefused::NotCorrect);
    world.clock.advance(MICRO);
    let stale = ask_with(&world, &session, NEW, PASSWORD).await;
    assert_eq!(refused(stale), ChangeEmailRefused::Confirm);
    assert_eq!(world.mails(NEW, "confirm-email").await, 0);
    assert_eq!(world.mails(VAL, "email-being-changed").await, 0);
    assert_eq!(world.audited("change_email.refused"), 1);
}

#[tokio::test]
async fn wrong_passwords_are_charged_like_a_sign_in() {
    // THR-6, P-19
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..10 {
        let wrong = ask_with(&world, &session, NEW, OTHER_PASSWORD).await;
        assert_eq!(refused(wrong), ChangeEmailRefused::NotCorrect);
    }
    let closed = ask_with(&world, &session, NEW, PASSWORD).await;
    assert!(matches!(closed, Err(Denied::TooManyTries { .. })), "{closed:?}");
    let front = world.try_sign_in(&stranger(9), VAL, PASSWORD).await;
    assert!(matches!(front, Err(Denied::TooManyTries { .. })), "{front:?}");
}

#[tokio::test]
async fn a_taken_address_gets_the_same_answer_and_only_its_owner_is_told() {
    // CHG-3, P-49
    let world = World::new();
    world.person(OTHER).await;
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE);
    world.auth.authenticate(&session).await.unwrap();
    world.store.take_calls();
    let free = ask(&world, &session, NEW).await;
    let calls_for_free = world.store.take_calls();
    world.work().await;
    world.store.take_calls();
    let taken = ask(&world, &session, OTHER).await;
    let calls_for_taken = world.store.take_calls();
    assert_eq!(calls_for_taken, calls_for_free, "the same statements");
    assert_eq!(taken.link_expires_at, free.link_expires_at);
    assert_eq!(world.mails(OTHER, "address-entered").await, 1, "E20");
    assert_eq!(world.mails(OTHER, "confirm-email").await, 0);
    assert_eq!(world.mails(VAL, "email-being-changed").await, 2, "E9 both times");
    let account = world.account(VAL).await;
    let links = world.store.live_links(account.id).await.unwrap();
    assert!(
        links.iter().all(|l| l.address != address(OTHER)),
        "no link for a taken address"
    );
    // What cancels it works as for a free one.
    let cancel = world.link_in(VAL, "email-being-changed").await;
    world
        .auth
        .cancel_email_change(&stranger(1), &cancel, VAL)
        .await
        .unwrap();
}

#[tokio::test]
async fn asking_twice_for_a_taken_address_looks_like_asking_twice_for_a_free_one() {
    // CHG-3
    let world = World::new();
    world.person(OTHER).await;
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    let session = world.session(VAL).await;
    let mut expiries = Vec::new();
    for email in [NEW, OTHER] {
        let first = ask(&world, &session, email).await.link_expires_at;
        let cancel = world.link_in(VAL, "email-being-changed").await;
        world.clock.advance(MINUTE);
        let second = ask(&world, &session, email).await.link_expires_at;
        world.work().await;
        expiries.push(second.since(first));
        let page = world.auth.cancel_email_change_page(&cancel).await;
        assert!(page.is_ok(), "{email}: {page:?}");
    }
    assert_eq!(expiries, [MINUTE, MINUTE]);
    assert_eq!(world.mails(NEW, "confirm-email").await, 2);
    assert_eq!(world.mails(OTHER, "address-entered").await, 2);
}

#[tokio::test]
async fn what_cancels_a_change_that_was_cancelled_is_over_whether_or_not_the_address_is_taken() {
    // CHG-3
    for email in [NEW, OTHER] {
        let world = World::new();
        world.person(OTHER).await;
        world.person(VAL).await;
        let session = world.session(VAL).await;
        let mut cancels = Vec::new();
        for _ in 0..2 {
            ask(&world, &session, email).await;
            cancels.push(world.link_in(VAL, "email-being-changed").await);
            world.clock.advance(MINUTE);
        }
        let cancelled = world
            .auth
            .cancel_email_change(&stranger(1), &cancels[0], VAL)
            .await;
        cancelled.unwrap();
        ask(&world, &session, email).await;
        let other = world.auth.cancel_email_change_page(&cancels[1]).await;
        assert_eq!(refused(other), LinkRefused::Ended, "{email}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_between_two_requests_looks_like_one_that_is_still_free() {
    // CHG-3
    let (world, session, _link) = asked().await;
    let cancel = world.link_in(VAL, "email-being-changed").await;
    world.clock.advance(MINUTE);
    world.person(NEW).await;
    world.clock.advance(MINUTE);
    ask(&world, &session, NEW).await;
    assert_eq!(world.mails(NEW, "address-entered").await, 1);
    world.auth.cancel_email_change_page(&cancel).await.unwrap();
}

#[tokio::test]
async fn the_new_address_gets_no_more_mail_than_an_outsider_may_cause() {
    // MAIL-5, I-26
    let world = World::new();
    world.person(VAL).await;
    world.person(OTHER).await;
    let mut session = world.session(VAL).await;
    for _ in 0..20 {
        world.clock.advance(MINUTE);
        session = world.session(VAL).await;
        for email in [NEW, OTHER] {
            ask(&world, &session, email).await;
            world.work().await;
        }
    }
    // The last of an hour is for what the owner of the mailbox asks for.
    assert_eq!(world.mails(NEW, "confirm-email").await, 4);
    let to_owner = world.mails(OTHER, "address-entered").await;
    assert!(to_owner <= 4, "{to_owner}");
    assert_eq!(world.auth.counts().mails_withheld, 40 - 4 - to_owner as u64);
    world.auth.authenticate(&session).await.unwrap();
}

#[tokio::test]
async fn asking_again_for_the_same_address_sends_the_same_link_with_its_full_life() {
    // TOK-6, CHG-2
    let (world, session, first) = asked().await;
    world.clock.advance(MINUTE * 2);
    ask(&world, &session, NEW).await;
    let second = world.link_in(NEW, "confirm-email").await;
    assert_eq!(second.expose(), first.expose());
    world.clock.advance(HOUR * 12 - MICRO);
    let page = world.auth.confirm_email_page(&first, None).await.unwrap();
    assert!(page.asks_password);
    world.clock.advance(MICRO);
    let over = refused(world.auth.confirm_email_page(&first, None).await);
    assert!(
        matches!(over, ConfirmEmailRefused::Link(LinkRefused::Expired { .. })),
        "{over:?}"
    );
}

#[tokio::test]
async fn there_is_one_pending_change() {
    // CHG-2: another address takes the place of the one before, and so do its links
    let (world, session, first) = asked().await;
    let cancel_first = world.link_in(VAL, "email-being-changed").await;
    ask(&world, &session, "third@school.example").await;
    assert_eq!(
        refused(confirm(&world, &first, Some(&session), "").await),
        ConfirmEmailRefused::Link(LinkRefused::Replaced)
    );
    assert_eq!(
        refused(
            world
                .auth
                .cancel_email_change(&stranger(1), &cancel_first, VAL)
                .await
        ),
        TakeBackRefused::Link(LinkRefused::Replaced)
    );
    let account = world.account(VAL).await;
    let links = world.store.live_links(account.id).await.unwrap();
    let pending = links.iter().filter(|l| l.purpose == LinkPurpose::ConfirmEmail);
    assert_eq!(pending.count(), 1);
}

#[tokio::test]
async fn everything_wrong_with_the_form_is_told_at_once_and_costs_no_try() {
    // R3, EML-7
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.store.take_calls();
    for (email, again, password, expected) in [
        (
            "",
            "x",
            "",
            vec![
                "email: email.required",
                "email2: email2.mismatch",
                "password: password.required",
            ],
        ),
        ("no address", "no address", PASSWORD, vec!["email: email.format"]),
        (
            "VAL@School.example",
            "VAL@School.example",
            PASSWORD,
            vec!["email: email.unchanged"],
        ),
    ] {
        let form = ChangeEmailForm::new(email, password).repeated(again);
        let answer = world.auth.change_email(&stranger(1), &session, form).await;
        let ChangeEmailRefused::Fields(errors) = refused(answer) else {
            panic!("{expected:?}");
        };
        let told: Vec<_> = errors
            .iter()
            .map(|e| format!("{}: {}", e.field, e.reason))
            .collect();
        assert_eq!(told, expected);
    }
    assert!(!world.store.take_calls().contains(&"charge"));
}

#[tokio::test]
async fn a_password_that_is_the_new_address_is_told_and_refused_nothing() {
    // PWD-3: advisory
    let world = World::with(|c| c.passwords.policy.refuse_common = false);
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let asked = ask(&world, &session, NEW).await;
    assert!(!asked.password_is_address);
    let own = format!("{PASSWORD}@school.example").to_lowercase();
    assert!(ask(&world, &session, &own).await.password_is_address);
}

// ---- confirming ----

#[tokio::test]
async fn the_link_and_a_session_of_the_account_change_the_address() {
    // CHG-2, SES-2, SES-5, P-38
    let (world, session, link) = asked().await;
    let other = world.session(VAL).await;
    let signed_in = world.auth.authenticate(&session).await.unwrap();
    let page = world
        .auth
        .confirm_email_page(&link, Some(&signed_in))
        .await
        .unwrap();
    assert!(!page.asks_password);
    let before = world.account(VAL).await;
    let confirmed = confirm(&world, &link, Some(&session), "").await.unwrap();
    assert_eq!(confirmed.email.as_str(), NEW);
    assert!(is_revoked(&world, &session).await && is_revoked(&world, &other).await);
    world
        .auth
        .authenticate(&confirmed.session.unwrap())
        .await
        .unwrap();
    let account = world.account(NEW).await;
    assert_eq!(account.id, before.id);
    assert_ne!(account.auth_epoch, before.auth_epoch);
    assert_eq!(account.email_changed_at, Some(world.now()));
    assert!(!world.has_account(VAL).await);
    world.try_sign_in(&stranger(2), NEW, PASSWORD).await.unwrap();
    assert!(world.try_sign_in(&stranger(2), VAL, PASSWORD).await.is_err());
    // E19 to both; only the former one can freeze.
    assert!(
        world
            .latest(VAL, "email-changed")
            .await
            .contains("/account/freeze?t=")
    );
    assert!(!world.latest(NEW, "email-changed").await.contains("?t="));
    assert_eq!(world.audited("change_email.done"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn without_a_session_the_link_asks_for_the_password_and_opens_none() {
    // CHG-2, THR-6
    let (world, session, link) = asked().await;
    assert_eq!(
        refused(confirm(&world, &link, None, "").await),
        ConfirmEmailRefused::PasswordRequired
    );
    assert_eq!(
        refused(confirm(&world, &link, None, OTHER_PASSWORD).await),
        ConfirmEmailRefused::NotCorrect
    );
    let confirmed = confirm(&world, &link, None, PASSWORD).await.unwrap();
    assert!(confirmed.session.is_none());
    assert!(is_revoked(&world, &session).await);
    // The browser is familiar from now on.
    let device = confirmed.device.unwrap();
    world.guess_until_closed(&stranger(3), NEW).await;
    world
        .try_sign_in(&familiar(&device), NEW, PASSWORD)
        .await
        .unwrap();
}

#[tokio::test]
async fn guessing_behind_a_link_fills_the_accounts_own_budget() {
    // THR-6, P-19
    let (world, _session, link) = asked().await;
    for _ in 0..10 {
        assert_eq!(
            refused(confirm(&world, &link, None, OTHER_PASSWORD).await),
            ConfirmEmailRefused::NotCorrect
        );
    }
    let closed = confirm(&world, &link, None, PASSWORD).await;
    assert!(matches!(closed, Err(Denied::TooManyTries { .. })), "{closed:?}");
    let front = world.try_sign_in(&stranger(9), VAL, PASSWORD).await;
    assert!(matches!(front, Err(Denied::TooManyTries { .. })), "{front:?}");
}

#[tokio::test]
async fn a_session_of_somebody_else_does_not_confirm_it() {
    // CHG-2, P-49
    let (world, _session, link) = asked().await;
    world.person(OTHER).await;
    let theirs = world.session(OTHER).await;
    let person = world.auth.authenticate(&theirs).await.unwrap();
    assert_eq!(
        refused(world.auth.confirm_email_page(&link, Some(&person)).await),
        ConfirmEmailRefused::OtherAccount
    );
    assert_eq!(
        refused(confirm(&world, &link, Some(&theirs), PASSWORD).await),
        ConfirmEmailRefused::OtherAccount
    );
    assert!(world.has_account(VAL).await);
    // A dead session of theirs stands in nobody's way.
    world.auth.sign_out(&stranger(1), &theirs).await.unwrap();
    confirm(&world, &link, Some(&theirs), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn opening_the_link_changes_nothing_however_often() {
    // TOK-5
    let (world, _session, link) = asked().await;
    let before = world.account(VAL).await;
    for _ in 0..5 {
        world.auth.confirm_email_page(&link, None).await.unwrap();
    }
    assert_eq!(world.account(VAL).await, before);
}

#[tokio::test]
async fn a_link_is_used_once() {
    // I-11, TOK-4
    let (world, _session, link) = asked().await;
    confirm(&world, &link, None, PASSWORD).await.unwrap();
    assert_eq!(
        refused(confirm(&world, &link, None, PASSWORD).await),
        ConfirmEmailRefused::Link(LinkRefused::Used)
    );
    for forged in [
        world.link_in(VAL, "email-changed").await,
        world.link_in(VAL, "email-being-changed").await,
    ] {
        // I-12: a link of another purpose is no link at all.
        assert_eq!(
            refused(confirm(&world, &forged, None, PASSWORD).await),
            ConfirmEmailRefused::Link(LinkRefused::Unknown)
        );
    }
}

#[tokio::test]
async fn of_fifty_confirmations_at_once_one_is_made() {
    // I-11, P-06
    let (world, session, link) = asked().await;
    let shared = Arc::new((world, session, link));
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let shared = Arc::clone(&shared);
        racers.spawn(async move {
            let (world, session, link) = &*shared;
            confirm(world, link, Some(session), "").await.is_ok()
        });
    }
    let won = racers.join_all().await.into_iter().filter(|won| *won).count();
    let world = &shared.0;
    assert_eq!(won, 1);
    assert_eq!(world.audited("change_email.done"), 1);
    assert_eq!(world.mails(VAL, "email-changed").await, 1);
    assert_eq!(world.account(NEW).await.email_changed_at, Some(world.now()));
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_is_not_claimed() {
    // I-02, CHG-2
    let (world, session, link) = asked().await;
    world.clock.advance(MINUTE);
    world.person(NEW).await;
    let theirs = world.account(NEW).await;
    assert_eq!(
        refused(confirm(&world, &link, Some(&session), "").await),
        ConfirmEmailRefused::Taken
    );
    assert_eq!(
        refused(confirm(&world, &link, Some(&session), "").await),
        ConfirmEmailRefused::Link(LinkRefused::Ended)
    );
    assert_eq!(world.account(NEW).await, theirs);
    assert!(world.has_account(VAL).await);
}

#[tokio::test]
async fn an_account_made_at_the_last_moment_wins() {
    // I-02: the claim is part of the commit
    let (world, session, link) = asked().await;
    world.clock.advance(MINUTE);
    world.register(NEW, OTHER_PASSWORD).await;
    let registered = world.link(NEW).await;
    let (auth, _background) = world.another_process();
    world.store.overtake("change_email.done", async move {
        auth.activate(&stranger(4), &registered, &Password::new(OTHER_PASSWORD))
            .await
            .unwrap();
    });
    assert_eq!(
        refused(confirm(&world, &link, Some(&session), "").await),
        ConfirmEmailRefused::Taken
    );
    assert_ne!(world.account(NEW).await.id, world.account(VAL).await.id);
}

#[tokio::test]
async fn a_registration_of_the_new_address_can_no_longer_be_completed() {
    // I-02, I-04
    let (world, session, link) = asked().await;
    world.clock.advance(MINUTE);
    world.register(NEW, OTHER_PASSWORD).await;
    let registered = world.link(NEW).await;
    confirm(&world, &link, Some(&session), "").await.unwrap();
    assert!(world.activate(&registered, OTHER_PASSWORD).await.is_err());
    world.try_sign_in(&stranger(2), NEW, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn the_second_step_goes_with_the_account() {
    // RST-4, I-21
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let pending = world.half_done(VAL).await;
    ask(&world, &session, NEW).await;
    let link = world.link_in(NEW, "confirm-email").await;
    confirm(&world, &link, Some(&session), "").await.unwrap();
    assert_eq!(world.account(NEW).await.two_step, TwoStep::Email);
    assert!(
        world
            .auth
            .code_notice(&pending.challenge)
            .await
            .unwrap()
            .is_none()
    );
    world.clock.advance(MINUTE);
    world.session_at_two(NEW).await;
}

// ---- every change of the epoch ends it ----

#[tokio::test]
async fn any_change_of_the_epoch_ends_a_pending_change() {
    // TOK-3, SES-5, P-38, P-52
    for how in ["password", "two step", "not me", "disabled", "sessions ended"] {
        let (world, session, link) = asked().await;
        match how {
            "password" => {
                let new = NewPassword::new(OTHER_PASSWORD);
                let current = Password::new(PASSWORD);
                world
                    .auth
                    .change_password(&stranger(1), &session, &current, &new)
                    .await
                    .unwrap();
                let not_me = world.link_in(VAL, "password-changed").await;
                world.auth.not_me(&stranger(1), &not_me, VAL).await.unwrap();
            }
            "two step" | "not me" => {
                world
                    .auth
                    .set_two_step(&stranger(1), &session, TwoStep::Email)
                    .await
                    .unwrap();
            }
            "disabled" => {
                world
                    .auth
                    .disable_account(&OPERATOR, &address(VAL))
                    .await
                    .unwrap();
                world.auth.enable_account(&OPERATOR, &address(VAL)).await.unwrap();
            }
            _ => world
                .auth
                .end_all_sessions(&OPERATOR, &address(VAL))
                .await
                .unwrap(),
        }
        for password in [PASSWORD, OTHER_PASSWORD] {
            assert_eq!(
                refused(confirm(&world, &link, None, password).await),
                ConfirmEmailRefused::Link(LinkRefused::Ended),
                "{how}"
            );
        }
        assert!(
            world.has_account(VAL).await && !world.has_account(NEW).await,
            "{how}"
        );
    }
}

#[tokio::test]
async fn a_mail_that_waits_does_not_go_once_its_change_is_over() {
    // TOK-3, MAIL-8
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    ask(&world, &session, NEW).await;
    let new = NewPassword::new(OTHER_PASSWORD);
    world
        .auth
        .change_password(&stranger(1), &session, &Password::new(PASSWORD), &new)
        .await
        .unwrap();
    assert_eq!(world.mails(NEW, "confirm-email").await, 0);
    let notice = world.latest(VAL, "email-being-changed").await;
    assert!(
        !notice.contains("cancel-email-change"),
        "told, without its link: {notice}"
    );
}

#[tokio::test]
async fn parallel_changes_never_give_the_account_an_address_its_mail_was_not_sent_to() {
    // I-10, P-52, CVE-2026-32700
    for round in 0..60_u32 {
        let (world, session, stale) = asked().await;
        world.person(OTHER).await;
        world.clock.advance(MINUTE);
        let shared = Arc::new((world, session));
        let mut racers = tokio::task::JoinSet::new();
        for email in [THIEF, OTHER, "third@school.example"] {
            let shared = Arc::clone(&shared);
            racers.spawn(async move { ask_with(&shared.0, &shared.1, email, PASSWORD).await.is_ok() });
        }
        racers.join_all().await;
        let world = &shared.0;
        world.work().await;
        let mut links = vec![(NEW, stale)];
        for email in [THIEF, OTHER, "third@school.example"] {
            if world.mailer.latest(email, "confirm-email").is_some() {
                links.push((email, world.link_in(email, "confirm-email").await));
            }
        }
        assert!(links.iter().all(|(email, _)| *email != OTHER));
        links.rotate_left(round as usize % 3);
        let id = world.account(VAL).await.id;
        let mut moved = 0;
        for (email, link) in &links {
            if let Ok(done) = confirm(world, link, None, PASSWORD).await {
                moved += 1;
                assert_eq!(done.email.as_str(), *email, "the address that the link went to");
                assert_eq!(world.account(email).await.id, id);
            }
        }
        assert!(moved <= 1, "one pending change: {moved}");
        assert_ne!(world.account(OTHER).await.id, id);
    }
}

// ---- cancelling ----

#[tokio::test]
async fn the_old_address_takes_the_change_back() {
    // CHG-2, MAIL-6
    let (world, session, link) = asked().await;
    let cancel = world.link_in(VAL, "email-being-changed").await;
    let masked = world.auth.cancel_email_change_page(&cancel).await.unwrap();
    assert!(masked.ends_with("@school.example") && masked != VAL, "{masked}");
    let from = stranger(1);
    let act = |typed: &'static str| world.auth.cancel_email_change(&from, &cancel, typed);
    assert_eq!(refused(act("").await), TakeBackRefused::AddressRequired);
    assert_eq!(refused(act(" ").await), TakeBackRefused::AddressRequired);
    assert_eq!(refused(act(NEW).await), TakeBackRefused::OtherAddress);
    assert_eq!(refused(act("nonsense").await), TakeBackRefused::OtherAddress);
    world.auth.confirm_email_page(&link, None).await.unwrap();
    act(" Val@School.Example").await.unwrap();
    assert_eq!(
        refused(confirm(&world, &link, Some(&session), "").await),
        ConfirmEmailRefused::Link(LinkRefused::Ended)
    );
    assert_eq!(
        refused(act(VAL).await),
        TakeBackRefused::Link(LinkRefused::Used),
        "once"
    );
    world.auth.authenticate(&session).await.unwrap();
    assert_eq!(world.audited("change_email.cancelled"), 1);
}

#[tokio::test]
async fn a_change_that_is_made_is_not_cancelled_and_one_that_is_cancelled_is_not_made() {
    // I-11: of the two commits one wins
    let (world, session, link) = asked().await;
    let cancel = world.link_in(VAL, "email-being-changed").await;
    let (auth, _background) = world.another_process();
    let rival = LinkToken::parse(cancel.expose()).unwrap();
    world.store.overtake("change_email.done", async move {
        auth.cancel_email_change(&stranger(4), &rival, VAL).await.unwrap();
    });
    assert_eq!(
        refused(confirm(&world, &link, Some(&session), "").await),
        ConfirmEmailRefused::Link(LinkRefused::Ended)
    );
    assert!(world.has_account(VAL).await);

    let (world, session, link) = asked().await;
    let cancel = world.link_in(VAL, "email-being-changed").await;
    confirm(&world, &link, Some(&session), "").await.unwrap();
    assert_eq!(
        refused(world.auth.cancel_email_change(&stranger(1), &cancel, VAL).await),
        TakeBackRefused::Link(LinkRefused::Ended)
    );
}

// ---- freezing ----

/// An account that a thief has moved to an address of their own.
async fn stolen() -> (World, LinkToken) {
    let world = World::with(|c| {
        c.administrators = vec![address("admin@portal.example"), address("second@portal.example")];
    });
    world.person(VAL).await;
    let session = world.session(VAL).await;
    ask(&world, &session, THIEF).await;
    let link = world.link_in(THIEF, "confirm-email").await;
    confirm(&world, &link, Some(&session), "").await.unwrap();
    let freeze = world.link_in(VAL, "email-changed").await;
    (world, freeze)
}

#[tokio::test]
async fn the_former_address_closes_the_account_and_the_administrators_are_told() {
    // CHG-2, MAIL-6, SES-5, I-07
    let (world, freeze) = stolen().await;
    let session = world.session(THIEF).await;
    let masked = world.auth.freeze_account_page(&freeze).await.unwrap();
    assert!(masked.ends_with("@school.example"), "{masked}");
    let from = stranger(1);
    let act = |typed: &'static str| world.auth.freeze_account(&from, &freeze, typed);
    assert_eq!(refused(act("").await), TakeBackRefused::AddressRequired);
    assert_eq!(refused(act(THIEF).await), TakeBackRefused::OtherAddress);
    world.auth.authenticate(&session).await.unwrap();
    act(VAL).await.unwrap();
    assert!(is_revoked(&world, &session).await);
    assert_eq!(world.account(THIEF).await.status, Status::Disabled);
    assert!(world.try_sign_in(&stranger(2), THIEF, PASSWORD).await.is_err());
    for administrator in ["admin@portal.example", "second@portal.example"] {
        let told = world.latest(administrator, "account-frozen").await;
        assert!(told.contains(THIEF) && told.contains(VAL), "{told}");
    }
    assert_eq!(refused(act(VAL).await), TakeBackRefused::Link(LinkRefused::Used));
    assert_eq!(world.audited("change_email.frozen"), 1);
    // Only an administrator opens it again.
    world
        .auth
        .enable_account(&OPERATOR, &address(THIEF))
        .await
        .unwrap();
    world.try_sign_in(&stranger(2), THIEF, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn nothing_that_a_thief_does_afterwards_takes_the_link_away() {
    // TOK-3: bound to the change, not to the epoch
    let (world, freeze) = stolen().await;
    let session = world.session(THIEF).await;
    let new = NewPassword::new(OTHER_PASSWORD);
    let renewed = world
        .auth
        .change_password(&stranger(1), &session, &Password::new(PASSWORD), &new)
        .await
        .unwrap();
    world.clock.advance(MINUTE);
    let second = "thief2@elsewhere.example";
    ask_with(&world, &renewed.session, second, OTHER_PASSWORD)
        .await
        .unwrap();
    let link = world.link_in(second, "confirm-email").await;
    confirm(&world, &link, None, OTHER_PASSWORD).await.unwrap();
    world
        .auth
        .freeze_account(&stranger(1), &freeze, VAL)
        .await
        .unwrap();
    assert_eq!(world.account(second).await.status, Status::Disabled);
}

#[tokio::test]
async fn it_works_for_thirty_days_to_the_microsecond() {
    // I-05
    let (world, freeze) = stolen().await;
    world.clock.advance(DAY * 30 - MICRO);
    world.auth.freeze_account_page(&freeze).await.unwrap();
    world.clock.advance(MICRO);
    let over = refused(world.auth.freeze_account(&stranger(1), &freeze, VAL).await);
    assert!(
        matches!(over, TakeBackRefused::Link(LinkRefused::Expired { .. })),
        "{over:?}"
    );
    assert_eq!(world.account(THIEF).await.status, Status::Active);
}

#[tokio::test]
async fn an_account_that_is_switched_off_already_stays_so() {
    let (world, freeze) = stolen().await;
    world
        .auth
        .disable_account(&OPERATOR, &address(THIEF))
        .await
        .unwrap();
    world
        .auth
        .freeze_account(&stranger(1), &freeze, VAL)
        .await
        .unwrap();
    assert_eq!(world.account(THIEF).await.status, Status::Disabled);
    assert_eq!(world.mails("admin@portal.example", "account-frozen").await, 0);
}

// ---- conflicts ----

#[tokio::test]
async fn conflicts_are_decided_again_and_lost_answers_are_found() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for _ in 0..4 {
        world.store.meet("change_email.asked", Mishap::Conflict);
    }
    ask(&world, &session, NEW).await;
    assert_eq!(
        world.mails(NEW, "confirm-email").await,
        1,
        "one mail, one slot of the quota"
    );
    let link = world.link_in(NEW, "confirm-email").await;
    for _ in 0..4 {
        world.store.meet("change_email.done", Mishap::Conflict);
    }
    world.store.meet("change_email.done", Mishap::LostAnswer);
    let confirmed = confirm(&world, &link, Some(&session), "").await.unwrap();
    world
        .auth
        .authenticate(&confirmed.session.unwrap())
        .await
        .unwrap();
    let freeze = world.link_in(VAL, "email-changed").await;
    for _ in 0..5 {
        world.store.meet("change_email.frozen", Mishap::Conflict);
    }
    let busy = world.auth.freeze_account(&stranger(1), &freeze, VAL).await;
    assert!(matches!(busy, Err(Denied::Busy { .. })), "{busy:?}");
    world
        .auth
        .freeze_account(&stranger(1), &freeze, VAL)
        .await
        .unwrap();
}

#[tokio::test]
async fn no_secret_and_no_typed_address_waits_in_the_outbox() {
    // TOK-2, MAIL-8, LOG-2
    let (world, _session, link) = asked().await;
    let rows = world.store.mails(None, None, None, 100).await.unwrap();
    for row in &rows {
        let text = format!("{row:?}");
        assert!(
            !text.contains(link.expose()) && !text.contains(PASSWORD),
            "{text}"
        );
        assert_ne!(row.status, MailStatus::Dead, "{text}");
    }
    let asked = ChangeEmailForm::new(NEW, PASSWORD);
    assert!(!format!("{asked:?}").contains(PASSWORD));
    let _form = SignInForm::new(NEW, PASSWORD);
}
