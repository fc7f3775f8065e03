//! What a page knows of its request: who is there, their cookies, and the frame its answer stands in.

use std::time::Duration;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_LANGUAGE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use portal_auth::SignedIn;
use portal_auth::account::email::EmailAddress;
use portal_auth::account::professional_profile::AboutYou;
use portal_auth::account::snapshot::AccountRow;
use portal_auth::environment::Timestamp;
use portal_auth::features::keep_form::KeptForms;
use portal_auth::language::LanguageTag;
use portal_auth::secret::token::{
    AnswerToken, ChallengeToken, DraftToken, KeptFormToken, LinkToken, SessionToken,
};
use portal_auth::session::SessionEnd;
use portal_auth::visitor::Visitor;
use portal_auth_axum::cookies::{CookieValue, Cookies, PortalCookie, SetCookie};
use portal_auth_axum::form::Form;
use portal_auth_axum::next::Next;
use portal_auth_axum::request_guard::{FORM_TOKEN_FIELD, FormCheck};
use portal_auth_axum::session_cookies::SessionCookies;
use portal_auth_axum::signed_in::MaybeSignedIn;
use portal_auth_axum::visitor::VisitorOf;

use crate::app::Shared;
use crate::kept_form::{self, Kept, KeptFields, SEAL_FIELD};
use crate::pages::account::left_out;
use crate::pages::administrator::way_in;
use crate::pages::session::Left;
use crate::problem::Fail;
use crate::views::catalogue::{Filled, Language};
use crate::views::layout::{FieldMessage, Notice, Page, Place, SignedInHeader, TimeOut, TypedHere};
use crate::views::readable::readable;

/// How long before a session ends its person is warned (R10).
const WARNING: Duration = Duration::from_secs(120);

/// One request.
pub(crate) struct Ctx {
    pub(crate) app: Shared,
    pub(crate) visitor: Visitor,
    pub(crate) person: MaybeSignedIn,
    /// Forename and surname of whoever is signed in, for the header.
    name: String,
    /// Where the menu leads an administrator.
    administration: Option<String>,
    /// What the person has chosen, here or in their account, or English.
    language: Language,
    /// When a reset of their password without the answer takes effect, where one waits.
    recovery_due: Option<Timestamp>,
    cookies: Cookies,
    /// Path and query, for the way back.
    target: String,
    /// Whether a form was sent.
    acts: bool,
    query: Vec<(String, String)>,
    changes: Vec<SetCookie>,
}

impl FromRequestParts<Shared> for Ctx {
    type Rejection = Fail;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Fail> {
        let VisitorOf(visitor) = VisitorOf::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let person = MaybeSignedIn::from_request_parts(parts, app).await?;
        let account = match &person {
            MaybeSignedIn::SignedIn(signed_in) => Some(app.auth.account(signed_in.person()).await?),
            MaybeSignedIn::Ended(_) | MaybeSignedIn::Anonymous => None,
        };
        let recovery_due = match &account {
            Some(account) => app.auth.recovery_waits(account).await?,
            None => None,
        };
        let administration = match (&person, &account) {
            (MaybeSignedIn::SignedIn(signed_in), Some(account)) => way_in(app, signed_in.person(), account),
            _ => None,
        };
        let own = account.as_ref().and_then(|account| account.language.as_ref());
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            language: language_of(visitor.language(), own),
            visitor,
            person,
            name: account.as_ref().map_or_else(String::new, name),
            administration,
            recovery_due,
            cookies: Cookies::read(&parts.headers),
            acts: parts.method == Method::POST,
            target: lasting(parts.uri.path(), query),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            changes: Vec::new(),
            app: app.clone(),
        })
    }
}

/// Path and query for coming back, without the wish to see what is saved: that was for one look.
fn lasting(path: &str, query: &str) -> String {
    let wishes = query
        .split('&')
        .filter(|pair| !pair.is_empty() && *pair != SAVED_INSTEAD);
    let query = wishes.collect::<Vec<_>>().join("&");
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// In the query: show what is saved, not what was typed before.
const SAVED_INSTEAD: &str = "typed=no";

/// The catalogue for what was chosen in this browser, else for what the account says, else English.
pub(crate) fn language_of(chosen: Option<&LanguageTag>, own: Option<&LanguageTag>) -> Language {
    [chosen, own]
        .into_iter()
        .flatten()
        .find_map(|tag| Language::from_tag(tag.as_str()))
        .unwrap_or(Language::ENGLISH)
}

/// As the person gave it when they registered; empty where the profile has no name.
fn name(account: &AccountRow) -> String {
    let about = account.profile.get::<AboutYou>();
    about.map_or_else(String::new, |about| {
        format!("{} {}", about.forename, about.surname)
    })
}

/// What stands above a form when it is shown again.
#[derive(Default)]
pub(crate) struct Trouble {
    errors: Vec<FieldMessage>,
    stale: bool,
}

impl Trouble {
    /// Nothing is wrong: the page is shown for the first time.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// The page was open for so long that its token no longer counts (R13).
    pub(crate) fn stale() -> Self {
        Self {
            errors: Vec::new(),
            stale: true,
        }
    }

    /// Messages beside their fields.
    pub(crate) fn fields(errors: Vec<FieldMessage>) -> Self {
        Self { errors, stale: false }
    }

    /// One message that blames no field.
    pub(crate) fn general(message: &str) -> Self {
        Self::fields(vec![FieldMessage::general(message)])
    }

    /// One message beside its field.
    pub(crate) fn field(field: &str, message: &str) -> Self {
        Self::fields(vec![FieldMessage::new(field, message)])
    }

    /// The messages alone, for a page that puts them among others.
    pub(crate) fn into_fields(self) -> Vec<FieldMessage> {
        self.errors
    }

    /// The status of a page that has one of its own, unless it is shown again because its form was stale.
    pub(crate) const fn status_or(&self, own: StatusCode) -> StatusCode {
        if self.stale {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            own
        }
    }

    const fn status(&self) -> StatusCode {
        if self.stale || !self.errors.is_empty() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        }
    }
}

impl Ctx {
    /// A value of the query, the first of its name.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Where to go afterwards, if the query names a place of this portal.
    pub(crate) fn next(&self) -> Option<String> {
        self.place(self.query("next")?)
    }

    /// A place of this portal to go to afterwards, checked (WEB-4).
    pub(crate) fn place(&self, target: &str) -> Option<String> {
        self.app.doors.next(target).map(|next| next.as_str().to_owned())
    }

    /// The token of a registration's draft.
    pub(crate) fn draft(&self) -> Option<DraftToken> {
        if self.held_forms().is_some() {
            return None;
        }
        DraftToken::parse(self.cookies.get(PortalCookie::Draft)?.expose())
    }

    /// The genuine token of kept forms, which shares its cookie with the registration's draft.
    fn held_forms(&self) -> Option<KeptFormToken> {
        kept_form::held(&self.cookies).filter(|held| self.app.auth.is_kept_form_token(held))
    }

    /// What the person who is signed in had typed into this page's form and not sent off.
    pub(crate) async fn kept_form(&self) -> Result<Kept, Fail> {
        let (MaybeSignedIn::SignedIn(signed_in), Some(held)) = (&self.person, self.held_forms()) else {
            return Ok(Kept::default());
        };
        // Nothing is forgotten by looking at what is saved.
        if self.query("typed") == Some("no") {
            return Ok(Kept::default());
        }
        let typed = self
            .app
            .auth
            .kept_form(signed_in.person(), &held, self.path())
            .await?;
        let sign = if self.target.contains('?') { '&' } else { '?' };
        let without = format!("{}{sign}{SAVED_INSTEAD}", self.target);
        Ok(typed.map_or_else(Kept::default, |typed| Kept::new(typed, without)))
    }

    /// Whether something typed into the page of `next` is kept for this browser.
    pub(crate) async fn keeps_form_of(&self, next: Option<&str>) -> Result<bool, Fail> {
        let (Some(next), Some(held)) = (next, self.held_forms()) else {
            return Ok(false);
        };
        let path = next.split('?').next().unwrap_or_default();
        Ok(self.app.auth.keeps_form(&held, path).await?)
    }

    /// After every login: what somebody else had typed in this browser is deleted (R11).
    pub(crate) async fn settle_kept_forms(&mut self, session: &SessionToken) {
        let Some(held) = self.held_forms() else {
            return;
        };
        match self.app.auth.settle_kept_forms(session, &held).await {
            Ok(KeptForms::OfAnother) => self.clear_cookie(PortalCookie::Draft),
            Ok(KeptForms::TheirOwn | KeptForms::NotAToken) => {}
            // Nobody is shown another person's form even so, and it ends by its time.
            Err(fault) => {
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    "kept forms were not looked at"
                );
            }
        }
    }

    /// After an activation or a login: the registration of that address which this browser has sent off is over, and
    /// the next one begins anew.
    pub(crate) async fn settle_registration(&mut self, email: &EmailAddress) {
        let Some(draft) = self.draft() else { return };
        match self.app.auth.registration(&draft).await {
            Ok(Some(progress)) if progress.sent.as_ref().is_some_and(|sent| sent.email == *email) => {
                self.clear_cookie(PortalCookie::Draft);
            }
            Ok(_) => {}
            Err(fault) => {
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    "a registration that was sent off was not looked at"
                );
            }
        }
    }

    /// At a logout by hand: what was typed is deleted (R11).
    pub(crate) async fn drop_kept_forms(&mut self) -> Result<(), Fail> {
        if let Some(held) = self.held_forms() {
            self.app.auth.drop_kept_forms(&held).await?;
            self.clear_cookie(PortalCookie::Draft);
        }
        Ok(())
    }

    /// The path of the request.
    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The token of a half-done sign-in or confirmation.
    pub(crate) fn challenge(&self) -> Option<ChallengeToken> {
        ChallengeToken::parse(self.cookies.get(PortalCookie::Verify)?.expose())
    }

    /// Shows that this browser has given the secret answer of a reset; in the cookie of what is half done.
    pub(crate) fn answer_proof(&self) -> Option<AnswerToken> {
        AnswerToken::parse(self.cookies.get(PortalCookie::Verify)?.expose())
    }

    /// The token of a mailed link that this browser has opened.
    pub(crate) fn link(&self) -> Option<LinkToken> {
        LinkToken::parse(self.cookies.get(PortalCookie::Link)?.expose())
    }

    /// The live session the browser holds.
    pub(crate) fn session(&self) -> Option<&SessionToken> {
        match &self.person {
            MaybeSignedIn::SignedIn(signed_in) => Some(signed_in.token()),
            MaybeSignedIn::Ended(_) | MaybeSignedIn::Anonymous => None,
        }
    }

    /// Whether a form was sent.
    pub(crate) const fn acts(&self) -> bool {
        self.acts
    }

    /// Whether somebody is signed in.
    pub(crate) const fn is_signed_in(&self) -> bool {
        matches!(self.person, MaybeSignedIn::SignedIn(_))
    }

    /// Who is signed in, or the answer that sends them to sign in and back here.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the answer, made once for each request"
    )]
    pub(crate) fn signed_in(&self) -> Result<(&SignedIn, &SessionToken), Response> {
        self.signed_in_or_back_to(&self.target)
    }

    /// Who is signed in, or the answer that sends them to sign in and then to `back`, for a form whose page is told by
    /// its fields.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the answer, made once for each request"
    )]
    pub(crate) fn signed_in_or_back_to(&self, back: &str) -> Result<(&SignedIn, &SessionToken), Response> {
        let doors = &self.app.doors;
        let next = doors.next(back);
        Err(match &self.person {
            MaybeSignedIn::SignedIn(signed_in) => return Ok((signed_in.person(), signed_in.token())),
            // Whoever sends a form of a signed-in page was signed in when it was made: another tab logged out.
            MaybeSignedIn::Anonymous if self.acts => doors.timed_out(next),
            MaybeSignedIn::Anonymous | MaybeSignedIn::Ended(SessionEnd::Revoked) => doors.sign_in(next),
            MaybeSignedIn::Ended(_) => doors.timed_out(next),
        }
        .into_response())
    }

    /// Sets a cookie with the answer.
    pub(crate) fn set_cookie(&mut self, cookie: PortalCookie, value: CookieValue) {
        self.changes.push(cookie.set(&value));
        self.cookies = std::mem::take(&mut self.cookies).with(cookie, value);
    }

    /// Clears a cookie with the answer.
    pub(crate) fn clear_cookie(&mut self, cookie: PortalCookie) {
        self.changes.push(cookie.clear());
        self.cookies = std::mem::take(&mut self.cookies).without(cookie);
    }

    /// Sets the cookies that a new session, code or device asks for; the answer must be a redirect.
    pub(crate) fn keep(&mut self, cookies: SessionCookies) {
        self.changes.extend(cookies);
    }

    /// Whether a form may be acted on: its token belongs to this browser, and every field is one of the page's.
    ///
    /// # Errors
    /// The answer to a form with fields that the page does not have (REG-1, P-09).
    pub(crate) fn is_genuine(&self, form: &Form, fields: &[&str]) -> Result<bool, Fail> {
        let mut known = vec![FORM_TOKEN_FIELD, "do", SEAL_FIELD];
        known.extend_from_slice(fields);
        form.allow_only(&known)?;
        let guard = &self.app.guard;
        Ok(guard.check(&self.cookies, form.token()) == FormCheck::Genuine
            && kept_form::seal_holds(guard, &self.cookies, self.path(), form))
    }

    /// The frame of a page in the person's language, filled in; hand it to [`render`](Self::render) in its view.
    ///
    /// `title` is the id of the title in the catalogue.
    pub(crate) fn translated_page(
        &mut self,
        title: &'static str,
        here: Place,
        trouble: Trouble,
    ) -> Result<Frame, Fail> {
        let language = self.language;
        self.frame(language, language.t(title), here, trouble)
    }

    /// The frame of a page that is in English only.
    pub(crate) fn page(&mut self, title: &str, here: Place, trouble: Trouble) -> Result<Frame, Fail> {
        self.frame(Language::ENGLISH, title, here, trouble)
    }

    fn frame(
        &mut self,
        language: Language,
        title: &str,
        here: Place,
        trouble: Trouble,
    ) -> Result<Frame, Fail> {
        let issued = self.app.guard.issue(&self.cookies)?;
        let settings = &self.app.settings;
        let mut page = Page::new(
            title,
            &settings.service_name,
            issued.token(),
            crate::assets::version(),
        );
        page.help_email = settings.help_email.as_ref().map(|e| e.as_str().to_owned());
        page.here = here;
        page.language = language;
        page.chosen = self.language;
        page.target = self.way_back();
        if let MaybeSignedIn::SignedIn(signed_in) = &self.person {
            page.signed_in = Some(SignedInHeader {
                name: self.name.clone(),
                idle_limit: language.span(settings.idle_timeout),
                time_out: self.time_out(language, signed_in.person()),
                administration: self.administration.clone(),
            });
            page.recovery_due = self
                .recovery_due
                .map(|due| language.moment(&self.app.local, due, self.app.auth.now()));
            page.left_out = left_out(&self.app.auth);
            page.typed = KeptFields::kept_at(self.path()).map(|form| TypedHere {
                path: self.path().to_owned(),
                fields: form.fields().join(" "),
                unsaved: self.acts,
            });
        }
        let status = trouble.status();
        if trouble.stale {
            page.notice = Some(Notice::stale_form_in(language));
        }
        page.errors = trouble.errors;
        Ok(Frame { page, status, issued })
    }

    fn time_out(&self, language: Language, person: &SignedIn) -> TimeOut {
        let sessions = &self.app.auth.config().sessions;
        let left = Left::renewed(&self.app, person);
        // Where the limit is short, half of it is for working.
        let warn = WARNING.min(sessions.idle.checked_div(2).unwrap_or(WARNING));
        TimeOut {
            left: left.idle.min(left.absolute),
            warn: warn.as_secs(),
            warn_words: language.span(warn),
            longest: language.span(sessions.absolute),
            longest_until: self.clock(person.expires_at()),
        }
    }

    /// The answer: a view in its frame, with the cookies that changed.
    pub(crate) fn render(mut self, frame: Shown, view: &impl Template) -> Result<Response, Fail> {
        self.render_here(frame, view)
    }

    /// As [`render`](Self::render), for a caller that goes on using the request.
    pub(crate) fn render_here(&mut self, frame: Shown, view: &impl Template) -> Result<Response, Fail> {
        let html = readable(view.render()?);
        let mut response = (frame.issued, (frame.status, Html(html))).into_response();
        let language = HeaderValue::from_static(frame.language.tag());
        response.headers_mut().insert(CONTENT_LANGUAGE, language);
        self.write_cookies(response.headers_mut())?;
        Ok(response)
    }

    /// The answer after something was done: see the other page, with the cookies that changed.
    pub(crate) fn see(mut self, path: &str) -> Result<Response, Fail> {
        let mut response = redirect(path);
        self.write_cookies(response.headers_mut())?;
        Ok(response)
    }

    /// Adds the cookies that changed to an answer made elsewhere.
    pub(crate) fn write_cookies(&mut self, headers: &mut HeaderMap) -> Result<(), Fail> {
        for cookie in self.changes.drain(..) {
            headers.append(axum::http::header::SET_COOKIE, cookie.header_value()?);
        }
        Ok(())
    }

    /// What the person has chosen, or English.
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    /// A text of the catalogue in the person's language.
    pub(crate) fn t(&self, id: &'static str) -> &'static str {
        self.language.t(id)
    }

    /// A text of the catalogue that takes values, in the person's language.
    pub(crate) fn fill(&self, id: &'static str) -> Filled {
        self.language.fill(id)
    }

    /// "10:40 pm today", as the portal's zone and the person's language have it.
    pub(crate) fn when(&self, at: Timestamp) -> String {
        self.language.moment(&self.app.local, at, self.app.auth.now())
    }

    /// "10:40 pm today" in English, for a page in English only.
    #[allow(dead_code, reason = "pages in English only use it")]
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        self.app.local.moment(at, self.app.auth.now())
    }

    /// This page, as a place to come back to once a language is chosen.
    ///
    /// A mailed token that could not be read stays out of the page (TOK-5).
    fn way_back(&self) -> String {
        let (path, _) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let target = if self.query("t").is_some() {
            path
        } else {
            &self.target
        };
        place_with_language(target).unwrap_or_default()
    }

    /// "10:40 pm".
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        self.app.local.clock(at)
    }
}

/// A page's frame before its view is filled in.
pub(crate) struct Frame {
    page: Page,
    status: StatusCode,
    issued: portal_auth_axum::request_guard::IssuedToken,
}

/// What remains of a frame while its page stands in a view.
#[derive(Debug)]
pub(crate) struct Shown {
    status: StatusCode,
    language: Language,
    issued: portal_auth_axum::request_guard::IssuedToken,
}

impl Frame {
    /// Says something above the form.
    pub(crate) fn noticing(mut self, notice: Option<Notice>) -> Self {
        if notice.is_some() {
            self.page.notice = notice;
        }
        self
    }

    /// Answers with another status than the trouble's own.
    pub(crate) const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Takes the page out for its view.
    pub(crate) fn split(self) -> (Page, Shown) {
        let language = self.page.language;
        (
            self.page,
            Shown {
                status: self.status,
                language,
                issued: self.issued,
            },
        )
    }
}

/// A page of this portal to come back to after a language was chosen (WEB-4): every one that is shown, and not only
/// those that a login may lead to.
pub(crate) fn place_with_language(target: &str) -> Option<String> {
    let acts = |path: &str| matches!(path, "/account/logout");
    let path = target.split('?').next().unwrap_or_default();
    let next = Next::parse(
        target,
        &["/", "/account", "/admin", "/areas", "/dev/mail", "/help", "/home"],
    );
    next.filter(|_| !acts(path)).map(|next| next.as_str().to_owned())
}

/// 303: the browser asks for the other page, and a refresh sends nothing again (R2).
pub(crate) fn redirect(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

/// `path` with `next` in its query.
pub(crate) fn with_next(path: &str, next: Option<&str>) -> String {
    match next {
        Some(next) => {
            let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            format!("{path}?next={query}")
        }
        None => path.to_owned(),
    }
}

/// The button that sent a form; Return in a field sends none.
pub(crate) fn button(form: &Form, otherwise: &'static str) -> String {
    form.get("do")
        .filter(|b| !b.is_empty())
        .unwrap_or(otherwise)
        .to_owned()
}
