//! Attacks on registration: somebody else's address, links, steps and fields.

use std::time::Duration;

use axum::http::StatusCode;

use crate::chance::Chance;
use crate::ledger;
use crate::people::{owner, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{
    Registrant, about_you, ask_for_reset, choose_password, complete, log_in, register, security_details,
    security_details_with, work_details,
};
use crate::rig::page::Form;
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site};
use crate::uniform::{Seen, assert_uniform};

attack_cases! {
    p_01_a_stranger_registers_the_owners_address_and_the_owner_opens_the_link
    p_02_a_stranger_and_the_owner_register_one_address
    p_07_one_identity_is_registered_in_other_spellings
    p_08_steps_are_skipped_repeated_and_sent_with_other_drafts
}

/// ACT-1, ACT-2: a link alone does not prove that whoever opens it chose the password.
async fn p_01_a_stranger_registers_the_owners_address_and_the_owner_opens_the_link(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database);
    let portal = site.open().await;
    let address = chance.address("val");
    let (mut stranger, mut owner) = (Person::at(&portal), Person::at(&portal));

    register(&mut stranger, &address).await;
    let link = link_in(&site.mail_to(&address, 1).await);
    let mut logins = 0;
    let mut stranger_stays_out = async |stranger: &mut Person| {
        let refused = log_in(stranger, &address, PASSWORD).await;
        assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
        assert!(stranger.cookie("session").is_none());
        logins += 1;
    };
    stranger_stays_out(&mut stranger).await;
    owner.open(&link).await;
    stranger_stays_out(&mut stranger).await;
    let page = complete(&mut owner, &link, &chance.password()).await;
    assert_eq!(page.h1(), "Confirm your email address");
    stranger_stays_out(&mut stranger).await;
    assert_eq!(ledger::accounts(&site).await, 0);

    // The honest twin: who registers and opens the link has an account.
    let own = chance.address("own");
    register(&mut owner, &own).await;
    let link = link_in(&site.mail_to(&own, 1).await);
    let page = complete(&mut owner, &link, PASSWORD).await;
    assert_eq!(page.h1(), "Thank you for registering");
    assert_eq!(ledger::accounts(&site).await, 1);
    Figures::new().with("logins", logins).with("let in", 0)
}

/// ACT-2, I-04: whoever has the mailbox wins, with what they typed themselves.
async fn p_02_a_stranger_and_the_owner_register_one_address(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let address = chance.address("val");
    let (mut thief, mut owner) = (stranger(&portal, &mut chance), stranger(&portal, &mut chance));
    let typed_by = |password: String, answer: &str, name: &str| Registrant {
        password,
        answer: answer.to_owned(),
        forename: name.to_owned(),
        surname: format!("{name}son"),
        role: format!("Friend of {name}"),
        organisation: format!("School of {name}"),
        ..Registrant::new(&address)
    };
    let theirs = typed_by(chance.password(), "Austin Seven", "Mallory");
    let own = typed_by(chance.password(), "Hillman Imp", "Val");

    theirs.register(&mut thief).await;
    let thiefs_link = link_in(&site.mail_to(&address, 1).await);
    site.clock().advance(Duration::from_secs(60));
    own.register(&mut owner).await;
    let owners_link = link_in(&site.mail_to(&address, 2).await);
    assert_ne!(thiefs_link, owners_link);
    // Neither link takes the other's password, and the owner's own makes the account.
    let mixed = complete(&mut owner, &owners_link, &theirs.password).await;
    assert_eq!(mixed.h1(), "Confirm your email address");
    let done = complete(&mut owner, &owners_link, &own.password).await;
    assert_eq!(done.h1(), "Thank you for registering");
    assert_eq!(ledger::accounts(&site).await, 1);

    let over = stranger(&portal, &mut chance).open(&thiefs_link).await;
    assert_eq!(over.status, StatusCode::GONE);
    assert!(
        over.main()
            .contains("This registration can no longer be completed."),
        "{}",
        over.main()
    );
    let late = complete_by_force(&mut thief, &thiefs_link, &over, &theirs.password).await;
    assert_eq!(late.status, StatusCode::GONE);
    let refused = log_in(&mut thief, &address, &theirs.password).await;
    assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
    assert_eq!(ledger::accounts(&site).await, 1);

    // What the account holds is the owner's, down to the secret answer.
    assert_eq!(log_in(&mut owner, &address, &own.password).await.path, "/home");
    let personal = owner.open("/account/personal-details").await;
    assert_eq!(personal.value_of("forename"), own.forename);
    assert_eq!(personal.value_of("surname"), own.surname);
    let work = owner.open("/account/work-details").await.main();
    assert!(
        work.contains(&own.role) && work.contains(&own.organisation),
        "{work}"
    );
    assert!(!work.contains(&theirs.forename), "{work}");
    site.clock().advance(Duration::from_secs(60));
    let mut forgetful = stranger(&portal, &mut chance);
    ask_for_reset(&mut forgetful, &address).await;
    let question = forgetful.open(&link_in(&site.mail_to(&address, 4).await)).await;
    let answer = |answer: &str| question.button("Continue").with("answer", answer);
    let refused = forgetful.post(&answer(&theirs.answer)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = forgetful.send(&answer(&own.answer)).await;
    let done = choose_password(&mut forgetful, &page, &chance.password()).await;
    assert_eq!(done.h1(), "Login", "{:?}", done.errors());
    Figures::new().with("registrations", 2).with("accounts", 1)
}

/// Sends the form that the link's page would have, though it shows none.
async fn complete_by_force(person: &mut Person, link: &str, page: &Page, password: &str) -> Page {
    person.open(link).await;
    let login = person.open("/account/login").await;
    let form = Form::to("/account/complete-registration")
        .forged("form_token", &login.value_of("form_token"))
        .forged("password", password)
        .forged("do", "complete");
    assert_eq!(page.status, StatusCode::GONE);
    person.send(&form).await
}

/// EML-3, EML-4, I-02.
async fn p_07_one_identity_is_registered_in_other_spellings(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut val, address) = owner(&site, &portal, &mut chance, "val").await;
    let local = chance.address("idn").split('@').next().unwrap().to_owned();
    let ascii = format!("{local}@xn--bcher-kva.example");
    register(
        &mut stranger(&portal, &mut chance),
        &format!("{local}@b\u{fc}cher.example"),
    )
    .await;
    let link = link_in(&site.mail_to(&ascii, 1).await);
    complete(&mut stranger(&portal, &mut chance), &link, PASSWORD).await;
    site.mail_to(&ascii, 2).await;
    assert_eq!(ledger::accounts(&site).await, 2);

    let (user, domain) = address.split_once('@').unwrap();
    let spellings = [
        address.to_uppercase(),
        format!("{}@School.Example", user.to_uppercase()),
        format!("  {address} "),
        format!("{user}@\u{ff53}chool.example"),
        ascii.clone(),
        format!("{local}@B\u{dc}CHER.example"),
    ];
    let mut told = [2, 2];
    for spelling in &spellings {
        site.clock().advance(Duration::from_secs(3600));
        let (mut one, mut other) = (stranger(&portal, &mut chance), stranger(&portal, &mut chance));
        let new = chance.address("new");
        let canonical = if spelling.contains(&local) {
            &ascii
        } else {
            &address
        };
        let known = Seen::of(&register(&mut one, spelling).await, &[spelling.trim(), canonical]);
        let fresh = Seen::of(&register(&mut other, &new).await, &[&new]);
        assert_uniform(
            "the end of a registration",
            &[("a new address", fresh), (spelling, known)],
        );
        let which = usize::from(canonical == &ascii);
        told[which] += 1;
        let mail = site.mail_to(canonical, told[which]).await;
        assert_eq!(mail.subject, "You already have an account", "for {spelling:?}");
    }
    assert_eq!(ledger::accounts(&site).await, 2);
    let dotted = format!("{user}@{domain}.");
    let refused = security_details(&mut stranger(&portal, &mut chance), &dotted).await;
    let told = refused.errors();
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        told[0].starts_with("Enter an email address in the correct format"),
        "{told:?}"
    );
    assert_eq!(log_in(&mut val, &spellings[0], PASSWORD).await.path, "/home");
    Figures::new()
        .with("spellings", spellings.len() + 1)
        .with("second accounts", 0)
}

/// REG-1, I-08; WSTG-BUSL-06.
async fn p_08_steps_are_skipped_repeated_and_sent_with_other_drafts(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let mut honest = stranger(&portal, &mut chance);
    let address = chance.address("steps");
    let about = security_details(&mut honest, &address).await;
    let second = about
        .button("Next")
        .with("title", "Dr")
        .with("forename", "Jo")
        .with("surname", "Bloggs")
        .with("gender", "undisclosed");
    let work = about_you(&mut honest, &about).await;
    let manual = work.button("Enter Address Manually").with("role", "Teacher");
    let third = honest
        .send(
            &manual
                .with("organisation", "Hill School")
                .with("postcode", "S1 2HH"),
        )
        .await
        .button("Submit Registration")
        .with("address_line1", "1 High Street")
        .with("town", "Sheffield");
    let with_token_of = |form: &Form, page: &Page| {
        let form = form.clone().without("form_token");
        form.forged("form_token", &page.value_of("form_token"))
    };

    // The second and the third step without the first, and with a draft that has only the first.
    let mut skipping = stranger(&portal, &mut chance);
    let page = skipping.open("/account/register/security-details").await;
    for form in [&second, &third] {
        let page = skipping.send(&with_token_of(form, &page)).await;
        assert_eq!(page.path, "/account/register/security-details");
    }
    let page = security_details(&mut skipping, &chance.address("steps")).await;
    let page = skipping.send(&with_token_of(&third, &page)).await;
    assert_eq!(page.path, "/account/register/about-you");
    // The same form in the hands of a browser with a draft of its own sends nothing of anybody's off.
    assert_eq!(ledger::events(&site, "register.submitted").await, 0);

    // A draft that nobody gave out.
    let mut forging = stranger(&portal, &mut chance);
    let page = forging.open("/account/register/security-details").await;
    forging.plant("draft", &"A".repeat(43));
    let page = forging.send(&with_token_of(&third, &page)).await;
    assert_eq!(page.path, "/account/register/security-details?notice=expired");

    // The second step twice is the second step once, with what was typed last.
    for forename in ["Kim", "Jo"] {
        let again = second.clone().with("forename", forename);
        assert_eq!(honest.send(&again).await.path, "/account/register/work-details");
    }
    // After two hours nothing can be sent off.
    let mut late = honest.clone();
    site.clock().advance(Duration::from_secs(2 * 3600));
    let over = late.send(&third).await;
    assert_eq!(over.path, "/account/register/security-details?notice=expired");
    assert_eq!(ledger::events(&site, "register.submitted").await, 0);
    assert_eq!(site.smtp().mails().len(), 0);

    // The honest twin: in order, and once more than needed.
    let about = security_details_with(&mut honest, &address, PASSWORD).await;
    let work = about_you(&mut honest, &about).await;
    let sent = work_details(&mut honest, &work).await;
    assert_eq!(sent.h1(), "Check your email");
    let again = honest.send(&third).await;
    assert_eq!(again.h1(), "You have already sent this registration");
    let link = link_in(&site.mail_to(&address, 1).await);
    assert_eq!(
        complete(&mut honest, &link, PASSWORD).await.h1(),
        "Thank you for registering"
    );
    assert_eq!(ledger::events(&site, "register.submitted").await, 1);
    Figures::new().with("ways off the path", 6).with("sent off", 0)
}
