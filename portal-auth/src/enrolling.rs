//! What registering and activating share: the link that is mailed, and the account that is made in the end.

use std::time::Duration;

use crate::account::email::EmailAddress;
use crate::account::recovery::Recovery;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::{AuthEpoch, Status, TwoStep};
use crate::account_links::NewLink;
use crate::audit::{Actor, Event};
use crate::environment::{Timestamp, draw};
use crate::erasing::closing_of;
use crate::error::{Fault, Reason};
use crate::link::{Answer, LinkKey, LinkPurpose, LinkRow, LinkSeed, LinkState, LinkSubject};
use crate::mail::outbox::MailKind;
use crate::mail::quota::{QuotaLine, Spent};
use crate::portal::{Bears, Inner};
use crate::registration::{AccountData, RegistrationId, RegistrationRow, RegistrationState};
use crate::secret::keyring::row_key;
use crate::secret::token::{DeviceToken, LinkToken, Purpose};
use crate::store::{RegistrantView, RegistrationView};
use crate::unit_of_work::{Change, Sweep, UnitOfWork, Write};
use crate::visitor::Visitor;

const ACCOUNT_MADE: Reason = Reason::new("account.made");

/// No mailed link lives longer (SP 800-63B allows an emailed one 24 hours).
pub(crate) const LONGEST_LIFE: Duration = Duration::from_secs(86_400);

/// Whether a mail may go, and how long a link in it must live at least (TOK-6).
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailGrant {
    /// When a mail may go again, where this one may not; to be told to the holder of a genuine link alone (ENU-1).
    pub(crate) withheld_until: Option<Timestamp>,
    pub(crate) live_until: Option<Timestamp>,
    /// Whether the lines that all addresses share had room for it. Where they had not, nothing is written: strangers would
    /// fill the audit, and an owner's activity, with what they ask for in vain (LOG-5). What the address's own line says
    /// must not decide that, since it depends on who has an account (ENU-2).
    pub(crate) counted: bool,
}

impl MailGrant {
    /// Whether the mail may go.
    pub(crate) const fn granted(self) -> bool {
        self.withheld_until.is_none()
    }
}

/// Who is registering an address, and whether its account waits to be erased.
#[derive(Debug)]
pub(crate) struct Registrant {
    pub(crate) view: RegistrantView,
    way_back: Option<WayBack>,
}

/// The link that brings a closed account back.
#[derive(Debug)]
enum WayBack {
    /// It was mailed before and still works.
    Mailed(Box<LinkRow>),
    /// It takes the place of one that had too many wrong passwords.
    Fresh(Box<LinkRow>),
}

impl Registrant {
    /// Whether the mail about a new registration bears a link: one that completes it, or one that brings a closed
    /// account back.
    pub(crate) const fn is_mailed_a_link(&self) -> bool {
        self.view.account.is_none() || self.way_back.is_some()
    }

    /// The same for a registration whose link is asked for again, where there is one.
    pub(crate) fn is_mailed_a_link_again(&self, own: Option<&RegistrationView>, now: Timestamp) -> bool {
        let waits = own.is_some_and(|own| {
            own.registration.state == RegistrationState::Submitted && now < own.registration.kept_until
        });
        match self.view.account {
            Some(_) => self.way_back.is_some(),
            None => waits,
        }
    }

    /// Somebody whose address is known to have no account.
    pub(crate) const fn without_account() -> Self {
        Self {
            view: RegistrantView {
                account: None,
                waiting: None,
            },
            way_back: None,
        }
    }
}

impl Inner {
    /// The row key of a genuine link token of `purpose`.
    pub(crate) fn link_key(&self, purpose: LinkPurpose, token: &LinkToken) -> Option<LinkKey> {
        let purpose = Purpose::Link(purpose);
        let seed = self.keyring.open(purpose, token.expose())?;
        Some(LinkKey::from_bytes(row_key(purpose, &seed)))
    }

    /// Counts a mail that an outsider caused; known and unknown addresses pay by the same statement (MAIL-5, ENU-1).
    pub(crate) async fn spend_outsider_mail(
        &self,
        to: &EmailAddress,
        bears: Bears,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<MailGrant, Fault> {
        let shared = self.store.spend(&self.shared_mail(visitor), now).await?;
        let counted = matches!(shared, Spent::Granted { .. });
        let own = [self.address_mail(to, bears)];
        match self.spend_own(shared, &own, now).await? {
            Spent::Granted { last_until } => Ok(MailGrant {
                withheld_until: None,
                live_until: last_until,
                counted,
            }),
            Spent::Refused { until } => {
                self.counters
                    .mails_withheld
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok(MailGrant {
                    withheld_until: Some(until),
                    live_until: None,
                    counted,
                })
            }
        }
    }

    /// Counts a mail on the lines of its own address, where the `shared` ones had room for it.
    ///
    /// Those count whatever the address has left: how much that is depends on who has an account, and whoever is in the
    /// network could find it out by mails to themselves (ENU-1).
    pub(crate) async fn spend_own(
        &self,
        shared: Spent,
        own: &[QuotaLine],
        now: Timestamp,
    ) -> Result<Spent, Fault> {
        let Spent::Granted { last_until: shared } = shared else {
            return Ok(shared);
        };
        Ok(match self.store.spend(own, now).await? {
            Spent::Granted { last_until } => Spent::Granted {
                last_until: last_until.max(shared),
            },
            refused @ Spent::Refused { .. } => refused,
        })
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
            kept_until: self.kept_until(&registration, expires_at),
            ..registration
        };
        let link = LinkRow { expires_at, ..link };
        let work = work
            .change(Change::Registration(Box::new(Write::Update(registration))))
            .change(Change::Link(Box::new(Write::Update(link.clone()))));
        (work, link)
    }

    /// How long a registration is kept whose link works until `expires_at`; one that was prepared keeps its own time.
    fn kept_until(&self, registration: &RegistrationRow, expires_at: Timestamp) -> Timestamp {
        let kept = expires_at.plus(self.config.registration.kept_after_expiry);
        if registration.is_by_administrator() {
            kept.max(registration.kept_until)
        } else {
            kept
        }
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
        let kept_until = self.kept_until(&registration, fresh.expires_at);
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

    /// Adds the mail of a registration: its link (E1), or a word to the owner of an account that exists already.
    pub(crate) fn add_registration_mail(
        &self,
        work: UnitOfWork,
        link: &LinkRow,
        registrant: &Registrant,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<UnitOfWork, Fault> {
        if registrant.view.account.is_some() {
            return self.add_owner_notice(work, registrant, now, link.expires_at);
        }
        let mut mail = self.mail(
            MailKind::CompleteRegistration,
            &link.address,
            now,
            link.expires_at,
        )?;
        mail.link = Some(link.key);
        Ok(work.mail(mail.read_by(visitor)))
    }

    /// Adds the word to the owner of an account whose address was entered again, if there is one: that it exists (E2),
    /// or the way back into one that is closed (E15, CHG-5).
    pub(crate) fn add_owner_notice(
        &self,
        work: UnitOfWork,
        registrant: &Registrant,
        now: Timestamp,
        useless_from: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let Some(account) = &registrant.view.account else {
            return Ok(work);
        };
        let Some(way_back) = &registrant.way_back else {
            let mut mail = self.mail(MailKind::AlreadyRegistered, &account.email, now, useless_from)?;
            mail.account = Some(account.id);
            return Ok(work.mail(mail));
        };
        let (work, link) = match way_back {
            WayBack::Mailed(link) => (work, link),
            WayBack::Fresh(link) => (
                work.change(Change::Link(Box::new(Write::Insert((**link).clone())))),
                link,
            ),
        };
        let mut mail = self.link_mail(MailKind::AccountClosing, link, account, now)?;
        mail.facts = serde_json::json!({ "asked": "again" }).to_string();
        Ok(work.mail(mail))
    }

    /// Finds what registering `email` must know, by the same statements for every address (ENU-2).
    pub(crate) async fn registrant(&self, email: &EmailAddress) -> Result<Registrant, Fault> {
        let view = self.store.by_registrant(email).await?;
        let nobody = AccountId::from_bytes([0; 16]);
        let id = view.account.as_ref().map_or(nobody, |account| account.id);
        let links = self.store.live_links(id).await?;
        let now = self.now();
        let way_back = match &view.account {
            Some(account) => {
                let closing = closing_of(account);
                let mailed = links.into_iter().find(|link| {
                    link.purpose == LinkPurpose::RestoreAccount
                        && link.concerns == closing
                        && link.is_live(now)
                });
                match mailed.filter(|_| closing.is_some()) {
                    Some(link) => Some(WayBack::Mailed(Box::new(link))),
                    None => self
                        .restore_link(account, now)?
                        .map(|link| WayBack::Fresh(Box::new(link))),
                }
            }
            None => None,
        };
        Ok(Registrant { view, way_back })
    }

    /// A link that takes the present closing of `account` back until its grace is over; `None` where it is not closed,
    /// or is about to be erased.
    pub(crate) fn restore_link(
        &self,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<Option<LinkRow>, Fault> {
        let (Some(closing), Some(closed_at)) = (closing_of(account), account.closed_at) else {
            return Ok(None);
        };
        let lives = self.grace_ends(closed_at).since(now);
        if lives.is_zero() {
            return Ok(None);
        }
        let new = NewLink {
            purpose: LinkPurpose::RestoreAccount,
            account,
            to: &account.email,
            opens_at: now,
            lives,
            concerns: Some(closing),
            answer: Answer::Waived,
        };
        Ok(Some(self.account_link(new, now)?))
    }

    /// Adds the mail that a registration gets when its link is asked for again: the live link, a new one in place of
    /// one that is over, a word to the owner of an existing account, or nothing.
    pub(crate) fn add_link_mail(
        &self,
        work: UnitOfWork,
        own: Option<RegistrationView>,
        registrant: &Registrant,
        grant: MailGrant,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<UnitOfWork, Fault> {
        if !grant.granted() {
            return Ok(work);
        }
        let waiting = own.filter(|v| v.registration.state == RegistrationState::Submitted);
        let Some(RegistrationView {
            registration,
            link: Some(link),
        }) = waiting
        else {
            let useless_from = now.plus(self.config.registration.link_lifetime);
            return self.add_owner_notice(work, registrant, now, useless_from);
        };
        if link.is_live(now) {
            let (work, link) = self.extend_link(work, registration, link, grant, now);
            return self.add_registration_mail(work, &link, registrant, now, visitor);
        }
        if now >= registration.kept_until {
            return Ok(work);
        }
        let (work, fresh) = self.replace_link(work, registration, &link, grant, now)?;
        self.add_registration_mail(work, &fresh, registrant, now, visitor)
    }

    /// Makes the account out of one registration's data, and ends the address's other registrations (I-04).
    ///
    /// Claiming the address is part of the same commit, so two links never make two accounts (I-02). No session is
    /// opened (ACT-4); the browser becomes familiar.
    pub(crate) fn add_account(
        &self,
        work: UnitOfWork,
        email: &EmailAddress,
        data: AccountData,
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
