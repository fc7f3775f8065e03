//! The whole library as a state machine: people, mailboxes, a clock that may go back, and somebody who knows too much.
//!
//! `acts` draws what happens; `life` lets it happen through the public API on any store; `known` is the model;
//! `invariants` judges every step; `faults` are stores that break one promise each.

#![allow(
    dead_code,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::print_stderr,
    reason = "each test file uses its own part of the machine, and fails by panicking"
)]

pub(crate) mod acts;
pub(crate) mod faults;
pub(crate) mod invariants;
pub(crate) mod known;
pub(crate) mod life;
mod performing;
pub(crate) mod recorder;
pub(crate) mod step;
