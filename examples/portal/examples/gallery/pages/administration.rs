//! The pages of administrators.

use super::{EMAIL, Gallery, errors, row, signed_in, wrong_here};
use crate::views::{
    account::AccountOverview,
    administration::{
        AccountLine, AccountPage, Accounts, ActLink, AskFirst, MailLine, Outbox, Waiting, WayOn, tabs,
    },
    layout::{Notice, Page, Place},
    menu::menu,
};

impl Gallery {
    pub(super) fn administration(&mut self) -> Result<(), askama::Error> {
        let page = |title| signed_in(title, Place::Elsewhere);
        let line = |email: &str, name: &str, status, remark| AccountLine {
            href: "#account".to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
            status,
            remark,
        };
        let lines = vec![
            line(EMAIL, "Jo Bloggs", "Active", ""),
            line(
                "josephine.featherstonehaugh@education.harbour.example",
                "Josephine Featherstonehaugh",
                "Active",
                "Stopped after too many wrong codes",
            ),
            line(
                "joshua@vale.example",
                "",
                "Disabled",
                "Locked until its password is reset",
            ),
            line("joy@hill.example", "Joy Smith", "Closed by its owner", ""),
        ];
        let on = WayOn {
            first: Some("#first".to_owned()),
            next: Some("#next".to_owned()),
        };
        let accounts = |page, lines, on| Accounts {
            page,
            tabs: tabs("/admin"),
            find: "jo".to_owned(),
            status: "",
            searched: true,
            lines,
            waiting: None,
            on,
        };
        self.write("admin-accounts", &accounts(page("Accounts"), lines, on))?;
        let waiting = Some((EMAIL.to_owned(), "#registration".to_owned()));
        self.write(
            "admin-accounts-none",
            &Accounts {
                waiting,
                ..accounts(page("Accounts"), Vec::new(), WayOn::default())
            },
        )?;
        let mut wrong = page("Accounts");
        wrong.errors = errors(&[("find", "email.too_long")]);
        self.write(
            "admin-accounts-wrong",
            &Accounts {
                searched: false,
                ..accounts(wrong, Vec::new(), WayOn::default())
            },
        )?;
        let act = |name, hint| ActLink {
            href: "#act".to_owned(),
            name,
            hint,
        };
        let account = |notice: Option<Notice>, is_own, acts| {
            let mut page = page("Account");
            page.notice = notice;
            AccountPage {
                page,
                tabs: tabs("/admin"),
                email: EMAIL.to_owned(),
                rows: vec![
                    row("Name", "Jo Bloggs"),
                    row("Status", "Active"),
                    row("Two Step Verification", "On, by email"),
                    row("Recovery", "Paused until 10:40 pm today"),
                    row("Last login", "9:02 am today"),
                    row("Logged in now", "In 2 browsers"),
                    row("Account made", "10:40 pm on 3 May"),
                    row("Last changed", "9:02 am today"),
                ],
                is_own,
                acts,
                mails: "#mails".to_owned(),
            }
        };
        let acts = vec![
            act("Unlock", "The owner is kept out by too many tries."),
            act(
                "End sessions",
                "A browser was lost, or somebody else may be logged in.",
            ),
            act(
                "Start recovery",
                "The owner can neither log in nor reset the password alone.",
            ),
            act(
                "Clear Two Step Verification",
                "The codes do not reach the owner any more.",
            ),
            act("Disable", "Nobody is to use the account for now."),
        ];
        let unlocked = Notice::done("The account is unlocked. We have told its owner by email.");
        self.write("admin-account", &account(Some(unlocked), false, acts))?;
        self.write("admin-account-own", &account(None, true, Vec::new()))?;
        self.write("admin-account-closed", &account(None, false, Vec::new()))?;
        self.write(
            "admin-act",
            &AskFirst {
                page: page("Start the recovery of this account?"),
                tabs: tabs("/admin"),
                question: "Start the recovery of this account?",
                email: EMAIL.to_owned(),
                name: "Jo Bloggs".to_owned(),
                consequences: &[
                    "We email the owner a link that sets a new password. It does not ask for the Secret Answer.",
                    "Whoever reads that mailbox can use it: make sure first that it is the owner who asks you.",
                ],
                id: "a1".to_owned(),
                act: "start-recovery",
                button: "Start recovery",
                back: "#account".to_owned(),
            },
        )?;
        self.write(
            "admin-registration",
            &Waiting {
                page: page("Registration that waits"),
                tabs: tabs("/admin"),
                email: EMAIL.to_owned(),
                rows: vec![
                    row("Sent off", "9:02 am today"),
                    row("Its link works", "Until 9:02 pm today"),
                    row("Kept until", "9:02 pm on 4 May"),
                ],
            },
        )?;
        let mail = |kind: &str, state: &str, why: &str| MailLine {
            id: "b2".to_owned(),
            kind: kind.to_owned(),
            to: EMAIL.to_owned(),
            queued: "10:40 am today".to_owned(),
            state: state.to_owned(),
            why: why.to_owned(),
            is_dead: state == "Given up",
        };
        let outbox = |page, lines, on| Outbox {
            page,
            tabs: tabs("/admin/outbox"),
            status: "any",
            to: String::new(),
            after: String::new(),
            lines,
            on,
        };
        let lines = vec![
            mail("Sign in code", "Being sent", ""),
            mail(
                "Reset password",
                "Given up",
                "the server refused the recipient (550)",
            ),
            mail(
                "Account ready",
                "Waits, next try 10:52 am today",
                "the server is busy (451)",
            ),
            mail("Complete registration", "Sent", ""),
        ];
        let on = WayOn {
            first: None,
            next: Some("#next".to_owned()),
        };
        self.write("admin-outbox", &outbox(page("Emails"), lines, on))?;
        self.write(
            "admin-outbox-none",
            &outbox(page("Emails"), Vec::new(), WayOn::default()),
        )?;
        let wrong = errors(&[("to", "email.too_long")]);
        let wrong = Page {
            here: Place::Elsewhere,
            ..wrong_here("Emails", wrong)
        };
        self.write("admin-outbox-wrong", &outbox(wrong, Vec::new(), WayOn::default()))?;
        let mut menu_page = signed_in("My Account", Place::Account);
        if let Some(person) = &mut menu_page.signed_in {
            person.administration = Some("/admin".to_owned());
        }
        let overview = AccountOverview {
            page: menu_page,
            menu: menu("/account"),
            rows: vec![row("Name", "Jo Bloggs")],
        };
        self.write("account-of-administrator", &overview)
    }
}
