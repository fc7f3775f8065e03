//! What the mailed link opens (P10, P11, P12).

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use portal_auth::config::TwoStepPolicy;
use portal_auth::features::activate::{ActivateRefused, ActivationPage};
use portal_auth::password::Password;
use portal_auth::secret::token::LinkToken;
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::security_headers::TokenPage;
use portal_auth_axum::session_cookies::SessionCookies;

use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button};
use crate::views::activate::{CompleteRegistration, LinkNotUsable, Registered, WhyNotUsable};
use crate::views::layout::{FieldMessage, Place};

const PATH: &str = "/account/complete-registration";

/// P10: with `?t=` the token moves into a cookie and out of the address bar; nothing else changes (TOK-5).
pub(crate) async fn show(mut ctx: Ctx) -> Result<Response, Fail> {
    let response = if let Some(typed) = ctx.query("t").map(str::to_owned) {
        match LinkToken::parse(&typed) {
            Some(token) => {
                ctx.set_cookie(PortalCookie::Link, (&token).into());
                ctx.see(PATH)?
            }
            None => unknown_link(ctx, "", Trouble::none())?,
        }
    } else {
        match ctx.link() {
            Some(token) => match ctx.app.auth.activation_page(&token).await {
                Ok(link) => page(ctx, &link, Trouble::none())?,
                Err(denied) => not_usable(ctx, refusal(denied)?)?,
            },
            None => unknown_link(ctx, "", Trouble::none())?,
        }
    };
    Ok((TokenPage, response).into_response())
}

fn page(mut ctx: Ctx, link: &ActivationPage, trouble: Trouble) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .translated_page("complete-title", Place::Register, trouble)?
        .split();
    ctx.render(
        shown,
        &CompleteRegistration {
            page,
            masked_email: link.masked_email.clone(),
            prepared: link.prepared,
        },
    )
}

/// P12 and P11: what a link that does not work (any more) says instead.
fn not_usable(ctx: Ctx, refused: ActivateRefused) -> Result<Response, Fail> {
    not_usable_with(ctx, refused, Trouble::none())
}

fn not_usable_with(mut ctx: Ctx, refused: ActivateRefused, trouble: Trouble) -> Result<Response, Fail> {
    let (title, why) = match refused {
        ActivateRefused::Used { email } => return thank_you(ctx, Some(email.as_str().to_owned())),
        ActivateRefused::Expired { at, renewable } => (
            "link-expired-title",
            WhyNotUsable::Expired {
                stopped_at: ctx.when(at),
                lifetime: ctx.language().span(ctx.app.settings.link_lifetime),
                renewable,
            },
        ),
        ActivateRefused::Replaced => ("link-replaced-title", WhyNotUsable::Replaced),
        ActivateRefused::Ended | ActivateRefused::NotCorrect { .. } => {
            ("link-over-title", WhyNotUsable::Over)
        }
        _ => return unknown_link(ctx, "", Trouble::none()),
    };
    let status = trouble.status_or(StatusCode::GONE);
    let frame = ctx.translated_page(title, Place::Register, trouble)?;
    let (page, shown) = frame.with_status(status).split();
    ctx.render(shown, &LinkNotUsable { page, why })
}

/// One answer for every link that is not ours: cut, wrong, forged, forgotten.
fn unknown_link(mut ctx: Ctx, typed: &str, trouble: Trouble) -> Result<Response, Fail> {
    let status = trouble.status_or(StatusCode::NOT_FOUND);
    let frame = ctx.translated_page("link-unknown-title", Place::Register, trouble)?;
    let (page, shown) = frame.with_status(status).split();
    ctx.render(
        shown,
        &LinkNotUsable {
            page,
            why: WhyNotUsable::Unknown {
                typed: typed.to_owned(),
            },
        },
    )
}

/// P11 `/account/registered`.
pub(crate) async fn registered(ctx: Ctx) -> Result<Response, Fail> {
    let email = match ctx.link() {
        Some(token) => match ctx.app.auth.activation_page(&token).await {
            Ok(_) => None,
            Err(denied) => match refusal(denied)? {
                ActivateRefused::Used { email } => Some(email.as_str().to_owned()),
                _ => None,
            },
        },
        None => None,
    };
    let email = match (email, ctx.draft()) {
        (None, Some(draft)) => own_address(&ctx, &draft).await?,
        (known, _) => known,
    };
    thank_you(ctx, email)
}

/// The address that this browser itself has registered and proven.
async fn own_address(
    ctx: &Ctx,
    draft: &portal_auth::secret::token::DraftToken,
) -> Result<Option<String>, Fail> {
    let progress = ctx.app.auth.registration(draft).await?;
    let sent = progress.and_then(|p| p.sent).filter(|sent| sent.activated);
    Ok(sent.map(|sent| sent.email.as_str().to_owned()))
}

fn thank_you(mut ctx: Ctx, email: Option<String>) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .translated_page("registered-title", Place::Register, Trouble::none())?
        .split();
    let two_step = match ctx.app.auth.config().two_step {
        TwoStepPolicy::Off => None,
        TwoStepPolicy::Optional => Some(ctx.t("registered-two-step-optional")),
        TwoStepPolicy::RequiredForAreas => Some(ctx.t("registered-two-step")),
        TwoStepPolicy::RequiredForAll => Some(ctx.t("registered-two-step-all")),
    };
    let view = Registered {
        page,
        email,
        two_step,
    };
    ctx.render(shown, &view)
}

/// `POST /account/complete-registration`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let response = act(ctx, form?).await?;
    Ok((TokenPage, response).into_response())
}

async fn act(mut ctx: Ctx, mut form: Form) -> Result<Response, Fail> {
    let genuine = ctx.is_genuine(&form, &["password", "link"])?;
    let pressed = button(&form, "complete");
    if pressed == "open" {
        return open_typed(ctx, &form.take("link"), genuine);
    }
    let Some(token) = ctx.link() else {
        return unknown_link(ctx, "", Trouble::none());
    };
    let live = ctx.app.auth.activation_page(&token).await;
    let link = match live {
        Ok(link) => Some(link),
        Err(denied) => match refusal(denied)? {
            ActivateRefused::Expired { renewable: true, .. } if pressed == "renew" => None,
            refused => return not_usable(ctx, refused),
        },
    };
    let Some(link) = link else {
        return renew(ctx, &token, genuine).await;
    };
    if !genuine {
        return page(ctx, &link, Trouble::stale());
    }
    // The form of a prepared registration has one button, and no field in which Return could press another.
    if pressed == "not_mine" || link.prepared {
        return match ctx.app.auth.register_anew(&token).await {
            Ok(draft) => {
                ctx.set_cookie(PortalCookie::Draft, (&draft).into());
                ctx.see("/account/register/security-details")
            }
            Err(denied) => not_usable(ctx, refusal(denied)?),
        };
    }
    let password = Password::new(form.take_secret("password").as_str());
    match ctx.app.auth.activate(&ctx.visitor, &token, &password).await {
        Ok(activated) => {
            ctx.settle_registration(&activated.email).await;
            ctx.keep(SessionCookies::for_device(activated.device.as_ref()));
            ctx.see("/account/registered")
        }
        Err(denied) => match refusal(denied)? {
            ActivateRefused::PasswordRequired => {
                let trouble = Trouble::field("password", ctx.t("password-required"));
                page(ctx, &link, trouble)
            }
            ActivateRefused::Breached => {
                let trouble = Trouble::field("password", ctx.t("complete-breached"));
                page(ctx, &link, trouble)
            }
            ActivateRefused::NotCorrect { tries_left: 0 } => not_usable(ctx, ActivateRefused::Ended),
            ActivateRefused::NotCorrect { tries_left } => {
                let text = ctx.fill("complete-wrong").set("n", tries_left).to_string();
                page(
                    ctx,
                    &link,
                    Trouble::fields(vec![FieldMessage::new("password", &text)]),
                )
            }
            refused => not_usable(ctx, refused),
        },
    }
}

/// "Send a new link" for one that is over.
async fn renew(ctx: Ctx, token: &LinkToken, genuine: bool) -> Result<Response, Fail> {
    if genuine {
        match ctx.app.auth.renew_link(&ctx.visitor, token).await {
            Ok(()) => return ctx.see("/account/register/sent?notice=sent-again"),
            Err(denied) => return not_usable(ctx, refusal(denied)?),
        }
    }
    match ctx.app.auth.activation_page(token).await {
        Ok(link) => page(ctx, &link, Trouble::stale()),
        Err(denied) => not_usable_with(ctx, refusal(denied)?, Trouble::stale()),
    }
}

/// A link pasted by hand: the whole address, or the token alone.
fn open_typed(mut ctx: Ctx, typed: &str, genuine: bool) -> Result<Response, Fail> {
    let typed = typed.trim();
    if !genuine {
        return unknown_link(ctx, typed, Trouble::stale());
    }
    let token = typed.rsplit_once("t=").map_or(typed, |(_, token)| token);
    match LinkToken::parse(token) {
        Some(token) => {
            ctx.set_cookie(PortalCookie::Link, (&token).into());
            ctx.see(PATH)
        }
        None => {
            let trouble = Trouble::field("link", ctx.t("link-required"));
            unknown_link(ctx, typed, trouble)
        }
    }
}
