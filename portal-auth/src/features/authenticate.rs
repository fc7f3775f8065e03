//! Every request of a signed-in person: is the session alive, and what did it prove?
//!
//! The host calls [`PortalAuth::authenticate`] with the session cookie. Forged tokens cost no query. A session dies
//! after the idle limit, after the absolute limit, and at once when the account's epoch moves or it is disabled
//! (SES-3, SES-5); nothing is cached between requests (SES-9). Nothing is audited: a request is not a decision about
//! the account.

use crate::account::snapshot::AccountRow;
use crate::audit::AuditRow;
use crate::error::{Denied, Fault};
use crate::portal::PortalAuth;
use crate::secret::token::SessionToken;
use crate::session::SessionEnd;
use crate::session_gate::{Activity, SignedIn};

impl PortalAuth {
    /// Tells who is signed in under `token`, and notes that they are active.
    ///
    /// # Errors
    /// `Refused` with the reason the session ended: show the sign-in page, with the words for a time-out where it
    /// was [`SessionEnd::Idle`] or [`SessionEnd::Absolute`]. A fault must be answered as "not signed in" with status
    /// 503 or 500, never by letting the request through (DB-5).
    ///
    /// # Cancel safety
    /// Nothing is lost but the note of this activity.
    pub async fn authenticate(&self, token: &SessionToken) -> Result<SignedIn, Denied<SessionEnd>> {
        self.inner.live_session(token, Activity::Counts).await
    }

    /// As [`authenticate`](Self::authenticate), for a request that a page made by itself: it does not keep the
    /// session alive.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn peek(&self, token: &SessionToken) -> Result<SignedIn, Denied<SessionEnd>> {
        self.inner.live_session(token, Activity::Background).await
    }

    /// Reads the account of a signed-in person.
    ///
    /// Its profile is brought up to the present schema where that can be done; [`profile`](Self::profile) says so
    /// where it cannot.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails or the account is gone.
    pub async fn account(&self, signed_in: &SignedIn) -> Result<AccountRow, Fault> {
        let found = self.inner.store.by_id(signed_in.account()).await?;
        let mut account = found.ok_or_else(|| Fault::transient("the account of a live session is gone"))?;
        let schema = &self.inner.config.registration.profile;
        if account.profile.version != schema.version() {
            match schema.upgrade(account.profile.clone()) {
                Ok(profile) => account.profile = profile,
                // Signing out and the like must not depend on it.
                Err(e) => tracing::error!(account = %account.id, "a profile cannot be upgraded: {e}"),
            }
        }
        Ok(account)
    }

    /// The account of a session that is about to act, as long as nothing has ended that session since it was found.
    ///
    /// Between the two readings another request may have given the account a new epoch: whatever that ended must not
    /// act on the account as it is now (SES-5, I-17).
    pub(crate) async fn own_account(&self, signed_in: &SignedIn) -> Result<AccountRow, Denied<SessionEnd>> {
        let account = self.account(signed_in).await?;
        if account.auth_epoch == signed_in.session().epoch && account.status.is_active() {
            Ok(account)
        } else {
            Err(Denied::Refused(SessionEnd::Revoked))
        }
    }

    /// Lists the newest decisions about the signed-in person's account, of the given kinds where any are given.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn activity(
        &self,
        signed_in: &SignedIn,
        kinds: &[&str],
        most: u32,
    ) -> Result<Vec<AuditRow>, Fault> {
        Ok(self
            .inner
            .store
            .activity(signed_in.account(), kinds, most)
            .await?)
    }
}
