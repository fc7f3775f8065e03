//! Proving again who one is, where two-step verification is on (P32).

use std::time::Duration;

use axum::http::StatusCode;

use crate::rig::journey::{account, enter_code, log_in, log_in_on, turn_two_step_on};
use crate::rig::program::Portal;
use crate::rig::site::{code_in, not};
use crate::rig::{Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    the_password_is_asked_for_and_then_the_code_alone
    a_code_that_comes_too_late_leads_back_to_the_password
}

const PAGE: &str = "/account/confirm-password?next=%2Faccount";
const MINUTE: Duration = Duration::from_secs(60);

/// Somebody who logs in with a code and is asked again who they are: 4 mails.
async fn asked(site: &Site, portal: &Portal, name: &str) -> (Person, String, Page) {
    let mut jo = Person::at(portal);
    let address = fresh_address(name);
    account(site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    let login = turn_two_step_on(&mut jo).await;
    site.mail_to(&address, 3).await;
    let ask = log_in_on(&mut jo, &login, &address, PASSWORD).await;
    enter_code(site, &mut jo, &ask, &address, 4).await;
    site.clock().advance(MINUTE * 6);
    let page = jo.open(PAGE).await;
    assert_eq!(page.h1(), "Confirm it is you");
    (jo, address, page)
}

/// Which of the two the page asks for.
fn asks_for(page: &Page) -> Vec<String> {
    let mut names = page.names_of_fields();
    names.retain(|name| name == "password" || name == "code");
    names
}

async fn the_password_is_asked_for_and_then_the_code_alone(database: Database) {
    // STP-3
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address, page) = asked(&site, &portal, "confirming").await;
    assert_eq!(asks_for(&page), ["password"]);
    let form = page.button("Continue").with("password", PASSWORD);
    let page = jo.send(&form).await;
    assert_eq!(asks_for(&page), ["code"]);
    assert_eq!(
        asks_for(&jo.open(PAGE).await),
        ["code"],
        "a refresh changes nothing"
    );
    let code = code_in(&site.mail_to(&address, 5).await);
    let form = page.button("Continue").with("code", &not(&code));
    let page = jo.send(&form).await;
    assert_eq!(page.errors(), ["That code is not correct. 4 tries left."]);
    assert_eq!(asks_for(&page), ["code"]);
    // A program that fills in the password beside the code is understood.
    let form = page.button("Continue").with("code", &code);
    let done = jo.send(&form.forged("password", PASSWORD)).await;
    assert_eq!(done.path, "/account", "{:?}", done.errors());
}

async fn a_code_that_comes_too_late_leads_back_to_the_password(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address, page) = asked(&site, &portal, "confirming-late").await;
    let form = page.button("Continue").with("password", PASSWORD);
    let page = jo.send(&form).await;
    let code = code_in(&site.mail_to(&address, 5).await);
    site.clock().advance(MINUTE * 20);
    for late in [
        page.button("Continue").with("code", &code),
        page.button("Send the code again"),
    ] {
        let again = jo.send(&late).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(again.errors(), ["That took too long. Enter your password again."]);
        assert_eq!(asks_for(&again), ["password"]);
    }
}
