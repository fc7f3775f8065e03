//! A commit whose answer never comes may have happened: the store says so, and knows afterwards.

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
use std::sync::atomic::{AtomicUsize, Ordering};

use portal_auth::store::{AccountStore, SessionStore, StoreError};
use portal_auth::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};
use portal_auth_sqlx::postgres::{PostgresOptions, PostgresStore};
use support::{account, event, making, session};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Stands between a store and its server and cuts the line when it sees a word.
struct Cutter {
    url: String,
    /// How many lines are still to be cut.
    cuts: Arc<AtomicUsize>,
}

impl Cutter {
    /// Cuts when a client says `word`: after the server got it where `delivers`, else before.
    async fn on(word: &'static [u8], delivers: bool, database: &support::Postgres) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (before, after) = database.url.split_once('@').unwrap();
        let (server, name) = after.split_once('/').unwrap();
        let (server, cuts) = (server.to_owned(), Arc::new(AtomicUsize::new(0)));
        let left = Arc::clone(&cuts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, word, delivers, Arc::clone(&left)));
            }
        });
        Self {
            url: format!("{before}@127.0.0.1:{port}/{name}"),
            cuts,
        }
    }

    fn cut_once(&self) {
        self.cuts.store(1, Ordering::SeqCst);
    }

    fn has_cut(&self) -> bool {
        self.cuts.load(Ordering::SeqCst) == 0
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    word: &'static [u8],
    delivers: bool,
    cuts: Arc<AtomicUsize>,
) {
    let (mut said, mut answered) = ([0; 65_536], [0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut said) => {
                let Ok(length @ 1..) = read else { return };
                let heard = said[..length].windows(word.len()).any(|part| part == word);
                let cut = heard && cuts.compare_exchange(1, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok();
                if !cut || delivers {
                    server.write_all(&said[..length]).await.unwrap();
                }
                if cut {
                    drop(client);
                    // What the server was told it carries out before it notices that nobody listens.
                    if delivers {
                        drop(server.read(&mut answered).await);
                    }
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn store_behind(cutter: &Cutter) -> PostgresStore {
    let store = PostgresStore::connect(&cutter.url, &PostgresOptions::default())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_ambiguous_and_can_be_asked_about() {
    let database = support::Postgres::fresh().await;
    let cutter = Cutter::on(b"COMMIT", true, &database).await;
    let store = store_behind(&cutter).await;
    cutter.cut_once();
    let answer = store.commit(making(&account(1), 1)).await;
    assert!(matches!(answer, Err(StoreError::Ambiguous(_))), "{answer:?}");
    assert!(cutter.has_cut());
    assert!(store.was_committed(event(1).id).await.unwrap());
    assert_eq!(
        store.by_id(account(1).id).await.unwrap(),
        Some(account(1)),
        "once and whole"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_never_arrives_is_ambiguous_and_did_not_happen() {
    let database = support::Postgres::fresh().await;
    let cutter = Cutter::on(b"COMMIT", false, &database).await;
    let store = store_behind(&cutter).await;
    cutter.cut_once();
    let answer = store.commit(making(&account(1), 1)).await;
    assert!(matches!(answer, Err(StoreError::Ambiguous(_))), "{answer:?}");
    assert!(!store.was_committed(event(1).id).await.unwrap());
    store.commit(making(&account(1), 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_lost_before_the_end_is_unavailable_since_nothing_was_written() {
    let database = support::Postgres::fresh().await;
    let cutter = Cutter::on(b"INSERT INTO portal_audit", true, &database).await;
    let store = store_behind(&cutter).await;
    cutter.cut_once();
    let answer = store.commit(making(&account(1), 1)).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(cutter.has_cut());
    assert!(!store.was_committed(event(1).id).await.unwrap());
    assert_eq!(store.by_id(account(1).id).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_in_one_statement_is_ambiguous_when_its_answer_is_lost() {
    let database = support::Postgres::fresh().await;
    let cutter = Cutter::on(b"person-in-one", true, &database).await;
    let store = store_behind(&cutter).await;
    let owner = account(1);
    store.commit(making(&owner, 1)).await.unwrap();
    let mut row = session(1, &owner);
    // The values of a statement go out with its execution, so the label marks the moment.
    row.label = "person-in-one".into();
    let work = UnitOfWork::new(event(2))
        .guard(Guard::InEpoch {
            account: owner.id,
            epoch: owner.auth_epoch,
        })
        .change(Change::Session(Box::new(Write::Insert(row.clone()))))
        .sweep(Sweep::KeepNewestSessions {
            account: owner.id,
            keep: 5,
        });
    cutter.cut_once();
    let answer = store.commit(work).await;
    assert!(matches!(answer, Err(StoreError::Ambiguous(_))), "{answer:?}");
    // The statement may still be on its way when the first question is asked.
    while !store.was_committed(event(2).id).await.unwrap() {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.session(row.key).await.unwrap().unwrap().session, row);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_whose_line_is_lost_is_made_again_on_another() {
    let database = support::Postgres::fresh().await;
    let cutter = Cutter::on(b"FROM portal_accounts a WHERE a.id", false, &database).await;
    let store = store_behind(&cutter).await;
    store.commit(making(&account(1), 1)).await.unwrap();
    cutter.cut_once();
    assert_eq!(store.by_id(account(1).id).await.unwrap(), Some(account(1)));
    assert!(cutter.has_cut());
}
