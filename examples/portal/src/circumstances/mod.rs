//! What people tell of changes in their circumstances (P25): kept under a reference, and told by mail (E14).
//!
//! A report is written first and told second. What has been written and not been told, because the process ended or the
//! outbox said no, is told by whichever process looks next: each does so when it starts and every minute. The library
//! queues a notice of one name once, so that looking twice tells nobody twice.
//!
//! Sending one form twice files one report: its name follows from the account, the form and all that was typed.

pub(crate) mod form;
mod in_memory;
mod reports;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portal_auth::PortalAuth;
use portal_auth::account::snapshot::AccountId;
use portal_auth::environment::{Entropy, Timestamp, draw};
use portal_auth::error::Fault;
use portal_auth::mail::outbox::MailId;
use portal_auth::store::StoreError;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

pub use self::in_memory::InMemoryReports;
pub use self::reports::{Change, Filed, Report, Reports, Window};
pub(crate) use self::telling::leaving_later;
use crate::circumstances::form::Told;
use crate::export_part::ExportPart;

/// The name of the part in the download.
pub(crate) const PART: &str = "changes_of_circumstances";
/// The most that one person may file within [`WINDOW`], so that nobody fills the administrators' mailboxes.
pub(crate) const MOST_FILED: i64 = 5;
/// See [`MOST_FILED`].
pub(crate) const WINDOW: Duration = Duration::from_secs(86_400);
/// How often a report is counted anew when another one was filed in the same moment.
const TRIES: u32 = 8;

/// Files and tells changes of circumstances.
#[derive(Debug)]
#[non_exhaustive]
pub struct Circumstances {
    reports: Arc<dyn Reports>,
    auth: PortalAuth,
    base_url: Url,
    zone: TimeZone,
}

impl Circumstances {
    /// Over the table `reports`; mails lead to pages of `base_url`, and days are those of `zone`.
    #[must_use]
    pub fn new(reports: Arc<dyn Reports>, auth: PortalAuth, base_url: Url, zone: TimeZone) -> Self {
        Self {
            reports,
            auth,
            base_url,
            zone,
        }
    }

    /// The day it is now.
    pub(crate) fn today(&self) -> Date {
        self.day_of(self.auth.now())
    }

    fn day_of(&self, at: Timestamp) -> Date {
        let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        at.to_zoned_datetime(self.zone.clone()).date()
    }

    /// The newest reports of an account, at most `most`.
    ///
    /// # Errors
    /// A fault of the database.
    pub(crate) async fn of_account(&self, account: AccountId, most: i64) -> Result<Vec<Report>, Fault> {
        Ok(self.reports.of_account(account, most).await?)
    }

    /// Files what was told in the form called `form`, once.
    ///
    /// # Errors
    /// A fault of the database or of the random source; the same form may be sent again.
    pub(crate) async fn file(&self, account: AccountId, form: &str, told: &Told) -> Result<Filed, Fault> {
        let id = name(account, form, told);
        let mut tries = 1_u32;
        loop {
            let now = self.auth.now();
            let report = Report {
                id,
                account,
                reference: reference(&*self.auth.entropy())?,
                change: told.change,
                on: told.on,
                details: told.details.clone(),
                reported_at: now,
                told_at: None,
            };
            let window = Window {
                since: now.minus(WINDOW),
                most: MOST_FILED,
            };
            match self.reports.file(&report, window).await {
                Err(StoreError::Conflict) if tries < TRIES => tries = tries.saturating_add(1),
                Err(StoreError::Conflict) => {
                    return Err(Fault::transient("many reports of one person are filed at once"));
                }
                filed => return Ok(filed?),
            }
        }
    }

    /// The part of the download that holds them, which also forgets them.
    #[must_use]
    pub fn export_part(&self) -> Arc<dyn ExportPart> {
        Arc::new(Part(Arc::clone(&self.reports)))
    }
}

/// The same for the same form with the same in it, and for no other account's.
fn name(account: AccountId, form: &str, told: &Told) -> MailId {
    let mut hash = Sha256::new();
    hash.update(b"portal change of circumstances\0");
    hash.update(account.as_bytes());
    // None of them can hold a NUL, so no two lists run together alike.
    for part in [form, told.change.word(), &told.on.to_string(), &told.details] {
        hash.update(part.replace('\0', ""));
        hash.update(b"\0");
    }
    first_sixteen(hash)
}

fn first_sixteen(hash: Sha256) -> MailId {
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(hash.finalize())
        .for_each(|(byte, hashed)| *byte = hashed);
    MailId::from_bytes(bytes)
}

/// `CC-7F3K-92QD`: eight of 32 letters and digits that do not look alike, to be read out on the phone.
fn reference(entropy: &dyn Entropy) -> Result<String, Fault> {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let drawn: [u8; 8] = draw(entropy)?;
    let letter = |byte: &u8| {
        LETTERS
            .get(usize::from(byte & 31))
            .copied()
            .map_or('0', char::from)
    };
    let (first, second) = drawn.split_at(4);
    let [first, second] = [first, second].map(|half| half.iter().map(letter).collect::<String>());
    Ok(format!("CC-{first}-{second}"))
}

/// "3 May 2026".
pub(crate) fn day_in_words(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

/// [`PART`].
#[derive(Debug)]
struct Part(Arc<dyn Reports>);

#[async_trait]
impl ExportPart for Part {
    fn name(&self) -> &'static str {
        PART
    }

    async fn export(&self, account: AccountId) -> Result<Value, Fault> {
        let reports = self.0.of_account(account, i64::MAX).await?;
        Ok(reports.iter().map(exported).collect())
    }

    async fn forget_the_gone(&self) -> Result<(), Fault> {
        Ok(self.0.forget_the_gone().await?)
    }
}

fn exported(report: &Report) -> Value {
    let Report {
        // Names of rows: they open nothing and say nothing.
        id: _,
        account: _,
        reference,
        change,
        on,
        details,
        reported_at,
        told_at,
    } = report;
    json!({
        "reference": reference,
        "change": change.label(),
        "date": on.to_string(),
        "details": details,
        "sent_at": reported_at.to_string(),
        "emailed_at": told_at.map(|at| at.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use portal_auth::environment::SystemEntropy;

    use super::*;

    fn told(details: &str) -> Told {
        Told {
            change: Change::NewRole,
            on: Date::constant(2026, 5, 3),
            details: details.to_owned(),
        }
    }

    #[test]
    fn a_report_is_named_by_account_form_and_content() {
        let [jo, ola] = [1, 2].map(|n| AccountId::from_bytes([n; 16]));
        let one = name(jo, "form", &told("text"));
        assert_eq!(one, name(jo, "form", &told("text")));
        for other in [
            name(ola, "form", &told("text")),
            name(jo, "another", &told("text")),
            name(jo, "form", &told("text, and more")),
            name(jo, "form\0new-role", &told("text")),
            name(
                jo,
                "form",
                &Told {
                    change: Change::Left,
                    ..told("text")
                },
            ),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_reference_can_be_read_out_and_put_into_a_subject() {
        for _ in 0..200 {
            let reference = reference(&SystemEntropy::default()).unwrap();
            assert!(
                reference.starts_with("CC-") && reference.len() == 12,
                "{reference}"
            );
            let fits =
                |c: char| c == '-' || c.is_ascii_digit() || (c.is_ascii_uppercase() && !"ILOU".contains(c));
            assert!(reference.chars().all(fits), "{reference}");
        }
    }
}
