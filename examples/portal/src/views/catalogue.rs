//! Every text of a page by its id, in the person's language (R4).
//!
//! A catalogue is a Fluent file a language: `content/i18n/en-GB.ftl` is the measure, and every other one has the same
//! ids with the same values in them. Adding a language is a file and a line in [`SOURCES`].
//!
//! # A page that speaks every language
//!
//! 1. Write its texts into `en-GB.ftl` and `cy.ftl`. Name them after the page: `sent-title`, `sent-lead`.
//! 2. In the handler, make the frame by `ctx.translated_page("sent-title", ..)` and not by `ctx.page("Check your
//!    email", ..)`, which makes a page in English only, whatever the person has chosen.
//! 3. In the template and in the handler (`ctx.t`), ask for a text by a literal id, which the tests look for:
//!
//! ```text
//! {{ page.t("sent-title") }}                                       a text
//! {{ page.fill("sent-wait").set("until", wait.until) }}            a text with values in it
//! {{ page.rich("sent-lead").set("email", email) }}                 the same, where the text holds <strong> or a link
//! ```
//!
//! The template escapes texts as it escapes any value; only what the catalogue itself says in `rich` is markup, and a
//! value in it never is. A refusal's message is found by its reason code: `email.required` is `email-required`.
//!
//! A page in English only may have its texts in its template. Those that it keeps in the catalogue stand below the line
//! "Pages in English only" at the end of `en-GB.ftl` until they are translated.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use askama::filters::{Escaper as _, Html, HtmlSafe};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast::Entry;

/// Tag, name in the language itself, and catalogue of every language; English is the first, and fills gaps.
pub(crate) const SOURCES: [(&str, &str, &str); 2] = [
    ("en-GB", "English", include_str!("../../content/i18n/en-GB.ftl")),
    ("cy", "Cymraeg", include_str!("../../content/i18n/cy.ftl")),
];

static CATALOGUES: LazyLock<Vec<Catalogue>> = LazyLock::new(|| {
    SOURCES
        .iter()
        .map(|(tag, _, source)| Catalogue::read(tag, source))
        .collect()
});

/// A language that there is a catalogue of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language(usize);

impl Language {
    /// What everything is said in where nobody has chosen.
    pub(crate) const ENGLISH: Self = Self(0);

    /// Every language, English first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..SOURCES.len()).map(Self)
    }

    /// The language of a tag: `cy`, and `cy-GB` too.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        Self::all()
            .find(|language| language.tag() == tag)
            .or_else(|| Self::all().find(|language| primary(language.tag()) == primary(tag)))
    }

    /// Its tag, for `lang` and `Content-Language`.
    pub(crate) fn tag(self) -> &'static str {
        SOURCES.get(self.0).map_or("en-GB", |(tag, ..)| tag)
    }

    /// Its name as its speakers write it.
    pub(crate) fn name(self) -> &'static str {
        SOURCES.get(self.0).map_or("English", |(_, name, _)| name)
    }

    /// A text without values.
    pub(crate) fn t(self, id: &'static str) -> &'static str {
        self.find(id).unwrap_or(id)
    }

    /// A text without values, by an id that is put together; `None` where no catalogue has it.
    pub(crate) fn find(self, id: &str) -> Option<&'static str> {
        self.sources()
            .find_map(|catalogue| catalogue.plain.get(id).map(String::as_str))
    }

    /// A text into which values are put by [`Filled::set`].
    pub(crate) fn fill(self, id: impl Into<Cow<'static, str>>) -> Filled {
        Filled {
            language: self,
            id: id.into(),
            values: Vec::new(),
        }
    }

    /// A text that holds markup of its own, into which values are put by [`Rich::set`].
    pub(crate) fn rich(self, id: &'static str) -> Rich {
        Rich(self.fill(id))
    }

    /// Whether there is such a text, with or without values.
    pub(crate) fn has(self, id: &str) -> bool {
        self.sources().any(|catalogue| catalogue.bundle.has_message(id))
    }

    /// Its own catalogue, then the English one.
    fn sources(self) -> impl Iterator<Item = &'static Catalogue> {
        [self, Self::ENGLISH]
            .into_iter()
            .filter_map(|language| CATALOGUES.get(language.0))
    }
}

/// One language's texts, ready to be shown.
struct Catalogue {
    bundle: FluentBundle<FluentResource>,
    /// Those without values, said once and for all.
    plain: HashMap<String, String>,
}

impl Catalogue {
    /// A broken entry is left out, and English stands in for it; a test finds it first.
    fn read(tag: &str, source: &str) -> Self {
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let ids: Vec<String> = resource
            .entries()
            .filter_map(|entry| match entry {
                Entry::Message(message) => Some(message.id.name.to_owned()),
                Entry::Term(_)
                | Entry::Comment(_)
                | Entry::GroupComment(_)
                | Entry::ResourceComment(_)
                | Entry::Junk { .. } => None,
            })
            .collect();
        let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
        // Isolating marks round values would show as boxes in titles and be copied along with addresses.
        bundle.set_use_isolating(false);
        // An id that stands twice keeps its first text; a test finds that too.
        drop(bundle.add_resource(resource));
        let plain = ids
            .into_iter()
            .filter_map(|id| {
                let text = said(&bundle, &id, None)?;
                Some((id, text))
            })
            .collect();
        Self { bundle, plain }
    }
}

/// The text of an id; `None` where there is none or a value in it is missing.
fn said(bundle: &FluentBundle<FluentResource>, id: &str, values: Option<&FluentArgs<'_>>) -> Option<String> {
    let pattern = bundle.get_message(id)?.value()?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, values, &mut errors).into_owned();
    errors.is_empty().then_some(text)
}

/// A text that waits for its values; shown, it is plain text.
#[derive(Clone)]
pub(crate) struct Filled {
    language: Language,
    id: Cow<'static, str>,
    values: Vec<(&'static str, Piece)>,
}

impl Filled {
    /// Puts a value in.
    pub(crate) fn set(mut self, name: &'static str, value: impl Value) -> Self {
        self.values.push((name, value.piece()));
        self
    }

    fn said(&self, escape: bool) -> String {
        let mut values = FluentArgs::new();
        for (name, piece) in &self.values {
            let value = match piece {
                Piece::Number(number) => FluentValue::from(*number),
                Piece::Text(text) if escape => FluentValue::from(escaped(text)),
                Piece::Text(text) => FluentValue::from(text.as_str()),
                Piece::Markup(rich) => FluentValue::from(rich.to_string()),
            };
            values.set(*name, value);
        }
        self.language
            .sources()
            .find_map(|catalogue| said(&catalogue.bundle, &self.id, Some(&values)))
            .unwrap_or_else(|| self.id.clone().into_owned())
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said(false))
    }
}

/// A text with markup that waits for its values.
///
/// # Security
/// What the catalogue says is shown as it stands, so a catalogue is trusted like a template; values are escaped.
#[derive(Clone)]
pub(crate) struct Rich(Filled);

impl Rich {
    /// Puts a value in, which is shown as text.
    pub(crate) fn set(self, name: &'static str, value: impl Value) -> Self {
        Self(self.0.set(name, value))
    }

    /// Puts another text with markup in.
    pub(crate) fn with(mut self, name: &'static str, part: Self) -> Self {
        self.0.values.push((name, Piece::Markup(part)));
        self
    }
}

impl fmt::Display for Rich {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.said(true))
    }
}

impl HtmlSafe for Rich {}

/// A value in a text.
#[derive(Clone)]
pub(crate) enum Piece {
    Number(u64),
    Text(String),
    Markup(Rich),
}

/// What can be put into a text. A number chooses the form of the words around it.
pub(crate) trait Value {
    fn piece(&self) -> Piece;
}

impl Value for str {
    fn piece(&self) -> Piece {
        Piece::Text(self.to_owned())
    }
}

impl Value for String {
    fn piece(&self) -> Piece {
        Piece::Text(self.clone())
    }
}

impl Value for u64 {
    fn piece(&self) -> Piece {
        Piece::Number(*self)
    }
}

impl Value for u32 {
    fn piece(&self) -> Piece {
        Piece::Number(u64::from(*self))
    }
}

impl Value for usize {
    fn piece(&self) -> Piece {
        Piece::Number(u64::try_from(*self).unwrap_or(u64::MAX))
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn piece(&self) -> Piece {
        (**self).piece()
    }
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    match Html.write_escaped_str(&mut html, text) {
        Ok(()) => html,
        // Writing to a string does not fail; nothing is safer than half a text.
        Err(fmt::Error) => String::new(),
    }
}
