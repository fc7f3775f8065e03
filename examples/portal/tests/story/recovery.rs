//! A forgotten password: the mailed link with the secret answer, or a day's wait without it (P13, P14, P-32, P-33).

use std::time::Duration;

use axum::http::StatusCode;

use crate::rig::journey::{account, ask_for_reset, choose_password, log_in};
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{ANSWER, Database, PASSWORD, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_forgotten_password_is_replaced_behind_the_link_and_the_answer
    a_request_says_the_same_for_an_address_without_account
    wrong_answers_end_the_link_and_change_nothing
    who_cannot_answer_waits_a_day
    a_login_takes_back_what_was_asked_for_without_the_answer
    who_cannot_answer_has_whom_to_ask_or_nothing_where_nobody_may_wait
    an_address_without_account_gets_no_mail_where_it_is_not_to_be_told
}

const NEW_PASSWORD: &str = "Other-Badger-17-kettle";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// Somebody with an account, not logged in (2 mails so far).
async fn owner(site: &Site, portal: &Portal, name: &str) -> (Person, String) {
    let mut jo = Person::at(portal);
    let address = fresh_address(name);
    account(site, &mut jo, &address).await;
    site.clock().advance(MINUTE * 2);
    (jo, address)
}

async fn a_forgotten_password_is_replaced_behind_the_link_and_the_answer(database: Database) {
    // RST-1 to RST-4, SES-5, P-33
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, "forgot").await;
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    let mut elsewhere = Person::at(&portal);
    let sent = ask_for_reset(&mut elsewhere, &address).await;
    assert!(
        sent.main()
            .contains("If the address has an account, an email is on its way. The link works for 1 hour."),
        "{}",
        sent.main()
    );
    let mail = site.mail_to(&address, 3).await;
    assert_eq!(mail.subject, "Reset your password");
    let page = elsewhere.open(&link_in(&mail)).await;
    assert!(!page.path.contains("t="), "the token leaves the address bar");
    let empty = elsewhere.send(&page.button("Continue")).await;
    assert_eq!(empty.errors(), ["Secret Answer is required"]);
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = elsewhere
        .send(&page.button("Continue").with("answer", ANSWER))
        .await;
    let weak = choose_password(&mut elsewhere, &page, "short").await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    let same = choose_password(&mut elsewhere, &page, PASSWORD).await;
    assert_eq!(same.errors(), ["Choose a password you have not used here before"]);
    let done = choose_password(&mut elsewhere, &page, NEW_PASSWORD).await;
    assert_eq!(
        done.notice(),
        "Your password has been changed. Log in with it.",
        "{:?}",
        done.errors()
    );
    assert_eq!(done.h1(), "Login");
    assert_eq!(
        elsewhere.open("/home").await.h1(),
        "Login",
        "no session came of it"
    );
    assert_eq!(jo.open("/home").await.h1(), "Login", "old sessions are over");
    let refused = log_in(&mut jo, &address, PASSWORD).await;
    assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
    assert_eq!(log_in(&mut jo, &address, NEW_PASSWORD).await.path, "/home");
    let again = Person::at(&portal).open(&link_in(&mail)).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert_eq!(
        site.mail_to(&address, 4).await.subject,
        "Your password was changed"
    );
}

async fn a_request_says_the_same_for_an_address_without_account(database: Database) {
    // ENU-1, P-22
    let site = Site::new(database);
    let portal = site.open().await;
    let (_, known) = owner(&site, &portal, "known").await;
    let unknown = fresh_address("unknown");
    let mut answers = Vec::new();
    for address in [&known, &unknown] {
        let mut person = Person::at(&portal);
        let page = ask_for_reset(&mut person, address).await;
        let token = page.attributes_of("input[name=form_token]", "value");
        let body = token
            .iter()
            .fold(page.body.replace(address.as_str(), "TYPED"), |body, token| {
                body.replace(token, "TOKEN")
            });
        answers.push((page.status, page.path, body));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(site.mail_to(&known, 3).await.subject, "Reset your password");
    assert_eq!(site.mail_to(&unknown, 1).await.subject, "About your request");
    let mut person = Person::at(&portal);
    let wrong = ask_for_reset(&mut person, "nobody").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

async fn wrong_answers_end_the_link_and_change_nothing(database: Database) {
    // ANS-1, ANS-5, P-32
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, "guessed").await;
    let mut guesser = Person::at(&portal);
    ask_for_reset(&mut guesser, &address).await;
    let link = link_in(&site.mail_to(&address, 3).await);
    let page = guesser.open(&link).await;
    let mut last = StatusCode::OK;
    for n in 0..3 {
        let guess = format!("wrong guess number {n}");
        last = guesser
            .send(&page.button("Continue").with("answer", &guess))
            .await
            .status;
    }
    assert_eq!(last, StatusCode::GONE, "the third wrong answer ends the link");
    let right = guesser
        .send(&page.button("Continue").with("answer", ANSWER))
        .await;
    assert_eq!(right.status, StatusCode::GONE);
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
}

/// Asks for a reset without the answer; 4 mails so far.
async fn ask_without_answer(site: &Site, person: &mut Person, address: &str) {
    ask_for_reset(person, address).await;
    let page = person.open(&link_in(&site.mail_to(address, 3).await)).await;
    let asked = person.send(&page.button("I cannot answer this")).await;
    assert!(asked.status.is_success(), "{:?}", asked.errors());
    let told = site.mail_to(address, 4).await;
    assert_eq!(told.subject, "Someone asked to reset without the Secret Answer");
    assert!(
        link_in(&told).starts_with("/account/cancel-recovery?t="),
        "{}",
        told.text
    );
}

async fn who_cannot_answer_waits_a_day(database: Database) {
    // RST-7, P14
    let site = Site::new(database);
    let portal = site.open().await;
    let (_, address) = owner(&site, &portal, "patient").await;
    let mut person = Person::at(&portal);
    ask_without_answer(&site, &mut person, &address).await;
    site.clock().advance(Duration::from_secs(3600));
    site.mail_to(&address, 5).await;
    site.clock().advance(Duration::from_secs(11 * 3600));
    site.mail_to(&address, 6).await;
    site.clock().advance(DAY / 2);
    let mail = site.mail_to(&address, 7).await;
    assert_eq!(mail.subject, "Reset your password");
    let page = person.open(&link_in(&mail)).await;
    let done = choose_password(&mut person, &page, NEW_PASSWORD).await;
    assert_eq!(done.h1(), "Login", "{:?}", done.errors());
    assert_eq!(log_in(&mut person, &address, NEW_PASSWORD).await.path, "/home");
}

async fn a_login_takes_back_what_was_asked_for_without_the_answer(database: Database) {
    // RST-7
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, "awake").await;
    let mut stranger = Person::at(&portal);
    ask_without_answer(&site, &mut stranger, &address).await;
    let cancel = link_in(&site.mail_to(&address, 4).await);
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    site.clock().advance(DAY * 2);
    let over = stranger.open(&cancel).await;
    assert_eq!(over.status, StatusCode::GONE, "{}", over.main());
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
}

async fn who_cannot_answer_has_whom_to_ask_or_nothing_where_nobody_may_wait(database: Database) {
    // P14, PORTAL_RECOVERY_FALLBACK
    for (fallback, told) in [("administrator", true), ("none", false)] {
        let mut site = Site::new(database);
        site.set("PORTAL_RECOVERY_FALLBACK", fallback);
        let portal = site.open().await;
        let (_, address) = owner(&site, &portal, fallback).await;
        let mut person = Person::at(&portal);
        ask_for_reset(&mut person, &address).await;
        let page = person.open(&link_in(&site.mail_to(&address, 3).await)).await;
        assert_eq!(page.h1(), "Reset your password");
        for words in ["I cannot answer this", "Write to help@portal.example"] {
            assert_eq!(page.main().contains(words), told, "{fallback}: {}", page.main());
        }
        assert!(
            !page.main().contains("set a new password without it"),
            "{}",
            page.main()
        );
        assert!(page.attributes_of("[value=slowly]", "value").is_empty());
        let forced = person.send(&page.button("Continue").forced("do", "slowly")).await;
        assert!(!forced.main().contains("You have asked"), "{}", forced.main());
        assert_eq!(outbox(&site, &address).lines().count(), 3, "nobody waits");
    }
}

async fn an_address_without_account_gets_no_mail_where_it_is_not_to_be_told(database: Database) {
    // P13, E6, PORTAL_TELL_UNKNOWN
    let mut site = Site::new(database);
    site.set("PORTAL_TELL_UNKNOWN", "false");
    let portal = site.open().await;
    let (_, known) = owner(&site, &portal, "known").await;
    let unknown = fresh_address("unknown");
    let mut person = Person::at(&portal);
    for address in [&unknown, &known] {
        let sent = ask_for_reset(&mut person, address).await;
        let always = "If the address has an account, an email is on its way.";
        assert!(sent.main().contains(always), "{}", sent.main());
    }
    assert_eq!(site.mail_to(&known, 3).await.subject, "Reset your password");
    assert_eq!(outbox(&site, &unknown), "");
}

/// Every mail to the address, sent or not, a line each.
fn outbox(site: &Site, address: &str) -> String {
    let output = site.run(&["outbox", "list", "--to", address]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
