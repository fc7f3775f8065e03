//! P13, P14: a forgotten password, what its link opens, and the page that takes a reset back.

use askama::Template;
use portal_auth::password::wording::RuleLine;

use super::layout::Page;

/// P13 `/account/forgotten-password`; posts to itself with `do=send`.
#[derive(Template)]
#[template(path = "forgotten_password.html")]
pub(crate) struct ForgottenPassword {
    pub(crate) page: Page,
    pub(crate) email: String,
}

/// P14, first step: the Secret Answer; posts to itself with `do=continue`, or `do=slowly` where a reset without it can
/// be asked for.
#[derive(Template)]
#[template(path = "reset_answer.html")]
pub(crate) struct ResetAnswer {
    pub(crate) page: Page,
    /// `None` where the list of questions does not have it any more.
    pub(crate) question: Option<String>,
    pub(crate) tries_left: u32,
    pub(crate) otherwise: Otherwise,
}

/// What there is for somebody who cannot answer.
#[derive(Clone)]
pub(crate) enum Otherwise {
    /// "24 hours".
    Delayed {
        delay: String,
    },
    /// "10:40 pm on 4 May".
    Waits {
        until: String,
    },
    Administrator,
    Nothing,
}

/// P14, second step: the new password; posts to itself with `do=save`.
#[derive(Template)]
#[template(path = "reset_password.html")]
pub(crate) struct ResetPassword {
    pub(crate) page: Page,
    /// For password managers.
    pub(crate) email: String,
    pub(crate) rules: Vec<RuleLine>,
    /// The `passwordrules` attribute (R7).
    pub(crate) password_rules: String,
}

/// P14 while too many wrong answers have paused the recovery.
#[derive(Template)]
#[template(path = "reset_paused.html")]
pub(crate) struct ResetPaused {
    pub(crate) page: Page,
    /// "10:40 pm on 4 May"; `None` until an administrator helps.
    pub(crate) until: Option<String>,
}

/// `/account/cancel-recovery`; posts to itself with `do=cancel`.
#[derive(Template)]
#[template(path = "cancel_recovery.html")]
pub(crate) struct CancelRecovery {
    pub(crate) page: Page,
    pub(crate) masked_email: String,
    /// "10:40 pm on 4 May".
    pub(crate) due: String,
    pub(crate) email: String,
}
