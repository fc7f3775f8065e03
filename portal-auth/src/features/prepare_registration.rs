//! An administrator prepares registrations for people who are known already, and sends somebody's link again.
//!
//! What is prepared is a registration and no account: it reserves nothing, has no password, and its account is made only
//! when somebody with the mailed link has chosen one (I-01). Nothing counts against the quotas of outsiders, so the
//! dispatcher alone paces the mails. Mail: E1 in its own wording. Audited as `administer.prepared`,
//! `administer.link_sent`.

use serde_json::{Map, Value};

use crate::account::email::EmailAddress;
use crate::account::profile::StoredProfile;
use crate::administering::Administrator;
use crate::enrolling::MailGrant;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::portal::{ATTEMPTS, Commit, PortalAuth, contended};
use crate::registration::{RegistrationData, RegistrationId, RegistrationRow, RegistrationState};
use crate::store::RegistrantView;
use crate::unit_of_work::{Change, Guard, UnitOfWork, Write};
use crate::visitor::Visitor;

/// Somebody for whom a registration is to be prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonToPrepare {
    /// Their address.
    pub email: EmailAddress,
    /// What is known for the profile's sections, by name, in the shape of each; unchecked and as incomplete as it may
    /// be, since the steps of the registration ask for the rest and check it all.
    pub sections: Map<String, Value>,
}

impl PersonToPrepare {
    /// Somebody of whom nothing but the address is known.
    #[must_use]
    pub fn new(email: EmailAddress) -> Self {
        Self {
            email,
            sections: Map::new(),
        }
    }

    /// The same, with what is known for a section.
    #[must_use]
    pub fn with_section(mut self, name: impl Into<String>, value: Value) -> Self {
        self.sections.insert(name.into(), value);
        self
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an import counts each")]
pub enum Prepared {
    /// The mail is on its way.
    Mailed,
    /// The address has an account; nothing was done.
    HasAccount,
    /// A prepared registration waits for the address already; nothing was done.
    Waits,
}

/// Why a registration was not prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareRefused {
    /// The profile has no section of one of the names: the host is wrong.
    #[error("the profile has no such section")]
    NoSuchSection,
}

/// Why no link was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendLinkRefused {
    /// No registration waits for the address, or it has an account meanwhile.
    #[error("no registration waits for this address")]
    NothingWaits,
}

const PREPARED: Reason = Reason::new("administer.prepared");
const LINK_SENT: Reason = Reason::new("administer.link_sent");

/// A mail that no outsider has caused.
const OWN_MAIL: MailGrant = MailGrant {
    granted: true,
    live_until: None,
};

impl PortalAuth {
    /// Prepares a registration and mails its link, unless the address has an account or one waits that was prepared.
    ///
    /// # Errors
    /// `Refused` with [`PrepareRefused::NoSuchSection`].
    ///
    /// # Security
    /// Whoever reads the mailbox sees what was prepared, so give it what its person may see.
    pub async fn prepare_registration(
        &self,
        by: &Administrator,
        person: &PersonToPrepare,
    ) -> Result<Prepared, Denied<PrepareRefused>> {
        let inner = &*self.inner;
        let schema = &*inner.config.registration.profile;
        let known = |name: &String| schema.sections().contains(&name.as_str());
        if !person.sections.keys().all(known) {
            return Err(Denied::Refused(PrepareRefused::NoSuchSection));
        }
        for _ in 0..ATTEMPTS {
            let registrant = inner.registrant(&person.email).await?;
            let now = inner.now();
            if let Some(found) = decide(&registrant.view, now) {
                return Ok(found);
            }
            let id = RegistrationId::draw(&*inner.entropy)?;
            let link = inner.activation_link(id, &person.email, OWN_MAIL, now)?;
            let registration = RegistrationRow {
                id,
                version: 1,
                email: person.email.clone(),
                state: RegistrationState::Submitted,
                data: Some(RegistrationData {
                    password: None,
                    question: None,
                    answer: None,
                    profile: StoredProfile::new(schema.version(), person.sections.clone()),
                }),
                link: link.key,
                submitted_at: now,
                kept_until: now.plus(inner.config.registration.prepared_kept),
            };
            let event = inner.administered(PREPARED, by, &person.email);
            let work = UnitOfWork::new(inner.audit(event, now)?)
                .guard(Guard::Unclaimed(person.email.clone()))
                .change(Change::Registration(Box::new(Write::Insert(registration))))
                .change(Change::Link(Box::new(Write::Insert(link.clone()))));
            let work = inner.add_registration_mail(work, &link, &registrant, now, &Visitor::unknown())?;
            if inner.commit(work).await? == Commit::Done {
                return Ok(Prepared::Mailed);
            }
        }
        Err(contended())
    }

    /// What [`prepare_registration`](Self::prepare_registration) would come to; changes nothing.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn would_prepare(&self, email: &EmailAddress) -> Result<Prepared, Fault> {
        let registrant = self.inner.store.by_registrant(email).await?;
        Ok(decide(&registrant, self.inner.now()).unwrap_or(Prepared::Mailed))
    }

    /// Mails the link of the newest registration that waits for an address: the same link while it works, a new one
    /// once it is over.
    ///
    /// # Errors
    /// `Refused` with [`SendLinkRefused::NothingWaits`].
    pub async fn send_registration_link(
        &self,
        by: &Administrator,
        email: &EmailAddress,
    ) -> Result<(), Denied<SendLinkRefused>> {
        let inner = &*self.inner;
        for _ in 0..ATTEMPTS {
            let registrant = inner.registrant(email).await?;
            let now = inner.now();
            let waiting = registrant.view.waiting.clone();
            let waiting = waiting.filter(|w| now < w.registration.kept_until && w.link.is_some());
            if registrant.view.account.is_some() || waiting.is_none() {
                return Err(Denied::Refused(SendLinkRefused::NothingWaits));
            }
            let event = inner.administered(LINK_SENT, by, email);
            let work = UnitOfWork::new(inner.audit(event, now)?).guard(Guard::Unclaimed(email.clone()));
            let (work, _) =
                inner.add_link_mail(work, waiting, &registrant, OWN_MAIL, now, &Visitor::unknown())?;
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

/// Pure: what stands in the way of preparing a registration.
fn decide(registrant: &RegistrantView, now: Timestamp) -> Option<Prepared> {
    if registrant.account.is_some() {
        return Some(Prepared::HasAccount);
    }
    let waiting = registrant.waiting.as_ref();
    let prepared = waiting.filter(|w| w.registration.is_prepared() && now < w.registration.kept_until);
    prepared.map(|_| Prepared::Waits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RegistrationView;
    use crate::testkit::rows::{self, MICRO};

    #[test]
    fn an_account_or_a_prepared_registration_stands_in_the_way_and_a_strangers_does_not() {
        // I-01, I-04
        let mut registration = rows::registration(1, rows::email(1));
        let last = registration.kept_until.minus(MICRO);
        let view = |account, registration: &RegistrationRow| RegistrantView {
            account,
            waiting: Some(RegistrationView {
                registration: registration.clone(),
                link: None,
            }),
        };
        assert_eq!(decide(&view(None, &registration), last), None);
        let account = Some(rows::account(1));
        assert_eq!(
            decide(&view(account, &registration), last),
            Some(Prepared::HasAccount)
        );
        if let Some(data) = &mut registration.data {
            data.password = None;
        }
        assert_eq!(decide(&view(None, &registration), last), Some(Prepared::Waits));
        assert_eq!(decide(&view(None, &registration), registration.kept_until), None);
    }
}
