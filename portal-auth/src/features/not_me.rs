//! "This was not me": what the owner of an account can do who is told of a change that somebody else has made.
//!
//! From the notice of a changed password, secret question or second step. By POST, with the address typed (MAIL-6). All
//! sessions end, sign-in closes until the password is reset by mail, and the mail for that is queued in the same commit. It
//! takes nothing back by itself and opens nothing: what it does is what the owner of the mailbox could do by "Forgotten
//! your password?", with the thief shut out first. The link belongs to the one change and works once. Mail: E5. Audited
//! as `not_me.done`.

use crate::account::snapshot::AccountRow;
use crate::account_links::{TakeBackRefused, void_pending};
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::issuing::end_everything;
use crate::link::{LinkPurpose, LinkRefused, LinkState};
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::recovering::ResetBegun;
use crate::secret::token::LinkToken;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

const DONE: Reason = Reason::new("not_me.done");

impl PortalAuth {
    /// The masked address that the page asks for; changes nothing, however often it is asked.
    ///
    /// # Errors
    /// `Refused` with what the page says instead.
    pub async fn not_me_page(&self, token: &LinkToken) -> Result<String, Denied<LinkRefused>> {
        self.inner.take_back_page(LinkPurpose::NotMe, token).await
    }

    /// Shuts everybody out until the password is reset by mail; `typed` is the address that the notice went to.
    ///
    /// # Errors
    /// `Refused` with what to say.
    pub async fn not_me(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        typed: &str,
    ) -> Result<(), Denied<TakeBackRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let (link, account) = inner.link_to_take_back(LinkPurpose::NotMe, token, typed).await?;
            let now = inner.now();
            let event = Event::new(DONE, Actor::Owner).about(account.id);
            let event = inner.seen_from(event, visitor, Some(&link.address));
            let work = UnitOfWork::new(inner.audit(event, now)?).change(Change::Link(Box::new(
                Write::Update(link.ended(LinkState::Used, now)),
            )));
            let work = inner.lock_and_recover(work, visitor, &account, now).await?;
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

impl Inner {
    async fn lock_and_recover(
        &self,
        work: UnitOfWork,
        visitor: &Visitor,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let row = AccountRow {
            locked: true,
            ..self.in_new_epoch(account, now)?
        };
        let work = work.change(Change::Account(Box::new(Write::Update(row.clone()))));
        let work = end_everything(work, &row, None);
        let mut work = void_pending(work, &row, Some(LinkPurpose::ResetPassword), now);
        for link in self.store.live_links(row.id).await? {
            if link.purpose == LinkPurpose::ResetPassword {
                let ended = link.ended(LinkState::Replaced, now);
                work = work.change(Change::Link(Box::new(Write::Update(ended))));
            }
        }
        // A disabled or closed account cannot be reset (RST-5).
        if !row.status.is_active() {
            return Ok(work);
        }
        let reset = self.reset_link_for(&row, self.config.recovery.link_lifetime, now)?;
        let browser = visitor.label();
        let mail = self.reset_mail(&reset, &row, ResetBegun::Asked { browser: &browser }, now)?;
        Ok(work
            .change(Change::Link(Box::new(Write::Insert(reset))))
            .mail(mail))
    }
}
