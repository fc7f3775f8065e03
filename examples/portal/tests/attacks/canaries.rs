//! Secrets that nobody else has, and every form in which a careless program could write one down.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use base64ct::{Base64, Base64Unpadded, Base64UrlUnpadded, Encoding as _};

use crate::chance::Chance;
use crate::rig::Person;

/// What must never be written down, by the text itself, and what it is.
#[derive(Debug)]
pub struct Secrets {
    known: BTreeMap<String, Kind>,
    pub chance: Chance,
}

/// What a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Password,
    Answer,
    /// The token of a mailed link.
    Link,
    /// A cookie's value.
    Cookie,
    /// The hidden field of a form.
    Form,
    Code,
}

impl Secrets {
    /// None so far; those that people choose are drawn from `chance`.
    pub const fn new(chance: Chance) -> Self {
        let known = BTreeMap::new();
        Self { known, chance }
    }

    /// A password that keeps every rule.
    pub fn password(&mut self) -> String {
        let password = format!("Pw-{}-47-Canary", self.chance.text(LETTERS, 12));
        self.keep(Kind::Password, &password);
        password
    }

    /// A secret answer.
    pub fn answer(&mut self) -> String {
        let answer = format!("Answer {}", self.chance.text(LETTERS, 12));
        // ANS-2: as it is compared.
        self.keep(Kind::Answer, &answer.to_lowercase());
        self.keep(Kind::Answer, &answer);
        answer
    }

    /// Keeps the token of a mailed link.
    pub fn link(&mut self, link: &str) {
        let (_, token) = link.split_once("t=").expect("a link with its token");
        self.keep(Kind::Link, token);
    }

    /// Keeps a code.
    pub fn code(&mut self, code: &str) {
        self.keep(Kind::Code, code);
    }

    /// Keeps what a browser holds.
    pub fn of_browser(&mut self, person: &Person) {
        for (name, value) in person.cookies() {
            // The language that was chosen is no secret.
            if value.len() == 43 && !name.ends_with("_lang") {
                self.keep(Kind::Cookie, value);
            }
        }
    }

    /// Keeps a secret of a kind.
    pub fn keep(&mut self, kind: Kind, secret: &str) {
        self.known.entry(secret.to_owned()).or_insert(kind);
    }

    /// How many there are of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.known.values().filter(|k| **k == kind).count()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// The bytes behind the tokens of a kind, as hexadecimal digits: the random half and the tag.
    pub fn token_bytes(&self, kind: Kind) -> Vec<(String, String)> {
        let tokens = self.known.iter().filter(|(_, k)| **k == kind);
        let bytes = tokens.map(|(token, _)| Base64UrlUnpadded::decode_vec(token).expect("a token"));
        bytes
            .map(|bytes| (hex(&bytes[..16]), hex(&bytes[16..])))
            .collect()
    }
}

/// Looks for many texts at once.
#[derive(Debug)]
pub struct Search {
    automaton: AhoCorasick,
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    what: String,
    /// Six digits can stand in a time or a length by chance, so a code is looked for as a word of its own.
    is_word: bool,
}

impl Search {
    /// Looks for every form of the secrets of these kinds.
    pub fn new(secrets: &Secrets, kinds: &[Kind]) -> Self {
        let mut texts = Vec::new();
        let mut patterns = Vec::new();
        for (secret, kind) in secrets.known.iter().filter(|(_, kind)| kinds.contains(kind)) {
            let is_code = *kind == Kind::Code;
            let forms = if is_code {
                let encoded = Base64::encode_string(secret.as_bytes());
                vec![secret.clone(), encoded, hex(secret.as_bytes())]
            } else {
                forms(secret)
            };
            for form in forms {
                let is_word = is_code && form == *secret;
                let what = format!("{kind:?} {secret}, as {form}");
                texts.push(form.into_bytes());
                patterns.push(Pattern { what, is_word });
            }
        }
        Self::of(&texts, patterns)
    }

    /// Looks for these texts.
    pub fn of_texts(texts: impl IntoIterator<Item = String>) -> Self {
        let texts: Vec<_> = texts.into_iter().map(String::into_bytes).collect();
        let named = |text: &Vec<u8>| String::from_utf8_lossy(text).into_owned();
        let patterns = texts
            .iter()
            .map(|text| Pattern {
                what: named(text),
                is_word: false,
            })
            .collect();
        Self::of(&texts, patterns)
    }

    /// Looks for these bytes.
    pub fn of_bytes(bytes: &[Vec<u8>]) -> Self {
        let patterns = bytes
            .iter()
            .map(|bytes| Pattern {
                what: hex(bytes),
                is_word: false,
            })
            .collect();
        Self::of(bytes, patterns)
    }

    fn of(texts: &[Vec<u8>], patterns: Vec<Pattern>) -> Self {
        assert!(!texts.is_empty(), "nothing to look for");
        // Hexadecimal digits are written in either case.
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(texts)
            .unwrap();
        Self { automaton, patterns }
    }

    /// How many forms of each secret are looked for, on average.
    pub fn forms_of_each(&self) -> usize {
        let words = self
            .patterns
            .iter()
            .map(|pattern| pattern.what.split(", as ").next());
        let secrets: std::collections::BTreeSet<_> = words.collect();
        self.patterns.len() / secrets.len()
    }

    /// The first that stands in the text, with what is around it.
    pub fn found_in(&self, text: &str) -> Option<String> {
        self.found_in_bytes(text.as_bytes())
    }

    /// The first that stands in the bytes, with what is around it.
    pub fn found_in_bytes(&self, bytes: &[u8]) -> Option<String> {
        let mut found = self.automaton.find_overlapping_iter(bytes);
        let found = found.find(|found| {
            !self.patterns[found.pattern().as_usize()].is_word || is_a_word(bytes, found.start(), found.end())
        })?;
        let around = &bytes[found.start().saturating_sub(200)..bytes.len().min(found.end() + 100)];
        let what = &self.patterns[found.pattern().as_usize()].what;
        Some(format!("{what}\n…{}…", String::from_utf8_lossy(around)))
    }
}

/// Whether neither letters nor digits, nor the points and strokes of numbers and dates, stand beside it.
fn is_a_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b".:_-".contains(byte) || !byte.is_ascii();
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    !before.is_some_and(inside) && !bytes.get(end).is_some_and(inside)
}

const LETTERS: &str = "abcdefghijkmnpqrstuvwxyz";

pub const ALL: [Kind; 6] = [
    Kind::Password,
    Kind::Answer,
    Kind::Link,
    Kind::Cookie,
    Kind::Form,
    Kind::Code,
];

/// A secret as it is, in base64 at each of the three places it can begin at, in hexadecimal digits, percent-encoded
/// and as a list of bytes; letters of hexadecimal digits are small.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let listed: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let encoded: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let percent: String = bytes.iter().map(|b| format!("%{b:02x}")).collect();
    let mut forms = vec![secret.to_owned(), encoded, percent, hex(bytes), listed.join(", ")];
    for skipped in 0..3 {
        // Without the ends, which depend on what stands beside them.
        let inner = &bytes[skipped..];
        let inner = &inner[..inner.len() / 3 * 3];
        // Chance writes what is shorter into a token now and then.
        if inner.len() < 6 {
            continue;
        }
        forms.push(Base64::encode_string(inner));
        forms.push(Base64UrlUnpadded::encode_string(inner));
        forms.push(Base64Unpadded::encode_string(inner));
    }
    if let Ok(decoded) = Base64UrlUnpadded::decode_vec(secret) {
        let listed: Vec<_> = decoded.iter().map(u8::to_string).collect();
        forms.extend([hex(&decoded), listed.join(", "), Base64::encode_string(&decoded)]);
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
