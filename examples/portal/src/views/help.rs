//! P31: the same help from every page.

use askama::Template;

use super::layout::Page;

/// P31 `/help`.
#[derive(Template)]
#[template(path = "help.html")]
pub(crate) struct Help {
    pub(crate) page: Page,
    /// The sender to allow.
    pub(crate) sender: String,
    /// "12 hours".
    pub(crate) link_lifetime: String,
    /// "10 minutes".
    pub(crate) code_lifetime: String,
    /// "30 minutes".
    pub(crate) idle_limit: String,
}
