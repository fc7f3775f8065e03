//! Changing what the service keeps about a person: one section, seen before it is overwritten, and never lost.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::sync::Arc;

use common::watched_store::Mishap;
use common::{AboutMe, HOUR, MINUTE, VAL, World, stranger};
use portal_auth::PortalAuth;
use portal_auth::account::profile::{Section, SectionVersion, Sections, StoredProfile};
use portal_auth::account::status::TwoStep;
use portal_auth::audit::Actor;
use portal_auth::config::Config;
use portal_auth::error::{Denied, FieldErrors, Reason};
use portal_auth::features::update_profile::{ChangedSection, ProfileRefused, ProfileUpdate};
use portal_auth::secret::token::SessionToken;
use portal_auth::session::SessionEnd;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Answer = Result<ProfileUpdate, Denied<ProfileRefused>>;

/// A second section, which a profile may be without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Badge {
    number: u32,
}

impl Section for Badge {
    const NAME: &'static str = "badge";
    const OPTIONAL: bool = true;

    fn check(self) -> Result<Self, FieldErrors> {
        Ok(self)
    }
}

fn two_sections(config: &mut Config) {
    config.registration.profile = Arc::new(Sections::<(AboutMe, Badge)>::new(1));
}

async fn signed_in_world() -> (World, SessionToken) {
    let world = World::with(two_sections);
    world.person(VAL).await;
    let session = world.session(VAL).await;
    (world, session)
}

/// The same cookie in another tab.
fn same(session: &SessionToken) -> SessionToken {
    SessionToken::parse(session.expose()).unwrap()
}

fn about(forename: &str) -> AboutMe {
    AboutMe {
        forename: forename.to_owned(),
    }
}

async fn version(auth: &PortalAuth, session: &SessionToken, section: &str) -> SectionVersion {
    let person = auth.authenticate(session).await.unwrap();
    let account = auth.account(&person).await.unwrap();
    auth.profile(&account).unwrap().version(section)
}

async fn save<S: Section>(
    world: &World,
    session: &SessionToken,
    section: &S,
    seen: &SectionVersion,
) -> Answer {
    world
        .auth
        .update_profile(&stranger(1), session, section, seen)
        .await
}

fn changed(answer: Answer) -> ChangedSection {
    match answer {
        Err(Denied::Refused(ProfileRefused::Changed(changed))) => *changed,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_section_is_tidied_saved_and_audited_without_mail() {
    let (world, session) = signed_in_world().await;
    world.work().await;
    let mails = world.mailer.sent_to(VAL).len();
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    let answer = save(&world, &session, &about(" Valerie "), &seen).await;
    let ProfileUpdate::Saved(new) = answer.unwrap() else {
        panic!("it was new");
    };
    assert_eq!(world.account(VAL).await.profile.get(), Some(about("Valerie")));
    assert_eq!(new, version(&world.auth, &session, AboutMe::NAME).await);
    assert_ne!(new, seen);
    let event = world.audit().pop().unwrap();
    assert_eq!(
        (event.kind.as_str(), event.reason.as_str()),
        ("profile.updated", "about_me")
    );
    assert_eq!(event.actor, Actor::Owner);
    assert_eq!(event.label, "Firefox on Windows");
    world.work().await;
    assert_eq!(world.mailer.sent_to(VAL).len(), mails);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn of_two_tabs_the_second_is_shown_what_the_first_saved_and_can_save_again() {
    let (world, session) = signed_in_world().await;
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    save(&world, &session, &about("First"), &seen).await.unwrap();
    let first_saved_at = world.now();
    world.clock.advance(MINUTE * 3);
    // Something else about the account changes later: it is not what the person is told of.
    let none = version(&world.auth, &session, Badge::NAME).await;
    save(&world, &session, &Badge { number: 7 }, &none).await.unwrap();

    let shown = changed(save(&world, &session, &about("Second"), &seen).await);
    assert_eq!(shown.get(), Some(about("First")));
    assert_eq!(shown.saved_at, first_saved_at);
    assert_eq!(shown.by, Actor::Owner);
    assert_eq!(shown.browser, "Firefox on Windows");
    assert_eq!(world.account(VAL).await.profile.get(), Some(about("First")));

    let again = save(&world, &session, &about("Second"), &shown.version).await;
    assert!(matches!(again, Ok(ProfileUpdate::Saved(_))), "{again:?}");
    assert_eq!(world.account(VAL).await.profile.get(), Some(about("Second")));
    assert_eq!(world.account(VAL).await.profile.get(), Some(Badge { number: 7 }));
}

#[tokio::test]
async fn other_changes_of_the_account_disturb_no_form() {
    let (world, session) = signed_in_world().await;
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    let before = world.account(VAL).await.version;
    for number in 1..4 {
        let badge = version(&world.auth, &session, Badge::NAME).await;
        save(&world, &session, &Badge { number }, &badge).await.unwrap();
    }
    assert!(world.account(VAL).await.version > before);
    let answer = save(&world, &session, &about("Valerie"), &seen).await;
    assert!(matches!(answer, Ok(ProfileUpdate::Saved(_))), "{answer:?}");
}

#[tokio::test]
async fn what_is_there_already_is_not_written_again_whatever_the_form_was_made_from() {
    let (world, session) = signed_in_world().await;
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    let before = world.account(VAL).await;
    assert_eq!(
        save(&world, &session, &about("Val "), &seen).await.unwrap(),
        ProfileUpdate::Unchanged
    );
    assert_eq!(world.account(VAL).await, before);
    // R9: a button that is pressed twice.
    save(&world, &session, &about("Valerie"), &seen).await.unwrap();
    assert_eq!(
        save(&world, &session, &about("Valerie"), &seen).await.unwrap(),
        ProfileUpdate::Unchanged
    );
    assert_eq!(world.audited("profile.updated"), 1);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_saved() {
    let (world, session) = signed_in_world().await;
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    let before = world.account(VAL).await;
    let Err(Denied::Refused(ProfileRefused::Fields(errors))) =
        save(&world, &session, &about(" "), &seen).await
    else {
        panic!("an empty name");
    };
    assert_eq!(errors.iter().next().unwrap().reason.code(), "forename.required");
    // REG-1, P-09: a field that nobody asked for.
    let forged = json!({ "forename": "Val", "status": "administrator" });
    for (name, typed, expected) in [
        ("about_me", forged, "section.shape"),
        ("about_me", Value::Null, "section.shape"),
        (
            "about_me",
            json!({ "forename": "x".repeat(33_000) }),
            "section.too_large",
        ),
        ("work", json!({}), ""),
        ("", json!({}), ""),
    ] {
        let answer = world
            .auth
            .update_profile_section(&stranger(1), &session, name, typed, &seen)
            .await;
        match answer {
            Err(Denied::Refused(ProfileRefused::Fields(errors))) => {
                assert_eq!(errors.iter().next().unwrap().reason.code(), expected);
            }
            Err(Denied::Refused(ProfileRefused::NoSuchSection)) => assert_eq!(expected, ""),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.account(VAL).await, before);
    assert_eq!(world.audited("profile.updated"), 0);
}

#[tokio::test]
async fn a_session_that_is_over_saves_nothing() {
    // SES-3, SES-5
    let (world, session) = signed_in_world().await;
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    let other = world.session(VAL).await;
    world
        .auth
        .set_two_step(&stranger(1), &other, TwoStep::Email)
        .await
        .unwrap();
    let revoked = save(&world, &session, &about("Valerie"), &seen).await;
    assert!(matches!(
        revoked,
        Err(Denied::Refused(ProfileRefused::SessionEnded(SessionEnd::Revoked)))
    ));
    let fresh = world.session_at_two(VAL).await;
    world.clock.advance(HOUR);
    let idle = save(&world, &fresh, &about("Valerie"), &seen).await;
    assert!(matches!(
        idle,
        Err(Denied::Refused(ProfileRefused::SessionEnded(SessionEnd::Idle)))
    ));
    assert_eq!(world.account(VAL).await.profile.get(), Some(about("Val")));
}

#[tokio::test]
async fn conflicts_are_decided_again_and_lost_answers_found_out() {
    let (world, session) = signed_in_world().await;
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    for _ in 0..4 {
        world.store.meet("profile.updated", Mishap::Conflict);
    }
    save(&world, &session, &about("One"), &seen).await.unwrap();

    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    world.store.meet("profile.updated", Mishap::LostAnswer);
    save(&world, &session, &about("Two"), &seen).await.unwrap();
    assert_eq!(world.audited("profile.updated"), 2);

    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    for _ in 0..5 {
        world.store.meet("profile.updated", Mishap::Conflict);
    }
    let busy = save(&world, &session, &about("Three"), &seen).await;
    assert!(matches!(busy, Err(Denied::Busy { .. })), "{busy:?}");
    assert_eq!(world.account(VAL).await.profile.get(), Some(about("Two")));
}

#[tokio::test]
async fn whoever_is_overtaken_between_reading_and_writing_is_shown_the_other_version() {
    let (world, session) = signed_in_world().await;
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    let (rival, token, theirs) = (world.auth.clone(), same(&session), seen.clone());
    world.store.meet(
        "profile.updated",
        Mishap::Overtaken(Box::pin(async move {
            rival
                .update_profile(&stranger(2), &token, &about("First"), &theirs)
                .await
                .unwrap();
        })),
    );
    let shown = changed(save(&world, &session, &about("Second"), &seen).await);
    assert_eq!(shown.get(), Some(about("First")));
}

#[tokio::test]
async fn of_many_at_once_one_is_saved_and_the_others_are_told() {
    let (world, session) = signed_in_world().await;
    let seen = version(&world.auth, &session, AboutMe::NAME).await;
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (auth, session, seen) = (world.auth.clone(), same(&session), seen.clone());
        tries.spawn(async move {
            auth.update_profile(&stranger(1), &session, &about(&format!("Val {n}")), &seen)
                .await
        });
    }
    let answers = tries.join_all().await;
    let saved = answers.iter().filter(|a| a.is_ok()).count();
    assert_eq!(saved, 1, "{answers:?}");
    assert!(answers.into_iter().all(|answer| matches!(
        answer,
        Ok(ProfileUpdate::Saved(_)) | Err(Denied::Refused(ProfileRefused::Changed(_)))
    )));
    assert_eq!(world.audited("profile.updated"), 1);
}

/// [`AboutMe`] as a later version of the service asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    forename: String,
    #[serde(default)]
    pronouns: String,
}

impl Section for Person {
    const NAME: &'static str = "person";

    fn check(self) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        if self.pronouns.is_empty() {
            errors.add("pronouns", Reason::new("pronouns.required"));
        }
        errors.or(self)
    }

    fn greeting(&self) -> Option<String> {
        Some(self.forename.clone())
    }
}

fn later_version(config: &mut Config) {
    let schema = Sections::<(Person,)>::new(2).upgraded_by(|mut old: StoredProfile| {
        if let Some(about) = old.sections.remove(AboutMe::NAME) {
            old.sections.insert(Person::NAME.to_owned(), about);
        }
        Ok(old)
    });
    config.registration.profile = Arc::new(schema);
}

#[tokio::test]
async fn a_profile_of_an_older_schema_is_upgraded_when_read_and_written_back_with_the_next_change() {
    let (world, session) = signed_in_world().await;
    let (later, background) = world.process_with(later_version);
    let person = later.authenticate(&session).await.unwrap();
    let account = later.account(&person).await.unwrap();
    assert_eq!(account.profile.version, 2);
    let kept: Person = account.profile.get().unwrap();
    assert_eq!(kept.forename, "Val");
    let profile = later.profile(&account).unwrap();
    let missing = profile.missing();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].section, "person");
    assert_eq!(missing[0].field.as_deref(), Some("pronouns"));
    assert_eq!(
        world.account(VAL).await.profile.version,
        1,
        "reading writes nothing"
    );

    let typed = Person {
        pronouns: "they".to_owned(),
        ..kept
    };
    later
        .update_profile(&stranger(1), &session, &typed, &profile.version(Person::NAME))
        .await
        .unwrap();
    let stored = world.account(VAL).await.profile;
    assert_eq!(stored.version, 2);
    assert_eq!(stored.sections.keys().collect::<Vec<_>>(), ["person"]);
    let account = later.account(&person).await.unwrap();
    assert!(later.profile(&account).unwrap().missing().is_empty());

    // MAIL-3: mails greet by the upgraded profile too.
    later
        .set_two_step(&stranger(1), &session, TwoStep::Email)
        .await
        .unwrap();
    background.work_once().await.unwrap();
    let mail = world.mailer.latest(VAL, "two-step-changed").unwrap();
    assert!(mail.text.contains("Val"), "{}", mail.text);
}

#[tokio::test]
async fn a_profile_that_cannot_be_understood_is_left_alone_and_keeps_nobody_out() {
    let (world, session) = signed_in_world().await;
    let (later, _background) = world.process_with(later_version);
    let typed = Person {
        forename: "Val".to_owned(),
        pronouns: "she".to_owned(),
    };
    let seen = version(&later, &session, Person::NAME).await;
    later
        .update_profile(&stranger(1), &session, &typed, &seen)
        .await
        .unwrap();
    // The service goes back to its older version.
    let person = world.auth.authenticate(&session).await.unwrap();
    let account = world.auth.account(&person).await.unwrap();
    assert!(world.auth.profile(&account).is_err());
    let answer = save(&world, &session, &about("Valerie"), &seen).await;
    assert!(matches!(answer, Err(Denied::Fault(_))), "{answer:?}");
    assert_eq!(world.account(VAL).await.profile.get(), Some(typed));
}

#[tokio::test]
async fn an_optional_section_is_not_asked_for_at_registration_and_can_be_added_later() {
    let (world, session) = signed_in_world().await;
    let person = world.auth.authenticate(&session).await.unwrap();
    let account = world.auth.account(&person).await.unwrap();
    let profile = world.auth.profile(&account).unwrap();
    assert_eq!(profile.get::<Badge>(), None);
    assert!(profile.missing().is_empty());
    assert!(!account.profile.sections.contains_key(Badge::NAME));
    save(
        &world,
        &session,
        &Badge { number: 1 },
        &profile.version(Badge::NAME),
    )
    .await
    .unwrap();
    assert_eq!(world.account(VAL).await.profile.get(), Some(Badge { number: 1 }));
}
