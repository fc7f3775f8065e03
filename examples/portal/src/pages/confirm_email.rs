//! The page that the link of a new address opens (P20, E8).

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use portal_auth::features::confirm_email::{ConfirmEmailPage, ConfirmEmailRefused};
use portal_auth::password::Password;
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::security_headers::TokenPage;
use portal_auth_axum::session_cookies::SessionCookies;

use crate::pages::mailed_link::{Arrived, LinkPage};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button};
use crate::views::layout::Place;
use crate::views::mailed_link::{LinkOver, WhyOver};
use crate::views::messages::{PASSWORD_NOT_CORRECT, message};
use crate::views::take_back::{ConfirmEmail, SomebodyElse};

const PAGE: LinkPage = LinkPage {
    path: "/account/confirm-email-address",
    used: "This address is confirmed. Log in with it.",
    ended: "The change of email address has ended: it was cancelled, or the account has changed since.",
    otherwise: ("/account/change-email-address", "Change Email Address"),
};

/// `GET`: nothing changes however often it is asked (TOK-5).
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let response = match PAGE.arrive(ctx)? {
        Arrived::Answered(answer) => answer,
        Arrived::With(ctx, token) => {
            let person = ctx.signed_in().ok().map(|(signed_in, _)| signed_in);
            match ctx.app.auth.confirm_email_page(&token, person).await {
                Ok(link) => page(ctx, &link, Trouble::none())?,
                Err(denied) => refused(ctx, refusal(denied)?)?,
            }
        }
    };
    Ok((TokenPage, response).into_response())
}

fn page(mut ctx: Ctx, link: &ConfirmEmailPage, trouble: Trouble) -> Result<Response, Fail> {
    let title = "Confirm your new email address";
    let (page, shown) = ctx.page(title, Place::Account, trouble)?.split();
    let view = ConfirmEmail {
        page,
        email: link.email.as_str().to_owned(),
        asks_password: link.asks_password,
    };
    ctx.render(shown, &view)
}

/// `POST`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let response = act(ctx, form?).await?;
    Ok((TokenPage, response).into_response())
}

async fn act(mut ctx: Ctx, mut form: Form) -> Result<Response, Fail> {
    let genuine = ctx.is_genuine(&form, &["password", "link"])?;
    if button(&form, "confirm") == "open" {
        return PAGE.open_typed(ctx, &mut form, genuine);
    }
    let Some(token) = ctx.link() else {
        return PAGE.unknown(ctx, "", Trouble::none());
    };
    let person = ctx.signed_in().ok().map(|(signed_in, _)| signed_in);
    let link = match ctx.app.auth.confirm_email_page(&token, person).await {
        Ok(link) => link,
        Err(denied) => return refused(ctx, refusal(denied)?),
    };
    if !genuine {
        return page(ctx, &link, Trouble::stale());
    }
    let password = Password::new(form.take_secret("password").as_str());
    let confirmed = ctx
        .app
        .auth
        .confirm_email(&ctx.visitor, &token, ctx.session(), &password)
        .await;
    match confirmed {
        Ok(confirmed) => {
            ctx.clear_cookie(PortalCookie::Link);
            ctx.keep(SessionCookies::for_device(confirmed.device.as_ref()));
            let Some(session) = &confirmed.session else {
                return ctx.see("/account/login?notice=email-changed");
            };
            ctx.keep(SessionCookies::for_renewed_session(session));
            ctx.see("/account/change-email-address?notice=changed")
        }
        Err(denied) => match refusal(denied)? {
            ConfirmEmailRefused::PasswordRequired => {
                let text = message("password.required", None, "Password");
                page(ctx, &link, Trouble::field("password", &text))
            }
            ConfirmEmailRefused::NotCorrect => {
                page(ctx, &link, Trouble::field("password", PASSWORD_NOT_CORRECT))
            }
            other => refused(ctx, other),
        },
    }
}

/// What is said instead of the form.
fn refused(mut ctx: Ctx, refused: ConfirmEmailRefused) -> Result<Response, Fail> {
    match refused {
        ConfirmEmailRefused::Link(link) => PAGE.not_usable(ctx, link),
        ConfirmEmailRefused::Taken => {
            let frame = ctx.page("This link no longer works", Place::Account, Trouble::none())?;
            let (page, shown) = frame.with_status(StatusCode::GONE).split();
            let (href, text) = PAGE.otherwise;
            let why = WhyOver::Said(
                "This address belongs to another account by now, so it was not changed. Use another one."
                    .to_owned(),
            );
            let view = LinkOver {
                page,
                path: PAGE.path,
                why,
                href,
                text,
            };
            ctx.render(shown, &view)
        }
        _ => {
            let frame = ctx.page("Somebody else is logged in here", Place::Account, Trouble::none())?;
            let (page, shown) = frame.with_status(StatusCode::FORBIDDEN).split();
            ctx.render(shown, &SomebodyElse { page })
        }
    }
}
