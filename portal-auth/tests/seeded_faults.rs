//! The seeded faults in `faults/` stay faults of today's code: each still says what it breaks and still applies.
//!
//! Whether a test catches each of them is shown by `portal-auth/tests/faults/run`, which compiles the library once for
//! every fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at what it did not expect"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// A change of one place: what stands there, and what the fault puts there.
#[derive(Debug, Default)]
struct Hunk {
    file: PathBuf,
    before: String,
    after: String,
}

fn hunks(patch: &str) -> Vec<Hunk> {
    let mut hunks = Vec::<Hunk>::new();
    let mut file = PathBuf::new();
    for line in patch.lines() {
        if let Some(name) = line.strip_prefix("+++ b/") {
            file = PathBuf::from(name);
        } else if line.starts_with("@@ ") {
            hunks.push(Hunk {
                file: file.clone(),
                ..Hunk::default()
            });
        } else if let (Some(hunk), Some(kind)) = (hunks.last_mut(), line.chars().next()) {
            let text = format!("{}\n", line.get(1..).unwrap_or_default());
            match kind {
                ' ' => {
                    hunk.before.push_str(&text);
                    hunk.after.push_str(&text);
                }
                '-' if !line.starts_with("--- ") => hunk.before.push_str(&text),
                '+' => hunk.after.push_str(&text),
                _ => {}
            }
        }
    }
    hunks
}

#[test]
fn each_fault_says_what_it_breaks_and_still_applies() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().expect("the repository");
    let mut faults = 0;
    for entry in fs::read_dir(here.join("tests/faults")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "patch") {
            continue;
        }
        faults += 1;
        let name = path.display();
        let patch = fs::read_to_string(&path).unwrap();
        assert!(
            patch.lines().next().is_some_and(|l| l.ends_with('.')),
            "{name} begins with what it breaks"
        );
        assert!(
            patch.contains("\nRules: ") && patch.contains("\nTests: -p "),
            "{name} names its rules and tests"
        );
        let hunks = hunks(&patch);
        assert!(!hunks.is_empty(), "{name} changes nothing");
        for hunk in hunks {
            assert_ne!(hunk.before, hunk.after, "{name} changes nothing");
            let source = fs::read_to_string(root.join(&hunk.file)).unwrap();
            assert_eq!(
                source.matches(&hunk.before).count(),
                1,
                "{name} does not apply to {} any more: change it with the code",
                hunk.file.display()
            );
        }
    }
    assert!(faults >= 15, "only {faults} faults are left");
}
