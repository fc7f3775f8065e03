//! What a person has before them: a browser window on the portal, used by its labels, by mouse or by keyboard alone.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Method;
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use test_rig::fantoccini::elements::Element;
use test_rig::fantoccini::key::Key;
use test_rig::fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use test_rig::fantoccini::{Client, Locator};
use test_rig::{Browser, BrowserOptions, axe_core};

use crate::rig::Person;
use crate::rig::program::Portal;

/// The widths that every page is looked at: a telephone, a tablet, a desk.
pub const WIDTHS: [u32; 3] = [320, 768, 1280];

/// How somebody uses the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// Clicks, and types into what was clicked.
    Mouse,
    /// Tab, Return, Space, arrows and letters.
    Keyboard,
}

/// A window of a browser.
#[derive(Debug)]
pub struct Screen {
    browser: Browser,
    origin: String,
    hands: Hands,
}

impl Screen {
    /// Opens a window before this portal.
    pub async fn at(portal: &Portal, hands: Hands, javascript: bool) -> Self {
        Self::before(&portal.origin(), hands, javascript).await
    }

    /// Opens a window before whatever is served at this origin.
    pub async fn before(origin: &str, hands: Hands, javascript: bool) -> Self {
        let options = BrowserOptions {
            javascript,
            ..BrowserOptions::default()
        };
        Self {
            browser: Browser::start(&options).await,
            origin: origin.to_owned(),
            hands,
        }
    }

    fn client(&self) -> &Client {
        self.browser.client()
    }

    /// Types an address into the address bar.
    pub async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.origin);
        self.client().goto(&url).await.unwrap();
    }

    /// Puts another browser's cookies into this one, as if it were that browser.
    pub async fn take_cookies_of(&self, person: &Person) {
        for (name, value) in person.cookies() {
            let cookie = json!({
                "name": name, "value": value, "url": self.origin, "path": "/", "secure": true, "httpOnly": true,
                "sameSite": "Lax",
            });
            self.devtools("Network.setCookie", cookie).await;
        }
    }

    /// Where the window is: path and query.
    pub async fn path(&self) -> String {
        let url = self.client().current_url().await.unwrap();
        match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        }
    }

    pub async fn title(&self) -> String {
        self.client().title().await.unwrap()
    }

    /// What an element that must be there shows.
    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// The element, which must be there.
    pub async fn find(&self, css: &str) -> Element {
        match self.client().find(Locator::Css(css)).await {
            Ok(element) => element,
            Err(e) => panic!("no {css} on {}: {e}", self.path().await),
        }
    }

    /// Whether the page holds such an element.
    pub async fn has(&self, css: &str) -> bool {
        self.client().find(Locator::Css(css)).await.is_ok()
    }

    /// What stands in a field.
    pub async fn value(&self, css: &str) -> String {
        let value = self.find(css).await.prop("value").await.unwrap();
        value.unwrap_or_default()
    }

    /// An attribute of an element.
    pub async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.find(css).await.attr(name).await.unwrap()
    }

    /// Runs a script in the page; for looking, never for acting.
    pub async fn look(&self, script: &str) -> Value {
        self.client().execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until a script says true.
    pub async fn until(&self, script: &str) {
        for _ in 0..400 {
            if self.client().execute(script, Vec::new()).await.ok() == Some(Value::Bool(true)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it never came true on {}: {script}", self.path().await);
    }

    /// Waits until the window shows a page with this heading.
    pub async fn arrives_at(&self, heading: &str) {
        for _ in 0..400 {
            if let Ok(h1) = self.client().find(Locator::Css("h1")).await
                && h1.text().await.is_ok_and(|text| text == heading)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let main = self.text("main").await;
        panic!("{} never showed {heading:?}, but:\n{main}", self.path().await);
    }

    /// Fills a text field, by its id.
    pub async fn fill(&self, field: &str, text: &str) {
        let element = match self.hands {
            Hands::Mouse => {
                let element = self.find(&format!("#{field}")).await;
                element.click().await.unwrap();
                element
            }
            Hands::Keyboard => self.tab_to(&format!("#{field}")).await,
        };
        // Whatever stands there is marked and typed over.
        let all = format!("{}a{}", char::from(Key::Control), char::from(Key::Null));
        element.send_keys(&all).await.unwrap();
        let nothing = char::from(Key::Backspace).to_string();
        let keys = if text.is_empty() { &nothing } else { text };
        element.send_keys(keys).await.unwrap();
        assert_eq!(self.value(&format!("#{field}")).await, text, "{field}");
    }

    /// Chooses an option of a select by its text.
    pub async fn choose(&self, field: &str, text: &str) {
        match self.hands {
            Hands::Mouse => {
                let select = self.find(&format!("#{field}")).await;
                select.select_by_label(text).await.unwrap();
            }
            // Letters go to the option that begins with them.
            Hands::Keyboard => {
                let select = self.tab_to(&format!("#{field}")).await;
                select.send_keys(text).await.unwrap();
            }
        }
        let chosen =
            format!("const s = document.getElementById('{field}'); return s.selectedOptions[0].text");
        assert_eq!(self.look(&chosen).await, text, "{field}");
    }

    /// Chooses a radio button.
    pub async fn tick(&self, name: &str, value: &str) {
        let css = format!("input[name='{name}'][value='{value}']");
        match self.hands {
            Hands::Mouse => self.find(&css).await.click().await.unwrap(),
            Hands::Keyboard => {
                // A group is one stop; arrows go through it and choose.
                let mut element = self.tab_to(&format!("input[name='{name}']")).await;
                element.send_keys(" ").await.unwrap();
                for _ in 0..12 {
                    if element.attr("value").await.unwrap().as_deref() == Some(value) {
                        break;
                    }
                    let down = char::from(Key::Down).to_string();
                    element.send_keys(&down).await.unwrap();
                    element = self.client().active_element().await.unwrap();
                }
            }
        }
        assert!(
            self.find(&css).await.is_selected().await.unwrap(),
            "{name}={value}"
        );
    }

    /// Presses the button with this text.
    pub async fn press(&self, text: &str) {
        // What an open dialog covers cannot be pressed.
        let open = self.has("dialog[open]").await;
        let places = if open {
            &["dialog[@open]"][..]
        } else {
            &["main", "header"]
        };
        let buttons = places
            .iter()
            .map(|place| format!("//{place}//button[normalize-space()='{text}']"));
        let xpath = buttons.collect::<Vec<_>>().join(" | ");
        self.act_on(&xpath, text).await;
    }

    /// Follows the link with this text; one in the middle of the page comes before those around it.
    pub async fn follow(&self, text: &str) {
        let within = |place: &str| format!("//{place}//a[normalize-space()='{text}']");
        let main = within("main");
        let in_main = self.client().find(Locator::XPath(&main)).await.is_ok();
        let xpath = if in_main { main } else { within("*") };
        self.act_on(&xpath, text).await;
    }

    async fn act_on(&self, xpath: &str, text: &str) {
        let found = self.client().find(Locator::XPath(xpath)).await;
        let Ok(element) = found else {
            panic!(
                "nothing called {text:?} on {}:\n{}",
                self.path().await,
                self.text("main").await
            );
        };
        match self.hands {
            Hands::Mouse => element.click().await.unwrap(),
            Hands::Keyboard => {
                self.mark(&element).await;
                let element = self.tab_to("[data-wanted]").await;
                element
                    .send_keys(&char::from(Key::Enter).to_string())
                    .await
                    .unwrap();
            }
        }
    }

    /// Marks an element for the way there by Tab.
    async fn mark(&self, element: &Element) {
        let script = "document.querySelectorAll('[data-wanted]').forEach(e => e.removeAttribute('data-wanted')); \
                      arguments[0].setAttribute('data-wanted', '')";
        let argument = serde_json::to_value(element).unwrap();
        self.client().execute(script, vec![argument]).await.unwrap();
    }

    /// Goes on by Tab until the focus is on the element; it must come, and be seen (2.1.1, 2.4.7).
    pub async fn tab_to(&self, css: &str) -> Element {
        let here = format!("return document.activeElement.matches({})", json!(css));
        for _ in 0..80 {
            if self.look(&here).await == true {
                // A tall field may go on below the window.
                let seen = "const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e); \
                            const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2; \
                            const mid = document.elementFromPoint(middle(r.left, r.right, innerWidth), \
                              middle(r.top, r.bottom, innerHeight)); \
                            return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) && \
                              !!mid && (e.contains(mid) || mid.contains(e))";
                // The page may still be gliding there.
                let mut is_seen = false;
                for _ in 0..80 {
                    is_seen = self.look(seen).await == true;
                    if is_seen {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                assert!(
                    is_seen,
                    "the focus on {css} cannot be seen on {}",
                    self.path().await
                );
                return self.client().active_element().await.unwrap();
            }
            let active = self.client().active_element().await.unwrap();
            active.send_keys(&char::from(Key::Tab).to_string()).await.unwrap();
        }
        panic!("Tab never comes to {css} on {}", self.path().await);
    }

    /// Sends keys to whatever has the focus.
    pub async fn type_keys(&self, keys: &str) {
        self.client()
            .active_element()
            .await
            .unwrap()
            .send_keys(keys)
            .await
            .unwrap();
    }

    /// Opens a second tab at this path and looks at it; answers how to go back and forth.
    pub async fn second_tab(&self, path: &str) -> (WindowHandle, WindowHandle) {
        let first = self.client().window().await.unwrap();
        let second = self.client().new_window(true).await.unwrap().handle;
        self.look_at(&second).await;
        self.open(path).await;
        (first, second)
    }

    /// Looks at a tab.
    pub async fn look_at(&self, tab: &WindowHandle) {
        self.client().switch_to_window(tab.clone()).await.unwrap();
    }

    pub async fn back(&self) {
        self.client().back().await.unwrap();
    }

    /// Sees the page at each width, light and dark: nothing may be wider than the window (1.4.10). Writes a picture of each.
    pub async fn inspect(&self, name: &str) {
        for dark in [false, true] {
            for width in WIDTHS {
                self.set_view(width, dark).await;
                let wide =
                    "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
                assert_eq!(self.look(wide).await, 0, "{name} is wider than {width} pixels");
                if width == 1280 || (width == 320 && !dark) {
                    assert_eq!(
                        self.barriers().await,
                        json!([]),
                        "{name}, {width} pixels, dark: {dark}"
                    );
                }
                let scheme = if dark { "dark" } else { "light" };
                let file = pictures().join(format!("{name}-{width}-{scheme}.png"));
                std::fs::write(file, self.picture().await).unwrap();
            }
        }
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({}))
            .await;
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [] }))
            .await;
    }

    /// What axe-core finds on the page against WCAG 2.2 A and AA and its own best practice.
    pub async fn barriers(&self) -> Value {
        if self.look("return typeof axe === 'undefined'").await == true {
            self.look(axe_core()).await;
        }
        let run = "const done = arguments[0], runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', \
               'best-practice']; \
             axe.run(document, { resultTypes: ['violations'], runOnly }).then( \
               r => done(r.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html + n.failureSummary)}`)), \
               e => done([String(e)]))";
        self.client().execute_async(run, Vec::new()).await.unwrap()
    }

    /// Makes the page this wide, and light or dark.
    pub async fn set_view(&self, width: u32, dark: bool) {
        let view = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", view).await;
        // A picture of the whole page has no bar to scroll it.
        self.devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true }))
            .await;
        let scheme = if dark { "dark" } else { "light" };
        // Without motion, nothing is seen halfway.
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// The whole page as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.capture(true).await
    }

    /// What the window shows of it, as PNG.
    pub async fn picture_of_window(&self) -> Vec<u8> {
        self.capture(false).await
    }

    async fn capture(&self, all: bool) -> Vec<u8> {
        let how = json!({ "format": "png", "captureBeyondViewport": all });
        let taken = self.devtools("Page.captureScreenshot", how).await;
        Base64::decode_vec(taken["data"].as_str().unwrap()).unwrap()
    }

    /// A command of the browser's own, which the protocol for tests has none for.
    async fn devtools(&self, command: &'static str, params: Value) -> Value {
        let command = Devtools { command, params };
        self.client().issue_cmd(command).await.unwrap()
    }

    pub async fn close(self) {
        self.browser.close().await;
    }
}

/// Where the pictures go: beside everything else that a build leaves.
pub fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[derive(Debug)]
struct Devtools {
    command: &'static str,
    params: Value,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.params });
        (Method::POST, Some(body.to_string()))
    }
}
