//! What an administrator may do with mails that wait or were given up.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use common::{DAY, HOUR, MINUTE, OPERATOR, PASSWORD, VAL, World, address};
use portal_auth::audit::Actor;
use portal_auth::error::Denied;
use portal_auth::features::tend_outbox::{MailQuery, MailView, TendOutboxRefused};
use portal_auth::mail::outbox::{MailId, MailKind, MailStatus};
use portal_auth::testkit::recording_mailer::MailFailure;

async fn mails(world: &World, status: Option<MailStatus>) -> Vec<MailView> {
    let query = MailQuery::newest(50).that_are(status);
    world.auth.list_mails(&query).await.unwrap()
}

#[tokio::test]
async fn a_mail_that_was_given_up_is_sent_again_and_audited() {
    // MAIL-8, LOG-1
    let world = World::new();
    world.mailer.fail_next(MailFailure::Permanent, 1);
    world.register(VAL, PASSWORD).await;
    assert_eq!(world.mails(VAL, "complete-registration").await, 0);
    let dead = mails(&world, Some(MailStatus::Dead)).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].kind, &dead[0].to),
        (MailKind::CompleteRegistration, &address(VAL))
    );
    assert!(!dead[0].last_error.is_empty());
    assert!(
        !dead[0].last_error.contains('@'),
        "no address in an error: {}",
        dead[0].last_error
    );

    world.clock.advance(MINUTE);
    world.auth.send_mail_again(&OPERATOR, dead[0].id).await.unwrap();
    let waiting = mails(&world, Some(MailStatus::Ready)).await;
    assert_eq!((waiting.len(), waiting[0].attempts), (1, 0));
    assert_eq!(world.mails(VAL, "complete-registration").await, 1);
    let again = world.auth.send_mail_again(&OPERATOR, dead[0].id).await;
    assert!(matches!(again, Err(Denied::Refused(TendOutboxRefused::NotDead))));
    let audit = world.audit();
    let event = audit
        .iter()
        .find(|event| event.kind == "outbox.sent_again")
        .unwrap();
    assert_eq!(event.actor, Actor::Administrator);
    assert_eq!(event.label, format!("command line, mail {}", dead[0].id));
    assert_eq!(
        world.audited("outbox.sent_again"),
        1,
        "what was refused is not audited as done"
    );
    world.assert_audit_is_genuine();
}

#[tokio::test]
async fn a_mail_whose_link_is_over_is_given_up_again_and_says_so() {
    let world = World::new();
    world.mailer.fail_next(MailFailure::Permanent, 1);
    world.register(VAL, PASSWORD).await;
    world.work().await;
    world.clock.advance(DAY);
    let dead = mails(&world, Some(MailStatus::Dead)).await;
    world.auth.send_mail_again(&OPERATOR, dead[0].id).await.unwrap();
    assert_eq!(world.mails(VAL, "complete-registration").await, 0);
    let dead = mails(&world, Some(MailStatus::Dead)).await;
    assert_eq!(dead[0].last_error, "void: its link is over");
}

#[tokio::test]
async fn a_mail_that_waits_is_dropped_and_never_sent() {
    let world = World::new();
    world.register(VAL, PASSWORD).await;
    let waiting = mails(&world, None).await;
    world.auth.drop_mail(&OPERATOR, waiting[0].id).await.unwrap();
    assert_eq!(world.mails(VAL, "complete-registration").await, 0);
    for id in [waiting[0].id, MailId::from_bytes([9; 16])] {
        let refused = world.auth.drop_mail(&OPERATOR, id).await;
        assert!(matches!(
            refused,
            Err(Denied::Refused(TendOutboxRefused::NotWaiting))
        ));
    }
    let dead = mails(&world, Some(MailStatus::Dead)).await;
    assert_eq!(dead[0].last_error, "dropped by an administrator");
    assert_eq!(world.audited("outbox.dropped"), 1);
}

#[tokio::test]
async fn mails_are_listed_page_by_page_the_newest_first() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.register(&format!("{name}@school.example"), PASSWORD).await;
        world.clock.advance(HOUR);
    }
    let page = async |after| {
        let query = MailQuery::newest(2).after(after);
        world.auth.list_mails(&query).await.unwrap()
    };
    let first = page(None).await;
    let names = |page: &[MailView]| {
        page.iter()
            .map(|m| m.to.as_str()[..1].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["c", "b"]);
    let second = page(Some((first[1].created_at, first[1].id))).await;
    assert_eq!(names(&second), ["a"]);
    let to = MailQuery::newest(9).to(Some(address("b@school.example")));
    assert_eq!(names(&world.auth.list_mails(&to).await.unwrap()), ["b"]);
    assert!(
        world
            .auth
            .list_mails(&MailQuery::newest(0))
            .await
            .unwrap()
            .is_empty()
    );
}
