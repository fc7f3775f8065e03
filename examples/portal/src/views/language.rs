//! The choice of a language.

use askama::Template;

use super::layout::Page;

/// `/language`; posts to itself, like the small form at the foot of every page.
#[derive(Template)]
#[template(path = "language.html")]
pub(crate) struct ChooseLanguage {
    pub(crate) page: Page,
}
