//! A mailer that keeps what it is given, and reads links and codes out of it as a person would.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::mail::mailer::{MailError, Mailer, RenderedMail};

/// The length of a token in a link: 32 bytes in base64url (TOK-1).
const TOKEN_LENGTH: usize = 43;

/// How a [`RecordingMailer`] fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailFailure {
    /// As a server that says "not now".
    Transient,
    /// As a server that refuses the recipient for good.
    Permanent,
    /// As a relay that cannot be used at all.
    Unreachable,
}

/// A mailer that keeps every mail in memory. Its clones share one collection.
#[derive(Debug, Clone, Default)]
pub struct RecordingMailer {
    inner: Arc<Mutex<Recorded>>,
}

#[derive(Debug, Default)]
struct Recorded {
    sent: Vec<Arc<RenderedMail>>,
    attempts: usize,
    failing: Option<(MailFailure, Option<usize>)>,
}

impl RecordingMailer {
    /// A mailer that takes everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails every mail from now on.
    pub fn fail(&self, how: MailFailure) {
        self.recorded().failing = Some((how, None));
    }

    /// Fails the next `times` mails and takes those after them.
    pub fn fail_next(&self, how: MailFailure, times: usize) {
        self.recorded().failing = (times > 0).then_some((how, Some(times)));
    }

    /// Takes every mail from now on.
    pub fn recover(&self) {
        self.recorded().failing = None;
    }

    /// All mails it took, the oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Arc<RenderedMail>> {
        self.recorded().sent.clone()
    }

    /// The mails it took for the address `to`, the oldest first.
    #[must_use]
    pub fn sent_to(&self, to: &str) -> Vec<Arc<RenderedMail>> {
        let mut sent = self.sent();
        sent.retain(|mail| mail.to == to);
        sent
    }

    /// The newest mail of `kind` (such as `sign-in-code`) for the address `to`.
    #[must_use]
    pub fn latest(&self, to: &str, kind: &str) -> Option<Arc<RenderedMail>> {
        self.sent_to(to).into_iter().rfind(|mail| mail.kind == kind)
    }

    /// How often it was called, with the calls that failed.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.recorded().attempts
    }

    /// Forgets the mails it took.
    pub fn clear(&self) {
        self.recorded().sent.clear();
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        // Nothing here is left half-done by a panic, so a poisoned lock is as good as another.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for RecordingMailer {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailError> {
        let mut recorded = self.recorded();
        recorded.attempts = recorded.attempts.saturating_add(1);
        if let Some((how, times)) = recorded.failing {
            recorded.failing = match times.map(|t| t.saturating_sub(1)) {
                Some(0) => None,
                left => Some((how, left)),
            };
            let cause = "the recording mailer was told to fail".into();
            return Err(match how {
                MailFailure::Transient => MailError::Transient(cause),
                MailFailure::Permanent => MailError::Permanent(cause),
                MailFailure::Unreachable => MailError::Unreachable(cause),
            });
        }
        recorded.sent.push(Arc::new(RenderedMail {
            id: mail.id.clone(),
            to: mail.to.clone(),
            subject: mail.subject,
            kind: mail.kind,
            text: mail.text.clone(),
            html: mail.html.clone(),
            language: mail.language,
        }));
        Ok(())
    }
}

/// The links in a text, as they stand there: everything from `http://` or `https://` to the next blank, quotation
/// mark or angle bracket.
#[must_use]
pub fn links_in(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || "\"'<>".contains(c))
        .filter_map(|word| {
            let at = word.find("https://").or_else(|| word.find("http://"))?;
            word.get(at..)
        })
        .collect()
}

/// The tokens in the links of a text: runs of exactly 43 characters of base64url.
#[must_use]
pub fn tokens_in(text: &str) -> Vec<&str> {
    links_in(text)
        .into_iter()
        .flat_map(|link| link.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')))
        .filter(|run| run.len() == TOKEN_LENGTH)
        .collect()
}

/// The one-time code in a text: digits alone, or in groups parted by single blanks ("482 913"), at least six of
/// them, that begin a line or follow a `#`.
#[must_use]
pub fn code_in(text: &str) -> Option<String> {
    let starts = text.lines().flat_map(|line| line.split('#'));
    starts.map(leading_code).find(|code| code.len() >= 6)
}

fn leading_code(line: &str) -> String {
    let mut code = String::new();
    for word in line.split(' ') {
        if word.is_empty() || !word.bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        code.push_str(word);
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, to: &str, kind: &'static str) -> RenderedMail {
        RenderedMail::new(
            id.into(),
            to.into(),
            "Subject",
            kind,
            "text".into(),
            "<p>html</p>".into(),
        )
    }

    #[tokio::test]
    async fn it_finds_the_newest_mail_of_a_kind_and_an_address() {
        let mailer = RecordingMailer::new();
        for (id, to, kind) in [
            ("1", "jo@school.example", "sign-in-code"),
            ("2", "jo@school.example", "sign-in-code"),
            ("3", "jo@school.example", "account-ready"),
            ("4", "al@school.example", "sign-in-code"),
        ] {
            mailer.clone().send(&mail(id, to, kind)).await.unwrap();
        }
        assert_eq!(
            mailer.latest("jo@school.example", "sign-in-code").unwrap().id,
            "2"
        );
        assert!(mailer.latest("al@school.example", "account-ready").is_none());
        assert_eq!(mailer.sent_to("jo@school.example").len(), 3);
        mailer.clear();
        assert!(mailer.sent().is_empty());
    }

    #[tokio::test]
    async fn it_fails_as_it_is_told_and_keeps_nothing_that_failed() {
        let mailer = RecordingMailer::new();
        let jo = mail("1", "jo@school.example", "sign-in-code");
        mailer.fail_next(MailFailure::Transient, 1);
        assert!(matches!(mailer.send(&jo).await, Err(MailError::Transient(_))));
        assert!(mailer.send(&jo).await.is_ok());
        mailer.fail(MailFailure::Permanent);
        assert!(matches!(mailer.send(&jo).await, Err(MailError::Permanent(_))));
        mailer.fail(MailFailure::Unreachable);
        assert!(matches!(mailer.send(&jo).await, Err(MailError::Unreachable(_))));
        mailer.recover();
        assert!(mailer.send(&jo).await.is_ok());
        assert_eq!((mailer.attempts(), mailer.sent().len()), (5, 2));
    }

    #[test]
    fn links_and_tokens_are_read_out_of_text_and_html() {
        let token = "Ab-_".repeat(10) + "xyz";
        let text = format!(
            "Open this:\nhttps://portal.example/activate#{token}\n\nor <a href=\"http://portal.example/help\">"
        );
        assert_eq!(
            links_in(&text),
            [
                format!("https://portal.example/activate#{token}").as_str(),
                "http://portal.example/help"
            ]
        );
        assert_eq!(tokens_in(&text), [token.as_str()]);
        assert!(tokens_in(&format!("https://portal.example/{token}x {token}")).is_empty());
    }

    #[test]
    fn a_code_is_read_grouped_or_plain_and_no_other_number_is_taken_for_one() {
        assert_eq!(
            code_in("482 913 is your Verification Code\n").as_deref(),
            Some("482913")
        );
        assert_eq!(
            code_in("Hello\n\n@portal.example #004711\n").as_deref(),
            Some("004711")
        );
        assert_eq!(
            code_in("Asked for on 12 March 2026 at 10:15\n2026 was good"),
            None
        );
    }
}
