//! A store that writes down what it is asked to do, and can be told to break one promise.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use portal_auth::account::email::EmailAddress;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::audit::{AuditRow, EventId};
use portal_auth::audit_seal::SealRow;
use portal_auth::challenge::{ChallengeKey, ChallengeRow};
use portal_auth::device::DeviceKey;
use portal_auth::environment::{Clock as _, Timestamp};
use portal_auth::link::{LinkKey, LinkPurpose, LinkRow};
use portal_auth::mail::outbox::{Backlog, Claim, MailId, MailOutcome, MailStatus, OutboxRow};
use portal_auth::mail::quota::{QuotaLine, Spent};
use portal_auth::registration::RegistrationId;
use portal_auth::registration::draft::{DraftKey, DraftRow};
use portal_auth::session::{SessionKey, SessionRow, SessionView};
use portal_auth::store::{
    AccountStore, Dossier, DraftStore, Housekeeping, LinkView, OutboxStore, PurgePlan, RegistrantView,
    RegistrationView, SessionStore, SignInView, Store, StoreError, StoreHealth, Subject, ThrottleStore,
};
use portal_auth::testkit::ManualClock;
use portal_auth::throttle::{Charge, Charged};
use portal_auth::unit_of_work::UnitOfWork;

use super::faults::Fault;

/// What was asked since the last time.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Units of work that were written.
    pub(crate) units: Vec<UnitOfWork>,
    pub(crate) charges: Vec<(Charge, Charged)>,
}

pub(crate) struct Recorder {
    pub(super) inner: Arc<dyn Store>,
    pub(super) clock: ManualClock,
    pub(super) fault: Fault,
    log: Mutex<Log>,
    /// Whether the background is at work, which would not send a mail whose address it reads differently.
    pub(super) background: AtomicBool,
    /// The address that a link of [`Fault::ReadsAddressApart`] is read with.
    pub(super) last_asked: Mutex<HashMap<AccountId, EmailAddress>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    pub(crate) fn new(inner: Arc<dyn Store>, clock: ManualClock, fault: Fault) -> Self {
        Self {
            inner,
            clock,
            fault,
            log: Mutex::default(),
            background: AtomicBool::new(false),
            last_asked: Mutex::default(),
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self) -> Log {
        std::mem::take(&mut self.log())
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn account(&self, row: AccountRow) -> AccountRow {
        self.fault.read_account(row)
    }
}

#[async_trait]
impl AccountStore for Recorder {
    async fn by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceKey>,
    ) -> Result<SignInView, StoreError> {
        let mut view = self.inner.by_email(email, device).await?;
        if self.is(Fault::PendingsAreAccounts) && view.account.is_none() {
            view.account = self.made_of_a_pending(email).await?;
        }
        view.account = view.account.map(|row| self.account(row));
        Ok(view)
    }
    async fn by_registrant(&self, email: &EmailAddress) -> Result<RegistrantView, StoreError> {
        self.inner.by_registrant(email).await
    }
    async fn by_id(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.inner.by_id(id).await?.map(|row| self.account(row)))
    }
    async fn by_registration(&self, id: RegistrationId) -> Result<Option<RegistrationView>, StoreError> {
        self.inner.by_registration(id).await
    }
    async fn by_link(&self, key: LinkKey) -> Result<Option<LinkView>, StoreError> {
        let Some(mut view) = self.inner.by_link(key).await? else {
            return Ok(None);
        };
        if self.is(Fault::LinksOutliveTheirTime) {
            view.link.expires_at = view.link.expires_at.plus(Duration::from_secs(86_400 * 400));
        }
        let acting = !self.background.load(Ordering::Relaxed);
        if self.is(Fault::ReadsAddressApart) && acting && view.link.purpose == LinkPurpose::ConfirmEmail {
            // The address stands in a column that the second request did not reach.
            if let Subject::Account(account) = &view.subject {
                let asked = self.last_asked.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(address) = asked.get(&account.id) {
                    view.link.address = address.clone();
                }
            }
        }
        if self.is(Fault::OnePasswordPerAddress)
            && let Subject::Registration { row, .. } = &mut view.subject
            && let Some(newest) = self.inner.by_registrant(&row.email).await?.waiting
            && let (Some(data), Some(other)) = (&mut row.data, newest.registration.data)
        {
            data.password = other.password;
        }
        if let Subject::Account(row) = view.subject {
            view.subject = Subject::Account(Box::new(self.account(*row)));
        }
        Ok(Some(view))
    }
    async fn by_challenge(
        &self,
        key: ChallengeKey,
    ) -> Result<Option<(ChallengeRow, AccountRow)>, StoreError> {
        let found = self.inner.by_challenge(key).await?;
        Ok(found.map(|(challenge, row)| (self.fault.read_challenge(challenge), self.account(row))))
    }
    async fn activity(&self, id: AccountId, kinds: &[&str], most: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.inner.activity(id, kinds, most).await
    }
    async fn live_links(&self, account: AccountId) -> Result<Vec<LinkRow>, StoreError> {
        self.inner.live_links(account).await
    }
    async fn dossier(&self, account: AccountId) -> Result<Option<Dossier>, StoreError> {
        self.inner.dossier(account).await
    }
    async fn accounts(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountRow>, StoreError> {
        self.inner.accounts(prefix, after, most).await
    }
    async fn closed_accounts(&self, until: Timestamp, most: u32) -> Result<Vec<AccountRow>, StoreError> {
        self.inner.closed_accounts(until, most).await
    }
    async fn commit(&self, work: UnitOfWork) -> Result<(), StoreError> {
        let work = self.broken(work).await?;
        self.inner.commit(work.clone()).await?;
        self.log().units.push(work);
        Ok(())
    }
    async fn was_committed(&self, id: EventId) -> Result<bool, StoreError> {
        self.inner.was_committed(id).await
    }
}

#[async_trait]
impl DraftStore for Recorder {
    async fn load(&self, key: DraftKey) -> Result<Option<DraftRow>, StoreError> {
        self.inner.load(key).await
    }
    async fn save(&self, draft: &DraftRow) -> Result<(), StoreError> {
        if self.is(Fault::KeepsTheFirstDraft) && draft.version > 2 {
            // The write is confirmed and lost.
            return Ok(());
        }
        self.inner.save(draft).await
    }
}

#[async_trait]
impl SessionStore for Recorder {
    async fn session(&self, key: SessionKey) -> Result<Option<SessionView>, StoreError> {
        let view = self.inner.session(key).await?;
        Ok(view.map(|view| self.fault.read_session(view, self.clock.now())))
    }
    async fn touch_many(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), StoreError> {
        self.inner.touch_many(stamps).await
    }
    async fn sessions_of(&self, account: AccountId) -> Result<Vec<SessionRow>, StoreError> {
        self.inner.sessions_of(account).await
    }
}

#[async_trait]
impl ThrottleStore for Recorder {
    async fn charge(&self, charge: &Charge) -> Result<Charged, StoreError> {
        let mut asked = charge.clone();
        if self.is(Fault::NothingIsEverClosed) {
            asked.ladder.free = 1000;
            asked.ladder.cap = 2000;
            asked.ladder.hashes = 2000;
        }
        let charged = self.inner.charge(&asked).await?;
        self.log().charges.push((charge.clone(), charged));
        Ok(charged)
    }
    async fn spend(&self, lines: &[QuotaLine], now: Timestamp) -> Result<Spent, StoreError> {
        if self.is(Fault::MailsCostNothing) {
            return Ok(Spent::Granted { last_until: None });
        }
        self.inner.spend(lines, now).await
    }
}

#[async_trait]
impl OutboxStore for Recorder {
    async fn claim(&self, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        self.inner.claim(claim).await
    }
    async fn settle(
        &self,
        id: MailId,
        lease_no: i64,
        outcome: &MailOutcome,
        event: Option<&AuditRow>,
    ) -> Result<bool, StoreError> {
        self.inner.settle(id, lease_no, outcome, event).await
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_due().await
    }
    async fn mails(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.inner.mails(status, to, after, most).await
    }
    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        self.inner.backlog(now).await
    }
}

#[async_trait]
impl Housekeeping for Recorder {
    async fn purge(&self, plan: &PurgePlan) -> Result<u64, StoreError> {
        self.inner.purge(plan).await
    }
    async fn unsealed(&self, most: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.inner.unsealed(most).await
    }
    async fn last_seal(&self) -> Result<Option<SealRow>, StoreError> {
        self.inner.last_seal().await
    }
    async fn seal(&self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError> {
        self.inner.seal(seal, events).await
    }
    async fn seals(&self, after: i64, most: u32) -> Result<Vec<SealRow>, StoreError> {
        self.inner.seals(after, most).await
    }
    async fn sealed_events(&self, no: i64) -> Result<Vec<AuditRow>, StoreError> {
        self.inner.sealed_events(no).await
    }
    async fn last_seal_before(&self, at: Timestamp, most: u32) -> Result<Option<SealRow>, StoreError> {
        self.inner.last_seal_before(at, most).await
    }
    async fn put_checkpoint(&self, checkpoint: &SealRow) -> Result<u64, StoreError> {
        self.inner.put_checkpoint(checkpoint).await
    }
    async fn health(&self) -> Result<StoreHealth, StoreError> {
        self.inner.health().await
    }
}
