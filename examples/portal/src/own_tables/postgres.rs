//! The portal's own tables on PostgreSQL, through the pool of the library's store.

use portal_auth::store::StoreError;
use portal_auth_sqlx::postgres::PostgresStore;
use portal_auth_sqlx::store_error;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{Database, PgConnection, Postgres, Transaction};

#[path = "both/circumstances.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod circumstances;
#[path = "both/schema.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod schema;

type Connection = PgConnection;
type Row = sqlx::postgres::PgRow;
type Tables = PostgresTables;

use super::POSTGRES as STEPS;

/// Two processes that create one table at the same moment disturb each other even with IF NOT EXISTS.
const MAKE_VERSIONS: &str = "CREATE TABLE IF NOT EXISTS host_schema \
     (id BIGINT PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL CHECK (version >= 0))";
const HAS_VERSIONS: &str = "SELECT to_regclass('host_schema') IS NOT NULL";
/// Held until the migration has ended: one process is at it, and the others find nothing left to do.
const LOCK_VERSION: &str = "SELECT version FROM host_schema WHERE id = 1 FOR UPDATE";
/// A migration may take longer than any request, and waits for the process that is at it already.
const TAKE_TIME: &str =
    "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)";

/// The portal's own tables beside a [`PostgresStore`]; clones share its pool.
#[derive(Debug, Clone)]
pub struct PostgresTables {
    store: PostgresStore,
}

impl PostgresTables {
    /// Those in the database of `store`.
    #[must_use]
    pub const fn beside(store: PostgresStore) -> Self {
        Self { store }
    }

    async fn begin(&self) -> Result<Begun, StoreError> {
        let begun = self.store.pool().begin().await.map_err(store_error)?;
        Ok(Begun(begun))
    }

    async fn read(&self) -> Result<Reader, StoreError> {
        let conn = self.store.pool().acquire().await.map_err(store_error)?;
        Ok(Reader(conn))
    }
}

/// A transaction under way; dropped, it is rolled back.
struct Begun(Transaction<'static, Postgres>);

impl Begun {
    fn connection(&mut self) -> &mut Connection {
        &mut self.0
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await.map_err(store_error)
    }
}

/// A connection for reading; the pool finds out how it is when it comes back.
struct Reader(PoolConnection<Postgres>);

impl Reader {
    fn connection(&mut self) -> &mut Connection {
        &mut self.0
    }

    fn done(self) {
        drop(self.0);
    }
}

fn query<'q>(statement: &'static str) -> Query<'q, Postgres, <Postgres as Database>::Arguments> {
    sqlx::query(statement)
}
