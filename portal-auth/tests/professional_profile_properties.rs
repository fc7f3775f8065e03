//! What holds for every profile and every postcode that passes, whatever was typed.
#![cfg(feature = "professional-profile")]
#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and does not find is its failure"
)]

use portal_auth::account::plain_text::{has_hidden_character, is_fit_for_a_name};
use portal_auth::account::postcode::Postcode;
use portal_auth::account::professional_profile::{
    AboutYou, Gender, ProfessionalProfile, ProfessionalRole, TextField, WorkDetails,
};
use portal_auth::account::profile::Section;
use portal_auth::error::FieldErrors;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Mostly what fits, sometimes anything.
fn text(fitting: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        30 => fitting.prop_map(|text| format!(" {text}\u{a0}")),
        1 => any::<String>(),
        1 => "[a<>:/x0-9\u{200b}\u{202e} -]{0,250}",
    ]
}

prop_compose! {
    fn any_about_you()(
        title in text("[A-Za-z]{1,20}"),
        forename in text("[\\p{L}'-]{1,100}"),
        surname in text("[\\p{L} '-]{1,100}"),
        gender in proptest::option::weighted(0.95, proptest::sample::select(&Gender::ALL[..])),
        gender_other in text("[\\p{L}]{0,40}"),
    ) -> AboutYou {
        AboutYou { title, forename, surname, gender, gender_other }
    }
}

prop_compose! {
    fn any_role()(
        role in text("[\\p{L} ]{1,100}"),
        organisation in text("[\\p{L}\\p{N} &.]{1,200}"),
        postcode in text("[A-PR-UWYZa-pr-uwyz][0-9]{1,2}[ -]?[0-9][abdABD]{2}"),
        (address_line1, address_line2) in (text("[\\p{L}\\p{N} ,]{1,200}"), text("[\\p{L} ]{0,200}")),
        (town, county, country) in (text("[\\p{L}]{1,200}"), text("[\\p{L}]{0,200}"), text("[\\p{L}]{1,200}")),
        not_uk in any::<bool>(),
        mobile in text("|\\+?[0-9]{7,15}|07[0-9]{9}"),
        work_phone in text("|[0-9(][0-9 ]{9,14}[0-9]( x[0-9]{1,6})?|01[0-9]{9} x[0-9]{1,6}"),
    ) -> ProfessionalRole {
        ProfessionalRole {
            role, organisation, postcode, address_line1, address_line2, town, county, country, not_uk, mobile,
            mobile_e164: "+1".to_owned(),
            work_phone, work_phone_e164: String::new(),
        }
    }
}

/// What holds for every section that passed: nothing too long, missing or hidden, and names without markup.
fn assert_within_limits(kept: &Value, fields: &[TextField]) {
    for field in fields {
        let text = kept[field.name()].as_str().unwrap();
        assert!(
            text.chars().count() <= usize::from(field.max_characters()),
            "{field:?}"
        );
        assert_eq!(text, text.trim(), "{field:?}");
        assert!(!has_hidden_character(text), "{field:?}");
        let conditional = matches!(field.name(), "postcode" | "country");
        assert!(
            !text.is_empty() || !field.is_required() || conditional,
            "{field:?}"
        );
        if matches!(
            field.name(),
            "title" | "forename" | "surname" | "gender_other" | "role" | "organisation"
        ) {
            assert!(is_fit_for_a_name(text), "{field:?}");
        }
    }
}

/// E.164, with an extension as in RFC 3966, exactly where there is a number.
fn assert_dialled(typed: &str, dialled: &str) {
    assert_eq!(typed.is_empty(), dialled.is_empty(), "{typed:?} {dialled:?}");
    let (number, extension) = dialled.split_once(";ext=").unwrap_or((dialled, ""));
    let digits = number.strip_prefix('+').unwrap_or("");
    assert!(
        number.is_empty() || (3..=15).contains(&digits.len()),
        "{dialled:?}"
    );
    assert!(
        digits
            .chars()
            .chain(extension.chars())
            .all(|c| c.is_ascii_digit()),
        "{dialled:?}"
    );
    assert_eq!(
        typed.contains('x'),
        !extension.is_empty(),
        "{typed:?} {dialled:?}"
    );
}

fn assert_known(errors: &FieldErrors) {
    assert!(!errors.is_empty());
    for error in errors.iter() {
        assert!(
            ProfessionalProfile::reasons().any(|reason| reason == error.reason),
            "{error:?}"
        );
    }
}

proptest! {
    #[test]
    fn what_passed_about_a_person_is_within_limits_and_passes_unchanged(typed in any_about_you()) {
        match typed.check() {
            Ok(kept) => {
                assert_within_limits(&json!(kept), AboutYou::FIELDS);
                prop_assert!(kept.gender.is_some());
                prop_assert!(kept.gender_other.is_empty() || kept.gender == Some(Gender::Another));
                prop_assert_eq!(kept.clone().check(), Ok(kept));
            }
            Err(errors) => assert_known(&errors),
        }
    }

    #[test]
    fn what_passed_about_work_is_within_limits_and_passes_unchanged(
        roles in proptest::collection::vec(any_role(), 0..4),
        main in 0_usize..4,
    ) {
        match (WorkDetails { roles, main }).check() {
            Ok(kept) => {
                prop_assert!(kept.main_role().is_some());
                for role in &kept.roles {
                    assert_within_limits(&json!(role), ProfessionalRole::FIELDS);
                    prop_assert_eq!(role.country.is_empty(), !role.not_uk);
                    assert_dialled(&role.mobile, &role.mobile_e164);
                    assert_dialled(&role.work_phone, &role.work_phone_e164);
                    let postcode = Postcode::parse(&role.postcode);
                    prop_assert!(role.not_uk || postcode.is_ok_and(|p| p.as_str() == role.postcode));
                }
                prop_assert_eq!(kept.clone().check(), Ok(kept));
            }
            Err(errors) => assert_known(&errors),
        }
    }

    #[test]
    fn whatever_looks_like_a_phone_number_is_judged(typed in "[+0-9 ().x-]{0,30}|\\+[0-9]{6,16}( ?x[0-9]{1,8})?") {
        let mut role = ProfessionalRole::default();
        role.mobile.clone_from(&typed);
        role.work_phone = typed;
        let errors = role.check().unwrap_err();
        assert_known(&errors);
    }

    #[test]
    fn postcodes_that_pass_read_back_as_themselves(typed in "\\PC{0,12}|[ -]?[A-Za-z]{1,2}[0-9]{1,2}[A-Za-z -]?[0-9][A-Za-z]{2}") {
        if let Ok(postcode) = Postcode::parse(&typed) {
            prop_assert_eq!(Postcode::parse(postcode.as_str()), Ok(postcode.clone()));
            prop_assert!(postcode.as_str().len() <= 8);
        }
    }
}
