//! The whole portal over HTTP: the real program, on SQLite and on PostgreSQL, with its mail at a real SMTP server.
#![cfg(feature = "test-support")]

#[path = "../rig/mod.rs"]
mod rig;

mod doors;
mod from_registration_to_the_area;
mod operating;
mod processes;
mod refusals;
