//! For tests: the default engine, watched and held up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use super::argon2id::{Argon2Engine, Argon2Input, Argon2Worker, Argon2id, Builder, Engine};
use super::hash::HashParams;
use super::kept_blocks::KeptBlocks;
use crate::error::Fault;

/// The default engine, watched: it counts, and when armed it reports each start and waits to be let on.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) armed: AtomicBool,
    pub(super) panics: AtomicBool,
    pub(super) workers: AtomicU64,
    pub(super) workers_gone: AtomicU64,
    pub(super) allocations: AtomicU64,
    costs: Mutex<Vec<HashParams>>,
    pub(super) started: Sender<()>,
    pub(super) go_on: Mutex<Receiver<()>>,
}

pub(super) struct WatchedWorker {
    inner: KeptBlocks,
    watch: Arc<Watched>,
}

#[derive(Debug)]
pub(super) struct WatchedEngine(Arc<Watched>);

impl Argon2Engine for WatchedEngine {
    fn name(&self) -> &'static str {
        "watched"
    }

    fn worker(&self, kept: HashParams) -> Box<dyn Argon2Worker> {
        self.0.workers.fetch_add(1, Ordering::SeqCst);
        Box::new(WatchedWorker {
            inner: KeptBlocks::new(kept),
            watch: Arc::clone(&self.0),
        })
    }
}

impl Argon2Worker for WatchedWorker {
    fn fill(&mut self, params: &HashParams, input: &Argon2Input<'_>, tag: &mut [u8]) -> Result<(), Fault> {
        if self.watch.armed.load(Ordering::SeqCst) {
            self.watch.started.send(()).unwrap();
            self.watch.go_on.lock().unwrap().recv().unwrap();
        }
        assert!(
            !self.watch.panics.swap(false, Ordering::SeqCst),
            "as the test asked"
        );
        let before = self.inner.allocations;
        let filled = self.inner.fill(params, input, tag);
        self.watch
            .allocations
            .fetch_add(self.inner.allocations.saturating_sub(before), Ordering::SeqCst);
        self.watch.costs.lock().unwrap().push(*params);
        filled
    }
}

impl Drop for WatchedWorker {
    fn drop(&mut self) {
        self.watch.workers_gone.fetch_add(1, Ordering::SeqCst);
    }
}

/// The test's end of a watched engine.
pub(super) struct Watch {
    pub(super) engine: Arc<Watched>,
    pub(super) started: Receiver<()>,
    pub(super) go_on: Sender<()>,
}

impl Watch {
    /// Forgets what the proof at the start did.
    pub(super) fn reset(&self) {
        self.engine.allocations.store(0, Ordering::SeqCst);
        self.engine.costs.lock().unwrap().clear();
    }

    pub(super) fn take_costs(&self) -> Vec<HashParams> {
        std::mem::take(&mut self.engine.costs.lock().unwrap())
    }
}

pub(super) fn watched(builder: Builder) -> (Argon2id, Watch) {
    let (started, starts) = mpsc::channel();
    let (go_on, go_ons) = mpsc::channel();
    let engine = Arc::new(Watched {
        armed: AtomicBool::new(false),
        panics: AtomicBool::new(false),
        workers: AtomicU64::new(0),
        workers_gone: AtomicU64::new(0),
        allocations: AtomicU64::new(0),
        costs: Mutex::default(),
        started,
        go_on: Mutex::new(go_ons),
    });
    let hasher = builder
        .engine(Engine::Custom(Arc::new(WatchedEngine(Arc::clone(&engine)))))
        .build()
        .unwrap();
    assert_eq!(hasher.engine(), "watched");
    let watch = Watch {
        engine,
        started: starts,
        go_on,
    };
    watch.reset();
    (hasher, watch)
}
