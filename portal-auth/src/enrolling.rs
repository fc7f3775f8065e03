//! What registering and activating share: the link that is mailed, and the account that is made in the end.

use std::time::Duration;

use crate::account::email::EmailAddress;
use crate::account::recovery::Recovery;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::{AuthEpoch, Status, TwoStep};
use crate::audit::{Actor, Event};
use crate::environment::{Timestamp, draw};
use crate::error::{Fault, Reason};
use crate::link::{Answer, LinkKey, LinkPurpose, LinkRow, LinkSeed, LinkState, LinkSubject};
use crate::mail::outbox::{MailKind, OutboxRow};
use crate::mail::quota::Spent;
use crate::portal::Inner;
use crate::registration::{RegistrationData, RegistrationId, RegistrationRow, RegistrationState};
use crate::secret::keyring::row_key;
use crate::secret::token::{DeviceToken, LinkToken, Purpose};
use crate::store::RegistrantView;
use crate::unit_of_work::{Change, Sweep, UnitOfWork, Write};
use crate::visitor::Visitor;

const ACCOUNT_MADE: Reason = Reason::new("account.made");

/// No mailed link lives longer (SP 800-63B allows an emailed one 24 hours).
pub(crate) const LONGEST_LIFE: Duration = Duration::from_secs(86_400);

/// Whether a mail may go, and how long a link in it must live at least (TOK-6).
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailGrant {
    pub(crate) granted: bool,
    pub(crate) live_until: Option<Timestamp>,
}

impl Inner {
    /// The row key of a genuine link token of `purpose`.
    pub(crate) fn link_key(&self, purpose: LinkPurpose, token: &LinkToken) -> Option<LinkKey> {
        let purpose = Purpose::Link(purpose);
        let seed = self.keyring.open(purpose, token.expose())?;
        Some(LinkKey::from_bytes(row_key(purpose, &seed)))
    }

    /// Counts a mail that an outsider caused; known and unknown addresses pay alike (MAIL-5, ENU-1).
    pub(crate) async fn spend_outsider_mail(
        &self,
        to: &EmailAddress,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<MailGrant, Fault> {
        match self.store.spend(&self.outsider_mail(to, visitor), now).await? {
            Spent::Granted { last_until } => Ok(MailGrant {
                granted: true,
                live_until: last_until,
            }),
            Spent::Refused { .. } => {
                self.counters
                    .mails_withheld
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok(MailGrant {
                    granted: false,
                    live_until: None,
                })
            }
        }
    }

    /// From when on a link does not work that is made now to prove an address.
    ///
    /// It lives for the configured time, or until the next mail can go where this one spent the last slot, at most
    /// 24 hours: at every moment the owner has either a slot or a live link (TOK-6).
    pub(crate) fn proving_link_ends(&self, grant: MailGrant, now: Timestamp) -> Timestamp {
        now.plus(self.config.registration.link_lifetime)
            .max(grant.live_until.unwrap_or(Timestamp::MIN))
            .min(now.plus(LONGEST_LIFE))
    }

    /// A fresh activation link for a registration.
    pub(crate) fn activation_link(
        &self,
        registration: RegistrationId,
        address: &EmailAddress,
        grant: MailGrant,
        now: Timestamp,
    ) -> Result<LinkRow, Fault> {
        let seed = draw(&*self.entropy)?;
        let expires_at = self.proving_link_ends(grant, now);
        Ok(LinkRow {
            key: LinkKey::from_bytes(row_key(Purpose::Link(LinkPurpose::Activate), &seed)),
            version: 1,
            purpose: LinkPurpose::Activate,
            seed: Some(LinkSeed::from_bytes(seed)),
            subject: LinkSubject::Registration(registration),
            address: address.clone(),
            epoch: None,
            state: LinkState::Live,
            tries: 0,
            issued_at: now,
            expires_at,
            ended_at: None,
            opens_at: now,
            concerns: None,
            answer: Answer::Waived,
        })
    }

    /// The same link, for a mail that is sent again: where that mail spent the last slot, it lives on until the next
    /// one opens, at most 24 hours (TOK-6).
    pub(crate) fn extend_link(
        &self,
        work: UnitOfWork,
        registration: RegistrationRow,
        link: LinkRow,
        grant: MailGrant,
        now: Timestamp,
    ) -> (UnitOfWork, LinkRow) {
        let until = grant.live_until.map(|until| until.min(now.plus(LONGEST_LIFE)));
        let Some(expires_at) = until.filter(|until| *until > link.expires_at) else {
            return (work, link);
        };
        let registration = RegistrationRow {
            kept_until: expires_at.plus(self.config.registration.kept_after_expiry),
            ..registration
        };
        let link = LinkRow { expires_at, ..link };
        let work = work
            .change(Change::Registration(Box::new(Write::Update(registration))))
            .change(Change::Link(Box::new(Write::Update(link.clone()))));
        (work, link)
    }

    /// Puts a new link in the place of one that is over; there is one live link per registration (TOK-6).
    pub(crate) fn replace_link(
        &self,
        work: UnitOfWork,
        registration: RegistrationRow,
        old: &LinkRow,
        grant: MailGrant,
        now: Timestamp,
    ) -> Result<(UnitOfWork, LinkRow), Fault> {
        let fresh = self.activation_link(registration.id, &registration.email, grant, now)?;
        let kept_until = fresh.expires_at.plus(self.config.registration.kept_after_expiry);
        let registration = RegistrationRow {
            link: fresh.key,
            kept_until,
            ..registration
        };
        let work = work
            .change(Change::Registration(Box::new(Write::Update(registration))))
            .change(Change::Link(Box::new(Write::Update(
                old.ended(LinkState::Replaced, now),
            ))))
            .change(Change::Link(Box::new(Write::Insert(fresh.clone()))));
        Ok((work, fresh))
    }

    /// The mail of a registration: its link (E1), or a word to the owner of an account that exists already (E2).
    pub(crate) fn registration_mail(
        &self,
        link: &LinkRow,
        registrant: &RegistrantView,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<OutboxRow, Fault> {
        match &registrant.account {
            None => {
                let mut mail = self.mail(
                    MailKind::CompleteRegistration,
                    &link.address,
                    now,
                    link.expires_at,
                )?;
                mail.link = Some(link.key);
                Ok(mail.read_by(visitor))
            }
            Some(account) => {
                let mut mail =
                    self.mail(MailKind::AlreadyRegistered, &account.email, now, link.expires_at)?;
                mail.account = Some(account.id);
                Ok(mail)
            }
        }
    }

    /// Makes the account out of one registration's data, and ends the address's other registrations (I-04).
    ///
    /// Claiming the address is part of the same commit, so two links never make two accounts (I-02). No session is
    /// opened (ACT-4); the browser becomes familiar.
    pub(crate) fn add_account(
        &self,
        work: UnitOfWork,
        email: &EmailAddress,
        data: RegistrationData,
        except: Option<RegistrationId>,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<(UnitOfWork, Option<DeviceToken>), Fault> {
        let account = AccountRow {
            id: AccountId::draw(&*self.entropy)?,
            version: 1,
            email: email.clone(),
            status: Status::Active,
            auth_epoch: AuthEpoch::draw(&*self.entropy)?,
            password: data.password,
            two_step: TwoStep::Off,
            question: data.question,
            answer: data.answer,
            profile: data.profile,
            code_failures: 0,
            created_at: now,
            updated_at: now,
            language: visitor.language().cloned(),
            locked: false,
            recovery: Recovery::default(),
            email_changed_at: None,
            closed_at: None,
        };
        let mut mail = self.mail(
            MailKind::AccountReady,
            email,
            now,
            now.plus(self.config.mail.kept),
        )?;
        mail.account = Some(account.id);
        let event = self.seen_from(
            Event::new(ACCOUNT_MADE, Actor::Owner).about(account.id),
            visitor,
            Some(email),
        );
        let work = work
            .change(Change::Claim {
                email: email.clone(),
                account: account.id,
            })
            .change(Change::Account(Box::new(Write::Insert(account.clone()))))
            .sweep(Sweep::VoidRegistrations {
                email: email.clone(),
                except,
                state: RegistrationState::Overtaken,
                now,
            })
            .mail(mail.read_by(visitor))
            .event(self.audit(event, now)?);
        self.add_device(work, &account, now, visitor)
    }
}
