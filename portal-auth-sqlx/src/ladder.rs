//! The numbers of a guessing ladder as its statement takes them: whole microseconds that cannot overflow.
//!
//! The statement must equal [`Bucket::charged`] row for row; so what Rust can compute beforehand is computed by the
//! reference itself.

use std::time::Duration;

use portal_auth::environment::Timestamp;
use portal_auth::throttle::{Bucket, BucketKey, Charge, Charged, Ladder};

/// What the charging statement binds beside the bucket, the moment and the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LadderNumbers {
    /// The bucket after a first try.
    pub(crate) first: Bucket,
    /// The earliest moment whose distance from now fits a number.
    pub(crate) floor: i64,
    pub(crate) quiet: i64,
    pub(crate) cap: i64,
    pub(crate) free: i64,
    /// The step from which on the wait does not grow, and that wait.
    pub(crate) top_step: i64,
    pub(crate) top_wait: i64,
    pub(crate) first_wait: i64,
    pub(crate) hashes: i64,
    /// A window of hashes that began then, or before, is over.
    pub(crate) window_over: i64,
    /// A wait that ends after this was set before the clock went back, and is over too.
    pub(crate) furthest: i64,
}

impl LadderNumbers {
    /// `None` where the ladder refuses even a first try, so that no statement needs to run.
    pub(crate) fn of(now: Timestamp, ladder: &Ladder) -> Option<Self> {
        let first = Bucket::EMPTY.charged(now, ladder)?;
        // Step 32 is as far as the reference doubles.
        let wait = |step: u32| ladder.wait(ladder.free.saturating_add(step));
        let top_step = (0..32).find(|step| wait(*step) == wait(32)).unwrap_or(32);
        Some(Self {
            first,
            floor: now.as_micros().saturating_sub(i64::MAX),
            quiet: micros(ladder.quiet).max(1),
            cap: i64::from(ladder.cap),
            free: i64::from(ladder.free),
            top_step: i64::from(top_step),
            top_wait: micros(wait(top_step)),
            first_wait: micros(ladder.first_wait),
            hashes: i64::from(ladder.hashes),
            window_over: now.minus(ladder.hash_window).as_micros(),
            furthest: now.plus(ladder.longest_wait).as_micros(),
        })
    }
}

/// A length as whole microseconds.
pub(crate) fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// Why a charge was refused, from the rows it met: the latest moment of those that are closed.
///
/// `None` where everything is open by now: somebody settled in between.
pub(crate) fn refused(charge: &Charge, rows: &[(BucketKey, Bucket)]) -> Option<Charged> {
    let judged = rows
        .iter()
        .find(|(key, _)| *key == charge.bucket)
        .map_or(Bucket::EMPTY, |(_, bucket)| *bucket)
        .closed_until(charge.now, &charge.ladder);
    rows.iter()
        .filter(|(key, _)| charge.networks.contains(key))
        .filter_map(|(_, bucket)| bucket.waits_until(charge.now, &charge.ladder))
        .chain(judged)
        .max()
        .map(|until| Charged::Refused { until })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    #[test]
    fn the_default_ladder_doubles_for_seven_steps() {
        // THR-3
        let numbers = LadderNumbers::of(NOW, &Ladder::DEFAULT).unwrap();
        assert_eq!((numbers.top_step, numbers.top_wait), (7, 3_600_000_000));
        assert_eq!(numbers.first_wait, 30_000_000);
    }

    #[test]
    fn a_ladder_that_admits_nothing_needs_no_statement() {
        let mut closed = Ladder::DEFAULT;
        closed.cap = 0;
        assert_eq!(LadderNumbers::of(NOW, &closed), None);
    }

    #[test]
    fn a_refusal_names_the_latest_of_the_closed_buckets() {
        // THR-1, CLK-4
        let key = |b| BucketKey::from_bytes([b; 16]);
        let until = |seconds| NOW.plus(Duration::from_secs(seconds));
        let closed = |open_at| Bucket {
            open_at,
            ..Bucket::EMPTY
        };
        let charge = Charge {
            bucket: key(1),
            networks: vec![key(2), key(3)],
            now: NOW,
            ladder: Ladder::DEFAULT,
        };
        assert_eq!(refused(&charge, &[(key(9), closed(until(5)))]), None);
        let rows = [
            (key(1), closed(until(10))),
            (key(2), closed(until(20))),
            (key(3), closed(NOW)),
        ];
        assert_eq!(
            refused(&charge, &rows),
            Some(Charged::Refused { until: until(20) })
        );
        let beyond = until(3600).plus(Duration::from_micros(1));
        for key in [key(1), key(3)] {
            assert_eq!(refused(&charge, &[(key, closed(beyond))]), None);
            assert_eq!(
                refused(&charge, &[(key, closed(until(3600)))]),
                Some(Charged::Refused { until: until(3600) })
            );
        }
    }
}
