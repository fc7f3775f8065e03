//! Mails of the host's own: what it tells an account's owner or the administrators, in the house's layout and through
//! its outbox.
//!
//! The host gives a name, a subject that is constant for its kind of notice, a reference and a few lines. The same name
//! is queued once, however often it is asked for: a host writes its own row first and repeats the notice until it is
//! told, so a crash in between loses nothing. Audited as `notice.queued`, under a name that follows from the notice's.

use sha2::{Digest as _, Sha256};

use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::audit::{Actor, Event, EventId};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::mail::outbox::{MailId, MailKind, OutboxRow};
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::unit_of_work::UnitOfWork;

/// The longest reference, in characters.
pub const REFERENCE_LENGTH: usize = 40;
/// The most that a notice may hold, in bytes of JSON.
pub const NOTICE_BYTES: usize = 16 * 1024;

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostRecipient {
    /// The owner of an account, at its address.
    Owner(AccountId),
    /// Each of [`Config::administrators`](crate::config::Config::administrators), about an account.
    Administrators {
        /// The account it is about; what waits goes with it when it is erased.
        about: AccountId,
    },
}

/// What the host says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNotice {
    id: MailId,
    subject: &'static str,
    reference: String,
    lines: Vec<String>,
}

impl HostNotice {
    /// A notice called `id`, such as the key of the host's own row. Its subject is `subject` and, in brackets, `reference`.
    #[must_use]
    pub fn new(id: MailId, subject: &'static str, reference: impl Into<String>) -> Self {
        Self {
            id,
            subject,
            reference: reference.into(),
            lines: Vec::new(),
        }
    }

    /// The same with a paragraph of the host's own words, on one line.
    #[must_use]
    pub fn says(mut self, words: &str) -> Self {
        self.lines.push(String::new());
        self.lines
            .push(words.split_whitespace().collect::<Vec<_>>().join(" "));
        self
    }

    /// The same with a paragraph that a person typed, in as many lines as they gave it.
    ///
    /// Each line is marked as quoted, so that it cannot pass for words of the service.
    #[must_use]
    pub fn quotes(mut self, typed: &str) -> Self {
        self.lines.push(String::new());
        self.lines
            .extend(typed.trim().lines().map(|line| format!("> {line}")));
        self
    }

    fn facts(&self) -> String {
        serde_json::json!({
            "subject": self.subject,
            "reference": self.reference,
            "lines": self.lines.join("\n"),
        })
        .to_string()
    }
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth")]
pub enum Notified {
    /// It is on its way.
    Queued,
    /// It was queued before.
    Already,
    /// There is no administrator to tell.
    Nobody,
}

/// Why a notice was not queued: the host must change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyRefused {
    /// The account is gone.
    #[error("the account is gone")]
    NoAccount,
    /// The reference is not 1 to 40 characters of `A` to `Z`, `0` to `9` and `-`.
    #[error("the reference is not 1 to 40 capitals, digits and dashes")]
    Reference,
    /// It holds more than 16 KiB.
    #[error("the notice holds more than 16 KiB")]
    TooLong,
}

const QUEUED: Reason = Reason::new("notice.queued");

impl PortalAuth {
    /// Queues a notice of the host's, once for each of its names and recipients.
    ///
    /// # Errors
    /// `Refused` where the notice cannot be sent as it is, or its account is gone.
    ///
    /// # Security
    /// Everything in it is escaped, hidden characters are taken out, and nothing but the subject and the checked
    /// reference gets into a header (MAIL-1). Put no secret into it: it waits in the database as it is.
    pub async fn notify(
        &self,
        to: HostRecipient,
        notice: &HostNotice,
    ) -> Result<Notified, Denied<NotifyRefused>> {
        let inner = &*self.inner;
        let (about, role) = match to {
            HostRecipient::Owner(id) => (id, "owner"),
            HostRecipient::Administrators { about } => (about, "administrators"),
        };
        let facts = notice.facts();
        check(notice, &facts).map_err(Denied::Refused)?;
        let event_id = EventId::from_bytes(derived(notice.id, role, ""));
        for _ in 0..ATTEMPTS {
            if inner.store.was_committed(event_id).await? {
                return Ok(Notified::Already);
            }
            let account = inner.store.by_id(about).await?;
            let account = account.ok_or(Denied::Refused(NotifyRefused::NoAccount))?;
            let now = inner.now();
            let mails = match to {
                HostRecipient::Owner(_) => {
                    vec![inner.notice(notice, role, &account.email, &account, &facts, now)?]
                }
                HostRecipient::Administrators { .. } => inner
                    .config
                    .administrators
                    .iter()
                    .map(|address| inner.notice(notice, role, address, &account, &facts, now))
                    .collect::<Result<Vec<_>, _>>()?,
            };
            if mails.is_empty() {
                return Ok(Notified::Nobody);
            }
            let mut event = Event::new(QUEUED, Actor::System).about(account.id);
            event.label = format!("{} ({}) to {role}", notice.subject, notice.reference);
            let work = UnitOfWork::new(inner.audit_as(event_id, event, now)?);
            let work = mails.into_iter().fold(work, UnitOfWork::mail);
            if inner.commit(work).await? == Commit::Done {
                return Ok(Notified::Queued);
            }
        }
        Err(contended())
    }
}

impl Inner {
    fn notice(
        &self,
        notice: &HostNotice,
        role: &str,
        to: &EmailAddress,
        about: &AccountRow,
        facts: &str,
        now: Timestamp,
    ) -> Result<OutboxRow, Fault> {
        let mut mail = self.mail(MailKind::Host, to, now, now.plus(self.config.mail.kept))?;
        mail.id = MailId::from_bytes(derived(notice.id, role, to.as_str()));
        mail.account = Some(about.id);
        facts.clone_into(&mut mail.facts);
        Ok(mail)
    }
}

/// Pure: whether a notice may be sent as it is.
fn check(notice: &HostNotice, facts: &str) -> Result<(), NotifyRefused> {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    let reference = &notice.reference;
    if reference.is_empty() || reference.len() > REFERENCE_LENGTH || !reference.chars().all(fits) {
        Err(NotifyRefused::Reference)
    } else if facts.len() > NOTICE_BYTES {
        Err(NotifyRefused::TooLong)
    } else {
        Ok(())
    }
}

/// The name of a mail, or of the event, that follows from the notice's: the same at every try and in every process.
fn derived(notice: MailId, role: &str, to: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(b"portal-auth host notice\0");
    hash.update(notice.as_bytes());
    hash.update(role.as_bytes());
    hash.update(b"\0");
    hash.update(to.as_bytes());
    let mut name = [0; 16];
    name.iter_mut()
        .zip(hash.finalize())
        .for_each(|(byte, drawn)| *byte = drawn);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_has_a_plain_reference_and_is_short() {
        // MAIL-1
        let id = MailId::from_bytes([7; 16]);
        let verdict = |reference: &str, typed: usize| {
            let notice = HostNotice::new(id, "A change", reference).quotes(&"x".repeat(typed));
            check(&notice, &notice.facts())
        };
        assert_eq!(verdict("CC-7F3K-92QD", 4_000), Ok(()));
        for reference in ["", "cc-1", "CC 1", "CC-1\r\nBcc: x", "CC-É", &"A".repeat(41)] {
            assert_eq!(
                verdict(reference, 1),
                Err(NotifyRefused::Reference),
                "{reference:?}"
            );
        }
        assert_eq!(verdict("A", NOTICE_BYTES), Err(NotifyRefused::TooLong));
    }

    #[test]
    fn names_of_mails_follow_from_the_notice_and_never_meet() {
        let one = MailId::from_bytes([1; 16]);
        let names = [
            derived(one, "owner", ""),
            derived(one, "owner", "jo@school.example"),
            derived(one, "administrators", ""),
            derived(one, "administrators", "jo@school.example"),
            derived(MailId::from_bytes([2; 16]), "owner", ""),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert_eq!(names.first(), Some(&derived(one, "owner", "")));
    }
}
