//! Drafts of registrations: found by their token, written under their version, emptied when they are sent off.

use std::time::Duration;

use crate::environment::Timestamp;
use crate::error::Fault;
use crate::portal::Inner;
use crate::registration::draft::{Draft, DraftKey, DraftRow, Submitted};
use crate::secret::keyring::row_key;
use crate::secret::token::{DraftToken, Purpose};
use crate::store::StoreError;

impl Inner {
    /// The draft of a genuine token, if it is young enough.
    pub(crate) async fn draft(&self, token: &DraftToken) -> Result<Option<(DraftRow, Draft)>, Fault> {
        let Some(seed) = self.keyring.open(Purpose::Draft, token.expose()) else {
            return Ok(None);
        };
        let key = DraftKey::from_bytes(row_key(Purpose::Draft, &seed));
        let now = self.now();
        let lifetime = self.config.registration.draft_lifetime;
        let found = self.store.load(key).await?;
        let Some(row) = found.filter(|row| self.is_of_now(row, lifetime, now)) else {
            return Ok(None);
        };
        let draft = serde_json::from_str(&row.body)
            .map_err(|e| Fault::permanent("a stored draft cannot be read").because(e))?;
        Ok(Some((row, draft)))
    }

    /// Whether a row that lives for `lifetime` is not over, and was not written in the future (CLK-2): when it was follows
    /// from its end.
    pub(crate) fn is_of_now(&self, row: &DraftRow, lifetime: Duration, now: Timestamp) -> bool {
        self.believed("draft or kept form", row.expires_at.minus(lifetime), now) && now < row.expires_at
    }

    pub(crate) fn draft_row(&self, key: DraftKey, version: i64, draft: &Draft) -> Result<DraftRow, Fault> {
        let body = serde_json::to_string(draft)
            .map_err(|e| Fault::permanent("a draft cannot be written").because(e))?;
        Ok(DraftRow {
            key,
            version,
            body,
            expires_at: self.now().plus(self.config.registration.draft_lifetime),
        })
    }

    /// Empties a draft whose data lives on under another token.
    pub(crate) async fn forget_draft(&self, old: DraftRow) -> Result<(), Fault> {
        let empty = self.draft_row(old.key, old.version.saturating_add(1), &Draft::default())?;
        match self
            .store
            .save(&DraftRow {
                expires_at: self.now(),
                ..empty
            })
            .await
        {
            // Another tab wrote to it in between; it ends by its time.
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// The draft once it is sent off: no hash stays in it, the sections do, for "use a different address".
    pub(crate) fn sent_draft(
        &self,
        row: &DraftRow,
        mut draft: Draft,
        submitted: Submitted,
    ) -> Result<DraftRow, Fault> {
        draft.security = None;
        draft.proven = None;
        draft.submitted = Some(submitted);
        self.draft_row(row.key, row.version, &draft)
    }
}
