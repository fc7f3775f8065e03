//! What must happen from time to time besides mail: last-seen stamps are written, and what is over is removed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::config::Config;
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::portal::Inner;
use crate::session::SessionKey;
use crate::store::PurgePlan;

/// How often what is over is removed.
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// How soon it goes on where a batch was not enough: small batches with pauses keep the database responsive.
const PURGE_AGAIN: Duration = Duration::from_secs(1);
/// Rows of each kind in one batch: 10,000 at once were seen to hold the database up for most of a second.
const PURGE_BATCH: u32 = 500;
/// Stamps in one write.
const STAMPS_AT_ONCE: usize = 500;

/// How often waiting audit rows are sealed: what is removed before that is not found out.
const SEAL_EVERY: Duration = Duration::from_secs(10);

/// When the next turn of a regular piece of work is due.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    last: Option<(Timestamp, Duration)>,
}

impl Turn {
    /// When it is due: at once if there was none yet, or if the clock was set back behind the last one.
    pub(crate) fn due(&self, now: Timestamp) -> Timestamp {
        match self.last {
            Some((last, pause)) if last <= now => last.plus(pause),
            Some(_) | None => now,
        }
    }

    /// A purge was made at `now` and removed `gone` rows.
    pub(crate) fn purged(&mut self, now: Timestamp, gone: u64) {
        let more = gone >= u64::from(PURGE_BATCH);
        self.last = Some((now, if more { PURGE_AGAIN } else { PURGE_EVERY }));
    }

    /// Rows were sealed at `now`, and there may be `more`.
    pub(crate) fn sealed(&mut self, now: Timestamp, more: bool) {
        self.last = Some((now, if more { PURGE_AGAIN } else { SEAL_EVERY }));
    }
}

/// What is over at `now` (ASVS 14.2.7).
pub(crate) fn purge_plan(config: &Config, now: Timestamp) -> PurgePlan {
    let ladder = &config.guessing.ladder;
    // After so long without a change the ladder's count has come down to nothing, and every wait is over (THR-8).
    let forgotten = ladder.quiet.saturating_mul(ladder.cap.saturating_add(1));
    PurgePlan {
        // Another process may have a clock that is a little behind: for it these still live.
        ended_before: now.minus(config.clock_skew),
        // One that timed out names the owner of what is typed on its page for as long as that would be kept (portal R11).
        // It costs no other its place: it is older than all that live.
        sessions_before: now.minus(config.clock_skew.max(config.sessions.forms_kept)),
        links_before: now.minus(config.links_kept),
        seeds_before: now.minus(config.clock_skew),
        mails_before: now.minus(config.mail.kept),
        buckets_before: now.minus(forgotten.max(ladder.hash_window).max(ladder.longest_wait)),
        bucket_cap: ladder.cap,
        devices_before: now.minus(config.devices_kept),
        batch: PURGE_BATCH,
    }
}

impl Inner {
    /// Removes one batch of what is over; tells how many rows went.
    pub(crate) async fn purge(&self) -> Result<u64, Fault> {
        let now = self.now();
        let gone = self.store.purge(&purge_plan(&self.config, now)).await?;
        let gone = gone.saturating_add(self.forget_old_audit(now).await?);
        self.counters.purged.fetch_add(gone, Ordering::Relaxed);
        Ok(gone)
    }

    /// Writes the last-seen stamps whose time has come; tells when the next one is due.
    pub(crate) async fn write_due_stamps(&self) -> Result<Option<Timestamp>, Fault> {
        let (due, next) = self.last_seen.due(self.now(), self.config.sessions.touch_after);
        self.write_stamps(&due).await?;
        Ok(next)
    }

    /// Writes all last-seen stamps, for a process that is going down.
    pub(crate) async fn write_all_stamps(&self) -> Result<(), Fault> {
        self.write_stamps(&self.last_seen.all()).await
    }

    async fn write_stamps(&self, stamps: &[(SessionKey, Timestamp)]) -> Result<(), Fault> {
        let mut failed = None;
        for some in stamps.chunks(STAMPS_AT_ONCE) {
            if let Err(error) = self.store.touch_many(some).await {
                // They are kept for another minute; forgetting them would end sessions before their time.
                for (key, seen) in some {
                    self.last_seen
                        .note(*key, *seen, *seen, self.config.sessions.touch_after);
                }
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn everything_is_kept_exactly_as_long_as_the_configuration_says() {
        // ASVS 14.2.7, THR-8
        let config = Config::portal(Url::parse("https://portal.example").unwrap());
        let plan = purge_plan(&config, T0);
        assert_eq!(plan.ended_before, T0.minus(Duration::from_secs(120)));
        assert_eq!(plan.sessions_before, T0.minus(DAY));
        assert_eq!(plan.links_before, T0.minus(DAY * 30));
        assert_eq!(plan.seeds_before, T0.minus(Duration::from_secs(120)));
        assert_eq!(plan.mails_before, T0.minus(DAY * 7));
        assert_eq!(plan.buckets_before, T0.minus(DAY * 101));
        assert_eq!(plan.bucket_cap, 100);
        assert_eq!(plan.devices_before, T0.minus(DAY * 180));
    }

    #[test]
    fn a_purge_is_due_every_minute_and_sooner_while_batches_are_full() {
        let mut turn = Turn::default();
        assert_eq!(turn.due(T0), T0);
        turn.purged(T0, 499);
        assert_eq!(turn.due(T0), T0.plus(PURGE_EVERY));
        turn.purged(T0, 500);
        assert_eq!(turn.due(T0), T0.plus(PURGE_AGAIN));
    }

    #[test]
    fn a_clock_set_back_does_not_stop_purging() {
        // CLK-4
        let mut turn = Turn::default();
        turn.purged(T0, 0);
        let earlier = T0.minus(DAY * 365);
        assert_eq!(turn.due(earlier), earlier);
    }
}
