//! P25: Change of Circumstances.

use crate::views::{
    circumstances::{Circumstances, ReportCard},
    menu::menu,
    register::Choice,
};

use super::*;

fn view(page: Page) -> Circumstances {
    let choice = |value: &str, text: &str| Choice {
        value: value.to_owned(),
        text: text.to_owned(),
    };
    Circumstances {
        page,
        menu: menu("/account/change-of-circumstances"),
        administered: true,
        changes: vec![
            choice("new-role", "New role"),
            choice("left", "Left the organisation"),
        ],
        change: "left".to_owned(),
        day: "30".to_owned(),
        month: "2".to_owned(),
        year: "2026".to_owned(),
        example: "3 5 2026".to_owned(),
        details: MARKUP.to_owned(),
        most: 1000,
        report: "the-form".to_owned(),
        told: Vec::new(),
        cut: false,
    }
}

#[test]
fn the_form_asks_what_when_and_the_rest() {
    // P25, R5
    let html = html(&view(signed_in("Change of Circumstances")));
    has(
        &html,
        &[
            "<h1>Change of Circumstances</h1>",
            "aria-current=\"page\">Change of Circumstances</a>",
            "<input type=\"hidden\" name=\"report\" value=\"the-form\">",
            "<input type=\"radio\" name=\"change\" value=\"left\" checked>",
            "For example, 3 5 2026</p>",
            "<label for=\"date-day\">Day</label>",
            "<label for=\"date-month\">Month</label>",
            "<label for=\"date-year\">Year</label>",
            "data-most=\"1000\"",
        ],
    );
    has(tag(&html, "date-day"), &["inputmode=\"numeric\"", "value=\"30\""]);
    assert_eq!(buttons(&html), [("save", "Save")]);
    assert!(
        !html.contains("<script>alert") && html.contains("alert("),
        "{html}"
    );
    assert!(!html.contains("What you have told us before"));
    assert!(!html.contains("maxlength"), "what is too long is told, not cut");
}

#[test]
fn a_wrong_date_is_said_once_and_its_part_is_marked() {
    // R3
    let mut page = signed_in("Change of Circumstances");
    page.errors = vec![FieldMessage::new("date-month", "The date must have a month")];
    let html = html(&view(page));
    has(
        &html,
        &[
            "<a href=\"#date-month\">The date must have a month</a>",
            "aria-describedby=\"date-month-error date-hint\"",
        ],
    );
    assert_eq!(html.matches("id=\"date-month-error\"").count(), 1);
    has(
        tag(&html, "date-month"),
        &["aria-invalid=\"true\"", "aria-describedby=\"date-month-error\""],
    );
    for right in ["date-day", "date-year"] {
        assert!(!tag(&html, right).contains("aria-"), "{right}");
    }
}

#[test]
fn what_was_told_before_is_shown_as_text() {
    let mut shown = view(signed_in("Change of Circumstances"));
    let text = || MARKUP.to_owned();
    shown.told = vec![ReportCard {
        reference: "CC-7F3K-92QD".to_owned(),
        change: text(),
        on: "3 May 2026".to_owned(),
        sent: "10:40 am today".to_owned(),
        details: text(),
    }];
    shown.cut = true;
    let html = html(&shown);
    has(
        &html,
        &[
            "What you have told us before",
            "<dt>Reference number</dt><dd class=\"reference\">CC-7F3K-92QD</dd>",
            "<dt>Date of the change</dt><dd>3 May 2026</dd>",
            "download of your data",
        ],
    );
    assert!(
        !html.contains("<script>alert") && !html.contains("<img src=x"),
        "{html}"
    );
}
