//! A small world for the tests of features: one store, one clock, one mailbox, and the steps people take in it.
#![allow(
    dead_code,
    unused_imports,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "each test file uses its own part of the world, and fails by panicking"
)]

pub(crate) mod failing_engine;
pub(crate) mod log_lines;
pub(crate) mod watched_store;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use portal_auth::account::email::EmailAddress;
use portal_auth::account::profile::{Section, Sections};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::TwoStep;
use portal_auth::audit::AuditRow;
use portal_auth::config::Config;
use portal_auth::environment::Timestamp;
use portal_auth::error::{Denied, FieldErrors, Reason};
use portal_auth::features::activate::{ActivateRefused, Activated};
use portal_auth::features::administer::Administrator;
use portal_auth::features::register::{Save, SecurityDetails, SubmitOutcome};
use portal_auth::features::sign_in::{SignInForm, SignInOutcome, SignInRefused};
use portal_auth::password::Password;
use portal_auth::password::hash::{HashParams, PasswordHasher};
use portal_auth::secret::keyring::{KeyLine, KeyList, KeyState, Keyring};
use portal_auth::secret::token::{DeviceToken, DraftToken, LinkToken, SessionToken};
use portal_auth::store::AccountStore as _;
use portal_auth::testkit::recording_mailer::{code_in, tokens_in};
use portal_auth::testkit::rows;
use portal_auth::testkit::{ManualClock, RecordingMailer, ScriptedEntropy};
use portal_auth::unit_of_work::{Change, Write};
use portal_auth::visitor::Visitor;
use portal_auth::{Background, CodeSent, Environment, NewSession, PortalAuth};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use watched_store::WatchedStore;

pub(crate) const MICRO: Duration = Duration::from_micros(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) const VAL: &str = "val@school.example";
pub(crate) const PASSWORD: &str = "Quiet-Meadow-42";
pub(crate) const OTHER_PASSWORD: &str = "Loud-Mountain-17";
/// Whoever runs the commands.
pub(crate) const OPERATOR: Administrator = Administrator::at_the_command_line();
pub(crate) const ANSWER: &str = "Green Vauxhall Astra";

/// The one section of these tests' profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AboutMe {
    pub(crate) forename: String,
}

impl Section for AboutMe {
    const NAME: &'static str = "about_me";

    fn check(self) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        if self.forename.trim().is_empty() {
            errors.add("forename", Reason::new("forename.required"));
        }
        errors.or(Self {
            forename: self.forename.trim().to_owned(),
        })
    }

    fn greeting(&self) -> Option<String> {
        Some(self.forename.clone())
    }
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<WatchedStore>,
    pub(crate) mailer: RecordingMailer,
    pub(crate) auth: PortalAuth,
    background: Background,
    entropy: ScriptedEntropy,
    config: Config,
    hasher: Option<Arc<dyn PasswordHasher>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::made(change, None)
    }

    /// A world whose passwords are hashed by `hasher` in place of the crate's own.
    pub(crate) fn hashing_by(hasher: Arc<dyn PasswordHasher>) -> Self {
        Self::made(|_| {}, Some(hasher))
    }

    fn made(change: impl FnOnce(&mut Config), hasher: Option<Arc<dyn PasswordHasher>>) -> Self {
        let mut config = Config::portal("https://portal.example".parse().unwrap());
        config.passwords.hash = HashParams::cheapest();
        config.passwords.workers = Some(2);
        config.registration.profile = Arc::new(Sections::<(AboutMe,)>::new(1));
        change(&mut config);
        let (clock, store, mailer, entropy) = (
            ManualClock::default(),
            Arc::new(WatchedStore::default()),
            RecordingMailer::new(),
            ScriptedEntropy::new(11),
        );
        let (auth, background) = process(&clock, &store, &mailer, &entropy, config.clone(), hasher.clone());
        Self {
            clock,
            store,
            mailer,
            auth,
            background,
            entropy,
            config,
            hasher,
        }
    }

    /// Another process of the same service on the same store.
    pub(crate) fn another_process(&self) -> (PortalAuth, Background) {
        self.process_with(|_| {})
    }

    /// Another process whose configuration differs.
    pub(crate) fn process_with(&self, change: impl FnOnce(&mut Config)) -> (PortalAuth, Background) {
        let mut config = self.config.clone();
        change(&mut config);
        process(
            &self.clock,
            &self.store,
            &self.mailer,
            &self.entropy,
            config,
            self.hasher.clone(),
        )
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.auth.now()
    }

    /// One turn of the background: mails go, stamps are written, what is over is removed.
    pub(crate) async fn work(&self) {
        self.background.work_once().await.unwrap();
    }

    /// How many mails of `kind` the address got so far.
    pub(crate) async fn mails(&self, to: &str, kind: &str) -> usize {
        self.work().await;
        self.mailer.sent_to(to).iter().filter(|m| m.kind == kind).count()
    }

    pub(crate) async fn latest(&self, to: &str, kind: &str) -> String {
        self.work().await;
        let mail = self.mailer.latest(to, kind);
        mail.unwrap_or_else(|| panic!("no mail {kind} to {to}"))
            .text
            .clone()
    }

    /// The link of the newest activation mail.
    pub(crate) async fn link(&self, to: &str) -> LinkToken {
        let text = self.latest(to, "complete-registration").await;
        LinkToken::parse(tokens_in(&text)[0]).unwrap()
    }

    /// The link of the newest mail of `kind`.
    pub(crate) async fn link_in(&self, to: &str, kind: &str) -> LinkToken {
        let text = self.latest(to, kind).await;
        LinkToken::parse(tokens_in(&text)[0]).unwrap()
    }

    /// Asks for a reset, a minute later than anything before, and takes the link out of the mail.
    pub(crate) async fn reset_link(&self, email: &str) -> LinkToken {
        self.clock.advance(MINUTE);
        self.auth.request_reset(&stranger(1), email).await.unwrap();
        let text = self.latest(email, "reset-password").await;
        LinkToken::parse(tokens_in(&text)[0]).unwrap()
    }

    /// The code of the newest code mail.
    pub(crate) async fn code(&self, to: &str) -> String {
        code_in(&self.latest(to, "sign-in-code").await).unwrap()
    }

    /// Another code than the right one.
    pub(crate) async fn wrong_code(&self, to: &str) -> String {
        let right: u32 = self.code(to).await.parse().unwrap();
        format!("{:06}", (right + 1) % 1_000_000)
    }

    pub(crate) fn question(&self) -> String {
        let mut questions = self.config.registration.questions.iter();
        questions.next().unwrap().id().as_str().to_owned()
    }

    pub(crate) fn details(&self, email: &str, password: &str) -> SecurityDetails {
        SecurityDetails::new(email, password)
            .repeated(email, password)
            .with_question(self.question(), ANSWER)
    }

    /// Fills in every step of a registration and leaves it unsent.
    pub(crate) async fn fill_in(
        &self,
        visitor: &Visitor,
        email: &str,
        password: &str,
        forename: &str,
    ) -> DraftToken {
        let details = self.details(email, password);
        let draft = self
            .auth
            .save_security_details(visitor, None, details)
            .await
            .unwrap();
        self.fill_section(&draft, forename).await;
        draft
    }

    pub(crate) async fn fill_section(&self, draft: &DraftToken, forename: &str) {
        let typed = json!({ "forename": forename });
        self.auth
            .save_section(draft, AboutMe::NAME, typed, Save::Checked)
            .await
            .unwrap();
    }

    /// Registers from the network `from`; the link is in the mailbox afterwards.
    pub(crate) async fn register_from(&self, from: &Visitor, email: &str, password: &str) -> DraftToken {
        let draft = self.fill_in(from, email, password, "Val").await;
        let outcome = self.auth.submit_registration(from, &draft).await.unwrap();
        assert!(matches!(outcome, SubmitOutcome::CheckEmail(_)), "{outcome:?}");
        draft
    }

    pub(crate) async fn register(&self, email: &str, password: &str) -> DraftToken {
        self.register_from(&stranger(1), email, password).await
    }

    pub(crate) async fn activate(
        &self,
        link: &LinkToken,
        password: &str,
    ) -> Result<Activated, Denied<ActivateRefused>> {
        self.auth
            .activate(&stranger(1), link, &Password::new(password))
            .await
    }

    /// Makes an account by all its steps, and answers the familiar device of its owner's browser.
    pub(crate) async fn person(&self, email: &str) -> DeviceToken {
        self.register(email, PASSWORD).await;
        let link = self.link(email).await;
        let activated = self.activate(&link, PASSWORD).await.unwrap();
        activated.device.unwrap()
    }

    pub(crate) async fn account(&self, email: &str) -> AccountRow {
        let found = self.store.by_email(&address(email), None).await.unwrap();
        found.account.unwrap_or_else(|| panic!("{email} has no account"))
    }

    /// Writes an account as it is, beside every feature.
    pub(crate) async fn put_account(&self, row: AccountRow) {
        let work = rows::work().change(Change::Account(Box::new(Write::Update(row))));
        self.store.commit(work).await.unwrap();
    }

    pub(crate) async fn has_account(&self, email: &str) -> bool {
        self.auth.find_account(&address(email)).await.unwrap().is_some()
    }

    pub(crate) async fn try_sign_in(
        &self,
        visitor: &Visitor,
        email: &str,
        password: &str,
    ) -> Result<SignInOutcome, Denied<SignInRefused>> {
        self.auth.sign_in(visitor, SignInForm::new(email, password)).await
    }

    /// Signs in where no code is asked for.
    pub(crate) async fn signed_in(&self, visitor: &Visitor, email: &str) -> NewSession {
        match self.try_sign_in(visitor, email, PASSWORD).await.unwrap() {
            SignInOutcome::SignedIn(session) => session,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn session(&self, email: &str) -> SessionToken {
        self.signed_in(&stranger(1), email).await.session
    }

    /// Gives the right password where a code is asked for.
    pub(crate) async fn half_done(&self, email: &str) -> CodeSent {
        match self.try_sign_in(&stranger(1), email, PASSWORD).await.unwrap() {
            SignInOutcome::CodeSent(sent) => sent,
            other => panic!("{other:?}"),
        }
    }

    /// A person who has turned the second step on.
    pub(crate) async fn careful_person(&self, email: &str) -> DeviceToken {
        let device = self.person(email).await;
        let session = self.session(email).await;
        self.auth
            .set_two_step(&stranger(1), &session, TwoStep::Email)
            .await
            .unwrap();
        device
    }

    /// Signs in by password and code.
    pub(crate) async fn session_at_two(&self, email: &str) -> SessionToken {
        let sent = self.half_done(email).await;
        let code = self.code(email).await;
        let session = self
            .auth
            .verify_code(&stranger(1), &sent.challenge, &code, None)
            .await;
        session.unwrap().session
    }

    /// Fails to sign in from the network `from` until the address is closed; answers how many tries passed.
    pub(crate) async fn guess_until_closed(&self, from: &Visitor, email: &str) -> u32 {
        let mut tries = 0;
        while matches!(
            self.try_sign_in(from, email, "Wrong-Password-99").await,
            Err(Denied::Refused(SignInRefused::NotCorrect))
        ) {
            tries += 1;
        }
        tries
    }

    /// Everything decided so far, oldest first.
    pub(crate) fn audit(&self) -> Vec<AuditRow> {
        self.store.events()
    }

    /// How many events of `kind` there are.
    pub(crate) fn audited(&self, kind: &str) -> usize {
        self.audit().iter().filter(|e| e.kind == kind).count()
    }

    /// LOG-5: every event so far carries a MAC of its own content.
    pub(crate) fn assert_audit_is_genuine(&self) {
        for row in self.audit() {
            let mac = self
                .auth
                .keyring()
                .audit_mac(&row.mac_key, &row.authenticated_bytes());
            assert_eq!(mac, Some(row.mac), "{}", row.kind);
        }
    }
}

fn process(
    clock: &ManualClock,
    store: &Arc<WatchedStore>,
    mailer: &RecordingMailer,
    entropy: &ScriptedEntropy,
    config: Config,
    hasher: Option<Arc<dyn PasswordHasher>>,
) -> (PortalAuth, Background) {
    let keys = [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym].map(|list| {
        let secret = (0..32).collect::<Vec<u8>>().into();
        KeyLine::new(list, "k1".into(), KeyState::Signing, secret)
    });
    let mut environment = Environment::default();
    environment.clock = Arc::new(clock.clone());
    environment.entropy = Arc::new(entropy.clone());
    environment.hasher = hasher;
    let keyring = Keyring::from_lines(keys.into()).unwrap();
    PortalAuth::build_in(environment, config, Arc::clone(store), mailer.clone(), keyring).unwrap()
}

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// A browser that nobody knows, in the network `n`.
pub(crate) fn stranger(n: u32) -> Visitor {
    let network = Ipv4Addr::from_bits(Ipv4Addr::new(198, 51, 0, 0).to_bits() + n);
    Visitor::unknown()
        .from_network(IpAddr::V4(network))
        .with_user_agent("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0")
}

/// The browser that holds `device`, in a network of its own.
pub(crate) fn familiar(device: &DeviceToken) -> Visitor {
    stranger(60_000).with_device(DeviceToken::parse(device.expose()))
}
