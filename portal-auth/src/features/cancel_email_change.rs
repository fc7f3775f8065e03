//! Taking a change of address back before it is confirmed, from the notice at the present address (CHG-2).
//!
//! By POST, with the address typed, so that programs that open links and press buttons do nothing (MAIL-6). It belongs to
//! one change: it survives a new epoch, and leaves a later change alone. The page is the same where the new address was
//! taken and nothing waited at all (CHG-3). Audited as `change_email.cancelled`.

use crate::account_links::TakeBackRefused;
use crate::audit::{Actor, Event};
use crate::error::{Denied, Reason};
use crate::link::{ChangeId, LinkPurpose, LinkRefused, LinkState};
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::secret::token::LinkToken;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

const CANCELLED: Reason = Reason::new("change_email.cancelled");

impl PortalAuth {
    /// The masked address that the page asks for; changes nothing, however often it is asked.
    ///
    /// # Errors
    /// `Refused` with what the page says instead.
    pub async fn cancel_email_change_page(&self, token: &LinkToken) -> Result<String, Denied<LinkRefused>> {
        self.inner
            .take_back_page(LinkPurpose::CancelEmailChange, token)
            .await
    }

    /// Ends the change of address that the link belongs to; `typed` is the address that its mail went to.
    ///
    /// # Errors
    /// `Refused` with what to say.
    pub async fn cancel_email_change(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        typed: &str,
    ) -> Result<(), Denied<TakeBackRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let (link, account) = inner
                .link_to_take_back(LinkPurpose::CancelEmailChange, token, typed)
                .await?;
            let now = inner.now();
            let event = Event::new(CANCELLED, Actor::Owner).about(account.id);
            let event = inner.seen_from(event, visitor, Some(&link.address));
            let mut work = UnitOfWork::new(inner.audit(event, now)?).change(Change::Link(Box::new(
                Write::Update(link.ended(LinkState::Used, now)),
            )));
            // A change is named by the link that confirms it; of that link's row, one of the two commits wins.
            for other in inner.store.live_links(account.id).await? {
                let confirms = other.purpose == LinkPurpose::ConfirmEmail
                    && link.concerns == Some(ChangeId::from(other.key));
                let cancels = other.purpose == link.purpose && other.concerns == link.concerns;
                if confirms || cancels && other.key != link.key {
                    let ended = other.ended(LinkState::Void, now);
                    work = work.change(Change::Link(Box::new(Write::Update(ended))));
                }
            }
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}
