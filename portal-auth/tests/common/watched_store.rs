//! The in-memory store, with every call counted and every commit in the hand of the test.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

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

/// Stands for a reading of an account by its id where something is to happen before it.
pub(crate) const READING: &str = "by_id";

/// What happens to a commit instead of its being written at once.
pub(crate) enum Mishap {
    /// A row changed in between.
    Conflict,
    /// Somebody else's work is written first.
    Rival(Box<UnitOfWork>),
    /// Something else happens first.
    Overtaken(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// It is written, and the answer is lost.
    LostAnswer,
    /// It is not written, and nobody knows.
    LostRequest,
}

impl fmt::Debug for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mishap")
    }
}

#[derive(Debug, Default)]
struct Watch {
    calls: Vec<&'static str>,
    events: Vec<AuditRow>,
    mishaps: HashMap<String, VecDeque<Mishap>>,
    down: bool,
    /// The call that fails, counted from when it was told, and whether all after it do.
    fails: Option<(usize, bool)>,
}

#[derive(Debug, Default)]
pub(crate) struct WatchedStore {
    inner: InMemoryStore,
    watch: Mutex<Watch>,
    /// Whether everybody stops before each call, and whether somebody has.
    pub(crate) steps: AtomicBool,
    pub(crate) reached: AtomicBool,
}

impl WatchedStore {
    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call(&self, name: &'static str) -> Result<&InMemoryStore, StoreError> {
        if self.steps.load(Ordering::SeqCst) {
            // Whoever asks stops here once; the test decides who goes on.
            let mut stopped = false;
            poll_fn(|_| {
                if std::mem::replace(&mut stopped, true) {
                    return Poll::Ready(());
                }
                self.reached.store(true, Ordering::SeqCst);
                Poll::Pending
            })
            .await;
        }
        let mut watch = self.watch();
        watch.calls.push(name);
        match watch.fails {
            Some((0, for_good)) => {
                if !for_good {
                    watch.fails = None;
                }
                return Err(StoreError::Unavailable("the test made this call fail".into()));
            }
            Some((left, for_good)) => watch.fails = Some((left - 1, for_good)),
            None => {}
        }
        if watch.down {
            return Err(StoreError::Unavailable("the test pulled the plug".into()));
        }
        Ok(&self.inner)
    }

    /// The calls since the last time, in order.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.watch().calls)
    }

    pub(crate) fn events(&self) -> Vec<AuditRow> {
        self.watch().events.clone()
    }

    /// What the next commit whose first event is `kind` meets; several wait in line.
    pub(crate) fn meet(&self, kind: &str, mishap: Mishap) {
        let mut watch = self.watch();
        watch
            .mishaps
            .entry(kind.to_owned())
            .or_default()
            .push_back(mishap);
    }

    /// Lets `first` happen before the next commit whose first event is `kind`; before the next reading of an account by
    /// its id where that is [`READING`].
    pub(crate) fn overtake(&self, kind: &str, first: impl Future<Output = ()> + Send + 'static) {
        self.meet(kind, Mishap::Overtaken(Box::pin(first)));
    }

    /// Whether the database can be reached.
    pub(crate) fn set_down(&self, down: bool) {
        self.watch().down = down;
    }

    /// Lets the call fail that is `at` calls away, and where `for_good` says so all after it.
    pub(crate) fn fail_at(&self, at: usize, for_good: bool) {
        self.watch().fails = Some((at, for_good));
    }

    pub(crate) fn never_fail(&self) {
        self.watch().fails = None;
    }

    async fn write(&self, work: UnitOfWork) -> Result<(), StoreError> {
        let mut events = work.events().to_vec();
        let closings = work.closings().to_vec();
        self.inner.commit(work).await?;
        for (_, told) in closings {
            if self.inner.was_committed(told.id).await? {
                events.push(told);
            }
        }
        self.watch().events.extend(events);
        Ok(())
    }
}

#[async_trait]
impl AccountStore for WatchedStore {
    async fn by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceKey>,
    ) -> Result<SignInView, StoreError> {
        self.call("by_email").await?.by_email(email, device).await
    }
    async fn by_registrant(&self, email: &EmailAddress) -> Result<RegistrantView, StoreError> {
        self.call("by_registrant").await?.by_registrant(email).await
    }
    async fn by_id(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        let mishap = self
            .watch()
            .mishaps
            .get_mut(READING)
            .and_then(VecDeque::pop_front);
        if let Some(Mishap::Overtaken(first)) = mishap {
            first.await;
        }
        self.call("by_id").await?.by_id(id).await
    }
    async fn by_registration(&self, id: RegistrationId) -> Result<Option<RegistrationView>, StoreError> {
        self.call("by_registration").await?.by_registration(id).await
    }
    async fn by_link(&self, key: LinkKey) -> Result<Option<LinkView>, StoreError> {
        self.call("by_link").await?.by_link(key).await
    }
    async fn by_challenge(
        &self,
        key: ChallengeKey,
    ) -> Result<Option<(ChallengeRow, AccountRow)>, StoreError> {
        self.call("by_challenge").await?.by_challenge(key).await
    }
    async fn activity(&self, id: AccountId, kinds: &[&str], most: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.call("activity").await?.activity(id, kinds, most).await
    }
    async fn live_links(&self, account: AccountId) -> Result<Vec<LinkRow>, StoreError> {
        self.call("live_links").await?.live_links(account).await
    }
    async fn dossier(&self, account: AccountId) -> Result<Option<Dossier>, StoreError> {
        self.call("dossier").await?.dossier(account).await
    }
    async fn accounts(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountRow>, StoreError> {
        self.call("accounts").await?.accounts(prefix, after, most).await
    }
    async fn closed_accounts(&self, until: Timestamp, most: u32) -> Result<Vec<AccountRow>, StoreError> {
        self.call("closed_accounts")
            .await?
            .closed_accounts(until, most)
            .await
    }
    async fn commit(&self, work: UnitOfWork) -> Result<(), StoreError> {
        self.call("commit").await?;
        let kind = work.events().first().map(|e| e.kind.clone()).unwrap_or_default();
        let mishap = self.watch().mishaps.get_mut(&kind).and_then(VecDeque::pop_front);
        match mishap {
            None => self.write(work).await,
            Some(Mishap::Conflict) => Err(StoreError::Conflict),
            Some(Mishap::Rival(rival)) => {
                self.write(*rival).await?;
                self.write(work).await
            }
            Some(Mishap::Overtaken(first)) => {
                first.await;
                self.write(work).await
            }
            Some(Mishap::LostAnswer) => {
                self.write(work).await?;
                Err(StoreError::Ambiguous("the line was cut".into()))
            }
            Some(Mishap::LostRequest) => Err(StoreError::Ambiguous("the line was cut".into())),
        }
    }
    async fn was_committed(&self, id: EventId) -> Result<bool, StoreError> {
        self.call("was_committed").await?.was_committed(id).await
    }
}

#[async_trait]
impl DraftStore for WatchedStore {
    async fn load(&self, key: DraftKey) -> Result<Option<DraftRow>, StoreError> {
        self.call("load").await?.load(key).await
    }
    async fn save(&self, draft: &DraftRow) -> Result<(), StoreError> {
        self.call("save").await?.save(draft).await
    }
}

#[async_trait]
impl SessionStore for WatchedStore {
    async fn session(&self, key: SessionKey) -> Result<Option<SessionView>, StoreError> {
        self.call("session").await?.session(key).await
    }
    async fn touch_many(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), StoreError> {
        self.call("touch_many").await?.touch_many(stamps).await
    }
    async fn sessions_of(&self, account: AccountId) -> Result<Vec<SessionRow>, StoreError> {
        self.call("sessions_of").await?.sessions_of(account).await
    }
}

#[async_trait]
impl ThrottleStore for WatchedStore {
    async fn charge(&self, charge: &Charge) -> Result<Charged, StoreError> {
        self.call("charge").await?.charge(charge).await
    }
    async fn spend(&self, lines: &[QuotaLine], now: Timestamp) -> Result<Spent, StoreError> {
        self.call("spend").await?.spend(lines, now).await
    }
}

#[async_trait]
impl OutboxStore for WatchedStore {
    async fn claim(&self, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        self.call("claim").await?.claim(claim).await
    }
    async fn settle(
        &self,
        id: MailId,
        lease_no: i64,
        outcome: &MailOutcome,
        event: Option<&AuditRow>,
    ) -> Result<bool, StoreError> {
        self.call("settle")
            .await?
            .settle(id, lease_no, outcome, event)
            .await
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.call("next_due").await?.next_due().await
    }
    async fn mails(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.call("mails").await?.mails(status, to, after, most).await
    }
    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        self.call("backlog").await?.backlog(now).await
    }
}

#[async_trait]
impl Housekeeping for WatchedStore {
    async fn purge(&self, plan: &PurgePlan) -> Result<u64, StoreError> {
        self.call("purge").await?.purge(plan).await
    }
    async fn unsealed(&self, most: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.call("unsealed").await?.unsealed(most).await
    }
    async fn last_seal(&self) -> Result<Option<SealRow>, StoreError> {
        self.call("last_seal").await?.last_seal().await
    }
    async fn seal(&self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError> {
        self.call("seal").await?.seal(seal, events).await
    }
    async fn seals(&self, after: i64, most: u32) -> Result<Vec<SealRow>, StoreError> {
        self.call("seals").await?.seals(after, most).await
    }
    async fn sealed_events(&self, no: i64) -> Result<Vec<AuditRow>, StoreError> {
        self.call("sealed_events").await?.sealed_events(no).await
    }
    async fn last_seal_before(&self, at: Timestamp, most: u32) -> Result<Option<SealRow>, StoreError> {
        self.call("last_seal_before")
            .await?
            .last_seal_before(at, most)
            .await
    }
    async fn put_checkpoint(&self, checkpoint: &SealRow) -> Result<u64, StoreError> {
        self.call("put_checkpoint")
            .await?
            .put_checkpoint(checkpoint)
            .await
    }
    async fn health(&self) -> Result<StoreHealth, StoreError> {
        self.call("health").await?.health().await
    }
}
