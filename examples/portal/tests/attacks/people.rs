//! Who is in the cases: owners of accounts, and browsers that nobody has seen before.

use std::time::Duration;

use test_rig::{ParsedMail, parse_mail};

use crate::chance::Chance;
use crate::rig::journey::{account, log_in, turn_two_step_on};
use crate::rig::program::Portal;
use crate::rig::site::code_in;
use crate::rig::{PASSWORD, Page, Person, Site};

/// A browser that nobody has seen before, in a network of its own.
pub fn stranger(portal: &Portal, chance: &mut Chance) -> Person {
    Person::from(portal, &chance.network())
}

/// Somebody with an account, in the browser that made it, not logged in; 2 mails so far, and the next may go out.
pub async fn owner(site: &Site, portal: &Portal, chance: &mut Chance, name: &str) -> (Person, String) {
    let address = chance.address(name);
    let mut person = stranger(portal, chance);
    account(site, &mut person, &address).await;
    site.clock().advance(Duration::from_secs(60));
    (person, address)
}

/// An owner whose second step is on; 3 mails so far.
pub async fn owner_with_two_step(
    site: &Site,
    portal: &Portal,
    chance: &mut Chance,
    name: &str,
) -> (Person, String) {
    let (mut person, address) = owner(site, portal, chance, name).await;
    log_in(&mut person, &address, PASSWORD).await;
    turn_two_step_on(&mut person).await;
    site.mail_to(&address, 3).await;
    (person, address)
}

/// The newest mail with this subject after the first `seen`; others may come between.
pub async fn mail_about(site: &Site, address: &str, seen: usize, subject: &str) -> ParsedMail {
    let mut wanted = seen + 1;
    loop {
        let mails = site.smtp().wait_for_mail_to(address, wanted).await;
        let mut parsed = mails[seen..].iter().rev().map(|mail| parse_mail(&mail.raw));
        if let Some(mail) = parsed.find(|mail| mail.subject == subject) {
            return mail;
        }
        wanted = mails.len() + 1;
    }
}

/// The code in the newest mail to the address that came after the first `seen`; notices may come between.
pub async fn code_mailed(site: &Site, address: &str, seen: usize) -> String {
    code_in(&mail_about(site, address, seen, "Your Verification Code").await)
}

/// Gives the right password where the second step is on; the page that asks for the code, and the code.
pub async fn half_sign_in(site: &Site, person: &mut Person, address: &str, password: &str) -> (Page, String) {
    let seen = site.mails_to(address);
    let page = log_in(person, address, password).await;
    assert_eq!(page.h1(), "Verification Code sent", "{:?}", page.errors());
    (page, code_mailed(site, address, seen).await)
}
