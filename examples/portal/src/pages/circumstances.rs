//! Change of Circumstances (P25): where to change what the portal keeps, and whom to tell of the rest.

use axum::response::Response;

use crate::pages::account::menu;
use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::account::Circumstances;
use crate::views::layout::Place;

const PATH: &str = "/account/change-of-circumstances";

/// `GET /account/change-of-circumstances`.
pub(crate) async fn show(mut ctx: Ctx) -> Result<Response, Fail> {
    if let Err(answer) = ctx.signed_in() {
        return Ok(answer);
    }
    let (page, shown) = ctx
        .page("Change of Circumstances", Place::Account, Trouble::none())?
        .split();
    ctx.render(
        shown,
        &Circumstances {
            page,
            menu: menu(PATH),
        },
    )
}
