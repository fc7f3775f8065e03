//! Whether time tells who has an account (ENU-5): sign-ins with a wrong password, forgotten passwords and
//! registrations, for an address with an account and an unknown one in turns, at the real cost of a hash.
//!
//! Prints medians, their difference and the p of a permutation test, three runs of each after a warm-up; fails when the
//! medians are further apart than 3 ms and 5 %, or when chance does not explain two of three runs. Mails are queued,
//! not sent.
//!
//! An argument limits it to a store, such as `postgres`.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "a program that measures: its output is what it is for"
)]

use std::process::ExitCode;
use std::time::Duration;

use portal_auth::password::hash::HashParams;
use portal_auth::secret::token::DraftToken;
use portal_auth_benches::bare::Kernel;
use portal_auth_benches::house::{Asked, House, Kind};
use test_rig::PairedTimes;
use tokio::time::Instant;

/// Pairs of a run, each about an account of its own.
const PAIRS: u32 = 400;
const RUNS: u32 = 3;
/// Pairs before them that count for nothing.
const WARM_UP: u32 = 50;

#[tokio::main]
async fn main() -> ExitCode {
    let only = std::env::args().nth(1).unwrap_or_default();
    let mut uniform = true;
    for kind in Kind::ALL {
        if !kind.to_string().contains(&only) {
            continue;
        }
        for asked in Asked::ALL {
            let measuring = tokio::spawn(is_uniform(kind, asked));
            uniform &= measuring.await.expect("a measurement");
        }
    }
    if uniform {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Three runs about one page, each over accounts that nobody has asked about yet.
async fn is_uniform(kind: Kind, asked: Asked) -> bool {
    let house = House::unvisited(kind, Kernel::Fast, HashParams::DEFAULT, WARM_UP + PAIRS * RUNS).await;
    for n in 0..WARM_UP {
        pair(&house, asked, n).await;
    }
    let (mut all_near, mut chances) = (true, 0);
    for run in 0..RUNS {
        let mut times = PairedTimes::default();
        for n in 0..PAIRS {
            let [known, unknown] = pair(&house, asked, WARM_UP + run * PAIRS + n).await;
            times.note(known, unknown);
        }
        let verdict = times.verdict(u64::from(run));
        println!("{kind:8} {asked:18} {verdict}");
        all_near &= verdict.is_near();
        chances += u32::from(verdict.is_chance());
    }
    all_near && chances >= 2
}

/// How long the answers about an account's address and an unknown one as long take; now this is asked about first, now
/// that.
async fn pair(house: &House, asked: Asked, account: u32) -> [Duration; 2] {
    let known = house.email(account);
    let nobody = known.replacen("person", "nobody", 1);
    let drafts = [
        house.prepare(asked, &known).await,
        house.prepare(asked, &nobody).await,
    ];
    let [known_draft, unknown_draft] = &drafts;
    let (known, nobody) = ((&known, known_draft), (&nobody, unknown_draft));
    if account.is_multiple_of(2) {
        let known = time(house, asked, known).await;
        [known, time(house, asked, nobody).await]
    } else {
        let nobody = time(house, asked, nobody).await;
        [time(house, asked, known).await, nobody]
    }
}

async fn time(house: &House, asked: Asked, (address, draft): (&String, &Option<DraftToken>)) -> Duration {
    let begun = Instant::now();
    house.ask(asked, address, draft.as_ref()).await;
    begun.elapsed()
}
