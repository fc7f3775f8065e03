//! P20 to P22 and the pages of their links.

use portal_auth::password::policy::PasswordPolicy;

use crate::views::{
    change::{ChangeEmail, ChangePassword, ChangeSecretQuestion},
    menu::menu,
    register::Choice,
    take_back::{ConfirmEmail, SomebodyElse, TakeBack, TakenBack},
};

use super::*;

fn change_email(page: Page, typed: &str) -> String {
    html(&ChangeEmail {
        page,
        menu: menu("/account/change-email-address"),
        username: "jo@school.example".to_owned(),
        email: typed.to_owned(),
        email2: typed.to_owned(),
        confirm: None,
    })
}

fn change_password(page: Page, confirm: Option<&str>) -> String {
    let policy = PasswordPolicy::portal();
    html(&ChangePassword {
        page,
        menu: menu("/account/change-password"),
        username: "jo@school.example".to_owned(),
        rules: policy.lines(),
        password_rules: policy.password_rules(),
        confirm: confirm.map(str::to_owned),
    })
}

fn change_question(page: Page) -> String {
    html(&ChangeSecretQuestion {
        page,
        menu: menu("/account/change-secret-question"),
        username: "jo@school.example".to_owned(),
        question: String::new(),
        questions: vec![Choice::new("pet", "The name of your first pet?")],
        own_question: None,
        confirm: None,
    })
}

#[test]
fn changing_the_address_asks_for_it_twice_and_for_the_password() {
    // P20, R5, R6
    let html = change_email(signed_in("Change Email Address"), "new@school.example");
    has(
        &html,
        &[
            "<label for=\"email\">New Email Address <span class=\"star\"",
            "<label for=\"email2\">Confirm New Email <span",
            "<label for=\"password\">Password <span",
            "<strong>jo@school.example</strong>",
            "autocomplete=\"username\" tabindex=\"-1\" aria-hidden=\"true\" readonly>",
            "<form method=\"post\" action=\"/account/change-email-address\" novalidate>",
        ],
    );
    for field in ["email", "email2"] {
        has(
            tag(&html, field),
            &[
                "type=\"email\"",
                "value=\"new@school.example\"",
                "autocomplete=\"email\"",
                "spellcheck=\"false\"",
            ],
        );
    }
    has(tag(&html, "password"), &["autocomplete=\"current-password\""]);
    assert!(!tag(&html, "password").contains("value="));
    assert_eq!(buttons(&html), [("save", "Save")]);
}

#[test]
fn changing_the_password_asks_for_the_present_one_and_lists_the_rules_of_the_new_one() {
    // P21, R7
    let html = change_password(signed_in("Change Password"), None);
    has(
        &html,
        &[
            "<label for=\"password\">Current Password <span",
            "<label for=\"new-password\">Password <span",
            "<label for=\"new-password2\">Confirm Password <span",
            "<p class=\"rules-title\">Please enter password</p>",
            "Minimum 10 characters and not longer than 128",
        ],
    );
    has(tag(&html, "password"), &["autocomplete=\"current-password\""]);
    has(
        tag(&html, "new-password"),
        &[
            "autocomplete=\"new-password\"",
            "passwordrules=\"minlength: 16;",
            "aria-describedby=\"password-rules\"",
        ],
    );
    // What the script compares a new password with, and what managers store it under.
    has(
        tag(&html, "email"),
        &[
            "name=\"username\"",
            "value=\"jo@school.example\"",
            "autocomplete=\"username\"",
        ],
    );
    assert_eq!(html.matches("data-reveal").count(), 3);
    for name in [
        "Show current password",
        "Show password",
        "Show confirmed password",
    ] {
        has(&html, &[&format!(">{name}</button>")]);
    }
    assert!(!html.contains(" maxlength=") && !html.contains("Confirm it is you"));
}

#[test]
fn somebody_whose_proof_is_too_old_is_told_before_they_type_secrets() {
    // STP-3, R11
    let href = "/account/confirm-password?next=%2Faccount%2Fchange-password";
    let html = change_password(signed_in("Change Password"), Some(href));
    has(&html, &[&format!("<a href=\"{href}\">Confirm it is you</a>")]);
}

#[test]
fn changing_the_question_shows_neither_question_nor_answer_of_before() {
    // P22, ANS-6
    let html = change_question(signed_in("Change Secret Question"));
    has(
        &html,
        &[
            "<label for=\"password\">Current password <span",
            "<label for=\"question\">Secret Question <span",
            "<label for=\"answer\">Secret Answer <span",
            "<option value=\"\">Choose a question</option>",
            "<option value=\"pet\">The name of your first pet?</option>",
        ],
    );
    has(
        tag(&html, "answer"),
        &[
            "autocomplete=\"off\"",
            "spellcheck=\"false\"",
            "aria-describedby=\"answer-hint\"",
        ],
    );
    assert!(!tag(&html, "answer").contains("value=") && !html.contains("selected"));
}

#[test]
fn their_messages_stand_beside_their_fields_and_values_are_shown_as_text() {
    // R3
    let html = change_email(failed("Change Email Address", "email2", "m"), MARKUP);
    has(
        tag(&html, "email2"),
        &[
            "aria-invalid=\"true\"",
            "aria-describedby=\"email2-error email2-hint\"",
        ],
    );
    assert!(
        !html.contains("<script>") && !html.contains("<img src=x"),
        "{html}"
    );
    for html in [
        change_password(failed("Change Password", "new-password", "m"), None),
        change_question(failed("Change Secret Question", "answer", "m")),
    ] {
        has(
            &html,
            &["aria-invalid=\"true\"", "<span class=\"vh\">Error: </span>m</p>"],
        );
    }
}

#[test]
fn a_new_address_is_confirmed_with_the_password_where_nobody_is_signed_in() {
    // CHG-2
    let confirm = |asks_password| {
        html(&ConfirmEmail {
            page: page("Confirm your new email address"),
            email: "new@school.example".to_owned(),
            asks_password,
        })
    };
    let asked = confirm(true);
    has(tag(&asked, "password"), &["autocomplete=\"current-password\""]);
    assert_eq!(buttons(&asked), [("confirm", "Confirm")]);
    let not_asked = confirm(false);
    assert!(!not_asked.contains("type=\"password\""));
    has(&not_asked, &["<strong>new@school.example</strong>"]);
    let refused = html(&SomebodyElse {
        page: page("Somebody else is logged in here"),
    });
    has(
        &refused,
        &[
            "<h1>Somebody else is logged in here</h1>",
            "Nothing was changed.",
            "action=\"/account/logout\"",
        ],
    );
}

#[test]
fn what_takes_something_back_asks_for_the_address_and_never_shows_it() {
    // MAIL-6
    let html_of = |page: Page, typed: &str| {
        html(&TakeBack {
            page,
            path: "/account/freeze",
            lead: &["One.", "Two."],
            masked: "j\u{2022}\u{2022}\u{2022}@school.example".to_owned(),
            email: typed.to_owned(),
            button: "Freeze the account",
        })
    };
    let asked = html_of(page("Freeze the account"), "");
    has(
        &asked,
        &[
            "<p>One.</p> <p>Two.</p>",
            "<form method=\"post\" action=\"/account/freeze\" novalidate>",
            "<label for=\"email\">Email Address</label>",
        ],
    );
    has(tag(&asked, "email"), &["value=\"\"", "autocomplete=\"email\""]);
    assert_eq!(buttons(&asked), [("take-back", "Freeze the account")]);
    assert!(!html_of(page("x"), MARKUP).contains("<script>"));
    let done = html(&TakenBack {
        page: page("The account is frozen"),
        afterwards: &["Nobody can log in."],
        href: "/help",
        text: "Need help?",
    });
    has(
        &done,
        &[
            "<p>Nobody can log in.</p>",
            "<p><a href=\"/help\">Need help?</a></p>",
        ],
    );
}
