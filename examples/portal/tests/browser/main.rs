//! The portal in a real browser: by mouse, by keyboard alone, and without scripts; every page at three widths.
#![cfg(feature = "test-support")]

#[path = "../rig/mod.rs"]
mod rig;

mod comfort;
mod screen;
mod story;
