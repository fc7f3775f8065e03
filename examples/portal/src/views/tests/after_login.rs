//! P15 to P17, P23, P30: what signed-in people and developers see.

use crate::views::{
    account::{AccountOverview, SummaryRow},
    details::{AboutFields, Addresses, ManualAddress, RoleFields},
    home::{Area, AreaClosed, SignedInHome, Tile},
    inbox::{Inbox, InboxMessage, InboxRow, Tab, grouped},
    layout::Notice,
    menu::menu,
    profile::{PersonalDetails, ProfessionalRoles, RemoveRole, RoleCard, RoleForm, SavedMeanwhile},
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
fn an_open_area_carries_its_name_and_speaks_of_two_steps_only_after_two() {
    // P16, STP-1
    for two_steps in [true, false] {
        let html = html(&Area {
            page: signed_in(AREA),
            area: AREA.to_owned(),
            two_steps,
            tiles: Vec::new(),
        });
        has(&html, &["<h1>SEND (EHCP) &#38; Early Help (EHAT)</h1>"]);
        let told = html.contains("You are logged in with Two Step Verification.");
        assert_eq!(told, two_steps);
    }
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

fn saved() -> Option<SavedMeanwhile> {
    let row = SummaryRow {
        key: "Surname".to_owned(),
        value: MARKUP.to_owned(),
        change: None,
    };
    Some(SavedMeanwhile {
        heading: MARKUP.to_owned(),
        rows: vec![row],
    })
}

fn role_card(number: usize, main: bool) -> RoleCard {
    RoleCard {
        number,
        role: MARKUP.to_owned(),
        organisation: "Hill School".to_owned(),
        rows: vec![],
        main,
    }
}

fn no_markup(html: &str) {
    assert!(
        !html.contains("<script>") && !html.contains("<img src=x"),
        "{html}"
    );
}

#[test]
fn personal_details_have_the_fields_of_about_you_and_are_saved() {
    // P18
    let details = |page, saved| {
        html(&PersonalDetails {
            page,
            menu: menu("/account/personal-details"),
            about: AboutFields {
                surname: "Bloggs".to_owned(),
                gender: "male".to_owned(),
                ..AboutFields::default()
            },
            version: "the-version".to_owned(),
            saved,
        })
    };
    let plain = details(signed_in("Personal Details"), None);
    has(
        &plain,
        &[
            "<h1>Personal Details</h1>",
            "<form method=\"post\" action=\"/account/personal-details\" novalidate>",
            "<input type=\"hidden\" name=\"version\" value=\"the-version\">",
            "aria-current=\"page\">Personal Details</a>",
            "name=\"gender\" value=\"male\" checked>",
            "<option value=\"Prefer not to say\">",
        ],
    );
    has(
        tag(&plain, "surname"),
        &["value=\"Bloggs\"", "autocomplete=\"family-name\""],
    );
    assert_eq!(buttons(&plain), [("save", "Save")]);
    let mut page = signed_in("Personal Details");
    page.notice = Some(Notice::done("Your personal details have been saved."));
    let done = details(page, None);
    has(
        &done,
        &[
            "<p class=\"notice\" role=\"status\">Your personal details have been saved.</p>",
            "<h1 tabindex=\"-1\" autofocus data-focus>Personal Details</h1>",
        ],
    );
    let compared = details(signed_in("Personal Details"), saved());
    has(&compared, &["<h2>Your version</h2>", "<dt>Surname</dt>"]);
    no_markup(&compared);
}

#[test]
fn each_role_is_a_card_that_can_be_changed_and_removed() {
    // P19
    let roles = |cards| {
        html(&ProfessionalRoles {
            page: signed_in("Work Details"),
            menu: menu("/account/work-details"),
            cards,
            seen: "a.b".to_owned(),
        })
    };
    let two = roles(vec![role_card(1, false), role_card(2, true)]);
    has(
        &two,
        &[
            "<h1>Work Details</h1>",
            "<input type=\"hidden\" name=\"seen\" value=\"a.b\">",
            "name=\"main\" value=\"1\"> <span>Main role",
            "name=\"main\" value=\"2\" checked> <span>Main role",
            "<a href=\"/account/work-details/change?role=2\">Change<span class=\"vh\"> ",
            "<a href=\"/account/work-details/remove?role=2\">Remove<span class=\"vh\"> ",
            ", Hill School</span></a>",
            "href=\"/account/work-details/add\">Add another Professional Role</a>",
        ],
    );
    assert_eq!(buttons(&two), [("main", "Save main role")]);
    no_markup(&two);
    // There is nothing to choose among one.
    let one = roles(vec![role_card(1, true)]);
    assert!(!one.contains("type=\"radio\""));
    assert_eq!(buttons(&one), []);
    let remove = html(&RemoveRole {
        page: signed_in("Remove this Professional Role?"),
        menu: menu("/account/work-details"),
        card: role_card(2, false),
        seen: "a.b".to_owned(),
    });
    has(
        &remove,
        &[
            "<h1>Remove this Professional Role?</h1>",
            "<input type=\"hidden\" name=\"number\" value=\"2\">",
            "<a href=\"/account/work-details\">Keep it</a>",
        ],
    );
    assert_eq!(buttons(&remove), [("remove", "Remove")]);
    no_markup(&remove);
}

#[test]
fn the_form_of_a_role_is_that_of_the_registration() {
    // P6, P19
    let form = |number, addresses| {
        html(&RoleForm {
            page: signed_in("Change a Professional Role"),
            menu: menu("/account/work-details"),
            number,
            work: RoleFields {
                role: String::new(),
                roles: Vec::new(),
                organisation: String::new(),
                postcode: String::new(),
                addresses,
                manual: ManualAddress {
                    line1: MARKUP.to_owned(),
                    not_uk: true,
                    ..ManualAddress::default()
                },
                mobile: String::new(),
                work_phone: String::new(),
            },
            seen: "a.b".to_owned(),
            saved: saved(),
        })
    };
    let changed = form(Some(3), Addresses::Manual { why: None });
    has(
        &changed,
        &[
            "<form method=\"post\" action=\"/account/work-details/change\" novalidate>",
            "<input type=\"hidden\" name=\"number\" value=\"3\">",
            "<h2>Your version</h2>",
            "data-combobox",
        ],
    );
    assert_eq!(buttons(&changed), [("find", "Find Address"), ("save", "Save")]);
    assert!(!changed.contains("name=\"was_"));
    no_markup(&changed);
    // An address whose fields are not shown is not lost.
    let added = form(None, Addresses::NotAsked);
    has(
        &added,
        &[
            "action=\"/account/work-details/add\"",
            "name=\"was_line1\" value=\"&#60;script",
            "name=\"was_not_uk\" value=\"yes\"",
        ],
    );
    assert!(!added.contains("name=\"number\""));
    no_markup(&added);
    assert_eq!(
        buttons(&added),
        [
            ("find", "Find Address"),
            ("manual", "Enter Address Manually"),
            ("save", "Save")
        ]
    );
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
