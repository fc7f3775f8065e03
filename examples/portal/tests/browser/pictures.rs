//! The pictures in `docs/portal.md`, taken of the gallery's pages.

use crate::every_state::serve;
use crate::screen::{Hands, Screen};
use crate::states::shown;

/// Name in the gallery, width in CSS pixels, dark.
const PICTURES: [(&str, u32, bool); 6] = [
    ("home", 1024, false),
    ("security-details-errors", 768, false),
    ("verify", 768, true),
    ("area-closed", 768, false),
    ("circumstances-wrong", 320, false),
    ("admin-account", 1024, false),
];
/// Bytes; nobody waits long for the page.
const MOST: usize = 200 * 1024;

#[tokio::test]
async fn the_pictures_of_the_documentation_are_taken_when_asked_for() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pages");
    let document = include_str!("../../../../docs/portal.md");
    let screen = Screen::before(&serve("en-GB").await, Hands::Mouse, true).await;
    for (name, width, dark) in PICTURES {
        assert!(shown().iter().any(|(n, _)| *n == name), "{name}");
        assert!(document.contains(&format!("(pages/{name}.png)")), "{name}");
        screen.set_view(width, dark).await;
        screen.open(&format!("/{name}.html")).await;
        let picture = screen.picture_of_window().await;
        assert!(
            picture.starts_with(b"\x89PNG") && picture.len() < MOST,
            "{name}: {}",
            picture.len()
        );
        if std::env::var_os("UPDATE_SCREENSHOT").is_some_and(|set| set == "1") {
            std::fs::write(format!("{folder}/{name}.png"), picture).unwrap();
        }
    }
    assert_eq!(document.matches("(pages/").count(), PICTURES.len());
    screen.close().await;
}
