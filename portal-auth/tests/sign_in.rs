//! Signing in: budgets, uniform answers, familiar browsers, weak hashes, and what happens when rows move.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::sync::Arc;

use common::failing_engine::FailingEngine;
use common::log_lines::LogLines;
use common::watched_store::Mishap;
use common::{
    DAY, HOUR, MICRO, MINUTE, OPERATOR, OTHER_PASSWORD, PASSWORD, SECOND, VAL, World, address, familiar,
    stranger,
};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::Status;
use portal_auth::config::{Config, TwoStepPolicy};
use portal_auth::error::Denied;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome, SignInRefused};
use portal_auth::password::hash::{HashParams, StoredHash};
use portal_auth::secret::token::SessionToken;
use portal_auth::session::{Level, SessionEnd};
use portal_auth::store::AccountStore as _;
use portal_auth::testkit::rows;
use portal_auth::unit_of_work::{Change, UnitOfWork, Write};

const WRONG: &str = "Wrong-Password-99";

/// Everything an outsider can tell about an answer.
fn outward(answer: &Result<SignInOutcome, Denied<SignInRefused>>) -> String {
    match answer {
        Ok(_) => "in".into(),
        Err(denied) => format!("{denied:?}"),
    }
}

fn account_written(row: AccountRow) -> UnitOfWork {
    rows::work().change(Change::Account(Box::new(Write::Update(row))))
}

#[tokio::test]
async fn the_right_password_opens_a_session_at_level_one() {
    let world = World::new();
    world.person(VAL).await;
    let new = world.signed_in(&stranger(1), " Val@School.Example ").await;
    assert_eq!(new.level, Level::One);
    assert!(new.device.is_some());
    let signed_in = world.auth.authenticate(&new.session).await.unwrap();
    assert_eq!(signed_in.account(), world.account(VAL).await.id);
    assert_eq!(world.audited("sign_in.done"), 1);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn what_is_no_address_or_no_password_costs_nothing() {
    let world = World::new();
    world.person(VAL).await;
    world.store.take_calls();
    for (email, password) in [("val", PASSWORD), ("", PASSWORD), (VAL, "")] {
        let answer = world.try_sign_in(&stranger(1), email, password).await;
        assert!(matches!(
            answer,
            Err(Denied::Refused(
                SignInRefused::Email(_) | SignInRefused::PasswordRequired
            ))
        ));
    }
    assert!(world.store.take_calls().is_empty());
}

#[tokio::test]
async fn unknown_wrong_waiting_disabled_and_closed_are_one_answer_at_one_price() {
    // ENU-1, ENU-2, P-20, I-03, I-07, I-36
    let world = World::new();
    for email in [VAL, "disabled@school.example", "closed@school.example"] {
        world.person(email).await;
    }
    world.register("waiting@school.example", PASSWORD).await;
    world
        .auth
        .disable_account(&OPERATOR, &address("disabled@school.example"))
        .await
        .unwrap();
    let closed = AccountRow {
        status: Status::Closed,
        ..world.account("closed@school.example").await
    };
    world.store.commit(account_written(closed)).await.unwrap();

    let mut seen = Vec::new();
    for (n, (email, password)) in (100..).zip([
        ("nobody@school.example", PASSWORD),
        (VAL, WRONG),
        ("waiting@school.example", PASSWORD),
        ("disabled@school.example", PASSWORD),
        ("closed@school.example", PASSWORD),
    ]) {
        let mut all = Vec::new();
        for _ in 0..12 {
            world.store.take_calls();
            let hashes = world.auth.counts().gate.hashes_done;
            let answer = world.try_sign_in(&stranger(n), email, password).await;
            let hashed = world.auth.counts().gate.hashes_done - hashes;
            all.push((outward(&answer), world.store.take_calls(), hashed));
        }
        seen.push(all);
    }
    for (n, other) in seen.iter().enumerate() {
        assert_eq!(other, &seen[0], "case {n}");
    }
    assert!(seen[0][9].0.contains("NotCorrect"));
    assert!(seen[0][10].0.contains("TooManyTries"));
    assert_eq!(seen[0][0].2, 1, "one comparison each");
}

#[tokio::test]
async fn ten_failures_are_free_then_waits_double_and_the_right_password_waits_too() {
    // THR-3, THR-4, P-14
    let world = World::new();
    world.person(VAL).await;
    assert_eq!(world.guess_until_closed(&stranger(2), VAL).await, 10);
    for wait in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
        world.clock.advance(SECOND * wait - MICRO);
        let refused = world.try_sign_in(&stranger(3), VAL, PASSWORD).await;
        assert!(
            matches!(refused, Err(Denied::TooManyTries { retry_after }) if retry_after == MICRO),
            "{refused:?}"
        );
        world.clock.advance(MICRO);
        let wrong = world.try_sign_in(&stranger(4), VAL, WRONG).await;
        assert!(
            matches!(wrong, Err(Denied::Refused(SignInRefused::NotCorrect))),
            "{wrong:?}"
        );
    }
    world.clock.advance(HOUR);
    world.signed_in(&stranger(5), VAL).await;
}

#[tokio::test]
async fn a_hundred_failures_close_the_strangers_way_until_the_owners_browser_lifts_it() {
    // THR-3, THR-7, P-14, P-16, I-23
    let world = World::new();
    let device = world.person(VAL).await;
    let live = world.session(VAL).await;
    let mut tries = 0_u32;
    let mut network = 10;
    while tries < 100 {
        match world.try_sign_in(&stranger(network), VAL, WRONG).await {
            Err(Denied::Refused(_)) => tries += 1,
            Err(Denied::TooManyTries { retry_after }) => {
                assert!(retry_after <= HOUR, "I-25");
                world.clock.advance(retry_after);
                // The live session of the owner is used meanwhile, and lives as long as it is.
                network += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        world.auth.authenticate(&live).await,
        Err(Denied::Refused(SessionEnd::Absolute))
    ));
    for _ in 0..3 {
        world.clock.advance(HOUR);
        let refused = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
        assert!(matches!(refused, Err(Denied::TooManyTries { .. })), "{refused:?}");
    }
    // I-23 (i): the owner's own browser has a budget of its own ...
    world.signed_in(&familiar(&device), VAL).await;
    // ... and reopens the strangers' way, at its longest wait only.
    let refused = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(matches!(refused, Err(Denied::TooManyTries { retry_after }) if retry_after == HOUR));
    world.clock.advance(HOUR);
    world.signed_in(&stranger(1), VAL).await;
}

#[tokio::test]
async fn the_cap_does_not_fall_by_itself() {
    // THR-3
    let world = World::with(|c| c.guessing.ladder.cap = 11);
    world.person(VAL).await;
    assert_eq!(world.guess_until_closed(&stranger(2), VAL).await, 10);
    world.clock.advance(30 * SECOND);
    assert_eq!(world.guess_until_closed(&stranger(2), VAL).await, 1);
    world.clock.advance(DAY * 60);
    let refused = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(matches!(refused, Err(Denied::TooManyTries { retry_after }) if retry_after == HOUR));
    world.auth.unlock_account(&OPERATOR, &address(VAL)).await.unwrap();
    world.signed_in(&stranger(1), VAL).await;
}

#[tokio::test]
async fn a_familiar_browser_has_its_own_ten_tries() {
    // THR-1 (b), THR-3, I-22
    let world = World::new();
    let device = world.person(VAL).await;
    assert_eq!(world.guess_until_closed(&stranger(2), VAL).await, 10);
    assert_eq!(world.guess_until_closed(&familiar(&device), VAL).await, 10);
    world.clock.advance(SECOND * 30);
    // Its success clears its own count: ten again.
    world.signed_in(&familiar(&device), VAL).await;
    assert_eq!(world.guess_until_closed(&familiar(&device), VAL).await, 10);
}

#[tokio::test]
async fn a_device_of_one_account_is_a_stranger_to_another() {
    // THR-1, I-24
    let world = World::new();
    let device = world.person(VAL).await;
    world.clock.advance(HOUR);
    world.person("other@school.example").await;
    assert_eq!(
        world
            .guess_until_closed(&familiar(&device), "other@school.example")
            .await,
        10
    );
    let strange = world
        .try_sign_in(&stranger(9), "other@school.example", PASSWORD)
        .await;
    assert!(
        matches!(strange, Err(Denied::TooManyTries { .. })),
        "one shared budget"
    );
    world.signed_in(&familiar(&device), VAL).await;
}

#[tokio::test]
async fn a_success_takes_back_its_own_charge_and_no_other() {
    // THR-7
    let world = World::new();
    world.person(VAL).await;
    for _ in 0..9 {
        assert!(world.try_sign_in(&stranger(2), VAL, WRONG).await.is_err());
    }
    for _ in 0..3 {
        world.signed_in(&stranger(1), VAL).await;
    }
    assert_eq!(world.guess_until_closed(&stranger(2), VAL).await, 1);
}

#[tokio::test]
async fn thirty_hashes_in_ten_minutes_is_what_an_account_gets() {
    // HASH-2
    let world = World::new();
    world.person(VAL).await;
    for _ in 0..30 {
        world.signed_in(&stranger(1), VAL).await;
    }
    let refused = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(
        matches!(refused, Err(Denied::TooManyTries { retry_after }) if retry_after == MINUTE * 10),
        "{refused:?}"
    );
    world.clock.advance(MINUTE * 10);
    world.signed_in(&stranger(1), VAL).await;
}

#[tokio::test]
async fn one_password_over_many_addresses_closes_the_network_and_nobody_elses() {
    // THR-1 (c), THR-3, P-17
    let world = World::new();
    let device = world.person(VAL).await;
    for n in 0..100 {
        let answer = world
            .try_sign_in(&stranger(7), &format!("p{n}@school.example"), WRONG)
            .await;
        assert!(matches!(answer, Err(Denied::Refused(_))), "try {n}: {answer:?}");
    }
    let closed = world.try_sign_in(&stranger(7), VAL, PASSWORD).await;
    assert!(matches!(closed, Err(Denied::TooManyTries { retry_after }) if retry_after == HOUR));
    world.signed_in(&stranger(8), VAL).await;
    // The owner's own browser is not judged by the network it is in.
    let at_home = stranger(7).with_device(Some(device));
    world.signed_in(&at_home, VAL).await;
    world.clock.advance(HOUR);
    world.signed_in(&stranger(7), VAL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_wrong_tries_at_once_ten_are_compared() {
    // THR-2, P-15, I-16, I-22: over two processes, one right password at a random place
    for round in 0..3_usize {
        let world = Arc::new(World::new());
        world.person(VAL).await;
        let (other, _background) = world.another_process();
        let tries: Vec<_> = (0..200_usize)
            .map(|n| {
                let auth = if n % 2 == 0 {
                    world.auth.clone()
                } else {
                    other.clone()
                };
                let password = if n == 190 - round { PASSWORD } else { WRONG };
                tokio::spawn(async move {
                    auth.sign_in(
                        &stranger(u32::try_from(n).unwrap()),
                        SignInForm::new(VAL, password),
                    )
                    .await
                })
            })
            .collect();
        let (mut compared, mut closed) = (0, 0);
        for one in tries {
            match one.await.unwrap() {
                Ok(_) | Err(Denied::Refused(_)) => compared += 1,
                Err(Denied::TooManyTries { .. }) => closed += 1,
                other => panic!("{other:?}"),
            }
        }
        let in_audit = world.audited("sign_in.refused") + world.audited("sign_in.done");
        assert_eq!(in_audit, compared, "round {round}: one event for each comparison");
        let done = world.audited("sign_in.done");
        assert_eq!(world.audited("sign_in.refused"), 10, "round {round}");
        assert_eq!(compared, 10 + done);
        assert_eq!(compared + closed, 200);
        let throttled = world.auth.counts().throttled + other.counts().throttled;
        assert_eq!(throttled, closed as u64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_right_passwords_at_once_all_pass() {
    // THR-2, HASH-2: one flight for a bucket, so that right passwords do not fill the budget of ten
    let world = World::with(|c| c.sessions.most = 100);
    world.person(VAL).await;
    let tries: Vec<_> = (0..30)
        .map(|_| {
            let auth = world.auth.clone();
            tokio::spawn(async move { auth.sign_in(&stranger(1), SignInForm::new(VAL, PASSWORD)).await })
        })
        .collect();
    for one in tries {
        assert!(one.await.unwrap().is_ok());
    }
    assert_eq!(world.audited("sign_in.done"), 30);
}

#[tokio::test]
async fn the_owner_hears_of_a_closed_address_once_an_hour() {
    // E13, THR-3; an address without an account gets no mail
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(HOUR);
    world.guess_until_closed(&stranger(2), VAL).await;
    world
        .guess_until_closed(&stranger(3), "nobody@school.example")
        .await;
    assert_eq!(world.mails(VAL, "too-many-tries").await, 1);
    assert_eq!(world.mails("nobody@school.example", "too-many-tries").await, 0);
    world.clock.advance(MINUTE);
    world.guess_until_closed(&stranger(2), VAL).await;
    assert_eq!(world.mails(VAL, "too-many-tries").await, 1);
    assert!(world.audited("guessing.closed") >= 3);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_network_that_closes_is_told_once_a_window() {
    // LOG-5, I-37, THR-3 (c)
    let world = World::with(|c| c.guessing.network_failures = 7);
    let log = LogLines::of_this_thread(tracing::Level::INFO);
    for day in 1..=2 {
        for n in 0..20 {
            let email = format!("p{n}@school.example");
            let form = SignInForm::new(&email, OTHER_PASSWORD);
            assert!(world.auth.sign_in(&stranger(2), form).await.is_err());
        }
        assert_eq!(world.audited("guessing.network_closed"), day);
        // Only the store knows which failure closed it, so no line of the log says it of another.
        assert_eq!(log.count(), world.audited("sign_in.refused"));
        world.clock.advance(HOUR * 24);
    }
    let audit = world.audit();
    let told = audit
        .iter()
        .find(|e| e.kind == "guessing.network_closed")
        .unwrap();
    assert!(told.network.is_some() && told.address.is_none() && told.account.is_none());
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn the_session_a_browser_held_ends_and_a_planted_value_is_never_adopted() {
    // SES-2, P-36, I-20
    let world = World::new();
    world.person(VAL).await;
    let old = world.session(VAL).await;
    let form = SignInForm::new(VAL, PASSWORD).replacing(Some(&old));
    let Ok(SignInOutcome::SignedIn(new)) = world.auth.sign_in(&stranger(1), form).await else {
        panic!("the password is right");
    };
    assert_ne!(new.session.expose(), old.expose());
    assert!(matches!(
        world.auth.authenticate(&old).await,
        Err(Denied::Refused(SessionEnd::Revoked))
    ));
    let planted = SessionToken::parse(&"A".repeat(43)).unwrap();
    let form = SignInForm::new(VAL, PASSWORD).replacing(Some(&planted));
    assert!(world.auth.sign_in(&stranger(1), form).await.is_ok());
    assert!(world.auth.authenticate(&planted).await.is_err());
    assert!(world.auth.authenticate(&new.session).await.is_ok());
}

#[tokio::test]
async fn the_eleventh_session_ends_the_first() {
    // SES-8
    let world = World::new();
    world.person(VAL).await;
    let mut sessions = Vec::new();
    for _ in 0..11 {
        sessions.push(world.session(VAL).await);
        world.clock.advance(SECOND);
    }
    assert!(world.auth.authenticate(&sessions[0]).await.is_err());
    for session in &sessions[1..] {
        assert!(world.auth.authenticate(session).await.is_ok());
    }
}

#[tokio::test]
async fn a_password_is_verified_exactly_as_it_was_typed() {
    // HASH-6, ASVS 6.2.8, 6.2.9, P-11: 128 characters of four bytes each between blanks
    let world = World::with(|c| {
        let policy = Config::modern("https://portal.example".parse().unwrap())
            .passwords
            .policy;
        c.passwords.policy = policy;
    });
    let typed = |at: usize, c: char| {
        let inner = (0..126).map(|n| if n == at { c } else { '\u{1F9F1}' });
        format!(" {} ", inner.collect::<String>())
    };
    let password = typed(126, ' ');
    assert_eq!((password.chars().count(), password.len()), (128, 506));
    world.register(VAL, &password).await;
    let link = world.link(VAL).await;
    world.activate(&link, &password).await.unwrap();
    let others = [
        password.trim().to_owned(),
        password.trim_start().to_owned(),
        typed(72, '\u{1F9F0}'),
        typed(125, '\u{1F9F0}'),
        format!("{password} "),
        password.chars().take(127).collect(),
    ];
    for other in others {
        let answer = world.try_sign_in(&stranger(1), VAL, &other).await;
        assert!(
            matches!(answer, Err(Denied::Refused(SignInRefused::NotCorrect))),
            "{answer:?}"
        );
    }
    world.try_sign_in(&stranger(1), VAL, &password).await.unwrap();
}

#[tokio::test]
async fn a_password_does_not_expire() {
    // ASVS 6.2.10
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(DAY * 365 * 5);
    world.work().await;
    world.session(VAL).await;
}

#[tokio::test]
async fn a_weak_hash_is_replaced_at_sign_in() {
    // HASH-4
    let world = World::new();
    world.person(VAL).await;
    let before = world.account(VAL).await;
    let (stronger, _background) = world.process_with(|c| c.passwords.hash = HashParams::DEFAULT);
    stronger
        .sign_in(&stranger(1), SignInForm::new(VAL, PASSWORD))
        .await
        .unwrap();
    let after = world.account(VAL).await;
    assert_ne!(after.password, before.password);
    assert_eq!(after.auth_epoch, before.auth_epoch, "sessions live on");
    assert_eq!(world.audited("password.rehashed"), 1);
    stronger
        .sign_in(&stranger(1), SignInForm::new(VAL, PASSWORD))
        .await
        .unwrap();
    assert_eq!(world.audited("password.rehashed"), 1, "once is enough");
}

#[tokio::test]
async fn a_weak_hash_is_replaced_where_a_code_is_asked_for_too() {
    // HASH-4
    let world = World::new();
    world.careful_person(VAL).await;
    let before = world.account(VAL).await;
    let (stronger, _background) = world.process_with(|c| c.passwords.hash = HashParams::DEFAULT);
    let form = SignInForm::new(VAL, PASSWORD);
    let Ok(SignInOutcome::CodeSent(sent)) = stronger.sign_in(&stranger(1), form).await else {
        panic!("a code is asked for");
    };
    assert_ne!(world.account(VAL).await.password, before.password);
    assert_eq!(world.audited("password.rehashed"), 1);
    let code = world.code(VAL).await;
    let session = stronger
        .verify_code(&stranger(1), &sent.challenge, &code, None)
        .await;
    assert!(session.is_ok(), "the sign-in goes on: {session:?}");
}

#[tokio::test]
async fn a_rehash_loses_to_a_password_that_changed_meanwhile() {
    // HASH-4, I-06
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    world.person("other@school.example").await;
    let changed = AccountRow {
        password: world.account("other@school.example").await.password,
        ..world.account(VAL).await
    };
    let rival = Mishap::Rival(Box::new(account_written(changed.clone())));
    world.store.meet("password.rehashed", rival);
    let (stronger, _background) = world.process_with(|c| c.passwords.hash = HashParams::DEFAULT);
    let answer = stronger
        .sign_in(&stranger(1), SignInForm::new(VAL, PASSWORD))
        .await;
    assert!(answer.is_ok(), "the sign-in itself was right when it was made");
    assert_eq!(world.account(VAL).await.password, changed.password);
    assert_eq!(world.audited("password.rehashed"), 0);
}

#[tokio::test]
async fn a_password_that_changes_during_the_sign_in_is_compared_again() {
    // 4.3: a verdict is reused only for the same stored hash
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    world.register("other@school.example", OTHER_PASSWORD).await;
    let link = world.link("other@school.example").await;
    world.activate(&link, OTHER_PASSWORD).await.unwrap();
    let changed = AccountRow {
        password: world.account("other@school.example").await.password,
        auth_epoch: portal_auth::account::status::AuthEpoch::from_bytes([9; 8]),
        ..world.account(VAL).await
    };
    let rival = Mishap::Rival(Box::new(account_written(changed)));
    world.store.meet("sign_in.done", rival);
    let answer = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(
        matches!(answer, Err(Denied::Refused(SignInRefused::NotCorrect))),
        "{answer:?}"
    );
    assert_eq!(world.audited("sign_in.done"), 0);
    assert_eq!(world.audited("sign_in.refused"), 1);
}

#[tokio::test]
async fn conflicts_are_decided_again_and_five_of_them_are_busy() {
    // 4.3; ENU-1: for unknown addresses alike
    let world = World::new();
    world.person(VAL).await;
    for _ in 0..4 {
        world.store.meet("sign_in.done", Mishap::Conflict);
    }
    let hashes = world.auth.counts().gate.hashes_done;
    world.signed_in(&stranger(1), VAL).await;
    assert_eq!(world.auth.counts().gate.hashes_done, hashes + 1, "compared once");
    for email in [VAL, "nobody@school.example"] {
        for _ in 0..5 {
            world.store.meet("sign_in.refused", Mishap::Conflict);
        }
        let answer = world.try_sign_in(&stranger(1), email, WRONG).await;
        assert!(matches!(answer, Err(Denied::Busy { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found_out() {
    // 4.3
    let world = World::new();
    world.person(VAL).await;
    world.store.meet("sign_in.done", Mishap::LostAnswer);
    let session = world.session(VAL).await;
    assert!(world.auth.authenticate(&session).await.is_ok());
    assert_eq!(world.audited("sign_in.done"), 1);
    world.store.meet("sign_in.done", Mishap::LostRequest);
    let session = world.session(VAL).await;
    assert!(world.auth.authenticate(&session).await.is_ok());
    assert_eq!(world.audited("sign_in.done"), 2);
}

#[tokio::test]
async fn a_store_that_is_down_lets_nobody_in() {
    // DB-5, THR-8
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.store.set_down(true);
    let answer = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(
        matches!(&answer, Err(Denied::Fault(fault)) if fault.is_transient()),
        "{answer:?}"
    );
    assert!(matches!(
        world.auth.authenticate(&session).await,
        Err(Denied::Fault(_))
    ));
    world.store.set_down(false);
    assert!(world.auth.authenticate(&session).await.is_ok());
}

#[tokio::test]
async fn a_right_password_without_a_code_mail_left_costs_no_try_and_is_audited() {
    // OTP-7, THR-7, I-37
    let world = World::with(|c| c.two_step = TwoStepPolicy::RequiredForAll);
    world.person(VAL).await;
    for _ in 0..10 {
        world.half_done(VAL).await;
    }
    for _ in 0..15 {
        let refused = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
        assert!(
            matches!(refused, Err(Denied::TooManyTries { retry_after }) if retry_after == HOUR),
            "{refused:?}"
        );
    }
    assert_eq!(
        world.audited("sign_in.refused"),
        15,
        "one event for each comparison"
    );
    world.clock.advance(HOUR);
    world.half_done(VAL).await;
}

#[tokio::test]
async fn a_hash_without_memory_is_no_wrong_password_and_the_same_for_known_and_unknown() {
    // ENU-1, HASH-7, THR-1
    const NOBODY: &str = "nobody@school.example";
    let engine = FailingEngine::default();
    let world = World::with(|c| c.passwords.engine = engine.engine());
    world.person(VAL).await;
    engine.fail(true);
    let mut told = Vec::new();
    for email in [VAL, NOBODY] {
        for password in [PASSWORD, WRONG] {
            let answer = world.try_sign_in(&stranger(1), email, password).await;
            assert!(
                matches!(&answer, Err(Denied::Fault(fault)) if fault.is_transient()),
                "{answer:?}"
            );
            told.push(outward(&answer));
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(world.audited("sign_in.refused"), 0, "nothing was decided");
    engine.fail(false);
    world.session(VAL).await;
    for email in [VAL, NOBODY] {
        let left = world.guess_until_closed(&stranger(2), email).await;
        assert_eq!(
            left, 8,
            "both charges stay, as of somebody who went away: {email}"
        );
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_checked_is_a_wrong_password_and_is_counted() {
    // HASH-7, ASVS 11.2.5
    let world = World::new();
    world.person(VAL).await;
    world
        .put_account(AccountRow {
            password: StoredHash::from_column("$argon2id$torn".to_owned()),
            ..world.account(VAL).await
        })
        .await;
    let answer = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert_eq!(outward(&answer), "Refused(NotCorrect)");
    assert_eq!(world.audited("sign_in.refused"), 1);
    assert_eq!(world.guess_until_closed(&stranger(1), VAL).await, 9);
}

#[tokio::test]
async fn nothing_that_is_returned_shows_a_secret() {
    // HASH-7, LOG-2
    let world = World::new();
    world.careful_person(VAL).await;
    let form = SignInForm::new(VAL, PASSWORD);
    assert!(!format!("{form:?}").contains(PASSWORD));
    let sent = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    let shown = format!(
        "{sent:?} {:?}",
        SignInOutcome::CodeSent(world.half_done(VAL).await)
    );
    assert!(!shown.contains(sent.challenge.expose()) && !shown.contains(&code));
    let session = world
        .auth
        .verify_code(&stranger(1), &sent.challenge, &code, None)
        .await
        .unwrap();
    let signed_in = world.auth.authenticate(&session.session).await.unwrap();
    let shown = format!(
        "{session:?} {signed_in:?} {:?} {:?} {:?}",
        world.account(VAL).await,
        world.auth,
        world.details(VAL, PASSWORD)
    );
    for secret in [
        session.session.expose(),
        session.device.as_ref().unwrap().expose(),
        PASSWORD,
        common::ANSWER,
        "$argon2id$",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
