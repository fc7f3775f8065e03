//! My Account at a glance (P17), with the entries that this portal has.

use axum::response::Response;
use portal_auth::account::professional_profile::{AboutYou, WorkDetails};
use portal_auth::account::status::TwoStep;

use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::account::{AccountOverview, SummaryRow};
use crate::views::layout::Place;
pub(crate) use crate::views::menu::menu;

const TWO_STEP: &str = "/account/two-step-verification";

/// P17 `/account`.
pub(crate) async fn overview(mut ctx: Ctx) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let account = ctx.app.auth.account(&signed_in).await?;
    let row = |key: &str, value: String, change: Option<&str>| SummaryRow {
        key: key.to_owned(),
        value,
        change: change.map(str::to_owned),
    };
    let mut rows = Vec::new();
    if let Some(about) = account.profile.get::<AboutYou>() {
        rows.push(row("Name", format!("{} {}", about.forename, about.surname), None));
    }
    if let Some(role) = account
        .profile
        .get::<WorkDetails>()
        .as_ref()
        .and_then(WorkDetails::main_role)
    {
        rows.push(row("Professional Role", role.role.clone(), None));
        rows.push(row("Organisation Name", role.organisation.clone(), None));
    }
    rows.push(row("Email Address", account.email.as_str().to_owned(), None));
    let two_step = match account.two_step {
        TwoStep::Email => "On, by email",
        TwoStep::Off => "Off",
    };
    rows.push(row("Two Step Verification", two_step.to_owned(), Some(TWO_STEP)));
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
