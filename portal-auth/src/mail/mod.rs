//! Mail: what is sent (`templates`), how it waits (`outbox`), how it leaves (`dispatch`, `mailer`), and how much of
//! it an outsider can cause (`quota`).

pub(crate) mod administrator_act;
mod delivery;
pub mod dispatch;
mod in_flight;
pub mod mailer;
pub mod outbox;
mod plain_lines;
pub mod quota;
mod relevance;
mod retry;
#[cfg(feature = "tokio")]
mod run;
mod templates;
