//! Everything the service keeps about an account, for its owner to take away (portal P27, "Download").
//!
//! Made from the whole [`Dossier`], row by row: every field is either told or left out for a
//! reason that stands beside it, and a new column stops the compiler here. Told are the person's details, every time and
//! every handle; never told is what opens something (hashes, seeds, keys, epochs) or what names somebody else (what was
//! typed into a registration that nobody has completed, the pseudonyms of networks), or would tell whether an address has
//! an account. Needs a proof not older than five minutes (STP-3). No mail. Audited as `data.exported`.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::account::chosen_question::ChosenQuestion;
use crate::account::email::EmailAddress;
use crate::account::profile::StoredProfile;
use crate::account::recovery::Recovery;
use crate::account::snapshot::AccountRow;
use crate::audit::{Actor, AuditRow, Event};
use crate::challenge::ChallengeRow;
use crate::config::Config;
use crate::device::DeviceRow;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::link::{LinkPurpose, LinkRow, LinkState};
use crate::mail::outbox::{MailKind, OutboxRow};
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::registration::RegistrationRow;
use crate::secret::token::SessionToken;
use crate::session::{SessionEnd, SessionRow};
use crate::session_gate::Activity;
use crate::store::Dossier;
use crate::unit_of_work::UnitOfWork;
use crate::visitor::Visitor;

/// Everything that is kept about one account, as JSON; a host adds what it keeps itself.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct DataExport(Map<String, Value>);

impl DataExport {
    /// Adds what the host keeps about the person under a name of its own, in place of what stood under it.
    pub fn add(&mut self, name: impl Into<String>, value: Value) {
        self.0.insert(name.into(), value);
    }

    /// The parts by name: `account`, `sessions` and so on, as in `docs/operations.md`.
    #[must_use]
    pub const fn parts(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl std::fmt::Debug for DataExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why nothing was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportRefused {
    /// The session has ended: sign in again.
    SessionEnded(SessionEnd),
    /// The last proof is too old: confirm first, then come back.
    Confirm,
}

const EXPORTED: Reason = Reason::new("data.exported");

impl PortalAuth {
    /// Reads everything that is kept about the signed-in person's account.
    ///
    /// # Errors
    /// `Refused` with what to do first.
    ///
    /// # Security
    /// The answer is the whole of a person's data: send it with `no-store`, as a download, over the request that asked.
    pub async fn export_data(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
    ) -> Result<DataExport, Denied<ExportRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let signed_in = inner
                .live_session(token, Activity::Counts)
                .await
                .map_err(|e| e.map(ExportRefused::SessionEnded))?;
            if !self.is_confirmed(&signed_in) {
                return Err(Denied::Refused(ExportRefused::Confirm));
            }
            let now = inner.now();
            let event = Event::new(EXPORTED, Actor::Owner).about(signed_in.account());
            let event = inner.audit(inner.seen_from(event, visitor, None), now)?;
            let work = UnitOfWork::new(event).guard(signed_in.guard());
            if inner.commit(work).await? == Commit::Conflict {
                continue;
            }
            let found = inner.store.dossier(signed_in.account()).await?;
            let dossier = found.ok_or_else(|| Fault::transient("the account of a live session is gone"))?;
            return Ok(DataExport(told(dossier, &inner.config, now)));
        }
        Err(contended())
    }
}

/// The whole dossier in words of the person's own.
fn told(dossier: Dossier, config: &Config, now: Timestamp) -> Map<String, Value> {
    let Dossier {
        account,
        registrations,
        mut links,
        challenges,
        sessions,
        devices,
        mut mails,
        events,
    } = dossier;
    // A free address that was asked for has a link and its mail, and a taken one none: no row may tell which (CHG-3).
    links.retain(|link| link.purpose != LinkPurpose::ConfirmEmail || link.state == LinkState::Used);
    let told = |mail: &OutboxRow| links.iter().any(|link| mail.link == Some(link.key));
    mails.retain(|mail| mail.kind != MailKind::ConfirmEmail || told(mail));
    let parts = [
        ("service", json!(config.service_name)),
        ("made_at", time(now)),
        ("account", account_told(&account)),
        ("registrations", list(&registrations, registration)),
        ("links", list(&links, link)),
        ("half_done_sign_ins", list(&challenges, challenge)),
        ("sessions", list(&sessions, session)),
        ("familiar_browsers", list(&devices, device)),
        (
            "emails",
            list(&mails, |row| mail(row, &account, &config.administrators)),
        ),
        ("activity", list(&events, event)),
    ];
    let named = parts.into_iter().map(|(name, part)| (name.to_owned(), part));
    named.collect()
}

fn list<T>(rows: &[T], tell: impl Fn(&T) -> Value) -> Value {
    rows.iter().map(tell).collect()
}

/// The id of a listed question, or an own one in its owner's words.
fn question_told(question: &ChosenQuestion) -> &str {
    match question {
        ChosenQuestion::Listed(id) => id.as_str(),
        ChosenQuestion::Own(own) => own.as_str(),
    }
}

fn account_told(row: &AccountRow) -> Value {
    let AccountRow {
        id,
        version: _,
        email,
        status,
        // What opens the account.
        auth_epoch: _,
        password: _,
        answer: _,
        two_step,
        question,
        profile: StoredProfile { version: _, sections },
        code_failures,
        created_at,
        updated_at,
        language,
        locked,
        recovery:
            Recovery {
                answer_failures,
                pauses,
                paused_until,
                due_at,
            },
        email_changed_at,
        closed_at,
    } = row;
    json!({
        "id": id,
        "email_address": email.as_str(),
        "status": status.as_str(),
        "two_step_verification": two_step.as_str(),
        "secret_question": question.as_ref().map(question_told),
        "details": sections,
        "language": language.as_ref().map(ToString::to_string),
        "wrong_codes_in_a_row": code_failures,
        "needs_a_new_password": locked,
        "recovery": {
            "wrong_answers_in_a_row": answer_failures,
            "pauses": pauses,
            "paused_until": maybe(*paused_until),
            "due_at": maybe(*due_at),
        },
        "made_at": time(*created_at),
        "changed_at": time(*updated_at),
        "email_address_changed_at": maybe(*email_changed_at),
        "closed_at": maybe(*closed_at),
    })
}

fn registration(row: &RegistrationRow) -> Value {
    let RegistrationRow {
        id,
        version: _,
        email,
        state,
        // Typed by somebody who has not shown that the address is theirs: it may be another person's.
        data: _,
        link: _,
        submitted_at,
        kept_until,
    } = row;
    json!({
        "id": id,
        "email_address": email.as_str(),
        "state": state.as_str(),
        "submitted_at": time(*submitted_at),
        "kept_until": time(*kept_until),
    })
}

fn link(row: &LinkRow) -> Value {
    let LinkRow {
        // What the link is made of.
        key: _,
        seed: _,
        version: _,
        purpose,
        subject: _,
        address,
        epoch: _,
        state,
        tries,
        issued_at,
        expires_at,
        ended_at,
        opens_at,
        concerns: _,
        answer: _,
    } = row;
    json!({
        "purpose": purpose.as_str(),
        "email_address": address.as_str(),
        "state": state.as_str(),
        "wrong_tries": tries,
        "issued_at": time(*issued_at),
        "opens_at": time(*opens_at),
        "expires_at": time(*expires_at),
        "ended_at": maybe(*ended_at),
    })
}

fn challenge(row: &ChallengeRow) -> Value {
    let ChallengeRow {
        // What the code is made of.
        key: _,
        code_seed: _,
        code_no: _,
        code_key: _,
        epoch: _,
        version: _,
        purpose,
        account: _,
        session: _,
        code_issued_at,
        code_expires_at,
        tries,
        mails,
        mailed_at,
        created_at,
        expires_at,
    } = row;
    json!({
        "purpose": purpose.as_str(),
        "begun_at": time(*created_at),
        "expires_at": time(*expires_at),
        "code_made_at": time(*code_issued_at),
        "code_expires_at": time(*code_expires_at),
        "wrong_codes": tries,
        "emails": mails,
        "last_emailed_at": time(*mailed_at),
    })
}

fn session(row: &SessionRow) -> Value {
    let SessionRow {
        // What finds it, and what it dies with.
        key: _,
        epoch: _,
        handle,
        account: _,
        level,
        created_at,
        last_seen,
        confirmed_at,
        expires_at,
        label,
        network,
    } = row;
    json!({
        "handle": handle,
        "browser": label,
        "network": network,
        "steps_proved": level.as_str(),
        "logged_in_at": time(*created_at),
        "last_used_at": time(*last_seen),
        "last_confirmed_at": time(*confirmed_at),
        "expires_at": time(*expires_at),
    })
}

fn device(row: &DeviceRow) -> Value {
    let DeviceRow {
        // What finds it, and what it dies with.
        device: _,
        epoch: _,
        account: _,
        last_used,
    } = row;
    json!({ "last_used_at": time(*last_used) })
}

fn mail(row: &OutboxRow, account: &AccountRow, administrators: &[EmailAddress]) -> Value {
    let OutboxRow {
        id,
        kind,
        to,
        account: _,
        // What the link or the code is made of.
        link: _,
        challenge: _,
        facts,
        created_at,
        expires_at,
        status,
        attempts,
        // The queue's own bookkeeping, and the relay's words.
        next_at: _,
        lease_no: _,
        lease_until: _,
        last_error: _,
    } = row;
    // Some mails about the account go to administrators, whose addresses are theirs.
    let theirs = administrators.contains(to) && *to != account.email;
    let to = (!theirs).then(|| to.as_str());
    json!({
        "id": id,
        "kind": kind.as_str(),
        "email_address": to,
        "facts": serde_json::from_str::<Value>(facts).unwrap_or(Value::Null),
        "queued_at": time(*created_at),
        "useless_from": time(*expires_at),
        "status": status.as_str(),
        "failed_attempts": attempts,
    })
}

fn event(row: &AuditRow) -> Value {
    let AuditRow {
        id,
        at,
        kind,
        reason,
        actor,
        account: _,
        // Pseudonyms of addresses and networks: of a stranger's too, and readable with the service's key alone.
        address: _,
        network: _,
        label,
        mac_key: _,
        mac: _,
    } = row;
    // An administrator's label names them: somebody else, so it is left out.
    let label = if *actor == Actor::Administrator {
        ""
    } else {
        label.as_str()
    };
    json!({
        "id": id,
        "at": time(*at),
        "what": kind,
        "why": reason,
        "by": actor.as_str(),
        "browser": label,
    })
}

/// As RFC 3339 writes it, in UTC.
fn time(at: Timestamp) -> Value {
    match jiff::Timestamp::from_microsecond(at.as_micros()) {
        Ok(at) => Value::String(at.to_string()),
        Err(_) => Value::Null,
    }
}

fn maybe(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}
