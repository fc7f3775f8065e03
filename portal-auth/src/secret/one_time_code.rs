//! One-time codes: derived from a challenge and never stored (OTP-1 to OTP-3).

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::error::Reason;

/// A code of six to ten digits, as it is mailed.
///
/// It compares in constant time, wipes its memory, and shows itself only by [`expose`](Self::expose).
pub struct OneTimeCode(Zeroizing<String>);

/// Why something typed cannot be a code at all. Such input is told apart before any try is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeFormat {
    /// Nothing was typed.
    Required,
    /// Fewer digits than a code has.
    TooShort,
    /// More digits than a code has.
    TooLong,
    /// Something else than digits, blanks and dashes.
    Letters,
}

impl CodeFormat {
    /// The stable code of the problem.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::new(match self {
            Self::Required => "code.required",
            Self::TooShort => "code.too_short",
            Self::TooLong => "code.too_long",
            Self::Letters => "code.letters",
        })
    }
}

/// The first characters of the decimal digit rows a keyboard or a mail program may produce: ASCII, Arabic-Indic,
/// Extended Arabic-Indic and full-width.
const DIGIT_ROWS: [u32; 4] = [
    '0' as u32,
    '\u{0660}' as u32,
    '\u{06F0}' as u32,
    '\u{FF10}' as u32,
];

impl OneTimeCode {
    /// Reads what a person typed: blanks and dashes are ignored, other scripts' digits become ASCII (portal R8).
    ///
    /// # Errors
    /// What is wrong with its form, given that a code has `digits` digits.
    pub fn parse(typed: &str, digits: u8) -> Result<Self, CodeFormat> {
        let mut code = Zeroizing::new(String::with_capacity(usize::from(digits)));
        for c in typed.chars() {
            if c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}') {
                continue;
            }
            let row = DIGIT_ROWS
                .iter()
                .find_map(|zero| u32::from(c).checked_sub(*zero).filter(|d| *d < 10));
            let digit = row
                .and_then(|d| char::from_digit(d, 10))
                .ok_or(CodeFormat::Letters)?;
            if code.len() > usize::from(digits) {
                return Err(CodeFormat::TooLong);
            }
            code.push(digit);
        }
        match code.len() {
            0 => Err(CodeFormat::Required),
            n if n < usize::from(digits) => Err(CodeFormat::TooShort),
            n if n > usize::from(digits) => Err(CodeFormat::TooLong),
            _ => Ok(Self(code)),
        }
    }

    pub(crate) fn derived(number: u64, digits: u8) -> Self {
        Self(Zeroizing::new(format!(
            "{number:0width$}",
            width = usize::from(digits)
        )))
    }

    /// The digits.
    ///
    /// # Security
    /// For the mail to the account's own address; never for a log, a page or a subject line (MAIL-1).
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_dashes_and_other_digits_are_understood() {
        // portal.md R8
        for typed in [
            "482913",
            "482 913",
            " 482-913 ",
            "\u{FF14}\u{FF18}\u{FF12}913",
            "\u{0664}\u{0668}\u{0662}\u{0669}\u{0661}\u{0663}",
        ] {
            assert_eq!(
                OneTimeCode::parse(typed, 6).unwrap().expose(),
                "482913",
                "{typed}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_code_says_why() {
        let reason = |typed: &str| OneTimeCode::parse(typed, 6).unwrap_err();
        assert_eq!(reason(""), CodeFormat::Required);
        assert_eq!(reason(" - "), CodeFormat::Required);
        assert_eq!(reason("12345"), CodeFormat::TooShort);
        assert_eq!(reason("1234567"), CodeFormat::TooLong);
        assert_eq!(reason(&"1".repeat(1000)), CodeFormat::TooLong);
        assert_eq!(reason("12a456"), CodeFormat::Letters);
        assert_eq!(reason("+12345"), CodeFormat::Letters);
    }

    #[test]
    fn leading_zeros_are_kept() {
        // OTP-1
        let code = OneTimeCode::derived(42, 6);
        assert_eq!(code.expose(), "000042");
        assert!(code.matches(&OneTimeCode::parse("000042", 6).unwrap()));
        assert!(!code.matches(&OneTimeCode::parse("000043", 6).unwrap()));
        assert_eq!(format!("{code:?}"), "OneTimeCode(..)");
    }
}
