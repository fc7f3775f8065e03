//! The commands that need the database: serve, migrate, accounts and purge.

use std::error::Error;
use std::process::ExitCode;

use portal_auth::PortalAuth;
use portal_auth::error::Denied;
use portal_auth::features::administer::{AdministerRefused, Administrator};

use super::audit;
use super::{AccountsCommand, Command, Outputs, keys_to_start_with, refused};
use crate::logging;
use crate::service::{Failure, build, open_store, serve};
use crate::settings::{Content, Settings};

/// Who acts here.
const BY: &Administrator = &Administrator::at_the_command_line();

/// Runs one of them to its end.
pub(super) fn run(
    command: &Command,
    settings: &Settings,
    content: &Content,
    outputs: &mut Outputs<'_>,
) -> ExitCode {
    // Keys that cannot be used are a refused configuration; a migration needs none.
    if *command != Command::Migrate
        && let Err(problem) = keys_to_start_with(settings)
    {
        outputs.problem(&problem.sentence);
        return refused();
    }
    if let Err(e) = logging::start(settings.log_format, &settings.log_filter) {
        outputs.problem(&format!("portal: the log cannot be started: {e}"));
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            outputs.problem(&format!("portal: the program cannot start its threads: {e}"));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match command {
            Command::Migrate => migrate(settings, outputs).await,
            Command::Accounts(command) => accounts(command, settings, content, outputs).await,
            Command::Audit(command) => {
                let auth = auth(settings, content).await;
                match auth {
                    Ok(auth) => audit::run(command, &auth, outputs).await,
                    Err(failure) => Err(failure),
                }
            }
            Command::Purge => purge(settings, content, outputs).await,
            Command::Serve | Command::Check | Command::Keys(_) => serve(settings, content).await,
        }
    });
    // A connection that a client keeps open must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            outputs.problem(&format!("portal: {}", chain(&*failure)));
            ExitCode::FAILURE
        }
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

async fn migrate(settings: &Settings, outputs: &mut Outputs<'_>) -> Result<(), Failure> {
    open_store(settings, true).await?;
    outputs.say("The database's schema is up to date.");
    Ok(())
}

/// The library over the database, without pages or background.
async fn auth(settings: &Settings, content: &Content) -> Result<PortalAuth, Failure> {
    let store = open_store(settings, false).await?;
    Ok(build(settings, content, store)?.app.auth.clone())
}

async fn accounts(
    command: &AccountsCommand,
    settings: &Settings,
    content: &Content,
    outputs: &mut Outputs<'_>,
) -> Result<(), Failure> {
    let auth = auth(settings, content).await?;
    let (address, done, what) = match command {
        AccountsCommand::Find(one) => {
            let account = auth.find_account(&one.address).await?;
            let account = account.ok_or(AdministerRefused::NoAccount)?;
            outputs.say(&format!("address   {}", account.email.as_str()));
            outputs.say(&format!("id        {}", account.id));
            outputs.say(&format!("status    {}", account.status.as_str()));
            outputs.say(&format!("two step  {}", account.two_step.as_str()));
            outputs.say(&format!("made      {}", account.created_at));
            return Ok(());
        }
        AccountsCommand::Disable(one) => (
            &one.address,
            auth.disable_account(BY, &one.address).await,
            "is disabled",
        ),
        AccountsCommand::Enable(one) => (
            &one.address,
            auth.enable_account(BY, &one.address).await,
            "is enabled",
        ),
        AccountsCommand::EndSessions(one) => (
            &one.address,
            auth.end_all_sessions(BY, &one.address).await,
            "has no session any more",
        ),
        AccountsCommand::Unlock(one) => (
            &one.address,
            auth.unlock_account(BY, &one.address).await,
            "is open for tries again",
        ),
    };
    match done {
        Ok(()) => {
            outputs.say(&format!("The account {} {what}.", address.as_str()));
            Ok(())
        }
        Err(Denied::Refused(refused)) => Err(refused.into()),
        Err(denied) => Err(Box::new(denied)),
    }
}

async fn purge(settings: &Settings, content: &Content, outputs: &mut Outputs<'_>) -> Result<(), Failure> {
    let store = open_store(settings, false).await?;
    let portal = build(settings, content, store)?;
    let removed = portal.background.purge_all().await?;
    for part in &portal.app.export_parts {
        part.forget_the_gone().await?;
    }
    outputs.say(&format!("{removed} rows that were over have been removed."));
    Ok(())
}
