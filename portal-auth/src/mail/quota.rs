//! How much mail an outsider can cause (MAIL-5): sliding windows per address and network, one window over all.
//!
//! A store keeps the state of a line as an opaque list of numbers and lets [`QuotaLimits::spend`] judge it inside
//! one transaction; so every store counts alike, and no limit is written in SQL.

use std::time::Duration;

use crate::environment::Timestamp;
use crate::throttle::BucketKey;

/// One count that a mail must fit into.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores take it apart; a new part must break them"
)]
pub struct QuotaLine {
    /// The pseudonym of what is counted.
    pub key: BucketKey,
    /// What it may reach.
    pub limits: QuotaLimits,
}

/// The limits of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the two ways of counting are the whole vocabulary"
)]
pub enum QuotaLimits {
    /// At most `n` within each `(n, window)`, exactly, in any window of that length.
    Sliding(Vec<(u32, Duration)>),
    /// At most so many in each window that starts with the first mail after the last one ended.
    Window(u32, Duration),
}

/// What spending from all lines at once came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "granted or not: there is no third")]
pub enum Spent {
    /// Counted on every line.
    Granted {
        /// When another mail can pass, where this one spent the last slot; else `None`.
        last_until: Option<Timestamp>,
    },
    /// Counted on none.
    Refused {
        /// When a slot opens.
        until: Timestamp,
    },
}

impl QuotaLimits {
    /// Counts one mail at `now` on a line whose state is `state`.
    ///
    /// Returns the new state and, where no further mail fits at once, the moment the next one does. A refusal
    /// returns that moment alone and the state must stay as it is. The state's numbers are this function's own.
    ///
    /// # Errors
    /// The moment a slot opens, when none is open.
    pub fn spend(&self, state: &[i64], now: Timestamp) -> Result<(Vec<i64>, Option<Timestamp>), Timestamp> {
        match self {
            Self::Sliding(limits) => {
                // What a clock that ran ahead has left says nothing of the time before now (CLK-4).
                let state: Vec<i64> = state
                    .iter()
                    .copied()
                    .filter(|stamp| is_believed(*stamp, now))
                    .collect();
                let opens = next_slot(limits, &state, now);
                if opens > now {
                    return Err(opens);
                }
                let kept = limits.iter().map(|(n, _)| *n).max().unwrap_or(0);
                let mut stamps = vec![now.as_micros()];
                stamps.extend(state);
                stamps.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
                let following = next_slot(limits, &stamps, now);
                Ok((stamps, (following > now).then_some(following)))
            }
            Self::Window(most, window) => {
                let since = state
                    .first()
                    .copied()
                    .map_or(Timestamp::MIN, Timestamp::from_micros);
                let count = state.get(1).copied().unwrap_or(0);
                let ends = since.plus(*window);
                if ends <= now || since > now {
                    return Ok((vec![now.as_micros(), 1], None));
                }
                if count >= i64::from(*most) {
                    return Err(ends);
                }
                let count = count.saturating_add(1);
                let last = (count >= i64::from(*most)).then_some(ends);
                Ok((vec![since.as_micros(), count], last))
            }
        }
    }
}

/// How far the clocks of two processes may be apart (CLK-2).
const SKEW: Duration = Duration::from_secs(120);

fn is_believed(stamp: i64, now: Timestamp) -> bool {
    Timestamp::from_micros(stamp) <= now.plus(SKEW)
}

/// When the next mail fits: the n-th newest must be a whole window old, for every limit.
///
/// A stamp that is a little in the future counts as now, so that no wait exceeds its window (CLK-4).
fn next_slot(limits: &[(u32, Duration)], stamps: &[i64], now: Timestamp) -> Timestamp {
    limits
        .iter()
        .filter_map(|(n, window)| {
            let nth = usize::try_from(*n).ok()?.checked_sub(1)?;
            let stamp = Timestamp::from_micros(*stamps.get(nth)?).min(now);
            Some(stamp.plus(*window))
        })
        .max()
        .unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn address() -> QuotaLimits {
        QuotaLimits::Sliding(vec![
            (1, Duration::from_secs(60)),
            (5, Duration::from_secs(3600)),
            (10, Duration::from_secs(86_400)),
        ])
    }

    #[test]
    fn no_hour_sees_more_than_five_and_no_day_more_than_ten() {
        // MAIL-5, I-26
        let (limits, mut state, mut sent) = (address(), Vec::new(), Vec::new());
        for second in 0..2 * 86_400_u64 {
            let now = T0.plus(Duration::from_secs(second));
            if let Ok((next, _)) = limits.spend(&state, now) {
                state = next;
                sent.push(second);
            }
        }
        for (window, most) in [(60, 1), (3600, 5), (86_400, 10)] {
            for start in &sent {
                let within = sent
                    .iter()
                    .filter(|s| (*start..start + window).contains(s))
                    .count();
                assert!(within <= most, "{within} in {window} s");
            }
        }
        assert_eq!(sent.len(), 20);
    }

    #[test]
    fn the_mail_that_spends_the_last_slot_says_when_the_next_opens() {
        // TOK-6
        let limits = address();
        let (mut state, mut now) = (Vec::new(), T0);
        for _ in 0..4 {
            state = limits.spend(&state, now).unwrap().0;
            now = now.plus(Duration::from_secs(60));
        }
        let (_, last) = limits.spend(&state, now).unwrap();
        assert_eq!(last, Some(T0.plus(Duration::from_secs(3600))));
    }

    #[test]
    fn a_clock_that_ran_ahead_keeps_nobody_from_their_mail() {
        // CLK-4, I-23
        let limits = address();
        let year = Duration::from_secs(365 * 86_400);
        let mut ahead = Vec::new();
        for minute in 0..5_u32 {
            let now = T0.plus(year + Duration::from_secs(60) * minute);
            ahead = limits.spend(&ahead, now).unwrap().0;
        }
        let (state, _) = limits.spend(&ahead, T0).unwrap();
        assert_eq!(state, [T0.as_micros()], "the future is forgotten");
        assert_eq!(limits.spend(&state, T0), Err(T0.plus(Duration::from_secs(60))));
        // Another process may be ahead by as much as is allowed: what it has counted counts.
        let near = T0.plus(Duration::from_secs(120));
        let (state, _) = limits.spend(&[], near).unwrap();
        assert_eq!(limits.spend(&state, T0), Err(T0.plus(Duration::from_secs(60))));
        let beyond = near.plus(Duration::from_micros(1));
        let (state, _) = limits.spend(&[], beyond).unwrap();
        assert!(limits.spend(&state, T0).is_ok());
    }

    #[test]
    fn one_window_over_all_counts_to_its_figure() {
        let limits = QuotaLimits::Window(2, Duration::from_secs(10));
        let (one, last) = limits.spend(&[], T0).unwrap();
        assert_eq!(last, None);
        let (two, last) = limits.spend(&one, T0).unwrap();
        assert_eq!(last, Some(T0.plus(Duration::from_secs(10))));
        assert_eq!(limits.spend(&two, T0), Err(T0.plus(Duration::from_secs(10))));
        assert!(limits.spend(&two, T0.plus(Duration::from_secs(10))).is_ok());
    }
}
