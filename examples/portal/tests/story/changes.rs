//! What protects an account is changed, and taken back by whoever it belongs to (P20 to P22).

use std::time::Duration;

use axum::http::header::{LOCATION, REFERRER_POLICY};
use axum::http::{Method, StatusCode};

use crate::rig::journey::{account, enter_code, log_in, turn_two_step_on};
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{ANSWER, Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_new_password_ends_everything_but_the_session_it_was_chosen_in
    password_managers_find_the_page
    a_wrong_form_says_all_that_is_wrong_and_keeps_no_secret
    the_secret_question_is_changed_and_everybody_else_is_out
    an_address_counts_when_its_link_is_used
    a_doubtful_new_address_is_asked_about_when_its_mail_is_sent
    a_stale_proof_leads_back_with_the_address_and_without_the_password
    a_link_needs_its_own_account
    a_change_is_cancelled_from_the_old_address
    the_former_address_freezes_the_account
    this_was_not_me_locks_everybody_out
}

const NEW_PASSWORD: &str = "Other-Badger-17-kettle";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

const EMAIL_PAGE: &str = "/account/change-email-address";
const PASSWORD_PAGE: &str = "/account/change-password";
const QUESTION_PAGE: &str = "/account/change-secret-question";

/// Somebody with an account, logged in (2 mails so far).
async fn signed_in(site: &Site, portal: &Portal, name: &str) -> (Person, String) {
    let mut jo = Person::at(portal);
    let address = fresh_address(name);
    account(site, &mut jo, &address).await;
    let home = log_in(&mut jo, &address, PASSWORD).await;
    assert_eq!(home.path, "/home");
    (jo, address)
}

async fn change_password(jo: &mut Person, current: &str, new: &str, again: &str) -> Page {
    let page = jo.open(PASSWORD_PAGE).await;
    let form = page
        .button("Save")
        .with("password", current)
        .with("new-password", new)
        .with("new-password2", again);
    jo.send(&form).await
}

async fn ask_for(jo: &mut Person, address: &str, password: &str) -> Page {
    let page = jo.open(EMAIL_PAGE).await;
    let form = page
        .button("Save")
        .with("email", address)
        .with("email2", address)
        .with("password", password);
    jo.send(&form).await
}

/// Presses the button of a page that asks for the address its mail went to.
async fn take_back(person: &mut Person, link: &str, button: &str, address: &str) -> Page {
    let page = person.open(link).await;
    person.send(&page.button(button).with("email", address)).await
}

async fn is_logged_in(person: &mut Person) -> bool {
    person.open("/account").await.h1() == "My Account"
}

async fn a_new_password_ends_everything_but_the_session_it_was_chosen_in(database: Database) {
    // CHG-1, SES-2, SES-5, P-38
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address) = signed_in(&site, &portal, "password").await;
    let mut elsewhere = Person::at(&portal);
    log_in(&mut elsewhere, &address, PASSWORD).await;
    let token = jo.cookie("session").unwrap().to_owned();
    let device = jo.cookie("device").unwrap().to_owned();

    let changed = change_password(&mut jo, PASSWORD, NEW_PASSWORD, NEW_PASSWORD).await;
    assert_eq!(
        changed.notice(),
        "Your password has been changed. You are logged out everywhere else.",
        "{:?}",
        changed.errors()
    );
    assert_eq!(
        changed.attributes_of("h1", "tabindex"),
        ["-1"],
        "the heading takes the focus"
    );
    assert_ne!(jo.cookie("session").unwrap(), token, "SES-2");
    assert_eq!(jo.cookie("device").unwrap(), device, "the browser stays familiar");
    assert!(is_logged_in(&mut jo).await && !is_logged_in(&mut elsewhere).await);
    let mut thief = Person::at(&portal);
    thief.plant("session", &token);
    assert!(!is_logged_in(&mut thief).await, "the old token is dead");

    let mail = site.mail_to(&address, 3).await;
    assert_eq!(mail.subject, "Your password was changed");
    assert!(link_in(&mail).starts_with("/account/not-me?t="), "{}", mail.text);
    let refused = log_in(&mut elsewhere, &address, PASSWORD).await;
    assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
    assert_eq!(log_in(&mut elsewhere, &address, NEW_PASSWORD).await.path, "/home");

    // A half-done login of before does not come in either.
    site.clock().advance(MINUTE);
    let (mut val, address) = signed_in(&site, &portal, "half-done").await;
    turn_two_step_on(&mut val).await;
    site.mail_to(&address, 3).await;
    let page = log_in(&mut val, &address, PASSWORD).await;
    enter_code(&site, &mut val, &page, &address, 4).await;
    site.clock().advance(MINUTE);
    let mut half = Person::at(&portal);
    let code_page = log_in(&mut half, &address, PASSWORD).await;
    assert_eq!(code_page.h1(), "Verification Code sent");
    let changed = change_password(&mut val, PASSWORD, NEW_PASSWORD, NEW_PASSWORD).await;
    assert_eq!(changed.status, StatusCode::OK, "{:?}", changed.errors());
    let area = val.open("/areas/send-ehat").await;
    assert!(
        area.main()
            .contains("You are logged in with Two Step Verification."),
        "I-21"
    );
    let late = half
        .send(&code_page.button("Verify").with("code", "123456"))
        .await;
    assert_eq!(late.path.split('?').next(), Some("/account/login"));
}

async fn password_managers_find_the_page(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut nobody = Person::at(&portal);
    let answer = nobody.ask(Method::GET, "/.well-known/change-password", &[]).await;
    assert_eq!(answer.status, StatusCode::FOUND, "sent on, not served");
    assert_eq!(answer.headers[LOCATION], PASSWORD_PAGE);
    let unknown = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200";
    let answer = nobody.ask(Method::GET, unknown, &[]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(nobody.open(PASSWORD_PAGE).await.h1(), "Login");

    let (mut jo, address) = signed_in(&site, &portal, "manager").await;
    let page = jo.open("/.well-known/change-password").await;
    assert_eq!(page.h1(), "Change Password");
    let fields = page.attributes_of("main form input:not([type=hidden])", "autocomplete");
    assert_eq!(
        fields,
        ["username", "current-password", "new-password", "new-password"]
    );
    assert_eq!(page.value_of("username"), address);
}

async fn a_wrong_form_says_all_that_is_wrong_and_keeps_no_secret(database: Database) {
    // R3, R7, THR-6
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address) = signed_in(&site, &portal, "wrong").await;
    let wrong = change_password(&mut jo, "", "bloggs", "blog").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.title().starts_with("Error: "));
    let errors = wrong.errors();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert_eq!(errors[0], "Current Password is required");
    for part in [
        "10 characters",
        "2 numbers",
        "1 upper case",
        "1 special",
        "contain your name",
    ] {
        assert!(errors[1].contains(part), "{part}: {}", errors[1]);
    }
    assert_eq!(errors[2], "Passwords must match");
    for field in ["password", "new-password", "new-password2"] {
        assert_eq!(wrong.value_of(field), "");
    }
    let same = change_password(&mut jo, PASSWORD, PASSWORD, PASSWORD).await;
    assert_eq!(same.errors(), ["Choose a password you have not used here before"]);
    let not_it = change_password(&mut jo, "Not-My-Password-42", NEW_PASSWORD, NEW_PASSWORD).await;
    assert_eq!(not_it.errors(), ["Password is not correct."]);
    assert!(is_logged_in(&mut jo).await);
    assert_eq!(site.mails_to(&address), 2);
    // The owner's own browser has ten of them, like everywhere.
    for _ in 0..9 {
        change_password(&mut jo, "Not-My-Password-42", NEW_PASSWORD, NEW_PASSWORD).await;
    }
    let closed = change_password(&mut jo, PASSWORD, NEW_PASSWORD, NEW_PASSWORD).await;
    assert_eq!(closed.status, StatusCode::TOO_MANY_REQUESTS, "P-19");
    assert!(
        is_logged_in(&mut jo).await,
        "THR-4: existing sessions keep working"
    );

    // A stale token has no effect (R13).
    let (mut val, _) = signed_in(&site, &portal, "stale").await;
    let page = val.open(PASSWORD_PAGE).await;
    let form = page
        .button("Save")
        .with("password", PASSWORD)
        .with("new-password", NEW_PASSWORD)
        .with("new-password2", NEW_PASSWORD)
        .without("form_token")
        .forged("form_token", &"A".repeat(43));
    let stale = val.send(&form).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stale.notice().starts_with("This page was open for a long time."));
}

async fn the_secret_question_is_changed_and_everybody_else_is_out(database: Database) {
    // ANS-4, ANS-6, SES-5, P-38
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, address) = signed_in(&site, &portal, "question").await;
    let mut elsewhere = Person::at(&portal);
    log_in(&mut elsewhere, &address, PASSWORD).await;
    let page = jo.open(QUESTION_PAGE).await;
    assert_eq!(page.value_of("question"), "", "the one in force is not shown");
    let empty = jo.send(&page.button("Save")).await;
    assert_eq!(
        empty.errors(),
        [
            "Current password is required",
            "Choose a Secret Question",
            "Secret Answer is required"
        ]
    );
    let chosen = page.attributes_of("select[name=question] option", "value");
    let last = chosen.last().unwrap();
    let form = |password: &str, answer: &str| {
        page.button("Save")
            .with("password", password)
            .with("question", last)
            .with("answer", answer)
    };
    let same = jo.send(&form(PASSWORD, PASSWORD)).await;
    assert_eq!(
        same.errors(),
        ["Secret Answer must not be the same as your password"]
    );
    assert_eq!(same.value_of("question"), *last, "R3");
    assert_eq!(
        (same.value_of("answer"), same.value_of("password")),
        (String::new(), String::new())
    );
    let wrong = jo.send(&form("Not-My-Password-42", "A tall ship")).await;
    assert_eq!(wrong.errors(), ["Password is not correct."]);
    let changed = jo.send(&form(PASSWORD, "A tall ship")).await;
    assert_eq!(
        changed.notice(),
        "Your Secret Question has been changed. You are logged out everywhere else."
    );
    assert!(is_logged_in(&mut jo).await && !is_logged_in(&mut elsewhere).await);
    let mail = site.mail_to(&address, 3).await;
    assert_eq!(mail.subject, "Your Secret Question was changed");
    assert!(!mail.text.contains(ANSWER) && !mail.text.contains("tall ship"));
    assert!(link_in(&mail).starts_with("/account/not-me?t="));
}

async fn an_address_counts_when_its_link_is_used(database: Database) {
    // CHG-2, P-49, P-38, TOK-5
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, old) = signed_in(&site, &portal, "move").await;
    let mut elsewhere = Person::at(&portal);
    log_in(&mut elsewhere, &old, PASSWORD).await;
    let new = fresh_address("moved");
    let page = jo.open(EMAIL_PAGE).await;
    let form = page.button("Save").with("email", &new).with("email2", &old);
    let wrong = jo.send(&form).await;
    assert_eq!(
        wrong.errors(),
        [
            "Confirm New Email value must match your Email Address",
            "Password is required"
        ]
    );
    assert_eq!(
        (wrong.value_of("email"), wrong.value_of("email2")),
        (new.clone(), old.clone())
    );
    let same = ask_for(&mut jo, &old.to_uppercase(), PASSWORD).await;
    assert_eq!(same.errors(), ["This is your Email Address already"]);
    let not_it = ask_for(&mut jo, &new, "Not-My-Password-42").await;
    assert_eq!(not_it.errors(), ["Password is not correct."]);

    let asked = ask_for(&mut jo, &new, PASSWORD).await;
    assert!(
        asked
            .notice()
            .starts_with("We have sent an email to the new address."),
        "{}",
        asked.notice()
    );
    assert!(
        !asked.path.contains('@') && !asked.path.contains("%40"),
        "nothing typed in the address bar"
    );
    let to_new = site.mail_to(&new, 1).await;
    assert_eq!(to_new.subject, "Confirm your new email address");
    assert!(to_new.text.starts_with("Hello,\n"), "MAIL-3: {}", to_new.text);
    let to_old = site.mail_to(&old, 3).await;
    assert_eq!(to_old.subject, "Your email address is being changed");
    assert!(link_in(&to_old).starts_with("/account/cancel-email-change?t="));
    // Nothing has changed yet, however often the link is looked at.
    let link = link_in(&to_new);
    for method in [Method::HEAD, Method::GET] {
        let looked = elsewhere.ask(method, &link, &[]).await;
        assert_eq!(looked.status, StatusCode::SEE_OTHER);
        assert_eq!(looked.headers[REFERRER_POLICY], "no-referrer");
    }
    assert_eq!(
        log_in(&mut Person::at(&portal), &old, PASSWORD).await.path,
        "/home"
    );

    let page = jo.open(&link).await;
    assert_eq!(page.h1(), "Confirm your new email address");
    assert!(page.main().contains(&new) && !page.path.contains("t="));
    assert!(
        page.attributes_of("input[name=password]", "type").is_empty(),
        "logged in already"
    );
    let done = jo.send(&page.button("Confirm")).await;
    assert_eq!(
        done.notice(),
        "Your email address has been changed. You are logged out everywhere else."
    );
    assert!(done.main().contains(&new));
    assert!(is_logged_in(&mut jo).await && !is_logged_in(&mut elsewhere).await);
    assert_eq!(log_in(&mut elsewhere, &new, PASSWORD).await.path, "/home");
    let gone = log_in(&mut Person::at(&portal), &old, PASSWORD).await;
    assert_eq!(gone.errors(), ["Email Address or Password is not correct."]);
    assert_eq!(
        site.mail_to(&new, 2).await.subject,
        "Your email address was changed"
    );
    let to_old = site.mail_to(&old, 4).await;
    assert_eq!(to_old.subject, "Your email address was changed");
    assert!(link_in(&to_old).starts_with("/account/freeze?t="));
    // Used once (I-11).
    let again = jo.open(&link).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(
        again.main().contains("This address is confirmed."),
        "{}",
        again.main()
    );

    // In another browser the link asks for the password and opens no session.
    site.clock().advance(MINUTE);
    let third = fresh_address("third");
    ask_for(&mut jo, &third, PASSWORD).await;
    let link = link_in(&site.mail_to(&third, 1).await);
    let mut phone = Person::at(&portal);
    let page = phone.open(&link).await;
    let empty = phone.send(&page.button("Confirm")).await;
    assert_eq!(empty.errors(), ["Password is required"]);
    let wrong = phone
        .send(&page.button("Confirm").with("password", NEW_PASSWORD))
        .await;
    assert_eq!(wrong.errors(), ["Password is not correct."]);
    let done = phone
        .send(&page.button("Confirm").with("password", PASSWORD))
        .await;
    assert_eq!(done.path, "/account/login?notice=email-changed");
    assert_eq!(
        done.notice(),
        "Your email address has been changed. Log in with it."
    );
    assert!(!is_logged_in(&mut jo).await && !is_logged_in(&mut phone).await);
}

async fn a_doubtful_new_address_is_asked_about_when_its_mail_is_sent(database: Database) {
    // R6
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, _) = signed_in(&site, &portal, "doubt").await;
    for (new, advice) in [
        ("moved@hotmial.com", "Did you mean ...@hotmail.com?"),
        ("moved@gmail.com", "This looks like a personal address."),
    ] {
        let asked = ask_for(&mut jo, new, PASSWORD).await;
        assert!(
            asked
                .notice()
                .starts_with("We have sent an email to the new address."),
            "{}",
            asked.notice()
        );
        assert!(asked.notice().contains(advice), "{}", asked.notice());
        assert!(
            !asked.path.contains("moved"),
            "no address in the address bar: {}",
            asked.path
        );
        site.mail_to(new, 1).await;
        site.clock().advance(MINUTE);
    }
    let told = jo
        .open(&format!("{EMAIL_PAGE}?notice=sent&meant=elsewhere.example"))
        .await;
    assert!(!told.notice().contains("elsewhere"), "{}", told.notice());
}

async fn a_stale_proof_leads_back_with_the_address_and_without_the_password(database: Database) {
    // STP-3, P-49
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, _) = signed_in(&site, &portal, "stale-proof").await;
    let fresh = jo.open(EMAIL_PAGE).await;
    assert!(!fresh.main().contains("Confirm it is you"));
    site.clock().advance(MINUTE * 5 + SECOND);
    let new = fresh_address("later");
    let asked = ask_for(&mut jo, &new, PASSWORD).await;
    assert_eq!(asked.h1(), "Confirm it is you");
    assert_eq!(site.mails_to(&new), 0);
    let back = jo
        .send(&asked.button("Continue").with("password", PASSWORD))
        .await;
    assert_eq!(back.path, EMAIL_PAGE);
    assert_eq!(
        (back.value_of("email"), back.value_of("email2")),
        (new.clone(), new.clone())
    );
    assert_eq!(back.value_of("password"), "");
    let done = jo.send(&back.button("Save").with("password", PASSWORD)).await;
    assert!(
        done.notice().starts_with("We have sent an email"),
        "{:?}",
        done.errors()
    );
    site.mail_to(&new, 1).await;

    // A page of secrets says so before they are typed, and refuses them after.
    site.clock().advance(MINUTE * 5 + SECOND);
    for page in [PASSWORD_PAGE, QUESTION_PAGE] {
        let shown = jo.open(page).await;
        assert_eq!(
            shown.link("Confirm it is you"),
            format!("/account/confirm-password?next={}", page.replace('/', "%2F"))
        );
    }
    let refused = change_password(&mut jo, PASSWORD, NEW_PASSWORD, NEW_PASSWORD).await;
    assert_eq!(refused.h1(), "Confirm it is you");
    let back = jo
        .send(&refused.button("Continue").with("password", PASSWORD))
        .await;
    assert_eq!(back.path, PASSWORD_PAGE);
}

async fn a_link_needs_its_own_account(database: Database) {
    // CHG-2, P-49, I-12
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, old) = signed_in(&site, &portal, "mine").await;
    let (mut eve, _) = signed_in(&site, &portal, "eve").await;
    let new = fresh_address("hers");
    ask_for(&mut jo, &new, PASSWORD).await;
    let link = link_in(&site.mail_to(&new, 1).await);
    let refused = eve.open(&link).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.h1(), "Somebody else is logged in here");
    assert!(
        !refused.body.contains(&new),
        "nothing of the other account is shown"
    );
    // Nor does a form that was opened before she logged in.
    let mut same_browser = Person::at(&portal);
    let page = same_browser.open(&link).await;
    same_browser.plant("session", eve.cookie("session").unwrap());
    let sent = same_browser
        .send(&page.button("Confirm").with("password", PASSWORD))
        .await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
    assert_eq!(
        log_in(&mut Person::at(&portal), &old, PASSWORD).await.path,
        "/home"
    );
    // After logging out it works with the password of its own account.
    eve.send(&refused.button("Log out")).await;
    let page = eve.open(&link).await;
    let done = eve.send(&page.button("Confirm").with("password", PASSWORD)).await;
    assert_eq!(done.path, "/account/login?notice=email-changed");
    // A link of another purpose, a cut one and none at all are one answer.
    let cancel = link_in(&site.mail_to(&old, 3).await);
    let token = cancel.rsplit('=').next().unwrap();
    for link in [
        format!("/account/confirm-email-address?t={token}"),
        format!("/account/confirm-email-address?t={token}")
            .trim_end_matches(char::is_alphanumeric)
            .to_owned(),
        "/account/freeze".to_owned(),
        format!("/account/not-me?t={token}"),
    ] {
        let page = Person::at(&portal).open(&link).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{link}");
        assert_eq!(page.h1(), "Check that the whole link was copied");
    }
}

async fn a_change_is_cancelled_from_the_old_address(database: Database) {
    // CHG-2, MAIL-6
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut jo, old) = signed_in(&site, &portal, "cancel").await;
    let new = fresh_address("unwanted");
    ask_for(&mut jo, &new, PASSWORD).await;
    let confirm = link_in(&site.mail_to(&new, 1).await);
    let cancel = link_in(&site.mail_to(&old, 3).await);
    let mut owner = Person::at(&portal);
    let page = owner.open(&cancel).await;
    assert_eq!(page.h1(), "Cancel the change of email address");
    assert!(
        !page.body.contains(&old),
        "masked, so that no program can read it: {}",
        page.body
    );
    // A program that presses the button has done nothing.
    let bare = owner.send(&page.button("Cancel the change")).await;
    assert_eq!(bare.errors(), ["Email Address is required"]);
    let other = owner
        .send(&page.button("Cancel the change").with("email", &new))
        .await;
    assert_eq!(other.errors(), ["This is not the address that the email went to"]);
    assert_eq!(other.value_of("email"), new);
    assert_eq!(jo.open(&confirm).await.status, StatusCode::OK);
    let done = owner
        .send(
            &page
                .button("Cancel the change")
                .with("email", &old.to_uppercase()),
        )
        .await;
    assert_eq!(done.h1(), "The change is cancelled");
    let over = jo.open(&confirm).await;
    assert_eq!(over.status, StatusCode::GONE);
    assert!(over.main().contains("it was cancelled"), "{}", over.main());
    let again = owner.open(&cancel).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(
        again.main().contains("The change is cancelled."),
        "{}",
        again.main()
    );
    assert!(is_logged_in(&mut jo).await);
}

async fn the_former_address_freezes_the_account(database: Database) {
    // CHG-2, MAIL-6, I-07
    let mut site = Site::new(database);
    site.set("PORTAL_ADMINS", "admin@portal.example");
    let portal = site.open().await;
    let (mut thief, address) = signed_in(&site, &portal, "frozen").await;
    let theirs = fresh_address("taker");
    ask_for(&mut thief, &theirs, PASSWORD).await;
    let page = thief.open(&link_in(&site.mail_to(&theirs, 1).await)).await;
    thief.send(&page.button("Confirm")).await;
    let freeze = link_in(&site.mail_to(&address, 4).await);
    // Nothing that the thief changes afterwards takes the link away.
    change_password(&mut thief, PASSWORD, NEW_PASSWORD, NEW_PASSWORD).await;
    assert!(is_logged_in(&mut thief).await);
    let mut owner = Person::at(&portal);
    let bare = take_back(&mut owner, &freeze, "Freeze the account", "").await;
    assert_eq!(bare.errors(), ["Email Address is required"]);
    assert!(is_logged_in(&mut thief).await);
    let done = take_back(&mut owner, &freeze, "Freeze the account", &address).await;
    assert_eq!(done.h1(), "The account is frozen");
    assert!(!is_logged_in(&mut thief).await);
    let refused = log_in(&mut thief, &theirs, NEW_PASSWORD).await;
    assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
    let told = site.mail_to("admin@portal.example", 1).await;
    assert_eq!(told.subject, "An account was frozen by its owner");
    assert!(
        told.text.contains(&theirs) && told.text.contains(&address),
        "{}",
        told.text
    );
}

async fn this_was_not_me_locks_everybody_out(database: Database) {
    // MAIL-6, SES-5
    let site = Site::new(database);
    let portal = site.open().await;
    let (mut thief, address) = signed_in(&site, &portal, "notme").await;
    change_password(&mut thief, PASSWORD, NEW_PASSWORD, NEW_PASSWORD).await;
    let not_me = link_in(&site.mail_to(&address, 3).await);
    let mut owner = Person::at(&portal);
    let page = owner.open(&not_me).await;
    assert_eq!(page.h1(), "This was not me");
    assert!(!page.path.contains("t="), "the token leaves the address bar");
    let bare = owner.send(&page.button("Lock the account")).await;
    assert_eq!(bare.errors(), ["Email Address is required"]);
    assert!(is_logged_in(&mut thief).await);
    let done = owner
        .send(&page.button("Lock the account").with("email", &address))
        .await;
    assert_eq!(done.h1(), "The account is locked");
    assert!(!is_logged_in(&mut thief).await);
    for password in [PASSWORD, NEW_PASSWORD] {
        let refused = log_in(&mut thief, &address, password).await;
        assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
    }
    let again = owner.open(&not_me).await;
    assert_eq!(again.status, StatusCode::GONE);
    // The mail that came with it opens the account again, for whoever knows the answer (RST-3).
    let mail = site.mail_to(&address, 4).await;
    assert_eq!(mail.subject, "Reset your password");
    let page = owner.open(&link_in(&mail)).await;
    let page = owner.send(&page.button("Continue").with("answer", ANSWER)).await;
    let own = "Third-Garden-58-lamp";
    let form = page
        .button("Save")
        .with("new-password", own)
        .with("new-password2", own);
    let done = owner.send(&form).await;
    assert_eq!(
        done.path.split('?').next(),
        Some("/account/login"),
        "{:?}",
        done.errors()
    );
    assert_eq!(log_in(&mut owner, &address, own).await.path, "/home");
}
