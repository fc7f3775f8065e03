//! The export of a person's data: all of it, nothing that opens anything, and no table forgotten.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{MICRO, MINUTE, OTHER_PASSWORD, PASSWORD, VAL, World, address, stranger};
use portal_auth::error::Denied;
use portal_auth::features::change_email::ChangeEmailForm;
use portal_auth::features::export_data::{DataExport, ExportRefused};
use portal_auth::password::Password;
use portal_auth::secret::token::SessionToken;
use portal_auth::session::SessionEnd;
use portal_auth::testkit::recording_mailer::MailFailure;
use serde_json::{Value, json};

const TAKEN: &str = "taken@school.example";

async fn export(world: &World, session: &SessionToken) -> Result<DataExport, Denied<ExportRefused>> {
    world.auth.export_data(&stranger(1), session).await
}

/// Where each table of the library stands in the export, or why it does not.
const TABLES: [(&str, Result<&str, &str>); 12] = [
    ("portal_accounts", Ok("account")),
    ("portal_email_claims", Ok("account")), // Its address.
    ("portal_registrations", Ok("registrations")),
    ("portal_links", Ok("links")),
    ("portal_challenges", Ok("half_done_sign_ins")),
    ("portal_sessions", Ok("sessions")),
    ("portal_devices", Ok("familiar_browsers")),
    (
        "portal_drafts",
        Err("under a key that only the browser holds; gone after 24 hours"),
    ),
    (
        "portal_throttle",
        Err("under keyed pseudonyms of addresses, browsers and networks"),
    ),
    (
        "portal_audit_seals",
        Err("seals over batches of events, of nobody's"),
    ),
    (
        "portal_quotas",
        Err("under keyed pseudonyms of addresses and networks"),
    ),
    ("portal_outbox", Ok("emails")),
];

/// Beside them: the one table that holds more than its owner's.
const AUDIT: (&str, &str) = ("portal_audit", "activity");

#[tokio::test]
async fn every_table_of_both_databases_is_exported_or_left_out_for_a_reason() {
    // P27
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let export = export(&world, &session).await.unwrap();
    for (table, told) in TABLES {
        match told {
            Ok(part) => assert!(export.parts().contains_key(part), "{table} as {part}"),
            Err(why) => assert!(why.len() > 20, "{table}"),
        }
    }
    assert!(export.parts().contains_key(AUDIT.1));
    let known: BTreeSet<_> = TABLES.iter().map(|(t, _)| *t).chain([AUDIT.0]).collect();
    for database in ["postgres", "sqlite"] {
        let found = tables_of(database);
        let found: BTreeSet<_> = found.iter().map(String::as_str).collect();
        assert_eq!(
            found, known,
            "{database}: say in TABLES how a new table is exported"
        );
    }
}

/// The tables that the migrations of a database make.
fn tables_of(database: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../portal-auth-sqlx/migrations")
        .join(database);
    let mut tables = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for statement in text.split("CREATE TABLE ").skip(1) {
            let name = statement.trim_start_matches("IF NOT EXISTS ");
            let name = name.split(|c: char| c.is_whitespace() || c == '(').next();
            tables.insert(name.unwrap().to_owned());
        }
    }
    tables
}

#[tokio::test]
async fn it_holds_what_is_kept_and_nothing_that_opens_anything() {
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let export = export(&world, &session).await.unwrap();
    let parts = export.parts();
    assert_eq!(parts["account"]["email_address"], json!(VAL));
    assert_eq!(parts["account"]["two_step_verification"], json!("email"));
    assert_eq!(parts["account"]["details"]["about_me"]["forename"], json!("Val"));
    assert_eq!(parts["sessions"][0]["browser"], json!("Firefox on Windows"));
    assert_eq!(parts["sessions"][0]["steps_proved"], json!("two"));
    assert!(!parts["familiar_browsers"].as_array().unwrap().is_empty());
    assert!(!parts["emails"].as_array().unwrap().is_empty());
    let activity = parts["activity"].as_array().unwrap();
    assert!(activity.iter().any(|e| e["what"] == json!("sign_in.done")));
    assert_eq!(
        activity.last().unwrap()["what"],
        json!("data.exported"),
        "the export itself is told"
    );
    let text = serde_json::to_string(&export).unwrap();
    let account = world.account(VAL).await;
    for secret in [
        account.password.as_str(),
        account.answer.as_ref().unwrap().as_str(),
        &account.auth_epoch.to_string(),
        session.expose(),
        PASSWORD,
        common::ANSWER,
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    for word in ["argon2", "seed", "epoch", "mac", "key", "198.51"] {
        assert!(!has_name_or_value(&Value::Object(parts.clone()), word), "{word}");
    }
    assert!(!format!("{export:?}").contains(VAL), "an export is no log line");
}

/// Whether a name, or the beginning of a text, is `word`.
fn has_name_or_value(value: &Value, word: &str) -> bool {
    match value {
        Value::Object(map) => map
            .iter()
            .any(|(name, value)| name.contains(word) || has_name_or_value(value, word)),
        Value::Array(list) => list.iter().any(|value| has_name_or_value(value, word)),
        Value::String(text) => text.starts_with(word) && !text.ends_with(".x"),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[tokio::test]
async fn what_a_stranger_typed_under_the_address_is_not_told() {
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    let draft = world.fill_in(&stranger(7), VAL, OTHER_PASSWORD, "Mallory").await;
    world
        .auth
        .submit_registration(&stranger(7), &draft)
        .await
        .unwrap();
    let session = world.session(VAL).await;
    let export = export(&world, &session).await.unwrap();
    assert_eq!(export.parts()["registrations"].as_array().unwrap().len(), 2);
    assert!(!serde_json::to_string(&export).unwrap().contains("Mallory"));
}

#[tokio::test]
async fn neither_it_nor_the_activity_tells_whether_an_address_that_was_asked_for_is_taken() {
    // CHG-3, ENU-1
    let mut told = Vec::new();
    for asked in ["free@school.example", TAKEN] {
        let world = World::new();
        world.person(TAKEN).await;
        world.person(VAL).await;
        let session = world.session(VAL).await;
        for refused in [false, true] {
            if refused {
                world.mailer.fail(MailFailure::Permanent);
            }
            let form = ChangeEmailForm::new(asked, PASSWORD);
            world
                .auth
                .change_email(&stranger(1), &session, form)
                .await
                .unwrap();
            world.work().await;
            world.clock.advance(MINUTE);
        }
        let signed_in = world.auth.authenticate(&session).await.unwrap();
        let mut activity = world.auth.recent_activity(&signed_in).await.unwrap();
        activity.sort_by_key(|entry| format!("{entry:?}"));
        let export = serde_json::to_string(&export(&world, &session).await.unwrap()).unwrap();
        assert!(!export.contains(asked), "{export}");
        let export = export.replace(&address(asked).masked(), "masked");
        told.push((activity, comparable(&serde_json::from_str(&export).unwrap())));
    }
    assert_eq!(told[0], told[1]);
}

/// An export without its random names, and in an order that none of them decides.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let named = map.iter().filter(|(name, _)| *name != "id" && *name != "handle");
            named
                .map(|(name, value)| (name.clone(), comparable(value)))
                .collect()
        }
        Value::Array(list) => {
            let mut list: Vec<_> = list.iter().map(comparable).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[tokio::test]
async fn a_mail_to_a_new_address_is_told_once_that_is_confirmed() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let new = "val@college.example";
    let form = ChangeEmailForm::new(new, PASSWORD);
    world
        .auth
        .change_email(&stranger(1), &session, form)
        .await
        .unwrap();
    let link = world.link_in(new, "confirm-email").await;
    let confirmed = world
        .auth
        .confirm_email(&stranger(1), &link, Some(&session), &Password::new(""))
        .await;
    let session = confirmed.unwrap().session.unwrap();
    let export = export(&world, &session).await.unwrap();
    for (part, name, what) in [
        ("links", "purpose", "confirm_email"),
        ("emails", "kind", "confirm-email"),
    ] {
        let rows = export.parts()[part].as_array().unwrap();
        assert!(rows.iter().any(|row| row[name] == json!(what)), "{what}");
    }
}

#[tokio::test]
async fn it_needs_a_proof_of_the_last_five_minutes_and_is_audited() {
    // STP-3, LOG-1
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.clock.advance(MINUTE * 5);
    export(&world, &session).await.unwrap();
    assert_eq!(world.audited("data.exported"), 1);
    world.clock.advance(MICRO);
    assert!(matches!(
        export(&world, &session).await,
        Err(Denied::Refused(ExportRefused::Confirm))
    ));
    assert_eq!(world.audited("data.exported"), 1);
    world.auth.sign_out(&stranger(1), &session).await.unwrap();
    assert!(matches!(
        export(&world, &session).await,
        Err(Denied::Refused(ExportRefused::SessionEnded(SessionEnd::Revoked)))
    ));
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_host_adds_what_it_keeps_itself() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let mut export = export(&world, &session).await.unwrap();
    export.add("change_of_circumstances", json!([{ "reference": "CC-1" }]));
    let text = serde_json::to_string(&export).unwrap();
    assert!(text.contains("CC-1"));
}
