//! Remembering the language that a person wants to be written to in.
//!
//! A host calls it when somebody who is signed in chooses a language; for everybody else the choice stays in the
//! browser, and the account gets it when it is made. From then on mails to its owner that somebody else causes are in
//! that language as well. It protects nothing, so it asks for no fresh proof and ends no session. No mail. Audited as
//! `language.chosen`.

use crate::account::snapshot::AccountRow;
use crate::audit::{Actor, Event};
use crate::error::{Denied, Reason};
use crate::language::LanguageTag;
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::secret::token::SessionToken;
use crate::session::SessionEnd;
use crate::session_gate::Activity;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// Why the choice was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LanguageRefused {
    /// The session has ended: keep the choice in the browser alone.
    SessionEnded(SessionEnd),
}

const CHOSEN: Reason = Reason::new("language.chosen");

impl PortalAuth {
    /// Keeps the language in the account; does nothing where it is there already.
    ///
    /// Any well-formed tag is kept: offer only languages that there are texts in.
    ///
    /// # Errors
    /// `Refused` when the session has ended: show the page in the chosen language all the same.
    ///
    /// # Cancel safety
    /// Either all of it happened or nothing.
    pub async fn choose_language(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        language: &LanguageTag,
    ) -> Result<(), Denied<LanguageRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let signed_in = inner
                .live_session(token, Activity::Counts)
                .await
                .map_err(|e| e.map(LanguageRefused::SessionEnded))?;
            let account = self
                .own_account(&signed_in)
                .await
                .map_err(|e| e.map(LanguageRefused::SessionEnded))?;
            if account.language.as_ref() == Some(language) {
                return Ok(());
            }
            let now = inner.now();
            let event = Event::new(CHOSEN, Actor::Owner).about(account.id);
            let event = inner.audit(inner.seen_from(event, visitor, Some(&account.email)), now)?;
            let row = AccountRow {
                language: Some(language.clone()),
                updated_at: now,
                ..account
            };
            let work = UnitOfWork::new(event).change(Change::Account(Box::new(Write::Update(row))));
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}
