//! What scripts add to pages that work without them.

use serde_json::{Value, json};
use test_rig::fantoccini::key::Key;

use crate::rig::{Database, PASSWORD, Site};
use crate::screen::{Hands, Screen};

async fn open(hands: Hands, path: &str) -> (Site, crate::rig::program::Portal, Screen) {
    let site = Site::with_inbox(Database::Sqlite);
    let portal = site.open().await;
    let screen = Screen::at(&portal, hands, true).await;
    screen.open(path).await;
    (site, portal, screen)
}

#[tokio::test]
async fn a_password_is_shown_on_request_and_hidden_again_before_it_is_sent() {
    let (_site, _portal, screen) = open(Hands::Mouse, "/account/login").await;
    assert_eq!(
        screen.attribute("#password", "type").await.as_deref(),
        Some("password")
    );
    screen.fill("password", PASSWORD).await;
    screen.press("Show password").await;
    assert_eq!(
        screen.attribute("#password", "type").await.as_deref(),
        Some("text")
    );
    let pressed = screen.attribute("[aria-controls=password]", "aria-pressed").await;
    assert_eq!(pressed.as_deref(), Some("true"));
    assert_eq!(
        screen.value("#password").await,
        PASSWORD,
        "showing it changes nothing"
    );
    // R7: whatever keeps passwords must see a password when the form is sent.
    screen
        .look(
            "document.querySelector('main form').addEventListener('submit', e => { e.preventDefault(); \
               document.title = document.getElementById('password').type })",
        )
        .await;
    screen.press("Login").await;
    screen.until("return document.title === 'password'").await;
    screen.close().await;
}

#[tokio::test]
async fn the_password_rules_are_ticked_as_the_server_would_judge() {
    let (_site, _portal, screen) = open(Hands::Keyboard, "/account/register/security-details").await;
    // PWD-4: the same vectors as every other checker of passwords.
    let file = include_str!("../../../../portal-auth/tests/vectors/password_policy.json");
    let vectors: Vec<Value> = serde_json::from_str(file).unwrap();
    // What a rule's line on the page stands for; other reasons only the server can know.
    let rules = [
        ("length", &["password.too_short", "password.too_long"][..]),
        ("digits", &["password.digits"]),
        ("lower", &["password.lower"]),
        ("upper", &["password.upper"]),
        ("special", &["password.special"]),
        ("username", &["password.is_username"]),
    ];
    let mut judged = 0;
    for vector in vectors.iter().filter(|v| v["policy"] == "portal") {
        let expected: Vec<_> = vector["expected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e.as_str().unwrap())
            .collect();
        if expected == ["password.required"] {
            continue;
        }
        let username = vector["username"].as_str().unwrap_or_default();
        let met = screen
            .look(&format!(
                "const set = (id, text) => {{ const f = document.getElementById(id); f.value = text; \
                   f.dispatchEvent(new Event('input', {{ bubbles: true }})); }}; \
                 set('email', {}); set('new-password', {}); \
                 return [...document.querySelectorAll('[data-rule].met')].map(e => e.dataset.rule)",
                json!(username),
                json!(vector["password"])
            ))
            .await;
        for (rule, reasons) in rules {
            let kept = !reasons.iter().any(|reason| expected.contains(reason));
            let ticked = met.as_array().unwrap().iter().any(|m| m == rule);
            assert_eq!(
                ticked, kept,
                "{rule} of {}: {:?}",
                vector["name"], vector["password"]
            );
        }
        judged += 1;
    }
    assert!(judged > 30, "{judged}");
    // Said once typing pauses, not at each key.
    screen.fill("new-password", PASSWORD).await;
    screen
        .until(
            "return document.getElementById('password-progress').textContent === '6 of 6 password rules met'",
        )
        .await;
    screen.close().await;
}

#[tokio::test]
async fn a_role_is_found_while_typing_and_any_other_is_taken_as_typed() {
    let (site, portal, screen) = open(Hands::Keyboard, "/account/register/security-details").await;
    let mut person = crate::rig::Person::at(&portal);
    let about = crate::rig::journey::security_details(&mut person, "roles@school.example").await;
    crate::rig::journey::about_you(&mut person, &about).await;
    // The same browser goes on where the draft was left.
    screen.take_cookies_of(&person).await;
    screen.open("/account/register/work-details").await;
    let shown = "return [...document.querySelectorAll('[role=option]')].map(e => e.textContent)";
    screen.tab_to("#role").await;
    assert_eq!(
        screen.attribute("#role", "role").await.as_deref(),
        Some("combobox")
    );
    screen.type_keys("a").await;
    let with_a = screen.look(shown).await;
    let with_a = with_a.as_array().unwrap();
    assert!(with_a.len() > 10, "every role with an a: {with_a:?}");
    screen.type_keys("dvi").await;
    assert_eq!(
        screen.look(shown).await,
        json!(["Inclusion Advisory Worker", "Advisory Teacher"])
    );
    assert_eq!(
        screen.attribute("#role", "aria-expanded").await.as_deref(),
        Some("true")
    );
    let down = char::from(Key::Down);
    screen.type_keys(&format!("{down}{down}")).await;
    let active = screen.attribute("#role", "aria-activedescendant").await.unwrap();
    assert_eq!(screen.text(&format!("#{active}")).await, "Advisory Teacher");
    screen.type_keys(&char::from(Key::Enter).to_string()).await;
    assert_eq!(screen.value("#role").await, "Advisory Teacher");
    assert_eq!(
        screen.attribute("#role", "aria-expanded").await.as_deref(),
        Some("false")
    );
    assert!(
        screen.path().await.ends_with("/work-details"),
        "Return chose and sent nothing"
    );
    // Escape closes the list and leaves what was typed.
    screen.fill("role", "Forest School Leader").await;
    screen.type_keys(&char::from(Key::Escape).to_string()).await;
    assert_eq!(screen.value("#role").await, "Forest School Leader");
    screen.close().await;
    drop(site);
}

#[tokio::test]
async fn the_error_summary_takes_the_focus_and_leads_to_the_field() {
    let (_site, _portal, screen) = open(Hands::Keyboard, "/account/login").await;
    screen.press("Login").await;
    screen
        .until("return document.title === 'Error: Login - Professional Portal'")
        .await;
    screen
        .until("return document.activeElement.classList.contains('summary')")
        .await;
    assert_eq!(
        screen.attribute(".summary", "role").await.as_deref(),
        Some("alert")
    );
    screen.follow("Password is required").await;
    screen
        .until("return document.activeElement.id === 'password'")
        .await;
    let described = screen.attribute("#password", "aria-describedby").await.unwrap();
    assert!(described.starts_with("password-error"), "R3: {described}");
    // The first stop of every page leads past the navigation.
    screen.open("/help").await;
    screen.type_keys(&char::from(Key::Tab).to_string()).await;
    assert_eq!(
        screen.look("return document.activeElement.textContent").await,
        "Skip to main content"
    );
    screen.type_keys(&char::from(Key::Enter).to_string()).await;
    screen.until("return document.activeElement.id === 'main'").await;
    screen.close().await;
}

#[tokio::test]
async fn the_pages_hold_text_spaced_out_and_show_no_fault_to_the_console() {
    let (_site, _portal, screen) = open(Hands::Mouse, "/").await;
    for path in [
        "/",
        "/account/login",
        "/account/register/security-details",
        "/account/register/sent",
        "/help",
        "/dev/mail",
    ] {
        screen.open(path).await;
        screen.set_view(320, false).await;
        // 1.4.12: line height, space after paragraphs, between letters and between words. A test may style; a page may not.
        screen
            .look(
                "const s = new CSSStyleSheet(); s.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em \
                 !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }'); \
                 document.adoptedStyleSheets = [s]",
            )
            .await;
        let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(screen.look(wide).await, 0, "1.4.10, 1.4.12: {path}");
        // 2.5.8: whatever can be pressed is at least 24 by 24, links in a text aside.
        let small = "return [...document.querySelectorAll('button, input:not([type=hidden]), select, nav a, a.button, summary')] \
             .filter(e => e.checkVisibility() && !e.closest('.vh') && !e.classList.contains('default')) \
             .map(e => [(e.closest('label') || e).getBoundingClientRect(), e.outerHTML.slice(0, 80)]) \
             .filter(([r]) => r.width < 24 || r.height < 24).map(([, html]) => html)";
        assert_eq!(screen.look(small).await, json!([]), "{path}");
        // R1: nothing was fetched from anywhere else.
        let elsewhere = "return performance.getEntriesByType('resource').map(e => e.name) \
             .filter(name => !name.startsWith(location.origin))";
        assert_eq!(screen.look(elsewhere).await, json!([]), "{path}");
    }
    screen.close().await;
}

#[tokio::test]
async fn the_checker_of_accessibility_finds_what_is_put_in_the_way() {
    let (_site, _portal, screen) = open(Hands::Mouse, "/account/login").await;
    assert_eq!(screen.barriers().await, json!([]));
    screen
        .look("document.querySelector('label[for=password]').remove()")
        .await;
    let found = screen.barriers().await;
    let first = found[0].as_str().unwrap_or_default();
    assert!(first.starts_with("label: "), "{found}");
    screen.close().await;
}

#[tokio::test]
async fn the_picture_of_the_readme_is_taken_when_asked_for() {
    let (_site, _portal, screen) = open(Hands::Mouse, "/account/register/security-details").await;
    screen.fill("email", "jo.bloggs@school.example").await;
    screen.fill("email2", "jo.bloggs@school.example").await;
    screen.fill("new-password", "Correct-horse").await;
    screen.set_view(1280, false).await;
    let picture = screen.picture().await;
    assert!(picture.len() < 200 * 1024, "{} bytes", picture.len());
    assert!(picture.starts_with(b"\x89PNG"));
    if std::env::var_os("UPDATE_SCREENSHOT").is_some_and(|set| set == "1") {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/portal.png");
        std::fs::write(file, picture).unwrap();
    }
    screen.close().await;
}
