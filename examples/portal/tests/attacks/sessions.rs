//! Cookies, and sessions that are planted, replayed or kept for too long.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::header::SET_COOKIE;
use axum::http::{Method, StatusCode};

use crate::chance::Chance;
use crate::people::{owner, owner_with_two_step};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{log_in, log_in_on, security_details};
use crate::rig::site::code_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site};
use crate::tour::{self, Tour};

attack_cases! {
    p_35_a_cookie_is_read_or_planted_by_a_neighbour
    p_36_a_planted_session_becomes_a_real_one
    p_37_a_stolen_session_outlives_its_end
    p_39_a_session_lives_longer_than_it_may
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The name behind the prefix and the value of each `Set-Cookie` line of an answer, checked as WEB-1 wants it.
fn set_cookies(page: &Page) -> Vec<(String, String)> {
    let lines = page.headers.get_all(SET_COOKIE).iter();
    lines.map(|line| checked(line.to_str().unwrap())).collect()
}

fn checked(line: &str) -> (String, String) {
    let (pair, attributes) = line.split_once(';').unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    let name = name
        .strip_prefix("__Host-portal_")
        .unwrap_or_else(|| panic!("{line}"));
    let attributes: Vec<_> = attributes.split(';').map(str::trim).collect();
    for needed in ["Secure", "HttpOnly", "Path=/"] {
        assert!(attributes.contains(&needed), "{line}");
    }
    let (same_site, age) = match name {
        "verify" => ("SameSite=Strict", None),
        "link" => ("SameSite=Lax", Some("900")),
        "device" => ("SameSite=Lax", Some("15552000")),
        "session" | "form" | "draft" | "lang" => ("SameSite=Lax", None),
        other => panic!("a cookie that nobody knows: {other}"),
    };
    assert!(attributes.contains(&same_site), "{line}");
    assert!(
        !attributes.iter().any(|a| a.to_lowercase().starts_with("domain")),
        "{line}"
    );
    let found = attributes.iter().find_map(|a| a.strip_prefix("Max-Age="));
    assert!(value.is_empty() || found == age, "{line}");
    assert!(value.is_empty() || value.len() == 43 || name == "lang", "{line}");
    assert!(line.len() <= 4096, "{line}");
    (name.to_owned(), value.to_owned())
}

/// WEB-1, CFG-2, ASVS 3.3.1 to 3.3.5: every cookie that is ever set, on every way through the portal.
async fn p_35_a_cookie_is_read_or_planted_by_a_neighbour(database: Database, mut chance: Chance) -> Figures {
    let site = tour::site(database, &mut chance);
    let portal = site.open().await;
    let tour = Tour::walk(&site, &portal, chance).await;
    let mut names = BTreeSet::new();
    let mut lines = 0;
    let mut welsh = tour.browser();
    let home = welsh.open("/").await;
    let form = home
        .forms()
        .into_iter()
        .find(|form| form.action == "/language")
        .unwrap();
    welsh.post(&form).await;
    for page in tour.heard.lock().unwrap().iter() {
        for (name, _) in set_cookies(page) {
            names.insert(name);
            lines += 1;
        }
    }
    let expected = ["device", "draft", "form", "lang", "link", "session", "verify"];
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        expected,
        "each was set somewhere"
    );

    // In clear they would go past everybody: plain http is for this machine only.
    let mut refused = 0;
    for base in [
        "http://portal.example",
        "http://10.0.0.1:8080",
        "http://localhost.evil.example",
        "http://[::2]",
    ] {
        let mut plain = Site::with_inbox(database);
        plain.set("PORTAL_BASE_URL", base);
        let output = plain.run(&["serve"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{base}: {told}");
        assert!(
            told.starts_with("PORTAL_BASE_URL must begin with https://"),
            "{base}: {told}"
        );
        refused += 1;
    }
    for base in [
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://[::1]:8080",
    ] {
        let mut near = Site::with_inbox(database);
        near.set("PORTAL_BASE_URL", base);
        assert!(near.run(&["check"]).status.success(), "{base}");
    }
    Figures::new()
        .with("cookies set", lines)
        .with("kinds", expected.len())
        .with("plain base URLs", refused)
}

/// SES-2, I-20: whatever a browser held before, each proof gives it a value that nobody has seen.
async fn p_36_a_planted_session_becomes_a_real_one(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (_, address) = owner_with_two_step(&site, &portal, &mut chance, "val").await;
    let (mut attacker, attackers) = owner(&site, &portal, &mut chance, "attacker").await;
    // What an attacker can plant: what is made up, and what is genuine but their own.
    log_in(&mut attacker, &attackers, PASSWORD).await;
    let mut drafting = Person::from(&portal, &chance.network());
    let draft = chance.address("draft");
    security_details(&mut drafting, &draft).await;
    let own = |person: &Person, name: &str| person.cookie(name).unwrap_or_default().to_owned();
    let made_up = "A".repeat(43);
    let planted = [
        [
            ("session", made_up.clone()),
            ("draft", made_up.clone()),
            ("verify", made_up.clone()),
        ],
        [
            ("session", own(&attacker, "session")),
            ("draft", own(&drafting, "draft")),
            ("verify", own(&attacker, "session")),
        ],
    ];
    let mut given = BTreeSet::new();
    let mut mails = 3;
    for (n, cookies) in planted.iter().enumerate() {
        site.clock().advance(MINUTE);
        let mut val = Person::from(&portal, &chance.network());
        // In the attacker's own session there would be no login page: that one comes while the page is open.
        let is_early = |name: &str| name != "session" || n == 0;
        for (name, value) in cookies.iter().filter(|(name, _)| is_early(name)) {
            val.plant(name, value);
        }
        let login = val.open("/account/login").await;
        for (name, value) in cookies.iter().filter(|(name, _)| !is_early(name)) {
            val.plant(name, value);
        }
        let filled = |page: &Page| {
            let form = page.button("Login").with("email", &address);
            form.with("password", PASSWORD)
        };
        let mut answer = val.post(&filled(&login)).await;
        if n == 1 {
            // The form was of another session: it has no effect, and V sends the one that comes back (R13).
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            answer = val.post(&filled(&answer)).await;
        }
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.main());
        let half = own(&val, "verify");
        assert!(
            !cookies.iter().any(|(_, value)| *value == half),
            "a new value for the half-done login"
        );
        assert!(given.insert(half.clone()));
        assert!(
            !set_cookies(&answer)
                .iter()
                .any(|(name, value)| name == "session" && !value.is_empty()),
            "OTP-8"
        );
        mails += 1;
        let code = code_in(&site.mail_to(&address, mails).await);
        let ask = val.follow(answer).await;
        let home = val.send(&ask.button("Verify").with("code", &code)).await;
        assert_eq!(home.path, "/home");
        let session = own(&val, "session");
        assert!(!cookies.iter().any(|(_, value)| *value == session) && given.insert(session.clone()));
        assert!(val.open("/account").await.main().contains(&address));

        // Confirming renews it once more, and the value before is worth nothing at once.
        let page = val.open("/account/confirm-password").await;
        let sent = val
            .send(&page.button("Continue").with("password", PASSWORD))
            .await;
        let page = if sent.names_of_fields().iter().any(|name| name == "code") {
            mails += 1;
            let code = code_in(&site.mail_to(&address, mails).await);
            val.send(&sent.button("Continue").with("code", &code)).await
        } else {
            sent
        };
        assert_eq!(page.path, "/home", "{:?}", page.errors());
        assert!(given.insert(own(&val, "session")), "a new session");
        for (name, value) in cookies
            .iter()
            .cloned()
            .chain([("session", session), ("verify", half)])
        {
            let mut thief = Person::from(&portal, &chance.network());
            thief.plant(name, &value);
            assert_eq!(thief.open("/home").await.h1(), "Login", "{name} is worthless");
        }
    }
    // V's login took the place of the session that V's browser held; the attacker logs in anew, as the attacker.
    assert_eq!(attacker.open("/account").await.h1(), "Login");
    log_in(&mut attacker, &attackers, PASSWORD).await;
    assert!(attacker.open("/account").await.main().contains(&attackers));
    Figures::new()
        .with("ways planted", planted.len())
        .with("values given", given.len())
}

/// SES-4, SES-8, I-18: a copy of the cookie is worth nothing once its session is over.
async fn p_37_a_stolen_session_outlives_its_end(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut val, address) = owner(&site, &portal, &mut chance, "val").await;
    let mut ends = 0;
    for end in ["logout", "idle", "end others", "end one", "eleventh login"] {
        // HASH-2
        site.clock().advance(MINUTE * 10);
        let mut elsewhere = Person::from(&portal, &chance.network());
        let home = log_in(&mut elsewhere, &address, PASSWORD).await;
        let mut thief = Person::from(&portal, &chance.network());
        thief.plant("session", elsewhere.cookie("session").unwrap());
        assert_eq!(thief.open("/home").await.path, "/home", "the theft itself works");
        val = Person::from(&portal, &chance.network());
        match end {
            "logout" => {
                let answer = elsewhere.post(&home.button("Logout")).await;
                assert!(set_cookies(&answer).contains(&("session".to_owned(), String::new())));
                // A second logout is harmless.
                elsewhere.plant("session", thief.cookie("session").unwrap());
                assert!(
                    elsewhere
                        .post(&home.button("Logout"))
                        .await
                        .status
                        .is_redirection()
                );
            }
            "idle" => site.clock().advance(MINUTE * 30),
            "end others" => {
                log_in(&mut val, &address, PASSWORD).await;
                let page = val.open("/account/sessions").await;
                val.send(&page.button("Log out everywhere else")).await;
            }
            "end one" => {
                log_in(&mut val, &address, PASSWORD).await;
                loop {
                    let page = val.open("/account/sessions").await;
                    if !page.texts_of("button").contains(&"Log out".to_owned()) {
                        break;
                    }
                    val.send(&page.button("Log out")).await;
                }
            }
            _ => {
                for _ in 0..10 {
                    site.clock().advance(SECOND);
                    log_in(&mut Person::from(&portal, &chance.network()), &address, PASSWORD).await;
                }
            }
        }
        for path in [
            "/home",
            "/account",
            "/account/sessions",
            "/areas/send-ehat",
            "/account/your-data",
        ] {
            let mut again = thief.clone();
            let page = again.open(path).await;
            assert!(
                page.path.starts_with("/account/login") || page.path.starts_with("/account/timed-out"),
                "{end}: {}",
                page.path
            );
        }
        let asked = thief.ask(Method::GET, "/account/session", &[]).await;
        assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "{end}");
        ends += 1;
    }
    let login = val.open("/account/login").await;
    if login.path.starts_with("/account/login") {
        assert_eq!(
            log_in_on(&mut val, &login, &address, PASSWORD).await.path,
            "/home",
            "the owner comes in"
        );
    }
    Figures::new().with("ends", ends).with("pages each", 6)
}

/// SES-3, I-18, I-19: 30 minutes without activity, 12 hours whatever happens, to the second.
async fn p_39_a_session_lives_longer_than_it_may(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, &mut chance, "idle").await;
    log_in(&mut jo, &address, PASSWORD).await;
    site.clock().advance(MINUTE * 30 - SECOND);
    assert_eq!(jo.open("/home").await.path, "/home", "29:59");
    site.clock().advance(MINUTE * 30);
    let over = jo.open("/home").await;
    assert_eq!(over.path.split('?').next(), Some("/account/timed-out"), "30:00");
    assert!(
        over.main()
            .contains("We logged you out after 30 minutes without activity."),
        "{}",
        over.main()
    );

    // Looking how much time is left is no activity.
    let mut polling = Person::from(&portal, &chance.network());
    log_in(&mut polling, &address, PASSWORD).await;
    for _ in 0..29 {
        site.clock().advance(MINUTE);
        let asked = polling.ask(Method::GET, "/account/session", &[]).await;
        assert_eq!(asked.status, StatusCode::OK);
    }
    site.clock().advance(MINUTE);
    assert_eq!(
        polling.open("/home").await.path.split('?').next(),
        Some("/account/timed-out")
    );

    let mut busy = Person::from(&portal, &chance.network());
    let page = log_in(&mut busy, &address, PASSWORD).await;
    assert_eq!(page.path, "/home");
    let mut steps = 0;
    for _ in 0..35 {
        site.clock().advance(MINUTE * 20);
        assert_eq!(busy.open("/home").await.path, "/home", "step {steps}");
        steps += 1;
    }
    site.clock().advance(MINUTE * 20 - SECOND);
    assert_eq!(busy.open("/home").await.path, "/home", "11:59:59");
    site.clock().advance(SECOND);
    let over = busy.open("/account/activity").await;
    assert_eq!(
        over.path.split('?').next(),
        Some("/account/timed-out"),
        "12:00:00"
    );
    let back = log_in_on(&mut busy, &over, &address, PASSWORD).await;
    assert_eq!(back.path, "/account/activity", "and back to where they were");
    Figures::new().with("steps of 20 minutes", steps + 1)
}
