//! What the benches measure: a service on each store, with accounts that can sign in, and the processor time of this
//! process and of its PostgreSQL.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot be set up says so and ends"
)]

pub mod bare;
pub mod floor;
pub mod house;
pub mod usage;
