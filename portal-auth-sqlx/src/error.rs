//! What a database's error means to the caller of a port.
//!
//! | Database says | [`StoreError`] |
//! |---|---|
//! | a key is taken, a serialization failure or deadlock, within a commit | `Conflict` |
//! | connection lost or refused, pool or statement timed out, locked, read-only or shutting down | `Unavailable` |
//! | connection lost while COMMIT was under way | `Ambiguous` |
//! | anything else: a broken row, a missing table, a full disk, a text with NUL (DB-2) | `Permanent` |

use portal_auth::store::StoreError;
use sqlx::error::DatabaseError;

/// Why a write did not happen, before it is known which port asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A guard did not hold, or a change did not hit exactly one row.
    Conflict,
    /// The database said no.
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// A row that no release of this crate wrote.
#[derive(Debug, thiserror::Error)]
#[error("the column {column} holds a value that cannot be read")]
pub(crate) struct BrokenRow {
    column: &'static str,
}

/// A row whose `column` cannot be read; permanent.
pub(crate) fn broken(column: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(BrokenRow { column }))
}

/// What an error means where there is nothing to decide again.
pub(crate) fn plain(error: sqlx::Error) -> StoreError {
    match kind(&error) {
        Kind::Retry | Kind::Away => StoreError::Unavailable(error.into()),
        Kind::Taken | Kind::Broken => StoreError::Permanent(error.into()),
    }
}

/// What an error means within a transaction that a caller decides again after a conflict.
pub(crate) fn in_commit(failure: Failure) -> StoreError {
    match failure {
        Failure::Conflict => StoreError::Conflict,
        Failure::Sql(error) => match kind(&error) {
            Kind::Taken | Kind::Retry => StoreError::Conflict,
            Kind::Away => StoreError::Unavailable(error.into()),
            Kind::Broken => StoreError::Permanent(error.into()),
        },
    }
}

/// What an error means while COMMIT was under way: a lost answer leaves it open whether it happened.
pub(crate) fn at_commit(error: sqlx::Error) -> StoreError {
    match kind(&error) {
        Kind::Taken | Kind::Retry => StoreError::Conflict,
        // A server that says no has undone it; one that goes away may have done it.
        Kind::Away if matches!(error, sqlx::Error::Database(_)) && !connection_lost(&error) => {
            StoreError::Unavailable(error.into())
        }
        Kind::Away => StoreError::Ambiguous(error.into()),
        Kind::Broken => StoreError::Permanent(error.into()),
    }
}

/// Whether the connection itself is gone, so that another one may do better.
pub(crate) fn connection_lost(error: &sqlx::Error) -> bool {
    if let sqlx::Error::Database(said) = error {
        let code = said.code().unwrap_or_default();
        return code.starts_with("08") || code.starts_with("57P") || code == "25006";
    }
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_))
}

/// Whether the whole transaction may succeed when it is run again at once.
pub(crate) fn worth_repeating(error: &sqlx::Error) -> bool {
    matches!(kind(error), Kind::Retry)
}

enum Kind {
    /// A key exists already.
    Taken,
    /// Lost against another transaction.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "the one writer of SQLite loses against nobody")
    )]
    Retry,
    /// Cannot be reached, or is too busy.
    Away,
    /// Anything else.
    Broken,
}

fn kind(error: &sqlx::Error) -> Kind {
    if let sqlx::Error::Database(said) = error {
        return if said.is_unique_violation() {
            Kind::Taken
        } else {
            said_by_database(&**said)
        };
    }
    let away = matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed
    );
    if away { Kind::Away } else { Kind::Broken }
}

fn said_by_database(said: &dyn DatabaseError) -> Kind {
    let code = said.code().unwrap_or_default();
    #[cfg(feature = "postgres")]
    if said
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .is_some()
    {
        return match &*code {
            "40001" | "40P01" => Kind::Retry,
            // Statement and lock time-outs, a server that starts, stops or became a standby, no connection left.
            "57014" | "55P03" | "25006" | "25P03" | "53300" | "53200" => Kind::Away,
            code if code.starts_with("08") || code.starts_with("57P") => Kind::Away,
            _ => Kind::Broken,
        };
    }
    #[cfg(feature = "sqlite")]
    if said.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // The lowest byte is the primary code: 5 is SQLITE_BUSY, 6 SQLITE_LOCKED.
        let primary = code.parse::<i32>().map_or(0, |code| code & 0xff);
        return if matches!(primary, 5 | 6) {
            Kind::Away
        } else {
            Kind::Broken
        };
    }
    Kind::Broken
}

/// Whether another process holds the file just now.
#[cfg(feature = "sqlite")]
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(_)) && matches!(kind(error), Kind::Away)
}
