//! Somebody chooses Cymraeg, and everything from the front page to the area is Welsh, mails as well; nobody else's is.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_LANGUAGE, LOCATION};

use crate::rig::journey::{ADDRESS_BOOK_ROLE, a_question, account, log_in, register, turn_two_step_on};
use crate::rig::site::link_in;
use crate::rig::{ANSWER, Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_registration_and_a_sign_in_are_welsh_for_whoever_chose_it
    an_account_keeps_the_choice_for_other_browsers
    nobody_is_answered_in_another_language_unasked
    a_choice_is_made_by_a_genuine_form_and_leads_back_into_the_portal_only
    what_goes_wrong_is_told_in_welsh_too
}

/// Presses the button of a language at the foot of a page.
async fn choose(person: &mut Person, page: &Page, language: &str) -> Page {
    person.send(&page.button(language)).await
}

/// A Welsh page, and what it says.
#[track_caller]
fn is_welsh(page: &Page, h1: &str) {
    assert_eq!(page.attributes_of("html", "lang"), ["cy"], "R14: {}", page.path);
    assert_eq!(page.headers[CONTENT_LANGUAGE], "cy", "{}", page.path);
    assert_eq!(page.h1(), h1, "{}", page.path);
    assert!(
        page.attributes_of("main [lang], header [lang]", "lang")
            .is_empty(),
        "a part of {} is in another language",
        page.path
    );
    for english in [
        "Log in",
        "Login",
        "Register",
        "Password",
        "Email Address",
        "Need help",
        "Error:",
    ] {
        assert!(
            !page.text_of("body").contains(english),
            "{english} on {}:\n{}",
            page.path,
            page.text_of("body")
        );
    }
}

async fn a_registration_and_a_sign_in_are_welsh_for_whoever_chose_it(database: Database) {
    // portal.md R4
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("cymraeg");

    let front = jo.open("/").await;
    let front = choose(&mut jo, &front, "Cymraeg").await;
    assert_eq!(front.path, "/");
    is_welsh(&front, "Croeso i Professional Portal");
    assert!(front.main().contains("Dyma lle mae gweithwyr proffesiynol"));
    assert_eq!(front.title(), "Hafan - Professional Portal");
    is_welsh(&jo.open("/help").await, "Cymorth");

    // P4, with what is wrong first
    let security = jo.open("/account/register").await;
    is_welsh(&security, "Cofrestru");
    let form = security.button("Nesaf").with("new-password", "short");
    let wrong = jo.send(&form).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.title().starts_with("Gwall: Manylion Diogelwch"),
        "{}",
        wrong.title()
    );
    assert!(
        wrong
            .errors()
            .contains(&"Rhowch eich cyfeiriad e-bost".to_owned()),
        "{:?}",
        wrong.errors()
    );
    assert!(
        wrong
            .errors()
            .iter()
            .any(|e| e.starts_with("Rhaid i’r cyfrinair gynnwys o leiaf 10 nod"))
    );
    let form = wrong
        .button("Nesaf")
        .with("email", &address)
        .with("email2", &address)
        .with("new-password", PASSWORD)
        .with("new-password2", PASSWORD)
        .with("question", &a_question(&wrong))
        .with("answer", ANSWER);
    let about = jo.send(&form).await;
    is_welsh(&about, "Cofrestru");
    assert!(
        about.main().contains("Cam 2 o 3 Amdanoch chi"),
        "{}",
        about.main()
    );
    let form = about
        .button("Nesaf")
        .with("title", "Dr")
        .with("forename", "Siân")
        .with("surname", "Llŷr")
        .with("gender", "undisclosed");
    let work = jo.send(&form).await;
    is_welsh(&work, "Cofrestru");
    let form = work
        .button("Rhoi’r cyfeiriad â llaw")
        .with("role", ADDRESS_BOOK_ROLE)
        .with("organisation", "Ysgol y Bryn")
        .with("postcode", "CF10 1EP");
    let work = jo.send(&form).await;
    let form = work
        .button("Cyflwyno’r cofrestriad")
        .with("address_line1", "1 Stryd Fawr")
        .with("town", "Caerdydd");
    let sent = jo.send(&form).await;
    assert_eq!(sent.path, "/account/register/sent", "{:?}", sent.errors());
    is_welsh(&sent, "Gwiriwch eich e-bost");
    assert!(sent.main().contains("(12 awr)"), "{}", sent.main());

    // E1, E3
    let mail = site.mail_to(&address, 1).await;
    assert_eq!(mail.subject, "Cwblhewch eich cofrestriad - Professional Portal");
    assert_eq!(mail.header("Content-Language"), ["cy"]);
    assert!(
        mail.text.contains("Mae’r ddolen yn para 12 awr."),
        "{}",
        mail.text
    );
    let complete = jo.open(&link_in(&mail)).await;
    is_welsh(&complete, "Cadarnhewch eich cyfeiriad e-bost");
    let form = complete
        .button("Cwblhau’r cofrestriad")
        .with("password", "Wrong-Password-99");
    let wrong = jo.send(&form).await;
    assert_eq!(
        wrong.errors(),
        ["Nid yw’r cyfrinair yn gywir. Mae gennych 4 cynnig ar ôl."]
    );
    let form = wrong.button("Cwblhau’r cofrestriad").with("password", PASSWORD);
    is_welsh(&jo.send(&form).await, "Diolch am gofrestru");
    let ready = site.mail_to(&address, 2).await;
    assert_eq!(ready.subject, "Mae eich cyfrif yn barod");

    // P2, P15, P16, P32, P23, E11
    let login = jo.open("/account/login").await;
    is_welsh(&login, "Mewngofnodi");
    let form = login
        .button("Mewngofnodi")
        .with("email", &address)
        .with("password", PASSWORD);
    let home = jo.send(&form).await;
    is_welsh(&home, "Croeso, Siân");
    let area = jo.open("/areas/send-ehat").await;
    is_welsh(&area, "Mae angen Dilysu Dau Gam yma");
    let settings = jo.open(&area.link("Troi Dilysu Dau Gam ymlaen")).await;
    is_welsh(&settings, "Dilysu Dau Gam");
    let login = jo
        .send(&settings.button("Cadw").with("preferred_method", "email"))
        .await;
    assert_eq!(login.notice(), "Mae Dilysu Dau Gam ymlaen. Mewngofnodwch eto.");
    is_welsh(&login, "Mewngofnodi");
    let changed = site.mail_to(&address, 3).await;
    assert_eq!(changed.subject, "Mae Dilysu Dau Gam wedi’i droi ymlaen");
    assert!(
        changed.text.contains("Porwr: Firefox ar Linux."),
        "{}",
        changed.text
    );

    // P3, E4
    let form = login
        .button("Mewngofnodi")
        .with("email", &address)
        .with("password", PASSWORD);
    let verify = jo.send(&form).await;
    is_welsh(&verify, "Cod dilysu wedi’i anfon");
    let mail = site.mail_to(&address, 4).await;
    assert_eq!(
        (mail.subject.as_str(), mail.header("Content-Language")),
        ("Eich cod dilysu", vec!["cy"])
    );
    let (code, _) = mail.text.split_once(" yw eich cod dilysu\n").unwrap();
    let wrong = jo.send(&verify.button("Dilysu").with("code", "12")).await;
    assert_eq!(
        wrong.errors(),
        ["Nid ydych wedi rhoi digon o rifau, rhaid i’r cod gynnwys 6 rhif"]
    );
    let area = jo.send(&wrong.button("Dilysu").with("code", code)).await;
    assert_eq!(area.path, "/areas/send-ehat");
    is_welsh(&area, "SEND (EHCP) a Chymorth Cynnar (EHAT)");

    // P28 and logging out
    let out = jo.send(&area.button("Allgofnodi")).await;
    assert_eq!(out.notice(), "Rydych wedi allgofnodi.");
    is_welsh(&out, "Mewngofnodi");
    let timed_out = jo.open("/account/timed-out").await;
    assert!(
        timed_out.main().contains("ar ôl 30 munud heb weithgarwch"),
        "{}",
        timed_out.main()
    );

    // And back again.
    let english = choose(&mut jo, &out, "English").await;
    assert_eq!(
        (english.path.as_str(), english.h1().as_str()),
        ("/account/login?notice=logged-out", "Login")
    );
    assert_eq!(english.headers[CONTENT_LANGUAGE], "en-GB");
}

async fn an_account_keeps_the_choice_for_other_browsers(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("account");
    account(&site, &mut jo, &address).await;
    let home = log_in(&mut jo, &address, PASSWORD).await;
    assert_eq!(home.attributes_of("html", "lang"), ["en-GB"]);
    let home = choose(&mut jo, &home, "Cymraeg").await;
    assert_eq!(home.path, "/home");
    is_welsh(&home, "Croeso, Jo");

    let mut elsewhere = Person::at(&portal);
    let home = log_in(&mut elsewhere, &address, PASSWORD).await;
    is_welsh(&home, "Croeso, Jo");
    assert_eq!(
        elsewhere.cookie("lang"),
        None,
        "nothing was chosen in this browser"
    );

    // E2: whoever asks, the owner reads it.
    site.clock().advance(std::time::Duration::from_secs(60));
    let mut stranger = Person::at(&portal);
    register(&mut stranger, &address).await;
    let mail = site.mail_to(&address, 3).await;
    assert_eq!(mail.subject, "Mae gennych gyfrif eisoes");
    assert_eq!(mail.header("Content-Language"), ["cy"]);
}

async fn nobody_is_answered_in_another_language_unasked(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let accept = axum::http::header::ACCEPT_LANGUAGE;
    for planted in [None, Some("fr"), Some("../../cy"), Some("")] {
        if let Some(value) = planted {
            jo.plant("lang", value);
        }
        let page = jo
            .ask(
                axum::http::Method::GET,
                "/account/login",
                &[(accept.clone(), "cy")],
            )
            .await;
        assert_eq!(page.attributes_of("html", "lang"), ["en-GB"], "{planted:?}");
        assert_eq!(page.headers[CONTENT_LANGUAGE], "en-GB");
        assert_eq!(page.h1(), "Login");
    }
    let mut jo = Person::at(&portal);
    let address = fresh_address("english");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    turn_two_step_on(&mut jo).await;
    let mail = site.mail_to(&address, 3).await;
    assert_eq!(mail.subject, "Two Step Verification was turned on");
    assert_eq!(mail.header("Content-Language"), ["en-GB"]);
}

async fn a_choice_is_made_by_a_genuine_form_and_leads_back_into_the_portal_only(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let help = jo.open("/help").await;
    // R13: without its token the press has no effect, and the form is there again.
    let stale = jo.post(&help.button("Cymraeg").without("form_token")).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        (stale.h1().as_str(), jo.cookie("lang")),
        ("Choose a language", None)
    );
    assert!(stale.notice().starts_with("This page was open for a long time."));
    let back = choose(&mut jo, &stale, "Cymraeg").await;
    assert_eq!((back.path.as_str(), jo.cookie("lang")), ("/help", Some("cy")));

    // WEB-4
    for target in [
        "https://evil.example",
        "//evil.example",
        "/%5cevil.example",
        "/account/logout",
        "/language",
        "",
    ] {
        let form = back.button("English").without("back").forged("back", target);
        let answer = jo.post(&form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.headers[LOCATION], "/", "{target}");
    }
    for language in ["fr", "", "cy\r\nx: y"] {
        let form = back
            .button("English")
            .without("language")
            .forged("language", language);
        let answer = jo.post(&form).await;
        assert_eq!(answer.h1(), "Choose a language", "{language:?}");
        assert_eq!(jo.cookie("lang"), Some("en-GB"));
    }
    // REG-1: a field that the page does not have.
    let answer = jo.post(&back.button("English").forged("admin", "yes")).await;
    assert!(answer.status.is_client_error());
    // WEB-1
    let answer = jo.post(&help.button("Cymraeg")).await;
    let cookie = answer.headers[axum::http::header::SET_COOKIE].to_str().unwrap();
    assert_eq!(
        cookie,
        "__Host-portal_lang=cy; Path=/; Secure; HttpOnly; SameSite=Lax"
    );
    // TOK-5: a link that was cut stays out of the page.
    let cut = jo.open("/account/complete-registration?t=abc").await;
    assert_eq!(
        cut.attributes_of("footer input[name=back]", "value"),
        ["/account/complete-registration"]
    );
}

async fn what_goes_wrong_is_told_in_welsh_too(database: Database) {
    // P24
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let front = jo.open("/").await;
    choose(&mut jo, &front, "Cymraeg").await;
    let lost = jo.open("/nowhere").await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    is_welsh(&lost, "Heb ddod o hyd i’r dudalen");
    let unknown = jo.open("/account/complete-registration?t=abc").await;
    is_welsh(&unknown, "Gwiriwch fod y ddolen gyfan wedi’i chopïo");
    let login = jo.open("/account/login").await;
    let form = login
        .button("Mewngofnodi")
        .with("email", "nobody@school.example")
        .with("password", "x");
    let wrong = jo.send(&form).await;
    assert_eq!(
        wrong.errors(),
        ["Nid yw’r cyfeiriad e-bost neu’r cyfrinair yn gywir."]
    );
    is_welsh(&wrong, "Mewngofnodi");
}
