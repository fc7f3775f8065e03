//! Bringing the portal's own tables up to date, for one engine.

use portal_auth::store::StoreError;
use portal_auth_sqlx::store_error;
use sqlx::Row as _;

use super::{Connection, HAS_VERSIONS, LOCK_VERSION, MAKE_VERSIONS, STEPS, TAKE_TIME, Tables, query};
use crate::own_tables::{OwnTablesError, judge};

/// How often the table of versions is made again when another process made it in the same moment.
const TRIES: u32 = 5;

const FIRST_VERSION: &str = "INSERT INTO host_schema (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";
const VERSION: &str = "SELECT version FROM host_schema WHERE id = 1";
const SET_VERSION: &str = "UPDATE host_schema SET version = $1 WHERE id = 1";

impl Tables {
    /// Brings the portal's own tables up to date. Any number of processes may do so at once; newer tables are left
    /// alone.
    ///
    /// # Errors
    /// [`OwnTablesError::Store`]; nothing of a step that failed is left behind.
    pub async fn migrate(&self) -> Result<(), OwnTablesError> {
        self.make_versions().await?;
        let mut begun = self.begin().await?;
        let conn = begun.connection();
        migrate(conn).await.map_err(store_error)?;
        Ok(begun.commit().await?)
    }

    /// Checks that the portal's own tables are those of this release or the next one.
    ///
    /// # Errors
    /// Every [`OwnTablesError`], as its name says.
    pub async fn check(&self) -> Result<(), OwnTablesError> {
        let mut reader = self.read().await?;
        let found = version(reader.connection()).await.map_err(store_error)?;
        reader.done();
        judge(found)
    }

    async fn make_versions(&self) -> Result<(), StoreError> {
        let mut tries = 1_u32;
        loop {
            let mut begun = self.begin().await?;
            match make_versions(begun.connection()).await {
                Ok(()) => return begun.commit().await,
                Err(e) if tries < TRIES && was_made_meanwhile(&e) => tries = tries.saturating_add(1),
                Err(e) => return Err(store_error(e)),
            }
        }
    }
}

async fn make_versions(conn: &mut Connection) -> Result<(), sqlx::Error> {
    query(MAKE_VERSIONS).execute(&mut *conn).await?;
    query(FIRST_VERSION).execute(conn).await?;
    Ok(())
}

/// A unique name was taken, or the table was there, in the moment between looking and making.
fn was_made_meanwhile(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(said)
        if said.is_unique_violation() || said.code().as_deref() == Some("42P07"))
}

async fn migrate(conn: &mut Connection) -> Result<(), sqlx::Error> {
    query(TAKE_TIME).execute(&mut *conn).await?;
    let held = query(LOCK_VERSION)
        .fetch_one(&mut *conn)
        .await?
        .try_get::<i64, _>(0)?;
    for (version, step) in (1_i64..).zip(STEPS).filter(|(version, _)| *version > held) {
        sqlx::raw_sql(step).execute(&mut *conn).await?;
        query(SET_VERSION).bind(version).execute(&mut *conn).await?;
    }
    Ok(())
}

/// 0 where there are none.
async fn version(conn: &mut Connection) -> Result<i64, sqlx::Error> {
    let there = query(HAS_VERSIONS)
        .fetch_one(&mut *conn)
        .await?
        .try_get::<bool, _>(0)?;
    if !there {
        return Ok(0);
    }
    let row = query(VERSION).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}
