//! Genuine tokens without rows, to measure and to test what happens before any query.

use crate::environment::Entropy;
use crate::error::Fault;
use crate::secret::keyring::Keyring;
use crate::secret::token::Purpose;

/// A token for `purpose` as a feature would mint it; no row stands behind it.
///
/// # Errors
/// The fault of the random source.
pub fn make(keyring: &Keyring, purpose: Purpose, entropy: &dyn Entropy) -> Result<String, Fault> {
    Ok(keyring.mint(purpose, entropy)?.text.to_string())
}

/// Whether `text` is a genuine token for `purpose`, as it is checked before any query.
#[must_use]
pub fn is_genuine(keyring: &Keyring, purpose: Purpose, text: &str) -> bool {
    keyring.open(purpose, text).is_some()
}
