//! "Send the link again": the same link while it works, a new one when it is over, and never too many mails.

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

use common::{DAY, HOUR, MICRO, MINUTE, PASSWORD, VAL, World, stranger};
use portal_auth::error::Denied;
use portal_auth::features::resend_registration::ResendLinkRefused;
use portal_auth::secret::token::DraftToken;

#[tokio::test]
async fn the_same_link_is_sent_again_after_a_minute() {
    // TOK-6, portal P9
    let world = World::new();
    let draft = world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    let until = world.now().plus(MINUTE);
    world.clock.advance(MINUTE - MICRO);
    let wait = world.auth.resend_link(&stranger(1), &draft).await;
    assert!(matches!(wait, Err(Denied::Refused(ResendLinkRefused::Wait { until: u })) if u == until));
    world.clock.advance(MICRO);
    world.auth.resend_link(&stranger(1), &draft).await.unwrap();
    assert_eq!(world.mails(VAL, "complete-registration").await, 2);
    assert_eq!(world.link(VAL).await.expose(), link.expose());
    world.activate(&link, PASSWORD).await.unwrap();
    let done = world.auth.resend_link(&stranger(1), &draft).await;
    assert!(done.is_err());
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_link_that_is_over_is_replaced() {
    // ACT-1
    for by_draft in [true, false] {
        let world = World::with(|c| c.registration.draft_lifetime = DAY);
        let draft = world.register(VAL, PASSWORD).await;
        let old = world.link(VAL).await;
        world.clock.advance(HOUR * 12);
        if by_draft {
            world.auth.resend_link(&stranger(1), &draft).await.unwrap();
        } else {
            world.auth.resend_link_to(&stranger(1), VAL).await.unwrap();
        }
        let fresh = world.link(VAL).await;
        assert_ne!(old.expose(), fresh.expose());
        assert!(world.activate(&old, PASSWORD).await.is_err());
        world.activate(&fresh, PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn another_browser_asks_by_address_and_every_address_is_answered_alike() {
    // ENU-1, P-22
    let world = World::new();
    world.person(VAL).await;
    world.register("waiting@school.example", PASSWORD).await;
    world.clock.advance(MINUTE);
    let mut seen = Vec::new();
    for email in ["nobody@school.example", VAL, "waiting@school.example"] {
        world.store.take_calls();
        world.auth.resend_link_to(&stranger(2), email).await.unwrap();
        seen.push(world.store.take_calls());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    assert_eq!(
        world
            .mails("nobody@school.example", "complete-registration")
            .await,
        0
    );
    assert_eq!(world.mails(VAL, "already-registered").await, 1);
    assert_eq!(
        world
            .mails("waiting@school.example", "complete-registration")
            .await,
        2
    );
    let wrong = world.auth.resend_link_to(&stranger(2), "val@").await;
    assert!(matches!(wrong, Err(Denied::Refused(ResendLinkRefused::Email(_)))));
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_not_told_and_the_earlier_link_works() {
    // MAIL-5, TOK-6, P-22, P-44
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let link = world.link(VAL).await;
    for n in 0..20 {
        world.clock.advance(MINUTE);
        world.auth.resend_link_to(&stranger(n), VAL).await.unwrap();
    }
    assert_eq!(world.mails(VAL, "complete-registration").await, 5);
    world.activate(&link, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn at_every_moment_there_is_a_slot_or_a_live_link() {
    // TOK-6, I-23: somebody asks for the link of the address whenever a mail can go
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let mut stuck = Vec::new();
    for quarter in 0..(4 * 47) {
        let mails = world.mails(VAL, "complete-registration").await;
        let live = world.auth.activation_page(&world.link(VAL).await).await.is_ok();
        if !live {
            world.auth.resend_link_to(&stranger(1), VAL).await.unwrap();
            if world.mails(VAL, "complete-registration").await == mails {
                stuck.push(quarter);
            }
        }
        // The attacker spends every slot there is.
        for n in 0..3 {
            world
                .auth
                .resend_link_to(&stranger(600 + quarter * 3 + n), VAL)
                .await
                .unwrap();
            world.clock.advance(MINUTE * 5);
        }
    }
    assert!(
        stuck.is_empty(),
        "no slot and no live link in the quarters {stuck:?}"
    );
}

#[tokio::test]
async fn forgotten_passwords_at_a_waiting_address_leave_its_registration_a_mail() {
    // TOK-6, I-23
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let mut stuck = Vec::new();
    for n in 0..180_u32 {
        for other in 0..3 {
            let from = stranger(1_000 + n * 3 + other);
            world.auth.request_reset(&from, VAL).await.unwrap();
            world.clock.advance(MINUTE * 2);
        }
        let mails = world.mails(VAL, "complete-registration").await;
        if world.auth.activation_page(&world.link(VAL).await).await.is_err() {
            world.auth.resend_link_to(&stranger(1), VAL).await.unwrap();
            if world.mails(VAL, "complete-registration").await == mails {
                stuck.push(n);
            }
        }
    }
    assert!(
        stuck.is_empty(),
        "no slot and no live link in the rounds {stuck:?}"
    );
}

#[tokio::test]
async fn a_browser_that_sent_nothing_is_asked_for_the_address() {
    let world = World::new();
    let unsent = world.fill_in(&stranger(1), VAL, PASSWORD, "Val").await;
    let forged = DraftToken::parse(&"A".repeat(43)).unwrap();
    for draft in [unsent, forged] {
        let answer = world.auth.resend_link(&stranger(1), &draft).await;
        assert!(
            matches!(answer, Err(Denied::Refused(ResendLinkRefused::NothingSent))),
            "{answer:?}"
        );
    }
}
