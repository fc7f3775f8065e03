//! UK postcodes, as people type them.

use std::fmt;

use thiserror::Error;

use crate::error::Reason;

/// A full UK postcode in its normal form: capitals, and one space before the last three characters.
///
/// Its form is judged, not whether post is delivered there: new ones come up every month.
///
/// ```
/// use portal_auth::account::postcode::Postcode;
///
/// assert_eq!(Postcode::parse(" s1-2hh ")?.as_str(), "S1 2HH");
/// assert!(Postcode::parse("S1").is_err());
/// # Ok::<(), portal_auth::account::postcode::PostcodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Postcode(String);

impl Postcode {
    /// The most characters typed, not counting the blanks around them (LIM-2).
    pub const MAX_CHARACTERS: usize = 10;

    /// Reads a postcode in any case, with spaces and dashes anywhere.
    ///
    /// # Errors
    /// [`PostcodeError::Required`] when nothing but spaces and dashes was typed, and [`PostcodeError::Format`] for
    /// everything else, half a postcode and more than ten characters among it. Each can be shown beside the field.
    pub fn parse(typed: &str) -> Result<Self, PostcodeError> {
        let typed = typed.trim();
        if typed.chars().all(is_separator) {
            return Err(PostcodeError::Required);
        }
        if typed.chars().count() > Self::MAX_CHARACTERS {
            return Err(PostcodeError::Format);
        }
        let symbols: String = typed
            .chars()
            .filter(|c| !is_separator(*c))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let (outward, inward) = symbols
            .len()
            .checked_sub(INWARD_LENGTH)
            .and_then(|middle| symbols.split_at_checked(middle))
            .ok_or(PostcodeError::Format)?;
        if is_outward(outward.as_bytes()) && is_inward(inward.as_bytes()) {
            Ok(Self(format!("{outward} {inward}")))
        } else {
            Err(PostcodeError::Format)
        }
    }

    /// The normal form, such as `S1 2HH`.
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

/// Says why a text is not a full UK postcode; the person can mend each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PostcodeError {
    /// Nothing was typed.
    #[error("a postcode is required")]
    Required,
    /// It has not the form of a full UK postcode.
    #[error("the text is not a full UK postcode")]
    Format,
}

impl PostcodeError {
    /// The stable code.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::new(match self {
            Self::Required => "postcode.required",
            Self::Format => "postcode.format",
        })
    }
}

/// What people put between the parts: blanks, hyphens, and what phones and word processors make of a hyphen.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The six forms of the first part (A9, A99, AA9, AA99, A9A, AA9A) with the letters that Royal Mail uses at each
/// place, and `GIR`, the one exception.
fn is_outward(part: &[u8]) -> bool {
    let first = |b: &u8| b.is_ascii_uppercase() && !b"QVX".contains(b);
    let second = |b: &u8| b.is_ascii_uppercase() && !b"IJZ".contains(b);
    let third = |b: &u8| b"ABCDEFGHJKPSTUW".contains(b);
    let fourth = |b: &u8| b"ABEHMNPRVWXY".contains(b);
    let digit = u8::is_ascii_digit;
    match part {
        b"GIR" => true,
        [a, n] => first(a) && digit(n),
        [a, n, c] if digit(n) => first(a) && (digit(c) || third(c)),
        [a, b, n] => first(a) && second(b) && digit(n),
        [a, b, n, c] => first(a) && second(b) && digit(n) && (digit(c) || fourth(c)),
        _ => false,
    }
}

fn is_inward(part: &[u8]) -> bool {
    let letter = |b: &u8| b.is_ascii_uppercase() && !b"CIKMOV".contains(b);
    matches!(part, [n, a, b] if n.is_ascii_digit() && letter(a) && letter(b))
}

const INWARD_LENGTH: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_are_read_as_people_type_them() {
        for (typed, normal) in [
            ("S1 2HH", "S1 2HH"),
            ("s12hh", "S1 2HH"),
            ("  s1-2hh\t", "S1 2HH"),
            ("s 1\u{a0}2\u{2013}h h", "S1 2HH"),
            ("M60 1NW", "M60 1NW"),
            ("CR2 6XH", "CR2 6XH"),
            ("dn551pt", "DN55 1PT"),
            ("W1A 1HQ", "W1A 1HQ"),
            ("ec1a - 1bb", "EC1A 1BB"),
            ("gir 0aa", "GIR 0AA"),
            ("BF1 3AA", "BF1 3AA"),
        ] {
            assert_eq!(Postcode::parse(typed).unwrap().as_str(), normal, "{typed}");
        }
    }

    #[test]
    fn half_a_postcode_and_other_texts_are_refused() {
        for typed in [
            "S1",
            "2HH",
            "S1 2H",
            "S1 HHH",
            "1S 2HH",
            "S1 2HHH",
            "S111 2HH",
            "SS1A1 2HH",
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
            "S1\u{200e} 2HH",
            "S1\0 2HH",
            "75001",
        ] {
            assert_eq!(Postcode::parse(typed), Err(PostcodeError::Format), "{typed:?}");
        }
        for empty in ["", "   ", " - ", &"-".repeat(100)] {
            assert_eq!(Postcode::parse(empty), Err(PostcodeError::Required), "{empty:?}");
        }
    }

    #[test]
    fn ten_characters_are_the_most_whatever_they_are() {
        // LIM-2
        assert!(Postcode::parse("EC1A -- 1BB").is_err_and(|e| e == PostcodeError::Format));
        assert!(Postcode::parse("EC1A - 1BB").is_ok());
        assert_eq!(Postcode::parse("S1 2HH; DROP"), Err(PostcodeError::Format));
    }
}
