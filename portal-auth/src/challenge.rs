//! Half-done sign-ins and confirmations: a password was right, and a mailed code is still owed.
//!
//! A challenge is not a session with a flag: it is another type, another table and another cookie, and it opens
//! nothing but the code's own page (OTP-8).

use crate::account::snapshot::AccountId;
use crate::account::status::AuthEpoch;
use crate::environment::Timestamp;
use crate::key::key_type;
use crate::session::SessionKey;

key_type! {
    /// Finds a challenge: the first 16 bytes of SHA-256 over its purpose and the token's random part.
    ChallengeKey, 16
}

/// What the code will complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a code of one purpose is refused for every other (I-14)"
)]
pub enum ChallengePurpose {
    /// A sign-in.
    SignIn,
    /// "Confirm it is you" in a running session.
    Confirm,
}

impl ChallengePurpose {
    /// The word a store keeps; part of what the code is derived from.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Confirm => "confirm",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::SignIn, Self::Confirm]
            .into_iter()
            .find(|p| p.as_str() == word)
    }
}

/// The secret part of a challenge that no client ever sees; with the keyring it makes the code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeSeed([u8; 16]);

impl CodeSeed {
    /// Takes over bytes read from a store or drawn.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, as a store keeps them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Debug for CodeSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeSeed(..)")
    }
}

/// A challenge as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct ChallengeRow {
    /// Finds it.
    pub key: ChallengeKey,
    /// Rises by one with every update; 1 when inserted.
    pub version: i64,
    /// What the code will complete.
    pub purpose: ChallengePurpose,
    /// Whose it is.
    pub account: AccountId,
    /// The account's epoch when the password was right.
    pub epoch: AuthEpoch,
    /// The session that is being confirmed, for [`ChallengePurpose::Confirm`].
    pub session: Option<SessionKey>,
    /// What the code is derived from.
    pub code_seed: CodeSeed,
    /// Which code is the current one; an older one is dead.
    pub code_no: u32,
    /// The id of the key the code is derived under.
    pub code_key: String,
    /// When the current code was made.
    pub code_issued_at: Timestamp,
    /// From when on the current code does not work.
    pub code_expires_at: Timestamp,
    /// Wrong codes so far, over all codes of this challenge.
    pub tries: u32,
    /// Mails sent for it so far.
    pub mails: u32,
    /// When the last one was queued.
    pub mailed_at: Timestamp,
    /// When the password was right.
    pub created_at: Timestamp,
    /// From when on the person must start again (OTP-7).
    pub expires_at: Timestamp,
}
