//! Familiar devices: browsers in which the owner has fully signed in before.
//!
//! A device chooses which guessing budget a try is charged to, and nothing else: it never replaces a password or a
//! code. A stranger's noise fills the address's budget; the owner's browser has its own (THR-1, I-23).

use crate::account::snapshot::AccountId;
use crate::account::status::AuthEpoch;
use crate::environment::Timestamp;
use crate::key::key_type;

key_type! {
    /// Finds a browser: the first 16 bytes of SHA-256 over its purpose and the token's random part.
    DeviceKey, 16
}

/// A browser that is familiar to one account, as one row. Its key is `device` and `account` together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct DeviceRow {
    /// The browser.
    pub device: DeviceKey,
    /// The account that signed in there.
    pub account: AccountId,
    /// The account's epoch at that time; another one there means the browser is unfamiliar again.
    pub epoch: AuthEpoch,
    /// When it last signed in.
    pub last_used: Timestamp,
}
