//! Every number and switch, with its unit, its range and where it comes from.
//!
//! Two presets: [`Config::portal`] follows the user guide of the portal this crate grew from, [`Config::modern`]
//! follows ASVS 5.0 and NIST SP 800-63B-4. All fields are public; [`Config::check`] refuses contradictions and
//! everything unsafe, all problems at once, and [`PortalAuth::build`](crate::PortalAuth::build) calls it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::account::email::EmailAddress;
use crate::account::profile::{ProfileSchema, Sections};
use crate::account::recovery::PauseRules;
use crate::account::security_question::Questions;
use crate::page_paths::PagePaths;
use crate::password::argon2id::Engine;
use crate::password::breached::BreachCheck;
use crate::password::hash::HashParams;
#[cfg(feature = "imported-hashes")]
use crate::password::imported::ImportedHash;
use crate::password::policy::PasswordPolicy;
use crate::throttle::Ladder;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

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
    /// How long a link works that proves an address, a new registration's or an account's new one: 12 h, from 15 min to
    /// 24 h. Links already out keep theirs.
    pub link_lifetime: Duration,
    /// How long an expired registration waits for "send a new link": 24 h.
    pub kept_after_expiry: Duration,
    /// How long a registration that an administrator has prepared waits for its person: 30 days.
    pub prepared_kept: Duration,
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
    /// Whether people may make up a question of their own instead: no. What they make up may be easier to guess than any
    /// of the list.
    pub own_question: bool,
    /// What is asked about the person.
    pub profile: Arc<dyn ProfileSchema>,
}

/// What somebody can do who does not remember the secret answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every page must say something about each")]
pub enum RecoveryFallback {
    /// Wait, while notices go out and anybody with the password or a session can take it back (RST-7).
    Delayed,
    /// Ask an administrator.
    Administrator,
    /// Nothing that the service offers by itself.
    None,
}

/// Recovery of a forgotten password.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecoveryConfig {
    /// How long a reset link works: 60 min, from 5 min to 24 h (RST-2).
    pub link_lifetime: Duration,
    /// How long the browser that gave the right answer has for the new password: 15 min (RST-3).
    pub answered_for: Duration,
    /// Wrong answers after which a link dies: 3 (ANS-5).
    pub answer_tries: u32,
    /// Wrong answers in a row over all links of an account, after which its recovery pauses: 5 (ANS-5).
    pub failures_in_a_row: u32,
    /// How long it pauses: 24 h.
    pub pause: Duration,
    /// The pause that no time ends, only an administrator: the 2nd.
    pub last_pause: u32,
    /// What there is for somebody who does not remember the answer.
    pub fallback: RecoveryFallback,
    /// How long a reset without the answer waits: 24 h (RST-7).
    pub delay: Duration,
    /// When the owner is told of it, counted from the asking: at once, after 1 h, after 12 h.
    pub notices: Vec<Duration>,
    /// How long its link works once it has opened: 24 h, so that nobody has to sit and wait for it.
    pub delayed_lifetime: Duration,
    /// How long there is no reset without the answer after the address was changed: 30 days.
    pub closed_after_email_change: Duration,
    /// Whether there is one for accounts whose second step is on: no.
    pub delayed_with_two_step: bool,
    /// Whether an address without an account is told so by mail when a reset is asked for it: yes.
    pub tell_unknown: bool,
    /// It is told once in this time: 24 h.
    pub tell_unknown_every: Duration,
}

impl RecoveryConfig {
    /// When wrong answers pause a recovery.
    #[must_use]
    pub const fn pause_rules(&self) -> PauseRules {
        PauseRules {
            failures: self.failures_in_a_row,
            pause: self.pause,
            last: self.last_pause,
        }
    }
}

/// Passwords and their hashes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PasswordConfig {
    /// What is demanded of a new one.
    pub policy: PasswordPolicy,
    /// The list of breached passwords that new ones are held against besides; none by default (PWD-2, ASVS 6.2.12).
    pub breached: Option<BreachCheck>,
    /// What hashing costs (HASH-1).
    pub hash: HashParams,
    /// Whether a change or a reset refuses the password in force; advice, not a rule of any standard (RST-6).
    pub refuse_current: bool,
    /// Whether passwords are peppered; secret answers always are (HASH-5).
    pub pepper: bool,
    /// Hashing threads; `None` means one a core, as far as 512 MiB reach.
    pub workers: Option<usize>,
    /// Who computes the hashes; the choice changes nothing but the speed.
    pub engine: Engine,
    /// One of the dearest hashes that were imported, as long as there are any; none by default. Every wrong password then costs
    /// what it costs for a hash like this one besides, so that time tells no imported account from others.
    #[cfg(feature = "imported-hashes")]
    pub imported_like: Option<ImportedHash>,
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
    /// How long what was typed into a form is kept for its person, and a session that is over to say who that is: 24 h
    /// (ASVS 14.2.7).
    pub forms_kept: Duration,
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
    /// `(how many, within)` for one address: 1 in 60 s, 5 in 1 h, 10 in 24 h. The last of each count above one is kept for
    /// mails with a link by which the address's owner gets on, so that strangers cannot keep it away (TOK-6).
    pub per_address: Vec<(u32, Duration)>,
    /// `(how many, within)` for one network: 20 in 1 h.
    pub per_network: Vec<(u32, Duration)>,
    /// Over everybody in an hour: 2,000.
    pub an_hour_over_all: u32,
    /// How long a sent or dead mail's row is kept: 7 days.
    pub kept: Duration,
}

/// Links that take a change back (MAIL-6).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NoticeConfig {
    /// How long "this was not me" works in the notice of a change: 7 days, from 1 to 30.
    pub not_me: Duration,
    /// How long the former address can freeze an account whose address was changed: 30 days, from 1 to 90.
    pub freeze: Duration,
}

/// Closing an account (CHG-5).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClosingConfig {
    /// How long a closed account can be brought back before it is erased: 14 days, from 1 to 90.
    pub grace: Duration,
    /// Wrong passwords after which a link that brings it back dies: 5.
    pub wrong_passwords: u32,
}

/// Mails about sign-ins that their owner may not have made (ASVS 6.3.5).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AlertConfig {
    /// Whether a sign-in from a browser not seen before is told (E12): no, since people who clear their cookies would
    /// learn to look past it.
    pub new_device: bool,
    /// Wrong passwords before a right one that are told as unusual (E18): 5.
    pub failures: u32,
    /// At most one mail about unusual sign-ins in this time for one account: 1 day.
    pub pause: Duration,
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
    /// Who is told by mail when an owner freezes an account, and which accounts a host may treat as administrators'.
    /// None by default.
    pub administrators: Vec<EmailAddress>,
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
    /// Recovery of a forgotten password.
    pub recovery: RecoveryConfig,
    /// Emailed codes.
    pub codes: CodeConfig,
    /// Sessions.
    pub sessions: SessionConfig,
    /// Guessing limits.
    pub guessing: GuessingConfig,
    /// Mail.
    pub mail: MailConfig,
    /// Links that take a change back.
    pub notices: NoticeConfig,
    /// Closing an account.
    pub closing: ClosingConfig,
    /// Mails about unusual sign-ins.
    pub alerts: AlertConfig,
    /// A row from further in the future than this is not believed: 120 s (CLK-2).
    pub clock_skew: Duration,
    /// Answers that might tell by their time who has an account come in whole steps of this length: at once, up to 2 s.
    /// Pick one that is longer than a hash and your store take as a rule, such as 100 ms (ENU-5). Needs a runtime of tokio
    /// with its timer on.
    #[cfg(feature = "tokio")]
    pub answer_step: Duration,
    /// How long used and expired links are remembered: 30 days.
    pub links_kept: Duration,
    /// How long a device that is not used stays familiar: 180 days.
    pub devices_kept: Duration,
    /// How long sealed audit rows are kept: 365 days; a checkpoint keeps their place in the chain.
    pub audit_kept: Duration,
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
            administrators: Vec::new(),
            time_zone: "Europe/London".into(),
            paths: PagePaths::default(),
            two_step: TwoStepPolicy::RequiredForAreas,
            registration: RegistrationConfig {
                link_lifetime: HOUR.saturating_mul(12),
                kept_after_expiry: DAY,
                prepared_kept: DAY.saturating_mul(30),
                draft_lifetime: HOUR.saturating_mul(2),
                wrong_passwords: 5,
                resend_pause: MINUTE,
                secret_question,
                questions: Questions::built_in(),
                own_question: false,
                profile: Arc::new(Sections::<()>::new(1)),
            },
            passwords: PasswordConfig {
                policy,
                breached: None,
                hash: HashParams::DEFAULT,
                refuse_current: true,
                pepper: false,
                workers: None,
                engine: Engine::RustCrypto,
                #[cfg(feature = "imported-hashes")]
                imported_like: None,
            },
            recovery: RecoveryConfig {
                link_lifetime: HOUR,
                answered_for: MINUTE.saturating_mul(15),
                answer_tries: 3,
                failures_in_a_row: 5,
                pause: DAY,
                last_pause: 2,
                fallback: RecoveryFallback::Delayed,
                delay: DAY,
                notices: vec![Duration::ZERO, HOUR, HOUR.saturating_mul(12)],
                delayed_lifetime: DAY,
                closed_after_email_change: DAY.saturating_mul(30),
                delayed_with_two_step: false,
                tell_unknown: true,
                tell_unknown_every: DAY,
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
                forms_kept: DAY,
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
            notices: NoticeConfig {
                not_me: DAY.saturating_mul(7),
                freeze: DAY.saturating_mul(30),
            },
            closing: ClosingConfig {
                grace: DAY.saturating_mul(14),
                wrong_passwords: 5,
            },
            alerts: AlertConfig {
                new_device: false,
                failures: 5,
                pause: DAY,
            },
            clock_skew: Duration::from_secs(120),
            #[cfg(feature = "tokio")]
            answer_step: Duration::ZERO,
            links_kept: DAY.saturating_mul(30),
            devices_kept: DAY.saturating_mul(180),
            audit_kept: DAY.saturating_mul(365),
        }
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
