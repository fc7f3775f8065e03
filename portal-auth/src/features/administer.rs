//! What an administrator may do to an account: disable and enable it, end its sessions, unlock it, clear its second step.
//!
//! Nobody can set a password here or read one (ADM-2), and no signed-in person acts on their own account. Every act asks
//! for the [`Administrator`] who does it, whose name goes into the audit event (`administer.*`), and is told to the owner
//! by E21. A lost second factor is cleared by nobody else (ASVS 6.4.4). ASVS 7.4.2, 7.4.5.

use crate::account::recovery::Recovery;
use crate::account::snapshot::AccountRow;
use crate::account::status::{StatusChange, TwoStep};
use crate::account_links::void_pending;
pub use crate::administering::{Administrator, WhichAccount};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::issuing::end_everything;
use crate::mail::administrator_act::AdministratorAct as Act;
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::session::Level;
use crate::session_gate::SignedIn;
use crate::throttle::{BucketKey, Settle};
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// Why a signed-in person may not act as an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAdministrator {
    /// They are none: answer as for a page that is not there.
    #[error("the account is no administrator's")]
    NotOne,
    /// Their session has not proved the second step: lead them to turn it on, or to sign in with a code.
    #[error("the session has not proved the second step")]
    SecondStep,
    /// Their last proof is too old: confirm first, then come back with the same act.
    #[error("the last proof is too old")]
    Confirm,
}

/// Why an administrator's act was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdministerRefused {
    /// There is no such account.
    #[error("no account has this address")]
    NoAccount,
    /// The account is so already, or its owner closed it.
    #[error("the account's status does not allow this")]
    NotInThisStatus,
    /// It is the administrator's own; "My Account" is the place for that.
    #[error("the account is the administrator's own")]
    OwnAccount,
}

impl PortalAuth {
    /// Whether a signed-in person may look at accounts that are not theirs: their address is one of
    /// [`Config::administrators`](crate::config::Config::administrators), and their session has proved the second step.
    ///
    /// # Errors
    /// `Refused` as [`NotAdministrator`], never with [`Confirm`](NotAdministrator::Confirm).
    pub async fn check_administrator(&self, signed_in: &SignedIn) -> Result<(), Denied<NotAdministrator>> {
        let (_, listed) = self.is_listed(signed_in).await?;
        decide_administrator(listed, signed_in.level(), Proof::NotAsked)
            .map_err(|why| refused(signed_in, why))
    }

    /// The administrator that a signed-in person is, for one act.
    ///
    /// # Errors
    /// `Refused` with what is missing. The proof may be five minutes old, unless the configuration says otherwise
    /// (STP-3).
    pub async fn administrator(
        &self,
        visitor: &Visitor,
        signed_in: &SignedIn,
    ) -> Result<Administrator, Denied<NotAdministrator>> {
        let (account, listed) = self.is_listed(signed_in).await?;
        let proof = if self.is_confirmed(signed_in) {
            Proof::Fresh
        } else {
            Proof::Old
        };
        decide_administrator(listed, signed_in.level(), proof).map_err(|why| refused(signed_in, why))?;
        let network = self.inner.network_buckets(visitor).first().copied();
        Ok(Administrator::person(account.id, network))
    }

    /// Whether the account of a session that has not ended since is one of the administrators'.
    async fn is_listed(&self, signed_in: &SignedIn) -> Result<(AccountRow, bool), Fault> {
        let account = self.account(signed_in).await?;
        let lives = account.auth_epoch == signed_in.session().epoch && account.status.is_active();
        let listed = lives && self.inner.config.administrators.contains(&account.email);
        Ok((account, listed))
    }

    /// Disables an account: nobody signs in, and every session, link and half-done sign-in dies at once (ADM-1).
    ///
    /// # Errors
    /// See [`AdministerRefused`].
    pub async fn disable_account(
        &self,
        by: &Administrator,
        which: impl Into<WhichAccount<'_>> + Send,
    ) -> Result<(), Denied<AdministerRefused>> {
        let kind = Reason::new("administer.disabled");
        self.administer(by, which.into(), kind, Act::Disabled, |account| {
            self.with_status(account, StatusChange::Disable)
        })
        .await
    }

    /// Enables a disabled account; its owner signs in with the password as before.
    ///
    /// # Errors
    /// See [`AdministerRefused`].
    pub async fn enable_account(
        &self,
        by: &Administrator,
        which: impl Into<WhichAccount<'_>> + Send,
    ) -> Result<(), Denied<AdministerRefused>> {
        let kind = Reason::new("administer.enabled");
        self.administer(by, which.into(), kind, Act::Enabled, |account| {
            self.with_status(account, StatusChange::Enable)
        })
        .await
    }

    /// Ends all sessions and half-done sign-ins of an account, and forgets its familiar devices.
    ///
    /// # Errors
    /// See [`AdministerRefused`].
    pub async fn end_all_sessions(
        &self,
        by: &Administrator,
        which: impl Into<WhichAccount<'_>> + Send,
    ) -> Result<(), Denied<AdministerRefused>> {
        let kind = Reason::new("administer.sessions_ended");
        self.administer(by, which.into(), kind, Act::SessionsEnded, |account| {
            self.in_new_epoch(account)
        })
        .await
    }

    /// Turns the second step of an account off, for an owner who has shown in another way who they are; everybody is
    /// signed out.
    ///
    /// # Errors
    /// See [`AdministerRefused`]; where it is off already, the status does not allow it.
    ///
    /// # Security
    /// This takes a factor away. Ask for as much proof of identity as when the account was first given (ASVS 6.4.4).
    pub async fn clear_two_step(
        &self,
        by: &Administrator,
        which: impl Into<WhichAccount<'_>> + Send,
    ) -> Result<(), Denied<AdministerRefused>> {
        let kind = Reason::new("administer.two_step_cleared");
        self.administer(by, which.into(), kind, Act::TwoStepCleared, |account| {
            if account.two_step == TwoStep::Off {
                return Err(Denied::Refused(AdministerRefused::NotInThisStatus));
            }
            let cleared = AccountRow {
                two_step: TwoStep::Off,
                ..account.clone()
            };
            self.in_new_epoch(&cleared)
        })
        .await
    }

    /// Opens what guessing has closed: the waits of the address and of the owner's own browsers, the step of codes, and
    /// the pauses of a recovery. A password that was locked by "this was not me" stays locked until it is reset.
    ///
    /// # Errors
    /// See [`AdministerRefused`].
    pub async fn unlock_account(
        &self,
        by: &Administrator,
        which: impl Into<WhichAccount<'_>> + Send,
    ) -> Result<(), Denied<AdministerRefused>> {
        let which = which.into();
        let found = self.inner.account_meant(which).await?;
        let account = found.ok_or(Denied::Refused(AdministerRefused::NoAccount))?;
        let dossier = self.inner.store.dossier(account.id).await?;
        let devices = dossier.map_or_else(Vec::new, |d| d.devices);
        let kind = Reason::new("administer.unlocked");
        self.administer(by, which, kind, Act::Unlocked, |account| {
            let row = AccountRow {
                code_failures: 0,
                recovery: Recovery {
                    due_at: account.recovery.due_at,
                    ..Recovery::default()
                },
                ..account.clone()
            };
            let own = devices.iter().filter(|d| d.account == account.id);
            let own = own.map(|d| self.inner.device_bucket(d.device, account.id));
            let buckets = std::iter::once(self.inner.address_bucket(&account.email)).chain(own);
            Ok(Changed::Opening(row, buckets.collect()))
        })
        .await
    }

    fn with_status(
        &self,
        account: &AccountRow,
        change: StatusChange,
    ) -> Result<Changed, Denied<AdministerRefused>> {
        let status = account.status.after(change);
        let status = status.ok_or(Denied::Refused(AdministerRefused::NotInThisStatus))?;
        self.in_new_epoch(&AccountRow {
            status,
            // One that is enabled again is not waiting to be erased.
            closed_at: account.closed_at.filter(|_| !status.is_active()),
            ..account.clone()
        })
    }

    /// The account in a new epoch, so that all that was issued for it is dead.
    fn in_new_epoch(&self, account: &AccountRow) -> Result<Changed, Denied<AdministerRefused>> {
        let row = self.inner.in_new_epoch(account, self.inner.now())?;
        Ok(Changed::EndingAll(row))
    }
}

/// An account as an act leaves it, and what goes with it.
#[derive(Debug)]
enum Changed {
    /// All sessions, half-done sign-ins and pending links end.
    EndingAll(AccountRow),
    /// These buckets are opened.
    Opening(AccountRow, Vec<BucketKey>),
}

impl PortalAuth {
    async fn administer(
        &self,
        by: &Administrator,
        which: WhichAccount<'_>,
        kind: Reason,
        act: Act,
        change: impl Fn(&AccountRow) -> Result<Changed, Denied<AdministerRefused>>,
    ) -> Result<(), Denied<AdministerRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let found = inner.account_meant(which).await?;
            let account = found.ok_or(Denied::Refused(AdministerRefused::NoAccount))?;
            if by.owns(&account) {
                return Err(Denied::Refused(AdministerRefused::OwnAccount));
            }
            let changed = change(&account)?;
            let now = inner.now();
            let event = inner.administered(kind, by, &account.email).about(account.id);
            let work =
                UnitOfWork::new(inner.audit(event, now)?).mail(inner.administrator_mail(&account, act, now)?);
            if inner.commit(added(work, changed, now)).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

fn added(work: UnitOfWork, changed: Changed, now: Timestamp) -> UnitOfWork {
    let written = |work: UnitOfWork, row: AccountRow| {
        let row = AccountRow {
            updated_at: now,
            ..row
        };
        work.change(Change::Account(Box::new(Write::Update(row))))
    };
    match changed {
        Changed::EndingAll(row) => {
            let work = end_everything(written(work, row.clone()), &row, None);
            void_pending(work, &row, None, now)
        }
        Changed::Opening(row, buckets) => {
            let clear = |work: UnitOfWork, bucket| work.settle(Settle::Clear(bucket));
            buckets.into_iter().fold(written(work, row), clear)
        }
    }
}

/// Whether a fresh proof is asked for, and there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    NotAsked,
    Fresh,
    Old,
}

/// Somebody who may not administer is logged and leaves no event: each reload would be one (ASVS 16.3.2).
fn refused(signed_in: &SignedIn, why: NotAdministrator) -> Denied<NotAdministrator> {
    tracing::info!(account = %signed_in.account(), reason = %why, "refused: an administrator's right");
    Denied::Refused(why)
}

/// Pure: who may look, and who may act.
const fn decide_administrator(listed: bool, level: Level, proof: Proof) -> Result<(), NotAdministrator> {
    match (listed, level, proof) {
        (false, _, _) => Err(NotAdministrator::NotOne),
        (true, Level::One, _) => Err(NotAdministrator::SecondStep),
        (true, Level::Two, Proof::Old) => Err(NotAdministrator::Confirm),
        (true, Level::Two, Proof::NotAsked | Proof::Fresh) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_is_listed_has_the_second_step_and_proved_it_lately() {
        // STP-1, STP-3
        use NotAdministrator::{Confirm, NotOne, SecondStep};
        for (listed, level, proof, decided) in [
            (false, Level::Two, Proof::Fresh, Err(NotOne)),
            (false, Level::One, Proof::Old, Err(NotOne)),
            (true, Level::One, Proof::Fresh, Err(SecondStep)),
            (true, Level::One, Proof::NotAsked, Err(SecondStep)),
            (true, Level::Two, Proof::Old, Err(Confirm)),
            (true, Level::Two, Proof::NotAsked, Ok(())),
            (true, Level::Two, Proof::Fresh, Ok(())),
        ] {
            assert_eq!(decide_administrator(listed, level, proof), decided);
        }
    }
}
