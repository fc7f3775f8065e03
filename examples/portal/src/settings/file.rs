//! The settings file: flat TOML whose keys are the variables' names in lower case without `PORTAL_`.

use std::fs;
use std::path::Path;

use super::given::Given;
use super::problem::Problems;

const SETTING: &str = "PORTAL_CONFIG";

/// Reads the file at `path`.
///
/// # Errors
/// Every unknown key and every value of a wrong kind, each by its name; or that the file cannot be read. Values
/// are never repeated, since a database or SMTP URL holds a password.
pub(super) fn read(path: &Path) -> Result<Given, Problems> {
    let mut problems = Problems::default();
    match fs::read_to_string(path) {
        Ok(text) => return parse(&text),
        Err(e) => problems.add(
            SETTING,
            format_args!(
                "names {}, which cannot be read ({e}); name a readable TOML file",
                path.display()
            ),
        ),
    }
    Err(problems)
}

/// Reads the text of a settings file.
///
/// # Errors
/// As [`read`].
pub(super) fn parse(text: &str) -> Result<Given, Problems> {
    let mut problems = Problems::default();
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(e) => {
            problems.add(SETTING, syntax(text, &e));
            return Err(problems);
        }
    };
    let mut given = Given::default();
    for (key, value) in table {
        // A file that names another file would make the order of precedence a riddle.
        let Some(slot) = given.slot(&key).filter(|_| key != "config") else {
            problems.add(
                SETTING,
                format_args!("holds the unknown key `{key}`; remove it or correct its spelling"),
            );
            continue;
        };
        match as_typed(value) {
            Some(typed) => *slot = Some(typed),
            None => problems.add(
                SETTING,
                format_args!("holds a value of the wrong kind at `{key}`; write a string, a number, true or false, or a list of strings"),
            ),
        }
    }
    if problems.is_empty() {
        Ok(given)
    } else {
        Err(problems)
    }
}

/// The value as it would stand in a variable.
fn as_typed(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(yes) => Some(yes.to_string()),
        toml::Value::Array(items) => {
            let texts: Option<Vec<_>> = items.into_iter().map(as_text).collect();
            texts.map(|texts| texts.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

fn as_text(value: toml::Value) -> Option<String> {
    if let toml::Value::String(text) = value {
        Some(text)
    } else {
        None
    }
}

/// The parser's own display quotes the offending line, which may hold a password: only its place is told.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let before = error
        .span()
        .and_then(|span| text.get(..span.start))
        .unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    format!("is not TOML at line {line}; correct that line")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_fitting_kind_are_read() {
        let given = parse("base_url = 'https://p.example'\ncode_digits = 7\nmigrate = false\nadmins = ['a@b.example', 'c@d.example']").unwrap();
        assert_eq!(given.base_url.as_deref(), Some("https://p.example"));
        assert_eq!(given.code_digits.as_deref(), Some("7"));
        assert_eq!(given.migrate.as_deref(), Some("false"));
        assert_eq!(given.admins.as_deref(), Some("a@b.example,c@d.example"));
    }

    #[test]
    fn every_unknown_key_is_named() {
        let problems = parse("bas_url = 'x'\nPORTAL_LISTEN = 'y'\nconfig = 'z'")
            .unwrap_err()
            .to_string();
        for key in ["`bas_url`", "`PORTAL_LISTEN`", "`config`"] {
            assert!(problems.contains(key), "{problems}");
        }
    }

    #[test]
    fn an_error_never_repeats_a_value() {
        let wrong_syntax = parse("listen = '127.0.0.1:1'\nsmtp_url = smtps://u:hunter2@h")
            .unwrap_err()
            .to_string();
        assert_eq!(
            wrong_syntax,
            "PORTAL_CONFIG is not TOML at line 2; correct that line.\n"
        );
        let wrong_kind = parse("[smtp_url]\npassword = 'hunter2'").unwrap_err().to_string();
        assert!(
            wrong_kind.contains("`smtp_url`") && !wrong_kind.contains("hunter2"),
            "{wrong_kind}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let problems = read(Path::new("/nonexistent/portal.toml"))
            .unwrap_err()
            .to_string();
        assert!(problems.contains("/nonexistent/portal.toml"), "{problems}");
    }
}
