//! The chain of seals over the audit.

use portal_auth::audit::{AuditRow, EventId};
use portal_auth::audit_seal::{SealKind, SealRow};
use portal_auth::environment::Timestamp;

use super::rows::Columns;
use super::{Connection, query};
use crate::error::Failure;
use crate::sql;

type Read<T> = Result<T, sqlx::Error>;

pub(crate) async fn unsealed(conn: &mut Connection, most: u32) -> Read<Vec<AuditRow>> {
    let rows = query(sql::UNSEALED).bind(i64::from(most)).fetch_all(conn).await?;
    rows.iter().map(|row| Columns::of(row).event()).collect()
}

pub(crate) async fn last_seal(conn: &mut Connection) -> Read<Option<SealRow>> {
    let row = query(sql::LAST_SEAL).fetch_optional(conn).await?;
    row.map(|row| Columns::of(&row).seal()).transpose()
}

pub(crate) async fn seals(conn: &mut Connection, after: i64, most: u32) -> Read<Vec<SealRow>> {
    let rows = query(sql::SEALS)
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Columns::of(row).seal()).collect()
}

pub(crate) async fn sealed_events(conn: &mut Connection, no: i64) -> Read<Vec<AuditRow>> {
    let rows = query(sql::SEALED_EVENTS).bind(no).fetch_all(conn).await?;
    rows.iter().map(|row| Columns::of(row).event()).collect()
}

pub(crate) async fn last_seal_before(
    conn: &mut Connection,
    at: Timestamp,
    most: u32,
) -> Read<Option<SealRow>> {
    let first = seals(conn, 0, most).await?;
    let old = first.into_iter().take_while(|s| s.made_at < at);
    Ok(old.last().filter(|s| s.kind == SealKind::Batch))
}

/// After a failure the caller must roll back.
pub(crate) async fn seal(conn: &mut Connection, seal: &SealRow, events: &[EventId]) -> Result<(), Failure> {
    let inserted = query(sql::INSERT_SEAL)
        .bind(seal.no)
        .bind(seal.kind.as_str())
        .bind(seal.made_at.as_micros())
        .bind(i64::from(seal.events))
        .bind(seal.chain.as_slice())
        .bind(seal.mac_key.as_str())
        .bind(seal.mac.as_slice())
        .execute(&mut *conn)
        .await?;
    if inserted.rows_affected() != 1 {
        return Err(Failure::Conflict);
    }
    for (place, id) in (0_i64..).zip(events) {
        let put = query(sql::PUT_UNDER_SEAL)
            .bind(seal.no)
            .bind(place)
            .bind(id.as_bytes().as_slice())
            .execute(&mut *conn)
            .await?;
        if put.rows_affected() != 1 {
            return Err(Failure::Conflict);
        }
    }
    Ok(())
}

/// After a failure the caller must roll back.
pub(crate) async fn put_checkpoint(conn: &mut Connection, checkpoint: &SealRow) -> Result<u64, Failure> {
    let replaced = query(sql::PUT_CHECKPOINT)
        .bind(checkpoint.no)
        .bind(checkpoint.kind.as_str())
        .bind(checkpoint.mac_key.as_str())
        .bind(checkpoint.mac.as_slice())
        .execute(&mut *conn)
        .await?;
    if replaced.rows_affected() != 1 {
        return Err(Failure::Conflict);
    }
    query(sql::DELETE_SEALS)
        .bind(checkpoint.no)
        .execute(&mut *conn)
        .await?;
    let gone = query(sql::DELETE_SEALED_EVENTS)
        .bind(checkpoint.no)
        .execute(&mut *conn)
        .await?;
    Ok(gone.rows_affected())
}
