//! What the owner is told of their account: the last 90 days, in kinds they understand, without any address.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::{DAY, MICRO, MINUTE, PASSWORD, VAL, World, familiar, stranger};
use portal_auth::audit::Actor;
use portal_auth::features::account_activity::{ActivityEntry, MOST_ENTRIES, Outcome};
use portal_auth::visitor::Visitor;

async fn told(world: &World) -> Vec<ActivityEntry> {
    told_in(world, &stranger(1)).await
}

async fn told_in(world: &World, browser: &Visitor) -> Vec<ActivityEntry> {
    let session = world.signed_in(browser, VAL).await.session;
    let signed_in = world.auth.authenticate(&session).await.unwrap();
    world.auth.recent_activity(&signed_in).await.unwrap()
}

fn kinds(entries: &[ActivityEntry]) -> Vec<&'static str> {
    entries.iter().map(|e| e.kind.code()).collect()
}

#[tokio::test]
async fn sign_ins_and_refusals_are_told_newest_first_with_the_browser() {
    let world = World::new();
    world.person(VAL).await;
    let phone = Visitor::unknown().with_user_agent("Mozilla/5.0 (iPhone) Safari/604.1");
    world.clock.advance(MINUTE);
    assert!(world.try_sign_in(&phone, VAL, "Wrong-Password-99").await.is_err());
    let tried = world.now();
    world.clock.advance(MINUTE);
    let entries = told(&world).await;
    assert_eq!(
        kinds(&entries)[..2],
        ["sign_in.done", "sign_in.refused"],
        "{entries:?}"
    );
    assert!(kinds(&entries).contains(&"account.made"));
    let refused = &entries[1];
    assert_eq!(refused.reason, "password.wrong");
    assert_eq!((refused.outcome, refused.by), (Outcome::Refused, Actor::Visitor));
    assert_eq!(refused.browser, "Safari on iPhone");
    assert_eq!(refused.at, tried);
}

#[tokio::test]
async fn the_last_ninety_days_are_told_and_nothing_older() {
    // ASVS 14.2.7
    let world = World::new();
    world.person(VAL).await;
    world.clock.advance(DAY * 90 - MICRO);
    assert!(kinds(&told(&world).await).contains(&"account.made"));
    world.clock.advance(MICRO);
    assert!(kinds(&told(&world).await).contains(&"account.made"));
    world.clock.advance(MICRO);
    assert!(!kinds(&told(&world).await).contains(&"account.made"));
}

#[tokio::test]
async fn tries_at_other_addresses_and_what_only_operators_understand_is_not_told() {
    let world = World::new();
    world.person(VAL).await;
    assert!(
        world
            .try_sign_in(&stranger(4), "nobody@school.example", PASSWORD)
            .await
            .is_err()
    );
    let entries = told(&world).await;
    assert!(!kinds(&entries).contains(&"sign_in.refused"));
    assert!(!kinds(&entries).contains(&"register.submitted"));
    assert!(!format!("{entries:?}").contains('@'));
}

#[tokio::test]
async fn a_long_attack_does_not_make_the_list_endless() {
    let world = World::new();
    let device = world.person(VAL).await;
    for n in 0..MOST_ENTRIES + 20 {
        world.clock.advance(DAY / 24);
        drop(world.try_sign_in(&stranger(n), VAL, "Wrong-Password-99").await);
    }
    let entries = told_in(&world, &familiar(&device)).await;
    assert!(u32::try_from(entries.len()).unwrap() <= MOST_ENTRIES);
    assert_eq!(entries[0].kind.code(), "sign_in.done");
}
