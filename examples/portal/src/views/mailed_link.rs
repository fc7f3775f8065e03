//! A mailed link that does nothing (any more).

use askama::Template;

use super::layout::Page;

/// Says what became of a link, and where to go instead.
#[derive(Template)]
#[template(path = "link_over.html")]
pub(crate) struct LinkOver {
    pub(crate) page: Page,
    /// The page of such links; the form posts to it with `do=open`.
    pub(crate) path: &'static str,
    pub(crate) why: WhyOver,
    /// Where to go instead.
    pub(crate) href: &'static str,
    /// What the link there says.
    pub(crate) text: &'static str,
}

/// Why it does nothing.
pub(crate) enum WhyOver {
    /// In a sentence.
    Said(String),
    /// It is not ours, or not whole: a field (`link`) takes it again.
    Unknown { typed: String },
}
