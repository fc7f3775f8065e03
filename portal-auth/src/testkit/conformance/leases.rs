//! Leases: a mail is sent by one dispatcher at a time, and a slow one cannot undo what a faster one wrote.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::dues::{claim, queue};
use super::race;
use crate::audit::AuditRow;
use crate::environment::Timestamp;
use crate::mail::outbox::{MailKind, MailOutcome, MailStatus};
use crate::store::Store;
use crate::testkit::rows::{self, MICRO};

const KIND: MailKind = MailKind::SignInCode;

async fn settle(store: &dyn Store, n: u32, lease_no: i64, outcome: &MailOutcome) -> bool {
    let id = rows::mail(n, KIND).id;
    let settled = store.settle(id, lease_no, outcome, None).await;
    settled.expect("a settlement must be answered")
}

fn again(at: Timestamp, counts: bool) -> MailOutcome {
    MailOutcome::Again {
        at,
        counts,
        error: "451 später".to_owned(),
    }
}

/// However many dispatchers claim at once, each mail goes to one of them.
pub async fn two_dispatchers_never_hold_the_same_mail(store: Arc<dyn Store>) {
    let mails: Vec<_> = (1..=60).map(|n| (n, KIND, rows::T0)).collect();
    queue(&*store, &mails).await;
    let claims = race(12, |_| {
        let store = Arc::clone(&store);
        async move {
            let mut mine = Vec::new();
            loop {
                let claimed = claim(&*store, rows::T0, 4).await;
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed);
            }
        }
    })
    .await;
    let claimed: Vec<_> = claims.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = claimed.iter().map(|m| (m.id, m.lease_no)).collect();
    assert_eq!((claimed.len(), distinct.len()), (60, 60));
    assert!(claimed.iter().all(|m| m.lease_no == 1));
}

/// A mail whose dispatcher died is claimed again under a higher number, when the lease is over and not before.
pub async fn a_lease_is_over_at_its_microsecond_and_not_before(store: Arc<dyn Store>) {
    queue(&*store, &[(1, KIND, rows::T0)]).await;
    let first = claim(&*store, rows::T0, 1).await.pop().expect("it is due");
    assert_eq!(first.lease_until, rows::at(60));
    assert_eq!(claim(&*store, rows::at(60).minus(MICRO), 1).await, []);
    let second = claim(&*store, rows::at(60), 1)
        .await
        .pop()
        .expect("the lease is over");
    assert_eq!((second.id, second.lease_no), (first.id, 2));
    assert_eq!((second.status, second.attempts), (MailStatus::Leased, 0));
    assert_eq!(second.lease_until, rows::at(120));
}

/// The fencing number: who was too slow writes nothing.
pub async fn a_slow_dispatcher_cannot_settle_what_another_claimed(store: Arc<dyn Store>) {
    queue(&*store, &[(1, KIND, rows::T0)]).await;
    claim(&*store, rows::T0, 1).await;
    claim(&*store, rows::at(60), 1).await;
    let dead = MailOutcome::Dead {
        error: "550".to_owned(),
    };
    assert!(!settle(&*store, 1, 1, &dead).await);
    assert!(!settle(&*store, 1, 3, &dead).await);
    assert_eq!(store.backlog(rows::at(61)).await.expect("answered").dead, 0);
    assert!(settle(&*store, 1, 2, &MailOutcome::Sent).await);
    assert!(claim(&*store, rows::at(9999), 9).await.is_empty());
}

/// The second settlement of one claim is refused, and so is that of a mail nobody claimed.
pub async fn a_mail_is_settled_once(store: Arc<dyn Store>) {
    queue(&*store, &[(1, KIND, rows::T0)]).await;
    assert!(!settle(&*store, 1, 0, &MailOutcome::Sent).await);
    assert!(!settle(&*store, 2, 1, &MailOutcome::Sent).await);
    claim(&*store, rows::T0, 1).await;
    assert!(settle(&*store, 1, 1, &again(rows::at(5), true)).await);
    assert!(!settle(&*store, 1, 1, &MailOutcome::Sent).await);
    assert_eq!(claim(&*store, rows::at(5), 1).await.len(), 1);
}

/// The mail has left: refusing to write that down would send it twice.
pub async fn a_late_settlement_counts_while_nobody_else_has_claimed(store: Arc<dyn Store>) {
    queue(&*store, &[(1, KIND, rows::T0)]).await;
    claim(&*store, rows::T0, 1).await;
    assert!(settle(&*store, 1, 1, &MailOutcome::Sent).await);
    assert!(claim(&*store, rows::at(3600), 1).await.is_empty());
}

/// A relay that is down does not use up a mail's attempts.
pub async fn an_attempt_counts_only_where_it_is_told_to(store: Arc<dyn Store>) {
    queue(&*store, &[(1, KIND, rows::T0)]).await;
    let mut now = rows::T0;
    for (lease_no, counts, before) in [(1, true, 0), (2, false, 1), (3, true, 1), (4, true, 2)] {
        let claimed = claim(&*store, now, 1).await.pop().expect("it is due");
        assert_eq!((claimed.lease_no, claimed.attempts), (lease_no, before));
        let said = if lease_no == 1 { "" } else { "451 später" };
        assert_eq!(claimed.last_error, said);
        let next = now.plus(Duration::from_secs(15));
        assert!(settle(&*store, 1, lease_no, &again(next, counts)).await);
        assert_eq!(store.next_due().await.expect("answered"), Some(next));
        assert_eq!(claim(&*store, next.minus(MICRO), 1).await, []);
        now = next;
    }
}

/// Sent is sent, dead is dead.
pub async fn a_sent_or_dead_mail_is_never_claimed_again(store: Arc<dyn Store>) {
    queue(&*store, &[(1, KIND, rows::T0), (2, KIND, rows::T0)]).await;
    assert_eq!(claim(&*store, rows::T0, 9).await.len(), 2);
    let dead = MailOutcome::Dead {
        error: "550 unbekannt".to_owned(),
    };
    assert!(settle(&*store, 1, 1, &MailOutcome::Sent).await);
    assert!(settle(&*store, 2, 1, &dead).await);
    assert!(claim(&*store, rows::at(99_999), 9).await.is_empty());
    assert_eq!(store.backlog(rows::at(99_999)).await.expect("answered").dead, 1);
}

/// An end that the audit does not know cannot be, nor an event of an end that did not come.
pub async fn a_settlement_and_its_event_are_written_together_or_not_at_all(store: Arc<dyn Store>) {
    let store = &*store;
    queue(store, &[(1, KIND, rows::T0), (2, KIND, rows::T0)]).await;
    claim(store, rows::T0, 9).await;
    let dead = MailOutcome::Dead {
        error: "550".to_owned(),
    };
    let (first, second) = (rows::event(1), rows::event(2));
    let settle = |n, lease_no, event| store.settle(rows::mail(n, KIND).id, lease_no, &dead, Some(event));
    let written = async |event: &AuditRow| store.was_committed(event.id).await.expect("answered");

    assert!(!settle(1, 2, &first).await.expect("answered"), "another's lease");
    assert!(!written(&first).await);
    assert!(settle(1, 1, &first).await.expect("answered"));
    assert!(written(&first).await);
    assert!(!settle(1, 1, &second).await.expect("answered"), "settled already");
    assert!(!written(&second).await);

    assert!(settle(2, 1, &first).await.is_err(), "the event's name is taken");
    assert_eq!(store.backlog(rows::T0).await.expect("answered").dead, 1);
    assert!(settle(2, 1, &second).await.expect("still leased"));
    assert!(written(&second).await);
}
