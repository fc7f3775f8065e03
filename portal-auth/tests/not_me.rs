//! "This was not me": the owner who is told of a change shuts everybody out and gets a link to a new password.

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

use common::watched_store::Mishap;
use common::{ANSWER, DAY, MICRO, OPERATOR, OTHER_PASSWORD, PASSWORD, VAL, World, address, stranger};
use portal_auth::NewPassword;
use portal_auth::TakeBackRefused;
use portal_auth::account::status::TwoStep;
use portal_auth::error::Denied;
use portal_auth::features::change_security_question::ChangeQuestionForm;
use portal_auth::link::{Answer, LinkPurpose, LinkRefused, LinkRow, LinkState};
use portal_auth::mail::outbox::MailKind;
use portal_auth::password::Password;
use portal_auth::secret::token::{LinkToken, SessionToken};
use portal_auth::session::SessionEnd;
use portal_auth::store::{AccountStore as _, OutboxStore as _};
use portal_auth::testkit::rows;
use portal_auth::unit_of_work::{Change, Write};

/// An account whose password somebody has changed, their session, and the link in the notice.
async fn changed() -> (World, SessionToken, LinkToken) {
    let world = World::new();
    world.person(VAL).await;
    let session = world.session(VAL).await;
    let new = NewPassword::new(OTHER_PASSWORD);
    let renewed = world
        .auth
        .change_password(&stranger(1), &session, &Password::new(PASSWORD), &new)
        .await
        .unwrap();
    let link = world.link_in(VAL, "password-changed").await;
    (world, renewed.session, link)
}

async fn act(world: &World, link: &LinkToken, typed: &str) -> Result<(), Denied<TakeBackRefused>> {
    world.auth.not_me(&stranger(1), link, typed).await
}

fn refused(answer: Result<(), Denied<TakeBackRefused>>) -> TakeBackRefused {
    match answer {
        Err(Denied::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

async fn resets(world: &World) -> Vec<LinkRow> {
    let account = world.account(VAL).await;
    let mut links = world.store.live_links(account.id).await.unwrap();
    links.retain(|link| link.purpose == LinkPurpose::ResetPassword);
    links
}

#[tokio::test]
async fn everybody_is_out_and_a_new_password_comes_by_mail() {
    // MAIL-6, SES-5, I-17
    let (world, thief, link) = changed().await;
    act(&world, &link, VAL).await.unwrap();
    let answer = world.auth.authenticate(&thief).await;
    assert!(matches!(answer, Err(Denied::Refused(SessionEnd::Revoked))));
    let account = world.account(VAL).await;
    assert!(account.locked && account.status.is_active());
    for password in [PASSWORD, OTHER_PASSWORD] {
        assert!(world.try_sign_in(&stranger(2), VAL, password).await.is_err());
    }
    let resets = resets(&world).await;
    assert_eq!(resets.len(), 1);
    assert_eq!(resets[0].answer, Answer::Owed);
    assert_eq!(resets[0].epoch, Some(account.auth_epoch));
    let queued = world
        .store
        .mails(None, Some(&address(VAL)), None, 50)
        .await
        .unwrap();
    let reset = queued.iter().filter(|m| m.kind == MailKind::ResetPassword);
    assert_eq!(reset.filter(|m| m.link == Some(resets[0].key)).count(), 1, "E5");
    assert_eq!(world.audited("not_me.done"), 1);
    world.assert_audit_is_genuine();
    // The link opens the account again, with the answer and a password of the owner's own (RST-3).
    let reset = world.link_in(VAL, "reset-password").await;
    let given = world
        .auth
        .answer_reset(&stranger(1), &reset, ANSWER)
        .await
        .unwrap();
    let new = NewPassword::new("Third-Garden-58").repeated("Third-Garden-58");
    world
        .auth
        .set_new_password(&stranger(1), &reset, Some(&given), &new)
        .await
        .unwrap();
    assert!(!world.account(VAL).await.locked);
    world
        .try_sign_in(&stranger(2), VAL, "Third-Garden-58")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_press_of_the_button_alone_does_nothing() {
    // MAIL-6, TOK-5
    let (world, thief, link) = changed().await;
    let masked = world.auth.not_me_page(&link).await.unwrap();
    assert!(masked.ends_with("@school.example") && masked != VAL, "{masked}");
    assert_eq!(
        refused(act(&world, &link, "").await),
        TakeBackRefused::AddressRequired
    );
    assert_eq!(
        refused(act(&world, &link, "jo@school.example").await),
        TakeBackRefused::OtherAddress
    );
    world.auth.authenticate(&thief).await.unwrap();
    assert!(!world.account(VAL).await.locked);
}

#[tokio::test]
async fn it_works_once_and_for_seven_days_to_the_microsecond() {
    // I-05, I-11
    let (world, _thief, link) = changed().await;
    world.clock.advance(DAY * 7);
    let over = refused(act(&world, &link, VAL).await);
    assert!(
        matches!(over, TakeBackRefused::Link(LinkRefused::Expired { .. })),
        "{over:?}"
    );
    world.clock.rewind(MICRO);
    act(&world, &link, VAL).await.unwrap();
    assert_eq!(
        refused(act(&world, &link, VAL).await),
        TakeBackRefused::Link(LinkRefused::Used)
    );
}

#[tokio::test]
async fn every_notice_of_a_change_carries_one_and_none_dies_with_the_epoch() {
    // E7, E10, E11, TOK-3
    let (world, thief, first) = changed().await;
    let questions = world.auth.config().registration.questions.iter();
    let question = questions.last().unwrap().id().as_str().to_owned();
    let form = ChangeQuestionForm::new(OTHER_PASSWORD, &question, "A tall ship");
    let renewed = world
        .auth
        .change_security_question(&stranger(1), &thief, form)
        .await
        .unwrap();
    let second = world.link_in(VAL, "secret-question-changed").await;
    world
        .auth
        .set_two_step(&stranger(1), &renewed.session, TwoStep::Email)
        .await
        .unwrap();
    let third = world.link_in(VAL, "two-step-changed").await;
    for link in [first, second, third] {
        act(&world, &link, VAL).await.unwrap();
    }
    assert_eq!(
        resets(&world).await.len(),
        1,
        "one live link of a purpose (TOK-6)"
    );
}

#[tokio::test]
async fn a_reset_that_somebody_else_has_asked_for_dies() {
    // SES-5, TOK-3
    let (world, _thief, link) = changed().await;
    let reset = rows::reset_link(7, &world.account(VAL).await);
    let work = rows::work().change(Change::Link(Box::new(Write::Insert(reset.clone()))));
    world.store.commit(work).await.unwrap();
    act(&world, &link, VAL).await.unwrap();
    let old = world.store.by_link(reset.key).await.unwrap().unwrap().link;
    assert_eq!((old.state, old.seed), (LinkState::Replaced, None));
}

#[tokio::test]
async fn a_disabled_account_gets_no_reset() {
    // RST-5
    let (world, _thief, link) = changed().await;
    world
        .auth
        .disable_account(&OPERATOR, &address(VAL))
        .await
        .unwrap();
    act(&world, &link, VAL).await.unwrap();
    assert!(resets(&world).await.is_empty());
    assert!(world.account(VAL).await.locked);
}

#[tokio::test]
async fn conflicts_are_decided_again() {
    let (world, _thief, link) = changed().await;
    for _ in 0..4 {
        world.store.meet("not_me.done", Mishap::Conflict);
    }
    act(&world, &link, VAL).await.unwrap();
    assert_eq!(resets(&world).await.len(), 1);
}
