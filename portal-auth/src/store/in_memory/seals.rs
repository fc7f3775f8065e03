//! The chain of seals over the audit.

use super::tables::Tables;
use crate::audit::{AuditRow, EventId};
use crate::audit_seal::{SealKind, SealRow};
use crate::environment::Timestamp;
use crate::store::StoreError;

impl Tables {
    pub(super) fn unsealed(&self, most: u32) -> Vec<AuditRow> {
        let waits = |e: &&AuditRow| !self.sealed.contains_key(&e.id);
        let mut found: Vec<_> = self.events.iter().filter(waits).cloned().collect();
        found.sort_by_key(|e| (e.at, e.id));
        found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        found
    }

    pub(super) fn last_seal(&self) -> Option<SealRow> {
        self.seals.values().next_back().cloned()
    }

    pub(super) fn seal(&mut self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError> {
        let waits = |id: &EventId| self.event_ids.contains(id) && !self.sealed.contains_key(id);
        if self.seals.contains_key(&seal.no) || !events.iter().all(waits) {
            return Err(StoreError::Conflict);
        }
        self.seals.insert(seal.no, seal.clone());
        for (place, id) in (0_i64..).zip(events) {
            self.sealed.insert(*id, (seal.no, place));
        }
        Ok(())
    }

    pub(super) fn seals(&self, after: i64, most: u32) -> Vec<SealRow> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let behind = self.seals.range(after.saturating_add(1)..);
        behind.take(most).map(|(_, seal)| seal.clone()).collect()
    }

    pub(super) fn sealed_events(&self, no: i64) -> Vec<AuditRow> {
        let place = |e: &AuditRow| {
            self.sealed
                .get(&e.id)
                .filter(|(seal, _)| *seal == no)
                .map(|(_, n)| *n)
        };
        let mut found: Vec<_> = self
            .events
            .iter()
            .filter(|e| place(e).is_some())
            .cloned()
            .collect();
        found.sort_by_key(|e| place(e));
        found
    }

    pub(super) fn last_seal_before(&self, at: Timestamp, most: u32) -> Option<SealRow> {
        let first = self.seals(0, most);
        let old = first.iter().take_while(|s| s.made_at < at);
        old.last().filter(|s| s.kind == SealKind::Batch).cloned()
    }

    pub(super) fn put_checkpoint(&mut self, checkpoint: &SealRow) -> Result<u64, StoreError> {
        let no = checkpoint.no;
        if self.seals.get(&no).is_none_or(|s| s.kind != SealKind::Batch) {
            return Err(StoreError::Conflict);
        }
        let sealed = &self.sealed;
        let before = self.events.len();
        self.events
            .retain(|e| sealed.get(&e.id).is_none_or(|(seal, _)| *seal > no));
        let gone = before.saturating_sub(self.events.len());
        self.event_ids = self.events.iter().map(|e| e.id).collect();
        self.sealed.retain(|_, (seal, _)| *seal > no);
        self.seals.retain(|n, _| *n >= no);
        self.seals.insert(no, checkpoint.clone());
        Ok(u64::try_from(gone).unwrap_or(u64::MAX))
    }
}
