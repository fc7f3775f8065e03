//! `docs/asvs.md` names tests that exist, rules that exist, and every requirement of ASVS 5.0 V6 and V7 once; rules and
//! invariants are found by their names.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and counts with small numbers"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("../../docs/asvs.md");
const RULES: &str = include_str!("../../docs/security-rules.md");

/// How many requirements each section of the two chapters has.
const SECTIONS: [(&str, u32); 14] = [
    ("6.1", 3),
    ("6.2", 12),
    ("6.3", 8),
    ("6.4", 6),
    ("6.5", 8),
    ("6.6", 4),
    ("6.7", 2),
    ("6.8", 4),
    ("7.1", 3),
    ("7.2", 4),
    ("7.3", 2),
    ("7.4", 5),
    ("7.5", 3),
    ("7.6", 2),
];

/// The words that stand where no test does.
const PLAIN_WORDS: [&str; 2] = ["not met", "does not apply, because "];

#[test]
fn the_table_of_asvs_is_in_step_with_the_tests_and_the_rules() {
    let wrong = problems(TABLE, &rules(RULES), &tests_of_the_workspace());
    assert!(wrong.is_empty(), "docs/asvs.md:\n{}", wrong.join("\n"));
}

#[test]
fn the_modern_preset_meets_what_it_claims() {
    // docs/security.md: no Level 1 requirement of V6 and V7 stays unmet but for the preset `portal`.
    let rows = rows(TABLE);
    let unmet = rows.iter().filter(|row| {
        let chapter = row
            .ids
            .iter()
            .any(|id| id.starts_with("6.") || id.starts_with("7."));
        chapter && row.level == "1" && row.shown.starts_with("not met")
    });
    let of_portal: Vec<_> = unmet
        .map(|row| (row.ids.join(", "), row.shown.as_str()))
        .collect();
    let ids: Vec<_> = of_portal.iter().map(|(ids, _)| ids.as_str()).collect();
    assert_eq!(ids, ["6.2.5", "6.4.2"]);
    for (ids, shown) in of_portal {
        assert!(
            shown.starts_with("not met by the preset `portal`, because "),
            "{ids}"
        );
        assert!(shown.contains("met by `modern`: `"), "{ids}");
    }
}

#[test]
fn every_rule_is_named_somewhere_in_the_sources() {
    let mut files = rust_files(&root());
    // This file would otherwise speak of its own exceptions.
    files.retain(|file| !file.ends_with("security_table.rs"));
    let sources: String = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let page = rules(RULES);
    assert!(page.len() > 100, "{}", page.len());
    let words: BTreeSet<&str> = sources
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .collect();
    let nowhere: Vec<_> = page
        .iter()
        .filter(|rule| !words.contains(rule.as_str()))
        .collect();
    // Kept by whole files, by the choice of a dependency, or measured; no line is the one that keeps them.
    assert_eq!(
        nowhere,
        ["ACT-3", "ANS-3", "DB-1", "DB-4", "MAIL-2", "STP-4", "TST-1"]
    );
}

#[test]
fn every_invariant_has_a_test_of_its_name() {
    let mut tests = tests_of_the_workspace();
    // What each life is judged by in the end is no test of its own: what its test does not call is dead code.
    let lives = fs::read_to_string(root().join("portal-auth-sqlx/tests/same_lives.rs")).unwrap();
    tests.extend(lives.lines().filter_map(|line| function(line, "fn ")));
    let numbered = (1..=37).map(|n| format!("i_{n:02}_"));
    let named = numbered.chain(["i_12b_", "i_21b_"].map(str::to_owned));
    let missing: Vec<_> = named
        .filter(|id| !tests.iter().any(|test| test.starts_with(id)))
        .collect();
    assert!(missing.is_empty(), "no test is called {missing:?}");
}

#[test]
fn each_kind_of_mistake_is_found() {
    let tests = BTreeSet::from(["a_test_that_exists".to_owned()]);
    let rules = rules("| Rule | What holds |\n|---|---|\n| THR-1 | one bucket |\n");
    let whole: String = required()
        .map(|id| format!("| {id} | 1 | x | THR-1 | `a_test_that_exists` |\n"))
        .collect();
    assert_eq!(problems(&whole, &rules, &tests), Vec::<String>::new());

    let with = |row: &str| {
        let changed = whole.replace("| 6.2.1 | 1 | x | THR-1 | `a_test_that_exists` |\n", row);
        problems(&changed, &rules, &tests)
    };
    assert_eq!(with(""), ["6.2.1 is missing"]);
    assert_eq!(
        with("| 6.2.1 | 1 | x | THR-1 | `a_test_that_is_gone` |\n"),
        ["6.2.1: no test is called a_test_that_is_gone"]
    );
    assert_eq!(
        with("| 6.2.1 | 1 | x | THR-9 | `a_test_that_exists` |\n"),
        ["6.2.1: there is no rule THR-9"]
    );
    assert_eq!(
        with("| 6.2.1 | 1 | x | THR-1 | it is quite safe |\n"),
        ["6.2.1: neither a test nor plain words"]
    );
    assert_eq!(
        with("| 6.2.1 | 1 | x | THR-1 | not met, be patient |\n"),
        ["6.2.1: it does not say why"]
    );
    assert_eq!(
        with("| 6.2.1, 6.2.2 | 1 | x | | does not apply, because of this |\n"),
        ["6.2.2 stands there twice"]
    );
    assert_eq!(
        with("| 6.2.1 | 1 | THR-1 | `a_test_that_exists` |\n"),
        ["6.2.1: a column is missing"]
    );
    let unmet =
        "| 6.2.1 | 1 | x | | not met by the preset `portal`, because of this; else `a_test_that_exists` |\n";
    assert_eq!(with(unmet), Vec::<String>::new());
}

#[test]
fn tests_are_found_however_they_are_declared() {
    let text = "
#[test]
fn plain_one() {}
    #[tokio::test(flavor = \"multi_thread\")]
    #[cfg_attr(a, b)]
    async fn with_attributes() {}
on_both_databases! {
    in_a_list
    // a comment
    async fn in_a_block(database) {
        let not_a_test = 1;
    }
}
macro_rules! on_both_databases {
    not_of_a_macro
}
fn helper() {}
";
    let found: Vec<_> = tests_in(text).into_iter().collect();
    assert_eq!(found, ["in_a_block", "in_a_list", "plain_one", "with_attributes"]);
}

/// A row of the table.
struct Row {
    ids: Vec<String>,
    level: String,
    rules: Vec<String>,
    shown: String,
}

fn required() -> impl Iterator<Item = String> {
    SECTIONS
        .into_iter()
        .flat_map(|(section, most)| (1..=most).map(move |n| format!("{section}.{n}")))
}

/// The rows whose first cell begins with a number; those of another shape have no columns.
fn rows(page: &str) -> Vec<Row> {
    let list = |cell: &str| {
        let parts = cell.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = page.lines().filter_map(|line| line.strip_prefix("| "));
    let numbered = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    numbered
        .map(|line| {
            let cells: Vec<_> = line
                .trim_end()
                .trim_end_matches('|')
                .split('|')
                .map(str::trim)
                .collect();
            let ids = list(cells.first().unwrap());
            let [_, level, _, rules, shown] = cells[..] else {
                return Row {
                    ids,
                    level: String::new(),
                    rules: Vec::new(),
                    shown: String::new(),
                };
            };
            Row {
                ids,
                level: level.to_owned(),
                rules: list(rules),
                shown: shown.to_owned(),
            }
        })
        .collect()
}

/// Everything that is wrong with the table.
fn problems(page: &str, rules: &BTreeSet<String>, tests: &BTreeSet<String>) -> Vec<String> {
    let rows = rows(page);
    let mut wrong = Vec::new();
    for id in required() {
        if !rows.iter().any(|row| row.ids.contains(&id)) {
            wrong.push(format!("{id} is missing"));
        }
    }
    let mut seen = BTreeSet::new();
    for row in &rows {
        for id in &row.ids {
            if !seen.insert(id) {
                wrong.push(format!("{id} stands there twice"));
            }
        }
        let ids = row.ids.join(", ");
        if row.level.is_empty() {
            wrong.push(format!("{ids}: a column is missing"));
            continue;
        }
        for rule in row.rules.iter().filter(|rule| !rules.contains(*rule)) {
            wrong.push(format!("{ids}: there is no rule {rule}"));
        }
        let named: Vec<_> = row
            .shown
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.contains('_'))
            .collect();
        for name in named.iter().filter(|name| !tests.contains(**name)) {
            wrong.push(format!("{ids}: no test is called {name}"));
        }
        let plain = PLAIN_WORDS.iter().any(|words| row.shown.starts_with(words));
        if plain && !row.shown.contains("because ") {
            wrong.push(format!("{ids}: it does not say why"));
        }
        if !plain && named.is_empty() {
            wrong.push(format!("{ids}: neither a test nor plain words"));
        }
    }
    wrong
}

fn rules(page: &str) -> BTreeSet<String> {
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    let ids = rows.map(|(id, _)| id).filter(|id| id.contains('-'));
    ids.map(str::to_owned).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn tests_of_the_workspace() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for file in rust_files(&root()) {
        let text = fs::read_to_string(&file).unwrap();
        tests.extend(tests_in(&text));
        // The cases of the conformance suite: a case that its list does not name is dead code.
        if file.components().any(|part| part.as_os_str() == "conformance") {
            tests.extend(text.lines().filter_map(|line| function(line, "pub async fn ")));
        }
    }
    assert!(tests.len() > 900, "only {} tests were found", tests.len());
    tests
}

/// Functions under a test attribute, and what stands in the braces of a macro that makes tests out of it.
fn tests_in(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut is_test, mut in_macro) = (false, false);
    for line in text.lines() {
        let code = line.trim();
        in_macro = match line {
            "}" => false,
            _ => {
                in_macro
                    || (!line.starts_with("macro_rules!") && line.ends_with("! {") && !line.starts_with(' '))
            }
        };
        is_test |= code.starts_with("#[test]") || code.starts_with("#[tokio::test");
        let name = function(code, "async fn ").or_else(|| function(code, "fn "));
        match name {
            Some(name) if is_test || (in_macro && line.starts_with("    ") && !line.starts_with("     ")) => {
                found.insert(name);
                is_test = false;
            }
            Some(_) => is_test = false,
            None if in_macro && is_name(code) => {
                found.insert(code.to_owned());
            }
            None => {}
        }
    }
    found
}

fn function(code: &str, keyword: &str) -> Option<String> {
    let (name, _) = code.trim().strip_prefix(keyword)?.split_once(['(', '<'])?;
    is_name(name).then(|| name.to_owned())
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.contains('_') && text.chars().all(plain)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files.extend(rust_files(&path));
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files
}
