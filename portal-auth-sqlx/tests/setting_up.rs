//! Opening a store: migrations of many processes at once, versions, file modes, servers that accept no writes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod support;

use std::time::Duration;

use portal_auth::store::{Housekeeping, StoreError};
use portal_auth_sqlx::postgres::{PostgresOptions, PostgresStore};
use portal_auth_sqlx::schema::{SCHEMA_VERSION, SetupError};
use portal_auth_sqlx::sqlite::{SqliteOptions, SqliteStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_may_migrate_postgres_at_once() {
    for _ in 0..5 {
        let database = support::Postgres::fresh().await;
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let url = database.url.clone();
                tokio::spawn(async move {
                    let mut patient = PostgresOptions::default();
                    // Eight at once on a busy machine.
                    patient.acquire_timeout = Duration::from_secs(15);
                    let store = PostgresStore::connect(&url, &patient).await.unwrap();
                    store.migrate().await.unwrap();
                    store.check_schema().await.unwrap();
                })
            })
            .collect();
        for start in starts {
            start.await.unwrap();
        }
        let version = database.numbers("SELECT version FROM portal_schema").await;
        assert_eq!(version, [[SCHEMA_VERSION]]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_may_make_and_migrate_one_file_at_once() {
    for _ in 0..5 {
        let file = support::Sqlite::fresh();
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let path = file.path();
                tokio::spawn(async move {
                    let store = SqliteStore::open(&path, &SqliteOptions::default()).await.unwrap();
                    store.migrate().await.unwrap();
                    store.check_schema().await.unwrap();
                    store.close().await;
                })
            })
            .collect();
        for start in starts {
            start.await.unwrap();
        }
        let version = file.numbers("SELECT version FROM portal_schema").await;
        assert_eq!(version, [[SCHEMA_VERSION]]);
    }
}

#[tokio::test]
async fn a_schema_that_is_missing_or_too_new_is_refused_and_the_next_one_is_not() {
    let database = support::Postgres::fresh().await;
    let store = PostgresStore::connect(&database.url, &PostgresOptions::default())
        .await
        .unwrap();
    let answer = store.check_schema().await;
    assert!(
        matches!(answer, Err(SetupError::SchemaTooOld { found: 0, .. })),
        "{answer:?}"
    );
    store.migrate().await.unwrap();
    assert!(store.health().await.unwrap().schema_current);
    database
        .run("UPDATE portal_schema SET version = version + 1")
        .await;
    store.migrate().await.unwrap();
    store.check_schema().await.unwrap();
    assert!(store.health().await.unwrap().schema_current);
    database
        .run("UPDATE portal_schema SET version = version + 1")
        .await;
    let answer = store.check_schema().await;
    assert!(
        matches!(answer, Err(SetupError::SchemaTooNew { .. })),
        "{answer:?}"
    );
    assert!(!store.health().await.unwrap().schema_current);

    let file = support::Sqlite::fresh();
    let store = SqliteStore::open(&file.path(), &SqliteOptions::default())
        .await
        .unwrap();
    let answer = store.check_schema().await;
    assert!(
        matches!(answer, Err(SetupError::SchemaTooOld { found: 0, .. })),
        "{answer:?}"
    );
    store.migrate().await.unwrap();
    file.run("UPDATE portal_schema SET version = version + 1").await;
    store.check_schema().await.unwrap();
    file.run("UPDATE portal_schema SET version = version + 1").await;
    assert!(!store.health().await.unwrap().schema_current);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_a_file_that_was_made_here() {
    use std::os::unix::fs::PermissionsExt as _;

    let file = support::Sqlite::fresh();
    let store = file.open().await;
    let mut files = 0;
    for entry in std::fs::read_dir(&file.directory).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        files += 1;
    }
    assert_eq!(files, 3, "the database, its log and its index");
    store.close().await;
}

#[tokio::test]
async fn a_database_in_memory_is_refused_with_a_sentence() {
    for target in [
        ":memory:",
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite://x?mode=memory",
    ] {
        let answer = SqliteStore::open(target, &SqliteOptions::default()).await;
        assert!(
            matches!(answer, Err(SetupError::InMemory)),
            "{target}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_file_is_found_by_path_and_by_address() {
    let file = support::Sqlite::fresh();
    file.open().await.close().await;
    let address = format!("sqlite://{}", file.path());
    let store = SqliteStore::open(&address, &SqliteOptions::default())
        .await
        .unwrap();
    store.check_schema().await.unwrap();
}

#[tokio::test]
async fn what_is_committed_is_there_after_the_file_was_closed() {
    use portal_auth::store::AccountStore as _;

    let file = support::Sqlite::fresh();
    let store = file.open().await;
    store
        .commit(support::making(&support::account(1), 1))
        .await
        .unwrap();
    store.close().await;
    let store = file.open().await;
    assert_eq!(
        store.by_id(support::account(1).id).await.unwrap(),
        Some(support::account(1))
    );
}

#[tokio::test]
async fn a_server_that_accepts_no_writes_is_refused() {
    let database = support::Postgres::fresh().await;
    support::administer(format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        database.name()
    ))
    .await;
    let answer = PostgresStore::connect(&database.url, &PostgresOptions::default()).await;
    assert!(matches!(answer, Err(SetupError::ReadOnly)), "{answer:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_a_wrong_address_is_not() {
    let options = PostgresOptions::default();
    let answer = PostgresStore::connect("postgres://portal@127.0.0.1:1/portal", &options).await;
    assert!(
        matches!(answer, Err(SetupError::Store(StoreError::Unavailable(_)))),
        "{answer:?}"
    );
    let answer = PostgresStore::connect("not an address", &options).await;
    assert!(matches!(answer, Err(SetupError::Address(_))), "{answer:?}");
}
