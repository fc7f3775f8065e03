//! The form of P25: what was typed, and what it means.

use jiff::ToSpan as _;
use jiff::civil::Date;
use portal_auth::account::plain_text::has_hidden_character;
use portal_auth_axum::form::Form;

use super::{Change, day_in_words};
use crate::views::layout::FieldMessage;

/// The names of the form's fields; `report` names the form, so that sending it twice is one report.
pub(crate) const FIELDS: [&str; 6] = [
    "change",
    "date-day",
    "date-month",
    "date-year",
    "details",
    "report",
];
/// The longest details, in characters.
pub(crate) const MOST: usize = 1000;
/// The longest name of a form; ours are shorter.
const NAME_BYTES: usize = 64;
/// How many years ago a change may have been.
const YEARS_BACK: i16 = 5;
/// How many years ahead it may be.
const YEARS_AHEAD: i16 = 1;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The form as it was sent.
#[derive(Default)]
pub(crate) struct Typed {
    pub(crate) change: String,
    pub(crate) day: String,
    pub(crate) month: String,
    pub(crate) year: String,
    pub(crate) details: String,
    /// The form's name.
    pub(crate) report: String,
}

/// What it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) change: Change,
    pub(crate) on: Date,
    pub(crate) details: String,
}

impl Typed {
    pub(crate) fn read(form: &mut Form) -> Self {
        Self {
            change: form.take("change"),
            day: form.take("date-day"),
            month: form.take("date-month"),
            year: form.take("date-year"),
            details: form.take("details"),
            report: form.take("report"),
        }
    }

    /// What was told, or every problem in the order of the page.
    pub(crate) fn check(&self, today: Date) -> Result<Told, Vec<FieldMessage>> {
        let change = Change::from_word(&self.change)
            .ok_or_else(|| FieldMessage::new("change", "Choose what has changed"));
        let on = self.date(today);
        let details = self.details(change.as_ref().ok().copied());
        match (change, on, details) {
            (Ok(change), Ok(on), Ok(details)) => Ok(Told { change, on, details }),
            (change, on, details) => Err([change.err(), on.err(), details.err()]
                .into_iter()
                .flatten()
                .collect()),
        }
    }

    /// The form's name, cut where nobody's page has made it.
    pub(crate) fn name(&self) -> &str {
        self.report.get(..NAME_BYTES).unwrap_or(&self.report)
    }

    fn date(&self, today: Date) -> Result<Date, FieldMessage> {
        let typed = [
            ("day", "date-day", self.day.trim()),
            ("month", "date-month", self.month.trim()),
            ("year", "date-year", self.year.trim()),
        ];
        let missing: Vec<_> = typed.iter().filter(|(_, _, text)| text.is_empty()).collect();
        if let Some((_, field, _)) = missing.first() {
            let what: Vec<_> = missing.iter().map(|(part, ..)| *part).collect();
            return Err(FieldMessage::new(
                field,
                &match what.as_slice() {
                    [_, _, _] => "Enter the date of the change".to_owned(),
                    parts => format!("The date must have a {}", parts.join(" and a ")),
                },
            ));
        }
        if self.year.trim().len() != 4 {
            return Err(FieldMessage::new("date-year", "The year must have 4 numbers"));
        }
        let read = || Date::new(number(&self.year)?, month(&self.month)?, number(&self.day)?).ok();
        let on = read().ok_or_else(|| {
            let wrong = if number::<i8>(&self.day).is_none() {
                "date-day"
            } else if month(&self.month).is_none() {
                "date-month"
            } else if number::<i16>(&self.year).is_none() {
                "date-year"
            } else {
                "date-day"
            };
            FieldMessage::new(wrong, &format!("Enter a real date, like {}", day_in_words(today)))
        })?;
        // Only the ends of the calendar are no limit.
        let first = today.checked_sub(YEARS_BACK.years()).unwrap_or(Date::MIN);
        let last = today.checked_add(YEARS_AHEAD.years()).unwrap_or(Date::MAX);
        if on < first {
            let text = format!("The date must be {} or later", day_in_words(first));
            Err(FieldMessage::new("date-year", &text))
        } else if on > last {
            let text = format!("The date must be {} or earlier", day_in_words(last));
            Err(FieldMessage::new("date-year", &text))
        } else {
            Ok(on)
        }
    }

    fn details(&self, change: Option<Change>) -> Result<String, FieldMessage> {
        let wrong = |text: &str| Err(FieldMessage::new("details", text));
        let details = in_lines(&self.details);
        let length = details.chars().count();
        if details.is_empty() && change == Some(Change::Other) {
            wrong("Tell us what has changed")
        } else if details.split('\n').any(has_hidden_character) {
            wrong("Details must not include hidden characters")
        } else if length > MOST {
            let over = length.saturating_sub(MOST);
            wrong(&format!(
                "Details must be 1,000 characters or fewer: {over} too many"
            ))
        } else {
            Ok(details)
        }
    }
}

/// A number of ASCII digits alone.
fn number<N: std::str::FromStr>(typed: &str) -> Option<N> {
    let typed = typed.trim();
    let digits = typed.bytes().all(|b| b.is_ascii_digit());
    typed.parse().ok().filter(|_| digits)
}

/// A month as a number, or by its English name or the first three letters of it.
fn month(typed: &str) -> Option<i8> {
    let typed = typed.trim().to_lowercase();
    let named = || {
        (1_i8..)
            .zip(MONTHS)
            .find(|(_, name)| *name == typed || name.get(..3) == Some(&*typed))
    };
    number(&typed).or_else(|| named().map(|(number, _)| number))
}

/// With `\n` at the ends of lines, no blanks around it, and a blank for each tab, as pasted tables have them.
fn in_lines(typed: &str) -> String {
    let lines = typed.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    lines.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = Date::constant(2026, 5, 3);

    fn typed(change: &str, day: &str, month: &str, year: &str, details: &str) -> Typed {
        let [change, day, month, year, details] = [change, day, month, year, details].map(str::to_owned);
        Typed {
            change,
            day,
            month,
            year,
            details,
            report: "form".to_owned(),
        }
    }

    fn problems(typed: &Typed) -> Vec<(String, String)> {
        let problems = typed.check(TODAY).err().unwrap_or_default();
        problems.into_iter().map(|e| (e.field, e.message)).collect()
    }

    fn date_problem(day: &str, month: &str, year: &str) -> Option<(String, String)> {
        problems(&typed("left", day, month, year, "")).pop()
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_in_the_order_of_the_page() {
        let told = problems(&typed("", "", "", "", "\u{202e}"));
        let fields: Vec<_> = told.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["change", "date-day", "details"]);
        assert_eq!(
            problems(&typed("sold", "3", "5", "2026", ""))[0].1,
            "Choose what has changed"
        );
    }

    #[test]
    fn a_date_is_a_day_of_the_calendar() {
        for (day, month, year) in [
            ("3", "5", "2026"),
            (" 03 ", "05", " 2026 "),
            ("3", "May", "2026"),
            ("29", "feb", "2024"),
            ("31", "DECEMBER", "2025"),
        ] {
            assert_eq!(date_problem(day, month, year), None, "{day} {month} {year}");
        }
        for (day, month, year, field, message) in [
            ("", "", "", "date-day", "Enter the date of the change"),
            ("", "5", "2026", "date-day", "The date must have a day"),
            (
                "3",
                " ",
                "",
                "date-month",
                "The date must have a month and a year",
            ),
            ("3", "5", "26", "date-year", "The year must have 4 numbers"),
            (
                "30",
                "2",
                "2026",
                "date-day",
                "Enter a real date, like 3 May 2026",
            ),
            (
                "29",
                "2",
                "2026",
                "date-day",
                "Enter a real date, like 3 May 2026",
            ),
            ("0", "5", "2026", "date-day", "Enter a real date, like 3 May 2026"),
            (
                "+3",
                "5",
                "2026",
                "date-day",
                "Enter a real date, like 3 May 2026",
            ),
            (
                "999",
                "5",
                "2026",
                "date-day",
                "Enter a real date, like 3 May 2026",
            ),
            (
                "3",
                "13",
                "2026",
                "date-day",
                "Enter a real date, like 3 May 2026",
            ),
            (
                "3",
                "ma",
                "2026",
                "date-month",
                "Enter a real date, like 3 May 2026",
            ),
            (
                "3",
                "5",
                "20x6",
                "date-year",
                "Enter a real date, like 3 May 2026",
            ),
            (
                "2",
                "5",
                "2021",
                "date-year",
                "The date must be 3 May 2021 or later",
            ),
            (
                "4",
                "5",
                "2027",
                "date-year",
                "The date must be 3 May 2027 or earlier",
            ),
        ] {
            let told = date_problem(day, month, year);
            assert_eq!(
                told,
                Some((field.to_owned(), message.to_owned())),
                "{day} {month} {year}"
            );
        }
        // Exact at the limits.
        assert_eq!(date_problem("3", "5", "2021"), None);
        assert_eq!(date_problem("3", "5", "2027"), None);
    }

    #[test]
    fn details_are_counted_as_a_person_counts_and_lose_nothing_but_the_blanks_around() {
        let details = |details: &str| {
            let checked = typed("new-role", "3", "5", "2026", details).check(TODAY);
            checked
                .map(|told| told.details)
                .map_err(|problems| problems[0].message.clone())
        };
        assert_eq!(details(" one\r\n\r\ttwo \n").unwrap(), "one\n\n two");
        assert_eq!(details("").unwrap(), "");
        // A line end counts once, a letter of any script once.
        assert!(details(&"\u{1f469}\r\n".repeat(500)).is_ok());
        assert!(details(&"x".repeat(MOST)).is_ok());
        let over = details(&"x".repeat(MOST + 2)).unwrap_err();
        assert_eq!(over, "Details must be 1,000 characters or fewer: 2 too many");
        for hidden in ["a\0b", "a\u{7}b", "a\u{202e}b"] {
            assert_eq!(
                details(hidden).unwrap_err(),
                "Details must not include hidden characters"
            );
        }
        assert_eq!(
            problems(&typed("other", "3", "5", "2026", " \n ")),
            [("details".to_owned(), "Tell us what has changed".to_owned())]
        );
    }
}
