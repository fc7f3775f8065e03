//! What a mail says: one [`Letter`] for each kind, with everything in it that is not fixed wording.

use crate::account::recovery::Paused;
use crate::account::status::TwoStep;
use crate::challenge::ChallengePurpose;
use crate::environment::Timestamp;
use crate::language::Spoken;
use crate::mail::administrator_act::AdministratorAct;
use crate::secret::one_time_code::OneTimeCode;

/// What one mail says, with everything in it that is not fixed wording.
#[derive(Debug)]
pub(super) enum Letter<'a> {
    /// E1. Its address is not proven, so nothing that a person typed is in it.
    CompleteRegistration {
        /// Its link.
        link: MailedLink<'a>,
    },
    /// E1 of a registration that an administrator has prepared.
    PreparedRegistration {
        /// Its link.
        link: MailedLink<'a>,
        /// Whether it has the password of another service, so that none is to be chosen.
        has_password: bool,
    },
    /// E2.
    AlreadyRegistered {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// When somebody tried to register.
        asked_at: Timestamp,
    },
    /// E3.
    AccountReady {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// The account's address.
        username: &'a str,
    },
    /// E4.
    SignInCode {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// The code.
        code: &'a OneTimeCode,
        /// What it will complete.
        purpose: ChallengePurpose,
        /// When it was asked for.
        asked_at: Timestamp,
        /// The asking browser in words.
        browser: &'a str,
        /// When the code was made.
        issued_at: Timestamp,
        /// From when on it does not work.
        expires_at: Timestamp,
    },
    /// E11.
    TwoStepChanged {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// What was chosen.
        choice: TwoStep,
        /// When.
        changed_at: Timestamp,
        /// The browser it was done in, in words.
        browser: &'a str,
        /// "This was not me", while it works.
        not_me: Option<MailedLink<'a>>,
    },
    /// E7.
    PasswordChanged {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// When.
        changed_at: Timestamp,
        /// The browser it was done in, in words.
        browser: &'a str,
        /// "This was not me", while it works.
        not_me: Option<MailedLink<'a>>,
    },
    /// E8. Its address is not proven, so nothing that a person typed is in it.
    ConfirmEmail {
        /// Its link.
        link: MailedLink<'a>,
    },
    /// E9.
    EmailBeingChanged {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// When it was asked for.
        asked_at: Timestamp,
        /// The browser it was asked for in, in words.
        browser: &'a str,
        /// The new address, masked.
        to: &'a str,
        /// Takes it back, while it works.
        cancel: Option<MailedLink<'a>>,
    },
    /// E10.
    SecretQuestionChanged {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// When.
        changed_at: Timestamp,
        /// The browser it was done in, in words.
        browser: &'a str,
        /// "This was not me", while it works.
        not_me: Option<MailedLink<'a>>,
    },
    /// E19, to both addresses.
    EmailChanged {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// When.
        changed_at: Timestamp,
        /// The browser it was done in, in words.
        browser: &'a str,
        /// The former address, masked.
        from: &'a str,
        /// The new address, masked.
        to: &'a str,
        /// Freezes the account, in the mail to the former address and while it works.
        freeze: Option<MailedLink<'a>>,
    },
    /// E20.
    AddressEntered {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// When somebody entered it.
        asked_at: Timestamp,
    },
    /// To an administrator.
    AccountFrozen {
        /// The account's present address.
        account: &'a str,
        /// The former address, from which it was frozen.
        from: &'a str,
        /// When.
        frozen_at: Timestamp,
    },
    /// E5.
    ResetPassword {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// Its link.
        link: MailedLink<'a>,
        /// Who began it.
        begun: ResetBegun<'a>,
        /// When.
        begun_at: Timestamp,
        /// Whether the link's page asks for the secret answer.
        asks_answer: bool,
    },
    /// E6. Nobody has proven this address, so nothing that a person typed is in it.
    NoAccount {
        /// When somebody asked for a reset.
        asked_at: Timestamp,
    },
    /// E16.
    RecoveryAsked {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// When it was asked for.
        asked_at: Timestamp,
        /// The browser it was asked for in, in words.
        browser: &'a str,
        /// When it takes effect.
        due_at: Timestamp,
        /// Takes it back.
        cancel: MailedLink<'a>,
    },
    /// E17.
    RecoveryPaused {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// Until when.
        paused: Paused,
    },
    /// E12.
    NewDevice {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// When.
        at: Timestamp,
        /// The browser in words.
        browser: &'a str,
        /// The coarse network; empty when unknown.
        network: &'a str,
    },
    /// E15.
    AccountClosing {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// The link that brings it back, until the account is erased.
        link: MailedLink<'a>,
        /// When it was closed.
        closed_at: Timestamp,
        /// The browser it was closed in, in words; `None` where somebody entered the address again.
        browser: Option<&'a str>,
    },
    /// E18.
    UnusualSignIn {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// What happened.
        what: Attempts,
        /// When.
        at: Timestamp,
        /// The browser in words.
        browser: &'a str,
    },
    /// E13.
    TooManyTries {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// What is closed.
        closed: Closed,
    },
    /// E21.
    AdministratorActed {
        /// The name of the account's owner.
        name: Option<&'a str>,
        /// What was done.
        act: AdministratorAct,
        /// When.
        acted_at: Timestamp,
    },
    /// A notice of the host's.
    Host {
        /// The name of the account's owner, where it goes to them.
        name: Option<&'a str>,
        /// What all notices of its kind are called.
        subject: &'a str,
        /// Which of them it is.
        reference: &'a str,
        /// Its lines; an empty one begins a paragraph, and one that was typed begins with `> `.
        lines: &'a str,
    },
}

/// A link as its mail tells it.
#[derive(Debug, Clone, Copy)]
pub(super) struct MailedLink<'a> {
    /// Its token.
    pub(super) token: &'a str,
    /// When it was made.
    pub(super) issued_at: Timestamp,
    /// From when on it does not work.
    pub(super) expires_at: Timestamp,
}

/// Who began a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResetBegun<'a> {
    /// Somebody in this browser, in words.
    Asked(&'a str),
    /// Somebody who could not answer, some time ago.
    Waited,
    /// An administrator.
    Administrator,
}

/// What was unusual about the attempts to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempts {
    /// The right password came after so many wrong ones.
    AfterFailures(u32),
    /// The password was right, and all tries for the code were wrong.
    CodeFailed,
}

/// What too many tries have closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// Passwords, until this moment.
    PasswordsUntil(Timestamp),
    /// Passwords, until a new one is chosen.
    PasswordsUntilReset,
    /// Codes, until a new password is chosen.
    Codes,
}

impl Letter<'_> {
    /// What it is written in for somebody who wants it in `wanted`.
    pub(super) const fn spoken(&self, wanted: Spoken) -> Spoken {
        if self.is_translated() {
            wanted
        } else {
            Spoken::English
        }
    }

    /// Whether there are Welsh words for its kind.
    const fn is_translated(&self) -> bool {
        matches!(
            self,
            Self::CompleteRegistration { .. }
                | Self::AlreadyRegistered { .. }
                | Self::AccountReady { .. }
                | Self::SignInCode { .. }
                | Self::TwoStepChanged { .. }
                | Self::TooManyTries { .. }
        )
    }
}
