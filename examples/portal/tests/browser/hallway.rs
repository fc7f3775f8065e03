//! The test with people in the hallway (portal.md, section 7), at 320 pixels: what a person must be able to do, with
//! nothing typed twice and no dead end.

use std::time::Duration;

use crate::rig::journey::{account, log_in};
use crate::rig::program::Portal;
use crate::rig::site::{code_in, link_in};
use crate::rig::{ANSWER, Database, PASSWORD, Person, Site, fresh_address};
use crate::screen::{Hands, Screen};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
/// As a password manager makes them.
const MANAGERS_PASSWORD: &str = "m7&Vq9#zT2wKp!4xRb8$Yd6=";

/// A site, and somebody before it with a telephone.
async fn hallway() -> (Site, Portal, Screen) {
    let site = Site::new(Database::Sqlite);
    let portal = site.open().await;
    let screen = Screen::at(&portal, Hands::Mouse, true).await;
    screen.set_view(320, false).await;
    (site, portal, screen)
}

/// Nothing is wider than the telephone, and there is a way on.
async fn fits_and_goes_on(screen: &Screen) {
    let path = screen.path().await;
    let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(screen.look(wide).await, 0, "{path} is too wide");
    let ways = "return document.querySelectorAll('main a[href], main button').length";
    assert!(screen.look(ways).await.as_u64() > Some(0), "{path} is a dead end");
}

/// Fills in a field as a password manager does, without a key being pressed.
async fn manager_fills(screen: &Screen, field: &str, text: &str) {
    let fill = format!(
        "const f = document.getElementById({}); f.value = {}; \
         f.dispatchEvent(new Event('input', {{ bubbles: true }})); f.dispatchEvent(new Event('change', {{ bubbles: true }}))",
        serde_json::json!(field),
        serde_json::json!(text)
    );
    screen.look(&fill).await;
}

/// Step 1 as a manager and a person fill it in together, without the repeated address.
async fn security_details(screen: &Screen, address: &str) {
    screen.open("/account/register").await;
    screen.arrives_at("Registration").await;
    screen.fill("email", address).await;
    manager_fills(screen, "new-password", MANAGERS_PASSWORD).await;
    manager_fills(screen, "new-password2", MANAGERS_PASSWORD).await;
    screen.choose("question", "The model of your first car?").await;
    screen.fill("answer", ANSWER).await;
}

async fn goes_on_to(screen: &Screen, step: &str) {
    let arrived =
        format!("return location.pathname.endsWith('/{step}') && document.readyState === 'complete'");
    screen.until(&arrived).await;
    fits_and_goes_on(screen).await;
}

#[tokio::test]
async fn somebody_registers_with_a_managers_password_mends_the_address_and_has_lunch() {
    let (site, _portal, screen) = hallway().await;
    let address = fresh_address("hallway");
    security_details(&screen, &address).await;
    // Every rule of the page is kept by what the manager was told to make.
    screen
        .until("return [...document.querySelectorAll('[data-rule]')].every(e => e.classList.contains('met'))")
        .await;
    screen.fill("email2", "hallway@school.exmaple").await;
    screen.press("Next").await;
    screen.until("return document.title.startsWith('Error: ')").await;
    fits_and_goes_on(&screen).await;
    assert_eq!(screen.value("#email").await, address, "kept");
    screen.fill("email2", &address).await;
    manager_fills(&screen, "new-password", MANAGERS_PASSWORD).await;
    manager_fills(&screen, "new-password2", MANAGERS_PASSWORD).await;
    screen.fill("answer", ANSWER).await;
    screen.press("Next").await;
    goes_on_to(&screen, "about-you").await;
    screen.fill("title", "Dr").await;
    screen.fill("forename", "Jo").await;
    screen.fill("surname", "Bloggs").await;
    screen.tick("gender", "undisclosed").await;
    screen.press("Next").await;
    goes_on_to(&screen, "work-details").await;

    // Lunch, with the form half filled in.
    screen.fill("role", "Forest School Leader").await;
    screen.fill("organisation", "Hill School").await;
    site.clock().advance(HOUR + MINUTE * 45);
    screen.fill("postcode", "AA1 1AA").await;
    screen.press("Find Address").await;
    screen.until("return location.search === '?address=find'").await;
    fits_and_goes_on(&screen).await;
    assert_eq!(screen.value("#role").await, "Forest School Leader");
    assert_eq!(screen.value("#organisation").await, "Hill School");
    screen.tick("address", "AA1 1AA-1").await;
    screen.press("Submit Registration").await;
    screen.arrives_at("Check your email").await;
    fits_and_goes_on(&screen).await;

    // The link, twice, and then once more the day after.
    let link = link_in(&site.mail_to(&address, 1).await);
    screen.open(&link).await;
    screen.arrives_at("Confirm your email address").await;
    screen.open(&link).await;
    screen.arrives_at("Confirm your email address").await;
    fits_and_goes_on(&screen).await;
    manager_fills(&screen, "password", MANAGERS_PASSWORD).await;
    screen.press("Complete registration").await;
    screen.arrives_at("Thank you for registering").await;
    screen.open(&link).await;
    screen.arrives_at("Thank you for registering").await;
    screen.follow("Login").await;
    screen.arrives_at("Login").await;
    assert_eq!(screen.value("#email").await, address, "not typed again");
    manager_fills(&screen, "password", MANAGERS_PASSWORD).await;
    screen.press("Login").await;
    screen.arrives_at("Welcome, Jo").await;
    fits_and_goes_on(&screen).await;
    screen.close().await;
}

#[tokio::test]
async fn somebody_whose_link_is_over_asks_for_another_and_types_nothing_again() {
    let (site, portal, screen) = hallway().await;
    let address = fresh_address("late");
    crate::rig::journey::register(&mut Person::at(&portal), &address).await;
    let link = link_in(&site.mail_to(&address, 1).await);
    site.clock().advance(HOUR * 12);
    screen.open(&link).await;
    screen.arrives_at("This link has stopped working").await;
    fits_and_goes_on(&screen).await;
    screen.press("Send a new link").await;
    screen.arrives_at("Check your email").await;
    screen.open(&link_in(&site.mail_to(&address, 2).await)).await;
    screen.arrives_at("Confirm your email address").await;
    screen.fill("password", PASSWORD).await;
    screen.press("Complete registration").await;
    screen.arrives_at("Thank you for registering").await;
    screen.close().await;
}

/// Somebody with an account who logs in on this telephone; 2 mails so far.
async fn logged_in(site: &Site, portal: &Portal, screen: &Screen, name: &str) -> String {
    let address = fresh_address(name);
    account(site, &mut Person::at(portal), &address).await;
    screen.open("/").await;
    log_in_here(screen, &address, PASSWORD).await;
    screen.arrives_at("Welcome, Jo").await;
    address
}

async fn log_in_here(screen: &Screen, address: &str, password: &str) {
    screen.fill("email", address).await;
    screen.fill("password", password).await;
    screen.press("Login").await;
}

#[tokio::test]
async fn somebody_turns_two_step_on_from_the_gated_tile_and_arrives_there() {
    let (site, portal, screen) = hallway().await;
    let address = logged_in(&site, &portal, &screen, "gated").await;
    let area = "SEND (EHCP) & Early Help (EHAT)";
    screen.follow(area).await;
    screen.arrives_at("Two Step Verification is needed here").await;
    fits_and_goes_on(&screen).await;
    screen.follow("Turn on Two Step Verification").await;
    screen.arrives_at("Two Step Verification").await;
    fits_and_goes_on(&screen).await;
    screen.choose("preferred_method", "Email").await;
    screen.press("Save").await;
    screen.arrives_at("Login").await;
    log_in_here(&screen, &address, PASSWORD).await;
    screen.arrives_at("Verification Code sent").await;
    fits_and_goes_on(&screen).await;
    let code = code_in(&site.mail_about(&address, "Your Verification Code").await);
    let (first, last) = code.split_at(3);
    screen.fill("code", &format!(" {first}  {last} ")).await;
    screen.press("Verify").await;
    screen.arrives_at(area).await;
    assert_eq!(screen.path().await, "/areas/send-ehat");
    screen.close().await;
}

#[tokio::test]
async fn somebody_times_out_while_typing_circumstances_and_loses_nothing() {
    let (site, portal, screen) = hallway().await;
    let address = logged_in(&site, &portal, &screen, "typing").await;
    screen.open("/account/change-of-circumstances").await;
    screen.arrives_at("Change of Circumstances").await;
    fits_and_goes_on(&screen).await;
    screen.tick("change", "other").await;
    screen.fill("details", "My line manager is now Ola Smith.").await;
    site.clock().advance(MINUTE * 30);
    screen
        .look("document.dispatchEvent(new Event('visibilitychange'))")
        .await;
    screen.arrives_at("You have been logged out").await;
    fits_and_goes_on(&screen).await;
    log_in_here(&screen, &address, PASSWORD).await;
    screen.arrives_at("Change of Circumstances").await;
    assert_eq!(
        screen.value("#details").await,
        "My line manager is now Ola Smith."
    );
    let chosen = "return document.querySelector('[name=change]:checked').value";
    assert_eq!(screen.look(chosen).await, "other");
    screen.close().await;
}

#[tokio::test]
async fn somebody_resets_without_remembering_the_answer() {
    let (site, portal, screen) = hallway().await;
    let address = fresh_address("forgetful");
    account(&site, &mut Person::at(&portal), &address).await;
    site.clock().advance(MINUTE * 2);
    screen.open("/account/login").await;
    screen.follow("Forgotten your password?").await;
    screen.arrives_at("Forgotten your password?").await;
    screen.fill("email", &address).await;
    screen.press("Send reset link").await;
    screen
        .until("return document.querySelector('.notice') !== null")
        .await;
    screen.open(&link_in(&site.mail_to(&address, 3).await)).await;
    screen.arrives_at("Reset your password").await;
    fits_and_goes_on(&screen).await;
    screen.press("I cannot answer this").await;
    screen
        .until("return document.querySelector('main').textContent.includes('we send you a link')")
        .await;
    fits_and_goes_on(&screen).await;
    site.mail_to(&address, 4).await;
    for (wait, mails) in [(HOUR, 5), (HOUR * 11, 6), (HOUR * 12, 7)] {
        site.clock().advance(wait);
        site.mail_to(&address, mails).await;
    }
    let mail = site.mail_about(&address, "Reset your password").await;
    screen.open(&link_in(&mail)).await;
    screen.arrives_at("Choose a new password").await;
    fits_and_goes_on(&screen).await;
    manager_fills(&screen, "new-password", MANAGERS_PASSWORD).await;
    manager_fills(&screen, "new-password2", MANAGERS_PASSWORD).await;
    screen.press("Save").await;
    screen.arrives_at("Login").await;
    let mut elsewhere = Person::at(&portal);
    assert_eq!(
        log_in(&mut elsewhere, &address, MANAGERS_PASSWORD).await.path,
        "/home"
    );
    screen.close().await;
}
