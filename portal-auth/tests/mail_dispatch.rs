//! Mails on their way from the outbox to the mailer, with the clock in hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portal_auth::account::snapshot::AccountRow;
use portal_auth::challenge::ChallengeRow;
use portal_auth::config::Config;
use portal_auth::environment::Timestamp;
use portal_auth::mail::mailer::{MailError, Mailer, RenderedMail};
use portal_auth::mail::outbox::{Claim, MailKind, OutboxRow};
use portal_auth::secret::keyring::{KeyLine, KeyList, KeyState, Keyring};
use portal_auth::store::in_memory::InMemoryStore;
use portal_auth::store::{AccountStore as _, OutboxStore as _};
use portal_auth::testkit::recording_mailer::{code_in, tokens_in};
use portal_auth::testkit::rows::{self, T0, at};
use portal_auth::testkit::{MailFailure, ManualClock, RecordingMailer, ScriptedEntropy};
use portal_auth::unit_of_work::{Change, UnitOfWork, Write};
use portal_auth::{Background, Environment, PortalAuth};

const LEASE: Duration = Duration::from_secs(60);

struct Bench {
    clock: ManualClock,
    store: Arc<InMemoryStore>,
    mailer: RecordingMailer,
    auth: PortalAuth,
    background: Background,
}

impl Bench {
    fn new() -> Self {
        let (clock, store, mailer) = (
            ManualClock::default(),
            Arc::new(InMemoryStore::new()),
            RecordingMailer::new(),
        );
        let (auth, background) = process(&clock, &store, mailer.clone());
        Self {
            clock,
            store,
            mailer,
            auth,
            background,
        }
    }

    async fn commit(&self, work: UnitOfWork) {
        self.store.commit(work).await.unwrap();
    }

    async fn queue(&self, mails: impl IntoIterator<Item = OutboxRow>) {
        self.commit(mails.into_iter().fold(rows::work(), UnitOfWork::mail))
            .await;
    }

    async fn pass(&self) -> Timestamp {
        self.background.work_once().await.unwrap()
    }

    async fn with_account(&self) -> AccountRow {
        let account = rows::account(1);
        self.commit(rows::work_with(&account)).await;
        account
    }

    async fn dead(&self) -> u64 {
        self.store
            .backlog(self.clock.advance(Duration::ZERO))
            .await
            .unwrap()
            .dead
    }

    async fn deaths_told(&self, account: &AccountRow) -> Vec<String> {
        let events = self
            .store
            .activity(account.id, &["mail.dead"], 100)
            .await
            .unwrap();
        events.into_iter().map(|e| e.reason).collect()
    }
}

/// One process on the store: all have the same keys, as several of one service do.
fn process(
    clock: &ManualClock,
    store: &Arc<InMemoryStore>,
    mailer: impl Mailer + 'static,
) -> (PortalAuth, Background) {
    let keys = [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym].map(|list| {
        let secret = (0..32).collect::<Vec<u8>>().into();
        KeyLine::new(list, "k1".into(), KeyState::Signing, secret)
    });
    let mut environment = Environment::default();
    environment.clock = Arc::new(clock.clone());
    environment.entropy = Arc::new(ScriptedEntropy::new(7));
    let mut config = Config::portal("https://portal.example".parse().unwrap());
    config.passwords.workers = Some(1);
    let keyring = Keyring::from_lines(keys.into()).unwrap();
    PortalAuth::build_in(environment, config, Arc::clone(store), mailer, keyring).unwrap()
}

fn notice(n: u32, account: &AccountRow) -> OutboxRow {
    OutboxRow {
        account: Some(account.id),
        facts: r#"{"choice":"email","browser":"Firefox on Windows"}"#.into(),
        expires_at: at(7 * 86_400),
        ..rows::mail(n, MailKind::TwoStepChanged)
    }
}

fn code_mail(n: u32, challenge: &ChallengeRow) -> OutboxRow {
    OutboxRow {
        to: rows::email(1),
        account: Some(challenge.account),
        challenge: Some(challenge.key),
        facts: format!(
            r#"{{"browser":"Firefox on Windows","code_no":"{}"}}"#,
            challenge.code_no
        ),
        expires_at: challenge.code_expires_at,
        ..rows::mail(n, MailKind::SignInCode)
    }
}

fn insert(challenge: &ChallengeRow) -> Change {
    Change::Challenge(Box::new(Write::Insert(challenge.clone())))
}

#[tokio::test]
async fn a_mail_is_sent_once() {
    let bench = Bench::new();
    let account = bench.with_account().await;
    bench.queue([notice(1, &account)]).await;
    let next = bench.pass().await;
    assert_eq!(next, at(1), "an idle dispatcher looks again within a second");
    for _ in 0..3 {
        bench.clock.advance(LEASE);
        bench.pass().await;
    }
    let sent = bench.mailer.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].to, "person1@school.example");
    assert_eq!(sent[0].id, rows::mail(1, MailKind::TwoStepChanged).id.to_string());
    assert_eq!(sent[0].subject, "Two Step Verification was turned on");
    assert_eq!(
        (bench.auth.counts().mails_sent, bench.auth.counts().mails_failed),
        (1, 0)
    );
}

#[tokio::test]
async fn a_registration_mail_carries_the_link_of_its_row() {
    // TOK-2: the token is nowhere but in the mail
    let bench = Bench::new();
    let registration = rows::registration(1, rows::email(1));
    let link = rows::activation_link(&registration);
    let mail = OutboxRow {
        link: Some(link.key),
        ..rows::mail(1, MailKind::CompleteRegistration)
    };
    let work = rows::work()
        .change(Change::Registration(Box::new(Write::Insert(registration))))
        .change(Change::Link(Box::new(Write::Insert(link))))
        .mail(mail);
    bench.commit(work).await;
    bench.pass().await;
    let sent = bench
        .mailer
        .latest("person1@school.example", "complete-registration")
        .unwrap();
    assert_eq!(tokens_in(&sent.text).len(), 1);
    assert!(
        sent.text
            .contains("\nhttps://portal.example/account/complete-registration?t=")
    );
    assert!(
        sent.text.starts_with("Hello,\n"),
        "nobody is greeted by name before the address is proven (MAIL-3)"
    );
}

#[tokio::test]
async fn a_mail_whose_process_died_before_sending_goes_when_its_lease_is_over() {
    // MAIL-8
    let bench = Bench::new();
    let account = bench.with_account().await;
    bench.queue([notice(1, &account)]).await;
    let claim = Claim {
        now: T0,
        lease: LEASE,
        most: 8,
    };
    assert_eq!(bench.store.claim(claim).await.unwrap().len(), 1);
    bench.clock.set(at(60).minus(rows::MICRO));
    bench.pass().await;
    assert!(bench.mailer.sent().is_empty());
    bench.clock.set(at(60));
    bench.pass().await;
    assert_eq!(bench.mailer.sent().len(), 1);
}

/// Hands every mail to another mailer and then never comes back.
#[derive(Debug)]
struct DiesAfterSending(RecordingMailer);

#[async_trait]
impl Mailer for DiesAfterSending {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailError> {
        self.0.send(mail).await?;
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_mail_whose_process_died_after_sending_goes_again_under_the_same_id_and_with_the_same_code() {
    // MAIL-8: at least once, and a mail program can tell the repeat
    let bench = Bench::new();
    let account = bench.with_account().await;
    let challenge = rows::challenge(1, &account);
    bench
        .commit(
            rows::work()
                .change(insert(&challenge))
                .mail(code_mail(1, &challenge)),
        )
        .await;
    let (_, doomed) = process(&bench.clock, &bench.store, DiesAfterSending(bench.mailer.clone()));
    // No time at all: the work is begun and then dropped, as by a killed process.
    assert!(
        tokio::time::timeout(Duration::ZERO, doomed.work_once())
            .await
            .is_err()
    );
    drop(doomed);
    bench.clock.advance(LEASE);
    bench.pass().await;
    let sent = bench.mailer.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].id, sent[1].id);
    assert_eq!(code_in(&sent[0].text).unwrap().len(), 6);
    assert_eq!(code_in(&sent[0].text), code_in(&sent[1].text));
    bench.clock.advance(LEASE);
    bench.pass().await;
    assert_eq!(bench.mailer.sent().len(), 2);
}

#[tokio::test]
async fn a_mail_that_cannot_be_made_does_not_stop_the_others() {
    let bench = Bench::new();
    let account = bench.with_account().await;
    let poison = OutboxRow {
        facts: "not json".into(),
        ..notice(1, &account)
    };
    bench.queue([poison, notice(2, &account)]).await;
    bench.pass().await;
    assert_eq!(bench.mailer.sent().len(), 1);
    for _ in 0..12 {
        bench.clock.advance(Duration::from_secs(900));
        bench.pass().await;
    }
    assert_eq!(bench.dead().await, 1);
    assert_eq!(bench.deaths_told(&account).await, ["mail.attempts_used"]);
    assert_eq!(bench.mailer.attempts(), 1, "the mailer never saw it");
}

#[tokio::test]
async fn codes_go_before_everything_else() {
    let bench = Bench::new();
    let account = bench.with_account().await;
    let challenge = rows::challenge(1, &account);
    let notices = (1..=20).map(|n| notice(n, &account));
    let code = OutboxRow {
        next_at: at(1),
        ..code_mail(99, &challenge)
    };
    bench
        .commit(
            notices
                .fold(rows::work().change(insert(&challenge)), UnitOfWork::mail)
                .mail(code),
        )
        .await;
    bench.clock.set(at(1));
    assert_eq!(bench.pass().await, at(1), "more is due at once");
    let sent = bench.mailer.sent();
    assert_eq!(sent[0].kind, "sign-in-code");
    assert_eq!(sent.len(), 8, "a pass sends eight mails");
    bench.pass().await;
    bench.pass().await;
    assert_eq!(bench.mailer.sent().len(), 21);
}

#[tokio::test]
async fn a_mail_that_makes_no_sense_any_more_is_not_sent() {
    // MAIL-8, OTP-2
    let bench = Bench::new();
    let account = bench.with_account().await;
    let first = rows::challenge(1, &account);
    let second = ChallengeRow {
        code_no: 2,
        ..first.clone()
    };
    let expired = OutboxRow {
        expires_at: T0,
        ..notice(3, &account)
    };
    let ownerless = OutboxRow {
        account: Some(rows::account_id(5)),
        ..notice(4, &account)
    };
    let work = rows::work()
        .change(insert(&second))
        .mail(code_mail(1, &first))
        .mail(code_mail(2, &second))
        .mail(expired)
        .mail(ownerless);
    bench.commit(work).await;
    bench.pass().await;
    let sent = bench.mailer.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].id, code_mail(2, &second).id.to_string());
    assert_eq!(bench.dead().await, 3);
    assert!(
        bench.deaths_told(&account).await.is_empty(),
        "nothing failed, so nobody need know"
    );
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_dead_at_once_and_the_operator_hears_of_it() {
    let bench = Bench::new();
    let account = bench.with_account().await;
    bench.queue([notice(1, &account)]).await;
    bench.mailer.fail_next(MailFailure::Permanent, 1);
    bench.pass().await;
    assert_eq!(bench.dead().await, 1);
    assert_eq!(bench.deaths_told(&account).await, ["mail.refused"]);
    bench.clock.advance(Duration::from_secs(900));
    bench.pass().await;
    assert_eq!(bench.mailer.attempts(), 1);
}

#[tokio::test]
async fn a_mail_that_keeps_failing_is_given_up_after_twelve_attempts() {
    let bench = Bench::new();
    let account = bench.with_account().await;
    bench.queue([notice(1, &account)]).await;
    bench.mailer.fail(MailFailure::Transient);
    for _ in 0..20 {
        bench.pass().await;
        bench.clock.advance(Duration::from_secs(900));
    }
    assert_eq!(bench.mailer.attempts(), 12);
    assert_eq!(bench.auth.counts().mails_failed, 12);
    assert_eq!(bench.deaths_told(&account).await, ["mail.attempts_used"]);
}

#[tokio::test]
async fn a_code_is_tried_often_and_given_up_when_it_is_over() {
    let bench = Bench::new();
    let account = bench.with_account().await;
    // Eleven attempts before it: it is the end of its life that ends it, not their number.
    let challenge = ChallengeRow {
        code_expires_at: at(60),
        ..rows::challenge(1, &account)
    };
    bench
        .commit(
            rows::work()
                .change(insert(&challenge))
                .mail(code_mail(1, &challenge)),
        )
        .await;
    bench.mailer.fail(MailFailure::Transient);
    for second in 0..120 {
        bench.clock.set(at(second));
        bench.pass().await;
    }
    assert!(bench.mailer.attempts() >= 3, "a pause of a code is at most 20 s");
    assert_eq!(bench.dead().await, 1);
}

#[tokio::test]
async fn an_unusable_relay_is_asked_rarely_and_costs_no_mail_an_attempt() {
    let bench = Bench::new();
    let account = bench.with_account().await;
    bench.queue((1..=5).map(|n| notice(n, &account))).await;
    bench.mailer.fail(MailFailure::Unreachable);
    bench.pass().await;
    assert_eq!(
        bench.mailer.attempts(),
        1,
        "the others were given back without being tried"
    );
    bench.clock.set(at(4));
    bench.pass().await;
    assert_eq!(bench.mailer.attempts(), 1, "the relay rests");
    // An hour of passes every second: at most one try a minute after the first few.
    for second in 5..3600 {
        bench.clock.set(at(second));
        bench.pass().await;
    }
    let attempts = bench.mailer.attempts();
    assert!((50..=70).contains(&attempts), "{attempts}");
    bench.mailer.recover();
    for second in 3600..3700 {
        bench.clock.set(at(second));
        bench.pass().await;
    }
    assert_eq!(bench.mailer.sent().len(), 5);
    assert_eq!(bench.dead().await, 0);
}

#[tokio::test]
async fn what_is_over_is_removed_within_a_minute_or_so() {
    // ASVS 14.2.7
    let bench = Bench::new();
    let account = bench.with_account().await;
    let challenge = rows::challenge(1, &account);
    bench.commit(rows::work().change(insert(&challenge))).await;
    bench.pass().await;
    assert!(bench.store.by_challenge(challenge.key).await.unwrap().is_some());
    bench
        .clock
        .set(challenge.expires_at.plus(Duration::from_secs(121)));
    bench.pass().await;
    assert!(bench.store.by_challenge(challenge.key).await.unwrap().is_none());
    assert_eq!(bench.auth.counts().purged, 1);
}

#[tokio::test]
async fn on_tokio_mails_leave_and_the_end_is_obeyed() {
    let Bench {
        store,
        mailer,
        background,
        clock,
        ..
    } = Bench::new();
    let account = rows::account(1);
    let work = (1..=20)
        .map(|n| notice(n, &account))
        .fold(rows::work_with(&account), UnitOfWork::mail);
    store.commit(work).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(background.run(async {
        let _ = stopped.await;
    }));
    while mailer.sent().len() < 20 {
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(
        store.backlog(clock.advance(LEASE)).await.unwrap().due,
        0,
        "all are settled"
    );
    // What is queued after the end waits for another process.
    store
        .commit(rows::work().mail(notice(21, &account)))
        .await
        .unwrap();
    tokio::task::yield_now().await;
    assert_eq!(mailer.sent().len(), 20);
}
