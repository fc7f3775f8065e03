//! The README's first block, the crate's documentation and this program are one text, and it does what it says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

/// The program below its own line of documentation.
fn program() -> &'static str {
    include_str!("../src/main.rs").split_once("\n\n").unwrap().1
}

/// The first block of Rust in a text, without its fences.
fn first_block<'a>(text: &'a str, fence: &str) -> &'a str {
    let after = text.split_once(fence).unwrap().1;
    after.split_once("```").unwrap().0
}

#[test]
fn the_readme_shows_this_program() {
    let readme = include_str!("../../../README.md");
    assert_eq!(first_block(readme, "```rust\n"), program());
}

#[test]
fn the_crate_documentation_shows_this_program() {
    let lib: String = include_str!("../../../portal-auth/src/lib.rs")
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    assert_eq!(first_block(&lib, "```\n"), program());
}

#[test]
fn the_program_is_short_and_signs_somebody_in() {
    assert!(include_str!("../src/main.rs").lines().count() < 40);
    let run = Command::new(env!("CARGO_BIN_EXE_quickstart")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "jo@school.example is signed in\n"
    );
}
