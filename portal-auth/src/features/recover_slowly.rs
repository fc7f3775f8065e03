//! "I cannot answer this": a reset without the secret answer, which takes effect after a day.
//!
//! Asked for behind a live reset link. Until it takes effect, notices go to the mailbox, and it is taken back by any
//! sign-in with the right password, from every live session, and from the notices (RST-7, MAIL-6). It carries the
//! account's epoch and so dies with whatever changes the account; there is none for a month after the address was
//! changed, and none where the second step is on unless the configuration allows it. Mails: E16, and E5 when it takes
//! effect. Audited as `recovery.asked`, `recovery.refused`, `recovery.cancelled`. WCAG 2.2 3.3.8.

use crate::account::recovery::{Paused, Recovery};
use crate::account::snapshot::AccountRow;
use crate::account_links::{NewLink, TakeBackRefused};
use crate::audit::{Actor, Event};
use crate::config::{Config, RecoveryFallback};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::link::{Answer, LinkPurpose, LinkRefused, LinkRow, LinkState};
use crate::mail::outbox::MailKind;
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::recovering::{ResetBegun, is_owed};
use crate::secret::token::{LinkToken, SessionToken};
use crate::session::SessionEnd;
use crate::session_gate::{Activity, SignedIn, asks_for_code};
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What there is for somebody who cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WithoutAnswer {
    /// A reset that takes effect after this time can be asked for.
    Delayed {
        /// How long it waits.
        delay: std::time::Duration,
    },
    /// One was asked for already.
    Waits {
        /// When its link is mailed.
        until: Timestamp,
    },
    /// An administrator can help.
    Administrator,
    /// Nothing that the service offers by itself.
    Nothing,
}

/// Why no reset without the answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoverSlowlyRefused {
    /// The link does nothing (any more).
    Link(LinkRefused),
    /// Too many wrong answers in a row: the recovery is paused.
    Paused(Paused),
    /// This link asks for no answer: go on with the new password.
    NoAnswerAsked,
    /// There is none for this account: an administrator can help, where the configuration says so.
    NotOffered,
}

/// What the page of a notice's link may show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CancelRecoveryPage {
    /// The address that the page asks for, masked.
    pub masked_email: String,
    /// When the reset takes effect.
    pub due_at: Timestamp,
}

const ASKED: Reason = Reason::new("recovery.asked");
const REFUSED: Reason = Reason::new("recovery.refused");

impl PortalAuth {
    /// Tells what there is for somebody who cannot answer on the page of a live reset link.
    ///
    /// # Errors
    /// `Refused` where the link does nothing.
    pub async fn without_answer(&self, token: &LinkToken) -> Result<WithoutAnswer, Denied<LinkRefused>> {
        let inner = &*self.inner;
        let (_, account) = inner.live_reset_link(token).await?;
        let now = inner.now();
        if let Some(link) = inner.waiting_recovery(&account, now).await? {
            return Ok(WithoutAnswer::Waits { until: link.opens_at });
        }
        Ok(match refuse(&inner.config, &account, now) {
            None => WithoutAnswer::Delayed {
                delay: inner.config.recovery.delay,
            },
            Some(_) if inner.config.recovery.fallback == RecoveryFallback::None => WithoutAnswer::Nothing,
            Some(_) => WithoutAnswer::Administrator,
        })
    }

    /// Asks for a reset without the answer behind a live reset link; answers when it takes effect.
    ///
    /// Asking again while one waits answers the same and changes nothing.
    ///
    /// # Errors
    /// `Refused` with what to say.
    pub async fn recover_slowly(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
    ) -> Result<Timestamp, Denied<RecoverSlowlyRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let found = inner.live_reset_link(token).await;
            let (link, account) = found.map_err(|e| e.map(RecoverSlowlyRefused::Link))?;
            let now = inner.now();
            if !is_owed(link.answer, inner.asks_for_answer(&account)) {
                return Err(Denied::Refused(RecoverSlowlyRefused::NoAnswerAsked));
            }
            if let Some(waits) = inner.waiting_recovery(&account, now).await? {
                return Ok(waits.opens_at);
            }
            let event = |kind, actor| {
                let event = Event::new(kind, actor).about(account.id);
                inner.seen_from(event, visitor, Some(&account.email))
            };
            let paused = inner
                .recovery_paused(&account, now)
                .map(RecoverSlowlyRefused::Paused);
            let barred = refuse(&inner.config, &account, now);
            let (refused, why) = match (paused, barred) {
                (Some(paused), _) => (paused, Reason::new("recovery.paused")),
                (None, Some(why)) => (RecoverSlowlyRefused::NotOffered, why),
                (None, None) => {
                    let work = UnitOfWork::new(inner.audit(event(ASKED, Actor::Visitor), now)?);
                    let (work, due_at) = inner.add_recovery(work, visitor, &account, now)?;
                    if inner.commit(work).await? == Commit::Done {
                        return Ok(due_at);
                    }
                    continue;
                }
            };
            let event = event(REFUSED, Actor::Visitor).because(why);
            inner.commit(UnitOfWork::new(inner.audit(event, now)?)).await?;
            return Err(Denied::Refused(refused));
        }
        Err(contended())
    }

    /// Tells what the page of a notice's link may show; changes nothing.
    ///
    /// # Errors
    /// `Refused` with what the page says instead.
    pub async fn cancel_recovery_page(
        &self,
        token: &LinkToken,
    ) -> Result<CancelRecoveryPage, Denied<LinkRefused>> {
        let found = self
            .inner
            .live_account_link(LinkPurpose::CancelRecovery, token)
            .await;
        let (link, account) = found?;
        let due_at = recovery_due(&account).ok_or(Denied::Refused(LinkRefused::Ended))?;
        Ok(CancelRecoveryPage {
            masked_email: link.address.masked(),
            due_at,
        })
    }

    /// Takes a reset back from its notice; the address must be typed, so that a mail scanner that presses the button
    /// does nothing (MAIL-6).
    ///
    /// # Errors
    /// `Refused` with what to say.
    pub async fn cancel_recovery(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        typed: &str,
    ) -> Result<(), Denied<TakeBackRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let found = inner
                .link_to_take_back(LinkPurpose::CancelRecovery, token, typed)
                .await;
            let (link, account) = found?;
            if recovery_due(&account).is_none() {
                return Err(Denied::Refused(TakeBackRefused::Link(LinkRefused::Ended)));
            }
            let now = inner.now();
            let used = Change::Link(Box::new(Write::Update(link.ended(LinkState::Used, now))));
            let seen = |event| inner.seen_from(event, visitor, Some(&account.email));
            let why = Reason::new("recovery.by_notice");
            let work = inner.cancelled_recovery(seen, &account, why, now)?.change(used);
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// When a reset without the answer takes effect for the account of a signed-in person, if one waits: show it on
    /// every page, with a button that takes it back.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn recovery_waits(&self, account: &AccountRow) -> Result<Option<Timestamp>, Fault> {
        let waits = self.inner.waiting_recovery(account, self.inner.now()).await?;
        Ok(waits.map(|link| link.opens_at))
    }

    /// Takes a reset back from a live session; tells whether there was one.
    ///
    /// # Errors
    /// `Refused` where the session has ended.
    pub async fn cancel_recovery_signed_in(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
    ) -> Result<bool, Denied<SessionEnd>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let signed_in: SignedIn = inner.live_session(token, Activity::Counts).await?;
            let account = self.own_account(&signed_in).await?;
            if account.recovery.due_at.is_none() {
                return Ok(false);
            }
            let now = inner.now();
            let seen = |event| inner.seen_from(event, visitor, Some(&account.email));
            let work = inner.cancelled_recovery(seen, &account, Reason::new("recovery.by_session"), now)?;
            if inner.commit(work).await? == Commit::Done {
                return Ok(true);
            }
        }
        Err(contended())
    }
}

/// Pure: why this account has no reset without the answer; `None` where it has.
fn refuse(config: &Config, account: &AccountRow, now: Timestamp) -> Option<Reason> {
    let recovery = &config.recovery;
    if recovery.fallback != RecoveryFallback::Delayed {
        return Some(Reason::new("recovery.not_offered"));
    }
    if asks_for_code(config.two_step, account.two_step) && !recovery.delayed_with_two_step {
        return Some(Reason::new("recovery.two_step"));
    }
    let new_address = account
        .email_changed_at
        .is_some_and(|at| now < at.plus(recovery.closed_after_email_change));
    new_address.then(|| Reason::new("recovery.new_address"))
}

impl Inner {
    /// The link that will open, the link that takes it back, and all their mails.
    fn add_recovery(
        &self,
        work: UnitOfWork,
        visitor: &Visitor,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<(UnitOfWork, Timestamp), Fault> {
        let config = &self.config.recovery;
        let due_at = now.plus(config.delay);
        let new = NewLink {
            purpose: LinkPurpose::ResetPassword,
            account,
            to: &account.email,
            opens_at: due_at,
            lives: config.delayed_lifetime,
            concerns: None,
            answer: Answer::Waived,
        };
        let reset = self.account_link(new, now)?;
        let cancel = LinkRow {
            // It takes back what dies with the epoch, and has nothing to do afterwards.
            epoch: Some(account.auth_epoch),
            ..self.account_link(
                NewLink {
                    purpose: LinkPurpose::CancelRecovery,
                    opens_at: now,
                    lives: reset.expires_at.since(now),
                    concerns: Some(reset.key.into()),
                    ..new
                },
                now,
            )?
        };
        let row = AccountRow {
            recovery: Recovery {
                due_at: Some(due_at),
                ..account.recovery
            },
            updated_at: now,
            ..account.clone()
        };
        let mut work = work
            .change(Change::Account(Box::new(Write::Update(row))))
            .change(Change::Link(Box::new(Write::Insert(reset.clone()))))
            .change(Change::Link(Box::new(Write::Insert(cancel.clone()))));
        for after in &config.notices {
            let mut notice = self.link_mail(MailKind::RecoveryAsked, &cancel, account, now)?;
            notice.next_at = now.plus(*after);
            notice.expires_at = due_at;
            notice.facts = serde_json::json!({
                "browser": visitor.label(),
                "until": due_at.as_micros().to_string(),
            })
            .to_string();
            work = work.mail(notice);
        }
        let mail = self.reset_mail(&reset, account, ResetBegun::Waited, now)?;
        Ok((work.mail(mail), due_at))
    }
}

/// When the reset without the answer of an account that is in use takes effect, if one was asked for.
fn recovery_due(account: &AccountRow) -> Option<Timestamp> {
    account.recovery.due_at.filter(|_| account.status.is_active())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::status::TwoStep;
    use crate::config::TwoStepPolicy;
    use crate::testkit::rows::{self, MICRO, T0};

    #[test]
    fn where_there_is_a_reset_without_the_answer() {
        // RST-7
        let config = Config::portal("https://portal.example".parse().unwrap());
        let account = AccountRow {
            two_step: TwoStep::Off,
            ..rows::account(1)
        };
        let code =
            |config: &Config, account: &AccountRow, now| refuse(config, account, now).map(Reason::code);
        assert_eq!(code(&config, &account, T0), None);

        let month = config.recovery.closed_after_email_change;
        let moved = AccountRow {
            email_changed_at: Some(T0),
            ..account.clone()
        };
        let end = T0.plus(month);
        assert_eq!(
            code(&config, &moved, end.minus(MICRO)),
            Some("recovery.new_address")
        );
        assert_eq!(code(&config, &moved, end), None);

        let careful = AccountRow {
            two_step: TwoStep::Email,
            ..account.clone()
        };
        assert_eq!(code(&config, &careful, T0), Some("recovery.two_step"));
        let mut for_all = config.clone();
        for_all.two_step = TwoStepPolicy::RequiredForAll;
        assert_eq!(code(&for_all, &account, T0), Some("recovery.two_step"));
        let mut allowed = config.clone();
        allowed.recovery.delayed_with_two_step = true;
        assert_eq!(code(&allowed, &careful, T0), None);

        for fallback in [RecoveryFallback::Administrator, RecoveryFallback::None] {
            let mut other = allowed.clone();
            other.recovery.fallback = fallback;
            assert_eq!(code(&other, &account, T0), Some("recovery.not_offered"));
        }
    }
}
