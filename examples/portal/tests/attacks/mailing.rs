//! Mail as a tool: headers and recipients smuggled in, and somebody's mailbox filled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::StatusCode;

use crate::chance::Chance;
use crate::people::owner;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{
    Registrant, answer_reset, ask_for_reset, choose_password, complete, log_in, register,
};
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site};
use crate::settled::mails_are_out;
use crate::uniform::{Seen, assert_uniform};

attack_cases! {
    p_43_a_header_or_a_recipient_is_smuggled_into_a_mail
    p_44_somebodys_mailbox_is_filled
}

const MINUTE: Duration = Duration::from_secs(60);
/// A second longer than the pause between two mails to an address.
const SLOT: Duration = Duration::from_secs(61);

/// Texts that some mail program has read as more than one address, or as a header.
fn poisoned(address: &str) -> Vec<String> {
    let (local, domain) = address.split_once('@').unwrap();
    let evil = "evil@evil.example";
    vec![
        format!("{address}\r\nBcc: {evil}"),
        format!("{address}\nBcc: {evil}"),
        format!("{address}\rBcc: {evil}"),
        format!("{local}\r\nBcc: {evil}\r\n@{domain}"),
        format!("{address}%0d%0aBcc: {evil}"),
        format!("{address}>\r\nRCPT TO:<{evil}"),
        format!("{address},{evil}"),
        format!("{address};{evil}"),
        format!("{address} {evil}"),
        format!("{evil},{address}"),
        format!("Val <{address}>"),
        format!("<{address}>"),
        format!("\"{local}\"@{domain}"),
        format!("\"{evil}, {local}\"@{domain}"),
        format!("{address} (comment)"),
        format!("({evil}){address}"),
        format!("{local}@{domain}@evil.example"),
        format!("{local}%evil.example@{domain}@evil.example"),
        format!("=?utf-8?q?{local}=40{domain}?="),
        format!("=?utf-8?q?=0d=0aBcc:_evil?=@{domain}"),
        format!("{local}@[127.0.0.1]"),
        format!("{address}\0{evil}"),
        format!("{local}\u{2028}@{domain}"),
        format!("{local}\u{202e}@{domain}"),
        format!("group:{address},{evil};"),
        format!("{}@{domain}", "a".repeat(1000)),
        format!("{local}@{}.example", "a".repeat(1000)),
        format!("{local}@{}", "a.".repeat(500)),
    ]
}

/// MAIL-1, EML-1, EML-6, CVE-2022-35924: one recipient, and no header but our own.
async fn p_43_a_header_or_a_recipient_is_smuggled_into_a_mail(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let address = chance.address("val");
    let mut refused = 0;
    for typed in poisoned(&address) {
        for page in [
            "/account/forgotten-password",
            "/account/register/sent",
            "/account/register",
        ] {
            let mut somebody = Person::from(&portal, &chance.network());
            let shown = somebody.open(page).await;
            let form = shown
                .forms()
                .into_iter()
                .find(|form| form.value("email").is_some())
                .unwrap();
            let mut form = form.forced("email", &typed);
            if page == "/account/register" {
                form = filled_registration(&shown)
                    .forced("email", &typed)
                    .forced("email2", &typed);
            }
            let answer = somebody.send(&form).await;
            assert!(
                answer.status.is_client_error(),
                "{typed:?} at {page}: {}",
                answer.main()
            );
            refused += 1;
        }
    }
    mails_are_out(&site).await;
    assert_eq!(site.smtp().mails().len(), 0, "a mail was sent");

    // Names and places reach a mail once the address is proven; what is not refused must be shown as it is.
    let (mut jo, owners) = owner(&site, &portal, &mut chance, "jo").await;
    log_in(&mut jo, &owners, PASSWORD).await;
    let mut accepted = 0;
    let names = [
        "Jo\r\nBcc: evil@evil.example".to_owned(),
        "Jo\nBcc: evil@evil.example\n\n<b>Hello</b>".to_owned(),
        "=?utf-8?q?=0d=0aBcc:_evil=40evil.example?=".to_owned(),
        "=?utf-8?b?DQpCY2M6IGV2aWxAZXZpbC5leGFtcGxl?=".to_owned(),
        "Jo, evil@evil.example".to_owned(),
        "Jo; evil@evil.example".to_owned(),
        "Bcc: evil@evil.example".to_owned(),
        ".".to_owned(),
        "\u{e9}".repeat(100),
        "J".repeat(1200),
    ];
    for name in &names {
        let mut who = Registrant::new(&chance.address("named"));
        name.clone_into(&mut who.forename);
        name.clone_into(&mut who.surname);
        let mut person = Person::from(&portal, &chance.network());
        let about = who.security_details(&mut person).await;
        let work = who.about_you(&mut person, &about).await;
        if work.status.is_client_error() {
            assert_eq!(work.errors().len(), 2, "{name:?}: {:?}", work.errors());
            continue;
        }
        let sent = who.work_details(&mut person, &work).await;
        assert_eq!(sent.path, "/account/register/sent", "{:?}", sent.errors());
        let link = link_in(&site.mail_to(&who.address, 1).await);
        complete(&mut person, &link, PASSWORD).await;
        let mail = site.mail_to(&who.address, 2).await;
        // A greeting stays on its line.
        let begins: String = name.chars().take(50).collect();
        assert!(
            mail.text.contains(&begins),
            "{name:?} is greeted otherwise:\n{}",
            mail.text
        );
        accepted += 1;
    }
    assert!(
        accepted >= 5 && accepted < names.len(),
        "{accepted} names were taken"
    );
    let mails = assert_plain_mails(&site);
    Figures::new()
        .with("addresses refused", refused)
        .with("names taken as text", accepted)
        .with("mails read back", mails)
}

fn filled_registration(page: &Page) -> crate::rig::page::Form {
    let question = crate::rig::journey::a_question(page);
    page.button("Next")
        .with("new-password", PASSWORD)
        .with("new-password2", PASSWORD)
        .with("question", &question)
        .with("answer", "Morris Minor")
}

/// Every mail so far has one recipient, the headers of its kind, and lines that SMTP carries.
fn assert_plain_mails(site: &Site) -> usize {
    let mails = site.smtp().mails();
    let mut headers: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
    for mail in &mails {
        assert_eq!(mail.to.len(), 1, "{:?}", mail.to);
        let parsed = test_rig::parse_mail(&mail.raw);
        assert_eq!(
            parsed.recipients, mail.to,
            "the header says who it goes to, and nobody else"
        );
        let names = parsed
            .headers
            .iter()
            .map(|(name, _)| name.to_lowercase())
            .collect();
        headers.entry(parsed.subject.clone()).or_default().insert(names);
        let text = String::from_utf8(mail.raw.clone()).unwrap();
        for line in text.split("\r\n") {
            assert!(!line.contains(['\r', '\n']), "a bare line end: {line:?}");
            assert!(line.len() <= 998, "a line of {}", line.len());
        }
    }
    for (subject, names) in headers {
        assert_eq!(names.len(), 1, "{subject}: {names:?}");
    }
    mails.len()
}

/// MAIL-5, I-26, TOK-6: five mails an hour and ten a day at most, whoever asks, and the owner can always come in.
async fn p_44_somebodys_mailbox_is_filled(database: Database, mut chance: Chance) -> Figures {
    const ASKED: usize = 200;
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    // By all there is; and by mails alone that hold no link of the owner's own.
    let by_all = fill(&site, &portal, &mut chance, &Bother::ALL, ASKED).await;
    let without_link = fill(&site, &portal, &mut chance, &Bother::ALL[1..], ASKED / 4).await;
    Figures::new()
        .with("asked in an hour", ASKED)
        .with("mails in an hour", format!("{} of 5", by_all[0]))
        .with("mails in a day", format!("{} of 10", by_all[1]))
        .with(
            "without a link",
            format!("{} and {}", without_link[0], without_link[1]),
        )
}

/// Fills a mailbox for an hour and for the rest of a day; how many mails came in the hour and in the day.
async fn fill(
    site: &Site,
    portal: &Portal,
    chance: &mut Chance,
    kinds: &[Bother],
    asked: usize,
) -> [usize; 2] {
    let (mut val, address) = owner(site, portal, chance, "val").await;
    site.clock().advance(MINUTE * 60);
    let before = site.mails_to(&address);
    let mut early = None;
    if kinds.contains(&Bother::Reset) {
        ask_for_reset(&mut val, &address).await;
        early = Some(link_in(&site.mail_to(&address, before + 1).await));
    }
    let mut seen: BTreeMap<Bother, Vec<Seen>> = BTreeMap::new();
    for n in 0..asked {
        site.clock().advance(MINUTE * 56 / u32::try_from(asked).unwrap());
        let kind = kinds[n % kinds.len()];
        let answer = kind.act(portal, chance, &address).await;
        if kind != Bother::Guess {
            assert!(answer.status.is_success(), "{n}: {}", answer.status);
            // The hour that is told is another one each time.
            seen.entry(kind).or_default().push(timeless(&answer, &address));
        }
    }
    // Those who asked cannot see when the mails stopped, nor that the address is known.
    for (kind, answers) in &seen {
        let pairs: Vec<_> = answers.iter().map(|seen| ("one of them", seen.clone())).collect();
        assert_uniform(&format!("asking by {kind:?}"), &pairs);
    }
    if let Some(early) = early {
        let page = val.clone().open(&early).await;
        assert_eq!(page.status, StatusCode::OK, "V's own link");
    }
    own_link(site, portal, chance, &address).await;
    let in_an_hour = site.mails_to(&address) - before;
    assert!((2..=5).contains(&in_an_hour), "{in_an_hour} mails in an hour");

    for _ in 0..22 {
        for kind in kinds {
            kind.act(portal, chance, &address).await;
            site.clock().advance(SLOT);
        }
        site.clock()
            .advance(MINUTE * 60 - SLOT * u32::try_from(kinds.len()).unwrap());
    }
    let link = own_link(site, portal, chance, &address).await;
    let in_a_day = site.mails_to(&address) - before;
    assert!((6..=10).contains(&in_a_day), "{in_a_day} mails in a day");
    // The honest twin: the owner comes in, by a browser that nobody has seen.
    let mut elsewhere = Person::from(portal, &chance.network());
    let (page, new) = (answer_reset(&mut elsewhere, &link).await, chance.password());
    let done = choose_password(&mut elsewhere, &page, &new).await;
    assert_eq!(done.h1(), "Login", "{:?}", done.errors());
    let mut other = Person::from(portal, &chance.network());
    assert_eq!(log_in(&mut other, &address, &new).await.path, "/home");
    [in_an_hour, in_a_day]
}

/// The link that an owner has who asks for one when the pause after the last mail is over: it is mailed now, or one
/// that was mailed before lives on (TOK-6).
async fn own_link(site: &Site, portal: &Portal, chance: &mut Chance, address: &str) -> String {
    mails_are_out(site).await;
    site.clock().advance(SLOT);
    let mut elsewhere = Person::from(portal, &chance.network());
    ask_for_reset(&mut elsewhere, address).await;
    mails_are_out(site).await;
    let mails = site.smtp().mails_to(address);
    let mut newest_first = mails.iter().rev().map(|mail| test_rig::parse_mail(&mail.raw));
    let reset = newest_first.find(|mail| mail.subject == "Reset your password");
    let link = link_in(&reset.expect("no reset link was ever mailed"));
    let page = elsewhere.open(&link).await;
    assert_eq!(page.status, StatusCode::OK, "neither a mail nor a live link");
    link
}

/// How somebody in another network makes the portal write to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bother {
    /// The one mail of theirs with a link that lets its owner in.
    Reset,
    Registration,
    Resend,
    /// Wrong passwords, until the address is closed.
    Guess,
}

impl Bother {
    const ALL: [Self; 4] = [Self::Reset, Self::Registration, Self::Resend, Self::Guess];

    async fn act(self, portal: &Portal, chance: &mut Chance, address: &str) -> Page {
        let mut somebody = Person::from(portal, &chance.network());
        match self {
            Self::Reset => ask_for_reset(&mut somebody, address).await,
            Self::Registration => register(&mut somebody, address).await,
            Self::Resend => {
                let page = somebody.open("/account/register/sent").await;
                let form = page.button("Send the link again").with("email", address);
                somebody.send(&form).await
            }
            Self::Guess => log_in(&mut somebody, address, &chance.password()).await,
        }
    }
}

/// What can be seen of an answer, its hours masked.
fn timeless(page: &Page, address: &str) -> Seen {
    let mut page = page.clone();
    let mut masked = String::new();
    // "10:40 pm today": what stands before it, without the digits, and what stands behind it.
    for (n, part) in page.body.replace(" pm", " am").split(" am").enumerate() {
        let part = if n == 0 { part } else { behind_a_day(part) };
        masked.push_str(part.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':'));
    }
    page.body = masked;
    Seen::of(&page, &[address])
}

/// What follows " today", " on 3 May" or " on 3 May 2027".
fn behind_a_day(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix(" today") {
        return rest;
    }
    let Some(day) = text.strip_prefix(" on ") else {
        return text;
    };
    let month = day.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let rest = month.trim_start_matches(char::is_alphabetic);
    let year = rest.strip_prefix(' ').and_then(|year| year.split_at_checked(4));
    match year {
        Some((year, rest)) if year.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => rest,
    }
}
