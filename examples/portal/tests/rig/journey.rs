//! The ways that many tests go, step by step as a person would.

use std::sync::atomic::{AtomicU32, Ordering};

use super::page::Page;
use super::person::Person;
use super::site::{Site, code_in, link_in};

/// A password that keeps every rule.
pub const PASSWORD: &str = "Correct-Horse-42-battery";
/// The answer to the secret question.
pub const ANSWER: &str = "Morris Minor";
/// A role from the list.
pub const ADDRESS_BOOK_ROLE: &str = "Educational Psychologist";

/// An address that no other test uses.
pub fn fresh_address(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{name}.{}@school.example", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Step 1, filled in and sent.
pub async fn security_details(person: &mut Person, address: &str) -> Page {
    let page = person.open("/account/register").await;
    let form = page
        .button("Next")
        .with("email", address)
        .with("email2", address)
        .with("new-password", PASSWORD)
        .with("new-password2", PASSWORD)
        .with("question", &a_question(&page))
        .with("answer", ANSWER);
    person.send(&form).await
}

/// The first question that can be chosen.
pub fn a_question(page: &Page) -> String {
    let values = page.attributes_of("select[name=question] option", "value");
    values.into_iter().find(|v| !v.is_empty()).unwrap()
}

/// Step 2, filled in and sent.
pub async fn about_you(person: &mut Person, page: &Page) -> Page {
    let form = page
        .button("Next")
        .with("title", "Dr")
        .with("forename", "Jo")
        .with("surname", "Bloggs")
        .with("gender", "undisclosed");
    person.send(&form).await
}

/// Step 3 with an address typed by hand, filled in and sent.
pub async fn work_details(person: &mut Person, page: &Page) -> Page {
    let form = page
        .button("Enter Address Manually")
        .with("role", ADDRESS_BOOK_ROLE)
        .with("organisation", "Hill School");
    let page = person.send(&form.with("postcode", "S1 2HH")).await;
    let form = page
        .button("Submit Registration")
        .with("address_line1", "1 High Street")
        .with("town", "Sheffield");
    person.send(&form).await
}

/// All three steps; the page after them.
pub async fn register(person: &mut Person, address: &str) -> Page {
    let about = security_details(person, address).await;
    assert_eq!(about.path, "/account/register/about-you", "{:?}", about.errors());
    let work = about_you(person, &about).await;
    assert_eq!(work.path, "/account/register/work-details", "{:?}", work.errors());
    let sent = work_details(person, &work).await;
    assert_eq!(sent.path, "/account/register/sent", "{:?}", sent.errors());
    sent
}

/// Opens a mailed link and enters the password.
pub async fn complete(person: &mut Person, link: &str, password: &str) -> Page {
    let page = person.open(link).await;
    let form = page.button("Complete registration").with("password", password);
    person.send(&form).await
}

/// Registers, opens the mailed link and enters the password: an account, with its mail read as far as "Your account
/// is ready" (2 mails).
pub async fn account(site: &Site, person: &mut Person, address: &str) {
    register(person, address).await;
    let mail = site.mail_to(address, 1).await;
    let page = complete(person, &link_in(&mail), PASSWORD).await;
    assert_eq!(page.h1(), "Thank you for registering");
    site.mail_to(address, 2).await;
}

/// Fills in the login form and sends it.
pub async fn log_in(person: &mut Person, address: &str, password: &str) -> Page {
    let page = person.open("/account/login").await;
    log_in_on(person, &page, address, password).await
}

/// Fills in the login form of a page and sends it.
pub async fn log_in_on(person: &mut Person, page: &Page, address: &str, password: &str) -> Page {
    let form = page
        .button("Login")
        .with("email", address)
        .with("password", password);
    person.send(&form).await
}

/// Turns Two Step Verification on from the gated area; ends on the login page (3 mails so far).
pub async fn turn_two_step_on(person: &mut Person) -> Page {
    let area = person.open("/areas/send-ehat").await;
    let settings = person.open(&area.link("Turn on Two Step Verification")).await;
    let form = settings.button("Save").with("preferred_method", "email");
    let page = person.send(&form).await;
    if page.path.starts_with("/account/confirm-password") {
        let confirmed = page.button("Continue").with("password", PASSWORD);
        let page = person.send(&confirmed).await;
        return person.send(&page.button("Save")).await;
    }
    page
}

/// Enters the code of the `count`-th mail.
pub async fn enter_code(site: &Site, person: &mut Person, page: &Page, address: &str, count: usize) -> Page {
    let code = code_in(&site.mail_to(address, count).await);
    person.send(&page.button("Verify").with("code", &code)).await
}
