//! What an account keeps as its secret question: one of the service's list, or one that its owner has made up, where
//! [`RegistrationConfig::own_question`](crate::config::RegistrationConfig::own_question) allows it.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::account::plain_text::has_hidden_character;
use crate::account::security_question::{QuestionId, Questions, SecurityQuestion, UnknownQuestion};
use crate::error::Reason;
use crate::password::Password;

/// What stands before the text of an own question where it is stored. No [`QuestionId`] holds a colon.
const OWN: &str = "own:";

/// A question as an account keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(clippy::exhaustive_enums, reason = "every page must say something about both")]
pub enum ChosenQuestion {
    /// One of the list.
    Listed(QuestionId),
    /// One that its owner has made up.
    Own(OwnQuestion),
}

impl ChosenQuestion {
    /// Reads what [`stored`](Self::stored) gave.
    ///
    /// # Errors
    /// [`UnknownQuestion`] for anything else: the row was altered.
    pub fn parse(stored: &str) -> Result<Self, UnknownQuestion> {
        match stored.strip_prefix(OWN) {
            Some(text) => OwnQuestion::parse(text)
                .map(Self::Own)
                .map_err(|_| UnknownQuestion),
            None => QuestionId::parse(stored).map(Self::Listed),
        }
    }

    /// The form for a store: at most 128 bytes, and no line breaks.
    #[must_use]
    pub fn stored(&self) -> String {
        match self {
            Self::Listed(id) => id.as_str().to_owned(),
            Self::Own(own) => format!("{OWN}{}", own.0),
        }
    }

    /// As it is asked; `None` where the list does not have it any more.
    #[must_use]
    pub fn asked(&self, questions: &Questions) -> Option<AskedQuestion> {
        match self {
            Self::Listed(id) => questions.find(id).map(AskedQuestion::from),
            Self::Own(own) => Some(AskedQuestion {
                id: None,
                text: own.0.clone(),
            }),
        }
    }
}

impl TryFrom<String> for ChosenQuestion {
    type Error = UnknownQuestion;

    fn try_from(stored: String) -> Result<Self, UnknownQuestion> {
        Self::parse(&stored)
    }
}

impl From<ChosenQuestion> for String {
    fn from(question: ChosenQuestion) -> Self {
        question.stored()
    }
}

/// A question as it is asked; `Debug` does not show its text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AskedQuestion {
    /// Its id on the list, for a translation; `None` where its owner has made it up.
    pub id: Option<QuestionId>,
    /// What people read; an own question is text that somebody typed.
    pub text: String,
}

impl fmt::Debug for AskedQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskedQuestion")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl From<&SecurityQuestion> for AskedQuestion {
    fn from(listed: &SecurityQuestion) -> Self {
        Self {
            id: Some(listed.id().clone()),
            text: listed.text().to_owned(),
        }
    }
}

/// A question in a person's own words, without blanks at its ends.
///
/// It is kept as it was typed, since it must be asked; `Debug` does not show it, since it says something of a life.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OwnQuestion(String);

impl OwnQuestion {
    /// In the field of the question: the person has typed one. No question of the list may have this id.
    pub const CHOICE: &'static str = "own";
    /// The fewest characters: whatever is shorter asks nothing.
    pub const MIN_CHARACTERS: usize = 10;
    /// The most characters.
    pub const MAX_CHARACTERS: usize = 100;
    /// The most bytes: what a store keeps, less four that tell it from an id.
    pub const MAX_BYTES: usize = 124;

    /// Reads what was typed.
    ///
    /// # Errors
    /// [`OwnQuestionError`] with what the person can mend.
    pub fn parse(typed: &str) -> Result<Self, OwnQuestionError> {
        let text = typed.trim();
        let characters = text.chars().count();
        if text.is_empty() {
            Err(OwnQuestionError::Required)
        } else if text.len() > Self::MAX_BYTES || characters > Self::MAX_CHARACTERS {
            Err(OwnQuestionError::TooLong)
        } else if has_hidden_character(text) {
            Err(OwnQuestionError::HiddenCharacters)
        } else if characters < Self::MIN_CHARACTERS {
            Err(OwnQuestionError::TooShort)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// What people read.
    ///
    /// # Security
    /// Show it behind a live reset link alone (ANS-6), and escape it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this may become the question of somebody with this password.
    ///
    /// # Errors
    /// [`OwnQuestionError::HoldsPassword`]: a question is not kept as a secret is.
    pub fn check(&self, password: &Password) -> Result<(), OwnQuestionError> {
        if !password.is_empty() && self.0.contains(password.expose()) {
            return Err(OwnQuestionError::HoldsPassword);
        }
        Ok(())
    }
}

impl fmt::Debug for OwnQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnQuestion(..)")
    }
}

/// Says why a text cannot be a question; the person can mend each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OwnQuestionError {
    /// Nothing was typed.
    #[error("a question is required")]
    Required,
    /// Fewer than 10 characters.
    #[error("the question is too short")]
    TooShort,
    /// More than 100 characters or 124 bytes.
    #[error("the question is too long")]
    TooLong,
    /// It holds control or direction characters.
    #[error("the question holds hidden characters")]
    HiddenCharacters,
    /// The password stands in it.
    #[error("the question holds the password")]
    HoldsPassword,
}

impl OwnQuestionError {
    /// The stable code.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::new(match self {
            Self::Required => "own_question.required",
            Self::TooShort => "own_question.too_short",
            Self::TooLong => "own_question.too_long",
            Self::HiddenCharacters => "own_question.hidden_characters",
            Self::HoldsPassword => "own_question.holds_password",
        })
    }

    /// The number in the rule, where it has one.
    #[must_use]
    pub const fn number(self) -> Option<u64> {
        match self {
            Self::TooShort => Some(OwnQuestion::MIN_CHARACTERS as u64),
            Self::TooLong => Some(OwnQuestion::MAX_CHARACTERS as u64),
            Self::Required | Self::HiddenCharacters | Self::HoldsPassword => None,
        }
    }
}
