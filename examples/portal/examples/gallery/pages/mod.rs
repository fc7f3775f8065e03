//! Every page in its states, from values as a portal would put in.

use std::cell::Cell;

use askama::Template;

use crate::views::{
    account::SummaryRow,
    catalogue::Language,
    details::{AboutFields, Addresses, ManualAddress, RoleFields, RoleOption},
    layout::{FieldMessage, Page, Place, SignedInHeader, TimeOut},
    messages::message,
    sign_in::CodeSent,
};

mod administration;
mod before_login;
mod beside;
mod my_account;
mod my_details;
mod registration;

const AREA: &str = "SEND (EHCP) & Early Help (EHAT)";
const EMAIL: &str = "jo.bloggs@school.example";

/// A page in one state.
pub(crate) struct Shown {
    /// What its file is called, without the ending.
    pub(crate) name: &'static str,
    pub(crate) html: String,
}

/// Every page in its states; the values that the gallery itself puts in stay English.
///
/// # Errors
/// When a template cannot be rendered.
pub(crate) fn pages(language: &str) -> Result<Vec<Shown>, askama::Error> {
    LANGUAGE.set(Language::from_tag(language).unwrap_or(Language::ENGLISH));
    let mut gallery = Gallery { shown: Vec::new() };
    gallery.before_login(include_str!("../../../content/home.md"))?;
    gallery.registration(include_str!("../../../content/roles.txt"))?;
    gallery.links()?;
    gallery.after_login()?;
    gallery.circumstances()?;
    gallery.administration()?;
    gallery.problems()?;
    gallery.inbox()?;
    Ok(gallery.shown)
}

thread_local! {
    static LANGUAGE: Cell<Language> = const { Cell::new(Language::ENGLISH) };
}

struct Gallery {
    shown: Vec<Shown>,
}

impl Gallery {
    fn write(&mut self, name: &'static str, view: &impl Template) -> Result<(), askama::Error> {
        let html = view.render()?;
        self.shown.push(Shown { name, html });
        Ok(())
    }
}

fn titled(title: &str) -> Page {
    let help_email = Some("help@portal.example".to_owned());
    Page {
        help_email,
        language: language(),
        chosen: language(),
        ..Page::new(title, "Professional Portal", "form-token", "1")
    }
}

fn language() -> Language {
    LANGUAGE.get()
}

fn at(title: &str, here: Place) -> Page {
    Page {
        here,
        ..titled(title)
    }
}

fn failed(title: &str, errors: Vec<FieldMessage>) -> Page {
    Page {
        errors,
        ..titled(title)
    }
}

fn signed_in(title: &str, here: Place) -> Page {
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
        ..at(title, here)
    }
}

/// A page of somebody who is signed in, with something wrong on it.
fn wrong_here(title: &str, errors: Vec<FieldMessage>) -> Page {
    Page {
        errors,
        ..signed_in(title, Place::Account)
    }
}

fn errors(reasons: &[(&str, &str)]) -> Vec<FieldMessage> {
    reasons
        .iter()
        .map(|(field, reason)| FieldMessage::new(field, &message(reason, None, field)))
        .collect()
}

fn code_sent() -> CodeSent {
    let [masked_email, sent_at, works_until] =
        ["j•••@school.example", "10:42 am", "10:52 am"].map(str::to_owned);
    CodeSent {
        masked_email,
        sent_at,
        works_until,
    }
}

fn row(key: &str, value: &str) -> SummaryRow {
    SummaryRow {
        key: key.to_owned(),
        value: value.to_owned(),
        change: None,
    }
}

fn about_fields() -> AboutFields {
    AboutFields {
        title: String::new(),
        forename: "Jo".to_owned(),
        surname: "Bloggs".to_owned(),
        gender: "another".to_owned(),
        gender_other: String::new(),
    }
}

fn no_role_fields(roles: &str) -> RoleFields {
    RoleFields {
        organisation: String::new(),
        postcode: String::new(),
        ..role_fields(roles, Addresses::NotAsked)
    }
}

fn role_fields(roles: &str, addresses: Addresses) -> RoleFields {
    RoleFields {
        role: String::new(),
        roles: roles.lines().filter_map(role).collect(),
        organisation: "Harbour School".to_owned(),
        postcode: "S1 2HH".to_owned(),
        addresses,
        manual: ManualAddress::default(),
        mobile: String::new(),
        work_phone: String::new(),
    }
}

fn role(line: &str) -> Option<RoleOption> {
    let mut parts = line
        .split('|')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned);
    Some(RoleOption {
        name: parts.next()?,
        aliases: parts.collect(),
    })
}
