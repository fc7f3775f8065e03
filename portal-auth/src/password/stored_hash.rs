//! What the database keeps of a secret: an optional pepper key's name and a PHC string.
//!
//! `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>` without a pepper, `pepper=<id>$argon2id$…` with one. A PHC string
//! begins with `$` and a name has none, so the two cannot be confused.

use std::fmt;

use argon2::{Algorithm, Version};
use password_hash::phc::{Output, PasswordHash, Salt};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::hash_params::{HashParams, HashParamsError};
use super::pepper::PepperId;

/// A hashed secret as the database keeps it.
///
/// Equality is that of the text, for compare-and-swap, and takes the same time wherever two texts differ.
///
/// # Security
/// Whoever has it can guess at leisure: its `Debug` shows nothing, and it belongs into no log, audit event or export.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredHash(String);

impl StoredHash {
    /// Takes a column's text as it is; a broken one becomes a fault when it is verified, not a wrong password.
    #[must_use]
    pub fn from_column(text: String) -> Self {
        Self(text)
    }

    /// Reads a text and refuses a broken one.
    ///
    /// # Errors
    /// See [`BrokenHash`]. Nothing is allocated for a cost above the ceiling.
    pub fn parse(text: &str) -> Result<Self, BrokenHash> {
        Opened::read(text).map(|_| Self(text.to_owned()))
    }

    /// Reads a column, where an imported hash may stand besides those that are written here; for stores.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), for a text that is neither.
    pub fn parse_column(text: &str) -> Result<Self, BrokenHash> {
        Self::parse(text).or_else(|broken| {
            let hash = Self(text.to_owned());
            if hash.is_imported() { Ok(hash) } else { Err(broken) }
        })
    }

    /// The text for the column.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pepper key this hash took, if any: it cannot be retired while a hash names it.
    ///
    /// # Errors
    /// [`BrokenHash`] when the text cannot be read.
    pub fn pepper(&self) -> Result<Option<PepperId>, BrokenHash> {
        Opened::read(&self.0).map(|opened| opened.pepper)
    }

    /// Whether another service has made it, in a form that is read here (feature `imported-hashes`).
    #[must_use]
    pub fn is_imported(&self) -> bool {
        #[cfg(feature = "imported-hashes")]
        return super::imported::Foreign::read(&self.0).is_ok();
        #[cfg(not(feature = "imported-hashes"))]
        false
    }

    /// Whether a new hash with `params` and `pepper` would be better than this one: it costs an attacker less, has a
    /// shorter salt or tag, or took another pepper key (HASH-4).
    ///
    /// A hash that costs more than `params` is left alone, so that two processes that are configured differently
    /// during a roll-out do not rewrite each other's hashes.
    ///
    /// # Errors
    /// [`BrokenHash`] when the text cannot be read.
    pub fn needs_rehash(&self, params: &HashParams, pepper: Option<&PepperId>) -> Result<bool, BrokenHash> {
        Opened::read(&self.0).map(|opened| opened.needs_rehash(params, pepper))
    }

    pub(super) fn open(&self) -> Result<Opened, BrokenHash> {
        Opened::read(&self.0)
    }
}

impl PartialEq for StoredHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for StoredHash {}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash(..)")
    }
}

/// Why a stored hash cannot be used: the record is damaged, was written by something else, or was tampered with.
///
/// It never means that a person typed a wrong password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BrokenHash {
    /// Not in the form this crate writes.
    #[error("the stored hash is not in the form that is written here")]
    Form,
    /// The cost is above the ceiling or impossible.
    #[error("the stored hash has a cost that is not accepted")]
    Cost(#[source] HashParamsError),
}

/// The parts of a stored hash, all within their bounds.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) pepper: Option<PepperId>,
    pub(super) params: HashParams,
    pub(super) salt: Salt,
    pub(super) tag: Output,
}

impl Opened {
    fn read(text: &str) -> Result<Self, BrokenHash> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(BrokenHash::Form);
        }
        let (pepper, phc) = match text.strip_prefix(PEPPER_PREFIX) {
            None => (None, text),
            Some(rest) => {
                let (id, phc) = rest
                    .find('$')
                    .and_then(|end| rest.split_at_checked(end))
                    .ok_or(BrokenHash::Form)?;
                (Some(PepperId::parse(id).map_err(|_| BrokenHash::Form)?), phc)
            }
        };
        let phc = PasswordHash::new(phc).map_err(|_| BrokenHash::Form)?;
        let cost = |name: &str| phc.params.get_decimal(name).ok_or(BrokenHash::Form);
        let params = HashParams::new(cost("m")?, cost("t")?, cost("p")?);
        check_ceiling(&params).map_err(BrokenHash::Cost)?;
        let (Some(salt), Some(tag)) = (phc.salt, phc.hash) else {
            return Err(BrokenHash::Form);
        };
        let opened = Self {
            pepper,
            params,
            salt,
            tag,
        };
        // One hash, one text: another spelling of the same record (order, padding, further fields, another version
        // or algorithm) is not ours.
        if tag.len() < MIN_TAG_BYTES || opened.to_stored().0 != text {
            return Err(BrokenHash::Form);
        }
        Ok(opened)
    }

    pub(super) fn to_stored(&self) -> StoredHash {
        let prefix = match &self.pepper {
            None => String::new(),
            Some(id) => format!("{PEPPER_PREFIX}{id}"),
        };
        StoredHash(format!(
            "{prefix}${}$v={}$m={},t={},p={}${}${}",
            Algorithm::Argon2id,
            u32::from(Version::V0x13),
            self.params.memory_kib(),
            self.params.passes(),
            self.params.lanes(),
            self.salt,
            self.tag,
        ))
    }

    pub(super) fn needs_rehash(&self, params: &HashParams, pepper: Option<&PepperId>) -> bool {
        self.params.work() < params.work()
            || (self.params.is_below_floor() && !params.is_below_floor())
            || self.salt.len() < SALT_BYTES
            || self.tag.len() < TAG_BYTES
            || self.pepper.as_ref() != pepper
    }
}

/// A stored cost may lie below today's floor, since an old hash must still be verifiable once, to be replaced.
const fn check_ceiling(params: &HashParams) -> Result<(), HashParamsError> {
    match params.check() {
        Ok(()) | Err(HashParamsError::BelowFloor { .. }) => {}
        Err(above) => return Err(above),
    }
    // Argon2 has no meaning with under eight blocks a lane.
    let needed_kib = params.lanes().saturating_mul(8);
    if params.memory_kib() < needed_kib {
        let (memory_kib, passes) = (params.memory_kib(), params.passes());
        return Err(HashParamsError::BelowFloor {
            memory_kib,
            passes,
            needed_kib,
        });
    }
    Ok(())
}

/// Bytes of salt in a new hash.
pub(super) const SALT_BYTES: usize = 16;
/// Bytes of tag in a new hash.
pub(super) const TAG_BYTES: usize = 32;

const MIN_TAG_BYTES: usize = 16;
const PEPPER_PREFIX: &str = "pepper=";
/// Longer than the longest text there can be: name, costs, 48 bytes of salt, 64 of tag.
const MAX_TEXT_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "c29tZXNhbHRzb21lc2FsdA";
    const TAG: &str = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI";

    fn phc(cost: &str) -> String {
        format!("$argon2id$v=19${cost}${SALT}${TAG}")
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        for text in [
            phc("m=19456,t=2,p=1"),
            format!("pepper=2026-a{}", phc("m=65536,t=3,p=1")),
        ] {
            assert_eq!(StoredHash::parse(&text).unwrap().as_str(), text);
        }
        let peppered = StoredHash::parse(&format!("pepper=k.1{}", phc("m=19456,t=2,p=1"))).unwrap();
        assert_eq!(peppered.pepper().unwrap().unwrap().as_str(), "k.1");
    }

    #[test]
    fn a_cost_above_the_ceiling_is_refused_while_it_is_still_a_number() {
        // HASH-4
        for ok in ["m=1048576,t=16,p=8", "m=8,t=1,p=1", "m=64,t=1,p=8"] {
            assert!(StoredHash::parse(&phc(ok)).is_ok(), "{ok}");
        }
        for bad in [
            "m=1048577,t=2,p=1",
            "m=4294967295,t=2,p=1",
            "m=19456,t=17,p=1",
            "m=19456,t=0,p=1",
            "m=19456,t=2,p=9",
            "m=19456,t=2,p=0",
            "m=63,t=1,p=8",
            "m=7,t=1,p=1",
        ] {
            assert!(
                matches!(StoredHash::parse(&phc(bad)), Err(BrokenHash::Cost(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn anything_but_the_one_spelling_is_refused() {
        // HASH-7
        let good = phc("m=19456,t=2,p=1");
        let mut bad = vec![
            String::new(),
            "$".to_owned(),
            "pepper=".to_owned(),
            "pepper=a".to_owned(),
            format!("pepper={good}"),
            format!("pepper=a b{good}"),
            format!("pepper=a$pepper=b{good}"),
            format!("{good} "),
            format!(" {good}"),
            format!("{good}$"),
            format!("{good}="),
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            good.replace("$v=19", ""),
            phc("t=2,m=19456,p=1"),
            phc("m=19456,t=2"),
            phc("m=19456,t=2,p=1,data=AAAA"),
            phc("m=019456,t=2,p=1"),
            phc("m=+19456,t=2,p=1"),
            phc("m=4294967296,t=2,p=1"),
            good.replace(SALT, "c29tZXM"),
            good.replace(SALT, &"A".repeat(68)),
            good.replace(TAG, &"A".repeat(20)),
            good.replace(TAG, &"A".repeat(88)),
            good.replace(TAG, "!"),
            format!("pepper={}{good}", "a".repeat(300)),
        ];
        // Cut anywhere before its tag has 16 bytes; a longer rest would be a record with a shorter tag.
        let cuts = 0..good.len() - 43 + 21;
        bad.extend(cuts.map(|end| good.chars().take(end).collect::<String>()));
        for text in bad {
            assert_eq!(StoredHash::parse(&text), Err(BrokenHash::Form), "{text}");
        }
    }

    #[test]
    fn weaker_records_ask_for_a_rehash_and_stronger_ones_are_left_alone() {
        // HASH-4
        let ask = |cost: &str, params: HashParams| {
            StoredHash::parse(&phc(cost))
                .unwrap()
                .needs_rehash(&params, None)
                .unwrap()
        };
        assert!(!ask("m=19456,t=2,p=1", HashParams::DEFAULT));
        assert!(!ask("m=65536,t=3,p=1", HashParams::DEFAULT));
        assert!(ask("m=19456,t=2,p=1", HashParams::STRONG));
        assert!(ask("m=19456,t=1,p=1", HashParams::DEFAULT));
        assert!(
            ask("m=8192,t=16,p=1", HashParams::DEFAULT),
            "below the floor, however many passes"
        );
        let short = phc("m=19456,t=2,p=1").replace(SALT, "c29tZXNhbHQ");
        assert!(
            StoredHash::parse(&short)
                .unwrap()
                .needs_rehash(&HashParams::DEFAULT, None)
                .unwrap()
        );
    }

    #[test]
    fn another_pepper_asks_for_a_rehash() {
        // HASH-5
        let (a, b) = (PepperId::parse("a").unwrap(), PepperId::parse("b").unwrap());
        let plain = StoredHash::parse(&phc("m=19456,t=2,p=1")).unwrap();
        let with_a = StoredHash::parse(&format!("pepper=a{}", phc("m=19456,t=2,p=1"))).unwrap();
        let ask = |hash: &StoredHash, pepper| hash.needs_rehash(&HashParams::DEFAULT, pepper).unwrap();
        assert!(!ask(&plain, None) && !ask(&with_a, Some(&a)));
        assert!(ask(&plain, Some(&a)) && ask(&with_a, Some(&b)) && ask(&with_a, None));
    }

    #[test]
    fn nothing_of_it_is_printed_and_its_rows_hold_the_text() {
        // HASH-7
        let hash = StoredHash::parse(&phc("m=19456,t=2,p=1")).unwrap();
        assert_eq!(format!("{hash:?}"), "StoredHash(..)");
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("{:?}", hash.as_str()));
        assert_eq!(serde_json::from_str::<StoredHash>(&json).unwrap(), hash);
    }
}
