//! What was decided about an account in the last 90 days, for its owner (portal P26, "Account activity").
//!
//! Taken from the audit: only the kinds of decision that mean something to the person, each with its moment, who
//! decided, the browser in words and the reason. Addresses, networks and their pseudonyms stay in the audit. Reading
//! changes nothing and is not audited. ASVS 6.3.5, 7.5.2.

use std::time::Duration;

use crate::audit::{Actor, AuditRow};
use crate::environment::Timestamp;
use crate::error::{Fault, Reason};
use crate::portal::PortalAuth;
use crate::session_gate::SignedIn;

/// How far back the owner is told.
pub const ACTIVITY_TOLD: Duration = Duration::from_secs(90 * 86_400);

/// The most entries of one list: somebody who guesses all day must not make the page endless.
pub const MOST_ENTRIES: u32 = 300;

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "it was done, or it was not, or only asked for"
)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was asked for and is not done yet, such as a code that is on its way.
    Begun,
    /// It was refused.
    Refused,
}

/// One thing that happened to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActivityEntry {
    /// When.
    pub at: Timestamp,
    /// What, by the code of the audit event, such as `sign_in.done`.
    pub kind: Reason,
    /// Why, by its code; empty when there is nothing more to say.
    pub reason: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Who decided or tried.
    pub by: Actor,
    /// Browser and system in words; empty where no browser was involved.
    pub browser: String,
}

/// What a person is told of, and how it ended; everything else in the audit is the operator's.
const TOLD: [(Reason, Outcome); 41] = [
    (Reason::new("account.made"), Outcome::Done),
    (Reason::new("sign_in.done"), Outcome::Done),
    (Reason::new("sign_in.code_sent"), Outcome::Begun),
    (Reason::new("sign_in.refused"), Outcome::Refused),
    (Reason::new("sign_in.given_up"), Outcome::Refused),
    (Reason::new("sign_out.done"), Outcome::Done),
    (Reason::new("code.refused"), Outcome::Refused),
    (Reason::new("confirm.done"), Outcome::Done),
    (Reason::new("confirm.refused"), Outcome::Refused),
    (Reason::new("guessing.closed"), Outcome::Refused),
    (Reason::new("two_step.changed"), Outcome::Done),
    (Reason::new("change_password.done"), Outcome::Done),
    (Reason::new("change_password.refused"), Outcome::Refused),
    (Reason::new("change_question.done"), Outcome::Done),
    (Reason::new("change_question.refused"), Outcome::Refused),
    (Reason::new("change_email.asked"), Outcome::Begun),
    (Reason::new("change_email.refused"), Outcome::Refused),
    (Reason::new("change_email.done"), Outcome::Done),
    (Reason::new("change_email.cancelled"), Outcome::Refused),
    (Reason::new("change_email.frozen"), Outcome::Done),
    (Reason::new("not_me.done"), Outcome::Done),
    (Reason::new("reset.requested"), Outcome::Begun),
    (Reason::new("reset.answered"), Outcome::Begun),
    (Reason::new("reset.refused"), Outcome::Refused),
    (Reason::new("reset.done"), Outcome::Done),
    (Reason::new("reset.started"), Outcome::Begun),
    (Reason::new("recovery.asked"), Outcome::Begun),
    (Reason::new("recovery.refused"), Outcome::Refused),
    (Reason::new("recovery.cancelled"), Outcome::Refused),
    (Reason::new("profile.updated"), Outcome::Done),
    (Reason::new("sessions.ended"), Outcome::Done),
    (Reason::new("sessions.others_ended"), Outcome::Done),
    (Reason::new("data.exported"), Outcome::Done),
    (Reason::new("close.refused"), Outcome::Refused),
    (Reason::new("account.closed"), Outcome::Done),
    (Reason::new("account.restored"), Outcome::Done),
    (Reason::new("administer.disabled"), Outcome::Done),
    (Reason::new("administer.enabled"), Outcome::Done),
    (Reason::new("administer.sessions_ended"), Outcome::Done),
    (Reason::new("administer.unlocked"), Outcome::Done),
    (Reason::new("administer.two_step_cleared"), Outcome::Done),
];

/// The kinds that a person is told of, by their codes: a host has words for each.
pub fn kinds_told() -> impl Iterator<Item = &'static str> {
    TOLD.iter().map(|(kind, _)| kind.code())
}

impl PortalAuth {
    /// Lists what happened to the signed-in person's account in the last 90 days, the newest first, at most
    /// [`MOST_ENTRIES`].
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn recent_activity(&self, signed_in: &SignedIn) -> Result<Vec<ActivityEntry>, Fault> {
        let kinds: Vec<_> = kinds_told().collect();
        let rows = self
            .inner
            .store
            .activity(signed_in.account(), &kinds, MOST_ENTRIES)
            .await?;
        let since = self.inner.now().minus(ACTIVITY_TOLD);
        Ok(rows.into_iter().filter_map(|row| told(row, since)).collect())
    }
}

/// What the owner is told of one event; `None` for what is too old or not for them.
fn told(row: AuditRow, since: Timestamp) -> Option<ActivityEntry> {
    let (kind, outcome) = *TOLD.iter().find(|(kind, _)| kind.code() == row.kind)?;
    (row.at >= since).then_some(ActivityEntry {
        at: row.at,
        kind,
        reason: row.reason,
        outcome,
        by: row.actor,
        // An administrator's label names them, which is the operator's business and not the owner's.
        browser: match row.actor {
            Actor::Administrator => String::new(),
            Actor::Visitor | Actor::Owner | Actor::System => row.label,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_not_told_which_administrator_acted() {
        let at = Timestamp::from_micros(0);
        let row = |actor| AuditRow {
            id: crate::audit::EventId::from_bytes([1; 16]),
            at,
            kind: TOLD[0].0.code().to_owned(),
            reason: String::new(),
            actor,
            account: None,
            address: None,
            network: None,
            label: "account 00ff".to_owned(),
            mac_key: String::new(),
            mac: [0; 16],
        };
        assert_eq!(told(row(Actor::Administrator), at).unwrap().browser, "");
        assert_eq!(told(row(Actor::Owner), at).unwrap().browser, "account 00ff");
    }

    #[test]
    fn no_kind_is_told_twice() {
        for (i, (kind, _)) in TOLD.iter().enumerate() {
            assert!(TOLD[..i].iter().all(|(other, _)| other != kind), "{kind:?}");
        }
    }
}
