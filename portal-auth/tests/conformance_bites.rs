//! The conformance suite finds faults: stores that break one promise each fail the case that names it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a store that is broken on purpose may panic as well"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

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
use portal_auth::store::in_memory::InMemoryStore;
use portal_auth::store::{
    AccountStore, Dossier, DraftStore, Housekeeping, LinkView, OutboxStore, PurgePlan, RegistrantView,
    RegistrationView, SessionStore, SignInView, Store, StoreError, StoreHealth, ThrottleStore,
};
use portal_auth::testkit::conformance;
use portal_auth::testkit::rows::{self, MICRO};
use portal_auth::throttle::{Bucket, BucketKey, Charge, Charged, Receipt};
use portal_auth::unit_of_work::{Change, Sweep, UnitOfWork, Write};

/// The promise a [`Broken`] store does not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    DropsMails,
    DropsSettlements,
    DropsSweeps,
    DropsGuards,
    WritesHalf,
    ReadsThenWrites,
    WaitsEndEarly,
    LastWriteWins,
    IgnoresNetworks,
    SettlesWithoutFencing,
    ClaimsWithoutLease,
    SpendsLineByLine,
    SavesAnyVersion,
    LowersStamps,
    PurgesOneMicrosecondEarly,
    KeepsSeeds,
    ForgetsCommits,
    ShowsAStaleEpoch,
    TellsTheEndOfAMailApart,
    PurgesWhatIsClosedForGood,
    TellsOfOpenNetworks,
}

#[derive(Debug)]
struct Broken {
    store: InMemoryStore,
    fault: Fault,
    buckets: Mutex<BTreeMap<BucketKey, Bucket>>,
    readers: tokio::sync::Barrier,
    stale: Mutex<Option<SessionView>>,
}

impl Broken {
    fn with(fault: Fault) -> Arc<dyn Store> {
        Arc::new(Self {
            store: InMemoryStore::new(),
            fault,
            buckets: Mutex::default(),
            readers: tokio::sync::Barrier::new(20),
            stale: Mutex::default(),
        })
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The same unit of work, with every update of a link made to fit the version that is there.
    async fn forced(&self, work: &UnitOfWork) -> Result<UnitOfWork, StoreError> {
        let mut forced = UnitOfWork::new(work.events()[0].clone());
        for change in work.changes() {
            let mut change = change.clone();
            if let Change::Link(write) = &mut change
                && let Write::Update(row) = &mut **write
                && let Some(held) = self.store.by_link(row.key).await?
            {
                row.version = held.link.version;
            }
            forced = forced.change(change);
        }
        Ok(forced)
    }

    /// The same unit of work without the parts that this store loses.
    fn lossy(&self, work: &UnitOfWork) -> UnitOfWork {
        let (first, further) = work.events().split_first().unwrap();
        let mut kept = UnitOfWork::new(first.clone());
        for event in further {
            kept = kept.event(event.clone());
        }
        for (network, event) in work.closings() {
            kept = if self.is(Fault::TellsOfOpenNetworks) {
                kept.event(event.clone())
            } else {
                kept.event_where_closed(*network, event.clone())
            };
        }
        for change in work.changes() {
            kept = kept.change(change.clone());
        }
        for guard in work.guards().iter().filter(|_| !self.is(Fault::DropsGuards)) {
            kept = kept.guard(guard.clone());
        }
        for sweep in work.sweeps().iter().filter(|_| !self.is(Fault::DropsSweeps)) {
            kept = kept.sweep(sweep.clone());
        }
        for settle in work
            .settles()
            .iter()
            .filter(|_| !self.is(Fault::DropsSettlements))
        {
            kept = kept.settle(*settle);
        }
        for mail in work.mails().iter().filter(|_| !self.is(Fault::DropsMails)) {
            kept = kept.mail(mail.clone());
        }
        kept
    }
}

#[async_trait]
impl AccountStore for Broken {
    async fn by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceKey>,
    ) -> Result<SignInView, StoreError> {
        self.store.by_email(email, device).await
    }
    async fn by_registrant(&self, email: &EmailAddress) -> Result<RegistrantView, StoreError> {
        self.store.by_registrant(email).await
    }
    async fn by_id(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        self.store.by_id(id).await
    }
    async fn by_registration(&self, id: RegistrationId) -> Result<Option<RegistrationView>, StoreError> {
        self.store.by_registration(id).await
    }
    async fn by_link(&self, key: LinkKey) -> Result<Option<LinkView>, StoreError> {
        self.store.by_link(key).await
    }
    async fn by_challenge(
        &self,
        key: ChallengeKey,
    ) -> Result<Option<(ChallengeRow, AccountRow)>, StoreError> {
        self.store.by_challenge(key).await
    }
    async fn activity(&self, id: AccountId, kinds: &[&str], most: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.store.activity(id, kinds, most).await
    }
    async fn live_links(&self, account: AccountId) -> Result<Vec<LinkRow>, StoreError> {
        self.store.live_links(account).await
    }
    async fn dossier(&self, account: AccountId) -> Result<Option<Dossier>, StoreError> {
        self.store.dossier(account).await
    }
    async fn accounts(
        &self,
        prefix: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountRow>, StoreError> {
        self.store.accounts(prefix, after, most).await
    }
    async fn closed_accounts(&self, until: Timestamp, most: u32) -> Result<Vec<AccountRow>, StoreError> {
        self.store.closed_accounts(until, most).await
    }
    async fn commit(&self, work: UnitOfWork) -> Result<(), StoreError> {
        if self.is(Fault::WritesHalf) {
            // Change by change, each in a transaction of its own: what came before a conflict stays.
            for (n, change) in work.changes().iter().enumerate() {
                let mut step = rows::work().change(change.clone());
                if n == 0 {
                    step = work.guards().iter().fold(step, |step, g| step.guard(g.clone()));
                }
                self.store.commit(step).await?;
            }
            let mut rest = UnitOfWork::new(work.events()[0].clone());
            for event in &work.events()[1..] {
                rest = rest.event(event.clone());
            }
            rest = work.sweeps().iter().fold(rest, |rest, s| rest.sweep(s.clone()));
            rest = work.mails().iter().fold(rest, |rest, m| rest.mail(m.clone()));
            return self.store.commit(rest).await;
        }
        if self.is(Fault::LastWriteWins) {
            return self.store.commit(self.forced(&work).await?).await;
        }
        self.store.commit(self.lossy(&work)).await
    }
    async fn was_committed(&self, id: EventId) -> Result<bool, StoreError> {
        Ok(self.store.was_committed(id).await? && !self.is(Fault::ForgetsCommits))
    }
}

#[async_trait]
impl DraftStore for Broken {
    async fn load(&self, key: DraftKey) -> Result<Option<DraftRow>, StoreError> {
        self.store.load(key).await
    }
    async fn save(&self, draft: &DraftRow) -> Result<(), StoreError> {
        if self.is(Fault::SavesAnyVersion) {
            let held = self.store.load(draft.key).await?.map_or(0, |d| d.version);
            let version = held + 1;
            return self
                .store
                .save(&DraftRow {
                    version,
                    ..draft.clone()
                })
                .await;
        }
        self.store.save(draft).await
    }
}

#[async_trait]
impl SessionStore for Broken {
    async fn session(&self, key: SessionKey) -> Result<Option<SessionView>, StoreError> {
        let fresh = self.store.session(key).await?;
        if self.is(Fault::ShowsAStaleEpoch) {
            let mut stale = self.stale.lock().unwrap();
            if stale.is_none() {
                stale.clone_from(&fresh);
            }
            return Ok(stale.clone());
        }
        Ok(fresh)
    }
    async fn touch_many(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), StoreError> {
        if self.is(Fault::LowersStamps) {
            for (key, stamp) in stamps {
                if let Some(view) = self.store.session(*key).await? {
                    let session = SessionRow {
                        last_seen: *stamp,
                        ..view.session
                    };
                    let work = rows::work().sweep(Sweep::EndSession(*key));
                    self.store.commit(work).await?;
                    let insert = Write::Insert(session);
                    let change = Change::Session(Box::new(insert));
                    let work = rows::work().change(change);
                    self.store.commit(work).await?;
                }
            }
            return Ok(());
        }
        self.store.touch_many(stamps).await
    }
    async fn sessions_of(&self, account: AccountId) -> Result<Vec<SessionRow>, StoreError> {
        self.store.sessions_of(account).await
    }
}

#[async_trait]
impl ThrottleStore for Broken {
    async fn charge(&self, charge: &Charge) -> Result<Charged, StoreError> {
        if self.is(Fault::ReadsThenWrites) {
            let read = self.buckets.lock().unwrap().get(&charge.bucket).copied();
            let bucket = read.unwrap_or(Bucket::EMPTY);
            // On the way to the write, others read the same count: here twenty do, so that it happens every time.
            self.readers.wait().await;
            let Some(paid) = bucket.charged(charge.now, &charge.ladder) else {
                let until = bucket.closed_until(charge.now, &charge.ladder);
                return Ok(Charged::Refused {
                    until: until.unwrap_or(charge.now),
                });
            };
            self.buckets.lock().unwrap().insert(charge.bucket, paid);
            return Ok(Charged::Paid(Receipt {
                bucket: charge.bucket,
                failures: paid.failures,
                open_at: paid.open_at,
                charged_at: charge.now,
            }));
        }
        let mut asked = charge.clone();
        if self.is(Fault::IgnoresNetworks) {
            asked.networks.clear();
        }
        if self.is(Fault::WaitsEndEarly) {
            asked.now = asked.now.plus(MICRO);
        }
        self.store.charge(&asked).await
    }
    async fn spend(&self, lines: &[QuotaLine], now: Timestamp) -> Result<Spent, StoreError> {
        if self.is(Fault::SpendsLineByLine) {
            let mut spent = Spent::Granted { last_until: None };
            for line in lines {
                spent = self.store.spend(std::slice::from_ref(line), now).await?;
                if matches!(spent, Spent::Refused { .. }) {
                    break;
                }
            }
            return Ok(spent);
        }
        self.store.spend(lines, now).await
    }
}

#[async_trait]
impl OutboxStore for Broken {
    async fn claim(&self, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        let mut asked = claim;
        if self.is(Fault::ClaimsWithoutLease) {
            asked.lease = std::time::Duration::ZERO;
        }
        self.store.claim(asked).await
    }
    async fn settle(
        &self,
        id: MailId,
        lease_no: i64,
        outcome: &MailOutcome,
        event: Option<&AuditRow>,
    ) -> Result<bool, StoreError> {
        if self.is(Fault::SettlesWithoutFencing) {
            for newer in lease_no..lease_no + 5 {
                if self.store.settle(id, newer, outcome, event).await? {
                    return Ok(true);
                }
            }
        }
        if self.is(Fault::TellsTheEndOfAMailApart) {
            let held = self.store.settle(id, lease_no, outcome, None).await?;
            if let Some(event) = event {
                self.store.commit(UnitOfWork::new(event.clone())).await?;
            }
            return Ok(held);
        }
        self.store.settle(id, lease_no, outcome, event).await
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_due().await
    }
    async fn mails(
        &self,
        status: Option<MailStatus>,
        to: Option<&EmailAddress>,
        after: Option<(Timestamp, MailId)>,
        most: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.store.mails(status, to, after, most).await
    }
    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        self.store.backlog(now).await
    }
}

#[async_trait]
impl Housekeeping for Broken {
    async fn purge(&self, plan: &PurgePlan) -> Result<u64, StoreError> {
        let mut plan = *plan;
        if self.is(Fault::PurgesOneMicrosecondEarly) {
            plan.ended_before = plan.ended_before.plus(MICRO);
        }
        if self.is(Fault::PurgesWhatIsClosedForGood) {
            plan.bucket_cap = u32::MAX;
        }
        if self.is(Fault::KeepsSeeds) {
            plan.seeds_before = Timestamp::MIN;
        }
        self.store.purge(&plan).await
    }
    async fn unsealed(&self, most: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.store.unsealed(most).await
    }
    async fn last_seal(&self) -> Result<Option<SealRow>, StoreError> {
        self.store.last_seal().await
    }
    async fn seal(&self, seal: &SealRow, events: &[EventId]) -> Result<(), StoreError> {
        self.store.seal(seal, events).await
    }
    async fn seals(&self, after: i64, most: u32) -> Result<Vec<SealRow>, StoreError> {
        self.store.seals(after, most).await
    }
    async fn sealed_events(&self, no: i64) -> Result<Vec<AuditRow>, StoreError> {
        self.store.sealed_events(no).await
    }
    async fn last_seal_before(&self, at: Timestamp, most: u32) -> Result<Option<SealRow>, StoreError> {
        self.store.last_seal_before(at, most).await
    }
    async fn put_checkpoint(&self, checkpoint: &SealRow) -> Result<u64, StoreError> {
        self.store.put_checkpoint(checkpoint).await
    }
    async fn health(&self) -> Result<StoreHealth, StoreError> {
        self.store.health().await
    }
}

/// Runs a case on the sound store, where it must pass, and on the broken one, where it must not.
macro_rules! the_suite_finds {
    ($($test:ident: $fault:ident by $case:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            conformance::$case(Broken::with(Fault::None)).await;
            let failed = tokio::spawn(conformance::$case(Broken::with(Fault::$fault))).await;
            assert!(failed.is_err_and(|e| e.is_panic()), "the fault was not found");
        }
    )*};
}

the_suite_finds! {
    a_store_that_loses_mails: DropsMails by a_conflict_leaves_no_mail_and_no_event;
    a_store_that_loses_settlements: DropsSettlements by a_success_takes_back_its_own_charge_and_no_more;
    a_store_that_loses_sweeps: DropsSweeps by a_link_that_was_voided_cannot_be_used_by_who_read_it_before;
    a_store_that_keeps_old_sessions: DropsSweeps by the_newest_sessions_are_kept;
    a_store_that_checks_no_guard: DropsGuards by a_guard_refuses_another_epoch_and_an_account_that_is_not_active;
    a_store_that_writes_half: WritesHalf by a_conflict_leaves_nothing_of_any_change;
    a_store_whose_losers_leave_rows: WritesHalf by of_fifty_claims_of_one_address_one_wins;
    a_store_that_reads_then_writes: ReadsThenWrites
        by of_two_hundred_parallel_tries_exactly_ten_are_admitted;
    a_store_whose_waits_end_early: WaitsEndEarly by a_bucket_opens_at_its_microsecond_and_not_before;
    a_store_whose_sums_are_a_microsecond_off: WaitsEndEarly
        by any_sequence_of_charges_and_settlements_equals_the_reference;
    a_store_in_which_the_last_write_wins: LastWriteWins by of_fifty_uses_of_one_link_one_wins;
    a_store_that_checks_no_version: LastWriteWins by an_update_of_a_stale_version_is_a_conflict;
    a_store_that_ignores_networks: IgnoresNetworks by a_closed_network_refuses_without_a_write;
    a_store_that_lets_slow_dispatchers_write: SettlesWithoutFencing
        by a_slow_dispatcher_cannot_settle_what_another_claimed;
    a_store_that_hands_mails_out_twice: ClaimsWithoutLease by a_mail_is_due_at_its_microsecond_and_not_before;
    a_store_that_counts_refused_mails: SpendsLineByLine by a_refusal_counts_on_no_line;
    a_store_that_overwrites_drafts: SavesAnyVersion by of_two_tabs_the_first_to_save_wins;
    a_store_whose_stamps_fall: LowersStamps by a_stamp_only_rises;
    a_store_that_purges_early: PurgesOneMicrosecondEarly by purging_is_exact_to_the_microsecond;
    a_store_that_keeps_seeds: KeepsSeeds by purging_wipes_the_seeds_of_links_that_have_expired;
    a_store_that_forgets_its_commits: ForgetsCommits by a_commit_is_known_by_its_first_event;
    a_store_that_opens_what_is_closed_for_good: PurgesWhatIsClosedForGood
        by purging_opens_no_bucket_that_is_closed_for_good;
    a_store_that_tells_of_open_networks: TellsOfOpenNetworks by a_networks_closing_is_told_once_in_a_window;
    a_store_that_tells_ends_of_mails_apart: TellsTheEndOfAMailApart
        by a_settlement_and_its_event_are_written_together_or_not_at_all;
    a_store_that_caches_sessions: ShowsAStaleEpoch by a_session_shows_its_accounts_present_epoch_and_status;
}

#[tokio::test]
async fn what_is_kept_beside_a_store_lives_as_long_as_the_store() {
    let database = Arc::new(());
    let fresh = conformance::Fresh::from((InMemoryStore::new(), Arc::clone(&database)));
    assert!(fresh.store().health().await.is_ok());
    assert_eq!(Arc::strong_count(&database), 2);
    drop(fresh);
    assert_eq!(Arc::strong_count(&database), 1);
}
