//! Reads: what belongs together comes together, and nothing that belongs to somebody else.

use std::sync::Arc;

use super::{insert, update, with_account, write};
use crate::account::status::Status;
use crate::device::DeviceRow;
use crate::registration::{RegistrationRow, RegistrationState};
use crate::store::{LinkView, RegistrantView, RegistrationView, SignInView, Store, Subject};
use crate::testkit::rows;
use crate::unit_of_work::{Change, Write};

/// A sign-in sees the account whatever its status, and the browser's row whatever its epoch.
pub async fn an_address_finds_its_account_and_the_asking_browser(store: Arc<dyn Store>) {
    let store = &*store;
    let (mut account, other) = (with_account(store, 1).await, with_account(store, 2).await);
    let device = DeviceRow {
        epoch: rows::epoch(9),
        ..rows::device(1, &account)
    };
    let work = rows::work()
        .change(Change::Device(device.clone()))
        .change(Change::Device(rows::device(2, &other)));
    write(store, work).await;
    for status in [Status::Disabled, Status::Closed, Status::Active] {
        account.status = status;
        write(store, rows::work().change(Change::Account(update(&account)))).await;
        account.version += 1;
        let asked = Some(device.device);
        let view = store.by_email(&account.email, asked).await.expect("answered");
        let expected = SignInView {
            account: Some(account.clone()),
            device: Some(device.clone()),
        };
        assert_eq!(view, expected);
    }
    for foreign in [Some(rows::device(2, &other).device), None] {
        let view = store.by_email(&account.email, foreign).await.expect("answered");
        assert_eq!(view.device, None);
        assert_eq!(view.account.as_ref(), Some(&account));
    }
}

/// A stranger's address, a registered one that waits, and one that differs by a letter find no account.
pub async fn an_unknown_address_finds_nothing(store: Arc<dyn Store>) {
    let store = &*store;
    let account = with_account(store, 1).await;
    write(
        store,
        rows::work().change(Change::Device(rows::device(1, &account))),
    )
    .await;
    let waiting = rows::registration(2, rows::email(2));
    write(store, rows::work().change(Change::Registration(insert(&waiting)))).await;
    let device = Some(rows::device(1, &account).device);
    for address in [
        "person2@school.example",
        "person11@school.example",
        "perso_1@school.example",
    ] {
        let view = store
            .by_email(&rows::address(address), device)
            .await
            .expect("answered");
        let nothing = SignInView {
            account: None,
            device: None,
        };
        assert_eq!(view, nothing, "{address}");
    }
    let view = store.by_registrant(&rows::email(3)).await.expect("answered");
    let nothing = RegistrantView {
        account: None,
        waiting: None,
    };
    assert_eq!(view, nothing);
    assert_eq!(store.by_id(rows::account_id(2)).await.expect("answered"), None);
    let registration = store.by_registration(rows::registration_id(1)).await;
    assert_eq!(registration.expect("answered"), None);
    assert_eq!(store.by_link(rows::link_key(1)).await.expect("answered"), None);
}

/// Asking again finds the newest registration that still waits, not one that has ended.
pub async fn a_registrant_sees_the_account_and_the_newest_registration_that_waits(store: Arc<dyn Store>) {
    let store = &*store;
    let account = with_account(store, 1).await;
    let address = account.email.clone();
    let row = |n, state, seconds| RegistrationRow {
        state,
        submitted_at: rows::at(seconds),
        ..rows::registration(n, address.clone())
    };
    let newest = row(2, RegistrationState::Submitted, 20);
    let mut work = rows::work().change(Change::Link(insert(&rows::activation_link(&newest))));
    for registration in [
        &row(1, RegistrationState::Submitted, 10),
        &newest,
        &row(3, RegistrationState::GivenUp, 30),
        &row(4, RegistrationState::Exhausted, 40),
        &rows::registration(5, rows::email(5)),
    ] {
        work = work.change(Change::Registration(insert(registration)));
    }
    write(store, work).await;
    let view = store.by_registrant(&address).await.expect("answered");
    assert_eq!(view.account, Some(account));
    let expected = RegistrationView {
        link: Some(rows::activation_link(&newest)),
        registration: newest,
    };
    assert_eq!(view.waiting, Some(expected));
    let view = store.by_registrant(&rows::email(5)).await.expect("answered");
    assert_eq!(view.account, None);
    let waiting = view.waiting.expect("it waits");
    assert_eq!(
        (waiting.registration.id, waiting.link),
        (rows::registration_id(5), None)
    );
}

/// A link comes with its subject: else its bearer would act for somebody else.
pub async fn a_link_shows_what_it_belongs_to(store: Arc<dyn Store>) {
    let store = &*store;
    let account = with_account(store, 1).await;
    let reset = rows::reset_link(1, &account);
    let free = rows::registration(2, rows::email(2));
    let taken = rows::registration(3, account.email.clone());
    let mut work = rows::work().change(Change::Link(insert(&reset)));
    for registration in [&free, &taken] {
        work = work
            .change(Change::Registration(insert(registration)))
            .change(Change::Link(insert(&rows::activation_link(registration))));
    }
    write(store, work).await;
    let view = |key| async move { store.by_link(key).await.expect("answered") };
    let expected = LinkView {
        link: reset.clone(),
        subject: Subject::Account(Box::new(account.clone())),
    };
    assert_eq!(view(reset.key).await, Some(expected));
    for (registration, claimed) in [(&free, false), (&taken, true)] {
        let expected = LinkView {
            link: rows::activation_link(registration),
            subject: Subject::Registration {
                row: Box::new(registration.clone()),
                claimed,
            },
        };
        assert_eq!(view(registration.link).await, Some(expected));
    }
    let gone = rows::work()
        .change(Change::Unclaim {
            email: account.email.clone(),
            account: account.id,
        })
        .change(Change::Account(Box::new(Write::Delete(account.id))))
        .change(Change::Registration(Box::new(Write::Delete(free.id))));
    write(store, gone).await;
    for key in [reset.key, free.link] {
        let link = view(key).await.expect("the link outlives its subject");
        assert_eq!((link.link.key, link.subject), (key, Subject::Gone));
    }
}

/// A link may be purged before its registration.
pub async fn a_registration_shows_its_link_until_that_is_gone(store: Arc<dyn Store>) {
    let store = &*store;
    let registration = rows::registration(1, rows::email(1));
    let link = rows::activation_link(&registration);
    let work = rows::work()
        .change(Change::Registration(insert(&registration)))
        .change(Change::Link(insert(&link)));
    write(store, work).await;
    let view = |link| RegistrationView {
        registration: registration.clone(),
        link,
    };
    let found = store.by_registration(registration.id).await.expect("answered");
    assert_eq!(found, Some(view(Some(link.clone()))));
    let gone = rows::work().change(Change::Link(Box::new(Write::Delete(link.key))));
    write(store, gone).await;
    let found = store.by_registration(registration.id).await.expect("answered");
    assert_eq!(found, Some(view(None)));
}

/// A half-done sign-in of an account that was erased leads nowhere; so does its session.
pub async fn a_challenge_without_its_account_is_not_found(store: Arc<dyn Store>) {
    let store = &*store;
    let account = with_account(store, 1).await;
    let (challenge, session) = (rows::challenge(1, &account), rows::session(1, &account));
    let work = rows::work()
        .change(Change::Challenge(insert(&challenge)))
        .change(Change::Session(insert(&session)));
    write(store, work).await;
    let found = store.by_challenge(challenge.key).await.expect("answered");
    assert_eq!(found, Some((challenge.clone(), account.clone())));
    let gone = rows::work()
        .change(Change::Unclaim {
            email: account.email.clone(),
            account: account.id,
        })
        .change(Change::Account(Box::new(Write::Delete(account.id))));
    write(store, gone).await;
    assert_eq!(store.by_challenge(challenge.key).await.expect("answered"), None);
    assert_eq!(store.session(session.key).await.expect("answered"), None);
    assert_eq!(store.sessions_of(account.id).await.expect("answered"), []);
}

/// "My activity": newest first, only what was asked for, only one's own.
pub async fn activity_is_newest_first_and_of_the_asked_kinds(store: Arc<dyn Store>) {
    let store = &*store;
    let account = rows::account_id(1);
    let event = |n, seconds, kind: &str| {
        let mut event = rows::event(n);
        event.at = rows::at(seconds);
        event.kind = kind.to_owned();
        event.account = Some(account);
        event
    };
    let mut foreign = event(5, 50, "sign_in.done");
    foreign.account = Some(rows::account_id(2));
    let mut nobodys = event(6, 60, "sign_in.done");
    nobodys.account = None;
    let mut work = rows::work();
    for event in [
        event(1, 20, "sign_in.done"),
        event(2, 40, "password.changed"),
        event(3, 10, "sign_in.refused"),
        event(4, 30, "sign_in.done"),
        foreign,
        nobodys,
    ] {
        work = work.event(event);
    }
    write(store, work).await;
    for (kinds, most, expected) in [
        (&[][..], 99, &[2, 4, 1, 3][..]),
        (&[], 2, &[2, 4]),
        (&["sign_in.done"], 99, &[4, 1]),
        (&["sign_in.done"], 1, &[4]),
        (&["sign_in.refused", "password.changed"], 99, &[2, 3]),
        (&["sign_in"], 99, &[]),
        (&[], 0, &[]),
    ] {
        let found = store.activity(account, kinds, most).await.expect("answered");
        let found: Vec<_> = found.iter().map(|e| e.id).collect();
        let expected: Vec<_> = expected.iter().map(|n| rows::event(*n).id).collect();
        assert_eq!(found, expected, "{kinds:?}, at most {most}");
    }
}
