//! Puts the portal together from its settings, and keeps it running until it is told to end.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portal_auth::account::professional_profile::ProfessionalProfile;
use portal_auth::config::{Config, SecretQuestion, TwoStepPolicy};
use portal_auth::environment::{Clock, SystemClock};
use portal_auth::local_time::LocalTime;
use portal_auth::mail::mailer::Mailer;
use portal_auth::password::argon2id::Engine;
use portal_auth::password::breached::BreachCheck;
use portal_auth::password::breached_file::BreachedFile;
use portal_auth::secret::keyring::{KeyLine, KeyList, KeyState, Keyring};
use portal_auth::store::Store;
use portal_auth::{Background, Environment, PortalAuth};
use portal_auth_axum::request_guard::FormGuard;
use portal_auth_lettre::{FileMailer, SmtpMailer};
use portal_auth_sqlx::postgres::{PostgresOptions, PostgresStore};
use portal_auth_sqlx::schema::SetupError;
use portal_auth_sqlx::sqlite::{SqliteOptions, SqliteStore};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::address_finder::Patience;
use crate::app::{App, Gate, Shared, doors, router};
use crate::circumstances::{Circumstances, Reports};
use crate::commands::keys_to_start_with;
use crate::export_part::ExportPart;
use crate::inbox::DevInbox;
use crate::keys_file;
use crate::own_tables::postgres::PostgresTables;
use crate::own_tables::sqlite::SqliteTables;
use crate::settings::{
    Content, DatabaseUrl, MailRoute, Preset, Settings, SmtpSecurity, SmtpServer, TwoStepRule,
};
use crate::views::catalogue::Language;

/// How long running requests and mails may take to finish after the signal to end; SIGTERM ends within 10 s.
const GRACE: Duration = Duration::from_secs(8);

/// How often the portal looks after its own tables: untold reports are told, and what belonged to erased accounts goes.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Why the portal did not start, or did not go on.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A portal that is ready to be served.
#[derive(Debug)]
#[non_exhaustive]
pub struct Portal {
    /// What its pages share.
    pub app: Shared,
    /// What must run beside it.
    pub background: Background,
}

/// An open database: the library's tables, and the portal's own beside them.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a caller may have both from elsewhere")]
pub struct Opened {
    /// The library's tables.
    pub store: Arc<dyn Store>,
    /// Reports of changed circumstances.
    pub reports: Arc<dyn Reports>,
}

/// Opens the database and brings its schema up to date, or checks that it is.
///
/// # Errors
/// When the database cannot be reached, or its schema is older and may not be migrated.
pub async fn open_store(settings: &Settings, migrate: bool) -> Result<Opened, Failure> {
    match &settings.database {
        DatabaseUrl::Postgres(url) => {
            let store = PostgresStore::connect(url.expose(), &PostgresOptions::default()).await?;
            let own = PostgresTables::beside(store.clone());
            if migrate {
                store.migrate().await?;
                own.migrate().await?;
            } else {
                store.check_schema().await.map_err(with_the_command)?;
                own.check().await?;
            }
            Ok(Opened {
                store: Arc::new(store),
                reports: Arc::new(own),
            })
        }
        DatabaseUrl::Sqlite(url) => {
            let store = SqliteStore::open(url.expose(), &SqliteOptions::default()).await?;
            let own = SqliteTables::beside(store.clone());
            if migrate {
                store.migrate().await?;
                own.migrate().await?;
            } else {
                store.check_schema().await.map_err(with_the_command)?;
                own.check().await?;
            }
            Ok(Opened {
                store: Arc::new(store),
                reports: Arc::new(own),
            })
        }
    }
}

/// Says how this program runs the migrations.
fn with_the_command(error: SetupError) -> Failure {
    if matches!(error, SetupError::SchemaTooOld { .. }) {
        format!("{error}: `portal migrate`").into()
    } else {
        error.into()
    }
}

/// Puts the portal together over an open store.
///
/// # Errors
/// A sentence that names the setting.
pub fn build(settings: &Settings, content: &Content, opened: Opened) -> Result<Portal, Failure> {
    let keyring = keyring(keys_to_start_with(settings).map_err(|problem| problem.sentence)?)?;
    let mut environment = Environment::default();
    environment.clock = clock(settings)?;
    assemble(
        settings,
        content,
        config(settings, content)?,
        environment,
        keyring,
        opened,
    )
}

/// As [`build`], with the library's configuration, the outside world and the keys from the caller; reads no file.
///
/// # Errors
/// A sentence that names the setting.
pub fn assemble(
    settings: &Settings,
    content: &Content,
    config: Config,
    environment: Environment,
    keyring: Keyring,
    opened: Opened,
) -> Result<Portal, Failure> {
    let Opened { store, reports } = opened;
    let guard_key = *keyring.host_key("form-guard")?;
    let (mailer, inbox) = mailer(settings, &environment.clock)?;
    let (auth, background) = PortalAuth::build_in(environment, config, store, mailer, keyring)?;
    let guard = FormGuard::new(guard_key, auth.entropy());
    let local = LocalTime::in_zone(&settings.time_zone_name)
        .ok_or_else(|| format!("PORTAL_TIME_ZONE: {} is no time zone", settings.time_zone_name))?;
    let (base_url, zone) = (settings.base_url.clone(), settings.time_zone.clone());
    let circumstances = Circumstances::new(reports, auth.clone(), base_url, zone);
    let app = App {
        auth,
        guard,
        addresses: Arc::new(Patience::two_seconds(content.addresses.clone())),
        roles: content.roles.clone(),
        home_html: home_html(settings, content),
        local,
        inbox,
        export_parts: export_parts(&circumstances),
        circumstances,
        doors: doors()?,
        gate: Gate::from_settings(settings)?,
        settings: settings.clone(),
    };
    Ok(Portal {
        app: Shared::new(app),
        background,
    })
}

/// What the portal keeps about people in tables of its own.
fn export_parts(circumstances: &Circumstances) -> Vec<Arc<dyn ExportPart>> {
    vec![circumstances.export_part()]
}

/// Looks after the portal's own tables when the process starts and each minute, until `shutdown` is done.
async fn look_after_own_tables(app: Shared, shutdown: impl Future<Output = ()> + Send) {
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        for part in &app.export_parts {
            if let Err(fault) = part.forget_the_gone().await {
                tracing::warn!(
                    error = &fault as &dyn Error,
                    part = part.name(),
                    "what belonged to erased accounts was not removed"
                );
            }
        }
        if let Err(fault) = app.circumstances.tell_the_due().await {
            tracing::warn!(
                error = &fault as &dyn Error,
                "a change of circumstances is still to be told"
            );
        }
        tokio::select! {
            () = shutdown.as_mut() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// The front page in every language that it is written in, English first.
fn home_html(settings: &Settings, content: &Content) -> Vec<(&'static str, String)> {
    let english = (Language::ENGLISH.tag(), &content.home);
    let others = content.home_in.iter().map(|(tag, home)| (*tag, home));
    std::iter::once(english)
        .chain(others)
        .map(|(tag, home)| {
            let language = Language::from_tag(tag).unwrap_or(Language::ENGLISH);
            (tag, home.to_html(&language.as_tag(), settings))
        })
        .collect()
}

fn clock(settings: &Settings) -> Result<Arc<dyn Clock>, Failure> {
    #[cfg(feature = "test-support")]
    if let Some(path) = &settings.test_clock_file {
        let clock = crate::test_clock::FileClock::open(path)
            .map_err(|e| format!("PORTAL_TEST_CLOCK_FILE: {} cannot be read: {e}", path.display()))?;
        return Ok(Arc::new(clock));
    }
    let _settings = settings;
    Ok(Arc::new(SystemClock::default()))
}

fn keyring(lines: Vec<keys_file::KeyLine>) -> Result<Keyring, Failure> {
    let lines = lines
        .into_iter()
        .map(|line| {
            let list = match line.list {
                keys_file::KeyList::Token => KeyList::Token,
                keys_file::KeyList::Pepper => KeyList::Pepper,
                keys_file::KeyList::Pseudonym => KeyList::Pseudonym,
            };
            let state = match line.state {
                keys_file::KeyState::Announced => KeyState::Announced,
                keys_file::KeyState::Signing => KeyState::Signing,
                keys_file::KeyState::Verifying => KeyState::Verifying,
                keys_file::KeyState::Retired => KeyState::Retired,
            };
            KeyLine::new(list, line.id, state, line.secret)
        })
        .collect();
    Keyring::from_lines(lines).map_err(|e| format!("PORTAL_KEYS_FILE: {e}").into())
}

/// The library's configuration as the settings ask for it.
///
/// # Errors
/// A sentence that names the setting.
pub fn config(settings: &Settings, content: &Content) -> Result<Config, Failure> {
    let mut config = match settings.preset {
        Preset::Modern => Config::modern(settings.base_url.clone()),
        Preset::Portal => Config::portal(settings.base_url.clone()),
    };
    config.service_name.clone_from(&settings.service_name);
    config.help_email = settings.help_email.as_ref().map(|e| e.as_str().to_owned());
    config.administrators.clone_from(&settings.admins);
    config.time_zone.clone_from(&settings.time_zone_name);
    config.two_step = match settings.two_step {
        TwoStepRule::Off => TwoStepPolicy::Off,
        TwoStepRule::Optional => TwoStepPolicy::Optional,
        TwoStepRule::Areas => TwoStepPolicy::RequiredForAreas,
        TwoStepRule::All => TwoStepPolicy::RequiredForAll,
    };
    config.registration.link_lifetime = settings.link_lifetime;
    config.registration.profile = Arc::new(ProfessionalProfile::schema());
    if config.registration.secret_question == SecretQuestion::Required {
        config.registration.questions = content.questions.clone();
        config.registration.own_question = settings.own_question;
    }
    config.recovery.fallback = settings.recovery_fallback;
    config.recovery.tell_unknown = settings.tell_unknown;
    config.codes.lifetime = settings.code_lifetime;
    config.codes.digits = settings.code_digits;
    config.sessions.idle = settings.idle_timeout;
    config.sessions.absolute = settings.session_lifetime;
    config.alerts.new_device = settings.new_device_mail;
    config.answer_step = settings.answer_step;
    config.passwords.engine = Engine::Fast;
    config.passwords.workers = settings.workers.map(std::num::NonZeroUsize::get);
    config.passwords.policy.context_words = content.context_words.iter().map(str::to_owned).collect();
    if let Some(path) = &settings.breached_passwords {
        let list = breached_passwords(path)?;
        config.passwords.breached =
            Some(BreachCheck::new(list).when_unavailable(settings.breached_unavailable));
    }
    #[cfg(feature = "test-support")]
    if settings.test_cheap_hash {
        config.passwords.hash = portal_auth::password::hash::HashParams::cheapest();
    }
    Ok(config)
}

/// Opens the list of breached passwords and looks it over.
///
/// # Errors
/// A sentence that names the setting.
pub fn breached_passwords(path: &Path) -> Result<BreachedFile, Failure> {
    BreachedFile::open(path).map_err(|e| {
        let cause = e.source().map_or_else(String::new, |cause| format!(" ({cause})"));
        format!("PORTAL_BREACHED_PASSWORDS names {}: {e}{cause}.", path.display()).into()
    })
}

/// Where mail goes, and the inbox if it goes there.
type MailDoor = (Arc<dyn Mailer>, Option<Arc<DevInbox>>);

fn mailer(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<MailDoor, Failure> {
    let from = format!(
        "{} <{}>",
        quoted(&settings.service_name),
        settings.mail_from.as_str()
    );
    let reply_to = settings.help_email.as_ref().map(|e| e.as_str().to_owned());
    match &settings.mail {
        MailRoute::Smtp(server) => {
            let mut builder = SmtpMailer::builder(smtp_url(server)?)
                .from(from)
                .clock(Arc::clone(clock));
            if let Some(address) = reply_to {
                builder = builder.reply_to(address);
            }
            if let Some(file) = &server.ca_file {
                builder = builder.ca_file(file.clone());
            }
            if server.security == SmtpSecurity::DangerousPlaintext {
                builder = builder.dangerous_plaintext();
            }
            Ok((Arc::new(builder.build()?), None))
        }
        MailRoute::Directory(folder) => {
            let mut builder = FileMailer::builder(folder.clone())
                .from(from)
                .clock(Arc::clone(clock));
            if let Some(address) = reply_to {
                builder = builder.reply_to(address);
            }
            Ok((Arc::new(builder.build()?), None))
        }
        MailRoute::Inbox => {
            let inbox = Arc::new(DevInbox::new(Arc::clone(clock)));
            let open = settings.inbox_is_open().then(|| Arc::clone(&inbox));
            Ok((inbox, open))
        }
    }
}

/// A display name that holds any character.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace(['"', '\\'], " "))
}

fn smtp_url(server: &SmtpServer) -> Result<String, Failure> {
    let scheme = if server.security == SmtpSecurity::ImplicitTls {
        "smtps"
    } else {
        "smtp"
    };
    let mut url = url::Url::parse(&format!("{scheme}://{}:{}", server.host, server.port))?;
    if let Some(login) = &server.login {
        let set = url
            .set_username(&login.user)
            .and_then(|()| url.set_password(Some(login.password.expose())));
        set.map_err(|()| "PORTAL_SMTP_URL cannot hold its user and password")?;
    }
    Ok(url.into())
}

/// Serves until SIGTERM or SIGINT, then finishes running requests and mails.
///
/// # Errors
/// When it cannot start, or the socket fails.
pub async fn serve(settings: &Settings, content: &Content) -> Result<(), Failure> {
    let opened = open_store(settings, settings.migrate).await?;
    let Portal { app, background } = build(settings, content, opened)?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|e| format!("PORTAL_LISTEN: {} cannot be listened on: {e}", settings.listen))?;
    let bound = listener.local_addr()?;
    tracing::info!(listen = %bound, base_url = %settings.base_url, "the portal is open");
    if app.inbox.is_some() {
        tracing::info!(
            "mail is shown at {}dev/mail and goes nowhere else",
            settings.base_url
        );
    }
    let (stop, stopped) = watch::channel(false);
    let ended = move |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the sender is gone, which is an end as well.
        let _ended = stopped.wait_for(|stop| *stop).await;
    };
    let mail = tokio::spawn(background.run(ended(stopped.clone())));
    let own_tables = tokio::spawn(look_after_own_tables(app.clone(), ended(stopped.clone())));
    let service = router(&app).into_make_service_with_connect_info::<SocketAddr>();
    let served = tokio::spawn(
        axum::serve(listener, service)
            .with_graceful_shutdown(ended(stopped))
            .into_future(),
    );
    signal().await?;
    tracing::info!("ending: finishing running requests and mails");
    stop.send_replace(true);
    let finished = tokio::time::timeout(GRACE, async {
        let (served, mailed, looked_after) = tokio::join!(served, mail, own_tables);
        served??;
        mailed?;
        looked_after?;
        Ok::<(), Failure>(())
    });
    match finished.await {
        Ok(done) => done,
        Err(_) => {
            tracing::warn!(
                "some requests or mails did not finish in time; waiting mails go out after the next start"
            );
            Ok(())
        }
    }
}

/// Waits for the signal to end.
async fn signal() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
