//! What a failed attempt means for the mail.

use std::error::Error as StdError;
use std::fmt;

use lettre::transport::smtp;
use portal_auth::mail::mailer::MailError;

/// How far an attempt had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Finding, reaching and greeting the relay, TLS included.
    Connect,
    /// Signing in.
    SignIn,
    /// Naming the sender.
    Sender,
    /// Naming the recipient.
    Recipient,
    /// Handing the mail over. When the connection ends here, the mail may have arrived.
    Content,
}

/// What went wrong between us and the relay, without any address, password or text of a mail.
#[derive(Debug)]
pub struct RelayError {
    stage: Stage,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    TimedOut,
    /// The relay said no: the code, and the enhanced code (RFC 3463) when it gave one.
    Answered {
        code: u16,
        enhanced: Option<String>,
    },
    /// The cause is safe to show: nothing the relay wrote is in it.
    Broken(Option<Box<dyn StdError + Send + Sync>>),
    NoStartTls,
    NoWayToSignIn,
}

impl RelayError {
    pub(crate) fn timed_out(stage: Stage) -> Self {
        Self {
            stage,
            kind: Kind::TimedOut,
        }
    }

    pub(crate) fn io(stage: Stage, cause: std::io::Error) -> Self {
        Self {
            stage,
            kind: Kind::Broken(Some(Box::new(cause))),
        }
    }

    pub(crate) fn no_starttls() -> Self {
        Self {
            stage: Stage::Connect,
            kind: Kind::NoStartTls,
        }
    }

    pub(crate) fn no_way_to_sign_in() -> Self {
        Self {
            stage: Stage::SignIn,
            kind: Kind::NoWayToSignIn,
        }
    }

    pub(crate) fn smtp(stage: Stage, error: smtp::Error) -> Self {
        let kind = match error.status() {
            Some(code) => {
                let enhanced = error.source().and_then(|text| enhanced_code(&text.to_string()));
                Kind::Answered {
                    code: u16::from(code),
                    enhanced,
                }
            }
            // A reply that could not be read is not shown: it may repeat the address.
            None if error.is_response() => Kind::Broken(None),
            None => Kind::Broken(Some(Box::new(error))),
        };
        Self { stage, kind }
    }

    /// How far the attempt had come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The relay's three-digit answer, when it gave one.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self.kind {
            Kind::Answered { code, .. } => Some(code),
            Kind::TimedOut | Kind::Broken(_) | Kind::NoStartTls | Kind::NoWayToSignIn => None,
        }
    }

    /// Whether the conversation can go on with another mail: the relay answered, and did not say that it closes.
    pub(crate) fn leaves_connection_usable(&self) -> bool {
        self.code().is_some_and(|code| code != 421)
    }

    /// Sorts the failure by what it says about the mail.
    ///
    /// Until the sender is accepted, nothing that fails has to do with this mail. Afterwards, 5xx is final except for
    /// the codes that are about our signing in (RFC 4954).
    pub(crate) fn into_mail_error(self) -> MailError {
        let about_us = matches!(self.code(), Some(530 | 534 | 535 | 538));
        let permanent = self.code().is_some_and(|code| (500..600).contains(&code));
        if self.stage < Stage::Sender || about_us || (self.stage == Stage::Sender && permanent) {
            MailError::Unreachable(Box::new(self))
        } else if permanent {
            MailError::Permanent(Box::new(self))
        } else {
            MailError::Transient(Box::new(self))
        }
    }
}

impl fmt::Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Connect => "connecting to the relay",
            Stage::SignIn => "signing in at the relay",
            Stage::Sender => "naming the sender",
            Stage::Recipient => "naming the recipient",
            Stage::Content => "handing the mail over",
        };
        match &self.kind {
            Kind::TimedOut => write!(f, "{stage} took too long"),
            Kind::Answered {
                code,
                enhanced: Some(enhanced),
            } => write!(f, "{stage} was answered {code} ({enhanced})"),
            Kind::Answered { code, enhanced: None } => write!(f, "{stage} was answered {code}"),
            Kind::Broken(_) => write!(f, "{stage} failed"),
            Kind::NoStartTls => {
                f.write_str("the relay does not offer STARTTLS; use smtps:// or another relay")
            }
            Kind::NoWayToSignIn => f.write_str("the relay offers neither AUTH PLAIN nor AUTH LOGIN"),
        }
    }
}

impl StdError for RelayError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.kind {
            Kind::Broken(Some(cause)) => Some(&**cause),
            Kind::TimedOut
            | Kind::Answered { .. }
            | Kind::Broken(None)
            | Kind::NoStartTls
            | Kind::NoWayToSignIn => None,
        }
    }
}

/// `5.1.1` out of `5.1.1 <address> unknown`.
fn enhanced_code(text: &str) -> Option<String> {
    let word = text.split_whitespace().next()?;
    let mut parts = word.split('.');
    let number = |p: Option<&str>| {
        p.is_some_and(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    let all = number(parts.next()) && number(parts.next()) && number(parts.next()) && parts.next().is_none();
    all.then(|| word.to_owned())
}
