//! P1 and P15: the front page of strangers and of signed-in people, and P16's area.

use askama::Template;

use super::{layout::Page, sign_in::LoginForm};

/// P1 `/`.
#[derive(Template)]
#[template(path = "home.html")]
pub(crate) struct Home {
    pub(crate) page: Page,
    pub(crate) login: LoginForm,
    /// Rendered from the operator's own Markdown file: the only value that is not escaped.
    pub(crate) content_html: String,
}

/// P15 `/home`.
#[derive(Template)]
#[template(path = "signed_in_home.html")]
pub(crate) struct SignedInHome {
    pub(crate) page: Page,
    pub(crate) forename: String,
    pub(crate) tiles: Vec<Tile>,
    /// "today at 10:40 pm with Firefox on Windows".
    pub(crate) last_login: Option<String>,
    /// "postcode" of "Tell us your postcode to carry on", and where.
    pub(crate) missing: Option<(String, String)>,
}

/// A place to go to; the heading is the whole text of its link.
#[derive(Clone)]
pub(crate) struct Tile {
    pub(crate) heading: String,
    pub(crate) href: String,
    pub(crate) description: String,
}

/// P16, closed: the session has not proved the second step.
#[derive(Template)]
#[template(path = "area_closed.html")]
pub(crate) struct AreaClosed {
    pub(crate) page: Page,
    pub(crate) area: String,
    /// Path of the area, where the person lands after turning it on.
    pub(crate) next: String,
}

/// P16, open.
#[derive(Template)]
#[template(path = "area.html")]
pub(crate) struct Area {
    pub(crate) page: Page,
    pub(crate) area: String,
    /// The session has proved the second step; the service may let others in as well.
    pub(crate) two_steps: bool,
    pub(crate) tiles: Vec<Tile>,
}

impl AreaClosed {
    /// P23, with the way back.
    pub(crate) fn turn_on_href(&self) -> String {
        let next: String = url::form_urlencoded::byte_serialize(self.next.as_bytes()).collect();
        format!("/account/two-step-verification?next={next}")
    }
}
