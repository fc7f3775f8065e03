//! The plan of the house, held against the sources: who may import whom, what may await, what may read the clock.
//!
//! Each rule is a function from one file to what is wrong with it; the fixtures below show that each can fail.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and counts with small numbers"
)]

use std::fs;
use std::path::Path;

/// The layers, lowest first. A module imports its own layer and those below it; a longer name wins over a shorter.
///
/// Configuration is not at the bottom: it holds the policies, schemas and ladders of the nouns below it.
const LAYERS: [&[&str]; 7] = [
    &[
        "environment",
        "error",
        "key",
        "language",
        "local_time",
        "page_paths",
    ],
    &[
        "account",
        "audit",
        "audit_seal",
        "challenge",
        "device",
        "link",
        "password",
        "registration",
        "secret",
        "session",
        "throttle",
        "visitor",
    ],
    &["config", "config_check"],
    &["mail", "store", "unit_of_work"],
    &[
        "account_links",
        "administering",
        "alerting",
        "breach_check",
        "answer_step",
        "code_gate",
        "drafting",
        "enrolling",
        "erasing",
        "guessing",
        "housekeeping",
        "issuing",
        "kept_forms",
        "last_seen",
        "mail/delivery",
        "mail/dispatch",
        "mail/in_flight",
        "mail/run",
        "new_password",
        "own_password",
        "portal",
        "recovering",
        "reset_step",
        "security_details",
        "session_gate",
    ],
    &["features"],
    // The shop window and what is built on it.
    &["lib", "testkit"],
];

/// The features' layer: each is a room of its own.
const FEATURES: usize = 5;

/// Besides the two layers of the portal and its features, only ports and what runs hashes on threads may await.
const MAY_AWAIT: [&str; 8] = [
    "mail/mailer",
    "password/admission",
    "password/argon2id",
    "password/argon2id_slot",
    "password/breached",
    "password/breached_file",
    "password/hash",
    "store",
];

/// Waits between two turns of the background and the longest time a mailer gets: pauses, never decisions.
const MAY_USE_TIMERS: [&str; 3] = ["answer_step", "mail/delivery", "mail/run"];

/// A list on disk that a host asks for by a feature; nothing else in the core touches a file.
const MAY_READ_FILES: &str = "password/breached_file";

/// How the system's time and randomness are read.
const TIME_AND_RANDOMNESS: [&str; 10] = [
    "SystemTime",
    "Instant::now",
    "OffsetDateTime::now",
    "Zoned::now",
    "Timestamp::now",
    "SysRng",
    "OsRng",
    "ThreadRng",
    "getrandom",
    "rand::",
];

/// What belongs to hosts and adapters.
const NOT_IN_THE_CORE: [&str; 17] = [
    "sqlx",
    "lettre",
    "SELECT ",
    "INSERT INTO",
    "http::",
    "axum::",
    "hyper::",
    "std::env",
    "env::var",
    "std::fs",
    "std::process",
    "TcpStream",
    "TcpListener",
    "tokio::spawn",
    "tokio::runtime",
    "tokio::net",
    "tokio::fs",
];

/// One source without its comments and its own tests.
struct Source {
    module: String,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
        let lines: Vec<&str> = text.lines().collect();
        // A helper for tests may stand anywhere; a `mod.rs` names files of tests in its midst.
        let tests = lines.windows(2).position(|two| {
            let module = two[1].starts_with("mod ") || two[1].starts_with("#[path");
            two[0] == "#[cfg(test)]" && module && !path.ends_with("mod.rs")
        });
        let code: Vec<&str> = lines[..tests.unwrap_or(lines.len())]
            .iter()
            .copied()
            .map(|line| {
                line.find("//").map_or(line, |at| {
                    // A `//` after a colon is part of an address.
                    if line[..at].ends_with(':') {
                        line
                    } else {
                        &line[..at]
                    }
                })
            })
            .collect();
        Self {
            module,
            code: code.join("\n"),
        }
    }

    fn layer(&self) -> Option<usize> {
        layer_of(&self.module)
    }

    /// The modules it names, as paths from the root of the crate; names of the root itself are `lib`.
    fn imports(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (at, prefix) in occurrences(&self.code, "crate::").chain(occurrences(&self.code, "super::")) {
            let rest = &self.code[at + prefix.len()..];
            let base = if prefix == "crate::" {
                ""
            } else {
                self.module.rsplit_once('/').map_or("", |(parent, _)| parent)
            };
            for path in targets(rest) {
                let path = if base.is_empty() {
                    path
                } else {
                    format!("{base}/{path}")
                };
                let of_root = !path.contains('/') && layer_of(&path).is_none();
                found.push(if of_root { "lib".to_owned() } else { path });
            }
        }
        found
    }

    fn names(&self, word: &str) -> bool {
        occurrences(&self.code, word).any(|(at, _)| {
            let part_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
            let before = self.code[..at].chars().next_back();
            let after = self.code[at + word.len()..].chars().next();
            let first = word.chars().next().is_some_and(part_of_a_name);
            let last = word.chars().next_back().is_some_and(part_of_a_name);
            !(first && before.is_some_and(part_of_a_name) || last && after.is_some_and(part_of_a_name))
        })
    }
}

fn occurrences<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    code.match_indices(word)
}

/// The module paths that a path or a group of paths begins with, two names deep.
fn targets(rest: &str) -> Vec<String> {
    if let Some(group) = rest.strip_prefix('{') {
        let group = group.split('}').next().unwrap_or_default();
        return group.split(',').flat_map(|one| targets(one.trim())).collect();
    }
    let path: String = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || "_:".contains(*c))
        .collect();
    let names: Vec<_> = path.split("::").filter(|n| !n.is_empty()).take(2).collect();
    if names.is_empty() {
        Vec::new()
    } else {
        vec![names.join("/")]
    }
}

/// The layer of a module, by the longest name that it is or lies under.
fn layer_of(module: &str) -> Option<usize> {
    let under = |name: &str| module == name || module.starts_with(&format!("{name}/"));
    let names = LAYERS.iter().enumerate();
    let all = names.flat_map(|(layer, names)| names.iter().map(move |name| (layer, *name)));
    all.filter(|(_, name)| under(name))
        .max_by_key(|(_, name)| name.len())
        .map(|(layer, _)| layer)
}

fn is_one_of(module: &str, names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| module == *name || module.starts_with(&format!("{name}/")))
}

/// Everything that is wrong with one file.
fn broken_rules(path: &str, text: &str) -> Vec<String> {
    let source = Source::new(path, text);
    let Some(layer) = source.layer() else {
        return vec![format!("{path} stands in no layer")];
    };
    if source.module == "lib" || is_one_of(&source.module, &["testkit"]) {
        return Vec::new();
    }
    let mut broken = Vec::new();
    broken.extend(upward_imports(&source, layer));
    broken.extend(features_that_meet(&source, layer));
    broken.extend(awaiting(&source, layer));
    broken.extend(features_that_mail(&source, layer));
    broken.extend(own_clocks(&source));
    broken.extend(foreign_matter(&source));
    broken
}

/// Features → portal → store and mail → config → the nouns → environment and error.
fn upward_imports(source: &Source, layer: usize) -> Vec<String> {
    let mut broken = Vec::new();
    for import in source.imports() {
        if layer_of(&import).is_none_or(|of| of > layer) {
            broken.push(format!("{} imports {import}, which lies above it", source.module));
        }
    }
    broken
}

fn features_that_meet(source: &Source, layer: usize) -> Vec<String> {
    let imports = source.imports();
    let others = imports
        .iter()
        .filter(|import| layer == FEATURES && layer_of(import) == Some(FEATURES));
    others
        .map(|other| format!("{} imports the feature {other}", source.module))
        .collect()
}

fn awaiting(source: &Source, layer: usize) -> Option<String> {
    let decides = layer < layer_of("portal").unwrap_or(0) && !is_one_of(&source.module, &MAY_AWAIT);
    let awaits = source.names("async") || source.names(".await") || source.names("async_trait");
    (decides && awaits).then(|| format!("{} awaits, and should only decide", source.module))
}

/// A feature queues a mail in its unit of work; it renders none and sends none.
fn features_that_mail(source: &Source, layer: usize) -> Option<String> {
    let words = [
        "Mailer",
        "mail::mailer",
        "mail::dispatch",
        "mail::letter",
        "mail::writing",
    ];
    let named = words
        .iter()
        .find(|word| layer == FEATURES && source.names(word))?;
    Some(format!("{} names {named}: it sends no mail", source.module))
}

fn own_clocks(source: &Source) -> Vec<String> {
    let timers = is_one_of(&source.module, &MAY_USE_TIMERS);
    let read = TIME_AND_RANDOMNESS
        .iter()
        .filter(|word| source.module != "environment" && source.names(word))
        .filter(|word| !(timers && **word == "Instant::now"));
    read.map(|word| format!("{} reads time or randomness by {word}", source.module))
        .chain((!timers && source.names("tokio::time")).then(|| format!("{} sleeps", source.module)))
        .collect()
}

fn foreign_matter(source: &Source) -> Vec<String> {
    let reads_files = source.module == MAY_READ_FILES;
    let found = NOT_IN_THE_CORE
        .iter()
        .filter(|word| source.names(word) && !(reads_files && **word == "std::fs"));
    found
        .map(|word| format!("{} holds {word}", source.module))
        .collect()
}

fn each_source(folder: &Path, root: &Path, visit: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, root, visit);
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let of_tests = name.ends_with("_tests.rs") || name.ends_with("watched_engine.rs");
        if name.ends_with(".rs") && !of_tests {
            visit(&name, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_file_keeps_to_the_plan() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut imports, mut broken) = (0, 0, Vec::new());
    each_source(&root, &root, &mut |path, text| {
        files += 1;
        imports += Source::new(path, text).imports().len();
        broken.extend(broken_rules(path, text));
    });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(
        files > 60 && imports > 300,
        "the sources were read: {files}, {imports}"
    );
}

#[test]
fn every_layer_is_there() {
    // A name that nobody has any more would let its successor stand in no layer or in the wrong one.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for name in LAYERS.concat() {
        let there = root.join(format!("{name}.rs")).exists() || root.join(name).join("mod.rs").exists();
        assert!(there, "{name}");
    }
    for name in MAY_AWAIT.iter().chain(&MAY_USE_TIMERS) {
        let there = root.join(format!("{name}.rs")).exists() || root.join(name).join("mod.rs").exists();
        assert!(there, "{name}");
    }
}

/// What a fixture breaks: exactly one rule, in words that contain `says`.
fn breaks(path: &str, text: &str, says: &str) {
    let broken = broken_rules(path, text);
    assert_eq!(broken.len(), 1, "{path}: {broken:?}");
    assert!(broken[0].contains(says), "{path}: {broken:?}");
}

fn keeps(path: &str, text: &str) {
    assert_eq!(broken_rules(path, text), Vec::<String>::new(), "{path}");
}

#[test]
fn an_import_from_above_is_found() {
    for (path, text) in [
        ("session.rs", "use crate::portal::PortalAuth;"),
        ("account/email.rs", "use crate::config::Config;"),
        ("config.rs", "use crate::store::Store;"),
        ("environment.rs", "use crate::account::email::EmailAddress;"),
        ("unit_of_work.rs", "use crate::mail::dispatch::Background;"),
        ("mail/outbox.rs", "use super::dispatch::Background;"),
        ("portal.rs", "fn f() -> crate::features::sign_in::SignInForm {}"),
        (
            "guessing.rs",
            "use crate::{features::register::Save, error::Fault};",
        ),
        ("store/in_memory/mod.rs", "use crate::testkit::ManualClock;"),
        ("features/sign_in.rs", "use crate::PortalAuth;"),
    ] {
        breaks(path, text, "lies above it");
    }
    breaks("helpers.rs", "", "stands in no layer");
    keeps(
        "portal.rs",
        "use crate::mail::dispatch::Background;\nuse crate::config::Config;",
    );
    keeps("config.rs", "use crate::throttle::Ladder; // not crate::portal");
    keeps(
        "mail/run.rs",
        "//! See [`PortalAuth`](crate::features::sign_in).\nuse super::dispatch::Background;",
    );
    keeps(
        "throttle.rs",
        "#[cfg(test)]\nmod tests {\n    use crate::portal::PortalAuth;\n}",
    );
}

#[test]
fn a_file_is_read_up_to_its_tests_and_not_to_a_helper_of_theirs() {
    let import = "use crate::portal::PortalAuth;";
    breaks(
        "throttle.rs",
        &format!("#[cfg(test)]\nfn help() {{}}\n{import}"),
        "lies above it",
    );
    for tests in ["mod tests {", "#[path = \"throttle_tests.rs\"]\nmod tests;"] {
        keeps("throttle.rs", &format!("#[cfg(test)]\n{tests}\n{import}"));
    }
}

#[test]
fn a_feature_that_imports_another_is_found() {
    for text in [
        "use crate::features::register::Save;",
        "use super::register::Save;",
        "use crate::{error::Fault, features::register};",
    ] {
        breaks("features/activate.rs", text, "imports the feature");
    }
    keeps("features/activate.rs", "use crate::enrolling::MailGrant;");
}

#[test]
fn a_decision_that_awaits_is_found() {
    for path in [
        "account/email.rs",
        "throttle.rs",
        "secret/keyring.rs",
        "password/policy.rs",
        "mail/quota.rs",
    ] {
        breaks(path, "pub async fn decide() {}", "should only decide");
        breaks(path, "let x = read().await;", "should only decide");
    }
    for path in [
        "store/mod.rs",
        "mail/mailer.rs",
        "password/hash.rs",
        "guessing.rs",
        "features/sign_in.rs",
    ] {
        keeps(path, "pub async fn read() { other().await; }");
    }
    keeps(
        "throttle.rs",
        "// no async here, and no .await\nfn asynchronous() {}",
    );
}

#[test]
fn a_feature_that_names_the_mailer_is_found() {
    for text in [
        "fn f(mailer: &dyn Mailer) {}",
        "use crate::mail::writing::render_in;",
    ] {
        breaks("features/sign_in.rs", text, "sends no mail");
    }
    keeps("features/sign_in.rs", "use crate::mail::outbox::MailKind;");
    keeps("mail/dispatch.rs", "use crate::mail::mailer::Mailer;");
}

#[test]
fn a_clock_or_a_die_of_its_own_is_found() {
    for text in [
        "let now = std::time::SystemTime::now();",
        "let now = time::OffsetDateTime::now_utc();"
            .replace("now_utc", "now")
            .as_str(),
        "let now = Instant::now();",
        "rand::rngs::StdRng::seed();",
        "getrandom::fill(&mut bytes);",
    ] {
        breaks("guessing.rs", text, "reads time or randomness");
    }
    breaks("portal.rs", "use tokio::time::sleep;", "sleeps");
    keeps("environment.rs", "let now = std::time::SystemTime::now();");
    keeps("mail/run.rs", "use tokio::time::sleep;\nlet at = Instant::now();");
    keeps("guessing.rs", "let now = self.now(); let operand = 1;");
}

#[test]
fn what_belongs_to_hosts_and_adapters_is_found() {
    for text in [
        "use sqlx::Row;",
        "const Q: &str = \"SELECT 1\";",
        "use http::StatusCode;",
        "let key = std::env::var(\"KEY\");"
            .replace("std::env::var", "env::var")
            .as_str(),
        "use std::fs;",
        "tokio::spawn(work());",
        "tokio::runtime::Handle::current();",
    ] {
        breaks("portal.rs", text, "holds");
    }
    keeps(
        "portal.rs",
        "use tokio::sync::Notify;\nlet base = \"https://portal.example\";",
    );
}
