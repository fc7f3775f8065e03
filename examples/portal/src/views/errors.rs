//! P24: pages for what went wrong. They need neither database nor session.

use askama::Template;

use super::catalogue::Language;
use super::layout::Page;

/// P24; [`Problem::title`] belongs into the page's title.
#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    pub(crate) page: Page,
    pub(crate) problem: Problem,
}

/// What happened; each page names a next step.
#[derive(Clone)]
pub(crate) enum Problem {
    /// 404.
    NotFound,
    /// 403: a form that another site sent (R13).
    OtherSite,
    /// 400, 415, 431: what no page of the portal sends.
    Unreadable,
    /// 413; "1 MB".
    TooLarge { limit: String },
    /// 421: the service is not known under this address.
    OtherAddress { base_url: String },
    /// 429, with `Retry-After`.
    TooManyTries { minutes: u64 },
    /// 500; the id is in the log. `again` carries what was typed, secrets left out.
    Broken {
        reference: String,
        again: Option<TryAgain>,
    },
    /// 503, with `Retry-After`. `again` as above.
    Unavailable {
        until: Option<String>,
        again: Option<TryAgain>,
    },
}

/// A form that sends the same values once more.
#[derive(Clone)]
pub(crate) struct TryAgain {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl TryAgain {
    /// Whether it carries something a person typed, and not only what belongs to every form.
    pub(crate) fn carries_typed(&self) -> bool {
        let ours = ["form_token", "sealed", "do", "next"];
        self.fields.iter().any(|(name, _)| !ours.contains(&name.as_str()))
    }
}

impl Problem {
    /// Heading and page title in English.
    #[allow(dead_code, reason = "for the gallery and the tests")]
    pub(crate) fn title(&self) -> &'static str {
        self.title_in(Language::ENGLISH)
    }

    /// Heading and page title.
    pub(crate) fn title_in(&self, language: Language) -> &'static str {
        match self {
            Self::NotFound => language.t("problem-not-found"),
            Self::OtherSite => language.t("problem-other-site"),
            Self::Unreadable => language.t("problem-unreadable"),
            Self::TooLarge { .. } => language.t("problem-too-large"),
            Self::OtherAddress { .. } => language.t("problem-other-address"),
            Self::TooManyTries { .. } => language.t("problem-too-many"),
            Self::Broken { .. } => language.t("problem-broken"),
            Self::Unavailable { .. } => language.t("problem-unavailable"),
        }
    }
}
