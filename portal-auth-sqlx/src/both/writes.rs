//! From row images to bound statements. Insert and update of a kind of row bind the same values in the same order.

use portal_auth::account::chosen_question::ChosenQuestion;
use portal_auth::account::profile::StoredProfile;
use portal_auth::account::snapshot::AccountRow;
use portal_auth::audit::AuditRow;
use portal_auth::challenge::ChallengeRow;
use portal_auth::device::DeviceRow;
use portal_auth::link::{Answer, LinkRow, LinkSubject};
use portal_auth::mail::outbox::{MailStatus, OutboxRow};
use portal_auth::registration::RegistrationRow;
use portal_auth::registration::draft::DraftRow;
use portal_auth::session::SessionRow;
use sqlx::Database;
use sqlx::query::Query;

use super::{Db, query};
use crate::day;
use crate::sql;

/// A statement with its values; they are copied when bound, so it borrows nothing.
pub(crate) type Statement = Query<'static, Db, <Db as Database>::Arguments>;

pub(crate) fn account(
    statement: &'static str,
    version: i64,
    row: &AccountRow,
) -> Result<Statement, sqlx::Error> {
    Ok(query(statement)
        .bind(row.id.as_bytes().as_slice())
        .bind(version)
        .bind(row.email.as_str())
        .bind(row.status.as_str())
        .bind(row.auth_epoch.as_bytes().as_slice())
        .bind(row.password.as_str())
        .bind(row.two_step.as_str())
        .bind(row.question.as_ref().map(ChosenQuestion::stored))
        .bind(row.answer.as_ref().map(|a| a.as_str()))
        .bind(i64::from(row.profile.version))
        .bind(sections(&row.profile)?)
        .bind(i64::from(row.code_failures))
        .bind(row.created_at.as_micros())
        .bind(row.updated_at.as_micros())
        .bind(row.language.as_ref().map(|l| l.as_str()))
        .bind(i64::from(row.locked))
        .bind(i64::from(row.recovery.answer_failures))
        .bind(i64::from(row.recovery.pauses))
        .bind(row.recovery.paused_until.map(|t| t.as_micros()))
        .bind(row.recovery.due_at.map(|t| t.as_micros()))
        .bind(row.email_changed_at.map(|t| t.as_micros()))
        .bind(row.closed_at.map(|t| t.as_micros())))
}

pub(crate) fn registration(
    statement: &'static str,
    version: i64,
    row: &RegistrationRow,
) -> Result<Statement, sqlx::Error> {
    let data = row.data.as_ref();
    Ok(query(statement)
        .bind(row.id.as_bytes().as_slice())
        .bind(version)
        .bind(row.email.as_str())
        .bind(row.state.as_str())
        .bind(data.and_then(|d| d.password.as_ref()).map(|p| p.as_str()))
        .bind(data.and_then(|d| d.question.as_ref()).map(ChosenQuestion::stored))
        .bind(data.and_then(|d| d.answer.as_ref()).map(|a| a.as_str()))
        .bind(data.map(|d| i64::from(d.profile.version)))
        .bind(data.map(|d| sections(&d.profile)).transpose()?)
        .bind(row.link.as_bytes().as_slice())
        .bind(row.submitted_at.as_micros())
        .bind(row.kept_until.as_micros()))
}

fn sections(profile: &StoredProfile) -> Result<String, sqlx::Error> {
    serde_json::to_string(&profile.sections).map_err(|e| sqlx::Error::Encode(e.into()))
}

pub(crate) fn link(statement: &'static str, version: i64, row: &LinkRow) -> Statement {
    let (kind, id) = subject(&row.subject);
    let (answer, proof, answered_at) = match &row.answer {
        Answer::Owed => ("owed", None, None),
        Answer::Waived => ("waived", None, None),
        Answer::Given { proof, at } => ("given", Some(proof.as_bytes().as_slice()), Some(at.as_micros())),
    };
    let over_at = row
        .ended_at
        .map_or(row.expires_at, |ended| ended.min(row.expires_at));
    query(statement)
        .bind(row.key.as_bytes().as_slice())
        .bind(version)
        .bind(row.purpose.as_str())
        .bind(row.seed.as_ref().map(|s| s.as_bytes().as_slice()))
        .bind(kind)
        .bind(id)
        .bind(row.address.as_str())
        .bind(row.epoch.as_ref().map(|e| e.as_bytes().as_slice()))
        .bind(row.state.as_str())
        .bind(i64::from(row.tries))
        .bind(row.issued_at.as_micros())
        .bind(row.expires_at.as_micros())
        .bind(row.ended_at.map(|t| t.as_micros()))
        .bind(over_at.as_micros())
        .bind(row.opens_at.as_micros())
        .bind(row.concerns.as_ref().map(|c| c.as_bytes().as_slice()))
        .bind(answer)
        .bind(proof)
        .bind(answered_at)
}

/// The word and the key under which a link's subject is kept.
pub(crate) fn subject(subject: &LinkSubject) -> (&'static str, &[u8]) {
    match subject {
        LinkSubject::Registration(id) => ("registration", id.as_bytes()),
        LinkSubject::Account(id) => ("account", id.as_bytes()),
    }
}

pub(crate) fn challenge(statement: &'static str, version: i64, row: &ChallengeRow) -> Statement {
    query(statement)
        .bind(row.key.as_bytes().as_slice())
        .bind(version)
        .bind(row.purpose.as_str())
        .bind(row.account.as_bytes().as_slice())
        .bind(row.epoch.as_bytes().as_slice())
        .bind(row.session.as_ref().map(|s| s.as_bytes().as_slice()))
        .bind(row.code_seed.as_bytes().as_slice())
        .bind(i64::from(row.code_no))
        .bind(row.code_key.as_str())
        .bind(row.code_issued_at.as_micros())
        .bind(row.code_expires_at.as_micros())
        .bind(i64::from(row.tries))
        .bind(i64::from(row.mails))
        .bind(row.mailed_at.as_micros())
        .bind(row.created_at.as_micros())
        .bind(row.expires_at.as_micros())
}

pub(crate) fn insert_session(row: &SessionRow) -> Statement {
    query(sql::INSERT_SESSION)
        .bind(row.key.as_bytes().as_slice())
        .bind(row.handle.as_bytes().as_slice())
        .bind(row.account.as_bytes().as_slice())
        .bind(row.epoch.as_bytes().as_slice())
        .bind(row.level.as_str())
        .bind(row.created_at.as_micros())
        .bind(row.last_seen.as_micros())
        .bind(row.confirmed_at.as_micros())
        .bind(row.expires_at.as_micros())
        .bind(row.label.as_str())
        .bind(row.network.as_str())
}

pub(crate) fn put_device(row: &DeviceRow) -> Statement {
    query(sql::PUT_DEVICE)
        .bind(row.device.as_bytes().as_slice())
        .bind(row.account.as_bytes().as_slice())
        .bind(row.epoch.as_bytes().as_slice())
        .bind(row.last_used.as_micros())
        .bind(day(row.last_used))
}

pub(crate) fn draft(statement: &'static str, version: i64, row: &DraftRow) -> Statement {
    query(statement)
        .bind(row.key.as_bytes().as_slice())
        .bind(version)
        .bind(row.body.as_str())
        .bind(row.expires_at.as_micros())
}

pub(crate) fn insert_mail(row: &OutboxRow) -> Statement {
    let (waiting, due_at) = match row.status {
        MailStatus::Ready => (1_i64, row.next_at),
        MailStatus::Leased => (1, row.lease_until),
        MailStatus::Sent | MailStatus::Dead => (0, row.next_at),
    };
    query(sql::INSERT_MAIL)
        .bind(row.id.as_bytes().as_slice())
        .bind(row.kind.as_str())
        .bind(row.to.as_str())
        .bind(row.account.as_ref().map(|a| a.as_bytes().as_slice()))
        .bind(row.link.as_ref().map(|l| l.as_bytes().as_slice()))
        .bind(row.challenge.as_ref().map(|c| c.as_bytes().as_slice()))
        .bind(row.facts.as_str())
        .bind(row.created_at.as_micros())
        .bind(row.expires_at.as_micros())
        .bind(row.status.as_str())
        .bind(i64::from(row.attempts))
        .bind(row.next_at.as_micros())
        .bind(row.lease_no)
        .bind(row.lease_until.as_micros())
        .bind(row.last_error.as_str())
        .bind(i64::from(row.kind.urgency().as_number()))
        .bind(waiting)
        .bind(due_at.as_micros())
}

pub(crate) fn insert_event(row: &AuditRow) -> Statement {
    query(sql::INSERT_EVENT)
        .bind(row.id.as_bytes().as_slice())
        .bind(row.at.as_micros())
        .bind(row.kind.as_str())
        .bind(row.reason.as_str())
        .bind(row.actor.as_str())
        .bind(row.account.as_ref().map(|a| a.as_bytes().as_slice()))
        .bind(row.address.as_ref().map(|a| a.as_bytes().as_slice()))
        .bind(row.network.as_ref().map(|n| n.as_bytes().as_slice()))
        .bind(row.label.as_str())
        .bind(row.mac_key.as_str())
        .bind(row.mac.as_slice())
}
