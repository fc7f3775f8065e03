//! The ports of `portal_auth::store`, for one engine.

use async_trait::async_trait;
use portal_auth::account::email::EmailAddress;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::audit::{AuditRow, EventId};
use portal_auth::audit_seal::SealRow;
use portal_auth::challenge::{ChallengeKey, ChallengeRow};
use portal_auth::device::DeviceKey;
use portal_auth::environment::Timestamp;
use portal_auth::link::{LinkKey, LinkRow};
use portal_auth::mail::outbox::{Backlog, Claim, MailId, MailOutcome, MailStatus, OutboxRow};
use portal_auth::mail::quota::{QuotaLine, Spent};
use portal_auth::registration::RegistrationId;
use portal_auth::registration::draft::{DraftKey, DraftRow};
use portal_auth::session::{SessionKey, SessionRow, SessionView};
use portal_auth::store::{
    AccountStore, Dossier, DraftStore, Housekeeping, LinkView, OutboxStore, PurgePlan, RegistrantView,
    RegistrationView, SessionStore, SignInView, StoreError, StoreHealth, ThrottleStore,
};
use portal_auth::throttle::{Charge, Charged};
use portal_auth::unit_of_work::UnitOfWork;

use super::{Store, commit, outbox, purge, reads, seals, settle, writes};
use crate::error::{self, Failure};
use crate::sql;

/// How often a read is made on another connection when its own turns out to be dead.
const READ_TRIES: u32 = 3;

/// How often a transaction that lost against another one is run again at once.
const RETRIES: u32 = 5;

/// Runs a read; one that met a dead connection is made again on another, since it changed nothing.
macro_rules! read {
    ($store:expr, $conn:ident => $call:expr) => {{
        let mut tries = 1_u32;
        loop {
            let answer = async {
                let mut $conn = $store.reader().await?;
                let answer = $call.await?;
                $store.done($conn);
                Ok(answer)
            }
            .await;
            match answer {
                Err(e) if tries < READ_TRIES && error::connection_lost(&e) => {
                    $store.distrust();
                    tries = tries.saturating_add(1);
                }
                answer => break answer.map_err(error::plain),
            }
        }
    }};
}

/// Runs a write that may be run again when it lost against another transaction.
macro_rules! write {
    ($store:expr, $conn:ident => $call:expr) => {{
        let mut tries = 1_u32;
        loop {
            let answer = async {
                let mut $conn = $store.writer().await?;
                let answer = $call.await?;
                $store.done($conn);
                Ok(answer)
            }
            .await;
            match answer {
                Err(e) if tries < RETRIES && error::worth_repeating(&e) => tries = tries.saturating_add(1),
                answer => break answer.map_err(error::plain),
            }
        }
    }};
}

#[async_trait]
impl AccountStore for Store {
    async fn by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceKey>,
    ) -> Result<SignInView, StoreError> {
        read!(self, conn => reads::by_email(&mut conn, email, device))
    }

    async fn by_registrant(&self, email: &EmailAddress) -> Result<RegistrantView, StoreError> {
        read!(self, conn => reads::by_registrant(&mut conn, email))
    }

    async fn by_id(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        read!(self, conn => reads::by_id(&mut conn, id))
    }

    async fn by_registration(&self, id: RegistrationId) -> Result<Option<RegistrationView>, StoreError> {
        read!(self, conn => reads::by_registration(&mut conn, id))
    }

    async fn by_link(&self, key: LinkKey) -> Result<Option<LinkView>, StoreError> {
        read!(self, conn => reads::by_link(&mut conn, key))
    }

    async fn by_challenge(
        &self,
        key: ChallengeKey,
    ) -> Result<Option<(ChallengeRow, AccountRow)>, StoreError> {
        read!(self, conn => reads::by_challenge(&mut conn, key))
    }

    async fn activity(&self, id: AccountId, kinds: &[&str], most: u32) -> Result<Vec<AuditRow>, StoreError> {
        read!(self, conn => reads::activity(&mut conn, id, kinds, most))
    }

    async fn live_links(&self, account: AccountId) -> Result<Vec<LinkRow>, StoreError> {
        read!(self, conn => reads::live_links(&mut conn, account))
    }

    async fn dossier(&self, account: AccountId) -> Result<Option<Dossier>, StoreError> {
        read!(self, conn => reads::dossier(&mut conn, account))
    }

    async fn accounts(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountRow>, StoreError> {
        read!(self, conn => reads::accounts(&mut conn, prefix, after, most))
    }

    async fn closed_accounts(&self, until: Timestamp, most: u32) -> Result<Vec<AccountRow>, StoreError> {
        read!(self, conn => reads::closed_accounts(&mut conn, until, most))
    }

    async fn commit(&self, work: UnitOfWork) -> Result<(), StoreError> {
        if self.commit_in_one(&work).await? {
            return Ok(());
        }
        let mut transaction = self.begin().await.map_err(error::plain)?;
        match commit::apply(&mut transaction, &work).await {
            Ok(()) => transaction.commit().await.map_err(error::at_commit),
            Err(failure) => {
                // A rollback that cannot be sent leaves a dead connection, and the engine rolls back by itself.
                drop(transaction.rollback().await);
                Err(error::in_commit(failure))
            }
        }
    }

    async fn was_committed(&self, id: EventId) -> Result<bool, StoreError> {
        self.has_event(id).await.map_err(error::plain)
    }
}

#[async_trait]
impl DraftStore for Store {
    async fn load(&self, key: DraftKey) -> Result<Option<DraftRow>, StoreError> {
        read!(self, conn => reads::draft(&mut conn, key))
    }

    async fn save(&self, draft: &DraftRow) -> Result<(), StoreError> {
        let mut conn = self.writer().await.map_err(error::plain)?;
        // A saved draft names its new version, an update the one it replaces.
        let statement = match draft.version.checked_sub(1) {
            Some(0) => writes::draft(sql::INSERT_DRAFT, 1, draft),
            Some(replaced) => writes::draft(sql::UPDATE_DRAFT, replaced, draft),
            None => return Err(StoreError::Conflict),
        };
        let saved = commit::hit_one(&mut conn, statement).await;
        if !matches!(saved, Err(Failure::Sql(_))) {
            self.done(conn);
        }
        saved.map_err(|failure| match failure {
            // A conflict says that another tab has saved; a deadlock says nothing of the kind.
            Failure::Sql(e) if error::worth_repeating(&e) => error::plain(e),
            Failure::Sql(_) | Failure::Conflict => error::in_commit(failure),
        })
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn session(&self, key: SessionKey) -> Result<Option<SessionView>, StoreError> {
        read!(self, conn => reads::session(&mut conn, key))
    }

    async fn touch_many(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), StoreError> {
        if stamps.is_empty() {
            return Ok(());
        }
        write!(self, conn => super::touch_many(&mut conn, stamps))
    }

    async fn sessions_of(&self, account: AccountId) -> Result<Vec<SessionRow>, StoreError> {
        read!(self, conn => reads::sessions_of(&mut conn, account))
    }
}

#[async_trait]
impl ThrottleStore for Store {
    async fn charge(&self, charge: &Charge) -> Result<Charged, StoreError> {
        write!(self, conn => settle::charge(&mut conn, charge))
    }

    async fn spend(&self, lines: &[QuotaLine], now: Timestamp) -> Result<Spent, StoreError> {
        let mut tries = 1_u32;
        loop {
            let answer = async {
                let mut transaction = self.begin().await?;
                let spent = settle::spend(&mut transaction, lines, now).await?;
                match spent {
                    Spent::Granted { .. } => transaction.commit().await?,
                    Spent::Refused { .. } => transaction.rollback().await?,
                }
                Ok(spent)
            }
            .await;
            match answer {
                Err(e) if tries < RETRIES && error::worth_repeating(&e) => tries = tries.saturating_add(1),
                answer => break answer.map_err(error::plain),
            }
        }
    }
}

#[async_trait]
impl OutboxStore for Store {
    async fn claim(&self, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        write!(self, conn => outbox::claim(&mut conn, claim))
    }

    async fn settle(
        &self,
        id: MailId,
        lease_no: i64,
        outcome: &MailOutcome,
        event: Option<&AuditRow>,
    ) -> Result<bool, StoreError> {
        let Some(event) = event else {
            return write!(self, conn => outbox::settle(&mut conn, id, lease_no, outcome));
        };
        let mut tries = 1_u32;
        loop {
            let answer = async {
                let mut transaction = self.begin().await?;
                let held = outbox::settle(&mut transaction, id, lease_no, outcome).await?;
                if held {
                    writes::insert_event(event).execute(&mut *transaction).await?;
                    transaction.commit().await?;
                } else {
                    transaction.rollback().await?;
                }
                Ok(held)
            }
            .await;
            match answer {
                Err(e) if tries < RETRIES && error::worth_repeating(&e) => tries = tries.saturating_add(1),
                answer => break answer.map_err(error::plain),
            }
        }
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        read!(self, conn => outbox::next_due(&mut conn))
    }

    async fn mails(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        read!(self, conn => outbox::mails(&mut conn, status, to, after, most))
    }

    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        read!(self, conn => outbox::backlog(&mut conn, now))
    }
}

#[async_trait]
impl Housekeeping for Store {
    async fn purge(&self, plan: &PurgePlan) -> Result<u64, StoreError> {
        write!(self, conn => purge::purge(&mut conn, plan))
    }

    async fn unsealed(&self, most: u32) -> Result<Vec<AuditRow>, StoreError> {
        read!(self, conn => seals::unsealed(&mut conn, most))
    }
    async fn last_seal(&self) -> Result<Option<SealRow>, StoreError> {
        read!(self, conn => seals::last_seal(&mut conn))
    }
    async fn seal(&self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await.map_err(error::plain)?;
        match seals::seal(&mut transaction, seal, events).await {
            Ok(done) => transaction
                .commit()
                .await
                .map(|()| done)
                .map_err(error::at_commit),
            Err(failure) => {
                drop(transaction.rollback().await);
                Err(error::in_commit(failure))
            }
        }
    }
    async fn seals(&self, after: i64, most: u32) -> Result<Vec<SealRow>, StoreError> {
        read!(self, conn => seals::seals(&mut conn, after, most))
    }
    async fn sealed_events(&self, no: i64) -> Result<Vec<AuditRow>, StoreError> {
        read!(self, conn => seals::sealed_events(&mut conn, no))
    }
    async fn last_seal_before(&self, at: Timestamp, most: u32) -> Result<Option<SealRow>, StoreError> {
        read!(self, conn => seals::last_seal_before(&mut conn, at, most))
    }
    async fn put_checkpoint(&self, checkpoint: &SealRow) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await.map_err(error::plain)?;
        match seals::put_checkpoint(&mut transaction, checkpoint).await {
            Ok(done) => transaction
                .commit()
                .await
                .map(|()| done)
                .map_err(error::at_commit),
            Err(failure) => {
                drop(transaction.rollback().await);
                Err(error::in_commit(failure))
            }
        }
    }
    async fn health(&self) -> Result<StoreHealth, StoreError> {
        self.ask_health().await.map_err(error::plain)
    }
}
