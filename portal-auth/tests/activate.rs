//! The mailed link and the password of that same registration make the account; nothing else does.

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
use common::watched_store::Mishap;
use common::{
    AboutMe, DAY, HOUR, MICRO, MINUTE, OTHER_PASSWORD, PASSWORD, SECOND, VAL, World, address, stranger,
};
use portal_auth::error::Denied;
use portal_auth::features::activate::ActivateRefused;
use portal_auth::features::register::SubmitOutcome;
use portal_auth::features::sign_in::SignInRefused;
use portal_auth::password::Password;
use portal_auth::secret::token::{LinkToken, SessionToken};
use portal_auth::store::AccountStore as _;

const WRONG: &str = "Wrong-Password-99";

async fn cannot_sign_in(world: &World, password: &str) -> bool {
    matches!(
        world.try_sign_in(&stranger(900), VAL, password).await,
        Err(Denied::Refused(SignInRefused::NotCorrect))
    )
}

#[tokio::test]
async fn link_and_password_make_the_account_and_no_session() {
    // ACT-4, I-01
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    let page = world.auth.activation_page(&link).await.unwrap();
    assert!(!page.masked_email.contains("val@"));
    assert_eq!(page.tries_left, 5);
    let done = world.activate(&link, PASSWORD).await.unwrap();
    assert_eq!(done.email.as_str(), VAL);
    assert!(done.device.is_some(), "the browser is familiar from now on");
    assert_eq!(world.audited("account.made"), 1);
    assert_eq!(world.mails(VAL, "account-ready").await, 1);
    let profile = world.account(VAL).await.profile;
    assert_eq!(profile.get::<AboutMe>().unwrap().forename, "Val");
    // The page says for a day that it is done.
    for (wait, used) in [(DAY - MICRO, true), (MICRO, false)] {
        world.clock.advance(wait);
        let answer = world.activate(&link, PASSWORD).await;
        match answer {
            Err(Denied::Refused(ActivateRefused::Used { .. })) => assert!(used),
            Err(Denied::Refused(ActivateRefused::Ended)) => assert!(!used),
            other => panic!("{other:?}"),
        }
    }
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn following_the_link_any_number_of_times_changes_nothing() {
    // TOK-5, P-04
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    let events = world.audit().len();
    for _ in 0..20 {
        world.auth.activation_page(&link).await.unwrap();
        let bare = world.activate(&link, "").await;
        assert!(matches!(
            bare,
            Err(Denied::Refused(ActivateRefused::PasswordRequired))
        ));
    }
    assert_eq!(world.audit().len(), events);
    assert_eq!(world.auth.activation_page(&link).await.unwrap().tries_left, 5);
    world.activate(&link, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_strangers_registration_never_becomes_the_owners_account() {
    // ACT-1, ACT-2, P-01
    let world = World::new();
    world.register_from(&stranger(66), VAL, "Attackers-Pass-66").await;
    let link = world.link(VAL).await;
    for n in 0..4 {
        let refused = world.activate(&link, PASSWORD).await;
        assert!(
            matches!(refused, Err(Denied::Refused(ActivateRefused::NotCorrect { tries_left })) if tries_left == 4 - n)
        );
    }
    assert!(!world.has_account(VAL).await);
    assert!(cannot_sign_in(&world, "Attackers-Pass-66").await);
}

#[tokio::test]
async fn the_owners_registration_overtakes_the_strangers() {
    // ACT-2, I-04, P-02
    let world = World::new();
    world.register_from(&stranger(66), VAL, "Attackers-Pass-66").await;
    let attackers_link = world.link(VAL).await;
    world.clock.advance(MINUTE);
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    world.activate(&link, PASSWORD).await.unwrap();
    let late = world.activate(&attackers_link, "Attackers-Pass-66").await;
    assert!(
        matches!(late, Err(Denied::Refused(ActivateRefused::Ended))),
        "{late:?}"
    );
    let renewed = world.auth.renew_link(&stranger(66), &attackers_link).await;
    assert!(renewed.is_err());
    let left = world.store.by_registrant(&address(VAL)).await.unwrap();
    assert_eq!(left.waiting, None, "nothing that the stranger typed is kept");
    assert!(cannot_sign_in(&world, "Attackers-Pass-66").await);
    world.signed_in(&stranger(1), VAL).await;
}

#[tokio::test]
async fn one_link_begins_ten_registrations_in_an_hour_and_no_more() {
    // THR-8
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    for _ in 0..10 {
        world.auth.register_anew(&link).await.unwrap();
    }
    let answer = world.auth.register_anew(&link).await;
    let Err(Denied::TooManyTries { retry_after }) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(retry_after, HOUR);
    world.clock.advance(HOUR);
    world.auth.register_anew(&link).await.unwrap();
}

#[tokio::test]
async fn i_did_not_choose_this_password_begins_anew_with_the_address_proven() {
    // ACT-2, 4.1, I-06
    let world = World::new();
    world.register_from(&stranger(66), VAL, "Attackers-Pass-66").await;
    let link = world.link(VAL).await;
    let draft = world.auth.register_anew(&link).await.unwrap();
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    assert_eq!(progress.proven.unwrap().as_str(), VAL);
    assert!(progress.email.is_none() && progress.sections.is_empty() && !progress.password_set);
    assert!(
        world.auth.activation_page(&link).await.is_ok(),
        "nothing has ended yet"
    );
    let details = world.details(VAL, PASSWORD);
    let draft = world
        .auth
        .save_security_details(&stranger(1), Some(&draft), details)
        .await
        .unwrap();
    world.fill_section(&draft, "Valerie").await;
    let mails = world.mails(VAL, "complete-registration").await;
    let outcome = world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    let SubmitOutcome::Activated { email, device } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(email.as_str(), VAL);
    assert!(device.is_some());
    assert_eq!(
        world.mails(VAL, "complete-registration").await,
        mails,
        "no second mail"
    );
    let profile = world.account(VAL).await.profile;
    assert_eq!(profile.get::<AboutMe>().unwrap().forename, "Valerie");
    assert!(cannot_sign_in(&world, "Attackers-Pass-66").await);
    world.signed_in(&stranger(1), VAL).await;
    assert!(world.activate(&link, "Attackers-Pass-66").await.is_err());
    // Sending it off once more answers the same.
    let again = world.auth.submit_registration(&stranger(1), &draft).await;
    assert!(matches!(again, Ok(SubmitOutcome::Activated { .. })), "{again:?}");
}

#[tokio::test]
async fn two_tabs_of_a_proven_registration_both_hear_that_the_account_is_ready() {
    // 4.1
    let world = World::new();
    world.register_from(&stranger(66), VAL, "Attackers-Pass-66").await;
    let link = world.link(VAL).await;
    let draft = world.auth.register_anew(&link).await.unwrap();
    let details = world.details(VAL, PASSWORD);
    let draft = world
        .auth
        .save_security_details(&stranger(1), Some(&draft), details)
        .await
        .unwrap();
    world.fill_section(&draft, "Valerie").await;
    world.store.meet("register.completed", Mishap::Conflict);
    let outcome = world.auth.submit_registration(&stranger(1), &draft).await;
    assert!(
        matches!(outcome, Ok(SubmitOutcome::Activated { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_proof_counts_for_its_own_address_and_only_while_its_link_lives() {
    // TOK-3, I-01
    for too_late in [false, true] {
        let world = World::new();
        world.register_from(&stranger(66), VAL, "Attackers-Pass-66").await;
        let link = world.link(VAL).await;
        world.clock.advance(HOUR * 11);
        let draft = world.auth.register_anew(&link).await.unwrap();
        let email = if too_late { VAL } else { "other@school.example" };
        let details = world.details(email, PASSWORD);
        let draft = world
            .auth
            .save_security_details(&stranger(1), Some(&draft), details)
            .await
            .unwrap();
        world.fill_section(&draft, "Valerie").await;
        if too_late {
            world.clock.advance(HOUR);
        }
        let outcome = world
            .auth
            .submit_registration(&stranger(1), &draft)
            .await
            .unwrap();
        assert!(matches!(outcome, SubmitOutcome::CheckEmail(_)), "{outcome:?}");
        assert!(!world.has_account(email).await);
    }
}

#[tokio::test]
async fn five_wrong_passwords_end_the_link_whose_address_pays_nothing() {
    // ACT-2, THR-6, P-19
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    for left in (0..5).rev() {
        let refused = world.activate(&link, WRONG).await;
        assert!(
            matches!(refused, Err(Denied::Refused(ActivateRefused::NotCorrect { tries_left })) if tries_left == left),
            "{refused:?}"
        );
    }
    let late = world.activate(&link, PASSWORD).await;
    assert!(
        matches!(late, Err(Denied::Refused(ActivateRefused::Ended))),
        "{late:?}"
    );
    assert_eq!(world.audited("activate.refused"), 5);
    assert_eq!(
        world.guess_until_closed(&stranger(9), VAL).await,
        10,
        "the address's budget is whole"
    );
}

#[tokio::test]
async fn wrong_passwords_of_many_links_close_the_network() {
    // ACT-2, THR-3 (c)
    let world = World::with(|c| c.guessing.network_failures = 7);
    for n in 0..2 {
        let email = format!("p{n}@school.example");
        world.register(&email, PASSWORD).await;
        let link = world.link(&email).await;
        for _ in 0..4 {
            let _answer = world.activate(&link, WRONG).await;
        }
    }
    let link = world.link("p0@school.example").await;
    let closed = world.activate(&link, PASSWORD).await;
    assert!(matches!(closed, Err(Denied::TooManyTries { .. })), "{closed:?}");
    world
        .auth
        .activate(&stranger(2), &link, &Password::new(PASSWORD))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_link_lives_twelve_hours_to_the_microsecond() {
    // ACT-1, I-05, P-03
    for (wait, alive) in [
        (HOUR * 12 - MICRO, true),
        (HOUR * 12, false),
        (HOUR * 12 + SECOND, false),
    ] {
        let world = World::new();
        world.register(VAL, PASSWORD).await;
        let link = world.link(VAL).await;
        let expires = world.now().plus(HOUR * 12);
        world.clock.advance(wait);
        let answer = world.activate(&link, PASSWORD).await;
        if alive {
            assert!(answer.is_ok(), "{answer:?}");
        } else {
            assert!(matches!(
                answer,
                Err(Denied::Refused(ActivateRefused::Expired { at, renewable: true })) if at == expires
            ));
        }
    }
}

#[tokio::test]
async fn an_expired_link_is_renewed_until_a_day_after_it_ended() {
    // ACT-1, P-03
    for (wait, renewable) in [(DAY - MICRO, true), (DAY, false)] {
        let world = World::new();
        world.register(VAL, PASSWORD).await;
        let link = world.link(VAL).await;
        world.auth.renew_link(&stranger(1), &link).await.unwrap();
        assert_eq!(
            world.mails(VAL, "complete-registration").await,
            1,
            "it still works"
        );
        world.clock.advance(HOUR * 12);
        world.clock.advance(wait);
        let answer = world.auth.renew_link(&stranger(1), &link).await;
        if !renewable {
            assert!(matches!(
                answer,
                Err(Denied::Refused(ActivateRefused::Expired { renewable: false, .. }))
            ));
            continue;
        }
        answer.unwrap();
        let fresh = world.link(VAL).await;
        assert_ne!(fresh.expose(), link.expose());
        let old = world.activate(&link, PASSWORD).await;
        assert!(
            matches!(old, Err(Denied::Refused(ActivateRefused::Replaced))),
            "{old:?}"
        );
        world.activate(&fresh, PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn a_hash_without_memory_costs_none_of_the_five_tries() {
    // ACT-1
    let engine = FailingEngine::default();
    let world = World::with(|c| c.passwords.engine = engine.engine());
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    engine.fail(true);
    let answer = world.activate(&link, PASSWORD).await;
    assert!(
        matches!(&answer, Err(Denied::Fault(fault)) if fault.is_transient()),
        "{answer:?}"
    );
    engine.fail(false);
    assert_eq!(world.auth.activation_page(&link).await.unwrap().tries_left, 5);
    world.activate(&link, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_renewal_beyond_the_quota_names_the_whole_wait_and_passes_after_it() {
    // MAIL-5
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    world.clock.advance(HOUR * 12);
    for _ in 0..4 {
        world.auth.request_reset(&stranger(66), VAL).await.unwrap();
        world.clock.advance(MINUTE);
    }
    // The last of the hour goes to a mail with a link: somebody registers the address as well.
    world.register(VAL, OTHER_PASSWORD).await;
    world.clock.advance(MINUTE);
    // The pause between two mails is over; the hour of the first one is not.
    let wait = MINUTE * 55;
    let refused = world.auth.renew_link(&stranger(1), &link).await;
    assert!(
        matches!(refused, Err(Denied::TooManyTries { retry_after }) if retry_after == wait),
        "{refused:?}"
    );
    world.clock.advance(wait);
    world.auth.renew_link(&stranger(1), &link).await.unwrap();
}

#[tokio::test]
async fn forged_and_foreign_links_get_one_answer_without_a_query() {
    // TOK-1, TOK-5, P-05, I-12
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    world.store.take_calls();
    for text in ["A".repeat(43), session.expose().to_owned()] {
        let forged = LinkToken::parse(&text).unwrap();
        let answer = world.activate(&forged, PASSWORD).await;
        assert!(
            matches!(answer, Err(Denied::Refused(ActivateRefused::Unknown))),
            "{answer:?}"
        );
        assert!(world.auth.register_anew(&forged).await.is_err());
    }
    assert!(world.store.take_calls().is_empty());
    // A link is no session either.
    let link = world.link(VAL).await;
    let as_session = SessionToken::parse(link.expose()).unwrap();
    assert!(world.auth.authenticate(&as_session).await.is_err());
}

#[tokio::test]
async fn a_link_from_the_future_is_not_believed() {
    // CLK-2
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    world.clock.rewind(SECOND * 120);
    assert!(world.auth.activation_page(&link).await.is_ok());
    world.clock.rewind(MICRO);
    assert!(matches!(
        world.auth.activation_page(&link).await,
        Err(Denied::Refused(ActivateRefused::Unknown))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_activations_at_once_make_one_account() {
    // TOK-4, I-02, I-11, P-06: over two processes
    for _ in 0..5 {
        let world = Arc::new(World::new());
        world.register(VAL, PASSWORD).await;
        let link = world.link(VAL).await;
        let (other, _background) = world.another_process();
        let tries: Vec<_> = (0..50)
            .map(|n| {
                let auth = if n % 2 == 0 {
                    world.auth.clone()
                } else {
                    other.clone()
                };
                let link = LinkToken::parse(link.expose()).unwrap();
                tokio::spawn(
                    async move { auth.activate(&stranger(n), &link, &Password::new(PASSWORD)).await },
                )
            })
            .collect();
        let mut made = 0;
        for one in tries {
            match one.await.unwrap() {
                Ok(_) => made += 1,
                Err(
                    Denied::Refused(ActivateRefused::Used { .. } | ActivateRefused::Ended)
                    | Denied::TooManyTries { .. }
                    | Denied::Busy { .. },
                ) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(made, 1);
        assert_eq!(world.audited("account.made"), 1);
        world.signed_in(&stranger(1), VAL).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_registrations_of_one_address_activated_at_once_make_one_account() {
    // I-02, I-04
    let world = Arc::new(World::new());
    let mut links = Vec::new();
    for n in 0..5 {
        let password = format!("Quiet-Meadow-4{n}");
        world.register_from(&stranger(n), VAL, &password).await;
        links.push((world.link(VAL).await, password));
        world.clock.advance(MINUTE);
    }
    let tries: Vec<_> = links
        .into_iter()
        .map(|(link, password)| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.activate(&link, &password).await.is_ok().then_some(password) })
        })
        .collect();
    let mut winners = Vec::new();
    for one in tries {
        winners.extend(one.await.unwrap());
    }
    assert_eq!(winners.len(), 1);
    assert!(world.try_sign_in(&stranger(1), VAL, &winners[0]).await.is_ok());
    assert_eq!(world.audited("account.made"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_wrong_passwords_at_once_get_five_verdicts() {
    // ACT-2, I-16
    let world = Arc::new(World::new());
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    let tries: Vec<_> = (0..50)
        .map(|n| {
            let world = Arc::clone(&world);
            let link = LinkToken::parse(link.expose()).unwrap();
            tokio::spawn(async move {
                world
                    .auth
                    .activate(&stranger(n), &link, &Password::new(OTHER_PASSWORD))
                    .await
            })
        })
        .collect();
    let mut verdicts = 0;
    for one in tries {
        verdicts += usize::from(matches!(
            one.await.unwrap(),
            Err(Denied::Refused(ActivateRefused::NotCorrect { .. }))
        ));
    }
    assert_eq!(verdicts, 5);
    assert_eq!(world.audited("activate.refused"), 5);
    assert!(!world.has_account(VAL).await);
}
