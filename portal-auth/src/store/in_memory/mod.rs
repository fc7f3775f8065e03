//! The in-memory store: for tests, trials and programs that may forget everything when they end.
//!
//! It keeps every promise of the ports, so it is also the plainest reading of them: one lock, plain maps, the
//! reference functions of [`Bucket`](crate::throttle::Bucket) and [`QuotaLimits`](crate::mail::quota::QuotaLimits).

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use self::tables::Tables;
use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::audit::{AuditRow, EventId};
use crate::audit_seal::SealRow;
use crate::challenge::{ChallengeKey, ChallengeRow};
use crate::device::DeviceKey;
use crate::environment::Timestamp;
use crate::link::{LinkKey, LinkRow, LinkSubject};
use crate::mail::outbox::{Backlog, Claim, MailId, MailOutcome, MailStatus, OutboxRow};
use crate::mail::quota::{QuotaLine, Spent};
use crate::registration::draft::{DraftKey, DraftRow};
use crate::registration::{RegistrationId, RegistrationRow, RegistrationState};
use crate::session::{SessionKey, SessionRow, SessionView};
use crate::store::{
    AccountStore, Dossier, DraftStore, Housekeeping, LinkView, OutboxStore, PurgePlan, RegistrantView,
    RegistrationView, SessionStore, SignInView, StoreError, StoreHealth, Subject, ThrottleStore,
};
use crate::throttle::{Charge, Charged};
use crate::unit_of_work::UnitOfWork;

mod listings;
mod outbox;
mod purge;
mod seals;
mod sweeps;
mod tables;

/// A store that lives and dies with the process.
///
/// Share it as `Arc<InMemoryStore>`. Nothing is written anywhere, and nothing is shared between processes.
#[derive(Default)]
pub struct InMemoryStore {
    tables: Mutex<Tables>,
}

impl InMemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for the lock; every method takes it once and gives it back before it returns.
    fn tables(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        // A panic under the lock may have left half a unit of work, so nothing is answered from it any more.
        self.tables
            .lock()
            .map_err(|_| StoreError::Permanent("a panic interrupted a write to the in-memory store".into()))
    }
}

impl fmt::Debug for InMemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl AccountStore for InMemoryStore {
    async fn by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceKey>,
    ) -> Result<SignInView, StoreError> {
        let tables = self.tables()?;
        let account = tables.claimant(email).cloned();
        let device = account
            .as_ref()
            .zip(device)
            .and_then(|(account, device)| tables.devices.get(&(account.id, device)))
            .cloned();
        Ok(SignInView { account, device })
    }

    async fn by_registrant(&self, email: &EmailAddress) -> Result<RegistrantView, StoreError> {
        let tables = self.tables()?;
        let waiting = tables
            .registrations
            .values()
            .filter(|r| r.state == RegistrationState::Submitted && r.email.as_str() == email.as_str())
            .max_by_key(|r| r.submitted_at);
        Ok(RegistrantView {
            account: tables.claimant(email).cloned(),
            waiting: waiting.map(|row| with_link(&tables, row)),
        })
    }

    async fn by_id(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.tables()?.accounts.get(&id).cloned())
    }

    async fn by_registration(&self, id: RegistrationId) -> Result<Option<RegistrationView>, StoreError> {
        let tables = self.tables()?;
        Ok(tables.registrations.get(&id).map(|row| with_link(&tables, row)))
    }

    async fn by_link(&self, key: LinkKey) -> Result<Option<LinkView>, StoreError> {
        let tables = self.tables()?;
        let Some(link) = tables.links.get(&key) else {
            return Ok(None);
        };
        let subject = match link.subject {
            LinkSubject::Registration(id) => tables.registrations.get(&id).map(|row| Subject::Registration {
                claimed: tables.claims.contains_key(row.email.as_str()),
                row: Box::new(row.clone()),
            }),
            LinkSubject::Account(id) => tables
                .accounts
                .get(&id)
                .map(|row| Subject::Account(Box::new(row.clone()))),
        };
        Ok(Some(LinkView {
            link: link.clone(),
            subject: subject.unwrap_or(Subject::Gone),
        }))
    }

    async fn by_challenge(
        &self,
        key: ChallengeKey,
    ) -> Result<Option<(ChallengeRow, AccountRow)>, StoreError> {
        let tables = self.tables()?;
        let challenge = tables.challenges.get(&key);
        let found = challenge.and_then(|c| Some((c.clone(), tables.accounts.get(&c.account)?.clone())));
        Ok(found)
    }

    async fn activity(&self, id: AccountId, kinds: &[&str], most: u32) -> Result<Vec<AuditRow>, StoreError> {
        let tables = self.tables()?;
        let wanted =
            |e: &&AuditRow| e.account == Some(id) && (kinds.is_empty() || kinds.contains(&e.kind.as_str()));
        let mut found: Vec<_> = tables.events.iter().rev().filter(wanted).cloned().collect();
        found.sort_by_key(|e| std::cmp::Reverse(e.at));
        found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(found)
    }

    async fn live_links(&self, account: AccountId) -> Result<Vec<LinkRow>, StoreError> {
        Ok(self.tables()?.live_links(account))
    }

    async fn dossier(&self, account: AccountId) -> Result<Option<Dossier>, StoreError> {
        Ok(self.tables()?.dossier(account))
    }

    async fn accounts(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountRow>, StoreError> {
        Ok(self.tables()?.accounts_like(prefix, after, most))
    }

    async fn closed_accounts(&self, until: Timestamp, most: u32) -> Result<Vec<AccountRow>, StoreError> {
        Ok(self.tables()?.closed_accounts(until, most))
    }

    async fn commit(&self, work: UnitOfWork) -> Result<(), StoreError> {
        self.tables()?.apply(&work)
    }

    async fn was_committed(&self, id: EventId) -> Result<bool, StoreError> {
        Ok(self.tables()?.event_ids.contains(&id))
    }
}

#[async_trait]
impl DraftStore for InMemoryStore {
    async fn load(&self, key: DraftKey) -> Result<Option<DraftRow>, StoreError> {
        Ok(self.tables()?.drafts.get(&key).cloned())
    }

    async fn save(&self, draft: &DraftRow) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        let held = tables.drafts.get(&draft.key).map_or(0, |d| d.version);
        if held.checked_add(1) != Some(draft.version) {
            return Err(StoreError::Conflict);
        }
        tables.drafts.insert(draft.key, draft.clone());
        Ok(())
    }
}

#[async_trait]
impl SessionStore for InMemoryStore {
    async fn session(&self, key: SessionKey) -> Result<Option<SessionView>, StoreError> {
        let tables = self.tables()?;
        let Some(session) = tables.sessions.get(&key) else {
            return Ok(None);
        };
        Ok(tables.accounts.get(&session.account).map(|account| SessionView {
            session: session.clone(),
            account_epoch: account.auth_epoch,
            account_status: account.status,
            account_two_step: account.two_step,
        }))
    }

    async fn touch_many(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        for (key, seen) in stamps {
            if let Some(session) = tables.sessions.get_mut(key) {
                session.last_seen = session.last_seen.max(*seen);
            }
        }
        Ok(())
    }

    async fn sessions_of(&self, account: AccountId) -> Result<Vec<SessionRow>, StoreError> {
        let tables = self.tables()?;
        let Some(epoch) = tables.accounts.get(&account).map(|a| a.auth_epoch) else {
            return Ok(Vec::new());
        };
        let mut found: Vec<_> = tables
            .sessions
            .values()
            .filter(|s| s.account == account && s.epoch == epoch)
            .cloned()
            .collect();
        found.sort_by_key(|s| std::cmp::Reverse(s.last_seen));
        Ok(found)
    }
}

#[async_trait]
impl ThrottleStore for InMemoryStore {
    async fn charge(&self, charge: &Charge) -> Result<Charged, StoreError> {
        Ok(self.tables()?.charge(charge))
    }

    async fn spend(&self, lines: &[QuotaLine], now: Timestamp) -> Result<Spent, StoreError> {
        Ok(self.tables()?.spend(lines, now))
    }
}

#[async_trait]
impl OutboxStore for InMemoryStore {
    async fn claim(&self, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(self.tables()?.claim(&claim))
    }

    async fn settle(
        &self,
        id: MailId,
        lease_no: i64,
        outcome: &MailOutcome,
        event: Option<&AuditRow>,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables()?;
        if event.is_some_and(|event| tables.event_ids.contains(&event.id)) {
            return Err(StoreError::Conflict);
        }
        let held = tables.settle_mail(id, lease_no, outcome);
        if let Some(event) = event.filter(|_| held) {
            tables.add_event(event);
        }
        Ok(held)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.tables()?.next_due())
    }

    async fn mails(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(self.tables()?.mails_like(status, to, after, most))
    }

    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        Ok(self.tables()?.backlog(now))
    }
}

#[async_trait]
impl Housekeeping for InMemoryStore {
    async fn purge(&self, plan: &PurgePlan) -> Result<u64, StoreError> {
        Ok(self.tables()?.purge(plan))
    }

    async fn unsealed(&self, most: u32) -> Result<Vec<AuditRow>, StoreError> {
        Ok(self.tables()?.unsealed(most))
    }
    async fn last_seal(&self) -> Result<Option<SealRow>, StoreError> {
        Ok(self.tables()?.last_seal())
    }
    async fn seal(&self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError> {
        self.tables()?.seal(seal, events)
    }
    async fn seals(&self, after: i64, most: u32) -> Result<Vec<SealRow>, StoreError> {
        Ok(self.tables()?.seals(after, most))
    }
    async fn sealed_events(&self, no: i64) -> Result<Vec<AuditRow>, StoreError> {
        Ok(self.tables()?.sealed_events(no))
    }
    async fn last_seal_before(&self, at: Timestamp, most: u32) -> Result<Option<SealRow>, StoreError> {
        Ok(self.tables()?.last_seal_before(at, most))
    }
    async fn put_checkpoint(&self, checkpoint: &SealRow) -> Result<u64, StoreError> {
        self.tables()?.put_checkpoint(checkpoint)
    }
    async fn health(&self) -> Result<StoreHealth, StoreError> {
        drop(self.tables()?);
        Ok(StoreHealth {
            clock: None,
            schema_current: true,
        })
    }
}

fn with_link(tables: &Tables, row: &RegistrationRow) -> RegistrationView {
    RegistrationView {
        registration: row.clone(),
        link: tables.links.get(&row.link).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_store_whose_writer_panicked_answers_with_an_error_and_does_not_panic_itself() {
        // DB-5
        let store = Arc::new(InMemoryStore::new());
        let writer = Arc::clone(&store);
        let panicked = std::thread::spawn(move || {
            let _held = writer.tables().unwrap();
            panic!("in the middle of a write");
        });
        assert!(panicked.join().is_err());
        let read = store.by_id(AccountId::from_bytes([1; 16])).await;
        assert!(matches!(read, Err(StoreError::Permanent(_))), "{read:?}");
        assert!(matches!(store.health().await, Err(StoreError::Permanent(_))));
    }

    #[tokio::test]
    async fn its_debug_output_shows_no_rows() {
        assert_eq!(format!("{:?}", InMemoryStore::new()), "InMemoryStore { .. }");
    }
}
