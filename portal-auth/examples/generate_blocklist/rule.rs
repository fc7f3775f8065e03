//! The rule by which the block list is made: what people do to a well-known password until a policy accepts it.
//!
//! Shared by the example that writes the list and by the test that compares the list with the rule.

use std::collections::BTreeMap;

use portal_auth::password::Password;
use portal_auth::password::policy::{PasswordOwner, PasswordPolicy};

/// The text of the block list: what fits one of the presets, one a line, in the order of the lower-case form.
pub(crate) fn blocklist(well_known: &str) -> String {
    let mut kept = BTreeMap::new();
    for candidate in candidates(&sections(well_known)) {
        if is_accepted(&candidate, PasswordPolicy::portal())
            || is_accepted(&candidate, PasswordPolicy::modern())
        {
            kept.entry(candidate.to_ascii_lowercase()).or_insert(candidate);
        }
    }
    kept.into_values().map(|entry| entry + "\n").collect()
}

/// Whether a preset would accept `candidate` if there were no block list.
pub(crate) fn is_accepted(candidate: &str, mut preset: PasswordPolicy) -> bool {
    preset.refuse_common = false;
    preset
        .check(&Password::from(candidate), &PasswordOwner::unknown())
        .is_ok()
}

/// The words of the file by section.
fn sections(well_known: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in well_known
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => current = name,
            None => sections.entry(current).or_default().push(line),
        }
    }
    sections
}

fn candidates(sections: &BTreeMap<&str, Vec<&str>>) -> Vec<String> {
    let of = |name: &str| sections.get(name).map_or(&[][..], Vec::as_slice).iter().copied();
    let mut made = Vec::new();
    for word in of("best") {
        with_endings(word, &ENDINGS, &mut made);
        with_endings(word, &RARER_ENDINGS, &mut made);
        with_disguises(word, &mut made);
        made.extend(LENGTHENINGS.iter().map(|tail| format!("{word}{tail}")));
    }
    for word in of("words").chain(of("walks")).chain(of("phrases")) {
        with_endings(word, &ENDINGS, &mut made);
    }
    for word in of("best").chain(of("words")).chain(of("walks")) {
        made.push(format!("{word}123456789"));
        made.push(word.repeat(2));
        made.push(word.repeat(3));
    }
    for phrase in of("phrases") {
        made.extend(["", "1", "123", "!"].map(|ending| format!("{phrase}{ending}")));
    }
    for word in of("dated") {
        with_years(word, &mut made);
    }
    for first in of("walks") {
        made.push(first.chars().rev().collect());
        made.extend(of("walks").map(|second| format!("{first}{second}")));
    }
    for c in ('a'..='z').chain('0'..='9') {
        made.extend((15..=20).map(|length| String::from(c).repeat(length)));
    }
    made
}

/// `Password12!`, `Password@123`.
fn with_endings(word: &str, endings: &[&str], made: &mut Vec<String>) {
    let stem = capitalised(word);
    made.extend(endings.iter().map(|ending| format!("{stem}{ending}")));
}

/// `P@ssw0rd123!`, `PasswordPassword12!`.
fn with_disguises(word: &str, made: &mut Vec<String>) {
    let stem = capitalised(word);
    for spelling in LEET {
        let disguised: String = stem.chars().map(|c| substituted(c, spelling)).collect();
        made.extend(
            DISGUISED_ENDINGS
                .iter()
                .map(|ending| format!("{disguised}{ending}")),
        );
    }
    made.extend(
        DISGUISED_ENDINGS
            .iter()
            .map(|ending| format!("{stem}{stem}{ending}")),
    );
}

/// `Summer2024!`, `Summer24!`, `Summer@2024`.
fn with_years(word: &str, made: &mut Vec<String>) {
    let stem = capitalised(word);
    for year in 2015..=2030 {
        for mark in MARKS {
            made.push(format!("{stem}{year}{mark}"));
        }
        made.push(format!("{stem}{:02}!", year % 100));
        made.push(format!("{stem}@{year}"));
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

fn substituted(c: char, spelling: &[(char, char)]) -> char {
    spelling
        .iter()
        .find(|(from, _)| *from == c)
        .map_or(c, |(_, to)| *to)
}

/// What makes a word satisfy composition rules, most usual first.
const ENDINGS: [&str; 8] = ["12!", "123!", "1234!", "01!", "11!", "99!", "@123", "!123"];

/// Less usual ways, for the most usual words.
const RARER_ENDINGS: [&str; 16] = [
    "12345!", "10!", "22!", "69!", "007!", "!12", "@12", "@1234", "#123", "123@", "123#", "123$", "123*",
    "123.", "_123", "!!11",
];

/// The endings for words that have been disguised already.
const DISGUISED_ENDINGS: [&str; 6] = ["1!", "12!", "123!", "1234!", "123", "@123"];

/// What makes a word long for policies that ask for nothing else.
const LENGTHENINGS: [&str; 8] = [
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "0123456789",
    "qwertyuiop",
    "password",
];

const MARKS: [char; 4] = ['!', '@', '#', '.'];

/// The usual disguises of letters.
const LEET: [&[(char, char)]; 5] = [
    &[('a', '@')],
    &[('o', '0')],
    &[('a', '@'), ('o', '0')],
    &[('s', '$')],
    &[('a', '@'), ('e', '3'), ('i', '1'), ('o', '0'), ('s', '$')],
];
