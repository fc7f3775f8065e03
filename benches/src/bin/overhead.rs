//! What a sign-in costs beside its hash: processor time of a whole sign-in, PostgreSQL's included, less that of one
//! bare hash of the same engine with kept memory. The goal is 0.6 ms on SQLite and PostgreSQL.
//!
//! Hashes and sign-ins take turns, so that whatever else the machine does touches both; medians are printed. The
//! second line of each pair is the same with the cheapest hash, which shows the library's part alone: it finds its code
//! and data in the caches that a hash of 19 MiB empties. The floor is what the driver and the database take for the
//! three statements that no sign-in can do without, measured in the same way.
//!
//! An argument limits it to lines that contain it, such as `sqlite` or `postgres argon2-rust`.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that measures: its output is what it is for"
)]

use std::time::Duration;

use portal_auth::password::hash::HashParams;
use portal_auth_benches::bare::{Bare, Kernel};
use portal_auth_benches::floor::Floor;
use portal_auth_benches::house::{House, Kind, PASSWORD};
use portal_auth_benches::usage::{cpu_with, own_cpu};

const ACCOUNTS: u32 = 16;

#[tokio::main]
async fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    for kind in Kind::ALL {
        for kernel in Kernel::ALL {
            if !format!("{kind} {kernel}").contains(&only) {
                continue;
            }
            for (params, rounds) in [(HashParams::DEFAULT, 150), (HashParams::cheapest(), 600)] {
                // As a server does it: on one of the runtime's own threads.
                let measuring = tokio::spawn(measure(kind, kernel, params, rounds));
                measuring.await.expect("a measurement");
            }
        }
    }
}

async fn measure(kind: Kind, kernel: Kernel, params: HashParams, rounds: usize) {
    // First, so that it has no connection that the house does not know of.
    let mut floor = Floor::of(kind).await;
    let house = House::new(kind, kernel, params, ACCOUNTS).await;
    let ground = floor
        .as_ref()
        .map(|floor| floor.servers.clone())
        .unwrap_or_default();
    let mut bare = Bare::new(kernel, &params);
    let mut hash = || std::hint::black_box(bare.tag(PASSWORD.as_bytes()));
    let [mut hashes, mut known, mut new, mut own, mut least, mut nothing] = [const { Vec::new() }; 6];
    for n in 0..rounds {
        // What reading the clocks costs is taken off again.
        let at = cpu_with(&house.servers);
        let begun = cpu_with(&house.servers);
        nothing.push(begun.saturating_sub(at));
        hash();
        let own_before = own_cpu();
        let hashed = cpu_with(&house.servers);
        hashes.push(hashed.saturating_sub(begun));
        house.sign_in(n).await.expect("the right password");
        let own_after = own_cpu();
        let signed_in = cpu_with(&house.servers);
        known.push(signed_in.saturating_sub(hashed));
        own.push(own_after.saturating_sub(own_before));
        house.sign_in_anew(n).await.expect("the right password");
        new.push(cpu_with(&house.servers).saturating_sub(signed_in));
        if let Some(floor) = &mut floor {
            hash();
            let begun = cpu_with(&ground);
            floor.touch().await;
            least.push(cpu_with(&ground).saturating_sub(begun));
        }
    }
    assert!(
        house.knows_its_servers(),
        "a connection was made whose server is in no measurement"
    );
    let reading = median(nothing);
    let [hash, known, new, own, least] =
        [hashes, known, new, own, least].map(|times| millis(median(times).saturating_sub(reading)));
    println!(
        "{kind:8} {kernel:11} m={:<5} hash {hash:7.3} ms   sign-in {known:7.3} ms, beside the hash {:6.3} ms (database \
         server {:6.3})   from a new browser {:6.3} ms   floor {least:6.3} ms",
        params.memory_kib(),
        known - hash,
        known - own,
        new - hash,
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
