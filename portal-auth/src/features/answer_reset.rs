//! The secret answer of a reset: asked for behind a live link only, and good for nothing but going on (ANS-1).
//!
//! A right answer counts in one browser for fifteen minutes (RST-3). Tries count per link, which dies, and per account,
//! whose recovery pauses; they are paid for before the answer is compared, on the link and on the network, and no result
//! is told unless the commit that counts it won (ANS-5, I-16). Mail: E17. Audited as `reset.answered`, `reset.refused`.

use crate::account::security_question::{AnswerError, SecurityAnswer};
use crate::account::snapshot::AccountRow;
use crate::audit::Actor;
use crate::error::{Denied, Fault, Reason};
use crate::guessing::PaidTry;
use crate::link::{Answer, LinkRow, LinkState, ProofKey};
use crate::password::Password;
use crate::password::hash::{Line, Pepper, StoredHash, Verdict};
use crate::portal::{ATTEMPTS, Commit, Inner, PortalAuth, contended};
use crate::reset_step::{ANSWER_WRONG, ResetRefused};
use crate::secret::keyring::row_key;
use crate::secret::token::{AnswerToken, LinkToken, Purpose};
use crate::throttle::Settle;
use crate::unit_of_work::{Change, UnitOfWork, Write};
use crate::visitor::Visitor;

const ANSWERED: Reason = Reason::new("reset.answered");
const REFUSED: Reason = Reason::new("reset.refused");

impl PortalAuth {
    /// Checks the secret answer behind a live link; the token goes into a cookie of this browser.
    ///
    /// # Errors
    /// `Refused` with what to say; `TooManyTries` when the network is closed; `Busy` as for signing in.
    ///
    /// # Cancel safety
    /// A caller that goes away after the charge has still paid for the try.
    pub async fn answer_reset(
        &self,
        visitor: &Visitor,
        token: &LinkToken,
        typed: &str,
    ) -> Result<AnswerToken, Denied<ResetRefused>> {
        let inner = &*self.inner;
        let (link, _) = inner.link_for_answer(token).await?;
        let answer = match SecurityAnswer::parse(typed) {
            Err(AnswerError::Required) => return Err(Denied::Refused(ResetRefused::AnswerRequired)),
            // No such text was ever taken as an answer, so it is a wrong one.
            Err(_) => None,
            Ok(answer) => Some(Password::new(answer.expose())),
        };
        let mut paid = inner.pay(inner.link_judge(&link, visitor), Line::Known).await?;
        let mut compared: Option<(StoredHash, Verdict)> = None;
        for _ in 0..ATTEMPTS {
            let (link, account) = inner.link_for_answer(token).await?;
            let verdict = match (&compared, &account.answer, &answer) {
                (Some((with, verdict)), Some(stored), _) if with == stored => *verdict,
                (_, stored, Some(answer)) => paid.verify(stored.as_ref(), answer, Pepper::Current).await?,
                (_, _, None) => Verdict::Wrong,
            };
            compared = account.answer.clone().map(|stored| (stored, verdict));
            let answer = if verdict.is_right() {
                inner.right_answer(visitor, &link, &account, &paid).await?.map(Ok)
            } else {
                inner
                    .wrong_answer(visitor, &link, &account, &paid)
                    .await?
                    .map(Err)
            };
            match answer {
                Some(Ok(token)) => return Ok(token),
                Some(Err(refused)) => return Err(Denied::Refused(refused)),
                None => {}
            }
        }
        Err(contended())
    }
}

impl Inner {
    /// Marks the link as answered in this browser; `None` when a row changed in between.
    ///
    /// The account is written too, so that no answer counts that another try has overtaken (I-16).
    async fn right_answer(
        &self,
        visitor: &Visitor,
        link: &LinkRow,
        account: &AccountRow,
        paid: &PaidTry,
    ) -> Result<Option<AnswerToken>, Fault> {
        let now = self.now();
        let minted = self.keyring.mint(Purpose::Answer, &*self.entropy)?;
        let answered = LinkRow {
            answer: Answer::Given {
                proof: ProofKey::from_bytes(row_key(Purpose::Answer, &minted.seed)),
                at: now,
            },
            ..link.clone()
        };
        let reopened = AccountRow {
            recovery: account.recovery.reopened(),
            updated_at: now,
            ..account.clone()
        };
        let event = self.reset_event(ANSWERED, Actor::Owner, account, visitor);
        let work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Link(Box::new(Write::Update(answered))))
            .change(Change::Account(Box::new(Write::Update(reopened))))
            .settle(Settle::TakeBack(paid.receipt()));
        let done = self.commit(work).await? == Commit::Done;
        Ok(done.then(|| AnswerToken::minted(minted.text)))
    }

    /// Counts a wrong answer on the link, which may die of it, and on the account, whose recovery may pause. `None`
    /// on a conflict.
    async fn wrong_answer(
        &self,
        visitor: &Visitor,
        link: &LinkRow,
        account: &AccountRow,
        paid: &PaidTry,
    ) -> Result<Option<ResetRefused>, Fault> {
        let now = self.now();
        let rules = self.config.recovery.pause_rules();
        let tries = link.tries.saturating_add(1);
        let tries_left = self.config.recovery.answer_tries.saturating_sub(tries);
        let counted = LinkRow {
            tries,
            ..link.clone()
        };
        let link = if tries_left == 0 {
            counted.ended(LinkState::Void, now)
        } else {
            counted
        };
        let row = AccountRow {
            recovery: account.recovery.after_wrong_answer(now, &rules),
            updated_at: now,
            ..account.clone()
        };
        let paused = row.recovery.paused(now, &rules);
        let (why, refused) = match paused {
            Some(paused) => (Reason::new("recovery.paused"), ResetRefused::Paused(paused)),
            None if tries_left == 0 => (
                Reason::new("reset.exhausted"),
                ResetRefused::AnswerWrong { tries_left },
            ),
            None => (ANSWER_WRONG, ResetRefused::AnswerWrong { tries_left }),
        };
        let event = self
            .reset_event(REFUSED, Actor::Visitor, account, visitor)
            .because(why);
        let mut work = UnitOfWork::new(self.audit(event, now)?)
            .change(Change::Link(Box::new(Write::Update(link))))
            .change(Change::Account(Box::new(Write::Update(row))));
        if let Some(paused) = paused {
            work = work.mail(self.paused_mail(account, paused, now)?);
        }
        let work = self.count_on_networks(work, paid, now)?;
        let done = self.commit(work).await? == Commit::Done;
        Ok(done.then_some(refused))
    }
}
