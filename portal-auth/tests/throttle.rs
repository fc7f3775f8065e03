//! Guessing budgets over any history of tries and of the clock: nobody waits longer than the longest wait.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

use std::time::Duration;

use portal_auth::environment::Timestamp;
use portal_auth::throttle::{Bucket, BucketKey, Ladder, Receipt, Settle};
use proptest::prelude::*;

const LADDER: Ladder = Ladder::DEFAULT;
const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
const BUCKET: BucketKey = BucketKey::from_bytes([7; 16]);

#[derive(Debug, Clone, Copy)]
enum Step {
    Forward(Duration),
    Back(Duration),
    /// Wait exactly as long as the refusal says.
    WaitAsTold,
    Try,
    TakeBack,
    Clear,
    Lower,
    CountNetwork,
}

fn moved() -> impl Strategy<Value = Duration> {
    // From a microsecond to a century, every order of magnitude alike.
    (0..52_u32, any::<u64>()).prop_map(|(bits, n)| Duration::from_micros(n % (1 << bits)))
}

fn step(clock_goes_back: bool) -> impl Strategy<Value = Step> {
    let back = u32::from(clock_goes_back);
    prop_oneof![
        2 => moved().prop_map(Step::Forward),
        back => moved().prop_map(Step::Back),
        3 => Just(Step::WaitAsTold),
        8 => Just(Step::Try),
        1 => Just(Step::TakeBack),
        1 => Just(Step::Clear),
        1 => Just(Step::Lower),
        1 => Just(Step::CountNetwork),
    ]
}

/// A bucket after a history of tries, and the moment it ended at.
fn lived(steps: &[Step]) -> (Bucket, Timestamp) {
    let (mut bucket, mut now) = (Bucket::EMPTY, T0);
    let mut last: Option<Receipt> = None;
    for step in steps {
        match *step {
            Step::Forward(by) => now = now.plus(by),
            Step::Back(by) => now = now.minus(by),
            Step::WaitAsTold => now = bucket.closed_until(now, &LADDER).unwrap_or(now),
            Step::Try => {
                if let Some(paid) = bucket.charged(now, &LADDER) {
                    bucket = paid;
                    last = Some(Receipt {
                        bucket: BUCKET,
                        failures: paid.failures,
                        open_at: paid.open_at,
                        charged_at: now,
                    });
                }
            }
            Step::TakeBack => {
                if let Some(receipt) = last.take() {
                    bucket = bucket.settled(&Settle::TakeBack(receipt));
                }
            }
            Step::Clear => bucket = bucket.settled(&Settle::Clear(BUCKET)),
            Step::Lower => {
                bucket = bucket.settled(&Settle::Lower {
                    bucket: BUCKET,
                    failures: LADDER.cap - 1,
                    open_at: now.plus(LADDER.longest_wait),
                    now,
                });
            }
            Step::CountNetwork => {
                bucket = bucket.settled(&Settle::CountNetwork {
                    bucket: BUCKET,
                    now,
                    limit: 3,
                    window: LADDER.longest_wait,
                });
            }
        }
    }
    (bucket, now)
}

/// How long somebody waits who comes back whenever they are told to, until they are admitted.
fn waited(bucket: &Bucket, now: Timestamp) -> Duration {
    let mut at = now;
    while let Some(until) = bucket.closed_until(at, &LADDER) {
        assert!(until > at, "a refusal names a moment to come");
        // THR-3, I-25
        assert!(until.since(at) <= LADDER.longest_wait);
        at = until;
    }
    at.since(now)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// I-25, CLK-4
    #[test]
    fn i_25_nobody_waits_longer_than_an_hour(steps in prop::collection::vec(step(false), 0..80)) {
        let (bucket, now) = lived(&steps);
        prop_assume!(bucket.failures < LADDER.cap);
        prop_assert!(waited(&bucket, now) <= LADDER.longest_wait);
    }

    /// I-25, CLK-4: waits that were set before the clock went back count as over. The price of hashing may be in the
    /// future too, and begin to count during the wait (HASH-2).
    #[test]
    fn i_25_nobody_waits_longer_because_the_clock_went_back(steps in prop::collection::vec(step(true), 0..80)) {
        let (bucket, now) = lived(&steps);
        prop_assume!(bucket.failures < LADDER.cap);
        prop_assert!(waited(&bucket, now) <= LADDER.longest_wait + LADDER.hash_window);
        let unpriced = Bucket { hashes: 0, ..bucket };
        prop_assert!(waited(&unpriced, now) <= LADDER.longest_wait);
    }

    /// THR-3: at the cap it never opens by itself, and still no refusal names more than an hour.
    #[test]
    fn a_bucket_at_its_cap_stays_closed(steps in prop::collection::vec(step(true), 0..60), later in moved()) {
        let (bucket, now) = lived(&steps);
        let full = Bucket { failures: LADDER.cap, ..bucket };
        let then = now.plus(later);
        prop_assert_eq!(full.closed_until(then, &LADDER), Some(then.plus(LADDER.longest_wait)));
        prop_assert_eq!(full.charged(then, &LADDER), None);
    }
}
