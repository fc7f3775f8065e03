//! Phone numbers: kept as people write them, for whoever rings reads them, and beside that as machines dial them.

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, PhoneNumber, country};

/// Whether `text` is a phone number, written with spaces, dots, dashes or brackets; one without a country code is
/// British.
pub(super) fn is_phone_number(text: &str) -> bool {
    read(text, false).is_some()
}

/// The same, with an extension such as `x123` where there is one.
pub(super) fn is_phone_number_with_extension(text: &str) -> bool {
    read(text, true).is_some()
}

/// The number in the form of E.164, such as `+441142734567`, followed by `;ext=123` where it has an extension
/// (RFC 3966); empty where it is no number.
pub(super) fn dialled(text: &str) -> String {
    let Some(number) = read(text, true) else {
        return String::new();
    };
    let mut dialled = number.format().mode(Mode::E164).to_string();
    if let Some(extension) = number.extension() {
        dialled.push_str(";ext=");
        dialled.push_str(extension.as_ref());
    }
    dialled
}

fn read(text: &str, may_have_extension: bool) -> Option<PhoneNumber> {
    // LIM-2: the library would take letters, slashes and the digits of other scripts as well.
    let is_known = |c: char| c.is_ascii_digit() || "+ ().-".contains(c) || (may_have_extension && c == 'x');
    if text.len() > LONGEST || !text.chars().all(is_known) {
        return None;
    }
    let number = parse(text)?;
    let extension = number.extension().map(AsRef::as_ref);
    let extension_fits = match text.split_once('x') {
        Some(_) => extension.is_some_and(|digits: &str| !digits.is_empty()),
        None => extension.is_none(),
    };
    extension_fits.then_some(number)
}

/// With its country code as typed, after `+` or `00`; else as a British number.
///
/// Without a country first: told of one, the library takes its trunk prefix off foreign numbers too, and an Italian
/// landline begins with the 0.
fn parse(text: &str) -> Option<PhoneNumber> {
    let written = match text.trim_start_matches([' ', '(']).strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => text.to_owned(),
    };
    [None, Some(country::GB)]
        .into_iter()
        .filter_map(|country| phonenumber::parse(country, &written).ok())
        .find(can_be_rung)
}

/// LIM-2: nothing longer is looked at.
const LONGEST: usize = 30;

/// Whether the number is one of its country's, or at least as long as those of its landlines and mobile phones: new
/// ranges, and those kept free for examples, are on no list.
fn can_be_rung(number: &PhoneNumber) -> bool {
    if number.is_valid() {
        return true;
    }
    let Ok(length) = u16::try_from(number.national().to_string().len()) else {
        return false;
    };
    let regions = DATABASE.by_code(&number.country().code()).unwrap_or_default();
    regions.iter().any(|region| {
        let kinds = region.descriptors();
        let kinds = [kinds.fixed_line(), kinds.mobile()];
        kinds
            .iter()
            .flatten()
            .any(|kind| kind.possible_length().contains(&length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_pass_as_people_write_them() {
        for (number, as_dialled) in [
            ("01632 960 001", "+441632960001"),
            ("07700 900 982", "+447700900982"),
            ("+44 808 157 0192", "+448081570192"),
            ("+44 (0)114 273-4567", "+441142734567"),
            ("(0114) 273.4567", "+441142734567"),
            ("+44 (0)7700 900-982", "+447700900982"),
            ("0044 7700 900982", "+447700900982"),
            ("(+44) 1632 960001", "+441632960001"),
            ("0345 123 4567", "+443451234567"),
            ("0800 1111", "+448001111"),
            ("+33 1 42 68 53 00", "+33142685300"),
            ("00 33 1 42 68 53 00", "+33142685300"),
            ("+353 1 234 5678", "+35312345678"),
            ("+39 06 1234 5678", "+390612345678"),
            ("(0039) 06 1234 5678", "+390612345678"),
        ] {
            assert!(is_phone_number(number), "{number}");
            assert!(is_phone_number_with_extension(number), "{number}");
            assert_eq!(dialled(number), as_dialled, "{number}");
        }
    }

    #[test]
    fn what_nobody_can_ring_is_no_number() {
        for text in [
            "",
            "+",
            "()",
            "-",
            "999",
            "123456",
            "2734567",
            "0000000",
            "00000 000000",
            "123456789012345",
            "1234567890123456",
            "+999 123456789",
            "0114 273 456a",
            "07700/900982",
            "0770 +900982",
            "07700\t900982",
            "07700\u{a0}900982",
            "٠٧٧٠٠٩٠٠٩٨٢",
            "+1 800 FLOWERS",
            "ring the office",
            "<07700900982>",
        ] {
            assert!(!is_phone_number(text), "{text:?}");
            assert!(!is_phone_number_with_extension(text), "{text:?}");
            assert_eq!(dialled(text), "", "{text:?}");
        }
    }

    #[test]
    fn an_extension_counts_only_where_it_is_allowed() {
        for (number, as_dialled) in [
            ("0114 273 4567x1", "+441142734567;ext=1"),
            ("0114 273 4567 x123", "+441142734567;ext=123"),
            ("+44 114 273 4567 x 123456", "+441142734567;ext=123456"),
        ] {
            assert!(is_phone_number_with_extension(number), "{number}");
            assert!(!is_phone_number(number), "{number}");
            assert_eq!(dialled(number), as_dialled);
        }
        for text in [
            "x123",
            "0114 273 4567 x",
            "0114 273 4567 x12x3",
            "0114 273 4567 x123456789",
            "0114 273 4567 X1",
            "123456 x7",
        ] {
            assert!(!is_phone_number_with_extension(text), "{text}");
        }
    }
}
