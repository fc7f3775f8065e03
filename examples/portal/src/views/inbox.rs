//! P30: the development inbox, where mail goes while no mail server is configured.

use askama::Template;

use super::layout::Page;

/// P30 `/dev/mail`.
#[derive(Template)]
#[template(path = "inbox.html")]
pub(crate) struct Inbox {
    pub(crate) page: Page,
    /// Address that the list is filtered by (`?to=`).
    pub(crate) to: String,
    /// Newest first.
    pub(crate) messages: Vec<InboxRow>,
    /// How the next mails are treated (field `delivery`): `normal`, `bounce`, `delay`, `drop`; `None` hides the choice.
    pub(crate) delivery: Option<String>,
    /// Shows the button that moves the clock 12 hours (`do=advance`); builds with `test-support` only.
    pub(crate) clock_moves: bool,
}

/// A line of the list.
#[derive(Clone)]
pub(crate) struct InboxRow {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    /// "2 minutes ago".
    pub(crate) age: String,
}

/// P30 `/dev/mail/{id}?tab=`.
#[derive(Template)]
#[template(path = "inbox_message.html")]
pub(crate) struct InboxMessage {
    pub(crate) page: Page,
    pub(crate) message: InboxRow,
    pub(crate) links: Vec<String>,
    /// Codes as mailed, grouped for reading by [`grouped`].
    pub(crate) codes: Vec<String>,
    pub(crate) tab: Tab,
}

/// The chosen tab and what it shows.
#[derive(Clone)]
pub(crate) enum Tab {
    Text(String),
    /// In a sandboxed frame from `/dev/mail/{id}/html`.
    Html,
    Headers(Vec<(String, String)>),
    Source(String),
}

impl Tab {
    /// Names of the tabs in order, with the value of `?tab=`.
    pub(crate) const ALL: [(&'static str, &'static str); 4] = [
        ("text", "Text"),
        ("html", "HTML"),
        ("headers", "Headers"),
        ("source", "Source"),
    ];

    /// Whether this is the tab of that id.
    pub(crate) fn is(&self, id: &str) -> bool {
        id == match self {
            Self::Text(_) => "text",
            Self::Html => "html",
            Self::Headers(_) => "headers",
            Self::Source(_) => "source",
        }
    }
}

/// `482913` as `482 913`.
pub(crate) fn grouped(code: &str) -> String {
    let half = code.chars().count().div_ceil(2);
    let first: String = code.chars().take(half).collect();
    let second: String = code.chars().skip(half).collect();
    if second.is_empty() {
        first
    } else {
        format!("{first} {second}")
    }
}
