//! One line of text on a page: what it may hold, how long it may be, and what is said where it does not fit.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use super::phone_number::{is_phone_number, is_phone_number_with_extension};
use crate::account::plain_text::{has_hidden_character, is_fit_for_a_name};
use crate::error::{FieldErrors, Reason};

/// The rules of one text field, for pages that mark required fields and documents that list the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextField {
    pub(super) name: &'static str,
    pub(super) max_characters: u16,
    pub(super) content: Content,
    pub(super) is_required: bool,
    pub(super) codes: Codes,
}

impl TextField {
    /// Its name, as in the section's struct.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The most characters (Unicode scalar values) once the blanks around them are gone (LIM-2).
    #[must_use]
    pub const fn max_characters(&self) -> u16 {
        self.max_characters
    }

    /// Whether it must be filled in wherever the page asks for it.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        self.is_required
    }

    /// Every reason for which it is refused.
    pub fn reasons(&self) -> impl Iterator<Item = Reason> + use<> {
        let Codes {
            required,
            too_long,
            hidden_characters,
            markup,
            format,
        } = self.codes;
        let of_content: &[&'static str] = match self.content {
            Content::Text => &[hidden_characters],
            Content::Name => &[hidden_characters, markup],
            Content::Phone | Content::PhoneWithExtension => &[format],
        };
        let mut codes = of_content.to_vec();
        codes.push(too_long);
        if self.is_required {
            codes.push(required);
        }
        codes.into_iter().map(Reason::new)
    }

    /// The same field where it may not stay empty.
    pub(super) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Trims `text` and notes the first thing that is wrong with it.
    pub(super) fn tidy(&self, text: &mut String, errors: &mut FieldErrors) {
        let trimmed = text.trim();
        if is_blank(trimmed) {
            text.clear();
            if self.is_required {
                errors.add(self.name, Reason::new(self.codes.required));
            }
            return;
        }
        if trimmed.len() < text.len() {
            *text = trimmed.to_owned();
        }
        if text.chars().count() > usize::from(self.max_characters) {
            let reason = Reason::new(self.codes.too_long);
            errors.add_with_number(self.name, reason, u64::from(self.max_characters));
        } else if let Some(code) = self.misfit(text) {
            errors.add(self.name, Reason::new(code));
        }
    }

    fn misfit(&self, text: &str) -> Option<&'static str> {
        match self.content {
            Content::Text | Content::Name if has_hidden_character(text) => Some(self.codes.hidden_characters),
            Content::Name if !is_fit_for_a_name(text) => Some(self.codes.markup),
            Content::Phone if !is_phone_number(text) => Some(self.codes.format),
            Content::PhoneWithExtension if !is_phone_number_with_extension(text) => Some(self.codes.format),
            Content::Text | Content::Name | Content::Phone | Content::PhoneWithExtension => None,
        }
    }
}

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Anything a reader can see.
    Text,
    /// The same without markup and links: it is shown to other people.
    Name,
    /// A phone number.
    Phone,
    /// A phone number that may end in an extension, such as `x123`.
    PhoneWithExtension,
}

/// The codes of what can be wrong with a field; its content decides which of them occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Codes {
    pub(super) required: &'static str,
    pub(super) too_long: &'static str,
    pub(super) hidden_characters: &'static str,
    pub(super) markup: &'static str,
    pub(super) format: &'static str,
}

/// Makes an optional field: its name, the most characters, and the [`Content`].
///
/// A macro, because only `concat!` makes codes that live for ever out of a name.
macro_rules! text_field {
    ($name:literal, $max_characters:literal, $content:ident) => {
        $crate::account::professional_profile::text_field::TextField {
            name: $name,
            max_characters: $max_characters,
            content: $crate::account::professional_profile::text_field::Content::$content,
            is_required: false,
            codes: $crate::account::professional_profile::text_field::Codes {
                required: concat!($name, ".required"),
                too_long: concat!($name, ".too_long"),
                hidden_characters: concat!($name, ".hidden_characters"),
                markup: concat!($name, ".markup"),
                format: concat!($name, ".format"),
            },
        }
    };
}
pub(super) use text_field;

/// Whether a reader would see nothing: a name of zero-width spaces is no name.
fn is_blank(text: &str) -> bool {
    let invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    text.chars().all(|c| c.is_whitespace() || invisible.contains(c))
}
