//! The rows that hold kept forms: found by their token or their session, written under their version, emptied when they
//! are done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::account::snapshot::AccountId;
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::portal::{ATTEMPTS, Inner};
use crate::registration::draft::{DraftKey, DraftRow};
use crate::secret::keyring::row_key;
use crate::secret::token::{KeptFormToken, Purpose};
use crate::store::StoreError;

/// The body of the row.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    pub(crate) account: AccountId,
    pub(crate) forms: BTreeMap<String, KeptFields>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptFields {
    pub(crate) until: Timestamp,
    pub(crate) fields: Vec<(String, String)>,
}

/// A row that is there, or that would be.
pub(crate) struct Found {
    pub(crate) seed: [u8; 16],
    pub(crate) version: i64,
    pub(crate) body: Kept,
}

impl Inner {
    /// The row of a genuine token, while it lives.
    pub(crate) async fn kept(&self, held: &KeptFormToken) -> Result<Option<Found>, Fault> {
        let Some(seed) = self.keyring.open(Purpose::KeptForm, held.expose()) else {
            return Ok(None);
        };
        let row = self.store.load(kept_key(&seed)).await?;
        let lifetime = self.config.sessions.forms_kept;
        let Some(row) = row.filter(|row| self.is_of_now(row, lifetime, self.now())) else {
            return Ok(None);
        };
        let body = serde_json::from_str(&row.body)
            .map_err(|e| Fault::permanent("a kept form cannot be read").because(e))?;
        Ok(Some(Found {
            seed,
            version: row.version,
            body,
        }))
    }

    /// The row of a session that holds no token yet. Its name follows from the session's, so that a browser that drops
    /// its cookie each time fills one row and not the disk.
    pub(crate) async fn kept_of_session(
        &self,
        session: [u8; 16],
        account: AccountId,
    ) -> Result<Found, Fault> {
        let seed = row_key(Purpose::KeptForm, &session);
        let empty = |version| Found {
            seed,
            version,
            body: Kept {
                account,
                forms: BTreeMap::new(),
            },
        };
        if let Some(found) = self
            .kept(&self.kept_token(&seed)?)
            .await?
            .filter(|f| f.body.account == account)
        {
            return Ok(found);
        }
        let over = self.store.load(kept_key(&seed)).await?;
        Ok(empty(over.map_or(0, |row| row.version)))
    }

    /// Writes the version after `version`.
    pub(crate) async fn save_kept(
        &self,
        seed: [u8; 16],
        version: i64,
        body: &Kept,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let body = serde_json::to_string(body).map_err(|e| StoreError::Permanent(e.into()))?;
        let row = DraftRow {
            key: kept_key(&seed),
            version: version.saturating_add(1),
            body,
            expires_at,
        };
        self.store.save(&row).await
    }

    pub(crate) fn kept_token(&self, seed: &[u8; 16]) -> Result<KeptFormToken, Fault> {
        Ok(KeptFormToken::minted(
            self.keyring.remake(Purpose::KeptForm, seed)?,
        ))
    }

    /// Takes forms out of a row; one without any is over.
    pub(crate) async fn drop_forms(
        &self,
        held: &KeptFormToken,
        take: impl Fn(&mut Kept) -> bool,
    ) -> Result<(), Fault> {
        for _ in 0..ATTEMPTS {
            let Some(mut found) = self.kept(held).await? else {
                return Ok(());
            };
            if !take(&mut found.body) {
                return Ok(());
            }
            let until = found.body.forms.values().map(|form| form.until).max();
            let until = until.unwrap_or_else(|| self.now());
            match self
                .save_kept(found.seed, found.version, &found.body, until)
                .await
            {
                Err(StoreError::Conflict) => {}
                other => return Ok(other?),
            }
        }
        Err(Fault::transient(
            "a kept form was written again and again while it was to be dropped",
        ))
    }
}

fn kept_key(seed: &[u8; 16]) -> DraftKey {
    DraftKey::from_bytes(row_key(Purpose::KeptForm, seed))
}
