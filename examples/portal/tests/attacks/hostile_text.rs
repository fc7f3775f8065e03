//! Texts that break parsers, pages and statements, in every field of every form.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, LOCATION, ORIGIN, REFERER, USER_AGENT};
use axum::http::{Method, StatusCode};

use crate::chance::Chance;
use crate::forms::{self, Ready};
use crate::ledger;
use crate::raw::{raw, with_body};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{Registrant, complete, log_in};
use crate::rig::page::Form;
use crate::rig::site::link_in;
use crate::rig::{Database, PASSWORD, Page, Person};
use crate::settled::{mails_are_out, settled};
use crate::tour::{self, Tour, crawl};

attack_cases! {
    p_48_bytes_that_no_form_holds
    p_50_markup_and_statements_in_every_field
}

/// What stands beside the bad bytes, to find them again.
const MARK: &str = "qzbadbytesqz";

/// Bytes as a form carries them, and whether a password may hold them: its characters are not judged (PWD-1).
const BAD: [(&str, &str, bool); 10] = [
    ("NUL", "%00", false),
    ("an escape sequence", "%1b[2J", false),
    ("a C1 control", "%c2%9b31m", false),
    ("a bidi override", "%e2%80%ae", true),
    ("a bidi isolate", "%e2%81%a6", true),
    ("a lone continuation byte", "%80", false),
    ("half a character", "%e2%82", false),
    ("an overlong slash", "%c0%af", false),
    ("a surrogate", "%ed%a0%80", false),
    ("a broken escape", "%zz", false),
];

/// Fields that no person types into; a form with nonsense there may be taken as if they were empty.
const CONTROLS: [&str; 10] = [
    "do", "next", "back", "seen", "version", "username", "number", "session", "language", "report",
];

/// Whether nobody types into it: a checkbox has one value, and forms for administrators say only what they are about.
fn is_control(form: &Form, name: &str) -> bool {
    CONTROLS.contains(&name)
        || name.starts_with("was_")
        || form.offered(name).len() == 1
        || form.action.starts_with("/admin/")
}

/// Buttons that keep what was typed in the person's own draft without judging it; it is judged before it is used.
const UNJUDGED: [&str; 3] = ["previous", "manual", "find"];

/// How long 99 refusals of 100 may take: a busy machine stalls one now and then.
const QUICK: Duration = Duration::from_secs(2);

/// LIM-1, DB-2, RUSTSEC-2022-0055: refused before any table sees it, and quickly.
async fn p_48_bytes_that_no_form_holds(database: Database, mut chance: Chance) -> Figures {
    let site = tour::site(database, &mut chance);
    let portal = site.open().await;
    let mut tour = Tour::walk(&site, &portal, chance).await;
    let ready = forms::all(&tour).await;
    let (mut tried, mut wrong) = (0, Vec::new());
    let mut times = Vec::new();
    // What may be taken comes last: it can end the sessions of the rest.
    for (
        Ready {
            person,
            form,
            by_script,
        },
        last,
    ) in ready
        .iter()
        .map(|r| (r, false))
        .chain(ready.iter().map(|r| (r, true)))
    {
        let what = format!("{} {:?}", form.action, form.value("do").unwrap_or_default());
        let names = form.names();
        // So does what a script keeps while somebody types.
        let unjudged = *by_script || form.value("do").is_some_and(|button| UNJUDGED.contains(&button));
        let turn = |name: &&String| *name != "form_token" && (unjudged || is_control(form, name)) == last;
        for name in names.iter().filter(turn) {
            let big = ("1 MiB", "a".repeat(1 << 20), false);
            let all =
                BAD.map(|(kind, bytes, in_password)| (kind, format!("{MARK}{bytes}{MARK}"), in_password));
            for (kind, bytes, in_password) in all.into_iter().chain([big]) {
                let mut rest = form.clone().without(name);
                if name == "gender_other" {
                    // It counts beside this choice only.
                    rest = rest.forced("gender", "another");
                }
                let body = format!("{}&{name}={bytes}", rest.encoded());
                let began = now();
                let answer = raw(&portal, with_body(&person.posting(form), &body)).await;
                times.push(began.elapsed());
                let lenient =
                    is_control(form, name) || unjudged || (in_password && name.contains("password"));
                if !(answer.status.is_client_error() || (lenient && answer.status.as_u16() < 500)) {
                    let (status, to) = (answer.status, answer.headers.get(LOCATION));
                    wrong.push(format!("{what}: {kind} in {name}: {status} {to:?}"));
                }
                if let Some(control) = control_in(&answer) {
                    wrong.push(format!("{what}: {kind} in {name}: {control:?} came back"));
                }
                tried += 1;
            }
        }
        if last {
            continue;
        }
        let many: String = (0..10_000).map(|n| format!("&f{n}=1")).collect();
        let own = form.encoded();
        for body in [
            format!("{own}{many}"),
            format!("{own}&x={}", "a".repeat(5 << 20)),
            "&".repeat(12_000) + &own + "&x=1&x=2",
        ] {
            let began = now();
            let answer = raw(&portal, with_body(&person.posting(form), &body)).await;
            times.push(began.elapsed());
            assert!(answer.status.is_client_error(), "{what}: {}", answer.status);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    times.sort_unstable();
    let slowest = times[times.len() * 99 / 100];
    assert!(slowest < QUICK, "one refusal of a hundred took {slowest:?}");
    for (table, row) in settled(&site).await.all_rows() {
        assert!(table == "portal_drafts" || !row.contains(MARK), "{table}: {row}");
    }
    let paths = odd_requests(&portal).await;
    // The honest twin: Unicode that is no control is kept as it is.
    let mut zoe = Registrant::new(&tour.secrets.chance.address("zoe"));
    "Zo\u{eb} \u{1f600}".clone_into(&mut zoe.forename);
    "O\u{2019}Brien-\u{5d0}".clone_into(&mut zoe.surname);
    let mut person = Person::at(&portal);
    site.clock().advance(Duration::from_secs(3600));
    zoe.register(&mut person).await;
    let link = link_in(&site.mail_to(&zoe.address, 1).await);
    complete(&mut person, &link, PASSWORD).await;
    log_in(&mut person, &zoe.address, PASSWORD).await;
    let page = person.open("/account/personal-details").await;
    assert_eq!(
        (page.value_of("forename"), page.value_of("surname")),
        (zoe.forename, zoe.surname)
    );
    Figures::new()
        .with("forms", ready.len())
        .with("fields and bytes", tried)
        .with("odd requests", paths)
        .with(
            "slowest but one of a hundred",
            format!("{} ms of {}", slowest.as_millis(), QUICK.as_millis()),
        )
}

/// A character that a terminal would obey.
fn control_in(answer: &Page) -> Option<char> {
    let layout = ['\t', '\n', '\r'];
    answer
        .body
        .chars()
        .find(|c| c.is_control() && !layout.contains(c))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long an answer takes is what is judged here"
)]
fn now() -> Instant {
    Instant::now()
}

/// Bad bytes in paths, queries and headers: an answer of the portal's, never 500.
async fn odd_requests(portal: &crate::rig::program::Portal) -> usize {
    let host = format!("Host: 127.0.0.1:{}\r\nConnection: close\r\n", portal.port());
    let mut odd = Vec::new();
    for path in [
        "/%00",
        "/%80",
        "/account/%e2%80%ae",
        "/account/login?email=%00",
        "/account/login?email=%1b%5b2J%c2%9b31m",
        "/account/login?next=%80",
        "/account/reset-password?t=%00",
        "/account/complete-registration?t=%ff",
        "/?notice=%1b%5b2J",
        "/..%2f..%2fetc%2fpasswd",
        "/assets/..%2f..%2fCargo.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        odd.push(format!("GET {path} HTTP/1.1\r\n{host}\r\n").into_bytes());
    }
    for header in [
        &b"Cookie: __Host-portal_session=\x80\xff"[..],
        b"Cookie: __Host-portal_lang=\x1b[2J",
        b"User-Agent: \xff\xfe",
        b"Referer: \x80",
        b"Accept-Language: \xff",
        b"X-Forwarded-For: \x80",
    ] {
        let mut request = format!("GET / HTTP/1.1\r\n{host}").into_bytes();
        request.extend_from_slice(header);
        request.extend_from_slice(b"\r\n\r\n");
        odd.push(request);
    }
    odd.push(format!("GET / HTTP/1.1\r\n{host}X-Long: {}\r\n\r\n", "a".repeat(20_000)).into_bytes());
    for request in &odd {
        let answer = raw(portal, request).await;
        assert!(
            answer.status.as_u16() < 500,
            "{}: {}",
            String::from_utf8_lossy(request),
            answer.status
        );
        assert_eq!(control_in(&answer), None, "{}", String::from_utf8_lossy(request));
    }
    odd.len()
}

/// An element and an attribute that no page of ours has.
const CANARY: &str = "x-canary";

/// As short as a name may be, each leaving text, attributes, titles, comments, strings and statements.
const HOSTILE: [&str; 6] = [
    "\"'><x-canary x-canary=1>",
    "</title></textarea></select></script><!--<x-canary>",
    "\" x-canary=\"1\" x='",
    "' OR '1'='1' --",
    "'); DROP TABLE portal_accounts; --",
    "{{77777*77777}}${77777*77777}<%=77777*77777%>%27||(1/0)||%27$1?1",
];

/// Ends its line of a careless log, and begins another.
const FORGED: &str = "x\r\n2026-01-01T00:00:00.000000Z  INFO forged: somebody was let in\r\n\u{1b}[2J";

/// ASVS 1.2.1 to 1.2.4, WSTG-INPV-01 and -05: what is typed is text, on every page, in every mail and in every statement.
async fn p_50_markup_and_statements_in_every_field(database: Database, mut chance: Chance) -> Figures {
    let mut site = tour::site(database, &mut chance);
    site.set("RUST_LOG", "debug");
    let portal = site.open().await;
    let mut tour = Tour::walk(&site, &portal, chance).await;
    let before = settled(&site).await;
    let mut tries = 0;
    let mut seen = BTreeSet::new();
    for Ready { person, form, .. } in forms::all(&tour).await {
        // Which of a form's buttons is pressed changes nothing for its fields.
        if !seen.insert((form.action.clone(), form.names())) {
            continue;
        }
        for name in form.names().into_iter().filter(|name| name != "form_token") {
            for text in HOSTILE.into_iter().chain([FORGED]) {
                person.clone().post(&form.clone().forced(&name, text)).await;
                tries += 1;
            }
        }
    }
    site.clock().advance(Duration::from_secs(3700));
    let shown = everywhere(&mut tour).await;
    let mut anybody = tour.browser();
    in_addresses(&mut anybody, FORGED).await;
    mails_are_out(&site).await;
    let after = settled(&site).await;
    assert!(before.names().eq(after.names()), "a table is gone");
    let (accounts, had) = (
        after.rows("portal_accounts").len(),
        before.rows("portal_accounts").len(),
    );
    assert!(accounts >= had, "{accounts} accounts of {had}");
    let heard = std::mem::take(&mut *tour.heard.lock().unwrap());
    for page in &heard {
        assert_is_text(page);
    }
    let mails = site.smtp().mails();
    for mail in &mails {
        let mut page = heard[0].clone();
        page.body = test_rig::parse_mail(&mail.raw).html;
        assert_is_text(&page);
    }
    assert!(shown >= 6, "the texts were shown on {shown} pages only");
    let (_, log) = portal.stop().await;
    assert!(log.lines().count() > 500, "nothing was logged");
    for line in log.lines() {
        let forged = line.starts_with("2026-01-01T") || line.chars().any(char::is_control);
        assert!(!forged, "LOG-4: {line:?}");
    }
    Figures::new()
        .with("fields and texts", tries)
        .with("pages", heard.len())
        .with("pages that show such a text", shown)
        .with("mails", mails.len())
}

/// Somebody whose every detail is hostile looks at every page; how many of them show it as text.
async fn everywhere(tour: &mut Tour<'_>) -> usize {
    let mut shown = 0;
    for text in HOSTILE {
        let mut who = Registrant::new(&tour.secrets.chance.address("hostile"));
        // LIM-3: names, roles and organisations hold neither markup nor links; everything else they may.
        if !text.contains(['<', '>']) {
            for field in [
                &mut who.forename,
                &mut who.surname,
                &mut who.role,
                &mut who.organisation,
            ] {
                text.clone_into(field);
            }
        }
        let mut person = tour.browser().with_agent(&format!("Firefox/1 {text}"));
        who.register(&mut person).await;
        let link = link_in(&tour.site.mail_to(&who.address, 1).await);
        complete(&mut person, &link, PASSWORD).await;
        let mail = tour.site.mail_to(&who.address, 2).await;
        let greeting: String = who.forename.chars().take(50).collect();
        assert!(mail.text.contains(&greeting), "{}", mail.text);
        let home = log_in(&mut person, &who.address, PASSWORD).await;
        assert_eq!(home.path, "/home", "the honest twin: {:?}", home.errors());
        for page in crawl(&mut person, "/home").await {
            shown += usize::from(
                page.main()
                    .contains(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
            );
        }
        let details = person.open("/account/personal-details").await;
        assert_eq!(details.value_of("surname"), who.surname, "kept as it was typed");
        let page = person.open("/account/your-data").await;
        let file = person.post(&page.button("Download as HTML")).await;
        assert_eq!(file.status, StatusCode::OK);
        // In the address and in headers.
        for mut anybody in [person.clone(), tour.browser()] {
            in_addresses(&mut anybody, text).await;
            for header in [USER_AGENT, REFERER, ACCEPT_LANGUAGE, ORIGIN] {
                anybody.ask(Method::GET, "/", &[(header, text)]).await;
            }
        }
        // A statement is no password, and no address.
        for (email, password) in [
            (text, PASSWORD),
            (who.address.as_str(), text),
            ("' OR ''='", "' OR ''='"),
        ] {
            let mut stranger = tour.browser();
            let refused = log_in(&mut stranger, email, password).await;
            assert_eq!(
                refused.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{email} {password}"
            );
            assert!(stranger.cookie("session").is_none());
        }
        assert_eq!(
            ledger::number(
                tour.site,
                "SELECT COUNT(*) FROM portal_accounts WHERE email = $1",
                &[&who.address]
            )
            .await,
            1
        );
    }
    shown
}

/// Asks for addresses with the text in them.
async fn in_addresses(person: &mut Person, text: &str) {
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    for path in [
        "/account/login?email=",
        "/account/login?next=",
        "/account/login?notice=",
        "/no/such/",
        "/account/reset-password?t=",
        "/account/sessions?notice=",
        "/account/work-details/change?role=",
    ] {
        person.open(&format!("{path}{encoded}")).await;
    }
}

/// Nothing that was typed has become an element or an attribute, and the policy would stop it if it had.
fn assert_is_text(page: &Page) {
    let mentioned = page.body.contains(CANARY);
    for selector in [CANARY.to_owned(), format!("[{CANARY}]")]
        .iter()
        .filter(|_| mentioned)
    {
        assert!(
            page.texts_of(selector).is_empty(),
            "{selector} on {}:\n{}",
            page.path,
            page.body
        );
    }
    assert!(
        !page.body.contains("6049261729"),
        "a template was filled in on {}",
        page.path
    );
    let policy = page
        .headers
        .get(CONTENT_SECURITY_POLICY)
        .map(|policy| policy.to_str().unwrap());
    assert!(
        policy.is_some_and(|policy| policy.contains("default-src 'none'")),
        "no policy on {}",
        page.path
    );
}
