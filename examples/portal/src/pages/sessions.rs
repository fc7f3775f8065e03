//! Where people are logged in (P26).

use axum::response::{IntoResponse as _, Response};
use portal_auth::features::sessions::{EndSessionRefused, SessionEnded, SessionEntry};
use portal_auth::session::SessionHandle;
use portal_auth_axum::cookies::{ForgetPerson, PortalCookie};
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;

use crate::pages::account::menu;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect, with_next};
use crate::views::layout::{Notice, Place};
use crate::views::messages::{CONFIRMED_CHOOSE_AGAIN, OTHERS_LOGGED_OUT, SESSION_GONE, SESSION_LOGGED_OUT};
use crate::views::own_account::{SessionCard, Sessions};

const PATH: &str = "/account/sessions";

/// P26 `/account/sessions`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let notice = match ctx.query("notice") {
        Some("ended") => Some(Notice::done(SESSION_LOGGED_OUT)),
        Some("others-ended") => Some(Notice::done(OTHERS_LOGGED_OUT)),
        Some("gone") => Some(Notice::done(SESSION_GONE)),
        Some("confirmed") => Some(Notice::done(CONFIRMED_CHOOSE_AGAIN)),
        _ => None,
    };
    page(ctx, Trouble::none(), notice).await
}

async fn page(mut ctx: Ctx, trouble: Trouble, notice: Option<Notice>) -> Result<Response, Fail> {
    let sessions = match ctx.signed_in() {
        Ok((signed_in, _)) => ctx.app.auth.sessions(signed_in).await?,
        Err(answer) => return Ok(answer),
    };
    let sessions = sessions.into_iter().map(|entry| card(&ctx, entry)).collect();
    let (page, shown) = ctx
        .page("Where you are logged in", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let view = Sessions {
        page,
        menu: menu(PATH),
        sessions,
    };
    ctx.render(shown, &view)
}

fn card(ctx: &Ctx, entry: SessionEntry) -> SessionCard {
    SessionCard {
        handle: entry.handle.to_string(),
        browser: entry.browser,
        network: entry.network,
        logged_in: ctx.moment(entry.first_used),
        last_used: ctx.moment(entry.last_used),
        this_one: entry.is_this_one,
    }
}

/// `POST /account/sessions`.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["session"])?;
    let pressed = button(&form, "");
    let handle = form.take("session").parse::<SessionHandle>();
    let token = match ctx.signed_in() {
        Ok((_, token)) => token,
        Err(answer) => return Ok(answer),
    };
    if !genuine {
        return page(ctx, Trouble::stale(), None).await;
    }
    match (&*pressed, handle) {
        ("end_others", _) => match ctx.app.auth.end_other_sessions(&ctx.visitor, token).await {
            Ok(still) => {
                ctx.keep(SessionCookies::for_renewed_session(&still.session));
                ctx.keep(SessionCookies::for_device(still.device.as_ref()));
                ctx.see("/account/sessions?notice=others-ended")
            }
            Err(denied) => refused(ctx, refusal(denied)?),
        },
        ("end", Ok(handle)) => match ctx.app.auth.end_session(&ctx.visitor, token, handle).await {
            Ok(SessionEnded::ThisOne) => {
                ctx.drop_kept_forms().await?;
                ctx.clear_cookie(PortalCookie::Verify);
                let logged_out = redirect("/account/login?notice=logged-out");
                let mut response = (ForgetPerson, logged_out).into_response();
                ctx.write_cookies(response.headers_mut())?;
                Ok(response)
            }
            Ok(_) => ctx.see("/account/sessions?notice=ended"),
            Err(denied) => refused(ctx, refusal(denied)?),
        },
        _ => ctx.see("/account/sessions?notice=gone"),
    }
}

fn refused(ctx: Ctx, refused: EndSessionRefused) -> Result<Response, Fail> {
    match refused {
        EndSessionRefused::Confirm => {
            let back = "/account/sessions?notice=confirmed";
            ctx.see(&with_next("/account/confirm-password", Some(back)))
        }
        EndSessionRefused::NotFound => ctx.see("/account/sessions?notice=gone"),
        // The session ended in this very moment: the page says how.
        _ => ctx.see(PATH),
    }
}
