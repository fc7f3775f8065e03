//! What the portal itself keeps about people, beside what the library keeps: each part is told to its owner, and forgets
//! whose account is gone.

use std::fmt;

use async_trait::async_trait;
use portal_auth::account::snapshot::AccountId;
use portal_auth::error::Fault;
use serde_json::Value;

/// One kind of data that the portal keeps in tables of its own.
///
/// Put it into the list that `service.rs` gives the app; a test of `own_tables` wants one for each table. A table that no
/// part stands for is data its owner is not told of, and that stays behind when the account goes.
#[async_trait]
pub trait ExportPart: fmt::Debug + Send + Sync {
    /// The name of the part in the download, in snake case; the page of the download turns it into a heading.
    fn name(&self) -> &'static str;

    /// Everything that is kept about the account, without secrets; an empty list where there is nothing.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails: the person is then given no download rather than one that lacks something.
    async fn export(&self, account: AccountId) -> Result<Value, Fault>;

    /// Removes what is kept about accounts that are there no longer; called every minute and safe to repeat.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails; the next minute tries again.
    async fn forget_the_gone(&self) -> Result<(), Fault>;
}
