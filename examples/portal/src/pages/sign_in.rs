//! Login, logout, and the login form after a time-out (P2, P28).

use axum::extract::FromRequest as _;
use axum::extract::Request;
use axum::response::Response;
use portal_auth::account::email::EmailAddress;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome, SignInRefused};
use portal_auth::password::Password;
use portal_auth::session::SessionEnd;
use portal_auth_axum::cookies::ForgetPerson;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;
use portal_auth_axum::signed_in::MaybeSignedIn;

use axum::response::IntoResponse as _;

use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, redirect, with_next};
use crate::views::catalogue::Language;
use crate::views::layout::{FieldMessage, Notice, Place};
use crate::views::sign_in::{Login, LoginForm, TimedOut};

/// P2 `/account/login`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let next = ctx.next();
    // Somebody whose session lacks the second step is sent here on purpose; everybody else is home already.
    if matches!(&ctx.person, MaybeSignedIn::SignedIn(signed_in) if signed_in.is_complete()) {
        return Ok(redirect(next.as_deref().unwrap_or("/home")));
    }
    let email = match ctx.query("email") {
        Some(email) => email.to_owned(),
        None => code_recipient(&ctx).await?,
    };
    let notice = ctx.query("notice").and_then(|name| notice(ctx.language(), name));
    page(ctx, LoginForm { email, next }, Trouble::none(), notice)
}

/// Whoever comes back from P3 finds their address filled in: only their browser holds the half-done sign-in's cookie.
async fn code_recipient(ctx: &Ctx) -> Result<String, Fail> {
    let Some(challenge) = ctx.challenge() else {
        return Ok(String::new());
    };
    let email = ctx.app.auth.code_recipient(&challenge).await?;
    Ok(email.map_or_else(String::new, |email| email.as_str().to_owned()))
}

/// What the page says about what just happened; the names are this portal's own.
fn notice(language: Language, name: &str) -> Option<Notice> {
    Some(match name {
        "logged-out" => Notice::done(language.t("logged-out")),
        "email-changed" => Notice::done(language.t("email-changed")),
        "account-closed" => Notice::done(language.t("account-closed")),
        "account-restored" => Notice::done(language.t("account-restored")),
        "two-step-on" => Notice::done(language.t("two-step-on")),
        "two-step-off" => Notice::done(language.t("two-step-off")),
        "password-reset" => Notice::done(language.t("password-reset")),
        "recovery-cancelled" => Notice::done(language.t("recovery-cancelled")),
        "other-browser" => Notice::attention(language.t("code-other_browser")),
        "took-too-long" => Notice::attention(language.t("took-too-long")),
        "tries-used" => Notice::attention(language.t("tries-used")),
        "codes-closed" => Notice::attention(language.t("code-too_many_wrong")),
        _ => return None,
    })
}

fn page(mut ctx: Ctx, login: LoginForm, trouble: Trouble, notice: Option<Notice>) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .translated_page("login-title", Place::Login, trouble)?
        .noticing(notice)
        .split();
    ctx.render(shown, &Login { page, login })
}

/// P28 `/account/timed-out`.
pub(crate) async fn timed_out(mut ctx: Ctx) -> Result<Response, Fail> {
    let next = ctx.next();
    if ctx.is_signed_in() {
        return Ok(redirect(next.as_deref().unwrap_or("/home")));
    }
    let saved = ctx.keeps_form_of(next.as_deref()).await?;
    let (page, shown) = ctx
        .translated_page("timed-out-title", Place::Login, Trouble::none())?
        .split();
    let idle_limit = ctx.language().span(ctx.app.settings.idle_timeout);
    let longest = matches!(ctx.person, MaybeSignedIn::Ended(SessionEnd::Absolute))
        .then(|| ctx.language().span(ctx.app.auth.config().sessions.absolute));
    let login = LoginForm {
        email: String::new(),
        next,
    };
    ctx.render(
        shown,
        &TimedOut {
            page,
            login,
            idle_limit,
            longest,
            saved,
        },
    )
}

/// `POST /account/login`.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["email", "password", "next"])?;
    let email = form.take("email");
    let password = Password::new(form.take_secret("password").as_str());
    let next = ctx.place(&form.take("next"));
    let again = LoginForm {
        email: email.clone(),
        next: next.clone(),
    };
    if !genuine {
        return page(ctx, again, Trouble::stale(), None);
    }
    let mut errors = Vec::new();
    if let Err(e) = EmailAddress::parse(&email) {
        errors.push(FieldMessage::new(
            "email",
            &ctx.language()
                .message(e.reason().code(), e.number(), ctx.t("label-email")),
        ));
    }
    if password.is_empty() {
        errors.push(FieldMessage::new("password", ctx.t("password-required")));
    }
    if !errors.is_empty() {
        return page(ctx, again, Trouble::fields(errors), None);
    }
    let attempt = SignInForm::new(&email, password).replacing(ctx.session());
    match ctx.app.auth.sign_in(&ctx.visitor, attempt).await {
        Ok(SignInOutcome::SignedIn(new)) => {
            ctx.settle_kept_forms(&new.session).await;
            if let Ok(email) = EmailAddress::parse(&email) {
                ctx.settle_registration(&email).await;
            }
            ctx.keep(SessionCookies::for_new_session(&new));
            ctx.see(next.as_deref().unwrap_or("/home"))
        }
        Ok(SignInOutcome::CodeSent(sent)) => {
            ctx.keep(SessionCookies::for_code(&sent));
            ctx.see(&with_next("/account/verify", next.as_deref()))
        }
        Ok(_) => Err(Fail::NotFound),
        Err(denied) => {
            let trouble = match refusal(denied)? {
                SignInRefused::CodesUsedUp => Trouble::general(ctx.t("code-too_many_wrong")),
                _ => Trouble::general(ctx.t("sign_in-wrong")),
            };
            page(ctx, again, trouble, None)
        }
    }
}

/// `POST /account/logout`.
pub(crate) async fn sign_out(mut ctx: Ctx, request: Request) -> Result<Response, Fail> {
    let form = Form::from_request(request, &()).await?;
    if !ctx.is_genuine(&form, &[])? {
        // Without its token the press has no effect; the page says so and has the button again (R13).
        return if ctx.is_signed_in() {
            crate::pages::home::home(ctx, Trouble::stale()).await
        } else {
            page(ctx, LoginForm::default(), Trouble::stale(), None)
        };
    }
    if let Some(token) = ctx.session() {
        ctx.app.auth.sign_out(&ctx.visitor, token).await?;
    }
    ctx.drop_kept_forms().await?;
    let mut response = (ForgetPerson, redirect("/account/login?notice=logged-out")).into_response();
    ctx.write_cookies(response.headers_mut())?;
    Ok(response)
}
