//! PostgreSQL: one database under any number of processes.
//!
//! READ COMMITTED is enough: every change is guarded by a version or a key, so its own statement locks what it
//! decides on. Production needs synchronous replication to a standby (`synchronous_standby_names`): without it a
//! failover forgets acknowledged password changes and revoked sessions.

use std::collections::BTreeMap;
use std::time::Duration;

use portal_auth::audit::EventId;
use portal_auth::environment::Timestamp;
use portal_auth::session::SessionKey;
use portal_auth::store::{StoreError, StoreHealth};
use portal_auth::throttle::BucketKey;
use portal_auth::unit_of_work::UnitOfWork;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{Connection as _, Database, Row as _, Transaction};

use self::keep::{Held, Keep};
use crate::error;
use crate::schema::{self, SetupError};
use crate::sign_in::Parts;
use crate::sql;
use crate::sql::postgres as dialect;

mod keep;
mod sign_in;

#[path = "../both/commit.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod commit;
#[path = "../both/outbox.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod outbox;
#[path = "../both/ports.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod ports;
#[path = "../both/purge.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod purge;
#[path = "../both/reads.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod reads;
#[path = "../both/rows.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod rows;
#[path = "../both/seals.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod seals;
#[path = "../both/settle.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod settle;
#[path = "../both/sign_in_values.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod sign_in_values;
#[path = "../both/writes.rs"]
#[allow(clippy::duplicate_mod, reason = "one text, compiled with each engine's types")]
mod writes;

type Db = sqlx::Postgres;
type Connection = sqlx::PgConnection;
type Row = sqlx::postgres::PgRow;
type Store = PostgresStore;

/// How a [`PostgresStore`] uses its server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// Connections at most; default 16. All processes together must stay below the server's `max_connections`.
    pub max_connections: u32,
    /// How long a call may wait for a connection before it is [`StoreError::Unavailable`]; default 3 s.
    pub acquire_timeout: Duration,
    /// How long one statement may run; default 5 s, zero for no limit.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock; default 3 s, zero for no limit.
    pub lock_timeout: Duration,
    /// After which silence inside a transaction the server gives up on a process; default 10 s, zero for never.
    pub idle_in_transaction_timeout: Duration,
    /// After which age a connection is replaced, so that connections spread anew after a failover; default 30 min.
    pub max_lifetime: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(3),
            idle_in_transaction_timeout: Duration::from_secs(10),
            max_lifetime: Duration::from_secs(1800),
        }
    }
}

/// All ports of `portal-auth` over PostgreSQL 13 or newer. Clones share one pool.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pool: PgPool,
    keep: Keep,
}

/// A connection that was silent for longer is asked before it is used, whether it lives and accepts writes.
///
/// Asking at every use would double the round trips of a session check.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

impl PostgresStore {
    /// Connects to `url`, such as `postgres://portal@db.example/portal?sslmode=verify-full`.
    ///
    /// # Errors
    /// [`SetupError::Address`] where `url` cannot be read; [`SetupError::ReadOnly`] at a standby;
    /// [`SetupError::TransactionPooler`] behind a pooler that shares connections between transactions;
    /// [`SetupError::Store`] where the server cannot be reached.
    ///
    /// # Security
    /// Without `sslmode=verify-full` whoever sits on the way can read password hashes and answer in the server's
    /// name; use it for every server that is not on this machine.
    pub async fn connect(url: &str, options: &PostgresOptions) -> Result<Self, SetupError> {
        let address = url
            .parse::<PgConnectOptions>()
            .map_err(SetupError::Address)?
            .application_name("portal-auth");
        let address = sqlx::ConnectOptions::disable_statement_logging(address);
        tokio::time::timeout(options.acquire_timeout, probe(&address))
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)??;
        let limits = [
            options.statement_timeout,
            options.lock_timeout,
            options.idle_in_transaction_timeout,
        ]
        .map(|limit| limit.as_millis().to_string());
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .max_lifetime(options.max_lifetime)
            .test_before_acquire(false)
            .before_acquire(|conn, silent| {
                Box::pin(async move { Ok(silent.idle_for < TRUSTED_FOR || !is_read_only(conn).await?) })
            })
            // By statement and not by start-up parameter, which poolers refuse.
            .after_connect(move |conn, _| {
                let [statement, lock, idle] = limits.clone();
                Box::pin(async move {
                    query(dialect::SET_LIMITS)
                        .bind(statement)
                        .bind(lock)
                        .bind(idle)
                        .execute(&mut *conn)
                        .await?;
                    if is_read_only(conn).await? {
                        return Err(sqlx::Error::Configuration("the server is read-only".into()));
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(address);
        drop(pool.acquire().await?);
        Ok(Self::from_pool(pool))
    }

    /// Uses a pool that the host has made.
    ///
    /// Its connections should carry `statement_timeout` and `lock_timeout`, and must not run through a pooler in
    /// transaction mode: that can hand one client the rows of another.
    #[must_use]
    pub fn from_pool(pool: PgPool) -> Self {
        let keep = Keep::of(pool.clone());
        Self { pool, keep }
    }

    /// The pool, for a host's own tables or metrics.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Brings the schema to [`SCHEMA_VERSION`](schema::SCHEMA_VERSION). Any number of processes may do so at once;
    /// a schema that is newer already is left alone.
    ///
    /// # Errors
    /// [`SetupError::Store`] where the database cannot be reached or the role may not create tables. Nothing of a
    /// migration that failed is left behind.
    pub async fn migrate(&self) -> Result<(), SetupError> {
        let mut conn = self.pool.acquire().await?;
        make_schema_table(&mut conn).await?;
        query(sql::MAKE_SCHEMA_ROW).execute(&mut *conn).await?;
        let mut transaction = conn.begin().await?;
        query(dialect::TAKE_TIME).execute(&mut *transaction).await?;
        let held = query(dialect::LOCK_SCHEMA)
            .fetch_one(&mut *transaction)
            .await?
            .try_get::<i64, _>(0)?;
        for step in schema::POSTGRES.iter().filter(|step| step.version > held) {
            sqlx::raw_sql(step.text).execute(&mut *transaction).await?;
            query(sql::SET_SCHEMA_VERSION)
                .bind(step.version)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Checks that the schema is the one of this release or the next one.
    ///
    /// # Errors
    /// [`SetupError::SchemaTooOld`] and [`SetupError::SchemaTooNew`] where it is not; else [`SetupError::Store`].
    pub async fn check_schema(&self) -> Result<(), SetupError> {
        let mut conn = self.pool.acquire().await?;
        let exists = query(dialect::SCHEMA_EXISTS).fetch_one(&mut *conn).await?;
        if !exists.try_get::<bool, _>(0)? {
            return schema::judge(0);
        }
        let row = query(sql::SCHEMA_VERSION).fetch_optional(&mut *conn).await?;
        schema::judge(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
    }

    async fn reader(&self) -> Result<Held, sqlx::Error> {
        self.keep.take().await
    }

    async fn writer(&self) -> Result<Held, sqlx::Error> {
        self.keep.take().await
    }

    /// Takes a connection back whose work is done and well.
    fn done(&self, conn: Held) {
        self.keep.done(conn);
    }

    /// Where one connection has died, the others may have as well.
    fn distrust(&self) {
        self.keep.give_back();
    }

    /// A connection that turns out to be dead at BEGIN has written nothing, so another one is taken.
    async fn begin(&self) -> Result<Transaction<'static, Db>, sqlx::Error> {
        let mut tries = 1_u32;
        loop {
            match self.keep.begin().await {
                Err(e) if tries < 3 && error::connection_lost(&e) => {
                    self.distrust();
                    tries = tries.saturating_add(1);
                }
                answer => return answer,
            }
        }
    }

    /// Commits a known shape in one round trip; tells whether it did.
    ///
    /// When its answer is lost while the statement is still on its way, `was_committed` can say no and be wrong: a
    /// late sign-in leaves a session whose token nobody ever got, and sending the same work again is a conflict.
    async fn commit_in_one(&self, work: &UnitOfWork) -> Result<bool, StoreError> {
        let Some(parts) = Parts::of(work) else {
            return Ok(false);
        };
        let mut conn = self.keep.take().await.map_err(error::plain)?;
        match sign_in::commit(&mut conn, &parts).await {
            Ok(done) => {
                self.done(conn);
                Ok(done)
            }
            Err(e) if error::worth_repeating(&e) => Err(StoreError::Conflict),
            Err(e) => Err(error::at_commit(e)),
        }
    }

    /// Asks by trying to write the event: that waits for a commit whose answer was lost but which is still under
    /// way, where a plain look would say no and be wrong a moment later.
    async fn has_event(&self, id: EventId) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let written = query(sql::PROBE_EVENT)
            .bind(id.as_bytes().as_slice())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        transaction.rollback().await?;
        Ok(written == 0)
    }

    async fn ask_health(&self) -> Result<StoreHealth, sqlx::Error> {
        let mut conn = self.pool.acquire().await?;
        let row = query(dialect::HEALTH).fetch_one(&mut *conn).await?;
        if row.try_get::<&str, _>(2)? == "on" {
            return Err(sqlx::Error::Io(std::io::ErrorKind::ReadOnlyFilesystem.into()));
        }
        Ok(StoreHealth {
            clock: Some(Timestamp::from_micros(row.try_get(1)?)),
            schema_current: schema::is_usable(row.try_get(0)?),
        })
    }
}

fn query<'q>(statement: &'static str) -> Query<'q, Db, <Db as Database>::Arguments> {
    sqlx::query(statement)
}

fn keys(keys: &[BucketKey]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.as_bytes().to_vec()).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// One statement, one row a session, locked in the order of their keys.
async fn touch_many(conn: &mut Connection, stamps: &[(SessionKey, Timestamp)]) -> Result<(), sqlx::Error> {
    let mut newest = BTreeMap::new();
    for (key, seen) in stamps {
        let stamp = newest.entry(*key).or_insert(*seen);
        *stamp = (*stamp).max(*seen);
    }
    let (keys, seen): (Vec<_>, Vec<_>) = newest
        .into_iter()
        .map(|(key, seen)| (key.as_bytes().to_vec(), seen.as_micros()))
        .unzip();
    query(dialect::TOUCH_MANY)
        .bind(keys)
        .bind(seen)
        .execute(conn)
        .await?;
    Ok(())
}

async fn is_read_only(conn: &mut Connection) -> Result<bool, sqlx::Error> {
    query(dialect::IS_READ_ONLY).fetch_one(conn).await?.try_get(0)
}

/// Two processes that create one table at the same moment disturb each other even with IF NOT EXISTS.
async fn make_schema_table(conn: &mut Connection) -> Result<(), sqlx::Error> {
    let mut tries = 1_u32;
    loop {
        match sqlx::raw_sql(dialect::MAKE_SCHEMA).execute(&mut *conn).await {
            Err(sqlx::Error::Database(said))
                if tries < 5
                    && (said.is_unique_violation()
                        || matches!(said.code().as_deref(), Some("42P07" | "42710"))) =>
            {
                tries = tries.saturating_add(1);
            }
            answer => return answer.map(drop),
        }
    }
}

/// Finds out once, before anything depends on it, whether `address` is a server to write to, and directly.
async fn probe(address: &PgConnectOptions) -> Result<(), SetupError> {
    let mut ours = Connection::connect_with(address).await?;
    // The simple protocol, because a transaction pooler breaks the other one.
    let read_only = sqlx::raw_sql(dialect::IS_READ_ONLY)
        .fetch_one(&mut ours)
        .await?
        .try_get(0)?;
    if read_only {
        return Err(SetupError::ReadOnly);
    }
    // A pooler in transaction mode gives the server connection that we just used to whoever begins next.
    let before = backend(&mut ours).await?;
    let mut other = Connection::connect_with(address).await?;
    let busy = other.begin().await?;
    let after = backend(&mut ours).await?;
    busy.rollback().await?;
    // Told goodbye or not, these two connections are over.
    drop((other.close().await, ours.close().await));
    if before == after {
        Ok(())
    } else {
        Err(SetupError::TransactionPooler)
    }
}

async fn backend(conn: &mut Connection) -> Result<i32, sqlx::Error> {
    sqlx::raw_sql(dialect::BACKEND_PID)
        .fetch_one(conn)
        .await?
        .try_get(0)
}
