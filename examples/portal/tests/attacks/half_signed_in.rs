//! Between password and code, and before the second step was on: nobody is in who has not entered a code.

use axum::http::{Method, StatusCode};

use crate::chance::Chance;
use crate::ledger;
use crate::people::{code_mailed, half_sign_in, owner, owner_with_two_step, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{log_in, turn_two_step_on};
use crate::rig::page::Form;
use crate::rig::{Database, PASSWORD, Person, Site};
use crate::routes::{Route, routes};
use crate::uniform::{Seen, assert_uniform};

attack_cases! {
    p_29_every_page_is_asked_for_after_the_password_alone
    p_30_the_second_step_is_turned_on_beside_older_sessions
}

/// Every page after login, and what scripts ask for.
const PAGES: [&str; 26] = [
    "/home",
    "/areas/send-ehat",
    "/account",
    "/account/personal-details",
    "/account/work-details",
    "/account/work-details/add",
    "/account/work-details/change?role=1",
    "/account/work-details/remove?role=1",
    "/account/change-email-address",
    "/account/change-password",
    "/account/change-secret-question",
    "/account/two-step-verification",
    "/account/change-of-circumstances",
    "/account/sessions",
    "/account/activity",
    "/account/your-data",
    "/account/close",
    "/account/confirm-password",
    "/account/session",
    "/account/draft",
    "/account/logout",
    "/admin",
    "/admin/account",
    "/admin/account/act",
    "/admin/registration",
    "/admin/outbox",
];

/// Pages that are there for whoever is not logged in: before login, and behind mailed links.
const FOR_ANYBODY: [&str; 22] = [
    "/account/login",
    "/account/timed-out",
    "/account/verify",
    "/account/forgotten-password",
    "/account/reset-password",
    "/account/cancel-recovery",
    "/account/register",
    "/account/register/security-details",
    "/account/register/about-you",
    "/account/register/work-details",
    "/account/register/check",
    "/account/register/sent",
    "/account/complete-registration",
    "/account/registered",
    "/account/confirm-email-address",
    "/account/cancel-email-change",
    "/account/freeze",
    "/account/not-me",
    "/account/restore",
    "/help",
    "/language",
    "/",
];

/// Fails where a route is in none of the two lists.
fn assert_all_are_tried() {
    let of_the_machine = ["/assets/", "/dev/", "/.well-known/", "/Account/"];
    let single = ["/favicon.ico", "/healthz", "/readyz", "/metrics"];
    for Route { path, .. } in routes() {
        let tried = PAGES
            .iter()
            .any(|page| page.split('?').next() == Some(path.as_str()));
        let known = tried
            || FOR_ANYBODY.contains(&path.as_str())
            || single.contains(&path.as_str())
            || of_the_machine.iter().any(|start| path.starts_with(start));
        assert!(known, "{path} is new: name it in PAGES or in FOR_ANYBODY");
    }
}

/// OTP-8; WSTG-ATHN-11.
async fn p_29_every_page_is_asked_for_after_the_password_alone(
    database: Database,
    mut chance: Chance,
) -> Figures {
    assert_all_are_tried();
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner_with_two_step(&site, &portal, &mut chance, "half").await;
    let (ask, code) = half_sign_in(&site, &mut jo, &address, PASSWORD).await;
    let home = jo.send(&ask.button("Verify").with("code", &code)).await;
    assert_eq!(home.path, "/home");
    let mut half = stranger(&portal, &mut chance);
    let (ask, code) = half_sign_in(&site, &mut half, &address, PASSWORD).await;
    let nobody = stranger(&portal, &mut chance);

    let before = ledger::state(&site).await;
    let mut forms: Vec<Form> = Vec::new();
    for path in PAGES {
        for method in [Method::GET, Method::HEAD] {
            let seen = async |person: &Person| {
                let mut person = person.clone();
                let page = person.ask(method.clone(), path, &[]).await;
                Seen::of(&page, &[])
            };
            let answers = [
                ("nobody", seen(&nobody).await),
                ("somebody half in", seen(&half).await),
            ];
            assert_uniform(path, &answers);
        }
        let page = jo.ask(Method::GET, path, &[]).await;
        if page.status == StatusCode::OK {
            let known = |form: &Form| {
                forms
                    .iter()
                    .any(|f| f.action == form.action && f.fields == form.fields)
            };
            let new: Vec<_> = page.forms().into_iter().filter(|form| !known(form)).collect();
            forms.extend(new);
        }
    }
    forms.push(Form::to("/account/sessions").forged("do", "end_others"));
    forms.push(Form::to("/account/two-step-verification").forged("preferred_method", "none"));
    assert!(
        forms.len() > PAGES.len() / 2,
        "only {} forms were found",
        forms.len()
    );
    for form in forms.iter().filter(|form| form.action != "/language") {
        let sent = async |person: &Person| {
            let mut person = person.clone();
            let token = person.open("/account/login").await.value_of("form_token");
            let form = form.clone().without("form_token").forged("form_token", &token);
            Seen::of(&person.post(&form).await, &[])
        };
        let answers = [
            ("nobody", sent(&nobody).await),
            ("somebody half in", sent(&half).await),
        ];
        assert_uniform(&format!("POST {}", form.action), &answers);
    }
    assert_eq!(ledger::state(&site).await, before);

    // The honest twin: the code opens all of it.
    let home = half.send(&ask.button("Verify").with("code", &code)).await;
    assert_eq!(home.path, "/home");
    assert_eq!(half.open("/areas/send-ehat").await.path, "/areas/send-ehat");
    assert_eq!(jo.open("/areas/send-ehat").await.path, "/areas/send-ehat");
    Figures::new()
        .with("pages", PAGES.len())
        .with("forms", forms.len())
        .with("let in", 0)
}

/// SES-5, SES-6, I-21; Rodauth 2.44.
async fn p_30_the_second_step_is_turned_on_beside_older_sessions(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut first, address) = owner(&site, &portal, &mut chance, "older").await;
    let mut second = stranger(&portal, &mut chance);
    for person in [&mut first, &mut second] {
        assert_eq!(log_in(person, &address, PASSWORD).await.path, "/home");
        let area = person.open("/areas/send-ehat").await;
        assert_eq!(area.h1(), "Two Step Verification is needed here");
    }
    let older: Vec<_> = [&first, &second]
        .map(|p| p.cookie("session").unwrap().to_owned())
        .into();
    turn_two_step_on(&mut first).await;
    site.mail_to(&address, 3).await;

    let out = |page: &crate::rig::Page| {
        page.path.starts_with("/account/login") || page.path.starts_with("/account/timed-out")
    };
    for session in &older {
        for person in [&mut first, &mut second] {
            person.plant("session", session);
            for path in ["/areas/send-ehat", "/home", "/account/two-step-verification"] {
                let page = person.open(path).await;
                assert!(out(&page), "{path} led to {}", page.path);
            }
        }
    }
    // With the password alone nobody gets there; with the code both do.
    for person in [&mut first, &mut second] {
        let seen = site.mails_to(&address);
        let ask = log_in(person, &address, PASSWORD).await;
        assert_eq!(ask.h1(), "Verification Code sent");
        assert!(out(&person.clone().open("/areas/send-ehat").await));
        let code = code_mailed(&site, &address, seen).await;
        person.send(&ask.button("Verify").with("code", &code)).await;
        let area = person.open("/areas/send-ehat").await;
        assert_eq!(area.h1(), "SEND (EHCP) & Early Help (EHAT)");
    }
    Figures::new()
        .with("older sessions", older.len())
        .with("let in", 0)
}
