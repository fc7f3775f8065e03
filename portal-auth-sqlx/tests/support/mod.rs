//! What the tests of the stores share: a fresh database for each, rows to put in, and a small random source.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::arithmetic_side_effects,
    reason = "each test file uses a part of it, and it fails by panicking"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use portal_auth::account::email::EmailAddress;
use portal_auth::account::profile::StoredProfile;
use portal_auth::account::recovery::Recovery;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::account::status::{AuthEpoch, Status, TwoStep};
use portal_auth::audit::{Actor, AuditRow, EventId};
use portal_auth::environment::Timestamp;
use portal_auth::link::{Answer, LinkKey, LinkPurpose, LinkRow, LinkSeed, LinkState, LinkSubject};
use portal_auth::password::hash::StoredHash;
use portal_auth::session::{Level, SessionHandle, SessionKey, SessionRow};
use portal_auth::store::Store;
use portal_auth::unit_of_work::{Change, UnitOfWork, Write};
use portal_auth_sqlx::postgres::{PostgresOptions, PostgresStore};
use portal_auth_sqlx::sqlite::{SqliteOptions, SqliteStore};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

pub(crate) const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// Writes one test for each engine; `store` is the store, `database` what lies under it.
#[allow(unused_macros, reason = "not every test file has such tests")]
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($store:ident, $database:ident) $body:block)+) => {
        mod postgres {
            use super::*;
            $($(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let $database = support::Postgres::fresh().await;
                let $store: std::sync::Arc<dyn portal_auth::store::Store> = $database.store().await;
                let $database = &$database;
                $body
            })+
        }
        mod sqlite {
            use super::*;
            $($(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let $database = support::Sqlite::fresh();
                let $store: std::sync::Arc<dyn portal_auth::store::Store> = $database.store().await;
                let $database = &$database;
                $body
            })+
        }
    };
}
#[allow(unused_imports, reason = "not every test file has such tests")]
pub(crate) use on_both;

static COUNT: AtomicU64 = AtomicU64::new(0);

fn fresh_name() -> String {
    format!(
        "portal_test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A PostgreSQL database that goes with the test.
pub(crate) struct Postgres {
    pub(crate) url: String,
    _database: test_rig::FreshDatabase,
}

impl Postgres {
    pub(crate) async fn fresh() -> Self {
        // Starting a server blocks, so it happens beside the test's own threads.
        let database = tokio::task::spawn_blocking(test_rig::fresh_database)
            .await
            .unwrap();
        Self {
            url: database.url().to_owned(),
            _database: database,
        }
    }

    pub(crate) async fn open(&self) -> PostgresStore {
        let store = PostgresStore::connect(&self.url, &PostgresOptions::default())
            .await
            .unwrap();
        store.migrate().await.unwrap();
        store
    }

    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.open().await)
    }

    /// Runs a statement on a connection of its own.
    pub(crate) async fn run(&self, statement: &str) {
        let mut conn = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
    }

    /// The first column of all rows, as numbers.
    pub(crate) async fn numbers(&self, statement: &str) -> Vec<Vec<i64>> {
        use sqlx::Row as _;
        let mut conn = PgConnection::connect(&self.url).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .fetch_all(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        rows.iter()
            .map(|row| (0..row.len()).map(|at| row.get(at)).collect())
            .collect()
    }

    pub(crate) async fn texts(&self, statement: &str) -> Vec<String> {
        use sqlx::Row as _;
        let mut conn = PgConnection::connect(&self.url).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .fetch_all(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// All rows of a table, a text each.
    pub(crate) async fn rows(&self, table: &str) -> Vec<String> {
        self.texts(&format!("SELECT t::TEXT FROM {table} t ORDER BY 1"))
            .await
    }

    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }
}

/// Runs a statement on the server's own database.
pub(crate) async fn administer(statement: String) {
    let server = test_rig::postgres();
    let mut conn = PgConnection::connect(server.as_str()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
}

/// A SQLite file in a directory of its own that goes with the test.
pub(crate) struct Sqlite {
    pub(crate) directory: PathBuf,
}

impl Sqlite {
    pub(crate) fn fresh() -> Self {
        let directory = std::env::temp_dir().join(fresh_name());
        std::fs::create_dir_all(&directory).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self) -> String {
        self.directory.join("portal.db").to_str().unwrap().to_owned()
    }

    pub(crate) async fn open(&self) -> SqliteStore {
        let store = SqliteStore::open(&self.path(), &SqliteOptions::default())
            .await
            .unwrap();
        store.migrate().await.unwrap();
        store
    }

    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.open().await)
    }

    pub(crate) async fn run(&self, statement: &str) {
        let mut conn = sqlx::SqliteConnection::connect(&self.path()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
    }

    pub(crate) async fn numbers(&self, statement: &str) -> Vec<Vec<i64>> {
        use sqlx::Row as _;
        let mut conn = sqlx::SqliteConnection::connect(&self.path()).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .fetch_all(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        rows.iter()
            .map(|row| (0..row.len()).map(|at| row.get(at)).collect())
            .collect()
    }

    /// All rows of a table, a text each.
    pub(crate) async fn rows(&self, table: &str) -> Vec<String> {
        use sqlx::Row as _;
        let mut conn = sqlx::SqliteConnection::connect(&self.path()).await.unwrap();
        let columns = sqlx::query(AssertSqlSafe(format!(
            "SELECT group_concat('quote(' || name || ')', ' || '','' || ') FROM pragma_table_info('{table}')"
        )));
        let columns: String = columns.fetch_one(&mut conn).await.unwrap().get(0);
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT {columns} FROM {table} ORDER BY 1")))
            .fetch_all(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

pub(crate) fn bytes(kind: u8, n: u32) -> [u8; 16] {
    let mut bytes = [kind; 16];
    bytes[12..].copy_from_slice(&n.to_be_bytes());
    bytes
}

pub(crate) fn account(n: u32) -> AccountRow {
    AccountRow {
        id: AccountId::from_bytes(bytes(1, n)),
        version: 1,
        email: EmailAddress::parse(&format!("person{n}@school.example")).unwrap(),
        status: Status::Active,
        auth_epoch: AuthEpoch::from_bytes([9; 8]),
        password: StoredHash::parse(&format!(
            "$argon2id$v=19$m=8,t=1,p=1${}${}",
            "A".repeat(22),
            "A".repeat(43)
        ))
        .unwrap(),
        two_step: TwoStep::Off,
        question: None,
        answer: None,
        profile: StoredProfile::new(1, serde_json::Map::new()),
        code_failures: 0,
        created_at: T0,
        updated_at: T0,
        language: None,
        locked: false,
        recovery: Recovery::default(),
        email_changed_at: None,
        closed_at: None,
    }
}

pub(crate) fn session(n: u32, account: &AccountRow) -> SessionRow {
    SessionRow {
        key: SessionKey::from_bytes(bytes(2, n)),
        handle: SessionHandle::from_bytes(bytes(3, n)),
        account: account.id,
        epoch: account.auth_epoch,
        level: Level::One,
        created_at: T0,
        last_seen: T0,
        confirmed_at: T0,
        expires_at: T0.plus(std::time::Duration::from_secs(43_200)),
        label: "Firefox on Windows".into(),
        network: "192.0.2.x".into(),
    }
}

pub(crate) fn reset_link(n: u32, account: &AccountRow) -> LinkRow {
    LinkRow {
        key: LinkKey::from_bytes(bytes(4, n)),
        version: 1,
        purpose: LinkPurpose::ResetPassword,
        seed: Some(LinkSeed::from_bytes(bytes(5, n))),
        subject: LinkSubject::Account(account.id),
        address: account.email.clone(),
        epoch: Some(account.auth_epoch),
        state: LinkState::Live,
        tries: 0,
        issued_at: T0,
        expires_at: T0.plus(std::time::Duration::from_secs(43_200)),
        ended_at: None,
        opens_at: T0,
        concerns: None,
        answer: Answer::Owed,
    }
}

pub(crate) fn event(n: u32) -> AuditRow {
    AuditRow {
        id: EventId::from_bytes(bytes(6, n)),
        at: T0,
        kind: "test.done".into(),
        reason: String::new(),
        actor: Actor::System,
        account: None,
        address: None,
        network: None,
        label: String::new(),
        mac_key: "k1".into(),
        mac: [7; 16],
    }
}

/// A unit of work that makes `account` with its address.
pub(crate) fn making(account: &AccountRow, n: u32) -> UnitOfWork {
    UnitOfWork::new(event(n))
        .change(Change::Claim {
            email: account.email.clone(),
            account: account.id,
        })
        .change(Change::Account(Box::new(Write::Insert(account.clone()))))
}
