//! The ways that many tests go, step by step as a person would.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::StatusCode;

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

/// What somebody types who registers.
#[derive(Debug, Clone)]
pub struct Registrant {
    pub address: String,
    pub password: String,
    pub answer: String,
    pub forename: String,
    pub surname: String,
    pub role: String,
    pub organisation: String,
}

impl Registrant {
    /// Jo Bloggs of Hill School, with the usual password and answer.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            password: PASSWORD.to_owned(),
            answer: ANSWER.to_owned(),
            forename: "Jo".to_owned(),
            surname: "Bloggs".to_owned(),
            role: ADDRESS_BOOK_ROLE.to_owned(),
            organisation: "Hill School".to_owned(),
        }
    }

    /// Step 1, filled in and sent.
    pub async fn security_details(&self, person: &mut Person) -> Page {
        let page = person.open("/account/register").await;
        let form = page
            .button("Next")
            .with("email", &self.address)
            .with("email2", &self.address)
            .with("new-password", &self.password)
            .with("new-password2", &self.password)
            .with("question", &a_question(&page))
            .with("answer", &self.answer);
        person.send(&form).await
    }

    /// Step 2, filled in and sent.
    pub async fn about_you(&self, person: &mut Person, page: &Page) -> Page {
        let form = page
            .button("Next")
            .with("title", "Dr")
            .with("forename", &self.forename)
            .with("surname", &self.surname)
            .with("gender", "undisclosed");
        person.send(&form).await
    }

    /// Step 3 as far as the fields of an address typed by hand.
    pub async fn role(&self, person: &mut Person, page: &Page) -> Page {
        let form = page
            .button("Enter Address Manually")
            .with("role", &self.role)
            .with("organisation", &self.organisation);
        person.send(&form.with("postcode", "S1 2HH")).await
    }

    /// Step 3 with an address typed by hand, filled in and sent by the button of this text.
    pub async fn address(&self, person: &mut Person, page: &Page, button: &str) -> Page {
        let page = self.role(person, page).await;
        let form = page
            .button(button)
            .with("address_line1", "1 High Street")
            .with("town", "Sheffield");
        person.send(&form).await
    }

    /// Step 3 and what follows it; the page after them.
    pub async fn work_details(&self, person: &mut Person, page: &Page) -> Page {
        let submit = "Submit Registration";
        if page.has_button(submit) {
            return self.address(person, page, submit).await;
        }
        // The setting shows all answers once more.
        let check = self.address(person, page, "Next").await;
        person.send(&check.button(submit)).await
    }

    /// All steps; the page after them.
    pub async fn register(&self, person: &mut Person) -> Page {
        let about = self.security_details(person).await;
        assert_eq!(about.path, "/account/register/about-you", "{:?}", about.errors());
        let work = self.about_you(person, &about).await;
        assert_eq!(work.path, "/account/register/work-details", "{:?}", work.errors());
        let sent = self.work_details(person, &work).await;
        assert_eq!(sent.path, "/account/register/sent", "{:?}", sent.errors());
        sent
    }
}

/// Step 1, filled in and sent.
pub async fn security_details(person: &mut Person, address: &str) -> Page {
    security_details_with(person, address, PASSWORD).await
}

/// Step 1 with another password.
pub async fn security_details_with(person: &mut Person, address: &str, password: &str) -> Page {
    let mut who = Registrant::new(address);
    password.clone_into(&mut who.password);
    who.security_details(person).await
}

/// The first question that can be chosen.
pub fn a_question(page: &Page) -> String {
    let values = page.attributes_of("select[name=question] option", "value");
    values.into_iter().find(|v| !v.is_empty()).unwrap()
}

/// Step 2, filled in and sent.
pub async fn about_you(person: &mut Person, page: &Page) -> Page {
    Registrant::new("").about_you(person, page).await
}

/// Step 3 with an address typed by hand, filled in and sent.
pub async fn work_details(person: &mut Person, page: &Page) -> Page {
    Registrant::new("").work_details(person, page).await
}

/// All three steps; the page after them.
pub async fn register(person: &mut Person, address: &str) -> Page {
    register_with(person, address, PASSWORD).await
}

/// All three steps with another password.
pub async fn register_with(person: &mut Person, address: &str, password: &str) -> Page {
    let mut who = Registrant::new(address);
    password.clone_into(&mut who.password);
    who.register(person).await
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

/// Asks for a reset link.
pub async fn ask_for_reset(person: &mut Person, address: &str) -> Page {
    let page = person.open("/account/forgotten-password").await;
    assert_eq!(page.status, StatusCode::OK);
    let form = page.button("Send reset link").with("email", address);
    person.send(&form).await
}

/// Opens a reset link and gives the secret answer: the page that asks for the new password.
pub async fn answer_reset(person: &mut Person, link: &str) -> Page {
    let page = person.open(link).await;
    let form = page.button("Continue").with("answer", ANSWER);
    person.send(&form).await
}

/// Types a new password into the page that asks for it.
pub async fn choose_password(person: &mut Person, page: &Page, password: &str) -> Page {
    let form = page
        .button("Save")
        .with("new-password", password)
        .with("new-password2", password);
    person.send(&form).await
}
