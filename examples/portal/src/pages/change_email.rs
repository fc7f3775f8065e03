//! Change Email Address (P20).

use axum::response::Response;
use portal_auth::account::email::EmailAddress;
use portal_auth::features::change_email::{ChangeEmailForm, ChangeEmailRefused};
use portal_auth::local_time::in_words;
use portal_auth::password::Password;
use portal_auth_axum::form::{Form, FormRejection};

use crate::email_advice::{self, EmailAdvice};
use crate::pages::account::menu;
use crate::pages::change_password::{confirm_first, confirm_then};
use crate::pages::register::messages;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, with_next};
use crate::views::catalogue::Language;
use crate::views::change::ChangeEmail;
use crate::views::layout::{Notice, Place};
use crate::views::messages::{EMAIL_CHANGED, PASSWORD_NOT_CORRECT};

const PATH: &str = "/account/change-email-address";

/// The fields that may be kept; the password never is.
pub(crate) const KEPT: [&str; 2] = ["email", "email2"];

/// P20 `/account/change-email-address`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    if let Err(answer) = ctx.signed_in() {
        return Ok(answer);
    }
    let kept = ctx.kept_form().await?;
    let typed = Typed {
        email: kept.value("email", ""),
        email2: kept.value("email2", ""),
    };
    let notice = ctx.query("notice").and_then(|name| notice(&ctx, name));
    page(ctx, typed, Trouble::none(), notice.or_else(|| kept.notice())).await
}

/// What has just happened. It names no address: an address has no place in the bar of a browser.
fn notice(ctx: &Ctx, name: &str) -> Option<Notice> {
    let same = match name {
        "changed" => return Some(Notice::done(EMAIL_CHANGED)),
        "sent" => None,
        "sent-same" => Some("Your password is the same as the new address: change it as well.".to_owned()),
        _ => return None,
    };
    let lifetime = in_words(ctx.app.settings.link_lifetime);
    let sent = format!(
        "We have sent an email to the new address. Open the link in it to confirm the change: it works for {lifetime}. \
         Until then you log in with your present address."
    );
    let more: Vec<_> = same.into_iter().chain(advice(ctx)).collect();
    Some(if more.is_empty() {
        Notice::done(&sent)
    } else {
        Notice::attention(&format!("{sent} {}", more.join(" ")))
    })
}

/// What may be wrong with the new address (R6), as the query tells it.
fn advice(ctx: &Ctx) -> Option<String> {
    if let Some(domain) = ctx.query("meant").and_then(email_advice::well_known) {
        let question = Language::ENGLISH.fill("address-did-you-mean");
        let question = question.set("address", format!("...@{domain}"));
        return Some(format!("{question} Then ask again with that address."));
    }
    let personal = ctx.query("address") == Some("personal");
    personal.then(|| Language::ENGLISH.t("address-personal").to_owned())
}

/// Has [`advice`] given by the next page; of the address, no more than a well-known domain goes into the query.
fn advised(address: &EmailAddress) -> String {
    match email_advice::advice(address) {
        Some(EmailAdvice::DidYouMean(meant)) => {
            format!("&meant={}", meant.rsplit('@').next().unwrap_or_default())
        }
        Some(EmailAdvice::Personal) => "&address=personal".to_owned(),
        None => String::new(),
    }
}

struct Typed {
    email: String,
    email2: String,
}

async fn page(
    mut ctx: Ctx,
    typed: Typed,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
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
        .page("Change Email Address", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let view = ChangeEmail {
        page,
        menu: menu(PATH),
        username,
        email: typed.email,
        email2: typed.email2,
        confirm,
    };
    ctx.render(shown, &view)
}

/// `POST /account/change-email-address`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["username", "email", "email2", "password"])?;
    let typed = Typed {
        email: form.take("email"),
        email2: form.take("email2"),
    };
    let password = Password::new(form.take_secret("password").as_str());
    let token = match ctx.signed_in() {
        Ok((_, token)) => token,
        Err(answer) => return Ok(answer),
    };
    if !genuine {
        return page(ctx, typed, Trouble::stale(), None).await;
    }
    let asked = ChangeEmailForm::new(&typed.email, password).repeated(&typed.email2);
    match ctx.app.auth.change_email(&ctx.visitor, token, asked).await {
        Ok(asked) => {
            let notice = if asked.password_is_address {
                "sent-same"
            } else {
                "sent"
            };
            ctx.see(&format!("{PATH}?notice={notice}{}", advised(&asked.email)))
        }
        Err(denied) => match refusal(denied)? {
            ChangeEmailRefused::Confirm => ctx.see(&confirm_then(PATH)),
            ChangeEmailRefused::Fields(errors) => {
                page(ctx, typed, Trouble::fields(messages(&errors)), None).await
            }
            ChangeEmailRefused::NotCorrect => {
                let trouble = Trouble::field("password", PASSWORD_NOT_CORRECT);
                page(ctx, typed, trouble, None).await
            }
            _ => ctx.see(&with_next("/account/timed-out", Some(PATH))),
        },
    }
}
