//! Lists of rows: what an owner may take away, and what an administrator looks through.

use std::cmp::Reverse;

use super::tables::Tables;
use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::Status;
use crate::environment::Timestamp;
use crate::link::{LinkRow, LinkState, LinkSubject};
use crate::mail::outbox::{MailId, MailStatus, OutboxRow};
use crate::store::Dossier;

impl Tables {
    pub(super) fn live_links(&self, account: AccountId) -> Vec<LinkRow> {
        let mine = |l: &&LinkRow| l.subject == LinkSubject::Account(account) && l.state == LinkState::Live;
        let mut found: Vec<_> = self.links.values().filter(mine).cloned().collect();
        found.sort_by_key(|l| (Reverse(l.issued_at), l.key));
        found
    }

    pub(super) fn dossier(&self, id: AccountId) -> Option<Dossier> {
        let account = self.accounts.get(&id)?.clone();
        let mut events = of(self.events.iter(), |e| e.account == Some(id));
        events.sort_by_key(|e| (e.at, e.id));
        Some(Dossier {
            registrations: of(self.registrations.values(), |r| r.email == account.email),
            links: of(self.links.values(), |l| l.subject == LinkSubject::Account(id)),
            challenges: of(self.challenges.values(), |c| c.account == id),
            sessions: of(self.sessions.values(), |s| s.account == id),
            devices: of(self.devices.values(), |d| d.account == id),
            mails: of(self.mails.values(), |m| m.account == Some(id)),
            events,
            account,
        })
    }

    pub(super) fn accounts_like(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Vec<AccountRow> {
        self.claims
            .iter()
            .filter(|(email, _)| {
                email.starts_with(prefix) && after.is_none_or(|a| email.as_str() > a.as_str())
            })
            .filter_map(|(_, id)| self.accounts.get(id).cloned())
            .take(count(most))
            .collect()
    }

    pub(super) fn closed_accounts(&self, until: Timestamp, most: u32) -> Vec<AccountRow> {
        let over =
            |a: &AccountRow| a.status == Status::Closed && a.closed_at.is_some_and(|closed| closed <= until);
        let mut found = of(self.accounts.values(), over);
        found.sort_by_key(|a| (a.closed_at, a.id));
        found.truncate(count(most));
        found
    }

    pub(super) fn mails_like(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Vec<OutboxRow> {
        let wanted = |m: &OutboxRow| {
            status.is_none_or(|s| s == m.status)
                && to.is_none_or(|to| *to == m.to)
                && after.is_none_or(|after| (m.created_at, m.id) < after)
        };
        let mut found = of(self.mails.values(), wanted);
        found.sort_by_key(|m| Reverse((m.created_at, m.id)));
        found.truncate(count(most));
        found
    }
}

fn of<'t, T: Clone + 't>(rows: impl Iterator<Item = &'t T>, mine: impl Fn(&T) -> bool) -> Vec<T> {
    rows.filter(|row| mine(row)).cloned().collect()
}

fn count(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}
