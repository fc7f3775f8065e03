//! P2 Login, P3 Verification code, P28 Timed out.

use askama::Template;

use super::layout::Page;

/// The fields of the login form, which stands on three pages; a password is never among them.
#[derive(Clone, Default)]
pub(crate) struct LoginForm {
    pub(crate) email: String,
    /// Same-origin path to open afterwards, already checked.
    pub(crate) next: Option<String>,
}

/// P2 `/account/login`; posts to itself with `do=login`.
#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct Login {
    pub(crate) page: Page,
    pub(crate) login: LoginForm,
}

/// P28 `/account/timed-out`; posts to P2.
#[derive(Template)]
#[template(path = "timed_out.html")]
pub(crate) struct TimedOut {
    pub(crate) page: Page,
    pub(crate) login: LoginForm,
    /// "30 minutes".
    pub(crate) idle_limit: String,
    /// "12 hours", where that was what ended it.
    pub(crate) longest: Option<String>,
    /// Whether something typed was kept for 24 hours.
    pub(crate) saved: bool,
}

/// P3 `/account/verify`; posts to itself with `do=verify` or `do=resend`.
#[derive(Template)]
#[template(path = "verify.html")]
pub(crate) struct VerifyCode {
    pub(crate) page: Page,
    pub(crate) sent: CodeSent,
    /// `next` of the login, kept through the step.
    pub(crate) next: Option<String>,
}

/// Where a code went and for how long it works.
#[derive(Clone)]
pub(crate) struct CodeSent {
    /// Already masked: `j•••@school.example`.
    pub(crate) masked_email: String,
    /// "10:42 pm".
    pub(crate) sent_at: String,
    pub(crate) works_until: String,
}

/// P32 `/account/confirm-password`; posts to itself with `do=confirm` (and `do=resend` where a code was sent).
#[derive(Template)]
#[template(path = "confirm_password.html")]
pub(crate) struct ConfirmPassword {
    pub(crate) page: Page,
    /// For password managers, and so that people see which account is asked for.
    pub(crate) email: String,
    /// Where two-step verification is on and the password was given: then the code alone is asked for.
    pub(crate) code: Option<CodeSent>,
    pub(crate) next: Option<String>,
}
