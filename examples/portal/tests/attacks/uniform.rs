//! Answers that must not be told apart: status, way, headers, cookies and body, with the form token masked (ENU-1).

use std::fmt::Write as _;

use axum::http::header::{CONTENT_LENGTH, DATE, SET_COOKIE};

use crate::rig::Page;

/// An answer as somebody sees it who compares, with what must differ masked: what they typed, tokens, the hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen(Vec<String>);

impl Seen {
    /// What can be seen of a page; `typed` is what the visitor entered and may read again.
    pub fn of(page: &Page, typed: &[&str]) -> Self {
        let mut lines = vec![format!("status {}", page.status.as_u16())];
        lines.extend(page.way.iter().map(|path| format!("way {}", masked(path, typed))));
        let mut headers: Vec<_> = page
            .headers
            .iter()
            // What was typed may have another length; the body itself is compared below.
            .filter(|(name, _)| **name != DATE && **name != CONTENT_LENGTH)
            .map(|(name, value)| {
                let value = value.to_str().unwrap();
                if *name == SET_COOKIE {
                    format!("{name}: {}", without_value(value))
                } else {
                    format!("{name}: {}", masked(value, typed))
                }
            })
            .collect();
        headers.sort_unstable();
        lines.append(&mut headers);
        let mut body = masked(&page.body, typed);
        for token in page.attributes_of("[name=form_token]", "value") {
            body = body.replace(&token, "FORM-TOKEN");
        }
        lines.extend(body.lines().map(str::to_owned));
        Self(lines)
    }

    /// Status and body alone: for answers that are reached on ways of different length.
    pub fn of_body(page: &Page) -> Self {
        let mut end = page.clone();
        end.headers.clear();
        end.way.clear();
        Self::of(&end, &[])
    }

    /// The lines that two answers do not share, between their common beginning and their common end.
    fn difference(&self, other: &Self) -> String {
        let pairs = || self.0.iter().zip(&other.0);
        let start = pairs().take_while(|(a, b)| a == b).count();
        let (a, b) = (&self.0[start..], &other.0[start..]);
        let end = a
            .iter()
            .rev()
            .zip(b.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let mut told = String::new();
        for (mark, lines) in [("-", a), ("+", b)] {
            for line in lines[..lines.len() - end].iter().take(20) {
                writeln!(told, "{mark} {line}").unwrap();
            }
        }
        told
    }
}

/// A cookie keeps its name, its attributes and the length of its value.
fn without_value(line: &str) -> String {
    let (name, rest) = line.split_once('=').unwrap();
    let (value, attributes) = rest.split_once(';').unwrap();
    format!("{name}=({} characters);{attributes}", value.len())
}

fn masked(text: &str, typed: &[&str]) -> String {
    let mut text = text.to_owned();
    for word in typed {
        let encoded: String = url::form_urlencoded::byte_serialize(word.as_bytes()).collect();
        text = text.replace(word, "TYPED").replace(&encoded, "TYPED");
    }
    text
}

/// Ends the test where two of the answers can be told apart; `whose` names each for the message.
///
/// # Panics
/// With the lines that differ.
pub fn assert_uniform(what: &str, answers: &[(&str, Seen)]) {
    let [(first, model), others @ ..] = answers else {
        panic!("nothing to compare");
    };
    assert!(!others.is_empty(), "nothing to compare");
    for (whose, seen) in others {
        assert!(
            seen == model,
            "{what}: {first} (-) and {whose} (+) can be told apart\n{}",
            model.difference(seen)
        );
    }
}
