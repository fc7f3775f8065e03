//! Moments, spans and browsers in the person's language.

use std::time::Duration;

use portal_auth::environment::Timestamp;
use portal_auth::language::LanguageTag;
use portal_auth::local_time::{LocalTime, in_words_of};
use portal_auth::visitor::label_in;

use super::catalogue::Language;

impl Language {
    /// "10:40 pm today".
    pub(crate) fn moment(self, local: &LocalTime, at: Timestamp, now: Timestamp) -> String {
        local.moment_in(&self.as_tag(), at, now)
    }

    /// "12 hours".
    pub(crate) fn span(self, span: Duration) -> String {
        in_words_of(&self.as_tag(), span)
    }

    /// "Firefox on Windows".
    pub(crate) fn browser(self, label: &str) -> String {
        label_in(&self.as_tag(), label)
    }

    /// The tag as the library takes it.
    pub(crate) fn as_tag(self) -> LanguageTag {
        LanguageTag::parse(self.tag()).unwrap_or_default()
    }
}
