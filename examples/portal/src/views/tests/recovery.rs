//! P13, P14, and the page that takes a reset back.

use portal_auth::password::policy::PasswordPolicy;

use crate::views::recovery::{
    CancelRecovery, ForgottenPassword, Otherwise, ResetAnswer, ResetPassword, ResetPaused,
};
use crate::views::sign_in::{Login, LoginForm};

use super::*;

fn answer(page: Page, otherwise: Otherwise) -> String {
    html(&ResetAnswer {
        page,
        question: Some("The model of your first car?".to_owned()),
        tries_left: 3,
        otherwise,
    })
}

#[test]
fn a_forgotten_password_asks_for_the_address_alone() {
    // P13
    let mut page = page("Forgotten your password?");
    page.help_email = Some("help@portal.example".to_owned());
    let html = html(&ForgottenPassword {
        page,
        email: "jo@school.example".to_owned(),
    });
    has(
        tag(&html, "email"),
        &[
            "type=\"email\"",
            "autocomplete=\"email\"",
            "value=\"jo@school.example\"",
        ],
    );
    assert_eq!(buttons(&html), [("send", "Send reset link")]);
    has(&html, &["mailto:help@portal.example"]);
}

#[test]
fn the_first_step_shows_the_question_and_what_there_is_for_who_cannot_answer() {
    // P14, ANS-6, RST-7
    let delayed = answer(
        page("Reset your password"),
        Otherwise::Delayed {
            delay: "24 hours".to_owned(),
        },
    );
    has(
        &delayed,
        &[
            "Secret Question",
            "The model of your first car?",
            "You have 3 tries.",
            "after 24 hours",
        ],
    );
    assert!(!tag(&delayed, "answer").contains("value="), "R3");
    assert_eq!(
        buttons(&delayed),
        [("continue", "Continue"), ("slowly", "I cannot answer this")]
    );
    let waits = answer(
        page("Reset your password"),
        Otherwise::Waits {
            until: "10:40 pm on 4 May".to_owned(),
        },
    );
    has(&waits, &["At 10:40 pm on 4 May we send you a link"]);
    let mut with_help = page("Reset your password");
    with_help.help_email = Some("help@portal.example".to_owned());
    let administrator = answer(with_help, Otherwise::Administrator);
    has(
        &administrator,
        &["I cannot answer this", "mailto:help@portal.example"],
    );
    for html in [&waits, &administrator, &answer(page("x"), Otherwise::Nothing)] {
        assert_eq!(buttons(html), [("continue", "Continue")]);
    }
    let wrong = failed(
        "Reset your password",
        "answer",
        "Secret Answer is not correct. 2 tries left.",
    );
    let wrong = answer(wrong, Otherwise::Nothing);
    has(
        tag(&wrong, "answer"),
        &[
            "aria-invalid=\"true\"",
            "aria-describedby=\"answer-error answer-hint\"",
        ],
    );
}

#[test]
fn the_second_step_helps_password_managers_and_lists_every_rule() {
    // P14, R7
    let policy = PasswordPolicy::portal();
    let html = html(&ResetPassword {
        page: page("Choose a new password"),
        email: "jo@school.example".to_owned(),
        rules: policy.lines(),
        password_rules: policy.password_rules(),
    });
    for field in ["new-password", "new-password2"] {
        has(
            tag(&html, field),
            &[
                "type=\"password\"",
                "autocomplete=\"new-password\"",
                "spellcheck=\"false\"",
            ],
        );
        assert!(!tag(&html, field).contains("value="));
    }
    has(tag(&html, "new-password"), &["passwordrules=\"minlength: 16;"]);
    has(
        &html,
        &[
            "Please enter password",
            "Minimum 2 numbers",
            "autocomplete=\"username\"",
        ],
    );
    assert_eq!(buttons(&html), [("save", "Save")]);
}

#[test]
fn a_pause_says_until_when_or_whom_to_ask() {
    // ANS-5
    let paused = |until: Option<&str>| {
        let mut page = page("Resetting your password is paused");
        page.help_email = Some("help@portal.example".to_owned());
        html(&ResetPaused {
            page,
            until: until.map(str::to_owned),
        })
    };
    has(
        &paused(Some("10:40 pm on 4 May")),
        &["after 10:40 pm on 4 May.", "href=\"/account/login\""],
    );
    has(
        &paused(None),
        &[
            "Only an administrator can help now.",
            "mailto:help@portal.example",
        ],
    );
}

#[test]
fn cancelling_asks_for_the_address() {
    // MAIL-6
    let html = html(&CancelRecovery {
        page: page("Cancel the reset of your password"),
        masked_email: "j•••@school.example".to_owned(),
        due: "10:40 pm on 4 May".to_owned(),
        email: String::new(),
    });
    has(&html, &["10:40 pm on 4 May", "j•••@school.example"]);
    assert_eq!(buttons(&html), [("cancel", "Cancel the reset")]);
    assert!(!html.contains("jo@school.example"));
}

#[test]
fn every_page_of_a_live_session_shows_a_reset_that_waits() {
    // RST-7
    let mut page = signed_in("Home");
    page.recovery_due = Some("10:40 pm on 4 May".to_owned());
    let html = html(&Login {
        page,
        login: LoginForm::default(),
    });
    has(
        &html,
        &[
            "role=\"alert\"",
            "It takes effect at 10:40 pm on 4 May.",
            "<form method=\"post\" action=\"/account/cancel-recovery\" novalidate>",
            "value=\"stop\">Cancel the reset</button>",
        ],
    );
}

#[test]
fn markup_in_what_was_typed_is_shown_as_text() {
    let question = MARKUP.to_owned();
    let html = html(&ResetAnswer {
        page: page("x"),
        question: Some(question),
        tries_left: 1,
        otherwise: Otherwise::Nothing,
    });
    assert!(!html.contains("<script>"), "{html}");
}
