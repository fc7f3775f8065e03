//! A list of breached passwords beside the portal: refused on every page that sets one (PWD-2, ASVS 6.2.12).

use std::fs;
use std::time::Duration;

use crate::rig::journey::{a_question, account, log_in};
use crate::rig::site::link_in;
use crate::rig::{ANSWER, Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_breached_password_is_refused_on_every_page_and_another_one_is_taken
    a_list_that_is_lost_refuses_or_accepts_as_it_is_set
}

/// Its SHA-1 stands in the list; `printf Breached-Badger-88 | sha1sum`.
const BREACHED: &str = "Breached-Badger-88";
const BREACHED_LINE: &str = "B3D337E9ED14CDE9D9A05701544E61A31134964C:4211\r\n";
const TOLD: &str = "Password must not be a password that is known from a data breach";
const TOLD_BESIDE: &str = "Password must have at least 10 characters, 2 numbers, 1 upper case letter and 1 special character, and must not be \
     a password that is known from a data breach";
const LATER: &str =
    "Your password could not be checked against known data breaches. Try again in a few minutes";

/// `printf abc | sha1sum`; the list is in the order of its hashes.
const ABC_LINE: &str = "A9993E364706816ABA3E25717850C26C9CD0D89D:9\r\n";

fn with_list(site: &mut Site) {
    let mut lines = [BREACHED_LINE, ABC_LINE];
    lines.sort_unstable();
    fs::write(site.folder().join("pwned.txt"), lines.concat()).unwrap();
    site.set("PORTAL_BREACHED_PASSWORDS", "pwned.txt");
}

async fn register(person: &mut Person, address: &str, password: &str) -> Page {
    let page = person.open("/account/register/security-details").await;
    let form = page
        .button("Next")
        .with("email", address)
        .with("email2", address)
        .with("new-password", password)
        .with("new-password2", password)
        .with("question", &a_question(&page))
        .with("answer", ANSWER);
    person.send(&form).await
}

async fn change(person: &mut Person, password: &str) -> Page {
    let page = person.open("/account/change-password").await;
    let form = page
        .button("Save")
        .with("password", PASSWORD)
        .with("new-password", password)
        .with("new-password2", password);
    person.send(&form).await
}

fn told(page: &Page) -> String {
    page.errors().join("; ")
}

async fn a_breached_password_is_refused_on_every_page_and_another_one_is_taken(database: Database) {
    let mut site = Site::new(database);
    with_list(&mut site);
    let portal = site.open().await;
    let address = fresh_address("breached");
    let mut jo = Person::at(&portal);
    assert_eq!(told(&register(&mut jo, &address, BREACHED).await), TOLD);
    assert_eq!(told(&register(&mut jo, &address, "abc").await), TOLD_BESIDE);
    account(&site, &mut jo, &address).await;

    log_in(&mut jo, &address, PASSWORD).await;
    assert_eq!(told(&change(&mut jo, BREACHED).await), TOLD);

    // One mail a minute (MAIL-5).
    site.clock().advance(Duration::from_secs(61));
    let mut elsewhere = Person::at(&portal);
    let page = elsewhere.open("/account/forgotten-password").await;
    elsewhere
        .send(&page.button("Send reset link").with("email", &address))
        .await;
    let link = link_in(&site.mail_to(&address, 3).await);
    let page = elsewhere.open(&link).await;
    let page = elsewhere
        .send(&page.button("Continue").with("answer", ANSWER))
        .await;
    let reset = |page: &Page, password: &str| {
        page.button("Save")
            .with("new-password", password)
            .with("new-password2", password)
    };
    let page = elsewhere.send(&reset(&page, BREACHED)).await;
    assert_eq!(told(&page), TOLD);
    let page = elsewhere.send(&reset(&page, "Unbroken-Badger-88")).await;
    assert_eq!(told(&page), "");
    log_in(&mut elsewhere, &address, "Unbroken-Badger-88").await;
}

async fn a_list_that_is_lost_refuses_or_accepts_as_it_is_set(database: Database) {
    for (unavailable, expected) in [("refuse", LATER), ("accept", "")] {
        let mut site = Site::new(database);
        with_list(&mut site);
        site.set("PORTAL_BREACHED_UNAVAILABLE", unavailable);
        let portal = site.open().await;
        // As long as before, so that only its content is lost.
        let length = BREACHED_LINE.len() + ABC_LINE.len();
        fs::write(site.folder().join("pwned.txt"), "-".repeat(length)).unwrap();
        let mut jo = Person::at(&portal);
        let page = register(&mut jo, &fresh_address("lost"), BREACHED).await;
        assert_eq!(told(&page), expected, "{unavailable}");
        let page = register(&mut Person::at(&portal), &fresh_address("lost"), "Short-12").await;
        assert_eq!(
            told(&page),
            "Password must have at least 10 characters",
            "{unavailable}"
        );
    }
}
