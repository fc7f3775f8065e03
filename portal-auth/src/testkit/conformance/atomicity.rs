//! A unit of work is applied whole or not at all: for every kind of guard, change, sweep and settlement.

use super::{charge_until_closed, closed_until, conflict, impossible, insert, update, with_account, write};
use crate::account::snapshot::AccountRow;
use crate::account::status::Status;
use crate::challenge::ChallengeRow;
use crate::link::{LinkRow, LinkState, LinkSubject};
use crate::mail::outbox::{MailKind, MailStatus, OutboxRow};
use crate::registration::{RegistrationRow, RegistrationState};
use crate::session::SessionRow;
use crate::store::Store;
use crate::testkit::rows;
use crate::throttle::Settle;
use crate::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};
use std::sync::Arc;
use std::time::Duration;

/// A store with one row of each kind, and two where a sweep keeps the newest.
struct Populated {
    account: AccountRow,
    registration: RegistrationRow,
    links: [LinkRow; 2],
    challenges: [ChallengeRow; 2],
    sessions: [SessionRow; 2],
}

impl Populated {
    async fn new(store: &dyn Store) -> Self {
        let account = with_account(store, 1).await;
        let registration = rows::registration(20, rows::email(20));
        let links = [
            rows::activation_link(&registration),
            rows::reset_link(2, &account),
        ];
        let challenges = [1, 2].map(|n| ChallengeRow {
            created_at: rows::at(n.into()),
            ..rows::challenge(n, &account)
        });
        let sessions = [1, 2].map(|n| SessionRow {
            created_at: rows::at(n.into()),
            ..rows::session(n, &account)
        });
        let mut work = rows::work()
            .change(Change::Registration(insert(&registration)))
            .change(Change::Draft(insert(&rows::draft(1))));
        for n in [1, 2] {
            work = work.change(Change::Device(crate::device::DeviceRow {
                last_used: rows::at(n.into()),
                ..rows::device(n, &account)
            }));
        }
        let dead = OutboxRow {
            status: MailStatus::Dead,
            ..rows::mail(102, MailKind::AccountReady)
        };
        work = work.mail(rows::mail(101, MailKind::AccountReady)).mail(dead);
        for link in &links {
            work = work.change(Change::Link(insert(link)));
        }
        for challenge in &challenges {
            work = work.change(Change::Challenge(insert(challenge)));
        }
        for session in &sessions {
            work = work.change(Change::Session(insert(session)));
        }
        write(store, work).await;
        Self {
            account,
            registration,
            links,
            challenges,
            sessions,
        }
    }

    /// Everything that can be read about these rows and those the cases write, in one text.
    async fn picture(&self, store: &dyn Store) -> String {
        let mut seen = Vec::new();
        for n in [1, 2, 3, 20] {
            let email = rows::email(n);
            seen.push(format!("{:?}", store.by_registrant(&email).await));
            for device in 1..=3 {
                let key = rows::device(device, &self.account).device;
                seen.push(format!("{:?}", store.by_email(&email, Some(key)).await));
            }
            seen.push(format!("{:?}", store.by_id(rows::account_id(n)).await));
            seen.push(format!(
                "{:?}",
                store.activity(rows::account_id(n), &[], 99).await
            ));
            seen.push(format!(
                "{:?}",
                store.by_registration(rows::registration_id(n)).await
            ));
            seen.push(format!("{:?}", store.by_link(rows::link_key(n)).await));
            seen.push(format!("{:?}", store.load(rows::draft(n).key).await));
            let challenge = rows::challenge(n, &self.account).key;
            seen.push(format!("{:?}", store.by_challenge(challenge).await));
            let session = rows::session(n, &self.account).key;
            seen.push(format!("{:?}", store.session(session).await));
        }
        seen.push(format!("{:?}", store.mails(None, None, None, 99).await));
        seen.push(format!("{:?}", store.next_due().await));
        seen.push(format!("{:?}", store.backlog(rows::at(999_999)).await));
        seen.join("\n")
    }

    /// Shows that `part` is seen when it is committed, and that nothing of it is left when a later part conflicts.
    async fn all_or_nothing(&self, store: &dyn Store, what: &str, part: impl Fn(UnitOfWork) -> UnitOfWork) {
        let before = self.picture(store).await;
        conflict(store, part(rows::work()).change(impossible()), what).await;
        assert_eq!(self.picture(store).await, before, "{what} left something behind");
        // An event whose name is taken is found out last of all.
        let taken = rows::event(0x7000);
        conflict(store, part(rows::work()).event(taken), what).await;
        assert_eq!(self.picture(store).await, before, "{what} left something behind");
        write(store, part(rows::work())).await;
        assert_ne!(self.picture(store).await, before, "{what} was not seen at all");
    }
}

/// Whichever change comes before one that conflicts is taken back.
pub async fn a_conflict_leaves_nothing_of_any_change(store: Arc<dyn Store>) {
    let all = Populated::new(&*store).await;
    write(&*store, UnitOfWork::new(rows::event(0x7000))).await;
    let account = &all.account;
    let mut ended = all.registration.clone();
    (ended.state, ended.data) = (RegistrationState::GivenUp, None);
    let used = all.links[1].ended(LinkState::Used, rows::at(1));
    let mut tried = all.challenges[0].clone();
    tried.tries = 1;
    let mut typed = rows::draft(1);
    typed.body = "[1]".to_owned();
    let mut disabled = account.clone();
    disabled.status = Status::Disabled;
    let claim = |email, account| Change::Claim { email, account };
    let changes = vec![
        Change::Account(insert(&rows::account(2))),
        claim(rows::email(2), rows::account_id(2)),
        Change::Unclaim {
            email: rows::email(2),
            account: rows::account_id(2),
        },
        Change::Account(Box::new(Write::Delete(rows::account_id(2)))),
        Change::Registration(insert(&rows::registration(2, rows::email(2)))),
        Change::Registration(update(&ended)),
        Change::Registration(Box::new(Write::Delete(ended.id))),
        Change::Link(insert(&rows::reset_link(3, account))),
        Change::Link(update(&used)),
        Change::Link(Box::new(Write::Delete(used.key))),
        Change::Challenge(insert(&rows::challenge(3, account))),
        Change::Challenge(update(&tried)),
        Change::Challenge(Box::new(Write::Delete(tried.key))),
        Change::Session(insert(&rows::session(3, account))),
        Change::Session(Box::new(Write::Delete(all.sessions[0].key))),
        Change::Device(rows::device(3, account)),
        Change::Draft(insert(&rows::draft(3))),
        Change::Draft(update(&typed)),
        Change::Draft(Box::new(Write::Delete(typed.key))),
        Change::SendAgain {
            mail: rows::mail(102, MailKind::AccountReady).id,
            now: rows::at(7),
            expires_at: rows::at(70),
        },
        Change::DropMail {
            mail: rows::mail(101, MailKind::AccountReady).id,
            why: "dropped".to_owned(),
        },
        Change::Account(update(&disabled)),
    ];
    for change in changes {
        all.all_or_nothing(&*store, change_name(&change), |work| work.change(change.clone()))
            .await;
    }
}

/// Exhaustive, so that a new kind of change is noticed here.
fn change_name(change: &Change) -> &'static str {
    match change {
        Change::Account(_) => "a written account",
        Change::Claim { .. } => "a claimed address",
        Change::Unclaim { .. } => "an address given up",
        Change::Registration(_) => "a written registration",
        Change::Link(_) => "a written link",
        Change::Challenge(_) => "a written challenge",
        Change::Session(_) => "a written session",
        Change::Device(_) => "a written device",
        Change::Draft(_) => "a written draft",
        Change::SendAgain { .. } => "a mail queued again",
        Change::DropMail { .. } => "a mail dropped",
    }
}

/// Whichever sweep stands beside a change that conflicts is not seen.
pub async fn a_conflict_leaves_nothing_of_any_sweep(store: Arc<dyn Store>) {
    let all = Populated::new(&*store).await;
    write(&*store, UnitOfWork::new(rows::event(0x7000))).await;
    let account = all.account.id;
    let now = rows::at(5);
    let sweeps = vec![
        Sweep::VoidLinks {
            subject: LinkSubject::Account(account),
            purpose: None,
            state: LinkState::Void,
            now,
        },
        Sweep::VoidRegistrations {
            email: all.registration.email.clone(),
            except: None,
            state: RegistrationState::Overtaken,
            now,
        },
        Sweep::KeepNewestSessions { account, keep: 1 },
        Sweep::EndSession(all.sessions[1].key),
        Sweep::KeepNewestChallenges { account, keep: 1 },
        Sweep::EndChallenge(all.challenges[1].key),
        Sweep::KeepNewestDevices { account, keep: 1 },
    ];
    for sweep in sweeps {
        all.all_or_nothing(&*store, sweep_name(&sweep), |work| work.sweep(sweep.clone()))
            .await;
    }
    let again = rows::work()
        .change(Change::Session(insert(&all.sessions[0])))
        .change(Change::Challenge(insert(&all.challenges[0])));
    write(&*store, again).await;
    let everything = [
        Sweep::EndSessions {
            account,
            except: None,
        },
        Sweep::EndChallenges(account),
        Sweep::Erase {
            account,
            email: all.account.email.clone(),
        },
    ];
    for sweep in everything {
        all.all_or_nothing(&*store, sweep_name(&sweep), |work| work.sweep(sweep.clone()))
            .await;
    }
}

/// Exhaustive, so that a new kind of sweep is noticed here.
fn sweep_name(sweep: &Sweep) -> &'static str {
    match sweep {
        Sweep::VoidLinks { .. } => "voiding links",
        Sweep::VoidRegistrations { .. } => "voiding registrations",
        Sweep::EndSession(_) => "ending a session",
        Sweep::EndSessions { .. } => "ending sessions",
        Sweep::KeepNewestSessions { .. } => "keeping the newest sessions",
        Sweep::EndChallenge(_) => "ending a challenge",
        Sweep::EndChallenges(_) => "ending challenges",
        Sweep::KeepNewestChallenges { .. } => "keeping the newest challenges",
        Sweep::KeepNewestDevices { .. } => "keeping the devices used last",
        Sweep::Erase { .. } => "erasing an account's rows",
    }
}

/// Whichever settlement stands beside a change that conflicts is not seen: else a try goes unpaid (THR-2).
pub async fn a_conflict_leaves_nothing_of_any_settlement(store: Arc<dyn Store>) {
    let store = &*store;
    let now = rows::T0;
    let mut receipts = Vec::new();
    for n in 1..=3 {
        receipts.push(
            charge_until_closed(store, n, now)
                .await
                .pop()
                .expect("ten charges pass"),
        );
    }
    let settles = [
        (1, Settle::TakeBack(receipts[0])),
        (2, Settle::Clear(rows::bucket(2))),
        (
            3,
            Settle::Lower {
                bucket: rows::bucket(3),
                failures: 1,
                open_at: now,
                now,
            },
        ),
        (
            4,
            Settle::CountNetwork {
                bucket: rows::bucket(4),
                now,
                limit: 1,
                window: Duration::from_secs(60),
            },
        ),
    ];
    for (bucket, settle) in settles {
        let what = settle_name(&settle);
        let before = closed_until(store, bucket, now).await;
        conflict(store, rows::work().settle(settle).change(impossible()), what).await;
        assert_eq!(
            closed_until(store, bucket, now).await,
            before,
            "{what} was left behind"
        );
        write(store, rows::work().settle(settle)).await;
        assert_ne!(
            closed_until(store, bucket, now).await,
            before,
            "{what} was not seen at all"
        );
    }
}

/// Exhaustive, so that a new kind of settlement is noticed here.
fn settle_name(settle: &Settle) -> &'static str {
    match settle {
        Settle::TakeBack(_) => "taking back a charge",
        Settle::Clear(_) => "clearing a bucket",
        Settle::Lower { .. } => "lowering a bucket",
        Settle::CountNetwork { .. } => "counting on a network",
    }
}

/// A mail or an event beside a change that conflicts is not written: else people are told of what never happened.
pub async fn a_conflict_leaves_no_mail_and_no_event(store: Arc<dyn Store>) {
    let all = Populated::new(&*store).await;
    write(&*store, UnitOfWork::new(rows::event(0x7000))).await;
    all.all_or_nothing(&*store, "a queued mail", |work| {
        work.mail(rows::mail(1, MailKind::SignInCode))
    })
    .await;
    let mut event = rows::event(1);
    event.account = Some(all.account.id);
    all.all_or_nothing(&*store, "a further event", |work| work.event(event.clone()))
        .await;
    let closing = Settle::CountNetwork {
        bucket: rows::bucket(9),
        now: rows::T0,
        limit: 1,
        window: Duration::from_secs(60),
    };
    event.id = rows::event(2).id;
    all.all_or_nothing(&*store, "the event of a closing", |work| {
        work.settle(closing)
            .event_where_closed(rows::bucket(9), event.clone())
    })
    .await;
    let lost = rows::work();
    let id = lost.id();
    conflict(&*store, lost.change(impossible()), "the first event").await;
    assert!(!store.was_committed(id).await.expect("answered"));
}

/// A unit of work that is sent twice happens once: the names of its mails and events are taken the second time.
pub async fn a_taken_name_of_a_mail_or_event_stops_everything(store: Arc<dyn Store>) {
    let first = rows::work().mail(rows::mail(1, MailKind::SignInCode));
    write(&*store, first.clone()).await;
    let twice = first.change(Change::Draft(insert(&rows::draft(1))));
    conflict(&*store, twice, "the same event").await;
    let same_mail = rows::work()
        .change(Change::Draft(insert(&rows::draft(1))))
        .mail(rows::mail(1, MailKind::AccountReady));
    let id = same_mail.id();
    conflict(&*store, same_mail, "the same mail").await;
    assert_eq!(store.load(rows::draft(1).key).await.expect("answered"), None);
    assert!(!store.was_committed(id).await.expect("answered"));
}

/// Nothing of a unit of work is written where a guard does not hold.
pub async fn a_guard_that_does_not_hold_stops_everything(store: Arc<dyn Store>) {
    let all = Populated::new(&*store).await;
    let before = all.picture(&*store).await;
    let guards = [
        Guard::InEpoch {
            account: all.account.id,
            epoch: rows::epoch(77),
        },
        Guard::InEpoch {
            account: rows::account_id(77),
            epoch: rows::epoch(77),
        },
        Guard::Unclaimed(all.account.email.clone()),
    ];
    for guard in guards {
        let what = format!("{guard:?}");
        let work = rows::work()
            .change(Change::Draft(insert(&rows::draft(3))))
            .change(Change::Session(insert(&rows::session(3, &all.account))))
            .sweep(Sweep::EndSession(all.sessions[0].key))
            .settle(Settle::CountNetwork {
                bucket: rows::bucket(9),
                now: rows::T0,
                limit: 1,
                window: Duration::from_secs(60),
            })
            .mail(rows::mail(1, MailKind::SignInCode))
            .guard(guard);
        conflict(&*store, work, &what).await;
        assert_eq!(all.picture(&*store).await, before, "{what}");
        assert_eq!(closed_until(&*store, 9, rows::T0).await, None, "{what}");
    }
}

/// A session that was decided in another epoch, or for an account that is switched off, is never written (SES-5,
/// I-07).
pub async fn a_guard_refuses_another_epoch_and_an_account_that_is_not_active(store: Arc<dyn Store>) {
    let mut account = with_account(&*store, 1).await;
    let sign_in = |n, account: &AccountRow| {
        rows::work()
            .guard(Guard::InEpoch {
                account: account.id,
                epoch: account.auth_epoch,
            })
            .change(Change::Session(insert(&rows::session(n, account))))
    };
    write(&*store, sign_in(1, &account)).await;
    let before = account.clone();
    account.auth_epoch = rows::epoch(2);
    write(&*store, rows::work().change(Change::Account(update(&account)))).await;
    conflict(&*store, sign_in(2, &before), "the epoch moved").await;
    write(&*store, sign_in(3, &account)).await;
    for (version, status) in [(2, Status::Disabled), (3, Status::Closed)] {
        (account.version, account.status) = (version, status);
        write(&*store, rows::work().change(Change::Account(update(&account)))).await;
        conflict(&*store, sign_in(4, &account), "the account is not active").await;
    }
    // The guards look at what stood before: enabling in the same commit does not help.
    (account.version, account.status) = (4, Status::Active);
    let enabling = sign_in(4, &account).change(Change::Account(update(&account)));
    conflict(&*store, enabling, "the account was not active before").await;
    assert_eq!(store.sessions_of(account.id).await.expect("answered").len(), 1);
}

/// An answer that was lost is found again by the first event (I-16).
pub async fn a_commit_is_known_by_its_first_event(store: Arc<dyn Store>) {
    let work = rows::work().event(rows::event(1));
    let id = work.id();
    assert!(!store.was_committed(id).await.expect("answered"));
    write(&*store, work).await;
    assert!(store.was_committed(id).await.expect("answered"));
    assert!(!store.was_committed(rows::event(2).id).await.expect("answered"));
}
