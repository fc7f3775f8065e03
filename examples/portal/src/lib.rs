//! A complete professional portal on portal-auth, as a library: the program is a thin `main` around it, so that
//! tests, fuzz targets and benches can use the same parts.

pub mod address_finder;
pub mod commands;
pub mod context_words;
pub mod home_page;
pub mod keys_file;
pub mod logging;
pub mod postcode;
pub mod roles;
pub mod secret_questions;
pub mod settings;
#[cfg(feature = "test-support")]
pub mod test_clock;
