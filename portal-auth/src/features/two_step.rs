//! Turning Two Step Verification on or off.
//!
//! Needs a proof not older than five minutes: the password, and the code as well where it is on (STP-3, CHG-4). A
//! change gives the account a new epoch, so every session, half-done sign-in and link dies at once, the person's own
//! session too: turning it on never lifts a running session (SES-5, SES-6). The browser stays familiar. Mail: E11,
//! with a link for "this was not me". Audited as `two_step.changed`. ASVS 7.4.3, 7.5.1.

use crate::account::snapshot::AccountRow;
use crate::account::status::TwoStep;
use crate::account_links::void_pending;
use crate::audit::{Actor, Event};
use crate::config::TwoStepPolicy;
use crate::error::{Denied, Reason};
use crate::issuing::end_everything;
use crate::language::LanguageTag;
use crate::mail::outbox::MailKind;
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::secret::token::{DeviceToken, SessionToken};
use crate::session::SessionEnd;
use crate::session_gate::Activity;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What became of the setting.
#[derive(Debug)]
#[non_exhaustive]
pub enum TwoStepOutcome {
    /// It was changed, and everybody is signed out.
    Changed {
        /// Goes into the device cookie, where the browser had none that is genuine.
        device: Option<DeviceToken>,
    },
    /// It was so already; nothing happened.
    Unchanged,
}

/// Why the setting was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TwoStepRefused {
    /// The session has ended: sign in again.
    SessionEnded(SessionEnd),
    /// The last proof is too old: confirm first, then come back with the same choice.
    Confirm,
    /// The service does not offer the choice: the second step is off, or demanded of everybody.
    NotOffered,
}

const CHANGED: Reason = Reason::new("two_step.changed");

impl PortalAuth {
    /// Sets the owner's choice about the second step.
    ///
    /// # Errors
    /// `Refused` with what to do first.
    pub async fn set_two_step(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        choice: TwoStep,
    ) -> Result<TwoStepOutcome, Denied<TwoStepRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let signed_in = inner
                .live_session(token, Activity::Counts)
                .await
                .map_err(|e| e.map(TwoStepRefused::SessionEnded))?;
            let account = self
                .own_account(&signed_in)
                .await
                .map_err(|e| e.map(TwoStepRefused::SessionEnded))?;
            match decide(
                inner.config.two_step,
                account.two_step,
                choice,
                self.is_confirmed(&signed_in),
            ) {
                Decision::Refuse(refused) => return Err(Denied::Refused(refused)),
                Decision::Leave => return Ok(TwoStepOutcome::Unchanged),
                Decision::Change => {}
            }
            let now = inner.now();
            let why = Reason::new(if choice == TwoStep::Off {
                "two_step.off"
            } else {
                "two_step.on"
            });
            let event = Event::new(CHANGED, Actor::Owner).about(account.id).because(why);
            let event = inner.audit(inner.seen_from(event, visitor, Some(&account.email)), now)?;
            let row = AccountRow {
                two_step: choice,
                ..inner.in_new_epoch(&account, now)?
            };
            let language = visitor.language().map(LanguageTag::as_str);
            let facts = serde_json::json!({ "choice": choice.as_str(), "browser": visitor.label(), "lang": language });
            let work = UnitOfWork::new(event).change(Change::Account(Box::new(Write::Update(row.clone()))));
            let work = void_pending(end_everything(work, &row, None), &row, None, now);
            let work = inner.add_notice(work, MailKind::TwoStepChanged, &row, &facts, now)?;
            let (work, device) = inner.add_device(work, &row, now, visitor)?;
            if inner.commit(work).await? == Commit::Done {
                inner.last_seen.forget(signed_in.session().key);
                return Ok(TwoStepOutcome::Changed { device });
            }
        }
        Err(contended())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Refuse(TwoStepRefused),
    Leave,
    Change,
}

fn decide(policy: TwoStepPolicy, present: TwoStep, choice: TwoStep, confirmed: bool) -> Decision {
    let offered = matches!(policy, TwoStepPolicy::Optional | TwoStepPolicy::RequiredForAreas);
    if !offered {
        Decision::Refuse(TwoStepRefused::NotOffered)
    } else if present == choice {
        Decision::Leave
    } else if !confirmed {
        Decision::Refuse(TwoStepRefused::Confirm)
    } else {
        Decision::Change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_a_fresh_proof_and_an_offer() {
        // STP-3, CHG-4
        use TwoStep::{Email, Off};
        for (present, choice) in [(Off, Email), (Email, Off)] {
            for policy in [TwoStepPolicy::Optional, TwoStepPolicy::RequiredForAreas] {
                assert_eq!(decide(policy, present, choice, true), Decision::Change);
                assert_eq!(
                    decide(policy, present, choice, false),
                    Decision::Refuse(TwoStepRefused::Confirm)
                );
                assert_eq!(decide(policy, present, present, false), Decision::Leave);
            }
            for policy in [TwoStepPolicy::Off, TwoStepPolicy::RequiredForAll] {
                assert_eq!(
                    decide(policy, present, choice, true),
                    Decision::Refuse(TwoStepRefused::NotOffered)
                );
            }
        }
    }
}
