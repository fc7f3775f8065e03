//! Lists: an owner's own rows, an administrator's pages of accounts and mails, and what an erasure leaves.

use std::sync::Arc;

use super::{insert, with_account, write};
use crate::account::snapshot::AccountRow;
use crate::account::status::Status;
use crate::audit::AuditRow;
use crate::environment::Timestamp;
use crate::link::{LinkRow, LinkState};
use crate::mail::outbox::{Claim, MailId, MailKind, MailStatus, OutboxRow};
use crate::store::{Store, StoreError};
use crate::testkit::rows;
use crate::unit_of_work::{Change, Sweep, UnitOfWork, Write};

/// Only live links of the account, the newest first.
pub async fn live_links_are_the_accounts_own_newest_first(store: Arc<dyn Store>) {
    let store = &*store;
    let (account, other) = (with_account(store, 1).await, with_account(store, 2).await);
    let issued = |n, seconds, owner: &AccountRow| LinkRow {
        issued_at: rows::at(seconds),
        ..rows::reset_link(n, owner)
    };
    let (old, new) = (issued(1, 10, &account), issued(2, 20, &account));
    let used = issued(3, 30, &account).ended(LinkState::Used, rows::at(31));
    let links = [&old, &new, &used, &issued(4, 40, &other)];
    let work = links
        .into_iter()
        .fold(rows::work(), |work, link| work.change(Change::Link(insert(link))));
    write(store, work).await;
    assert_eq!(store.live_links(account.id).await.expect("answered"), [new, old]);
    assert_eq!(store.live_links(rows::account_id(9)).await.expect("answered"), []);
}

/// Everything of one account, with rows of `n`: what an export must hold and an erasure must remove.
async fn furnished(store: &dyn Store, n: u32) -> AccountRow {
    let account = with_account(store, n).await;
    let registration = rows::registration(10 + n, account.email.clone());
    let mail = OutboxRow {
        account: Some(account.id),
        ..rows::mail(n, MailKind::AccountReady)
    };
    let event = AuditRow {
        account: Some(account.id),
        ..rows::event(n)
    };
    let work = rows::work()
        .change(Change::Registration(insert(&registration)))
        .change(Change::Link(insert(&rows::activation_link(&registration))))
        .change(Change::Link(insert(&rows::reset_link(n, &account))))
        .change(Change::Challenge(insert(&rows::challenge(n, &account))))
        .change(Change::Session(insert(&rows::session(n, &account))))
        .change(Change::Device(rows::device(n, &account)))
        .mail(mail)
        .event(event);
    write(store, work).await;
    account
}

/// A table that an export leaves out is data its owner is not told of.
pub async fn a_dossier_holds_every_row_of_its_account_and_no_other(store: Arc<dyn Store>) {
    let store = &*store;
    let account = furnished(store, 1).await;
    furnished(store, 2).await;
    let dossier = store.dossier(account.id).await.expect("answered");
    let dossier = dossier.expect("the account is there");
    assert_eq!(
        dossier.registrations,
        [rows::registration(11, account.email.clone())]
    );
    assert_eq!(dossier.links, [rows::reset_link(1, &account)]);
    assert_eq!(dossier.challenges, [rows::challenge(1, &account)]);
    assert_eq!(dossier.sessions, [rows::session(1, &account)]);
    assert_eq!(dossier.devices, [rows::device(1, &account)]);
    assert_eq!(
        dossier.mails.iter().map(|m| m.id).collect::<Vec<_>>(),
        [rows::mail(1, MailKind::Host).id]
    );
    assert_eq!(
        dossier.events.iter().map(|e| e.id).collect::<Vec<_>>(),
        [rows::event(1).id]
    );
    assert_eq!(dossier.account, account);
    assert_eq!(store.dossier(rows::account_id(9)).await.expect("answered"), None);
}

/// An erased account leaves nothing but audit events, and its neighbour everything.
pub async fn an_erasure_leaves_nothing_of_its_account_but_events(store: Arc<dyn Store>) {
    let store = &*store;
    let (account, other) = (furnished(store, 1).await, furnished(store, 2).await);
    let erase = Sweep::Erase {
        account: account.id,
        email: account.email.clone(),
    };
    write(store, rows::work().sweep(erase)).await;
    let left = store
        .dossier(account.id)
        .await
        .expect("answered")
        .expect("the row stays");
    assert_eq!(
        (left.registrations, left.links, left.challenges),
        (vec![], vec![], vec![])
    );
    assert_eq!(
        (left.sessions, left.devices, left.mails),
        (vec![], vec![], vec![])
    );
    assert_eq!(left.events.len(), 1);
    let link = rows::activation_link(&rows::registration(11, account.email.clone()));
    assert!(store.by_link(link.key).await.expect("answered").is_none());
    let kept = store
        .dossier(other.id)
        .await
        .expect("answered")
        .expect("the neighbour");
    assert_eq!(
        (kept.registrations.len(), kept.links.len(), kept.challenges.len()),
        (1, 1, 1)
    );
    assert_eq!(
        (kept.sessions.len(), kept.devices.len(), kept.mails.len()),
        (1, 1, 1)
    );
    let link = rows::activation_link(&rows::registration(12, other.email.clone()));
    assert!(store.by_link(link.key).await.expect("answered").is_some());
}

/// Pages of accounts in the order of their addresses as bytes; what was typed is no pattern.
pub async fn accounts_are_listed_by_prefix_page_by_page(store: Arc<dyn Store>) {
    let store = &*store;
    let texts = [
        "a_b@x.example",
        "a%b@x.example",
        "ab@x.example",
        "ab-c@x.example",
        "ab~@x.example",
        "b@x.example",
    ];
    for (n, text) in (1..).zip(texts) {
        let account = AccountRow {
            email: rows::address(text),
            ..rows::account(n)
        };
        write(store, rows::work_with(&account)).await;
    }
    let list = async |prefix: &str, after: Option<&str>, most| {
        let after = after.map(rows::address);
        let found = store
            .accounts(prefix, after.as_ref(), most)
            .await
            .expect("answered");
        found
            .iter()
            .map(|a| a.email.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        list("ab", None, 9).await,
        ["ab-c@x.example", "ab@x.example", "ab~@x.example"]
    );
    assert_eq!(list("ab", None, 2).await, ["ab-c@x.example", "ab@x.example"]);
    assert_eq!(list("ab", Some("ab@x.example"), 2).await, ["ab~@x.example"]);
    assert_eq!(list("a_", None, 9).await, ["a_b@x.example"]);
    assert_eq!(list("a%", None, 9).await, ["a%b@x.example"]);
    assert_eq!(list("", None, 9).await.len(), 6);
    assert_eq!(list("ab@x.example", None, 9).await, ["ab@x.example"]);
    assert_eq!(list("A", None, 9).await, Vec::<String>::new());
}

/// Accounts whose grace is over, exact to the microsecond, the longest closed first.
pub async fn closed_accounts_are_found_when_their_time_has_come(store: Arc<dyn Store>) {
    let store = &*store;
    let closed = |n, seconds| AccountRow {
        status: Status::Closed,
        closed_at: Some(rows::at(seconds)),
        ..rows::account(n)
    };
    let disabled = AccountRow {
        status: Status::Disabled,
        ..closed(3, 5)
    };
    for account in [
        closed(1, 20),
        closed(2, 10),
        disabled,
        closed(4, 30),
        rows::account(5),
    ] {
        write(store, rows::work_with(&account)).await;
    }
    let found = async |until: Timestamp, most| {
        let found = store.closed_accounts(until, most).await.expect("answered");
        found.iter().map(|a| a.id).collect::<Vec<_>>()
    };
    assert_eq!(
        found(rows::at(20), 9).await,
        [rows::account_id(2), rows::account_id(1)]
    );
    assert_eq!(found(rows::at(20), 1).await, [rows::account_id(2)]);
    let before = Timestamp::from_micros(rows::at(20).as_micros() - 1);
    assert_eq!(found(before, 9).await, [rows::account_id(2)]);
}

async fn list(
    store: &dyn Store,
    status: Option<MailStatus>,
    to: Option<u32>,
    after: Option<(Timestamp, MailId)>,
    most: u32,
) -> Vec<MailId> {
    let to = to.map(rows::email);
    let found = store
        .mails(status, to.as_ref(), after, most)
        .await
        .expect("answered");
    found.iter().map(|m| m.id).collect()
}

/// Pages of the outbox, the newest first; mails of one moment are told apart by their ids.
pub async fn mails_are_listed_newest_first_page_by_page(store: Arc<dyn Store>) {
    let store = &*store;
    let made = |n, seconds, status| OutboxRow {
        created_at: rows::at(seconds),
        status,
        ..rows::mail(n, MailKind::AccountReady)
    };
    let mails = [
        made(1, 10, MailStatus::Dead),
        made(2, 20, MailStatus::Ready),
        made(3, 20, MailStatus::Dead),
        made(4, 30, MailStatus::Sent),
    ];
    let work = mails
        .iter()
        .fold(rows::work(), |work, mail| work.mail(mail.clone()));
    write(store, work).await;
    let id = |n: u32| rows::mail(n, MailKind::AccountReady).id;
    assert_eq!(
        list(store, None, None, None, 9).await,
        [id(4), id(3), id(2), id(1)]
    );
    assert_eq!(list(store, None, None, None, 2).await, [id(4), id(3)]);
    let after = Some((rows::at(20), id(3)));
    assert_eq!(list(store, None, None, after, 2).await, [id(2), id(1)]);
    assert_eq!(
        list(store, Some(MailStatus::Dead), None, None, 9).await,
        [id(3), id(1)]
    );
    assert_eq!(list(store, None, Some(2), None, 9).await, [id(2)]);
    assert_eq!(list(store, Some(MailStatus::Sent), Some(2), None, 9).await, []);
}

/// An operator brings back what is dead, and stops what waits; nothing else is touched by either.
pub async fn a_dead_mail_is_queued_again_and_a_ready_one_dropped(store: Arc<dyn Store>) {
    let store = &*store;
    let dead = OutboxRow {
        status: MailStatus::Dead,
        attempts: 12,
        last_error: "refused".to_owned(),
        ..rows::mail(1, MailKind::AccountReady)
    };
    let ready = rows::mail(2, MailKind::AccountReady);
    write(store, rows::work().mail(dead.clone()).mail(ready.clone())).await;
    let again = |mail| {
        let (now, expires_at) = (rows::at(50), rows::at(90));
        rows::work().change(Change::SendAgain {
            mail,
            now,
            expires_at,
        })
    };
    let drop = |mail| {
        let why = "dropped by an administrator".to_owned();
        rows::work().change(Change::DropMail { mail, why })
    };
    let conflicts = async |work: UnitOfWork| matches!(store.commit(work).await, Err(StoreError::Conflict));
    assert!(conflicts(again(ready.id)).await);
    assert!(conflicts(drop(dead.id)).await);
    assert!(conflicts(again(rows::mail(9, MailKind::Host).id)).await);
    write(store, again(dead.id)).await;
    write(store, drop(ready.id)).await;
    let found = store.mails(None, None, None, 9).await.expect("answered");
    let stopped = OutboxRow {
        status: MailStatus::Dead,
        last_error: "dropped by an administrator".to_owned(),
        ..ready
    };
    let queued = OutboxRow {
        status: MailStatus::Ready,
        attempts: 0,
        next_at: rows::at(50),
        expires_at: rows::at(90),
        ..dead
    };
    assert_eq!(found, [stopped, queued.clone()]);
    let claim = Claim {
        now: rows::at(50),
        lease: std::time::Duration::from_secs(60),
        most: 9,
    };
    let claimed = store.claim(claim).await.expect("answered");
    assert_eq!(claimed.iter().map(|m| m.id).collect::<Vec<_>>(), [queued.id]);
    assert!(conflicts(drop(queued.id)).await, "a leased mail was dropped");
}

/// An account deleted together with its rows frees its address in the same commit.
pub async fn an_erased_account_frees_its_address(store: Arc<dyn Store>) {
    let store = &*store;
    let account = furnished(store, 1).await;
    let work = rows::work()
        .change(Change::Unclaim {
            email: account.email.clone(),
            account: account.id,
        })
        .change(Change::Account(Box::new(Write::Delete(account.id))))
        .sweep(Sweep::Erase {
            account: account.id,
            email: account.email.clone(),
        });
    write(store, work).await;
    assert_eq!(store.by_id(account.id).await.expect("answered"), None);
    let heir = AccountRow {
        email: account.email,
        ..rows::account(2)
    };
    write(store, rows::work_with(&heir)).await;
    let dossier = store.dossier(heir.id).await.expect("answered").expect("the heir");
    assert_eq!(dossier.registrations, []);
}
