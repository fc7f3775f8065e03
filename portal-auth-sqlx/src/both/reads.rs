//! The reads of account data, drafts and sessions: one statement each, by primary key or index.

use portal_auth::account::email::EmailAddress;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::audit::AuditRow;
use portal_auth::challenge::{ChallengeKey, ChallengeRow};
use portal_auth::device::DeviceKey;
use portal_auth::environment::Timestamp;
use portal_auth::link::{LinkKey, LinkRow};
use portal_auth::registration::RegistrationId;
use portal_auth::registration::draft::{DraftKey, DraftRow};
use portal_auth::session::{SessionKey, SessionRow, SessionView};
use portal_auth::store::{Dossier, LinkView, RegistrantView, RegistrationView, SignInView, Subject};

use super::rows::Columns;
use super::{Connection, Row, dialect, query};
use crate::sql;

type Read<T> = Result<T, sqlx::Error>;

pub(crate) async fn by_email(
    conn: &mut Connection,
    email: &EmailAddress,
    device: Option<DeviceKey>,
) -> Read<SignInView> {
    let row = query(sql::BY_EMAIL)
        .bind(email.as_str())
        .bind(device.as_ref().map(|d| d.as_bytes().as_slice()))
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else {
        return Ok(SignInView {
            account: None,
            device: None,
        });
    };
    let mut columns = Columns::of(&row);
    Ok(SignInView {
        account: Some(columns.account()?),
        device: columns.device()?,
    })
}

/// Two statements, both whatever the first one finds (ENU-2).
pub(crate) async fn by_registrant(conn: &mut Connection, email: &EmailAddress) -> Read<RegistrantView> {
    let account = by_email(conn, email, None).await?.account;
    let waiting = query(sql::WAITING_REGISTRATION)
        .bind(email.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(RegistrantView {
        account,
        waiting: waiting.as_ref().map(registration_view).transpose()?,
    })
}

pub(crate) async fn by_id(conn: &mut Connection, id: AccountId) -> Read<Option<AccountRow>> {
    let row = query(sql::BY_ID)
        .bind(id.as_bytes().as_slice())
        .fetch_optional(conn)
        .await?;
    row.map(|row| Columns::of(&row).account()).transpose()
}

pub(crate) async fn by_registration(
    conn: &mut Connection,
    id: RegistrationId,
) -> Read<Option<RegistrationView>> {
    let row = query(sql::BY_REGISTRATION)
        .bind(id.as_bytes().as_slice())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(registration_view).transpose()
}

fn registration_view(row: &Row) -> Read<RegistrationView> {
    let mut columns = Columns::of(row);
    Ok(RegistrationView {
        registration: columns.registration()?,
        link: columns.maybe_link()?,
    })
}

pub(crate) async fn by_link(conn: &mut Connection, key: LinkKey) -> Read<Option<LinkView>> {
    let row = query(sql::BY_LINK)
        .bind(key.as_bytes().as_slice())
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut columns = Columns::of(&row);
    let link = columns.link()?;
    let registration = columns.maybe_registration()?;
    let claimed = columns.take::<Option<&str>>()?.is_some();
    let account = columns.maybe_account()?;
    let subject = match (registration, account) {
        (Some(row), _) => Subject::Registration {
            row: Box::new(row),
            claimed,
        },
        (None, Some(account)) => Subject::Account(Box::new(account)),
        (None, None) => Subject::Gone,
    };
    Ok(Some(LinkView { link, subject }))
}

pub(crate) async fn by_challenge(
    conn: &mut Connection,
    key: ChallengeKey,
) -> Read<Option<(ChallengeRow, AccountRow)>> {
    let row = query(sql::BY_CHALLENGE)
        .bind(key.as_bytes().as_slice())
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        let mut columns = Columns::of(&row);
        Ok((columns.challenge()?, columns.account()?))
    })
    .transpose()
}

pub(crate) async fn activity(
    conn: &mut Connection,
    id: AccountId,
    kinds: &[&str],
    most: u32,
) -> Read<Vec<AuditRow>> {
    let statement = if kinds.is_empty() {
        query(sql::ACTIVITY)
            .bind(id.as_bytes().as_slice())
            .bind(i64::from(most))
    } else {
        query(dialect::ACTIVITY_OF_KINDS)
            .bind(id.as_bytes().as_slice())
            .bind(i64::from(most))
            .bind(super::words(kinds))
    };
    let rows = statement.fetch_all(conn).await?;
    rows.iter().map(|row| Columns::of(row).event()).collect()
}

pub(crate) async fn draft(conn: &mut Connection, key: DraftKey) -> Read<Option<DraftRow>> {
    let row = query(sql::LOAD_DRAFT)
        .bind(key.as_bytes().as_slice())
        .fetch_optional(conn)
        .await?;
    row.map(|row| Columns::of(&row).draft()).transpose()
}

pub(crate) async fn session(conn: &mut Connection, key: SessionKey) -> Read<Option<SessionView>> {
    let row = query(sql::SESSION)
        .bind(key.as_bytes().as_slice())
        .fetch_optional(conn)
        .await?;
    row.map(|row| Columns::of(&row).session_view()).transpose()
}

pub(crate) async fn sessions_of(conn: &mut Connection, account: AccountId) -> Read<Vec<SessionRow>> {
    let rows = query(sql::SESSIONS_OF)
        .bind(account.as_bytes().as_slice())
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Columns::of(row).session()).collect()
}

pub(crate) async fn live_links(conn: &mut Connection, account: AccountId) -> Read<Vec<LinkRow>> {
    all(conn, sql::LIVE_LINKS, account, |c| c.link()).await
}

/// The account and all that is kept about it; the reads are one after the other, so a row that comes in between may
/// be missing, and none is torn.
pub(crate) async fn dossier(conn: &mut Connection, id: AccountId) -> Read<Option<Dossier>> {
    let Some(account) = by_id(conn, id).await? else {
        return Ok(None);
    };
    let rows = query(sql::REGISTRATIONS_OF)
        .bind(account.email.as_str())
        .fetch_all(&mut *conn)
        .await?;
    let registrations = rows.iter().map(|row| Columns::of(row).registration());
    Ok(Some(Dossier {
        registrations: registrations.collect::<Read<_>>()?,
        links: all(conn, sql::LINKS_OF, id, |c| c.link()).await?,
        challenges: all(conn, sql::CHALLENGES_OF, id, |c| c.challenge()).await?,
        sessions: all(conn, sql::ALL_SESSIONS_OF, id, |c| c.session()).await?,
        devices: all(conn, sql::DEVICES_OF, id, |c| c.device())
            .await?
            .into_iter()
            .flatten()
            .collect(),
        mails: all(conn, sql::MAILS_OF, id, |c| c.mail()).await?,
        events: all(conn, sql::EVENTS_OF, id, |c| c.event()).await?,
        account,
    }))
}

async fn all<T>(
    conn: &mut Connection,
    statement: &'static str,
    account: AccountId,
    read: impl Fn(&mut Columns<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let rows = query(statement)
        .bind(account.as_bytes().as_slice())
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| read(&mut Columns::of(row))).collect()
}

pub(crate) async fn accounts(
    conn: &mut Connection,
    prefix: &str,
    after: Option<&EmailAddress>,
    most: u32,
) -> Read<Vec<AccountRow>> {
    // Addresses are ASCII without controls, so the last ASCII character sorts behind whatever may follow the prefix.
    let behind = format!("{prefix}\u{7f}");
    let rows = query(sql::ACCOUNTS)
        .bind(after.map_or("", EmailAddress::as_str))
        .bind(prefix)
        .bind(behind)
        .bind(i64::from(most))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Columns::of(row).account()).collect()
}

pub(crate) async fn closed_accounts(
    conn: &mut Connection,
    until: Timestamp,
    most: u32,
) -> Read<Vec<AccountRow>> {
    let rows = query(sql::CLOSED_ACCOUNTS)
        .bind(until.as_micros())
        .bind(i64::from(most))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Columns::of(row).account()).collect()
}
