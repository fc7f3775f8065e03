//! Attacks on the portal, each with the honest flow that must go on working beside it.
//!
//! Every case runs over HTTP against the real program, on SQLite and on PostgreSQL, and prints one line.
#![cfg(feature = "test-support")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    clippy::future_not_send,
    clippy::string_slice,
    unreachable_pub,
    reason = "a test ends at what it did not expect"
)]

#[path = "../rig/mod.rs"]
mod rig;

mod canaries;
mod chance;
mod crowd;
mod forms;
mod ledger;
mod people;
mod raw;
mod report;
mod routes;
mod settled;
mod tables;
mod tended;
mod tour;
mod uniform;

mod activation_links;
mod codes;
mod cross_site;
mod default_build;
mod email_change;
mod enumeration;
mod fields;
mod guessing;
mod half_signed_in;
mod host_and_reset;
mod hostile_text;
mod leakage;
mod mailing;
mod passwords;
mod registration;
mod revocation;
mod sessions;
mod side_doors;
