//! Sends the mails of [`portal-auth`](portal_auth) by SMTP, with TLS or not at all, or writes them to a folder.
//!
//! - [`SmtpMailer`] hands each mail to a relay: `smtps://` (TLS from the first byte) or `smtp://` (STARTTLS, required).
//!   It keeps a few connections open, ends every attempt within its time limit, and says for each failure whether the
//!   mail, the moment or the relay was at fault.
//! - [`FileMailer`] writes each mail as a complete `<id>.eml`, for development and for relays that watch a folder.
//!
//! Both write the same mail: text first and HTML beside it, one recipient, a `Message-ID` that stays the same over all
//! attempts, `Auto-Submitted: auto-generated`, `X-Auto-Response-Suppress: All`, `Content-Language`, and `Reply-To` when
//! you give one. Everything is built by typed builders; no header is ever put together from strings.
//!
//! ```no_run
//! use portal_auth_lettre::SmtpMailer;
//!
//! # fn main() -> Result<(), portal_auth_lettre::SetupError> {
//! let mailer = SmtpMailer::builder("smtp://portal:secret@mail.example:587")
//!     .from("Professional Portal <no-reply@portal.example>")
//!     .reply_to("help@portal.example")
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # DKIM, SPF and DMARC
//! This crate does not sign. Let the relay sign with DKIM for the domain of your From address, name the relay in that
//! domain's SPF record, and publish a DMARC policy: without the three, code and link mails land among the spam.
//!
//! # Security
//! - Neither the password nor a mail ever goes over a connection without TLS; the one exception is
//!   [`dangerous_plaintext`](SmtpMailerBuilder::dangerous_plaintext), which demands a relay on the same machine.
//! - No `Debug` and no error shows a password, an address or a mail. Of what the relay answers, errors keep the codes
//!   only, since its texts tend to repeat the address.
//! - lettre's own logging is not compiled in; its `tracing` feature would write addresses and whole mails.

mod connection;
mod file;
mod message;
mod relay_url;
mod setup;
mod smtp;
mod verdict;

pub use file::{FileMailer, FileMailerBuilder};
pub use setup::SetupError;
pub use smtp::{SmtpMailer, SmtpMailerBuilder};
pub use verdict::{RelayError, Stage};
