//! The whole portal in memory, with one browser in front of it that has come a certain way.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use portal::app::router;
use portal::circumstances::InMemoryReports;
use portal::service::{Opened, Portal, assemble, config};
use portal::settings::{Content, Given, Settings, load};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::TwoStep;
use portal_auth::features::register::{Save, SecurityDetails};
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::password::argon2id::Argon2id;
use portal_auth::password::hash::{
    HashParams, Line, PasswordHasher, Pepper, PepperId, Peppers, SecretBytes, StoredHash,
};
use portal_auth::secret::keyring::Keyring;
use portal_auth::secret::token::DraftToken;
use portal_auth::store::in_memory::InMemoryStore;
use portal_auth::store::{AccountStore as _, Store};
use portal_auth::testkit::{ManualClock, ScriptedEntropy, rows};
use portal_auth::visitor::Visitor;
use portal_auth::{Environment, PortalAuth};
use portal_auth_axum::cookies::{Cookies, PortalCookie};
use serde_json::json;

/// Of the account and of the registration.
pub(crate) const PASSWORD: &str = "Slow-Rivers-Bend-2026";
const NEWCOMER: &str = "jo.newcomer@school.example";

/// How far the browser's person has come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    Nobody,
    FirstStepDone,
    SecondStepDone,
    LinkOpened,
    HalfSignedIn,
    SignedIn,
}

impl State {
    pub(crate) const ALL: [Self; 6] = [
        Self::Nobody,
        Self::FirstStepDone,
        Self::SecondStepDone,
        Self::LinkOpened,
        Self::HalfSignedIn,
        Self::SignedIn,
    ];
}

/// A portal of its own for each browser, so that an input does the same whatever came before it.
pub(crate) struct Browser {
    portal: Portal,
    store: Arc<InMemoryStore>,
    pub(crate) router: Router,
    cookies: Vec<(PortalCookie, String)>,
}

impl Browser {
    pub(crate) async fn new(state: State) -> Self {
        let mut browser = Self::at_the_front_page();
        match state {
            State::Nobody => {}
            State::FirstStepDone | State::SecondStepDone | State::LinkOpened => {
                browser.register(state).await;
            }
            State::HalfSignedIn => browser.sign_in(TwoStep::Email).await,
            State::SignedIn => browser.sign_in(TwoStep::Off).await,
        }
        browser
    }

    fn at_the_front_page() -> Self {
        let (settings, content) = &*SETTINGS;
        let entropy = ScriptedEntropy::new(7);
        let keyring = Keyring::random(&entropy).expect("keys");
        let mut environment = Environment::default();
        environment.clock = Arc::new(ManualClock::default());
        environment.entropy = Arc::new(entropy);
        environment.hasher = Some(hasher());
        let store = Arc::new(InMemoryStore::new());
        let config = config(settings, content).expect("a configuration");
        let rows: Arc<dyn Store> = Arc::new(Arc::clone(&store));
        let reports = Arc::new(InMemoryReports::beside(Arc::clone(&rows)));
        let opened = Opened { store: rows, reports };
        let portal = assemble(settings, content, config, environment, keyring, opened).expect("a portal");
        Self {
            router: router(&portal.app),
            portal,
            store,
            cookies: vec![(PortalCookie::Form, "A".repeat(43))],
        }
    }

    pub(crate) fn auth(&self) -> &PortalAuth {
        &self.portal.app.auth
    }

    pub(crate) fn cookie(&self, cookie: PortalCookie) -> Option<String> {
        let held = self.cookies.iter().find(|(held, _)| *held == cookie);
        held.map(|(_, value)| value.clone())
    }

    pub(crate) fn put_cookie(&mut self, cookie: PortalCookie, value: &str) {
        self.cookies.retain(|(held, _)| *held != cookie);
        if !value.is_empty() {
            self.cookies.push((cookie, value.to_owned()));
        }
    }

    /// The `Cookie` header it sends.
    pub(crate) fn cookie_header(&self) -> HeaderValue {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(cookie, value)| format!("{}={value}", cookie.name()))
            .collect();
        HeaderValue::from_str(&pairs.join("; ")).expect("a header value")
    }

    /// The token that stands in the forms of its pages.
    pub(crate) fn form_token(&self) -> String {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, self.cookie_header());
        let token = self.portal.app.guard.token_for(&Cookies::read(&headers));
        token.map_or_else(String::new, |token| token.as_str().to_owned())
    }

    async fn register(&mut self, state: State) {
        let auth = self.auth().clone();
        let question = auth.config().registration.questions.iter().next();
        let question = question.map_or("", |q| q.id().as_str()).to_owned();
        let details = SecurityDetails::new(NEWCOMER, PASSWORD)
            .repeated(NEWCOMER, PASSWORD)
            .with_question(question, "a long walk by the water");
        let draft = auth.save_security_details(&visitor(), None, details).await;
        let draft = draft.expect("the first step");
        self.put_cookie(PortalCookie::Draft, draft.expose());
        if matches!(state, State::FirstStepDone) {
            return;
        }
        let about_you = json!({ "title": "Ms", "forename": "Jo", "surname": "Newcomer", "gender": "female" });
        let saved = auth
            .save_section(&draft, "about_you", about_you, Save::Checked)
            .await;
        saved.expect("the second step");
        if matches!(state, State::LinkOpened) {
            self.send_off(&draft).await;
        }
    }

    async fn send_off(&mut self, draft: &DraftToken) {
        let work_details = json!({ "main": 0, "roles": [{
            "role": "Teacher", "organisation": "Anytown School", "postcode": "S1 2HH",
            "address_line1": "1 High Street", "town": "Anytown",
        }] });
        let auth = self.auth().clone();
        let saved = auth
            .save_section(draft, "work_details", work_details, Save::Checked)
            .await;
        saved.expect("the third step");
        let sent = auth.submit_registration(&visitor(), draft).await;
        sent.expect("a registration that is complete");
        self.portal.background.work_once().await.expect("mail goes out");
        let inbox = self.portal.app.inbox.as_ref().expect("an inbox");
        let mail = inbox
            .newest_first(NEWCOMER, "")
            .into_iter()
            .next()
            .expect("a mail");
        let (_, token) = mail
            .links
            .iter()
            .find_map(|link| link.split_once("?t="))
            .expect("a link");
        self.put_cookie(PortalCookie::Link, token);
    }

    async fn sign_in(&mut self, two_step: TwoStep) {
        let account = AccountRow {
            two_step,
            password: HASH.clone(),
            ..rows::account(1)
        };
        let work = rows::work_with(&account);
        self.store.commit(work).await.expect("an empty store");
        let form = SignInForm::new(account.email.as_str(), PASSWORD);
        let auth = self.auth().clone();
        match auth.sign_in(&visitor(), form).await.expect("the right password") {
            SignInOutcome::SignedIn(new) => {
                self.put_cookie(PortalCookie::Session, new.session.expose());
                let device = new.device.expect("a browser that was not known");
                self.put_cookie(PortalCookie::Device, device.expose());
            }
            SignInOutcome::CodeSent(sent) => self.put_cookie(PortalCookie::Verify, sent.challenge.expose()),
            other => panic!("{other:?}"),
        }
    }
}

/// Where the browser's connections come from.
pub(crate) fn peer() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 7], 40_000))
}

fn visitor() -> Visitor {
    Visitor::unknown().from_network(peer().ip())
}

/// Runs one future to its end.
pub(crate) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(future)
}

/// The portal as it starts with no settings, but behind a proxy, so that forwarding headers are read.
static SETTINGS: LazyLock<(Settings, Content)> = LazyLock::new(|| {
    let mut given = Given::default();
    given.trusted_proxies = Some("10.0.0.0/8".to_owned());
    load(given).expect("the defaults")
});

/// One for all portals, since each keeps threads of its own.
pub(crate) fn hasher() -> Arc<dyn PasswordHasher> {
    let hasher: Arc<Argon2id> = Arc::clone(&HASHER);
    hasher
}

static HASHER: LazyLock<Arc<Argon2id>> = LazyLock::new(|| {
    let entropy = Arc::new(ScriptedEntropy::new(11));
    let pepper = PepperId::parse("p").expect("a name");
    let peppers = Peppers::new(pepper, (0..32).collect::<Vec<u8>>().into()).expect("a pepper");
    let builder = Argon2id::builder(Arc::new(ManualClock::default()), entropy)
        .params(HashParams::cheapest())
        .peppers(peppers)
        .permits(1);
    Arc::new(builder.build().expect("a hasher"))
});

static HASH: LazyLock<StoredHash> = LazyLock::new(|| {
    // In a thread of its own: whoever comes first stands in a runtime already.
    let hash = || {
        wait_for(async {
            let mut slot = HASHER.enter(Line::Known).await.expect("a place");
            slot.hash(SecretBytes::from(PASSWORD), Pepper::None)
                .await
                .expect("a hash")
        })
    };
    std::thread::scope(|scope| scope.spawn(hash).join().expect("a hash"))
});
