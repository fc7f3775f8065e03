//! The attacks that are measured: nothing else may run beside them, so they are a program of their own and take turns.
//!
//! Like the others they run over HTTP against the real program, on SQLite and on PostgreSQL, and print one line each.
#![cfg(feature = "test-support")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::future_not_send,
    dead_code,
    unreachable_pub,
    reason = "a test ends at what it did not expect, and shares what it needs with the other attacks"
)]

#[path = "../rig/mod.rs"]
mod rig;

#[path = "../attacks/chance.rs"]
mod chance;
#[path = "../attacks/crowd.rs"]
mod crowd;
#[path = "../attacks/people.rs"]
mod people;
#[path = "../attacks/report.rs"]
mod report;

mod hash_exhaustion;
mod timing;

use tokio::sync::{Mutex, MutexGuard};

use crate::rig::{Database, Site};

/// Waits until no other case runs.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// A site that hashes as it does for real.
fn site_at_real_cost(database: Database) -> Site {
    let mut site = Site::new(database).behind_a_proxy();
    site.set("PORTAL_TEST_CHEAP_HASH", "false");
    // Longer than an unoptimised build takes with a hash; less than the default, so that a thousand answers are no long
    // wait.
    site.set("PORTAL_ANSWER_STEP", "80ms");
    site
}

#[test]
fn every_attack_is_a_case_of_one_of_the_two_programs() {
    let mut numbers = Vec::new();
    for program in ["attacks", "attacks_alone"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(program);
        for file in std::fs::read_dir(folder).unwrap() {
            let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let cases = source.split("\nattack_cases! {\n").nth(1).unwrap_or_default();
            for case in cases.lines().take_while(|line| *line != "}") {
                let number = case
                    .trim()
                    .strip_prefix("p_")
                    .and_then(|name| name.split('_').next());
                numbers.push(number.unwrap().parse::<u32>().unwrap());
            }
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=52).collect::<Vec<_>>());
}
