//! The catalogues held against each other, and against what the pages ask them for (R4).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;
use portal_auth::password::policy::{BrokenRule, PasswordPolicy};
use portal_auth::password::wording;

use super::*;
use crate::views::catalogue::{Language, SOURCES};
use crate::views::register::Step;
use crate::views::sign_in::{Login, LoginForm};

/// What a catalogue's message takes, and its text as it stands in the file.
struct Message {
    values: BTreeSet<String>,
    text: String,
}

type Messages = BTreeMap<String, Message>;

const ENGLISH_ONLY: &str = "### Pages in English only";

fn messages(source: &str) -> Messages {
    let resource = parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
    let mut messages = Messages::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let mut found = Message {
            values: BTreeSet::new(),
            text: String::new(),
        };
        read(message.value.as_ref().unwrap(), &mut found);
        let before = messages.insert(message.id.name.to_owned(), found);
        assert!(before.is_none(), "{} stands twice", message.id.name);
    }
    messages
}

fn read(pattern: &Pattern<&str>, into: &mut Message) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => into.text.push_str(value),
            PatternElement::Placeable {
                expression: Expression::Inline(inline),
            } => read_value(inline, into),
            PatternElement::Placeable {
                expression: Expression::Select { selector, variants },
            } => {
                read_value(selector, into);
                for variant in variants {
                    read(&variant.value, into);
                }
            }
        }
    }
}

fn read_value(inline: &InlineExpression<&str>, into: &mut Message) {
    let InlineExpression::VariableReference { id } = inline else {
        panic!("only values are put into texts: {inline:?}");
    };
    into.values.insert(id.name.to_owned());
}

fn english() -> Messages {
    messages(SOURCES[0].2)
}

/// Every template and every source but the catalogue's own tests, as one text.
fn everything_that_asks() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    let mut folders = vec![here.join("templates"), here.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("catalogue.rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

/// The literal ids that a call asks for; blanks and line ends after the bracket do not count.
fn asked<'a>(text: &'a str, call: &str) -> BTreeSet<&'a str> {
    text.split(call)
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'))
        .map(|(id, _)| id)
        .collect()
}

#[test]
fn every_id_that_a_page_asks_for_is_in_the_english_catalogue() {
    let (text, english) = (everything_that_asks(), english());
    let mut wrong = Vec::new();
    for call in [".t(", ".fill(", ".rich(", ".translated_page("] {
        for id in asked(&text, call) {
            match english.get(id) {
                None => wrong.push(format!("{id} is in no catalogue")),
                Some(message)
                    if matches!(call, ".t(" | ".translated_page(") && !message.values.is_empty() =>
                {
                    wrong.push(format!("{id} takes values: ask for it by fill"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_id_in_the_english_catalogue_is_used() {
    let text = everything_that_asks();
    let reasons = include_str!("../../../../../docs/reasons.md");
    let questions = include_str!("../../../content/questions.txt");
    let policies = [PasswordPolicy::portal().lines(), PasswordPolicy::modern().lines()].concat();
    let unused: Vec<_> = english()
        .into_keys()
        .filter(|id| {
            let quoted = |word: &str| text.contains(&format!("\"{word}\""));
            let by_family = match id.split_once('-') {
                Some(("label", field)) => quoted(field),
                Some(("ask", question)) => questions.contains(&format!("{question}\t")),
                Some(("rule", rule)) => policies.iter().any(|line| line.id == rule),
                _ => false,
            };
            let reason = id.replacen('-', ".", 1);
            let by_reason = quoted(&reason) || reasons.contains(&format!("`{reason}`"));
            !(TO_COME.contains(&id.as_str()) || quoted(id) || by_family || by_reason)
        })
        .collect();
    assert!(unused.is_empty(), "{unused:#?}");
}

/// What pages of the contract will ask for (portal.md section 4).
const TO_COME: [&str; 10] = [
    "menu-personal-details",
    "menu-work-details",
    "menu-change-email-address",
    "menu-change-password",
    "menu-change-secret-question",
    "menu-two-step-verification",
    "menu-change-of-circumstances",
    "menu-sessions",
    "menu-activity",
    "menu-your-data",
];

#[test]
fn every_language_says_all_that_english_says_with_the_same_values() {
    let (to_translate, english_only) = SOURCES[0].2.split_at(SOURCES[0].2.find(ENGLISH_ONLY).unwrap());
    let (to_translate, english_only) = (messages(to_translate), messages(english_only));
    for (tag, _, source) in &SOURCES[1..] {
        let theirs = messages(source);
        for (id, message) in &to_translate {
            let Some(translated) = theirs.get(id) else {
                panic!("{tag} lacks {id}");
            };
            assert_eq!(message.values, translated.values, "{id} in {tag}");
            assert_eq!(tags(&message.text).1, tags(&translated.text).1, "{id} in {tag}");
        }
        for id in theirs.keys() {
            assert!(
                to_translate.contains_key(id),
                "{tag} has {id}, which English lacks"
            );
            assert!(!english_only.contains_key(id), "{id} is translated: move it up");
        }
    }
}

/// A text without its tags, and the kinds of tags in it.
fn tags(text: &str) -> (String, BTreeSet<String>) {
    let (mut plain, mut found) = (String::new(), BTreeSet::new());
    let mut parts = text.split('<');
    plain.push_str(parts.next().unwrap());
    for part in parts {
        let (tag, rest) = part.split_once('>').unwrap();
        found.insert(tag.to_owned());
        plain.push_str(rest);
    }
    (plain, found)
}

#[test]
fn markup_stands_only_in_texts_that_are_asked_for_as_rich_ones() {
    // R1: a catalogue can make words strong and link to what the page names, and nothing else
    let text = everything_that_asks();
    let rich = asked(&text, ".rich(");
    for (tag, _, source) in SOURCES {
        for (id, message) in messages(source) {
            let (plain, tags) = tags(&message.text);
            assert!(!plain.contains(['<', '>']), "{id} in {tag}");
            if rich.contains(id.as_str()) {
                // The address of a link is a value, which the reader of messages leaves out.
                let known = [
                    "strong",
                    "/strong",
                    "strong class=\"reference\"",
                    "a href=\"\"",
                    "a href=\"mailto:\"",
                    "/a",
                ];
                assert!(
                    tags.iter().all(|tag| known.contains(&tag.as_str())),
                    "{id} in {tag}: {tags:?}"
                );
                assert!(
                    !plain.replace("&amp;", "").contains('&'),
                    "{id} in {tag}: write &amp;"
                );
            } else {
                assert!(
                    tags.is_empty() && !plain.contains("&amp;"),
                    "{id} in {tag} is not asked for as rich"
                );
            }
        }
    }
}

#[test]
fn a_value_in_a_text_with_markup_is_never_markup() {
    let shown = Language::ENGLISH
        .rich("verify-sent")
        .set("email", MARKUP)
        .set("sent", "1")
        .set("until", "2");
    let shown = shown.to_string();
    assert!(shown.contains("<strong>&#60;script&#62;"), "{shown}");
    assert!(!shown.contains("<script") && !shown.contains("<img"), "{shown}");
}

#[test]
fn a_number_chooses_the_form_of_the_words() {
    let welsh = Language::from_tag("cy").unwrap();
    let left = |language: Language, n: u64| language.message("code.wrong", Some(n), "");
    assert_eq!(
        left(Language::ENGLISH, 1),
        "That code is not correct. 1 try left."
    );
    assert!(left(welsh, 1).ends_with("Mae gennych 1 cynnig ar ôl."));
    assert!(left(welsh, 2).ends_with("Mae gennych 2 gynnig ar ôl."));
    assert!(left(welsh, 3).ends_with("Mae gennych 3 chynnig ar ôl."));
    assert!(left(welsh, 4).ends_with("Mae gennych 4 cynnig ar ôl."));
}

#[test]
fn a_language_is_found_by_its_tag_and_by_its_country() {
    assert_eq!(Language::from_tag("cy").map(Language::name), Some("Cymraeg"));
    assert_eq!(Language::from_tag("cy-GB"), Language::from_tag("cy"));
    assert_eq!(Language::from_tag("en-US"), Some(Language::ENGLISH));
    assert_eq!(Language::from_tag("fr"), None);
    assert_eq!(Language::from_tag(""), None);
}

#[test]
fn the_rules_of_a_password_read_in_english_as_the_library_has_them() {
    for policy in [PasswordPolicy::portal(), PasswordPolicy::modern()] {
        assert_eq!(Language::ENGLISH.rule_lines(policy.lines()), policy.lines());
    }
    let rules = [
        BrokenRule::TooShort { least: 10 },
        BrokenRule::TooLong { most: 128 },
        BrokenRule::TooManyBytes { most: 1 },
        BrokenRule::Digits { least: 2 },
        BrokenRule::Lower { least: 1 },
        BrokenRule::Upper { least: 1 },
        BrokenRule::Special { least: 1 },
        BrokenRule::Control,
        BrokenRule::IsUsername,
        BrokenRule::Context,
        BrokenRule::Common,
        BrokenRule::Breached,
        BrokenRule::Unchecked,
        BrokenRule::Required,
    ];
    for set in 0_u32..1 << rules.len() {
        let broken: Vec<_> = (0..rules.len())
            .filter(|at| set >> at & 1 == 1)
            .map(|at| rules[at])
            .collect();
        assert_eq!(
            Language::ENGLISH.broken_rules(&broken),
            wording::sentence(&broken)
        );
    }
    let welsh = Language::from_tag("cy").unwrap();
    assert_eq!(
        welsh.broken_rules(&[rules[3], rules[5], rules[8]]),
        "Rhaid i’r cyfrinair gynnwys o leiaf 2 rif, 1 brif lythyren, ac ni chaiff fod yr un fath â’r enw defnyddiwr"
    );
    for (mine, ours) in welsh
        .rule_lines(PasswordPolicy::portal().lines())
        .iter()
        .zip(PasswordPolicy::portal().lines())
    {
        assert_ne!(mine.text, ours.text, "{} is not translated", ours.id);
    }
}

#[test]
fn a_question_of_the_deployments_own_stays_as_it_is() {
    let welsh = Language::from_tag("cy").unwrap();
    assert_eq!(
        welsh.question("first-car", "The model of your first car?"),
        "Model eich car cyntaf?"
    );
    assert_eq!(welsh.question("first-car", "Your first car?"), "Your first car?");
    assert_eq!(welsh.question("no-such", "What?"), "What?");
}

#[test]
fn a_page_names_its_language_and_offers_the_others_to_choose() {
    // R14
    let login = |language, chosen| {
        let page = Page {
            language,
            chosen,
            target: "/account/login?x=\"".to_owned(),
            ..page("Login")
        };
        html(&Login {
            page,
            login: LoginForm::default(),
        })
    };
    let welsh = Language::from_tag("cy").unwrap();
    let page = login(welsh, welsh);
    has(
        &page,
        &[
            "<html lang=\"cy\">",
            "<label for=\"email\">Cyfeiriad e-bost</label>",
            "<form method=\"post\" action=\"/language\" novalidate><input type=\"hidden\" name=\"form_token\" value=\"the-token\">\
             <input type=\"hidden\" name=\"back\" value=\"/account/login?x=&#34;\">\
             <button class=\"as-link\" name=\"language\" value=\"en-GB\" lang=\"en-GB\">English</button>",
        ],
    );
    assert!(!page.contains("value=\"cy\""));
    let english = login(Language::ENGLISH, Language::ENGLISH);
    has(&english, &["lang=\"cy\">Cymraeg</button>"]);
    let untranslated = login(Language::ENGLISH, welsh);
    has(
        &untranslated,
        &[
            "<html lang=\"en-GB\">",
            "<span lang=\"cy\">Dim ond yn Saesneg y mae’r dudalen hon ar gael.</span>",
        ],
    );
    assert_eq!(Step::list_in(welsh, 1, 0)[0].label, "Manylion Diogelwch");
}
