//! Reports of changes, and the port to where they are kept.

use std::fmt;

use async_trait::async_trait;
use jiff::civil::Date;
use portal_auth::account::snapshot::AccountId;
use portal_auth::environment::Timestamp;
use portal_auth::mail::outbox::MailId;
use portal_auth::store::StoreError;

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the radios of the page")]
pub enum Change {
    /// Another role.
    NewRole,
    /// Another organisation.
    NewOrganisation,
    /// Another name.
    NewName,
    /// The person has left the organisation, or will.
    Left,
    /// Anything else; the details say what.
    Other,
}

impl Change {
    /// In the order of the page.
    pub const ALL: [Self; 5] = [
        Self::NewRole,
        Self::NewOrganisation,
        Self::NewName,
        Self::Left,
        Self::Other,
    ];

    /// As forms and rows have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NewRole => "new-role",
            Self::NewOrganisation => "new-organisation",
            Self::NewName => "new-name",
            Self::Left => "left",
            Self::Other => "other",
        }
    }

    /// The change with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.word() == word)
    }

    /// As pages and mails have it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NewRole => "New role",
            Self::NewOrganisation => "New organisation",
            Self::NewName => "New name",
            Self::Left => "Left the organisation",
            Self::Other => "Other",
        }
    }
}

/// What somebody has told, as it is kept.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row")]
pub struct Report {
    /// Its name, and that of the mails about it.
    pub id: MailId,
    /// Who told it.
    pub account: AccountId,
    /// What people call it: `CC-7F3K-92QD`.
    pub reference: String,
    /// What has changed.
    pub change: Change,
    /// The day of the change.
    pub on: Date,
    /// In the person's own words; lines end with `\n`. May be empty.
    pub details: String,
    /// When it was told.
    pub reported_at: Timestamp,
    /// When the mails about it were queued; `None` until then.
    pub told_at: Option<Timestamp>,
}

impl fmt::Debug for Report {
    /// Without a person's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("reference", &self.reference)
            .field("account", &self.account)
            .field("told_at", &self.told_at)
            .finish_non_exhaustive()
    }
}

/// How many reports one account may file.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "both are always said")]
pub struct Window {
    /// Reports after this moment count.
    pub since: Timestamp,
    /// How many may be there afterwards.
    pub most: i64,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer each")]
pub enum Filed {
    /// It is kept now.
    New(Report),
    /// It was kept before, as this one.
    Before(Report),
    /// The window is full; `first` of those in it was filed then.
    TooMany {
        /// When the oldest report of the window was filed.
        first: Timestamp,
    },
    /// There is no such account.
    NoAccount,
}

/// Where reports are kept.
#[async_trait]
pub trait Reports: fmt::Debug + Send + Sync {
    /// Keeps a report, unless one of its name is kept already, the window is full, or the account is gone. Looking,
    /// counting and writing must be one transaction: of two calls at once, one counts the other's.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another report of the account was filed in the same moment or the reference is
    /// taken: draw and ask again. Else as the library's ports.
    async fn file(&self, report: &Report, window: Window) -> Result<Filed, StoreError>;

    /// The reports of an account, the newest first.
    ///
    /// # Errors
    /// As the library's ports.
    async fn of_account(&self, account: AccountId, most: i64) -> Result<Vec<Report>, StoreError>;

    /// Reports with a mail that is due, the one due longest first. A new report is due at once.
    ///
    /// # Errors
    /// As the library's ports.
    async fn due(&self, now: Timestamp, most: i64) -> Result<Vec<Report>, StoreError>;

    /// Notes that what was due is queued, and when the next mail is due, if any. Safe to repeat.
    ///
    /// # Errors
    /// As the library's ports.
    async fn told(&self, id: MailId, at: Timestamp, next: Option<Timestamp>) -> Result<(), StoreError>;

    /// Removes the reports of accounts that are there no longer. Safe to repeat.
    ///
    /// # Errors
    /// As the library's ports.
    async fn forget_the_gone(&self) -> Result<(), StoreError>;
}
