//! What an outsider can see of the four doors that take an address (sign-in, reset, registration, sending the link
//! again): the same for an address with an account, for one without, and for one whose owner must wait (I-36).
//!
//! Two worlds are led through the same acts; one of them knows the address.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::fmt::Debug;
use std::time::Duration;

use common::{OTHER_PASSWORD, PASSWORD, VAL, World, stranger};
use portal_auth::error::Denied;
use portal_auth::features::change_email::ChangeEmailForm;
use portal_auth::features::sign_in::SignInForm;
use proptest::prelude::*;

/// What an attacker can do to an address, without a secret of it.
#[derive(Debug, Clone)]
enum Knock {
    SignIn { from: u32, tries: u8 },
    Reset { from: u32 },
    Register { from: u32 },
    SendAgain { from: u32 },
    Wait { seconds: u64 },
}

fn knocks() -> impl Strategy<Value = Vec<Knock>> {
    let from = 1..4_u32;
    let knock = prop_oneof![
        4 => (from.clone(), 1..6_u8).prop_map(|(from, tries)| Knock::SignIn { from, tries }),
        2 => from.clone().prop_map(|from| Knock::Reset { from }),
        2 => from.clone().prop_map(|from| Knock::Register { from }),
        2 => from.prop_map(|from| Knock::SendAgain { from }),
        3 => prop::sample::select(vec![1, 30, 60, 61, 600, 3600, 90_000]).prop_map(|seconds| Knock::Wait { seconds }),
    ];
    prop::collection::vec(knock, 5..30)
}

/// The answer as an outsider sees it: what it gave, and what was refused with which words.
fn seen<T, R: Debug>(answer: Result<T, Denied<R>>) -> String {
    match answer {
        Ok(_) => "done".into(),
        Err(denied) => format!("{denied:?}"),
    }
}

/// The same with all that was given.
fn seen_by_all<T: Debug, R: Debug>(answer: &Result<T, Denied<R>>) -> String {
    format!("{answer:?}")
}

/// Lets an attacker knock; answers what was seen, and which statements the store was asked.
async fn knock(world: &World, knock: &Knock) -> (String, Vec<&'static str>) {
    world.store.take_calls();
    let seen = match *knock {
        Knock::SignIn { from, tries } => {
            let mut all = String::new();
            for _ in 0..tries {
                all += &seen(world.try_sign_in(&stranger(from), VAL, OTHER_PASSWORD).await);
            }
            all
        }
        Knock::Reset { from } => seen(world.auth.request_reset(&stranger(from), VAL).await),
        Knock::SendAgain { from } => seen(world.auth.resend_link_to(&stranger(from), VAL).await),
        Knock::Register { from } => {
            let draft = world.fill_in(&stranger(from), VAL, OTHER_PASSWORD, "Eve").await;
            let outcome = world.auth.submit_registration(&stranger(from), &draft).await;
            match outcome {
                Ok(outcome) => format!("{outcome:?}"),
                Err(denied) => format!("{denied:?}"),
            }
        }
        Knock::Wait { seconds } => {
            world.clock.advance(Duration::from_secs(seconds));
            String::new()
        }
    };
    let calls = world.store.take_calls();
    world.work().await;
    world.store.take_calls();
    (seen, calls)
}

fn on_a_runtime(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test)
}

/// A world in which the address has an account that was made a day ago, and one in which nobody has it.
async fn known_and_unknown() -> (World, World) {
    let (known, unknown) = (World::new(), World::new());
    known.person(VAL).await;
    known.work().await;
    for world in [&known, &unknown] {
        world.clock.advance(Duration::from_secs(2 * 86_400));
    }
    (known, unknown)
}

/// How long an answer takes, on the clock of the runtime.
async fn time_of(answer: impl Future) -> Duration {
    let begun = tokio::time::Instant::now();
    answer.await;
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn answers_about_an_address_end_with_a_step_of_time() {
    // ENU-5
    const STEP: Duration = Duration::from_millis(250);
    let (known, unknown) = known_and_unknown().await;
    for world in [&known, &unknown] {
        let auth = world.process_with(|config| config.answer_step = STEP).0;
        let draft = world.fill_in(&stranger(1), VAL, OTHER_PASSWORD, "Eve").await;
        let kim = "kim@school.example";
        world.person(kim).await;
        let session = world.signed_in(&stranger(2), kim).await.session;
        let change = ChangeEmailForm::new(VAL, PASSWORD).repeated(VAL);
        let took = [
            time_of(auth.request_reset(&stranger(1), VAL)).await,
            time_of(auth.submit_registration(&stranger(1), &draft)).await,
            time_of(auth.resend_link(&stranger(1), &draft)).await,
            time_of(auth.resend_link_to(&stranger(1), VAL)).await,
            time_of(auth.change_email(&stranger(2), &session, change)).await,
            time_of(auth.sign_in(&stranger(1), SignInForm::new(VAL, OTHER_PASSWORD))).await,
        ];
        assert_eq!(took, [STEP; 6]);
        assert_eq!(
            time_of(auth.sign_in(&stranger(2), SignInForm::new(kim, PASSWORD))).await,
            Duration::ZERO,
            "who is let in waits for nothing"
        );
        assert_eq!(
            time_of(world.auth.request_reset(&stranger(1), VAL)).await,
            Duration::ZERO,
            "at once where nobody has set it"
        );
    }
}

#[tokio::test]
async fn nothing_tells_on_which_mail_of_an_address_a_limit_is_reached() {
    // ENU-1, I-36, MAIL-5: each kind for half a day, longer than ten mails last
    let (known, unknown) = known_and_unknown().await;
    let mut seen = Vec::new();
    for world in [&known, &unknown] {
        let mut told = Vec::new();
        for from in 1..=14 {
            let draft = world.fill_in(&stranger(from), VAL, OTHER_PASSWORD, "Eve").await;
            told.push(format!(
                "{:?}",
                world.auth.submit_registration(&stranger(from), &draft).await
            ));
            for _ in 0..2 {
                world.clock.advance(Duration::from_secs(61));
                told.push(seen_by_all(
                    &world.auth.resend_link(&stranger(from), &draft).await,
                ));
                let progress = world.auth.registration(&draft).await.unwrap().unwrap();
                told.push(format!("{:?}", progress.sent));
            }
            told.push(seen_by_all(&world.auth.request_reset(&stranger(from), VAL).await));
            world.work().await;
            world.clock.advance(Duration::from_secs(2400));
        }
        seen.push(told);
    }
    assert_eq!(seen[0], seen[1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i_36_no_sequence_of_acts_tells_a_known_address_from_an_unknown_one(knocks in knocks()) {
        on_a_runtime(async {
            let (known, unknown) = known_and_unknown().await;
            for each in &knocks {
                let (of_known, of_unknown) = (knock(&known, each).await, knock(&unknown, each).await);
                prop_assert_eq!(&of_known.0, &of_unknown.0, "{:?}", each);
                // ENU-2: what takes the same statements takes the same time.
                prop_assert_eq!(&of_known.1, &of_unknown.1, "{:?}", each);
            }
            prop_assert!(known.has_account(VAL).await && !unknown.has_account(VAL).await);
            Ok(())
        })?;
    }

    #[test]
    fn i_36_the_right_password_of_an_address_that_must_wait_is_answered_like_a_wrong_one(from in 1..50_u32, wait in 0..29_u64) {
        on_a_runtime(async {
            let world = World::new();
            world.person(VAL).await;
            world.guess_until_closed(&stranger(from), VAL).await;
            world.clock.advance(Duration::from_secs(wait));
            let wrong = seen(world.try_sign_in(&stranger(99), VAL, OTHER_PASSWORD).await);
            let right = seen(world.try_sign_in(&stranger(99), VAL, PASSWORD).await);
            prop_assert_eq!(&wrong, &right);
            let (_, unknown) = known_and_unknown().await;
            unknown.guess_until_closed(&stranger(from), VAL).await;
            unknown.clock.advance(Duration::from_secs(wait));
            let nobody = seen(unknown.try_sign_in(&stranger(99), VAL, PASSWORD).await);
            prop_assert_eq!(&wrong, &nobody);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn two_worlds_that_differ_are_told_apart() {
    // The honest twin: the right password is seen.
    let (known, unknown) = known_and_unknown().await;
    let answers = [
        seen(known.try_sign_in(&stranger(1), VAL, PASSWORD).await),
        seen(unknown.try_sign_in(&stranger(1), VAL, PASSWORD).await),
    ];
    assert_ne!(answers[0], answers[1]);
}
