//! Change Password (P21), and the address under which password managers look for it.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use portal_auth::features::change_password::{ChangePasswordRefused, WrongPasswordChange};
use portal_auth::password::Password;
use portal_auth::{NewPassword, RenewedSession, SignedIn};
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;

use crate::pages::account::menu;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, with_next};
use crate::views::catalogue::Language;
use crate::views::change::ChangePassword;
use crate::views::layout::{FieldMessage, Notice, Place};
use crate::views::messages::{PASSWORD_CHANGED, PASSWORD_NOT_CORRECT, message};

const PATH: &str = "/account/change-password";

/// `GET /.well-known/change-password`: password managers want to be sent on, not served.
pub(crate) async fn well_known() -> Response {
    (StatusCode::FOUND, [(LOCATION, HeaderValue::from_static(PATH))]).into_response()
}

/// P21 `/account/change-password`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let changed = ctx.query("notice") == Some("changed");
    page(
        ctx,
        Trouble::none(),
        changed.then(|| Notice::done(PASSWORD_CHANGED)),
    )
    .await
}

async fn page(mut ctx: Ctx, trouble: Trouble, notice: Option<Notice>) -> Result<Response, Fail> {
    let (username, confirm) = match ctx.signed_in() {
        Ok((signed_in, _)) => {
            let account = ctx.app.auth.account(signed_in).await?;
            (
                account.email.as_str().to_owned(),
                confirm_first(&ctx, signed_in, PATH),
            )
        }
        Err(answer) => return Ok(answer),
    };
    let (page, shown) = ctx
        .page("Change Password", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let policy = &ctx.app.auth.config().passwords.policy;
    let view = ChangePassword {
        page,
        menu: menu(PATH),
        username,
        rules: policy.lines(),
        password_rules: policy.password_rules(),
        confirm,
    };
    ctx.render(shown, &view)
}

/// `POST /account/change-password`.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let fields = ["username", "password", "new-password", "new-password2"];
    let genuine = ctx.is_genuine(&form, &fields)?;
    let current = Password::new(form.take_secret("password").as_str());
    let new = NewPassword::new(form.take_secret("new-password").as_str())
        .repeated(form.take_secret("new-password2").as_str());
    let token = match ctx.signed_in() {
        Ok((_, token)) => token,
        Err(answer) => return Ok(answer),
    };
    if !genuine {
        return page(ctx, Trouble::stale(), None).await;
    }
    match ctx
        .app
        .auth
        .change_password(&ctx.visitor, token, &current, &new)
        .await
    {
        Ok(renewed) => {
            keep_renewed(&mut ctx, &renewed);
            ctx.see("/account/change-password?notice=changed")
        }
        Err(denied) => match refusal(denied)? {
            ChangePasswordRefused::Confirm => ctx.see(&confirm_then(PATH)),
            ChangePasswordRefused::Form(wrong) => page(ctx, Trouble::fields(told(&wrong)), None).await,
            ChangePasswordRefused::NotCorrect => {
                page(ctx, Trouble::field("password", PASSWORD_NOT_CORRECT), None).await
            }
            _ => ctx.see(&with_next("/account/timed-out", Some(PATH))),
        },
    }
}

/// What is wrong, in the order of the page; all that is wrong with the new password in one sentence (R7).
fn told(wrong: &WrongPasswordChange) -> Vec<FieldMessage> {
    let mut told = Vec::new();
    if wrong.current_missing {
        let text = Language::ENGLISH
            .fill("any-required")
            .set("label", "Current Password");
        told.push(FieldMessage::new("password", &text.to_string()));
    }
    if let Some(new) = &wrong.new {
        if !new.broken.is_empty() {
            let text = Language::ENGLISH.broken_rules(&new.broken);
            told.push(FieldMessage::new("new-password", &text));
        }
        if new.repeated_differently {
            let text = message("password2.mismatch", None, "Confirm Password");
            told.push(FieldMessage::new("new-password2", &text));
        }
    }
    told
}

/// The cookies of a session that went on under a new token.
pub(crate) fn keep_renewed(ctx: &mut Ctx, renewed: &RenewedSession) {
    ctx.keep(SessionCookies::for_renewed_session(&renewed.session));
    ctx.keep(SessionCookies::for_device(renewed.device.as_ref()));
}

/// P32, and back to `path` with what was typed.
pub(crate) fn confirm_then(path: &str) -> String {
    with_next("/account/confirm-password", Some(path))
}

/// P32 for somebody whose last proof is too old already: a page that asks for secrets says so before they are typed.
pub(crate) fn confirm_first(ctx: &Ctx, signed_in: &SignedIn, path: &str) -> Option<String> {
    (!ctx.app.auth.is_confirmed(signed_in)).then(|| confirm_then(path))
}
