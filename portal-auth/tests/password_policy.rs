//! What is demanded of a new password, and what people are told.

use portal_auth::account::email::EmailAddress;
use portal_auth::password::Password;
use portal_auth::password::policy::{BrokenRule, Departure, PasswordOwner, PasswordPolicy};
use portal_auth::password::wording::sentence;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    policy: String,
    name: String,
    username: Option<String>,
    password: String,
    expected: Vec<String>,
    /// Only the server can know: the page's script is not asked.
    #[serde(default)]
    server_only: bool,
}

#[test]
fn the_shared_vectors_hold() {
    // PWD-1, PWD-3, PWD-4
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors/password_policy.json")).unwrap();
    assert!(vectors.len() > 40);
    for vector in &vectors {
        let policy = match vector.policy.as_str() {
            "portal" => PasswordPolicy::portal(),
            "modern" => PasswordPolicy::modern(),
            other => panic!("no such preset: {other}"),
        };
        let email = vector
            .username
            .as_deref()
            .map(|typed| EmailAddress::parse(typed).unwrap());
        let owner = email
            .as_ref()
            .map_or_else(PasswordOwner::unknown, PasswordOwner::with_email);
        let found = codes(policy.check(&Password::from(vector.password.as_str()), &owner));
        assert_eq!(found, vector.expected, "{}: {}", vector.policy, vector.name);
        let common = found.contains(&"password.common");
        assert_eq!(common, vector.server_only, "{}: {}", vector.policy, vector.name);
    }
}

#[test]
fn the_byte_cap_holds_where_a_policy_counts_more_characters() {
    // HASH-3
    let mut policy = PasswordPolicy::modern();
    policy.max_length = 400;
    assert!(
        policy
            .check(&Password::from("é\u{300}".repeat(128)), &PasswordOwner::unknown())
            .is_ok()
    );
    let broken = policy
        .check(&Password::from("é\u{300}".repeat(129)), &PasswordOwner::unknown())
        .unwrap_err();
    assert_eq!(broken, [BrokenRule::TooManyBytes { most: 512 }]);
    assert_eq!(broken[0].number(), Some(512));
}

#[test]
fn context_words_are_found_whatever_their_case_and_marks() {
    // PWD-2, ASVS 6.2.11
    let mut policy = PasswordPolicy::portal();
    policy.context_words = vec!["Harbour".into(), "abc".into(), "#!?".into()];
    policy.service_name = Some("Professional Portal".into());
    for barred in [
        "Harbour12!Xyz",
        "xY12 HARBOUR",
        "har-BOUR 42",
        "My professional_portal 12",
        "xProfessionalPortal12!",
    ] {
        let broken = policy.check(&Password::from(barred), &PasswordOwner::unknown());
        assert_eq!(codes(broken), ["password.context"], "{barred}");
    }
    for allowed in [
        "Harbor12!Xyz",
        "abcXYZ 1234#!?",
        "Portal 12 xyz",
        "Professional 12",
    ] {
        assert_eq!(
            policy.check(&Password::from(allowed), &PasswordOwner::unknown()),
            Ok(()),
            "{allowed}"
        );
    }
}

#[test]
fn names_are_barred_where_they_are_known() {
    let names = ["Zoë", "O'Brien"];
    let email = EmailAddress::parse("zoe@school.example").unwrap();
    let owner = PasswordOwner::with_email(&email).and_names(&names);
    let policy = PasswordPolicy::portal();
    assert_eq!(
        codes(policy.check(&Password::from("obrien 4X4 !!"), &owner)),
        ["password.context"]
    );
    // Three letters are too few to be barred.
    assert_eq!(policy.check(&Password::from("Zoë-12-zoë-xx"), &owner), Ok(()));
    let mut relaxed = PasswordPolicy::portal();
    relaxed.refuse_personal = false;
    assert_eq!(relaxed.check(&Password::from("obrien 4X4 !!"), &owner), Ok(()));
}

#[test]
fn the_lines_are_those_of_the_guide() {
    let texts: Vec<_> = PasswordPolicy::portal()
        .lines()
        .into_iter()
        .map(|line| (line.id, line.text))
        .collect();
    let expected = [
        ("length", "Minimum 10 characters and not longer than 128"),
        ("digits", "Minimum 2 numbers"),
        ("lower", "Minimum 1 lower case character"),
        ("upper", "Minimum 1 upper case character"),
        ("special", "Minimum 1 special character"),
        ("username", "Must not be the same as the username"),
        ("case", "Passwords are case sensitive"),
    ];
    assert_eq!(texts, expected.map(|(id, text)| (id, text.to_owned())));
    let ids: Vec<_> = PasswordPolicy::modern()
        .lines()
        .iter()
        .map(|line| line.id)
        .collect();
    assert_eq!(ids, ["length", "username", "case"]);
}

#[test]
fn one_sentence_says_everything_that_is_wrong() {
    let told = |policy: &PasswordPolicy, typed: &str| {
        sentence(
            &policy
                .check(&Password::from(typed), &PasswordOwner::unknown())
                .err()
                .unwrap_or_default(),
        )
    };
    let portal = PasswordPolicy::portal();
    assert_eq!(told(&portal, ""), "Password is required");
    assert_eq!(told(&portal, "Str0ng-enough7"), "");
    assert_eq!(
        told(&portal, "abcdefghij!"),
        "Password must have at least 2 numbers and 1 upper case letter"
    );
    assert_eq!(
        told(&portal, "x"),
        "Password must have at least 10 characters, 2 numbers, 1 upper case letter and 1 special character"
    );
    assert_eq!(
        told(&portal, "Password12!"),
        "Password must not be a commonly used password"
    );
    assert_eq!(
        told(&portal, &"\0".repeat(129)),
        "Password must have at least 2 numbers, 1 lower case letter, 1 upper case letter and 1 special character, \
         and must not be longer than 128 characters or contain hidden characters"
    );
}

#[test]
fn generators_are_told_the_rules() {
    // Two disjoint classes of digits make generators give two digits.
    assert_eq!(
        PasswordPolicy::portal().password_rules(),
        "minlength: 16; maxlength: 128; required: lower; required: upper; required: [01234]; required: [56789]; \
         required: [-!#$%&*+=?@_];"
    );
    let mut policy = PasswordPolicy::modern();
    assert_eq!(policy.password_rules(), "minlength: 16; maxlength: 128;");
    policy.min_digits = 3;
    policy.min_length = 20;
    assert_eq!(
        policy.password_rules(),
        "minlength: 20; maxlength: 128; required: [012]; required: [345]; required: [678];"
    );
}

#[test]
fn scripts_get_the_rules_as_json() {
    // PWD-4
    let json = serde_json::to_value(PasswordPolicy::portal().description()).unwrap();
    assert_eq!(json["max_bytes"], 512);
    assert_eq!(json["rules"][0]["most"], 128);
    assert_eq!(
        json["rules"][1],
        serde_json::json!({
            "id": "digits", "text": "Minimum 2 numbers", "reasons": ["password.digits"], "least": 2,
            "characters": "\\p{Nd}",
        })
    );
}

#[test]
fn a_policy_says_which_standards_it_does_not_follow() {
    assert_eq!(
        PasswordPolicy::portal().departures(),
        [Departure::ShorterThanFifteen, Departure::CompositionRules]
    );
    assert_eq!(PasswordPolicy::modern().departures(), []);
    let mut careless = PasswordPolicy::modern();
    careless.min_length = 7;
    careless.max_length = 63;
    careless.refuse_common = false;
    let told: Vec<_> = careless.departures().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 4);
    assert!(
        told[0].contains("6.2.1") && told[2].contains("6.2.9") && told[3].contains("6.2.4"),
        "{told:?}"
    );
}

#[test]
fn a_policy_that_nobody_can_satisfy_is_recognised() {
    let mut policy = PasswordPolicy::portal();
    assert!(policy.is_satisfiable());
    policy.max_length = 10;
    policy.min_digits = 7;
    assert!(policy.is_satisfiable());
    policy.min_digits = 8;
    assert!(!policy.is_satisfiable());
    policy.max_length = 9;
    policy.min_digits = 2;
    assert!(!policy.is_satisfiable());
}

/// PWD-1 once more, by counting characters by hand over an alphabet whose kinds are written down.
mod reference {
    use super::BrokenRule;

    pub(super) const DIGITS: &str = "0179٠٩०९０９";
    pub(super) const LOWER: &str = "azéßяªⅷω";
    pub(super) const UPPER: &str = "AZÉЯⅧΩ";
    pub(super) const SPECIAL: &str = " !-_~£€😀\u{a0}。\u{301}";
    pub(super) const NEITHER: &str = "ǅ中א²½〇";
    pub(super) const HIDDEN_NOT_SPECIAL: &str = "\0\t\n\u{7f}\u{85}";
    pub(super) const HIDDEN_AND_SPECIAL: &str = "\u{200e}\u{202e}\u{2069}";

    pub(super) fn alphabet() -> Vec<char> {
        [
            DIGITS,
            LOWER,
            UPPER,
            SPECIAL,
            NEITHER,
            HIDDEN_NOT_SPECIAL,
            HIDDEN_AND_SPECIAL,
        ]
        .concat()
        .chars()
        .collect()
    }

    pub(super) fn broken_rules(typed: &str) -> Vec<BrokenRule> {
        if typed.is_empty() {
            return vec![BrokenRule::Required];
        }
        let count = |kinds: &[&str]| {
            typed
                .chars()
                .filter(|c| kinds.iter().any(|kind| kind.contains(*c)))
                .count()
        };
        let all = typed.chars().count();
        let (digits, lower, upper) = (count(&[DIGITS]), count(&[LOWER]), count(&[UPPER]));
        let special = count(&[SPECIAL, HIDDEN_AND_SPECIAL]);
        let hidden = count(&[HIDDEN_NOT_SPECIAL, HIDDEN_AND_SPECIAL]);
        let mut broken = Vec::new();
        let mut rule = |is_broken, rule| {
            if is_broken {
                broken.push(rule);
            }
        };
        rule(all < 10, BrokenRule::TooShort { least: 10 });
        rule(all > 128, BrokenRule::TooLong { most: 128 });
        rule(digits < 2, BrokenRule::Digits { least: 2 });
        rule(lower < 1, BrokenRule::Lower { least: 1 });
        rule(upper < 1, BrokenRule::Upper { least: 1 });
        rule(special < 1, BrokenRule::Special { least: 1 });
        rule(hidden > 0, BrokenRule::Control);
        broken
    }
}

fn without_lists(typed: &str) -> Vec<BrokenRule> {
    let mut policy = PasswordPolicy::portal();
    policy.refuse_common = false;
    policy
        .check(&Password::from(typed), &PasswordOwner::unknown())
        .err()
        .unwrap_or_default()
}

#[test]
fn i_29_every_short_text_over_three_symbols_gets_the_verdict_of_the_reference() {
    // I-29: every alphabet of up to three symbols of different kinds, every text of up to six of them, once as it
    // is and once long enough.
    const KINDS: [char; 6] = ['7', 'a', 'A', '!', '中', '\t'];
    for (i, a) in KINDS.iter().enumerate() {
        for (j, b) in KINDS.iter().enumerate().skip(i) {
            for c in KINDS.iter().skip(j) {
                let mut texts = vec![String::new()];
                for _ in 0..6 {
                    texts = texts
                        .iter()
                        .flat_map(|text| ["", "a", "b", "c"].map(|next| format!("{text}{next}")))
                        .collect();
                    texts.sort();
                    texts.dedup();
                }
                for text in texts {
                    let symbols = text.chars().map(|symbol| match symbol {
                        'a' => a,
                        'b' => b,
                        _ => c,
                    });
                    let short: String = symbols.collect();
                    let long = format!("中中中中中中中中{short}");
                    assert_eq!(
                        without_lists(&short),
                        reference::broken_rules(&short),
                        "{short:?}"
                    );
                    assert_eq!(without_lists(&long), reference::broken_rules(&long), "{long:?}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn i_29_any_text_gets_the_verdict_of_the_reference(
        typed in proptest::collection::vec(proptest::sample::select(reference::alphabet()), 0..140)
    ) {
        // I-29
        let typed: String = typed.into_iter().collect();
        prop_assert_eq!(without_lists(&typed), reference::broken_rules(&typed));
    }

    #[test]
    fn i_29_adding_a_character_of_a_missing_kind_breaks_no_further_rule(
        typed in proptest::collection::vec(proptest::sample::select(reference::alphabet()), 1..127),
        place in any::<proptest::sample::Index>(),
    ) {
        // I-29, below the longest length, where one more character is one too many
        let before: String = typed.iter().collect();
        let broken = without_lists(&before);
        for addition in ['5', 'k', 'K', '%'] {
            let mut more = typed.clone();
            more.insert(place.index(typed.len()), addition);
            let after = without_lists(&more.into_iter().collect::<String>());
            prop_assert!(after.iter().all(|rule| broken.contains(rule)), "{:?} then {:?}", broken, after);
        }
    }

    #[test]
    fn broken_rules_come_in_one_order_and_never_twice(typed in "\\PC{0,20}|[\0-\u{7f}]{0,140}") {
        let broken = without_lists(&typed);
        prop_assert!(broken.is_sorted_by(|a, b| a < b), "{:?}", broken);
        prop_assert_eq!(broken.is_empty(), sentence(&broken).is_empty());
    }
}

fn codes(verdict: Result<(), Vec<BrokenRule>>) -> Vec<&'static str> {
    verdict
        .err()
        .unwrap_or_default()
        .into_iter()
        .map(|rule| rule.reason().code())
        .collect()
}

#[test]
fn the_password_in_force_has_a_sentence_of_its_own() {
    // RST-6
    assert_eq!(
        sentence(&[BrokenRule::Reused]),
        "Choose a password you have not used here before"
    );
    assert_eq!(BrokenRule::Reused.reason().code(), "password.reused");
}
