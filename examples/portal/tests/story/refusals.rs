//! What the portal refuses on the way, and what it says then.

use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::rig::journey::{
    a_question, about_you, account, complete, log_in, register, security_details, work_details,
};
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Person, Site, fresh_address, on_both_databases};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

on_both_databases! {
    each_step_says_all_that_is_wrong_and_keeps_what_was_typed
    a_step_cannot_be_skipped_and_back_does_not_send_twice
    strangers_and_wrong_passwords_look_the_same
    too_many_tries_close_the_login_for_a_while
    a_stale_form_comes_back_filled_in
    a_request_no_page_of_ours_would_send_is_refused
    a_known_address_registers_like_a_new_one_and_its_owner_is_told
    a_right_that_is_refused_is_in_the_log
}

async fn each_step_says_all_that_is_wrong_and_keeps_what_was_typed(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);

    let first = jo.open("/account/register").await;
    assert_eq!(first.path, "/account/register/security-details");
    let empty = jo.send(&first.button("Next")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.title().starts_with("Error: "), "R3: {}", empty.title());
    assert_eq!(
        empty.errors(),
        [
            "Email Address is required",
            "Password is required",
            "Choose a Secret Question",
            "Secret Answer is required"
        ]
    );
    let form = first
        .button("Next")
        .with("email", "jo@school.example")
        .with("email2", "joe@school.example")
        .with("new-password", "lowercase1")
        .with("new-password2", "lowercase2")
        .with("question", &a_question(&first))
        .with("answer", "jo@school.example");
    let wrong = jo.send(&form).await;
    let errors = wrong.errors();
    assert!(
        errors.contains(&"Confirm New Email value must match your Email Address".to_owned()),
        "{errors:?}"
    );
    assert!(errors.contains(&"Passwords must match".to_owned()), "{errors:?}");
    let password = errors
        .iter()
        .find(|e| e.starts_with("Password must have at least"));
    let password = password.unwrap_or_else(|| panic!("R7: {errors:?}"));
    for part in ["2 numbers", "1 upper case", "1 special"] {
        assert!(password.contains(part), "R7: {password}");
    }
    assert_eq!(wrong.value_of("email"), "jo@school.example");
    assert_eq!(wrong.value_of("email2"), "joe@school.example");
    assert_eq!(wrong.value_of("question"), a_question(&first));
    assert_eq!(
        wrong.value_of("new-password"),
        "",
        "R3: secrets are never sent back"
    );
    assert_eq!(wrong.value_of("answer"), "");
    assert_eq!(wrong.attributes_of("#email2", "aria-invalid"), ["true"]);
    assert_eq!(
        wrong.texts_of("#email2-error"),
        ["Error: Confirm New Email value must match your Email Address"]
    );

    let about = security_details(&mut jo, &fresh_address("steps")).await;
    let empty = jo.send(&about.button("Next")).await;
    assert_eq!(
        empty.errors(),
        [
            "Title is required",
            "Forename is required",
            "Surname is required",
            "Gender is required"
        ]
    );
    let work = about_you(&mut jo, &about).await;
    assert_eq!(work.texts_of("[aria-current=step]"), ["Work Details"]);
    let empty = jo.send(&work.button("Submit Registration")).await;
    assert!(
        empty
            .errors()
            .contains(&"Please enter your role title".to_owned()),
        "{:?}",
        empty.errors()
    );

    // Coming back shows the answers, and says that the secrets are kept.
    let first = jo.open("/account/register/security-details").await;
    assert!(first.main().contains("Password is set. Leave empty to keep it."));
    let about = jo.open("/account/register/about-you").await;
    assert_eq!(about.value_of("forename"), "Jo");

    // P6: the first step that is no longer right opens, and tells why.
    jo.send(&about.button("Previous").with("surname", "")).await;
    assert_eq!(jo.open("/account/register/about-you").await.errors(), [""; 0]);
    let broken = jo.send(&work.button("Submit Registration")).await;
    assert!(
        broken.path.starts_with("/account/register/about-you"),
        "{}",
        broken.path
    );
    assert_eq!(broken.errors(), ["Surname is required"]);
    assert_eq!(broken.value_of("forename"), "Jo");
}

async fn a_step_cannot_be_skipped_and_back_does_not_send_twice(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    // P-08
    let page = jo.open("/account/register/work-details").await;
    assert_eq!(page.path, "/account/register/security-details");
    let address = fresh_address("back");
    let about = security_details(&mut jo, &address).await;
    let page = jo.open("/account/register/work-details").await;
    assert_eq!(page.path, "/account/register/about-you");
    let work = about_you(&mut jo, &about).await;

    // A draft that is left for two hours is gone, and the page says so.
    let mut left = jo.clone();
    let sent = work_details(&mut jo, &work).await;
    assert_eq!(sent.path, "/account/register/sent");
    site.mail_to(&address, 1).await;
    // R12
    for path in ["security-details", "about-you", "work-details"] {
        let back = jo.open(&format!("/account/register/{path}")).await;
        assert_eq!(back.h1(), "You have already sent this registration");
        assert_eq!(back.link("What to do next"), "/account/register/sent");
    }
    let again = jo.send(&work.button("Submit Registration")).await;
    assert_eq!(again.h1(), "You have already sent this registration");
    assert_eq!(jo.open("/account/register").await.path, "/account/register/sent");
    assert_eq!(site.mails_to(&address), 1);
    // Once it is complete, in this browser or in another, somebody else can register here.
    let link = link_in(&site.mail_to(&address, 1).await);
    let mut elsewhere = jo.clone();
    complete(&mut jo, &link, PASSWORD).await;
    log_in(&mut elsewhere, &address, PASSWORD).await;
    let home = elsewhere.open("/home").await;
    elsewhere.send(&home.button("Logout")).await;
    for person in [&mut jo, &mut elsewhere] {
        let first = person.open("/account/register").await;
        assert_eq!(first.path, "/account/register/security-details");
        assert_eq!(first.value_of("email"), "");
    }

    left.plant("draft", &"A".repeat(43));
    let gone = left.open("/account/register/work-details").await;
    assert!(
        gone.notice().contains("we keep unfinished forms for 2 hours"),
        "{}",
        gone.main()
    );

    let mut slow = Person::at(&portal);
    security_details(&mut slow, &fresh_address("lunch")).await;
    site.clock().advance(Duration::from_secs(2 * 3600 - 1));
    assert_eq!(
        slow.open("/account/register").await.path,
        "/account/register/about-you"
    );
    site.clock().advance(Duration::from_secs(1));
    let gone = slow.open("/account/register/about-you").await;
    assert!(
        gone.notice().contains("we keep unfinished forms for 2 hours"),
        "{}",
        gone.main()
    );
}

async fn strangers_and_wrong_passwords_look_the_same(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("known");
    account(&site, &mut jo, &address).await;
    let pending = fresh_address("known");
    register(&mut Person::at(&portal), &pending).await;

    let mut bodies = Vec::new();
    let unknown = fresh_address("known");
    for who in [&address, &pending, &unknown] {
        let mut stranger = Person::at(&portal);
        let refused = log_in(&mut stranger, who, "Wrong-Horse-42-battery").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
        assert_eq!(refused.value_of("email"), **who);
        assert_eq!(refused.value_of("password"), "");
        assert!(
            refused.attributes_of("[aria-invalid]", "id").is_empty(),
            "no field is blamed"
        );
        assert!(stranger.cookie("session").is_none());
        let token = refused.value_of("form_token");
        bodies.push(refused.body.replace(&token, "TOKEN").replace(who.as_str(), "WHO"));
    }
    // ENU-1
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0], bodies[2]);
    let mut stranger = Person::at(&portal);
    let nothing = log_in(&mut stranger, "", "").await;
    assert_eq!(
        nothing.errors(),
        ["Email Address is required", "Password is required"]
    );
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
}

async fn too_many_tries_close_the_login_for_a_while(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let address = fresh_address("guessed");
    let mut jo = Person::at(&portal);
    account(&site, &mut jo, &address).await;

    let mut guesser = Person::at(&portal);
    let mut tries = 0;
    let closed = loop {
        let page = log_in(&mut guesser, &address, "Wrong-Horse-42-battery").await;
        tries += 1;
        if page.status == StatusCode::TOO_MANY_REQUESTS {
            break page;
        }
        assert!(tries < 30, "THR-1: the login never closes");
    };
    assert_eq!(closed.h1(), "Too many tries");
    let wait: u64 = closed.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!(wait > 0);
    let minutes = wait.div_ceil(60);
    assert!(
        closed.main().contains(&format!("Wait {minutes} minute")),
        "{}",
        closed.main()
    );
    // The right password is refused in the same way, but not to its owner's own browser (P-16).
    let refused = log_in(&mut guesser, &address, PASSWORD).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    site.clock().advance(Duration::from_secs(wait));
    assert_eq!(log_in(&mut guesser, &address, PASSWORD).await.path, "/home");
}

async fn a_stale_form_comes_back_filled_in(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let page = jo.open("/account/login").await;
    // R13, P-40: without its token, and with another browser's.
    let mut other = Person::at(&portal);
    let others = other.open("/account/login").await.value_of("form_token");
    let form = page
        .button("Login")
        .with("email", "jo@school.example")
        .with("password", PASSWORD);
    for stale in [
        form.clone().without("form_token"),
        form.clone().with("form_token", &others),
    ] {
        let back = jo.send(&stale).await;
        assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            back.notice(),
            "This page was open for a long time. Check your answers and try again."
        );
        assert_eq!(back.value_of("email"), "jo@school.example");
        assert_eq!(back.value_of("password"), "");
    }
    // A page left open overnight still works.
    site.clock().advance(Duration::from_secs(20 * 3600));
    let answer = jo.send(&form).await;
    assert_eq!(answer.errors(), ["Email Address or Password is not correct."]);

    // The same in the middle of a registration, with every field kept.
    let about = security_details(&mut jo, &fresh_address("stale")).await;
    let form = about
        .button("Next")
        .with("forename", "Jo")
        .with("gender", "male")
        .without("form_token");
    let back = jo.send(&form).await;
    assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        (back.value_of("forename"), back.value_of("gender")),
        ("Jo".into(), "male".into())
    );
}

async fn a_request_no_page_of_ours_would_send_is_refused(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let page = jo.open("/account/login").await;
    let form = page
        .button("Login")
        .with("email", "jo@school.example")
        .with("password", PASSWORD);

    // P-09, P-10
    for (name, value) in [
        ("verified", "1"),
        ("email[]", "x"),
        ("account_id", "1"),
        ("email", "again@school.example"),
    ] {
        let refused = jo.post(&form.clone().forged(name, value)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}");
    }
    // LIM-1
    let big = jo
        .post(&form.clone().with("password", &"x".repeat(17 * 1024)))
        .await;
    assert_eq!(big.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        big.h1().len() > 3 && big.main().contains("16 kB"),
        "{}",
        big.main()
    );
    let mut json = jo.request(Method::POST, "/account/login", &[(FETCH_SITE, "same-origin")]);
    json.headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let json = jo.exchange(json).await;
    assert!(json.status.is_client_error(), "{}", json.status);

    let lost = jo.open("/no/such/page").await;
    assert_eq!(
        (lost.status, lost.h1().as_str()),
        (StatusCode::NOT_FOUND, "Page not found")
    );
    assert_eq!(lost.link("Go to Home"), "/");
    let wrong = jo.ask(Method::DELETE, "/account/login", &[]).await;
    assert!(
        wrong.status.is_client_error() && wrong.body.contains("<h1>"),
        "{}",
        wrong.body
    );
    assert_eq!(
        jo.ask(Method::GET, "/.well-known/nonsense", &[]).await.status,
        StatusCode::NOT_FOUND
    );
    // TOK-5: forged, cut and empty links are one refusal.
    for link in ["?t=", "?t=abc", &format!("?t={}", "A".repeat(43)), ""] {
        let refused = Person::at(&portal)
            .open(&format!("/account/complete-registration{link}"))
            .await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{link}");
        assert_eq!(refused.h1(), "Check that the whole link was copied");
    }
}

async fn a_known_address_registers_like_a_new_one_and_its_owner_is_told(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("twice");
    account(&site, &mut jo, &address).await;

    // MAIL-5: an outsider can cause one mail a minute.
    site.clock().advance(Duration::from_secs(60));
    let mut stranger = Person::at(&portal);
    let known = register(&mut stranger, &address.to_uppercase()).await;
    let mut other = Person::at(&portal);
    let new = register(&mut other, &fresh_address("twice")).await;
    assert_eq!((known.status, &known.way), (new.status, &new.way), "ENU-1");
    let names = |p: &Person| p.cookies().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&stranger), names(&other));
    let mail = site.mail_to(&address, 3).await;
    assert_eq!(mail.subject, "You already have an account");
    assert!(!link_in(&mail).contains("complete-registration"));
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
}

async fn a_right_that_is_refused_is_in_the_log(database: Database) {
    // ASVS 16.3.2
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("curious");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    jo.open("/areas/send-ehat").await;
    portal
        .wait_for_log("refused: the area asks for the second step")
        .await;
    assert_eq!(jo.open("/admin").await.status, StatusCode::NOT_FOUND);
    portal.wait_for_log("refused: an administrator's right").await;
    site.clock().advance(Duration::from_secs(301));
    jo.open("/account/change-email-address").await;
    portal.wait_for_log("refused: the last proof is too old").await;
    let log = portal.log();
    let refused: Vec<_> = log.lines().filter(|line| line.contains("refused: ")).collect();
    assert!(
        refused.iter().all(|line| line.contains("account=")),
        "{refused:#?}"
    );
    assert!(
        refused
            .iter()
            .any(|line| line.contains("path=\"/areas/send-ehat\"")),
        "{refused:#?}"
    );
}
