//! P25: Change of Circumstances.

use askama::Template;

use super::layout::{MenuItem, Page};
use super::register::Choice;

/// P25 `/account/change-of-circumstances`; `do=save`.
#[derive(Template)]
#[template(path = "circumstances.html")]
pub(crate) struct Circumstances {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    /// Whether there is an administrator to be told.
    pub(crate) administered: bool,
    pub(crate) changes: Vec<Choice>,
    /// The value of one of them, or what was sent in its place.
    pub(crate) change: String,
    pub(crate) day: String,
    pub(crate) month: String,
    pub(crate) year: String,
    /// "3 5 2026": how a date is typed.
    pub(crate) example: String,
    pub(crate) details: String,
    /// The most characters that the details may have.
    pub(crate) most: usize,
    /// The form's name, by which sending it twice is known.
    pub(crate) report: String,
    /// What was told before, the newest first.
    pub(crate) told: Vec<ReportCard>,
    /// Whether there is more than the page shows.
    pub(crate) cut: bool,
}

/// Something that was told before.
#[derive(Clone)]
pub(crate) struct ReportCard {
    /// `CC-7F3K-92QD`.
    pub(crate) reference: String,
    pub(crate) change: String,
    /// "3 May 2026".
    pub(crate) on: String,
    /// "10:40 pm today".
    pub(crate) sent: String,
    /// As it was typed, in lines.
    pub(crate) details: String,
}

/// One of the three fields of the date.
pub(crate) struct DatePart<'a> {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) value: &'a str,
    pub(crate) width: &'static str,
    pub(crate) wrong: bool,
}

impl Circumstances {
    /// Day, month and year.
    pub(crate) fn date_parts(&self) -> [DatePart<'_>; 3] {
        [
            ("date-day", "Day", &self.day, "w4"),
            ("date-month", "Month", &self.month, "w4"),
            ("date-year", "Year", &self.year, "w6"),
        ]
        .map(|(name, label, value, width)| DatePart {
            name,
            label,
            value,
            width,
            wrong: self.wrong_part() == Some(name),
        })
    }

    /// The part of the date that is wrong: the message stands once, above all three.
    pub(crate) fn wrong_part(&self) -> Option<&'static str> {
        ["date-day", "date-month", "date-year"]
            .into_iter()
            .find(|part| self.page.error(part).is_some())
    }
}
