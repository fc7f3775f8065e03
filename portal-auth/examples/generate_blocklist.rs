//! Writes `src/password/blocklist.txt` from `src/password/well_known.txt`: run it after a change of the words or of
//! the rule.

#[path = "generate_blocklist/rule.rs"]
mod rule;

use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/password");
    let well_known = std::fs::read_to_string(folder.join("well_known.txt"))?;
    std::fs::write(folder.join("blocklist.txt"), rule::blocklist(&well_known))
}
