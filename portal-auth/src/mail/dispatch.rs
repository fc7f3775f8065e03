//! The background of a service: mails leave the outbox, last-seen stamps are written, closed accounts are erased, what
//! is over is removed.
//!
//! A mail is claimed with a lease, sent, and settled under the number of that lease: several processes share one
//! outbox, a slow one never overwrites a faster one, and a mail whose process died is sent by another when the lease
//! is over. SMTP can only be at-least-once; `Message-ID` is the same each time, so that mail programs can drop the
//! repeat.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::environment::Timestamp;
#[cfg(feature = "tokio")]
use crate::environment::draw;
use crate::erasing::EraseTurn;
use crate::error::Fault;
use crate::housekeeping::Turn;
use crate::mail::delivery::{Courier, SendLimit};
use crate::mail::in_flight::InFlight;
use crate::mail::mailer::Mailer;
use crate::mail::outbox::{Claim, OutboxRow};
use crate::mail::retry::Circuit;
#[cfg(feature = "tokio")]
use crate::mail::retry::jittered;
use crate::portal::Inner;

/// Mails under way at once, and in one claim.
const MOST_IN_FLIGHT: u32 = 8;
/// How long a claim holds: longer than a mailer may take.
const LEASE: Duration = Duration::from_secs(60);
/// How often an idle dispatcher looks for mails of other processes.
pub(super) const IDLE: Duration = Duration::from_secs(1);
/// By how much, at most, it looks sooner.
#[cfg(feature = "tokio")]
const IDLE_SPREAD: Duration = Duration::from_millis(250);

/// Does what happens behind the requests: mail, last-seen stamps, removal of what is over.
///
/// Run it with `run` (feature `tokio`) in every process, or call [`work_once`](Self::work_once) again and again:
/// without it no mail is ever sent. Any number of processes may do so on one database.
#[must_use = "without its background the service sends no mail"]
pub struct Background {
    pub(super) inner: Arc<Inner>,
    mailer: Arc<dyn Mailer>,
    circuit: Mutex<Circuit>,
    purge_turn: Mutex<Turn>,
    seal_turn: Mutex<Turn>,
    erase_turn: Mutex<EraseTurn>,
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background")
            .field("mailer", &self.mailer)
            .finish_non_exhaustive()
    }
}

impl Background {
    pub(crate) fn new(inner: Arc<Inner>, mailer: Arc<dyn Mailer>) -> Self {
        Self {
            inner,
            mailer,
            circuit: Mutex::default(),
            purge_turn: Mutex::default(),
            seal_turn: Mutex::default(),
            erase_turn: Mutex::default(),
        }
    }

    /// Does once what is due: sends up to eight mails, writes the stamps whose time has come, erases closed accounts
    /// whose grace is over, removes a batch of what is over. Tells when to call again, at most a second later.
    ///
    /// It needs no runtime, so nothing here stops a [`Mailer`] that breaks its promise to return within 30 s.
    ///
    /// # Errors
    /// The first [`Fault`] of the store; the other parts of the work were done all the same. Call again a moment
    /// later.
    ///
    /// # Cancel safety
    /// Mails that were being sent may be sent again when their lease of 60 s is over; nothing is lost.
    pub async fn work_once(&self) -> Result<Timestamp, Fault> {
        let mails = self.send_some().await;
        let kept = self.keep_house().await;
        Ok(mails?.min(kept?))
    }

    /// Writes all last-seen stamps: the last call before a process ends. `run` makes it by itself.
    ///
    /// # Errors
    /// The [`Fault`] of the store; sessions may then end up to a minute early.
    pub async fn finish(&self) -> Result<(), Fault> {
        self.inner.write_all_stamps().await
    }

    async fn send_some(&self) -> Result<Timestamp, Fault> {
        let most = self.places(0);
        let mails = self.claim(most).await?;
        let full = most > 0 && mails.len() >= to_index(most);
        let courier = self.courier(SendLimit::Mailer);
        let mut sends = InFlight::default();
        for mail in mails {
            sends.add(courier.deliver(mail));
        }
        sends.finish().await;
        let now = self.inner.now();
        if full {
            return Ok(now);
        }
        let next = self.inner.store.next_due().await?.unwrap_or(Timestamp::MAX);
        let rests = self.circuit().rests(now).unwrap_or(Timestamp::MIN);
        Ok(next.max(rests).max(now).min(now.plus(IDLE)))
    }

    /// Writes stamps and removes what is over; tells when to do so again.
    pub(super) async fn keep_house(&self) -> Result<Timestamp, Fault> {
        let stamps = self.inner.write_due_stamps().await;
        let erase = self.erase_in_turn().await;
        let purge = self.purge_in_turn().await;
        let seal = self.seal_in_turn().await;
        let stamps = stamps?.unwrap_or(Timestamp::MAX);
        Ok(stamps.min(erase?).min(purge?).min(seal?))
    }

    /// Removes everything that is over, batch after batch, and tells how many rows that were; for an operator's
    /// command.
    ///
    /// # Errors
    /// The [`Fault`] of the store; what was removed before stays removed.
    pub async fn purge_all(&self) -> Result<u64, Fault> {
        let mut removed = 0_u64;
        loop {
            match self.inner.erase_closed().await?.0 {
                0 => break,
                gone => removed = removed.saturating_add(gone),
            }
        }
        loop {
            match self.inner.purge().await? {
                0 => return Ok(removed),
                gone => removed = removed.saturating_add(gone),
            }
        }
    }

    /// Erases closed accounts whose grace is over (CHG-5).
    async fn erase_in_turn(&self) -> Result<Timestamp, Fault> {
        let now = self.inner.now();
        let due = lock(&self.erase_turn).due(now);
        if due > now {
            return Ok(due);
        }
        let next = self.inner.erase_closed().await.map(|(_, next)| next);
        let mut turn = lock(&self.erase_turn);
        turn.made(now, next.as_ref().ok().copied().flatten());
        next.map(|_| turn.due(now))
    }

    async fn purge_in_turn(&self) -> Result<Timestamp, Fault> {
        let now = self.inner.now();
        let due = lock(&self.purge_turn).due(now);
        if due > now {
            return Ok(due);
        }
        let gone = self.inner.purge().await?;
        let mut turn = lock(&self.purge_turn);
        turn.purged(now, gone);
        Ok(turn.due(now))
    }

    async fn seal_in_turn(&self) -> Result<Timestamp, Fault> {
        let now = self.inner.now();
        let due = lock(&self.seal_turn).due(now);
        if due > now {
            return Ok(due);
        }
        let more = self.inner.seal_audit().await?;
        let mut turn = lock(&self.seal_turn);
        turn.sealed(now, more);
        Ok(turn.due(now))
    }

    /// How many mails may be claimed while `sending` are under way.
    pub(super) fn places(&self, sending: u32) -> u32 {
        let circuit = self.circuit();
        if circuit.rests(self.inner.now()).is_some() {
            return 0;
        }
        // One mail finds out whether the relay is back; the others need not fail with it.
        let most = if circuit.is_on_trial() { 1 } else { MOST_IN_FLIGHT };
        most.saturating_sub(sending)
    }

    pub(super) async fn claim(&self, most: u32) -> Result<Vec<OutboxRow>, Fault> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let claim = Claim {
            now: self.inner.now(),
            lease: LEASE,
            most,
        };
        Ok(self.inner.store.claim(claim).await?)
    }

    pub(super) fn courier(&self, limit: SendLimit) -> Courier<'_> {
        Courier {
            inner: &self.inner,
            mailer: &*self.mailer,
            circuit: &self.circuit,
            limit,
        }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        lock(&self.circuit)
    }

    /// The pause of an idle dispatcher: processes that were started together do not ask together.
    #[cfg(feature = "tokio")]
    pub(super) fn idle(&self) -> Duration {
        let random = draw(&*self.inner.entropy).map_or(u64::MAX, u64::from_ne_bytes);
        IDLE.saturating_sub(jittered(IDLE_SPREAD, random))
    }
}

/// Whatever a panicking thread left under these locks is still a state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn to_index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
