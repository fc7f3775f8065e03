//! Lives in which everything happens in any order, on the in-memory store: no step may break an invariant of the
//! security plan, and each invariant finds the store that breaks it.
//!
//! `PORTAL_AUTH_LIVES` is how many lives are lived, 256 where it is not set; ten thousand take some twenty minutes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod machine;

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use machine::acts::{Act, Lives, Plan, Start, Tick, Typed, Who};
use machine::faults::Fault;
use machine::life::{Life, SEEN};
use machine::step::Effect;
use portal_auth::store::in_memory::InMemoryStore;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine as _, StateMachineTest};
use tokio::runtime::Runtime;

/// Which store a life is lived on.
trait Ground {
    const FAULT: Fault;
    const ONLY: Option<&'static str>;
}

struct OneLife<G>(PhantomData<G>);

impl<G: Ground> StateMachineTest for OneLife<G> {
    type SystemUnderTest = (Runtime, Life);
    type Reference = Lives;

    fn init_test(plan: &Plan) -> (Runtime, Life) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let life = runtime.block_on(Life::begin(
            plan,
            Arc::new(InMemoryStore::new()),
            G::FAULT,
            G::ONLY,
        ));
        (runtime, life)
    }

    fn apply((runtime, mut life): (Runtime, Life), _: &Plan, act: Act) -> (Runtime, Life) {
        runtime.block_on(life.step(&act));
        (runtime, life)
    }
}

fn lives() -> u32 {
    let set = std::env::var("PORTAL_AUTH_LIVES").ok();
    set.map_or(256, |n| {
        n.parse()
            .unwrap_or_else(|_| panic!("PORTAL_AUTH_LIVES must be a number, not {n}"))
    })
}

fn live<G: Ground>(cases: u32, shrinks: u32) -> Result<(), String> {
    let config = Config {
        cases,
        max_shrink_iters: shrinks,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let lives = Lives::sequential_strategy(20..=60);
    let lived = runner.run(&lives, |(plan, acts, seen)| {
        OneLife::<G>::test_sequential(config.clone(), plan, acts, seen);
        Ok(())
    });
    lived.map_err(|e| e.to_string())
}

struct Sound;

impl Ground for Sound {
    const FAULT: Fault = Fault::None;
    const ONLY: Option<&'static str> = None;
}

#[test]
fn no_life_breaks_an_invariant() {
    if let Err(why) = live::<Sound>(lives(), 200) {
        panic!("{why}");
    }
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    eprintln!("{seen:?}");
    for effect in [
        Effect::AccountMade,
        Effect::Anew,
        Effect::SignedIn,
        Effect::RightCode,
        Effect::PasswordReset,
        Effect::PasswordChanged,
        Effect::EmailChanged,
        Effect::TakenBack,
        Effect::TwoStepChanged,
        Effect::Confirmed,
        Effect::Closed,
        Effect::Restored,
        Effect::OthersEnded,
        Effect::Ordered,
    ] {
        assert!(
            seen.get(&effect).is_some_and(|n| *n >= 5),
            "{effect:?} hardly ever happened: {seen:?}"
        );
    }
}

/// What the first life says that panics.
fn first_panic<G: Ground>(most: u32) -> Option<String> {
    let config = Config::default();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let lives = Lives::sequential_strategy(20..=60);
    (0..most).find_map(|_| {
        let (plan, acts, _) = lives.new_tree(&mut runner).unwrap().current();
        let life = || OneLife::<G>::test_sequential(config.clone(), plan, acts, None);
        let panic = catch_unwind(AssertUnwindSafe(life)).err()?;
        Some(panic.downcast_ref::<String>().cloned().unwrap_or_default())
    })
}

/// Runs lives on a store that breaks one promise, judged by one invariant, which must find it; and on a sound one,
/// which must not be blamed.
macro_rules! each_invariant_bites {
    ($($invariant:ident: $fault:ident;)*) => {
        mod bites {
            use super::*;
            $(
            #[test]
            fn $invariant() {
                struct Broken;
                impl Ground for Broken {
                    const FAULT: Fault = Fault::$fault;
                    const ONLY: Option<&'static str> = Some(stringify!($invariant));
                }
                let found = first_panic::<Broken>(600).expect("the fault was not found");
                assert!(found.contains(stringify!($invariant)), "{found}");
            }
            )*
        }
    };
}

each_invariant_bites! {
    i_02_no_two_accounts_share_an_address: NobodyClaims;
    i_03_a_pending_never_authenticates_resets_or_gets_a_code: PendingsAreAccounts;
    i_07_nothing_works_for_an_account_that_is_not_active: EverybodyIsActive;
    i_08_steps_commit_in_order_and_the_last_valid_submission_counts: KeepsTheFirstDraft;
    i_11_a_link_is_effective_at_most_once: LinksStayLive;
    i_13_a_code_is_effective_at_most_once: ChallengesStay;
    i_15_wrong_codes_in_a_row_fall_only_by_a_right_one_and_close_at_ten: ForgetsFailures;
    i_16_no_more_verdicts_than_counted_tries_and_no_more_than_five: ForgetsTries;
    i_17_nothing_older_than_the_epoch_is_accepted: SessionsOutliveTheirEpoch;
    i_18_a_session_dies_after_thirty_idle_minutes: NobodyIsIdle;
    i_19_a_session_dies_twelve_hours_after_its_sign_in: NobodyIsSignedOutAtNight;
    i_21_level_two_needs_a_password_and_a_code_in_the_same_sign_in: EverybodyIsAtTwo;
    i_21b_a_sensitive_act_needs_a_proof_of_the_last_five_minutes: EverybodyIsConfirmed;
    i_22_wrong_passwords_of_strangers_stay_within_the_budget: NothingIsEverClosed;
    i_24_a_success_leaves_every_other_bucket_alone: TheRightClearTheirNetwork;
    i_26_outsiders_cause_five_mails_an_hour_and_ten_a_day_at_most: MailsCostNothing;
    i_37_every_comparison_and_every_change_has_one_event: TellsTwice;
}

/// Lives that chance seldom tells: each breaks its invariant on the broken store, and none on the sound one.
macro_rules! each_told_life_bites {
    ($($invariant:ident: $fault:ident, $starts:expr, $acts:expr;)*) => {
        mod told {
            use super::*;
            $(
            #[test]
            fn $invariant() {
                struct Broken;
                impl Ground for Broken {
                    const FAULT: Fault = Fault::$fault;
                    const ONLY: Option<&'static str> = Some(stringify!($invariant));
                }
                let acts: Vec<Act> = $acts.into_iter().collect();
                OneLife::<Sound>::test_sequential(Config::default(), Plan::told($starts), acts.clone(), None);
                let life = || {
                    OneLife::<Broken>::test_sequential(Config::default(), Plan::told($starts), acts, None);
                };
                let panic = catch_unwind(AssertUnwindSafe(life)).expect_err("the fault was not found");
                let found = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                assert!(found.contains(stringify!($invariant)), "{found}");
            }
            )*
        }
    };
}

const NOBODY: [Start; 3] = [Start::Nobody; 3];

fn registers(who: Who, password: u8) -> [Act; 4] {
    [
        Act::Begin {
            who,
            address: 0,
            password,
        },
        Act::Section {
            who,
            draft: 0,
            forename: 1,
        },
        Act::Submit { who, draft: 0 },
        Act::Time(Tick::Forward(Duration::from_secs(61))),
    ]
}

const fn opens(link: u8, password: Typed) -> Act {
    Act::Activate {
        who: Who::Val,
        link,
        any: false,
        password,
    }
}

const fn asks_for(to: u8) -> [Act; 2] {
    let (who, session, password) = (Who::Mallory, 0, Typed::InForce);
    [
        Act::ChangeEmail {
            who,
            session,
            to,
            password,
        },
        Act::Time(Tick::Forward(Duration::from_secs(61))),
    ]
}

each_told_life_bites! {
    // Val opens the link of what Mallory registered, and types a password of a registration of her own.
    i_01_an_account_exists_only_by_a_mailed_link_and_its_own_password: OnePasswordPerAddress, NOBODY,
        registers(Who::Mallory, 0).into_iter().chain(registers(Who::Val, 1)).chain([opens(1, Typed::Own(1))]);
    i_04_an_account_is_made_of_its_own_registration_and_the_others_end: LosersWait, NOBODY,
        registers(Who::Val, 0).into_iter().chain(registers(Who::Val, 1)).chain([opens(0, Typed::InForce)]);
    i_05_nothing_works_at_its_end_or_later: LinksOutliveTheirTime, NOBODY,
        registers(Who::Val, 0)
            .into_iter()
            .chain([Act::Time(Tick::FirstMomentAfter(0)), opens(0, Typed::InForce)]);
    // The account is Val's, and Mallory's the password: pre-hijacked.
    i_06_whoever_chose_the_password_in_force_proved_the_mailbox_or_a_fresh_session: MixesRegistrations, NOBODY,
        registers(Who::Val, 0)
            .into_iter()
            .chain(registers(Who::Mallory, 0))
            .chain([opens(1, Typed::InForce)]);
    // Mallory asks for Val's address, then for her own, and confirms with the mail to her own.
    i_10_an_address_changes_only_by_a_link_mailed_to_it_in_the_present_epoch: ReadsAddressApart,
        [Start::Nobody, Start::Nobody, Start::SignedIn],
        asks_for(0).into_iter().chain(asks_for(5)).chain([Act::ConfirmEmail {
            who: Who::Mallory,
            link: 0,
            any: false,
            session: None,
            password: Typed::InForce,
        }]);
}
