//! What people do with an account after they have it, by keyboard alone and without scripts: every form of My Account, a
//! forgotten password, and the administrators' pages.

use std::time::Duration;

use crate::rig::journey::{
    account, ask_for_reset, enter_code, log_in, log_in_on, register, turn_two_step_on,
};
use crate::rig::site::link_in;
use crate::rig::{ANSWER, Database, PASSWORD, Person, Site, fresh_address};
use crate::screen::{Hands, Screen};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const NEW_PASSWORD: &str = "Other-Badger-17-kettle";
const THIRD_PASSWORD: &str = "Quiet-Meadow-77-lantern";

#[tokio::test]
async fn an_account_is_looked_after_by_keyboard_alone() {
    look_after_an_account(Database::Sqlite, Hands::Keyboard, true).await;
}

#[tokio::test]
async fn an_account_is_looked_after_without_scripts() {
    look_after_an_account(Database::Postgres, Hands::Keyboard, false).await;
}

#[tokio::test]
async fn administrators_work_by_keyboard_alone() {
    administer(Database::Postgres, Hands::Keyboard, true).await;
}

#[tokio::test]
async fn administrators_work_without_scripts() {
    administer(Database::Sqlite, Hands::Keyboard, false).await;
}

async fn look_after_an_account(database: Database, hands: Hands, scripts: bool) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("jo");
    account(&site, &mut jo, &address).await;
    let screen = Screen::at(&portal, hands, scripts).await;
    screen.open("/account/login").await;
    sign_in(&screen, &address, PASSWORD).await;
    screen.follow("My Account (Jo Bloggs)").await;
    screen.arrives_at("My Account").await;

    personal_details(&screen).await;
    professional_roles(&screen).await;
    change_password(&screen).await;
    change_secret_question(&screen).await;
    tell_a_change(&screen).await;
    let address = change_email(&site, &screen).await;
    // The other browser of the same person.
    log_in(&mut jo, &address, NEW_PASSWORD).await;
    sessions_and_activity(&screen).await;
    assert_eq!(jo.open("/home").await.h1(), "Login");
    close_and_restore(&site, &screen, &address).await;
    site.clock().advance(MINUTE * 2);
    forget_the_password(&site, &screen, &address).await;
    sign_in(&screen, &address, THIRD_PASSWORD).await;
    screen.press("Logout").await;
    screen.arrives_at("Login").await;
    forget_the_answer_too(&site, &screen, &mut Person::at(&portal)).await;
    screen.arrives_at("Login").await;
    screen.close().await;
}

async fn sign_in(screen: &Screen, address: &str, password: &str) {
    screen.arrives_at("Login").await;
    screen.fill("email", address).await;
    screen.fill("password", password).await;
    screen.press("Login").await;
    screen
        .until("return document.querySelector('h1')?.textContent.startsWith('Welcome, ')")
        .await;
}

/// Presses the button: something is wrong, the summary has the focus, and each of its links leads to something.
async fn is_told_what_is_wrong(screen: &Screen, button: &str, message: &str) {
    screen.press(button).await;
    screen
        .until("return document.title.startsWith('Error: ') && document.activeElement.classList.contains('summary')")
        .await;
    let told = screen.text(".summary").await;
    assert!(told.contains(message), "{message:?} in:\n{told}");
    let leads = "return [...document.querySelectorAll('.summary a')].every(a => document.getElementById(a.hash.slice(1)))";
    assert_eq!(screen.look(leads).await, true, "{}", screen.path().await);
}

/// Presses the button: it is done, and the page says so.
async fn is_done(screen: &Screen, button: &str, notice: &str) {
    screen.press(button).await;
    let told = format!(
        "return document.querySelector('.notice')?.textContent.trim().startsWith({})",
        serde_json::json!(notice)
    );
    screen.until(&told).await;
    assert!(!screen.title().await.starts_with("Error: "));
}

async fn personal_details(screen: &Screen) {
    screen.follow("Personal Details").await;
    screen.arrives_at("Personal Details").await;
    screen.fill("forename", "").await;
    is_told_what_is_wrong(screen, "Save", "Forename is required").await;
    screen.fill("forename", "Joanna").await;
    screen.tick("gender", "female").await;
    is_done(screen, "Save", "Your personal details have been saved.").await;
}

async fn professional_roles(screen: &Screen) {
    screen.follow("Work Details").await;
    screen.arrives_at("Work Details").await;
    screen.follow("Add another Professional Role").await;
    screen.arrives_at("Add another Professional Role").await;
    is_told_what_is_wrong(screen, "Save", "Please enter your role title").await;
    screen.fill("role", "Forest School Leader").await;
    screen.fill("organisation", "Vale School").await;
    screen.fill("postcode", "s1 2hh").await;
    screen.press("Enter Address Manually").await;
    screen
        .until("return document.getElementById('address_line1') !== null")
        .await;
    screen.fill("address_line1", "2 Low Street").await;
    screen.fill("town", "Sheffield").await;
    is_done(screen, "Save", "Your Professional Role has been added.").await;
    screen.tick("main", "2").await;
    is_done(screen, "Save main role", "Your work details have been saved.").await;
    screen.follow("Change Forest School Leader, Vale School").await;
    screen.arrives_at("Change a Professional Role").await;
    screen.fill("organisation", "Hill College").await;
    is_done(screen, "Save", "Your work details have been saved.").await;
    screen
        .follow("Remove Educational Psychologist, Hill School")
        .await;
    screen.arrives_at("Remove this Professional Role?").await;
    is_done(screen, "Remove", "Your Professional Role has been removed.").await;
}

async fn change_password(screen: &Screen) {
    screen.follow("Change Password").await;
    screen.arrives_at("Change Password").await;
    screen.fill("password", PASSWORD).await;
    screen.fill("new-password", "short").await;
    screen.fill("new-password2", "short").await;
    is_told_what_is_wrong(screen, "Save", "Password must have at least").await;
    screen.fill("password", PASSWORD).await;
    screen.fill("new-password", NEW_PASSWORD).await;
    screen.fill("new-password2", NEW_PASSWORD).await;
    is_done(screen, "Save", "Your password has been changed.").await;
}

async fn change_secret_question(screen: &Screen) {
    screen.follow("Change Secret Question").await;
    screen.arrives_at("Change Secret Question").await;
    screen.fill("password", NEW_PASSWORD).await;
    is_told_what_is_wrong(screen, "Save", "Choose a Secret Question").await;
    screen.fill("password", NEW_PASSWORD).await;
    screen.choose("question", "The model of your first car?").await;
    screen.fill("answer", ANSWER).await;
    is_done(screen, "Save", "Your Secret Question has been changed.").await;
}

async fn tell_a_change(screen: &Screen) {
    screen.follow("Change of Circumstances").await;
    screen.arrives_at("Change of Circumstances").await;
    is_told_what_is_wrong(screen, "Save", "Choose what has changed").await;
    screen.tick("change", "new-role").await;
    let today = screen.text("#date-hint").await;
    let today: Vec<_> = today.trim_start_matches("For example, ").split(' ').collect();
    for (part, number) in ["date-day", "date-month", "date-year"].into_iter().zip(today) {
        screen.fill(part, number).await;
    }
    screen.fill("details", "Head of Year from now on.").await;
    is_done(screen, "Save", "We have your change of circumstances.").await;
}

/// Answers the new address.
async fn change_email(site: &Site, screen: &Screen) -> String {
    let address = fresh_address("moved");
    screen.follow("Change Email Address").await;
    screen.arrives_at("Change Email Address").await;
    screen.fill("email", &address).await;
    screen.fill("email2", "someone@else.example").await;
    screen.fill("password", NEW_PASSWORD).await;
    let wrong = "Confirm New Email value must match your Email Address";
    is_told_what_is_wrong(screen, "Save", wrong).await;
    screen.fill("email2", &address).await;
    screen.fill("password", NEW_PASSWORD).await;
    is_done(screen, "Save", "We have sent an email to the new address.").await;
    screen.open(&link_in(&site.mail_to(&address, 1).await)).await;
    screen.arrives_at("Confirm your new email address").await;
    is_done(screen, "Confirm", "Your email address has been changed.").await;
    site.mail_to(&address, 2).await;
    address
}

async fn sessions_and_activity(screen: &Screen) {
    screen.open("/account").await;
    screen.follow("Where you are logged in").await;
    screen.arrives_at("Where you are logged in").await;
    is_done(
        screen,
        "Log out everywhere else",
        "You are logged out everywhere else.",
    )
    .await;
    screen.follow("Account activity").await;
    screen.arrives_at("Account activity").await;
    let told = screen.text("main").await;
    assert!(told.contains("You logged in."), "{told}");
}

async fn close_and_restore(site: &Site, screen: &Screen, address: &str) {
    screen.follow("Download or close account").await;
    screen.arrives_at("Download or close account").await;
    // A file, so the page stays.
    screen.press("Download as HTML").await;
    screen.follow("Close your account").await;
    screen.arrives_at("Close your account").await;
    is_told_what_is_wrong(screen, "Close my account", "Password is required").await;
    screen.fill("password", NEW_PASSWORD).await;
    is_done(screen, "Close my account", "Your account is closed.").await;
    screen
        .open(&link_in(
            &site.mail_about(address, "Your account will be closed on ").await,
        ))
        .await;
    screen.arrives_at("Restore your account").await;
    screen.fill("password", NEW_PASSWORD).await;
    is_done(screen, "Restore my account", "Your account is restored. Log in.").await;
}

async fn forget_the_password(site: &Site, screen: &Screen, address: &str) {
    screen.follow("Forgotten your password?").await;
    screen.arrives_at("Forgotten your password?").await;
    screen.fill("email", "").await;
    is_told_what_is_wrong(screen, "Send reset link", "Email Address is required").await;
    screen.fill("email", address).await;
    is_done(
        screen,
        "Send reset link",
        "If the address has an account, an email is on its way.",
    )
    .await;
    screen
        .open(&link_in(&site.mail_about(address, "Reset your password").await))
        .await;
    screen.arrives_at("Reset your password").await;
    is_told_what_is_wrong(screen, "Continue", "Secret Answer is required").await;
    screen.fill("answer", ANSWER).await;
    screen.press("Continue").await;
    screen.arrives_at("Choose a new password").await;
    is_told_what_is_wrong(screen, "Save", "Password is required").await;
    screen.fill("new-password", THIRD_PASSWORD).await;
    screen.fill("new-password2", THIRD_PASSWORD).await;
    is_done(screen, "Save", "Your password has been changed. Log in with it.").await;
}

/// Somebody else at the same screen, who waits a day for the link that asks for no answer.
async fn forget_the_answer_too(site: &Site, screen: &Screen, ola: &mut Person) {
    let address = fresh_address("ola");
    account(site, ola, &address).await;
    site.clock().advance(MINUTE * 2);
    ask_for_reset(ola, &address).await;
    screen
        .open(&link_in(&site.mail_about(&address, "Reset your password").await))
        .await;
    screen.arrives_at("Reset your password").await;
    screen.press("I cannot answer this").await;
    screen
        .until("return document.querySelector('main').textContent.includes('we send you a link')")
        .await;
    site.mail_to(&address, 4).await;
    for (wait, mails) in [(HOUR, 5), (HOUR * 11, 6), (HOUR * 12, 7)] {
        site.clock().advance(wait);
        site.mail_to(&address, mails).await;
    }
    screen
        .open(&link_in(&site.mail_about(&address, "Reset your password").await))
        .await;
    screen.arrives_at("Choose a new password").await;
    screen.fill("new-password", THIRD_PASSWORD).await;
    screen.fill("new-password2", THIRD_PASSWORD).await;
    is_done(screen, "Save", "Your password has been changed. Log in with it.").await;
    sign_in(screen, &address, THIRD_PASSWORD).await;
    screen.press("Logout").await;
}

async fn administer(database: Database, hands: Hands, scripts: bool) {
    let (boss, val, new) = (fresh_address("boss"), fresh_address("val"), fresh_address("new"));
    let mut site = Site::new(database);
    site.set("PORTAL_ADMINS", &boss);
    let portal = site.open().await;
    let (mut person, mut owner) = (Person::at(&portal), Person::at(&portal));
    account(&site, &mut owner, &val).await;
    log_in(&mut owner, &val, PASSWORD).await;
    register(&mut Person::at(&portal), &new).await;
    account(&site, &mut person, &boss).await;
    log_in(&mut person, &boss, PASSWORD).await;
    let login = turn_two_step_on(&mut person).await;
    site.mail_to(&boss, 3).await;
    let code = log_in_on(&mut person, &login, &boss, PASSWORD).await;
    enter_code(&site, &mut person, &code, &boss, 4).await;

    let screen = Screen::at(&portal, hands, scripts).await;
    screen.open("/help").await;
    screen.take_cookies_of(&person).await;
    screen.open("/account").await;
    screen.follow("Administration").await;
    screen.arrives_at("Accounts").await;
    screen.fill("find", &val).await;
    screen.press("Find").await;
    screen.until("return location.search.includes('find=')").await;
    screen.follow(&val).await;
    screen.arrives_at("Account").await;
    for (act, done) in [
        ("End sessions", "All sessions are ended."),
        ("Unlock", "The account is unlocked."),
        (
            "Start recovery",
            "We have emailed the owner a link that sets a new password.",
        ),
        ("Disable", "The account is disabled."),
        ("Enable", "The account is enabled."),
    ] {
        screen.follow(act).await;
        screen
            .until("return document.querySelector('h1').textContent.endsWith('account?')")
            .await;
        is_done(&screen, act, done).await;
        if act == "End sessions" {
            assert_eq!(owner.open("/home").await.h1(), "Login");
            log_in(&mut owner, &val, PASSWORD).await;
            turn_two_step_on(&mut owner).await;
        }
    }
    // The owner has turned it on meanwhile.
    screen.follow("Clear Two Step Verification").await;
    screen
        .until("return document.querySelector('h1').textContent.endsWith('account?')")
        .await;
    is_done(
        &screen,
        "Clear Two Step Verification",
        "Two Step Verification is off.",
    )
    .await;
    assert_eq!(log_in(&mut owner, &val, PASSWORD).await.path, "/home");

    // Somebody whose link has not come.
    screen.follow("Accounts").await;
    screen.arrives_at("Accounts").await;
    screen.fill("find", &new).await;
    screen.press("Find").await;
    screen.until("return location.search.includes('find=')").await;
    screen.follow(&format!("See the registration for {new}")).await;
    screen.arrives_at("Registration that waits").await;
    is_done(&screen, "Send the link again", "We have sent the link again.").await;

    screen.follow("Emails").await;
    screen.arrives_at("Emails").await;
    screen.choose("status", "Any").await;
    screen.fill("to", &new).await;
    screen.press("Find").await;
    screen.until("return location.search.includes('to=')").await;
    screen
        .until("return document.querySelectorAll('tbody tr').length === 2")
        .await;
    screen.close().await;
}
