//! When a mail that did not go is tried again, and how a relay that cannot be used is left in peace.

use std::time::Duration;

use crate::environment::Timestamp;
use crate::mail::outbox::Urgency;

/// The pause after the first failure; three times as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The longest pause for a code: somebody waits for it, and it is worth nothing after minutes.
const LONGEST_PAUSE_FOR_A_CODE: Duration = Duration::from_secs(20);
/// The longest time for which an unusable relay is not asked.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The longest pause before the next try of a mail that has failed `attempts` times before.
pub(super) fn longest_pause(attempts: u32, urgency: Urgency) -> Duration {
    let cap = match urgency {
        Urgency::Code => LONGEST_PAUSE_FOR_A_CODE,
        Urgency::Link | Urgency::Notice => LONGEST_PAUSE,
    };
    FIRST_PAUSE
        .saturating_mul(3_u32.saturating_pow(attempts))
        .min(cap)
}

/// A pause between nothing and `longest`, as `random` chooses: mails that failed together do not come back together.
pub(super) fn jittered(longest: Duration, random: u64) -> Duration {
    // The high half of the product is `longest` scaled by `random` out of 2^64.
    let scaled = longest.as_micros().saturating_mul(u128::from(random)) >> 64;
    Duration::from_micros(u64::try_from(scaled).unwrap_or(u64::MAX))
}

/// Whether the relay is asked at all.
///
/// A relay that refuses every connection is asked with one mail at growing distances, not with each mail that waits;
/// none of them is counted as tried.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    failures: u32,
    rests_until: Option<Timestamp>,
}

impl Circuit {
    /// Until when nothing is sent; `None` when mails may go.
    pub(super) fn rests(&self, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back must not stop mail for longer than a rest can last (CLK-4).
        self.rests_until
            .filter(|until| now < *until && *until <= now.plus(LONGEST_REST))
    }

    /// Whether the next mail shows if the relay is back.
    pub(super) const fn is_on_trial(&self) -> bool {
        self.failures > 0
    }

    /// The relay could not be used; tells when to ask it again.
    pub(super) fn failed(&mut self, now: Timestamp) -> Timestamp {
        // Mails that were under way together fail together: that is one failure.
        if let Some(until) = self.rests(now) {
            return until;
        }
        let rest = FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST_REST);
        self.failures = self.failures.saturating_add(1);
        let until = now.plus(rest);
        self.rests_until = Some(until);
        until
    }

    /// The relay answered, whatever it said.
    pub(super) const fn worked(&mut self) {
        self.failures = 0;
        self.rests_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    #[test]
    fn pauses_grow_threefold_up_to_their_cap() {
        // MAIL-8
        let pauses = |urgency| {
            (0..7)
                .map(move |n| longest_pause(n, urgency).as_secs())
                .collect::<Vec<_>>()
        };
        assert_eq!(pauses(Urgency::Link), [5, 15, 45, 135, 405, 900, 900]);
        assert_eq!(pauses(Urgency::Notice), pauses(Urgency::Link));
        assert_eq!(pauses(Urgency::Code), [5, 15, 20, 20, 20, 20, 20]);
        assert_eq!(longest_pause(u32::MAX, Urgency::Link), LONGEST_PAUSE);
    }

    #[test]
    fn jitter_fills_the_whole_pause_and_never_exceeds_it() {
        assert_eq!(jittered(LONGEST_PAUSE, 0), Duration::ZERO);
        assert_eq!(jittered(Duration::from_secs(8), 1 << 63), Duration::from_secs(4));
        let most = jittered(LONGEST_PAUSE, u64::MAX);
        assert!(most < LONGEST_PAUSE && most >= LONGEST_PAUSE.saturating_sub(Duration::from_micros(1)));
        assert!(jittered(Duration::MAX, u64::MAX) <= Duration::MAX);
    }

    #[test]
    fn a_dead_relay_is_asked_at_growing_distances() {
        let (mut circuit, mut now) = (Circuit::default(), T0);
        assert_eq!((circuit.rests(now), circuit.is_on_trial()), (None, false));
        for rest in [5, 10, 20, 40, 60, 60] {
            let until = circuit.failed(now);
            assert_eq!(until.since(now).as_secs(), rest);
            assert_eq!(circuit.rests(now), Some(until));
            assert_eq!(circuit.rests(until), None);
            assert!(circuit.is_on_trial());
            now = until;
        }
        circuit.worked();
        assert!(!circuit.is_on_trial());
        assert_eq!(circuit.failed(now).since(now).as_secs(), 5);
    }

    #[test]
    fn mails_that_fail_together_are_one_failure() {
        let mut circuit = Circuit::default();
        let until = circuit.failed(T0);
        assert_eq!(circuit.failed(T0), until);
        assert_eq!(circuit.failed(until).since(until).as_secs(), 10);
    }

    #[test]
    fn a_clock_set_back_does_not_stop_mail() {
        // CLK-4
        let mut circuit = Circuit::default();
        circuit.failed(T0);
        assert_eq!(circuit.rests(T0.minus(Duration::from_secs(3600))), None);
    }
}
