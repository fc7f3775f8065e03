//! "Confirm it is you": pages that must not open on a browser that was left alone.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portal_auth::PortalAuth;

use crate::doors::{Detour, Doors};
use crate::error::Error;
use crate::signed_in::{SignInRequired, SignedIn};

/// A person who proved who they are in the last minutes: five, unless the configuration says otherwise (STP-3).
#[derive(Debug, Clone)]
pub struct Confirmed(SignedIn);

impl Confirmed {
    /// The person.
    #[must_use]
    pub const fn signed_in(&self) -> &SignedIn {
        &self.0
    }
}

/// Why [`Confirmed`] was not given.
///
/// As a response: 303 to the page in question; 503 or 500 for a fault. A handler that takes
/// `Result<Confirmed, ProofRequired>` can keep what was typed before it sends the person there.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProofRequired {
    /// Nobody is signed in, or the session was ended.
    SignIn(Detour),
    /// The session timed out.
    TimedOut(Detour),
    /// The last proof is too old: to the page that asks for a new one.
    Confirm(Detour),
    /// Whether somebody is signed in cannot be known.
    Fault(Error),
}

impl From<SignInRequired> for ProofRequired {
    fn from(required: SignInRequired) -> Self {
        match required {
            SignInRequired::SignIn(detour) => Self::SignIn(detour),
            SignInRequired::TimedOut(detour) => Self::TimedOut(detour),
            SignInRequired::Fault(error) => Self::Fault(error),
        }
    }
}

impl IntoResponse for ProofRequired {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(way) | Self::TimedOut(way) | Self::Confirm(way) => way.into_response(),
            Self::Fault(error) => error.into_response(),
        }
    }
}

impl<S> FromRequestParts<S> for Confirmed
where
    S: Sync,
    PortalAuth: FromRef<S>,
    Doors: FromRef<S>,
{
    type Rejection = ProofRequired;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let signed_in = <SignedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        if signed_in.is_confirmed() {
            return Ok(Self(signed_in));
        }
        let doors = Doors::from_ref(state);
        Err(ProofRequired::Confirm(doors.confirm(doors.way_back(parts))))
    }
}
