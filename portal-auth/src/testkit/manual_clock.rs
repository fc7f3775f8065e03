//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::environment::{Clock, Timestamp};

/// A clock that a test moves by hand. Its clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    micros: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            micros: Arc::new(AtomicI64::new(start.as_micros())),
        }
    }

    /// Moves it forward by `by` and answers the new time.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn advance(&self, by: Duration) -> Timestamp {
        self.moved(|now| now.plus(by))
    }

    /// Moves it back by `by`, as an operator or a time server may (CLK-2), and answers the new time.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn rewind(&self, by: Duration) -> Timestamp {
        self.moved(|now| now.minus(by))
    }

    /// Sets it to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.micros.store(now.as_micros(), Ordering::SeqCst);
    }

    fn moved(&self, to: impl Fn(Timestamp) -> Timestamp) -> Timestamp {
        let mut now = self.micros.load(Ordering::SeqCst);
        loop {
            let next = to(Timestamp::from_micros(now));
            // Two tasks may move one clock at once; neither's step may be lost.
            match self
                .micros
                .compare_exchange(now, next.as_micros(), Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) => return next,
                Err(moved) => now = moved,
            }
        }
    }
}

impl Default for ManualClock {
    /// A clock that shows [`T0`](super::rows::T0), the moment around which the kit's rows are made.
    fn default() -> Self {
        Self::new(super::rows::T0)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_until_it_is_moved_and_clones_move_together() {
        let clock = ManualClock::default();
        let other = clock.clone();
        let start = clock.now();
        assert_eq!(clock.now(), start);
        assert_eq!(
            clock.advance(Duration::from_secs(60)),
            start.plus(Duration::from_secs(60))
        );
        assert_eq!(other.now(), start.plus(Duration::from_secs(60)));
        assert_eq!(other.rewind(Duration::from_secs(60)), start);
        clock.set(Timestamp::MAX);
        assert_eq!(other.advance(Duration::from_secs(1)), Timestamp::MAX);
    }
}
