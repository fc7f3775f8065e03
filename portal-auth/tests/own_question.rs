//! A secret question in a person's own words: only where the service allows one, and asked as it was typed.

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

use common::{ANSWER, PASSWORD, VAL, World, stranger};
use portal_auth::account::chosen_question::ChosenQuestion;
use portal_auth::account::security_question::Questions;
use portal_auth::config::{Config, SecretQuestion};
use portal_auth::error::Denied;
use portal_auth::features::change_security_question::{ChangeQuestionForm, ChangeQuestionRefused};
use portal_auth::features::register::{RegisterRefused, SecurityDetails};
use portal_auth::features::reset_password::ResetStep;
use portal_auth::secret::token::DraftToken;

const OWN: &str = "Whose dog was it, in the end?";

fn world() -> World {
    World::with(|config| config.registration.own_question = true)
}

/// What is wrong with the first step, as field and code.
async fn refused(world: &World, draft: Option<&DraftToken>, form: SecurityDetails) -> Vec<(String, String)> {
    let saved = world.auth.save_security_details(&stranger(1), draft, form).await;
    match saved {
        Err(Denied::Refused(RegisterRefused::Fields(errors))) => {
            let told = errors.iter();
            told.map(|e| (e.field.to_string(), e.reason.code().to_owned()))
                .collect()
        }
        other => panic!("{other:?}"),
    }
}

fn told(field: &str, code: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), code.to_owned())]
}

fn details(own: &str, answer: &str) -> SecurityDetails {
    SecurityDetails::new(VAL, PASSWORD)
        .repeated(VAL, PASSWORD)
        .with_own_question(own, answer)
}

/// Registers with an own question, as far as the account.
async fn person(world: &World) {
    let draft = world
        .auth
        .save_security_details(&stranger(1), None, details(&format!(" {OWN} "), ANSWER))
        .await
        .unwrap();
    world.fill_section(&draft, "Val").await;
    world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    let link = world.link(VAL).await;
    world.activate(&link, PASSWORD).await.unwrap();
}

async fn asked(world: &World) -> String {
    let link = world.reset_link(VAL).await;
    let page = world.auth.reset_page(&link, None).await.unwrap();
    match page.step {
        ResetStep::Answer { question, .. } => {
            let question = question.unwrap();
            assert_eq!(question.id, None);
            question.text
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_is_asked_at_the_reset_as_it_was_typed() {
    // ANS-6
    let world = world();
    person(&world).await;
    assert_eq!(asked(&world).await, OWN);
    let link = world.reset_link(VAL).await;
    world
        .auth
        .answer_reset(&stranger(1), &link, ANSWER)
        .await
        .unwrap();
}

#[tokio::test]
async fn no_mail_no_event_and_no_log_line_repeats_it() {
    // ANS-6, LOG-2
    let world = world();
    person(&world).await;
    asked(&world).await;
    let sent = world.mailer.sent();
    let mails: Vec<_> = sent
        .iter()
        .map(|m| format!("{}{}{}", m.subject, m.text, m.html))
        .collect();
    assert!(mails.len() > 2, "{mails:?}");
    for (what, rows) in [
        ("mail", format!("{mails:?}")),
        ("audit", format!("{:?}", world.audit())),
        ("account", format!("{:?}", world.account(VAL).await)),
    ] {
        assert!(!rows.contains(OWN), "{what}: {rows}");
    }
}

#[tokio::test]
async fn where_the_service_allows_none_it_is_no_choice() {
    let world = World::new();
    assert!(!world.auth.allows_own_question());
    let errors = refused(&world, None, details(OWN, ANSWER)).await;
    assert_eq!(errors, told("question", "question.required"));
}

#[tokio::test]
async fn what_is_wrong_with_it_is_told_at_its_field() {
    let world = world();
    for (own, code) in [
        ("", "own_question.required"),
        ("Whose dog", "own_question.too_short"),
        (&"x".repeat(101), "own_question.too_long"),
        ("Whose dog\u{202e} was it?", "own_question.hidden_characters"),
        (&format!("Is it {PASSWORD}?"), "own_question.holds_password"),
    ] {
        let errors = refused(&world, None, details(own, ANSWER)).await;
        assert_eq!(errors, told("own_question", code), "{own:?}");
    }
    let errors = refused(
        &world,
        None,
        details("Is it the Morris Minor or not?", "Morris minor"),
    )
    .await;
    assert_eq!(errors, told("answer", "answer.is_question"));
}

#[tokio::test]
async fn going_back_keeps_password_and_answer_only_for_the_same_words() {
    // REG-1
    let world = world();
    let save = async |draft: Option<&DraftToken>, form| {
        let saved = world.auth.save_security_details(&stranger(1), draft, form).await;
        saved.unwrap()
    };
    let draft = save(None, details(OWN, ANSWER)).await;
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    let Some(ChosenQuestion::Own(own)) = progress.question else {
        panic!("{:?}", progress.question);
    };
    assert_eq!(own.as_str(), OWN);
    let again = |own: &str| SecurityDetails::new(VAL, "").with_own_question(own, "");
    let errors = refused(&world, Some(&draft), again("Whose cat was it, in the end?")).await;
    let fields: Vec<_> = errors.iter().map(|(field, _)| field.as_str()).collect();
    assert!(
        fields.contains(&"new-password") && fields.contains(&"answer"),
        "{errors:?}"
    );
    save(Some(&draft), again(OWN)).await;
}

#[tokio::test]
async fn it_is_changed_like_any_other_and_taken_away_with_the_data() {
    // ANS-6, STP-3
    let world = world();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let wrong = ChangeQuestionForm::new(PASSWORD, "own", ANSWER);
    let answer = world
        .auth
        .change_security_question(&stranger(1), &session, wrong.with_own_question(" "))
        .await;
    let Err(Denied::Refused(ChangeQuestionRefused::Fields(errors))) = answer else {
        panic!("{answer:?}");
    };
    let codes: Vec<_> = errors.iter().map(|e| (&*e.field, e.reason.code())).collect();
    assert_eq!(codes, [("own_question", "own_question.required")]);
    let form = ChangeQuestionForm::new(PASSWORD, "own", ANSWER).with_own_question(OWN);
    assert!(!format!("{form:?}").contains(OWN));
    let renewed = world
        .auth
        .change_security_question(&stranger(1), &session, form)
        .await
        .unwrap();
    let export = world
        .auth
        .export_data(&stranger(1), &renewed.session)
        .await
        .unwrap();
    let json = serde_json::to_value(&export).unwrap();
    assert_eq!(json["account"]["secret_question"], OWN);
    assert_eq!(asked(&world).await, OWN);
}

#[test]
fn no_question_of_the_list_may_be_taken_for_it() {
    let mut config = Config::portal("http://127.0.0.1:8080".parse().unwrap());
    config.registration.questions = Questions::parse("own\tWhich?").unwrap();
    assert_eq!(config.registration.secret_question, SecretQuestion::Required);
    config.check().unwrap();
    config.registration.own_question = true;
    let error = config.check().unwrap_err().to_string();
    assert!(error.contains("registration.questions"), "{error}");
}
