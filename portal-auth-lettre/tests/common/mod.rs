//! What the tests of both mailers share.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::Arc;

use portal_auth::environment::{Clock, Timestamp};
use portal_auth::mail::mailer::RenderedMail;

pub(crate) const ID: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const FROM: &str = "Professional Portal <no-reply@portal.example>";
pub(crate) const TO: &str = "ann@person.example";

/// 2023-11-14 22:13:20 UTC, for ever.
#[derive(Debug)]
pub(crate) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000)
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(StoppedClock)
}

pub(crate) fn mail() -> RenderedMail {
    mail_with(
        TO,
        "Hello Ann.\n\nhttps://portal.example/a?t=x\n",
        "<p>Hello Ann.</p>\n",
    )
}

pub(crate) fn mail_with(to: &str, text: &str, html: &str) -> RenderedMail {
    RenderedMail::new(
        ID.into(),
        to.into(),
        "Complete your registration",
        "registered",
        text.into(),
        html.into(),
    )
}

/// The headers that a mail has, in their order, and nothing beside.
pub(crate) const HEADERS: [&str; 11] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Language",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
];
