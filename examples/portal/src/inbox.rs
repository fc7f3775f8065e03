//! The development inbox: a mailer that keeps mails in memory and shows them at `/dev/mail`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use portal_auth::environment::{Clock, Timestamp};
use portal_auth::mail::mailer::{MailError, Mailer, RenderedMail};
use serde::Serialize;

/// How many mails are kept; the oldest go.
const MOST: usize = 500;
/// How late a delayed mail arrives.
const DELAY: Duration = Duration::from_secs(30);

/// What happens to the next mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Delivery {
    /// They arrive.
    #[default]
    Normal,
    /// The server refuses them for good.
    Bounce,
    /// They arrive 30 seconds late.
    Delay,
    /// They are taken and never arrive.
    Drop,
}

impl Delivery {
    const ALL: [Self; 4] = [Self::Normal, Self::Bounce, Self::Delay, Self::Drop];

    /// The word of the page's choice.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Bounce => "bounce",
            Self::Delay => "delay",
            Self::Drop => "drop",
        }
    }

    /// Reads the word of the page's choice.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.word() == word)
    }
}

/// A mail as the inbox keeps and shows it.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct KeptMail {
    /// Names it; constant over all attempts.
    pub id: String,
    /// The one recipient.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// The kind of mail, such as `sign-in-code`.
    pub kind: String,
    /// When it arrived, in microseconds since 1970.
    pub at: Timestamp,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The links in the text, in order.
    pub links: Vec<String>,
    /// The codes in the text, digits only.
    pub codes: Vec<String>,
    /// The tag of the language it is written in; a header, and no part of the JSON.
    #[serde(skip)]
    pub language: &'static str,
}

impl fmt::Debug for KeptMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptMail")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl KeptMail {
    fn new(mail: &RenderedMail, at: Timestamp) -> Self {
        Self {
            id: mail.id.clone(),
            to: mail.to.clone(),
            subject: mail.subject.to_string(),
            kind: mail.kind.to_owned(),
            at,
            text: mail.text.clone(),
            html: mail.html.clone(),
            links: links(&mail.text),
            codes: if mail.kind == "sign-in-code" {
                codes(&mail.text)
            } else {
                Vec::new()
            },
            language: mail.language,
        }
    }

    /// The headers a mail server would be given, names and values.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            header("To", &self.to),
            header("Subject", &self.subject),
            header("Message-ID", &format!("<{}@development-inbox>", self.id)),
            header("Content-Language", self.language),
            header("Auto-Submitted", "auto-generated"),
            header("X-Auto-Response-Suppress", "All"),
        ]
    }

    /// Headers and text as one, for reading.
    #[must_use]
    pub fn source(&self) -> String {
        let headers: String = self
            .headers()
            .iter()
            .map(|(n, v)| format!("{n}: {v}\n"))
            .collect();
        format!("{headers}\n{}\n\n{}", self.text, self.html)
    }
}

/// Every whole word of the text that is a web address.
fn links(text: &str) -> Vec<String> {
    let is_link = |word: &&str| word.starts_with("https://") || word.starts_with("http://");
    text.split_whitespace()
        .filter(is_link)
        .map(str::to_owned)
        .collect()
}

/// The digits at the beginning of the first line, and of the last: "482 913 is your Verification Code".
fn codes(text: &str) -> Vec<String> {
    let first = text.lines().next().unwrap_or_default();
    let code: String = first
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ' ')
        .filter(char::is_ascii_digit)
        .collect();
    if code.is_empty() { Vec::new() } else { vec![code] }
}

/// Keeps the newest mails of this process.
#[derive(Debug)]
pub struct DevInbox {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mails: VecDeque<KeptMail>,
    delivery: Delivery,
}

impl DevInbox {
    /// An empty inbox.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to the next mails.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.state().delivery
    }

    /// Decides what happens to the next mails.
    pub fn set_delivery(&self, delivery: Delivery) {
        self.state().delivery = delivery;
    }

    /// The mails that have arrived, newest first; to `to` and of `kind`, where these are not empty.
    #[must_use]
    pub fn newest_first(&self, to: &str, kind: &str) -> Vec<KeptMail> {
        let now = self.clock.now();
        let to = to.trim();
        self.state()
            .mails
            .iter()
            .rev()
            .filter(|m| m.at <= now && (to.is_empty() || m.to.eq_ignore_ascii_case(to)))
            .filter(|m| kind.is_empty() || m.kind == kind)
            .cloned()
            .collect()
    }

    /// One mail by its id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<KeptMail> {
        self.state().mails.iter().rev().find(|m| m.id == id).cloned()
    }
}

#[async_trait]
impl Mailer for DevInbox {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailError> {
        let now = self.clock.now();
        let mut state = self.state();
        let at = match state.delivery {
            Delivery::Normal => now,
            Delivery::Delay => now.plus(DELAY),
            Delivery::Drop => return Ok(()),
            Delivery::Bounce => {
                return Err(MailError::Permanent(
                    "the development inbox was told to bounce".into(),
                ));
            }
        };
        state.mails.push_back(KeptMail::new(mail, at));
        if state.mails.len() > MOST {
            state.mails.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use portal_auth::environment::SystemClock;

    use super::*;

    fn mail(kind: &'static str, text: &str) -> RenderedMail {
        RenderedMail::new(
            "ab".repeat(16),
            "jo@school.example".into(),
            "Subject",
            kind,
            text.into(),
            "<p>".into(),
        )
    }

    #[tokio::test]
    async fn links_and_codes_are_ready_to_be_copied() {
        let inbox = DevInbox::new(Arc::new(SystemClock::default()));
        inbox
            .send(&mail("sign-in-code", "482 913 is your Verification Code\n"))
            .await
            .unwrap();
        inbox
            .send(&mail(
                "complete-registration",
                "Open\n\nhttp://127.0.0.1/x?t=abc\n\nnow",
            ))
            .await
            .unwrap();
        let all = inbox.newest_first("JO@school.example", "");
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].links, ["http://127.0.0.1/x?t=abc"]);
        assert_eq!(inbox.newest_first("", "sign-in-code")[0].codes, ["482913"]);
        assert!(inbox.newest_first("other@school.example", "").is_empty());
    }

    #[tokio::test]
    async fn a_simulated_bounce_is_permanent_and_a_lost_mail_is_taken() {
        let inbox = DevInbox::new(Arc::new(SystemClock::default()));
        inbox.set_delivery(Delivery::Bounce);
        assert!(matches!(
            inbox.send(&mail("x", "")).await,
            Err(MailError::Permanent(_))
        ));
        inbox.set_delivery(Delivery::Drop);
        assert!(inbox.send(&mail("x", "")).await.is_ok());
        inbox.set_delivery(Delivery::Delay);
        assert!(inbox.send(&mail("x", "")).await.is_ok());
        assert!(inbox.newest_first("", "").is_empty());
    }
}
