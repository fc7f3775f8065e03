//! My Account's details: looking at them, changing them, and two tabs that change the same (P17 to P19).

use std::time::Duration;

use axum::http::StatusCode;

use crate::rig::journey::{about_you, account, log_in, log_in_on, security_details};
use crate::rig::page::Form;
use crate::rig::{Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    the_overview_says_what_is_known_and_where_to_change_it
    personal_details_are_saved_and_wrong_ones_are_told
    of_two_tabs_with_personal_details_the_second_compares_and_saves_again
    a_role_is_added_found_by_its_postcode_changed_and_removed
    two_tabs_change_two_roles_and_never_another_one
    there_are_ten_roles_at_most_and_one_at_least
    a_form_sent_too_late_changes_nothing
    a_doubtful_address_is_asked_about_and_keeps_nobody_from_going_on
}

const DETAILS: &str = "/account/personal-details";
const WORK: &str = "/account/work-details";

async fn signed_in(database: Database, name: &str) -> (Site, crate::rig::program::Portal, Person, String) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address(name);
    account(&site, &mut jo, &address).await;
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    (site, portal, jo, address)
}

async fn the_overview_says_what_is_known_and_where_to_change_it(database: Database) {
    let (_site, _portal, mut jo, address) = signed_in(database, "overview").await;
    let page = jo.open("/account").await;
    assert_eq!(page.h1(), "My Account");
    let keys = page.texts_of("dt");
    let values = page.texts_of("dd:not(.do)");
    let known: Vec<_> = keys.iter().map(String::as_str).zip(values).collect();
    let expected = [
        ("Name", "Dr Jo Bloggs"),
        ("Gender", "Prefer not to say"),
        ("Professional Role", "Educational Psychologist"),
        ("Organisation Name", "Hill School"),
        ("Email Address", &address),
        ("Password", "Set"),
    ];
    for (key, value) in expected {
        assert!(known.contains(&(key, value.to_owned())), "{key} in {known:?}");
    }
    assert!(known.contains(&("Two Step Verification", "Off".to_owned())));
    assert_eq!(page.link("Change Name"), DETAILS);
    assert_eq!(page.link("Change Professional Role"), WORK);
    assert_eq!(page.link("Change Password"), "/account/change-password");
    let menu = page.texts_of(".menu a");
    assert_eq!(menu.len(), 10);
    assert_eq!(menu[0], "Personal Details");
    let details = jo.open(&page.link("Change Name")).await;
    assert_eq!(
        details.texts_of(".menu [aria-current=page]"),
        ["Personal Details"]
    );
}

async fn personal_details_are_saved_and_wrong_ones_are_told(database: Database) {
    let (_site, _portal, mut jo, _) = signed_in(database, "details").await;
    let page = jo.open(DETAILS).await;
    assert_eq!(page.h1(), "Personal Details");
    assert_eq!(page.value_of("surname"), "Bloggs");

    let wrong = page.button("Save").with("forename", "").with("title", "Mx");
    let wrong = jo.send(&wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.title(), "Error: Personal Details - Professional Portal");
    assert_eq!(wrong.errors(), ["Forename is required"]);
    assert_eq!(wrong.value_of("title"), "Mx", "R3: what was typed stays");

    let saved = wrong
        .button("Save")
        .with("forename", "Joanna")
        .with("gender", "female");
    let saved = jo.send(&saved).await;
    assert_eq!(saved.path, "/account/personal-details?notice=saved");
    assert_eq!(saved.notice(), "Your personal details have been saved.");
    assert_eq!(saved.attributes_of(".notice", "role"), ["status"]);
    assert_eq!(saved.attributes_of("h1", "autofocus").len(), 1);
    assert_eq!(saved.value_of("forename"), "Joanna");
    assert_eq!(
        saved.link("My Account (Joanna Bloggs)"),
        "/account",
        "the header knows at once"
    );
    let again = jo.send(&saved.button("Save")).await;
    assert_eq!(again.notice(), "Nothing was changed.");

    // REG-1: a field that nobody asked for; R13: a form without its token.
    let forged = saved.button("Save").forged("status", "administrator");
    assert_ne!(jo.send(&forged).await.status, StatusCode::OK);
    let stale = saved
        .button("Save")
        .with("surname", "Other")
        .without("form_token");
    let stale = jo.send(&stale).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stale.value_of("surname"), "Other");
    assert_eq!(jo.open(DETAILS).await.value_of("surname"), "Bloggs");
}

async fn of_two_tabs_with_personal_details_the_second_compares_and_saves_again(database: Database) {
    let (site, _portal, mut jo, _) = signed_in(database, "tabs").await;
    let (one, two) = (jo.open(DETAILS).await, jo.open(DETAILS).await);
    let first = one.button("Save").with("surname", "First");
    assert_eq!(
        jo.send(&first).await.notice(),
        "Your personal details have been saved."
    );
    site.clock().advance(Duration::from_secs(60));
    // Double click: what is saved already is no clash.
    assert_eq!(jo.send(&first).await.notice(), "Nothing was changed.");

    let clash = jo.send(&two.button("Save").with("surname", "Second")).await;
    assert_eq!(clash.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told = &clash.errors()[0];
    assert!(
        told.starts_with("Someone saved these details at ")
            && told.ends_with(". Your version is below; compare and Save again."),
        "{told}"
    );
    assert_eq!(clash.value_of("surname"), "Second");
    assert!(
        clash.texts_of("section dd").contains(&"First".to_owned()),
        "{}",
        clash.main()
    );
    assert!(
        clash.text_of("section h2").ends_with("with Firefox on Linux"),
        "{}",
        clash.main()
    );
    let stored = jo.open(&format!("{DETAILS}?typed=no")).await;
    assert_eq!(stored.value_of("surname"), "First");

    let saved = jo.send(&clash.button("Save")).await;
    assert_eq!(saved.notice(), "Your personal details have been saved.");
    assert_eq!(saved.value_of("surname"), "Second");
}

/// The form of a role, filled in by hand.
async fn role(jo: &mut Person, page: &Page, role: &str) -> Form {
    let manual = page
        .button("Enter Address Manually")
        .with("role", role)
        .with("organisation", "Vale School")
        .with("postcode", "s12hh");
    let page = jo.send(&manual).await;
    assert_eq!(page.value_of("role"), role, "what was typed stays");
    page.button("Save")
        .with("address_line1", "2 Low Street")
        .with("town", "Sheffield")
}

async fn a_role_is_added_found_by_its_postcode_changed_and_removed(database: Database) {
    let (_site, _portal, mut jo, _) = signed_in(database, "roles").await;
    let page = jo.open(WORK).await;
    assert_eq!(page.h1(), "Work Details");
    assert_eq!(
        page.texts_of(".card h2"),
        ["Educational Psychologist (main role)"]
    );
    assert!(
        page.texts_of("dd")
            .contains(&"1 High Street, Sheffield, S1 2HH".to_owned()),
        "{}",
        page.main()
    );

    let add = jo.open(&page.link("Add another Professional Role")).await;
    assert_eq!(add.h1(), "Add another Professional Role");
    let empty = jo.send(&add.button("Save")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        empty
            .errors()
            .contains(&"Please enter your role title".to_owned())
    );
    let by_postcode = empty
        .button("Find Address")
        .with("role", "Teacher")
        .with("organisation", "Harbour School")
        .with("postcode", "aa11aa");
    let found = jo.send(&by_postcode).await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(found.main().contains("Choose an address"), "{}", found.main());
    let unchosen = jo.send(&found.button("Save")).await;
    assert!(
        unchosen
            .errors()
            .contains(&"Choose an address, or My address is not listed".to_owned()),
        "{:?}",
        unchosen.errors()
    );
    let chosen = unchosen
        .button("Save")
        .with("address", "AA1 1AA-0")
        .with("work_phone", "0114 273 4567 x123");
    let added = jo.send(&chosen).await;
    assert_eq!(added.notice(), "Your Professional Role has been added.");
    assert_eq!(
        added.texts_of(".card h2"),
        ["Educational Psychologist (main role)", "Teacher"]
    );
    assert!(added.main().contains("0114 273 4567 x123"));
    // R9: the button was pressed twice.
    let twice = jo.send(&chosen).await;
    assert_eq!(twice.notice(), "Your Professional Role has been added.");
    assert_eq!(twice.texts_of(".card h2").len(), 2);

    let main = jo.send(&added.button("Save main role").with("main", "2")).await;
    assert_eq!(main.notice(), "Your work details have been saved.");
    assert_eq!(
        main.texts_of(".card h2"),
        ["Educational Psychologist", "Teacher (main role)"]
    );

    let change = jo.open(&main.link("Change Teacher, Harbour School")).await;
    assert_eq!(change.h1(), "Change a Professional Role");
    assert_eq!(change.value_of("role"), "Teacher");
    // An address typed by hand stays while the list of another postcode is looked at.
    let typed = change.button("Find Address").with("address_line1", "My own line");
    let listed = jo.send(&typed).await;
    let by_hand = jo.send(&listed.button("Enter Address Manually")).await;
    assert_eq!(by_hand.value_of("address_line1"), "My own line");
    let abroad = by_hand
        .button("Save")
        .with("not_uk", "yes")
        .with("postcode", "75001")
        .with("country", "France");
    let saved = jo.send(&abroad).await;
    assert_eq!(saved.notice(), "Your work details have been saved.");
    assert!(
        saved.main().contains("My own line") && saved.main().contains("75001, France"),
        "{}",
        saved.main()
    );

    let ask = jo
        .open(&saved.link("Remove Educational Psychologist, Hill School"))
        .await;
    assert_eq!(ask.h1(), "Remove this Professional Role?");
    assert_eq!(ask.link("Keep it"), WORK);
    let remove = ask.button("Remove");
    let removed = jo.send(&remove).await;
    assert_eq!(removed.notice(), "Your Professional Role has been removed.");
    assert_eq!(removed.texts_of(".card h2"), ["Teacher (main role)"]);
    let twice = jo.send(&remove).await;
    assert_eq!(twice.notice(), "Your Professional Role has been removed.");
    assert_eq!(twice.texts_of(".card h2"), ["Teacher (main role)"]);
}

async fn two_tabs_change_two_roles_and_never_another_one(database: Database) {
    let (_site, _portal, mut jo, _) = signed_in(database, "two").await;
    for name in ["Teacher", "Caseworker"] {
        let add = jo.open("/account/work-details/add").await;
        let form = role(&mut jo, &add, name).await;
        jo.send(&form).await;
    }
    // Two roles in two tabs: both are kept.
    let second = jo.open("/account/work-details/change?role=2").await;
    let third = jo.open("/account/work-details/change?role=3").await;
    let to_remove = jo.open("/account/work-details/remove?role=3").await;
    let saved = jo.send(&second.button("Save").with("role", "Head Teacher")).await;
    assert_eq!(saved.notice(), "Your work details have been saved.");
    let saved = jo.send(&third.button("Save").with("role", "Social Worker")).await;
    assert_eq!(saved.notice(), "Your work details have been saved.");
    assert_eq!(saved.texts_of(".card h2")[1..], ["Head Teacher", "Social Worker"]);

    // The page that asked about the caseworker removes no social worker.
    let kept = jo.send(&to_remove.button("Remove")).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        kept.errors()[0].contains("Nothing was changed now"),
        "{:?}",
        kept.errors()
    );
    assert_eq!(kept.texts_of(".card h2").len(), 3);

    // One role in two tabs: the second compares, and saves again over what it saw.
    let (one, two) = (
        jo.open("/account/work-details/change?role=2").await,
        jo.open("/account/work-details/change?role=2").await,
    );
    jo.send(&one.button("Save").with("organisation", "First School"))
        .await;
    let clash = jo
        .send(&two.button("Save").with("organisation", "Second School"))
        .await;
    assert_eq!(clash.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(clash.errors()[0].starts_with("Someone saved these details at "));
    assert!(clash.texts_of("section dd").contains(&"First School".to_owned()));
    assert_eq!(clash.value_of("organisation"), "Second School");
    let saved = jo.send(&clash.button("Save")).await;
    assert!(saved.main().contains("Second School") && !saved.main().contains("First School"));

    // A role that was removed meanwhile is added again, and no other one is overwritten.
    let lost = jo.open("/account/work-details/change?role=2").await;
    let ask = jo.open("/account/work-details/remove?role=2").await;
    jo.send(&ask.button("Remove")).await;
    let gone = jo
        .send(&lost.button("Save").with("role", "Advisory Teacher"))
        .await;
    assert!(gone.errors()[0].contains("Save adds it"), "{:?}", gone.errors());
    assert_eq!(gone.h1(), "Add another Professional Role");
    let saved = jo.send(&gone.button("Save")).await;
    assert_eq!(
        saved.texts_of(".card h2"),
        [
            "Educational Psychologist (main role)",
            "Social Worker",
            "Advisory Teacher"
        ]
    );
}

async fn there_are_ten_roles_at_most_and_one_at_least(database: Database) {
    let (_site, _portal, mut jo, _) = signed_in(database, "ten").await;
    let only = jo.open(WORK).await;
    let told = jo
        .open(&only.link("Remove Educational Psychologist, Hill School"))
        .await;
    assert_eq!(told.notice(), "You need at least one Professional Role");
    assert_eq!(told.texts_of(".card h2").len(), 1);

    let add = jo.open("/account/work-details/add").await;
    let late = role(&mut jo, &add, "Late").await;
    let mut last = String::new();
    for number in 2..=10 {
        let add = jo.open("/account/work-details/add").await;
        let form = role(&mut jo, &add, &format!("Role {number}")).await;
        let page = jo.send(&form).await;
        assert_eq!(page.notice(), "Your Professional Role has been added.");
        last = page.link("Add another Professional Role");
    }
    let full = "You can have at most 10 Professional Roles. Remove one to add another.";
    assert_eq!(jo.open(&last).await.notice(), full);
    let refused = jo.send(&late).await;
    assert_eq!(refused.errors(), [full]);
    assert_eq!(refused.value_of("role"), "Late");

    // Two tabs that remove the last but one and the last.
    for _ in 2..10 {
        let ask = jo.open("/account/work-details/remove?role=2").await;
        jo.send(&ask.button("Remove")).await;
    }
    let (one, two) = (
        jo.open("/account/work-details/remove?role=1").await,
        jo.open("/account/work-details/remove?role=2").await,
    );
    jo.send(&one.button("Remove")).await;
    let kept = jo.send(&two.button("Remove")).await;
    assert_eq!(kept.errors(), ["You need at least one Professional Role"]);
    assert_eq!(kept.texts_of(".card h2"), ["Role 10 (main role)"]);
    for nowhere in ["change?role=9", "change?role=0", "change", "remove?role=x"] {
        let page = jo.open(&format!("{WORK}/{nowhere}")).await;
        assert_eq!(page.h1(), "Work Details", "{nowhere}");
    }
}

async fn a_form_sent_too_late_changes_nothing(database: Database) {
    let (site, _portal, mut jo, address) = signed_in(database, "late").await;
    let page = jo.open(DETAILS).await;
    site.clock().advance(Duration::from_secs(31 * 60));
    // SES-3, P28
    let out = jo.send(&page.button("Save").with("surname", "Late")).await;
    assert!(out.path.starts_with("/account/timed-out"), "{}", out.path);
    let back = log_in_on(&mut jo, &out, &address, PASSWORD).await;
    // R11: it opens filled in, and is not saved by itself.
    assert_eq!(back.h1(), "Personal Details");
    assert_eq!(back.value_of("surname"), "Late");
    let as_saved = jo.open(&back.link("Show what is saved instead")).await;
    assert_eq!(as_saved.value_of("surname"), "Bloggs");

    let other = jo.send(&as_saved.button("Save").with("forename", "Joanna")).await;
    assert_eq!(other.notice(), "Your personal details have been saved.");
    let role = jo.open("/account/work-details/change?role=1").await;
    site.clock().advance(Duration::from_secs(31 * 60));
    let typed = role
        .button("Save")
        .with("organisation", "Late School")
        .with("address_line1", "9 Late Lane");
    let out = jo.send(&typed).await;
    let back = log_in_on(&mut jo, &out, &address, PASSWORD).await;
    assert_eq!(back.h1(), "Change a Professional Role");
    assert_eq!(back.value_of("address_line1"), "9 Late Lane");
    let saved = jo.send(&back.button("Save")).await;
    assert_eq!(saved.notice(), "Your work details have been saved.");
    assert!(saved.main().contains("9 Late Lane"));
    // It is kept no longer.
    let again = jo.open("/account/work-details/change?role=1").await;
    assert_eq!(again.texts_of(".notice"), Vec::<String>::new());

    jo.send(&again.button("Logout")).await;
    for path in [DETAILS, WORK, "/account/work-details/add"] {
        let login = jo.open(path).await;
        assert_eq!(login.h1(), "Login", "{path}");
    }
}

async fn a_doubtful_address_is_asked_about_and_keeps_nobody_from_going_on(database: Database) {
    // R6
    let site = Site::new(database);
    let portal = site.open().await;
    for (address, advice) in [
        ("jo@hotmial.com", "Did you mean jo@hotmail.com?"),
        ("jo@gmail.com", "This looks like a personal address."),
    ] {
        let mut jo = Person::at(&portal);
        let about = security_details(&mut jo, address).await;
        assert_eq!(about.path, "/account/register/about-you");
        assert!(about.text_of(".advice").starts_with(advice), "{}", about.main());
        assert_eq!(
            about.link("Change the address"),
            "/account/register/security-details"
        );
        let kept = jo.open(&about.link("Use this address anyway")).await;
        assert_eq!(kept.texts_of(".advice").len(), 0);
        let wrong = jo.send(&kept.button("Next").with("title", "Dr")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(wrong.texts_of(".advice").len(), 0, "it is not said again");
        // The form that was shown with the advice goes on just as well.
        let work = about_you(&mut jo, &about).await;
        assert_eq!(work.path, "/account/register/work-details");
    }
}
