//! Every mail as a narrow client shows it.

use std::process::Command;

use test_rig::{Browser, BrowserOptions};

use crate::screen::pictures;

/// Whether the page is wider than its window.
const OVERFLOW: &str = "const d = document.documentElement; return d.scrollWidth > d.clientWidth;";

#[tokio::test]
async fn every_mail_fits_a_telephone_and_asks_for_nothing_from_elsewhere() {
    // portal.md section 5
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["mail", "preview", "mails"])
        .env_clear()
        .env(
            "PORTAL_HELP_EMAIL",
            "the.help.desk.of.the.portal@council-with-a-long-name.example",
        )
        .current_dir(dir.path())
        .status()
        .unwrap();
    assert!(made.success());
    let browser = Browser::start(&BrowserOptions::default()).await;
    let client = browser.client();
    let folder = pictures().join("mails");
    std::fs::create_dir_all(&folder).unwrap();
    let mut seen = 0;
    // What is wider than its frame is found to be so.
    std::fs::write(
        dir.path().join("mails/wide.html"),
        "<div style='width:400px'>wide</div>",
    )
    .unwrap();
    for entry in std::fs::read_dir(dir.path().join("mails")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".html") || name == "index.html" {
            continue;
        }
        // A frame is as narrow as it is asked to be, which no window of a desk is.
        let frame = format!(
            "<!doctype html><body style='margin:0'><iframe width=320 height=880 style='border:0' src='mails/{name}'></iframe>"
        );
        let page = dir.path().join("frame.html");
        std::fs::write(&page, frame).unwrap();
        client.goto(&format!("file://{}", page.display())).await.unwrap();
        browser.save_screenshot(&folder.join(format!("{name}.png"))).await;
        client.enter_frame(0).await.unwrap();
        let width = client.execute("return window.innerWidth", vec![]).await.unwrap();
        assert_eq!(width, 320);
        let overflows = client.execute(OVERFLOW, vec![]).await.unwrap();
        assert_eq!(overflows, name == "wide.html", "{name} at 320 px");
        let asked = "return performance.getEntriesByType('resource').length + document.images.length";
        assert_eq!(
            client.execute(asked, vec![]).await.unwrap(),
            0,
            "{name} loads something"
        );
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
    browser.close().await;
}
