//! "Check your email" (P9).

use axum::response::Response;
use portal_auth::features::register::SentNotice;
use portal_auth::features::resend_registration::ResendLinkRefused;
use portal_auth_axum::form::{Form, FormRejection};

use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button};
use crate::views::layout::{Notice, Place};
use crate::views::sent::{Sent, Wait};

/// P9 `/account/register/sent`; a refresh sends no mail.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let sent = own_notice(&ctx).await?;
    let notice = match ctx.query("notice") {
        Some("sent-again") => Some(Notice::done(ctx.t("sent-done"))),
        Some("asked") => Some(Notice::done(ctx.t("sent-asked"))),
        _ => None,
    };
    page(ctx, sent.as_ref(), "", Trouble::none(), notice)
}

/// What this browser has sent off, if it has.
async fn own_notice(ctx: &Ctx) -> Result<Option<SentNotice>, Fail> {
    let Some(token) = ctx.draft() else { return Ok(None) };
    let progress = ctx.app.auth.registration(&token).await?;
    Ok(progress.and_then(|p| p.sent).filter(|sent| !sent.activated))
}

fn page(
    mut ctx: Ctx,
    sent: Option<&SentNotice>,
    typed: &str,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let now = ctx.app.auth.now();
    let wait = sent.filter(|s| s.again_at > now).map(|s| Wait {
        seconds: s.again_at.since(now).as_secs().max(1),
        until: ctx.clock(s.again_at),
    });
    let works_until = sent.map_or_else(String::new, |s| ctx.when(s.link_expires_at));
    let (page, shown) = ctx
        .translated_page("sent-title", Place::Register, trouble)?
        .noticing(notice)
        .split();
    let view = Sent {
        page,
        email: sent.map(|s| s.email.as_str().to_owned()),
        typed_email: typed.to_owned(),
        works_until,
        lifetime: ctx.language().span(ctx.app.settings.link_lifetime),
        sender: ctx.app.settings.mail_from.as_str().to_owned(),
        wait,
    };
    ctx.render(shown, &view)
}

/// `POST /account/register/sent`: send it again, or use another address.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["email"])?;
    let typed = form.take("email");
    let own = own_notice(&ctx).await?;
    if !genuine {
        return page(ctx, own.as_ref(), &typed, Trouble::stale(), None);
    }
    let different = button(&form, "resend") == "different";
    match (ctx.draft(), own) {
        (Some(token), Some(_)) if different => {
            match ctx
                .app
                .auth
                .change_registration_address(&ctx.visitor, &token)
                .await
            {
                Ok(()) => {}
                // The draft is gone meanwhile: the first step says so.
                Err(denied) => drop(refusal(denied)?),
            }
            ctx.see("/account/register/security-details")
        }
        (Some(token), Some(sent)) => match ctx.app.auth.resend_link(&ctx.visitor, &token).await {
            Ok(()) => ctx.see("/account/register/sent?notice=sent-again"),
            Err(denied) => match refusal(denied)? {
                ResendLinkRefused::Wait { until } => {
                    let seconds = until.since(ctx.app.auth.now()).as_secs().max(1);
                    let text = ctx.fill("resend-wait").set("n", seconds).to_string();
                    page(ctx, Some(&sent), "", Trouble::general(&text), None)
                }
                _ => ctx.see("/account/register/sent"),
            },
        },
        _ => resend_to(ctx, &typed).await,
    }
}

/// Another browser: the same answer for every address (R15).
async fn resend_to(ctx: Ctx, typed: &str) -> Result<Response, Fail> {
    match ctx.app.auth.resend_link_to(&ctx.visitor, typed).await {
        Ok(()) => ctx.see("/account/register/sent?notice=asked"),
        Err(denied) => match refusal(denied)? {
            ResendLinkRefused::Email(e) => {
                let text = ctx
                    .language()
                    .message(e.reason().code(), e.number(), ctx.t("label-email"));
                page(ctx, None, typed, Trouble::field("email", &text), None)
            }
            _ => page(ctx, None, typed, Trouble::none(), None),
        },
    }
}
