//! Addresses: one person, one spelling. What is typed becomes one canonical ASCII form, computed here and nowhere
//! else, so that no database's idea of lower case ever decides who somebody is (EML-4).

use std::fmt;
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::account::plain_text::has_hidden_character;
use crate::error::Reason;

/// An email address in its canonical form: lower-case ASCII, the domain as A-labels, 254 bytes at most.
///
/// Two people never share one, and mail goes to this text only, never to what was typed (EML-6). There is no
/// `Display`, and `Debug` shows [`masked`](Self::masked): an address does not slip into a log by accident.
///
/// ```
/// use portal_auth::account::email::EmailAddress;
///
/// let address = EmailAddress::parse("  Jane.Doe@BÜCHER.example ")?;
/// assert_eq!(address.as_str(), "jane.doe@xn--bcher-kva.example");
/// assert_eq!(address.masked(), "j•••@xn--bcher-kva.example");
/// # Ok::<(), portal_auth::account::email::EmailError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The longest address, in bytes, typed or canonical (LIM-2).
    pub const MAX_BYTES: usize = 254;

    /// Reads what a person typed; spaces and tabs around it do not count.
    ///
    /// # Errors
    /// [`EmailError::Required`] when nothing was typed, [`EmailError::TooLong`] above 254 bytes, and
    /// [`EmailError::Format`] for anything that is not one plain address: quoted or non-ASCII local parts, comments,
    /// lists, address literals and bare host names are refused. Each can be shown beside the field.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        let typed = typed.trim_matches(BLANKS);
        if typed.is_empty() {
            return Err(EmailError::Required);
        }
        if typed.len() > Self::MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        if typed.contains(is_barred) || has_hidden_character(typed) {
            return Err(EmailError::Format);
        }
        let (local, domain) = typed.split_once('@').ok_or(EmailError::Format)?;
        if domain.contains('@') || !is_plain_local_part(local) {
            return Err(EmailError::Format);
        }
        let domain = canonical_domain(domain)?;
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        // A-labels are longer than what they stand for.
        if canonical.len() > Self::MAX_BYTES {
            Err(EmailError::TooLong)
        } else {
            Ok(Self(canonical))
        }
    }

    /// Reads an address that a store kept.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`EmailError::Format`] when `stored` is not canonical already: such a row was
    /// not written by this crate and must not be taken for the account of the canonical address.
    pub fn from_canonical(stored: &str) -> Result<Self, EmailError> {
        let address = Self::parse(stored)?;
        if address.0 == stored {
            Ok(address)
        } else {
            Err(EmailError::Format)
        }
    }

    /// Whether the repeated address of a form equals the first as it was typed, blanks at the ends aside (EML-7).
    #[must_use]
    pub fn is_repeated(typed: &str, again: &str) -> bool {
        typed.trim_matches(BLANKS) == again.trim_matches(BLANKS)
    }

    /// The canonical text, for stores, keys and the envelope of a mail.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// What stands after the `@`, as A-labels.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// The key under which mails to this mailbox are counted: the address without its `+tag` (EML-5, MAIL-5).
    #[must_use]
    pub fn coarse(&self) -> CoarseAddress {
        let local = self.local_part();
        let untagged = local.split_once('+').map_or(local, |(before, _)| before);
        CoarseAddress(format!("{untagged}@{}", self.domain()))
    }

    /// The address for showing to somebody who may not be its owner, such as `j•••@school.example`.
    ///
    /// The number of dots says nothing about the length of what they hide.
    #[must_use]
    pub fn masked(&self) -> String {
        let first = self
            .local_part()
            .chars()
            .next()
            .map_or_else(String::new, String::from);
        format!("{first}•••@{}", self.domain())
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

impl FromStr for EmailAddress {
    type Err = EmailError;

    fn from_str(typed: &str) -> Result<Self, EmailError> {
        Self::parse(typed)
    }
}

impl Serialize for EmailAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Accepts canonical text only: what is read back is what was written.
impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = String::deserialize(deserializer)?;
        // The cause is left out of the text: it could repeat the address.
        Self::from_canonical(&stored).map_err(|_| de::Error::custom("not a canonical email address"))
    }
}

/// A mailbox for counting mails: an address without its `+tag`. Never an identity, never an envelope (EML-5).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CoarseAddress(String);

impl CoarseAddress {
    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CoarseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CoarseAddress(..)")
    }
}

/// Says why a text is not an address; the person can mend each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmailError {
    /// Nothing was typed.
    #[error("an email address is required")]
    Required,
    /// It is not one plain address.
    #[error("not in the format of an email address")]
    Format,
    /// It has more than 254 bytes, as typed or in canonical form.
    #[error("longer than an email address can be")]
    TooLong,
}

impl EmailError {
    /// The stable code.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Required => Reason::new("email.required"),
            Self::Format => Reason::new("email.format"),
            Self::TooLong => Reason::new("email.too_long"),
        }
    }

    /// The number in the rule, where it has one.
    #[must_use]
    pub const fn number(self) -> Option<u64> {
        match self {
            Self::TooLong => Some(EmailAddress::MAX_BYTES as u64),
            Self::Required | Self::Format => None,
        }
    }
}

/// ASCII blanks; a line end is a control and therefore refused.
const BLANKS: [char; 2] = [' ', '\t'];

/// Characters that make lists, comments, quotes or headers of an address in some mail program (EML-1).
fn is_barred(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"' | '(' | ')' | '\\')
}

/// EML-2: a dot-atom in ASCII, of 1 to 64 bytes, that no program can take for an option.
fn is_plain_local_part(local: &str) -> bool {
    local.len() <= 64
        && !local.starts_with('-')
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// `atext` of RFC 5322.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// EML-3: UTS-46, strict and non-transitional, to A-labels.
fn canonical_domain(typed: &str) -> Result<String, EmailError> {
    let domain = Uts46::new()
        .to_ascii(
            typed.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::Verify,
        )
        .map_err(|_| EmailError::Format)?;
    // No top-level domain begins with a digit, whereas bare IPv4 addresses in all their spellings end so.
    match domain.rsplit_once('.') {
        Some((_, top)) if top.starts_with(|c: char| c.is_ascii_alphabetic()) => Ok(domain.into_owned()),
        _ => Err(EmailError::Format),
    }
}
