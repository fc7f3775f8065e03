//! P9: the link is on its way.

use askama::Template;

use super::layout::Page;

/// P9 `/account/register/sent`; posts to itself with `do=resend` or `do=different`.
#[derive(Template)]
#[template(path = "sent.html")]
pub(crate) struct Sent {
    pub(crate) page: Page,
    /// `None` in another browser: the page then asks for the address.
    pub(crate) email: Option<String>,
    /// What was typed into that field.
    pub(crate) typed_email: String,
    /// "10:40 pm today".
    pub(crate) works_until: String,
    /// "12 hours".
    pub(crate) lifetime: String,
    /// The sender to allow.
    pub(crate) sender: String,
    pub(crate) wait: Option<Wait>,
}

/// When the link may be sent again.
#[derive(Clone)]
pub(crate) struct Wait {
    pub(crate) seconds: u64,
    /// "10:41 pm", for browsers without scripts.
    pub(crate) until: String,
}
