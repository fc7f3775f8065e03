//! Session checks, sign-ins and the first step of a registration, on each store.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros have no docs, and a bench that cannot go on says so and ends"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};
use portal_auth::password::hash::HashParams;
use portal_auth_benches::bare::Kernel;
use portal_auth_benches::house::{House, Kind};
use tokio::runtime::Runtime;

const ACCOUNTS: u32 = 16;

fn accounts(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    for kind in Kind::ALL {
        let open = |kernel, params| runtime.block_on(House::new(kind, kernel, params, ACCOUNTS));
        session_check(c, &runtime, kind, &open(Kernel::Fast, HashParams::cheapest()));
        for kernel in Kernel::ALL {
            sign_in(
                c,
                &runtime,
                &format!("{kind}, {kernel}"),
                &open(kernel, HashParams::DEFAULT),
            );
        }
        let cheapest = open(Kernel::Fast, HashParams::cheapest());
        sign_in(c, &runtime, &format!("{kind}, cheapest hash"), &cheapest);
    }
}

fn session_check(c: &mut Criterion, runtime: &Runtime, kind: Kind, house: &House) {
    let session = runtime.block_on(house.sign_in(0)).unwrap().session;
    c.bench_function(&format!("session check/{kind}"), |b| {
        b.to_async(runtime).iter(|| house.check(&session));
    });
}

fn sign_in(c: &mut Criterion, runtime: &Runtime, name: &str, house: &House) {
    let n = AtomicUsize::new(0);
    let mut group = c.benchmark_group("sign-in");
    group.sample_size(40);
    group.bench_function(name, |b| {
        b.to_async(runtime)
            .iter(async || house.sign_in(n.fetch_add(1, Ordering::Relaxed)).await.unwrap());
    });
    group.finish();
    let mut group = c.benchmark_group("registration, first step");
    group.sample_size(20);
    group.bench_function(name, |b| {
        b.to_async(runtime).iter(|| house.register("kim@school.example"))
    });
    group.finish();
}

criterion_group!(benches, accounts);
criterion_main!(benches);
