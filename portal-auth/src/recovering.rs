//! What the ways back to a forgotten password share: the link, whether its page asks for the secret answer, and the
//! reset without an answer that waits.
//!
//! An answer alone never changes anything: it is asked for behind a live link only (ANS-1).

use std::time::Duration;

use crate::account::recovery::{Paused, Recovery};
use crate::account::snapshot::AccountRow;
use crate::account_links::NewLink;
use crate::audit::{Actor, Event};
use crate::config::SecretQuestion;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::link::{Answer, LinkPurpose, LinkRefused, LinkRow, LinkState, LinkSubject};
use crate::mail::outbox::{MailKind, OutboxRow};
use crate::portal::Inner;
use crate::secret::token::LinkToken;
use crate::unit_of_work::{Change, Sweep, UnitOfWork, Write};

const CANCELLED: Reason = Reason::new("recovery.cancelled");

impl Inner {
    /// Whether a reset of this account asks for its secret answer.
    pub(crate) fn asks_for_answer(&self, account: &AccountRow) -> bool {
        let asked = self.config.registration.secret_question == SecretQuestion::Required;
        asked && account.question.is_some() && account.answer.is_some()
    }

    /// Whether too many wrong answers keep this account from being recovered for now (ANS-5).
    pub(crate) fn recovery_paused(&self, account: &AccountRow, now: Timestamp) -> Option<Paused> {
        let paused = account.recovery.paused(now, &self.config.recovery.pause_rules());
        paused.filter(|_| self.asks_for_answer(account))
    }

    /// A reset link that works, and its account, which is in use and still has the address (RST-5, TOK-3).
    pub(crate) async fn live_reset_link(
        &self,
        token: &LinkToken,
    ) -> Result<(LinkRow, AccountRow), Denied<LinkRefused>> {
        let (link, account) = self.live_account_link(LinkPurpose::ResetPassword, token).await?;
        if !account.status.is_active() || account.email != link.address {
            return Err(Denied::Refused(LinkRefused::Ended));
        }
        Ok((link, account))
    }

    /// A reset link of an account that works at once.
    pub(crate) fn reset_link_for(
        &self,
        account: &AccountRow,
        lives: Duration,
        now: Timestamp,
    ) -> Result<LinkRow, Fault> {
        let answer = if self.asks_for_answer(account) {
            Answer::Owed
        } else {
            Answer::Waived
        };
        let new = NewLink {
            purpose: LinkPurpose::ResetPassword,
            account,
            to: &account.email,
            opens_at: now,
            lives,
            concerns: None,
            answer,
        };
        self.account_link(new, now)
    }

    /// The mail of a reset link (E5), due when the link opens; `by` says who began it.
    pub(crate) fn reset_mail(
        &self,
        link: &LinkRow,
        account: &AccountRow,
        by: ResetBegun<'_>,
        now: Timestamp,
    ) -> Result<OutboxRow, Fault> {
        let mut mail = self.link_mail(MailKind::ResetPassword, link, account, now)?;
        let facts = match by {
            ResetBegun::Asked { browser } => serde_json::json!({ "browser": browser }),
            ResetBegun::Waited => serde_json::json!({ "by": "wait" }),
            ResetBegun::Administrator => serde_json::json!({ "by": "administrator" }),
        };
        mail.facts = facts.to_string();
        Ok(mail)
    }

    /// Tells the owner that the recovery is paused (E17).
    pub(crate) fn paused_mail(
        &self,
        account: &AccountRow,
        paused: Paused,
        now: Timestamp,
    ) -> Result<OutboxRow, Fault> {
        let useless_from = now.plus(self.config.mail.kept);
        let mut mail = self.mail(MailKind::RecoveryPaused, &account.email, now, useless_from)?;
        mail.account = Some(account.id);
        let until = match paused {
            Paused::Until(until) => until.as_micros().to_string(),
            Paused::UntilAdministrator => "administrator".to_owned(),
        };
        mail.facts = serde_json::json!({ "until": until }).to_string();
        Ok(mail)
    }

    /// The link of the reset without an answer that waits for its time, or has just come to it.
    pub(crate) async fn waiting_recovery(
        &self,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<Option<LinkRow>, Fault> {
        let Some(due_at) = account.recovery.due_at else {
            return Ok(None);
        };
        let links = self.store.live_links(account.id).await?;
        Ok(links.into_iter().find(|link| {
            // Whatever gave the account a new epoch has ended it.
            let is_it = link.purpose == LinkPurpose::ResetPassword && link.opens_at == due_at;
            is_it && link.epoch == Some(account.auth_epoch) && now < link.expires_at
        }))
    }

    /// Takes back a reset that waits, in the unit of work of a right password (RST-7); nothing where none does.
    pub(crate) fn cancel_recovery_too(
        &self,
        work: UnitOfWork,
        account: &AccountRow,
        why: Reason,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        if account.recovery.due_at.is_none() {
            return Ok(work);
        }
        let event = Event::new(CANCELLED, Actor::Owner).about(account.id).because(why);
        let work = work.event(self.audit(event, now)?);
        Ok(end_recovery(work, account, now))
    }

    /// A unit of work that takes back a reset that waits.
    pub(crate) fn cancelled_recovery(
        &self,
        event: impl FnOnce(Event) -> Event,
        account: &AccountRow,
        why: Reason,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let cancelled = Event::new(CANCELLED, Actor::Owner).about(account.id).because(why);
        let work = UnitOfWork::new(self.audit(event(cancelled), now)?);
        Ok(end_recovery(work, account, now))
    }
}

/// Who began a reset, for the words of its mail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ResetBegun<'a> {
    /// Somebody asked for it, in this browser.
    Asked { browser: &'a str },
    /// The wait that stood in for the answer is over.
    Waited,
    /// An administrator.
    Administrator,
}

/// Ends every reset of the account with the links that could take it back.
fn end_recovery(work: UnitOfWork, account: &AccountRow, now: Timestamp) -> UnitOfWork {
    let row = AccountRow {
        recovery: Recovery {
            due_at: None,
            ..account.recovery
        },
        updated_at: now,
        ..account.clone()
    };
    let purposes = [LinkPurpose::ResetPassword, LinkPurpose::CancelRecovery];
    let work = work.change(Change::Account(Box::new(Write::Update(row))));
    void_links(work, account, &purposes, now)
}

/// Ends the account's live links of these purposes.
pub(crate) fn void_links(
    work: UnitOfWork,
    account: &AccountRow,
    purposes: &[LinkPurpose],
    now: Timestamp,
) -> UnitOfWork {
    purposes.iter().fold(work, |work, purpose| {
        work.sweep(Sweep::VoidLinks {
            subject: LinkSubject::Account(account.id),
            purpose: Some(*purpose),
            state: LinkState::Void,
            now,
        })
    })
}

/// Whether a link's page asks for the answer, given whether its account has one.
pub(crate) const fn is_owed(answer: Answer, account_asks: bool) -> bool {
    account_asks && !matches!(answer, Answer::Waived)
}
