//! About You: the person's own name and gender, not those of a school or setting.

use serde::{Deserialize, Serialize};

use super::text_field::{TextField, text_field};
use crate::account::profile::Section;
use crate::error::{FieldErrors, Reason};

/// The page "About you" and the page "Personal Details".
///
/// Title, forename, surname and gender are required; "Prefer not to say" is an answer to the first and the last.
/// Names may have one letter, digits, or no letter at all, and forename and surname may be equal: a person with one
/// name types it twice, or a dash in the other field.
///
/// ```
/// use portal_auth::account::professional_profile::{AboutYou, Gender};
/// use portal_auth::account::profile::Section;
///
/// let typed = AboutYou {
///     title: "Dr".into(),
///     forename: " Zoë ".into(),
///     surname: "O'Brien-Smith".into(),
///     gender: Some(Gender::Undisclosed),
///     gender_other: String::new(),
/// };
/// assert_eq!(typed.check()?.forename, "Zoë");
/// # Ok::<(), portal_auth::error::FieldErrors>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a page builds it from its fields; a new one must break the page"
)]
pub struct AboutYou {
    /// Such as "Dr"; free text.
    pub title: String,
    /// The name by which mails greet the person.
    pub forename: String,
    /// The family name.
    pub surname: String,
    /// `None` until it is answered; always there once the section was checked.
    pub gender: Option<Gender>,
    /// The person's own word, where they want to give one with [`Gender::Another`]. Checking clears it for the
    /// other answers, so that no word is kept that the person took back.
    pub gender_other: String,
}

impl AboutYou {
    /// Its text fields, in the order of the page.
    pub const FIELDS: &'static [TextField] = &[TITLE, FORENAME, SURNAME, GENDER_OTHER];
}

impl Section for AboutYou {
    const NAME: &'static str = "about_you";

    fn check(mut self) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        TITLE.tidy(&mut self.title, &mut errors);
        FORENAME.tidy(&mut self.forename, &mut errors);
        SURNAME.tidy(&mut self.surname, &mut errors);
        match self.gender {
            Some(Gender::Another) => GENDER_OTHER.tidy(&mut self.gender_other, &mut errors),
            Some(Gender::Female | Gender::Male | Gender::Undisclosed) => self.gender_other.clear(),
            None => errors.add("gender", GENDER_REQUIRED),
        }
        errors.or(self)
    }

    /// The forename; where that is only a dash or the like, the surname.
    fn greeting(&self) -> Option<String> {
        [&self.forename, &self.surname]
            .into_iter()
            .find(|name| name.chars().any(char::is_alphanumeric))
            .cloned()
    }

    fn personal_names(&self) -> Vec<String> {
        vec![self.forename.clone(), self.surname.clone()]
    }
}

/// The answers to the question for the gender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "a page shows every answer; a new one must break the page"
)]
pub enum Gender {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Another; [`AboutYou::gender_other`] may say which.
    Another,
    /// The person prefers not to say.
    Undisclosed,
}

impl Gender {
    /// All answers, in the order of the page.
    pub const ALL: [Self; 4] = [Self::Female, Self::Male, Self::Another, Self::Undisclosed];

    /// The word in forms and in the stored profile.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
            Self::Another => "another",
            Self::Undisclosed => "undisclosed",
        }
    }

    /// Reads the word of a form; `None` for anything else, which is then the same as no answer.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gender| gender.as_str() == word)
    }
}

pub(super) fn reasons() -> impl Iterator<Item = Reason> {
    AboutYou::FIELDS
        .iter()
        .flat_map(TextField::reasons)
        .chain([GENDER_REQUIRED])
}

const TITLE: TextField = text_field!("title", 20, Name).required();
const FORENAME: TextField = text_field!("forename", 100, Name).required();
const SURNAME: TextField = text_field!("surname", 100, Name).required();
const GENDER_OTHER: TextField = text_field!("gender_other", 40, Name);
const GENDER_REQUIRED: Reason = Reason::new("gender.required");
