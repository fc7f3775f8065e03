//! "Confirm it is you": a fresh proof in a running session, for what must not be done on a browser left alone.
//!
//! The password, and a mailed code where the second step is on (STP-3). The same guessing budgets as signing in
//! (THR-6). The session gets a new token and keeps its sign-in time and its level: a confirmation never lifts it
//! (I-21), and the absolute limit stays (I-19). Audited as `confirm.done`, `confirm.code_sent`, `confirm.refused`.
//! ASVS 7.5.1.

use crate::account::snapshot::AccountRow;
use crate::audit::{Actor, Event};
use crate::challenge::ChallengePurpose;
use crate::code_gate::{CodeRefused, ResendRefused};
use crate::error::{Denied, Fault, Reason};
use crate::issuing::{CodeNotice, CodeSent, NO_CODE_MAIL_LEFT};
use crate::own_password::{NotOwn, OwnPassword};
use crate::password::Password;
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::secret::token::{ChallengeToken, SessionToken};
use crate::session::SessionEnd;
use crate::session_gate::{Activity, SignedIn};
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// How a right password in a running session is answered.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfirmOutcome {
    /// Confirmed; the token replaces the session's.
    Confirmed(SessionToken),
    /// A code is on its way; go on with [`confirm_code`](PortalAuth::confirm_code).
    CodeSent(CodeSent),
}

/// Why it was not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfirmRefused {
    /// The session has ended: sign in again.
    SessionEnded(SessionEnd),
    /// No password was typed.
    PasswordRequired,
    /// It is not the password.
    NotCorrect,
    /// The code was not taken.
    Code(CodeRefused),
}

impl ConfirmRefused {
    fn of(not_own: NotOwn) -> Self {
        match not_own {
            NotOwn::Overtaken => Self::SessionEnded(SessionEnd::Revoked),
            NotOwn::Wrong => Self::NotCorrect,
        }
    }
}

const DONE: Reason = Reason::new("confirm.done");
const CODE_SENT: Reason = Reason::new("confirm.code_sent");
const REFUSED: Reason = Reason::new("confirm.refused");

impl PortalAuth {
    /// Whether the person proved who they are recently enough for a sensitive act; a "no" is logged (ASVS 16.3.2).
    #[must_use]
    pub fn is_confirmed(&self, signed_in: &SignedIn) -> bool {
        let age = self.inner.now().since(signed_in.confirmed_at());
        let confirmed = age <= self.inner.config.sessions.confirm_age;
        if !confirmed {
            tracing::info!(account = %signed_in.account(), "refused: the last proof is too old");
        }
        confirmed
    }

    /// Checks the password of the signed-in person, and sends a code where the second step is on.
    ///
    /// # Errors
    /// `Refused` with what to say; `TooManyTries` and `Busy` as for signing in.
    pub async fn confirm_password(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        password: &Password,
    ) -> Result<ConfirmOutcome, Denied<ConfirmRefused>> {
        let inner = &*self.inner;
        let ended = |e: Denied<SessionEnd>| e.map(ConfirmRefused::SessionEnded);
        let signed_in = inner.live_session(token, Activity::Counts).await;
        let signed_in = signed_in.map_err(ended)?;
        if password.is_empty() {
            return Err(Denied::Refused(ConfirmRefused::PasswordRequired));
        }
        let account = self.own_account(&signed_in).await.map_err(ended)?;
        let mut proof = inner.own_password(visitor, &account, password, REFUSED).await?;
        for _ in 0..ATTEMPTS {
            let right = proof.account().await;
            let account = right.map_err(|e| e.map(ConfirmRefused::of))?;
            if let Some(answer) = self
                .conclude_confirm(visitor, &signed_in, &account, &proof)
                .await?
            {
                return answer;
            }
        }
        Err(contended())
    }

    /// Renews the session or sends the code; `None` when a row changed in between.
    async fn conclude_confirm(
        &self,
        visitor: &Visitor,
        signed_in: &SignedIn,
        account: &AccountRow,
        proof: &OwnPassword<'_>,
    ) -> Result<Option<Result<ConfirmOutcome, Denied<ConfirmRefused>>>, Denied<ConfirmRefused>> {
        let inner = &*self.inner;
        let now = inner.now();
        let audited = |kind: Reason, why: Option<Reason>| {
            let mut event = Event::new(kind, Actor::Owner).about(account.id);
            event.reason = why;
            inner.audit(inner.seen_from(event, visitor, Some(&account.email)), now)
        };
        let (work, answer) = if !signed_in.asks_for_code() {
            let work = UnitOfWork::new(audited(DONE, None)?);
            let (work, token) = self.renew_session(work, signed_in, account, visitor)?;
            (work, Ok(ConfirmOutcome::Confirmed(token)))
        } else if account.code_failures >= inner.config.codes.failures_in_a_row {
            let closed = CodeRefused::Closed;
            let work = UnitOfWork::new(audited(REFUSED, Some(closed.reason()))?);
            (work, Err(Denied::Refused(ConfirmRefused::Code(closed))))
        } else if let Some(retry_after) = inner.spend_code_mail(account, now).await? {
            let work = UnitOfWork::new(audited(REFUSED, Some(NO_CODE_MAIL_LEFT))?);
            (work, Err(Denied::TooManyTries { retry_after }))
        } else {
            let work = UnitOfWork::new(audited(CODE_SENT, None)?);
            let session = Some(signed_in.session().key);
            let (work, sent) =
                inner.add_challenge(work, account, ChallengePurpose::Confirm, session, now, visitor)?;
            (work, Ok(ConfirmOutcome::CodeSent(sent)))
        };
        let done = inner.commit(proof.settled(work, now)).await? == Commit::Done;
        Ok(done.then_some(answer))
    }

    /// Completes a confirmation with the code that was mailed.
    ///
    /// # Errors
    /// `Refused` with what to say.
    pub async fn confirm_code(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        challenge: &ChallengeToken,
        typed: &str,
    ) -> Result<SessionToken, Denied<ConfirmRefused>> {
        let inner = &*self.inner;
        let signed_in = inner
            .live_session(token, Activity::Counts)
            .await
            .map_err(|e| e.map(ConfirmRefused::SessionEnded))?;
        let session = Some(signed_in.session().key);
        inner
            .check_code(
                visitor,
                challenge,
                ChallengePurpose::Confirm,
                session,
                typed,
                |right| {
                    let event = Event::new(DONE, Actor::Owner).about(right.account.id);
                    let event = inner.seen_from(event, visitor, Some(&right.account.email));
                    let work = UnitOfWork::new(inner.audit(event, right.now)?);
                    self.renew_session(work, &signed_in, right.account, visitor)
                },
            )
            .await
            .map_err(|e| e.map(ConfirmRefused::Code))
    }

    /// What the page may show about a confirmation's code that is on its way; `None` when there is none.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn confirm_notice(
        &self,
        signed_in: &SignedIn,
        challenge: &ChallengeToken,
    ) -> Result<Option<CodeNotice>, Fault> {
        let session = Some(signed_in.session().key);
        let found = self
            .inner
            .live_challenge(challenge, ChallengePurpose::Confirm, session)
            .await?;
        Ok(found.map(|(challenge, account)| self.inner.code_notice(&challenge, &account.email)))
    }

    /// Sends a confirmation's code again.
    ///
    /// # Errors
    /// As [`resend_code`](Self::resend_code).
    pub async fn resend_confirm_code(
        &self,
        visitor: &Visitor,
        signed_in: &SignedIn,
        challenge: &ChallengeToken,
    ) -> Result<CodeNotice, Denied<ResendRefused>> {
        let inner = &*self.inner;
        let session = Some(signed_in.session().key);
        let found = inner
            .live_challenge(challenge, ChallengePurpose::Confirm, session)
            .await?;
        let Some((row, account)) = found else {
            return Err(Denied::Refused(ResendRefused::StartAgain));
        };
        inner.mail_code_again(visitor, row, &account, inner.now()).await
    }

    /// Puts a new session in the old one's place: same sign-in, same level, new token, fresh proof (SES-2).
    fn renew_session(
        &self,
        work: UnitOfWork,
        signed_in: &SignedIn,
        account: &AccountRow,
        visitor: &Visitor,
    ) -> Result<(UnitOfWork, SessionToken), Fault> {
        let now = self.inner.now();
        let work = work.change(Change::Session(Box::new(Write::Delete(signed_in.session().key))));
        self.inner.add_session(
            work,
            account,
            signed_in.level(),
            signed_in.signed_in_at(),
            now,
            visitor,
        )
    }
}
