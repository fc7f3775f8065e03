//! P4 to P8: the three steps of a registration, its answers once more, and what Back shows after it was sent.

use askama::Template;
use portal_auth::password::wording::RuleLine;

use super::account::SummaryRow;
use super::catalogue::Language;
use super::details::{AboutFields, RoleFields};
use super::layout::Page;

/// The step list above each step.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) state: StepState,
}

/// A finished step is a link, the current one is marked, a later one is plain text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepState {
    Done,
    Current,
    Later,
}

/// An entry of a select, radio group or list of suggestions.
#[derive(Clone)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) text: String,
}

/// P4 `/account/register/security-details`; `do=next`.
#[derive(Template)]
#[template(path = "security_details.html")]
pub(crate) struct SecurityDetails {
    pub(crate) page: Page,
    pub(crate) steps: Vec<Step>,
    pub(crate) email: String,
    /// `None` where the setting leaves the field out.
    pub(crate) email2: Option<String>,
    pub(crate) ask_password_twice: bool,
    /// The policy's own lines, by whose ids the script finds the checks.
    pub(crate) rules: Vec<RuleLine>,
    /// The `passwordrules` attribute (R7).
    pub(crate) password_rules: String,
    /// Id of the chosen question; empty for none.
    pub(crate) question: String,
    /// A question in the person's own words; `None` where the setting allows none.
    pub(crate) own_question: Option<String>,
    /// Empty where the preset has no secret question.
    pub(crate) questions: Vec<Choice>,
    /// The draft holds hashes of password and answer.
    pub(crate) secrets_are_set: bool,
}

/// P5 `/account/register/about-you`; `do=next`, `do=previous`.
#[derive(Template)]
#[template(path = "about_you.html")]
pub(crate) struct AboutYou {
    pub(crate) page: Page,
    pub(crate) steps: Vec<Step>,
    pub(crate) about: AboutFields,
    pub(crate) advice: Option<AddressAdvice>,
    /// The person has said that the address is meant.
    pub(crate) address_kept: bool,
}

/// A question or advice about the address (R6); whoever ignores it goes on.
#[derive(Clone)]
pub(crate) struct AddressAdvice {
    pub(crate) text: String,
    /// Where the address can be changed.
    pub(crate) change: String,
    /// The same page without the advice.
    pub(crate) keep: String,
}

/// P6 and P7 `/account/register/work-details`; `do=find`, `manual`, `previous`, and `submit` or `next`. Return in a field sends no `do` at all,
/// which means the last of them.
#[derive(Template)]
#[template(path = "work_details.html")]
pub(crate) struct WorkDetails {
    pub(crate) page: Page,
    pub(crate) steps: Vec<Step>,
    pub(crate) work: RoleFields,
    /// Whether the registration is sent off from here; P8 follows otherwise.
    pub(crate) is_last: bool,
}

/// P8 `/account/register/check`; `do=submit`, `previous`.
#[derive(Template)]
#[template(path = "check_answers.html")]
pub(crate) struct CheckAnswers {
    pub(crate) page: Page,
    pub(crate) steps: Vec<Step>,
    /// Every answer, each with the way to its field.
    pub(crate) rows: Vec<SummaryRow>,
}

/// Back after the registration was sent (R12).
#[derive(Template)]
#[template(path = "already_sent.html")]
pub(crate) struct AlreadySent {
    pub(crate) page: Page,
    pub(crate) next_href: String,
    pub(crate) next_text: String,
}

impl Step {
    /// The three steps in English.
    #[allow(dead_code, reason = "for the gallery and the tests")]
    pub(crate) fn list(current: usize, done: usize) -> Vec<Self> {
        Self::list_in(Language::ENGLISH, current, done)
    }

    /// The three steps with `current` (1 to 3) marked; `done` steps can be opened again.
    pub(crate) fn list_in(language: Language, current: usize, done: usize) -> Vec<Self> {
        let names = [
            (language.t("security-title"), "security-details"),
            (language.t("about-title"), "about-you"),
            (language.t("work-title"), "work-details"),
        ];
        names
            .into_iter()
            .zip(1..)
            .map(|((label, path), number)| Self {
                label: label.to_owned(),
                href: format!("/account/register/{path}"),
                state: match number {
                    n if n == current => StepState::Current,
                    n if n <= done => StepState::Done,
                    _ => StepState::Later,
                },
            })
            .collect()
    }
}

impl Choice {
    pub(crate) fn new(value: &str, text: &str) -> Self {
        Self {
            value: value.to_owned(),
            text: text.to_owned(),
        }
    }
}
