//! A registration that waits for its link, and the link once more (P29).

use axum::response::Response;
use portal_auth::account::email::EmailAddress;
use portal_auth::features::look_up_accounts::WaitingRegistration;
use portal_auth::features::prepare_registration::SendLinkRefused;
use portal_auth_axum::form::{Form, FormRejection};
use url::form_urlencoded::Serializer;

use crate::pages::account::row;
use crate::pages::administrator::{START, acting, looking, sending};
use crate::pages::change_password::confirm_then;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble};
use crate::views::administration::{Waiting, tabs};
use crate::views::layout::{Notice, Place};
use crate::views::messages::CONFIRMED_CHOOSE_AGAIN;

const PATH: &str = "/admin/registration";

/// P29 `/admin/registration`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    looking(&ctx).await?;
    let address = named(ctx.query("email").unwrap_or_default())?;
    let waiting = asked_for(&ctx, &address).await?;
    let Some(waiting) = waiting else {
        return nothing_waits(ctx, &address);
    };
    let notice = match ctx.query("notice") {
        Some("sent") => Some(Notice::done("We have sent the link again.")),
        Some("confirmed") => Some(Notice::done(CONFIRMED_CHOOSE_AGAIN)),
        _ => None,
    };
    page(ctx, &address, &waiting, Trouble::none(), notice)
}

/// The address in a page's address or form, or that there is no such page.
fn named(email: &str) -> Result<EmailAddress, Fail> {
    EmailAddress::parse(email).map_err(|_| Fail::NotFound)
}

/// The registration that waits for an address while it has no account.
async fn asked_for(ctx: &Ctx, address: &EmailAddress) -> Result<Option<WaitingRegistration>, Fail> {
    let found = ctx.app.auth.look_up(address).await?;
    Ok(found.waiting.filter(|_| found.account.is_none()))
}

/// It was completed, or is over, since a page has shown it: the list shows what there is now.
fn nothing_waits(ctx: Ctx, address: &EmailAddress) -> Result<Response, Fail> {
    let query = Serializer::new(String::new())
        .append_pair("find", address.as_str())
        .append_pair("notice", "nothing-waits")
        .finish();
    ctx.see(&format!("{START}?{query}"))
}

fn path_of(address: &EmailAddress, notice: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("email", address.as_str());
    if let Some(word) = notice {
        query.append_pair("notice", word);
    }
    format!("{PATH}?{}", query.finish())
}

fn page(
    mut ctx: Ctx,
    address: &EmailAddress,
    waiting: &WaitingRegistration,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let works = match waiting.link_expires_at {
        Some(at) if ctx.app.auth.now() < at => format!("Until {}", ctx.moment(at)),
        Some(at) => format!("Not since {}; a new one is sent", ctx.moment(at)),
        None => "No".to_owned(),
    };
    let rows = vec![
        row("Sent off", &ctx.moment(waiting.submitted_at), None),
        row("Its link works", &works, None),
        row("Kept until", &ctx.moment(waiting.kept_until), None),
    ];
    let (page, shown) = ctx
        .page("Registration that waits", Place::Elsewhere, trouble)?
        .noticing(notice)
        .split();
    let view = Waiting {
        page,
        tabs: tabs(START),
        email: address.as_str().to_owned(),
        rows,
    };
    ctx.render(shown, &view)
}

/// `POST /admin/registration`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let address = named(&form.take("email"))?;
    sending(&ctx, &path_of(&address, None)).await?;
    let genuine = ctx.is_genuine(&form, &["email"])?;
    let waiting = asked_for(&ctx, &address).await?;
    let Some(waiting) = waiting else {
        return nothing_waits(ctx, &address);
    };
    if !genuine {
        return page(ctx, &address, &waiting, Trouble::stale(), None);
    }
    let Some(by) = acting(&ctx).await? else {
        return ctx.see(&confirm_then(&path_of(&address, Some("confirmed"))));
    };
    match ctx.app.auth.send_registration_link(&by, &address).await {
        Ok(()) => ctx.see(&path_of(&address, Some("sent"))),
        Err(denied) => match refusal(denied)? {
            SendLinkRefused::NothingWaits => nothing_waits(ctx, &address),
            _ => ctx.see(&path_of(&address, None)),
        },
    }
}
