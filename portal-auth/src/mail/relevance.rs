//! Whether a mail still makes sense when its turn comes, decided from what it is about.

use serde::Deserialize;

use crate::account::recovery::Paused;
use crate::account::snapshot::AccountRow;
use crate::account::status::TwoStep;
use crate::challenge::ChallengeRow;
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::language::LanguageTag;
use crate::link::{LinkRow, LinkSeed};
use crate::mail::administrator_act::AdministratorAct;
use crate::mail::letter::{Attempts, Closed, ResetBegun};
use crate::mail::outbox::OutboxRow;
use crate::registration::{RegistrationRow, RegistrationState};
use crate::store::{LinkView, Subject};

/// What a mail is about, as it was read.
#[derive(Debug)]
pub(super) enum About {
    Link(Option<LinkView>),
    Code(Option<(ChallengeRow, AccountRow)>),
    Account(Option<AccountRow>),
    /// An address that nobody has proven.
    Nobody,
}

impl About {
    /// The registration that an administrator has prepared, if it is one.
    pub(super) fn prepared(&self) -> Option<&RegistrationRow> {
        match self {
            Self::Link(Some(LinkView {
                subject: Subject::Registration { row, .. },
                ..
            })) => Some(&**row).filter(|row| row.is_by_administrator()),
            Self::Link(_) | Self::Code(_) | Self::Account(_) | Self::Nobody => None,
        }
    }
}

/// What a mail is made of, once it is decided that it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// The link of a registration: nobody is known yet.
    Link(&'a LinkRow, &'a LinkSeed),
    Code(&'a ChallengeRow, &'a AccountRow),
    /// What an account's owner is told, and the link that goes with it while it works.
    Notice(&'a AccountRow, Option<(&'a LinkRow, &'a LinkSeed)>),
    /// What an address without an account is told.
    Nobody,
}

/// Why a mail is not sent although nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Void {
    Expired,
    LinkOver,
    CodeReplaced,
    ChallengeOver,
    AccountNotInUse,
    AccountGone,
}

impl Void {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::LinkOver => "void: its link is over",
            Self::CodeReplaced => "void: a newer code took its place",
            Self::ChallengeOver => "void: its sign-in is over",
            Self::AccountNotInUse => "void: the account is not in use",
            Self::AccountGone => "void: the account is gone",
        }
    }
}

/// The small facts of a row, all optional: each kind knows its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Facts {
    browser: Option<String>,
    code_no: Option<String>,
    choice: Option<String>,
    until: Option<String>,
    codes: Option<String>,
    failures: Option<String>,
    network: Option<String>,
    act: Option<String>,
    subject: Option<String>,
    reference: Option<String>,
    lines: Option<String>,
    by: Option<String>,
    from: Option<String>,
    to: Option<String>,
    lang: Option<String>,
}

impl Facts {
    pub(super) fn read(json: &str) -> Result<Self, Fault> {
        serde_json::from_str(json)
            .map_err(|e| Fault::permanent("the facts of a mail are not readable").because(e))
    }

    /// The language that whoever caused the mail has chosen; a word that is none is no choice.
    pub(super) fn language(&self) -> Option<LanguageTag> {
        LanguageTag::parse(self.lang.as_deref()?).ok()
    }

    pub(super) fn browser(&self) -> &str {
        self.browser.as_deref().unwrap_or("An unknown browser")
    }

    /// The browser, where the owner has acted in one.
    pub(super) fn browser_of_owner(&self) -> Option<&str> {
        self.browser.as_deref()
    }

    pub(super) fn network(&self) -> &str {
        self.network.as_deref().unwrap_or_default()
    }

    pub(super) fn attempts(&self) -> Result<Attempts, Fault> {
        if self.codes.is_some() {
            return Ok(Attempts::CodeFailed);
        }
        let failures = self.failures.as_deref().and_then(|n| n.parse().ok());
        failures
            .map(Attempts::AfterFailures)
            .ok_or_else(|| missing("failures"))
    }

    pub(super) fn code_no(&self) -> Result<u32, Fault> {
        let number = self.code_no.as_deref().and_then(|n| n.parse().ok());
        number.ok_or_else(|| missing("code_no"))
    }

    pub(super) fn choice(&self) -> Result<TwoStep, Fault> {
        let choice = self.choice.as_deref().and_then(TwoStep::from_word);
        choice.ok_or_else(|| missing("choice"))
    }

    pub(super) fn act(&self) -> Result<AdministratorAct, Fault> {
        let act = self.act.as_deref().and_then(AdministratorAct::from_word);
        act.ok_or_else(|| missing("act"))
    }

    /// Subject, reference and lines of a notice of the host's.
    pub(super) fn notice(&self) -> Result<(&str, &str, &str), Fault> {
        let subject = self.subject.as_deref().ok_or_else(|| missing("subject"))?;
        let reference = self.reference.as_deref().ok_or_else(|| missing("reference"))?;
        let lines = self.lines.as_deref().ok_or_else(|| missing("lines"))?;
        Ok((subject, reference, lines))
    }

    /// The address before a change, as it may be shown.
    pub(super) fn from(&self) -> Result<&str, Fault> {
        self.from.as_deref().ok_or_else(|| missing("from"))
    }

    /// The address after a change, as it may be shown.
    pub(super) fn to(&self) -> Result<&str, Fault> {
        self.to.as_deref().ok_or_else(|| missing("to"))
    }

    /// Who began a reset.
    pub(super) fn begun(&self) -> Result<ResetBegun<'_>, Fault> {
        match self.by.as_deref() {
            None => Ok(ResetBegun::Asked(self.browser())),
            Some("wait") => Ok(ResetBegun::Waited),
            Some("administrator") => Ok(ResetBegun::Administrator),
            Some(_) => Err(missing("by")),
        }
    }

    /// Until when a recovery is paused.
    pub(super) fn paused(&self) -> Result<Paused, Fault> {
        match self.until.as_deref() {
            Some("administrator") => Ok(Paused::UntilAdministrator),
            Some(_) | None => self.until().map(Paused::Until),
        }
    }

    /// The moment that the mail tells.
    pub(super) fn until(&self) -> Result<Timestamp, Fault> {
        let micros = self.until.as_deref().and_then(|micros| micros.parse().ok());
        micros.map(Timestamp::from_micros).ok_or_else(|| missing("until"))
    }

    pub(super) fn closed(&self) -> Result<Closed, Fault> {
        if self.codes.is_some() {
            return Ok(Closed::Codes);
        }
        match self.until.as_deref() {
            Some("reset") => Ok(Closed::PasswordsUntilReset),
            Some(_) | None => self.until().map(Closed::PasswordsUntil),
        }
    }
}

fn missing(fact: &'static str) -> Fault {
    Fault::permanent("a fact of a mail is missing or has another shape").because(fact)
}

/// Whether the mail still makes sense at `now`, and from what it is made.
pub(super) fn decide<'a>(
    mail: &OutboxRow,
    facts: &Facts,
    about: &'a About,
    now: Timestamp,
) -> Result<Result<Content<'a>, Void>, Fault> {
    if now >= mail.expires_at {
        return Ok(Err(Void::Expired));
    }
    match about {
        About::Link(Some(LinkView { link, subject })) => Ok(link_content(mail, link, subject, now)),
        About::Link(None) => Ok(Err(Void::LinkOver)),
        About::Code(Some((challenge, account))) => {
            let code_no = facts.code_no()?;
            Ok(code_content(mail, code_no, challenge, account, now))
        }
        About::Code(None) => Ok(Err(Void::ChallengeOver)),
        About::Account(Some(account)) => Ok(Ok(Content::Notice(account, None))),
        About::Account(None) => Ok(Err(Void::AccountGone)),
        About::Nobody => Ok(Ok(Content::Nobody)),
    }
}

fn link_content<'a>(
    mail: &OutboxRow,
    link: &'a LinkRow,
    subject: &'a Subject,
    now: Timestamp,
) -> Result<Content<'a>, Void> {
    // A link proves the address it was made for, so it goes there and nowhere else (TOK-3, EML-6).
    let works = link.is_live(now) && link.address == mail.to;
    let seed = link.seed.as_ref().filter(|_| works);
    match (subject, seed) {
        (Subject::Registration { row, claimed }, Some(seed))
            if row.state == RegistrationState::Submitted && !claimed =>
        {
            Ok(Content::Link(link, seed))
        }
        (Subject::Account(account), Some(seed)) if link.judge(account, now).is_ok() => {
            Ok(Content::Notice(account, Some((link, seed))))
        }
        // What has happened is told even where nothing can be done about it any more (MAIL-6).
        (Subject::Account(account), _) if !mail.kind.is_about_its_link() => {
            Ok(Content::Notice(account, None))
        }
        (Subject::Registration { .. } | Subject::Account(_) | Subject::Gone, _) => Err(Void::LinkOver),
    }
}

fn code_content<'a>(
    mail: &OutboxRow,
    code_no: u32,
    challenge: &'a ChallengeRow,
    account: &'a AccountRow,
    now: Timestamp,
) -> Result<Content<'a>, Void> {
    if !account.status.is_active() {
        return Err(Void::AccountNotInUse);
    }
    if account.auth_epoch != challenge.epoch || account.email != mail.to || now >= challenge.expires_at {
        return Err(Void::ChallengeOver);
    }
    if challenge.code_no != code_no {
        return Err(Void::CodeReplaced);
    }
    if now >= challenge.code_expires_at {
        return Err(Void::Expired);
    }
    Ok(Content::Code(challenge, account))
}

#[cfg(test)]
#[path = "relevance_tests.rs"]
mod tests;
