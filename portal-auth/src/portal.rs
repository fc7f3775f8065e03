//! [`PortalAuth`]: holds the ports and hands out time, randomness and configuration to the features.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::account::email::EmailAddress;
use crate::audit::{AuditRow, Event, EventId};
use crate::breach_check::MOST_ASKED;
use crate::config::{Config, ConfigError};
use crate::device::DeviceKey;
use crate::environment::{Clock, Entropy, SystemClock, SystemEntropy, Timestamp};
use crate::error::{Denied, Fault};
use crate::guessing::Flights;
use crate::last_seen::LastSeen;
use crate::mail::dispatch::Background;
use crate::mail::mailer::Mailer;
use crate::mail::outbox::{MailId, MailKind, MailStatus, OutboxRow};
use crate::mail::quota::{QuotaLimits, QuotaLine};
use crate::password::argon2id::Argon2id;
use crate::password::hash::{PasswordHasher, PepperId, Peppers};
use crate::secret::keyring::{Keyring, row_key};
use crate::secret::token::Purpose;
use crate::store::{Store, StoreError};
use crate::throttle::BucketKey;
use crate::unit_of_work::UnitOfWork;
use crate::visitor::Visitor;

/// How often a decision is made again because the row changed in between; then the caller is told `Busy`.
pub(crate) const ATTEMPTS: usize = 5;

/// The accounts of one service. Cheap to clone: all clones share the same ports.
///
/// Made by [`build`](Self::build); every method's documentation says what to show the person.
#[derive(Clone, Debug)]
pub struct PortalAuth {
    pub(crate) inner: Arc<Inner>,
}

/// Where time, randomness and hashes come from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub entropy: Arc<dyn Entropy>,
    /// The password hasher; `None` makes the crate's own from the configuration and the keyring.
    pub hasher: Option<Arc<dyn PasswordHasher>>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            hasher: None,
        }
    }
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keyring: Keyring,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) hasher: Arc<dyn PasswordHasher>,
    pub(crate) last_seen: LastSeen,
    pub(crate) flights: Flights,
    /// One for each password that is held against the list of breached ones.
    pub(crate) breach_seats: Semaphore,
    pub(crate) counters: Counters,
    /// Rung after a commit that queued mail.
    pub(crate) mail_waits: Notify,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalAuth")
            .field("store", &self.store)
            .field("keyring", &self.keyring)
            .finish_non_exhaustive()
    }
}

/// Whether a unit of work was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    Done,
    /// Something changed in between: read and decide again.
    Conflict,
}

impl PortalAuth {
    /// Puts the service together; nothing is read or sent yet.
    ///
    /// The second half does mail, last-seen stamps and purging: run it, or mails stay in the outbox.
    ///
    /// # Errors
    /// A [`ConfigError`] with every problem of the configuration at once.
    pub fn build(
        config: Config,
        store: impl Store,
        mailer: impl Mailer + 'static,
        keyring: Keyring,
    ) -> Result<(Self, Background), ConfigError> {
        Self::build_in(Environment::default(), config, store, mailer, keyring)
    }

    /// As [`build`](Self::build), with time, randomness or hashing from elsewhere.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_in(
        environment: Environment,
        config: Config,
        store: impl Store,
        mailer: impl Mailer + 'static,
        keyring: Keyring,
    ) -> Result<(Self, Background), ConfigError> {
        config.check()?;
        let mut config = config;
        let name = config.service_name.clone();
        config.passwords.policy.service_name.get_or_insert(name);
        let Environment {
            clock,
            entropy,
            hasher,
        } = environment;
        let hasher = match hasher {
            Some(hasher) => hasher,
            None => own_hasher(&config, &keyring, &clock, &entropy)?,
        };
        let inner = Arc::new(Inner {
            config,
            store: Arc::new(store),
            keyring,
            clock,
            entropy,
            hasher,
            last_seen: LastSeen::default(),
            flights: Flights::default(),
            breach_seats: Semaphore::new(MOST_ASKED),
            counters: Counters::default(),
            mail_waits: Notify::new(),
        });
        Ok((
            Self {
                inner: Arc::clone(&inner),
            },
            Background::new(inner, Arc::new(mailer)),
        ))
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The keyring, for keys of the host's own.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.inner.keyring
    }

    /// The present moment by the service's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.now()
    }

    /// The service's random source.
    #[must_use]
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.inner.entropy)
    }

    /// The store, for health checks and metrics.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// What this process has counted since its start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inner.counters.read(&*self.inner.hasher)
    }
}

fn own_hasher(
    config: &Config,
    keyring: &Keyring,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<dyn PasswordHasher>, ConfigError> {
    let refused =
        |e: String| ConfigError::one("passwords.hash", format!("the password hasher cannot start: {e}"));
    let mut ring = keyring.peppers().iter().filter(|p| p.signing);
    let signing = ring
        .next()
        .ok_or_else(|| refused("the keyring has no signing pepper".into()))?;
    let id = |id: &str| PepperId::parse(id).map_err(|e| refused(e.to_string()));
    let mut peppers =
        Peppers::new(id(&signing.id)?, signing.secret.clone()).map_err(|e| refused(e.to_string()))?;
    for older in keyring.peppers().iter().filter(|p| !p.signing) {
        peppers = peppers
            .with_older(id(&older.id)?, older.secret.clone())
            .map_err(|e| refused(e.to_string()))?;
    }
    let mut builder = Argon2id::builder(Arc::clone(clock), Arc::clone(entropy))
        .params(config.passwords.hash)
        .peppers(peppers)
        .engine(config.passwords.engine.clone());
    if let Some(workers) = config.passwords.workers {
        builder = builder.permits(workers);
    }
    #[cfg(feature = "imported-hashes")]
    if let Some(sample) = &config.passwords.imported_like {
        builder = builder.imported_like(sample.clone());
    }
    let hasher = builder.build().map_err(|e| refused(e.to_string()))?;
    Ok(Arc::new(hasher))
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether a row that says of itself that it was written at `at` is believed: one from the future is not, and that is
    /// logged, because the clock was set back (CLK-2).
    pub(crate) fn believed(&self, what: &'static str, at: Timestamp, now: Timestamp) -> bool {
        let believed = at <= now.plus(self.config.clock_skew);
        if !believed {
            tracing::warn!(
                what,
                "a row of the future is not believed: was the clock set back?"
            );
        }
        believed
    }

    /// Writes a unit of work and wakes the dispatcher if it queued mail.
    ///
    /// An answer that was lost is resolved before anything is told to the person.
    pub(crate) async fn commit(&self, work: UnitOfWork) -> Result<Commit, Fault> {
        let id = work.id();
        let mails = !work.mails().is_empty();
        let committed = match self.store.commit(work).await {
            Ok(()) => true,
            Err(StoreError::Conflict) => false,
            Err(StoreError::Ambiguous(cause)) => self.resolve(id, cause).await?,
            Err(e) => return Err(store_fault(e)),
        };
        if !committed {
            self.counters.conflicts.fetch_add(1, Ordering::Relaxed);
            return Ok(Commit::Conflict);
        }
        if mails {
            self.mail_waits.notify_one();
        }
        Ok(Commit::Done)
    }

    async fn resolve(&self, id: EventId, lost: crate::store::Cause) -> Result<bool, Fault> {
        for _ in 0..ATTEMPTS {
            if let Ok(known) = self.store.was_committed(id).await {
                return Ok(known);
            }
        }
        Err(Fault::transient("the answer of the database was lost and could not be found out").because(lost))
    }

    /// Names and signs an event, for the commit of what it reports.
    pub(crate) fn audit(&self, event: Event, now: Timestamp) -> Result<AuditRow, Fault> {
        self.audit_as(EventId::draw(&*self.entropy)?, event, now)
    }

    /// As [`audit`](Self::audit), for an event whose name follows from what it reports, so that it happens once.
    pub(crate) fn audit_as(&self, id: EventId, event: Event, now: Timestamp) -> Result<AuditRow, Fault> {
        let row = self.signed(id, event, now)?;
        tracing::info!(
            event = %row.kind,
            reason = %row.reason,
            account = row.account.map(tracing::field::display),
            id = %row.id,
            "audit"
        );
        Ok(row)
    }

    /// As [`audit`](Self::audit), for an event that the store may write or leave; the log does not know of it.
    pub(crate) fn audit_if(&self, event: Event, now: Timestamp) -> Result<AuditRow, Fault> {
        self.signed(EventId::draw(&*self.entropy)?, event, now)
    }

    fn signed(&self, id: EventId, event: Event, now: Timestamp) -> Result<AuditRow, Fault> {
        let mut row = AuditRow {
            id,
            at: now,
            kind: event.kind.code().to_owned(),
            reason: event.reason.map_or_else(String::new, |r| r.code().to_owned()),
            actor: event.actor,
            account: event.account,
            address: event.address,
            network: event.network,
            label: event.label,
            mac_key: self.keyring.audit_key().to_owned(),
            mac: [0; 16],
        };
        row.mac = self
            .keyring
            .audit_mac(&row.mac_key, &row.authenticated_bytes())
            .ok_or_else(|| Fault::permanent("the keyring has no key for the audit"))?;
        Ok(row)
    }

    /// Adds to an event what is known about the caller, as pseudonyms.
    pub(crate) fn seen_from(
        &self,
        mut event: Event,
        visitor: &Visitor,
        address: Option<&EmailAddress>,
    ) -> Event {
        event.network = self.network_buckets(visitor).first().copied();
        event.address = address.map(|a| self.address_bucket(a));
        event.label = visitor.label();
        event
    }

    pub(crate) fn address_bucket(&self, address: &EmailAddress) -> BucketKey {
        self.keyring.pseudonym("address", address.as_str().as_bytes())
    }

    pub(crate) fn device_bucket(
        &self,
        device: DeviceKey,
        account: crate::account::snapshot::AccountId,
    ) -> BucketKey {
        let mut both = device.as_bytes().to_vec();
        both.extend_from_slice(account.as_bytes());
        self.keyring.pseudonym("device", &both)
    }

    pub(crate) fn network_buckets(&self, visitor: &Visitor) -> Vec<BucketKey> {
        visitor
            .networks()
            .iter()
            .map(|n| self.keyring.pseudonym("network", n.as_bytes()))
            .collect()
    }

    /// The row key of the visitor's device token, if it is genuine.
    pub(crate) fn device_key(&self, visitor: &Visitor) -> Option<DeviceKey> {
        let seed = self.keyring.open(Purpose::Device, visitor.device()?.expose())?;
        Some(DeviceKey::from_bytes(row_key(Purpose::Device, &seed)))
    }

    /// The line of an address that a mail which an outsider can cause must fit into (MAIL-5).
    pub(crate) fn address_mail(&self, to: &EmailAddress, bears: Bears) -> QuotaLine {
        let per_address = self.config.mail.per_address.iter();
        QuotaLine {
            key: self
                .keyring
                .pseudonym("mail/address", to.coarse().as_str().as_bytes()),
            limits: QuotaLimits::Sliding(per_address.map(|line| bears.share_of(*line)).collect()),
        }
    }

    /// The lines that it shares with the mails to all other addresses.
    pub(crate) fn shared_mail(&self, visitor: &Visitor) -> Vec<QuotaLine> {
        let mail = &self.config.mail;
        let mut lines = Vec::new();
        // The widest network alone: it holds the narrower ones.
        if let Some(network) = visitor.networks().last() {
            lines.push(QuotaLine {
                key: self.keyring.pseudonym("mail/network", network.as_bytes()),
                limits: QuotaLimits::Sliding(mail.per_network.clone()),
            });
        }
        lines.push(QuotaLine {
            key: self.keyring.pseudonym("mail/all", b""),
            limits: QuotaLimits::Window(mail.an_hour_over_all, Duration::from_secs(3600)),
        });
        lines
    }

    /// A mail for the outbox, due at once.
    pub(crate) fn mail(
        &self,
        kind: MailKind,
        to: &EmailAddress,
        now: Timestamp,
        useless_from: Timestamp,
    ) -> Result<OutboxRow, Fault> {
        Ok(OutboxRow {
            id: MailId::draw(&*self.entropy)?,
            kind,
            to: to.clone(),
            account: None,
            link: None,
            challenge: None,
            facts: "{}".to_owned(),
            created_at: now,
            expires_at: useless_from,
            status: MailStatus::Ready,
            attempts: 0,
            next_at: now,
            lease_no: 0,
            lease_until: now,
            last_error: String::new(),
        })
    }
}

/// Whether a mail bears a link by which the owner of the address gets on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bears {
    Link,
    NoLink,
}

impl Bears {
    /// A link for the owner, if there is one.
    pub(crate) const fn link_if(there_is: bool) -> Self {
        if there_is { Self::Link } else { Self::NoLink }
    }

    /// What it may use of a limit: the last slot is for mails with a link, which then lives until the next slot opens.
    /// So at every moment the owner has a slot or a live link, whatever strangers cause (TOK-6, I-23). A limit of one
    /// is a pause between two mails, which is short.
    const fn share_of(self, (most, window): (u32, Duration)) -> (u32, Duration) {
        match self {
            Self::NoLink if most > 1 => (most.saturating_sub(1), window),
            Self::Link | Self::NoLink => (most, window),
        }
    }
}

/// A store's error as a fault; a conflict that nobody expected is one too.
pub(crate) fn store_fault(error: StoreError) -> Fault {
    match error {
        StoreError::Unavailable(_) | StoreError::Conflict => {
            Fault::transient("the store cannot be reached").because(error)
        }
        StoreError::Ambiguous(_) => Fault::transient("the answer of the store was lost").because(error),
        StoreError::Permanent(_) => Fault::permanent("the store failed").because(error),
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        store_fault(error)
    }
}

impl<R> From<StoreError> for Denied<R> {
    fn from(error: StoreError) -> Self {
        Self::Fault(store_fault(error))
    }
}

/// What a caller is told when a row kept changing under every attempt.
pub(crate) const fn contended<R>() -> Denied<R> {
    Denied::Busy {
        retry_after: Duration::from_secs(1),
    }
}

/// Counters of one process.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sign_ins: AtomicU64,
    pub(crate) sign_ins_refused: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) breach_checks_missed: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    pub(crate) mails_sent: AtomicU64,
    pub(crate) mails_failed: AtomicU64,
    pub(crate) mails_withheld: AtomicU64,
    pub(crate) purged: AtomicU64,
}

/// What a process has counted since its start, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Passwords that were right.
    pub sign_ins: u64,
    /// Passwords that were wrong, or whose account may not be used.
    pub sign_ins_refused: u64,
    /// Tries refused because a bucket was closed.
    pub throttled: u64,
    /// New passwords that could not be held against the list of breached ones.
    pub breach_checks_missed: u64,
    /// Decisions made again because a row had changed.
    pub conflicts: u64,
    /// Mails that the mailer took.
    pub mails_sent: u64,
    /// Attempts that the mailer did not take.
    pub mails_failed: u64,
    /// Mails not queued because a quota was used up.
    pub mails_withheld: u64,
    /// Rows removed because they were over.
    pub purged: u64,
    /// The hashing gate.
    pub gate: crate::password::hash::GateStats,
}

impl Counters {
    fn read(&self, hasher: &dyn PasswordHasher) -> Counts {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        Counts {
            sign_ins: read(&self.sign_ins),
            sign_ins_refused: read(&self.sign_ins_refused),
            throttled: read(&self.throttled),
            breach_checks_missed: read(&self.breach_checks_missed),
            conflicts: read(&self.conflicts),
            mails_sent: read(&self.mails_sent),
            mails_failed: read(&self.mails_failed),
            mails_withheld: read(&self.mails_withheld),
            purged: read(&self.purged),
            gate: hasher.stats(),
        }
    }
}
