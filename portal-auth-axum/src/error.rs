//! One answer for everything that is not success.

use std::fmt;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use portal_auth::error::{Denied, Fault};

/// Why a request was not fulfilled, made from any [`Denied`] with `?`.
///
/// As a response it is one plain sentence; a portal with pages of its own matches on [`kind`](Self::kind) and shows
/// those with [`status`](Self::status). What a feature refused is not kept, so handle the refusals that deserve their
/// own words before using `?`.
#[derive(Debug)]
pub struct Error(ErrorKind);

/// The four things that can be in the way.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The feature said no: 422.
    Refused,
    /// Too many tries: 429.
    TooManyTries {
        /// How long to wait before the next try can pass.
        retry_after: Duration,
    },
    /// All places are taken right now: 503.
    Busy {
        /// When trying again is likely to pass.
        retry_after: Duration,
    },
    /// Something broke that an operator must look at: 503 where it may be gone a moment later, else 500.
    Fault(Fault),
}

impl Error {
    /// What was in the way.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// The status that answers it.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.0 {
            ErrorKind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Fault(fault) if fault.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The whole seconds for a `Retry-After` header: at least one, and never less than the wait.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match &self.0 {
            ErrorKind::TooManyTries { retry_after } | ErrorKind::Busy { retry_after } => {
                let begun = u64::from(retry_after.subsec_nanos() > 0);
                Some(retry_after.as_secs().saturating_add(begun).max(1))
            }
            ErrorKind::Fault(fault) if fault.is_transient() => Some(RETRY_FAULT_AFTER),
            ErrorKind::Refused | ErrorKind::Fault(_) => None,
        }
    }
}

impl<R> From<Denied<R>> for Error {
    fn from(denied: Denied<R>) -> Self {
        Self(match denied {
            Denied::Refused(_) => ErrorKind::Refused,
            Denied::TooManyTries { retry_after } => ErrorKind::TooManyTries { retry_after },
            Denied::Busy { retry_after } => ErrorKind::Busy { retry_after },
            Denied::Fault(fault) => ErrorKind::Fault(fault),
        })
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self(ErrorKind::Fault(fault))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            ErrorKind::Refused => "the request was refused",
            ErrorKind::TooManyTries { .. } => "there were too many tries",
            ErrorKind::Busy { .. } => "all places are taken",
            ErrorKind::Fault(_) => "the operation failed",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            ErrorKind::Fault(fault) => Some(fault),
            ErrorKind::Refused | ErrorKind::TooManyTries { .. } | ErrorKind::Busy { .. } => None,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let text = match &self.0 {
            ErrorKind::Refused => "This was not accepted.\n",
            ErrorKind::TooManyTries { .. } => "There were too many tries. Try again later.\n",
            ErrorKind::Busy { .. } => "The service is busy. Try again in a moment.\n",
            ErrorKind::Fault(fault) => {
                let fault: &dyn std::error::Error = fault;
                tracing::error!(error = fault, "a request failed");
                "There is a problem with the service.\n"
            }
        };
        let mut response = (self.status(), text).into_response();
        if let Some(seconds) = self.retry_after_seconds() {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Seconds: long enough for a database to fail over, short enough for somebody who waits before the page.
const RETRY_FAULT_AFTER: u64 = 5;

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn answer(denied: Denied<&str>) -> (u16, Option<String>) {
        let response = Error::from(denied).into_response();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), wait)
    }

    #[test]
    fn each_denial_has_its_own_status() {
        assert_eq!(answer(Denied::Refused("no")), (422, None));
        let retry_after = Duration::from_secs(60);
        assert_eq!(
            answer(Denied::TooManyTries { retry_after }),
            (429, Some("60".into()))
        );
        assert_eq!(answer(Denied::Busy { retry_after }), (503, Some("60".into())));
        assert_eq!(answer(Denied::Fault(Fault::permanent("broken"))), (500, None));
        // DB-5
        let lost = Fault::transient("the database is gone");
        assert_eq!(answer(Denied::Fault(lost)), (503, Some("5".into())));
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_zero() {
        for (wait, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (59_999, "60")] {
            let retry_after = Duration::from_millis(wait);
            assert_eq!(
                answer(Denied::TooManyTries { retry_after }),
                (429, Some(seconds.into()))
            );
        }
        assert_eq!(
            answer(Denied::Busy {
                retry_after: Duration::MAX
            })
            .1,
            Some(u64::MAX.to_string())
        );
    }

    #[tokio::test]
    async fn a_fault_keeps_its_cause_for_the_operator_and_tells_a_person_nothing() {
        // WEB-8
        let error = Error::from(Fault::permanent("the database is gone").because("host db-7 unreachable"));
        assert!(error.source().unwrap().source().is_some());
        let body = axum::body::to_bytes(error.into_response().into_body(), 1024)
            .await
            .unwrap();
        assert_eq!(&body[..], b"There is a problem with the service.\n");
    }
}
