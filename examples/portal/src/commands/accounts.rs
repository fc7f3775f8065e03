//! `portal accounts`: looks after the accounts of addresses, in the name of the command line.

use std::error::Error;

use portal_auth::PortalAuth;
use portal_auth::account::email::EmailAddress;
use portal_auth::error::Denied;
use portal_auth::features::administer::{AdministerRefused, Administrator};
use portal_auth::features::look_up_accounts::{AccountQuery, MOST_LISTED};

use super::{Export, Import, Outputs, address, export, import};
use crate::service::Failure;

/// Who acts here.
pub(super) const BY: &Administrator = &Administrator::at_the_command_line();

/// What to do with the account of an address.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
#[non_exhaustive]
pub enum AccountsCommand {
    /// Shows the account of an address
    Find(OneAccount),
    /// Lists accounts by the beginning of their address
    List(Beginning),
    /// Closes sign-in and ends every session
    Disable(OneAccount),
    /// Opens sign-in again
    Enable(OneAccount),
    /// Ends every session
    EndSessions(OneAccount),
    /// Lifts the wait after too many tries
    Unlock(OneAccount),
    /// Turns Two Step Verification off for an owner who has lost the mailbox's codes
    ClearTwoStep(OneAccount),
    /// Mails a reset link that asks for no secret answer
    StartReset(OneAccount),
    /// Removes the account and all its data at once; nobody can bring it back
    Erase(OneAccount),
    /// Mails people of a CSV file a link behind which they choose their own password
    Import(Import),
    /// Mails the link of a registration that waits once more
    SendLink(OneAccount),
    /// Lists every account as CSV
    Export(Export),
}

/// An account, by its address.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct OneAccount {
    /// Its email address
    #[arg(value_name = "ADDRESS", value_parser = address)]
    pub address: EmailAddress,
}

/// Accounts, by the beginning of their addresses.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct Beginning {
    /// What the addresses begin with; all accounts when nothing is said
    #[arg(value_name = "BEGINNING", default_value = "")]
    pub beginning: String,
    /// Goes on behind this address, the last one of the list before
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub after: Option<EmailAddress>,
}

pub(super) async fn run(
    command: &AccountsCommand,
    auth: &PortalAuth,
    outputs: &mut Outputs<'_>,
) -> Result<(), Failure> {
    let (address, what) = match command {
        AccountsCommand::Find(one) => return find(auth, &one.address, outputs).await,
        AccountsCommand::List(wanted) => return list(auth, wanted, outputs).await,
        AccountsCommand::Import(wanted) => return import::run(wanted, auth, outputs).await,
        AccountsCommand::Export(wanted) => return export::run(wanted, auth, outputs).await,
        AccountsCommand::SendLink(one) => {
            told(auth.send_registration_link(BY, &one.address).await)?;
            outputs.say(&format!(
                "The link is mailed to {} once more.",
                one.address.as_str()
            ));
            return Ok(());
        }
        AccountsCommand::Disable(one) => {
            told(auth.disable_account(BY, &one.address).await)?;
            (&one.address, "is disabled")
        }
        AccountsCommand::Enable(one) => {
            told(auth.enable_account(BY, &one.address).await)?;
            (&one.address, "is enabled")
        }
        AccountsCommand::EndSessions(one) => {
            told(auth.end_all_sessions(BY, &one.address).await)?;
            (&one.address, "has no session any more")
        }
        AccountsCommand::Unlock(one) => {
            told(auth.unlock_account(BY, &one.address).await)?;
            (&one.address, "is open for tries again")
        }
        AccountsCommand::ClearTwoStep(one) => {
            told(auth.clear_two_step(BY, &one.address).await)?;
            (&one.address, "asks for no code any more")
        }
        AccountsCommand::StartReset(one) => {
            told(auth.start_reset_for(BY, &one.address).await)?;
            (&one.address, "is sent a reset link")
        }
        AccountsCommand::Erase(one) => {
            told(auth.erase_account(BY, &one.address).await)?;
            (&one.address, "is erased")
        }
    };
    outputs.say(&format!("The account {} {what}.", address.as_str()));
    Ok(())
}

async fn find(auth: &PortalAuth, address: &EmailAddress, outputs: &mut Outputs<'_>) -> Result<(), Failure> {
    let account = auth.find_account(address).await?;
    let account = account.ok_or(AdministerRefused::NoAccount)?;
    outputs.say(&format!("address   {}", account.email.as_str()));
    outputs.say(&format!("id        {}", account.id));
    outputs.say(&format!("status    {}", account.status.as_str()));
    outputs.say(&format!("two step  {}", account.two_step.as_str()));
    outputs.say(&format!("made      {}", account.created_at));
    Ok(())
}

/// A line an account: address, status, second step.
async fn list(auth: &PortalAuth, wanted: &Beginning, outputs: &mut Outputs<'_>) -> Result<(), Failure> {
    let query = AccountQuery::first(MOST_LISTED)
        .beginning_with(&*wanted.beginning)
        .after(wanted.after.clone());
    let found = auth.list_accounts(&query).await?;
    for account in &found.accounts {
        let line = format!(
            "{} {} {}",
            account.email.as_str(),
            account.status.as_str(),
            account.two_step.as_str()
        );
        if !outputs.say(&line) {
            return Ok(());
        }
    }
    if let Some(end) = &found.end {
        outputs.problem(&format!("There are more: --after {}", end.as_str()));
    }
    Ok(())
}

/// A refusal as the sentence it is, everything else as it came.
pub(super) fn told<R: Error + Send + Sync + 'static>(done: Result<(), Denied<R>>) -> Result<(), Failure> {
    match done {
        Ok(()) => Ok(()),
        Err(Denied::Refused(refused)) => Err(refused.into()),
        Err(denied) => Err(Box::new(denied)),
    }
}
