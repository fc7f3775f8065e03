//! The port through which secrets are hashed and verified, in two steps: enter the gate, then spend the hash.
//!
//! Hashing is the only expensive thing an account service does, so it is the thing an attacker aims at. A feature
//! first [enters](PasswordHasher::enter): if all places are taken it is told [`Busy`] at once, before anything was
//! charged to anybody. With a [`HashingSlot`] in hand it charges the database, then hashes. [`Argon2id`] is the
//! hasher that comes with the crate.
//!
//! [`Argon2id`]: super::argon2id::Argon2id

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::Password;
pub use super::hash_params::{HashParams, HashParamsError};
pub use super::pepper::{PepperError, PepperId, Peppers, UnknownPepper};
pub use super::stored_hash::{BrokenHash, StoredHash};
use crate::error::{Denied, Fault};

/// The longest secret that is hashed, in bytes: 128 characters of four bytes each (HASH-3).
pub const MAX_SECRET_BYTES: usize = 512;

/// Turns secrets into [`StoredHash`]es and checks them, behind an admission gate.
///
/// An implementation must bound how much memory and how many cores it uses whatever the load, must answer [`Busy`]
/// without regard to who is asking about whom, and must not do the work on the thread that polls the future. It may
/// be called concurrently.
///
/// # Security
/// A hasher without a bound lets anybody exhaust the machine by signing in; one that answers faster for people it
/// does not know tells an outsider who has an account.
#[async_trait]
pub trait PasswordHasher: fmt::Debug + Send + Sync {
    /// Waits in `line` for a place; costs nothing but the wait.
    ///
    /// # Errors
    /// [`Busy`] when the line is full, or when the wait grew too long.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the line.
    async fn enter(&self, line: Line) -> Result<Box<dyn HashingSlot>, Busy>;

    /// What the gate is doing and has done, for metrics.
    fn stats(&self) -> GateStats;
}

#[async_trait]
impl<T: PasswordHasher + ?Sized> PasswordHasher for Arc<T> {
    async fn enter(&self, line: Line) -> Result<Box<dyn HashingSlot>, Busy> {
        (**self).enter(line).await
    }

    fn stats(&self) -> GateStats {
        (**self).stats()
    }
}

/// One place behind the gate.
///
/// Dropping it gives the place back. It may be used again and again, one call after the other, and keeps its place
/// meanwhile: a registration hashes its password and its secret answer on one slot.
///
/// # Cancel safety
/// A call that is dropped half-way does not stop its job and does not free the place early: the place is given back
/// when the job is done. The slot is then spent, and answers every further call with a [`Fault`].
#[async_trait]
pub trait HashingSlot: fmt::Debug + Send + Sync {
    /// Hashes `secret` with a new salt and the present parameters.
    ///
    /// # Errors
    /// A [`Fault`] when there is no randomness or no memory, when `pepper` asks for a key and none is set, or when the
    /// secret is longer than [`MAX_SECRET_BYTES`].
    async fn hash(&mut self, secret: SecretBytes, pepper: Pepper) -> Result<StoredHash, Fault>;

    /// Checks `secret` against `stored`, byte for byte; `pepper` is what a new hash of this secret would take, and
    /// decides only whether the verdict asks for a rehash.
    ///
    /// A secret longer than [`MAX_SECRET_BYTES`] costs one verification and is [`Verdict::Wrong`].
    ///
    /// # Errors
    /// A [`Fault`] when the record is broken, costs more than the ceiling, or names a pepper key that is not there;
    /// the same time is spent as on a good record.
    ///
    /// # Security
    /// Answer the person as for a wrong password in every case, and show the operator the fault.
    async fn verify(
        &mut self,
        stored: &StoredHash,
        secret: SecretBytes,
        pepper: Pepper,
    ) -> Result<Verdict, Fault>;

    /// Spends what a verification costs on a person who does not exist; always [`Verdict::Wrong`] (ENU-2).
    ///
    /// # Errors
    /// A [`Fault`] when there is no memory.
    async fn verify_dummy(&mut self, secret: SecretBytes) -> Result<Verdict, Fault>;
}

/// Which line to wait in; the two are served 3 : 1 while both have people in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the two lines are the rule itself (HASH-2)"
)]
pub enum Line {
    /// For a familiar device, a live session or a genuine mailed token.
    Known,
    /// For everybody else.
    Stranger,
}

/// Says that no place was to be had; nothing was charged and nothing was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Busy {
    /// When trying again is likely to pass.
    pub retry_after: Duration,
}

impl Busy {
    /// Sends the caller away for `retry_after`.
    #[must_use]
    pub const fn new(retry_after: Duration) -> Self {
        Self { retry_after }
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "all hashing places are taken, try again in {} s",
            self.retry_after.as_secs()
        )
    }
}

impl StdError for Busy {}

impl<R> From<Busy> for Denied<R> {
    fn from(busy: Busy) -> Self {
        Self::Busy {
            retry_after: busy.retry_after,
        }
    }
}

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a secret is right or wrong; anything else is a fault"
)]
pub enum Verdict {
    /// The secret is the one that was hashed.
    Right {
        /// The record is weaker than today's parameters, or peppered otherwise: hash again and replace it by
        /// compare-and-swap (HASH-4).
        needs_rehash: bool,
    },
    /// It is not.
    Wrong,
}

impl Verdict {
    /// Whether the secret was the right one.
    #[must_use]
    pub const fn is_right(self) -> bool {
        matches!(self, Self::Right { .. })
    }
}

/// Whether a hash takes the present pepper key (HASH-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "which key is current is the hasher's business, so there is no third"
)]
pub enum Pepper {
    /// No key: the hash can be checked with the database alone.
    None,
    /// The present key: the hash is worth nothing to whoever has only the database.
    Current,
}

/// The bytes of a secret on their way to the hasher; wiped when they go.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes over `bytes`.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves, for a hasher.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether the secret is longer than any that is hashed.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.0.len() > MAX_SECRET_BYTES
    }
}

impl From<&Password> for SecretBytes {
    fn from(password: &Password) -> Self {
        Self::from(password.expose())
    }
}

impl From<&str> for SecretBytes {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// What the gate is doing now and has done since it opened; read at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateStats {
    /// How many hashes can run at the same time.
    pub permits: usize,
    /// How many wait in the line of the known.
    pub waiting_known: usize,
    /// How many wait in the line of strangers.
    pub waiting_stranger: usize,
    /// How many hold a place: charging, waiting for a thread or being hashed.
    pub admitted: usize,
    /// How many hashes are being worked on.
    pub running: usize,
    /// How many were sent away since the start.
    pub busy_answers: u64,
    /// How many hashes were finished since the start, right or wrong.
    pub hashes_done: u64,
    /// How long all who were admitted had waited, in microseconds.
    pub waited_micros: u64,
}
