//! P26, P27: sessions, activity, the download, closing and restoring.

use serde_json::{Map, Value, json};

use crate::views::{
    data_file::data_file,
    menu::menu,
    own_account::{Activity, ActivityLine, CloseAccount, RestoreAccount, SessionCard, Sessions, YourData},
};

use super::*;

fn card(handle: &str, browser: &str, this_one: bool) -> SessionCard {
    SessionCard {
        handle: handle.to_owned(),
        browser: browser.to_owned(),
        network: "192.0.2.x".to_owned(),
        logged_in: "9:00 am today".to_owned(),
        last_used: "10:40 am today".to_owned(),
        this_one,
    }
}

#[test]
fn every_other_session_can_be_logged_out_and_this_one_is_marked() {
    // P26, SES-7
    let html = html(&Sessions {
        page: signed_in("Where you are logged in"),
        menu: menu("/account/sessions"),
        sessions: vec![card("aa", "Firefox on Windows", true), card("bb", MARKUP, false)],
    });
    has(
        &html,
        &[
            "<h1>Where you are logged in</h1>",
            "Firefox on Windows <span class=\"optional\">(this one)</span>",
            "<dt>Network</dt><dd>192.0.2.x</dd>",
            "<dt>Last used</dt><dd>10:40 am today</dd>",
            "<input type=\"hidden\" name=\"session\" value=\"bb\">",
            "aria-current=\"page\">Where you are logged in</a>",
        ],
    );
    assert!(!html.contains("value=\"aa\""), "the header logs this one out");
    assert!(!html.contains("<script>alert"));
    let words: Vec<_> = html.matches(">Log out</button>").collect();
    assert_eq!(words.len(), 1);
    has(&html, &[">Log out everywhere else</button>"]);
    // Each button says of itself which session it ends.
    has(
        &html,
        &["aria-describedby=\"session-2 about-2\">Log out</button>"],
    );
}

#[test]
fn activity_is_told_in_sentences() {
    // P26
    let line = |what: &str, browser: &str| ActivityLine {
        when: "10:40 am today".to_owned(),
        what: what.to_owned(),
        browser: browser.to_owned(),
    };
    let full = html(&Activity {
        page: signed_in("Account activity"),
        menu: menu("/account/activity"),
        entries: vec![
            line("You logged in.", "Firefox on Windows"),
            line("You closed it.", ""),
        ],
        cut: true,
    });
    has(
        &full,
        &[
            "<dt>10:40 am today</dt><dd>You logged in. <span class=\"optional\">Firefox on Windows</span></dd>",
            "<dd>You closed it.</dd>",
            "Older entries are not shown here.",
        ],
    );
    let empty = html(&Activity {
        page: signed_in("Account activity"),
        menu: menu("/account/activity"),
        entries: Vec::new(),
        cut: false,
    });
    has(&empty, &["Nothing has happened."]);
}

#[test]
fn data_is_downloaded_in_two_forms_and_closing_is_one_link_away() {
    // P27
    let html = html(&YourData {
        page: signed_in("Download or close account"),
        menu: menu("/account/your-data"),
        grace: "14 days".to_owned(),
    });
    assert_eq!(
        buttons(&html),
        [("json", "Download as JSON"), ("html", "Download as HTML")]
    );
    has(
        &html,
        &[
            "We keep everything for 14 days",
            "<a href=\"/account/close\">Close your account</a>",
            "aria-current=\"page\">Download or close account</a>",
        ],
    );
}

#[test]
fn closing_says_what_happens_and_asks_for_the_password() {
    // P27, CHG-5
    let confirm = "/account/confirm-password?next=%2Faccount%2Fclose";
    let html = html(&CloseAccount {
        page: Page {
            errors: vec![FieldMessage::new("password", "Password is not correct.")],
            ..signed_in("Close your account")
        },
        menu: menu("/account/close"),
        email: "jo@school.example".to_owned(),
        grace: "14 days".to_owned(),
        erased_from: "10:40 am on 17 May".to_owned(),
        confirm: Some(confirm.to_owned()),
    });
    has(
        &html,
        &[
            &format!("<a href=\"{confirm}\">Confirm it is you</a>"),
            "For 14 days it brings everything back",
            "After 10:40 am on 17 May we remove your account",
            "<title>Error: Close your account - Professional Portal</title>",
            "aria-current=\"page\">Download or close account</a>",
            "autocomplete=\"username\"",
        ],
    );
    has(
        tag(&html, "password"),
        &["autocomplete=\"current-password\"", "aria-invalid=\"true\""],
    );
    assert!(!tag(&html, "password").contains("value="));
    assert_eq!(buttons(&html), [("close", "Close my account")]);
}

#[test]
fn restoring_shows_the_masked_address_and_until_when() {
    // P27
    let html = html(&RestoreAccount {
        page: page("Restore your account"),
        masked_email: "j•••@school.example".to_owned(),
        erased_from: "10:40 am on 17 May".to_owned(),
    });
    has(&html, &["j•••@school.example", "Until 10:40 am on 17 May"]);
    assert_eq!(buttons(&html), [("restore", "Restore my account")]);
}

#[test]
fn the_file_is_readable_and_runs_nothing() {
    // P27
    let Value::Object(parts) = json!({
        "account": { "email_address": "jo@school.example", "details": { "about_you": { "forename": MARKUP } } },
        "sessions": [{ "logged_in_at": "2026-05-03T21:40:00Z", "network": "" }],
        "links": [],
        MARKUP: true,
    }) else {
        panic!("an object");
    };
    let file = data_file("Your data - Professional Portal", &parts);
    has(
        &file,
        &[
            "<title>Your data - Professional Portal</title>",
            "<h1>Your data - Professional Portal</h1>",
            "<h2>Account</h2>",
            "<dt>Email address</dt><dd>jo@school.example</dd>",
            "<dt>Logged in at</dt><dd>2026-05-03T21:40:00Z</dd>",
            "<h2>Links</h2><p>Nothing.</p>",
            "default-src 'none'",
        ],
    );
    for danger in ["<script", "<img", "href=", "http:"] {
        assert!(!file.contains(danger), "{danger} in:\n{file}");
    }
    assert_eq!(data_file(MARKUP, &Map::new()).matches("<img").count(), 0);
}
