//! Guessing budgets and mail quotas: the statements equal the reference, and no crowd gets one try more.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use portal_auth::environment::Timestamp;
use portal_auth::mail::quota::{QuotaLimits, QuotaLine, Spent};
use portal_auth::store::ThrottleStore as _;
use portal_auth::throttle::{Bucket, BucketKey, Charge, Charged, Ladder, Receipt, Settle};
use portal_auth::unit_of_work::UnitOfWork;
use portal_auth_sqlx::postgres::{PostgresOptions, PostgresStore};
use support::{Dice, T0, bytes, event, on_both};

fn key(n: u32) -> BucketKey {
    BucketKey::from_bytes(bytes(8, n))
}

/// All buckets of a database, as the rows of a query.
const BUCKETS: &str =
    "SELECT failures, open_at, changed, hashes, hashes_since FROM portal_throttle ORDER BY key";

fn row(bucket: &Bucket) -> Vec<i64> {
    vec![
        i64::from(bucket.failures),
        bucket.open_at.as_micros(),
        bucket.changed.as_micros(),
        i64::from(bucket.hashes),
        bucket.hashes_since.as_micros(),
    ]
}

/// The reference: buckets by key, charged and settled by the functions of the core.
#[derive(Default)]
struct Reference(BTreeMap<BucketKey, Bucket>);

impl Reference {
    fn get(&self, key: BucketKey) -> Bucket {
        self.0.get(&key).copied().unwrap_or(Bucket::EMPTY)
    }

    fn charge(&mut self, charge: &Charge) -> Charged {
        let bucket = self.get(charge.bucket);
        let networks = charge.networks.iter().map(|key| self.get(*key));
        let closed = networks
            .filter_map(|network| network.waits_until(charge.now, &charge.ladder))
            .chain(bucket.closed_until(charge.now, &charge.ladder))
            .max();
        if let Some(until) = closed {
            return Charged::Refused { until };
        }
        let paid = bucket.charged(charge.now, &charge.ladder).unwrap();
        self.0.insert(charge.bucket, paid);
        Charged::Paid(Receipt {
            bucket: charge.bucket,
            failures: paid.failures,
            open_at: paid.open_at,
            charged_at: charge.now,
        })
    }

    fn settle(&mut self, settle: &Settle) {
        let key = match settle {
            Settle::TakeBack(receipt) => receipt.bucket,
            Settle::Clear(key) => *key,
            Settle::Lower { bucket, .. } | Settle::CountNetwork { bucket, .. } => *bucket,
        };
        let settled = self.get(key).settled(settle);
        if settled != Bucket::EMPTY || self.0.contains_key(&key) {
            self.0.insert(key, settled);
        }
    }
}

fn ladders() -> [Ladder; 4] {
    let mut steep = Ladder::DEFAULT;
    steep.free = 0;
    steep.cap = 6;
    steep.first_wait = Duration::from_secs(1);
    steep.longest_wait = Duration::from_secs(5);
    steep.quiet = Duration::from_secs(7);
    let mut priced = Ladder::DEFAULT;
    priced.hashes = 3;
    priced.hash_window = Duration::from_secs(20);
    priced.free = 5;
    let mut flat = Ladder::DEFAULT;
    flat.first_wait = Duration::from_micros(1);
    flat.longest_wait = Duration::from_secs(100_000);
    flat.cap = u32::MAX;
    flat.hashes = u32::MAX;
    flat.free = 1;
    [Ladder::DEFAULT, steep, priced, flat]
}

/// Moves the clock: mostly forward, by everything from a microsecond to weeks, at times back.
fn pass(now: Timestamp, dice: &mut Dice) -> Timestamp {
    let length = dice.roll(41);
    let far = Duration::from_micros(dice.roll(1 << length));
    match dice.roll(12) {
        0 => now.minus(far),
        1 => now.plus(far),
        2 => now.plus(Duration::from_secs(86_400)),
        3..=7 => now.plus(Duration::from_secs(dice.roll(40))),
        _ => now,
    }
}

on_both! {
    async fn four_thousand_random_steps_leave_the_rows_of_the_reference(store, database) {
        // THR-2, THR-3, THR-7, CLK-2, CLK-4, HASH-2
        for (seed, ladder) in (1..).zip(ladders()) {
            database.run("DELETE FROM portal_throttle").await;
            let mut dice = Dice::new(seed);
            let mut reference = Reference::default();
            let (mut now, mut receipts) = (T0, Vec::new());
            for step in 0..1000_u32 {
                now = pass(now, &mut dice);
                let bucket = key(u32::try_from(dice.roll(3)).unwrap());
                let network = key(100 + u32::try_from(dice.roll(2)).unwrap());
                if dice.roll(3) > 0 {
                    // At times exactly when the bucket opens, or a microsecond before.
                    if dice.roll(2) == 0
                        && let Some(until) = reference.get(bucket).closed_until(now, &ladder)
                    {
                        now = until.minus(Duration::from_micros(dice.roll(2)));
                    }
                    let networks = if dice.roll(4) == 0 { vec![network, key(999)] } else { Vec::new() };
                    let charge = Charge { bucket, networks, now, ladder };
                    let expected = reference.charge(&charge);
                    let answer = store.charge(&charge).await.unwrap();
                    assert_eq!(answer, expected, "seed {seed}, step {step}");
                    if let Charged::Paid(receipt) = answer {
                        receipts.push(receipt);
                    }
                } else {
                    let settle = match dice.roll(8) {
                        0 => Settle::Clear(bucket),
                        1 => Settle::Lower { bucket, failures: 2, open_at: now.plus(Duration::from_secs(3)), now },
                        2 | 3 => Settle::CountNetwork {
                            bucket: network,
                            now,
                            limit: u32::try_from(dice.roll(5)).unwrap(),
                            window: Duration::from_secs(60),
                        },
                        _ if receipts.is_empty() => continue,
                        _ => {
                            let at = dice.roll(u64::try_from(receipts.len()).unwrap());
                            Settle::TakeBack(receipts.swap_remove(usize::try_from(at).unwrap()))
                        }
                    };
                    reference.settle(&settle);
                    let id = u32::try_from(seed).unwrap() * 10_000 + step;
                    store.commit(UnitOfWork::new(event(id)).settle(settle)).await.unwrap();
                }
                if step % 10 == 0 {
                    let rows = database.numbers(BUCKETS).await;
                    let expected: Vec<_> = reference.0.values().map(row).collect();
                    assert_eq!(rows, expected, "seed {seed}, step {step}");
                }
            }
        }
    }

    async fn of_two_hundred_tries_at_once_ten_are_admitted(store, database) {
        // THR-2: 20 rounds
        for round in 0..20 {
            let tries: Vec<_> = (0..200)
                .map(|_| {
                    let store = std::sync::Arc::clone(&store);
                    tokio::spawn(async move {
                        let charge = Charge {
                            bucket: key(round),
                            networks: Vec::new(),
                            now: T0,
                            ladder: Ladder::DEFAULT,
                        };
                        store.charge(&charge).await.unwrap()
                    })
                })
                .collect();
            let mut admitted = 0;
            for one in tries {
                match one.await.unwrap() {
                    Charged::Paid(_) => admitted += 1,
                    Charged::Refused { until } => assert_eq!(until, T0.plus(Duration::from_secs(30))),
                }
            }
            assert_eq!(admitted, 10, "round {round}");
        }
        assert_eq!(database.numbers("SELECT count(*) FROM portal_throttle").await, [[20]]);
    }

    async fn a_closed_network_refuses_a_first_try_and_nothing_is_written(store, database) {
        // THR-1 (c), THR-2
        let count = Settle::CountNetwork { bucket: key(1), now: T0, limit: 1, window: Duration::from_secs(60) };
        store.commit(UnitOfWork::new(event(1)).settle(count)).await.unwrap();
        let charge = Charge {
            bucket: key(2),
            networks: vec![key(3), key(1)],
            now: T0.plus(Duration::from_secs(59)),
            ladder: Ladder::DEFAULT,
        };
        let until = T0.plus(Duration::from_secs(60));
        assert_eq!(store.charge(&charge).await.unwrap(), Charged::Refused { until });
        assert_eq!(database.numbers("SELECT count(*) FROM portal_throttle").await, [[1]]);
        let later = Charge { now: until, ..charge };
        assert!(matches!(store.charge(&later).await.unwrap(), Charged::Paid(_)));
    }

    async fn quotas_follow_the_reference_on_all_lines_or_on_none(store, database) {
        // MAIL-5, I-26
        let lines = |n: u32| {
            vec![
                QuotaLine {
                    key: key(50 + n % 3),
                    limits: QuotaLimits::Sliding(vec![
                        (1, Duration::from_secs(60)),
                        (3, Duration::from_secs(600)),
                    ]),
                },
                QuotaLine { key: key(40), limits: QuotaLimits::Window(5, Duration::from_secs(900)) },
            ]
        };
        let mut reference: BTreeMap<BucketKey, Vec<i64>> = BTreeMap::new();
        let (mut dice, mut now) = (Dice::new(5), T0);
        let (mut granted, mut refused) = (0, 0);
        for step in 0..400_u32 {
            now = now.plus(Duration::from_secs(dice.roll(90)));
            let lines = lines(step);
            let judged: Vec<_> = lines
                .iter()
                .map(|line| line.limits.spend(reference.entry(line.key).or_default(), now))
                .collect();
            let expected = match judged.iter().filter_map(|j| j.as_ref().err()).max() {
                Some(until) => {
                    refused += 1;
                    Spent::Refused { until: *until }
                }
                None => {
                    granted += 1;
                    let next: Vec<_> = judged.into_iter().map(Result::unwrap).collect();
                    for (line, (state, _)) in lines.iter().zip(&next) {
                        reference.insert(line.key, state.clone());
                    }
                    Spent::Granted { last_until: next.iter().filter_map(|(_, until)| *until).max() }
                }
            };
            assert_eq!(store.spend(&lines, now).await.unwrap(), expected, "step {step}");
        }
        assert!(granted > 50 && refused > 50, "{granted} granted, {refused} refused");
        assert_eq!(database.numbers("SELECT count(*) FROM portal_quotas").await, [[4]]);
    }

    async fn a_refused_mail_leaves_no_trace(store, database) {
        let none = QuotaLine { key: key(1), limits: QuotaLimits::Window(0, Duration::from_secs(60)) };
        let window = QuotaLine { key: key(2), limits: QuotaLimits::Window(1, Duration::from_secs(60)) };
        // The first mail of a window always passes, so spend it before.
        store.spend(std::slice::from_ref(&none), T0).await.unwrap();
        let spent = store.spend(&[window, none], T0).await.unwrap();
        assert_eq!(spent, Spent::Refused { until: T0.plus(Duration::from_secs(60)) });
        assert_eq!(database.numbers("SELECT count(*) FROM portal_quotas").await, [[1]]);
    }

    async fn of_fifty_mails_at_once_seven_are_granted(store, database) {
        // I-26; the lines stand in different orders, which must not end in a deadlock
        let tries: Vec<_> = (0..50_u32)
            .map(|n| {
                let store = std::sync::Arc::clone(&store);
                tokio::spawn(async move {
                    let mut lines = vec![
                        QuotaLine { key: key(1), limits: QuotaLimits::Window(7, Duration::from_secs(60)) },
                        QuotaLine { key: key(2), limits: QuotaLimits::Window(60, Duration::from_secs(60)) },
                    ];
                    if n % 2 == 0 {
                        lines.reverse();
                    }
                    store.spend(&lines, T0).await.unwrap()
                })
            })
            .collect();
        let mut granted = 0;
        for one in tries {
            granted += u32::from(matches!(one.await.unwrap(), Spent::Granted { .. }));
        }
        assert_eq!(granted, 7);
        assert_eq!(database.numbers("SELECT count(*) FROM portal_quotas").await, [[2]]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_charge_itself_does_not_wait_for_the_disk() {
    let database = support::Postgres::fresh().await;
    let mut options = PostgresOptions::default();
    options.max_connections = 1;
    let store = PostgresStore::connect(&database.url, &options).await.unwrap();
    store.migrate().await.unwrap();
    // Of the one connection.
    sqlx::query("SET synchronous_commit = 'remote_write'")
        .execute(store.pool())
        .await
        .unwrap();
    let charge = Charge {
        bucket: key(1),
        networks: Vec::new(),
        now: T0,
        ladder: Ladder::DEFAULT,
    };
    assert!(matches!(store.charge(&charge).await.unwrap(), Charged::Paid(_)));
    let waits: String = sqlx::query_scalar("SHOW synchronous_commit")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(waits, "remote_write");
}
