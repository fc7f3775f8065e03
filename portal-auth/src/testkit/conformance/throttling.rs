//! Charging: paid before the secret is compared, never one try more than the budget (THR-2).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{charge, charge_until_closed, charge_with, closed_until, race, write};
use crate::environment::Timestamp;
use crate::store::Store;
use crate::testkit::ScriptedEntropy;
use crate::testkit::rows::{self, MICRO};
use crate::throttle::{Bucket, BucketKey, Charged, Ladder, Receipt, Settle};

/// The classic mistake, an attacker's guess per connection (CVE-2024-4629): read, decide, write.
pub async fn of_two_hundred_parallel_tries_exactly_ten_are_admitted(store: Arc<dyn Store>) {
    let answers = race(200, |_| {
        let store = Arc::clone(&store);
        async move { charge(&*store, 1, rows::T0).await }
    })
    .await;
    let mut admitted = Vec::new();
    for answer in answers {
        match answer {
            Charged::Paid(receipt) => admitted.push(receipt.failures),
            Charged::Refused { until } => assert_eq!(until, rows::at(30)),
        }
    }
    admitted.sort_unstable();
    assert_eq!(admitted, (1..=10).collect::<Vec<_>>());
}

/// Each wait doubles and is over at its microsecond, not before.
pub async fn a_bucket_opens_at_its_microsecond_and_not_before(store: Arc<dyn Store>) {
    let store = &*store;
    charge_until_closed(store, 1, rows::T0).await;
    let mut open_at = rows::at(30);
    for wait in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
        let refused = Charged::Refused { until: open_at };
        assert_eq!(charge(store, 1, open_at.minus(MICRO)).await, refused);
        let paid = charge(store, 1, open_at).await;
        let next = open_at.plus(Duration::from_secs(wait));
        assert!(
            matches!(paid, Charged::Paid(r) if r.open_at == next && r.charged_at == open_at),
            "{paid:?}"
        );
        open_at = next;
    }
}

/// A flood against a closed bucket costs the database no write and the owner no longer wait.
pub async fn a_refused_charge_writes_nothing(store: Arc<dyn Store>) {
    let store = &*store;
    charge_until_closed(store, 1, rows::T0).await;
    for _ in 0..50 {
        assert_eq!(
            charge(store, 1, rows::at(29)).await,
            Charged::Refused { until: rows::at(30) }
        );
    }
    assert_eq!(closed_until(store, 1, rows::at(29)).await, Some(rows::at(30)));
    let paid = charge(store, 1, rows::at(30)).await;
    assert!(matches!(paid, Charged::Paid(r) if r.failures == 11), "{paid:?}");
}

async fn close_network(store: &dyn Store, n: u32, seconds: u64) -> BucketKey {
    let bucket = rows::bucket(n);
    let settle = Settle::CountNetwork {
        bucket,
        now: rows::T0,
        limit: 1,
        window: Duration::from_secs(seconds),
    };
    write(store, rows::work().settle(settle)).await;
    bucket
}

/// A closed network, whichever of several, refuses and leaves the address's bucket alone.
pub async fn a_closed_network_refuses_without_a_write(store: Arc<dyn Store>) {
    let store = &*store;
    let closed = close_network(store, 50, 60).await;
    let longer = close_network(store, 51, 90).await;
    let open = rows::bucket(52);
    for (networks, until) in [
        (vec![closed], 60),
        (vec![open, closed], 60),
        (vec![longer, closed], 90),
        (vec![closed, open, longer], 90),
    ] {
        let answer = charge_with(store, 1, &networks, rows::at(1), Ladder::DEFAULT).await;
        assert_eq!(
            answer,
            Charged::Refused {
                until: rows::at(until)
            },
            "{networks:?}"
        );
    }
    let paid = charge_with(store, 1, &[open], rows::at(1), Ladder::DEFAULT).await;
    assert!(matches!(paid, Charged::Paid(r) if r.failures == 1), "{paid:?}");
    charge_until_closed(store, 2, rows::T0).await;
    let both = charge_with(store, 2, &[closed], rows::at(1), Ladder::DEFAULT).await;
    assert_eq!(
        both,
        Charged::Refused { until: rows::at(60) },
        "the later of the two"
    );
    // Networks are read here and never written.
    for _ in 0..9 {
        charge_with(store, 3, &[open], rows::T0, Ladder::DEFAULT).await;
    }
    assert_eq!(closed_until(store, 52, rows::T0).await, None);
}

/// Exact at the boundary, as for the bucket itself.
pub async fn a_network_opens_at_its_microsecond(store: Arc<dyn Store>) {
    let store = &*store;
    let network = [close_network(store, 50, 60).await];
    let before = rows::at(60).minus(MICRO);
    let refused = charge_with(store, 1, &network, before, Ladder::DEFAULT).await;
    assert_eq!(refused, Charged::Refused { until: rows::at(60) });
    let paid = charge_with(store, 1, &network, rows::at(60), Ladder::DEFAULT).await;
    assert!(matches!(paid, Charged::Paid(_)), "{paid:?}");
}

/// A wait that lies beyond the longest one was set before the clock went back: it counts as over, for the bucket
/// that is judged and for a network, and so does a window of hashes that begins in the future (CLK-4, I-25).
pub async fn a_clock_that_went_back_keeps_nobody_out(store: Arc<dyn Store>) {
    let store = &*store;
    let longest = Ladder::DEFAULT.longest_wait;
    charge_until_closed(store, 1, rows::T0).await;
    let still_closed = rows::at(30).minus(longest);
    let refused = Charged::Refused { until: rows::at(30) };
    assert_eq!(charge(store, 1, still_closed).await, refused);
    let open = still_closed.minus(MICRO);
    let paid = charge(store, 1, open).await;
    let until = open.plus(Duration::from_secs(60));
    assert!(
        matches!(paid, Charged::Paid(r) if r.failures == 11 && r.open_at == until),
        "{paid:?}"
    );
    assert_eq!(charge(store, 1, open).await, Charged::Refused { until });

    let network = [close_network(store, 50, 3600).await];
    let refused = Charged::Refused {
        until: rows::at(3600),
    };
    let answer = charge_with(store, 2, &network, rows::T0, Ladder::DEFAULT).await;
    assert_eq!(answer, refused);
    let earlier = rows::T0.minus(MICRO);
    let answer = charge_with(store, 2, &network, earlier, Ladder::DEFAULT).await;
    assert!(matches!(answer, Charged::Paid(_)), "{answer:?}");

    for _ in 0..Ladder::DEFAULT.hashes {
        let Charged::Paid(receipt) = charge(store, 3, rows::T0).await else {
            panic!("the price is not reached yet");
        };
        write(store, rows::work().settle(Settle::TakeBack(receipt))).await;
    }
    let refused = Charged::Refused { until: rows::at(600) };
    assert_eq!(charge(store, 3, rows::T0).await, refused);
    let paid = charge(store, 3, earlier.minus(longest)).await;
    assert!(matches!(paid, Charged::Paid(r) if r.failures == 1), "{paid:?}");
}

/// Below its cap a bucket falls by one in a quiet day; at its cap it waits for a reset, an administrator or a familiar
/// device, however long that takes (THR-3).
pub async fn a_bucket_at_its_cap_does_not_open_by_itself(store: Arc<dyn Store>) {
    let store = &*store;
    let mut ladder = Ladder::DEFAULT;
    ladder.cap = 12;
    let mut now = rows::T0;
    for n in 1..=11 {
        let paid = charge_with(store, 1, &[], now, ladder).await;
        let Charged::Paid(receipt) = paid else {
            panic!("try {n} must pass: {paid:?}");
        };
        assert_eq!(receipt.failures, n);
        now = receipt.open_at;
    }
    now = now.plus(ladder.quiet);
    for failures in [11, 12] {
        let paid = charge_with(store, 1, &[], now, ladder).await;
        let Charged::Paid(receipt) = paid else {
            panic!("a try after a quiet day must pass: {paid:?}");
        };
        assert_eq!(receipt.failures, failures);
        now = receipt.open_at;
    }
    for days in [0, 1, 90] {
        let later = now.plus(ladder.quiet * days);
        let until = later.plus(ladder.longest_wait);
        let answer = charge_with(store, 1, &[], later, ladder).await;
        assert_eq!(answer, Charged::Refused { until }, "after {days} days");
    }
    write(store, rows::work().settle(Settle::Clear(rows::bucket(1)))).await;
    let paid = charge_with(store, 1, &[], now, ladder).await;
    assert!(matches!(paid, Charged::Paid(r) if r.failures == 1), "{paid:?}");
}

/// Thirty hashes in ten minutes, right or wrong (HASH-2).
pub async fn hashing_has_a_price_that_success_does_not_refund(store: Arc<dyn Store>) {
    let store = &*store;
    for n in 0..30 {
        let now = rows::at(n);
        let Charged::Paid(receipt) = charge(store, 1, now).await else {
            panic!("the {n}th hash must pass");
        };
        assert_eq!(receipt.failures, 1);
        write(store, rows::work().settle(Settle::TakeBack(receipt))).await;
    }
    for now in [rows::at(30), rows::at(600).minus(MICRO)] {
        assert_eq!(
            charge(store, 1, now).await,
            Charged::Refused { until: rows::at(600) }
        );
    }
    assert!(matches!(charge(store, 1, rows::at(600)).await, Charged::Paid(_)));
}

/// One address's noise is not another's.
pub async fn buckets_do_not_mix(store: Arc<dyn Store>) {
    let store = &*store;
    charge_until_closed(store, 1, rows::T0).await;
    for n in [0, 2, 257, u32::MAX] {
        let paid = charge(store, n, rows::T0).await;
        assert!(
            matches!(paid, Charged::Paid(r) if r.failures == 1 && r.bucket == rows::bucket(n)),
            "bucket {n}: {paid:?}"
        );
    }
}

/// The statement equals [`Bucket::charged`] and [`Bucket::settled`], step by step, whatever the clock does.
pub async fn any_sequence_of_charges_and_settlements_equals_the_reference(store: Arc<dyn Store>) {
    for seed in 0..4 {
        equals_the_reference(&*store, seed, Ladder::DEFAULT, 300).await;
    }
}

/// The same where every limit is close: the cap, the quiet time, the window of hashes.
pub async fn any_sequence_under_a_tight_ladder_equals_the_reference(store: Arc<dyn Store>) {
    let tight = Ladder {
        free: 2,
        first_wait: Duration::from_micros(1_500_000),
        longest_wait: Duration::from_secs(20),
        cap: 9,
        quiet: Duration::from_secs(45),
        hashes: 5,
        hash_window: Duration::from_secs(30),
    };
    for seed in 100..104 {
        equals_the_reference(&*store, seed, tight, 300).await;
    }
}

/// What the ports promise, on plain values.
#[derive(Default)]
struct Reference(BTreeMap<BucketKey, Bucket>);

impl Reference {
    fn bucket(&self, key: BucketKey) -> Bucket {
        self.0.get(&key).copied().unwrap_or(Bucket::EMPTY)
    }

    fn charge(&mut self, key: BucketKey, networks: &[BucketKey], now: Timestamp, ladder: &Ladder) -> Charged {
        let bucket = self.bucket(key);
        let furthest = now.plus(ladder.longest_wait);
        let mut until = bucket.closed_until(now, ladder);
        for network in networks {
            until = until.max(self.bucket(*network).waits_until(now, ladder));
        }
        match (until, bucket.charged(now, ladder)) {
            (None, Some(paid)) => {
                self.0.insert(key, paid);
                Charged::Paid(Receipt {
                    bucket: key,
                    failures: paid.failures,
                    open_at: paid.open_at,
                    charged_at: now,
                })
            }
            (until, _) => Charged::Refused {
                until: until.unwrap_or(furthest),
            },
        }
    }

    fn settle(&mut self, key: BucketKey, settle: &Settle) {
        let after = self.bucket(key).settled(settle);
        self.0.insert(key, after);
    }
}

async fn equals_the_reference(store: &dyn Store, seed: u64, ladder: Ladder, steps: u32) {
    let chance = ScriptedEntropy::new(seed);
    let mut reference = Reference::default();
    let mut receipts: Vec<Receipt> = Vec::new();
    let mut now = rows::T0;
    // Each seed has buckets of its own, so that one store serves them all.
    let base = u32::try_from(seed).unwrap_or(0) * 1000;
    for step in 0..steps {
        let second = chance.below(60_000_000);
        now = match chance.below(20) {
            0 => now.minus(Duration::from_micros(second)),
            1 => now.plus(ladder.longest_wait),
            2 => now.plus(ladder.quiet),
            3 => now.plus(ladder.hash_window),
            4 => now.plus(ladder.quiet * 3).plus(Duration::from_micros(second)),
            5..=9 => now.plus(Duration::from_micros(second)),
            10 => receipts.last().map_or(now, |r| r.open_at.minus(MICRO)),
            11 => receipts.last().map_or(now, |r| r.open_at),
            _ => now,
        };
        let judged = base + u32::try_from(chance.below(2)).unwrap_or(0);
        let network = base + 10 + u32::try_from(chance.below(2)).unwrap_or(0);
        let (key, network_key) = (rows::bucket(judged), rows::bucket(network));
        let what = format!("seed {seed}, step {step}, at {}", now.as_micros());
        if chance.below(10) < 6 {
            let networks = if chance.below(3) == 0 {
                vec![network_key]
            } else {
                Vec::new()
            };
            let expected = reference.charge(key, &networks, now, &ladder);
            let answer = charge_with(store, judged, &networks, now, ladder).await;
            assert_eq!(answer, expected, "{what}");
            if let Charged::Paid(receipt) = answer {
                receipts.push(receipt);
            }
            continue;
        }
        let (key, settle) = match (chance.below(8), receipts.last().copied()) {
            (0, _) => (key, Settle::Clear(key)),
            (1, _) => {
                let lower = Settle::Lower {
                    bucket: key,
                    failures: u32::try_from(chance.below(12)).unwrap_or(0),
                    open_at: now.plus(Duration::from_secs(chance.below(9))),
                    now,
                };
                (key, lower)
            }
            (2..=3, _) => {
                let count = Settle::CountNetwork {
                    bucket: network_key,
                    now,
                    limit: 3,
                    window: ladder.longest_wait.min(Duration::from_secs(40)),
                };
                (network_key, count)
            }
            (_, Some(receipt)) => {
                // Now and then the receipt stays, and is settled once more later.
                if chance.below(4) > 0 {
                    receipts.pop();
                }
                (receipt.bucket, Settle::TakeBack(receipt))
            }
            (_, None) => continue,
        };
        reference.settle(key, &settle);
        write(store, rows::work().settle(settle)).await;
        let shown = closed_until(store, network, now).await;
        let open_at = reference.bucket(network_key).open_at;
        assert_eq!(shown, (open_at > now).then_some(open_at), "{what}: {settle:?}");
    }
}
