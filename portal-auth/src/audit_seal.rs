//! Seals over the audit: rows are chained in batches, so that one that was changed, removed or moved is found out.
//!
//! Every audit row carries a MAC of itself from its commit. A row that is *gone* carries none, so afterwards a sealer
//! gathers the rows of many commits into a batch, in an order it fixes, and makes each batch's seal out of the seal
//! before it. (A chain inside the commits would make parallel sign-ins of one account wait for each other.) Where old
//! rows are removed, a checkpoint keeps the place of the last seal among them. Who can write the database but has not
//! the keys can forge none of this; cutting off the *newest* seals is found out by the head that the log shows.

use crate::audit::AuditRow;
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::secret::keyring::Keyring;

/// What a seal stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a reader of the chain must know each")]
pub enum SealKind {
    /// A batch of rows that are there.
    Batch,
    /// The last of the batches whose rows were removed because their time was over.
    Checkpoint,
}

impl SealKind {
    /// The word a store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// Reads the word a store kept.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Batch, Self::Checkpoint]
            .into_iter()
            .find(|k| k.as_str() == word)
    }
}

/// A seal as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct SealRow {
    /// Its place in the chain; the first is 1, each further one more.
    pub no: i64,
    /// What it stands for.
    pub kind: SealKind,
    /// When it was made.
    pub made_at: Timestamp,
    /// How many rows the batch had.
    pub events: u32,
    /// HMAC-SHA-256 over the seal before and all rows of the batch in their order.
    pub chain: [u8; 32],
    /// The id of the key of `chain` and `mac`.
    pub mac_key: String,
    /// HMAC-SHA-256 over this row itself, cut to 16 bytes.
    pub mac: [u8; 16],
}

impl SealRow {
    /// The next seal: over `events` in this order, after `before`.
    pub(crate) fn over(
        keyring: &Keyring,
        before: Option<&Self>,
        events: &[AuditRow],
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let mut seal = Self {
            no: before.map_or(0, |b| b.no).saturating_add(1),
            kind: SealKind::Batch,
            made_at: now,
            events: u32::try_from(events.len()).unwrap_or(u32::MAX),
            chain: [0; 32],
            mac_key: keyring.audit_key().to_owned(),
            mac: [0; 16],
        };
        seal.chain = seal.chain_over(keyring, before, events).ok_or_else(no_key)?;
        seal.mac = seal.mac_by(keyring).ok_or_else(no_key)?;
        Ok(seal)
    }

    /// The same place in the chain once the rows up to it are gone.
    pub(crate) fn checkpoint(&self, keyring: &Keyring) -> Result<Self, Fault> {
        let mut checkpoint = Self {
            kind: SealKind::Checkpoint,
            mac_key: keyring.audit_key().to_owned(),
            ..self.clone()
        };
        checkpoint.mac = checkpoint.mac_by(keyring).ok_or_else(no_key)?;
        Ok(checkpoint)
    }

    /// What `chain` must be, under the key that the row names; `None` where that key is gone.
    pub(crate) fn chain_over(
        &self,
        keyring: &Keyring,
        before: Option<&Self>,
        events: &[AuditRow],
    ) -> Option<[u8; 32]> {
        let mut bytes = Vec::with_capacity(events.len().saturating_mul(224).saturating_add(128));
        bytes.extend_from_slice(b"portal-auth audit chain\0");
        bytes.extend_from_slice(before.map_or(&[0; 32], |b| &b.chain));
        bytes.extend_from_slice(&self.no.to_be_bytes());
        bytes.extend_from_slice(&self.made_at.as_micros().to_be_bytes());
        bytes.extend_from_slice(&self.events.to_be_bytes());
        for event in events {
            bytes.extend_from_slice(&event.authenticated_bytes());
            bytes.extend_from_slice(&event.mac);
        }
        keyring.audit_chain(&self.mac_key, &bytes)
    }

    /// What `mac` must be, under the key that the row names; `None` where that key is gone.
    pub(crate) fn mac_by(&self, keyring: &Keyring) -> Option<[u8; 16]> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(b"portal-auth audit seal\0");
        bytes.extend_from_slice(self.kind.as_str().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&self.no.to_be_bytes());
        bytes.extend_from_slice(&self.made_at.as_micros().to_be_bytes());
        bytes.extend_from_slice(&self.events.to_be_bytes());
        bytes.extend_from_slice(&self.chain);
        bytes.extend_from_slice(self.mac_key.as_bytes());
        keyring.audit_mac(&self.mac_key, &bytes)
    }

    /// The head of the chain as the log shows it: `no:` and 64 hexadecimal digits.
    #[must_use]
    pub fn head(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!("{}:", self.no);
        for byte in self.chain {
            // Writing into a String never fails.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

fn no_key() -> Fault {
    Fault::permanent("the keyring has no key for the audit")
}
