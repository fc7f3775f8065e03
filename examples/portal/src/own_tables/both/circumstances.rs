//! The rows of P25, for one engine.

use async_trait::async_trait;
use portal_auth::account::snapshot::AccountId;
use portal_auth::environment::Timestamp;
use portal_auth::mail::outbox::MailId;
use portal_auth::store::StoreError;
use portal_auth_sqlx::store_error;
use sqlx::Row as _;

use super::{Connection, Row, Tables, query};
use crate::circumstances::{Change, Filed, Report, Reports, Window};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, reference, change, changed_on, details, reported_at, told_at \
             FROM host_circumstances ",
            $rest
        )
    };
}

const BY_ID: &str = select!("WHERE id = $1");
const OF_ACCOUNT: &str = select!("WHERE account_id = $1 ORDER BY number DESC LIMIT $2");
const DUE: &str = select!("WHERE mail_due_at <= $1 ORDER BY mail_due_at LIMIT $2");
/// Writes nothing where the account is gone, or the window is full.
const FILE: &str = "INSERT INTO host_circumstances \
     (id, account_id, number, reference, change, changed_on, details, reported_at, mail_due_at) \
     SELECT $1, $2, 1 + coalesce((SELECT max(number) FROM host_circumstances WHERE account_id = $2), 0), \
     $3, $4, $5, $6, $7, $7 \
     WHERE EXISTS (SELECT 1 FROM portal_accounts WHERE id = $2) \
     AND (SELECT count(*) FROM host_circumstances WHERE account_id = $2 AND reported_at > $8) < $9";
const FIRST_IN_WINDOW: &str = "SELECT min(reported_at) FROM host_circumstances \
     WHERE account_id = $1 AND reported_at > $2 AND EXISTS (SELECT 1 FROM portal_accounts WHERE id = $1)";
const TOLD: &str =
    "UPDATE host_circumstances SET told_at = coalesce(told_at, $2), mail_due_at = $3 WHERE id = $1";
const GONE: &str = "SELECT DISTINCT account_id FROM host_circumstances c \
     WHERE NOT EXISTS (SELECT 1 FROM portal_accounts a WHERE a.id = c.account_id) LIMIT 200";
const FORGET: &str = "DELETE FROM host_circumstances WHERE account_id = $1 \
     AND NOT EXISTS (SELECT 1 FROM portal_accounts WHERE id = $1)";

#[async_trait]
impl Reports for Tables {
    async fn file(&self, report: &Report, window: Window) -> Result<Filed, StoreError> {
        let mut begun = self.begin().await?;
        let filed = file(begun.connection(), report, window)
            .await
            .map_err(in_filing)?;
        begun.commit().await?;
        Ok(filed)
    }

    async fn of_account(&self, account: AccountId, most: i64) -> Result<Vec<Report>, StoreError> {
        let mut reader = self.read().await?;
        let listed = query(OF_ACCOUNT).bind(account.as_bytes().as_slice()).bind(most);
        let rows = listed.fetch_all(reader.connection()).await.map_err(store_error)?;
        reader.done();
        reports(&rows).map_err(store_error)
    }

    async fn due(&self, now: Timestamp, most: i64) -> Result<Vec<Report>, StoreError> {
        let mut reader = self.read().await?;
        let listed = query(DUE).bind(now.as_micros()).bind(most);
        let rows = listed.fetch_all(reader.connection()).await.map_err(store_error)?;
        reader.done();
        reports(&rows).map_err(store_error)
    }

    async fn told(&self, id: MailId, at: Timestamp, next: Option<Timestamp>) -> Result<(), StoreError> {
        let mut begun = self.begin().await?;
        let told = query(TOLD)
            .bind(id.as_bytes().as_slice())
            .bind(at.as_micros())
            .bind(next.map(Timestamp::as_micros));
        told.execute(begun.connection()).await.map_err(store_error)?;
        begun.commit().await
    }

    async fn forget_the_gone(&self) -> Result<(), StoreError> {
        loop {
            // Looked for by a reader: the writer is taken only where something is to go.
            let mut reader = self.read().await?;
            let gone = gone(reader.connection()).await.map_err(store_error)?;
            reader.done();
            if gone.is_empty() {
                return Ok(());
            }
            let mut begun = self.begin().await?;
            for account in gone {
                let forget = query(FORGET).bind(account);
                forget.execute(begun.connection()).await.map_err(store_error)?;
            }
            begun.commit().await?;
        }
    }
}

/// A number or reference that another one took meanwhile: the caller draws and counts again.
fn in_filing(error: sqlx::Error) -> StoreError {
    let taken = matches!(&error, sqlx::Error::Database(said) if said.is_unique_violation());
    if taken {
        StoreError::Conflict
    } else {
        store_error(error)
    }
}

async fn file(conn: &mut Connection, new: &Report, window: Window) -> Result<Filed, sqlx::Error> {
    let id = new.id.as_bytes().as_slice();
    if let Some(row) = query(BY_ID).bind(id).fetch_optional(&mut *conn).await? {
        return Ok(Filed::Before(report(&row)?));
    }
    let account = new.account.as_bytes().as_slice();
    let written = query(FILE)
        .bind(id)
        .bind(account)
        .bind(&new.reference)
        .bind(new.change.word())
        .bind(new.on.to_string())
        .bind(&new.details)
        .bind(new.reported_at.as_micros())
        .bind(window.since.as_micros())
        .bind(window.most)
        .execute(&mut *conn)
        .await?;
    if written.rows_affected() > 0 {
        return Ok(Filed::New(new.clone()));
    }
    let first = query(FIRST_IN_WINDOW)
        .bind(account)
        .bind(window.since.as_micros());
    let first: Option<i64> = first.fetch_one(conn).await?.try_get(0)?;
    Ok(match first {
        Some(first) => Filed::TooMany {
            first: Timestamp::from_micros(first),
        },
        None => Filed::NoAccount,
    })
}

async fn gone(conn: &mut Connection) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    let rows = query(GONE).fetch_all(conn).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

fn reports(rows: &[Row]) -> Result<Vec<Report>, sqlx::Error> {
    rows.iter().map(report).collect()
}

fn report(row: &Row) -> Result<Report, sqlx::Error> {
    let time = |at: i64| Timestamp::from_micros(at);
    Ok(Report {
        id: row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| broken("id"))?,
        account: row
            .try_get::<&[u8], _>(1)?
            .try_into()
            .map_err(|_| broken("account_id"))?,
        reference: row.try_get(2)?,
        change: Change::from_word(row.try_get(3)?).ok_or_else(|| broken("change"))?,
        on: row
            .try_get::<&str, _>(4)?
            .parse()
            .map_err(|_| broken("changed_on"))?,
        details: row.try_get(5)?,
        reported_at: time(row.try_get(6)?),
        told_at: row.try_get::<Option<i64>, _>(7)?.map(time),
    })
}

/// A row that no release of the portal wrote.
fn broken(column: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(format!("the column {column} of host_circumstances cannot be read").into())
}
