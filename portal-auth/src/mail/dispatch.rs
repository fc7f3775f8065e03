//! The outbox's way to the mailer.

use std::sync::Arc;

use crate::mail::mailer::Mailer;
use crate::portal::Inner;

/// Does what nobody waits for: mail, last-seen stamps, purging.
#[derive(Debug)]
#[must_use = "without it no mail is sent"]
pub struct Background {
    inner: Arc<Inner>,
    mailer: Arc<dyn Mailer>,
}

impl Background {
    pub(crate) fn new(inner: Arc<Inner>, mailer: Arc<dyn Mailer>) -> Self {
        Self { inner, mailer }
    }
}
