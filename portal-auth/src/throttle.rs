//! Guessing limits (THR-1 to THR-8): the ladder of waits, the charge made before a secret is checked, and the way
//! it is settled afterwards.
//!
//! A try is paid for *before* the secret is compared, in one statement on the one bucket that is judged; the commit
//! of the outcome settles it. So no burst of parallel tries gets one comparison more than the budget, and a caller
//! who hangs up has still paid.

use std::time::Duration;

use crate::environment::Timestamp;
use crate::key::key_type;

key_type! {
    /// Names one bucket: a keyed pseudonym of an address, a familiar device and account, or a network (THR-8).
    BucketKey, 16
}

/// How the waits of a bucket grow.
///
/// The defaults are THR-3: 10 free failures, then 30 s doubling to 1 h, closed at 100 (SP 800-63B), one step back
/// per quiet day; and HASH-2's price of 30 hashes in 10 minutes, which success does not refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ladder {
    /// Failures that cost no wait.
    pub free: u32,
    /// The wait after the last free failure; doubles with each further one.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// Failures at which the bucket closes until a reset, an administrator or a familiar device opens it.
    pub cap: u32,
    /// The quiet time after which the count falls by one.
    pub quiet: Duration,
    /// Hashes that one bucket may cause within [`hash_window`](Self::hash_window), right or wrong.
    pub hashes: u32,
    /// The window of [`hashes`](Self::hashes).
    pub hash_window: Duration,
}

impl Ladder {
    /// The numbers of THR-3 and HASH-2.
    pub const DEFAULT: Self = Self {
        free: 10,
        first_wait: Duration::from_secs(30),
        longest_wait: Duration::from_secs(3600),
        cap: 100,
        quiet: Duration::from_secs(24 * 3600),
        hashes: 30,
        hash_window: Duration::from_secs(600),
    };

    /// The wait that `failures` failures cost: zero while they are free.
    #[must_use]
    pub fn wait(&self, failures: u32) -> Duration {
        let Some(step) = failures.checked_sub(self.free) else {
            return Duration::ZERO;
        };
        // 2^step overflows long after the longest wait is reached.
        let factor = 1_u32.checked_shl(step).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(factor).min(self.longest_wait)
    }
}

impl Default for Ladder {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a bucket holds. An absent row is [`Bucket::EMPTY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct Bucket {
    /// Failures on the ladder; falls by one for each quiet period since [`changed`](Self::changed).
    pub failures: u32,
    /// Tries before this moment are refused.
    pub open_at: Timestamp,
    /// When the count last changed.
    pub changed: Timestamp,
    /// Hashes caused since [`hashes_since`](Self::hashes_since).
    pub hashes: u32,
    /// Start of the current window of hashes.
    pub hashes_since: Timestamp,
}

impl Bucket {
    /// A bucket that nobody has charged.
    pub const EMPTY: Self = Self {
        failures: 0,
        open_at: Timestamp::MIN,
        changed: Timestamp::MIN,
        hashes: 0,
        hashes_since: Timestamp::MIN,
    };

    /// The failures left at `now`, after the quiet time since the last change.
    ///
    /// The store's statement computes the same: whole quiet periods, never below zero. A bucket at its cap does not
    /// fall by itself: it waits for a reset, an administrator or a familiar device (THR-3).
    #[must_use]
    pub fn failures_at(&self, now: Timestamp, ladder: &Ladder) -> u32 {
        if self.failures >= ladder.cap {
            return self.failures;
        }
        let quiet = ladder.quiet.as_micros().max(1);
        let periods = now
            .since(self.changed)
            .as_micros()
            .checked_div(quiet)
            .unwrap_or(0);
        self.failures
            .saturating_sub(u32::try_from(periods).unwrap_or(u32::MAX))
    }

    /// The end of the wait this bucket is in at `now`, where it is in one; the only thing that closes a network.
    ///
    /// No wait is set further ahead than the longest one. One that lies further ahead was set before the clock went
    /// back, and counts as over: else a clock that was wrong for a moment locks its victims out for years (CLK-4).
    #[must_use]
    pub fn waits_until(&self, now: Timestamp, ladder: &Ladder) -> Option<Timestamp> {
        let waits = self.open_at > now && self.open_at <= now.plus(ladder.longest_wait);
        waits.then_some(self.open_at)
    }

    /// When the next try may pass, or `None` when one may pass at `now`.
    ///
    /// The answer is at most the longest wait away, whatever the clock did in between (CLK-4, I-25).
    #[must_use]
    pub fn closed_until(&self, now: Timestamp, ladder: &Ladder) -> Option<Timestamp> {
        let furthest = now.plus(ladder.longest_wait);
        if self.failures_at(now, ladder) >= ladder.cap {
            return Some(furthest);
        }
        if let Some(until) = self.waits_until(now, ladder) {
            return Some(until);
        }
        if self.hashes >= ladder.hashes && !self.hash_window_over(now, ladder) {
            return Some(self.hashes_since.plus(ladder.hash_window).min(furthest));
        }
        None
    }

    /// Whether the window of hashes has ended; one that begins in the future counts as ended too (CLK-4).
    fn hash_window_over(&self, now: Timestamp, ladder: &Ladder) -> bool {
        self.hashes_since.plus(ladder.hash_window) <= now || self.hashes_since > now
    }

    /// Charges one try at `now`: the reference that every store's statement must equal.
    ///
    /// `None` means refused, and the bucket must then stay as it is.
    #[must_use]
    pub fn charged(&self, now: Timestamp, ladder: &Ladder) -> Option<Self> {
        if self.closed_until(now, ladder).is_some() {
            return None;
        }
        let failures = self.failures_at(now, ladder).saturating_add(1);
        let window_over = self.hash_window_over(now, ladder);
        Some(Self {
            failures,
            open_at: now.plus(ladder.wait(failures)),
            changed: now,
            hashes: if window_over {
                1
            } else {
                self.hashes.saturating_add(1)
            },
            hashes_since: if window_over { now } else { self.hashes_since },
        })
    }
}

/// A request to pay for one try.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores take it apart; a new part must break them"
)]
pub struct Charge {
    /// The one bucket that is judged and charged: the familiar device's, or the address's.
    pub bucket: BucketKey,
    /// Networks that must be open for an unfamiliar try; they are read, never written, here.
    pub networks: Vec<BucketKey>,
    /// The moment of the try.
    pub now: Timestamp,
    /// How waits grow.
    pub ladder: Ladder,
}

/// The answer to a [`Charge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "paid or not: there is no third")]
pub enum Charged {
    /// Paid. Keep the receipt: the commit settles it.
    Paid(Receipt),
    /// Not paid, nothing written: a bucket is closed until the given moment.
    Refused {
        /// When the next try may pass.
        until: Timestamp,
    },
}

/// Proof of a paid try; says exactly what was written, so that a success takes back its own charge and nobody
/// else's (THR-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores make it; a new part must break them"
)]
pub struct Receipt {
    /// The bucket that was charged.
    pub bucket: BucketKey,
    /// The failures on it, with this one.
    pub failures: u32,
    /// The wait that this charge set.
    pub open_at: Timestamp,
    /// When it was charged.
    pub charged_at: Timestamp,
}

/// What a commit does to buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new settlement must break every store at compile time"
)]
pub enum Settle {
    /// The try was right: failures fall by one, never below zero; `open_at` falls back to `charged_at` only where it
    /// still equals the receipt's.
    TakeBack(Receipt),
    /// The bucket starts anew (a familiar device that signed in, a reset, an administrator): failures 0, open. Its
    /// count of hashes stays.
    Clear(BucketKey),
    /// A closed bucket comes down to `failures`, open from `open_at`; only where it holds more failures (THR-3).
    Lower {
        /// The bucket.
        bucket: BucketKey,
        /// Its new count.
        failures: u32,
        /// From when it is open.
        open_at: Timestamp,
        /// The moment of the change.
        now: Timestamp,
    },
    /// A failed unfamiliar try counts on its network: `limit` within `window` closes it until the window ends. The one
    /// that closes it writes the unit's [`closings`](crate::unit_of_work::UnitOfWork::closings) of this network.
    ///
    /// In the row, `failures` counts within the window that began at `changed`.
    CountNetwork {
        /// The network's bucket.
        bucket: BucketKey,
        /// The moment of the failure.
        now: Timestamp,
        /// Failures that close the network.
        limit: u32,
        /// The window in which they count.
        window: Duration,
    },
}

impl Bucket {
    /// Counts a failure on a network: the reference for [`Settle::CountNetwork`].
    #[must_use]
    pub fn network_counted(&self, now: Timestamp, limit: u32, window: Duration) -> Self {
        let over = self.failures == 0 || self.changed.plus(window) <= now || self.changed > now;
        let (since, failures) = if over {
            (now, 1)
        } else {
            (self.changed, self.failures.saturating_add(1))
        };
        let open_at = if failures >= limit {
            since.plus(window)
        } else {
            now
        };
        Self {
            failures,
            open_at,
            changed: since,
            ..*self
        }
    }

    /// Whether the failure that was just counted on this network closed it: true once in each window.
    #[must_use]
    pub const fn is_just_closed(&self, limit: u32) -> bool {
        self.failures == limit
    }

    /// Settles one charge: the reference for the other cases of [`Settle`].
    #[must_use]
    pub fn settled(&self, settle: &Settle) -> Self {
        match settle {
            Settle::TakeBack(receipt) => Self {
                failures: self.failures.saturating_sub(1),
                open_at: if self.open_at == receipt.open_at {
                    receipt.charged_at
                } else {
                    self.open_at
                },
                ..*self
            },
            Settle::Clear(_) => Self {
                failures: 0,
                open_at: Timestamp::MIN,
                ..*self
            },
            Settle::Lower {
                failures,
                open_at,
                now,
                ..
            } if self.failures > *failures => Self {
                failures: *failures,
                open_at: *open_at,
                changed: *now,
                ..*self
            },
            Settle::Lower { .. } => *self,
            Settle::CountNetwork {
                now, limit, window, ..
            } => self.network_counted(*now, *limit, *window),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const L: Ladder = Ladder::DEFAULT;
    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn fail(bucket: Bucket, times: u32, mut now: Timestamp) -> (Bucket, Timestamp) {
        let mut bucket = Bucket {
            hashes_since: Timestamp::MIN,
            ..bucket
        };
        for _ in 0..times {
            while bucket.closed_until(now, &L).is_some() {
                now = bucket.closed_until(now, &L).unwrap();
            }
            bucket = bucket.charged(now, &L).unwrap();
        }
        (bucket, now)
    }

    #[test]
    fn ten_failures_are_free_then_waits_double_to_an_hour() {
        // THR-3
        assert_eq!(L.wait(9), Duration::ZERO);
        assert_eq!(L.wait(10), Duration::from_secs(30));
        assert_eq!(L.wait(11), Duration::from_secs(60));
        assert_eq!(L.wait(16), Duration::from_secs(1920));
        assert_eq!(L.wait(17), Duration::from_secs(3600));
        assert_eq!(L.wait(u32::MAX), Duration::from_secs(3600));
    }

    #[test]
    fn a_closed_bucket_opens_exactly_when_its_wait_is_over() {
        let (bucket, now) = fail(Bucket::EMPTY, 10, T0);
        let open = now.plus(Duration::from_secs(30));
        assert_eq!(
            bucket.closed_until(open.minus(Duration::from_micros(1)), &L),
            Some(open)
        );
        assert_eq!(bucket.closed_until(open, &L), None);
    }

    #[test]
    fn the_cap_closes_for_good_but_never_says_more_than_an_hour() {
        // THR-3, I-25
        let bucket = Bucket {
            failures: 100,
            changed: T0,
            open_at: T0,
            ..Bucket::EMPTY
        };
        let later = T0.plus(Duration::from_secs(90 * 86_400));
        assert_eq!(bucket.closed_until(later, &L), Some(later.plus(L.longest_wait)));
        assert!(bucket.charged(later, &L).is_none());
    }

    #[test]
    fn a_backward_clock_cannot_lock_for_years() {
        // CLK-4, I-25
        let micro = Duration::from_micros(1);
        let waits = |open_at| Bucket {
            failures: 20,
            open_at,
            changed: T0,
            ..Bucket::EMPTY
        };
        let furthest = T0.plus(L.longest_wait);
        assert_eq!(waits(furthest).closed_until(T0, &L), Some(furthest));
        for beyond in [furthest.plus(micro), Timestamp::MAX] {
            assert_eq!(waits(beyond).waits_until(T0, &L), None);
            let charged = waits(beyond).charged(T0, &L).unwrap();
            assert_eq!((charged.failures, charged.open_at), (21, furthest));
        }
        let priced = |hashes_since| Bucket {
            hashes: L.hashes,
            hashes_since,
            ..Bucket::EMPTY
        };
        assert_eq!(priced(T0).closed_until(T0, &L), Some(T0.plus(L.hash_window)));
        let charged = priced(T0.plus(micro)).charged(T0, &L).unwrap();
        assert_eq!((charged.hashes, charged.hashes_since), (1, T0));
    }

    #[test]
    fn a_quiet_day_takes_one_failure_off() {
        let bucket = Bucket {
            failures: 3,
            changed: T0,
            ..Bucket::EMPTY
        };
        let day = Duration::from_secs(86_400);
        assert_eq!(
            bucket.failures_at(T0.plus(day).minus(Duration::from_micros(1)), &L),
            3
        );
        assert_eq!(bucket.failures_at(T0.plus(day), &L), 2);
        assert_eq!(bucket.failures_at(T0.plus(day * 9), &L), 0);
    }

    #[test]
    fn thirty_hashes_in_ten_minutes_is_the_price_that_success_does_not_refund() {
        // HASH-2
        let mut bucket = Bucket::EMPTY;
        for _ in 0..30 {
            let paid = bucket.charged(T0, &L).unwrap();
            let receipt = Receipt {
                bucket: BucketKey::from_bytes([0; 16]),
                failures: paid.failures,
                open_at: paid.open_at,
                charged_at: T0,
            };
            bucket = paid.settled(&Settle::TakeBack(receipt));
            assert_eq!(bucket.failures, 0);
        }
        assert_eq!(bucket.closed_until(T0, &L), Some(T0.plus(L.hash_window)));
        assert!(bucket.charged(T0.plus(L.hash_window), &L).is_some());
    }

    #[test]
    fn success_takes_back_its_own_charge_and_leaves_anothers_wait() {
        // THR-7
        let (nine, now) = fail(Bucket::EMPTY, 9, T0);
        let tenth = nine.charged(now, &L).unwrap();
        let mine = Receipt {
            bucket: BucketKey::from_bytes([0; 16]),
            failures: tenth.failures,
            open_at: tenth.open_at,
            charged_at: now,
        };
        assert_eq!(tenth.settled(&Settle::TakeBack(mine)).closed_until(now, &L), None);
        let others = Bucket {
            open_at: now.plus(Duration::from_secs(60)),
            ..tenth
        };
        assert!(
            others
                .settled(&Settle::TakeBack(mine))
                .closed_until(now, &L)
                .is_some()
        );
        assert_eq!(Bucket::EMPTY.settled(&Settle::TakeBack(mine)).failures, 0);
    }

    #[test]
    fn a_network_closes_at_its_figure_and_opens_when_the_window_ends() {
        // THR-3 (c)
        let hour = Duration::from_secs(3600);
        let mut bucket = Bucket::EMPTY;
        for _ in 0..99 {
            bucket = bucket.network_counted(T0, 100, hour);
        }
        assert!(bucket.open_at <= T0);
        bucket = bucket.network_counted(T0.plus(Duration::from_secs(60)), 100, hour);
        assert_eq!(bucket.open_at, T0.plus(hour));
        assert_eq!(bucket.network_counted(T0.plus(hour), 100, hour).failures, 1);
    }
}
