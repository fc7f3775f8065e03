//! What an operator sets shows on every page that depends on it.

use axum::http::StatusCode;

use crate::rig::journey::{Registrant, a_question, complete, enter_code, log_in, security_details};
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{ANSWER, Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    the_modern_preset_asks_no_secret_question_and_its_menu_leads_to_no_missing_page
    with_the_second_step_off_no_page_promises_one
    with_the_second_step_for_all_every_page_says_so
    with_the_second_step_optional_the_area_does_not_claim_it
    each_repeat_of_the_first_step_can_be_switched_off
}

const AREA: &str = "SEND (EHCP) & Early Help (EHAT)";
const TWO_STEP: &str = "/account/two-step-verification";

/// The rest of a registration whose first step is done: an account that has not logged in (2 mails).
async fn finish(site: &Site, person: &mut Person, about: &Page, address: &str) -> Page {
    assert_eq!(about.path, "/account/register/about-you", "{:?}", about.errors());
    let who = Registrant::new(address);
    let work = who.about_you(person, about).await;
    let sent = who.work_details(person, &work).await;
    assert_eq!(sent.path, "/account/register/sent", "{:?}", sent.errors());
    let link = link_in(&site.mail_to(address, 1).await);
    let thanks = complete(person, &link, PASSWORD).await;
    assert_eq!(thanks.h1(), "Thank you for registering");
    site.mail_to(address, 2).await;
    thanks
}

async fn the_modern_preset_asks_no_secret_question_and_its_menu_leads_to_no_missing_page(database: Database) {
    // P4, P17, P22, ASVS 6.4.2
    let mut site = Site::new(database);
    site.set("PORTAL_PRESET", "modern");
    let portal = site.open().await;
    let (mut jo, address) = (Person::at(&portal), fresh_address("modern"));
    let first = jo.open("/account/register").await;
    for field in ["question", "answer"] {
        assert!(!first.names_of_fields().contains(&field.to_owned()), "{field}");
    }
    let form = first
        .button("Next")
        .with("email", &address)
        .with("email2", &address)
        .with("new-password", PASSWORD)
        .with("new-password2", PASSWORD);
    let about = jo.send(&form).await;
    finish(&site, &mut jo, &about, &address).await;
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");

    let overview = jo.open("/account").await;
    assert_eq!(overview.texts_of(".menu a").len(), 9);
    assert!(
        !overview.main().contains("Secret Question"),
        "{}",
        overview.main()
    );
    for page in overview.attributes_of("main a", "href") {
        assert_eq!(jo.open(&page).await.status, StatusCode::OK, "{page}");
    }
    let missing = jo.open("/account/change-secret-question").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

/// A site with this rule, and somebody who has just completed their registration there (2 mails).
async fn registered(database: Database, rule: &str) -> (Site, Portal, Person, String, Page) {
    let mut site = Site::new(database);
    site.set("PORTAL_TWO_STEP", rule);
    let portal = site.open().await;
    let (mut jo, address) = (Person::at(&portal), fresh_address(rule));
    let about = security_details(&mut jo, &address).await;
    let thanks = finish(&site, &mut jo, &about, &address).await;
    (site, portal, jo, address, thanks)
}

/// What My Account says of the second step where nobody can choose it.
async fn fixed(person: &mut Person) -> String {
    let overview = person.open("/account").await;
    let links = overview.attributes_of("main a", "href");
    assert!(!links.contains(&TWO_STEP.to_owned()), "{links:?}");
    assert_eq!(person.open(TWO_STEP).await.status, StatusCode::NOT_FOUND);
    let mut lines = overview.texts_of(".list div").into_iter();
    lines
        .find_map(|line| line.strip_prefix("Two Step Verification").map(str::to_owned))
        .unwrap()
}

async fn with_the_second_step_off_no_page_promises_one(database: Database) {
    // P11, P16, P17, P23, STP-2
    let (_site, _portal, mut jo, address, thanks) = registered(database, "off").await;
    assert!(!thanks.main().contains("Verification"), "{}", thanks.main());
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    let area = jo.open("/areas/send-ehat").await;
    assert_eq!(area.h1(), AREA);
    assert!(!area.main().contains("Verification"), "{}", area.main());
    assert_eq!(fixed(&mut jo).await, "Off");
}

async fn with_the_second_step_for_all_every_page_says_so(database: Database) {
    // P11, P16, P17, P23, STP-2
    let (site, _portal, mut jo, address, thanks) = registered(database, "all").await;
    let told = "Each time you log in, we email you a Verification Code.";
    assert!(thanks.main().contains(told), "{}", thanks.main());
    let asked = log_in(&mut jo, &address, PASSWORD).await;
    let home = enter_code(&site, &mut jo, &asked, &address, 3).await;
    assert_eq!(home.path, "/home");
    let area = jo.open("/areas/send-ehat").await;
    let told = "You are logged in with Two Step Verification.";
    assert!(area.main().contains(told), "{}", area.main());
    assert_eq!(fixed(&mut jo).await, "On, by email");
}

async fn with_the_second_step_optional_the_area_does_not_claim_it(database: Database) {
    // P11, P16, P23, STP-2
    let (_site, _portal, mut jo, address, thanks) = registered(database, "optional").await;
    let told = "You can make your account safer with Two Step Verification";
    assert!(thanks.main().contains(told), "{}", thanks.main());
    log_in(&mut jo, &address, PASSWORD).await;
    let area = jo.open("/areas/send-ehat").await;
    assert_eq!(area.h1(), AREA);
    assert!(!area.main().contains("Verification"), "{}", area.main());
    let choice = jo.open(TWO_STEP).await;
    assert_eq!(choice.value_of("preferred_method"), "none");
}

/// Each setting, the field it is about, and what that field says when it is left empty.
const REPEATS: [(&str, &str, &str); 2] = [
    (
        "PORTAL_CONFIRM_EMAIL",
        "email2",
        "Confirm New Email value must match your Email Address",
    ),
    ("PORTAL_CONFIRM_PASSWORD", "new-password2", "Passwords must match"),
];

async fn each_repeat_of_the_first_step_can_be_switched_off(database: Database) {
    // P4
    for asked in [&REPEATS[..1], &REPEATS[1..], &[]] {
        let mut site = Site::new(database);
        for repeat in REPEATS.iter().filter(|repeat| !asked.contains(repeat)) {
            site.set(repeat.0, "false");
        }
        let portal = site.open().await;
        let (mut jo, address) = (Person::at(&portal), fresh_address("once"));
        let page = jo.open("/account/register").await;
        for repeat in &REPEATS {
            let shown = page.names_of_fields().iter().any(|field| field == repeat.1);
            assert_eq!(shown, asked.contains(repeat), "{repeat:?}");
        }
        let form = page
            .button("Next")
            .with("email", &address)
            .with("new-password", PASSWORD)
            .with("question", &a_question(&page))
            .with("answer", ANSWER);
        let next = jo.send(&form).await;
        let refusals: Vec<_> = asked.iter().map(|repeat| repeat.2).collect();
        assert_eq!(next.errors(), refusals);
        if asked.is_empty() {
            finish(&site, &mut jo, &next, &address).await;
            assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
        }
    }
}
