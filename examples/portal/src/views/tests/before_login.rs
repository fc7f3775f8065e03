//! P1 to P3, P13, P28, P31: login and what stands around it.

use crate::views::{
    help::Help,
    home::Home,
    sign_in::{CodeSent, ConfirmPassword, Login, LoginForm, TimedOut, VerifyCode},
};

use super::*;

fn sent() -> CodeSent {
    let [masked_email, sent_at, works_until] =
        ["j•••@school.example", "10:42 am", "10:52 am"].map(str::to_owned);
    CodeSent {
        masked_email,
        sent_at,
        works_until,
    }
}

#[test]
fn login_asks_for_address_and_password_and_says_what_the_button_does() {
    // P2, R6
    let login = LoginForm {
        email: "jo@school.example".to_owned(),
        next: Some("/areas/send-ehat".to_owned()),
    };
    let html = html(&Login {
        page: page("Login"),
        login,
    });
    has(
        &html,
        &[
            "<form method=\"post\" action=\"/account/login\" novalidate>",
            "<label for=\"email\">Email Address</label>",
            "<label for=\"password\">Password</label>",
            "<input type=\"hidden\" name=\"next\" value=\"/areas/send-ehat\">",
            "Don't have an account? Please <a href=\"/account/register\">register</a>",
            "<a href=\"/account/forgotten-password\">Forgotten your password?</a>",
        ],
    );
    has(
        tag(&html, "email"),
        &[
            "name=\"email\" type=\"email\" value=\"jo@school.example\" autocomplete=\"username\"",
            "spellcheck=\"false\" autocapitalize=\"none\" size=\"34\"",
        ],
    );
    let password = tag(&html, "password");
    has(
        password,
        &["name=\"password\" type=\"password\" autocomplete=\"current-password\""],
    );
    assert!(!password.contains("value="));
    assert_eq!(buttons(&html), [("login", "Login")]);
}

#[test]
fn the_show_password_button_appears_with_the_script_only() {
    // R1, R7
    let html = html(&Login {
        page: page("Login"),
        login: LoginForm::default(),
    });
    has(
        &html,
        &[
            "<button type=\"button\" class=\"quiet\" aria-pressed=\"false\" aria-controls=\"password\" data-reveal hidden>\
           Show password</button>",
        ],
    );
}

#[test]
fn the_front_page_welcomes_and_holds_the_login_form() {
    // P1
    let (login, content_html) = (LoginForm::default(), String::new());
    let html = html(&Home {
        page: page("Home"),
        login,
        content_html,
    });
    has(
        &html,
        &[
            "<h1>Welcome to the Professional Portal</h1>",
            "<form method=\"post\" action=\"/account/login\"",
        ],
    );
}

#[test]
fn the_front_page_text_states_times_by_placeholder_only() {
    let shown = include_str!("../../../content/home.md");
    has(
        shown,
        &[
            "{{link_lifetime}}",
            "{{idle_timeout}}",
            "{{code_lifetime}}",
            "## Two Factor Authentication Codes and Security Question",
            "## User Guides",
            "[EHAT Portal guidance]",
            "[SEND Portal guidance]",
            "Bookmarks/Favourites",
        ],
    );
    assert!(!shown.contains("hours"), "a lifetime is spelled out");
}

#[test]
fn a_code_is_asked_for_in_one_field_that_takes_spaces() {
    // P3, R8
    let html = html(&VerifyCode {
        page: page("Verification Code sent"),
        sent: sent(),
        next: None,
    });
    has(
        &html,
        &[
            "<h1>Verification Code sent</h1>",
            "Your Verification Code has been sent. Please enter your Verification Code to continue.",
            "We sent it to <strong>j•••@school.example</strong> at 10:42 am. It works until 10:52 am.",
            "Verification Code <span class=\"star\" aria-hidden=\"true\">*</span><span class=\"vh\"> required</span>",
            "<span class=\"star\" aria-hidden=\"true\">*</span> Required field",
            "<a href=\"/account/login?email=\">Use a different account</a>",
            "<summary>I cannot get the code</summary>",
        ],
    );
    has(
        tag(&html, "code"),
        &[
            "type=\"text\" inputmode=\"numeric\" pattern=\"[0-9 \\-]*\" autocomplete=\"one-time-code\"",
            "size=\"8\"",
        ],
    );
    assert_eq!(
        buttons(&html),
        [("verify", "Verify"), ("resend", "Send the code again")]
    );
}

#[test]
fn a_timed_out_page_says_why_and_what_was_saved() {
    // P28
    let timed_out = |saved| {
        let (page, idle_limit) = (page("Timed out"), "30 minutes".to_owned());
        html(&TimedOut {
            page,
            login: LoginForm::default(),
            idle_limit,
            longest: None,
            saved,
        })
    };
    has(
        &timed_out(true),
        &[
            "We logged you out after 30 minutes without activity.",
            "What you had typed is saved for 24 hours.",
        ],
    );
    assert!(!timed_out(false).contains("saved for 24 hours"));
}

#[test]
fn help_says_whom_to_write_to() {
    // P31
    let mut page = page("Help");
    page.help_email = Some("help@portal.example".to_owned());
    let link = "<a href=\"mailto:help@portal.example\">help@portal.example</a>";
    let [sender, link_lifetime, code_lifetime, idle_limit] =
        ["no-reply@p.example", "12 hours", "10 minutes", "30 minutes"].map(str::to_owned);
    let help = html(&Help {
        page,
        sender,
        link_lifetime,
        code_lifetime,
        idle_limit,
    });
    has(
        &help,
        &[link, "no-reply@p.example", "12 hours", "10 minutes", "30 minutes"],
    );
}

#[test]
fn confirming_asks_for_the_password_and_then_for_the_code_alone() {
    // P32, STP-3
    let confirm = |code| {
        let (page, email) = (signed_in("Confirm it is you"), "jo@school.example".to_owned());
        html(&ConfirmPassword {
            page,
            email,
            code,
            next: Some("/account/two-step-verification".to_owned()),
        })
    };
    let password = confirm(None);
    assert_eq!(buttons(&password), [("confirm", "Continue")]);
    has(
        &password,
        &[
            "so we ask for your password again",
            "autocomplete=\"current-password\"",
            "autocomplete=\"username\"",
        ],
    );
    assert!(!password.contains("name=\"code\""));
    let code = confirm(Some(sent()));
    assert_eq!(
        buttons(&code),
        [("confirm", "Continue"), ("resend", "Send the code again")]
    );
    has(
        &code,
        &[
            "Please enter your Verification Code to continue.",
            "name=\"code\"",
        ],
    );
    assert!(!code.contains("name=\"password\"") && !code.contains("for your password"));
}
