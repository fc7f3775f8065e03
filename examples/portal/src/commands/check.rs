//! `portal check`: what is wrong with the configuration, or what it says.

use std::process::ExitCode;

use portal_auth::environment::SystemEntropy;

use super::{Outputs, refused};
use crate::keys_file;
use crate::service::breached_passwords;
use crate::settings::{Problem, Settings};

/// The settings and content files have been read without a problem; what is left is the keys file
/// and the list of breached passwords.
pub(super) fn run(settings: &Settings, outputs: &mut Outputs<'_>) -> ExitCode {
    if let Some(problem) = keys_problem(settings) {
        outputs.problem(&problem.sentence);
        return refused();
    }
    if let Some(path) = &settings.breached_passwords
        && let Err(failure) = breached_passwords(path)
    {
        outputs.problem(&failure.to_string());
        return refused();
    }
    if let Some(warning) = keys_file::exposure(&settings.keys_file) {
        outputs.problem(&format!("Warning: {warning}."));
    }
    for (name, value) in settings.shown() {
        outputs.say(&format!("{name}: {value}"));
    }
    outputs.say("The configuration has no problems.");
    ExitCode::SUCCESS
}

/// What is wrong with the keys file. That it is missing is right where the first start makes it.
fn keys_problem(settings: &Settings) -> Option<Problem> {
    match keys_file::read(&settings.keys_file) {
        Ok(_) => None,
        Err(keys_file::KeysError::Missing(_)) if settings.base_is_loopback() => None,
        Err(e) => Some(Problem::new(
            "PORTAL_KEYS_FILE",
            format_args!("cannot be used: {e}"),
        )),
    }
}

/// The keys to start with: read from the file, which is made only where the base URL is loopback.
///
/// # Errors
/// The problem to tell before the start is refused.
pub fn keys_to_start_with(settings: &Settings) -> Result<Vec<keys_file::KeyLine>, Problem> {
    let keys = if settings.base_is_loopback() {
        keys_file::read_or_generate(&settings.keys_file, &SystemEntropy::default())
    } else {
        keys_file::read(&settings.keys_file)
    };
    keys.map_err(|e| Problem::new("PORTAL_KEYS_FILE", format_args!("cannot be used: {e}")))
}
