//! The audit: one event for every decision, in the commit of what it decided (LOG-1, LOG-5).

use crate::account::snapshot::AccountId;
use crate::environment::Timestamp;
use crate::error::Reason;
use crate::key::key_type;
use crate::throttle::BucketKey;

key_type! {
    /// Names an event, and the commit it came with when it is the first of it.
    EventId, 16
}

/// Who decided or tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a reader of the audit must know every kind of actor"
)]
pub enum Actor {
    /// Somebody who has proved nothing.
    Visitor,
    /// The owner of the account, by a live session or a proof in this very act.
    Owner,
    /// An administrator.
    Administrator,
    /// The service itself, such as an expiry.
    System,
}

impl Actor {
    const ALL: [Self; 4] = [Self::Visitor, Self::Owner, Self::Administrator, Self::System];

    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Owner => "owner",
            Self::Administrator => "administrator",
            Self::System => "system",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == word)
    }
}

/// What an event says, before it gets its name and its MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What was decided, such as `sign_in.refused`.
    pub kind: Reason,
    /// Why, where there is more to say, such as `password.wrong`.
    pub reason: Option<Reason>,
    /// Who.
    pub actor: Actor,
    /// Whose account, where there is one.
    pub account: Option<AccountId>,
    /// The address as a keyed pseudonym.
    pub address: Option<BucketKey>,
    /// The network as a keyed pseudonym.
    pub network: Option<BucketKey>,
    /// Browser and system in words.
    pub label: String,
}

impl Event {
    /// An event of `kind` by `actor`, with nothing else known.
    #[must_use]
    pub fn new(kind: Reason, actor: Actor) -> Self {
        Self {
            kind,
            reason: None,
            actor,
            account: None,
            address: None,
            network: None,
            label: String::new(),
        }
    }

    /// The same, about `account`.
    #[must_use]
    pub fn about(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// The same, because of `reason`.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }
}

/// An event as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct AuditRow {
    /// Names it.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What was decided.
    pub kind: String,
    /// Why; empty when there is nothing more to say.
    pub reason: String,
    /// Who.
    pub actor: Actor,
    /// Whose account.
    pub account: Option<AccountId>,
    /// The address's pseudonym.
    pub address: Option<BucketKey>,
    /// The network's pseudonym.
    pub network: Option<BucketKey>,
    /// Browser and system in words.
    pub label: String,
    /// The id of the key of the MAC.
    pub mac_key: String,
    /// HMAC-SHA-256 over all of the above, cut to 16 bytes.
    pub mac: [u8; 16],
}

impl AuditRow {
    /// The bytes that the MAC covers: every field with its length before it, so that no two rows share them.
    #[must_use]
    pub fn authenticated_bytes(&self) -> Vec<u8> {
        let at = self.at.as_micros().to_be_bytes();
        let fields: [&[u8]; 10] = [
            self.id.as_bytes(),
            &at,
            self.kind.as_bytes(),
            self.reason.as_bytes(),
            self.actor.as_str().as_bytes(),
            self.account.as_ref().map_or(&[], |a| a.as_bytes()),
            self.address.as_ref().map_or(&[], |a| a.as_bytes()),
            self.network.as_ref().map_or(&[], |n| n.as_bytes()),
            self.label.as_bytes(),
            self.mac_key.as_bytes(),
        ];
        let mut bytes = Vec::with_capacity(192);
        for field in fields {
            bytes.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(field);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testkit::rows::{self, MICRO, T0};

    #[test]
    fn i_37_every_field_of_an_event_is_under_its_mac() {
        // LOG-5
        let changes: [fn(&mut AuditRow); 13] = [
            |_| {},
            |row| row.id = rows::event(2).id,
            |row| row.at = T0.plus(MICRO),
            |row| row.kind.push('x'),
            |row| row.reason.push('x'),
            |row| row.actor = Actor::Owner,
            |row| row.account = Some(rows::account_id(1)),
            |row| row.account = Some(rows::account_id(2)),
            |row| row.address = Some(rows::bucket(1)),
            |row| row.network = Some(rows::bucket(1)),
            |row| row.label.push('x'),
            |row| row.mac_key.push('x'),
            // A letter that moves from one field to the next is a change as well.
            |row| {
                row.reason.push('n');
                row.kind.pop();
            },
        ];
        let all: BTreeSet<_> = changes
            .iter()
            .map(|change| {
                let mut row = rows::event(1);
                change(&mut row);
                row.authenticated_bytes()
            })
            .collect();
        assert_eq!(all.len(), changes.len());
    }
}
