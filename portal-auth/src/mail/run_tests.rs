//! The background on tokio, on a clock that stands still unless nothing else is left to do.

use std::future::ready;
use std::sync::Arc;

use async_trait::async_trait;

use super::*;
use crate::account::snapshot::AccountRow;
use crate::config::Config;
use crate::mail::mailer::{MailError, Mailer, RenderedMail};
use crate::mail::outbox::MailKind;
use crate::portal::{Commit, Environment, PortalAuth};
use crate::secret::keyring::Keyring;
use crate::store::in_memory::InMemoryStore;
use crate::store::{AccountStore as _, OutboxStore as _, SessionStore as _};
use crate::testkit::rows::{self, T0, at};
use crate::testkit::{ManualClock, RecordingMailer, ScriptedEntropy};
use crate::unit_of_work::{Change, UnitOfWork, Write};

fn service(
    clock: &ManualClock,
    mailer: impl Mailer + 'static,
) -> (PortalAuth, Background, Arc<InMemoryStore>) {
    let entropy = ScriptedEntropy::new(7);
    let keyring = Keyring::random(&entropy).unwrap();
    let environment = Environment {
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(entropy),
        hasher: None,
    };
    let mut config = Config::portal("https://portal.example".parse().unwrap());
    config.passwords.workers = Some(1);
    let store = Arc::new(InMemoryStore::new());
    let (auth, background) =
        PortalAuth::build_in(environment, config, Arc::clone(&store), mailer, keyring).unwrap();
    (auth, background, store)
}

fn with_notice(work: UnitOfWork, account: &AccountRow) -> UnitOfWork {
    let mut mail = rows::mail(1, MailKind::AccountReady);
    mail.account = Some(account.id);
    work.mail(mail)
}

/// Lets all tasks go on until none can without time passing.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_of_this_process_leaves_at_once() {
    let (clock, mailer) = (ManualClock::default(), RecordingMailer::new());
    let (auth, background, _store) = service(&clock, mailer.clone());
    let running = tokio::spawn(background.run(std::future::pending()));
    settle().await;
    let began = Instant::now();
    let account = rows::account(1);
    let work = with_notice(rows::work_with(&account), &account);
    assert_eq!(auth.inner.commit(work).await.unwrap(), Commit::Done);
    settle().await;
    assert_eq!(mailer.sent().len(), 1);
    assert_eq!(began.elapsed(), Duration::ZERO);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_mail_of_another_process_leaves_within_a_second() {
    let (clock, mailer) = (ManualClock::default(), RecordingMailer::new());
    let (_auth, background, store) = service(&clock, mailer.clone());
    let running = tokio::spawn(background.run(std::future::pending()));
    settle().await;
    let account = rows::account(1);
    store
        .commit(with_notice(rows::work_with(&account), &account))
        .await
        .unwrap();
    settle().await;
    assert!(mailer.sent().is_empty(), "nobody rang");
    tokio::time::sleep(IDLE).await;
    settle().await;
    assert_eq!(mailer.sent().len(), 1);
    running.abort();
}

/// Takes a mail and never comes back.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Mailer for Silent {
    async fn send(&self, _: &RenderedMail) -> Result<(), MailError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailer_that_never_returns_is_left_after_thirty_seconds() {
    let clock = ManualClock::default();
    let (auth, background, store) = service(&clock, Silent);
    let account = rows::account(1);
    store
        .commit(with_notice(rows::work_with(&account), &account))
        .await
        .unwrap();
    let running = tokio::spawn(background.run(std::future::pending()));
    settle().await;
    tokio::time::sleep(SEND_LIMIT.saturating_sub(Duration::from_millis(10))).await;
    assert_eq!(auth.counts().mails_failed, 0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    settle().await;
    assert_eq!(auth.counts().mails_failed, 1);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_five_seconds_for_a_mailer_and_no_longer() {
    let clock = ManualClock::default();
    let (_auth, background, store) = service(&clock, Silent);
    let account = rows::account(1);
    store
        .commit(with_notice(rows::work_with(&account), &account))
        .await
        .unwrap();
    let began = Instant::now();
    background.run(tokio::time::sleep(Duration::from_secs(1))).await;
    assert_eq!(began.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn what_was_claimed_too_late_is_given_back_at_once() {
    let (clock, mailer) = (ManualClock::default(), RecordingMailer::new());
    let (_auth, background, store) = service(&clock, mailer.clone());
    let account = rows::account(1);
    store
        .commit(with_notice(rows::work_with(&account), &account))
        .await
        .unwrap();
    background.run(ready(())).await;
    assert!(mailer.sent().is_empty());
    assert_eq!(
        store.backlog(T0).await.unwrap().due,
        1,
        "another process need not wait for the lease"
    );
}

#[tokio::test(start_paused = true)]
async fn stamps_are_written_when_they_are_due_and_all_of_them_at_the_end() {
    // SES-3
    let clock = ManualClock::default();
    let (auth, background, store) = service(&clock, RecordingMailer::new());
    let account = rows::account(1);
    let sessions = [rows::session(1, &account), rows::session(2, &account)];
    let work = sessions.iter().fold(rows::work_with(&account), |work, session| {
        work.change(Change::Session(Box::new(Write::Insert(session.clone()))))
    });
    store.commit(work).await.unwrap();
    let minute = Duration::from_secs(60);
    let last_seen = async |n: usize| {
        store
            .session(sessions[n].key)
            .await
            .unwrap()
            .unwrap()
            .session
            .last_seen
    };

    assert!(!auth.inner.last_seen.note(sessions[0].key, T0, at(30), minute));
    background.work_once().await.unwrap();
    assert_eq!(last_seen(0).await, T0);
    clock.set(at(60));
    assert!(!auth.inner.last_seen.note(sessions[1].key, at(30), at(59), minute));
    background.work_once().await.unwrap();
    assert_eq!((last_seen(0).await, last_seen(1).await), (at(30), T0));
    background.run(ready(())).await;
    assert_eq!(last_seen(1).await, at(59));
}
