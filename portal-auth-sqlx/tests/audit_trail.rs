//! The audit as evidence, on real databases: whatever somebody does to its rows behind the library's back is found.

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

use portal_auth::config::Config;
use portal_auth::environment::{Clock as _, SystemEntropy};
use portal_auth::features::audit_trail::{AuditProblem, AuditReport};
use portal_auth::features::sign_in::SignInForm;
use portal_auth::password::hash::HashParams;
use portal_auth::secret::keyring::Keyring;
use portal_auth::store::Store;
use portal_auth::testkit::{ManualClock, RecordingMailer};
use portal_auth::visitor::Visitor;
use portal_auth::{Background, Environment, PortalAuth};
use support::on_both;

/// A service that has something to write down.
struct Service {
    auth: PortalAuth,
    background: Background,
    clock: ManualClock,
}

impl Service {
    fn over(store: Arc<dyn Store>) -> Self {
        let clock = ManualClock::new(support::T0);
        let mut config = Config::modern("http://127.0.0.1:8080".parse().unwrap());
        config.passwords.hash = HashParams::cheapest();
        let mut environment = Environment::default();
        environment.clock = Arc::new(clock.clone());
        let keyring = Keyring::random(&SystemEntropy::default()).unwrap();
        let (auth, background) =
            PortalAuth::build_in(environment, config, store, RecordingMailer::new(), keyring).unwrap();
        Self {
            auth,
            background,
            clock,
        }
    }

    /// Three events, and their seal.
    async fn sealed_batch(&self) {
        for n in 0..3 {
            let email = format!("nobody{n}@school.example");
            let form = SignInForm::new(&email, "whatever it may be");
            self.auth.sign_in(&Visitor::unknown(), form).await.unwrap_err();
            self.clock.advance(Duration::from_secs(1));
        }
        self.clock.advance(Duration::from_secs(60));
        self.background.work_once().await.unwrap();
    }

    async fn report(&self) -> AuditReport {
        self.auth.verify_audit(None).await.unwrap()
    }
}

on_both! {
    async fn an_audit_that_nobody_touched_verifies_and_shows_its_head(store, _database) {
        // LOG-5
        let service = Service::over(store);
        assert_eq!(service.report().await.head, None);
        service.sealed_batch().await;
        let first = service.report().await;
        assert_eq!((first.seals, first.events, first.unsealed, first.problems.len()), (1, 3, 0, 0));
        service.sealed_batch().await;
        service.auth.sign_in(&Visitor::unknown(), SignInForm::new("last@school.example", "x y z")).await.unwrap_err();
        let second = service.report().await;
        assert_eq!((second.seals, second.events, second.unsealed, second.problems.len()), (2, 6, 1, 0));
        let heads = [first.head.unwrap(), second.head.unwrap()];
        for head in &heads {
            let report = service.auth.verify_audit(Some(head)).await.unwrap();
            assert_eq!(report.problems, [], "{head}");
        }
        let forged = format!("2:{}", "0".repeat(64));
        let report = service.auth.verify_audit(Some(&forged)).await.unwrap();
        assert_eq!(report.problems, [AuditProblem::OtherHead]);
    }

    async fn whatever_is_done_to_a_row_is_found(store, database) {
        let service = Service::over(store);
        service.sealed_batch().await;
        service.sealed_batch().await;
        let head = service.report().await.head.unwrap();
        let second_batch = |found| AuditProblem::ChangedBatch { no: 2, sealed: 3, found };
        database.run("CREATE TABLE kept AS SELECT * FROM portal_audit").await;
        database.run("CREATE TABLE kept_seals AS SELECT * FROM portal_audit_seals").await;
        for (harm, expected) in [
            ("UPDATE portal_audit SET reason = 'password.right' WHERE seal = 2 AND place = 1", vec!["event", "batch"]),
            ("DELETE FROM portal_audit WHERE seal = 2 AND place = 1", vec!["batch"]),
            ("UPDATE portal_audit SET place = 1 - place WHERE seal = 2 AND place < 2", vec!["batch"]),
            ("UPDATE portal_audit SET seal = 1, place = 9 WHERE seal = 2 AND place = 2", vec!["batch", "batch"]),
            ("UPDATE portal_audit SET happened_at = happened_at + 1 WHERE seal = 1 AND place = 0", vec!["event", "batch"]),
            ("UPDATE portal_audit_seals SET events = 2 WHERE no = 2", vec!["seal", "batch"]),
            ("DELETE FROM portal_audit_seals WHERE no = 1", vec!["gap", "batch"]),
            ("UPDATE portal_audit_seals SET kind = 'checkpoint' WHERE no = 1", vec!["seal"]),
        ] {
            database.run(harm).await;
            let problems = service.report().await.problems;
            let found: Vec<_> = problems.iter().map(|problem| match problem {
                AuditProblem::ChangedEvent(_) => "event",
                AuditProblem::ChangedBatch { .. } => "batch",
                AuditProblem::ChangedSeal(_) => "seal",
                AuditProblem::MissingSeals { .. } => "gap",
                other => panic!("{other:?}"),
            }).collect();
            assert_eq!(found, expected, "{harm}: {problems:?}");
            database.run("DELETE FROM portal_audit").await;
            database.run("DELETE FROM portal_audit_seals").await;
            database.run("INSERT INTO portal_audit SELECT * FROM kept").await;
            database.run("INSERT INTO portal_audit_seals SELECT * FROM kept_seals").await;
            assert_eq!(service.report().await.problems, [], "after {harm}");
        }
        // A new row in an old batch, and an end that is cut off: only the head of the log knows of the second.
        database.run("UPDATE portal_audit SET seal = 0, place = 0 WHERE seal = 2 AND place = 2").await;
        assert_eq!(service.report().await.problems, [second_batch(2)]);
        database.run("DELETE FROM portal_audit WHERE seal IN (0, 2)").await;
        database.run("DELETE FROM portal_audit_seals WHERE no = 2").await;
        assert_eq!(service.report().await.problems, []);
        let report = service.auth.verify_audit(Some(&head)).await.unwrap();
        assert_eq!(report.problems, [AuditProblem::OtherHead]);
    }

    async fn old_rows_leave_a_checkpoint_behind_which_the_chain_goes_on(store, database) {
        // ASVS 14.2.7
        let service = Service::over(store);
        service.sealed_batch().await;
        service.sealed_batch().await;
        let old_head = service.report().await.head.unwrap();
        service.clock.advance(Duration::from_secs(366 * 86_400));
        service.sealed_batch().await;
        service.clock.advance(Duration::from_secs(61));
        service.background.work_once().await.unwrap();
        let report = service.report().await;
        assert_eq!((report.seals, report.events, report.problems.len()), (2, 3, 0));
        let rows = database.numbers("SELECT count(*) FROM portal_audit").await;
        assert_eq!(rows, [[3]]);
        let report = service.auth.verify_audit(Some(&old_head)).await.unwrap();
        assert_eq!(report.problems, [], "the head of the checkpoint is known");
        database.run("DELETE FROM portal_audit_seals WHERE kind = 'checkpoint'").await;
        let problems = service.report().await.problems;
        assert!(matches!(problems[0], AuditProblem::MissingSeals { after: 0, before: 3 }), "{problems:?}");
    }

    async fn of_parallel_sealers_one_seals_a_batch_and_the_chain_stays_whole(store, _database) {
        let service = Arc::new(Service::over(store));
        for n in 0..20 {
            let email = format!("nobody{n}@school.example");
            service.auth.sign_in(&Visitor::unknown(), SignInForm::new(&email, "whatever")).await.unwrap_err();
        }
        let at_once: Vec<_> = (0..8).map(|_| {
            let service = Arc::clone(&service);
            tokio::spawn(async move { service.background.work_once().await })
        }).collect();
        for one in at_once {
            one.await.unwrap().unwrap();
        }
        service.clock.advance(Duration::from_secs(61));
        service.background.work_once().await.unwrap();
        let report = service.report().await;
        assert_eq!((report.events, report.unsealed, report.problems.len()), (20, 0, 0));
        assert!(service.clock.now() > support::T0);
    }
}
