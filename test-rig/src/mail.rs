//! Reads a mail back with a parser that has nothing to do with the one that wrote it.

use mail_parser::{MessageParser, MimeHeaders as _, PartType};

/// What a mail program would see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedMail {
    /// Every header of the mail itself, in order: name as written, decoded value unfolded and trimmed.
    pub headers: Vec<(String, String)>,
    /// Every address in `To`, `Cc` and `Bcc`.
    pub recipients: Vec<String>,
    /// The decoded subject.
    pub subject: String,
    /// The media types of all parts, the outermost first, such as `multipart/alternative`.
    pub parts: Vec<String>,
    /// The text part, with `\n` line ends.
    pub text: String,
    /// The HTML part, with `\n` line ends.
    pub html: String,
}

impl ParsedMail {
    /// The values of all headers called `name`, in any case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
            .collect()
    }

    /// The first URL in the text part.
    pub fn first_link(&self) -> Option<&str> {
        let at = self
            .text
            .find("http://")
            .into_iter()
            .chain(self.text.find("https://"))
            .min()?;
        self.text.get(at..)?.split_whitespace().next()
    }
}

/// Parses a mail as it went over the wire or lies in an `.eml` file.
///
/// # Panics
/// When `raw` is no mail at all.
pub fn parse_mail(raw: &[u8]) -> ParsedMail {
    let mail = MessageParser::default()
        .parse(raw)
        .unwrap_or_else(|| panic!("this is no mail"));
    let headers = mail
        .headers_raw()
        .map(|(name, value)| {
            (
                name.to_owned(),
                value
                    .split("\r\n")
                    .map(str::trim)
                    .collect::<Vec<_>>()
                    .join(" ")
                    .trim()
                    .to_owned(),
            )
        })
        .collect();
    let recipients = [mail.to(), mail.cc(), mail.bcc()]
        .into_iter()
        .flatten()
        .flat_map(|list| {
            list.iter()
                .map(|a| a.address().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let media = |p: &mail_parser::MessagePart<'_>| {
        p.content_type().map_or_else(String::new, |t| {
            format!("{}/{}", t.ctype(), t.subtype().unwrap_or_default())
        })
    };
    let body = |html: bool| {
        mail.parts
            .iter()
            .find_map(|p| match &p.body {
                PartType::Text(t) if !html => Some(t.replace("\r\n", "\n")),
                PartType::Html(t) if html => Some(t.replace("\r\n", "\n")),
                _ => None,
            })
            .unwrap_or_default()
    };
    ParsedMail {
        headers,
        recipients,
        subject: mail.subject().unwrap_or_default().to_owned(),
        parts: mail.parts.iter().map(media).collect(),
        text: body(false),
        html: body(true),
    }
}
