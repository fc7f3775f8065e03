//! Writes every page in its states to a folder of static files, for looking at them:
//!
//! ```text
//! cargo run -p portal --example gallery -- target/gallery [cy]
//! python3 -m http.server --directory target/gallery
//! ```
//!
//! The browser tests check the same pages (`tests/browser/states.rs`).

use std::{env, error::Error, fs, path::Path};

mod pages;
#[path = "../../src/views/mod.rs"]
#[allow(dead_code, reason = "the gallery shows the pages; handlers use the rest")]
mod views;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "target/gallery".to_owned());
    let folder = Path::new(&folder);
    let language = arguments.next().unwrap_or_default();
    fs::create_dir_all(folder.join("assets"))?;
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    for asset in ["portal.css", "portal.js", "signed-in.js", "favicon.svg"] {
        fs::copy(assets.join(asset), folder.join("assets").join(asset))?;
    }
    for page in pages::pages(&language)? {
        fs::write(folder.join(format!("{}.html", page.name)), page.html)?;
    }
    Ok(())
}
