//! Settling a charge: a success takes back its own and no more (THR-7).

use std::sync::Arc;
use std::time::Duration;

use super::{charge, charge_until_closed, closed_until, write};
use crate::environment::Timestamp;
use crate::store::Store;
use crate::testkit::rows::{self, MICRO};
use crate::throttle::{Charged, Ladder, Receipt, Settle};

async fn settle(store: &dyn Store, settle: Settle) {
    write(store, rows::work().settle(settle)).await;
}

async fn paid(store: &dyn Store, n: u32, now: Timestamp) -> Receipt {
    match charge(store, n, now).await {
        Charged::Paid(receipt) => receipt,
        refused @ Charged::Refused { .. } => panic!("bucket {n} must be open at {now}: {refused:?}"),
    }
}

/// Nine failures stay nine: a right password after them leaves the strangers' count alone.
pub async fn a_success_takes_back_its_own_charge_and_no_more(store: Arc<dyn Store>) {
    let store = &*store;
    for _ in 0..9 {
        paid(store, 1, rows::T0).await;
    }
    let mine = paid(store, 1, rows::T0).await;
    assert_eq!(mine.failures, 10);
    assert_eq!(mine.open_at, rows::at(30));
    assert_eq!(mine.charged_at, rows::T0);
    assert_eq!(mine.bucket, rows::bucket(1));
    assert_eq!(closed_until(store, 1, rows::T0).await, Some(rows::at(30)));
    settle(store, Settle::TakeBack(mine)).await;
    assert_eq!(closed_until(store, 1, rows::T0).await, None);
    let next = paid(store, 1, rows::T0).await;
    assert_eq!(next.failures, 10, "nine failures are still there");
}

/// A receipt that is settled late, or twice, gives nobody a further try.
pub async fn taking_back_never_goes_below_zero_nor_opens_anothers_wait(store: Arc<dyn Store>) {
    let store = &*store;
    let first = paid(store, 1, rows::T0).await;
    for _ in 0..3 {
        settle(store, Settle::TakeBack(first)).await;
    }
    assert_eq!(paid(store, 1, rows::T0).await.failures, 1);

    let early = charge_until_closed(store, 2, rows::T0).await;
    assert_eq!(early.len(), 10);
    let tenth = *early.last().expect("ten charges");
    let eleventh = paid(store, 2, rows::at(30)).await;
    assert_eq!(eleventh.open_at, rows::at(90));
    settle(store, Settle::TakeBack(tenth)).await;
    let still = closed_until(store, 2, rows::at(30)).await;
    assert_eq!(
        still,
        Some(rows::at(90)),
        "the eleventh's wait is not the tenth's to lift"
    );
    assert_eq!(paid(store, 2, rows::at(90)).await.failures, 11);
}

/// A familiar browser that signed in starts anew; what it made the service hash stays counted (HASH-2).
pub async fn clearing_opens_a_bucket_but_keeps_its_count_of_hashes(store: Arc<dyn Store>) {
    let store = &*store;
    let mut hashes = 0;
    while hashes < 30 {
        hashes += charge_until_closed(store, 1, rows::T0).await.len();
        settle(store, Settle::Clear(rows::bucket(1))).await;
    }
    assert_eq!(hashes, 30);
    assert_eq!(closed_until(store, 1, rows::T0).await, None);
    assert_eq!(
        charge(store, 1, rows::T0).await,
        Charged::Refused { until: rows::at(600) }
    );
    assert_eq!(paid(store, 1, rows::at(600)).await.failures, 1);
}

/// Lifting the cap brings a bucket down, never up: it cannot be used to close one (THR-3).
pub async fn lowering_only_lowers(store: Arc<dyn Store>) {
    let store = &*store;
    charge_until_closed(store, 1, rows::T0).await;
    let lower = |failures, open_at| Settle::Lower {
        bucket: rows::bucket(1),
        failures,
        open_at,
        now: rows::T0,
    };
    for failures in [10, 11, u32::MAX] {
        settle(store, lower(failures, rows::at(9999))).await;
        assert_eq!(closed_until(store, 1, rows::T0).await, Some(rows::at(30)));
    }
    settle(store, lower(4, rows::at(5))).await;
    assert_eq!(closed_until(store, 1, rows::T0).await, Some(rows::at(5)));
    assert_eq!(paid(store, 1, rows::at(5)).await.failures, 5);
    settle(store, lower(0, rows::T0)).await;
    assert_eq!(paid(store, 1, rows::T0).await.failures, 1);
}

/// The hundredth failure within the window closes a network until the window ends (THR-3).
pub async fn a_network_closes_at_its_limit_until_its_window_ends(store: Arc<dyn Store>) {
    let store = &*store;
    let count = |now| Settle::CountNetwork {
        bucket: rows::bucket(1),
        now,
        limit: 3,
        window: Duration::from_secs(60),
    };
    let hour_later = rows::at(3600);
    settle(store, count(rows::at(0))).await;
    settle(store, count(rows::at(10))).await;
    assert_eq!(closed_until(store, 1, rows::at(10)).await, None);
    // The window is over at its microsecond: the third failure is the first of the next.
    settle(store, count(rows::at(60))).await;
    assert_eq!(closed_until(store, 1, rows::at(60)).await, None);
    settle(store, count(rows::at(70))).await;
    settle(store, count(rows::at(120).minus(MICRO))).await;
    assert_eq!(closed_until(store, 1, rows::at(119)).await, Some(rows::at(120)));
    assert_eq!(closed_until(store, 1, rows::at(120)).await, None);
    // A clock that jumped back starts a window of its own (CLK-4).
    settle(store, count(hour_later)).await;
    settle(store, count(rows::at(200))).await;
    settle(store, count(rows::at(200))).await;
    assert_eq!(closed_until(store, 1, rows::at(200)).await, None);
    settle(store, count(rows::at(201))).await;
    assert_eq!(closed_until(store, 1, rows::at(201)).await, Some(rows::at(260)));
    // Several failures in one commit count one by one.
    let mut work = rows::work();
    for _ in 0..3 {
        work = work.settle(Settle::CountNetwork {
            bucket: rows::bucket(2),
            now: rows::T0,
            limit: 3,
            window: Ladder::DEFAULT.longest_wait,
        });
    }
    write(store, work).await;
    assert_eq!(closed_until(store, 2, rows::T0).await, Some(hour_later));
}

/// The failure that closes a network writes the event that stands by, and no other failure does (LOG-5).
pub async fn a_networks_closing_is_told_once_in_a_window(store: Arc<dyn Store>) {
    let store = &*store;
    let fail = async |n: u32, seconds| {
        let told = rows::event(0x9000 + n);
        let id = told.id;
        let count = Settle::CountNetwork {
            bucket: rows::bucket(1),
            now: rows::at(seconds),
            limit: 3,
            window: Duration::from_secs(60),
        };
        let other = rows::event(0xa000 + n);
        let not_this = other.id;
        let work = rows::work()
            .event_where_closed(rows::bucket(1), told)
            .event_where_closed(rows::bucket(2), other)
            .settle(count);
        write(store, work).await;
        assert!(!store.was_committed(not_this).await.expect("answered"));
        store.was_committed(id).await.expect("answered")
    };
    let mut told = Vec::new();
    // The third of the first window closes it, and the third of the next.
    for (n, seconds) in [0, 1, 2, 3, 4, 60, 61, 62, 63].into_iter().enumerate() {
        told.push(fail(u32::try_from(n).expect("few"), seconds).await);
    }
    let closes = [false, false, true, false, false, false, false, true, false];
    assert_eq!(told, closes);
}

/// A bucket that was purged meanwhile is an empty one: settling neither fails nor closes it.
pub async fn settling_a_bucket_that_is_not_there_changes_nothing(store: Arc<dyn Store>) {
    let store = &*store;
    let never_paid = Receipt {
        bucket: rows::bucket(1),
        failures: 10,
        open_at: rows::at(30),
        charged_at: rows::at(20),
    };
    settle(store, Settle::TakeBack(never_paid)).await;
    settle(store, Settle::Clear(rows::bucket(1))).await;
    settle(
        store,
        Settle::Lower {
            bucket: rows::bucket(1),
            failures: 90,
            open_at: rows::at(9999),
            now: rows::T0,
        },
    )
    .await;
    assert_eq!(closed_until(store, 1, rows::T0).await, None);
    assert_eq!(paid(store, 1, rows::T0).await.failures, 1);
}
