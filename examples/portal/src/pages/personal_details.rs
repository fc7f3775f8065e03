//! Personal Details (P18).

use axum::response::Response;
use portal_auth::account::professional_profile::{AboutYou as Section, Gender};
use portal_auth::account::profile::{Section as _, SectionVersion};
use portal_auth::audit::Actor;
use portal_auth::features::update_profile::{ChangedSection, ProfileRefused, ProfileUpdate};
use portal_auth_axum::form::{Form, FormRejection};
use serde_json::Value;

use crate::pages::about_form;
use crate::pages::account::{menu, row};
use crate::pages::register::messages;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble};
use crate::views::account::SummaryRow;
use crate::views::layout::{Notice, Place};
use crate::views::messages::{NOTHING_CHANGED, PERSONAL_DETAILS_SAVED, saved_meanwhile};
use crate::views::profile::{PersonalDetails, SavedMeanwhile};

const PATH: &str = "/account/personal-details";

/// The names of the form's fields: those of [`about_form`], and what the form was made from.
pub(crate) const FIELDS: [&str; 6] = {
    let [title, forename, surname, gender, gender_other] = about_form::FIELDS;
    [title, forename, surname, gender, gender_other, "version"]
};

/// P18 `/account/personal-details`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let account = ctx.app.auth.account(&signed_in).await?;
    let profile = ctx.app.auth.profile(&account)?;
    let notice = match ctx.query("notice") {
        Some("saved") => Some(Notice::done(PERSONAL_DETAILS_SAVED)),
        Some("unchanged") => Some(Notice::done(NOTHING_CHANGED)),
        _ => None,
    };
    let kept = ctx.kept_form().await?;
    let form = kept.form().map_or_else(
        || Shown {
            typed: profile.section(Section::NAME).clone(),
            version: profile.version(Section::NAME),
            saved: None,
        },
        |mut form| read(&mut form),
    );
    page(ctx, &form, Trouble::none(), notice.or_else(|| kept.notice()))
}

/// The form as it is shown.
struct Shown {
    typed: Value,
    /// What it was made from.
    version: SectionVersion,
    saved: Option<SavedMeanwhile>,
}

/// The form as it was sent.
fn read(form: &mut Form) -> Shown {
    Shown {
        version: SectionVersion::from_form(&form.take("version")),
        typed: about_form::typed(form),
        saved: None,
    }
}

fn page(mut ctx: Ctx, form: &Shown, trouble: Trouble, notice: Option<Notice>) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .page("Personal Details", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let view = PersonalDetails {
        page,
        menu: menu(PATH),
        about: about_form::fields(&form.typed),
        version: form.version.as_str().to_owned(),
        saved: form.saved.clone(),
    };
    ctx.render(shown, &view)
}

/// `POST /account/personal-details`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &FIELDS)?;
    let shown = read(&mut form);
    let token = match ctx.signed_in() {
        Ok((_, token)) => token,
        Err(answer) => return Ok(answer),
    };
    if !genuine {
        return page(ctx, &shown, Trouble::stale(), None);
    }
    let saved = ctx
        .app
        .auth
        .update_profile_section(
            &ctx.visitor,
            token,
            Section::NAME,
            shown.typed.clone(),
            &shown.version,
        )
        .await;
    match saved {
        Ok(ProfileUpdate::Unchanged) => ctx.see("/account/personal-details?notice=unchanged"),
        Ok(_) => ctx.see("/account/personal-details?notice=saved"),
        Err(denied) => match refusal(denied)? {
            ProfileRefused::Fields(errors) => page(ctx, &shown, Trouble::fields(messages(&errors)), None),
            ProfileRefused::Changed(changed) => {
                let trouble = Trouble::general(&saved_meanwhile(&saved_at(&ctx, &changed)));
                let about = changed.get::<Section>().unwrap_or_default();
                let shown = Shown {
                    typed: shown.typed,
                    saved: Some(meanwhile(&ctx, &changed, rows(&about))),
                    version: changed.version,
                };
                page(ctx, &shown, trouble, None)
            }
            // The session ended in this very moment: the page says how.
            _ => ctx.see(PATH),
        },
    }
}

/// Every line of the section, for comparing.
pub(crate) fn rows(about: &Section) -> Vec<SummaryRow> {
    vec![
        row("Title", &about.title, None),
        row("Forename", &about.forename, None),
        row("Surname", &about.surname, None),
        row("Gender", &gender(about), None),
    ]
}

/// The answer in words.
pub(crate) fn gender(about: &Section) -> String {
    match about.gender {
        Some(Gender::Female) => "Female".to_owned(),
        Some(Gender::Male) => "Male".to_owned(),
        Some(Gender::Another) if about.gender_other.is_empty() => "Another".to_owned(),
        Some(Gender::Another) => format!("Another: {}", about.gender_other),
        Some(Gender::Undisclosed) => "Prefer not to say".to_owned(),
        None => String::new(),
    }
}

/// "10:41 am", with the day where that was not today.
pub(crate) fn saved_at(ctx: &Ctx, changed: &ChangedSection) -> String {
    let at = ctx.moment(changed.saved_at);
    at.strip_suffix(" today").unwrap_or(&at).to_owned()
}

/// What somebody else saved, with when and how.
pub(crate) fn meanwhile(ctx: &Ctx, changed: &ChangedSection, rows: Vec<SummaryRow>) -> SavedMeanwhile {
    let at = saved_at(ctx, changed);
    let heading = match (changed.by, changed.browser.as_str()) {
        (Actor::Administrator, _) => format!("Saved by an administrator at {at}"),
        (_, "") => format!("Saved at {at}"),
        (_, browser) => format!("Saved at {at} with {browser}"),
    };
    SavedMeanwhile { heading, rows }
}
