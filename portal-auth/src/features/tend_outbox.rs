//! What an administrator may do with mails that wait or were given up: look at them, queue a dead one again, drop one
//! that waits.
//!
//! A mail here is its row, never its text: no link and no code is in it (MAIL-8). Each act asks for the
//! [`Administrator`] who does it and is audited as `outbox.*`; the
//! recipient is told nothing, since nothing of theirs changes.

use crate::account::email::EmailAddress;
use crate::administering::Administrator;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::mail::outbox::{MailId, MailKind, MailStatus, OutboxRow};
use crate::portal::{Commit, PortalAuth};
use crate::unit_of_work::{Change, UnitOfWork};

/// The most mails of one page of a list.
pub const MOST_MAILS: u32 = 100;

/// A mail as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailView {
    /// Names it.
    pub id: MailId,
    /// Which mail.
    pub kind: MailKind,
    /// To whom.
    pub to: EmailAddress,
    /// Where it stands.
    pub status: MailStatus,
    /// When it was queued.
    pub created_at: Timestamp,
    /// From when on it is not sent any more.
    pub expires_at: Timestamp,
    /// Attempts that failed and counted.
    pub attempts: u32,
    /// When the next attempt is due, while it waits.
    pub next_at: Timestamp,
    /// What the mailer said when it last failed, or why it is dead; empty before.
    pub last_error: String,
}

/// Which mails to list, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailQuery {
    /// Only those that stand there.
    pub status: Option<MailStatus>,
    /// Only those to this address.
    pub to: Option<EmailAddress>,
    /// Only those older than this one: the last of the page before.
    pub after: Option<(Timestamp, MailId)>,
    /// How many; never more than [`MOST_MAILS`].
    pub most: u32,
}

impl MailQuery {
    /// The newest `most` mails.
    #[must_use]
    pub fn newest(most: u32) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// Only those that stand there.
    #[must_use]
    pub fn that_are(mut self, status: Option<MailStatus>) -> Self {
        self.status = status;
        self
    }

    /// Only those to this address.
    #[must_use]
    pub fn to(mut self, address: Option<EmailAddress>) -> Self {
        self.to = address;
        self
    }

    /// Only those older than the last of the page before.
    #[must_use]
    pub const fn after(mut self, last: Option<(Timestamp, MailId)>) -> Self {
        self.after = last;
        self
    }
}

/// Why nothing was done with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TendOutboxRefused {
    /// No mail of this name is given up; it may be under way already, or was purged.
    #[error("no mail of this name is given up")]
    NotDead,
    /// No mail of this name waits; it may be under way already, sent, or dead.
    #[error("no mail of this name waits")]
    NotWaiting,
}

const SENT_AGAIN: Reason = Reason::new("outbox.sent_again");
const DROPPED: Reason = Reason::new("outbox.dropped");

impl PortalAuth {
    /// Lists mails.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn list_mails(&self, query: &MailQuery) -> Result<Vec<MailView>, Fault> {
        let most = query.most.min(MOST_MAILS);
        let store = &self.inner.store;
        let rows = store
            .mails(query.status, query.to.as_ref(), query.after, most)
            .await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// Queues a mail again that was given up. Whether it still makes sense is decided when it is sent: one whose link or
    /// code is over is given up again, and says so.
    ///
    /// # Errors
    /// `Refused` with [`TendOutboxRefused::NotDead`].
    pub async fn send_mail_again(
        &self,
        by: &Administrator,
        mail: MailId,
    ) -> Result<(), Denied<TendOutboxRefused>> {
        let now = self.inner.now();
        let expires_at = now.plus(self.inner.config.mail.kept);
        let change = Change::SendAgain {
            mail,
            now,
            expires_at,
        };
        if self.tend(by, SENT_AGAIN, mail, change, now).await? == Commit::Done {
            self.inner.mail_waits.notify_one();
            return Ok(());
        }
        Err(Denied::Refused(TendOutboxRefused::NotDead))
    }

    /// Gives a mail up that waits, so that it is never sent.
    ///
    /// # Errors
    /// `Refused` with [`TendOutboxRefused::NotWaiting`].
    pub async fn drop_mail(&self, by: &Administrator, mail: MailId) -> Result<(), Denied<TendOutboxRefused>> {
        let now = self.inner.now();
        let why = "dropped by an administrator".to_owned();
        let change = Change::DropMail { mail, why };
        if self.tend(by, DROPPED, mail, change, now).await? == Commit::Done {
            return Ok(());
        }
        Err(Denied::Refused(TendOutboxRefused::NotWaiting))
    }

    /// A conflict says that the mail does not stand where the change wants it: nothing else is written.
    async fn tend(
        &self,
        by: &Administrator,
        kind: Reason,
        mail: MailId,
        change: Change,
        now: Timestamp,
    ) -> Result<Commit, Fault> {
        let mut event = self.inner.administered_nothing(kind, by);
        event.label = format!("{}, mail {mail}", event.label);
        let work = UnitOfWork::new(self.inner.audit(event, now)?).change(change);
        self.inner.commit(work).await
    }
}

fn view(row: OutboxRow) -> MailView {
    MailView {
        id: row.id,
        kind: row.kind,
        to: row.to,
        status: row.status,
        created_at: row.created_at,
        expires_at: row.expires_at,
        attempts: row.attempts,
        next_at: row.next_at,
        last_error: row.last_error,
    }
}
