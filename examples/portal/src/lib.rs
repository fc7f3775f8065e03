//! A complete professional portal on portal-auth, as a library: the program is a thin `main` around it, so that
//! tests, fuzz targets and benches can use the same parts.

pub mod address_finder;
pub mod app;
mod assets;
pub mod circumstances;
pub mod commands;
pub mod context_words;
mod email_advice;
pub mod export_part;
mod health;
pub mod home_page;
pub mod inbox;
mod kept_form;
pub mod keys_file;
pub mod logging;
pub mod own_tables;
mod pages;
mod private_file;
mod problem;
mod request;
pub mod roles;
pub mod service;
pub mod settings;
#[cfg(feature = "test-support")]
pub mod test_clock;
mod views;
// Beside the views, which the gallery and its tests take in as well.
#[cfg(test)]
#[path = "views/tests/mod.rs"]
mod view_tests;
