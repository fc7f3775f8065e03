//! For tests, of this crate, of adapters and of hosts: a clock that obeys, randomness that repeats, a mailer that
//! remembers, rows to fill a store with, and the conformance suite of the store ports.
//!
//! Nothing in here is for a running service.

pub mod conformance;
pub mod manual_clock;
pub mod recording_mailer;
pub mod rows;
pub mod scripted_entropy;
pub mod tokens;

pub use self::manual_clock::ManualClock;
pub use self::recording_mailer::{MailFailure, RecordingMailer};
pub use self::scripted_entropy::{FailingEntropy, ScriptedEntropy};
