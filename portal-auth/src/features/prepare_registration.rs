//! An administrator prepares registrations for people who are known already, and sends somebody's link again.
//!
//! What is prepared is a registration and no account: it reserves nothing, has no password, and its account is made only
//! when somebody with the mailed link has chosen one (I-01). With the feature `imported-hashes` it may have the password of
//! another service as that one has hashed it, and whoever has the link then enters that. Nothing counts against the quotas of outsiders, so the
//! dispatcher alone paces the mails. Mail: E1 in its own wording. Audited as `administer.prepared`,
//! `administer.link_sent`.

use serde_json::{Map, Value};

use crate::account::email::EmailAddress;
use crate::account::profile::{ProfileSchema, StoredProfile};
use crate::administering::Administrator;
use crate::enrolling::MailGrant;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault, Reason};
use crate::password::hash::StoredHash;
#[cfg(feature = "imported-hashes")]
use crate::password::imported::ImportedHash;
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
    /// Their password as another service has hashed it.
    #[cfg(feature = "imported-hashes")]
    pub password: Option<ImportedHash>,
}

impl PersonToPrepare {
    /// Somebody of whom nothing but the address is known.
    #[must_use]
    pub fn new(email: EmailAddress) -> Self {
        Self {
            email,
            sections: Map::new(),
            #[cfg(feature = "imported-hashes")]
            password: None,
        }
    }

    /// The same, with what is known for a section.
    #[must_use]
    pub fn with_section(mut self, name: impl Into<String>, value: Value) -> Self {
        self.sections.insert(name.into(), value);
        self
    }

    /// The same, with the password that another service has hashed: behind the mailed link they enter it and have their
    /// account, without the steps of a registration. Every section must be there and right.
    ///
    /// # Security
    /// The address still counts only once its link was used, together with that password (I-01). The hash waits in its own
    /// form until then; the account is made with Argon2id. Such a password was never held against the policy here, only
    /// against [`breached`](crate::config::PasswordConfig::breached), when it is entered.
    #[cfg(feature = "imported-hashes")]
    #[must_use]
    pub fn with_password(mut self, hash: ImportedHash) -> Self {
        self.password = Some(hash);
        self
    }

    #[cfg(feature = "imported-hashes")]
    fn imported(&self) -> Option<StoredHash> {
        self.password.as_ref().map(|hash| hash.as_stored().clone())
    }

    #[cfg(not(feature = "imported-hashes"))]
    #[expect(clippy::unused_self, reason = "nothing can be imported")]
    const fn imported(&self) -> Option<StoredHash> {
        None
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
    /// A password is imported, and a section of the profile is missing or wrong: nobody would be asked for it.
    #[error("with an imported password, every section of the profile must be there and right")]
    Incomplete,
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
const IMPORTED: Reason = Reason::new("password.imported");
const LINK_SENT: Reason = Reason::new("administer.link_sent");

/// A mail that no outsider has caused.
const OWN_MAIL: MailGrant = MailGrant {
    withheld_until: None,
    live_until: None,
    counted: true,
};

impl PortalAuth {
    /// Prepares a registration and mails its link, unless the address has an account or one waits that was prepared.
    ///
    /// # Errors
    /// `Refused` with [`PrepareRefused::NoSuchSection`], or [`PrepareRefused::Incomplete`] beside an imported password.
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
        let password = person.imported();
        let sections = if password.is_some() {
            let checked = checked_sections(schema, &person.sections);
            checked.ok_or(Denied::Refused(PrepareRefused::Incomplete))?
        } else {
            person.sections.clone()
        };
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
                    password: password.clone(),
                    question: None,
                    answer: None,
                    profile: StoredProfile::new(schema.version(), sections.clone()),
                }),
                link: link.key,
                submitted_at: now,
                kept_until: now.plus(inner.config.registration.prepared_kept),
            };
            let mut event = inner.administered(PREPARED, by, &person.email);
            if password.is_some() {
                event = event.because(IMPORTED);
            }
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
            let work = inner.add_link_mail(work, waiting, &registrant, OWN_MAIL, now, &Visitor::unknown())?;
            if inner.commit(work).await? == Commit::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

/// Pure: every section as the schema keeps it; `None` where one is missing or wrong.
fn checked_sections(schema: &dyn ProfileSchema, sections: &Map<String, Value>) -> Option<Map<String, Value>> {
    let kept = |name: &&str| {
        let value = schema.check(name, sections.get(*name)?.clone()).ok()?;
        Some(((*name).to_owned(), value))
    };
    schema.sections().iter().map(kept).collect()
}

/// Pure: what stands in the way of preparing a registration.
fn decide(registrant: &RegistrantView, now: Timestamp) -> Option<Prepared> {
    if registrant.account.is_some() {
        return Some(Prepared::HasAccount);
    }
    let waiting = registrant.waiting.as_ref();
    let prepared =
        waiting.filter(|w| w.registration.is_by_administrator() && now < w.registration.kept_until);
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
