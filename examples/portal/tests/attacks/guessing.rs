//! Guessing at the login page: slowly, all at once, to keep the owner out, and over many accounts.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;

use crate::chance::Chance;
use crate::crowd::all_at_once;
use crate::ledger;
use crate::people::{mail_about, owner, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{answer_reset, ask_for_reset, choose_password, log_in, log_in_on};
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site};
use crate::settled::mails_are_out;
use crate::uniform::{Seen, assert_uniform};

attack_cases! {
    p_14_one_account_is_guessed_at_slowly
    p_15_two_hundred_guess_at_once
    p_16_guessing_is_used_to_keep_the_owner_out
    p_17_one_password_is_tried_on_many_accounts
}

/// THR-3: failures without a wait.
const FREE: u32 = 10;
/// THR-3: failures that close the address until a reset.
const CAP: u32 = 100;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// The wait that follows so many failures in a row (THR-3).
fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(step) => (SECOND * 30).saturating_mul(1 << step.min(20)).min(SECOND * 3600),
    }
}

/// A try by a browser that nobody has seen before, in a network of its own.
async fn guess(portal: &Portal, chance: &mut Chance, address: &str, password: &str) -> Page {
    log_in(&mut stranger(portal, chance), address, password).await
}

/// How long a closed page asks to wait.
fn retry_after(page: &Page) -> Duration {
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{}", page.body);
    Duration::from_secs(page.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap())
}

/// Guesses wrong from the `from`-th failure to the `to`-th, waiting as long as is asked before each.
async fn guess_on(
    site: &Site,
    portal: &Portal,
    chance: &mut Chance,
    address: &str,
    failures: std::ops::Range<u32>,
) {
    for failure in failures {
        site.clock().advance(wait_after(failure));
        let wrong = guess(portal, chance, address, "Wrong-Horse-42-battery").await;
        assert_eq!(
            wrong.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "after {failure} failures"
        );
    }
}

/// THR-3, THR-4; WSTG-ATHN-03.
async fn p_14_one_account_is_guessed_at_slowly(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, &mut chance, "slow").await;
    let mut refused_unread = 0;
    for failure in 1..=CAP {
        let wrong = guess(&portal, &mut chance, &address, &chance_password(failure)).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "try {failure}");
        assert_eq!(ledger::logins_compared(&site).await, u64::from(failure));
        let wait = wait_after(failure);
        if wait.is_zero() || failure == CAP {
            continue;
        }
        // While it is closed the right password is not looked at, and answered like a wrong one.
        let right = guess(&portal, &mut chance, &address, PASSWORD).await;
        let wrong = guess(&portal, &mut chance, &address, &chance_password(failure)).await;
        assert_eq!(retry_after(&right), wait, "after {failure} failures");
        assert_uniform(
            "a closed login",
            &[
                ("wrong", Seen::of(&wrong, &[&address])),
                ("right", Seen::of(&right, &[&address])),
            ],
        );
        site.clock().advance(wait - SECOND);
        let early = guess(&portal, &mut chance, &address, PASSWORD).await;
        assert_eq!(retry_after(&early), SECOND);
        refused_unread += 3;
        assert_eq!(ledger::logins_compared(&site).await, u64::from(failure));
        site.clock().advance(SECOND);
    }
    // A hundred failures and their notices leave the owner a mail (TOK-6).
    let _unused = reset_link(&site, &mut stranger(&portal, &mut chance), &address).await;
    // The cap ends it: no wait opens the address any more, not even for the right password.
    for wait in [wait_after(CAP), DAY, DAY * 30] {
        site.clock().advance(wait);
        let closed = guess(&portal, &mut chance, &address, PASSWORD).await;
        assert_eq!(retry_after(&closed), wait_after(CAP));
        refused_unread += 1;
    }
    assert_eq!(ledger::logins_compared(&site).await, u64::from(CAP));

    // The honest twin: a reset opens it for every browser.
    let new = chance.password();
    reset(&site, &mut jo, &address, &new).await;
    assert_eq!(guess(&portal, &mut chance, &address, &new).await.path, "/home");
    Figures::new()
        .with("budget", CAP)
        .with("compared", CAP)
        .with("refused unread", refused_unread)
}

fn chance_password(number: u32) -> String {
    format!("Wrong-Horse-{number:03}-battery")
}

/// The link that is mailed to somebody who asks for it 61 seconds later (MAIL-5: the pause after whatever was mailed).
async fn reset_link(site: &Site, person: &mut Person, address: &str) -> String {
    mails_are_out(site).await;
    site.clock().advance(SECOND * 61);
    let sent = site.mails_to(address);
    ask_for_reset(person, address).await;
    link_in(&mail_about(site, address, sent, "Reset your password").await)
}

async fn reset(site: &Site, person: &mut Person, address: &str, new: &str) {
    let link = reset_link(site, person, address).await;
    let page = answer_reset(person, &link).await;
    let done = choose_password(person, &page, new).await;
    assert_eq!(done.h1(), "Login", "{:?}", done.errors());
}

/// THR-2; CVE-2023-33170, CVE-2024-4629. On PostgreSQL the guesses go to two processes.
async fn p_15_two_hundred_guess_at_once(database: Database, mut chance: Chance) -> Figures {
    const ROUNDS: usize = 20;
    const WAYS: usize = 200;
    let site = Site::new(database).behind_a_proxy();
    let mut portals = vec![site.open().await];
    if database == Database::Postgres {
        portals.push(site.open().await);
    }
    let (mut compared_before, mut most_wrong, mut let_in) = (0, 0, 0);
    for _ in 0..ROUNDS {
        let (mut jo, address) = owner(&site, &portals[0], &mut chance, "burst").await;
        let lucky = chance.below(WAYS);
        let mut requests = Vec::new();
        for portal in &portals {
            let mut person = stranger(portal, &mut chance);
            let page = person.open("/account/login").await;
            requests.push((person, page.button("Login").with("email", &address)));
        }
        let requests = (0..WAYS).map(|n| {
            let (person, form) = &requests[n % requests.len()];
            let wrong = chance.password();
            let password = if n == lucky { PASSWORD } else { &wrong };
            let form = form.clone().with("password", password);
            person.moved_to(&chance.network()).posting(&form)
        });
        let answers = all_at_once(requests.collect::<Vec<_>>()).await;
        let count = |status| answers.iter().filter(|a| a.status == status).count();
        let wrong = count(StatusCode::UNPROCESSABLE_ENTITY);
        let right = count(StatusCode::SEE_OTHER);
        assert_eq!(wrong + right + count(StatusCode::TOO_MANY_REQUESTS), WAYS);
        assert_eq!(right, usize::from(answers[lucky].status == StatusCode::SEE_OTHER));
        // Not one more than the budget, and not one less: else nothing was measured. The right one gives its try
        // back; all others may have been refused by then.
        let (free, used) = (FREE as usize, wrong + right);
        assert!(wrong <= free && free <= used, "{wrong} wrong, {right} right");
        let compared = ledger::logins_compared(&site).await;
        assert_eq!(
            compared - compared_before,
            (wrong + right) as u64,
            "compared and not told"
        );
        let home = log_in(&mut jo, &address, PASSWORD).await;
        assert_eq!(home.path, "/home", "the owner's own browser has its own budget");
        compared_before = compared + 1;
        most_wrong = most_wrong.max(wrong);
        let_in += right;
    }
    Figures::new()
        .with("rounds", ROUNDS)
        .with("ways", WAYS)
        .with("processes", portals.len())
        .with("budget", FREE)
        .with("most wrong ones compared", most_wrong)
        .with("right ones inside the budget", let_in)
}

/// THR-1, THR-4, I-23: a stranger's noise closes the strangers' door only.
async fn p_16_guessing_is_used_to_keep_the_owner_out(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, &mut chance, "noise").await;
    guess_on(&site, &portal, &mut chance, &address, 0..CAP - 1).await;
    site.clock().advance(wait_after(CAP - 1));
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    let last = guess(&portal, &mut chance, &address, "Wrong-Horse-42-battery").await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY);
    retry_after(&guess(&portal, &mut chance, &address, PASSWORD).await);

    // The live session goes on, and its owner can log in anew: that opens the strangers' door to one try an hour.
    assert_eq!(jo.open("/account").await.path, "/account");
    let home = jo.open("/home").await;
    let login = jo.send(&home.button("Logout")).await;
    assert_eq!(log_in_on(&mut jo, &login, &address, PASSWORD).await.path, "/home");
    let closed = guess(&portal, &mut chance, &address, PASSWORD).await;
    assert_eq!(retry_after(&closed), wait_after(CAP));
    guess_on(&site, &portal, &mut chance, &address, CAP - 1..CAP).await;
    retry_after(&guess(&portal, &mut chance, &address, PASSWORD).await);

    // An owner at a new browser, with no device of theirs, gets back in through the mailbox, and at once (TOK-6).
    let new = chance.password();
    let mut elsewhere = stranger(&portal, &mut chance);
    reset(&site, &mut elsewhere, &address, &new).await;
    assert_eq!(log_in(&mut elsewhere, &address, &new).await.path, "/home");
    assert_eq!(guess(&portal, &mut chance, &address, &new).await.path, "/home");
    Figures::new()
        .with("failures", CAP + 1)
        .with("times the owner was kept out", 0)
}

/// THR-1, THR-3 (c), THR-7.
async fn p_17_one_password_is_tried_on_many_accounts(database: Database, mut chance: Chance) -> Figures {
    const ADDRESSES: usize = 300;
    const KNOWN: usize = 6;
    const NETWORK: u64 = 100;
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let mut owners = Vec::new();
    for _ in 0..KNOWN {
        owners.push(owner(&site, &portal, &mut chance, "spray").await);
    }
    // The accounts stand in the first hundred and behind it.
    let mut addresses: Vec<_> = (KNOWN..ADDRESSES).map(|_| chance.address("spray")).collect();
    for (n, (_, address)) in owners.iter().enumerate() {
        addresses.insert(n * 40, address.clone());
    }
    let spray = chance.password();
    let mut one = stranger(&portal, &mut chance);
    let mut told_no = 0;
    for address in &addresses {
        let page = log_in(&mut one, address, &spray).await;
        told_no += usize::from(page.status == StatusCode::UNPROCESSABLE_ENTITY);
        one = one.with_no_cookies();
    }
    assert_eq!(told_no as u64, NETWORK);
    assert_eq!(ledger::logins_compared(&site).await, NETWORK);
    // Closed for strangers there, also with a right password; not for a browser that its owner has used.
    let (familiar, address) = &mut owners[KNOWN - 1];
    assert!(retry_after(&log_in(&mut one.with_no_cookies(), address, PASSWORD).await) <= SECOND * 3600);
    let network = one.network().unwrap().to_owned();
    let mut visiting = familiar.moved_to(&network);
    assert_eq!(log_in(&mut visiting, address, PASSWORD).await.path, "/home");
    assert_eq!(log_in(familiar, address, PASSWORD).await.path, "/home");

    // One for each account from many networks: no bucket is full, and each account has seen its share.
    let before = ledger::logins_compared(&site).await;
    for address in &addresses {
        let page = guess(&portal, &mut chance, address, &spray).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(ledger::logins_compared(&site).await - before, ADDRESSES as u64);
    let mut most = 0;
    for (_, address) in &owners {
        most = most.max(ledger::events_about(&site, address, "sign_in.refused").await);
    }
    assert!(most <= 2, "{most}");
    // The network opens when its hour is over.
    site.clock().advance(SECOND * 3600);
    let mut open = one.with_no_cookies();
    assert_eq!(log_in(&mut open, &owners[0].1, PASSWORD).await.path, "/home");
    Figures::new()
        .with("addresses", ADDRESSES)
        .with("budget of the network", NETWORK)
        .with("compared for it", told_no)
        .with("most for one account", most)
}
