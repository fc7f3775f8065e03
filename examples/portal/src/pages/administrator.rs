//! Who sees the administrators' pages (P29), and who acts there.
//!
//! For everybody else there is no such page: strangers, people whose address is not among `PORTAL_ADMINS`, and those of
//! them whose session has not proved the second step.

use portal_auth::SignedIn;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::config::TwoStepPolicy;
use portal_auth::features::administer::{Administrator, NotAdministrator};
use portal_auth::session::Level;
use portal_auth_axum::signed_in::MaybeSignedIn;

use crate::app::Shared;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, with_next};

/// The first of the pages.
pub(crate) const START: &str = "/admin";

/// Whoever may look, by their own account.
///
/// # Errors
/// "Page not found" for everybody else; somebody whose session has just ended logs in first, since they may have been
/// at work here.
pub(crate) async fn looking(ctx: &Ctx) -> Result<AccountId, Fail> {
    if let MaybeSignedIn::Ended(_) = &ctx.person {
        ctx.signed_in()?;
    }
    check(ctx).await
}

/// Whoever may look, for a form that belongs to the page at `back`.
///
/// # Errors
/// As for [`looking`].
pub(crate) async fn sending(ctx: &Ctx, back: &str) -> Result<AccountId, Fail> {
    if let MaybeSignedIn::Ended(_) = &ctx.person {
        ctx.signed_in_or_back_to(back)?;
    }
    check(ctx).await
}

async fn check(ctx: &Ctx) -> Result<AccountId, Fail> {
    let signed_in = person(ctx)?;
    match ctx.app.auth.check_administrator(signed_in).await {
        Ok(()) => Ok(signed_in.account()),
        Err(denied) => {
            let _what_is_missing = refusal(denied)?;
            Err(Fail::NotFound)
        }
    }
}

/// Whoever may act; `None` where they have to prove first who they are (STP-3).
///
/// # Errors
/// As for [`looking`].
pub(crate) async fn acting(ctx: &Ctx) -> Result<Option<Administrator>, Fail> {
    match ctx.app.auth.administrator(&ctx.visitor, person(ctx)?).await {
        Ok(by) => Ok(Some(by)),
        Err(denied) => match refusal(denied)? {
            NotAdministrator::Confirm => Ok(None),
            _ => Err(Fail::NotFound),
        },
    }
}

fn person(ctx: &Ctx) -> Result<&SignedIn, Fail> {
    match &ctx.person {
        MaybeSignedIn::SignedIn(signed_in) => Ok(signed_in.person()),
        MaybeSignedIn::Ended(_) | MaybeSignedIn::Anonymous => Err(Fail::NotFound),
    }
}

/// Where the account menu leads an administrator: to the pages, or to what their session lacks for them. For everybody
/// else, and where nobody is asked for a second step, the menu has no such entry.
pub(crate) fn way_in(app: &Shared, signed_in: &SignedIn, account: &AccountRow) -> Option<String> {
    let config = app.auth.config();
    if !config.administrators.contains(&account.email) {
        return None;
    }
    if signed_in.level() == Level::Two {
        return Some(START.to_owned());
    }
    if config.two_step == TwoStepPolicy::Off {
        return None;
    }
    let first = if signed_in.asks_for_code() {
        "/account/login"
    } else {
        "/account/two-step-verification"
    };
    Some(with_next(first, Some(START)))
}
