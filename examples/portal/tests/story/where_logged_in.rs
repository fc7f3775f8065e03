//! Where people are logged in, what happened to their account, and taking their data away (P26, P27).

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use serde_json::Value;

use crate::rig::journey::{account, log_in};
use crate::rig::{Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_person_sees_their_sessions_and_logs_one_out
    everywhere_else_is_logged_out_and_here_goes_on
    ending_asks_for_a_fresh_proof_and_comes_back
    what_happened_is_told_in_sentences
    data_is_downloaded_as_json_and_as_html
}

const PAGE: &str = "/account/sessions";
const SIX_MINUTES: Duration = Duration::from_secs(360);

/// Proves who they are on the page that asks for it.
async fn prove(person: &mut Person, page: &Page) -> Page {
    assert_eq!(page.h1(), "Confirm it is you", "{}", page.path);
    person
        .send(&page.button("Continue").with("password", PASSWORD))
        .await
}

async fn a_person_sees_their_sessions_and_logs_one_out(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, mut elsewhere) = (Person::at(&portal), Person::at(&portal));
    let address = fresh_address("sessions");
    account(&site, &mut jo, &address).await;
    log_in(&mut elsewhere, &address, PASSWORD).await;
    log_in(&mut jo, &address, PASSWORD).await;

    let page = jo.open(PAGE).await;
    assert_eq!(page.h1(), "Where you are logged in");
    assert_eq!(page.texts_of("main section h2").len(), 2);
    assert_eq!(page.texts_of("main section h2 .optional"), ["(this one)"]);
    assert!(page.main().contains("127.0.0.x"), "SES-7: {}", page.main());
    for token in [jo.cookie("session"), elsewhere.cookie("session")] {
        assert!(!page.body.contains(token.unwrap()), "no token on the page");
    }
    let stale = page.button("Log out");
    let after = jo.send(&stale).await;
    assert_eq!(after.notice(), "That browser is logged out.");
    assert_eq!(after.texts_of("main section h2").len(), 1);
    assert_eq!(elsewhere.open("/home").await.h1(), "Login");
    assert_eq!(jo.open("/home").await.h1(), "Welcome, Jo");
    // A second press of the button on the old page has nothing to end.
    let again = jo.send(&stale).await;
    assert_eq!(again.notice(), "That browser was logged out already.");

    // Somebody else's handle is nobody's.
    let (mut kim, kims) = (Person::at(&portal), fresh_address("sessions-kim"));
    account(&site, &mut kim, &kims).await;
    log_in(&mut kim, &kims, PASSWORD).await;
    log_in(&mut elsewhere, &address, PASSWORD).await;
    let handle = jo
        .open(PAGE)
        .await
        .button("Log out")
        .value("session")
        .unwrap()
        .to_owned();
    let mut form = kim.open(PAGE).await.button("Log out everywhere else");
    form.fields.retain(|(name, _)| name != "do");
    form.fields.push(("session".to_owned(), handle));
    form.fields.push(("do".to_owned(), "end".to_owned()));
    let answer = kim.send(&form).await;
    assert_eq!(answer.notice(), "That browser was logged out already.");
    assert_eq!(elsewhere.open("/home").await.h1(), "Welcome, Jo");
}

async fn everywhere_else_is_logged_out_and_here_goes_on(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("everywhere");
    account(&site, &mut jo, &address).await;
    let mut others = [Person::at(&portal), Person::at(&portal)];
    for other in &mut others {
        log_in(other, &address, PASSWORD).await;
    }
    log_in(&mut jo, &address, PASSWORD).await;
    let before = jo.cookie("session").unwrap().to_owned();
    let page = jo.open(PAGE).await;
    let after = jo.send(&page.button("Log out everywhere else")).await;
    assert_eq!(after.notice(), "You are logged out everywhere else.");
    assert_ne!(jo.cookie("session").unwrap(), before, "SES-2: a new token");
    assert_eq!(after.texts_of("main section h2").len(), 1);
    for other in &mut others {
        assert_eq!(other.open("/home").await.h1(), "Login");
    }
    assert_eq!(jo.open("/home").await.h1(), "Welcome, Jo");
}

async fn ending_asks_for_a_fresh_proof_and_comes_back(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, mut elsewhere) = (Person::at(&portal), Person::at(&portal));
    let address = fresh_address("fresh");
    account(&site, &mut jo, &address).await;
    log_in(&mut elsewhere, &address, PASSWORD).await;
    log_in(&mut jo, &address, PASSWORD).await;
    site.clock().advance(SIX_MINUTES);
    // STP-3: looking needs no proof, ending does.
    let page = jo.open(PAGE).await;
    for button in ["Log out", "Log out everywhere else"] {
        let asked = jo.send(&page.button(button)).await;
        assert_eq!(asked.h1(), "Confirm it is you");
    }
    assert_eq!(elsewhere.open("/home").await.h1(), "Welcome, Jo");
    let asked = jo.send(&page.button("Log out")).await;
    let back = prove(&mut jo, &asked).await;
    assert_eq!(back.path.split('?').next(), Some(PAGE));
    assert_eq!(
        back.notice(),
        "You have confirmed who you are. Choose again what to do."
    );
    let after = jo.send(&back.button("Log out")).await;
    assert_eq!(after.notice(), "That browser is logged out.");
    assert_eq!(elsewhere.open("/home").await.h1(), "Login");

    // Nobody who is not logged in sees anything.
    assert_eq!(elsewhere.open(PAGE).await.h1(), "Login");
}

async fn what_happened_is_told_in_sentences(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("activity");
    account(&site, &mut jo, &address).await;
    let mut stranger = Person::at(&portal);
    site.clock().advance(Duration::from_secs(1));
    log_in(&mut stranger, &address, "Wrong-Horse-42-battery").await;
    site.clock().advance(Duration::from_secs(1));
    let home = log_in(&mut jo, &address, PASSWORD).await;
    let page = jo.open(&home.link("My Account (Jo Bloggs)")).await;
    let page = jo.open(&page.link("Account activity")).await;
    assert_eq!(page.h1(), "Account activity");
    let told = page.texts_of("main dl dd");
    assert!(told[0].starts_with("You logged in."), "{told:?}");
    assert!(
        told[1].starts_with("A login was refused: the password was wrong."),
        "{told:?}"
    );
    assert!(
        told.iter().any(|line| line.starts_with("Your account was made.")),
        "{told:?}"
    );
    assert!(!page.main().contains(&address) && !page.main().contains("127.0.0"));

    // Ninety days later it is not told any more.
    site.clock().advance(Duration::from_secs(91 * 86_400));
    log_in(&mut jo, &address, PASSWORD).await;
    let told = jo.open("/account/activity").await.texts_of("main dl dd");
    assert_eq!(told.len(), 1, "{told:?}");
}

async fn data_is_downloaded_as_json_and_as_html(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("download");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    let page = jo.open("/account/your-data").await;
    assert_eq!(page.h1(), "Download or close account");
    let form = page.button("Download as JSON");
    let file = jo.post(&form).await;
    assert_eq!(file.status, StatusCode::OK);
    let header = |file: &Page, name| file.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header(&file, CONTENT_TYPE), "application/json");
    assert_eq!(
        header(&file, CONTENT_DISPOSITION),
        "attachment; filename=\"your-data.json\""
    );
    assert!(header(&file, CACHE_CONTROL).contains("no-store"));
    let data: Value = serde_json::from_str(&file.body).unwrap();
    assert_eq!(data["account"]["email_address"], address);
    assert_eq!(data["account"]["details"]["about_you"]["surname"], "Bloggs");
    assert_eq!(data["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(
        data["emails"].as_array().unwrap().len(),
        1,
        "the account is ready"
    );
    assert!(!file.body.contains("argon2"));
    assert!(!file.body.contains(jo.cookie("session").unwrap()));

    let html = jo.post(&page.button("Download as HTML")).await;
    assert_eq!(header(&html, CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(
        header(&html, CONTENT_DISPOSITION),
        "attachment; filename=\"your-data.html\""
    );
    assert!(
        html.body.contains("<dt>Surname</dt><dd>Bloggs</dd>"),
        "{}",
        html.body
    );

    // STP-3, and another site's form.
    site.clock().advance(SIX_MINUTES);
    let asked = jo.send(&form).await;
    let back = prove(&mut jo, &asked).await;
    assert_eq!(back.path.split('?').next(), Some("/account/your-data"));
    let file = jo.post(&back.button("Download as JSON")).await;
    assert_eq!(file.status, StatusCode::OK);
    let stale = jo.post(&form.with("form_token", "AAAA")).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
}
