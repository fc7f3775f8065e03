//! The exact idle time without a write on every request (SES-3).
//!
//! A stamp that is 60 s old or more is written at once. A younger one is kept here, and the background writes it when
//! the stored one turns 60 s old; so every process sees the true last activity long before the idle limit. A killed
//! process may shorten a life by up to that minute; nothing lengthens it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::environment::Timestamp;
use crate::session::SessionKey;

/// The activity of one session that the store does not know yet.
#[derive(Debug, Clone, Copy)]
struct Kept {
    stored: Timestamp,
    seen: Timestamp,
}

/// Stamps that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct LastSeen(Mutex<HashMap<SessionKey, Kept>>);

impl LastSeen {
    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<SessionKey, Kept>> {
        // The map holds plain stamps: whatever a panicking thread left is still a stamp.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last activity of a session: the stored stamp, or the newer one that is kept here.
    pub(crate) fn of(&self, key: SessionKey, stored: Timestamp) -> Timestamp {
        self.kept().get(&key).map_or(stored, |kept| kept.seen.max(stored))
    }

    /// Notes activity at `now`; tells whether the stored stamp is old enough to be written at once.
    pub(crate) fn note(&self, key: SessionKey, stored: Timestamp, now: Timestamp, after: Duration) -> bool {
        let mut kept = self.kept();
        if now.since(stored) >= after {
            kept.remove(&key);
            return true;
        }
        let seen = kept.get(&key).map_or(now, |k| k.seen.max(now));
        kept.insert(key, Kept { stored, seen });
        false
    }

    /// Forgets a session that has ended.
    pub(crate) fn forget(&self, key: SessionKey) {
        self.kept().remove(&key);
    }

    /// Takes the stamps whose stored one is `after` old at `now`, and says when the next one gets there.
    pub(crate) fn due(
        &self,
        now: Timestamp,
        after: Duration,
    ) -> (Vec<(SessionKey, Timestamp)>, Option<Timestamp>) {
        let mut kept = self.kept();
        let due: Vec<_> = kept
            .iter()
            .filter(|(_, k)| now.since(k.stored) >= after)
            .map(|(key, k)| (*key, k.seen))
            .collect();
        for (key, _) in &due {
            kept.remove(key);
        }
        (due, kept.values().map(|k| k.stored.plus(after)).min())
    }

    /// Takes all stamps, for a process that is going down.
    pub(crate) fn all(&self) -> Vec<(SessionKey, Timestamp)> {
        self.kept().drain().map(|(key, k)| (key, k.seen)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    #[test]
    fn an_old_stamp_is_written_at_once_and_a_young_one_when_it_turns_a_minute() {
        // SES-3
        let (seen, key) = (LastSeen::default(), SessionKey::from_bytes([1; 16]));
        assert!(!seen.note(key, T0, T0.plus(MINUTE / 2), MINUTE));
        assert_eq!(seen.of(key, T0), T0.plus(MINUTE / 2));
        let (due, next) = seen.due(T0.plus(MINUTE).minus(Duration::from_micros(1)), MINUTE);
        assert!(due.is_empty());
        assert_eq!(next, Some(T0.plus(MINUTE)));
        let (due, next) = seen.due(T0.plus(MINUTE), MINUTE);
        assert_eq!(due, [(key, T0.plus(MINUTE / 2))]);
        assert_eq!(next, None);
        assert!(seen.note(key, T0, T0.plus(MINUTE), MINUTE));
        assert_eq!(seen.of(key, T0), T0);
    }
}
