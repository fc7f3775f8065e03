//! Mails that wait or were given up, and `Send again` (P29). A mail is its row here: its text is nowhere at rest.

use axum::response::Response;
use portal_auth::account::email::EmailAddress;
use portal_auth::environment::Timestamp;
use portal_auth::features::tend_outbox::{MailQuery, MailView, TendOutboxRefused};
use portal_auth::mail::outbox::{MailId, MailStatus};
use portal_auth_axum::form::{Form, FormRejection};
use url::form_urlencoded::Serializer;

use crate::pages::administrator::{acting, looking, sending};
use crate::pages::change_password::confirm_then;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble};
use crate::views::administration::{MailLine, Outbox, WayOn, tabs};
use crate::views::catalogue::Language;
use crate::views::layout::{Notice, Place};
use crate::views::messages::CONFIRMED_CHOOSE_AGAIN;

const PATH: &str = "/admin/outbox";
/// Mails on one page.
const AT_ONCE: u32 = 25;

/// Which mails the page lists, as its address says.
#[derive(Debug, Clone)]
struct Wanted {
    /// `None` for any.
    status: Option<MailStatus>,
    /// As it was typed.
    to: String,
    after: Option<(Timestamp, MailId)>,
}

impl Wanted {
    /// Dead letters, unless something else is asked for.
    fn read(status: &str, to: &str, after: &str) -> Self {
        let status = match status {
            "any" => None,
            word => Some(MailStatus::from_word(word).unwrap_or(MailStatus::Dead)),
        };
        let after = after.split_once('-').and_then(|(at, id)| {
            let at = Timestamp::from_micros(at.parse().ok()?);
            Some((at, id.parse().ok()?))
        });
        Self {
            status,
            to: to.trim().to_owned(),
            after,
        }
    }

    fn status(&self) -> &'static str {
        self.status.map_or("any", MailStatus::as_str)
    }

    fn after(&self) -> String {
        self.after
            .map_or_else(String::new, |(at, id)| format!("{}-{id}", at.as_micros()))
    }

    /// The address of the page that lists them.
    fn path(&self, notice: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("status", self.status());
        // As it is kept: nothing that was merely typed goes into a redirect (WEB-7).
        if let Ok(to) = EmailAddress::parse(&self.to) {
            query.append_pair("to", to.as_str());
        }
        if self.after.is_some() {
            query.append_pair("after", &self.after());
        }
        if let Some(word) = notice {
            query.append_pair("notice", word);
        }
        format!("{PATH}?{}", query.finish())
    }
}

/// P29 `/admin/outbox`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    looking(&ctx).await?;
    let asked = |name| ctx.query(name).unwrap_or_default();
    let wanted = Wanted::read(asked("status"), asked("to"), asked("after"));
    let notice = match ctx.query("notice") {
        Some("sent-again") => Some(Notice::done("The email waits to be sent again.")),
        Some("not-dead") => Some(Notice::attention(
            "Nothing was changed: that email is not given up any more.",
        )),
        Some("confirmed") => Some(Notice::done(CONFIRMED_CHOOSE_AGAIN)),
        _ => None,
    };
    page(ctx, &wanted, Trouble::none(), notice).await
}

async fn page(
    mut ctx: Ctx,
    wanted: &Wanted,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let to = EmailAddress::parse(&wanted.to);
    let (mails, trouble) = match &to {
        Err(_) if !wanted.to.is_empty() => (
            Vec::new(),
            Trouble::field("to", Language::ENGLISH.t("email-format")),
        ),
        to => {
            // One more than is shown tells whether the list goes on.
            let query = MailQuery::newest(AT_ONCE.saturating_add(1))
                .that_are(wanted.status)
                .to(to.as_ref().ok().cloned())
                .after(wanted.after);
            (ctx.app.auth.list_mails(&query).await?, trouble)
        }
    };
    let at_once = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    let goes_on = mails.len() > at_once;
    let mails: Vec<_> = mails.into_iter().take(at_once).collect();
    let last = mails.last().filter(|_| goes_on);
    let from = |after| Wanted {
        after,
        ..wanted.clone()
    };
    let on = WayOn {
        first: wanted.after.map(|_| from(None).path(None)),
        next: last.map(|last| from(Some((last.created_at, last.id))).path(None)),
    };
    let lines = mails.iter().map(|mail| line(&ctx, mail)).collect();
    let (page, shown) = ctx
        .page("Emails", Place::Elsewhere, trouble)?
        .noticing(notice)
        .split();
    let view = Outbox {
        page,
        tabs: tabs(PATH),
        status: wanted.status(),
        to: wanted.to.clone(),
        after: wanted.after(),
        lines,
        on,
    };
    ctx.render(shown, &view)
}

fn line(ctx: &Ctx, mail: &MailView) -> MailLine {
    let state = match mail.status {
        MailStatus::Ready if mail.attempts > 0 => format!("Waits, next try {}", ctx.moment(mail.next_at)),
        MailStatus::Ready => "Waits".to_owned(),
        MailStatus::Leased => "Being sent".to_owned(),
        MailStatus::Sent => "Sent".to_owned(),
        MailStatus::Dead => "Given up".to_owned(),
    };
    MailLine {
        id: mail.id.to_string(),
        kind: in_words(mail.kind.as_str()),
        to: mail.to.as_str().to_owned(),
        queued: ctx.moment(mail.created_at),
        state,
        why: mail.last_error.clone(),
        is_dead: mail.status == MailStatus::Dead,
    }
}

/// `reset-password` as "Reset password".
fn in_words(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters.map(|c| if c == '-' { ' ' } else { c }))
        .collect()
}

/// `POST /admin/outbox`: the `Send again` of one mail.
pub(crate) async fn submit(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let wanted = Wanted::read(&form.take("status"), &form.take("to"), &form.take("after"));
    sending(&ctx, &wanted.path(None)).await?;
    let genuine = ctx.is_genuine(&form, &["mail", "status", "to", "after"])?;
    let mail = form.take("mail").parse::<MailId>().map_err(|_| Fail::NotFound)?;
    if !genuine {
        return page(ctx, &wanted, Trouble::stale(), None).await;
    }
    let Some(by) = acting(&ctx).await? else {
        return ctx.see(&confirm_then(&wanted.path(Some("confirmed"))));
    };
    match ctx.app.auth.send_mail_again(&by, mail).await {
        Ok(()) => ctx.see(&wanted.path(Some("sent-again"))),
        Err(denied) => match refusal(denied)? {
            TendOutboxRefused::NotDead | TendOutboxRefused::NotWaiting => {
                ctx.see(&wanted.path(Some("not-dead")))
            }
            _ => Err(Fail::NotFound),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_asked_for_again_by_its_own_address() {
        let id = "0123456789abcdef0123456789abcdef";
        for (status, to, after) in [
            ("dead", "", String::new()),
            ("any", "jo@school.example", format!("1700000000000001-{id}")),
            ("sent", "a+b&c=d@school.example", String::new()),
        ] {
            let wanted = Wanted::read(status, to, &after);
            let path = wanted.path(Some("sent-again"));
            let query = path.strip_prefix("/admin/outbox?").unwrap();
            let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
            let get = |name: &str| {
                let found = pairs.iter().find(|(n, _)| n == name);
                found.map_or_else(String::new, |(_, value)| value.to_string())
            };
            let again = Wanted::read(&get("status"), &get("to"), &get("after"));
            assert_eq!(format!("{again:?}"), format!("{wanted:?}"));
            assert_eq!((again.status(), &*again.to, again.after()), (status, to, after));
        }
        // What is no place in a list is its beginning, and a status that is none the dead letters.
        for after in ["", "x", "1-", "-1", "99999999999999999999-00", "1-zz"] {
            let wanted = Wanted::read("lost", " jo@school.example ", after);
            assert!(wanted.after.is_none(), "{after}");
            assert_eq!((wanted.status(), &*wanted.to), ("dead", "jo@school.example"));
        }
    }

    #[test]
    fn kinds_are_read_as_words() {
        assert_eq!(in_words("reset-password"), "Reset password");
        assert_eq!(in_words(""), "");
    }
}
