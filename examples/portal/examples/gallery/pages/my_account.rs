//! Home, areas and My Account of somebody who is signed in.

use super::{AREA, EMAIL, Gallery, code_sent, failed, signed_in, titled, wrong_here};
use crate::views::{
    account::{AccountOverview, SummaryRow},
    catalogue::Language,
    home::{Area, AreaClosed, SignedInHome, Tile},
    layout::{FieldMessage, Notice, Place},
    menu::menu,
    messages::{self, message},
    own_account::{Activity, ActivityLine, CloseAccount, RestoreAccount, SessionCard, Sessions, YourData},
    sign_in::ConfirmPassword,
    two_step::TwoStep,
};

impl Gallery {
    pub(super) fn after_login(&mut self) -> Result<(), askama::Error> {
        let tiles = vec![Tile {
            heading: AREA.to_owned(),
            href: "/areas/send-ehat".to_owned(),
            description: "Assessments, plans, reviews and advice. Needs Two Step Verification.".to_owned(),
        }];
        let last_login = Some("today at 10:40 am with Firefox on Windows".to_owned());
        let missing = ("Gender".to_owned(), "/account/personal-details".to_owned());
        for (name, missing) in [
            ("signed-in-home", None),
            ("signed-in-home-missing", Some(missing)),
        ] {
            let mut page = signed_in("Home", Place::Home);
            page.recovery_due = missing.as_ref().map(|_| "10:40 pm on 4 May".to_owned());
            self.write(
                name,
                &SignedInHome {
                    page,
                    forename: "Jo".to_owned(),
                    tiles: tiles.clone(),
                    last_login: last_login.clone(),
                    missing,
                },
            )?;
        }
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
                two_steps: true,
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
        let two_step = |page, preferred_method: &str| TwoStep {
            page,
            menu: menu("/account/two-step-verification"),
            preferred_method: preferred_method.to_owned(),
            areas: vec![AREA.to_owned()],
            next: None,
        };
        let title = "Two Step Verification";
        self.write("two-step", &two_step(signed_in(title, Place::Account), "email"))?;
        let mut page = signed_in(title, Place::Account);
        page.notice = Some(Notice::done(Language::ENGLISH.t("nothing-changed")));
        self.write("two-step-same", &two_step(page, "none"))?;
        let wrong = vec![FieldMessage::new("preferred_method", "Choose a preferred method")];
        self.write("two-step-errors", &two_step(wrong_here(title, wrong), "none"))?;
        let title = "Confirm it is you";
        let wrong = vec![
            FieldMessage::new("password", messages::PASSWORD_NOT_CORRECT),
            FieldMessage::new("code", &message("code.required", None, "Verification Code")),
        ];
        for (name, page) in [
            ("confirm-password", signed_in(title, Place::Account)),
            ("confirm-password-errors", wrong_here(title, wrong)),
        ] {
            let (email, code) = (EMAIL.to_owned(), Some(code_sent()));
            self.write(
                name,
                &ConfirmPassword {
                    page,
                    email,
                    code,
                    next: None,
                },
            )?;
        }
        Ok(())
    }

    fn own_account(&mut self) -> Result<(), askama::Error> {
        let session = |handle: &str, browser: &str, this_one| SessionCard {
            handle: handle.to_owned(),
            browser: browser.to_owned(),
            network: "192.0.2.x".to_owned(),
            logged_in: "9:02 am today".to_owned(),
            last_used: "10:40 am today".to_owned(),
            this_one,
        };
        let here = || session("aa", "Firefox on Windows", true);
        let there = session("bb", "Safari on iPhone", false);
        for (name, sessions) in [
            ("sessions", vec![here(), there]),
            ("sessions-alone", vec![here()]),
        ] {
            self.write(
                name,
                &Sessions {
                    page: signed_in("Where you are logged in", Place::Account),
                    menu: menu("/account/sessions"),
                    sessions,
                },
            )?;
        }
        let line = |what: &str, browser: &str| ActivityLine {
            when: "10:40 am today".to_owned(),
            what: what.to_owned(),
            browser: browser.to_owned(),
        };
        let entries = vec![
            line("You logged in.", "Firefox on Windows"),
            line("Logging in was paused after too many wrong passwords.", ""),
        ];
        for (name, entries, cut) in [("activity", entries, true), ("activity-none", Vec::new(), false)] {
            self.write(
                name,
                &Activity {
                    page: signed_in("Account activity", Place::Account),
                    menu: menu("/account/activity"),
                    entries,
                    cut,
                },
            )?;
        }
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
        let wrong = || vec![FieldMessage::new("password", messages::PASSWORD_NOT_CORRECT)];
        let title = "Close your account";
        for (name, page) in [
            ("close-account", signed_in(title, Place::Account)),
            ("close-account-errors", wrong_here(title, wrong())),
        ] {
            self.write(
                name,
                &CloseAccount {
                    page,
                    menu: menu("/account/close"),
                    email: EMAIL.to_owned(),
                    grace: grace.clone(),
                    erased_from: erased_from.clone(),
                    confirm: None,
                },
            )?;
        }
        let title = "Restore your account";
        for (name, page) in [
            ("restore-account", titled(title)),
            ("restore-account-errors", failed(title, wrong())),
        ] {
            self.write(
                name,
                &RestoreAccount {
                    page,
                    masked_email: "j•••@school.example".to_owned(),
                    erased_from: erased_from.clone(),
                },
            )?;
        }
        Ok(())
    }
}
