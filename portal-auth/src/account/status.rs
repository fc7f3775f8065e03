//! Whether an account may be used, and the whole table of how that changes.

use crate::key::key_type;

key_type! {
    /// Changes whenever everything that was issued for the account must die at once (SES-5).
    ///
    /// Random, compared for equality only: an older one can never come back by counting.
    AuthEpoch, 8
}

/// Whether an account may be used. A registration that was not activated is no account, so it is not in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every rule must say what it means for each status"
)]
pub enum Status {
    /// In use.
    Active,
    /// An administrator switched it off, or its owner froze it from a former address.
    Disabled,
    /// Its owner closed it; the address stays claimed until the grace is over.
    Closed,
}

/// What may happen to an account's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the table below must cover every act")]
pub enum StatusChange {
    /// An administrator switches it off.
    Disable,
    /// Its owner freezes it from a former address.
    Freeze,
    /// An administrator switches it on again.
    Enable,
    /// Its owner closes it.
    Close,
    /// Its owner takes the closing back.
    Restore,
}

impl Status {
    /// The status after `change`, or `None` where the change does not apply.
    #[must_use]
    pub const fn after(self, change: StatusChange) -> Option<Self> {
        match (self, change) {
            // Disabled and enabled, a closed one would be back without its owner (CHG-5).
            (Self::Active, StatusChange::Disable) | (Self::Active | Self::Closed, StatusChange::Freeze) => {
                Some(Self::Disabled)
            }
            (Self::Disabled, StatusChange::Enable) | (Self::Closed, StatusChange::Restore) => {
                Some(Self::Active)
            }
            (Self::Active, StatusChange::Close) => Some(Self::Closed),
            (Self::Active, StatusChange::Enable | StatusChange::Restore)
            | (
                Self::Disabled,
                StatusChange::Disable | StatusChange::Freeze | StatusChange::Close | StatusChange::Restore,
            )
            | (Self::Closed, StatusChange::Disable | StatusChange::Enable | StatusChange::Close) => None,
        }
    }

    /// Whether anybody can sign in, reset or hold a session (I-07).
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }

    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Closed => "closed",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Active, Self::Disabled, Self::Closed]
            .into_iter()
            .find(|s| s.as_str() == word)
    }
}

/// The owner's choice about the second step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new method changes sign-in everywhere and must break it"
)]
pub enum TwoStep {
    /// A password is enough.
    Off,
    /// A code mailed to the account's address is asked for as well.
    Email,
}

impl TwoStep {
    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Email => "email",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Off, Self::Email].into_iter().find(|s| s.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_account_may_be_used() {
        // I-07
        assert!(Status::Active.is_active());
        assert!(!Status::Disabled.is_active());
        assert!(!Status::Closed.is_active());
    }

    #[test]
    fn a_disabled_account_comes_back_only_by_an_administrator() {
        assert_eq!(Status::Disabled.after(StatusChange::Enable), Some(Status::Active));
        assert_eq!(Status::Disabled.after(StatusChange::Restore), None);
        assert_eq!(Status::Disabled.after(StatusChange::Close), None);
        assert_eq!(Status::Closed.after(StatusChange::Enable), None);
        assert_eq!(Status::Closed.after(StatusChange::Restore), Some(Status::Active));
    }

    #[test]
    fn a_closed_account_is_frozen_by_its_owner_and_disabled_by_nobody() {
        // CHG-5
        assert_eq!(Status::Closed.after(StatusChange::Disable), None);
        assert_eq!(Status::Closed.after(StatusChange::Freeze), Some(Status::Disabled));
    }

    #[test]
    fn words_read_back() {
        for s in [Status::Active, Status::Disabled, Status::Closed] {
            assert_eq!(Status::from_word(s.as_str()), Some(s));
        }
        assert_eq!(Status::from_word("Active"), None);
        for t in [TwoStep::Off, TwoStep::Email] {
            assert_eq!(TwoStep::from_word(t.as_str()), Some(t));
        }
    }
}
