//! Passwords: what a person typed ([`Password`]), what is demanded of it (`policy`, `blocklist`, `breached`), and how it
//! is kept (`hash`).

mod admission;
mod argon2_engine;
pub mod argon2id;
mod argon2id_slot;
pub mod blocklist;
pub mod breached;
#[cfg(feature = "breached-file")]
pub mod breached_file;
#[cfg(feature = "fast-argon2")]
mod fast_argon2;
pub mod hash;
mod hash_params;
#[cfg(feature = "imported-hashes")]
pub mod imported;
mod kept_blocks;
mod pepper;
pub mod policy;
mod stored_hash;
pub mod wording;

#[cfg(test)]
mod admission_tests;
#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod watched_engine;

use std::fmt;

use zeroize::Zeroizing;

/// A password exactly as it was typed: not trimmed, not folded, not cut (HASH-6).
///
/// Its memory is wiped when it goes; it has no `Display`, no `Serialize` and no `Clone`.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes over what was typed.
    #[must_use]
    pub fn new(typed: impl Into<String>) -> Self {
        Self(Zeroizing::new(typed.into()))
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself.
    ///
    /// # Security
    /// Do not log, store or compare it: that is what [`PasswordPolicy`](policy::PasswordPolicy) and the hasher are
    /// for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl From<String> for Password {
    fn from(typed: String) -> Self {
        Self::new(typed)
    }
}

impl From<&str> for Password {
    fn from(typed: &str) -> Self {
        Self::new(typed)
    }
}
