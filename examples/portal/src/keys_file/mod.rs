//! The keys file: one key a line, `list id state secret`.
//!
//! Three lists (`token`, `pepper`, `pseudonym`), four states (`announced`, `signing`, `verifying`, `retired`), and
//! a secret of at least 32 bytes in base64url (CFG-1). Exactly one key of each list is `signing`. Errors name the
//! line and the fix and never a secret.

mod disk;
mod rotation;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

pub use self::disk::{change, exposure, generate, read, read_or_generate};
pub use self::rotation::{Retirement, announce, new_keys, promote, retire};

/// What the keys of a list are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
#[non_exhaustive]
pub enum KeyList {
    /// Links, codes, sessions and devices.
    Token,
    /// Password hashes and secret answers; each names its key.
    Pepper,
    /// The names of addresses and networks in throttle rows and logs.
    Pseudonym,
}

/// How far a key is through its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// Every process may check with it; none signs with it yet.
    Announced,
    /// New things are made with it.
    Signing,
    /// What was made with it still counts.
    Verifying,
    /// Nothing made with it counts any more.
    Retired,
}

/// One line of the keys file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyLine {
    /// What the key is for.
    pub list: KeyList,
    /// Its name: unique in the file, 1 to 32 lower-case letters, digits and dashes.
    pub id: String,
    /// How far it is through its life.
    pub state: KeyState,
    /// The secret itself, at least 32 bytes; wiped when dropped.
    pub secret: Zeroizing<Vec<u8>>,
}

/// Why the keys file cannot be used or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// There is no file.
    #[error("there is no keys file {}; make it with `portal keys generate`", .0.display())]
    Missing(PathBuf),
    /// There is a file already.
    #[error("the keys file {} exists already; use `portal keys announce` to add a key to it", .0.display())]
    Exists(PathBuf),
    /// Another change is being made, or one was cut short.
    #[error("{} exists: another change of the keys is under way; if there is none, remove that file", .0.display())]
    UnderChange(PathBuf),
    /// A line is wrong.
    #[error("line {line} {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong and how to mend it.
        what: &'static str,
    },
    /// The file as a whole is wrong.
    #[error("the file {0}")]
    File(String),
    /// The change is not allowed.
    #[error("{0}")]
    Refused(String),
    /// Reading or writing failed.
    #[error("{} cannot be {what} ({source})", path.display())]
    Io {
        /// Of which file.
        path: PathBuf,
        /// What was tried: `read`, `written`.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The system gave no randomness.
    #[error("no new key could be drawn")]
    Entropy(#[from] portal_auth::error::Fault),
}

/// Reads the text of a keys file.
///
/// Blank lines and lines that begin with `#` do not count.
///
/// # Errors
/// The first thing that is wrong, by line.
pub fn parse(text: &str) -> Result<Vec<KeyLine>, KeysError> {
    let mut keys: Vec<KeyLine> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |what| KeysError::Line { line: number, what };
        let key = parse_line(line).map_err(wrong)?;
        if keys.iter().any(|other| other.id == key.id) {
            return Err(wrong("repeats the id of a line above; give each key its own id"));
        }
        if keys.iter().any(|other| other.secret == key.secret) {
            return Err(wrong(
                "repeats the secret of a line above; make another key with `portal keys announce`",
            ));
        }
        keys.push(key);
    }
    check(&keys)?;
    Ok(keys)
}

/// Writes keys as the text of a keys file.
#[must_use]
pub fn to_text(keys: &[KeyLine]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::from(HEADER));
    for key in keys {
        let secret = Zeroizing::new(Base64UrlUnpadded::encode_string(&key.secret));
        for part in [
            key.list.word(),
            " ",
            &key.id,
            " ",
            key.state.word(),
            " ",
            &secret,
            "\n",
        ] {
            text.push_str(part);
        }
    }
    text
}

/// What must hold of all keys together.
fn check(keys: &[KeyLine]) -> Result<(), KeysError> {
    for list in [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym] {
        let word = list.word();
        let signing = keys
            .iter()
            .filter(|key| key.list == list && key.state == KeyState::Signing)
            .count();
        if signing != 1 {
            return Err(KeysError::File(format!(
                "has {signing} keys `{word} … signing`; exactly one key of each list must be signing"
            )));
        }
    }
    let live = keys
        .iter()
        .filter(|key| key.list == KeyList::Token && key.is_live())
        .count();
    if live > MOST_LIVE_TOKEN_KEYS {
        return Err(KeysError::File(format!(
            "has {live} live token keys; retire some, at most {MOST_LIVE_TOKEN_KEYS} may be announced, signing or verifying"
        )));
    }
    Ok(())
}

fn parse_line(line: &str) -> Result<KeyLine, &'static str> {
    let mut words = line.split_ascii_whitespace();
    let (Some(list), Some(id), Some(state), Some(secret), None) = (
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ) else {
        return Err("must have four words: list, id, state and secret");
    };
    let list = list.parse()?;
    let id_is_right = (1..=32).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !id_is_right {
        return Err("has a wrong id; write 1 to 32 lower-case letters, digits and dashes");
    }
    let state = state.parse()?;
    let secret = Zeroizing::new(
        Base64UrlUnpadded::decode_vec(secret)
            .map_err(|_| "has a secret that is not base64url without padding")?,
    );
    if secret.len() < LEAST_SECRET {
        return Err("has a secret shorter than 32 bytes; make a new key with `portal keys`");
    }
    if looks_made_up(&secret) {
        return Err("has a secret that is not random; make a new key with `portal keys`");
    }
    Ok(KeyLine {
        list,
        id: id.to_owned(),
        state,
        secret,
    })
}

/// Whether the bytes are an example, a passphrase or a filler rather than drawn: text only, a run of numbers, few
/// different bytes, or a beginning that repeats itself. Drawn bytes meet any of these less than once in 10^13 keys.
fn looks_made_up(secret: &[u8]) -> bool {
    let text = secret.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    let step = |pair: &[u8]| matches!(pair, [a, b] if b.wrapping_sub(*a) == 1);
    let run = secret.windows(2).filter(|pair| step(pair)).count() >= LEAST_SECRET / 2;
    let mut different = Zeroizing::new(secret.to_vec());
    different.sort_unstable();
    different.dedup();
    let few = different.len() < 8;
    let repeats = |period| secret.iter().zip(secret.iter().skip(period)).all(|(a, b)| a == b);
    text || run || few || (1..=secret.len() / 2).any(repeats)
}

impl KeyList {
    /// The word for it in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Pepper => "pepper",
            Self::Pseudonym => "pseudonym",
        }
    }
}

impl KeyState {
    /// The word for it in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Signing => "signing",
            Self::Verifying => "verifying",
            Self::Retired => "retired",
        }
    }
}

impl FromStr for KeyList {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "token" => Ok(Self::Token),
            "pepper" => Ok(Self::Pepper),
            "pseudonym" => Ok(Self::Pseudonym),
            _ => Err("has an unknown list; write token, pepper or pseudonym"),
        }
    }
}

impl FromStr for KeyState {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "announced" => Ok(Self::Announced),
            "signing" => Ok(Self::Signing),
            "verifying" => Ok(Self::Verifying),
            "retired" => Ok(Self::Retired),
            _ => Err("has an unknown state; write announced, signing, verifying or retired"),
        }
    }
}

impl KeyLine {
    /// Whether things made with it count.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state != KeyState::Retired
    }
}

impl fmt::Debug for KeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLine")
            .field("list", &self.list)
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The shortest secret that is accepted (CFG-1).
const LEAST_SECRET: usize = 32;
/// The most token keys that may be live: each costs a check for a forged token.
pub(crate) const MOST_LIVE_TOKEN_KEYS: usize = 4;
const HEADER: &str = "# Secret keys of the portal: list id state secret. `portal keys` writes this file; other comments are not kept.\n";

#[cfg(test)]
mod tests {
    use super::*;
    use portal_auth::environment::SystemEntropy;

    #[test]
    fn what_is_written_is_read_back() {
        let keys = new_keys(&SystemEntropy::default()).unwrap();
        assert_eq!(parse(&to_text(&keys)).unwrap(), keys);
    }

    #[test]
    fn a_wrong_line_is_told_by_its_number_and_without_its_secret() {
        // CFG-1
        let good = to_text(&new_keys(&SystemEntropy::default()).unwrap()).to_string();
        let drawn = Base64UrlUnpadded::encode_string(&new_keys(&SystemEntropy::default()).unwrap()[0].secret);
        let encoded = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let run: Vec<u8> = (0..32).collect();
        for (line, expected) in [
            ("token x signing".to_owned(), "four words"),
            (format!("token x signing {drawn} more"), "four words"),
            (format!("tokens x announced {drawn}"), "unknown list"),
            (format!("token X announced {drawn}"), "wrong id"),
            (format!("token {} announced {drawn}", "x".repeat(33)), "wrong id"),
            (format!("token x active {drawn}"), "unknown state"),
            (format!("token x announced {drawn}="), "not base64url"),
            (
                format!("token x announced {}", drawn.get(1..).unwrap()),
                "has a secret",
            ),
            (
                format!("token x announced {}", encoded(&[7; 31])),
                "shorter than 32",
            ),
            (format!("token x announced {}", encoded(&[0; 32])), "not random"),
            (format!("token x announced {}", encoded(&run)), "not random"),
            (
                format!(
                    "token x announced {}",
                    encoded(b"change-me-change-me-change-me-please")
                ),
                "not random",
            ),
            (
                format!("token x announced {}", "changemechangeme".repeat(3)),
                "not random",
            ),
        ] {
            let told = parse(&format!("{good}{line}\n")).unwrap_err().to_string();
            assert!(
                told.starts_with("line 5 ") && told.contains(expected),
                "{line}: {told}"
            );
            assert!(!told.contains(drawn.get(..20).unwrap()), "{told}");
        }
    }

    #[test]
    fn ids_and_secrets_are_not_used_twice() {
        let keys = new_keys(&SystemEntropy::default()).unwrap();
        let mut same_id = keys.clone();
        same_id[1].id.clone_from(&keys[0].id);
        assert!(
            parse(&to_text(&same_id))
                .unwrap_err()
                .to_string()
                .contains("repeats the id")
        );
        let mut same_secret = keys.clone();
        same_secret[1].secret.clone_from(&keys[0].secret);
        assert!(
            parse(&to_text(&same_secret))
                .unwrap_err()
                .to_string()
                .contains("repeats the secret")
        );
    }

    #[test]
    fn each_list_has_exactly_one_signing_key() {
        let mut keys = new_keys(&SystemEntropy::default()).unwrap();
        keys[1].state = KeyState::Verifying;
        let told = parse(&to_text(&keys)).unwrap_err().to_string();
        assert!(told.contains("0 keys `pepper"), "{told}");
        assert!(parse("").is_err());
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let keys = new_keys(&SystemEntropy::default()).unwrap();
        let shown = format!("{keys:?}");
        assert!(
            shown.contains(&keys[0].id) && !shown.contains("secret"),
            "{shown}"
        );
    }

    #[test]
    fn drawn_keys_never_look_made_up() {
        for _ in 0..300 {
            assert!(
                new_keys(&SystemEntropy::default())
                    .unwrap()
                    .iter()
                    .all(|key| !looks_made_up(&key.secret))
            );
        }
    }
}
