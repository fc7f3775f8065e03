//! All wording of mails.
//!
//! Each kind has a text, which comes first and is complete, and the same as HTML in one column without anything
//! loaded from elsewhere. Rendering is a plain function of what the mail is about and of the moment of sending. Only
//! an address that an account has proven is greeted by name (MAIL-3); a subject never holds a code (MAIL-1).
//!
//! A kind that [`Letter::is_translated`] names has Welsh words too: a subject, and both bodies in `mail/cy`, which its
//! templates include where `head.in_welsh()`. A kind in English only needs nothing: it is written in English, whatever
//! its reader has chosen.

use std::time::Duration;

use askama::Template as _;
use url::Url;

use crate::account::recovery::Paused;
use crate::account::status::TwoStep;
use crate::challenge::ChallengePurpose;
use crate::config::{Config, TwoStepPolicy};
use crate::environment::Timestamp;
use crate::error::Fault;
use crate::language::Spoken;
use crate::local_time::{LocalTime, spoken_span};
use crate::mail::administrator_act::AdministratorAct;
use crate::mail::letter::{Closed, Letter, MailedLink, ResetBegun};
use crate::mail::plain_lines::{greeting, greeting_in, grouped, paragraphs, plain, wrap};
// All of it: a text and an HTML template for each kind of letter.
use crate::mail::templates::*;
use crate::page_paths::PagePaths;
use crate::visitor::spoken_label;

/// A mail's words.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// Writes `letter` in English as it reads when it is sent at `now`.
#[cfg(test)]
fn render(config: &Config, letter: &Letter<'_>, now: Timestamp) -> Result<Rendered, Fault> {
    render_in(Spoken::English, config, letter, now)
}

/// Writes `letter` in a language that it [has](Letter::spoken), as it reads when it is sent at `now`.
///
/// # Errors
/// A permanent [`Fault`] when the configuration has no valid time zone, or a template fails.
pub(super) fn render_in(
    spoken: Spoken,
    config: &Config,
    letter: &Letter<'_>,
    now: Timestamp,
) -> Result<Rendered, Fault> {
    let time = LocalTime::in_zone(&config.time_zone)
        .ok_or_else(|| Fault::permanent("the time zone of mails does not exist"))?;
    let desk = Desk {
        head: Head {
            spoken,
            service_name: plain(&config.service_name),
            help_email: config.help_email.as_deref().map(plain),
            host: config.base_url.host_str().unwrap_or_default(),
        },
        base_url: &config.base_url,
        paths: &config.paths,
        two_step: config.two_step,
        time,
        now,
    };
    desk.write(letter)
}

struct Desk<'a> {
    head: Head<'a>,
    base_url: &'a Url,
    paths: &'a PagePaths,
    two_step: TwoStepPolicy,
    time: LocalTime,
    now: Timestamp,
}

/// Renders one kind of mail from its two templates and their common values.
macro_rules! write_letter {
    ($head:expr, $subject:expr, $text:ident, $html:ident { $($field:ident: $value:expr),+ $(,)? }) => {{
        let subject: String = $subject;
        let text = $text { head: $head, $($field: $value),+ }.render();
        let html = $html { subject: &subject, head: $head, $($field: $value),+ }.render();
        finish(subject, text, html)
    }};
}

impl Desk<'_> {
    fn write(&self, letter: &Letter<'_>) -> Result<Rendered, Fault> {
        let head = &self.head;
        let reset = &*self.page(&self.paths.forgotten_password);
        match letter {
            Letter::CompleteRegistration { link } => write_letter!(
                head,
                match head.spoken {
                    Spoken::English => format!("Complete your registration - {}", head.service_name),
                    Spoken::Welsh => format!("Cwblhewch eich cofrestriad - {}", head.service_name),
                },
                CompleteRegistrationText,
                CompleteRegistrationHtml {
                    link: &self.link(&self.paths.complete_registration, link),
                    until: &self.moment(link.expires_at),
                    lifetime: &self.span(link.expires_at.since(link.issued_at)),
                }
            ),
            Letter::PreparedRegistration { link, has_password } => write_letter!(
                head,
                format!("Complete your registration - {}", head.service_name),
                PreparedRegistrationText,
                PreparedRegistrationHtml {
                    link: &self.link(&self.paths.complete_registration, link),
                    has_password: *has_password,
                    until: &self.moment(link.expires_at),
                    lifetime: &self.span(link.expires_at.since(link.issued_at)),
                }
            ),
            Letter::AlreadyRegistered { name, asked_at } => write_letter!(
                head,
                self.subject("You already have an account", "Mae gennych gyfrif eisoes"),
                AlreadyRegisteredText,
                AlreadyRegisteredHtml {
                    greeting: &greeting_in(head.spoken, *name),
                    when: &self.moment(*asked_at),
                    login: &self.page(&self.paths.login),
                    forgotten_password: reset,
                }
            ),
            Letter::AccountReady { name, username } => write_letter!(
                head,
                self.subject("Your account is ready", "Mae eich cyfrif yn barod"),
                AccountReadyText,
                AccountReadyHtml {
                    greeting: &greeting_in(head.spoken, *name),
                    username: *username,
                    login: &self.page(&self.paths.login),
                    two_step: self.two_step,
                }
            ),
            Letter::SignInCode {
                name,
                code,
                purpose,
                asked_at,
                browser,
                issued_at,
                expires_at,
            } => write_letter!(
                head,
                self.subject("Your Verification Code", "Eich cod dilysu"),
                SignInCodeText,
                SignInCodeHtml {
                    greeting: &greeting_in(head.spoken, *name),
                    code: code.expose(),
                    grouped: &grouped(code.expose()),
                    confirming: *purpose == ChallengePurpose::Confirm,
                    until: &self.moment(*expires_at),
                    lifetime: &self.span(expires_at.since(*issued_at)),
                    when: &self.moment(*asked_at),
                    browser: &self.browser(browser),
                }
            ),
            Letter::TwoStepChanged {
                name,
                choice,
                changed_at,
                browser,
                not_me,
            } => {
                let turned_on = *choice == TwoStep::Email;
                let subject = if turned_on {
                    self.subject(
                        "Two Step Verification was turned on",
                        "Mae Dilysu Dau Gam wedi’i droi ymlaen",
                    )
                } else {
                    self.subject(
                        "Two Step Verification was turned off",
                        "Mae Dilysu Dau Gam wedi’i ddiffodd",
                    )
                };
                write_letter!(
                    head,
                    subject,
                    TwoStepChangedText,
                    TwoStepChangedHtml {
                        greeting: &greeting_in(head.spoken, *name),
                        on: turned_on,
                        when: &self.moment(*changed_at),
                        browser: &self.browser(browser),
                        not_me: &self.way_back(&self.paths.not_me, not_me.as_ref()),
                        forgotten_password: reset,
                    }
                )
            }
            Letter::PasswordChanged {
                name,
                changed_at,
                browser,
                not_me,
            } => write_letter!(
                head,
                "Your password was changed".to_owned(),
                PasswordChangedText,
                PasswordChangedHtml {
                    greeting: &greeting(*name),
                    when: &self.moment(*changed_at),
                    browser: &plain(browser),
                    not_me: &self.way_back(&self.paths.not_me, not_me.as_ref()),
                    forgotten_password: reset,
                }
            ),
            Letter::SecretQuestionChanged {
                name,
                changed_at,
                browser,
                not_me,
            } => write_letter!(
                head,
                "Your Secret Question was changed".to_owned(),
                SecretQuestionChangedText,
                SecretQuestionChangedHtml {
                    greeting: &greeting(*name),
                    when: &self.moment(*changed_at),
                    browser: &plain(browser),
                    not_me: &self.way_back(&self.paths.not_me, not_me.as_ref()),
                    forgotten_password: reset,
                }
            ),
            Letter::ConfirmEmail { link } => write_letter!(
                head,
                "Confirm your new email address".to_owned(),
                ConfirmEmailText,
                ConfirmEmailHtml {
                    link: &self.link(&self.paths.confirm_email, link),
                    until: &self.moment(link.expires_at),
                }
            ),
            Letter::EmailBeingChanged {
                name,
                asked_at,
                browser,
                to,
                cancel,
            } => write_letter!(
                head,
                "Your email address is being changed".to_owned(),
                EmailBeingChangedText,
                EmailBeingChangedHtml {
                    greeting: &greeting(*name),
                    when: &self.moment(*asked_at),
                    browser: &plain(browser),
                    to: &plain(to),
                    cancel: &self.way_back(&self.paths.cancel_email_change, cancel.as_ref()),
                    forgotten_password: reset,
                }
            ),
            Letter::EmailChanged {
                name,
                changed_at,
                browser,
                from,
                to,
                freeze,
            } => write_letter!(
                head,
                "Your email address was changed".to_owned(),
                EmailChangedText,
                EmailChangedHtml {
                    greeting: &greeting(*name),
                    when: &self.moment(*changed_at),
                    browser: &plain(browser),
                    from: &plain(from),
                    to: &plain(to),
                    freeze: &self.way_back(&self.paths.freeze_account, freeze.as_ref()),
                }
            ),
            Letter::AddressEntered { name, asked_at } => write_letter!(
                head,
                "Your address was entered for another account".to_owned(),
                AddressEnteredText,
                AddressEnteredHtml {
                    greeting: &greeting(*name),
                    when: &self.moment(*asked_at),
                }
            ),
            Letter::AccountFrozen {
                account,
                from,
                frozen_at,
            } => write_letter!(
                head,
                "An account was frozen by its owner".to_owned(),
                AccountFrozenText,
                AccountFrozenHtml {
                    account: &plain(account),
                    from: &plain(from),
                    when: &self.moment(*frozen_at),
                }
            ),
            Letter::ResetPassword {
                name,
                link,
                begun,
                begun_at,
                asks_answer,
            } => write_letter!(
                head,
                "Reset your password".to_owned(),
                ResetPasswordText,
                ResetPasswordHtml {
                    greeting: &greeting(*name),
                    begun: &begun.in_words(),
                    when: &self.moment(*begun_at),
                    link: &self.link(&self.paths.reset_password, link),
                    lifetime: &self.span(link.expires_at.since(link.issued_at)),
                    until: &self.moment(link.expires_at),
                    asks_answer: *asks_answer,
                    login: &self.page(&self.paths.login),
                }
            ),
            Letter::NoAccount { asked_at } => write_letter!(
                head,
                "About your request".to_owned(),
                NoAccountText,
                NoAccountHtml {
                    when: &self.moment(*asked_at),
                    register: &self.page(&self.paths.register),
                }
            ),
            Letter::RecoveryAsked {
                name,
                asked_at,
                browser,
                due_at,
                cancel,
            } => write_letter!(
                head,
                "Someone asked to reset without the Secret Answer".to_owned(),
                RecoveryAskedText,
                RecoveryAskedHtml {
                    greeting: &greeting(*name),
                    due: &self.moment(*due_at),
                    when: &self.moment(*asked_at),
                    browser: &plain(browser),
                    cancel: &self.link(&self.paths.cancel_recovery, cancel),
                }
            ),
            Letter::RecoveryPaused { name, paused } => write_letter!(
                head,
                "Resetting your password is paused".to_owned(),
                RecoveryPausedText,
                RecoveryPausedHtml {
                    greeting: &greeting(*name),
                    pause: &self.pause(*paused),
                    login: &self.page(&self.paths.login),
                }
            ),
            Letter::NewDevice {
                name,
                at,
                browser,
                network,
            } => write_letter!(
                head,
                "New login to your account".to_owned(),
                NewDeviceText,
                NewDeviceHtml {
                    greeting: &greeting(*name),
                    when: &self.moment(*at),
                    browser: &plain(browser),
                    network: &plain(network),
                    forgotten_password: reset,
                    sessions: &self.page(&self.paths.sessions),
                }
            ),
            Letter::AccountClosing {
                name,
                link,
                closed_at,
                browser,
            } => write_letter!(
                head,
                format!(
                    "Your account will be closed on {}",
                    self.time.day(link.expires_at, self.now)
                ),
                AccountClosingText,
                AccountClosingHtml {
                    greeting: &greeting(*name),
                    when: &self.moment(*closed_at),
                    browser: &browser.map(plain),
                    until: &self.moment(link.expires_at),
                    link: &self.link(&self.paths.restore_account, link),
                }
            ),
            Letter::UnusualSignIn {
                name,
                what: attempts,
                at,
                browser,
            } => write_letter!(
                head,
                "Login attempts on your account".to_owned(),
                UnusualSignInText,
                UnusualSignInHtml {
                    greeting: &greeting(*name),
                    what: attempts,
                    when: &self.moment(*at),
                    browser: &plain(browser),
                    sessions: &self.page(&self.paths.sessions),
                    forgotten_password: reset,
                }
            ),
            Letter::TooManyTries { name, closed } => write_letter!(
                head,
                self.subject("Too many login attempts", "Gormod o ymdrechion i fewngofnodi"),
                TooManyTriesText,
                TooManyTriesHtml {
                    greeting: &greeting_in(head.spoken, *name),
                    closure: &self.closure(*closed),
                    forgotten_password: reset,
                }
            ),
            Letter::AdministratorActed { name, act, acted_at } => {
                let (was_done, to_do) = act_in_words(*act);
                write_letter!(
                    head,
                    "Your account was changed by an administrator".to_owned(),
                    AdministratorActedText,
                    AdministratorActedHtml {
                        greeting: &greeting(*name),
                        when: &self.moment(*acted_at),
                        done: was_done,
                        next: to_do,
                    }
                )
            }
            Letter::Host {
                name,
                subject,
                reference,
                lines,
            } => {
                let said = paragraphs(lines);
                write_letter!(
                    head,
                    format!("{} ({})", plain(subject), plain(reference)),
                    HostText,
                    HostHtml {
                        greeting: &greeting(*name),
                        paragraphs: &said,
                    }
                )
            }
        }
    }

    fn pause(&self, paused: Paused) -> Pause {
        match paused {
            Paused::UntilAdministrator => Pause::UntilAdministrator,
            // The mail may have waited longer than the pause lasted.
            Paused::Until(until) if until <= self.now => Pause::Over,
            Paused::Until(until) => Pause::Until(self.moment(until)),
        }
    }

    fn closure(&self, closed: Closed) -> Closure {
        match closed {
            Closed::Codes => Closure::Codes,
            Closed::PasswordsUntilReset => Closure::UntilReset,
            // The mail may have waited longer than the pause lasted.
            Closed::PasswordsUntil(until) if until <= self.now => Closure::Over,
            Closed::PasswordsUntil(until) => Closure::Until(self.moment(until)),
        }
    }

    fn moment(&self, at: Timestamp) -> String {
        self.time.spoken_moment(self.head.spoken, at, self.now)
    }

    fn span(&self, span: Duration) -> String {
        spoken_span(self.head.spoken, span)
    }

    /// A browser that a row keeps in English.
    fn browser(&self, label: &str) -> String {
        plain(&spoken_label(self.head.spoken, label))
    }

    fn subject(&self, english: &str, welsh: &str) -> String {
        match self.head.spoken {
            Spoken::English => english.to_owned(),
            Spoken::Welsh => welsh.to_owned(),
        }
    }

    /// Where a link leads: its page, with the token as `?t=`.
    fn link(&self, path: &str, link: &MailedLink<'_>) -> String {
        format!("{}?t={}", self.page(path), link.token)
    }

    fn way_back(&self, path: &str, link: Option<&MailedLink<'_>>) -> Option<WayBack> {
        link.map(|link| WayBack {
            link: self.link(path, link),
            until: self.moment(link.expires_at),
        })
    }

    /// A page's URL, from the configured base alone (MAIL-7, CFG-2).
    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.as_str().trim_end_matches('/'))
    }
}

/// What was done to an account, and what its owner can do now.
const fn act_in_words(act: AdministratorAct) -> (&'static str, &'static str) {
    match act {
        AdministratorAct::Disabled => (
            "Your account was disabled, and you are logged out everywhere.",
            "You cannot log in until it is enabled again. Your password and your details are kept.",
        ),
        AdministratorAct::Enabled => (
            "Your account was enabled.",
            "You can log in with the password that you had.",
        ),
        AdministratorAct::SessionsEnded => (
            "You are logged out everywhere.",
            "Your password is still the same: log in again when you need to.",
        ),
        AdministratorAct::Unlocked => (
            "The waits after too many tries were lifted.",
            "You can log in, or reset your password, at once.",
        ),
        AdministratorAct::TwoStepCleared => (
            "Two Step Verification was turned off, and you are logged out everywhere.",
            "Log in again, and turn it on again under \"My Account\" as soon as you can.",
        ),
        AdministratorAct::ResetStarted => (
            "A reset of your password was started.",
            "The link for it comes in an email of its own. Until you set a new password with it, everything stays as it was.",
        ),
    }
}

impl ResetBegun<'_> {
    fn in_words(self) -> Begun {
        match self {
            Self::Asked(browser) => Begun::Asked(plain(browser)),
            Self::Waited => Begun::Waited,
            Self::Administrator => Begun::Administrator,
        }
    }
}

fn finish(
    subject: String,
    text: askama::Result<String>,
    html: askama::Result<String>,
) -> Result<Rendered, Fault> {
    let failed = |e: askama::Error| Fault::permanent("the template of a mail failed").because(e);
    Ok(Rendered {
        subject,
        text: wrap(&text.map_err(failed)?),
        html: html.map_err(failed)?,
    })
}

#[cfg(test)]
#[path = "writing_tests.rs"]
mod tests;
