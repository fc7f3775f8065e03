//! The menu of My Account: the guide's seven entries in its order, then ours.

use super::layout::MenuItem;

/// What is said, where it leads, and other pages that belong to the same entry.
const ENTRIES: [(&str, &str, &[&str]); 10] = [
    ("Personal Details", "/account/personal-details", &[]),
    ("Work Details", "/account/work-details", &[]),
    ("Change Email Address", "/account/change-email-address", &[]),
    ("Change Password", "/account/change-password", &[]),
    ("Change Secret Question", "/account/change-secret-question", &[]),
    ("Two Step Verification", "/account/two-step-verification", &[]),
    ("Change of Circumstances", "/account/change-of-circumstances", &[]),
    ("Where you are logged in", "/account/sessions", &[]),
    ("Account activity", "/account/activity", &[]),
    (
        "Download or close account",
        "/account/your-data",
        &["/account/close"],
    ),
];

/// The menu with the entry of the page at `here` marked.
pub(crate) fn menu(here: &str) -> Vec<MenuItem> {
    ENTRIES
        .iter()
        .map(|(label, href, others)| MenuItem {
            current: *href == here || others.contains(&here),
            ..MenuItem::new(label, href)
        })
        .collect()
}
