//! The model: what was mailed to whom, who holds which secret, and what each of them stands for.
//!
//! It is written from what people see (answers, mails, cookies) and from the rows that a step inserted, and never asks
//! the library what is right.

use std::collections::{HashMap, HashSet};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordVerifier as _};
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::account::status::AuthEpoch;
use portal_auth::challenge::{ChallengeKey, ChallengePurpose};
use portal_auth::environment::Timestamp;
use portal_auth::link::{LinkKey, LinkRow};
use portal_auth::registration::{RegistrationId, RegistrationRow};
use portal_auth::session::SessionKey;

use super::acts::Who;

/// A code as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct MailedCode {
    pub(crate) to: usize,
    pub(crate) challenge: ChallengeKey,
    pub(crate) code: String,
}

/// A link as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct MailedLink {
    /// The mailbox that it lies in.
    pub(crate) to: usize,
    pub(crate) token: String,
    pub(crate) key: LinkKey,
    /// The row that was inserted with it.
    pub(crate) issued: LinkRow,
    /// How often it had an effect.
    pub(crate) used: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) who: Who,
    pub(crate) token: String,
    pub(crate) address: Option<usize>,
    pub(crate) password: Option<String>,
    /// The last valid submission of the section.
    pub(crate) forename: Option<String>,
    /// The link whose page it was begun on.
    pub(crate) proven_by: Option<usize>,
    pub(crate) registration: Option<RegistrationId>,
}

#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) who: Who,
    pub(crate) token: String,
    pub(crate) key: SessionKey,
    pub(crate) account: AccountId,
    pub(crate) epoch: AuthEpoch,
    /// When the sign-in happened that it goes back to.
    pub(crate) since: Timestamp,
    /// The last time it was used.
    pub(crate) active: Timestamp,
    /// When its holder last proved who they are.
    pub(crate) proved: Timestamp,
    /// Whether a code was accepted in its sign-in, after the password.
    pub(crate) code: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Half {
    pub(crate) who: Who,
    pub(crate) token: String,
    pub(crate) key: ChallengeKey,
    pub(crate) account: AccountId,
    pub(crate) epoch: AuthEpoch,
    pub(crate) purpose: ChallengePurpose,
    /// The session that it confirms.
    pub(crate) session: Option<usize>,
    pub(crate) wrong: u32,
    pub(crate) right: u32,
}

/// A proof that a reset's answer was right.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub(crate) link: usize,
    pub(crate) token: String,
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) codes: Vec<MailedCode>,
    pub(crate) links: Vec<MailedLink>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) halves: Vec<Half>,
    pub(crate) proofs: Vec<Proof>,
    pub(crate) devices: HashMap<Who, String>,
    /// Every token that was ever handed out or shown.
    pub(crate) tokens: HashSet<String>,
    /// Every account that was ever made.
    pub(crate) accounts: Vec<AccountId>,
    pub(crate) registrations: HashMap<RegistrationId, RegistrationRow>,
    pub(crate) issued: HashMap<LinkKey, LinkRow>,
    /// Wrong codes since the last right one or new password.
    pub(crate) wrong_codes: HashMap<AccountId, u32>,
    /// Passwords in force, by their hash.
    pub(crate) opened: HashMap<String, Option<String>>,
    /// Wrong passwords told to unfamiliar browsers.
    pub(crate) wrong_passwords: HashMap<usize, Vec<Timestamp>>,
    /// Mails that outsiders caused.
    pub(crate) outsiders_mails: HashMap<usize, Vec<Timestamp>>,
    /// What each queued mail carries: its link, its challenge.
    pub(crate) outbox: HashMap<String, (Option<LinkKey>, Option<ChallengeKey>)>,
    /// Whether the clock has ever gone back: a window of an hour means nothing then.
    pub(crate) went_back: bool,
}

const FORMS: [[&str; 3]; 3] = [
    ["Quiet-Meadow-40", "Quiet-Meadow-41", "Quiet-Meadow-42"],
    ["Amber-Harbour-50", "Amber-Harbour-51", "Amber-Harbour-52"],
    ["Stolen-Lantern-60", "Stolen-Lantern-61", "Stolen-Lantern-62"],
];

/// The `n`th password that a person chooses.
pub(crate) fn password_of(who: Who, n: u8) -> &'static str {
    FORMS[who.number()][usize::from(n) % 3]
}

/// Who chose a password.
pub(crate) fn chooser(password: &str) -> Option<Who> {
    Who::ALL
        .into_iter()
        .find(|who| FORMS[who.number()].contains(&password))
}

/// The plain text that a hash is of, if anybody in the model chose it.
pub(crate) fn opened(hash: &str) -> Option<String> {
    let parsed = PasswordHash::new(hash).unwrap();
    FORMS
        .iter()
        .flatten()
        .find(|plain| {
            Argon2::default()
                .verify_password(plain.as_bytes(), &parsed)
                .is_ok()
        })
        .map(|plain| (*plain).to_owned())
}

/// What everybody answers to the secret question.
pub(crate) fn answer_of(who: Who) -> &'static str {
    ["Green Vauxhall Astra", "Blue Harbour Cat", "Black Lantern Owl"][who.number()]
}

/// Which forename the `n`th submission of a section holds; the last one is not valid.
pub(crate) fn forename(n: u8) -> &'static str {
    ["Ann", "Bea", "Cyd", " "][usize::from(n) % 4]
}

impl Known {
    /// The password in force of an account, where anybody knows it.
    pub(crate) fn in_force(&mut self, account: &AccountRow) -> Option<String> {
        self.open(account.password.as_str())
    }

    pub(crate) fn open(&mut self, hash: &str) -> Option<String> {
        if let Some(known) = self.opened.get(hash) {
            return known.clone();
        }
        let plain = opened(hash);
        self.opened.insert(hash.to_owned(), plain.clone());
        plain
    }

    /// Whether a person could type that password: their own, or anybody's for whoever has stolen them.
    pub(crate) fn knows(who: Who, password: &str) -> bool {
        who == Who::Mallory || chooser(password) == Some(who)
    }
}
