//! The mailed code (P3).

use axum::response::Response;
use portal_auth::account::email::EmailAddress;
use portal_auth::secret::token::ChallengeToken;
use portal_auth::{CodeNotice, CodeRefused, ResendRefused};
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;

use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect, with_next};
use crate::views::catalogue::Language;
use crate::views::layout::{Notice, Place};
use crate::views::sign_in::{CodeSent, VerifyCode};

/// P3 `/account/verify`; a refresh sends no new code.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let next = ctx.next();
    let Some(challenge) = ctx.challenge() else {
        return elsewhere(&ctx, next.as_deref(), OTHER_BROWSER, None);
    };
    match ctx.app.auth.code_notice(&challenge).await? {
        Some(sent) => {
            let again = ctx.query("notice") == Some("sent-again");
            let notice = again.then(|| Notice::done(ctx.t("verify-resent")));
            page(ctx, &sent, next, Trouble::none(), notice)
        }
        None => {
            let email = ctx.app.auth.code_recipient(&challenge).await?;
            elsewhere(&ctx, next.as_deref(), TOO_LONG, email.as_ref())
        }
    }
}

/// Names of the login page's notices.
const OTHER_BROWSER: &str = "other-browser";
const TOO_LONG: &str = "took-too-long";

/// Without a half-done sign-in: home when signed in (the other tab was first), else login with the address kept.
fn elsewhere(
    ctx: &Ctx,
    next: Option<&str>,
    notice: &str,
    email: Option<&EmailAddress>,
) -> Result<Response, Fail> {
    if ctx.is_signed_in() {
        return Ok(redirect(next.unwrap_or("/home")));
    }
    Ok(redirect(&login(next, notice, email)))
}

/// The login page with everything that is known filled in.
fn login(next: Option<&str>, notice: &str, email: Option<&EmailAddress>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("notice", notice);
    if let Some(email) = email {
        query.append_pair("email", email.as_str());
    }
    if let Some(next) = next {
        query.append_pair("next", next);
    }
    format!("/account/login?{}", query.finish())
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
        .translated_page("verify-title", Place::Login, trouble)?
        .noticing(notice)
        .split();
    ctx.render(shown, &VerifyCode { page, sent, next })
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
pub(crate) fn code_message(language: Language, refused: &CodeRefused, digits: u8) -> Option<String> {
    let label = language.label("code");
    Some(match refused {
        CodeRefused::Wrong { tries_left } => {
            language.message("code.wrong", Some(u64::from(*tries_left)), label)
        }
        CodeRefused::Expired { sent: Some(_) } => language.t("code-expired").to_owned(),
        CodeRefused::Expired { sent: None } => language.t("verify-expired").to_owned(),
        CodeRefused::Format(_) => language.message(refused.reason().code(), Some(u64::from(digits)), label),
        _ => return None,
    })
}

/// The sentence about a code that was not sent again.
pub(crate) fn resend_message(ctx: &Ctx, refused: ResendRefused) -> Option<String> {
    match refused {
        ResendRefused::Wait { until } => {
            let seconds = until.since(ctx.app.auth.now()).as_secs().max(1);
            Some(ctx.fill("resend-wait").set("n", seconds).to_string())
        }
        ResendRefused::NoMoreMails => Some(ctx.t("verify-no-more").to_owned()),
        _ => None,
    }
}

/// `POST /account/verify`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["code", "next"])?;
    let next = ctx.place(&form.take("next"));
    let Some(challenge) = ctx.challenge() else {
        return elsewhere(&ctx, next.as_deref(), OTHER_BROWSER, None);
    };
    let email = ctx.app.auth.code_recipient(&challenge).await?;
    let Some(notice) = ctx.app.auth.code_notice(&challenge).await? else {
        return elsewhere(&ctx, next.as_deref(), TOO_LONG, email.as_ref());
    };
    if !genuine {
        return page(ctx, &notice, next, Trouble::stale(), None);
    }
    match button(&form, "verify").as_str() {
        "resend" => resend(ctx, &challenge, &notice, next, email).await,
        "cancel" => {
            ctx.app.auth.cancel_sign_in(&ctx.visitor, &challenge).await?;
            forget(ctx, "/account/login")
        }
        _ => verify(ctx, &challenge, &form.take_secret("code"), &notice, next, email).await,
    }
}

async fn verify(
    mut ctx: Ctx,
    challenge: &ChallengeToken,
    typed: &str,
    notice: &CodeNotice,
    next: Option<String>,
    email: Option<EmailAddress>,
) -> Result<Response, Fail> {
    let refused = match ctx
        .app
        .auth
        .verify_code(&ctx.visitor, challenge, typed, ctx.session())
        .await
    {
        Ok(new) => {
            ctx.settle_kept_forms(&new.session).await;
            if let Some(email) = &email {
                ctx.settle_registration(email).await;
            }
            ctx.keep(SessionCookies::for_new_session(&new));
            return ctx.see(next.as_deref().unwrap_or("/home"));
        }
        Err(denied) => refusal(denied)?,
    };
    let digits = ctx.app.auth.config().codes.digits;
    let again = match (&refused, code_message(ctx.language(), &refused, digits)) {
        (CodeRefused::Expired { sent: Some(sent) }, Some(text)) => {
            return page(ctx, sent, next, Trouble::field("code", &text), None);
        }
        (_, Some(text)) => return page(ctx, notice, next, Trouble::field("code", &text), None),
        (CodeRefused::TriesUsed, None) => "tries-used",
        (CodeRefused::Closed, None) => "codes-closed",
        (_, None) => TOO_LONG,
    };
    forget(ctx, &login(next.as_deref(), again, email.as_ref()))
}

async fn resend(
    ctx: Ctx,
    challenge: &ChallengeToken,
    notice: &CodeNotice,
    next: Option<String>,
    email: Option<EmailAddress>,
) -> Result<Response, Fail> {
    let refused = match ctx.app.auth.resend_code(&ctx.visitor, challenge).await {
        Ok(_) => {
            let page = with_next("/account/verify", next.as_deref());
            let sign = if next.is_some() { '&' } else { '?' };
            return ctx.see(&format!("{page}{sign}notice=sent-again"));
        }
        Err(denied) => refusal(denied)?,
    };
    if refused == ResendRefused::Closed {
        return forget(ctx, &login(next.as_deref(), "codes-closed", email.as_ref()));
    }
    match resend_message(&ctx, refused) {
        Some(why) => page(ctx, notice, next, Trouble::general(&why), None),
        None => forget(ctx, &login(next.as_deref(), TOO_LONG, email.as_ref())),
    }
}

/// Drops the half-done sign-in's cookie and goes on.
fn forget(mut ctx: Ctx, path: &str) -> Result<Response, Fail> {
    ctx.clear_cookie(PortalCookie::Verify);
    ctx.see(path)
}
