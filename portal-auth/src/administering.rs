//! Who acts on accounts that are not theirs, and what each of their acts leaves behind: an audit event that names them,
//! and a mail to the owner (E21).

use crate::account::email::EmailAddress;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Fault, Reason};
use crate::mail::administrator_act::AdministratorAct;
use crate::mail::outbox::{MailKind, OutboxRow};
use crate::portal::Inner;
use crate::throttle::BucketKey;

/// Somebody who may act on accounts that are not theirs; every act asks for one, and its audit event names them.
///
/// Either the operator at the command line, who has the database and the keys anyway, or a signed-in person who has
/// proved to be one of [`Config::administrators`](crate::config::Config::administrators), by
/// [`administrator`](crate::PortalAuth::administrator).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Administrator(Who);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    CommandLine,
    Person {
        account: AccountId,
        network: Option<BucketKey>,
    },
}

impl Administrator {
    /// Whoever runs the program's commands.
    ///
    /// # Security
    /// It proves nothing: make it only where the operating system has decided who may run the program.
    #[must_use]
    pub const fn at_the_command_line() -> Self {
        Self(Who::CommandLine)
    }

    /// Whether the account is this administrator's own.
    ///
    /// Nobody administers themselves: what a person may do to their own account is under "My Account", with the proofs
    /// that are asked for there, and the last administrator must not lock themselves out.
    pub(crate) fn owns(&self, account: &AccountRow) -> bool {
        matches!(self.0, Who::Person { account: own, .. } if own == account.id)
    }

    /// A signed-in person, after every proof.
    pub(crate) const fn person(account: AccountId, network: Option<BucketKey>) -> Self {
        Self(Who::Person { account, network })
    }
}

/// The account that an administrator means: the one of an address, or one that a list has shown.
///
/// Every act takes either, `&EmailAddress` or [`AccountId`]; what is meant by its id stays the same account when its
/// address changes in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an account has an address and an id")]
pub enum WhichAccount<'a> {
    /// Whatever account has the address now.
    Of(&'a EmailAddress),
    /// This one.
    Named(AccountId),
}

impl<'a> From<&'a EmailAddress> for WhichAccount<'a> {
    fn from(address: &'a EmailAddress) -> Self {
        Self::Of(address)
    }
}

impl From<AccountId> for WhichAccount<'_> {
    fn from(id: AccountId) -> Self {
        Self::Named(id)
    }
}

impl Inner {
    /// The account that is meant, if it is there.
    pub(crate) async fn account_meant(&self, which: WhichAccount<'_>) -> Result<Option<AccountRow>, Fault> {
        Ok(match which {
            WhichAccount::Of(address) => self.store.by_email(address, None).await?.account,
            WhichAccount::Named(id) => self.store.by_id(id).await?,
        })
    }

    /// An event that says which administrator decided, about an address.
    pub(crate) fn administered(&self, kind: Reason, by: &Administrator, address: &EmailAddress) -> Event {
        let mut event = self.administered_nothing(kind, by);
        event.address = Some(self.address_bucket(address));
        event
    }

    /// An event that says which administrator decided, about nobody's address.
    pub(crate) fn administered_nothing(&self, kind: Reason, by: &Administrator) -> Event {
        let mut event = Event::new(kind, Actor::Administrator);
        match by.0 {
            Who::CommandLine => event.label = "command line".to_owned(),
            Who::Person { account, network } => {
                event.label = format!("account {account}");
                event.network = network;
            }
        }
        event
    }

    /// Tells the owner what an administrator did to their account (E21).
    pub(crate) fn administrator_mail(
        &self,
        account: &AccountRow,
        act: AdministratorAct,
        now: Timestamp,
    ) -> Result<OutboxRow, Fault> {
        let useless_from = now.plus(self.config.mail.kept);
        let mut mail = self.mail(MailKind::AdministratorActed, &account.email, now, useless_from)?;
        mail.account = Some(account.id);
        mail.facts = serde_json::json!({ "act": act.as_str() }).to_string();
        Ok(mail)
    }
}
