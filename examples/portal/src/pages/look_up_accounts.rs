//! Accounts as administrators see them: a list by the beginning of an address, and one account with what can be done
//! (P29). Looking is no act: it asks for no fresh proof and is not audited.

use axum::response::Response;
use portal_auth::account::email::EmailAddress;
use portal_auth::account::professional_profile::AboutYou;
use portal_auth::account::snapshot::AccountId;
use portal_auth::account::status::{Status, TwoStep};
use portal_auth::features::look_up_accounts::{AccountDetails, AccountQuery, AccountView};
use url::form_urlencoded::Serializer;

use crate::pages::account::row;
use crate::pages::administer::{Act, what_was_done};
use crate::pages::administrator::{START, looking};
use crate::problem::Fail;
use crate::request::{Ctx, Trouble};
use crate::views::account::SummaryRow;
use crate::views::administration::{AccountLine, AccountPage, Accounts, WayOn, tabs};
use crate::views::catalogue::Language;
use crate::views::layout::{Notice, Place};

const ACCOUNT: &str = "/admin/account";
/// Accounts on one page.
const AT_ONCE: u32 = 25;
/// The longest that is looked for: an address (LIM-2).
const LONGEST: usize = 254;

/// P29 `/admin`.
pub(crate) async fn list(mut ctx: Ctx) -> Result<Response, Fail> {
    looking(&ctx).await?;
    let find = ctx.query("find").unwrap_or_default().trim().to_owned();
    let status = ctx.query("status").and_then(Status::from_word);
    let after = ctx
        .query("after")
        .and_then(|after| EmailAddress::parse(after).ok());
    let exact = EmailAddress::parse(&find).ok();
    let begins_later = after.is_some();
    let too_long = find.len() > LONGEST;
    let trouble = if too_long {
        Trouble::field("find", Language::ENGLISH.t("email-too_long"))
    } else {
        Trouble::none()
    };
    let (found, waiting) = if too_long {
        (None, None)
    } else {
        // A whole address is compared as it is kept, whatever its domain was typed as.
        let beginning = exact.as_ref().map_or(&*find, |exact| exact.as_str());
        let query = AccountQuery::first(AT_ONCE)
            .beginning_with(beginning)
            .that_are(status)
            .after(after);
        let found = ctx.app.auth.list_accounts(&query).await?;
        let waiting = match exact {
            Some(exact) if !begins_later => {
                let there = ctx.app.auth.look_up(&exact).await?;
                there.waiting.filter(|_| there.account.is_none()).map(|_| exact)
            }
            _ => None,
        };
        (Some(found), waiting)
    };
    let here = |after: Option<&EmailAddress>| {
        let mut query = Serializer::new(String::new());
        let status = status.map_or("", Status::as_str);
        query.append_pair("find", &find).append_pair("status", status);
        if let Some(after) = after {
            query.append_pair("after", after.as_str());
        }
        format!("{START}?{}", query.finish())
    };
    let end = found.as_ref().and_then(|found| found.end.as_ref());
    let on = WayOn {
        first: begins_later.then(|| here(None)),
        next: end.map(|end| here(Some(end))),
    };
    let lines = found.iter().flat_map(|found| &found.accounts).map(line).collect();
    let nothing_waits = ctx.query("notice") == Some("nothing-waits");
    let notice = nothing_waits
        .then(|| Notice::attention("Nothing was changed: no registration waits for this address any more."));
    let (page, shown) = ctx
        .page("Accounts", Place::Elsewhere, trouble)?
        .noticing(notice)
        .split();
    let view = Accounts {
        page,
        tabs: tabs(START),
        find,
        status: status.map_or("", Status::as_str),
        searched: !too_long,
        lines,
        waiting: waiting.map(|address| {
            let query = Serializer::new(String::new())
                .append_pair("email", address.as_str())
                .finish();
            (
                address.as_str().to_owned(),
                format!("/admin/registration?{query}"),
            )
        }),
        on,
    };
    ctx.render(shown, &view)
}

fn line(account: &AccountView) -> AccountLine {
    AccountLine {
        href: path_of(account.id),
        email: account.email.as_str().to_owned(),
        name: name(account),
        status: status_in_words(account.status),
        remark: remark(account),
    }
}

/// The page of one account.
pub(crate) fn path_of(id: AccountId) -> String {
    format!("{ACCOUNT}?id={id}")
}

/// Forename and surname; empty where the profile has none.
pub(crate) fn name(account: &AccountView) -> String {
    let about = account.profile.get::<AboutYou>();
    about.map_or_else(String::new, |about| {
        format!("{} {}", about.forename, about.surname)
    })
}

const fn status_in_words(status: Status) -> &'static str {
    match status {
        Status::Active => "Active",
        Status::Disabled => "Disabled",
        Status::Closed => "Closed by its owner",
    }
}

/// What keeps the owner out, besides the status.
const fn remark(account: &AccountView) -> &'static str {
    if account.locked {
        "Locked until its password is reset"
    } else if account.codes_closed {
        "Stopped after too many wrong codes"
    } else if account.recovery_paused_until.is_some() {
        "Recovery paused"
    } else {
        ""
    }
}

/// The id in a page's address or form, or that there is no such page.
pub(crate) fn named(id: &str) -> Result<AccountId, Fail> {
    id.parse().map_err(|_| Fail::NotFound)
}

/// The account that a page is about, or that there is no such page.
pub(crate) async fn asked_for(ctx: &Ctx, id: AccountId) -> Result<AccountDetails, Fail> {
    let found = ctx.app.auth.look_up_account(id).await?;
    found.ok_or(Fail::NotFound)
}

/// P29 `/admin/account`.
pub(crate) async fn account(mut ctx: Ctx) -> Result<Response, Fail> {
    let own = looking(&ctx).await?;
    let found = asked_for(&ctx, named(ctx.query("id").unwrap_or_default())?).await?;
    let account = &found.account;
    let is_own = account.id == own;
    let acts = if is_own { &[][..] } else { &Act::ALL[..] };
    let acts = acts.iter().filter(|act| act.fits(account));
    let acts = acts.map(|act| act.link(account.id)).collect();
    let rows = rows(&ctx, &found);
    let notice = what_was_done(ctx.query("notice").unwrap_or_default());
    let mails = Serializer::new(String::new())
        .append_pair("status", "any")
        .append_pair("to", account.email.as_str())
        .finish();
    let (page, shown) = ctx
        .page("Account", Place::Elsewhere, Trouble::none())?
        .noticing(notice)
        .split();
    let view = AccountPage {
        page,
        tabs: tabs(START),
        email: account.email.as_str().to_owned(),
        rows,
        is_own,
        acts,
        mails: format!("/admin/outbox?{mails}"),
    };
    ctx.render(shown, &view)
}

/// The account in words; no secret, no token and no network is among them.
fn rows(ctx: &Ctx, found: &AccountDetails) -> Vec<SummaryRow> {
    let account = &found.account;
    let mut rows = Vec::new();
    let mut add = |key, value: &str| rows.push(row(key, value, None));
    match name(account) {
        name if name.is_empty() => {}
        name => add("Name", &name),
    }
    match account.closed_at {
        Some(at) => add("Status", &format!("Closed by its owner at {}", ctx.moment(at))),
        None => add("Status", status_in_words(account.status)),
    }
    add(
        "Two Step Verification",
        match account.two_step {
            TwoStep::Email => "On, by email",
            TwoStep::Off => "Off",
        },
    );
    if account.locked {
        add(
            "Password",
            "Locked after \u{201c}this was not me\u{201d}, until it is reset",
        );
    }
    if account.codes_closed {
        add("Verification Codes", "Stopped after too many wrong ones");
    }
    if let Some(until) = account.recovery_paused_until {
        add("Recovery", &format!("Paused until {}", ctx.moment(until)));
    }
    let last = found.last_sign_in.map(|at| ctx.moment(at));
    add("Last login", last.as_deref().unwrap_or("Not in the last year"));
    add("Logged in now", &browsers(found.sessions));
    add("Account made", &ctx.moment(account.created_at));
    add("Last changed", &ctx.moment(account.updated_at));
    rows
}

fn browsers(sessions: usize) -> String {
    match sessions {
        0 => "Nowhere".to_owned(),
        1 => "In 1 browser".to_owned(),
        n => format!("In {n} browsers"),
    }
}
