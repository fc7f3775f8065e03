//! Mail: what is sent (`letter`, `writing`, `templates`), how it waits (`outbox`), how it leaves (`dispatch`, `mailer`), and how much of
//! it an outsider can cause (`quota`); all of it can be looked at (`preview`).

pub(crate) mod administrator_act;
mod delivery;
pub mod dispatch;
mod in_flight;
mod letter;
pub mod mailer;
pub mod outbox;
mod plain_lines;
pub mod preview;
pub mod quota;
mod relevance;
mod retry;
#[cfg(feature = "tokio")]
mod run;
mod templates;
mod writing;
