//! One life: a service on some store, the model beside it, and the judging of every step.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portal_auth::account::profile::{Section, Sections};
use portal_auth::challenge::ChallengePurpose;
use portal_auth::config::Config;
use portal_auth::environment::{Clock as _, Timestamp};
use portal_auth::error::{Denied, FieldErrors, Reason};
use portal_auth::password::hash::HashParams;
use portal_auth::secret::keyring::{KeyLine, KeyList, KeyState, Keyring};
use portal_auth::secret::token::SessionToken;
use portal_auth::store::Store;
use portal_auth::testkit::recording_mailer::{code_in, tokens_in};
use portal_auth::testkit::{ManualClock, RecordingMailer, ScriptedEntropy};
use portal_auth::unit_of_work::{Change, UnitOfWork, Write};
use portal_auth::{Background, Environment, PortalAuth};
use serde::{Deserialize, Serialize};

use super::acts::{ADDRESSES, Act, Code, Order, Plan, Start, Tick, Typed, Who};
use super::faults::Fault;
use super::invariants::INVARIANTS;
use super::known::{Draft, Half, Known, MailedCode, MailedLink, Proof, Session, answer_of, password_of};
use super::recorder::{Log, Recorder};
use super::step::{Did, Effect, Probe, Refusal, Snapshot, Step};

/// The one section of the profile.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutMe {
    forename: String,
}

pub(super) const SECTION: &str = AboutMe::NAME;

impl Section for AboutMe {
    const NAME: &'static str = "about_me";

    fn check(self) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        if self.forename.trim().is_empty() {
            errors.add("forename", Reason::new("forename.required"));
        }
        errors.or(self)
    }
}

/// How often each effect was seen, over all lives of a run: an effect that never happens proves nothing.
pub(crate) static SEEN: Mutex<BTreeMap<Effect, u32>> = Mutex::new(BTreeMap::new());

pub(crate) struct Life {
    pub(super) auth: PortalAuth,
    pub(super) background: Background,
    pub(super) store: Arc<Recorder>,
    pub(super) known: Known,
    pub(super) before: Snapshot,
    pub(super) question: String,
    clock: ManualClock,
    mailer: RecordingMailer,
    read: usize,
    /// Only this invariant is judged, where one is named.
    only: Option<&'static str>,
    /// What happened, and what the rows were after it.
    pub(crate) trace: Vec<(String, String)>,
    /// Whether the rows are written into the trace.
    writes_rows: bool,
}

impl Life {
    /// A service on `store`, and the beginning that `plan` gives its people.
    pub(crate) async fn begin(
        plan: &Plan,
        store: Arc<dyn Store>,
        fault: Fault,
        only: Option<&'static str>,
    ) -> Self {
        Self::begin_written(plan, store, fault, only, false).await
    }

    /// The same, with the rows after each step in the trace where `writes_rows` says so.
    pub(crate) async fn begin_written(
        plan: &Plan,
        store: Arc<dyn Store>,
        fault: Fault,
        only: Option<&'static str>,
        writes_rows: bool,
    ) -> Self {
        let clock = ManualClock::default();
        let store = Arc::new(Recorder::new(store, clock.clone(), fault));
        let mut config = Config::portal("https://portal.example".parse().unwrap());
        config.passwords.hash = HashParams::cheapest();
        config.passwords.workers = Some(1);
        config.registration.profile = Arc::new(Sections::<(AboutMe,)>::new(1));
        let question = config.registration.questions.iter().next().unwrap();
        let question = question.id().as_str().to_owned();
        let keys = [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym].map(|list| {
            let secret = (0..32).collect::<Vec<u8>>().into();
            KeyLine::new(list, "k1".into(), KeyState::Signing, secret)
        });
        let mut environment = Environment::default();
        environment.clock = Arc::new(clock.clone());
        environment.entropy = Arc::new(ScriptedEntropy::new(plan.seed));
        let mailer = RecordingMailer::new();
        let keyring = Keyring::from_lines(keys.into()).unwrap();
        let (auth, background) =
            PortalAuth::build_in(environment, config, Arc::clone(&store), mailer.clone(), keyring).unwrap();
        let mut life = Self {
            auth,
            background,
            store,
            known: Known::default(),
            before: Snapshot::default(),
            question,
            clock,
            mailer,
            read: 0,
            only,
            trace: Vec::new(),
            writes_rows,
        };
        life.grow_up(plan).await;
        life
    }

    /// Everything that must not be readable anywhere.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let known = &self.known;
        let mut secrets: Vec<String> = known.tokens.iter().cloned().collect();
        secrets.extend(known.links.iter().map(|l| l.token.clone()));
        secrets.extend(known.codes.iter().map(|c| c.code.clone()));
        for who in Who::ALL {
            secrets.extend((0..3).map(|n| password_of(who, n).to_owned()));
            secrets.push(answer_of(who).to_owned());
            secrets.push(answer_of(who).to_lowercase());
        }
        secrets
    }

    /// Lets people become what the plan says they are, by the same acts as everything else.
    async fn grow_up(&mut self, plan: &Plan) {
        for (who, start) in Who::ALL.into_iter().zip(plan.starts) {
            let address = u8::try_from(who.number()).unwrap();
            let mut acts = Vec::new();
            if start >= Start::Account {
                acts.extend([
                    Act::Begin {
                        who,
                        address,
                        password: 0,
                    },
                    Act::Section {
                        who,
                        draft: 0,
                        forename: 0,
                    },
                    Act::Submit { who, draft: 0 },
                    Act::Activate {
                        who,
                        link: 0,
                        any: false,
                        password: Typed::InForce,
                    },
                ]);
            }
            let sign_in = Act::SignIn {
                who,
                address,
                password: Typed::InForce,
                familiar: true,
            };
            if start >= Start::SignedIn {
                acts.push(sign_in.clone());
            }
            if start == Start::Careful {
                acts.push(Act::TwoStep {
                    who,
                    session: 0,
                    on: true,
                });
                acts.push(sign_in);
                acts.push(Act::Code {
                    who,
                    half: 0,
                    code: Code::Mailed,
                });
            }
            for act in acts {
                self.step(&act).await;
            }
            // An address gets one mail a minute.
            self.step(&Act::Time(Tick::Forward(Duration::from_secs(60))))
                .await;
        }
    }

    /// Lets an act happen and judges it.
    pub(crate) async fn step(&mut self, act: &Act) {
        self.store.take();
        let did = self.perform(act).await;
        let now = self.clock.now();
        let log = self.store.take();
        self.note_rows(&log.units);
        if !log.units.is_empty() || did.effect == Effect::Worked {
            // Mails of the act arrive, and the rows of the background's own work are not the act's.
            self.store.background.store(true, Ordering::Relaxed);
            self.background.work_once().await.unwrap();
            self.store.background.store(false, Ordering::Relaxed);
        }
        self.open_mail();
        let after = self.look_around().await;
        *SEEN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(did.effect)
            .or_default() += 1;
        self.judge(act, &did, now, &log, &after);
        self.learn(act, &did, now, &log);
        let rows = if self.writes_rows {
            after.written_out()
        } else {
            String::new()
        };
        self.trace.push((format!("{act:?}: {}", did.answer), rows));
        self.before = after;
    }

    fn judge(&self, act: &Act, did: &Did, now: Timestamp, log: &Log, after: &Snapshot) {
        let step = Step {
            act,
            did,
            now,
            units: &log.units,
            charges: &log.charges,
            before: &self.before,
            after,
            known: &self.known,
        };
        for (name, holds) in INVARIANTS {
            if self.only.is_some_and(|only| only != *name) {
                continue;
            }
            if let Err(why) = holds(&step) {
                let so_far: Vec<&str> = self.trace.iter().map(|(act, _)| act.as_str()).collect();
                panic!(
                    "{name}: {why}\nafter\n{}\n{act:?}: {}",
                    so_far.join("\n"),
                    did.answer
                );
            }
        }
    }

    fn note_rows(&mut self, units: &[UnitOfWork]) {
        for change in units.iter().flat_map(UnitOfWork::changes) {
            match change {
                Change::Link(write) => {
                    if let Write::Insert(row) = &**write {
                        self.known.issued.entry(row.key).or_insert_with(|| row.clone());
                    }
                }
                Change::Registration(write) => {
                    if let Write::Insert(row) = &**write {
                        self.known.registrations.insert(row.id, row.clone());
                    }
                }
                Change::Account(write) => {
                    if let Write::Insert(row) = &**write {
                        self.known.accounts.push(row.id);
                    }
                }
                _ => {}
            }
        }
        for mail in units.iter().flat_map(UnitOfWork::mails) {
            let id: String = mail.id.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
            self.known.outbox.insert(id, (mail.link, mail.challenge));
        }
    }

    /// Reads what has arrived in all mailboxes.
    fn open_mail(&mut self) {
        let mut sent = self.mailer.sent();
        // Those that are due at the same moment go out in the order that the store gives them.
        sent[self.read..].sort_by(|a, b| a.id.cmp(&b.id));
        for mail in &sent[self.read..] {
            let to = ADDRESSES.iter().position(|a| *a == mail.to).unwrap();
            let (link, challenge) = self.known.outbox.get(&mail.id).copied().unwrap_or_default();
            if let (Some(key), Some(token)) = (link, tokens_in(&mail.text).first()) {
                let known = self.known.links.iter().any(|l| l.token == *token);
                if let (false, Some(issued)) = (known, self.known.issued.get(&key)) {
                    self.known.links.push(MailedLink {
                        to,
                        token: (*token).to_owned(),
                        key,
                        issued: issued.clone(),
                        used: 0,
                    });
                }
            }
            if let (Some(challenge), Some(code)) = (challenge, code_in(&mail.text)) {
                self.known.codes.push(MailedCode { to, challenge, code });
            }
        }
        self.read = sent.len();
    }

    async fn look_around(&self) -> Snapshot {
        // The truth is read past whatever the recorder has been told to get wrong.
        let rows = &self.store.inner;
        let mut seen = Snapshot::default();
        for id in &self.known.accounts {
            seen.accounts.extend(rows.by_id(*id).await.unwrap());
        }
        for account in &seen.accounts {
            if let Some(mut dossier) = rows.dossier(account.id).await.unwrap() {
                for row in &dossier.challenges {
                    let ends = (row.code_expires_at, row.expires_at, row.tries);
                    seen.halves.insert(row.key, ends);
                }
                dossier.mails.clear();
                seen.dossiers.insert(account.id, dossier);
            }
        }
        for session in &self.known.sessions {
            let token = SessionToken::parse(&session.token).unwrap();
            seen.sessions.push(match self.auth.peek(&token).await {
                Ok(signed_in) => Ok(Probe {
                    level: signed_in.level(),
                    confirmed: self.auth.is_confirmed(&signed_in),
                }),
                Err(Denied::Refused(end)) => Err(end),
                Err(other) => panic!("{other:?}"),
            });
        }
        for link in &self.known.links {
            seen.links
                .push(rows.by_link(link.key).await.unwrap().map(|view| view.link));
        }
        seen
    }

    pub(super) fn tick(&mut self, tick: Tick) -> Did {
        let mut did = Did::nothing(None);
        let now = self.clock.now();
        let end = |n: u8| {
            let mut ends: Vec<Timestamp> = self.before.links.iter().flatten().map(|l| l.expires_at).collect();
            ends.extend(
                self.before
                    .halves
                    .values()
                    .flat_map(|(code, half, _)| [*code, *half]),
            );
            ends.extend(
                self.known
                    .sessions
                    .iter()
                    .map(|s| s.active.plus(Duration::from_secs(1800))),
            );
            ends.extend(
                self.known
                    .sessions
                    .iter()
                    .map(|s| s.since.plus(Duration::from_secs(12 * 3600))),
            );
            ends.retain(|end| *end > now);
            ends.sort();
            ends.dedup();
            ends.get(usize::from(n)).copied()
        };
        let to = match tick {
            Tick::Forward(by) => Some(now.plus(by)),
            Tick::Back(by) => Some(now.minus(by)),
            Tick::LastMoment(n) => end(n).map(|e| e.minus(Duration::from_micros(1))),
            Tick::FirstMomentAfter(n) => end(n),
        };
        if let Some(to) = to {
            self.known.went_back |= to < now;
            self.clock.set(to);
            did.answer = format!("it is {}", to.as_micros());
        }
        did
    }

    /// Writes into the model what the step has shown.
    fn learn(&mut self, act: &Act, did: &Did, now: Timestamp, log: &Log) {
        self.learn_tries(act, did, now, log);
        let known = &mut self.known;
        for token in [
            &did.new_session,
            &did.new_half,
            &did.new_draft,
            &did.new_device,
            &did.new_proof,
        ] {
            known.tokens.extend(token.clone());
        }
        if let (Some(who), Some(device)) = (did.who, &did.new_device) {
            known.devices.insert(who, device.clone());
        }
        if let Some(session) = did.session
            && matches!(self.before.sessions.get(session), Some(Ok(_)))
        {
            let used = &mut known.sessions[session].active;
            *used = now.max(*used);
        }
        if let (Some(link), Some(token)) = (did.link, did.new_proof.clone()) {
            known.proofs.push(Proof { link, token });
        }
        let proven_by = did.draft.and_then(|d| known.drafts[d].proven_by);
        let acts_once = matches!(
            did.effect,
            Effect::AccountMade
                | Effect::PasswordReset
                | Effect::EmailChanged
                | Effect::TakenBack
                | Effect::Restored
        );
        if let (true, Some(link)) = (acts_once, did.link.or(proven_by)) {
            known.links[link].used += 1;
        }
        self.learn_drafts(did, log);
        self.learn_sessions(did, now, log);
    }

    fn learn_tries(&mut self, act: &Act, did: &Did, now: Timestamp, log: &Log) {
        let known = &mut self.known;
        if let (Some(half), Some(_)) = (did.half, &did.code) {
            let half = &mut known.halves[half];
            let failures = known.wrong_codes.entry(half.account).or_default();
            if matches!(did.effect, Effect::RightCode | Effect::Confirmed) {
                half.right += 1;
                *failures = 0;
            } else if did.refusal == Refusal::Wrong
                || did.answer.contains("Refused(Closed)") && !log.units.is_empty()
            {
                half.wrong += 1;
                *failures += 1;
            }
        }
        let opened = match (act, did.effect) {
            (
                Act::Order {
                    order: Order::Unlock,
                    address,
                },
                Effect::Ordered,
            ) => self.before.at(ADDRESSES[usize::from(*address)]).map(|a| a.id),
            (_, Effect::PasswordReset) => match known.links[did.link.unwrap()].issued.subject {
                portal_auth::link::LinkSubject::Account(id) => Some(id),
                portal_auth::link::LinkSubject::Registration(_) => None,
            },
            _ => None,
        };
        if let Some(account) = opened {
            known.wrong_codes.insert(account, 0);
        }
        let unfamiliar = log.charges.iter().any(|(charge, _)| !charge.networks.is_empty());
        if let (Act::SignIn { address, .. } | Act::Burst { address, .. }, true) = (act, unfamiliar) {
            let wrong = did.answer.matches("NotCorrect").count();
            let times = known.wrong_passwords.entry(usize::from(*address)).or_default();
            times.extend(std::iter::repeat_n(now, wrong));
        }
        if outside(act, did.effect) {
            for mail in log
                .units
                .iter()
                .flat_map(UnitOfWork::mails)
                .filter(|m| m.challenge.is_none())
            {
                let to = ADDRESSES.iter().position(|a| *a == mail.to.as_str()).unwrap();
                known.outsiders_mails.entry(to).or_default().push(mail.created_at);
            }
        }
    }

    fn learn_drafts(&mut self, did: &Did, log: &Log) {
        let known = &mut self.known;
        match (did.effect, did.who) {
            (Effect::DraftBegun, Some(who)) => {
                let token = did.new_draft.clone().unwrap();
                let proven_by = did.draft.and_then(|d| known.drafts[d].proven_by);
                let at = known.drafts.iter().position(|d| d.token == token);
                let at = at.unwrap_or_else(|| {
                    known.drafts.push(Draft {
                        who,
                        token,
                        address: None,
                        password: None,
                        forename: None,
                        proven_by,
                        registration: None,
                    });
                    known.drafts.len() - 1
                });
                known.drafts[at].address = did.address;
                known.drafts[at].password.clone_from(&did.password);
            }
            (Effect::Anew, Some(who)) => known.drafts.push(Draft {
                who,
                token: did.new_draft.clone().unwrap(),
                address: None,
                password: None,
                forename: None,
                proven_by: did.link,
                registration: None,
            }),
            (Effect::SectionSaved, _) => {
                known.drafts[did.draft.unwrap()]
                    .forename
                    .clone_from(&did.password);
            }
            (Effect::Submitted, _) => {
                let made = log
                    .units
                    .iter()
                    .flat_map(UnitOfWork::changes)
                    .find_map(|change| match change {
                        Change::Registration(write) => match &**write {
                            Write::Insert(row) => Some(row.id),
                            _ => None,
                        },
                        _ => None,
                    });
                known.drafts[did.draft.unwrap()].registration = made;
            }
            _ => {}
        }
    }

    fn learn_sessions(&mut self, did: &Did, now: Timestamp, log: &Log) {
        let known = &mut self.known;
        for change in log.units.iter().flat_map(UnitOfWork::changes) {
            match change {
                Change::Session(write) => {
                    let (Write::Insert(row), Some(token), Some(who)) = (&**write, &did.new_session, did.who)
                    else {
                        continue;
                    };
                    let from = did.session.map(|s| known.sessions[s].clone());
                    let fresh = matches!(did.effect, Effect::SignedIn | Effect::RightCode);
                    let proves = matches!(did.effect, Effect::Confirmed | Effect::PasswordChanged);
                    known.sessions.push(Session {
                        who,
                        token: token.clone(),
                        key: row.key,
                        account: row.account,
                        epoch: row.epoch,
                        since: from.as_ref().filter(|_| !fresh).map_or(now, |s| s.since),
                        active: now,
                        proved: from
                            .as_ref()
                            .filter(|_| !fresh && !proves)
                            .map_or(now, |s| s.proved),
                        code: match &from {
                            Some(from) if !fresh => from.code,
                            _ => did.effect == Effect::RightCode,
                        },
                    });
                }
                Change::Challenge(write) => {
                    if let (Write::Insert(row), Some(token), Some(who)) = (&**write, &did.new_half, did.who) {
                        known.halves.push(Half {
                            who,
                            token: token.clone(),
                            key: row.key,
                            account: row.account,
                            epoch: row.epoch,
                            purpose: row.purpose,
                            session: did.session.filter(|_| row.purpose == ChallengePurpose::Confirm),
                            wrong: 0,
                            right: 0,
                        });
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether anybody could have done that, without a secret of the account.
pub(super) fn outside(act: &Act, effect: Effect) -> bool {
    // A right password is a secret of the account.
    !matches!(effect, Effect::SignedIn | Effect::CodeSent)
        && matches!(
            act,
            Act::Submit { .. }
                | Act::SendAgain { .. }
                | Act::AskReset { .. }
                | Act::SignIn { .. }
                | Act::Burst { .. }
                | Act::Flood { .. }
        )
}
