//! Tables of the portal's own, in the database of the library: `host_…` beside `portal_…`, with versions of their own.
//!
//! As in the library, one text in `both/` is compiled with the types of each engine. A table here needs an
//! [`ExportPart`](crate::export_part::ExportPart), so that its owner is told of it and it goes with the account; a test
//! compares.

use portal_auth::store::StoreError;

pub mod postgres;
pub mod sqlite;

/// The version of the portal's own tables that this release makes and needs.
const VERSION: i64 = 1;

/// One step of the schema for each engine, in order; the first leads to version 1.
const POSTGRES: [&str; 1] = [include_str!("../../migrations/postgres/0001_circumstances.sql")];
const SQLITE: [&str; 1] = [include_str!("../../migrations/sqlite/0001_circumstances.sql")];

/// Why the portal's own tables cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnTablesError {
    /// They are not there, or older than this release needs.
    #[error(
        "the portal's own tables have version {found}, but version {VERSION} is needed; run the migrations first: \
         `portal migrate`"
    )]
    TooOld {
        /// What the database holds; 0 for nothing.
        found: i64,
    },
    /// A release much newer than this one has changed them.
    #[error(
        "the portal's own tables have version {found}, but this release knows only up to version {newest}"
    )]
    TooNew {
        /// What the database holds.
        found: i64,
        /// The newest that this release works with.
        newest: i64,
    },
    /// The database said no.
    #[error("the portal's own tables cannot be reached")]
    Store(#[from] StoreError),
}

/// Refuses tables that this release does not work with: its own version and the next one are right.
const fn judge(found: i64) -> Result<(), OwnTablesError> {
    let newest = VERSION.saturating_add(1);
    if found < VERSION {
        Err(OwnTablesError::TooOld { found })
    } else if found > newest {
        Err(OwnTablesError::TooNew { found, newest })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn this_version_and_the_next_are_right() {
        assert!(judge(VERSION).is_ok() && judge(VERSION + 1).is_ok());
        assert!(matches!(judge(0), Err(OwnTablesError::TooOld { found: 0 })));
        assert!(matches!(judge(VERSION + 2), Err(OwnTablesError::TooNew { .. })));
        for steps in [POSTGRES.len(), SQLITE.len()] {
            assert_eq!(i64::try_from(steps), Ok(VERSION));
        }
    }

    #[test]
    fn every_own_table_is_in_the_download_of_its_owner_and_goes_with_the_account() {
        // CHG-5: a table of the portal, and the part that stands for it.
        let parts = BTreeSet::from([("host_circumstances", crate::circumstances::PART)]);
        for steps in [POSTGRES, SQLITE] {
            let made: BTreeSet<_> = steps
                .iter()
                .flat_map(|text| text.split("CREATE TABLE ").skip(1))
                .filter_map(|rest| rest.split_whitespace().next())
                .collect();
            let covered: BTreeSet<_> = parts.iter().map(|(table, _)| *table).collect();
            assert_eq!(made, covered, "give a new table an ExportPart, and name it here");
        }
        let service = include_str!("../service.rs");
        let given = service.split("-> Vec<Arc<dyn ExportPart>> {").nth(1).unwrap();
        let given = given.split('}').next().unwrap();
        assert_eq!(
            given.matches(".export_part()").count(),
            parts.len(),
            "give every part to the app"
        );
    }
}
