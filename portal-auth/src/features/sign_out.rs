//! Signing out: the session's row is deleted, and a second time does no harm (SES-4).
//!
//! Audited as `sign_out.done`. The host clears the session cookie and leaves the device cookie (THR-1).

use crate::audit::{Actor, Event};
use crate::error::{Denied, Fault, Reason};
use crate::portal::{ATTEMPTS, Commit, PortalAuth};
use crate::secret::token::SessionToken;
use crate::session_gate::Activity;
use crate::unit_of_work::{Sweep, UnitOfWork};
use crate::visitor::Visitor;

const SIGNED_OUT: Reason = Reason::new("sign_out.done");

impl PortalAuth {
    /// Ends the session of `token`; a token that holds none is fine.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails; the session may then still live, so say so rather than "signed out".
    pub async fn sign_out(&self, visitor: &Visitor, token: &SessionToken) -> Result<(), Fault> {
        let inner = &self.inner;
        for _ in 0..ATTEMPTS {
            let signed_in = match inner.live_session(token, Activity::Background).await {
                Ok(signed_in) => signed_in,
                Err(Denied::Fault(fault)) => return Err(fault),
                Err(_) => return Ok(()),
            };
            let now = inner.now();
            let event = inner.seen_from(Event::new(SIGNED_OUT, Actor::Owner), visitor, None);
            let key = signed_in.session().key;
            let work = UnitOfWork::new(inner.audit(event.about(signed_in.account()), now)?)
                .sweep(Sweep::EndSession(key));
            if inner.commit(work).await? == Commit::Done {
                inner.last_seen.forget(key);
                return Ok(());
            }
        }
        // Whoever is told that they are out must be.
        Err(Fault::transient("the session was not ended"))
    }
}
