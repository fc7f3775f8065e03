//! Pepper keys: secrets outside the database that enter a hash (HASH-5).

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use super::hash::Pepper;
use crate::error::Fault;

/// The name of a pepper key, as it stands before each hash that took the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PepperId(String);

impl PepperId {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 32;

    /// Reads a name: 1 to 32 letters, digits, `-`, `_` or `.`.
    ///
    /// # Errors
    /// [`PepperError::BadId`] for anything else, since it could not be told apart from the hash behind it.
    pub fn parse(name: &str) -> Result<Self, PepperError> {
        let plain = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if plain && (1..=Self::MAX_BYTES).contains(&name.len()) {
            Ok(Self(name.to_owned()))
        } else {
            Err(PepperError::BadId)
        }
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All pepper keys that live: the current one, which new hashes take, and those that older hashes still name.
#[derive(Default)]
pub struct Peppers {
    keys: Vec<(PepperId, Zeroizing<Vec<u8>>)>,
}

impl Peppers {
    /// The least a key must have, in bytes (CFG-1).
    pub const MIN_KEY_BYTES: usize = 32;

    /// No keys: [`Pepper::Current`] is then refused.
    #[must_use]
    pub const fn none() -> Self {
        Self { keys: Vec::new() }
    }

    /// `key` is the current key.
    ///
    /// # Errors
    /// [`PepperError::ShortKey`] below 32 bytes.
    pub fn new(id: PepperId, key: Zeroizing<Vec<u8>>) -> Result<Self, PepperError> {
        Self::none().with_older(id, key)
    }

    /// Keeps `key` for the hashes that name it.
    ///
    /// # Errors
    /// [`PepperError::ShortKey`] below 32 bytes, [`PepperError::SameId`] when the name is taken.
    pub fn with_older(mut self, id: PepperId, key: Zeroizing<Vec<u8>>) -> Result<Self, PepperError> {
        if key.len() < Self::MIN_KEY_BYTES {
            return Err(PepperError::ShortKey { id });
        }
        if self.keys.iter().any(|(known, _)| *known == id) {
            return Err(PepperError::SameId { id });
        }
        self.keys.push((id, key));
        Ok(self)
    }

    /// The name of the key that new hashes take.
    #[must_use]
    pub fn current(&self) -> Option<&PepperId> {
        self.keys.first().map(|(id, _)| id)
    }

    /// The key that a new hash takes; `Current` without a key is refused, for it must never turn into "none".
    pub(super) fn choose(&self, pepper: Pepper) -> Result<Option<&PepperId>, Fault> {
        match pepper {
            Pepper::None => Ok(None),
            Pepper::Current => match self.current() {
                Some(id) => Ok(Some(id)),
                None => Err(Fault::permanent(
                    "a peppered hash was asked for and there is no pepper key",
                )),
            },
        }
    }

    pub(super) fn key(&self, id: &PepperId) -> Result<&[u8], Fault> {
        self.keys
            .iter()
            .find(|(known, _)| known == id)
            .map(|(_, key)| key.as_slice())
            .ok_or_else(|| {
                Fault::permanent("a stored hash names a pepper key that is not there")
                    .because(UnknownPepper { id: id.clone() })
            })
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|(id, _)| id))
            .finish()
    }
}

/// Why a set of pepper keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PepperError {
    /// The name of a key has other characters than letters, digits, `-`, `_` and `.`, or is empty or over 32 bytes.
    #[error("a pepper key's name must have 1 to 32 letters, digits, '-', '_' or '.'")]
    BadId,
    /// The key is shorter than 32 bytes.
    #[error("pepper key {id} is shorter than 32 bytes")]
    ShortKey {
        /// The key's name.
        id: PepperId,
    },
    /// Two keys have the same name.
    #[error("there are two pepper keys named {id}")]
    SameId {
        /// The name.
        id: PepperId,
    },
}

/// A stored hash names a pepper key that was not given to the hasher: it was retired too early, or belongs to another
/// installation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no pepper key {id}")]
#[non_exhaustive]
pub struct UnknownPepper {
    /// The key's name; never the key.
    pub id: PepperId,
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn id(name: &str) -> PepperId {
        PepperId::parse(name).unwrap()
    }

    fn key(byte: u8, len: usize) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(vec![byte; len])
    }

    #[test]
    fn a_name_cannot_be_mistaken_for_a_part_of_the_hash() {
        for bad in ["", "a$b", "a=b", "a b", "ä", "a\n", &"x".repeat(33)] {
            assert_eq!(PepperId::parse(bad), Err(PepperError::BadId), "{bad:?}");
        }
        assert_eq!(id(&"x".repeat(32)).as_str().len(), 32);
    }

    #[test]
    fn short_keys_and_doubled_names_are_refused() {
        // CFG-1
        assert_eq!(
            Peppers::new(id("a"), key(1, 31)).unwrap_err(),
            PepperError::ShortKey { id: id("a") }
        );
        let one = Peppers::new(id("a"), key(1, 32)).unwrap();
        assert_eq!(
            one.with_older(id("a"), key(2, 32)).unwrap_err(),
            PepperError::SameId { id: id("a") }
        );
    }

    #[test]
    fn a_missing_key_is_named_and_no_key_is_shown() {
        // HASH-5
        let peppers = Peppers::new(id("new"), key(b'Z', 32))
            .unwrap()
            .with_older(id("old"), key(2, 32))
            .unwrap();
        assert_eq!(peppers.choose(Pepper::Current).unwrap(), Some(&id("new")));
        assert_eq!(peppers.key(&id("old")).unwrap(), [2; 32]);
        let fault = peppers.key(&id("gone")).unwrap_err();
        assert_eq!(fault.source().unwrap().to_string(), "there is no pepper key gone");
        assert!(!format!("{peppers:?}").contains("90"), "{peppers:?}");
        assert!(!format!("{peppers:?}").contains("ZZ"));
    }

    #[test]
    fn a_pepper_that_is_asked_for_never_turns_into_none() {
        assert!(Peppers::none().choose(Pepper::Current).is_err());
        assert_eq!(Peppers::none().choose(Pepper::None).unwrap(), None);
    }
}
