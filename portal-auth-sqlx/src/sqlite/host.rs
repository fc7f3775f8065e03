//! The door for a host's own tables in the same file. It lends the store's connections, so there is still exactly one
//! that writes.

use std::fmt;

use portal_auth::store::StoreError;
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::connections::{Begun, Held};
use crate::error;

impl SqliteStore {
    /// Begins a transaction that writes into tables of the host's own.
    ///
    /// It is a `BEGIN IMMEDIATE` on the one connection that writes: until it has ended, every sign-in waits. Have
    /// nothing in it but statements; do not await anything else. Tables called `portal_…` may be read and must not
    /// be written.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the connection, or a file that another process holds, is not free in time.
    ///
    /// # Cancel safety
    /// Dropped before [`commit`](HostTransaction::commit), it leaves nothing behind.
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # use portal_auth_sqlx::sqlite::{SqliteOptions, SqliteStore};
    /// # let folder = std::env::temp_dir().join(format!("host-tables-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let store = SqliteStore::open(&folder.join("own.db").display().to_string(), &SqliteOptions::default()).await?;
    /// let mut own = store.begin_host().await?;
    /// sqlx::query("CREATE TABLE IF NOT EXISTS host_notes (text TEXT NOT NULL) STRICT").execute(own.connection()).await?;
    /// sqlx::query("INSERT INTO host_notes VALUES ($1)").bind("ours").execute(own.connection()).await?;
    /// own.commit().await?;
    ///
    /// let mut own = store.read_host().await?;
    /// let note: String = sqlx::query_scalar("SELECT text FROM host_notes").fetch_one(own.connection()).await?;
    /// own.done();
    /// assert_eq!(note, "ours");
    /// # store.close().await;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub async fn begin_host(&self) -> Result<HostTransaction, StoreError> {
        let begun = self.writer.begin().await.map_err(error::plain)?;
        Ok(HostTransaction(begun))
    }

    /// Lends a connection that reads and cannot write. It waits for no writer, and no writer waits for it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where none is free in time.
    pub async fn read_host(&self) -> Result<HostReader, StoreError> {
        let held = self.readers.take().await.map_err(error::plain)?;
        Ok(HostReader(held))
    }
}

/// A transaction of the host's own, from [`SqliteStore::begin_host`]; dropped, it is rolled back.
pub struct HostTransaction(Begun);

impl HostTransaction {
    /// The connection, to run statements on. Leave the transaction itself alone: no `BEGIN`, `COMMIT` or `ROLLBACK`.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }

    /// Makes what was written lasting.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] where nobody knows whether it is; else as [`store_error`](crate::store_error) says.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await.map_err(error::at_commit)
    }

    /// Takes back what was written.
    ///
    /// # Errors
    /// Those of the connection; nothing stays written even then.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.0.rollback().await.map_err(error::plain)
    }
}

impl fmt::Debug for HostTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTransaction").finish_non_exhaustive()
    }
}

/// A connection that only reads, from [`SqliteStore::read_host`]; dropped without [`done`](Self::done), it is closed.
pub struct HostReader(Held);

impl HostReader {
    /// The connection, to run statements on; one that writes fails.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }

    /// Gives it back for the next read; only where no statement has failed on it.
    pub fn done(self) {
        self.0.keep();
    }
}

impl fmt::Debug for HostReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostReader").finish_non_exhaustive()
    }
}
