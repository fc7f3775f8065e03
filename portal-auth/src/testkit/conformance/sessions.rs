//! Sessions, as every request reads them.

use std::sync::Arc;

use super::{insert, update, with_account, write};
use crate::account::status::{Status, TwoStep};
use crate::environment::Timestamp;
use crate::session::{SessionKey, SessionRow};
use crate::store::Store;
use crate::testkit::rows::{self, MICRO};
use crate::unit_of_work::{Change, Write};

async fn last_seen(store: &dyn Store, key: SessionKey) -> Option<Timestamp> {
    let view = store.session(key).await.expect("answered");
    view.map(|v| v.session.last_seen)
}

/// Two processes write stamps in any order: the older one never shortens a session's life (SES-3).
pub async fn a_stamp_only_rises(store: Arc<dyn Store>) {
    let store = &*store;
    let account = with_account(store, 1).await;
    let (one, two) = (rows::session(1, &account), rows::session(2, &account));
    let work = rows::work()
        .change(Change::Session(insert(&one)))
        .change(Change::Session(insert(&two)));
    write(store, work).await;
    let later = rows::at(60);
    for (stamp, expected) in [
        (rows::T0.minus(MICRO), rows::T0),
        (later, later),
        (later.minus(MICRO), later),
        (Timestamp::MIN, later),
        (later.plus(MICRO), later.plus(MICRO)),
    ] {
        store.touch_many(&[(one.key, stamp)]).await.expect("answered");
        assert_eq!(last_seen(store, one.key).await, Some(expected));
    }
    let both = [
        (one.key, rows::at(90)),
        (two.key, rows::at(91)),
        (one.key, rows::at(80)),
    ];
    store.touch_many(&both).await.expect("answered");
    assert_eq!(last_seen(store, one.key).await, Some(rows::at(90)));
    assert_eq!(last_seen(store, two.key).await, Some(rows::at(91)));
    let view = store.session(two.key).await.expect("answered").expect("there");
    let expected = SessionRow {
        last_seen: rows::at(91),
        ..two
    };
    assert_eq!(view.session, expected, "a stamp changes nothing else");
}

/// A session that was ended meanwhile does not come back, and does not keep the others from being stamped.
pub async fn a_stamp_for_a_session_that_is_gone_is_skipped(store: Arc<dyn Store>) {
    let store = &*store;
    let account = with_account(store, 1).await;
    let (gone, kept) = (rows::session(1, &account), rows::session(2, &account));
    write(store, rows::work().change(Change::Session(insert(&kept)))).await;
    let stamps = [(gone.key, rows::at(60)), (kept.key, rows::at(60))];
    store.touch_many(&stamps).await.expect("answered");
    store.touch_many(&[]).await.expect("answered");
    assert_eq!(last_seen(store, gone.key).await, None);
    assert_eq!(last_seen(store, kept.key).await, Some(rows::at(60)));
}

/// A password change or a switched-off account ends every session at the next request (SES-5, SES-9).
pub async fn a_session_shows_its_accounts_present_epoch_and_status(store: Arc<dyn Store>) {
    let store = &*store;
    let mut account = with_account(store, 1).await;
    let session = rows::session(1, &account);
    write(store, rows::work().change(Change::Session(insert(&session)))).await;
    for (epoch, status, two_step) in [
        (1, Status::Active, TwoStep::Email),
        (2, Status::Active, TwoStep::Off),
        (3, Status::Disabled, TwoStep::Off),
        (4, Status::Closed, TwoStep::Email),
    ] {
        account.auth_epoch = rows::epoch(epoch);
        (account.status, account.two_step) = (status, two_step);
        write(store, rows::work().change(Change::Account(update(&account)))).await;
        account.version += 1;
        let view = store
            .session(session.key)
            .await
            .expect("answered")
            .expect("there");
        assert_eq!(view.account_epoch, account.auth_epoch);
        assert_eq!(view.account_status, status);
        assert_eq!(view.account_two_step, two_step);
        assert_eq!(view.session, session);
    }
    let gone = rows::work().change(Change::Session(Box::new(Write::Delete(session.key))));
    write(store, gone).await;
    assert_eq!(store.session(session.key).await.expect("answered"), None);
}

/// The list shows what can still be used, the one used last first, and nobody else's (SES-7).
pub async fn the_list_of_sessions_has_the_present_epoch_only_newest_first(store: Arc<dyn Store>) {
    let store = &*store;
    let (account, other) = (with_account(store, 1).await, with_account(store, 2).await);
    let seen = |n, last_seen| SessionRow {
        last_seen: rows::at(last_seen),
        ..rows::session(n, &account)
    };
    let dead = SessionRow {
        epoch: rows::epoch(9),
        ..seen(4, 99)
    };
    let mut work = rows::work().change(Change::Session(insert(&rows::session(5, &other))));
    for session in [&seen(1, 20), &seen(2, 30), &seen(3, 10), &dead] {
        work = work.change(Change::Session(insert(session)));
    }
    write(store, work).await;
    let listed = store.sessions_of(account.id).await.expect("answered");
    assert_eq!(listed, [seen(2, 30), seen(1, 20), seen(3, 10)]);
    let stranger = store.sessions_of(rows::account_id(77)).await.expect("answered");
    assert_eq!(stranger, []);
    let mut moved = account.clone();
    moved.auth_epoch = rows::epoch(9);
    write(store, rows::work().change(Change::Account(update(&moved)))).await;
    assert_eq!(store.sessions_of(account.id).await.expect("answered"), [dead]);
}
