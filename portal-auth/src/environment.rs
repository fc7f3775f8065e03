//! Time and randomness, as ports: the only file that reads either from the system.
//!
//! A [`Timestamp`] is microseconds since 1970 in UTC, as every store keeps it. Nothing else in the crate asks the
//! system for the time or for randomness, so a test can move a clock by twelve hours and replay every draw.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rand::TryRng as _;
use serde::{Deserialize, Serialize};

use crate::error::Fault;

/// A moment in UTC, as whole microseconds since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment there is.
    pub const MIN: Self = Self(i64::MIN);
    /// The last moment there is; used for "never".
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `micros` microseconds after 1970-01-01 (before it, when negative).
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment moved forward by `by`, stopping at the last moment there is.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment moved back by `by`, stopping at the first moment there is.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The time that passed since `earlier`; zero when `earlier` is in the future (CLK-2).
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same moment as the `time` crate writes it.
    ///
    /// Moments outside the years -9999 to 9999 answer `None`.
    #[must_use]
    pub fn to_utc(self) -> Option<time::OffsetDateTime> {
        time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0).checked_mul(1000)?).ok()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_utc() {
            Some(t) => write!(f, "{t}"),
            None => write!(f, "{} us", self.0),
        }
    }
}

/// Says what time it is. One clock serves a whole process.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment in UTC.
    fn now(&self) -> Timestamp;
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the system's clock"
        )]
        let now = std::time::SystemTime::now();
        let micros = match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, i64::saturating_neg),
        };
        Timestamp(micros)
    }
}

/// Fills bytes with randomness that nobody can foretell.
///
/// # Security
/// Every token, code seed, salt and epoch comes from here: a source that repeats or can be guessed opens every
/// account. A source that fails must say so; nothing falls back to a weaker one.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// A [`Fault`] when the source is out of order; the bytes must then not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault>;
}

impl<T: Entropy + ?Sized> Entropy for Arc<T> {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        (**self).fill(bytes)
    }
}

/// Draws an array of `N` random bytes.
///
/// # Errors
/// The [`Fault`] of the source.
pub fn draw<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// The operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        rand::rngs::SysRng
            .try_fill_bytes(bytes)
            .map_err(|e| Fault::permanent("the system's random source failed").because(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_move_without_overflow() {
        assert_eq!(Timestamp::MAX.plus(Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(Duration::MAX), Timestamp::MIN);
        assert_eq!(
            Timestamp::from_micros(5).since(Timestamp::from_micros(7)),
            Duration::ZERO
        );
        assert_eq!(
            Timestamp::MAX.since(Timestamp::MIN),
            Duration::from_micros(i64::MAX as u64)
        );
        assert!(Timestamp::MAX.to_utc().is_none());
    }

    #[test]
    fn a_moment_reads_as_utc() {
        let t = Timestamp::from_micros(1_700_000_000_000_000);
        assert_eq!(t.to_utc().unwrap().year(), 2023);
    }

    #[test]
    fn the_system_source_does_not_repeat() {
        let a: [u8; 16] = draw(&SystemEntropy).unwrap();
        let b: [u8; 16] = draw(&SystemEntropy).unwrap();
        assert_ne!(a, b);
    }
}
