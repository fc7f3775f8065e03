//! The words, names and attributes that the pages promise, read from the rendered HTML.

mod administration;
mod after_login;
mod before_login;
mod catalogue;
mod changes;
mod circumstances;
mod every_page;
mod messages;
mod own_account;
mod recovery;
mod registration;

use askama::Template;

use crate::views::layout::{FieldMessage, Page, Place, SignedInHeader, TimeOut};

/// Markup that would run if a value were not escaped.
const MARKUP: &str = "<script>alert('x')</script>\"><img src=x onerror=y>";

/// Rendered, with runs of white space made one blank, so that tests do not depend on the layout of a template.
fn html(view: &impl Template) -> String {
    view.render()
        .unwrap()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" >", ">")
}

/// Fails unless every fact stands in the page, and says which is missing.
#[track_caller]
fn has(html: &str, facts: &[&str]) {
    for fact in facts {
        assert!(html.contains(fact), "missing {fact:?} in:\n{html}");
    }
}

/// The start tag of the element with that id.
#[track_caller]
fn tag<'a>(html: &'a str, id: &str) -> &'a str {
    let at = html
        .find(&format!(" id=\"{id}\""))
        .unwrap_or_else(|| panic!("no element {id:?} in:\n{html}"));
    let (before, after) = html.split_at(at);
    let start = before.rfind('<').unwrap();
    let rest = after.find('>').unwrap();
    html.get(start..=at.saturating_add(rest)).unwrap()
}

/// The value of every `name=do` button, in the order of the page, without the one in the header.
fn buttons(html: &str) -> Vec<(&str, &str)> {
    let main = html.split_once("<main").unwrap().1;
    main.split("name=\"do\" value=\"")
        .skip(1)
        .map(|rest| {
            let (value, rest) = rest.split_once("\">").unwrap();
            (value, rest.split_once("</button>").unwrap().0)
        })
        .collect()
}

fn page(title: &str) -> Page {
    Page::new(title, "Professional Portal", "the-token", "7")
}

fn signed_in(title: &str) -> Page {
    let person = SignedInHeader {
        name: "Jo Bloggs".to_owned(),
        idle_limit: "30 minutes".to_owned(),
        time_out: TimeOut {
            left: 1800,
            warn: 120,
            warn_words: "2 minutes".to_owned(),
            longest: "12 hours".to_owned(),
            longest_until: "10:40 pm".to_owned(),
        },
        administration: None,
    };
    Page {
        signed_in: Some(person),
        here: Place::Account,
        ..page(title)
    }
}

fn failed(title: &str, field: &str, message: &str) -> Page {
    Page {
        errors: vec![FieldMessage::new(field, message)],
        ..page(title)
    }
}
