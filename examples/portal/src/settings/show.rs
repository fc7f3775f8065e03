//! The settings as an operator may read them, without any secret.

use portal_auth::password::breached::WhenUnavailable;

use super::{DatabaseUrl, LogFormat, MailRoute, Preset, Settings, SmtpSecurity, TwoStepRule};

impl Settings {
    /// Each setting that decides how the portal behaves, as name and value. Passwords are left out.
    #[must_use]
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let duration = |d| humantime::format_duration(d).to_string();
        let mail = match &self.mail {
            MailRoute::Inbox => "the development inbox".to_owned(),
            MailRoute::Directory(path) => format!("files in {}", path.display()),
            MailRoute::Smtp(server) => {
                let how = match server.security {
                    SmtpSecurity::ImplicitTls => "TLS",
                    SmtpSecurity::StartTls => "STARTTLS",
                    SmtpSecurity::DangerousPlaintext => "no TLS",
                };
                format!("{} port {} ({how})", server.host, server.port)
            }
        };
        let database = match self.database {
            DatabaseUrl::Sqlite(_) => "SQLite",
            DatabaseUrl::Postgres(_) => "PostgreSQL",
        };
        let preset = match self.preset {
            Preset::Portal => "portal",
            Preset::Modern => "modern",
        };
        let two_step = match self.two_step {
            TwoStepRule::Off => "off",
            TwoStepRule::Optional => "optional",
            TwoStepRule::Areas => "areas",
            TwoStepRule::All => "all",
        };
        let log_format = match self.log_format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        let breached = self.breached_passwords.as_ref().map_or_else(
            || "no list".to_owned(),
            |path| {
                let otherwise = match self.breached_unavailable {
                    WhenUnavailable::Accept => "accept",
                    WhenUnavailable::Refuse => "refuse",
                };
                format!("{} ({otherwise} while it cannot be read)", path.display())
            },
        );
        vec![
            ("listen", self.listen.to_string()),
            ("base URL", self.base_url.to_string()),
            ("database", database.to_owned()),
            ("keys file", self.keys_file.display().to_string()),
            ("mail", mail),
            ("preset", preset.to_owned()),
            ("two step", two_step.to_owned()),
            ("link lifetime", duration(self.link_lifetime)),
            ("code lifetime", duration(self.code_lifetime)),
            ("code digits", self.code_digits.to_string()),
            ("idle timeout", duration(self.idle_timeout)),
            ("session lifetime", duration(self.session_lifetime)),
            ("service name", self.service_name.clone()),
            ("time zone", self.time_zone_name.clone()),
            ("breached passwords", breached),
            ("administrators", self.admins.len().to_string()),
            ("log format", log_format.to_owned()),
        ]
    }
}
