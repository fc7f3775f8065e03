//! Addresses: what is accepted, and that one person has one spelling.

use portal_auth::account::email::{EmailAddress, EmailError};
use proptest::prelude::*;

fn canonical(typed: &str) -> Result<String, EmailError> {
    EmailAddress::parse(typed).map(|address| address.as_str().to_owned())
}

#[test]
fn addresses_become_lower_case_ascii() {
    // EML-1, EML-3, EML-4
    for (typed, expected) in [
        ("jane@school.example", "jane@school.example"),
        (" \t Jane.DOE@School.EXAMPLE \t", "jane.doe@school.example"),
        ("!#$%&'*+-/=?^_`{|}~@x.example", "!#$%&'*+-/=?^_`{|}~@x.example"),
        ("jane@BÜCHER.example", "jane@xn--bcher-kva.example"),
        ("jane@bu\u{308}cher.example", "jane@xn--bcher-kva.example"),
        ("jane@XN--BCHER-KVA.example", "jane@xn--bcher-kva.example"),
        // Non-transitional: ß is not ss.
        ("jane@straße.example", "jane@xn--strae-oqa.example"),
        ("jane@例え。テスト", "jane@xn--r8jz45g.xn--zckzah"),
        ("j@\u{212a}.example", "j@k.example"),
    ] {
        assert_eq!(canonical(typed).as_deref(), Ok(expected), "{typed}");
    }
}

#[test]
fn nothing_typed_is_told_apart_from_something_wrong() {
    for typed in ["", " ", " \t "] {
        assert_eq!(EmailAddress::parse(typed), Err(EmailError::Required));
    }
    assert_eq!(EmailError::Required.reason().code(), "email.required");
    assert_eq!(EmailError::Format.reason().code(), "email.format");
    assert_eq!(EmailError::TooLong.reason().code(), "email.too_long");
    assert_eq!(EmailError::TooLong.number(), Some(254));
    assert_eq!(EmailError::Format.number(), None);
}

#[test]
fn what_is_not_one_plain_address_is_refused() {
    // EML-1 to EML-3
    for typed in [
        "jane",
        "@school.example",
        "jane@",
        "@",
        "a@b@c.example",
        "jane@@school.example",
        "ja ne@school.example",
        "jane@sch ool.example",
        "jane\u{a0}@school.example",
        "jane@school.example\n",
        "jane@school.example\r\nBcc: x@evil.example",
        "jane\0@school.example",
        "jane\u{7f}@school.example",
        "jane,john@school.example",
        "jane;john@school.example",
        "<jane@school.example>",
        "\"jane\"@school.example",
        "jane(x)@school.example",
        "jane\\x@school.example",
        "jane:x@school.example",
        "jane[x]@school.example",
        ".jane@school.example",
        "jane.@school.example",
        "ja..ne@school.example",
        "-jane@school.example",
        "jäne@school.example",
        "\u{212a}ate@school.example",
        "ſam@school.example",
        "ｊane@school.example",
        "jane@localhost",
        "jane@school",
        "jane@school.example.",
        "jane@school.example。",
        "jane@.school.example",
        "jane@school..example",
        "jane@[127.0.0.1]",
        "jane@127.0.0.1",
        "jane@10.0x7f",
        "jane@-school.example",
        "jane@school-.example",
        "jane@sc_hool.example",
        "jane@sc--hool.example",
        "jane@xn--.example",
        "jane@xn--a.example",
        "jane@xn--school-.example",
        "jane@sch\u{200d}ool.example",
        "jane@sch\u{202e}ool.example",
        "jane@%65vil.example",
        "jane@school/x.example",
        "jane@school:25.example",
        "jane@sch\u{2100}ool.example",
    ] {
        assert_eq!(EmailAddress::parse(typed), Err(EmailError::Format), "{typed:?}");
    }
}

#[test]
fn lengths_are_exact() {
    // EML-1, EML-2
    let local = "l".repeat(64);
    let label = |n: usize| "d".repeat(n);
    assert!(EmailAddress::parse(&format!("{local}@school.example")).is_ok());
    assert_eq!(
        EmailAddress::parse(&format!("{local}l@school.example")),
        Err(EmailError::Format)
    );
    assert!(EmailAddress::parse(&format!("j@{}.example", label(63))).is_ok());
    assert_eq!(
        EmailAddress::parse(&format!("j@{}.example", label(64))),
        Err(EmailError::Format)
    );
    let domain = |last: usize| [label(63), label(63), label(last), "dd".into()].join(".");
    let longest = format!("{local}@{}", domain(58));
    assert_eq!(longest.len(), 254);
    assert_eq!(canonical(&format!("  {longest}  ")), Ok(longest));
    assert_eq!(
        EmailAddress::parse(&format!("{local}@{}", domain(59))),
        Err(EmailError::TooLong)
    );
    // Short as typed, and too long once it is ASCII.
    let grows = format!("{local}@{}example", "ü.".repeat(25));
    assert!(grows.len() < 254);
    assert_eq!(EmailAddress::parse(&grows), Err(EmailError::TooLong));
}

#[test]
fn tags_count_for_identity_and_not_for_mail_quotas() {
    // EML-5
    let parse = |typed| EmailAddress::parse(typed).unwrap();
    assert_ne!(parse("jane+a@school.example"), parse("jane@school.example"));
    assert_ne!(parse("j.ane@school.example"), parse("jane@school.example"));
    assert_eq!(
        parse("jane+a+b@school.example").coarse(),
        parse("Jane@School.example").coarse()
    );
    assert_eq!(
        parse("jane+a@school.example").coarse().as_str(),
        "jane@school.example"
    );
    assert_ne!(
        parse("jane@school.example").coarse(),
        parse("jane@other.example").coarse()
    );
    assert_eq!(parse("+a@school.example").coarse().as_str(), "@school.example");
}

#[test]
fn debug_and_masked_hide_the_local_part() {
    // LOG-2
    let address = EmailAddress::parse("jane.doe+x@school.example").unwrap();
    assert_eq!(address.masked(), "j•••@school.example");
    assert_eq!(
        EmailAddress::parse("j@school.example").unwrap().masked(),
        "j•••@school.example"
    );
    for shown in [format!("{address:?}"), format!("{:?}", address.coarse())] {
        assert!(!shown.contains("ane") && !shown.contains("doe"), "{shown}");
    }
    assert_eq!(
        (address.local_part(), address.domain()),
        ("jane.doe+x", "school.example")
    );
}

#[test]
fn the_repeated_address_must_be_typed_alike() {
    // EML-7
    assert!(EmailAddress::is_repeated(
        " jane@school.example",
        "jane@school.example\t"
    ));
    assert!(!EmailAddress::is_repeated(
        "Jane@school.example",
        "jane@school.example"
    ));
}

#[test]
fn stores_read_back_exactly_what_was_written() {
    let address = EmailAddress::parse("Jane@BÜCHER.example").unwrap();
    let json = serde_json::to_string(&address).unwrap();
    assert_eq!(json, "\"jane@xn--bcher-kva.example\"");
    assert_eq!(serde_json::from_str::<EmailAddress>(&json).unwrap(), address);
    for stored in [
        "Jane@school.example",
        " jane@school.example",
        "jane@bücher.example",
        "jane",
        "",
    ] {
        assert!(EmailAddress::from_canonical(stored).is_err(), "{stored:?}");
        let refused = serde_json::from_value::<EmailAddress>(stored.into()).unwrap_err();
        assert!(!refused.to_string().contains("jane"), "{refused}");
    }
}

fn typed_addresses() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ \t]{0,2}[a-zA-Z0-9.+_'-]{1,66}@[a-zA-Z0-9.-]{1,70}[.][a-zA-Z]{1,8}[ \t]{0,2}",
        "[a-z]{1,5}@([a-zA-Z0-9äÖßςΣσıİK\u{308}\u{200d}\u{ad}中。．.-]{1,12}[.]){1,3}[a-zé中]{1,5}",
        "[a-z]{1,3}@[xX][nN]--[a-z0-9-]{1,12}[.][a-z]{2,3}",
        "\\PC{0,20}@\\PC{0,20}",
        "[\0-\u{7f}]{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn i_27_the_canonical_form_is_ascii_and_stays_as_it_is(typed in typed_addresses()) {
        // I-27
        if let Ok(address) = EmailAddress::parse(&typed) {
            let text = address.as_str();
            prop_assert!(text.is_ascii() && text.len() <= 254 && text.matches('@').count() == 1, "{:?}", text);
            prop_assert!(!text.contains(|c: char| c.is_ascii_uppercase() || c.is_ascii_control() || c == ' '));
            prop_assert_eq!(EmailAddress::parse(text), Ok(address.clone()));
            prop_assert_eq!(EmailAddress::from_canonical(text), Ok(address));
        }
    }

    #[test]
    fn i_27_only_ascii_case_and_the_form_of_the_domain_may_differ(typed in typed_addresses()) {
        // I-27: nothing but ASCII case is ever taken from a local part.
        if let Ok(address) = EmailAddress::parse(&typed) {
            let (local, domain) = typed.trim_matches([' ', '\t']).split_once('@').unwrap();
            prop_assert_eq!(address.local_part(), local.to_ascii_lowercase());
            if domain.is_ascii() {
                prop_assert_eq!(address.domain(), domain.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn i_27_no_text_is_taken_for_two_people(a in "[aAbB.+]{1,4}", b in "[aAbB.+]{1,4}") {
        // I-27
        let parse = |local: &str| EmailAddress::parse(&format!("{local}@school.example"));
        if let (Ok(x), Ok(y)) = (parse(&a), parse(&b)) {
            prop_assert_eq!(x == y, a.eq_ignore_ascii_case(&b));
        }
    }
}
