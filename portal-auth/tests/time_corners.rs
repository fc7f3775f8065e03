//! Time at its ends: no instant and no allowed setting makes anything overflow or panic (I-35).

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::time::Duration;

use common::log_lines::LogLines;
use common::{DAY, HOUR, MICRO, PASSWORD, SECOND, VAL, World, stranger};
use portal_auth::account::status::{Status, TwoStep};
use portal_auth::environment::Timestamp;
use portal_auth::error::Denied;
use portal_auth::features::register::Save;
use portal_auth::mail::quota::QuotaLimits;
use portal_auth::session::SessionView;
use portal_auth::testkit::rows;
use portal_auth::throttle::{Bucket, Ladder, Receipt, Settle};

fn instants() -> Vec<Timestamp> {
    let near = [i64::MIN, -1, 0, rows::T0.as_micros(), i64::MAX];
    let around = near
        .iter()
        .flat_map(|n| [n.saturating_sub(1), *n, n.saturating_add(1)]);
    let mut all: Vec<_> = around.map(Timestamp::from_micros).collect();
    all.dedup();
    all
}

fn spans() -> [Duration; 9] {
    [
        Duration::ZERO,
        Duration::from_nanos(1),
        MICRO,
        SECOND,
        DAY * 400,
        Duration::from_micros(i64::MAX as u64),
        Duration::from_micros(u64::MAX),
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ]
}

#[test]
fn i_35_sums_stop_at_the_ends_and_never_turn_round() {
    for at in instants() {
        for span in spans() {
            let (later, earlier) = (at.plus(span), at.minus(span));
            assert!(earlier <= at && at <= later, "{at:?} and {span:?}");
            let micros = span.as_micros();
            let exact = i128::from(at.as_micros()) + i128::try_from(micros.min(i64::MAX as u128)).unwrap();
            assert_eq!(i128::from(later.as_micros()), exact.min(i128::from(i64::MAX)));
            assert!(later.since(at) <= span || span < MICRO);
            assert_eq!(at.since(later), Duration::ZERO);
        }
        for other in instants() {
            let passed = i128::from(at.as_micros()) - i128::from(other.as_micros());
            let told = i128::try_from(at.since(other).as_micros()).unwrap();
            assert_eq!(
                told,
                passed.clamp(0, i128::from(i64::MAX)),
                "{at:?} since {other:?}"
            );
        }
        // Written out, whatever it is.
        assert!(!at.to_string().is_empty());
    }
}

#[test]
fn i_35_no_budget_overflows_and_no_wait_is_longer_than_the_longest() {
    let counts = [0, 1, 9, 10, 99, 100, u32::MAX - 1, u32::MAX];
    let ladders = [
        Ladder::DEFAULT,
        {
            let mut least = Ladder::DEFAULT;
            (
                least.first_wait,
                least.longest_wait,
                least.quiet,
                least.hash_window,
            ) = (SECOND, SECOND, SECOND, SECOND);
            least
        },
        {
            let mut most = Ladder::DEFAULT;
            (most.quiet, most.hash_window) = (DAY * 400, DAY * 400);
            most
        },
    ];
    let mut charged = 0;
    for ladder in ladders {
        for now in instants() {
            for (open_at, changed) in instants()
                .into_iter()
                .flat_map(|a| instants().into_iter().map(move |b| (a, b)))
            {
                for count in counts {
                    let bucket = Bucket {
                        failures: count,
                        open_at,
                        changed,
                        hashes: count,
                        hashes_since: changed,
                    };
                    if let Some(until) = bucket.closed_until(now, &ladder) {
                        assert!(until <= now.plus(ladder.longest_wait), "{bucket:?} at {now:?}");
                    }
                    if let Some(after) = bucket.charged(now, &ladder) {
                        charged += 1;
                        assert!(after.open_at <= now.plus(ladder.longest_wait));
                        let receipt = Receipt {
                            bucket: rows::bucket(1),
                            failures: after.failures,
                            open_at: after.open_at,
                            charged_at: now,
                        };
                        assert_eq!(
                            after.settled(&Settle::TakeBack(receipt)).failures,
                            after.failures - 1
                        );
                    }
                    let network = bucket.network_counted(now, 100, HOUR);
                    assert!(network.failures >= 1);
                }
            }
        }
    }
    assert!(charged > 1000, "many of them are open");
}

#[test]
fn i_35_no_quota_overflows() {
    let limits = [
        QuotaLimits::Sliding(vec![(1, SECOND), (5, HOUR), (10, DAY * 400)]),
        QuotaLimits::Window(3, DAY * 400),
    ];
    for limit in limits {
        for now in instants() {
            for held in instants() {
                let state = vec![held.as_micros(); 10];
                let first = limit.spend(&[], now);
                assert!(first.is_ok(), "an empty line has a slot at {now:?}");
                for state in [&state[..1], &state[..2], &state] {
                    if let Err(until) = limit.spend(state, now) {
                        assert!(until >= now, "{until:?} at {now:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn i_35_no_session_check_overflows_and_none_from_the_future_lives() {
    let account = rows::account(1);
    for now in instants() {
        for (created_at, last_seen) in instants()
            .into_iter()
            .flat_map(|a| instants().into_iter().map(move |b| (a, b)))
        {
            let mut session = rows::session(1, &account);
            (session.created_at, session.last_seen) = (created_at, last_seen);
            session.expires_at = created_at.plus(HOUR * 12);
            let view = SessionView {
                account_epoch: session.epoch,
                session,
                account_status: Status::Active,
                account_two_step: TwoStep::Off,
            };
            for idle in [SECOND, HOUR, DAY * 400] {
                let alive = view.check(now, last_seen, idle, Duration::from_secs(120)).is_ok();
                let future = created_at > now.plus(Duration::from_secs(120));
                assert!(!alive || !future && now < view.session.expires_at && now.since(last_seen) < idle);
            }
        }
    }
}

#[tokio::test]
async fn i_35_a_service_whose_clock_stands_anywhere_answers() {
    for at in instants() {
        let world = World::new();
        world.clock.set(at);
        // At the end of time no draft lives long enough to be filled in; nothing panics, and nothing is a fault.
        let details = world.details(VAL, PASSWORD);
        let begun = world
            .auth
            .save_security_details(&stranger(1), None, details)
            .await;
        if let Ok(draft) = begun {
            let typed = serde_json::json!({ "forename": "Val" });
            let saved = world
                .auth
                .save_section(&draft, "about_me", typed, Save::Checked)
                .await;
            assert!(!matches!(saved, Err(Denied::Fault(_))), "{at:?}: {saved:?}");
            let sent = world.auth.submit_registration(&stranger(1), &draft).await;
            assert!(!matches!(sent, Err(Denied::Fault(_))), "{at:?}: {sent:?}");
        }
        world.work().await;
        let answer = world.try_sign_in(&stranger(1), VAL, PASSWORD).await;
        assert!(!matches!(answer, Err(Denied::Fault(_))), "{at:?}: {answer:?}");
        let asked = world.auth.request_reset(&stranger(1), VAL).await;
        assert!(!matches!(asked, Err(Denied::Fault(_))), "{at:?}: {asked:?}");
    }
}

#[tokio::test]
async fn i_35_a_session_at_any_corner_of_time_is_judged_without_a_fault() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    for at in instants() {
        world.clock.set(at);
        let answer = world.auth.peek(&session).await;
        assert!(!matches!(answer, Err(Denied::Fault(_))), "{at:?}: {answer:?}");
    }
    world.clock.set(rows::T0);
    world.auth.peek(&session).await.unwrap();
    for at in instants() {
        world.clock.set(at);
        world.work().await;
    }
}

#[tokio::test]
async fn every_row_from_the_future_is_refused_and_logged() {
    // CLK-2
    const ANN: &str = "ann@school.example";
    let world = World::new();
    world.careful_person(VAL).await;
    let session = world.session_at_two(VAL).await;
    let half_done = world.half_done(VAL).await.challenge;
    let reset = world.reset_link(VAL).await;
    let draft = world.register(ANN, PASSWORD).await;
    let link = world.link(ANN).await;
    let auth = &world.auth;
    auth.authenticate(&session).await.unwrap();
    world.clock.rewind(HOUR);

    let warnings = LogLines::of_this_thread(tracing::Level::WARN);
    assert!(auth.authenticate(&session).await.is_err());
    assert_eq!(warnings.count(), 1, "the session");
    assert!(auth.code_notice(&half_done).await.unwrap().is_none());
    assert_eq!(warnings.count(), 2, "the half-done sign-in");
    assert!(auth.reset_page(&reset, None).await.is_err());
    assert_eq!(warnings.count(), 3, "the link of an account");
    assert!(auth.activation_page(&link).await.is_err());
    assert_eq!(warnings.count(), 4, "the link of a registration");
    assert!(auth.registration(&draft).await.unwrap().is_none());
    assert_eq!(warnings.count(), 5, "the draft");
}
