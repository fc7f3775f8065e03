//! A reset that an administrator starts: for somebody who can neither answer nor wait, or whose recovery is paused.
//!
//! The administrator mails the link and never sees it; the owner sets the password (ADM-2). It lifts every pause, and
//! takes the place of all other resets. Mails: E5, and E21, which says that nobody asked for it at the portal. Audited as
//! `reset.started`.

use crate::account::recovery::Recovery;
use crate::account::snapshot::AccountRow;
use crate::account_links::NewLink;
use crate::administering::{Administrator, WhichAccount};
use crate::error::{Denied, Reason};
use crate::link::{Answer, LinkPurpose, LinkState};
use crate::mail::administrator_act::AdministratorAct;
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::recovering::{ResetBegun, void_links};
use crate::unit_of_work::{Change, UnitOfWork, Write};

/// Why no reset was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartResetRefused {
    /// There is no such account.
    #[error("no account has this address")]
    NoAccount,
    /// The account is disabled or closed.
    #[error("the account is not in use")]
    NotInUse,
    /// It is the administrator's own; "Forgotten your password?" is the way for that.
    #[error("the account is the administrator's own")]
    OwnAccount,
}

const STARTED: Reason = Reason::new("reset.started");

impl PortalAuth {
    /// Mails a reset link that asks for no secret answer, and lifts whatever pauses the account's recovery.
    ///
    /// # Errors
    /// See [`StartResetRefused`].
    ///
    /// # Security
    /// For administrators only, after they have made sure who asks: the mailbox alone is enough afterwards.
    pub async fn start_reset_for(
        &self,
        by: &Administrator,
        which: impl Into<WhichAccount<'_>> + Send,
    ) -> Result<(), Denied<StartResetRefused>> {
        let inner = &*self.inner;
        let which = which.into();
        for _ in 0..ATTEMPTS {
            let found = inner.account_meant(which).await?;
            let account = found.ok_or(Denied::Refused(StartResetRefused::NoAccount))?;
            if by.owns(&account) {
                return Err(Denied::Refused(StartResetRefused::OwnAccount));
            }
            if !account.status.is_active() {
                return Err(Denied::Refused(StartResetRefused::NotInUse));
            }
            let links = inner.store.live_links(account.id).await?;
            let now = inner.now();
            let event = inner.administered(STARTED, by, &account.email).about(account.id);
            let row = AccountRow {
                recovery: Recovery::default(),
                updated_at: now,
                ..account.clone()
            };
            let mut work = UnitOfWork::new(inner.audit(event, now)?)
                .change(Change::Account(Box::new(Write::Update(row))));
            // One by one, since a sweep would end the new one as well.
            for other in links.iter().filter(|l| l.purpose == LinkPurpose::ResetPassword) {
                let ended = other.ended(LinkState::Replaced, now);
                work = work.change(Change::Link(Box::new(Write::Update(ended))));
            }
            let fresh = inner.account_link(
                NewLink {
                    purpose: LinkPurpose::ResetPassword,
                    account: &account,
                    to: &account.email,
                    opens_at: now,
                    lives: inner.config.recovery.link_lifetime,
                    concerns: None,
                    answer: Answer::Waived,
                },
                now,
            )?;
            let mail = inner.reset_mail(&fresh, &account, ResetBegun::Administrator, now)?;
            let work = work
                .change(Change::Link(Box::new(Write::Insert(fresh))))
                .mail(mail)
                .mail(inner.administrator_mail(&account, AdministratorAct::ResetStarted, now)?);
            let work = void_links(work, &account, &[LinkPurpose::CancelRecovery], now);
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}
