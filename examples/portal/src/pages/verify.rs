//! The mailed code (P3).

use axum::response::Response;
use portal_auth::{CodeNotice, CodeRefused, ResendRefused};
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;

use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect};
use crate::views::layout::{Notice, Place};
use crate::views::messages::message;
use crate::views::sign_in::{CodeSent, VerifyCode};

/// P3 `/account/verify`; a refresh sends no new code.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let next = ctx.next();
    let Some(challenge) = ctx.challenge() else {
        return Ok(nothing_half_done(&ctx, next.as_deref()));
    };
    match ctx.app.auth.code_notice(&challenge).await? {
        Some(sent) => page(ctx, &sent, next, Trouble::none(), None),
        None => Ok(nothing_half_done(&ctx, next.as_deref())),
    }
}

/// Without a half-done sign-in: home when signed in (the other tab was first), else login.
fn nothing_half_done(ctx: &Ctx, next: Option<&str>) -> Response {
    if ctx.is_signed_in() {
        redirect(next.unwrap_or("/home"))
    } else {
        redirect("/account/login?notice=took-too-long")
    }
}

fn page(
    mut ctx: Ctx,
    sent: &CodeNotice,
    next: Option<String>,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let sent = code_sent(&ctx, sent);
    let (page, shown) = ctx
        .page("Verification Code sent", Place::Login, trouble)?
        .noticing(notice)
        .split();
    ctx.render(
        shown,
        &VerifyCode {
            page,
            sent,
            next,
            remember_days: None,
        },
    )
}

/// A notice of the library in the page's words.
pub(crate) fn code_sent(ctx: &Ctx, sent: &CodeNotice) -> CodeSent {
    CodeSent {
        masked_email: sent.sent_to.clone(),
        sent_at: ctx.clock(sent.sent_at),
        works_until: ctx.clock(sent.expires_at),
    }
}

/// The sentence about a code that was not taken; `None` where the person begins again.
pub(crate) fn code_message(refused: &CodeRefused, digits: u8) -> Option<String> {
    Some(match refused {
        CodeRefused::Wrong { tries_left } => {
            message("code.wrong", Some(u64::from(*tries_left)), "Verification Code")
        }
        CodeRefused::Expired { sent: Some(_) } => "The code has expired. We have sent a new one.".to_owned(),
        CodeRefused::Expired { sent: None } => {
            "The code has expired. Log in again to get a new one.".to_owned()
        }
        CodeRefused::Format(_) => message(
            refused.reason().code(),
            Some(u64::from(digits)),
            "Verification Code",
        ),
        _ => return None,
    })
}

/// The sentence about a code that was not sent again.
pub(crate) fn resend_message(ctx: &Ctx, refused: ResendRefused) -> Option<String> {
    match refused {
        ResendRefused::Wait { until } => {
            let seconds = until.since(ctx.app.auth.now()).as_secs().max(1);
            Some(format!("Wait {seconds} seconds, then send it again"))
        }
        ResendRefused::NoMoreMails => {
            Some("We have sent the code as often as we can. Log in again to get a new one.".to_owned())
        }
        _ => None,
    }
}

/// `POST /account/verify`.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["code", "next"])?;
    let next = ctx.place(&form.take("next"));
    let pressed = button(&form, "verify");
    let Some(challenge) = ctx.challenge() else {
        return Ok(nothing_half_done(&ctx, next.as_deref()));
    };
    let Some(notice) = ctx.app.auth.code_notice(&challenge).await? else {
        return Ok(nothing_half_done(&ctx, next.as_deref()));
    };
    if !genuine {
        return page(ctx, &notice, next, Trouble::stale(), None);
    }
    match pressed.as_str() {
        "resend" => {
            return match ctx.app.auth.resend_code(&ctx.visitor, &challenge).await {
                Ok(sent) => page(
                    ctx,
                    &sent,
                    next,
                    Trouble::none(),
                    Some(Notice::done("We have sent the code again.")),
                ),
                Err(denied) => match resend_message(&ctx, refusal(denied)?) {
                    Some(why) => page(ctx, &notice, next, Trouble::general(&why), None),
                    None => start_again(ctx, "took-too-long"),
                },
            };
        }
        "cancel" => {
            ctx.app.auth.cancel_sign_in(&ctx.visitor, &challenge).await?;
            ctx.clear_cookie(PortalCookie::Verify);
            return ctx.see("/account/login");
        }
        _ => {}
    }
    let typed = form.take_secret("code");
    match ctx
        .app
        .auth
        .verify_code(&ctx.visitor, &challenge, &typed, ctx.session())
        .await
    {
        Ok(new) => {
            ctx.keep(SessionCookies::for_new_session(&new));
            ctx.see(next.as_deref().unwrap_or("/home"))
        }
        Err(denied) => {
            let refused = refusal(denied)?;
            let digits = ctx.app.auth.config().codes.digits;
            match (&refused, code_message(&refused, digits)) {
                (CodeRefused::Expired { sent: Some(sent) }, Some(text)) => {
                    page(ctx, &sent.clone(), next, Trouble::field("code", &text), None)
                }
                (_, Some(text)) => page(ctx, &notice, next, Trouble::field("code", &text), None),
                (CodeRefused::TriesUsed, None) => start_again(ctx, "tries-used"),
                (CodeRefused::Closed, None) => start_again(ctx, "codes-closed"),
                (_, None) => start_again(ctx, "took-too-long"),
            }
        }
    }
}

fn start_again(mut ctx: Ctx, notice: &str) -> Result<Response, Fail> {
    ctx.clear_cookie(PortalCookie::Verify);
    ctx.see(&format!("/account/login?notice={notice}"))
}
