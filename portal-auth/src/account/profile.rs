//! What a host keeps about a person: sections of its own, checked by its own rules, opaque to the rest of the crate.
//!
//! A host writes one serde struct per section, implements [`Section`] for it and joins them:
//! `Sections::<(AboutYou, WorkDetails)>::new(1)`. The core keeps the result as versioned JSON; `()` is a profile
//! without sections.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Fault, FieldErrors, Reason};

/// A profile as it is kept: JSON by section, with the version of the schema that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredProfile {
    /// The schema's version.
    pub version: u32,
    /// Section name to section.
    pub sections: Map<String, Value>,
}

impl StoredProfile {
    /// A profile of `sections`, written under schema `version`.
    #[must_use]
    pub const fn new(version: u32, sections: Map<String, Value>) -> Self {
        Self { version, sections }
    }

    /// The section `S`, or `None` where the profile does not have it or it has another shape.
    #[must_use]
    pub fn get<S: Section>(&self) -> Option<S> {
        serde_json::from_value(self.sections.get(S::NAME)?.clone()).ok()
    }
}

/// One section of a profile: a page of the registration and of "My Account".
pub trait Section: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its stable name, such as `about_you`.
    const NAME: &'static str;

    /// Tidies what was typed (trims, normalises) and checks it.
    ///
    /// # Errors
    /// Every field that is wrong, at once.
    fn check(self) -> Result<Self, FieldErrors>;

    /// The name by which this section would greet its person, where it knows one.
    fn greeting(&self) -> Option<String> {
        None
    }
}

/// The host's profile with its types erased: what the core works with.
///
/// Made by [`Sections`]; a host implements it by hand only to move old profiles to a new version.
pub trait ProfileSchema: fmt::Debug + Send + Sync {
    /// The present version, written beside every profile.
    fn version(&self) -> u32;

    /// The names of the sections, in the order in which a registration asks for them.
    fn sections(&self) -> &[&'static str];

    /// Checks one section and returns it as it is to be kept.
    ///
    /// # Errors
    /// Every field that is wrong; a section of another shape names the section itself.
    fn check(&self, section: &str, typed: Value) -> Result<Value, FieldErrors>;

    /// Brings a profile of an older version up to date.
    ///
    /// # Errors
    /// A [`Fault`] when the profile cannot be understood at all.
    fn upgrade(&self, profile: StoredProfile) -> Result<StoredProfile, Fault>;

    /// The name by which to greet its person in a mail.
    fn greeting(&self, profile: &StoredProfile) -> Option<String>;
}

/// The reason given for a section that has not the shape of its type.
pub const WRONG_SHAPE: Reason = Reason::new("section.shape");

/// Joins [`Section`]s into a [`ProfileSchema`]: `Sections::<(AboutYou, WorkDetails)>::new(1)`.
pub struct Sections<T> {
    version: u32,
    names: Vec<&'static str>,
    joined: PhantomData<fn() -> T>,
}

impl<T: SectionTuple> Sections<T> {
    /// A schema of these sections in version `version`.
    #[must_use]
    pub fn new(version: u32) -> Self {
        Self {
            version,
            names: T::names(),
            joined: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Sections<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sections")
            .field("version", &self.version)
            .field("names", &self.names)
            .finish()
    }
}

impl<T: SectionTuple> ProfileSchema for Sections<T> {
    fn version(&self) -> u32 {
        self.version
    }

    fn sections(&self) -> &[&'static str] {
        &self.names
    }

    fn check(&self, section: &str, typed: Value) -> Result<Value, FieldErrors> {
        T::check(section, typed)
    }

    fn upgrade(&self, profile: StoredProfile) -> Result<StoredProfile, Fault> {
        if profile.version == self.version {
            return Ok(profile);
        }
        Err(Fault::permanent(
            "this profile was written by another version of its schema",
        ))
    }

    fn greeting(&self, profile: &StoredProfile) -> Option<String> {
        T::greeting(profile)
    }
}

/// A tuple of up to six sections, or `()`.
pub trait SectionTuple: Send + Sync + 'static {
    /// The sections' names in order.
    fn names() -> Vec<&'static str>;
    /// Checks the section called `name`.
    ///
    /// # Errors
    /// As [`ProfileSchema::check`].
    fn check(name: &str, typed: Value) -> Result<Value, FieldErrors>;
    /// The first section's greeting that is there.
    fn greeting(profile: &StoredProfile) -> Option<String>;
}

fn wrong_shape(name: &str) -> FieldErrors {
    let mut errors = FieldErrors::new();
    errors.add(name.to_owned(), WRONG_SHAPE);
    errors
}

fn check_section<S: Section>(typed: Value) -> Result<Value, FieldErrors> {
    let section: S = serde_json::from_value(typed).map_err(|_| wrong_shape(S::NAME))?;
    serde_json::to_value(section.check()?).map_err(|_| wrong_shape(S::NAME))
}

impl SectionTuple for () {
    fn names() -> Vec<&'static str> {
        Vec::new()
    }
    fn check(name: &str, _: Value) -> Result<Value, FieldErrors> {
        Err(wrong_shape(name))
    }
    fn greeting(_: &StoredProfile) -> Option<String> {
        None
    }
}

macro_rules! section_tuple {
    ($($section:ident),+) => {
        impl<$($section: Section),+> SectionTuple for ($($section,)+) {
            fn names() -> Vec<&'static str> {
                vec![$($section::NAME),+]
            }
            fn check(name: &str, typed: Value) -> Result<Value, FieldErrors> {
                $(if name == $section::NAME { return check_section::<$section>(typed); })+
                Err(wrong_shape(name))
            }
            fn greeting(profile: &StoredProfile) -> Option<String> {
                None$(.or_else(|| profile.get::<$section>()?.greeting()))+
            }
        }
    };
}

section_tuple!(A);
section_tuple!(A, B);
section_tuple!(A, B, C);
section_tuple!(A, B, C, D);
section_tuple!(A, B, C, D, E);
section_tuple!(A, B, C, D, E, F);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Name {
        name: String,
    }

    impl Section for Name {
        const NAME: &'static str = "name";
        fn check(mut self) -> Result<Self, FieldErrors> {
            self.name = self.name.trim().to_owned();
            let mut errors = FieldErrors::new();
            if self.name.is_empty() {
                errors.add("name", Reason::new("name.required"));
            }
            errors.or(self)
        }
        fn greeting(&self) -> Option<String> {
            Some(self.name.clone())
        }
    }

    #[test]
    fn a_section_is_tidied_checked_and_read_back() {
        let schema = Sections::<(Name,)>::new(1);
        let kept = schema.check("name", json!({"name": " Jo "})).unwrap();
        let profile = StoredProfile::new(1, Map::from_iter([("name".to_owned(), kept)]));
        assert_eq!(profile.get::<Name>().unwrap().name, "Jo");
        assert_eq!(schema.greeting(&profile).as_deref(), Some("Jo"));
    }

    #[test]
    fn a_field_nobody_asked_for_is_refused() {
        // REG-1, P-09
        let schema = Sections::<(Name,)>::new(1);
        let refused = schema
            .check("name", json!({"name": "Jo", "role": "admin"}))
            .unwrap_err();
        assert_eq!(refused.iter().next().unwrap().reason, WRONG_SHAPE);
        assert!(schema.check("other", json!({})).is_err());
    }

    #[test]
    fn a_profile_without_sections_is_valid() {
        let schema = Sections::<()>::new(1);
        assert!(schema.sections().is_empty());
        assert_eq!(schema.greeting(&StoredProfile::new(1, Map::new())), None);
    }
}
