//! When a mail is due, and which goes first.

use std::sync::Arc;
use std::time::Duration;

use super::write;
use crate::environment::Timestamp;
use crate::mail::outbox::{Backlog, Claim, MailId, MailKind, MailOutcome, MailStatus, OutboxRow};
use crate::store::Store;
use crate::testkit::rows::{self, MICRO};

const LEASE: Duration = Duration::from_secs(60);

/// Claims up to `most` mails at `now` for a minute.
pub(super) async fn claim(store: &dyn Store, now: Timestamp, most: u32) -> Vec<OutboxRow> {
    let claim = Claim {
        now,
        lease: LEASE,
        most,
    };
    store.claim(claim).await.expect("a claim must be answered")
}

/// Queues mails that are due at the given moments.
pub(super) async fn queue(store: &dyn Store, mails: &[(u32, MailKind, Timestamp)]) {
    let mut work = rows::work();
    for (n, kind, next_at) in mails {
        work = work.mail(OutboxRow {
            next_at: *next_at,
            ..rows::mail(*n, *kind)
        });
    }
    write(store, work).await;
}

fn id(n: u32) -> MailId {
    rows::mail(n, MailKind::SignInCode).id
}

fn ids(mails: &[OutboxRow]) -> Vec<MailId> {
    mails.iter().map(|m| m.id).collect()
}

/// A code that somebody waits for overtakes a thousand notices (code, link, notice).
pub async fn the_most_urgent_mail_goes_first_then_the_longest_due(store: Arc<dyn Store>) {
    let at = rows::at;
    queue(
        &*store,
        &[
            (1, MailKind::AccountReady, at(1)),
            (2, MailKind::CompleteRegistration, at(8)),
            (3, MailKind::SignInCode, at(9)),
            (4, MailKind::AlreadyRegistered, at(2)),
            (5, MailKind::TooManyTries, at(0)),
            (6, MailKind::SignInCode, at(7)),
            (7, MailKind::SignInCode, at(11)),
        ],
    )
    .await;
    assert_eq!(ids(&claim(&*store, at(10), 3).await), [6, 3, 4].map(id));
    assert_eq!(ids(&claim(&*store, at(10), 1).await), [2].map(id));
    assert_eq!(ids(&claim(&*store, at(10), 0).await), []);
    assert_eq!(ids(&claim(&*store, at(11), 9).await), [7, 5, 1].map(id));
    assert_eq!(ids(&claim(&*store, at(12), 9).await), []);
}

/// `next_at <= now`, exact at the boundary.
pub async fn a_mail_is_due_at_its_microsecond_and_not_before(store: Arc<dyn Store>) {
    let due = rows::at(30);
    queue(&*store, &[(1, MailKind::SignInCode, due)]).await;
    assert_eq!(claim(&*store, due.minus(MICRO), 9).await, []);
    assert_eq!(store.backlog(due.minus(MICRO)).await.expect("answered").due, 0);
    assert_eq!(store.backlog(due).await.expect("answered").due, 1);
    let claimed = claim(&*store, due, 9).await;
    let expected = OutboxRow {
        next_at: due,
        status: MailStatus::Leased,
        lease_no: 1,
        lease_until: due.plus(LEASE),
        ..rows::mail(1, MailKind::SignInCode)
    };
    assert_eq!(claimed, [expected]);
}

/// The dispatcher ends it as dead; a store that hides it leaves it waiting for ever, unseen.
pub async fn a_mail_past_its_end_is_still_claimed(store: Arc<dyn Store>) {
    let mail = OutboxRow {
        expires_at: rows::at(10),
        ..rows::mail(1, MailKind::SignInCode)
    };
    write(&*store, rows::work().mail(mail)).await;
    assert_eq!(ids(&claim(&*store, rows::at(10), 9).await), [id(1)]);
}

/// A dispatcher sleeps until the moment it is told: too late a moment delays mail, none at all stops it.
pub async fn the_next_due_moment_counts_what_waits_and_what_is_leased(store: Arc<dyn Store>) {
    assert_eq!(store.next_due().await.expect("answered"), None);
    let at = rows::at;
    queue(
        &*store,
        &[
            (1, MailKind::SignInCode, at(0)),
            (2, MailKind::AccountReady, at(50)),
        ],
    )
    .await;
    assert_eq!(store.next_due().await.expect("answered"), Some(at(0)));
    claim(&*store, at(0), 1).await;
    assert_eq!(store.next_due().await.expect("answered"), Some(at(50)));
    claim(&*store, at(55), 1).await;
    assert_eq!(store.next_due().await.expect("answered"), Some(at(60)));
    for (n, outcome) in [
        (1, MailOutcome::Sent),
        (
            2,
            MailOutcome::Dead {
                error: "refused".to_owned(),
            },
        ),
    ] {
        assert!(store.settle(id(n), 1, &outcome, None).await.expect("answered"));
    }
    assert_eq!(store.next_due().await.expect("answered"), None);
}

/// What an operator sees: how much is late, since when, and what will never go.
pub async fn the_backlog_counts_what_is_due_and_what_is_dead(store: Arc<dyn Store>) {
    let at = rows::at;
    assert_eq!(store.backlog(at(0)).await.expect("answered"), Backlog::default());
    let kind = MailKind::AccountReady;
    queue(
        &*store,
        &[
            (1, kind, at(1)),
            (2, kind, at(2)),
            (3, kind, at(3)),
            (4, kind, at(99)),
        ],
    )
    .await;
    let backlog = |due, oldest_due, dead| Backlog {
        due,
        oldest_due,
        dead,
    };
    assert_eq!(
        store.backlog(at(10)).await.expect("answered"),
        backlog(3, Some(at(1)), 0)
    );
    claim(&*store, at(10), 1).await;
    assert_eq!(
        store.backlog(at(10)).await.expect("answered"),
        backlog(2, Some(at(2)), 0),
        "one is being sent"
    );
    assert_eq!(
        store.backlog(at(70)).await.expect("answered"),
        backlog(3, Some(at(1)), 0),
        "its lease is over"
    );
    let dead = MailOutcome::Dead {
        error: "refused".to_owned(),
    };
    assert!(store.settle(id(1), 1, &dead, None).await.expect("answered"));
    assert_eq!(
        store.backlog(at(70)).await.expect("answered"),
        backlog(2, Some(at(2)), 1)
    );
}
