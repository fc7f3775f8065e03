//! The least that a sign-in can ask of a database: read a row, write a row to pay for the try, and write a row that is
//! on the disk when the answer goes out. Through the same driver as the stores, with nothing of this library.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use test_rig::{FreshDatabase, postgres_with};

use crate::house::Kind;
use crate::usage::siblings_of;

/// A table with a key and a number, and a connection to it.
#[derive(Debug)]
pub struct Floor {
    line: Line,
    /// The process ids of its PostgreSQL, where it has one.
    pub servers: Vec<u32>,
    rows: u64,
}

#[derive(Debug)]
enum Line {
    Sqlite(
        SqliteConnection,
        #[expect(dead_code, reason = "held so that it stays")] TempDir,
    ),
    Postgres(
        PgConnection,
        #[expect(dead_code, reason = "held so that it stays")] FreshDatabase,
    ),
}

const TABLE: &str = "CREATE TABLE floor (id BIGINT PRIMARY KEY, at BIGINT NOT NULL)";
const READ: &str = "SELECT at FROM floor WHERE id = $1";
const WRITE: &str = "INSERT INTO floor (id, at) VALUES ($1, $1)";
/// As the store's own charge, it does not wait for the disk.
const PAY: &str = "INSERT INTO floor (id, at) SELECT $1, $1 WHERE set_config('synchronous_commit', 'off', true) \
     IS NOT NULL";

impl Floor {
    /// Of a kind of store; in memory there is none.
    pub async fn of(kind: Kind) -> Option<Self> {
        let (line, servers) = match kind {
            Kind::Memory => return None,
            Kind::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                let conn = sqlite(&folder.path().join("floor.db")).await;
                (Line::Sqlite(conn, folder), Vec::new())
            }
            Kind::Postgres => {
                let database = postgres_with(true).fresh_database();
                let mut conn = PgConnection::connect(database.url()).await.expect("a server");
                sqlx::query(TABLE).execute(&mut conn).await.expect("a table");
                let server: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
                    .fetch_one(&mut conn)
                    .await
                    .expect("a server");
                let servers = siblings_of(u32::try_from(server).unwrap_or(0));
                (Line::Postgres(conn, database), servers)
            }
        };
        Some(Self {
            line,
            servers,
            rows: 0,
        })
    }

    /// One read and two writes, of which the last one is on the disk afterwards.
    pub async fn touch(&mut self) {
        let first = i64::try_from(self.rows).unwrap_or(i64::MAX);
        self.rows = self.rows.saturating_add(2);
        match &mut self.line {
            Line::Sqlite(conn, _) => {
                sqlx::query(READ)
                    .bind(first)
                    .fetch_optional(&mut *conn)
                    .await
                    .expect("a read");
                for row in [first, first.saturating_add(1)] {
                    sqlx::query(WRITE)
                        .bind(row)
                        .execute(&mut *conn)
                        .await
                        .expect("a write");
                }
            }
            Line::Postgres(conn, _) => {
                sqlx::query(READ)
                    .bind(first)
                    .fetch_optional(&mut *conn)
                    .await
                    .expect("a read");
                for (text, row) in [(PAY, first), (WRITE, first.saturating_add(1))] {
                    sqlx::query(text)
                        .bind(row)
                        .execute(&mut *conn)
                        .await
                        .expect("a write");
                }
            }
        }
    }
}

async fn sqlite(file: &Path) -> SqliteConnection {
    let address = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut conn = SqliteConnection::connect_with(&address).await.expect("a file");
    sqlx::query(TABLE).execute(&mut conn).await.expect("a table");
    conn
}
