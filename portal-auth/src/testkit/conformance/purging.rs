//! Purging: what is over goes, in batches, and nothing else does.

use std::sync::Arc;
use std::time::Duration;

use super::dues::{claim, queue};
use super::{charge, insert, with_account, write};
use crate::environment::Timestamp;
use crate::link::{LinkRow, LinkState};
use crate::mail::outbox::{MailKind, MailOutcome};
use crate::mail::quota::{QuotaLimits, QuotaLine, Spent};
use crate::registration::RegistrationRow;
use crate::registration::draft::DraftRow;
use crate::session::SessionRow;
use crate::store::{PurgePlan, Store, StoreError};
use crate::testkit::rows::{self, MICRO};
use crate::throttle::{Charged, Settle};
use crate::unit_of_work::{Change, Write};

/// A plan that takes nothing; each case moves what it is about.
const NOTHING: PurgePlan = PurgePlan {
    ended_before: Timestamp::MIN,
    sessions_before: Timestamp::MIN,
    links_before: Timestamp::MIN,
    seeds_before: Timestamp::MIN,
    mails_before: Timestamp::MIN,
    buckets_before: Timestamp::MIN,
    bucket_cap: u32::MAX,
    devices_before: Timestamp::MIN,
    batch: 1000,
};

async fn purge(store: &dyn Store, plan: PurgePlan) -> u64 {
    store.purge(&plan).await.expect("a purge must be answered")
}

/// Which of the rows made by [`populate`] are there.
async fn present(store: &dyn Store) -> Vec<&'static str> {
    let account = rows::account(1);
    let mut there = Vec::new();
    let mut note = |what, found| {
        if found {
            there.push(what);
        }
    };
    let draft = store.load(rows::draft(1).key).await.expect("answered");
    note("draft", draft.is_some());
    let session = store.session(rows::session(1, &account).key).await;
    note("session", session.expect("answered").is_some());
    let challenge = store.by_challenge(rows::challenge(1, &account).key).await;
    note("challenge", challenge.expect("answered").is_some());
    let registration = store.by_registration(rows::registration_id(1)).await;
    note("registration", registration.expect("answered").is_some());
    for (n, what) in [(1, "expired link"), (2, "ended link")] {
        let link = store.by_link(rows::link_key(n)).await.expect("answered");
        note(what, link.is_some());
    }
    let device = rows::device(1, &account).device;
    let view = store.by_email(&account.email, Some(device)).await;
    note("device", view.expect("answered").device.is_some());
    there
}

/// One row of each kind, all of which are over at `end`.
async fn populate(store: &dyn Store, end: Timestamp) {
    let account = with_account(store, 1).await;
    let registration = RegistrationRow {
        kept_until: end,
        ..rows::registration(1, rows::email(1))
    };
    let expired = LinkRow {
        expires_at: end,
        ..rows::activation_link(&registration)
    };
    let ended = LinkRow {
        expires_at: Timestamp::MAX,
        ..rows::reset_link(2, &account).ended(LinkState::Used, end)
    };
    let mut challenge = rows::challenge(1, &account);
    challenge.expires_at = end;
    let mut device = rows::device(1, &account);
    device.last_used = end;
    let work = rows::work()
        .change(Change::Draft(insert(&DraftRow {
            expires_at: end,
            ..rows::draft(1)
        })))
        .change(Change::Session(insert(&SessionRow {
            expires_at: end,
            ..rows::session(1, &account)
        })))
        .change(Change::Challenge(insert(&challenge)))
        .change(Change::Registration(insert(&registration)))
        .change(Change::Link(insert(&expired)))
        .change(Change::Link(insert(&ended)))
        .change(Change::Device(device));
    write(store, work).await;
}

const EVERYTHING: [&str; 7] = [
    "draft",
    "session",
    "challenge",
    "registration",
    "expired link",
    "ended link",
    "device",
];

/// Each moment of the plan takes its own kinds of rows.
pub async fn purging_takes_what_is_over_and_leaves_what_lives(store: Arc<dyn Store>) {
    let store = &*store;
    populate(store, rows::at(10)).await;
    assert_eq!(purge(store, NOTHING).await, 0);
    assert_eq!(present(store).await, EVERYTHING);
    let ended = PurgePlan {
        ended_before: rows::at(11),
        ..NOTHING
    };
    assert_eq!(purge(store, ended).await, 3);
    assert_eq!(
        present(store).await,
        ["session", "expired link", "ended link", "device"]
    );
    let sessions = PurgePlan {
        sessions_before: rows::at(11),
        ..NOTHING
    };
    assert_eq!(purge(store, sessions).await, 1);
    assert_eq!(present(store).await, ["expired link", "ended link", "device"]);
    let links = PurgePlan {
        links_before: rows::at(11),
        ..NOTHING
    };
    assert_eq!(purge(store, links).await, 2);
    assert_eq!(present(store).await, ["device"]);
    let devices = PurgePlan {
        devices_before: rows::at(11),
        ..NOTHING
    };
    assert_eq!(purge(store, devices).await, 1);
    assert_eq!(present(store).await, [""; 0]);
    assert_eq!(purge(store, devices).await, 0);
}

/// A row at the very moment stays; a microsecond later it goes.
pub async fn purging_is_exact_to_the_microsecond(store: Arc<dyn Store>) {
    let store = &*store;
    let end = rows::at(10);
    populate(store, end).await;
    let all = |before| PurgePlan {
        ended_before: before,
        sessions_before: before,
        links_before: before,
        devices_before: before,
        ..NOTHING
    };
    assert_eq!(purge(store, all(end)).await, 0);
    assert_eq!(present(store).await, EVERYTHING);
    assert_eq!(purge(store, all(end.plus(MICRO))).await, 7);
    assert_eq!(present(store).await, [""; 0]);
}

/// A purge never holds the database up for long: it takes a batch of each kind and is called again.
pub async fn a_purge_takes_at_most_a_batch(store: Arc<dyn Store>) {
    let store = &*store;
    let account = with_account(store, 1).await;
    let mut work = rows::work();
    for n in 1..=5 {
        work = work
            .change(Change::Draft(insert(&rows::draft(n))))
            .change(Change::Session(insert(&rows::session(n, &account))));
    }
    write(store, work).await;
    let plan = PurgePlan {
        ended_before: Timestamp::MAX,
        sessions_before: Timestamp::MAX,
        batch: 2,
        ..NOTHING
    };
    for gone in [4, 4, 2, 0] {
        assert_eq!(purge(store, plan).await, gone);
    }
}

/// A link that has expired keeps its row, for its page, and not the random part that it was made from (TOK-2).
pub async fn purging_wipes_the_seeds_of_links_that_have_expired(store: Arc<dyn Store>) {
    let store = &*store;
    let end = rows::at(10);
    populate(store, end).await;
    let plan = |seeds_before| PurgePlan {
        seeds_before,
        ..NOTHING
    };
    let link = async || {
        let view = store.by_link(rows::link_key(1)).await.expect("answered");
        view.expect("the link is there").link
    };
    let before = link().await;
    assert_eq!(purge(store, plan(end)).await, 0);
    assert_eq!(link().await, before);
    assert_eq!(purge(store, plan(end.plus(MICRO))).await, 1);
    let wiped = link().await;
    assert_eq!((wiped.seed, wiped.version), (None, before.version + 1));
    let same = LinkRow {
        seed: before.seed,
        version: before.version,
        ..wiped
    };
    assert_eq!(same, before, "nothing else has changed");
    // Whoever has read it before writes no seed back.
    let late = LinkRow {
        expires_at: end.plus(MICRO),
        ..before
    };
    let work = rows::work().change(Change::Link(Box::new(Write::Update(late))));
    assert!(matches!(store.commit(work).await, Err(StoreError::Conflict)));
    assert_eq!(purge(store, plan(Timestamp::MAX)).await, 0);
    assert_eq!(present(store).await, EVERYTHING);
}

/// Mails that wait are never purged, whatever their age; dead ones stay longer than sent ones.
pub async fn purging_takes_sent_and_dead_mails_and_no_others(store: Arc<dyn Store>) {
    let store = &*store;
    let kind = MailKind::SignInCode;
    let at = rows::at;
    queue(
        store,
        &[
            (1, kind, at(0)),
            (2, kind, at(1)),
            (3, kind, at(2)),
            (4, kind, at(3)),
        ],
    )
    .await;
    assert_eq!(claim(store, at(9), 3).await.len(), 3);
    let dead = MailOutcome::Dead {
        error: "550".to_owned(),
    };
    let id = |n| rows::mail(n, kind).id;
    assert!(
        store
            .settle(id(1), 1, &MailOutcome::Sent, None)
            .await
            .expect("answered")
    );
    assert!(store.settle(id(2), 1, &dead, None).await.expect("answered"));
    let plan = |mails_before, links_before| PurgePlan {
        mails_before,
        links_before,
        ..NOTHING
    };
    let made = rows::T0;
    assert_eq!(purge(store, plan(made, made)).await, 0);
    assert_eq!(
        purge(store, plan(made.plus(MICRO), made)).await,
        1,
        "the sent one"
    );
    assert_eq!(store.backlog(at(9)).await.expect("answered").dead, 1);
    assert_eq!(purge(store, plan(made.plus(MICRO), made.plus(MICRO))).await, 1);
    assert_eq!(store.backlog(at(9)).await.expect("answered").dead, 0);
    assert_eq!(purge(store, plan(Timestamp::MAX, Timestamp::MAX)).await, 0);
    assert_eq!(claim(store, at(999), 9).await.len(), 2, "one leased, one ready");
}

/// A budget is forgotten by time only: never while its own wait or quiet time runs (THR-8).
pub async fn purging_forgets_old_buckets_and_quotas_only(store: Arc<dyn Store>) {
    let store = &*store;
    let (old, new) = (rows::T0, rows::at(100));
    let line = |n| {
        [QuotaLine {
            key: rows::bucket(100 + n),
            limits: QuotaLimits::Window(1, Duration::from_secs(9999)),
        }]
    };
    for (n, now) in [(1, old), (2, new)] {
        charge(store, n, now).await;
        store.spend(&line(n), now).await.expect("answered");
    }
    let plan = |buckets_before| PurgePlan {
        buckets_before,
        ..NOTHING
    };
    assert_eq!(purge(store, plan(old)).await, 0);
    assert_eq!(purge(store, plan(new)).await, 2);
    for (n, failures, granted) in [(1, 1, true), (2, 2, false)] {
        let charged = charge(store, n, new).await;
        assert!(
            matches!(charged, Charged::Paid(r) if r.failures == failures),
            "bucket {n}: {charged:?}"
        );
        let spent = store.spend(&line(n), new).await.expect("answered");
        assert_eq!(
            matches!(spent, Spent::Granted { .. }),
            granted,
            "line {n}: {spent:?}"
        );
    }
}

/// A bucket that is closed for good is opened by a reset, an administrator or a familiar device, never by its age
/// (THR-3, THR-8); a network's count, which has no cap, goes by age alone.
pub async fn purging_opens_no_bucket_that_is_closed_for_good(store: Arc<dyn Store>) {
    let store = &*store;
    for _ in 0..3 {
        charge(store, 1, rows::T0).await;
    }
    charge(store, 2, rows::T0).await;
    let (bucket, now, window) = (rows::bucket(3), rows::T0, Duration::from_secs(3600));
    let count = |limit| Settle::CountNetwork {
        bucket,
        now,
        limit,
        window,
    };
    write(
        store,
        rows::work().settle(count(9)).settle(count(9)).settle(count(9)),
    )
    .await;
    let plan = PurgePlan {
        buckets_before: Timestamp::MAX,
        bucket_cap: 3,
        ..NOTHING
    };
    assert_eq!(purge(store, plan).await, 2, "the open one and the network");
    let charged = charge(store, 1, rows::T0).await;
    assert!(
        matches!(charged, Charged::Paid(r) if r.failures == 4),
        "{charged:?}"
    );
    let reset = rows::work().settle(Settle::Clear(rows::bucket(1)));
    write(store, reset).await;
    assert_eq!(purge(store, plan).await, 1, "once it is open it goes");
}

/// Accounts are erased by their owner's act, events by the operator's: time alone takes neither.
pub async fn purging_touches_no_account_and_no_event(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    let mut event = rows::event(1);
    event.account = Some(account.id);
    write(&*store, rows::work().event(event)).await;
    let everything = PurgePlan {
        ended_before: Timestamp::MAX,
        sessions_before: Timestamp::MAX,
        seeds_before: Timestamp::MAX,
        links_before: Timestamp::MAX,
        mails_before: Timestamp::MAX,
        buckets_before: Timestamp::MAX,
        bucket_cap: u32::MAX,
        devices_before: Timestamp::MAX,
        batch: 1000,
    };
    assert_eq!(purge(&*store, everything).await, 0);
    let view = store.by_email(&account.email, None).await.expect("answered");
    assert_eq!(view.account, Some(account.clone()));
    assert_eq!(
        store.activity(account.id, &[], 9).await.expect("answered").len(),
        1
    );
}

/// A fresh store is healthy and of this release's schema.
pub async fn the_store_says_how_it_is(store: Arc<dyn Store>) {
    let health = store.health().await.expect("a fresh store is healthy");
    assert!(health.schema_current);
}
