//! Registering in three steps, and the links that are mailed.

use portal_auth::password::policy::PasswordPolicy;

use super::{EMAIL, Gallery, about_fields, at, errors, failed, no_role_fields, role_fields, titled};
use crate::views::{
    account::SummaryRow,
    activate::{CompleteRegistration, LinkNotUsable, Registered, WhyNotUsable},
    catalogue::Language,
    details::{AboutFields, Addresses},
    layout::{FieldMessage, Place},
    messages,
    register::{AboutYou, AlreadySent, CheckAnswers, Choice, SecurityDetails, Step, WorkDetails},
    sent::{Sent, Wait},
};

impl Gallery {
    pub(super) fn registration(&mut self, roles: &str) -> Result<(), askama::Error> {
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
            own_question: None,
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
        self.write(
            "security-details-filled",
            &SecurityDetails {
                email: EMAIL.to_owned(),
                email2: Some(EMAIL.to_owned()),
                question: "first-car".to_owned(),
                secrets_are_set: true,
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
        self.write(
            "about-you-empty",
            &AboutYou {
                about: no_about_fields(),
                ..about(at("Registration: About you", Place::Register))
            },
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
            is_last: true,
            work: role_fields(roles, addresses),
        };
        let title = "Registration: Work Details";
        self.write(
            "work-details",
            &work(at(title, Place::Register), Addresses::NotAsked),
        )?;
        self.write(
            "work-details-empty",
            &WorkDetails {
                work: no_role_fields(roles),
                ..work(at(title, Place::Register), Addresses::NotAsked)
            },
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
        let change = |key: &str, value: &str| SummaryRow {
            key: key.to_owned(),
            value: value.to_owned(),
            change: Some("/account/register/work-details".to_owned()),
        };
        self.write(
            "check-answers",
            &CheckAnswers {
                page: at("Check your answers", Place::Register),
                steps: Step::list(4, 3),
                rows: vec![
                    change("Email Address", EMAIL),
                    change("Password", "Set"),
                    change("Secret Question", "The model of your first car?"),
                    change("Secret Answer", "Set"),
                    change("Title", "Dr"),
                    change("Forename", "Jo"),
                    change("Surname", "Bloggs"),
                    change("Gender", "Prefer not to say"),
                    change("Professional Role", "Educational Psychologist"),
                    change("Organisation Name", "Harbour School"),
                    change("Address", "1 Harbour Road, Sheffield, S1 2HH"),
                    change("Mobile Number", "Not given"),
                    change("Work Phone", "01632 960 001"),
                ],
            },
        )?;
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

    pub(super) fn links(&mut self) -> Result<(), askama::Error> {
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
        let wrong = errors(&[("email", "email.required")]);
        self.write(
            "sent-errors",
            &Sent {
                page: failed("Check your email", wrong),
                ..sent(None, None)
            },
        )?;
        let masked_email = "j•••@school.example".to_owned();
        let title = "Confirm your email address";
        let wrong = vec![FieldMessage::new("password", messages::PASSWORD_NOT_CORRECT)];
        for (name, page) in [
            ("complete-registration", titled(title)),
            ("complete-registration-errors", failed(title, wrong)),
        ] {
            self.write(
                name,
                &CompleteRegistration {
                    page,
                    masked_email: masked_email.clone(),
                    prepared: false,
                },
            )?;
        }
        let page = titled("Thank you for registering");
        self.write(
            "registered",
            &Registered {
                page,
                email: Some(EMAIL.to_owned()),
                two_step: Some("areas"),
            },
        )?;
        let (stopped_at, lifetime) = ("10:40 pm on 3 May".to_owned(), "12 hours".to_owned());
        let typed = || WhyNotUsable::Unknown {
            typed: "https://portal.example/account/complete-reg".to_owned(),
        };
        let wrong = vec![FieldMessage::new("link", "Paste the whole link from the email")];
        self.write(
            "link-unknown-errors",
            &LinkNotUsable {
                page: failed("We do not know this link", wrong),
                why: typed(),
            },
        )?;
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
}

fn no_about_fields() -> AboutFields {
    AboutFields {
        title: String::new(),
        forename: String::new(),
        surname: String::new(),
        gender: String::new(),
        gender_other: String::new(),
    }
}
