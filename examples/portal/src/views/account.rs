//! P17: My Account at a glance.

use askama::Template;

use super::layout::{MenuItem, Page};

/// P17 `/account`.
#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct AccountOverview {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    pub(crate) rows: Vec<SummaryRow>,
}

/// A line of the summary; `change` is where it can be changed, if anywhere.
#[derive(Clone)]
pub(crate) struct SummaryRow {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) change: Option<String>,
}
