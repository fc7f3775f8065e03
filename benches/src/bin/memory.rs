//! Sixty-four sign-ins at once at the real cost: peak memory against start + permits × cost + 32 MiB.
//!
//! Prints a line for each engine and fails when one is over.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::process::ExitCode;
use std::sync::Arc;

use portal_auth::error::Denied;
use portal_auth::password::hash::HashParams;
use portal_auth_benches::bare::Kernel;
use portal_auth_benches::house::{House, Kind};
use portal_auth_benches::usage::{forget_peak, peak, resident};

const CLIENTS: u32 = 64;
const ROUNDS: usize = 4;
const MIB: u64 = 1 << 20;
const SLACK: u64 = 32 * MIB;

#[tokio::main]
async fn main() -> ExitCode {
    let mut all_within = true;
    for kernel in Kernel::ALL {
        all_within &= storm(kernel).await;
    }
    if all_within {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn storm(kernel: Kernel) -> bool {
    let cost = HashParams::DEFAULT;
    // What the process needs before anybody signs in; the hashing threads take their blocks with the first hash.
    let start = resident();
    let house = Arc::new(House::new(Kind::Sqlite, kernel, cost, CLIENTS).await);
    if let Err(e) = forget_peak() {
        println!("{kernel}: the peak cannot be measured here: {e}");
        return false;
    }
    let (mut done, mut busy) = (0_u32, 0_u32);
    for _ in 0..ROUNDS {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let house = Arc::clone(&house);
                tokio::spawn(async move { house.sign_in(usize::try_from(n).unwrap_or(0)).await.map(drop) })
            })
            .collect();
        for client in clients {
            match client.await {
                Ok(Ok(())) => done = done.saturating_add(1),
                Ok(Err(Denied::Busy { .. })) => busy = busy.saturating_add(1),
                other => println!("{kernel}: {other:?}"),
            }
        }
    }
    let permits = u64::try_from(house.auth.counts().gate.permits).unwrap_or(u64::MAX);
    let hashing = permits
        .saturating_mul(u64::from(cost.memory_kib()))
        .saturating_mul(1024);
    let (most, limit) = (peak(), start.saturating_add(hashing).saturating_add(SLACK));
    let in_mib = |bytes: u64| bytes.checked_div(MIB).unwrap_or(0);
    println!(
        "{kernel}: {CLIENTS} at once, {ROUNDS} times: {done} signed in, {busy} told busy; start {} MiB, peak {} MiB, limit \
         {} MiB ({permits} permits)",
        in_mib(start),
        in_mib(most),
        in_mib(limit)
    );
    done >= CLIENTS && most <= limit
}
