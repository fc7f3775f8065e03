//! The checker of accessibility: axe-core, fetched through npm in one pinned version and compared with its digest.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::supervised::{on_path, scratch_path};

/// The version whose findings the tests expect.
const PACKAGE: &str = "axe-core@4.14.1";
const ARCHIVE: &str = "axe-core-4.14.1.tgz";
/// SHA-256 of its script, so that nothing else ever runs in the tests' browser.
const DIGEST: &str = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c";

/// The script of axe-core, to be run in a page; fetched once per process.
///
/// # Panics
/// When npm is missing, the package cannot be fetched, or the script is not the pinned one.
pub fn axe_core() -> &'static str {
    static SCRIPT: OnceLock<String> = OnceLock::new();
    SCRIPT.get_or_init(|| {
        let folder = scratch_path("axe");
        let script = fetch(&folder);
        // What is left behind is only a folder of the system's own temporary files.
        let _removed = fs::remove_dir_all(&folder);
        script
    })
}

fn fetch(folder: &PathBuf) -> String {
    let Some(npm) = on_path(&["npm"]) else {
        panic!(
            "these tests need npm for axe-core: install it with `apt-get install -y --no-install-recommends npm`"
        );
    };
    fs::create_dir_all(folder).unwrap_or_else(|e| panic!("{} cannot be made: {e}", folder.display()));
    // A registry may be out of reach for a moment.
    let packed = Command::new(npm)
        .args([
            "pack",
            PACKAGE,
            "--silent",
            "--fetch-retries=6",
            "--fetch-retry-mintimeout=2000",
        ])
        .current_dir(folder)
        .output();
    let packed = packed.unwrap_or_else(|e| panic!("npm does not start: {e}"));
    assert!(
        packed.status.success(),
        "npm cannot fetch {PACKAGE}: {}",
        String::from_utf8_lossy(&packed.stderr)
    );
    let script = output("tar", &["-xzOf", ARCHIVE, "package/axe.min.js"], folder);
    fs::write(folder.join("axe.min.js"), &script).unwrap_or_else(|e| panic!("axe-core cannot be kept: {e}"));
    let digest = output("sha256sum", &["axe.min.js"], folder);
    assert!(
        digest.starts_with(DIGEST),
        "{PACKAGE} is not the script that these tests know"
    );
    script
}

fn output(program: &str, arguments: &[&str], folder: &PathBuf) -> String {
    let done = Command::new(program).args(arguments).current_dir(folder).output();
    let done = done.unwrap_or_else(|e| panic!("{program} does not start: {e}"));
    assert!(
        done.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout)
        .unwrap_or_else(|e| panic!("{program} answered with something else than text: {e}"))
}
