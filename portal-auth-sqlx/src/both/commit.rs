//! A unit of work, statement by statement, inside the caller's transaction.

use portal_auth::account::snapshot::AccountId;
use portal_auth::link::{LinkPurpose, LinkState, LinkSubject};
use portal_auth::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};

use super::rows::Columns;
use super::settle::{bucket_of, settle};
use super::writes::{self, Statement};
use super::{Connection, dialect, query};
use crate::error::Failure;
use crate::sql;

/// Runs all of `work`; after a failure the caller must roll back.
pub(crate) async fn apply(conn: &mut Connection, work: &UnitOfWork) -> Result<(), Failure> {
    for guard in work.guards() {
        check(conn, guard).await?;
    }
    for one in work.changes() {
        change(conn, one).await?;
    }
    for one in work.sweeps() {
        sweep(conn, one, work).await?;
    }
    // In the order of their keys, so that commits with buckets in common wait and never block each other; those of
    // one bucket keep their order.
    let mut settles: Vec<_> = work.settles().iter().collect();
    settles.sort_by_key(|settle| bucket_of(settle));
    for one in settles {
        if settle(conn, one).await? {
            let told = work
                .closings()
                .iter()
                .filter(|(network, _)| *network == bucket_of(one));
            for (_, event) in told {
                writes::insert_event(event).execute(&mut *conn).await?;
            }
        }
    }
    for mail in work.mails() {
        writes::insert_mail(mail).execute(&mut *conn).await?;
    }
    for event in work.events() {
        writes::insert_event(event).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn check(conn: &mut Connection, guard: &Guard) -> Result<(), Failure> {
    let holds = match guard {
        Guard::InEpoch { account, epoch } => query(sql::IN_EPOCH)
            .bind(account.as_bytes().as_slice())
            .bind(epoch.as_bytes().as_slice())
            .fetch_optional(conn)
            .await?
            .is_some(),
        Guard::Unclaimed(email) => query(sql::IS_CLAIMED)
            .bind(email.as_str())
            .fetch_optional(conn)
            .await?
            .is_none(),
    };
    if holds { Ok(()) } else { Err(Failure::Conflict) }
}

async fn change(conn: &mut Connection, change: &Change) -> Result<(), Failure> {
    let statement = match change {
        Change::Account(write) => match &**write {
            Write::Insert(row) => writes::account(sql::INSERT_ACCOUNT, 1, row)?,
            Write::Update(row) => writes::account(sql::UPDATE_ACCOUNT, row.version, row)?,
            Write::Delete(id) => query(sql::DELETE_ACCOUNT).bind(id.as_bytes().as_slice()),
        },
        Change::Claim { email, account } => query(sql::CLAIM)
            .bind(email.as_str())
            .bind(account.as_bytes().as_slice()),
        Change::Unclaim { email, account } => query(sql::UNCLAIM)
            .bind(email.as_str())
            .bind(account.as_bytes().as_slice()),
        Change::Registration(write) => match &**write {
            Write::Insert(row) => writes::registration(sql::INSERT_REGISTRATION, 1, row)?,
            Write::Update(row) => writes::registration(sql::UPDATE_REGISTRATION, row.version, row)?,
            Write::Delete(id) => query(sql::DELETE_REGISTRATION).bind(id.as_bytes().as_slice()),
        },
        Change::Link(write) => match &**write {
            Write::Insert(row) => writes::link(sql::INSERT_LINK, 1, row),
            Write::Update(row) => writes::link(sql::UPDATE_LINK, row.version, row),
            Write::Delete(key) => query(sql::DELETE_LINK).bind(key.as_bytes().as_slice()),
        },
        Change::Challenge(write) => match &**write {
            Write::Insert(row) => writes::challenge(sql::INSERT_CHALLENGE, 1, row),
            Write::Update(row) => writes::challenge(sql::UPDATE_CHALLENGE, row.version, row),
            Write::Delete(key) => query(sql::DELETE_CHALLENGE).bind(key.as_bytes().as_slice()),
        },
        Change::Session(write) => match &**write {
            Write::Insert(row) => writes::insert_session(row),
            Write::Update(_) => return Err(Failure::Conflict),
            Write::Delete(key) => query(sql::DELETE_SESSION).bind(key.as_bytes().as_slice()),
        },
        Change::Device(row) => writes::put_device(row),
        Change::Draft(write) => match &**write {
            Write::Insert(row) => writes::draft(sql::INSERT_DRAFT, 1, row),
            Write::Update(row) => writes::draft(sql::UPDATE_DRAFT, row.version, row),
            Write::Delete(key) => query(sql::DELETE_DRAFT).bind(key.as_bytes().as_slice()),
        },
        Change::SendAgain {
            mail,
            now,
            expires_at,
        } => query(sql::SEND_MAIL_AGAIN)
            .bind(mail.as_bytes().as_slice())
            .bind(now.as_micros())
            .bind(expires_at.as_micros()),
        Change::DropMail { mail, why } => query(sql::DROP_MAIL)
            .bind(mail.as_bytes().as_slice())
            .bind(why.as_str()),
    };
    hit_one(conn, statement).await
}

/// Runs a change, which must hit exactly one row.
pub(crate) async fn hit_one(conn: &mut Connection, statement: Statement) -> Result<(), Failure> {
    match statement.execute(conn).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(Failure::Conflict),
    }
}

async fn sweep(conn: &mut Connection, sweep: &Sweep, work: &UnitOfWork) -> Result<(), Failure> {
    match sweep {
        Sweep::VoidLinks {
            subject,
            purpose,
            state,
            now,
        } => void_links(*subject, *purpose, *state, now.as_micros())
            .execute(conn)
            .await
            .map(drop)?,
        Sweep::VoidRegistrations {
            email,
            except,
            state,
            now,
        } => {
            let ended = query(sql::VOID_REGISTRATIONS)
                .bind(email.as_str())
                .bind(except.as_ref().map_or(NO_KEY, |id| id.as_bytes().as_slice()))
                .bind(state.as_str())
                .fetch_all(&mut *conn)
                .await?;
            for row in &ended {
                let subject = LinkSubject::Registration(Columns::of(row).key("id")?);
                void_links(subject, None, LinkState::Void, now.as_micros())
                    .execute(&mut *conn)
                    .await?;
            }
        }
        Sweep::EndSession(key) => {
            run(conn, query(sql::DELETE_SESSION).bind(key.as_bytes().as_slice())).await?
        }
        Sweep::EndSessions { account, except } => {
            let kept = except.as_ref().map_or(NO_KEY, |key| key.as_bytes().as_slice());
            let statement = query(dialect::END_SESSIONS)
                .bind(account.as_bytes().as_slice())
                .bind(kept);
            run(conn, statement).await?;
        }
        Sweep::KeepNewestSessions { account, keep } => {
            let written = written(work, written_session);
            run(
                conn,
                keep_newest(dialect::KEEP_NEWEST_SESSIONS, *account, *keep, written),
            )
            .await?;
        }
        Sweep::EndChallenge(key) => {
            run(conn, query(sql::DELETE_CHALLENGE).bind(key.as_bytes().as_slice())).await?;
        }
        Sweep::EndChallenges(account) => {
            run(
                conn,
                query(sql::END_CHALLENGES).bind(account.as_bytes().as_slice()),
            )
            .await?;
        }
        Sweep::KeepNewestChallenges { account, keep } => {
            let written = written(work, written_challenge);
            run(
                conn,
                keep_newest(dialect::KEEP_NEWEST_CHALLENGES, *account, *keep, written),
            )
            .await?;
        }
        Sweep::KeepNewestDevices { account, keep } => {
            let written = written(work, written_device);
            run(
                conn,
                keep_newest(dialect::KEEP_NEWEST_DEVICES, *account, *keep, written),
            )
            .await?;
        }
        Sweep::Erase { account, email } => {
            for statement in sql::ERASE_OF_ACCOUNT {
                run(conn, query(statement).bind(account.as_bytes().as_slice())).await?;
            }
            for statement in sql::ERASE_OF_ADDRESS {
                run(conn, query(statement).bind(email.as_str())).await?;
            }
        }
    }
    Ok(())
}

/// No key has no bytes, so this equals none.
const NO_KEY: &[u8] = &[];

async fn run(conn: &mut Connection, statement: Statement) -> Result<(), sqlx::Error> {
    statement.execute(conn).await.map(drop)
}

fn void_links(subject: LinkSubject, purpose: Option<LinkPurpose>, state: LinkState, now: i64) -> Statement {
    let (kind, id) = writes::subject(&subject);
    query(sql::VOID_LINKS)
        .bind(id)
        .bind(kind)
        .bind(purpose.map_or("", LinkPurpose::as_str))
        .bind(state.as_str())
        .bind(now)
}

fn keep_newest(statement: &'static str, account: AccountId, keep: u32, written: &[u8]) -> Statement {
    query(statement)
        .bind(account.as_bytes().as_slice())
        .bind(i64::from(keep))
        .bind(written)
}

/// The key of the last row that `work` wrote of the kind that `of` looks for; no bytes where there is none.
fn written<'w>(work: &'w UnitOfWork, of: impl Fn(&'w Change) -> Option<&'w [u8]>) -> &'w [u8] {
    work.changes().iter().rev().find_map(of).unwrap_or(NO_KEY)
}

fn written_session(change: &Change) -> Option<&[u8]> {
    let Change::Session(write) = change else {
        return None;
    };
    match &**write {
        Write::Insert(row) | Write::Update(row) => Some(row.key.as_bytes()),
        Write::Delete(_) => None,
    }
}

fn written_challenge(change: &Change) -> Option<&[u8]> {
    let Change::Challenge(write) = change else {
        return None;
    };
    match &**write {
        Write::Insert(row) | Write::Update(row) => Some(row.key.as_bytes()),
        Write::Delete(_) => None,
    }
}

fn written_device(change: &Change) -> Option<&[u8]> {
    let Change::Device(row) = change else { return None };
    Some(row.device.as_bytes())
}
