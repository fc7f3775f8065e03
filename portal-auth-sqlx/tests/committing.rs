//! A unit of work is applied whole or not at all, whoever races it and whichever way it is sent.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::AuthEpoch;
use portal_auth::audit::EventId;
use portal_auth::device::{DeviceKey, DeviceRow};
use portal_auth::environment::Timestamp;
use portal_auth::link::{LinkState, LinkSubject};
use portal_auth::mail::outbox::{MailId, MailKind, MailStatus, OutboxRow};
use portal_auth::session::{SessionKey, SessionRow};
use portal_auth::store::{AccountStore, SessionStore, Store, StoreError, ThrottleStore};
use portal_auth::throttle::{BucketKey, Charge, Charged, Ladder, Settle};
use portal_auth::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};
use portal_auth_sqlx::postgres::{PostgresOptions, PostgresStore};
use support::{Dice, T0, account, bytes, event, making, on_both, reset_link, session};

fn mail(n: u32, to: &AccountRow) -> OutboxRow {
    OutboxRow {
        id: MailId::from_bytes(bytes(10, n)),
        kind: MailKind::TooManyTries,
        to: to.email.clone(),
        account: Some(to.id),
        link: None,
        challenge: None,
        facts: "{}".into(),
        created_at: T0,
        expires_at: T0.plus(Duration::from_secs(60)),
        status: MailStatus::Ready,
        attempts: 0,
        next_at: T0,
        lease_no: 0,
        lease_until: T0,
        last_error: String::new(),
    }
}

fn inserting(session: SessionRow) -> Change {
    Change::Session(Box::new(Write::Insert(session)))
}

on_both! {
    async fn a_conflict_in_the_last_change_leaves_nothing_of_the_first(store, database) {
        // I-01
        let owner = account(1);
        store.commit(making(&owner, 1)).await.unwrap();
        let stale = AccountRow { version: 2, ..owner.clone() };
        let work = UnitOfWork::new(event(2))
            .change(inserting(session(1, &owner)))
            .change(Change::Account(Box::new(Write::Update(stale))))
            .mail(mail(1, &owner));
        assert!(matches!(store.commit(work).await, Err(StoreError::Conflict)));
        assert_eq!(store.session(session(1, &owner).key).await.unwrap(), None);
        assert!(!store.was_committed(event(2).id).await.unwrap());
        assert!(store.was_committed(event(1).id).await.unwrap());
        assert_eq!(store.next_due().await.unwrap(), None);
        assert_eq!(store.by_id(owner.id).await.unwrap(), Some(owner));
        assert_eq!(database.numbers("SELECT count(*) FROM portal_audit").await, [[1]]);
    }

    async fn a_failure_at_the_very_end_undoes_the_beginning(store, database) {
        // The second event has the name of one that is there.
        let owner = account(1);
        store.commit(making(&owner, 1)).await.unwrap();
        let work = UnitOfWork::new(event(2))
            .change(inserting(session(1, &owner)))
            .event(event(1));
        assert!(matches!(store.commit(work).await, Err(StoreError::Conflict)));
        assert_eq!(database.numbers("SELECT count(*) FROM portal_sessions").await, [[0]]);
    }

    async fn of_fifty_who_use_one_link_one_wins(store, _database) {
        // TOK-4, I-11
        let owner = account(1);
        let link = reset_link(1, &owner);
        let made = making(&owner, 1).change(Change::Link(Box::new(Write::Insert(link.clone()))));
        store.commit(made).await.unwrap();
        let racers: Vec<_> = (0..50_u32)
            .map(|n| {
                let (store, link, owner) = (Arc::clone(&store), link.clone(), owner.clone());
                tokio::spawn(async move {
                    let work = UnitOfWork::new(event(100 + n))
                        .change(Change::Link(Box::new(Write::Update(link.ended(LinkState::Used, T0)))))
                        .change(inserting(session(n, &owner)));
                    store.commit(work).await
                })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(()) => won += 1,
                Err(e) => assert!(matches!(e, StoreError::Conflict), "{e:?}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(store.sessions_of(owner.id).await.unwrap().len(), 1);
        let view = store.by_link(link.key).await.unwrap().unwrap();
        assert_eq!((view.link.state, view.link.seed), (LinkState::Used, None));
    }

    async fn of_fifty_who_claim_one_address_one_gets_it(store, database) {
        // I-02, DB-3
        let racers: Vec<_> = (0..50_u32)
            .map(|n| {
                let store = Arc::clone(&store);
                let mine = AccountRow { email: account(0).email, ..account(n) };
                tokio::spawn(async move { store.commit(making(&mine, n)).await.is_ok() })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            won += u32::from(racer.await.unwrap());
        }
        assert_eq!(won, 1);
        assert_eq!(database.numbers("SELECT count(*) FROM portal_accounts").await, [[1]]);
    }

    async fn fifty_right_sign_ins_at_once_all_pass(store, _database) {
        // A sign-in takes no lock on its account, and its own limit ends older sessions and never its own.
        let owner = account(1);
        store.commit(making(&owner, 1)).await.unwrap();
        let sign_ins: Vec<_> = (0..50_u32)
            .map(|n| {
                let (store, owner) = (Arc::clone(&store), owner.clone());
                tokio::spawn(async move {
                    let work = UnitOfWork::new(event(100 + n))
                        .guard(Guard::InEpoch { account: owner.id, epoch: owner.auth_epoch })
                        .change(inserting(session(n, &owner)))
                        .sweep(Sweep::KeepNewestSessions { account: owner.id, keep: 20 });
                    for _ in 0..5 {
                        match store.commit(work.clone()).await {
                            Err(StoreError::Conflict) => {}
                            answer => return answer.unwrap(),
                        }
                    }
                    panic!("a right sign-in was refused five times");
                })
            })
            .collect();
        for one in sign_ins {
            one.await.unwrap();
        }
    }

    async fn a_commit_that_is_given_up_half_way_happens_whole_or_not_at_all(store, database) {
        // I-01: the caller goes away at any moment.
        let owner = account(1);
        store.commit(making(&owner, 1)).await.unwrap();
        for n in 0..60_u32 {
            let work = UnitOfWork::new(event(100 + n))
                .guard(Guard::InEpoch { account: owner.id, epoch: owner.auth_epoch })
                .change(inserting(session(n, &owner)));
            // Every other one goes the general way.
            let work = if n % 2 == 0 { work } else { work.mail(mail(n, &owner)) };
            let mut commit = std::pin::pin!(store.commit(work));
            for _ in 0..n / 4 {
                let polled = std::future::poll_fn(|context| std::task::Poll::Ready(commit.as_mut().poll(context)));
                if polled.await.is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        // Waits behind whatever is still under way.
        let last = UnitOfWork::new(event(2)).change(inserting(session(200, &owner)));
        store.commit(last).await.unwrap();
        for n in 0..60_u32 {
            let there = store.session(session(n, &owner).key).await.unwrap().is_some();
            assert_eq!(store.was_committed(event(100 + n).id).await.unwrap(), there, "{n}");
        }
        let lone = "SELECT count(*) FROM portal_outbox o WHERE NOT EXISTS (SELECT 1 FROM portal_sessions)";
        assert_eq!(database.numbers(lone).await, [[0]]);
    }

    async fn of_two_sessions_of_one_moment_the_new_one_stays(store, _database) {
        // SES-8
        let owner = account(1);
        store.commit(making(&owner, 1)).await.unwrap();
        for n in [9, 1, 5, 3] {
            let work = UnitOfWork::new(event(n + 10))
                .change(inserting(session(n, &owner)))
                .sweep(Sweep::KeepNewestSessions { account: owner.id, keep: 1 });
            store.commit(work).await.unwrap();
            let kept: Vec<_> = store.sessions_of(owner.id).await.unwrap();
            assert_eq!(kept, [session(n, &owner)]);
        }
    }

    async fn a_text_with_nul_is_refused_for_good(store, database) {
        // DB-2
        let owner = account(1);
        store.commit(making(&owner, 1)).await.unwrap();
        let odd = SessionRow { label: "Fire\0fox".into(), ..session(1, &owner) };
        let answer = store.commit(UnitOfWork::new(event(2)).change(inserting(odd))).await;
        assert!(matches!(answer, Err(StoreError::Permanent(_))), "{answer:?}");
        assert_eq!(database.numbers("SELECT count(*) FROM portal_sessions").await, [[0]]);
    }

    async fn stamps_only_rise(store, _database) {
        // SES-3
        let owner = account(1);
        let work = making(&owner, 1).change(inserting(session(1, &owner))).change(inserting(session(2, &owner)));
        store.commit(work).await.unwrap();
        let key = |n| session(n, &owner).key;
        let at = |seconds| T0.plus(Duration::from_secs(seconds));
        let gone = SessionKey::from_bytes([0; 16]);
        let stamps = [(key(1), at(60)), (key(1), at(90)), (key(1), at(30)), (gone, at(1)), (key(2), T0.minus(Duration::from_secs(1)))];
        store.touch_many(&stamps).await.unwrap();
        store.touch_many(&[]).await.unwrap();
        let seen: Vec<_> = store.sessions_of(owner.id).await.unwrap().iter().map(|s| s.last_seen).collect();
        assert_eq!(seen, [at(90), T0]);
    }

    async fn a_voided_link_ends_at_the_moment_and_is_purged_by_it(store, database) {
        let owner = account(1);
        let link = reset_link(1, &owner);
        let made = making(&owner, 1)
            .change(Change::Link(Box::new(Write::Insert(link.clone()))));
        store.commit(made).await.unwrap();
        let now = T0.plus(Duration::from_secs(5));
        let sweep = Sweep::VoidLinks {
            subject: LinkSubject::Account(owner.id),
            purpose: None,
            state: LinkState::Replaced,
            now,
        };
        store.commit(UnitOfWork::new(event(2)).sweep(sweep)).await.unwrap();
        let view = store.by_link(link.key).await.unwrap().unwrap();
        let ended = link.ended(LinkState::Replaced, now);
        assert_eq!(view.link, portal_auth::link::LinkRow { version: 2, ..ended });
        assert_eq!(database.numbers("SELECT over_at FROM portal_links").await, [[now.as_micros()]]);
    }
}

/// One sign-in of a random history: any clock, any device, any settlement.
fn sign_in(n: u32, owner: &AccountRow, dice: &mut Dice, charged: Option<Settle>) -> UnitOfWork {
    let now = T0.plus(Duration::from_secs(dice.roll(30) + u64::from(n)));
    let epoch = if dice.roll(12) == 0 {
        AuthEpoch::from_bytes([1; 8])
    } else {
        owner.auth_epoch
    };
    let row = SessionRow {
        created_at: now,
        ..session(n, owner)
    };
    let mut work = UnitOfWork::new(event(1000 + n))
        .guard(Guard::InEpoch {
            account: owner.id,
            epoch,
        })
        .change(inserting(row));
    if dice.roll(4) > 0 {
        work = work.change(Change::Device(DeviceRow {
            device: DeviceKey::from_bytes([u8::try_from(dice.roll(6)).unwrap(); 16]),
            account: owner.id,
            epoch,
            last_used: now,
        }));
    }
    if dice.roll(4) > 0 {
        work = work.sweep(Sweep::KeepNewestSessions {
            account: owner.id,
            keep: u32::try_from(dice.roll(5)).unwrap(),
        });
    }
    if dice.roll(4) > 0 {
        work = work.sweep(Sweep::KeepNewestDevices {
            account: owner.id,
            keep: u32::try_from(dice.roll(4)).unwrap(),
        });
    }
    if let Some(settle) = charged {
        work = work.settle(settle);
    }
    let bucket = BucketKey::from_bytes([u8::try_from(dice.roll(3)).unwrap(); 16]);
    match dice.roll(4) {
        0 => work.settle(Settle::Clear(bucket)),
        1 => work.settle(Settle::Lower {
            bucket,
            failures: 2,
            open_at: now,
            now,
        }),
        _ => work,
    }
}

async fn charge(store: &impl ThrottleStore, bucket: u8, now: Timestamp) -> Option<Settle> {
    let charge = Charge {
        bucket: BucketKey::from_bytes([bucket; 16]),
        networks: Vec::new(),
        now,
        ladder: Ladder::DEFAULT,
    };
    match store.charge(&charge).await.unwrap() {
        Charged::Paid(receipt) => Some(Settle::TakeBack(receipt)),
        Charged::Refused { .. } => None,
    }
}

/// Sends one random history both ways, and compares the rows.
macro_rules! compare_both_ways {
    ($fast:ident on $one:ident, $general:ident on $many:ident) => {
        let owner = account(1);
        for store in [&$fast, &$general] {
            store.migrate().await.unwrap();
            store.commit(making(&owner, 1)).await.unwrap();
        }
        let mut dice = Dice::new(11);
        let (mut applied, mut conflicts) = (0, 0);
        for n in 0..300 {
            let bucket = u8::try_from(dice.roll(3)).unwrap();
            let now = T0.plus(Duration::from_secs(u64::from(n)));
            let charged = charge(&$fast, bucket, now).await;
            assert_eq!(charge(&$general, bucket, now).await, charged);
            let work = sign_in(n, &owner, &mut dice, charged);
            // A sweep that ends nothing sends the same work the general way.
            let nothing = Sweep::EndSession(SessionKey::from_bytes([0; 16]));
            let answers = (
                $fast.commit(work.clone()).await,
                $general.commit(work.sweep(nothing)).await,
            );
            match answers {
                (Ok(()), Ok(())) => applied += 1,
                (Err(StoreError::Conflict), Err(StoreError::Conflict)) => conflicts += 1,
                differing => panic!("{differing:?} at {n}"),
            }
            if n % 10 > 0 {
                continue;
            }
            for table in ["sessions", "devices", "throttle", "audit"].map(|name| format!("portal_{name}")) {
                assert_eq!(
                    $one.rows(&table).await,
                    $many.rows(&table).await,
                    "{table} at {n}"
                );
            }
        }
        assert!(
            applied > 200 && conflicts > 10,
            "{applied} applied, {conflicts} conflicts"
        );
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_in_one_statement_leaves_the_same_rows_as_in_many_on_sqlite() {
    let (one, many) = (support::Sqlite::fresh(), support::Sqlite::fresh());
    let (fast, general) = (one.open().await, many.open().await);
    compare_both_ways!(fast on one, general on many);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_in_one_statement_leaves_the_same_rows_as_in_many() {
    let (one, many) = (support::Postgres::fresh().await, support::Postgres::fresh().await);
    let mut options = PostgresOptions::default();
    options.max_connections = 1;
    let fast = PostgresStore::connect(&one.url, &options).await.unwrap();
    let general = PostgresStore::connect(&many.url, &options).await.unwrap();
    compare_both_ways!(fast on one, general on many);
    // One connection each, so its list of statements tells which way the work went.
    let ran = "SELECT CAST(coalesce(sum(generic_plans + custom_plans), 0) AS BIGINT) \
         FROM pg_prepared_statements WHERE statement LIKE $1";
    let count = async |store: &PostgresStore, text: &str| -> i64 {
        sqlx::query_scalar(ran)
            .bind(text)
            .fetch_one(store.pool())
            .await
            .unwrap()
    };
    assert!(count(&fast, "WITH held%").await > 150, "most went the short way");
    assert_eq!(count(&general, "WITH held%").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_about_a_commit_that_is_still_under_way_waits_for_its_end() {
    let database = support::Postgres::fresh().await;
    let store = Arc::new(database.open().await);
    for (n, happens) in [(1, true), (2, false)] {
        let id: EventId = event(n).id;
        let mut under_way = store.pool().begin().await.unwrap();
        sqlx::query(
            "INSERT INTO portal_audit (id, happened_at, kind, reason, actor, label, mac_key, mac) \
             VALUES ($1, 0, 'test', '', 'system', '', '', $1)",
        )
        .bind(id.as_bytes().as_slice())
        .execute(&mut *under_way)
        .await
        .unwrap();
        let asking = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.was_committed(id).await.unwrap() }
        });
        let waiting = "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while database.numbers(waiting).await == [[0]] {
            tokio::task::yield_now().await;
        }
        if happens {
            under_way.commit().await.unwrap();
        } else {
            under_way.rollback().await.unwrap();
        }
        assert_eq!(asking.await.unwrap(), happens);
        assert_eq!(store.was_committed(id).await.unwrap(), happens);
    }
}

#[tokio::test]
async fn the_ports_serve_behind_a_pointer() {
    let database = support::Sqlite::fresh();
    let store: Arc<dyn Store> = database.store().await;
    assert_eq!(store.by_id(account(1).id).await.unwrap(), None);
}
