//! A store whose sessions can be made to fail, and which counts how often they are asked for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use portal_auth::account::email::EmailAddress;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::audit::{AuditRow, EventId};
use portal_auth::audit_seal::SealRow;
use portal_auth::challenge::{ChallengeKey, ChallengeRow};
use portal_auth::device::DeviceKey;
use portal_auth::environment::Timestamp;
use portal_auth::link::{LinkKey, LinkRow};
use portal_auth::mail::outbox::{Backlog, Claim, MailId, MailOutcome, MailStatus, OutboxRow};
use portal_auth::mail::quota::{QuotaLine, Spent};
use portal_auth::registration::RegistrationId;
use portal_auth::registration::draft::{DraftKey, DraftRow};
use portal_auth::session::{SessionKey, SessionRow, SessionView};
use portal_auth::store::in_memory::InMemoryStore;
use portal_auth::store::{
    AccountStore, Dossier, DraftStore, Housekeeping, LinkView, OutboxStore, PurgePlan, RegistrantView,
    RegistrationView, SessionStore, SignInView, StoreError, StoreHealth, ThrottleStore,
};
use portal_auth::throttle::{Charge, Charged};
use portal_auth::unit_of_work::UnitOfWork;

#[derive(Debug, Default)]
pub(crate) struct FragileStore {
    rows: InMemoryStore,
    pub(crate) unreachable: AtomicBool,
    pub(crate) broken: AtomicBool,
    pub(crate) read_only: AtomicBool,
    pub(crate) session_reads: AtomicUsize,
}

#[async_trait]
impl SessionStore for FragileStore {
    async fn session(&self, key: SessionKey) -> Result<Option<SessionView>, StoreError> {
        self.session_reads.fetch_add(1, Ordering::SeqCst);
        if self.unreachable.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("host db-7 refused the connection".into()));
        }
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Permanent("no such table on db-7".into()));
        }
        self.rows.session(key).await
    }
    async fn touch_many(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), StoreError> {
        if self.read_only.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("db-7 is read-only".into()));
        }
        self.rows.touch_many(stamps).await
    }
    async fn sessions_of(&self, account: AccountId) -> Result<Vec<SessionRow>, StoreError> {
        self.rows.sessions_of(account).await
    }
}

#[async_trait]
impl AccountStore for FragileStore {
    async fn by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceKey>,
    ) -> Result<SignInView, StoreError> {
        self.rows.by_email(email, device).await
    }
    async fn by_registrant(&self, email: &EmailAddress) -> Result<RegistrantView, StoreError> {
        self.rows.by_registrant(email).await
    }
    async fn by_id(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        self.rows.by_id(id).await
    }
    async fn by_registration(&self, id: RegistrationId) -> Result<Option<RegistrationView>, StoreError> {
        self.rows.by_registration(id).await
    }
    async fn by_link(&self, key: LinkKey) -> Result<Option<LinkView>, StoreError> {
        self.rows.by_link(key).await
    }
    async fn by_challenge(
        &self,
        key: ChallengeKey,
    ) -> Result<Option<(ChallengeRow, AccountRow)>, StoreError> {
        self.rows.by_challenge(key).await
    }
    async fn activity(&self, id: AccountId, kinds: &[&str], most: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.rows.activity(id, kinds, most).await
    }
    async fn live_links(&self, account: AccountId) -> Result<Vec<LinkRow>, StoreError> {
        self.rows.live_links(account).await
    }
    async fn dossier(&self, account: AccountId) -> Result<Option<Dossier>, StoreError> {
        self.rows.dossier(account).await
    }
    async fn accounts(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountRow>, StoreError> {
        self.rows.accounts(prefix, after, most).await
    }
    async fn closed_accounts(&self, until: Timestamp, most: u32) -> Result<Vec<AccountRow>, StoreError> {
        self.rows.closed_accounts(until, most).await
    }
    async fn commit(&self, work: UnitOfWork) -> Result<(), StoreError> {
        self.rows.commit(work).await
    }
    async fn was_committed(&self, id: EventId) -> Result<bool, StoreError> {
        self.rows.was_committed(id).await
    }
}

#[async_trait]
impl DraftStore for FragileStore {
    async fn load(&self, key: DraftKey) -> Result<Option<DraftRow>, StoreError> {
        self.rows.load(key).await
    }
    async fn save(&self, draft: &DraftRow) -> Result<(), StoreError> {
        self.rows.save(draft).await
    }
}

#[async_trait]
impl ThrottleStore for FragileStore {
    async fn charge(&self, charge: &Charge) -> Result<Charged, StoreError> {
        self.rows.charge(charge).await
    }
    async fn spend(&self, lines: &[QuotaLine], now: Timestamp) -> Result<Spent, StoreError> {
        self.rows.spend(lines, now).await
    }
}

#[async_trait]
impl OutboxStore for FragileStore {
    async fn claim(&self, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        self.rows.claim(claim).await
    }
    async fn settle(
        &self,
        id: MailId,
        lease_no: i64,
        outcome: &MailOutcome,
        event: Option<&AuditRow>,
    ) -> Result<bool, StoreError> {
        self.rows.settle(id, lease_no, outcome, event).await
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.rows.next_due().await
    }
    async fn mails(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.rows.mails(status, to, after, most).await
    }
    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        self.rows.backlog(now).await
    }
}

#[async_trait]
impl Housekeeping for FragileStore {
    async fn purge(&self, plan: &PurgePlan) -> Result<u64, StoreError> {
        self.rows.purge(plan).await
    }
    async fn unsealed(&self, most: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.rows.unsealed(most).await
    }
    async fn last_seal(&self) -> Result<Option<SealRow>, StoreError> {
        self.rows.last_seal().await
    }
    async fn seal(&self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError> {
        self.rows.seal(seal, events).await
    }
    async fn seals(&self, after: i64, most: u32) -> Result<Vec<SealRow>, StoreError> {
        self.rows.seals(after, most).await
    }
    async fn sealed_events(&self, no: i64) -> Result<Vec<AuditRow>, StoreError> {
        self.rows.sealed_events(no).await
    }
    async fn last_seal_before(&self, at: Timestamp, most: u32) -> Result<Option<SealRow>, StoreError> {
        self.rows.last_seal_before(at, most).await
    }
    async fn put_checkpoint(&self, checkpoint: &SealRow) -> Result<u64, StoreError> {
        self.rows.put_checkpoint(checkpoint).await
    }
    async fn health(&self) -> Result<StoreHealth, StoreError> {
        self.rows.health().await
    }
}
