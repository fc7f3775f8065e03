//! A person's data as one HTML file that needs nothing else: readable, printable, and without anything that runs.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The whole file. Every name and every value is escaped; names become headings and labels.
pub(crate) fn data_file(title: &str, parts: &Map<String, Value>) -> String {
    let mut html = String::from(HEAD);
    // Writing to a String cannot fail.
    let _written = write!(
        html,
        "<title>{0}</title></head><body><h1>{0}</h1>",
        Escaped(title)
    );
    for (name, part) in parts {
        match part {
            Value::Object(_) | Value::Array(_) => {
                let _written = write!(html, "<h2>{}</h2>", Escaped(&label(name)));
                tell(part, &mut html);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                let _written = write!(html, "<p>{}: ", Escaped(&label(name)));
                tell(part, &mut html);
                html.push_str("</p>");
            }
        }
    }
    html.push_str("</body></html>\n");
    html
}

const HEAD: &str = "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
<style>body{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}\
dl{display:grid;grid-template-columns:minmax(10rem,1fr) 3fr;gap:.2rem 1rem;margin:0}dt{font-weight:bold}dd{margin:0}\
ol{padding-left:1.5rem}li{margin:.5rem 0;padding:.5rem 0;border-top:1px solid #ccc}</style>";

fn tell(value: &Value, html: &mut String) {
    match value {
        Value::Null => html.push('–'),
        Value::Bool(true) => html.push_str("yes"),
        Value::Bool(false) => html.push_str("no"),
        Value::Number(n) => html.push_str(&n.to_string()),
        Value::String(text) if text.is_empty() => html.push('–'),
        Value::String(text) => {
            let _written = write!(html, "{}", Escaped(text));
        }
        Value::Array(list) if list.is_empty() => html.push_str("<p>Nothing.</p>"),
        Value::Array(list) => {
            html.push_str("<ol>");
            for entry in list {
                html.push_str("<li>");
                tell(entry, html);
                html.push_str("</li>");
            }
            html.push_str("</ol>");
        }
        Value::Object(map) => {
            html.push_str("<dl>");
            for (name, entry) in map {
                let _written = write!(html, "<dt>{}</dt><dd>", Escaped(&label(name)));
                tell(entry, html);
                html.push_str("</dd>");
            }
            html.push_str("</dl>");
        }
    }
}

/// `logged_in_at` as "Logged in at".
fn label(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

/// Text as HTML shows it.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
