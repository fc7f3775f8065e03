//! Nothing typed is lost (R11): a form that cannot be acted on now is kept, or offered again, and its page fills it in.
//!
//! It looks at every form on its way in and at the answer on its way out, so a page does nothing for it but two things:
//!
//! 1. A line in [`FORMS`]: the page's path and the fields that may be kept, **never a secret**; `next` and `do` are not
//!    listed. [`kept`] is for pages of signed-in people, [`offered`] for all others and for pages with secrets alone.
//! 2. Its `show` asks for what was typed, and shows that in place of what is stored:
//!
//! ```ignore
//! let kept = ctx.kept_form().await?;                      // this page's, of whoever is signed in
//! let forename = kept.value("forename", &stored.forename); // what was typed, else what is stored; or all of it:
//! let typed = kept.form().map_or(stored, |mut form| typed(&mut form));
//! page(ctx, typed, Trouble::none(), kept.notice())         // says that it is filled in and not saved yet
//! ```
//!
//! What follows from that, without another line:
//!
//! | The form was sent, and | then |
//! |---|---|
//! | the session had timed out | it is kept for its owner; P28 says so; after login the page opens filled in |
//! | the page wants a fresh proof (303 to P32) | it is kept; after the proof the page opens filled in |
//! | something broke or the database is down (500, 503) | the answer holds a sealed form "Try again" with the same values |
//! | it was done (303 elsewhere) | what was kept of it is forgotten |
//! | it is not done yet (200, 422) | nothing: the page shows what was typed, and its script keeps it |
//!
//! While somebody types, the page's script sends the same fields to `/account/draft`.

use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use portal_auth::PortalAuth;
use portal_auth::features::keep_form::TypedForm;
use portal_auth::secret::token::{KeptFormToken, SessionToken};
use portal_auth_axum::cookies::{CookieValue, Cookies, PortalCookie};
use portal_auth_axum::form::Form;
use portal_auth_axum::request_guard::{FORM_TOKEN_FIELD, FormCheck, FormGuard};

use crate::app::Shared;
use crate::circumstances::form as circumstances_form;
use crate::pages::{
    about_form, change_email, change_secret_question, personal_details, role_editor, role_form,
};
use crate::problem::{Fail, offer_again, refusal};
use crate::views::catalogue::Language;
use crate::views::errors::TryAgain;
use crate::views::layout::Notice;

/// The pages that take part. The order of fields is that of their seal.
const FORMS: &[KeptFields] = &[
    kept("/account/personal-details", &personal_details::FIELDS),
    kept("/account/work-details/add", &role_editor::FIELDS),
    kept("/account/work-details/change", &role_editor::FIELDS),
    kept("/account/change-email-address", &change_email::KEPT),
    kept("/account/change-secret-question", &change_secret_question::KEPT),
    kept("/account/two-step-verification", &["preferred_method"]),
    kept("/account/change-of-circumstances", &circumstances_form::FIELDS),
    // Before login, and where there is nothing to type but secrets: offered again after a 500 or 503, kept nowhere.
    offered("/account/work-details", &["main", "seen"]),
    offered("/account/work-details/remove", &["number", "seen"]),
    offered("/language", &["language", "back"]),
    offered("/account/login", &["email"]),
    offered("/account/logout", &[]),
    offered("/account/verify", &[]),
    offered("/account/confirm-password", &[]),
    offered("/account/change-password", &[]),
    offered("/account/confirm-email-address", &[]),
    offered("/account/cancel-email-change", &["email"]),
    offered("/account/freeze", &["email"]),
    offered("/account/not-me", &["email"]),
    offered("/account/forgotten-password", &["email"]),
    offered("/account/reset-password", &[]),
    offered("/account/cancel-recovery", &["email"]),
    offered("/account/complete-registration", &[]),
    offered("/account/sessions", &["session"]),
    offered("/account/your-data", &[]),
    offered("/account/close", &[]),
    offered("/account/restore", &[]),
    offered(
        "/account/register/security-details",
        &["email", "email2", "question", "own_question"],
    ),
    offered("/account/register/about-you", &about_form::FIELDS),
    offered("/account/register/work-details", &role_form::FIELDS),
    offered("/account/register/check", &[]),
    offered("/account/register/sent", &["email"]),
    offered("/admin/account/act", &["id", "act"]),
    offered("/admin/registration", &["email"]),
    offered("/admin/outbox", &["mail", "status", "to", "after"]),
];

/// The field that carries the seal of a form offered again.
pub(crate) const SEAL_FIELD: &str = "sealed";
/// Sent along where they are there, for the form offered again.
const CONTROLS: [&str; 2] = ["next", "do"];

/// One page's form, and what of it may be kept.
#[derive(Debug)]
pub(crate) struct KeptFields {
    path: &'static str,
    fields: &'static [&'static str],
    /// Whether it is kept for its person, and not only offered again.
    kept: bool,
}

const fn kept(path: &'static str, fields: &'static [&'static str]) -> KeptFields {
    let kept = true;
    KeptFields { path, fields, kept }
}

const fn offered(path: &'static str, fields: &'static [&'static str]) -> KeptFields {
    let kept = false;
    KeptFields { path, fields, kept }
}

impl KeptFields {
    /// The form of the page at `path`, where it takes part.
    pub(crate) fn at(path: &str) -> Option<&'static Self> {
        FORMS.iter().find(|form| form.path == path)
    }

    /// The form of the page at `path`, where it is kept for its person.
    pub(crate) fn kept_at(path: &str) -> Option<&'static Self> {
        Self::at(path).filter(|form| form.kept)
    }

    /// The names of the fields.
    pub(crate) const fn fields(&self) -> &'static [&'static str] {
        self.fields
    }

    /// What was typed into the fields that may be kept.
    pub(crate) fn typed(&self, form: &Form) -> TypedForm {
        TypedForm::new(self.path, values(self.fields, form))
    }

    /// The values that a form offered again carries, in the order of their seal.
    fn carried(&self, form: &Form) -> Vec<(String, String)> {
        let mut carried = values(self.fields, form);
        carried.extend(values(&CONTROLS, form));
        carried
    }
}

fn values(names: &[&str], form: &Form) -> Vec<(String, String)> {
    let there = |name: &&str| form.get(name).map(|value| ((*name).to_owned(), value.to_owned()));
    names.iter().filter_map(there).collect()
}

fn sealed_values<'a>(
    path: &'a str,
    carried: &'a [(String, String)],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let fields = carried
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    std::iter::once(("", path)).chain(fields)
}

/// Whether the values of a form come from where they say: typed by its person, or carried under our own seal.
pub(crate) fn seal_holds(guard: &FormGuard, cookies: &Cookies, path: &str, form: &Form) -> bool {
    match (form.get(SEAL_FIELD), KeptFields::at(path)) {
        (None, _) => true,
        (Some(seal), Some(fields)) => {
            let carried = fields.carried(form);
            guard.is_sealed(cookies, sealed_values(path, &carried), seal)
        }
        (Some(_), None) => false,
    }
}

/// Middleware that keeps, offers again or forgets what was typed, by what its page answers.
pub(crate) async fn keep_what_was_typed(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let fields = KeptFields::at(request.uri().path()).filter(|_| request.method() == Method::POST);
    let Some(fields) = fields else {
        return next.run(request).await;
    };
    let (form, request) = match Form::read_ahead(request).await {
        Ok(read) => read,
        Err(rejection) => return Fail::Form(rejection).into_response(),
    };
    let cookies = Cookies::read(request.headers());
    let genuine = app.guard.check(&cookies, form.token()) == FormCheck::Genuine
        && seal_holds(&app.guard, &cookies, fields.path, &form);
    let answer = next.run(request).await;
    // Another site must not be able to write into a form, and a stale form has no effect (R13).
    if !genuine {
        return answer;
    }
    match Ending::of(fields.path, &answer) {
        Ending::Failed => again(&app, &cookies, fields, &form, answer),
        _ if !fields.kept => answer,
        Ending::Done => {
            forget(&app, &cookies, fields).await;
            answer
        }
        Ending::SentAway => keep(&app, &cookies, fields, &form, answer).await,
        Ending::Shown => answer,
    }
}

/// What an answer means for what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The page was shown again with its values, or an error in its place: they are still to be acted on.
    Shown,
    /// The person must log in or prove who they are before the form can be acted on.
    SentAway,
    /// It was acted on.
    Done,
    /// It could not be acted on, through no fault of the form.
    Failed,
}

impl Ending {
    /// What the page at `page` has answered.
    fn of(page: &str, answer: &Response) -> Self {
        match answer.status() {
            StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE => Self::Failed,
            StatusCode::SEE_OTHER => {
                let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                Self::of_location(page, to.unwrap_or_default())
            }
            _ => Self::Shown,
        }
    }

    fn of_location(page: &str, to: &str) -> Self {
        let (path, query) = to.split_once('?').unwrap_or((to, ""));
        match path {
            "/account/timed-out" | "/account/confirm-password" => Self::SentAway,
            // The login page says what was done where something was.
            "/account/login" if !query.contains("notice=") => Self::SentAway,
            // To itself or the page it belongs to without a word of what was done: its session ended in this very moment.
            _ if query.is_empty() && page.starts_with(path) => Self::SentAway,
            _ => Self::Done,
        }
    }
}

fn again(
    app: &Shared,
    cookies: &Cookies,
    fields: &KeptFields,
    form: &Form,
    mut answer: Response,
) -> Response {
    let mut carried = fields.carried(form);
    if let Some(seal) = app.guard.seal(cookies, sealed_values(fields.path, &carried)) {
        carried.push((FORM_TOKEN_FIELD.to_owned(), form.token().to_owned()));
        carried.push((SEAL_FIELD.to_owned(), seal.as_str().to_owned()));
        let action = fields.path.to_owned();
        offer_again(
            &mut answer,
            TryAgain {
                action,
                fields: carried,
            },
        );
    }
    answer
}

async fn keep(
    app: &Shared,
    cookies: &Cookies,
    fields: &KeptFields,
    form: &Form,
    mut answer: Response,
) -> Response {
    match keep_typed(&app.auth, cookies, fields.typed(form)).await {
        Ok(Some(cookie)) => {
            answer
                .headers_mut()
                .append(axum::http::header::SET_COOKIE, cookie);
            answer
        }
        Ok(None) => answer,
        // Going on would lose what was typed: it is offered again instead.
        Err(fail) => again(app, cookies, fields, form, fail.into_response()),
    }
}

/// Keeps a form for whoever's session the browser holds, dead or alive; answers the cookie to set, `None` where nothing
/// was kept.
pub(crate) async fn keep_typed(
    auth: &PortalAuth,
    cookies: &Cookies,
    typed: TypedForm,
) -> Result<Option<HeaderValue>, Fail> {
    let session = cookies
        .get(PortalCookie::Session)
        .and_then(|value| SessionToken::parse(value.expose()));
    let Some(session) = session else {
        return Ok(None);
    };
    match auth.keep_form(&session, held(cookies).as_ref(), typed).await {
        Ok(token) => {
            let cookie = PortalCookie::Draft.set(&CookieValue::from(&token));
            Ok(Some(cookie.header_value()?))
        }
        Err(denied) => {
            let _nothing_is_kept = refusal(denied)?;
            Ok(None)
        }
    }
}

/// The token of kept forms that a browser holds, if it is one.
pub(crate) fn held(cookies: &Cookies) -> Option<KeptFormToken> {
    KeptFormToken::parse(cookies.get(PortalCookie::Draft)?.expose())
}

async fn forget(app: &Shared, cookies: &Cookies, fields: &KeptFields) {
    let Some(held) = held(cookies) else {
        return;
    };
    if let Err(fault) = app.auth.drop_kept_form(&held, fields.path).await {
        // What was asked for is done; the worst is a form filled in with what is saved already.
        tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "a kept form could not be forgotten"
        );
    }
}

/// What was typed into a page's form before, if anything.
#[derive(Debug, Default)]
pub(crate) struct Kept(Option<(TypedForm, String)>);

impl Kept {
    /// What was typed, and the address of the same page without it.
    pub(crate) const fn new(typed: TypedForm, without: String) -> Self {
        Self(Some((typed, without)))
    }

    /// What was typed into a field, empty where it was left empty; `stored` where nothing was typed before.
    pub(crate) fn value(&self, field: &str, stored: &str) -> String {
        match &self.0 {
            Some((typed, _)) => typed.get(field).unwrap_or_default().to_owned(),
            None => stored.to_owned(),
        }
    }

    /// The form as it was sent, for a page that reads it anyway; `None` where nothing was typed before.
    pub(crate) fn form(&self) -> Option<Form> {
        let (typed, _) = self.0.as_ref()?;
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&typed.fields);
        Form::parse(body.finish().as_bytes()).ok()
    }

    /// Says that the form is filled in and not saved, with a way to what is saved.
    #[allow(dead_code, reason = "for pages in English only")]
    pub(crate) fn notice(&self) -> Option<Notice> {
        self.notice_in(Language::ENGLISH)
    }

    /// The same in the person's language.
    pub(crate) fn notice_in(&self, language: Language) -> Option<Notice> {
        let (_, without) = self.0.as_ref()?;
        let notice = Notice::attention(language.t("filled-in"));
        Some(notice.with_link(language.t("filled-in-instead"), without))
    }
}

/// Whether the headers' form token belongs to the browser, for the endpoints of the script.
pub(crate) fn is_genuine(app: &Shared, headers: &HeaderMap, form: &Form) -> bool {
    app.guard.check(&Cookies::read(headers), form.token()) == FormCheck::Genuine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_became_of_the_form() {
        for (to, expected) in [
            ("/account/timed-out?next=%2Faccount", Ending::SentAway),
            ("/account/confirm-password?next=%2Faccount", Ending::SentAway),
            ("/account/login?next=%2Faccount", Ending::SentAway),
            ("/account/login", Ending::SentAway),
            ("/account/login?notice=two-step-on", Ending::Done),
            (
                "/account/login?next=%2Fareas%2Fsend-ehat&notice=two-step-on",
                Ending::Done,
            ),
            ("/account/work-details?notice=added", Ending::Done),
            ("/account/work-details", Ending::SentAway),
            ("/account/work-details/add", Ending::SentAway),
            ("/account/close/done", Ending::Done),
        ] {
            assert_eq!(
                Ending::of_location("/account/work-details/add", to),
                expected,
                "{to}"
            );
        }
        for (status, expected) in [
            (StatusCode::OK, Ending::Shown),
            (StatusCode::UNPROCESSABLE_ENTITY, Ending::Shown),
            (StatusCode::FORBIDDEN, Ending::Shown),
            (StatusCode::TOO_MANY_REQUESTS, Ending::Shown),
            (StatusCode::INTERNAL_SERVER_ERROR, Ending::Failed),
            (StatusCode::SERVICE_UNAVAILABLE, Ending::Failed),
        ] {
            assert_eq!(
                Ending::of("/account", &status.into_response()),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn a_kept_form_is_read_like_one_that_was_sent() {
        let fields = [("town", "Stoke & Trent=1"), ("county", ""), ("role", "Zo\u{eb}+")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let kept = Kept::new(TypedForm::new("/a", fields.to_vec()), String::new());
        let form = kept.form().unwrap();
        for (name, value) in &fields {
            assert_eq!(form.get(name), Some(value.as_str()));
            assert_eq!(&kept.value(name, "stored"), value);
        }
        assert_eq!(kept.value("not_there", "stored"), "");
        assert_eq!(Kept::default().value("town", "stored"), "stored");
        assert!(Kept::default().form().is_none());
    }

    #[test]
    fn every_page_that_takes_a_form_takes_part() {
        // Portal's state matrix, last row: the database may be down for any of them.
        let router = include_str!("app.rs")
            .split("let pages = Router::new()")
            .nth(1)
            .unwrap();
        let router = router.split(".layer(").next().unwrap();
        let mut missing = Vec::new();
        for route in router.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap();
            let for_scripts = ["/account/session", "/account/draft"].contains(&path);
            if route.contains("post(") && !for_scripts && KeptFields::at(path).is_none() {
                missing.push(path);
            }
        }
        assert_eq!(missing, Vec::<&str>::new(), "add a line to FORMS for each");
    }

    #[test]
    fn no_secret_is_on_any_list() {
        // R11: names of fields that hold a secret anywhere in the portal.
        let secrets = ["password", "answer", "token", "link", "username", "sealed"];
        for form in FORMS {
            for field in form.fields {
                assert!(
                    !secrets.iter().any(|secret| field.contains(secret)) && *field != "code",
                    "{}: {field}",
                    form.path
                );
            }
            assert!(form.fields.len() < 38, "{}", form.path);
            assert_eq!(FORMS.iter().filter(|other| other.path == form.path).count(), 1);
        }
    }
}
