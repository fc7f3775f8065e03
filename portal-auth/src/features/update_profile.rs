//! Changing what the service keeps about a person: one section of the profile at a time.
//!
//! A form carries the [`SectionVersion`] of what it was made from. Where the section holds something else by the time
//! it is saved, nothing is written and the person is shown both; saving with the new version then goes through, so
//! nobody's text is lost and nobody's is overwritten unseen. Only the section's own content counts: other changes of
//! the account do not disturb a form. No fresh proof is asked for, since nothing here opens a door, and no mail is
//! sent. Audited as `profile.updated` with the section's name.

use std::sync::Arc;

use serde_json::Value;

use crate::account::profile::{CurrentProfile, ProfileSchema, Section, SectionVersion, small_enough};
use crate::account::snapshot::AccountRow;
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, FieldErrors, Reason};
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::secret::token::SessionToken;
use crate::session::SessionEnd;
use crate::session_gate::Activity;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What became of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileUpdate {
    /// It was replaced; this is its version from now on.
    Saved(SectionVersion),
    /// It held the same already; nothing was written.
    Unchanged,
}

/// Why a section was not saved.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ProfileRefused {
    /// The session has ended: sign in again. Keep what was typed.
    SessionEnded(SessionEnd),
    /// These fields are wrong; all are told at once.
    Fields(FieldErrors),
    /// Somebody saved the section since the form was made: show both, and let the person save again with the version
    /// in here.
    Changed(Box<ChangedSection>),
    /// The service's profile has no section of that name; a page of the host is wrong.
    NoSuchSection,
}

/// A section that is not what a form was made from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChangedSection {
    /// What it holds now; [`Value::Null`] where there is none.
    pub section: Value,
    /// The version to save again with, once the person has seen it.
    pub version: SectionVersion,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// Who saved it.
    pub by: Actor,
    /// Browser and system of whoever saved it, such as "Firefox on Windows"; empty where that is not known.
    pub browser: String,
}

impl ChangedSection {
    /// What it holds now, where it is a whole section `S`.
    #[must_use]
    pub fn get<S: Section>(&self) -> Option<S> {
        serde_json::from_value(self.section.clone()).ok()
    }
}

const UPDATED: Reason = Reason::new("profile.updated");

/// How many of the latest changes are looked through for the one that changed a section.
const LOOKED_THROUGH: u32 = 50;

impl PortalAuth {
    /// The profile of an account under the present schema, for the pages that show it.
    ///
    /// # Errors
    /// A [`Fault`] when the profile was written by a version of the schema that this one cannot understand.
    pub fn profile(&self, account: &AccountRow) -> Result<CurrentProfile, Fault> {
        let schema = Arc::clone(&self.inner.config.registration.profile);
        CurrentProfile::new(schema, account.profile.clone())
    }

    /// What the section `S` of an account holds, with who saved it last and when: for a page that lets people change
    /// parts of a section and finds one of them changed.
    ///
    /// # Errors
    /// As [`profile`](Self::profile), and when the store fails.
    pub async fn last_change<S: Section>(&self, account: &AccountRow) -> Result<ChangedSection, Fault> {
        let profile = self.profile(account)?;
        self.inner.last_change(S::NAME, account, &profile).await
    }

    /// Replaces the section `S` of the signed-in person's profile.
    ///
    /// `seen` is the [version](CurrentProfile::version) that the form was made from.
    ///
    /// # Errors
    /// `Refused` with what is wrong, or with what somebody else saved in between.
    pub async fn update_profile<S: Section>(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        section: &S,
        seen: &SectionVersion,
    ) -> Result<ProfileUpdate, Denied<ProfileRefused>> {
        let typed = serde_json::to_value(section)
            .map_err(|e| Fault::permanent("a section of the profile cannot be written").because(e))?;
        self.update_profile_section(visitor, token, S::NAME, typed, seen)
            .await
    }

    /// As [`update_profile`](Self::update_profile), for a host that knows its sections by name.
    ///
    /// # Errors
    /// As [`update_profile`](Self::update_profile), and where there is no such section.
    pub async fn update_profile_section(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        name: &str,
        typed: Value,
        seen: &SectionVersion,
    ) -> Result<ProfileUpdate, Denied<ProfileRefused>> {
        let inner = &*self.inner;
        let schema = &*inner.config.registration.profile;
        let Some(name) = schema.sections().iter().find(|s| **s == name).copied() else {
            return Err(Denied::Refused(ProfileRefused::NoSuchSection));
        };
        for _ in 0..ATTEMPTS {
            let signed_in = inner
                .live_session(token, Activity::Counts)
                .await
                .map_err(|e| e.map(ProfileRefused::SessionEnded))?;
            let account = self.account(&signed_in).await?;
            if account.auth_epoch != signed_in.session().epoch {
                // It moved in between; the next look at the session says what that means.
                continue;
            }
            let profile = self.profile(&account)?;
            let kept = match decide(schema, name, &profile, typed.clone(), seen) {
                Decision::Wrong(errors) => return Err(Denied::Refused(ProfileRefused::Fields(errors))),
                Decision::Clash => {
                    let changed = inner.last_change(name, &account, &profile).await?;
                    return Err(Denied::Refused(ProfileRefused::Changed(Box::new(changed))));
                }
                Decision::Leave => return Ok(ProfileUpdate::Unchanged),
                Decision::Save(kept) => kept,
            };
            let now = inner.now();
            let event = Event::new(UPDATED, Actor::Owner)
                .about(account.id)
                .because(Reason::new(name));
            let event = inner.audit(inner.seen_from(event, visitor, Some(&account.email)), now)?;
            let version = SectionVersion::of(&kept);
            let mut stored = profile.into_stored();
            stored.sections.insert(name.to_owned(), kept);
            let row = AccountRow {
                profile: stored,
                updated_at: now,
                ..account
            };
            let work = UnitOfWork::new(event).change(Change::Account(Box::new(Write::Update(row))));
            if inner.commit(work).await? == Commit::Done {
                return Ok(ProfileUpdate::Saved(version));
            }
        }
        Err(contended())
    }
}

impl Inner {
    /// The section as it is, with who saved it and when, as far as the audit still knows.
    async fn last_change(
        &self,
        name: &str,
        account: &AccountRow,
        profile: &CurrentProfile,
    ) -> Result<ChangedSection, Fault> {
        let changes = self
            .store
            .activity(account.id, &[UPDATED.code()], LOOKED_THROUGH)
            .await?;
        let change = changes.into_iter().find(|change| change.reason == name);
        let (saved_at, by, browser) = change.map_or_else(
            || (account.updated_at, Actor::Owner, String::new()),
            |change| (change.at, change.actor, change.label),
        );
        Ok(ChangedSection {
            section: profile.section(name).clone(),
            version: profile.version(name),
            saved_at,
            by,
            browser,
        })
    }
}

#[derive(Debug, PartialEq)]
enum Decision {
    Wrong(FieldErrors),
    Leave,
    Clash,
    Save(Value),
}

/// What was typed is judged first, so that a person mends it on the page they know. What is there already is no
/// clash, whatever the form was made from: a button pressed twice saves once.
fn decide(
    schema: &dyn ProfileSchema,
    name: &str,
    profile: &CurrentProfile,
    typed: Value,
    seen: &SectionVersion,
) -> Decision {
    let checked = schema.check(name, typed);
    match checked.and_then(|kept| small_enough(name, kept)) {
        Err(errors) => Decision::Wrong(errors),
        Ok(kept) if kept == *profile.section(name) => Decision::Leave,
        Ok(_) if profile.version(name) != *seen => Decision::Clash,
        Ok(kept) => Decision::Save(kept),
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::{Map, json};

    use super::*;
    use crate::account::profile::{Sections, StoredProfile};

    #[derive(Serialize, Deserialize)]
    struct Name {
        name: String,
    }

    impl Section for Name {
        const NAME: &'static str = "name";
        fn check(self) -> Result<Self, FieldErrors> {
            let mut errors = FieldErrors::new();
            if self.name.is_empty() {
                errors.add("name", Reason::new("name.required"));
            }
            errors.or(self)
        }
    }

    #[test]
    fn only_a_right_section_over_the_one_that_was_seen_is_saved() {
        let schema = Arc::new(Sections::<(Name,)>::new(1));
        let (old, new) = (json!({"name": "Jo"}), json!({"name": "Val"}));
        let version = SectionVersion::of;
        let none = version(&Value::Null);
        for (kept, typed, seen, expected) in [
            (Some(&old), &new, version(&old), Decision::Save(new.clone())),
            (Some(&old), &new, version(&new), Decision::Clash),
            (Some(&old), &new, none.clone(), Decision::Clash),
            (Some(&old), &new, SectionVersion::from_form(""), Decision::Clash),
            (Some(&old), &old, version(&old), Decision::Leave),
            (Some(&old), &old, version(&new), Decision::Leave),
            (None, &new, none, Decision::Save(new.clone())),
            (None, &new, version(&old), Decision::Clash),
        ] {
            let mut sections = Map::new();
            if let Some(kept) = kept {
                sections.insert("name".to_owned(), kept.clone());
            }
            let profile = CurrentProfile::new(
                Arc::<Sections<_>>::clone(&schema),
                StoredProfile::new(1, sections),
            )
            .unwrap();
            let decided = decide(&*schema, "name", &profile, typed.clone(), &seen);
            assert_eq!(decided, expected, "{kept:?} {typed} {seen:?}");
            let wrong = decide(&*schema, "name", &profile, json!({"name": ""}), &seen);
            assert!(matches!(wrong, Decision::Wrong(_)), "{wrong:?}");
        }
    }
}
