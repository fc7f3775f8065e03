//! P26 and P27: where people are logged in, what happened to their account, taking their data away, and closing it.

use askama::Template;

use super::layout::{MenuItem, Page};

/// P26 `/account/sessions`; posts to itself with `do=end` and `session`, or `do=end_others`.
#[derive(Template)]
#[template(path = "sessions.html")]
pub(crate) struct Sessions {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    pub(crate) sessions: Vec<SessionCard>,
}

/// One place where the person is logged in.
#[derive(Clone)]
pub(crate) struct SessionCard {
    /// The value of `session`.
    pub(crate) handle: String,
    /// "Firefox on Windows".
    pub(crate) browser: String,
    /// "192.0.2.x"; empty when unknown.
    pub(crate) network: String,
    /// "10:40 pm today".
    pub(crate) logged_in: String,
    pub(crate) last_used: String,
    pub(crate) this_one: bool,
}

/// P26 `/account/activity`.
#[derive(Template)]
#[template(path = "activity.html")]
pub(crate) struct Activity {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    pub(crate) entries: Vec<ActivityLine>,
    /// Whether there is more than the page shows.
    pub(crate) cut: bool,
}

/// One thing that happened.
#[derive(Clone)]
pub(crate) struct ActivityLine {
    /// "10:40 pm today".
    pub(crate) when: String,
    /// A sentence.
    pub(crate) what: String,
    /// "Firefox on Windows"; empty where no browser was involved.
    pub(crate) browser: String,
}

/// P27 `/account/your-data`; posts to itself with `do=json` or `do=html`.
#[derive(Template)]
#[template(path = "your_data.html")]
pub(crate) struct YourData {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    /// "14 days".
    pub(crate) grace: String,
}

/// P27 `/account/close`; posts to itself with `do=close`.
#[derive(Template)]
#[template(path = "close_account.html")]
pub(crate) struct CloseAccount {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    /// For password managers, and so that people see which account is closed.
    pub(crate) email: String,
    /// "14 days".
    pub(crate) grace: String,
    /// "10:40 pm on 3 May".
    pub(crate) erased_from: String,
    /// Where a proof must be given first, the way there.
    pub(crate) confirm: Option<String>,
}

/// P27 `/account/restore`, which E15 leads to; posts to itself with `do=restore`.
#[derive(Template)]
#[template(path = "restore_account.html")]
pub(crate) struct RestoreAccount {
    pub(crate) page: Page,
    pub(crate) masked_email: String,
    /// "10:40 pm on 3 May".
    pub(crate) erased_from: String,
}
