//! What is demanded of a new password, as data: two presets, every broken rule at once, and words for all of it in
//! [`wording`](super::wording).
//!
//! A policy judges passwords that are being *set*. Signing in never consults it: a password that was accepted once
//! stays usable when the rules change.

use std::fmt;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use zeroize::Zeroizing;

use super::{Password, blocklist};
use crate::account::email::EmailAddress;
use crate::account::plain_text::has_hidden_character;
use crate::error::{FieldError, Reason};

/// What a new password must be like.
///
/// Lengths and counts are in Unicode scalar values of the text exactly as received. Start from a preset and change
/// its fields; [`departures`](Self::departures) says which recommendations the result does not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordPolicy {
    /// The fewest characters. `portal` 10, `modern` 15; ASVS 6.2.1 wants 8 at least.
    pub min_length: u32,
    /// The most characters; a longer password is refused, never cut. Both presets 128; ASVS 6.2.9 wants 64 at least.
    pub max_length: u32,
    /// The most bytes in UTF-8 (HASH-3). Both presets 512, which is 128 of the longest characters.
    pub max_bytes: u32,
    /// The fewest decimal digits of any script (general category Nd). `portal` 2, `modern` 0.
    pub min_digits: u32,
    /// The fewest lower-case letters. `portal` 1, `modern` 0.
    pub min_lower: u32,
    /// The fewest upper-case letters. `portal` 1, `modern` 0.
    pub min_upper: u32,
    /// The fewest special characters: neither letter, number nor control; a space is one. `portal` 1, `modern` 0.
    pub min_special: u32,
    /// Whether passwords that many people use are refused (PWD-2). Both presets `true`.
    pub refuse_common: bool,
    /// Whether passwords that contain the person's address, its local part or a name are refused beside those that
    /// equal the address, which always are. Both presets `true`.
    pub refuse_personal: bool,
    /// Words of the organisation that no password may contain; see [`PasswordPolicy::check`] for how they are
    /// compared. Words of fewer than 4 characters are ignored. Both presets: none.
    pub context_words: Vec<String>,
    /// The service's name, barred like a context word. Both presets: none.
    pub service_name: Option<String>,
}

impl PasswordPolicy {
    /// The rules of the portal's guide: 10 to 128 characters, two digits, a lower-case, an upper-case and a special
    /// one (PWD-1), and not a common password.
    #[must_use]
    pub fn portal() -> Self {
        Self {
            min_length: 10,
            min_digits: 2,
            min_lower: 1,
            min_upper: 1,
            min_special: 1,
            ..Self::modern()
        }
    }

    /// The rules of today's standards: 15 to 128 characters of any kind, and not a common password.
    #[must_use]
    pub fn modern() -> Self {
        Self {
            min_length: 15,
            max_length: 128,
            max_bytes: 512,
            min_digits: 0,
            min_lower: 0,
            min_upper: 0,
            min_special: 0,
            refuse_common: true,
            refuse_personal: true,
            context_words: Vec::new(),
            service_name: None,
        }
    }

    /// Judges a password for the person that `owner` describes.
    ///
    /// Nothing is folded for lengths and counts. The address is compared after its own canonical form and ASCII
    /// case (PWD-3); common passwords ignore ASCII case. Context words, service name, local part and names are
    /// looked for in lower case with everything but letters and numbers left out on both sides, so that
    /// `Har-bour` is found to contain `harbour`.
    ///
    /// # Errors
    /// *Every* rule that is broken, in the order of [`BrokenRule`]'s variants; for an empty password only
    /// [`BrokenRule::Required`]. [`sentence`](super::wording::sentence) says them in one sentence.
    ///
    /// # Security
    /// The time taken depends on the password. Call it for passwords that are being set, never to verify one.
    pub fn check(&self, password: &Password, owner: &PasswordOwner<'_>) -> Result<(), Vec<BrokenRule>> {
        if password.is_empty() {
            return Err(vec![BrokenRule::Required]);
        }
        let typed = password.expose();
        let mut broken = Vec::new();
        self.check_size(typed, &mut broken);
        self.check_classes(&Counts::of(typed), &mut broken);
        if has_hidden_character(typed) {
            broken.push(BrokenRule::Control);
        }
        let is_username = owner.email.is_some_and(|email| is_username(typed, email));
        if is_username {
            broken.push(BrokenRule::IsUsername);
        }
        if self.contains_context(typed, owner, is_username) {
            broken.push(BrokenRule::Context);
        }
        if self.refuse_common && blocklist::contains(typed) {
            broken.push(BrokenRule::Common);
        }
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    /// The recommendations that this policy does not follow; documents and the operator's check print them.
    #[must_use]
    pub fn departures(&self) -> Vec<Departure> {
        let composition = [self.min_digits, self.min_lower, self.min_upper, self.min_special];
        [
            (self.min_length < 8, Departure::ShorterThanEight),
            (self.min_length < 15, Departure::ShorterThanFifteen),
            (
                self.max_length < 64 || self.max_bytes < 64,
                Departure::CappedBelowSixtyFour,
            ),
            (
                composition.iter().any(|least| *least > 0),
                Departure::CompositionRules,
            ),
            (!self.refuse_common, Departure::CommonPasswordsAllowed),
        ]
        .into_iter()
        .filter_map(|(departs, departure)| departs.then_some(departure))
        .collect()
    }

    /// Whether any password at all can satisfy the rules; a configuration that fails this is refused at start.
    #[must_use]
    pub fn is_satisfiable(&self) -> bool {
        // A character belongs to one class at most.
        let classes = [self.min_digits, self.min_lower, self.min_upper, self.min_special];
        let needed = classes
            .into_iter()
            .fold(0, u32::saturating_add)
            .max(self.min_length)
            .max(1);
        needed <= self.max_length && needed <= self.max_bytes
    }

    fn check_size(&self, typed: &str, broken: &mut Vec<BrokenRule>) {
        let length = saturate(typed.chars().count());
        if length < self.min_length {
            broken.push(BrokenRule::TooShort {
                least: self.min_length,
            });
        }
        if length > self.max_length {
            broken.push(BrokenRule::TooLong {
                most: self.max_length,
            });
        } else if saturate(typed.len()) > self.max_bytes {
            broken.push(BrokenRule::TooManyBytes { most: self.max_bytes });
        }
    }

    fn check_classes(&self, counts: &Counts, broken: &mut Vec<BrokenRule>) {
        if counts.digits < self.min_digits {
            broken.push(BrokenRule::Digits {
                least: self.min_digits,
            });
        }
        if counts.lower < self.min_lower {
            broken.push(BrokenRule::Lower {
                least: self.min_lower,
            });
        }
        if counts.upper < self.min_upper {
            broken.push(BrokenRule::Upper {
                least: self.min_upper,
            });
        }
        if counts.special < self.min_special {
            broken.push(BrokenRule::Special {
                least: self.min_special,
            });
        }
    }

    fn contains_context(&self, typed: &str, owner: &PasswordOwner<'_>, is_username: bool) -> bool {
        let haystack = Haystack::of(typed);
        let of_service = self
            .context_words
            .iter()
            .chain(&self.service_name)
            .map(String::as_str);
        if of_service.into_iter().any(|word| haystack.contains(word)) {
            return true;
        }
        if !self.refuse_personal {
            return false;
        }
        // A password that *is* the address has been told so already.
        let of_address = owner.email.filter(|_| !is_username).map(EmailAddress::local_part);
        of_address
            .into_iter()
            .chain(owner.names.iter().copied())
            .any(|word| haystack.contains(word))
    }
}

/// What is known about the person whose password is being set.
#[derive(Debug, Clone, Copy, Default)]
pub struct PasswordOwner<'a> {
    email: Option<&'a EmailAddress>,
    names: &'a [&'a str],
}

impl<'a> PasswordOwner<'a> {
    /// Nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// The address, which is the username, is known.
    #[must_use]
    pub fn with_email(email: &'a EmailAddress) -> Self {
        Self {
            email: Some(email),
            names: &[],
        }
    }

    /// Adds the person's names, as they are known at a change or a reset of the password.
    #[must_use]
    pub fn and_names(self, names: &'a [&'a str]) -> Self {
        Self { names, ..self }
    }
}

/// A rule that a password breaks; the order of the variants is the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the numbers that the variants name")]
pub enum BrokenRule {
    /// Nothing was typed.
    Required,
    /// It has fewer characters than `least`.
    TooShort { least: u32 },
    /// It has more characters than `most`.
    TooLong { most: u32 },
    /// It has few enough characters, but more bytes than `most`.
    TooManyBytes { most: u32 },
    /// It has fewer decimal digits than `least`.
    Digits { least: u32 },
    /// It has fewer lower-case letters than `least`.
    Lower { least: u32 },
    /// It has fewer upper-case letters than `least`.
    Upper { least: u32 },
    /// It has fewer special characters than `least`.
    Special { least: u32 },
    /// It holds control or direction characters.
    Control,
    /// It is the address or its local part.
    IsUsername,
    /// It contains the person's address or name, the service's name or a barred word.
    Context,
    /// Many people use it.
    Common,
    /// It is known from a breach; found by a [`BreachCheck`](super::breached::BreachCheck), never by
    /// [`PasswordPolicy::check`].
    Breached,
    /// It could not be held against the list of breached ones, and the service accepts none unchecked: try again later.
    Unchecked,
    /// It is the one in force; found where it can be compared, never by [`PasswordPolicy::check`].
    Reused,
}

impl BrokenRule {
    /// The stable code.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::new(match self {
            Self::Required => "password.required",
            Self::TooShort { .. } => "password.too_short",
            Self::TooLong { .. } => "password.too_long",
            Self::TooManyBytes { .. } => "password.too_many_bytes",
            Self::Digits { .. } => "password.digits",
            Self::Lower { .. } => "password.lower",
            Self::Upper { .. } => "password.upper",
            Self::Special { .. } => "password.special",
            Self::Control => "password.control",
            Self::IsUsername => "password.is_username",
            Self::Context => "password.context",
            Self::Common => "password.common",
            Self::Breached => "password.breached",
            Self::Unchecked => "password.unchecked",
            Self::Reused => "password.reused",
        })
    }

    /// The number in the rule, where it has one.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        match self {
            Self::TooShort { least: number }
            | Self::TooLong { most: number }
            | Self::TooManyBytes { most: number }
            | Self::Digits { least: number }
            | Self::Lower { least: number }
            | Self::Upper { least: number }
            | Self::Special { least: number } => Some(u64::from(number)),
            Self::Required
            | Self::Control
            | Self::IsUsername
            | Self::Context
            | Self::Common
            | Self::Breached
            | Self::Unchecked
            | Self::Reused => None,
        }
    }

    /// The rule that an error of a form's password field tells; `None` for an error that is none of these rules.
    #[must_use]
    pub fn of(error: &FieldError) -> Option<Self> {
        let number = error.number.and_then(|number| u32::try_from(number).ok());
        let (least, most) = (number.unwrap_or_default(), number.unwrap_or_default());
        [
            Self::Required,
            Self::TooShort { least },
            Self::TooLong { most },
            Self::TooManyBytes { most },
            Self::Digits { least },
            Self::Lower { least },
            Self::Upper { least },
            Self::Special { least },
            Self::Control,
            Self::IsUsername,
            Self::Context,
            Self::Common,
            Self::Breached,
            Self::Unchecked,
            Self::Reused,
        ]
        .into_iter()
        .find(|rule| rule.reason() == error.reason)
    }
}

/// A recommendation that a policy does not follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Departure {
    /// Fewer than 8 characters are accepted.
    ShorterThanEight,
    /// Fewer than 15 characters are accepted, for a password that can be used alone.
    ShorterThanFifteen,
    /// 64 characters are not accepted.
    CappedBelowSixtyFour,
    /// Kinds of characters are demanded.
    CompositionRules,
    /// Common passwords are accepted.
    CommonPasswordsAllowed,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ShorterThanEight => "ASVS 5.0 6.2.1 (L1): accepts passwords of fewer than 8 characters",
            Self::ShorterThanFifteen => {
                "NIST SP 800-63B-4 3.1.1.2: accepts passwords of fewer than 15 characters as the only factor"
            }
            Self::CappedBelowSixtyFour => "ASVS 5.0 6.2.9 (L2): refuses passwords of 64 characters",
            Self::CompositionRules => {
                "ASVS 5.0 6.2.5 (L1) and NIST SP 800-63B-4 3.1.1.2: demands kinds of characters"
            }
            Self::CommonPasswordsAllowed => "ASVS 5.0 6.2.4 (L1): accepts common passwords",
        })
    }
}

/// How many characters of each kind a password has.
struct Counts {
    digits: u32,
    lower: u32,
    upper: u32,
    special: u32,
}

impl Counts {
    fn of(typed: &str) -> Self {
        let categories = CodePointMapData::<GeneralCategory>::new();
        let count = |is: &dyn Fn(char) -> bool| saturate(typed.chars().filter(|c| is(*c)).count());
        Self {
            digits: count(&|c| categories.get(c) == GeneralCategory::DecimalNumber),
            lower: count(&char::is_lowercase),
            upper: count(&char::is_uppercase),
            special: count(&|c| !c.is_alphanumeric() && !c.is_control()),
        }
    }
}

/// A password made ready for looking for words in it.
struct Haystack(Zeroizing<String>);

impl Haystack {
    fn of(typed: &str) -> Self {
        Self(Zeroizing::new(letters_and_numbers(typed).collect()))
    }

    fn contains(&self, word: &str) -> bool {
        let word: String = letters_and_numbers(word).collect();
        word.chars().count() >= SHORTEST_CONTEXT_WORD && self.0.contains(&word)
    }
}

/// Shorter words stand in too many good passwords by chance.
const SHORTEST_CONTEXT_WORD: usize = 4;

/// Lower case by single characters, so that a part of a text gives a part of its form.
fn letters_and_numbers(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
}

/// PWD-3.
fn is_username(typed: &str, email: &EmailAddress) -> bool {
    typed
        .trim_matches([' ', '\t'])
        .eq_ignore_ascii_case(email.local_part())
        || EmailAddress::parse(typed).is_ok_and(|parsed| parsed == *email)
}

/// Sizes past four thousand million break every rule that they can break anyhow.
fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
