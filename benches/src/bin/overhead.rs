//! What a sign-in costs beside its hash: processor time of a whole sign-in, PostgreSQL's included, less that of one
//! bare hash of the same engine with kept memory. The goal is 0.6 ms on SQLite and PostgreSQL.
//!
//! Hashes and sign-ins take turns, so that whatever else the machine does touches both; medians are printed. The
//! second line of each pair is the same with the cheapest hash, which shows the library's part alone.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that measures: its output is what it is for"
)]

use std::time::Duration;

use portal_auth::password::hash::HashParams;
use portal_auth_benches::bare::{Bare, Kernel};
use portal_auth_benches::house::{House, Kind, PASSWORD};
use portal_auth_benches::usage::cpu_with;

const ACCOUNTS: u32 = 16;

#[tokio::main]
async fn main() {
    for kind in Kind::ALL {
        for kernel in Kernel::ALL {
            measure(kind, kernel, HashParams::DEFAULT, 150).await;
            measure(kind, kernel, HashParams::cheapest(), 600).await;
        }
    }
}

async fn measure(kind: Kind, kernel: Kernel, params: HashParams, rounds: usize) {
    let house = House::new(kind, kernel, params, ACCOUNTS).await;
    let mut bare = Bare::new(kernel, &params);
    let (mut hashes, mut known, mut new, mut nothing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in 0..rounds {
        // What reading the clocks costs is taken off again.
        let at = cpu_with(&house.servers);
        let begun = cpu_with(&house.servers);
        nothing.push(begun.saturating_sub(at));
        std::hint::black_box(bare.tag(PASSWORD.as_bytes()));
        let hashed = cpu_with(&house.servers);
        hashes.push(hashed.saturating_sub(begun));
        house.sign_in(n).await.expect("the right password");
        let signed_in = cpu_with(&house.servers);
        known.push(signed_in.saturating_sub(hashed));
        house.sign_in_anew(n).await.expect("the right password");
        new.push(cpu_with(&house.servers).saturating_sub(signed_in));
    }
    let reading = median(nothing);
    let [hash, known, new] = [hashes, known, new].map(|times| median(times).saturating_sub(reading));
    println!(
        "{kind:8} {kernel:11} m={:<5} hash {:7.3} ms   sign-in {:7.3} ms, beside the hash {:6.3} ms   from a new browser \
         {:6.3} ms",
        params.memory_kib(),
        millis(hash),
        millis(known),
        millis(known.saturating_sub(hash)),
        millis(new.saturating_sub(hash)),
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
