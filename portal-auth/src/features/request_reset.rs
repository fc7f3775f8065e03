//! "Forgotten your password?": a reset link goes to the address, if it has an account that is in use.
//!
//! Every answer is the same for every address, known, unknown, waiting, disabled, closed, locked, or with its mails
//! used up: same words, same statements; only the mailbox learns more (ENU-1, RST-5). It works while guessing has
//! closed the address (THR-4). One link lives per account: asking again sends the same one, with its full life before
//! it (TOK-6). Mails: E5; E6 to an address without an account, at most once a day; E17 while the recovery is paused;
//! nothing for an account that is disabled or closed. Audited as `reset.requested`. ASVS 6.4.3, 6.3.8.

use std::time::Duration;

use crate::account::email::{EmailAddress, EmailError};
use crate::account::snapshot::{AccountId, AccountRow};
use crate::audit::{Actor, Event};
use crate::enrolling::{LONGEST_LIFE, MailGrant};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::link::{LinkPurpose, LinkRow, LinkState};
use crate::mail::outbox::MailKind;
use crate::mail::quota::{QuotaLimits, QuotaLine, Spent};
use crate::portal::{ATTEMPTS, Bears, Commit, Inner, PortalAuth, contended};
use crate::recovering::ResetBegun;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What everybody is told who asks, whatever the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResetRequested {
    /// How long a link works.
    pub link_lifetime: Duration,
}

/// Why nothing could be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestResetRefused {
    /// What was typed is no address.
    Email(EmailError),
}

const REQUESTED: Reason = Reason::new("reset.requested");

impl PortalAuth {
    /// Mails a reset link to the typed address if it has an account, and tells the same to everybody.
    ///
    /// # Errors
    /// `Refused` only where what was typed is no address.
    ///
    /// # Security
    /// Say "if the address has an account", never more, and answer with the same page, status and headers. What is
    /// written for an account takes a little longer: set [`answer_step`](crate::config::Config::answer_step), so that
    /// nobody can tell it by hundreds of questions (ENU-5).
    pub async fn request_reset(
        &self,
        visitor: &Visitor,
        typed: &str,
    ) -> Result<ResetRequested, Denied<RequestResetRefused>> {
        self.inner.in_steps(self.send_reset(visitor, typed)).await
    }

    async fn send_reset(
        &self,
        visitor: &Visitor,
        typed: &str,
    ) -> Result<ResetRequested, Denied<RequestResetRefused>> {
        let inner = &*self.inner;
        let email = EmailAddress::parse(typed).map_err(|e| Denied::Refused(RequestResetRefused::Email(e)))?;
        let mut grant = None;
        for _ in 0..ATTEMPTS {
            let now = inner.now();
            let account = inner.store.by_email(&email, None).await?.account;
            let id = account.as_ref().map_or_else(|| inner.nobody(&email), |a| a.id);
            let links = inner.store.live_links(id).await?;
            let grant = match grant {
                Some(grant) => grant,
                None => *grant.insert(
                    inner
                        .spend_reset_mail(&email, account.as_ref(), visitor, now)
                        .await?,
                ),
            };
            if !grant.mail.counted {
                return Ok(inner.told_of_reset());
            }
            let work = inner.requested(visitor, &email, account.as_ref(), &links, grant, now)?;
            if inner.commit(work).await? == Commit::Done {
                return Ok(inner.told_of_reset());
            }
        }
        Err(contended())
    }
}

/// What may be mailed because of one request.
#[derive(Debug, Clone, Copy)]
struct ResetGrant {
    mail: MailGrant,
    /// Whether an address without an account may be told so.
    tells_unknown: bool,
}

/// What is mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Nothing(Reason),
    NoAccount,
    Paused,
    Link,
}

/// Pure: what goes to the mailbox, given the account, whether it is paused, and what may be mailed.
fn decide(account: Option<&AccountRow>, paused: bool, mail_granted: bool, tells_unknown: bool) -> Decision {
    match account {
        _ if !mail_granted => Decision::Nothing(Reason::new("mail.withheld")),
        None if tells_unknown => Decision::NoAccount,
        None => Decision::Nothing(Reason::new("account.unknown")),
        Some(account) if !account.status.is_active() => Decision::Nothing(Reason::new("account.not_active")),
        Some(_) if paused => Decision::Paused,
        Some(_) => Decision::Link,
    }
}

/// When a link ends that is mailed at `now`: after its full life, or when the next mail can go, whichever is later
/// (TOK-6), and never before the end it has already.
fn end_of_life(
    present: Option<Timestamp>,
    lifetime: Duration,
    grant: MailGrant,
    now: Timestamp,
) -> Timestamp {
    let slot = grant.live_until.unwrap_or(Timestamp::MIN);
    now.plus(lifetime)
        .max(slot)
        .min(now.plus(LONGEST_LIFE))
        .max(present.unwrap_or(Timestamp::MIN))
}

impl Inner {
    /// Stands in the statements for an address without an account (ENU-2).
    fn nobody(&self, email: &EmailAddress) -> AccountId {
        AccountId::from_bytes(*self.address_bucket(email).as_bytes())
    }

    const fn told_of_reset(&self) -> ResetRequested {
        ResetRequested {
            link_lifetime: self.config.recovery.link_lifetime,
        }
    }

    /// Counts the mail of a request; known and unknown addresses pay by the same statements.
    async fn spend_reset_mail(
        &self,
        email: &EmailAddress,
        account: Option<&AccountRow>,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<ResetGrant, Fault> {
        let gets_link = account.is_some_and(|account| {
            account.status.is_active() && self.recovery_paused(account, now).is_none()
        });
        let mail = self
            .spend_outsider_mail(email, Bears::link_if(gets_link), visitor, now)
            .await?;
        let recovery = &self.config.recovery;
        if !recovery.tell_unknown {
            return Ok(ResetGrant {
                mail,
                tells_unknown: false,
            });
        }
        let line = QuotaLine {
            key: self
                .keyring
                .pseudonym("mail/no-account", email.coarse().as_str().as_bytes()),
            limits: QuotaLimits::Sliding(vec![(1, recovery.tell_unknown_every)]),
        };
        let spent = self.store.spend(&[line], now).await?;
        // Whether the mail may go or not: the statements are the same for every address (ENU-2).
        Ok(ResetGrant {
            mail,
            tells_unknown: matches!(spent, Spent::Granted { .. }),
        })
    }

    /// The one unit of work of a request.
    fn requested(
        &self,
        visitor: &Visitor,
        email: &EmailAddress,
        account: Option<&AccountRow>,
        links: &[LinkRow],
        grant: ResetGrant,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let paused = account.and_then(|account| self.recovery_paused(account, now));
        let decision = decide(
            account,
            paused.is_some(),
            grant.mail.granted(),
            grant.tells_unknown,
        );
        let mut event = self.seen_from(Event::new(REQUESTED, Actor::Visitor), visitor, Some(email));
        event.account = account.map(|a| a.id);
        event.reason = match decision {
            Decision::Nothing(why) => Some(why),
            Decision::NoAccount => Some(Reason::new("account.unknown")),
            Decision::Paused => Some(Reason::new("recovery.paused")),
            Decision::Link => None,
        };
        let work = UnitOfWork::new(self.audit(event, now)?);
        match (decision, account, paused) {
            (Decision::NoAccount, _, _) => {
                let useless_from = now.plus(self.config.mail.kept);
                Ok(work.mail(self.mail(MailKind::NoAccount, email, now, useless_from)?))
            }
            (Decision::Paused, Some(account), Some(paused)) => {
                Ok(work.mail(self.paused_mail(account, paused, now)?))
            }
            (Decision::Link, Some(account), _) => {
                self.add_reset_link(work, visitor, account, links, grant.mail, now)
            }
            (Decision::Nothing(_) | Decision::Paused | Decision::Link, _, _) => Ok(work),
        }
    }

    /// The account's live link with its full life before it, or a new one; and its mail.
    fn add_reset_link(
        &self,
        mut work: UnitOfWork,
        visitor: &Visitor,
        account: &AccountRow,
        links: &[LinkRow],
        grant: MailGrant,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let lifetime = self.config.recovery.link_lifetime;
        let resets = || {
            links
                .iter()
                .filter(|link| link.purpose == LinkPurpose::ResetPassword)
        };
        let live = resets().find(|link| link.address == account.email && link.judge(account, now).is_ok());
        let link = if let Some(live) = live {
            let link = LinkRow {
                expires_at: end_of_life(Some(live.expires_at), lifetime, grant, now),
                ..live.clone()
            };
            work = work.change(Change::Link(Box::new(Write::Update(link.clone()))));
            link
        } else {
            // Those that are over make room; one that has not opened yet waits on (RST-7).
            let is_over = |link: &&LinkRow| link.expires_at <= now || link.epoch != Some(account.auth_epoch);
            for over in resets().filter(is_over) {
                let ended = over.ended(LinkState::Replaced, now);
                work = work.change(Change::Link(Box::new(Write::Update(ended))));
            }
            let lives = end_of_life(None, lifetime, grant, now).since(now);
            let fresh = self.reset_link_for(account, lives, now)?;
            work = work.change(Change::Link(Box::new(Write::Insert(fresh.clone()))));
            fresh
        };
        let browser = visitor.label();
        let by = ResetBegun::Asked { browser: &browser };
        Ok(work.mail(self.reset_mail(&link, account, by, now)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::status::Status;
    use crate::testkit::rows::{self, T0};

    #[test]
    fn what_is_mailed_depends_on_the_account_and_the_quotas_and_nothing_else() {
        // RST-5, MAIL-5
        let of = |status| AccountRow {
            status,
            ..rows::account(1)
        };
        let (active, disabled, closed) = (of(Status::Active), of(Status::Disabled), of(Status::Closed));
        let nothing = |code| Decision::Nothing(Reason::new(code));
        for paused in [false, true] {
            for account in [None, Some(&active), Some(&disabled), Some(&closed)] {
                assert_eq!(decide(account, paused, false, true), nothing("mail.withheld"));
            }
            for account in [&disabled, &closed] {
                assert_eq!(
                    decide(Some(account), paused, true, true),
                    nothing("account.not_active")
                );
            }
        }
        assert_eq!(decide(None, false, true, true), Decision::NoAccount);
        assert_eq!(decide(None, false, true, false), nothing("account.unknown"));
        assert_eq!(decide(Some(&active), true, true, true), Decision::Paused);
        assert_eq!(decide(Some(&active), false, true, false), Decision::Link);
    }

    #[test]
    fn a_link_lives_on_until_another_mail_can_go_but_never_longer_than_a_day() {
        // TOK-6, RST-2
        let hour = Duration::from_secs(3600);
        let end = |present, until| {
            let grant = MailGrant {
                withheld_until: None,
                live_until: until,
                counted: true,
            };
            end_of_life(present, hour, grant, T0)
        };
        assert_eq!(end(None, None), T0.plus(hour));
        assert_eq!(end(None, Some(T0.plus(hour / 2))), T0.plus(hour));
        assert_eq!(end(None, Some(T0.plus(hour * 10))), T0.plus(hour * 10));
        assert_eq!(end(None, Some(T0.plus(hour * 30))), T0.plus(hour * 24));
        assert_eq!(end(Some(T0.plus(hour * 3)), None), T0.plus(hour * 3));
    }
}
