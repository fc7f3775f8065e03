//! The second step of signing in: the mailed code, entered in the browser that gave the password.
//!
//! The account comes from the challenge, never from the request (OTP-5). Five tries for one half-done sign-in, ten
//! wrong codes in a row over everything; a new code, a new sign-in or a resend refills nothing (OTP-6). Mails: the
//! code (E4), "too many tries" when the step closes (E13), "login attempts" when all tries of a code were wrong (E18), and
//! where the service says so "new login" from a browser not seen before (E12). Audited as `sign_in.done`, `code.refused`, `code.sent`.
//! ASVS 6.5, 6.6.

use std::sync::atomic::Ordering;

use crate::account::email::EmailAddress;
use crate::audit::{Actor, Event};
use crate::challenge::ChallengePurpose;
use crate::code_gate::{CodeRefused, ResendRefused};
use crate::device::DeviceRow;
use crate::error::{Denied, Fault, Reason};
use crate::issuing::{CodeNotice, NewSession};
use crate::portal::{ATTEMPTS, Commit, PortalAuth};
use crate::secret::token::{ChallengeToken, SessionToken};
use crate::session::Level;
use crate::unit_of_work::{Sweep, UnitOfWork};
use crate::visitor::Visitor;

const DONE: Reason = Reason::new("sign_in.done");
const GIVEN_UP: Reason = Reason::new("sign_in.given_up");

impl PortalAuth {
    /// Tells what the code's page may show; `None` when there is nothing half done under `challenge`.
    ///
    /// Reads only: opening the page again sends no code.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn code_notice(&self, challenge: &ChallengeToken) -> Result<Option<CodeNotice>, Fault> {
        let found = self
            .inner
            .live_challenge(challenge, ChallengePurpose::SignIn, None)
            .await?;
        Ok(found.map(|(challenge, account)| self.inner.code_notice(&challenge, &account.email)))
    }

    /// The address of a half-done sign-in, over or not, to fill the sign-in page in when it must begin again.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    ///
    /// # Security
    /// Whoever holds the token has given this address and its password in this browser before. Once the account's
    /// epoch has moved nothing is told: the address may be another one since.
    pub async fn code_recipient(&self, challenge: &ChallengeToken) -> Result<Option<EmailAddress>, Fault> {
        let Some(key) = self.inner.challenge_key(challenge) else {
            return Ok(None);
        };
        let found = self.inner.store.by_challenge(key).await?;
        let told = found.filter(|(challenge, account)| {
            challenge.epoch == account.auth_epoch && account.status.is_active()
        });
        Ok(told.map(|(_, account)| account.email))
    }

    /// Completes a sign-in with the code that was mailed; the session is at level two.
    ///
    /// # Errors
    /// `Refused` with what to say; see [`CodeRefused`]. After [`CodeRefused::TriesUsed`] and
    /// [`CodeRefused::StartAgain`] go back to the sign-in page and drop the challenge's cookie.
    ///
    /// # Security
    /// A code works once, in this browser, for this sign-in. Set the returned session in place of any other.
    pub async fn verify_code(
        &self,
        visitor: &Visitor,
        challenge: &ChallengeToken,
        typed: &str,
        replaces: Option<&SessionToken>,
    ) -> Result<NewSession, Denied<CodeRefused>> {
        let inner = &*self.inner;
        let old = replaces.and_then(|token| inner.session_key(token));
        let known = self.known_device(visitor, challenge).await?;
        let session = inner
            .check_code(
                visitor,
                challenge,
                ChallengePurpose::SignIn,
                None,
                typed,
                |right| {
                    let event = Event::new(DONE, Actor::Owner).about(right.account.id);
                    let event = inner.seen_from(event, visitor, Some(&right.account.email));
                    let work = UnitOfWork::new(inner.audit(event, right.now)?);
                    let (work, session) =
                        inner.add_session(work, right.account, Level::Two, right.now, right.now, visitor)?;
                    let work =
                        inner.add_new_device(work, right.account, known.as_ref(), visitor, right.now)?;
                    let (mut work, device) = inner.add_device(work, right.account, right.now, visitor)?;
                    if let Some(old) = old {
                        work = work.sweep(Sweep::EndSession(old));
                    }
                    Ok((
                        work,
                        NewSession {
                            session,
                            device,
                            level: Level::Two,
                        },
                    ))
                },
            )
            .await?;
        inner.counters.sign_ins.fetch_add(1, Ordering::Relaxed);
        Ok(session)
    }

    /// The browser's device row for the account of a half-done sign-in; asked for only where new browsers are told.
    async fn known_device(
        &self,
        visitor: &Visitor,
        challenge: &ChallengeToken,
    ) -> Result<Option<DeviceRow>, Fault> {
        let inner = &*self.inner;
        let (Some(device), true) = (inner.device_key(visitor), inner.config.alerts.new_device) else {
            return Ok(None);
        };
        let found = inner
            .live_challenge(challenge, ChallengePurpose::SignIn, None)
            .await?;
        match found {
            Some((_, account)) => Ok(inner.store.by_email(&account.email, Some(device)).await?.device),
            None => Ok(None),
        }
    }

    /// Sends the code again: the same one while at least half its life remains, else a new one.
    ///
    /// # Errors
    /// `Refused` when it is too soon or no mail is left; `TooManyTries` when the account's hour or day is used up.
    pub async fn resend_code(
        &self,
        visitor: &Visitor,
        challenge: &ChallengeToken,
    ) -> Result<CodeNotice, Denied<ResendRefused>> {
        let inner = &*self.inner;
        let found = inner
            .live_challenge(challenge, ChallengePurpose::SignIn, None)
            .await?;
        let Some((row, account)) = found else {
            return Err(Denied::Refused(ResendRefused::StartAgain));
        };
        inner.mail_code_again(visitor, row, &account, inner.now()).await
    }

    /// Gives a half-done sign-in up ("Use a different account"); one that is not there is fine.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn cancel_sign_in(&self, visitor: &Visitor, challenge: &ChallengeToken) -> Result<(), Fault> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let found = inner
                .live_challenge(challenge, ChallengePurpose::SignIn, None)
                .await?;
            let Some((row, account)) = found else {
                return Ok(());
            };
            let now = inner.now();
            let event = inner.seen_from(
                Event::new(GIVEN_UP, Actor::Visitor).about(account.id),
                visitor,
                None,
            );
            let work = UnitOfWork::new(inner.audit(event, now)?).sweep(Sweep::EndChallenge(row.key));
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(Fault::transient("the half-done sign-in was not ended"))
    }
}
