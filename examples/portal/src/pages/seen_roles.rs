//! Which roles a page showed (P19), so that what is pressed on it is done to the role that the person saw.

use portal_auth::account::professional_profile::ProfessionalRole;
use portal_auth::account::profile::SectionVersion;
use serde_json::Value;

/// A digest of each role, in the order in which they were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen(Vec<String>);

/// Where a role that was seen stands among the roles of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// Here, and as it was.
    At(usize),
    /// Here, but not as it was; nothing else has changed.
    Changed(usize),
    /// It was removed, and nothing else has changed.
    Removed,
    /// So much has changed that it cannot be told.
    Unclear,
}

impl Seen {
    pub(crate) fn of(roles: &[ProfessionalRole]) -> Self {
        Self(roles.iter().map(digest).collect())
    }

    /// What a form's hidden field brought back; anything else than ours matches no role.
    pub(crate) fn from_form(text: &str) -> Self {
        Self(text.split('.').map(str::to_owned).collect())
    }

    /// What a form's hidden field holds.
    pub(crate) fn to_form(&self) -> String {
        self.0.join(".")
    }

    /// Whether this very role was among them.
    pub(crate) fn has(&self, role: &ProfessionalRole) -> bool {
        self.0.contains(&digest(role))
    }

    /// Where the role that was seen at `index` stands in `present`.
    pub(crate) fn find(&self, index: usize, present: &[ProfessionalRole]) -> Stands {
        let Some(wanted) = self.0.get(index) else {
            return Stands::Unclear;
        };
        let Self(present) = Self::of(present);
        // Of two that are alike, the one in its old place.
        if present.get(index) == Some(wanted) {
            return Stands::At(index);
        }
        if let Some(index) = present.iter().position(|role| role == wanted) {
            return Stands::At(index);
        }
        let others = |roles: &[String]| {
            let mut roles = roles.to_vec();
            (index < roles.len()).then(|| roles.remove(index));
            roles
        };
        if present == others(&self.0) {
            Stands::Removed
        } else if present.len() == self.0.len() && others(&present) == others(&self.0) {
            Stands::Changed(index)
        } else {
            Stands::Unclear
        }
    }
}

fn digest(role: &ProfessionalRole) -> String {
    let role = serde_json::to_value(role).unwrap_or(Value::Null);
    SectionVersion::of(&role).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::field_reassign_with_default,
        reason = "a non-exhaustive struct has no literal here"
    )]
    fn roles(names: &str) -> Vec<ProfessionalRole> {
        let role = |name: char| {
            let mut role = ProfessionalRole::default();
            role.role = name.to_string();
            role
        };
        names.chars().map(role).collect()
    }

    #[test]
    fn a_role_is_found_as_it_was_seen_or_not_at_all() {
        for (seen, index, present, expected) in [
            ("abc", 1, "abc", Stands::At(1)),
            ("abc", 1, "bc", Stands::At(0)),
            ("abc", 1, "abcd", Stands::At(1)),
            ("abc", 1, "xbcd", Stands::At(1)),
            ("aa", 1, "aa", Stands::At(1)),
            ("aa", 1, "a", Stands::At(0)),
            ("abc", 1, "axc", Stands::Changed(1)),
            ("a", 0, "x", Stands::Changed(0)),
            ("abc", 1, "ac", Stands::Removed),
            ("a", 0, "", Stands::Removed),
            // Removed and another one added; changed and another one too: no guess is made.
            ("ab", 0, "bc", Stands::Unclear),
            ("abc", 1, "acd", Stands::Unclear),
            ("abc", 1, "xyc", Stands::Unclear),
            ("abc", 1, "axcd", Stands::Unclear),
            ("abc", 3, "abc", Stands::Unclear),
            ("", 0, "abc", Stands::Unclear),
        ] {
            let form = Seen::of(&roles(seen)).to_form();
            let found = Seen::from_form(&form).find(index, &roles(present));
            assert_eq!(found, expected, "{seen} {index} {present}");
        }
        for forged in ["", ".", "....", "no digest", "a.b.c"] {
            assert_eq!(Seen::from_form(forged).find(0, &roles("abc")), Stands::Unclear);
        }
    }
}
