//! `portal audit verify`: reads the whole audit and tells what was done to it.

use portal_auth::PortalAuth;
use portal_auth::features::audit_trail::AuditProblem;

use super::Outputs;
use crate::service::Failure;

/// What to do with the audit.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
#[non_exhaustive]
pub enum AuditCommand {
    /// Checks every row and seal; fails where one was changed, removed or moved
    Verify(VerifyAudit),
}

/// What is known about the audit from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct VerifyAudit {
    /// The newest head that your log shows ("audit sealed head=..."): with it, a cut-off end is found too
    #[arg(long, value_name = "HEAD")]
    pub head: Option<String>,
}

pub(super) async fn run(
    command: &AuditCommand,
    auth: &PortalAuth,
    outputs: &mut Outputs<'_>,
) -> Result<(), Failure> {
    let AuditCommand::Verify(given) = command;
    let report = auth.verify_audit(given.head.as_deref()).await?;
    for problem in &report.problems {
        outputs.problem(&sentence(problem));
    }
    outputs.say(&format!(
        "{} seals over {} rows, and {} rows that wait for a seal.",
        report.seals, report.events, report.unsealed
    ));
    if let Some(head) = &report.head {
        outputs.say(&format!("head {head}"));
    }
    if report.problems.is_empty() {
        outputs.say("The audit is as it was written.");
        Ok(())
    } else {
        Err("the audit was changed".into())
    }
}

fn sentence(problem: &AuditProblem) -> String {
    match problem {
        AuditProblem::ChangedEvent(id) => format!("Row {id} is not as it was written."),
        AuditProblem::ChangedBatch { no, sealed, found } => format!(
            "The rows of seal {no} are not the {sealed} it was made of: {found} are there, some removed, added or moved."
        ),
        AuditProblem::ChangedSeal(no) => format!("Seal {no} is not as it was written."),
        AuditProblem::MissingSeals { after, before } => {
            format!("The seals between {after} and {before} are gone.")
        }
        AuditProblem::OtherHead => {
            "The chain does not hold the head that you gave: its end was cut off, or it was made anew."
                .to_owned()
        }
        AuditProblem::UnknownKey(id) => {
            format!("The keyring does not hold key {id}, so its rows cannot be checked.")
        }
        _ => "The audit has another problem that this program does not know.".to_owned(),
    }
}
