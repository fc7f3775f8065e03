//! My Account at a glance (P17), and what its profile lacks (P15).

use axum::response::Response;
use portal_auth::account::professional_profile::{AboutYou, WorkDetails};
use portal_auth::account::profile::{CurrentProfile, Section as _};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::{PortalAuth, SignedIn};

use crate::pages::personal_details::gender;
use crate::pages::two_step::is_chosen;
use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::account::{AccountOverview, SummaryRow};
use crate::views::catalogue::Language;
use crate::views::layout::Place;
pub(crate) use crate::views::menu::menu;

const PERSONAL: &str = "/account/personal-details";
const WORK: &str = "/account/work-details";
const QUESTION: &str = "/account/change-secret-question";
const TWO_STEP: &str = "/account/two-step-verification";

/// P17 `/account`.
pub(crate) async fn overview(mut ctx: Ctx) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let account = ctx.app.auth.account(&signed_in).await?;
    let rows = rows(&ctx.app.auth, &signed_in, &account);
    let (page, shown) = ctx.page("My Account", Place::Account, Trouble::none())?.split();
    ctx.render(
        shown,
        &AccountOverview {
            page,
            menu: menu("/account"),
            rows,
        },
    )
}

/// A line of a summary.
pub(crate) fn row(key: &str, value: &str, change: Option<&str>) -> SummaryRow {
    SummaryRow {
        key: key.to_owned(),
        value: value.to_owned(),
        change: change.map(str::to_owned),
    }
}

/// Entries of the menu whose pages the settings leave out.
pub(crate) fn left_out(auth: &PortalAuth) -> Vec<&'static str> {
    let question = (!auth.asks_secret_question()).then_some(QUESTION);
    let two_step = (!is_chosen(auth)).then_some(TWO_STEP);
    question.into_iter().chain(two_step).collect()
}

fn rows(auth: &PortalAuth, signed_in: &SignedIn, account: &AccountRow) -> Vec<SummaryRow> {
    let left_out = left_out(auth);
    let unless_left_out = |page| Some(page).filter(|page| !left_out.contains(page));
    let mut rows = Vec::new();
    if let Some(about) = account.profile.get::<AboutYou>() {
        // "Prefer not to say" is no title.
        let title = Some(about.title.as_str()).filter(|title| !title.starts_with("Prefer"));
        let names = [about.forename.as_str(), about.surname.as_str()];
        let name = title.into_iter().chain(names).collect::<Vec<_>>().join(" ");
        rows.push(row("Name", &name, Some(PERSONAL)));
        rows.push(row("Gender", &gender(&about), Some(PERSONAL)));
    }
    if let Some(work) = account.profile.get::<WorkDetails>()
        && let Some(role) = work.main_role()
    {
        let others = work.roles.len().saturating_sub(1);
        let roles = match others {
            0 => role.role.clone(),
            1 => format!("{}, and 1 more", role.role),
            _ => format!("{}, and {others} more", role.role),
        };
        rows.push(row("Professional Role", &roles, Some(WORK)));
        rows.push(row("Organisation Name", &role.organisation, Some(WORK)));
    }
    let email = account.email.as_str();
    rows.push(row("Email Address", email, Some("/account/change-email-address")));
    rows.push(row("Password", "Set", Some("/account/change-password")));
    // Which one it is shows only behind a mailed link (ANS-6).
    if account.question.is_some() {
        rows.push(row("Secret Question", "Set", unless_left_out(QUESTION)));
    }
    // What a login asks for, which need not be the owner's choice.
    let two_step = if signed_in.asks_for_code() {
        "On, by email"
    } else {
        "Off"
    };
    rows.push(row("Two Step Verification", two_step, unless_left_out(TWO_STEP)));
    rows
}

/// What the profile lacks since the service asks for more, and where to say it: "title" of "Tell us your title to carry
/// on" (P15).
pub(crate) fn missing(language: Language, profile: &CurrentProfile) -> Option<(String, String)> {
    let missing = profile.missing().into_iter().next()?;
    let (page, whole) = if missing.section == AboutYou::NAME {
        (PERSONAL, language.t("missing-personal"))
    } else {
        (WORK, language.t("missing-work"))
    };
    let field = missing.field.unwrap_or_default();
    // `roles[1].town`: a field of the second role.
    let (role, field) = match field.strip_prefix("roles[").and_then(|f| f.split_once("].")) {
        Some((role, field)) => (role.parse().unwrap_or(0_usize), field),
        None => (0, field.as_str()),
    };
    let href = if page == WORK && !matches!(field, "" | "roles" | "main") {
        format!("{WORK}/change?role={}", role.saturating_add(1))
    } else {
        page.to_owned()
    };
    let what = match field {
        "roles" => language.t("missing-role").to_owned(),
        "" | "main" => whole.to_owned(),
        field => language.label(field).to_lowercase(),
    };
    Some((what, href))
}
