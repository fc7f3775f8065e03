//! PostgreSQL and SQLite stores for [`portal_auth`].
//!
//! [`PostgresStore`](postgres::PostgresStore) serves any number of processes over one database;
//! [`SqliteStore`](sqlite::SqliteStore) keeps everything in one file for one process. Both implement every port of
//! [`portal_auth::store`] and count, guard and purge exactly alike: a unit of work is one transaction, a guess is
//! paid in one atomic statement, and no statement asks the database what time it is.
//!
//! | Feature | Adds |
//! |---|---|
//! | `postgres` | [`postgres`], with TLS by rustls |
//! | `sqlite` | [`sqlite`], with SQLite built in |
//!
//! Neither is on by default. All tables are called `portal_…`, so that they fit beside a host's own, which a host reaches
//! through [`PostgresStore::pool`](postgres::PostgresStore::pool) and
//! [`SqliteStore::begin_host`](sqlite::SqliteStore::begin_host); [`store_error`] says what goes wrong there.
//!
//! ```no_run
//! # #[cfg(feature = "sqlite")]
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! use portal_auth_sqlx::sqlite::{SqliteOptions, SqliteStore};
//!
//! let store = SqliteStore::open("portal.db", &SqliteOptions::default()).await?;
//! store.migrate().await?;
//! # Ok(()) }
//! ```

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod error;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod ladder;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod schema;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sign_in;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;

/// What the error of a statement in a host's own tables means to whoever asked, as for the library's own.
///
/// A connection that is lost, a time-out, a lost race or a locked file is
/// [`StoreError::Unavailable`](portal_auth::store::StoreError::Unavailable): asking again may help. Everything else, a
/// broken constraint among it, is [`StoreError::Permanent`](portal_auth::store::StoreError::Permanent).
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[must_use]
pub fn store_error(error: sqlx::Error) -> portal_auth::store::StoreError {
    error::plain(error)
}

/// The day a moment falls on, as purge's indexes keep it.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn day(moment: portal_auth::environment::Timestamp) -> i64 {
    moment.as_micros().div_euclid(86_400_000_000)
}
