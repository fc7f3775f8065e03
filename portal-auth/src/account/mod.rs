//! Who somebody is: addresses, secret questions, and the rules that every text about a person follows. Pure.

pub mod email;
pub mod plain_text;
pub mod security_question;
