//! Registrations that an administrator prepares: no account without a password of the owner's own.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::watched_store::Mishap;
use common::{ANSWER, DAY, HOUR, MINUTE, OPERATOR, OTHER_PASSWORD, PASSWORD, VAL, World, address, stranger};
use portal_auth::account::profile::Section as _;
use portal_auth::error::Denied;
use portal_auth::features::activate::ActivateRefused;
use portal_auth::features::prepare_registration::{
    PersonToPrepare, PrepareRefused, Prepared, SendLinkRefused,
};
use portal_auth::features::register::SubmitOutcome;
use portal_auth::registration::draft::Step;
use portal_auth::secret::token::DraftToken;
use serde_json::json;

fn val() -> PersonToPrepare {
    PersonToPrepare::new(address(VAL)).with_section(common::AboutMe::NAME, json!({ "forename": "Val" }))
}

async fn prepare(world: &World, person: &PersonToPrepare) -> Prepared {
    world.auth.prepare_registration(&OPERATOR, person).await.unwrap()
}

/// Chooses a password in the browser that opened the link.
async fn choose(world: &World, draft: &DraftToken, password: &str) -> DraftToken {
    let details = world
        .details(VAL, password)
        .with_question(world.question(), ANSWER);
    world
        .auth
        .save_security_details(&stranger(1), Some(draft), details)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_owner_chooses_a_password_behind_the_link_and_finds_what_was_prepared() {
    // I-01, ACT-1, E1
    let world = World::new();
    assert_eq!(prepare(&world, &val()).await, Prepared::Mailed);
    assert!(!world.has_account(VAL).await, "what is prepared is no account");
    let text = world.latest(VAL, "complete-registration").await;
    assert!(text.contains("has prepared an account for you"), "{text}");
    assert!(!text.contains("Val"), "MAIL-3: {text}");

    let link = world.link(VAL).await;
    assert!(world.auth.activation_page(&link).await.unwrap().prepared);
    let draft = world.auth.register_anew(&link).await.unwrap();
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    assert_eq!(progress.proven, Some(address(VAL)));
    assert_eq!(progress.sections["about_me"], json!({ "forename": "Val" }));
    assert_eq!(progress.open_step, Some(Step::SecurityDetails));
    let draft = choose(&world, &draft, PASSWORD).await;
    let done = world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    assert!(matches!(done, SubmitOutcome::Activated { .. }), "{done:?}");
    world.signed_in(&stranger(1), VAL).await;
    assert_eq!(
        world.account(VAL).await.profile.sections["about_me"]["forename"],
        "Val"
    );
    assert!(matches!(
        world.auth.activation_page(&link).await,
        Err(Denied::Refused(ActivateRefused::Used { .. }))
    ));
    assert_eq!(world.audited("administer.prepared"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn no_password_completes_it_and_no_try_is_counted() {
    // I-01
    let world = World::new();
    prepare(&world, &val()).await;
    let link = world.link(VAL).await;
    for password in ["", PASSWORD, OTHER_PASSWORD, "x", "y", "z", "w"] {
        let refused = world.activate(&link, password).await;
        assert!(
            matches!(refused, Err(Denied::Refused(ActivateRefused::Prepared))),
            "{refused:?}"
        );
    }
    assert_eq!(ActivateRefused::Prepared.reason().code(), "activate.prepared");
    let page = world.auth.activation_page(&link).await.unwrap();
    assert_eq!(page.tries_left, 5);
    assert!(!world.has_account(VAL).await);
    assert!(matches!(
        world.try_sign_in(&stranger(1), VAL, "").await,
        Err(Denied::Refused(_))
    ));
}

#[tokio::test]
async fn what_is_prepared_may_be_incomplete_or_wrong_and_is_asked_for_again() {
    let world = World::new();
    let person = PersonToPrepare::new(address(VAL)).with_section("about_me", json!({ "forename": " " }));
    prepare(&world, &person).await;
    let draft = world.auth.register_anew(&world.link(VAL).await).await.unwrap();
    let draft = choose(&world, &draft, PASSWORD).await;
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    assert_eq!(progress.open_step, Some(Step::Section("about_me".into())));
    assert!(
        world
            .auth
            .submit_registration(&stranger(1), &draft)
            .await
            .is_err()
    );
    world.fill_section(&draft, "Val").await;
    world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    assert!(world.has_account(VAL).await);

    let odd = val().with_section("hobbies", json!({}));
    let refused = world.auth.prepare_registration(&OPERATOR, &odd).await;
    assert!(matches!(
        refused,
        Err(Denied::Refused(PrepareRefused::NoSuchSection))
    ));
}

#[tokio::test]
async fn accounts_and_those_who_were_asked_already_are_left_alone() {
    let world = World::new();
    assert_eq!(prepare(&world, &val()).await, Prepared::Mailed);
    assert_eq!(prepare(&world, &val()).await, Prepared::Waits);
    assert_eq!(world.mails(VAL, "complete-registration").await, 1);
    let other = PersonToPrepare::new(address("other@school.example"));
    assert_eq!(
        world.auth.would_prepare(&other.email).await.unwrap(),
        Prepared::Mailed
    );
    world.clock.advance(HOUR);
    world.person("other@school.example").await;
    assert_eq!(prepare(&world, &other).await, Prepared::HasAccount);
    assert_eq!(
        world.auth.would_prepare(&other.email).await.unwrap(),
        Prepared::HasAccount
    );
    assert_eq!(world.mails("other@school.example", "already-registered").await, 0);
    assert_eq!(world.audited("administer.prepared"), 1);
}

#[tokio::test]
async fn a_stranger_who_registered_first_keeps_nobody_from_being_prepared_and_gains_nothing() {
    // I-04
    let world = World::new();
    world.register(VAL, OTHER_PASSWORD).await;
    let strangers = world.link(VAL).await;
    world.clock.advance(MINUTE * 2);
    assert_eq!(prepare(&world, &val()).await, Prepared::Mailed);
    world.work().await;
    let link = world.link(VAL).await;
    let draft = world.auth.register_anew(&link).await.unwrap();
    let draft = choose(&world, &draft, PASSWORD).await;
    world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    assert!(matches!(
        world.activate(&strangers, OTHER_PASSWORD).await,
        Err(Denied::Refused(ActivateRefused::Ended))
    ));
    world.signed_in(&stranger(1), VAL).await;
}

#[tokio::test]
async fn it_waits_for_thirty_days_and_its_page_sends_a_new_link() {
    let world = World::new();
    prepare(&world, &val()).await;
    let first = world.link(VAL).await;
    world.clock.advance(DAY * 29);
    assert!(matches!(
        world.auth.activation_page(&first).await,
        Err(Denied::Refused(ActivateRefused::Expired { renewable: true, .. }))
    ));
    world.auth.renew_link(&stranger(1), &first).await.unwrap();
    let second = world.link(VAL).await;
    assert!(world.auth.activation_page(&second).await.unwrap().prepared);
    // The new link works for its whole life, and what was prepared is kept as long as any other registration.
    world.clock.advance(DAY);
    let again = world.auth.renew_link(&stranger(1), &second).await;
    assert!(again.is_ok(), "{again:?}");
    world.clock.advance(DAY * 3);
    world.work().await;
    let gone = world.auth.look_up(&address(VAL)).await.unwrap();
    assert!(gone.waiting.is_none());
}

#[tokio::test]
async fn an_administrator_sends_a_link_again_beyond_the_quotas_of_outsiders() {
    // MAIL-5
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let first = world.link(VAL).await;
    for _ in 0..7 {
        world
            .auth
            .send_registration_link(&OPERATOR, &address(VAL))
            .await
            .unwrap();
    }
    assert_eq!(world.mails(VAL, "complete-registration").await, 8);
    assert_eq!(
        world.link(VAL).await.expose(),
        first.expose(),
        "the same link while it works"
    );
    world.clock.advance(HOUR * 13);
    world
        .auth
        .send_registration_link(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    let second = world.link(VAL).await;
    assert_ne!(second.expose(), first.expose());
    world.activate(&second, PASSWORD).await.unwrap();
    for email in [VAL, "nobody@school.example"] {
        let refused = world
            .auth
            .send_registration_link(&OPERATOR, &address(email))
            .await;
        assert!(matches!(
            refused,
            Err(Denied::Refused(SendLinkRefused::NothingWaits))
        ));
    }
    assert_eq!(world.audited("administer.link_sent"), 8);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn conflicts_are_decided_again_and_five_of_them_are_busy() {
    let world = World::new();
    for _ in 0..5 {
        world.store.meet("administer.prepared", Mishap::Conflict);
    }
    let busy = world.auth.prepare_registration(&OPERATOR, &val()).await;
    assert!(matches!(busy, Err(Denied::Busy { .. })));
    world.store.meet("administer.prepared", Mishap::LostAnswer);
    assert_eq!(prepare(&world, &val()).await, Prepared::Mailed);
    assert_eq!(world.mails(VAL, "complete-registration").await, 1);
}
