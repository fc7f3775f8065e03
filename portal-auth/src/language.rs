//! Which language a person has chosen, as the tag that HTML, HTTP and mail use for it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A language by its BCP 47 tag, such as `en-GB` or `cy`.
///
/// Any well-formed tag is accepted, since which languages there are texts in is for the host to know. Letters are
/// kept in the usual case (`en-GB`, `zh-Hant-TW`), so equal languages have equal tags.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// The longest tag, in bytes: RFC 5646 asks for room for 35.
    pub const MAX_BYTES: usize = 35;

    /// Reads a tag: a language of 2 to 8 letters, then parts of 1 to 8 letters and digits, each after a hyphen.
    ///
    /// The shape is checked and not the registry of languages.
    ///
    /// # Errors
    /// [`InvalidLanguage`] for anything else; go on in the language used so far.
    pub fn parse(tag: &str) -> Result<Self, InvalidLanguage> {
        if tag.len() > Self::MAX_BYTES {
            return Err(InvalidLanguage);
        }
        let mut parts = tag.split('-');
        let language = parts.next().unwrap_or_default();
        if !(2..=8).contains(&language.len()) || !language.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(InvalidLanguage);
        }
        let mut canonical = language.to_ascii_lowercase();
        let mut extended = false;
        let mut last = language;
        for part in parts {
            if !(1..=8).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(InvalidLanguage);
            }
            // What follows a part of one character belongs to an extension, where nothing is a script or a country.
            extended |= part.len() == 1;
            canonical.push('-');
            canonical.push_str(&usual_case(part, extended));
            last = part;
        }
        if last.len() == 1 {
            return Err(InvalidLanguage);
        }
        Ok(Self(canonical))
    }

    /// The tag's text, in ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone: `en` of `en-GB`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

/// British English, in which everything is said where nobody has chosen.
impl Default for LanguageTag {
    fn default() -> Self {
        Self("en-GB".to_owned())
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LanguageTag {
    type Err = InvalidLanguage;

    fn from_str(tag: &str) -> Result<Self, InvalidLanguage> {
        Self::parse(tag)
    }
}

/// A language in which the library itself has words: for moments and spans, and for some of its mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    English,
    Welsh,
}

impl Spoken {
    /// The one to use for somebody who has chosen `tag`.
    pub(crate) fn of(tag: &LanguageTag) -> Self {
        if tag.language() == "cy" {
            Self::Welsh
        } else {
            Self::English
        }
    }

    /// What a text in it is marked with.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en-GB",
            Self::Welsh => "cy",
        }
    }
}

/// Says that a text is not the tag of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error("not a language tag such as en-GB or cy")]
pub struct InvalidLanguage;

fn usual_case(part: &str, extended: bool) -> String {
    let letters = part.bytes().all(|b| b.is_ascii_alphabetic());
    match part.len() {
        2 if letters && !extended => part.to_ascii_uppercase(),
        4 if letters && !extended => {
            let (first, rest) = part.split_at(1);
            format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
        }
        _ => part.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_languages_have_equal_tags() {
        for (typed, kept, language) in [
            ("cy", "cy", "cy"),
            ("CY", "cy", "cy"),
            ("en-gb", "en-GB", "en"),
            ("zh-hant-tw", "zh-Hant-TW", "zh"),
            ("de-CH-1996", "de-CH-1996", "de"),
            ("en-GB-U-CA-BUDDHIST", "en-GB-u-ca-buddhist", "en"),
            ("es-419", "es-419", "es"),
        ] {
            let tag = LanguageTag::parse(typed).unwrap();
            assert_eq!(tag.as_str(), kept);
            assert_eq!(tag.language(), language);
            assert_eq!(kept.parse(), Ok(tag));
        }
        assert_eq!(LanguageTag::default(), "en-GB".parse().unwrap());
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        let long = format!("en-{}", "x".repeat(33));
        for tag in [
            "",
            "e",
            "en_GB",
            "en-",
            "-en",
            "en--GB",
            "en-toolongpart",
            "é",
            "en GB",
            "en\r\n",
            "c1",
            "en-u",
            "x-y",
            &long,
        ] {
            assert_eq!(LanguageTag::parse(tag), Err(InvalidLanguage), "{tag:?}");
        }
    }

    proptest! {
        #[test]
        fn a_tag_is_safe_in_a_header_and_reads_back_as_itself(text in "[a-zA-Z0-9-]{0,40}|\\PC{0,12}") {
            if let Ok(tag) = LanguageTag::parse(&text) {
                prop_assert!(tag.as_str().len() <= LanguageTag::MAX_BYTES);
                prop_assert!(tag.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
                prop_assert!(tag.as_str().eq_ignore_ascii_case(&text));
                prop_assert_eq!(LanguageTag::parse(tag.as_str()), Ok(tag));
            }
        }
    }
}
