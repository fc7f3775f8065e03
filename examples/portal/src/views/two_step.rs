//! P23: the choice of a second step.

use askama::Template;

use super::layout::{MenuItem, Page};

/// P23 `/account/two-step-verification`; `do=save`.
#[derive(Template)]
#[template(path = "two_step.html")]
pub(crate) struct TwoStep {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    /// `email` or `none`: the choice shown in `preferred_method`.
    pub(crate) preferred_method: String,
    /// Areas that cannot be opened without it.
    pub(crate) areas: Vec<String>,
    pub(crate) next: Option<String>,
}
