//! What every store must do, as tests that any backend runs in three lines.
//!
//! ```text
//! async fn empty_store() -> MyStore { MyStore::in_a_fresh_database().await }
//!
//! portal_auth::conformance_suite!(empty_store);
//! ```
//!
//! The function makes an empty store with its schema in place; it is called once per case. It may answer
//! `(store, anything)` as well: the second part is dropped when the case is over, passed or failed, so it can remove
//! a directory or a database. The macro writes one `#[tokio::test]` per case, so the crate that calls it needs tokio
//! with `macros` and `rt-multi-thread`.
//!
//! Every case is also a plain function here, which panics where the store breaks its promise. They are not part of
//! the crate's stable interface: a release may add cases.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a case fails by panicking, and counts with small numbers"
)]

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::account::snapshot::AccountRow;
use crate::environment::Timestamp;
use crate::store::{Store, StoreError};
use crate::testkit::rows;
use crate::throttle::{BucketKey, Charge, Charged, Ladder, Receipt};
use crate::unit_of_work::{Change, UnitOfWork, Write};

mod atomicity;
mod changes;
mod drafts;
mod dues;
mod leases;
mod listings;
mod purging;
mod quotas;
mod races;
mod round_trips;
mod seals;
mod sessions;
mod settlements;
mod sweeps;
mod throttling;
mod views;

/// Hands the list of all cases to another macro; a case that is missing here is dead code, and the build says so.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ([$($then:tt)*] $with:tt) => {
        $($then)*! { $with
            atomicity {
                a_conflict_leaves_nothing_of_any_change
                a_conflict_leaves_nothing_of_any_sweep
                a_conflict_leaves_nothing_of_any_settlement
                a_conflict_leaves_no_mail_and_no_event
                a_taken_name_of_a_mail_or_event_stops_everything
                a_guard_that_does_not_hold_stops_everything
                a_guard_refuses_another_epoch_and_an_account_that_is_not_active
                a_commit_is_known_by_its_first_event
            }
            changes {
                inserting_a_taken_key_is_a_conflict
                an_update_of_a_stale_version_is_a_conflict
                an_update_raises_the_version_by_one
                updating_or_deleting_a_missing_row_is_a_conflict
                a_delete_removes_its_row_and_no_other
                a_session_is_never_updated
                a_device_is_replaced_where_it_is_known
                an_address_belongs_to_one_account_at_a_time
                an_address_moves_to_another_in_one_commit
                changes_are_applied_in_their_order
            }
            drafts {
                a_draft_is_saved_version_by_version
                of_two_tabs_the_first_to_save_wins
                a_draft_is_written_and_removed_by_a_commit
            }
            dues {
                the_most_urgent_mail_goes_first_then_the_longest_due
                a_mail_is_due_at_its_microsecond_and_not_before
                a_mail_past_its_end_is_still_claimed
                the_next_due_moment_counts_what_waits_and_what_is_leased
                the_backlog_counts_what_is_due_and_what_is_dead
            }
            leases {
                two_dispatchers_never_hold_the_same_mail
                a_lease_is_over_at_its_microsecond_and_not_before
                a_slow_dispatcher_cannot_settle_what_another_claimed
                a_mail_is_settled_once
                a_late_settlement_counts_while_nobody_else_has_claimed
                an_attempt_counts_only_where_it_is_told_to
                a_sent_or_dead_mail_is_never_claimed_again
                a_settlement_and_its_event_are_written_together_or_not_at_all
            }
            listings {
                live_links_are_the_accounts_own_newest_first
                a_dossier_holds_every_row_of_its_account_and_no_other
                an_erasure_leaves_nothing_of_its_account_but_events
                accounts_are_listed_by_prefix_page_by_page
                closed_accounts_are_found_when_their_time_has_come
                mails_are_listed_newest_first_page_by_page
                a_dead_mail_is_queued_again_and_a_ready_one_dropped
                an_erased_account_frees_its_address
            }
            purging {
                purging_takes_what_is_over_and_leaves_what_lives
                purging_is_exact_to_the_microsecond
                a_purge_takes_at_most_a_batch
                purging_wipes_the_seeds_of_links_that_have_expired
                purging_takes_sent_and_dead_mails_and_no_others
                purging_forgets_old_buckets_and_quotas_only
                purging_opens_no_bucket_that_is_closed_for_good
                purging_touches_no_account_and_no_event
                the_store_says_how_it_is
            }
            quotas {
                sliding_windows_are_exact
                a_counted_window_ends_at_its_microsecond
                a_refusal_counts_on_no_line
                parallel_spending_never_exceeds_a_limit
                lines_of_different_kinds_are_counted_together
            }
            races {
                of_fifty_claims_of_one_address_one_wins
                of_fifty_uses_of_one_link_one_wins
                of_fifty_uses_of_one_code_one_wins
                of_fifty_saves_of_one_draft_one_wins
                fifty_sign_ins_of_one_account_all_pass
                five_hundred_tries_on_one_counter_lose_none
                parallel_successes_take_back_exactly_their_own
                settlements_in_opposite_orders_neither_hang_nor_get_lost
            }
            round_trips {
                an_account_comes_back_as_it_was_written
                a_registration_and_its_link_come_back_as_they_were_written
                a_challenge_comes_back_as_it_was_written
                a_session_comes_back_as_it_was_written
                a_draft_comes_back_as_it_was_written
                a_mail_comes_back_as_it_was_written
                an_event_comes_back_byte_for_byte
            }
            seals {
                rows_wait_oldest_first_and_keep_the_order_of_their_seal
                a_seal_whose_number_or_row_is_taken_is_a_conflict_and_writes_nothing
                a_checkpoint_stands_for_the_rows_that_were_removed
            }
            sessions {
                a_stamp_only_rises
                a_stamp_for_a_session_that_is_gone_is_skipped
                a_session_shows_its_accounts_present_epoch_and_status
                the_list_of_sessions_has_the_present_epoch_only_newest_first
            }
            settlements {
                a_success_takes_back_its_own_charge_and_no_more
                taking_back_never_goes_below_zero_nor_opens_anothers_wait
                clearing_opens_a_bucket_but_keeps_its_count_of_hashes
                lowering_only_lowers
                a_network_closes_at_its_limit_until_its_window_ends
                a_networks_closing_is_told_once_in_a_window
                settling_a_bucket_that_is_not_there_changes_nothing
            }
            sweeps {
                voiding_links_ends_live_ones_of_the_subject_and_wipes_their_secret
                a_link_that_was_voided_cannot_be_used_by_who_read_it_before
                voiding_registrations_ends_those_that_wait_with_their_links
                ending_sessions_and_challenges_spares_other_accounts
                the_newest_sessions_are_kept
                the_newest_challenges_are_kept
                the_devices_used_last_are_kept
                a_sweep_that_hits_nothing_is_fine
            }
            throttling {
                of_two_hundred_parallel_tries_exactly_ten_are_admitted
                a_bucket_opens_at_its_microsecond_and_not_before
                a_refused_charge_writes_nothing
                a_closed_network_refuses_without_a_write
                a_network_opens_at_its_microsecond
                a_clock_that_went_back_keeps_nobody_out
                a_bucket_at_its_cap_does_not_open_by_itself
                hashing_has_a_price_that_success_does_not_refund
                buckets_do_not_mix
                any_sequence_of_charges_and_settlements_equals_the_reference
                any_sequence_under_a_tight_ladder_equals_the_reference
            }
            views {
                an_address_finds_its_account_and_the_asking_browser
                an_unknown_address_finds_nothing
                a_registrant_sees_the_account_and_the_newest_registration_that_waits
                a_link_shows_what_it_belongs_to
                a_registration_shows_its_link_until_that_is_gone
                a_challenge_without_its_account_is_not_found
                activity_is_newest_first_and_of_the_asked_kinds
            }
        }
    };
}

/// Writes one test per case of the conformance suite; see [`testkit::conformance`](crate::testkit::conformance).
#[macro_export]
macro_rules! conformance_suite {
    ($make_store:path) => {
        $crate::__conformance_cases! { [$crate::__conformance_tests] [$make_store] }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$make_store:path] $($module:ident { $($case:ident)* })*) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() {
            let fresh = $crate::testkit::conformance::Fresh::from($make_store().await);
            $crate::testkit::conformance::$case(fresh.store()).await;
        }
    )*)*};
}

macro_rules! export_cases {
    ([] $($module:ident { $($case:ident)* })*) => {$(
        pub use self::$module::{$($case),*};
    )*};
}

__conformance_cases! { [export_cases] [] }

/// An empty store, and what must live as long as it.
pub struct Fresh {
    // In this order: the store lets go of its database before the database is removed.
    store: Arc<dyn Store>,
    _kept: Box<dyn Any + Send>,
}

impl Fresh {
    /// The store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl<S: Store> From<S> for Fresh {
    fn from(store: S) -> Self {
        Self::from((store, ()))
    }
}

impl<S: Store, K: Any + Send> From<(S, K)> for Fresh {
    fn from((store, kept): (S, K)) -> Self {
        Self {
            store: Arc::new(store),
            _kept: Box::new(kept),
        }
    }
}

/// Runs `one` as often as `times` says, all at the same moment, and answers what each came to.
async fn race<F, T>(times: u32, one: impl Fn(u32) -> F + Send) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let start = Arc::new(Barrier::new(times as usize));
    let mut racers = JoinSet::new();
    for n in 0..times {
        let (start, racer) = (Arc::clone(&start), one(n));
        racers.spawn(async move {
            start.wait().await;
            racer.await
        });
    }
    racers.join_all().await
}

/// Commits what must pass.
async fn write(store: &dyn Store, work: UnitOfWork) {
    store.commit(work).await.expect("a commit must pass here");
}

/// Commits what must be a conflict.
async fn conflict(store: &dyn Store, work: UnitOfWork, why: &str) {
    let answer = store.commit(work).await;
    assert!(
        matches!(answer, Err(StoreError::Conflict)),
        "{why}: expected a conflict, got {answer:?}"
    );
}

/// Makes the account `n` with its address claimed.
async fn with_account(store: &dyn Store, n: u32) -> AccountRow {
    let account = rows::account(n);
    write(store, rows::work_with(&account)).await;
    account
}

/// A change that never hits a row, so that everything before it must be taken back.
fn impossible() -> Change {
    Change::Draft(Box::new(Write::Delete(rows::draft(0xdead).key)))
}

fn insert<T, K>(row: &T) -> Box<Write<T, K>>
where
    T: Clone,
{
    Box::new(Write::Insert(row.clone()))
}

fn update<T, K>(row: &T) -> Box<Write<T, K>>
where
    T: Clone,
{
    Box::new(Write::Update(row.clone()))
}

/// Charges the bucket `n` at `now`, under the default ladder and no networks.
async fn charge(store: &dyn Store, n: u32, now: Timestamp) -> Charged {
    charge_with(store, n, &[], now, Ladder::DEFAULT).await
}

async fn charge_with(
    store: &dyn Store,
    n: u32,
    networks: &[BucketKey],
    now: Timestamp,
    ladder: Ladder,
) -> Charged {
    let charge = Charge {
        bucket: rows::bucket(n),
        networks: networks.to_vec(),
        now,
        ladder,
    };
    store.charge(&charge).await.expect("a charge must be answered")
}

/// Until when the bucket `n` is closed at `now`, found out without writing to it: it is asked for as a network.
async fn closed_until(store: &dyn Store, n: u32, now: Timestamp) -> Option<Timestamp> {
    // Judged is a bucket that nobody has used, so that only the network can refuse.
    static UNUSED: AtomicU32 = AtomicU32::new(0x6000_0000);
    let unused = UNUSED.fetch_add(1, Ordering::Relaxed);
    let far = Ladder {
        longest_wait: Duration::from_secs(400 * 86_400),
        free: u32::MAX,
        cap: u32::MAX,
        hashes: u32::MAX,
        ..Ladder::DEFAULT
    };
    match charge_with(store, unused, &[rows::bucket(n)], now, far).await {
        Charged::Paid(_) => None,
        Charged::Refused { until } => Some(until),
    }
}

/// Charges the bucket `n` as long as it is open at `now`, and answers the receipts.
async fn charge_until_closed(store: &dyn Store, n: u32, now: Timestamp) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    while let Charged::Paid(receipt) = charge(store, n, now).await {
        receipts.push(receipt);
        assert!(receipts.len() <= 100, "the bucket never closes");
    }
    receipts
}
