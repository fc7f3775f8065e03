//! Choosing another password while signed in.
//!
//! Needs a proof not older than five minutes, and the present password besides (STP-3, CHG-1): a browser left open is
//! not enough. The account gets a new epoch: other sessions, half-done sign-ins, links of a reset or of a change of
//! address, and familiar devices die at once; the person's own session goes on under a new token (SES-2, SES-5). Mail:
//! E7, with a link for "this was not me". Audited as `change_password.done`, `change_password.refused`. ASVS 6.2.2,
//! 6.2.3, 7.4.3.

use crate::account::snapshot::AccountRow;
use crate::account_links::void_pending;
use crate::audit::{Actor, Event};
use crate::error::{Denied, Fault, FieldErrors, Reason};
use crate::issuing::RenewedSession;
use crate::mail::outbox::MailKind;
use crate::new_password::{NewPassword, NewPasswordRefused};
use crate::own_password::{NotOwn, OwnPassword};
use crate::password::Password;
use crate::password::hash::{SecretBytes, StoredHash};
use crate::password::policy::BrokenRule;
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::secret::token::SessionToken;
use crate::session::SessionEnd;
use crate::session_gate::{Activity, SignedIn};
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// Why the password was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangePasswordRefused {
    /// The session has ended: sign in again.
    SessionEnded(SessionEnd),
    /// The last proof is too old: confirm first, then come back. Secrets are typed again.
    Confirm,
    /// What was typed is wrong, all of it told at once.
    Form(WrongPasswordChange),
    /// The present password is not right.
    NotCorrect,
}

/// Everything that is wrong with a form that changes the password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongPasswordChange {
    /// The present password was not typed; nothing was counted.
    pub current_missing: bool,
    /// What is wrong with the new one.
    pub new: Option<NewPasswordRefused>,
}

impl WrongPasswordChange {
    /// The same as errors of the fields `password`, `new-password` and `new-password2`.
    #[must_use]
    pub fn errors(&self) -> FieldErrors {
        let mut errors = FieldErrors::new();
        if self.current_missing {
            errors.add("password", Reason::new("password.required"));
        }
        if let Some(new) = &self.new {
            errors.extend(new.errors());
        }
        errors
    }
}

impl ChangePasswordRefused {
    fn of(not_own: NotOwn) -> Self {
        match not_own {
            NotOwn::Overtaken => Self::SessionEnded(SessionEnd::Revoked),
            NotOwn::Wrong => Self::NotCorrect,
        }
    }
}

const DONE: Reason = Reason::new("change_password.done");
const REFUSED: Reason = Reason::new("change_password.refused");

impl PortalAuth {
    /// Replaces the password of the signed-in person.
    ///
    /// # Errors
    /// `Refused` with what to say or do first; `TooManyTries` and `Busy` as for signing in.
    ///
    /// # Security
    /// Set the returned session token in place of the one the browser holds: that one is dead, like every other.
    pub async fn change_password(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        current: &Password,
        new: &NewPassword,
    ) -> Result<RenewedSession, Denied<ChangePasswordRefused>> {
        let inner = &*self.inner;
        let signed_in = inner
            .live_session(token, Activity::Counts)
            .await
            .map_err(|e| e.map(ChangePasswordRefused::SessionEnded))?;
        if !self.is_confirmed(&signed_in) {
            return Err(Denied::Refused(ChangePasswordRefused::Confirm));
        }
        let account = self
            .own_account(&signed_in)
            .await
            .map_err(|e| e.map(ChangePasswordRefused::SessionEnded))?;
        let breach = inner.breach(&new.password).await;
        inner
            .check_password_change(&account, current, new, breach)
            .map_err(|wrong| Denied::Refused(ChangePasswordRefused::Form(wrong)))?;
        let own = |e: Denied<NotOwn>| e.map(ChangePasswordRefused::of);
        let mut proof = inner.own_password(visitor, &account, current, REFUSED).await?;
        proof.account().await.map_err(own)?;
        let secret = SecretBytes::from(&new.password);
        let hash = proof.hash(secret, inner.password_pepper()).await?;
        for _ in 0..ATTEMPTS {
            let account = proof.account().await.map_err(own)?;
            let renewed = inner
                .replace_password(visitor, &signed_in, &account, &hash, &proof)
                .await?;
            if let Some(renewed) = renewed {
                return Ok(renewed);
            }
        }
        Err(contended())
    }
}

impl Inner {
    /// Everything that is wrong with the form, before anything is charged.
    fn check_password_change(
        &self,
        account: &AccountRow,
        current: &Password,
        new: &NewPassword,
        breach: Option<BrokenRule>,
    ) -> Result<(), WrongPasswordChange> {
        // Told whether or not the present one is right, so it says nothing about it (RST-6).
        let reused = self.config.passwords.refuse_current && current.expose() == new.password.expose();
        let judged = match self.check_new_password(new, account, breach) {
            Ok(()) if reused => Err(NewPasswordRefused::reused()),
            judged => judged,
        };
        let wrong = WrongPasswordChange {
            current_missing: current.is_empty(),
            new: judged.err(),
        };
        if wrong.current_missing || wrong.new.is_some() {
            Err(wrong)
        } else {
            Ok(())
        }
    }

    /// Writes the new password; `None` when the account changed in between, even by no more than a new hash of the
    /// same password.
    async fn replace_password(
        &self,
        visitor: &Visitor,
        signed_in: &SignedIn,
        account: &AccountRow,
        new: &StoredHash,
        proof: &OwnPassword<'_>,
    ) -> Result<Option<RenewedSession>, Fault> {
        let now = self.now();
        let row = AccountRow {
            password: new.clone(),
            ..self.in_new_epoch(account, now)?
        };
        let event = Event::new(DONE, Actor::Owner).about(account.id);
        let event = self.seen_from(event, visitor, Some(&account.email));
        let work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Account(Box::new(Write::Update(row.clone()))));
        let (work, renewed) = self.renew_in_epoch(work, &row, signed_in, now, visitor)?;
        let work = void_pending(work, &row, None, now);
        let facts = serde_json::json!({ "browser": visitor.label() });
        let work = self.add_notice(work, MailKind::PasswordChanged, &row, &facts, now)?;
        if self.commit(proof.settled(work, now)).await? == Commit::Conflict {
            return Ok(None);
        }
        self.last_seen.forget(signed_in.session().key);
        Ok(Some(renewed))
    }
}
