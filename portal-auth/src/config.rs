//! Every number and switch, with its unit, its range and where it comes from.
//!
//! Two presets: [`Config::portal`] follows the user guide of the portal this crate grew from, [`Config::modern`]
//! follows ASVS 5.0 and NIST SP 800-63B-4. All fields are public; [`Config::check`] refuses contradictions and
//! everything unsafe, all problems at once, and [`PortalAuth::build`](crate::PortalAuth::build) calls it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::account::profile::{ProfileSchema, Sections};
use crate::account::security_question::Questions;
use crate::page_paths::PagePaths;
use crate::password::argon2id::Engine;
use crate::password::hash::HashParams;
use crate::password::policy::PasswordPolicy;
use crate::throttle::Ladder;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// When a mailed code is asked for besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every gate must say what it means for each policy"
)]
pub enum TwoStepPolicy {
    /// Never; the setting is not offered.
    Off,
    /// Where the owner turned it on; no area demands it.
    Optional,
    /// Where the owner turned it on, and areas may demand it.
    RequiredForAreas,
    /// At every sign-in of everybody.
    RequiredForAll,
}

/// Whether a registration asks a secret question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a switch")]
pub enum SecretQuestion {
    /// It does; an answer alone still never changes anything.
    Required,
    /// It does not, as ASVS 6.4.2 demands.
    Off,
}

/// Registration and activation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegistrationConfig {
    /// How long a link works: 12 h, from 15 min to 24 h. Links already out keep theirs.
    pub link_lifetime: Duration,
    /// How long an expired registration waits for "send a new link": 24 h.
    pub kept_after_expiry: Duration,
    /// How long a draft lives after its last saved step: 2 h (REG-1).
    pub draft_lifetime: Duration,
    /// Wrong passwords after which a link dies: 5 (ACT-2).
    pub wrong_passwords: u32,
    /// How long to wait before the link is sent again: 60 s.
    pub resend_pause: Duration,
    /// Whether a secret question is asked.
    pub secret_question: SecretQuestion,
    /// The questions to choose from.
    pub questions: Questions,
    /// What is asked about the person.
    pub profile: Arc<dyn ProfileSchema>,
}

/// Passwords and their hashes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PasswordConfig {
    /// What is demanded of a new one.
    pub policy: PasswordPolicy,
    /// What hashing costs (HASH-1).
    pub hash: HashParams,
    /// Whether passwords are peppered; secret answers always are (HASH-5).
    pub pepper: bool,
    /// Hashing threads; `None` means one a core, as far as 512 MiB reach.
    pub workers: Option<usize>,
    /// Who computes the hashes; the choice changes nothing but the speed.
    pub engine: Engine,
}

/// Emailed codes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CodeConfig {
    /// Digits: 6, from 6 to 10 (ASVS 6.5.4).
    pub digits: u8,
    /// How long a code works: 10 min, at most 10 min (ASVS 6.5.5).
    pub lifetime: Duration,
    /// How long a half-done sign-in lives: 20 min (OTP-7).
    pub challenge_lifetime: Duration,
    /// Wrong codes for one half-done sign-in: 5 (OTP-6).
    pub tries: u32,
    /// Wrong codes in a row over everything, until the password is reset: 10 (OTP-6).
    pub failures_in_a_row: u32,
    /// How long to wait before a code is sent again: 60 s.
    pub resend_pause: Duration,
    /// Mails for one half-done sign-in: 3.
    pub mails: u32,
    /// Half-done sign-ins of one account at a time: 5.
    pub live: u32,
    /// Code mails to one account in an hour: 10.
    pub mails_an_hour: u32,
    /// Code mails to one account in a day: 20.
    pub mails_a_day: u32,
}

/// Sessions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionConfig {
    /// A session dies after so long without activity: 30 min (SES-3).
    pub idle: Duration,
    /// A session dies so long after sign-in, whatever its activity: 12 h (SES-3).
    pub absolute: Duration,
    /// Sessions of one account at a time; the oldest ends: 10 (SES-8).
    pub most: u32,
    /// How old a proof may be where one is asked for: 5 min (STP-3).
    pub confirm_age: Duration,
    /// A last-seen stamp this old is written at once; a younger one when it gets this old: 60 s.
    pub touch_after: Duration,
}

/// Guessing limits.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GuessingConfig {
    /// How waits grow for an address and for a familiar device (THR-3).
    pub ladder: Ladder,
    /// Failures that close a network within [`network_window`](Self::network_window): 100.
    pub network_failures: u32,
    /// The window of [`network_failures`](Self::network_failures): 1 h.
    pub network_window: Duration,
    /// Familiar devices of one account; the one used longest ago goes: 10.
    pub devices: u32,
}

/// How much mail an outsider can cause (MAIL-5).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MailConfig {
    /// `(how many, within)` for one address: 1 in 60 s, 5 in 1 h, 10 in 24 h.
    pub per_address: Vec<(u32, Duration)>,
    /// `(how many, within)` for one network: 20 in 1 h.
    pub per_network: Vec<(u32, Duration)>,
    /// Over everybody in an hour: 2,000.
    pub an_hour_over_all: u32,
    /// How long a sent or dead mail's row is kept: 7 days.
    pub kept: Duration,
}

/// Every number and switch of the crate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// What links in mails begin with: `https`, or `http` on loopback. Never taken from a request (CFG-2).
    pub base_url: Url,
    /// The service's name in mails, and barred from passwords.
    pub service_name: String,
    /// Where people get help; also the `Reply-To` of mails.
    pub help_email: Option<String>,
    /// The time zone of times in mails, such as `Europe/London`.
    pub time_zone: String,
    /// Where the pages are that mails lead to.
    pub paths: PagePaths,
    /// When a mailed code is asked for.
    pub two_step: TwoStepPolicy,
    /// Registration and activation.
    pub registration: RegistrationConfig,
    /// Passwords.
    pub passwords: PasswordConfig,
    /// Emailed codes.
    pub codes: CodeConfig,
    /// Sessions.
    pub sessions: SessionConfig,
    /// Guessing limits.
    pub guessing: GuessingConfig,
    /// Mail.
    pub mail: MailConfig,
    /// A row from further in the future than this is not believed: 120 s (CLK-2).
    pub clock_skew: Duration,
    /// How long used and expired links are remembered: 30 days.
    pub links_kept: Duration,
    /// How long a device that is not used stays familiar: 180 days.
    pub devices_kept: Duration,
}

impl Config {
    /// The rules of the portal's user guide: composition rules for passwords and a secret question, which ASVS 6.2.5
    /// and 6.4.2 do not want.
    #[must_use]
    pub fn portal(base_url: Url) -> Self {
        let policy = PasswordPolicy::portal();
        Self::with(base_url, policy, SecretQuestion::Required)
    }

    /// The rules of ASVS 5.0 and SP 800-63B-4: 15 characters, a block list, no composition rules, no secret question.
    #[must_use]
    pub fn modern(base_url: Url) -> Self {
        let policy = PasswordPolicy::modern();
        Self::with(base_url, policy, SecretQuestion::Off)
    }

    fn with(base_url: Url, policy: PasswordPolicy, secret_question: SecretQuestion) -> Self {
        Self {
            base_url,
            service_name: "Professional Portal".into(),
            help_email: None,
            time_zone: "Europe/London".into(),
            paths: PagePaths::default(),
            two_step: TwoStepPolicy::RequiredForAreas,
            registration: RegistrationConfig {
                link_lifetime: HOUR.saturating_mul(12),
                kept_after_expiry: DAY,
                draft_lifetime: HOUR.saturating_mul(2),
                wrong_passwords: 5,
                resend_pause: MINUTE,
                secret_question,
                questions: Questions::built_in(),
                profile: Arc::new(Sections::<()>::new(1)),
            },
            passwords: PasswordConfig {
                policy,
                hash: HashParams::DEFAULT,
                pepper: false,
                workers: None,
                engine: Engine::RustCrypto,
            },
            codes: CodeConfig {
                digits: 6,
                lifetime: MINUTE.saturating_mul(10),
                challenge_lifetime: MINUTE.saturating_mul(20),
                tries: 5,
                failures_in_a_row: 10,
                resend_pause: MINUTE,
                mails: 3,
                live: 5,
                mails_an_hour: 10,
                mails_a_day: 20,
            },
            sessions: SessionConfig {
                idle: MINUTE.saturating_mul(30),
                absolute: HOUR.saturating_mul(12),
                most: 10,
                confirm_age: MINUTE.saturating_mul(5),
                touch_after: MINUTE,
            },
            guessing: GuessingConfig {
                ladder: Ladder::DEFAULT,
                network_failures: 100,
                network_window: HOUR,
                devices: 10,
            },
            mail: MailConfig {
                per_address: vec![(1, MINUTE), (5, HOUR), (10, DAY)],
                per_network: vec![(20, HOUR)],
                an_hour_over_all: 2_000,
                kept: DAY.saturating_mul(7),
            },
            clock_skew: Duration::from_secs(120),
            links_kept: DAY.saturating_mul(30),
            devices_kept: DAY.saturating_mul(180),
        }
    }

    /// Checks every number and every combination.
    ///
    /// # Errors
    /// All problems at once, each naming the setting and what it may be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Problems(Vec::new());
        self.check_base(&mut problems);
        self.check_lifetimes(&mut problems);
        self.check_codes(&mut problems);
        self.check_limits(&mut problems);
        if problems.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { problems: problems.0 })
        }
    }

    fn check_base(&self, problems: &mut Problems) {
        let loopback = is_loopback(&self.base_url);
        let sound = match self.base_url.scheme() {
            "https" => true,
            "http" => loopback,
            _ => false,
        };
        problems.unless(
            sound,
            "base_url",
            "must begin with https, or with http where its host is loopback",
        );
        let plain = self.base_url.username().is_empty()
            && self.base_url.password().is_none()
            && self.base_url.query().is_none()
            && self.base_url.fragment().is_none()
            && self.base_url.path() == "/";
        problems.unless(
            plain,
            "base_url",
            "must be a scheme, a host and at most a port, such as https://portal.example",
        );
        let name = self.service_name.trim();
        problems.unless(
            !name.is_empty() && name.chars().count() <= 60 && !name.chars().any(char::is_control),
            "service_name",
            "must be 1 to 60 characters without control characters",
        );
        problems.unless(
            jiff::tz::TimeZone::get(&self.time_zone).is_ok(),
            "time_zone",
            "must be an IANA time zone such as Europe/London",
        );
        problems.unless(
            self.paths.are_plain(),
            "paths",
            "must each begin with one / and hold only letters, digits and /-._~",
        );
        if let Err(e) = self.passwords.hash.check() {
            problems.0.push(ConfigProblem {
                setting: "passwords.hash",
                sentence: e.to_string(),
            });
        }
        problems.unless(
            self.passwords.workers != Some(0),
            "passwords.workers",
            "must be at least 1",
        );
        let asked = self.registration.secret_question == SecretQuestion::Required;
        problems.unless(
            !asked || self.registration.questions.iter().next().is_some(),
            "registration.questions",
            "must hold at least one question, or the secret question must be off",
        );
    }

    fn check_lifetimes(&self, problems: &mut Problems) {
        let r = &self.registration;
        problems.within(
            r.link_lifetime,
            MINUTE.saturating_mul(15),
            DAY,
            "registration.link_lifetime",
            "15 minutes to 24 hours",
        );
        problems.within(
            r.kept_after_expiry,
            MINUTE,
            DAY.saturating_mul(30),
            "registration.kept_after_expiry",
            "1 minute to 30 days",
        );
        problems.within(
            r.draft_lifetime,
            MINUTE,
            DAY,
            "registration.draft_lifetime",
            "1 minute to 24 hours",
        );
        problems.within(
            r.resend_pause,
            Duration::from_secs(1),
            HOUR,
            "registration.resend_pause",
            "1 second to 1 hour",
        );
        let s = &self.sessions;
        problems.within(
            s.absolute,
            MINUTE,
            DAY.saturating_mul(30),
            "sessions.absolute",
            "1 minute to 30 days",
        );
        problems.within(s.idle, MINUTE, DAY, "sessions.idle", "1 minute to 24 hours");
        problems.unless(
            s.idle <= s.absolute,
            "sessions.idle",
            "must not be longer than sessions.absolute",
        );
        problems.within(
            s.confirm_age,
            MINUTE,
            HOUR,
            "sessions.confirm_age",
            "1 minute to 1 hour",
        );
        problems.within(
            s.touch_after,
            Duration::from_secs(1),
            MINUTE,
            "sessions.touch_after",
            "1 second to 1 minute",
        );
        problems.unless(
            s.touch_after < s.idle,
            "sessions.touch_after",
            "must be shorter than sessions.idle",
        );
        problems.within(
            self.clock_skew,
            Duration::from_secs(1),
            HOUR,
            "clock_skew",
            "1 second to 1 hour",
        );
        let longest = DAY.saturating_mul(400);
        problems.within(self.links_kept, DAY, longest, "links_kept", "1 to 400 days");
        problems.within(self.devices_kept, DAY, longest, "devices_kept", "1 to 400 days");
        problems.within(self.mail.kept, HOUR, longest, "mail.kept", "1 hour to 400 days");
    }

    fn check_codes(&self, problems: &mut Problems) {
        let c = &self.codes;
        problems.unless((6..=10).contains(&c.digits), "codes.digits", "must be 6 to 10");
        problems.within(
            c.lifetime,
            MINUTE,
            MINUTE.saturating_mul(10),
            "codes.lifetime",
            "1 to 10 minutes (ASVS 6.5.5)",
        );
        problems.within(
            c.challenge_lifetime,
            MINUTE,
            HOUR,
            "codes.challenge_lifetime",
            "1 minute to 1 hour",
        );
        problems.unless(
            c.lifetime <= c.challenge_lifetime,
            "codes.lifetime",
            "must not be longer than codes.challenge_lifetime",
        );
        problems.within(
            c.resend_pause,
            Duration::from_secs(1),
            MINUTE.saturating_mul(10),
            "codes.resend_pause",
            "1 second to 10 minutes",
        );
        problems.unless((1..=10).contains(&c.tries), "codes.tries", "must be 1 to 10");
        problems.unless(
            (1..=100).contains(&c.failures_in_a_row),
            "codes.failures_in_a_row",
            "must be 1 to 100",
        );
        problems.unless((1..=10).contains(&c.mails), "codes.mails", "must be 1 to 10");
        problems.unless((1..=20).contains(&c.live), "codes.live", "must be 1 to 20");
        problems.unless(c.mails_an_hour >= 1, "codes.mails_an_hour", "must be at least 1");
        problems.unless(
            c.mails_a_day >= c.mails_an_hour,
            "codes.mails_a_day",
            "must not be below codes.mails_an_hour",
        );
    }

    fn check_limits(&self, problems: &mut Problems) {
        let l = &self.guessing.ladder;
        problems.unless(
            l.cap > l.free,
            "guessing.ladder.cap",
            "must be above guessing.ladder.free",
        );
        problems.unless(
            l.cap <= 100,
            "guessing.ladder.cap",
            "must not be above 100 (SP 800-63B)",
        );
        problems.unless(l.hashes >= 1, "guessing.ladder.hashes", "must be at least 1");
        problems.unless(
            l.first_wait >= Duration::from_secs(1) && l.first_wait <= l.longest_wait,
            "guessing.ladder.first_wait",
            "must be 1 second to guessing.ladder.longest_wait",
        );
        problems.within(
            l.longest_wait,
            MINUTE,
            HOUR,
            "guessing.ladder.longest_wait",
            "1 minute to 1 hour",
        );
        problems.within(
            l.quiet,
            HOUR,
            DAY.saturating_mul(30),
            "guessing.ladder.quiet",
            "1 hour to 30 days",
        );
        problems.within(
            l.hash_window,
            MINUTE,
            HOUR,
            "guessing.ladder.hash_window",
            "1 minute to 1 hour",
        );
        problems.unless(
            self.guessing.network_failures >= 1,
            "guessing.network_failures",
            "must be at least 1",
        );
        problems.within(
            self.guessing.network_window,
            MINUTE,
            HOUR,
            "guessing.network_window",
            "1 minute to 1 hour",
        );
        // A wait beyond the longest one counts as over (CLK-4), so a longer window would never close a network.
        problems.unless(
            self.guessing.network_window <= l.longest_wait,
            "guessing.network_window",
            "must not be longer than guessing.ladder.longest_wait",
        );
        problems.unless(
            (1..=100).contains(&self.guessing.devices),
            "guessing.devices",
            "must be 1 to 100",
        );
        problems.unless(
            (1..=100).contains(&self.sessions.most),
            "sessions.most",
            "must be 1 to 100",
        );
        problems.unless(
            (1..=20).contains(&self.registration.wrong_passwords),
            "registration.wrong_passwords",
            "must be 1 to 20",
        );
        for (setting, lines) in [
            ("mail.per_address", &self.mail.per_address),
            ("mail.per_network", &self.mail.per_network),
        ] {
            let sound = !lines.is_empty()
                && lines.iter().all(|(n, within)| {
                    (1..=1000).contains(n) && *within >= Duration::from_secs(1) && *within <= DAY
                });
            problems.unless(
                sound,
                setting,
                "must hold counts of 1 to 1000 within 1 second to 24 hours",
            );
        }
        problems.unless(
            self.mail.an_hour_over_all >= 1,
            "mail.an_hour_over_all",
            "must be at least 1",
        );
    }
}

/// Whether a URL's host is this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

struct Problems(Vec<ConfigProblem>);

impl Problems {
    fn unless(&mut self, sound: bool, setting: &'static str, demand: &str) {
        if !sound {
            self.0.push(ConfigProblem {
                setting,
                sentence: format!("{setting} {demand}"),
            });
        }
    }

    fn within(
        &mut self,
        value: Duration,
        least: Duration,
        most: Duration,
        setting: &'static str,
        range: &str,
    ) {
        self.unless(
            (least..=most).contains(&value),
            setting,
            &format!("must be {range}"),
        );
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// The path of the field, such as `codes.lifetime`.
    pub setting: &'static str,
    /// A sentence that says what it may be.
    pub sentence: String,
}

/// Why a configuration cannot be used: all problems at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// What is wrong, one entry per rule that is broken.
    pub problems: Vec<ConfigProblem>,
}

impl ConfigError {
    pub(crate) fn one(setting: &'static str, sentence: String) -> Self {
        Self {
            problems: vec![ConfigProblem { setting, sentence }],
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            f.write_str(&problem.sentence)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn portal() -> Config {
        Config::portal(Url::parse("https://portal.example").unwrap())
    }

    fn refused(change: impl FnOnce(&mut Config)) -> Vec<&'static str> {
        let mut config = portal();
        change(&mut config);
        config.check().map_or_else(
            |e| e.problems.iter().map(|p| p.setting).collect(),
            |()| Vec::new(),
        )
    }

    #[test]
    fn both_presets_are_sound() {
        assert_eq!(portal().check(), Ok(()));
        assert_eq!(
            Config::modern(Url::parse("http://127.0.0.1:8080").unwrap()).check(),
            Ok(())
        );
    }

    #[test]
    fn unsafe_settings_are_refused_by_name() {
        // CFG-2, CFG-3, P-51
        assert_eq!(
            refused(|c| c.base_url = Url::parse("http://portal.example").unwrap()),
            ["base_url"]
        );
        assert_eq!(
            refused(|c| c.base_url = Url::parse("https://portal.example/x").unwrap()),
            ["base_url"]
        );
        assert_eq!(refused(|c| c.codes.lifetime = MINUTE * 11), ["codes.lifetime"]);
        assert_eq!(refused(|c| c.codes.digits = 5), ["codes.digits"]);
        assert_eq!(refused(|c| c.sessions.idle = HOUR * 13), ["sessions.idle"]);
        assert_eq!(
            refused(|c| c.registration.link_lifetime = MINUTE * 14),
            ["registration.link_lifetime"]
        );
        assert_eq!(
            refused(|c| c.registration.link_lifetime = DAY + MINUTE),
            ["registration.link_lifetime"]
        );
        assert_eq!(refused(|c| c.time_zone = "Moon/Base".into()), ["time_zone"]);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let found = refused(|c| {
            c.codes.digits = 11;
            c.sessions.most = 0;
            c.mail.per_address.clear();
        });
        assert_eq!(found, ["codes.digits", "sessions.most", "mail.per_address"]);
    }
}
