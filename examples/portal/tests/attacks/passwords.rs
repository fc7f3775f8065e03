//! Passwords: taken exactly as typed, judged by the rules alone, and refused where many people would guess them.

use portal_auth::password::blocklist;

use crate::chance::Chance;
use crate::people::{owner, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{
    answer_reset, ask_for_reset, choose_password, complete, log_in, register_with, security_details_with,
};
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person, Site};

attack_cases! {
    p_11_a_password_is_typed_almost_right
    p_12_passwords_at_the_edges_of_every_rule
    p_13_passwords_that_keep_the_rules_and_are_weak
}

/// HASH-6, I-30: nothing is trimmed, cut, folded or composed.
async fn p_11_a_password_is_typed_almost_right(database: Database, mut chance: Chance) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let long = chance.text("abcdefghijkmnpqrstuvwxyz", 124) + "-A47";
    let at = |password: &str, place: usize| {
        let mut letters: Vec<char> = password.chars().collect();
        letters[place - 1] = if letters[place - 1] == 'x' { 'y' } else { 'x' };
        letters.into_iter().collect::<String>()
    };
    // 128 characters of four bytes each: bold letters and digits, and one emoji.
    let wide: String = "\u{1d400}\u{1d41a}\u{1d7cf}\u{1d7d0}\u{1f600}"
        .chars()
        .chain(std::iter::repeat_n('\u{1d41b}', 123))
        .collect();
    let composed = "Caf\u{e9}-au-lait-47".to_owned();
    let decomposed = "Cafe\u{301}-au-lait-47".to_owned();
    let cases = [
        (
            "  Two-blanks 47 outside  ".to_owned(),
            vec![
                "Two-blanks 47 outside".to_owned(),
                " Two-blanks 47 outside  ".to_owned(),
                "  Two-blanks 47 outside".to_owned(),
                "  two-blanks 47 outside  ".to_owned(),
            ],
        ),
        (
            long.clone(),
            vec![
                at(&long, 73),
                at(&long, 128),
                long[..127].to_owned(),
                long[..72].to_owned(),
            ],
        ),
        (
            wide.clone(),
            vec![at(&wide, 73), at(&wide, 128), wide.chars().take(127).collect()],
        ),
        (composed.clone(), vec![decomposed.clone()]),
        (decomposed, vec![composed]),
    ];
    let mut refused = 0;
    for (password, almost) in &cases {
        let address = chance.address("exact");
        let mut person = stranger(&portal, &mut chance);
        register_with(&mut person, &address, password).await;
        let link = link_in(&site.mail_to(&address, 1).await);
        let page = complete(&mut person, &link, &almost[0]).await;
        assert_eq!(page.h1(), "Confirm your email address", "{:?}", almost[0]);
        complete(&mut person, &link, password).await;
        for other in almost {
            let page = log_in(&mut stranger(&portal, &mut chance), &address, other).await;
            assert_eq!(
                page.errors(),
                ["Email Address or Password is not correct."],
                "{other:?}"
            );
            refused += 1;
        }
        let page = log_in(&mut stranger(&portal, &mut chance), &address, password).await;
        assert_eq!(page.path, "/home", "{password:?}");
    }
    Figures::new()
        .with("passwords", cases.len())
        .with("almost right", refused)
}

/// A character with the one class it has by PWD-1, written down by hand and not taken from a library.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    Lower,
    Upper,
    Special,
    None,
}

const CHARACTERS: [(char, Class); 20] = [
    ('7', Class::Digit),
    ('\u{663}', Class::Digit),
    ('\u{ff15}', Class::Digit),
    ('a', Class::Lower),
    ('\u{df}', Class::Lower),
    ('\u{3c9}', Class::Lower),
    ('\u{44f}', Class::Lower),
    ('Q', Class::Upper),
    ('\u{3a9}', Class::Upper),
    ('\u{42f}', Class::Upper),
    (' ', Class::Special),
    ('-', Class::Special),
    ('\u{20ac}', Class::Special),
    ('\u{1f600}', Class::Special),
    // Letters and numbers of no class: superscripts, fractions, letters without case.
    ('\u{b2}', Class::None),
    ('\u{bd}', Class::None),
    ('\u{4e2d}', Class::None),
    ('\u{5d0}', Class::None),
    ('\u{1c5}', Class::None),
    ('\u{16ee}', Class::None),
];

/// What PWD-1 has against a password, in the portal's words and order.
fn reference(password: &[(char, Class)]) -> Vec<&'static str> {
    let count = |class| password.iter().filter(|(_, c)| *c == class).count();
    let length = password.len();
    let mut broken = Vec::new();
    for (is_broken, words) in [
        (length < 10, "10 characters"),
        (count(Class::Digit) < 2, "2 numbers"),
        (count(Class::Lower) < 1, "1 lower case letter"),
        (count(Class::Upper) < 1, "1 upper case letter"),
        (count(Class::Special) < 1, "1 special character"),
        (length > 128, "128 characters"),
    ] {
        if is_broken {
            broken.push(words);
        }
    }
    broken
}

/// The rules that a page names, out of those of the reference.
fn named(page: &Page) -> Vec<&'static str> {
    let said = page.errors().join(" | ");
    let all = [
        "10 characters",
        "2 numbers",
        "1 lower case letter",
        "1 upper case letter",
        "1 special character",
    ];
    let mut found: Vec<_> = all.into_iter().filter(|words| said.contains(words)).collect();
    if said.contains("128 characters") {
        found.push("128 characters");
    }
    found
}

/// PWD-1, I-29: one verdict at registration, change and reset, with every broken rule.
async fn p_12_passwords_at_the_edges_of_every_rule(database: Database, mut chance: Chance) -> Figures {
    const DRAWN: usize = 40;
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, &mut chance, "edges").await;
    let mut passwords: Vec<Vec<(char, Class)>> = Vec::new();
    let of = |text: &str, fill: usize| {
        let classed = |c| *CHARACTERS.iter().find(|(known, _)| *known == c).unwrap();
        let mut all: Vec<_> = text.chars().map(classed).collect();
        while all.len() < fill {
            all.push(classed('\u{4e2d}'));
        }
        all
    };
    for length in [9, 10, 128, 129] {
        passwords.push(of("77aQ-", length));
    }
    // One digit, and each class missing; then scripts and kinds that are easily miscounted.
    for text in [
        "7aQ-",
        "aQ-",
        "77Q-",
        "77a-",
        "77aQ",
        "\u{663}\u{ff15}aQ-",
        "77\u{3c9}\u{3a9} ",
        "77\u{44f}\u{42f}\u{1f600}",
        "\u{b2}\u{bd}aQ-",
        "77\u{1c5}\u{1c5}-",
        "77aQ\u{20ac}",
        "77\u{df}Q-",
        "\u{16ee}\u{16ee}aQ-",
    ] {
        passwords.push(of(text, 12));
    }
    for _ in 0..DRAWN {
        let length = [9, 10, 11, 127, 128, 129][chance.below(6)];
        let letters: Vec<_> = (0..1 + chance.below(6))
            .map(|_| CHARACTERS[chance.below(20)])
            .collect();
        passwords.push(
            (0..length)
                .map(|_| letters[chance.below(letters.len())])
                .collect(),
        );
    }

    site.clock().advance(std::time::Duration::from_secs(60));
    ask_for_reset(&mut jo, &address).await;
    let link = link_in(&site.mail_to(&address, 3).await);
    let reset = answer_reset(&mut jo, &link).await;
    let mut newcomer = stranger(&portal, &mut chance);
    let (mut kept, mut broken) = (0, 0);
    for password in &passwords {
        let typed: String = password.iter().map(|(c, _)| c).collect();
        let expected = reference(password);
        let other = security_details_with(&mut newcomer, &chance.address("edges"), &typed).await;
        assert_eq!(
            named(&other),
            expected,
            "registering with {typed:?}: {:?}",
            other.errors()
        );
        newcomer = newcomer.with_no_cookies();
        // A repetition that differs keeps even a good password from being set, and hides no rule.
        let form = reset
            .button("Save")
            .with("new-password", &typed)
            .with("new-password2", PASSWORD);
        let other = jo.send(&form).await;
        assert_eq!(
            named(&other),
            expected,
            "resetting to {typed:?}: {:?}",
            other.errors()
        );
        if expected.is_empty() {
            assert_eq!(other.errors(), ["Passwords must match"]);
            kept += 1;
        } else {
            broken += 1;
        }
    }
    assert!(
        kept > 2 && broken > 10,
        "{kept} good ones and {broken} others were drawn"
    );
    let changed = change_to_each(&site, &portal, &mut chance, &passwords).await;
    assert_eq!(changed, passwords.len());
    Figures::new()
        .with("passwords", passwords.len())
        .with("good ones", kept)
        .with("pages", 3)
}

/// The same at the change of a password, in accounts enough for the budget of hashes.
async fn change_to_each(
    site: &Site,
    portal: &crate::rig::program::Portal,
    chance: &mut Chance,
    passwords: &[Vec<(char, Class)>],
) -> usize {
    let (mut kim, address) = owner(site, portal, chance, "change").await;
    log_in(&mut kim, &address, PASSWORD).await;
    let mut page = kim.open("/account/change-password").await;
    for (n, password) in passwords.iter().enumerate() {
        let typed: String = password.iter().map(|(c, _)| c).collect();
        if n % 8 == 7 {
            // The budget of hashes is used up, and the proof is too old.
            site.clock().advance(std::time::Duration::from_secs(600));
            page = kim.open("/account/change-password").await;
            if page.path.starts_with("/account/confirm-password") {
                page = kim
                    .send(&page.button("Continue").with("password", PASSWORD))
                    .await;
            }
        }
        let form = page.button("Save").with("password", PASSWORD);
        let form = form
            .with("new-password", &typed)
            .with("new-password2", "Another-Heron-58-gate");
        let other = kim.send(&form).await;
        if other.path.starts_with("/account/confirm-password") {
            // Asked for by the form itself: the page that follows is another session's.
            page = kim
                .send(&other.button("Continue").with("password", PASSWORD))
                .await;
            let form = page.button("Save").with("password", PASSWORD);
            let form = form
                .with("new-password", &typed)
                .with("new-password2", "Another-Heron-58-gate");
            let other = kim.send(&form).await;
            assert_eq!(named(&other), reference(password), "changing to {typed:?}");
            continue;
        }
        assert_eq!(
            named(&other),
            reference(password),
            "changing to {typed:?}: {} at {}: {:?}",
            other.status,
            other.path,
            other.errors()
        );
    }
    passwords.len()
}

/// PWD-2, PWD-3.
async fn p_13_passwords_that_keep_the_rules_and_are_weak(database: Database, mut chance: Chance) -> Figures {
    const SAMPLE: usize = 25;
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let (mut jo, address) = owner(&site, &portal, &mut chance, "Weak.47").await;
    let fits = |entry: &&str| {
        let has = |test: fn(&char) -> bool| entry.chars().filter(test).count();
        (10..=128).contains(&entry.chars().count())
            && has(char::is_ascii_digit) >= 2
            && has(char::is_ascii_lowercase) >= 1
            && has(char::is_ascii_uppercase) >= 1
            && has(char::is_ascii_punctuation) >= 1
    };
    let common: Vec<_> = blocklist::entries().filter(fits).collect();
    assert!(common.len() >= 3000);
    let mut weak: Vec<_> = (0..SAMPLE)
        .map(|_| (common[chance.below(common.len())].to_owned(), "common"))
        .collect();
    let local = address.split('@').next().unwrap();
    for (password, reason) in [
        (format!("{address}-X"), "address"),
        (format!("{}A", address.to_uppercase().to_lowercase()), "address"),
        (address.to_uppercase().replacen("SCHOOL", "school", 1), "address"),
        (format!("{local}-XY2026!"), "address"),
        (format!("a{}-2026!", local.to_uppercase()), "address"),
        ("Professional-Portal-2026!".to_owned(), "service"),
        ("xprofessionalPORTAL#47".to_owned(), "service"),
    ] {
        weak.push((password, reason));
    }
    let refusal = async |person: &mut Person, password: &str| {
        let page = security_details_with(person, &address, password).await;
        assert_eq!(
            page.path, "/account/register/security-details",
            "{password} was taken"
        );
        page.errors().join(" ")
    };
    let mut newcomer = stranger(&portal, &mut chance);
    for (password, reason) in &weak {
        let told = refusal(&mut newcomer, password).await;
        let words: &[&str] = match *reason {
            "common" => &["be a commonly used password"],
            _ => &[
                "contain your name, your email address",
                "be the same as the username",
            ],
        };
        assert!(words.iter().any(|w| told.contains(w)), "{password}: {told}");
    }
    // The same at a reset.
    site.clock().advance(std::time::Duration::from_secs(60));
    ask_for_reset(&mut jo, &address).await;
    let reset = answer_reset(&mut jo, &link_in(&site.mail_to(&address, 3).await)).await;
    for (password, _) in &weak {
        let page = choose_password(&mut jo, &reset, password).await;
        assert_eq!(page.errors().len(), 1, "{password} was taken");
    }
    let good = chance.password();
    assert_eq!(choose_password(&mut jo, &reset, &good).await.h1(), "Login");
    assert_eq!(log_in(&mut jo, &address, &good).await.path, "/home");
    Figures::new().with("weak ones", weak.len()).with("taken", 0)
}
