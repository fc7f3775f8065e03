//! Asking the list of breached passwords: a bounded number of questions at a time, each for a bounded time.
//!
//! Asked wherever a password is set, beside every other rule, and nowhere else: a sign-in never waits for it, so it
//! tells nobody whether there is an account.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::Fault;
use crate::password::Password;
use crate::password::breached::{BreachCheck, Fingerprint, WhenUnavailable};
use crate::password::policy::{BrokenRule, PasswordOwner};
use crate::portal::Inner;

/// How many passwords are checked at the same time; each has a thread that watches the time.
pub(crate) const MOST_ASKED: usize = 64;

impl Inner {
    /// Every rule that a new password breaks, the breach check's among them.
    pub(crate) fn broken_rules(
        &self,
        password: &Password,
        owner: &PasswordOwner<'_>,
        breach: Option<BrokenRule>,
    ) -> Vec<BrokenRule> {
        let judged = self.config.passwords.policy.check(password, owner);
        let mut broken = judged.err().unwrap_or_default();
        broken.extend(breach);
        broken.sort_unstable();
        broken
    }

    /// What the list of breached passwords says against a new one; nothing where none is set, or nothing was typed.
    pub(crate) async fn breach(&self, password: &Password) -> Option<BrokenRule> {
        let check = self.config.passwords.breached.as_ref()?;
        if password.is_empty() {
            return None;
        }
        match self.ask(check, password).await {
            Ok(known) => known.then_some(BrokenRule::Breached),
            Err(fault) => {
                self.counters.breach_checks_missed.fetch_add(1, Ordering::Relaxed);
                let accepted = check.unavailable == WhenUnavailable::Accept;
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    accepted,
                    "a new password could not be held against the list of breached ones"
                );
                (!accepted).then_some(BrokenRule::Unchecked)
            }
        }
    }

    async fn ask(&self, check: &BreachCheck, password: &Password) -> Result<bool, Fault> {
        let _seat = self.breach_seats.try_acquire().map_err(|_| {
            Fault::transient("too many passwords are being held against the list of breached ones")
        })?;
        let print = Fingerprint::of(password);
        let range = within(check.patience, check.source.range(print.prefix())).await??;
        print.is_in(&range).map_err(|broken| {
            Fault::permanent("the list of breached passwords gave no range").because(broken)
        })
    }
}

/// The outcome of `work`, unless that takes longer than `limit`. Needs no runtime: a thread keeps the time.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Fault> {
    let (ring, mut over) = oneshot::channel();
    let (waits, done) = mpsc::channel::<()>();
    thread::Builder::new()
        .name("portal-auth-patience".to_owned())
        .spawn(move || {
            // Ends at once when `waits` is dropped.
            if done.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let _gone = ring.send(());
            }
        })
        .map_err(|e| Fault::transient("no thread to keep the time of a breach check").because(e))?;
    let mut work = pin!(work);
    let outcome = poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => Pin::new(&mut over).poll(context).map(|_| None),
    })
    .await;
    drop(waits);
    outcome.ok_or_else(|| Fault::transient("the list of breached passwords did not answer in time"))
}
