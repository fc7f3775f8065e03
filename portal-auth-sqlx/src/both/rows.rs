//! From columns to row images. The order of the columns is the one of the lists in `sql`.

use portal_auth::account::chosen_question::ChosenQuestion;
use portal_auth::account::email::EmailAddress;
use portal_auth::account::profile::StoredProfile;
use portal_auth::account::recovery::Recovery;
use portal_auth::account::snapshot::{AccountId, AccountRow};
use portal_auth::account::status::{AuthEpoch, Status, TwoStep};
use portal_auth::audit::{Actor, AuditRow};
use portal_auth::audit_seal::{SealKind, SealRow};
use portal_auth::challenge::{ChallengePurpose, ChallengeRow, CodeSeed};
use portal_auth::device::DeviceRow;
use portal_auth::environment::Timestamp;
use portal_auth::language::LanguageTag;
use portal_auth::link::{Answer, LinkPurpose, LinkRow, LinkSeed, LinkState, LinkSubject};
use portal_auth::mail::outbox::{MailKind, MailStatus, OutboxRow};
use portal_auth::password::hash::StoredHash;
use portal_auth::registration::draft::DraftRow;
use portal_auth::registration::{RegistrationData, RegistrationId, RegistrationRow, RegistrationState};
use portal_auth::session::{Level, SessionRow, SessionView};
use portal_auth::throttle::{Bucket, BucketKey};
use sqlx::{Decode, Row as _, Type};

use super::{Db, Row};
use crate::error::broken;

type Read<T> = Result<T, sqlx::Error>;

/// Hands out the columns of a row from left to right.
pub(crate) struct Columns<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: Decode<'r, Db> + Type<Db>>(&mut self) -> Read<T> {
        let at = self.next;
        self.next = at.saturating_add(1);
        self.row.try_get(at)
    }

    fn skip(&mut self, columns: usize) {
        self.next = self.next.saturating_add(columns);
    }

    /// Whether the next column is NULL, as the key of a row that an outer join did not find.
    fn is_absent(&self) -> Read<bool> {
        Ok(self.row.try_get::<Option<&[u8]>, _>(self.next)?.is_none())
    }

    pub(crate) fn time(&mut self) -> Read<Timestamp> {
        self.take().map(Timestamp::from_micros)
    }

    fn maybe_time(&mut self) -> Read<Option<Timestamp>> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp::from_micros))
    }

    fn language(&mut self) -> Read<Option<LanguageTag>> {
        self.take::<Option<&str>>()?
            .map(|text| LanguageTag::parse(text).map_err(|_| broken("language")))
            .transpose()
    }

    pub(crate) fn key<K: for<'a> TryFrom<&'a [u8]>>(&mut self, column: &'static str) -> Read<K> {
        K::try_from(self.take::<&[u8]>()?).map_err(|_| broken(column))
    }

    fn maybe_key<K: for<'a> TryFrom<&'a [u8]>>(&mut self, column: &'static str) -> Read<Option<K>> {
        self.take::<Option<&[u8]>>()?
            .map(|bytes| K::try_from(bytes).map_err(|_| broken(column)))
            .transpose()
    }

    pub(crate) fn count(&mut self, column: &'static str) -> Read<u32> {
        u32::try_from(self.take::<i64>()?).map_err(|_| broken(column))
    }

    fn word<T>(&mut self, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Read<T> {
        read(self.take()?).ok_or_else(|| broken(column))
    }

    fn email(&mut self) -> Read<EmailAddress> {
        self.word("email", |text| EmailAddress::parse(text).ok())
    }

    fn hash(&mut self, column: &'static str) -> Read<StoredHash> {
        self.word(column, |text| StoredHash::parse_column(text).ok())
    }

    fn maybe_hash(&mut self, column: &'static str) -> Read<Option<StoredHash>> {
        self.take::<Option<&str>>()?
            .map(|text| StoredHash::parse_column(text).map_err(|_| broken(column)))
            .transpose()
    }

    fn question_and_answer(&mut self) -> Read<(Option<ChosenQuestion>, Option<StoredHash>)> {
        let question = self
            .take::<Option<&str>>()?
            .map(|text| {
                let parsed = ChosenQuestion::parse(text);
                parsed.map_err(|_| broken("question"))
            })
            .transpose()?;
        Ok((question, self.maybe_hash("answer")?))
    }

    fn profile(&mut self) -> Read<StoredProfile> {
        let version = self.count("profile_version")?;
        let sections = serde_json::from_str(self.take()?).map_err(|_| broken("profile"))?;
        Ok(StoredProfile::new(version, sections))
    }

    pub(crate) fn account(&mut self) -> Read<AccountRow> {
        let id = self.key("id")?;
        let version = self.take()?;
        let email = self.email()?;
        let status = self.word("status", Status::from_word)?;
        let auth_epoch = self.key("auth_epoch")?;
        let password = self.hash("password")?;
        let two_step = self.word("two_step", TwoStep::from_word)?;
        let (question, answer) = self.question_and_answer()?;
        Ok(AccountRow {
            id,
            version,
            email,
            status,
            auth_epoch,
            password,
            two_step,
            question,
            answer,
            profile: self.profile()?,
            code_failures: self.count("code_failures")?,
            created_at: self.time()?,
            updated_at: self.time()?,
            language: self.language()?,
            locked: self.take::<i64>()? != 0,
            recovery: Recovery {
                answer_failures: self.count("answer_failures")?,
                pauses: self.count("recovery_pauses")?,
                paused_until: self.maybe_time()?,
                due_at: self.maybe_time()?,
            },
            email_changed_at: self.maybe_time()?,
            closed_at: self.maybe_time()?,
        })
    }

    pub(crate) fn maybe_account(&mut self) -> Read<Option<AccountRow>> {
        if self.is_absent()? {
            self.skip(22);
            return Ok(None);
        }
        self.account().map(Some)
    }

    pub(crate) fn device(&mut self) -> Read<Option<DeviceRow>> {
        if self.is_absent()? {
            self.skip(4);
            return Ok(None);
        }
        Ok(Some(DeviceRow {
            device: self.key("device")?,
            account: self.key("account_id")?,
            epoch: self.key("epoch")?,
            last_used: self.time()?,
        }))
    }

    pub(crate) fn registration(&mut self) -> Read<RegistrationRow> {
        let id = self.key("id")?;
        let version = self.take()?;
        let email = self.email()?;
        let state = self.word("state", RegistrationState::from_word)?;
        // The password may be missing where there are data; the fourth of their columns, the profile's version, never is.
        let profile_version = self.next.saturating_add(3);
        let data = if self.row.try_get::<Option<i64>, _>(profile_version)?.is_some() {
            let password = self.maybe_hash("password")?;
            let (question, answer) = self.question_and_answer()?;
            Some(RegistrationData {
                password,
                question,
                answer,
                profile: self.profile()?,
            })
        } else {
            self.skip(5);
            None
        };
        Ok(RegistrationRow {
            id,
            version,
            email,
            state,
            data,
            link: self.key("link")?,
            submitted_at: self.time()?,
            kept_until: self.time()?,
        })
    }

    pub(crate) fn maybe_registration(&mut self) -> Read<Option<RegistrationRow>> {
        if self.is_absent()? {
            self.skip(12);
            return Ok(None);
        }
        self.registration().map(Some)
    }

    pub(crate) fn link(&mut self) -> Read<LinkRow> {
        Ok(LinkRow {
            key: self.key("key")?,
            version: self.take()?,
            purpose: self.word("purpose", LinkPurpose::from_word)?,
            seed: self.maybe_key::<[u8; 16]>("seed")?.map(LinkSeed::from_bytes),
            subject: self.subject()?,
            address: self.email()?,
            epoch: self.maybe_key::<AuthEpoch>("epoch")?,
            state: self.word("state", LinkState::from_word)?,
            tries: self.count("tries")?,
            issued_at: self.time()?,
            expires_at: self.time()?,
            ended_at: self.maybe_time()?,
            opens_at: self.time()?,
            concerns: self.maybe_key("concerns")?,
            answer: self.answer()?,
        })
    }

    fn answer(&mut self) -> Read<Answer> {
        let word = self.take::<&str>()?;
        let proof = self.maybe_key("answer_proof")?;
        match (word, proof, self.maybe_time()?) {
            ("owed", None, None) => Ok(Answer::Owed),
            ("waived", None, None) => Ok(Answer::Waived),
            ("given", Some(proof), Some(at)) => Ok(Answer::Given { proof, at }),
            _ => Err(broken("answer")),
        }
    }

    fn subject(&mut self) -> Read<LinkSubject> {
        match self.take::<&str>()? {
            "registration" => self
                .key::<RegistrationId>("subject_id")
                .map(LinkSubject::Registration),
            "account" => self.key::<AccountId>("subject_id").map(LinkSubject::Account),
            _ => Err(broken("subject_kind")),
        }
    }

    pub(crate) fn maybe_link(&mut self) -> Read<Option<LinkRow>> {
        if self.is_absent()? {
            self.skip(18);
            return Ok(None);
        }
        self.link().map(Some)
    }

    pub(crate) fn challenge(&mut self) -> Read<ChallengeRow> {
        Ok(ChallengeRow {
            key: self.key("key")?,
            version: self.take()?,
            purpose: self.word("purpose", ChallengePurpose::from_word)?,
            account: self.key("account_id")?,
            epoch: self.key("epoch")?,
            session: self.maybe_key("session")?,
            code_seed: self.key::<[u8; 16]>("code_seed").map(CodeSeed::from_bytes)?,
            code_no: self.count("code_no")?,
            code_key: self.take()?,
            code_issued_at: self.time()?,
            code_expires_at: self.time()?,
            tries: self.count("tries")?,
            mails: self.count("mails")?,
            mailed_at: self.time()?,
            created_at: self.time()?,
            expires_at: self.time()?,
        })
    }

    pub(crate) fn session(&mut self) -> Read<SessionRow> {
        Ok(SessionRow {
            key: self.key("key")?,
            handle: self.key("handle")?,
            account: self.key("account_id")?,
            epoch: self.key("epoch")?,
            level: self.word("level", Level::from_word)?,
            created_at: self.time()?,
            last_seen: self.time()?,
            confirmed_at: self.time()?,
            expires_at: self.time()?,
            label: self.take()?,
            network: self.take()?,
        })
    }

    pub(crate) fn session_view(&mut self) -> Read<SessionView> {
        Ok(SessionView {
            session: self.session()?,
            account_epoch: self.key("auth_epoch")?,
            account_status: self.word("status", Status::from_word)?,
            account_two_step: self.word("two_step", TwoStep::from_word)?,
        })
    }

    pub(crate) fn draft(&mut self) -> Read<DraftRow> {
        Ok(DraftRow {
            key: self.key("key")?,
            version: self.take()?,
            body: self.take()?,
            expires_at: self.time()?,
        })
    }

    pub(crate) fn event(&mut self) -> Read<AuditRow> {
        Ok(AuditRow {
            id: self.key("id")?,
            at: self.time()?,
            kind: self.take()?,
            reason: self.take()?,
            actor: self.word("actor", Actor::from_word)?,
            account: self.maybe_key("account_id")?,
            address: self.maybe_key("address")?,
            network: self.maybe_key("network")?,
            label: self.take()?,
            mac_key: self.take()?,
            mac: self.key("mac")?,
        })
    }

    pub(crate) fn seal(&mut self) -> Read<SealRow> {
        let digest = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| broken("chain"));
        Ok(SealRow {
            no: self.take()?,
            kind: self.word("kind", SealKind::from_word)?,
            made_at: self.time()?,
            events: self.count("events")?,
            chain: digest(self.take()?)?,
            mac_key: self.take()?,
            mac: self.key("mac")?,
        })
    }

    pub(crate) fn mail(&mut self) -> Read<OutboxRow> {
        Ok(OutboxRow {
            id: self.key("id")?,
            kind: self.word("kind", MailKind::from_word)?,
            to: self.email()?,
            account: self.maybe_key("account_id")?,
            link: self.maybe_key("link")?,
            challenge: self.maybe_key("challenge")?,
            facts: self.take()?,
            created_at: self.time()?,
            expires_at: self.time()?,
            status: self.word("status", MailStatus::from_word)?,
            attempts: self.count("attempts")?,
            next_at: self.time()?,
            lease_no: self.take()?,
            lease_until: self.time()?,
            last_error: self.take()?,
        })
    }

    pub(crate) fn bucket(&mut self) -> Read<(BucketKey, Bucket)> {
        let key = self.key("key")?;
        let bucket = Bucket {
            failures: self.count("failures")?,
            open_at: self.time()?,
            changed: self.time()?,
            hashes: self.count("hashes")?,
            hashes_since: self.time()?,
        };
        Ok((key, bucket))
    }
}
