//! What the links of a change open: the new address is confirmed, or the change is taken back.

use askama::Template;

use super::layout::Page;

/// `/account/confirm-email-address`; `do=confirm`.
#[derive(Template)]
#[template(path = "confirm_email.html")]
pub(crate) struct ConfirmEmail {
    pub(crate) page: Page,
    /// The new address.
    pub(crate) email: String,
    /// Nobody is signed in, so the account's password is asked for.
    pub(crate) asks_password: bool,
}

/// The link of one account, opened where another one is signed in.
#[derive(Template)]
#[template(path = "somebody_else.html")]
pub(crate) struct SomebodyElse {
    pub(crate) page: Page,
}

/// Asks for the address that the mail went to; `do=take-back` posts to `path`.
#[derive(Template)]
#[template(path = "take_back.html")]
pub(crate) struct TakeBack {
    pub(crate) page: Page,
    pub(crate) path: &'static str,
    /// What the button does, a paragraph each.
    pub(crate) lead: &'static [&'static str],
    /// That address, masked.
    pub(crate) masked: String,
    pub(crate) email: String,
    pub(crate) button: &'static str,
}

/// It is done.
#[derive(Template)]
#[template(path = "taken_back.html")]
pub(crate) struct TakenBack {
    pub(crate) page: Page,
    pub(crate) afterwards: &'static [&'static str],
    /// The next step, and what its link says.
    pub(crate) href: &'static str,
    pub(crate) text: &'static str,
}
