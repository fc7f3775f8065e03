//! Mails of the host's own: queued once, whoever asks and however often.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::watched_store::Mishap;
use common::{DAY, MINUTE, VAL, World, address};
use portal_auth::audit::Actor;
use portal_auth::error::Denied;
use portal_auth::features::notify::{HostNotice, HostRecipient, Notified, NotifyRefused};
use portal_auth::mail::outbox::MailId;
use portal_auth::testkit::rows;

const BOSS: &str = "boss@school.example";
const DEPUTY: &str = "deputy@school.example";

fn notice() -> HostNotice {
    HostNotice::new(MailId::from_bytes([7; 16]), "We have your change", "CC-7F3K-92QD")
        .says("We have your change of circumstances.")
        .quotes("Line one\n\nhttps://line.example <b>three</b>")
}

async fn world() -> (World, HostRecipient, HostRecipient) {
    let world = World::with(|config| config.administrators = vec![address(BOSS), address(DEPUTY)]);
    world.person(VAL).await;
    world.work().await;
    let about = world.account(VAL).await.id;
    (
        world,
        HostRecipient::Owner(about),
        HostRecipient::Administrators { about },
    )
}

#[tokio::test]
async fn a_notice_goes_to_the_owner_and_to_every_administrator_once() {
    // E14, MAIL-1
    let (world, owner, administrators) = world().await;
    for expected in [Notified::Queued, Notified::Already, Notified::Already] {
        assert_eq!(world.auth.notify(owner, &notice()).await.unwrap(), expected);
        assert_eq!(
            world.auth.notify(administrators, &notice()).await.unwrap(),
            expected
        );
        world.clock.advance(MINUTE);
    }
    for to in [VAL, BOSS, DEPUTY] {
        assert_eq!(world.mails(to, "host").await, 1, "{to}");
        let mail = world.mailer.latest(to, "host").unwrap();
        assert_eq!(mail.subject, "We have your change (CC-7F3K-92QD)");
        assert!(
            mail.text
                .contains("> Line one\n>\n> https://line.example <b>three</b>\n"),
            "{}",
            mail.text
        );
        assert!(!mail.html.contains("<b>three"), "{}", mail.html);
        let greeting = if to == VAL { "Hello Val,\n" } else { "Hello,\n" };
        assert!(mail.text.starts_with(greeting), "{}", mail.text);
    }
    // The mails are purged long before the audit is, and still it is not sent again.
    world.clock.advance(DAY * 60);
    world.work().await;
    assert_eq!(
        world.auth.notify(owner, &notice()).await.unwrap(),
        Notified::Already
    );
    assert_eq!(world.audited("notice.queued"), 2);
    let audit = world.audit();
    let event = audit.iter().find(|event| event.kind == "notice.queued").unwrap();
    assert_eq!(event.actor, Actor::System);
    assert_eq!(event.label, "We have your change (CC-7F3K-92QD) to owner");
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn two_that_ask_at_once_and_lost_answers_make_one_mail() {
    let (world, owner, _) = world().await;
    world.store.meet("notice.queued", Mishap::LostAnswer);
    let one = notice();
    let (a, b) = tokio::join!(world.auth.notify(owner, &one), world.auth.notify(owner, &one));
    let answers = [a.unwrap(), b.unwrap()];
    assert!(answers.contains(&Notified::Already), "{answers:?}");
    assert_eq!(world.mails(VAL, "host").await, 1);
}

#[tokio::test]
async fn a_notice_that_cannot_go_is_refused_before_anything_is_written() {
    let (world, owner, _) = world().await;
    let refused = async |to, notice: HostNotice| match world.auth.notify(to, &notice).await {
        Err(Denied::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    };
    let gone = HostRecipient::Owner(rows::account_id(9));
    assert_eq!(refused(gone, notice()).await, NotifyRefused::NoAccount);
    let id = MailId::from_bytes([8; 16]);
    let injected = HostNotice::new(id, "A change", "CC\r\nBcc: x@evil.example");
    assert_eq!(refused(owner, injected).await, NotifyRefused::Reference);
    let long = HostNotice::new(id, "A change", "CC-1").quotes(&"x".repeat(20_000));
    assert_eq!(refused(owner, long).await, NotifyRefused::TooLong);
    assert_eq!(world.audited("notice.queued"), 0);
}

#[tokio::test]
async fn where_there_is_no_administrator_nobody_is_told() {
    let world = World::new();
    world.person(VAL).await;
    let about = world.account(VAL).await.id;
    let told = world
        .auth
        .notify(HostRecipient::Administrators { about }, &notice())
        .await;
    assert_eq!(told.unwrap(), Notified::Nobody);
    assert_eq!(world.audited("notice.queued"), 0);
}
