//! One act and everything that came of it.

use std::collections::HashMap;

use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::challenge::ChallengeKey;
use portal_auth::environment::Timestamp;
use portal_auth::link::LinkRow;
use portal_auth::session::{Level, SessionEnd};
use portal_auth::store::Dossier;
use portal_auth::throttle::{Charge, Charged};
use portal_auth::unit_of_work::{Change, UnitOfWork, Write};

use super::acts::{Act, Who};
use super::known::Known;

/// What an act achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Effect {
    Nothing,
    DraftBegun,
    SectionSaved,
    Submitted,
    Anew,
    AccountMade,
    SignedIn,
    CodeSent,
    RightCode,
    ResetAsked,
    Answered,
    PasswordReset,
    PasswordChanged,
    EmailAsked,
    EmailChanged,
    TakenBack,
    TwoStepChanged,
    Confirmed,
    Closed,
    Restored,
    OthersEnded,
    SignedOut,
    Looked,
    Ordered,
    Worked,
}

/// Why it achieved nothing, as far as an invariant asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    None,
    /// A password, answer or code was compared and was wrong.
    Wrong,
    TooManyTries,
    Other,
}

/// An act as it was resolved: which of the known secrets it used, and how it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Did {
    pub(crate) effect: Effect,
    pub(crate) refusal: Refusal,
    /// The answer in words, for the trace.
    pub(crate) answer: String,
    pub(crate) who: Option<Who>,
    pub(crate) address: Option<usize>,
    pub(crate) password: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) draft: Option<usize>,
    pub(crate) link: Option<usize>,
    pub(crate) session: Option<usize>,
    pub(crate) half: Option<usize>,
    /// Tokens that were handed out, by kind.
    pub(crate) new_session: Option<String>,
    pub(crate) new_level: Option<Level>,
    pub(crate) new_half: Option<String>,
    pub(crate) new_draft: Option<String>,
    pub(crate) new_device: Option<String>,
    pub(crate) new_proof: Option<String>,
}

impl Did {
    pub(crate) fn nothing(who: Option<Who>) -> Self {
        Self {
            effect: Effect::Nothing,
            refusal: Refusal::None,
            answer: "nothing to do it with".into(),
            who,
            address: None,
            password: None,
            code: None,
            draft: None,
            link: None,
            session: None,
            half: None,
            new_session: None,
            new_level: None,
            new_half: None,
            new_draft: None,
            new_device: None,
            new_proof: None,
        }
    }
}

/// A session as its bearer would find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) level: Level,
    pub(crate) confirmed: bool,
}

/// Everything that the ports show of one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) accounts: Vec<AccountRow>,
    pub(crate) dossiers: HashMap<AccountId, Dossier>,
    /// Every session of the model, in its order.
    pub(crate) sessions: Vec<Result<Probe, SessionEnd>>,
    /// Links of the model as they stand now, in its order.
    pub(crate) links: Vec<Option<LinkRow>>,
    /// Live challenges of the model: when code and challenge end, and how many tries are counted.
    pub(crate) halves: HashMap<ChallengeKey, (Timestamp, Timestamp, u32)>,
}

impl Snapshot {
    pub(crate) fn account(&self, id: AccountId) -> Option<&AccountRow> {
        self.accounts.iter().find(|a| a.id == id)
    }

    pub(crate) fn at(&self, address: &str) -> Option<&AccountRow> {
        self.accounts.iter().find(|a| a.email.as_str() == address)
    }

    /// The same text for the same rows, whatever the store.
    pub(crate) fn written_out(&self) -> String {
        let mut lines: Vec<String> = self.accounts.iter().map(|a| format!("{a:?}")).collect();
        for dossier in self.dossiers.values() {
            lines.extend(dossier.registrations.iter().map(|r| format!("{r:?}")));
            lines.extend(dossier.links.iter().map(|r| format!("{r:?}")));
            lines.extend(dossier.challenges.iter().map(|r| format!("{r:?}")));
            lines.extend(dossier.sessions.iter().map(|r| format!("{r:?}")));
            lines.extend(dossier.devices.iter().map(|r| format!("{r:?}")));
            lines.extend(dossier.mails.iter().map(|r| format!("{r:?}")));
            lines.extend(dossier.events.iter().map(|r| format!("{r:?}")));
        }
        lines.extend(self.links.iter().map(|l| format!("{l:?}")));
        lines.extend(self.sessions.iter().map(|s| format!("{s:?}")));
        lines.sort();
        lines.join("\n")
    }
}

pub(crate) struct Step<'a> {
    pub(crate) act: &'a Act,
    pub(crate) did: &'a Did,
    pub(crate) now: Timestamp,
    pub(crate) units: &'a [UnitOfWork],
    pub(crate) charges: &'a [(Charge, Charged)],
    pub(crate) before: &'a Snapshot,
    pub(crate) after: &'a Snapshot,
    /// The model before the act.
    pub(crate) known: &'a Known,
}

impl Step<'_> {
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.units.iter().flat_map(UnitOfWork::changes)
    }

    /// Accounts that this step made.
    pub(crate) fn made(&self) -> Vec<&AccountRow> {
        self.changes()
            .filter_map(|change| match change {
                Change::Account(write) => match &**write {
                    Write::Insert(row) => Some(row),
                    _ => None,
                },
                _ => None,
            })
            .collect()
    }

    /// Accounts before and after, where both are there.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&AccountRow, &AccountRow)> {
        self.before
            .accounts
            .iter()
            .filter_map(|before| Some((before, self.after.account(before.id)?)))
    }
}
