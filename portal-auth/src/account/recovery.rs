//! How far the recovery of a forgotten password has got, as part of the account.

use std::time::Duration;

use crate::environment::Timestamp;

/// Wrong answers and pauses of an account's recovery, and the reset without an answer that waits (ANS-5, RST-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from a row; a new column must break them"
)]
pub struct Recovery {
    /// Wrong answers since the last right one, over all links.
    pub answer_failures: u32,
    /// How often wrong answers have paused the recovery; a right answer or an administrator sets it back.
    pub pauses: u32,
    /// Until when it is paused.
    pub paused_until: Option<Timestamp>,
    /// When a reset that was asked for without the answer takes effect, while one waits.
    pub due_at: Option<Timestamp>,
}

/// When wrong answers pause a recovery (ANS-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the three numbers are the rule")]
pub struct PauseRules {
    /// Wrong answers in a row that pause it, and as many again that pause it once more.
    pub failures: u32,
    /// How long it pauses.
    pub pause: Duration,
    /// The pause that no time ends, only an administrator.
    pub last: u32,
}

/// For how long no answer is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every page and mail must say something about each"
)]
pub enum Paused {
    /// Until this moment.
    Until(Timestamp),
    /// Until an administrator lifts it.
    UntilAdministrator,
}

impl Recovery {
    /// Whether the recovery is paused at `now`.
    ///
    /// A pause that ends further ahead than any pause lasts was set before the clock went back, and counts as over
    /// (CLK-4).
    #[must_use]
    pub fn paused(&self, now: Timestamp, rules: &PauseRules) -> Option<Paused> {
        if self.pauses >= rules.last {
            return Some(Paused::UntilAdministrator);
        }
        let until = self.paused_until?;
        (now < until && until <= now.plus(rules.pause)).then_some(Paused::Until(until))
    }

    /// The recovery after one more wrong answer at `now`.
    #[must_use]
    pub fn after_wrong_answer(&self, now: Timestamp, rules: &PauseRules) -> Self {
        let answer_failures = self.answer_failures.saturating_add(1);
        let enough = rules.failures.saturating_mul(self.pauses.saturating_add(1));
        if answer_failures < enough {
            return Self {
                answer_failures,
                ..*self
            };
        }
        Self {
            answer_failures,
            pauses: self.pauses.saturating_add(1),
            paused_until: Some(now.plus(rules.pause)),
            ..*self
        }
    }

    /// The recovery after a right answer, or after an administrator has lifted its pauses.
    #[must_use]
    pub const fn reopened(&self) -> Self {
        Self {
            answer_failures: 0,
            pauses: 0,
            paused_until: None,
            due_at: self.due_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: PauseRules = PauseRules {
        failures: 5,
        pause: Duration::from_secs(86_400),
        last: 2,
    };
    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
    const MICRO: Duration = Duration::from_micros(1);

    fn wrong(mut recovery: Recovery, times: u32, now: Timestamp) -> Recovery {
        for _ in 0..times {
            recovery = recovery.after_wrong_answer(now, &RULES);
        }
        recovery
    }

    #[test]
    fn five_wrong_answers_in_a_row_pause_for_a_day_and_five_more_until_an_administrator() {
        // ANS-5
        let four = wrong(Recovery::default(), 4, T0);
        assert_eq!((four.answer_failures, four.paused(T0, &RULES)), (4, None));
        let five = wrong(four, 1, T0);
        let until = T0.plus(RULES.pause);
        assert_eq!(five.paused(T0, &RULES), Some(Paused::Until(until)));
        assert_eq!(
            five.paused(until.minus(MICRO), &RULES),
            Some(Paused::Until(until))
        );
        assert_eq!(five.paused(until, &RULES), None);
        let nine = wrong(five, 4, until);
        assert_eq!(nine.paused(until, &RULES), None);
        let ten = wrong(nine, 1, until);
        for now in [until, until.plus(RULES.pause * 400)] {
            assert_eq!(ten.paused(now, &RULES), Some(Paused::UntilAdministrator));
        }
        assert_eq!(ten.reopened(), Recovery::default());
    }

    #[test]
    fn a_right_answer_begins_the_count_anew_and_leaves_what_waits() {
        let waits = Recovery {
            due_at: Some(T0),
            ..wrong(Recovery::default(), 4, T0)
        };
        let reopened = waits.reopened();
        assert_eq!((reopened.answer_failures, reopened.due_at), (0, Some(T0)));
        assert_eq!(wrong(reopened, 4, T0).paused(T0, &RULES), None);
    }

    #[test]
    fn a_clock_that_went_back_pauses_nobody_for_longer_than_a_pause() {
        // CLK-4
        let paused = wrong(Recovery::default(), 5, T0.plus(RULES.pause * 3_000));
        assert_eq!(paused.paused(T0, &RULES), None);
    }
}
