//! SQLite: one file under one process.
//!
//! Exactly one connection writes, each transaction under `BEGIN IMMEDIATE`: several writers would only wait for each
//! other, and some of them for seconds. Readers have connections of their own that cannot write; in WAL mode neither
//! waits for the other. The writer runs with `synchronous = FULL`: with less, a power cut could bring back a
//! password that was changed or a session that was ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use portal_auth::audit::EventId;
use portal_auth::environment::Timestamp;
use portal_auth::session::SessionKey;
use portal_auth::store::{StoreError, StoreHealth};
use portal_auth::throttle::BucketKey;
use portal_auth::unit_of_work::UnitOfWork;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Database, Row as _};

use self::connections::{Begun, Connections, Held};
use crate::error::{self, Failure};
use crate::schema::{self, SetupError};
use crate::sign_in::Parts;
use crate::sql;
use crate::sql::sqlite as dialect;

pub use self::host::{HostReader, HostTransaction};

mod connections;
mod host;
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

type Db = sqlx::Sqlite;
type Connection = sqlx::SqliteConnection;
type Row = sqlx::sqlite::SqliteRow;
type Store = SqliteStore;

/// How a [`SqliteStore`] uses its file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// Connections that read beside the one that writes; default 4.
    pub readers: u32,
    /// How long a write waits for another process that holds the file; default 5 s.
    pub busy_timeout: Duration,
    /// How long a call may wait for a connection before it is [`StoreError::Unavailable`]; default 5 s.
    pub acquire_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
        }
    }
}

/// All ports of `portal-auth` over one SQLite file. Clones share its connections.
///
/// A host keeps its own tables in the same file by [`begin_host`](Self::begin_host) and [`read_host`](Self::read_host).
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: Connections,
    readers: Connections,
}

impl SqliteStore {
    /// Opens a file, and makes it where it is missing: `portal.db`, `sqlite://portal.db` or
    /// `sqlite:///var/lib/portal/portal.db`.
    ///
    /// # Errors
    /// [`SetupError::InMemory`] for a database in memory; [`SetupError::File`] where the file cannot be made;
    /// [`SetupError::Address`] and [`SetupError::Store`] as their names say.
    ///
    /// # Security
    /// A file that is made here can be read by its owner only (mode 0600), and SQLite gives the files beside it the
    /// same mode. One that is there keeps the mode it has.
    pub async fn open(target: &str, options: &SqliteOptions) -> Result<Self, SetupError> {
        let path = path_of(target)?;
        make_private_file(&path).map_err(SetupError::File)?;
        let address = SqliteConnectOptions::new()
            .filename(&path)
            .busy_timeout(options.busy_timeout)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full);
        let address = sqlx::ConnectOptions::disable_statement_logging(address);
        let wal = address.clone().journal_mode(SqliteJournalMode::Wal);
        let writer = Connections::new(wal, 1, options.acquire_timeout);
        open_first(&writer).await?;
        let address = address.pragma("query_only", "1");
        let readers = Connections::new(address, options.readers.max(1), options.acquire_timeout);
        readers.take().await?.keep();
        Ok(Self { writer, readers })
    }

    /// Brings the schema to [`SCHEMA_VERSION`](schema::SCHEMA_VERSION). Any number of processes may do so at once;
    /// a schema that is newer already is left alone.
    ///
    /// # Errors
    /// [`SetupError::Store`] where the file cannot be written. Nothing of a migration that failed is left behind.
    pub async fn migrate(&self) -> Result<(), SetupError> {
        let mut transaction = self.begin().await?;
        sign_in::unprepare(&mut transaction).await?;
        query(dialect::MAKE_SCHEMA).execute(&mut *transaction).await?;
        query(sql::MAKE_SCHEMA_ROW).execute(&mut *transaction).await?;
        let held = version(&mut transaction).await?;
        for step in schema::SQLITE.iter().filter(|step| step.version > held) {
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
        let mut conn = self.readers.take().await?;
        let exists = query(dialect::SCHEMA_EXISTS).fetch_one(&mut *conn).await?;
        let found = if exists.try_get::<bool, _>(0)? {
            version(&mut conn).await?
        } else {
            0
        };
        conn.keep();
        schema::judge(found)
    }

    /// Waits for what is under way and closes the file, so that it can be moved or copied.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn reader(&self) -> Result<Held, sqlx::Error> {
        self.readers.take().await
    }

    async fn writer(&self) -> Result<Held, sqlx::Error> {
        self.writer.take().await
    }

    async fn begin(&self) -> Result<Begun, sqlx::Error> {
        self.writer.begin().await
    }

    /// Takes a connection back whose work is done and well.
    #[expect(
        clippy::unused_self,
        reason = "the other engine has a place of its own for it"
    )]
    fn done(&self, conn: Held) {
        conn.keep();
    }

    /// A connection that failed is closed already, and none depends on another.
    #[expect(clippy::unused_self, reason = "the other engine has something to do")]
    fn distrust(&self) {}

    /// Commits a known shape in one statement; tells whether it did.
    async fn commit_in_one(&self, work: &UnitOfWork) -> Result<bool, StoreError> {
        let Some(parts) = Parts::of(work) else {
            return Ok(false);
        };
        let mut conn = self.writer.take().await.map_err(error::plain)?;
        match sign_in::commit(&mut conn, &parts).await {
            Ok(()) => {
                conn.keep();
                Ok(true)
            }
            Err(Failure::Conflict) => {
                conn.keep();
                Err(StoreError::Conflict)
            }
            // What the database has said, it has undone; where it said nothing, nobody knows.
            Err(Failure::Sql(e @ sqlx::Error::Database(_))) => Err(error::in_commit(Failure::Sql(e))),
            Err(Failure::Sql(e)) => Err(error::at_commit(e)),
        }
    }

    /// Asks on the writing connection, behind a commit that is still under way.
    async fn has_event(&self, id: EventId) -> Result<bool, sqlx::Error> {
        let mut conn = self.writer.take().await?;
        let row = query(sql::EVENT_EXISTS)
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&mut *conn)
            .await?;
        conn.keep();
        Ok(row.is_some())
    }

    async fn ask_health(&self) -> Result<StoreHealth, sqlx::Error> {
        // BEGIN IMMEDIATE fails where the file cannot be written.
        let mut transaction = self.begin().await?;
        let held = version(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(StoreHealth {
            clock: None,
            schema_current: schema::is_usable(held),
        })
    }
}

fn query<'q>(statement: &'static str) -> Query<'q, Db, <Db as Database>::Arguments> {
    sqlx::query(statement)
}

fn keys(keys: &[BucketKey]) -> String {
    serde_json::Value::from_iter(keys.iter().map(ToString::to_string)).to_string()
}

fn words(words: &[&str]) -> String {
    serde_json::Value::from_iter(words.iter().copied()).to_string()
}

/// One statement for all; the newest stamp of a session stands last in the list and wins.
async fn touch_many(conn: &mut Connection, stamps: &[(SessionKey, Timestamp)]) -> Result<(), sqlx::Error> {
    let mut newest = std::collections::BTreeMap::new();
    for (key, seen) in stamps {
        let stamp = newest.entry(*key).or_insert(*seen);
        *stamp = (*stamp).max(*seen);
    }
    let list = serde_json::Value::from_iter(
        newest
            .into_iter()
            .map(|(key, seen)| serde_json::json!([key.to_string(), seen.as_micros()])),
    );
    query(dialect::TOUCH_MANY)
        .bind(list.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

async fn version(conn: &mut Connection) -> Result<i64, sqlx::Error> {
    let row = query(sql::SCHEMA_VERSION).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}

/// The file that `target` names.
fn path_of(target: &str) -> Result<PathBuf, SetupError> {
    if target.contains(":memory:") || target.contains("mode=memory") {
        return Err(SetupError::InMemory);
    }
    if !target.starts_with("sqlite:") {
        return Ok(PathBuf::from(target));
    }
    let address = target
        .parse::<SqliteConnectOptions>()
        .map_err(SetupError::Address)?;
    Ok(address.get_filename().to_path_buf())
}

/// Makes the file before SQLite does, which would let everybody read it.
fn make_private_file(path: &Path) -> std::io::Result<()> {
    let mut how = std::fs::OpenOptions::new();
    how.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    match how.open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// Opens the writing connection. Several processes that turn a new file to WAL at once get "locked" without SQLite
/// waiting for its time-out, so this tries again for as long.
async fn open_first(writer: &Connections) -> Result<(), sqlx::Error> {
    const PAUSE: Duration = Duration::from_millis(25);
    let mut tries = 200_u32;
    loop {
        match writer.take().await {
            Err(e) if tries > 0 && error::is_busy(&e) => {
                tries = tries.saturating_sub(1);
                tokio::time::sleep(PAUSE).await;
            }
            opened => {
                opened?.keep();
                return Ok(());
            }
        }
    }
}
