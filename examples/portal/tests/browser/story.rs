//! The whole story as a person lives it: registration, mail, login, the gated area and its code.

use std::time::Duration;

use crate::rig::site::{code_in, link_in};
use crate::rig::{ANSWER, Database, PASSWORD, Site, fresh_address};
use crate::screen::{Hands, Screen};

#[tokio::test]
async fn by_mouse_with_scripts() {
    from_registration_to_the_area(Database::Sqlite, Hands::Mouse, true, Pictures::Taken).await;
}

#[tokio::test]
async fn by_keyboard_alone() {
    from_registration_to_the_area(Database::Postgres, Hands::Keyboard, true, Pictures::None).await;
}

#[tokio::test]
async fn by_mouse_without_scripts() {
    from_registration_to_the_area(Database::Postgres, Hands::Mouse, false, Pictures::None).await;
}

#[tokio::test]
async fn by_keyboard_without_scripts() {
    from_registration_to_the_area(Database::Sqlite, Hands::Keyboard, false, Pictures::None).await;
}

/// Whether each page is looked at in every width on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pictures {
    Taken,
    None,
}

impl Pictures {
    async fn of(self, screen: &Screen, name: &str) {
        assert_eq!(
            screen.look("return document.querySelectorAll('h1').length").await,
            1,
            "{name}"
        );
        if self == Self::Taken {
            screen.inspect(name).await;
        }
    }
}

async fn from_registration_to_the_area(database: Database, hands: Hands, scripts: bool, pictures: Pictures) {
    let site = Site::new(database);
    let portal = site.open().await;
    let screen = Screen::at(&portal, hands, scripts).await;
    let address = fresh_address("jo");

    screen.open("/").await;
    assert_eq!(screen.title().await, "Home - Professional Portal");
    pictures.of(&screen, "01-home").await;
    screen.follow("Register").await;
    register(&screen, &address, scripts, pictures).await;

    let link = link_in(&site.mail_to(&address, 1).await);
    confirm(&screen, &link, pictures).await;
    site.mail_to(&address, 2).await;
    log_in_after_registering(&screen, &address, pictures).await;

    screen.follow("SEND (EHCP) & Early Help (EHAT)").await;
    screen.arrives_at("Two Step Verification is needed here").await;
    pictures.of(&screen, "15-area-closed").await;
    turn_two_step_on(&site, &screen, pictures).await;

    screen.fill("email", &address).await;
    screen.fill("password", PASSWORD).await;
    screen.press("Login").await;
    screen.arrives_at("Verification Code sent").await;
    let code = code_in(&site.mail_to(&address, 4).await);
    pictures.of(&screen, "18-code").await;
    screen.fill("code", "12345").await;
    screen.press("Verify").await;
    screen.until("return document.title.startsWith('Error: ')").await;
    assert_eq!(
        screen.text(".summary li").await,
        "You've not entered enough numbers, the code must be 6 numbers"
    );
    pictures.of(&screen, "19-code-wrong").await;
    let (first, last) = code.split_at(3);
    screen.fill("code", &format!("{first} {last}")).await;
    screen.press("Verify").await;
    screen.arrives_at("SEND (EHCP) & Early Help (EHAT)").await;
    assert_eq!(screen.path().await, "/areas/send-ehat");
    pictures.of(&screen, "20-area").await;

    screen.press("Logout").await;
    screen.arrives_at("Login").await;
    assert_eq!(screen.text(".notice").await, "You have logged out.");
    pictures.of(&screen, "21-logged-out").await;
    around(&screen, pictures).await;
    screen.close().await;
}

async fn register(screen: &Screen, address: &str, scripts: bool, pictures: Pictures) {
    screen.arrives_at("Registration").await;
    pictures.of(screen, "02-security-details").await;
    // A first try with a slip in the repeated address.
    screen.fill("email", address).await;
    screen.fill("email2", "jo@school.example").await;
    screen.fill("new-password", PASSWORD).await;
    screen.fill("new-password2", PASSWORD).await;
    screen.choose("question", "The model of your first car?").await;
    screen.fill("answer", ANSWER).await;
    screen.press("Next").await;
    screen.until("return document.title.startsWith('Error: ')").await;
    // R3: the summary has the focus, and its link leads into the field.
    screen
        .until("return document.activeElement.classList.contains('summary')")
        .await;
    pictures.of(screen, "03-security-details-wrong").await;
    screen
        .follow("Confirm New Email value must match your Email Address")
        .await;
    screen.until("return location.hash === '#email2'").await;
    assert_eq!(screen.value("#email").await, address, "what was typed is kept");
    assert_eq!(screen.value("#new-password").await, "");
    screen.fill("email2", address).await;
    screen.fill("new-password", PASSWORD).await;
    screen.fill("new-password2", PASSWORD).await;
    screen.fill("answer", ANSWER).await;
    screen.press("Next").await;

    screen
        .until("return location.pathname.endsWith('/about-you')")
        .await;
    pictures.of(screen, "04-about-you").await;
    screen.fill("title", "Dr").await;
    screen.fill("forename", "Jo").await;
    screen.fill("surname", "Bloggs").await;
    screen.tick("gender", "undisclosed").await;
    screen.press("Next").await;

    screen
        .until("return location.pathname.endsWith('/work-details')")
        .await;
    pictures.of(screen, "05-work-details").await;
    screen.fill("role", "Forest School Leader").await;
    screen.fill("organisation", "Hill School").await;
    screen.fill("postcode", "aa11aa").await;
    screen.press("Find Address").await;
    screen.until("return location.search === '?address=find'").await;
    assert_eq!(
        screen.value("#role").await,
        "Forest School Leader",
        "a role of one's own is kept"
    );
    screen.tick("address", "AA1 1AA-1").await;
    pictures.of(screen, "06-work-details-found").await;
    screen.press("Enter Address Manually").await;
    screen.until("return location.search === '?address=manual'").await;
    pictures.of(screen, "07-work-details-manual").await;
    screen.press("Submit Registration").await;
    screen.until("return document.title.startsWith('Error: ')").await;
    pictures.of(screen, "08-work-details-wrong").await;
    screen.fill("address_line1", "1 High Street").await;
    screen.fill("town", "Sheffield").await;
    screen.fill("mobile", "07700 900123").await;
    // A look back at the step before, and nothing is lost.
    screen.press("Previous").await;
    screen
        .until("return location.pathname.endsWith('/about-you')")
        .await;
    assert_eq!(screen.value("#forename").await, "Jo");
    screen.press("Next").await;
    screen
        .until("return location.pathname.endsWith('/work-details')")
        .await;
    assert_eq!(screen.value("#mobile").await, "07700 900123");
    assert_eq!(screen.value("#town").await, "Sheffield");
    screen.press("Submit Registration").await;
    screen.arrives_at("Check your email").await;
    pictures.of(screen, "09-sent").await;

    // R12; a browser without scripts may show the page as it was left, and sending it again is harmless.
    screen.back().await;
    screen
        .until("return location.pathname.endsWith('/work-details') && document.readyState === 'complete'")
        .await;
    if !scripts && screen.has("#role").await {
        screen.press("Submit Registration").await;
    }
    screen.arrives_at("You have already sent this registration").await;
    pictures.of(screen, "10-already-sent").await;
    screen.follow("What to do next").await;
    screen.arrives_at("Check your email").await;
}

async fn confirm(screen: &Screen, link: &str, pictures: Pictures) {
    screen.open(link).await;
    screen.arrives_at("Confirm your email address").await;
    assert_eq!(screen.path().await, "/account/complete-registration");
    pictures.of(screen, "11-confirm").await;
    screen.fill("password", PASSWORD).await;
    screen.press("Complete registration").await;
    screen.arrives_at("Thank you for registering").await;
    pictures.of(screen, "12-thank-you").await;
}

async fn log_in_after_registering(screen: &Screen, address: &str, pictures: Pictures) {
    screen.follow("Login").await;
    screen.arrives_at("Login").await;
    assert_eq!(screen.value("#email").await, address, "the address is filled in");
    screen.fill("password", "Wrong-Horse-42-battery").await;
    screen.press("Login").await;
    screen.until("return document.title.startsWith('Error: ')").await;
    assert_eq!(
        screen.text(".summary li").await,
        "Email Address or Password is not correct."
    );
    pictures.of(screen, "13-login-wrong").await;
    screen.fill("password", PASSWORD).await;
    screen.press("Login").await;
    screen.arrives_at("Welcome, Jo").await;
    pictures.of(screen, "14-signed-in").await;
    screen.open("/account").await;
    screen.arrives_at("My Account").await;
    pictures.of(screen, "14-my-account").await;
    screen.back().await;
    screen.arrives_at("Welcome, Jo").await;
}

async fn turn_two_step_on(site: &Site, screen: &Screen, pictures: Pictures) {
    // Longer than a fresh login counts as a proof of who it is.
    site.clock().advance(Duration::from_secs(301));
    screen.follow("Turn on Two Step Verification").await;
    screen.arrives_at("Two Step Verification").await;
    pictures.of(screen, "16-two-step").await;
    screen.choose("preferred_method", "Email").await;
    screen.press("Save").await;
    screen.arrives_at("Confirm it is you").await;
    pictures.of(screen, "17-confirm-it-is-you").await;
    screen.fill("password", PASSWORD).await;
    screen.press("Continue").await;
    screen.arrives_at("Two Step Verification").await;
    let chosen = "return document.getElementById('preferred_method').value";
    assert_eq!(screen.look(chosen).await, "email", "the choice is kept");
    screen.press("Save").await;
    screen.arrives_at("Login").await;
    assert_eq!(
        screen.text(".notice").await,
        "Two Step Verification is on. Log in again."
    );
}

/// The pages beside the way.
async fn around(screen: &Screen, pictures: Pictures) {
    for (name, path, heading) in [
        ("22-help", "/help", "Help"),
        (
            "23-forgotten-password",
            "/account/forgotten-password",
            "Forgotten your password?",
        ),
        ("24-timed-out", "/account/timed-out", "You have been logged out"),
        ("25-not-found", "/no/such/page", "Page not found"),
        (
            "26-link-unknown",
            "/account/complete-registration?t=abc",
            "Check that the whole link was copied",
        ),
    ] {
        screen.open(path).await;
        screen.arrives_at(heading).await;
        pictures.of(screen, name).await;
    }
}
