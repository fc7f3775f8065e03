//! Writes every page in its states to a folder of static files, for looking at them and for checking them with axe:
//!
//! ```text
//! cargo run -p portal --example gallery -- target/gallery [cy]
//! python3 -m http.server --directory target/gallery
//! ```

use std::{env, error::Error, fs, path::Path};

use askama::Template;
use portal_auth::password::policy::PasswordPolicy;

#[path = "../src/views/mod.rs"]
#[allow(dead_code, reason = "the gallery shows the pages; handlers use the rest")]
mod views;

use views::{
    account::{AccountOverview, SummaryRow},
    activate::{CompleteRegistration, LinkNotUsable, Registered, WhyNotUsable},
    catalogue::Language,
    change::{ChangeEmail, ChangePassword, ChangeSecretQuestion},
    details::{AboutFields, Addresses, ManualAddress, RoleFields, RoleOption},
    errors::{ErrorPage, Problem, TryAgain},
    help::Help,
    home::{Area, AreaClosed, Home, SignedInHome, Tile},
    inbox::{Inbox, InboxMessage, InboxRow, Tab},
    layout::{FieldMessage, Notice, Page, Place, SignedInHeader, TimeOut},
    menu::menu,
    messages::{self, message},
    own_account::{Activity, ActivityLine, CloseAccount, RestoreAccount, SessionCard, Sessions, YourData},
    profile::{PersonalDetails, ProfessionalRoles, RemoveRole, RoleCard, RoleForm, SavedMeanwhile},
    recovery::{CancelRecovery, ForgottenPassword, Otherwise, ResetAnswer, ResetPassword, ResetPaused},
    register::{AboutYou, AlreadySent, Choice, SecurityDetails, Step, WorkDetails},
    sent::{Sent, Wait},
    sign_in::{CodeSent, ConfirmPassword, Login, LoginForm, TimedOut, VerifyCode},
    take_back::{ConfirmEmail, SomebodyElse, TakeBack, TakenBack},
    two_step::TwoStep,
};

const AREA: &str = "SEND (EHCP) & Early Help (EHAT)";
const EMAIL: &str = "jo.bloggs@school.example";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).unwrap_or_else(|| "target/gallery".to_owned());
    let gallery = Gallery {
        folder: Path::new(&folder),
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(gallery.folder.join("assets"))?;
    for asset in ["portal.css", "portal.js", "favicon.svg"] {
        fs::copy(
            here.join("assets").join(asset),
            gallery.folder.join("assets").join(asset),
        )?;
    }
    let roles = fs::read_to_string(here.join("content/roles.txt"))?;
    let home = fs::read_to_string(here.join("content/home.md"))?;
    gallery.before_login(&home)?;
    gallery.registration(&roles)?;
    gallery.links()?;
    gallery.after_login()?;
    gallery.problems()?;
    gallery.inbox()
}

struct Gallery<'a> {
    folder: &'a Path,
}

impl Gallery<'_> {
    fn write(&self, name: &str, view: &impl Template) -> Result<(), Box<dyn Error>> {
        Ok(fs::write(
            self.folder.join(format!("{name}.html")),
            view.render()?,
        )?)
    }

    fn before_login(&self, markdown: &str) -> Result<(), Box<dyn Error>> {
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
            remember_days: Some(7),
        };
        self.write("verify", &code)?;
        let wrong = FieldMessage::new("code", &message("code.too_short", Some(6), ""));
        let code = VerifyCode {
            page: failed(title, vec![wrong]),
            remember_days: None,
            ..code
        };
        self.write("verify-error", &code)?;
        self.write(
            "forgotten-password",
            &ForgottenPassword {
                page: titled("Forgotten your password?"),
                email: EMAIL.to_owned(),
            },
        )?;
        self.recovery()?;
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

    fn recovery(&self) -> Result<(), Box<dyn Error>> {
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
        self.write(
            "reset-password",
            &ResetPassword {
                page: titled("Choose a new password"),
                email: EMAIL.to_owned(),
                rules: policy.lines(),
                password_rules: policy.password_rules(),
            },
        )?;
        self.write(
            "reset-paused",
            &ResetPaused {
                page: titled("Resetting your password is paused"),
                until: Some("10:40 pm on 4 May".to_owned()),
            },
        )?;
        self.write(
            "cancel-recovery",
            &CancelRecovery {
                page: titled("Cancel the reset of your password"),
                masked_email: "j•••@school.example".to_owned(),
                due: "10:40 pm on 4 May".to_owned(),
                email: String::new(),
            },
        )
    }

    fn registration(&self, roles: &str) -> Result<(), Box<dyn Error>> {
        let title = "Registration: Security Details";
        let questions = vec![
            Choice::new("first-car", "The model of your first car?"),
            Choice::new("first-teacher", "The name of your first teacher?"),
        ];
        let plain = || SecurityDetails {
            page: at(title, Place::Register),
            steps: Step::list(1, 0),
            email: String::new(),
            email2: Some(String::new()),
            ask_password_twice: true,
            rules: PasswordPolicy::portal().lines(),
            password_rules: PasswordPolicy::portal().password_rules(),
            question: String::new(),
            questions: questions.clone(),
            secrets_are_set: false,
        };
        self.write("security-details", &plain())?;
        let wrong = errors(&[
            ("email", "email.required"),
            ("new-password", "password.required"),
            ("question", "question.required"),
            ("answer", "answer.required"),
        ]);
        self.write(
            "security-details-errors",
            &SecurityDetails {
                page: failed(title, wrong),
                ..plain()
            },
        )?;
        let about = |page| AboutYou {
            page,
            steps: Step::list(2, 1),
            about: about_fields(),
            advice: None,
            address_kept: false,
        };
        self.write(
            "about-you",
            &about(at("Registration: About you", Place::Register)),
        )?;
        let wrong = errors(&[("title", "title.required"), ("gender", "gender.required")]);
        let page = failed("Registration: About you", wrong);
        self.write(
            "about-you-errors",
            &AboutYou {
                about: AboutFields {
                    gender: String::new(),
                    ..about_fields()
                },
                ..about(page)
            },
        )?;

        let work = |page, addresses| WorkDetails {
            page,
            steps: Step::list(3, 2),
            work: role_fields(roles, addresses),
        };
        let title = "Registration: Work Details";
        self.write(
            "work-details",
            &work(at(title, Place::Register), Addresses::NotAsked),
        )?;
        let choices = vec![
            Choice::new("1", "Harbour School, 1 Harbour Road, Sheffield, S1 2HH"),
            Choice::new("2", "Harbour Nursery, 3 Harbour Road, Sheffield, S1 2HH"),
        ];
        let found = Addresses::Found {
            choices,
            chosen: "1".to_owned(),
        };
        self.write("work-details-found", &work(at(title, Place::Register), found))?;
        let manual = Addresses::Manual {
            why: Some(Language::ENGLISH.t("work-not-found").to_owned()),
        };
        let wrong = errors(&[
            ("role", "role.required"),
            ("town", "town.required"),
            ("mobile", "mobile.format"),
        ]);
        self.write("work-details-manual", &work(failed(title, wrong), manual))?;
        let page = titled("Registration sent");
        let next_href = "/account/register/sent".to_owned();
        self.write(
            "already-sent",
            &AlreadySent {
                page,
                next_href,
                next_text: "Check your email".to_owned(),
            },
        )
    }

    fn links(&self) -> Result<(), Box<dyn Error>> {
        let sent = |email: Option<&str>, wait| Sent {
            page: titled("Check your email"),
            email: email.map(str::to_owned),
            typed_email: String::new(),
            works_until: "10:40 pm today".to_owned(),
            lifetime: "12 hours".to_owned(),
            sender: "no-reply@portal.example".to_owned(),
            wait,
        };
        self.write(
            "sent",
            &sent(
                Some(EMAIL),
                Some(Wait {
                    seconds: 40,
                    until: "10:41 am".to_owned(),
                }),
            ),
        )?;
        self.write("sent-elsewhere", &sent(None, None))?;
        let masked_email = "j•••@school.example".to_owned();
        let page = titled("Confirm your email address");
        self.write(
            "complete-registration",
            &CompleteRegistration {
                page,
                masked_email,
                prepared: false,
            },
        )?;
        let page = titled("Thank you for registering");
        self.write(
            "registered",
            &Registered {
                page,
                email: Some(EMAIL.to_owned()),
            },
        )?;
        let (stopped_at, lifetime) = ("10:40 pm on 3 May".to_owned(), "12 hours".to_owned());
        for (name, title, why) in [
            (
                "link-expired",
                "This link has expired",
                WhyNotUsable::Expired {
                    stopped_at,
                    lifetime,
                    renewable: true,
                },
            ),
            ("link-over", "This registration is over", WhyNotUsable::Over),
            ("link-replaced", "There is a newer link", WhyNotUsable::Replaced),
            (
                "link-unknown",
                "We do not know this link",
                WhyNotUsable::Unknown { typed: String::new() },
            ),
        ] {
            self.write(
                name,
                &LinkNotUsable {
                    page: titled(title),
                    why,
                },
            )?;
        }
        Ok(())
    }

    fn after_login(&self) -> Result<(), Box<dyn Error>> {
        let tiles = vec![Tile {
            heading: AREA.to_owned(),
            href: "/areas/send-ehat".to_owned(),
            description: "Assessments, plans, reviews and advice. Needs Two Step Verification.".to_owned(),
        }];
        let last_login = Some("today at 10:40 am with Firefox on Windows".to_owned());
        let (page, forename) = (signed_in("Home", Place::Home), "Jo".to_owned());
        self.write(
            "signed-in-home",
            &SignedInHome {
                page,
                forename,
                tiles: tiles.clone(),
                last_login,
                missing: None,
            },
        )?;
        let page = signed_in("Two Step Verification is needed here", Place::Elsewhere);
        self.write(
            "area-closed",
            &AreaClosed {
                page,
                area: AREA.to_owned(),
                next: "/areas/send-ehat".to_owned(),
            },
        )?;
        let page = signed_in(AREA, Place::Elsewhere);
        self.write(
            "area",
            &Area {
                page,
                area: AREA.to_owned(),
                tiles,
            },
        )?;

        let change = Some("/account/two-step-verification".to_owned());
        let rows = [
            ("Email Address", EMAIL, None),
            ("Two Step Verification", "Off", change),
        ]
        .map(|(key, value, change)| SummaryRow {
            key: key.to_owned(),
            value: value.to_owned(),
            change,
        });
        let overview = AccountOverview {
            page: signed_in("My Account", Place::Account),
            menu: menu("/account"),
            rows: rows.into(),
        };
        self.write("account", &overview)?;
        self.my_details()?;
        self.changes()?;
        self.own_account()?;
        let mut page = signed_in("Two Step Verification", Place::Account);
        page.notice = Some(Notice::done(Language::ENGLISH.t("nothing-changed")));
        let (preferred_method, areas) = ("none".to_owned(), vec![AREA.to_owned()]);
        self.write(
            "two-step",
            &TwoStep {
                page,
                menu: menu("/account/two-step-verification"),
                preferred_method,
                areas,
                next: None,
            },
        )?;
        let page = signed_in("Confirm it is you", Place::Account);
        let (email, code) = (EMAIL.to_owned(), Some(code_sent()));
        self.write(
            "confirm-password",
            &ConfirmPassword {
                page,
                email,
                code,
                next: None,
            },
        )
    }

    fn own_account(&self) -> Result<(), Box<dyn Error>> {
        let session = |handle: &str, browser: &str, this_one| SessionCard {
            handle: handle.to_owned(),
            browser: browser.to_owned(),
            network: "192.0.2.x".to_owned(),
            logged_in: "9:02 am today".to_owned(),
            last_used: "10:40 am today".to_owned(),
            this_one,
        };
        self.write(
            "sessions",
            &Sessions {
                page: signed_in("Where you are logged in", Place::Account),
                menu: menu("/account/sessions"),
                sessions: vec![
                    session("aa", "Firefox on Windows", true),
                    session("bb", "Safari on iPhone", false),
                ],
            },
        )?;
        let line = |what: &str, browser: &str| ActivityLine {
            when: "10:40 am today".to_owned(),
            what: what.to_owned(),
            browser: browser.to_owned(),
        };
        self.write(
            "activity",
            &Activity {
                page: signed_in("Account activity", Place::Account),
                menu: menu("/account/activity"),
                entries: vec![
                    line("You logged in.", "Firefox on Windows"),
                    line("Logging in was paused after too many wrong passwords.", ""),
                ],
                cut: true,
            },
        )?;
        let (grace, erased_from) = ("14 days".to_owned(), "10:40 am on 17 May".to_owned());
        let (title, your_data) = ("Download or close account", "/account/your-data");
        self.write(
            "your-data",
            &YourData {
                page: signed_in(title, Place::Account),
                menu: menu(your_data),
                grace: grace.clone(),
            },
        )?;
        let mut page = signed_in("Close your account", Place::Account);
        page.errors = vec![FieldMessage::new("password", "Password is not correct.")];
        self.write(
            "close-account",
            &CloseAccount {
                page,
                menu: menu("/account/close"),
                email: EMAIL.to_owned(),
                grace,
                erased_from: erased_from.clone(),
            },
        )?;
        self.write(
            "restore-account",
            &RestoreAccount {
                page: titled("Restore your account"),
                masked_email: "j•••@school.example".to_owned(),
                erased_from,
            },
        )
    }

    fn changes(&self) -> Result<(), Box<dyn Error>> {
        let title = "Change Email Address";
        let email = |page, typed: &str| ChangeEmail {
            page,
            menu: menu("/account/change-email-address"),
            username: EMAIL.to_owned(),
            email: typed.to_owned(),
            email2: String::new(),
            confirm: None,
        };
        self.write("change-email", &email(signed_in(title, Place::Account), ""))?;
        let mut page = signed_in(title, Place::Account);
        page.errors = errors(&[("email2", "email2.mismatch"), ("password", "password.required")]);
        self.write("change-email-errors", &email(page, "jo@college.example"))?;
        let policy = PasswordPolicy::portal();
        let password = |page, confirm: Option<&str>| ChangePassword {
            page,
            menu: menu("/account/change-password"),
            username: EMAIL.to_owned(),
            rules: policy.lines(),
            password_rules: policy.password_rules(),
            confirm: confirm.map(str::to_owned),
        };
        let title = "Change Password";
        let confirm = "/account/confirm-password?next=%2Faccount%2Fchange-password";
        self.write(
            "change-password",
            &password(signed_in(title, Place::Account), Some(confirm)),
        )?;
        let mut page = signed_in(title, Place::Account);
        page.notice = Some(Notice::done(messages::PASSWORD_CHANGED));
        self.write("change-password-done", &password(page, None))?;
        let mut page = signed_in("Change Secret Question", Place::Account);
        page.errors = vec![FieldMessage::new(
            "answer",
            &message("answer.common", None, "Secret Answer"),
        )];
        let question = ChangeSecretQuestion {
            page,
            menu: menu("/account/change-secret-question"),
            username: EMAIL.to_owned(),
            question: String::new(),
            questions: vec![Choice::new("first-pet", "The name of your first pet?")],
            confirm: None,
        };
        self.write("change-secret-question", &question)?;
        self.write(
            "confirm-email",
            &ConfirmEmail {
                page: at("Confirm your new email address", Place::Account),
                email: "jo@college.example".to_owned(),
                asks_password: true,
            },
        )?;
        let page = signed_in("Somebody else is logged in here", Place::Account);
        self.write("somebody-else", &SomebodyElse { page })?;
        let mut page = at("Freeze the account", Place::Login);
        page.errors = vec![FieldMessage::new(
            "email",
            &message("email.required", None, "Email Address"),
        )];
        let take_back = TakeBack {
            page,
            path: "/account/freeze",
            lead: &[
                "The email address of your account was changed. If that was not you, freeze the account.",
            ],
            masked: "j\u{2022}\u{2022}\u{2022}@school.example".to_owned(),
            email: String::new(),
            button: "Freeze the account",
        };
        self.write("take-back", &take_back)?;
        self.write(
            "taken-back",
            &TakenBack {
                page: at("The account is frozen", Place::Login),
                afterwards: &["Nobody can log in to it."],
                href: "/help",
                text: "Need help?",
            },
        )
    }

    fn my_details(&self) -> Result<(), Box<dyn Error>> {
        let title = "Personal Details";
        let mut page = signed_in(title, Place::Account);
        page.notice = Some(Notice::done(messages::PERSONAL_DETAILS_SAVED));
        let details = |page, saved| PersonalDetails {
            page,
            menu: menu("/account/personal-details"),
            about: about_fields(),
            version: String::new(),
            saved,
        };
        self.write("personal-details", &details(page, None))?;
        let clash = |title: &str| {
            let mut page = signed_in(title, Place::Account);
            page.errors = vec![FieldMessage::general(&messages::saved_meanwhile("10:41 am"))];
            page
        };
        let saved = |rows: &[(&str, &str)]| {
            Some(SavedMeanwhile {
                heading: "Saved at 10:41 am with Firefox on Windows".to_owned(),
                rows: rows.iter().map(|(key, value)| row(key, value)).collect(),
            })
        };
        let names = saved(&[
            ("Forename", "Joanna"),
            ("Surname", "Bloggs"),
            ("Gender", "Female"),
        ]);
        self.write("personal-details-two-tabs", &details(clash(title), names))?;

        let card = |number, role: &str, main| RoleCard {
            number,
            role: role.to_owned(),
            organisation: "Harbour School".to_owned(),
            rows: vec![
                row("Organisation Name", "Harbour School"),
                row("Address", "1 Harbour Road, Sheffield, S1 2HH"),
                row("Work Phone", "0114 273 4567 x123"),
            ],
            main,
        };
        for (name, cards) in [
            (
                "roles",
                vec![card(1, "Teacher", true), card(2, "Caseworker", false)],
            ),
            ("role-alone", vec![card(1, "Teacher", true)]),
        ] {
            let roles = ProfessionalRoles {
                page: signed_in("Work Details", Place::Account),
                menu: menu("/account/work-details"),
                cards,
                seen: String::new(),
            };
            self.write(name, &roles)?;
        }
        let form = |page, addresses, saved| RoleForm {
            page,
            menu: menu("/account/work-details"),
            number: Some(1),
            work: role_fields("Teacher\nSocial Worker | SW", addresses),
            seen: String::new(),
            saved,
        };
        let title = "Change a Professional Role";
        let manual = || Addresses::Manual { why: None };
        self.write(
            "role-change",
            &form(signed_in(title, Place::Account), manual(), None),
        )?;
        let other = saved(&[
            ("Professional Role", "Teacher"),
            ("Organisation Name", "Vale School"),
        ]);
        self.write("role-two-tabs", &form(clash(title), manual(), other))?;
        let title = "Remove this Professional Role?";
        self.write(
            "role-remove",
            &RemoveRole {
                page: signed_in(title, Place::Account),
                menu: menu("/account/work-details"),
                card: card(2, "Caseworker", false),
                seen: String::new(),
            },
        )
    }

    fn problems(&self) -> Result<(), Box<dyn Error>> {
        let fields = vec![("forename".to_owned(), "Jo".to_owned())];
        let again = Some(TryAgain {
            action: "/account/register/about-you".to_owned(),
            fields,
        });
        for (name, problem) in [
            ("403", Problem::OtherSite),
            ("404", Problem::NotFound),
            (
                "413",
                Problem::TooLarge {
                    limit: "1 MB".to_owned(),
                },
            ),
            (
                "421",
                Problem::OtherAddress {
                    base_url: "https://portal.example".to_owned(),
                },
            ),
            ("429", Problem::TooManyTries { minutes: 15 }),
            (
                "500",
                Problem::Broken {
                    reference: "7KQ2-M4XD".to_owned(),
                },
            ),
            (
                "503",
                Problem::Unavailable {
                    until: Some("10:40 pm today".to_owned()),
                    again,
                },
            ),
        ] {
            self.write(
                name,
                &ErrorPage {
                    page: titled(problem.title()),
                    problem,
                },
            )?;
        }
        Ok(())
    }

    fn inbox(&self) -> Result<(), Box<dyn Error>> {
        let mail = |id: &str, subject: &str| InboxRow {
            id: id.to_owned(),
            to: EMAIL.to_owned(),
            subject: subject.to_owned(),
            age: "2 minutes ago".to_owned(),
        };
        let code = mail("b2", "Your Verification Code");
        let messages = vec![
            code.clone(),
            mail("a1", "Complete your registration - Professional Portal"),
        ];
        let delivery = Some("normal".to_owned());
        self.write(
            "inbox",
            &Inbox {
                page: titled("Mail"),
                to: String::new(),
                messages,
                delivery,
                clock_moves: true,
            },
        )?;
        let text = "482 913 is your Verification Code\n\nIt works until 10:52 am.\n".to_owned();
        let headers = vec![
            ("To".to_owned(), EMAIL.to_owned()),
            ("Auto-Submitted".to_owned(), "auto-generated".to_owned()),
        ];
        for (name, tab) in [
            ("inbox-text", Tab::Text(text.clone())),
            ("inbox-html", Tab::Html),
            ("inbox-headers", Tab::Headers(headers)),
            ("inbox-source", Tab::Source(text)),
        ] {
            let links = vec![format!(
                "https://portal.example/account/complete-registration?t={}",
                "k".repeat(43)
            )];
            let (page, message, codes) = (titled("Mail"), code.clone(), vec!["482913".to_owned()]);
            self.write(
                name,
                &InboxMessage {
                    page,
                    message,
                    links,
                    codes,
                    tab,
                },
            )?;
        }
        Ok(())
    }
}

fn titled(title: &str) -> Page {
    let help_email = Some("help@portal.example".to_owned());
    Page {
        help_email,
        language: language(),
        chosen: language(),
        ..Page::new(title, "Professional Portal", "form-token", "1")
    }
}

/// The second argument's language; the values that the gallery itself puts in stay English.
fn language() -> Language {
    let tag = env::args().nth(2).unwrap_or_default();
    Language::from_tag(&tag).unwrap_or(Language::ENGLISH)
}

fn at(title: &str, here: Place) -> Page {
    Page {
        here,
        ..titled(title)
    }
}

fn failed(title: &str, errors: Vec<FieldMessage>) -> Page {
    Page {
        errors,
        ..titled(title)
    }
}

fn signed_in(title: &str, here: Place) -> Page {
    let person = SignedInHeader {
        name: "Jo Bloggs".to_owned(),
        idle_limit: "30 minutes".to_owned(),
        time_out: TimeOut {
            left: 1800,
            warn: 120,
            warn_words: "2 minutes".to_owned(),
            longest: "12 hours".to_owned(),
            longest_until: "10:40 pm".to_owned(),
        },
    };
    Page {
        signed_in: Some(person),
        ..at(title, here)
    }
}

fn errors(reasons: &[(&str, &str)]) -> Vec<FieldMessage> {
    reasons
        .iter()
        .map(|(field, reason)| FieldMessage::new(field, &message(reason, None, field)))
        .collect()
}

fn code_sent() -> CodeSent {
    let [masked_email, sent_at, works_until] =
        ["j•••@school.example", "10:42 am", "10:52 am"].map(str::to_owned);
    CodeSent {
        masked_email,
        sent_at,
        works_until,
    }
}

fn row(key: &str, value: &str) -> SummaryRow {
    SummaryRow {
        key: key.to_owned(),
        value: value.to_owned(),
        change: None,
    }
}

fn about_fields() -> AboutFields {
    AboutFields {
        title: String::new(),
        forename: "Jo".to_owned(),
        surname: "Bloggs".to_owned(),
        gender: "another".to_owned(),
        gender_other: String::new(),
    }
}

fn role_fields(roles: &str, addresses: Addresses) -> RoleFields {
    RoleFields {
        role: String::new(),
        roles: roles.lines().filter_map(role).collect(),
        organisation: "Harbour School".to_owned(),
        postcode: "S1 2HH".to_owned(),
        addresses,
        manual: ManualAddress::default(),
        mobile: String::new(),
        work_phone: String::new(),
    }
}

fn role(line: &str) -> Option<RoleOption> {
    let mut parts = line
        .split('|')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned);
    Some(RoleOption {
        name: parts.next()?,
        aliases: parts.collect(),
    })
}
