//! The second step of signing in: one code, once, for one half-done sign-in, and never more tries than allowed.

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

use common::watched_store::Mishap;
use common::{MICRO, MINUTE, OPERATOR, PASSWORD, SECOND, VAL, World, address, familiar, stranger};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::AuthEpoch;
use portal_auth::error::Denied;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome, SignInRefused};
use portal_auth::secret::token::{ChallengeToken, SessionToken};
use portal_auth::session::{Level, SessionEnd};
use portal_auth::testkit::rows::work;
use portal_auth::unit_of_work::{Change, Write};
use portal_auth::{CodeRefused, NewSession, ResendRefused};

async fn enter(
    world: &World,
    challenge: &ChallengeToken,
    code: &str,
) -> Result<NewSession, Denied<CodeRefused>> {
    world.auth.verify_code(&stranger(1), challenge, code, None).await
}

async fn careful() -> World {
    let world = World::new();
    world.careful_person(VAL).await;
    world
}

fn is_wrong(answer: &Result<NewSession, Denied<CodeRefused>>, left: u32) -> bool {
    matches!(answer, Err(Denied::Refused(CodeRefused::Wrong { tries_left })) if *tries_left == left)
}

#[tokio::test]
async fn password_and_code_make_a_session_at_level_two() {
    // I-21, SES-2
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    let (first, second) = code.split_at(3);
    let spaced = format!(" {first} {second} ");
    let new = enter(&world, &sent.challenge, &spaced).await.unwrap();
    assert_eq!(new.level, Level::Two);
    assert!(new.device.is_some());
    let signed_in = world.auth.authenticate(&new.session).await.unwrap();
    assert_eq!(signed_in.level(), Level::Two);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_half_done_sign_in_is_no_session_and_no_other_token() {
    // OTP-8, I-12, P-29
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    let as_session = SessionToken::parse(sent.challenge.expose()).unwrap();
    assert!(matches!(
        world.auth.authenticate(&as_session).await,
        Err(Denied::Refused(SessionEnd::Revoked))
    ));
    let session = world.session_at_two(VAL).await;
    let as_challenge = ChallengeToken::parse(session.expose()).unwrap();
    assert!(world.auth.code_notice(&as_challenge).await.unwrap().is_none());
}

#[tokio::test]
async fn five_wrong_codes_end_the_half_done_sign_in_and_the_right_one_comes_too_late() {
    // OTP-6, P-24
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    let (right, wrong) = (world.code(VAL).await, world.wrong_code(VAL).await);
    for left in (1..5).rev() {
        assert!(is_wrong(&enter(&world, &sent.challenge, &wrong).await, left));
    }
    assert!(matches!(
        enter(&world, &sent.challenge, &wrong).await,
        Err(Denied::Refused(CodeRefused::TriesUsed))
    ));
    assert!(matches!(
        enter(&world, &sent.challenge, &right).await,
        Err(Denied::Refused(CodeRefused::StartAgain))
    ));
    assert_eq!(world.audited("code.refused"), 5, "one event each");
}

#[tokio::test]
async fn what_cannot_be_a_code_costs_no_try() {
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    for typed in ["", "12345", "1234567", "12345x"] {
        let answer = enter(&world, &sent.challenge, typed).await;
        assert!(
            matches!(answer, Err(Denied::Refused(CodeRefused::Format(_)))),
            "{typed}"
        );
    }
    let wrong = world.wrong_code(VAL).await;
    assert!(is_wrong(&enter(&world, &sent.challenge, &wrong).await, 4));
}

#[tokio::test]
async fn ten_wrong_codes_in_a_row_close_the_step_over_resends_and_new_sign_ins() {
    // OTP-6, I-15, P-26
    let world = careful().await;
    world.clock.advance(MINUTE * 60);
    let mut wrong_so_far = 0;
    'all: loop {
        let sent = world.half_done(VAL).await;
        for n in 0..4 {
            let wrong = world.wrong_code(VAL).await;
            let answer = enter(&world, &sent.challenge, &wrong).await;
            wrong_so_far += 1;
            if wrong_so_far == 10 {
                assert!(
                    matches!(answer, Err(Denied::Refused(CodeRefused::Closed))),
                    "{answer:?}"
                );
                break 'all;
            }
            assert!(
                matches!(answer, Err(Denied::Refused(CodeRefused::Wrong { .. }))),
                "{answer:?}"
            );
            if n == 1 {
                // A resend refills nothing.
                world.clock.advance(MINUTE);
                world
                    .auth
                    .resend_code(&stranger(1), &sent.challenge)
                    .await
                    .unwrap();
            }
        }
    }
    assert_eq!(
        world.mails(VAL, "too-many-tries").await,
        1,
        "somebody has the password"
    );
    let answer = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(
        matches!(answer, Err(Denied::Refused(SignInRefused::CodesUsedUp))),
        "{answer:?}"
    );
    world.auth.unlock_account(&OPERATOR, &address(VAL)).await.unwrap();
    world.session_at_two(VAL).await;
}

#[tokio::test]
async fn the_step_closes_for_a_half_done_sign_in_that_was_open_before() {
    // OTP-6: over all challenges
    let world = careful().await;
    let (first, first_code) = (world.half_done(VAL).await, world.code(VAL).await);
    for _ in 0..2 {
        world.clock.advance(SECOND);
        let sent = world.half_done(VAL).await;
        let wrong = world.wrong_code(VAL).await;
        for _ in 0..5 {
            let _refused = enter(&world, &sent.challenge, &wrong).await.unwrap_err();
        }
    }
    let answer = enter(&world, &first.challenge, &first_code).await;
    assert!(
        matches!(answer, Err(Denied::Refused(CodeRefused::Closed))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn no_code_is_mailed_again_once_the_step_is_closed() {
    // OTP-6: it would be a code that nobody can use.
    let world = careful().await;
    let first = world.half_done(VAL).await;
    world.clock.advance(MINUTE);
    let resent = world.auth.resend_code(&stranger(1), &first.challenge).await;
    assert!(resent.is_ok(), "while the step is open: {resent:?}");
    for _ in 0..2 {
        let sent = world.half_done(VAL).await;
        let wrong = world.wrong_code(VAL).await;
        for _ in 0..5 {
            let _refused = enter(&world, &sent.challenge, &wrong).await.unwrap_err();
        }
    }
    let mailed = world.mails(VAL, "sign-in-code").await;
    for wait in [SECOND, MINUTE, MINUTE * 6] {
        // Also where it is too soon, so that no page asks anybody to wait for nothing.
        world.clock.advance(wait);
        let answer = world.auth.resend_code(&stranger(1), &first.challenge).await;
        assert!(
            matches!(answer, Err(Denied::Refused(ResendRefused::Closed))),
            "{answer:?}"
        );
    }
    assert_eq!(world.mails(VAL, "sign-in-code").await, mailed);
}

#[tokio::test]
async fn a_right_code_starts_the_count_of_failures_anew() {
    // I-15
    let world = careful().await;
    for _ in 0..3 {
        let sent = world.half_done(VAL).await;
        let (right, wrong) = (world.code(VAL).await, world.wrong_code(VAL).await);
        for _ in 0..4 {
            let _refused = enter(&world, &sent.challenge, &wrong).await.unwrap_err();
        }
        enter(&world, &sent.challenge, &right).await.unwrap();
        assert_eq!(world.account(VAL).await.code_failures, 0);
        world.clock.advance(SECOND);
    }
}

#[tokio::test]
async fn a_code_belongs_to_its_own_sign_in() {
    // OTP-5, I-14, P-25
    let world = careful().await;
    world.clock.advance(MINUTE);
    world.careful_person("attacker@school.example").await;
    let victims = world.half_done(VAL).await;
    world.half_done("attacker@school.example").await;
    let attackers_code = world.code("attacker@school.example").await;
    let victims_code = world.code(VAL).await;
    if attackers_code != victims_code {
        assert!(is_wrong(
            &enter(&world, &victims.challenge, &attackers_code).await,
            4
        ));
    }
    // A second half-done sign-in of the same person has a code of its own, too.
    world.clock.advance(SECOND);
    let second = world.half_done(VAL).await;
    let second_code = world.code(VAL).await;
    assert_ne!(second_code, victims_code, "two codes of one seed would be a bug");
    assert!(is_wrong(
        &enter(&world, &second.challenge, &victims_code).await,
        4
    ));
}

#[tokio::test]
async fn a_code_lives_ten_minutes_to_the_microsecond() {
    // OTP-2, I-05, P-28
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    world.clock.advance(MINUTE * 10 - MICRO);
    enter(&world, &sent.challenge, &code).await.unwrap();

    let sent = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    world.clock.advance(MINUTE * 10);
    let answer = enter(&world, &sent.challenge, &code).await;
    let Err(Denied::Refused(CodeRefused::Expired { sent: Some(notice) })) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(notice.sent_at, world.now());
    let fresh = world.code(VAL).await;
    assert_ne!(fresh, code);
    assert!(
        is_wrong(&enter(&world, &sent.challenge, &code).await, 4),
        "an expired code cost no try"
    );
    enter(&world, &sent.challenge, &fresh).await.unwrap();
}

#[tokio::test]
async fn a_half_done_sign_in_lives_twenty_minutes() {
    // OTP-7
    let world = careful().await;
    for (wait, alive) in [(MINUTE * 20 - MICRO, true), (MINUTE * 20, false)] {
        let sent = world.half_done(VAL).await;
        world.clock.advance(MINUTE * 10);
        world
            .auth
            .resend_code(&stranger(1), &sent.challenge)
            .await
            .unwrap();
        let code = world.code(VAL).await;
        world.clock.advance(wait - MINUTE * 10);
        assert_eq!(
            world.auth.code_notice(&sent.challenge).await.unwrap().is_some(),
            alive
        );
        assert_eq!(enter(&world, &sent.challenge, &code).await.is_ok(), alive);
    }
}

#[tokio::test]
async fn a_half_done_sign_in_from_the_future_is_not_believed() {
    // CLK-2: a clock that was set back must not lengthen the life of a code
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    world.clock.rewind(MINUTE * 2 + MICRO);
    assert!(matches!(
        enter(&world, &sent.challenge, &code).await,
        Err(Denied::Refused(CodeRefused::StartAgain))
    ));
    world.clock.advance(MICRO);
    enter(&world, &sent.challenge, &code).await.unwrap();
}

#[tokio::test]
async fn asking_again_sends_the_same_code_in_its_first_half_and_a_new_one_after() {
    // OTP-2, P-28
    for (wait, same) in [(MINUTE * 5, true), (MINUTE * 5 + MICRO, false)] {
        let world = careful().await;
        let sent = world.half_done(VAL).await;
        let first = world.code(VAL).await;
        world.clock.advance(wait);
        let notice = world
            .auth
            .resend_code(&stranger(1), &sent.challenge)
            .await
            .unwrap();
        let second = world.code(VAL).await;
        assert_eq!(first == second, same);
        let expires = sent
            .notice
            .sent_at
            .plus(if same { MINUTE * 10 } else { wait + MINUTE * 10 });
        assert_eq!(notice.expires_at, expires);
        if !same {
            assert!(
                is_wrong(&enter(&world, &sent.challenge, &first).await, 4),
                "the old one is dead"
            );
        }
        enter(&world, &sent.challenge, &second).await.unwrap();
    }
}

#[tokio::test]
async fn asking_for_a_code_again_gives_no_try_back() {
    // OTP-2, OTP-6: neither the same code again nor a new one
    for wait in [MINUTE, MINUTE * 6] {
        let world = careful().await;
        let sent = world.half_done(VAL).await;
        for left in [4, 3, 2] {
            let wrong = world.wrong_code(VAL).await;
            assert!(is_wrong(&enter(&world, &sent.challenge, &wrong).await, left));
        }
        world.clock.advance(wait);
        world
            .auth
            .resend_code(&stranger(1), &sent.challenge)
            .await
            .unwrap();
        let wrong = world.wrong_code(VAL).await;
        assert!(is_wrong(&enter(&world, &sent.challenge, &wrong).await, 1));
        assert!(matches!(
            enter(&world, &sent.challenge, &wrong).await,
            Err(Denied::Refused(CodeRefused::TriesUsed))
        ));
    }
}

#[tokio::test]
async fn a_code_is_sent_again_after_a_minute_and_three_times_in_all() {
    // OTP-7
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    let until = sent.notice.sent_at.plus(MINUTE);
    assert_eq!(sent.notice.again_at, Some(until));
    world.clock.advance(MINUTE - MICRO);
    assert!(matches!(
        world.auth.resend_code(&stranger(1), &sent.challenge).await,
        Err(Denied::Refused(ResendRefused::Wait { until: u })) if u == until
    ));
    world.clock.advance(MICRO);
    world
        .auth
        .resend_code(&stranger(1), &sent.challenge)
        .await
        .unwrap();
    world.clock.advance(MINUTE);
    let last = world
        .auth
        .resend_code(&stranger(1), &sent.challenge)
        .await
        .unwrap();
    assert_eq!(last.again_at, None);
    world.clock.advance(MINUTE);
    assert!(matches!(
        world.auth.resend_code(&stranger(1), &sent.challenge).await,
        Err(Denied::Refused(ResendRefused::NoMoreMails))
    ));
    assert_eq!(world.mails(VAL, "sign-in-code").await, 3);
}

#[tokio::test]
async fn opening_the_page_again_sends_nothing() {
    // WEB-3, portal P3
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    for _ in 0..5 {
        let notice = world.auth.code_notice(&sent.challenge).await.unwrap().unwrap();
        assert_eq!(notice, sent.notice);
        assert!(!notice.sent_to.contains("val@"), "masked: {}", notice.sent_to);
    }
    assert_eq!(world.mails(VAL, "sign-in-code").await, 1);
}

#[tokio::test]
async fn an_account_gets_ten_code_mails_an_hour_and_twenty_a_day() {
    // OTP-7
    let world = careful().await;
    let mut sent = 0;
    for _ in 0..30 {
        for _ in 0..12 {
            sent += usize::from(world.try_sign_in(&stranger(1), VAL, PASSWORD).await.is_ok());
        }
        world.clock.advance(MINUTE * 48);
    }
    assert_eq!(sent, 20, "within the first day");
    assert_eq!(world.audited("sign_in.code_sent"), 20);
    world.half_done(VAL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_entered_fifty_times_at_once_makes_one_session() {
    // OTP-4, I-13, P-27
    for _ in 0..5 {
        let world = Arc::new(careful().await);
        let sent = Arc::new(world.half_done(VAL).await);
        let code = world.code(VAL).await;
        let before = world.audited("sign_in.done");
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (world, sent, code) = (Arc::clone(&world), Arc::clone(&sent), code.clone());
                tokio::spawn(async move { enter(&world, &sent.challenge, &code).await.is_ok() })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            won += usize::from(one.await.unwrap());
        }
        assert_eq!(won, 1);
        assert_eq!(world.audited("sign_in.done"), before + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_wrong_codes_at_once_release_five_verdicts_at_most() {
    // OTP-6, I-16
    for _ in 0..5 {
        let world = Arc::new(careful().await);
        let sent = Arc::new(world.half_done(VAL).await);
        let code = world.wrong_code(VAL).await;
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (world, sent, code) = (Arc::clone(&world), Arc::clone(&sent), code.clone());
                tokio::spawn(async move { enter(&world, &sent.challenge, &code).await })
            })
            .collect();
        let mut verdicts = 0;
        for one in tries {
            match one.await.unwrap() {
                Err(Denied::Refused(CodeRefused::Wrong { .. } | CodeRefused::TriesUsed)) => verdicts += 1,
                Err(Denied::Refused(CodeRefused::StartAgain) | Denied::Busy { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(verdicts, world.audited("code.refused"));
        assert_eq!(world.account(VAL).await.code_failures as usize, verdicts);
        assert!(verdicts <= 5, "{verdicts}");
    }
}

#[tokio::test]
async fn a_right_code_counts_only_while_the_tries_are_as_they_were_read() {
    // OTP-6, I-16: else the right one of fifty codes sent at once always gets through, and five tries are fifty.
    let world = Arc::new(careful().await);
    let sent = Arc::new(world.half_done(VAL).await);
    let (code, wrong) = (world.code(VAL).await, world.wrong_code(VAL).await);
    let (elsewhere, _background) = world.another_process();
    let same = Arc::clone(&sent);
    world.store.overtake("sign_in.done", async move {
        let refused = elsewhere
            .verify_code(&stranger(1), &same.challenge, &wrong, None)
            .await;
        assert!(refused.is_err());
    });
    world.store.take_calls();
    enter(&world, &sent.challenge, &code).await.unwrap();
    let commits = world
        .store
        .take_calls()
        .into_iter()
        .filter(|call| *call == "commit");
    assert_eq!(
        commits.count(),
        3,
        "the wrong one, the right one in vain, the right one again"
    );
}

#[tokio::test]
async fn a_right_code_does_not_slip_in_before_the_last_wrong_one_is_counted() {
    // OTP-6: the last try may have a mail to pay for first; of fifty codes sent at once the right one won nearly always.
    let world = Arc::new(careful().await);
    let sent = Arc::new(world.half_done(VAL).await);
    let (code, wrong) = (world.code(VAL).await, world.wrong_code(VAL).await);
    for _ in 0..4 {
        enter(&world, &sent.challenge, &wrong).await.unwrap_err();
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    let (other, same) = (Arc::clone(&world), Arc::clone(&sent));
    world.store.overtake("code.refused", async move {
        let late = tokio::spawn(async move { enter(&other, &same.challenge, &code).await });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        tell.send(late).unwrap();
    });
    let last = enter(&world, &sent.challenge, &wrong).await;
    assert!(
        matches!(last, Err(Denied::Refused(CodeRefused::TriesUsed))),
        "{last:?}"
    );
    let late = told.await.unwrap().await.unwrap();
    assert!(
        matches!(late, Err(Denied::Refused(CodeRefused::StartAgain))),
        "{late:?}"
    );
}

#[tokio::test]
async fn the_sixth_half_done_sign_in_ends_the_first() {
    // OTP-7
    let world = careful().await;
    let mut all = Vec::new();
    for _ in 0..6 {
        all.push(world.half_done(VAL).await);
        world.clock.advance(SECOND);
    }
    assert!(world.auth.code_notice(&all[0].challenge).await.unwrap().is_none());
    for sent in &all[1..] {
        assert!(world.auth.code_notice(&sent.challenge).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn giving_up_ends_the_half_done_sign_in() {
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    for _ in 0..2 {
        world
            .auth
            .cancel_sign_in(&stranger(1), &sent.challenge)
            .await
            .unwrap();
    }
    assert!(matches!(
        enter(&world, &sent.challenge, &code).await,
        Err(Denied::Refused(CodeRefused::StartAgain))
    ));
    assert_eq!(world.audited("sign_in.given_up"), 1);
}

#[tokio::test]
async fn nobody_is_told_that_a_half_done_sign_in_is_given_up_before_it_is() {
    // OTP-8, DB-5
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    let code = world.code(VAL).await;
    let give_up = async || world.auth.cancel_sign_in(&stranger(1), &sent.challenge).await;
    for _ in 0..5 {
        world.store.meet("sign_in.given_up", Mishap::LostRequest);
    }
    assert!(give_up().await.unwrap_err().is_transient());
    assert_eq!(world.audited("sign_in.given_up"), 0);
    for _ in 0..4 {
        world.store.meet("sign_in.given_up", Mishap::Conflict);
    }
    give_up().await.unwrap();
    assert!(matches!(
        enter(&world, &sent.challenge, &code).await,
        Err(Denied::Refused(CodeRefused::StartAgain))
    ));
}

#[tokio::test]
async fn a_familiar_browser_still_needs_the_code() {
    // THR-1: a device only chooses the bucket
    let world = World::new();
    let device = world.careful_person(VAL).await;
    let answer = world
        .auth
        .sign_in(&familiar(&device), SignInForm::new(VAL, PASSWORD))
        .await;
    assert!(matches!(answer, Ok(SignInOutcome::CodeSent(_))), "{answer:?}");
}

#[tokio::test]
async fn a_sign_in_that_took_too_long_still_knows_its_address_but_not_after_the_epoch_moved() {
    // OTP-7, SES-5
    let world = careful().await;
    let sent = world.half_done(VAL).await;
    world.clock.advance(MINUTE * 20);
    assert!(world.auth.code_notice(&sent.challenge).await.unwrap().is_none());
    let known = world.auth.code_recipient(&sent.challenge).await.unwrap();
    assert_eq!(known, Some(address(VAL)));
    // What the account became since is nobody's business who only knew its old password: the epoch decides, whether
    // or not the challenge's row was swept.
    let account = world.account(VAL).await;
    let moved = AccountRow {
        auth_epoch: AuthEpoch::from_bytes([7; 8]),
        ..account
    };
    let change = Change::Account(Box::new(Write::Update(moved)));
    world.auth.store().commit(work().change(change)).await.unwrap();
    assert_eq!(world.auth.code_recipient(&sent.challenge).await.unwrap(), None);
}
