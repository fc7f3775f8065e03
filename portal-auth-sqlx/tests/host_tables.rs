//! A host's own tables in the file of a SQLite store: one writer still, readers that cannot write, nothing half done.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use portal_auth::store::{AccountStore as _, StoreError};
use portal_auth_sqlx::sqlite::{SqliteOptions, SqliteStore};
use portal_auth_sqlx::store_error;

const MAKE: &str = "CREATE TABLE host_notes (text TEXT NOT NULL UNIQUE) STRICT";
const WRITE: &str = "INSERT INTO host_notes VALUES ('ours')";
const COUNT: &str = "SELECT count(*) FROM host_notes";

async fn count(store: &SqliteStore) -> i64 {
    let mut own = store.read_host().await.unwrap();
    let count = sqlx::query_scalar(COUNT)
        .fetch_one(own.connection())
        .await
        .unwrap();
    own.done();
    count
}

async fn with_table(options: &SqliteOptions) -> (support::Sqlite, SqliteStore) {
    let file = support::Sqlite::fresh();
    let store = SqliteStore::open(&file.path(), options).await.unwrap();
    store.migrate().await.unwrap();
    let mut own = store.begin_host().await.unwrap();
    sqlx::query(MAKE).execute(own.connection()).await.unwrap();
    own.commit().await.unwrap();
    (file, store)
}

#[tokio::test]
async fn what_is_committed_stays_and_what_is_dropped_does_not() {
    let (_file, store) = with_table(&SqliteOptions::default()).await;
    for end in ["drop", "rollback", "commit"] {
        let mut own = store.begin_host().await.unwrap();
        sqlx::query(WRITE).execute(own.connection()).await.unwrap();
        assert_eq!(count(&store).await, 0, "nobody sees it before its commit");
        match end {
            "drop" => drop(own),
            "rollback" => own.rollback().await.unwrap(),
            _ => own.commit().await.unwrap(),
        }
    }
    assert_eq!(count(&store).await, 1);
    // The library's own writes go on over the same connection.
    let account = support::account(1);
    store.commit(support::making(&account, 1)).await.unwrap();
    assert_eq!(store.by_id(account.id).await.unwrap(), Some(account));
}

#[tokio::test]
async fn a_reader_cannot_write_and_errors_say_what_they_mean() {
    let (_file, store) = with_table(&SqliteOptions::default()).await;
    let mut own = store.read_host().await.unwrap();
    let error = sqlx::query(WRITE).execute(own.connection()).await.unwrap_err();
    assert!(matches!(store_error(error), StoreError::Permanent(_)));
    drop(own);
    let mut own = store.begin_host().await.unwrap();
    sqlx::query(WRITE).execute(own.connection()).await.unwrap();
    let error = sqlx::query(WRITE).execute(own.connection()).await.unwrap_err();
    assert!(matches!(store_error(error), StoreError::Permanent(_)));
}

#[tokio::test]
async fn there_is_still_one_writer() {
    let options = {
        let mut options = SqliteOptions::default();
        options.acquire_timeout = Duration::from_millis(50);
        options
    };
    let (_file, store) = with_table(&options).await;
    let own = store.begin_host().await.unwrap();
    let account = support::account(1);
    let refused = store.commit(support::making(&account, 1)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let refused = store.begin_host().await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    // Readers wait for nobody.
    assert_eq!(count(&store).await, 0);
    own.commit().await.unwrap();
    store.commit(support::making(&account, 1)).await.unwrap();
}
