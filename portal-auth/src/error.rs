//! What a call can answer besides success: a refusal, a limit, a full house, or a fault.
//!
//! Refusals are not faults. A refusal is something a *person* did or may do differently; each feature has its own
//! small enum of them. A [`Fault`] is something an *operator* must look at, and tells a person nothing.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Says why a call did not do what was asked; `R` is the feature's own list of refusals.
///
/// Exhaustive on purpose: the four cases need four different answers (422, 429, 503, 500).
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must answer each of the four, and a fifth is a breaking change"
)]
pub enum Denied<R> {
    /// The feature says no, for a reason the person can act on.
    Refused(R),
    /// Too many tries; the same for known and unknown people.
    TooManyTries {
        /// How long to wait before the next try can pass.
        retry_after: Duration,
    },
    /// All places are taken right now; nothing was charged and nothing was changed.
    Busy {
        /// When trying again is likely to pass.
        retry_after: Duration,
    },
    /// Something broke that the person cannot mend.
    Fault(Fault),
}

impl<R> Denied<R> {
    /// Turns the feature's refusal into another one, leaving the other cases alone.
    pub fn map<T>(self, f: impl FnOnce(R) -> T) -> Denied<T> {
        match self {
            Self::Refused(r) => Denied::Refused(f(r)),
            Self::TooManyTries { retry_after } => Denied::TooManyTries { retry_after },
            Self::Busy { retry_after } => Denied::Busy { retry_after },
            Self::Fault(fault) => Denied::Fault(fault),
        }
    }
}

impl<R> From<Fault> for Denied<R> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<R: fmt::Debug> fmt::Display for Denied<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(r) => write!(f, "refused: {r:?}"),
            Self::TooManyTries { retry_after } => {
                write!(f, "too many tries, wait {} s", retry_after.as_secs())
            }
            Self::Busy { retry_after } => write!(f, "busy, try again in {} s", retry_after.as_secs()),
            Self::Fault(_) => f.write_str("the operation failed"),
        }
    }
}

impl<R: fmt::Debug> StdError for Denied<R> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Fault(fault) => Some(fault),
            Self::Refused(_) | Self::TooManyTries { .. } | Self::Busy { .. } => None,
        }
    }
}

/// A failure that is nobody's refusal: a lost database, a broken record, no randomness.
///
/// Opaque: show a person "There is a problem with the service" and log the source chain. [`Fault::is_transient`]
/// tells whether the same call may succeed a moment later.
#[derive(Debug)]
pub struct Fault {
    what: &'static str,
    transient: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Fault {
    /// A fault that trying again does not mend.
    #[must_use]
    pub fn permanent(what: &'static str) -> Self {
        Self {
            what,
            transient: false,
            source: None,
        }
    }

    /// A fault that may be gone a moment later, such as a lost connection.
    #[must_use]
    pub fn transient(what: &'static str) -> Self {
        Self {
            what,
            transient: true,
            source: None,
        }
    }

    /// Keeps `source` as the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same call may succeed when it is made again a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if self.transient {
            f.write_str("; trying again may help")
        } else {
            Ok(())
        }
    }
}

impl StdError for Fault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|s| &**s as &(dyn StdError + 'static))
    }
}

/// A stable, readable code for one reason, such as `email.required`: the key of translations and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason(&'static str);

impl Reason {
    /// Names a reason; codes are lower case, `noun.problem`.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self(code)
    }

    /// The code itself.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One thing that is wrong with one field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The field's name, as in the input struct.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub reason: Reason,
    /// The number in the rule that was broken (a minimum, a maximum, a count), where there is one.
    pub number: Option<u64>,
}

/// Everything that is wrong with a form, in the order of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// No errors so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `field` is wrong because of `reason`.
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, reason: Reason) {
        self.0.push(FieldError {
            field: field.into(),
            reason,
            number: None,
        });
    }

    /// Notes that `field` breaks a rule with a number in it.
    pub fn add_with_number(&mut self, field: impl Into<Cow<'static, str>>, reason: Reason, number: u64) {
        self.0.push(FieldError {
            field: field.into(),
            reason,
            number: Some(number),
        });
    }

    /// Takes over all of `other`'s errors.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter()
    }

    /// The errors of one field.
    pub fn of<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a FieldError> + 'a {
        self.0.iter().filter(move |e| e.field == field)
    }

    /// `Ok(value)` when nothing is wrong, else the errors.
    ///
    /// # Errors
    /// Returns the collected errors when there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, e) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}: {}", e.field, e.reason)?;
        }
        Ok(())
    }
}

impl StdError for FieldErrors {}
