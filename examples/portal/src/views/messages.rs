//! Every message by its stable reason code (R4), so that a catalogue of another language can replace the table.

/// R13, shown above a form whose token no longer counts.
pub(crate) const STALE_FORM: &str = "This page was open for a long time. Check your answers and try again.";
pub(crate) const LOGGED_OUT: &str = "You have logged out.";
pub(crate) const TWO_STEP_ON: &str = "Two Step Verification is on. Log in again.";
pub(crate) const TWO_STEP_OFF: &str = "Two Step Verification is off. Log in again.";
pub(crate) const NOTHING_CHANGED: &str = "Nothing was changed.";
pub(crate) const FILLED_IN: &str =
    "What you had typed is filled in again. It is not saved yet: check it, then save it.";
pub(crate) const CODE_SENT_AGAIN: &str = "We have sent the code again.";
pub(crate) const OTHER_BROWSER: &str = "Enter the code in the browser where you logged in";
pub(crate) const CODES_CLOSED: &str = "Too many wrong codes. Reset your password to log in again.";
pub(crate) const TOOK_TOO_LONG: &str = "Log in again, that took too long.";
pub(crate) const CODE_TRIES_USED: &str = "All tries for that code are used. Log in again to get a new one.";
pub(crate) const DRAFT_EXPIRED: &str = "Start again: we keep unfinished forms for 2 hours.";
pub(crate) const POSTCODE_NOT_FOUND: &str = "We could not find that postcode. Enter the address yourself.";
pub(crate) const PERSONAL_DETAILS_SAVED: &str = "Your personal details have been saved.";
pub(crate) const WORK_DETAILS_SAVED: &str = "Your work details have been saved.";
pub(crate) const ROLE_ADDED: &str = "Your Professional Role has been added.";
pub(crate) const ROLE_REMOVED: &str = "Your Professional Role has been removed.";
pub(crate) const ADDRESS_SEARCH_DOWN: &str = "Address search is not working. Enter the address yourself.";

/// The sentence for a reason code.
///
/// `number` is the number the sentence states, where it states one: digits of a code, tries left, seconds to wait, the longest
/// length allowed. `label` names the field in sentences that any field can have. A code that is not in the table gets a sentence
/// that still says which field to look at.
pub(crate) fn message(reason: &str, number: Option<u64>, label: &str) -> String {
    if let Some(text) = fixed(reason) {
        return text.to_owned();
    }
    if let Some(text) = number.and_then(|n| numbered(reason, n)) {
        return text;
    }
    match (
        reason.rsplit_once('.').map_or(reason, |(_, problem)| problem),
        number,
    ) {
        ("required", _) => format!("{label} is required"),
        ("too_long", Some(n)) => format!("{label} must be {n} characters or fewer"),
        ("too_long", None) => format!("{label} is too long"),
        ("too_short", Some(n)) => format!("{label} must be {n} characters or more"),
        ("too_short", None) => format!("{label} is too short"),
        ("hidden_characters", _) => format!("{label} must not include hidden characters"),
        ("format", _) => format!("Enter {label} in the correct format"),
        _ => format!("Check {label} and try again"),
    }
}

/// Sentences without a number; where the guide has one, it is the guide's.
fn fixed(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "email.required" => "Email Address is required",
        "email.format" => "Enter an email address in the correct format, like name@example.com",
        "email.too_long" => "Email Address must be 254 characters or fewer",
        "email2.mismatch" | "email2.required" => "Confirm New Email value must match your Email Address",
        "password.required" => "Password is required",
        "password2.mismatch" | "password2.required" => "Passwords must match",
        "sign_in.wrong" => "Email Address or Password is not correct.",
        "password.wrong" => "Password is not correct.",
        "password.common" => {
            "Choose a password that is harder to guess: this one is on a list of common passwords"
        }
        "password.context" => "Password must not contain the name of the service",
        "password.contains_email" => "Password must not contain your email address",
        "password.is_username" => "Password must not be the same as your Email Address",
        "password.reused" => "Choose a password you have not used here before",
        "question.required" | "question.unknown" => "Choose a Secret Question",
        "answer.required" => "Secret Answer is required",
        "answer.too_short" => "Secret Answer must have at least 3 characters",
        "answer.too_long" => "Secret Answer must be 100 characters or fewer",
        "answer.is_password" => "Secret Answer must not be the same as your password",
        "answer.is_email" => "Secret Answer must not be the same as your Email Address",
        "answer.is_question" => "Secret Answer must not repeat the question",
        "answer.common" => "Choose a Secret Answer that is harder to guess",
        "title.required" => "Title is required",
        "forename.required" => "Forename is required",
        "surname.required" => "Surname is required",
        "gender.required" => "Gender is required",
        "gender_other.required" => "Enter your gender, or choose Prefer not to say",
        "roles.required" => "You need at least one Professional Role",
        "main.required" => "Choose your main role",
        "role.required" => "Please enter your role title",
        "organisation.required" => "Enter your Organisation Name",
        "postcode.required" => "Enter postcode",
        "postcode.format" => "Enter a full UK postcode",
        "address.required" => "Choose an address, or My address is not listed",
        "address_line1.required" => "Enter address line 1, typically the building and street",
        "town.required" => "Enter town or city",
        "country.required" => "Enter the country of the address",
        "mobile.format" | "work_phone.format" => {
            "Enter a phone number, like 01632 960 001, 07700 900 982 or +44 808 157 0192"
        }
        "code.required" => "Enter your Verification Code",
        "code.expired" => "The code has expired. We have sent a new one.",
        "code.other_browser" => "Enter the code in the browser where you logged in",
        "code.too_many_wrong" => "Too many wrong codes. Reset your password to log in again.",
        "link.required" => "Paste the whole link from the email",
        "preferred_method.required" => "Choose a preferred method",
        _ => return None,
    })
}

/// Sentences that state a number.
fn numbered(reason: &str, n: u64) -> Option<String> {
    Some(match reason {
        "code.too_short" => format!("You've not entered enough numbers, the code must be {n} numbers"),
        "code.too_long" => format!("You've entered too many numbers, the code must be {n} numbers"),
        "code.letters" => format!("The code must be {n} numbers"),
        "code.wrong" if n == 1 => "That code is not correct. 1 try left.".to_owned(),
        "code.wrong" => format!("That code is not correct. {n} tries left."),
        "roles.too_many" => {
            format!("You can have at most {n} Professional Roles. Remove one to add another.")
        }
        "resend.wait" if n == 1 => "Wait 1 second, then send it again".to_owned(),
        "resend.wait" => format!("Wait {n} seconds, then send it again"),
        "throttle.minutes" if n == 1 => "Too many tries. Wait 1 minute or reset your password.".to_owned(),
        "throttle.minutes" => format!("Too many tries. Wait {n} minutes or reset your password."),
        _ => return None,
    })
}

/// Two people, or two tabs, saved the same form (P18, P19); `at` is "10:41 am" or "10:41 am on 3 May".
pub(crate) fn saved_meanwhile(at: &str) -> String {
    format!("Someone saved these details at {at}. Your version is below; compare and Save again.")
}

/// The role of a form is not there any more (P19).
pub(crate) fn role_gone(at: &str) -> String {
    format!(
        "Someone changed your roles at {at}, and this one is not among them. Your version is below; Save adds it."
    )
}

/// A button was pressed on a page that is out of date (P19).
pub(crate) fn roles_changed(at: &str) -> String {
    format!("Someone changed your roles at {at}. Nothing was changed now; look at them and choose again.")
}
