//! Moments and spans as people read them: "10:40 pm today", "10:40 pm on 3 May", "12 hours".
//!
//! Mails and pages use the same words, so that "until when" reads alike wherever it is said. There are English and
//! Welsh words; for every other language the English ones are used.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ZonedDateTime};

use crate::environment::Timestamp;
use crate::language::{LanguageTag, Spoken};

/// Writes moments in one time zone.
#[derive(Debug, Clone)]
pub struct LocalTime {
    zone: TimeZone,
}

impl LocalTime {
    /// The zone with this IANA name, such as `Europe/London`; `None` where there is no such zone.
    ///
    /// The zone data comes with the crate, so the answer is the same on every machine.
    #[must_use]
    pub fn in_zone(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        Some(Self { zone })
    }

    /// The time of day alone: "10:40 pm".
    ///
    /// Seconds are cut off, so a moment until which something works is never told too late.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        self.local(at).strftime("%-I:%M %P").to_string()
    }

    /// Time and day as seen at `now`: "10:40 pm today", "10:40 pm on 3 May", or "10:40 pm on 3 May 2027" in another
    /// year.
    #[must_use]
    pub fn moment(&self, at: Timestamp, now: Timestamp) -> String {
        self.spoken_moment(Spoken::English, at, now)
    }

    /// As [`moment`](Self::moment), in the words of a language: "10:40 pm heddiw", "10:40 pm ar 3 Mai".
    #[must_use]
    pub fn moment_in(&self, language: &LanguageTag, at: Timestamp, now: Timestamp) -> String {
        self.spoken_moment(Spoken::of(language), at, now)
    }

    pub(crate) fn spoken_moment(&self, spoken: Spoken, at: Timestamp, now: Timestamp) -> String {
        let (at, now) = (self.local(at), self.local(now));
        let time = at.strftime("%-I:%M %P");
        let day = at.strftime("%-d");
        let month = match spoken {
            Spoken::English => at.strftime("%B").to_string(),
            Spoken::Welsh => welsh_month(at.month()).to_owned(),
        };
        let (today, on) = match spoken {
            Spoken::English => ("today", "on"),
            Spoken::Welsh => ("heddiw", "ar"),
        };
        if at.date() == now.date() {
            format!("{time} {today}")
        } else if at.year() == now.year() {
            format!("{time} {on} {day} {month}")
        } else {
            format!("{time} {on} {day} {month} {}", at.strftime("%Y"))
        }
    }

    /// The day alone, as seen at `now`: "3 May", or "3 May 2027" in another year.
    #[must_use]
    pub fn day(&self, at: Timestamp, now: Timestamp) -> String {
        let (at, now) = (self.local(at), self.local(now));
        let form = if at.year() == now.year() {
            "%-d %B"
        } else {
            "%-d %B %Y"
        };
        at.strftime(form).to_string()
    }

    fn local(&self, at: Timestamp) -> ZonedDateTime {
        // Only a moment outside the years -9999 to 9999 has no date; "never" then reads as the last one there is.
        let at = Instant::from_microsecond(at.as_micros()).unwrap_or(if at.as_micros() < 0 {
            Instant::MIN
        } else {
            Instant::MAX
        });
        at.to_zoned_datetime(self.zone.clone())
    }
}

/// A span in words: "45 seconds", "10 minutes", "1 hour and 30 minutes", "12 hours", "2 days".
///
/// What is left over below a minute, or beside days below an hour, is cut off: a lifetime is never told too long.
#[must_use]
pub fn in_words(span: Duration) -> String {
    spoken_span(Spoken::English, span)
}

/// As [`in_words`], in the words of a language: "10 munud", "12 awr", "2 ddiwrnod".
#[must_use]
pub fn in_words_of(language: &LanguageTag, span: Duration) -> String {
    spoken_span(Spoken::of(language), span)
}

pub(crate) fn spoken_span(spoken: Spoken, span: Duration) -> String {
    let count = |n, unit| match spoken {
        Spoken::English => unit_of(n, unit),
        Spoken::Welsh => welsh_unit_of(n, unit),
    };
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if minutes == 0 {
        return count(seconds, "second");
    }
    if hours == 0 {
        return count(minutes, "minute");
    }
    // One day is told in hours: lifetimes up to it are thought of that way.
    let (large, small) = if days < 2 {
        (count(hours, "hour"), (minutes % 60, "minute"))
    } else {
        (count(days, "day"), (hours % 24, "hour"))
    };
    match small {
        (0, _) => large,
        (n, unit) => {
            let and = match spoken {
                Spoken::English => "and",
                // Before a number whose name begins with a vowel: un, wyth, un ar ddeg.
                Spoken::Welsh if matches!(n, 1 | 8 | 11) => "ac",
                Spoken::Welsh => "a",
            };
            format!("{large} {and} {}", count(n, unit))
        }
    }
}

fn unit_of(n: u64, unit: &str) -> String {
    if n == 1 {
        format!("1 {unit}")
    } else {
        format!("{n} {unit}s")
    }
}

/// A number takes the singular, and two of a thing softens its first letter.
fn welsh_unit_of(n: u64, unit: &str) -> String {
    let word = match (unit, n) {
        ("second", _) => "eiliad",
        ("minute", 2) => "funud",
        ("minute", _) => "munud",
        ("hour", _) => "awr",
        (_, 2) => "ddiwrnod",
        _ => "diwrnod",
    };
    format!("{n} {word}")
}

const fn welsh_month(month: i8) -> &'static str {
    match month {
        1 => "Ionawr",
        2 => "Chwefror",
        3 => "Mawrth",
        4 => "Ebrill",
        5 => "Mai",
        6 => "Mehefin",
        7 => "Gorffennaf",
        8 => "Awst",
        9 => "Medi",
        10 => "Hydref",
        11 => "Tachwedd",
        _ => "Rhagfyr",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 May 2026, 21:40:59.999999 UTC: 10:40 pm in London, where the clocks are an hour ahead then.
    const EVENING: Timestamp = Timestamp::from_micros(1_777_844_459_999_999);
    const HOUR: Duration = Duration::from_secs(3600);

    fn london() -> LocalTime {
        LocalTime::in_zone("Europe/London").unwrap()
    }

    #[test]
    fn a_moment_is_told_by_the_clock_on_the_wall_and_never_too_late() {
        // portal.md R4
        assert_eq!(london().clock(EVENING), "10:40 pm");
        assert_eq!(london().moment(EVENING, EVENING), "10:40 pm today");
        assert_eq!(LocalTime::in_zone("UTC").unwrap().clock(EVENING), "9:40 pm");
        assert_eq!(london().clock(EVENING.plus(HOUR * 2)), "12:40 am");
        assert_eq!(london().clock(EVENING.minus(HOUR * 10)), "12:40 pm");
    }

    #[test]
    fn moments_and_spans_are_told_in_welsh_too() {
        // portal.md R4
        let welsh = LanguageTag::parse("cy-GB").unwrap();
        let moment = |at| london().moment_in(&welsh, at, EVENING);
        assert_eq!(moment(EVENING), "10:40 pm heddiw");
        assert_eq!(moment(EVENING.plus(HOUR * 2)), "12:40 am ar 4 Mai");
        assert_eq!(moment(EVENING.plus(HOUR * 24 * 365)), "10:40 pm ar 3 Mai 2027");
        for (seconds, words) in [
            (1, "1 eiliad"),
            (45, "45 eiliad"),
            (60, "1 munud"),
            (120, "2 funud"),
            (600, "10 munud"),
            (5400, "1 awr a 30 munud"),
            (3660, "1 awr ac 1 munud"),
            (43_200, "12 awr"),
            (172_800, "2 ddiwrnod"),
            (604_800 + 8 * 3600, "7 diwrnod ac 8 awr"),
        ] {
            assert_eq!(in_words_of(&welsh, Duration::from_secs(seconds)), words);
        }
        let other = LanguageTag::parse("fr").unwrap();
        assert_eq!(in_words_of(&other, HOUR), "1 hour");
        assert_eq!(london().moment_in(&other, EVENING, EVENING), "10:40 pm today");
    }

    #[test]
    fn every_welsh_month_has_its_name() {
        let months: std::collections::HashSet<_> = (1..=12).map(welsh_month).collect();
        assert_eq!(months.len(), 12);
    }

    #[test]
    fn today_ends_at_midnight_where_the_reader_is() {
        // portal.md R4
        let (before, after) = (EVENING.minus(HOUR * 22), EVENING.plus(HOUR * 2));
        assert_eq!(london().moment(before, EVENING), "12:40 am today");
        assert_eq!(london().moment(after, EVENING), "12:40 am on 4 May");
        assert_eq!(london().day(after, EVENING), "4 May");
        assert_eq!(london().day(EVENING.plus(HOUR * 24 * 365), EVENING), "3 May 2027");
        assert_eq!(london().moment(EVENING, after), "10:40 pm on 3 May");
        assert_eq!(
            london().moment(EVENING.plus(HOUR * 24 * 365), EVENING),
            "10:40 pm on 3 May 2027"
        );
    }

    #[test]
    fn never_has_words_too() {
        assert!(london().moment(Timestamp::MAX, EVENING).ends_with("9999"));
        assert!(london().moment(Timestamp::MIN, EVENING).contains(" on "));
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused() {
        assert!(LocalTime::in_zone("Moon/Base").is_none());
        assert!(LocalTime::in_zone("").is_none());
    }

    #[test]
    fn spans_are_told_in_the_units_people_think_in_and_never_too_long() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (600, "10 minutes"),
            (3599, "59 minutes"),
            (3600, "1 hour"),
            (5400, "1 hour and 30 minutes"),
            (43_200, "12 hours"),
            (86_400, "24 hours"),
            (172_799, "47 hours and 59 minutes"),
            (172_800, "2 days"),
            (266_400, "3 days and 2 hours"),
            (2_592_000, "30 days"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words, "{seconds}");
        }
        assert_eq!(in_words(Duration::from_micros(1)), "0 seconds");
    }
}
