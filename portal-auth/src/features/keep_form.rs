//! Keeping what a signed-in person typed into a form and had not sent off: their session ended, or a fresh proof was
//! asked for first (portal R11, STP-3).
//!
//! Kept for 24 hours, for the account and for nobody else, and found by a token that only the browser holds. The host
//! passes the fields it has allowed and **never a secret**: they are stored as they are, like a registration's draft.
//! What a session was is all that decides whose a form is: one that timed out still names its owner, for this alone; one
//! that was revoked, or whose account's epoch has moved, keeps nothing (SES-5). Drafts are no account data, so nothing is
//! audited. ASVS 14.2.7.

use std::fmt;

use crate::account::snapshot::AccountId;
use crate::environment::Timestamp;
use crate::error::{Denied, Fault};
use crate::kept_forms::{Kept, KeptFields};
use crate::portal::{ATTEMPTS, Inner, PortalAuth, contended};
use crate::secret::token::{KeptFormToken, Purpose, SessionToken};
use crate::session::SessionEnd;
use crate::session_gate::SignedIn;
use crate::store::StoreError;

/// The longest path of a form's page, in bytes.
pub const PATH_BYTES: usize = 512;
/// The most fields of one form.
pub const MOST_FIELDS: usize = 40;
/// The most that names and values of one form may hold together, in bytes.
pub const FORM_BYTES: usize = 16 * 1024;
/// The most that a form may take in its row, where quotation marks count twice and control characters six times: five of
/// them fit into a row of 256 KiB, which is all that a store takes.
pub const STORED_FORM_BYTES: usize = 48 * 1024;
/// The most forms kept for one browser; the one typed into longest ago goes.
pub const MOST_FORMS: usize = 5;

/// A form as it was typed: the path of its page, and name and value of each field that may be kept.
///
/// # Security
/// Take the fields from a list for this very page. No password, code, answer or token belongs here.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TypedForm {
    /// The path of the form's page, without query.
    pub path: String,
    /// Names and values, in the order of the page.
    pub fields: Vec<(String, String)>,
}

impl TypedForm {
    /// A form of the page at `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, fields: Vec<(String, String)>) -> Self {
        Self {
            path: path.into(),
            fields,
        }
    }

    /// What was typed into a field; `None` where it was not kept.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    fn is_small(&self) -> bool {
        let bytes = self.fields.iter().map(|(n, v)| n.len().saturating_add(v.len()));
        self.path.len() <= PATH_BYTES
            && self.fields.len() <= MOST_FIELDS
            && bytes.fold(0_usize, usize::saturating_add) <= FORM_BYTES
            && serde_json::to_vec(&self.fields).is_ok_and(|stored| stored.len() <= STORED_FORM_BYTES)
    }
}

impl fmt::Debug for TypedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedForm({}, {} fields)", self.path, self.fields.len())
    }
}

/// Why nothing was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeepFormRefused {
    /// The session is no session, was revoked, or ended so long ago that it is forgotten: say nothing of saving.
    SessionEnded,
    /// The form is larger than any page of a person's: it has more than 40 fields, more than 16 KiB, or
    /// many control characters.
    TooLarge,
}

/// What a sign-in found in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a host must handle each")]
pub enum KeptForms {
    /// Forms of the person who signed in, or none any more.
    TheirOwn,
    /// Forms of somebody else, which are deleted now: clear the cookie.
    OfAnother,
    /// The token is no kept form's: it belongs to something else, so leave the cookie.
    NotAToken,
}

impl PortalAuth {
    /// Keeps a form for the person whose session `session` is or was, in place of what was kept of the same page; the
    /// returned token goes into the cookie in place of `held`.
    ///
    /// The session may have timed out, but must not have been ended in any other way. Its idle time goes on.
    ///
    /// # Errors
    /// `Refused` where nothing was kept; `Busy` where two tabs kept writing at once: try again.
    ///
    /// # Security
    /// Call it only for a form whose form token is genuine for the browser's cookies, or another site could write into a
    /// person's form.
    pub async fn keep_form(
        &self,
        session: &SessionToken,
        held: Option<&KeptFormToken>,
        form: TypedForm,
    ) -> Result<KeptFormToken, Denied<KeepFormRefused>> {
        let inner = &*self.inner;
        if !form.is_small() {
            return Err(Denied::Refused(KeepFormRefused::TooLarge));
        }
        let (seed_of_session, account) = inner.owner_of(session).await?;
        for _ in 0..ATTEMPTS {
            let own = match held {
                Some(held) => inner
                    .kept(held)
                    .await?
                    .filter(|found| found.body.account == account),
                None => None,
            };
            let found = match own {
                Some(found) => found,
                None => inner.kept_of_session(seed_of_session, account).await?,
            };
            let now = inner.now();
            let until = now.plus(inner.config.sessions.forms_kept);
            let body = decide(found.body, form.clone(), now, until);
            match inner.save_kept(found.seed, found.version, &body, until).await {
                Ok(()) => return Ok(inner.kept_token(&found.seed)?),
                Err(StoreError::Conflict) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(contended())
    }

    /// What the signed-in person had typed into the form of the page at `path`; `None` where nothing is kept, it is too
    /// old, or it is another person's.
    ///
    /// Fill the form in and say so; never send it off. Call [`drop_kept_form`](Self::drop_kept_form) once it was.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn kept_form(
        &self,
        signed_in: &SignedIn,
        held: &KeptFormToken,
        path: &str,
    ) -> Result<Option<TypedForm>, Fault> {
        let found = self.inner.kept(held).await?;
        let own = found.filter(|found| found.body.account == signed_in.account());
        Ok(own.and_then(|found| live_form(found.body, path, self.now())))
    }

    /// Whether something typed into the page at `path` is kept for this browser, for a page that says so before anybody
    /// has signed in. Whose it is and what it says stays untold.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails.
    pub async fn keeps_form(&self, held: &KeptFormToken, path: &str) -> Result<bool, Fault> {
        let found = self.inner.kept(held).await?;
        Ok(found.is_some_and(|found| live_form(found.body, path, self.now()).is_some()))
    }

    /// Whether `held` is a genuine token of kept forms; no query is made. The registration's draft shares its cookie.
    #[must_use]
    pub fn is_kept_form_token(&self, held: &KeptFormToken) -> bool {
        self.inner
            .keyring
            .open(Purpose::KeptForm, held.expose())
            .is_some()
    }

    /// Forgets the form of the page at `path`: it was sent off.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails; the person would then be shown what they have sent already.
    pub async fn drop_kept_form(&self, held: &KeptFormToken, path: &str) -> Result<(), Fault> {
        self.inner
            .drop_forms(held, |kept| kept.forms.remove(path).is_some())
            .await
    }

    /// Forgets every form kept for this browser: its person logged out by hand.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails; the forms then stay, for their owner only, until they are 24 hours old.
    pub async fn drop_kept_forms(&self, held: &KeptFormToken) -> Result<(), Fault> {
        let forget = |kept: &mut Kept| !std::mem::take(&mut kept.forms).is_empty();
        self.inner.drop_forms(held, forget).await
    }

    /// To be called after every sign-in of a browser that holds forms: those of another account are deleted.
    ///
    /// # Errors
    /// A [`Fault`] when the store fails. Nobody is shown another person's forms even so.
    pub async fn settle_kept_forms(
        &self,
        session: &SessionToken,
        held: &KeptFormToken,
    ) -> Result<KeptForms, Fault> {
        let inner = &*self.inner;
        if !self.is_kept_form_token(held) {
            return Ok(KeptForms::NotAToken);
        }
        let Some(found) = inner.kept(held).await? else {
            return Ok(KeptForms::TheirOwn);
        };
        match inner.owner_of(session).await {
            Ok((_, account)) if account == found.body.account => Ok(KeptForms::TheirOwn),
            Err(Denied::Fault(fault)) => Err(fault),
            Ok(_) | Err(_) => {
                self.drop_kept_forms(held).await?;
                Ok(KeptForms::OfAnother)
            }
        }
    }
}

impl Inner {
    /// Whose session it is or was, with the token's random part. For keeping a form and for nothing else.
    async fn owner_of(
        &self,
        session: &SessionToken,
    ) -> Result<([u8; 16], AccountId), Denied<KeepFormRefused>> {
        let ended = || Denied::Refused(KeepFormRefused::SessionEnded);
        let seed = self
            .keyring
            .open(Purpose::Session, session.expose())
            .ok_or_else(ended)?;
        let key = self.session_key(session).ok_or_else(ended)?;
        let view = self.store.session(key).await?.ok_or_else(ended)?;
        let last_seen = self.last_seen.of(key, view.session.last_seen);
        match self.check_session(&view, last_seen, self.now()) {
            Ok(()) | Err(SessionEnd::Idle | SessionEnd::Absolute) => Ok((seed, view.session.account)),
            Err(SessionEnd::Revoked) => Err(ended()),
        }
    }
}

/// What was typed into the page at `path`, while it is not over.
fn live_form(kept: Kept, path: &str, now: Timestamp) -> Option<TypedForm> {
    let found = kept
        .forms
        .into_iter()
        .find(|(of, form)| of == path && now < form.until);
    found.map(|(path, form)| TypedForm::new(path, form.fields))
}

/// What is kept once `form` was typed at `now`: it, and of the others the youngest that are not over.
fn decide(mut kept: Kept, form: TypedForm, now: Timestamp, until: Timestamp) -> Kept {
    kept.forms
        .retain(|path, other| *path != form.path && now < other.until);
    while kept.forms.len() >= MOST_FORMS {
        let oldest = kept.forms.iter().min_by_key(|(_, other)| other.until);
        let Some(oldest) = oldest.map(|(path, _)| path.clone()) else {
            break;
        };
        kept.forms.remove(&oldest);
    }
    let fields = form.fields;
    kept.forms.insert(form.path, KeptFields { until, fields });
    kept
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn typed(path: &str, text: &str) -> TypedForm {
        TypedForm::new(path, vec![("text".to_owned(), text.to_owned())])
    }

    fn at(n: u32) -> Timestamp {
        T0.plus(Duration::from_secs(u64::from(n)))
    }

    #[test]
    fn of_each_page_the_newest_is_kept_and_of_all_pages_five() {
        let mut kept = Kept {
            account: AccountId::from_bytes([1; 16]),
            forms: BTreeMap::new(),
        };
        // (path, typed at, paths kept afterwards)
        let table: [(&str, u32, &[&str]); 8] = [
            ("/e", 1, &["/e"]),
            ("/d", 2, &["/d", "/e"]),
            ("/c", 3, &["/c", "/d", "/e"]),
            ("/b", 4, &["/b", "/c", "/d", "/e"]),
            ("/a", 5, &["/a", "/b", "/c", "/d", "/e"]),
            ("/e", 6, &["/a", "/b", "/c", "/d", "/e"]),
            ("/f", 7, &["/a", "/b", "/c", "/e", "/f"]),
            // A day and five seconds after the first: what was typed until then is over.
            ("/g", 86_405, &["/e", "/f", "/g"]),
        ];
        for (path, second, expected) in table {
            let now = at(second);
            kept = decide(kept, typed(path, &second.to_string()), now, now.plus(DAY));
            assert_eq!(
                kept.forms.keys().collect::<Vec<_>>(),
                expected,
                "{path} at {second}"
            );
            let form = live_form(kept.clone(), path, now).unwrap();
            assert_eq!(form.get("text"), Some(second.to_string().as_str()));
        }
    }

    #[test]
    fn a_kept_form_is_over_to_the_microsecond() {
        // I-05, ASVS 14.2.7
        let empty = Kept {
            account: AccountId::from_bytes([1; 16]),
            forms: BTreeMap::new(),
        };
        let kept = decide(empty, typed("/a", "x"), T0, T0.plus(DAY));
        let last = T0.plus(DAY).minus(Duration::from_micros(1));
        assert!(live_form(kept.clone(), "/a", last).is_some());
        assert!(live_form(kept, "/a", T0.plus(DAY)).is_none());
    }

    #[test]
    fn a_typed_form_does_not_show_what_was_typed() {
        // LOG-2
        let shown = format!("{:?}", typed("/account/change-of-circumstances", "canary"));
        assert_eq!(shown, "TypedForm(/account/change-of-circumstances, 1 fields)");
    }

    #[test]
    fn a_form_is_small_up_to_its_limits() {
        // LIM-1
        let long = |n: usize| typed("/a", &"x".repeat(n));
        assert!(long(FORM_BYTES - 4).is_small());
        assert!(!long(FORM_BYTES - 3).is_small());
        let many = |n: usize| TypedForm::new("/a", vec![(String::new(), String::new()); n]);
        assert!(many(MOST_FIELDS).is_small() && !many(MOST_FIELDS + 1).is_small());
        assert!(typed(&"p".repeat(PATH_BYTES), "").is_small());
        assert!(!typed(&"p".repeat(PATH_BYTES + 1), "").is_small());
    }
}
