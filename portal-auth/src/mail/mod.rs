//! Mail: what is sent (`templates`), how it waits (`outbox`), how it leaves (`dispatch`, `mailer`), and how much of
//! it an outsider can cause (`quota`).

pub mod dispatch;
pub mod mailer;
pub mod outbox;
pub mod quota;
