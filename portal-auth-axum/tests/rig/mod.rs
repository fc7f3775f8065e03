//! A small host with every door, one account in its store, and a browser in front of it.

pub(crate) mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::TwoStep;
use portal_auth::config::{Config, TwoStepPolicy};
use portal_auth::environment::SystemEntropy;
use portal_auth::features::confirm_identity::ConfirmOutcome;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::password::Password;
use portal_auth::password::argon2id::Argon2id;
use portal_auth::password::hash::{HashParams, Line, PasswordHasher, Pepper, SecretBytes};
use portal_auth::secret::keyring::Keyring;
use portal_auth::session::{Level, SessionRow};
use portal_auth::store::{AccountStore, SessionStore};
use portal_auth::testkit::{ManualClock, RecordingMailer, ScriptedEntropy, rows};
use portal_auth::unit_of_work::{Change, Write};
use portal_auth::{Environment, PortalAuth};
use portal_auth_axum::Error;
use portal_auth_axum::areas::{Area, AreaRefused, Entered};
use portal_auth_axum::client_address::{TrustedProxies, find_client_address};
use portal_auth_axum::confirmed::Confirmed;
use portal_auth_axum::cookies::{Cookies, ForgetPerson};
use portal_auth_axum::doors::{DoorPaths, Doors};
use portal_auth_axum::form::Form;
use portal_auth_axum::session_cookies::SessionCookies;
use portal_auth_axum::signed_in::{MaybeSignedIn, Peeked, SignedIn};
use portal_auth_axum::visitor::VisitorOf;
use tower::ServiceExt as _;

use self::store::FragileStore;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The state of the host's router.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) portal: PortalAuth,
    pub(crate) doors: Doors,
}

impl FromRef<Host> for PortalAuth {
    fn from_ref(host: &Host) -> Self {
        host.portal.clone()
    }
}

impl FromRef<Host> for Doors {
    fn from_ref(host: &Host) -> Self {
        host.doors.clone()
    }
}

/// An area that asks for the second step.
pub(crate) enum SendArea {}
impl Area for SendArea {
    const LEVEL: Level = Level::Two;
}

/// An area for everybody who is signed in.
pub(crate) enum OpenArea {}
impl Area for OpenArea {
    const LEVEL: Level = Level::One;
}

pub(crate) struct Rig {
    pub(crate) app: Router,
    pub(crate) host: Host,
    pub(crate) store: Arc<FragileStore>,
    pub(crate) clock: ManualClock,
    /// The seed of its keyring.
    keys: u64,
}

static NEXT_KEYS: AtomicU64 = AtomicU64::new(1);

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with_policy(TwoStepPolicy::RequiredForAreas).await
    }

    pub(crate) async fn with_policy(policy: TwoStepPolicy) -> Self {
        let rig = Self::on(
            policy,
            Arc::default(),
            ManualClock::default(),
            NEXT_KEYS.fetch_add(1, Ordering::Relaxed),
        );
        rig.make_account().await;
        rig
    }

    /// The same service after a restart with another policy: same rows, same keys, same time.
    pub(crate) fn restarted_with(&self, policy: TwoStepPolicy) -> Self {
        Self::on(policy, Arc::clone(&self.store), self.clock.clone(), self.keys)
    }

    fn on(policy: TwoStepPolicy, store: Arc<FragileStore>, clock: ManualClock, keys: u64) -> Self {
        let mut config = Config::modern("https://portal.example".parse().unwrap());
        config.two_step = policy;
        let mut environment = Environment::default();
        environment.clock = Arc::new(clock.clone());
        environment.hasher = Some(Arc::new(cheap_hasher()));
        let (portal, _background) = PortalAuth::build_in(
            environment,
            config,
            Arc::clone(&store),
            RecordingMailer::new(),
            Keyring::random(&ScriptedEntropy::new(keys)).unwrap(),
        )
        .unwrap();
        let doors = Doors::new(DoorPaths {
            sign_in: "/account/login",
            timed_out: "/account/timed-out",
            confirm: "/account/confirm-password",
            two_step: "/account/two-step-verification",
            known_routes: &["/account", "/areas"],
            without_page: &["/account/logout"],
        });
        let host = Host {
            portal,
            doors: doors.unwrap(),
        };
        let app = pages(&host);
        Self {
            app,
            host,
            store,
            clock,
            keys,
        }
    }

    async fn make_account(&self) {
        let hasher = cheap_hasher();
        let mut slot = hasher.enter(Line::Known).await.unwrap();
        let secret = SecretBytes::from(&Password::new(PASSWORD));
        let account = AccountRow {
            password: slot.hash(secret, Pepper::None).await.unwrap(),
            two_step: TwoStep::Off,
            ..rows::account(1)
        };
        self.store.commit(rows::work_with(&account)).await.unwrap();
    }

    pub(crate) async fn account(&self) -> AccountRow {
        self.store.by_id(rows::account_id(1)).await.unwrap().unwrap()
    }

    /// Changes the account behind everybody's back, as another process may.
    pub(crate) async fn change_account(&self, account: AccountRow) {
        let change = Change::Account(Box::new(Write::Update(account)));
        self.store.commit(rows::work().change(change)).await.unwrap();
    }

    /// Rewrites the account's only session, so that its browser holds what it could have got with a code.
    pub(crate) async fn lift_session_to(&self, level: Level) {
        let sessions = self.store.sessions_of(rows::account_id(1)).await.unwrap();
        let [session] = &sessions[..] else {
            panic!("there are {} sessions", sessions.len());
        };
        let lifted = SessionRow {
            level,
            ..session.clone()
        };
        let work = rows::work()
            .change(Change::Session(Box::new(Write::Delete(session.key))))
            .change(Change::Session(Box::new(Write::Insert(lifted))));
        self.store.commit(work).await.unwrap();
    }

    pub(crate) async fn sessions(&self) -> usize {
        let sessions = self.store.sessions_of(rows::account_id(1)).await.unwrap();
        sessions.len()
    }

    pub(crate) fn wait(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(minutes * 60));
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser {
            app: self.app.clone(),
            jar: Vec::new(),
        }
    }

    pub(crate) async fn signed_in_browser(&self) -> Browser {
        let mut browser = self.browser();
        let answer = browser.signs_in("/account/login").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        browser
    }
}

fn cheap_hasher() -> Argon2id {
    let clock = Arc::new(ManualClock::default());
    Argon2id::builder(clock, Arc::new(SystemEntropy::default()))
        .params(HashParams::cheapest())
        .permits(1)
        .build()
        .unwrap()
}

fn pages(host: &Host) -> Router {
    let gated = Router::new()
        .route("/report", get(async || "report"))
        .route_layer(middleware::from_extractor_with_state::<Entered<SendArea>, _>(
            host.clone(),
        ));
    Router::new()
        .route("/account/login", get(login_page).post(login))
        .route("/account/logout", post(logout))
        .route("/account/confirm-password", post(confirm))
        .route("/account/details", get(details).post(details))
        .route("/account/sessions", get(sessions).post(sessions))
        .route("/account/time-left", get(time_left))
        .route("/maybe", get(maybe))
        .route("/areas/open", get(open_area))
        .route("/areas/send", get(send_area))
        .route("/areas/invites", get(inviting_area))
        .route("/areas/all", get(all_at_once))
        .nest("/areas/nested", gated)
        .with_state(host.clone())
        .layer(middleware::from_fn_with_state(
            TrustedProxies::default(),
            find_client_address,
        ))
        .layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))))
}

/// Runs what compares passwords: it holds a place behind the hashing gate, which stays on its thread.
async fn on_one_thread<T: Send + 'static>(act: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(act()));
    done.await.unwrap()
}

async fn login_page(found: MaybeSignedIn) -> Response {
    match found {
        MaybeSignedIn::SignedIn(signed_in) if signed_in.is_complete() => Redirect::to("/").into_response(),
        MaybeSignedIn::SignedIn(_) | MaybeSignedIn::Ended(_) | MaybeSignedIn::Anonymous => {
            "sign in".into_response()
        }
    }
}

async fn login(
    State(host): State<Host>,
    VisitorOf(visitor): VisitorOf,
    held: Option<SignedIn>,
    page: Uri,
    mut form: Form,
) -> Result<Response, Error> {
    let next = host.doors.next_of(&page);
    let target = Redirect::to(next.as_ref().map_or("/", |next| next.as_str()));
    let outcome = on_one_thread(async move || {
        let (email, password) = (form.take("email"), form.take("password"));
        let typed = SignInForm::new(&email, password).replacing(held.as_ref().map(SignedIn::token));
        host.portal.sign_in(&visitor, typed).await
    });
    Ok(match outcome.await? {
        SignInOutcome::SignedIn(new) => (SessionCookies::for_new_session(&new), target).into_response(),
        SignInOutcome::CodeSent(sent) => (SessionCookies::for_code(&sent), "code").into_response(),
        _ => StatusCode::NOT_IMPLEMENTED.into_response(),
    })
}

async fn logout(
    State(portal): State<PortalAuth>,
    VisitorOf(visitor): VisitorOf,
    held: Option<SignedIn>,
) -> Result<impl IntoResponse, Error> {
    if let Some(held) = held {
        portal.sign_out(&visitor, held.token()).await?;
    }
    Ok((ForgetPerson, Redirect::to("/")))
}

async fn confirm(
    State(portal): State<PortalAuth>,
    VisitorOf(visitor): VisitorOf,
    signed_in: SignedIn,
    mut form: Form,
) -> Result<Response, Error> {
    let outcome = on_one_thread(async move || {
        let password = Password::new(form.take("password"));
        portal
            .confirm_password(&visitor, signed_in.token(), &password)
            .await
    });
    Ok(match outcome.await? {
        ConfirmOutcome::Confirmed(token) => {
            (SessionCookies::for_renewed_session(&token), "confirmed").into_response()
        }
        ConfirmOutcome::CodeSent(sent) => (SessionCookies::for_code(&sent), "code").into_response(),
        _ => StatusCode::NOT_IMPLEMENTED.into_response(),
    })
}

async fn details(signed_in: SignedIn) -> String {
    signed_in.person().account().to_string()
}

async fn sessions(confirmed: Confirmed) -> String {
    confirmed.signed_in().person().account().to_string()
}

async fn time_left(Peeked(found): Peeked) -> String {
    match found {
        MaybeSignedIn::SignedIn(_) => "some".into(),
        MaybeSignedIn::Ended(end) => format!("{end:?}"),
        MaybeSignedIn::Anonymous => "nobody".into(),
    }
}

async fn maybe(found: MaybeSignedIn) -> String {
    match found {
        MaybeSignedIn::SignedIn(signed_in) => signed_in.person().account().to_string(),
        MaybeSignedIn::Ended(end) => format!("{end:?}"),
        MaybeSignedIn::Anonymous => "nobody".into(),
    }
}

async fn open_area(entered: Entered<OpenArea>) -> String {
    format!("{:?}", entered.signed_in().person().level())
}

async fn send_area(entered: Entered<SendArea>) -> String {
    format!("{:?}", entered.signed_in().person().level())
}

async fn inviting_area(entered: Result<Entered<SendArea>, AreaRefused>) -> Response {
    match entered {
        Ok(_) => "entered".into_response(),
        Err(AreaRefused::InviteTwoStep(invitation)) => {
            let who = invitation.signed_in().person().account();
            format!("{who} {}", invitation.way().location()).into_response()
        }
        Err(refused) => refused.into_response(),
    }
}

async fn all_at_once(_: MaybeSignedIn, _: SignedIn, _: Entered<OpenArea>, _: Confirmed, _: Option<SignedIn>) {
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Where a 303 leads.
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        let lines = self.headers.get_all(header::SET_COOKIE).iter();
        lines.map(|line| line.to_str().unwrap()).collect()
    }
}

/// A browser with nothing but a cookie jar.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) app: Router,
    pub(crate) jar: Vec<(String, String)>,
}

impl Browser {
    pub(crate) async fn opens(&mut self, path: &str) -> Answer {
        self.sends(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn submits(&mut self, path: &str, fields: &str) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(fields.to_owned().into());
        self.sends(request.unwrap()).await
    }

    pub(crate) async fn signs_in(&mut self, page: &str) -> Answer {
        let email = rows::email(1);
        self.submits(page, &format!("email={}&password={PASSWORD}", email.as_str()))
            .await
    }

    pub(crate) fn holds(&self, name: &str) -> bool {
        self.jar.iter().any(|(held, _)| held == name)
    }

    pub(crate) fn cookies(&self) -> Cookies {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, self.jar_line().parse().unwrap());
        Cookies::read(&headers)
    }

    fn jar_line(&self) -> String {
        let pairs = self.jar.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    async fn sends(&mut self, mut request: Request<Body>) -> Answer {
        let jar = self.jar_line().parse().unwrap();
        request.headers_mut().insert(header::COOKIE, jar);
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 64 * 1024).await.unwrap();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        for line in answer.set_cookies() {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.jar.retain(|(held, _)| held != name);
            if !value.is_empty() {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }
}
