//! The program does what it says.

use std::process::Command;

#[test]
fn a_club_keeps_members_and_boats() {
    let run = Command::new(env!("CARGO_BIN_EXE_own-profile")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "registered: Some(Member { name: \"Robin\" })\n\
         boat: None, missing: 0\n\
         first tab saves: Boat { name: \"Heron\", metres: 6 }\n\
         second tab is shown: Some(Boat { name: \"Heron\", metres: 6 })\n\
         second tab saves: Some(Boat { name: \"Egret\", metres: 6 })\n"
    );
}
