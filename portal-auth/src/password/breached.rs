//! Passwords that are known from breaches: the port that is asked, and the question it gets (PWD-2, ASVS 6.2.12).
//!
//! The question is a [`HashPrefix`]: the first 5 of the 40 hexadecimal digits of the password's SHA-1. The answer is
//! everything that is known to begin with them, some thousand lines, and the comparison happens here. So whoever
//! answers learns 20 bits of a hash, which fit every 1,048,576th password (k-anonymity). Both are in the format of
//! the [range API of Have I Been Pwned](https://haveibeenpwned.com/API/v3#PwnedPasswords).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sha1::{Digest as _, Sha1};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::Password;
use crate::error::Fault;

/// A list of passwords from breaches, asked by the beginning of a hash.
///
/// An implementation must answer with *all* lines of the range, must not block the thread that polls the future, and
/// may be called concurrently. It need not keep time: whoever asks stops waiting after [`BreachCheck::patience`].
///
/// # Security
/// A wrong "nothing known" lets a person choose a password that attackers try first; a wrong line refuses one that is
/// good. Neither lets anybody in. A source on the network sees when somebody sets a password, and the prefix.
///
/// # Examples
/// ```
/// use portal_auth::error::Fault;
/// use portal_auth::password::breached::{BreachedPasswords, HashPrefix};
///
/// /// Knows one password: "password", whose SHA-1 begins with 5BAA6.
/// #[derive(Debug)]
/// struct OneWord;
///
/// #[async_trait::async_trait]
/// impl BreachedPasswords for OneWord {
///     async fn range(&self, prefix: HashPrefix) -> Result<String, Fault> {
///         Ok(match prefix.as_str() {
///             "5BAA6" => "1E4C9B93F3F0682250B6CF8331B7EE68FD8:9659365\r\n".to_owned(),
///             _ => String::new(),
///         })
///     }
/// }
///
/// let mut config = portal_auth::config::Config::modern("https://portal.example".parse()?);
/// config.passwords.breached = Some(portal_auth::password::breached::BreachCheck::new(OneWord));
/// # Ok::<(), url::ParseError>(())
/// ```
#[async_trait]
pub trait BreachedPasswords: fmt::Debug + Send + Sync {
    /// Every known hash that begins with `prefix`: one line each, its other 35 hexadecimal digits, a colon and how
    /// often it was seen. Lines may end in CRLF; a count of 0 is padding and is ignored.
    ///
    /// # Errors
    /// A [`Fault`] when the list cannot be read. It must not name the prefix, since it is logged.
    async fn range(&self, prefix: HashPrefix) -> Result<String, Fault>;
}

#[async_trait]
impl<T: BreachedPasswords + ?Sized> BreachedPasswords for Arc<T> {
    async fn range(&self, prefix: HashPrefix) -> Result<String, Fault> {
        (**self).range(prefix).await
    }
}

/// That new passwords are held against a list of breached ones, and what happens when the list does not answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BreachCheck {
    /// The list.
    pub source: Arc<dyn BreachedPasswords>,
    /// What happens when it does not answer; [`WhenUnavailable::Accept`] by default.
    pub unavailable: WhenUnavailable,
    /// How long it is waited for: 1 s, from 10 ms to 10 s. Nobody who chooses a password waits longer.
    pub patience: Duration,
}

impl BreachCheck {
    /// Asks `source`, waits a second, and accepts what could not be checked.
    #[must_use]
    pub fn new(source: impl BreachedPasswords + 'static) -> Self {
        Self {
            source: Arc::new(source),
            unavailable: WhenUnavailable::Accept,
            patience: Duration::from_secs(1),
        }
    }

    /// The same, with another choice for when the source does not answer.
    #[must_use]
    pub const fn when_unavailable(mut self, unavailable: WhenUnavailable) -> Self {
        self.unavailable = unavailable;
        self
    }
}

/// What becomes of a new password while the list of breached ones does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum WhenUnavailable {
    /// It is accepted as far as all other rules go, the built-in list of common passwords among them; each time is
    /// logged and counted.
    Accept,
    /// It is refused with [`BrokenRule::Unchecked`](super::policy::BrokenRule::Unchecked), which asks to try again
    /// later: nobody registers, changes or resets a password meanwhile.
    Refuse,
}

/// The first 5 of the 40 hexadecimal digits of a SHA-1, in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashPrefix([u8; PREFIX_DIGITS]);

impl HashPrefix {
    /// How many prefixes there are.
    pub const COUNT: u32 = 1 << 20;

    /// The prefix of this number; `None` from [`COUNT`](Self::COUNT) on.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        if number >= Self::COUNT {
            return None;
        }
        format!("{number:05X}").into_bytes().try_into().ok().map(Self)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // They are ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for HashPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for HashPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashPrefix(..)")
    }
}

/// A password's whole SHA-1; of it only the prefix goes anywhere.
pub(crate) struct Fingerprint {
    prefix: HashPrefix,
    suffix: Zeroizing<[u8; SUFFIX_DIGITS]>,
}

impl Fingerprint {
    pub(crate) fn of(password: &Password) -> Self {
        let mut digest = Sha1::digest(password.expose().as_bytes());
        let digits = digest
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|nibble| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
        let (mut prefix, mut suffix) = ([0; PREFIX_DIGITS], Zeroizing::new([0; SUFFIX_DIGITS]));
        prefix
            .iter_mut()
            .chain(suffix.iter_mut())
            .zip(digits)
            .for_each(|(place, digit)| *place = digit);
        digest.as_mut_slice().zeroize();
        Self {
            prefix: HashPrefix(prefix),
            suffix,
        }
    }

    pub(crate) const fn prefix(&self) -> HashPrefix {
        self.prefix
    }

    /// Whether the password is in a range, which is read to its end in any case.
    pub(crate) fn is_in(&self, range: &str) -> Result<bool, BrokenRange> {
        let mut found = false;
        for line in range.lines().filter(|line| !line.is_empty()) {
            let (digits, count) = split_line(line.as_bytes(), SUFFIX_DIGITS).ok_or(BrokenRange)?;
            found |= count > 0 && digits.eq_ignore_ascii_case(&*self.suffix);
        }
        Ok(found)
    }
}

/// A source answered with something that is no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a line of the answer is not 35 hexadecimal digits, a colon and a count")]
pub(crate) struct BrokenRange;

/// A line of `digits` hexadecimal digits, a colon and a decimal count, without its end.
pub(super) fn split_line(line: &[u8], digits: usize) -> Option<(&[u8], u64)> {
    let (hash, rest) = line.split_at_checked(digits)?;
    let count = std::str::from_utf8(rest.strip_prefix(b":")?).ok()?;
    let plain = count.bytes().all(|b| b.is_ascii_digit()) && hash.iter().all(u8::is_ascii_hexdigit);
    Some((hash, count.parse().ok().filter(|_| plain)?))
}

pub(super) const PREFIX_DIGITS: usize = 5;
pub(super) const SUFFIX_DIGITS: usize = 35;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf password | sha1sum`
    const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

    fn password() -> Fingerprint {
        Fingerprint::of(&Password::from("password"))
    }

    #[test]
    fn the_question_is_five_digits_of_the_known_hash() {
        // PWD-2
        assert_eq!(password().prefix().as_str(), "5BAA6");
        assert_eq!(HashPrefix::from_number(0x5_BAA6), Some(password().prefix()));
        assert_eq!(HashPrefix::from_number(1).unwrap().as_str(), "00001");
        assert_eq!(HashPrefix::from_number(HashPrefix::COUNT), None);
        assert_eq!(format!("{:?}", password().prefix()), "HashPrefix(..)");
    }

    #[test]
    fn a_line_counts_in_any_case_and_with_any_end_and_padding_does_not() {
        // PWD-2
        let other = "0".repeat(35);
        for (range, listed) in [
            (String::new(), false),
            (format!("{SUFFIX}:1"), true),
            (format!("{other}:7\r\n{SUFFIX}:3\r\n"), true),
            (format!("{}:1\n\n{other}:2\n", SUFFIX.to_lowercase()), true),
            (format!("{SUFFIX}:0\r\n{other}:5\r\n"), false),
            (format!("{other}:5\n"), false),
        ] {
            assert_eq!(password().is_in(&range), Ok(listed), "{range:?}");
        }
    }

    #[test]
    fn what_is_no_range_is_no_answer() {
        for broken in [
            "<html>".to_owned(),
            SUFFIX.to_owned(),
            format!("{SUFFIX}:"),
            format!("{SUFFIX}:-1"),
            format!("{SUFFIX}:+1"),
            format!("{SUFFIX}:1 "),
            format!("{SUFFIX}:99999999999999999999999"),
            format!("5BAA6{SUFFIX}:1"),
            format!("{SUFFIX}:1\nx"),
            format!("{}é:1", "0".repeat(34)),
        ] {
            assert_eq!(password().is_in(&broken), Err(BrokenRange), "{broken:?}");
        }
    }
}
