//! Fuzz targets of portal-auth: everything that reads bytes a stranger chose.
//!
//! Each target is one function that takes any bytes and panics when an invariant is broken: a parser panics or
//! accepts what it must not, the portal answers with a server error, a redirect leaves the site. It tells what the
//! bytes [`Reached`], so that the replay can show that a corpus gets past the first check.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::panic,
    reason = "a target panics when an invariant is broken: that is how it reports"
)]

mod browser;
mod identity;
mod letters;
mod requests;
mod secrets;
mod site;

pub use crate::identity::{email, password};
pub use crate::letters::mail;
pub use crate::requests::{cookies, form, forwarded, next};
pub use crate::secrets::{code, imported_hash, stored_hash, tokens};
pub use crate::site::{portal_forms, portal_requests};

/// How far an input came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an input is taken or it is not")]
pub enum Reached {
    /// It was refused, as nearly every input must be.
    Refused,
    /// It was accepted, and what became of it was checked.
    Accepted,
}

impl Reached {
    const fn accepted(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Refused }
    }
}

/// A target: any bytes in, a panic when an invariant is broken.
pub type Target = fn(&[u8]) -> Reached;

/// Every target under the name of its program and of its folder in `corpus/`.
pub const TARGETS: [(&str, Target); 13] = [
    ("code", code),
    ("cookies", cookies),
    ("email", email),
    ("form", form),
    ("forwarded", forwarded),
    ("imported_hash", imported_hash),
    ("mail", mail),
    ("next", next),
    ("password", password),
    ("portal_forms", portal_forms),
    ("portal_requests", portal_requests),
    ("stored_hash", stored_hash),
    ("tokens", tokens),
];
