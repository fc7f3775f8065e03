//! What a handler answers instead of a page, and the pages that say so (portal P24).

use std::any::Any;
use std::time::Duration;

use askama::Template as _;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use portal_auth::environment::Timestamp;
use portal_auth::error::{Denied, Fault};
use portal_auth_axum::form::FormRejection;
use portal_auth_axum::language_cookie::chosen_language;

use crate::app::Shared;
use crate::request::language_of;
use crate::views::catalogue::Language;
use crate::views::errors::{ErrorPage, Problem, TryAgain};
use crate::views::layout::Page;

/// Why a request got no page of its own.
#[derive(Debug)]
pub(crate) enum Fail {
    /// The guessing limits say no.
    TooManyTries { seconds: u64 },
    /// Everything is taken right now.
    Busy { seconds: u64 },
    /// Something broke.
    Fault(Fault),
    /// The form could not be read.
    Form(FormRejection),
    /// There is no such page.
    NotFound,
    /// A page could not be rendered.
    Render(askama::Error),
    /// A cookie could not be written.
    Status(StatusCode),
    /// An extractor's own answer.
    Answer(Box<Response>),
}

impl From<Response> for Fail {
    fn from(answer: Response) -> Self {
        Self::Answer(Box::new(answer))
    }
}

impl From<portal_auth_axum::Error> for Fail {
    fn from(error: portal_auth_axum::Error) -> Self {
        error.into_response().into()
    }
}

impl From<Fault> for Fail {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<FormRejection> for Fail {
    fn from(rejection: FormRejection) -> Self {
        Self::Form(rejection)
    }
}

impl From<askama::Error> for Fail {
    fn from(error: askama::Error) -> Self {
        Self::Render(error)
    }
}

impl From<StatusCode> for Fail {
    fn from(status: StatusCode) -> Self {
        Self::Status(status)
    }
}

/// Splits an answer of the library into a refusal, which the page shows, and everything else, which has a page of
/// its own.
pub(crate) fn refusal<R>(denied: Denied<R>) -> Result<R, Fail> {
    match denied {
        Denied::Refused(refused) => Ok(refused),
        Denied::TooManyTries { retry_after } => Err(Fail::TooManyTries {
            seconds: whole_seconds(retry_after),
        }),
        Denied::Busy { retry_after } => Err(Fail::Busy {
            seconds: whole_seconds(retry_after),
        }),
        Denied::Fault(fault) => Err(Fail::Fault(fault)),
    }
}

/// Rounded up: a wait that is told is long enough.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
        .max(1)
}

/// Seconds after which it is worth trying again where nothing says when.
const SOON: u64 = 5;

/// Marks an answer whose body is still to be written by [`show_problems`].
#[derive(Clone)]
struct Untold(Problem);

impl IntoResponse for Fail {
    fn into_response(self) -> Response {
        let (status, problem, wait) = match self {
            Self::TooManyTries { seconds } => {
                let minutes = seconds.div_ceil(60);
                (
                    StatusCode::TOO_MANY_REQUESTS,
                    Problem::TooManyTries { minutes },
                    Some(seconds),
                )
            }
            Self::Busy { seconds } => (
                StatusCode::SERVICE_UNAVAILABLE,
                Problem::Unavailable {
                    until: None,
                    again: None,
                },
                Some(seconds),
            ),
            Self::Fault(fault) if fault.is_transient() => {
                tracing::error!(
                    error = &fault as &dyn std::error::Error,
                    "a request could not be answered"
                );
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    Problem::Unavailable {
                        until: None,
                        again: None,
                    },
                    Some(SOON),
                )
            }
            Self::Fault(fault) => broken(&fault),
            Self::Render(error) => broken(&error),
            Self::Form(FormRejection::TooLarge) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                Problem::TooLarge {
                    limit: "16 kB".to_owned(),
                },
                None,
            ),
            Self::Form(rejection) => return rejection.into_response(),
            Self::NotFound => (StatusCode::NOT_FOUND, Problem::NotFound, None),
            Self::Status(status) => return status.into_response(),
            Self::Answer(answer) => return *answer,
        };
        untold(status, problem, wait)
    }
}

/// A fault that waiting does not mend: the page names a reference, the log has the rest under it.
fn broken(error: &(dyn std::error::Error + 'static)) -> (StatusCode, Problem, Option<u64>) {
    let reference = reference();
    tracing::error!(error, reference, "a request failed");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        Problem::Broken {
            reference,
            again: None,
        },
        None,
    )
}

fn untold(status: StatusCode, problem: Problem, wait: Option<u64>) -> Response {
    let mut response = status.into_response();
    if let Some(seconds) = wait {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(Untold(problem));
    response
}

/// Puts a form that sends the same values again onto the page of a 500 or 503.
pub(crate) fn offer_again(answer: &mut Response, again: TryAgain) {
    answer.extensions_mut().insert(again);
}

/// Eight characters by which an operator finds the line in the log.
fn reference() -> String {
    use portal_auth::environment::{SystemEntropy, draw};
    let bytes: [u8; 4] = draw(&SystemEntropy::default()).unwrap_or_default();
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The answer to a panic: no detail, and the process lives (WEB-8).
pub(crate) fn from_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let reference = reference();
    // What a panic says may hold anything; its place is in the default hook's line.
    drop(panic);
    tracing::error!(reference, "a handler panicked");
    untold(
        StatusCode::INTERNAL_SERVER_ERROR,
        Problem::Broken {
            reference,
            again: None,
        },
        None,
    )
}

/// Middleware that gives every error answer without a page of its own the portal's page for it.
pub(crate) async fn show_problems(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let language = language_of(chosen_language(request.headers()).as_ref(), None);
    let asked = request.uri().clone();
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE && !response.headers().contains_key(RETRY_AFTER) {
        // One that took too long, or an extractor that met a fault.
        tracing::error!(path = asked.path(), "a request could not be answered");
        response.headers_mut().insert(RETRY_AFTER, SOON.into());
    }
    let told = response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"text/html") || kind.as_bytes().starts_with(b"application/json")
    });
    let problem = match response.extensions().get::<Untold>() {
        Some(Untold(problem)) => Some(problem.clone()),
        None if told => None,
        None => for_status(response.status(), &app),
    };
    match problem {
        Some(problem) => page(&app, language, response, problem),
        None => response,
    }
}

/// The page for an answer that some layer gave without one.
fn for_status(status: StatusCode, app: &Shared) -> Option<Problem> {
    Some(match status {
        StatusCode::BAD_REQUEST
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Problem::Unreadable,
        StatusCode::FORBIDDEN => Problem::OtherSite,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Problem::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge {
            limit: "16 kB".to_owned(),
        },
        StatusCode::MISDIRECTED_REQUEST => Problem::OtherAddress {
            base_url: app.settings.base_url.to_string(),
        },
        StatusCode::SERVICE_UNAVAILABLE => Problem::Unavailable {
            until: None,
            again: None,
        },
        StatusCode::INTERNAL_SERVER_ERROR => Problem::Broken {
            reference: reference(),
            again: None,
        },
        _ => return None,
    })
}

/// When an answer says to try again, where that is a minute away or more: less is told as "in a few minutes".
fn back_at(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let wait = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let wait = wait.parse::<u64>().ok().filter(|seconds| *seconds >= 60)?;
    // A moment is told without its seconds: the minute that has begun is too early.
    let full_minute = Duration::from_micros(59_999_999);
    Some(now.plus(Duration::from_secs(wait)).plus(full_minute))
}

/// Keeps the answer's status and headers and writes the page as its body.
fn page(app: &Shared, language: Language, mut response: Response, mut problem: Problem) -> Response {
    if let Problem::Broken { again, .. } | Problem::Unavailable { again, .. } = &mut problem {
        *again = response.extensions_mut().remove();
    }
    if let Problem::Unavailable { until, .. } = &mut problem {
        let now = app.auth.now();
        let back = back_at(response.headers(), now);
        *until = back.map(|back| language.moment(&app.local, back, now));
    }
    let mut page = Page::new(
        problem.title_in(language),
        &app.settings.service_name,
        "",
        crate::assets::version(),
    );
    page.help_email = app.settings.help_email.as_ref().map(|e| e.as_str().to_owned());
    page.language = language;
    page.chosen = language;
    let Ok(html) = (ErrorPage { page, problem }).render() else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    parts.headers.remove(CONTENT_TYPE);
    parts
        .headers
        .insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    let (status, headers) = (parts.status, parts.headers);
    let mut told = (status, Html(html)).into_response();
    for (name, value) in &headers {
        told.headers_mut().append(name, value.clone());
    }
    told.map(Body::new)
}

#[cfg(test)]
mod tests;
