//! P20 to P22: what protects the account is changed.

use askama::Template;
use portal_auth::password::wording::RuleLine;

use super::layout::{MenuItem, Page};
use super::register::Choice;

/// P20 `/account/change-email-address`; `do=save`.
#[derive(Template)]
#[template(path = "change_email.html")]
pub(crate) struct ChangeEmail {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    /// The present address: shown, and hidden again for password managers.
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) email2: String,
    /// Where to go first, for somebody whose last proof is too old.
    pub(crate) confirm: Option<String>,
}

/// P21 `/account/change-password`; `do=save`.
#[derive(Template)]
#[template(path = "change_password.html")]
pub(crate) struct ChangePassword {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    pub(crate) username: String,
    /// The policy's own lines, by whose ids the script finds the checks.
    pub(crate) rules: Vec<RuleLine>,
    /// The `passwordrules` attribute (R7).
    pub(crate) password_rules: String,
    pub(crate) confirm: Option<String>,
}

/// P22 `/account/change-secret-question`; `do=save`.
#[derive(Template)]
#[template(path = "change_secret_question.html")]
pub(crate) struct ChangeSecretQuestion {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    pub(crate) username: String,
    /// Id of the chosen question; empty for none. The one in force is not shown (ANS-6).
    pub(crate) question: String,
    pub(crate) questions: Vec<Choice>,
    /// A question in the person's own words; `None` where the setting allows none.
    pub(crate) own_question: Option<String>,
    pub(crate) confirm: Option<String>,
}
