//! Turns a rendered mail into the message that goes out, with every header it must have and none beside.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, address::Envelope};
use portal_auth::environment::{Clock, SystemClock, Timestamp};
use portal_auth::mail::mailer::RenderedMail;

use crate::setup::SetupError;

/// What all mails of a mailer have in common, while it is being set up.
#[derive(Clone)]
pub(crate) struct LetterheadSettings {
    pub(crate) from: Option<String>,
    pub(crate) reply_to: Option<String>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Default for LetterheadSettings {
    fn default() -> Self {
        Self {
            from: None,
            reply_to: None,
            clock: Arc::new(SystemClock::default()),
        }
    }
}

impl LetterheadSettings {
    pub(crate) fn check(self) -> Result<Letterhead, SetupError> {
        let missing = || {
            SetupError::new(
                "from",
                "is missing; give the sender, such as `Portal <no-reply@portal.example>`",
            )
        };
        let from = mailbox("from", &self.from.ok_or_else(missing)?)?;
        let reply_to = self.reply_to.map(|r| mailbox("reply_to", &r)).transpose()?;
        Ok(Letterhead {
            from,
            reply_to,
            clock: self.clock,
        })
    }
}

/// What all mails of a mailer have in common.
pub(crate) struct Letterhead {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    clock: Arc<dyn Clock>,
}

impl Letterhead {
    /// Writes the message, to `mail.to` and nobody else.
    pub(crate) fn write(&self, mail: &RenderedMail) -> Result<Message, Unfit> {
        if !is_id(&mail.id) {
            return Err(Unfit::Id);
        }
        let to = recipient(&mail.to)?;
        let envelope =
            Envelope::new(Some(self.from.email.clone()), vec![to.clone()]).map_err(|_| Unfit::Recipient)?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .date(system_time(self.clock.now()))
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .header(AutoSubmitted)
            .header(SuppressAutoResponse)
            .header(ContentLanguage(mail.language.to_owned()))
            .envelope(envelope);
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(reply_to.clone());
        }
        let text = SinglePart::plain(tidy(&mail.text));
        let html = SinglePart::html(tidy(&mail.html));
        message
            .multipart(MultiPart::alternative().singlepart(text).singlepart(html))
            .map_err(|_| Unfit::Message)
    }
}

impl fmt::Debug for Letterhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letterhead").finish_non_exhaustive()
    }
}

/// Why a mail can never go out: the caller broke the promises of [`RenderedMail`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    Id,
    Recipient,
    Message,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "the id of the mail is not 32 hexadecimal digits",
            Self::Recipient => "the recipient is not one address in canonical form",
            Self::Message => "the mail has no form that can be sent",
        })
    }
}

impl std::error::Error for Unfit {}

fn is_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Reads the recipient more strictly than the mail library does, which also takes quoted parts and address literals:
/// whatever passes here has one meaning to every mail server (EML-6).
fn recipient(to: &str) -> Result<Address, Unfit> {
    let plain = |b: u8| b.is_ascii_graphic() && !b",;:<>\"()[]\\".contains(&b);
    if to.len() > 254 || !to.bytes().all(plain) || to.matches('@').count() != 1 {
        return Err(Unfit::Recipient);
    }
    to.parse().map_err(|_| Unfit::Recipient)
}

/// Makes all line ends alike and takes out control characters, so that a lone CR or LF cannot be read as the end of
/// the mail by one server and as text by the next.
fn tidy(body: &str) -> String {
    let lines = body.replace("\r\n", "\n").replace('\r', "\n");
    lines
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect()
}

fn mailbox(field: &'static str, text: &str) -> Result<Mailbox, SetupError> {
    let form =
        "must be one address in ASCII with an optional name, such as `Portal <no-reply@portal.example>`";
    let mailbox: Mailbox = text
        .parse()
        .map_err(|e| SetupError::new(field, form).because(e))?;
    let address: &str = mailbox.email.as_ref();
    if text.chars().any(char::is_control) || recipient(address).is_err() {
        return Err(SetupError::new(field, form));
    }
    Ok(mailbox)
}

/// The moment in whole seconds, never outside the years a mail can name.
fn system_time(now: Timestamp) -> SystemTime {
    let last = 253_402_300_799; // the end of the year 9999
    let seconds = u64::try_from(now.as_micros())
        .unwrap_or(0)
        .checked_div(1_000_000)
        .unwrap_or(0)
        .min(last);
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(UNIX_EPOCH)
}

/// `Auto-Submitted: auto-generated` (RFC 3834): keeps holiday notes from being sent back.
#[derive(Clone)]
struct AutoSubmitted;

/// `X-Auto-Response-Suppress: All`: the same for Exchange.
#[derive(Clone)]
struct SuppressAutoResponse;

#[derive(Clone)]
struct ContentLanguage(String);

/// A header that is only ever written.
macro_rules! outgoing {
    ($header:ty, $name:literal, $self:ident => $value:expr) => {
        impl Header for $header {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Err("this header is only written".into())
            }

            fn display(&$self) -> HeaderValue {
                HeaderValue::new(Self::name(), $value)
            }
        }
    };
}

outgoing!(AutoSubmitted, "Auto-Submitted", self => "auto-generated".to_owned());
outgoing!(SuppressAutoResponse, "X-Auto-Response-Suppress", self => "All".to_owned());
outgoing!(ContentLanguage, "Content-Language", self => self.0.clone());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_outside_the_years_a_mail_can_name_is_held_at_their_ends() {
        assert_eq!(system_time(Timestamp::MIN), UNIX_EPOCH);
        let end = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        assert_eq!(system_time(Timestamp::MAX), end);
    }

    // EML-6
    #[test]
    fn only_one_plain_address_is_a_recipient() {
        let bad = [
            "",
            "a",
            "a@b@c.de",
            "a@b.de,c@d.de",
            "a@b.de\r\nBcc: c@d.de",
            "<a@b.de>",
            "\"a b\"@c.de",
            "é@b.de",
            "a@[1.2.3.4]",
        ];
        for to in bad {
            assert_eq!(recipient(to), Err(Unfit::Recipient), "{to:?}");
        }
        assert!(recipient("o'brien+x@portal.example").is_ok());
    }

    #[test]
    fn a_sender_that_is_no_address_is_refused_by_name() {
        for from in ["", "x", "a@b.de, c@d.de", "A <a@b.de>\r\nBcc: x@y.de"] {
            let settings = LetterheadSettings {
                from: Some(from.into()),
                ..LetterheadSettings::default()
            };
            assert_eq!(settings.check().expect_err(from).field(), "from");
        }
    }
}
