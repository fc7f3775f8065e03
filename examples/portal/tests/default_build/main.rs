//! The portal as it is built for use, with default features only: what it answers to, and what is not in it (P-51).
#![cfg(not(feature = "test-support"))]
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    clippy::future_not_send,
    unreachable_pub,
    reason = "a test ends at what it did not expect, and uses its part of what the attacks share"
)]

#[path = "../rig/mod.rs"]
mod rig;

#[path = "../attacks/chance.rs"]
mod chance;
#[path = "../attacks/ledger.rs"]
mod ledger;
#[path = "../attacks/report.rs"]
mod report;
#[path = "../attacks/routes.rs"]
mod routes;
#[path = "../attacks/tables.rs"]
mod tables;

mod nothing_for_tests;
