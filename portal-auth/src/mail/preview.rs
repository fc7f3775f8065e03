//! Every mail as it reads, about invented people and with links that open nothing: to be looked at before anybody gets one.
//!
//! The list follows from [`MailKind::ALL`]: a kind without an example does not compile, and one in several versions, such
//! as a reset that an administrator began, has an example of each.

use std::time::Duration;

use crate::account::recovery::Paused;
use crate::account::status::TwoStep;
use crate::challenge::ChallengePurpose;
use crate::config::{Config, MINUTE};
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::language::Spoken;
use crate::mail::administrator_act::AdministratorAct;
use crate::mail::letter::{Attempts, Closed, Letter, MailedLink, ResetBegun};
use crate::mail::outbox::MailKind;
use crate::mail::writing::render_in;
use crate::secret::one_time_code::OneTimeCode;

/// A mail of an invented person, as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailPreview {
    /// Its kind.
    pub kind: MailKind,
    /// Its number in the portal's table, such as `E1`; notices to administrators have none.
    pub number: Option<&'static str>,
    /// Which of the kind's versions, in lower-case words with dashes; empty where there is one only.
    pub version: &'static str,
    /// The tag of the language it is written in, such as `en-GB`.
    pub language: &'static str,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl MailPreview {
    /// A name for files, the same each time and no other preview's: `e05-reset-password-by-administrator.en-GB`.
    #[must_use]
    pub fn name(&self) -> String {
        let digits = self.number.and_then(|number| number.strip_prefix('E'));
        let number = digits.map_or_else(String::new, |digits| format!("e{digits:0>2}-"));
        let dash = if self.version.is_empty() { "" } else { "-" };
        let (kind, version, language) = (self.kind.as_str(), self.version, self.language);
        format!("{number}{kind}{dash}{version}.{language}")
    }
}

/// Writes every kind of mail, in each of its versions and languages, as it would read under `config` if it were sent at
/// `now`; in the order of the numbers.
///
/// # Errors
/// A permanent [`Fault`] when the configuration has no valid time zone.
///
/// ```
/// use portal_auth::config::Config;
/// use portal_auth::environment::Timestamp;
/// use portal_auth::mail::preview::preview_mails;
///
/// let config = Config::portal("https://portal.example".parse()?);
/// let previews = preview_mails(&config, Timestamp::from_micros(1_777_844_400_000_000))?;
/// assert_eq!(previews[0].name(), "e01-complete-registration.en-GB");
/// assert!(previews[0].text.contains("https://portal.example/account/complete-registration?t="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn preview_mails(config: &Config, now: Timestamp) -> Result<Vec<MailPreview>, Fault> {
    let digits: String = CODE.chars().take(config.codes.digits.into()).collect();
    let code = OneTimeCode::parse(&digits, config.codes.digits)
        .map_err(|_| Fault::permanent("the configured length of codes is not usable"))?;
    let examples = Examples {
        config,
        code: &code,
        now,
    };
    let mut kinds = MailKind::ALL;
    kinds.sort_by_key(|kind| place(number(*kind)));
    let mut previews = Vec::new();
    for kind in kinds {
        for (version, letter) in examples.of(kind) {
            for spoken in [Spoken::English, Spoken::Welsh] {
                // One that is not translated is the English one again.
                if letter.spoken(spoken) != spoken {
                    continue;
                }
                let words = render_in(spoken, config, &letter, now)?;
                previews.push(MailPreview {
                    kind,
                    number: number(kind),
                    version,
                    language: spoken.tag(),
                    subject: words.subject,
                    text: words.text,
                    html: words.html,
                });
            }
        }
    }
    Ok(previews)
}

/// Ten digits, of which a code takes as many as it has.
const CODE: &str = "4829130576";
/// As long as a real one; it opens nothing.
const TOKEN: &str = "an-example-that-opens-nothing-0123456789-AB";
const NAME: Option<&str> = Some("Jo");
const BROWSER: &str = "Firefox on Windows";

/// Its number in the portal's table.
const fn number(kind: MailKind) -> Option<&'static str> {
    Some(match kind {
        MailKind::CompleteRegistration => "E1",
        MailKind::AlreadyRegistered => "E2",
        MailKind::AccountReady => "E3",
        MailKind::SignInCode => "E4",
        MailKind::ResetPassword => "E5",
        MailKind::NoAccount => "E6",
        MailKind::PasswordChanged => "E7",
        MailKind::ConfirmEmail => "E8",
        MailKind::EmailBeingChanged => "E9",
        MailKind::SecretQuestionChanged => "E10",
        MailKind::TwoStepChanged => "E11",
        MailKind::NewDevice => "E12",
        MailKind::TooManyTries => "E13",
        MailKind::Host => "E14",
        MailKind::AccountClosing => "E15",
        MailKind::RecoveryAsked => "E16",
        MailKind::RecoveryPaused => "E17",
        MailKind::UnusualSignIn => "E18",
        MailKind::EmailChanged => "E19",
        MailKind::AddressEntered => "E20",
        MailKind::AdministratorActed => "E21",
        MailKind::AccountFrozen => return None,
    })
}

/// Numbers in their order, and what has none behind them.
fn place(number: Option<&str>) -> u32 {
    let digits = number.and_then(|number| number.strip_prefix('E'));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(u32::MAX)
}

/// What the examples are made of.
struct Examples<'a> {
    config: &'a Config,
    code: &'a OneTimeCode,
    now: Timestamp,
}

impl<'a> Examples<'a> {
    /// An example of every version of a kind, with the version's name.
    fn of(&self, kind: MailKind) -> Vec<(&'static str, Letter<'a>)> {
        let Self { config, code, now } = *self;
        let asked_at = now.minus(MINUTE);
        match kind {
            MailKind::CompleteRegistration => {
                let link = self.link(config.registration.link_lifetime);
                let prepared = |has_password| Letter::PreparedRegistration { link, has_password };
                vec![
                    ("", Letter::CompleteRegistration { link }),
                    ("prepared", prepared(false)),
                    ("imported", prepared(true)),
                ]
            }
            MailKind::AlreadyRegistered => one(Letter::AlreadyRegistered { name: NAME, asked_at }),
            MailKind::AccountReady => one(Letter::AccountReady {
                name: NAME,
                username: "jo@school.example",
            }),
            MailKind::SignInCode => [
                ("", ChallengePurpose::SignIn),
                ("to-confirm", ChallengePurpose::Confirm),
            ]
            .map(|(version, purpose)| {
                let letter = Letter::SignInCode {
                    name: NAME,
                    code,
                    purpose,
                    asked_at,
                    browser: BROWSER,
                    issued_at: now,
                    expires_at: now.plus(config.codes.lifetime),
                };
                (version, letter)
            })
            .into(),
            MailKind::TwoStepChanged => [("on", TwoStep::Email), ("off", TwoStep::Off)]
                .map(|(version, choice)| {
                    let letter = Letter::TwoStepChanged {
                        name: NAME,
                        choice,
                        changed_at: asked_at,
                        browser: BROWSER,
                        not_me: Some(self.link(config.notices.not_me)),
                    };
                    (version, letter)
                })
                .into(),
            MailKind::TooManyTries => [
                (
                    "for-a-while",
                    Closed::PasswordsUntil(now.plus(MINUTE.saturating_mul(30))),
                ),
                ("over", Closed::PasswordsUntil(now)),
                ("until-reset", Closed::PasswordsUntilReset),
                ("codes", Closed::Codes),
            ]
            .map(|(version, closed)| (version, Letter::TooManyTries { name: NAME, closed }))
            .into(),
            MailKind::ResetPassword => [
                ("", ResetBegun::Asked(BROWSER)),
                ("after-the-wait", ResetBegun::Waited),
                ("by-administrator", ResetBegun::Administrator),
            ]
            .map(|(version, begun)| {
                let letter = Letter::ResetPassword {
                    name: NAME,
                    link: self.link(config.recovery.link_lifetime),
                    begun,
                    begun_at: asked_at,
                    asks_answer: matches!(begun, ResetBegun::Asked(_)),
                };
                (version, letter)
            })
            .into(),
            MailKind::NoAccount => one(Letter::NoAccount { asked_at }),
            MailKind::PasswordChanged => {
                self.with_and_without(config.notices.not_me, |not_me| Letter::PasswordChanged {
                    name: NAME,
                    changed_at: asked_at,
                    browser: BROWSER,
                    not_me,
                })
            }
            MailKind::ConfirmEmail => one(Letter::ConfirmEmail {
                link: self.link(config.registration.link_lifetime),
            }),
            MailKind::EmailBeingChanged => {
                self.with_and_without(config.registration.link_lifetime, |cancel| {
                    Letter::EmailBeingChanged {
                        name: NAME,
                        asked_at,
                        browser: BROWSER,
                        to: "j•••@college.example",
                        cancel,
                    }
                })
            }
            MailKind::SecretQuestionChanged => {
                self.with_and_without(config.notices.not_me, |not_me| Letter::SecretQuestionChanged {
                    name: NAME,
                    changed_at: asked_at,
                    browser: BROWSER,
                    not_me,
                })
            }
            MailKind::NewDevice => one(Letter::NewDevice {
                name: NAME,
                at: asked_at,
                browser: BROWSER,
                network: "192.0.2.x",
            }),
            MailKind::Host => one(Letter::Host {
                name: NAME,
                subject: "We have your change of circumstances",
                reference: "CC-7F3K-92QD",
                lines: "\nWe have what you sent, and will look at it within five working days.\n\nYou wrote:\n> I work at Hill School now.\n> My phone number stays the same.",
            }),
            MailKind::AccountClosing => [("", Some(BROWSER)), ("address-entered-again", None)]
                .map(|(version, browser)| {
                    let letter = Letter::AccountClosing {
                        name: NAME,
                        link: self.link(config.closing.grace),
                        closed_at: asked_at,
                        browser,
                    };
                    (version, letter)
                })
                .into(),
            MailKind::RecoveryAsked => one(Letter::RecoveryAsked {
                name: NAME,
                asked_at,
                browser: BROWSER,
                due_at: asked_at.plus(config.recovery.delay),
                cancel: self.link(config.recovery.delay),
            }),
            MailKind::RecoveryPaused => [
                ("for-a-while", Paused::Until(now.plus(config.recovery.pause))),
                ("over", Paused::Until(now)),
                ("until-an-administrator-helps", Paused::UntilAdministrator),
            ]
            .map(|(version, paused)| (version, Letter::RecoveryPaused { name: NAME, paused }))
            .into(),
            MailKind::UnusualSignIn => [
                ("after-wrong-passwords", Attempts::AfterFailures(7)),
                ("wrong-codes", Attempts::CodeFailed),
            ]
            .map(|(version, what)| {
                let letter = Letter::UnusualSignIn {
                    name: NAME,
                    what,
                    at: asked_at,
                    browser: BROWSER,
                };
                (version, letter)
            })
            .into(),
            MailKind::EmailChanged => [
                ("to-the-former-address", Some(self.link(config.notices.freeze))),
                ("to-the-new-address", None),
            ]
            .map(|(version, freeze)| {
                let letter = Letter::EmailChanged {
                    name: NAME,
                    changed_at: asked_at,
                    browser: BROWSER,
                    from: "j•••@school.example",
                    to: "j•••@college.example",
                    freeze,
                };
                (version, letter)
            })
            .into(),
            MailKind::AddressEntered => one(Letter::AddressEntered { name: NAME, asked_at }),
            MailKind::AdministratorActed => AdministratorAct::ALL
                .map(|act| {
                    let letter = Letter::AdministratorActed {
                        name: NAME,
                        act,
                        acted_at: asked_at,
                    };
                    (act.as_str(), letter)
                })
                .into(),
            MailKind::AccountFrozen => one(Letter::AccountFrozen {
                account: "jo@college.example",
                from: "jo@school.example",
                frozen_at: asked_at,
            }),
        }
    }

    /// The mail of a change with the link that takes it back, and without it once that is over.
    fn with_and_without(
        &self,
        lifetime: Duration,
        letter: impl Fn(Option<MailedLink<'a>>) -> Letter<'a>,
    ) -> Vec<(&'static str, Letter<'a>)> {
        vec![
            ("", letter(Some(self.link(lifetime)))),
            ("without-its-link", letter(None)),
        ]
    }

    fn link(&self, lifetime: Duration) -> MailedLink<'a> {
        MailedLink {
            token: TOKEN,
            issued_at: self.now,
            expires_at: self.now.plus(lifetime),
        }
    }
}

fn one(letter: Letter<'_>) -> Vec<(&'static str, Letter<'_>)> {
    vec![("", letter)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::mail::plain_lines::WIDTH;

    /// 3 May 2026, 21:40 UTC.
    const NOW: Timestamp = Timestamp::from_micros(1_777_844_400_000_000);

    fn config() -> Config {
        Config::portal("https://portal.example".parse().unwrap())
    }

    #[test]
    fn every_number_and_every_kind_is_shown_in_each_of_its_languages() {
        // portal.md section 5, E1 to E21
        let previews = preview_mails(&config(), NOW).unwrap();
        let numbers: BTreeSet<u32> = previews.iter().map(|p| place(p.number)).collect();
        let expected: BTreeSet<u32> = (1..=21).chain([u32::MAX]).collect();
        assert_eq!(numbers, expected);
        for kind in MailKind::ALL {
            assert!(
                previews.iter().any(|p| p.kind == kind && p.language == "en-GB"),
                "{kind:?}"
            );
        }
        let welsh: BTreeSet<_> = previews
            .iter()
            .filter(|p| p.language == "cy")
            .filter_map(|p| p.number)
            .collect();
        assert_eq!(welsh, BTreeSet::from(["E1", "E2", "E3", "E4", "E11", "E13"]));
        let names: BTreeSet<_> = previews.iter().map(MailPreview::name).collect();
        assert_eq!(names.len(), previews.len(), "two previews have one name");
    }

    #[test]
    fn every_template_of_a_mail_is_shown() {
        let code = OneTimeCode::parse("482913", 6).unwrap();
        let config = config();
        let examples = Examples {
            config: &config,
            code: &code,
            now: NOW,
        };
        let shown: BTreeSet<String> = MailKind::ALL
            .into_iter()
            .flat_map(|kind| examples.of(kind))
            .map(|(_, letter)| snake_case(format!("{letter:?}").split([' ', '{']).next().unwrap()))
            .collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/mail");
        let parts = ["frame", "link", "not_me"];
        let written: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|stem| !parts.contains(&stem.as_str()))
            .collect();
        assert_eq!(shown, written);
    }

    #[test]
    fn no_preview_loads_anything_from_elsewhere_and_its_text_leaves_nothing_out() {
        // portal.md section 5, MAIL-7
        let mut config = config();
        config.help_email = Some("help@portal.example".into());
        config.codes.digits = 10;
        for preview in preview_mails(&config, NOW).unwrap() {
            let MailPreview { html, text, .. } = &preview;
            for foreign in [
                "<img", "<script", "<link", "<iframe", "src=", "url(", "@import", "http://",
            ] {
                assert!(!html.contains(foreign), "{}: {foreign}", preview.name());
            }
            // Every word of the HTML stands in the text, but for what links are called.
            let said = squeezed(text);
            for paragraph in html.split("<p").skip(1).filter(|p| !p.contains("<a ")) {
                let (_, words) = paragraph.split_once('>').unwrap();
                let words = words.split("</p>").next().unwrap();
                for line in words.split("<br>") {
                    let line = squeezed(&without_tags(line));
                    assert!(
                        said.contains(&line),
                        "{}: {line} is not in {text}",
                        preview.name()
                    );
                }
            }
            for line in text.lines() {
                assert!(
                    line.starts_with("https://") || line.chars().count() <= WIDTH,
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn a_zone_that_does_not_exist_is_a_fault() {
        let mut config = config();
        config.time_zone = "Moon/Base".into();
        assert!(!preview_mails(&config, NOW).unwrap_err().is_transient());
    }

    fn without_tags(html: &str) -> String {
        let mut inside = false;
        let visible = |c: &char| {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    return false;
                }
                _ => {}
            }
            !inside
        };
        let text: String = html.chars().filter(visible).collect();
        text.replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#62;", ">")
            .replace("&#38;", "&")
    }

    /// The words without what a line's end may change, and without the marks of quoted lines.
    fn squeezed(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    fn snake_case(name: &str) -> String {
        let mut snake = String::new();
        for c in name.chars() {
            if c.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        }
        snake
    }
}
