//! "Forgotten your password?" (P13): the same answer for every address.

use axum::response::Response;
use portal_auth::features::request_reset::RequestResetRefused;
use portal_auth_axum::form::{Form, FormRejection};

use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble};
use crate::views::layout::{Notice, Place};
use crate::views::recovery::ForgottenPassword;

/// P13 `/account/forgotten-password`; a refresh sends no mail.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let asked = ctx.query("notice") == Some("sent");
    let notice = asked.then(|| Notice::done(&always(&ctx)));
    let email = ctx.query("email").unwrap_or_default().to_owned();
    page(ctx, email, Trouble::none(), notice)
}

/// What everybody is told (R15).
fn always(ctx: &Ctx) -> String {
    let lifetime = ctx.app.auth.config().recovery.link_lifetime;
    let lifetime = ctx.language().span(lifetime);
    ctx.fill("forgot-always").set("lifetime", lifetime).to_string()
}

fn page(mut ctx: Ctx, email: String, trouble: Trouble, notice: Option<Notice>) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .translated_page("forgot-title", Place::Login, trouble)?
        .noticing(notice)
        .split();
    ctx.render(shown, &ForgottenPassword { page, email })
}

/// `POST /account/forgotten-password`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["email"])?;
    let email = form.take("email");
    if !genuine {
        return page(ctx, email, Trouble::stale(), None);
    }
    match ctx.app.auth.request_reset(&ctx.visitor, &email).await {
        Ok(_) => ctx.see("/account/forgotten-password?notice=sent"),
        Err(denied) => match refusal(denied)? {
            RequestResetRefused::Email(e) => {
                let text = ctx
                    .language()
                    .message(e.reason().code(), e.number(), ctx.t("label-email"));
                page(ctx, email, Trouble::field("email", &text), None)
            }
            _ => page(ctx, email, Trouble::none(), None),
        },
    }
}
