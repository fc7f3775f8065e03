//! Lets an act happen through the public API, with the secrets its person holds.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use portal_auth::account::email::EmailAddress;
use portal_auth::account::status::TwoStep;
use portal_auth::challenge::ChallengePurpose;
use portal_auth::error::Denied;
use portal_auth::features::administer::Administrator;
use portal_auth::features::change_email::ChangeEmailForm;
use portal_auth::features::confirm_identity::ConfirmOutcome;
use portal_auth::features::register::{Save, SecurityDetails, SubmitOutcome};
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::features::two_step::TwoStepOutcome;
use portal_auth::link::LinkPurpose;
use portal_auth::password::Password;
use portal_auth::secret::token::{
    AnswerToken, ChallengeToken, DeviceToken, DraftToken, LinkToken, SessionToken,
};
use portal_auth::visitor::Visitor;
use portal_auth::{NewPassword, NewSession};
use serde_json::json;

use super::acts::{ADDRESSES, Act, Code, Order, Tick, Typed, Who, reader};
use super::known::{Known, answer_of, forename, password_of};
use super::life::{Life, SECTION};
use super::step::{Did, Effect, Refusal};

fn told<T, R: Debug>(did: &mut Did, answer: Result<T, Denied<R>>) -> Option<T> {
    did.refusal = Refusal::None;
    match answer {
        Ok(value) => {
            did.answer = "done".into();
            Some(value)
        }
        Err(denied) => {
            did.refusal = match &denied {
                Denied::TooManyTries { .. } => Refusal::TooManyTries,
                Denied::Refused(why) => {
                    let why = format!("{why:?}");
                    let wrong = ["NotCorrect", "Wrong", "TriesUsed", "CodesUsedUp"];
                    if wrong.iter().any(|w| why.contains(w)) {
                        Refusal::Wrong
                    } else {
                        Refusal::Other
                    }
                }
                Denied::Fault(fault) => panic!("a fault: {fault:?}"),
                _ => Refusal::Other,
            };
            did.answer = format!("{denied:?}");
            None
        }
    }
}

/// The place of the `n`th newest of those that `mine` picks.
fn nth<T>(all: &[T], n: u8, mine: impl Fn(&T) -> bool) -> Option<usize> {
    let places: Vec<usize> = (0..all.len()).rev().filter(|at| mine(&all[*at])).collect();
    let at = usize::from(n).checked_rem(places.len())?;
    Some(places[at])
}

pub(super) fn address(n: usize) -> EmailAddress {
    EmailAddress::parse(ADDRESSES[n]).unwrap()
}

impl Life {
    fn visitor(&self, who: Who, familiar: bool) -> Visitor {
        // Mallory comes from somewhere else every time.
        let host = match who {
            Who::Mallory => 1000 + u32::try_from(self.trace.len()).unwrap_or(0),
            _ => 1 + who as u32,
        };
        let network = Ipv4Addr::from_bits(Ipv4Addr::new(198, 51, 0, 0).to_bits() + host);
        let visitor = Visitor::unknown().from_network(IpAddr::V4(network));
        match self.known.devices.get(&who) {
            Some(device) if familiar => visitor.with_device(DeviceToken::parse(device)),
            _ => visitor,
        }
    }

    /// A password as `who` types it for the account at `address`.
    async fn typed(&mut self, who: Who, typed: Typed, account: Option<EmailAddress>) -> String {
        let own = password_of(who, 0).to_owned();
        match typed {
            Typed::Own(n) => password_of(who, n).to_owned(),
            Typed::Wrong => "Nobodys-Choice-99".into(),
            Typed::InForce => {
                let Some(email) = account else { return own };
                let Some(row) = self.before.at(email.as_str()).cloned() else {
                    return own;
                };
                let in_force = self.known.in_force(&row);
                in_force.filter(|p| Known::knows(who, p)).unwrap_or(own)
            }
        }
    }

    fn email_of(&self, session: usize) -> Option<EmailAddress> {
        let id = self.known.sessions[session].account;
        self.before.account(id).map(|a| a.email.clone())
    }

    fn links_of(&self, who: Who, n: u8, any: bool, purpose: LinkPurpose) -> Option<usize> {
        nth(&self.known.links, n, |l| {
            reader(l.to) == who && (any || l.issued.purpose == purpose)
        })
    }

    fn signed_in(did: &mut Did, new: NewSession) {
        did.new_session = Some(new.session.expose().to_owned());
        did.new_level = Some(new.level);
        did.new_device = new.device.map(|d| d.expose().to_owned());
    }

    fn code(&self, who: Who, half: usize, code: Code) -> String {
        let skip = match code {
            Code::Mailed => 0,
            Code::Older(n) => usize::from(n),
            Code::Wrong => usize::MAX,
        };
        let mut mine = self.known.codes.iter().rev().filter(|c| reader(c.to) == who);
        let found = if skip == 0 {
            let challenge = self.known.halves[half].key;
            mine.find(|c| c.challenge == challenge)
        } else {
            mine.nth(skip)
        };
        found.map_or_else(|| "000000".into(), |c| c.code.clone())
    }

    pub(super) async fn perform(&mut self, act: &Act) -> Did {
        match act.clone() {
            Act::Begin { .. }
            | Act::Section { .. }
            | Act::Submit { .. }
            | Act::SendAgain { .. }
            | Act::Anew { .. }
            | Act::Activate { .. } => self.register(act).await,
            Act::SignIn {
                who,
                address,
                password,
                familiar,
            } => self.sign_in(who, address.into(), password, familiar).await,
            Act::Burst { who, address, tries } => {
                let mut did = self.sign_in(who, address.into(), Typed::Wrong, false).await;
                for _ in 1..tries {
                    let more = self.sign_in(who, address.into(), Typed::Wrong, false).await;
                    did.answer = format!("{}, {}", did.answer, more.answer);
                }
                did
            }
            Act::Code { who, half, code } => {
                let mut did = Did::nothing(Some(who));
                let mine = |h: &super::known::Half| h.who == who && h.purpose == ChallengePurpose::SignIn;
                did.half = nth(&self.known.halves, half, mine);
                let Some(half) = did.half else { return did };
                let code = self.code(who, half, code);
                let token = ChallengeToken::parse(&self.known.halves[half].token).unwrap();
                let visitor = self.visitor(who, false);
                did.code = Some(code.clone());
                let answer = self.auth.verify_code(&visitor, &token, &code, None).await;
                if let Some(new) = told(&mut did, answer) {
                    did.effect = Effect::RightCode;
                    Self::signed_in(&mut did, new);
                }
                did
            }
            Act::CodeAgain { who, half } => {
                let mut did = Did::nothing(Some(who));
                let mine = |h: &super::known::Half| h.who == who && h.purpose == ChallengePurpose::SignIn;
                did.half = nth(&self.known.halves, half, mine);
                let Some(half) = did.half else { return did };
                let token = ChallengeToken::parse(&self.known.halves[half].token).unwrap();
                let answer = self.auth.resend_code(&self.visitor(who, false), &token).await;
                if told(&mut did, answer).is_some() {
                    did.effect = Effect::CodeSent;
                }
                did
            }
            Act::Flood { who, address, asks } => {
                let mut did = Did::nothing(Some(who));
                for _ in 0..asks {
                    let more = Box::pin(self.recover(&Act::AskReset { who, address })).await;
                    did = Did {
                        answer: format!("{} {}", did.answer, more.answer),
                        ..more
                    };
                    self.tick(Tick::Forward(Duration::from_secs(61)));
                }
                did
            }
            Act::AskReset { .. } | Act::Answer { .. } | Act::NewPassword { .. } => self.recover(act).await,
            Act::ConfirmEmail { .. } | Act::TakeBack { .. } | Act::Restore { .. } => self.follow(act).await,
            Act::Order { order, address: at } => self.order(order, at.into()).await,
            Act::Time(tick) => self.tick(tick),
            Act::Work => {
                let mut did = Did::nothing(None);
                self.background.work_once().await.unwrap();
                did.effect = Effect::Worked;
                did.answer = "worked".into();
                did
            }
            Act::ChangePassword { who, session, .. }
            | Act::ChangeEmail { who, session, .. }
            | Act::TwoStep { who, session, .. }
            | Act::Confirm { who, session, .. }
            | Act::ConfirmCode { who, session, .. }
            | Act::Close { who, session, .. }
            | Act::EndOthers { who, session }
            | Act::SignOut { who, session }
            | Act::Look { who, session } => {
                let mut did = Did::nothing(Some(who));
                did.session = nth(&self.known.sessions, session, |s| s.who == who);
                match did.session {
                    Some(session) => self.in_session(act, did, who, session).await,
                    None => did,
                }
            }
        }
    }

    async fn register(&mut self, act: &Act) -> Did {
        match act.clone() {
            Act::Begin {
                who,
                address: at,
                password,
            } => {
                let mut did = Did::nothing(Some(who));
                let password = password_of(who, password);
                (did.address, did.password) = (Some(at.into()), Some(password.to_owned()));
                let email = ADDRESSES[usize::from(at)];
                // Whoever came here by a link goes on with that draft.
                let held = nth(&self.known.drafts, 0, |d| {
                    d.who == who && d.proven_by.is_some() && d.password.is_none()
                });
                let token = held.and_then(|at| DraftToken::parse(&self.known.drafts[at].token));
                did.draft = held;
                let details = SecurityDetails::new(email, password)
                    .repeated(email, password)
                    .with_question(self.question.clone(), answer_of(who));
                let visitor = self.visitor(who, false);
                let answer = self
                    .auth
                    .save_security_details(&visitor, token.as_ref(), details)
                    .await;
                if let Some(draft) = told(&mut did, answer) {
                    did.effect = Effect::DraftBegun;
                    did.new_draft = Some(draft.expose().to_owned());
                }
                did
            }
            Act::Section {
                who,
                draft,
                forename: n,
            } => {
                let mut did = Did::nothing(Some(who));
                did.draft = nth(&self.known.drafts, draft, |d| d.who == who);
                let Some(at) = did.draft else { return did };
                let token = DraftToken::parse(&self.known.drafts[at].token).unwrap();
                let typed = json!({ "forename": forename(n) });
                let answer = self
                    .auth
                    .save_section(&token, SECTION, typed, Save::Checked)
                    .await;
                if told(&mut did, answer).is_some() {
                    did.effect = Effect::SectionSaved;
                    did.password = Some(forename(n).to_owned());
                }
                did
            }
            Act::Submit { who, draft } => {
                let mut did = Did::nothing(Some(who));
                did.draft = nth(&self.known.drafts, draft, |d| d.who == who);
                let Some(at) = did.draft else { return did };
                let token = DraftToken::parse(&self.known.drafts[at].token).unwrap();
                let visitor = self.visitor(who, false);
                let answer = self.auth.submit_registration(&visitor, &token).await;
                match told(&mut did, answer) {
                    Some(SubmitOutcome::Activated { device, .. }) => {
                        did.effect = Effect::AccountMade;
                        did.password.clone_from(&self.known.drafts[at].password);
                        did.new_device = device.map(|d| d.expose().to_owned());
                    }
                    Some(_) => did.effect = Effect::Submitted,
                    None => {}
                }
                did
            }
            Act::SendAgain { who, draft } => {
                let mut did = Did::nothing(Some(who));
                did.draft = nth(&self.known.drafts, draft, |d| d.who == who);
                let Some(at) = did.draft else { return did };
                let token = DraftToken::parse(&self.known.drafts[at].token).unwrap();
                let answer = self.auth.resend_link(&self.visitor(who, false), &token).await;
                told(&mut did, answer);
                did
            }
            Act::Anew { who, link } => {
                let mut did = Did::nothing(Some(who));
                did.link = self.links_of(who, link, false, LinkPurpose::Activate);
                let Some(at) = did.link else { return did };
                let token = LinkToken::parse(&self.known.links[at].token).unwrap();
                let answer = self.auth.register_anew(&token).await;
                if let Some(draft) = told(&mut did, answer) {
                    did.effect = Effect::Anew;
                    did.new_draft = Some(draft.expose().to_owned());
                }
                did
            }
            Act::Activate {
                who,
                link,
                any,
                password,
            } => {
                let mut did = Did::nothing(Some(who));
                did.link = self.links_of(who, link, any, LinkPurpose::Activate);
                let Some(at) = did.link else { return did };
                let held = self.known.links[at].clone();
                let typed = match password {
                    Typed::InForce => self.registered_with(who, &held),
                    other => self.typed(who, other, None).await,
                };
                did.password = Some(typed.clone());
                let token = LinkToken::parse(&held.token).unwrap();
                let visitor = self.visitor(who, false);
                let answer = self
                    .auth
                    .activate(&visitor, &token, &Password::from(typed.as_str()))
                    .await;
                if let Some(made) = told(&mut did, answer) {
                    did.effect = Effect::AccountMade;
                    did.new_device = made.device.map(|d| d.expose().to_owned());
                }
                did
            }
            _ => Did::nothing(None),
        }
    }

    /// The password of a link's own registration, where `who` knows it.
    fn registered_with(&self, who: Who, link: &super::known::MailedLink) -> String {
        let draft = self.known.drafts.iter().find(|d| {
            d.registration
                .is_some_and(|id| link.issued.subject == portal_auth::link::LinkSubject::Registration(id))
        });
        draft
            .and_then(|d| d.password.clone())
            .filter(|p| Known::knows(who, p))
            .unwrap_or_else(|| password_of(who, 0).to_owned())
    }

    async fn sign_in(&mut self, who: Who, at: usize, typed: Typed, familiar: bool) -> Did {
        let mut did = Did::nothing(Some(who));
        let password = self.typed(who, typed, Some(address(at))).await;
        (did.address, did.password) = (Some(at), Some(password.clone()));
        let visitor = self.visitor(who, familiar);
        let form = SignInForm::new(ADDRESSES[at], password.as_str());
        let answer = self.auth.sign_in(&visitor, form).await;
        match told(&mut did, answer) {
            Some(SignInOutcome::SignedIn(new)) => {
                did.effect = Effect::SignedIn;
                Self::signed_in(&mut did, new);
            }
            Some(SignInOutcome::CodeSent(sent)) => {
                did.effect = Effect::CodeSent;
                did.new_half = Some(sent.challenge.expose().to_owned());
            }
            _ => {}
        }
        did
    }

    async fn recover(&mut self, act: &Act) -> Did {
        match act.clone() {
            Act::AskReset { who, address: at } => {
                let mut did = Did::nothing(Some(who));
                did.address = Some(at.into());
                let answer = self
                    .auth
                    .request_reset(&self.visitor(who, false), ADDRESSES[usize::from(at)])
                    .await;
                if told(&mut did, answer).is_some() {
                    did.effect = Effect::ResetAsked;
                }
                did
            }
            Act::Answer {
                who,
                link,
                any,
                right,
            } => {
                let mut did = Did::nothing(Some(who));
                did.link = self.links_of(who, link, any, LinkPurpose::ResetPassword);
                let Some(at) = did.link else { return did };
                let token = LinkToken::parse(&self.known.links[at].token).unwrap();
                // The answer is that of whoever registered; who has the mail may not know it.
                let typed = if right { answer_of(who) } else { "a wrong answer" };
                let answer = self
                    .auth
                    .answer_reset(&self.visitor(who, false), &token, typed)
                    .await;
                if let Some(proof) = told(&mut did, answer) {
                    did.effect = Effect::Answered;
                    did.new_proof = Some(proof.expose().to_owned());
                }
                did
            }
            Act::NewPassword {
                who,
                link,
                any,
                proof,
                password,
            } => {
                let mut did = Did::nothing(Some(who));
                did.link = self.links_of(who, link, any, LinkPurpose::ResetPassword);
                let Some(at) = did.link else { return did };
                let token = LinkToken::parse(&self.known.links[at].token).unwrap();
                let held = self.known.proofs.iter().rev().find(|p| p.link == at);
                let held = held.filter(|_| proof).and_then(|p| AnswerToken::parse(&p.token));
                let password = password_of(who, password);
                did.password = Some(password.to_owned());
                let form = NewPassword::new(password).repeated(password);
                let visitor = self.visitor(who, false);
                let answer = self
                    .auth
                    .set_new_password(&visitor, &token, held.as_ref(), &form)
                    .await;
                if let Some(done) = told(&mut did, answer) {
                    did.effect = Effect::PasswordReset;
                    did.new_device = done.device.map(|d| d.expose().to_owned());
                }
                did
            }
            _ => Did::nothing(None),
        }
    }

    async fn follow(&mut self, act: &Act) -> Did {
        match act.clone() {
            Act::ConfirmEmail {
                who,
                link,
                any,
                session,
                password,
            } => {
                let mut did = Did::nothing(Some(who));
                did.link = self.links_of(who, link, any, LinkPurpose::ConfirmEmail);
                let Some(at) = did.link else { return did };
                did.session = session.and_then(|n| nth(&self.known.sessions, n, |s| s.who == who));
                let own = did
                    .session
                    .and_then(|s| SessionToken::parse(&self.known.sessions[s].token));
                let account = match self.known.links[at].issued.subject {
                    portal_auth::link::LinkSubject::Account(id) => {
                        self.before.account(id).map(|a| a.email.clone())
                    }
                    portal_auth::link::LinkSubject::Registration(_) => None,
                };
                let typed = self.typed(who, password, account).await;
                did.password = Some(typed.clone());
                let token = LinkToken::parse(&self.known.links[at].token).unwrap();
                let visitor = self.visitor(who, false);
                let answer = self
                    .auth
                    .confirm_email(&visitor, &token, own.as_ref(), &Password::from(typed.as_str()))
                    .await;
                if let Some(done) = told(&mut did, answer) {
                    did.effect = Effect::EmailChanged;
                    did.new_session = done.session.map(|s| s.expose().to_owned());
                    did.new_device = done.device.map(|d| d.expose().to_owned());
                }
                did
            }
            Act::TakeBack {
                who,
                link,
                any,
                purpose,
            } => {
                let mut did = Did::nothing(Some(who));
                did.link = self.links_of(who, link, any, purpose);
                let Some(at) = did.link else { return did };
                let token = LinkToken::parse(&self.known.links[at].token).unwrap();
                let (visitor, typed) = (self.visitor(who, false), ADDRESSES[self.known.links[at].to]);
                let answer = match purpose {
                    LinkPurpose::FreezeAccount => self.auth.freeze_account(&visitor, &token, typed).await,
                    LinkPurpose::NotMe => self.auth.not_me(&visitor, &token, typed).await,
                    LinkPurpose::CancelRecovery => self.auth.cancel_recovery(&visitor, &token, typed).await,
                    _ => self.auth.cancel_email_change(&visitor, &token, typed).await,
                };
                if told(&mut did, answer).is_some() {
                    did.effect = Effect::TakenBack;
                }
                did
            }
            Act::Restore {
                who,
                link,
                any,
                password,
            } => {
                let mut did = Did::nothing(Some(who));
                did.link = self.links_of(who, link, any, LinkPurpose::RestoreAccount);
                let Some(at) = did.link else { return did };
                let account = address(self.known.links[at].to);
                let typed = self.typed(who, password, Some(account)).await;
                did.password = Some(typed.clone());
                let token = LinkToken::parse(&self.known.links[at].token).unwrap();
                let visitor = self.visitor(who, false);
                let answer = self
                    .auth
                    .restore_account(&visitor, &token, &Password::from(typed.as_str()))
                    .await;
                if let Some(done) = told(&mut did, answer) {
                    did.effect = Effect::Restored;
                    did.new_device = done.device.map(|d| d.expose().to_owned());
                }
                did
            }
            _ => Did::nothing(None),
        }
    }

    async fn in_session(&mut self, act: &Act, mut did: Did, who: Who, session: usize) -> Did {
        let token = SessionToken::parse(&self.known.sessions[session].token).unwrap();
        let visitor = self.visitor(who, false);
        let email = self.email_of(session);
        match act.clone() {
            Act::ChangePassword { current, new, .. } => {
                let current = self.typed(who, current, email).await;
                let new = password_of(who, new);
                did.password = Some(new.to_owned());
                let form = NewPassword::new(new).repeated(new);
                let answer = self
                    .auth
                    .change_password(&visitor, &token, &Password::from(current.as_str()), &form)
                    .await;
                if let Some(renewed) = told(&mut did, answer) {
                    did.effect = Effect::PasswordChanged;
                    did.new_session = Some(renewed.session.expose().to_owned());
                    did.new_device = renewed.device.map(|d| d.expose().to_owned());
                }
            }
            Act::ChangeEmail { to, password, .. } => {
                let typed = self.typed(who, password, email).await;
                did.address = Some(to.into());
                let to = ADDRESSES[usize::from(to)];
                let form = ChangeEmailForm::new(to, typed.as_str()).repeated(to);
                let answer = self.auth.change_email(&visitor, &token, form).await;
                if told(&mut did, answer).is_some() {
                    did.effect = Effect::EmailAsked;
                }
            }
            Act::TwoStep { on, .. } => {
                let choice = if on { TwoStep::Email } else { TwoStep::Off };
                let answer = self.auth.set_two_step(&visitor, &token, choice).await;
                if let Some(TwoStepOutcome::Changed { device }) = told(&mut did, answer) {
                    did.effect = Effect::TwoStepChanged;
                    did.new_device = device.map(|d| d.expose().to_owned());
                }
            }
            Act::Confirm { password, .. } => {
                let typed = self.typed(who, password, email).await;
                did.password = Some(typed.clone());
                let answer = self
                    .auth
                    .confirm_password(&visitor, &token, &Password::from(typed.as_str()))
                    .await;
                match told(&mut did, answer) {
                    Some(ConfirmOutcome::Confirmed(new)) => {
                        did.effect = Effect::Confirmed;
                        did.new_session = Some(new.expose().to_owned());
                    }
                    Some(ConfirmOutcome::CodeSent(sent)) => {
                        did.effect = Effect::CodeSent;
                        did.new_half = Some(sent.challenge.expose().to_owned());
                    }
                    _ => {}
                }
            }
            Act::ConfirmCode { half, code, .. } => {
                let mine = |h: &super::known::Half| h.who == who && h.purpose == ChallengePurpose::Confirm;
                did.half = nth(&self.known.halves, half, mine);
                let Some(half) = did.half else { return did };
                let code = self.code(who, half, code);
                did.code = Some(code.clone());
                let challenge = ChallengeToken::parse(&self.known.halves[half].token).unwrap();
                let answer = self.auth.confirm_code(&visitor, &token, &challenge, &code).await;
                if let Some(new) = told(&mut did, answer) {
                    did.effect = Effect::Confirmed;
                    did.new_session = Some(new.expose().to_owned());
                }
            }
            Act::Close { password, .. } => {
                let typed = self.typed(who, password, email).await;
                let answer = self
                    .auth
                    .close_account(&visitor, &token, &Password::from(typed.as_str()))
                    .await;
                if told(&mut did, answer).is_some() {
                    did.effect = Effect::Closed;
                }
            }
            Act::EndOthers { .. } => {
                let answer = self.auth.end_other_sessions(&visitor, &token).await;
                if let Some(renewed) = told(&mut did, answer) {
                    did.effect = Effect::OthersEnded;
                    did.new_session = Some(renewed.session.expose().to_owned());
                    did.new_device = renewed.device.map(|d| d.expose().to_owned());
                }
            }
            Act::SignOut { .. } => {
                self.auth.sign_out(&visitor, &token).await.unwrap();
                did.effect = Effect::SignedOut;
                did.answer = "done".into();
            }
            _ => {
                if told(&mut did, self.auth.authenticate(&token).await).is_some() {
                    did.effect = Effect::Looked;
                }
            }
        }
        did
    }

    async fn order(&mut self, order: Order, at: usize) -> Did {
        let mut did = Did::nothing(None);
        did.address = Some(at);
        let (by, email) = (Administrator::at_the_command_line(), address(at));
        let answer = match order {
            Order::Disable => self.auth.disable_account(&by, &email).await,
            Order::Enable => self.auth.enable_account(&by, &email).await,
            Order::Unlock => self.auth.unlock_account(&by, &email).await,
            Order::EndSessions => self.auth.end_all_sessions(&by, &email).await,
            Order::ClearTwoStep => self.auth.clear_two_step(&by, &email).await,
        };
        if told(&mut did, answer).is_some() {
            did.effect = Effect::Ordered;
        }
        did
    }
}
