//! The third step of a registration (P6); its form is in [`role_form`](super::role_form).

use axum::response::Response;
use portal_auth::account::professional_profile::{ProfessionalRole, WorkDetails as Section};
use portal_auth::account::profile::Section as _;
use portal_auth::features::register::{RegisterRefused, RegistrationProgress, Save, SubmitOutcome};
use portal_auth::secret::token::DraftToken;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;
use serde_json::Value;

use crate::pages::register::{ABOUT, CHECK, Opened, SECURITY, SENT, done, messages_in, open, path_of};
use crate::pages::role_form::{
    FIELDS, NOT_LISTED, all_errors, choose, fields, keep_address, listed_again, look_up, shown_first, typed,
};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect};
use crate::views::details::Addresses;
use crate::views::layout::Place;
use crate::views::register::{Step, WorkDetails};

/// P6 `/account/register/work-details`; `address` in the query says what stands below the postcode.
pub(crate) async fn show(mut ctx: Ctx) -> Result<Response, Fail> {
    let progress = match open(&mut ctx, 3).await? {
        Opened::Elsewhere(answer) => return Ok(answer),
        Opened::Progress(progress) => progress,
    };
    let typed = typed_before(&progress);
    let (addresses, trouble) = match ctx.query("address") {
        Some("find") => look_up(&ctx, &typed.postcode).await,
        Some("manual") => (Addresses::Manual { why: None }, Trouble::none()),
        _ => (shown_first(&typed), Trouble::none()),
    };
    page(ctx, &progress, typed, addresses, trouble)
}

/// What the draft holds of this step, right or not.
pub(crate) fn typed_before(progress: &RegistrationProgress) -> ProfessionalRole {
    progress
        .sections
        .get(Section::NAME)
        .and_then(|value| serde_json::from_value::<Section>(value.clone()).ok())
        .and_then(|section| section.main_role().cloned())
        .unwrap_or_default()
}

fn page(
    mut ctx: Ctx,
    progress: &RegistrationProgress,
    typed: ProfessionalRole,
    addresses: Addresses,
    trouble: Trouble,
) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .translated_page("work-title", Place::Register, trouble)?
        .split();
    let view = WorkDetails {
        page,
        steps: Step::list_in(ctx.language(), 3, done(progress)),
        is_last: !ctx.app.settings.check_answers,
        work: fields(&ctx, typed, addresses),
    };
    ctx.render(shown, &view)
}

/// `POST /account/register/work-details`: one form, four buttons.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &FIELDS)?;
    let pressed = button(&form, "submit");
    let manual_is_open = form.get("address_line1").is_some();
    let chosen = form.take("address");
    let mut role = typed(&mut form);
    let progress = match open(&mut ctx, 3).await? {
        Opened::Elsewhere(answer) => return Ok(answer),
        Opened::Progress(progress) => progress,
    };
    // An address typed before stays while its fields are not on the page.
    if !manual_is_open {
        keep_address(&mut role, typed_before(&progress));
    }
    if !genuine {
        let addresses = if manual_is_open {
            Addresses::Manual { why: None }
        } else {
            let list = listed_again(&ctx, &role, &chosen).await;
            list.unwrap_or(Addresses::NotAsked)
        };
        return page(ctx, &progress, role, addresses, Trouble::stale());
    }
    match pressed.as_str() {
        "find" => save_and_go(ctx, role, "/account/register/work-details?address=find").await,
        "previous" => {
            if !manual_is_open && !chosen.is_empty() {
                // What is wrong with the choice is told by the button that sends the form off.
                choose(&ctx, &mut role, &chosen).await;
            }
            save_and_go(ctx, role, ABOUT).await
        }
        // Fields that open only now have not been seen, and are not judged.
        pressed if pressed == "manual" || chosen == NOT_LISTED => {
            save_and_go(ctx, role, "/account/register/work-details?address=manual").await
        }
        _ => finish(ctx, &progress, role, manual_is_open, &chosen).await,
    }
}

fn section(role: &ProfessionalRole) -> Value {
    serde_json::to_value(Section::single(role.clone())).unwrap_or(Value::Null)
}

/// Keeps what was typed without judging it, and goes on.
async fn save_and_go(ctx: Ctx, role: ProfessionalRole, path: &str) -> Result<Response, Fail> {
    let Some(token) = ctx.draft() else {
        return Ok(redirect(SECURITY));
    };
    match ctx
        .app
        .auth
        .save_section(&token, Section::NAME, section(&role), Save::AsItIs)
        .await
    {
        Ok(()) => ctx.see(path),
        Err(denied) => step_refused(ctx, refusal(denied)?),
    }
}

fn step_refused(ctx: Ctx, refused: RegisterRefused) -> Result<Response, Fail> {
    match refused {
        RegisterRefused::StepFirst(step) => ctx.see(path_of(Some(&step))),
        RegisterRefused::AlreadySent(_) => ctx.see(SENT),
        _ => ctx.see("/account/register/security-details?notice=expired"),
    }
}

/// "Submit Registration", or "Next" where P8 follows: this step must be right.
async fn finish(
    ctx: Ctx,
    progress: &RegistrationProgress,
    mut role: ProfessionalRole,
    manual_is_open: bool,
    chosen: &str,
) -> Result<Response, Fail> {
    let mut addresses = Addresses::Manual { why: None };
    let mut errors = Vec::new();
    if !manual_is_open {
        let (looked_up, wrong) = choose(&ctx, &mut role, chosen).await;
        addresses = looked_up;
        errors.extend(wrong);
    }
    // Address fields that open only now must be looked at first.
    let opens = !manual_is_open && addresses.is_manual();
    let Some(token) = ctx.draft() else {
        return Ok(redirect(SECURITY));
    };
    match ctx
        .app
        .auth
        .save_section(&token, Section::NAME, section(&role), Save::Checked)
        .await
    {
        Ok(()) if errors.is_empty() && !opens => {}
        Ok(()) => return page(ctx, progress, role, addresses, Trouble::fields(errors)),
        Err(denied) => match refusal(denied)? {
            RegisterRefused::Fields(found) => {
                let trouble = all_errors(&messages_in(ctx.language(), &found), &addresses, errors);
                return page(ctx, progress, role, addresses, trouble);
            }
            refused => return step_refused(ctx, refused),
        },
    }
    if ctx.app.settings.check_answers {
        return ctx.see(CHECK);
    }
    send_off(ctx, &token).await
}

/// Sends the registration off; the whole draft is checked again.
pub(crate) async fn send_off(mut ctx: Ctx, draft: &DraftToken) -> Result<Response, Fail> {
    match ctx.app.auth.submit_registration(&ctx.visitor, draft).await {
        Ok(SubmitOutcome::CheckEmail(_)) => ctx.see(SENT),
        Ok(SubmitOutcome::Activated { device, .. }) => {
            ctx.keep(SessionCookies::for_device(device.as_ref()));
            ctx.see("/account/registered")
        }
        Ok(_) => Err(Fail::NotFound),
        Err(denied) => step_refused(ctx, refusal(denied)?),
    }
}
