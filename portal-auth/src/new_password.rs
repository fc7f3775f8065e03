//! A new password for an account that exists: what a page sends, and every rule it breaks at once.
//!
//! Here the owner is known, so the address and the names count as well (PWD-3). That it is the password in force is
//! found by hashing, so the feature asks for it only where everything else is in order.

use crate::account::snapshot::AccountRow;
use crate::error::{FieldErrors, Reason};
use crate::password::Password;
use crate::password::policy::{BrokenRule, PasswordOwner};
use crate::portal::Inner;

/// What the page of a new password sends.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewPassword {
    /// The password as it was typed.
    pub password: Password,
    /// The password typed again; `None` where the page does not ask.
    pub again: Option<Password>,
}

impl NewPassword {
    /// A password of a page that asks for it once.
    pub fn new(password: impl Into<Password>) -> Self {
        Self {
            password: password.into(),
            again: None,
        }
    }

    /// The field in which it is typed again.
    #[must_use]
    pub fn repeated(mut self, again: impl Into<Password>) -> Self {
        self.again = Some(again.into());
        self
    }
}

/// Everything that is wrong with a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewPasswordRefused {
    /// Every rule it breaks; [`sentence`](crate::password::wording::sentence) says them in one sentence.
    pub broken: Vec<BrokenRule>,
    /// Whether it was typed differently the second time.
    pub repeated_differently: bool,
}

impl NewPasswordRefused {
    /// That it is the one in force.
    pub(crate) fn reused() -> Self {
        Self {
            broken: vec![BrokenRule::Reused],
            repeated_differently: false,
        }
    }

    /// The same as errors of the fields `new-password` and `new-password2`.
    #[must_use]
    pub fn errors(&self) -> FieldErrors {
        let mut errors = FieldErrors::new();
        for rule in &self.broken {
            match rule.number() {
                Some(number) => errors.add_with_number("new-password", rule.reason(), number),
                None => errors.add("new-password", rule.reason()),
            }
        }
        if self.repeated_differently {
            errors.add("new-password2", Reason::new("password2.mismatch"));
        }
        errors
    }
}

impl Inner {
    /// Judges a new password for the owner of `account`, without comparing it with the one in force; `breach` is what
    /// [`breach`](Self::breach) says of it.
    pub(crate) fn check_new_password(
        &self,
        form: &NewPassword,
        account: &AccountRow,
        breach: Option<BrokenRule>,
    ) -> Result<(), NewPasswordRefused> {
        let schema = &self.config.registration.profile;
        // A profile that cannot be read any more must not keep its owner from a new password.
        let profile = schema.upgrade(account.profile.clone()).ok();
        let names = profile.map_or_else(Vec::new, |profile| schema.personal_names(&profile));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let owner = PasswordOwner::with_email(&account.email).and_names(&names);
        let again = form.again.as_ref();
        let refused = NewPasswordRefused {
            broken: self.broken_rules(&form.password, &owner, breach),
            repeated_differently: again.is_some_and(|again| again.expose() != form.password.expose()),
        };
        if refused.broken.is_empty() && !refused.repeated_differently {
            Ok(())
        } else {
            Err(refused)
        }
    }
}
