//! Mails about a report (E14): what was sent, to its person and to the administrators; and to somebody who leaves later,
//! on that day, that the account can be closed.

use jiff::civil::Date;
use portal_auth::account::professional_profile::AboutYou;
use portal_auth::account::snapshot::AccountRow;
use portal_auth::environment::Timestamp;
use portal_auth::error::{Denied, Fault};
use portal_auth::features::notify::{HostNotice, HostRecipient, Notified, NotifyRefused};
use sha2::{Digest as _, Sha256};

use super::{Change, Circumstances, Report, day_in_words, first_sixteen};

const SUBJECT: &str = "We have your change of circumstances";
const CLOSE_SUBJECT: &str = "You can close your account now";
/// When in the morning somebody who has left is reminded.
const HOUR: i8 = 9;
/// How many reports are told in a minute.
const AT_ONCE: i64 = 500;

impl Circumstances {
    /// Tells what is due, that which waits longest first. Called when a process starts and every minute, by any number of
    /// them.
    ///
    /// # Errors
    /// The first fault; the others are told all the same, and the next minute tries again.
    pub async fn tell_the_due(&self) -> Result<(), Fault> {
        let mut told = Ok(());
        for report in self.reports.due(self.auth.now(), AT_ONCE).await? {
            told = told.and(self.tell(&report).await);
        }
        told
    }

    /// Queues the mails about a report that are due, each once however often it is asked.
    ///
    /// # Errors
    /// A fault of the database; the report stays due.
    pub(crate) async fn tell(&self, report: &Report) -> Result<(), Fault> {
        // Where the account is gone, its reports are about to go as well.
        let Some(account) = self.auth.store().by_id(report.account).await? else {
            return Ok(());
        };
        let next = if report.told_at.is_none() {
            self.tell_what_was_sent(report, &account).await?;
            self.leaves_at(report)
        } else {
            if account.status.is_active() && account.closed_at.is_none() {
                self.offer_to_close(report).await?;
            }
            None
        };
        Ok(self.reports.told(report.id, self.auth.now(), next).await?)
    }

    async fn tell_what_was_sent(&self, report: &Report, account: &AccountRow) -> Result<(), Fault> {
        let owner = self.to_owner(report);
        self.notify(HostRecipient::Owner(account.id), &owner).await?;
        let about = HostRecipient::Administrators { about: account.id };
        let told = self.notify(about, &to_administrators(report, account)).await?;
        if told == Some(Notified::Nobody) {
            tracing::warn!(
                reference = report.reference,
                "a change of circumstances was told to nobody: PORTAL_ADMINS is empty"
            );
        }
        Ok(())
    }

    async fn offer_to_close(&self, report: &Report) -> Result<(), Fault> {
        let mut name = Sha256::new();
        name.update(b"portal has left\0");
        name.update(report.id.as_bytes());
        let notice = HostNotice::new(first_sixteen(name), CLOSE_SUBJECT, &report.reference)
            .says(&format!(
                "You told us that you leave your organisation on {}. If you do not need your account any more, close it here:",
                day_in_words(report.on)
            ))
            .says(&self.link("account/close"))
            .says("If you still need it, there is nothing to do.");
        self.notify(HostRecipient::Owner(report.account), &notice).await?;
        Ok(())
    }

    /// `None` where the account is gone.
    async fn notify(&self, to: HostRecipient, notice: &HostNotice) -> Result<Option<Notified>, Fault> {
        match self.auth.notify(to, notice).await {
            Ok(notified) => Ok(Some(notified)),
            Err(Denied::Refused(NotifyRefused::NoAccount)) => Ok(None),
            Err(Denied::Fault(fault)) => Err(fault),
            Err(Denied::Refused(refused)) => Err(Fault::permanent(
                "a mail about a change of circumstances cannot be sent",
            )
            .because(refused)),
            Err(Denied::Busy { .. } | Denied::TooManyTries { .. }) => Err(Fault::transient(
                "a mail about a change of circumstances must wait",
            )),
        }
    }

    /// When somebody who leaves after today is offered to close the account.
    fn leaves_at(&self, report: &Report) -> Option<Timestamp> {
        let later = report.change == Change::Left && report.on > self.day_of(report.reported_at);
        let at = report.on.at(HOUR, 0, 0, 0).to_zoned_datetime(self.zone.clone());
        // Only the last days that there are have no morning in every zone.
        let at = at.ok().filter(|_| later)?.timestamp();
        Some(Timestamp::from_micros(at.as_microsecond()))
    }

    fn to_owner(&self, report: &Report) -> HostNotice {
        let notice = HostNotice::new(report.id, SUBJECT, &report.reference);
        let notice = what_was_sent(
            notice.says("We have your change of circumstances. This is what you have sent:"),
            report,
        );
        let notice = notice.says(&format!(
            "Your reference number is {}. Say it when you write to us about the change.",
            report.reference
        ));
        let notice = match report.change {
            Change::Left if self.leaves_at(report).is_none() => notice
                .says("If you do not need your account any more, close it here:")
                .says(&self.link("account/close")),
            Change::Left => notice.says(&leaving_later(report.on)),
            Change::NewRole | Change::NewOrganisation | Change::NewName | Change::Other => notice,
        };
        notice
            .says("If you have not sent this, somebody else has been in your account. Change your password:")
            .says(&self.link("account/change-password"))
    }

    fn link(&self, path: &str) -> String {
        self.base_url
            .join(path)
            .map_or_else(|_| self.base_url.to_string(), |link| link.to_string())
    }
}

/// What becomes of the account of somebody who has not left yet.
pub(crate) fn leaving_later(on: Date) -> String {
    format!(
        "On {} we will email you how to close your account. Until then it stays as it is.",
        day_in_words(on)
    )
}

fn to_administrators(report: &Report, account: &AccountRow) -> HostNotice {
    let about = account.profile.get::<AboutYou>();
    let name = about.map_or_else(String::new, |about| {
        format!("{} {}\n", about.forename, about.surname)
    });
    let notice = HostNotice::new(report.id, SUBJECT, &report.reference)
        .says("Somebody with an account has sent a change of circumstances.")
        .quotes(&format!("{name}{}", account.email.as_str()));
    what_was_sent(notice, report).says("They have had the same by email, with this reference.")
}

fn what_was_sent(notice: HostNotice, report: &Report) -> HostNotice {
    let notice = notice
        .says(&format!("What has changed: {}", report.change.label()))
        .says(&format!("Date of the change: {}", day_in_words(report.on)));
    if report.details.is_empty() {
        notice
    } else {
        notice.says("Details:").quotes(&report.details)
    }
}
