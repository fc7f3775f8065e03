//! What holds for each page (portal.md section 2).

use crate::views::{
    errors::{ErrorPage, Problem, TryAgain},
    help::Help,
    home::Home,
    layout::{Notice, NoticeKind},
    recovery::ForgottenPassword,
    sign_in::{Login, LoginForm},
};

use super::*;

fn login(page: Page) -> String {
    html(&Login {
        page,
        login: LoginForm::default(),
    })
}

#[test]
fn a_page_has_a_language_a_skip_link_landmarks_one_h1_and_help_in_its_footer() {
    // R14
    let html = login(page("Login"));
    has(
        &html,
        &[
            "<html lang=\"en-GB\">",
            "<a class=\"skip\" href=\"#main\">Skip to main content</a>",
            "<header class=\"top\">",
            "<nav aria-label=\"Main\">",
            "<main id=\"main\" tabindex=\"-1\"",
            "<footer class=\"foot\">",
            "<a href=\"/help\">Need help?</a>",
            "<title>Login - Professional Portal</title>",
        ],
    );
    assert_eq!(html.matches("<h1").count(), 1);
}

#[test]
fn nothing_runs_inline_and_nothing_comes_from_elsewhere() {
    // R1
    let html = login(page("Login"));
    for inline in [
        "style=",
        "<style",
        "onclick",
        "javascript:",
        "http://",
        "https://",
        "//cdn",
    ] {
        assert!(!html.contains(inline), "{inline} in:\n{html}");
    }
    has(
        &html,
        &[
            "href=\"/assets/portal.css?v=7\"",
            "<script src=\"/assets/portal.js?v=7\" defer></script>",
        ],
    );
}

#[test]
fn the_first_load_stays_under_sixty_kilobytes() {
    // R1
    let assets = [
        include_str!("../../../assets/portal.css").len(),
        include_str!("../../../assets/portal.js").len(),
        include_str!("../../../assets/signed-in.js").len(),
        include_str!("../../../assets/favicon.svg").len(),
    ];
    assert!(assets[0] < 20_000 && assets[1] < 10_000, "{assets:?}");
    assert!(assets.iter().sum::<usize>() + login(page("Login")).len() < 60_000);
}

#[test]
fn strangers_see_home_login_and_register() {
    has(
        &login(Page {
            here: Place::Login,
            ..page("Login")
        }),
        &[
            "<a href=\"/\">Home</a>",
            "<a href=\"/account/login\" aria-current=\"page\">Login</a>",
            "<a href=\"/account/register\">Register</a>",
        ],
    );
}

#[test]
fn signed_in_people_see_their_account_the_limit_and_a_logout_that_is_a_post() {
    // R10, section 4
    has(
        &login(signed_in("Home")),
        &[
            "<a href=\"/home\">Home</a>",
            "<a href=\"/account\" aria-current=\"page\">My Account <span class=\"who\">(Jo Bloggs)</span></a>",
            "<form method=\"post\" action=\"/account/logout\" novalidate><input type=\"hidden\" name=\"form_token\" \
             value=\"the-token\"><button class=\"as-link\" name=\"do\" value=\"logout\">Logout</button></form>",
            "You will be logged out after 30 minutes without activity.",
        ],
    );
}

#[test]
fn an_error_is_said_in_title_and_summary_and_beside_its_field() {
    // R3
    let html = login(failed("Login", "email", "Email Address is required"));
    has(
        &html,
        &[
            "<title>Error: Login - Professional Portal</title>",
            "<div class=\"summary\" role=\"alert\" tabindex=\"-1\" autofocus",
            "<h2 id=\"summary-title\">There is a problem</h2>",
            "<li><a href=\"#email\">Email Address is required</a></li>",
            "<p class=\"error\" id=\"email-error\"><span class=\"vh\">Error: </span>Email Address is required</p>",
        ],
    );
    assert!(html.find("There is a problem") < html.find("<h1"));
    has(
        tag(&html, "email"),
        &["aria-invalid=\"true\"", "aria-describedby=\"email-error\""],
    );
    assert!(!tag(&html, "password").contains("aria-invalid"));
}

#[test]
fn an_error_that_blames_no_field_marks_none() {
    // P2
    let html = login(failed("Login", "", "Email Address or Password is not correct."));
    has(&html, &["<li>Email Address or Password is not correct.</li>"]);
    assert!(!html.contains("aria-invalid"));
}

#[test]
fn a_message_comes_before_the_hint_in_what_describes_a_field() {
    // R3
    let page = failed("x", "code", "m");
    assert_eq!(
        page.described_by("code", "some hint", "rules"),
        "code-error code-hint rules"
    );
    assert_eq!(page.described_by("other", "", ""), "");
}

#[test]
fn every_form_carries_the_token_and_leaves_judging_to_the_server() {
    // R2, WEB-2
    let html = login(page("Login"));
    assert_eq!(
        html.matches("<form method=\"post\"").count(),
        html.matches(" novalidate>").count()
    );
    has(
        &html,
        &["<input type=\"hidden\" name=\"form_token\" value=\"the-token\">"],
    );
    assert!(!html.contains(" required>") && !html.contains("required=") && !html.contains("maxlength"));
}

#[test]
fn a_stale_form_is_announced_and_a_finished_act_is_only_stated() {
    // R13
    let stale = login(Page {
        notice: Some(Notice::stale_form()),
        ..page("Login")
    });
    has(
        &stale,
        &["role=\"alert\">This page was open for a long time. Check your answers and try again.</p>"],
    );
    let done = Notice {
        text: "You have logged out.".to_owned(),
        kind: NoticeKind::Done,
        link: None,
    };
    let done = login(Page {
        notice: Some(done),
        ..page("Login")
    });
    has(
        &done,
        &["<p class=\"notice\" role=\"status\">You have logged out.</p>"],
    );
}

#[test]
fn markup_in_values_is_shown_as_text() {
    let mut page = signed_in(MARKUP);
    page.service_name = MARKUP.to_owned();
    page.help_email = Some(MARKUP.to_owned());
    page.form_token = MARKUP.to_owned();
    page.notice = Some(Notice::attention(MARKUP));
    page.errors = vec![FieldMessage::new("email", MARKUP), FieldMessage::general(MARKUP)];
    page.signed_in = page.signed_in.map(|person| SignedInHeader {
        name: MARKUP.to_owned(),
        ..person
    });
    let text = || MARKUP.to_owned();
    let (login, content_html) = (
        LoginForm {
            email: text(),
            next: Some(text()),
        },
        String::new(),
    );
    let again = Some(TryAgain {
        action: text(),
        fields: vec![(text(), text())],
    });
    for rendered in [
        html(&Home {
            page: page.clone(),
            login,
            content_html,
        }),
        html(&ForgottenPassword {
            page: page.clone(),
            email: text(),
        }),
        html(&Help {
            page: page.clone(),
            sender: text(),
            link_lifetime: text(),
            code_lifetime: text(),
            idle_limit: text(),
        }),
        html(&ErrorPage {
            page: page.clone(),
            problem: Problem::Unavailable {
                until: Some(text()),
                again,
            },
        }),
        html(&ErrorPage {
            page,
            problem: Problem::OtherAddress { base_url: text() },
        }),
    ] {
        assert!(
            !rendered.contains("<script>") && !rendered.contains("<img src=x"),
            "{rendered}"
        );
        assert!(rendered.contains("alert("), "{rendered}");
    }
}

#[test]
fn the_operators_home_file_is_the_only_html_that_is_taken_as_it_is() {
    let content_html = "<p>Ours</p>".to_owned();
    has(
        &html(&Home {
            page: page("Home"),
            login: LoginForm::default(),
            content_html,
        }),
        &["<p>Ours</p>"],
    );
    let templates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let unescaped: Vec<_> = std::fs::read_dir(templates)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("|safe"))
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(unescaped, ["home.html"]);
}

#[test]
fn each_problem_names_a_next_step_in_plain_words() {
    // P24
    let error = |problem: Problem| {
        let mut page = page(problem.title());
        page.help_email = Some("help@portal.example".to_owned());
        html(&ErrorPage { page, problem })
    };
    has(
        &error(Problem::NotFound),
        &["<h1>Page not found</h1>", "<a class=\"button main\" href=\"/\">"],
    );
    has(
        &error(Problem::OtherSite),
        &[
            "nothing was done",
            "ask <a href=\"mailto:help@portal.example\">help@portal.example</a>.",
        ],
    );
    has(
        &error(Problem::Unreadable),
        &[
            "<h1>We could not read that</h1>",
            "<a class=\"button main\" href=\"/\">",
        ],
    );
    has(
        &error(Problem::TooLarge {
            limit: "1 MB".to_owned(),
        }),
        &["up to 1 MB"],
    );
    has(
        &error(Problem::OtherAddress {
            base_url: "https://p.example".to_owned(),
        }),
        &["href=\"https://p.example\""],
    );
    let tries = error(Problem::TooManyTries { minutes: 15 });
    has(
        &tries,
        &[
            "<h1>Too many tries</h1>",
            "Too many tries. Wait 15 minutes or",
            "href=\"/account/forgotten-password\"",
        ],
    );
    has(
        &error(Problem::TooManyTries { minutes: 1 }),
        &["Wait 1 minute or"],
    );
    let fields = vec![("forename".to_owned(), "Jo".to_owned())];
    let again = Some(TryAgain {
        action: "/account/register/about-you".to_owned(),
        fields,
    });
    let typed = "What you typed is on this page";
    let broken = |again| {
        error(Problem::Broken {
            reference: "7KQ2".to_owned(),
            again,
        })
    };
    has(
        &broken(again.clone()),
        &[
            "<h1>There is a problem with the service</h1>",
            "7KQ2",
            typed,
            "<form method=\"post\" action=\"/account/register/about-you\" novalidate>",
            "<input type=\"hidden\" name=\"forename\" value=\"Jo\">",
        ],
    );
    let lost = broken(None);
    has(&lost, &["7KQ2", "Go to Home"]);
    assert!(!lost.contains(typed), "nothing is promised that was not kept");
    let unavailable = error(Problem::Unavailable {
        until: Some("10:40 pm today".to_owned()),
        again,
    });
    has(
        &unavailable,
        &[
            "<h1>The service is unavailable</h1>",
            "10:40 pm today",
            "<form method=\"post\" action=\"/account/register/about-you\" novalidate>",
            "<input type=\"hidden\" name=\"forename\" value=\"Jo\">",
            "Try again</button>",
        ],
    );
}
