//! Connections between two uses. The pool asks the server anew at every return whether the connection is well, which
//! doubles the round trips of a session check and of a sign-in; so one that has just done its work is kept here for
//! the next call, and goes back to the pool when none comes.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::pool::{CloseEvent, PoolConnection};
use sqlx::postgres::PgPool;
use sqlx::{Error, Transaction};

use super::{Connection, Db, TRUSTED_FOR, is_read_only};

/// How long a connection that is always busy stays away from its pool, which looks after its age.
const AWAY_FOR: Duration = Duration::from_secs(60);

/// The kept connections of one pool, the one used last on top.
#[derive(Clone)]
pub(super) struct Keep(Arc<Shared>);

struct Shared {
    pool: PgPool,
    /// Half of the pool: the rest is always there for the host and for transactions.
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Idle>,
    /// Whether a task brings back what nobody uses.
    is_swept: bool,
}

struct Idle {
    held: Held,
    since: Instant,
}

/// A connection in use. Dropped without [`Keep::done`], it goes back to the pool, which finds out how it is.
pub(super) struct Held {
    conn: PoolConnection<Db>,
    taken: Instant,
}

impl Keep {
    pub(super) fn of(pool: PgPool) -> Self {
        let most = pool.options().get_max_connections() / 2;
        Self(Arc::new(Shared {
            pool,
            most: usize::try_from(most).unwrap_or(usize::MAX),
            kept: Mutex::default(),
        }))
    }

    pub(super) async fn take(&self) -> Result<Held, Error> {
        if let Some(mut idle) = self.0.pop()
            && is_trusted(&mut idle).await
        {
            return Ok(idle.held);
        }
        Ok(Held {
            conn: self.0.pool.acquire().await?,
            taken: now(),
        })
    }

    /// Begins a transaction, on a kept connection where there is one.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Db>, Error> {
        Transaction::begin(self.take().await?.conn, None).await
    }

    /// Keeps a connection whose work is done and well.
    pub(super) fn done(&self, held: Held) {
        if self.0.push(held) {
            let closing = self.0.pool.close_event();
            tokio::spawn(Sweeper(Arc::downgrade(&self.0)).sweep(closing));
        }
    }

    /// Gives everything back to the pool, which finds out how it is.
    pub(super) fn give_back(&self) {
        drop(self.0.take_out(|_| true));
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self) -> Option<Idle> {
        if self.pool.is_closed() {
            return None;
        }
        self.lock().idle.pop()
    }

    /// Tells whether a sweeper is needed.
    fn push(&self, held: Held) -> bool {
        // Whoever waits for the pool hears only of what comes back to it.
        let pool_is_empty =
            self.pool.num_idle() == 0 && self.pool.size() >= self.pool.options().get_max_connections();
        if pool_is_empty || self.pool.is_closed() || held.taken.elapsed() > AWAY_FOR {
            return false;
        }
        let mut kept = self.lock();
        if kept.idle.len() >= self.most {
            return false;
        }
        kept.idle.push(Idle { held, since: now() });
        !std::mem::replace(&mut kept.is_swept, true)
    }

    /// For the caller to drop, when the lock is free again.
    fn take_out(&self, which: impl Fn(&Idle) -> bool) -> Vec<Idle> {
        let mut kept = self.lock();
        let (out, stay) = std::mem::take(&mut kept.idle).into_iter().partition(which);
        kept.idle = stay;
        out
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the age of a connection is no time that anything is decided by"
)]
fn now() -> Instant {
    Instant::now()
}

/// As the pool asks, so that a connection is not left for a new one while its return is under way.
async fn is_trusted(idle: &mut Idle) -> bool {
    idle.since.elapsed() < TRUSTED_FOR
        || is_read_only(&mut idle.held)
            .await
            .is_ok_and(|read_only| !read_only)
}

impl Drop for Shared {
    fn drop(&mut self) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        for idle in kept.idle.drain(..) {
            // A pool's connection hands itself to a task when it is dropped, and panics where there is no runtime.
            if tokio::runtime::Handle::try_current().is_ok() {
                drop(idle.held.conn.detach());
            } else {
                std::mem::forget(idle.held.conn);
            }
        }
    }
}

/// Brings back what nobody has used for a while; ends when nothing is kept any more.
struct Sweeper(Weak<Shared>);

impl Sweeper {
    async fn sweep(self, mut closing: CloseEvent) {
        loop {
            let closed = tokio::time::timeout(TRUSTED_FOR, &mut closing).await.is_ok();
            let Some(shared) = self.0.upgrade() else { return };
            drop(shared.take_out(|idle| closed || idle.since.elapsed() >= TRUSTED_FOR));
            let mut kept = shared.lock();
            if kept.idle.is_empty() {
                kept.is_swept = false;
                return;
            }
        }
    }
}

impl Drop for Sweeper {
    /// Also where its runtime ends before it does, so that another one begins.
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.lock().is_swept = false;
        }
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

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep")
            .field("pool", &self.0.pool)
            .finish_non_exhaustive()
    }
}
