//! What an administrator may see of accounts: found by their exact address or their id, or listed by the beginning of
//! their address.
//!
//! No hash, no epoch and no secret is in these types. Looking changes nothing and is not audited, an export of
//! everybody is; who may look is the host's to check, by [`check_administrator`](PortalAuth::check_administrator). This
//! tells who has an account, so it is no answer for anybody else (ENU-1).

use crate::account::email::EmailAddress;
use crate::account::profile::StoredProfile;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::{Status, TwoStep};
use crate::administering::Administrator;
use crate::environment::Timestamp;
use crate::error::{Fault, Reason};
use crate::portal::{Commit, Inner, PortalAuth};
use crate::unit_of_work::UnitOfWork;

/// The most accounts of one page of a list.
pub const MOST_LISTED: u32 = 100;

const EXPORTED: Reason = Reason::new("accounts.exported");

/// Reads of [`MOST_LISTED`] accounts for one page at most: where few accounts have the status that is asked for, a page
/// ends early and says where to go on, so that no list ever reads the whole table.
const MOST_READS: u32 = 10;

/// An account as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountView {
    /// Its name: for logs, commands, and the addresses of pages that only administrators see.
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
    /// How many sessions of it are not over.
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

/// Which accounts to list, in the order of their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountQuery {
    /// What their addresses begin with; capitals do not matter, and no character is a wildcard.
    pub beginning: String,
    /// Only those that have this status.
    pub status: Option<Status>,
    /// Only those behind this address: the end of the page before.
    pub after: Option<EmailAddress>,
    /// How many, at most [`MOST_LISTED`]; 0 finds none, and does not tell whether there are any.
    pub most: u32,
}

impl AccountQuery {
    /// The first `most` accounts.
    #[must_use]
    pub fn first(most: u32) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// Only those whose address begins so.
    #[must_use]
    pub fn beginning_with(mut self, beginning: impl Into<String>) -> Self {
        self.beginning = beginning.into();
        self
    }

    /// Only those that have this status.
    #[must_use]
    pub const fn that_are(mut self, status: Option<Status>) -> Self {
        self.status = status;
        self
    }

    /// Only those behind the end of the page before.
    #[must_use]
    pub fn after(mut self, end: Option<EmailAddress>) -> Self {
        self.after = end;
        self
    }
}

/// A page of a list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountPage {
    /// The accounts, in the order of their addresses; with a status, fewer than were asked for is no sign of the end.
    pub accounts: Vec<AccountView>,
    /// Where the next page begins; `None` at the end of the list.
    pub end: Option<EmailAddress>,
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
            Some(account) => Some(inner.account_details(account).await?),
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

    /// Finds an account that a list has shown.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn look_up_account(&self, id: AccountId) -> Result<Option<AccountDetails>, Fault> {
        Ok(match self.inner.store.by_id(id).await? {
            Some(account) => Some(self.inner.account_details(account).await?),
            None => None,
        })
    }

    /// Leaves an event that every account was asked for as one list; to be called before the first of them is read.
    ///
    /// Looking at an account is no event, taking everybody's data out of the service is one. Audited as
    /// `accounts.exported` with whoever asked, about nobody.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails or would not take it: then export nothing.
    pub async fn record_accounts_export(&self, by: &Administrator) -> Result<(), Fault> {
        let inner = &*self.inner;
        let event = inner.administered_nothing(EXPORTED, by);
        match inner
            .commit(UnitOfWork::new(inner.audit(event, inner.now())?))
            .await?
        {
            Commit::Done => Ok(()),
            Commit::Conflict => Err(Fault::transient("the event of an export was not taken")),
        }
    }

    /// Lists accounts.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    ///
    /// # Security
    /// For administrators alone: check who asks with [`check_administrator`](Self::check_administrator) first.
    pub async fn list_accounts(&self, query: &AccountQuery) -> Result<AccountPage, Fault> {
        let inner = &*self.inner;
        let beginning = query.beginning.trim().to_ascii_lowercase();
        let most = query.most.min(MOST_LISTED);
        let at_once = if query.status.is_some() { MOST_LISTED } else { most };
        let (most, batch) = (count(most), count(at_once));
        // No address holds such a character, and not every database takes it (DB-2).
        if beginning.bytes().any(|b| !b.is_ascii_graphic()) {
            return Ok(AccountPage {
                accounts: Vec::new(),
                end: None,
            });
        }
        let mut found = AccountPage {
            accounts: Vec::new(),
            end: query.after.clone(),
        };
        for _ in 0..MOST_READS {
            // One more than is looked at tells whether the list goes on.
            let at_most = at_once.saturating_add(1);
            let rows = inner
                .store
                .accounts(&beginning, found.end.as_ref(), at_most)
                .await?;
            let goes_on = rows.len() > batch;
            for row in rows.into_iter().take(batch) {
                if found.accounts.len() >= most {
                    return Ok(found);
                }
                found.end = Some(row.email.clone());
                if query.status.is_none_or(|status| status == row.status) {
                    found.accounts.push(inner.account_view(row));
                }
            }
            if !goes_on {
                found.end = None;
                return Ok(found);
            }
            if found.accounts.len() >= most {
                break;
            }
        }
        Ok(found)
    }
}

fn count(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

impl Inner {
    async fn account_details(&self, account: AccountRow) -> Result<AccountDetails, Fault> {
        let signed_in = self.store.activity(account.id, &["sign_in.done"], 1).await?;
        Ok(AccountDetails {
            last_sign_in: signed_in.first().map(|event| event.at),
            sessions: self.live_sessions_of(account.id).await?.len(),
            account: self.account_view(account),
        })
    }

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
