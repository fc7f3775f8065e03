//! What an administrator may see of accounts: found by their exact address, or listed by the beginning of it.
//!
//! No hash, no epoch and no secret is in these types. Looking changes nothing and is not audited; who may look is the
//! host's to check, by [`check_administrator`](PortalAuth::check_administrator). This tells who has an account, so it is
//! no answer for anybody else (ENU-1).

use crate::account::email::EmailAddress;
use crate::account::profile::StoredProfile;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::{Status, TwoStep};
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::portal::{Inner, PortalAuth};

/// The most accounts of one page of a list.
pub const MOST_LISTED: u32 = 100;

/// An account as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountView {
    /// Its name; for logs and commands, not for pages.
    pub id: AccountId,
    /// Its address.
    pub email: EmailAddress,
    /// Whether it may be used.
    pub status: Status,
    /// The owner's choice about the second step.
    pub two_step: TwoStep,
    /// Whether "this was not me" has closed its password until it is reset.
    pub locked: bool,
    /// Whether too many wrong codes in a row have closed the step of codes.
    pub codes_closed: bool,
    /// Until when wrong answers have paused its recovery, where that moment is still to come.
    pub recovery_paused_until: Option<Timestamp>,
    /// What the host keeps about the person, brought up to the present schema where that can be done.
    pub profile: StoredProfile,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its owner closed it.
    pub closed_at: Option<Timestamp>,
}

/// An account with what only its own page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountDetails {
    /// The account.
    pub account: AccountView,
    /// When somebody last signed in, where that is still in the audit.
    pub last_sign_in: Option<Timestamp>,
    /// How many sessions it has.
    pub sessions: usize,
}

/// A registration that waits for its link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingRegistration {
    /// When it was sent off.
    pub submitted_at: Timestamp,
    /// Until when its link works, or worked.
    pub link_expires_at: Option<Timestamp>,
    /// Until when a new link can take the place of one that is over.
    pub kept_until: Timestamp,
}

/// What there is under an address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressView {
    /// The account that has it.
    pub account: Option<AccountDetails>,
    /// The newest registration that waits for it.
    pub waiting: Option<WaitingRegistration>,
}

impl PortalAuth {
    /// Finds the account of an address.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn find_account(&self, email: &EmailAddress) -> Result<Option<AccountView>, Fault> {
        let found = self.inner.store.by_email(email, None).await?.account;
        Ok(found.map(|account| self.inner.account_view(account)))
    }

    /// Finds everything there is under an address: its account, and the registration that waits for it.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn look_up(&self, email: &EmailAddress) -> Result<AddressView, Fault> {
        let inner = &*self.inner;
        let found = inner.store.by_registrant(email).await?;
        let account = match found.account {
            Some(account) => {
                let signed_in = inner.store.activity(account.id, &["sign_in.done"], 1).await?;
                Some(AccountDetails {
                    last_sign_in: signed_in.first().map(|event| event.at),
                    sessions: inner.store.sessions_of(account.id).await?.len(),
                    account: inner.account_view(account),
                })
            }
            None => None,
        };
        let now = inner.now();
        let waiting = found.waiting.filter(|w| now < w.registration.kept_until);
        let waiting = waiting.map(|w| WaitingRegistration {
            submitted_at: w.registration.submitted_at,
            link_expires_at: w.link.map(|link| link.expires_at),
            kept_until: w.registration.kept_until,
        });
        Ok(AddressView { account, waiting })
    }

    /// Lists accounts whose address begins with `beginning`, in the order of their addresses, those after `after`; at
    /// most `most`, and never more than [`MOST_LISTED`].
    ///
    /// Capitals do not matter, and no character is a wildcard.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn list_accounts(
        &self,
        beginning: &str,
        after: Option<&EmailAddress>,
        most: u32,
    ) -> Result<Vec<AccountView>, Fault> {
        let inner = &*self.inner;
        let beginning = beginning.trim().to_ascii_lowercase();
        let most = most.min(MOST_LISTED);
        let rows = inner.store.accounts(&beginning, after, most).await?;
        Ok(rows.into_iter().map(|row| inner.account_view(row)).collect())
    }
}

impl Inner {
    fn account_view(&self, row: AccountRow) -> AccountView {
        let schema = &self.config.registration.profile;
        let profile = schema.upgrade(row.profile.clone()).unwrap_or(row.profile);
        let now = self.now();
        AccountView {
            id: row.id,
            email: row.email,
            status: row.status,
            two_step: row.two_step,
            locked: row.locked,
            codes_closed: row.code_failures >= self.config.codes.failures_in_a_row,
            recovery_paused_until: row.recovery.paused_until.filter(|until| now < *until),
            profile,
            created_at: row.created_at,
            updated_at: row.updated_at,
            closed_at: row.closed_at,
        }
    }
}
