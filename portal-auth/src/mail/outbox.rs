//! The outbox: a mail is a row in the commit of what caused it, and text only when it is sent.
//!
//! A row says which kind of mail goes to whom and which link or challenge it is about. No rendered text, no link and
//! no code is ever at rest (MAIL-8, TOK-2).

use std::time::Duration;

use serde_json::Value;

use crate::account::email::EmailAddress;
use crate::account::snapshot::AccountId;
use crate::challenge::ChallengeKey;
use crate::environment::Timestamp;
use crate::key::key_type;
use crate::link::LinkKey;
use crate::visitor::Visitor;

key_type! {
    /// Names a mail; constant over all attempts, so it is the left side of the `Message-ID`.
    MailId, 16
}

/// The kinds of mail, by their id in the portal's table (E1 …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every kind needs its wording, its urgency and its rules"
)]
pub enum MailKind {
    /// E1: complete your registration.
    CompleteRegistration,
    /// E2: the address already has an account.
    AlreadyRegistered,
    /// E3: the account is ready.
    AccountReady,
    /// E4: your code.
    SignInCode,
    /// E11: two-step verification was turned on or off.
    TwoStepChanged,
    /// E13: too many tries.
    TooManyTries,
    /// E5: reset your password.
    ResetPassword,
    /// E6: the address has no account.
    NoAccount,
    /// E7: the password was changed.
    PasswordChanged,
    /// E8: confirm the new address.
    ConfirmEmail,
    /// E9: the address is being changed.
    EmailBeingChanged,
    /// E10: the secret question was changed.
    SecretQuestionChanged,
    /// E12: a sign-in from a browser not seen before.
    NewDevice,
    /// A notice of the host, such as E14; its words are in its facts.
    Host,
    /// E15: the account will be closed.
    AccountClosing,
    /// E16: a reset without the secret answer was asked for.
    RecoveryAsked,
    /// E17: the recovery is paused.
    RecoveryPaused,
    /// E18: sign-in attempts on the account.
    UnusualSignIn,
    /// E19: the address was changed.
    EmailChanged,
    /// E20: the address was entered for another account.
    AddressEntered,
    /// E21: an administrator acted.
    AdministratorActed,
    /// Tells an administrator that an owner has frozen an account.
    AccountFrozen,
}

/// Which mails go first when many wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the claim order is part of every store's statement"
)]
pub enum Urgency {
    /// Somebody is waiting in front of a code field.
    Code,
    /// Somebody is waiting for a link.
    Link,
    /// Somebody should know.
    Notice,
}

impl Urgency {
    /// The number a store keeps: smaller goes first.
    #[must_use]
    pub const fn as_number(self) -> i16 {
        match self {
            Self::Code => 0,
            Self::Link => 1,
            Self::Notice => 2,
        }
    }
}

impl MailKind {
    /// All kinds.
    pub const ALL: [Self; 22] = [
        Self::CompleteRegistration,
        Self::AlreadyRegistered,
        Self::AccountReady,
        Self::SignInCode,
        Self::TwoStepChanged,
        Self::TooManyTries,
        Self::ResetPassword,
        Self::NoAccount,
        Self::PasswordChanged,
        Self::ConfirmEmail,
        Self::EmailBeingChanged,
        Self::SecretQuestionChanged,
        Self::NewDevice,
        Self::Host,
        Self::AccountClosing,
        Self::RecoveryAsked,
        Self::RecoveryPaused,
        Self::UnusualSignIn,
        Self::EmailChanged,
        Self::AddressEntered,
        Self::AdministratorActed,
        Self::AccountFrozen,
    ];

    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CompleteRegistration => "complete-registration",
            Self::AlreadyRegistered => "already-registered",
            Self::AccountReady => "account-ready",
            Self::SignInCode => "sign-in-code",
            Self::TwoStepChanged => "two-step-changed",
            Self::TooManyTries => "too-many-tries",
            Self::ResetPassword => "reset-password",
            Self::NoAccount => "no-account",
            Self::PasswordChanged => "password-changed",
            Self::ConfirmEmail => "confirm-email",
            Self::EmailBeingChanged => "email-being-changed",
            Self::SecretQuestionChanged => "secret-question-changed",
            Self::NewDevice => "new-device",
            Self::Host => "host",
            Self::AccountClosing => "account-closing",
            Self::RecoveryAsked => "recovery-asked",
            Self::RecoveryPaused => "recovery-paused",
            Self::UnusualSignIn => "unusual-sign-in",
            Self::EmailChanged => "email-changed",
            Self::AddressEntered => "address-entered",
            Self::AdministratorActed => "administrator-acted",
            Self::AccountFrozen => "account-frozen",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }

    /// Whether the mail says nothing once its link is over; the others tell of a change, and go without it.
    #[must_use]
    pub const fn is_about_its_link(self) -> bool {
        match self {
            Self::CompleteRegistration
            | Self::ResetPassword
            | Self::ConfirmEmail
            | Self::RecoveryAsked
            | Self::AccountClosing => true,
            Self::AlreadyRegistered
            | Self::AccountReady
            | Self::SignInCode
            | Self::TwoStepChanged
            | Self::TooManyTries
            | Self::NoAccount
            | Self::PasswordChanged
            | Self::EmailBeingChanged
            | Self::SecretQuestionChanged
            | Self::NewDevice
            | Self::Host
            | Self::RecoveryPaused
            | Self::UnusualSignIn
            | Self::EmailChanged
            | Self::AddressEntered
            | Self::AdministratorActed
            | Self::AccountFrozen => false,
        }
    }

    /// Which queue it stands in.
    #[must_use]
    pub const fn urgency(self) -> Urgency {
        match self {
            Self::SignInCode => Urgency::Code,
            Self::CompleteRegistration
            | Self::AlreadyRegistered
            | Self::ResetPassword
            | Self::NoAccount
            | Self::ConfirmEmail => Urgency::Link,
            Self::AccountReady
            | Self::TwoStepChanged
            | Self::TooManyTries
            | Self::PasswordChanged
            | Self::EmailBeingChanged
            | Self::SecretQuestionChanged
            | Self::NewDevice
            | Self::Host
            | Self::AccountClosing
            | Self::RecoveryAsked
            | Self::RecoveryPaused
            | Self::UnusualSignIn
            | Self::EmailChanged
            | Self::AddressEntered
            | Self::AdministratorActed
            | Self::AccountFrozen => Urgency::Notice,
        }
    }
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the claim statement depends on each")]
pub enum MailStatus {
    /// Waits for its moment.
    Ready,
    /// A dispatcher is sending it.
    Leased,
    /// The mailer took it.
    Sent,
    /// It will not be sent.
    Dead,
}

impl MailStatus {
    const ALL: [Self; 4] = [Self::Ready, Self::Leased, Self::Sent, Self::Dead];

    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// A mail that waits, as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct OutboxRow {
    /// Names it.
    pub id: MailId,
    /// Which mail.
    pub kind: MailKind,
    /// To whom: a stored address, never one that was just typed (EML-6).
    pub to: EmailAddress,
    /// The account it is about.
    pub account: Option<AccountId>,
    /// The link it carries.
    pub link: Option<LinkKey>,
    /// The challenge whose code it carries.
    pub challenge: Option<ChallengeKey>,
    /// Small facts for the wording, as a JSON object of strings; never a secret.
    pub facts: String,
    /// When it was queued.
    pub created_at: Timestamp,
    /// From when on it must not be sent any more.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub status: MailStatus,
    /// Attempts that failed and counted.
    pub attempts: u32,
    /// When the next attempt is due.
    pub next_at: Timestamp,
    /// Rises with every claim: a slower dispatcher's settlement is refused by it.
    pub lease_no: i64,
    /// Until when the present claim holds.
    pub lease_until: Timestamp,
    /// What the mailer said when it last failed, or why it is dead; empty before.
    pub last_error: String,
}

impl OutboxRow {
    /// Has the mail written in the language that its reader has chosen in this very request.
    ///
    /// Only for a mail to the person who asks: a stranger does not choose for an account's owner.
    #[must_use]
    pub(crate) fn read_by(mut self, reader: &Visitor) -> Self {
        if let Some(language) = reader.language()
            && let Ok(Value::Object(mut facts)) = serde_json::from_str(&self.facts)
        {
            facts.insert("lang".to_owned(), Value::String(language.as_str().to_owned()));
            self.facts = Value::Object(facts).to_string();
        }
        self
    }
}

/// Asks for mails to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores take it apart; a new part must break them"
)]
pub struct Claim {
    /// The present moment.
    pub now: Timestamp,
    /// How long the claim holds; longer than a mailer may take (30 s).
    pub lease: Duration,
    /// At most so many.
    pub most: u32,
}

/// What became of a claimed mail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a new outcome must break every store")]
pub enum MailOutcome {
    /// The mailer took it.
    Sent,
    /// Try again at `at`; `counts` says whether the attempt counts against it.
    Again {
        /// When.
        at: Timestamp,
        /// Whether the attempt counts.
        counts: bool,
        /// What the mailer said, in a few words without addresses.
        error: String,
    },
    /// Not to be sent any more.
    Dead {
        /// Why, in a few words without addresses.
        error: String,
    },
}

/// How the outbox stands, for metrics and readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Backlog {
    /// Mails that are due and not sent.
    pub due: u64,
    /// When the oldest of them became due.
    pub oldest_due: Option<Timestamp>,
    /// Mails that will not be sent.
    pub dead: u64,
}
