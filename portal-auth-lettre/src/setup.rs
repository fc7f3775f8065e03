//! Why a mailer could not be set up.

use std::error::Error as StdError;
use std::fmt;

/// A setting that cannot be used: which one, what is wrong with it, and what to write instead.
///
/// It never repeats the value, which may hold a password.
#[derive(Debug)]
pub struct SetupError {
    field: &'static str,
    problem: &'static str,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl SetupError {
    pub(crate) fn new(field: &'static str, problem: &'static str) -> Self {
        Self {
            field,
            problem,
            cause: None,
        }
    }

    pub(crate) fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The setting: `url`, `from`, `reply_to`, `ca`, `timeout`, `pool_size` or `folder`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mail setting `{}`: {}", self.field, self.problem)
    }
}

impl StdError for SetupError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|c| &**c as &(dyn StdError + 'static))
    }
}
