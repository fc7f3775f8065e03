//! The commands that need the database, each brought to its end on a runtime of its own.

use std::process::ExitCode;

use portal_auth::PortalAuth;

use super::{Command, Outputs, accounts, audit, keys_to_start_with, outbox, refused};
use crate::logging;
use crate::service::{Failure, Portal, build, open_store, serve};
use crate::settings::{Content, Settings};

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
            Command::Accounts(command) => {
                let portal = portal(settings, content).await?;
                accounts::run(command, &portal.app.auth, outputs).await?;
                // What the portal keeps itself goes with an erased account.
                forget_the_gone(&portal).await
            }
            Command::Outbox(command) => {
                let auth = auth(settings, content).await?;
                outbox::run(command, &auth, outputs).await
            }
            Command::Audit(command) => {
                let auth = auth(settings, content).await?;
                audit::run(command, &auth, outputs).await
            }
            Command::Purge => purge(settings, content, outputs).await,
            Command::Serve | Command::Check | Command::Keys(_) | Command::Mail(_) => {
                serve(settings, content).await
            }
        }
    });
    // A connection that a client keeps open must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => outputs.failed(&*failure),
    }
}

async fn migrate(settings: &Settings, outputs: &mut Outputs<'_>) -> Result<(), Failure> {
    open_store(settings, true).await?;
    outputs.say("The database's schema is up to date.");
    Ok(())
}

/// The library over the database, without pages or background.
async fn auth(settings: &Settings, content: &Content) -> Result<PortalAuth, Failure> {
    Ok(portal(settings, content).await?.app.auth.clone())
}

/// The whole portal over the database, of which nothing runs.
async fn portal(settings: &Settings, content: &Content) -> Result<Portal, Failure> {
    let opened = open_store(settings, false).await?;
    build(settings, content, opened)
}

async fn forget_the_gone(portal: &Portal) -> Result<(), Failure> {
    for part in &portal.app.export_parts {
        part.forget_the_gone().await?;
    }
    Ok(())
}

async fn purge(settings: &Settings, content: &Content, outputs: &mut Outputs<'_>) -> Result<(), Failure> {
    let portal = portal(settings, content).await?;
    let removed = portal.background.purge_all().await?;
    forget_the_gone(&portal).await?;
    outputs.say(&format!("{removed} rows that were over have been removed."));
    Ok(())
}
