//! About You and Work Details: what is accepted, how it is kept, and what people are told.
#![cfg(feature = "professional-profile")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test needs and does not find is its failure"
)]

use std::collections::BTreeSet;

use portal_auth::account::professional_profile::{
    AboutYou, Gender, ProfessionalProfile, ProfessionalRole, WorkDetails,
};
use portal_auth::account::profile::{ProfileSchema, Section, StoredProfile, WRONG_SHAPE};
use portal_auth::error::FieldErrors;
use serde_json::{Map, Value, json};

const ABOUT_YOU: &str = "about_you";
const WORK_DETAILS: &str = "work_details";

fn person() -> Value {
    json!({"title": "Dr", "forename": "Zoë", "surname": "O'Brien-Smith", "gender": "female", "gender_other": ""})
}

fn role() -> Value {
    json!({
        "role": "Teacher", "organisation": "Anytown School", "postcode": "S1 2HH",
        "address_line1": "1 High Street", "address_line2": "", "town": "Anytown", "county": "", "country": "",
        "not_uk": false, "mobile": "", "mobile_e164": "", "work_phone": "", "work_phone_e164": "",
    })
}

fn role_abroad() -> Value {
    with(with(role(), "not_uk", true), "country", "France")
}

fn work(roles: &[Value]) -> Value {
    json!({"roles": roles, "main": 0})
}

fn with(mut section: Value, field: &str, value: impl Into<Value>) -> Value {
    section[field] = value.into();
    section
}

fn check(section: &str, typed: Value) -> Result<Value, FieldErrors> {
    ProfessionalProfile::schema().check(section, typed)
}

fn check_role(typed: Value) -> Result<Value, FieldErrors> {
    check(WORK_DETAILS, work(&[typed])).map(|kept| kept["roles"][0].clone())
}

type Told = (String, &'static str, Option<u64>);

/// What is told about a section that must not pass.
fn told(checked: Result<Value, FieldErrors>) -> Vec<Told> {
    let errors = checked.expect_err("must not pass");
    errors
        .iter()
        .map(|e| (e.field.to_string(), e.reason.code(), e.number))
        .collect()
}

fn one(field: &str, code: &'static str) -> Vec<Told> {
    vec![(field.to_owned(), code, None)]
}

#[test]
fn a_profile_is_kept_as_typed_and_read_back() {
    let kept = [
        (ABOUT_YOU, check(ABOUT_YOU, person()).unwrap()),
        (WORK_DETAILS, check(WORK_DETAILS, work(&[role()])).unwrap()),
    ];
    assert_eq!(kept[0].1, person());
    assert_eq!(kept[1].1, work(&[role()]));

    let schema = ProfessionalProfile::schema();
    assert_eq!(schema.sections(), [ABOUT_YOU, WORK_DETAILS]);
    let sections = Map::from_iter(kept.map(|(name, section)| (name.to_owned(), section)));
    let profile = StoredProfile::new(schema.version(), sections);
    assert_eq!(schema.greeting(&profile).as_deref(), Some("Zoë"));
    // PWD-3: both names are barred from passwords, whichever greets.
    assert_eq!(
        schema.personal_names(&profile).first().map(String::as_str),
        Some("Zoë")
    );
    assert_eq!(schema.personal_names(&profile).len(), 2);
    assert_eq!(profile.get::<AboutYou>().unwrap().gender, Some(Gender::Female));
    let work = profile.get::<WorkDetails>().unwrap();
    assert_eq!(work.main_role().unwrap().organisation, "Anytown School");
}

#[test]
fn an_empty_page_names_every_required_field_at_once() {
    let required = |fields: &[(&str, &'static str)]| -> Vec<Told> {
        fields.iter().flat_map(|(field, code)| one(field, code)).collect()
    };
    let about_you = required(&[
        ("title", "title.required"),
        ("forename", "forename.required"),
        ("surname", "surname.required"),
        ("gender", "gender.required"),
    ]);
    let work_details = required(&[
        ("role", "role.required"),
        ("organisation", "organisation.required"),
        ("postcode", "postcode.required"),
        ("address_line1", "address_line1.required"),
        ("town", "town.required"),
    ]);
    assert_eq!(told(check(ABOUT_YOU, json!({}))), about_you);
    assert_eq!(told(check_role(json!({}))), work_details);
    // Blanks, and what no reader can see, are nothing.
    for blank in [
        " ",
        "\t\u{a0}\u{3000}",
        "\u{200b}",
        " \u{2060}\u{feff} ",
        "\u{3164}",
    ] {
        let names = with(with(person(), "title", blank), "forename", blank);
        assert_eq!(
            told(check(ABOUT_YOU, with(names, "surname", blank))),
            about_you[..3],
            "{blank:?}"
        );
        let kept = check_role(with(role(), "county", blank)).unwrap();
        assert_eq!(kept["county"], "", "{blank:?}");
    }
}

#[test]
fn names_of_all_kinds_pass() {
    for name in [
        "O",
        "-",
        "X Æ A-12",
        "d'Artagnan",
        "Nguyễn",
        "李",
        "محمد",
        "Ng",
        "de la Cruz y Borbón",
        "Jones 3rd",
    ] {
        let typed = with(with(person(), "forename", name), "surname", name);
        assert_eq!(check(ABOUT_YOU, typed.clone()), Ok(typed), "{name}");
    }
    let inner_blanks = with(person(), "surname", "\t van  der  Berg \n");
    let kept = check(ABOUT_YOU, inner_blanks).unwrap();
    assert_eq!(kept["surname"], "van  der  Berg");
}

#[test]
fn a_person_with_one_name_is_greeted_by_it() {
    let greeting = |forename: &str, surname: &str| {
        let names = with(with(person(), "forename", forename), "surname", surname);
        let kept: AboutYou = serde_json::from_value(check(ABOUT_YOU, names).unwrap()).unwrap();
        kept.greeting()
    };
    assert_eq!(greeting("Sukarno", "Sukarno").as_deref(), Some("Sukarno"));
    assert_eq!(greeting("Sukarno", "-").as_deref(), Some("Sukarno"));
    assert_eq!(greeting("-", "Sukarno").as_deref(), Some("Sukarno"));
    assert_eq!(greeting("-", "."), None);
}

#[test]
fn every_answer_about_gender_passes_and_only_another_keeps_a_word() {
    for gender in Gender::ALL {
        assert_eq!(Gender::from_word(gender.as_str()), Some(gender));
        assert_eq!(json!(gender), json!(gender.as_str()));
        let typed = with(person(), "gender", gender.as_str());
        let kept = check(ABOUT_YOU, with(typed, "gender_other", " agender ")).unwrap();
        let word = if gender == Gender::Another { "agender" } else { "" };
        assert_eq!(kept["gender_other"], word, "{gender:?}");
    }
    let without_word = with(person(), "gender", "another");
    assert_eq!(check(ABOUT_YOU, without_word.clone()), Ok(without_word));
    // What is not asked for is not judged either.
    assert!(check(ABOUT_YOU, with(person(), "gender_other", "<b>")).is_ok());
    assert_eq!(Gender::from_word("Female"), None);
    assert_eq!(Gender::from_word(""), None);
}

#[test]
fn the_postcode_of_a_uk_address_is_full_and_kept_in_its_normal_form() {
    for typed in ["S1 2HH", "s12hh", " s1-2hh "] {
        let kept = check_role(with(role(), "postcode", typed)).unwrap();
        assert_eq!(kept["postcode"], "S1 2HH", "{typed}");
    }
    for typed in ["S1", "75001", "S1 2H\u{202e}H", "<b>"] {
        let refused = told(check_role(with(role(), "postcode", typed)));
        assert_eq!(refused, one("postcode", "postcode.format"), "{typed:?}");
    }
}

#[test]
fn an_address_abroad_needs_a_country_and_frees_the_postcode() {
    for postcode in ["", "75001", "D02 AF30", "S1"] {
        let typed = with(role_abroad(), "postcode", postcode);
        assert_eq!(check_role(typed.clone()), Ok(typed), "{postcode}");
    }
    let nowhere = with(role_abroad(), "country", " ");
    assert_eq!(told(check_role(nowhere)), one("country", "country.required"));
    // The box was ticked, filled in and cleared again.
    let back_home = with(role_abroad(), "not_uk", false);
    assert_eq!(check_role(back_home), Ok(role()));
}

#[test]
fn phones_are_optional_and_stay_as_typed() {
    let both = with(
        with(role(), "mobile", " +44 (0)7700 900-982 "),
        "work_phone",
        "0114 273 4567 x123",
    );
    let kept = check_role(both).unwrap();
    assert_eq!(kept["mobile"], "+44 (0)7700 900-982");
    assert_eq!(kept["work_phone"], "0114 273 4567 x123");
    assert_eq!(kept["mobile_e164"], "+447700900982");
    assert_eq!(kept["work_phone_e164"], "+441142734567;ext=123");
    // What a form says about it counts for nothing.
    let forged = check_role(with(with(role(), "mobile", "01632 960001"), "mobile_e164", "+1"));
    assert_eq!(forged.unwrap()["mobile_e164"], "+441632960001");
    let none = check_role(with(role(), "work_phone_e164", "+1"));
    assert_eq!(none, Ok(role()));
    for (field, typed, code) in [
        ("mobile", "07700 900982 x1", "mobile.format"),
        ("mobile", "123456", "mobile.format"),
        ("work_phone", "the office", "work_phone.format"),
    ] {
        let refused = told(check_role(with(role(), field, typed)));
        assert_eq!(refused, one(field, code), "{typed}");
    }
}

#[test]
fn every_text_may_have_its_most_characters_and_not_one_more() {
    // LIM-2
    let filled = |most: usize| "é".repeat(most);
    for (field, most) in [
        ("title", 20),
        ("forename", 100),
        ("surname", 100),
        ("gender_other", 40),
    ] {
        let another = with(person(), "gender", "another");
        let longest = with(another.clone(), field, filled(most));
        assert_eq!(check(ABOUT_YOU, longest.clone()), Ok(longest));
        let padded = with(another.clone(), field, format!("   {}   ", filled(most)));
        assert!(check(ABOUT_YOU, padded).is_ok(), "{field}");
        let refused = told(check(ABOUT_YOU, with(another, field, filled(most + 1))));
        assert_eq!(refused.len(), 1, "{field}");
        assert_eq!(refused[0].1, format!("{field}.too_long"));
        assert_eq!(refused[0].2, Some(most as u64), "{field}");
    }
    let number = |most: usize| format!("01632960001{}", "-".repeat(most - 11));
    for (field, most, text) in [
        ("role", 100, &filled as &dyn Fn(usize) -> String),
        ("organisation", 200, &filled),
        ("postcode", 10, &filled),
        ("address_line1", 200, &filled),
        ("address_line2", 200, &filled),
        ("town", 200, &filled),
        ("county", 200, &filled),
        ("country", 200, &filled),
        ("mobile", 30, &number),
        ("work_phone", 30, &number),
    ] {
        let longest = with(role_abroad(), field, text(most));
        let kept = check_role(longest.clone()).unwrap();
        assert_eq!(kept[field], longest[field], "{field}");
        let refused = told(check_role(with(role_abroad(), field, text(most + 1))));
        assert_eq!(refused.len(), 1, "{field}");
        assert_eq!(refused[0].1, format!("{field}.too_long"));
        assert_eq!(refused[0].2, Some(most as u64), "{field}");
        let rule = ProfessionalRole::FIELDS
            .iter()
            .find(|f| f.name() == field)
            .unwrap();
        assert_eq!(usize::from(rule.max_characters()), most, "{field}");
    }
    let uk = told(check_role(with(role(), "postcode", "EC1A -- 1BB")));
    assert_eq!(uk, [("postcode".to_owned(), "postcode.format", None)]);
}

#[test]
fn no_text_holds_hidden_characters() {
    // LIM-3
    for hidden in [
        "a\0b",
        "a\nb",
        "a\u{85}b",
        "\u{202e}ba",
        "a\u{2066}b",
        "a\u{1b}[31m",
    ] {
        for field in ["title", "forename", "surname", "gender_other"] {
            let typed = with(with(person(), "gender", "another"), field, hidden);
            let refused = told(check(ABOUT_YOU, typed));
            assert_eq!(refused.len(), 1, "{field} {hidden:?}");
            assert_eq!(refused[0].1, format!("{field}.hidden_characters"), "{hidden:?}");
        }
        for field in [
            "role",
            "organisation",
            "postcode",
            "address_line1",
            "address_line2",
            "town",
            "county",
            "country",
        ] {
            let refused = told(check_role(with(role_abroad(), field, hidden)));
            assert_eq!(refused.len(), 1, "{field} {hidden:?}");
            assert_eq!(refused[0].1, format!("{field}.hidden_characters"), "{hidden:?}");
        }
    }
}

#[test]
fn names_hold_neither_markup_nor_links() {
    // LIM-3
    for text in ["<b>Jo", "Jo >", "win at http://x.example"] {
        for field in ["title", "forename", "surname", "gender_other"] {
            let typed = with(with(person(), "gender", "another"), field, text);
            let refused = told(check(ABOUT_YOU, typed));
            let code = if text.len() > 20 && field == "title" {
                "too_long"
            } else {
                "markup"
            };
            assert_eq!(refused.len(), 1, "{field} {text}");
            assert_eq!(refused[0].1, format!("{field}.{code}"), "{text}");
        }
        for field in ["role", "organisation"] {
            let refused = told(check_role(with(role(), field, text)));
            assert_eq!(refused.len(), 1, "{field} {text}");
            assert_eq!(refused[0].1, format!("{field}.markup"), "{text}");
        }
    }
}

#[test]
fn with_several_roles_an_error_says_which_is_meant() {
    let roles = [
        role(),
        with(role(), "role", ""),
        with(role(), "mobile", "0".repeat(31)),
    ];
    assert_eq!(
        told(check(WORK_DETAILS, work(&roles))),
        [
            ("roles[1].role".to_owned(), "role.required", None),
            ("roles[2].mobile".to_owned(), "mobile.too_long", Some(30)),
        ]
    );
}

#[test]
fn there_are_one_to_ten_roles_and_one_of_them_is_the_main_one() {
    assert_eq!(
        told(check(WORK_DETAILS, json!({}))),
        one("roles", "roles.required")
    );
    let ten = vec![role(); 10];
    for main in 0..10 {
        let typed = with(work(&ten), "main", main);
        assert_eq!(check(WORK_DETAILS, typed.clone()), Ok(typed));
    }
    for (count, main) in [(1, 1), (10, 10), (2, usize::MAX)] {
        let typed = with(work(&vec![role(); count]), "main", main);
        assert_eq!(told(check(WORK_DETAILS, typed)), one("main", "main.required"));
    }
    assert_eq!(
        told(check(WORK_DETAILS, work(&vec![role(); 11]))),
        [("roles".to_owned(), "roles.too_many", Some(10))]
    );
}

#[test]
fn taking_a_role_out_leaves_the_main_one_the_main_one() {
    let named = |name: &str| ProfessionalRole {
        role: name.to_owned(),
        ..ProfessionalRole::default()
    };
    let roles = vec![named("a"), named("b"), named("c")];
    for (main, taken, left) in [
        (1, 0, Some("b")),
        (1, 1, Some("a")),
        (1, 2, Some("b")),
        (0, 0, Some("b")),
        (2, 2, Some("a")),
    ] {
        let mut work = WorkDetails {
            roles: roles.clone(),
            main,
        };
        assert_eq!(work.remove(taken).as_ref(), roles.get(taken));
        assert_eq!(work.main_role().map(|r| r.role.as_str()), left, "{main} {taken}");
    }
    let mut last = WorkDetails::single(named("a"));
    assert_eq!(last.remove(1), None);
    assert_eq!(last.remove(0), Some(named("a")));
    assert_eq!(last.main_role(), None);
}

#[test]
fn fields_that_nobody_asked_for_and_other_types_are_refused() {
    // REG-1, P-09
    for (section, typed) in [
        (ABOUT_YOU, with(person(), "admin", true)),
        (ABOUT_YOU, with(person(), "gender", "none")),
        (ABOUT_YOU, with(person(), "title", 1)),
        (ABOUT_YOU, with(person(), "title", json!(["Dr", "Mr"]))),
        (WORK_DETAILS, with(work(&[role()]), "verified", 1)),
        (WORK_DETAILS, with(work(&[role()]), "main", -1)),
        (WORK_DETAILS, work(&[with(role(), "level", "two")])),
        (WORK_DETAILS, work(&[with(role(), "not_uk", "on")])),
        (WORK_DETAILS, role()),
    ] {
        let refused = told(check(section, typed.clone()));
        assert_eq!(refused, one(section, WRONG_SHAPE.code()), "{typed}");
    }
}

#[test]
fn every_listed_reason_occurs() {
    let mut seen = BTreeSet::new();
    let mut see = |checked| seen.extend(told(checked).into_iter().map(|(_, code, _)| code));
    let long = "x".repeat(201);
    for text in ["", long.as_str(), "a\0b", "<b>"] {
        let mut about_you = with(person(), "gender", "another");
        let mut abroad = role_abroad();
        for field in AboutYou::FIELDS {
            about_you[field.name()] = text.into();
        }
        for field in ProfessionalRole::FIELDS {
            abroad[field.name()] = text.into();
        }
        see(check(ABOUT_YOU, about_you));
        see(check_role(abroad));
    }
    see(check(ABOUT_YOU, with(person(), "gender", Value::Null)));
    for postcode in ["", "S1"] {
        see(check_role(with(role(), "postcode", postcode)));
    }
    see(check(WORK_DETAILS, work(&[])));
    see(check(WORK_DETAILS, work(&vec![role(); 11])));
    see(check(WORK_DETAILS, with(work(&[role()]), "main", 1)));

    let listed: Vec<_> = ProfessionalProfile::reasons()
        .map(|reason| reason.code())
        .collect();
    let distinct: BTreeSet<_> = listed.iter().copied().collect();
    assert_eq!(listed.len(), distinct.len());
    assert_eq!(seen, distinct);
}
