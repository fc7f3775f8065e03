//! What an administrator did to an account, as its owner is told (E21).

/// What an administrator did to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdministratorAct {
    /// It was disabled.
    Disabled,
    /// It was enabled.
    Enabled,
    /// Its sessions were ended.
    SessionsEnded,
    /// The waits after too many tries were lifted.
    Unlocked,
    /// Its second step was turned off.
    TwoStepCleared,
    /// A reset of its password was started.
    ResetStarted,
}

impl AdministratorAct {
    pub(crate) const ALL: [Self; 6] = [
        Self::Disabled,
        Self::Enabled,
        Self::SessionsEnded,
        Self::Unlocked,
        Self::TwoStepCleared,
        Self::ResetStarted,
    ];

    /// The word in the facts of a mail.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::SessionsEnded => "sessions-ended",
            Self::Unlocked => "unlocked",
            Self::TwoStepCleared => "two-step-cleared",
            Self::ResetStarted => "reset-started",
        }
    }

    /// Reads the word in the facts of a mail.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }
}
