//! Races: many at once, and exactly one effect (I-11, I-13, I-16).

use std::sync::Arc;
use std::time::Duration;

use super::{charge, charge_until_closed, closed_until, insert, race, update, with_account, write};
use crate::challenge::ChallengeRow;
use crate::link::LinkState;
use crate::mail::outbox::MailKind;
use crate::registration::draft::DraftRow;
use crate::store::{Store, StoreError};
use crate::testkit::rows;
use crate::throttle::{Charged, Settle};
use crate::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};

/// Lets fifty units of work loose at once, and tells how many were applied; the others must all be conflicts.
async fn winners(store: &Arc<dyn Store>, work: impl Fn(u32) -> UnitOfWork + Send + Sync) -> usize {
    let answers = race(50, |n| {
        let (store, work) = (Arc::clone(store), work(n));
        async move { store.commit(work).await }
    })
    .await;
    for answer in &answers {
        assert!(matches!(answer, Ok(()) | Err(StoreError::Conflict)), "{answer:?}");
    }
    answers.iter().filter(|a| a.is_ok()).count()
}

/// Two registrations of one address that complete at the same moment make one account (I-02).
pub async fn of_fifty_claims_of_one_address_one_wins(store: Arc<dyn Store>) {
    let contested = rows::email(99);
    let won = winners(&store, |n| {
        let mut account = rows::account(n + 1);
        account.email = contested.clone();
        rows::work_with(&account).mail(rows::mail(n + 1, MailKind::AccountReady))
    })
    .await;
    assert_eq!(won, 1);
    let mut made = 0;
    for n in 1..=50 {
        let account = store.by_id(rows::account_id(n)).await.expect("answered");
        made += u32::from(account.is_some());
    }
    assert_eq!(made, 1, "the losers left an account behind");
    assert_eq!(store.backlog(rows::T0).await.expect("answered").due, 1);
}

/// A mailed link works once, however many open it at the same moment (TOK-4, I-11).
pub async fn of_fifty_uses_of_one_link_one_wins(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    for round in 1..=5 {
        let link = rows::reset_link(round, &account);
        write(&*store, rows::work().change(Change::Link(insert(&link)))).await;
        let used = link.ended(LinkState::Used, rows::at(1));
        let won = winners(&store, |n| {
            let session = rows::session(round * 100 + n, &account);
            rows::work()
                .change(Change::Link(update(&used)))
                .change(Change::Session(insert(&session)))
        })
        .await;
        assert_eq!(won, 1, "round {round}");
        let sessions = store.sessions_of(account.id).await.expect("answered");
        assert_eq!(sessions.len(), round as usize, "a loser signed in");
    }
}

/// A code completes one sign-in, however many give it in the same moment (OTP-4, I-13).
pub async fn of_fifty_uses_of_one_code_one_wins(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    for round in 1..=5 {
        let challenge = rows::challenge(round, &account);
        write(
            &*store,
            rows::work().change(Change::Challenge(insert(&challenge))),
        )
        .await;
        let won = winners(&store, |n| {
            rows::work()
                .change(Change::Challenge(Box::new(Write::Delete(challenge.key))))
                .change(Change::Session(insert(&rows::session(round * 100 + n, &account))))
        })
        .await;
        assert_eq!(won, 1, "round {round}");
        let sessions = store.sessions_of(account.id).await.expect("answered");
        assert_eq!(sessions.len(), round as usize, "a loser signed in");
    }
}

/// Fifty tabs that save at once do not overwrite each other.
pub async fn of_fifty_saves_of_one_draft_one_wins(store: Arc<dyn Store>) {
    for version in 1..=3 {
        let saved = race(50, |n| {
            let store = Arc::clone(&store);
            async move {
                let draft = DraftRow {
                    version,
                    body: format!("[{n}]"),
                    ..rows::draft(1)
                };
                (store.save(&draft).await, draft)
            }
        })
        .await;
        let won: Vec<_> = saved.iter().filter(|(answer, _)| answer.is_ok()).collect();
        assert_eq!(won.len(), 1, "version {version}");
        for (answer, _) in &saved {
            assert!(matches!(answer, Ok(()) | Err(StoreError::Conflict)), "{answer:?}");
        }
        let kept = store.load(rows::draft(1).key).await.expect("answered");
        assert_eq!(kept.as_ref(), won.first().map(|(_, draft)| draft));
    }
}

/// Right sign-ins of one account do not hinder each other: a guard takes no lock and makes no conflict.
pub async fn fifty_sign_ins_of_one_account_all_pass(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    let won = winners(&store, |n| {
        rows::work()
            .guard(Guard::InEpoch {
                account: account.id,
                epoch: account.auth_epoch,
            })
            .change(Change::Session(insert(&rows::session(n + 1, &account))))
            .change(Change::Device(rows::device(n % 3, &account)))
    })
    .await;
    assert_eq!(won, 50);
    let keep = Sweep::KeepNewestSessions {
        account: account.id,
        keep: 10,
    };
    write(&*store, rows::work().sweep(keep)).await;
    assert_eq!(store.sessions_of(account.id).await.expect("answered").len(), 10);
}

/// Tries count in the challenge's own row, guarded by the count that was read: none is lost and none passes twice
/// (OTP-6, I-16).
pub async fn five_hundred_tries_on_one_counter_lose_none(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    let challenge = rows::challenge(1, &account);
    write(
        &*store,
        rows::work().change(Change::Challenge(insert(&challenge))),
    )
    .await;
    let key = challenge.key;
    let counted = race(10, |_| {
        let store = Arc::clone(&store);
        async move {
            let mut counted = 0;
            for _ in 0..50 {
                let read = store.by_challenge(key).await.expect("answered");
                let (row, _) = read.expect("the challenge is there");
                let tried = ChallengeRow {
                    tries: row.tries + 1,
                    ..row
                };
                let work = rows::work().change(Change::Challenge(update(&tried)));
                match store.commit(work).await {
                    Ok(()) => counted += 1,
                    Err(StoreError::Conflict) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            counted
        }
    })
    .await;
    let released: u32 = counted.iter().sum();
    let read = store.by_challenge(challenge.key).await.expect("answered");
    let (row, _) = read.expect("the challenge is there");
    assert_eq!(row.tries, released);
    assert!(released >= 50, "somebody always wins");
}

/// Ten right passwords at once leave the bucket as they found it (THR-7).
pub async fn parallel_successes_take_back_exactly_their_own(store: Arc<dyn Store>) {
    let receipts = charge_until_closed(&*store, 1, rows::T0).await;
    assert_eq!(receipts.len(), 10);
    let answers = race(10, |n| {
        let (store, receipt) = (Arc::clone(&store), receipts[n as usize]);
        async move { store.commit(rows::work().settle(Settle::TakeBack(receipt))).await }
    })
    .await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let next = charge(&*store, 1, rows::T0).await;
    assert!(matches!(next, Charged::Paid(r) if r.failures == 1), "{next:?}");
}

/// Two rows settled in one order by half of the commits and in the other by the rest: a database that locks as it
/// goes must not hang, and what it gives up it must not have counted.
pub async fn settlements_in_opposite_orders_neither_hang_nor_get_lost(store: Arc<dyn Store>) {
    const FAILURES: u32 = 51;
    let failure = |n| Settle::CountNetwork {
        bucket: rows::bucket(n),
        now: rows::T0,
        limit: FAILURES,
        window: Duration::from_secs(60),
    };
    let applied = race(FAILURES - 1, |n| {
        let store = Arc::clone(&store);
        let (first, second) = if n % 2 == 0 { (1, 2) } else { (2, 1) };
        async move {
            for _ in 0..20 {
                let work = rows::work().settle(failure(first)).settle(failure(second));
                match store.commit(work).await {
                    Ok(()) => return true,
                    Err(StoreError::Conflict | StoreError::Unavailable(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            false
        }
    })
    .await;
    assert!(applied.iter().all(|a| *a), "twenty tries must be enough");
    for network in [1, 2] {
        assert_eq!(
            closed_until(&*store, network, rows::T0).await,
            None,
            "one is missing"
        );
        write(&*store, rows::work().settle(failure(network))).await;
        let closed = closed_until(&*store, network, rows::T0).await;
        assert_eq!(closed, Some(rows::at(60)), "none was lost on network {network}");
    }
}
