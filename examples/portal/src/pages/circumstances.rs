//! Change of Circumstances (P25): telling of one, its reference, and what was told before.

use axum::http::StatusCode;
use axum::response::Response;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use portal_auth::account::snapshot::AccountId;
use portal_auth::environment::draw;
use portal_auth_axum::form::{Form, FormRejection};

use crate::circumstances::form::{FIELDS, MOST, Typed};
use crate::circumstances::{Change, Filed, MOST_FILED, Report, WINDOW, day_in_words, leaving_later};
use crate::pages::account::menu;
use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::circumstances::{Circumstances, ReportCard};
use crate::views::layout::{Notice, Place};
use crate::views::register::Choice;

const PATH: &str = "/account/change-of-circumstances";
/// How many reports the page shows.
const SHOWN: usize = 20;

/// P25 `/account/change-of-circumstances`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let account = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.account(),
        Err(answer) => return Ok(answer),
    };
    let told = told(&ctx, account).await?;
    let sent = ctx
        .query("notice")
        .filter(|notice| *notice == "sent")
        .and_then(|_| {
            told.iter()
                .find(|report| Some(report.reference.as_str()) == ctx.query("reference"))
        });
    let notice = sent.map(|report| notice(&ctx, report));
    let kept = ctx.kept_form().await?;
    let typed = kept
        .form()
        .map_or_else(Typed::default, |mut form| Typed::read(&mut form));
    page(
        ctx,
        typed,
        &told,
        Trouble::none(),
        notice.or_else(|| kept.notice()),
    )
}

/// The newest reports, one more than are shown.
async fn told(ctx: &Ctx, account: AccountId) -> Result<Vec<Report>, Fail> {
    let most = i64::try_from(SHOWN.saturating_add(1)).unwrap_or(i64::MAX);
    Ok(ctx.app.circumstances.of_account(account, most).await?)
}

/// What has just been sent. The reference in the address is believed only where it is the person's own.
fn notice(ctx: &Ctx, report: &Report) -> Notice {
    let sent = format!(
        "We have your change of circumstances. Your reference number is {}. We have sent it to your email address as well.",
        report.reference
    );
    if report.change != Change::Left {
        return Notice::done(&sent);
    }
    if report.on > ctx.app.circumstances.today() {
        return Notice::done(&format!("{sent} {}", leaving_later(report.on)));
    }
    Notice::done(&format!("{sent} If you do not need your account any more:"))
        .with_link("Close your account", "/account/close")
}

fn page(
    mut ctx: Ctx,
    typed: Typed,
    told: &[Report],
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let report = if typed.report.is_empty() {
        let drawn: [u8; 16] = draw(&*ctx.app.auth.entropy())?;
        Base64UrlUnpadded::encode_string(&drawn)
    } else {
        typed.report
    };
    let (page, shown) = ctx
        .page("Change of Circumstances", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let view = Circumstances {
        page,
        menu: menu(PATH),
        administered: !ctx.app.settings.admins.is_empty(),
        changes: Change::ALL.map(choice).to_vec(),
        change: typed.change,
        day: typed.day,
        month: typed.month,
        year: typed.year,
        example: day_in_numbers(&ctx),
        details: typed.details,
        most: MOST,
        report,
        told: told.iter().take(SHOWN).map(|report| card(&ctx, report)).collect(),
        cut: told.len() > SHOWN,
    };
    ctx.render(shown, &view)
}

fn choice(change: Change) -> Choice {
    Choice {
        value: change.word().to_owned(),
        text: change.label().to_owned(),
    }
}

/// "3 5 2026": today, as an example of how to type a date.
fn day_in_numbers(ctx: &Ctx) -> String {
    ctx.app.circumstances.today().strftime("%-d %-m %Y").to_string()
}

fn card(ctx: &Ctx, report: &Report) -> ReportCard {
    ReportCard {
        reference: report.reference.clone(),
        change: report.change.label().to_owned(),
        on: day_in_words(report.on),
        sent: ctx.moment(report.reported_at),
        details: report.details.clone(),
    }
}

/// `POST /account/change-of-circumstances`.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &FIELDS)?;
    let typed = Typed::read(&mut form);
    let account = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.account(),
        Err(answer) => return Ok(answer),
    };
    let again = async |ctx: Ctx, typed, trouble| {
        let told = told(&ctx, account).await?;
        page(ctx, typed, &told, trouble, None)
    };
    if !genuine {
        return again(ctx, typed, Trouble::stale()).await;
    }
    let circumstances = &ctx.app.circumstances;
    let change = match typed.check(circumstances.today()) {
        Ok(change) => change,
        Err(problems) => return again(ctx, typed, Trouble::fields(problems)).await,
    };
    match circumstances.file(account, typed.name(), &change).await? {
        Filed::New(report) => {
            if let Err(fault) = circumstances.tell(&report).await {
                // It is kept, and told within a minute of the moment when that is possible again.
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    reference = report.reference,
                    "a change of circumstances is still to be told"
                );
            }
            ctx.see(&sent(&report))
        }
        Filed::Before(report) => ctx.see(&sent(&report)),
        Filed::TooMany { first } => {
            let trouble = Trouble::general(&too_many(&ctx, first));
            again(ctx, typed, trouble).await.map(|mut answer| {
                *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                answer
            })
        }
        // The account went in this very moment: the page says so.
        Filed::NoAccount => ctx.see(PATH),
    }
}

fn sent(report: &Report) -> String {
    format!("{PATH}?notice=sent&reference={}", report.reference)
}

fn too_many(ctx: &Ctx, first: portal_auth::environment::Timestamp) -> String {
    format!(
        "You have sent {MOST_FILED} changes within 24 hours, and we take no more than that. Send this one after {}.",
        ctx.moment(first.plus(WINDOW))
    )
}
