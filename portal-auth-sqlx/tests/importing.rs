//! A password that another service has hashed, from the import to the sign-in, over each database.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod support;

use std::sync::Arc;

use portal_auth::account::email::EmailAddress;
use portal_auth::config::Config;
use portal_auth::features::administer::Administrator;
use portal_auth::features::prepare_registration::{PersonToPrepare, Prepared};
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::password::Password;
use portal_auth::password::hash::HashParams;
use portal_auth::password::imported::ImportedHash;
use portal_auth::secret::keyring::{KeyLine, KeyList, KeyState, Keyring};
use portal_auth::secret::token::LinkToken;
use portal_auth::store::Store;
use portal_auth::testkit::RecordingMailer;
use portal_auth::testkit::recording_mailer::tokens_in;
use portal_auth::visitor::Visitor;
use portal_auth::{Background, PortalAuth};

const VAL: &str = "val@school.example";
const PASSWORD: &str = "Quiet-Meadow-42";
/// `password/imported_tests.rs` of the core says how they were made.
const HASHES: [&str; 3] = [
    "$2b$05$abcdefghijklmnopqrstuuEFOXIAfGBRY6GWLBaNHWZnRQmOoVGu.",
    "pbkdf2_sha256$1000$seasalt2seasalt2$i8+fId2FKsPhD5yMn9A5EXigHv2soLiUtGPjDUYDbRU=",
    "AAABAgMEBQYHCAkKCwwNDg/9/FKAqwYaj62zwJR7mz2gwfC7e22qRVukaDcEjmAWKw==",
];

fn service(store: &Arc<dyn Store>) -> (PortalAuth, Background, RecordingMailer) {
    let mut config = Config::modern("https://portal.example".parse().unwrap());
    config.passwords.hash = HashParams::cheapest();
    config.passwords.workers = Some(1);
    let keys = [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym].map(|list| {
        let secret = (0..32).collect::<Vec<u8>>().into();
        KeyLine::new(list, "k1".into(), KeyState::Signing, secret)
    });
    let keyring = Keyring::from_lines(keys.into()).unwrap();
    let mailer = RecordingMailer::new();
    let (auth, background) = PortalAuth::build(config, Arc::clone(store), mailer.clone(), keyring).unwrap();
    (auth, background, mailer)
}

on_both! {
    async fn an_imported_password_becomes_an_argon2id_one(store, _database) {
        // I-01, HASH-4
        for (number, hash) in HASHES.into_iter().enumerate() {
            let (auth, background, mailer) = service(&store);
            let address = format!("{number}.{VAL}");
            let email = EmailAddress::parse(&address).unwrap();
            let person =
                PersonToPrepare::new(email.clone()).with_password(ImportedHash::parse(hash).unwrap());
            let operator = Administrator::at_the_command_line();
            let prepared = auth.prepare_registration(&operator, &person).await.unwrap();
            assert_eq!(prepared, Prepared::Mailed);
            assert!(auth.find_account(&email).await.unwrap().is_none());
            background.work_once().await.unwrap();
            let mail = mailer.latest(&address, "complete-registration").unwrap();
            let link = LinkToken::parse(tokens_in(&mail.text)[0]).unwrap();
            let visitor = Visitor::unknown();
            let wrong = auth.activate(&visitor, &link, &Password::from("Loud-Mountain-17")).await;
            assert!(wrong.is_err(), "{wrong:?}");
            auth.activate(&visitor, &link, &Password::from(PASSWORD)).await.unwrap();
            let stored = store.by_email(&email, None).await.unwrap().account.unwrap().password;
            assert!(stored.as_str().starts_with("$argon2id$"));
            let signed_in = auth.sign_in(&visitor, SignInForm::new(&address, PASSWORD)).await.unwrap();
            assert!(matches!(signed_in, SignInOutcome::SignedIn(_)), "{signed_in:?}");
        }
    }
}
