//! The story that the portal exists for, and its expiries.

use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::rig::journey::{account, complete, enter_code, log_in, log_in_on, register, turn_two_step_on};
use crate::rig::site::{code_in, link_in, not};
use crate::rig::{Database, PASSWORD, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_person_registers_turns_two_step_on_and_lands_in_the_area
    a_code_is_read_as_people_type_it_and_dies_in_its_time
    whoever_goes_back_from_the_code_finds_their_address_filled_in
    a_link_that_is_over_is_replaced_by_one_press_and_nothing_is_typed_again
    a_link_changes_nothing_until_somebody_enters_the_password
    an_idle_person_is_logged_out_and_comes_back_to_where_they_were
}

async fn a_person_registers_turns_two_step_on_and_lands_in_the_area(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("jo");

    let home = jo.open("/").await;
    assert_eq!(home.title(), "Home - Professional Portal");
    assert_eq!(home.link("Register"), "/account/register");

    let sent = register(&mut jo, &address).await;
    assert_eq!(sent.h1(), "Check your email");
    assert!(sent.main().contains(&address));
    let mail = site.mail_to(&address, 1).await;
    assert_eq!(mail.subject, "Complete your registration - Professional Portal");
    assert_eq!(mail.header("Auto-Submitted"), ["auto-generated"]);
    let link = link_in(&mail);

    let confirm = jo.open(&link).await;
    assert_eq!(confirm.h1(), "Confirm your email address");
    assert_eq!(
        confirm.path, "/account/complete-registration",
        "TOK-5: the token leaves the address bar"
    );
    let thanks = complete(&mut jo, &link, PASSWORD).await;
    assert_eq!(thanks.h1(), "Thank you for registering");
    assert_eq!(site.mail_to(&address, 2).await.subject, "Your account is ready");

    let login = jo.open(&thanks.link("Login")).await;
    assert_eq!(login.value_of("email"), address, "the address is filled in");
    let home = log_in_on(&mut jo, &login, &address, PASSWORD).await;
    assert_eq!(home.path, "/home");
    assert_eq!(home.h1(), "Welcome, Jo");
    assert_eq!(home.link("My Account (Jo Bloggs)"), "/account");

    let area = jo.open(&home.link("SEND (EHCP) & Early Help (EHAT)")).await;
    assert_eq!(area.h1(), "Two Step Verification is needed here");
    // Who first saves what is chosen already still gets to the area.
    let settings = jo.open(&area.link("Turn on Two Step Verification")).await;
    let form = settings.button("Save").with("preferred_method", "none");
    let unchanged = jo.send(&form).await;
    assert_eq!(unchanged.notice(), "Nothing was changed.");
    assert_eq!(unchanged.value_of("next"), "/areas/send-ehat");
    // STP-3: by now the login is too old to count as a proof of who it is.
    site.clock().advance(Duration::from_secs(300));
    let out = turn_two_step_on(&mut jo).await;
    assert!(out.path.starts_with("/account/login?"), "{}", out.path);
    assert_eq!(out.notice(), "Two Step Verification is on. Log in again.");
    assert!(jo.cookie("session").is_none());
    let told = site.mail_to(&address, 3).await;
    assert_eq!(told.subject, "Two Step Verification was turned on");

    let ask = log_in_on(&mut jo, &out, &address, PASSWORD).await;
    assert_eq!(ask.h1(), "Verification Code sent");
    let area = enter_code(&site, &mut jo, &ask, &address, 4).await;
    assert_eq!(area.path, "/areas/send-ehat", "they land where they wanted to go");
    assert_eq!(area.h1(), "SEND (EHCP) & Early Help (EHAT)");

    let out = jo.send(&area.button("Logout")).await;
    assert_eq!(out.notice(), "You have logged out.");
    assert!(jo.cookie("session").is_none());
    assert_eq!(jo.open("/home").await.h1(), "Login");
}

async fn a_code_is_read_as_people_type_it_and_dies_in_its_time(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("codes");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    turn_two_step_on(&mut jo).await;
    site.mail_to(&address, 3).await;

    let ask = log_in(&mut jo, &address, PASSWORD).await;
    let code = code_in(&site.mail_to(&address, 4).await);
    for (typed, told) in [
        ("", "Enter your Verification Code"),
        (
            "12345",
            "You've not entered enough numbers, the code must be 6 numbers",
        ),
        (
            "1234567",
            "You've entered too many numbers, the code must be 6 numbers",
        ),
        ("12345a", "The code must be 6 numbers"),
        (&not(&code), "That code is not correct. 4 tries left."),
    ] {
        let again = jo.send(&ask.button("Verify").with("code", typed)).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(again.errors(), [told], "for {typed:?}");
    }
    // R8: spaces, dashes and other people's digits are understood.
    let (first, last) = code.split_at(3);
    let wide: String = last
        .chars()
        .map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap())
        .collect();
    let typed = format!(" {first} - {wide} ");
    let home = jo.send(&ask.button("Verify").with("code", &typed)).await;
    assert_eq!(home.path, "/home", "{:?}", home.errors());
    jo.send(&home.button("Logout")).await;

    // OTP-2: at ten minutes it is over, and a new one is on its way.
    let ask = log_in(&mut jo, &address, PASSWORD).await;
    let code = code_in(&site.mail_to(&address, 5).await);
    site.clock().advance(Duration::from_secs(600));
    let late = jo.send(&ask.button("Verify").with("code", &code)).await;
    assert_eq!(late.errors(), ["The code has expired. We have sent a new one."]);
    let new = code_in(&site.mail_to(&address, 6).await);
    assert_ne!(new, code);
    let too_soon = jo.send(&late.button("Send the code again")).await;
    assert_eq!(too_soon.errors(), ["Wait 60 seconds, then send it again"]);
    site.clock().advance(Duration::from_secs(599));
    let home = jo.send(&late.button("Verify").with("code", &new)).await;
    assert_eq!(home.path, "/home");
}

async fn whoever_goes_back_from_the_code_finds_their_address_filled_in(database: Database) {
    // P3
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("back");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    turn_two_step_on(&mut jo).await;
    site.mail_to(&address, 3).await;
    assert_eq!(jo.open("/account/login").await.value_of("email"), "");

    let ask = log_in(&mut jo, &address, PASSWORD).await;
    let back = jo.open("/account/login").await;
    assert_eq!(back.value_of("email"), address);
    let named = jo.open("/account/login?email=ann%40school.example").await;
    assert_eq!(named.value_of("email"), "ann@school.example");
    let other = jo.open(&ask.link("Use a different account")).await;
    assert_eq!(other.value_of("email"), "");
    // No other browser is told, nor this one once the login is done.
    let elsewhere = Person::at(&portal).open("/account/login").await;
    assert_eq!(elsewhere.value_of("email"), "");
    let home = enter_code(&site, &mut jo, &ask, &address, 4).await;
    let out = jo.send(&home.button("Logout")).await;
    assert_eq!((&*out.h1(), &*out.value_of("email")), ("Login", ""));
}

async fn a_link_that_is_over_is_replaced_by_one_press_and_nothing_is_typed_again(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("late");
    let sent = register(&mut jo, &address).await;
    let old = link_in(&site.mail_to(&address, 1).await);

    let too_soon = jo.send(&sent.button("Send the link again")).await;
    assert_eq!(site.mails_to(&address), 1);
    assert!(
        too_soon.main().contains("You can send it again at"),
        "{}",
        too_soon.main()
    );

    site.clock().advance(Duration::from_secs(12 * 3600));
    let over = jo.open(&old).await;
    assert_eq!(over.status, StatusCode::GONE);
    assert!(over.main().contains("Links last 12 hours."), "{}", over.main());
    let sent = jo.send(&over.button("Send a new link")).await;
    assert!(sent.path.starts_with("/account/register/sent"), "{}", sent.path);
    let new = link_in(&site.mail_to(&address, 2).await);
    assert_ne!(new, old);

    // Another browser altogether, as when the mail is read on a telephone.
    let mut telephone = Person::at(&portal);
    let old = telephone.open(&old).await;
    assert_ne!(old.status, StatusCode::OK);
    let thanks = complete(&mut telephone, &new, PASSWORD).await;
    assert_eq!(thanks.h1(), "Thank you for registering");
    assert_eq!(telephone.open(&new).await.h1(), "Thank you for registering");
    assert_eq!(log_in(&mut telephone, &address, PASSWORD).await.path, "/home");
}

async fn a_link_changes_nothing_until_somebody_enters_the_password(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("scanned");
    register(&mut jo, &address).await;
    let link = link_in(&site.mail_to(&address, 1).await);

    // P-04: a scanner opens it, asks for its head, prefetches it, and presses the button of the bare form.
    let mut scanner = Person::at(&portal);
    for _ in 0..20 {
        let head = scanner.ask(Method::HEAD, &link, &[]).await;
        assert_eq!(head.body, "");
        let prefetch = [(axum::http::HeaderName::from_static("sec-purpose"), "prefetch")];
        scanner.ask(Method::GET, &link, &prefetch).await;
        let page = scanner.open(&link).await;
        assert_eq!(page.h1(), "Confirm your email address");
        assert!(scanner.cookie("session").is_none() && scanner.cookie("device").is_none());
    }
    let page = scanner.open(&link).await;
    let bare = scanner.send(&page.button("Complete registration")).await;
    assert_eq!(bare.errors(), ["Password is required"]);
    assert_eq!(site.mails_to(&address), 1);
    assert_eq!(
        log_in(&mut scanner, &address, PASSWORD).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );

    let thanks = complete(&mut jo, &link, PASSWORD).await;
    assert_eq!(thanks.h1(), "Thank you for registering");
}

async fn an_idle_person_is_logged_out_and_comes_back_to_where_they_were(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("idle");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;

    // SES-3: exact at the boundary.
    site.clock().advance(Duration::from_secs(29 * 60 + 59));
    assert_eq!(jo.open("/account").await.h1(), "My Account");
    site.clock().advance(Duration::from_secs(30 * 60));
    let out = jo.open("/account").await;
    assert!(out.path.starts_with("/account/timed-out"), "{}", out.path);
    assert!(
        out.main()
            .contains("We logged you out after 30 minutes without activity.")
    );
    let back = log_in_on(&mut jo, &out, &address, PASSWORD).await;
    assert_eq!(back.path, "/account");

    // Twelve hours in all, however busy they were.
    for _ in 0..36 {
        site.clock().advance(Duration::from_secs(20 * 60 - 1));
        assert_eq!(jo.open("/account").await.h1(), "My Account");
    }
    site.clock().advance(Duration::from_secs(36));
    assert_ne!(jo.open("/account").await.h1(), "My Account");
}
