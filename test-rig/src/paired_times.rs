//! Whether two kinds of request can be told apart by how long they take (ENU-5): medians of interleaved pairs, and a
//! permutation test of their difference.

use std::fmt;
use std::time::Duration;

/// Permutations of one test: the smallest p that it can find is a tenth of [`ALPHA`].
const PERMUTATIONS: u32 = 9_999;
/// From which p on a difference counts as chance.
pub const ALPHA: f64 = 0.001;
/// The difference that nobody can use whatever it is, in milliseconds; above 60 ms, 5 % of the longer median.
const UNUSABLE: f64 = 3.0;

/// Times of pairs that were measured in turns, the one for an address with an account and the one for an unknown one.
#[derive(Debug, Default)]
pub struct PairedTimes {
    pairs: Vec<[f64; 2]>,
}

impl PairedTimes {
    /// Notes a pair.
    pub fn note(&mut self, known: Duration, unknown: Duration) {
        self.pairs
            .push([known, unknown].map(|time| time.as_secs_f64() * 1e3));
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// What they tell; `seed` repeats the test.
    pub fn verdict(&self, seed: u64) -> TimingVerdict {
        let (known, unknown) = medians(self.pairs.iter().copied());
        let seen = (known - unknown).abs();
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut as_far_apart = 0_u32;
        for _ in 0..PERMUTATIONS {
            let swapped = self.pairs.iter().map(|[known, unknown]| {
                if chance.bool() {
                    [*unknown, *known]
                } else {
                    [*known, *unknown]
                }
            });
            let (known, unknown) = medians(swapped);
            as_far_apart += u32::from((known - unknown).abs() >= seen);
        }
        TimingVerdict {
            pairs: self.len(),
            known,
            unknown,
            p: f64::from(as_far_apart + 1) / f64::from(PERMUTATIONS + 1),
        }
    }
}

/// What the times of pairs tell.
#[derive(Debug, Clone, Copy)]
pub struct TimingVerdict {
    /// How many pairs.
    pub pairs: usize,
    /// The median where there is an account, in milliseconds.
    pub known: f64,
    /// The median where there is none.
    pub unknown: f64,
    /// How often chance alone sets the medians as far apart.
    pub p: f64,
}

impl TimingVerdict {
    /// Whether the medians are nearer than anybody can use.
    pub fn is_near(&self) -> bool {
        (self.known - self.unknown).abs() <= UNUSABLE.max(0.05 * self.known.max(self.unknown))
    }

    /// Whether chance explains the difference.
    pub fn is_chance(&self) -> bool {
        self.p >= ALPHA
    }
}

impl fmt::Display for TimingVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} pairs, known {:.3} ms, unknown {:.3} ms, difference {:+.3} ms, p {:.4}",
            self.pairs,
            self.known,
            self.unknown,
            self.known - self.unknown,
            self.p
        )
    }
}

fn medians(pairs: impl Iterator<Item = [f64; 2]>) -> (f64, f64) {
    let (mut known, mut unknown): (Vec<_>, Vec<_>) = pairs.map(|[known, unknown]| (known, unknown)).unzip();
    (median(&mut known), median(&mut unknown))
}

fn median(times: &mut [f64]) -> f64 {
    let middle = times.len() / 2;
    assert!(middle < times.len(), "nothing was measured");
    *times.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(difference: f64, spread: f64) -> PairedTimes {
        let mut chance = fastrand::Rng::with_seed(7);
        let mut times = PairedTimes::default();
        for _ in 0..400 {
            let [known, unknown] = [difference, 0.0]
                .map(|more| Duration::from_secs_f64((20.0 + more + spread * chance.f64()) / 1e3));
            times.note(known, unknown);
        }
        times
    }

    #[test]
    fn what_takes_as_long_is_not_told_apart() {
        let verdict = pairs(0.0, 5.0).verdict(1);
        assert!(verdict.is_near() && verdict.is_chance(), "{verdict}");
    }

    #[test]
    fn what_takes_a_little_longer_is_near_and_no_chance() {
        let verdict = pairs(1.0, 2.0).verdict(1);
        assert!(verdict.is_near() && !verdict.is_chance(), "{verdict}");
    }

    #[test]
    fn a_hash_that_was_left_out_is_found() {
        let verdict = pairs(15.0, 5.0).verdict(1);
        assert!(!verdict.is_near() && !verdict.is_chance(), "{verdict}");
    }

    #[test]
    fn five_percent_of_a_long_time_are_near() {
        let verdict = |known, unknown| TimingVerdict {
            pairs: 400,
            known,
            unknown,
            p: 1.0,
        };
        assert!(verdict(300.0, 286.0).is_near());
        assert!(!verdict(300.0, 284.0).is_near());
        assert!(verdict(13.0, 10.0).is_near());
        assert!(!verdict(13.01, 10.0).is_near());
    }
}
