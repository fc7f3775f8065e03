//! Mailed links of an account: how they are made, found, judged and put into a mail, in one place for all features.
//!
//! A link that gives something (a new password, a new address) carries the account's epoch and dies with it. A link
//! that takes something back (cancel, freeze, "not me", restore) belongs to one change instead, and ends by use or
//! expiry only (TOK-3, SES-5).

use std::time::Duration;

use crate::account::email::EmailAddress;
use crate::account::snapshot::AccountRow;
use crate::environment::{Timestamp, draw};
use crate::error::{Denied, Fault};
use crate::link::{
    Answer, ChangeId, LinkKey, LinkPurpose, LinkRefused, LinkRow, LinkSeed, LinkState, LinkSubject,
};
use crate::mail::outbox::{MailKind, OutboxRow};
use crate::portal::Inner;
use crate::secret::keyring::row_key;
use crate::secret::token::{LinkToken, Purpose};
use crate::store::Subject;

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
        // A row from the future is not believed (CLK-2).
        if view.link.purpose != purpose || view.link.issued_at > now.plus(self.config.clock_skew) {
            return Err(unknown());
        }
        let Subject::Account(account) = view.subject else {
            return Err(Denied::Refused(LinkRefused::Ended));
        };
        view.link.judge(&account, now).map_err(Denied::Refused)?;
        Ok((view.link, *account))
    }
}
