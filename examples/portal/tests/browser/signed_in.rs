//! What the script does for people who are signed in: it warns before the time-out, and keeps what they type.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use test_rig::fantoccini::key::Key;

use crate::rig::journey::{account, log_in};
use crate::rig::program::Portal;
use crate::rig::{Database, PASSWORD, Person, Site};
use crate::screen::{Hands, Screen};

const ADDRESS: &str = "jo@school.example";
const PAGE: &str = "/account/two-step-verification";
const MINUTE: Duration = Duration::from_secs(60);
/// What a browser says when a page comes into view; the script then asks the server again.
const LOOKED_AT: &str = "document.dispatchEvent(new Event('visibilitychange'))";
const OPEN: &str = "return document.getElementById('time-out').open";
const CLOSED: &str = "return !document.getElementById('time-out').open";

struct Scene {
    site: Site,
    _portal: Portal,
    /// Another window of the same browser, as far as cookies go.
    jo: Person,
    screen: Screen,
}

/// Somebody who has logged in and looks at the page.
async fn scene(hands: Hands) -> Scene {
    let site = Site::new(Database::Sqlite);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    account(&site, &mut jo, ADDRESS).await;
    log_in(&mut jo, ADDRESS, PASSWORD).await;
    let screen = Screen::at(&portal, hands, true).await;
    screen.open("/help").await;
    screen.take_cookies_of(&jo).await;
    screen.open(PAGE).await;
    Scene {
        site,
        _portal: portal,
        jo,
        screen,
    }
}

impl Scene {
    /// Time goes by, and the page is looked at again.
    async fn wait(&self, span: Duration) {
        self.site.clock().advance(span);
        self.screen.look(LOOKED_AT).await;
    }

    /// Seconds without activity that are left, asked without being active.
    async fn idle_left(&mut self) -> Value {
        let answer = self.jo.ask(Method::GET, "/account/session", &[]).await;
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        said["idle_left"].clone()
    }
}

#[tokio::test]
async fn the_time_out_is_told_two_minutes_before_and_put_off_by_one_press() {
    // R10, WCAG 2.2.1
    let mut scene = scene(Hands::Keyboard).await;
    scene.wait(MINUTE * 28 - Duration::from_secs(1)).await;
    assert_eq!(scene.idle_left().await, 121);
    assert_eq!(scene.screen.look(CLOSED).await, true);
    scene.wait(Duration::from_secs(1)).await;
    scene.screen.until(OPEN).await;
    let title = "For your security we will log you out in 2 minutes.";
    assert_eq!(scene.screen.text("#time-out h2").await, title);
    // The focus moved in, and nothing around it can be reached.
    scene
        .screen
        .until("return document.activeElement.textContent === 'Stay logged in'")
        .await;
    scene.screen.inspect("time-out").await;
    assert_eq!(scene.idle_left().await, 120, "being asked is no activity");
    // Escape means: stay.
    scene.screen.type_keys(&char::from(Key::Escape).to_string()).await;
    scene.screen.until(CLOSED).await;
    for _ in 0..200 {
        if scene.idle_left().await == 1800 {
            break;
        }
    }
    assert_eq!(scene.idle_left().await, 1800);

    // And so does the button.
    scene.wait(MINUTE * 29).await;
    scene.screen.until(OPEN).await;
    scene.screen.press("Stay logged in").await;
    scene.screen.until(CLOSED).await;
    assert_eq!(scene.idle_left().await, 1800);

    // In the last minute the seconds are shown, and said when they begin.
    scene.wait(MINUTE * 29 - Duration::from_secs(6)).await;
    scene.screen.until(OPEN).await;
    assert_eq!(scene.screen.text("#time-out h2").await, title);
    let said = "return document.querySelector('#time-out [role=status]').textContent";
    assert_eq!(scene.screen.look(said).await, "");
    scene
        .screen
        .until(
            "return /^For your security we will log you out in \\d+ seconds\\.$/ \
               .test(document.getElementById('time-out-title').textContent)",
        )
        .await;
    assert_eq!(
        scene.screen.look(said).await,
        "You will be logged out in 1 minute."
    );
    scene.screen.press("Logout").await;
    scene.screen.arrives_at("Login").await;
    assert_eq!(scene.screen.text(".notice").await, "You have logged out.");
    scene.screen.close().await;
}

#[tokio::test]
async fn a_second_tab_closes_its_dialog_too_and_both_end_together() {
    let scene = scene(Hands::Mouse).await;
    let (first, second) = scene.screen.second_tab("/account").await;
    scene.wait(MINUTE * 28).await;
    scene.screen.until(OPEN).await;
    scene.screen.look_at(&first).await;
    scene.screen.look(LOOKED_AT).await;
    scene.screen.until(OPEN).await;
    scene.screen.press("Stay logged in").await;
    scene.screen.until(CLOSED).await;
    scene.screen.look_at(&second).await;
    scene.screen.until(CLOSED).await;
    // When it is over, each tab says so and knows the way back.
    scene.wait(MINUTE * 30).await;
    scene.screen.arrives_at("You have been logged out").await;
    assert_eq!(scene.screen.path().await, "/account/timed-out?next=%2Faccount");
    scene.screen.look_at(&first).await;
    scene.screen.look(LOOKED_AT).await;
    scene.screen.arrives_at("You have been logged out").await;
    assert!(!scene.screen.text("main").await.contains("What you had typed"));
    scene.screen.close().await;
}

#[tokio::test]
async fn near_the_absolute_limit_the_dialog_tells_the_truth() {
    // SES-3: no press moves it.
    let mut scene = scene(Hands::Mouse).await;
    for _ in 0..35 {
        scene.site.clock().advance(MINUTE * 20);
        scene.jo.open("/home").await;
    }
    scene.wait(MINUTE * 18).await;
    scene.screen.until(OPEN).await;
    let title = "For your security we will log you out in 2 minutes.";
    assert_eq!(scene.screen.text("#time-out h2").await, title);
    let more = scene.screen.text("#time-out-more").await;
    assert!(
        more.starts_with("A login lasts 12 hours at most, so this cannot be extended. Log in again after "),
        "{more}"
    );
    let shown = "return [...document.querySelectorAll('#time-out button')] \
                   .filter(b => b.getClientRects().length).map(b => b.textContent)";
    assert_eq!(
        scene.screen.look(shown).await,
        json!(["Go on until then", "Logout"])
    );
    scene.screen.press("Go on until then").await;
    scene.screen.until(CLOSED).await;
    scene.screen.look(LOOKED_AT).await;
    scene.wait(MINUTE).await;
    assert_eq!(scene.screen.look(CLOSED).await, true, "it was read");
    scene.wait(MINUTE).await;
    scene.screen.arrives_at("You have been logged out").await;
    let main = scene.screen.text("main").await;
    assert!(
        main.contains("We logged you out 12 hours after you logged in."),
        "{main}"
    );
    scene.screen.close().await;
}

#[tokio::test]
async fn what_is_typed_is_kept_while_it_is_typed_and_when_the_session_ends() {
    // R11
    let scene = scene(Hands::Mouse).await;
    let every = "return document.querySelector('main').dataset.every";
    assert_eq!(scene.screen.look(every).await, "20");
    // Half a second instead of twenty.
    scene
        .screen
        .look("document.querySelector('main').dataset.every = '0.5'")
        .await;
    scene.screen.choose("preferred_method", "Email").await;
    let kept = "return performance.getEntriesByType('resource').some(e => e.name.endsWith('/account/draft'))";
    scene.screen.until(kept).await;
    // A new window of the same browser: nothing was sent off, and nothing is lost.
    scene.screen.open("/home").await;
    scene.screen.open(PAGE).await;
    let notice = scene.screen.text(".notice").await;
    assert!(
        notice.starts_with("What you had typed is filled in again."),
        "{notice}"
    );
    assert_eq!(scene.screen.value("#preferred_method").await, "email");
    scene.screen.inspect("filled-in-again").await;
    scene.screen.follow("Show what is saved instead").await;
    scene
        .screen
        .until("return document.getElementById('preferred_method').value === 'none'")
        .await;

    // Another form of the page takes the person away.
    scene.screen.choose("preferred_method", "Email").await;
    for language in ["English", "Cymraeg"] {
        let button = "document.querySelector('form[action=\"/language\"] button')";
        scene.screen.look(&format!("{button}.click()")).await;
        scene
            .screen
            .until(&format!(
                "return document.readyState === 'complete' && {button}.textContent === '{language}'"
            ))
            .await;
        // What was typed is kept while the page leaves, and may arrive after the next one was asked for.
        for _ in 0..20 {
            if scene.screen.value("#preferred_method").await == "email" {
                break;
            }
            scene.screen.open(PAGE).await;
        }
        assert_eq!(scene.screen.value("#preferred_method").await, "email");
        assert!(!scene.screen.text("main .notice").await.is_empty());
    }
    scene.screen.open(&format!("{PAGE}?typed=no")).await;

    // Changed, and the session is over before the next twenty seconds are.
    scene.screen.choose("preferred_method", "Email").await;
    scene.wait(MINUTE * 30).await;
    scene.screen.arrives_at("You have been logged out").await;
    let main = scene.screen.text("main").await;
    assert!(
        main.contains("What you had typed is saved for 24 hours."),
        "{main}"
    );
    scene.screen.fill("email", ADDRESS).await;
    scene.screen.fill("password", PASSWORD).await;
    scene.screen.press("Login").await;
    scene.screen.arrives_at("Two Step Verification").await;
    assert_eq!(scene.screen.value("#preferred_method").await, "email");
    // What was sent off is not kept again by leaving its page.
    scene
        .screen
        .choose("preferred_method", "No Two Step Verification")
        .await;
    scene.screen.press("Save").await;
    scene
        .screen
        .until("return document.querySelector('.notice')?.textContent === 'Nothing was changed.'")
        .await;
    scene.screen.open(PAGE).await;
    assert!(!scene.screen.has(".notice").await);
    scene.screen.close().await;
}

#[tokio::test]
async fn without_scripts_the_page_states_the_limit_and_shows_no_dialog() {
    let site = Site::new(Database::Sqlite);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    account(&site, &mut jo, ADDRESS).await;
    log_in(&mut jo, ADDRESS, PASSWORD).await;
    let screen = Screen::at(&portal, Hands::Mouse, false).await;
    screen.open("/help").await;
    screen.take_cookies_of(&jo).await;
    screen.open(PAGE).await;
    let limit = "You will be logged out after 30 minutes without activity.";
    assert_eq!(screen.text(".limit").await, limit);
    assert_eq!(screen.text("#time-out").await, "");
    screen.close().await;
}
