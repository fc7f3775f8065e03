//! Pages beside the way: what went wrong, and the development inbox.

use super::{EMAIL, Gallery, titled};
use crate::views::{
    errors::{ErrorPage, Problem, TryAgain},
    inbox::{Inbox, InboxMessage, InboxRow, Tab},
};

impl Gallery {
    pub(super) fn problems(&mut self) -> Result<(), askama::Error> {
        let fields = vec![("forename".to_owned(), "Jo".to_owned())];
        let again = Some(TryAgain {
            action: "/account/register/about-you".to_owned(),
            fields,
        });
        for (name, problem) in [
            ("400", Problem::Unreadable),
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
                    again: again.clone(),
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

    pub(super) fn inbox(&mut self) -> Result<(), askama::Error> {
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
        for (name, to, messages) in [("inbox", "", messages), ("inbox-none", EMAIL, Vec::new())] {
            self.write(
                name,
                &Inbox {
                    page: titled("Mail"),
                    to: to.to_owned(),
                    messages,
                    delivery: Some("normal".to_owned()),
                    clock_moves: true,
                },
            )?;
        }
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
