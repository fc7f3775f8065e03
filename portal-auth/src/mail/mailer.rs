//! The port through which a rendered mail leaves the process.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

/// A mail that is ready to be sent, to exactly one recipient.
///
/// It exists only between rendering and sending: it holds live links and codes, is never stored, and its `Debug`
/// shows neither body nor address.
#[non_exhaustive]
pub struct RenderedMail {
    /// 32 hexadecimal digits, constant over all attempts: the left side of the `Message-ID`.
    pub id: String,
    /// The one recipient, in the canonical form the store holds: ASCII, one `@`, at most 254 bytes.
    pub to: String,
    /// Constant per kind of mail, language and service; never holds a code, a link or anything that a visitor typed.
    pub subject: String,
    /// Stable name of the kind, such as `sign-in-code`.
    pub kind: &'static str,
    /// The complete text, lines under 78 characters, `\n` line ends.
    pub text: String,
    /// The same as HTML, without anything loaded from elsewhere.
    pub html: String,
    /// BCP 47 tag of the texts, such as `en-GB`.
    pub language: &'static str,
}

impl RenderedMail {
    /// Puts a mail together; the dispatcher does this, and tests of mailers.
    #[must_use]
    pub fn new(
        id: String,
        to: String,
        subject: impl Into<String>,
        kind: &'static str,
        text: String,
        html: String,
    ) -> Self {
        Self {
            id,
            to,
            subject: subject.into(),
            kind,
            text,
            html,
            language: "en-GB",
        }
    }

    /// Says in which language the texts are, by its BCP 47 tag; without it they are in British English.
    #[must_use]
    pub const fn in_language(mut self, tag: &'static str) -> Self {
        self.language = tag;
        self
    }
}

impl fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderedMail")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Why a mail could not be handed over.
///
/// `Transient` is tried again with back-off; `Permanent` ends this mail for good and shows it to the operator.
/// `Unreachable` means that the relay itself could not be used (refused, unknown CA, our credentials wrong): it is
/// tried again and does not count against the mail.
#[derive(Debug)]
#[non_exhaustive]
pub enum MailError {
    /// The server said "not now" (4xx), or the connection ended mid-way; the mail may or may not have arrived.
    Transient(Box<dyn StdError + Send + Sync>),
    /// The server refused this recipient or this mail for good (5xx).
    Permanent(Box<dyn StdError + Send + Sync>),
    /// No mail at all can be sent at present; nothing is wrong with this one.
    Unreachable(Box<dyn StdError + Send + Sync>),
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transient(_) => "the mail server cannot take this mail now",
            Self::Permanent(_) => "the mail server refused this mail",
            Self::Unreachable(_) => "the mail server cannot be used",
        })
    }
}

impl StdError for MailError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Transient(e) | Self::Permanent(e) | Self::Unreachable(e) => Some(&**e),
        }
    }
}

/// Hands a rendered mail to whoever delivers it. Only the outbox dispatcher calls it.
///
/// An implementation must return within 30 s, must send to `mail.to` and nobody else, and must not log bodies,
/// subjects with values, or full addresses. It may be called concurrently, and twice for one mail: `mail.id` is the
/// same both times, so use it for the `Message-ID`.
#[async_trait]
pub trait Mailer: fmt::Debug + Send + Sync {
    /// Sends one mail.
    ///
    /// # Errors
    /// See [`MailError`] for what each case makes the dispatcher do.
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailError>;
}

#[async_trait]
impl<T: Mailer + ?Sized> Mailer for Arc<T> {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailError> {
        (**self).send(mail).await
    }
}
