//! Change Secret Question (P22).

use axum::response::Response;
use portal_auth::features::change_security_question::{ChangeQuestionForm, ChangeQuestionRefused};
use portal_auth::password::Password;
use portal_auth_axum::form::{Form, FormRejection};

use crate::pages::account::menu;
use crate::pages::change_password::{confirm_first, confirm_then, keep_renewed};
use crate::pages::register::{messages, question_choices};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, with_next};
use crate::views::catalogue::Language;
use crate::views::change::ChangeSecretQuestion;
use crate::views::layout::{FieldMessage, Notice, Place};
use crate::views::messages::{PASSWORD_NOT_CORRECT, QUESTION_CHANGED};

const PATH: &str = "/account/change-secret-question";

/// The fields that may be kept; password and answer never are.
pub(crate) const KEPT: [&str; 2] = ["question", "own_question"];

const FIELDS: [&str; 5] = ["username", "password", "question", "own_question", "answer"];

/// P22 `/account/change-secret-question`; there is no such page where the service asks no question.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    if let Err(answer) = ctx.signed_in() {
        return Ok(answer);
    }
    let kept = ctx.kept_form().await?;
    let changed = ctx.query("notice") == Some("changed");
    let notice = changed.then(|| Notice::done(QUESTION_CHANGED));
    let typed = Typed {
        question: kept.value("question", ""),
        own: kept.value("own_question", ""),
    };
    page(ctx, typed, Trouble::none(), notice.or_else(|| kept.notice())).await
}

/// The fields that are shown again.
struct Typed {
    question: String,
    own: String,
}

async fn page(
    mut ctx: Ctx,
    typed: Typed,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    if !ctx.app.auth.asks_secret_question() {
        return Err(Fail::NotFound);
    }
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
        .page("Change Secret Question", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let questions = question_choices(&ctx, Language::ENGLISH);
    let view = ChangeSecretQuestion {
        page,
        menu: menu(PATH),
        username,
        question: typed.question,
        own_question: ctx.app.auth.allows_own_question().then_some(typed.own),
        questions,
        confirm,
    };
    ctx.render(shown, &view)
}

/// `POST /account/change-secret-question`.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &FIELDS)?;
    let typed = Typed {
        question: form.take("question"),
        own: form.take("own_question"),
    };
    let password = Password::new(form.take_secret("password").as_str());
    let answer = form.take_secret("answer");
    let token = match ctx.signed_in() {
        Ok((_, token)) => token,
        Err(answer) => return Ok(answer),
    };
    if !genuine {
        return page(ctx, typed, Trouble::stale(), None).await;
    }
    let change = ChangeQuestionForm::new(password, &typed.question, answer.as_str());
    let change = change.with_own_question(&typed.own);
    match ctx
        .app
        .auth
        .change_security_question(&ctx.visitor, token, change)
        .await
    {
        Ok(renewed) => {
            keep_renewed(&mut ctx, &renewed);
            ctx.see("/account/change-secret-question?notice=changed")
        }
        Err(denied) => match refusal(denied)? {
            ChangeQuestionRefused::NotOffered => Err(Fail::NotFound),
            ChangeQuestionRefused::Confirm => ctx.see(&confirm_then(PATH)),
            ChangeQuestionRefused::Fields(errors) => {
                let told = messages(&errors)
                    .into_iter()
                    .map(|told| match told.field.as_str() {
                        "password" => FieldMessage::new("password", "Current password is required"),
                        _ => told,
                    });
                page(ctx, typed, Trouble::fields(told.collect()), None).await
            }
            ChangeQuestionRefused::NotCorrect => {
                let trouble = Trouble::field("password", PASSWORD_NOT_CORRECT);
                page(ctx, typed, trouble, None).await
            }
            _ => ctx.see(&with_next("/account/timed-out", Some(PATH))),
        },
    }
}
