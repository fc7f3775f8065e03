//! Find Address: an address is chosen from a list, or typed where the list does not hold it (P7 in P6 and P19).

use axum::http::StatusCode;

use crate::rig::journey::{about_you, account, log_in, security_details};
use crate::rig::{Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_choice_counts_for_the_postcode_it_was_found_for
    a_chosen_address_is_there_after_a_look_at_the_step_before
    a_stale_form_is_shown_with_its_list_and_the_choice
    an_address_that_is_not_listed_is_typed_before_it_is_judged
    a_typed_address_is_not_sent_off_unseen
}

/// Somebody at the third step of a registration, and somebody who adds a role, each with the button that is last.
async fn both_forms(site: &Site) -> (crate::rig::program::Portal, [(Person, Page, &'static str); 2]) {
    let portal = site.open().await;
    let mut new = Person::at(&portal);
    let about = security_details(&mut new, &fresh_address("new")).await;
    let work = about_you(&mut new, &about).await;
    let mut known = Person::at(&portal);
    let address = fresh_address("known");
    account(site, &mut known, &address).await;
    log_in(&mut known, &address, PASSWORD).await;
    let add = known.open("/account/work-details/add").await;
    (portal, [(new, work, "Submit Registration"), (known, add, "Save")])
}

/// Where the last button leads once all is well.
fn is_done(page: &Page) -> bool {
    matches!(
        page.path.as_str(),
        "/account/register/sent" | "/account/work-details?notice=added"
    )
}

/// The list at a postcode.
async fn find(person: &mut Person, page: &Page, postcode: &str) -> Page {
    let form = page.button("Find Address").with("role", "Teacher");
    let form = form
        .with("organisation", "Mill School")
        .with("postcode", postcode);
    let list = person.send(&form).await;
    assert!(list.main().contains("Choose an address"), "{}", list.main());
    list
}

/// The value of the second address in the list.
fn second(list: &Page) -> String {
    list.attributes_of("input[name=address]", "value")[1].clone()
}

async fn a_choice_counts_for_the_postcode_it_was_found_for(database: Database) {
    let site = Site::new(database);
    let (_portal, forms) = both_forms(&site).await;
    for (mut jo, page, last) in forms {
        let list = find(&mut jo, &page, "AA1 1AA").await;
        let moved = list.button(last).with("address", &second(&list));
        let asked = jo.send(&moved.with("postcode", "AA2 3EF")).await;
        assert_eq!(
            asked.errors(),
            ["Choose an address, or My address is not listed"],
            "nobody has seen the second address of this postcode"
        );
        assert_eq!(asked.value_of("address"), "");
        let choices = asked.texts_of("#address label");
        assert!(
            choices[1].contains("6 Chapel Walk") && choices[5] == "My address is not listed",
            "{choices:?}"
        );

        // The same postcode written another way has the same list.
        let chosen = asked.button(last).with("address", &second(&asked));
        let done = jo.send(&chosen.with("postcode", "aa2-3ef")).await;
        assert!(is_done(&done), "{}: {:?}", done.path, done.errors());
    }
}

async fn a_chosen_address_is_there_after_a_look_at_the_step_before(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let about = security_details(&mut jo, &fresh_address("back")).await;
    let work = about_you(&mut jo, &about).await;
    let list = find(&mut jo, &work, "AA1 1AA").await;
    let back = list.button("Previous").with("address", &second(&list));
    assert_eq!(jo.send(&back).await.path, "/account/register/about-you");
    let again = jo.open("/account/register/work-details").await;
    assert_eq!(again.value_of("address_line1"), "3 High Street");
    assert_eq!(again.value_of("town"), "Anyborough");

    // A choice from the list of another postcode is none, and what was there stays.
    let list = find(&mut jo, &again, "AA1 1AA").await;
    let back = list.button("Previous").with("address", &second(&list));
    jo.send(&back.with("postcode", "AA2 3EF")).await;
    let again = jo.open("/account/register/work-details").await;
    assert_eq!(again.value_of("postcode"), "AA2 3EF");
    assert_eq!(again.value_of("address_line1"), "3 High Street");
}

async fn a_stale_form_is_shown_with_its_list_and_the_choice(database: Database) {
    // R13
    let site = Site::new(database);
    let (_portal, forms) = both_forms(&site).await;
    for (mut jo, page, last) in forms {
        let list = find(&mut jo, &page, "AA1 1AA").await;
        let chosen = list.button(last).with("address", &second(&list));
        let stale = jo.send(&chosen.without("form_token")).await;
        assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(stale.value_of("address"), second(&list));
        let done = jo.send(&stale.button(last)).await;
        assert!(is_done(&done), "{}: {:?}", done.path, done.errors());
    }
}

/// The list, after the first line of an address was typed by hand.
async fn typed_then_listed(person: &mut Person, page: &Page) -> Page {
    let manual = page.button("Enter Address Manually").with("role", "Teacher");
    let manual = manual
        .with("organisation", "Mill School")
        .with("postcode", "AA1 1AA");
    let manual = person.send(&manual).await;
    let find = manual.button("Find Address");
    person.send(&find.with("address_line1", "My own line")).await
}

async fn an_address_that_is_not_listed_is_typed_before_it_is_judged(database: Database) {
    let site = Site::new(database);
    let (_portal, forms) = both_forms(&site).await;
    for (mut jo, page, last) in forms {
        let list = typed_then_listed(&mut jo, &page).await;
        // A choice that does not come to be saved leaves what was typed.
        let wrong = list.button(last).with("address", &second(&list)).with("role", "");
        let wrong = jo.send(&wrong).await;
        assert_eq!(wrong.errors(), ["Please enter your role title"]);
        let not_listed = wrong.button(last).with("address", "none");
        let opened = jo.send(&not_listed.with("role", "Teacher")).await;
        assert_eq!(opened.status, StatusCode::OK);
        assert_eq!(opened.errors(), Vec::<String>::new(), "nothing was asked for yet");
        assert_eq!(opened.value_of("address_line1"), "My own line");

        let judged = jo.send(&opened.button(last)).await;
        assert_eq!(judged.errors(), ["Enter town or city"]);
        let done = jo.send(&judged.button(last).with("town", "Anyborough")).await;
        assert!(is_done(&done), "{}: {:?}", done.path, done.errors());
    }
}

async fn a_typed_address_is_not_sent_off_unseen(database: Database) {
    let site = Site::new(database);
    let (_portal, forms) = both_forms(&site).await;
    for (mut jo, page, last) in forms {
        let list = typed_then_listed(&mut jo, &page).await;
        let opened = jo.send(&list.button("Enter Address Manually")).await;
        let find = opened.button("Find Address").with("town", "Anyborough");
        let list = jo.send(&find).await;
        // All of the typed address is there, but for another postcode, and nobody finds an address at this one.
        let sent = jo.send(&list.button(last).with("postcode", "EH1 1YZ")).await;
        assert_eq!(sent.status, StatusCode::OK);
        assert_eq!(
            sent.text_of(".advice"),
            "We could not find that postcode. Enter the address yourself."
        );
        assert_eq!(sent.value_of("address_line1"), "My own line");
        let done = jo.send(&sent.button(last)).await;
        assert!(is_done(&done), "{}: {:?}", done.path, done.errors());
    }
}
