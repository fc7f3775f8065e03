//! Areas that not every session may enter: each says what a session must have proved, and its handlers take
//! [`Entered`].
//!
//! The level belongs to the session, never to the account (STP-1). Where the service's policy does not let areas
//! demand the second step, every session may enter.
//!
//! ```
//! use axum::response::{Html, IntoResponse, Response};
//! use portal_auth::session::Level;
//! use portal_auth_axum::areas::{Area, AreaRefused, Entered};
//!
//! enum SendArea {}
//!
//! impl Area for SendArea {
//!     const LEVEL: Level = Level::Two;
//! }
//!
//! async fn send_area(entered: Result<Entered<SendArea>, AreaRefused>) -> Response {
//!     match entered {
//!         Ok(entered) => Html(format!("account {}", entered.signed_in().person().account())).into_response(),
//!         Err(AreaRefused::InviteTwoStep(invitation)) => Html(format!(
//!             r#"<a href="{}">Turn on Two Step Verification</a>"#,
//!             invitation.way().location(),
//!         ))
//!         .into_response(),
//!         Err(refused) => refused.into_response(),
//!     }
//! }
//! ```
//!
//! A whole router is closed by `axum::middleware::from_extractor_with_state::<Entered<SendArea>, _>(state)`.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portal_auth::PortalAuth;
use portal_auth::config::TwoStepPolicy;
use portal_auth::session::Level;

use crate::doors::{Detour, Doors};
use crate::error::Error;
use crate::signed_in::{SignInRequired, SignedIn};

/// A part of the host that asks for a level; a type of its own makes that part of a handler's signature.
pub trait Area {
    /// What a session must have proved to enter.
    const LEVEL: Level;
}

/// A person who may be in the area `A`.
pub struct Entered<A> {
    signed_in: SignedIn,
    area: PhantomData<fn() -> A>,
}

impl<A> Entered<A> {
    /// The person.
    #[must_use]
    pub const fn signed_in(&self) -> &SignedIn {
        &self.signed_in
    }
}

impl<A> fmt::Debug for Entered<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entered").field(&self.signed_in).finish()
    }
}

impl<A> Clone for Entered<A> {
    fn clone(&self) -> Self {
        Self {
            signed_in: self.signed_in.clone(),
            area: PhantomData,
        }
    }
}

/// Why somebody may not enter, and where that is put right.
///
/// As a response: 303 to the page in question; 503 or 500 for a fault. A handler that takes
/// `Result<Entered<A>, AreaRefused>` can show a page at the area's own path instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum AreaRefused {
    /// Nobody is signed in, or the session was ended.
    SignIn(Detour),
    /// The session timed out.
    TimedOut(Detour),
    /// The session lacks the code that a new sign-in will ask for: to the sign-in page.
    ///
    /// The session lives on until then, so that page must not send this person on; see [`SignedIn::is_complete`].
    CodeNeeded(Detour),
    /// The owner has not turned the second step on: to the page where that is done.
    InviteTwoStep(Invitation),
    /// Whether they may enter cannot be known.
    Fault(Error),
}

impl From<SignInRequired> for AreaRefused {
    fn from(required: SignInRequired) -> Self {
        match required {
            SignInRequired::SignIn(detour) => Self::SignIn(detour),
            SignInRequired::TimedOut(detour) => Self::TimedOut(detour),
            SignInRequired::Fault(error) => Self::Fault(error),
        }
    }
}

impl IntoResponse for AreaRefused {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(way) | Self::TimedOut(way) | Self::CodeNeeded(way) => way.into_response(),
            Self::InviteTwoStep(invitation) => invitation.way.into_response(),
            Self::Fault(error) => error.into_response(),
        }
    }
}

/// A signed-in person who could enter after turning the second step on.
#[derive(Debug)]
pub struct Invitation {
    signed_in: SignedIn,
    way: Detour,
}

impl Invitation {
    /// Who is invited.
    #[must_use]
    pub const fn signed_in(&self) -> &SignedIn {
        &self.signed_in
    }

    /// To the page where the second step is turned on, and from there back to the area.
    #[must_use]
    pub const fn way(&self) -> &Detour {
        &self.way
    }
}

impl<S, A> FromRequestParts<S> for Entered<A>
where
    S: Sync,
    A: Area,
    PortalAuth: FromRef<S>,
    Doors: FromRef<S>,
{
    type Rejection = AreaRefused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let signed_in = <SignedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let policy = PortalAuth::from_ref(state).config().two_step;
        let person = signed_in.person();
        let judgement = judge(policy, A::LEVEL, person.level(), person.asks_for_code());
        if judgement != Judgement::Enter {
            let path = parts.uri.path();
            tracing::info!(account = %person.account(), path, "refused: the area asks for the second step");
        }
        match judgement {
            Judgement::Enter => Ok(Self {
                signed_in,
                area: PhantomData,
            }),
            Judgement::AskForCode => {
                let doors = Doors::from_ref(state);
                Err(AreaRefused::CodeNeeded(doors.sign_in(doors.way_back(parts))))
            }
            Judgement::Invite => {
                let doors = Doors::from_ref(state);
                let way = doors.two_step(doors.way_back(parts));
                Err(AreaRefused::InviteTwoStep(Invitation { signed_in, way }))
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    Enter,
    AskForCode,
    Invite,
}

/// Pure: what becomes of a session that proved `proved` at an area that asks for `asked` (STP-2).
fn judge(policy: TwoStepPolicy, asked: Level, proved: Level, signs_in_with_code: bool) -> Judgement {
    let demanded = match policy {
        TwoStepPolicy::Off | TwoStepPolicy::Optional => Level::One,
        TwoStepPolicy::RequiredForAreas | TwoStepPolicy::RequiredForAll => asked,
    };
    if proved >= demanded {
        Judgement::Enter
    } else if signs_in_with_code {
        Judgement::AskForCode
    } else {
        Judgement::Invite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_takes_what_the_policy_lets_it_demand() {
        // STP-1, STP-2
        use Judgement::{AskForCode, Enter, Invite};
        use Level::{One, Two};
        use TwoStepPolicy::{Off, Optional, RequiredForAll, RequiredForAreas};
        for policy in [Off, Optional, RequiredForAreas, RequiredForAll] {
            for with_code in [false, true] {
                assert_eq!(judge(policy, One, One, with_code), Enter);
                assert_eq!(judge(policy, One, Two, with_code), Enter);
                assert_eq!(judge(policy, Two, Two, with_code), Enter);
            }
        }
        for policy in [Off, Optional] {
            assert_eq!(judge(policy, Two, One, false), Enter);
            assert_eq!(judge(policy, Two, One, true), Enter);
        }
        assert_eq!(judge(RequiredForAreas, Two, One, false), Invite);
        assert_eq!(judge(RequiredForAreas, Two, One, true), AskForCode);
        assert_eq!(judge(RequiredForAll, Two, One, true), AskForCode);
    }
}
