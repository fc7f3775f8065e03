//! A password hash: the bare crates, with and without memory of their own, beside the library's gate and threads.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros have no docs, and a bench that cannot go on says so and ends"
)]

use std::hint::black_box;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use criterion::{Criterion, criterion_group, criterion_main};
use portal_auth::environment::{SystemClock, SystemEntropy};
use portal_auth::password::argon2id::Argon2id;
use portal_auth::password::hash::{HashParams, Line, PasswordHasher as _, Pepper, SecretBytes};
use portal_auth_benches::bare::{Bare, Kernel};
use portal_auth_benches::house::PASSWORD;

fn hashing(c: &mut Criterion) {
    let params = HashParams::DEFAULT;
    let mut group = c.benchmark_group("hash 19456/2/1");
    group.sample_size(40);
    group.bench_function("argon2, its own memory", |b| {
        let cost = Params::new(params.memory_kib(), params.passes(), params.lanes(), Some(32)).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
        b.iter(|| {
            let mut tag = [0; 32];
            let done = argon2.hash_password_into(PASSWORD.as_bytes(), b"0123456789abcdef", &mut tag);
            done.unwrap();
            black_box(tag)
        });
    });
    for kernel in Kernel::ALL {
        let mut bare = Bare::new(kernel, &params);
        group.bench_function(format!("{kernel}, kept memory"), |b| {
            b.iter(|| bare.tag(black_box(PASSWORD.as_bytes())));
        });
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for kernel in Kernel::ALL {
        let (clock, entropy) = (
            Arc::new(SystemClock::default()),
            Arc::new(SystemEntropy::default()),
        );
        let builder = Argon2id::builder(clock, entropy)
            .params(params)
            .engine(kernel.engine());
        let hasher = builder.build().unwrap();
        group.bench_function(format!("{kernel}, behind the gate"), |b| {
            b.to_async(&runtime).iter(async || {
                let mut slot = hasher.enter(Line::Known).await.unwrap();
                slot.hash(SecretBytes::from(PASSWORD), Pepper::None)
                    .await
                    .unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hashing);
criterion_main!(benches);
