//! What a host keeps about a person: sections of its own, checked by its own rules, opaque to the rest of the crate.
//!
//! A host writes one serde struct per section, implements [`Section`] for it and joins them:
//! `Sections::<(AboutYou, WorkDetails)>::new(1)`. The core keeps the result as versioned JSON; `()` is a profile
//! without sections. What a page shows comes from a [`CurrentProfile`], which knows the present schema.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

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

/// Names one state of one section: two states have the same version exactly if they hold the same.
///
/// A form carries it in a hidden field, so that saving can tell whether anybody changed the section since the form
/// was made. It depends on nothing but the content: other changes of the account, and a change that was taken back,
/// leave it alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SectionVersion(String);

impl SectionVersion {
    /// The version of a section that holds `section`; [`Value::Null`] stands for one that is not there.
    #[must_use]
    pub fn of(section: &Value) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"portal-auth section\0");
        hash.update(sorted(section).to_string().as_bytes());
        let hash = hash.finalize();
        Self(Base64UrlUnpadded::encode_string(
            hash.get(..16).unwrap_or_default(),
        ))
    }

    /// The version that a form brought back. Text that is none is simply the version of nothing.
    #[must_use]
    pub fn from_form(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What the form's hidden field holds.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The same JSON with the keys of all objects in order, whatever order a host's build of `serde_json` keeps.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// A person's profile under the present schema: what the pages of "My Account" show.
#[derive(Debug, Clone)]
pub struct CurrentProfile {
    schema: Arc<dyn ProfileSchema>,
    stored: StoredProfile,
}

/// Something that the present schema demands and a profile lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missing {
    /// The section.
    pub section: &'static str,
    /// The field, as in the section's struct; `None` where the whole section cannot be read.
    pub field: Option<String>,
}

impl CurrentProfile {
    /// Reads a stored profile under `schema`.
    ///
    /// # Errors
    /// As [`ProfileSchema::upgrade`].
    pub fn new(schema: Arc<dyn ProfileSchema>, stored: StoredProfile) -> Result<Self, Fault> {
        let stored = schema.upgrade(stored)?;
        Ok(Self { schema, stored })
    }

    /// The section `S`, or `None` where the profile does not have it or it has another shape.
    #[must_use]
    pub fn get<S: Section>(&self) -> Option<S> {
        self.stored.get()
    }

    /// The section called `name` as it is kept; [`Value::Null`] where there is none.
    #[must_use]
    pub fn section(&self, name: &str) -> &Value {
        self.stored.sections.get(name).unwrap_or(&Value::Null)
    }

    /// The version of the section called `name`, for the form that is made from it.
    #[must_use]
    pub fn version(&self, name: &str) -> SectionVersion {
        SectionVersion::of(self.section(name))
    }

    /// What is demanded and not there, in the order of the pages: ask for it, but let the person go on (portal P15).
    ///
    /// A field is missing where checking its section gives a reason that ends in `.required`. What is there and
    /// would not pass today's rules any more is not reported.
    #[must_use]
    pub fn missing(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        for section in self.schema.sections() {
            let kept = match self.stored.sections.get(*section) {
                Some(kept) => kept.clone(),
                None if self.schema.is_optional(section) => continue,
                None => Value::Object(Map::new()),
            };
            let Err(errors) = self.schema.check(section, kept) else {
                continue;
            };
            missing.extend(errors.iter().filter_map(|error| {
                let field = (error.reason != WRONG_SHAPE).then(|| error.field.to_string());
                let lacks = field.is_none() || error.reason.code().ends_with(".required");
                lacks.then_some(Missing { section, field })
            }));
        }
        missing
    }

    /// The profile as it is written back.
    pub(crate) fn into_stored(self) -> StoredProfile {
        self.stored
    }
}

/// One section of a profile: a page of the registration and of "My Account".
pub trait Section: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its stable name, such as `about_you`.
    const NAME: &'static str;

    /// Whether a profile may be without it: a registration then does not ask for it, and nothing reports it missing.
    const OPTIONAL: bool = false;

    /// Tidies what was typed (trims, normalises) and checks it.
    ///
    /// # Errors
    /// Every field that is wrong, at once.
    fn check(self) -> Result<Self, FieldErrors>;

    /// The name by which this section would greet its person, where it knows one.
    fn greeting(&self) -> Option<String> {
        None
    }

    /// The person's names in this section, which no password of theirs may contain.
    fn personal_names(&self) -> Vec<String> {
        self.greeting().into_iter().collect()
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

    /// Whether a profile may be without this section.
    fn is_optional(&self, section: &str) -> bool;

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

    /// The person's names, which no password of theirs may contain (PWD-3).
    fn personal_names(&self, profile: &StoredProfile) -> Vec<String>;
}

/// The reason given for a section that has not the shape of its type.
pub const WRONG_SHAPE: Reason = Reason::new("section.shape");

/// The reason given for a section that holds more than [`SECTION_BYTES`].
pub const TOO_LARGE: Reason = Reason::new("section.too_large");

/// The most that one section may hold, in bytes of its JSON: twice the largest form, so that six of them fit into the
/// row of a draft or an account, which stores limit to 256 KiB (LIM-1, REG-1).
pub const SECTION_BYTES: usize = 32 * 1024;

/// The section, where it is not too large; else its fields that are so by themselves, or the section as a whole.
pub(crate) fn small_enough(name: &str, section: Value) -> Result<Value, FieldErrors> {
    let is_small = |value: &Value| value.to_string().len() <= SECTION_BYTES;
    if is_small(&section) {
        return Ok(section);
    }
    let mut errors = FieldErrors::new();
    let fields = section.as_object().into_iter().flatten();
    for (field, _) in fields.filter(|(_, value)| !is_small(value)) {
        errors.add(field.clone(), TOO_LARGE);
    }
    if errors.is_empty() {
        errors.add(name.to_owned(), TOO_LARGE);
    }
    Err(errors)
}

/// Joins [`Section`]s into a [`ProfileSchema`]: `Sections::<(AboutYou, WorkDetails)>::new(1)`.
pub struct Sections<T> {
    version: u32,
    names: Vec<&'static str>,
    upgrade: Option<Upgrade>,
    joined: PhantomData<fn() -> T>,
}

/// Brings a profile of any older version up to date.
pub type Upgrade = fn(StoredProfile) -> Result<StoredProfile, Fault>;

impl<T: SectionTuple> Sections<T> {
    /// A schema of these sections in version `version`.
    #[must_use]
    pub fn new(version: u32) -> Self {
        Self {
            version,
            names: T::names(),
            upgrade: None,
            joined: PhantomData,
        }
    }

    /// The same schema with a function that moves profiles of older versions to the present one.
    ///
    /// It is called whenever such a profile is read; the result is written back with the person's next change. A
    /// profile that lacks something afterwards keeps working, and [`CurrentProfile::missing`] says what to ask for.
    #[must_use]
    pub fn upgraded_by(mut self, upgrade: Upgrade) -> Self {
        self.upgrade = Some(upgrade);
        self
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

    fn is_optional(&self, section: &str) -> bool {
        T::is_optional(section)
    }

    fn check(&self, section: &str, typed: Value) -> Result<Value, FieldErrors> {
        T::check(section, typed)
    }

    fn upgrade(&self, profile: StoredProfile) -> Result<StoredProfile, Fault> {
        if profile.version == self.version {
            return Ok(profile);
        }
        match self.upgrade.filter(|_| profile.version < self.version) {
            Some(upgrade) => Ok(StoredProfile {
                version: self.version,
                ..upgrade(profile)?
            }),
            None => Err(Fault::permanent(
                "this profile was written by another version of its schema",
            )),
        }
    }

    fn greeting(&self, profile: &StoredProfile) -> Option<String> {
        T::greeting(profile)
    }

    fn personal_names(&self, profile: &StoredProfile) -> Vec<String> {
        T::personal_names(profile)
    }
}

/// A tuple of up to six sections, or `()`.
pub trait SectionTuple: Send + Sync + 'static {
    /// The sections' names in order.
    fn names() -> Vec<&'static str>;
    /// Whether a profile may be without the section called `name`.
    fn is_optional(name: &str) -> bool;
    /// Checks the section called `name`.
    ///
    /// # Errors
    /// As [`ProfileSchema::check`].
    fn check(name: &str, typed: Value) -> Result<Value, FieldErrors>;
    /// The first section's greeting that is there.
    fn greeting(profile: &StoredProfile) -> Option<String>;
    /// The names in all sections that are there.
    fn personal_names(profile: &StoredProfile) -> Vec<String>;
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
    fn is_optional(_: &str) -> bool {
        false
    }
    fn check(name: &str, _: Value) -> Result<Value, FieldErrors> {
        Err(wrong_shape(name))
    }
    fn greeting(_: &StoredProfile) -> Option<String> {
        None
    }
    fn personal_names(_: &StoredProfile) -> Vec<String> {
        Vec::new()
    }
}

macro_rules! section_tuple {
    ($($section:ident),+) => {
        impl<$($section: Section),+> SectionTuple for ($($section,)+) {
            fn names() -> Vec<&'static str> {
                vec![$($section::NAME),+]
            }
            fn is_optional(name: &str) -> bool {
                $((name == $section::NAME && $section::OPTIONAL))||+
            }
            fn check(name: &str, typed: Value) -> Result<Value, FieldErrors> {
                $(if name == $section::NAME { return check_section::<$section>(typed); })+
                Err(wrong_shape(name))
            }
            fn greeting(profile: &StoredProfile) -> Option<String> {
                None$(.or_else(|| profile.get::<$section>()?.greeting()))+
            }
            fn personal_names(profile: &StoredProfile) -> Vec<String> {
                let mut names = Vec::new();
                $(names.extend(profile.get::<$section>().iter().flat_map(Section::personal_names));)+
                names
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

    #[derive(Serialize, Deserialize)]
    struct Hobby {
        hobby: String,
    }

    impl Section for Hobby {
        const NAME: &'static str = "hobby";
        const OPTIONAL: bool = true;
        fn check(self) -> Result<Self, FieldErrors> {
            Ok(self)
        }
    }

    fn read(version: u32, sections: Value) -> Result<CurrentProfile, Fault> {
        let schema = Sections::<(Name, Hobby)>::new(2).upgraded_by(|mut old| {
            if let Some(first) = old.sections.remove("called") {
                old.sections.insert("name".to_owned(), json!({ "name": first }));
            }
            Ok(old)
        });
        let Value::Object(sections) = sections else {
            panic!("{sections}")
        };
        CurrentProfile::new(Arc::new(schema), StoredProfile::new(version, sections))
    }

    #[test]
    fn a_version_depends_on_the_content_alone() {
        let one: Value = serde_json::from_str(r#"{"a":[{"c":1,"b":"x"}],"d":null}"#).unwrap();
        let same: Value = serde_json::from_str(r#"{"d":null,"a":[{"b":"x","c":1}]}"#).unwrap();
        assert_eq!(SectionVersion::of(&one), SectionVersion::of(&same));
        let mut seen = vec![SectionVersion::of(&one)];
        for other in [
            json!({"a": [{"c": 1, "b": "y"}], "d": null}),
            json!({"a": [{"c": 1, "b": "x"}]}),
            json!({"a": {"c": 1, "b": "x"}, "d": null}),
            Value::Null,
        ] {
            let version = SectionVersion::of(&other);
            assert!(!seen.contains(&version), "{other}");
            assert_eq!(version, SectionVersion::from_form(version.as_str()));
            seen.push(version);
        }
    }

    #[test]
    fn an_older_profile_is_upgraded_when_it_is_read_and_a_newer_one_is_not_guessed_at() {
        let profile = read(1, json!({"called": "Jo"})).unwrap();
        assert_eq!(profile.get::<Name>().unwrap().name, "Jo");
        assert_eq!(profile.into_stored().version, 2);
        assert!(read(3, json!({"name": {"name": "Jo"}})).is_err());
        let schema = Sections::<(Name,)>::new(2);
        assert!(schema.upgrade(StoredProfile::new(1, Map::new())).is_err());
    }

    #[test]
    fn what_is_demanded_and_not_there_is_told() {
        let missing = |sections| {
            let found = read(2, sections).unwrap().missing();
            found
                .into_iter()
                .map(|m| (m.section, m.field))
                .collect::<Vec<_>>()
        };
        let whole = ("name", None);
        assert_eq!(missing(json!({"name": {"name": "Jo"}})), []);
        assert_eq!(
            missing(json!({"name": {"name": " "}})),
            [("name", Some("name".to_owned()))]
        );
        // A section without defaults cannot be read at all while it is empty.
        assert_eq!(missing(json!({})), vec![whole.clone()]);
        assert_eq!(
            missing(json!({"name": {"surname": "Jo"}, "hobby": {"hobby": "x"}})),
            [whole]
        );
    }

    #[test]
    fn a_profile_without_sections_is_valid() {
        let schema = Sections::<()>::new(1);
        assert!(schema.sections().is_empty());
        assert_eq!(schema.greeting(&StoredProfile::new(1, Map::new())), None);
    }
}
