//! Two Step Verification (P23).

use axum::response::{IntoResponse as _, Response};
use portal_auth::PortalAuth;
use portal_auth::account::status::TwoStep as Choice;
use portal_auth::config::TwoStepPolicy;
use portal_auth::features::two_step::{TwoStepOutcome, TwoStepRefused};
use portal_auth_axum::cookies::{ForgetPerson, PortalCookie};
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;

use crate::pages::account::menu;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, redirect, with_next};
use crate::views::layout::{Notice, Place};
use crate::views::two_step::TwoStep;

const PATH: &str = "/account/two-step-verification";

/// Whether it is each owner's own choice.
pub(crate) fn is_chosen(auth: &PortalAuth) -> bool {
    matches!(
        auth.config().two_step,
        TwoStepPolicy::Optional | TwoStepPolicy::RequiredForAreas
    )
}

/// P23; there is no such page where the service decides for everybody. What was chosen before the person had to prove who
/// they are is chosen again.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let now = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.two_step(),
        Err(answer) => return Ok(answer),
    };
    let kept = ctx.kept_form().await?;
    let chosen = choice(&kept.value("preferred_method", value(now))).unwrap_or(now);
    let next = ctx.next();
    let unchanged = ctx.query("notice") == Some("unchanged");
    let notice = unchanged.then(|| Notice::done(ctx.t("nothing-changed")));
    let notice = notice.or_else(|| kept.notice_in(ctx.language()));
    page(ctx, chosen, next, Trouble::none(), notice)
}

fn choice(value: &str) -> Option<Choice> {
    match value {
        "email" => Some(Choice::Email),
        "none" => Some(Choice::Off),
        _ => None,
    }
}

const fn value(choice: Choice) -> &'static str {
    match choice {
        Choice::Email => "email",
        Choice::Off => "none",
    }
}

fn page(
    mut ctx: Ctx,
    chosen: Choice,
    next: Option<String>,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    if !is_chosen(&ctx.app.auth) {
        return Err(Fail::NotFound);
    }
    let (page, shown) = ctx
        .translated_page("two-step-title", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let demanded = ctx.app.auth.config().two_step == TwoStepPolicy::RequiredForAreas;
    let view = TwoStep {
        page,
        menu: menu(PATH),
        preferred_method: value(chosen).to_owned(),
        areas: if demanded {
            vec![ctx.t("area-name").to_owned()]
        } else {
            Vec::new()
        },
        next,
    };
    ctx.render(shown, &view)
}

/// `POST /account/two-step-verification`.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["preferred_method", "next"])?;
    let typed = form.take("preferred_method");
    let next = ctx.place(&form.take("next"));
    let now = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.two_step(),
        Err(_) => {
            return Ok(redirect(&with_next(
                "/account/timed-out",
                Some(&way_back(next.as_deref())),
            )));
        }
    };
    if !genuine {
        return page(ctx, choice(&typed).unwrap_or(now), next, Trouble::stale(), None);
    }
    let Some(chosen) = choice(&typed) else {
        let trouble = Trouble::field("preferred_method", ctx.t("two-step-choose"));
        return page(ctx, now, next, trouble, None);
    };
    let Some(token) = ctx.session() else {
        return Ok(redirect("/account/login"));
    };
    match ctx.app.auth.set_two_step(&ctx.visitor, token, chosen).await {
        Ok(TwoStepOutcome::Changed { device }) => {
            ctx.keep(SessionCookies::for_device(device.as_ref()));
            ctx.clear_cookie(PortalCookie::Verify);
            let on = if chosen == Choice::Email {
                "two-step-on"
            } else {
                "two-step-off"
            };
            let login = with_next("/account/login", next.as_deref());
            let sign = if next.is_some() { '&' } else { '?' };
            let mut response = (ForgetPerson, redirect(&format!("{login}{sign}notice={on}"))).into_response();
            ctx.write_cookies(response.headers_mut())?;
            Ok(response)
        }
        Ok(_) => {
            let page = way_back(next.as_deref());
            let sign = if next.is_some() { '&' } else { '?' };
            ctx.see(&format!("{page}{sign}notice=unchanged"))
        }
        Err(denied) => match refusal(denied)? {
            TwoStepRefused::Confirm => {
                let back = way_back(next.as_deref());
                ctx.see(&with_next("/account/confirm-password", Some(&back)))
            }
            TwoStepRefused::SessionEnded(_) => {
                ctx.see(&with_next("/account/timed-out", Some(&way_back(next.as_deref()))))
            }
            _ => Err(Fail::NotFound),
        },
    }
}

/// This page for after the person has proved who they are; the choice is kept meanwhile.
fn way_back(next: Option<&str>) -> String {
    with_next(PATH, next)
}
