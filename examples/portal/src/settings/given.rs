//! Every setting as it was typed: a flag, a variable of the same name, or a key of the file. Nothing is judged here.

use std::fmt;

/// Declares [`Given`] from one line per setting, so that flag, variable, key, default and help cannot drift apart.
macro_rules! settings {
    ($( $(#[cfg($when:meta)])? $key:ident $variable:literal <$value:literal> [$default:literal] $help:literal; )+) => {
        /// The settings as somebody typed them; `None` where nobody did.
        #[derive(Clone, Default, clap::Args)]
        #[command(next_help_heading = "Settings (flag, else variable, else key of the file, else default)")]
        #[non_exhaustive]
        pub struct Given {
            $(
                $(#[cfg($when)])?
                #[doc = concat!("What `", $variable, "` says.")]
                // A value may hold a password, so the help must not show what the environment says.
                #[arg(long, global = true, env = $variable, hide_env_values = true, value_name = $value)]
                #[arg(help = concat!($help, " [default: ", $default, "]"))]
                pub $key: Option<String>,
            )+
        }

        impl Given {
            /// The settings, each with its key, its variable, its default and its meaning.
            pub const ALL: &'static [Described] = &[
                $( $(#[cfg($when)])? Described {
                    key: stringify!($key), variable: $variable, default: $default, meaning: $help,
                }, )+
            ];

            /// What was typed for the setting `key`, if there is such a setting.
            pub fn slot(&mut self, key: &str) -> Option<&mut Option<String>> {
                match key {
                    $( $(#[cfg($when)])? stringify!($key) => Some(&mut self.$key), )+
                    _ => None,
                }
            }

            /// Takes from `other` what is not set here. An empty value counts as not set.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $( $(#[cfg($when)])? $key: typed(self.$key).or_else(|| typed(other.$key)), )+ }
            }
        }
    };
}

/// One setting for the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Described {
    /// The key in the file; in kebab case, the flag.
    pub key: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// The default, or `none`.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

settings! {
    config "PORTAL_CONFIG" <"FILE"> ["none"] "TOML file with settings; a key is a variable's name in lower case without PORTAL_";
    listen "PORTAL_LISTEN" <"ADDRESS:PORT"> ["127.0.0.1:8080"] "Socket to listen on";
    base_url "PORTAL_BASE_URL" <"URL"> ["http://<listen>"] "Public URL of the portal, used in every link; https unless its host is loopback";
    allowed_hosts "PORTAL_ALLOWED_HOSTS" <"HOSTS"> ["none"] "Further Host values to answer to, besides the base URL's";
    trusted_proxies "PORTAL_TRUSTED_PROXIES" <"CIDRS"> ["none"] "Proxies whose forwarding headers count";
    database_url "PORTAL_DATABASE_URL" <"URL"> ["sqlite://portal.db"] "postgres://user:pass@host/database or sqlite://file, which is made if missing";
    migrate "PORTAL_MIGRATE" <"BOOL"> ["true"] "Whether serve applies pending migrations first; with false it refuses to start on an older schema";
    keys_file "PORTAL_KEYS_FILE" <"FILE"> ["portal.keys"] "The keyring; made on first start where the base URL is loopback, else by keys generate";
    smtp_url "PORTAL_SMTP_URL" <"URL"> ["none"] "smtps://user:pass@host:465 (TLS from the start) or smtp://user:pass@host:587 (STARTTLS required)";
    smtp_ca_file "PORTAL_SMTP_CA_FILE" <"FILE"> ["none"] "Further certificate authorities (PEM) the SMTP server may be signed by";
    mail_from "PORTAL_MAIL_FROM" <"EMAIL"> ["none"] "Address that mails come from; required with PORTAL_SMTP_URL";
    dangerous_smtp_plaintext "PORTAL_DANGEROUS_SMTP_PLAINTEXT" <"BOOL"> ["false"] "Sends mail without TLS; to a loopback server only";
    mail_dir "PORTAL_MAIL_DIR" <"DIRECTORY"> ["none"] "Writes each mail as a file here instead of sending it; where the base URL is loopback only";
    preset "PORTAL_PRESET" <"PRESET"> ["portal"] "Password and recovery rules: portal or modern";
    two_step "PORTAL_TWO_STEP" <"WHEN"> ["areas"] "Who needs a second step: off, optional, areas or all";
    recovery_fallback "PORTAL_RECOVERY_FALLBACK" <"WHAT"> ["delayed"] "What there is for people who cannot answer their Secret Question: delayed, administrator or none";
    tell_unknown "PORTAL_TELL_UNKNOWN" <"BOOL"> ["true"] "Whether an address without an account is told so by email when a reset is asked for it";
    confirm_email "PORTAL_CONFIRM_EMAIL" <"BOOL"> ["true"] "Whether the registration asks for the email address a second time";
    confirm_password "PORTAL_CONFIRM_PASSWORD" <"BOOL"> ["true"] "Whether the registration asks for the password a second time";
    check_answers "PORTAL_CHECK_ANSWERS" <"BOOL"> ["false"] "Whether the registration shows all answers once more before it is sent off";
    own_question "PORTAL_OWN_QUESTION" <"BOOL"> ["false"] "Whether people may make up a Secret Question of their own";
    link_lifetime "PORTAL_LINK_LIFETIME" <"DURATION"> ["12h"] "How long an activation link works, 15m to 24h";
    code_lifetime "PORTAL_CODE_LIFETIME" <"DURATION"> ["10m"] "How long an emailed code works, at most 10m";
    code_digits "PORTAL_CODE_DIGITS" <"NUMBER"> ["6"] "Digits of an emailed code, 6 to 10";
    idle_timeout "PORTAL_IDLE_TIMEOUT" <"DURATION"> ["30m"] "How long a session lives without activity";
    session_lifetime "PORTAL_SESSION_LIFETIME" <"DURATION"> ["12h"] "How long a session lives at most";
    new_device_mail "PORTAL_NEW_DEVICE_MAIL" <"BOOL"> ["false"] "Whether people get an email when somebody logs in to their account in a browser not seen there before";
    answer_step "PORTAL_ANSWER_STEP" <"DURATION"> ["100ms"] "Answers that might tell by their time who has an account come in whole steps of this, 0s to 2s; 0s answers at once";
    workers "PORTAL_WORKERS" <"NUMBER"> ["one per core"] "How many passwords are hashed at the same time";
    service_name "PORTAL_SERVICE_NAME" <"NAME"> ["Professional Portal"] "Name of the service on pages and in mails";
    help_email "PORTAL_HELP_EMAIL" <"EMAIL"> ["none"] "Where people ask for help";
    time_zone "PORTAL_TIME_ZONE" <"ZONE"> ["Europe/London"] "Time zone of the times on pages and in mails";
    admins "PORTAL_ADMINS" <"EMAILS"> ["none"] "Addresses of administrators";
    home_file "PORTAL_HOME_FILE" <"FILE"> ["built-in sample"] "Front page in Markdown";
    roles_file "PORTAL_ROLES_FILE" <"FILE"> ["built-in sample"] "Professional roles, one a line, aliases after |";
    questions_file "PORTAL_QUESTIONS_FILE" <"FILE"> ["built-in sample"] "Secret questions, one a line: id, tab, text";
    context_words_file "PORTAL_CONTEXT_WORDS_FILE" <"FILE"> ["built-in sample"] "Words that no password may contain, one a line";
    breached_passwords "PORTAL_BREACHED_PASSWORDS" <"PATH"> ["none"] "List of breached passwords of Have I Been Pwned: the file sorted by hash, or the folder of ranges";
    breached_unavailable "PORTAL_BREACHED_UNAVAILABLE" <"WHAT"> ["accept"] "What becomes of a new password while that list cannot be read: accept or refuse";
    address_file "PORTAL_ADDRESS_FILE" <"FILE"> ["built-in sample"] "Addresses for Find Address: UTF-8 CSV with the header postcode,organisation,line1,line2,town,county";
    metrics_from "PORTAL_METRICS_FROM" <"CIDRS"> ["loopback"] "Clients that may read /metrics, by the rules for trusted proxies; others get 404";
    log_format "PORTAL_LOG_FORMAT" <"FORMAT"> ["text"] "text or json";
    rust_log "RUST_LOG" <"FILTER"> ["info"] "What is logged, such as info or portal=debug";
    #[cfg(feature = "test-support")]
    test_clock_file "PORTAL_TEST_CLOCK_FILE" <"FILE"> ["none"] "Test builds only: file holding the time as Unix microseconds";
    #[cfg(feature = "test-support")]
    test_cheap_hash "PORTAL_TEST_CHEAP_HASH" <"BOOL"> ["false"] "Test builds only: hashes at the smallest cost";
}

impl fmt::Debug for Given {
    /// Names what was given and shows no value, since some hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut given = self.clone();
        let names = Self::ALL
            .iter()
            .filter(|setting| given.slot(setting.key).is_some_and(|slot| slot.is_some()))
            .map(|setting| setting.variable);
        f.debug_set().entries(names).finish()
    }
}

/// What was typed, unless it is blank: compose files like to pass on unset variables as empty ones.
fn typed(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_first_wins_and_blanks_do_not_count() {
        let flag = Given {
            preset: Some("modern".into()),
            listen: Some("  ".into()),
            ..Given::default()
        };
        let file = Given {
            preset: Some("portal".into()),
            listen: Some("127.0.0.1:9".into()),
            ..Given::default()
        };
        let both = flag.or(file);
        assert_eq!(both.preset.as_deref(), Some("modern"));
        assert_eq!(both.listen.as_deref(), Some("127.0.0.1:9"));
    }

    #[test]
    fn a_key_is_the_variable_in_lower_case_without_its_prefix() {
        for setting in Given::ALL {
            let name = setting
                .variable
                .strip_prefix("PORTAL_")
                .unwrap_or(setting.variable);
            assert_eq!(setting.key, name.to_lowercase());
        }
    }

    #[test]
    fn debug_output_shows_no_value() {
        let given = Given {
            smtp_url: Some("smtps://u:hunter2@h".into()),
            ..Given::default()
        };
        assert_eq!(format!("{given:?}"), r#"{"PORTAL_SMTP_URL"}"#);
    }
}
