//! The queue of mails, as its dispatcher sees it.

use portal_auth::account::email::EmailAddress;
use portal_auth::environment::Timestamp;
use portal_auth::mail::outbox::{Backlog, Claim, MailId, MailOutcome, MailStatus, OutboxRow};

use super::rows::Columns;
use super::{Connection, dialect, query};
use crate::error::broken;
use crate::sql;

pub(crate) async fn claim(conn: &mut Connection, claim: Claim) -> Result<Vec<OutboxRow>, sqlx::Error> {
    let rows = query(dialect::CLAIM_MAILS)
        .bind(claim.now.as_micros())
        .bind(claim.now.plus(claim.lease).as_micros())
        .bind(i64::from(claim.most))
        .fetch_all(conn)
        .await?;
    let mut mails = rows
        .iter()
        .map(|row| Columns::of(row).mail())
        .collect::<Result<Vec<_>, _>>()?;
    // What an UPDATE returns has no order of its own.
    mails.sort_by_key(|mail| (mail.kind.urgency(), mail.next_at, mail.id));
    Ok(mails)
}

pub(crate) async fn settle(
    conn: &mut Connection,
    id: MailId,
    lease_no: i64,
    outcome: &MailOutcome,
) -> Result<bool, sqlx::Error> {
    let statement = match outcome {
        MailOutcome::Sent => query(sql::MAIL_SENT)
            .bind(id.as_bytes().as_slice())
            .bind(lease_no),
        MailOutcome::Again { at, counts, error } => query(sql::MAIL_AGAIN)
            .bind(id.as_bytes().as_slice())
            .bind(lease_no)
            .bind(at.as_micros())
            .bind(i64::from(*counts))
            .bind(error.as_str()),
        MailOutcome::Dead { error } => query(sql::MAIL_DEAD)
            .bind(id.as_bytes().as_slice())
            .bind(lease_no)
            .bind(error.as_str()),
    };
    Ok(statement.execute(conn).await?.rows_affected() == 1)
}

pub(crate) async fn next_due(conn: &mut Connection) -> Result<Option<Timestamp>, sqlx::Error> {
    let row = query(sql::NEXT_DUE).fetch_one(conn).await?;
    let due = Columns::of(&row).take::<Option<i64>>()?;
    Ok(due.map(Timestamp::from_micros))
}

pub(crate) async fn backlog(conn: &mut Connection, now: Timestamp) -> Result<Backlog, sqlx::Error> {
    let row = query(sql::BACKLOG).bind(now.as_micros()).fetch_one(conn).await?;
    let mut columns = Columns::of(&row);
    let due = columns.take::<i64>()?;
    let oldest_due = columns.take::<Option<i64>>()?.map(Timestamp::from_micros);
    let dead = columns.take::<i64>()?;
    Ok(Backlog {
        due: u64::try_from(due).map_err(|_| broken("count"))?,
        oldest_due,
        dead: u64::try_from(dead).map_err(|_| broken("count"))?,
    })
}

pub(crate) async fn mails(
    conn: &mut Connection,
    status: Option<MailStatus>,
    to: Option<&EmailAddress>,
    after: Option<(Timestamp, MailId)>,
    most: u32,
) -> Result<Vec<OutboxRow>, sqlx::Error> {
    let (at, id) = after.map_or((i64::MAX, None), |(at, id)| (at.as_micros(), Some(id)));
    let rows = query(sql::MAILS)
        .bind(status.map_or("", MailStatus::as_str))
        .bind(to.map_or("", EmailAddress::as_str))
        .bind(at)
        .bind(id.as_ref().map_or(&[][..], |id| id.as_bytes().as_slice()))
        .bind(i64::from(most))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Columns::of(row).mail()).collect()
}
