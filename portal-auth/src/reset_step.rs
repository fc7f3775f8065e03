//! What a reset link asks of the browser that opened it: the secret answer, or the new password.

use crate::account::recovery::Paused;
use crate::account::security_question::AnswerError;
use crate::account::snapshot::AccountRow;
use crate::audit::{Actor, Event};
use crate::config::RecoveryConfig;
use crate::environment::Timestamp;
use crate::error::{Denied, Reason};
use crate::guessing::Judge;
use crate::link::{Answer, LinkRefused, LinkRow, ProofKey};
use crate::new_password::NewPasswordRefused;
use crate::portal::Inner;
use crate::recovering::is_owed;
use crate::secret::keyring::row_key;
use crate::secret::token::{AnswerToken, LinkToken, Purpose};
use crate::visitor::Visitor;

/// Why a reset does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetRefused {
    /// The link does nothing (any more).
    Link(LinkRefused),
    /// Too many wrong answers in a row: the recovery is paused.
    Paused(Paused),
    /// No answer was typed; nothing was counted.
    AnswerRequired,
    /// It is not the answer.
    AnswerWrong {
        /// Tries left; with none left the link is dead.
        tries_left: u32,
    },
    /// The answer comes first: it was not given in this browser, or too long ago.
    AnswerFirst,
    /// This link does not ask for an answer: go on with the new password.
    NoAnswerAsked,
    /// The new password breaks rules.
    Password(NewPasswordRefused),
}

impl ResetRefused {
    /// The stable code of the refusal; for a password, that of the first rule it breaks.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Link(refused) => refused.reason(),
            Self::Paused(_) => Reason::new("recovery.paused"),
            Self::AnswerRequired => AnswerError::Required.reason(),
            Self::AnswerWrong { .. } => ANSWER_WRONG,
            Self::AnswerFirst => Reason::new("reset.answer_first"),
            Self::NoAnswerAsked => Reason::new("reset.no_answer_asked"),
            Self::Password(refused) => {
                let errors = refused.errors();
                let first = errors.iter().next().map(|error| error.reason);
                first.unwrap_or(Reason::new("password.required"))
            }
        }
    }
}

pub(crate) const ANSWER_WRONG: Reason = Reason::new("answer.wrong");

/// What a link that works asks of this browser now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Answer { tries_left: u32 },
    NewPassword,
    Paused(Paused),
}

/// Pure: the step, given whether the account has an answer, whether it is paused, and which browser asks.
fn decide_step(
    link: &LinkRow,
    account_asks: bool,
    paused: Option<Paused>,
    proof: Option<ProofKey>,
    config: &RecoveryConfig,
    now: Timestamp,
) -> Step {
    if !is_owed(link.answer, account_asks) {
        return Step::NewPassword;
    }
    if let Answer::Given { proof: given, at } = link.answer
        // One from the future was given before the clock went back (CLK-4).
        && at <= now
        && now < at.plus(config.answered_for)
        && proof == Some(given)
    {
        return Step::NewPassword;
    }
    if let Some(paused) = paused {
        return Step::Paused(paused);
    }
    Step::Answer {
        tries_left: config.answer_tries.saturating_sub(link.tries),
    }
}

impl Inner {
    /// A reset link that works, and its account.
    pub(crate) async fn reset_link(
        &self,
        token: &LinkToken,
    ) -> Result<(LinkRow, AccountRow), Denied<ResetRefused>> {
        let found = self.live_reset_link(token).await;
        found.map_err(|e| e.map(ResetRefused::Link))
    }

    /// What the link asks of the browser that holds `proof`.
    pub(crate) fn decide_step(
        &self,
        link: &LinkRow,
        account: &AccountRow,
        proof: Option<&AnswerToken>,
        now: Timestamp,
    ) -> Step {
        let proof = proof.and_then(|token| {
            let seed = self.keyring.open(Purpose::Answer, token.expose())?;
            Some(ProofKey::from_bytes(row_key(Purpose::Answer, &seed)))
        });
        decide_step(
            link,
            self.asks_for_answer(account),
            self.recovery_paused(account, now),
            proof,
            &self.config.recovery,
            now,
        )
    }

    /// A link whose page asks for the answer now.
    pub(crate) async fn link_for_answer(
        &self,
        token: &LinkToken,
    ) -> Result<(LinkRow, AccountRow), Denied<ResetRefused>> {
        let (link, account) = self.reset_link(token).await?;
        match self.decide_step(&link, &account, None, self.now()) {
            Step::Answer { .. } => Ok((link, account)),
            Step::NewPassword => Err(Denied::Refused(ResetRefused::NoAnswerAsked)),
            Step::Paused(paused) => Err(Denied::Refused(ResetRefused::Paused(paused))),
        }
    }

    /// A link whose page asks this browser for the new password now.
    pub(crate) async fn link_for_password(
        &self,
        token: &LinkToken,
        proof: Option<&AnswerToken>,
    ) -> Result<(LinkRow, AccountRow), Denied<ResetRefused>> {
        let (link, account) = self.reset_link(token).await?;
        match self.decide_step(&link, &account, proof, self.now()) {
            Step::NewPassword => Ok((link, account)),
            Step::Answer { .. } => Err(Denied::Refused(ResetRefused::AnswerFirst)),
            Step::Paused(paused) => Err(Denied::Refused(ResetRefused::Paused(paused))),
        }
    }

    /// Tries behind a link count on it and on the network, never on the address.
    pub(crate) fn link_judge(&self, link: &LinkRow, visitor: &Visitor) -> Judge {
        Judge::Stranger {
            bucket: self.keyring.pseudonym("link", link.key.as_bytes()),
            networks: self.network_buckets(visitor),
        }
    }

    pub(crate) fn reset_event(
        &self,
        kind: Reason,
        actor: Actor,
        account: &AccountRow,
        visitor: &Visitor,
    ) -> Event {
        let event = Event::new(kind, actor).about(account.id);
        self.seen_from(event, visitor, Some(&account.email))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;
    use crate::testkit::rows::{self, MICRO, T0, at};

    fn config() -> RecoveryConfig {
        Config::portal("https://portal.example".parse().unwrap()).recovery
    }

    fn step(answer: Answer, asks: bool, paused: Option<Paused>, proof: Option<u8>, now: Timestamp) -> Step {
        let link = LinkRow {
            answer,
            tries: 1,
            ..rows::reset_link(1, &rows::account(1))
        };
        let proof = proof.map(|n| ProofKey::from_bytes([n; 16]));
        decide_step(&link, asks, paused, proof, &config(), now)
    }

    #[test]
    fn the_answer_is_asked_for_where_there_is_one_and_it_was_not_given_in_this_browser() {
        // RST-3, ANS-1
        let paused = Some(Paused::UntilAdministrator);
        let given = Answer::Given {
            proof: ProofKey::from_bytes([1; 16]),
            at: T0,
        };
        for paused in [None, paused] {
            for answer in [Answer::Owed, Answer::Waived, given] {
                assert_eq!(step(answer, false, paused, None, T0), Step::NewPassword);
            }
            assert_eq!(step(Answer::Waived, true, paused, None, T0), Step::NewPassword);
            assert_eq!(step(given, true, paused, Some(1), T0), Step::NewPassword);
        }
        let asked = Step::Answer { tries_left: 2 };
        for proof in [None, Some(2)] {
            assert_eq!(step(given, true, None, proof, T0), asked);
            assert_eq!(
                step(given, true, paused, proof, T0),
                Step::Paused(Paused::UntilAdministrator)
            );
        }
        assert_eq!(step(Answer::Owed, true, None, Some(1), T0), asked);
    }

    #[test]
    fn a_right_answer_counts_for_fifteen_minutes() {
        // RST-3, CLK-4
        let given = Answer::Given {
            proof: ProofKey::from_bytes([1; 16]),
            at: T0,
        };
        let end = at(15 * 60);
        let asked = Step::Answer { tries_left: 2 };
        assert_eq!(
            step(given, true, None, Some(1), end.minus(MICRO)),
            Step::NewPassword
        );
        assert_eq!(step(given, true, None, Some(1), end), asked);
        let before = T0.minus(Duration::from_secs(1));
        assert_eq!(step(given, true, None, Some(1), before), asked);
    }
}
