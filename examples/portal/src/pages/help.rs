//! Help from every page (P31).

use axum::response::Response;

use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::help::Help;
use crate::views::layout::Place;

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
