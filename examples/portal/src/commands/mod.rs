//! The command line: what `portal` can be asked to do.
//!
//! Exit status: 0 done, 1 failed while running, 2 wrong usage or a refused configuration. Problems go to standard
//! error, one sentence each.

mod accounts;
mod audit;
mod check;
mod export;
mod import;
mod keys;
mod mail;
mod outbox;
mod service;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use portal_auth::account::email::EmailAddress;

pub use self::accounts::{AccountsCommand, Beginning, OneAccount};
pub use self::audit::{AuditCommand, VerifyAudit};
pub use self::check::keys_to_start_with;
pub use self::export::Export;
pub use self::import::Import;
pub use self::keys::KeysCommand;
pub use self::mail::{MailCommand, Preview};
pub use self::outbox::{OneMail, OutboxCommand, Wanted};
use crate::settings::{Given, keys_file, load};

/// A complete professional portal: accounts, sign-in, two-step areas.
#[derive(Debug, Parser)]
#[command(name = "portal", version, about, long_about = None, max_term_width = 120)]
#[non_exhaustive]
pub struct Cli {
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The settings of flags and variables.
    #[command(flatten)]
    pub given: Given,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Answers requests until it is told to end (the default)
    Serve,
    /// Brings the database's schema up to date
    Migrate,
    /// Says each problem of the configuration with its fix
    Check,
    /// Makes, rotates and lists the secret keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Looks after accounts
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Looks after mails that wait or were given up
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Shows what mails say
    #[command(subcommand)]
    Mail(MailCommand),
    /// Checks that nobody has changed the audit
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Removes what has expired
    Purge,
}

/// Runs the program with the arguments and the environment of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Nothing is left to tell where even this cannot be written.
            let _unwritten = e.print();
            return if e.use_stderr() {
                refused()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let mut outputs = Outputs {
        out: &mut io::stdout(),
        err: &mut io::stderr(),
    };
    let done = match cli.command.unwrap_or(Command::Serve) {
        // Keys can be made before the rest of the configuration is complete.
        Command::Keys(command) => keys_file(cli.given).map(|path| keys::run(&command, &path, &mut outputs)),
        Command::Check => load(cli.given).map(|(settings, _)| check::run(&settings, &mut outputs)),
        Command::Mail(command) => load(cli.given).map(|(settings, content)| {
            match mail::run(&command, &settings, &content, &mut outputs) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => outputs.failed(&*failure),
            }
        }),
        service @ (Command::Serve
        | Command::Migrate
        | Command::Accounts(_)
        | Command::Outbox(_)
        | Command::Audit(_)
        | Command::Purge) => load(cli.given)
            .map(|(settings, content)| service::run(&service, &settings, &content, &mut outputs)),
    };
    done.unwrap_or_else(|problems| {
        outputs.problem(problems.to_string().trim_end());
        refused()
    })
}

/// The definition of the command line, for documentation.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Wrong usage, or a configuration that is refused.
fn refused() -> ExitCode {
    ExitCode::from(2)
}

/// Where a command writes.
struct Outputs<'a> {
    out: &'a mut (dyn Write + Send),
    err: &'a mut (dyn Write + Send),
}

impl Outputs<'_> {
    /// Writes a line of the answer; false where nobody reads it any more, as with `portal keys list | head -1`.
    fn say(&mut self, line: &str) -> bool {
        writeln!(self.out, "{line}").is_ok()
    }

    /// Writes what went wrong.
    fn problem(&mut self, sentences: &str) {
        // Nothing is left to tell where even this cannot be written.
        let _unwritten = writeln!(self.err, "{sentences}");
    }

    /// Writes why the command failed: the error and what caused it, in one sentence.
    fn failed(&mut self, error: &dyn Error) -> ExitCode {
        self.problem(&format!("portal: {}", chain(error)));
        ExitCode::FAILURE
    }
}

/// An error and what caused it, in one sentence.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn address(typed: &str) -> Result<EmailAddress, &'static str> {
    EmailAddress::parse(typed).map_err(|_| "write an email address like name@example.com")
}
