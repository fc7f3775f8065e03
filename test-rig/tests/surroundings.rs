//! The rig itself: what it starts works, and dies with the process that started it.

use test_rig::fantoccini::Locator;
use test_rig::{Browser, BrowserOptions};

#[tokio::test]
async fn a_browser_shows_a_page_and_takes_a_picture() {
    let browser = Browser::start(&BrowserOptions::default()).await;
    browser
        .client()
        .goto("data:text/html,<h1>hello</h1><script>document.title='ran'</script>")
        .await
        .unwrap();
    let heading = browser.client().find(Locator::Css("h1")).await.unwrap();
    assert_eq!(heading.text().await.unwrap(), "hello");
    assert_eq!(browser.client().title().await.unwrap(), "ran");
    let file = std::env::temp_dir().join(format!("rig-shot-{}.png", std::process::id()));
    browser.save_screenshot(&file).await;
    let png = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    browser.close().await;
}

#[tokio::test]
async fn a_browser_can_be_dark_narrow_and_without_scripts() {
    let options = BrowserOptions {
        javascript: false,
        dark: true,
        window: (500, 700),
    };
    let browser = Browser::start(&options).await;
    let page = "data:text/html,<style>p{display:none}@media(prefers-color-scheme:dark){p{display:block}}</style>\
                <p>dark</p><noscript><b>no scripts</b></noscript>";
    browser.client().goto(page).await.unwrap();
    assert_eq!(
        browser
            .client()
            .find(Locator::Css("p"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "dark"
    );
    assert_eq!(
        browser
            .client()
            .find(Locator::Css("b"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "no scripts"
    );
    assert_eq!(browser.client().get_window_size().await.unwrap().0, 500);
}
