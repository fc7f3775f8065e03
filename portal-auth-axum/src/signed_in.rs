//! Who is signed in, for handlers: the session cookie checked once per request, or the way to the sign-in page.
//!
//! The state of the router gives [`PortalAuth`] and [`Doors`] through [`FromRef`]. Take
//! - [`SignedIn`] where a page is for signed-in people only; whoever is not is sent to sign in and comes back;
//! - `Option<SignedIn>` or [`MaybeSignedIn`] where it is for everybody;
//! - [`Peeked`] where a page asks by itself and its person has done nothing.
//!
//! A failing store is never "let through": the answer is 503 or 500 (DB-5). A session is looked up once per request,
//! however many extractors ask, and never again for the next one (SES-9).

use std::fmt;
use std::ptr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portal_auth::PortalAuth;
use portal_auth::error::Denied;
use portal_auth::secret::token::SessionToken;
use portal_auth::session::{Level, SessionEnd};

use crate::cookies::{Cookies, PortalCookie};
use crate::doors::{Detour, Doors};
use crate::error::Error;

/// A person whose session lives. Cloning is cheap; keep it no longer than the request.
#[derive(Clone)]
pub struct SignedIn(Arc<Found>);

struct Found {
    portal: PortalAuth,
    person: portal_auth::SignedIn,
    token: SessionToken,
}

impl SignedIn {
    /// The person, as `PortalAuth` knows them.
    #[must_use]
    pub fn person(&self) -> &portal_auth::SignedIn {
        &self.0.person
    }

    /// The session's token, for the methods of `PortalAuth` that renew, use or end it.
    #[must_use]
    pub fn token(&self) -> &SessionToken {
        &self.0.token
    }

    /// Whether the session proved all that a sign-in would ask for today.
    ///
    /// A sign-in page sends only such people on: one whose session lacks the code may be there because an area wants
    /// it ([`AreaRefused::CodeNeeded`](crate::areas::AreaRefused::CodeNeeded)), and would go round in circles.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.person().level() == Level::Two || !self.person().asks_for_code()
    }

    /// Whether the person proved who they are recently enough for a sensitive act (STP-3).
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.0.portal.is_confirmed(&self.0.person)
    }

    /// What this request has found out already, if it asked the same portal.
    fn found_before(parts: &Parts, portal: &PortalAuth) -> Option<Self> {
        let found = parts.extensions.get::<Self>()?;
        // Two portals in one program must never take each other's people for their own.
        ptr::eq(found.0.portal.config(), portal.config()).then(|| found.clone())
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("account", &self.person().account())
            .field("level", &self.person().level())
            .finish_non_exhaustive()
    }
}

/// Why [`SignedIn`] was not given.
///
/// As a response: 303 to the page in question, without the dead cookie; 503 or 500 for a fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignInRequired {
    /// Nobody is signed in, or the session was ended: to the sign-in page.
    SignIn(Detour),
    /// The session timed out, by its idle or its absolute limit: to the page that says so.
    TimedOut(Detour),
    /// Whether somebody is signed in cannot be known.
    Fault(Error),
}

impl IntoResponse for SignInRequired {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(detour) | Self::TimedOut(detour) => detour.into_response(),
            Self::Fault(error) => error.into_response(),
        }
    }
}

impl<S> FromRequestParts<S> for SignedIn
where
    S: Sync,
    PortalAuth: FromRef<S>,
    Doors: FromRef<S>,
{
    type Rejection = SignInRequired;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let portal = PortalAuth::from_ref(state);
        let found = MaybeSignedIn::find(parts, portal).await;
        let ended = match found.map_err(SignInRequired::Fault)? {
            MaybeSignedIn::SignedIn(signed_in) => return Ok(signed_in),
            MaybeSignedIn::Ended(end) => Some(end),
            MaybeSignedIn::Anonymous => None,
        };
        let doors = Doors::from_ref(state);
        let next = doors.way_back(parts);
        Err(match ended {
            Some(SessionEnd::Idle | SessionEnd::Absolute) => {
                SignInRequired::TimedOut(doors.timed_out(next).forgetting_session())
            }
            Some(_) => SignInRequired::SignIn(doors.sign_in(next).forgetting_session()),
            None => SignInRequired::SignIn(doors.sign_in(next)),
        })
    }
}

impl<S> OptionalFromRequestParts<S> for SignedIn
where
    S: Sync,
    PortalAuth: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        let found = MaybeSignedIn::find(parts, PortalAuth::from_ref(state)).await?;
        Ok(found.signed_in())
    }
}

/// Whether somebody is signed in, for pages that are there for everybody. Refuses nobody; a fault is an [`Error`].
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "a page must know what to say to each")]
pub enum MaybeSignedIn {
    /// Somebody is.
    SignedIn(SignedIn),
    /// Somebody was. The browser still holds the cookie of that session, and may be told to drop it.
    Ended(SessionEnd),
    /// Nobody is.
    Anonymous,
}

impl MaybeSignedIn {
    /// The person, if somebody is signed in.
    #[must_use]
    pub fn signed_in(self) -> Option<SignedIn> {
        match self {
            Self::SignedIn(signed_in) => Some(signed_in),
            Self::Ended(_) | Self::Anonymous => None,
        }
    }

    /// Looks the session up, once per request, and notes the activity.
    async fn find(parts: &mut Parts, portal: PortalAuth) -> Result<Self, Error> {
        if let Some(found) = SignedIn::found_before(parts, &portal) {
            return Ok(Self::SignedIn(found));
        }
        let Some(token) = session_token(parts) else {
            return Ok(Self::Anonymous);
        };
        let answer = portal.authenticate(&token).await;
        let found = Self::from_answer(answer, portal, token)?;
        if let Self::SignedIn(signed_in) = &found {
            parts.extensions.insert(signed_in.clone());
        }
        Ok(found)
    }

    fn from_answer(
        answer: Result<portal_auth::SignedIn, Denied<SessionEnd>>,
        portal: PortalAuth,
        token: SessionToken,
    ) -> Result<Self, Error> {
        match answer {
            Ok(person) => Ok(Self::SignedIn(SignedIn(Arc::new(Found {
                portal,
                person,
                token,
            })))),
            Err(Denied::Refused(end)) => Ok(Self::Ended(end)),
            Err(denied) => Err(denied.into()),
        }
    }
}

impl<S> FromRequestParts<S> for MaybeSignedIn
where
    S: Sync,
    PortalAuth: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Self::find(parts, PortalAuth::from_ref(state)).await
    }
}

/// Whether somebody is signed in, for a request that a page makes by itself: it does not keep the session alive, so
/// a script can ask how much time is left (SES-3).
///
/// It never makes the browser drop a cookie: while it was on its way another tab may have renewed the session.
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "handlers take the finding out by pattern"
)]
pub struct Peeked(pub MaybeSignedIn);

impl<S> FromRequestParts<S> for Peeked
where
    S: Sync,
    PortalAuth: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let portal = PortalAuth::from_ref(state);
        let Some(token) = session_token(parts) else {
            return Ok(Self(MaybeSignedIn::Anonymous));
        };
        let answer = portal.peek(&token).await;
        MaybeSignedIn::from_answer(answer, portal, token).map(Self)
    }
}

fn session_token(parts: &Parts) -> Option<SessionToken> {
    let cookies = Cookies::read(&parts.headers);
    SessionToken::parse(cookies.get(PortalCookie::Session)?.expose())
}
