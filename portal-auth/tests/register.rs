//! Registering in steps: order, what is kept and shown, one mail, and nothing for outsiders to learn.

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
use common::{ANSWER, AboutMe, DAY, HOUR, MICRO, MINUTE, OTHER_PASSWORD, PASSWORD, VAL, World, stranger};
use portal_auth::account::profile::{SECTION_BYTES, Section as _};
use portal_auth::error::Denied;
use portal_auth::features::register::{RegisterRefused, Save, SecurityDetails, SubmitOutcome};
use portal_auth::password::Password;
use portal_auth::registration::draft::Step;
use portal_auth::secret::token::{DraftToken, SessionToken};
use serde_json::json;

fn section() -> Step {
    Step::Section(AboutMe::NAME.into())
}

fn fields(answer: Denied<RegisterRefused>) -> Vec<(String, &'static str)> {
    let Denied::Refused(RegisterRefused::Fields(errors)) = answer else {
        panic!("{answer:?}");
    };
    errors
        .iter()
        .map(|e| (e.field.to_string(), e.reason.code()))
        .collect()
}

#[tokio::test]
async fn a_person_registers_step_by_step_and_gets_one_link() {
    let world = World::new();
    let details = world.details(VAL, PASSWORD);
    let draft = world
        .auth
        .save_security_details(&stranger(1), None, details)
        .await
        .unwrap();
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    assert_eq!(progress.open_step, Some(section()));
    assert!(progress.password_set);
    world.fill_section(&draft, " Val ").await;
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    assert_eq!(progress.open_step, None);
    assert_eq!(progress.sections[AboutMe::NAME], json!({ "forename": "Val" }));
    let SubmitOutcome::CheckEmail(notice) = world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap()
    else {
        panic!("the address is not proven");
    };
    assert_eq!(notice.link_expires_at, world.now().plus(HOUR * 12));
    assert_eq!(world.mails(VAL, "complete-registration").await, 1);
    // ACT-1: no account before the link and the password.
    assert!(!world.has_account(VAL).await);
    assert!(world.try_sign_in(&stranger(1), VAL, PASSWORD).await.is_err());
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn all_wrong_fields_of_the_first_step_are_named_at_once() {
    // PWD-1, EML-7, P-12
    let world = World::new();
    let form = SecurityDetails::new("val@", "short").repeated("vla@", "other");
    let refused = world
        .auth
        .save_security_details(&stranger(1), None, form)
        .await
        .unwrap_err();
    let fields = fields(refused);
    for field in [
        "email",
        "email2",
        "question",
        "new-password",
        "new-password2",
        "answer",
    ] {
        assert!(fields.iter().any(|(f, _)| f == field), "{field} in {fields:?}");
    }
    assert!(world.store.take_calls().is_empty(), "nothing is kept");
}

#[tokio::test]
async fn a_section_is_kept_up_to_its_size_and_a_larger_one_names_its_field() {
    // LIM-1, REG-1: a store that limits its rows has no fault to report.
    let world = World::new();
    let details = world.details(VAL, PASSWORD);
    let draft = world
        .auth
        .save_security_details(&stranger(1), None, details)
        .await
        .unwrap();
    let around = json!({ "forename": "" }).to_string().len();
    let forename = |bytes: usize| json!({ "forename": "x".repeat(bytes - around) });
    let many = serde_json::Map::from_iter((0..40).map(|n| (format!("field{n}"), json!("x".repeat(1_000)))));
    for (typed, save, named) in [
        (forename(SECTION_BYTES), Save::Checked, None),
        (forename(SECTION_BYTES + 1), Save::Checked, Some("about_me")),
        (forename(SECTION_BYTES + 1), Save::AsItIs, Some("about_me")),
        (forename(SECTION_BYTES * 2), Save::AsItIs, Some("forename")),
        (forename(300 * 1024), Save::Checked, Some("forename")),
        (json!("\u{1}".repeat(300 * 1024)), Save::AsItIs, Some("about_me")),
        (many.into(), Save::AsItIs, Some("about_me")),
        (forename(SECTION_BYTES - 1), Save::AsItIs, None),
    ] {
        let size = typed.to_string().len();
        let answer = world.auth.save_section(&draft, AboutMe::NAME, typed, save).await;
        match named {
            None => assert!(answer.is_ok(), "{size} {save:?}: {answer:?}"),
            Some(field) => {
                let told = fields(answer.unwrap_err());
                assert_eq!(told, [(field.to_owned(), "section.too_large")], "{size} {save:?}");
            }
        }
    }
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    let kept = progress.sections.get(AboutMe::NAME).unwrap().to_string().len();
    assert_eq!(kept, SECTION_BYTES - 1, "what was saved last");
}

#[tokio::test]
async fn a_draft_from_the_future_is_not_believed() {
    // CLK-2: the clock was set back by more than two minutes since it was saved.
    let skew = MINUTE * 2;
    for (back, believed) in [(skew, true), (skew + MICRO, false)] {
        let world = World::new();
        let details = world.details(VAL, PASSWORD);
        world.clock.advance(HOUR);
        let draft = world
            .auth
            .save_security_details(&stranger(1), None, details)
            .await
            .unwrap();
        world.clock.rewind(back);
        let found = world.auth.registration(&draft).await.unwrap();
        assert_eq!(found.is_some(), believed, "{back:?}");
        let saved = world
            .auth
            .save_section(&draft, AboutMe::NAME, json!({ "forename": "Val" }), Save::Checked)
            .await;
        assert_eq!(saved.is_ok(), believed, "{saved:?}");
    }
}

#[tokio::test]
async fn steps_open_in_their_order() {
    // REG-1, I-08, P-08
    let world = World::new();
    let details = world.details(VAL, PASSWORD);
    let draft = world
        .auth
        .save_security_details(&stranger(1), None, details)
        .await
        .unwrap();
    let refused = world.auth.submit_registration(&stranger(1), &draft).await;
    assert!(matches!(refused, Err(Denied::Refused(RegisterRefused::StepFirst(step))) if step == section()));
    let refused = world
        .auth
        .save_section(&draft, AboutMe::NAME, json!({ "forename": "" }), Save::Checked)
        .await
        .unwrap_err();
    assert_eq!(fields(refused), [("forename".to_owned(), "forename.required")]);
    // "Previous" keeps what was typed, and the step stays open.
    world
        .auth
        .save_section(&draft, AboutMe::NAME, json!({ "forename": "" }), Save::AsItIs)
        .await
        .unwrap();
    assert!(
        world
            .auth
            .submit_registration(&stranger(1), &draft)
            .await
            .is_err()
    );
    let unknown = world
        .auth
        .save_section(&draft, "admin", json!({ "role": "admin" }), Save::AsItIs)
        .await;
    assert!(unknown.is_err(), "{unknown:?}");
    // P-09: fields nobody asked for are refused.
    let more = json!({ "forename": "Val", "verified": true });
    assert!(
        world
            .auth
            .save_section(&draft, AboutMe::NAME, more, Save::Checked)
            .await
            .is_err()
    );
    assert_eq!(world.audited("register.submitted"), 0);
}

#[tokio::test]
async fn a_draft_lives_two_hours_after_its_last_saved_step() {
    // REG-1, P-08, I-05
    for (wait, alive) in [(HOUR * 2 - MICRO, true), (HOUR * 2, false)] {
        let world = World::new();
        let draft = world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await;
        world.clock.advance(HOUR);
        world.fill_section(&draft, "Valerie").await;
        world.clock.advance(wait);
        assert_eq!(world.auth.registration(&draft).await.unwrap().is_some(), alive);
        let answer = world.auth.submit_registration(&stranger(1), &draft).await;
        if alive {
            assert!(answer.is_ok(), "{answer:?}");
        } else {
            assert!(
                matches!(answer, Err(Denied::Refused(RegisterRefused::StartAgain))),
                "{answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_forged_draft_costs_no_query_and_a_planted_one_learns_nothing() {
    // P-36, TOK-1
    let world = World::new();
    let forged = DraftToken::parse(&"A".repeat(43)).unwrap();
    world.store.take_calls();
    assert!(world.auth.registration(&forged).await.unwrap().is_none());
    assert!(
        world
            .auth
            .submit_registration(&stranger(1), &forged)
            .await
            .is_err()
    );
    assert!(world.store.take_calls().is_empty());
    // The attacker's own draft in the victim's browser: the first step always answers a new token.
    let planted = world
        .fill_in(&stranger(66), "attacker@school.example", OTHER_PASSWORD, "Eve")
        .await;
    let details = world.details(VAL, PASSWORD);
    let own = world
        .auth
        .save_security_details(&stranger(1), Some(&planted), details)
        .await
        .unwrap();
    assert_ne!(own.expose(), planted.expose());
    assert!(world.auth.registration(&planted).await.unwrap().is_none());
    // I-12: a draft is no session.
    let as_session = SessionToken::parse(own.expose()).unwrap();
    assert!(world.auth.authenticate(&as_session).await.is_err());
}

#[tokio::test]
async fn going_back_keeps_the_password_only_for_the_same_address_and_question() {
    // REG-1
    let world = World::new();
    let draft = world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await;
    let empty = |email: &str| SecurityDetails::new(email, "").with_question(world.question(), "");
    let refused = world
        .auth
        .save_security_details(&stranger(1), Some(&draft), empty("other@school.example"))
        .await
        .unwrap_err();
    assert!(fields(refused).iter().any(|(f, _)| f == "new-password"));
    let draft = world
        .auth
        .save_security_details(&stranger(1), Some(&draft), empty(VAL))
        .await
        .unwrap();
    world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    let link = world.link(VAL).await;
    world.activate(&link, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_kept_password_is_no_answer() {
    // ANS-4
    let world = World::new();
    let draft = world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await;
    let form = SecurityDetails::new(VAL, "").with_question(world.question(), PASSWORD);
    let refused = world
        .auth
        .save_security_details(&stranger(1), Some(&draft), form)
        .await
        .unwrap_err();
    assert_eq!(fields(refused), [("answer".to_owned(), "answer.is_password")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_tabs_that_submit_at_once_send_one_mail() {
    // R13, TOK-4
    for _ in 0..10 {
        let world = Arc::new(World::new());
        let draft = Arc::new(world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await);
        let tabs: Vec<_> = (0..2)
            .map(|_| {
                let (world, draft) = (Arc::clone(&world), Arc::clone(&draft));
                tokio::spawn(async move { world.auth.submit_registration(&stranger(1), &draft).await })
            })
            .collect();
        for tab in tabs {
            let answer = tab.await.unwrap();
            assert!(matches!(answer, Ok(SubmitOutcome::CheckEmail(_))), "{answer:?}");
        }
        assert_eq!(world.audited("register.submitted"), 1);
        assert_eq!(
            world.mails(VAL, "complete-registration").await,
            1,
            "{:?}",
            portal_auth::store::OutboxStore::backlog(&*world.store, world.now()).await
        );
        let again = world.auth.submit_registration(&stranger(1), &draft).await;
        assert!(matches!(again, Ok(SubmitOutcome::CheckEmail(_))));
        assert_eq!(world.mails(VAL, "complete-registration").await, 1);
    }
}

#[tokio::test]
async fn the_tab_that_paid_for_the_mail_sends_it_although_the_other_was_first() {
    // MAIL-5, TOK-4: one slot a minute, and the tab that got it is overtaken
    let world = World::new();
    let draft = world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await;
    world.store.overtake("register.submitted", {
        let (auth, draft) = (world.auth.clone(), DraftToken::parse(draft.expose()).unwrap());
        async move {
            auth.submit_registration(&stranger(1), &draft).await.unwrap();
        }
    });
    world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    assert_eq!(world.mails(VAL, "complete-registration").await, 1);
    assert_eq!(world.audited("register.submitted"), 1);
    world.activate(&world.link(VAL).await, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_sent_registration_keeps_no_hash_in_its_draft_and_takes_no_more_steps() {
    // REG-1
    let world = World::new();
    let draft = world.register(VAL, PASSWORD).await;
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    assert!(!progress.password_set);
    assert_eq!(progress.sent.unwrap().email.as_str(), VAL);
    let again = world
        .auth
        .save_section(&draft, AboutMe::NAME, json!({ "forename": "Eve" }), Save::Checked)
        .await;
    assert!(
        matches!(again, Err(Denied::Refused(RegisterRefused::AlreadySent(_)))),
        "{again:?}"
    );
    let details = world.details(VAL, OTHER_PASSWORD);
    let again = world
        .auth
        .save_security_details(&stranger(1), Some(&draft), details)
        .await;
    assert!(matches!(
        again,
        Err(Denied::Refused(RegisterRefused::AlreadySent(_)))
    ));
}

#[tokio::test]
async fn known_waiting_and_new_addresses_are_answered_alike_at_one_price() {
    // ENU-1, ENU-2, ENU-4, P-07, P-21
    let world = World::new();
    world.person(VAL).await;
    world.register("waiting@school.example", PASSWORD).await;
    world.clock.advance(MINUTE);
    let mut seen = Vec::new();
    for (n, email) in [
        "new@school.example",
        " VAL@School.Example",
        "waiting@school.example",
    ]
    .into_iter()
    .enumerate()
    {
        let from = stranger(100 + u32::try_from(n).unwrap());
        world.store.take_calls();
        let draft = world.fill_in(&from, email, OTHER_PASSWORD, "Val").await;
        let outcome = world.auth.submit_registration(&from, &draft).await.unwrap();
        let SubmitOutcome::CheckEmail(notice) = outcome else {
            panic!("{outcome:?}");
        };
        seen.push((notice.link_expires_at, notice.again_at, world.store.take_calls()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    // The owner hears of it, without a link that does anything.
    assert_eq!(world.mails(VAL, "already-registered").await, 1);
    assert_eq!(
        world.mails(VAL, "complete-registration").await,
        1,
        "only the first one"
    );
    assert!(
        world
            .activate(&world.link(VAL).await, OTHER_PASSWORD)
            .await
            .is_err()
    );
    world.signed_in(&stranger(1), VAL).await;
}

#[tokio::test]
async fn an_address_gets_five_mails_an_hour_and_ten_a_day_and_nobody_is_told() {
    // MAIL-5, I-26, P-44
    let world = World::new();
    let mut n = 0;
    let mut hours = Vec::new();
    for _ in 0..24 {
        for _ in 0..6 {
            n += 1;
            // From as many networks, and with a tag that does not count.
            let email = format!("val+{n}@school.example");
            world.register_from(&stranger(n), &email, PASSWORD).await;
            world.clock.advance(MINUTE * 10);
        }
        world.work().await;
        hours.push(world.mailer.sent().len());
    }
    assert_eq!(&hours[..4], [5, 10, 10, 10]);
    assert_eq!(hours[23], 10);
    assert_eq!(world.auth.counts().mails_withheld, 24 * 6 - 10);
}

#[tokio::test]
async fn a_network_gets_twenty_mails_an_hour() {
    // MAIL-5
    let world = World::new();
    for n in 0..25 {
        world
            .register_from(&stranger(1), &format!("p{n}@school.example"), PASSWORD)
            .await;
    }
    while {
        world.work().await;
        world.mailer.sent().len() < 20
    } {}
    world.work().await;
    assert_eq!(world.mailer.sent().len(), 20);
    world
        .register_from(&stranger(2), "elsewhere@school.example", PASSWORD)
        .await;
    assert_eq!(
        world
            .mails("elsewhere@school.example", "complete-registration")
            .await,
        1
    );
}

#[tokio::test]
async fn the_mail_that_spends_the_last_slot_carries_a_link_that_lives_until_the_next_one_opens() {
    // TOK-6, I-26
    let world = World::with(|c| c.registration.link_lifetime = MINUTE * 15);
    let start = world.now();
    let mut notices = Vec::new();
    for n in 1..=10 {
        let draft = world.register_from(&stranger(n), VAL, PASSWORD).await;
        let progress = world.auth.registration(&draft).await.unwrap().unwrap();
        // ENU-1: the page tells of none of it.
        let told = progress.sent.unwrap().link_expires_at;
        assert_eq!(told, world.now().plus(MINUTE * 15));
        let page = world.auth.activation_page(&world.link(VAL).await).await.unwrap();
        notices.push(page.expires_at);
        world.clock.advance(if n == 5 { MINUTE * 60 } else { MINUTE });
    }
    // The fifth fills the hour, the tenth the day.
    assert_eq!(notices[4], start.plus(HOUR));
    assert_eq!(notices[9], start.plus(DAY));
    let last = world.link(VAL).await;
    world.clock.set(start.plus(DAY - MICRO));
    assert!(world.auth.activation_page(&last).await.is_ok());
    world.clock.advance(MICRO);
    assert!(world.auth.activation_page(&last).await.is_err());
    world.register_from(&stranger(11), VAL, PASSWORD).await;
    let fresh = world.link(VAL).await;
    assert!(
        world.auth.activation_page(&fresh).await.is_ok(),
        "the slot is open"
    );
}

#[tokio::test]
async fn using_another_address_ends_the_link_and_keeps_the_sections() {
    // portal P9
    let world = World::new();
    let draft = world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    for _ in 0..2 {
        world
            .auth
            .change_registration_address(&stranger(1), &draft)
            .await
            .unwrap();
    }
    assert_eq!(world.audited("register.given_up"), 1);
    assert!(world.activate(&link, PASSWORD).await.is_err());
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    assert_eq!(progress.open_step, Some(Step::SecurityDetails));
    assert_eq!(progress.sections[AboutMe::NAME], json!({ "forename": "Val" }));
    let other = world.details("other@school.example", PASSWORD);
    let draft = world
        .auth
        .save_security_details(&stranger(1), Some(&draft), other)
        .await
        .unwrap();
    world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    assert_eq!(
        world.mails("other@school.example", "complete-registration").await,
        1
    );
}

#[tokio::test]
async fn a_submit_that_meets_conflicts_is_decided_again() {
    // 4.3
    let world = World::new();
    let draft = world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await;
    for _ in 0..5 {
        world.store.meet("register.submitted", Mishap::Conflict);
    }
    let busy = world.auth.submit_registration(&stranger(1), &draft).await;
    assert!(matches!(busy, Err(Denied::Busy { .. })), "{busy:?}");
    world.clock.advance(MINUTE);
    for _ in 0..4 {
        world.store.meet("register.submitted", Mishap::Conflict);
    }
    world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    assert_eq!(world.mails(VAL, "complete-registration").await, 1);
}

#[tokio::test]
async fn nothing_typed_is_shown_by_what_is_returned() {
    // HASH-7, LOG-2
    let world = World::new();
    let draft = world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await;
    let progress = world.auth.registration(&draft).await.unwrap().unwrap();
    let outcome = world
        .auth
        .submit_registration(&stranger(1), &draft)
        .await
        .unwrap();
    let shown = format!("{draft:?} {progress:?} {outcome:?} {:?}", Password::new(PASSWORD));
    for secret in [PASSWORD, ANSWER, draft.expose(), "$argon2id$"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
