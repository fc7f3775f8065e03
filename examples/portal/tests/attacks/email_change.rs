//! Another address for an account: asked for by a thief, for somebody else's mailbox, or twice at the same moment.

use std::time::Duration;

use axum::http::StatusCode;

use crate::chance::Chance;
use crate::crowd::all_at_once;
use crate::ledger;
use crate::people::owner;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{answer_reset, ask_for_reset, choose_password, log_in, register};
use crate::rig::page::Form;
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site};
use crate::settled::mails_are_out;
use crate::uniform::{Seen, assert_uniform};

attack_cases! {
    p_49_an_address_is_changed_by_somebody_who_may_not
    p_52_two_changes_at_once_bring_somebody_elses_address
}

const MINUTE: Duration = Duration::from_secs(60);
const PAGE: &str = "/account/change-email-address";
const ROUNDS: usize = 300;

fn asking(page: &Page, address: &str, password: &str) -> Form {
    page.button("Save")
        .with("email", address)
        .with("email2", address)
        .with("password", password)
}

async fn ask_for(person: &mut Person, address: &str, password: &str) -> Page {
    let page = person.open(PAGE).await;
    person.send(&asking(&page, address, password)).await
}

/// CHG-2, CHG-3, STP-3, ASVS 7.5.1: a fresh proof, the password, and a link that only its own account can use.
async fn p_49_an_address_is_changed_by_somebody_who_may_not(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, old) = owner(&site, &portal, &mut chance, "jo").await;
    let (mut eve, eves) = owner(&site, &portal, &mut chance, "eve").await;
    let (_, taken) = owner(&site, &portal, &mut chance, "own").await;
    log_in(&mut jo, &old, PASSWORD).await;
    let new = chance.address("new");

    // A thief at the browser: no fresh proof, then no password.
    site.clock().advance(MINUTE * 5 + Duration::from_secs(1));
    let asked = ask_for(&mut jo, &new, PASSWORD).await;
    assert_eq!(asked.h1(), "Confirm it is you");
    let wrong = jo
        .send(&asked.button("Continue").with("password", "Not-My-Password-42"))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    jo.send(&asked.button("Continue").with("password", PASSWORD))
        .await;
    for guess in ["Not-My-Password-42", ""] {
        let wrong = ask_for(&mut jo, &new, guess).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{guess:?}");
    }
    mails_are_out(&site).await;
    assert_eq!(
        (site.mails_to(&new), site.mails_to(&old)),
        (0, 2),
        "nothing was asked for"
    );

    // Somebody's address looks like nobody's; only its owner is told.
    let for_taken = ask_for(&mut jo, &taken, PASSWORD).await;
    let for_free = ask_for(&mut jo, &new, PASSWORD).await;
    assert_uniform(
        "asking for an address",
        &[
            ("a free one", Seen::of(&for_free, &[new.as_str()])),
            ("a taken one", Seen::of(&for_taken, &[taken.as_str()])),
        ],
    );
    assert_eq!(
        site.mail_to(&taken, 3).await.subject,
        "Your address was entered for another account"
    );
    let to_old = site.smtp().wait_for_mail_to(&old, 3).await;
    assert_eq!(
        test_rig::parse_mail(&to_old[2].raw).subject,
        "Your email address is being changed"
    );
    let link = link_in(&site.mail_to(&new, 1).await);

    // Somebody else is logged in where it is opened; or nobody, who has no password.
    log_in(&mut eve, &eves, PASSWORD).await;
    let refused = eve.open(&link).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        !refused.body.contains(&new),
        "nothing of the other account is shown"
    );
    let mut scanner = Person::from(&portal, &chance.network());
    let shown = scanner.open(&link).await;
    let mut late = scanner.clone();
    late.plant("session", eve.cookie("session").unwrap());
    let sent = late
        .send(&shown.button("Confirm").with("password", PASSWORD))
        .await;
    assert_eq!(
        sent.status,
        StatusCode::FORBIDDEN,
        "not even from a form that was opened before"
    );
    for guess in ["", "Not-My-Password-42"] {
        let wrong = scanner
            .send(&shown.button("Confirm").with("password", guess))
            .await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let mut stranger = Person::from(&portal, &chance.network());
    assert_eq!(
        log_in(&mut stranger, &old, PASSWORD).await.path,
        "/home",
        "the old address works until then"
    );
    assert_eq!(ledger::number(&site, HOLDERS, &[&new]).await, 0);

    // The honest twin.
    let page = jo.open(&link).await;
    let done = jo.send(&page.button("Confirm")).await;
    assert!(done.main().contains(&new), "{:?}", done.errors());
    assert_eq!(
        log_in(&mut Person::from(&portal, &chance.network()), &new, PASSWORD)
            .await
            .path,
        "/home"
    );
    Figures::new().with("refused", 9).with("changed", 1)
}

const HOLDERS: &str = "SELECT COUNT(*) FROM portal_accounts WHERE email = $1";

/// TOK-3, CHG-2, I-10, CVE-2026-32700: an account comes to an address only by a link that was mailed to it.
async fn p_52_two_changes_at_once_bring_somebody_elses_address(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (_, mut own) = owner(&site, &portal, &mut chance, "attacker").await;
    let (mut used, mut moved, mut over) = (0, 0, 0);
    for round in 0..ROUNDS {
        // HASH-2, MAIL-5: what an account and a mailbox may cost in an hour.
        site.clock().advance(MINUTE * 61);
        let mut attacker = Person::from(&portal, &chance.network());
        assert_eq!(
            log_in(&mut attacker, &own, PASSWORD).await.path,
            "/home",
            "round {round}"
        );
        let (second, victims) = (chance.address("second"), chance.address("victim"));
        ask_for(&mut attacker, &second, PASSWORD).await;
        // A link that was replaced before its mail went out is never mailed.
        site.smtp().wait_for_mail_to(&second, 1).await;
        site.clock().advance(MINUTE);
        let page = attacker.open(PAGE).await;
        let mut both = vec![
            attacker.posting(&asking(&page, &second, PASSWORD)),
            attacker.posting(&asking(&page, &victims, PASSWORD)),
        ];
        if round % 2 == 1 {
            both.reverse();
        }
        for answer in all_at_once(both).await {
            assert!(
                answer.status.is_redirection() || answer.status.is_client_error(),
                "{}",
                answer.status
            );
        }
        mails_are_out(&site).await;
        // Every link that came to the attacker's own mailboxes.
        for mail in site.smtp().wait_for_mail_to(&second, 1).await {
            let link = link_in(&test_rig::parse_mail(&mail.raw));
            let page = attacker.open(&link).await;
            used += 1;
            if page.status == StatusCode::OK && page.texts_of("button").contains(&"Confirm".to_owned()) {
                assert!(
                    page.main().contains(&second) && !page.body.contains(&victims),
                    "round {round}"
                );
                attacker.send(&page.button("Confirm")).await;
            } else {
                assert_eq!(page.status, StatusCode::GONE, "round {round}");
                over += 1;
            }
        }
        assert_eq!(
            ledger::number(&site, HOLDERS, &[&victims]).await,
            0,
            "round {round}: {victims} was taken"
        );
        if ledger::number(&site, HOLDERS, &[&second]).await == 1 {
            own = second;
            moved += 1;
        }
        assert_eq!(ledger::number(&site, HOLDERS, &[&own]).await, 1, "round {round}");
    }
    assert!(
        moved > 0 && over > 0,
        "moved {moved}, over {over}: both orders must come up"
    );

    // A thief's change, begun before the owner's reset.
    let (mut thief, address) = owner(&site, &portal, &mut chance, "owner").await;
    log_in(&mut thief, &address, PASSWORD).await;
    let theirs = chance.address("thief");
    ask_for(&mut thief, &theirs, PASSWORD).await;
    let stale = link_in(&site.mail_to(&theirs, 1).await);
    site.mail_to(&address, 3).await;
    site.clock().advance(MINUTE);
    let mut val = Person::from(&portal, &chance.network());
    ask_for_reset(&mut val, &address).await;
    let page = answer_reset(&mut val, &link_in(&site.mail_to(&address, 4).await)).await;
    let new = "Other-Badger-17-kettle";
    assert_eq!(choose_password(&mut val, &page, new).await.h1(), "Login");
    for mut person in [thief, val.clone(), Person::from(&portal, &chance.network())] {
        let page = person.open(&stale).await;
        assert_eq!(
            (page.status, page.h1()),
            (StatusCode::GONE, "This link no longer works".to_owned())
        );
    }
    assert_eq!(ledger::number(&site, HOLDERS, &[&theirs]).await, 0);
    // The honest twins: the owner comes in, and the thief's address is still free for whoever reads its mail.
    assert_eq!(log_in(&mut val, &address, new).await.path, "/home");
    register(&mut Person::from(&portal, &chance.network()), &theirs).await;
    Figures::new()
        .with("rounds", ROUNDS)
        .with("ways", 2)
        .with("links used", used)
        .with("moved", moved)
        .with("over", over)
}
