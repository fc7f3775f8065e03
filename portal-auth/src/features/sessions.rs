//! Where the owner is logged in: the list, ending one of them, and ending all others (portal P26).
//!
//! The list names each session by a random handle, never by its token, with browser, first and last use and the coarse
//! network (SES-7). Ending asks for a proof not older than five minutes (STP-3). Ending all others gives the account a
//! new epoch, so that half-done sign-ins, links and familiar devices of everybody else die as well; the own session goes
//! on under a new token, with its sign-in time, its level and its last proof (SES-2, SES-5, I-19). Audited as
//! `sessions.ended`, `sessions.others_ended`. ASVS 7.4.3, 7.5.2.

use crate::account_links::void_pending;
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::issuing::RenewedSession;
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::secret::token::SessionToken;
use crate::session::{SessionEnd, SessionHandle, SessionRow};
use crate::session_gate::{Activity, SignedIn};
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// One place where the owner is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionEntry {
    /// Names it; it opens nothing.
    pub handle: SessionHandle,
    /// Browser and system in words, such as "Firefox on Windows".
    pub browser: String,
    /// The coarse network it came from, such as "192.0.2.x"; empty when unknown.
    pub network: String,
    /// When its person logged in.
    pub first_used: Timestamp,
    /// The last activity; up to a minute more recent where another process saw it.
    pub last_used: Timestamp,
    /// Whether it is the session that asks.
    pub is_this_one: bool,
}

/// What ending a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEnded {
    /// Another one was ended.
    Other,
    /// The asking one was: clear the session cookie.
    ThisOne,
}

/// Why no session was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndSessionRefused {
    /// The asking session has ended: sign in again.
    SessionEnded(SessionEnd),
    /// The last proof is too old: confirm first, then come back.
    Confirm,
    /// The owner has no such session: it ended meanwhile, or the handle is another account's. Not told apart.
    NotFound,
}

const ENDED: Reason = Reason::new("sessions.ended");
const OTHERS_ENDED: Reason = Reason::new("sessions.others_ended");

impl PortalAuth {
    /// Lists where the signed-in person is logged in, the session used last first.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn sessions(&self, signed_in: &SignedIn) -> Result<Vec<SessionEntry>, Fault> {
        let own = signed_in.session().key;
        let live = self.inner.live_sessions_of(signed_in.account()).await?;
        let entries = live.into_iter();
        Ok(entries
            .map(|(row, last_used)| entry(row, last_used, own))
            .collect())
    }

    /// Ends the owner's session that `handle` names; it may be the asking one.
    ///
    /// # Errors
    /// `Refused` with what to do first, or because there is no such session (any more).
    ///
    /// # Security
    /// A handle of another account's session is answered like one that never was.
    pub async fn end_session(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        handle: SessionHandle,
    ) -> Result<SessionEnded, Denied<EndSessionRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let signed_in = self.may_end(token).await?;
            let own = inner.store.sessions_of(signed_in.account()).await?;
            let Some(row) = own.into_iter().find(|row| row.handle == handle) else {
                return Err(Denied::Refused(EndSessionRefused::NotFound));
            };
            let event = Event::new(ENDED, Actor::Owner).about(signed_in.account());
            let event = inner.audit(inner.seen_from(event, visitor, None), inner.now())?;
            // A deletion that hits no row is a conflict: of many who press the button one ends it.
            let work = UnitOfWork::new(event)
                .guard(signed_in.guard())
                .change(Change::Session(Box::new(Write::Delete(row.key))));
            if inner.commit(work).await? == Commit::Done {
                inner.last_seen.forget(row.key);
                return Ok(if row.key == signed_in.session().key {
                    SessionEnded::ThisOne
                } else {
                    SessionEnded::Other
                });
            }
        }
        Err(contended())
    }

    /// Ends every other session, and everything else that was issued for the account before.
    ///
    /// # Errors
    /// `Refused` with what to do first.
    ///
    /// # Security
    /// The old token is worth nothing afterwards: set the new one in its place.
    pub async fn end_other_sessions(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
    ) -> Result<RenewedSession, Denied<EndSessionRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let signed_in = self.may_end(token).await?;
            let account = self
                .own_account(&signed_in)
                .await
                .map_err(|e| e.map(EndSessionRefused::SessionEnded))?;
            let now = inner.now();
            let event = Event::new(OTHERS_ENDED, Actor::Owner).about(account.id);
            let event = inner.audit(inner.seen_from(event, visitor, Some(&account.email)), now)?;
            let row = inner.in_new_epoch(&account, now)?;
            let work = UnitOfWork::new(event).change(Change::Account(Box::new(Write::Update(row.clone()))));
            let work = void_pending(work, &row, None, now);
            let (work, renewed) = inner.renew_in_epoch(work, &row, &signed_in, now, visitor)?;
            if inner.commit(work).await? == Commit::Done {
                inner.last_seen.forget(signed_in.session().key);
                return Ok(renewed);
            }
        }
        Err(contended())
    }

    async fn may_end(&self, token: &SessionToken) -> Result<SignedIn, Denied<EndSessionRefused>> {
        let signed_in = self
            .inner
            .live_session(token, Activity::Counts)
            .await
            .map_err(|e| e.map(EndSessionRefused::SessionEnded))?;
        if self.is_confirmed(&signed_in) {
            Ok(signed_in)
        } else {
            Err(Denied::Refused(EndSessionRefused::Confirm))
        }
    }
}

fn entry(row: SessionRow, last_used: Timestamp, own: crate::session::SessionKey) -> SessionEntry {
    SessionEntry {
        handle: row.handle,
        browser: row.label,
        network: row.network,
        first_used: row.created_at,
        last_used,
        is_this_one: row.key == own,
    }
}
