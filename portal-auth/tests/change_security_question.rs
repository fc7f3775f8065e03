//! Choosing another secret question: the password and a fresh proof, every rule of an answer, everybody else out.

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
use common::{ANSWER, MICRO, MINUTE, PASSWORD, VAL, World, familiar, stranger};
use portal_auth::config::SecretQuestion;
use portal_auth::error::Denied;
use portal_auth::features::change_security_question::{ChangeQuestionForm, ChangeQuestionRefused};
use portal_auth::secret::token::SessionToken;
use portal_auth::session::SessionEnd;
use portal_auth::{PortalAuth, RenewedSession};

const NEW_ANSWER: &str = "A tall ship";

type Answer = Result<RenewedSession, Denied<ChangeQuestionRefused>>;

async fn change(
    auth: &PortalAuth,
    session: &SessionToken,
    password: &str,
    question: &str,
    answer: &str,
) -> Answer {
    let form = ChangeQuestionForm::new(password, question, answer);
    auth.change_security_question(&stranger(1), session, form).await
}

fn refused(answer: Answer) -> ChangeQuestionRefused {
    match answer {
        Err(Denied::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

/// The last of the questions: another than people here register with.
fn other_question(world: &World) -> String {
    let questions = world.auth.config().registration.questions.iter();
    questions.last().unwrap().id().as_str().to_owned()
}

#[tokio::test]
async fn question_and_answer_are_replaced_everybody_else_is_out_and_the_owner_is_told() {
    // ANS-6, SES-5, MAIL-6, P-38
    let world = World::new();
    let elsewhere = world.person(VAL).await;
    let (own, other) = (
        world.session(VAL).await,
        world.signed_in(&familiar(&elsewhere), VAL).await.session,
    );
    let before = world.account(VAL).await;
    let question = other_question(&world);
    let renewed = change(&world.auth, &own, PASSWORD, &question, NEW_ANSWER)
        .await
        .unwrap();
    let after = world.account(VAL).await;
    assert_eq!(after.question.unwrap().stored(), question);
    assert_ne!(after.answer, before.answer);
    assert_ne!(after.auth_epoch, before.auth_epoch);
    assert_eq!(after.password, before.password);
    world.auth.authenticate(&renewed.session).await.unwrap();
    for dead in [own, other] {
        let answer = world.auth.authenticate(&dead).await;
        assert!(matches!(answer, Err(Denied::Refused(SessionEnd::Revoked))));
    }
    assert_eq!(world.mails(VAL, "secret-question-changed").await, 1);
    let mail = world.latest(VAL, "secret-question-changed").await;
    assert!(
        mail.contains("/account/not-me?t=") && !mail.contains(NEW_ANSWER),
        "{mail}"
    );
    assert_eq!(world.audited("change_question.done"), 1);
    world.guess_until_closed(&stranger(3), VAL).await;
    let there = world.try_sign_in(&familiar(&elsewhere), VAL, PASSWORD).await;
    assert!(matches!(there, Err(Denied::TooManyTries { .. })), "{there:?}");
    let device = renewed.device.unwrap();
    world
        .try_sign_in(&familiar(&device), VAL, PASSWORD)
        .await
        .unwrap();
}

#[tokio::test]
async fn it_needs_a_fresh_proof() {
    // STP-3, ANS-6
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE * 5 + MICRO);
    let question = other_question(&world);
    let answer = change(&world.auth, &session, PASSWORD, &question, NEW_ANSWER).await;
    assert_eq!(refused(answer), ChangeQuestionRefused::Confirm);
}

#[tokio::test]
async fn everything_wrong_with_the_form_is_told_at_once_and_costs_no_try() {
    // ANS-2, ANS-4, R3
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let question = other_question(&world);
    let text = world
        .auth
        .config()
        .registration
        .questions
        .iter()
        .last()
        .unwrap()
        .text()
        .to_owned();
    world.store.take_calls();
    let long = "x".repeat(101);
    for (password, asked, answer, expected) in [
        (
            "",
            "",
            "",
            vec![
                "password: password.required",
                "question: question.required",
                "answer: answer.required",
            ],
        ),
        (
            PASSWORD,
            "no_such_question",
            NEW_ANSWER,
            vec!["question: question.required"],
        ),
        (PASSWORD, &question, "ab", vec!["answer: answer.too_short"]),
        (PASSWORD, &question, &long, vec!["answer: answer.too_long"]),
        (PASSWORD, &question, PASSWORD, vec!["answer: answer.is_password"]),
        (
            PASSWORD,
            &question,
            "VAL@school.example",
            vec!["answer: answer.is_email"],
        ),
        (PASSWORD, &question, &text, vec!["answer: answer.is_question"]),
        (PASSWORD, &question, "do not know", vec!["answer: answer.common"]),
    ] {
        let answer = change(&world.auth, &session, password, asked, answer).await;
        let ChangeQuestionRefused::Fields(errors) = refused(answer) else {
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
async fn a_wrong_password_is_charged_like_a_sign_in() {
    // THR-6, P-19
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let question = other_question(&world);
    for _ in 0..10 {
        let answer = change(&world.auth, &session, "Wrong-Password-99", &question, NEW_ANSWER).await;
        assert_eq!(refused(answer), ChangeQuestionRefused::NotCorrect);
    }
    let closed = change(&world.auth, &session, PASSWORD, &question, NEW_ANSWER).await;
    assert!(matches!(closed, Err(Denied::TooManyTries { .. })), "{closed:?}");
    let front = world.try_sign_in(&stranger(9), VAL, PASSWORD).await;
    assert!(matches!(front, Err(Denied::TooManyTries { .. })), "{front:?}");
    assert_eq!(world.audited("change_question.refused"), 10);
}

#[tokio::test]
async fn a_service_that_asks_no_question_has_none_to_change() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let (modern, _background) = world.process_with(|c| c.registration.secret_question = SecretQuestion::Off);
    assert!(!modern.asks_secret_question() && world.auth.asks_secret_question());
    let question = other_question(&world);
    let answer = change(&modern, &session, PASSWORD, &question, NEW_ANSWER).await;
    assert_eq!(refused(answer), ChangeQuestionRefused::NotOffered);
}

#[tokio::test]
async fn conflicts_are_decided_again_and_an_ended_session_changes_nothing() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let question = other_question(&world);
    for _ in 0..4 {
        world.store.meet("change_question.done", Mishap::Conflict);
    }
    change(&world.auth, &session, PASSWORD, &question, NEW_ANSWER)
        .await
        .unwrap();
    let again = change(&world.auth, &session, PASSWORD, &question, ANSWER).await;
    assert_eq!(
        refused(again),
        ChangeQuestionRefused::SessionEnded(SessionEnd::Revoked)
    );
    assert_eq!(world.mails(VAL, "secret-question-changed").await, 1);
    world.assert_audit_is_genuine();
}
