//! `portal outbox`: looks after mails that wait or were given up. Their texts are nowhere at rest, so none is shown.

use portal_auth::PortalAuth;
use portal_auth::account::email::EmailAddress;
use portal_auth::features::tend_outbox::{MOST_MAILS, MailQuery};
use portal_auth::mail::outbox::{MailId, MailStatus};

use super::accounts::{BY, told};
use super::{Outputs, address};
use crate::service::Failure;

/// What to do with mails.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
#[non_exhaustive]
pub enum OutboxCommand {
    /// Lists mails, the newest first
    List(Wanted),
    /// Queues a mail again that was given up
    Retry(OneMail),
    /// Ends a mail that waits, so that it is never sent
    Drop(OneMail),
}

/// Which mails.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct Wanted {
    /// Only those that stand there: ready, leased, sent or dead
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub status: Option<MailStatus>,
    /// Only those to this address
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub to: Option<EmailAddress>,
}

/// A mail, by its id in the list.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct OneMail {
    /// Its id, as `portal outbox list` shows it
    #[arg(value_name = "ID", value_parser = mail_id)]
    pub id: MailId,
}

pub(super) async fn run(
    command: &OutboxCommand,
    auth: &PortalAuth,
    outputs: &mut Outputs<'_>,
) -> Result<(), Failure> {
    match command {
        OutboxCommand::List(wanted) => list(auth, wanted, outputs).await,
        OutboxCommand::Retry(one) => {
            told(auth.send_mail_again(BY, one.id).await)?;
            outputs.say(&format!("The mail {} waits to be sent again.", one.id));
            Ok(())
        }
        OutboxCommand::Drop(one) => {
            told(auth.drop_mail(BY, one.id).await)?;
            outputs.say(&format!("The mail {} will not be sent.", one.id));
            Ok(())
        }
    }
}

/// A line a mail: id, status, kind, recipient, and what went wrong last.
async fn list(auth: &PortalAuth, wanted: &Wanted, outputs: &mut Outputs<'_>) -> Result<(), Failure> {
    let query = MailQuery::newest(MOST_MAILS)
        .that_are(wanted.status)
        .to(wanted.to.clone());
    for mail in auth.list_mails(&query).await? {
        let line = format!(
            "{} {} {} {} {}",
            mail.id,
            mail.status.as_str(),
            mail.kind.as_str(),
            mail.to.as_str(),
            mail.last_error
        );
        if !outputs.say(line.trim_end()) {
            break;
        }
    }
    Ok(())
}

fn status(typed: &str) -> Result<MailStatus, &'static str> {
    MailStatus::from_word(typed).ok_or("write ready, leased, sent or dead")
}

fn mail_id(typed: &str) -> Result<MailId, &'static str> {
    typed.parse().map_err(|_| "copy the id from `portal outbox list`")
}
