//! The portal's own tables on SQLite, through the one writing connection of the library's store and its readers.

use portal_auth::store::StoreError;
use portal_auth_sqlx::sqlite::{HostReader as Reader, HostTransaction as Begun, SqliteStore};
use sqlx::query::Query;
use sqlx::{Database, Sqlite, SqliteConnection};

#[path = "both/circumstances.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod circumstances;
#[path = "both/schema.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod schema;

type Connection = SqliteConnection;
type Row = sqlx::sqlite::SqliteRow;
type Tables = SqliteTables;

use super::SQLITE as STEPS;

const MAKE_VERSIONS: &str = "CREATE TABLE IF NOT EXISTS host_schema \
     (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL CHECK (version >= 0)) STRICT";
const HAS_VERSIONS: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'host_schema')";
/// The transaction holds the file for itself: one process is at it, and the others find nothing left to do.
const LOCK_VERSION: &str = "SELECT version FROM host_schema WHERE id = 1";
const TAKE_TIME: &str = "SELECT 1";

/// The portal's own tables beside a [`SqliteStore`]; clones share its connections.
#[derive(Debug, Clone)]
pub struct SqliteTables {
    store: SqliteStore,
}

impl SqliteTables {
    /// Those in the file of `store`.
    #[must_use]
    pub const fn beside(store: SqliteStore) -> Self {
        Self { store }
    }

    async fn begin(&self) -> Result<Begun, StoreError> {
        self.store.begin_host().await
    }

    async fn read(&self) -> Result<Reader, StoreError> {
        self.store.read_host().await
    }
}

fn query<'q>(statement: &'static str) -> Query<'q, Sqlite, <Sqlite as Database>::Arguments> {
    sqlx::query(statement)
}
