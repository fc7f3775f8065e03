//! Passwords that many people use, though they satisfy the rules (PWD-2).
//!
//! A list of the best-known passwords proves nothing here, since hardly any of them satisfies a policy. This one
//! holds what people make of them when a policy forces them to: `Password12!`, `Summer2024!`, and for policies
//! that ask for length alone `passwordpassword` and walks over the keyboard. It is written by
//! `cargo run -p portal-auth --example generate_blocklist` from `well_known.txt`.

use std::cmp::Ordering;
use std::sync::LazyLock;

/// Whether `password` is on the list, exactly or in another ASCII case.
///
/// # Security
/// Only for passwords that are being set: the time taken depends on the password.
#[must_use]
pub fn contains(password: &str) -> bool {
    ENTRIES
        .binary_search_by(|entry| compare_folded(entry, password))
        .is_ok()
}

/// All entries, in the order of their lower-case form.
pub fn entries() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().copied()
}

/// The file is in the order of [`compare_folded`], which a test shows.
static ENTRIES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("blocklist.txt").lines().collect());

/// Compares without regard to ASCII case and without a copy of the password.
fn compare_folded(entry: &str, password: &str) -> Ordering {
    entry
        .bytes()
        .map(|b| b.to_ascii_lowercase())
        .cmp(password.bytes().map(|b| b.to_ascii_lowercase()))
}
