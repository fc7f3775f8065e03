//! Nothing typed is lost: sessions that end under a form, fresh proofs in between, and a database that is away.

use std::time::Duration;

use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rig::journey::{account, log_in, log_in_on, turn_two_step_on};
use crate::rig::page::Form;
use crate::rig::{Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_form_whose_session_has_timed_out_opens_again_filled_in
    a_look_at_the_area_in_another_tab_loses_nothing
    another_person_deletes_it_and_so_does_a_logout
    it_is_kept_for_a_day_and_not_for_a_session_that_was_ended
    a_fresh_proof_in_between_loses_nothing
    a_script_keeps_what_is_typed_and_only_typing_is_activity
    asking_how_long_is_left_extends_nothing
    every_form_of_my_account_opens_again_filled_in
    forms_with_secrets_open_again_without_them
    a_stale_form_has_no_effect_and_keeps_its_values_on_every_page
}

const PAGE: &str = "/account/two-step-verification";
const SAVED: &str = "What you had typed is saved for 24 hours.";
const FILLED_IN: &str = "What you had typed is filled in again. It is not saved yet: check it, then save it.";
const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// Somebody who is logged in and has chosen, but not sent off.
async fn chosen(site: &Site, jo: &mut Person, name: &str) -> (String, Form) {
    let address = fresh_address(name);
    account(site, jo, &address).await;
    log_in(jo, &address, PASSWORD).await;
    let form = jo
        .open(PAGE)
        .await
        .button("Save")
        .with("preferred_method", "email");
    (address, form)
}

/// Logs in on the page for people whose session timed out.
async fn back_in(jo: &mut Person, page: &Page, address: &str) -> Page {
    assert_eq!(page.h1(), "You have been logged out");
    log_in_on(jo, page, address, PASSWORD).await
}

fn opens_filled_in(page: &Page) {
    assert_eq!(page.path.split('?').next(), Some(PAGE));
    assert_eq!(page.notice(), format!("{FILLED_IN} Show what is saved instead"));
    assert_eq!(page.value_of("preferred_method"), "email");
}

fn opens_as_saved(page: &Page) {
    assert_eq!(page.path.split('?').next(), Some(PAGE));
    assert_eq!(page.texts_of(".notice"), Vec::<String>::new());
    assert_eq!(page.value_of("preferred_method"), "none");
}

async fn a_form_whose_session_has_timed_out_opens_again_filled_in(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    // R11, R10: the idle limit to the second.
    let (address, form) = chosen(&site, &mut jo, "idle").await;
    site.clock().advance(MINUTE * 30);
    let answer = jo.post(&form).await;
    let to = answer.headers.get(LOCATION).unwrap().to_str().unwrap();
    assert_eq!(to, "/account/timed-out?next=%2Faccount%2Ftwo-step-verification");
    let out = jo.follow(answer).await;
    assert!(
        out.main()
            .contains("We logged you out after 30 minutes without activity."),
        "{}",
        out.main()
    );
    assert!(out.main().contains(SAVED), "{}", out.main());
    let page = back_in(&mut jo, &out, &address).await;
    opens_filled_in(&page);
    // Nothing was sent off by itself.
    opens_as_saved(&jo.open(&page.link("Show what is saved instead")).await);
    opens_filled_in(&jo.open(PAGE).await);
    // Once it is sent off nothing is filled in any more.
    let unchanged = jo
        .send(&page.button("Save").with("preferred_method", "none"))
        .await;
    assert_eq!(unchanged.notice(), "Nothing was changed.");
    opens_as_saved(&jo.open(PAGE).await);

    // The absolute limit is told as what it is.
    let form = jo
        .open(PAGE)
        .await
        .button("Save")
        .with("preferred_method", "email");
    for _ in 0..35 {
        site.clock().advance(MINUTE * 20);
        jo.open("/home").await;
    }
    site.clock().advance(MINUTE * 20);
    let out = jo.send(&form).await;
    assert!(
        out.main()
            .contains("We logged you out 12 hours after you logged in."),
        "{}",
        out.main()
    );
    assert!(out.main().contains(SAVED));
    opens_filled_in(&back_in(&mut jo, &out, &address).await);

    // Where nothing was typed, nothing is said of saving.
    site.clock().advance(MINUTE * 31);
    let out = jo.open("/home").await;
    assert!(!out.main().contains(SAVED), "{}", out.main());
}

async fn a_look_at_the_area_in_another_tab_loses_nothing(database: Database) {
    // R11
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (address, form) = chosen(&site, &mut jo, "tabs").await;
    site.clock().advance(MINUTE * 30);
    let area = jo.open("/areas/send-ehat").await;
    assert_eq!(area.path, "/account/timed-out?next=%2Fareas%2Fsend-ehat");
    let out = jo.send(&form).await;
    assert!(out.main().contains(SAVED), "{}", out.main());
    opens_filled_in(&back_in(&mut jo, &out, &address).await);
}

async fn another_person_deletes_it_and_so_does_a_logout(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (jos, form) = chosen(&site, &mut jo, "first").await;
    let olas = fresh_address("second");
    account(&site, &mut Person::at(&portal), &olas).await;
    site.clock().advance(MINUTE * 30);
    let out = jo.send(&form).await;
    let before = jo.clone();
    let page = back_in(&mut jo, &out, &olas).await;
    opens_as_saved(&page);
    assert_eq!(jo.cookie("draft"), None);
    // It is deleted, not only hidden: not even the old cookie brings it back.
    let mut jo = before;
    let page = log_in(&mut jo, &jos, PASSWORD).await;
    assert_eq!(page.path, "/home");
    opens_as_saved(&jo.open(PAGE).await);

    let form = jo
        .open(PAGE)
        .await
        .button("Save")
        .with("preferred_method", "email");
    site.clock().advance(MINUTE * 6);
    let confirm = jo.send(&form).await;
    assert_eq!(confirm.h1(), "Confirm it is you");
    let kept = jo.cookie("draft").unwrap().to_owned();
    opens_filled_in(&jo.open(PAGE).await);
    let out = jo.send(&confirm.button("Logout")).await;
    assert_eq!(out.notice(), "You have logged out.");
    assert_eq!(jo.cookie("draft"), None);
    jo.plant("draft", &kept);
    log_in(&mut jo, &jos, PASSWORD).await;
    opens_as_saved(&jo.open(PAGE).await);
}

async fn it_is_kept_for_a_day_and_not_for_a_session_that_was_ended(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (address, form) = chosen(&site, &mut jo, "day").await;
    site.clock().advance(MINUTE * 30);
    // A form token that is not this browser's saves nothing (R13).
    let forged = form
        .clone()
        .without("form_token")
        .forged("form_token", &"A".repeat(43));
    let out = jo.clone().send(&forged).await;
    assert!(!out.main().contains(SAVED), "{}", out.main());
    // Nor does another site.
    let foreign = jo
        .clone()
        .post_with(&form, &[("sec-fetch-site".parse().unwrap(), "cross-site")])
        .await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert_eq!(foreign.headers.get(SET_COOKIE), None);

    jo.send(&form).await;
    site.clock().advance(Duration::from_secs(86_400) - SECOND);
    let out = jo
        .open("/account/timed-out?next=%2Faccount%2Ftwo-step-verification")
        .await;
    assert!(out.main().contains(SAVED), "{}", out.main());
    site.clock().advance(SECOND);
    let out = jo
        .open("/account/timed-out?next=%2Faccount%2Ftwo-step-verification")
        .await;
    assert!(!out.main().contains(SAVED), "ASVS 14.2.7: {}", out.main());
    opens_as_saved(&back_in(&mut jo, &out, &address).await);

    // SES-5: a session that was ended from elsewhere keeps nothing, not even when its time is over as well.
    let form = jo
        .open(PAGE)
        .await
        .button("Save")
        .with("preferred_method", "email");
    let mut elsewhere = Person::at(&portal);
    log_in(&mut elsewhere, &address, PASSWORD).await;
    turn_two_step_on(&mut elsewhere).await;
    for wait in [Duration::ZERO, MINUTE * 31] {
        site.clock().advance(wait);
        let before = jo.cookie("draft").map(str::to_owned);
        let out = jo.clone().send(&form).await;
        assert!(!out.main().contains(SAVED), "{}", out.main());
        assert_eq!(jo.cookie("draft").map(str::to_owned), before);
    }
}

async fn a_fresh_proof_in_between_loses_nothing(database: Database) {
    // STP-3: "then return to the page with what was typed"
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    chosen(&site, &mut jo, "proof").await;
    let page = jo.open(&format!("{PAGE}?next=%2Fareas%2Fsend-ehat")).await;
    site.clock().advance(MINUTE * 6);
    let confirm = jo
        .send(&page.button("Save").with("preferred_method", "email"))
        .await;
    assert_eq!(confirm.h1(), "Confirm it is you");
    // WEB-7: what was typed is in no address.
    assert!(
        !confirm.way.iter().any(|path| path.contains("email")),
        "{:?}",
        confirm.way
    );
    let page = jo
        .send(&confirm.button("Continue").with("password", PASSWORD))
        .await;
    opens_filled_in(&page);
    assert_eq!(page.value_of("next"), "/areas/send-ehat");
    let out = jo.send(&page.button("Save")).await;
    assert_eq!(out.notice(), "Two Step Verification is on. Log in again.");
}

/// What the page's script sends.
fn told(token: &str, by: &str, path: &str) -> Form {
    let page = Page {
        status: StatusCode::OK,
        headers: axum::http::HeaderMap::new(),
        path: "/account/draft".to_owned(),
        way: Vec::new(),
        body: r#"<form action="/account/draft"><button>Keep</button></form>"#.to_owned(),
    };
    page.button("Keep")
        .forged("form_token", token)
        .forged("kept-path", path)
        .forged("kept-by", by)
        .forged("preferred_method", "email")
}

async fn a_script_keeps_what_is_typed_and_only_typing_is_activity(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (address, form) = chosen(&site, &mut jo, "typing").await;
    let token = form.value("form_token").unwrap().to_owned();
    let page = jo.open(PAGE).await;
    // The page tells its script what may be kept.
    assert_eq!(page.attributes_of("main", "data-keep"), [PAGE]);
    assert_eq!(page.attributes_of("main", "data-fields"), ["preferred_method"]);
    assert!(
        jo.open("/home")
            .await
            .attributes_of("main", "data-keep")
            .is_empty()
    );

    let answer = jo.post(&told(&token, "person", PAGE)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    opens_filled_in(&jo.open(PAGE).await);
    // SES-3: typing is activity, a page that saves because it is left is none.
    site.clock().advance(MINUTE * 20);
    assert_eq!(jo.post(&told(&token, "person", PAGE)).await.status, 204);
    site.clock().advance(MINUTE * 20);
    assert_eq!(jo.post(&told(&token, "page", PAGE)).await.status, 204);
    site.clock().advance(MINUTE * 10);
    assert_eq!(left(&mut jo).await, (401, json!({ "over": true })));
    // The last words of a session that is over are kept too.
    assert_eq!(jo.post(&told(&token, "page", PAGE)).await.status, 204);
    let out = jo
        .open("/account/timed-out?next=%2Faccount%2Ftwo-step-verification")
        .await;
    assert!(out.main().contains(SAVED), "{}", out.main());
    opens_filled_in(&back_in(&mut jo, &out, &address).await);

    // A page of the session before, a page that keeps nothing, and a field that is not the page's.
    assert_eq!(jo.post(&told(&token, "person", PAGE)).await.status, 422);
    let token = jo.open(PAGE).await.value_of("form_token");
    for path in ["/account/login", "/nowhere", ""] {
        assert_eq!(jo.post(&told(&token, "person", path)).await.status, 422, "{path}");
    }
    let more = told(&token, "person", PAGE).forged("password", PASSWORD);
    assert_eq!(jo.post(&more).await.status, 400);
    // Nobody is signed in any more.
    let mut other = jo.clone();
    let home = jo.open("/home").await;
    jo.send(&home.button("Logout")).await;
    assert_eq!(other.post(&told(&token, "person", PAGE)).await.status, 401);
}

/// What the portal says about the time that is left, to a page that asks by itself.
async fn left(jo: &mut Person) -> (u16, Value) {
    let answer = jo.ask(Method::GET, "/account/session", &[]).await;
    (
        answer.status.as_u16(),
        serde_json::from_str(&answer.body).unwrap(),
    )
}

async fn asking_how_long_is_left_extends_nothing(database: Database) {
    // R10, SES-3
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    assert_eq!(left(&mut jo).await.0, 401);
    let (address, form) = chosen(&site, &mut jo, "left").await;
    let told = |idle: u64, absolute: u64| (200, json!({ "idle_left": idle, "absolute_left": absolute }));
    let twelve_hours = 12 * 3600;
    assert_eq!(left(&mut jo).await, told(1800, twelve_hours));
    site.clock().advance(MINUTE * 28);
    assert_eq!(left(&mut jo).await, told(120, twelve_hours - 1680));
    site.clock().advance(SECOND * 119);
    assert_eq!(left(&mut jo).await, told(1, twelve_hours - 1799));
    // One press, and its answer says what is left then.
    let stay = |form: &Form| {
        let mut stay = form.clone();
        stay.action = "/account/session".to_owned();
        stay.without("preferred_method").without("next").without("do")
    };
    let answer = jo.post(&stay(&form).without("form_token")).await;
    assert_eq!(
        answer.status, 422,
        "WEB-2: without its token a press has no effect"
    );
    assert_eq!(left(&mut jo).await, told(1, twelve_hours - 1799));
    let answer = jo.post(&stay(&form)).await;
    assert_eq!(answer.status, 200);
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(said, told(1800, twelve_hours - 1799).1);
    assert_eq!(left(&mut jo).await, told(1800, twelve_hours - 1799));
    site.clock().advance(MINUTE * 30);
    assert_eq!(left(&mut jo).await, (401, json!({ "over": true })));
    assert_eq!(jo.post(&stay(&form)).await.status, 401);

    // The absolute limit is not moved by any press.
    log_in(&mut jo, &address, PASSWORD).await;
    let form = jo.open(PAGE).await.button("Save");
    for n in 1..=29_u64 {
        site.clock().advance(MINUTE * 25 - SECOND);
        let answer = jo.post(&stay(&form)).await;
        if n * 1499 >= twelve_hours {
            assert_eq!(answer.status, 401);
            continue;
        }
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(said, told(1800, twelve_hours - n * 1499).1);
    }
    assert_eq!(left(&mut jo).await.0, 401);
    // What only scripts ask is no page to come back to (WEB-4).
    for path in ["/account/session", "/account/draft"] {
        let out = jo.open(&format!("/account/timed-out?next={path}")).await;
        assert_eq!(out.texts_of("input[name=next]").len(), 0, "{path}");
    }
}

/// Waits until the session has timed out, sends the form, and logs in; the page that opens then.
async fn too_late(site: &Site, jo: &mut Person, form: &Form, address: &str) -> Page {
    site.clock().advance(MINUTE * 30);
    let out = jo.send(form).await;
    assert!(out.main().contains(SAVED), "{}: {}", form.action, out.main());
    let page = back_in(jo, &out, address).await;
    assert!(page.notice().starts_with(FILLED_IN), "{}", page.notice());
    assert_eq!(page.path, form.action);
    page
}

async fn every_form_of_my_account_opens_again_filled_in(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (address, _) = chosen(&site, &mut jo, "all").await;

    // P18, with the version it was made from: a change of meanwhile is still told.
    let form = jo.open("/account/personal-details").await.button("Save");
    let form = form
        .with("forename", "Joanna")
        .with("gender", "another")
        .with("gender_other", "Neither");
    let page = too_late(&site, &mut jo, &form, &address).await;
    assert_eq!(page.value_of("forename"), "Joanna");
    assert_eq!(page.value_of("gender_other"), "Neither");
    let saved = jo.send(&page.button("Save")).await;
    assert_eq!(saved.notice(), "Your personal details have been saved.");
    let form = saved.button("Save").with("forename", "Joan");
    let mut elsewhere = Person::at(&portal);
    log_in(&mut elsewhere, &address, PASSWORD).await;
    let other = elsewhere.open("/account/personal-details").await.button("Save");
    elsewhere.send(&other.with("surname", "Smith")).await;
    let page = too_late(&site, &mut jo, &form, &address).await;
    assert_eq!(
        (page.value_of("forename"), page.value_of("surname")),
        ("Joan".into(), "Bloggs".into())
    );
    let clash = jo.send(&page.button("Save")).await;
    assert_eq!(
        clash.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "nobody's change is overwritten unseen"
    );

    // P19: a role that is being added, with its address found and chosen.
    let add = jo.open("/account/work-details/add").await.button("Find Address");
    let add = add
        .with("role", "SENCo")
        .with("organisation", "Mill School")
        .with("postcode", "AA1 1AA");
    let found = jo.send(&add).await;
    assert_eq!(found.status, StatusCode::OK);
    let page = too_late(
        &site,
        &mut jo,
        &found.button("Save").with("address", "AA1 1AA-0"),
        &address,
    )
    .await;
    assert_eq!(page.value_of("organisation"), "Mill School");
    assert_eq!(page.value_of("address"), "AA1 1AA-0");
    let list = jo.send(&page.button("Save")).await;
    assert_eq!(
        list.path,
        "/account/work-details?notice=added",
        "{:?}",
        list.errors()
    );

    // And one that is being changed: what was typed says which, once the address has lost it.
    let form = jo
        .open("/account/work-details/change?role=2")
        .await
        .button("Save");
    let form = form.with("organisation", "Dale School");
    let page = too_late(&site, &mut jo, &form, &address).await;
    assert_eq!(page.h1(), "Change a Professional Role");
    assert_eq!(page.value_of("organisation"), "Dale School");
    // Another role is not filled in with it.
    let first = jo.open("/account/work-details/change?role=1").await;
    assert_eq!(first.value_of("organisation"), "Hill School");
    assert!(first.texts_of(".notice").is_empty());
    let list = jo.send(&page.button("Save")).await;
    assert_eq!(
        list.path,
        "/account/work-details?notice=saved",
        "{:?}",
        list.errors()
    );
    assert!(list.main().contains("Dale School") && list.main().contains("Hill School"));
    assert_eq!(
        jo.open("/account/work-details/change").await.path,
        "/account/work-details"
    );
    assert!(
        jo.open("/account/work-details/add")
            .await
            .texts_of(".notice")
            .is_empty()
    );

    // A form that was only refused stands on its page, and is not kept before its session ends; a script may keep it.
    let form = jo
        .open("/account/work-details/add")
        .await
        .button("Save")
        .with("role", "Teacher");
    let refused = jo.send(&form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.attributes_of("main", "data-unsaved"), [""]);
    let page = jo.open("/account/work-details/add").await;
    assert_eq!(page.value_of("role"), "");
    assert!(page.attributes_of("main", "data-unsaved").is_empty());
    let page = too_late(&site, &mut jo, &refused.button("Save"), &address).await;
    assert_eq!(page.value_of("role"), "Teacher");
}

async fn forms_with_secrets_open_again_without_them(database: Database) {
    // P20 to P22: secrets are never stored, and the other fields are there again.
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (address, _) = chosen(&site, &mut jo, "secrets").await;
    let next = fresh_address("moved");
    let email = |page: &Page| {
        let form = page
            .button("Save")
            .with("email", &next)
            .with("email2", "typo@school.example");
        form.with("password", PASSWORD)
    };
    let refilled = |page: &Page| {
        assert!(page.notice().starts_with(FILLED_IN), "{}", page.notice());
        assert_eq!(page.value_of("email"), next);
        assert_eq!(page.value_of("email2"), "typo@school.example");
        assert_eq!(page.value_of("password"), "");
        assert!(!page.body.contains(PASSWORD));
    };
    let form = email(&jo.open("/account/change-email-address").await);
    let page = too_late(&site, &mut jo, &form, &address).await;
    refilled(&page);
    // STP-3: the same when a fresh proof is asked for first.
    let mut again = Person::at(&portal);
    log_in(&mut again, &address, PASSWORD).await;
    let form = email(&again.open("/account/change-email-address").await);
    site.clock().advance(MINUTE * 6);
    let confirm = again.send(&form).await;
    assert_eq!(confirm.h1(), "Confirm it is you");
    let form = confirm.button("Continue").with("password", PASSWORD);
    refilled(&again.send(&form).await);

    let page = jo.open("/account/change-secret-question").await;
    let question = page
        .attributes_of("select[name=question] option", "value")
        .pop()
        .unwrap();
    let form = page.button("Save").with("question", &question);
    let form = form.with("password", PASSWORD).with("answer", "Blue Ford Fiesta");
    let page = too_late(&site, &mut jo, &form, &address).await;
    assert_eq!(page.value_of("question"), question);
    assert_eq!(
        (page.value_of("answer"), page.value_of("password")),
        (String::new(), String::new())
    );
    assert!(!page.body.contains("Fiesta"));

    // Nothing of a new password is kept, nor said to be.
    let form = jo.open("/account/change-password").await.button("Save");
    let form = form
        .with("password", PASSWORD)
        .with("new-password", "Other-Horse-42-battery");
    site.clock().advance(MINUTE * 30);
    let out = jo
        .send(&form.with("new-password2", "Other-Horse-42-battery"))
        .await;
    assert!(!out.main().contains(SAVED), "{}", out.main());
    let page = back_in(&mut jo, &out, &address).await;
    assert_eq!(
        (page.h1(), page.value_of("new-password")),
        ("Change Password".into(), String::new())
    );
    // And no secret came to the database by way of a kept form.
    if database == Database::Sqlite {
        for file in ["portal.db", "portal.db-wal"] {
            let held = std::fs::read(site.folder().join(file)).unwrap_or_default();
            for secret in [PASSWORD, "Fiesta", "Other-Horse"] {
                let found = held.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "I-12b: {secret} is in {file}");
            }
        }
    }
}

async fn a_stale_form_has_no_effect_and_keeps_its_values_on_every_page(database: Database) {
    // R13, WEB-2
    const STALE: &str = "This page was open for a long time. Check your answers and try again.";
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (address, _) = chosen(&site, &mut jo, "stale").await;
    // The path, the button, and a value that must be there again.
    let table = [
        ("/account/personal-details", "Save", Some(("forename", "Joanna"))),
        (
            "/account/work-details/add",
            "Save",
            Some(("organisation", "Mill School")),
        ),
        (
            "/account/work-details/change?role=1",
            "Save",
            Some(("organisation", "Mill School")),
        ),
        (
            "/account/two-step-verification",
            "Save",
            Some(("preferred_method", "email")),
        ),
        (
            "/account/change-email-address",
            "Save",
            Some(("email", "new@school.example")),
        ),
        ("/account/change-password", "Save", None),
        ("/account/change-secret-question", "Save", None),
        ("/account/confirm-password", "Continue", None),
        ("/home", "Logout", None),
    ];
    for (path, button, value) in table {
        let page = jo.open(path).await;
        let mut form = page.button(button);
        if let Some((field, value)) = value {
            form = form.with(field, value);
        }
        for token in ["", &"A".repeat(43)] {
            let stale = form.clone().without("form_token").forged("form_token", token);
            let answer = jo.send(&stale).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
            assert_eq!(answer.notice(), STALE, "{path}");
            if let Some((field, value)) = value {
                assert_eq!(answer.value_of(field), value, "{path}");
            }
        }
        assert!(
            jo.open(path).await.texts_of(".notice").is_empty(),
            "{path}: nothing of it is kept"
        );
    }
    // A login page that was left open overnight still works.
    let mut later = Person::at(&portal);
    let login = later.open("/account/login").await;
    site.clock().advance(MINUTE * 600);
    assert_eq!(
        log_in_on(&mut later, &login, &address, PASSWORD).await.path,
        "/home"
    );
    // Of two tabs one logs out: the other says so on its next act, and nothing was done.
    let page = later.open("/account/personal-details").await;
    let home = later.open("/home").await;
    later.send(&home.button("Logout")).await;
    for form in [
        page.button("Save").with("forename", "Joanna"),
        home.button("Logout"),
    ] {
        let out = later.send(&form).await;
        if form.action == "/account/logout" {
            assert_eq!(out.h1(), "Login");
        } else {
            assert_eq!(out.h1(), "You have been logged out");
            assert!(
                !out.main().contains(SAVED),
                "what was typed was deleted by hand: {}",
                out.main()
            );
        }
    }
    log_in(&mut later, &address, PASSWORD).await;
    assert_eq!(
        later.open("/account/personal-details").await.value_of("forename"),
        "Jo"
    );
}

/// Presses "Try again" as often as it is asked for: the first connections of before may still be found broken.
async fn try_again(jo: &mut Person, form: &Form) -> Page {
    let mut page = jo.send(form).await;
    for _ in 0..8 {
        if page.status != StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        page = jo.send(&page.button("Try again")).await;
    }
    page
}

#[tokio::test]
async fn a_registration_and_a_kept_form_share_a_cookie_and_nothing_else() {
    // I-12, WEB-1
    let site = Site::new(Database::Sqlite);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (_, form) = chosen(&site, &mut jo, "both").await;
    site.clock().advance(MINUTE * 30);
    jo.send(&form).await;
    assert!(jo.cookie("draft").is_some());
    let page = jo.open("/account/register").await;
    assert_eq!(page.path, "/account/register/security-details");
    // Nobody has left a registration too long.
    assert_eq!(page.texts_of(".notice"), Vec::<String>::new());
    let page = jo.send(&page.button("Next")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn while_the_database_is_down_the_page_holds_what_was_typed() {
    let mut site = Site::new(Database::Postgres);
    let cable = site.database_cable();
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (address, form) = chosen(&site, &mut jo, "down").await;
    let mut stranger = Person::at(&portal);
    let login = stranger.open("/account/login").await;
    let login = login
        .button("Login")
        .with("email", &address)
        .with("password", PASSWORD);

    cable.cut();
    let down = jo.post(&form).await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(down.h1(), "The service is unavailable");
    assert!(down.headers.contains_key("retry-after"));
    assert!(
        down.main()
            .contains("What you typed is on this page, apart from passwords and answers.")
    );
    let again = down.button("Try again");
    assert_eq!(
        (again.action.as_str(), again.value("preferred_method")),
        (PAGE, Some("email"))
    );
    // Secrets are typed again.
    let refused = stranger.post(&login).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!refused.body.contains(PASSWORD));
    let login_again = refused.button("Try again");
    assert_eq!(login_again.value("email"), Some(address.as_str()));
    assert_eq!(login_again.value("password"), None);
    // R13: a form of another browser is not carried on; nor can anybody make the page carry what they like.
    let foreign = form
        .clone()
        .without("form_token")
        .forged("form_token", &"A".repeat(43));
    let page = jo.post(&foreign).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.texts_of("main form").is_empty());
    // It can be sent while the database is still away, and is there again.
    let still = jo.post(&again).await;
    assert_eq!(still.status, StatusCode::SERVICE_UNAVAILABLE);
    let again = still.button("Try again");
    // What a script wants to keep is told to wait, so that it asks again.
    let token = form.value("form_token").unwrap().to_owned();
    assert_eq!(jo.post(&told(&token, "person", PAGE)).await.status, 503);
    assert_eq!(jo.ask(Method::GET, "/account/session", &[]).await.status, 503);
    // A changed value breaks the seal.
    cable.mend();
    let changed = again
        .clone()
        .without("preferred_method")
        .forged("preferred_method", "none");
    let mut page = jo.send(&changed).await;
    // Connections of before are found out to be dead one by one.
    for _ in 0..40 {
        if page.status != StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        page = jo.send(&changed).await;
    }
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        page.notice(),
        "This page was open for a long time. Check your answers and try again."
    );
    let out = try_again(&mut jo, &again).await;
    assert_eq!(out.notice(), "Two Step Verification is on. Log in again.");
    let page = try_again(&mut stranger, &login_again).await;
    assert_eq!(page.value_of("email"), address);
    assert_eq!(page.errors(), ["Password is required"]);
}

#[tokio::test]
async fn a_form_that_meets_a_dead_session_and_a_dead_database_is_kept_in_the_end() {
    let mut site = Site::new(Database::Postgres);
    let cable = site.database_cable();
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let (address, form) = chosen(&site, &mut jo, "both-dead").await;
    site.clock().advance(MINUTE * 30);
    cable.cut();
    let down = jo.send(&form).await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    cable.mend();
    let out = try_again(&mut jo, &down.button("Try again")).await;
    assert!(out.main().contains(SAVED), "{}", out.main());
    opens_filled_in(&back_in(&mut jo, &out, &address).await);
}
