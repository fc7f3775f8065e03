//! What every page shares: title, header, notice, errors and the hidden form token.

use super::catalogue::{Filled, Language, Rich};

/// The frame around a page; every view has one in its field `page`.
#[derive(Clone)]
pub(crate) struct Page {
    /// Name of the page, without service name and "Error: ".
    pub(crate) title: String,
    pub(crate) service_name: String,
    /// `PORTAL_HELP_EMAIL`; pages fall back to "your administrator".
    pub(crate) help_email: Option<String>,
    pub(crate) signed_in: Option<SignedInHeader>,
    /// Hidden field of every form; see [`Page::has_forms`].
    pub(crate) form_token: String,
    /// Changes with every asset, so that browsers may keep assets for ever.
    pub(crate) asset_version: String,
    pub(crate) notice: Option<Notice>,
    /// When a reset without the Secret Answer takes effect, "10:40 pm on 4 May", where one waits (RST-7).
    pub(crate) recovery_due: Option<String>,
    /// In the order of the fields on the page.
    pub(crate) errors: Vec<FieldMessage>,
    pub(crate) here: Place,
    /// The page's form that the script keeps while somebody types into it.
    pub(crate) typed: Option<TypedHere>,
    /// What the page is written in.
    pub(crate) language: Language,
    /// What the person has chosen; another one where the page is in English only.
    pub(crate) chosen: Language,
    /// Path and query of this page, for the way back from the choice of a language; empty where there is none.
    pub(crate) target: String,
    /// Paths of entries of the menu whose pages the settings leave out.
    pub(crate) left_out: Vec<&'static str>,
}

/// A form whose fields are kept while somebody types (R11).
#[derive(Clone)]
pub(crate) struct TypedHere {
    /// Its action, and the page's own path.
    pub(crate) path: String,
    /// The names of the fields that may be kept, with blanks between them.
    pub(crate) fields: String,
    /// Whether the page answers a form and shows what was typed there: nobody has kept it yet.
    pub(crate) unsaved: bool,
}

/// The header of a signed-in person.
#[derive(Clone)]
pub(crate) struct SignedInHeader {
    /// Forename and surname, or the email address.
    pub(crate) name: String,
    /// "30 minutes": every signed-in page states it, since without scripts nothing warns (R10).
    pub(crate) idle_limit: String,
    /// What the time-out dialog must know.
    pub(crate) time_out: TimeOut,
    /// Where the administrators' pages begin; for administrators alone.
    pub(crate) administration: Option<String>,
}

/// When the session ends unless its person does something (R10).
#[derive(Clone, Default)]
pub(crate) struct TimeOut {
    /// Seconds left when the page is made.
    pub(crate) left: u64,
    /// Seconds before the end at which the dialog opens.
    pub(crate) warn: u64,
    /// The same as "2 minutes".
    pub(crate) warn_words: String,
    /// "12 hours": how long a login lasts at most.
    pub(crate) longest: String,
    /// "10:40 pm": when that is over.
    pub(crate) longest_until: String,
}

/// A sentence above the form.
#[derive(Clone)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) kind: NoticeKind,
    /// Text and target of a link after it.
    pub(crate) link: Option<(String, String)>,
}

/// How urgently assistive technology announces a notice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// Something was done: `role=status`.
    Done,
    /// The person has to do something again: `role=alert`.
    Attention,
}

/// One error: the `name` of its field, or an empty one where no field is to blame.
#[derive(Clone)]
pub(crate) struct FieldMessage {
    pub(crate) field: String,
    pub(crate) message: String,
}

/// The entry of the header navigation that is marked as the current one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Home,
    Login,
    Register,
    Account,
    Elsewhere,
}

/// An entry of the My Account menu.
#[derive(Clone)]
pub(crate) struct MenuItem {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) current: bool,
}

impl Page {
    /// A page without person, notice or errors.
    pub(crate) fn new(title: &str, service_name: &str, form_token: &str, asset_version: &str) -> Self {
        Self {
            title: title.to_owned(),
            service_name: service_name.to_owned(),
            help_email: None,
            signed_in: None,
            form_token: form_token.to_owned(),
            asset_version: asset_version.to_owned(),
            notice: None,
            recovery_due: None,
            errors: Vec::new(),
            here: Place::Elsewhere,
            typed: None,
            language: Language::ENGLISH,
            chosen: Language::ENGLISH,
            target: String::new(),
            left_out: Vec::new(),
        }
    }

    /// `<title>`: an error says so first, so that a screen reader reads it first (R3).
    pub(crate) fn document_title(&self) -> String {
        let page = format!("{} - {}", self.title, self.service_name);
        if self.errors.is_empty() {
            page
        } else {
            format!("{} {page}", self.t("error-mark"))
        }
    }

    /// A text of the catalogue, in the page's language.
    pub(crate) fn t(&self, id: &'static str) -> &'static str {
        self.language.t(id)
    }

    /// A text of the catalogue that takes values.
    pub(crate) fn fill(&self, id: &'static str) -> Filled {
        self.language.fill(id)
    }

    /// A text of the catalogue that holds markup.
    pub(crate) fn rich(&self, id: &'static str) -> Rich {
        self.language.rich(id)
    }

    /// Whom to write to: the address as a link, or "your administrator".
    pub(crate) fn contact(&self) -> Rich {
        match &self.help_email {
            Some(email) => self.rich("contact-email").set("email", email),
            None => self.rich("your-administrator"),
        }
    }

    /// The languages that can be chosen instead.
    pub(crate) fn other_languages(&self) -> impl Iterator<Item = Language> {
        let chosen = self.chosen;
        Language::all().filter(move |language| *language != chosen)
    }

    /// The name of an entry of the menu, by the last part of its path; as it stands where no catalogue has it.
    pub(crate) fn menu_label<'a>(&self, item: &'a MenuItem) -> &'a str {
        let last = item.href.rsplit('/').next().unwrap_or_default();
        self.language.find(&format!("menu-{last}")).unwrap_or(&item.label)
    }

    /// Whether the settings leave the entry in the menu.
    pub(crate) fn offers(&self, item: &MenuItem) -> bool {
        !self.left_out.contains(&item.href.as_str())
    }

    /// Where the menu leads an administrator.
    pub(crate) fn administration(&self) -> Option<&str> {
        self.signed_in.as_ref()?.administration.as_deref()
    }

    /// The message beside a field.
    pub(crate) fn error(&self, field: &str) -> Option<&str> {
        self.errors
            .iter()
            .find(|e| e.field == field)
            .map(|e| e.message.as_str())
    }

    /// The ids a field is described by: its error first, then its hint, then `more` (R3).
    pub(crate) fn described_by(&self, field: &str, hint: &str, more: &str) -> String {
        let error = if self.error(field).is_some() {
            format!("{field}-error")
        } else {
            String::new()
        };
        let hint = if hint.is_empty() {
            String::new()
        } else {
            format!("{field}-hint")
        };
        let ids = [error.as_str(), hint.as_str(), more];
        ids.into_iter()
            .filter(|id| !id.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Whether the notice says that something was done.
    pub(crate) fn is_done(&self) -> bool {
        let notice = self.notice.as_ref();
        notice.is_some_and(|notice| notice.kind == NoticeKind::Done)
    }

    /// False on static error pages, which are shown where no token could be made.
    pub(crate) fn has_forms(&self) -> bool {
        !self.form_token.is_empty()
    }
}

impl Notice {
    pub(crate) fn done(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            kind: NoticeKind::Done,
            link: None,
        }
    }

    /// R13: the form was open for so long that its token no longer counts.
    #[cfg(test)]
    pub(crate) fn stale_form() -> Self {
        Self::stale_form_in(Language::ENGLISH)
    }

    /// R13 in a language.
    pub(crate) fn stale_form_in(language: Language) -> Self {
        Self::attention(language.t("stale-form"))
    }

    pub(crate) fn attention(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            kind: NoticeKind::Attention,
            link: None,
        }
    }
}

impl Notice {
    /// The same with a link after it.
    pub(crate) fn with_link(mut self, text: &str, href: &str) -> Self {
        self.link = Some((text.to_owned(), href.to_owned()));
        self
    }
}

impl FieldMessage {
    pub(crate) fn new(field: &str, message: &str) -> Self {
        Self {
            field: field.to_owned(),
            message: message.to_owned(),
        }
    }

    /// An error that blames no field, such as a wrong pair of address and password.
    pub(crate) fn general(message: &str) -> Self {
        Self::new("", message)
    }
}

impl MenuItem {
    pub(crate) fn new(label: &str, href: &str) -> Self {
        Self {
            label: label.to_owned(),
            href: href.to_owned(),
            current: false,
        }
    }
}
