//! The choice of a language, made in the foot of every page: kept in the browser, and in the account of whoever is
//! signed in.

use axum::response::{IntoResponse as _, Response};
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::language_cookie::keep_language;

use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, place_with_language, redirect};
use crate::views::catalogue::Language;
use crate::views::language::ChooseLanguage;
use crate::views::layout::Place;

/// `/language`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    page(ctx, String::new(), Trouble::none())
}

fn page(mut ctx: Ctx, back: String, trouble: Trouble) -> Result<Response, Fail> {
    let (mut page, shown) = ctx
        .translated_page("language-title", Place::Elsewhere, trouble)?
        .split();
    page.target = back;
    ctx.render(shown, &ChooseLanguage { page })
}

/// `POST /language`: keeps the choice, and returns to the page it was made on.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["language", "back"])?;
    let back = place_with_language(&form.take("back")).unwrap_or_default();
    let chosen = Language::from_tag(&form.take("language"));
    let Some(chosen) = chosen.filter(|_| genuine) else {
        return page(
            ctx,
            back,
            if genuine {
                Trouble::none()
            } else {
                Trouble::stale()
            },
        );
    };
    let tag = chosen.as_tag();
    if let Some(token) = ctx.session() {
        match ctx.app.auth.choose_language(&ctx.visitor, token, &tag).await {
            Ok(()) => {}
            // The session ended meanwhile: the browser keeps the choice all the same.
            Err(denied) => drop(refusal(denied)?),
        }
    }
    let cookie = keep_language(&tag);
    let path = if back.is_empty() { "/" } else { &back };
    Ok((cookie, redirect(path)).into_response())
}
