//! What an operator sets shows on every page that depends on it.

use std::time::Duration;

use axum::http::StatusCode;

use crate::rig::journey::{
    Registrant, a_question, ask_for_reset, complete, enter_code, log_in, security_details,
};
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{ANSWER, Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    the_modern_preset_asks_no_secret_question_and_its_menu_leads_to_no_missing_page
    with_the_second_step_off_no_page_promises_one
    with_the_second_step_for_all_every_page_says_so
    with_the_second_step_optional_the_area_does_not_claim_it
    each_repeat_of_the_first_step_can_be_switched_off
    answers_are_shown_once_more_before_they_are_sent_off
    without_the_setting_there_is_no_page_to_check_answers
    a_question_of_ones_own_is_asked_as_it_was_typed
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

const CHECK: &str = "/account/register/check";

async fn answers_are_shown_once_more_before_they_are_sent_off(database: Database) {
    // P8
    let mut site = Site::new(database);
    site.set("PORTAL_CHECK_ANSWERS", "true");
    let portal = site.open().await;
    let (mut jo, address) = (Person::at(&portal), fresh_address("check"));
    let who = Registrant::new(&address);
    // Nobody comes here before all is answered.
    assert_eq!(jo.open(CHECK).await.path, "/account/register/security-details");
    let about = who.security_details(&mut jo).await;
    assert_eq!(jo.open(CHECK).await.path, "/account/register/about-you");
    let work = who.about_you(&mut jo, &about).await;
    assert!(!work.has_button("Submit Registration"), "{}", work.main());
    let wrong = jo.send(&work.button("Next")).await;
    assert!(!wrong.errors().is_empty());
    let check = who.address(&mut jo, &work, "Next").await;
    assert_eq!(check.path, CHECK, "{:?}", check.errors());
    assert_eq!(check.texts_of("main h2"), ["Check your answers"]);
    for shown in [
        &address,
        "Dr",
        "Prefer not to say",
        &who.role,
        "Hill School",
        "1 High Street, Sheffield, S1 2HH",
    ] {
        assert!(check.main().contains(shown), "{shown}: {}", check.main());
    }
    for secret in [PASSWORD, ANSWER] {
        assert!(!check.body.contains(secret));
    }
    assert_eq!(jo.open("/account/register").await.path, CHECK);

    // Every answer can be changed, and its step leads back here.
    let changes: Vec<_> = check.attributes_of("main dd.do a", "href");
    assert_eq!(changes.len(), 13, "{changes:?}");
    for href in changes {
        let (path, field) = href.split_once('#').unwrap();
        let step = jo.open(path).await;
        assert_eq!(step.path, path);
        assert_eq!(step.texts_of(&format!("[id='{field}']")).len(), 1, "{href}");
        let back = jo.send(&step.button("Next")).await;
        assert_eq!(back.path, CHECK, "{href}: {:?}", back.errors());
    }
    let step = jo.open("/account/register/about-you").await;
    let check = jo.send(&step.button("Next").with("surname", "Smith")).await;
    assert!(check.main().contains("Smith"), "{}", check.main());
    let previous = jo.send(&check.button("Previous")).await;
    assert_eq!(previous.path, "/account/register/work-details");

    // A page that was open for too long sends nothing.
    let stale = check.button("Submit Registration").without("form_token");
    let stale = jo.send(&stale).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stale.has_button("Submit Registration") && stale.main().contains("Smith"));
    assert_eq!(site.mails_to(&address), 0);
    let sent = jo.send(&check.button("Submit Registration")).await;
    assert_eq!(sent.path, "/account/register/sent", "{:?}", sent.errors());
    let again = jo.send(&check.button("Submit Registration")).await;
    assert_eq!(again.h1(), "You have already sent this registration");
    let link = link_in(&site.mail_to(&address, 1).await);
    complete(&mut jo, &link, PASSWORD).await;
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
}

async fn without_the_setting_there_is_no_page_to_check_answers(database: Database) {
    // P8
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address) = (Person::at(&portal), fresh_address("nocheck"));
    let who = Registrant::new(&address);
    let about = who.security_details(&mut jo).await;
    who.about_you(&mut jo, &about).await;
    assert_eq!(jo.open(CHECK).await.status, StatusCode::NOT_FOUND);
}

async fn a_question_of_ones_own_is_asked_as_it_was_typed(database: Database) {
    // P4, P8, P14, P22
    const OWN: &str = "Whose <b>dog</b> & cat was it?";
    let plain = Site::new(database);
    let portal = plain.open().await;
    let page = Person::at(&portal).open("/account/register").await;
    assert!(!page.names_of_fields().contains(&"own_question".to_owned()));
    drop(portal);

    let mut site = Site::new(database);
    site.set("PORTAL_OWN_QUESTION", "true");
    site.set("PORTAL_CHECK_ANSWERS", "true");
    let portal = site.open().await;
    let (mut jo, address) = (Person::at(&portal), fresh_address("own"));
    let page = jo.open("/account/register").await;
    let form = |page: &Page, own: &str| {
        page.button("Next")
            .with("email", &address)
            .with("email2", &address)
            .with("new-password", PASSWORD)
            .with("new-password2", PASSWORD)
            .with("question", "own")
            .with("own_question", own)
            .with("answer", ANSWER)
    };
    let empty = jo.send(&form(&page, "")).await;
    assert_eq!(empty.errors(), ["Your own question is required"]);
    assert_eq!(empty.value_of("question"), "own");
    let short = jo.send(&form(&empty, "Whose dog")).await;
    assert_eq!(
        short.errors(),
        ["Your own question must be 10 characters or more"]
    );
    let about = jo.send(&form(&short, OWN)).await;
    let back = jo.open("/account/register/security-details").await;
    assert_eq!(
        (back.value_of("question"), back.value_of("own_question")),
        ("own".to_owned(), OWN.to_owned())
    );
    let who = Registrant::new(&address);
    let work = who.about_you(&mut jo, &about).await;
    let check = who.address(&mut jo, &work, "Next").await;
    assert!(check.main().contains(OWN), "{}", check.main());
    assert_eq!(check.attributes_of("main b", "class"), Vec::<String>::new());
    let sent = jo.send(&check.button("Submit Registration")).await;
    assert_eq!(sent.path, "/account/register/sent");
    complete(&mut jo, &link_in(&site.mail_to(&address, 1).await), PASSWORD).await;
    site.mail_to(&address, 2).await;

    let asked = |page: &Page, question: &str| {
        assert!(page.main().contains(question), "{}", page.main());
        assert!(page.texts_of("main b").is_empty());
    };
    // An address gets one mail of a kind a minute.
    site.clock().advance(Duration::from_secs(120));
    ask_for_reset(&mut jo, &address).await;
    asked(&jo.open(&link_in(&site.mail_to(&address, 3).await)).await, OWN);

    // It is changed like any other, and not shown before.
    log_in(&mut jo, &address, PASSWORD).await;
    let page = jo.open("/account/change-secret-question").await;
    assert!(!page.body.contains("cat was it"), "{}", page.main());
    let other = "Which hill did we climb?";
    let form = page
        .button("Save")
        .with("password", PASSWORD)
        .with("question", "own")
        .with("own_question", other)
        .with("answer", "Kinder Scout");
    let wrong = jo
        .send(&form.clone().with("password", "Not-My-Password-42"))
        .await;
    assert_eq!(wrong.value_of("own_question"), other);
    let changed = jo.send(&form).await;
    assert_eq!(
        changed.notice(),
        "Your Secret Question has been changed. You are logged out everywhere else."
    );
    let told = site.mail_to(&address, 4).await;
    assert_eq!(told.subject, "Your Secret Question was changed");
    assert!(!told.text.contains(other));
    site.clock().advance(Duration::from_secs(120));
    let mut elsewhere = Person::at(&portal);
    ask_for_reset(&mut elsewhere, &address).await;
    asked(
        &elsewhere.open(&link_in(&site.mail_to(&address, 5).await)).await,
        other,
    );
}
