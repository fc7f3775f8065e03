//! Every row comes back as it was written: extreme numbers, empty and long texts, every state, no ASCII only.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::dues::claim;
use super::{insert, with_account, write};
use crate::account::profile::StoredProfile;
use crate::account::recovery::Recovery;
use crate::account::snapshot::AccountRow;
use crate::account::status::{AuthEpoch, Status, TwoStep};
use crate::audit::{Actor, AuditRow};
use crate::challenge::{ChallengePurpose, ChallengeRow, CodeSeed};
use crate::environment::Timestamp;
use crate::language::LanguageTag;
use crate::link::{Answer, ChangeId, LinkPurpose, LinkRow, LinkSeed, LinkState, ProofKey};
use crate::mail::outbox::{MailKind, MailStatus, OutboxRow};
use crate::registration::draft::DraftRow;
use crate::registration::{RegistrationRow, RegistrationState};
use crate::session::{Level, SessionHandle, SessionRow};
use crate::store::Store;
use crate::testkit::rows;
use crate::unit_of_work::Change;

/// Moments that a store must keep to the microsecond: the first and last there are, both sides of 1970, an odd one.
const MOMENTS: [Timestamp; 6] = [
    Timestamp::MIN,
    Timestamp::from_micros(-1),
    Timestamp::from_micros(0),
    Timestamp::from_micros(1),
    Timestamp::from_micros(1_772_366_400_123_457),
    Timestamp::MAX,
];

/// Texts that a store must keep to the byte: quotation marks, blanks at both ends, line ends, three scripts, an emoji
/// outside the first plane, both forms of "é".
const TEXTS: [&str; 5] = [
    "",
    "  blanks at both ends  ",
    "O'Brien \"quoted\" -- ; \\ % _ $1 ?",
    "Zoë e\u{301} \u{e9} Ωμέγα 山田太郎 🦀\u{200d}🔑",
    "line\r\nline\ttab",
];

fn long(of: &str, chars: usize) -> String {
    of.chars().cycle().take(chars).collect()
}

fn profile_of(text: &str) -> StoredProfile {
    let mut section = Map::new();
    section.insert(format!("key {text}"), Value::from(text));
    section.insert("null".into(), Value::Null);
    section.insert("list".into(), Value::from(vec![1, -2, 3]));
    section.insert("large".into(), Value::from(u64::MAX));
    section.insert("long".into(), Value::from(long("é", 16_000)));
    let mut sections = Map::new();
    sections.insert("about_you".into(), Value::Object(section));
    StoredProfile::new(u32::MAX, sections)
}

/// Accounts, with every status, both choices of the second step, with and without a question.
pub async fn an_account_comes_back_as_it_was_written(store: Arc<dyn Store>) {
    let domain = ["d".repeat(60), "d".repeat(60), "d".repeat(59)].join(".");
    let longest = format!("{}@{}.example", "l".repeat(64), domain);
    let mut n = 0;
    for status in [Status::Active, Status::Disabled, Status::Closed] {
        for two_step in [TwoStep::Off, TwoStep::Email] {
            for text in TEXTS {
                n += 1;
                let moment = MOMENTS[n as usize % MOMENTS.len()];
                let account = AccountRow {
                    email: if n == 1 {
                        rows::address(&longest)
                    } else {
                        rows::email(n)
                    },
                    status,
                    two_step,
                    auth_epoch: AuthEpoch::from_bytes(if n == 2 { [0; 8] } else { [0xff; 8] }),
                    profile: profile_of(text),
                    question: match n % 4 {
                        0 => Some(rows::question()),
                        2 => Some(rows::own_question()),
                        _ => None,
                    },
                    answer: (n % 2 == 0).then(|| rows::hash(n)),
                    code_failures: if n % 2 == 0 { u32::MAX } else { 0 },
                    created_at: moment,
                    updated_at: moment,
                    language: (n % 3 == 0).then(|| LanguageTag::parse("cy").expect("a tag")),
                    locked: n % 2 == 0,
                    recovery: Recovery {
                        answer_failures: n,
                        pauses: u32::MAX,
                        paused_until: (n % 2 == 0).then_some(moment),
                        due_at: (n % 3 == 0).then_some(moment),
                    },
                    email_changed_at: (n % 2 == 1).then_some(moment),
                    closed_at: (n % 5 == 0).then_some(moment),
                    ..rows::account(n)
                };
                write(&*store, rows::work_with(&account)).await;
                let found = store.by_id(account.id).await.expect("answered");
                assert_eq!(found.as_ref(), Some(&account));
                let found = store.by_email(&account.email, None).await.expect("answered");
                assert_eq!(found.account, Some(account));
            }
        }
    }
    let bare = AccountRow {
        profile: StoredProfile::new(0, Map::new()),
        ..rows::account(n + 1)
    };
    write(&*store, rows::work_with(&bare)).await;
    assert_eq!(store.by_id(bare.id).await.expect("answered"), Some(bare));
}

/// Registrations and links in every state, with and without what is wiped when they end.
pub async fn a_registration_and_its_link_come_back_as_they_were_written(store: Arc<dyn Store>) {
    let account = with_account(&*store, 99).await;
    let states = [
        (RegistrationState::Submitted, LinkState::Live),
        (RegistrationState::Activated, LinkState::Used),
        (RegistrationState::GivenUp, LinkState::Replaced),
        (RegistrationState::Overtaken, LinkState::Void),
        (RegistrationState::Exhausted, LinkState::Void),
    ];
    for (n, (state, link_state)) in (1_u32..).zip(states) {
        let moment = MOMENTS[n as usize % MOMENTS.len()];
        let mut registration = RegistrationRow {
            state,
            submitted_at: moment,
            kept_until: moment,
            ..rows::registration(n, rows::email(n))
        };
        if n % 2 == 0 {
            registration.data = None;
        } else if let Some(data) = &mut registration.data {
            data.question = (n == 1).then(rows::own_question);
            data.answer = data.answer.take().filter(|_| n == 1);
            // One that an administrator has prepared.
            data.password = data.password.take().filter(|_| n != 5);
            data.profile = profile_of(TEXTS[3]);
        }
        let live = link_state == LinkState::Live;
        let link = LinkRow {
            state: link_state,
            seed: live.then_some(LinkSeed::from_bytes([0; 16])),
            ended_at: (!live).then_some(moment),
            tries: u32::MAX,
            issued_at: moment,
            expires_at: MOMENTS[5],
            ..rows::activation_link(&registration)
        };
        let reset = LinkRow {
            purpose: LinkPurpose::ALL[n as usize % LinkPurpose::ALL.len()],
            state: link_state,
            opens_at: moment,
            concerns: (n % 2 == 0).then_some(ChangeId::from_bytes([0xfe; 16])),
            answer: match n % 3 {
                0 => Answer::Owed,
                1 => Answer::Waived,
                _ => Answer::Given {
                    proof: ProofKey::from_bytes([0; 16]),
                    at: moment,
                },
            },
            ..rows::reset_link(100 + n, &account)
        };
        let work = rows::work()
            .change(Change::Registration(insert(&registration)))
            .change(Change::Link(insert(&link)))
            .change(Change::Link(insert(&reset)));
        write(&*store, work).await;
        let view = store.by_registration(registration.id).await.expect("answered");
        let view = view.expect("the registration is there");
        assert_eq!(view.registration, registration);
        assert_eq!(view.link, Some(link));
        let view = store.by_link(reset.key).await.expect("answered");
        assert_eq!(view.map(|v| v.link), Some(reset));
    }
}

/// Challenges of both purposes.
pub async fn a_challenge_comes_back_as_it_was_written(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    for (n, moment) in (1_u32..).zip(MOMENTS) {
        let confirm = n % 2 == 0;
        let challenge = ChallengeRow {
            purpose: if confirm {
                ChallengePurpose::Confirm
            } else {
                ChallengePurpose::SignIn
            },
            session: confirm.then(|| rows::session(n, &account).key),
            code_seed: CodeSeed::from_bytes([0xff; 16]),
            code_no: u32::MAX,
            code_key: long("k", n as usize),
            code_issued_at: moment,
            code_expires_at: moment,
            tries: u32::MAX,
            mails: u32::MAX,
            mailed_at: moment,
            created_at: moment,
            expires_at: moment,
            ..rows::challenge(n, &account)
        };
        write(
            &*store,
            rows::work().change(Change::Challenge(insert(&challenge))),
        )
        .await;
        let found = store.by_challenge(challenge.key).await.expect("answered");
        assert_eq!(found, Some((challenge, account.clone())));
    }
}

/// Sessions of both levels.
pub async fn a_session_comes_back_as_it_was_written(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    for (n, moment) in (1_u32..).zip(MOMENTS) {
        let text = TEXTS[n as usize % TEXTS.len()];
        let session = SessionRow {
            handle: SessionHandle::from_bytes([n.to_le_bytes()[0]; 16]),
            level: if n % 2 == 0 { Level::Two } else { Level::One },
            epoch: rows::epoch(n),
            created_at: moment,
            last_seen: moment,
            confirmed_at: moment,
            expires_at: moment,
            label: long(&format!("{text}."), 200),
            network: text.to_owned(),
            ..rows::session(n, &account)
        };
        write(&*store, rows::work().change(Change::Session(insert(&session)))).await;
        let found = store.session(session.key).await.expect("answered");
        let found = found.expect("the session is there");
        assert_eq!(found.session, session);
        assert_eq!(found.account_epoch, account.auth_epoch);
        assert_eq!(found.account_two_step, account.two_step);
    }
}

/// Drafts: the body is opaque text, kept to the byte.
pub async fn a_draft_comes_back_as_it_was_written(store: Arc<dyn Store>) {
    let bodies = TEXTS
        .iter()
        .map(|text| format!("{{ \"b\": {:?},  \"a\": 1 }}", text));
    let bodies = bodies.chain([long("山🦀", 30_000)]);
    for (n, (body, expires_at)) in (1_u32..).zip(bodies.zip(MOMENTS)) {
        let draft = DraftRow {
            body,
            expires_at,
            ..rows::draft(n)
        };
        store.save(&draft).await.expect("a new draft is saved");
        assert_eq!(store.load(draft.key).await.expect("answered"), Some(draft));
    }
}

/// Mails of every kind, with and without what they are about.
pub async fn a_mail_comes_back_as_it_was_written(store: Arc<dyn Store>) {
    let account = with_account(&*store, 1).await;
    for (n, kind) in (1_u32..).zip(MailKind::ALL) {
        let about = n % 2 == 0;
        let text = TEXTS[n as usize % TEXTS.len()];
        let mail = OutboxRow {
            to: account.email.clone(),
            account: about.then_some(account.id),
            link: about.then(|| rows::link_key(n)),
            challenge: about.then(|| rows::challenge(n, &account).key),
            facts: serde_json::json!({ "what": text }).to_string(),
            created_at: Timestamp::from_micros(-1),
            expires_at: Timestamp::MAX,
            attempts: n * 1000,
            next_at: rows::T0.minus(rows::MICRO),
            last_error: long(&format!("{text}."), 200),
            ..rows::mail(n, kind)
        };
        write(&*store, rows::work().mail(mail.clone())).await;
        let claimed = claim(&*store, rows::T0, 9).await;
        let expected = OutboxRow {
            status: MailStatus::Leased,
            lease_no: 1,
            lease_until: rows::at(60),
            ..mail
        };
        assert_eq!(claimed, [expected]);
    }
}

/// Events: a byte that changes on the way makes the MAC wrong, and the audit worthless (LOG-5).
pub async fn an_event_comes_back_byte_for_byte(store: Arc<dyn Store>) {
    let account = rows::account_id(1);
    let actors = [Actor::Visitor, Actor::Owner, Actor::Administrator, Actor::System];
    for (n, (actor, text)) in (1_u32..).zip(actors.into_iter().cycle().zip(TEXTS)) {
        let known = n % 2 == 0;
        let event = AuditRow {
            at: MOMENTS[n as usize % MOMENTS.len()],
            kind: format!("case.{n}"),
            reason: if known {
                "password.wrong".to_owned()
            } else {
                String::new()
            },
            actor,
            account: Some(account),
            address: known.then(|| rows::bucket(n)),
            network: (!known).then(|| rows::bucket(n)),
            label: long(&format!("{text}."), 200),
            mac_key: long("k", n as usize),
            mac: [n.to_le_bytes()[0].wrapping_neg(); 16],
            ..rows::event(n)
        };
        let kind = event.kind.clone();
        write(&*store, rows::work().event(event.clone())).await;
        let found = store.activity(account, &[&kind], 9).await.expect("answered");
        let found = found.first().expect("the event is there");
        assert_eq!(found.authenticated_bytes(), event.authenticated_bytes());
        assert_eq!(*found, event);
    }
}
