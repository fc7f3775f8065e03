//! The hasher as a whole: texts, verdicts, threads and memory, with an engine that can be watched and held up.

use std::error::Error as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::Password;
use super::argon2id::{Argon2id, Builder, Engine, StartError};
use super::hash::*;
use super::watched_engine::watched;
use crate::environment::{Entropy, SystemClock, SystemEntropy};
use crate::error::Fault;

fn cheap() -> Builder {
    Argon2id::builder(Arc::new(SystemClock), Arc::new(SystemEntropy))
        .params(HashParams::cheapest())
        .permits(1)
}

fn peppers(ids: &[&str]) -> Peppers {
    ids.iter().zip(1..).fold(Peppers::none(), |all, (id, byte)| {
        all.with_older(PepperId::parse(id).unwrap(), Zeroizing::new(vec![byte; 32]))
            .unwrap()
    })
}

/// Every engine that comes with the crate.
fn engines() -> Vec<Engine> {
    vec![
        Engine::RustCrypto,
        #[cfg(feature = "fast-argon2")]
        Engine::Fast,
    ]
}

async fn slot(hasher: &Argon2id) -> Box<dyn HashingSlot> {
    hasher.enter(Line::Stranger).await.unwrap()
}

#[derive(Debug)]
struct SameSalt;

impl Entropy for SameSalt {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        bytes.fill(0x2a);
        Ok(())
    }
}

#[tokio::test]
async fn the_stored_text_is_what_the_argon2_crate_writes() {
    // HASH-1
    let builder = || Argon2id::builder(Arc::new(SystemClock), Arc::new(SameSalt)).peppers(peppers(&["k1"]));
    let oracle_params = Params::new(19_456, 2, 1, Some(32)).unwrap();
    let (plain, key) = (b"correct horse", [1; 32]);
    let oracle = Argon2::new(Algorithm::Argon2id, Version::V0x13, oracle_params.clone());
    let expected = oracle
        .hash_password_with_salt(plain, &[0x2a; 16])
        .unwrap()
        .to_string();
    let oracle = Argon2::new_with_secret(&key, Algorithm::Argon2id, Version::V0x13, oracle_params).unwrap();
    let peppered = format!(
        "pepper=k1{}",
        oracle.hash_password_with_salt(plain, &[0x2a; 16]).unwrap()
    );

    for engine in engines() {
        let hasher = builder().engine(engine).build().unwrap();
        let mut slot = slot(&hasher).await;
        let typed = Password::from("correct horse");
        assert_eq!(
            slot.hash((&typed).into(), Pepper::None).await.unwrap().as_str(),
            expected
        );
        assert_eq!(
            slot.hash((&typed).into(), Pepper::Current)
                .await
                .unwrap()
                .as_str(),
            peppered
        );
    }
}

#[tokio::test]
async fn one_slot_hashes_a_password_and_an_answer_on_one_place() {
    // HASH-5
    let hasher = cheap().peppers(peppers(&["k1"])).build().unwrap();
    let mut slot = slot(&hasher).await;
    let password = slot.hash("password".into(), Pepper::None).await.unwrap();
    assert_eq!(hasher.stats().admitted, 1);
    let answer = slot.hash("answer".into(), Pepper::Current).await.unwrap();
    assert!(
        answer
            .as_str()
            .starts_with("pepper=k1$argon2id$v=19$m=8,t=1,p=1$")
    );
    assert_eq!(
        slot.verify(&password, "password".into(), Pepper::None)
            .await
            .unwrap(),
        Verdict::Right { needs_rehash: false }
    );
    assert_eq!(
        slot.verify(&answer, "answer".into(), Pepper::Current)
            .await
            .unwrap(),
        Verdict::Right { needs_rehash: false }
    );
    assert_eq!(
        slot.verify(&answer, "Answer".into(), Pepper::Current)
            .await
            .unwrap(),
        Verdict::Wrong
    );
    drop(slot);
    let stats = hasher.stats();
    assert_eq!((stats.admitted, stats.running, stats.hashes_done), (0, 0, 5));
}

#[tokio::test]
async fn older_peppers_verify_and_ask_for_a_rehash() {
    // HASH-4, HASH-5
    let old = cheap().peppers(peppers(&["k1"])).build().unwrap();
    let stored = slot(&old)
        .await
        .hash("answer".into(), Pepper::Current)
        .await
        .unwrap();
    let keys = Peppers::new(PepperId::parse("k2").unwrap(), Zeroizing::new(vec![9; 32]))
        .unwrap()
        .with_older(PepperId::parse("k1").unwrap(), Zeroizing::new(vec![1; 32]))
        .unwrap();
    let new = cheap().peppers(keys).build().unwrap();
    let mut slot = slot(&new).await;
    assert_eq!(
        slot.verify(&stored, "answer".into(), Pepper::Current)
            .await
            .unwrap(),
        Verdict::Right { needs_rehash: true }
    );
    let again = slot.hash("answer".into(), Pepper::Current).await.unwrap();
    assert_eq!(
        slot.verify(&again, "answer".into(), Pepper::Current)
            .await
            .unwrap(),
        Verdict::Right { needs_rehash: false }
    );
}

#[tokio::test]
async fn a_record_that_cannot_be_checked_is_a_fault_and_costs_a_whole_hash() {
    // HASH-4, HASH-5, HASH-7
    let (hasher, watch) = watched(cheap().peppers(peppers(&["k1"])));
    let mut slot = slot(&hasher).await;
    let good = slot.hash("secret".into(), Pepper::None).await.unwrap();
    watch.reset();
    let causes = [
        (
            StoredHash::from_column("rubbish".to_owned()),
            "the stored hash is not in the form that is written here",
        ),
        (
            StoredHash::from_column(good.as_str().replace("m=8,", "m=1048577,")),
            "the stored hash has a cost that is not accepted",
        ),
        (
            StoredHash::from_column(format!("pepper=gone{}", good.as_str())),
            "there is no pepper key gone",
        ),
    ];
    for (broken, cause) in causes {
        let fault = slot
            .verify(&broken, "secret".into(), Pepper::None)
            .await
            .unwrap_err();
        assert_eq!(fault.source().unwrap().to_string(), cause);
        assert!(!fault.is_transient());
        assert_eq!(watch.take_costs(), [HashParams::cheapest()], "{cause}");
    }
    let bare = cheap().build().unwrap();
    let mut slot = self::slot(&bare).await;
    assert!(
        slot.hash("secret".into(), Pepper::Current).await.is_err(),
        "no key must never mean no pepper"
    );
    assert!(
        slot.verify(&good, "secret".into(), Pepper::Current)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_dummy_costs_what_a_verification_costs_and_is_always_wrong() {
    // ENU-2, HASH-3
    let (hasher, watch) = watched(cheap());
    let mut slot = slot(&hasher).await;
    let longest = "é".repeat(MAX_SECRET_BYTES / 2);
    let stored = slot.hash(longest.as_str().into(), Pepper::None).await.unwrap();
    watch.reset();
    assert!(
        slot.verify(&stored, longest.as_str().into(), Pepper::None)
            .await
            .unwrap()
            .is_right()
    );
    let a_verification = watch.take_costs();
    assert_eq!(a_verification.len(), 1);
    for secret in ["", "secret", &longest] {
        assert_eq!(slot.verify_dummy(secret.into()).await.unwrap(), Verdict::Wrong);
        assert_eq!(watch.take_costs(), a_verification);
    }
    let too_long = format!("{longest}x");
    assert_eq!(
        slot.verify(&stored, too_long.as_str().into(), Pepper::None)
            .await
            .unwrap(),
        Verdict::Wrong
    );
    assert_eq!(watch.take_costs(), a_verification);
    assert!(slot.hash(too_long.as_str().into(), Pepper::None).await.is_err());
}

#[tokio::test]
async fn sixty_four_hashes_at_once_share_one_run_of_memory() {
    // HASH-2
    let (hasher, watch) = watched(cheap());
    let hasher = Arc::new(hasher);
    let people: Vec<_> = (0..64)
        .map(|n| {
            let hasher = Arc::clone(&hasher);
            tokio::spawn(async move {
                let mut slot = hasher.enter(Line::Known).await.unwrap();
                slot.hash(format!("password {n}").as_str().into(), Pepper::None)
                    .await
                    .unwrap()
            })
        })
        .collect();
    for person in people {
        person.await.unwrap();
    }
    assert_eq!(watch.engine.allocations.load(Ordering::SeqCst), 1);
    assert_eq!(
        watch.engine.workers.load(Ordering::SeqCst),
        2,
        "one for the proof, one for the thread"
    );
    assert_eq!((hasher.stats().hashes_done, hasher.stats().permits), (64, 1));
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_free_the_place_early() {
    // HASH-2
    let (hasher, watch) = watched(cheap());
    let mut first = slot(&hasher).await;
    let second = slot(&hasher).await;
    watch.engine.armed.store(true, Ordering::SeqCst);
    {
        let mut hashing = pin!(first.hash("secret".into(), Pepper::None));
        assert!(
            hashing
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        watch.started.recv().unwrap();
    }
    assert!(
        first.hash("secret".into(), Pepper::None).await.is_err(),
        "the slot's place went with the job"
    );
    drop(first);
    let mut third = hasher.enter(Line::Known);
    assert!(
        third
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    let stats = hasher.stats();
    assert_eq!((stats.admitted, stats.running, stats.waiting_known), (2, 1, 1));

    watch.go_on.send(()).unwrap();
    let third = third.await.unwrap();
    assert_eq!((hasher.stats().admitted, hasher.stats().hashes_done), (2, 1));
    drop((second, third));
    assert_eq!(hasher.stats().admitted, 0);
}

#[tokio::test]
async fn an_engine_that_panics_costs_neither_a_thread_nor_a_place() {
    let (hasher, watch) = watched(cheap());
    let mut slot = slot(&hasher).await;
    watch.engine.panics.store(true, Ordering::SeqCst);
    assert!(
        slot.hash("secret".into(), Pepper::None)
            .await
            .unwrap_err()
            .is_transient()
    );
    let mut slot = self::slot(&hasher).await;
    slot.hash("secret".into(), Pepper::None).await.unwrap();
    assert_eq!((hasher.stats().admitted, hasher.stats().running), (1, 0));
}

#[tokio::test]
async fn dropping_the_hasher_ends_its_threads_and_the_hash_in_hand_is_finished() {
    let (hasher, watch) = watched(cheap());
    let (mut first, mut second) = (slot(&hasher).await, slot(&hasher).await);
    watch.engine.armed.store(true, Ordering::SeqCst);
    let mut in_hand = first.hash("secret".into(), Pepper::None);
    assert!(
        in_hand
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    watch.started.recv().unwrap();
    let mut queued = second.hash("secret".into(), Pepper::None);
    assert!(
        queued
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );

    let dropping = std::thread::spawn(move || drop(hasher));
    assert!(
        queued.await.unwrap_err().is_transient(),
        "what was only queued is given up"
    );
    watch.go_on.send(()).unwrap();
    in_hand.await.unwrap();
    dropping.join().unwrap();
    let engine = &watch.engine;
    assert_eq!(
        engine.workers_gone.load(Ordering::SeqCst),
        engine.workers.load(Ordering::SeqCst)
    );
    drop(second);
    assert!(first.hash("secret".into(), Pepper::None).await.is_err());
}

#[test]
fn a_weak_cost_or_no_permit_does_not_start() {
    // HASH-1
    let weak = cheap().params(HashParams::new(19_455, 2, 1)).build().unwrap_err();
    assert!(matches!(
        weak,
        StartError::Params(HashParamsError::BelowFloor {
            needed_kib: 19_456,
            ..
        })
    ));
    assert!(matches!(
        cheap().permits(0).build().unwrap_err(),
        StartError::NoPermits
    ));
}

#[test]
fn permits_are_bounded_by_cores_and_memory() {
    // HASH-2
    let all = cheap().permits(usize::MAX).build().unwrap();
    assert_eq!(
        all.stats().permits,
        std::thread::available_parallelism().unwrap().get()
    );
    // Nothing is hashed here, so no thread has taken its memory yet.
    let huge = cheap()
        .params(HashParams::new(524_288, 1, 1))
        .permits(usize::MAX)
        .build()
        .unwrap();
    assert_eq!(huge.stats().permits, 1);
}

/// A secret and one that is nearly the same: cut, folded, blanked, or with one character changed.
fn a_near_miss() -> impl Strategy<Value = (String, String)> {
    let secret = prop_oneof!["[a-zA-Z0-9 ]{1,64}", "\\PC{1,128}"];
    (secret, 0..6_u8, any::<prop::sample::Index>()).prop_map(|(secret, how, at)| {
        let mut chars: Vec<char> = secret.chars().collect();
        let at = at.index(chars.len());
        let near = match how {
            0 => secret.clone(),
            1 => chars[..at].iter().collect(),
            2 => secret.to_uppercase(),
            3 => secret.to_lowercase(),
            4 => format!("{secret} "),
            _ => {
                chars[at] = if chars[at] == 'x' { 'y' } else { 'x' };
                chars.iter().collect()
            }
        };
        (secret, near)
    })
}

proptest! {
    #[test]
    fn i_30_only_the_very_same_bytes_verify((secret, other) in a_near_miss(), pepper in any::<bool>()) {
        // I-30, HASH-6
        let pepper = if pepper { Pepper::Current } else { Pepper::None };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let verdict = runtime.block_on(async {
            let hasher = cheap().peppers(peppers(&["k1"])).build().unwrap();
            let mut slot = slot(&hasher).await;
            let stored = slot.hash(secret.as_str().into(), pepper).await.unwrap();
            slot.verify(&stored, other.as_str().into(), pepper).await.unwrap()
        });
        prop_assert_eq!(verdict.is_right(), secret.as_bytes() == other.as_bytes());
    }
}
