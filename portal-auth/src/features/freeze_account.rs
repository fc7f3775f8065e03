//! Freezing an account whose address was changed, from the notice at the former address (CHG-2).
//!
//! By POST, with the address typed (MAIL-6). Whoever lost the account to a thief has no session, no password that works
//! and no mailbox that counts: this closes the account for everybody. Sessions end, sign-in closes, the administrators are
//! told by mail, and only they open it again. The link belongs to the one change, not to an epoch, so nothing that a thief
//! changes afterwards takes it away. Audited as `change_email.frozen`.

use crate::account::snapshot::AccountRow;
use crate::account::status::{Status, StatusChange};
use crate::account_links::{TakeBackRefused, void_pending};
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::issuing::end_everything;
use crate::link::{LinkPurpose, LinkRefused, LinkRow, LinkState};
use crate::mail::outbox::MailKind;
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::secret::token::LinkToken;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

const FROZEN: Reason = Reason::new("change_email.frozen");

impl PortalAuth {
    /// The masked address that the page asks for; changes nothing, however often it is asked.
    ///
    /// # Errors
    /// `Refused` with what the page says instead.
    pub async fn freeze_account_page(&self, token: &LinkToken) -> Result<String, Denied<LinkRefused>> {
        self.inner.take_back_page(LinkPurpose::FreezeAccount, token).await
    }

    /// Closes the account for everybody until an administrator opens it; `typed` is the address that the mail went to.
    ///
    /// # Errors
    /// `Refused` with what to say.
    pub async fn freeze_account(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        typed: &str,
    ) -> Result<(), Denied<TakeBackRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let (link, account) = inner
                .link_to_take_back(LinkPurpose::FreezeAccount, token, typed)
                .await?;
            let now = inner.now();
            let event = Event::new(FROZEN, Actor::Owner).about(account.id);
            let event = inner.seen_from(event, visitor, Some(&link.address));
            let mut work = UnitOfWork::new(inner.audit(event, now)?).change(Change::Link(Box::new(
                Write::Update(link.ended(LinkState::Used, now)),
            )));
            // One that is switched off already stays so.
            if let Some(status) = account.status.after(StatusChange::Freeze) {
                work = inner.freeze(work, &link, &account, status, now)?;
            }
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

impl Inner {
    fn freeze(
        &self,
        work: UnitOfWork,
        link: &LinkRow,
        account: &AccountRow,
        status: Status,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let row = AccountRow {
            status,
            ..self.in_new_epoch(account, now)?
        };
        let work = work.change(Change::Account(Box::new(Write::Update(row.clone()))));
        let mut work = void_pending(end_everything(work, &row, None), &row, None, now);
        let facts = serde_json::json!({ "from": link.address.as_str() }).to_string();
        for administrator in &self.config.administrators {
            let until = now.plus(self.config.mail.kept);
            let mut mail = self.mail(MailKind::AccountFrozen, administrator, now, until)?;
            mail.account = Some(row.id);
            mail.facts.clone_from(&facts);
            work = work.mail(mail);
        }
        Ok(work)
    }
}
