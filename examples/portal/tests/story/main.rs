//! The whole portal over HTTP: the real program, on SQLite and on PostgreSQL, with its mail at a real SMTP server.
#![cfg(feature = "test-support")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::future_not_send,
    unreachable_pub,
    reason = "a test ends at what it did not expect"
)]

#[path = "../rig/mod.rs"]
mod rig;

mod administrator;
mod breached_passwords;
mod changes;
mod circumstances;
mod closing_account;
mod confirming;
mod coverage;
mod doors;
mod find_address;
mod from_registration_to_the_area;
mod kept_forms;
mod languages;
mod my_details;
mod operating;
mod people_files;
mod processes;
mod recovery;
mod refusals;
mod settings;
mod where_logged_in;
