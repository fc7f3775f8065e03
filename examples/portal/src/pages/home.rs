//! The front page, the home of signed-in people, and the area that demands the second step (P1, P15, P16).

use axum::response::{IntoResponse as _, Response};
use portal_auth::account::professional_profile::AboutYou;
use portal_auth::session::Level;
use portal_auth_axum::areas::{Area as GatedArea, AreaRefused, Entered};

use crate::pages::account::missing;
use crate::problem::Fail;
use crate::request::{Ctx, Trouble, redirect};
use crate::views::home::{Area, AreaClosed, Home, SignedInHome, Tile};
use crate::views::layout::{Notice, Place};
use crate::views::sign_in::LoginForm;

/// The gated area of the guide.
const AREA_PATH: &str = "/areas/send-ehat";

/// P1 `/`.
pub(crate) async fn front(mut ctx: Ctx) -> Result<Response, Fail> {
    if ctx.is_signed_in() {
        return Ok(redirect("/home"));
    }
    let (page, shown) = ctx
        .translated_page("home-title", Place::Home, Trouble::none())?
        .split();
    let content_html = ctx.app.home_html(ctx.language());
    let login = LoginForm {
        email: String::new(),
        next: None,
    };
    ctx.render(
        shown,
        &Home {
            page,
            login,
            content_html,
        },
    )
}

/// Old bookmarks lead to the front page.
pub(crate) async fn old_bookmark() -> Response {
    redirect("/")
}

/// Everything that is no page.
pub(crate) async fn not_found() -> Response {
    Fail::NotFound.into_response()
}

/// P15 `/home`.
pub(crate) async fn signed_in(ctx: Ctx) -> Result<Response, Fail> {
    home(ctx, Trouble::none()).await
}

/// P15 with what is wrong above it.
pub(crate) async fn home(mut ctx: Ctx, trouble: Trouble) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let account = ctx.app.auth.account(&signed_in).await?;
    let last_login = last_login(&ctx, &signed_in).await?;
    let forename = account
        .profile
        .get::<AboutYou>()
        .map_or_else(String::new, |about| about.forename);
    // A profile that cannot be read keeps nobody from their home; its own pages say what is wrong.
    let missing = ctx
        .app
        .auth
        .profile(&account)
        .ok()
        .as_ref()
        .and_then(|profile| missing(ctx.language(), profile));
    let cancelled = ctx.query("notice") == Some("recovery-cancelled");
    let notice = cancelled.then(|| Notice::done(ctx.t("recovery-cancelled")));
    let frame = ctx.translated_page("home-title", Place::Home, trouble)?;
    let (page, shown) = frame.noticing(notice).split();
    let tiles = vec![
        Tile {
            heading: ctx.t("area-name").to_owned(),
            href: AREA_PATH.to_owned(),
            description: ctx.t("tile-area").to_owned(),
        },
        Tile {
            heading: ctx.t("nav-my-account").to_owned(),
            href: "/account".to_owned(),
            description: ctx.t("tile-account").to_owned(),
        },
    ];
    ctx.render(
        shown,
        &SignedInHome {
            page,
            forename,
            tiles,
            last_login,
            missing,
        },
    )
}

/// "today at 10:40 pm with Firefox on Windows": the sign-in before this one, so that a stranger's is noticed.
async fn last_login(ctx: &Ctx, signed_in: &portal_auth::SignedIn) -> Result<Option<String>, Fail> {
    let sign_ins = ctx.app.auth.activity(signed_in, &["sign_in.done"], 2).await?;
    let before = sign_ins
        .into_iter()
        .find(|event| event.at < signed_in.signed_in_at());
    Ok(before.map(|event| {
        let last = ctx.fill("signed-in-last-with").set("when", ctx.when(event.at));
        last.set("browser", ctx.language().browser(&event.label))
            .to_string()
    }))
}

/// The gated area: a session must have proved both steps (STP-2).
pub(crate) struct SendArea;

impl GatedArea for SendArea {
    const LEVEL: Level = Level::Two;
}

/// P16 `/areas/send-ehat`: what the session proved decides, not what the account has turned on (STP-1).
pub(crate) async fn area(
    entered: Result<Entered<SendArea>, AreaRefused>,
    mut ctx: Ctx,
) -> Result<Response, Fail> {
    // The refusal of the area itself drops the dead session's cookie, by which the form in another tab is kept (R11).
    if let Err(answer) = ctx.signed_in() {
        return Ok(answer);
    }
    match entered {
        Ok(entered) => {
            let (page, shown) = ctx
                .translated_page("area-name", Place::Elsewhere, Trouble::none())?
                .split();
            let area = ctx.t("area-name").to_owned();
            ctx.render(
                shown,
                &Area {
                    page,
                    area,
                    two_steps: entered.signed_in().person().level() == Level::Two,
                    tiles: Vec::new(),
                },
            )
        }
        Err(AreaRefused::InviteTwoStep(_)) => {
            let title = "area-closed-title";
            let (page, shown) = ctx
                .translated_page(title, Place::Elsewhere, Trouble::none())?
                .split();
            let area = ctx.t("area-name").to_owned();
            ctx.render(
                shown,
                &AreaClosed {
                    page,
                    area,
                    next: AREA_PATH.to_owned(),
                },
            )
        }
        Err(refused) => Ok(refused.into_response()),
    }
}
