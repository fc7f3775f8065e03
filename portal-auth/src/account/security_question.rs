//! Secret questions and answers: asked only behind a live reset link, and never enough by themselves (ANS-1).
//!
//! Questions come from a list that the operator owns, or from their people where a setting allows it; an answer is a secret like a password, and forgiving about
//! how it is typed. Both standards refuse such questions; the portal keeps them because its guide does.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::account::chosen_question::AskedQuestion;
use crate::account::email::EmailAddress;
use crate::account::plain_text::has_hidden_character;
use crate::error::Reason;
use crate::password::Password;

/// The stable name of a question, such as `first_car`: what accounts keep.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QuestionId(String);

impl QuestionId {
    /// The longest id, in bytes.
    pub const MAX_BYTES: usize = 40;

    /// Reads an id: 1 to 40 of `a-z`, `0-9`, `_` and `-`.
    ///
    /// # Errors
    /// [`UnknownQuestion`] for anything else; show "Choose a Secret Question".
    pub fn parse(id: &str) -> Result<Self, UnknownQuestion> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        if id.is_empty() || id.len() > Self::MAX_BYTES || !id.bytes().all(allowed) {
            return Err(UnknownQuestion);
        }
        Ok(Self(id.to_owned()))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for QuestionId {
    type Err = UnknownQuestion;

    fn from_str(id: &str) -> Result<Self, UnknownQuestion> {
        Self::parse(id)
    }
}

impl TryFrom<String> for QuestionId {
    type Error = UnknownQuestion;

    fn try_from(id: String) -> Result<Self, UnknownQuestion> {
        Self::parse(&id)
    }
}

impl From<QuestionId> for String {
    fn from(id: QuestionId) -> Self {
        id.0
    }
}

/// Says that a text names no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error("not the id of a question")]
pub struct UnknownQuestion;

/// A question that people may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityQuestion {
    id: QuestionId,
    text: String,
}

impl SecurityQuestion {
    /// What accounts keep.
    #[must_use]
    pub fn id(&self) -> &QuestionId {
        &self.id
    }

    /// What people read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The questions that people may choose from, in the order in which they are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questions(Vec<SecurityQuestion>);

impl Questions {
    /// The longest question, in characters.
    pub const MAX_CHARACTERS: usize = 200;

    /// The ten questions that come with the crate.
    #[must_use]
    pub fn built_in() -> Self {
        Self(
            content_lines(BUILT_IN)
                .filter_map(|(_, line)| read_question(line).ok())
                .collect(),
        )
    }

    /// Reads a list: a question a line as id, tab, text; empty lines and those that begin with `#` do not count.
    ///
    /// # Errors
    /// [`QuestionsError`] with the first line that is wrong and why: the operator must mend the file.
    pub fn parse(text: &str) -> Result<Self, QuestionsError> {
        let mut questions: Vec<SecurityQuestion> = Vec::new();
        let mut last = 1;
        for (number, line) in content_lines(text) {
            let wrong = |problem| QuestionsError {
                line: number,
                problem,
            };
            let question = read_question(line).map_err(wrong)?;
            if questions.iter().any(|known| known.id == question.id) {
                return Err(wrong(QuestionsProblem::RepeatedId));
            }
            if questions.iter().any(|known| known.text == question.text) {
                return Err(wrong(QuestionsProblem::RepeatedText));
            }
            questions.push(question);
            last = number;
        }
        if questions.is_empty() {
            return Err(QuestionsError {
                line: last,
                problem: QuestionsProblem::NoQuestions,
            });
        }
        Ok(Self(questions))
    }

    /// The question with this id, if it is on the list.
    #[must_use]
    pub fn find(&self, id: &QuestionId) -> Option<&SecurityQuestion> {
        self.0.iter().find(|question| question.id == *id)
    }

    /// The questions in the order in which they are offered; none is chosen beforehand.
    pub fn iter(&self) -> impl Iterator<Item = &SecurityQuestion> {
        self.0.iter()
    }
}

/// Says which line of a list of questions is wrong, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error("line {line} of the list of questions: {problem}")]
pub struct QuestionsError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: QuestionsProblem,
}

/// What is wrong with a line of a list of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QuestionsProblem {
    /// Id and text are not parted by a tab.
    #[error("write the id, a tab and the text")]
    NoTab,
    /// The id is not 1 to 40 of `a-z`, `0-9`, `_` and `-`.
    #[error("an id is 1 to 40 of a-z, 0-9, _ and -")]
    BadId,
    /// The text is empty, longer than 200 characters, or holds hidden characters.
    #[error("the text must have 1 to 200 visible characters")]
    BadText,
    /// Another line has the same id.
    #[error("this id stands on an earlier line")]
    RepeatedId,
    /// Another line asks the same.
    #[error("this text stands on an earlier line")]
    RepeatedText,
    /// There is no question at all.
    #[error("there must be at least one question")]
    NoQuestions,
}

/// An answer in its normal form (ANS-2): capitals, accents, blanks at the ends, repeated blanks and the marks
/// `. , ' " -` do not count.
///
/// Its memory is wiped when it goes; it has no `Display`, no `Serialize` and no `Clone`.
pub struct SecurityAnswer(Zeroizing<String>);

impl SecurityAnswer {
    /// The fewest characters, in normal form.
    pub const MIN_CHARACTERS: usize = 3;
    /// The most characters, typed or in normal form.
    pub const MAX_CHARACTERS: usize = 100;
    /// The most bytes typed.
    pub const MAX_BYTES: usize = 256;

    /// Reads what was typed, when an answer is chosen and when it is checked.
    ///
    /// # Errors
    /// [`AnswerError::Required`], [`TooShort`](AnswerError::TooShort), [`TooLong`](AnswerError::TooLong) or
    /// [`HiddenCharacters`](AnswerError::HiddenCharacters). No such text was ever accepted as an answer, so where
    /// one is checked, all but the first are wrong answers.
    pub fn parse(typed: &str) -> Result<Self, AnswerError> {
        if typed.trim().is_empty() {
            return Err(AnswerError::Required);
        }
        if typed.len() > Self::MAX_BYTES || typed.chars().count() > Self::MAX_CHARACTERS {
            return Err(AnswerError::TooLong);
        }
        if has_hidden_character(typed) {
            return Err(AnswerError::HiddenCharacters);
        }
        let normal = normal_form(typed);
        match normal.chars().count() {
            0..Self::MIN_CHARACTERS => Err(AnswerError::TooShort),
            // One typed character can stand for eighteen in normal form.
            Self::MIN_CHARACTERS..=Self::MAX_CHARACTERS => Ok(Self(normal)),
            _ => Err(AnswerError::TooLong),
        }
    }

    /// Whether this may become the answer of somebody with this question, password and address (ANS-4).
    ///
    /// # Errors
    /// [`AnswerError::IsPassword`], [`IsEmail`](AnswerError::IsEmail), [`IsQuestion`](AnswerError::IsQuestion) or
    /// [`Common`](AnswerError::Common): an answer that whoever asks the question already knows protects nothing. A question
    /// of the person's own must not hold its answer among its words either.
    pub fn check(
        &self,
        question: &AskedQuestion,
        password: &Password,
        email: &EmailAddress,
    ) -> Result<(), AnswerError> {
        let is = |text: &str| *normal_form(text) == *self.0;
        if is(password.expose()) {
            Err(AnswerError::IsPassword)
        } else if is(email.as_str()) || is(email.local_part()) {
            Err(AnswerError::IsEmail)
        } else if is(&question.text)
            || is(question.text.trim_end_matches(['?', ' ']))
            || (question.id.is_none() && self.stands_in(&question.text))
        {
            Err(AnswerError::IsQuestion)
        } else if is_common(&self.0) {
            Err(AnswerError::Common)
        } else {
            Ok(())
        }
    }

    /// Whether somebody's own question tells its answer, in whole words.
    fn stands_in(&self, question: &str) -> bool {
        let words = |text: &str| {
            let words = text.split(|c: char| !c.is_alphanumeric());
            let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
            Zeroizing::new(format!(" {} ", words.join(" ")))
        };
        let answer = words(&self.0);
        answer.len() > 2 && words(&normal_form(question)).contains(answer.as_str())
    }

    /// The normal form, which is what is hashed.
    ///
    /// # Security
    /// Do not log, store or compare it: that is what the hasher is for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecurityAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecurityAnswer(..)")
    }
}

/// Says why a text cannot be a secret answer; the person can mend each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Nothing was typed.
    #[error("an answer is required")]
    Required,
    /// Fewer than 3 characters are left in normal form.
    #[error("the answer is too short")]
    TooShort,
    /// More than 100 characters or 256 bytes.
    #[error("the answer is too long")]
    TooLong,
    /// It holds control or direction characters.
    #[error("the answer holds hidden characters")]
    HiddenCharacters,
    /// It is the password.
    #[error("the answer is the password")]
    IsPassword,
    /// It is the address or its local part.
    #[error("the answer is the email address")]
    IsEmail,
    /// It is the text of the question, or stands in a question that the person has made up.
    #[error("the answer is the question")]
    IsQuestion,
    /// Many people give it, whatever the question.
    #[error("the answer is a common one")]
    Common,
}

impl AnswerError {
    /// The stable code.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::new(match self {
            Self::Required => "answer.required",
            Self::TooShort => "answer.too_short",
            Self::TooLong => "answer.too_long",
            Self::HiddenCharacters => "answer.hidden_characters",
            Self::IsPassword => "answer.is_password",
            Self::IsEmail => "answer.is_email",
            Self::IsQuestion => "answer.is_question",
            Self::Common => "answer.common",
        })
    }

    /// The number in the rule, where it has one.
    #[must_use]
    pub const fn number(self) -> Option<u64> {
        match self {
            Self::TooShort => Some(SecurityAnswer::MIN_CHARACTERS as u64),
            Self::TooLong => Some(SecurityAnswer::MAX_CHARACTERS as u64),
            Self::Required
            | Self::HiddenCharacters
            | Self::IsPassword
            | Self::IsEmail
            | Self::IsQuestion
            | Self::Common => None,
        }
    }
}

const BUILT_IN: &str = include_str!("questions.txt");

static COMMON_ANSWERS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    content_lines(include_str!("common_answers.txt"))
        .map(|(_, line)| line)
        .collect()
});

/// The lines that say something, with their numbers counted from 1.
fn content_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1_usize..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
}

fn read_question(line: &str) -> Result<SecurityQuestion, QuestionsProblem> {
    let (id, text) = line.split_once('\t').ok_or(QuestionsProblem::NoTab)?;
    let id = QuestionId::parse(id.trim()).map_err(|_| QuestionsProblem::BadId)?;
    let text = text.trim();
    if text.is_empty() || text.chars().count() > Questions::MAX_CHARACTERS || has_hidden_character(text) {
        return Err(QuestionsProblem::BadText);
    }
    Ok(SecurityQuestion {
        id,
        text: text.to_owned(),
    })
}

/// Whether an answer in normal form is on the list, or one character over and over.
fn is_common(normal: &str) -> bool {
    let mut characters = normal.chars();
    let first = characters.next();
    characters.all(|c| Some(c) == first) || COMMON_ANSWERS.contains(&normal)
}

/// ANS-2, and without accents, as the page promises.
///
/// Everything is dropped from the decomposed text and composed once, at the end: what stood apart before may
/// compose now, and the form of a form is itself.
fn normal_form(text: &str) -> Zeroizing<String> {
    let plain: Zeroizing<String> = Zeroizing::new(
        text.nfkd()
            .filter(|c| !is_accent(*c))
            .flat_map(char::to_lowercase)
            .filter(|c| !is_stripped(*c))
            .nfkc()
            .collect(),
    );
    let mut form = Zeroizing::new(String::with_capacity(plain.len()));
    for word in plain.split_whitespace() {
        if !form.is_empty() {
            form.push(' ');
        }
        form.push_str(word);
    }
    form
}

/// The accents of Latin, Greek and Cyrillic letters. The vowel signs of other scripts are letters to their readers.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}')
}

/// `. , ' " -`, and the forms of them that phones type by themselves.
fn is_stripped(c: char) -> bool {
    matches!(c, '.' | ',' | '\'' | '"' | '-' | '\u{2010}'..='\u{2015}' | '\u{2018}'..='\u{201f}' | '\u{2212}')
}
