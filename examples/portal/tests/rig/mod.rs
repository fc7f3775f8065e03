//! A portal from outside: the real program, its mails, its clock, and a person with the manners of a browser.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    clippy::must_use_candidate,
    clippy::future_not_send,
    unreachable_pub,
    reason = "each test program uses its own part of this, and ends at what it did not expect"
)]

pub mod cable;
pub mod journey;
pub mod page;
pub mod person;
pub mod program;
pub mod site;

pub use journey::{ANSWER, PASSWORD, fresh_address};
pub use page::Page;
pub use person::Person;
pub use site::{Database, Site};

/// Makes two tests of each async function that takes a [`Database`]: one on SQLite, one on PostgreSQL.
macro_rules! on_both_databases {
    ($($name:ident)+) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $name() { super::$name($crate::rig::Database::Sqlite).await; })+
        }
        mod on_postgres {
            $(#[tokio::test] async fn $name() { super::$name($crate::rig::Database::Postgres).await; })+
        }
    };
}
pub(crate) use on_both_databases;
