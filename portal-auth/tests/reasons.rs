//! `docs/reasons.md` lists every stable code of the crate, and no code that the crate does not have.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use portal_auth::account::professional_profile::ProfessionalProfile;

#[test]
fn the_page_of_reasons_and_the_source_list_the_same_codes() {
    let source = codes_in_source();
    let page = codes_on_page();
    let missing: Vec<_> = source.difference(&page).collect();
    let stale: Vec<_> = page.difference(&source).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "docs/reasons.md: missing {missing:?}, stale {stale:?}"
    );
}

#[test]
fn the_search_finds_codes_however_they_are_written() {
    let text = r#"
        const DONE: Reason = Reason::new("sign_in.done");
        Reason::new(match self { Self::A => "a.one", Self::B { n } => "a.two" })
        Reason::new(if off { "two_step.off" } else { "two_step.on" })
        Reason::new(self.code)
        "not.a_reason"
        #[cfg(test)]
        mod tests { const T: Reason = Reason::new("in.a_test"); }
    "#;
    let found: BTreeSet<_> = codes_in(text).collect();
    assert_eq!(
        found,
        BTreeSet::from(["sign_in.done", "a.one", "a.two", "two_step.off", "two_step.on"])
    );
}

fn codes_in_source() -> BTreeSet<String> {
    let mut codes: BTreeSet<String> = ProfessionalProfile::reasons()
        .map(|reason| reason.code().to_owned())
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&root) {
        let text = fs::read_to_string(&file).unwrap();
        codes.extend(codes_in(&text).map(str::to_owned));
    }
    assert!(codes.len() > 50, "the search found only {codes:?}");
    codes
}

/// The string literals inside every `Reason::new(…)` above a file's tests.
fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("mod tests {").next().unwrap_or(text);
    code.split("Reason::new(").skip(1).flat_map(|call| {
        call.get(..end_of_call(call))
            .unwrap_or(call)
            .split('"')
            .skip(1)
            .step_by(2)
    })
}

/// Where the parenthesis that was opened before `call` is closed.
fn end_of_call(call: &str) -> usize {
    let mut open = 1_usize;
    let closed = call.find(|c| {
        match c {
            '(' => open = open.saturating_add(1),
            ')' => open = open.saturating_sub(1),
            _ => {}
        }
        open == 0
    });
    closed.unwrap_or(call.len())
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            // The test kit gives reasons to rows that no service has.
            if name != "testkit" {
                files.extend(rust_files(&path));
            }
        } else if name.ends_with(".rs") && !name.ends_with("_tests.rs") {
            files.push(path);
        }
    }
    files
}

/// The first cell of every row of the page's tables.
fn codes_on_page() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reasons.md");
    fs::read_to_string(page)
        .unwrap()
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect()
}
