//! What one hash costs: memory, passes and lanes, with the floor and the ceiling (HASH-1, HASH-4).

use std::fmt;

use thiserror::Error;

/// The cost of one Argon2id hash; two are equal when their numbers are.
#[derive(Clone, Copy)]
pub struct HashParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    may_be_weak: bool,
}

impl HashParams {
    /// 19 MiB, two passes, one lane: what OWASP and ASVS appendix C ask for at least.
    pub const DEFAULT: Self = Self::new(19_456, 2, 1);
    /// 64 MiB, three passes, one lane.
    pub const STRONG: Self = Self::new(65_536, 3, 1);

    /// More memory than this is neither configured nor verified: 1 GiB, in KiB.
    pub const MAX_MEMORY_KIB: u32 = 1_048_576;
    /// More passes than this are neither configured nor verified.
    pub const MAX_PASSES: u32 = 16;
    /// More lanes than this are neither configured nor verified.
    pub const MAX_LANES: u32 = 8;

    /// Names a cost; it is [checked](Self::check) when a hasher is built with it.
    #[must_use]
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Self {
        Self {
            memory_kib,
            passes,
            lanes,
            may_be_weak: false,
        }
    }

    /// The least Argon2id can do (8 KiB, one pass, one lane), which [`check`](Self::check) lets through.
    ///
    /// # Security
    /// For tests only: such a hash is guessed some thousands of times faster than the default.
    #[cfg(any(test, feature = "testkit"))]
    #[must_use]
    pub const fn cheapest() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
            may_be_weak: true,
        }
    }

    /// Refuses what is weaker than ASVS appendix C or dearer than the ceiling.
    ///
    /// The floor is 46 MiB with one pass, 19 MiB with two, 12 MiB with three or more.
    ///
    /// # Errors
    /// [`HashParamsError`] says which number to change.
    pub const fn check(&self) -> Result<(), HashParamsError> {
        if self.memory_kib > Self::MAX_MEMORY_KIB {
            return Err(HashParamsError::TooMuchMemory {
                memory_kib: self.memory_kib,
            });
        }
        if self.passes == 0 || self.passes > Self::MAX_PASSES {
            return Err(HashParamsError::Passes { passes: self.passes });
        }
        if self.lanes == 0 || self.lanes > Self::MAX_LANES {
            return Err(HashParamsError::Lanes { lanes: self.lanes });
        }
        if self.is_below_floor() && !self.may_be_weak {
            return Err(HashParamsError::BelowFloor {
                memory_kib: self.memory_kib,
                passes: self.passes,
                needed_kib: Self::floor_kib(self.passes),
            });
        }
        Ok(())
    }

    /// Memory of one hash, in KiB.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// How often that memory is gone through.
    #[must_use]
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// How many lanes it is cut into; each hash runs on one thread all the same.
    #[must_use]
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }

    pub(super) const fn is_below_floor(&self) -> bool {
        self.memory_kib < Self::floor_kib(self.passes)
    }

    /// The work of an attacker's guess: the area of memory times passes.
    pub(super) fn work(&self) -> u64 {
        u64::from(self.memory_kib).saturating_mul(u64::from(self.passes))
    }

    const fn floor_kib(passes: u32) -> u32 {
        match passes {
            0 | 1 => 47_104,
            2 => 19_456,
            _ => 12_288,
        }
    }
}

impl PartialEq for HashParams {
    fn eq(&self, other: &Self) -> bool {
        (self.memory_kib, self.passes, self.lanes) == (other.memory_kib, other.passes, other.lanes)
    }
}

impl Eq for HashParams {}

impl Default for HashParams {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Debug for HashParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HashParams(m={},t={},p={})",
            self.memory_kib, self.passes, self.lanes
        )
    }
}

/// Why a cost cannot be used; the operator must change the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HashParamsError {
    /// Too little memory for that number of passes.
    #[error("{memory_kib} KiB with {passes} passes is too weak, at least {needed_kib} KiB are needed")]
    BelowFloor {
        /// The memory asked for.
        memory_kib: u32,
        /// The passes asked for.
        passes: u32,
        /// The memory needed with that many passes.
        needed_kib: u32,
    },
    /// More memory than is ever verified.
    #[error("{memory_kib} KiB is more than the ceiling of 1048576 KiB")]
    TooMuchMemory {
        /// The memory asked for.
        memory_kib: u32,
    },
    /// Passes out of range.
    #[error("{passes} passes are not between 1 and 16")]
    Passes {
        /// The passes asked for.
        passes: u32,
    },
    /// Lanes out of range.
    #[error("{lanes} lanes are not between 1 and 8")]
    Lanes {
        /// The lanes asked for.
        lanes: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_floor_is_exact() {
        // HASH-1
        for (passes, floor) in [(1, 47_104), (2, 19_456), (3, 12_288), (16, 12_288)] {
            assert_eq!(HashParams::new(floor, passes, 1).check(), Ok(()));
            assert_eq!(
                HashParams::new(floor - 1, passes, 1).check(),
                Err(HashParamsError::BelowFloor {
                    memory_kib: floor - 1,
                    passes,
                    needed_kib: floor
                })
            );
        }
        assert_eq!(HashParams::DEFAULT.check(), Ok(()));
        assert_eq!(HashParams::STRONG.check(), Ok(()));
    }

    #[test]
    fn each_ceiling_is_exact() {
        // HASH-4
        assert_eq!(HashParams::new(1_048_576, 16, 8).check(), Ok(()));
        assert_eq!(
            HashParams::new(1_048_577, 2, 1).check(),
            Err(HashParamsError::TooMuchMemory {
                memory_kib: 1_048_577
            })
        );
        for passes in [0, 17] {
            assert_eq!(
                HashParams::new(65_536, passes, 1).check(),
                Err(HashParamsError::Passes { passes })
            );
        }
        for lanes in [0, 9] {
            assert_eq!(
                HashParams::new(65_536, 3, lanes).check(),
                Err(HashParamsError::Lanes { lanes })
            );
        }
    }

    #[test]
    fn the_cheapest_cost_passes_only_by_its_own_constructor() {
        assert_eq!(HashParams::cheapest().check(), Ok(()));
        assert!(HashParams::new(8, 1, 1).check().is_err());
    }
}
