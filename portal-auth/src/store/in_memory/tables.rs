//! The maps behind the in-memory store, and how a unit of work is applied to them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::audit::{AuditRow, EventId};
use crate::audit_seal::SealRow;
use crate::challenge::{ChallengeKey, ChallengeRow};
use crate::device::{DeviceKey, DeviceRow};
use crate::environment::Timestamp;
use crate::link::{LinkKey, LinkRow};
use crate::mail::outbox::{MailId, MailStatus, OutboxRow};
use crate::mail::quota::{QuotaLine, Spent};
use crate::registration::draft::{DraftKey, DraftRow};
use crate::registration::{RegistrationId, RegistrationRow};
use crate::session::{SessionKey, SessionRow};
use crate::store::StoreError;
use crate::throttle::{Bucket, BucketKey, Charge, Charged, Receipt, Settle};
use crate::unit_of_work::{Change, Guard, UnitOfWork, Write};

#[derive(Default)]
pub(super) struct Tables {
    pub(super) accounts: BTreeMap<AccountId, AccountRow>,
    /// By the canonical address: what makes it unique (I-02).
    pub(super) claims: BTreeMap<String, AccountId>,
    pub(super) registrations: BTreeMap<RegistrationId, RegistrationRow>,
    pub(super) links: BTreeMap<LinkKey, LinkRow>,
    pub(super) challenges: BTreeMap<ChallengeKey, ChallengeRow>,
    pub(super) sessions: BTreeMap<SessionKey, SessionRow>,
    pub(super) devices: BTreeMap<(AccountId, DeviceKey), DeviceRow>,
    pub(super) drafts: BTreeMap<DraftKey, DraftRow>,
    pub(super) buckets: BTreeMap<BucketKey, Bucket>,
    pub(super) quotas: BTreeMap<BucketKey, QuotaState>,
    pub(super) mails: BTreeMap<MailId, OutboxRow>,
    pub(super) events: Vec<AuditRow>,
    pub(super) event_ids: BTreeSet<EventId>,
    pub(super) seals: BTreeMap<i64, SealRow>,
    /// The seal of an event, and its place under it.
    pub(super) sealed: BTreeMap<EventId, (i64, i64)>,
}

/// A quota line's opaque state, and when it last granted a mail (for purging).
pub(super) struct QuotaState {
    pub(super) numbers: Vec<i64>,
    pub(super) changed: Timestamp,
}

/// Puts one row back as it was before a change; a change touches exactly one.
enum Undo {
    Account(AccountId, Option<AccountRow>),
    Claim(String, Option<AccountId>),
    Registration(RegistrationId, Option<RegistrationRow>),
    Link(LinkKey, Option<LinkRow>),
    Challenge(ChallengeKey, Option<ChallengeRow>),
    Session(SessionKey, Option<SessionRow>),
    Device((AccountId, DeviceKey), Option<DeviceRow>),
    Draft(DraftKey, Option<DraftRow>),
    Mail(MailId, OutboxRow),
}

impl Tables {
    pub(super) fn claimant(&self, email: &EmailAddress) -> Option<&AccountRow> {
        self.accounts.get(self.claims.get(email.as_str())?)
    }

    /// Applies `work` whole or not at all.
    pub(super) fn apply(&mut self, work: &UnitOfWork) -> Result<(), StoreError> {
        // Everything that can fail comes first, so only the changes ever need to be taken back.
        if !work.guards().iter().all(|g| self.holds(g)) || !self.names_are_free(work) {
            return Err(StoreError::Conflict);
        }
        let mut undo = Vec::with_capacity(work.changes().len());
        for change in work.changes() {
            match self.change(change) {
                Some(step) => undo.push(step),
                None => {
                    undo.into_iter().rev().for_each(|step| self.take_back(step));
                    return Err(StoreError::Conflict);
                }
            }
        }
        for sweep in work.sweeps() {
            self.sweep(sweep);
        }
        for mail in work.mails() {
            self.mails.insert(mail.id, mail.clone());
        }
        for event in work.events() {
            self.add_event(event);
        }
        for settle in work.settles() {
            let closed = self.settle_bucket(settle);
            let told = work
                .closings()
                .iter()
                .filter(|(network, _)| closed == Some(*network));
            told.for_each(|(_, event)| self.add_event(event));
        }
        Ok(())
    }

    pub(super) fn add_event(&mut self, event: &AuditRow) {
        self.event_ids.insert(event.id);
        self.events.push(event.clone());
    }

    fn holds(&self, guard: &Guard) -> bool {
        match guard {
            Guard::InEpoch { account, epoch } => self
                .accounts
                .get(account)
                .is_some_and(|a| a.status.is_active() && a.auth_epoch == *epoch),
            Guard::Unclaimed(email) => !self.claims.contains_key(email.as_str()),
        }
    }

    /// Whether no mail or event of `work` has the name of another.
    fn names_are_free(&self, work: &UnitOfWork) -> bool {
        let mut mails = BTreeSet::new();
        let mut events = BTreeSet::new();
        work.mails()
            .iter()
            .all(|m| mails.insert(m.id) && !self.mails.contains_key(&m.id))
            && work
                .events()
                .iter()
                .chain(work.closings().iter().map(|(_, event)| event))
                .all(|e| events.insert(e.id) && !self.event_ids.contains(&e.id))
    }

    /// Applies one change; `None` when it does not hit exactly one row, and then nothing was written.
    fn change(&mut self, change: &Change) -> Option<Undo> {
        match change {
            Change::Account(write) => self.write_account(write),
            Change::Claim { email, account } => match self.claims.entry(email.as_str().to_owned()) {
                Entry::Occupied(_) => None,
                Entry::Vacant(free) => {
                    let email = free.key().clone();
                    free.insert(*account);
                    Some(Undo::Claim(email, None))
                }
            },
            Change::Unclaim { email, account } => {
                if self.claims.get(email.as_str()) != Some(account) {
                    return None;
                }
                let owner = self.claims.remove(email.as_str());
                Some(Undo::Claim(email.as_str().to_owned(), owner))
            }
            Change::Registration(write) => {
                write_row(&mut self.registrations, write).map(|(key, before)| Undo::Registration(key, before))
            }
            Change::Link(write) => {
                write_row(&mut self.links, write).map(|(key, before)| Undo::Link(key, before))
            }
            Change::Challenge(write) => {
                write_row(&mut self.challenges, write).map(|(key, before)| Undo::Challenge(key, before))
            }
            Change::Session(write) => match &**write {
                // A session is made and ended; whatever it proves was proved when it was made.
                Write::Update(_) => None,
                Write::Insert(_) | Write::Delete(_) => {
                    write_row(&mut self.sessions, write).map(|(key, before)| Undo::Session(key, before))
                }
            },
            Change::Device(row) => {
                let key = (row.account, row.device);
                let before = self.devices.insert(key, row.clone());
                Some(Undo::Device(key, before))
            }
            Change::Draft(write) => {
                write_row(&mut self.drafts, write).map(|(key, before)| Undo::Draft(key, before))
            }
            Change::SendAgain {
                mail,
                now,
                expires_at,
            } => self.change_mail(*mail, MailStatus::Dead, |row| {
                row.status = MailStatus::Ready;
                row.attempts = 0;
                row.next_at = *now;
                row.expires_at = *expires_at;
            }),
            Change::DropMail { mail, why } => self.change_mail(*mail, MailStatus::Ready, |row| {
                row.status = MailStatus::Dead;
                row.last_error.clone_from(why);
            }),
        }
    }

    fn change_mail(
        &mut self,
        id: MailId,
        expected: MailStatus,
        change: impl FnOnce(&mut OutboxRow),
    ) -> Option<Undo> {
        let mail = self.mails.get_mut(&id).filter(|m| m.status == expected)?;
        let before = mail.clone();
        change(mail);
        Some(Undo::Mail(id, before))
    }

    fn write_account(&mut self, write: &Write<AccountRow, AccountId>) -> Option<Undo> {
        write_row(&mut self.accounts, write).map(|(key, before)| Undo::Account(key, before))
    }

    fn take_back(&mut self, step: Undo) {
        match step {
            Undo::Account(key, row) => put_back(&mut self.accounts, key, row),
            Undo::Claim(key, row) => put_back(&mut self.claims, key, row),
            Undo::Registration(key, row) => put_back(&mut self.registrations, key, row),
            Undo::Link(key, row) => put_back(&mut self.links, key, row),
            Undo::Challenge(key, row) => put_back(&mut self.challenges, key, row),
            Undo::Session(key, row) => put_back(&mut self.sessions, key, row),
            Undo::Device(key, row) => put_back(&mut self.devices, key, row),
            Undo::Draft(key, row) => put_back(&mut self.drafts, key, row),
            Undo::Mail(key, row) => put_back(&mut self.mails, key, Some(row)),
        }
    }

    /// Pays for one try, or refuses without a write.
    pub(super) fn charge(&mut self, charge: &Charge) -> Charged {
        let (now, ladder) = (charge.now, &charge.ladder);
        let furthest = now.plus(ladder.longest_wait);
        let networks = charge
            .networks
            .iter()
            .filter_map(|key| self.buckets.get(key))
            .filter_map(|network| network.waits_until(now, ladder));
        let bucket = self.buckets.get(&charge.bucket).unwrap_or(&Bucket::EMPTY);
        if let Some(until) = networks.chain(bucket.closed_until(now, ladder)).max() {
            return Charged::Refused { until };
        }
        let Some(paid) = bucket.charged(now, ladder) else {
            return Charged::Refused { until: furthest };
        };
        self.buckets.insert(charge.bucket, paid);
        Charged::Paid(Receipt {
            bucket: charge.bucket,
            failures: paid.failures,
            open_at: paid.open_at,
            charged_at: now,
        })
    }

    /// Answers the network that this closes.
    fn settle_bucket(&mut self, settle: &Settle) -> Option<BucketKey> {
        let key = match settle {
            Settle::TakeBack(receipt) => receipt.bucket,
            Settle::Clear(bucket) | Settle::Lower { bucket, .. } | Settle::CountNetwork { bucket, .. } => {
                *bucket
            }
        };
        let before = self.buckets.get(&key).copied().unwrap_or(Bucket::EMPTY);
        let after = before.settled(settle);
        if after != before {
            self.buckets.insert(key, after);
        }
        matches!(settle, Settle::CountNetwork { limit, .. } if after.is_just_closed(*limit)).then_some(key)
    }

    /// Counts one mail on all lines or on none.
    pub(super) fn spend(&mut self, lines: &[QuotaLine], now: Timestamp) -> Spent {
        let mut granted = Vec::with_capacity(lines.len());
        let mut last_until = None;
        let mut refused = None;
        for line in lines {
            let state = self.quotas.get(&line.key).map_or(&[][..], |q| &q.numbers);
            match line.limits.spend(state, now) {
                Ok((numbers, until)) => {
                    last_until = last_until.max(until);
                    granted.push((
                        line.key,
                        QuotaState {
                            numbers,
                            changed: now,
                        },
                    ));
                }
                Err(until) => refused = refused.max(Some(until)),
            }
        }
        if let Some(until) = refused {
            return Spent::Refused { until };
        }
        self.quotas.extend(granted);
        Spent::Granted { last_until }
    }
}

/// A row with a key and, where it is ever updated, a version.
trait Row<K>: Clone {
    fn key(&self) -> K;
    fn version(&mut self) -> Option<&mut i64>;
}

macro_rules! versioned_row {
    ($($row:ty, $key:ty, $field:ident;)*) => {$(
        impl Row<$key> for $row {
            fn key(&self) -> $key {
                self.$field
            }
            fn version(&mut self) -> Option<&mut i64> {
                Some(&mut self.version)
            }
        }
    )*};
}

versioned_row! {
    AccountRow, AccountId, id;
    RegistrationRow, RegistrationId, id;
    LinkRow, LinkKey, key;
    ChallengeRow, ChallengeKey, key;
    DraftRow, DraftKey, key;
}

impl Row<SessionKey> for SessionRow {
    fn key(&self) -> SessionKey {
        self.key
    }
    fn version(&mut self) -> Option<&mut i64> {
        None
    }
}

/// Writes one row; answers its key and what stood there, or `None` when it hit no row or a taken one.
fn write_row<K: Ord + Copy, T: Row<K>>(
    rows: &mut BTreeMap<K, T>,
    write: &Write<T, K>,
) -> Option<(K, Option<T>)> {
    match write {
        Write::Insert(row) => match rows.entry(row.key()) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                free.insert(row.clone());
                Some((row.key(), None))
            }
        },
        Write::Update(image) => {
            let held = rows.get_mut(&image.key())?;
            let mut next = image.clone();
            let version = next.version()?;
            if held.version() != Some(&mut *version) {
                return None;
            }
            *version = version.checked_add(1)?;
            Some((image.key(), Some(std::mem::replace(held, next))))
        }
        Write::Delete(key) => rows.remove(key).map(|before| (*key, Some(before))),
    }
}

fn put_back<K: Ord, T>(rows: &mut BTreeMap<K, T>, key: K, row: Option<T>) {
    match row {
        Some(row) => rows.insert(key, row),
        None => rows.remove(&key),
    };
}
