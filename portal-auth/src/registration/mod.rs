//! Registration in steps: what was typed so far (`draft`), and what was submitted and waits for its link.
//!
//! A registration is not an account and reserves nothing: two people may have one for the same address, each with
//! its own link and password. The account is made when somebody opens a link and enters the password of that same
//! registration; the address's other registrations end with it.
//!
//! One that an administrator has prepared has no password. Its link begins the steps anew in whatever browser opens it,
//! with what was prepared filled in, and the account is made when a password was chosen there.

use crate::account::chosen_question::ChosenQuestion;
use crate::account::email::EmailAddress;
use crate::account::profile::StoredProfile;
use crate::environment::Timestamp;
use crate::key::key_type;
use crate::link::LinkKey;
use crate::password::hash::StoredHash;

pub mod draft;

key_type! {
    /// Names a submitted registration.
    RegistrationId, 16
}

/// Where a submitted registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every page must say something about each state"
)]
pub enum RegistrationState {
    /// Waits for its link and password.
    Submitted,
    /// Became an account.
    Activated,
    /// Ended because its person used another address instead.
    GivenUp,
    /// Ended because another registration of the address was completed.
    Overtaken,
    /// Ended after too many wrong passwords on its page (ACT-2).
    Exhausted,
}

impl RegistrationState {
    const ALL: [Self; 5] = [
        Self::Submitted,
        Self::Activated,
        Self::GivenUp,
        Self::Overtaken,
        Self::Exhausted,
    ];

    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Activated => "activated",
            Self::GivenUp => "given_up",
            Self::Overtaken => "overtaken",
            Self::Exhausted => "exhausted",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// What a registration carries until it ends: everything the account will be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct RegistrationData {
    /// The hash of the password chosen at the first step, or the one an administrator has imported; `None` where one has
    /// prepared it without, and then no account is made of it: see [`complete`](Self::complete).
    pub password: Option<StoredHash>,
    /// The secret question, where the service asks one.
    pub question: Option<ChosenQuestion>,
    /// The hash of its answer.
    pub answer: Option<StoredHash>,
    /// The profile's sections.
    pub profile: StoredProfile,
}

impl RegistrationData {
    /// Whether an administrator has made it: nobody can bring a hash along but they.
    #[must_use]
    pub fn is_by_administrator(&self) -> bool {
        self.password.as_ref().is_none_or(StoredHash::is_imported)
    }

    /// What the account is made of; `None` while nobody has chosen a password.
    #[must_use]
    pub fn complete(self) -> Option<AccountData> {
        Some(AccountData {
            password: self.password?,
            question: self.question,
            answer: self.answer,
            profile: self.profile,
        })
    }
}

/// Everything an account is made of, with a password that was chosen for it: there is no other way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountData {
    /// The hash of the chosen password.
    pub password: StoredHash,
    /// The secret question, where the service asks one.
    pub question: Option<ChosenQuestion>,
    /// The hash of its answer.
    pub answer: Option<StoredHash>,
    /// The profile's sections.
    pub profile: StoredProfile,
}

impl AccountData {
    /// What an account is made of.
    #[must_use]
    pub const fn new(
        password: StoredHash,
        question: Option<ChosenQuestion>,
        answer: Option<StoredHash>,
        profile: StoredProfile,
    ) -> Self {
        Self {
            password,
            question,
            answer,
            profile,
        }
    }
}

impl From<AccountData> for RegistrationData {
    fn from(data: AccountData) -> Self {
        Self {
            password: Some(data.password),
            question: data.question,
            answer: data.answer,
            profile: data.profile,
        }
    }
}

/// A submitted registration as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct RegistrationRow {
    /// Its name.
    pub id: RegistrationId,
    /// Rises by one with every update; 1 when inserted.
    pub version: i64,
    /// The address it was made for.
    pub email: EmailAddress,
    /// Where it stands.
    pub state: RegistrationState,
    /// Everything the account will be made of; gone once the registration has ended.
    pub data: Option<RegistrationData>,
    /// Its one link.
    pub link: LinkKey,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// Until when an expired link can be replaced by a new one; the row is purged afterwards.
    pub kept_until: Timestamp,
}

impl RegistrationRow {
    /// Whether an administrator has made it, with an imported password or with none: no stranger stands behind it.
    #[must_use]
    pub fn is_by_administrator(&self) -> bool {
        self.data
            .as_ref()
            .is_some_and(RegistrationData::is_by_administrator)
    }

    /// Whether an administrator has prepared it without a password, so that its person is still to choose a password.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.data.as_ref().is_some_and(|data| data.password.is_none())
    }
}
