//! The password in force, tested once more before something that protects the account is changed.
//!
//! A running session is no proof of knowing the password: whoever finds a browser open must not be able to keep the
//! account (CHG-1, CHG-2). The try is charged like a sign-in, on the same buckets (THR-6, P-19).

use std::sync::atomic::Ordering;

use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::AuthEpoch;
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::guessing::PaidTry;
use crate::password::Password;
use crate::password::hash::{Line, Pepper, SecretBytes, StoredHash, Verdict};
use crate::portal::{ATTEMPTS, Commit, Inner, contended};
use crate::throttle::Settle;
use crate::unit_of_work::UnitOfWork;
use crate::visitor::Visitor;

const WRONG: Reason = Reason::new("password.wrong");
const OVERTAKEN: Reason = Reason::new("account.overtaken");

/// Why a password does not open the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotOwn {
    /// The account is not what it was when the try began: whatever led here has ended.
    Overtaken,
    /// It is not the password in force.
    Wrong,
}

/// A try that is paid for; a verdict is reused only for the same stored hash.
pub(crate) struct OwnPassword<'a> {
    inner: &'a Inner,
    visitor: &'a Visitor,
    password: &'a Password,
    account: AccountId,
    epoch: AuthEpoch,
    email: EmailAddress,
    refused: Reason,
    paid: PaidTry,
    compared: Option<(StoredHash, Verdict)>,
}

impl Inner {
    /// Enters the gate and pays for one try at the password of `account`; a wrong one is audited as `refused`.
    pub(crate) async fn own_password<'a, R>(
        &'a self,
        visitor: &'a Visitor,
        account: &AccountRow,
        password: &'a Password,
        refused: Reason,
    ) -> Result<OwnPassword<'a>, Denied<R>> {
        let view = self
            .store
            .by_email(&account.email, self.device_key(visitor))
            .await?;
        let judge = self.judge(
            visitor,
            &account.email,
            view.account.as_ref(),
            view.device.as_ref(),
        );
        Ok(OwnPassword {
            inner: self,
            visitor,
            password,
            account: account.id,
            epoch: account.auth_epoch,
            email: account.email.clone(),
            refused,
            paid: self.pay(judge, Line::Known).await?,
            compared: None,
        })
    }
}

impl OwnPassword<'_> {
    /// The account as it is stored now, if the password is the one in force and nothing ended in between.
    ///
    /// To be asked again after every conflict: another hash may be in force by then.
    pub(crate) async fn account(&mut self) -> Result<AccountRow, Denied<NotOwn>> {
        for _ in 0..ATTEMPTS {
            let found = self.inner.store.by_id(self.account).await?;
            let same = |a: &AccountRow| a.auth_epoch == self.epoch && a.status.is_active() && !a.locked;
            let Some(account) = found.filter(same) else {
                self.give_back().await?;
                return Err(Denied::Refused(NotOwn::Overtaken));
            };
            if self.verdict(&account.password).await?.is_right() {
                return Ok(account);
            }
            if self.count_wrong(&account).await? == Commit::Done {
                return Err(Denied::Refused(NotOwn::Wrong));
            }
        }
        Err(contended())
    }

    async fn verdict(&mut self, stored: &StoredHash) -> Result<Verdict, Fault> {
        if let Some((with, verdict)) = &self.compared
            && with == stored
        {
            return Ok(*verdict);
        }
        let pepper = self.inner.password_pepper();
        let verdict = self.paid.verify(Some(stored), self.password, pepper).await?;
        self.compared = Some((stored.clone(), verdict));
        Ok(verdict)
    }

    /// Nobody learns whether the password was right, so the try costs nothing.
    async fn give_back(&self) -> Result<(), Fault> {
        let event = Event::new(self.refused, Actor::Visitor)
            .about(self.account)
            .because(OVERTAKEN);
        let event = self.inner.seen_from(event, self.visitor, Some(&self.email));
        let work = UnitOfWork::new(self.inner.audit(event, self.inner.now())?);
        self.inner
            .commit(work.settle(Settle::TakeBack(self.paid.receipt())))
            .await?;
        Ok(())
    }

    async fn count_wrong(&self, account: &AccountRow) -> Result<Commit, Fault> {
        let now = self.inner.now();
        let event = Event::new(self.refused, Actor::Visitor)
            .about(account.id)
            .because(WRONG);
        let event = self.inner.seen_from(event, self.visitor, Some(&account.email));
        let work = UnitOfWork::new(self.inner.audit(event, now)?);
        let work = self
            .inner
            .settle_wrong(work, &self.paid, self.visitor, &account.email, Some(account), now)
            .await?;
        let done = self.inner.commit(work).await?;
        if done == Commit::Done {
            self.inner
                .counters
                .sign_ins_refused
                .fetch_add(1, Ordering::Relaxed);
        }
        Ok(done)
    }

    /// Hashes a new secret on the place that is paid for.
    pub(crate) async fn hash(&mut self, secret: SecretBytes, pepper: Pepper) -> Result<StoredHash, Fault> {
        self.paid.hash_bytes(secret, pepper).await
    }

    /// What the right password gives back.
    pub(crate) fn settled(&self, work: UnitOfWork, now: Timestamp) -> UnitOfWork {
        self.inner.settle_right(work, &self.paid, &self.email, now)
    }
}
