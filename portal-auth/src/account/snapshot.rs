//! The account as one row, as it was at one moment.

use crate::account::chosen_question::ChosenQuestion;
use crate::account::email::EmailAddress;
use crate::account::profile::StoredProfile;
use crate::account::recovery::Recovery;
use crate::account::status::{AuthEpoch, Status, TwoStep};
use crate::environment::Timestamp;
use crate::key::key_type;
use crate::language::LanguageTag;
use crate::password::hash::StoredHash;

key_type! {
    /// Names an account; random, never shown to people and never part of a token.
    AccountId, 16
}

/// One account as it was read, and as it is written back.
///
/// `version` is the one that was read: an update applies only while the store still holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct AccountRow {
    /// Its name.
    pub id: AccountId,
    /// Rises by one with every update; 1 when inserted.
    pub version: i64,
    /// The proven address, in canonical form.
    pub email: EmailAddress,
    /// Whether it may be used.
    pub status: Status,
    /// Sessions, half-done sign-ins, links and devices of another epoch are dead.
    pub auth_epoch: AuthEpoch,
    /// The password's hash.
    pub password: StoredHash,
    /// The owner's choice about the second step.
    pub two_step: TwoStep,
    /// Which secret question was chosen, where the service asks one.
    pub question: Option<ChosenQuestion>,
    /// The hash of its answer.
    pub answer: Option<StoredHash>,
    /// What the host keeps about the person.
    pub profile: StoredProfile,
    /// Wrong codes since the last right one, over all challenges (OTP-6).
    pub code_failures: u32,
    /// When it was activated.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
    /// The language the owner chose; `None` means the service's own.
    pub language: Option<LanguageTag>,
    /// Set by "this was not me": no password opens the account until it is reset by mail.
    pub locked: bool,
    /// How far the recovery of a forgotten password has got.
    pub recovery: Recovery,
    /// When the address last changed, if ever (RST-7).
    pub email_changed_at: Option<Timestamp>,
    /// When the owner closed the account; the data goes when the grace is over.
    pub closed_at: Option<Timestamp>,
}
