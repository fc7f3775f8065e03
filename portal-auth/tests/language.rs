//! Who decides in which language a mail is written, and where the choice is kept.

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

use common::{MINUTE, VAL, World, stranger};
use portal_auth::error::Denied;
use portal_auth::features::choose_language::LanguageRefused;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::language::LanguageTag;
use portal_auth::session::SessionEnd;
use portal_auth::visitor::Visitor;

fn tag(text: &str) -> LanguageTag {
    LanguageTag::parse(text).unwrap()
}

fn in_welsh(visitor: Visitor) -> Visitor {
    visitor.with_language(Some(tag("cy")))
}

/// The language of the newest mail of a kind, and its subject.
async fn latest(world: &World, kind: &str) -> (&'static str, String) {
    world.work().await;
    let mail = world.mailer.latest(VAL, kind).unwrap();
    (mail.language, mail.subject.clone())
}

/// A person who registered and activated in Welsh.
async fn welsh_person(world: &World) {
    let visitor = in_welsh(stranger(1));
    world.register_from(&visitor, VAL, common::PASSWORD).await;
    let link = world.link(VAL).await;
    let password = common::PASSWORD.into();
    world.auth.activate(&visitor, &link, &password).await.unwrap();
}

#[tokio::test]
async fn a_registrants_mails_and_account_are_in_the_language_they_chose() {
    // portal.md R4: E1, E3, E4
    let world = World::new();
    welsh_person(&world).await;
    let link = latest(&world, "complete-registration").await;
    assert_eq!(
        link,
        (
            "cy",
            "Cwblhewch eich cofrestriad - Professional Portal".to_owned()
        )
    );
    assert_eq!(latest(&world, "account-ready").await.0, "cy");
    assert_eq!(world.account(VAL).await.language, Some(tag("cy")));
}

#[tokio::test]
async fn nobody_who_has_not_chosen_gets_anything_but_english() {
    let world = World::new();
    world.person(VAL).await;
    for kind in ["complete-registration", "account-ready"] {
        assert_eq!(latest(&world, kind).await.0, "en-GB");
    }
    assert_eq!(world.account(VAL).await.language, None);
}

#[tokio::test]
async fn a_language_without_words_is_kept_and_written_to_in_english() {
    let world = World::new();
    let visitor = stranger(1).with_language(Some(tag("fr")));
    world.register_from(&visitor, VAL, common::PASSWORD).await;
    assert_eq!(latest(&world, "complete-registration").await.0, "en-GB");
}

#[tokio::test]
async fn a_strangers_language_is_not_the_owners() {
    // E2, E13: the owner reads them, whoever caused them
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    let stranger = in_welsh(stranger(9));
    world.register_from(&stranger, VAL, common::OTHER_PASSWORD).await;
    assert_eq!(latest(&world, "already-registered").await.0, "en-GB");
    world.clock.advance(MINUTE);
    world.guess_until_closed(&stranger, VAL).await;
    assert_eq!(latest(&world, "too-many-tries").await.0, "en-GB");
}

#[tokio::test]
async fn an_owners_language_holds_where_somebody_else_or_another_browser_asks() {
    // E2, E4, E11, E13
    let world = World::new();
    welsh_person(&world).await;
    world.clock.advance(MINUTE);
    world
        .register_from(&stranger(9), VAL, common::OTHER_PASSWORD)
        .await;
    assert_eq!(latest(&world, "already-registered").await.0, "cy");
    let session = world.session(VAL).await;
    let email = portal_auth::account::status::TwoStep::Email;
    world
        .auth
        .set_two_step(&stranger(1), &session, email)
        .await
        .unwrap();
    assert_eq!(latest(&world, "two-step-changed").await.0, "cy");
    world.half_done(VAL).await;
    assert_eq!(
        latest(&world, "sign-in-code").await,
        ("cy", "Eich cod dilysu".to_owned())
    );
    world.clock.advance(MINUTE);
    world.guess_until_closed(&stranger(9), VAL).await;
    assert_eq!(latest(&world, "too-many-tries").await.0, "cy");
}

#[tokio::test]
async fn what_was_chosen_in_this_browser_wins_over_the_account() {
    let world = World::new();
    world.careful_person(VAL).await;
    let form = SignInForm::new(VAL, common::PASSWORD);
    let sent = world.auth.sign_in(&in_welsh(stranger(1)), form).await.unwrap();
    assert!(matches!(sent, SignInOutcome::CodeSent(_)));
    let text = world.latest(VAL, "sign-in-code").await;
    assert!(
        text.contains("Mae’n gweithio tan") && text.contains("yw eich cod dilysu"),
        "{text}"
    );
    assert_eq!(
        world.account(VAL).await.language,
        None,
        "signing in changes nothing"
    );
}

#[tokio::test]
async fn a_choice_is_kept_in_the_account_once_and_audited() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let before = world.account(VAL).await;
    for _ in 0..2 {
        let chosen = world
            .auth
            .choose_language(&stranger(1), &session, &tag("cy"))
            .await;
        chosen.unwrap();
    }
    let after = world.account(VAL).await;
    assert_eq!(after.language, Some(tag("cy")));
    assert_eq!(after.auth_epoch, before.auth_epoch, "it ends no session");
    assert_eq!(world.audited("language.chosen"), 1);
    world.assert_audit_is_genuine();
    world.auth.authenticate(&session).await.unwrap();
}

#[tokio::test]
async fn a_choice_of_a_session_that_has_ended_changes_nothing() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.auth.sign_out(&stranger(1), &session).await.unwrap();
    let chosen = world
        .auth
        .choose_language(&stranger(1), &session, &tag("cy"))
        .await;
    assert!(matches!(
        chosen,
        Err(Denied::Refused(LanguageRefused::SessionEnded(
            SessionEnd::Revoked
        )))
    ));
    assert_eq!(world.account(VAL).await.language, None);
}

#[tokio::test]
async fn of_two_choices_at_once_the_later_one_holds() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let (auth, other) = (world.auth.clone(), world.session(VAL).await);
    let first = async move {
        auth.choose_language(&stranger(2), &other, &tag("cy"))
            .await
            .unwrap()
    };
    world.store.overtake("language.chosen", first);
    let english = tag("en-GB");
    world
        .auth
        .choose_language(&stranger(1), &session, &english)
        .await
        .unwrap();
    assert_eq!(world.account(VAL).await.language, Some(english));
    assert_eq!(world.audited("language.chosen"), 2);
}
