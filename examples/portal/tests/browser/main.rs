//! The portal in a real browser: by mouse, by keyboard alone, and without scripts; every page at three widths.
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

#[path = "../../examples/gallery/pages/mod.rs"]
mod gallery;
#[path = "../../src/views/mod.rs"]
#[allow(dead_code, reason = "the gallery shows the pages; handlers use the rest")]
mod views;

mod comfort;
mod every_state;
mod hallway;
mod mails;
mod my_account;
mod pictures;
mod screen;
mod signed_in;
mod states;
mod story;
