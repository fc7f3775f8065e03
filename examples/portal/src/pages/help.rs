//! Help from every page, and what to do about a forgotten password (P31, P13).

use axum::response::Response;

use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::help::Help;
use crate::views::layout::Place;
use crate::views::sign_in::ForgottenPassword;

/// P31 `/help`.
pub(crate) async fn help(mut ctx: Ctx) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .translated_page("help-title", Place::Elsewhere, Trouble::none())?
        .split();
    let settings = &ctx.app.settings;
    let view = Help {
        page,
        sender: settings.mail_from.as_str().to_owned(),
        link_lifetime: ctx.language().span(settings.link_lifetime),
        code_lifetime: ctx.language().span(settings.code_lifetime),
        idle_limit: ctx.language().span(settings.idle_timeout),
    };
    ctx.render(shown, &view)
}

/// P13 `/account/forgotten-password`: whom to ask.
pub(crate) async fn forgotten_password(mut ctx: Ctx) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .page("Forgotten your password?", Place::Login, Trouble::none())?
        .split();
    ctx.render(shown, &ForgottenPassword { page })
}
