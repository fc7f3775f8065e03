//! The layers of the crate, read from its sources: who may name whom (see `ARCHITECTURE.md`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// What files whose path begins with one of `who` never name in code, and why.
struct Rule {
    who: &'static [&'static str],
    but: &'static [&'static str],
    never: &'static [&'static str],
    because: &'static str,
}

const RULES: [Rule; 7] = [
    Rule {
        who: &["features/"],
        but: &[],
        never: &["crate::features", "super::"],
        because: "features never import each other",
    },
    Rule {
        who: &["features/"],
        but: &[],
        never: &["Mailer", "mail::dispatch", "mail::templates"],
        because: "a feature queues a mail in its unit of work and sends none",
    },
    Rule {
        who: &[""],
        but: &["environment.rs"],
        never: &["SystemTime::now", "std::time::Instant", "SysRng", "rand::rng"],
        because: "only environment.rs reads time or randomness",
    },
    Rule {
        who: &[""],
        but: &[],
        never: &["sqlx", "axum", "lettre", "std::env", "tokio::net", "tokio::fs"],
        because: "the core has no SQL, HTTP, SMTP or environment variables",
    },
    Rule {
        who: &[
            "account/",
            "registration/",
            "password/",
            "secret/",
            "session.rs",
            "throttle.rs",
            "device.rs",
            "link.rs",
            "challenge.rs",
            "environment.rs",
            "error.rs",
            "config.rs",
        ],
        but: &[],
        never: &[
            "crate::features",
            "crate::portal",
            "crate::store",
            "crate::mail",
            "crate::unit_of_work",
        ],
        because: "what is known about people, secrets and limits depends on nothing above it",
    },
    Rule {
        who: &["store/", "mail/outbox.rs", "audit.rs", "unit_of_work.rs"],
        but: &[],
        never: &["crate::features", "crate::portal"],
        because: "ports and their rows do not know who calls them",
    },
    Rule {
        who: &[
            "account/",
            "registration/",
            "secret/",
            "session.rs",
            "throttle.rs",
        ],
        but: &[],
        never: &[".await", "async fn"],
        because: "what decides does not wait",
    },
];

#[test]
fn no_file_names_what_its_layer_must_not_know() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for (name, code) in sources(&root) {
        for rule in &RULES {
            let meant = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
            if !meant(rule.who) || meant(rule.but) {
                continue;
            }
            for word in rule.never.iter().filter(|word| code.contains(**word)) {
                broken.push(format!("{name} names `{word}`: {}", rule.because));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_rule_is_about_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for start in RULES.iter().flat_map(|rule| rule.who.iter().chain(rule.but)) {
        assert!(root.join(start).exists(), "{start}");
    }
}

/// Every file of the crate but its tests, by its path, without comments and without the tests at its end.
fn sources(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in rust_files(root) {
        let name = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("mod tests {").next().unwrap_or_default();
        let lines: Vec<_> = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        found.push((name, lines.join("\n")));
    }
    assert!(found.len() > 50, "the search found only {} files", found.len());
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            // The test kit is for tests, of this crate and of others.
            if name != "testkit" {
                files.extend(rust_files(&path));
            }
        } else if name.ends_with(".rs") && !name.ends_with("_tests.rs") {
            files.push(path);
        }
    }
    files
}
