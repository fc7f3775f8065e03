//! Mailed links of an account: how they are made, found, judged and put into a mail, in one place for all features.
//!
//! A link that gives something (a new password, a new address) carries the account's epoch and dies with it. A link
//! that takes something back (cancel, freeze, "not me", restore) belongs to one change instead, and ends by use or
//! expiry only (TOK-3, SES-5).

use std::time::Duration;

use crate::account::email::EmailAddress;
use crate::account::snapshot::AccountRow;
use crate::environment::{Timestamp, draw};
use crate::error::{Denied, Fault, Reason};
use crate::link::{
    Answer, ChangeId, LinkKey, LinkPurpose, LinkRefused, LinkRow, LinkSeed, LinkState, LinkSubject,
};
use crate::mail::outbox::{MailKind, OutboxRow};
use crate::portal::Inner;
use crate::recovering::void_links;
use crate::secret::keyring::row_key;
use crate::secret::token::{LinkToken, Purpose};
use crate::store::Subject;
use crate::unit_of_work::{Change, UnitOfWork, Write};

/// A link that is to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewLink<'a> {
    pub(crate) purpose: LinkPurpose,
    /// Whose; its present epoch goes into the link where the purpose dies with it.
    pub(crate) account: &'a AccountRow,
    /// Where it is mailed to: the only address it proves.
    pub(crate) to: &'a EmailAddress,
    /// When it begins to work.
    pub(crate) opens_at: Timestamp,
    /// How long it works from then on.
    pub(crate) lives: Duration,
    /// The change it takes back.
    pub(crate) concerns: Option<ChangeId>,
    /// Whether its page asks for the secret answer.
    pub(crate) answer: Answer,
}

/// Why a link that takes something back did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TakeBackRefused {
    /// The link does nothing (any more).
    Link(LinkRefused),
    /// No address was typed: a press of the button alone does nothing (MAIL-6).
    AddressRequired,
    /// It is not the address that the mail went to.
    OtherAddress,
}

impl TakeBackRefused {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Link(refused) => refused.reason(),
            Self::AddressRequired => Reason::new("email.required"),
            Self::OtherAddress => Reason::new("take_back.other_address"),
        }
    }
}

/// What an account's epoch takes with it, and what would take that back: none of these links outlives a change.
const PENDING: [LinkPurpose; 4] = [
    LinkPurpose::ResetPassword,
    LinkPurpose::ConfirmEmail,
    LinkPurpose::CancelEmailChange,
    LinkPurpose::CancelRecovery,
];

/// Ends what was pending by mail in the old epoch of an account, so that its mails do not go either (SES-5, TOK-3).
///
/// Links of `spared` stay, for a commit that makes a new one: in the old epoch they are dead anyway.
pub(crate) fn void_pending(
    work: UnitOfWork,
    account: &AccountRow,
    spared: Option<LinkPurpose>,
    now: Timestamp,
) -> UnitOfWork {
    let purposes: Vec<_> = PENDING.into_iter().filter(|p| Some(*p) != spared).collect();
    void_links(work, account, &purposes, now)
}

impl Inner {
    /// Draws a link; the caller writes it in the commit of what it is for.
    pub(crate) fn account_link(&self, new: NewLink<'_>, now: Timestamp) -> Result<LinkRow, Fault> {
        let seed = draw(&*self.entropy)?;
        Ok(LinkRow {
            key: LinkKey::from_bytes(row_key(Purpose::Link(new.purpose), &seed)),
            version: 1,
            purpose: new.purpose,
            seed: Some(LinkSeed::from_bytes(seed)),
            subject: LinkSubject::Account(new.account.id),
            address: new.to.clone(),
            epoch: new.purpose.dies_with_epoch().then_some(new.account.auth_epoch),
            state: LinkState::Live,
            tries: 0,
            issued_at: now,
            expires_at: new.opens_at.plus(new.lives),
            ended_at: None,
            opens_at: new.opens_at,
            concerns: new.concerns,
            answer: new.answer,
        })
    }

    /// The mail that carries `link` to its address, due when the link opens.
    pub(crate) fn link_mail(
        &self,
        kind: MailKind,
        link: &LinkRow,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<OutboxRow, Fault> {
        let mut mail = self.mail(kind, &link.address, now, link.expires_at)?;
        mail.account = Some(account.id);
        mail.link = Some(link.key);
        mail.next_at = link.opens_at.max(now);
        Ok(mail)
    }

    /// Tells the owner of a change that protects their account, with a link that says "this was not me" (MAIL-6).
    ///
    /// The link belongs to the change that `work` is, so it survives whatever is changed afterwards.
    pub(crate) fn add_notice(
        &self,
        work: UnitOfWork,
        kind: MailKind,
        account: &AccountRow,
        facts: &serde_json::Value,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let link = self.account_link(
            NewLink {
                purpose: LinkPurpose::NotMe,
                account,
                to: &account.email,
                opens_at: now,
                lives: self.config.notices.not_me,
                concerns: Some(ChangeId::from_bytes(*work.id().as_bytes())),
                answer: Answer::Waived,
            },
            now,
        )?;
        let mail = self.notice_mail(kind, &link, account, facts, now)?;
        Ok(work
            .change(Change::Link(Box::new(Write::Insert(link))))
            .mail(mail))
    }

    /// A notice that carries `link` and outlives it: what has happened is told in any case.
    pub(crate) fn notice_mail(
        &self,
        kind: MailKind,
        link: &LinkRow,
        account: &AccountRow,
        facts: &serde_json::Value,
        now: Timestamp,
    ) -> Result<OutboxRow, Fault> {
        let mut mail = self.link_mail(kind, link, account, now)?;
        mail.expires_at = now.plus(self.config.mail.kept);
        mail.facts = facts.to_string();
        Ok(mail)
    }

    /// The link of a genuine token for `purpose` that still works, and its account, whatever that account's status.
    ///
    /// The tag is checked before any query, so a forged token, or one of another purpose, costs none (I-12).
    pub(crate) async fn live_account_link(
        &self,
        purpose: LinkPurpose,
        token: &LinkToken,
    ) -> Result<(LinkRow, AccountRow), Denied<LinkRefused>> {
        let unknown = || Denied::Refused(LinkRefused::Unknown);
        let key = self.link_key(purpose, token).ok_or_else(unknown)?;
        let view = self.store.by_link(key).await?.ok_or_else(unknown)?;
        let now = self.now();
        if view.link.purpose != purpose || !self.believed("link", view.link.issued_at, now) {
            return Err(unknown());
        }
        let Subject::Account(account) = view.subject else {
            return Err(Denied::Refused(LinkRefused::Ended));
        };
        view.link.judge(&account, now).map_err(Denied::Refused)?;
        Ok((view.link, *account))
    }

    /// The masked address that the page of a link that takes something back asks for.
    pub(crate) async fn take_back_page(
        &self,
        purpose: LinkPurpose,
        token: &LinkToken,
    ) -> Result<String, Denied<LinkRefused>> {
        let (link, _) = self.live_account_link(purpose, token).await?;
        Ok(link.address.masked())
    }

    /// The link of a genuine token that takes something back, if the address that its mail went to was typed besides.
    ///
    /// Programs that open links and press buttons have the token, but type nothing (MAIL-6).
    pub(crate) async fn link_to_take_back(
        &self,
        purpose: LinkPurpose,
        token: &LinkToken,
        typed: &str,
    ) -> Result<(LinkRow, AccountRow), Denied<TakeBackRefused>> {
        let found = self.live_account_link(purpose, token).await;
        let (link, account) = found.map_err(|e| e.map(TakeBackRefused::Link))?;
        if typed.trim().is_empty() {
            return Err(Denied::Refused(TakeBackRefused::AddressRequired));
        }
        if EmailAddress::parse(typed).ok().as_ref() != Some(&link.address) {
            return Err(Denied::Refused(TakeBackRefused::OtherAddress));
        }
        Ok((link, account))
    }
}
