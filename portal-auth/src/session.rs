//! Sessions: what a browser proved, when, and for how long that counts.

use std::time::Duration;

use crate::account::snapshot::AccountId;
use crate::account::status::{AuthEpoch, Status, TwoStep};
use crate::environment::Timestamp;
use crate::key::key_type;

key_type! {
    /// Finds a session: the first 16 bytes of SHA-256 over its purpose and the token's random part.
    SessionKey, 16
}

key_type! {
    /// Names a session in its owner's list. It is not the token and opens nothing (SES-7).
    SessionHandle, 16
}

/// What a session proved. It belongs to the session, never to the account (STP-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every gate must say which it needs")]
pub enum Level {
    /// A password.
    One,
    /// A password and a mailed code, in this same session.
    Two,
}

impl Level {
    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Two => "two",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::One, Self::Two].into_iter().find(|l| l.as_str() == word)
    }
}

/// A session as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct SessionRow {
    /// Finds it.
    pub key: SessionKey,
    /// Names it in lists.
    pub handle: SessionHandle,
    /// Whose it is.
    pub account: AccountId,
    /// The account's epoch when it was made; another one there means it is dead.
    pub epoch: AuthEpoch,
    /// What it proved.
    pub level: Level,
    /// When its person signed in; a renewed session keeps it, so the absolute limit holds (I-19).
    pub created_at: Timestamp,
    /// The last activity that was written down.
    pub last_seen: Timestamp,
    /// When its person last proved who they are (STP-3).
    pub confirmed_at: Timestamp,
    /// From when on it is dead, whatever its activity; purge goes by it.
    pub expires_at: Timestamp,
    /// Browser and system in words, such as "Firefox on Windows".
    pub label: String,
    /// The coarse network it came from, such as "192.0.2.x"; empty when unknown.
    pub network: String,
}

/// A session beside what decides whether it lives: one row of one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct SessionView {
    /// The session.
    pub session: SessionRow,
    /// The account's present epoch.
    pub account_epoch: AuthEpoch,
    /// The account's present status.
    pub account_status: Status,
    /// The owner's present choice about the second step.
    pub account_two_step: TwoStep,
}

/// Why a session does not count any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionEnd {
    /// No activity for the idle limit.
    Idle,
    /// The absolute limit was reached.
    Absolute,
    /// Ended from outside: another epoch, a disabled account, or the row is gone.
    Revoked,
}

impl SessionView {
    /// Whether the session counts at `now`, given its last activity.
    ///
    /// `last_seen` is the newer of the stored stamp and the one this process still keeps. Exact at the boundary: it
    /// lives while `now - last_seen < idle` and `now < expires_at` (SES-3). A row that claims to be more than
    /// `skew` from the future is refused (CLK-2).
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check(
        &self,
        now: Timestamp,
        last_seen: Timestamp,
        idle: Duration,
        skew: Duration,
    ) -> Result<(), SessionEnd> {
        let alive = self.session.epoch == self.account_epoch && self.account_status.is_active();
        if !alive || last_seen > now.plus(skew) || self.session.created_at > now.plus(skew) {
            return Err(SessionEnd::Revoked);
        }
        if now >= self.session.expires_at {
            return Err(SessionEnd::Absolute);
        }
        if now.since(last_seen) >= idle {
            return Err(SessionEnd::Idle);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::rows::{self, MICRO, T0, at};

    const IDLE: Duration = Duration::from_secs(1800);
    const SKEW: Duration = Duration::from_secs(120);

    fn view() -> SessionView {
        let account = rows::account(1);
        SessionView {
            session: rows::session(1, &account),
            account_epoch: account.auth_epoch,
            account_status: Status::Active,
            account_two_step: TwoStep::Off,
        }
    }

    #[test]
    fn a_session_counts_in_its_accounts_present_epoch_and_while_the_account_is_active() {
        // SES-5, I-17, I-19: whether or not a sweep has found its row
        assert_eq!(view().check(T0, T0, IDLE, SKEW), Ok(()));
        let changed = SessionView {
            account_epoch: rows::epoch(2),
            ..view()
        };
        assert_eq!(changed.check(T0, T0, IDLE, SKEW), Err(SessionEnd::Revoked));
        let disabled = SessionView {
            account_status: Status::Disabled,
            ..view()
        };
        assert_eq!(disabled.check(T0, T0, IDLE, SKEW), Err(SessionEnd::Revoked));
    }

    #[test]
    fn limits_are_reached_at_their_microsecond() {
        // SES-3, CLK-2
        let check = |now, last_seen| view().check(now, last_seen, IDLE, SKEW);
        let seen = at(100);
        assert_eq!(check(seen.plus(IDLE).minus(MICRO), seen), Ok(()));
        assert_eq!(check(seen.plus(IDLE), seen), Err(SessionEnd::Idle));
        let end = view().session.expires_at;
        assert_eq!(check(end.minus(MICRO), end.minus(MICRO)), Ok(()));
        assert_eq!(check(end, end), Err(SessionEnd::Absolute));
        assert_eq!(check(seen, seen.plus(SKEW)), Ok(()), "a little ahead");
        let ahead = seen.plus(SKEW).plus(MICRO);
        assert_eq!(check(seen, ahead), Err(SessionEnd::Revoked));
        // Made further in the future than it is believed.
        let early = T0.minus(SKEW);
        assert_eq!(check(early, early), Ok(()));
        assert_eq!(check(early.minus(MICRO), early), Err(SessionEnd::Revoked));
    }
}
