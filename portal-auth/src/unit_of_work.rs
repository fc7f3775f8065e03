//! The one write: everything that a decision changes, as a value that a store applies whole or not at all.
//!
//! A feature decides, puts the result in here and hands it to [`commit`](crate::store::AccountStore::commit). Its
//! first argument is the audit event, so a write that nobody can audit cannot be expressed.

use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::AuthEpoch;
use crate::audit::{AuditRow, EventId};
use crate::challenge::{ChallengeKey, ChallengeRow};
use crate::device::DeviceRow;
use crate::environment::Timestamp;
use crate::link::{LinkKey, LinkPurpose, LinkRow, LinkState, LinkSubject};
use crate::mail::outbox::{MailId, OutboxRow};
use crate::registration::draft::{DraftKey, DraftRow};
use crate::registration::{RegistrationId, RegistrationRow, RegistrationState};
use crate::session::{SessionKey, SessionRow};
use crate::throttle::{BucketKey, Settle};

/// A write of one row image. Each must hit exactly one row, else the whole commit is a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new way to write must break every store at compile time"
)]
pub enum Write<T, K> {
    /// A row that is not there yet; an existing key is a conflict. Its version is 1.
    Insert(T),
    /// Replaces the row of the same key while the store still holds the image's `version`; the stored version
    /// becomes one more.
    Update(T),
    /// Removes the row with this key.
    Delete(K),
}

/// One change of one row.
///
/// Rows are not tied to each other: deleting one removes no other, and a row may name one that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new change must break every store at compile time"
)]
pub enum Change {
    /// An account. Its address is claimed apart, by [`Change::Claim`].
    Account(Box<Write<AccountRow, AccountId>>),
    /// Makes `email` belong to `account`; an address that is taken is a conflict (I-02), even if by `account`.
    Claim {
        /// The canonical address.
        email: EmailAddress,
        /// The account that has it from now on.
        account: AccountId,
    },
    /// Gives up `email`, which must belong to `account`.
    Unclaim {
        /// The canonical address.
        email: EmailAddress,
        /// The account that had it.
        account: AccountId,
    },
    /// A registration.
    Registration(Box<Write<RegistrationRow, RegistrationId>>),
    /// A mailed link.
    Link(Box<Write<LinkRow, LinkKey>>),
    /// A half-done sign-in or confirmation.
    Challenge(Box<Write<ChallengeRow, ChallengeKey>>),
    /// A session; sessions are never updated, so [`Write::Update`] is a conflict.
    Session(Box<Write<SessionRow, SessionKey>>),
    /// A familiar device: inserted, or replaced where device and account are known.
    Device(DeviceRow),
    /// A registration's draft.
    Draft(Box<Write<DraftRow, DraftKey>>),
    /// Queues a dead mail again: it is ready, due at `now`, without attempts, and good until `expires_at`.
    SendAgain {
        /// Which mail; one that is not dead is a conflict.
        mail: MailId,
        /// When it is due.
        now: Timestamp,
        /// From when on it must not be sent any more.
        expires_at: Timestamp,
    },
    /// Ends a mail that is ready, so that it is never sent.
    DropMail {
        /// Which mail; one that is not ready is a conflict.
        mail: MailId,
        /// Why, in a few words without addresses.
        why: String,
    },
}

/// A condition on rows that the commit does not write, as they stood before it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new guard must break every store at compile time"
)]
pub enum Guard {
    /// The account is active and still in this epoch. It takes no lock: what is written under it carries the epoch
    /// and is dead on arrival if that has moved.
    InEpoch {
        /// The account.
        account: AccountId,
        /// The epoch the decision was made in.
        epoch: AuthEpoch,
    },
    /// Nobody has claimed this address.
    Unclaimed(EmailAddress),
}

/// A removal or change of any number of rows, named by what it means. Hitting none is fine.
///
/// A row that a sweep changes gets a version one higher, so that whoever read it before cannot use it after.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new sweep must break every store at compile time"
)]
pub enum Sweep {
    /// Ends live links of `subject`: their random part is wiped and their state becomes `state`.
    VoidLinks {
        /// Whose links.
        subject: LinkSubject,
        /// Only links of this purpose, where given.
        purpose: Option<LinkPurpose>,
        /// What they become.
        state: LinkState,
        /// When.
        now: Timestamp,
    },
    /// Ends registrations of an address that wait, and their live links with them (links become `Void`).
    VoidRegistrations {
        /// The address.
        email: EmailAddress,
        /// All but this one.
        except: Option<RegistrationId>,
        /// What they become; their data is wiped.
        state: RegistrationState,
        /// When.
        now: Timestamp,
    },
    /// Ends one session if it is there.
    EndSession(SessionKey),
    /// Ends all sessions of an account.
    EndSessions {
        /// Whose.
        account: AccountId,
        /// All but this one.
        except: Option<SessionKey>,
    },
    /// Keeps the newest sessions of an account, by `created_at`, and ends the others (SES-8).
    KeepNewestSessions {
        /// Whose.
        account: AccountId,
        /// How many.
        keep: u32,
    },
    /// Ends one challenge if it is there.
    EndChallenge(ChallengeKey),
    /// Ends all challenges of an account.
    EndChallenges(AccountId),
    /// Keeps the newest challenges of an account, by `created_at` (OTP-7).
    KeepNewestChallenges {
        /// Whose.
        account: AccountId,
        /// How many.
        keep: u32,
    },
    /// Keeps the devices of an account that were used last, by `last_used` (THR-1).
    KeepNewestDevices {
        /// Whose.
        account: AccountId,
        /// How many.
        keep: u32,
    },
    /// Removes what is kept about an account beside its row and its claim: sessions, challenges, devices, links, mails,
    /// and the registrations of its address. Audit events stay: they name nobody.
    Erase {
        /// Whose.
        account: AccountId,
        /// Its address.
        email: EmailAddress,
    },
}

/// Everything that one decision changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing is written until it is committed"]
pub struct UnitOfWork {
    guards: Vec<Guard>,
    changes: Vec<Change>,
    sweeps: Vec<Sweep>,
    settles: Vec<Settle>,
    mails: Vec<OutboxRow>,
    events: Vec<AuditRow>,
    closings: Vec<(BucketKey, AuditRow)>,
    id: EventId,
}

impl UnitOfWork {
    /// A unit of work that so far writes only its audit event.
    pub fn new(event: AuditRow) -> Self {
        Self {
            id: event.id,
            guards: Vec::new(),
            changes: Vec::new(),
            sweeps: Vec::new(),
            settles: Vec::new(),
            mails: Vec::new(),
            events: vec![event],
            closings: Vec::new(),
        }
    }

    /// Applies only where `guard` holds.
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }

    /// Writes one row more; changes are applied in the order in which they were added, after the guards.
    pub fn change(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// Sweeps after all changes.
    pub fn sweep(mut self, sweep: Sweep) -> Self {
        self.sweeps.push(sweep);
        self
    }

    /// Settles a charge.
    pub fn settle(mut self, settle: Settle) -> Self {
        self.settles.push(settle);
        self
    }

    /// Queues a mail.
    pub fn mail(mut self, mail: OutboxRow) -> Self {
        self.mails.push(mail);
        self
    }

    /// Writes another audit event.
    pub fn event(mut self, event: AuditRow) -> Self {
        self.events.push(event);
        self
    }

    /// Writes `event` only where a [`Settle::CountNetwork`] of this unit closes `network` (LOG-5).
    pub fn event_where_closed(mut self, network: BucketKey, event: AuditRow) -> Self {
        self.closings.push((network, event));
        self
    }

    /// Names this commit: the id of its first audit event.
    #[must_use]
    pub const fn id(&self) -> EventId {
        self.id
    }

    /// The conditions, checked before anything is written.
    #[must_use]
    pub fn guards(&self) -> &[Guard] {
        &self.guards
    }

    /// The changes, in the order in which they must be applied.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The sweeps, applied after the changes.
    #[must_use]
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeps
    }

    /// What happens to guessing budgets.
    #[must_use]
    pub fn settles(&self) -> &[Settle] {
        &self.settles
    }

    /// The mails to queue.
    #[must_use]
    pub fn mails(&self) -> &[OutboxRow] {
        &self.mails
    }

    /// Networks, and what is written where a settlement of this unit closes them ([`Bucket::is_just_closed`]).
    ///
    /// [`Bucket::is_just_closed`]: crate::throttle::Bucket::is_just_closed
    #[must_use]
    pub fn closings(&self) -> &[(BucketKey, AuditRow)] {
        &self.closings
    }

    /// The audit events; never empty.
    #[must_use]
    pub fn events(&self) -> &[AuditRow] {
        &self.events
    }
}
