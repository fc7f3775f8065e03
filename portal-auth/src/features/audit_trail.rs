//! The audit as evidence: sealing its rows in batches, and finding out what was done to them.
//!
//! Several processes may seal at once: the number of a seal is its key, so of two that make the same one the first
//! wins, and the other begins again after it. [`verify_audit`](PortalAuth::verify_audit) reads the whole chain; run it
//! with the head that your log showed last. ASVS 16.4.2.

use crate::audit::{AuditRow, EventId};
use crate::audit_seal::{SealKind, SealRow};
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::portal::{Inner, PortalAuth};
use crate::store::StoreError;

/// Rows in one seal at most.
const BATCH: u32 = 500;
/// Seals read at once.
const SEALS_AT_ONCE: u32 = 100;
/// Seals whose rows are removed at once: at most two thousand rows in one transaction.
const SEALS_FORGOTTEN_AT_ONCE: u32 = 4;
/// Problems told one by one; what lies behind them is counted.
const MOST_PROBLEMS: usize = 1_000;

/// What a reading of the whole audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditReport {
    /// Seals that were read.
    pub seals: u64,
    /// Sealed rows that were read.
    pub events: u64,
    /// Rows that are not sealed yet.
    pub unsealed: u64,
    /// The newest seal as [`SealRow::head`] writes it; `None` where nothing was ever sealed.
    pub head: Option<String>,
    /// What is wrong, in the order of the chain; empty when everything is as it was written.
    pub problems: Vec<AuditProblem>,
}

/// One thing that is wrong with the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditProblem {
    /// A row is not as it was written.
    ChangedEvent(EventId),
    /// The rows of a seal are not the ones it was made of: some were removed, added or moved.
    ChangedBatch {
        /// Which seal.
        no: i64,
        /// How many rows it was made of.
        sealed: u32,
        /// How many are there.
        found: u32,
    },
    /// A seal itself was changed.
    ChangedSeal(i64),
    /// Seals between these two numbers are gone.
    MissingSeals {
        /// The last one before the gap; 0 for the beginning.
        after: i64,
        /// The first one behind it.
        before: i64,
    },
    /// The chain does not hold the head it was expected to: its end was cut off, or it was made anew.
    OtherHead,
    /// A row or a seal was made under a key that the keyring does not hold, so nothing can be said of it.
    UnknownKey(String),
}

impl PortalAuth {
    /// Reads the whole audit and tells what was changed, removed or moved since it was written.
    ///
    /// `expected` is a head from the log, `no:` and 64 digits; with it a cut-off end is found too.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails. What is wrong with the audit is no error but part of the report.
    pub async fn verify_audit(&self, expected: Option<&str>) -> Result<AuditReport, Fault> {
        let inner = &*self.inner;
        let mut reading = Reading::new(inner, expected);
        let mut after = 0;
        loop {
            let seals = inner.store.seals(after, SEALS_AT_ONCE).await?;
            let Some(last) = seals.last() else { break };
            after = last.no;
            for seal in seals {
                let events = match seal.kind {
                    SealKind::Batch => inner.store.sealed_events(seal.no).await?,
                    SealKind::Checkpoint => Vec::new(),
                };
                reading.seal(seal, &events);
            }
        }
        // Rows that wait are few where a sealer runs; more than this many are counted as this many.
        for event in inner.store.unsealed(u32::MAX).await? {
            reading.unsealed(&event);
        }
        Ok(reading.end())
    }
}

/// One reading of the chain, from its beginning to its end.
struct Reading<'a> {
    inner: &'a Inner,
    expected: Option<&'a str>,
    met_expected: bool,
    before: Option<SealRow>,
    report: AuditReport,
}

impl<'a> Reading<'a> {
    const fn new(inner: &'a Inner, expected: Option<&'a str>) -> Self {
        Self {
            inner,
            expected,
            met_expected: false,
            before: None,
            report: AuditReport {
                seals: 0,
                events: 0,
                unsealed: 0,
                head: None,
                problems: Vec::new(),
            },
        }
    }

    fn seal(&mut self, seal: SealRow, events: &[AuditRow]) {
        let after = self.before.as_ref().map_or(0, |b| b.no);
        let begins_anew = self.before.is_none() && seal.kind == SealKind::Checkpoint;
        if !begins_anew && after.checked_add(1) != Some(seal.no) {
            self.tell(AuditProblem::MissingSeals {
                after,
                before: seal.no,
            });
        }
        match seal.mac_by(&self.inner.keyring) {
            Some(mac) if mac == seal.mac => {}
            Some(_) => self.tell(AuditProblem::ChangedSeal(seal.no)),
            None => self.tell(AuditProblem::UnknownKey(seal.mac_key.clone())),
        }
        if seal.kind == SealKind::Batch {
            for event in events {
                self.event(event);
            }
            let chain = seal.chain_over(&self.inner.keyring, self.before.as_ref(), events);
            let found = u32::try_from(events.len()).unwrap_or(u32::MAX);
            if found != seal.events || chain.is_some_and(|chain| chain != seal.chain) {
                self.tell(AuditProblem::ChangedBatch {
                    no: seal.no,
                    sealed: seal.events,
                    found,
                });
            }
        }
        let head = seal.head();
        self.met_expected |= self.expected == Some(head.as_str());
        self.report.head = Some(head);
        self.report.seals = self.report.seals.saturating_add(1);
        self.report.events = self
            .report
            .events
            .saturating_add(u64::try_from(events.len()).unwrap_or(u64::MAX));
        self.before = Some(seal);
    }

    fn unsealed(&mut self, event: &AuditRow) {
        self.event(event);
        self.report.unsealed = self.report.unsealed.saturating_add(1);
    }

    fn event(&mut self, event: &AuditRow) {
        let keyring = &self.inner.keyring;
        match keyring.audit_mac(&event.mac_key, &event.authenticated_bytes()) {
            Some(mac) if mac == event.mac => {}
            Some(_) => self.tell(AuditProblem::ChangedEvent(event.id)),
            None => self.tell(AuditProblem::UnknownKey(event.mac_key.clone())),
        }
    }

    fn tell(&mut self, problem: AuditProblem) {
        if self.report.problems.len() < MOST_PROBLEMS {
            self.report.problems.push(problem);
        }
    }

    fn end(mut self) -> AuditReport {
        // A checkpoint keeps the place of a seal, so a head of before the retention is not missed.
        let removed = self.expected.is_some_and(|head| self.lies_before_the_chain(head));
        if self.expected.is_some() && !self.met_expected && !removed {
            self.tell(AuditProblem::OtherHead);
        }
        self.report
    }

    /// Whether a head belongs to seals that a checkpoint stands for.
    fn lies_before_the_chain(&self, head: &str) -> bool {
        let no = head.split_once(':').and_then(|(no, _)| no.parse::<i64>().ok());
        let first = self.before.as_ref().map(|last| {
            last.no
                .saturating_sub(i64::try_from(self.report.seals).unwrap_or(i64::MAX))
        });
        matches!((no, first), (Some(no), Some(first)) if no <= first)
    }
}

impl Inner {
    /// Seals one batch of rows that wait; tells whether there may be more.
    ///
    /// Another process that seals at the same moment is no fault: whoever comes second does nothing.
    pub(crate) async fn seal_audit(&self) -> Result<bool, Fault> {
        let events = self.store.unsealed(BATCH).await?;
        if events.is_empty() {
            return Ok(false);
        }
        let before = self.store.last_seal().await?;
        let seal = SealRow::over(&self.keyring, before.as_ref(), &events, self.now())?;
        let ids: Vec<_> = events.iter().map(|e| e.id).collect();
        match self.store.seal(&seal, &ids).await {
            Ok(()) => tracing::info!(head = seal.head(), events = seal.events, "audit sealed"),
            Err(StoreError::Conflict) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        Ok(ids.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX))
    }

    /// Removes sealed rows whose time is over, and leaves a checkpoint in their place; tells how many went.
    pub(crate) async fn forget_old_audit(&self, now: Timestamp) -> Result<u64, Fault> {
        let over = now.minus(self.config.audit_kept);
        let Some(last) = self.store.last_seal_before(over, SEALS_FORGOTTEN_AT_ONCE).await? else {
            return Ok(0);
        };
        let checkpoint = last.checkpoint(&self.keyring)?;
        match self.store.put_checkpoint(&checkpoint).await {
            Ok(gone) => {
                tracing::info!(
                    head = checkpoint.head(),
                    gone,
                    "old audit rows removed up to a checkpoint"
                );
                Ok(gone)
            }
            Err(StoreError::Conflict) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}
