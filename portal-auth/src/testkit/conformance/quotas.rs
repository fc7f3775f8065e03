//! Mail quotas: exact windows, all lines or none, never exceeded in parallel (MAIL-5).

use std::sync::Arc;
use std::time::Duration;

use super::race;
use crate::environment::Timestamp;
use crate::mail::quota::{QuotaLimits, QuotaLine, Spent};
use crate::store::Store;
use crate::testkit::ScriptedEntropy;
use crate::testkit::rows::{self, MICRO};

fn sliding(n: u32, limits: &[(u32, u64)]) -> QuotaLine {
    let limits = limits.iter().map(|(n, s)| (*n, Duration::from_secs(*s)));
    QuotaLine {
        key: rows::bucket(n),
        limits: QuotaLimits::Sliding(limits.collect()),
    }
}

fn window(n: u32, most: u32, seconds: u64) -> QuotaLine {
    QuotaLine {
        key: rows::bucket(n),
        limits: QuotaLimits::Window(most, Duration::from_secs(seconds)),
    }
}

async fn spend(store: &dyn Store, lines: &[QuotaLine], now: Timestamp) -> Spent {
    store.spend(lines, now).await.expect("a quota must be answered")
}

const GRANTED: Spent = Spent::Granted { last_until: None };

fn last(until: Timestamp) -> Spent {
    Spent::Granted {
        last_until: Some(until),
    }
}

/// One a minute and three in ten, in any minute and any ten, to the microsecond.
pub async fn sliding_windows_are_exact(store: Arc<dyn Store>) {
    let store = &*store;
    let line = [sliding(1, &[(1, 60), (3, 600)])];
    assert_eq!(spend(store, &line, rows::at(0)).await, last(rows::at(60)));
    let early = rows::at(60).minus(MICRO);
    assert_eq!(
        spend(store, &line, early).await,
        Spent::Refused { until: rows::at(60) }
    );
    assert_eq!(spend(store, &line, rows::at(60)).await, last(rows::at(120)));
    assert_eq!(spend(store, &line, rows::at(200)).await, last(rows::at(600)));
    let early = rows::at(600).minus(MICRO);
    assert_eq!(
        spend(store, &line, early).await,
        Spent::Refused { until: rows::at(600) }
    );
    // The first has left the window; the next leaves it at 660.
    assert_eq!(spend(store, &line, rows::at(600)).await, last(rows::at(660)));
}

/// A window starts with its first mail and ends at its microsecond.
pub async fn a_counted_window_ends_at_its_microsecond(store: Arc<dyn Store>) {
    let store = &*store;
    let line = [window(1, 2, 60)];
    assert_eq!(spend(store, &line, rows::at(0)).await, GRANTED);
    assert_eq!(spend(store, &line, rows::at(50)).await, last(rows::at(60)));
    let early = rows::at(60).minus(MICRO);
    assert_eq!(
        spend(store, &line, early).await,
        Spent::Refused { until: rows::at(60) }
    );
    assert_eq!(spend(store, &line, rows::at(60)).await, GRANTED);
    assert_eq!(spend(store, &line, rows::at(61)).await, last(rows::at(120)));
}

/// A mail that one line refuses is counted on none; the answer names the latest moment of those that refuse.
pub async fn a_refusal_counts_on_no_line(store: Arc<dyn Store>) {
    let store = &*store;
    let (free, short, long) = (window(1, 2, 3600), window(2, 1, 60), window(3, 1, 600));
    spend(store, std::slice::from_ref(&short), rows::at(0)).await;
    spend(store, std::slice::from_ref(&long), rows::at(0)).await;
    let all = [free.clone(), short, long];
    for _ in 0..3 {
        let spent = spend(store, &all, rows::at(1)).await;
        assert_eq!(spent, Spent::Refused { until: rows::at(600) });
    }
    let free = [free];
    assert_eq!(spend(store, &free, rows::at(1)).await, GRANTED);
    assert_eq!(spend(store, &free, rows::at(1)).await, last(rows::at(3601)));
}

/// However many ask at once, no limit is exceeded by one.
pub async fn parallel_spending_never_exceeds_a_limit(store: Arc<dyn Store>) {
    let spent = race(60, |n| {
        let store = Arc::clone(&store);
        async move {
            // Two groups share the third line, and name their lines in opposite orders.
            let own = sliding(1 + n % 2, &[(7, 3600)]);
            let shared = window(3, 12, 3600);
            let lines = if n % 2 == 0 { [own, shared] } else { [shared, own] };
            (n % 2, spend(&*store, &lines, rows::T0).await)
        }
    })
    .await;
    let granted = |group| {
        let passed = |(g, s): &&(u32, Spent)| *g == group && matches!(s, Spent::Granted { .. });
        spent.iter().filter(passed).count()
    };
    assert!(granted(0) <= 7 && granted(1) <= 7);
    assert_eq!(
        granted(0) + granted(1),
        12,
        "the shared line grants exactly its figure"
    );
}

/// A long random run over two lines equals the reference, with a clock that jumps back now and then.
pub async fn lines_of_different_kinds_are_counted_together(store: Arc<dyn Store>) {
    let store = &*store;
    let chance = ScriptedEntropy::new(26);
    let lines = [sliding(1, &[(1, 20), (3, 300)]), window(2, 4, 200)];
    let (mut states, mut now) = ([Vec::new(), Vec::new()], rows::T0);
    for step in 0..200 {
        now = match chance.below(12) {
            0 => now.minus(Duration::from_secs(chance.below(400))),
            _ => now.plus(Duration::from_secs(chance.below(60))),
        };
        let judged: Vec<_> = lines
            .iter()
            .zip(&states)
            .map(|(line, state)| line.limits.spend(state, now))
            .collect();
        let refused = judged.iter().filter_map(|j| j.as_ref().err()).max();
        let expected = match refused {
            Some(until) => Spent::Refused { until: *until },
            None => Spent::Granted {
                last_until: judged.iter().flatten().filter_map(|j| j.1).max(),
            },
        };
        assert_eq!(spend(store, &lines, now).await, expected, "step {step} at {now}");
        if refused.is_none() {
            for (state, (next, _)) in states.iter_mut().zip(judged.into_iter().flatten()) {
                *state = next;
            }
        }
    }
}
