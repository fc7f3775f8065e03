//! portal-auth
pub mod account;
pub mod audit;
pub mod challenge;
mod code_gate;
pub mod config;
pub mod device;
mod enrolling;
pub mod environment;
pub mod error;
pub mod features;
mod guessing;
mod issuing;
mod key;
mod last_seen;
pub mod link;
pub mod mail;
pub mod password;
mod portal;
pub mod registration;
pub mod secret;
pub mod session;
mod session_gate;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod throttle;
pub mod unit_of_work;
pub mod visitor;

pub use code_gate::{CodeRefused, ResendRefused};
pub use issuing::{CodeNotice, CodeSent, NewSession};
pub use key::KeyFormat;
pub use mail::dispatch::Background;
pub use portal::{Counts, Environment, PortalAuth};
pub use session_gate::{Activity, SignedIn};
