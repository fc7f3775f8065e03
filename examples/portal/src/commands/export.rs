//! `portal accounts export`: every account as a line of CSV, for people who work with a spreadsheet.

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use portal_auth::PortalAuth;
use portal_auth::environment::{SystemEntropy, Timestamp};
use portal_auth::features::look_up_accounts::{AccountQuery, AccountView, MOST_LISTED};
use serde_json::Value;

use super::Outputs;
use super::accounts::BY;
use crate::private_file::Draft;
use crate::service::Failure;

/// Where the list goes.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct Export {
    /// Writes to this file, which its owner alone may read, instead of to standard output; an older one is replaced
    /// when the list is whole
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What each line holds; the lists of `docs/operations.md` are held against it.
pub(super) const COLUMNS: [&str; 13] = [
    "email",
    "status",
    "two_step",
    "needs_new_password",
    "title",
    "forename",
    "surname",
    "role",
    "organisation",
    "made_at",
    "changed_at",
    "closed_at",
    "id",
];

pub(super) async fn run(
    wanted: &Export,
    auth: &PortalAuth,
    outputs: &mut Outputs<'_>,
) -> Result<(), Failure> {
    let Some(path) = &wanted.output else {
        auth.record_accounts_export(BY).await?;
        return match write(auth, &mut *outputs.out).await {
            // Nobody reads it any more, as with `portal accounts export | head -1`.
            Err(Unwritten::Output(e)) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(unwritten) => Err(unwritten.told("standard output")),
            Ok(_) => Ok(()),
        };
    };
    let place = path.display().to_string();
    let failed = |e| Unwritten::Output(e).told(&place);
    let mut draft = Draft::begin(path, &SystemEntropy::default()).map_err(failed)?;
    auth.record_accounts_export(BY).await?;
    let accounts = write(auth, &mut draft).await.map_err(|e| e.told(&place))?;
    draft.place().map_err(failed)?;
    outputs.say(&format!("{accounts} accounts are written to {place}."));
    Ok(())
}

/// Why the list is not whole.
enum Unwritten {
    Output(io::Error),
    Store(Failure),
}

impl Unwritten {
    fn told(self, place: &str) -> Failure {
        match self {
            Self::Output(e) => format!("{place} cannot be written: {e}").into(),
            Self::Store(failure) => failure,
        }
    }
}

/// Writes page by page, so that a million accounts need no more memory than a hundred; answers how many.
async fn write(auth: &PortalAuth, out: &mut (dyn Write + Send)) -> Result<u64, Unwritten> {
    let mut written = 0_u64;
    let mut after = None;
    out.write_all(&lines(&[COLUMNS.map(str::to_owned)])?)
        .map_err(Unwritten::Output)?;
    loop {
        let query = AccountQuery::first(MOST_LISTED).after(after);
        let page = auth.list_accounts(&query).await;
        let page = page.map_err(|fault| Unwritten::Store(fault.into()))?;
        written = written.saturating_add(page.accounts.len().try_into().unwrap_or(u64::MAX));
        let rows: Vec<_> = page.accounts.iter().map(row).collect();
        out.write_all(&lines(&rows)?).map_err(Unwritten::Output)?;
        after = page.end;
        if after.is_none() {
            out.flush().map_err(Unwritten::Output)?;
            return Ok(written);
        }
    }
}

fn lines(rows: &[[String; COLUMNS.len()]]) -> Result<Vec<u8>, Unwritten> {
    let failed = |e| Unwritten::Output(io::Error::other(e));
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.write_record(row.iter().map(|cell| inert(cell).into_owned()))
            .map_err(failed)?;
    }
    csv.into_inner()
        .map_err(|e| Unwritten::Output(io::Error::other(e.to_string())))
}

/// An account in the order of [`COLUMNS`].
fn row(account: &AccountView) -> [String; COLUMNS.len()] {
    let about = account.profile.sections.get("about_you");
    let work = account.profile.sections.get("work_details");
    let main = work.and_then(|work| {
        let index = work.get("main").and_then(Value::as_u64).unwrap_or_default();
        work.get("roles")?.get(usize::try_from(index).ok()?)
    });
    let text = |section: Option<&Value>, field: &str| {
        let value = section.and_then(|section| section.get(field));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    [
        account.email.as_str().to_owned(),
        account.status.as_str().to_owned(),
        account.two_step.as_str().to_owned(),
        if account.locked { "yes" } else { "no" }.to_owned(),
        text(about, "title"),
        text(about, "forename"),
        text(about, "surname"),
        text(main, "role"),
        text(main, "organisation"),
        time(account.created_at),
        time(account.updated_at),
        account.closed_at.map(time).unwrap_or_default(),
        account.id.to_string(),
    ]
}

/// As RFC 3339 writes it, in UTC.
fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros()).map_or_else(|_| String::new(), |at| at.to_string())
}

/// A cell that no spreadsheet takes for a formula: whoever typed it would act on the computer of whoever opens the list.
fn inert(cell: &str) -> std::borrow::Cow<'_, str> {
    let begins_one =
        |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if begins_one(cell) || begins_one(cell.trim_start()) {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_can_act_as_a_formula() {
        for cell in [
            "=1+1",
            "+44 114",
            "-2",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =1",
            "\u{a0}=1",
            "＝1+1",
            "=HYPERLINK(\"https://evil.example\")",
        ] {
            assert_eq!(inert(cell), format!("'{cell}"), "{cell:?}");
        }
        for cell in [
            "",
            "Jo",
            "O'Brien-Smith",
            "a=b",
            "2026-05-03T21:40:00Z",
            "jo+tag@school.example",
        ] {
            assert_eq!(inert(cell), cell);
        }
    }

    #[test]
    fn commas_marks_and_line_ends_stay_inside_their_cell() {
        let mut cells = [const { String::new() }; COLUMNS.len()];
        cells[5] = "a,\"b\"\nc".to_owned();
        let Ok(bytes) = lines(&[cells.clone()]) else {
            panic!("a list in memory is written");
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(&bytes[..]);
        let record = reader.records().next().unwrap().unwrap();
        assert_eq!(record.iter().collect::<Vec<_>>(), cells);
    }

    #[test]
    fn the_documentation_names_every_column_in_its_order() {
        let page = include_str!("../../../../docs/operations.md");
        let named: Vec<_> = COLUMNS.iter().map(|column| format!("`{column}`")).collect();
        let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(&named.join(", ")), "{}", named.join(", "));
    }
}
