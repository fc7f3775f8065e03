//! The development inbox (P30): open only where mail goes nowhere else and everything is loopback.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::security_headers::PagePolicy;

use crate::app::Shared;
use crate::inbox::{Delivery, DevInbox, KeptMail};
use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::inbox::{Inbox, InboxMessage, InboxRow, Tab};
use crate::views::layout::Place;

/// What the HTML of a mail may do in its frame: nothing but style itself.
const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/// The inbox's routes; each answers 404 where the inbox is closed (TST-2).
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/dev/mail", get(list).post(act))
        .route("/dev/mail.json", get(json))
        .route("/dev/mail/latest", get(latest))
        .route("/dev/mail/{id}", get(message))
        .route("/dev/mail/{id}/html", get(html))
}

fn open(ctx: &Ctx) -> Result<Arc<DevInbox>, Fail> {
    ctx.app.inbox.clone().ok_or(Fail::NotFound)
}

async fn list(ctx: Ctx) -> Result<Response, Fail> {
    show_list(ctx, Trouble::none())
}

fn show_list(mut ctx: Ctx, trouble: Trouble) -> Result<Response, Fail> {
    let inbox = open(&ctx)?;
    let to = ctx.query("to").unwrap_or_default().to_owned();
    let messages = inbox
        .newest_first(&to, "")
        .iter()
        .map(|mail| row(&ctx, mail))
        .collect();
    let (page, shown) = ctx.page("Mail", Place::Elsewhere, trouble)?.split();
    let delivery = Some(inbox.delivery().word().to_owned());
    let clock_moves = ctx.app.can_move_clock();
    ctx.render(
        shown,
        &Inbox {
            page,
            to,
            messages,
            delivery,
            clock_moves,
        },
    )
}

fn row(ctx: &Ctx, mail: &KeptMail) -> InboxRow {
    let age = ctx.app.auth.now().since(mail.at);
    InboxRow {
        id: mail.id.clone(),
        to: mail.to.clone(),
        subject: mail.subject.clone(),
        age: if age.as_secs() < 1 {
            "now".to_owned()
        } else {
            format!("{} ago", portal_auth::local_time::in_words(age))
        },
    }
}

/// How the next mails are treated, and the clock of a test build.
async fn act(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let inbox = open(&ctx)?;
    let form = form?;
    if !ctx.is_genuine(&form, &["delivery"])? {
        return show_list(ctx, Trouble::stale());
    }
    if form.get("do") == Some("advance") {
        ctx.app.move_clock(std::time::Duration::from_secs(12 * 3600))?;
    } else if let Some(delivery) = form.get("delivery").and_then(Delivery::from_word) {
        inbox.set_delivery(delivery);
    }
    ctx.see("/dev/mail")
}

async fn json(ctx: Ctx) -> Result<Response, Fail> {
    let inbox = open(&ctx)?;
    Ok(Json(inbox.newest_first(ctx.query("to").unwrap_or_default(), "")).into_response())
}

async fn latest(ctx: Ctx) -> Result<Response, Fail> {
    let inbox = open(&ctx)?;
    let mails = inbox.newest_first(
        ctx.query("to").unwrap_or_default(),
        ctx.query("kind").unwrap_or_default(),
    );
    match mails.into_iter().next() {
        Some(mail) => Ok(Json(mail).into_response()),
        None => Ok((
            StatusCode::NOT_FOUND,
            Json(serde_json::json!({ "error": "no such mail" })),
        )
            .into_response()),
    }
}

async fn message(mut ctx: Ctx, Path(id): Path<String>) -> Result<Response, Fail> {
    let mail = open(&ctx)?.find(&id).ok_or(Fail::NotFound)?;
    let tab = match ctx.query("tab") {
        Some("html") => Tab::Html,
        Some("headers") => Tab::Headers(mail.headers()),
        Some("source") => Tab::Source(mail.source()),
        _ => Tab::Text(mail.text.clone()),
    };
    let message = row(&ctx, &mail);
    let (page, shown) = ctx
        .page(&mail.subject, Place::Elsewhere, Trouble::none())?
        .split();
    ctx.render(
        shown,
        &InboxMessage {
            page,
            message,
            links: mail.links.clone(),
            codes: mail.codes.clone(),
            tab,
        },
    )
}

async fn html(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Fail> {
    let mail = open(&ctx)?.find(&id).ok_or(Fail::NotFound)?;
    Ok((
        PagePolicy::new(MAIL_POLICY).framed_by_this_portal(),
        Html(mail.html),
    )
        .into_response())
}
