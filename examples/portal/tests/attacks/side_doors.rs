//! Ways around the limits of the login page: false addresses of the visitor, and other pages that test a password.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::HeaderName;

use crate::chance::Chance;
use crate::ledger;
use crate::people::{owner, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{a_question, complete, log_in, register};
use crate::rig::page::Form;
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site};

attack_cases! {
    p_18_a_visitor_claims_to_come_from_elsewhere
    p_19_the_password_is_guessed_on_other_pages
}

const FREE: u64 = 10;
const NETWORK: u64 = 100;

/// THR-5; allauth 65.14.2.
async fn p_18_a_visitor_claims_to_come_from_elsewhere(database: Database, mut chance: Chance) -> Figures {
    let mut site = Site::new(database);
    site.set("RUST_LOG", "debug");
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = chance.address("spoof");
    crate::rig::journey::account(&site, &mut jo, &address).await;
    let names = [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "cf-connecting-ip",
        "true-client-ip",
    ];
    let mut claims = Vec::new();
    let mut guess = async |address: &str, password: &str| {
        let mut guesser = Person::at(&portal);
        let page = guesser.open("/account/login").await;
        let form = page
            .button("Login")
            .with("email", address)
            .with("password", password);
        let mut request = guesser.posting(&form);
        let network = chance.network();
        for name in names {
            let value = if name == "forwarded" {
                format!("for={network}")
            } else {
                network.clone()
            };
            let name = HeaderName::from_static(name);
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        claims.push(network);
        guesser.exchange(request).await.status
    };
    // One account: the budget of its address stays what it is.
    for _ in 0..FREE {
        assert_eq!(
            guess(&address, "Wrong-Horse-42-battery").await,
            StatusCode::UNPROCESSABLE_ENTITY
        );
    }
    assert_eq!(guess(&address, PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    // Many accounts: all of it is one network.
    for n in FREE..NETWORK {
        let other = format!("other.{n}@school.example");
        assert_eq!(
            guess(&other, PASSWORD).await,
            StatusCode::UNPROCESSABLE_ENTITY,
            "try {n}"
        );
    }
    assert_eq!(
        guess("one.more@school.example", PASSWORD).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(ledger::logins_compared(&site).await, NETWORK);
    assert_eq!(
        log_in(&mut jo, &address, PASSWORD).await.path,
        "/home",
        "the owner's own browser"
    );
    site.clock().advance(Duration::from_secs(3600));
    assert_eq!(
        guess(&address, PASSWORD).await,
        StatusCode::SEE_OTHER,
        "when the hour is over"
    );
    let (_, log) = portal.stop().await;
    assert!(log.contains("127.0.0.1:"), "the log names the peer");
    for claim in &claims {
        assert!(!log.contains(claim), "{claim} is in the log");
    }

    // The honest twin: behind a proxy that is trusted, the same header does tell visitors apart.
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let one = stranger(&portal, &mut chance);
    for n in 0..NETWORK {
        log_in(
            &mut one.with_no_cookies(),
            &format!("other.{n}@school.example"),
            PASSWORD,
        )
        .await;
    }
    let closed = log_in(&mut one.with_no_cookies(), &address, PASSWORD).await;
    let open = log_in(&mut stranger(&portal, &mut chance), &address, PASSWORD).await;
    assert_eq!(closed.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(open.status, StatusCode::UNPROCESSABLE_ENTITY);
    Figures::new()
        .with("claims", claims.len())
        .with("budget of the address", FREE)
        .with("budget of the network", NETWORK)
}

/// A page that tests the password of whoever is logged in.
struct Door {
    path: &'static str,
    event: &'static str,
    fill: fn(&Page, &str) -> Form,
}

fn repeated(form: Form, name: &str, again: &str, value: &str) -> Form {
    form.with(name, value).with(again, value)
}

const DOORS: [Door; 5] = [
    Door {
        path: "/account/confirm-password?next=/account",
        event: "confirm.refused",
        fill: |page, password| page.button("Continue").with("password", password),
    },
    Door {
        path: "/account/change-password",
        event: "change_password.refused",
        fill: |page, password| {
            let form = page.button("Save").with("password", password);
            repeated(form, "new-password", "new-password2", "Other-Badger-17-kettle")
        },
    },
    Door {
        path: "/account/change-email-address",
        event: "change_email.refused",
        fill: |page, password| {
            let form = page.button("Save").with("password", password);
            repeated(form, "email", "email2", "thief@elsewhere.example")
        },
    },
    Door {
        path: "/account/change-secret-question",
        event: "change_question.refused",
        fill: |page, password| {
            let form = page.button("Save").with("password", password);
            form.with("question", &a_question(page))
                .with("answer", "Austin Seven")
        },
    },
    Door {
        path: "/account/close",
        event: "close.refused",
        fill: |page, password| page.button("Close my account").with("password", password),
    },
];

/// THR-6, ACT-2: every page that tests a password spends the budget of the login page. The portal has no other
/// interface that takes one.
async fn p_19_the_password_is_guessed_on_other_pages(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let wrong = chance.password();
    for door in &DOORS {
        let (mut jo, address) = owner(&site, &portal, &mut chance, "door").await;
        log_in(&mut jo, &address, PASSWORD).await;
        // A thief has the session's cookie, and not the browser.
        let mut thief = stranger(&portal, &mut chance);
        thief.plant("session", jo.cookie("session").unwrap());
        let page = thief.open(door.path).await;
        // Half of the budget here, half at the login page: it is one.
        for n in 0..FREE {
            let (status, told) = if n % 2 == 0 {
                let page = thief.send(&(door.fill)(&page, &wrong)).await;
                (page.status, page.errors())
            } else {
                let page = log_in(&mut stranger(&portal, &mut chance), &address, &wrong).await;
                (page.status, page.errors())
            };
            assert_eq!(
                status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{} {n}: {told:?}",
                door.path
            );
        }
        assert_eq!(
            ledger::events_about(&site, &address, door.event).await,
            FREE / 2,
            "{}",
            door.path
        );
        for password in [&wrong, PASSWORD] {
            let closed = thief.send(&(door.fill)(&page, password)).await;
            assert_eq!(closed.status, StatusCode::TOO_MANY_REQUESTS, "{}", door.path);
            let closed = log_in(&mut stranger(&portal, &mut chance), &address, password).await;
            assert_eq!(closed.status, StatusCode::TOO_MANY_REQUESTS, "{}", door.path);
        }
        assert_eq!(
            ledger::events_about(&site, &address, door.event).await,
            FREE / 2,
            "{}",
            door.path
        );
        // The honest twin: the owner's own browser opens the same door with the right password.
        let page = jo.open(door.path).await;
        let done = jo.send(&(door.fill)(&page, PASSWORD)).await;
        assert_eq!(done.status, StatusCode::OK, "{}: {:?}", door.path, done.errors());
        assert_eq!(ledger::events_about(&site, &address, door.event).await, FREE / 2);
    }
    guess_at_activations(&site, &mut chance, &portal).await;
    Figures::new()
        .with("doors", DOORS.len() + 1)
        .with("budget", FREE)
        .with("budget of an activation link", 5)
        .with("budget of the network", NETWORK)
}

/// ACT-2: five for a link, none for nothing typed, all on the network's count and none on the address's.
async fn guess_at_activations(site: &Site, chance: &mut Chance, portal: &crate::rig::program::Portal) {
    let guesser = stranger(portal, chance);
    let wrong = chance.password();
    let compared = ledger::events(site, "activate.refused").await;
    for round in 0..=NETWORK / 5 {
        let address = chance.address("link");
        let mut person = stranger(portal, chance);
        register(&mut person, &address).await;
        let link = link_in(&site.mail_to(&address, 1).await);
        let mut thief = guesser.with_no_cookies();
        if round == NETWORK / 5 {
            // The network has had its hundred; the address and its link are as they were.
            let closed = complete(&mut thief, &link, PASSWORD).await;
            assert_eq!(closed.status, StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(
                complete(&mut person, &link, PASSWORD).await.h1(),
                "Thank you for registering"
            );
            assert_eq!(
                log_in(&mut stranger(portal, chance), &address, PASSWORD)
                    .await
                    .path,
                "/home"
            );
            break;
        }
        let page = thief.open(&link).await;
        let guess = |password: &str| page.button("Complete registration").with("password", password);
        assert_eq!(thief.send(&guess("")).await.errors(), ["Password is required"]);
        for left in (0..5).rev() {
            let page = thief.send(&guess(&wrong)).await;
            let expected = if left == 0 {
                StatusCode::GONE
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            assert_eq!(page.status, expected, "{:?}", page.errors());
        }
        assert_eq!(thief.send(&guess(PASSWORD)).await.status, StatusCode::GONE);
    }
    assert_eq!(ledger::events(site, "activate.refused").await - compared, NETWORK);
}
