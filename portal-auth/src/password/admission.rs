//! The admission gate: two lines, a fixed number of places, and a queue of jobs for the hashing threads (HASH-2).
//!
//! A [`Place`] is held by whoever is responsible for it: the slot while its owner charges the database, then the job
//! until it is done, then the slot again. It goes back when it is dropped, wherever that happens. The gate's lock is
//! never held while a place, a job or a reply is dropped or sent.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::argon2_engine::Argon2Worker;
use super::hash::{Busy, GateStats, Line};
use crate::environment::{Clock, Timestamp};

/// Work for a thread; what it returns is called when the thread counts as free again.
pub(super) type Job = Box<dyn FnOnce(&mut dyn Argon2Worker) -> Delivery + Send>;
pub(super) type Delivery = Box<dyn FnOnce() + Send>;

pub(super) struct Gate {
    clock: Arc<dyn Clock>,
    permits: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    known: VecDeque<Waiter>,
    strangers: VecDeque<Waiter>,
    /// How many of the known were served since a stranger was, while strangers waited.
    known_in_a_row: u8,
    next_waiter: u64,
    admitted: usize,
    jobs: VecDeque<Job>,
    running: usize,
    closed: bool,
    busy_answers: u64,
    hashes_done: u64,
    waited: Duration,
}

struct Waiter {
    number: u64,
    since: Timestamp,
    answer: oneshot::Sender<Result<Place, Busy>>,
}

impl Gate {
    pub(super) fn new(clock: Arc<dyn Clock>, permits: usize) -> Arc<Self> {
        Arc::new(Self {
            clock,
            permits,
            state: Mutex::default(),
            work: Condvar::new(),
        })
    }

    /// Waits in `line` until there is a place; a future that is dropped leaves the line.
    pub(super) async fn enter(self: &Arc<Self>, line: Line) -> Result<Place, Busy> {
        let now = self.clock.now();
        // Those who gave up or waited too long go first: their room in the line may be ours.
        self.advance(now);
        let waiting = {
            let mut state = self.lock();
            if state.closed {
                return Err(state.turn_away());
            }
            // Between a place's return and its passing on, those who wait come first.
            if state.admitted < self.most_admitted() && state.nobody_waits() {
                state.admitted = state.admitted.saturating_add(1);
                drop(state);
                return Ok(Place {
                    gate: Arc::clone(self),
                });
            }
            if state.line(line).len() >= self.longest_line() {
                return Err(state.turn_away());
            }
            let number = state.next_waiter;
            state.next_waiter = number.wrapping_add(1);
            let (answer, turn) = oneshot::channel();
            state.line(line).push_back(Waiter {
                number,
                since: now,
                answer,
            });
            Waiting {
                gate: self,
                line,
                number,
                turn,
            }
        };
        waiting.turn().await
    }

    /// Queues a job for the next free thread; a closed gate drops it.
    pub(super) fn submit(&self, job: Job) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            drop(job);
        } else {
            state.jobs.push_back(job);
            drop(state);
            self.work.notify_one();
        }
    }

    /// Works off jobs on the calling thread until the gate closes.
    pub(super) fn serve(self: &Arc<Self>, mut new_worker: impl FnMut() -> Box<dyn Argon2Worker>) {
        let mut worker = new_worker();
        while let Some(job) = self.next_job() {
            // A panic in an engine or a waker must not cost the gate a thread. Unwinding drops the job with its place
            // and its reply, so the caller is told.
            let done = catch_unwind(AssertUnwindSafe(|| job(&mut *worker)));
            self.finished();
            let delivered = done.and_then(|deliver| catch_unwind(AssertUnwindSafe(deliver)));
            if delivered.is_err() {
                worker = new_worker();
            }
        }
    }

    /// Ends the threads after their present job, and sends everybody away who waits.
    pub(super) fn close(&self) {
        let (waiters, jobs) = {
            let mut state = self.lock();
            state.closed = true;
            let mut waiters = std::mem::take(&mut state.known);
            waiters.append(&mut state.strangers);
            (waiters, std::mem::take(&mut state.jobs))
        };
        self.work.notify_all();
        drop(waiters);
        drop(jobs);
    }

    pub(super) fn stats(&self) -> GateStats {
        let state = self.lock();
        GateStats {
            permits: self.permits,
            waiting_known: state.known.len(),
            waiting_stranger: state.strangers.len(),
            admitted: state.admitted,
            running: state.running,
            busy_answers: state.busy_answers,
            hashes_done: state.hashes_done,
            waited_micros: u64::try_from(state.waited.as_micros()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                state.running = state.running.saturating_add(1);
                return Some(job);
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn finished(self: &Arc<Self>) {
        {
            let mut state = self.lock();
            state.running = state.running.saturating_sub(1);
            state.hashes_done = state.hashes_done.saturating_add(1);
        }
        self.advance(self.clock.now());
    }

    /// Sends away who has waited too long, then admits as many as there are places for.
    fn advance(self: &Arc<Self>, now: Timestamp) {
        let (stale, admitted) = {
            let mut state = self.lock();
            let stale = state.take_stale(now);
            let mut admitted = Vec::new();
            while state.admitted < self.most_admitted() {
                let Some(next) = state.next_in_turn() else { break };
                state.admitted = state.admitted.saturating_add(1);
                state.waited = state.waited.saturating_add(now.since(next.since));
                admitted.push(next);
            }
            (stale, admitted)
        };
        for waiter in stale {
            let _gone = waiter.answer.send(Err(Busy::new(LONGEST_WAIT)));
        }
        for waiter in admitted {
            // Where the waiter has just gone, the place comes back here and its drop admits the next one.
            let _gone = waiter.answer.send(Ok(Place {
                gate: Arc::clone(self),
            }));
        }
    }

    fn most_admitted(&self) -> usize {
        self.permits.saturating_mul(PLACES_PER_PERMIT)
    }

    fn longest_line(&self) -> usize {
        self.permits.saturating_mul(LINE_PER_PERMIT)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements that could panic, so a poisoned lock is a good one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn line(&mut self, line: Line) -> &mut VecDeque<Waiter> {
        match line {
            Line::Known => &mut self.known,
            Line::Stranger => &mut self.strangers,
        }
    }

    fn nobody_waits(&self) -> bool {
        self.known.is_empty() && self.strangers.is_empty()
    }

    fn turn_away(&mut self) -> Busy {
        self.busy_answers = self.busy_answers.saturating_add(1);
        Busy::new(LONGEST_WAIT)
    }

    /// Lines are in order of arrival, so whoever waited too long stands at a head.
    fn take_stale(&mut self, now: Timestamp) -> Vec<Waiter> {
        let mut stale = Vec::new();
        for line in [Line::Known, Line::Stranger] {
            let line = self.line(line);
            while line
                .front()
                .is_some_and(|head| now.since(head.since) >= LONGEST_WAIT)
            {
                stale.extend(line.pop_front());
            }
        }
        let count = u64::try_from(stale.len()).unwrap_or(u64::MAX);
        self.busy_answers = self.busy_answers.saturating_add(count);
        stale
    }

    fn next_in_turn(&mut self) -> Option<Waiter> {
        if self.strangers.is_empty() {
            self.known_in_a_row = 0;
            return self.known.pop_front();
        }
        if self.known_in_a_row < KNOWN_PER_STRANGER
            && let Some(known) = self.known.pop_front()
        {
            self.known_in_a_row = self.known_in_a_row.saturating_add(1);
            return Some(known);
        }
        self.known_in_a_row = 0;
        self.strangers.pop_front()
    }
}

/// A place in a line; leaving it, for whatever reason, takes the waiter out.
struct Waiting<'a> {
    gate: &'a Gate,
    line: Line,
    number: u64,
    turn: oneshot::Receiver<Result<Place, Busy>>,
}

impl Waiting<'_> {
    async fn turn(mut self) -> Result<Place, Busy> {
        match (&mut self.turn).await {
            Ok(answer) => answer,
            // The gate closed.
            Err(_) => Err(self.gate.lock().turn_away()),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        let line = state.line(self.line);
        let found = line.iter().position(|waiter| waiter.number == self.number);
        let left = found.and_then(|at| line.remove(at));
        drop(state);
        // Dropped without the lock, as is the channel behind it, which may hold a place that nobody took.
        drop(left);
    }
}

/// One of the places behind the gate; dropping it lets the next one in.
pub(super) struct Place {
    gate: Arc<Gate>,
}

impl Place {
    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = self.gate.lock();
            state.admitted = state.admitted.saturating_sub(1);
        }
        self.gate.advance(self.gate.clock.now());
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&self.stats()).finish()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(..)")
    }
}

/// Whoever has waited this long is sent away; it is also when those who wait now are all gone.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// One is hashed while another charges the database, so that no thread idles behind a charge.
const PLACES_PER_PERMIT: usize = 2;
const LINE_PER_PERMIT: usize = 64;
const KNOWN_PER_STRANGER: u8 = 3;
