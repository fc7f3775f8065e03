//! Mails about sign-ins that the owner may not have made (E12, E18; ASVS 6.3.5).
//!
//! An ordinary sign-in pays nothing for them: the receipt of its charge tells how many failures were before it, and the
//! row of its device whether the browser is new. Only a sign-in that stands out asks the account's quota.

use crate::account::snapshot::AccountRow;
use crate::device::DeviceRow;
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::mail::outbox::{MailKind, OutboxRow};
use crate::mail::quota::{QuotaLimits, QuotaLine, Spent};
use crate::portal::Inner;
use crate::unit_of_work::UnitOfWork;
use crate::visitor::Visitor;

/// What stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusual {
    /// The right password came after so many wrong ones.
    AfterFailures(u32),
    /// The password was right, and all tries for its code were wrong.
    CodeFailed,
}

impl Unusual {
    fn facts(self, visitor: &Visitor) -> serde_json::Value {
        match self {
            Self::AfterFailures(n) => {
                serde_json::json!({ "browser": visitor.label(), "failures": n.to_string() })
            }
            Self::CodeFailed => serde_json::json!({ "browser": visitor.label(), "codes": "wrong" }),
        }
    }
}

/// The alert of one decision: however often that is made again, the account's quota is asked once.
#[derive(Debug, Default)]
pub(crate) struct Alert {
    granted: Option<bool>,
}

impl Inner {
    /// Adds the mail about an unusual sign-in, at most one a day for one account (E18).
    pub(crate) async fn add_unusual(
        &self,
        work: UnitOfWork,
        alert: &mut Alert,
        account: &AccountRow,
        what: Unusual,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        if let Unusual::AfterFailures(n) = what
            && n < self.config.alerts.failures
        {
            return Ok(work);
        }
        let granted = match alert.granted {
            Some(granted) => granted,
            None => *alert.granted.insert(self.spend_alert(account, now).await?),
        };
        if !granted {
            return Ok(work);
        }
        let mut mail = self.alert_mail(MailKind::UnusualSignIn, account, now)?;
        mail.facts = what.facts(visitor).to_string();
        Ok(work.mail(mail))
    }

    /// Adds the mail about a sign-in from a browser not seen before, where the service sends such (E12).
    ///
    /// Activation makes its browser familiar, so an account without any other browser never gets one for its first
    /// sign-in. A browser that was familiar in an earlier epoch is not new.
    pub(crate) fn add_new_device(
        &self,
        work: UnitOfWork,
        account: &AccountRow,
        device: Option<&DeviceRow>,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let seen_before = device.is_some_and(|device| device.account == account.id);
        if !self.config.alerts.new_device || seen_before {
            return Ok(work);
        }
        let mut mail = self.alert_mail(MailKind::NewDevice, account, now)?;
        mail.facts = serde_json::json!({ "browser": visitor.label(), "network": visitor.coarse_network() })
            .to_string();
        Ok(work.mail(mail))
    }

    fn alert_mail(&self, kind: MailKind, account: &AccountRow, now: Timestamp) -> Result<OutboxRow, Fault> {
        let mut mail = self.mail(kind, &account.email, now, now.plus(self.config.mail.kept))?;
        mail.account = Some(account.id);
        Ok(mail)
    }

    async fn spend_alert(&self, account: &AccountRow, now: Timestamp) -> Result<bool, Fault> {
        let line = QuotaLine {
            key: self
                .keyring
                .pseudonym("mail/unusual-sign-in", account.id.as_bytes()),
            limits: QuotaLimits::Sliding(vec![(1, self.config.alerts.pause)]),
        };
        let spent = self.store.spend(&[line], now).await?;
        Ok(matches!(spent, Spent::Granted { .. }))
    }
}
