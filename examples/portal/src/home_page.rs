//! The front page of a deployment: Markdown with a few placeholders, turned into safe HTML.
//!
//! HTML in the Markdown is shown as text, and links go only to web pages, mail addresses and places on this site:
//! whoever may edit the front page cannot run a script in it.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream, html};

use portal_auth::language::LanguageTag;
use portal_auth::local_time::in_words_of;

use crate::settings::Settings;

/// A front page whose placeholders and links are known to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomePage(String);

/// What is wrong with a front page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HomePageError {
    /// A placeholder has no value.
    #[error("the unknown placeholder `{{{{{0}}}}}`; known are {known}", known = KNOWN.join(", "))]
    Placeholder(String),
    /// A placeholder is opened and not closed.
    #[error("an opening `{{{{` that is never closed; end the placeholder with `}}}}`")]
    Unclosed,
    /// A link or picture leads where none may.
    #[error("the link `{0}`; links may begin with https:, http:, mailto:, / or #")]
    Link(String),
}

impl HomePage {
    /// Reads Markdown.
    ///
    /// # Errors
    /// The first unknown placeholder or unfit link, by its name.
    pub fn parse(markdown: &str) -> Result<Self, HomePageError> {
        for event in events(markdown) {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "no other part of Markdown holds text or an address"
            )]
            match &event {
                Event::Text(text) | Event::Code(text) => {
                    fill(text, &|name| KNOWN.contains(&name).then(String::new))?;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                    if !is_fit(dest_url) =>
                {
                    return Err(HomePageError::Link(dest_url.escape_default().to_string()));
                }
                _ => {}
            }
        }
        Ok(Self(markdown.to_owned()))
    }

    /// The page as HTML, with the values of these settings in the words of its language.
    #[must_use]
    pub fn to_html(&self, language: &LanguageTag, settings: &Settings) -> String {
        let span = |span| in_words_of(language, span);
        let values = HashMap::from([
            ("link_lifetime", span(settings.link_lifetime)),
            ("idle_timeout", span(settings.idle_timeout)),
            ("code_lifetime", span(settings.code_lifetime)),
            ("service_name", settings.service_name.clone()),
        ]);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "no other part of Markdown holds text"
        )]
        let filled = events(&self.0).map(|event| match event {
            Event::Text(text) => Event::Text(filled(text, &values)),
            Event::Code(text) => Event::Code(filled(text, &values)),
            other => other,
        });
        let mut page = String::new();
        html::push_html(&mut page, filled);
        page
    }
}

/// The Markdown's parts, with HTML as text and headings one level down: the page has its own first heading.
fn events(markdown: &str) -> impl Iterator<Item = Event<'_>> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other parts of Markdown stay as they are"
    )]
    let parts = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Heading {
            level,
            classes,
            attrs,
            ..
        }) => Event::Start(Tag::Heading {
            level: lower(level),
            id: None,
            classes,
            attrs,
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        // Text outside any block would stand bare in the page.
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        other => other,
    });
    TextMergeStream::new(parts)
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    level.max(HeadingLevel::H2)
}

fn filled<'a>(text: CowStr<'a>, values: &HashMap<&str, String>) -> CowStr<'a> {
    // `parse` has seen every placeholder, so there is nothing left to refuse here.
    fill(&text, &|name| values.get(name).cloned()).map_or(text, CowStr::from)
}

/// Puts values in the place of `{{name}}`.
fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, HomePageError> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}").ok_or(HomePageError::Unclosed)?;
        let name = name.trim();
        filled.push_str(before);
        filled.push_str(
            &value(name).ok_or_else(|| HomePageError::Placeholder(name.escape_default().to_string()))?,
        );
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_fit(link: &str) -> bool {
    let lower = link.to_ascii_lowercase();
    let absolute = ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme));
    let here = lower.starts_with('#')
        || (lower.starts_with('/') && !lower.starts_with("//") && !lower.starts_with("/\\"));
    absolute || here
}

const KNOWN: [&str; 4] = ["link_lifetime", "idle_timeout", "code_lifetime", "service_name"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Given, load};

    fn html(markdown: &str) -> String {
        let given = Given {
            service_name: Some("<b>&Co".into()),
            link_lifetime: Some("1h".into()),
            ..Given::default()
        };
        let (settings, _) = load(given).unwrap();
        HomePage::parse(markdown)
            .unwrap()
            .to_html(&LanguageTag::default(), &settings)
    }

    #[test]
    fn markdown_becomes_html_below_the_pages_own_heading() {
        assert_eq!(
            html("# Welcome\n\nHello *you*"),
            "<h2>Welcome</h2>\n<p>Hello <em>you</em></p>\n"
        );
        assert!(html("[Log in](/account/login)").contains(r#"<a href="/account/login">Log in</a>"#));
    }

    #[test]
    fn html_and_values_are_shown_as_text() {
        for markdown in [
            "<script>alert(1)</script>",
            "text <img src=x onerror=alert(1)> text",
            "<div onclick=x>\n\nhello\n\n</div>",
            "a {{service_name}} b",
            "`{{service_name}}`",
            "# <b id=x>",
            "<!-- {{service_name}} -->",
        ] {
            let shown = html(markdown);
            for tag in ["<script", "<img", "<div", "<b", "<!--"] {
                assert!(!shown.contains(tag), "{markdown}: {shown}");
            }
        }
        assert!(html("a {{service_name}} b").contains("a &lt;b&gt;&amp;Co b"));
        assert!(html("# A {#x onclick=y}").contains("<h2>A {#x onclick=y}</h2>"));
    }

    #[test]
    fn placeholders_are_filled_and_unknown_ones_named() {
        assert!(
            html("{{link_lifetime}}, {{ idle_timeout }}, **{{code_lifetime}}**")
                .contains("1 hour, 30 minutes, <strong>10 minutes</strong>")
        );
        let refused = |markdown| HomePage::parse(markdown).unwrap_err();
        assert_eq!(
            refused("x {{lifetime}} y"),
            HomePageError::Placeholder("lifetime".into())
        );
        assert_eq!(refused("x {{link_lifetime y"), HomePageError::Unclosed);
        let told = refused("{{lifetime}}").to_string();
        assert!(
            told.contains("`{{lifetime}}`") && told.contains("link_lifetime"),
            "{told}"
        );
        assert!(refused("{{link_lifetime").to_string().contains("`{{`"));
    }

    #[test]
    fn links_that_run_scripts_or_hide_their_host_are_refused() {
        for markdown in [
            "[x](javascript:alert(1))",
            "[x](JAVASCRIPT:alert(1))",
            "[x](java&#115;cript:alert(1))",
            "[x](data:text/html,x)",
            "[x](//evil.example)",
            "[x](/\\evil.example)",
            "![x](javascript:x)",
            "<javascript:alert(1)>",
            "[x]\n\n[x]: vbscript:x",
        ] {
            assert!(
                matches!(HomePage::parse(markdown), Err(HomePageError::Link(_))),
                "{markdown}"
            );
        }
    }
}
