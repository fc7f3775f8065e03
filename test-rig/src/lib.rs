//! What the tests of this workspace need around them: a throw-away PostgreSQL, SMTP servers (our own with
//! faults on demand, and one of others), a headless browser, axe-core, and a mail parser that is not the one under test.
//!
//! It is not published. Nothing here outlives the test process, even when that is killed. It panics with a sentence
//! that says what to install when something is missing: a test is never skipped in silence.
#![allow(
    clippy::panic,
    clippy::must_use_candidate,
    clippy::arithmetic_side_effects,
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot get its surroundings must fail loudly, and nobody outside this workspace builds on this"
)]

mod accessibility;
mod browser;
mod mail;
mod other_smtp;
mod paired_times;
mod postgres;
mod smtp;
mod smtp_session;
mod supervised;
mod tls;

pub use accessibility::axe_core;
pub use browser::{Browser, BrowserOptions};
pub use fantoccini;
pub use mail::{ParsedMail, parse_mail};
pub use other_smtp::OtherSmtpServer;
pub use paired_times::{ALPHA, PairedTimes, TimingVerdict};
pub use postgres::{FreshDatabase, PostgresUrl, fresh_database, postgres, postgres_with};
pub use smtp::{ReceivedMail, SmtpServer, SmtpServerBuilder};
pub use smtp_session::Fault;
pub use tls::TestCa;
