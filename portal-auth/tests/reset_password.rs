//! The link, the answer, and the new password; nothing less sets one, and nothing of before outlives it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::watched_store::Mishap;
use common::{
    ANSWER, DAY, HOUR, MICRO, MINUTE, OPERATOR, OTHER_PASSWORD, PASSWORD, SECOND, VAL, World, address,
    familiar, stranger,
};
use portal_auth::NewPassword;
use portal_auth::account::recovery::Paused;
use portal_auth::account::status::TwoStep;
use portal_auth::config::SecretQuestion;
use portal_auth::error::Denied;
use portal_auth::features::reset_password::{PasswordReset, ResetRefused, ResetStep};
use portal_auth::features::sign_in::{SignInForm, SignInOutcome, SignInRefused};
use portal_auth::link::LinkRefused;
use portal_auth::password::policy::BrokenRule;
use portal_auth::secret::token::{AnswerToken, LinkToken};

const WRONG: &str = "a wrong answer";

async fn answer(world: &World, link: &LinkToken, typed: &str) -> Result<AnswerToken, Denied<ResetRefused>> {
    world.auth.answer_reset(&stranger(1), link, typed).await
}

async fn set(
    world: &World,
    link: &LinkToken,
    proof: Option<&AnswerToken>,
    password: &str,
) -> Result<PasswordReset, Denied<ResetRefused>> {
    let form = NewPassword::new(password).repeated(password);
    world
        .auth
        .set_new_password(&stranger(1), link, proof, &form)
        .await
}

/// The whole way: link, answer, new password.
async fn reset(world: &World, password: &str) -> PasswordReset {
    let link = world.reset_link(VAL).await;
    let proof = answer(world, &link, ANSWER).await.unwrap();
    set(world, &link, Some(&proof), password).await.unwrap()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Denied<ResetRefused>>) -> ResetRefused {
    match answer {
        Err(Denied::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

async fn signs_in(world: &World, password: &str) -> bool {
    world.clock.advance(HOUR);
    world.try_sign_in(&stranger(900), VAL, password).await.is_ok()
}

#[tokio::test]
async fn link_and_answer_set_a_new_password_and_open_no_session() {
    // RST-3, RST-4
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let page = world.auth.reset_page(&link, None).await.unwrap();
    assert_eq!(page.email.as_str(), VAL);
    assert_eq!(page.expires_at, world.now().plus(HOUR));
    let ResetStep::Answer { question, tries_left } = page.step else {
        panic!("{page:?}");
    };
    assert_eq!(question.unwrap().id.unwrap().as_str(), world.question());
    assert_eq!(tries_left, 3);
    // ANS-2: how it is typed does not matter.
    let proof = answer(&world, &link, "  green  VAUXHALL, astra. ").await.unwrap();
    let page = world.auth.reset_page(&link, Some(&proof)).await.unwrap();
    assert_eq!(page.step, ResetStep::NewPassword);
    let done = set(&world, &link, Some(&proof), OTHER_PASSWORD).await.unwrap();
    assert_eq!(done.email.as_str(), VAL);
    assert!(done.device.is_some(), "the browser is familiar from now on");
    assert!(!signs_in(&world, PASSWORD).await);
    assert!(signs_in(&world, OTHER_PASSWORD).await);
    assert_eq!(world.mails(VAL, "password-changed").await, 1);
    for kind in ["reset.requested", "reset.answered", "reset.done"] {
        assert_eq!(world.audited(kind), 1, "{kind}");
    }
    // I-11: once.
    let again = refused(set(&world, &link, Some(&proof), "Third-Password-33").await);
    assert_eq!(again, ResetRefused::Link(LinkRefused::Used));
    let page = refused(world.auth.reset_page(&link, None).await);
    assert_eq!(page, ResetRefused::Link(LinkRefused::Used));
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn looking_at_the_page_changes_nothing() {
    // TOK-5, P-04
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let events = world.audit().len();
    for _ in 0..20 {
        world.auth.reset_page(&link, None).await.unwrap();
        assert_eq!(
            refused(answer(&world, &link, "  ").await),
            ResetRefused::AnswerRequired
        );
        let early = refused(set(&world, &link, None, OTHER_PASSWORD).await);
        assert_eq!(early, ResetRefused::AnswerFirst);
    }
    assert_eq!(world.audit().len(), events);
    answer(&world, &link, ANSWER).await.unwrap();
}

#[tokio::test]
async fn an_answer_alone_does_nothing() {
    // ANS-1, ANS-6, I-12, P-32
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    world.person("other@school.example").await;
    let others = world.reset_link("other@school.example").await;
    world.register("new@school.example", PASSWORD).await;
    let activation = world.link("new@school.example").await;
    let proof = answer(&world, &others, ANSWER).await.unwrap();
    // A token of another purpose, and the answer's own token as a link.
    let forged = LinkToken::parse(&"A".repeat(43)).unwrap();
    let proof_as_link = LinkToken::parse(proof.expose()).unwrap();
    for token in [&activation, &forged, &proof_as_link] {
        for refusal in [
            refused(world.auth.reset_page(token, Some(&proof)).await),
            refused(answer(&world, token, ANSWER).await),
            refused(set(&world, token, Some(&proof), OTHER_PASSWORD).await),
        ] {
            assert_eq!(refusal, ResetRefused::Link(LinkRefused::Unknown));
        }
    }
    // The other account's proof is worth nothing for Val's link.
    let link = world.reset_link(VAL).await;
    let refusal = refused(set(&world, &link, Some(&proof), OTHER_PASSWORD).await);
    assert_eq!(refusal, ResetRefused::AnswerFirst);
    assert!(signs_in(&world, PASSWORD).await);
}

#[tokio::test]
async fn a_right_answer_counts_in_its_browser_for_fifteen_minutes() {
    // RST-3
    for (wait, counts) in [(MINUTE * 15 - MICRO, true), (MINUTE * 15, false)] {
        let world = World::new();
        world.person(VAL).await;
        let link = world.reset_link(VAL).await;
        let proof = answer(&world, &link, ANSWER).await.unwrap();
        world.clock.advance(wait);
        let stranger = refused(set(&world, &link, None, OTHER_PASSWORD).await);
        assert_eq!(stranger, ResetRefused::AnswerFirst);
        let own = set(&world, &link, Some(&proof), OTHER_PASSWORD).await;
        assert_eq!(own.is_ok(), counts, "{own:?}");
    }
}

#[tokio::test]
async fn three_wrong_answers_end_the_link() {
    // ANS-5
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    for left in [2, 1, 0] {
        let wrong = refused(answer(&world, &link, WRONG).await);
        assert_eq!(wrong, ResetRefused::AnswerWrong { tries_left: left });
    }
    for refusal in [
        refused(answer(&world, &link, ANSWER).await),
        refused(world.auth.reset_page(&link, None).await),
    ] {
        assert_eq!(refusal, ResetRefused::Link(LinkRefused::Ended));
    }
    // What cannot be an answer at all is a wrong one.
    let link = world.reset_link(VAL).await;
    let wrong = refused(answer(&world, &link, "ab").await);
    assert_eq!(wrong, ResetRefused::AnswerWrong { tries_left: 2 });
    assert_eq!(world.audited("reset.refused"), 4);
}

#[tokio::test]
async fn five_wrong_answers_in_a_row_pause_the_recovery_and_the_owner_is_told() {
    // ANS-5, E17
    let world = World::new();
    world.person(VAL).await;
    let mut link = world.reset_link(VAL).await;
    for n in 1..5 {
        if n == 4 {
            link = world.reset_link(VAL).await;
        }
        assert!(matches!(
            refused(answer(&world, &link, WRONG).await),
            ResetRefused::AnswerWrong { .. }
        ));
    }
    let until = world.now().plus(DAY);
    let paused = ResetRefused::Paused(Paused::Until(until));
    assert_eq!(refused(answer(&world, &link, WRONG).await), paused);
    for refusal in [
        refused(answer(&world, &link, ANSWER).await),
        refused(world.auth.reset_page(&link, None).await),
        refused(set(&world, &link, None, OTHER_PASSWORD).await),
    ] {
        assert_eq!(refusal, paused, "the right answer does nothing meanwhile");
    }
    assert_eq!(world.mails(VAL, "recovery-paused").await, 1);
    // Asking again tells the owner alone.
    world.clock.advance(HOUR);
    world.auth.request_reset(&stranger(1), VAL).await.unwrap();
    assert_eq!(world.mails(VAL, "recovery-paused").await, 2);
    assert_eq!(world.mails(VAL, "reset-password").await, 2);

    world.clock.advance(DAY - HOUR - MICRO);
    world.auth.request_reset(&stranger(2), VAL).await.unwrap();
    assert_eq!(world.mails(VAL, "reset-password").await, 2);
    let link = world.reset_link(VAL).await;
    // The count goes on: five more, and only an administrator helps.
    for _ in 0..3 {
        refused(answer(&world, &link, WRONG).await);
    }
    let link = world.reset_link(VAL).await;
    refused(answer(&world, &link, WRONG).await);
    let last = refused(answer(&world, &link, WRONG).await);
    assert_eq!(last, ResetRefused::Paused(Paused::UntilAdministrator));
    world.clock.advance(DAY * 30);
    world.auth.request_reset(&stranger(1), VAL).await.unwrap();
    let text = world.latest(VAL, "recovery-paused").await;
    assert!(
        text.replace('\n', " ")
            .contains("until an administrator helps you"),
        "{text}"
    );
    assert!(
        signs_in(&world, PASSWORD).await,
        "signing in is not touched by it"
    );
}

#[tokio::test]
async fn a_right_answer_begins_the_count_anew() {
    // ANS-5
    let world = World::new();
    world.person(VAL).await;
    for _ in 0..3 {
        let link = world.reset_link(VAL).await;
        for _ in 0..2 {
            assert!(matches!(
                refused(answer(&world, &link, WRONG).await),
                ResetRefused::AnswerWrong { .. }
            ));
        }
        answer(&world, &link, ANSWER).await.unwrap();
        world.clock.advance(HOUR);
    }
    assert_eq!(world.account(VAL).await.recovery.answer_failures, 0);
}

#[tokio::test]
async fn no_schedule_of_parallel_tries_gets_more_answers_checked_than_the_limit() {
    // I-16, ANS-5
    let world = Arc::new(World::new());
    world.person(VAL).await;
    let link = world.reset_link(VAL).await.expose().to_owned();
    let tries = (0..20).map(|n| {
        let (world, link) = (Arc::clone(&world), LinkToken::parse(&link).unwrap());
        async move {
            world
                .auth
                .answer_reset(&stranger(200 + n), &link, WRONG)
                .await
                .map(drop)
        }
    });
    let answers = futures_join(tries).await;
    let told = answers
        .iter()
        .filter(|a| matches!(a, Err(Denied::Refused(ResetRefused::AnswerWrong { .. }))));
    assert_eq!(told.count(), 3, "{answers:?}");
    assert_eq!(world.account(VAL).await.recovery.answer_failures, 3);
}

/// Runs all at the same time.
async fn futures_join<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let running: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in running {
        done.push(task.await.unwrap());
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_new_passwords_at_once_one_wins() {
    // TOK-4, I-11, P-06
    let world = Arc::new(World::new());
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let proof = answer(&world, &link, ANSWER).await.unwrap();
    let (link, proof) = (link.expose().to_owned(), proof.expose().to_owned());
    let racers = (0..50_u32).map(|n| {
        let world = Arc::clone(&world);
        let (link, proof) = (
            LinkToken::parse(&link).unwrap(),
            AnswerToken::parse(&proof).unwrap(),
        );
        async move {
            let form = NewPassword::new(format!("Racing-Password-{n:02}"));
            let done = world
                .auth
                .set_new_password(&stranger(300 + n), &link, Some(&proof), &form)
                .await;
            done.map(|_| n)
        }
    });
    let answers = futures_join(racers).await;
    let winners: Vec<u32> = answers.iter().filter_map(|a| a.as_ref().ok().copied()).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    world.clock.advance(HOUR);
    assert!(signs_in(&world, &format!("Racing-Password-{:02}", winners[0])).await);
    assert_eq!(world.mails(VAL, "password-changed").await, 1);
}

#[tokio::test]
async fn a_new_password_keeps_every_rule_with_the_names_known() {
    // R7, PWD-3, RST-6
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let proof = answer(&world, &link, ANSWER).await.unwrap();
    let form = NewPassword::new("short").repeated("other");
    let wrong = world
        .auth
        .set_new_password(&stranger(1), &link, Some(&proof), &form)
        .await;
    let ResetRefused::Password(wrong) = refused(wrong) else {
        panic!("not a password's refusal");
    };
    assert!(wrong.repeated_differently);
    for rule in [
        BrokenRule::TooShort { least: 10 },
        BrokenRule::Digits { least: 2 },
        BrokenRule::Upper { least: 1 },
        BrokenRule::Special { least: 1 },
    ] {
        assert!(wrong.broken.contains(&rule), "{rule:?}");
    }
    assert_eq!(wrong.errors().of("new-password2").count(), 1);
    let broken = |answer| match refused(answer) {
        ResetRefused::Password(wrong) => wrong.broken,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        broken(set(&world, &link, Some(&proof), PASSWORD).await),
        [BrokenRule::Reused]
    );
    // I-37: a comparison with the password in force was made and its outcome told, so it is audited.
    assert_eq!(world.audited("reset.not_set"), 1);
    let service = set(&world, &link, Some(&proof), "ProfessionalPortal-42").await;
    assert_eq!(broken(service), [BrokenRule::Context]);
    assert_eq!(world.audited("reset.done"), 0);
    set(&world, &link, Some(&proof), OTHER_PASSWORD).await.unwrap();

    let lenient = World::with(|config| config.passwords.refuse_current = false);
    lenient.person(VAL).await;
    reset(&lenient, PASSWORD).await;
}

#[tokio::test]
async fn a_reset_ends_all_that_was_before() {
    // SES-5, P-33, P-38
    let world = World::new();
    let device = world.person(VAL).await;
    let sessions = [world.session(VAL).await, world.session(VAL).await];
    world.clock.advance(MINUTE * 11);
    let old_link = world.reset_link(VAL).await;
    let proof = answer(&world, &old_link, ANSWER).await.unwrap();
    let epoch = world.account(VAL).await.auth_epoch;
    let done = set(&world, &old_link, Some(&proof), OTHER_PASSWORD)
        .await
        .unwrap();
    assert_ne!(world.account(VAL).await.auth_epoch, epoch);
    for session in &sessions {
        assert!(world.auth.authenticate(session).await.is_err());
    }
    // The old device is a stranger now, the one of the reset is familiar.
    world.guess_until_closed(&stranger(66), VAL).await;
    let form = || SignInForm::new(VAL, OTHER_PASSWORD);
    let old = world.auth.sign_in(&familiar(&device), form()).await;
    assert!(matches!(old, Err(Denied::TooManyTries { .. })), "{old:?}");
    let new = world.auth.sign_in(&familiar(&done.device.unwrap()), form()).await;
    assert!(matches!(new, Ok(SignInOutcome::SignedIn(_))), "{new:?}");
}

#[tokio::test]
async fn the_second_step_stays_and_is_asked_for_again() {
    // RST-4, P-33
    let world = World::new();
    world.careful_person(VAL).await;
    let half = world.half_done(VAL).await;
    reset(&world, OTHER_PASSWORD).await;
    assert_eq!(world.account(VAL).await.two_step, TwoStep::Email);
    let code = world.code(VAL).await;
    let late = world
        .auth
        .verify_code(&stranger(1), &half.challenge, &code, None)
        .await;
    assert!(late.is_err(), "the half-done sign-in of before is dead");
    world.clock.advance(MINUTE * 2);
    let next = world.try_sign_in(&stranger(1), VAL, OTHER_PASSWORD).await;
    assert!(matches!(next, Ok(SignInOutcome::CodeSent(_))), "{next:?}");
}

#[tokio::test]
async fn it_reopens_an_address_at_the_cap() {
    // THR-3, P-16
    let world = World::with(|config| {
        config.guessing.ladder.hashes = 1_000;
        config.guessing.network_failures = 1_000;
    });
    let device = world.person(VAL).await;
    let session = world.session(VAL).await;
    let mut tries = 0;
    while tries < 100 {
        tries += world.guess_until_closed(&stranger(66), VAL).await;
        world.clock.advance(HOUR);
        if tries < 100 {
            world.auth.authenticate(&session).await.ok();
        }
    }
    world.clock.advance(DAY * 3);
    let closed = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(matches!(closed, Err(Denied::TooManyTries { .. })), "{closed:?}");
    reset(&world, OTHER_PASSWORD).await;
    let open = world.try_sign_in(&stranger(1), VAL, OTHER_PASSWORD).await;
    assert!(matches!(open, Ok(SignInOutcome::SignedIn(_))), "{open:?}");
    drop(device);
}

#[tokio::test]
async fn it_opens_the_own_browser_that_had_to_wait_too() {
    // THR-1
    let world = World::new();
    let device = world.person(VAL).await;
    let own = familiar(&device);
    world.guess_until_closed(&own, VAL).await;
    let link = world.reset_link(VAL).await;
    let proof = world.auth.answer_reset(&own, &link, ANSWER).await.unwrap();
    let form = NewPassword::new(OTHER_PASSWORD);
    let done = world
        .auth
        .set_new_password(&own, &link, Some(&proof), &form)
        .await
        .unwrap();
    assert!(done.device.is_none(), "the browser has its device");
    let open = world.try_sign_in(&own, VAL, OTHER_PASSWORD).await;
    assert!(matches!(open, Ok(SignInOutcome::SignedIn(_))), "{open:?}");
}

#[tokio::test]
async fn it_reopens_the_step_of_codes() {
    // OTP-6, I-15
    let world = World::with(|config| config.codes.failures_in_a_row = 2);
    world.careful_person(VAL).await;
    for _ in 0..2 {
        world.clock.advance(MINUTE * 2);
        let sent = world.half_done(VAL).await;
        let wrong = world.wrong_code(VAL).await;
        drop(
            world
                .auth
                .verify_code(&stranger(1), &sent.challenge, &wrong, None)
                .await,
        );
    }
    let closed = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
    assert!(
        matches!(closed, Err(Denied::Refused(SignInRefused::CodesUsedUp))),
        "{closed:?}"
    );
    reset(&world, OTHER_PASSWORD).await;
    let open = world.try_sign_in(&stranger(1), VAL, OTHER_PASSWORD).await;
    assert!(matches!(open, Ok(SignInOutcome::CodeSent(_))), "{open:?}");
}

#[tokio::test]
async fn where_no_question_is_asked_the_link_alone_is_enough() {
    // 6.4.2
    let world = World::with(|config| config.registration.secret_question = SecretQuestion::Off);
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let page = world.auth.reset_page(&link, None).await.unwrap();
    assert_eq!(page.step, ResetStep::NewPassword);
    assert_eq!(
        refused(answer(&world, &link, ANSWER).await),
        ResetRefused::NoAnswerAsked
    );
    set(&world, &link, None, OTHER_PASSWORD).await.unwrap();
    assert!(signs_in(&world, OTHER_PASSWORD).await);
}

#[tokio::test]
async fn an_account_that_is_not_in_use_is_not_reset() {
    // RST-5, I-07
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let proof = answer(&world, &link, ANSWER).await.unwrap();
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    for refusal in [
        refused(world.auth.reset_page(&link, Some(&proof)).await),
        refused(answer(&world, &link, ANSWER).await),
        refused(set(&world, &link, Some(&proof), OTHER_PASSWORD).await),
    ] {
        assert_eq!(refusal, ResetRefused::Link(LinkRefused::Ended));
    }
}

#[tokio::test]
async fn a_disabling_that_comes_first_wins() {
    let world = Arc::new(World::new());
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let proof = answer(&world, &link, ANSWER).await.unwrap();
    let auth = world.auth.clone();
    world.store.overtake("reset.done", async move {
        auth.disable_account(&OPERATOR, &address(VAL)).await.unwrap();
    });
    let refusal = refused(set(&world, &link, Some(&proof), OTHER_PASSWORD).await);
    assert_eq!(refusal, ResetRefused::Link(LinkRefused::Ended));
}

#[tokio::test]
async fn i_09_answers_that_were_lost_on_the_way_are_found_out() {
    // I-09
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    world.store.meet("reset.answered", Mishap::LostAnswer);
    let proof = answer(&world, &link, ANSWER).await.unwrap();
    world.store.meet("reset.done", Mishap::LostAnswer);
    set(&world, &link, Some(&proof), OTHER_PASSWORD).await.unwrap();
    assert!(signs_in(&world, OTHER_PASSWORD).await);
    let link = world.reset_link(VAL).await;
    world.store.meet("reset.refused", Mishap::Conflict);
    let wrong = refused(answer(&world, &link, WRONG).await);
    assert_eq!(wrong, ResetRefused::AnswerWrong { tries_left: 2 });
}

#[tokio::test]
async fn a_network_that_guesses_answers_is_closed() {
    // THR-1, THR-6
    let world = World::with(|config| config.guessing.network_failures = 2);
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    for _ in 0..2 {
        refused(answer(&world, &link, WRONG).await);
    }
    let closed = answer(&world, &link, ANSWER).await;
    assert!(matches!(closed, Err(Denied::TooManyTries { .. })), "{closed:?}");
    let elsewhere = world.auth.answer_reset(&stranger(7), &link, ANSWER).await;
    assert!(elsewhere.is_ok(), "the owner elsewhere goes on: {elsewhere:?}");
}

#[tokio::test]
async fn links_end_exactly_when_they_say() {
    // RST-2, I-05
    let world = World::with(|config| config.recovery.link_lifetime = Duration::from_secs(1800));
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    let proof = answer(&world, &link, ANSWER).await.unwrap();
    world.clock.advance(MINUTE * 14);
    assert!(world.auth.reset_page(&link, Some(&proof)).await.is_ok());
    world.clock.advance(MINUTE * 16 - SECOND);
    assert!(world.auth.reset_page(&link, None).await.is_ok());
    world.clock.advance(SECOND);
    let over = refused(set(&world, &link, Some(&proof), OTHER_PASSWORD).await);
    assert!(
        matches!(over, ResetRefused::Link(LinkRefused::Expired { .. })),
        "{over:?}"
    );
}
