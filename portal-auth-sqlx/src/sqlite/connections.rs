//! The connections of one file. Each has a thread of its own in sqlx, and every hand-over to it costs more than the
//! read it carries; so they are taken from here and not from sqlx's pool, which asks them once more at each return.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, Error};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::{Connection, dialect, query};

/// Connections of one kind.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    address: SqliteConnectOptions,
    /// One for each connection that may be in use.
    places: Arc<Semaphore>,
    most: u32,
    patience: Duration,
    free: Mutex<Vec<Connection>>,
}

/// A connection in use. Dropped without [`keep`](Self::keep), it is closed, and with it whatever it had begun.
pub(super) struct Held {
    // Before its place: the next one waits for the file, and not for this.
    conn: Connection,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

impl Connections {
    /// At most `most` at once, opened when they are needed; whoever waits longer than `patience` for one gives up.
    pub(super) fn new(address: SqliteConnectOptions, most: u32, patience: Duration) -> Self {
        let places = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            address,
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            most,
            patience,
            free: Mutex::new(Vec::new()),
        }))
    }

    pub(super) async fn take(&self) -> Result<Held, Error> {
        let closed = |_: AcquireError| Error::PoolClosed;
        let places = Arc::clone(&self.0.places);
        let place = if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            place
        } else {
            tokio::time::timeout(self.0.patience, places.acquire_owned())
                .await
                .map_err(|_| Error::PoolTimedOut)?
                .map_err(closed)?
        };
        let free = self.0.lock().pop();
        let conn = match free {
            Some(conn) => conn,
            None => Connection::connect_with(&self.0.address).await?,
        };
        Ok(Held {
            conn,
            shared: Arc::clone(&self.0),
            _place: place,
        })
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self) -> Result<Begun, Error> {
        let mut held = self.take().await?;
        query(dialect::BEGIN).execute(&mut *held).await?;
        Ok(Begun(held))
    }

    /// Waits for those in use, closes all, and gives out none any more.
    pub(super) async fn close(&self) {
        let all = self.0.places.acquire_many(self.0.most).await;
        self.0.places.close();
        drop(all);
        let free = std::mem::take(&mut *self.0.lock());
        for conn in free {
            // Told goodbye or not, it is over.
            drop(conn.close().await);
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Gives the connection back for the next one; only where nothing is left begun on it.
    pub(super) fn keep(self) {
        let Self { conn, shared, _place } = self;
        shared.lock().push(conn);
    }
}

impl Deref for Held {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.conn
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }
}

/// A transaction under way; dropped, it is rolled back with its connection.
pub(super) struct Begun(Held);

impl Begun {
    pub(super) async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    pub(super) async fn rollback(self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(self, how: &'static str) -> Result<(), Error> {
        let Self(mut held) = self;
        query(how).execute(&mut *held).await?;
        held.keep();
        Ok(())
    }
}

impl Deref for Begun {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Begun {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("most", &self.0.most)
            .finish_non_exhaustive()
    }
}
