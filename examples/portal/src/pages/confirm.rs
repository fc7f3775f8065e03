//! "Confirm it is you" (P32).

use axum::response::Response;
use portal_auth::features::confirm_identity::{ConfirmOutcome, ConfirmRefused};
use portal_auth::password::Password;
use portal_auth::{CodeNotice, CodeRefused, ResendRefused};
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;

use crate::pages::verify::{code_message, code_sent, resend_message};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect, with_next};
use crate::views::layout::{Notice, Place};
use crate::views::sign_in::ConfirmPassword;

const PATH: &str = "/account/confirm-password";

/// P32 `/account/confirm-password`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    if let Err(answer) = ctx.signed_in() {
        return Ok(answer);
    }
    let next = ctx.next();
    let sent = code_on_its_way(&ctx).await?;
    let again = ctx.query("notice") == Some("sent-again");
    let notice = again.then(|| Notice::done(ctx.t("verify-resent")));
    page(ctx, sent.as_ref(), next, Trouble::none(), notice).await
}

async fn code_on_its_way(ctx: &Ctx) -> Result<Option<CodeNotice>, Fail> {
    let (Ok((signed_in, _)), Some(challenge)) = (ctx.signed_in(), ctx.challenge()) else {
        return Ok(None);
    };
    Ok(ctx.app.auth.confirm_notice(signed_in, &challenge).await?)
}

async fn page(
    mut ctx: Ctx,
    sent: Option<&CodeNotice>,
    next: Option<String>,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let email = match ctx.signed_in() {
        Ok((signed_in, _)) => ctx.app.auth.account(signed_in).await?.email.as_str().to_owned(),
        Err(answer) => return Ok(answer),
    };
    let code = sent.map(|sent| code_sent(&ctx, sent));
    let (page, shown) = ctx
        .translated_page("confirm-title", Place::Account, trouble)?
        .noticing(notice)
        .split();
    ctx.render(
        shown,
        &ConfirmPassword {
            page,
            email,
            code,
            next,
        },
    )
}

/// `POST /account/confirm-password`: the password, and then the code where the second step is on.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["username", "password", "code", "next"])?;
    let next = ctx.place(&form.take("next"));
    let pressed = button(&form, "confirm");
    let password = Password::new(form.take_secret("password").as_str());
    let typed = form.take_secret("code");
    if let Err(answer) = ctx.signed_in() {
        return Ok(answer);
    }
    let sent = code_on_its_way(&ctx).await?;
    if !genuine {
        return page(ctx, sent.as_ref(), next, Trouble::stale(), None).await;
    }
    match (sent, ctx.challenge()) {
        (Some(sent), Some(challenge)) if pressed == "resend" => {
            let Ok((signed_in, _)) = ctx.signed_in() else {
                return Ok(redirect("/account/login"));
            };
            match ctx
                .app
                .auth
                .resend_confirm_code(&ctx.visitor, signed_in, &challenge)
                .await
            {
                Ok(_) => {
                    let page = with_next(PATH, next.as_deref());
                    let sign = if next.is_some() { '&' } else { '?' };
                    ctx.see(&format!("{page}{sign}notice=sent-again"))
                }
                Err(denied) => {
                    let why = refusal(denied)?;
                    if why == ResendRefused::Closed {
                        let closed = ConfirmRefused::Code(CodeRefused::Closed);
                        return refused(ctx, closed, None, next).await;
                    }
                    match resend_message(&ctx, why) {
                        Some(why) => page(ctx, Some(&sent), next, Trouble::general(&why), None).await,
                        None => ctx.see(&with_next(PATH, next.as_deref())),
                    }
                }
            }
        }
        (Some(sent), Some(challenge)) => {
            let Some(token) = ctx.session() else {
                return Ok(redirect("/account/login"));
            };
            match ctx
                .app
                .auth
                .confirm_code(&ctx.visitor, token, &challenge, &typed)
                .await
            {
                Ok(session) => {
                    ctx.keep(SessionCookies::for_renewed_session(&session));
                    ctx.see(next.as_deref().unwrap_or("/home"))
                }
                Err(denied) => refused(ctx, refusal(denied)?, Some(sent), next).await,
            }
        }
        // The page asked for a code alone, and that is over.
        _ if password.is_empty() && (pressed == "resend" || !typed.is_empty()) => {
            let trouble = Trouble::general(ctx.t("confirm-too-long"));
            page(ctx, None, next, trouble, None).await
        }
        _ => {
            let Some(token) = ctx.session() else {
                return Ok(redirect("/account/login"));
            };
            match ctx
                .app
                .auth
                .confirm_password(&ctx.visitor, token, &password)
                .await
            {
                Ok(ConfirmOutcome::Confirmed(session)) => {
                    ctx.keep(SessionCookies::for_renewed_session(&session));
                    ctx.see(next.as_deref().unwrap_or("/home"))
                }
                Ok(ConfirmOutcome::CodeSent(sent)) => {
                    ctx.keep(SessionCookies::for_code(&sent));
                    ctx.see(&with_next(PATH, next.as_deref()))
                }
                Ok(_) => Err(Fail::NotFound),
                Err(denied) => refused(ctx, refusal(denied)?, None, next).await,
            }
        }
    }
}

async fn refused(
    mut ctx: Ctx,
    refused: ConfirmRefused,
    sent: Option<CodeNotice>,
    next: Option<String>,
) -> Result<Response, Fail> {
    match refused {
        ConfirmRefused::SessionEnded(_) => ctx.see(&with_next("/account/timed-out", next.as_deref())),
        ConfirmRefused::PasswordRequired => {
            let trouble = Trouble::field("password", ctx.t("password-required"));
            page(ctx, None, next, trouble, None).await
        }
        ConfirmRefused::Code(code) => {
            let digits = ctx.app.auth.config().codes.digits;
            let renewed = match &code {
                CodeRefused::Expired { sent } => sent.clone(),
                _ => None,
            };
            match code_message(ctx.language(), &code, digits) {
                Some(text) => {
                    let shown = renewed.or(sent);
                    page(ctx, shown.as_ref(), next, Trouble::field("code", &text), None).await
                }
                None => {
                    ctx.clear_cookie(PortalCookie::Verify);
                    let why = match code {
                        CodeRefused::Closed => ctx.t("code-too_many_wrong"),
                        CodeRefused::TriesUsed => ctx.t("confirm-last-try"),
                        _ => ctx.t("confirm-too-long"),
                    };
                    page(ctx, None, next, Trouble::general(why), None).await
                }
            }
        }
        _ => {
            let trouble = Trouble::field("password", ctx.t("password-wrong"));
            page(ctx, None, next, trouble, None).await
        }
    }
}
