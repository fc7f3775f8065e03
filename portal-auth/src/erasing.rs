//! The end of an account: what its closing is called in links, when its grace is over, and the one write that removes it.
//!
//! Erasing is guarded by the version of the account that was read, so a restoring at the last moment wins or loses as a
//! whole (CHG-5). The address is free afterwards, and whoever registers it inherits nothing.

use std::time::Duration;

use crate::account::snapshot::AccountRow;
use crate::account::status::Status;
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Fault, Reason};
use crate::link::ChangeId;
use crate::portal::{Commit, Inner};
use crate::unit_of_work::{Change, Sweep, UnitOfWork, Write};

/// How many accounts are erased in one turn of the background; each in a commit of its own.
const ERASE_BATCH: u32 = 50;
/// How often the background looks for closed accounts at least.
const LOOK_EVERY: Duration = Duration::from_secs(60);

const ERASED: Reason = Reason::new("account.erased");

/// Names the present closing of a closed account: another closing of it has another epoch and another moment.
pub(crate) fn closing_of(account: &AccountRow) -> Option<ChangeId> {
    let closed_at = account.closed_at.filter(|_| account.status == Status::Closed)?;
    let mut name = [0; 16];
    let (when, epoch) = name.split_at_mut(8);
    when.copy_from_slice(&closed_at.as_micros().to_be_bytes());
    epoch.copy_from_slice(account.auth_epoch.as_bytes());
    Some(ChangeId::from_bytes(name))
}

/// When the background looks for closed accounts next.
#[derive(Debug, Default)]
pub(crate) struct EraseTurn {
    /// When it looked last, and when it looks again.
    last: Option<(Timestamp, Timestamp)>,
}

impl EraseTurn {
    /// When a look is due: at once if there was none yet, or if the clock was set back behind the last one.
    pub(crate) fn due(&self, now: Timestamp) -> Timestamp {
        match self.last {
            Some((last, next)) if last <= now => next,
            Some(_) | None => now,
        }
    }

    /// It looked at `now`, and `oldest` is the end of the grace of the account that was closed longest ago.
    ///
    /// Accounts closed from now on have their whole grace before them, so the next end is known exactly.
    pub(crate) fn made(&mut self, now: Timestamp, oldest: Option<Timestamp>) {
        let next = now.plus(LOOK_EVERY);
        let next = oldest.filter(|end| *end > now).map_or(next, |end| end.min(next));
        self.last = Some((now, next));
    }
}

impl Inner {
    /// From when on a closed account may be erased and no longer restored.
    pub(crate) fn grace_ends(&self, closed_at: Timestamp) -> Timestamp {
        closed_at.plus(self.config.closing.grace)
    }

    /// Erases a batch of accounts whose grace is over; tells how many, and when the next grace ends.
    pub(crate) async fn erase_closed(&self) -> Result<(u64, Option<Timestamp>), Fault> {
        let now = self.now();
        let over = self
            .store
            .closed_accounts(now.minus(self.config.closing.grace), ERASE_BATCH)
            .await?;
        let (mut erased, mut failed) = (0_u64, None);
        for account in over {
            let event = Event::new(ERASED, Actor::System).about(account.id);
            let work = self.erasure(UnitOfWork::new(self.audit(event, now)?), &account);
            match self.commit(work).await {
                Ok(Commit::Done) => erased = erased.saturating_add(1),
                // It was restored, or another process was quicker.
                Ok(Commit::Conflict) => {}
                Err(fault) => failed = Some(fault),
            }
        }
        if let Some(fault) = failed {
            return Err(fault);
        }
        let next = self.store.closed_accounts(Timestamp::MAX, 1).await?;
        let next = next.first().and_then(|account| account.closed_at);
        Ok((erased, next.map(|closed_at| self.grace_ends(closed_at))))
    }

    /// Removes an account, its claim of the address and everything that is kept about it.
    ///
    /// A conflict where the account has changed since it was read. The audit stays: it names nobody.
    pub(crate) fn erasure(&self, work: UnitOfWork, account: &AccountRow) -> UnitOfWork {
        // A deletion knows no version; the update before it does.
        work.change(Change::Account(Box::new(Write::Update(account.clone()))))
            .change(Change::Unclaim {
                email: account.email.clone(),
                account: account.id,
            })
            .change(Change::Account(Box::new(Write::Delete(account.id))))
            .sweep(Sweep::Erase {
                account: account.id,
                email: account.email.clone(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    #[test]
    fn the_background_looks_exactly_when_the_next_grace_ends_and_every_minute() {
        let mut turn = EraseTurn::default();
        assert_eq!(turn.due(T0), T0);
        turn.made(T0, None);
        assert_eq!(turn.due(T0), T0.plus(LOOK_EVERY));
        let soon = T0.plus(Duration::from_micros(1));
        turn.made(T0, Some(soon));
        assert_eq!(turn.due(T0), soon);
        turn.made(T0, Some(T0.plus(LOOK_EVERY * 2)));
        assert_eq!(turn.due(T0), T0.plus(LOOK_EVERY));
        // What should be gone by now could not be erased: it is tried again a minute later.
        turn.made(T0, Some(T0));
        assert_eq!(turn.due(T0), T0.plus(LOOK_EVERY));
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_erasing() {
        // CLK-4
        let mut turn = EraseTurn::default();
        turn.made(T0, None);
        let earlier = T0.minus(LOOK_EVERY * 9);
        assert_eq!(turn.due(earlier), earlier);
    }
}
