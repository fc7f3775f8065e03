//! Everything that is kept about a person, as a file (P27, "Download").

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use portal_auth::features::export_data::{DataExport, ExportRefused};
use portal_auth::local_time::in_words;
use portal_auth_axum::form::{Form, FormRejection};

use crate::pages::account::menu;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, with_next};
use crate::views::data_file::data_file;
use crate::views::layout::{Notice, Place};
use crate::views::messages::CONFIRMED_CHOOSE_AGAIN;
use crate::views::own_account::YourData;

const PATH: &str = "/account/your-data";

/// P27 `/account/your-data`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let confirmed = ctx.query("notice") == Some("confirmed");
    let notice = confirmed.then(|| Notice::done(CONFIRMED_CHOOSE_AGAIN));
    page(ctx, Trouble::none(), notice)
}

fn page(mut ctx: Ctx, trouble: Trouble, notice: Option<Notice>) -> Result<Response, Fail> {
    if let Err(answer) = ctx.signed_in() {
        return Ok(answer);
    }
    let grace = in_words(ctx.app.auth.config().closing.grace);
    let (page, shown) = ctx
        .page("Download or close account", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let view = YourData {
        page,
        menu: menu(PATH),
        grace,
    };
    ctx.render(shown, &view)
}

/// `POST /account/your-data`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let form = form?;
    let genuine = ctx.is_genuine(&form, &[])?;
    let pressed = button(&form, "html");
    let (account, token) = match ctx.signed_in() {
        Ok((signed_in, token)) => (signed_in.account(), token),
        Err(answer) => return Ok(answer),
    };
    if !genuine {
        return page(ctx, Trouble::stale(), None);
    }
    let mut export = match ctx.app.auth.export_data(&ctx.visitor, token).await {
        Ok(export) => export,
        Err(denied) => {
            return match refusal(denied)? {
                ExportRefused::Confirm => {
                    let back = "/account/your-data?notice=confirmed";
                    ctx.see(&with_next("/account/confirm-password", Some(back)))
                }
                // The session ended in this very moment: the page says how.
                _ => ctx.see(PATH),
            };
        }
    };
    for part in &ctx.app.export_parts {
        export.add(part.name(), part.export(account).await?);
    }
    file(&ctx, &export, &pressed)
}

/// The file, as a download that no cache keeps.
fn file(ctx: &Ctx, export: &DataExport, format: &str) -> Result<Response, Fail> {
    let (kind, name, body) = if format == "json" {
        let text = serde_json::to_string_pretty(export).map_err(|e| {
            portal_auth::error::Fault::permanent("a person's data could not be written").because(e)
        })?;
        ("application/json", "your-data.json", text)
    } else {
        let title = format!("Your data - {}", ctx.app.settings.service_name);
        (
            "text/html; charset=utf-8",
            "your-data.html",
            data_file(&title, export.parts()),
        )
    };
    let mut response = Response::new(Body::from(body));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_DISPOSITION, disposition);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
