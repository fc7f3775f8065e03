//! PostgreSQL goes away and comes back; a query of every request is found by an index.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod support;

use std::time::Duration;

use portal_auth::mail::outbox::Claim;
use portal_auth::store::{
    AccountStore, DraftStore, Housekeeping, OutboxStore, PurgePlan, SessionStore, StoreError, ThrottleStore,
};
use portal_auth::throttle::{BucketKey, Charge, Ladder};
use portal_auth::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};
use portal_auth_sqlx::postgres::{PostgresOptions, PostgresStore};
use support::{T0, account, bytes, event, making, session};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends_make_calls_unavailable_and_then_work_again() {
    // DB-5
    let database = support::Postgres::fresh().await;
    let store = database.open().await;
    let owner = account(1);
    store.commit(making(&owner, 1)).await.unwrap();
    for round in 0..10_u32 {
        // Several connections lie in the pool, and all are ended.
        let reads = futures_all((0..4).map(|_| store.by_id(owner.id))).await;
        assert!(reads.into_iter().all(|read| read.is_ok()));
        support::administer(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            database.name()
        ))
        .await;
        let mut tries = 0;
        loop {
            let work = UnitOfWork::new(event(10 + round))
                .change(Change::Session(Box::new(Write::Insert(session(round, &owner)))));
            match store.commit(work).await {
                Ok(()) => break,
                Err(StoreError::Unavailable(_)) if tries < 10 => tries += 1,
                Err(e) => panic!("{e:?}"),
            }
        }
    }
    assert_eq!(store.sessions_of(owner.id).await.unwrap().len(), 10);
}

async fn futures_all<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(output) => {
                done.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_stays_locked_is_unavailable_and_nothing_is_written() {
    let database = support::Postgres::fresh().await;
    let patient = database.open().await;
    let mut options = PostgresOptions::default();
    options.lock_timeout = Duration::from_millis(50);
    let store = PostgresStore::connect(&database.url, &options).await.unwrap();
    let owner = account(1);
    patient.commit(making(&owner, 1)).await.unwrap();
    let mut holding = store.pool().begin().await.unwrap();
    sqlx::query("SELECT 1 FROM portal_accounts FOR UPDATE")
        .execute(&mut *holding)
        .await
        .unwrap();
    let work = || UnitOfWork::new(event(2)).change(Change::Account(Box::new(Write::Update(owner.clone()))));
    let answer = store.commit(work()).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    holding.rollback().await.unwrap();
    patient.commit(work()).await.unwrap();
    assert_eq!(store.by_id(owner.id).await.unwrap().unwrap().version, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_the_server_refused_is_known_not_to_have_happened() {
    // DB-5: its one statement is its commit, and a time-out of the server's is no lost answer.
    let database = support::Postgres::fresh().await;
    let patient = database.open().await;
    let mut options = PostgresOptions::default();
    options.lock_timeout = Duration::from_millis(50);
    let store = PostgresStore::connect(&database.url, &options).await.unwrap();
    let owner = account(1);
    patient.commit(making(&owner, 1)).await.unwrap();
    let sign_in = |n| {
        UnitOfWork::new(event(n))
            .guard(Guard::InEpoch {
                account: owner.id,
                epoch: owner.auth_epoch,
            })
            .change(Change::Session(Box::new(Write::Insert(session(n, &owner)))))
            .sweep(Sweep::KeepNewestSessions {
                account: owner.id,
                keep: 1,
            })
    };
    patient.commit(sign_in(2)).await.unwrap();
    let mut holding = patient.pool().begin().await.unwrap();
    sqlx::query("SELECT 1 FROM portal_sessions FOR UPDATE")
        .execute(&mut *holding)
        .await
        .unwrap();
    let answer = store.commit(sign_in(3)).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    holding.rollback().await.unwrap();
    assert!(store.session(session(2, &owner).key).await.unwrap().is_some());
    patient.commit(sign_in(3)).await.unwrap();
    assert!(store.session(session(2, &owner).key).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_has_every_connection_of_its_pool_when_the_store_rests() {
    let database = support::Postgres::fresh().await;
    let mut options = PostgresOptions::default();
    options.max_connections = 4;
    let store = PostgresStore::connect(&database.url, &options).await.unwrap();
    store.migrate().await.unwrap();
    let owner = account(1);
    store.commit(making(&owner, 1)).await.unwrap();
    for _ in 0..2 {
        let reads = futures_all((0..8).map(|_| store.by_id(owner.id))).await;
        assert!(reads.into_iter().all(|read| read.is_ok()));
        let all = futures_all((0..4).map(|_| store.pool().acquire())).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
    }
    store.by_id(owner.id).await.unwrap();
    store.pool().close().await;
    let answer = store.by_id(owner.id).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

/// 20,000 rows of each kind that grows.
const CROWD: &str = "
INSERT INTO portal_accounts SELECT decode(md5('a' || n), 'hex'), 1, n || '@crowd.example', 'active', '\\x0102030405060708',
    'h', 'off', NULL, NULL, 1, '{}', 0, 0, 0 FROM generate_series(1, 20000) n;
INSERT INTO portal_email_claims SELECT email, id FROM portal_accounts WHERE password = 'h';
INSERT INTO portal_sessions SELECT decode(md5('s' || n), 'hex'), decode(md5('h' || n), 'hex'), decode(md5('a' || n), 'hex'),
    '\\x0102030405060708', 'one', 0, 0, 0, 9000000000000000, '', '' FROM generate_series(1, 20000) n;
INSERT INTO portal_devices SELECT decode(md5('a' || n), 'hex'), decode(md5('d' || n), 'hex'), '\\x0102030405060708',
    9000000000000000, 104166 FROM generate_series(1, 20000) n;
INSERT INTO portal_throttle SELECT decode(md5('t' || n), 'hex'), 1, 0, 9000000000000000, 1, 0, 104166
    FROM generate_series(1, 20000) n;
INSERT INTO portal_links SELECT decode(md5('l' || n), 'hex'), 1, 'activate', NULL, 'account', decode(md5('a' || n), 'hex'),
    'a@b.example', NULL, 'used', 0, 0, 9000000000000000, NULL, 9000000000000000 FROM generate_series(1, 20000) n;
INSERT INTO portal_registrations SELECT decode(md5('r' || n), 'hex'), 1, n || '@crowd.example', 'given_up', NULL, NULL, NULL,
    NULL, NULL, decode(md5('l' || n), 'hex'), 0, 9000000000000000 FROM generate_series(1, 20000) n;
INSERT INTO portal_outbox SELECT decode(md5('m' || n), 'hex'), 'sign-in-code', 'a@b.example', NULL, NULL, NULL, '{}',
    9000000000000000, 0, 'sent', 1, 0, 1, 0, '', 0, 0, 0 FROM generate_series(1, 20000) n;
INSERT INTO portal_audit SELECT decode(md5('e' || n), 'hex'), 0, 'k', '', 'system', decode(md5('a' || n), 'hex'), NULL, NULL,
    '', '', '\\x00000000000000000000000000000000' FROM generate_series(1, 20000) n;
ANALYZE;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_and_no_purge_walks_through_a_table() {
    let database = support::Postgres::fresh().await;
    let store = database.open().await;
    let owner = account(1);
    store.commit(making(&owner, 1)).await.unwrap();
    database.run(CROWD).await;
    let walks = "SELECT CAST(coalesce(sum(seq_scan), 0) AS BIGINT), CAST(coalesce(sum(idx_tup_fetch), 0) AS BIGINT) \
         FROM pg_stat_user_tables WHERE relname <> 'portal_schema'";
    // The server counts what a connection did when it ends.
    store.pool().close().await;
    let before = database.numbers(walks).await;

    let store = database.open().await;
    let ladder = Ladder::DEFAULT;
    for n in 0..10_u32 {
        let bucket = BucketKey::from_bytes(bytes(8, n));
        let networks = vec![BucketKey::from_bytes([1; 16])];
        store.by_email(&owner.email, None).await.unwrap();
        store.by_registrant(&owner.email).await.unwrap();
        store
            .charge(&Charge {
                bucket,
                networks,
                now: T0,
                ladder,
            })
            .await
            .unwrap();
        let sign_in = UnitOfWork::new(event(10 + n))
            .guard(Guard::InEpoch {
                account: owner.id,
                epoch: owner.auth_epoch,
            })
            .change(Change::Session(Box::new(Write::Insert(session(n, &owner)))))
            .sweep(Sweep::KeepNewestSessions {
                account: owner.id,
                keep: 20,
            });
        store.commit(sign_in.clone()).await.unwrap();
        store.session(session(n, &owner).key).await.unwrap();
        let stamps: Vec<_> = (0..=n).map(|n| (session(n, &owner).key, T0)).collect();
        store.touch_many(&stamps).await.unwrap();
        store.sessions_of(owner.id).await.unwrap();
        store
            .by_link(portal_auth::link::LinkKey::from_bytes([1; 16]))
            .await
            .unwrap();
        store
            .load(portal_auth::registration::draft::DraftKey::from_bytes([1; 16]))
            .await
            .unwrap();
        store.activity(owner.id, &["k"], 10).await.unwrap();
        store.was_committed(event(10 + n).id).await.unwrap();
        store
            .claim(Claim {
                now: T0,
                lease: Duration::from_secs(60),
                most: 10,
            })
            .await
            .unwrap();
        store.next_due().await.unwrap();
        store.backlog(T0).await.unwrap();
        let plan = PurgePlan {
            ended_before: T0,
            sessions_before: T0,
            seeds_before: T0,
            links_before: T0,
            mails_before: T0,
            buckets_before: T0,
            bucket_cap: 100,
            devices_before: T0,
            batch: 500,
        };
        store.purge(&plan).await.unwrap();
    }
    store.pool().close().await;
    let after = database.numbers(walks).await;
    // Small tables may be walked: those without a crowd hold a page.
    let crowded = "SELECT relname::TEXT || ' ' || seq_scan || ' ' || seq_tup_read FROM pg_stat_user_tables \
         WHERE n_live_tup >= 20000 AND seq_tup_read > 40000 ORDER BY 1";
    assert_eq!(database.texts(crowded).await, Vec::<String>::new());
    let fetched = after[0][1] - before[0][1];
    assert!(
        fetched < 5_000,
        "{fetched} rows were fetched by 10 rounds of requests"
    );
}
