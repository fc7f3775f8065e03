//! What was typed into a form is kept for its person for a day, and for nobody else.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::{DAY, HOUR, MICRO, MINUTE, VAL, World, stranger};
use portal_auth::account::status::TwoStep;
use portal_auth::error::Denied;
use portal_auth::features::keep_form::{KeepFormRefused, KeptForms, TypedForm};
use portal_auth::secret::token::{DraftToken, KeptFormToken, SessionToken};
use portal_auth::session::SessionEnd;

const PAGE: &str = "/account/change-of-circumstances";
const OTHER: &str = "ola@school.example";

fn typed(text: &str) -> TypedForm {
    TypedForm::new(PAGE, vec![("details".to_owned(), text.to_owned())])
}

async fn keep(
    world: &World,
    session: &SessionToken,
    held: Option<&KeptFormToken>,
    text: &str,
) -> Result<KeptFormToken, Denied<KeepFormRefused>> {
    world.auth.keep_form(session, held, typed(text)).await
}

/// What the page finds for whoever has `session`.
async fn found(world: &World, session: &SessionToken, held: &KeptFormToken) -> Option<String> {
    let signed_in = world.auth.peek(session).await.unwrap();
    let form = world.auth.kept_form(&signed_in, held, PAGE).await.unwrap();
    form.map(|form| form.get("details").unwrap().to_owned())
}

#[tokio::test]
async fn a_timed_out_session_keeps_the_form_until_its_owner_is_back() {
    // R11
    for (wait, end) in [(MINUTE * 30, SessionEnd::Idle), (HOUR * 12, SessionEnd::Absolute)] {
        let world = World::new();
        world.person(VAL).await;
        let dead = world.session(VAL).await;
        world.clock.advance(wait);
        assert!(matches!(world.auth.peek(&dead).await, Err(Denied::Refused(e)) if e == end));
        let held = keep(&world, &dead, None, "moving to Hill School").await.unwrap();
        assert!(world.auth.keeps_form(&held, PAGE).await.unwrap());
        assert!(
            !world
                .auth
                .keeps_form(&held, "/account/work-details")
                .await
                .unwrap()
        );
        assert!(
            world.auth.peek(&dead).await.is_err(),
            "keeping a form revives nobody"
        );
        let back = world.session(VAL).await;
        assert_eq!(
            world.auth.settle_kept_forms(&back, &held).await.unwrap(),
            KeptForms::TheirOwn
        );
        assert_eq!(
            found(&world, &back, &held).await.as_deref(),
            Some("moving to Hill School")
        );
        world.auth.drop_kept_form(&held, PAGE).await.unwrap();
        assert_eq!(found(&world, &back, &held).await, None, "it was sent off");
    }
}

#[tokio::test]
async fn a_session_that_was_ended_keeps_nothing() {
    // SES-5
    let world = World::new();
    world.person(VAL).await;
    let (one, two) = (world.session(VAL).await, world.session(VAL).await);
    world.auth.sign_out(&stranger(1), &one).await.unwrap();
    world
        .auth
        .set_two_step(&stranger(1), &two, TwoStep::Email)
        .await
        .unwrap();
    let forged = SessionToken::parse(&"A".repeat(43)).unwrap();
    // Its time is over as well, for idling and then for good: what ended it first counts.
    for wait in [MINUTE * 31, HOUR * 12] {
        world.clock.advance(wait);
        world.work().await;
        for session in [&one, &two, &forged] {
            let answer = keep(&world, session, None, "x").await;
            assert!(
                matches!(answer, Err(Denied::Refused(KeepFormRefused::SessionEnded))),
                "{answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_session_that_ended_hours_ago_keeps_the_form_and_one_that_ended_a_day_ago_is_forgotten() {
    // R11, ASVS 14.2.7
    for (since_its_end, end) in [
        (HOUR * 9, Some(SessionEnd::Absolute)),
        (DAY, Some(SessionEnd::Absolute)),
        (DAY + MICRO, None),
    ] {
        let world = World::new();
        world.person(VAL).await;
        let dead = world.session(VAL).await;
        world.clock.advance(HOUR * 12 + since_its_end);
        world.work().await;
        let told = world.auth.peek(&dead).await;
        let end_told = end.unwrap_or(SessionEnd::Revoked);
        assert!(
            matches!(told, Err(Denied::Refused(e)) if e == end_told),
            "{told:?}"
        );
        let answer = keep(&world, &dead, None, "moving to Hill School").await;
        if end.is_none() {
            assert!(
                matches!(answer, Err(Denied::Refused(KeepFormRefused::SessionEnded))),
                "{answer:?}"
            );
            continue;
        }
        let back = world.session(VAL).await;
        assert_eq!(
            found(&world, &back, &answer.unwrap()).await.as_deref(),
            Some("moving to Hill School")
        );
    }
}

#[tokio::test]
async fn another_person_in_the_same_browser_sees_nothing_and_deletes_it() {
    // R11
    let world = World::new();
    world.person(VAL).await;
    world.person(OTHER).await;
    let val = world.session(VAL).await;
    let held = keep(&world, &val, None, "private").await.unwrap();
    let ola = world.session(OTHER).await;
    assert_eq!(found(&world, &ola, &held).await, None);
    assert_eq!(found(&world, &val, &held).await.as_deref(), Some("private"));
    // What Ola types does not land in Val's row, and Val's does not move into hers.
    let olas = keep(&world, &ola, Some(&held), "mine").await.unwrap();
    assert_ne!(olas.expose(), held.expose());
    assert_eq!(found(&world, &ola, &olas).await.as_deref(), Some("mine"));
    assert_eq!(found(&world, &val, &held).await.as_deref(), Some("private"));

    assert_eq!(
        world.auth.settle_kept_forms(&ola, &held).await.unwrap(),
        KeptForms::OfAnother
    );
    assert_eq!(found(&world, &val, &held).await, None);
    assert!(!world.auth.keeps_form(&held, PAGE).await.unwrap());
    assert_eq!(
        world.auth.settle_kept_forms(&ola, &held).await.unwrap(),
        KeptForms::TheirOwn
    );
}

#[tokio::test]
async fn a_form_is_kept_for_exactly_a_day_and_then_removed() {
    // I-05, ASVS 14.2.7
    let world = World::new();
    world.person(VAL).await;
    let held = keep(&world, &world.session(VAL).await, None, "x").await.unwrap();
    world.clock.advance(DAY - MICRO);
    let session = world.session(VAL).await;
    assert_eq!(found(&world, &session, &held).await.as_deref(), Some("x"));
    world.clock.advance(MICRO);
    assert_eq!(found(&world, &session, &held).await, None);
    assert!(!world.auth.keeps_form(&held, PAGE).await.unwrap());
    // The old row does not stand in the way of the next form.
    let next = keep(&world, &session, Some(&held), "y").await.unwrap();
    assert_eq!(found(&world, &session, &next).await.as_deref(), Some("y"));
    world.clock.advance(DAY + MINUTE * 3);
    world.work().await;
    assert!(!world.auth.keeps_form(&next, PAGE).await.unwrap());
}

#[tokio::test]
async fn logging_out_by_hand_forgets_every_form() {
    // R11
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let held = keep(&world, &session, None, "x").await.unwrap();
    let other = TypedForm::new(
        "/account/work-details",
        vec![("role".to_owned(), "SENCo".to_owned())],
    );
    let held = world.auth.keep_form(&session, Some(&held), other).await.unwrap();
    assert!(world.auth.keeps_form(&held, PAGE).await.unwrap());
    world.auth.drop_kept_forms(&held).await.unwrap();
    assert!(!world.auth.keeps_form(&held, PAGE).await.unwrap());
    assert!(
        !world
            .auth
            .keeps_form(&held, "/account/work-details")
            .await
            .unwrap()
    );
    world.auth.drop_kept_forms(&held).await.unwrap();
    // The same session can type again.
    let held = keep(&world, &session, Some(&held), "again").await.unwrap();
    assert_eq!(found(&world, &session, &held).await.as_deref(), Some("again"));
}

#[tokio::test]
async fn a_browser_that_drops_its_cookie_each_time_fills_one_row() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let first = keep(&world, &session, None, "1").await.unwrap();
    for n in 2..6 {
        let held = keep(&world, &session, None, &n.to_string()).await.unwrap();
        assert_eq!(held.expose(), first.expose());
    }
    assert_eq!(found(&world, &session, &first).await.as_deref(), Some("5"));
}

#[tokio::test]
async fn the_tokens_of_drafts_and_of_kept_forms_are_refused_for_each_other() {
    // I-12: they share a cookie
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let held = keep(&world, &session, None, "x").await.unwrap();
    let as_draft = DraftToken::parse(held.expose()).unwrap();
    assert!(world.auth.registration(&as_draft).await.unwrap().is_none());
    let draft = world.fill_in(&stranger(2), OTHER, common::PASSWORD, "Ola").await;
    let as_held = KeptFormToken::parse(draft.expose()).unwrap();
    assert!(!world.auth.is_kept_form_token(&as_held) && world.auth.is_kept_form_token(&held));
    assert_eq!(found(&world, &session, &as_held).await, None);
    assert_eq!(
        world.auth.settle_kept_forms(&session, &as_held).await.unwrap(),
        KeptForms::NotAToken
    );
    world.auth.drop_kept_forms(&as_held).await.unwrap();
    assert!(world.auth.registration(&draft).await.unwrap().is_some());
    // Nor does keeping write into it.
    let fresh = keep(&world, &session, Some(&as_held), "y").await.unwrap();
    assert_ne!(fresh.expose(), draft.expose());
}

#[tokio::test]
async fn two_tabs_that_write_at_once_both_keep_their_form() {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let work = TypedForm::new(
        "/account/work-details",
        vec![("role".to_owned(), "SENCo".to_owned())],
    );
    let (one, two) = tokio::join!(
        keep(&world, &session, None, "x"),
        world.auth.keep_form(&session, None, work),
    );
    let held = one.unwrap();
    assert_eq!(held.expose(), two.unwrap().expose());
    assert!(world.auth.keeps_form(&held, PAGE).await.unwrap());
    assert!(
        world
            .auth
            .keeps_form(&held, "/account/work-details")
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_form_larger_than_any_page_is_refused_and_keeping_is_no_activity() {
    // LIM-1, SES-3
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    // What a control character takes in a row is six times as much, and five forms fit into one.
    let answer = keep(&world, &session, None, &"\u{1}".repeat(15 * 1024)).await;
    assert!(
        matches!(answer, Err(Denied::Refused(KeepFormRefused::TooLarge))),
        "{answer:?}"
    );
    let answer = keep(&world, &session, None, &"x".repeat(16 * 1024)).await;
    assert!(
        matches!(answer, Err(Denied::Refused(KeepFormRefused::TooLarge))),
        "{answer:?}"
    );
    world.clock.advance(MINUTE * 29);
    keep(&world, &session, None, "x").await.unwrap();
    world.clock.advance(MINUTE);
    assert!(world.auth.peek(&session).await.is_err());
}

#[tokio::test]
async fn a_form_kept_in_the_future_is_not_believed() {
    // CLK-2
    let skew = MINUTE * 2;
    for (back, believed) in [(skew, true), (skew + MICRO, false)] {
        let world = World::new();
        world.person(VAL).await;
        world.clock.advance(HOUR);
        let session = world.session(VAL).await;
        let held = keep(&world, &session, None, "of tomorrow").await.unwrap();
        world.clock.rewind(back);
        let keeps = world.auth.keeps_form(&held, PAGE).await.unwrap();
        assert_eq!(keeps, believed, "{back:?}");
    }
}
