//! The ports to a database. A backend implements these six traits and runs the conformance suite of
//! `testkit::conformance`; everything else in the crate is written against them.
//!
//! They are split by who calls them, not by table, and have no default methods: a wrapper would silently inherit
//! the wrong one. Every method may be called concurrently from any number of tasks and processes.
//!
//! | Port | Called by | Writes |
//! |---|---|---|
//! | [`AccountStore`] | features | all account data, in one [`commit`](AccountStore::commit) |
//! | [`DraftStore`] | registration | what was typed so far |
//! | [`SessionStore`] | every request | last-seen stamps |
//! | [`ThrottleStore`] | features, before they check a secret | guessing budgets and mail quotas |
//! | [`OutboxStore`] | the dispatcher | leases and outcomes of mails |
//! | [`Housekeeping`] | the background | removal of what is over |

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::audit::{AuditRow, EventId};
use crate::audit_seal::SealRow;
use crate::challenge::{ChallengeKey, ChallengeRow};
use crate::device::{DeviceKey, DeviceRow};
use crate::environment::Timestamp;
use crate::link::{LinkKey, LinkRow};
use crate::mail::outbox::{Backlog, Claim, MailId, MailOutcome, MailStatus, OutboxRow};
use crate::mail::quota::{QuotaLine, Spent};
use crate::registration::draft::{DraftKey, DraftRow};
use crate::registration::{RegistrationId, RegistrationRow};
use crate::session::{SessionKey, SessionRow, SessionView};
use crate::throttle::{Charge, Charged};
use crate::unit_of_work::UnitOfWork;

#[cfg(feature = "memory")]
pub mod in_memory;

/// What caused a store to fail; kept as a source, never turned into text.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Why a store did not do what was asked.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "each case makes the caller do something else"
)]
pub enum StoreError {
    /// A guard did not hold, a version was stale, a key was taken, or a change hit no row. Nothing was written: read
    /// again and decide again.
    Conflict,
    /// The store cannot be reached or is too busy. Nothing was written; the same call may succeed later.
    Unavailable(Cause),
    /// The answer to a commit was lost: it may have happened. Ask
    /// [`was_committed`](AccountStore::was_committed).
    Ambiguous(Cause),
    /// Trying again does not help: a broken row, a missing table, a full disk.
    Permanent(Cause),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "the row changed in the meantime",
            Self::Unavailable(_) => "the store cannot be reached",
            Self::Ambiguous(_) => "the answer to a commit was lost",
            Self::Permanent(_) => "the store failed",
        })
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Conflict => None,
            Self::Unavailable(e) | Self::Ambiguous(e) | Self::Permanent(e) => Some(&**e),
        }
    }
}

/// Everything a sign-in must know about an address, read in one round trip.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct SignInView {
    /// The account that has claimed the address, whatever its status.
    pub account: Option<AccountRow>,
    /// The asking browser's device row for that account, whatever its epoch.
    pub device: Option<DeviceRow>,
}

/// A mailed link beside what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct LinkView {
    /// The link.
    pub link: LinkRow,
    /// Its subject.
    pub subject: Subject,
}

/// What a mailed link belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a link belongs to one or the other, or its subject was purged"
)]
pub enum Subject {
    /// A registration, and whether its address has an account meanwhile.
    Registration {
        /// The registration.
        row: Box<RegistrationRow>,
        /// Whether the address is claimed.
        claimed: bool,
    },
    /// An account.
    Account(Box<AccountRow>),
    /// Nothing that is still there.
    Gone,
}

/// A registration beside its link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct RegistrationView {
    /// The registration.
    pub registration: RegistrationRow,
    /// Its link; `None` once that was purged.
    pub link: Option<LinkRow>,
}

/// What registering or asking again must know about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct RegistrantView {
    /// The account that has claimed the address.
    pub account: Option<AccountRow>,
    /// The newest registration of the address that still waits (`Submitted`), by `submitted_at`.
    pub waiting: Option<RegistrationView>,
}

/// Everything that is kept about one account, for its owner (export) and for nobody else.
///
/// Guessing budgets, mail quotas and drafts are not in it: they stand under keyed pseudonyms or under a key that only
/// the browser holds, and cannot be found from an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it; a new table must break them"
)]
pub struct Dossier {
    /// The account.
    pub account: AccountRow,
    /// Its address's registrations.
    pub registrations: Vec<RegistrationRow>,
    /// Its links, whatever their state.
    pub links: Vec<LinkRow>,
    /// Its half-done sign-ins and confirmations.
    pub challenges: Vec<ChallengeRow>,
    /// Its sessions, of any epoch.
    pub sessions: Vec<SessionRow>,
    /// Its familiar devices.
    pub devices: Vec<DeviceRow>,
    /// Mails about it that are still kept.
    pub mails: Vec<OutboxRow>,
    /// Its audit events, the oldest first.
    pub events: Vec<AuditRow>,
}

/// Reads and the one write of account data.
#[async_trait]
pub trait AccountStore: fmt::Debug + Send + Sync {
    /// Finds the account that has claimed `email`, and the asking browser's row for it.
    ///
    /// The same statements must run for a known and an unknown address: a difference tells a stranger who has an
    /// account (ENU-2).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Permanent`], as for every read below.
    async fn by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceKey>,
    ) -> Result<SignInView, StoreError>;

    /// Finds what registering `email` must know; like [`by_email`](Self::by_email), alike for known and unknown.
    ///
    /// # Errors
    /// As above.
    async fn by_registrant(&self, email: &EmailAddress) -> Result<RegistrantView, StoreError>;

    /// Finds an account.
    ///
    /// # Errors
    /// As above.
    async fn by_id(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError>;

    /// Finds a registration and its link.
    ///
    /// # Errors
    /// As above.
    async fn by_registration(&self, id: RegistrationId) -> Result<Option<RegistrationView>, StoreError>;

    /// Finds a mailed link, whatever its state, and what it belongs to.
    ///
    /// Returning another link than the one asked for would let its bearer act for a stranger.
    ///
    /// # Errors
    /// As above.
    async fn by_link(&self, key: LinkKey) -> Result<Option<LinkView>, StoreError>;

    /// Finds a challenge and the account it belongs to, whatever their state.
    ///
    /// # Errors
    /// As above.
    async fn by_challenge(&self, key: ChallengeKey)
    -> Result<Option<(ChallengeRow, AccountRow)>, StoreError>;

    /// Lists the newest audit events about an account, newest first, at most `most` of them; only those whose
    /// `kind` is in `kinds`, where that is not empty.
    ///
    /// # Errors
    /// As above.
    async fn activity(&self, id: AccountId, kinds: &[&str], most: u32) -> Result<Vec<AuditRow>, StoreError>;

    /// Lists the live links of an account, the newest first; their time is the caller's to judge.
    ///
    /// The same statement must run for an id that nobody has (ENU-2).
    ///
    /// # Errors
    /// As above.
    async fn live_links(&self, account: AccountId) -> Result<Vec<LinkRow>, StoreError>;

    /// Reads everything that is kept about an account, for its owner.
    ///
    /// A table that is left out is data the owner is not told of.
    ///
    /// # Errors
    /// As above.
    async fn dossier(&self, account: AccountId) -> Result<Option<Dossier>, StoreError>;

    /// Lists up to `most` accounts whose address begins with `prefix`, in the order of their addresses as bytes,
    /// beginning after `after`.
    ///
    /// `prefix` is plain text: no character in it is a wildcard.
    ///
    /// # Errors
    /// As above.
    async fn accounts(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountRow>, StoreError>;

    /// Lists up to `most` closed accounts whose `closed_at` lies at or before `until`, the longest closed first.
    ///
    /// # Errors
    /// As above.
    async fn closed_accounts(&self, until: Timestamp, most: u32) -> Result<Vec<AccountRow>, StoreError>;

    /// Applies a unit of work: all of it, or nothing.
    ///
    /// In this order, in one transaction: guards are checked; changes are applied, each hitting exactly one row;
    /// sweeps; settlements; mails; audit events. Mails and events are inserted, so a name that is taken is a
    /// conflict: a unit of work that is sent twice happens once. An implementation that commits a part lets a link be used twice, a
    /// try go unpaid, or a change go unannounced.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where a guard or a change did not hold and nothing was written;
    /// [`StoreError::Ambiguous`] where the answer was lost and it may have happened; else as above.
    async fn commit(&self, work: UnitOfWork) -> Result<(), StoreError>;

    /// Whether the commit whose first event is `id` happened: the event is there.
    ///
    /// # Errors
    /// As above.
    async fn was_committed(&self, id: EventId) -> Result<bool, StoreError>;
}

/// What people have typed so far.
#[async_trait]
pub trait DraftStore: fmt::Debug + Send + Sync {
    /// Finds a draft, whatever its age.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn load(&self, key: DraftKey) -> Result<Option<DraftRow>, StoreError>;

    /// Keeps a draft: version 1 inserts it, a higher version replaces the row that holds one less.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another tab saved in between; nothing was written.
    async fn save(&self, draft: &DraftRow) -> Result<(), StoreError>;
}

/// What every request asks.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync {
    /// Finds a session beside its account's epoch and status, in one statement.
    ///
    /// The account's part must be read in the same statement, never from a cache: a stale epoch keeps a stolen
    /// session alive after a password change (SES-9).
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn session(&self, key: SessionKey) -> Result<Option<SessionView>, StoreError>;

    /// Writes last-seen stamps; a stamp only rises, and a session that is gone is skipped.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn touch_many(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), StoreError>;

    /// Lists the sessions of an account in its present epoch, over or not, the one used last first.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn sessions_of(&self, account: AccountId) -> Result<Vec<SessionRow>, StoreError>;
}

/// Guessing budgets and mail quotas: paid before, settled in the commit.
#[async_trait]
pub trait ThrottleStore: fmt::Debug + Send + Sync {
    /// Pays for one try, in one atomic statement, exactly as [`Bucket::charged`](crate::throttle::Bucket::charged);
    /// refuses without writing while the bucket or one of the networks is closed (THR-2).
    ///
    /// No parallel burst may get one try more than the budget: an implementation that reads, decides and writes in
    /// three steps gives an attacker a guess per connection. A network is closed by
    /// [`Bucket::waits_until`](crate::throttle::Bucket::waits_until) and nothing else in its row. `Refused::until`
    /// is the latest moment of all that refuse, each at most the ladder's longest wait after `charge.now`.
    ///
    /// A charge must be seen by every other one at once, but need not outlive a crash of the database by itself: no
    /// outcome is told before the commit that settles it, and that commit makes the charge last with it.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`]; the caller then refuses the try (THR-8).
    async fn charge(&self, charge: &Charge) -> Result<Charged, StoreError>;

    /// Counts one mail on all lines, or on none, in one transaction; the judging is
    /// [`QuotaLimits::spend`](crate::mail::quota::QuotaLimits::spend).
    ///
    /// `Granted::last_until` is the latest of the lines' moments; `Refused::until` the latest of those refusing. No
    /// key stands in `lines` twice.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn spend(&self, lines: &[QuotaLine], now: Timestamp) -> Result<Spent, StoreError>;
}

/// The queue of mails, as its dispatcher sees it.
#[async_trait]
pub trait OutboxStore: fmt::Debug + Send + Sync {
    /// Takes up to `claim.most` mails that are due (`Ready` with `next_at <= now`, or `Leased` with
    /// `lease_until <= now`), the most urgent first, then by `next_at`; each gets a lease until `now + lease` and a
    /// `lease_no` one higher. Answers them in that order, as they stand afterwards.
    ///
    /// A mail past its `expires_at` is claimed like any other: its dispatcher ends it, so that the operator sees it.
    /// Two dispatchers must never hold one mail under the same `lease_no`.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn claim(&self, claim: Claim) -> Result<Vec<OutboxRow>, StoreError>;

    /// Writes what became of a claimed mail, if it is still leased under `lease_no`; tells whether it was.
    ///
    /// A lease that is over but that nobody else has claimed still settles: better late than sent twice. `event` is
    /// written in the same transaction, and only where it settles: an end that the audit does not know cannot be.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn settle(
        &self,
        id: MailId,
        lease_no: i64,
        outcome: &MailOutcome,
        event: Option<&AuditRow>,
    ) -> Result<bool, StoreError>;

    /// When the next mail can be claimed (`next_at`, or the end of its lease), `None` when none waits.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Lists up to `most` mails, the newest first by `created_at` and then by id, those older than `after` where it
    /// is given; only those of `status`, and only those to `to`, where these are given.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn mails(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Result<Vec<OutboxRow>, StoreError>;

    /// How the queue stands at `now`; due is what a claim would take, aged by `next_at`.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError>;
}

/// Up to which moment each kind of row is over. Rows strictly before it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores take it apart; a new part must break them"
)]
pub struct PurgePlan {
    /// Drafts, challenges and registrations whose end lies before this.
    pub ended_before: Timestamp,
    /// Sessions whose end lies before this.
    pub sessions_before: Timestamp,
    /// Links that ended, or expired, before this.
    pub links_before: Timestamp,
    /// Links that expired before this keep their row without its `seed`, as a new version (TOK-2).
    pub seeds_before: Timestamp,
    /// Sent mails that were made before this. Dead ones stay for the operator until they were made before
    /// `links_before`; mails that wait stay whatever their age.
    pub mails_before: Timestamp,
    /// Buckets whose `changed` lies before this, and quota lines that last granted a mail before this (THR-8: longer
    /// than any wait and any quiet time).
    pub buckets_before: Timestamp,
    /// Failures at which a ladder's bucket is closed for good: such a row stays whatever its age, since only a reset,
    /// an administrator or a familiar device opens it (THR-3). A network's row ([`Settle::CountNetwork`]), which has no
    /// hashes, goes by its age alone.
    ///
    /// [`Settle::CountNetwork`]: crate::throttle::Settle::CountNetwork
    pub bucket_cap: u32,
    /// Devices that were not used since this.
    pub devices_before: Timestamp,
    /// At most so many rows of each kind in one call.
    pub batch: u32,
}

/// How a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct StoreHealth {
    /// The database's own clock, where it has one.
    pub clock: Option<Timestamp>,
    /// Whether the schema is the one this release was made for, or one newer.
    pub schema_current: bool,
}

/// What the background does.
#[async_trait]
pub trait Housekeeping: fmt::Debug + Send + Sync {
    /// Removes what is over, at most `plan.batch` rows of each kind; returns how many went or lost their seed. Call again
    /// while it returns as many as a batch.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn purge(&self, plan: &PurgePlan) -> Result<u64, StoreError>;

    /// Lists up to `most` audit rows that no seal covers yet, the oldest first by `at`, then by id.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn unsealed(&self, most: u32) -> Result<Vec<AuditRow>, StoreError>;

    /// Finds the newest seal.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn last_seal(&self) -> Result<Option<SealRow>, StoreError>;

    /// Inserts a seal and puts `events` under it, in their order, in one transaction.
    ///
    /// A store that lets two seals have one number, or one row lie under two seals, breaks the chain for good.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the number is taken, or one of the rows is gone or sealed already, and nothing
    /// was written; else as [`AccountStore::by_email`].
    async fn seal(&self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError>;

    /// Lists up to `most` seals behind number `after`, by number.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn seals(&self, after: i64, most: u32) -> Result<Vec<SealRow>, StoreError>;

    /// Lists the rows under a seal, in the order in which they were sealed.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn sealed_events(&self, no: i64) -> Result<Vec<AuditRow>, StoreError>;

    /// Of the first `most` seals by number, finds the last that is a batch made before `at`, where all before it were
    /// too.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn last_seal_before(&self, at: Timestamp, most: u32) -> Result<Option<SealRow>, StoreError>;

    /// Removes the rows under all seals up to the checkpoint's number and the seals before it, and puts the
    /// checkpoint in the place of its seal, in one transaction; tells how many rows of the audit went.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where there is no batch of that number (any more) and nothing was written; else as
    /// [`AccountStore::by_email`].
    async fn put_checkpoint(&self, checkpoint: &SealRow) -> Result<u64, StoreError>;

    /// Asks the database how it is; fails where it cannot be reached or written.
    ///
    /// # Errors
    /// As [`AccountStore::by_email`].
    async fn health(&self) -> Result<StoreHealth, StoreError>;
}

/// All ports together: what `PortalAuth::build` takes. Implemented by itself.
pub trait Store:
    AccountStore + DraftStore + SessionStore + ThrottleStore + OutboxStore + Housekeeping + 'static
{
}

impl<T> Store for T where
    T: ?Sized
        + AccountStore
        + DraftStore
        + SessionStore
        + ThrottleStore
        + OutboxStore
        + Housekeeping
        + 'static
{
}

#[async_trait]
impl<T: ?Sized + AccountStore> AccountStore for Arc<T> {
    async fn by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceKey>,
    ) -> Result<SignInView, StoreError> {
        (**self).by_email(email, device).await
    }
    async fn by_registrant(&self, email: &EmailAddress) -> Result<RegistrantView, StoreError> {
        (**self).by_registrant(email).await
    }
    async fn by_id(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        (**self).by_id(id).await
    }
    async fn by_registration(&self, id: RegistrationId) -> Result<Option<RegistrationView>, StoreError> {
        (**self).by_registration(id).await
    }
    async fn by_link(&self, key: LinkKey) -> Result<Option<LinkView>, StoreError> {
        (**self).by_link(key).await
    }
    async fn by_challenge(
        &self,
        key: ChallengeKey,
    ) -> Result<Option<(ChallengeRow, AccountRow)>, StoreError> {
        (**self).by_challenge(key).await
    }
    async fn activity(&self, id: AccountId, kinds: &[&str], most: u32) -> Result<Vec<AuditRow>, StoreError> {
        (**self).activity(id, kinds, most).await
    }
    async fn live_links(&self, account: AccountId) -> Result<Vec<LinkRow>, StoreError> {
        (**self).live_links(account).await
    }
    async fn dossier(&self, account: AccountId) -> Result<Option<Dossier>, StoreError> {
        (**self).dossier(account).await
    }
    async fn accounts(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountRow>, StoreError> {
        (**self).accounts(prefix, after, most).await
    }
    async fn closed_accounts(&self, until: Timestamp, most: u32) -> Result<Vec<AccountRow>, StoreError> {
        (**self).closed_accounts(until, most).await
    }
    async fn commit(&self, work: UnitOfWork) -> Result<(), StoreError> {
        (**self).commit(work).await
    }
    async fn was_committed(&self, id: EventId) -> Result<bool, StoreError> {
        (**self).was_committed(id).await
    }
}

#[async_trait]
impl<T: ?Sized + DraftStore> DraftStore for Arc<T> {
    async fn load(&self, key: DraftKey) -> Result<Option<DraftRow>, StoreError> {
        (**self).load(key).await
    }
    async fn save(&self, draft: &DraftRow) -> Result<(), StoreError> {
        (**self).save(draft).await
    }
}

#[async_trait]
impl<T: ?Sized + SessionStore> SessionStore for Arc<T> {
    async fn session(&self, key: SessionKey) -> Result<Option<SessionView>, StoreError> {
        (**self).session(key).await
    }
    async fn touch_many(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), StoreError> {
        (**self).touch_many(stamps).await
    }
    async fn sessions_of(&self, account: AccountId) -> Result<Vec<SessionRow>, StoreError> {
        (**self).sessions_of(account).await
    }
}

#[async_trait]
impl<T: ?Sized + ThrottleStore> ThrottleStore for Arc<T> {
    async fn charge(&self, charge: &Charge) -> Result<Charged, StoreError> {
        (**self).charge(charge).await
    }
    async fn spend(&self, lines: &[QuotaLine], now: Timestamp) -> Result<Spent, StoreError> {
        (**self).spend(lines, now).await
    }
}

#[async_trait]
impl<T: ?Sized + OutboxStore> OutboxStore for Arc<T> {
    async fn claim(&self, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        (**self).claim(claim).await
    }
    async fn settle(
        &self,
        id: MailId,
        lease_no: i64,
        outcome: &MailOutcome,
        event: Option<&AuditRow>,
    ) -> Result<bool, StoreError> {
        (**self).settle(id, lease_no, outcome, event).await
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        (**self).next_due().await
    }
    async fn mails(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        (**self).mails(status, to, after, most).await
    }
    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        (**self).backlog(now).await
    }
}

#[async_trait]
impl<T: ?Sized + Housekeeping> Housekeeping for Arc<T> {
    async fn purge(&self, plan: &PurgePlan) -> Result<u64, StoreError> {
        (**self).purge(plan).await
    }
    async fn unsealed(&self, most: u32) -> Result<Vec<AuditRow>, StoreError> {
        (**self).unsealed(most).await
    }
    async fn last_seal(&self) -> Result<Option<SealRow>, StoreError> {
        (**self).last_seal().await
    }
    async fn seal(&self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError> {
        (**self).seal(seal, events).await
    }
    async fn seals(&self, after: i64, most: u32) -> Result<Vec<SealRow>, StoreError> {
        (**self).seals(after, most).await
    }
    async fn sealed_events(&self, no: i64) -> Result<Vec<AuditRow>, StoreError> {
        (**self).sealed_events(no).await
    }
    async fn last_seal_before(&self, at: Timestamp, most: u32) -> Result<Option<SealRow>, StoreError> {
        (**self).last_seal_before(at, most).await
    }
    async fn put_checkpoint(&self, checkpoint: &SealRow) -> Result<u64, StoreError> {
        (**self).put_checkpoint(checkpoint).await
    }
    async fn health(&self) -> Result<StoreHealth, StoreError> {
        (**self).health().await
    }
}
