//! Every target over its committed corpus and over inputs made from it, on any toolchain.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on has failed"
)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use portal_auth::testkit::ScriptedEntropy;
use portal_auth_fuzz::{Reached, TARGETS, Target};

/// What mutations write into an input besides single bytes: marks that parsers turn on.
const WORDS: [&str; 32] = [
    "\0",
    "\r\n",
    "\n",
    " ",
    "%",
    "%00",
    "%2e",
    "&",
    "=",
    ";",
    ",",
    "@",
    "..",
    "//",
    "\\",
    "\"",
    "<z>",
    "\u{e9}",
    "\u{202e}",
    "\u{ff11}",
    "xn--",
    "$",
    "pepper=",
    "m=4294967295",
    "form_token=",
    "do=",
    "next=/home",
    "::ffff:10.0.0.1",
    "10.0.0.1",
    "A",
    "-",
    "9999999999",
];

#[test]
fn each_target_has_a_program_and_a_corpus() {
    let targets: Vec<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names_in(&root().join("corpus")), targets);
    assert_eq!(names_in(&root().join("fuzz_targets")), targets);
}

macro_rules! replays {
    ($(fn $name:ident($target:ident);)+) => {
        $(#[test]
        fn $name() {
            replay(stringify!($target), portal_auth_fuzz::$target);
        })+

        #[test]
        fn each_target_is_replayed() {
            assert_eq!([$(stringify!($target)),+], TARGETS.map(|(name, _)| name));
        }
    };
}

replays! {
    fn i_34_code(code);
    fn i_34_cookies(cookies);
    fn i_34_email(email);
    fn i_34_form(form);
    fn i_34_forwarded(forwarded);
    fn i_34_imported_hash(imported_hash);
    fn i_34_mail(mail);
    fn i_34_next(next);
    fn i_34_password(password);
    fn i_34_portal_forms(portal_forms);
    fn i_34_portal_requests(portal_requests);
    fn i_34_stored_hash(stored_hash);
    fn i_34_tokens(tokens);
}

fn replay(name: &str, target: Target) {
    let corpus = files(&root().join("corpus").join(name));
    let mut reached = (0, 0);
    for (file, input) in &corpus {
        match run(target, input, &file.display().to_string()) {
            Reached::Refused => reached.0 += 1,
            Reached::Accepted => reached.1 += 1,
        }
    }
    assert!(
        reached.0 > 2 && reached.1 > 2,
        "a corpus gets refused and gets through: {reached:?}"
    );
    // Crashes that `cargo fuzz` has found on this machine.
    for (file, input) in files(&root().join("artifacts").join(name)) {
        run(target, &input, &file.display().to_string());
    }
    let chance = ScriptedEntropy::new(20_260);
    // Whole requests cost a hundred times what a parser does.
    let batch = if matches!(name, "mail" | "portal_forms" | "portal_requests") {
        600
    } else {
        2_000
    };
    for n in 0..batch {
        run(
            target,
            &mutated(&corpus, &chance),
            &format!("input {n} of the batch"),
        );
    }
}

fn run(target: Target, input: &[u8], from: &str) -> Reached {
    catch_unwind(AssertUnwindSafe(|| target(input)))
        .unwrap_or_else(|_| panic!("{from} broke an invariant: b\"{}\"", input.escape_ascii()))
}

/// One input of the corpus with up to eight changes.
fn mutated(corpus: &[(PathBuf, Vec<u8>)], chance: &ScriptedEntropy) -> Vec<u8> {
    let below = |bound: usize| usize::try_from(chance.below(u64::try_from(bound).unwrap())).unwrap();
    let mut input = corpus[below(corpus.len())].1.clone();
    for _ in 0..=below(8) {
        let at = below(input.len() + 1);
        match below(6) {
            0 if at < input.len() => input[at] = chance.number().to_le_bytes()[0],
            1 if at < input.len() => input[at] ^= 1 << below(8),
            2 if at < input.len() => drop(input.drain(at..(at + below(8) + 1).min(input.len()))),
            3 => drop(input.splice(at..at, WORDS[below(WORDS.len())].bytes())),
            4 => {
                let other = &corpus[below(corpus.len())].1;
                let tail = other[below(other.len() + 1)..].to_vec();
                input.truncate(at);
                input.extend(tail);
            }
            _ => {
                let part = input[at..(at + below(64)).min(input.len())].to_vec();
                input.splice(at..at, part.repeat(below(4)));
            }
        }
    }
    input.truncate(20_000);
    input
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

/// The files of a folder in the order of their names; none where there is no such folder.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}
