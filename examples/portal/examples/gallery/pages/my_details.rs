//! What a person changes about themselves, and Change of Circumstances.

use portal_auth::password::policy::PasswordPolicy;

use super::{
    EMAIL, Gallery, about_fields, at, errors, failed, no_role_fields, role_fields, row, signed_in, wrong_here,
};
use crate::views::{
    change::{ChangeEmail, ChangePassword, ChangeSecretQuestion},
    circumstances::{Circumstances, ReportCard},
    details::Addresses,
    layout::{FieldMessage, Notice, Place},
    menu::menu,
    messages::{self, message},
    profile::{PersonalDetails, ProfessionalRoles, RemoveRole, RoleCard, RoleForm, SavedMeanwhile},
    register::Choice,
    take_back::{ConfirmEmail, SomebodyElse, TakeBack, TakenBack},
};

impl Gallery {
    pub(super) fn changes(&mut self) -> Result<(), askama::Error> {
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
        let wrong = errors(&[
            ("password", "password.required"),
            ("new-password", "password.required"),
        ]);
        self.write(
            "change-password-errors",
            &password(wrong_here(title, wrong), None),
        )?;
        let title = "Change Secret Question";
        let wrong = vec![FieldMessage::new(
            "answer",
            &message("answer.common", None, "Secret Answer"),
        )];
        for (name, page, chosen) in [
            ("change-secret-question", signed_in(title, Place::Account), ""),
            (
                "change-secret-question-errors",
                wrong_here(title, wrong),
                "first-pet",
            ),
        ] {
            let question = ChangeSecretQuestion {
                page,
                menu: menu("/account/change-secret-question"),
                username: EMAIL.to_owned(),
                question: chosen.to_owned(),
                questions: vec![Choice::new("first-pet", "The name of your first pet?")],
                own_question: None,
                confirm: None,
            };
            self.write(name, &question)?;
        }
        let title = "Confirm your new email address";
        let wrong = vec![FieldMessage::new("password", messages::PASSWORD_NOT_CORRECT)];
        for (name, page) in [
            ("confirm-email", at(title, Place::Account)),
            ("confirm-email-errors", failed(title, wrong)),
        ] {
            self.write(
                name,
                &ConfirmEmail {
                    page,
                    email: "jo@college.example".to_owned(),
                    asks_password: true,
                },
            )?;
        }
        let page = signed_in("Somebody else is logged in here", Place::Account);
        self.write("somebody-else", &SomebodyElse { page })?;
        let title = "Freeze the account";
        let wrong = errors(&[("email", "email.required")]);
        for (name, page) in [
            ("take-back", at(title, Place::Login)),
            ("take-back-errors", failed(title, wrong)),
        ] {
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
            self.write(name, &take_back)?;
        }
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

    pub(super) fn my_details(&mut self) -> Result<(), askama::Error> {
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
        let wrong = errors(&[("surname", "surname.required")]);
        self.write(
            "personal-details-errors",
            &details(wrong_here(title, wrong), None),
        )?;
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
        let wrong = errors(&[
            ("role", "role.required"),
            ("organisation", "organisation.required"),
        ]);
        let title = "Add another Professional Role";
        for (name, page) in [
            ("role-add", signed_in(title, Place::Account)),
            ("role-add-errors", wrong_here(title, wrong)),
        ] {
            let empty = RoleForm {
                number: None,
                work: no_role_fields("Teacher"),
                ..form(page, Addresses::NotAsked, None)
            };
            self.write(name, &empty)?;
        }
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

    pub(super) fn circumstances(&mut self) -> Result<(), askama::Error> {
        let title = "Change of Circumstances";
        let text = |words: &str| words.to_owned();
        let choice = |value: &str, words: &str| Choice {
            value: text(value),
            text: text(words),
        };
        let form = |page, told, details: &str| Circumstances {
            page,
            menu: menu("/account/change-of-circumstances"),
            administered: true,
            changes: vec![
                choice("new-role", "New role"),
                choice("new-organisation", "New organisation"),
                choice("new-name", "New name"),
                choice("left", "Left the organisation"),
                choice("other", "Other"),
            ],
            change: text(if details.is_empty() { "" } else { "other" }),
            day: text(if details.is_empty() { "" } else { "30" }),
            month: text(if details.is_empty() { "" } else { "2" }),
            year: text(if details.is_empty() { "" } else { "2026" }),
            example: text("3 5 2026"),
            details: text(details),
            most: 1000,
            report: text("form"),
            told,
            cut: false,
        };
        self.write(
            "circumstances",
            &form(signed_in(title, Place::Account), Vec::new(), ""),
        )?;
        let mut page = signed_in(title, Place::Account);
        page.errors = vec![
            FieldMessage::new("change", "Choose what has changed"),
            FieldMessage::new("date-day", "Enter a real date, like 3 May 2026"),
            FieldMessage::new("details", "Details must be 1,000 characters or fewer: 3 too many"),
        ];
        self.write(
            "circumstances-wrong",
            &form(page, Vec::new(), "Typed\nin two lines"),
        )?;
        let mut page = signed_in(title, Place::Account);
        let sent = "We have your change of circumstances. Your reference number is CC-7F3K-92QD. We have sent it to your \
                    email address as well. If you do not need your account any more:";
        page.notice = Some(Notice::done(sent).with_link("Close your account", "/account/close"));
        let card = |reference: &str, change: &str, details: &str| ReportCard {
            reference: text(reference),
            change: text(change),
            on: text("3 May 2026"),
            sent: text("10:41 am today"),
            details: text(details),
        };
        let told = vec![
            card("CC-7F3K-92QD", "Left the organisation", ""),
            card(
                "CC-XW04-T7M1",
                "New role",
                "Head of Year from May.\n\nMy line manager is now Ola Smith.",
            ),
        ];
        self.write("circumstances-sent", &form(page, told, ""))
    }
}
