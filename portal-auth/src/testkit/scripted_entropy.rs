//! Randomness that repeats, and randomness that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::environment::Entropy;
use crate::error::Fault;

/// A source whose bytes follow from a seed: the same seed and the same draws give the same bytes, on every machine
/// and in every release. Its clones draw from one stream.
///
/// # Security
/// Everybody can foretell it; it is for tests only.
#[derive(Debug, Clone)]
pub struct ScriptedEntropy {
    state: Arc<AtomicU64>,
}

impl ScriptedEntropy {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: Arc::new(AtomicU64::new(seed)),
        }
    }

    /// The next number of the stream, for tests that choose by chance and must repeat their choices.
    #[expect(clippy::must_use_candidate, reason = "drawing moves the stream on")]
    pub fn number(&self) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014): a counter and a mix, so that parallel draws never repeat a number.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number below `bound`; zero when `bound` is.
    #[expect(clippy::must_use_candidate, reason = "drawing moves the stream on")]
    pub fn below(&self, bound: u64) -> u64 {
        self.number().checked_rem(bound).unwrap_or(0)
    }
}

impl Entropy for ScriptedEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        for part in bytes.chunks_mut(8) {
            for (byte, drawn) in part.iter_mut().zip(self.number().to_le_bytes()) {
                *byte = drawn;
            }
        }
        Ok(())
    }
}

/// A source that breaks down: a service must then answer with a fault and change nothing, never fall back to a
/// weaker source (ASVS 11.5.1).
#[derive(Debug, Clone)]
pub struct FailingEntropy {
    source: ScriptedEntropy,
    left: Arc<AtomicU64>,
}

impl FailingEntropy {
    /// A source that fails at the first draw.
    #[must_use]
    pub fn at_once() -> Self {
        Self::after(0)
    }

    /// A source that serves `draws` draws and fails from then on.
    #[must_use]
    pub fn after(draws: u64) -> Self {
        Self {
            source: ScriptedEntropy::new(0),
            left: Arc::new(AtomicU64::new(draws)),
        }
    }
}

impl Entropy for FailingEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        let one_less = |left: u64| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .map_err(|_| Fault::permanent("the scripted random source failed, as it was told to"))?;
        self.source.fill(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::draw;

    #[test]
    fn one_seed_is_one_stream_and_the_stream_does_not_repeat() {
        let (a, b) = (ScriptedEntropy::new(7), ScriptedEntropy::new(7));
        let first: [u8; 20] = draw(&a).unwrap();
        assert_eq!(first, draw::<20>(&b).unwrap());
        assert_ne!(first, draw::<20>(&a).unwrap());
        assert_ne!(first, draw::<20>(&ScriptedEntropy::new(8)).unwrap());
    }

    #[test]
    fn its_numbers_are_those_of_splitmix64() {
        // The reference program's first outputs for the seed 1234567.
        let source = ScriptedEntropy::new(1_234_567);
        assert_eq!(source.number(), 6_457_827_717_110_365_317);
        assert_eq!(source.number(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_failing_source_serves_its_draws_and_then_fails_for_good() {
        let source = FailingEntropy::after(2);
        assert!(draw::<16>(&source).is_ok());
        assert!(draw::<16>(&source).is_ok());
        assert!(draw::<16>(&source).is_err());
        assert!(draw::<1>(&source).is_err());
        assert!(draw::<1>(&FailingEntropy::at_once()).is_err());
    }
}
