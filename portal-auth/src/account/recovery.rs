//! How far the recovery of a forgotten password has got, as part of the account.

use crate::environment::Timestamp;

/// Wrong answers and pauses of an account's recovery, and the reset without an answer that waits (ANS-5, RST-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct Recovery {
    /// Wrong answers since the last right one, over all links.
    pub answer_failures: u32,
    /// How often wrong answers have paused the recovery; a right answer or an administrator sets it back.
    pub pauses: u32,
    /// Until when it is paused.
    pub paused_until: Option<Timestamp>,
    /// When a reset that was asked for without the answer takes effect, while one waits.
    pub due_at: Option<Timestamp>,
}
