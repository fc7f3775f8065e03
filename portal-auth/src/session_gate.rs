//! The one gate that every signed-in act passes: finds the session, decides whether it lives, notes the activity.

use std::cmp::Reverse;

use crate::account::snapshot::AccountId;
use crate::account::status::TwoStep;
use crate::config::TwoStepPolicy;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault};
use crate::portal::Inner;
use crate::secret::keyring::row_key;
use crate::secret::token::{Purpose, SessionToken};
use crate::session::{Level, SessionEnd, SessionHandle, SessionKey, SessionRow, SessionView};
use crate::unit_of_work::Guard;

/// A person whose session lives, as one request knows them.
///
/// It is a value of one moment: do not keep it between requests (SES-9).
#[derive(Debug, Clone)]
pub struct SignedIn {
    view: SessionView,
    last_seen: Timestamp,
    policy: TwoStepPolicy,
}

impl SignedIn {
    /// The account.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.view.session.account
    }

    /// What this session proved.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.view.session.level
    }

    /// The session's name in its owner's list.
    #[must_use]
    pub const fn handle(&self) -> SessionHandle {
        self.view.session.handle
    }

    /// Whether the owner has turned the second step on, or the service demands it of everybody.
    #[must_use]
    pub fn asks_for_code(&self) -> bool {
        asks_for_code(self.policy, self.view.account_two_step)
    }

    /// The owner's own choice about the second step.
    #[must_use]
    pub const fn two_step(&self) -> TwoStep {
        self.view.account_two_step
    }

    /// When the person last proved who they are.
    #[must_use]
    pub const fn confirmed_at(&self) -> Timestamp {
        self.view.session.confirmed_at
    }

    /// The last activity before this request.
    #[must_use]
    pub const fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// When the person signed in.
    #[must_use]
    pub const fn signed_in_at(&self) -> Timestamp {
        self.view.session.created_at
    }

    /// From when on the session is dead whatever its activity.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.view.session.expires_at
    }

    pub(crate) const fn session(&self) -> &SessionRow {
        &self.view.session
    }

    /// Holds while nothing has ended the session through its account's epoch or status.
    pub(crate) const fn guard(&self) -> Guard {
        Guard::InEpoch {
            account: self.view.session.account,
            epoch: self.view.session.epoch,
        }
    }
}

/// Whether a sign-in asks for a code under `policy` for an owner who chose `two_step`.
pub(crate) const fn asks_for_code(policy: TwoStepPolicy, two_step: TwoStep) -> bool {
    match policy {
        TwoStepPolicy::Off => false,
        TwoStepPolicy::Optional | TwoStepPolicy::RequiredForAreas => matches!(two_step, TwoStep::Email),
        TwoStepPolicy::RequiredForAll => true,
    }
}

/// Whether a request counts as activity of its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it does or it does not")]
pub enum Activity {
    /// A person did something: the idle time starts again.
    Counts,
    /// A page asked by itself: the idle time goes on.
    Background,
}

impl Inner {
    /// The row key of a genuine session token.
    pub(crate) fn session_key(&self, token: &SessionToken) -> Option<SessionKey> {
        let seed = self.keyring.open(Purpose::Session, token.expose())?;
        Some(SessionKey::from_bytes(row_key(Purpose::Session, &seed)))
    }

    /// Whether the session of `view` counts at `now`, given its last activity; one from the future is logged (CLK-2).
    pub(crate) fn check_session(
        &self,
        view: &SessionView,
        last_seen: Timestamp,
        now: Timestamp,
    ) -> Result<(), SessionEnd> {
        if !self.believed("session", view.session.created_at.max(last_seen), now) {
            return Err(SessionEnd::Revoked);
        }
        view.check(now, last_seen, self.config.sessions.idle, self.config.clock_skew)
    }

    /// The sessions of an account that are not over, each with its last activity, the one used last first.
    pub(crate) async fn live_sessions_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<(SessionRow, Timestamp)>, Fault> {
        let now = self.now();
        let rows = self.store.sessions_of(account).await?;
        let used = rows.into_iter().map(|row| {
            let last_used = self.last_seen.of(row.key, row.last_seen);
            (row, last_used)
        });
        let mut live: Vec<_> = used
            .filter(|(row, last_used)| {
                now < row.expires_at && now.since(*last_used) < self.config.sessions.idle
            })
            .collect();
        live.sort_by_key(|(_, last_used)| Reverse(*last_used));
        Ok(live)
    }

    /// Finds the session of `token` and notes the activity, in one read and at most one write.
    pub(crate) async fn live_session(
        &self,
        token: &SessionToken,
        activity: Activity,
    ) -> Result<SignedIn, Denied<SessionEnd>> {
        let key = self
            .session_key(token)
            .ok_or(Denied::Refused(SessionEnd::Revoked))?;
        let Some(view) = self.store.session(key).await? else {
            self.last_seen.forget(key);
            return Err(Denied::Refused(SessionEnd::Revoked));
        };
        let now = self.now();
        let limits = &self.config.sessions;
        let stored = view.session.last_seen;
        let last_seen = self.last_seen.of(key, stored);
        if let Err(end) = self.check_session(&view, last_seen, now) {
            self.last_seen.forget(key);
            return Err(Denied::Refused(end));
        }
        // One of before the service demanded the second step of everybody: a sign-in asks for it now (STP-1, SES-6).
        if self.config.two_step == TwoStepPolicy::RequiredForAll && view.session.level < Level::Two {
            self.last_seen.forget(key);
            return Err(Denied::Refused(SessionEnd::Revoked));
        }
        if activity == Activity::Counts && self.last_seen.note(key, stored, now, limits.touch_after) {
            self.store.touch_many(&[(key, now)]).await?;
        }
        Ok(SignedIn {
            view,
            last_seen,
            policy: self.config.two_step,
        })
    }
}
