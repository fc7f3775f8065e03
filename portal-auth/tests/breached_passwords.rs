//! Passwords from breaches: refused wherever one is set, beside every other rule; asked for by five digits of a hash.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{ANSWER, MINUTE, OTHER_PASSWORD, PASSWORD, VAL, World, stranger};
use portal_auth::error::{Denied, Fault};
use portal_auth::features::change_password::ChangePasswordRefused;
use portal_auth::features::register::RegisterRefused;
use portal_auth::features::reset_password::ResetRefused;
use portal_auth::password::Password;
use portal_auth::password::breached::{BreachCheck, BreachedPasswords, HashPrefix, WhenUnavailable};
use portal_auth::password::policy::BrokenRule;
use portal_auth::password::wording::sentence;
use portal_auth::{NewPassword, PortalAuth};

/// SHA-1 of `OTHER_PASSWORD` and of `abc`, by `printf … | sha1sum`.
const LISTED: [(&str, &str); 2] = [
    ("4EB2D", "B70C898F467123F06927276121FCDFD4C7E"),
    ("A9993", "E364706816ABA3E25717850C26C9CD0D89D"),
];

/// How a source behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Answers,
    Pads,
    Fails,
    Babbles,
    NeverAnswers,
}

/// A source that remembers what it was asked.
#[derive(Debug)]
struct Source {
    mood: Mood,
    asked: Mutex<Vec<String>>,
}

impl Source {
    fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self {
            mood,
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl BreachedPasswords for Source {
    async fn range(&self, prefix: HashPrefix) -> Result<String, Fault> {
        self.asked.lock().unwrap().push(prefix.as_str().to_owned());
        let count = if self.mood == Mood::Pads { 0 } else { 7 };
        match self.mood {
            Mood::Answers | Mood::Pads => Ok(LISTED
                .iter()
                .filter(|(listed, _)| *listed == prefix.as_str())
                .map(|(_, suffix)| format!("{suffix}:{count}\r\n"))
                .chain([format!("{}:1\r\n", "0".repeat(35))])
                .collect()),
            Mood::Fails => Err(Fault::transient("the source is down")),
            Mood::Babbles => Ok("<html>Too many requests</html>".to_owned()),
            Mood::NeverAnswers => pending().await,
        }
    }
}

/// The same service with a list of breached passwords.
fn checking(world: &World, source: &Arc<Source>, unavailable: WhenUnavailable) -> PortalAuth {
    let mut check = BreachCheck::new(Arc::clone(source)).when_unavailable(unavailable);
    if source.mood == Mood::NeverAnswers {
        check.patience = Duration::from_millis(10);
    }
    world
        .process_with(|config| config.passwords.breached = Some(check))
        .0
}

/// The codes at the field of the new password after the first step of a registration.
async fn registering(world: &World, auth: &PortalAuth, password: &str) -> Vec<&'static str> {
    let details = world.details("new@school.example", password);
    match auth.save_security_details(&stranger(1), None, details).await {
        Ok(_) => Vec::new(),
        Err(Denied::Refused(RegisterRefused::Fields(errors))) => {
            errors.of("new-password").map(|e| e.reason.code()).collect()
        }
        Err(other) => panic!("{other:?}"),
    }
}

fn codes(broken: &[BrokenRule]) -> Vec<&'static str> {
    broken.iter().map(|rule| rule.reason().code()).collect()
}

async fn changing(world: &World, auth: &PortalAuth, password: &str) -> Vec<&'static str> {
    let session = world.session(VAL).await;
    let new = NewPassword::new(password).repeated(password);
    let answer = auth
        .change_password(&stranger(1), &session, &Password::new(PASSWORD), &new)
        .await;
    match answer {
        Ok(_) => Vec::new(),
        Err(Denied::Refused(ChangePasswordRefused::Form(wrong))) => codes(&wrong.new.unwrap().broken),
        Err(other) => panic!("{other:?}"),
    }
}

async fn resetting(world: &World, auth: &PortalAuth, password: &str) -> Vec<&'static str> {
    let link = world.reset_link(VAL).await;
    let proof = auth.answer_reset(&stranger(1), &link, ANSWER).await.unwrap();
    let new = NewPassword::new(password).repeated(password);
    match auth
        .set_new_password(&stranger(1), &link, Some(&proof), &new)
        .await
    {
        Ok(_) => Vec::new(),
        Err(Denied::Refused(ResetRefused::Password(wrong))) => codes(&wrong.broken),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_breached_password_is_refused_wherever_one_is_set() {
    // PWD-2, ASVS 6.2.12
    let world = World::new();
    world.person(VAL).await;
    let source = Source::new(Mood::Answers);
    let auth = checking(&world, &source, WhenUnavailable::Accept);
    assert_eq!(
        registering(&world, &auth, OTHER_PASSWORD).await,
        ["password.breached"]
    );
    assert_eq!(
        changing(&world, &auth, OTHER_PASSWORD).await,
        ["password.breached"]
    );
    assert_eq!(
        resetting(&world, &auth, OTHER_PASSWORD).await,
        ["password.breached"]
    );
    assert_eq!(source.asked(), ["4EB2D"; 3], "five digits are all that is asked");

    let twin = "Calm-Harvest-63-x";
    assert!(registering(&world, &auth, twin).await.is_empty());
    assert!(changing(&world, &auth, twin).await.is_empty());
    world.clock.advance(MINUTE);
    assert!(resetting(&world, &auth, "Calm-Harvest-64-x").await.is_empty());
    assert_eq!(auth.counts().breach_checks_missed, 0);
}

#[tokio::test]
async fn it_is_told_beside_every_other_rule() {
    // PWD-1, PWD-2
    let world = World::new();
    world.person(VAL).await;
    let auth = checking(&world, &Source::new(Mood::Answers), WhenUnavailable::Accept);
    let all = [
        "password.too_short",
        "password.digits",
        "password.upper",
        "password.special",
        "password.breached",
    ];
    assert_eq!(registering(&world, &auth, "abc").await, all);
    assert_eq!(changing(&world, &auth, "abc").await, all);
    assert_eq!(resetting(&world, &auth, "abc").await, all);
}

#[tokio::test]
async fn padding_is_no_breach() {
    let world = World::new();
    let auth = checking(&world, &Source::new(Mood::Pads), WhenUnavailable::Refuse);
    assert!(registering(&world, &auth, OTHER_PASSWORD).await.is_empty());
}

#[tokio::test]
async fn a_source_that_is_down_behaves_as_configured_and_holds_nobody() {
    // ASVS 6.2.12
    for mood in [Mood::Fails, Mood::Babbles, Mood::NeverAnswers] {
        let world = World::new();
        world.person(VAL).await;
        let strict = checking(&world, &Source::new(mood), WhenUnavailable::Refuse);
        assert_eq!(
            registering(&world, &strict, OTHER_PASSWORD).await,
            ["password.unchecked"]
        );
        assert_eq!(
            changing(&world, &strict, OTHER_PASSWORD).await,
            ["password.unchecked"]
        );
        assert_eq!(
            resetting(&world, &strict, OTHER_PASSWORD).await,
            ["password.unchecked"]
        );
        assert_eq!(
            registering(&world, &strict, "Abcd-12").await,
            ["password.too_short", "password.unchecked"]
        );
        assert_eq!(strict.counts().breach_checks_missed, 4);

        let source = Source::new(mood);
        let lenient = checking(&world, &source, WhenUnavailable::Accept);
        assert!(registering(&world, &lenient, OTHER_PASSWORD).await.is_empty());
        assert_eq!(lenient.counts().breach_checks_missed, 1, "{mood:?}");
        assert_eq!(
            registering(&world, &lenient, "abc").await.len(),
            4,
            "all other rules stay"
        );
        // The list of common passwords stays beside it.
        assert!(
            registering(&world, &lenient, "Password12!")
                .await
                .contains(&"password.common")
        );
    }
}

#[tokio::test]
async fn nobody_is_asked_about_where_no_password_is_set() {
    // ENU-1: a sign-in and a forgotten password do the same for everybody, with or without the list
    let world = World::new();
    world.person(VAL).await;
    let source = Source::new(Mood::NeverAnswers);
    let auth = checking(&world, &source, WhenUnavailable::Refuse);
    for email in [VAL, "nobody@school.example"] {
        let form = portal_auth::features::sign_in::SignInForm::new(email, OTHER_PASSWORD);
        assert!(auth.sign_in(&stranger(1), form).await.is_err());
        auth.request_reset(&stranger(1), email).await.unwrap();
    }
    world.signed_in(&stranger(1), VAL).await;
    assert_eq!(registering(&world, &auth, "").await, ["password.required"]);
    assert_eq!(source.asked(), Vec::<String>::new());
}

#[test]
fn the_sentence_asks_to_try_later_only_where_nothing_else_is_to_be_mended() {
    let later = "Your password could not be checked against known data breaches. Try again in a few minutes";
    assert_eq!(sentence(&[BrokenRule::Unchecked]), later);
    assert_eq!(
        sentence(&[BrokenRule::Digits { least: 2 }, BrokenRule::Unchecked]),
        "Password must have at least 2 numbers"
    );
    assert_eq!(
        sentence(&[BrokenRule::Digits { least: 2 }, BrokenRule::Breached]),
        "Password must have at least 2 numbers, and must not be a password that is known from a data breach"
    );
}
