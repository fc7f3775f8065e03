//! Completing a registration: the mailed link, and the password of that same registration.
//!
//! Opening the link changes nothing (TOK-5). The account is made by the link *and* the password chosen with it, or by
//! "I did not choose this password", which begins a new registration in this browser with the address proven and
//! nothing of the old one kept (ACT-2): a password set by a stranger never becomes the owner's. No session is opened
//! (ACT-4). Mails: E3; E1 when a link that is over is asked for anew. Audited as `activate.done`, `activate.refused`,
//! `account.made`. Tries count per link and network, never on the address.

use std::time::Duration;

use crate::account::email::EmailAddress;
use crate::audit::{Actor, Event};
use crate::enrolling::{MailGrant, Registrant};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::guessing::{Judge, PaidTry};
use crate::link::{LinkPurpose, LinkRow, LinkState};
use crate::mail::quota::{QuotaLimits, QuotaLine, Spent};
use crate::password::Password;
use crate::password::hash::{Line, StoredHash, Verdict};
use crate::password::policy::BrokenRule;
use crate::portal::{ATTEMPTS, Bears, Commit, Inner, PortalAuth, contended};
use crate::registration::draft::{Draft, DraftKey, Proven, SectionDraft};
use crate::registration::{AccountData, RegistrationData, RegistrationRow, RegistrationState};
use crate::secret::keyring::row_key;
use crate::secret::token::{DeviceToken, DraftToken, LinkToken, Purpose};
use crate::store::Subject;
use crate::throttle::Settle;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What the link's page may show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActivationPage {
    /// The address that is being confirmed, masked.
    pub masked_email: String,
    /// From when on the link does not work.
    pub expires_at: Timestamp,
    /// Wrong passwords that the link still takes.
    pub tries_left: u32,
    /// Whether an administrator has prepared it: nobody has chosen a password, so ask for none and offer
    /// [`register_anew`](PortalAuth::register_anew) alone.
    pub prepared: bool,
}

/// A registration that became an account.
#[derive(Debug)]
#[non_exhaustive]
pub struct Activated {
    /// The address to sign in with.
    pub email: EmailAddress,
    /// Goes into the device cookie, where the browser had none that is genuine.
    pub device: Option<DeviceToken>,
}

/// Why a link did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivateRefused {
    /// No link of ours, or one that was forgotten long ago: one answer for all of these.
    Unknown,
    /// It is over; with `renewable` a new one can be asked for.
    Expired {
        /// When it stopped working.
        at: Timestamp,
        /// Whether the registration is still kept.
        renewable: bool,
    },
    /// A newer link was sent in its place.
    Replaced,
    /// It was used: the account is ready.
    Used {
        /// The address to sign in with.
        email: EmailAddress,
    },
    /// The registration was given up, overtaken by another one, or had too many wrong passwords.
    Ended,
    /// An administrator has prepared it: a password is still to be chosen. Nothing was counted.
    Prepared,
    /// No password was typed; nothing was counted.
    PasswordRequired,
    /// It is the password that was imported, and it is known from a breach: choose another one by
    /// [`register_anew`](PortalAuth::register_anew).
    Breached,
    /// It is not the password of this registration.
    NotCorrect {
        /// Tries left; with none left the link is dead, and the person registers again.
        tries_left: u32,
    },
}

impl ActivateRefused {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        Reason::new(match self {
            Self::Unknown => "link.unknown",
            Self::Expired { .. } => "link.expired",
            Self::Replaced => "link.replaced",
            Self::Used { .. } => "link.used",
            Self::Ended => "link.ended",
            Self::Prepared => "activate.prepared",
            Self::PasswordRequired => "password.required",
            Self::Breached => "password.breached",
            Self::NotCorrect { .. } => "activate.not_correct",
        })
    }
}

const DONE: Reason = Reason::new("activate.done");
const REFUSED: Reason = Reason::new("activate.refused");
/// How often in an hour a link begins a new registration: more often than a person presses a button.
const ANEW_AN_HOUR: u32 = 10;
const RENEWED: Reason = Reason::new("activate.renewed");

/// When to try again while the list of breached passwords does not answer.
const UNCHECKED_WAIT: Duration = Duration::from_secs(60);

/// How long a used link still leads to the thank-you page.
const THANKS_LAST: Duration = Duration::from_secs(86_400);

impl PortalAuth {
    /// Tells what a link's page may show; changes nothing, however often it is asked.
    ///
    /// # Errors
    /// `Refused` with what the page says instead.
    pub async fn activation_page(
        &self,
        token: &LinkToken,
    ) -> Result<ActivationPage, Denied<ActivateRefused>> {
        let (link, registration) = self.inner.waiting_link(token).await?;
        Ok(ActivationPage {
            prepared: registration.is_prepared(),
            masked_email: link.address.masked(),
            expires_at: link.expires_at,
            tries_left: self
                .inner
                .config
                .registration
                .wrong_passwords
                .saturating_sub(link.tries),
        })
    }

    /// Completes the registration of a link with the password chosen for it.
    ///
    /// # Errors
    /// `Refused` with what to say; `TooManyTries` when the network is closed.
    ///
    /// # Security
    /// Opens no session: send the person to the sign-in page with the address filled in.
    pub async fn activate(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        password: &Password,
    ) -> Result<Activated, Denied<ActivateRefused>> {
        let inner = &*self.inner;
        let (link, registration) = inner.waiting_link(token).await?;
        if registration.is_prepared() {
            return Err(Denied::Refused(ActivateRefused::Prepared));
        }
        if password.is_empty() {
            return Err(Denied::Refused(ActivateRefused::PasswordRequired));
        }
        let judge = Judge::Stranger {
            bucket: inner.keyring.pseudonym("link", link.key.as_bytes()),
            networks: inner.network_buckets(visitor),
        };
        let mut paid = inner.pay(judge, Line::Known).await?;
        let mut compared: Option<(StoredHash, Verdict)> = None;
        let mut rehashed: Option<StoredHash> = None;
        for _ in 0..ATTEMPTS {
            let (link, registration) = inner.waiting_link(token).await?;
            let data = registration.data.clone().and_then(RegistrationData::complete);
            let mut data = data.ok_or(Denied::Refused(ActivateRefused::Ended))?;
            let verdict = match &compared {
                Some((with, verdict)) if *with == data.password => *verdict,
                _ => {
                    paid.verify(Some(&data.password), password, inner.password_pepper())
                        .await?
                }
            };
            compared = Some((data.password.clone(), verdict));
            if verdict.is_right() && data.password.is_imported() {
                // Nobody has held it against this service's rules, and the account never gets the foreign hash (HASH-4).
                data.password = match &rehashed {
                    Some(hash) => hash.clone(),
                    None => {
                        if let Some(broken) = inner.breach(password).await {
                            return Err(inner.refuse_imported(visitor, &link, broken, &paid).await?);
                        }
                        let hash = paid.hash(password, inner.password_pepper()).await?;
                        rehashed.insert(hash).clone()
                    }
                };
            }
            let answer = if verdict.is_right() {
                inner
                    .complete(visitor, &link, &registration, data, &paid)
                    .await?
                    .map(Ok)
            } else {
                inner
                    .count_wrong_password(visitor, &link, &registration, &paid)
                    .await?
                    .map(Err)
            };
            match answer {
                Some(Ok(activated)) => return Ok(activated),
                Some(Err(refused)) => return Err(Denied::Refused(refused)),
                None => {}
            }
        }
        Err(contended())
    }

    /// "I did not choose this password": begins a new registration in this browser, with the address proven.
    ///
    /// Nothing of the old registration is shown or kept, and nothing is ended yet: a mail scanner that presses the
    /// button gains nothing and breaks nothing. One that an administrator has prepared was not made by a stranger: what
    /// it says about the person is filled in.
    ///
    /// # Errors
    /// `Refused` as for [`activation_page`](Self::activation_page); `TooManyTries` after ten in an hour by one link.
    pub async fn register_anew(&self, token: &LinkToken) -> Result<DraftToken, Denied<ActivateRefused>> {
        let inner = &*self.inner;
        let (link, registration) = inner.waiting_link(token).await?;
        // Each leaves a draft (THR-8).
        let line = QuotaLine {
            key: inner.keyring.pseudonym("link/anew", link.key.as_bytes()),
            limits: QuotaLimits::Sliding(vec![(ANEW_AN_HOUR, Duration::from_secs(3600))]),
        };
        let now = inner.now();
        if let Spent::Refused { until } = inner.store.spend(&[line], now).await? {
            let retry_after = until.since(now);
            return Err(Denied::TooManyTries { retry_after });
        }
        let mut draft = Draft {
            proven: Some(Proven::new(link.address.clone(), link.key)),
            ..Draft::default()
        };
        if let Some(prepared) = registration.data.filter(RegistrationData::is_by_administrator) {
            let schema = &*inner.config.registration.profile;
            let profile = schema
                .upgrade(prepared.profile.clone())
                .unwrap_or(prepared.profile);
            for (name, value) in profile.sections {
                let done = schema.check(&name, value.clone()).is_ok();
                draft.sections.insert(name, SectionDraft::new(value, done));
            }
        }
        let minted = inner.keyring.mint(Purpose::Draft, &*inner.entropy)?;
        let row = inner.draft_row(
            DraftKey::from_bytes(row_key(Purpose::Draft, &minted.seed)),
            1,
            &draft,
        )?;
        inner.store.save(&row).await?;
        Ok(DraftToken::minted(minted.text))
    }

    /// Sends a new link in place of one that is over, while its registration is kept.
    ///
    /// # Errors
    /// `Refused` unless the link is [`Expired`](ActivateRefused::Expired) and renewable; `TooManyTries` when the
    /// address has had its mails for now.
    pub async fn renew_link(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
    ) -> Result<(), Denied<ActivateRefused>> {
        let inner = &*self.inner;
        let mut grant: Option<MailGrant> = None;
        for _ in 0..ATTEMPTS {
            let (link, subject) = inner.activation_link_row(token).await?;
            let now = inner.now();
            match judge_link(&link, &subject, now) {
                Err(ActivateRefused::Expired { renewable: true, .. }) => {}
                Err(other) => return Err(Denied::Refused(other)),
                // It still works: there is nothing to renew, and the mail of it is still good.
                Ok(_) => return Ok(()),
            }
            let Subject::Registration { row, .. } = subject else {
                return Err(Denied::Refused(ActivateRefused::Unknown));
            };
            let granted = match grant {
                Some(granted) => granted,
                None => *grant.insert(
                    inner
                        .spend_outsider_mail(&link.address, Bears::Link, visitor, now)
                        .await?,
                ),
            };
            if let Some(until) = granted.withheld_until {
                return Err(Denied::TooManyTries {
                    retry_after: until.since(now),
                });
            }
            let event = inner.seen_from(Event::new(RENEWED, Actor::Visitor), visitor, Some(&link.address));
            let work = UnitOfWork::new(inner.audit(event, now)?);
            let (work, fresh) = inner.replace_link(work, *row, &link, granted, now)?;
            let work =
                inner.add_registration_mail(work, &fresh, &Registrant::without_account(), now, visitor)?;
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

/// Pure: what a genuine link still does at `now`.
fn judge_link<'a>(
    link: &LinkRow,
    subject: &'a Subject,
    now: Timestamp,
) -> Result<&'a RegistrationRow, ActivateRefused> {
    let used_lately = link.ended_at.is_some_and(|at| now.since(at) < THANKS_LAST);
    match (link.state, subject) {
        (LinkState::Used, _) if used_lately => {
            return Err(ActivateRefused::Used {
                email: link.address.clone(),
            });
        }
        (LinkState::Replaced, _) => return Err(ActivateRefused::Replaced),
        (LinkState::Used | LinkState::Void, _) => return Err(ActivateRefused::Ended),
        (LinkState::Live, _) => {}
    }
    let Subject::Registration { row, claimed } = subject else {
        return Err(ActivateRefused::Ended);
    };
    if *claimed || row.state != RegistrationState::Submitted || row.link != link.key {
        return Err(ActivateRefused::Ended);
    }
    if now >= link.expires_at {
        let renewable = now < row.kept_until;
        return Err(ActivateRefused::Expired {
            at: link.expires_at,
            renewable,
        });
    }
    Ok(row)
}

impl Inner {
    /// The row of a genuine activation link, whatever its state; a row from the future is not believed (CLK-2).
    async fn activation_link_row(
        &self,
        token: &LinkToken,
    ) -> Result<(LinkRow, Subject), Denied<ActivateRefused>> {
        let unknown = || Denied::Refused(ActivateRefused::Unknown);
        let key = self.link_key(LinkPurpose::Activate, token).ok_or_else(unknown)?;
        let view = self.store.by_link(key).await?.ok_or_else(unknown)?;
        let activates = view.link.purpose == LinkPurpose::Activate;
        if !activates || !self.believed("link", view.link.issued_at, self.now()) {
            return Err(unknown());
        }
        Ok((view.link, view.subject))
    }

    /// The link and the registration that waits for it.
    async fn waiting_link(
        &self,
        token: &LinkToken,
    ) -> Result<(LinkRow, RegistrationRow), Denied<ActivateRefused>> {
        let (link, subject) = self.activation_link_row(token).await?;
        match judge_link(&link, &subject, self.now()) {
            Ok(registration) => {
                let registration = registration.clone();
                Ok((link, registration))
            }
            Err(refused) => Err(Denied::Refused(refused)),
        }
    }

    /// What the breach check says against a password that was imported, written down; the other rules are for those who
    /// choose a new one. The comparison was right, so its try is given back.
    async fn refuse_imported(
        &self,
        visitor: &Visitor,
        link: &LinkRow,
        broken: BrokenRule,
        paid: &PaidTry,
    ) -> Result<Denied<ActivateRefused>, Fault> {
        let event = Event::new(REFUSED, Actor::Visitor).because(broken.reason());
        let event = self.seen_from(event, visitor, Some(&link.address));
        let work = UnitOfWork::new(self.audit(event, self.now())?).settle(Settle::TakeBack(paid.receipt()));
        self.commit(work).await?;
        Ok(if matches!(broken, BrokenRule::Unchecked) {
            Denied::Busy {
                retry_after: UNCHECKED_WAIT,
            }
        } else {
            Denied::Refused(ActivateRefused::Breached)
        })
    }

    /// Makes the account; `None` when a row changed in between.
    async fn complete(
        &self,
        visitor: &Visitor,
        link: &LinkRow,
        registration: &RegistrationRow,
        data: AccountData,
        paid: &PaidTry,
    ) -> Result<Option<Activated>, Fault> {
        let now = self.now();
        let event = self.seen_from(Event::new(DONE, Actor::Owner), visitor, Some(&link.address));
        let ended = RegistrationRow {
            state: RegistrationState::Activated,
            data: None,
            ..registration.clone()
        };
        let work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Link(Box::new(Write::Update(
                link.ended(LinkState::Used, now),
            ))))
            .change(Change::Registration(Box::new(Write::Update(ended))))
            .settle(Settle::TakeBack(paid.receipt()));
        let (work, device) =
            self.add_account(work, &link.address, data, Some(registration.id), now, visitor)?;
        let done = self.commit(work).await? == Commit::Done;
        Ok(done.then(|| Activated {
            email: link.address.clone(),
            device,
        }))
    }

    /// Counts a wrong password on the link; the last one ends the registration. `None` on a conflict.
    async fn count_wrong_password(
        &self,
        visitor: &Visitor,
        link: &LinkRow,
        registration: &RegistrationRow,
        paid: &PaidTry,
    ) -> Result<Option<ActivateRefused>, Fault> {
        let now = self.now();
        let tries = link.tries.saturating_add(1);
        let tries_left = self.config.registration.wrong_passwords.saturating_sub(tries);
        let why = Reason::new(if tries_left == 0 {
            "activate.exhausted"
        } else {
            "password.wrong"
        });
        let event = Event::new(REFUSED, Actor::Visitor).because(why);
        let mut work = UnitOfWork::new(self.audit(self.seen_from(event, visitor, Some(&link.address)), now)?);
        let counted = LinkRow {
            tries,
            ..link.clone()
        };
        work = if tries_left == 0 {
            let ended = RegistrationRow {
                state: RegistrationState::Exhausted,
                data: None,
                ..registration.clone()
            };
            work.change(Change::Link(Box::new(Write::Update(
                counted.ended(LinkState::Void, now),
            ))))
            .change(Change::Registration(Box::new(Write::Update(ended))))
        } else {
            work.change(Change::Link(Box::new(Write::Update(counted))))
        };
        work = self.count_on_networks(work, paid, now)?;
        let done = self.commit(work).await? == Commit::Done;
        Ok(done.then_some(ActivateRefused::NotCorrect { tries_left }))
    }
}
