//! One claimed mail on its way: what it is about is read, whether it still makes sense is decided, its text is made,
//! handed to the mailer, and what became of it is written down.
//!
//! Nothing in here logs an address, a text, a link or a code (LOG-2).

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::audit::{Actor, AuditRow, Event};
use crate::environment::{Timestamp, draw};
use crate::error::{Fault, Reason};
use crate::language::Spoken;
use crate::link::{Answer, LinkPurpose};
use crate::mail::letter::{Letter, MailedLink};
use crate::mail::mailer::{MailError, Mailer, RenderedMail};
use crate::mail::outbox::{MailKind, MailOutcome, OutboxRow};
use crate::mail::relevance::{About, Content, Facts, Void, decide};
use crate::mail::retry::{Circuit, jittered, longest_pause};
use crate::mail::writing::render_in;
use crate::portal::Inner;
use crate::secret::token::Purpose;
use crate::store::StoreError;

/// Failed attempts after which a mail is given up.
const MOST_ATTEMPTS: u32 = 12;
/// How often the writing of an outcome is tried before the mail's lease decides.
const SETTLE_ATTEMPTS: u32 = 3;

const MAIL_DEAD: Reason = Reason::new("mail.dead");
const REFUSED: Reason = Reason::new("mail.refused");
const ATTEMPTS_USED: Reason = Reason::new("mail.attempts_used");
const TOO_LATE: Reason = Reason::new("mail.too_late");

/// Who enforces the 30 s a mailer may take.
#[derive(Debug, Clone, Copy)]
pub(super) enum SendLimit {
    /// The mailer itself, as it promises: there is no timer without a runtime.
    Mailer,
    /// A timer of tokio.
    #[cfg(feature = "tokio")]
    Timer(std::time::Duration),
}

/// Delivers mails of one service through one mailer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Courier<'a> {
    pub(super) inner: &'a Inner,
    pub(super) mailer: &'a dyn Mailer,
    pub(super) circuit: &'a Mutex<Circuit>,
    pub(super) limit: SendLimit,
}

fn unknown() -> Fault {
    Fault::permanent("a mail is about something that its kind does not know")
}

/// What one try led to.
#[derive(Debug)]
enum Fate {
    Sent,
    Dropped(Void),
    /// The relay could not be used, or rests; nothing is held against the mail.
    Waits {
        at: Timestamp,
        error: String,
    },
    Failed {
        error: String,
    },
    Refused {
        error: String,
    },
}

impl Courier<'_> {
    /// Brings one claimed mail as far as it gets. It never fails: what goes wrong is written to the mail's row.
    pub(super) async fn deliver(self, mail: OutboxRow) {
        let fate = self.attempt(&mail).await;
        let now = self.inner.now();
        let (outcome, death) = self.outcome(&mail, fate, now);
        self.report(&mail, &outcome);
        let event = death.and_then(|reason| self.death(&mail, reason, now));
        self.settle(&mail, &outcome, event.as_ref()).await;
    }

    /// Gives a claimed mail back untouched, for a process that is going down.
    #[cfg(feature = "tokio")]
    pub(super) async fn give_back(self, mail: OutboxRow) {
        let now = self.inner.now();
        let outcome = MailOutcome::Again {
            at: now,
            counts: false,
            error: mail.last_error.clone(),
        };
        self.settle(&mail, &outcome, None).await;
    }

    async fn attempt(&self, mail: &OutboxRow) -> Fate {
        let now = self.inner.now();
        if let Some(at) = self.circuit().rests(now) {
            return Fate::Waits {
                at,
                error: "the mail server rests".into(),
            };
        }
        let about = match self.about(mail).await {
            Ok(about) => about,
            // The whole store is away, which says nothing about this mail.
            Err(error @ (StoreError::Unavailable(_) | StoreError::Ambiguous(_) | StoreError::Conflict)) => {
                let at = now.plus(self.pause(mail.attempts, mail));
                return Fate::Waits {
                    at,
                    error: error.to_string(),
                };
            }
            Err(error @ StoreError::Permanent(_)) => {
                return Fate::Failed {
                    error: error.to_string(),
                };
            }
        };
        match self.rendered(mail, &about, now) {
            Ok(Ok(rendered)) => self.send(&rendered).await,
            Ok(Err(void)) => Fate::Dropped(void),
            Err(fault) => Fate::Failed {
                error: fault.to_string(),
            },
        }
    }

    async fn about(&self, mail: &OutboxRow) -> Result<About, StoreError> {
        let store = &*self.inner.store;
        Ok(match (mail.link, mail.challenge, mail.account) {
            (Some(link), _, _) => About::Link(store.by_link(link).await?),
            (None, Some(challenge), _) => About::Code(store.by_challenge(challenge).await?),
            (None, None, Some(account)) => About::Account(store.by_id(account).await?),
            (None, None, None) if mail.kind == MailKind::NoAccount => About::Nobody,
            (None, None, None) => About::Account(None),
        })
    }

    fn rendered(
        &self,
        mail: &OutboxRow,
        about: &About,
        now: Timestamp,
    ) -> Result<Result<RenderedMail, Void>, Fault> {
        let facts = Facts::read(&mail.facts)?;
        let content = match decide(mail, &facts, about, now)? {
            Ok(content) => content,
            Err(void) => return Ok(Err(void)),
        };
        let config = &self.inner.config;
        // Only an account has proven its address, so only its owner is greeted by name (MAIL-3).
        let name = match content {
            Content::Link(..) | Content::Nobody => None,
            Content::Code(_, account) | Content::Notice(account, _) => {
                let schema = &config.registration.profile;
                let profile = schema.upgrade(account.profile.clone()).ok();
                profile.and_then(|profile| schema.greeting(&profile))
            }
        };
        let name = name.as_deref();
        let opened = match content {
            Content::Link(link, seed) | Content::Notice(_, Some((link, seed))) => Some((link, seed)),
            Content::Notice(_, None) | Content::Code(..) | Content::Nobody => None,
        };
        let token = match opened {
            Some((link, seed)) => {
                let purpose = Purpose::Link(link.purpose);
                Some(self.inner.keyring.remake(purpose, seed.as_bytes())?)
            }
            None => None,
        };
        let opened = opened.zip(token.as_deref());
        // A link stands in no other mail than that of its purpose.
        let carried = |purpose| {
            let of_purpose = opened.filter(|((link, _), _)| link.purpose == purpose);
            of_purpose.map(|((link, _), token)| MailedLink {
                token,
                issued_at: link.issued_at,
                expires_at: link.expires_at,
            })
        };
        // Who caused the mail has said in which language they want it; else its reader has, or nobody.
        let wanted = facts.language().or_else(|| match content {
            Content::Link(..) | Content::Nobody => None,
            Content::Code(_, account) | Content::Notice(account, _) => account.language.clone(),
        });
        let code;
        let letter = match (mail.kind, content) {
            (MailKind::CompleteRegistration, Content::Link(..)) => {
                let link = carried(LinkPurpose::Activate).ok_or_else(unknown)?;
                if let Some(registration) = about.prepared() {
                    let has_password = !registration.is_prepared();
                    Letter::PreparedRegistration { link, has_password }
                } else {
                    Letter::CompleteRegistration { link }
                }
            }
            (MailKind::SignInCode, Content::Code(challenge, _)) => {
                code = self.inner.keyring.code(challenge, config.codes.digits)?;
                Letter::SignInCode {
                    name,
                    code: &code,
                    purpose: challenge.purpose,
                    asked_at: mail.created_at,
                    browser: facts.browser(),
                    issued_at: challenge.code_issued_at,
                    expires_at: challenge.code_expires_at,
                }
            }
            (MailKind::AlreadyRegistered, Content::Notice(..)) => Letter::AlreadyRegistered {
                name,
                asked_at: mail.created_at,
            },
            (MailKind::AccountReady, Content::Notice(account, _)) => Letter::AccountReady {
                name,
                username: account.email.as_str(),
            },
            (MailKind::TwoStepChanged, Content::Notice(..)) => Letter::TwoStepChanged {
                name,
                choice: facts.choice()?,
                changed_at: mail.created_at,
                browser: facts.browser(),
                not_me: carried(LinkPurpose::NotMe),
            },
            (MailKind::PasswordChanged, Content::Notice(..)) => Letter::PasswordChanged {
                name,
                changed_at: mail.created_at,
                browser: facts.browser(),
                not_me: carried(LinkPurpose::NotMe),
            },
            (MailKind::SecretQuestionChanged, Content::Notice(..)) => Letter::SecretQuestionChanged {
                name,
                changed_at: mail.created_at,
                browser: facts.browser(),
                not_me: carried(LinkPurpose::NotMe),
            },
            // Its address is not proven yet: nothing that a person typed is in it (MAIL-3).
            (MailKind::ConfirmEmail, Content::Notice(..)) => Letter::ConfirmEmail {
                link: carried(LinkPurpose::ConfirmEmail).ok_or_else(unknown)?,
            },
            (MailKind::EmailBeingChanged, Content::Notice(..)) => Letter::EmailBeingChanged {
                name,
                asked_at: mail.created_at,
                browser: facts.browser(),
                to: facts.to()?,
                cancel: carried(LinkPurpose::CancelEmailChange),
            },
            (MailKind::EmailChanged, Content::Notice(..)) => Letter::EmailChanged {
                name,
                changed_at: mail.created_at,
                browser: facts.browser(),
                from: facts.from()?,
                to: facts.to()?,
                freeze: carried(LinkPurpose::FreezeAccount),
            },
            (MailKind::AddressEntered, Content::Notice(..)) => Letter::AddressEntered {
                name,
                asked_at: mail.created_at,
            },
            (MailKind::AccountFrozen, Content::Notice(account, _)) => Letter::AccountFrozen {
                account: account.email.as_str(),
                from: facts.from()?,
                frozen_at: mail.created_at,
            },
            (MailKind::ResetPassword, Content::Notice(_, Some((link, _)))) => Letter::ResetPassword {
                name,
                link: MailedLink {
                    // Its life is told from this mail on: the link may have been mailed before.
                    issued_at: mail.created_at.max(link.opens_at),
                    ..carried(LinkPurpose::ResetPassword).ok_or_else(unknown)?
                },
                begun: facts.begun()?,
                begun_at: mail.created_at,
                asks_answer: link.answer != Answer::Waived,
            },
            (MailKind::NoAccount, Content::Nobody) => Letter::NoAccount {
                asked_at: mail.created_at,
            },
            (MailKind::RecoveryAsked, Content::Notice(..)) => Letter::RecoveryAsked {
                name,
                asked_at: mail.created_at,
                browser: facts.browser(),
                due_at: facts.until()?,
                cancel: carried(LinkPurpose::CancelRecovery).ok_or_else(unknown)?,
            },
            (MailKind::RecoveryPaused, Content::Notice(..)) => Letter::RecoveryPaused {
                name,
                paused: facts.paused()?,
            },
            (MailKind::NewDevice, Content::Notice(..)) => Letter::NewDevice {
                name,
                at: mail.created_at,
                browser: facts.browser(),
                network: facts.network(),
            },
            (MailKind::AccountClosing, Content::Notice(account, _)) => {
                let link = carried(LinkPurpose::RestoreAccount).ok_or_else(unknown)?;
                Letter::AccountClosing {
                    name,
                    link,
                    closed_at: account.closed_at.unwrap_or(link.issued_at),
                    browser: facts.browser_of_owner(),
                }
            }
            (MailKind::UnusualSignIn, Content::Notice(..)) => Letter::UnusualSignIn {
                name,
                what: facts.attempts()?,
                at: mail.created_at,
                browser: facts.browser(),
            },
            (MailKind::TooManyTries, Content::Notice(..)) => Letter::TooManyTries {
                name,
                closed: facts.closed()?,
            },
            (MailKind::AdministratorActed, Content::Notice(..)) => Letter::AdministratorActed {
                name,
                act: facts.act()?,
                acted_at: mail.created_at,
            },
            (MailKind::Host, Content::Notice(account, _)) => {
                let (subject, reference, lines) = facts.notice()?;
                Letter::Host {
                    // An administrator gets mail about an account that is not theirs.
                    name: name.filter(|_| mail.to == account.email),
                    subject,
                    reference,
                    lines,
                }
            }
            (_, Content::Link(..) | Content::Code(..) | Content::Notice(..) | Content::Nobody) => {
                return Err(unknown());
            }
        };
        let spoken = letter.spoken(Spoken::of(&wanted.unwrap_or_default()));
        let words = render_in(spoken, config, &letter, now)?;
        let to = mail.to.as_str().to_owned();
        let id = mail.id.to_string();
        let rendered = RenderedMail::new(id, to, words.subject, mail.kind.as_str(), words.text, words.html);
        Ok(Ok(rendered.in_language(spoken.tag())))
    }

    async fn send(&self, mail: &RenderedMail) -> Fate {
        let result = match self.limit {
            SendLimit::Mailer => self.mailer.send(mail).await,
            #[cfg(feature = "tokio")]
            SendLimit::Timer(limit) => tokio::time::timeout(limit, self.mailer.send(mail))
                .await
                .unwrap_or_else(|late| Err(MailError::Transient(late.into()))),
        };
        // Only the error's own layer is kept: its causes may quote the recipient (LOG-2).
        match result {
            Ok(()) => {
                self.circuit().worked();
                self.inner.counters.mails_sent.fetch_add(1, Ordering::Relaxed);
                Fate::Sent
            }
            Err(error) => {
                self.inner.counters.mails_failed.fetch_add(1, Ordering::Relaxed);
                let words = error.to_string();
                match error {
                    MailError::Transient(_) => {
                        self.circuit().worked();
                        Fate::Failed { error: words }
                    }
                    MailError::Permanent(_) => {
                        self.circuit().worked();
                        Fate::Refused { error: words }
                    }
                    MailError::Unreachable(_) => {
                        let at = self.circuit().failed(self.inner.now());
                        Fate::Waits { at, error: words }
                    }
                }
            }
        }
    }

    /// What is written to the row, and why the mail is given up where it is.
    fn outcome(&self, mail: &OutboxRow, fate: Fate, now: Timestamp) -> (MailOutcome, Option<Reason>) {
        match fate {
            Fate::Sent => (MailOutcome::Sent, None),
            Fate::Dropped(void) => (
                MailOutcome::Dead {
                    error: void.words().into(),
                },
                None,
            ),
            Fate::Waits { at, error } => (
                MailOutcome::Again {
                    at,
                    counts: false,
                    error,
                },
                None,
            ),
            Fate::Refused { error } => (MailOutcome::Dead { error }, Some(REFUSED)),
            Fate::Failed { error } if mail.attempts.saturating_add(1) >= MOST_ATTEMPTS => {
                (MailOutcome::Dead { error }, Some(ATTEMPTS_USED))
            }
            Fate::Failed { error } => {
                let at = now.plus(self.pause(mail.attempts, mail));
                if at >= mail.expires_at {
                    return (MailOutcome::Dead { error }, Some(TOO_LATE));
                }
                (
                    MailOutcome::Again {
                        at,
                        counts: true,
                        error,
                    },
                    None,
                )
            }
        }
    }

    fn pause(&self, attempts: u32, mail: &OutboxRow) -> std::time::Duration {
        let longest = longest_pause(attempts, mail.kind.urgency());
        // Without randomness the pause is the longest one, which is safe.
        draw(&*self.inner.entropy).map_or(longest, |random| jittered(longest, u64::from_ne_bytes(random)))
    }

    /// Writes the outcome, and `event` with it, while the lease is this one.
    async fn settle(&self, mail: &OutboxRow, outcome: &MailOutcome, event: Option<&AuditRow>) {
        for _ in 0..SETTLE_ATTEMPTS {
            match self
                .inner
                .store
                .settle(mail.id, mail.lease_no, outcome, event)
                .await
            {
                Ok(_) => return,
                // Writing it twice is harmless, and a mail that was sent must not go again because of a hiccup.
                Err(StoreError::Unavailable(_) | StoreError::Ambiguous(_) | StoreError::Conflict) => {}
                Err(StoreError::Permanent(_)) => break,
            }
        }
        tracing::error!(mail = %mail.id, kind = mail.kind.as_str(), "what became of a mail could not be written");
    }

    /// The audit's word of the end of a mail; without randomness there is none, and the mail ends all the same.
    fn death(&self, mail: &OutboxRow, reason: Reason, now: Timestamp) -> Option<AuditRow> {
        let mut event = Event::new(MAIL_DEAD, Actor::System).because(reason);
        // Who asked for another address is not told how its mail ended: a taken one's is its owner's (CHG-3).
        event.account = mail.account.filter(|_| mail.kind != MailKind::ConfirmEmail);
        event.address = Some(self.inner.address_bucket(&mail.to));
        let row = self.inner.audit(event, now);
        row.inspect_err(|fault| {
            tracing::error!(mail = %mail.id, error = %fault, "the end of a mail could not be written to the audit");
        })
        .ok()
    }

    fn report(&self, mail: &OutboxRow, outcome: &MailOutcome) {
        let (id, kind) = (mail.id, mail.kind.as_str());
        match outcome {
            MailOutcome::Sent => tracing::info!(mail = %id, kind, "mail sent"),
            MailOutcome::Again { error, counts, .. } => {
                tracing::warn!(mail = %id, kind, counts, attempts = mail.attempts, error, "mail not sent yet");
            }
            MailOutcome::Dead { error } => tracing::warn!(mail = %id, kind, error, "mail will not be sent"),
        }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        // Two plain numbers: whatever a panicking thread left is still a state.
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
