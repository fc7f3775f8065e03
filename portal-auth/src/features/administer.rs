//! What an administrator may do to an account: find it, disable and enable it, end its sessions, unlock it.
//!
//! Nobody can set a password here or read one (ADM-2); an administrator's own identity is the host's business.
//! Audited as `administer.*`. ASVS 7.4.2, 7.4.5.

use crate::account::email::EmailAddress;
use crate::account::snapshot::AccountRow;
use crate::account::status::{AuthEpoch, StatusChange};
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::throttle::Settle;
use crate::unit_of_work::{Change, Sweep, UnitOfWork, Write};

/// Why an administrator's act was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdministerRefused {
    /// No account has this address.
    #[error("no account has this address")]
    NoAccount,
    /// The account's status does not allow it: it is so already, or its owner closed it.
    #[error("the account's status does not allow this")]
    NotInThisStatus,
}

impl PortalAuth {
    /// Finds the account of an address.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn find_account(&self, email: &EmailAddress) -> Result<Option<AccountRow>, Fault> {
        Ok(self.inner.store.by_email(email, None).await?.account)
    }

    /// Disables an account: nobody signs in, and every session, link and half-done sign-in dies at once (ADM-1).
    ///
    /// # Errors
    /// See [`AdministerRefused`].
    pub async fn disable_account(&self, email: &EmailAddress) -> Result<(), Denied<AdministerRefused>> {
        self.change_status(email, StatusChange::Disable, Reason::new("administer.disabled"))
            .await
    }

    /// Enables a disabled account; its owner signs in with the password as before.
    ///
    /// # Errors
    /// See [`AdministerRefused`].
    pub async fn enable_account(&self, email: &EmailAddress) -> Result<(), Denied<AdministerRefused>> {
        self.change_status(email, StatusChange::Enable, Reason::new("administer.enabled"))
            .await
    }

    /// Ends all sessions and half-done sign-ins of an account, and forgets its familiar devices.
    ///
    /// # Errors
    /// See [`AdministerRefused`].
    pub async fn end_all_sessions(&self, email: &EmailAddress) -> Result<(), Denied<AdministerRefused>> {
        self.administer(
            email,
            Reason::new("administer.sessions_ended"),
            |account, now, work| {
                let auth_epoch = AuthEpoch::draw(&*self.inner.entropy)?;
                let row = AccountRow {
                    auth_epoch,
                    updated_at: now,
                    ..account.clone()
                };
                Ok(end_everything(work, row))
            },
        )
        .await
    }

    /// Opens an account that guessing has closed: the waits of its address, and the step of codes.
    ///
    /// # Errors
    /// See [`AdministerRefused`].
    pub async fn unlock_account(&self, email: &EmailAddress) -> Result<(), Denied<AdministerRefused>> {
        self.administer(email, Reason::new("administer.unlocked"), |account, now, work| {
            let row = AccountRow {
                code_failures: 0,
                updated_at: now,
                ..account.clone()
            };
            let bucket = self.inner.address_bucket(&account.email);
            Ok(work
                .change(Change::Account(Box::new(Write::Update(row))))
                .settle(Settle::Clear(bucket)))
        })
        .await
    }

    async fn change_status(
        &self,
        email: &EmailAddress,
        change: StatusChange,
        kind: Reason,
    ) -> Result<(), Denied<AdministerRefused>> {
        self.administer(email, kind, |account, now, work| {
            let status = account.status.after(change);
            let status = status.ok_or(Denied::Refused(AdministerRefused::NotInThisStatus))?;
            let auth_epoch = AuthEpoch::draw(&*self.inner.entropy)?;
            let row = AccountRow {
                status,
                auth_epoch,
                updated_at: now,
                ..account.clone()
            };
            Ok(end_everything(work, row))
        })
        .await
    }

    async fn administer(
        &self,
        email: &EmailAddress,
        kind: Reason,
        add: impl Fn(&AccountRow, Timestamp, UnitOfWork) -> Result<UnitOfWork, Denied<AdministerRefused>>,
    ) -> Result<(), Denied<AdministerRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let found = inner.store.by_email(email, None).await?.account;
            let account = found.ok_or(Denied::Refused(AdministerRefused::NoAccount))?;
            let now = inner.now();
            let event = inner.audit(Event::new(kind, Actor::Administrator).about(account.id), now)?;
            if inner.commit(add(&account, now, UnitOfWork::new(event))?).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

fn end_everything(work: UnitOfWork, account: AccountRow) -> UnitOfWork {
    let id = account.id;
    work.change(Change::Account(Box::new(Write::Update(account))))
        .sweep(Sweep::EndSessions {
            account: id,
            except: None,
        })
        .sweep(Sweep::EndChallenges(id))
}
