//! Asking for another address while signed in.
//!
//! Needs a proof not older than five minutes, and the password besides (STP-3, CHG-2). Nothing changes yet: the present
//! address works until the link that is mailed to the new one is used, in [`confirm_email`](super::confirm_email). There
//! is one pending change; asking again for the same address extends its link and sends it again, asking for another
//! replaces it, and any change of the epoch ends it (TOK-3). Whether the new address has an account already is told to
//! nobody but its owner (CHG-3). Mails: E8 with the link, E9 to the present address with a link that cancels; E20 in place
//! of E8 where the address is taken. Audited as `change_email.asked`, `change_email.refused`.

use std::fmt;

use crate::account::email::EmailAddress;
use crate::account::snapshot::AccountRow;
use crate::account_links::NewLink;
use crate::audit::{Actor, Event};
use crate::enrolling::MailGrant;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, FieldErrors, Reason};
use crate::link::{Answer, ChangeId, LinkPurpose, LinkRow, LinkState};
use crate::mail::outbox::MailKind;
use crate::own_password::{NotOwn, OwnPassword};
use crate::password::Password;
use crate::password::policy::{BrokenRule, PasswordOwner};
use crate::portal::{ATTEMPTS, Bears, Commit, Inner, PortalAuth, contended};
use crate::secret::token::SessionToken;
use crate::session::SessionEnd;
use crate::session_gate::Activity;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What the page sends.
#[non_exhaustive]
pub struct ChangeEmailForm<'a> {
    /// The new address as it was typed.
    pub email: &'a str,
    /// The new address typed again; `None` where the page does not ask.
    pub email2: Option<&'a str>,
    /// The password in force, as it was typed.
    pub password: Password,
}

impl<'a> ChangeEmailForm<'a> {
    /// The new address and the password in force.
    pub fn new(email: &'a str, password: impl Into<Password>) -> Self {
        Self {
            email,
            email2: None,
            password: password.into(),
        }
    }

    /// The new address typed again.
    #[must_use]
    pub const fn repeated(mut self, email2: &'a str) -> Self {
        self.email2 = Some(email2);
        self
    }
}

impl fmt::Debug for ChangeEmailForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangeEmailForm(..)")
    }
}

/// A change of address that waits for its link, or seems to: the answer is the same where the address is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmailChangeAsked {
    /// The new address.
    pub email: EmailAddress,
    /// From when on the link does not work.
    pub link_expires_at: Timestamp,
    /// The password is the new address or the part before its `@`: advise another one (PWD-3).
    pub password_is_address: bool,
}

/// Why the change was not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeEmailRefused {
    /// The session has ended: sign in again.
    SessionEnded(SessionEnd),
    /// The last proof is too old: confirm first, then come back with what was typed.
    Confirm,
    /// These fields are wrong, all at once: `email`, `email2`, `password` (it is empty).
    Fields(FieldErrors),
    /// The password is not right.
    NotCorrect,
}

impl ChangeEmailRefused {
    fn of(not_own: NotOwn) -> Self {
        match not_own {
            NotOwn::Overtaken => Self::SessionEnded(SessionEnd::Revoked),
            NotOwn::Wrong => Self::NotCorrect,
        }
    }
}

const ASKED: Reason = Reason::new("change_email.asked");
const REFUSED: Reason = Reason::new("change_email.refused");

impl PortalAuth {
    /// Begins to change the address of the signed-in person.
    ///
    /// # Errors
    /// `Refused` with what to say or do first; `TooManyTries` and `Busy` as for signing in.
    ///
    /// # Security
    /// Show the same page for every outcome: only the mails tell whether the address was free.
    pub async fn change_email(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        form: ChangeEmailForm<'_>,
    ) -> Result<EmailChangeAsked, Denied<ChangeEmailRefused>> {
        self.inner
            .in_steps(self.begin_email_change(visitor, token, form))
            .await
    }

    async fn begin_email_change(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        form: ChangeEmailForm<'_>,
    ) -> Result<EmailChangeAsked, Denied<ChangeEmailRefused>> {
        let inner = &*self.inner;
        let signed_in = inner
            .live_session(token, Activity::Counts)
            .await
            .map_err(|e| e.map(ChangeEmailRefused::SessionEnded))?;
        if !self.is_confirmed(&signed_in) {
            return Err(Denied::Refused(ChangeEmailRefused::Confirm));
        }
        let account = self
            .own_account(&signed_in)
            .await
            .map_err(|e| e.map(ChangeEmailRefused::SessionEnded))?;
        let email = check(&account.email, &form)
            .map_err(|errors| Denied::Refused(ChangeEmailRefused::Fields(errors)))?;
        let mut proof = inner
            .own_password(visitor, &account, &form.password, REFUSED)
            .await?;
        let mut grant: Option<MailGrant> = None;
        for _ in 0..ATTEMPTS {
            let account = proof.account().await;
            let account = account.map_err(|e| e.map(ChangeEmailRefused::of))?;
            // The same reads and the same quota for an address that is taken and one that is free.
            let owner = inner.store.by_email(&email, None).await?.account;
            let grant = match grant {
                Some(grant) => grant,
                None => {
                    let now = inner.now();
                    let spent = inner.spend_outsider_mail(&email, Bears::NoLink, visitor, now);
                    *grant.insert(spent.await?)
                }
            };
            let asked = Asked {
                account: &account,
                email: &email,
                owner: owner.as_ref(),
                grant,
            };
            if let Some(link_expires_at) = inner.begin_email_change(visitor, &asked, &proof).await? {
                return Ok(EmailChangeAsked {
                    link_expires_at,
                    password_is_address: inner.is_address(&form.password, &email),
                    email,
                });
            }
        }
        Err(contended())
    }
}

/// Pure: the new address, or everything that is wrong with the form, before anything is charged.
fn check(present: &EmailAddress, form: &ChangeEmailForm<'_>) -> Result<EmailAddress, FieldErrors> {
    let mut errors = FieldErrors::new();
    let email = EmailAddress::parse(form.email)
        .map_err(|e| errors.add("email", e.reason()))
        .ok();
    if email.as_ref() == Some(present) {
        errors.add("email", Reason::new("email.unchanged"));
    }
    if form
        .email2
        .is_some_and(|again| !EmailAddress::is_repeated(form.email, again))
    {
        errors.add("email2", Reason::new("email2.mismatch"));
    }
    if form.password.is_empty() {
        errors.add("password", Reason::new("password.required"));
    }
    match (email, errors.is_empty()) {
        (Some(email), true) => Ok(email),
        _ => Err(errors),
    }
}

/// What is asked for, as it was read.
struct Asked<'a> {
    account: &'a AccountRow,
    email: &'a EmailAddress,
    /// Whose the address is already.
    owner: Option<&'a AccountRow>,
    grant: MailGrant,
}

impl Inner {
    fn is_address(&self, password: &Password, email: &EmailAddress) -> bool {
        let owner = PasswordOwner::with_email(email);
        let broken = self.config.passwords.policy.check(password, &owner);
        broken.is_err_and(|broken| broken.contains(&BrokenRule::IsUsername))
    }

    /// Writes the pending change and its mails; `None` when a row changed in between.
    async fn begin_email_change(
        &self,
        visitor: &Visitor,
        asked: &Asked<'_>,
        proof: &OwnPassword<'_>,
    ) -> Result<Option<Timestamp>, Fault> {
        let now = self.now();
        let account = asked.account;
        // The same for a taken address: its account's activity and export tell the asker of it (CHG-3).
        let event = Event::new(ASKED, Actor::Owner).about(account.id);
        let event = self.seen_from(event, visitor, Some(asked.email));
        // The account's version is what keeps two requests from leaving two pending changes (CHG-2).
        let touched = AccountRow {
            updated_at: now,
            ..account.clone()
        };
        let work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Account(Box::new(Write::Update(touched))));
        let expires_at = self.proving_link_ends(asked.grant, now);
        let (work, change) = self.pend(work, asked, expires_at, now).await?;
        let cancel = self.account_link(
            NewLink {
                purpose: LinkPurpose::CancelEmailChange,
                account,
                to: &account.email,
                opens_at: now,
                lives: expires_at.since(now),
                concerns: Some(change),
                answer: Answer::Waived,
            },
            now,
        )?;
        let facts = serde_json::json!({ "browser": visitor.label(), "to": asked.email.masked() });
        let mail = self.notice_mail(MailKind::EmailBeingChanged, &cancel, account, &facts, now)?;
        let work = work
            .change(Change::Link(Box::new(Write::Insert(cancel))))
            .mail(mail);
        let done = self.commit(proof.settled(work, now)).await? == Commit::Done;
        Ok(done.then_some(expires_at))
    }

    /// Puts the link of this change in the place of any other that waits, and its mail into the outbox where the quota
    /// of the new address allows one (MAIL-5). A taken address gets no link, and the same number of mails.
    async fn pend(
        &self,
        mut work: UnitOfWork,
        asked: &Asked<'_>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(UnitOfWork, ChangeId), Fault> {
        let live = self.store.live_links(asked.account.id).await?;
        let mut works = live.iter().filter(|link| link.judge(asked.account, now).is_ok());
        let same = works.clone().find(|link| is_of(link, asked));
        let unconfirmable = self.change_to_taken(asked);
        // Where a taken address is asked for again, only the link that cancels shows it.
        let again = same.map(change_of).or_else(|| {
            let cancels = works.any(|link| link.concerns == Some(unconfirmable));
            (cancels && asked.owner.is_some()).then_some(unconfirmable)
        });
        let overtaken = live.iter().filter(|link| {
            let of_same =
                again.is_some_and(|change| link.concerns == Some(change) || change_of(link) == change);
            !of_same
                && matches!(
                    link.purpose,
                    LinkPurpose::ConfirmEmail | LinkPurpose::CancelEmailChange
                )
        });
        for link in overtaken {
            let ended = link.ended(LinkState::Replaced, now);
            work = work.change(Change::Link(Box::new(Write::Update(ended))));
        }
        if let Some(owner) = asked.owner {
            if asked.grant.granted() {
                let until = now.plus(self.config.mail.kept);
                let mut mail = self.mail(MailKind::AddressEntered, &owner.email, now, until)?;
                mail.account = Some(owner.id);
                work = work.mail(mail);
            }
            return Ok((work, again.unwrap_or(unconfirmable)));
        }
        let confirm = match same {
            Some(same) => {
                let extended = LinkRow {
                    expires_at,
                    ..same.clone()
                };
                work = work.change(Change::Link(Box::new(Write::Update(extended.clone()))));
                extended
            }
            None => {
                let fresh = self.account_link(
                    NewLink {
                        purpose: LinkPurpose::ConfirmEmail,
                        account: asked.account,
                        to: asked.email,
                        opens_at: now,
                        lives: expires_at.since(now),
                        concerns: None,
                        answer: Answer::Waived,
                    },
                    now,
                )?;
                work = work.change(Change::Link(Box::new(Write::Insert(fresh.clone()))));
                fresh
            }
        };
        if asked.grant.granted() {
            work = work.mail(self.link_mail(MailKind::ConfirmEmail, &confirm, asked.account, now)?);
        }
        Ok((work, change_of(&confirm)))
    }

    /// Names a change to an address that is taken, which has no link that confirms it: alike however often it is asked
    /// for.
    fn change_to_taken(&self, asked: &Asked<'_>) -> ChangeId {
        let both = [
            asked.account.id.as_bytes().as_slice(),
            asked.email.as_str().as_bytes(),
        ]
        .concat();
        let name = self.keyring.pseudonym("change_email/taken", &both);
        ChangeId::from_bytes(*name.as_bytes())
    }
}

/// A change of address is named by the link that confirms it.
fn change_of(confirm: &LinkRow) -> ChangeId {
    ChangeId::from_bytes(*confirm.key.as_bytes())
}

fn is_of(link: &LinkRow, asked: &Asked<'_>) -> bool {
    link.purpose == LinkPurpose::ConfirmEmail && link.address == *asked.email
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_with_the_form_is_told_at_once() {
        let present = EmailAddress::parse("jo@school.example").unwrap();
        let wrong = |form: &ChangeEmailForm<'_>| {
            let errors = check(&present, form).err().unwrap_or_default();
            let told = errors.iter().map(|e| format!("{}: {}", e.field, e.reason));
            told.collect::<Vec<_>>()
        };
        let right = ChangeEmailForm::new("new@school.example", "x").repeated(" New@School.Example");
        assert_eq!(wrong(&right), ["email2: email2.mismatch"], "EML-7: as typed");
        let right = ChangeEmailForm::new("New@School.Example", "x").repeated(" New@School.Example");
        assert!(check(&present, &right).is_ok_and(|email| email.as_str() == "new@school.example"));
        assert_eq!(
            wrong(&ChangeEmailForm::new("new", "").repeated("")),
            [
                "email: email.format",
                "email2: email2.mismatch",
                "password: password.required"
            ]
        );
        assert_eq!(
            wrong(&ChangeEmailForm::new("JO@school.example ", "x")),
            ["email: email.unchanged"]
        );
    }
}
