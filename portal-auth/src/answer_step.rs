//! Answers in whole steps of time, where their own time would tell who has an account (ENU-5).
//!
//! Known and unknown addresses take the same statements and the same hash, but not the same rows: what is read or made
//! for one of them alone takes a fraction of a millisecond, which some hundred questions find. An answer that would end
//! within a step is held back to its end.

#[cfg(feature = "tokio")]
use std::time::Duration;

use crate::portal::Inner;

impl Inner {
    /// The answer, not before its step ends. Whoever hangs up meanwhile changes nothing of what was done.
    pub(crate) async fn in_steps<T>(&self, answer: impl Future<Output = T>) -> T {
        let begun = Begun::now();
        let answer = answer.await;
        self.wait_for_step(begun).await;
        answer
    }

    /// A refusal, not before its step ends; whatever else at once, since it tells more than its time does.
    pub(crate) async fn refused_in_steps<T, E>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let begun = Begun::now();
        let answer = answer.await;
        if answer.is_err() {
            self.wait_for_step(begun).await;
        }
        answer
    }

    #[cfg(feature = "tokio")]
    async fn wait_for_step(&self, Begun(begun): Begun) {
        let step = self.config.answer_step;
        if step.is_zero() {
            return;
        }
        if let Some(end) = begun.checked_add(end_of_step(begun.elapsed(), step)) {
            tokio::time::sleep_until(end).await;
        }
    }

    /// At once: without a timer there is no setting for steps.
    #[cfg(not(feature = "tokio"))]
    #[expect(clippy::unused_async, reason = "with a timer it waits")]
    async fn wait_for_step(&self, _: Begun) {}
}

/// When an answer was begun. How long something took is no moment that the clock port tells.
struct Begun(#[cfg(feature = "tokio")] tokio::time::Instant);

impl Begun {
    fn now() -> Self {
        Self(
            #[cfg(feature = "tokio")]
            tokio::time::Instant::now(),
        )
    }
}

/// When the step ends in which so much time is over.
#[cfg(feature = "tokio")]
fn end_of_step(taken: Duration, step: Duration) -> Duration {
    let steps = taken.as_nanos().checked_div(step.as_nanos()).unwrap_or(0);
    let steps = u32::try_from(steps.saturating_add(1)).unwrap_or(u32::MAX);
    step.saturating_mul(steps)
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_with_the_step_it_falls_into() {
        let ms = Duration::from_millis;
        for (taken, end) in [(0, 100), (7, 100), (99, 100), (100, 200), (101, 200), (250, 300)] {
            assert_eq!(end_of_step(ms(taken), ms(100)), ms(end), "{taken}");
        }
        assert!(end_of_step(Duration::MAX, ms(1)) < Duration::MAX);
    }
}
