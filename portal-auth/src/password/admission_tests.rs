//! Who gets through the gate, and when: without threads, one poll at a time.

#![expect(clippy::arithmetic_side_effects, reason = "the numbers of a test are small")]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::admission::*;
use super::hash::{Busy, Line};
use crate::environment::{Clock, Timestamp};

#[derive(Debug, Default)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

impl HandClock {
    fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

type Entering<'a> = Pin<Box<dyn Future<Output = Result<Place, Busy>> + 'a>>;

/// A gate without threads: what is tested here is who gets in, and when.
fn gate(permits: usize) -> (Arc<Gate>, Arc<HandClock>) {
    let clock = Arc::new(HandClock::default());
    (Gate::new(Arc::clone(&clock) as Arc<dyn Clock>, permits), clock)
}

fn enter(gate: &Arc<Gate>, line: Line) -> Entering<'_> {
    Box::pin(gate.enter(line))
}

fn poll(entering: &mut Entering<'_>) -> Poll<Result<Place, Busy>> {
    entering.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn admitted(gate: &Arc<Gate>, line: Line) -> Place {
    match poll(&mut enter(gate, line)) {
        Poll::Ready(Ok(place)) => place,
        Poll::Ready(Err(busy)) => panic!("{busy}"),
        Poll::Pending => panic!("still waiting"),
    }
}

fn waiting(gate: &Arc<Gate>, line: Line) -> Entering<'_> {
    let mut entering = enter(gate, line);
    assert!(poll(&mut entering).is_pending());
    entering
}

#[test]
fn two_places_per_permit_are_given_out_and_no_more() {
    // HASH-2
    for permits in [1, 3] {
        let (gate, _) = gate(permits);
        let held: Vec<_> = (0..2 * permits)
            .map(|_| admitted(&gate, Line::Stranger))
            .collect();
        drop(waiting(&gate, Line::Known));
        drop(held);
        assert_eq!(gate.stats().admitted, 0);
    }
}

#[test]
fn known_people_and_strangers_are_served_three_to_one() {
    // HASH-2
    let (gate, _) = gate(1);
    let mut held = vec![admitted(&gate, Line::Stranger), admitted(&gate, Line::Stranger)];
    let mut lines: Vec<_> = (0..5)
        .map(|n| (format!("S{n}"), waiting(&gate, Line::Stranger)))
        .collect();
    lines.extend((0..7).map(|n| (format!("K{n}"), waiting(&gate, Line::Known))));

    let mut order = Vec::new();
    while !lines.is_empty() {
        held.remove(0);
        let at = lines
            .iter_mut()
            .position(|(name, entering)| match poll(entering) {
                Poll::Ready(Ok(place)) => {
                    held.push(place);
                    order.push(name.clone());
                    true
                }
                Poll::Ready(Err(busy)) => panic!("{busy}"),
                Poll::Pending => false,
            });
        drop(lines.remove(at.expect("somebody is admitted for each place that comes back")));
    }
    assert_eq!(order.join(" "), "K0 K1 K2 S0 K3 K4 K5 S1 K6 S2 S3 S4");
}

#[test]
fn a_full_line_answers_busy_at_once_and_leaves_the_other_line_alone() {
    // HASH-2
    for (full, other) in [(Line::Known, Line::Stranger), (Line::Stranger, Line::Known)] {
        let (gate, _) = gate(2);
        let _held: Vec<_> = (0..4).map(|_| admitted(&gate, full)).collect();
        let mut line: Vec<_> = (0..128).map(|_| waiting(&gate, full)).collect();
        let Poll::Ready(Err(busy)) = poll(&mut enter(&gate, full)) else {
            panic!("the line is full")
        };
        assert_eq!(busy.retry_after, LONGEST_WAIT);
        assert_eq!(gate.stats().busy_answers, 1);
        let _other = waiting(&gate, other);

        drop(line.pop());
        let _room = waiting(&gate, full);
    }
}

#[test]
fn who_has_waited_five_seconds_is_sent_away_when_a_job_ends() {
    // HASH-2
    let (gate, clock) = gate(1);
    let held = [admitted(&gate, Line::Known), admitted(&gate, Line::Known)];
    let mut old_stranger = waiting(&gate, Line::Stranger);
    let mut old_known = waiting(&gate, Line::Known);
    clock.set(1);
    let mut young = waiting(&gate, Line::Stranger);

    clock.set(4_999_999);
    gate.finished();
    assert!(poll(&mut old_stranger).is_pending() && poll(&mut old_known).is_pending());
    clock.set(5_000_000);
    gate.finished();
    assert!(matches!(poll(&mut old_stranger), Poll::Ready(Err(_))));
    assert!(matches!(poll(&mut old_known), Poll::Ready(Err(_))));
    assert!(poll(&mut young).is_pending());

    drop(held);
    assert!(matches!(poll(&mut young), Poll::Ready(Ok(_))));
    let stats = gate.stats();
    assert_eq!((stats.busy_answers, stats.waited_micros), (2, 4_999_999));
}

#[test]
fn a_place_that_comes_back_skips_those_who_waited_too_long() {
    let (gate, clock) = gate(1);
    let mut held = vec![admitted(&gate, Line::Known), admitted(&gate, Line::Known)];
    let mut old = waiting(&gate, Line::Known);
    clock.set(5_000_000);
    let mut young = enter(&gate, Line::Known);
    assert!(
        poll(&mut young).is_pending(),
        "the newcomer queues, and sends the stale one away"
    );
    assert!(matches!(poll(&mut old), Poll::Ready(Err(_))));
    held.pop();
    assert!(matches!(poll(&mut young), Poll::Ready(Ok(_))));
}

#[test]
fn a_waiter_who_leaves_takes_nothing_along() {
    let (gate, _) = gate(1);
    let mut held = vec![admitted(&gate, Line::Known), admitted(&gate, Line::Known)];
    let first = waiting(&gate, Line::Known);
    let second = waiting(&gate, Line::Known);
    let mut third = waiting(&gate, Line::Known);
    drop(first);
    assert_eq!(gate.stats().waiting_known, 2);

    // The second has been given the place and goes without having looked: the third must get it.
    held.pop();
    assert_eq!((gate.stats().waiting_known, gate.stats().admitted), (1, 2));
    assert!(poll(&mut third).is_pending());
    drop(second);
    assert!(matches!(poll(&mut third), Poll::Ready(Ok(_))));
    drop((held, third));
    assert_eq!((gate.stats().waiting_known, gate.stats().admitted), (0, 0));
}

#[test]
fn a_closed_gate_sends_everybody_away_and_drops_what_was_queued() {
    let (gate, _) = gate(1);
    let held = admitted(&gate, Line::Known);
    let in_job = admitted(&gate, Line::Known);
    let mut waiter = waiting(&gate, Line::Stranger);
    gate.submit(Box::new(move |_| Box::new(move || drop(in_job))));
    gate.close();
    assert!(matches!(poll(&mut waiter), Poll::Ready(Err(_))));
    assert!(matches!(
        poll(&mut enter(&gate, Line::Known)),
        Poll::Ready(Err(_))
    ));
    assert_eq!(gate.stats().admitted, 1, "the queued job gave its place back");
    gate.submit(Box::new(move |_| Box::new(move || drop(held))));
    assert_eq!(gate.stats().admitted, 0);
    assert!(gate.next_job().is_none());
}

#[derive(Debug, Clone)]
enum Step {
    Enter(Line),
    Look(prop::sample::Index),
    Leave(prop::sample::Index),
    GiveBack(prop::sample::Index),
    Finish,
    Pass(i64),
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::bool::ANY.prop_map(|known| Step::Enter(if known { Line::Known } else { Line::Stranger })),
        4 => any::<prop::sample::Index>().prop_map(Step::Look),
        2 => any::<prop::sample::Index>().prop_map(Step::Leave),
        3 => any::<prop::sample::Index>().prop_map(Step::GiveBack),
        1 => Just(Step::Finish),
        1 => (0..3_000_000_i64).prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn no_place_is_lost_or_given_out_twice_whoever_comes_and_goes(
        permits in 1..3_usize,
        steps in prop::collection::vec(a_step(), 1..120),
    ) {
        // HASH-2
        let (gate, clock) = gate(permits);
        let (mut waiters, mut held) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Enter(line) => waiters.push(enter(&gate, line)),
                Step::Look(at) if !waiters.is_empty() => {
                    let at = at.index(waiters.len());
                    if let Poll::Ready(answer) = poll(&mut waiters[at]) {
                        drop(waiters.remove(at));
                        held.extend(answer);
                    }
                }
                Step::Leave(at) if !waiters.is_empty() => drop(waiters.remove(at.index(waiters.len()))),
                Step::GiveBack(at) if !held.is_empty() => drop(held.remove(at.index(held.len()))),
                Step::Finish => gate.finished(),
                Step::Pass(micros) => clock.set(clock.now().as_micros() + micros),
                Step::Look(_) | Step::Leave(_) | Step::GiveBack(_) => {}
            }
            let stats = gate.stats();
            let waiting = stats.waiting_known + stats.waiting_stranger;
            prop_assert!(stats.admitted <= 2 * permits && held.len() <= stats.admitted);
            prop_assert!(waiting == 0 || stats.admitted == 2 * permits, "somebody waits beside a free place");
            prop_assert!(waiting <= waiters.len());
        }
        drop((waiters, held));
        let stats = gate.stats();
        prop_assert_eq!((stats.admitted, stats.waiting_known, stats.waiting_stranger), (0, 0, 0));
    }
}
