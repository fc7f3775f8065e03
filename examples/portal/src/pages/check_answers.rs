//! "Check your answers" (P8), where the setting asks for it: the registration once more before it is sent off.

use axum::response::Response;
use portal_auth::account::professional_profile::AboutYou as About;
use portal_auth::account::profile::Section as _;
use portal_auth::features::register::RegistrationProgress;
use portal_auth_axum::form::{Form, FormRejection};
use serde_json::Value;

use crate::pages::about_form;
use crate::pages::account::row;
use crate::pages::professional_roles::address;
use crate::pages::register::{ABOUT, Opened, SECURITY, WORK, done, open};
use crate::pages::work_details::{send_off, typed_before};
use crate::problem::Fail;
use crate::request::{Ctx, Trouble, button, redirect};
use crate::views::account::SummaryRow;
use crate::views::layout::Place;
use crate::views::register::{CheckAnswers, Step};

/// P8 `/account/register/check`.
pub(crate) async fn show(mut ctx: Ctx) -> Result<Response, Fail> {
    match open_check(&mut ctx).await? {
        Opened::Elsewhere(answer) => Ok(answer),
        Opened::Progress(progress) => page(ctx, &progress, Trouble::none()),
    }
}

/// Opens the page, where there is one, once the three steps are done.
async fn open_check(ctx: &mut Ctx) -> Result<Opened, Fail> {
    if ctx.app.settings.check_answers {
        open(ctx, 4).await
    } else {
        Err(Fail::NotFound)
    }
}

fn page(mut ctx: Ctx, progress: &RegistrationProgress, trouble: Trouble) -> Result<Response, Fail> {
    let rows = rows(&ctx, progress);
    let (page, shown) = ctx
        .translated_page("check-title", Place::Register, trouble)?
        .split();
    let view = CheckAnswers {
        page,
        steps: Step::list_in(ctx.language(), 4, done(progress)),
        rows,
    };
    ctx.render(shown, &view)
}

/// `POST /account/register/check`: send it off, or go back.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let form = form?;
    let genuine = ctx.is_genuine(&form, &[])?;
    let progress = match open_check(&mut ctx).await? {
        Opened::Elsewhere(answer) => return Ok(answer),
        Opened::Progress(progress) => progress,
    };
    if !genuine {
        return page(ctx, &progress, Trouble::stale());
    }
    match ctx.draft() {
        Some(_) if button(&form, "submit") == "previous" => ctx.see(WORK),
        Some(token) => send_off(ctx, &token).await,
        None => Ok(redirect(SECURITY)),
    }
}

/// Every answer in the order of the steps; secrets are said to be set, and never shown.
fn rows(ctx: &Ctx, progress: &RegistrationProgress) -> Vec<SummaryRow> {
    let language = ctx.language();
    let set = ctx.t("check-set");
    let line = |page: &str, field: &str, value: &str| {
        let value = if value.is_empty() {
            ctx.t("check-not-given")
        } else {
            value
        };
        row(language.label(field), value, Some(&format!("{page}#{field}")))
    };
    let email = progress.email.as_ref().map_or("", |email| email.as_str());
    let mut rows = vec![
        line(SECURITY, "email", email),
        line(SECURITY, "new-password", set),
    ];
    if let Some(chosen) = &progress.question {
        let asked = chosen.asked(&ctx.app.auth.config().registration.questions);
        let text = asked.as_ref().map_or("", |asked| language.asked(asked));
        rows.push(line(SECURITY, "question", text));
        rows.push(line(SECURITY, "answer", set));
    }
    let about = progress.sections.get(About::NAME).unwrap_or(&Value::Null);
    let about = about_form::fields(about);
    let gender = match about.gender.as_str() {
        "another" if !about.gender_other.is_empty() => about.gender_other.as_str(),
        "female" => ctx.t("gender-female"),
        "male" => ctx.t("gender-male"),
        "another" => ctx.t("gender-another"),
        "undisclosed" => ctx.t("gender-undisclosed"),
        _ => "",
    };
    for (field, value) in [
        ("title", about.title.as_str()),
        ("forename", &about.forename),
        ("surname", &about.surname),
        ("gender", gender),
    ] {
        rows.push(line(ABOUT, field, value));
    }
    let role = typed_before(progress);
    rows.push(line(WORK, "role", &role.role));
    rows.push(line(WORK, "organisation", &role.organisation));
    let change = format!("{WORK}?address=manual#address_line1");
    rows.push(row(ctx.t("check-address"), &address(&role), Some(&change)));
    rows.push(line(WORK, "mobile", &role.mobile));
    rows.push(line(WORK, "work_phone", &role.work_phone));
    rows
}
