//! The queue of mails, as its dispatcher sees it.

use super::tables::Tables;
use crate::environment::Timestamp;
use crate::mail::outbox::{Backlog, Claim, MailId, MailOutcome, MailStatus, OutboxRow};

impl Tables {
    pub(super) fn claim(&mut self, claim: &Claim) -> Vec<OutboxRow> {
        let mut due: Vec<&mut OutboxRow> = self
            .mails
            .values_mut()
            .filter(|m| due_at(m).is_some_and(|at| at <= claim.now))
            .collect();
        due.sort_by_key(|m| (m.kind.urgency().as_number(), m.next_at));
        due.truncate(usize::try_from(claim.most).unwrap_or(usize::MAX));
        due.into_iter()
            .map(|mail| {
                mail.status = MailStatus::Leased;
                mail.lease_until = claim.now.plus(claim.lease);
                mail.lease_no = mail.lease_no.saturating_add(1);
                mail.clone()
            })
            .collect()
    }

    pub(super) fn settle_mail(&mut self, id: MailId, lease_no: i64, outcome: &MailOutcome) -> bool {
        let Some(mail) = self.mails.get_mut(&id) else {
            return false;
        };
        if mail.status != MailStatus::Leased || mail.lease_no != lease_no {
            return false;
        }
        match outcome {
            MailOutcome::Sent => mail.status = MailStatus::Sent,
            MailOutcome::Again { at, counts, error } => {
                mail.status = MailStatus::Ready;
                mail.next_at = *at;
                mail.attempts = mail.attempts.saturating_add(u32::from(*counts));
                mail.last_error.clone_from(error);
            }
            MailOutcome::Dead { error } => {
                mail.status = MailStatus::Dead;
                mail.last_error.clone_from(error);
            }
        }
        true
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.mails.values().filter_map(due_at).min()
    }

    pub(super) fn backlog(&self, now: Timestamp) -> Backlog {
        let mut backlog = Backlog::default();
        for mail in self.mails.values() {
            if mail.status == MailStatus::Dead {
                backlog.dead = backlog.dead.saturating_add(1);
            }
            if due_at(mail).is_some_and(|at| at <= now) {
                backlog.due = backlog.due.saturating_add(1);
                let oldest = backlog.oldest_due.unwrap_or(Timestamp::MAX);
                backlog.oldest_due = Some(oldest.min(mail.next_at));
            }
        }
        backlog
    }
}

/// When a mail may be claimed: `None` once it was sent or is dead.
fn due_at(mail: &OutboxRow) -> Option<Timestamp> {
    match mail.status {
        MailStatus::Ready => Some(mail.next_at),
        MailStatus::Leased => Some(mail.lease_until),
        MailStatus::Sent | MailStatus::Dead => None,
    }
}
