//! P4 to P12: the three steps, the email and its link.

use crate::views::{
    account::SummaryRow,
    activate::{CompleteRegistration, LinkNotUsable, Registered, WhyNotUsable},
    details::*,
    register::*,
    sent::{Sent, Wait},
};

use portal_auth::password::policy::PasswordPolicy;

use super::*;

fn security(page: Page) -> SecurityDetails {
    SecurityDetails {
        page,
        steps: Step::list(1, 0),
        email: String::new(),
        email2: Some(String::new()),
        ask_password_twice: true,
        rules: PasswordPolicy::portal().lines(),
        password_rules: PasswordPolicy::portal().password_rules(),
        question: String::new(),
        own_question: None,
        questions: vec![Choice::new("first-car", "The model of your first car?")],
        secrets_are_set: false,
    }
}

fn work(page: Page, addresses: Addresses) -> WorkDetails {
    let aliases = vec!["SALT".to_owned(), "SLT".to_owned()];
    WorkDetails {
        page,
        steps: Step::list(3, 2),
        is_last: true,
        work: RoleFields {
            role: String::new(),
            roles: vec![RoleOption {
                name: "Speech & Language Therapist".to_owned(),
                aliases,
            }],
            organisation: String::new(),
            postcode: "S1 2HH".to_owned(),
            addresses,
            manual: ManualAddress::default(),
            mobile: String::new(),
            work_phone: String::new(),
        },
    }
}

/// "Forename *" as a label of a required field is written.
fn required(field: &str, label: &str) -> String {
    format!(
        "<label for=\"{field}\">{label} <span class=\"star\" aria-hidden=\"true\">*</span><span class=\"vh\"> required</span></label>"
    )
}

#[test]
fn security_details_keeps_the_guides_labels_names_and_button() {
    // P4, R5
    let html = html(&security(page("Registration")));
    has(
        &html,
        &[
            "<h1>Registration</h1>",
            "Register once to use the portal. Three short steps ask for what we need. Help is under each field.",
            "Step 1 of 3",
            "Your individual work address. We use it to log you in and to send codes.",
            "Paste is fine",
            "Capitals, accents and extra spaces do not matter. Do not use your password.",
            "<option value=\"\">Choose a question</option>",
        ],
    );
    for (field, label) in [
        ("email", "Email Address"),
        ("email2", "Confirm Email"),
        ("new-password", "Password"),
        ("new-password2", "Confirm Password"),
        ("question", "Secret Question"),
        ("answer", "Secret Answer"),
    ] {
        has(&html, &[&required(field, label), &format!(" name=\"{field}\"")]);
    }
    has(tag(&html, "email"), &["type=\"email\"", "autocomplete=\"email\""]);
    has(
        tag(&html, "new-password2"),
        &["type=\"password\" autocomplete=\"new-password\""],
    );
    has(
        tag(&html, "answer"),
        &[
            "type=\"text\" autocomplete=\"off\" spellcheck=\"false\"",
            "aria-describedby=\"answer-hint\"",
        ],
    );
    assert!(!html.contains(" selected"), "a question is chosen beforehand");
    assert_eq!(buttons(&html), [("next", "Next")]);
}

#[test]
fn password_rules_stand_on_the_page_and_in_the_attribute_for_generators() {
    // R7, Appendix B
    let html = html(&security(page("Registration")));
    let password = tag(&html, "new-password");
    has(
        password,
        &[
            "type=\"password\" autocomplete=\"new-password\" spellcheck=\"false\" autocapitalize=\"off\"",
            "passwordrules=\"minlength: 16; maxlength: 128; required: lower; required: upper; required: [01234]; \
             required: [56789]; required: [-!#$%&#38;*+=?@_];\"",
            "aria-describedby=\"password-rules\"",
        ],
    );
    has(
        &html,
        &[
            "Please enter password",
            "<span>Minimum 10 characters and not longer than 128</span>",
            "<span>Minimum 2 numbers</span>",
            "<span>Minimum 1 lower case character</span>",
            "<span>Minimum 1 upper case character</span>",
            "<span>Minimum 1 special character</span>",
            "<span>Must not be the same as the username</span>",
            "<span>Passwords are case sensitive</span>",
            "data-rule=\"length\" data-least=\"10\" data-most=\"128\"",
            "aria-live=\"polite\"",
        ],
    );
}

#[test]
fn a_policy_without_classes_lists_only_its_length() {
    let html = html(&SecurityDetails {
        rules: PasswordPolicy::modern().lines(),
        ..security(page("Registration"))
    });
    assert_eq!(html.matches("data-rule=").count(), 2);
}

#[test]
fn fields_that_a_setting_leaves_out_are_gone() {
    // P4
    let view = SecurityDetails {
        email2: None,
        ask_password_twice: false,
        questions: Vec::new(),
        ..security(page("x"))
    };
    let html = html(&view);
    for name in ["email2", "new-password2", "question", "answer"] {
        assert!(!html.contains(&format!("name=\"{name}\"")), "{name}");
    }
}

#[test]
fn an_own_question_has_a_field_of_its_own_where_the_setting_allows_one() {
    // P4
    let plain = html(&security(page("Registration")));
    assert!(!plain.contains("own_question"));
    let own = html(&SecurityDetails {
        own_question: Some(MARKUP.to_owned()),
        question: "own".to_owned(),
        questions: vec![Choice::new("own", "My own question")],
        ..security(failed(
            "Registration",
            "own_question",
            "Your own question is required",
        ))
    });
    has(
        &own,
        &[
            "<option value=\"own\" selected>My own question</option>",
            "<label for=\"own_question\">Your own question</label>",
            "<a href=\"#own_question\">Your own question is required</a>",
            "<div class=\"own-question\">",
        ],
    );
    has(
        tag(&own, "own_question"),
        &[
            "autocomplete=\"off\"",
            "aria-describedby=\"own_question-error own_question-hint\"",
        ],
    );
    assert!(!own.contains(MARKUP) && own.contains("&#60;script&#62;alert"));
}

#[test]
fn coming_back_says_that_the_secrets_are_set_and_shows_none() {
    // P4
    let html = html(&SecurityDetails {
        secrets_are_set: true,
        ..security(page("Registration"))
    });
    has(&html, &["Password is set. Leave empty to keep it."]);
    has(
        tag(&html, "new-password"),
        &["aria-describedby=\"new-password-hint password-rules\""],
    );
    assert!(!tag(&html, "new-password").contains("value=") && !tag(&html, "answer").contains("value="));
}

#[test]
fn finished_steps_are_links_and_the_current_one_is_marked() {
    let view = AboutYou {
        page: page("Registration"),
        steps: Step::list(2, 1),
        advice: None,
        address_kept: false,
        about: AboutFields {
            forename: "Jo".to_owned(),
            gender: "undisclosed".to_owned(),
            ..AboutFields::default()
        },
    };
    let html = html(&view);
    has(
        &html,
        &[
            "<a href=\"/account/register/security-details\"><span class=\"vh\">Finished: </span>Security Details</a>",
            "<li class=\"current\" aria-current=\"step\"><span>About you</span></li>",
            "<li><span>Work Details</span></li>",
            "Step 2 of 3",
            "Use your own details, not the name of your school or setting.",
        ],
    );
    // P5
    for (field, label, autocomplete) in [
        ("title", "Title", "honorific-prefix"),
        ("forename", "Forename", "given-name"),
        ("surname", "Surname", "family-name"),
    ] {
        has(&html, &[&required(field, label)]);
        has(tag(&html, field), &[&format!("autocomplete=\"{autocomplete}\"")]);
    }
    has(tag(&html, "title"), &["list=\"titles\""]);
    has(tag(&html, "forename"), &["value=\"Jo\"", "spellcheck=\"false\""]);
    has(tag(&html, "gender_other"), &["autocomplete=\"sex\""]);
    for value in ["female", "male", "another"] {
        has(&html, &[&format!("name=\"gender\" value=\"{value}\">")]);
    }
    has(
        &html,
        &[
            "name=\"gender\" value=\"undisclosed\" checked>",
            "<option value=\"Prefer not to say\">",
        ],
    );
    assert_eq!(buttons(&html), [("next", "Next"), ("previous", "Previous")]);
}

#[test]
fn an_error_of_a_radio_group_describes_the_group() {
    let (about, steps) = (AboutFields::default(), Step::list(2, 1));
    let page = failed("Registration", "gender", "Gender is required");
    let html = html(&AboutYou {
        page,
        steps,
        about,
        advice: None,
        address_kept: false,
    });
    has(
        tag(&html, "gender"),
        &[
            "<fieldset",
            "tabindex=\"-1\"",
            "aria-describedby=\"gender-error gender-hint\"",
        ],
    );
    has(&html, &["<a href=\"#gender\">Gender is required</a>"]);
}

#[test]
fn work_details_is_one_form_whose_buttons_say_what_they_do() {
    // P6
    let html = html(&work(page("Registration"), Addresses::NotAsked));
    has(
        &html,
        &[
            "Step 3 of 3",
            "Start typing and choose your role, or type it in full",
            "Enter your work postcode and press Find Address. Not in the list? Press Enter Address Manually and type it.",
            "<option value=\"Speech &#38; Language Therapist\" data-aliases=\"SALT|SLT\">",
            "You can add another Professional Role in My Account after registering.",
            "Mobile Number <span class=\"optional\">(optional)</span>",
            "Work Phone <span class=\"optional\">(optional)</span>",
        ],
    );
    for (field, label, autocomplete) in [
        ("role", "Professional Role", "organization-title"),
        ("organisation", "Organisation Name", "organization"),
        ("postcode", "Postcode", "postal-code"),
    ] {
        has(&html, &[&required(field, label)]);
        has(tag(&html, field), &[&format!("autocomplete=\"{autocomplete}\"")]);
    }
    has(tag(&html, "role"), &["list=\"roles\""]);
    has(
        tag(&html, "mobile"),
        &["type=\"tel\"", "autocomplete=\"mobile tel\""],
    );
    has(
        tag(&html, "work_phone"),
        &["type=\"tel\"", "autocomplete=\"work tel\""],
    );
    let all = [
        ("find", "Find Address"),
        ("manual", "Enter Address Manually"),
        ("submit", "Submit Registration"),
        ("previous", "Previous"),
    ];
    assert_eq!(buttons(&html), all);
    assert!(
        html.find("<button class=\"default\"") < html.find("value=\"find\""),
        "Return must not mean Find Address"
    );
    assert!(!html.contains("address_line1"));
}

#[test]
fn where_the_answers_are_checked_the_third_step_goes_on_to_them() {
    // P8
    let work = WorkDetails {
        is_last: false,
        ..work(page("Registration"), Addresses::NotAsked)
    };
    assert_eq!(buttons(&html(&work))[2], ("next", "Next"));
    let change = |key: &str, value: &str, field: &str| SummaryRow {
        key: key.to_owned(),
        value: value.to_owned(),
        change: Some(format!("/account/register/about-you#{field}")),
    };
    let html = html(&CheckAnswers {
        page: page("Registration"),
        steps: Step::list(4, 3),
        rows: vec![
            change("Password", "Set", "new-password"),
            change("Surname", MARKUP, "surname"),
        ],
    });
    has(
        &html,
        &[
            "<h2>Check your answers</h2>",
            "<dt>Password</dt><dd>Set</dd>",
            "<a href=\"/account/register/about-you#surname\">Change<span class=\"vh\"> Surname</span></a>",
        ],
    );
    assert!(!html.contains(MARKUP) && html.contains("&#60;script&#62;alert"));
    assert_eq!(
        buttons(&html),
        [("submit", "Submit Registration"), ("previous", "Previous")]
    );
    // No step is the current one, and all can be opened.
    assert!(!html.contains("aria-current=\"step\""));
    assert_eq!(html.matches("<span class=\"vh\">Finished: </span>").count(), 3);
}

#[test]
fn found_addresses_are_radios_that_end_with_not_listed() {
    // P7
    let choices = vec![
        Choice::new("a1", "1 Harbour Road"),
        Choice::new("a2", "2 Harbour Road"),
    ];
    let html = html(&work(
        page("Registration"),
        Addresses::Found {
            choices,
            chosen: "a2".to_owned(),
        },
    ));
    has(
        &html,
        &[
            "Choose an address <span class=\"optional\">(2 found)</span>",
            "name=\"address\" value=\"a1\"> <span>1 Harbour Road</span>",
            "name=\"address\" value=\"a2\" checked>",
            "name=\"address\" value=\"none\"> <span>My address is not listed</span>",
        ],
    );
}

#[test]
fn an_address_can_be_typed_in_and_out_of_the_country() {
    // P7
    let why = Some(
        crate::views::catalogue::Language::ENGLISH
            .t("work-not-found")
            .to_owned(),
    );
    let html = html(&work(page("Registration"), Addresses::Manual { why }));
    has(
        &html,
        &[
            "We could not find that postcode. Enter the address yourself.",
            "name=\"not_uk\"",
            "Not a UK address",
        ],
    );
    has(tag(&html, "address_line1"), &["autocomplete=\"address-line1\""]);
    has(tag(&html, "address_line2"), &["autocomplete=\"address-line2\""]);
    has(tag(&html, "town"), &["autocomplete=\"address-level2\""]);
    has(tag(&html, "county"), &["name=\"county\""]);
    has(tag(&html, "country"), &["name=\"country\""]);
    let labels = [
        required("address_line1", "Address line 1"),
        required("town", "Town or city"),
    ];
    has(
        &html,
        &[
            &labels[0],
            &labels[1],
            "Address line 2 <span class=\"optional\">",
            "County <span class=\"optional\">",
        ],
    );
}

#[test]
fn markup_in_a_registration_is_shown_as_text() {
    let text = || MARKUP.to_owned();
    let manual = ManualAddress {
        line1: text(),
        line2: text(),
        town: text(),
        county: text(),
        not_uk: true,
        country: text(),
    };
    let roles = vec![RoleOption {
        name: text(),
        aliases: vec![text()],
    }];
    let plain = work(page("x"), Addresses::Manual { why: None });
    let work = WorkDetails {
        work: RoleFields {
            role: text(),
            roles,
            organisation: text(),
            postcode: text(),
            manual,
            mobile: text(),
            ..plain.work
        },
        ..plain
    };
    let security = SecurityDetails {
        email: text(),
        email2: Some(text()),
        ..security(page("x"))
    };
    let about = AboutYou {
        page: page("x"),
        steps: Step::list(2, 1),
        advice: Some(AddressAdvice {
            text: text(),
            change: text(),
            keep: text(),
        }),
        address_kept: true,
        about: AboutFields {
            title: text(),
            forename: text(),
            surname: text(),
            gender: "another".to_owned(),
            gender_other: text(),
        },
    };
    let (masked_email, typed) = (text(), text());
    let unknown = LinkNotUsable {
        page: page("x"),
        why: WhyNotUsable::Unknown { typed },
    };
    let complete = CompleteRegistration {
        page: page("x"),
        masked_email,
        prepared: false,
    };
    for rendered in [
        html(&work),
        html(&security),
        html(&about),
        html(&unknown),
        html(&complete),
    ] {
        assert!(
            !rendered.contains("<script>") && !rendered.contains("<img src=x"),
            "{rendered}"
        );
        assert!(rendered.contains("alert("), "{rendered}");
    }
}

#[test]
fn the_sent_page_names_the_address_and_the_end_of_the_link() {
    // P9
    let sent = |email: Option<&str>, wait| {
        html(&Sent {
            page: page("Check your email"),
            email: email.map(str::to_owned),
            typed_email: String::new(),
            works_until: "10:40 pm today".to_owned(),
            lifetime: "12 hours".to_owned(),
            sender: "no-reply@p.example".to_owned(),
            wait,
        })
    };
    let here = sent(
        Some("jo@school.example"),
        Some(Wait {
            seconds: 40,
            until: "10:41 pm".to_owned(),
        }),
    );
    has(
        &here,
        &[
            "<h1>Check your email</h1>",
            "We have sent a link to <strong>jo@school.example</strong>. Use it before 10:40 pm today (12 hours).",
            "30 minutes",
            "no-reply@p.example",
            "data-wait=\"40\">You can send it again at 10:41 pm.</p>",
        ],
    );
    assert_eq!(
        buttons(&here),
        [
            ("resend", "Send the link again"),
            ("different", "Use a different email address")
        ]
    );
    // R15: another browser learns no address and is asked for one.
    let elsewhere = sent(None, None);
    has(&elsewhere, &["name=\"email\""]);
    assert!(!elsewhere.contains("jo@") && !elsewhere.contains("10:40 pm"));
    assert_eq!(buttons(&elsewhere), [("resend", "Send the link again")]);
}

#[test]
fn the_link_of_a_prepared_registration_asks_for_no_password_and_offers_to_choose_one() {
    // P10, I-01
    let html = html(&CompleteRegistration {
        page: page("Confirm your email address"),
        masked_email: "j•••@school.example".to_owned(),
        prepared: true,
    });
    has(
        &html,
        &[
            "<strong>j•••@school.example</strong>",
            "An administrator has prepared your registration",
        ],
    );
    assert!(!html.contains("type=\"password\""), "{html}");
    assert_eq!(buttons(&html), [("choose", "Choose your password")]);
}

#[test]
fn the_link_opens_a_page_that_asks_for_the_password() {
    // P10
    let (page, masked_email) = (
        page("Confirm your email address"),
        "j•••@school.example".to_owned(),
    );
    let html = html(&CompleteRegistration {
        page,
        masked_email,
        prepared: false,
    });
    has(
        &html,
        &[
            "<h1>Confirm your email address</h1>",
            "j•••@school.example",
            "the one you chose when you registered",
        ],
    );
    has(
        tag(&html, "password"),
        &[
            "autocomplete=\"current-password\"",
            "aria-describedby=\"password-hint\"",
        ],
    );
    assert_eq!(
        buttons(&html),
        [
            ("complete", "Complete registration"),
            ("not_mine", "I did not choose this password")
        ]
    );
}

#[test]
fn the_thank_you_page_leads_to_a_login_with_the_address_filled_in() {
    // P11
    let html = html(&Registered {
        page: page("Thank you"),
        email: Some("jo+x&y@school.example".to_owned()),
        two_step: Some("Some areas need it."),
    });
    has(
        &html,
        &[
            "<h1>Thank you for registering</h1>",
            "<p class=\"hint\">Some areas need it.</p> </div>",
            "href=\"/account/login?email=jo%2Bx%26y%40school.example\">Login</a>",
            "<strong>jo+x&#38;y@school.example</strong>",
        ],
    );
}

#[test]
fn a_link_that_opens_nothing_says_why_and_what_to_do() {
    // P12
    let link = |why| {
        html(&LinkNotUsable {
            page: page("This link has expired"),
            why,
        })
    };
    let expired = |renewable| {
        let (stopped_at, lifetime) = ("10:40 pm on 3 May".to_owned(), "12 hours".to_owned());
        link(WhyNotUsable::Expired {
            stopped_at,
            lifetime,
            renewable,
        })
    };
    has(
        &expired(true),
        &["This link stopped working at 10:40 pm on 3 May. Links last 12 hours."],
    );
    assert_eq!(buttons(&expired(true)), [("renew", "Send a new link")]);
    has(&expired(false), &["href=\"/account/register\">Register</a>"]);
    assert!(buttons(&expired(false)).is_empty());
    let over = link(WhyNotUsable::Over);
    has(
        &over,
        &["This registration can no longer be completed. <a href=\"/account/login\">Log in</a>, or"],
    );
    has(&link(WhyNotUsable::Replaced), &["newest email"]);
    let unknown = link(WhyNotUsable::Unknown {
        typed: "cut".to_owned(),
    });
    has(&unknown, &["Check that the whole link was copied"]);
    has(tag(&unknown, "link"), &["value=\"cut\""]);
    assert_eq!(buttons(&unknown), [("open", "Open the link")]);
}

#[test]
fn back_after_sending_leads_on() {
    // R12
    let (next_href, next_text) = ("/account/register/sent".to_owned(), "Check your email".to_owned());
    let html = html(&AlreadySent {
        page: page("x"),
        next_href,
        next_text,
    });
    has(
        &html,
        &[
            "<h1>You have already sent this registration</h1>",
            "href=\"/account/register/sent\">Check your email</a>",
        ],
    );
}

#[test]
fn the_sample_roles_are_the_guides_nineteen() {
    // Appendix B
    let lines = include_str!("../../../content/roles.txt").lines();
    let lines: Vec<_> = lines.filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 19);
    for start in [
        "Educational Psychologist | EP",
        "Education Welfare Officer | EWO",
        "Speech & Language Therapist | SALT",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start}");
    }
}
