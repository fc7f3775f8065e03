//! What the reset link opens (P14): the Secret Answer, then the new password.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use portal_auth::NewPassword;
use portal_auth::account::recovery::Paused;
use portal_auth::features::recover_slowly::{RecoverSlowlyRefused, WithoutAnswer};
use portal_auth::features::reset_password::{PasswordReset, ResetPage, ResetRefused, ResetStep};
use portal_auth::link::LinkRefused;
use portal_auth::secret::token::LinkToken;
use portal_auth_axum::cookies::{ForgetPerson, PortalCookie};
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::security_headers::TokenPage;
use portal_auth_axum::session_cookies::SessionCookies;

use crate::pages::mailed_link::{Arrived, LinkPage};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect};
use crate::views::layout::{FieldMessage, Notice, Place};
use crate::views::recovery::{Otherwise, ResetAnswer, ResetPassword, ResetPaused};

const PATH: &str = "/account/reset-password";

const LINK: LinkPage = LinkPage {
    path: PATH,
    used: "A new password was set with this link. Log in with that password.",
    ended: "The Secret Answer was wrong too many times, or your account has changed since the link was sent.",
    otherwise: ("/account/forgotten-password", "Ask for a new link"),
};

/// P14 `/account/reset-password`; the question is shown behind a live link only (ANS-6).
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let response = match LINK.arrive(ctx)? {
        Arrived::Answered(response) => response,
        Arrived::With(ctx, token) => {
            let again = ctx.query("notice") == Some("answer-again");
            let notice = again.then(|| Notice::attention(ctx.t("reset-answer-again")));
            step(ctx, &token, Trouble::none(), notice).await?
        }
    };
    Ok((TokenPage, response).into_response())
}

/// The step that this browser is at.
async fn step(
    ctx: Ctx,
    token: &LinkToken,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let proof = ctx.answer_proof();
    match ctx.app.auth.reset_page(token, proof.as_ref()).await {
        Ok(reset) => page(ctx, token, reset, trouble, notice).await,
        Err(denied) => refused(ctx, token, refusal(denied)?).await,
    }
}

async fn page(
    mut ctx: Ctx,
    token: &LinkToken,
    reset: ResetPage,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    match reset.step {
        ResetStep::Answer { question, tries_left } => {
            let question = question.map(|asked| ctx.language().asked(&asked).to_owned());
            let otherwise = match ctx.app.auth.without_answer(token).await {
                Ok(found) => otherwise(&ctx, found),
                Err(denied) => return LINK.not_usable(ctx, refusal(denied)?),
            };
            let frame = ctx.translated_page("reset-title", Place::Login, trouble)?;
            let (page, shown) = frame.noticing(notice).split();
            let view = ResetAnswer {
                page,
                question,
                tries_left,
                otherwise,
            };
            ctx.render(shown, &view)
        }
        _ => {
            let frame = ctx.translated_page("reset-password-title", Place::Login, trouble)?;
            let (page, shown) = frame.noticing(notice).split();
            let policy = &ctx.app.auth.config().passwords.policy;
            let view = ResetPassword {
                page,
                email: reset.email.as_str().to_owned(),
                rules: ctx.language().rule_lines(policy.lines()),
                password_rules: policy.password_rules(),
            };
            ctx.render(shown, &view)
        }
    }
}

fn otherwise(ctx: &Ctx, found: WithoutAnswer) -> Otherwise {
    match found {
        WithoutAnswer::Delayed { delay } => Otherwise::Delayed {
            delay: ctx.language().span(delay),
        },
        WithoutAnswer::Waits { until } => Otherwise::Waits {
            until: ctx.when(until),
        },
        WithoutAnswer::Administrator => Otherwise::Administrator,
        _ => Otherwise::Nothing,
    }
}

/// `POST /account/reset-password`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let response = act(ctx, form?).await?;
    Ok((TokenPage, response).into_response())
}

async fn act(ctx: Ctx, mut form: Form) -> Result<Response, Fail> {
    let fields = ["answer", "new-password", "new-password2", "username", "link"];
    let genuine = ctx.is_genuine(&form, &fields)?;
    let meant = if form.get("new-password").is_some() {
        "save"
    } else {
        "continue"
    };
    let pressed = button(&form, meant);
    if pressed == "open" {
        return LINK.open_typed(ctx, &mut form, genuine);
    }
    let Some(token) = ctx.link() else {
        return LINK.unknown(ctx, "", Trouble::none());
    };
    if !genuine {
        return step(ctx, &token, Trouble::stale(), None).await;
    }
    match pressed.as_str() {
        "save" => save(ctx, &token, form).await,
        "slowly" => slowly(ctx, &token).await,
        _ => answer(ctx, &token, form).await,
    }
}

async fn answer(mut ctx: Ctx, token: &LinkToken, mut form: Form) -> Result<Response, Fail> {
    let typed = form.take_secret("answer");
    match ctx.app.auth.answer_reset(&ctx.visitor, token, &typed).await {
        Ok(proof) => {
            ctx.set_cookie(PortalCookie::Verify, (&proof).into());
            ctx.see(PATH)
        }
        Err(denied) => refused(ctx, token, refusal(denied)?).await,
    }
}

async fn save(ctx: Ctx, token: &LinkToken, mut form: Form) -> Result<Response, Fail> {
    let password = form.take_secret("new-password");
    let again = form.take_secret("new-password2");
    let typed = NewPassword::new(password.as_str()).repeated(again.as_str());
    let proof = ctx.answer_proof();
    let auth = &ctx.app.auth;
    match auth
        .set_new_password(&ctx.visitor, token, proof.as_ref(), &typed)
        .await
    {
        Ok(done) => saved(ctx, &done),
        Err(denied) => refused(ctx, token, refusal(denied)?).await,
    }
}

/// Nobody is signed in afterwards: not even a session that this browser had (RST-4).
fn saved(mut ctx: Ctx, done: &PasswordReset) -> Result<Response, Fail> {
    ctx.keep(SessionCookies::for_device(done.device.as_ref()));
    let login = redirect("/account/login?notice=password-reset");
    let mut response = (ForgetPerson, login).into_response();
    ctx.write_cookies(response.headers_mut())?;
    Ok(response)
}

async fn slowly(ctx: Ctx, token: &LinkToken) -> Result<Response, Fail> {
    match ctx.app.auth.recover_slowly(&ctx.visitor, token).await {
        Ok(_) => ctx.see(PATH),
        Err(denied) => match refusal(denied)? {
            RecoverSlowlyRefused::Link(link) => LINK.not_usable(ctx, link),
            RecoverSlowlyRefused::Paused(until) => paused(ctx, until),
            // The page says what there is instead.
            _ => ctx.see(PATH),
        },
    }
}

/// What a refusal says: on the step's own page, or instead of it.
async fn refused(ctx: Ctx, token: &LinkToken, refused: ResetRefused) -> Result<Response, Fail> {
    let trouble = match refused {
        ResetRefused::Link(link) => return LINK.not_usable(ctx, link),
        ResetRefused::Paused(until) => return paused(ctx, until),
        ResetRefused::AnswerWrong { tries_left: 0 } => {
            return LINK.not_usable(ctx, LinkRefused::Ended);
        }
        ResetRefused::AnswerRequired => Trouble::field("answer", ctx.t("answer-required")),
        ResetRefused::AnswerWrong { tries_left } => {
            let text = ctx.fill("answer-wrong").set("n", tries_left).to_string();
            Trouble::field("answer", &text)
        }
        ResetRefused::Password(wrong) => {
            let mut messages = Vec::new();
            if !wrong.broken.is_empty() {
                let text = ctx.language().broken_rules(&wrong.broken);
                messages.push(FieldMessage::new("new-password", &text));
            }
            if wrong.repeated_differently {
                let text = ctx.t("password2-mismatch");
                messages.push(FieldMessage::new("new-password2", text));
            }
            Trouble::fields(messages)
        }
        ResetRefused::AnswerFirst => return ctx.see("/account/reset-password?notice=answer-again"),
        _ => return ctx.see(PATH),
    };
    let proof = ctx.answer_proof();
    match ctx.app.auth.reset_page(token, proof.as_ref()).await {
        Ok(reset) => page(ctx, token, reset, trouble, None).await,
        Err(denied) => match refusal(denied)? {
            ResetRefused::Link(link) => LINK.not_usable(ctx, link),
            ResetRefused::Paused(until) => paused(ctx, until),
            _ => ctx.see(PATH),
        },
    }
}

fn paused(mut ctx: Ctx, paused: Paused) -> Result<Response, Fail> {
    let until = match paused {
        Paused::Until(until) => Some(ctx.when(until)),
        Paused::UntilAdministrator => None,
    };
    let frame = ctx.translated_page("reset-paused-title", Place::Login, Trouble::none())?;
    let (page, shown) = frame.with_status(StatusCode::TOO_MANY_REQUESTS).split();
    ctx.render(shown, &ResetPaused { page, until })
}
