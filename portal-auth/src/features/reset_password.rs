//! What the reset link opens: the secret answer, where one is asked for, and then the new password.
//!
//! The mailed link proves the mailbox, the answer comes second ([`answer_reset`](super::answer_reset)). The new password
//! ends every session, half-done sign-in, device and link of before, reopens what guessing had closed, and opens no
//! session: the second step is asked for at the next sign-in as before (RST-3, RST-4). Mail: E7. Audited as `reset.done`,
//! `reset.not_set`. ASVS 6.4.3.

use crate::account::chosen_question::AskedQuestion;
use crate::account::email::EmailAddress;
use crate::account::recovery::Recovery;
use crate::account::snapshot::AccountRow;
use crate::account_links::void_pending;
use crate::audit::Actor;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::guessing::PaidTry;
use crate::issuing::end_everything;
use crate::link::{LinkRow, LinkState};
use crate::mail::outbox::MailKind;
use crate::new_password::{NewPassword, NewPasswordRefused};
use crate::password::hash::{Line, StoredHash, Verdict};
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
pub use crate::reset_step::ResetRefused;
use crate::reset_step::Step;
use crate::secret::token::{AnswerToken, DeviceToken, LinkToken};
use crate::throttle::Settle;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What the link's page may show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResetPage {
    /// The address that is the username, for password managers.
    pub email: EmailAddress,
    /// From when on the link does not work.
    pub expires_at: Timestamp,
    /// What is to be done.
    pub step: ResetStep,
}

/// What is to be done on a reset link's page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetStep {
    /// Give the secret answer: [`answer_reset`](PortalAuth::answer_reset).
    Answer {
        /// The question; `None` where the list does not have it any more, while the answer is kept.
        question: Option<AskedQuestion>,
        /// Wrong answers that the link still takes.
        tries_left: u32,
    },
    /// Choose the new password: [`set_new_password`](PortalAuth::set_new_password).
    NewPassword,
}

/// A password that was reset; nobody is signed in.
#[derive(Debug)]
#[non_exhaustive]
pub struct PasswordReset {
    /// The address to sign in with.
    pub email: EmailAddress,
    /// Goes into the device cookie, where the browser had none that is genuine.
    pub device: Option<DeviceToken>,
}

const DONE: Reason = Reason::new("reset.done");
const NOT_SET: Reason = Reason::new("reset.not_set");
const REUSED: Reason = Reason::new("password.reused");

impl PortalAuth {
    /// Tells what a reset link's page may show; changes nothing, however often it is asked.
    ///
    /// The question is told behind a live link only (ANS-6).
    ///
    /// # Errors
    /// `Refused` with what the page says instead.
    pub async fn reset_page(
        &self,
        token: &LinkToken,
        proof: Option<&AnswerToken>,
    ) -> Result<ResetPage, Denied<ResetRefused>> {
        let inner = &*self.inner;
        let (link, account) = inner.reset_link(token).await?;
        let step = match inner.decide_step(&link, &account, proof, inner.now()) {
            Step::NewPassword => ResetStep::NewPassword,
            Step::Paused(paused) => return Err(Denied::Refused(ResetRefused::Paused(paused))),
            Step::Answer { tries_left } => ResetStep::Answer {
                question: inner.question_of(&account),
                tries_left,
            },
        };
        Ok(ResetPage {
            email: account.email,
            expires_at: link.expires_at,
            step,
        })
    }

    /// Sets the new password, and ends everything that the old one had opened.
    ///
    /// # Errors
    /// `Refused` with what to say; `TooManyTries` and `Busy` as for signing in.
    ///
    /// # Security
    /// Opens no session: clear the session cookie and send the person to the sign-in page (RST-4).
    pub async fn set_new_password(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        proof: Option<&AnswerToken>,
        form: &NewPassword,
    ) -> Result<PasswordReset, Denied<ResetRefused>> {
        let inner = &*self.inner;
        let (link, account) = inner.link_for_password(token, proof).await?;
        let refused = |e| Denied::Refused(ResetRefused::Password(e));
        let breach = inner.breach(&form.password).await;
        inner
            .check_new_password(form, &account, breach)
            .map_err(refused)?;
        let mut paid = inner.pay(inner.link_judge(&link, visitor), Line::Known).await?;
        let mut compared: Option<(StoredHash, Verdict)> = None;
        let mut hashed: Option<StoredHash> = None;
        for _ in 0..ATTEMPTS {
            let (link, account) = inner.link_for_password(token, proof).await?;
            let pepper = inner.password_pepper();
            if inner.config.passwords.refuse_current {
                let verdict = match &compared {
                    Some((with, verdict)) if *with == account.password => *verdict,
                    _ => {
                        paid.verify(Some(&account.password), &form.password, pepper)
                            .await?
                    }
                };
                compared = Some((account.password.clone(), verdict));
                if verdict.is_right() {
                    inner.tell_reused(&account, visitor).await?;
                    return Err(refused(NewPasswordRefused::reused()));
                }
            }
            let password = match &hashed {
                Some(hash) => hash.clone(),
                None => hashed.insert(paid.hash(&form.password, pepper).await?).clone(),
            };
            if let Some(done) = inner.reset(visitor, &link, &account, password, &paid).await? {
                return Ok(done);
            }
        }
        Err(contended())
    }
}

impl Inner {
    fn question_of(&self, account: &AccountRow) -> Option<AskedQuestion> {
        let chosen = account.question.as_ref()?;
        chosen.asked(&self.config.registration.questions)
    }

    /// Writes down that the password in force was found out to be the one that was typed (LOG-1); the charge stays.
    async fn tell_reused(&self, account: &AccountRow, visitor: &Visitor) -> Result<(), Fault> {
        let event = self
            .reset_event(NOT_SET, Actor::Visitor, account, visitor)
            .because(REUSED);
        self.commit(UnitOfWork::new(self.audit(event, self.now())?))
            .await?;
        Ok(())
    }

    /// Sets the password and ends what was before, in one transaction (RST-3); `None` when a row changed in between.
    async fn reset(
        &self,
        visitor: &Visitor,
        link: &LinkRow,
        account: &AccountRow,
        password: StoredHash,
        paid: &PaidTry,
    ) -> Result<Option<PasswordReset>, Fault> {
        let now = self.now();
        let row = AccountRow {
            password,
            code_failures: 0,
            locked: false,
            recovery: Recovery::default(),
            ..self.in_new_epoch(account, now)?
        };
        let event = self.reset_event(DONE, Actor::Owner, account, visitor);
        let mut work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Link(Box::new(Write::Update(
                link.ended(LinkState::Used, now),
            ))))
            .change(Change::Account(Box::new(Write::Update(row.clone()))))
            .settle(Settle::TakeBack(paid.receipt()))
            .settle(Settle::Clear(self.address_bucket(&row.email)));
        if let Some(device) = self.device_key(visitor) {
            // Who mistyped until their own browser had to wait does not wait with the new password.
            work = work.settle(Settle::Clear(self.device_bucket(device, row.id)));
        }
        work = end_everything(work, &row, None);
        work = void_pending(work, &row, None, now);
        let facts = serde_json::json!({ "browser": visitor.label() });
        work = self.add_notice(work, MailKind::PasswordChanged, &row, &facts, now)?;
        let (work, device) = self.add_device(work, &row, now, visitor)?;
        let done = self.commit(work).await? == Commit::Done;
        Ok(done.then(|| PasswordReset {
            email: row.email,
            device,
        }))
    }
}
