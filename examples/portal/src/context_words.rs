//! Words that belong to this deployment, such as its town or its service, and that no password may contain.

/// The words in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextWords(Vec<String>);

/// What is wrong with a file of words, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: a word must have 4 to 100 characters; shorter ones would bar too many good passwords")]
#[non_exhaustive]
pub struct ContextWordsError {
    /// The line, from 1.
    pub line: usize,
}

impl ContextWords {
    /// Reads a word a line. Blank lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, ContextWordsError> {
        let mut words = Vec::new();
        for (line, written) in (1..).zip(text.lines()) {
            let word = written.trim().to_lowercase();
            if word.is_empty() || word.starts_with('#') {
                continue;
            }
            if !(4..=100).contains(&word.chars().count()) {
                return Err(ContextWordsError { line });
            }
            words.push(word);
        }
        Ok(Self(words))
    }

    /// The words one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_in_lower_case() {
        let words = ContextWords::parse("# ours\n Portal \n\nSteelCity\n").unwrap();
        assert_eq!(words.iter().collect::<Vec<_>>(), ["portal", "steelcity"]);
    }

    #[test]
    fn a_word_that_would_bar_too_much_is_told_by_line() {
        assert_eq!(ContextWords::parse("portal\nabc").unwrap_err().line, 2);
    }
}
