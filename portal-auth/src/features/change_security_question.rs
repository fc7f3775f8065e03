//! Choosing another secret question and answer while signed in.
//!
//! Needs a proof not older than five minutes, and the password besides (STP-3, ANS-6). The account gets a new epoch:
//! other sessions, half-done sign-ins, links of a reset or of a change of address, and familiar devices die at once;
//! the person's own session goes on under a new token (SES-2, SES-5). Neither the old answer nor the old question is
//! shown. Mail: E10, with a link for "this was not me". Audited as `change_question.done`, `change_question.refused`.

use std::fmt;

use crate::account::chosen_question::ChosenQuestion;
use crate::account::security_question::SecurityAnswer;
use crate::account::snapshot::AccountRow;
use crate::account_links::void_pending;
use crate::audit::{Actor, Event};
use crate::config::SecretQuestion;
use crate::error::{Denied, Fault, FieldErrors, Reason};
use crate::issuing::RenewedSession;
use crate::mail::outbox::MailKind;
use crate::own_password::{NotOwn, OwnPassword};
use crate::password::Password;
use crate::password::hash::{Pepper, SecretBytes};
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::secret::token::SessionToken;
use crate::session::SessionEnd;
use crate::session_gate::{Activity, SignedIn};
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What the page sends.
#[non_exhaustive]
pub struct ChangeQuestionForm<'a> {
    /// The password in force, as it was typed.
    pub password: Password,
    /// The id of the chosen question, or [`OwnQuestion::CHOICE`] for `own_question`; empty when none was chosen.
    ///
    /// [`OwnQuestion::CHOICE`]: crate::account::chosen_question::OwnQuestion::CHOICE
    pub question: &'a str,
    /// A question in the person's own words, where the service allows one.
    pub own_question: &'a str,
    /// Its answer, as it was typed.
    pub answer: &'a str,
}

impl<'a> ChangeQuestionForm<'a> {
    /// A question of the list and its answer.
    pub fn new(password: impl Into<Password>, question: &'a str, answer: &'a str) -> Self {
        Self {
            password: password.into(),
            question,
            own_question: "",
            answer,
        }
    }

    /// Beside the choice, what was typed as a question of the person's own.
    #[must_use]
    pub const fn with_own_question(mut self, own: &'a str) -> Self {
        self.own_question = own;
        self
    }
}

impl fmt::Debug for ChangeQuestionForm<'_> {
    /// Shows neither password nor answer (LOG-2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeQuestionForm")
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}

/// Why question and answer were not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeQuestionRefused {
    /// The session has ended: sign in again.
    SessionEnded(SessionEnd),
    /// The service asks no secret question.
    NotOffered,
    /// The last proof is too old: confirm first, then come back. Secrets are typed again.
    Confirm,
    /// These fields are wrong, all at once: `password` (it is empty), `question`, `own_question`, `answer`.
    Fields(FieldErrors),
    /// The password is not right.
    NotCorrect,
}

impl ChangeQuestionRefused {
    fn of(not_own: NotOwn) -> Self {
        match not_own {
            NotOwn::Overtaken => Self::SessionEnded(SessionEnd::Revoked),
            NotOwn::Wrong => Self::NotCorrect,
        }
    }
}

const DONE: Reason = Reason::new("change_question.done");
const REFUSED: Reason = Reason::new("change_question.refused");

impl PortalAuth {
    /// Whether people here have a secret question to change.
    #[must_use]
    pub fn asks_secret_question(&self) -> bool {
        self.inner.config.registration.secret_question == SecretQuestion::Required
    }

    /// Whether people here may make up a question of their own.
    #[must_use]
    pub fn allows_own_question(&self) -> bool {
        self.asks_secret_question() && self.inner.config.registration.own_question
    }

    /// Replaces the secret question and answer of the signed-in person.
    ///
    /// # Errors
    /// `Refused` with what to say or do first; `TooManyTries` and `Busy` as for signing in.
    ///
    /// # Security
    /// Set the returned session token in place of the one the browser holds: that one is dead, like every other.
    pub async fn change_security_question(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        form: ChangeQuestionForm<'_>,
    ) -> Result<RenewedSession, Denied<ChangeQuestionRefused>> {
        let inner = &*self.inner;
        let signed_in = inner
            .live_session(token, Activity::Counts)
            .await
            .map_err(|e| e.map(ChangeQuestionRefused::SessionEnded))?;
        if !self.asks_secret_question() {
            return Err(Denied::Refused(ChangeQuestionRefused::NotOffered));
        }
        if !self.is_confirmed(&signed_in) {
            return Err(Denied::Refused(ChangeQuestionRefused::Confirm));
        }
        let account = self
            .own_account(&signed_in)
            .await
            .map_err(|e| e.map(ChangeQuestionRefused::SessionEnded))?;
        let (question, answer) = inner
            .checked_question_change(&account, &form)
            .map_err(|errors| Denied::Refused(ChangeQuestionRefused::Fields(errors)))?;
        let own = |e: Denied<NotOwn>| e.map(ChangeQuestionRefused::of);
        let mut proof = inner
            .own_password(visitor, &account, &form.password, REFUSED)
            .await?;
        proof.account().await.map_err(own)?;
        let secret = SecretBytes::from(answer.expose());
        let answer = proof.hash(secret, Pepper::Current).await?;
        for _ in 0..ATTEMPTS {
            let account = proof.account().await.map_err(own)?;
            let row = AccountRow {
                question: Some(question.clone()),
                answer: Some(answer.clone()),
                ..account
            };
            let renewed = inner.replace_question(visitor, &signed_in, row, &proof).await?;
            if let Some(renewed) = renewed {
                return Ok(renewed);
            }
        }
        Err(contended())
    }
}

impl Inner {
    /// Question and answer, or everything that is wrong with the form, before anything is charged.
    fn checked_question_change(
        &self,
        account: &AccountRow,
        form: &ChangeQuestionForm<'_>,
    ) -> Result<(ChosenQuestion, SecurityAnswer), FieldErrors> {
        let mut errors = FieldErrors::new();
        if form.password.is_empty() {
            errors.add("password", Reason::new("password.required"));
        }
        let question = self.checked_question(form.question, form.own_question, &form.password, &mut errors);
        let answer = self.checked_new_answer(
            form.answer,
            question.as_ref(),
            &form.password,
            Some(&account.email),
            &mut errors,
        );
        match (question, answer, errors.is_empty()) {
            (Some(question), Some(answer), true) => Ok((question, answer)),
            _ => Err(errors),
        }
    }

    /// Writes question and answer; `None` when the account changed in between.
    async fn replace_question(
        &self,
        visitor: &Visitor,
        signed_in: &SignedIn,
        account: AccountRow,
        proof: &OwnPassword<'_>,
    ) -> Result<Option<RenewedSession>, Fault> {
        let now = self.now();
        let event = Event::new(DONE, Actor::Owner).about(account.id);
        let event = self.seen_from(event, visitor, Some(&account.email));
        let row = self.in_new_epoch(&account, now)?;
        let work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Account(Box::new(Write::Update(row.clone()))));
        let (work, renewed) = self.renew_in_epoch(work, &row, signed_in, now, visitor)?;
        let work = void_pending(work, &row, None, now);
        let facts = serde_json::json!({ "browser": visitor.label() });
        let work = self.add_notice(work, MailKind::SecretQuestionChanged, &row, &facts, now)?;
        if self.commit(proof.settled(work, now)).await? == Commit::Conflict {
            return Ok(None);
        }
        self.last_seen.forget(signed_in.session().key);
        Ok(Some(renewed))
    }
}
