//! Mailed links as rows: what one stands for, to which address it went, and whether it still works.

use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::AuthEpoch;
use crate::audit::EventId;
use crate::environment::Timestamp;
use crate::error::Reason;
use crate::key::key_type;
use crate::registration::RegistrationId;

key_type! {
    /// Finds a mailed link: the first 16 bytes of SHA-256 over its purpose and its random part.
    LinkKey, 16
}

/// What a mailed link is for. A token made for one purpose is worth nothing for another (I-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every purpose needs its page, its mail and its rules"
)]
pub enum LinkPurpose {
    /// Completes a registration.
    Activate,
    /// Sets a new password for a forgotten one.
    ResetPassword,
    /// Confirms a new address; mailed to that address.
    ConfirmEmail,
    /// Takes a change of address back before it is confirmed; mailed to the present address.
    CancelEmailChange,
    /// Closes the account after its address was changed; mailed to the former address.
    FreezeAccount,
    /// "This was not me": ends all sessions and demands a new password; mailed with notices of a change.
    NotMe,
    /// Takes back a reset that was asked for without the secret answer.
    CancelRecovery,
    /// Takes the closing of an account back.
    RestoreAccount,
}

impl LinkPurpose {
    /// All purposes.
    pub const ALL: [Self; 8] = [
        Self::Activate,
        Self::ResetPassword,
        Self::ConfirmEmail,
        Self::CancelEmailChange,
        Self::FreezeAccount,
        Self::NotMe,
        Self::CancelRecovery,
        Self::RestoreAccount,
    ];

    /// The word a store keeps; also the label under which the purpose's key is derived.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::ResetPassword => "reset_password",
            Self::ConfirmEmail => "confirm_email",
            Self::CancelEmailChange => "cancel_email_change",
            Self::FreezeAccount => "freeze_account",
            Self::NotMe => "not_me",
            Self::CancelRecovery => "cancel_recovery",
            Self::RestoreAccount => "restore_account",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == word)
    }
}

/// Why a mailed link does nothing (any more).
///
/// Whoever has a genuine link has its mail, so they may be told what became of it; everything else is one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkRefused {
    /// No link of ours for this page: cut, forged, for something else, or forgotten long ago.
    Unknown,
    /// Its time is over: ask for a new one where there is a way to.
    Expired {
        /// When it stopped working.
        at: Timestamp,
    },
    /// A newer link was sent in its place.
    Replaced,
    /// It was used, and what it was for is done.
    Used,
    /// What it was for has ended in another way: by too many tries, or because the account has changed since.
    Ended,
}

impl LinkRefused {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        Reason::new(match self {
            Self::Unknown => "link.unknown",
            Self::Expired { .. } => "link.expired",
            Self::Replaced => "link.replaced",
            Self::Used => "link.used",
            Self::Ended => "link.ended",
        })
    }
}

impl From<LinkKey> for ChangeId {
    fn from(link: LinkKey) -> Self {
        Self::from_bytes(*link.as_bytes())
    }
}

impl From<EventId> for ChangeId {
    fn from(event: EventId) -> Self {
        Self::from_bytes(*event.as_bytes())
    }
}

impl LinkPurpose {
    /// Whether a link of this purpose is worth nothing once the account's epoch has moved.
    #[must_use]
    pub const fn dies_with_epoch(self) -> bool {
        match self {
            Self::ResetPassword | Self::ConfirmEmail => true,
            Self::Activate
            | Self::CancelEmailChange
            | Self::FreezeAccount
            | Self::NotMe
            | Self::CancelRecovery
            | Self::RestoreAccount => false,
        }
    }
}

/// Whose link it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a link belongs to one or the other")]
pub enum LinkSubject {
    /// A registration that waits.
    Registration(RegistrationId),
    /// An account.
    Account(AccountId),
}

/// Whether a link still works, apart from its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every page must say something about each state"
)]
pub enum LinkState {
    /// Not used yet.
    Live,
    /// Used; it never works again (I-11).
    Used,
    /// A newer link took its place.
    Replaced,
    /// Ended without having been used.
    Void,
}

impl LinkState {
    const ALL: [Self; 4] = [Self::Live, Self::Used, Self::Replaced, Self::Void];

    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Used => "used",
            Self::Replaced => "replaced",
            Self::Void => "void",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// The random part of a mailed token: with the keyring it makes the link, so it is shown to nobody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LinkSeed([u8; 16]);

impl LinkSeed {
    /// Takes over bytes read from a store or drawn.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, as a store keeps them while the link lives.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Debug for LinkSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkSeed(..)")
    }
}

key_type! {
    /// Names the one change that a link can take back: the first 16 bytes of whatever names that change elsewhere.
    ChangeId, 16
}

key_type! {
    /// Finds out whether a browser is the one that gave the secret answer: the row key of its token.
    ProofKey, 16
}

/// Whether a link still asks for the secret answer before it does anything (RST-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the second step must know each")]
pub enum Answer {
    /// It does.
    Owed,
    /// It never did: nobody has an answer, the wait stood in for it, or an administrator did.
    Waived,
    /// It was given in one browser, and that browser may go on for a while.
    Given {
        /// The browser that gave it.
        proof: ProofKey,
        /// When.
        at: Timestamp,
    },
}

/// A mailed link as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct LinkRow {
    /// Finds it.
    pub key: LinkKey,
    /// Rises by one with every update; 1 when inserted.
    pub version: i64,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// The random part, from which the mail is made; `None` once it has ended, or soon after it has expired.
    pub seed: Option<LinkSeed>,
    /// Whose it is.
    pub subject: LinkSubject,
    /// The address it was mailed to, and the only one it proves (TOK-3).
    pub address: EmailAddress,
    /// The account's epoch when it was made, for links that die with it.
    pub epoch: Option<AuthEpoch>,
    /// Whether it still works.
    pub state: LinkState,
    /// Wrong passwords or answers given on its page.
    pub tries: u32,
    /// When it was made.
    pub issued_at: Timestamp,
    /// From when on it does not work.
    pub expires_at: Timestamp,
    /// When it ended, where it has.
    pub ended_at: Option<Timestamp>,
    /// Before this it does not work yet; most links open when they are issued.
    pub opens_at: Timestamp,
    /// The change it takes back, for links that belong to one change and not to an epoch.
    pub concerns: Option<ChangeId>,
    /// Whether it asks for the secret answer; [`Answer::Waived`] for links that never do.
    pub answer: Answer,
}

impl LinkRow {
    /// The same link after it ended at `now` as `state`: its random part is gone.
    #[must_use]
    pub fn ended(&self, state: LinkState, now: Timestamp) -> Self {
        Self {
            state,
            seed: None,
            ended_at: Some(now),
            ..self.clone()
        }
    }

    /// Whether it works at `now` as far as its own row can tell.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        let open = self.opens_at <= now && now < self.expires_at;
        self.state == LinkState::Live && self.seed.is_some() && open
    }

    /// Whether it works at `now` for its `account`, whatever that account's status.
    ///
    /// # Errors
    /// What became of it.
    pub fn judge(&self, account: &AccountRow, now: Timestamp) -> Result<(), LinkRefused> {
        match self.state {
            LinkState::Used => return Err(LinkRefused::Used),
            LinkState::Replaced => return Err(LinkRefused::Replaced),
            LinkState::Void => return Err(LinkRefused::Ended),
            LinkState::Live => {}
        }
        if now < self.opens_at {
            // Nobody was sent it yet.
            return Err(LinkRefused::Unknown);
        }
        if now >= self.expires_at {
            return Err(LinkRefused::Expired { at: self.expires_at });
        }
        if self.seed.is_none() || self.epoch.is_some_and(|epoch| epoch != account.auth_epoch) {
            return Err(LinkRefused::Ended);
        }
        Ok(())
    }
}
