//! What a page's script asks and tells by itself: how much time is left, to stay logged in, and what is being typed
//! (R10, R11). Answers are JSON or empty; nobody sees them.

use axum::Json;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Response};
use portal_auth::SignedIn;
use portal_auth::secret::token::SessionToken;
use portal_auth_axum::cookies::{Cookies, PortalCookie};
use portal_auth_axum::form::Form;
use portal_auth_axum::signed_in::{MaybeSignedIn, Peeked};
use serde_json::json;

use crate::app::Shared;
use crate::kept_form::{KeptFields, is_genuine, keep_typed};
use crate::problem::{Fail, refusal};

/// Seconds until a session ends by its two limits, rounded up: at none left it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) idle: u64,
    pub(crate) absolute: u64,
}

impl Left {
    /// What is left of the session as this request found it.
    pub(crate) fn of(app: &Shared, person: &SignedIn) -> Self {
        let now = app.auth.now();
        let idle_end = person.last_seen().plus(app.auth.config().sessions.idle);
        Self {
            idle: ceiled(idle_end.since(now)),
            absolute: ceiled(person.expires_at().since(now)),
        }
    }

    /// The same after the person did something.
    pub(crate) fn renewed(app: &Shared, person: &SignedIn) -> Self {
        Self {
            idle: ceiled(app.auth.config().sessions.idle),
            ..Self::of(app, person)
        }
    }

    fn json(self) -> Response {
        Json(json!({ "idle_left": self.idle, "absolute_left": self.absolute })).into_response()
    }
}

fn ceiled(left: std::time::Duration) -> u64 {
    left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0))
}

/// Nobody is signed in any more.
fn over() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "over": true }))).into_response()
}

/// `GET /account/session`: how much time is left. It is a page's question, not a person's act, and extends nothing.
pub(crate) async fn left(State(app): State<Shared>, Peeked(found): Peeked) -> Response {
    match found {
        MaybeSignedIn::SignedIn(signed_in) => Left::of(&app, signed_in.person()).json(),
        MaybeSignedIn::Ended(_) | MaybeSignedIn::Anonymous => over(),
    }
}

/// `POST /account/session`: "Stay logged in".
pub(crate) async fn stay(State(app): State<Shared>, request: Request) -> Result<Response, Fail> {
    let headers = request.headers().clone();
    let form = Form::from_request(request, &()).await?;
    form.allow_only(&[])?;
    if !is_genuine(&app, &headers, &form) {
        return Ok(stale());
    }
    let Some(session) = session(&Cookies::read(&headers)) else {
        return Ok(over());
    };
    match app.auth.authenticate(&session).await {
        Ok(person) => Ok(Left::renewed(&app, &person).json()),
        Err(denied) => {
            let _ended = refusal(denied)?;
            Ok(over())
        }
    }
}

/// Fields of the script's own, beside those of the page.
const PATH_FIELD: &str = "kept-path";
const BY_FIELD: &str = "kept-by";

/// `POST /account/draft`: keeps what is being typed. `kept-by=person` says that somebody has typed since the last time,
/// which is activity; a page that saves because it is left is none.
pub(crate) async fn draft(State(app): State<Shared>, request: Request) -> Result<Response, Fail> {
    let cookies = Cookies::read(request.headers());
    let headers = request.headers().clone();
    let form = Form::from_request(request, &()).await?;
    let path = form.get(PATH_FIELD).unwrap_or_default();
    let Some(fields) = KeptFields::kept_at(path) else {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
    };
    let mut known = vec![PATH_FIELD, BY_FIELD];
    known.extend_from_slice(fields.fields());
    form.allow_only(&known)?;
    if !is_genuine(&app, &headers, &form) {
        return Ok(stale());
    }
    let Some(cookie) = keep_typed(&app.auth, &cookies, fields.typed(&form)).await? else {
        return Ok(over());
    };
    if form.get(BY_FIELD) == Some("person")
        && let Some(session) = session(&cookies)
    {
        // It is kept, whatever becomes of the session.
        drop(app.auth.authenticate(&session).await);
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// The page is of another session than the browser's: what it says counts nothing (R13).
fn stale() -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "stale": true }))).into_response()
}

fn session(cookies: &Cookies) -> Option<SessionToken> {
    SessionToken::parse(cookies.get(PortalCookie::Session)?.expose())
}
