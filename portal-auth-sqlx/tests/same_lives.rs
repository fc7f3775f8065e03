//! One life on three stores at once, step by step: the answers and the rows must be the same, no invariant may break,
//! and nothing secret may stand in a table in plain text.
//!
//! `PORTAL_AUTH_SAME_LIVES` is how many lives are lived, 4 where it is not set.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../../portal-auth/tests/machine/mod.rs"]
mod machine;
mod support;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use machine::acts::{Act, Lives, Plan};
use machine::faults::Fault;
use machine::life::Life;
use portal_auth::store::Store;
use portal_auth::store::in_memory::InMemoryStore;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine as _, StateMachineTest};
use tokio::runtime::Runtime;

const TABLES: [&str; 13] = [
    "portal_accounts",
    "portal_audit",
    "portal_audit_seals",
    "portal_challenges",
    "portal_devices",
    "portal_drafts",
    "portal_email_claims",
    "portal_links",
    "portal_outbox",
    "portal_quotas",
    "portal_registrations",
    "portal_sessions",
    "portal_throttle",
];

/// Both databases, emptied for every life.
struct Ground {
    runtime: Runtime,
    postgres: support::Postgres,
    sqlite: support::Sqlite,
    stores: [Arc<dyn Store>; 2],
}

impl Ground {
    fn laid() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (postgres, sqlite, stores) = runtime.block_on(async {
            let (postgres, sqlite) = (support::Postgres::fresh().await, support::Sqlite::fresh());
            let stores = [postgres.store().await, sqlite.store().await];
            (postgres, sqlite, stores)
        });
        Self {
            runtime,
            postgres,
            sqlite,
            stores,
        }
    }

    async fn clear(&self) {
        let statement = TABLES.map(|table| format!("DELETE FROM {table};")).concat();
        self.postgres.run(&statement).await;
        self.sqlite.run(&statement).await;
    }

    /// Every cell of every table, as text.
    async fn cells(&self) -> String {
        let mut all = Vec::new();
        for table in TABLES {
            all.extend(self.postgres.rows(table).await);
            all.extend(self.sqlite.rows(table).await);
        }
        all.join("\n")
    }
}

/// The databases go with the test that lays the ground, not with the process.
static GROUND: OnceLock<Mutex<Option<Ground>>> = OnceLock::new();

fn ground() -> MutexGuard<'static, Option<Ground>> {
    let ground = GROUND.get_or_init(|| Mutex::new(Some(Ground::laid())));
    ground.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same life, three times.
struct Thrice;

impl StateMachineTest for Thrice {
    type SystemUnderTest = Vec<Life>;
    type Reference = Lives;

    fn init_test(plan: &Plan) -> Vec<Life> {
        let held = ground();
        let ground = held.as_ref().unwrap();
        ground.runtime.block_on(async {
            ground.clear().await;
            let memory: Arc<dyn Store> = Arc::new(InMemoryStore::new());
            let mut lives = Vec::new();
            for store in [memory].into_iter().chain(ground.stores.clone()) {
                lives.push(Life::begin_written(plan, store, Fault::None, None, true).await);
            }
            compare(&lives);
            lives
        })
    }

    fn apply(mut lives: Vec<Life>, _: &Plan, act: Act) -> Vec<Life> {
        let held = ground();
        held.as_ref().unwrap().runtime.block_on(async {
            for life in &mut lives {
                life.step(&act).await;
            }
        });
        compare(&lives);
        lives
    }

    fn teardown(lives: Vec<Life>, _: Plan) {
        let held = ground();
        let ground = held.as_ref().unwrap();
        let cells = ground.runtime.block_on(ground.cells());
        i_12b_no_secret_stands_in_a_cell(&lives[0], &cells);
    }
}

fn compare(lives: &[Life]) {
    let (memory, others) = lives.split_first().unwrap();
    for (other, engine) in others.iter().zip(["PostgreSQL", "SQLite"]) {
        assert_eq!(memory.trace.last(), other.trace.last(), "{engine} differs");
    }
}

/// Tokens, passwords, answers and codes of the life: none is in a table.
fn i_12b_no_secret_stands_in_a_cell(life: &Life, cells: &str) {
    let secrets = life.secrets();
    assert!(cells.contains("@"), "something was written");
    for secret in &secrets {
        let found = cells.match_indices(secret.as_str()).any(|(at, _)| {
            // Six digits may stand in the middle of a number or of a hexadecimal text.
            let before = cells[..at].chars().next_back();
            let after = cells[at + secret.len()..].chars().next();
            let joined = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            secret.len() > 6 || !joined(before) && !joined(after)
        });
        assert!(!found, "I-12b: {} stands in a cell", &secret[..4]);
    }
}

#[test]
fn a_life_is_the_same_on_every_store() {
    let set = std::env::var("PORTAL_AUTH_SAME_LIVES").ok();
    let cases = set.map_or(4, |n| {
        n.parse()
            .unwrap_or_else(|_| panic!("PORTAL_AUTH_SAME_LIVES must be a number, not {n}"))
    });
    let config = Config {
        cases,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let lived = runner.run(&Lives::sequential_strategy(20..=60), |(plan, acts, seen)| {
        Thrice::test_sequential(config.clone(), plan, acts, seen);
        Ok(())
    });
    // Databases end before the threads that hold their connections do.
    drop(ground().take());
    if let Err(why) = lived {
        panic!("{why}");
    }
}
