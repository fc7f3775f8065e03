//! Poisoned hosts, resets without their link, and what a page behind a mailed link gives away.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE};
use axum::http::{Method, StatusCode};

use crate::canaries::{Kind, Search};
use crate::chance::Chance;
use crate::people::{owner, owner_with_two_step};
use crate::raw::raw;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{answer_reset, ask_for_reset, choose_password, log_in};
use crate::rig::page::Form;
use crate::rig::program::Portal;
use crate::rig::site::{code_in, link_in};
use crate::rig::{ANSWER, Database, PASSWORD, Page, Person, Site};
use crate::settled::settled;
use crate::tour::{self, Tour};

attack_cases! {
    p_31_a_poisoned_host_gets_into_a_mailed_link
    p_32_the_answer_alone_sets_a_password
    p_33_a_reset_logs_in_and_keeps_sessions
    p_34_a_token_page_gives_its_token_away
}

const MINUTE: Duration = Duration::from_secs(60);
const NEW_PASSWORD: &str = "Other-Badger-17-kettle";

/// CFG-2, MAIL-7, GHSA-3529-5m8x-rpv3, CVE-2012-4520: links begin with the configured base URL, whatever a request says.
async fn p_31_a_poisoned_host_gets_into_a_mailed_link(database: Database, mut chance: Chance) -> Figures {
    let mut site = Site::new(database).behind_a_proxy();
    site.set("PORTAL_BASE_URL", "https://portal.example");
    site.set("PORTAL_ALLOWED_HOSTS", "www.portal.example");
    assert!(site.run(&["keys", "generate"]).status.success());
    let portal = site.open().await;
    // The form's token and its cookie, as a browser behind the proxy gets them.
    let shown = raw(
        &portal,
        &get("/account/forgotten-password", "Host: portal.example\r\n"),
    )
    .await;
    assert_eq!(shown.status, StatusCode::OK);
    let cookie = shown.headers[SET_COOKIE]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let form = shown.button("Send reset link");
    let post = |target: &str, hosts: &str, address: &str| {
        let body = form.clone().with("email", address).encoded();
        format!(
            "POST {target} HTTP/1.1\r\n{hosts}Cookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    const PATH: &str = "/account/forgotten-password";
    let odd: [(&str, &str); 13] = [
        (PATH, "Host: evil.example\r\n"),
        (PATH, "Host: portal.example.evil.example\r\n"),
        (PATH, "Host: portal.example:8443\r\n"),
        (PATH, "Host: good@portal.example\r\n"),
        (PATH, "Host: portal.example@evil.example\r\n"),
        (PATH, "Host: portal.example\r\nHost: evil.example\r\n"),
        (PATH, "Host: evil.example\r\nHost: portal.example\r\n"),
        (PATH, "Host: portal.example, evil.example\r\n"),
        (PATH, "Host: portal.example/evil\r\n"),
        (PATH, "Host: \r\n"),
        (PATH, ""),
        (
            "http://evil.example/account/forgotten-password",
            "Host: portal.example\r\n",
        ),
        (
            "http://portal.example/account/forgotten-password",
            "Host: evil.example\r\n",
        ),
    ];
    for (target, hosts) in odd {
        let address = chance.address("odd");
        let refused = raw(&portal, &post(target, hosts, &address)).await;
        assert!(
            refused.status.is_client_error(),
            "{target} {hosts:?}: {}",
            refused.status
        );
        assert!(!refused.body.contains("evil.example"), "{hosts:?} is echoed");
        assert_eq!(site.mails_to(&address), 0);
    }
    let poisoned = [
        "",
        "X-Forwarded-Host: evil.example\r\n",
        "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 81\r\n",
        "Forwarded: for=192.0.2.1;host=evil.example;proto=http\r\n",
        "X-Host: evil.example\r\nX-Original-Host: evil.example\r\nX-Forwarded-Server: evil.example\r\n",
        "X-Original-URL: https://evil.example/\r\nX-Rewrite-URL: /evil\r\n",
        "Referer: https://evil.example/\r\n",
    ];
    let absolute = format!("https://portal.example{PATH}");
    let mut links = 0;
    for (n, headers) in poisoned.into_iter().enumerate() {
        let hosts = ["Host: portal.example\r\n", "Host: www.portal.example\r\n"][n % 2];
        for target in [PATH, absolute.as_str()] {
            if target == absolute && hosts.contains("www") {
                continue;
            }
            let address = chance.address("mailed");
            let answer = raw(&portal, &post(target, &format!("{hosts}{headers}"), &address)).await;
            assert!(
                answer.status.is_success() || answer.status.is_redirection(),
                "{headers:?}: {}",
                answer.body
            );
            assert!(
                !format!("{:?}{}", answer.headers, answer.body).contains("evil.example"),
                "{headers:?}"
            );
            let mail = site.mail_to(&address, 1).await;
            for part in [&mail.text, &mail.html] {
                assert!(!part.contains("evil.example"), "{headers:?}: {part}");
                for link in part.split("http").skip(1).filter(|rest| rest.contains("://")) {
                    assert!(link.starts_with("s://portal.example/"), "{headers:?}: http{link}");
                    links += 1;
                }
            }
        }
    }
    assert!(links > 10, "no links were mailed");
    Figures::new()
        .with("odd hosts", odd.len())
        .with("poisoned headers", poisoned.len())
        .with("links", links)
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")
}

/// A form for the reset's address with everything in it, as somebody writes it who knows the page.
fn whole_reset(page: &Page, button: &str, answer: &str) -> Form {
    let token = page.attributes_of("[name=form_token]", "value").remove(0);
    let mut form = page.forms().remove(0);
    form.action = "/account/reset-password".to_owned();
    form.fields = [
        ("form_token", token.as_str()),
        ("answer", answer),
        ("new-password", NEW_PASSWORD),
        ("new-password2", NEW_PASSWORD),
        ("do", button),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    form
}

/// ANS-1: a secret answer changes nothing without a live link that was mailed to its own account.
async fn p_32_the_answer_alone_sets_a_password(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut val, address) = owner(&site, &portal, &mut chance, "val").await;
    let (mut attacker, attackers) = owner(&site, &portal, &mut chance, "attacker").await;
    // The answer of the attacker's own account is another one, so that V's answer is wrong there.
    change_answer(&mut attacker, &attackers, "Something else").await;
    site.mail_to(&attackers, 3).await;
    site.clock().advance(MINUTE);
    let before = settled(&site).await;
    let mut tries = 0;
    // No link at all; a forged one; V's address smuggled in.
    for planted in [None, Some("A".repeat(43)), Some(String::new())] {
        for button in ["continue", "save", "slowly", ""] {
            let mut thief = Person::from(&portal, &chance.network());
            let page = thief.open("/account/login").await;
            if let Some(token) = &planted {
                thief.plant("link", token);
                thief.plant("verify", token);
            }
            let form = whole_reset(&page, button, ANSWER);
            let refused = thief.post(&form).await;
            assert_eq!(
                refused.status,
                StatusCode::NOT_FOUND,
                "{button}: {}",
                refused.main()
            );
            let named = thief.post(&form.forged("email", &address)).await;
            assert!(named.status.is_client_error(), "{button}: {}", named.status);
            tries += 2;
        }
    }
    let changes = settled(&site).await.changes_since(&before);
    assert_eq!(
        changes,
        Vec::<String>::new(),
        "nothing is written for a link that is none"
    );
    // The attacker's own live link, with V's right answer.
    ask_for_reset(&mut attacker, &attackers).await;
    let own = link_in(&site.mail_to(&attackers, 4).await);
    let page = attacker.open(&own).await;
    let before = settled(&site).await;
    let skipped = attacker.send(&whole_reset(&page, "save", ANSWER)).await;
    assert_eq!(skipped.path, "/account/reset-password?notice=answer-again");
    let refused = attacker.post(&whole_reset(&page, "continue", ANSWER)).await;
    assert_eq!(refused.errors(), ["Secret Answer is not correct. 2 tries left."]);
    tries += 2;
    for change in settled(&site).await.changes_since(&before) {
        // A try is counted for the link, its network and its account.
        let counted = ["portal_links: ", "portal_audit: ", "portal_throttle: "];
        let own = change.starts_with("portal_accounts: ") && change.contains(&attackers);
        assert!(
            own || counted.iter().any(|table| change.starts_with(table)),
            "{change}"
        );
    }
    for (whose, password, status) in [
        (&address, PASSWORD, StatusCode::SEE_OTHER),
        (&attackers, PASSWORD, StatusCode::SEE_OTHER),
        (&address, NEW_PASSWORD, StatusCode::UNPROCESSABLE_ENTITY),
        (&attackers, NEW_PASSWORD, StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let mut anybody = Person::from(&portal, &chance.network());
        let page = anybody.open("/account/login").await;
        let form = page.button("Login").with("email", whose);
        let answer = anybody.post(&form.with("password", password)).await;
        assert_eq!(answer.status, status, "{whose} with {password}");
    }
    // V's used link.
    ask_for_reset(&mut val, &address).await;
    let link = link_in(&site.mail_to(&address, 3).await);
    let page = answer_reset(&mut val, &link).await;
    let other = "Third-Garden-58-lamp";
    assert_eq!(choose_password(&mut val, &page, other).await.h1(), "Login");
    let mut thief = Person::from(&portal, &chance.network());
    let page = thief.open(&link).await;
    assert_eq!(page.status, StatusCode::GONE);
    for button in ["continue", "save"] {
        let refused = thief.post(&whole_reset(&page, button, ANSWER)).await;
        assert_eq!(refused.status, StatusCode::GONE, "{button}");
        tries += 1;
    }
    let mut stranger = Person::from(&portal, &chance.network());
    let refused = log_in(&mut stranger, &address, NEW_PASSWORD).await;
    assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
    // The honest twin was the reset in between.
    assert_eq!(log_in(&mut stranger, &address, other).await.path, "/home");
    Figures::new().with("tries", tries).with("passwords set", 0)
}

async fn change_answer(person: &mut Person, address: &str, answer: &str) {
    log_in(person, address, PASSWORD).await;
    let page = person.open("/account/change-secret-question").await;
    let chosen = page.attributes_of("select[name=question] option", "value");
    let form = page
        .button("Save")
        .with("password", PASSWORD)
        .with("question", chosen.last().unwrap())
        .with("answer", answer);
    let done = person.send(&form).await;
    assert_eq!(done.errors(), Vec::<String>::new());
}

/// Opens the gate of a second step.
async fn pass(site: &Site, person: &mut Person, address: &str, password: &str, mails: usize) -> Page {
    let page = log_in(person, address, password).await;
    assert_eq!(page.h1(), "Verification Code sent");
    let code = code_in(&site.mail_to(address, mails).await);
    person.send(&page.button("Verify").with("code", &code)).await
}

/// RST-4, SES-5: a reset opens no session, ends all, and takes no second step away.
async fn p_33_a_reset_logs_in_and_keeps_sessions(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut val, address) = owner_with_two_step(&site, &portal, &mut chance, "val").await;
    let mut elsewhere = Person::from(&portal, &chance.network());
    for (n, person) in [&mut val, &mut elsewhere].into_iter().enumerate() {
        site.clock().advance(MINUTE);
        assert_eq!(pass(&site, person, &address, PASSWORD, 4 + n).await.path, "/home");
    }
    site.clock().advance(MINUTE);
    let mut resetting = Person::from(&portal, &chance.network());
    ask_for_reset(&mut resetting, &address).await;
    let link = link_in(&site.mail_to(&address, 6).await);
    let page = answer_reset(&mut resetting, &link).await;
    for person in [&mut val, &mut elsewhere] {
        assert_eq!(
            person.open("/home").await.path,
            "/home",
            "a link that was only opened ends nothing"
        );
    }
    let form = page
        .button("Save")
        .with("new-password", NEW_PASSWORD)
        .with("new-password2", NEW_PASSWORD);
    let done = resetting.post(&form).await;
    let given = done
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|line| line.to_str().unwrap());
    let session: Vec<_> = given
        .filter(|line| line.starts_with("__Host-portal_session="))
        .collect();
    assert!(
        session
            .iter()
            .all(|line| line.starts_with("__Host-portal_session=;")),
        "{session:?}"
    );
    assert!(resetting.cookie("session").is_none());
    for person in [&mut val, &mut elsewhere, &mut resetting] {
        assert_eq!(person.open("/home").await.h1(), "Login");
    }
    let notice = site.mail_to(&address, 7).await;
    assert_eq!(notice.subject, "Your password was changed");
    site.clock().advance(MINUTE);
    assert_eq!(
        pass(&site, &mut val, &address, NEW_PASSWORD, 8).await.path,
        "/home"
    );

    // The notice's link, opened and sent without the address: nothing happens.
    let not_me = link_in(&notice);
    let mut scanner = Person::from(&portal, &chance.network());
    for _ in 0..20 {
        scanner.ask(Method::HEAD, &not_me, &[]).await;
        scanner.open(&not_me).await;
    }
    let page = scanner.open(&not_me).await;
    for form in page
        .presses()
        .into_iter()
        .filter(|form| form.action == "/account/not-me")
    {
        assert_eq!(scanner.send(&form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(val.open("/home").await.path, "/home");
    assert_eq!(site.mails_to(&address), 8);
    // The honest twin: with the address typed it locks the account.
    let done = scanner
        .send(&page.button("Lock the account").with("email", &address))
        .await;
    assert_eq!(done.h1(), "The account is locked");
    assert_eq!(val.open("/home").await.h1(), "Login");
    Figures::new()
        .with("sessions ended", 2)
        .with("looks at the notice's link", 42)
}

/// TOK-5, WEB-6: whoever opens a mailed link shows its token to nobody.
async fn p_34_a_token_page_gives_its_token_away(database: Database, mut chance: Chance) -> Figures {
    let mut site = tour::site(database, &mut chance);
    site.set("RUST_LOG", "trace");
    let portal = site.open().await;
    let tour = Tour::walk(&site, &portal, chance).await;
    assert!(tour.links.len() >= 8, "{:?}", tour.links.keys());
    let mut opened = 0;
    for (path, link) in &tour.links {
        let mut person = Person::at(&portal);
        let token = link.split_once("t=").unwrap().1;
        for first in [
            person.ask(Method::HEAD, link, &[]).await,
            person.ask(Method::GET, link, &[]).await,
        ] {
            assert_eq!(first.status, StatusCode::SEE_OTHER, "{path}");
            private(&first);
        }
        let page = person.open(path).await;
        private(&page);
        assert!(!page.body.contains(token), "{path} shows its token");
        for form in page.presses().into_iter().filter(|form| form.action == *path) {
            private(&person.clone().post(&form.without("form_token")).await);
            opened += 1;
        }
    }
    assert!(opened >= tour.links.len(), "pages without their form");
    let log = stop(portal).await;
    let lines = log.lines().filter(|line| line.contains("request"));
    assert!(
        lines.clone().any(|line| line.contains("/account/reset-password")),
        "no access log"
    );
    assert_eq!(Search::new(&tour.secrets, &[Kind::Link]).found_in(&log), None);
    Figures::new()
        .with("kinds of links", tour.links.len())
        .with("lines of log", log.lines().count())
}

async fn stop(portal: Portal) -> String {
    let (status, log) = portal.stop().await;
    assert!(status.success());
    log
}

/// The headers of an answer behind a mailed link, and that nothing on it comes from elsewhere.
fn private(page: &Page) {
    let header = |name| page.headers.get(name).map(|value| value.to_str().unwrap());
    assert!(
        header(CACHE_CONTROL).is_some_and(|value| value.contains("no-store")),
        "{}",
        page.path
    );
    assert_eq!(
        page.headers.get(REFERRER_POLICY).unwrap(),
        "no-referrer",
        "{}",
        page.path
    );
    assert_eq!(
        page.headers.get("x-robots-tag").unwrap(),
        "noindex",
        "{}",
        page.path
    );
    assert!(
        header(CONTENT_SECURITY_POLICY)
            .unwrap()
            .starts_with("default-src 'none'")
    );
    for (selector, attribute) in [
        ("[src]", "src"),
        ("link[href]", "href"),
        ("form[action]", "action"),
        ("a[href]", "href"),
    ] {
        for target in page.attributes_of(selector, attribute) {
            let here = target.starts_with('/') && !target.starts_with("//");
            let inside = target.starts_with('#') || target.starts_with("mailto:");
            assert!(here || inside, "{} leads to {target}", page.path);
        }
    }
}
