//! Every page of the portal and the states it is looked at in, as data. A page of the router or of the gallery that is
//! not here fails the run.

use std::collections::BTreeSet;

use scraper::{ElementRef, Html, Selector};

use crate::gallery;

/// What a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it opens first; nothing is filled in.
    Empty,
    /// Something is wrong with what was sent.
    Errors,
    /// Something stands in a field already.
    Filled,
    /// Something was done, or there is nothing to fill in.
    Told,
    /// What the page was for is over.
    Over,
}
use State::{Empty, Errors, Filled, Over, Told};

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    pub name: &'static str,
    /// CSS pixels.
    pub width: u32,
    pub dark: bool,
    /// Text of twice the size (WCAG 1.4.4).
    pub large_text: bool,
}

/// On a desk.
pub const LIGHT: View = View {
    name: "light",
    width: 1280,
    dark: false,
    large_text: false,
};
/// At night.
pub const DARK: View = View {
    name: "dark",
    dark: true,
    ..LIGHT
};
/// On a small telephone, or enlarged four times (WCAG 1.4.10).
pub const NARROW: View = View {
    name: "320",
    width: 320,
    ..LIGHT
};
/// With text of twice the size.
pub const LARGE_TEXT: View = View {
    name: "large-text",
    large_text: true,
    ..LIGHT
};

type Page = (&'static str, &'static [(&'static str, State)]);

const LINK: [(&str, State); 2] = [("take-back", Empty), ("take-back-errors", Errors)];

/// By the path of the router: the names in the gallery, each with its state.
pub const PAGES: &[Page] = &[
    ("/", &[("home", Empty)]),
    (
        "/home",
        &[("signed-in-home", Told), ("signed-in-home-missing", Told)],
    ),
    ("/areas/send-ehat", &[("area-closed", Told), ("area", Told)]),
    ("/help", &[("help", Told)]),
    ("/language", &[("language", Told)]),
    (
        "/account/login",
        &[
            ("login", Empty),
            ("login-empty", Errors),
            ("login-wrong", Errors),
            ("login-filled", Filled),
        ],
    ),
    ("/account/timed-out", &[("timed-out", Over)]),
    ("/account/verify", &[("verify", Empty), ("verify-error", Errors)]),
    (
        "/account/forgotten-password",
        &[
            ("forgotten-password", Empty),
            ("forgotten-password-errors", Errors),
            ("forgotten-password-filled", Filled),
            ("forgotten-password-sent", Told),
        ],
    ),
    (
        "/account/reset-password",
        &[
            ("reset-answer", Empty),
            ("reset-answer-error", Errors),
            ("reset-password", Empty),
            ("reset-password-errors", Errors),
            ("reset-paused", Over),
            ("reset-link-over", Over),
            ("reset-link-unknown", Empty),
            ("reset-link-errors", Errors),
        ],
    ),
    (
        "/account/cancel-recovery",
        &[("cancel-recovery", Empty), ("cancel-recovery-errors", Errors)],
    ),
    (
        "/account/register/security-details",
        &[
            ("security-details", Empty),
            ("security-details-errors", Errors),
            ("security-details-filled", Filled),
        ],
    ),
    (
        "/account/register/about-you",
        &[
            ("about-you-empty", Empty),
            ("about-you-errors", Errors),
            ("about-you", Filled),
        ],
    ),
    (
        "/account/register/work-details",
        &[
            ("work-details-empty", Empty),
            ("work-details-manual", Errors),
            ("work-details", Filled),
            ("work-details-found", Filled),
            ("already-sent", Over),
        ],
    ),
    ("/account/register/check", &[("check-answers", Told)]),
    (
        "/account/register/sent",
        &[("sent", Told), ("sent-elsewhere", Empty), ("sent-errors", Errors)],
    ),
    (
        "/account/complete-registration",
        &[
            ("complete-registration", Empty),
            ("complete-registration-errors", Errors),
            ("link-expired", Over),
            ("link-over", Over),
            ("link-replaced", Over),
            ("link-unknown", Empty),
            ("link-unknown-errors", Errors),
        ],
    ),
    ("/account/registered", &[("registered", Told)]),
    (
        "/account",
        &[("account", Told), ("account-of-administrator", Told)],
    ),
    (
        "/account/personal-details",
        &[
            ("personal-details", Filled),
            ("personal-details-errors", Errors),
            ("personal-details-two-tabs", Errors),
        ],
    ),
    (
        "/account/work-details",
        &[("roles", Filled), ("role-alone", Told)],
    ),
    (
        "/account/work-details/add",
        &[("role-add", Empty), ("role-add-errors", Errors)],
    ),
    (
        "/account/work-details/change",
        &[("role-change", Filled), ("role-two-tabs", Errors)],
    ),
    ("/account/work-details/remove", &[("role-remove", Told)]),
    (
        "/account/change-email-address",
        &[("change-email", Empty), ("change-email-errors", Errors)],
    ),
    (
        "/account/change-password",
        &[
            ("change-password", Empty),
            ("change-password-errors", Errors),
            ("change-password-done", Empty),
        ],
    ),
    (
        "/account/change-secret-question",
        &[
            ("change-secret-question", Empty),
            ("change-secret-question-errors", Errors),
        ],
    ),
    (
        "/account/confirm-email-address",
        &[
            ("confirm-email", Empty),
            ("confirm-email-errors", Errors),
            ("somebody-else", Over),
        ],
    ),
    ("/account/cancel-email-change", &LINK),
    (
        "/account/freeze",
        &[
            ("take-back", Empty),
            ("take-back-errors", Errors),
            ("taken-back", Told),
        ],
    ),
    ("/account/not-me", &LINK),
    (
        "/account/change-of-circumstances",
        &[
            ("circumstances", Empty),
            ("circumstances-wrong", Errors),
            ("circumstances-sent", Empty),
        ],
    ),
    (
        "/account/two-step-verification",
        &[
            ("two-step", Filled),
            ("two-step-same", Filled),
            ("two-step-errors", Errors),
        ],
    ),
    (
        "/account/sessions",
        &[("sessions", Told), ("sessions-alone", Told)],
    ),
    (
        "/account/activity",
        &[("activity", Told), ("activity-none", Told)],
    ),
    ("/account/your-data", &[("your-data", Told)]),
    (
        "/account/close",
        &[("close-account", Empty), ("close-account-errors", Errors)],
    ),
    (
        "/account/restore",
        &[("restore-account", Empty), ("restore-account-errors", Errors)],
    ),
    (
        "/account/confirm-password",
        &[("confirm-password", Empty), ("confirm-password-errors", Errors)],
    ),
    (
        "/admin",
        &[
            ("admin-accounts", Filled),
            ("admin-accounts-none", Filled),
            ("admin-accounts-wrong", Errors),
        ],
    ),
    (
        "/admin/account",
        &[
            ("admin-account", Told),
            ("admin-account-own", Told),
            ("admin-account-closed", Told),
        ],
    ),
    ("/admin/account/act", &[("admin-act", Told)]),
    ("/admin/registration", &[("admin-registration", Told)]),
    (
        "/admin/outbox",
        &[
            ("admin-outbox", Filled),
            ("admin-outbox-none", Filled),
            ("admin-outbox-wrong", Errors),
        ],
    ),
    ("/dev/mail", &[("inbox", Filled), ("inbox-none", Filled)]),
    (
        "/dev/mail/{id}",
        &[
            ("inbox-text", Told),
            ("inbox-html", Told),
            ("inbox-headers", Told),
            ("inbox-source", Told),
        ],
    ),
    (
        ANYWHERE,
        &[
            ("400", Over),
            ("403", Over),
            ("404", Over),
            ("413", Over),
            ("421", Over),
            ("429", Over),
            ("500", Over),
            ("503", Over),
        ],
    ),
];

/// In place of any page.
const ANYWHERE: &str = "*";

/// What answers a GET with something else than a page of the portal.
const NO_PAGES: &[&str] = &[
    // The way to the first step that is not done.
    "/account/register",
    // The way to the page that password managers look for.
    "/.well-known/change-password",
    "/Account/Login",
    "/Account/Register",
    // How long the session lasts, for the script.
    "/account/session",
    // For programs, and a mail in its frame.
    "/dev/mail.json",
    "/dev/mail/latest",
    "/dev/mail/{id}/html",
];

/// The names in the gallery and their states, each once.
pub fn shown() -> Vec<(&'static str, State)> {
    let mut all: Vec<(&str, State)> = Vec::new();
    for (_, states) in PAGES {
        for (name, state) in *states {
            if !all.iter().any(|(n, _)| n == name) {
                all.push((name, *state));
            }
        }
    }
    all
}

/// The paths that answer a GET, read from where the router is put together.
fn routes(source: &'static str) -> impl Iterator<Item = &'static str> {
    source.split(".route(").skip(1).filter_map(|route| {
        let (path, handlers) = route.split_once('"')?.1.split_once('"')?;
        handlers.contains("get(").then_some(path)
    })
}

#[test]
fn every_page_of_the_router_is_here() {
    let app = include_str!("../../src/app.rs");
    // The inbox, the assets and the probes; routes from elsewhere are to be read here as well.
    assert_eq!(app.matches(".merge(").count(), 3);
    let found: BTreeSet<_> = routes(app)
        .chain(routes(include_str!("../../src/pages/inbox.rs")))
        .collect();
    let listed = PAGES
        .iter()
        .map(|(path, _)| *path)
        .chain(NO_PAGES.iter().copied());
    let listed: BTreeSet<_> = listed.filter(|path| *path != ANYWHERE).collect();
    assert_eq!(found, listed);
    assert!(found.len() > 40);
}

#[test]
fn every_page_of_the_gallery_is_here() {
    let pages = gallery::pages("en-GB").unwrap();
    let found: BTreeSet<_> = pages.iter().map(|page| page.name).collect();
    assert_eq!(found.len(), pages.len(), "a name is used twice");
    assert_eq!(found, shown().into_iter().map(|(name, _)| name).collect());
}

#[test]
fn every_page_with_a_form_is_here_empty_or_filled_and_with_errors() {
    for page in gallery::pages("en-GB").unwrap() {
        let document = Html::parse_document(&page.html);
        for form in document.select(&parsed("main form[method=post]")) {
            // Radios and selects offer what there is; nothing can be wrong with a button.
            if form.select(&parsed(TYPED)).next().is_none() {
                continue;
            }
            let action = form.value().attr("action").unwrap();
            let action = action.split('?').next().unwrap();
            let states = PAGES.iter().find(|(path, _)| *path == action);
            let Some((_, states)) = states else {
                panic!("{} posts to {action}, which is no page", page.name);
            };
            let has = |wanted: &[State]| states.iter().any(|(_, state)| wanted.contains(state));
            assert!(has(&[Empty, Filled]), "{action}, from {}", page.name);
            assert!(has(&[Errors]), "{action} without errors, from {}", page.name);
        }
    }
}

#[test]
fn every_page_shows_the_state_it_is_here_for() {
    let pages = gallery::pages("en-GB").unwrap();
    for (name, state) in shown() {
        let page = pages.iter().find(|page| page.name == name).unwrap();
        let document = Html::parse_document(&page.html);
        let wrong = document.select(&parsed(".summary li")).count() > 0;
        assert_eq!(wrong, state == Errors, "{name}: errors");
        let title: String = document.select(&parsed("title")).flat_map(|t| t.text()).collect();
        assert_eq!(title.starts_with("Error: "), wrong, "{name}: {title}");
        let fields: Vec<_> = document.select(&parsed(FIELDS)).collect();
        let filled = fields.iter().any(|field| is_filled(*field));
        match state {
            Empty => assert!(!fields.is_empty() && !filled, "{name} is not empty"),
            Filled => assert!(filled, "{name} is not filled"),
            Errors | Told | Over => {}
        }
    }
}

const TYPED: &str =
    "input:not([type=hidden]):not([type=radio]):not([type=checkbox]):not([readonly]), textarea";
const FIELDS: &str = "main input:not([type=hidden]):not([readonly]), main select, main textarea";

fn is_filled(field: ElementRef<'_>) -> bool {
    let attribute = |name| field.value().attr(name).is_some_and(|value| !value.is_empty());
    match (field.value().name(), field.value().attr("type")) {
        ("textarea", _) => field.text().any(|text| !text.is_empty()),
        ("select", _) => field.select(&parsed("option[selected]")).next().is_some(),
        (_, Some("radio" | "checkbox")) => field.value().attr("checked").is_some(),
        _ => attribute("value"),
    }
}

fn parsed(selector: &str) -> Selector {
    Selector::parse(selector).unwrap()
}
