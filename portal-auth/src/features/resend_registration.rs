//! "Send the link again": the same link while it works, a new one when it is over.
//!
//! Every answer is the same for every address (ENU-1); the mails stay within the quotas an outsider has (MAIL-5).
//! Mails: E1, or E2 where the address has an account meanwhile. Audited as `register.resent`.

use crate::account::email::{EmailAddress, EmailError};
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::portal::{ATTEMPTS, Bears, Commit, Inner, PortalAuth, contended};
use crate::registration::draft::Submitted;
use crate::secret::token::DraftToken;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// Why no link was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResendLinkRefused {
    /// Too soon after the last one.
    Wait {
        /// The earliest moment.
        until: Timestamp,
    },
    /// This browser has sent no registration off, or that was too long ago: ask for the address.
    NothingSent,
    /// What was typed is no address.
    Email(EmailError),
}

const RESENT: Reason = Reason::new("register.resent");

impl PortalAuth {
    /// Sends the link of this browser's own registration again.
    ///
    /// Whether a quota was used up is not told: the answer is the same, and the earlier link still works (TOK-6).
    ///
    /// # Errors
    /// `Refused` when it is too soon, or there is nothing to send again.
    pub async fn resend_link(
        &self,
        visitor: &Visitor,
        token: &DraftToken,
    ) -> Result<(), Denied<ResendLinkRefused>> {
        self.inner.in_steps(self.send_link_again(visitor, token)).await
    }

    async fn send_link_again(
        &self,
        visitor: &Visitor,
        token: &DraftToken,
    ) -> Result<(), Denied<ResendLinkRefused>> {
        let inner = &*self.inner;
        let mut grant = None;
        for _ in 0..ATTEMPTS {
            let Some((row, mut draft)) = inner.draft(token).await? else {
                return Err(Denied::Refused(ResendLinkRefused::NothingSent));
            };
            let Some(sent) = draft.submitted.clone().filter(|s| !s.activated) else {
                return Err(Denied::Refused(ResendLinkRefused::NothingSent));
            };
            let now = inner.now();
            let until = sent.mailed_at.plus(inner.config.registration.resend_pause);
            if now < until {
                return Err(Denied::Refused(ResendLinkRefused::Wait { until }));
            }
            let registrant = inner.registrant(&sent.email).await?;
            let own = inner.store.by_registration(sent.registration).await?;
            let grant = match grant {
                Some(grant) => grant,
                None => {
                    let bears = Bears::link_if(registrant.is_mailed_a_link_again(own.as_ref(), now));
                    *grant.insert(
                        inner
                            .spend_outsider_mail(&sent.email, bears, visitor, now)
                            .await?,
                    )
                }
            };
            let work = inner.resent(visitor, &sent.email, now)?;
            let work = inner.add_link_mail(work, own, &registrant, grant, now, visitor)?;
            // What the new mail's link does by itself: the same whatever the address.
            let works_until = if now < sent.link_expires_at {
                sent.link_expires_at
            } else {
                now.plus(inner.config.registration.link_lifetime)
            };
            draft.submitted = Some(Submitted::new(
                sent.registration,
                sent.email,
                now,
                works_until,
                false,
            ));
            let row = inner.draft_row(row.key, row.version, &draft)?;
            let work = work.change(Change::Draft(Box::new(Write::Update(row))));
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Sends the link of whatever registration waits for a typed address; the answer is the same for every address.
    ///
    /// # Errors
    /// `Refused` only where what was typed is no address.
    pub async fn resend_link_to(
        &self,
        visitor: &Visitor,
        typed: &str,
    ) -> Result<(), Denied<ResendLinkRefused>> {
        self.inner.in_steps(self.send_link_again_to(visitor, typed)).await
    }

    async fn send_link_again_to(
        &self,
        visitor: &Visitor,
        typed: &str,
    ) -> Result<(), Denied<ResendLinkRefused>> {
        let inner = &*self.inner;
        let email = EmailAddress::parse(typed).map_err(|e| Denied::Refused(ResendLinkRefused::Email(e)))?;
        let mut grant = None;
        for _ in 0..ATTEMPTS {
            let now = inner.now();
            let registrant = inner.registrant(&email).await?;
            let waiting = registrant.view.waiting.clone();
            let grant = match grant {
                Some(grant) => grant,
                None => {
                    let bears = Bears::link_if(registrant.is_mailed_a_link_again(waiting.as_ref(), now));
                    *grant.insert(inner.spend_outsider_mail(&email, bears, visitor, now).await?)
                }
            };
            if !grant.counted {
                return Ok(());
            }
            let work = inner.resent(visitor, &email, now)?;
            let work = inner.add_link_mail(work, waiting, &registrant, grant, now, visitor)?;
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

impl Inner {
    fn resent(&self, visitor: &Visitor, email: &EmailAddress, now: Timestamp) -> Result<UnitOfWork, Fault> {
        let event = self.seen_from(Event::new(RESENT, Actor::Visitor), visitor, Some(email));
        Ok(UnitOfWork::new(self.audit(event, now)?))
    }
}
