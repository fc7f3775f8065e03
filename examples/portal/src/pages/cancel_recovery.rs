//! Taking back a reset that was asked for without the Secret Answer: from its notice, or from a live session (RST-7).

use axum::response::{IntoResponse as _, Response};
use portal_auth::TakeBackRefused;
use portal_auth::features::recover_slowly::CancelRecoveryPage;
use portal_auth::secret::token::LinkToken;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::security_headers::TokenPage;

use crate::pages::home::home;
use crate::pages::mailed_link::{Arrived, LinkPage};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button};
use crate::views::layout::Place;
use crate::views::recovery::CancelRecovery;

const LINK: LinkPage = LinkPage {
    path: "/account/cancel-recovery",
    used: "The reset has been cancelled. Your password is as it was.",
    ended: "The reset has been cancelled already, or a new password has been set since.",
    otherwise: ("/account/login", "Log in"),
};

/// `/account/cancel-recovery`, where the notices (E16) lead.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let response = match LINK.arrive(ctx)? {
        Arrived::Answered(response) => response,
        Arrived::With(ctx, token) => asked(ctx, &token, String::new(), Trouble::none()).await?,
    };
    Ok((TokenPage, response).into_response())
}

async fn asked(ctx: Ctx, token: &LinkToken, email: String, trouble: Trouble) -> Result<Response, Fail> {
    match ctx.app.auth.cancel_recovery_page(token).await {
        Ok(found) => page(ctx, found, email, trouble),
        Err(denied) => LINK.not_usable(ctx, refusal(denied)?),
    }
}

fn page(mut ctx: Ctx, found: CancelRecoveryPage, email: String, trouble: Trouble) -> Result<Response, Fail> {
    let due = ctx.when(found.due_at);
    let frame = ctx.translated_page("recovery-title", Place::Login, trouble)?;
    let (page, shown) = frame.split();
    let view = CancelRecovery {
        page,
        masked_email: found.masked_email,
        due,
        email,
    };
    ctx.render(shown, &view)
}

/// `POST /account/cancel-recovery`: the button of the notice's page, or the one above every page of a live session.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let response = act(ctx, form?).await?;
    Ok((TokenPage, response).into_response())
}

async fn act(ctx: Ctx, mut form: Form) -> Result<Response, Fail> {
    let genuine = ctx.is_genuine(&form, &["email", "link"])?;
    match button(&form, "cancel").as_str() {
        "open" => return LINK.open_typed(ctx, &mut form, genuine),
        "stop" => return stop(ctx, genuine).await,
        _ => {}
    }
    let email = form.take("email");
    let Some(token) = ctx.link() else {
        return LINK.unknown(ctx, "", Trouble::none());
    };
    if !genuine {
        return asked(ctx, &token, email, Trouble::stale()).await;
    }
    match ctx.app.auth.cancel_recovery(&ctx.visitor, &token, &email).await {
        Ok(()) => ctx.see("/account/login?notice=recovery-cancelled"),
        Err(denied) => {
            let text = match refusal(denied)? {
                TakeBackRefused::Link(link) => return LINK.not_usable(ctx, link),
                TakeBackRefused::AddressRequired => ctx.t("email-required"),
                _ => ctx.t("recovery-other-address"),
            };
            asked(ctx, &token, email, Trouble::field("email", text)).await
        }
    }
}

/// The press in a live session. Without its token it has no effect; the page says so and has the button again (R13).
async fn stop(ctx: Ctx, genuine: bool) -> Result<Response, Fail> {
    let token = match ctx.signed_in() {
        Ok((_, token)) if genuine => token,
        Ok(_) => return home(ctx, Trouble::stale()).await,
        Err(answer) => return Ok(answer),
    };
    match ctx.app.auth.cancel_recovery_signed_in(&ctx.visitor, token).await {
        Ok(_) => ctx.see("/home?notice=recovery-cancelled"),
        Err(denied) => {
            refusal(denied)?;
            ctx.see("/account/login")
        }
    }
}
