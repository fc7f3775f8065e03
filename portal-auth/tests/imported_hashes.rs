//! Passwords that another service has hashed: they open the mailed link, and Argon2id takes their place.

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
use common::{DAY, OPERATOR, OTHER_PASSWORD, PASSWORD, VAL, World, address, stranger};
use portal_auth::account::profile::Section as _;
use portal_auth::account::snapshot::AccountRow;
use portal_auth::error::{Denied, Fault};
use portal_auth::features::activate::ActivateRefused;
use portal_auth::features::prepare_registration::{PersonToPrepare, PrepareRefused, Prepared};
use portal_auth::features::sign_in::{SignInForm, SignInRefused};
use portal_auth::password::Password;
use portal_auth::password::breached::{BreachCheck, BreachedPasswords, HashPrefix, WhenUnavailable};
use portal_auth::password::hash::StoredHash;
use portal_auth::password::imported::ImportedHash;
use portal_auth::testkit::rows;
use portal_auth::unit_of_work::{Change, Write};
use serde_json::json;

/// `PASSWORD` in every form; `password/imported_tests.rs` says how they were made.
const HASHES: [&str; 4] = [
    "$2b$05$abcdefghijklmnopqrstuuEFOXIAfGBRY6GWLBaNHWZnRQmOoVGu.",
    "pbkdf2_sha256$1000$seasalt2seasalt2$i8+fId2FKsPhD5yMn9A5EXigHv2soLiUtGPjDUYDbRU=",
    "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+449c6abE60DjdBEyEM+3fl2J9CBjsyzixr6hMpjEeeQ==",
    "AAABAgMEBQYHCAkKCwwNDg/9/FKAqwYaj62zwJR7mz2gwfC7e22qRVukaDcEjmAWKw==",
];

fn val(hash: &str) -> PersonToPrepare {
    PersonToPrepare::new(address(VAL))
        .with_section(common::AboutMe::NAME, json!({ "forename": " Val " }))
        .with_password(ImportedHash::parse(hash).unwrap())
}

async fn import(world: &World, hash: &str) {
    let prepared = world
        .auth
        .prepare_registration(&OPERATOR, &val(hash))
        .await
        .unwrap();
    assert_eq!(prepared, Prepared::Mailed);
}

#[tokio::test]
async fn the_old_password_opens_the_link_and_the_account_has_argon2id() {
    // I-01, HASH-4
    for hash in HASHES {
        let world = World::new();
        import(&world, hash).await;
        let text = world
            .latest(VAL, "complete-registration")
            .await
            .replace('\n', " ");
        assert!(
            text.contains("enter the password that you have used for it so far."),
            "{text}"
        );
        assert!(!text.contains("choose your own"), "{text}");
        let link = world.link(VAL).await;
        assert!(!world.auth.activation_page(&link).await.unwrap().prepared);
        assert!(matches!(
            world.activate(&link, OTHER_PASSWORD).await,
            Err(Denied::Refused(ActivateRefused::NotCorrect { tries_left: 4 }))
        ));
        world.activate(&link, PASSWORD).await.unwrap();
        let account = world.account(VAL).await;
        assert!(
            account.password.as_str().starts_with("$argon2id$"),
            "no foreign hash is left"
        );
        assert_eq!(account.profile.sections["about_me"], json!({ "forename": "Val" }));
        world.signed_in(&stranger(1), VAL).await;
        assert_eq!(world.audited("password.rehashed"), 0);
        let event = world
            .audit()
            .into_iter()
            .find(|e| e.kind == "administer.prepared")
            .unwrap();
        assert_eq!(event.reason, "password.imported");
        world.assert_audit_is_genuine();
    }
}

#[tokio::test]
async fn nobody_gets_in_by_the_old_password_alone() {
    // I-01: an import is no account
    let world = World::new();
    import(&world, HASHES[0]).await;
    assert!(!world.has_account(VAL).await);
    assert!(matches!(
        world.try_sign_in(&stranger(1), VAL, PASSWORD).await,
        Err(Denied::Refused(SignInRefused::NotCorrect))
    ));
    let again = world
        .auth
        .prepare_registration(&OPERATOR, &val(HASHES[1]))
        .await
        .unwrap();
    assert_eq!(again, Prepared::Waits);
    let link = world.link(VAL).await;
    for tries_left in (0..5).rev() {
        let refused = world.activate(&link, OTHER_PASSWORD).await;
        assert!(
            matches!(refused, Err(Denied::Refused(ActivateRefused::NotCorrect { tries_left: left })) if left == tries_left),
            "{refused:?}"
        );
    }
    assert!(world.activate(&link, PASSWORD).await.is_err(), "the link is dead");
    assert!(!world.has_account(VAL).await);
}

#[tokio::test]
async fn an_import_waits_as_long_as_what_is_prepared_and_its_link_is_renewed() {
    let world = World::new();
    import(&world, HASHES[0]).await;
    let first = world.link(VAL).await;
    world.clock.advance(DAY * 20);
    world.auth.renew_link(&stranger(1), &first).await.unwrap();
    world.activate(&world.link(VAL).await, PASSWORD).await.unwrap();
    assert!(world.has_account(VAL).await);
}

#[tokio::test]
async fn whoever_forgot_the_old_password_registers_anew_with_what_is_known() {
    let world = World::new();
    import(&world, HASHES[0]).await;
    let draft = world.auth.register_anew(&world.link(VAL).await).await.unwrap();
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    assert_eq!(progress.sections["about_me"], json!({ "forename": "Val" }));
    assert!(!progress.password_set, "the imported password is not kept");
}

#[tokio::test]
async fn an_import_without_a_whole_profile_is_refused_and_changes_nothing() {
    let world = World::new();
    let hash = ImportedHash::parse(HASHES[0]).unwrap();
    for person in [
        PersonToPrepare::new(address(VAL)),
        PersonToPrepare::new(address(VAL)).with_section("about_me", json!({ "forename": " " })),
    ] {
        let refused = world
            .auth
            .prepare_registration(&OPERATOR, &person.with_password(hash.clone()))
            .await;
        assert!(
            matches!(refused, Err(Denied::Refused(PrepareRefused::Incomplete))),
            "{refused:?}"
        );
    }
    assert_eq!(world.audited("administer.prepared"), 0);
}

/// Knows every password, or does not answer.
#[derive(Debug)]
struct Everything {
    answers: bool,
}

#[async_trait::async_trait]
impl BreachedPasswords for Everything {
    async fn range(&self, _: HashPrefix) -> Result<String, Fault> {
        // The rest of the SHA-1 of `PASSWORD`.
        if self.answers {
            Ok("5B0BF4682DD71BE8E201E160AA85E813330:1\n".to_owned())
        } else {
            Err(Fault::transient("down"))
        }
    }
}

#[tokio::test]
async fn a_breached_old_password_makes_no_account() {
    // PWD-2
    let world = World::new();
    import(&world, HASHES[0]).await;
    let link = world.link(VAL).await;
    let with = |answers| {
        let check = BreachCheck::new(Everything { answers }).when_unavailable(WhenUnavailable::Refuse);
        world.process_with(|c| c.passwords.breached = Some(check)).0
    };
    let password = Password::from(PASSWORD);
    let refused = with(true).activate(&stranger(1), &link, &password).await;
    assert!(
        matches!(refused, Err(Denied::Refused(ActivateRefused::Breached))),
        "{refused:?}"
    );
    assert_eq!(ActivateRefused::Breached.reason().code(), "password.breached");
    let unchecked = with(false).activate(&stranger(1), &link, &password).await;
    assert!(matches!(unchecked, Err(Denied::Busy { .. })), "{unchecked:?}");
    assert_eq!(world.audited("activate.refused"), 2);
    // The comparison was right: asking again and again closes nobody out.
    for _ in 0..12 {
        let refused = with(true).activate(&stranger(1), &link, &password).await;
        assert!(
            matches!(refused, Err(Denied::Refused(ActivateRefused::Breached))),
            "{refused:?}"
        );
    }
    assert!(!world.has_account(VAL).await);
    // A wrong one is told so first: what is known from a breach is not told to whoever only has the link.
    let wrong = with(true)
        .activate(&stranger(1), &link, &Password::from(OTHER_PASSWORD))
        .await;
    assert!(matches!(
        wrong,
        Err(Denied::Refused(ActivateRefused::NotCorrect { .. }))
    ));
    world.auth.activate(&stranger(1), &link, &password).await.unwrap();
}

/// An account whose hash a host has brought along beside every feature.
async fn brought_along(world: &World, hash: &str) -> AccountRow {
    world.person(VAL).await;
    let before = world.account(VAL).await;
    let row = AccountRow {
        password: StoredHash::from_column(hash.to_owned()),
        ..before
    };
    world.put_account(row).await;
    world.account(VAL).await
}

#[tokio::test]
async fn a_foreign_hash_of_an_account_is_replaced_at_the_next_right_sign_in() {
    // HASH-4, HASH-6
    for hash in HASHES {
        let world = World::new();
        let before = brought_along(&world, hash).await;
        assert!(matches!(
            world.try_sign_in(&stranger(1), VAL, OTHER_PASSWORD).await,
            Err(Denied::Refused(SignInRefused::NotCorrect))
        ));
        assert_eq!(world.account(VAL).await.password, before.password);
        world.signed_in(&stranger(1), VAL).await;
        let after = world.account(VAL).await;
        assert!(after.password.as_str().starts_with("$argon2id$"));
        assert_eq!(after.auth_epoch, before.auth_epoch, "sessions live on");
        assert_eq!(world.audited("password.rehashed"), 1);
        world.signed_in(&stranger(1), VAL).await;
        assert_eq!(world.audited("password.rehashed"), 1, "once is enough");
    }
}

#[tokio::test]
async fn replacing_it_loses_to_a_password_that_changed_meanwhile() {
    // HASH-4, I-06
    let world = World::new();
    let before = brought_along(&world, HASHES[1]).await;
    let changed = AccountRow {
        password: StoredHash::from_column(HASHES[3].to_owned()),
        ..before
    };
    let rival = rows::work().change(Change::Account(Box::new(Write::Update(changed.clone()))));
    world
        .store
        .meet("password.rehashed", Mishap::Rival(Box::new(rival)));
    let answer = world
        .auth
        .sign_in(&stranger(1), SignInForm::new(VAL, PASSWORD))
        .await;
    assert!(answer.is_ok(), "the sign-in itself was right when it was made");
    assert_eq!(world.account(VAL).await.password, changed.password);
    assert_eq!(world.audited("password.rehashed"), 0);
}
