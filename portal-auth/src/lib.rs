//! portal-auth
pub mod account;
pub mod audit;
pub mod challenge;
pub mod device;
pub mod environment;
pub mod error;
mod key;
pub mod link;
pub mod mail;
pub mod password;
pub mod registration;
pub mod session;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod throttle;
pub mod unit_of_work;
