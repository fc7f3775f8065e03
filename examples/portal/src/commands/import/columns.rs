//! The first line of the file: which column holds what.

use portal_auth::account::professional_profile::{AboutYou, ProfessionalRole, TextField};

/// The column that every file has.
pub(super) const EMAIL: &str = "email";
/// Beside the text fields of the profile.
pub(super) const GENDER: &str = "gender";

/// What a column may be called, in the order of the pages.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    let about = AboutYou::FIELDS.iter().map(TextField::name);
    let (before, after): (Vec<_>, Vec<_>) = about.partition(|name| *name != "gender_other");
    let work = ProfessionalRole::FIELDS.iter().map(TextField::name);
    std::iter::once(EMAIL)
        .chain(before)
        .chain([GENDER])
        .chain(after)
        .chain(work)
}

/// The columns of a file, from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns(Vec<&'static str>);

impl Columns {
    /// Reads the first line.
    ///
    /// # Errors
    /// A sentence for everything that is wrong with it.
    pub(super) fn read(names: &[String]) -> Result<Self, Vec<String>> {
        if let [only] = names
            && let Some(mark) = [';', '\t'].into_iter().find(|mark| only.contains(*mark))
        {
            let mark = if mark == ';' { "semicolons" } else { "tabs" };
            return Err(vec![format!(
                "The columns are separated by {mark}: save the file as CSV with commas."
            )]);
        }
        let mut columns = Vec::with_capacity(names.len());
        let mut wrong = Vec::new();
        for (index, name) in names.iter().enumerate() {
            match column(name) {
                Ok(column) if columns.contains(&column) => {
                    wrong.push(format!("There are two columns called {column}: remove one of them."));
                }
                Ok(column) => columns.push(column),
                Err(misnamed) => wrong.push(match misnamed {
                    Misnamed::Nameless => {
                        let place = index.saturating_add(1);
                        format!("Column {place} has no name: name it or remove it.")
                    }
                    Misnamed::Secret => format!(
                        "A file of people never holds passwords or answers: remove the column {}. Everybody chooses \
                         their own behind the link that they are mailed.",
                        shown(name)
                    ),
                    Misnamed::Unknown => {
                        let names: Vec<_> = known().collect();
                        format!(
                            "There is no column {}: call it one of {}, or remove it.",
                            shown(name),
                            names.join(", ")
                        )
                    }
                }),
            }
        }
        if !columns.contains(&EMAIL) {
            wrong.push(
                "The column email is missing: the first line names the columns, and one of them is email."
                    .to_owned(),
            );
        }
        if wrong.is_empty() {
            Ok(Self(columns))
        } else {
            Err(wrong)
        }
    }

    pub(super) fn names(&self) -> &[&'static str] {
        &self.0
    }
}

/// Why a name is no column's.
enum Misnamed {
    Nameless,
    Secret,
    Unknown,
}

/// The column that a name means: capitals, blanks and dashes do not matter.
fn column(name: &str) -> Result<&'static str, Misnamed> {
    let plain: String = name
        .trim()
        .to_lowercase()
        .chars()
        .map(|c| if c == ' ' || c == '-' { '_' } else { c })
        .collect();
    let plain = match plain.as_str() {
        "" => return Err(Misnamed::Nameless),
        "e_mail" | "email_address" => EMAIL,
        other => other,
    };
    if let Some(known) = known().find(|known| *known == plain) {
        return Ok(known);
    }
    if plain == "pin" || SECRETS.iter().any(|word| plain.contains(word)) {
        return Err(Misnamed::Secret);
    }
    Err(Misnamed::Unknown)
}

/// Parts of names of what may not be in the file.
const SECRETS: [&str; 7] = [
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "answer",
    "hash",
    "cyfrinair",
];

/// A name as a terminal may show it: short, and without anything that steers.
fn shown(name: &str) -> String {
    let mut short: String = name.trim().chars().take(40).collect();
    if short.len() < name.trim().len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Columns, Vec<String>> {
        let names: Vec<_> = line.split(',').map(str::to_owned).collect();
        Columns::read(&names)
    }

    #[test]
    fn capitals_blanks_and_dashes_of_a_name_do_not_matter() {
        let columns = read(" E-Mail,Forename,Address Line1,WORK-PHONE").unwrap();
        assert_eq!(
            columns.names(),
            ["email", "forename", "address_line1", "work_phone"]
        );
        let all: Vec<_> = known().collect();
        assert_eq!(read(&all.join(",")).unwrap().names(), all);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = read("forename,Shoe size,,forename").unwrap_err();
        assert_eq!(wrong.len(), 4, "{wrong:?}");
        for (sentence, words) in wrong.iter().zip([
            "\"Shoe size\": call it one of email, title",
            "Column 3 has no name",
            "two columns called forename",
            "email is missing",
        ]) {
            assert!(sentence.contains(words), "{sentence}");
        }
    }

    #[test]
    fn a_column_of_secrets_is_refused_with_its_reason() {
        for name in [
            "password",
            "Password Hash",
            "PWD",
            "secret_answer",
            "initial-passwort",
        ] {
            let wrong = read(&format!("email,{name}")).unwrap_err();
            assert!(wrong[0].contains("never holds passwords"), "{name}: {wrong:?}");
        }
    }

    #[test]
    fn other_separators_are_named() {
        assert!(read("email;forename").unwrap_err()[0].contains("semicolons"));
        assert!(read("email\tforename").unwrap_err()[0].contains("tabs"));
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let wrong = read(&format!("email,\u{1b}[31m\u{202e}{}", "x".repeat(500))).unwrap_err();
        assert!(!wrong[0].contains(['\u{1b}', '\u{202e}']), "{wrong:?}");
        assert!(wrong[0].chars().count() < 400, "{wrong:?}");
    }
}
