//! Closing an account, and bringing it back from the mailed link (P27).

use axum::response::{IntoResponse as _, Response};
use portal_auth::features::close_account::{CloseRefused, RestorePage, RestoreRefused};
use portal_auth::link::LinkRefused;
use portal_auth::local_time::in_words;
use portal_auth::password::Password;
use portal_auth_axum::cookies::{ForgetPerson, PortalCookie};
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::security_headers::TokenPage;
use portal_auth_axum::session_cookies::SessionCookies;

use crate::pages::account::menu;
use crate::pages::change_password::{confirm_first, confirm_then};
use crate::pages::mailed_link::{Arrived, LinkPage};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect};
use crate::views::layout::Place;
use crate::views::messages::message;
use crate::views::own_account::{CloseAccount, RestoreAccount};

const PATH: &str = "/account/close";

const RESTORE: LinkPage = LinkPage {
    path: "/account/restore",
    used: "Your account was restored with it. Log in as before.",
    ended: "The account was restored or removed in another way, or a wrong password was entered too often. Register with the same email address: while the account can still be restored, we send another link to it.",
    otherwise: ("/account/login", "Log in"),
};

/// P27 `/account/close`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    page(ctx, Trouble::none()).await
}

async fn page(mut ctx: Ctx, trouble: Trouble) -> Result<Response, Fail> {
    let (email, confirm) = match ctx.signed_in() {
        Ok((signed_in, _)) => {
            let account = ctx.app.auth.account(signed_in).await?;
            (
                account.email.as_str().to_owned(),
                confirm_first(&ctx, signed_in, PATH),
            )
        }
        Err(answer) => return Ok(answer),
    };
    let grace = ctx.app.auth.config().closing.grace;
    let erased_from = ctx.moment(ctx.app.auth.now().plus(grace));
    let (page, shown) = ctx.page("Close your account", Place::Account, trouble)?.split();
    let view = CloseAccount {
        page,
        menu: menu(PATH),
        email,
        grace: in_words(grace),
        erased_from,
        confirm,
    };
    ctx.render(shown, &view)
}

/// `POST /account/close`.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["username", "password"])?;
    let password = Password::new(form.take_secret("password").as_str());
    let token = match ctx.signed_in() {
        Ok((_, token)) => token,
        Err(answer) => return Ok(answer),
    };
    if !genuine {
        return page(ctx, Trouble::stale()).await;
    }
    match ctx.app.auth.close_account(&ctx.visitor, token, &password).await {
        Ok(_) => {
            ctx.drop_kept_forms().await?;
            ctx.clear_cookie(PortalCookie::Verify);
            let closed = redirect("/account/login?notice=account-closed");
            let mut response = (ForgetPerson, closed).into_response();
            ctx.write_cookies(response.headers_mut())?;
            Ok(response)
        }
        Err(denied) => match refusal(denied)? {
            CloseRefused::Confirm => ctx.see(&confirm_then(PATH)),
            CloseRefused::PasswordRequired => page(ctx, wrong("password.required")).await,
            CloseRefused::NotCorrect => page(ctx, wrong("password.wrong")).await,
            // The session ended in this very moment: the page says how.
            _ => ctx.see(PATH),
        },
    }
}

fn wrong(reason: &str) -> Trouble {
    Trouble::field("password", &message(reason, None, "Password"))
}

/// P27 `/account/restore`.
pub(crate) async fn show_restore(ctx: Ctx) -> Result<Response, Fail> {
    let (ctx, token) = match RESTORE.arrive(ctx)? {
        Arrived::Answered(response) => return Ok(response),
        Arrived::With(ctx, token) => (ctx, token),
    };
    match ctx.app.auth.restore_page(&token).await {
        Ok(link) => restore_page(ctx, &link, Trouble::none()),
        Err(denied) => no_way_back(ctx, refusal(denied)?),
    }
}

fn restore_page(mut ctx: Ctx, link: &RestorePage, trouble: Trouble) -> Result<Response, Fail> {
    let erased_from = ctx.moment(link.erased_from);
    let (page, shown) = ctx.page("Restore your account", Place::Login, trouble)?.split();
    let view = RestoreAccount {
        page,
        masked_email: link.masked_email.clone(),
        erased_from,
    };
    let response = ctx.render(shown, &view)?;
    Ok((TokenPage, response).into_response())
}

fn no_way_back(ctx: Ctx, refused: RestoreRefused) -> Result<Response, Fail> {
    match refused {
        RestoreRefused::Link(link) => RESTORE.not_usable(ctx, link),
        _ => RESTORE.not_usable(ctx, LinkRefused::Ended),
    }
}

/// `POST /account/restore`.
pub(crate) async fn submit_restore(
    mut ctx: Ctx,
    form: Result<Form, FormRejection>,
) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["password", "link"])?;
    if button(&form, "restore") == "open" {
        return RESTORE.open_typed(ctx, &mut form, genuine);
    }
    let Some(token) = ctx.link() else {
        return RESTORE.unknown(ctx, "", Trouble::none());
    };
    let link = match ctx.app.auth.restore_page(&token).await {
        Ok(link) => link,
        Err(denied) => return no_way_back(ctx, refusal(denied)?),
    };
    if !genuine {
        return restore_page(ctx, &link, Trouble::stale());
    }
    let password = Password::new(form.take_secret("password").as_str());
    match ctx
        .app
        .auth
        .restore_account(&ctx.visitor, &token, &password)
        .await
    {
        Ok(restored) => {
            ctx.keep(SessionCookies::for_device(restored.device.as_ref()));
            let email = restored.email.as_str().as_bytes();
            let email: String = url::form_urlencoded::byte_serialize(email).collect();
            ctx.see(&format!("/account/login?email={email}&notice=account-restored"))
        }
        Err(denied) => match refusal(denied)? {
            RestoreRefused::PasswordRequired => restore_page(ctx, &link, wrong("password.required")),
            RestoreRefused::NotCorrect { tries_left } if tries_left > 0 => {
                let tries = if tries_left == 1 {
                    "1 try".to_owned()
                } else {
                    format!("{tries_left} tries")
                };
                let text = format!("Password is not correct. {tries} left.");
                restore_page(ctx, &link, Trouble::field("password", &text))
            }
            refused => no_way_back(ctx, refused),
        },
    }
}
