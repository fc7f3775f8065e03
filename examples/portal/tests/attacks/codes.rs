//! Attacks on the mailed code by somebody who has the password: many tries, other accounts, refills, replays, age.

use std::time::Duration;

use axum::http::StatusCode;

use crate::chance::Chance;
use crate::crowd::all_at_once;
use crate::ledger;
use crate::people::{code_mailed, half_sign_in, mail_about, owner_with_two_step, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{answer_reset, ask_for_reset, choose_password, log_in};
use crate::rig::site::{link_in, not};
use crate::rig::{Database, PASSWORD, Page, Person, Site};

attack_cases! {
    p_24_many_codes_are_tried_for_one_login
    p_25_a_code_of_ones_own_is_entered_for_another_account
    p_26_new_codes_and_new_logins_are_asked_for_to_refill_the_tries
    p_27_one_code_is_used_again_and_by_fifty_at_once
    p_28_a_code_is_used_at_the_end_of_its_life_and_after_it
}

const TRIES: u64 = 5;
const IN_A_ROW: u64 = 10;
const ROUNDS: usize = 20;
const WAYS: usize = 50;
/// Longer than a half-done sign-in lives, and enough for new mails.
const LATER: Duration = Duration::from_secs(4 * 3600);
const SECOND: Duration = Duration::from_secs(1);

async fn enter(person: &mut Person, page: &Page, code: &str) -> Page {
    person.send(&page.button("Verify").with("code", code)).await
}

/// A code that is none of the others, and not the right one.
fn wrong_codes(chance: &mut Chance, right: &str, count: usize) -> Vec<String> {
    let mut codes = Vec::new();
    while codes.len() < count {
        let code = chance.text("0123456789", 6);
        if code != right && !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// OTP-6, I-16: five tries for one half-done sign-in, one event for each, also for fifty at once.
async fn p_24_many_codes_are_tried_for_one_login(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner_with_two_step(&site, &portal, &mut chance, "codes").await;
    let mut thief = stranger(&portal, &mut chance);
    let (ask, code) = half_sign_in(&site, &mut thief, &address, PASSWORD).await;
    let cookie = thief.cookie("verify").unwrap().to_owned();
    let signed_in = ledger::events(&site, "sign_in.done").await;
    for (n, wrong) in wrong_codes(&mut chance, &code, 5).iter().enumerate() {
        let page = enter(&mut thief, &ask, wrong).await;
        let over = page.path.starts_with("/account/login");
        assert_eq!(over, n == 4, "after {} tries", n + 1);
        assert_eq!(ledger::events(&site, "code.refused").await, n as u64 + 1);
    }
    thief.plant("verify", &cookie);
    let sixth = enter(&mut thief, &ask, &code).await;
    assert!(
        sixth.path.starts_with("/account/login"),
        "the right code after five wrong ones"
    );
    assert_eq!(ledger::events(&site, "sign_in.done").await, signed_in);
    assert!(thief.cookie("session").is_none());

    let (mut most, mut let_in) = (0, 0);
    for _ in 0..ROUNDS {
        // The honest twin, in every round: the owner's right code opens the door, and the count is back at zero.
        site.clock().advance(LATER);
        let (ask, code) = half_sign_in(&site, &mut jo, &address, PASSWORD).await;
        let home = enter(&mut jo, &ask, &code).await;
        assert_eq!(home.path, "/home");
        jo.send(&home.button("Logout")).await;

        let (ask, code) = half_sign_in(&site, &mut thief, &address, PASSWORD).await;
        let mut codes = wrong_codes(&mut chance, &code, WAYS - 1);
        let lucky = chance.below(WAYS);
        codes.insert(lucky, code);
        let before = ledger::events(&site, "code.refused").await;
        let answers = all_at_once(codes.iter().map(|code| {
            let form = ask.button("Verify").with("code", code);
            thief.moved_to(&chance.network()).posting(&form)
        }));
        let answers = answers.await;
        let refused = ledger::events(&site, "code.refused").await - before;
        let inside = answers[lucky]
            .headers
            .get("location")
            .is_some_and(|to| to == "/home");
        assert!(refused <= TRIES, "{refused} were compared");
        assert!(inside || refused == TRIES, "only {refused} were compared");
        let told = answers
            .iter()
            .filter(|a| a.status == StatusCode::UNPROCESSABLE_ENTITY);
        assert!(told.count() as u64 <= refused, "a verdict that nobody counted");
        most = most.max(refused);
        let_in += u64::from(inside);
    }
    // Five of fifty are compared, so one round in ten may be lucky; more than half are so once in a million runs.
    assert!(
        let_in <= ROUNDS as u64 / 2,
        "the right code wins too often: {let_in}"
    );
    Figures::new()
        .with("rounds", ROUNDS)
        .with("ways", WAYS)
        .with("budget", TRIES)
        .with("most wrong ones compared", most)
        .with("right ones inside the budget", let_in)
}

/// OTP-5, I-14: the account comes from the half-done sign-in, never from the request.
async fn p_25_a_code_of_ones_own_is_entered_for_another_account(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (_, victim) = owner_with_two_step(&site, &portal, &mut chance, "victim").await;
    let (mut own, attacker) = owner_with_two_step(&site, &portal, &mut chance, "attack").await;
    let mut half = stranger(&portal, &mut chance);
    let (ask, victims_code) = half_sign_in(&site, &mut half, &victim, PASSWORD).await;
    let (own_ask, own_code) = half_sign_in(&site, &mut own, &attacker, PASSWORD).await;
    assert_ne!(own_code, victims_code, "one in a million: run it again");

    let refused = enter(&mut half, &ask, &own_code).await;
    assert_eq!(refused.errors(), ["That code is not correct. 4 tries left."]);
    let form = ask.button("Verify").with("code", &own_code);
    let forgeries = ["account", "account_id", "email", "username", "challenge"];
    for field in forgeries {
        let forged = half.post(&form.clone().forged(field, &attacker)).await;
        assert_eq!(forged.status, StatusCode::BAD_REQUEST, "{field}");
    }
    // One try, charged to the victim's sign-in, and none to the other.
    assert_eq!(ledger::events_about(&site, &victim, "code.refused").await, 1);
    assert_eq!(ledger::events_about(&site, &attacker, "code.refused").await, 0);
    // The victim's code is worth nothing in the other sign-in either.
    let refused = enter(&mut own, &own_ask, &victims_code).await;
    assert_eq!(refused.errors(), ["That code is not correct. 4 tries left."]);

    for (person, ask, code, address) in [
        (&mut half, &ask, &victims_code, &victim),
        (&mut own, &own_ask, &own_code, &attacker),
    ] {
        assert_eq!(enter(person, ask, code).await.path, "/home");
        assert!(person.open("/account").await.body.contains(address.as_str()));
    }
    Figures::new()
        .with("forged fields", forgeries.len())
        .with("let in", 0)
}

/// OTP-6, I-15: ten wrong ones in a row, whatever lies between them; SP 800-63B "new secret shall not reset the count".
async fn p_26_new_codes_and_new_logins_are_asked_for_to_refill_the_tries(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (_, address) = owner_with_two_step(&site, &portal, &mut chance, "refill").await;
    // Begun before all others, and its code is known to the thief from somewhere.
    let mut early = stranger(&portal, &mut chance);
    let (early_ask, early_code) = half_sign_in(&site, &mut early, &address, PASSWORD).await;
    let mut waiting = stranger(&portal, &mut chance);
    let (waiting_ask, _) = half_sign_in(&site, &mut waiting, &address, PASSWORD).await;

    let (mut compared, mut logins, mut resends) = (0, 0, 0);
    'all: loop {
        logins += 1;
        assert!(logins < 20, "the tries never end");
        let mut thief = stranger(&portal, &mut chance);
        site.clock().advance(SECOND);
        let (ask, code) = half_sign_in(&site, &mut thief, &address, PASSWORD).await;
        for n in 0..4 {
            let page = enter(&mut thief, &ask, &not(&code)).await;
            compared += 1;
            assert_eq!(ledger::events(&site, "code.refused").await, compared);
            if page
                .notice_or_none()
                .contains("Too many wrong codes. Reset your password")
            {
                break 'all;
            }
            if n == 1 {
                site.clock().advance(SECOND * 60);
                let seen = site.mails_to(&address);
                thief.send(&ask.button("Send the code again")).await;
                code_mailed(&site, &address, seen).await;
                resends += 1;
            }
        }
    }
    assert_eq!(compared, IN_A_ROW);
    // The tenth closes it: not even the right code of a sign-in that was open before is taken.
    let late = enter(&mut early, &early_ask, &early_code).await;
    assert!(late.path.starts_with("/account/login"), "{}", late.path);
    assert!(early.cookie("session").is_none());
    mail_about(&site, &address, 3, "Too many login attempts").await;
    let seen = site.mails_to(&address);
    let again = waiting.send(&waiting_ask.button("Send the code again")).await;
    let told = again.notice_or_none();
    assert!(
        told.contains("Too many wrong codes. Reset your password"),
        "{told}"
    );
    assert_eq!(site.mails_to(&address), seen, "nor is a code sent again");
    for wait in [LATER, Duration::from_secs(30 * 86_400)] {
        site.clock().advance(wait);
        let seen = site.mails_to(&address);
        let closed = log_in(&mut stranger(&portal, &mut chance), &address, PASSWORD).await;
        assert_ne!(closed.h1(), "Verification Code sent");
        assert_eq!(site.mails_to(&address), seen, "no code goes out");
    }

    // The honest twin: a reset opens it again, and the code is still asked for.
    let mut owner = stranger(&portal, &mut chance);
    let seen = site.mails_to(&address);
    ask_for_reset(&mut owner, &address).await;
    let link = link_in(&site.mail_to(&address, seen + 1).await);
    let page = answer_reset(&mut owner, &link).await;
    let new = chance.password();
    choose_password(&mut owner, &page, &new).await;
    site.mail_to(&address, seen + 2).await;
    let (ask, code) = half_sign_in(&site, &mut owner, &address, &new).await;
    assert_eq!(enter(&mut owner, &ask, &code).await.path, "/home");
    Figures::new()
        .with("budget", IN_A_ROW)
        .with("compared", compared)
        .with("logins", logins)
        .with("resends", resends)
}

/// OTP-4, I-13; CVE-2015-7225 is the class.
async fn p_27_one_code_is_used_again_and_by_fifty_at_once(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner_with_two_step(&site, &portal, &mut chance, "replay").await;
    for round in 1..=ROUNDS {
        site.clock().advance(LATER);
        let (ask, code) = half_sign_in(&site, &mut jo, &address, PASSWORD).await;
        let form = ask.button("Verify").with("code", &code);
        let done = ledger::events(&site, "sign_in.done").await;
        let everywhere = (0..WAYS).map(|_| jo.moved_to(&chance.network()).posting(&form));
        let answers = all_at_once(everywhere.collect::<Vec<_>>()).await;
        assert_eq!(
            ledger::events(&site, "sign_in.done").await - done,
            1,
            "in round {round}"
        );
        let given = |page: &&Page| {
            let mut cookies = page.headers.get_all("set-cookie").iter();
            cookies.any(|line| {
                let line = line.to_str().unwrap();
                line.starts_with("__Host-portal_session=") && !line.contains("1970")
            })
        };
        let winners: Vec<_> = answers.iter().filter(given).collect();
        assert_eq!(winners.len(), 1, "in round {round}");
        assert_eq!(
            ledger::events_about(&site, &address, "code.refused").await,
            0,
            "the rest came too late"
        );

        // Used up: in the same browser, and in another one that has its cookie.
        let mut again = stranger(&portal, &mut chance);
        again.plant("verify", jo.cookie("verify").unwrap());
        for person in [&mut jo.clone(), &mut again] {
            let page = person.send(&form).await;
            assert_ne!(page.path, "/home", "in round {round}");
            assert!(person.cookie("session").is_none());
        }
        let mut winner = jo.clone();
        winner.keep_cookies(&winners[0].headers);
        assert_eq!(winner.open("/home").await.path, "/home");
    }
    Figures::new()
        .with("rounds", ROUNDS)
        .with("ways", WAYS)
        .with("sessions a round", 1)
}

/// OTP-2: exact at the boundary, and what a resend brings.
async fn p_28_a_code_is_used_at_the_end_of_its_life_and_after_it(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner_with_two_step(&site, &portal, &mut chance, "aged").await;
    for (age, works) in [(599, true), (600, false), (601, false)] {
        site.clock().advance(LATER);
        let (ask, code) = half_sign_in(&site, &mut jo, &address, PASSWORD).await;
        site.clock().advance(SECOND * age);
        let seen = site.mails_to(&address);
        let page = enter(&mut jo, &ask, &code).await;
        if works {
            assert_eq!(page.path, "/home", "at {age} s");
            jo.send(&page.button("Logout")).await;
        } else {
            let told = page.errors();
            assert_eq!(
                told,
                ["The code has expired. We have sent a new one."],
                "at {age} s"
            );
            // It must have come before the clock moves on, or it is taken for the next one.
            code_mailed(&site, &address, seen).await;
        }
    }
    // In the first half of its life the same code comes again, and lives no longer for that; then another one.
    for (age, same) in [(60, true), (300, true), (301, false), (599, false)] {
        site.clock().advance(LATER);
        let (ask, old) = half_sign_in(&site, &mut jo, &address, PASSWORD).await;
        site.clock().advance(SECOND * age);
        let seen = site.mails_to(&address);
        let sent = jo.send(&ask.button("Send the code again")).await;
        let new = code_mailed(&site, &address, seen).await;
        assert_eq!(old == new, same, "at {age} s");
        if same {
            site.clock().advance(SECOND * (600 - age));
            let seen = site.mails_to(&address);
            let late = enter(&mut jo, &sent, &old).await;
            assert_eq!(late.errors().len(), 1, "a resend does not lengthen a life");
            code_mailed(&site, &address, seen).await;
        } else {
            let dead = enter(&mut jo, &sent, &old).await;
            assert_eq!(dead.errors(), ["That code is not correct. 4 tries left."]);
            let page = enter(&mut jo, &sent, &new).await;
            assert_eq!(page.path, "/home");
            jo.send(&page.button("Logout")).await;
        }
    }
    // Five tries in all, with a resend between them.
    site.clock().advance(LATER);
    let (ask, code) = half_sign_in(&site, &mut jo, &address, PASSWORD).await;
    for _ in 0..2 {
        enter(&mut jo, &ask, &not(&code)).await;
    }
    site.clock().advance(SECOND * 400);
    let seen = site.mails_to(&address);
    let sent = jo.send(&ask.button("Send the code again")).await;
    let new = code_mailed(&site, &address, seen).await;
    for left in [2, 1] {
        let page = enter(&mut jo, &sent, &not(&new)).await;
        let told = format!(
            "That code is not correct. {left} {} left.",
            if left == 1 { "try" } else { "tries" }
        );
        assert_eq!(page.errors(), [told]);
    }
    assert!(
        enter(&mut jo, &sent, &not(&new))
            .await
            .path
            .starts_with("/account/login")
    );
    Figures::new().with("ages", 7).with("tries in all", TRIES)
}
