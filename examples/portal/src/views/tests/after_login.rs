//! P15 to P17, P23, P30: what signed-in people and developers see.

use crate::views::{
    account::{AccountOverview, SummaryRow},
    home::{Area, AreaClosed, SignedInHome, Tile},
    inbox::{Inbox, InboxMessage, InboxRow, Tab, grouped},
    menu::menu,
    two_step::TwoStep,
};

use super::*;

const AREA: &str = "SEND (EHCP) & Early Help (EHAT)";

fn tile() -> Tile {
    let [heading, href, description] = [AREA, "/areas/send-ehat", "Assessments and plans"].map(str::to_owned);
    Tile {
        heading,
        href,
        description,
    }
}

fn mail(subject: &str) -> InboxRow {
    let [id, to, age] = ["b2", "jo@school.example", "2 minutes ago"].map(str::to_owned);
    InboxRow {
        id,
        to,
        subject: subject.to_owned(),
        age,
    }
}

#[test]
fn the_link_of_a_tile_is_exactly_its_heading() {
    // P15
    let last_login = Some("today at 10:40 am with Firefox".to_owned());
    let missing = Some(("postcode".to_owned(), "/account/work-details".to_owned()));
    let (page, forename) = (signed_in("Home"), "Jo".to_owned());
    let html = html(&SignedInHome {
        page,
        forename,
        tiles: vec![tile()],
        last_login,
        missing,
    });
    has(
        &html,
        &[
            "<a href=\"/areas/send-ehat\">SEND (EHCP) &#38; Early Help (EHAT)</a></h2><p>Assessments and plans</p>",
            "Last login: today at 10:40 am with Firefox",
            "<a href=\"/account/work-details\">Tell us your postcode to carry on</a>",
        ],
    );
}

#[test]
fn a_closed_area_invites_and_keeps_the_way_back() {
    // P16, STP-2
    let (page, next) = (signed_in("x"), "/areas/send-ehat".to_owned());
    let html = html(&AreaClosed {
        page,
        area: AREA.to_owned(),
        next,
    });
    has(
        &html,
        &[
            "<h1>Two Step Verification is needed here</h1>",
            "href=\"/account/two-step-verification?next=%2Fareas%2Fsend-ehat\">Turn on Two Step Verification</a>",
        ],
    );
}

#[test]
fn an_open_area_carries_its_name() {
    let page = signed_in(AREA);
    let html = html(&Area {
        page,
        area: AREA.to_owned(),
        tiles: Vec::new(),
    });
    has(&html, &["<h1>SEND (EHCP) &#38; Early Help (EHAT)</h1>"]);
}

#[test]
fn two_step_verification_offers_the_guides_two_choices() {
    // P23
    let menu = menu("/account/two-step-verification");
    let (page, preferred_method) = (signed_in("Two Step Verification"), "none".to_owned());
    let html = html(&TwoStep {
        page,
        menu,
        preferred_method,
        areas: vec![AREA.to_owned()],
        next: Some("/home".to_owned()),
    });
    has(
        &html,
        &[
            "<label for=\"preferred_method\">Preferred method</label>",
            "<option value=\"email\">Email</option>",
            "<option value=\"none\" selected>No Two Step Verification</option>",
            "Saving a change signs you out. Log in again afterwards.",
            "<input type=\"hidden\" name=\"next\" value=\"/home\">",
            "aria-current=\"page\">Two Step Verification</a>",
        ],
    );
    has(
        tag(&html, "preferred_method"),
        &["name=\"preferred_method\"", "aria-describedby=\"sign-out\""],
    );
    assert_eq!(buttons(&html), [("save", "Save")]);
}

#[test]
fn the_menu_has_the_guides_seven_entries_in_its_order_and_marks_where_one_is() {
    // section 4
    let labels: Vec<_> = menu("/account").into_iter().map(|item| item.label).collect();
    assert_eq!(
        labels,
        [
            "Personal Details",
            "Work Details",
            "Change Email Address",
            "Change Password",
            "Change Secret Question",
            "Two Step Verification",
            "Change of Circumstances",
            "Where you are logged in",
            "Account activity",
            "Download or close account",
        ]
    );
    for item in menu("/account") {
        assert!(!item.current);
        let marked: Vec<_> = menu(&item.href).into_iter().filter(|i| i.current).collect();
        assert_eq!(marked.len(), 1);
        assert_eq!(marked[0].href, item.href);
    }
    assert!(menu("/account/close").last().unwrap().current);
}

#[test]
fn each_change_link_says_what_it_changes() {
    // P17
    let change = Some("/account/two-step-verification".to_owned());
    let row = |key: &str, value: &str, change| SummaryRow {
        key: key.to_owned(),
        value: value.to_owned(),
        change,
    };
    let rows = vec![
        row("Email Address", MARKUP, None),
        row("Two Step Verification", "Off", change),
    ];
    let html = html(&AccountOverview {
        page: signed_in("My Account"),
        menu: Vec::new(),
        rows,
    });
    has(
        &html,
        &["Change<span class=\"vh\"> Two Step Verification</span></a>"],
    );
    assert_eq!(html.matches(">Change<").count(), 1);
    assert!(!html.contains("<script>"));
}

#[test]
fn the_inbox_says_that_its_mail_reaches_nobody() {
    // P30
    let inbox = |messages, delivery, clock_moves| {
        html(&Inbox {
            page: page("Mail"),
            to: "jo@school.example".to_owned(),
            messages,
            delivery,
            clock_moves,
        })
    };
    let full = inbox(vec![mail(MARKUP)], Some("bounce".to_owned()), true);
    has(
        &full,
        &[
            "Development inbox",
            "href=\"/dev/mail/b2\"",
            "2 minutes ago",
            "<option value=\"bounce\" selected>",
        ],
    );
    assert_eq!(
        buttons(&full),
        [("deliver", "Save"), ("advance", "Move the clock 12 hours")]
    );
    assert!(!full.contains("<script>alert"));
    let empty = inbox(Vec::new(), None, false);
    has(&empty, &["No mail to jo@school.example yet."]);
    assert!(buttons(&empty).is_empty());
}

#[test]
fn a_mail_opens_in_four_views_and_its_html_in_a_sandbox() {
    // P30
    let message = |tab| {
        let (links, codes) = (
            vec!["https://p.example/x?t=k".to_owned()],
            vec!["482913".to_owned()],
        );
        html(&InboxMessage {
            page: page("Mail"),
            message: mail("Your Verification Code"),
            links,
            codes,
            tab,
        })
    };
    let text = message(Tab::Text(MARKUP.to_owned()));
    has(
        &text,
        &[
            "<a href=\"/dev/mail/b2?tab=text\" aria-current=\"page\">Text</a>",
            "<a href=\"/dev/mail/b2?tab=html\">HTML</a>",
            "<a href=\"/dev/mail/b2?tab=headers\">Headers</a>",
            "<a href=\"/dev/mail/b2?tab=source\">Source</a>",
            "Verification Code <strong>482 913</strong>",
            "data-copy=\"482913\"",
            "data-copy=\"https://p.example/x?t=k\"",
        ],
    );
    assert!(!text.contains("<script>alert"));
    has(
        &message(Tab::Html),
        &["<iframe sandbox src=\"/dev/mail/b2/html\" title=\"HTML of the mail\"></iframe>"],
    );
    has(
        &message(Tab::Headers(vec![("To".to_owned(), "jo".to_owned())])),
        &["<dt>To</dt><dd>jo</dd>"],
    );
    has(
        &message(Tab::Source("raw".to_owned())),
        &["aria-label=\"Source\">raw</pre>"],
    );
}

#[test]
fn a_code_is_grouped_for_reading() {
    assert_eq!(grouped("482913"), "482 913");
    assert_eq!(grouped("1234567"), "1234 567");
    assert_eq!(grouped(""), "");
}
