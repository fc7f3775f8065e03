//! What is wrong with a configuration: the setting and one sentence that says how to put it right.

use std::fmt;

use crate::logging::is_unsafe_to_print;

/// One thing that is wrong with the configuration.
///
/// The sentence names the variable and what to set. It never holds the value of a setting that may carry a
/// secret, so it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The variable, such as `PORTAL_BASE_URL`.
    pub setting: String,
    /// What is wrong and what to do about it.
    pub sentence: String,
}

impl Problem {
    /// A problem of `setting`; `rest` is the sentence after the variable's name.
    #[must_use]
    pub fn new(setting: &str, rest: impl fmt::Display) -> Self {
        Self {
            setting: setting.to_owned(),
            // A value may be repeated in it; a line break there must not make a second sentence (LOG-4).
            sentence: one_line(&format!("{setting} {rest}.")),
        }
    }
}

fn one_line(text: &str) -> String {
    let escaped = |c: char| {
        if is_unsafe_to_print(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escaped).collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// All that is wrong with a configuration, in the order of the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds the problem of `setting` that `rest` tells.
    pub fn add(&mut self, setting: &str, rest: impl fmt::Display) {
        self.0.push(Problem::new(setting, rest));
    }

    /// The value of `read`, or `None` and its problem noted under `setting`.
    pub fn keep<T, E: fmt::Display>(&mut self, setting: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|rest| self.add(setting, rest)).ok()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    /// One sentence a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_line_break_stays_in_its_sentence() {
        // LOG-4
        let problem = Problem::new(
            "PORTAL_PRESET",
            "is `a\nPORTAL_X is fine\u{1b}[2J`; set it to portal",
        );
        assert_eq!(
            problem.sentence,
            "PORTAL_PRESET is `a\\u{a}PORTAL_X is fine\\u{1b}[2J`; set it to portal."
        );
    }
}
