//! Signing in with address and password; where the second step is on, a code is mailed and the sign-in is half done.
//!
//! Everything an outsider can see is the same for an unknown address, a wrong password, a registration that waits, a
//! disabled and a closed account: status, words, statements, hashing, time (ENU-1, ENU-2). A right password on a
//! closed bucket is answered like a wrong one (THR-4). Mails: the code (E4); "too many tries" to the owner when a
//! bucket closes (E13), "login attempts" when the right password came after many wrong ones (E18), and where the service
//! says so "new login" from a browser not seen before (E12). Audited as `sign_in.done`, `sign_in.code_sent`, `sign_in.refused`. ASVS 6.3, SP 800-63B 3.2.

use std::fmt;
use std::sync::atomic::Ordering;

use crate::account::email::{EmailAddress, EmailError};
use crate::account::snapshot::AccountRow;
use crate::alerting::{Alert, Unusual};
use crate::audit::{Actor, Event};
use crate::challenge::ChallengePurpose;
use crate::config::TwoStepPolicy;
use crate::device::DeviceRow;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::guessing::PaidTry;
use crate::issuing::{CodeSent, NO_CODE_MAIL_LEFT, NewSession};
use crate::password::Password;
use crate::password::hash::{Line, StoredHash, Verdict};
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::secret::token::SessionToken;
use crate::session::Level;
use crate::session_gate::asks_for_code;
use crate::store::SignInView;
use crate::unit_of_work::{Change, Sweep, UnitOfWork, Write};
use crate::visitor::Visitor;

/// What the sign-in page sends.
#[non_exhaustive]
pub struct SignInForm<'a> {
    /// The address as it was typed.
    pub email: &'a str,
    /// The password as it was typed.
    pub password: Password,
    /// The session the browser holds already, if any; it ends when the new one begins (SES-2).
    pub replaces: Option<&'a SessionToken>,
}

impl fmt::Debug for SignInForm<'_> {
    /// Shows nothing that was typed (LOG-2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInForm").finish_non_exhaustive()
    }
}

impl<'a> SignInForm<'a> {
    /// What was typed into the two fields.
    pub fn new(email: &'a str, password: impl Into<Password>) -> Self {
        Self {
            email,
            password: password.into(),
            replaces: None,
        }
    }

    /// The session the browser holds already.
    #[must_use]
    pub const fn replacing(mut self, session: Option<&'a SessionToken>) -> Self {
        self.replaces = session;
        self
    }
}

/// How a right password is answered.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignInOutcome {
    /// Signed in, at level one.
    SignedIn(NewSession),
    /// A code is on its way; go on with [`verify_code`](PortalAuth::verify_code).
    CodeSent(CodeSent),
}

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInRefused {
    /// What was typed is no address.
    Email(EmailError),
    /// No password was typed.
    PasswordRequired,
    /// The pair is not right, or the account may not be used: which of them is nobody's business.
    NotCorrect,
    /// The password was right, but too many wrong codes were entered in a row: only a new password opens the
    /// account again (OTP-6). Only somebody who has the password learns this.
    CodesUsedUp,
}

impl SignInRefused {
    /// The stable code of the refusal.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Email(e) => e.reason(),
            Self::PasswordRequired => Reason::new("password.required"),
            Self::NotCorrect => Reason::new("sign_in.not_correct"),
            Self::CodesUsedUp => Reason::new("code.closed"),
        }
    }
}

const DONE: Reason = Reason::new("sign_in.done");
const CODE_SENT: Reason = Reason::new("sign_in.code_sent");
const REFUSED: Reason = Reason::new("sign_in.refused");
/// A right password shows that no reset without the answer is needed (RST-7).
const BY_PASSWORD: Reason = Reason::new("recovery.by_password");
const REHASHED: Reason = Reason::new("password.rehashed");

impl PortalAuth {
    /// Signs somebody in, or sends them a code.
    ///
    /// # Errors
    /// `Refused`: show the page again with the address kept and the password field empty. `TooManyTries`: the page
    /// with status 429, the same for every address. `Busy`: status 503 with `Retry-After`.
    ///
    /// # Security
    /// Set the returned session token in place of whatever the browser held; never adopt a value it sent. A refusal comes
    /// at the end of an [`answer_step`](crate::config::Config::answer_step), where one is set (ENU-5).
    ///
    /// # Cancel safety
    /// A caller that goes away after the charge has still paid for the try.
    pub async fn sign_in(
        &self,
        visitor: &Visitor,
        form: SignInForm<'_>,
    ) -> Result<SignInOutcome, Denied<SignInRefused>> {
        self.inner.refused_in_steps(self.try_sign_in(visitor, form)).await
    }

    async fn try_sign_in(
        &self,
        visitor: &Visitor,
        form: SignInForm<'_>,
    ) -> Result<SignInOutcome, Denied<SignInRefused>> {
        let inner = &*self.inner;
        let email = EmailAddress::parse(form.email).map_err(|e| Denied::Refused(SignInRefused::Email(e)))?;
        if form.password.is_empty() {
            return Err(Denied::Refused(SignInRefused::PasswordRequired));
        }
        let device = inner.device_key(visitor);
        let view = inner.store.by_email(&email, device).await?;
        let judge = inner.judge(visitor, &email, view.account.as_ref(), view.device.as_ref());
        let line = if matches!(judge, crate::guessing::Judge::Familiar(_)) {
            Line::Known
        } else {
            Line::Stranger
        };
        let mut paid = inner.pay(judge, line).await?;
        let mut attempt = Attempt {
            inner,
            visitor,
            email: &email,
            form: &form,
            compared: None,
            alert: Alert::default(),
        };
        let mut view = view;
        for _ in 0..ATTEMPTS {
            if let Some(answer) = attempt.conclude(&view, &mut paid).await? {
                return answer;
            }
            view = inner.store.by_email(&email, device).await?;
        }
        Err(contended())
    }
}

/// What happens next, decided from what was read and compared.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Refuse(Reason),
    SignIn,
    SendCode,
    CodesUsedUp,
}

/// Pure: whether this account, this verdict and this policy make a session, a code, or a refusal.
fn decide(
    account: Option<&AccountRow>,
    verdict: Verdict,
    policy: TwoStepPolicy,
    most_wrong_codes: u32,
) -> Decision {
    let Some(account) = account else {
        return Decision::Refuse(Reason::new("account.unknown"));
    };
    if !verdict.is_right() {
        return Decision::Refuse(Reason::new("password.wrong"));
    }
    if !account.status.is_active() {
        return Decision::Refuse(Reason::new("account.not_active"));
    }
    if account.locked {
        return Decision::Refuse(Reason::new("account.locked"));
    }
    if !asks_for_code(policy, account.two_step) {
        return Decision::SignIn;
    }
    if account.code_failures >= most_wrong_codes {
        return Decision::CodesUsedUp;
    }
    Decision::SendCode
}

/// The answer, or `None` when a row changed in between.
type Concluded = Option<Result<SignInOutcome, Denied<SignInRefused>>>;

/// One sign-in on its way through possible conflicts: the verdict is reused only for the same stored hash.
struct Attempt<'a> {
    inner: &'a Inner,
    visitor: &'a Visitor,
    email: &'a EmailAddress,
    form: &'a SignInForm<'a>,
    compared: Option<(Option<StoredHash>, Verdict)>,
    alert: Alert,
}

impl Attempt<'_> {
    /// Compares, decides and commits.
    async fn conclude(
        &mut self,
        view: &SignInView,
        paid: &mut PaidTry,
    ) -> Result<Concluded, Denied<SignInRefused>> {
        let stored = view.account.as_ref().map(|a| &a.password);
        let verdict = self.verdict(stored, paid).await?;
        let now = self.inner.now();
        let config = &self.inner.config;
        let decision = decide(
            view.account.as_ref(),
            verdict,
            config.two_step,
            config.codes.failures_in_a_row,
        );
        match (decision, &view.account) {
            (Decision::SignIn, Some(account)) => {
                self.sign_in(account, view.device.as_ref(), verdict, paid, now)
                    .await
            }
            (Decision::SendCode, Some(account)) => self.send_code(account, verdict, paid, now).await,
            (Decision::Refuse(why), account) => self.refuse(account.as_ref(), why, paid, now).await,
            (Decision::CodesUsedUp, Some(account)) => {
                let refused = SignInRefused::CodesUsedUp;
                self.refuse_owner(account, refused.reason(), Denied::Refused(refused), paid, now)
                    .await
            }
            (Decision::SignIn | Decision::SendCode | Decision::CodesUsedUp, None) => Err(Denied::Fault(
                Fault::permanent("a sign-in was decided for nobody"),
            )),
        }
    }

    async fn verdict(&mut self, stored: Option<&StoredHash>, paid: &mut PaidTry) -> Result<Verdict, Fault> {
        if let Some((compared_with, verdict)) = &self.compared
            && compared_with.as_ref() == stored
        {
            return Ok(*verdict);
        }
        let verdict = paid
            .verify(stored, &self.form.password, self.inner.password_pepper())
            .await?;
        self.compared = Some((stored.cloned(), verdict));
        Ok(verdict)
    }

    fn event(&self, kind: Reason, account: Option<&AccountRow>) -> Event {
        let actor = if account.is_some() && kind != REFUSED {
            Actor::Owner
        } else {
            Actor::Visitor
        };
        let mut event = self
            .inner
            .seen_from(Event::new(kind, actor), self.visitor, Some(self.email));
        event.account = account.map(|a| a.id);
        event
    }

    async fn sign_in(
        &mut self,
        account: &AccountRow,
        device: Option<&DeviceRow>,
        verdict: Verdict,
        paid: &mut PaidTry,
        now: Timestamp,
    ) -> Result<Concluded, Denied<SignInRefused>> {
        let inner = self.inner;
        let work = UnitOfWork::new(inner.audit(self.event(DONE, Some(account)), now)?);
        let (work, session) = inner.add_session(work, account, Level::One, now, now, self.visitor)?;
        let work = inner.cancel_recovery_too(work, account, BY_PASSWORD, now)?;
        let work = inner.add_new_device(work, account, device, self.visitor, now)?;
        let work = self.add_alert(work, account, paid, now).await?;
        let (mut work, device) = inner.add_device(work, account, now, self.visitor)?;
        if let Some(old) = self.form.replaces.and_then(|token| inner.session_key(token)) {
            work = work.sweep(Sweep::EndSession(old));
        }
        let work = inner.settle_right(work, paid, self.email, now);
        if inner.commit(work).await? == Commit::Conflict {
            return Ok(None);
        }
        inner.counters.sign_ins.fetch_add(1, Ordering::Relaxed);
        self.rehash(account, verdict, paid).await;
        Ok(Some(Ok(SignInOutcome::SignedIn(NewSession {
            session,
            device,
            level: Level::One,
        }))))
    }

    /// Tells the owner of a right password after many wrong ones (E18).
    async fn add_alert(
        &mut self,
        work: UnitOfWork,
        account: &AccountRow,
        paid: &PaidTry,
        now: Timestamp,
    ) -> Result<UnitOfWork, Fault> {
        let what = Unusual::AfterFailures(paid.failures_before());
        self.inner
            .add_unusual(work, &mut self.alert, account, what, self.visitor, now)
            .await
    }

    async fn send_code(
        &mut self,
        account: &AccountRow,
        verdict: Verdict,
        paid: &mut PaidTry,
        now: Timestamp,
    ) -> Result<Concluded, Denied<SignInRefused>> {
        let inner = self.inner;
        if let Some(retry_after) = inner.spend_code_mail(account, now).await? {
            let denied = Denied::TooManyTries { retry_after };
            return self
                .refuse_owner(account, NO_CODE_MAIL_LEFT, denied, paid, now)
                .await;
        }
        let work = UnitOfWork::new(inner.audit(self.event(CODE_SENT, Some(account)), now)?);
        let (work, sent) =
            inner.add_challenge(work, account, ChallengePurpose::SignIn, None, now, self.visitor)?;
        let work = inner.cancel_recovery_too(work, account, BY_PASSWORD, now)?;
        let work = self.add_alert(work, account, paid, now).await?;
        let work = inner.settle_right(work, paid, self.email, now);
        if inner.commit(work).await? == Commit::Conflict {
            return Ok(None);
        }
        inner.counters.sign_ins.fetch_add(1, Ordering::Relaxed);
        self.rehash(account, verdict, paid).await;
        Ok(Some(Ok(SignInOutcome::CodeSent(sent))))
    }

    /// The password was right, and still nobody gets in: the try is given back.
    async fn refuse_owner(
        &self,
        account: &AccountRow,
        why: Reason,
        denied: Denied<SignInRefused>,
        paid: &PaidTry,
        now: Timestamp,
    ) -> Result<Concluded, Denied<SignInRefused>> {
        let event = self.event(REFUSED, Some(account)).because(why);
        let work = UnitOfWork::new(self.inner.audit(event, now)?);
        let work = self.inner.settle_right(work, paid, self.email, now);
        Ok((self.inner.commit(work).await? == Commit::Done).then_some(Err(denied)))
    }

    async fn refuse(
        &self,
        account: Option<&AccountRow>,
        why: Reason,
        paid: &PaidTry,
        now: Timestamp,
    ) -> Result<Concluded, Denied<SignInRefused>> {
        let inner = self.inner;
        let work = UnitOfWork::new(inner.audit(self.event(REFUSED, account).because(why), now)?);
        let work = inner
            .settle_wrong(work, paid, self.visitor, self.email, account, now)
            .await?;
        if inner.commit(work).await? == Commit::Conflict {
            return Ok(None);
        }
        inner.counters.sign_ins_refused.fetch_add(1, Ordering::Relaxed);
        Ok(Some(Err(Denied::Refused(SignInRefused::NotCorrect))))
    }

    /// Replaces a hash that is weaker than today's; losing to any other change of the account is right (HASH-4).
    async fn rehash(&self, account: &AccountRow, verdict: Verdict, paid: &mut PaidTry) {
        if !matches!(verdict, Verdict::Right { needs_rehash: true }) {
            return;
        }
        if let Err(fault) = self.try_rehash(account, paid).await {
            tracing::warn!(
                error = &fault as &dyn std::error::Error,
                "a weak password hash was not replaced"
            );
        }
    }

    async fn try_rehash(&self, account: &AccountRow, paid: &mut PaidTry) -> Result<(), Fault> {
        let inner = self.inner;
        let password = paid.hash(&self.form.password, inner.password_pepper()).await?;
        let now = inner.now();
        let event = Event::new(REHASHED, Actor::System).about(account.id);
        let row = AccountRow {
            password,
            updated_at: now,
            ..account.clone()
        };
        let work =
            UnitOfWork::new(inner.audit(event, now)?).change(Change::Account(Box::new(Write::Update(row))));
        inner.commit(work).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::profile::StoredProfile;
    use crate::account::recovery::Recovery;
    use crate::account::snapshot::AccountId;
    use crate::account::status::{AuthEpoch, Status, TwoStep};

    fn account(status: Status, two_step: TwoStep) -> AccountRow {
        let t = Timestamp::from_micros(0);
        AccountRow {
            id: AccountId::from_bytes([1; 16]),
            version: 1,
            email: EmailAddress::parse("jo@school.example").unwrap(),
            status,
            auth_epoch: AuthEpoch::from_bytes([1; 8]),
            password: StoredHash::parse(&format!(
                "$argon2id$v=19$m=8,t=1,p=1${}${}",
                "A".repeat(22),
                "A".repeat(43)
            ))
            .unwrap(),
            two_step,
            question: None,
            answer: None,
            profile: StoredProfile::new(1, serde_json::Map::new()),
            code_failures: 0,
            created_at: t,
            updated_at: t,
            language: None,
            locked: false,
            recovery: Recovery::default(),
            email_changed_at: None,
            closed_at: None,
        }
    }

    #[test]
    fn the_whole_table_of_decisions() {
        use TwoStepPolicy::{Off, Optional, RequiredForAll, RequiredForAreas};
        let right = Verdict::Right { needs_rehash: false };
        for policy in [Off, Optional, RequiredForAreas, RequiredForAll] {
            for two_step in [TwoStep::Off, TwoStep::Email] {
                let code = match policy {
                    Off => false,
                    RequiredForAll => true,
                    Optional | RequiredForAreas => two_step == TwoStep::Email,
                };
                let active = account(Status::Active, two_step);
                let expected = if code {
                    Decision::SendCode
                } else {
                    Decision::SignIn
                };
                assert_eq!(decide(Some(&active), right, policy, 10), expected);
                assert!(matches!(
                    decide(Some(&active), Verdict::Wrong, policy, 10),
                    Decision::Refuse(_)
                ));
                for status in [Status::Disabled, Status::Closed] {
                    // I-07
                    assert!(matches!(
                        decide(Some(&account(status, two_step)), right, policy, 10),
                        Decision::Refuse(_)
                    ));
                }
            }
            let locked = AccountRow {
                locked: true,
                ..account(Status::Active, TwoStep::Off)
            };
            assert!(matches!(
                decide(Some(&locked), right, policy, 10),
                Decision::Refuse(_)
            ));
            let used_up = AccountRow {
                code_failures: 10,
                ..account(Status::Active, TwoStep::Email)
            };
            let closed = decide(Some(&used_up), right, policy, 10) == Decision::CodesUsedUp;
            assert_eq!(closed, policy != Off); // OTP-6
            assert!(matches!(
                decide(None, Verdict::Wrong, policy, 10),
                Decision::Refuse(_)
            ));
        }
    }
}
