//! The portal as one value: what its pages share, and the router that joins them.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, extract::ConnectInfo};
use portal_auth::PortalAuth;
use portal_auth::error::Fault;
use portal_auth::local_time::LocalTime;
use portal_auth_axum::client_address::{TrustedProxies, find_client_address};
use portal_auth_axum::doors::{DoorPaths, Doors, InvalidDoor};
use portal_auth_axum::host::{AcceptedHosts, require_accepted_host};
use portal_auth_axum::request_guard::{FormGuard, refuse_cross_site};
use portal_auth_axum::security_headers::{SecurityHeaders, set_security_headers};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::address_finder::AddressFinder;
use crate::assets;
use crate::circumstances::Circumstances;
use crate::export_part::ExportPart;
use crate::health;
use crate::inbox::DevInbox;
use crate::kept_form::keep_what_was_typed;
use crate::pages;
use crate::problem::show_problems;
use crate::roles::Roles;
use crate::settings::Settings;
use crate::views::catalogue::Language;

/// The longest body of a form (LIM-1).
const BODY_LIMIT: usize = 16 * 1024;
/// The most that all headers of a request may hold, in bytes (LIM-1).
const HEADER_LIMIT: usize = 16 * 1024;
/// The longest a request may take; the hashing gate answers well before.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// What every page of the portal can reach.
#[derive(Debug)]
#[non_exhaustive]
pub struct App {
    /// Everything about accounts.
    pub auth: PortalAuth,
    /// Makes and checks the token in every form.
    pub guard: FormGuard,
    /// The settings in force.
    pub settings: Settings,
    /// Finds the addresses at a postcode.
    pub addresses: Arc<dyn AddressFinder>,
    /// Professional roles to choose from.
    pub roles: Roles,
    /// The front page's text by the tag of its language, ready to be shown; the first is the deployment's own.
    pub home_html: Vec<(&'static str, String)>,
    /// Writes moments as people read them.
    pub local: LocalTime,
    /// The development inbox, where it is open.
    pub inbox: Option<Arc<DevInbox>>,
    /// Files and tells changes of circumstances.
    pub circumstances: Circumstances,
    /// What the portal keeps about people in tables of its own.
    pub export_parts: Vec<Arc<dyn ExportPart>>,
    /// Where people are sent when a page is not for them yet.
    pub doors: Doors,
    /// What is checked before any page sees a request.
    pub gate: Gate,
}

impl App {
    /// The front page's text in a language, or as the deployment has it.
    pub(crate) fn home_html(&self, language: Language) -> String {
        let own = self.home_html.iter().find(|(tag, _)| *tag == language.tag());
        match (own, self.home_html.first()) {
            (Some((_, html)), _) => html.clone(),
            (None, Some((tag, html))) => format!("<div lang=\"{tag}\">{html}</div>"),
            (None, None) => String::new(),
        }
    }

    /// Whether this build lets a person move the clock; a default build never does (TST-3).
    #[must_use]
    pub const fn can_move_clock(&self) -> bool {
        #[cfg(feature = "test-support")]
        return self.settings.test_clock_file.is_some();
        #[cfg(not(feature = "test-support"))]
        false
    }

    /// Moves the clock of a test build forward.
    ///
    /// # Errors
    /// A fault when the clock's file cannot be written.
    pub fn move_clock(&self, by: Duration) -> Result<(), Fault> {
        #[cfg(feature = "test-support")]
        if let Some(path) = &self.settings.test_clock_file {
            let micros = self.auth.now().plus(by).as_micros();
            return std::fs::write(path, micros.to_string())
                .map_err(|e| Fault::permanent("the clock's file cannot be written").because(e));
        }
        let _unused = by;
        Ok(())
    }
}

/// What is checked before any page sees a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Gate {
    /// Accepted `Host` values.
    pub hosts: AcceptedHosts,
    /// Proxies whose forwarding headers count.
    pub proxies: TrustedProxies,
    /// The headers of every answer.
    pub headers: SecurityHeaders,
}

impl Gate {
    /// The gate as the settings ask for it.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn from_settings(settings: &Settings) -> Result<Self, String> {
        let base = settings.base_url.as_str();
        let hosts = AcceptedHosts::new(base, settings.allowed_hosts.iter().map(String::as_str))
            .map_err(|e| format!("PORTAL_ALLOWED_HOSTS: {e}"))?;
        let proxies = settings
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let proxies = if proxies.is_empty() {
            TrustedProxies::none()
        } else {
            proxies
                .parse()
                .map_err(|e| format!("PORTAL_TRUSTED_PROXIES: {e}"))?
        };
        Ok(Self {
            hosts,
            proxies,
            headers: SecurityHeaders::for_base_url(base),
        })
    }
}

/// What a handler is given: the app, cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared(Arc<App>);

impl Shared {
    /// Shares the app between handlers.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self(Arc::new(app))
    }
}

impl Deref for Shared {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl FromRef<Shared> for PortalAuth {
    fn from_ref(app: &Shared) -> Self {
        app.auth.clone()
    }
}

impl FromRef<Shared> for Doors {
    fn from_ref(app: &Shared) -> Self {
        app.doors.clone()
    }
}

/// The portal's own pages that people are sent to.
///
/// # Errors
/// Never for these paths; they are checked all the same.
pub fn doors() -> Result<Doors, InvalidDoor> {
    Doors::new(DoorPaths {
        sign_in: "/account/login",
        timed_out: "/account/timed-out",
        confirm: "/account/confirm-password",
        two_step: "/account/two-step-verification",
        known_routes: &["/home", "/account", "/areas", "/admin"],
        without_page: &["/account/logout", "/account/session", "/account/draft"],
    })
}

/// All routes of the portal behind all its guards.
///
/// Serve it with connect info, so that the peer's address is known.
pub fn router(app: &Shared) -> Router {
    let pages = Router::new()
        .route("/", get(pages::home::front))
        .route("/home", get(pages::home::signed_in))
        .route("/areas/send-ehat", get(pages::home::area))
        .route("/help", get(pages::help::help))
        .route("/language", get(pages::language::show).post(pages::language::submit))
        .route("/account/login", get(pages::sign_in::show).post(pages::sign_in::submit))
        .route("/account/timed-out", get(pages::sign_in::timed_out))
        .route("/account/logout", post(pages::sign_in::sign_out))
        .route("/account/session", get(pages::session::left).post(pages::session::stay))
        .route("/account/draft", post(pages::session::draft))
        .route("/account/verify", get(pages::verify::show).post(pages::verify::submit))
        .route(
            "/account/forgotten-password",
            get(pages::forgotten_password::show).post(pages::forgotten_password::submit),
        )
        .route("/account/reset-password", get(pages::reset_password::show).post(pages::reset_password::submit))
        .route("/account/cancel-recovery", get(pages::cancel_recovery::show).post(pages::cancel_recovery::submit))
        .route("/account/register", get(pages::register::start))
        .route(
            "/account/register/security-details",
            get(pages::register::show_security).post(pages::register::submit_security),
        )
        .route("/account/register/about-you", get(pages::register::show_about).post(pages::register::submit_about))
        .route(
            "/account/register/work-details",
            get(pages::work_details::show).post(pages::work_details::submit),
        )
        .route("/account/register/check", get(pages::check_answers::show).post(pages::check_answers::submit))
        .route("/account/register/sent", get(pages::sent::show).post(pages::sent::submit))
        .route("/account/complete-registration", get(pages::activate::show).post(pages::activate::submit))
        .route("/account/registered", get(pages::activate::registered))
        .route("/account", get(pages::account::overview))
        .route(
            "/account/personal-details",
            get(pages::personal_details::show).post(pages::personal_details::submit),
        )
        .route(
            "/account/work-details",
            get(pages::professional_roles::show).post(pages::professional_roles::choose_main),
        )
        .route("/account/work-details/add", get(pages::role_editor::add).post(pages::role_editor::submit_new))
        .route("/account/work-details/change", get(pages::role_editor::change).post(pages::role_editor::submit_changed))
        .route(
            "/account/work-details/remove",
            get(pages::professional_roles::ask_to_remove).post(pages::professional_roles::remove),
        )
        .route(
            "/account/change-email-address",
            get(pages::change_email::show).post(pages::change_email::submit),
        )
        .route("/account/change-password", get(pages::change_password::show).post(pages::change_password::submit))
        .route("/.well-known/change-password", get(pages::change_password::well_known))
        .route(
            "/account/change-secret-question",
            get(pages::change_secret_question::show).post(pages::change_secret_question::submit),
        )
        .route(
            "/account/confirm-email-address",
            get(pages::confirm_email::show).post(pages::confirm_email::submit),
        )
        .route(
            "/account/cancel-email-change",
            get(pages::take_back::show_cancel).post(pages::take_back::cancel),
        )
        .route("/account/freeze", get(pages::take_back::show_freeze).post(pages::take_back::freeze))
        .route("/account/not-me", get(pages::take_back::show_not_me).post(pages::take_back::not_me))
        .route(
            "/account/change-of-circumstances",
            get(pages::circumstances::show).post(pages::circumstances::submit),
        )
        .route("/account/two-step-verification", get(pages::two_step::show).post(pages::two_step::submit))
        .route("/account/sessions", get(pages::sessions::show).post(pages::sessions::submit))
        .route("/account/activity", get(pages::activity::show))
        .route("/account/your-data", get(pages::your_data::show).post(pages::your_data::submit))
        .route("/account/close", get(pages::close_account::show).post(pages::close_account::submit))
        .route(
            "/account/restore",
            get(pages::close_account::show_restore).post(pages::close_account::submit_restore),
        )
        .route("/account/confirm-password", get(pages::confirm::show).post(pages::confirm::submit))
        .route("/admin", get(pages::look_up_accounts::list))
        .route("/admin/account", get(pages::look_up_accounts::account))
        .route("/admin/account/act", get(pages::administer::show).post(pages::administer::submit))
        .route(
            "/admin/registration",
            get(pages::waiting_registration::show).post(pages::waiting_registration::submit),
        )
        .route("/admin/outbox", get(pages::tend_outbox::show).post(pages::tend_outbox::submit))
        // Old bookmarks of the portal this one replaces.
        .route("/Account/Login", get(pages::home::old_bookmark))
        .route("/Account/Register", get(pages::home::old_bookmark))
        .merge(pages::inbox::routes())
        .fallback(pages::home::not_found)
        .layer(from_fn_with_state(app.clone(), keep_what_was_typed))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(refuse_cross_site));
    let pages = always_answered(pages)
        .with_state(app.clone())
        .merge(assets::routes())
        .layer(from_fn_with_state(app.gate.hosts.clone(), require_accepted_host))
        .layer(from_fn(limit_headers))
        // Around all that may answer without a page of its own.
        .layer(from_fn_with_state(app.clone(), show_problems));
    // A probe asks by address, so it stands before the check of the host.
    pages
        .merge(health::routes().with_state(app.clone()))
        .layer(from_fn_with_state(app.gate.proxies.clone(), find_client_address))
        .layer(from_fn_with_state(app.gate.headers, set_security_headers))
        .layer(from_fn(count_request))
}

/// Whatever a page does, there is an answer: 500 where it panics, 503 where it takes too long (WEB-8).
pub(crate) fn always_answered(pages: Router<Shared>) -> Router<Shared> {
    pages
        .layer(CatchPanicLayer::custom(crate::problem::from_panic))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_LIMIT,
        ))
}

/// Refuses requests whose headers together are longer than any honest browser's (LIM-1).
async fn limit_headers(request: Request, next: Next) -> Response {
    let length = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len().saturating_add(value.len()));
    if length.fold(0_usize, usize::saturating_add) > HEADER_LIMIT {
        return StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response();
    }
    next.run(request).await
}

/// One line per request, without query, so that no token of a link is ever logged (TOK-5, LOG-2).
async fn count_request(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| *peer);
    let response = next.run(request).await;
    tracing::debug!(%method, path, status = response.status().as_u16(), peer = peer.map(tracing::field::display), "request");
    response
}

#[cfg(test)]
#[path = "app_tests.rs"]
pub(crate) mod tests;
