//! P29: what administrators see.

use askama::Template;

use super::account::SummaryRow;
use super::layout::{MenuItem, Page};

/// The two parts of the administrators' pages, with the one at `here` marked.
pub(crate) fn tabs(here: &str) -> Vec<MenuItem> {
    [("Accounts", "/admin"), ("Emails", "/admin/outbox")]
        .into_iter()
        .map(|(label, href)| MenuItem {
            current: href == here,
            ..MenuItem::new(label, href)
        })
        .collect()
}

/// P29 `/admin`; asks itself with `find`, `status` and `after`.
#[derive(Template)]
#[template(path = "admin_accounts.html")]
pub(crate) struct Accounts {
    pub(crate) page: Page,
    pub(crate) tabs: Vec<MenuItem>,
    /// What was typed: an address or its beginning.
    pub(crate) find: String,
    /// `active`, `disabled`, `closed`, or empty for any.
    pub(crate) status: &'static str,
    /// False where what was typed could not be looked for.
    pub(crate) searched: bool,
    /// In the order of their addresses.
    pub(crate) lines: Vec<AccountLine>,
    /// An address that a registration waits for, and where it is shown.
    pub(crate) waiting: Option<(String, String)>,
    pub(crate) on: WayOn,
}

/// A line of the list of accounts.
#[derive(Clone)]
pub(crate) struct AccountLine {
    pub(crate) href: String,
    pub(crate) email: String,
    /// Empty where the profile has none.
    pub(crate) name: String,
    pub(crate) status: &'static str,
    /// What keeps the owner out besides; empty for nothing.
    pub(crate) remark: &'static str,
}

/// The ways to the other pages of a list.
#[derive(Clone, Default)]
pub(crate) struct WayOn {
    /// From a later page.
    pub(crate) first: Option<String>,
    /// Where the list goes on.
    pub(crate) next: Option<String>,
}

/// P29 `/admin/account`.
#[derive(Template)]
#[template(path = "admin_account.html")]
pub(crate) struct AccountPage {
    pub(crate) page: Page,
    pub(crate) tabs: Vec<MenuItem>,
    pub(crate) email: String,
    pub(crate) rows: Vec<SummaryRow>,
    /// The account of whoever looks: nobody administers their own.
    pub(crate) is_own: bool,
    pub(crate) acts: Vec<ActLink>,
    /// Where its mails are listed.
    pub(crate) mails: String,
}

/// Something that can be done to an account.
#[derive(Clone)]
pub(crate) struct ActLink {
    pub(crate) href: String,
    pub(crate) name: &'static str,
    /// When it is for.
    pub(crate) hint: &'static str,
}

/// P29 `/admin/account/act`; posts to itself with `id` and `act`.
#[derive(Template)]
#[template(path = "admin_act.html")]
pub(crate) struct AskFirst {
    pub(crate) page: Page,
    pub(crate) tabs: Vec<MenuItem>,
    pub(crate) question: &'static str,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) consequences: &'static [&'static str],
    pub(crate) id: String,
    pub(crate) act: &'static str,
    pub(crate) button: &'static str,
    /// The account's page.
    pub(crate) back: String,
}

/// P29 `/admin/registration`; posts to itself with `email`.
#[derive(Template)]
#[template(path = "admin_registration.html")]
pub(crate) struct Waiting {
    pub(crate) page: Page,
    pub(crate) tabs: Vec<MenuItem>,
    pub(crate) email: String,
    pub(crate) rows: Vec<SummaryRow>,
}

/// P29 `/admin/outbox`; asks itself with `status`, `to` and `after`, and posts to itself with `mail` and these three.
#[derive(Template)]
#[template(path = "admin_outbox.html")]
pub(crate) struct Outbox {
    pub(crate) page: Page,
    pub(crate) tabs: Vec<MenuItem>,
    /// `dead`, `ready`, `leased`, `sent` or `any`.
    pub(crate) status: &'static str,
    /// As it was typed.
    pub(crate) to: String,
    /// The end of the page before; empty on the first.
    pub(crate) after: String,
    /// Newest first.
    pub(crate) lines: Vec<MailLine>,
    pub(crate) on: WayOn,
}

/// A line of the list of mails.
#[derive(Clone)]
pub(crate) struct MailLine {
    pub(crate) id: String,
    /// "Reset password".
    pub(crate) kind: String,
    pub(crate) to: String,
    /// "10:40 pm today".
    pub(crate) queued: String,
    /// "Given up".
    pub(crate) state: String,
    /// What the mail server said, or why it was given up; somebody else's words.
    pub(crate) why: String,
    pub(crate) is_dead: bool,
}
