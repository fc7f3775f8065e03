//! P29: what administrators see.

use crate::views::{
    account::{AccountOverview, SummaryRow},
    administration::{
        AccountLine, AccountPage, Accounts, ActLink, AskFirst, MailLine, Outbox, Waiting, WayOn, tabs,
    },
    menu::menu,
};

use super::*;

fn accounts(page: Page, lines: Vec<AccountLine>, on: WayOn) -> Accounts {
    Accounts {
        page,
        tabs: tabs("/admin"),
        find: MARKUP.to_owned(),
        status: "disabled",
        searched: true,
        lines,
        waiting: Some((MARKUP.to_owned(), "/admin/registration?email=a".to_owned())),
        on,
    }
}

fn row(key: &str, value: &str) -> SummaryRow {
    SummaryRow {
        key: key.to_owned(),
        value: value.to_owned(),
        change: None,
    }
}

#[track_caller]
fn holds_no_markup(html: &str) {
    assert!(
        !html.contains("<script>alert") && !html.contains("<img src=x"),
        "{html}"
    );
}

#[test]
fn accounts_are_a_table_with_a_caption_and_whatever_was_typed_is_text() {
    let line = AccountLine {
        href: "/admin/account?id=aa".to_owned(),
        email: MARKUP.to_owned(),
        name: MARKUP.to_owned(),
        status: "Disabled",
        remark: "Recovery paused",
    };
    let on = WayOn {
        first: Some("/admin?find=".to_owned()),
        next: Some("/admin?find=&after=b".to_owned()),
    };
    let html = html(&accounts(signed_in("Accounts"), vec![line], on));
    has(
        &html,
        &[
            "<h1>Accounts</h1>",
            "<label for=\"find\">Email Address, or how it begins</label>",
            "<label for=\"status\">Status</label>",
            "<option value=\"disabled\" selected>Disabled</option>",
            "<caption>Accounts in the order of their addresses</caption>",
            "<th role=\"columnheader\" scope=\"col\">Name</th>",
            "<th role=\"rowheader\" scope=\"row\"><a href=\"/admin/account?id=aa\">",
            "Disabled <span class=\"hint\">Recovery paused</span>",
            "<nav class=\"tabs\" aria-label=\"Administration\">",
            "<a href=\"/admin\" aria-current=\"page\">Accounts</a>",
            ">Next page</a>",
            ">First page</a>",
        ],
    );
    holds_no_markup(&html);
}

#[test]
fn an_empty_list_says_whether_it_goes_on() {
    let end = html(&accounts(signed_in("Accounts"), Vec::new(), WayOn::default()));
    has(&end, &["No account is like that."]);
    let on = WayOn {
        first: None,
        next: Some("/admin?after=b".to_owned()),
    };
    let goes_on = html(&accounts(signed_in("Accounts"), Vec::new(), on));
    has(
        &goes_on,
        &[
            "The list goes on.",
            "<a class=\"button second\" href=\"/admin?after=b\">Next page</a>",
        ],
    );
    let wrong = Accounts {
        searched: false,
        ..accounts(
            Page {
                errors: vec![FieldMessage::new("find", "Email Address must be shorter")],
                ..signed_in("Accounts")
            },
            Vec::new(),
            WayOn::default(),
        )
    };
    let wrong = html(&wrong);
    has(
        tag(&wrong, "find"),
        &["aria-invalid=\"true\"", "aria-describedby=\"find-error\""],
    );
    assert!(!wrong.contains("No account is like that."));
}

#[test]
fn an_account_shows_what_can_be_done_and_never_to_oneself() {
    let account = |is_own, acts| AccountPage {
        page: signed_in("Account"),
        tabs: tabs("/admin"),
        email: MARKUP.to_owned(),
        rows: vec![row("Name", MARKUP), row("Status", "Active")],
        is_own,
        acts,
        mails: "/admin/outbox?status=any&to=a".to_owned(),
    };
    let unlock = ActLink {
        href: "/admin/account/act?id=aa&act=unlock".to_owned(),
        name: "Unlock",
        hint: "The owner is kept out.",
    };
    let others = html(&account(false, vec![unlock]));
    has(
        &others,
        &[
            "<dt>Status</dt><dd>Active</dd>",
            "href=\"/admin/account/act?id=aa&#38;act=unlock\" aria-describedby=\"act-1\">Unlock</a>",
            "id=\"act-1\">The owner is kept out.</span>",
        ],
    );
    holds_no_markup(&others);
    assert_eq!(buttons(&others), [], "nothing is done from here");
    let own = html(&account(true, Vec::new()));
    has(
        &own,
        &["This is your own account.", "<a href=\"/account\">My Account</a>"],
    );
    let closed = html(&account(false, Vec::new()));
    has(&closed, &["an account that its owner has closed"]);
}

#[test]
fn an_act_says_what_follows_and_whose_account_it_is() {
    let html = html(&AskFirst {
        page: signed_in("Disable this account?"),
        tabs: tabs("/admin"),
        question: "Disable this account?",
        email: "jo@school.example".to_owned(),
        name: MARKUP.to_owned(),
        consequences: &["Nobody can log in."],
        id: "aa".to_owned(),
        act: "disable",
        button: "Disable",
        back: "/admin/account?id=aa".to_owned(),
    });
    has(
        &html,
        &[
            "<h1>Disable this account?</h1>",
            "jo@school.example",
            "<li>Nobody can log in.</li>",
            "<form method=\"post\" action=\"/admin/account/act\" novalidate>",
            "<input type=\"hidden\" name=\"form_token\" value=\"the-token\"><input type=\"hidden\" name=\"id\" value=\"aa\">",
            "<a href=\"/admin/account?id=aa\">Leave it as it is</a>",
        ],
    );
    assert_eq!(buttons(&html), [("disable", "Disable")]);
    holds_no_markup(&html);
}

#[test]
fn a_waiting_registration_has_one_button() {
    let html = html(&Waiting {
        page: signed_in("Registration that waits"),
        tabs: tabs("/admin"),
        email: "jo@school.example".to_owned(),
        rows: vec![row("Kept until", "10:40 pm on 4 May")],
    });
    assert_eq!(buttons(&html), [("send", "Send the link again")]);
    has(&html, &["<dd>10:40 pm on 4 May</dd>"]);
}

#[test]
fn only_dead_letters_can_be_sent_again_and_what_a_server_said_is_text() {
    let line = |id: &str, is_dead| MailLine {
        id: id.to_owned(),
        kind: "Reset password".to_owned(),
        to: MARKUP.to_owned(),
        queued: "10:40 pm today".to_owned(),
        state: if is_dead { "Given up" } else { "Sent" }.to_owned(),
        why: if is_dead { MARKUP } else { "" }.to_owned(),
        is_dead,
    };
    let html = html(&Outbox {
        page: signed_in("Emails"),
        tabs: tabs("/admin/outbox"),
        status: "any",
        to: MARKUP.to_owned(),
        after: String::new(),
        lines: vec![line("aa", false), line("bb", true)],
        on: WayOn::default(),
    });
    has(
        &html,
        &[
            "<option value=\"any\" selected>Any</option>",
            "<caption>Emails, the newest first</caption>",
            "name=\"mail\" value=\"bb\"",
            "aria-describedby=\"mail-2 to-2\">Send again</button>",
            "<a href=\"/admin/outbox\" aria-current=\"page\">Emails</a>",
        ],
    );
    assert!(!html.contains("value=\"aa\""));
    assert_eq!(html.matches(">Send again</button>").count(), 1);
    holds_no_markup(&html);
}

#[test]
fn the_menu_leads_administrators_and_nobody_else_to_their_pages() {
    let overview = |administration: Option<&str>| {
        let mut page = signed_in("My Account");
        if let Some(person) = &mut page.signed_in {
            person.administration = administration.map(str::to_owned);
        }
        html(&AccountOverview {
            page,
            menu: menu("/account"),
            rows: Vec::new(),
        })
    };
    has(
        &overview(Some("/admin")),
        &["<li><a href=\"/admin\">Administration</a></li>"],
    );
    assert!(!overview(None).contains("Administration"));
}
