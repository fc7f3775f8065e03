//! UK postcodes, as people type them.

use std::fmt;

use portal_auth::error::Reason;

/// A full UK postcode in its normal form, such as `S1 2HH`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Postcode(String);

/// Why what was typed is no postcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostcodeError {
    /// Nothing was typed.
    #[error("no postcode was typed")]
    Required,
    /// It has not the form of a full UK postcode.
    #[error("not a full UK postcode")]
    Format,
}

impl PostcodeError {
    /// The stable code of the message to show.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Required => Reason::new("postcode.required"),
            Self::Format => Reason::new("postcode.format"),
        }
    }
}

impl Postcode {
    /// Reads a postcode in any case, with spaces and dashes anywhere.
    ///
    /// The form is judged, not whether the post delivers there: new ones are made every month.
    ///
    /// # Errors
    /// [`PostcodeError`].
    pub fn parse(typed: &str) -> Result<Self, PostcodeError> {
        let mut letters = String::new();
        for c in typed
            .chars()
            .filter(|c| !c.is_whitespace() && !DASHES.contains(c))
        {
            // The longest has seven letters: whatever is typed beyond that is not worth keeping.
            if !c.is_ascii_alphanumeric() || letters.len() >= 7 {
                return Err(PostcodeError::Format);
            }
            letters.push(c.to_ascii_uppercase());
        }
        if letters.is_empty() {
            return Err(PostcodeError::Required);
        }
        let split = letters.len().checked_sub(3).ok_or(PostcodeError::Format)?;
        let (outward, inward) = letters.split_at_checked(split).ok_or(PostcodeError::Format)?;
        if is_inward(inward.as_bytes()) && is_outward(outward.as_bytes()) {
            Ok(Self(format!("{outward} {inward}")))
        } else {
            Err(PostcodeError::Format)
        }
    }

    /// The postcode in capitals with one space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Postcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The six forms of the first half: A9, A99, AA9, AA99, A9A, AA9A; and `GIR`, the one exception.
fn is_outward(half: &[u8]) -> bool {
    let first = |b: &u8| b.is_ascii_uppercase() && !b"QVX".contains(b);
    let second = |b: &u8| b.is_ascii_uppercase() && !b"IJZ".contains(b);
    let third = |b: &u8| b"ABCDEFGHJKPSTUW".contains(b);
    let fourth = |b: &u8| b"ABEHMNPRVWXY".contains(b);
    let digit = u8::is_ascii_digit;
    match half {
        b"GIR" => true,
        [a, n] => first(a) && digit(n),
        [a, n, m] if digit(n) => first(a) && (digit(m) || third(m)),
        [a, b, n] => first(a) && second(b) && digit(n),
        [a, b, n, m] => first(a) && second(b) && digit(n) && (digit(m) || fourth(m)),
        _ => false,
    }
}

fn is_inward(half: &[u8]) -> bool {
    let letter = |b: &u8| b.is_ascii_uppercase() && !b"CIKMOV".contains(b);
    matches!(half, [n, a, b] if n.is_ascii_digit() && letter(a) && letter(b))
}

/// Hyphen, and what phones and word processors make of it.
const DASHES: &[char] = &[
    '-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_are_read_as_people_type_them() {
        for (typed, normal) in [
            ("S1 2HH", "S1 2HH"),
            ("s12hh", "S1 2HH"),
            ("  s1-2hh ", "S1 2HH"),
            ("s 1\u{a0}2\u{2013}h h", "S1 2HH"),
            ("M60 1NW", "M60 1NW"),
            ("CR2 6XH", "CR2 6XH"),
            ("dn551pt", "DN55 1PT"),
            ("W1A 1HQ", "W1A 1HQ"),
            ("ec1a1bb", "EC1A 1BB"),
            ("gir 0aa", "GIR 0AA"),
            ("AA9A 9AA", "AA9A 9AA"),
        ] {
            assert_eq!(Postcode::parse(typed).unwrap().as_str(), normal, "{typed}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for typed in [
            "S1",
            "2HH",
            "S1 2H",
            "S1 HHH",
            "1S 2HH",
            "S1 2HHH",
            "S111 2HH",
            "QA1 1AA",
            "AZ1 1AA",
            "S1 2CH",
            "S1 2HV",
            "W1Z 1AA",
            "EC1C 1AA",
            "S1_2HH",
            "S1 2HÉ",
            "٣1 2HH",
            "ＳＡ1 2HH",
            "AAAAAAAAAAAAAAAAAA",
            "S1 2HH; DROP",
        ] {
            assert_eq!(Postcode::parse(typed), Err(PostcodeError::Format), "{typed}");
        }
        for empty in ["", "   ", " - "] {
            assert_eq!(Postcode::parse(empty), Err(PostcodeError::Required), "{empty:?}");
        }
    }
}
