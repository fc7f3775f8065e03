//! The guide's sentences by reason code (R4).

use crate::views::messages::message;

#[test]
fn a_reason_gives_the_guides_exact_sentence() {
    for (reason, sentence) in [
        ("email.required", "Email Address is required"),
        (
            "email2.mismatch",
            "Confirm New Email value must match your Email Address",
        ),
        ("password.required", "Password is required"),
        ("password2.mismatch", "Passwords must match"),
        ("question.required", "Choose a Secret Question"),
        ("answer.required", "Secret Answer is required"),
        ("title.required", "Title is required"),
        ("forename.required", "Forename is required"),
        ("surname.required", "Surname is required"),
        ("gender.required", "Gender is required"),
        ("role.required", "Please enter your role title"),
        ("organisation.required", "Enter your Organisation Name"),
        ("postcode.required", "Enter postcode"),
        ("postcode.format", "Enter a full UK postcode"),
        (
            "address_line1.required",
            "Enter address line 1, typically the building and street",
        ),
        ("town.required", "Enter town or city"),
        ("code.required", "Enter your Verification Code"),
    ] {
        assert_eq!(message(reason, None, "This field"), sentence, "{reason}");
    }
}

#[test]
fn numbers_come_from_the_setting() {
    let code = |reason, n| message(reason, Some(n), "Verification Code");
    assert_eq!(
        code("code.too_short", 6),
        "You've not entered enough numbers, the code must be 6 numbers"
    );
    assert_eq!(
        code("code.too_long", 8),
        "You've entered too many numbers, the code must be 8 numbers"
    );
    assert_eq!(code("code.letters", 6), "The code must be 6 numbers");
    assert_eq!(code("code.wrong", 4), "That code is not correct. 4 tries left.");
    assert_eq!(code("code.wrong", 1), "That code is not correct. 1 try left.");
    assert_eq!(code("resend.wait", 40), "Wait 40 seconds, then send it again");
    assert_eq!(
        code("throttle.minutes", 15),
        "Too many tries. Wait 15 minutes or reset your password."
    );
}

#[test]
fn problems_that_any_field_can_have_name_the_field() {
    assert_eq!(
        message("surname.hidden_characters", None, "Surname"),
        "Surname must not include hidden characters"
    );
    assert_eq!(
        message("forename.too_long", Some(100), "Forename"),
        "Forename must be 100 characters or fewer"
    );
    assert_eq!(message("county.too_long", None, "County"), "County is too long");
}

#[test]
fn an_unknown_reason_still_says_where_to_look() {
    assert_eq!(
        message("town.haunted", None, "Town or city"),
        "Check Town or city and try again"
    );
}
