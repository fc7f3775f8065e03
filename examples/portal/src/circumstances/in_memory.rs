//! Reports that live and die with the process, beside the library's in-memory store: for trials, tests and fuzzing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use portal_auth::account::snapshot::AccountId;
use portal_auth::environment::Timestamp;
use portal_auth::mail::outbox::MailId;
use portal_auth::store::{Store, StoreError};

use super::{Filed, Report, Reports, Window};

/// In the order in which they were filed, each with when its next mail is due.
type Kept = Vec<(Report, Option<Timestamp>)>;

/// Reports in memory.
pub struct InMemoryReports {
    store: Arc<dyn Store>,
    kept: Mutex<Kept>,
}

impl InMemoryReports {
    /// None yet; `store` knows which accounts there are.
    #[must_use]
    pub fn beside(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> Result<MutexGuard<'_, Kept>, StoreError> {
        let broken = |_| StoreError::Permanent("a panic interrupted a write to the reports in memory".into());
        self.kept.lock().map_err(broken)
    }
}

fn some(most: i64) -> usize {
    usize::try_from(most).unwrap_or(0)
}

#[async_trait]
impl Reports for InMemoryReports {
    async fn file(&self, report: &Report, window: Window) -> Result<Filed, StoreError> {
        if self.store.by_id(report.account).await?.is_none() {
            return Ok(Filed::NoAccount);
        }
        let mut kept = self.kept()?;
        if let Some((before, _)) = kept.iter().find(|(before, _)| before.id == report.id) {
            return Ok(Filed::Before(before.clone()));
        }
        if kept.iter().any(|(other, _)| other.reference == report.reference) {
            return Err(StoreError::Conflict);
        }
        let counts = |r: &&Report| r.account == report.account && r.reported_at > window.since;
        let inside: Vec<_> = kept.iter().map(|(r, _)| r).filter(counts).collect();
        if inside.len() >= some(window.most) {
            let first = inside.iter().map(|r| r.reported_at).min();
            let first = first.unwrap_or(report.reported_at);
            return Ok(Filed::TooMany { first });
        }
        kept.push((report.clone(), Some(report.reported_at)));
        Ok(Filed::New(report.clone()))
    }

    async fn of_account(&self, account: AccountId, most: i64) -> Result<Vec<Report>, StoreError> {
        let kept = self.kept()?;
        let theirs = kept.iter().rev().map(|(report, _)| report);
        let theirs = theirs.filter(|report| report.account == account);
        Ok(theirs.take(some(most)).cloned().collect())
    }

    async fn due(&self, now: Timestamp, most: i64) -> Result<Vec<Report>, StoreError> {
        let mut due: Vec<_> = self
            .kept()?
            .iter()
            .filter_map(|(r, due)| Some((due.as_ref().copied()?, r.clone())))
            .collect();
        due.retain(|(at, _)| *at <= now);
        due.sort_by_key(|(at, _)| *at);
        Ok(due
            .into_iter()
            .map(|(_, report)| report)
            .take(some(most))
            .collect())
    }

    async fn told(&self, id: MailId, at: Timestamp, next: Option<Timestamp>) -> Result<(), StoreError> {
        for (report, due) in self.kept()?.iter_mut().filter(|(report, _)| report.id == id) {
            report.told_at.get_or_insert(at);
            *due = next;
        }
        Ok(())
    }

    async fn forget_the_gone(&self) -> Result<(), StoreError> {
        let mut accounts: Vec<_> = self.kept()?.iter().map(|(report, _)| report.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        for account in accounts {
            if self.store.by_id(account).await?.is_none() {
                self.kept()?.retain(|(report, _)| report.account != account);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for InMemoryReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryReports").finish_non_exhaustive()
    }
}
