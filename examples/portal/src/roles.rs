//! The professional roles to choose from. Free text is always accepted beside them.

use crate::logging::is_unsafe_to_print;

/// A role and the short names people search it by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// The name, as it is stored.
    pub name: String,
    /// Other names, such as `SALT`.
    pub aliases: Vec<String>,
}

/// The roles of a deployment, in the order of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

/// What is wrong with a roles file, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
#[non_exhaustive]
pub struct RolesError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub what: &'static str,
}

impl Roles {
    /// Reads a role a line, aliases after `|` and separated by further `|`. Blank lines and `#` lines do not count.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, RolesError> {
        let mut roles: Vec<Role> = Vec::new();
        for (line, written) in (1..).zip(text.lines()) {
            let wrong = |what| RolesError { line, what };
            if written.trim().is_empty() || written.starts_with('#') {
                continue;
            }
            let mut names = written.split('|').map(str::trim);
            let name = names.next().unwrap_or_default();
            let aliases: Vec<_> = names
                .filter(|alias| !alias.is_empty())
                .map(str::to_owned)
                .collect();
            if name.is_empty() {
                return Err(wrong("a role must stand before the first |"));
            }
            if written.chars().any(is_unsafe_to_print) {
                return Err(wrong("remove hidden characters"));
            }
            if [name]
                .into_iter()
                .chain(aliases.iter().map(String::as_str))
                .any(|n| n.chars().count() > LONGEST)
            {
                return Err(wrong("a role or alias may have at most 100 characters"));
            }
            if roles.iter().any(|role| role.name.eq_ignore_ascii_case(name)) {
                return Err(wrong("the role stands on a line above already"));
            }
            roles.push(Role {
                name: name.to_owned(),
                aliases,
            });
        }
        if roles.is_empty() {
            return Err(RolesError {
                line: 1,
                what: "there is no role in the file; write one a line",
            });
        }
        Ok(Self(roles))
    }

    /// The roles one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.0.iter()
    }
}

/// LIM-2: what a person may type is what a file may offer.
const LONGEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_follow_the_role() {
        let roles = Roles::parse("# ours\n\nSpeech & Language Therapist | SALT | SLT\r\nTeacher\n").unwrap();
        let read: Vec<_> = roles
            .iter()
            .map(|r| (r.name.as_str(), r.aliases.join("+")))
            .collect();
        assert_eq!(
            read,
            [
                ("Speech & Language Therapist", "SALT+SLT".to_owned()),
                ("Teacher", String::new())
            ]
        );
    }

    #[test]
    fn a_wrong_line_is_told() {
        for (text, line) in [
            ("Teacher\n | SALT", 2),
            ("Teacher\nteacher", 2),
            ("Tea\u{202e}cher", 1),
            ("# nothing", 1),
            (&"x".repeat(101), 1),
        ] {
            assert_eq!(Roles::parse(text).unwrap_err().line, line, "{text:?}");
        }
    }

    #[test]
    fn the_sample_has_the_roles_of_the_guide() {
        let roles = Roles::parse(include_str!("../content/roles.txt")).unwrap();
        assert_eq!(roles.iter().count(), 19);
        for (alias, name) in [
            ("SALT", "Speech & Language Therapist"),
            ("EP", "Educational Psychologist"),
            ("EWO", "Education Welfare Officer"),
        ] {
            let role = roles
                .iter()
                .find(|r| r.aliases.iter().any(|a| a == alias))
                .unwrap();
            assert_eq!(role.name, name);
        }
    }
}
