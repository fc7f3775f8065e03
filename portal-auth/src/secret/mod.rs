//! Secrets that travel: tokens in cookies and links, codes in mails, and the keys they are made with.

pub mod keyring;
pub mod one_time_code;
pub mod token;

#[cfg(test)]
mod keyring_tests;
