//! Asking for a reset tells the same to everybody, and mails a link to the owner alone.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::watched_store::Mishap;
use common::{DAY, HOUR, MICRO, MINUTE, OPERATOR, PASSWORD, SECOND, VAL, World, address, stranger};
use portal_auth::error::Denied;
use portal_auth::features::request_reset::{RequestResetRefused, ResetRequested};
use portal_auth::features::reset_password::{ResetRefused, ResetStep};
use portal_auth::link::LinkRefused;
use portal_auth::secret::token::LinkToken;
use portal_auth::testkit::recording_mailer::tokens_in;

const NOBODY: &str = "nobody@school.example";

async fn ask(world: &World, email: &str) -> ResetRequested {
    ask_from(world, 1, email).await
}

async fn ask_from(world: &World, network: u32, email: &str) -> ResetRequested {
    world.auth.request_reset(&stranger(network), email).await.unwrap()
}

async fn works(world: &World, link: &LinkToken) -> bool {
    world.auth.reset_page(link, None).await.is_ok()
}

#[tokio::test]
async fn everybody_is_told_the_same_by_the_same_statements() {
    // ENU-1, ENU-2, RST-5, P-22
    let world = World::new();
    for (email, disabled, waiting) in [
        (VAL, false, false),
        ("off@school.example", true, false),
        ("waits@school.example", false, true),
    ] {
        if waiting {
            world.register(email, PASSWORD).await;
        } else {
            world.person(email).await;
        }
        if disabled {
            world
                .auth
                .disable_account(&OPERATOR, &address(email))
                .await
                .unwrap();
        }
        world.clock.advance(MINUTE);
    }
    let mut told = Vec::new();
    for (n, email) in [VAL, "off@school.example", "waits@school.example", NOBODY]
        .iter()
        .enumerate()
    {
        world.store.take_calls();
        let answer = ask_from(&world, 10 + u32::try_from(n).unwrap(), email).await;
        told.push((format!("{answer:?}"), world.store.take_calls()));
    }
    let calls = &told[0].1;
    assert_eq!(
        *calls,
        ["by_email", "live_links", "spend", "spend", "spend", "commit"]
    );
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    // The address whose mails are used up, known or not, alike among themselves.
    let mut told = Vec::new();
    for email in [VAL, NOBODY] {
        world.store.take_calls();
        let answer = ask_from(&world, 20, email).await;
        told.push((format!("{answer:?}"), world.store.take_calls()));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(world.mails(VAL, "reset-password").await, 1);
    assert_eq!(world.mails("off@school.example", "reset-password").await, 0);
    assert_eq!(world.mails("off@school.example", "no-account").await, 0);
    for none in ["waits@school.example", NOBODY] {
        assert_eq!(world.mails(none, "reset-password").await, 0);
        assert_eq!(world.mails(none, "no-account").await, 1, "{none}");
    }
    assert_eq!(world.audited("reset.requested"), 6);
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn what_is_no_address_is_the_one_refusal() {
    let world = World::new();
    let refused = world.auth.request_reset(&stranger(1), "no address").await;
    assert!(
        matches!(refused, Err(Denied::Refused(RequestResetRefused::Email(_)))),
        "{refused:?}"
    );
    assert_eq!(world.audit().len(), 0);
}

#[tokio::test]
async fn an_unknown_address_is_told_once_a_day_and_not_at_all_where_the_setting_is_off() {
    // E6, P13
    let world = World::new();
    for _ in 0..3 {
        ask(&world, NOBODY).await;
        world.clock.advance(MINUTE * 61);
    }
    assert_eq!(world.mails(NOBODY, "no-account").await, 1);
    world.clock.advance(DAY - MINUTE * 183 - MICRO);
    ask_from(&world, 2, NOBODY).await;
    assert_eq!(world.mails(NOBODY, "no-account").await, 1);
    world.clock.advance(MINUTE);
    ask_from(&world, 3, NOBODY).await;
    assert_eq!(world.mails(NOBODY, "no-account").await, 2);

    let silent = World::with(|config| config.recovery.tell_unknown = false);
    silent.person(VAL).await;
    silent.clock.advance(MINUTE);
    let mut calls = Vec::new();
    for email in [VAL, NOBODY] {
        silent.store.take_calls();
        ask(&silent, email).await;
        calls.push(silent.store.take_calls());
    }
    assert_eq!(calls[0], calls[1]);
    assert_eq!(silent.mails(NOBODY, "no-account").await, 0);
}

#[tokio::test]
async fn asking_again_mails_the_same_link_with_its_full_life_before_it() {
    // TOK-6, RST-2
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    world.clock.advance(MINUTE * 50);
    let again = world.reset_link(VAL).await;
    assert_eq!(link.expose(), again.expose());
    assert_eq!(world.audited("reset.requested"), 2);
    world.clock.advance(HOUR - MICRO);
    assert!(works(&world, &link).await);
    world.clock.advance(MICRO);
    let over = world.auth.reset_page(&link, None).await;
    let at = world.now();
    assert!(
        matches!(over, Err(Denied::Refused(ResetRefused::Link(LinkRefused::Expired { at: told }))) if told == at),
        "{over:?}"
    );
    // A new one takes its place, and the old one says so.
    let fresh = world.reset_link(VAL).await;
    assert_ne!(link.expose(), fresh.expose());
    let old = world.auth.reset_page(&link, None).await;
    assert!(
        matches!(
            old,
            Err(Denied::Refused(ResetRefused::Link(LinkRefused::Replaced)))
        ),
        "{old:?}"
    );
    assert!(works(&world, &fresh).await);
}

#[tokio::test]
async fn at_every_moment_the_owner_has_a_slot_or_a_live_link() {
    // TOK-6, I-23, I-26, P-44
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(DAY);
    let link = world.reset_link(VAL).await;
    // A stranger asks for it all day from ever other networks.
    for n in 0..240_u32 {
        world.clock.advance(MINUTE * 6);
        let before = world.mails(VAL, "reset-password").await;
        ask_from(&world, 1_000 + n, VAL).await;
        let after = world.mails(VAL, "reset-password").await;
        assert!(after > before || works(&world, &link).await, "after {n} requests");
    }
    assert!(world.mails(VAL, "reset-password").await <= 20, "MAIL-5");
}

#[tokio::test]
async fn mails_without_a_link_leave_the_owner_one_that_has_it() {
    // TOK-6, I-23, P-44: strangers ask for a registration's link at the address of an account, all day
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(DAY);
    let mut stuck = Vec::new();
    for n in 0..180_u32 {
        for other in 0..3 {
            let from = stranger(1_000 + n * 3 + other);
            world.auth.resend_link_to(&from, VAL).await.unwrap();
            world.clock.advance(MINUTE * 2);
        }
        let mails = world.mails(VAL, "reset-password").await;
        let live = mails > 0 && works(&world, &world.link_in(VAL, "reset-password").await).await;
        if !live {
            ask_from(&world, 9_000 + n, VAL).await;
            if world.mails(VAL, "reset-password").await == mails {
                stuck.push(n);
            }
        }
    }
    assert!(
        stuck.is_empty(),
        "no slot and no live link in the rounds {stuck:?}"
    );
    assert!(
        world.mails(VAL, "already-registered").await > 4,
        "strangers were at work"
    );
}

#[tokio::test]
async fn an_outsider_cannot_end_the_link_or_the_tries_of_its_owner() {
    // TOK-6
    let world = World::new();
    world.person(VAL).await;
    let link = world.reset_link(VAL).await;
    drop(world.auth.answer_reset(&stranger(1), &link, "wrong answer").await);
    for n in 0..5 {
        world.clock.advance(MINUTE * 2);
        ask_from(&world, 50 + n, VAL).await;
    }
    let page = world.auth.reset_page(&link, None).await.unwrap();
    assert!(
        matches!(page.step, ResetStep::Answer { tries_left: 2, .. }),
        "{page:?}"
    );
}

#[tokio::test]
async fn what_strangers_ask_for_in_vain_fills_no_audit() {
    // LOG-5, I-37
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(DAY);
    for _ in 0..50 {
        for address in [VAL, NOBODY] {
            ask(&world, address).await;
            world.auth.resend_link_to(&stranger(1), address).await.unwrap();
        }
    }
    // Its network has twenty in an hour, whatever they come to; what is refused beyond counts in metrics only.
    let written = world.audited("reset.requested") + world.audited("register.resent");
    assert_eq!(written, 20);
    assert_eq!(world.auth.counts().mails_withheld, 198);
}

#[tokio::test]
async fn what_an_address_has_left_does_not_show_in_what_its_network_has_left() {
    // ENU-1, MAIL-5: an account's fifth mail in an hour bears a link, that of an unknown address is withheld.
    let left = async |address: &str| {
        let world = World::new();
        world.person(VAL).await;
        world.clock.advance(DAY);
        for _ in 0..5 {
            ask(&world, address).await;
            world.clock.advance(MINUTE + SECOND);
        }
        let before = world.auth.counts().mails_withheld;
        let mut granted = 0;
        while world.auth.counts().mails_withheld == before {
            ask(&world, &format!("own{granted}@school.example")).await;
            granted += 1;
        }
        (before, granted)
    };
    let (known, unknown) = (left(VAL).await, left(NOBODY).await);
    assert_eq!((known.0, unknown.0), (0, 1));
    assert_eq!(known.1, unknown.1);
}

#[tokio::test]
async fn it_works_while_guessing_has_closed_the_address() {
    // THR-4, P-16
    let world = World::new();
    world.person(VAL).await;
    for n in 0..3 {
        world.guess_until_closed(&stranger(100 + n), VAL).await;
    }
    let link = world.reset_link(VAL).await;
    assert!(works(&world, &link).await);
}

#[tokio::test]
async fn a_mail_that_has_become_moot_is_not_sent() {
    // MAIL-8, I-07
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    ask(&world, VAL).await;
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    assert_eq!(world.mails(VAL, "reset-password").await, 0);
}

#[tokio::test]
async fn a_row_that_changed_in_between_costs_no_second_mail() {
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(MINUTE);
    world.store.meet("reset.requested", Mishap::Conflict);
    ask(&world, VAL).await;
    assert_eq!(world.mails(VAL, "reset-password").await, 1);
    world.store.meet("reset.requested", Mishap::LostAnswer);
    let again = world.reset_link(VAL).await;
    assert!(works(&world, &again).await);
    assert_eq!(world.mails(VAL, "reset-password").await, 2);
    for _ in 0..5 {
        world.store.meet("reset.requested", Mishap::Conflict);
    }
    let busy = world.auth.request_reset(&stranger(1), VAL).await;
    assert!(matches!(busy, Err(Denied::Busy { .. })), "{busy:?}");
}

#[tokio::test]
async fn the_mail_holds_the_owners_link_and_who_asked() {
    // E5, MAIL-3
    let world = World::new();
    world.person(VAL).await;
    world.reset_link(VAL).await;
    let text = world.latest(VAL, "reset-password").await;
    assert!(text.starts_with("Hello Val,"), "{text}");
    assert!(text.contains("Firefox on Windows"));
    assert_eq!(tokens_in(&text).len(), 1);
}
