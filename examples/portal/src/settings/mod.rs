//! The settings of the portal: typed by an operator, read once, checked as a whole, and then plain data.
//!
//! A setting comes from its flag, else its variable, else the file that `PORTAL_CONFIG` names, else its default.
//! [`load`] collects every problem instead of stopping at the first, so that an operator mends them in one go.

mod content;
mod file;
mod given;
mod mail;
mod problem;
mod show;
mod values;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use portal_auth::account::email::EmailAddress;
use portal_auth::config::RecoveryFallback;
use portal_auth::password::breached::WhenUnavailable;
use tracing_subscriber::EnvFilter;
use url::Url;

pub use self::content::Content;
pub use self::given::{Described, Given};
pub use self::mail::{MailRoute, SmtpLogin, SmtpSecurity, SmtpServer};
pub use self::problem::{Problem, Problems};
pub use self::values::{DatabaseUrl, Hidden};

/// Every setting with its final value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The socket to listen on.
    pub listen: SocketAddr,
    /// The public URL: scheme, host and port.
    pub base_url: Url,
    /// Further `Host` values, lower case, with their port where it is not the usual one.
    pub allowed_hosts: Vec<String>,
    /// Networks whose forwarding headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// The database.
    pub database: DatabaseUrl,
    /// Whether `serve` applies pending migrations.
    pub migrate: bool,
    /// The file with the keyring.
    pub keys_file: PathBuf,
    /// Where mail goes.
    pub mail: MailRoute,
    /// The address that mails come from.
    pub mail_from: EmailAddress,
    /// Password and recovery rules.
    pub preset: Preset,
    /// Who needs a second step.
    pub two_step: TwoStepRule,
    /// What there is for somebody who cannot answer the secret question (RST-7).
    pub recovery_fallback: RecoveryFallback,
    /// Whether an address without an account is told so when a reset is asked for it.
    pub tell_unknown: bool,
    /// Whether the registration asks for the email address a second time.
    pub confirm_email: bool,
    /// Whether the registration asks for the password a second time.
    pub confirm_password: bool,
    /// Whether the registration shows all answers once more before it is sent off.
    pub check_answers: bool,
    /// Whether people may make up a secret question of their own.
    pub own_question: bool,
    /// How long an activation link works.
    pub link_lifetime: Duration,
    /// How long an emailed code works.
    pub code_lifetime: Duration,
    /// Digits of an emailed code.
    pub code_digits: u8,
    /// How long a session lives without activity.
    pub idle_timeout: Duration,
    /// How long a session lives at most.
    pub session_lifetime: Duration,
    /// Whether a login in a browser not seen before is told by mail.
    pub new_device_mail: bool,
    /// In whole steps of which answers come that might tell by their time who has an account (ENU-5).
    pub answer_step: Duration,
    /// How many passwords are hashed at the same time; `None` for one per core.
    pub workers: Option<NonZeroUsize>,
    /// The name on pages and in mails.
    pub service_name: String,
    /// Where people ask for help.
    pub help_email: Option<EmailAddress>,
    /// The name of the time zone, for the core's own configuration.
    pub time_zone_name: String,
    /// The zone of times on pages and in mails.
    pub time_zone: TimeZone,
    /// Addresses of administrators.
    pub admins: Vec<EmailAddress>,
    /// The list of breached passwords: a file or a folder.
    pub breached_passwords: Option<PathBuf>,
    /// What becomes of a new password while that list cannot be read.
    pub breached_unavailable: WhenUnavailable,
    /// Clients that may read the metrics.
    pub metrics_from: Vec<IpNet>,
    /// The form of the log.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_filter: String,
    /// Where the time is read from instead of the system's clock.
    #[cfg(feature = "test-support")]
    pub test_clock_file: Option<PathBuf>,
    /// Whether passwords are hashed at the smallest cost.
    #[cfg(feature = "test-support")]
    pub test_cheap_hash: bool,
}

/// The set of password and recovery rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// The rules of the portal's guide.
    Portal,
    /// Long passwords without classes, no secret question.
    Modern,
}

/// Who needs a second step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TwoStepRule {
    /// Nobody; it cannot be turned on.
    Off,
    /// Whoever turns it on.
    Optional,
    /// Whoever turns it on, and everybody in the areas that demand it.
    Areas,
    /// Everybody at every sign-in.
    All,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// One readable line per event.
    Text,
    /// One JSON object per event.
    Json,
}

impl Settings {
    /// Whether the base URL can only be opened on this machine.
    #[must_use]
    pub fn base_is_loopback(&self) -> bool {
        is_loopback_url(&self.base_url)
    }

    /// Whether the development inbox answers (TST-2): nothing else takes mail, and both the socket and the base
    /// URL are loopback.
    #[must_use]
    pub fn inbox_is_open(&self) -> bool {
        self.mail == MailRoute::Inbox && self.base_is_loopback() && self.listen.ip().is_loopback()
    }
}

/// Reads all settings and the content files they name.
///
/// `given` is what flags and variables say; the settings file is read here, if it names one.
///
/// # Errors
/// Everything that is wrong, each with its fix.
pub fn load(given: Given) -> Result<(Settings, Content), Problems> {
    let mut problems = Problems::default();
    let given = with_file(given)?;
    let settings = settings(&given, &mut problems);
    let content = Content::read(&given, &mut problems);
    match (settings, content) {
        (Some(settings), Some(content)) if problems.is_empty() => Ok((settings, content)),
        _ => Err(problems),
    }
}

/// The path of the keys file, which alone is needed to look after keys.
///
/// # Errors
/// What is wrong with the settings file, if one is named.
pub fn keys_file(given: Given) -> Result<PathBuf, Problems> {
    Ok(keys_file_of(&with_file(given)?))
}

/// Adds what the settings file says to what flags and variables say.
fn with_file(given: Given) -> Result<Given, Problems> {
    // A blank PORTAL_CONFIG names no file.
    let given = given.or(Given::default());
    match &given.config {
        Some(path) => {
            let file = file::read(Path::new(path))?;
            Ok(given.or(file))
        }
        None => Ok(given),
    }
}

fn keys_file_of(given: &Given) -> PathBuf {
    PathBuf::from(or_default(&given.keys_file, "portal.keys"))
}

/// Reads each setting, then judges those that only make sense together. `None` always goes with a problem.
fn settings(given: &Given, problems: &mut Problems) -> Option<Settings> {
    let listen = or_default(&given.listen, "127.0.0.1:8080").parse::<SocketAddr>();
    let listen = problems.keep(
        "PORTAL_LISTEN",
        listen.map_err(
            |_| "is not a socket address; set it to an IP address and a port, such as 127.0.0.1:8080",
        ),
    );
    let base_url = match (&given.base_url, listen) {
        (Some(typed), _) => problems.keep("PORTAL_BASE_URL", values::base_url(typed)),
        (None, Some(listen)) => {
            problems.keep("PORTAL_BASE_URL", values::base_url(&format!("http://{listen}")))
        }
        (None, None) => None,
    };
    let allowed_hosts = problems.keep(
        "PORTAL_ALLOWED_HOSTS",
        values::list(or_default(&given.allowed_hosts, ""), values::authority),
    );
    let trusted_proxies = problems.keep(
        "PORTAL_TRUSTED_PROXIES",
        values::list(or_default(&given.trusted_proxies, ""), values::proxy),
    );
    let database = or_default(&given.database_url, "sqlite://portal.db");
    let database = problems.keep("PORTAL_DATABASE_URL", values::database(database));
    let migrate = problems.keep(
        "PORTAL_MIGRATE",
        values::yes_or_no(or_default(&given.migrate, "true")),
    );
    let keys_file = keys_file_of(given);
    let (mail, mail_from) = mail(given, base_url.as_ref(), problems);

    let preset = or_default(&given.preset, "portal");
    let preset = problems.keep("PORTAL_PRESET", values::choice(preset, PRESETS));
    let two_step = or_default(&given.two_step, "areas");
    let two_step = problems.keep("PORTAL_TWO_STEP", values::choice(two_step, TWO_STEP_RULES));
    let fallback = or_default(&given.recovery_fallback, "delayed");
    let recovery_fallback = problems.keep(
        "PORTAL_RECOVERY_FALLBACK",
        values::choice(fallback, RECOVERY_FALLBACKS),
    );
    let tell_unknown = problems.keep(
        "PORTAL_TELL_UNKNOWN",
        values::yes_or_no(or_default(&given.tell_unknown, "true")),
    );
    let confirm_email = problems.keep(
        "PORTAL_CONFIRM_EMAIL",
        values::yes_or_no(or_default(&given.confirm_email, "true")),
    );
    let confirm_password = problems.keep(
        "PORTAL_CONFIRM_PASSWORD",
        values::yes_or_no(or_default(&given.confirm_password, "true")),
    );
    let check_answers = problems.keep(
        "PORTAL_CHECK_ANSWERS",
        values::yes_or_no(or_default(&given.check_answers, "false")),
    );
    let own_question = problems.keep(
        "PORTAL_OWN_QUESTION",
        values::yes_or_no(or_default(&given.own_question, "false")),
    );
    let unavailable = or_default(&given.breached_unavailable, "accept");
    let breached_unavailable = problems.keep(
        "PORTAL_BREACHED_UNAVAILABLE",
        values::choice(unavailable, WHEN_UNAVAILABLE),
    );
    let mut duration =
        |setting: &str, typed: &Option<String>, default: &str, least: Duration, most: Duration| {
            problems.keep(setting, values::duration(or_default(typed, default), least, most))
        };
    let link_lifetime = duration(
        "PORTAL_LINK_LIFETIME",
        &given.link_lifetime,
        "12h",
        MINUTE.saturating_mul(15),
        DAY,
    );
    let ten_minutes = MINUTE.saturating_mul(10);
    let code_lifetime = duration(
        "PORTAL_CODE_LIFETIME",
        &given.code_lifetime,
        "10m",
        MINUTE,
        ten_minutes,
    );
    let idle_timeout = duration("PORTAL_IDLE_TIMEOUT", &given.idle_timeout, "30m", SECOND, LONGEST);
    let session_lifetime = duration(
        "PORTAL_SESSION_LIFETIME",
        &given.session_lifetime,
        "12h",
        SECOND,
        LONGEST,
    );
    let answer_step = duration(
        "PORTAL_ANSWER_STEP",
        &given.answer_step,
        "100ms",
        Duration::ZERO,
        SECOND.saturating_mul(2),
    );
    if let (Some(idle), Some(whole)) = (idle_timeout, session_lifetime)
        && idle > whole
    {
        problems.add(
            "PORTAL_IDLE_TIMEOUT",
            format_args!(
                "is longer than PORTAL_SESSION_LIFETIME; set it to {} or less",
                humantime::format_duration(whole)
            ),
        );
    }
    let code_digits = problems.keep(
        "PORTAL_CODE_DIGITS",
        values::number(or_default(&given.code_digits, "6"), 6, 10),
    );
    let new_device_mail = problems.keep(
        "PORTAL_NEW_DEVICE_MAIL",
        values::yes_or_no(or_default(&given.new_device_mail, "false")),
    );
    let workers = given.workers.as_ref().map(|typed| values::number(typed, 1, 256));
    let workers = workers
        .and_then(|read| problems.keep("PORTAL_WORKERS", read))
        .and_then(NonZeroUsize::new);
    let service_name = or_default(&given.service_name, "Professional Portal");
    let service_name = problems.keep("PORTAL_SERVICE_NAME", values::service_name(service_name));
    let help_email = given.help_email.as_deref().map(values::email);
    let help_email = help_email.and_then(|read| problems.keep("PORTAL_HELP_EMAIL", read));
    let time_zone_name = or_default(&given.time_zone, "Europe/London").to_owned();
    let time_zone = problems.keep(
        "PORTAL_TIME_ZONE",
        TimeZone::get(&time_zone_name).map_err(|_| {
            format!("is `{time_zone_name}`, which is no known time zone; set it to one like Europe/London")
        }),
    );
    let admins = problems.keep(
        "PORTAL_ADMINS",
        values::list(or_default(&given.admins, ""), values::email),
    );
    let metrics_from = or_default(&given.metrics_from, "loopback");
    let metrics_from = problems.keep("PORTAL_METRICS_FROM", values::metrics_peers(metrics_from));
    let log_format = or_default(&given.log_format, "text");
    let log_format = problems.keep("PORTAL_LOG_FORMAT", values::choice(log_format, LOG_FORMATS));
    let log_filter = or_default(&given.rust_log, "info").to_owned();
    let readable = EnvFilter::builder().parse(&log_filter).map(|_| ());
    let log_readable = problems.keep(
        "RUST_LOG",
        readable.map_err(|e| {
            format!("cannot be read ({e}); set it to a level such as info, or to target=level pairs")
        }),
    );
    #[cfg(feature = "test-support")]
    let cheap_hash = or_default(&given.test_cheap_hash, "false");
    #[cfg(feature = "test-support")]
    let cheap_hash = problems.keep("PORTAL_TEST_CHEAP_HASH", values::yes_or_no(cheap_hash));

    log_readable?;
    Some(Settings {
        listen: listen?,
        base_url: base_url?,
        allowed_hosts: allowed_hosts?,
        trusted_proxies: trusted_proxies?,
        database: database?,
        migrate: migrate?,
        keys_file,
        mail: mail?,
        mail_from: mail_from?,
        preset: preset?,
        two_step: two_step?,
        recovery_fallback: recovery_fallback?,
        tell_unknown: tell_unknown?,
        confirm_email: confirm_email?,
        confirm_password: confirm_password?,
        check_answers: check_answers?,
        own_question: own_question?,
        link_lifetime: link_lifetime?,
        code_lifetime: code_lifetime?,
        code_digits: code_digits.and_then(|n| u8::try_from(n).ok())?,
        idle_timeout: idle_timeout?,
        session_lifetime: session_lifetime?,
        new_device_mail: new_device_mail?,
        answer_step: answer_step?,
        workers,
        service_name: service_name?,
        help_email,
        time_zone_name,
        time_zone: time_zone?,
        admins: admins?,
        breached_passwords: given.breached_passwords.as_ref().map(PathBuf::from),
        breached_unavailable: breached_unavailable?,
        metrics_from: metrics_from?,
        log_format: log_format?,
        log_filter,
        #[cfg(feature = "test-support")]
        test_clock_file: given.test_clock_file.as_ref().map(PathBuf::from),
        #[cfg(feature = "test-support")]
        test_cheap_hash: cheap_hash?,
    })
}

/// Where mail goes and who it is from; CFG-3 and MAIL-4.
fn mail(
    given: &Given,
    base: Option<&Url>,
    problems: &mut Problems,
) -> (Option<MailRoute>, Option<EmailAddress>) {
    let smtp = given
        .smtp_url
        .as_deref()
        .map(|typed| problems.keep("PORTAL_SMTP_URL", mail::smtp(typed)));
    let ca_file = given
        .smtp_ca_file
        .as_deref()
        .and_then(|typed| problems.keep("PORTAL_SMTP_CA_FILE", mail::ca_file(typed)));
    let from = given
        .mail_from
        .as_deref()
        .map(|typed| problems.keep("PORTAL_MAIL_FROM", values::email(typed)));
    let plaintext = or_default(&given.dangerous_smtp_plaintext, "false");
    let plaintext = problems.keep("PORTAL_DANGEROUS_SMTP_PLAINTEXT", values::yes_or_no(plaintext));
    let directory = given
        .mail_dir
        .as_deref()
        .map(|typed| problems.keep("PORTAL_MAIL_DIR", mail::directory(typed)));

    if ca_file.is_some() && smtp.is_none() {
        problems.add(
            "PORTAL_SMTP_CA_FILE",
            "has no effect without PORTAL_SMTP_URL; set that too, or unset this",
        );
    }
    let public = base.is_some_and(|url| !is_loopback_url(url));
    let route = match (smtp, directory) {
        (Some(_), Some(_)) => {
            problems.add(
                "PORTAL_MAIL_DIR",
                "is set beside PORTAL_SMTP_URL; unset one of them",
            );
            None
        }
        (Some(server), None) => {
            if from.is_none() {
                problems.add(
                    "PORTAL_MAIL_FROM",
                    "is not set; set it to the address that mails come from",
                );
            }
            let server = server.map(|server| SmtpServer { ca_file, ..server });
            match (server, plaintext) {
                (Some(server), Some(true)) if server.security == SmtpSecurity::StartTls => {
                    problems.keep("PORTAL_DANGEROUS_SMTP_PLAINTEXT", mail::without_tls(server))
                }
                (server, _) => server,
            }
            .map(MailRoute::Smtp)
        }
        (None, Some(_)) if public => {
            problems.add(
                "PORTAL_MAIL_DIR",
                "sends no mail, and the base URL is public; unset it and set PORTAL_SMTP_URL",
            );
            None
        }
        (None, Some(directory)) => directory.map(MailRoute::Directory),
        (None, None) if public => {
            problems.add("PORTAL_SMTP_URL", "is not set, and the base URL is public; set it to your mail server, such as smtps://user:pass@host:465");
            None
        }
        (None, None) => Some(MailRoute::Inbox),
    };
    (route, from.unwrap_or_else(mail::inbox_sender))
}

fn is_loopback_url(url: &Url) -> bool {
    url.host().is_some_and(|host| values::is_loopback(&host))
}

fn or_default<'a>(typed: &'a Option<String>, default: &'a str) -> &'a str {
    typed.as_deref().unwrap_or(default).trim()
}

const PRESETS: &[(&str, Preset)] = &[("portal", Preset::Portal), ("modern", Preset::Modern)];
const WHEN_UNAVAILABLE: &[(&str, WhenUnavailable)] = &[
    ("accept", WhenUnavailable::Accept),
    ("refuse", WhenUnavailable::Refuse),
];
const TWO_STEP_RULES: &[(&str, TwoStepRule)] = &[
    ("off", TwoStepRule::Off),
    ("optional", TwoStepRule::Optional),
    ("areas", TwoStepRule::Areas),
    ("all", TwoStepRule::All),
];
const RECOVERY_FALLBACKS: &[(&str, RecoveryFallback)] = &[
    ("delayed", RecoveryFallback::Delayed),
    ("administrator", RecoveryFallback::Administrator),
    ("none", RecoveryFallback::None),
];
const LOG_FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// CLK-3.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

#[cfg(test)]
mod tests;
