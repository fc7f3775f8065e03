//! The whole library under fifty requests at once, from several processes on one real database: each thing happens
//! once, and what ends something ends it for whoever starts afterwards (I-02, I-11, I-13, I-16, I-17).
//!
//! `PORTAL_AUTH_RACE_ROUNDS` is how often each race is run, 5 where it is not set; the plan asks for 200 now and then.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use portal_auth::account::email::EmailAddress;
use portal_auth::account::status::{Status, TwoStep};
use portal_auth::config::{Config, SecretQuestion};
use portal_auth::error::Denied;
use portal_auth::features::administer::Administrator;
use portal_auth::features::change_email::ChangeEmailForm;
use portal_auth::features::register::SecurityDetails;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::features::two_step::TwoStepOutcome;
use portal_auth::password::Password;
use portal_auth::password::hash::HashParams;
use portal_auth::secret::keyring::{KeyLine, KeyList, KeyState, Keyring};
use portal_auth::secret::token::{LinkToken, SessionToken};
use portal_auth::store::Store;
use portal_auth::testkit::recording_mailer::{code_in, tokens_in};
use portal_auth::testkit::{ManualClock, RecordingMailer};
use portal_auth::visitor::Visitor;
use portal_auth::{Background, Environment, NewPassword, PortalAuth};
use support::on_both;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How many at once.
const WAYS: usize = 50;
const OLD: &str = "Quiet-Meadow-42";
const NEW: &str = "Loud-Mountain-17";

fn rounds() -> usize {
    let set = std::env::var("PORTAL_AUTH_RACE_ROUNDS").ok();
    let rounds = set.map_or(5, |n| {
        n.parse()
            .unwrap_or_else(|_| panic!("PORTAL_AUTH_RACE_ROUNDS must be a number, not {n}"))
    });
    assert!(rounds > 0, "PORTAL_AUTH_RACE_ROUNDS must be at least 1");
    rounds
}

/// Several processes of one service.
struct House {
    processes: Vec<PortalAuth>,
    background: Background,
    mailer: RecordingMailer,
    clock: ManualClock,
    store: Arc<dyn Store>,
}

impl House {
    fn on(store: Arc<dyn Store>) -> Self {
        let (clock, mailer) = (ManualClock::default(), RecordingMailer::new());
        let mut config = Config::portal("https://portal.example".parse().unwrap());
        config.passwords.hash = HashParams::cheapest();
        config.passwords.workers = Some(1);
        config.registration.secret_question = SecretQuestion::Off;
        // Nobody is to be stopped by a budget: what is tested here is what stops them otherwise.
        config.guessing.ladder.free = 99;
        config.guessing.ladder.hashes = 100_000;
        config.guessing.network_failures = 1_000_000;
        config.sessions.most = 100;
        config.mail.an_hour_over_all = 1_000_000;
        config.mail.per_network = vec![(1000, Duration::from_secs(1))];
        let build = |config: &Config| {
            let keys = [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym].map(|list| {
                let secret = (0..32).collect::<Vec<u8>>().into();
                KeyLine::new(list, "k1".into(), KeyState::Signing, secret)
            });
            let mut environment = Environment::default();
            environment.clock = Arc::new(clock.clone());
            let keyring = Keyring::from_lines(keys.into()).unwrap();
            let store = Arc::clone(&store);
            PortalAuth::build_in(environment, config.clone(), store, mailer.clone(), keyring).unwrap()
        };
        let (mut processes, mut background) = (Vec::new(), None);
        for n in 0..4 {
            // Every other process takes a pepper and the others none, so that each sign-in there hashes anew.
            let mut config = config.clone();
            config.passwords.pepper = n % 2 == 1;
            let (auth, work) = build(&config);
            processes.push(auth);
            background = Some(work);
        }
        Self {
            processes,
            background: background.unwrap(),
            mailer,
            clock,
            store,
        }
    }

    fn auth(&self) -> &PortalAuth {
        &self.processes[0]
    }

    async fn link(&self, to: &str, kind: &str) -> LinkToken {
        // Eight at a time, and codes before links.
        while self.store.backlog(self.auth().now()).await.unwrap().due > 0 {
            self.background.work_once().await.unwrap();
        }
        let mail = self
            .mailer
            .latest(to, kind)
            .unwrap_or_else(|| panic!("no {kind} to {to}"));
        LinkToken::parse(tokens_in(&mail.text)[0]).unwrap()
    }

    async fn registered(&self, email: &str) -> LinkToken {
        let (auth, visitor) = (self.auth(), visitor(0));
        let details = SecurityDetails::new(email, OLD).repeated(email, OLD);
        let draft = auth.save_security_details(&visitor, None, details).await.unwrap();
        auth.submit_registration(&visitor, &draft).await.unwrap();
        self.link(email, "complete-registration").await
    }

    async fn person(&self, email: &str) {
        let link = self.registered(email).await;
        let password = Password::new(OLD);
        self.auth().activate(&visitor(0), &link, &password).await.unwrap();
        self.clock.advance(Duration::from_secs(61));
    }

    async fn session(&self, email: &str) -> SessionToken {
        match self
            .auth()
            .sign_in(&visitor(0), SignInForm::new(email, OLD))
            .await
            .unwrap()
        {
            SignInOutcome::SignedIn(new) => new.session,
            other => panic!("{other:?}"),
        }
    }

    async fn reset_link(&self, email: &str) -> LinkToken {
        self.auth().request_reset(&visitor(0), email).await.unwrap();
        self.link(email, "reset-password").await
    }

    /// Lets fifty at once do something, each in one of the processes; answers what came of it.
    async fn race<T, F>(&self, what: impl Fn(usize, PortalAuth) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let barrier = Arc::new(Barrier::new(WAYS));
        let mut runs = JoinSet::new();
        for n in 0..WAYS {
            let act = what(n, self.processes[n % self.processes.len()].clone());
            let barrier = Arc::clone(&barrier);
            runs.spawn(async move {
                barrier.wait().await;
                act.await
            });
        }
        runs.join_all().await
    }

    async fn password_is(&self, email: &str, password: &str) -> bool {
        let form = SignInForm::new(email, password);
        self.auth().sign_in(&visitor(1), form).await.is_ok()
    }

    async fn is_dead(&self, session: &SessionToken) -> bool {
        matches!(self.auth().authenticate(session).await, Err(Denied::Refused(_)))
    }
}

fn visitor(n: usize) -> Visitor {
    let host = u32::try_from(n).unwrap();
    let network = Ipv4Addr::from_bits(Ipv4Addr::new(198, 51, 0, 0).to_bits() + host);
    Visitor::unknown().from_network(IpAddr::V4(network))
}

fn address(email: &str) -> EmailAddress {
    EmailAddress::parse(email).unwrap()
}

/// How many were done; the others must have been told why not, and not by a fault.
fn done<T, R: std::fmt::Debug>(answers: &[Result<T, Denied<R>>]) -> usize {
    for answer in answers {
        if let Err(denied) = answer {
            assert!(
                matches!(
                    denied,
                    Denied::Refused(_) | Denied::Busy { .. } | Denied::Fault(_)
                ),
                "{denied:?}"
            );
            if let Denied::Fault(fault) = denied {
                assert!(fault.is_transient(), "{fault:?}");
            }
        }
    }
    answers.iter().filter(|a| a.is_ok()).count()
}

on_both! {
    async fn i_11_of_fifty_activations_by_one_link_one_makes_the_account(store, _database) {
        let house = House::on(store);
        for round in 0..rounds() {
            let email = format!("val{round}@school.example");
            let link = Arc::new(house.registered(&email).await);
            let answers = house.race(|n, auth| {
                let link = Arc::clone(&link);
                async move { auth.activate(&visitor(n), &link, &Password::new(OLD)).await }
            }).await;
            assert_eq!(done(&answers), 1, "round {round}");
            house.background.work_once().await.unwrap();
            let mails = house.mailer.sent_to(&email);
            assert_eq!(mails.iter().filter(|m| m.kind == "account-ready").count(), 1);
            house.clock.advance(Duration::from_secs(61));
        }
        let all = house.store.accounts("", None, 1000).await.unwrap();
        assert_eq!(all.len(), rounds());
    }

    async fn i_11_of_fifty_new_passwords_by_one_link_one_is_set(store, _database) {
        let house = House::on(store);
        for round in 0..rounds() {
            let email = format!("val{round}@school.example");
            house.person(&email).await;
            let link = Arc::new(house.reset_link(&email).await);
            let answers = house.race(|n, auth| {
                let link = Arc::clone(&link);
                let password = format!("Loud-Mountain-{n:03}");
                async move {
                    let form = NewPassword::new(password.as_str()).repeated(password.as_str());
                    let answer = auth.set_new_password(&visitor(n), &link, None, &form).await;
                    answer.map(|_| password)
                }
            }).await;
            assert_eq!(done(&answers), 1, "round {round}");
            let set = answers.into_iter().find_map(Result::ok).unwrap();
            assert!(house.password_is(&email, &set).await, "the winner's password counts");
            assert!(!house.password_is(&email, OLD).await);
        }
    }

    async fn i_13_of_fifty_entries_of_one_code_one_signs_in(store, _database) {
        let house = House::on(store);
        for round in 0..rounds() {
            let email = format!("val{round}@school.example");
            house.person(&email).await;
            let session = house.session(&email).await;
            let set = house.auth().set_two_step(&visitor(0), &session, TwoStep::Email).await.unwrap();
            assert!(matches!(set, TwoStepOutcome::Changed { .. }));
            let SignInOutcome::CodeSent(sent) =
                house.auth().sign_in(&visitor(0), SignInForm::new(&email, OLD)).await.unwrap()
            else {
                panic!("no code was sent");
            };
            house.background.work_once().await.unwrap();
            let code = code_in(&house.mailer.latest(&email, "sign-in-code").unwrap().text).unwrap();
            let challenge = Arc::new(sent.challenge);
            let answers = house.race(|n, auth| {
                let (challenge, code) = (Arc::clone(&challenge), code.clone());
                async move { auth.verify_code(&visitor(n), &challenge, &code, None).await }
            }).await;
            assert_eq!(done(&answers), 1, "round {round}");
            let account = house.store.by_email(&address(&email), None).await.unwrap().account.unwrap();
            assert_eq!(house.store.sessions_of(account.id).await.unwrap().len(), 1);
        }
    }

    async fn i_16_of_fifty_wrong_codes_five_are_judged(store, _database) {
        let house = House::on(store);
        for round in 0..rounds() {
            let email = format!("val{round}@school.example");
            house.person(&email).await;
            let session = house.session(&email).await;
            house.auth().set_two_step(&visitor(0), &session, TwoStep::Email).await.unwrap();
            let SignInOutcome::CodeSent(sent) =
                house.auth().sign_in(&visitor(0), SignInForm::new(&email, OLD)).await.unwrap()
            else {
                panic!("no code was sent");
            };
            house.background.work_once().await.unwrap();
            let right = code_in(&house.mailer.latest(&email, "sign-in-code").unwrap().text).unwrap();
            let right: usize = right.parse().unwrap();
            let challenge = Arc::new(sent.challenge);
            let answers = house.race(|n, auth| {
                let challenge = Arc::clone(&challenge);
                let wrong = format!("{:06}", (right + n + 1) % 1_000_000);
                async move { auth.verify_code(&visitor(n), &challenge, &wrong, None).await }
            }).await;
            assert_eq!(done(&answers), 0);
            let judged = answers.iter().filter(|a| {
                let words = format!("{a:?}");
                words.contains("Wrong") || words.contains("TriesUsed")
            }).count();
            let account = house.store.by_email(&address(&email), None).await.unwrap().account.unwrap();
            assert!((1..=5).contains(&judged), "round {round}: {judged} verdicts");
            assert_eq!(account.code_failures as usize, judged, "as many as were counted");
        }
    }

    async fn i_02_of_fifty_confirmations_for_one_address_one_account_gets_it(store, _database) {
        let house = House::on(store);
        for round in 0..rounds() {
            let wanted = format!("wanted{round}@school.example");
            let mut links = Vec::new();
            for who in ["val", "ivy"] {
                let email = format!("{who}{round}@school.example");
                house.person(&email).await;
                let session = house.session(&email).await;
                let form = ChangeEmailForm::new(&wanted, OLD).repeated(&wanted);
                house.auth().change_email(&visitor(0), &session, form).await.unwrap();
                links.push(Arc::new(house.link(&wanted, "confirm-email").await));
                house.clock.advance(Duration::from_secs(61));
            }
            assert_ne!(links[0].expose(), links[1].expose());
            let answers = house.race(|n, auth| {
                let link = Arc::clone(&links[n % 2]);
                async move { auth.confirm_email(&visitor(n), &link, None, &Password::new(OLD)).await }
            }).await;
            assert_eq!(done(&answers), 1, "round {round}");
            let all = house.store.accounts("", None, 1000).await.unwrap();
            assert_eq!(all.iter().filter(|a| a.email.as_str() == wanted).count(), 1);
            assert_eq!(all.len(), (round + 1) * 2);
        }
    }

    async fn i_17_no_sign_in_with_the_old_password_outlives_a_reset(store, _database) {
        let house = House::on(store);
        let mut signed_in = 0;
        for round in 0..rounds() {
            let email = format!("val{round}@school.example");
            house.person(&email).await;
            let link = Arc::new(house.reset_link(&email).await);
            let answers = house.race(|n, auth| {
                let (link, email) = (Arc::clone(&link), email.clone());
                async move {
                    if n == WAYS / 2 {
                        let form = NewPassword::new(NEW).repeated(NEW);
                        // It may wait for so many others that it must be asked again; it is never lost.
                        while let Err(denied) = auth.set_new_password(&visitor(n), &link, None, &form).await {
                            assert!(matches!(&denied, Denied::Fault(fault) if fault.is_transient()), "{denied:?}");
                        }
                        return None;
                    }
                    match auth.sign_in(&visitor(n), SignInForm::new(&email, OLD)).await {
                        Ok(SignInOutcome::SignedIn(new)) => Some(new.session),
                        _ => None,
                    }
                }
            }).await;
            for session in answers.into_iter().flatten() {
                signed_in += 1;
                assert!(house.is_dead(&session).await, "round {round}: a session outlived the reset");
            }
            assert!(house.password_is(&email, NEW).await && !house.password_is(&email, OLD).await);
        }
        assert!(signed_in > 0, "somebody was signed in before the reset");
    }

    async fn i_07_nothing_outlives_the_disabling_of_an_account(store, _database) {
        let house = House::on(store);
        let mut done_before = 0;
        for round in 0..rounds() {
            let email = format!("val{round}@school.example");
            house.person(&email).await;
            let link = Arc::new(house.reset_link(&email).await);
            let held = Arc::new(house.session(&email).await);
            let answers = house.race(|n, auth| {
                let (link, held, email) = (Arc::clone(&link), Arc::clone(&held), email.clone());
                async move {
                    let visitor = visitor(n);
                    if n == WAYS / 2 {
                        let by = Administrator::at_the_command_line();
                        // It may lose to so many others that it must be asked again; it is never lost.
                        while auth.disable_account(&by, &address(&email)).await.is_err() {}
                        return None;
                    }
                    let form = NewPassword::new(NEW).repeated(NEW);
                    match n % 5 {
                        0 => auth.set_new_password(&visitor, &link, None, &form).await.ok().map(|_| None),
                        1 => {
                            let changed = auth.change_password(&visitor, &held, &Password::new(OLD), &form).await;
                            changed.ok().map(|renewed| Some(renewed.session))
                        }
                        2 => auth.set_two_step(&visitor, &held, TwoStep::Email).await.ok().map(|_| None),
                        3 => auth.end_other_sessions(&visitor, &held).await.ok().map(|r| Some(r.session)),
                        _ => match auth.sign_in(&visitor, SignInForm::new(&email, OLD)).await {
                            Ok(SignInOutcome::SignedIn(new)) => Some(Some(new.session)),
                            _ => None,
                        },
                    }
                }
            }).await;
            let account = house.store.by_email(&address(&email), None).await.unwrap().account.unwrap();
            assert_eq!(account.status, Status::Disabled, "round {round}");
            for did in answers.into_iter().flatten() {
                done_before += 1;
                if let Some(session) = did {
                    assert!(house.is_dead(&session).await, "round {round}: a session is alive");
                }
            }
            assert!(house.is_dead(&held).await);
            assert!(!house.password_is(&email, OLD).await && !house.password_is(&email, NEW).await);
        }
        assert!(done_before > 0, "somebody did something before");
    }

    async fn a_new_hash_of_the_old_password_loses_to_a_new_password(store, _database) {
        // HASH-4
        let house = House::on(store);
        let mut hashed_anew = 0;
        for round in 0..rounds() {
            let email = format!("val{round}@school.example");
            house.person(&email).await;
            let held = Arc::new(house.session(&email).await);
            let answers = house.race(|n, auth| {
                let (held, email) = (Arc::clone(&held), email.clone());
                async move {
                    if n == WAYS / 2 {
                        let form = NewPassword::new(NEW).repeated(NEW);
                        let old = Password::new(OLD);
                        let mut tries = 0;
                        loop {
                            match auth.change_password(&visitor(n), &held, &old, &form).await {
                                Ok(_) => return true,
                                // It lost to one rehash after the other; nothing was written.
                                Err(Denied::Fault(fault)) if fault.is_transient() && tries < 20 => tries += 1,
                                Err(Denied::Busy { .. }) if tries < 20 => tries += 1,
                                Err(other) => panic!("{other:?}"),
                            }
                        }
                    }
                    auth.sign_in(&visitor(n), SignInForm::new(&email, OLD)).await.is_ok()
                }
            }).await;
            hashed_anew += answers.iter().filter(|a| **a).count() - 1;
            assert!(house.password_is(&email, NEW).await, "round {round}: the new password was undone");
            assert!(!house.password_is(&email, OLD).await, "round {round}");
        }
        assert!(hashed_anew > 0, "somebody signed in before the change");
    }
}
