//! `portal accounts import`: prepares a registration for each person of a CSV file, and mails them the link.
//!
//! The file is read twice: the first time nothing is written, so that a file with a wrong line changes nothing. Each
//! person is one commit, and whoever was prepared before is left alone, so an import that was interrupted is run again.

mod cells;
mod columns;
mod people;

use std::error::Error;
use std::path::{Path, PathBuf};

use portal_auth::PortalAuth;
use portal_auth::account::email::EmailAddress;
use portal_auth::error::Denied;
use portal_auth::features::prepare_registration::{PersonToPrepare, Prepared};

use self::people::{Entry, People, Problem, Unreadable};
use super::accounts::BY;
use super::{Outputs, chain};
use crate::email_advice::{EmailAdvice, advice};
use crate::service::Failure;

/// What to import, and how.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct Import {
    /// The people.
    #[arg(value_name = "FILE", help = FILE_HELP)]
    pub file: PathBuf,
    /// Reads everything and says what would happen; writes nothing and mails nobody
    #[arg(long)]
    pub check: bool,
    /// Imports the other people where lines are wrong, instead of nobody
    #[arg(long)]
    pub skip_bad_lines: bool,
}

const FILE_HELP: &str = "A CSV file in UTF-8. Its first line names the columns: email, and as many of title, forename, \
    surname, gender, gender_other, role, organisation, postcode, address_line1, address_line2, town, county, country, \
    mobile and work_phone as are known";

/// The most lines about one file that are told one by one.
const MOST_TOLD: u64 = 100;

pub(super) async fn run(
    wanted: &Import,
    auth: &PortalAuth,
    outputs: &mut Outputs<'_>,
) -> Result<(), Failure> {
    let surveyed = survey(&wanted.file, outputs)?;
    if surveyed.bad > 0 && !wanted.skip_bad_lines {
        let what = if wanted.check { "would be" } else { "was" };
        return Err(format!(
            "nothing {what} imported, because {} wrong; mend {}, or leave {} out with --skip-bad-lines",
            counted(surveyed.bad, "line is", "lines are"),
            if surveyed.bad == 1 { "it" } else { "them" },
            if surveyed.bad == 1 { "it" } else { "them" },
        )
        .into());
    }
    let mut done = Tally::default();
    let outcome = import(wanted, auth, &mut done, outputs).await;
    outputs.say(&done.sentence(wanted.check, surveyed.bad));
    outcome?;
    if done.people() != surveyed.people {
        return Err("the file was changed while it was read: run the import again".into());
    }
    Ok(())
}

/// What the first reading has found.
#[derive(Debug, Default)]
struct Surveyed {
    people: u64,
    bad: u64,
}

/// Reads the file once and tells what is wrong with it.
fn survey(file: &Path, outputs: &mut Outputs<'_>) -> Result<Surveyed, Failure> {
    let mut found = Surveyed::default();
    let mut told = 0_u64;
    let mut tell = |sentence: &str, outputs: &mut Outputs<'_>| {
        if told < MOST_TOLD {
            outputs.problem(sentence);
        }
        told = told.saturating_add(1);
    };
    let mut people = People::open(file).map_err(|unreadable| told_of(unreadable, outputs))?;
    loop {
        match people.next() {
            Ok(None) => break,
            Ok(Some(Entry { line, person })) => match person {
                Ok(person) => {
                    found.people = found.people.saturating_add(1);
                    if let Some(question) = question(line, &person.email) {
                        tell(&question, outputs);
                    }
                }
                Err(problems) => {
                    found.bad = found.bad.saturating_add(1);
                    for problem in problems {
                        tell(&problem.to_string(), outputs);
                    }
                }
            },
            Err(unreadable) => return Err(told_of(unreadable, outputs)),
        }
    }
    if told > MOST_TOLD {
        let more = counted(told.saturating_sub(MOST_TOLD), "sentence", "sentences");
        outputs.problem(&format!("… and {more} more like these."));
    }
    Ok(found)
}

/// Tells each thing that keeps the file from being read, and fails.
fn told_of(unreadable: Unreadable, outputs: &mut Outputs<'_>) -> Failure {
    match unreadable {
        Unreadable::Failed(sentence) => format!("nothing was imported: {sentence}").into(),
        Unreadable::Wrong(problems) => {
            for problem in problems {
                outputs.problem(&problem.to_string());
            }
            "nothing was imported, because the file cannot be read to its end".into()
        }
    }
}

/// "Did you mean ...?", where the domain is nearly a well-known one: a mistyped one may be a stranger's mailbox.
fn question(line: u64, email: &EmailAddress) -> Option<String> {
    match advice(email)? {
        EmailAdvice::DidYouMean(meant) => {
            let problem = Problem::of_cell(line, "email", format!("Did you mean {meant}?"));
            Some(format!("{problem} It is taken as it stands."))
        }
        EmailAdvice::Personal => None,
    }
}

async fn import(
    wanted: &Import,
    auth: &PortalAuth,
    done: &mut Tally,
    outputs: &mut Outputs<'_>,
) -> Result<(), Failure> {
    let mut people = People::open(&wanted.file).map_err(|unreadable| told_of(unreadable, outputs))?;
    while let Some(Entry { line, person }) = people.next().map_err(|e| told_of(e, outputs))? {
        // What is wrong with the others has been told.
        let Ok(person) = person else { continue };
        let prepared = if wanted.check {
            auth.would_prepare(&person.email).await.map_err(Failure::from)
        } else {
            prepare(auth, &person).await
        };
        let prepared = prepared.map_err(|e| stopped(line, &*e))?;
        let left_alone = match prepared {
            Prepared::Mailed => None,
            Prepared::HasAccount => Some("has an account already"),
            Prepared::Waits => Some("was sent a link before"),
        };
        if let Some(why) = left_alone {
            outputs.say(&format!("line {line}: {why}"));
        }
        done.add(prepared);
    }
    Ok(())
}

async fn prepare(auth: &PortalAuth, person: &PersonToPrepare) -> Result<Prepared, Failure> {
    match auth.prepare_registration(BY, person).await {
        Ok(prepared) => Ok(prepared),
        Err(Denied::Refused(refused)) => Err(refused.into()),
        Err(denied) => Err(Box::new(denied)),
    }
}

fn stopped(line: u64, cause: &(dyn Error + 'static)) -> Failure {
    let causes = chain(cause);
    format!("the import stopped at line {line} ({causes}); run it again, which mails nobody twice").into()
}

/// What has become of the people so far.
#[derive(Debug, Default)]
struct Tally {
    mailed: u64,
    accounts: u64,
    waiting: u64,
}

impl Tally {
    fn add(&mut self, prepared: Prepared) {
        let count = match prepared {
            Prepared::Mailed => &mut self.mailed,
            Prepared::HasAccount => &mut self.accounts,
            Prepared::Waits => &mut self.waiting,
        };
        *count = count.saturating_add(1);
    }

    const fn people(&self) -> u64 {
        self.mailed
            .saturating_add(self.accounts)
            .saturating_add(self.waiting)
    }

    fn sentence(&self, check: bool, bad: u64) -> String {
        let Self {
            mailed,
            accounts,
            waiting,
        } = self;
        let (sent, end) = if check {
            ("would be sent a link", " Nothing was written.")
        } else {
            ("sent a link", "")
        };
        format!(
            "{}: {mailed} {sent}, {accounts} with an account already, {waiting} sent a link before, {} left out.{end}",
            counted(self.people(), "person", "people"),
            counted(bad, "bad line", "bad lines"),
        )
    }
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
