//! Stand-in until the real module lands.
#![allow(missing_docs, clippy::all, reason = "stand-in")]
use serde::{Deserialize, Serialize};
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredHash(String);
impl StoredHash {
    pub fn parse(s: &str) -> Result<Self, crate::error::Fault> {
        Ok(Self(s.to_owned()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
