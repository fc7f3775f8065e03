//! Stand-in until the real parser lands.
#![allow(missing_docs, clippy::all, reason = "stand-in")]
use serde::{Deserialize, Serialize};
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmailError {
    Required,
    Format,
    TooLong,
}
impl EmailAddress {
    pub fn parse(s: &str) -> Result<Self, EmailError> {
        if s.contains('@') {
            Ok(Self(s.trim().to_ascii_lowercase()))
        } else {
            Err(EmailError::Format)
        }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
