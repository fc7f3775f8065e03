//! P10 to P12: what the emailed link opens.

use askama::Template;

use super::layout::Page;

/// P10 `/account/complete-registration`; posts to itself with `do=complete`, `do=not_mine` or `do=choose`.
#[derive(Template)]
#[template(path = "complete_registration.html")]
pub(crate) struct CompleteRegistration {
    pub(crate) page: Page,
    pub(crate) masked_email: String,
    /// An administrator has prepared it: there is no password to ask for yet.
    pub(crate) prepared: bool,
}

/// P11 `/account/registered`.
#[derive(Template)]
#[template(path = "registered.html")]
pub(crate) struct Registered {
    pub(crate) page: Page,
    /// Fills the login form in; `None` where this browser does not know it.
    pub(crate) email: Option<String>,
    /// What the service does about a second step; `None` where it has none.
    pub(crate) two_step: Option<&'static str>,
}

/// P12: a link that opens nothing; buttons post to P10's path.
#[derive(Template)]
#[template(path = "link_not_usable.html")]
pub(crate) struct LinkNotUsable {
    pub(crate) page: Page,
    pub(crate) why: WhyNotUsable,
}

/// Each has its own next step.
#[derive(Clone)]
pub(crate) enum WhyNotUsable {
    /// 410. `renewable` for 24 hours: the button (`do=renew`) sends a new link and nothing is typed again.
    Expired {
        stopped_at: String,
        lifetime: String,
        renewable: bool,
    },
    /// 410. Given up, or another registration of the address was completed.
    Over,
    /// 410. A newer link has been sent in its place.
    Replaced,
    /// 404. Wrong, cut, forged: a field (`link`, `do=open`) takes the whole link.
    Unknown { typed: String },
}

impl Registered {
    /// P2 with the address filled in.
    pub(crate) fn login_href(&self) -> String {
        let Some(email) = &self.email else {
            return "/account/login".to_owned();
        };
        let query: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
        format!("/account/login?email={query}")
    }
}
