//! A service on a store of its own, with accounts in it and a browser that each has used before.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portal_auth::account::snapshot::AccountRow;
use portal_auth::account::status::TwoStep;
use portal_auth::config::Config;
use portal_auth::environment::{SystemClock, SystemEntropy};
use portal_auth::error::Denied;
use portal_auth::features::register::SecurityDetails;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome, SignInRefused};
use portal_auth::password::argon2id::Argon2id;
use portal_auth::password::hash::{HashParams, Line, PasswordHasher as _, Pepper, SecretBytes, StoredHash};
use portal_auth::secret::keyring::Keyring;
use portal_auth::secret::token::{DeviceToken, DraftToken, SessionToken};
use portal_auth::store::in_memory::InMemoryStore;
use portal_auth::store::{AccountStore as _, Store};
use portal_auth::testkit::{RecordingMailer, rows};
use portal_auth::visitor::Visitor;
use portal_auth::{NewSession, PortalAuth, SignedIn};
use portal_auth_sqlx::postgres::{PostgresOptions, PostgresStore};
use portal_auth_sqlx::sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;
use test_rig::{FreshDatabase, postgres_with};

use crate::bare::Kernel;
use crate::usage::siblings_of;

/// Of every account.
pub const PASSWORD: &str = "Slow-Rivers-Bend-2026";

/// The stores that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a bench of all there are")]
pub enum Kind {
    /// In memory.
    Memory,
    /// A SQLite file that is on the disk when a commit returns.
    Sqlite,
    /// A PostgreSQL of this process, with `fsync`.
    Postgres,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Sqlite, Self::Postgres];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// What a store stands on, kept while it is used.
#[derive(Debug)]
enum Ground {
    Nothing,
    Folder(#[expect(dead_code, reason = "held so that it stays")] TempDir),
    Database(#[expect(dead_code, reason = "held so that it stays")] FreshDatabase),
}

/// A service with accounts.
#[derive(Debug)]
pub struct House {
    /// The service.
    pub auth: PortalAuth,
    /// The process ids of its PostgreSQL, where it has one on this machine.
    pub servers: Vec<u32>,
    server: Option<u32>,
    accounts: Vec<AccountRow>,
    devices: Vec<Option<String>>,
    _ground: Ground,
}

impl House {
    /// A service on a fresh store with `accounts` accounts that have each signed in from their browser once.
    pub async fn new(kind: Kind, kernel: Kernel, params: HashParams, accounts: u32) -> Self {
        let mut house = Self::unvisited(kind, kernel, params, accounts).await;
        for n in 0..house.accounts.len() {
            let new = house.sign_in(n).await.expect("the right password");
            let slot = house.devices.get_mut(n).expect("one of the accounts");
            *slot = new.device.map(|device| device.expose().to_owned());
        }
        house.servers = house.server.map(siblings_of).unwrap_or_default();
        house
    }

    /// A service on a fresh store with `accounts` accounts that nobody has used yet.
    pub async fn unvisited(kind: Kind, kernel: Kernel, params: HashParams, accounts: u32) -> Self {
        let (store, server, ground) = open(kind).await;
        let mut config = Config::portal("https://portal.example".parse().expect("an address"));
        config.passwords.hash = params;
        config.passwords.engine = kernel.engine();
        // As the portal does it, in shorter steps: nothing here takes as long.
        config.answer_step = Duration::from_millis(20);
        // A bench signs in more often than a person may, and one machine asks for everybody.
        config.guessing.ladder.hashes = 1_000_000_000;
        config.guessing.network_failures = 1_000_000_000;
        config.mail.per_network = vec![(1000, Duration::from_secs(1))];
        config.mail.an_hour_over_all = 1_000_000_000;
        let hash = hash_of(PASSWORD, params).await;
        let accounts: Vec<_> = (1..=accounts)
            .map(|n| AccountRow {
                password: hash.clone(),
                two_step: TwoStep::Off,
                ..rows::account(n)
            })
            .collect();
        for account in &accounts {
            store
                .commit(rows::work_with(account))
                .await
                .expect("a fresh store");
        }
        let keyring = Keyring::random(&SystemEntropy::default()).expect("keys");
        let built = PortalAuth::build(config, store, RecordingMailer::new(), keyring);
        let (auth, _background) = built.expect("a configuration");
        Self {
            auth,
            servers: Vec::new(),
            server,
            devices: vec![None; accounts.len()],
            accounts,
            _ground: ground,
        }
    }

    /// Whether [`servers`](Self::servers) are all there are: a connection that was made since is in no measurement.
    #[must_use]
    pub fn knows_its_servers(&self) -> bool {
        let now = self.server.map(siblings_of).unwrap_or_default();
        now.iter().all(|server| self.servers.contains(server))
    }

    /// Signs an account in from the browser it has used before.
    ///
    /// # Errors
    /// `Busy` when more sign in at once than the gate lets in.
    pub async fn sign_in(&self, n: usize) -> Result<NewSession, Denied<SignInRefused>> {
        let at = n.checked_rem(self.accounts.len()).unwrap_or(0);
        let device = self
            .devices
            .get(at)
            .and_then(Option::as_deref)
            .and_then(DeviceToken::parse);
        self.sign_in_from(at, device).await
    }

    /// Signs an account in from a browser nobody has seen.
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in).
    pub async fn sign_in_anew(&self, n: usize) -> Result<NewSession, Denied<SignInRefused>> {
        self.sign_in_from(n.checked_rem(self.accounts.len()).unwrap_or(0), None)
            .await
    }

    async fn sign_in_from(
        &self,
        at: usize,
        device: Option<DeviceToken>,
    ) -> Result<NewSession, Denied<SignInRefused>> {
        let email = self.accounts.get(at).map_or("", |account| account.email.as_str());
        let form = SignInForm::new(email, PASSWORD);
        let outcome = self.auth.sign_in(&visitor().with_device(device), form).await?;
        let SignInOutcome::SignedIn(new) = outcome else {
            panic!("{outcome:?}")
        };
        Ok(new)
    }

    /// One request of a signed-in person.
    pub async fn check(&self, session: &SessionToken) -> SignedIn {
        self.auth.authenticate(session).await.expect("a live session")
    }

    /// The first step of a registration: two hashes and one draft.
    pub async fn register(&self, address: &str) -> DraftToken {
        let question = self.auth.config().registration.questions.iter().next();
        let question = question.map_or("", |q| q.id().as_str());
        let details = SecurityDetails::new(address, PASSWORD)
            .repeated(address, PASSWORD)
            .with_question(question, "a long walk by the water");
        let saved = self.auth.save_security_details(&visitor(), None, details).await;
        saved.expect("the first step")
    }

    /// The address of an account.
    #[must_use]
    pub fn email(&self, n: u32) -> String {
        rows::email(n.saturating_add(1)).as_str().to_owned()
    }

    /// What comes before the request that is timed: the steps of a registration.
    pub async fn prepare(&self, asked: Asked, address: &str) -> Option<DraftToken> {
        match asked {
            Asked::Registration => Some(self.register(address).await),
            Asked::SignIn | Asked::ForgottenPassword => None,
        }
    }

    /// Asks about an address as a stranger would; the answers are the same whether it has an account.
    pub async fn ask(&self, asked: Asked, address: &str, draft: Option<&DraftToken>) {
        match asked {
            Asked::SignIn => {
                let form = SignInForm::new(address, "Wrong-Rivers-Bend-2026");
                let refused = self.auth.sign_in(&visitor(), form).await;
                assert!(
                    matches!(refused, Err(Denied::Refused(SignInRefused::NotCorrect))),
                    "{refused:?}"
                );
            }
            Asked::ForgottenPassword => {
                let asked = self.auth.request_reset(&visitor(), address).await;
                asked.expect("the one answer");
            }
            Asked::Registration => {
                let draft = draft.expect("a registration in steps");
                let sent = self.auth.submit_registration(&visitor(), draft).await;
                sent.expect("the one answer");
            }
        }
    }
}

/// Where a stranger can ask whether an address has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a bench of all there are")]
pub enum Asked {
    /// A sign-in with a wrong password.
    SignIn,
    /// A forgotten password.
    ForgottenPassword,
    /// The last step of a registration.
    Registration,
}

impl Asked {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SignIn, Self::ForgottenPassword, Self::Registration];
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SignIn => "sign-in",
            Self::ForgottenPassword => "forgotten password",
            Self::Registration => "registration",
        })
    }
}

fn visitor() -> Visitor {
    Visitor::unknown()
        .from_network([192, 0, 2, 7].into())
        .with_user_agent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
}

async fn hash_of(password: &str, params: HashParams) -> StoredHash {
    let (clock, entropy) = (
        Arc::new(SystemClock::default()),
        Arc::new(SystemEntropy::default()),
    );
    let hasher = Argon2id::builder(clock, entropy).params(params).permits(1);
    let hasher = hasher.build().expect("a hasher");
    let mut slot = hasher.enter(Line::Known).await.expect("a place");
    let hash = slot.hash(SecretBytes::from(password), Pepper::None).await;
    hash.expect("a hash")
}

async fn open(kind: Kind) -> (Arc<dyn Store>, Option<u32>, Ground) {
    match kind {
        Kind::Memory => (Arc::new(InMemoryStore::new()), None, Ground::Nothing),
        Kind::Sqlite => {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("bench.db");
            let file = file.to_str().expect("a path in UTF-8");
            let store = SqliteStore::open(file, &SqliteOptions::default())
                .await
                .expect("a file");
            store.migrate().await.expect("a schema");
            (Arc::new(store), None, Ground::Folder(folder))
        }
        Kind::Postgres => {
            let database = postgres_with(true).fresh_database();
            let options = PostgresOptions::default();
            let store = PostgresStore::connect(database.url(), &options)
                .await
                .expect("a server");
            store.migrate().await.expect("a schema");
            let server: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
                .fetch_one(store.pool())
                .await
                .expect("a server");
            (
                Arc::new(store),
                u32::try_from(server).ok(),
                Ground::Database(database),
            )
        }
    }
}
