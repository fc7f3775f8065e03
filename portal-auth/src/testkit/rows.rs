//! Rows to fill a store with: each function makes a plain, valid one, told apart by a small number. Change what a
//! test is about with struct update syntax: `SessionRow { level: Level::Two, ..rows::session(1, &account) }`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::account::chosen_question::ChosenQuestion;
use crate::account::email::EmailAddress;
use crate::account::profile::StoredProfile;
use crate::account::recovery::Recovery;
use crate::account::snapshot::{AccountId, AccountRow};
use crate::account::status::{AuthEpoch, Status, TwoStep};
use crate::audit::{Actor, AuditRow, EventId};
use crate::challenge::{ChallengeKey, ChallengePurpose, ChallengeRow, CodeSeed};
use crate::device::{DeviceKey, DeviceRow};
use crate::environment::Timestamp;
use crate::link::{Answer, LinkKey, LinkPurpose, LinkRow, LinkSeed, LinkState, LinkSubject};
use crate::mail::outbox::{MailId, MailKind, MailStatus, OutboxRow};
use crate::password::hash::StoredHash;
use crate::registration::draft::{DraftKey, DraftRow};
use crate::registration::{RegistrationData, RegistrationId, RegistrationRow, RegistrationState};
use crate::session::{Level, SessionHandle, SessionKey, SessionRow};
use crate::throttle::BucketKey;
use crate::unit_of_work::{Change, UnitOfWork, Write};

/// The moment around which all rows are made: 1 March 2026, 12:00 UTC.
pub const T0: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);

/// One microsecond: the smallest step of time there is.
pub const MICRO: Duration = Duration::from_micros(1);

/// `seconds` after [`T0`].
#[must_use]
pub fn at(seconds: u64) -> Timestamp {
    T0.plus(Duration::from_secs(seconds))
}

/// Bytes that `n` alone decides, with every byte used: a store that cuts or pads a key is found out.
fn bytes<const N: usize>(n: u32) -> [u8; N] {
    let mut bytes = [0xa5; N];
    bytes
        .iter_mut()
        .rev()
        .zip(n.to_le_bytes())
        .for_each(|(byte, part)| *byte = part);
    bytes
}

/// The address `person<n>@school.example`.
#[must_use]
pub fn email(n: u32) -> EmailAddress {
    address(&format!("person{n}@school.example"))
}

/// The address `text`.
///
/// # Panics
/// Where `text` is no address.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that gives no address must hear of it")]
pub fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address of a test must be one")
}

/// A well-formed Argon2id hash of nothing in particular.
///
/// # Panics
/// Never: it is well-formed for every `n`.
#[must_use]
#[expect(clippy::expect_used, reason = "the text is a constant shape")]
pub fn hash(n: u32) -> StoredHash {
    // The last character carries bits that no byte needs: strict decoders refuse any that are set.
    let salt = format!("{n:A>20}AA");
    let digest = "A".repeat(43);
    StoredHash::parse(&format!("$argon2id$v=19$m=8,t=1,p=1${salt}${digest}"))
        .expect("a hash of the test kit must be one")
}

/// The secret question `first_school`.
///
/// # Panics
/// Never: it is a well-formed name.
#[must_use]
#[expect(clippy::expect_used, reason = "the text is a constant")]
pub fn question() -> ChosenQuestion {
    ChosenQuestion::parse("first_school").expect("a question of the test kit must be one")
}

/// The longest question that somebody can have made up.
///
/// # Panics
/// Never: it is a well-formed question.
#[must_use]
#[expect(clippy::expect_used, reason = "the text is a constant")]
pub fn own_question() -> ChosenQuestion {
    let text = "\u{e9}".repeat(62);
    ChosenQuestion::parse(&format!("own:{text}")).expect("a question of the test kit must be one")
}

/// A profile with one section, not all of it ASCII.
#[must_use]
pub fn profile() -> StoredProfile {
    let mut section = Map::new();
    section.insert("name".into(), Value::from("Zoë Łukasz 山田"));
    section.insert("years".into(), Value::from(7));
    let mut sections = Map::new();
    sections.insert("about_you".into(), Value::Object(section));
    StoredProfile::new(1, sections)
}

/// The id of [`account`]`(n)`.
#[must_use]
pub fn account_id(n: u32) -> AccountId {
    AccountId::from_bytes(bytes(n))
}

/// The epoch `n`.
#[must_use]
pub fn epoch(n: u32) -> AuthEpoch {
    AuthEpoch::from_bytes(bytes(n))
}

/// An active account with the address [`email`]`(n)` and the epoch [`epoch`]`(n)`.
#[must_use]
pub fn account(n: u32) -> AccountRow {
    AccountRow {
        id: account_id(n),
        version: 1,
        email: email(n),
        status: Status::Active,
        auth_epoch: epoch(n),
        password: hash(n),
        two_step: TwoStep::Email,
        question: Some(question()),
        answer: Some(hash(n.wrapping_add(1))),
        profile: profile(),
        code_failures: 0,
        created_at: T0,
        updated_at: T0,
        language: None,
        locked: false,
        recovery: Recovery::default(),
        email_changed_at: None,
        closed_at: None,
    }
}

/// A registration of `email` that waits, with the link [`link_key`]`(n)`.
#[must_use]
pub fn registration(n: u32, email: EmailAddress) -> RegistrationRow {
    RegistrationRow {
        id: registration_id(n),
        version: 1,
        email,
        state: RegistrationState::Submitted,
        data: Some(RegistrationData {
            password: Some(hash(n)),
            question: Some(question()),
            answer: Some(hash(n.wrapping_add(1))),
            profile: profile(),
        }),
        link: link_key(n),
        submitted_at: T0,
        kept_until: at(7 * 86_400),
    }
}

/// The id of [`registration`]`(n, ..)`.
#[must_use]
pub fn registration_id(n: u32) -> RegistrationId {
    RegistrationId::from_bytes(bytes(n))
}

/// The key of the links below.
#[must_use]
pub fn link_key(n: u32) -> LinkKey {
    LinkKey::from_bytes(bytes(n))
}

/// The live link of a registration, for twelve hours.
#[must_use]
pub fn activation_link(registration: &RegistrationRow) -> LinkRow {
    LinkRow {
        key: registration.link,
        version: 1,
        purpose: LinkPurpose::Activate,
        seed: Some(LinkSeed::from_bytes(*registration.link.as_bytes())),
        subject: LinkSubject::Registration(registration.id),
        address: registration.email.clone(),
        epoch: None,
        state: LinkState::Live,
        tries: 0,
        issued_at: T0,
        expires_at: at(12 * 3600),
        ended_at: None,
        opens_at: T0,
        concerns: None,
        answer: Answer::Waived,
    }
}

/// A live link that resets the password of `account`, for twelve hours.
#[must_use]
pub fn reset_link(n: u32, account: &AccountRow) -> LinkRow {
    LinkRow {
        key: link_key(n),
        version: 1,
        purpose: LinkPurpose::ResetPassword,
        seed: Some(LinkSeed::from_bytes(bytes(n))),
        subject: LinkSubject::Account(account.id),
        address: account.email.clone(),
        epoch: Some(account.auth_epoch),
        state: LinkState::Live,
        tries: 0,
        issued_at: T0,
        expires_at: at(12 * 3600),
        ended_at: None,
        opens_at: T0,
        concerns: None,
        answer: Answer::Owed,
    }
}

/// A half-done sign-in of `account`.
#[must_use]
pub fn challenge(n: u32, account: &AccountRow) -> ChallengeRow {
    ChallengeRow {
        key: ChallengeKey::from_bytes(bytes(n)),
        version: 1,
        purpose: ChallengePurpose::SignIn,
        account: account.id,
        epoch: account.auth_epoch,
        session: None,
        code_seed: CodeSeed::from_bytes(bytes(n)),
        code_no: 1,
        code_key: "k1".to_owned(),
        code_issued_at: T0,
        code_expires_at: at(600),
        tries: 0,
        mails: 1,
        mailed_at: T0,
        created_at: T0,
        expires_at: at(1200),
    }
}

/// A session of `account`, in its present epoch.
#[must_use]
pub fn session(n: u32, account: &AccountRow) -> SessionRow {
    SessionRow {
        key: SessionKey::from_bytes(bytes(n)),
        handle: SessionHandle::from_bytes(bytes(n)),
        account: account.id,
        epoch: account.auth_epoch,
        level: Level::One,
        created_at: T0,
        last_seen: T0,
        confirmed_at: T0,
        expires_at: at(12 * 3600),
        label: "Firefox on Windows".to_owned(),
        network: "192.0.2.x".to_owned(),
    }
}

/// A browser that is familiar to `account`.
#[must_use]
pub fn device(n: u32, account: &AccountRow) -> DeviceRow {
    DeviceRow {
        device: DeviceKey::from_bytes(bytes(n)),
        account: account.id,
        epoch: account.auth_epoch,
        last_used: T0,
    }
}

/// A draft in which nothing was typed yet.
#[must_use]
pub fn draft(n: u32) -> DraftRow {
    DraftRow {
        key: DraftKey::from_bytes(bytes(n)),
        version: 1,
        body: "{}".to_owned(),
        expires_at: at(86_400),
    }
}

/// A mail of `kind` that is due at [`T0`].
#[must_use]
pub fn mail(n: u32, kind: MailKind) -> OutboxRow {
    OutboxRow {
        id: MailId::from_bytes(bytes(n)),
        kind,
        to: email(n),
        account: None,
        link: None,
        challenge: None,
        facts: "{}".to_owned(),
        created_at: T0,
        expires_at: at(86_400),
        status: MailStatus::Ready,
        attempts: 0,
        next_at: T0,
        lease_no: 0,
        lease_until: T0,
        last_error: String::new(),
    }
}

/// The bucket `n`.
#[must_use]
pub fn bucket(n: u32) -> BucketKey {
    BucketKey::from_bytes(bytes(n))
}

/// An event at [`T0`].
#[must_use]
pub fn event(n: u32) -> AuditRow {
    AuditRow {
        id: EventId::from_bytes(bytes(n)),
        at: T0,
        kind: "test.written".to_owned(),
        reason: String::new(),
        actor: Actor::System,
        account: None,
        address: None,
        network: None,
        label: String::new(),
        mac_key: "k1".to_owned(),
        mac: bytes(n),
    }
}

/// A unit of work with an event of its own, that no other call of this process gets.
pub fn work() -> UnitOfWork {
    // Far from the small numbers that tests choose themselves.
    static NEXT: AtomicU32 = AtomicU32::new(0x4000_0000);
    UnitOfWork::new(event(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// A unit of work that makes `account` and claims its address.
pub fn work_with(account: &AccountRow) -> UnitOfWork {
    work()
        .change(Change::Account(Box::new(Write::Insert(account.clone()))))
        .change(Change::Claim {
            email: account.email.clone(),
            account: account.id,
        })
}
