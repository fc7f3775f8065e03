//! The mailer that speaks SMTP.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use portal_auth::environment::Clock;
use portal_auth::mail::mailer::{MailError, Mailer, RenderedMail};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::connection::{Connections, Progress};
use crate::message::{Letterhead, LetterheadSettings};
use crate::relay_url::Relay;
use crate::setup::SetupError;
use crate::verdict::RelayError;

/// The longest an attempt may take, as the `Mailer` port demands.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_POOL_SIZE: usize = 100;

/// Hands mails to an SMTP relay over TLS.
///
/// It opens a connection when the first mail comes, keeps connections that are in order, and opens a new one when a
/// kept one has died. It may be made outside a runtime; sending needs tokio.
///
/// How failures come out:
///
/// | What happened | `MailError` |
/// |---|---|
/// | refused, unknown host or CA, no STARTTLS, any failure or silence before the sender was named | `Unreachable` |
/// | signing in failed, or our sender address was refused (5xx) | `Unreachable` |
/// | 4xx to sender, recipient or mail; silence or a lost connection from there on | `Transient` |
/// | 5xx to recipient or mail | `Permanent` |
///
/// The error inside is a [`RelayError`] and says at which [`Stage`](crate::Stage) it happened.
///
/// # Cancel safety
/// A send that is dropped closes its connection. The mail may or may not have arrived, as after any lost connection.
pub struct SmtpMailer {
    letterhead: Letterhead,
    connections: Connections,
    places: Semaphore,
    timeout: Duration,
}

impl SmtpMailer {
    /// Begins with the URL of the relay: `smtps://user:password@host:465` (TLS from the first byte) or
    /// `smtp://user:password@host:587` (STARTTLS, required).
    ///
    /// Without a port, 465 and 587 are used; without name and password, nobody signs in. Percent-encode characters in
    /// them that have a meaning in URLs.
    pub fn builder(url: impl Into<String>) -> SmtpMailerBuilder {
        SmtpMailerBuilder {
            url: url.into(),
            letterhead: LetterheadSettings::default(),
            ca: None,
            pool_size: 4,
            timeout: MAX_TIMEOUT,
            plaintext: false,
        }
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer")
            .field("relay", self.connections.relay())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailError> {
        let message = self
            .letterhead
            .write(mail)
            .map_err(|e| MailError::Permanent(Box::new(e)))?;
        let progress = Progress::new();
        let attempt = async {
            // The semaphore is never closed; if it were, sending without a place does no harm.
            let _place = self.places.acquire().await.ok();
            self.connections.send(&message, &progress).await
        };
        match timeout(self.timeout, attempt).await {
            Ok(sent) => sent.map_err(RelayError::into_mail_error),
            Err(_) => Err(RelayError::timed_out(progress.get()).into_mail_error()),
        }
    }
}

/// An [`SmtpMailer`] in the making.
#[must_use]
pub struct SmtpMailerBuilder {
    url: String,
    letterhead: LetterheadSettings,
    ca: Option<Ca>,
    pool_size: usize,
    timeout: Duration,
    plaintext: bool,
}

enum Ca {
    Pem(Vec<u8>),
    File(PathBuf),
}

impl SmtpMailerBuilder {
    /// The sender, required: `no-reply@portal.example` or `Portal <no-reply@portal.example>`. Its domain also stands
    /// in each `Message-ID`.
    pub fn from(mut self, sender: impl Into<String>) -> Self {
        self.letterhead.from = Some(sender.into());
        self
    }

    /// Where answers go; default: to the sender.
    pub fn reply_to(mut self, address: impl Into<String>) -> Self {
        self.letterhead.reply_to = Some(address.into());
        self
    }

    /// A file with the CA certificates (PEM) that may vouch for the relay, read by [`build`](Self::build). They
    /// replace the public CAs, which are the default.
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca = Some(Ca::File(file.into()));
        self
    }

    /// As [`ca_file`](Self::ca_file), with the certificates themselves.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(Ca::Pem(pem.into()));
        self
    }

    /// The most connections at once, 1 to 100; default 4. Further mails wait for a place, within their time limit.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections;
        self
    }

    /// The longest one attempt may take from start to end, up to 30 s; default 30 s.
    ///
    /// A mail whose answer comes later counts as not sent and is sent again: too short a limit makes duplicates.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// The clock behind the `Date` header; default: the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.letterhead.clock = clock;
        self
    }

    /// Gives up TLS for an `smtp://` relay on this very machine.
    ///
    /// # Security
    /// Mails carry links and codes that open accounts. [`build`](Self::build) refuses any host but `localhost` and
    /// loopback addresses.
    pub fn dangerous_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// Checks everything and makes the mailer; nothing is connected yet.
    ///
    /// # Errors
    /// [`SetupError`] names the setting that cannot be used and what to write instead, never its value.
    pub fn build(self) -> Result<SmtpMailer, SetupError> {
        let relay = Relay::parse(&self.url)?;
        let relay = if self.plaintext {
            relay.without_tls()?
        } else {
            relay
        };
        let letterhead = self.letterhead.check()?;
        if !(1..=MAX_POOL_SIZE).contains(&self.pool_size) {
            return Err(SetupError::new("pool_size", "must be between 1 and 100"));
        }
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(SetupError::new("timeout", "must be above zero and at most 30 s"));
        }
        let tls = tls_parameters(&relay.host, self.ca)?;
        let places = Semaphore::new(self.pool_size);
        Ok(SmtpMailer {
            letterhead,
            connections: Connections::new(relay, tls),
            places,
            timeout: self.timeout,
        })
    }
}

impl fmt::Debug for SmtpMailerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL holds the password.
        f.debug_struct("SmtpMailerBuilder")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn tls_parameters(host: &str, ca: Option<Ca>) -> Result<TlsParameters, SetupError> {
    let bad = |problem| SetupError::new("ca", problem);
    let mut tls = TlsParameters::builder(host.to_owned());
    let pem = match ca {
        None => None,
        Some(Ca::Pem(pem)) => Some(pem),
        Some(Ca::File(file)) => {
            Some(std::fs::read(file).map_err(|e| bad("cannot be read; give a readable file").because(e))?)
        }
    };
    if let Some(pem) = pem {
        // An empty file would otherwise come out as "unknown CA" only when the first mail is sent.
        if !pem.windows(PEM_CERTIFICATE.len()).any(|w| w == PEM_CERTIFICATE) {
            return Err(bad(
                "holds no certificate; give PEM that begins with -----BEGIN CERTIFICATE-----",
            ));
        }
        let unusable = |e| bad("is no usable CA certificate; give it as PEM").because(e);
        let certificate = Certificate::from_pem(&pem).map_err(unusable)?;
        tls = tls
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    tls.build()
        .map_err(|e| bad("is no usable CA certificate; give it as PEM").because(e))
}

const PEM_CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
