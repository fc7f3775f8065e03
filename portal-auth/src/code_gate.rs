//! The one way to a code's verdict, for signing in and for confirming who one is (OTP-1 to OTP-7).

use std::sync::atomic::Ordering;

use crate::account::snapshot::AccountRow;
use crate::alerting::{Alert, Unusual};
use crate::audit::{Actor, Event};
use crate::challenge::{ChallengeKey, ChallengePurpose, ChallengeRow};
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::issuing::CodeNotice;
use crate::mail::outbox::MailKind;
use crate::portal::{ATTEMPTS, Commit, Inner, contended};
use crate::secret::keyring::row_key;
use crate::secret::one_time_code::{CodeFormat, OneTimeCode};
use crate::secret::token::{ChallengeToken, Purpose};
use crate::session::SessionKey;
use crate::throttle::BucketKey;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

/// Why a code was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeRefused {
    /// What was typed cannot be a code; no try was counted.
    Format(CodeFormat),
    /// It is not the code.
    Wrong {
        /// Tries that are left for this half-done sign-in.
        tries_left: u32,
    },
    /// The code was over. A new one is on its way, where one could be sent.
    Expired {
        /// What the page may show about the new code.
        sent: Option<CodeNotice>,
    },
    /// That was the last try: begin again with the password.
    TriesUsed,
    /// Too many wrong codes in a row: only a new password opens the account again.
    Closed,
    /// There is nothing half done any more, or it took too long: begin again with the password.
    StartAgain,
}

impl CodeRefused {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Format(format) => format.reason(),
            Self::Wrong { .. } => Reason::new("code.wrong"),
            Self::Expired { .. } => Reason::new("code.expired"),
            Self::TriesUsed => Reason::new("code.tries_used"),
            Self::Closed => Reason::new("code.closed"),
            Self::StartAgain => Reason::new("code.start_again"),
        }
    }
}

/// Why a code was not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResendRefused {
    /// Too soon.
    Wait {
        /// The earliest moment.
        until: Timestamp,
    },
    /// All mails of this half-done sign-in are used up.
    NoMoreMails,
    /// Too many wrong codes in a row, so no code would be taken: only a new password opens the account again.
    Closed,
    /// There is nothing half done any more.
    StartAgain,
}

const CODE_REFUSED: Reason = Reason::new("code.refused");
const CODE_SENT: Reason = Reason::new("code.sent");

/// What a code that was typed means, decided from the two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Right,
    Wrong,
    Expired,
    Closed,
    StartAgain,
}

/// The limits that [`decide`] applies.
#[derive(Debug, Clone, Copy)]
struct Limits {
    tries: u32,
    failures_in_a_row: u32,
}

/// Pure: everything but the comparison itself comes from the rows.
fn decide(
    challenge: &ChallengeRow,
    account: &AccountRow,
    now: Timestamp,
    limits: Limits,
    matches: bool,
) -> Decision {
    let alive =
        challenge.epoch == account.auth_epoch && account.status.is_active() && now < challenge.expires_at;
    if !alive || challenge.tries >= limits.tries {
        return Decision::StartAgain;
    }
    if account.code_failures >= limits.failures_in_a_row {
        return Decision::Closed;
    }
    if now >= challenge.code_expires_at {
        return Decision::Expired;
    }
    if matches { Decision::Right } else { Decision::Wrong }
}

/// What a right code is answered with, added to the unit of work that uses the challenge up.
pub(crate) struct RightCode<'a> {
    pub(crate) account: &'a AccountRow,
    pub(crate) now: Timestamp,
}

impl Inner {
    /// The row key of a genuine challenge token.
    pub(crate) fn challenge_key(&self, token: &ChallengeToken) -> Option<ChallengeKey> {
        let seed = self.keyring.open(Purpose::Challenge, token.expose())?;
        Some(ChallengeKey::from_bytes(row_key(Purpose::Challenge, &seed)))
    }

    /// Finds the challenge of `token`, if it is one of `purpose` for `session` and still lives; one from the future is
    /// not believed (CLK-2).
    pub(crate) async fn live_challenge(
        &self,
        token: &ChallengeToken,
        purpose: ChallengePurpose,
        session: Option<SessionKey>,
    ) -> Result<Option<(ChallengeRow, AccountRow)>, Fault> {
        let Some(key) = self.challenge_key(token) else {
            return Ok(None);
        };
        let found = self.store.by_challenge(key).await?;
        let now = self.now();
        Ok(found.filter(|(challenge, account)| {
            challenge.purpose == purpose
                && challenge.session == session
                && challenge.epoch == account.auth_epoch
                && account.status.is_active()
                && self.believed("challenge", challenge.code_issued_at, now)
                && now < challenge.expires_at
        }))
    }

    /// Checks a code and, where it is right, commits what `complete` adds; returns what `complete` returned.
    ///
    /// A verdict leaves this function only after the commit that counted it won (OTP-6, I-16).
    pub(crate) async fn check_code<T>(
        &self,
        visitor: &Visitor,
        token: &ChallengeToken,
        purpose: ChallengePurpose,
        session: Option<SessionKey>,
        typed: &str,
        mut complete: impl FnMut(RightCode<'_>) -> Result<(UnitOfWork, T), Fault>,
    ) -> Result<T, Denied<CodeRefused>> {
        let digits = self.config.codes.digits;
        let typed = OneTimeCode::parse(typed, digits).map_err(|e| Denied::Refused(CodeRefused::Format(e)))?;
        let mut alert = Alert::default();
        let Some(key) = self.challenge_key(token) else {
            return Err(Denied::Refused(CodeRefused::StartAgain));
        };
        // One after the other, as they came: in a crowd a right code is quicker to commit than a wrong one, which may
        // have a mail to pay for, and would find a gap before the last try is counted.
        let _flight = self
            .flights
            .board(BucketKey::from_bytes(*key.as_bytes()))
            .await
            .ok_or_else(contended)?;
        for _ in 0..ATTEMPTS {
            let Some((challenge, account)) = self.live_challenge(token, purpose, session).await? else {
                return Err(Denied::Refused(CodeRefused::StartAgain));
            };
            let now = self.now();
            let codes = &self.config.codes;
            let limits = Limits {
                tries: codes.tries,
                failures_in_a_row: codes.failures_in_a_row,
            };
            // A code whose key is retired is over, not a fault of the service.
            let matches = self
                .keyring
                .code(&challenge, digits)
                .is_ok_and(|code| code.matches(&typed));
            match decide(&challenge, &account, now, limits, matches) {
                Decision::Right => {
                    let (work, answer) = complete(RightCode {
                        account: &account,
                        now,
                    })?;
                    if self.commit(use_up(work, &challenge, &account, now)).await? == Commit::Done {
                        return Ok(answer);
                    }
                }
                Decision::Wrong => {
                    if let Some(refused) = self
                        .count_wrong_code(visitor, &challenge, &account, &mut alert, now)
                        .await?
                    {
                        return Err(Denied::Refused(refused));
                    }
                }
                Decision::Expired => return self.renew_code(visitor, challenge, &account, now).await,
                Decision::Closed => return Err(Denied::Refused(CodeRefused::Closed)),
                Decision::StartAgain => return Err(Denied::Refused(CodeRefused::StartAgain)),
            }
        }
        Err(contended())
    }

    /// Counts a wrong code on the challenge and on the account; `None` when a row changed in between.
    async fn count_wrong_code(
        &self,
        visitor: &Visitor,
        challenge: &ChallengeRow,
        account: &AccountRow,
        alert: &mut Alert,
        now: Timestamp,
    ) -> Result<Option<CodeRefused>, Denied<CodeRefused>> {
        let codes = &self.config.codes;
        let tries = challenge.tries.saturating_add(1);
        let failures = account.code_failures.saturating_add(1);
        let refused = if failures >= codes.failures_in_a_row {
            CodeRefused::Closed
        } else if tries >= codes.tries {
            CodeRefused::TriesUsed
        } else {
            CodeRefused::Wrong {
                tries_left: codes.tries.saturating_sub(tries),
            }
        };
        let event = Event::new(CODE_REFUSED, Actor::Visitor)
            .about(account.id)
            .because(refused.reason());
        let mut work = UnitOfWork::new(self.audit(self.seen_from(event, visitor, None), now)?);
        let counted = AccountRow {
            code_failures: failures,
            updated_at: now,
            ..account.clone()
        };
        work = work.change(Change::Account(Box::new(Write::Update(counted))));
        work = if tries >= codes.tries || refused == CodeRefused::Closed {
            work.change(Change::Challenge(Box::new(Write::Delete(challenge.key))))
        } else {
            let row = ChallengeRow {
                tries,
                ..challenge.clone()
            };
            work.change(Change::Challenge(Box::new(Write::Update(row))))
        };
        if refused == CodeRefused::Closed {
            let mut mail = self.mail(
                MailKind::TooManyTries,
                &account.email,
                now,
                now.plus(codes.lifetime.saturating_mul(144)),
            )?;
            mail.account = Some(account.id);
            mail.facts = serde_json::json!({ "codes": "closed" }).to_string();
            work = work.mail(mail);
        }
        if refused == CodeRefused::TriesUsed {
            let what = Unusual::CodeFailed;
            work = self.add_unusual(work, alert, account, what, visitor, now).await?;
        }
        if self.commit(work).await? == Commit::Conflict {
            return Ok(None);
        }
        self.counters.sign_ins_refused.fetch_add(1, Ordering::Relaxed);
        Ok(Some(refused))
    }

    /// Sends a new code in place of one that is over, where the limits allow one more mail.
    async fn renew_code<T>(
        &self,
        visitor: &Visitor,
        challenge: ChallengeRow,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<T, Denied<CodeRefused>> {
        let sent = match self.mail_code_again(visitor, challenge, account, now).await {
            Ok(notice) => Some(notice),
            Err(Denied::Refused(_) | Denied::TooManyTries { .. }) => None,
            Err(Denied::Busy { retry_after }) => return Err(Denied::Busy { retry_after }),
            Err(Denied::Fault(fault)) => return Err(Denied::Fault(fault)),
        };
        Err(Denied::Refused(CodeRefused::Expired { sent }))
    }

    /// Mails the current code again while at least half its life remains, else the next one (OTP-2, OTP-7).
    ///
    /// Tries are counted on the challenge, so a new code refills nothing.
    pub(crate) async fn mail_code_again(
        &self,
        visitor: &Visitor,
        challenge: ChallengeRow,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<CodeNotice, Denied<ResendRefused>> {
        let codes = &self.config.codes;
        // Before everything else: nobody is to wait, or to ask their mailbox, for a code that cannot be used.
        if account.code_failures >= codes.failures_in_a_row {
            return Err(Denied::Refused(ResendRefused::Closed));
        }
        if challenge.mails >= codes.mails {
            return Err(Denied::Refused(ResendRefused::NoMoreMails));
        }
        let again_at = challenge.mailed_at.plus(codes.resend_pause);
        if now < again_at {
            return Err(Denied::Refused(ResendRefused::Wait { until: again_at }));
        }
        if let Some(retry_after) = self.spend_code_mail(account, now).await? {
            return Err(Denied::TooManyTries { retry_after });
        }
        let left = challenge.code_expires_at.since(now);
        let mut row = ChallengeRow {
            mails: challenge.mails.saturating_add(1),
            mailed_at: now,
            ..challenge
        };
        if left.saturating_mul(2) < codes.lifetime {
            row.code_no = row.code_no.saturating_add(1);
            row.code_key = self.keyring.code_key();
            row.code_issued_at = now;
            row.code_expires_at = now.plus(codes.lifetime).min(row.expires_at);
        }
        let event = self.seen_from(
            Event::new(CODE_SENT, Actor::Visitor).about(account.id),
            visitor,
            None,
        );
        let mail = self.code_mail(&row, &account.email, now, visitor)?;
        let notice = self.code_notice(&row, &account.email);
        let work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Challenge(Box::new(Write::Update(row))))
            .mail(mail);
        match self.commit(work).await? {
            Commit::Done => Ok(notice),
            Commit::Conflict => Err(contended()),
        }
    }
}

/// A right code ends its challenge, and with it the count of wrong ones in a row (I-15).
fn use_up(work: UnitOfWork, challenge: &ChallengeRow, account: &AccountRow, now: Timestamp) -> UnitOfWork {
    // Counted first, guarded by the tries that were read: a row that is only removed goes however many wrong tries
    // were counted meanwhile, and of fifty codes sent at once the right one always won (OTP-6).
    let counted = ChallengeRow {
        tries: challenge.tries.saturating_add(1),
        ..challenge.clone()
    };
    let work = work
        .change(Change::Challenge(Box::new(Write::Update(counted))))
        .change(Change::Challenge(Box::new(Write::Delete(challenge.key))));
    // Written even where nothing is to be counted anew: else a code whose check began before the last wrong one of
    // another sign-in was counted would still succeed after it (I-15).
    let row = AccountRow {
        code_failures: 0,
        updated_at: if account.code_failures == 0 {
            account.updated_at
        } else {
            now
        },
        ..account.clone()
    };
    work.change(Change::Account(Box::new(Write::Update(row))))
}
