//! What somebody has typed so far, kept on the server and found by a token that only their browser holds.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::chosen_question::ChosenQuestion;
use crate::account::email::EmailAddress;
use crate::account::profile::ProfileSchema;
use crate::environment::Timestamp;
use crate::key::key_type;
use crate::link::LinkKey;
use crate::password::hash::StoredHash;
use crate::registration::RegistrationId;

key_type! {
    /// Finds a draft: the first 16 bytes of SHA-256 over its purpose and the token's random part.
    DraftKey, 16
}

/// A draft as one row: the body is this module's own [`Draft`] as JSON, opaque to a store.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct DraftRow {
    /// Finds it.
    pub key: DraftKey,
    /// Rises by one with every update; 1 when inserted.
    pub version: i64,
    /// The draft as JSON.
    pub body: String,
    /// From when on it is gone.
    pub expires_at: Timestamp,
}

impl fmt::Debug for DraftRow {
    /// Leaves out the body: hashes, an address, and what was typed (HASH-7, LOG-2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DraftRow")
            .field("key", &self.key)
            .field("version", &self.version)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The first step as it is kept: hashes, never what was typed (REG-1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SecurityDetailsDone {
    /// The address to register.
    pub email: EmailAddress,
    /// The password's hash.
    pub password: StoredHash,
    /// The chosen question.
    pub question: Option<ChosenQuestion>,
    /// The answer's hash.
    pub answer: Option<StoredHash>,
}

impl SecurityDetailsDone {
    /// The first step, once it is right.
    #[must_use]
    pub const fn new(
        email: EmailAddress,
        password: StoredHash,
        question: Option<ChosenQuestion>,
        answer: Option<StoredHash>,
    ) -> Self {
        Self {
            email,
            password,
            question,
            answer,
        }
    }
}

/// One section of the profile in a draft: as it was typed, and whether it was right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SectionDraft {
    /// What was typed, in the shape of the section, unchecked when `done` is false.
    pub value: serde_json::Value,
    /// Whether it passed its check, so that the next step is open.
    pub done: bool,
}

impl SectionDraft {
    /// A section as it was typed.
    #[must_use]
    pub const fn new(value: serde_json::Value, done: bool) -> Self {
        Self { value, done }
    }
}

/// Everything typed so far, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Draft {
    /// The first step, once it is done.
    pub security: Option<SecurityDetailsDone>,
    /// The sections of the profile that were saved, by name.
    pub sections: BTreeMap<String, SectionDraft>,
    /// The address that a mailed link has proven for this browser ("I did not choose this password").
    pub proven: Option<Proven>,
    /// What the draft became.
    pub submitted: Option<Submitted>,
}

/// An address proven in this browser by a link that is still to be used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proven {
    /// The address.
    pub email: EmailAddress,
    /// The link that proved it; completing the registration uses it.
    pub link: LinkKey,
}

impl Proven {
    /// An address and the link that proved it.
    #[must_use]
    pub const fn new(email: EmailAddress, link: LinkKey) -> Self {
        Self { email, link }
    }
}

/// A draft that was sent off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Submitted {
    /// The registration it became.
    pub registration: RegistrationId,
    /// Where its mail went.
    pub email: EmailAddress,
    /// When the last mail was asked for.
    pub mailed_at: Timestamp,
    /// Until when its link works.
    pub link_expires_at: Timestamp,
    /// Whether it was completed at once because the address was already proven.
    pub activated: bool,
    /// Whether its mail was not queued because a quota was used up.
    #[serde(default)]
    pub withheld: bool,
}

impl Submitted {
    /// A registration that was sent off.
    #[must_use]
    pub const fn new(
        registration: RegistrationId,
        email: EmailAddress,
        mailed_at: Timestamp,
        link_expires_at: Timestamp,
        activated: bool,
    ) -> Self {
        Self {
            registration,
            email,
            mailed_at,
            link_expires_at,
            activated,
            withheld: false,
        }
    }

    /// The same, noting whether its mail was `withheld`.
    #[must_use]
    pub(crate) fn with_mail(self, withheld: bool) -> Self {
        Self { withheld, ..self }
    }
}

/// The steps of a registration, in order: the first, then the profile's sections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Address, password, secret question.
    SecurityDetails,
    /// A section of the profile, by name.
    Section(String),
}

impl Draft {
    /// The first step that is not done; `None` when all are (REG-1).
    ///
    /// An optional section counts only once something was typed into it.
    #[must_use]
    pub fn first_open_step(&self, profile: &dyn ProfileSchema) -> Option<Step> {
        if self.security.is_none() {
            return Some(Step::SecurityDetails);
        }
        let is_done = |name: &str| match self.sections.get(name) {
            Some(section) => section.done,
            None => profile.is_optional(name),
        };
        profile
            .sections()
            .iter()
            .find(|name| !is_done(name))
            .map(|name| Step::Section((*name).to_owned()))
    }

    /// Whether `step` may be opened: every step before it is done.
    #[must_use]
    pub fn may_open(&self, step: &Step, profile: &dyn ProfileSchema) -> bool {
        match (step, self.first_open_step(profile)) {
            (_, None) | (Step::SecurityDetails, _) => true,
            (Step::Section(_), Some(Step::SecurityDetails)) => false,
            (Step::Section(wanted), Some(Step::Section(open))) => {
                let at = |name: &str| profile.sections().iter().position(|s| *s == name);
                matches!((at(wanted), at(&open)), (Some(w), Some(o)) if w <= o)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::profile::{Section, Sections};
    use crate::error::FieldErrors;

    macro_rules! section {
        ($type:ident, $name:literal, $optional:literal) => {
            #[derive(Serialize, Deserialize)]
            struct $type;

            impl Section for $type {
                const NAME: &'static str = $name;
                const OPTIONAL: bool = $optional;
                fn check(self) -> Result<Self, FieldErrors> {
                    Ok(self)
                }
            }
        };
    }
    section!(AboutYou, "about_you", false);
    section!(Hobbies, "hobbies", true);
    section!(WorkDetails, "work_details", false);

    fn security() -> SecurityDetailsDone {
        SecurityDetailsDone::new(
            EmailAddress::parse("jo@school.example").unwrap(),
            StoredHash::parse(&format!(
                "$argon2id$v=19$m=8,t=1,p=1${}${}",
                "A".repeat(22),
                "A".repeat(43)
            ))
            .unwrap(),
            None,
            None,
        )
    }

    #[test]
    fn steps_open_in_order_and_stay_open() {
        // REG-1, I-08
        let section = |n: &str| Step::Section(n.to_owned());
        let schema = Sections::<(AboutYou, Hobbies, WorkDetails)>::new(1);
        let mut draft = Draft::default();
        assert_eq!(draft.first_open_step(&schema), Some(Step::SecurityDetails));
        assert!(!draft.may_open(&section("about_you"), &schema));
        draft.security = Some(security());
        assert!(draft.may_open(&section("about_you"), &schema));
        assert!(!draft.may_open(&section("hobbies"), &schema));
        assert!(!draft.may_open(&section("work_details"), &schema));
        assert!(!draft.may_open(&section("no_such"), &schema));
        draft.sections.insert(
            "about_you".into(),
            SectionDraft::new(serde_json::json!({}), false),
        );
        assert!(!draft.may_open(&section("work_details"), &schema));
        draft
            .sections
            .insert("about_you".into(), SectionDraft::new(serde_json::json!({}), true));
        assert!(draft.may_open(&section("hobbies"), &schema));
        assert!(draft.may_open(&section("work_details"), &schema));
        // What was begun must be finished, even where it may be left out.
        draft
            .sections
            .insert("hobbies".into(), SectionDraft::new(serde_json::json!({}), false));
        assert!(!draft.may_open(&section("work_details"), &schema));
        assert!(draft.sections.remove("hobbies").is_some());
        draft.sections.insert(
            "work_details".into(),
            SectionDraft::new(serde_json::json!({}), true),
        );
        assert_eq!(draft.first_open_step(&schema), None);
        assert!(draft.may_open(&Step::SecurityDetails, &schema));
    }

    #[test]
    fn a_drafts_row_shows_nothing_that_was_typed() {
        // HASH-7, LOG-2
        let row = DraftRow {
            body: "val@school.example $argon2id$".into(),
            ..crate::testkit::rows::draft(1)
        };
        let shown = format!("{row:?}");
        assert!(!shown.contains("val") && !shown.contains("argon2"), "{shown}");
    }
}
