//! Races: many at once, and exactly one effect (I-11, I-13, I-16).

use std::sync::Arc;

use super::{insert, race, update, with_account, write};
use crate::challenge::ChallengeRow;
use crate::link::LinkState;
use crate::mail::outbox::MailKind;
use crate::registration::draft::DraftRow;
use crate::store::{Store, StoreError};
use crate::testkit::rows;
use crate::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};

/// Lets fifty units of work loose at once, and tells how many were applied; the others must all be conflicts.
async fn winners(store: &Arc<dyn Store>, work: impl Fn(u32) -> UnitOfWork) -> usize {
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
