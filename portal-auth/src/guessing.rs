//! Find, enter, charge, verify, settle: the one way to a secret's verdict (design of THR-1 to THR-7).
//!
//! Every feature that tests a password goes through here, so none has a budget of its own (THR-6).

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as FlightLock, OwnedMutexGuard};

use crate::account::email::EmailAddress;
use crate::account::snapshot::AccountRow;
use crate::audit::{Actor, Event};
use crate::device::DeviceRow;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::mail::outbox::MailKind;
use crate::mail::quota::{QuotaLimits, QuotaLine, Spent};
use crate::password::Password;
use crate::password::hash::{HashingSlot, Line, Pepper, SecretBytes, StoredHash, Verdict};
use crate::portal::{Bears, Inner};
use crate::throttle::{BucketKey, Charge, Charged, Receipt, Settle};
use crate::unit_of_work::UnitOfWork;
use crate::visitor::Visitor;

/// How many tries of one bucket may stand in line in this process; one more is told `Busy`.
const WAITING_TRIES: usize = 256;

/// Which budget pays for a try.
#[derive(Debug, Clone)]
pub(crate) enum Judge {
    /// The owner's own browser: a stranger's noise does not reach it.
    Familiar(BucketKey),
    /// Everybody else: the address's bucket pays, and the networks must be open.
    Stranger {
        bucket: BucketKey,
        networks: Vec<BucketKey>,
    },
}

impl Judge {
    const fn bucket(&self) -> BucketKey {
        match self {
            Self::Familiar(bucket) | Self::Stranger { bucket, .. } => *bucket,
        }
    }
}

/// A try that is paid for and has a place behind the gate.
#[derive(Debug)]
pub(crate) struct PaidTry {
    judge: Judge,
    receipt: Receipt,
    slot: Box<dyn HashingSlot>,
    _flight: OwnedMutexGuard<()>,
}

impl Inner {
    /// Chooses the budget: the device's own where it is familiar in the account's present epoch.
    pub(crate) fn judge(
        &self,
        visitor: &Visitor,
        address: &EmailAddress,
        account: Option<&AccountRow>,
        device: Option<&DeviceRow>,
    ) -> Judge {
        match (account, device) {
            (Some(account), Some(device))
                if device.account == account.id && device.epoch == account.auth_epoch =>
            {
                Judge::Familiar(self.device_bucket(device.device, account.id))
            }
            _ => Judge::Stranger {
                bucket: self.address_bucket(address),
                networks: self.network_buckets(visitor),
            },
        }
    }

    /// Enters the gate, then charges: whoever finds the house full has paid nothing.
    pub(crate) async fn pay<R>(&self, judge: Judge, line: Line) -> Result<PaidTry, Denied<R>> {
        let flight = self
            .flights
            .board(judge.bucket())
            .await
            .ok_or_else(crate::portal::contended)?;
        let slot = self.hasher.enter(line).await?;
        let networks = match &judge {
            Judge::Familiar(_) => Vec::new(),
            Judge::Stranger { networks, .. } => networks.clone(),
        };
        let now = self.now();
        let charge = Charge {
            bucket: judge.bucket(),
            networks,
            now,
            ladder: self.config.guessing.ladder,
        };
        match self.store.charge(&charge).await? {
            Charged::Paid(receipt) => Ok(PaidTry {
                judge,
                receipt,
                slot,
                _flight: flight,
            }),
            Charged::Refused { until } => {
                self.counters.throttled.fetch_add(1, Ordering::Relaxed);
                Err(Denied::TooManyTries {
                    retry_after: until.since(now),
                })
            }
        }
    }

    /// Whether passwords take a pepper.
    pub(crate) const fn password_pepper(&self) -> Pepper {
        if self.config.passwords.pepper {
            Pepper::Current
        } else {
            Pepper::None
        }
    }

    /// What a right try gives back (THR-7), and what a familiar device's lifts (THR-3).
    pub(crate) fn settle_right(
        &self,
        mut work: UnitOfWork,
        paid: &PaidTry,
        address: &EmailAddress,
        now: Timestamp,
    ) -> UnitOfWork {
        work = match &paid.judge {
            Judge::Familiar(bucket) => {
                let ladder = &self.config.guessing.ladder;
                work.settle(Settle::Clear(*bucket)).settle(Settle::Lower {
                    bucket: self.address_bucket(address),
                    failures: ladder.cap.saturating_sub(1),
                    open_at: now.plus(ladder.longest_wait),
                    now,
                })
            }
            Judge::Stranger { .. } => work.settle(Settle::TakeBack(paid.receipt)),
        };
        work
    }

    /// What a wrong try costs besides its charge: the network's count, and a word to the owner when it closes the
    /// bucket (E13, at most one an hour).
    ///
    /// The same work is done for an address without an account; only the mail is not queued.
    pub(crate) async fn settle_wrong(
        &self,
        mut work: UnitOfWork,
        paid: &PaidTry,
        visitor: &Visitor,
        address: &EmailAddress,
        account: Option<&AccountRow>,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let guessing = &self.config.guessing;
        work = self.count_on_networks(work, paid, now)?;
        if paid.receipt.open_at <= paid.receipt.charged_at {
            return Ok(work);
        }
        let mut closed = Event::new(BUCKET_CLOSED, Actor::System);
        closed.account = account.map(|a| a.id);
        work = work.event(self.audit(self.seen_from(closed, visitor, Some(address)), now)?);
        let once = QuotaLine {
            key: self
                .keyring
                .pseudonym("mail/too-many-tries", address.coarse().as_str().as_bytes()),
            limits: QuotaLimits::Sliding(vec![(1, guessing.network_window)]),
        };
        let own = [self.address_mail(address, Bears::NoLink), once];
        let shared = self.store.spend(&self.shared_mail(visitor), now).await?;
        let spent = self.spend_own(shared, &own, now).await?;
        let granted = matches!(spent, Spent::Granted { .. });
        if let Some(account) = account.filter(|a| granted && a.status.is_active()) {
            let mut mail = self.mail(
                MailKind::TooManyTries,
                &account.email,
                now,
                now.plus(guessing.ladder.longest_wait.saturating_mul(24)),
            )?;
            mail.account = Some(account.id);
            let until = if paid.receipt.failures >= guessing.ladder.cap {
                // No wait opens it any more (THR-3).
                "reset".to_owned()
            } else {
                paid.receipt.open_at.as_micros().to_string()
            };
            mail.facts = serde_json::json!({ "until": until }).to_string();
            work = work.mail(mail);
        }
        Ok(work)
    }
}

impl Inner {
    /// Counts a failed unfamiliar try on its networks (THR-1, THR-3), and tells of each that this closes.
    pub(crate) fn count_on_networks(
        &self,
        mut work: UnitOfWork,
        paid: &PaidTry,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let guessing = &self.config.guessing;
        if let Judge::Stranger { networks, .. } = &paid.judge {
            for bucket in networks {
                let mut closed = Event::new(NETWORK_CLOSED, Actor::System);
                closed.network = Some(*bucket);
                work = work.event_where_closed(*bucket, self.audit_if(closed, now)?);
                work = work.settle(Settle::CountNetwork {
                    bucket: *bucket,
                    now,
                    limit: guessing.network_failures,
                    window: guessing.network_window,
                });
            }
        }
        Ok(work)
    }
}

const BUCKET_CLOSED: Reason = Reason::new("guessing.closed");
const NETWORK_CLOSED: Reason = Reason::new("guessing.network_closed");

impl PaidTry {
    /// Compares the password with the account's hash, or with the dummy where there is none (ENU-2).
    ///
    /// A record that cannot be checked is a wrong password to the person and an error in the log.
    ///
    /// # Errors
    /// A transient [`Fault`] of the hasher, which strikes known and unknown people alike: there is no verdict, and the
    /// charge stays.
    pub(crate) async fn verify(
        &mut self,
        stored: Option<&StoredHash>,
        password: &Password,
        pepper: Pepper,
    ) -> Result<Verdict, Fault> {
        let secret = SecretBytes::from(password);
        let verdict = match stored {
            Some(stored) => self.slot.verify(stored, secret, pepper).await,
            None => self.slot.verify_dummy(secret).await,
        };
        verdict.or_else(|fault| {
            if fault.is_transient() {
                return Err(fault);
            }
            tracing::error!(
                error = &fault as &dyn std::error::Error,
                "a stored password could not be checked"
            );
            Ok(Verdict::Wrong)
        })
    }

    /// Hashes a secret on the same place.
    pub(crate) async fn hash(&mut self, password: &Password, pepper: Pepper) -> Result<StoredHash, Fault> {
        self.hash_bytes(SecretBytes::from(password), pepper).await
    }

    /// As [`hash`](Self::hash), for any secret.
    pub(crate) async fn hash_bytes(
        &mut self,
        secret: SecretBytes,
        pepper: Pepper,
    ) -> Result<StoredHash, Fault> {
        self.slot.hash(secret, pepper).await
    }

    /// The place behind the gate.
    pub(crate) fn slot(&mut self) -> &mut dyn HashingSlot {
        &mut *self.slot
    }

    /// The failures on the judged bucket before this try.
    pub(crate) const fn failures_before(&self) -> u32 {
        self.receipt.failures.saturating_sub(1)
    }

    /// What was paid.
    pub(crate) const fn receipt(&self) -> Receipt {
        self.receipt
    }
}

/// One flight per bucket: tries of one bucket are compared one after the other, so that fifty right passwords at
/// once do not fill the budget of ten (HASH-2).
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<BucketKey, Arc<FlightLock<()>>>>);

impl Flights {
    /// Waits for the bucket's turn; `None` when too many wait already.
    pub(crate) async fn board(&self, bucket: BucketKey) -> Option<OwnedMutexGuard<()>> {
        let lock = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody holds or awaits a lock that only the map refers to.
            if flights.len() > WAITING_TRIES {
                flights.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            let lock = flights.entry(bucket).or_default();
            if Arc::strong_count(lock) > WAITING_TRIES {
                return None;
            }
            Arc::clone(lock)
        };
        Some(lock.lock_owned().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flights_are_forgotten_when_nobody_waits() {
        // THR-8
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let flights = Flights::default();
        for n in 0..2_000_u32 {
            let mut key = [0; 16];
            key[..4].copy_from_slice(&n.to_be_bytes());
            drop(runtime.block_on(flights.board(BucketKey::from_bytes(key))));
        }
        assert!(flights.0.lock().unwrap().len() <= WAITING_TRIES + 1);
    }
}
