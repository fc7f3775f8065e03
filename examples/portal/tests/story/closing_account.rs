//! Closing an account, bringing it back from the mail, and what is left when the grace is over (P27, CHG-5).

use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::rig::journey::{account, complete, log_in, register};
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_person_closes_the_account_and_brings_it_back
    closing_asks_for_the_password_and_a_fresh_proof
    an_old_proof_is_renewed_before_the_password_is_typed
    registering_meanwhile_mails_the_way_back_and_shows_nothing
    after_the_grace_nothing_is_left_and_the_address_is_free
    wrong_passwords_end_the_link
}

const DAY: Duration = Duration::from_secs(86_400);
const CLOSED: &str =
    "Your account is closed. Until it is removed, the link in the email we have sent you brings it back.";

/// Somebody with an account, logged in: 2 mails.
async fn member(site: &Site, jo: &mut Person, name: &str) -> String {
    let address = fresh_address(name);
    account(site, jo, &address).await;
    log_in(jo, &address, PASSWORD).await;
    address
}

async fn close(jo: &mut Person) -> Page {
    let page = jo.open("/account/close").await;
    jo.send(&page.button("Close my account").with("password", PASSWORD))
        .await
}

/// Waits until the background has erased what is due: it works every second.
async fn purge(site: &Site) {
    let done = site.run(&["purge"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

async fn a_person_closes_the_account_and_brings_it_back(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, mut elsewhere) = (Person::at(&portal), Person::at(&portal));
    let address = member(&site, &mut jo, "closing").await;
    log_in(&mut elsewhere, &address, PASSWORD).await;

    let page = jo.open("/account/your-data").await;
    let page = jo.open(&page.link("Close your account")).await;
    assert_eq!(page.h1(), "Close your account");
    assert!(page.main().contains(&address) && page.main().contains("14 days"));
    let out = jo
        .send(&page.button("Close my account").with("password", PASSWORD))
        .await;
    assert_eq!(out.h1(), "Login");
    assert_eq!(out.notice(), CLOSED);
    assert!(jo.cookie("session").is_none());
    assert_eq!(elsewhere.open("/home").await.h1(), "Login");
    let refused = log_in(&mut jo, &address, PASSWORD).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);

    let mail = site.mail_to(&address, 3).await;
    assert!(
        mail.subject.starts_with("Your account will be closed on "),
        "{}",
        mail.subject
    );
    let link = link_in(&mail);
    assert!(link.starts_with("/account/restore?t="), "{link}");
    site.clock().advance(DAY * 13);
    // Opening it changes nothing, and the token leaves the address bar (TOK-5).
    for method in [Method::HEAD, Method::GET] {
        Person::at(&portal).ask(method, &link, &[]).await;
    }
    let mut home = Person::at(&portal);
    let page = home.open(&link).await;
    assert_eq!(page.path, "/account/restore");
    assert_eq!(page.h1(), "Restore your account");
    assert!(!page.main().contains(&address), "the address is masked");
    let back = home
        .send(&page.button("Restore my account").with("password", PASSWORD))
        .await;
    assert_eq!(back.h1(), "Login");
    assert_eq!(back.notice(), "Your account is restored. Log in.");
    assert_eq!(back.value_of("email"), address);
    assert!(home.cookie("session").is_none(), "no session is opened");
    let in_again = log_in(&mut home, &address, PASSWORD).await;
    assert_eq!(in_again.h1(), "Welcome, Jo");

    let used = Person::at(&portal).open(&link).await;
    assert_eq!(used.status, StatusCode::GONE);
    assert_eq!(used.h1(), "This link has been used");
    // The time at which it would have gone is nothing to it now.
    site.clock().advance(DAY * 2);
    purge(&site).await;
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.h1(), "Welcome, Jo");
}

async fn closing_asks_for_the_password_and_a_fresh_proof(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    member(&site, &mut jo, "proof").await;
    let page = jo.open("/account/close").await;
    for (typed, message) in [
        ("", "Password is required"),
        ("Wrong-Horse-42-battery", "Password is not correct."),
    ] {
        let form = page.button("Close my account").with("password", typed);
        let again = jo.send(&form).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(again.errors(), [message]);
        assert!(again.title().starts_with("Error: "), "{}", again.title());
    }
    site.clock().advance(Duration::from_secs(301));
    let form = page.button("Close my account").with("password", PASSWORD);
    let asked = jo.send(&form).await;
    assert_eq!(asked.h1(), "Confirm it is you");
    let back = jo
        .send(&asked.button("Continue").with("password", PASSWORD))
        .await;
    assert_eq!(back.h1(), "Close your account");
    assert_eq!(back.value_of("password"), "");
    let out = jo
        .send(&back.button("Close my account").with("password", PASSWORD))
        .await;
    assert_eq!(out.notice(), CLOSED);
}

async fn an_old_proof_is_renewed_before_the_password_is_typed(database: Database) {
    // STP-3, R11
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    member(&site, &mut jo, "first").await;
    let fresh = jo.open("/account/close").await;
    assert!(!fresh.main().contains("Confirm it is you"));
    site.clock().advance(Duration::from_secs(301));
    let page = jo.open("/account/close").await;
    let asked = jo.open(&page.link("Confirm it is you")).await;
    let form = asked.button("Continue").with("password", PASSWORD);
    let page = jo.send(&form).await;
    assert_eq!(page.path, "/account/close");
    assert!(!page.main().contains("Confirm it is you"));
    let form = page.button("Close my account").with("password", PASSWORD);
    assert_eq!(jo.send(&form).await.notice(), CLOSED);
}

async fn registering_meanwhile_mails_the_way_back_and_shows_nothing(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = member(&site, &mut jo, "again").await;
    close(&mut jo).await;
    let link = link_in(&site.mail_to(&address, 3).await);
    site.clock().advance(DAY);
    // ENU-1, CHG-5: the page is the one that everybody gets.
    let (mut one, mut two) = (Person::at(&portal), Person::at(&portal));
    let fresh = fresh_address("again-new");
    let known = register(&mut one, &address).await;
    let unknown = register(&mut two, &fresh).await;
    assert_eq!(
        known.main().replace(&address, ""),
        unknown.main().replace(&fresh, "")
    );
    let mail = site.mail_to(&address, 4).await;
    assert_eq!(link_in(&mail), link, "the same link while it works");
    let page = one.open(&link).await;
    let back = one
        .send(&page.button("Restore my account").with("password", PASSWORD))
        .await;
    assert_eq!(back.notice(), "Your account is restored. Log in.");
}

async fn after_the_grace_nothing_is_left_and_the_address_is_free(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = member(&site, &mut jo, "gone").await;
    close(&mut jo).await;
    let link = link_in(&site.mail_to(&address, 3).await);
    site.clock().advance(DAY * 14);
    let late = jo.open(&link).await;
    assert!(
        [StatusCode::GONE, StatusCode::NOT_FOUND].contains(&late.status),
        "{}",
        late.status
    );
    purge(&site).await;
    let gone = Person::at(&portal).open(&link).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let found = site.run(&["accounts", "find", &address]);
    assert!(!found.status.success());

    // Whoever registers it now inherits nothing.
    let mut heir = Person::at(&portal);
    register(&mut heir, &address).await;
    let mail = site.mail_to(&address, 4).await;
    assert_eq!(mail.subject, "Complete your registration - Professional Portal");
    complete(&mut heir, &link_in(&mail), PASSWORD).await;
    log_in(&mut heir, &address, PASSWORD).await;
    let told = heir.open("/account/activity").await.texts_of("main dl dd");
    assert_eq!(told.len(), 2, "{told:?}");
}

async fn wrong_passwords_end_the_link(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = member(&site, &mut jo, "wrong").await;
    close(&mut jo).await;
    let link = link_in(&site.mail_to(&address, 3).await);
    let mut page = jo.open(&link).await;
    for left in ["4 tries", "3 tries", "2 tries", "1 try"] {
        let form = page
            .button("Restore my account")
            .with("password", "Wrong-Horse-42-battery");
        page = jo.send(&form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.errors(), [format!("Password is not correct. {left} left.")]);
    }
    let form = page
        .button("Restore my account")
        .with("password", "Wrong-Horse-42-battery");
    let over = jo.send(&form).await;
    assert_eq!(over.status, StatusCode::GONE);
    assert_eq!(over.h1(), "This link no longer works");
    // Registering mails another one.
    site.clock().advance(Duration::from_secs(120));
    register(&mut Person::at(&portal), &address).await;
    let another = link_in(&site.mail_to(&address, 4).await);
    assert_ne!(another, link);
    let page = jo.open(&another).await;
    let back = jo
        .send(&page.button("Restore my account").with("password", PASSWORD))
        .await;
    assert_eq!(back.notice(), "Your account is restored. Log in.");
}
