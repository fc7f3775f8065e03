//! The first step of a registration: what its page sends, what may become of it, and the hashes that are kept.
//!
//! A page that is visited again keeps what it left empty, as long as address and question stay the same.

use std::fmt;

use crate::account::chosen_question::{ChosenQuestion, OwnQuestion};
use crate::account::email::EmailAddress;
use crate::account::security_question::SecurityAnswer;
use crate::config::SecretQuestion;
use crate::error::{Denied, Fault, FieldErrors, Reason};
use crate::guessing::Judge;
use crate::password::Password;
use crate::password::hash::{HashingSlot, Line, Pepper, SecretBytes, StoredHash};
use crate::password::policy::{BrokenRule, PasswordOwner};
use crate::portal::Inner;
use crate::registration::draft::SecurityDetailsDone;

/// What the first page sends.
#[non_exhaustive]
pub struct SecurityDetails {
    /// The address as it was typed.
    pub email: String,
    /// The address typed again; `None` where the page does not ask.
    pub email2: Option<String>,
    /// The password; empty keeps the one of an earlier visit.
    pub password: Password,
    /// The password typed again; `None` where the page does not ask.
    pub password2: Option<Password>,
    /// The id of the chosen question, or [`OwnQuestion::CHOICE`] for `own_question`; empty when none was chosen.
    pub question: String,
    /// A question in the person's own words, where the service allows one.
    pub own_question: String,
    /// Its answer; empty keeps the one of an earlier visit.
    pub answer: String,
}

impl fmt::Debug for SecurityDetails {
    /// Shows neither passwords nor the answer (LOG-2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityDetails")
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}

impl SecurityDetails {
    /// The fields of a page that asks for everything once.
    pub fn new(email: impl Into<String>, password: impl Into<Password>) -> Self {
        Self {
            email: email.into(),
            email2: None,
            password: password.into(),
            password2: None,
            question: String::new(),
            own_question: String::new(),
            answer: String::new(),
        }
    }

    /// The fields in which address and password are typed again.
    #[must_use]
    pub fn repeated(mut self, email2: impl Into<String>, password2: impl Into<Password>) -> Self {
        self.email2 = Some(email2.into());
        self.password2 = Some(password2.into());
        self
    }

    /// A secret question of the person's own and its answer.
    #[must_use]
    pub fn with_own_question(mut self, own: impl Into<String>, answer: impl Into<String>) -> Self {
        self.own_question = own.into();
        self.with_question(OwnQuestion::CHOICE, answer)
    }

    /// The secret question and its answer.
    #[must_use]
    pub fn with_question(mut self, question: impl Into<String>, answer: impl Into<String>) -> Self {
        self.question = question.into();
        self.answer = answer.into();
        self
    }
}

/// The first step after its form was checked; what was left empty is kept from before.
pub(crate) struct CheckedDetails {
    email: EmailAddress,
    password: Option<Password>,
    question: Option<ChosenQuestion>,
    answer: Option<SecurityAnswer>,
}

impl Inner {
    pub(crate) fn check_security_details(
        &self,
        form: &SecurityDetails,
        before: Option<&SecurityDetailsDone>,
        breach: Option<BrokenRule>,
    ) -> Result<CheckedDetails, FieldErrors> {
        let mut errors = FieldErrors::new();
        let email = EmailAddress::parse(&form.email)
            .map_err(|e| errors.add("email", e.reason()))
            .ok();
        if form
            .email2
            .as_ref()
            .is_some_and(|again| !EmailAddress::is_repeated(&form.email, again))
        {
            errors.add("email2", Reason::new("email2.mismatch"));
        }
        let question = self.checked_question(&form.question, &form.own_question, &form.password, &mut errors);
        let same = before.is_some_and(|b| Some(&b.email) == email.as_ref() && b.question == question);
        let password = self.checked_password(form, email.as_ref(), same, breach, &mut errors);
        let answer = self.checked_answer(form, email.as_ref(), question.as_ref(), same, &mut errors);
        match (email, errors.is_empty()) {
            (Some(email), true) => Ok(CheckedDetails {
                email,
                password,
                question,
                answer,
            }),
            _ => Err(errors),
        }
    }

    /// The question of this id or of these words, or `None` with what is wrong in `question` or `own_question`; the
    /// service asks none where it is off.
    pub(crate) fn checked_question(
        &self,
        id: &str,
        own: &str,
        password: &Password,
        errors: &mut FieldErrors,
    ) -> Option<ChosenQuestion> {
        let settings = &self.config.registration;
        if settings.secret_question == SecretQuestion::Off {
            return None;
        }
        if settings.own_question && id == OwnQuestion::CHOICE {
            let own = OwnQuestion::parse(own).and_then(|own| own.check(password).map(|()| own));
            return own
                .map(ChosenQuestion::Own)
                .map_err(|e| match e.number() {
                    Some(n) => errors.add_with_number("own_question", e.reason(), n),
                    None => errors.add("own_question", e.reason()),
                })
                .ok();
        }
        let chosen = settings.questions.iter().find(|q| q.id().as_str() == id);
        if chosen.is_none() {
            errors.add("question", Reason::new("question.required"));
        }
        chosen.map(|q| ChosenQuestion::Listed(q.id().clone()))
    }

    /// The new password, or `None` to keep the one that was hashed before for the same address and question.
    fn checked_password(
        &self,
        form: &SecurityDetails,
        email: Option<&EmailAddress>,
        same: bool,
        breach: Option<BrokenRule>,
        errors: &mut FieldErrors,
    ) -> Option<Password> {
        let again_empty = form.password2.as_ref().is_none_or(Password::is_empty);
        if form.password.is_empty() && again_empty && same {
            return None;
        }
        let owner = email.map_or_else(PasswordOwner::unknown, PasswordOwner::with_email);
        for rule in self.broken_rules(&form.password, &owner, breach) {
            match rule.number() {
                Some(n) => errors.add_with_number("new-password", rule.reason(), n),
                None => errors.add("new-password", rule.reason()),
            }
        }
        if form
            .password2
            .as_ref()
            .is_some_and(|again| again.expose() != form.password.expose())
        {
            errors.add("new-password2", Reason::new("password2.mismatch"));
        }
        Some(Password::new(form.password.expose()))
    }

    fn checked_answer(
        &self,
        form: &SecurityDetails,
        email: Option<&EmailAddress>,
        question: Option<&ChosenQuestion>,
        same: bool,
        errors: &mut FieldErrors,
    ) -> Option<SecurityAnswer> {
        if self.config.registration.secret_question == SecretQuestion::Off || (form.answer.is_empty() && same)
        {
            return None;
        }
        self.checked_new_answer(&form.answer, question, &form.password, email, errors)
    }

    /// A secret answer that is being set, or `None` with what is wrong in `answer` (ANS-2 to ANS-4).
    pub(crate) fn checked_new_answer(
        &self,
        typed: &str,
        question: Option<&ChosenQuestion>,
        password: &Password,
        email: Option<&EmailAddress>,
        errors: &mut FieldErrors,
    ) -> Option<SecurityAnswer> {
        let asked = question.and_then(|chosen| chosen.asked(&self.config.registration.questions));
        let answer = SecurityAnswer::parse(typed).and_then(|answer| match (&asked, email) {
            (Some(asked), Some(email)) => answer.check(asked, password, email).map(|()| answer),
            // Without them the form is refused anyway.
            (None, _) | (_, None) => Ok(answer),
        });
        answer
            .map_err(|e| match e.number() {
                Some(n) => errors.add_with_number("answer", e.reason(), n),
                None => errors.add("answer", e.reason()),
            })
            .ok()
    }

    /// Hashes what was typed, on one place behind the gate, and keeps the rest; the place is among known people where
    /// `judge` pays for it.
    pub(crate) async fn hash_security_details(
        &self,
        typed: CheckedDetails,
        typed_answer: &str,
        before: Option<SecurityDetailsDone>,
        judge: Option<Judge>,
    ) -> Result<SecurityDetailsDone, Denied<FieldErrors>> {
        let (old_password, old_answer) = before.map_or((None, None), |b| (Some(b.password), b.answer));
        if typed.password.is_none()
            && typed.answer.is_none()
            && let Some(password) = old_password
        {
            return Ok(SecurityDetailsDone::new(
                typed.email,
                password,
                typed.question,
                old_answer,
            ));
        }
        let mut paid = match judge {
            Some(judge) => match self.pay(judge, Line::Known).await {
                Ok(paid) => Some(paid),
                // Its budget is spent for now: it waits with everybody.
                Err(Denied::TooManyTries { .. }) => None,
                Err(denied) => return Err(denied),
            },
            None => None,
        };
        let mut free;
        let slot: &mut dyn HashingSlot = match &mut paid {
            Some(paid) => paid.slot(),
            None => {
                free = self.hasher.enter(Line::Stranger).await?;
                &mut *free
            }
        };
        let password = match (&typed.password, old_password) {
            (Some(password), _) => {
                slot.hash(SecretBytes::from(password), self.password_pepper())
                    .await?
            }
            (None, Some(kept)) => kept,
            (None, None) => return Err(Fault::permanent("a first step without a password").into()),
        };
        let answer = match &typed.answer {
            Some(answer) => {
                if typed.password.is_none() {
                    self.refuse_password_as_answer(slot, &password, typed_answer)
                        .await?;
                }
                Some(
                    slot.hash(SecretBytes::from(answer.expose()), Pepper::Current)
                        .await?,
                )
            }
            None => old_answer,
        };
        Ok(SecurityDetailsDone::new(
            typed.email,
            password,
            typed.question,
            answer,
        ))
    }

    /// An answer typed beside a kept password is compared with that password's hash (ANS-4).
    async fn refuse_password_as_answer(
        &self,
        slot: &mut dyn HashingSlot,
        password: &StoredHash,
        answer: &str,
    ) -> Result<(), Denied<FieldErrors>> {
        let secret = SecretBytes::from(answer);
        if slot
            .verify(password, secret, self.password_pepper())
            .await?
            .is_right()
        {
            let mut errors = FieldErrors::new();
            errors.add("answer", Reason::new("answer.is_password"));
            return Err(Denied::Refused(errors));
        }
        Ok(())
    }
}
