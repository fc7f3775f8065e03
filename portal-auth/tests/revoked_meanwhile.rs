//! A session that is ended while its request is under way does nothing any more, whatever the request was about.
//!
//! The session was alive when the request began and had a fresh proof. Before its account is read, or its commit is
//! written, an administrator ends all sessions of the account, which gives it another epoch (SES-5, I-17).

#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::watched_store::READING;
use common::{ANSWER, OPERATOR, OTHER_PASSWORD, PASSWORD, VAL, World, address, stranger};
use portal_auth::NewPassword;
use portal_auth::account::status::{AuthEpoch, TwoStep};
use portal_auth::error::Denied;
use portal_auth::features::administer::NotAdministrator;
use portal_auth::features::change_email::{ChangeEmailForm, ChangeEmailRefused};
use portal_auth::features::change_password::ChangePasswordRefused;
use portal_auth::features::change_security_question::{ChangeQuestionForm, ChangeQuestionRefused};
use portal_auth::features::choose_language::LanguageRefused;
use portal_auth::features::close_account::CloseRefused;
use portal_auth::features::confirm_identity::ConfirmRefused;
use portal_auth::features::export_data::ExportRefused;
use portal_auth::features::sessions::EndSessionRefused;
use portal_auth::features::two_step::TwoStepRefused;
use portal_auth::language::LanguageTag;
use portal_auth::password::Password;
use portal_auth::secret::token::SessionToken;
use portal_auth::session::SessionEnd;

/// A person with a fresh session that is ended before the next `step` of the store.
async fn overtaken(step: &str) -> (World, SessionToken, AuthEpoch) {
    let world = World::with(|config| config.administrators = vec![address(VAL)]);
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let before = world.account(VAL).await.auth_epoch;
    let auth = world.auth.clone();
    world.store.overtake(step, async move {
        auth.end_all_sessions(&OPERATOR, &address(VAL)).await.unwrap();
    });
    (world, session, before)
}

/// The act was refused because the session had ended, and nothing of it is there.
async fn assert_nothing_was_done<R: std::fmt::Debug>(
    world: &World,
    before: AuthEpoch,
    denied: Denied<R>,
    ended: impl FnOnce(&R) -> bool,
    done: &str,
) {
    let Denied::Refused(refused) = denied else {
        panic!("{denied:?}");
    };
    assert!(ended(&refused), "{refused:?}");
    assert_eq!(
        world.audited("administer.sessions_ended"),
        1,
        "the other act was first"
    );
    assert_ne!(world.account(VAL).await.auth_epoch, before);
    assert_eq!(world.audited(done), 0);
    world.assert_audit_is_genuine();
}

const REVOKED: SessionEnd = SessionEnd::Revoked;

#[tokio::test]
async fn it_confirms_nothing_and_is_not_renewed() {
    let (world, session, before) = overtaken(READING).await;
    let password = Password::new(PASSWORD);
    let denied = world
        .auth
        .confirm_password(&stranger(1), &session, &password)
        .await
        .unwrap_err();
    let ended = |r: &ConfirmRefused| *r == ConfirmRefused::SessionEnded(REVOKED);
    assert_nothing_was_done(&world, before, denied, ended, "confirm.done").await;
}

#[tokio::test]
async fn it_leaves_the_second_step_as_it_is() {
    let (world, session, before) = overtaken(READING).await;
    let denied = world
        .auth
        .set_two_step(&stranger(1), &session, TwoStep::Email)
        .await
        .unwrap_err();
    let ended = |r: &TwoStepRefused| matches!(r, TwoStepRefused::SessionEnded(REVOKED));
    assert_nothing_was_done(&world, before, denied, ended, "two_step.changed").await;
    assert_eq!(world.account(VAL).await.two_step, TwoStep::Off);
}

#[tokio::test]
async fn it_ends_no_other_session() {
    let (world, session, before) = overtaken(READING).await;
    let denied = world
        .auth
        .end_other_sessions(&stranger(1), &session)
        .await
        .unwrap_err();
    let ended = |r: &EndSessionRefused| *r == EndSessionRefused::SessionEnded(REVOKED);
    assert_nothing_was_done(&world, before, denied, ended, "sessions.others_ended").await;
}

#[tokio::test]
async fn it_changes_no_password() {
    let (world, session, before) = overtaken(READING).await;
    let (current, new) = (Password::new(PASSWORD), NewPassword::new(OTHER_PASSWORD));
    let denied = world
        .auth
        .change_password(&stranger(1), &session, &current, &new)
        .await
        .unwrap_err();
    let ended = |r: &ChangePasswordRefused| matches!(r, ChangePasswordRefused::SessionEnded(REVOKED));
    assert_nothing_was_done(&world, before, denied, ended, "change_password.done").await;
}

#[tokio::test]
async fn it_changes_no_secret_question() {
    let (world, session, before) = overtaken(READING).await;
    let question = world.question();
    let form = ChangeQuestionForm::new(PASSWORD, &question, ANSWER);
    let denied = world
        .auth
        .change_security_question(&stranger(1), &session, form)
        .await
        .unwrap_err();
    let ended = |r: &ChangeQuestionRefused| matches!(r, ChangeQuestionRefused::SessionEnded(REVOKED));
    assert_nothing_was_done(&world, before, denied, ended, "change_question.done").await;
}

#[tokio::test]
async fn it_begins_no_change_of_address() {
    let (world, session, before) = overtaken(READING).await;
    let form = ChangeEmailForm::new("new@school.example", PASSWORD);
    let denied = world
        .auth
        .change_email(&stranger(1), &session, form)
        .await
        .unwrap_err();
    let ended = |r: &ChangeEmailRefused| matches!(r, ChangeEmailRefused::SessionEnded(REVOKED));
    assert_nothing_was_done(&world, before, denied, ended, "change_email.asked").await;
}

#[tokio::test]
async fn it_closes_no_account() {
    let (world, session, before) = overtaken(READING).await;
    let password = Password::new(PASSWORD);
    let denied = world
        .auth
        .close_account(&stranger(1), &session, &password)
        .await
        .unwrap_err();
    let ended = |r: &CloseRefused| *r == CloseRefused::SessionEnded(REVOKED);
    assert_nothing_was_done(&world, before, denied, ended, "account.closed").await;
}

#[tokio::test]
async fn it_keeps_no_language() {
    let (world, session, before) = overtaken(READING).await;
    let welsh = LanguageTag::parse("cy").unwrap();
    let denied = world
        .auth
        .choose_language(&stranger(1), &session, &welsh)
        .await
        .unwrap_err();
    let ended = |r: &LanguageRefused| *r == LanguageRefused::SessionEnded(REVOKED);
    assert_nothing_was_done(&world, before, denied, ended, "language.chosen").await;
}

#[tokio::test]
async fn it_exports_nothing() {
    let (world, session, before) = overtaken("data.exported").await;
    let denied = world.auth.export_data(&stranger(1), &session).await.unwrap_err();
    let ended = |r: &ExportRefused| *r == ExportRefused::SessionEnded(REVOKED);
    assert_nothing_was_done(&world, before, denied, ended, "data.exported").await;
}

#[tokio::test]
async fn it_makes_nobody_an_administrator() {
    let world = World::with(|config| config.administrators = vec![address(VAL)]);
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let signed_in = world.auth.authenticate(&session).await.unwrap();
    world.auth.administrator(&stranger(1), &signed_in).await.unwrap();
    world
        .auth
        .end_all_sessions(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    for refused in [
        world.auth.administrator(&stranger(1), &signed_in).await.map(drop),
        world.auth.check_administrator(&signed_in).await,
    ] {
        assert!(
            matches!(refused, Err(Denied::Refused(NotAdministrator::NotOne))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn where_nobody_ends_it_all_of_that_is_done() {
    // The honest twin of everything above.
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let welsh = LanguageTag::parse("cy").unwrap();
    world
        .auth
        .choose_language(&stranger(1), &session, &welsh)
        .await
        .unwrap();
    world.auth.export_data(&stranger(1), &session).await.unwrap();
    let form = ChangeEmailForm::new("new@school.example", PASSWORD);
    world
        .auth
        .change_email(&stranger(1), &session, form)
        .await
        .unwrap();
    let question = world.question();
    let form = ChangeQuestionForm::new(PASSWORD, &question, ANSWER);
    let session = world
        .auth
        .change_security_question(&stranger(1), &session, form)
        .await
        .unwrap();
    let session = world
        .auth
        .end_other_sessions(&stranger(1), &session.session)
        .await
        .unwrap();
    let (current, new) = (Password::new(PASSWORD), NewPassword::new(OTHER_PASSWORD));
    let changed = world
        .auth
        .change_password(&stranger(1), &session.session, &current, &new)
        .await;
    let session = changed.unwrap().session;
    let confirmed = world
        .auth
        .confirm_password(&stranger(1), &session, &Password::new(OTHER_PASSWORD))
        .await;
    assert!(confirmed.is_ok(), "{confirmed:?}");
}
