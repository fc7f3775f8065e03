//! The secret questions to choose from: `id`, a tab, the text.

use portal_auth::account::security_question::QuestionId;

use crate::logging::is_unsafe_to_print;

/// A question under an id that never changes, so that its text may be reworded or translated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretQuestion {
    /// What an account keeps.
    pub id: QuestionId,
    /// What people read.
    pub text: String,
}

/// The questions of a deployment, in the order of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretQuestions(Vec<SecretQuestion>);

/// What is wrong with a questions file, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
#[non_exhaustive]
pub struct QuestionsError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub what: &'static str,
}

impl SecretQuestions {
    /// Reads a question a line. Blank lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, QuestionsError> {
        let mut questions: Vec<SecretQuestion> = Vec::new();
        for (line, written) in (1..).zip(text.lines()) {
            let wrong = |what| QuestionsError { line, what };
            if written.trim().is_empty() || written.starts_with('#') {
                continue;
            }
            let (id, question) = written
                .split_once('\t')
                .ok_or_else(|| wrong("write an id, a tab and the question"))?;
            let question = question.trim();
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
            let id = Some(id.trim()).filter(|id| (1..=40).contains(&id.len()) && id.bytes().all(plain));
            let id = id.and_then(|id| QuestionId::parse(id).into_iter().next());
            let id = id.ok_or_else(|| wrong("the id must be 1 to 40 lower-case letters, digits, - or _"))?;
            if !(1..=200).contains(&question.chars().count()) || question.chars().any(is_unsafe_to_print) {
                return Err(wrong(
                    "the question must have 1 to 200 characters and no hidden ones",
                ));
            }
            if questions
                .iter()
                .any(|other| other.id == id || other.text == question)
            {
                return Err(wrong("the id or the question stands on a line above already"));
            }
            questions.push(SecretQuestion {
                id,
                text: question.to_owned(),
            });
        }
        if questions.is_empty() {
            return Err(QuestionsError {
                line: 1,
                what: "there is no question in the file; write one a line",
            });
        }
        Ok(Self(questions))
    }

    /// The questions one by one.
    pub fn iter(&self) -> impl Iterator<Item = &SecretQuestion> {
        self.0.iter()
    }

    /// The text of the question `id`, unless the deployment has dropped it.
    #[must_use]
    pub fn text_of(&self, id: &QuestionId) -> Option<&str> {
        self.iter()
            .find(|question| question.id == *id)
            .map(|question| question.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_ten_questions_and_the_guides_among_them() {
        let questions = SecretQuestions::parse(include_str!("../content/questions.txt")).unwrap();
        assert_eq!(questions.iter().count(), 10);
        let first_car = questions
            .iter()
            .find(|q| q.text == "The model of your first car?")
            .unwrap();
        assert_eq!(
            questions.text_of(&first_car.id),
            Some("The model of your first car?")
        );
    }

    #[test]
    fn a_wrong_line_is_told() {
        for (text, line) in [
            ("a\tA?\nb B?", 2),
            ("a\tA?\na\tB?", 2),
            ("a\tA?\nb\tA?", 2),
            ("A\tA?", 1),
            ("\tA?", 1),
            ("a\t ", 1),
            ("a\tA\u{0}?", 1),
            ("", 1),
        ] {
            assert_eq!(SecretQuestions::parse(text).unwrap_err().line, line, "{text:?}");
        }
    }
}
