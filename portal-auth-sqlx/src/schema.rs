//! The tables and their versions, and what can be wrong when a store is opened.
//!
//! A migration runs inside one transaction that holds the lock of the version's row, so any number of processes may
//! start at once: one migrates, the others wait and find nothing left to do. A release works with its own schema
//! and with the next one, so that processes of two releases can run side by side during an upgrade.

use portal_auth::store::StoreError;

use crate::error::plain;

/// The version of the schema that this release makes and needs.
pub const SCHEMA_VERSION: i64 = 3;

/// Why a store could not be opened or its schema is not usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address of the database cannot be read.
    #[error("the database address cannot be read")]
    Address(#[source] sqlx::Error),
    /// SQLite in memory: every connection would see a database of its own.
    #[error("a SQLite database in memory cannot be shared by several connections; name a file instead")]
    InMemory,
    /// The file of a SQLite database could not be made.
    #[error("the database file cannot be created")]
    File(#[source] std::io::Error),
    /// The server accepts no writes, such as a standby.
    #[error("the database is read-only; connect to the primary server")]
    ReadOnly,
    /// A pooler in transaction mode would hand one client's statement to another client's connection.
    #[error(
        "a connection pooler in transaction mode lies in between; use session mode or a direct connection"
    )]
    TransactionPooler,
    /// The tables are not there, or older than this release needs.
    #[error("the schema has version {found}, but version {wanted} is needed; run the migrations first")]
    SchemaTooOld {
        /// What the database holds; 0 for nothing.
        found: i64,
        /// What this release needs.
        wanted: i64,
    },
    /// A release much newer than this one has changed the tables.
    #[error("the schema has version {found}, but this release knows only up to version {newest}")]
    SchemaTooNew {
        /// What the database holds.
        found: i64,
        /// The newest that this release works with.
        newest: i64,
    },
    /// The database said no; [`StoreError::Unavailable`] inside means that trying again may help.
    #[error("the database failed")]
    Store(#[source] StoreError),
}

impl From<sqlx::Error> for SetupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(plain(error))
    }
}

/// The newest version that this release works with.
const NEWEST_USABLE: i64 = SCHEMA_VERSION.saturating_add(1);

/// Whether this release works with a schema of version `found`.
pub(crate) fn is_usable(found: i64) -> bool {
    (SCHEMA_VERSION..=NEWEST_USABLE).contains(&found)
}

/// Refuses a schema that this release does not work with.
pub(crate) fn judge(found: i64) -> Result<(), SetupError> {
    if is_usable(found) {
        Ok(())
    } else if found < SCHEMA_VERSION {
        Err(SetupError::SchemaTooOld {
            found,
            wanted: SCHEMA_VERSION,
        })
    } else {
        Err(SetupError::SchemaTooNew {
            found,
            newest: NEWEST_USABLE,
        })
    }
}

/// One step of the schema.
#[derive(Debug)]
pub(crate) struct Migration {
    /// The version that it leads to.
    pub(crate) version: i64,
    /// Its statements.
    pub(crate) text: &'static str,
}

#[cfg(feature = "postgres")]
pub(crate) const POSTGRES: &[Migration] = &[
    Migration {
        version: 1,
        text: include_str!("../migrations/postgres/0001_accounts.sql"),
    },
    Migration {
        version: 2,
        text: include_str!("../migrations/postgres/0002_whole_life.sql"),
    },
    Migration {
        version: 3,
        text: include_str!("../migrations/postgres/0003_expired_seeds.sql"),
    },
];

#[cfg(feature = "sqlite")]
pub(crate) const SQLITE: &[Migration] = &[
    Migration {
        version: 1,
        text: include_str!("../migrations/sqlite/0001_accounts.sql"),
    },
    Migration {
        version: 2,
        text: include_str!("../migrations/sqlite/0002_whole_life.sql"),
    },
    Migration {
        version: 3,
        text: include_str!("../migrations/sqlite/0003_expired_seeds.sql"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_schema_and_the_next_one_are_usable() {
        assert!(judge(SCHEMA_VERSION).is_ok());
        assert!(judge(SCHEMA_VERSION + 1).is_ok());
        assert!(matches!(judge(0), Err(SetupError::SchemaTooOld { found: 0, .. })));
        assert!(matches!(
            judge(SCHEMA_VERSION + 2),
            Err(SetupError::SchemaTooNew { .. })
        ));
    }

    #[test]
    fn migrations_lead_to_the_version_of_this_release_without_a_gap() {
        #[cfg(feature = "postgres")]
        assert!(POSTGRES.iter().map(|m| m.version).eq(1..=SCHEMA_VERSION));
        #[cfg(feature = "sqlite")]
        assert!(SQLITE.iter().map(|m| m.version).eq(1..=SCHEMA_VERSION));
    }
}
