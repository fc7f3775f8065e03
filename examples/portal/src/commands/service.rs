//! The commands that need the database: serve, migrate, accounts and purge.

use std::process::ExitCode;

use super::{Command, Outputs};
use crate::settings::{Content, Settings};

/// Reports that this build has no service in it yet.
pub(super) fn run(command: &Command, _: &Settings, _: &Content, outputs: &mut Outputs<'_>) -> ExitCode {
    outputs.problem(&format!("portal: this build cannot do {command:?}."));
    ExitCode::FAILURE
}
