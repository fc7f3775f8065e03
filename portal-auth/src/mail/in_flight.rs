//! Futures that are under way together in one task: no runtime is needed to send several mails at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A handful of futures, all polled whenever one of them may go on.
pub(super) struct InFlight<'a, T> {
    jobs: Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>,
}

impl<T> Default for InFlight<'_, T> {
    fn default() -> Self {
        Self { jobs: Vec::new() }
    }
}

impl<'a, T> InFlight<'a, T> {
    pub(super) fn add(&mut self, job: impl Future<Output = T> + Send + 'a) {
        self.jobs.push(Box::pin(job));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Takes out the result of one that is done; pending while none is, and where there is none.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        let mut done = None;
        for (at, job) in self.jobs.iter_mut().enumerate() {
            if let Poll::Ready(result) = job.as_mut().poll(cx) {
                done = Some((at, result));
                break;
            }
        }
        match done {
            Some((at, result)) => {
                drop(self.jobs.swap_remove(at));
                Poll::Ready(result)
            }
            None => Poll::Pending,
        }
    }

    /// Waits until all are done.
    pub(super) async fn finish(mut self) {
        while !self.is_empty() {
            poll_fn(|cx| self.poll_next(cx)).await;
        }
    }
}
