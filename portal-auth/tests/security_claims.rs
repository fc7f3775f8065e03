//! What `docs/security.md` and `docs/asvs.md` say about the sources, held against the sources.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and counts with small numbers"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../docs/security.md");
const INVENTORY: &str = include_str!("../../docs/crypto.md");
const DEPENDENCIES: &str = include_str!("../../Cargo.toml");

#[test]
fn the_ways_in_are_the_routes_that_take_a_form() {
    // ASVS 6.1.3, 6.3.4
    let section = PAGE.split("\n## Ways in\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let told: BTreeSet<_> = section
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.starts_with('/'))
        .collect();
    let sources = code_under("examples/portal/src", ".rs");
    let routes: BTreeSet<_> = sources.iter().flat_map(|(_, code)| posts(code)).collect();
    assert!(routes.len() > 30, "{routes:?}");
    let untold: Vec<_> = routes.difference(&told).collect();
    let gone: Vec<_> = told.difference(&routes).collect();
    assert!(
        untold.is_empty() && gone.is_empty(),
        "docs/security.md, Ways in: it does not speak of {untold:?}, and there is no {gone:?}"
    );
}

#[test]
fn a_route_with_a_form_is_found() {
    let router = r#"
        .route("/a", get(a::show).post(a::submit))
        .route("/b", get(b::show))
        .route(
            "/c",
            post(c::submit),
        )
        .merge(others())
    "#;
    assert_eq!(posts(router).collect::<Vec<_>>(), ["/a", "/c"]);
}

#[test]
fn migrations_make_tables_and_no_rows() {
    // ASVS 6.3.2
    let migrations = code_under("portal-auth-sqlx/migrations", ".sql");
    assert!(migrations.len() >= 4, "{}", migrations.len());
    for (file, text) in migrations {
        let words = text.to_ascii_uppercase();
        assert!(!words.contains("INSERT"), "{} puts rows in", file.display());
    }
}

#[test]
fn no_function_for_administrators_takes_a_password() {
    // ADM-2, ASVS 6.4.6
    let mut acts = 0;
    for (file, code) in code_under("portal-auth/src/features", ".rs") {
        for function in code.split("pub async fn ").skip(1) {
            let signature = function.split('{').next().unwrap();
            if signature.contains("&Administrator") {
                acts += 1;
                assert!(!signature.contains("Password"), "{}: {signature}", file.display());
            }
        }
    }
    assert!(acts >= 8, "only {acts} were found");
}

#[test]
fn statements_are_constants() {
    // ASVS 1.2.4: a text that is no constant has to be declared safe by this name.
    for folder in ["portal-auth-sqlx/src", "examples/portal/src"] {
        for (file, code) in code_under(folder, ".rs") {
            assert!(!code.contains("AssertSqlSafe"), "{}", file.display());
        }
    }
}

#[test]
fn the_inventory_names_every_crate_of_cryptography() {
    // ASVS 11.1.2
    let known = [
        "aes-gcm",
        "argon2",
        "argon2-rust",
        "bcrypt",
        "blake2",
        "blake3",
        "chacha20poly1305",
        "ed25519-dalek",
        "hkdf",
        "hmac",
        "pbkdf2",
        "rand",
        "scrypt",
        "sha1",
        "sha2",
        "sha3",
        "subtle",
    ];
    let section = DEPENDENCIES.split("\n[workspace.dependencies]\n").nth(1).unwrap();
    let section = section.split("\n[").next().unwrap();
    let used = |name: &&&str| {
        section
            .lines()
            .any(|line| line.split([' ', '.', '=']).next() == Some(**name))
    };
    let used: Vec<_> = known.iter().filter(used).collect();
    assert!(used.len() >= 6, "{used:?}");
    for name in used {
        assert!(
            INVENTORY.contains(&format!("`{name}`")),
            "docs/crypto.md does not name {name}"
        );
    }
}

#[test]
fn scripts_store_nothing_in_the_browser() {
    // ASVS 14.3.3
    let scripts = code_under("examples/portal/assets", ".js");
    assert!(!scripts.is_empty());
    for (file, script) in scripts
        .into_iter()
        .chain(code_under("examples/portal/templates", ".html"))
    {
        for store in [
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "document.cookie",
            "caches.",
        ] {
            assert!(!script.contains(store), "{} uses {store}", file.display());
        }
    }
}

#[test]
fn the_second_step_is_called_nothing_better_than_it_is() {
    let mut pages = code_under("docs", ".md");
    pages.extend(code_under("examples/portal/templates", ".html"));
    pages.extend(code_under("examples/portal/content", ""));
    for name in ["README.md", "SECURITY.md", "CHANGELOG.md"] {
        pages.push((name.into(), fs::read_to_string(root().join(name)).unwrap()));
    }
    assert!(pages.len() > 20, "{}", pages.len());
    for (file, text) in &pages {
        for sentence in sentences_that_claim(text) {
            let denied = ["not", "never", "no ", "63B"]
                .iter()
                .any(|word| sentence.contains(word));
            assert!(denied, "{}: {sentence}", file.display());
        }
    }
    let claim = "It is safe. Sign in with real\nmulti-factor authentication today. Or not.";
    assert_eq!(sentences_that_claim(claim).len(), 1);
}

/// The sentences and rows of a text that speak of more than one factor.
fn sentences_that_claim(text: &str) -> Vec<String> {
    let claims = ["MFA", "2FA", "AAL2", "multi-factor", "two-factor", "multifactor"];
    let flat = text.replace("|\n", ". ").replace('\n', " ");
    let sentences = flat
        .split(". ")
        .filter(|sentence| claims.iter().any(|claim| sentence.contains(claim)));
    sentences.map(str::to_owned).collect()
}

/// The paths of a router that take a POST.
fn posts(code: &str) -> impl Iterator<Item = &str> {
    let routes = code.split(".route(").skip(1);
    routes.filter_map(|route| {
        let own = route.split(".merge(").next().unwrap_or(route);
        own.contains("post(").then(|| own.split('"').nth(1)).flatten()
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below a folder of the repository whose names end so, without their tests.
fn code_under(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending)
                && let Ok(text) = fs::read_to_string(&path)
            {
                let code = text.split("\nmod tests {").next().unwrap_or(&text).to_owned();
                found.push((path, code));
            }
        }
    }
    found
}
