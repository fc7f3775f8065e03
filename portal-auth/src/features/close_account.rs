//! Closing an account, taking that back within the grace, and what an administrator may do at once (portal P27, CHG-5).
//!
//! Closing asks for the password and for a proof not older than five minutes (STP-3). The account gets a new epoch, so
//! every session, half-done sign-in and link dies; nobody signs in; the address stays claimed, and the data stays as it
//! is. For 14 days a mailed link and the password bring all of it back, under yet another epoch and without a session.
//! Then the background erases the account, and the address is free for somebody who inherits nothing. Registering the
//! address meanwhile mails the link again, outwardly like every registration. Wrong passwords count on the link and its
//! networks, so a stranger's noise at the sign-in page does not keep the owner from coming back. Mail: E15. Audited as
//! `account.closed`, `account.restored`, `restore.refused`, `account.erased`, `administer.erased`. ASVS 7.4.2, 14.2.7.

use crate::account::email::EmailAddress;
use crate::account::snapshot::AccountRow;
use crate::account::status::StatusChange;
use crate::account_links::void_pending;
use crate::administering::{Administrator, WhichAccount};
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::erasing::closing_of;
use crate::error::{Denied, Fault, Reason};
use crate::guessing::{Judge, PaidTry};
use crate::issuing::end_everything;
use crate::link::{LinkPurpose, LinkRefused, LinkRow, LinkState};
use crate::mail::outbox::MailKind;
use crate::own_password::NotOwn;
use crate::password::Password;
use crate::password::hash::{Line, StoredHash, Verdict};
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::secret::token::{DeviceToken, LinkToken, SessionToken};
use crate::session::SessionEnd;
use crate::session_gate::Activity;
use crate::throttle::Settle;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// An account that is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountClosed {
    /// Until when it can be brought back; from then on it is erased.
    pub erased_from: Timestamp,
}

/// Why the account was not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseRefused {
    /// The session has ended: sign in again.
    SessionEnded(SessionEnd),
    /// The last proof is too old: confirm first, then come back.
    Confirm,
    /// No password was typed; nothing was counted.
    PasswordRequired,
    /// It is not the password.
    NotCorrect,
}

impl CloseRefused {
    fn of(not_own: NotOwn) -> Self {
        match not_own {
            NotOwn::Overtaken => Self::SessionEnded(SessionEnd::Revoked),
            NotOwn::Wrong => Self::NotCorrect,
        }
    }
}

/// What the page of a restoring link may show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestorePage {
    /// The account's address, masked.
    pub masked_email: String,
    /// Until when the account can be brought back.
    pub erased_from: Timestamp,
    /// Wrong passwords that the link still takes.
    pub tries_left: u32,
}

/// An account that is in use again.
#[derive(Debug)]
#[non_exhaustive]
pub struct AccountRestored {
    /// The address to sign in with.
    pub email: EmailAddress,
    /// Goes into the device cookie, where the browser had none that is genuine.
    pub device: Option<DeviceToken>,
}

/// Why an account was not brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreRefused {
    /// The link does nothing (any more).
    Link(LinkRefused),
    /// No password was typed; nothing was counted.
    PasswordRequired,
    /// It is not the account's password.
    NotCorrect {
        /// Tries left; with none left the link is dead, and registering the address mails another one.
        tries_left: u32,
    },
}

/// Why nothing was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EraseRefused {
    /// There is no such account.
    #[error("no account has this address")]
    NoAccount,
    /// It is the administrator's own; its owner closes it.
    #[error("the account is the administrator's own")]
    OwnAccount,
}

const CLOSED: Reason = Reason::new("account.closed");
const RESTORED: Reason = Reason::new("account.restored");
const RESTORE_REFUSED: Reason = Reason::new("restore.refused");
const CLOSE_REFUSED: Reason = Reason::new("close.refused");
const ERASED: Reason = Reason::new("administer.erased");

impl PortalAuth {
    /// Closes the signed-in person's account and signs them out everywhere; the way back goes out by mail.
    ///
    /// # Errors
    /// `Refused` with what to say; `TooManyTries` and `Busy` as for signing in.
    ///
    /// # Security
    /// Clear the session cookie afterwards. The device cookie may stay.
    pub async fn close_account(
        &self,
        visitor: &Visitor,
        token: &SessionToken,
        password: &Password,
    ) -> Result<AccountClosed, Denied<CloseRefused>> {
        let inner = &*self.inner;
        let signed_in = inner
            .live_session(token, Activity::Counts)
            .await
            .map_err(|e| e.map(CloseRefused::SessionEnded))?;
        if !self.is_confirmed(&signed_in) {
            return Err(Denied::Refused(CloseRefused::Confirm));
        }
        if password.is_empty() {
            return Err(Denied::Refused(CloseRefused::PasswordRequired));
        }
        let account = self
            .own_account(&signed_in)
            .await
            .map_err(|e| e.map(CloseRefused::SessionEnded))?;
        let mut proof = inner
            .own_password(visitor, &account, password, CLOSE_REFUSED)
            .await?;
        for _ in 0..ATTEMPTS {
            let account = proof.account().await.map_err(|e| e.map(CloseRefused::of))?;
            let now = inner.now();
            let (work, closed) = inner.closing(visitor, &account, now)?;
            if inner.commit(proof.settled(work, now)).await? == Commit::Done {
                inner.last_seen.forget(signed_in.session().key);
                return Ok(closed);
            }
        }
        Err(contended())
    }

    /// Tells what the page of a restoring link may show; changes nothing, however often it is asked.
    ///
    /// # Errors
    /// `Refused` with what the page says instead.
    pub async fn restore_page(&self, token: &LinkToken) -> Result<RestorePage, Denied<RestoreRefused>> {
        let (link, _) = self.inner.closed_by_link(token).await?;
        Ok(RestorePage {
            masked_email: link.address.masked(),
            erased_from: link.expires_at,
            tries_left: self
                .inner
                .config
                .closing
                .wrong_passwords
                .saturating_sub(link.tries),
        })
    }

    /// Brings a closed account back with the mailed link and the password it had.
    ///
    /// # Errors
    /// `Refused` with what to say; `TooManyTries` when the network is closed.
    ///
    /// # Security
    /// Opens no session: send the person to the sign-in page with the address filled in.
    pub async fn restore_account(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        password: &Password,
    ) -> Result<AccountRestored, Denied<RestoreRefused>> {
        let inner = &*self.inner;
        let (link, _) = inner.closed_by_link(token).await?;
        if password.is_empty() {
            return Err(Denied::Refused(RestoreRefused::PasswordRequired));
        }
        let judge = Judge::Stranger {
            bucket: inner.keyring.pseudonym("link", link.key.as_bytes()),
            networks: inner.network_buckets(visitor),
        };
        let mut paid = inner.pay(judge, Line::Known).await?;
        let mut compared: Option<(StoredHash, Verdict)> = None;
        for _ in 0..ATTEMPTS {
            let (link, account) = inner.closed_by_link(token).await?;
            let verdict = inner
                .compare(&mut compared, &account, password, &mut paid)
                .await?;
            let (work, answer) = if verdict.is_right() {
                let (work, restored) = inner.restoring(visitor, &link, &account)?;
                (work.settle(Settle::TakeBack(paid.receipt())), Ok(restored))
            } else {
                let (work, refused) = inner.count_wrong_restoring(visitor, &link, &account)?;
                let work = inner.count_on_networks(work, &paid, inner.now())?;
                (work, Err(Denied::Refused(refused)))
            };
            if inner.commit(work).await? == Commit::Done {
                return answer;
            }
        }
        Err(contended())
    }

    /// Erases an account at once, whatever its status, with everything that is kept about it; nobody can bring it back.
    ///
    /// # Errors
    /// See [`EraseRefused`].
    pub async fn erase_account(
        &self,
        by: &Administrator,
        which: impl Into<WhichAccount<'_>> + Send,
    ) -> Result<(), Denied<EraseRefused>> {
        let inner = &*self.inner;
        let which = which.into();
        for _ in 0..ATTEMPTS {
            let found = inner.account_meant(which).await?;
            let account = found.ok_or(Denied::Refused(EraseRefused::NoAccount))?;
            if by.owns(&account) {
                return Err(Denied::Refused(EraseRefused::OwnAccount));
            }
            let event = inner.administered(ERASED, by, &account.email).about(account.id);
            let event = inner.audit(event, inner.now())?;
            let work = inner.erasure(UnitOfWork::new(event), &account);
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

impl Inner {
    /// The verdict on `password`; reused while the account holds the same hash.
    async fn compare(
        &self,
        compared: &mut Option<(StoredHash, Verdict)>,
        account: &AccountRow,
        password: &Password,
        paid: &mut PaidTry,
    ) -> Result<Verdict, Fault> {
        if let Some((with, verdict)) = compared
            && *with == account.password
        {
            return Ok(*verdict);
        }
        let verdict = paid
            .verify(Some(&account.password), password, self.password_pepper())
            .await?;
        *compared = Some((account.password.clone(), verdict));
        Ok(verdict)
    }

    /// Everything that closing writes.
    fn closing(
        &self,
        visitor: &Visitor,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<(UnitOfWork, AccountClosed), Denied<CloseRefused>> {
        let revoked = || Denied::Refused(CloseRefused::SessionEnded(SessionEnd::Revoked));
        let status = account.status.after(StatusChange::Close).ok_or_else(revoked)?;
        let row = AccountRow {
            status,
            closed_at: Some(now),
            ..self.in_new_epoch(account, now)?
        };
        let event = Event::new(CLOSED, Actor::Owner).about(row.id);
        let event = self.audit(self.seen_from(event, visitor, Some(&row.email)), now)?;
        let erased_from = self.grace_ends(now);
        let link = self.restore_link(&row, now)?.ok_or_else(revoked)?;
        let mut mail = self.link_mail(MailKind::AccountClosing, &link, &row, now)?;
        mail.facts = serde_json::json!({ "browser": visitor.label() }).to_string();
        let work = UnitOfWork::new(event)
            .change(Change::Account(Box::new(Write::Update(row.clone()))))
            .change(Change::Link(Box::new(Write::Insert(link))))
            .mail(mail);
        let work = void_pending(end_everything(work, &row, None), &row, None, now);
        Ok((work, AccountClosed { erased_from }))
    }

    /// The link and the account of a genuine restoring link of the present closing.
    async fn closed_by_link(
        &self,
        token: &LinkToken,
    ) -> Result<(LinkRow, AccountRow), Denied<RestoreRefused>> {
        let (link, account) = self
            .live_account_link(LinkPurpose::RestoreAccount, token)
            .await
            .map_err(|e| e.map(RestoreRefused::Link))?;
        let closing = closing_of(&account);
        if closing.is_none() || link.concerns != closing {
            return Err(Denied::Refused(RestoreRefused::Link(LinkRefused::Ended)));
        }
        Ok((link, account))
    }

    /// Everything that bringing back writes.
    fn restoring(
        &self,
        visitor: &Visitor,
        link: &LinkRow,
        account: &AccountRow,
    ) -> Result<(UnitOfWork, AccountRestored), Denied<RestoreRefused>> {
        let ended = || Denied::Refused(RestoreRefused::Link(LinkRefused::Ended));
        let status = account.status.after(StatusChange::Restore).ok_or_else(ended)?;
        let now = self.now();
        let row = AccountRow {
            status,
            closed_at: None,
            ..self.in_new_epoch(account, now)?
        };
        let event = Event::new(RESTORED, Actor::Owner).about(row.id);
        let event = self.audit(self.seen_from(event, visitor, Some(&row.email)), now)?;
        let work = UnitOfWork::new(event)
            .change(Change::Link(Box::new(Write::Update(
                link.ended(LinkState::Used, now),
            ))))
            .change(Change::Account(Box::new(Write::Update(row.clone()))));
        let (work, device) = self.add_device(work, &row, now, visitor)?;
        let restored = AccountRestored {
            email: row.email,
            device,
        };
        Ok((work, restored))
    }

    /// Counts a wrong password on the link; the last one ends it.
    fn count_wrong_restoring(
        &self,
        visitor: &Visitor,
        link: &LinkRow,
        account: &AccountRow,
    ) -> Result<(UnitOfWork, RestoreRefused), Denied<RestoreRefused>> {
        let now = self.now();
        let tries = link.tries.saturating_add(1);
        let tries_left = self.config.closing.wrong_passwords.saturating_sub(tries);
        let event = Event::new(RESTORE_REFUSED, Actor::Visitor)
            .about(account.id)
            .because(Reason::new("password.wrong"));
        let event = self.audit(self.seen_from(event, visitor, Some(&link.address)), now)?;
        let counted = LinkRow {
            tries,
            ..link.clone()
        };
        let counted = if tries_left == 0 {
            counted.ended(LinkState::Void, now)
        } else {
            counted
        };
        let work = UnitOfWork::new(event).change(Change::Link(Box::new(Write::Update(counted))));
        Ok((work, RestoreRefused::NotCorrect { tries_left }))
    }
}
