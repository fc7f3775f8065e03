//! The background on tokio: one task that wakes for mail, for time, and for the end.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use crate::environment::Timestamp;
use crate::error::Fault;
use crate::mail::delivery::SendLimit;
use crate::mail::dispatch::{Background, IDLE, to_index};
use crate::mail::in_flight::InFlight;
use crate::mail::outbox::OutboxRow;

/// How long a mailer may take.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// How long mails under way may still take when the process goes down.
const LAST_SENDS: Duration = Duration::from_secs(5);
/// How long the last stamps may take then.
const LAST_STAMPS: Duration = Duration::from_secs(2);

/// A piece of work that is done.
enum Done {
    Claimed {
        asked: u32,
        result: Result<Vec<OutboxRow>, Fault>,
    },
    Delivered,
    Kept(Result<Timestamp, Fault>),
}

/// What the task woke for.
enum Woken {
    Stop,
    Done(Done),
    MailWaits,
    Time,
}

/// When each kind of work is due, and which is under way.
struct Turns {
    claim_at: Instant,
    claiming: bool,
    /// Mail was queued while a claim was under way, which may have missed it.
    rung: bool,
    house_at: Instant,
    keeping_house: bool,
    sending: u32,
}

impl Background {
    /// Works until `shutdown` is done; spawn it on the runtime that serves the requests.
    ///
    /// Mail of this process leaves at once, mail that others queued within a second. When `shutdown` is done no
    /// further mail is taken, mails under way get 5 s, and all last-seen stamps are written.
    ///
    /// # Panics
    /// Outside a tokio runtime with its timer enabled.
    ///
    /// # Cancel safety
    /// As [`work_once`](Self::work_once); last-seen stamps of up to a minute are lost as well.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let mut jobs = InFlight::default();
        let now = Instant::now();
        let mut turns = Turns {
            claim_at: now,
            claiming: false,
            rung: false,
            house_at: now,
            keeping_house: false,
            sending: 0,
        };
        loop {
            let wake_at = self.begin_what_is_due(&mut turns, &mut jobs);
            match self.wake(shutdown.as_mut(), &mut jobs, wake_at).await {
                Woken::Stop => break,
                Woken::MailWaits => {
                    turns.rung = true;
                    turns.claim_at = Instant::now();
                }
                Woken::Time => {}
                Woken::Done(done) => self.go_on(done, &mut turns, &mut jobs),
            }
        }
        self.wind_up(jobs).await;
    }

    /// Starts claims and housekeeping whose time has come; tells when to look again.
    fn begin_what_is_due<'a>(&'a self, turns: &mut Turns, jobs: &mut InFlight<'a, Done>) -> Instant {
        let now = Instant::now();
        let idle = now.checked_add(IDLE).unwrap_or(now);
        if !turns.claiming && turns.claim_at <= now {
            let asked = self.places(turns.sending);
            if asked > 0 {
                (turns.claiming, turns.rung) = (true, false);
                jobs.add(async move {
                    Done::Claimed {
                        asked,
                        result: self.claim(asked).await,
                    }
                });
            } else if turns.sending == 0 {
                // The relay rests: nothing but time changes that.
                turns.claim_at = idle;
            }
        }
        if !turns.keeping_house && turns.house_at <= now {
            turns.keeping_house = true;
            jobs.add(async { Done::Kept(self.keep_house().await) });
        }
        // Whatever is under way wakes the task by itself.
        let claim_at = if turns.claiming || turns.claim_at <= now {
            idle
        } else {
            turns.claim_at
        };
        let house_at = if turns.keeping_house { idle } else { turns.house_at };
        claim_at.min(house_at)
    }

    fn go_on<'a>(&'a self, done: Done, turns: &mut Turns, jobs: &mut InFlight<'a, Done>) {
        let now = Instant::now();
        let after = |pause: Duration| now.checked_add(pause).unwrap_or(now);
        match done {
            Done::Delivered => turns.sending = turns.sending.saturating_sub(1),
            Done::Claimed { asked, result } => {
                turns.claiming = false;
                let mails = result.unwrap_or_else(|fault| {
                    tracing::warn!(error = %fault, "mails could not be claimed");
                    Vec::new()
                });
                let more = turns.rung || mails.len() >= to_index(asked);
                turns.claim_at = if more { now } else { after(self.idle()) };
                for mail in mails {
                    turns.sending = turns.sending.saturating_add(1);
                    let send = self.courier(SendLimit::Timer(SEND_LIMIT)).deliver(mail);
                    jobs.add(async {
                        send.await;
                        Done::Delivered
                    });
                }
            }
            Done::Kept(result) => {
                turns.keeping_house = false;
                let pause = match result {
                    // A clock that jumps must not make a long pause of a short one.
                    Ok(due) => due.since(self.inner.now()).min(Duration::from_secs(60)),
                    Err(fault) => {
                        tracing::warn!(error = %fault, "stamps could not be written or old rows not be removed");
                        IDLE
                    }
                };
                // New stamps may become due sooner than any that is known now.
                turns.house_at = after(pause.clamp(Duration::from_millis(50), IDLE));
            }
        }
    }

    async fn wake(
        &self,
        mut shutdown: Pin<&mut (impl Future<Output = ()> + Send)>,
        jobs: &mut InFlight<'_, Done>,
        at: Instant,
    ) -> Woken {
        let mut rung = pin!(self.inner.mail_waits.notified());
        let mut time = pin!(sleep_until(at));
        poll_fn(|cx: &mut Context<'_>| {
            if shutdown.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Woken::Stop);
            }
            if let Poll::Ready(done) = jobs.poll_next(cx) {
                return Poll::Ready(Woken::Done(done));
            }
            if rung.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Woken::MailWaits);
            }
            time.as_mut().poll(cx).map(|()| Woken::Time)
        })
        .await
    }

    /// Finishes what is under way, gives back what was claimed too late, and writes all stamps.
    async fn wind_up<'a>(&'a self, mut jobs: InFlight<'a, Done>) {
        let last = async {
            while !jobs.is_empty() {
                if let Done::Claimed {
                    result: Ok(mails), ..
                } = poll_fn(|cx| jobs.poll_next(cx)).await
                {
                    for mail in mails {
                        let back = self.courier(SendLimit::Timer(SEND_LIMIT)).give_back(mail);
                        jobs.add(async {
                            back.await;
                            Done::Delivered
                        });
                    }
                }
            }
        };
        if timeout(LAST_SENDS, last).await.is_err() {
            tracing::warn!(
                "mails were still under way at the end; they are sent again when their leases are over"
            );
        }
        match timeout(LAST_STAMPS, self.finish()).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::warn!(error = %fault, "the last stamps could not be written"),
            Err(_) => tracing::warn!("the last stamps could not be written in time"),
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
