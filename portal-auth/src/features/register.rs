//! Registering in steps: security details, then the profile's sections, then a link by mail.
//!
//! What was typed lives in a draft on the server, found by a cookie; passwords and answers are hashed at the first
//! step and never come back out (REG-1). Submitting makes a registration, which is no account and reserves nothing
//! (ACT-1). A known address is answered like any other: its owner gets a mail (ENU-4). Mails: E1 or E2. Audited as
//! `register.submitted`, `register.given_up`. ASVS 2.3.1, 6.3.8.

use serde_json::{Map, Value};

use crate::account::chosen_question::ChosenQuestion;
use crate::account::email::EmailAddress;
use crate::account::profile::{StoredProfile, small_enough};
use crate::audit::{Actor, Event};
use crate::enrolling::MailGrant;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, FieldErrors, Reason};
use crate::guessing::Judge;
use crate::link::{LinkRow, LinkState};
use crate::portal::{ATTEMPTS, Bears, Commit, Inner, PortalAuth, contended};
use crate::registration::draft::{Draft, DraftKey, DraftRow, SectionDraft, Step, Submitted};
use crate::registration::{AccountData, RegistrationId, RegistrationRow, RegistrationState};
use crate::secret::keyring::row_key;
use crate::secret::token::{DeviceToken, DraftToken, Purpose};
pub use crate::security_details::SecurityDetails;
use crate::store::{StoreError, Subject};
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What the pages of a registration may show again.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegistrationProgress {
    /// The address, once the first step is done.
    pub email: Option<EmailAddress>,
    /// The address a mailed link has proven for this browser.
    pub proven: Option<EmailAddress>,
    /// The chosen question, once the first step is done.
    pub question: Option<ChosenQuestion>,
    /// Whether a password is set; it is never shown.
    pub password_set: bool,
    /// The sections as they were typed, by name.
    pub sections: Map<String, Value>,
    /// The steps that are done, and the first that is not; `None` when all are.
    pub open_step: Option<Step>,
    /// What was sent off, where it was.
    pub sent: Option<SentNotice>,
}

/// What the "check your email" page may show in the browser that registered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentNotice {
    /// Where the mail went.
    pub email: EmailAddress,
    /// Until when its link works at least; the mail says whether it works longer, since that depends on what else the
    /// address was sent (ENU-1).
    pub link_expires_at: Timestamp,
    /// The earliest moment at which it can be sent again.
    pub again_at: Timestamp,
    /// Whether the registration is complete already.
    pub activated: bool,
}

/// What submitting came to.
#[derive(Debug)]
#[non_exhaustive]
pub enum SubmitOutcome {
    /// A mail is on its way to the address, whatever the address is.
    CheckEmail(SentNotice),
    /// The address was proven before, so the account is ready.
    Activated {
        /// The address to sign in with.
        email: EmailAddress,
        /// Goes into the device cookie, where the browser had none that is genuine.
        device: Option<DeviceToken>,
    },
}

/// Whether a section is saved as it is or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two buttons of the page")]
pub enum Save {
    /// "Next": it must be right.
    Checked,
    /// "Previous": keep what was typed.
    AsItIs,
}

/// Why a step was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterRefused {
    /// Fields are wrong; nothing of this step was saved.
    Fields(FieldErrors),
    /// A step before this one is not done.
    StepFirst(Step),
    /// There is no draft any more: they are kept for two hours.
    StartAgain,
    /// It was sent off before.
    AlreadySent(SentNotice),
}

const SUBMITTED: Reason = Reason::new("register.submitted");
const COMPLETED: Reason = Reason::new("register.completed");
const MAILED: Reason = Reason::new("register.mailed");
const GIVEN_UP: Reason = Reason::new("register.given_up");

impl PortalAuth {
    /// Tells how far a registration is; `None` when there is no draft, or it is too old.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn registration(&self, token: &DraftToken) -> Result<Option<RegistrationProgress>, Fault> {
        let inner = &*self.inner;
        let Some((_, draft)) = inner.draft(token).await? else {
            return Ok(None);
        };
        let profile = &*inner.config.registration.profile;
        Ok(Some(RegistrationProgress {
            email: draft.security.as_ref().map(|s| s.email.clone()),
            proven: draft.proven.as_ref().map(|p| p.email.clone()),
            question: draft.security.as_ref().and_then(|s| s.question.clone()),
            password_set: draft.security.is_some(),
            sections: draft
                .sections
                .iter()
                .map(|(name, s)| (name.clone(), s.value.clone()))
                .collect(),
            open_step: draft.first_open_step(profile),
            sent: draft.submitted.as_ref().map(|s| inner.sent_notice(s)),
        }))
    }

    /// Checks and keeps the first step; the returned token replaces the draft's.
    ///
    /// The token is always a new one, so a draft that somebody else planted in this browser learns nothing.
    ///
    /// # Errors
    /// `Refused` with every wrong field at once, or because the draft was sent off before. Fields are `email`,
    /// `email2`, `new-password`, `new-password2`, `question`, `own_question`, `answer`.
    pub async fn save_security_details(
        &self,
        visitor: &Visitor,
        token: Option<&DraftToken>,
        form: SecurityDetails,
    ) -> Result<DraftToken, Denied<RegisterRefused>> {
        let inner = &*self.inner;
        let found = match token {
            Some(token) => inner.draft(token).await?,
            None => None,
        };
        let (old_row, mut draft) =
            found.map_or_else(|| (None, Draft::default()), |(row, draft)| (Some(row), draft));
        if let Some(submitted) = &draft.submitted {
            return Err(Denied::Refused(RegisterRefused::AlreadySent(
                inner.sent_notice(submitted),
            )));
        }
        let breach = inner.breach(&form.password).await;
        let typed = inner
            .check_security_details(&form, draft.security.as_ref(), breach)
            .map_err(|errors| Denied::Refused(RegisterRefused::Fields(errors)))?;
        let judge = inner
            .proving_link(&draft, inner.now())
            .await?
            .map(|(link, _)| Judge::Stranger {
                // Not the bucket of the link's own page: what is typed here is no guess, so no success gives it back.
                bucket: inner.keyring.pseudonym("link/first-step", link.key.as_bytes()),
                networks: inner.network_buckets(visitor),
            });
        let done = inner
            .hash_security_details(typed, &form.answer, draft.security.take(), judge)
            .await
            .map_err(|denied| denied.map(RegisterRefused::Fields))?;
        tracing::debug!(browser = %visitor.label(), "the first step of a registration is done");
        draft.security = Some(done);
        let minted = inner.keyring.mint(Purpose::Draft, &*inner.entropy)?;
        let row = inner.draft_row(
            DraftKey::from_bytes(row_key(Purpose::Draft, &minted.seed)),
            1,
            &draft,
        )?;
        inner.store.save(&row).await?;
        if let Some(old) = old_row {
            inner.forget_draft(old).await?;
        }
        Ok(DraftToken::minted(minted.text))
    }

    /// Checks and keeps one section of the profile.
    ///
    /// # Errors
    /// `Refused` with every wrong field at once, or the step to go to first. With [`Save::AsItIs`] nothing is
    /// checked but the step's turn and the size: a section holds
    /// [32 KiB](crate::account::profile::SECTION_BYTES) at most.
    pub async fn save_section(
        &self,
        token: &DraftToken,
        section: &str,
        typed: Value,
        save: Save,
    ) -> Result<(), Denied<RegisterRefused>> {
        let inner = &*self.inner;
        let profile = &*inner.config.registration.profile;
        for _ in 0..ATTEMPTS {
            let (row, mut draft) = inner.open_draft(token).await?;
            let step = Step::Section(section.to_owned());
            if !draft.may_open(&step, profile) {
                let first = draft.first_open_step(profile).unwrap_or(Step::SecurityDetails);
                return Err(Denied::Refused(RegisterRefused::StepFirst(first)));
            }
            let refused = |errors| Denied::Refused(RegisterRefused::Fields(errors));
            let checked = profile.check(section, typed.clone());
            let kept = match (checked.and_then(|value| small_enough(section, value)), save) {
                (Ok(value), _) => SectionDraft::new(value, true),
                (Err(_), Save::AsItIs) => {
                    SectionDraft::new(small_enough(section, typed.clone()).map_err(refused)?, false)
                }
                (Err(errors), Save::Checked) => return Err(refused(errors)),
            };
            draft.sections.insert(section.to_owned(), kept);
            let row = inner.draft_row(row.key, row.version.saturating_add(1), &draft)?;
            match inner.store.save(&row).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(contended())
    }

    /// Sends the registration off. Doing it twice, even at the same time, sends one mail.
    ///
    /// # Errors
    /// `Refused` with the step that is not done or no longer right.
    pub async fn submit_registration(
        &self,
        visitor: &Visitor,
        token: &DraftToken,
    ) -> Result<SubmitOutcome, Denied<RegisterRefused>> {
        self.inner.in_steps(self.send_off(visitor, token)).await
    }

    async fn send_off(
        &self,
        visitor: &Visitor,
        token: &DraftToken,
    ) -> Result<SubmitOutcome, Denied<RegisterRefused>> {
        let inner = &*self.inner;
        let mut grant: Option<MailGrant> = None;
        for _ in 0..ATTEMPTS {
            let (row, draft) = match inner.open_draft(token).await {
                Err(Denied::Refused(RegisterRefused::AlreadySent(notice))) => {
                    if grant.is_none_or(|g| !g.granted()) || inner.mail_withheld(visitor, token).await? {
                        return Ok(already_sent(notice));
                    }
                    continue;
                }
                other => other?,
            };
            let (email, data) = inner.complete_data(&draft)?;
            let now = inner.now();
            match inner
                .submit_proven(visitor, &row, &draft, &email, &data, now)
                .await?
            {
                Proven::Done(outcome) => return Ok(outcome),
                Proven::Conflict => continue,
                Proven::No => {}
            }
            let registrant = inner.registrant(&email).await?;
            let grant = match grant {
                Some(grant) => grant,
                None => {
                    let bears = Bears::link_if(registrant.is_mailed_a_link());
                    *grant.insert(inner.spend_outsider_mail(&email, bears, visitor, now).await?)
                }
            };
            let id = RegistrationId::draw(&*inner.entropy)?;
            let link = inner.activation_link(id, &email, grant, now)?;
            let registration = RegistrationRow {
                id,
                version: 1,
                email: email.clone(),
                state: RegistrationState::Submitted,
                data: Some(data.into()),
                link: link.key,
                submitted_at: now,
                kept_until: link.expires_at.plus(inner.config.registration.kept_after_expiry),
            };
            let works_until = now.plus(inner.config.registration.link_lifetime);
            let submitted =
                Submitted::new(id, email.clone(), now, works_until, false).with_mail(!grant.granted());
            let notice = inner.sent_notice(&submitted);
            let event = inner.seen_from(Event::new(SUBMITTED, Actor::Visitor), visitor, Some(&email));
            let mut work = UnitOfWork::new(inner.audit(event, now)?)
                .change(Change::Draft(Box::new(Write::Update(
                    inner.sent_draft(&row, draft, submitted)?,
                ))))
                .change(Change::Registration(Box::new(Write::Insert(registration))))
                .change(Change::Link(Box::new(Write::Insert(link.clone()))));
            if grant.granted() {
                work = inner.add_registration_mail(work, &link, &registrant, now, visitor)?;
            }
            if inner.commit(work).await? == Commit::Done {
                return Ok(SubmitOutcome::CheckEmail(notice));
            }
        }
        Err(contended())
    }

    /// Takes a sent registration back to use another address: its link dies, the sections stay (portal P9).
    ///
    /// # Errors
    /// `Refused` when there is nothing to take back.
    pub async fn change_registration_address(
        &self,
        visitor: &Visitor,
        token: &DraftToken,
    ) -> Result<(), Denied<RegisterRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let found = inner.draft(token).await?;
            let Some((row, mut draft)) = found else {
                return Err(Denied::Refused(RegisterRefused::StartAgain));
            };
            let Some(submitted) = draft.submitted.take() else {
                return Ok(());
            };
            let now = inner.now();
            let event = inner.seen_from(
                Event::new(GIVEN_UP, Actor::Visitor),
                visitor,
                Some(&submitted.email),
            );
            let row = inner.draft_row(row.key, row.version, &draft)?;
            let mut work =
                UnitOfWork::new(inner.audit(event, now)?).change(Change::Draft(Box::new(Write::Update(row))));
            let view = inner.store.by_registration(submitted.registration).await?;
            if let Some(view) = view.filter(|v| v.registration.state == RegistrationState::Submitted) {
                let ended = RegistrationRow {
                    state: RegistrationState::GivenUp,
                    data: None,
                    ..view.registration
                };
                work = work.change(Change::Registration(Box::new(Write::Update(ended))));
                if let Some(link) = view.link.filter(|l| l.state == LinkState::Live) {
                    let ended = link.ended(LinkState::Void, now);
                    work = work.change(Change::Link(Box::new(Write::Update(ended))));
                }
            }
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

fn already_sent(notice: SentNotice) -> SubmitOutcome {
    if notice.activated {
        SubmitOutcome::Activated {
            email: notice.email,
            device: None,
        }
    } else {
        SubmitOutcome::CheckEmail(notice)
    }
}

/// What became of a registration whose address a mailed link may have proven in this browser.
enum Proven {
    /// Its address is not proven, or the proof no longer counts: the ordinary way is taken.
    No,
    /// A row changed in between.
    Conflict,
    Done(SubmitOutcome),
}

impl Inner {
    async fn open_draft(&self, token: &DraftToken) -> Result<(DraftRow, Draft), Denied<RegisterRefused>> {
        let found = self.draft(token).await?;
        let (row, draft) = found.ok_or(Denied::Refused(RegisterRefused::StartAgain))?;
        match &draft.submitted {
            Some(sent) => Err(Denied::Refused(RegisterRefused::AlreadySent(
                self.sent_notice(sent),
            ))),
            None => Ok((row, draft)),
        }
    }

    pub(crate) fn sent_notice(&self, submitted: &Submitted) -> SentNotice {
        SentNotice {
            email: submitted.email.clone(),
            link_expires_at: submitted.link_expires_at,
            again_at: submitted.mailed_at.plus(self.config.registration.resend_pause),
            activated: submitted.activated,
        }
    }

    /// The data of a draft in which every step is done and still right.
    fn complete_data(&self, draft: &Draft) -> Result<(EmailAddress, AccountData), Denied<RegisterRefused>> {
        let profile = &*self.config.registration.profile;
        if let Some(step) = draft.first_open_step(profile) {
            return Err(Denied::Refused(RegisterRefused::StepFirst(step)));
        }
        let security = draft
            .security
            .as_ref()
            .ok_or(Denied::Refused(RegisterRefused::StepFirst(Step::SecurityDetails)))?;
        let mut sections = Map::new();
        for name in profile.sections() {
            let typed = match draft.sections.get(*name) {
                Some(section) => section.value.clone(),
                None if profile.is_optional(name) => continue,
                None => Value::Null,
            };
            let step = || Denied::Refused(RegisterRefused::StepFirst(Step::Section((*name).to_owned())));
            let value = profile.check(name, typed).map_err(|_| step())?;
            sections.insert((*name).to_owned(), value);
        }
        let data = AccountData::new(
            security.password.clone(),
            security.question.clone(),
            security.answer.clone(),
            StoredProfile::new(profile.version(), sections),
        );
        Ok((security.email.clone(), data))
    }

    /// Sends the mail of a registration that another tab sent off: this tab had paid for the mail, so the other was
    /// refused it. Tells whether that is settled; not so when a row changed in between.
    async fn mail_withheld(&self, visitor: &Visitor, token: &DraftToken) -> Result<bool, Fault> {
        let Some((row, mut draft)) = self.draft(token).await? else {
            return Ok(true);
        };
        let Some(submitted) = draft.submitted.take().filter(|s| s.withheld) else {
            return Ok(true);
        };
        let registrant = self.registrant(&submitted.email).await?;
        let own = self.store.by_registration(submitted.registration).await?;
        let now = self.now();
        let Some(link) = own.and_then(|v| v.link).filter(|l| l.is_live(now)) else {
            return Ok(true);
        };
        let event = self.seen_from(
            Event::new(MAILED, Actor::Visitor),
            visitor,
            Some(&submitted.email),
        );
        draft.submitted = Some(submitted.with_mail(false));
        let row = self.draft_row(row.key, row.version, &draft)?;
        let work =
            UnitOfWork::new(self.audit(event, now)?).change(Change::Draft(Box::new(Write::Update(row))));
        let work = self.add_registration_mail(work, &link, &registrant, now, visitor)?;
        Ok(self.commit(work).await? == Commit::Done)
    }

    /// The link that has proven the draft's address in this browser, while it lives, and its registration.
    async fn proving_link(
        &self,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Option<(LinkRow, Box<RegistrationRow>)>, Fault> {
        let Some(proven) = &draft.proven else {
            return Ok(None);
        };
        let Some(view) = self.store.by_link(proven.link).await? else {
            return Ok(None);
        };
        let Subject::Registration { row, claimed: false } = view.subject else {
            return Ok(None);
        };
        let link = view.link;
        let lives =
            link.is_live(now) && link.address == proven.email && row.state == RegistrationState::Submitted;
        Ok(lives.then_some((link, row)))
    }

    /// Completes a registration whose address a mailed link has proven in this browser.
    async fn submit_proven(
        &self,
        visitor: &Visitor,
        row: &DraftRow,
        draft: &Draft,
        email: &EmailAddress,
        data: &AccountData,
        now: Timestamp,
    ) -> Result<Proven, Fault> {
        if draft.proven.as_ref().is_none_or(|p| p.email != *email) {
            return Ok(Proven::No);
        }
        let Some((link, registration)) = self.proving_link(draft, now).await? else {
            return Ok(Proven::No);
        };
        let submitted = Submitted::new(registration.id, email.clone(), now, link.expires_at, true);
        let event = self.seen_from(Event::new(COMPLETED, Actor::Owner), visitor, Some(email));
        let work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Link(Box::new(Write::Update(
                link.ended(LinkState::Used, now),
            ))))
            .change(Change::Draft(Box::new(Write::Update(self.sent_draft(
                row,
                draft.clone(),
                submitted,
            )?))));
        let (work, device) = self.add_account(work, email, data.clone(), None, now, visitor)?;
        Ok(match self.commit(work).await? {
            Commit::Done => Proven::Done(SubmitOutcome::Activated {
                email: email.clone(),
                device,
            }),
            Commit::Conflict => Proven::Conflict,
        })
    }
}
