//! Stand-in until the real module lands.
#![allow(missing_docs, clippy::all, reason = "stand-in")]
use serde::{Deserialize, Serialize};
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuestionId(String);
impl QuestionId {
    pub fn parse(s: &str) -> Option<Self> {
        Some(Self(s.to_owned()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
