//! Addresses, places and guesses, drawn anew in each run; `ATTACK_SEED` repeats a run.

use std::sync::OnceLock;

use crate::rig::Database;

/// What one case draws from.
#[derive(Debug)]
pub struct Chance(fastrand::Rng);

impl Chance {
    /// The chance of one case on one database: the same for the same seed, whatever runs beside it.
    pub fn of(case: &str, database: Database) -> Self {
        let mut seed = seed();
        for byte in case.bytes().chain([database as u8]) {
            seed = fastrand::Rng::with_seed(seed ^ u64::from(byte)).u64(..);
        }
        Self(fastrand::Rng::with_seed(seed))
    }

    /// An address nobody has; all of one name are of one length.
    pub fn address(&mut self, name: &str) -> String {
        format!("{name}.{:08x}@school.example", self.0.u32(..))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    /// A password that keeps every rule and that nobody has.
    pub fn password(&mut self) -> String {
        format!("Guess-{:016x}-Badger-47", self.0.u64(..))
    }

    /// An IPv4 address of a network that nobody else in the same case has been given.
    pub fn network(&mut self) -> String {
        format!("10.{}.{}.{}", self.0.u8(..), self.0.u8(..), self.0.u8(..))
    }

    /// Text of so many characters of an alphabet.
    pub fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        std::iter::repeat_with(|| letters[self.0.usize(..letters.len())])
            .take(length)
            .collect()
    }
}

/// The seed of this run.
pub fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| match std::env::var("ATTACK_SEED") {
        Ok(given) => given.parse().expect("ATTACK_SEED is a number"),
        Err(_) => fastrand::u64(..),
    })
}
