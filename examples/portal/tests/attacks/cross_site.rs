//! Forms that another site sends, or an old page: they have no effect. And ways to lead people away after login.

use std::time::Duration;

use axum::http::header::{LOCATION, ORIGIN};
use axum::http::{HeaderName, Method, StatusCode};

use crate::chance::Chance;
use crate::forms::{self, Ready};
use crate::people::owner;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{log_in, log_in_on, turn_two_step_on};
use crate::rig::{Database, PASSWORD, Page, Person, Site};
use crate::routes::{Route, routes};
use crate::settled::settled;
use crate::tour::{self, Tour, crawl};

attack_cases! {
    p_40_every_form_is_sent_without_its_token_with_anothers_and_from_another_site
    p_41_another_site_logs_a_visitor_in_and_out
    p_42_the_way_back_leads_to_another_site
}

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const TEN_MINUTES: Duration = Duration::from_secs(600);
const STALE: &str = "This page was open for a long time. Check your answers and try again.";

/// What a browser says about a request that another site has made.
fn foreign() -> [Vec<(HeaderName, &'static str)>; 5] {
    [
        vec![(ORIGIN, "https://evil.example")],
        vec![(ORIGIN, "null")],
        vec![(FETCH_SITE, "cross-site")],
        vec![(FETCH_SITE, "same-site")],
        vec![(ORIGIN, "https://evil.example"), (FETCH_SITE, "same-origin")],
    ]
}

/// WEB-2, R13, ASVS 3.5.1: nothing but a page of this very session makes anything happen.
async fn p_40_every_form_is_sent_without_its_token_with_anothers_and_from_another_site(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = tour::site(database, &mut chance);
    let portal = site.open().await;
    let tour = Tour::walk(&site, &portal, chance).await;
    let ready = forms::all(&tour).await;
    for Route { path: route, .. } in routes().into_iter().filter(|route| route.takes_form) {
        let is_met = ready.iter().any(|ready| ready.form.action == route);
        // The inbox is closed where there is a mail server; it comes below.
        assert!(
            is_met || route.starts_with("/dev/"),
            "no page leads to a form for {route}"
        );
    }
    let mut tokens: Vec<_> = ready
        .iter()
        .filter_map(|r| r.form.value("form_token").map(str::to_owned))
        .collect();
    tokens.sort_unstable();
    tokens.dedup();
    let before = settled(&site).await;
    for ready in &ready {
        assert_no_effect(ready, &tokens).await;
    }
    let changes = settled(&site).await.changes_since(&before);
    assert_eq!(changes, Vec::<String>::new(), "a forged form had an effect");

    // The honest twin: the same forms, sent from their own pages, do what they are for.
    let (mut before, mut effective) = (before, 0);
    for ready in &ready {
        let page = ready.person.clone().post(&ready.form).await;
        assert_ne!(page.status, StatusCode::FORBIDDEN, "{}: {}", page.path, page.body);
        assert!(!page.body.contains(STALE), "{} is stale at home", page.path);
        let after = settled(&site).await;
        effective += usize::from(!after.changes_since(&before).is_empty());
        before = after;
    }
    assert!(
        effective >= 20,
        "of {} forms only {effective} had an effect",
        ready.len()
    );

    let inbox = inbox_forms(database).await;
    Figures::new()
        .with("forms", ready.len() + inbox)
        .with("ways each", foreign().len() + 3)
        .with("forms that act when sent honestly", effective)
}

async fn assert_no_effect(ready: &Ready, tokens: &[String]) {
    let Ready {
        person,
        form,
        by_script,
    } = ready;
    let what = format!("{} {:?}", form.action, form.value("do"));
    for headers in foreign() {
        let refused = person.clone().post_with(form, &headers).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{what} with {headers:?}");
    }
    let own = form
        .value("form_token")
        .unwrap_or_else(|| panic!("{what} has no token"));
    let anothers = tokens.iter().find(|token| *token != own).unwrap();
    let stale = [
        form.clone().without("form_token"),
        form.clone().forced("form_token", anothers),
        form.clone().forced("form_token", &"A".repeat(43)),
    ];
    for form in stale {
        let back = person.clone().post(&form).await;
        assert_eq!(
            back.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{what}: {}",
            back.body
        );
        if !by_script {
            assert!(
                back.body.contains(STALE),
                "{what} does not say that it was stale: {}",
                back.main()
            );
            let again = back.forms().iter().any(|again| again.action == form.action);
            assert!(again, "{what} is not offered again");
        }
    }
}

/// The forms of the development inbox, on a site where it is open.
async fn inbox_forms(database: Database) -> usize {
    let site = Site::with_inbox(database);
    let portal = site.open().await;
    let mut developer = Person::at(&portal);
    let mut forms = Vec::new();
    for page in crawl(&mut developer, "/dev/mail").await {
        forms.extend(page.presses());
    }
    forms.retain(|form| form.action.starts_with("/dev/"));
    assert!(!forms.is_empty(), "the inbox has no form");
    let other = Person::at(&portal).open("/").await.value_of("form_token");
    for form in &forms {
        let (person, form) = (developer.clone(), form.clone());
        assert_no_effect(
            &Ready {
                person,
                form,
                by_script: false,
            },
            std::slice::from_ref(&other),
        )
        .await;
    }
    forms.len()
}

/// WEB-2, WEB-3: nobody is put into somebody else's account, nor out of their own.
async fn p_41_another_site_logs_a_visitor_in_and_out(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut val, address) = owner(&site, &portal, &mut chance, "val").await;
    let (_, attackers) = owner(&site, &portal, &mut chance, "attacker").await;
    let login = val.open("/account/login").await;
    let form = login
        .button("Login")
        .with("email", &attackers)
        .with("password", PASSWORD);
    for headers in foreign() {
        let refused = val.post_with(&form, &headers).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(val.cookie("session").is_none());
    }
    // Without a page of ours there is no token, whatever the browser says of itself.
    let bare = val.post_with(&form.clone().without("form_token"), &[]).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(val.cookie("session").is_none());

    assert_eq!(
        log_in_on(&mut val, &login, &address, PASSWORD).await.path,
        "/home"
    );
    let home = val.open("/home").await;
    let images = [&[(FETCH_SITE, "cross-site")][..], &[(FETCH_SITE, "same-origin")]];
    let mut ways = 0;
    for headers in images {
        for method in [Method::GET, Method::HEAD] {
            for path in ["/account/logout", "/account/logout?do=logout"] {
                let answer = val.ask(method.clone(), path, headers).await;
                assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
                ways += 1;
            }
        }
        let out = val
            .post_with(&home.button("Logout"), &[(FETCH_SITE, "cross-site")])
            .await;
        assert_eq!(out.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(val.open("/home").await.path, "/home", "still logged in");
    assert_eq!(
        val.send(&home.button("Logout")).await.notice(),
        "You have logged out."
    );
    assert_eq!(val.open("/home").await.h1(), "Login");
    Figures::new()
        .with("logins", foreign().len() + 1)
        .with("logouts", ways + 2)
}

/// Every way to write another site's address that some browser has followed.
const AWAY: [&str; 20] = [
    "https://evil.example",
    "https:evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/home",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/%5cevil.example",
    "/%2fevil.example",
    "/%252f%252fevil.example",
    "/home/..//evil.example",
    "/\t/evil.example",
    "\u{1}//evil.example",
    "/home\r\nLocation: https://evil.example",
    "javascript:alert(1)",
    "data:text/html,evil",
    "@evil.example",
    "/home@evil.example",
    "http://127.0.0.1@evil.example",
];

/// WEB-4, ASVS 3.7.2, CVE-2021-23435: `next` leads to a page of this portal or to home, at every door.
async fn p_42_the_way_back_leads_to_another_site(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, &mut chance, "next").await;
    let mut tried = 0;
    for away in AWAY {
        site.clock().advance(TEN_MINUTES);
        let encoded: String = url::form_urlencoded::byte_serialize(away.as_bytes()).collect();
        for door in ["/account/login", "/account/timed-out"] {
            let mut somebody = jo.clone();
            let page = somebody.open(&format!("{door}?next={encoded}")).await;
            let form = page
                .button("Login")
                .with("email", &address)
                .with("password", PASSWORD);
            // As the page has it, and as an attacker's page would write it.
            for form in [form.clone(), form.forced("next", away)] {
                let mut somebody = somebody.clone();
                assert_at_home(&somebody.post(&form).await, away);
                tried += 1;
            }
        }
    }
    log_in(&mut jo, &address, PASSWORD).await;
    for away in AWAY {
        // HASH-2: an account's own price opens again after ten minutes.
        site.clock().advance(TEN_MINUTES);
        let encoded: String = url::form_urlencoded::byte_serialize(away.as_bytes()).collect();
        for forged in [false, true] {
            // Each proof ends the session it was given in, so the page is opened anew.
            let page = jo
                .open(&format!("/account/confirm-password?next={encoded}"))
                .await;
            let mut form = page.button("Continue").with("password", PASSWORD);
            if forged {
                form = form.forced("next", away);
            }
            assert_at_home(&jo.post(&form).await, away);
            tried += 1;
        }
        let home = jo.open("/home").await;
        let language = home
            .forms()
            .into_iter()
            .find(|form| form.action == "/language")
            .unwrap();
        assert_stays(
            &jo.post(&language.forced("back", away).forced("language", "en-GB"))
                .await,
            away,
        );
        // Where the second step is turned on, and what leads there.
        let settings = jo
            .open(&format!("/account/two-step-verification?next={encoded}"))
            .await;
        let form = settings
            .button("Save")
            .forced("next", away)
            .forced("preferred_method", "none");
        assert_stays(&jo.post(&form).await, away);
        tried += 2;
    }
    // The honest twin: a page of this portal is where they come to, through a forced logout and a code.
    let mut val = Person::at(&portal);
    let page = val.open("/account/login?next=%2Faccount%2Factivity").await;
    assert_eq!(
        log_in_on(&mut val, &page, &address, PASSWORD).await.path,
        "/account/activity"
    );
    let out = turn_two_step_on(&mut val).await;
    assert!(out.path.contains("next=%2Fareas%2Fsend-ehat"), "{}", out.path);
    Figures::new().with("addresses", AWAY.len()).with("tries", tried)
}

/// A redirect that stays, and leads home.
fn assert_at_home(answer: &Page, away: &str) {
    if answer.status == StatusCode::SEE_OTHER {
        assert_eq!(answer.headers[LOCATION], "/home", "{away}");
    } else {
        // A `next` that no page would send may be refused instead.
        assert!(answer.status.is_client_error(), "{away}: {}", answer.status);
        assert!(answer.headers.get(LOCATION).is_none());
    }
}

/// A redirect that stays in the portal, to whichever page.
fn assert_stays(answer: &Page, away: &str) {
    let Some(to) = answer.headers.get(LOCATION) else {
        return;
    };
    let base = url::Url::parse("https://portal.example").unwrap();
    let to = base.join(to.to_str().unwrap()).unwrap();
    assert_eq!(to.origin(), base.origin(), "{away}");
    assert!(!to.path().contains("evil"), "{away}: {to}");
}
