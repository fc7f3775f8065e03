//! Phone numbers, as people write them. They are kept as typed: whoever rings reads them.

use std::ops::RangeInclusive;

/// Whether `text` looks like a phone number: an optional `+` in front, 7 to 15 digits, and spaces, dots, dashes or
/// brackets among them.
pub(super) fn is_phone_number(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '(']);
    let number = text.strip_prefix('+').unwrap_or(text);
    number.chars().all(|c| c.is_ascii_digit() || " ().-".contains(c))
        && DIGITS.contains(&number.chars().filter(char::is_ascii_digit).count())
}

/// The same, with an extension such as `x123` where there is one.
pub(super) fn is_phone_number_with_extension(text: &str) -> bool {
    match text.split_once('x') {
        Some((number, extension)) => is_phone_number(number) && is_extension(extension),
        None => is_phone_number(text),
    }
}

fn is_extension(text: &str) -> bool {
    let digits = text.trim_matches(' ');
    digits.chars().all(|c| c.is_ascii_digit()) && EXTENSION_DIGITS.contains(&digits.len())
}

/// From a local number to the longest that E.164 knows.
const DIGITS: RangeInclusive<usize> = 7..=15;
const EXTENSION_DIGITS: RangeInclusive<usize> = 1..=6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_pass_as_people_write_them() {
        for number in [
            "01632 960 001",
            "07700 900 982",
            "+44 808 157 0192",
            "+44 (0)114 273-4567",
            "(0114) 273.4567",
            "(+44) 1632 960001",
            "2734567",
            "123456789012345",
        ] {
            assert!(is_phone_number(number), "{number}");
            assert!(is_phone_number_with_extension(number), "{number}");
        }
    }

    #[test]
    fn what_nobody_can_ring_is_no_number() {
        for text in [
            "",
            "+",
            "()",
            "-",
            "123456",
            "1234567890123456",
            "0114 273 456a",
            "07700/900982",
            "0770 +900982",
            "++447700900982",
            "07700\t900982",
            "07700\u{a0}900982",
            "٠٧٧٠٠٩٠٠٩٨٢",
            "ring the office",
            "<07700900982>",
        ] {
            assert!(!is_phone_number(text), "{text:?}");
            assert!(!is_phone_number_with_extension(text), "{text:?}");
        }
    }

    #[test]
    fn an_extension_counts_only_where_it_is_allowed() {
        for number in [
            "0114 273 4567x1",
            "0114 273 4567 x123",
            "+44 114 273 4567 x 123456",
        ] {
            assert!(is_phone_number_with_extension(number), "{number}");
            assert!(!is_phone_number(number), "{number}");
        }
        for text in [
            "x123",
            "0114 273 4567 x",
            "0114 273 4567 x12x3",
            "0114 273 4567 x1234567",
            "0114 273 4567 X1",
            "123456 x7",
        ] {
            assert!(!is_phone_number_with_extension(text), "{text}");
        }
    }
}
