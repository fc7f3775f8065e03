//! Attacks on mailed links: their life, their form, machines that open them, and many who use one at once.

use std::time::Duration;

use axum::http::{HeaderName, Method, StatusCode};
use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::chance::Chance;
use crate::crowd::all_at_once;
use crate::ledger;
use crate::people::{owner, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{answer_reset, ask_for_reset, choose_password, complete, log_in, register};
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Person, Site};
use crate::uniform::{Seen, assert_uniform};

attack_cases! {
    p_03_an_activation_link_is_used_at_the_end_of_its_life_and_after_it
    p_04_a_machine_opens_every_mailed_link_before_its_owner
    p_05_two_hundred_links_are_compared_and_one_is_altered
    p_06_fifty_at_once_use_one_link
}

const ROUNDS: usize = 20;
const WAYS: usize = 50;
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Registers; the mailed link and the address it went to.
async fn registered(
    site: &Site,
    portal: &Portal,
    chance: &mut Chance,
    name: &str,
) -> (Person, String, String) {
    let address = chance.address(name);
    let mut person = stranger(portal, chance);
    register(&mut person, &address).await;
    let link = link_in(&site.mail_to(&address, 1).await);
    (person, link, address)
}

/// ACT-1, I-05: exact at the boundaries; renewed by one press for a day, and then never again.
async fn p_03_an_activation_link_is_used_at_the_end_of_its_life_and_after_it(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(registered(&site, &portal, &mut chance, "life").await);
    }
    let [first, second, third, fourth, fifth] = &mut all[..] else {
        panic!("five were made");
    };
    // Opened in time, and sent off when the link is over.
    let opened = second.0.open(&second.1).await;
    site.clock().advance(HOUR * 12 - SECOND);
    let done = complete(&mut first.0, &first.1, PASSWORD).await;
    assert_eq!(done.h1(), "Thank you for registering");

    site.clock().advance(SECOND);
    let form = opened.button("Complete registration").with("password", PASSWORD);
    assert_eq!(second.0.send(&form).await.status, StatusCode::GONE);
    assert_eq!(second.0.open(&second.1).await.status, StatusCode::GONE);
    assert_eq!(ledger::accounts(&site).await, 1);

    site.clock().advance(SECOND);
    let renewals = [(third, Duration::ZERO), (fourth, HOUR * 24 - SECOND * 2)];
    for ((person, link, address), later) in renewals {
        site.clock().advance(later);
        let over = person.open(link).await;
        assert_eq!(over.status, StatusCode::GONE);
        let sent = person.send(&over.button("Send a new link")).await;
        assert_eq!(sent.h1(), "Check your email");
        let new = link_in(&site.mail_to(address, 2).await);
        assert_eq!(person.open(link).await.status, StatusCode::GONE, "the old one");
        assert_eq!(
            complete(person, &new, PASSWORD).await.h1(),
            "Thank you for registering"
        );
    }

    // A day past its end nothing is kept of it, and its person registers again.
    site.clock().advance(SECOND);
    let (person, link, _) = fifth;
    let over = person.open(link).await;
    assert!(
        over.status.is_client_error() && !over.main().contains("Send a new link"),
        "{}",
        over.main()
    );
    assert_eq!(ledger::accounts(&site).await, 3);
    let (mut person, link, _) = registered(&site, &portal, &mut chance, "life").await;
    assert_eq!(
        complete(&mut person, &link, PASSWORD).await.h1(),
        "Thank you for registering"
    );
    Figures::new().with("boundaries", 5)
}

/// TOK-5, ACT-4: mail scanners open links, fetch what is on the page, and press its buttons.
async fn p_04_a_machine_opens_every_mailed_link_before_its_owner(
    database: Database,
    mut chance: Chance,
) -> Figures {
    const TIMES: usize = 20;
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut newcomer, activation, _) = registered(&site, &portal, &mut chance, "scan").await;
    let (mut forgetful, address) = owner(&site, &portal, &mut chance, "scan").await;
    ask_for_reset(&mut forgetful, &address).await;
    let reset = link_in(&site.mail_to(&address, 3).await);
    let (mut mover, old) = owner(&site, &portal, &mut chance, "scan").await;
    let new = chance.address("moved");
    log_in(&mut mover, &old, PASSWORD).await;
    let page = mover.open("/account/change-email-address").await;
    let form = page.button("Save").with("email", &new).with("email2", &new);
    mover.send(&form.with("password", PASSWORD)).await;
    let change = link_in(&site.mail_to(&new, 1).await);

    let before = ledger::state(&site).await;
    let prefetch: [&[(HeaderName, &str)]; 4] = [
        &[],
        &[(HeaderName::from_static("purpose"), "prefetch")],
        &[(HeaderName::from_static("sec-purpose"), "prefetch;prerender")],
        &[(HeaderName::from_static("x-moz"), "prefetch")],
    ];
    let mut requests = 0;
    for link in [&activation, &reset, &change] {
        for n in 0..TIMES {
            let mut machine = stranger(&portal, &mut chance);
            let first = machine.ask(Method::HEAD, link, prefetch[n % 4]).await;
            machine.follow(first).await;
            let first = machine.ask(Method::GET, link, prefetch[n % 4]).await;
            let page = machine.follow(first).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.main());
            let scripts = page.attributes_of("script[src]", "src");
            assert!(!scripts.is_empty(), "no script on {}", page.path);
            let styles = page.attributes_of("link[href^='/']", "href");
            requests += 4 + scripts.len() + styles.len();
            for resource in scripts.into_iter().chain(styles) {
                let fetched = machine.ask(Method::GET, &resource, &[]).await;
                assert_eq!(fetched.status, StatusCode::OK, "{resource}");
            }
            assert!(machine.cookie("session").is_none(), "ACT-4");
            if n % 4 == 0 {
                // The button pressed with nothing typed.
                let form = page
                    .forms()
                    .into_iter()
                    .find(|form| form.action == page.path)
                    .unwrap();
                let bare = machine.send(&form).await;
                assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", bare.main());
                assert!(machine.cookie("session").is_none());
            }
        }
    }
    assert_eq!(ledger::state(&site).await, before);

    // The honest twins: each link still does what it was mailed for.
    let done = complete(&mut newcomer, &activation, PASSWORD).await;
    assert_eq!(done.h1(), "Thank you for registering");
    let page = answer_reset(&mut forgetful, &reset).await;
    let done = choose_password(&mut forgetful, &page, &chance.password()).await;
    assert_eq!(done.h1(), "Login");
    let page = mover.open(&change).await;
    mover.send(&page.button("Confirm")).await;
    assert_eq!(ledger::events(&site, "change_email.done").await, 1);
    assert_eq!(
        log_in(&mut stranger(&portal, &mut chance), &new, PASSWORD)
            .await
            .path,
        "/home"
    );
    Figures::new()
        .with("links", 3)
        .with("requests", requests)
        .with("changes", 0)
}

/// TOK-1, TOK-3, TOK-5; CVE-2019-16109.
async fn p_05_two_hundred_links_are_compared_and_one_is_altered(
    database: Database,
    mut chance: Chance,
) -> Figures {
    const LINKS: usize = 200;
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let mut tokens = Vec::new();
    for _ in 0..LINKS {
        let (_, link, _) = registered(&site, &portal, &mut chance, "many").await;
        let (path, token) = link.split_once("?t=").unwrap();
        assert_eq!(path, "/account/complete-registration");
        assert_eq!(token.len(), 43, "TOK-1");
        tokens.push(Base64UrlUnpadded::decode_vec(token).expect("strict base64url"));
        // Time goes on between them, so that a clock in them would show.
        site.clock().advance(SECOND);
    }
    // Every bit is one in about half of them: no number, no time and no name stands there.
    let mut widest = 0;
    for bit in 0..256 {
        let ones = tokens.iter().filter(|t| t[bit / 8] >> (bit % 8) & 1 == 1).count();
        widest = widest.max(ones.abs_diff(LINKS / 2));
    }
    // Six standard deviations.
    assert!(widest < 43, "a bit is {widest} off its half");
    for part in [0..16, 16..32, 0..8, 24..32] {
        let mut parts: Vec<_> = tokens.iter().map(|t| &t[part.clone()]).collect();
        parts.sort_unstable();
        parts.dedup();
        assert_eq!(parts.len(), LINKS, "two links share {part:?}");
    }

    let (mut person, link, _) = registered(&site, &portal, &mut chance, "many").await;
    let (_, token) = link.split_once("?t=").unwrap();
    let other = link_in_words(&tokens[0]);
    let mut altered = vec![
        token.to_uppercase(),
        token.to_lowercase(),
        token[..42].to_owned(),
        token[1..].to_owned(),
        format!("{token}="),
        format!("{token}%3D"),
        format!("{token}A"),
        format!("%20{token}"),
        format!("{}{}", &token[..22], &other[22..]),
        format!("{token}%00"),
        "A".repeat(43),
        String::new(),
    ];
    for place in 0..42 {
        let old = token.as_bytes()[place] as char;
        let new = match old {
            'z' => 'a',
            'Z' => 'A',
            '9' => '0',
            '-' => '_',
            '_' => '-',
            _ => (old as u8 + 1) as char,
        };
        altered.push(format!("{}{new}{}", &token[..place], &token[place + 1..]));
    }
    let before = ledger::state(&site).await;
    let mut seen = Vec::new();
    for bent in &altered {
        let page = stranger(&portal, &mut chance)
            .open(&link.replace(token, bent))
            .await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{bent}");
        assert_eq!(page.h1(), "Check that the whole link was copied");
        seen.push((bent.as_str(), Seen::of_body(&page)));
    }
    let absent = stranger(&portal, &mut chance)
        .open("/account/complete-registration")
        .await;
    seen.push(("no token", Seen::of_body(&absent)));
    assert_uniform("a link that is not ours", &seen);
    // A link of one kind opens no other door (I-12).
    for path in [
        "reset-password",
        "confirm-email-address",
        "restore",
        "freeze",
        "not-me",
    ] {
        let page = stranger(&portal, &mut chance)
            .open(&format!("/account/{path}?t={token}"))
            .await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(ledger::state(&site).await, before);
    assert_eq!(
        complete(&mut person, &link, PASSWORD).await.h1(),
        "Thank you for registering"
    );
    Figures::new()
        .with("links", LINKS)
        .with("widest bit", format!("{widest} of 43 off"))
        .with("altered", altered.len() + 1)
}

fn link_in_words(token: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(token)
}

/// TOK-4, I-11: a link acts once, and what it did is what its winner asked for.
async fn p_06_fifty_at_once_use_one_link(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    for round in 1..=ROUNDS {
        let address = chance.address("race");
        let mut person = stranger(&portal, &mut chance);
        register(&mut person, &address).await;
        let page = person.open(&link_in(&site.mail_to(&address, 1).await)).await;
        let form = page.button("Complete registration").with("password", PASSWORD);
        let answers = all_at_once((0..WAYS).map(|_| person.posting(&form))).await;
        assert_eq!(ledger::accounts(&site).await, round as u64);
        assert_eq!(ledger::events(&site, "activate.done").await, round as u64);
        let winners = answers.iter().filter(|a| a.status == StatusCode::SEE_OTHER);
        assert_eq!(winners.count(), 1, "in round {round}");
        site.mail_to(&address, 2).await;
    }

    let (mut person, address) = owner(&site, &portal, &mut chance, "race").await;
    let mut others_let_in = 0;
    for round in 1..=ROUNDS {
        site.clock().advance(Duration::from_secs(6 * 3600));
        let sent = site.mails_to(&address);
        ask_for_reset(&mut person, &address).await;
        let link = link_in(&site.mail_to(&address, sent + 1).await);
        let page = answer_reset(&mut person, &link).await;
        let passwords: Vec<_> = (0..WAYS).map(|_| chance.password()).collect();
        let requests = passwords.iter().map(|password| {
            let form = page.button("Save").with("new-password", password);
            person.posting(&form.with("new-password2", password))
        });
        let answers = all_at_once(requests).await;
        assert_eq!(ledger::events(&site, "reset.done").await, round as u64);
        let won: Vec<_> = (0..WAYS)
            .filter(|n| answers[*n].status == StatusCode::SEE_OTHER)
            .collect();
        assert_eq!(won.len(), 1, "in round {round}");
        site.mail_to(&address, sent + 2).await;
        let mut elsewhere = stranger(&portal, &mut chance);
        for other in [won[0] + 1, won[0] + WAYS - 1] {
            let refused = log_in(&mut elsewhere, &address, &passwords[other % WAYS]).await;
            others_let_in += usize::from(refused.status != StatusCode::UNPROCESSABLE_ENTITY);
        }
        assert_eq!(
            log_in(&mut elsewhere, &address, &passwords[won[0]]).await.path,
            "/home"
        );
    }
    assert_eq!(others_let_in, 0);
    Figures::new()
        .with("rounds", 2 * ROUNDS)
        .with("ways", WAYS)
        .with("successes a round", 1)
}
