//! Tokens: what is done before any query.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros have no docs, and a bench that cannot go on says so and ends"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use portal_auth::environment::SystemEntropy;
use portal_auth::secret::keyring::Keyring;
use portal_auth::secret::token::{Purpose, SessionToken};
use portal_auth::testkit::tokens::{is_genuine, make};

fn tokens(c: &mut Criterion) {
    let entropy = SystemEntropy::default();
    let keyring = Keyring::random(&entropy).unwrap();
    let genuine = make(&keyring, Purpose::Session, &entropy).unwrap();
    let forged = make(&keyring, Purpose::Device, &entropy).unwrap();
    let mut group = c.benchmark_group("token");
    group.bench_function("make", |b| {
        b.iter(|| make(&keyring, Purpose::Session, &entropy).unwrap())
    });
    group.bench_function("read", |b| {
        b.iter(|| SessionToken::parse(black_box(&genuine)).unwrap())
    });
    group.bench_function("check, genuine", |b| {
        b.iter(|| assert!(is_genuine(&keyring, Purpose::Session, black_box(&genuine))));
    });
    group.bench_function("check, of another purpose", |b| {
        b.iter(|| assert!(!is_genuine(&keyring, Purpose::Session, black_box(&forged))));
    });
    group.finish();
}

criterion_group!(benches, tokens);
criterion_main!(benches);
