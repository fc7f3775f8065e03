//! Attempts to learn whether an address has an account: answers that must not be told apart.

use std::time::Duration;

use axum::http::StatusCode;
use test_rig::parse_mail;

use crate::chance::Chance;
use crate::people::{owner, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{
    about_you, ask_for_reset, complete, log_in, register, security_details, work_details,
};
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site};
use crate::settled::mails_are_out;
use crate::uniform::{Seen, assert_uniform};

attack_cases! {
    p_20_the_login_page_is_asked_about_addresses
    p_21_the_registration_is_asked_about_addresses
    p_22_forgotten_passwords_and_resends_are_asked_about_addresses
}

/// Every state that an address can be in, of one length.
struct Addresses {
    unknown: String,
    known: String,
    pending: String,
    disabled: String,
    closed: String,
    owner: Person,
}

impl Addresses {
    async fn new(site: &Site, portal: &Portal, chance: &mut Chance) -> Self {
        let (jo, known) = owner(site, portal, chance, "known").await;
        let (_, disabled) = owner(site, portal, chance, "disab").await;
        assert!(site.run(&["accounts", "disable", &disabled]).status.success());
        let (mut leaving, closed) = owner(site, portal, chance, "close").await;
        log_in(&mut leaving, &closed, PASSWORD).await;
        let page = leaving.open("/account/close").await;
        let form = page.button("Close my account").with("password", PASSWORD);
        assert_eq!(leaving.send(&form).await.h1(), "Login");
        let pending = chance.address("waits");
        register(&mut stranger(portal, chance), &pending).await;
        site.clock().advance(Duration::from_secs(3600));
        Self {
            unknown: chance.address("noone"),
            known,
            pending,
            disabled,
            closed,
            owner: jo,
        }
    }

    fn all(&self) -> [(&'static str, &str); 5] {
        [
            ("an unknown address", &self.unknown),
            ("an account", &self.known),
            ("a registration that waits", &self.pending),
            ("a disabled account", &self.disabled),
            ("a closed account", &self.closed),
        ]
    }
}

/// What somebody whom nobody has seen before is answered who tries this password.
async fn login(portal: &Portal, chance: &mut Chance, address: &str, password: &str) -> Seen {
    let mut guesser = stranger(portal, chance);
    let page = log_in(&mut guesser, address, password).await;
    assert!(guesser.cookie("session").is_none(), "{address} was let in");
    Seen::of(&page, &[address])
}

/// ENU-1, ENU-2, I-36: also with the right password, where the account may not be used.
async fn p_20_the_login_page_is_asked_about_addresses(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let mut addresses = Addresses::new(&site, &portal, &mut chance).await;
    let (known, unknown) = (addresses.known.clone(), addresses.unknown.clone());
    let wrong = chance.password();

    let mut seen = Vec::new();
    for (whose, address) in addresses.all() {
        let password = if address == known {
            wrong.as_str()
        } else {
            PASSWORD
        };
        seen.push((whose, login(&portal, &mut chance, address, password).await));
    }
    assert_uniform("the login page", &seen);

    let mut seen = Vec::new();
    for (whose, address, tries, password) in [
        ("a locked account", &known, 9, wrong.as_str()),
        ("a locked account with the right password", &known, 0, PASSWORD),
        ("an unknown address with as many tries", &unknown, 9, PASSWORD),
    ] {
        for _ in 0..tries {
            login(&portal, &mut chance, address, &wrong).await;
        }
        seen.push((whose, login(&portal, &mut chance, address, password).await));
    }
    assert_uniform("the closed login page", &seen);
    let page = log_in(&mut addresses.owner, &known, PASSWORD).await;
    assert_eq!((page.status, page.path.as_str()), (StatusCode::OK, "/home"));
    Figures::new().with("kinds of address", 6).with("differences", 0)
}

/// ENU-1, ENU-4: every answer on the way, with its redirects and cookies.
async fn p_21_the_registration_is_asked_about_addresses(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let addresses = Addresses::new(&site, &portal, &mut chance).await;
    let mut steps: [Vec<(&str, Seen)>; 5] = Default::default();
    for (whose, address) in addresses.all() {
        let mut person = stranger(&portal, &mut chance);
        let about = security_details(&mut person, address).await;
        let work = about_you(&mut person, &about).await;
        let sent = work_details(&mut person, &work).await;
        assert_eq!(sent.h1(), "Check your email");
        let again = person.open("/account/register").await;
        let resent = person.send(&sent.button("Send the link again")).await;
        let names = |p: &Person| p.cookies().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(
            names(&person),
            "__Host-portal_draft __Host-portal_form",
            "{whose}"
        );
        for (step, page) in steps.iter_mut().zip([about, work, sent, again, resent]) {
            step.push((whose, Seen::of(&page, &[address])));
        }
    }
    for (n, answers) in steps.iter().enumerate() {
        assert_uniform(&format!("answer {} of a registration", n + 1), answers);
    }
    // The mail tells the owner, and nobody else is told.
    let subject = async |address: &str, count| site.mail_to(address, count).await.subject;
    assert_eq!(subject(&addresses.known, 3).await, "You already have an account");
    let mail = site.mail_to(&addresses.unknown, 1).await;
    let done = complete(&mut stranger(&portal, &mut chance), &link_in(&mail), PASSWORD).await;
    assert_eq!(done.h1(), "Thank you for registering");
    Figures::new()
        .with("kinds of address", addresses.all().len())
        .with("answers compared", steps.len())
        .with("differences", 0)
}

/// Asks for the link of a registration from a browser that did not register.
async fn ask_for_link(person: &mut Person, address: &str) -> Page {
    let page = person.open("/account/register/sent").await;
    person
        .send(&page.button("Send the link again").with("email", address))
        .await
}

/// ENU-1, RST-5; also for an address that has had all the mails of its hour.
async fn p_22_forgotten_passwords_and_resends_are_asked_about_addresses(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let addresses = Addresses::new(&site, &portal, &mut chance).await;
    let (_, exhausted) = owner(&site, &portal, &mut chance, "exhau").await;
    for _ in 0..6 {
        ask_for_reset(&mut stranger(&portal, &mut chance), &exhausted).await;
        site.clock().advance(Duration::from_secs(61));
    }
    let mails = site.mails_to(&exhausted);
    let mut all = addresses.all().to_vec();
    all.push(("an address without mails left", &exhausted));
    let (mut forgotten, mut resent) = (Vec::new(), Vec::new());
    for (whose, address) in &all {
        let page = ask_for_reset(&mut stranger(&portal, &mut chance), address).await;
        forgotten.push((*whose, Seen::of(&page, &[address])));
    }
    // MAIL-5: each address may have its next mail.
    site.clock().advance(Duration::from_secs(61));
    for (whose, address) in &all {
        let page = ask_for_link(&mut stranger(&portal, &mut chance), address).await;
        resent.push((*whose, Seen::of(&page, &[address])));
    }
    assert_uniform("the page of forgotten passwords", &forgotten);
    assert_uniform("the page that sends a link again", &resent);
    // The mailbox alone tells; each had its mails before.
    mails_are_out(&site).await;
    for (address, before, told) in [
        (&addresses.unknown, 0, &["About your request"][..]),
        (
            &addresses.known,
            2,
            &["Reset your password", "You already have an account"],
        ),
        (
            &addresses.pending,
            1,
            &[
                "About your request",
                "Complete your registration - Professional Portal",
            ],
        ),
        (
            &addresses.disabled,
            2,
            &[
                "Your account was changed by an administrator",
                "You already have an account",
            ],
        ),
        (&addresses.closed, 3, &["Your account will be closed"]),
        (&exhausted, mails, &[]),
    ] {
        let mails = site.smtp().mails_to(address);
        let subjects: Vec<_> = mails[before..]
            .iter()
            .map(|mail| parse_mail(&mail.raw).subject)
            .collect();
        let expected = subjects.len() == told.len()
            && subjects
                .iter()
                .zip(told)
                .all(|(subject, told)| subject.starts_with(told));
        assert!(expected, "{address} was told {subjects:?}, not {told:?}");
    }
    Figures::new()
        .with("kinds of address", all.len())
        .with("pages", 2)
        .with("differences", 0)
}
