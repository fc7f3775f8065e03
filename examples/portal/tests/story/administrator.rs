//! The administrators' pages: who finds them, what each act does and refuses, and that its owner is told (P29, ADM-1,
//! ADM-2, STP-3).

use std::time::Duration;

use axum::http::header::CACHE_CONTROL;
use axum::http::{Method, StatusCode};
use test_rig::{Fault, ParsedMail, parse_mail};

use crate::rig::journey::{account, complete, enter_code, log_in, log_in_on, register, turn_two_step_on};
use crate::rig::page::Form;
use crate::rig::program::Portal;
use crate::rig::site::{code_in, link_in};
use crate::rig::{Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    nobody_else_finds_the_pages
    the_menu_leads_an_administrator_to_the_second_step_and_then_in
    accounts_are_found_by_address_beginning_and_status
    a_long_list_goes_on_page_by_page
    each_act_asks_once_more_is_done_and_is_told_to_the_owner
    an_act_needs_a_fresh_proof_and_comes_back
    of_two_administrators_the_second_changes_nothing
    nobody_administers_their_own_account
    a_registrations_link_is_sent_again
    dead_letters_are_sent_again
}

const NEW_PASSWORD: &str = "Other-Badger-17-kettle";
const SIX_MINUTES: Duration = Duration::from_secs(360);
const TOLD: &str = "Your account was changed by an administrator";
const AS_IT_WAS: &str =
    "Nothing was changed: the account is not as the page before has shown it. It is now as below.";

const PAGES: [&str; 5] = [
    "/admin",
    "/admin/account",
    "/admin/account/act",
    "/admin/registration",
    "/admin/outbox",
];

/// A site with these administrators.
fn site_of(database: Database, administrators: &[&str]) -> Site {
    let mut site = Site::new(database);
    site.set("PORTAL_ADMINS", &administrators.join(","));
    site
}

/// An account with Two Step Verification on, logged in with a code: 4 mails.
async fn careful(site: &Site, portal: &Portal, address: &str) -> Person {
    let mut person = Person::at(portal);
    account(site, &mut person, address).await;
    log_in(&mut person, address, PASSWORD).await;
    let login = turn_two_step_on(&mut person).await;
    site.mail_to(address, 3).await;
    let code = log_in_on(&mut person, &login, address, PASSWORD).await;
    let home = enter_code(site, &mut person, &code, address, 4).await;
    assert_eq!(home.path, "/areas/send-ehat");
    person
}

/// An account without the second step, logged in: 2 mails.
async fn owner(site: &Site, portal: &Portal, address: &str) -> Person {
    let mut person = Person::at(portal);
    account(site, &mut person, address).await;
    assert_eq!(log_in(&mut person, address, PASSWORD).await.path, "/home");
    person
}

/// The page of an account, by way of the list.
async fn page_of(boss: &mut Person, address: &str) -> Page {
    let list = boss.open(&found(address, "")).await;
    let page = boss.open(&list.link(address)).await;
    assert_eq!((page.status, &*page.h1()), (StatusCode::OK, "Account"));
    assert_eq!(page.text_of(".lead"), address);
    page
}

/// The list of what begins with `find`.
fn found(find: &str, status: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("find", find).append_pair("status", status);
    format!("/admin?{}", query.finish())
}

/// Opens the account's page, chooses the act and says yes.
async fn act(boss: &mut Person, address: &str, name: &str) -> Page {
    let page = page_of(boss, address).await;
    let ask = boss.open(&page.link(name)).await;
    assert!(ask.h1().ends_with("account?"), "{}: {}", ask.path, ask.h1());
    assert!(ask.main().contains(address));
    boss.send(&ask.button(name)).await
}

/// Proves who they are with password and code, where they are asked.
async fn prove(site: &Site, person: &mut Person, page: &Page, address: &str, mails: usize) -> Page {
    assert_eq!(page.h1(), "Confirm it is you", "{}", page.path);
    let form = page.button("Continue").with("password", PASSWORD);
    let page = person.send(&form).await;
    let code = code_in(&site.mail_to(address, mails).await);
    person.send(&page.button("Continue").with("code", &code)).await
}

/// The text of the `nth` mail that says what an administrator has done.
async fn told(site: &Site, address: &str, nth: usize) -> String {
    mail_about(site, address, TOLD, nth).await.text
}

/// The `nth` mail with this subject.
async fn mail_about(site: &Site, address: &str, subject: &str, nth: usize) -> ParsedMail {
    let mut count = nth;
    loop {
        let mails = site.smtp().wait_for_mail_to(address, count).await;
        count = mails.len() + 1;
        let mut mails = mails.iter().map(|mail| parse_mail(&mail.raw));
        let mut about = mails.by_ref().filter(|mail| mail.subject == subject);
        if let Some(mail) = about.nth(nth - 1) {
            return mail;
        }
    }
}

/// A form of somebody's own page, turned against a page that is not for them.
async fn forged(person: &mut Person, action: &str, fields: &[(&str, &str)]) -> Form {
    let mut form = person.open("/account/two-step-verification").await.button("Save");
    form.fields.retain(|(name, _)| name == "form_token");
    form.action = action.to_owned();
    fields
        .iter()
        .fold(form, |form, (name, value)| form.forged(name, value))
}

async fn nobody_else_finds_the_pages(database: Database) {
    let (boss, val, kim) = (fresh_address("boss"), fresh_address("val"), fresh_address("kim"));
    let site = site_of(database, &[&boss, &kim]);
    let portal = site.open().await;
    let mut anybody = Person::at(&portal);
    // Val has the second step, and Kim's address is an administrator's.
    let mut val_at_two = careful(&site, &portal, &val).await;
    let mut kim_at_one = owner(&site, &portal, &kim).await;
    let mut boss_at_two = careful(&site, &portal, &boss).await;

    let account = page_of(&mut boss_at_two, &val).await;
    let of_val = account.path.clone();
    let ask = account.link("Disable");
    let id = of_val.split("id=").nth(1).unwrap();
    for person in [&mut anybody, &mut val_at_two, &mut kim_at_one] {
        for path in PAGES.iter().copied().chain([&*of_val, &*ask]) {
            for method in [Method::GET, Method::HEAD] {
                let page = person.ask(method, path, &[]).await;
                assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
                assert_eq!(page.headers[CACHE_CONTROL], "no-store", "{path}");
            }
            let (page, nowhere) = (person.open(path).await, person.open("/admin/nowhere").await);
            assert_eq!(page.h1(), nowhere.h1(), "ENU: as if there were no such page");
            assert!(!page.body.contains(&val), "{path}");
        }
    }
    for person in [&mut val_at_two, &mut kim_at_one] {
        let menu = person.open("/account").await;
        assert!(!menu.body.contains("href=\"/admin"), "{}", menu.body);
        let forms = [
            ("/admin/account/act", &[("id", id), ("act", "disable")][..]),
            ("/admin/registration", &[("email", &*val)]),
            ("/admin/outbox", &[("mail", id)]),
        ];
        for (action, fields) in forms {
            let form = forged(person, action, fields).await;
            assert_eq!(person.post(&form).await.status, StatusCode::NOT_FOUND, "{action}");
        }
    }
    // Honest twin: the administrator sees them, and nothing was done.
    let page = boss_at_two.open(&of_val).await;
    assert!(page.main().contains("StatusActive"), "{}", page.main());
    assert_eq!(page.headers[CACHE_CONTROL], "no-store", "WEB-6");
    for path in ["/admin", "/admin/outbox", &*ask] {
        assert_eq!(boss_at_two.open(path).await.status, StatusCode::OK, "{path}");
    }
    // P-09: what the page does not have is refused.
    let form = boss_at_two.open(&ask).await.button("Disable");
    let refused = boss_at_two.post(&form.forged("role", "admin")).await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    assert_eq!(val_at_two.open("/home").await.h1(), "Welcome, Jo");
    // Whoever was at work when the session ended comes back.
    site.clock().advance(Duration::from_secs(1_801));
    let out = boss_at_two.open(&of_val).await;
    assert!(
        out.path.starts_with("/account/timed-out?next=%2Fadmin"),
        "{}",
        out.path
    );
    let code = log_in_on(&mut boss_at_two, &out, &boss, PASSWORD).await;
    let back = enter_code(&site, &mut boss_at_two, &code, &boss, 5).await;
    assert_eq!(back.path, of_val);
}

async fn the_menu_leads_an_administrator_to_the_second_step_and_then_in(database: Database) {
    let boss = fresh_address("menu");
    let site = site_of(database, &[&boss]);
    let portal = site.open().await;
    let mut person = owner(&site, &portal, &boss).await;
    let account = person.open("/account").await;
    let settings = person.open(&account.link("Administration")).await;
    assert_eq!(settings.h1(), "Two Step Verification");
    let form = settings.button("Save").with("preferred_method", "email");
    let login = person.send(&form).await;
    site.mail_to(&boss, 3).await;
    let code = log_in_on(&mut person, &login, &boss, PASSWORD).await;
    let list = enter_code(&site, &mut person, &code, &boss, 4).await;
    assert_eq!((&*list.path, &*list.h1()), ("/admin", "Accounts"));
    let account = person.open("/account").await;
    assert_eq!(account.link("Administration"), "/admin");
    assert_eq!(person.open("/help").await.status, StatusCode::OK);
}

async fn accounts_are_found_by_address_beginning_and_status(database: Database) {
    let boss = fresh_address("finder");
    let site = site_of(database, &[&boss]);
    let portal = site.open().await;
    let address = fresh_address("zoe");
    let mut zoe = owner(&site, &portal, &address).await;
    // Markup in a name is text: the profile takes no brackets, so quotes and an ampersand.
    let details = zoe.open("/account/personal-details").await;
    let form = details.button("Save").with("forename", "Zo\u{eb} \"&amp;");
    assert_eq!(zoe.send(&form).await.status, StatusCode::OK);
    let mut person = careful(&site, &portal, &boss).await;
    for find in [&*address, &address.to_uppercase(), "ZOE."] {
        let list = person.open(&found(find, "")).await;
        assert_eq!(list.texts_of("tbody th"), [&*address], "{find}");
        assert_eq!(list.value_of("find"), find);
        assert!(
            list.text_of("tbody tr").contains("Zo\u{eb} \"&amp; Bloggs"),
            "{}",
            list.body
        );
    }
    let page = page_of(&mut person, &address).await;
    let shown = page.main();
    for fact in [
        "Zo\u{eb} \"&amp; Bloggs",
        "StatusActive",
        "Two Step VerificationOff",
        "Logged in nowIn 1 browser",
    ] {
        assert!(shown.contains(fact), "{fact}: {shown}");
    }
    for secret in ["argon2", "Morris", zoe.cookie("session").unwrap(), "127.0.0"] {
        assert!(!page.body.contains(secret), "{secret}");
    }

    let everybody = person.open("/admin").await.texts_of("tbody th");
    assert_eq!(everybody, [&*boss, &*address]);
    act(&mut person, &address, "Disable").await;
    for (status, expected) in [
        ("", vec![&*boss, &*address]),
        ("active", vec![&*boss]),
        ("disabled", vec![&*address]),
        ("closed", vec![]),
        ("nonsense", vec![&*boss, &*address]),
    ] {
        let list = person.open(&found("", status)).await;
        assert_eq!(list.texts_of("tbody th"), expected, "{status}");
    }
    // What was typed is text wherever it is shown, and finds nothing (DB-2).
    for odd in [
        "\"><script>alert(1)</script>",
        "zoe%",
        "z_e",
        "\0zoe",
        "zo\u{eb}",
        "' OR 1=1 --",
    ] {
        let list = person.open(&found(odd, "")).await;
        assert_eq!(list.status, StatusCode::OK, "{odd:?}");
        assert_eq!(list.texts_of("tbody th"), Vec::<String>::new(), "{odd:?}");
        assert!(!list.body.contains("<script>alert"));
        assert!(
            list.main().contains("No account is like that."),
            "{}",
            list.main()
        );
    }
    let long = person.open(&found(&"x".repeat(255), "")).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(long.errors(), ["Email Address must be 254 characters or fewer"]);
    // An account that is not there is no page.
    for id in ["", "0", "zz", &"0".repeat(32), &"f".repeat(31), "..%2Fx"] {
        let path = format!("/admin/account?id={id}");
        assert_eq!(person.open(&path).await.status, StatusCode::NOT_FOUND, "{id}");
        let path = format!("/admin/account/act?id={id}&act=disable");
        assert_eq!(person.open(&path).await.status, StatusCode::NOT_FOUND, "{id}");
    }
    let no_act = page
        .path
        .replace("/admin/account?", "/admin/account/act?act=erase&");
    assert_eq!(person.open(&no_act).await.status, StatusCode::NOT_FOUND);
}

async fn a_long_list_goes_on_page_by_page(database: Database) {
    let boss = fresh_address("a-reader");
    let site = site_of(database, &[&boss]);
    let portal = site.open().await;
    let mut expected = Vec::new();
    for n in 0..27 {
        // A network may cause twenty mails in an hour (MAIL-5).
        if n % 15 == 14 {
            site.clock().advance(Duration::from_secs(7_200));
        }
        let address = fresh_address(&format!("p{n:02}"));
        account(&site, &mut Person::at(&portal), &address).await;
        expected.push(address);
    }
    site.clock().advance(Duration::from_secs(7_200));
    let mut person = careful(&site, &portal, &boss).await;
    let first = person.open(&found("p", "active")).await;
    assert_eq!(first.texts_of("tbody th"), expected[..25]);
    let second = person.open(&first.link("Next page")).await;
    assert_eq!(second.texts_of("tbody th"), expected[25..]);
    assert!(!second.main().contains("Next page"));
    let again = person.open(&second.link("First page")).await;
    assert_eq!(again.texts_of("tbody th"), expected[..25]);
    assert!(!again.main().contains("First page"));

    // Mails are listed the same way: two for each account, and four for the reader.
    let mut mails = 0;
    let mut page = person.open("/admin/outbox?status=any").await;
    loop {
        mails += page.texts_of("tbody tr").len();
        if !page.main().contains("Next page") {
            break;
        }
        page = person.open(&page.link("Next page")).await;
    }
    assert_eq!(mails, 27 * 2 + 4);
}

async fn each_act_asks_once_more_is_done_and_is_told_to_the_owner(database: Database) {
    let boss = fresh_address("acting");
    let site = site_of(database, &[&boss]);
    let portal = site.open().await;
    let val = fresh_address("owner");
    let mut owner = careful(&site, &portal, &val).await;
    let mut person = careful(&site, &portal, &boss).await;

    // Asking changes nothing.
    let page = page_of(&mut person, &val).await;
    let acts = [
        "Unlock",
        "End sessions",
        "Start recovery",
        "Clear Two Step Verification",
        "Disable",
    ];
    assert_eq!(page.texts_of(".acts a"), acts);
    for name in acts {
        for method in [Method::GET, Method::HEAD] {
            person.ask(method, &page.link(name), &[]).await;
        }
    }
    assert_eq!(owner.open("/home").await.h1(), "Welcome, Jo");
    assert_eq!(site.mails_to(&val), 4);

    let done = act(&mut person, &val, "End sessions").await;
    assert_eq!(
        done.notice(),
        "All sessions are ended. We have told the owner by email."
    );
    assert!(
        told(&site, &val, 1)
            .await
            .contains("You are logged out everywhere.")
    );
    assert_eq!(owner.open("/home").await.h1(), "Login");

    let done = act(&mut person, &val, "Clear Two Step Verification").await;
    assert_eq!(
        done.notice(),
        "Two Step Verification is off. We have told the owner by email."
    );
    assert!(!done.main().contains("Clear Two Step Verification"));
    told(&site, &val, 2).await;
    assert_eq!(log_in(&mut owner, &val, PASSWORD).await.path, "/home");

    let mut guesser = Person::at(&portal);
    let mut status = StatusCode::OK;
    for _ in 0..30 {
        status = log_in(&mut guesser, &val, "Wrong-Horse-42-battery").await.status;
        if status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let done = act(&mut person, &val, "Unlock").await;
    assert_eq!(
        done.notice(),
        "The account is unlocked. We have told its owner by email."
    );
    told(&site, &val, 3).await;
    assert_eq!(log_in(&mut guesser, &val, PASSWORD).await.path, "/home");

    let done = act(&mut person, &val, "Disable").await;
    assert_eq!(
        done.notice(),
        "The account is disabled. We have told its owner by email."
    );
    assert_eq!(done.texts_of(".acts a"), ["Unlock", "End sessions", "Enable"]);
    told(&site, &val, 4).await;
    assert_eq!(owner.open("/home").await.h1(), "Login");
    let refused = log_in(&mut owner, &val, PASSWORD).await;
    assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
    let done = act(&mut person, &val, "Enable").await;
    assert_eq!(
        done.notice(),
        "The account is enabled. We have told its owner by email."
    );
    told(&site, &val, 5).await;
    assert_eq!(log_in(&mut owner, &val, PASSWORD).await.path, "/home");

    // ADM-2: the owner alone sets a password, by the link; the administrator never sees it.
    let done = act(&mut person, &val, "Start recovery").await;
    assert_eq!(
        done.notice(),
        "We have emailed the owner a link that sets a new password."
    );
    let word = told(&site, &val, 6).await;
    assert!(word.contains("A reset of your password was started."), "{word}");
    let reset = mail_about(&site, &val, "Reset your password", 1).await;
    assert!(!done.body.contains(&link_in(&reset)));
    let form = owner.open(&link_in(&reset)).await.button("Save");
    let form = form
        .with("new-password", NEW_PASSWORD)
        .with("new-password2", NEW_PASSWORD);
    let login = owner.send(&form).await;
    assert_eq!(
        login.h1(),
        "Login",
        "no answer is asked for: {:?}",
        login.errors()
    );
    assert_eq!(log_in(&mut owner, &val, NEW_PASSWORD).await.path, "/home");
    let activity = owner.open("/account/activity").await.main();
    assert!(activity.contains("An administrator turned Two Step Verification off."));
    assert!(!activity.contains(&boss), "who it was is the operator's to tell");

    let verified = site.run(&["audit", "verify"]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
}

async fn an_act_needs_a_fresh_proof_and_comes_back(database: Database) {
    let boss = fresh_address("proving");
    let site = site_of(database, &[&boss]);
    let portal = site.open().await;
    let val = fresh_address("proved");
    let mut owner = owner(&site, &portal, &val).await;
    let mut person = careful(&site, &portal, &boss).await;
    let page = page_of(&mut person, &val).await;
    let ask = person.open(&page.link("Disable")).await;
    let form = ask.button("Disable");
    site.clock().advance(SIX_MINUTES);
    // STP-3: looking needs no proof; asking and acting do.
    assert_eq!(person.open("/admin/outbox").await.status, StatusCode::OK);
    let asked = person.open(&page.link("Disable")).await;
    assert_eq!(asked.h1(), "Confirm it is you");
    let asked = person.send(&form).await;
    assert_eq!(asked.h1(), "Confirm it is you");
    assert_eq!(owner.open("/home").await.h1(), "Welcome, Jo", "nothing was done");
    let back = prove(&site, &mut person, &asked, &boss, 5).await;
    assert_eq!((&*back.path, &*back.h1()), (&*ask.path, "Disable this account?"));

    // R13: a page of before the proof has no effect and is shown again; so is a token that was never ours.
    for stale in [form, back.button("Disable").with("form_token", "AAAA")] {
        let again = person.post(&stale).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(again.h1(), "Disable this account?");
        assert!(again.notice().starts_with("This page was open for a long time."));
    }
    assert_eq!(owner.open("/home").await.h1(), "Welcome, Jo");
    // P-40: nor has what another site sends.
    let elsewhere = [(axum::http::header::ORIGIN, "https://evil.example")];
    let refused = person.post_with(&back.button("Disable"), &elsewhere).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(owner.open("/home").await.h1(), "Welcome, Jo");
    let done = person.send(&back.button("Disable")).await;
    assert!(done.notice().starts_with("The account is disabled."));
    assert_eq!(owner.open("/home").await.h1(), "Login");
    told(&site, &val, 1).await;
}

async fn of_two_administrators_the_second_changes_nothing(database: Database) {
    let (first, second) = (fresh_address("first"), fresh_address("second"));
    let site = site_of(database, &[&first, &second]);
    let portal = site.open().await;
    let val = fresh_address("between");
    owner(&site, &portal, &val).await;
    let mut one = careful(&site, &portal, &first).await;
    let mut two = careful(&site, &portal, &second).await;
    let page = page_of(&mut one, &val).await;
    let (ask, same) = (
        one.open(&page.link("Disable")).await,
        two.open(&page.link("Disable")).await,
    );
    let (a, b) = (ask.button("Disable"), same.button("Disable"));
    let (a, b) = tokio::join!(one.send(&a), two.send(&b));
    let mut notices = [a.notice(), b.notice()];
    notices.sort();
    assert_eq!(
        notices,
        [
            AS_IT_WAS,
            "The account is disabled. We have told its owner by email."
        ]
    );
    for page in [a, b] {
        assert!(page.main().contains("StatusDisabled"), "{}", page.main());
    }
    told(&site, &val, 1).await;
    // Pages of before: what does not fit any more is not asked, and not done.
    let late = two.open(&page.link("Disable")).await;
    assert_eq!((&*late.h1(), &*late.notice()), ("Account", AS_IT_WAS));
    let late = two.open(&page.link("Start recovery")).await;
    assert_eq!(late.notice(), AS_IT_WAS);
    let late = one.send(&ask.button("Disable")).await;
    assert_eq!(late.notice(), AS_IT_WAS);
    assert_eq!(site.mails_to(&val), 3, "told once");
}

async fn nobody_administers_their_own_account(database: Database) {
    let boss = fresh_address("own");
    let site = site_of(database, &[&boss]);
    let portal = site.open().await;
    let mut person = careful(&site, &portal, &boss).await;
    let page = page_of(&mut person, &boss).await;
    assert!(
        page.main().contains("This is your own account."),
        "{}",
        page.main()
    );
    assert_eq!(page.texts_of(".acts a"), Vec::<String>::new());
    let id = page.path.split("id=").nth(1).unwrap();
    for act in [
        "unlock",
        "end-sessions",
        "start-recovery",
        "clear-two-step",
        "disable",
    ] {
        let asked = person
            .open(&format!("/admin/account/act?id={id}&act={act}"))
            .await;
        assert_eq!(asked.h1(), "Account", "{act}");
        let form = forged(&mut person, "/admin/account/act", &[("id", id), ("act", act)]).await;
        let refused = person.send(&form).await;
        assert_eq!(
            refused.notice(),
            "Nothing was changed: nobody administers their own account.",
            "{act}"
        );
    }
    assert!(page.main().contains("Two Step VerificationOn, by email"));
    assert_eq!(site.mails_to(&boss), 4, "nothing was mailed");
}

async fn a_registrations_link_is_sent_again(database: Database) {
    let boss = fresh_address("sender");
    let site = site_of(database, &[&boss]);
    let portal = site.open().await;
    let new = fresh_address("newcomer");
    let mut newcomer = Person::at(&portal);
    register(&mut newcomer, &new).await;
    let link = link_in(&site.mail_to(&new, 1).await);
    let mut person = careful(&site, &portal, &boss).await;
    let list = person.open(&found(&new, "")).await;
    assert!(list.notice().contains("waits for its link"), "{}", list.main());
    let page = person
        .open(&list.link(&format!("See the registration for {new}")))
        .await;
    assert_eq!(page.h1(), "Registration that waits");
    let sent = person.send(&page.button("Send the link again")).await;
    assert_eq!(sent.notice(), "We have sent the link again.");
    let again = site.mail_to(&new, 2).await;
    assert_eq!(link_in(&again), link, "the same while it works");
    assert!(!sent.body.contains(&link));
    // Once it is over, another takes its place.
    site.clock().advance(Duration::from_secs(13 * 3_600));
    let asked = person.send(&sent.button("Send the link again")).await;
    let code = log_in_on(&mut person, &asked, &boss, PASSWORD).await;
    let back = enter_code(&site, &mut person, &code, &boss, 5).await;
    assert!(back.main().contains("a new one is sent"), "{}", back.main());
    site.clock().advance(SIX_MINUTES);
    let asked = person.send(&back.button("Send the link again")).await;
    let back = prove(&site, &mut person, &asked, &boss, 6).await;
    assert_eq!(
        back.notice(),
        "You have confirmed who you are. Choose again what to do."
    );
    let form = back.button("Send the link again");
    person.send(&form).await;
    let fresh = link_in(&site.mail_to(&new, 3).await);
    assert_ne!(fresh, link);
    let done = complete(&mut newcomer, &fresh, PASSWORD).await;
    assert_eq!(done.h1(), "Thank you for registering");
    site.mail_to(&new, 4).await;
    // The page of before has nothing to send any more.
    let late = person.send(&form).await;
    assert_eq!(
        late.notice(),
        "Nothing was changed: no registration waits for this address any more."
    );
    assert_eq!(late.texts_of("tbody th"), [&*new]);
    assert_eq!(site.mails_to(&new), 4);
}

async fn dead_letters_are_sent_again(database: Database) {
    let boss = fresh_address("postmaster");
    let site = site_of(database, &[&boss]);
    let portal = site.open().await;
    let mut person = careful(&site, &portal, &boss).await;
    let empty = person.open("/admin/outbox").await;
    assert!(
        empty.main().contains("No email is like that."),
        "{}",
        empty.main()
    );
    let new = fresh_address("bounced");
    site.smtp().set_fault(Fault::Data554);
    register(&mut Person::at(&portal), &new).await;
    portal.wait_for_log("mail will not be sent").await;
    // The line comes just before the row.
    let mut page = person.open("/admin/outbox").await;
    for _ in 0..1_000 {
        if page.main().contains(&new) {
            break;
        }
        page = person.open("/admin/outbox").await;
    }
    assert_eq!(page.texts_of("tbody th").len(), 1, "{}", page.main());
    assert!(page.main().contains("Given up"), "{}", page.main());
    assert!(page.main().contains(&new) && page.main().contains("Complete registration"));
    assert!(!page.body.contains("?t="), "no link is at rest: {}", page.body);
    let to = |address: &str| {
        let address: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
        format!("/admin/outbox?status=any&to={address}")
    };
    assert_eq!(person.open(&to(&boss)).await.texts_of("tbody th").len(), 4);
    assert_eq!(person.open(&to(&new)).await.texts_of("tbody th").len(), 1);
    let wrong = person.open(&to("nobody")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        wrong.errors(),
        ["Enter an email address in the correct format, like name@example.com"]
    );

    site.smtp().set_fault(Fault::None);
    let form = person.open(&to(&new)).await.button("Send again");
    let stale = person.post(&form.clone().with("form_token", "AAAA")).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    site.clock().advance(SIX_MINUTES);
    let asked = person.send(&form).await;
    assert_eq!(site.mails_to(&new), 0);
    let back = prove(&site, &mut person, &asked, &boss, 5).await;
    assert_eq!(
        back.notice(),
        "You have confirmed who you are. Choose again what to do."
    );
    assert_eq!(back.value_of("to"), new, "what was looked for is still there");
    let form = back.button("Send again");
    let sent = person.send(&form).await;
    assert_eq!(sent.notice(), "The email waits to be sent again.");
    let mail = site.mail_to(&new, 1).await;
    let done = complete(&mut Person::at(&portal), &link_in(&mail), PASSWORD).await;
    assert_eq!(done.h1(), "Thank you for registering");
    let again = person.send(&form).await;
    assert_eq!(
        again.notice(),
        "Nothing was changed: that email is not given up any more."
    );
    // A name that is no mail's is no page.
    let form = form.without("mail").forged("mail", "zz");
    assert_eq!(person.post(&form).await.status, StatusCode::NOT_FOUND);
}
