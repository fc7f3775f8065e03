//! Confirming a new address by the link that was mailed to it.
//!
//! Opening the link changes nothing (TOK-5). The change is made by the link *and* its account: a live session of that
//! account in the same browser, else its password (CHG-2); a session of somebody else must be left first. The address is
//! claimed in the same commit, so no two accounts ever share one (I-02), and only an address that a link of the present
//! epoch was mailed to becomes an account's (I-10). The account gets a new epoch: everything else that was open or pending
//! dies. Mails: E19 to both addresses; the former one's has a link that freezes the account. Audited as
//! `change_email.done`, `change_email.refused`.

use crate::account::email::EmailAddress;
use crate::account::snapshot::AccountRow;
use crate::account_links::{NewLink, void_pending};
use crate::audit::{Actor, Event};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::issuing::end_everything;
use crate::link::{Answer, ChangeId, LinkPurpose, LinkRefused, LinkRow, LinkState};
use crate::mail::outbox::MailKind;
use crate::own_password::NotOwn;
use crate::password::Password;
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::registration::RegistrationState;
use crate::secret::token::{DeviceToken, LinkToken, SessionToken};
use crate::session_gate::{Activity, SignedIn};
use crate::unit_of_work::{Change, Sweep, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What the link's page may show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfirmEmailPage {
    /// The new address; whoever has its link has its mail.
    pub email: EmailAddress,
    /// From when on the link does not work.
    pub expires_at: Timestamp,
    /// Whether the page must ask for the account's password, because nobody is signed in.
    pub asks_password: bool,
}

/// An address that was changed.
#[derive(Debug)]
#[non_exhaustive]
pub struct EmailConfirmed {
    /// The new address, with which to sign in from now on.
    pub email: EmailAddress,
    /// Goes into the session cookie, where the person was signed in; no session is opened where they were not.
    pub session: Option<SessionToken>,
    /// Goes into the device cookie, where the browser had none that is genuine.
    pub device: Option<DeviceToken>,
}

/// Why an address was not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfirmEmailRefused {
    /// The link does nothing (any more).
    Link(LinkRefused),
    /// Somebody else is signed in in this browser: they must log out first.
    OtherAccount,
    /// No password was typed; nothing was counted.
    PasswordRequired,
    /// It is not the account's password.
    NotCorrect,
    /// The address got an account of its own meanwhile; the change is over.
    Taken,
}

impl ConfirmEmailRefused {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Link(refused) => refused.reason(),
            Self::OtherAccount => OTHER_ACCOUNT,
            Self::PasswordRequired => Reason::new("password.required"),
            Self::NotCorrect => Reason::new("change_email.not_correct"),
            Self::Taken => TAKEN,
        }
    }

    fn of(not_own: NotOwn) -> Self {
        match not_own {
            NotOwn::Overtaken => Self::Link(LinkRefused::Ended),
            NotOwn::Wrong => Self::NotCorrect,
        }
    }
}

const DONE: Reason = Reason::new("change_email.done");
const REFUSED: Reason = Reason::new("change_email.refused");
const TAKEN: Reason = Reason::new("change_email.taken");
const OTHER_ACCOUNT: Reason = Reason::new("change_email.other_account");

impl PortalAuth {
    /// Tells what a link's page may show to whoever is signed in; changes nothing, however often it is asked.
    ///
    /// # Errors
    /// `Refused` with what the page says instead.
    pub async fn confirm_email_page(
        &self,
        token: &LinkToken,
        signed_in: Option<&SignedIn>,
    ) -> Result<ConfirmEmailPage, Denied<ConfirmEmailRefused>> {
        let (link, account) = self.inner.pending_email(token).await?;
        if signed_in.is_some_and(|person| person.account() != account.id) {
            return Err(Denied::Refused(ConfirmEmailRefused::OtherAccount));
        }
        Ok(ConfirmEmailPage {
            email: link.address,
            expires_at: link.expires_at,
            asks_password: signed_in.is_none(),
        })
    }

    /// Makes the address of a link its account's.
    ///
    /// `password` counts only where no session of the account lives in this browser.
    ///
    /// # Errors
    /// `Refused` with what to say; `TooManyTries` and `Busy` as for signing in.
    ///
    /// # Security
    /// Where a session comes back, set it in place of the one the browser holds: that one is dead, like every other.
    pub async fn confirm_email(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        session: Option<&SessionToken>,
        password: &Password,
    ) -> Result<EmailConfirmed, Denied<ConfirmEmailRefused>> {
        let inner = &*self.inner;
        let (_, account) = inner.pending_email(token).await?;
        let own = inner.own_session(session, &account).await?;
        let mut proof = None;
        if own.is_none() {
            if password.is_empty() {
                return Err(Denied::Refused(ConfirmEmailRefused::PasswordRequired));
            }
            proof = Some(inner.own_password(visitor, &account, password, REFUSED).await?);
        }
        for _ in 0..ATTEMPTS {
            let (link, account) = inner.pending_email(token).await?;
            let account = match &mut proof {
                Some(proof) => {
                    let right = proof.account().await;
                    right.map_err(|e| e.map(ConfirmEmailRefused::of))?
                }
                None => account,
            };
            if inner.store.by_email(&link.address, None).await?.account.is_some() {
                inner.end_taken(visitor, &link, &account).await?;
                return Err(Denied::Refused(ConfirmEmailRefused::Taken));
            }
            let now = inner.now();
            let event = Event::new(DONE, Actor::Owner).about(account.id);
            let event = inner.seen_from(event, visitor, Some(&link.address));
            let work = UnitOfWork::new(inner.audit(event, now)?);
            let (mut work, confirmed) =
                inner.move_address(work, visitor, &link, &account, own.as_ref(), now)?;
            if let Some(proof) = &proof {
                work = proof.settled(work, now);
            }
            if inner.commit(work).await? == Commit::Done {
                if let Some(own) = &own {
                    inner.last_seen.forget(own.session().key);
                }
                return Ok(confirmed);
            }
        }
        Err(contended())
    }
}

impl Inner {
    /// The link of a genuine token that still works, and the account whose address it changes.
    async fn pending_email(
        &self,
        token: &LinkToken,
    ) -> Result<(LinkRow, AccountRow), Denied<ConfirmEmailRefused>> {
        let found = self.live_account_link(LinkPurpose::ConfirmEmail, token).await;
        let (link, account) = found.map_err(|e| e.map(ConfirmEmailRefused::Link))?;
        if !account.status.is_active() || account.locked {
            return Err(Denied::Refused(ConfirmEmailRefused::Link(LinkRefused::Ended)));
        }
        Ok((link, account))
    }

    /// The live session of `account` that the browser holds, if any; one of somebody else stands in the way.
    async fn own_session(
        &self,
        session: Option<&SessionToken>,
        account: &AccountRow,
    ) -> Result<Option<SignedIn>, Denied<ConfirmEmailRefused>> {
        let Some(session) = session else {
            return Ok(None);
        };
        match self.live_session(session, Activity::Counts).await {
            Ok(own) if own.account() == account.id && own.session().epoch == account.auth_epoch => {
                Ok(Some(own))
            }
            Ok(other) if other.account() != account.id => {
                Err(Denied::Refused(ConfirmEmailRefused::OtherAccount))
            }
            Ok(_) | Err(Denied::Refused(_)) => Ok(None),
            Err(Denied::TooManyTries { retry_after }) => Err(Denied::TooManyTries { retry_after }),
            Err(Denied::Busy { retry_after }) => Err(Denied::Busy { retry_after }),
            Err(Denied::Fault(fault)) => Err(Denied::Fault(fault)),
        }
    }

    /// Everything that the change writes: both claims, the account, the link, sessions and mails, all or nothing.
    fn move_address(
        &self,
        work: UnitOfWork,
        visitor: &Visitor,
        link: &LinkRow,
        account: &AccountRow,
        own: Option<&SignedIn>,
        now: Timestamp,
    ) -> Result<(UnitOfWork, EmailConfirmed), Fault> {
        let row = AccountRow {
            email: link.address.clone(),
            email_changed_at: Some(now),
            ..self.in_new_epoch(account, now)?
        };
        let work = work
            .change(Change::Link(Box::new(Write::Update(
                link.ended(LinkState::Used, now),
            ))))
            .change(Change::Unclaim {
                email: account.email.clone(),
                account: account.id,
            })
            .change(Change::Claim {
                email: link.address.clone(),
                account: account.id,
            })
            .change(Change::Account(Box::new(Write::Update(row.clone()))))
            // Their links could no longer make an account (I-04).
            .sweep(Sweep::VoidRegistrations {
                email: link.address.clone(),
                except: None,
                state: RegistrationState::Overtaken,
                now,
            });
        let work = void_pending(work, &row, None, now);
        let (work, session, device) = match own {
            Some(own) => {
                let (work, renewed) = self.renew_in_epoch(work, &row, own, now, visitor)?;
                (work, Some(renewed.session), renewed.device)
            }
            None => {
                let (work, device) = self.add_device(end_everything(work, &row, None), &row, now, visitor)?;
                (work, None, device)
            }
        };
        let work = self.tell_both(work, visitor, link, account, &row, now)?;
        let confirmed = EmailConfirmed {
            email: row.email,
            session,
            device,
        };
        Ok((work, confirmed))
    }

    /// E19 to both addresses; the former one is no longer the account's, and can do nothing but freeze it.
    fn tell_both(
        &self,
        work: UnitOfWork,
        visitor: &Visitor,
        link: &LinkRow,
        former: &AccountRow,
        row: &AccountRow,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let facts = serde_json::json!({
            "browser": visitor.label(),
            "from": former.email.masked(),
            "to": row.email.masked(),
        });
        let freeze = self.account_link(
            NewLink {
                purpose: LinkPurpose::FreezeAccount,
                account: row,
                to: &former.email,
                opens_at: now,
                lives: self.config.notices.freeze,
                concerns: Some(ChangeId::from_bytes(*link.key.as_bytes())),
                answer: Answer::Waived,
            },
            now,
        )?;
        let to_former = self.notice_mail(MailKind::EmailChanged, &freeze, row, &facts, now)?;
        let until = now.plus(self.config.mail.kept);
        let mut to_new = self.mail(MailKind::EmailChanged, &row.email, now, until)?;
        to_new.account = Some(row.id);
        to_new.facts = facts.to_string();
        Ok(work
            .change(Change::Link(Box::new(Write::Insert(freeze))))
            .mail(to_former)
            .mail(to_new))
    }

    /// The address has an account of its own by now: the change is over. Losing to another end of it is as good.
    async fn end_taken(&self, visitor: &Visitor, link: &LinkRow, account: &AccountRow) -> Result<(), Fault> {
        let now = self.now();
        let event = Event::new(REFUSED, Actor::Owner).about(account.id).because(TAKEN);
        let event = self.seen_from(event, visitor, Some(&link.address));
        let work = UnitOfWork::new(self.audit(event, now)?).change(Change::Link(Box::new(Write::Update(
            link.ended(LinkState::Void, now),
        ))));
        self.commit(work).await?;
        Ok(())
    }
}
