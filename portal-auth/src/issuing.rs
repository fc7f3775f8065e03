//! What a right proof is answered with: a session, a familiar device, or a code on its way.

use std::time::Duration;

use crate::account::email::EmailAddress;
use crate::account::recovery::Recovery;
use crate::account::snapshot::AccountRow;
use crate::account::status::AuthEpoch;
use crate::challenge::{ChallengeKey, ChallengePurpose, ChallengeRow, CodeSeed};
use crate::device::{DeviceKey, DeviceRow};
use crate::environment::{Timestamp, draw};
use crate::error::{Fault, Reason};
use crate::mail::outbox::{MailKind, OutboxRow};
use crate::mail::quota::{QuotaLimits, QuotaLine, Spent};
use crate::portal::Inner;
use crate::secret::keyring::row_key;
use crate::secret::token::{ChallengeToken, DeviceToken, Purpose, SessionToken};
use crate::session::{Level, SessionHandle, SessionKey, SessionRow};
use crate::session_gate::SignedIn;
use crate::unit_of_work::{Change, Guard, Sweep, UnitOfWork, Write};
use crate::visitor::Visitor;

/// A new session, for the host to put into cookies.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewSession {
    /// Goes into the session cookie, in place of any other.
    pub session: SessionToken,
    /// Goes into the device cookie, where the browser had none that is genuine.
    pub device: Option<DeviceToken>,
    /// What the session proved.
    pub level: Level,
}

/// The person's own session after a change that ended all others, for the host to put into cookies.
#[derive(Debug)]
#[non_exhaustive]
pub struct RenewedSession {
    /// Goes into the session cookie, in place of the one before.
    pub session: SessionToken,
    /// Goes into the device cookie, where the browser had none that is genuine.
    pub device: Option<DeviceToken>,
}

/// Why a right password was refused although the account is in order: its code mails are used up for now (OTP-7).
pub(crate) const NO_CODE_MAIL_LEFT: Reason = Reason::new("code.no_mail_left");

/// A code is on its way, and a half-done sign-in or confirmation waits for it.
#[derive(Debug)]
#[non_exhaustive]
pub struct CodeSent {
    /// Goes into the cookie of the half-done sign-in.
    pub challenge: ChallengeToken,
    /// What the code's page may show.
    pub notice: CodeNotice,
}

/// What the code's page may show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeNotice {
    /// The address it went to, masked.
    pub sent_to: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// From when on the code does not work.
    pub expires_at: Timestamp,
    /// The earliest moment at which it can be sent again; `None` when no further mail is left.
    pub again_at: Option<Timestamp>,
}

/// How long a proof of a device is written for; its row's epoch may end it at any time.
pub(crate) struct DeviceGrant {
    pub(crate) row: DeviceRow,
    pub(crate) fresh: Option<DeviceToken>,
}

/// Ends all half-done sign-ins of an account, and all sessions but `except`.
pub(crate) fn end_everything(
    work: UnitOfWork,
    account: &AccountRow,
    except: Option<SessionKey>,
) -> UnitOfWork {
    let account = account.id;
    work.sweep(Sweep::EndSessions { account, except })
        .sweep(Sweep::EndChallenges(account))
}

impl Inner {
    /// Draws a session for `account` and adds it to `work`; `created_at` is the sign-in it goes back to.
    ///
    /// The session carries the epoch of `account` as it was read and is dead on arrival if that has moved.
    pub(crate) fn add_session(
        &self,
        work: UnitOfWork,
        account: &AccountRow,
        level: Level,
        created_at: Timestamp,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<(UnitOfWork, SessionToken), Fault> {
        let minted = self.keyring.mint(Purpose::Session, &*self.entropy)?;
        let row = SessionRow {
            key: SessionKey::from_bytes(row_key(Purpose::Session, &minted.seed)),
            handle: SessionHandle::draw(&*self.entropy)?,
            account: account.id,
            epoch: account.auth_epoch,
            level,
            created_at,
            last_seen: now,
            confirmed_at: now,
            expires_at: created_at.plus(self.config.sessions.absolute),
            label: visitor.label(),
            network: visitor.coarse_network(),
        };
        let work = work
            .guard(Guard::InEpoch {
                account: account.id,
                epoch: account.auth_epoch,
            })
            .change(Change::Session(Box::new(Write::Insert(row))))
            .sweep(Sweep::KeepNewestSessions {
                account: account.id,
                keep: self.config.sessions.most,
            });
        Ok((work, SessionToken::minted(minted.text)))
    }

    /// Lets the session `old` go on under a new token in the epoch that `work` gives `account`, and ends all others.
    ///
    /// `work` must update `account` as well: its version is the guard. Sign-in time, level and last proof stay, so a
    /// change neither lifts a session nor lengthens it (SES-2, SES-5, I-19); one that has ended meanwhile is a conflict.
    pub(crate) fn reissue_session(
        &self,
        work: UnitOfWork,
        account: &AccountRow,
        old: &SessionRow,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<(UnitOfWork, SessionToken), Fault> {
        let minted = self.keyring.mint(Purpose::Session, &*self.entropy)?;
        let row = SessionRow {
            key: SessionKey::from_bytes(row_key(Purpose::Session, &minted.seed)),
            handle: SessionHandle::draw(&*self.entropy)?,
            epoch: account.auth_epoch,
            last_seen: now,
            label: visitor.label(),
            network: visitor.coarse_network(),
            ..old.clone()
        };
        let except = Some(row.key);
        let work = work
            .change(Change::Session(Box::new(Write::Delete(old.key))))
            .change(Change::Session(Box::new(Write::Insert(row))))
            .sweep(Sweep::EndSessions {
                account: account.id,
                except,
            })
            .sweep(Sweep::EndChallenges(account.id));
        Ok((work, SessionToken::minted(minted.text)))
    }

    /// The account in a new epoch: whatever carries the old one is dead once this is written (SES-5).
    pub(crate) fn in_new_epoch(&self, account: &AccountRow, now: Timestamp) -> Result<AccountRow, Fault> {
        Ok(AccountRow {
            auth_epoch: AuthEpoch::draw(&*self.entropy)?,
            // A reset that waited without the answer has carried the old epoch (RST-7).
            recovery: Recovery {
                due_at: None,
                ..account.recovery
            },
            updated_at: now,
            ..account.clone()
        })
    }

    /// As [`reissue_session`](Self::reissue_session), with the browser familiar in the new epoch too.
    pub(crate) fn renew_in_epoch(
        &self,
        work: UnitOfWork,
        account: &AccountRow,
        own: &SignedIn,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<(UnitOfWork, RenewedSession), Fault> {
        let (work, session) = self.reissue_session(work, account, own.session(), now, visitor)?;
        let (work, device) = self.add_device(work, account, now, visitor)?;
        Ok((work, RenewedSession { session, device }))
    }

    /// Makes the visitor's browser familiar to `account` and adds that to `work`; mints a device token where the
    /// browser has none.
    pub(crate) fn add_device(
        &self,
        work: UnitOfWork,
        account: &AccountRow,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<(UnitOfWork, Option<DeviceToken>), Fault> {
        let grant = self.device_grant(account, now, visitor)?;
        let work = work
            .change(Change::Device(grant.row))
            .sweep(Sweep::KeepNewestDevices {
                account: account.id,
                keep: self.config.guessing.devices,
            });
        Ok((work, grant.fresh))
    }

    fn device_grant(
        &self,
        account: &AccountRow,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<DeviceGrant, Fault> {
        let (device, fresh) = match self.device_key(visitor) {
            Some(key) => (key, None),
            None => {
                let minted = self.keyring.mint(Purpose::Device, &*self.entropy)?;
                let key = DeviceKey::from_bytes(row_key(Purpose::Device, &minted.seed));
                (key, Some(DeviceToken::minted(minted.text)))
            }
        };
        let row = DeviceRow {
            device,
            account: account.id,
            epoch: account.auth_epoch,
            last_used: now,
        };
        Ok(DeviceGrant { row, fresh })
    }

    /// Draws a challenge for `account` and adds it and its code's mail to `work`.
    pub(crate) fn add_challenge(
        &self,
        work: UnitOfWork,
        account: &AccountRow,
        purpose: ChallengePurpose,
        session: Option<SessionKey>,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<(UnitOfWork, CodeSent), Fault> {
        let codes = &self.config.codes;
        let minted = self.keyring.mint(Purpose::Challenge, &*self.entropy)?;
        let row = ChallengeRow {
            key: ChallengeKey::from_bytes(row_key(Purpose::Challenge, &minted.seed)),
            version: 1,
            purpose,
            account: account.id,
            epoch: account.auth_epoch,
            session,
            code_seed: CodeSeed::from_bytes(draw(&*self.entropy)?),
            code_no: 1,
            code_key: self.keyring.code_key(),
            code_issued_at: now,
            code_expires_at: now.plus(codes.lifetime),
            tries: 0,
            mails: 1,
            mailed_at: now,
            created_at: now,
            expires_at: now.plus(codes.challenge_lifetime),
        };
        let mail = self.code_mail(&row, &account.email, now, visitor)?;
        let notice = self.code_notice(&row, &account.email);
        let work = work
            .guard(Guard::InEpoch {
                account: account.id,
                epoch: account.auth_epoch,
            })
            .change(Change::Challenge(Box::new(Write::Insert(row))))
            .sweep(Sweep::KeepNewestChallenges {
                account: account.id,
                keep: codes.live,
            })
            .mail(mail);
        Ok((
            work,
            CodeSent {
                challenge: ChallengeToken::minted(minted.text),
                notice,
            },
        ))
    }

    /// The mail that carries a challenge's current code (E4).
    pub(crate) fn code_mail(
        &self,
        row: &ChallengeRow,
        to: &EmailAddress,
        now: Timestamp,
        visitor: &Visitor,
    ) -> Result<OutboxRow, Fault> {
        let mut mail = self.mail(MailKind::SignInCode, to, now, row.code_expires_at)?;
        mail.account = Some(row.account);
        mail.challenge = Some(row.key);
        mail.facts =
            serde_json::json!({ "browser": visitor.label(), "code_no": row.code_no.to_string() }).to_string();
        Ok(mail.read_by(visitor))
    }

    pub(crate) fn code_notice(&self, row: &ChallengeRow, to: &EmailAddress) -> CodeNotice {
        let codes = &self.config.codes;
        CodeNotice {
            sent_to: to.masked(),
            sent_at: row.mailed_at,
            expires_at: row.code_expires_at,
            again_at: (row.mails < codes.mails).then(|| row.mailed_at.plus(codes.resend_pause)),
        }
    }

    /// Counts a code mail to `account`: the password was right, so only the account's own limits hold it (OTP-7).
    ///
    /// Answers how long to wait where the hour or the day is used up. The caller settles the try all the same: a
    /// right password is no failure (THR-7).
    pub(crate) async fn spend_code_mail(
        &self,
        account: &AccountRow,
        now: Timestamp,
    ) -> Result<Option<Duration>, Fault> {
        let codes = &self.config.codes;
        let hour = Duration::from_secs(3600);
        let line = QuotaLine {
            key: self.keyring.pseudonym("mail/code", account.id.as_bytes()),
            limits: QuotaLimits::Sliding(vec![
                (codes.mails_an_hour, hour),
                (codes.mails_a_day, hour.saturating_mul(24)),
            ]),
        };
        match self.store.spend(&[line], now).await? {
            Spent::Granted { .. } => Ok(None),
            Spent::Refused { until } => Ok(Some(until.since(now))),
        }
    }
}
