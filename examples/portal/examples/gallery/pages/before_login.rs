//! The front page, logging in, and forgotten passwords.

use portal_auth::password::policy::PasswordPolicy;

use super::{EMAIL, Gallery, at, code_sent, errors, failed, titled};
use crate::views::{
    catalogue::Language,
    help::Help,
    home::Home,
    language::ChooseLanguage,
    layout::{FieldMessage, Notice, Place},
    mailed_link::{LinkOver, WhyOver},
    messages::message,
    recovery::{CancelRecovery, ForgottenPassword, Otherwise, ResetAnswer, ResetPassword, ResetPaused},
    sign_in::{Login, LoginForm, TimedOut, VerifyCode},
};

impl Gallery {
    pub(super) fn before_login(&mut self, markdown: &str) -> Result<(), askama::Error> {
        let mut content_html = String::new();
        let markdown = markdown
            .replace("{{link_lifetime}}", "12 hours")
            .replace("{{idle_timeout}}", "30 minutes")
            .replace("{{code_lifetime}}", "10 minutes");
        pulldown_cmark::html::push_html(&mut content_html, pulldown_cmark::Parser::new(&markdown));
        self.write(
            "home",
            &Home {
                page: at("Home", Place::Home),
                login: LoginForm::default(),
                content_html,
            },
        )?;

        let login = LoginForm {
            email: EMAIL.to_owned(),
            next: Some("/areas/send-ehat".to_owned()),
        };
        let mut page = at("Login", Place::Login);
        page.notice = Some(Notice::done(Language::ENGLISH.t("two-step-on")));
        self.write(
            "login",
            &Login {
                page,
                login: LoginForm::default(),
            },
        )?;
        let wrong = FieldMessage::general(&message("sign_in.wrong", None, ""));
        self.write(
            "login-wrong",
            &Login {
                page: failed("Login", vec![wrong]),
                login: login.clone(),
            },
        )?;
        self.write(
            "login-filled",
            &Login {
                page: at("Login", Place::Login),
                login: login.clone(),
            },
        )?;
        let missing = errors(&[("email", "email.required"), ("password", "password.required")]);
        let mut page = failed("Login", missing);
        page.notice = Some(Notice::stale_form_in(Language::ENGLISH));
        self.write(
            "login-empty",
            &Login {
                page,
                login: LoginForm::default(),
            },
        )?;
        let page = titled("Timed out");
        self.write(
            "timed-out",
            &TimedOut {
                page,
                login,
                idle_limit: "30 minutes".to_owned(),
                longest: None,
                saved: true,
            },
        )?;

        let title = "Verification Code sent";
        let code = VerifyCode {
            page: titled(title),
            sent: code_sent(),
            next: None,
        };
        self.write("verify", &code)?;
        let wrong = FieldMessage::new("code", &message("code.too_short", Some(6), ""));
        let code = VerifyCode {
            page: failed(title, vec![wrong]),
            ..code
        };
        self.write("verify-error", &code)?;
        let title = "Forgotten your password?";
        let mut sent = titled(title);
        let told = "If the address has an account, an email is on its way. The link works for 1 hour.";
        sent.notice = Some(Notice::done(told));
        let wrong = errors(&[("email", "email.required")]);
        for (name, page, email) in [
            ("forgotten-password", titled(title), ""),
            ("forgotten-password-filled", titled(title), EMAIL),
            ("forgotten-password-errors", failed(title, wrong), ""),
            ("forgotten-password-sent", sent, ""),
        ] {
            let email = email.to_owned();
            self.write(name, &ForgottenPassword { page, email })?;
        }
        self.recovery()?;
        let page = titled("Language");
        self.write("language", &ChooseLanguage { page })?;
        let lifetimes = ["12 hours", "10 minutes", "30 minutes"].map(str::to_owned);
        let [link_lifetime, code_lifetime, idle_limit] = lifetimes;
        let sender = "no-reply@portal.example".to_owned();
        self.write(
            "help",
            &Help {
                page: titled("Help"),
                sender,
                link_lifetime,
                code_lifetime,
                idle_limit,
            },
        )
    }

    fn recovery(&mut self) -> Result<(), askama::Error> {
        let delay = "24 hours".to_owned();
        let answer = ResetAnswer {
            page: titled("Reset your password"),
            question: Some("The model of your first car?".to_owned()),
            tries_left: 3,
            otherwise: Otherwise::Delayed { delay },
        };
        self.write("reset-answer", &answer)?;
        let wrong = FieldMessage::new("answer", "Secret Answer is not correct. 2 tries left.");
        self.write(
            "reset-answer-error",
            &ResetAnswer {
                page: failed("Reset your password", vec![wrong]),
                tries_left: 2,
                otherwise: Otherwise::Administrator,
                ..answer
            },
        )?;
        let policy = PasswordPolicy::portal();
        let title = "Choose a new password";
        let wrong = errors(&[("new-password", "password.required")]);
        for (name, page) in [
            ("reset-password", titled(title)),
            ("reset-password-errors", failed(title, wrong)),
        ] {
            self.write(
                name,
                &ResetPassword {
                    page,
                    email: EMAIL.to_owned(),
                    rules: policy.lines(),
                    password_rules: policy.password_rules(),
                },
            )?;
        }
        self.links_over()?;
        self.write(
            "reset-paused",
            &ResetPaused {
                page: titled("Resetting your password is paused"),
                until: Some("10:40 pm on 4 May".to_owned()),
            },
        )?;
        let title = "Cancel the reset of your password";
        let wrong = errors(&[("email", "email.required")]);
        for (name, page) in [
            ("cancel-recovery", titled(title)),
            ("cancel-recovery-errors", failed(title, wrong)),
        ] {
            self.write(
                name,
                &CancelRecovery {
                    page,
                    masked_email: "j•••@school.example".to_owned(),
                    due: "10:40 pm on 4 May".to_owned(),
                    email: String::new(),
                },
            )?;
        }
        Ok(())
    }

    fn links_over(&mut self) -> Result<(), askama::Error> {
        let said =
            WhyOver::Said("This link stopped working at 10:40 pm on 3 May. Links last 1 hour.".to_owned());
        let unknown = || WhyOver::Unknown { typed: String::new() };
        let wrong = vec![FieldMessage::new("link", "Paste the whole link from the email")];
        let unknown_title = "Check that the whole link was copied";
        for (name, page, why) in [
            ("reset-link-over", titled("This link has stopped working"), said),
            ("reset-link-unknown", titled(unknown_title), unknown()),
            ("reset-link-errors", failed(unknown_title, wrong), unknown()),
        ] {
            self.write(
                name,
                &LinkOver {
                    page,
                    path: "/account/reset-password",
                    why,
                    href: "/account/forgotten-password",
                    text: "Ask for a new link",
                },
            )?;
        }
        Ok(())
    }
}
