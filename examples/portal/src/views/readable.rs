//! What no page holds, whatever somebody typed: characters that nobody sees and that a terminal obeys.

/// The page with every control character but tabs and line ends replaced by U+FFFD.
///
/// HTML knows no way to write them. What is shown again beside its error, or comes out of an address, would else reach
/// whoever copies the page's text or reads it in a terminal.
pub(crate) fn readable(page: String) -> String {
    let unreadable = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if page.contains(unreadable) {
        page.replace(unreadable, "\u{fffd}")
    } else {
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_replaced_and_everything_else_is_kept() {
        let page = "<p>\ta\r\nb\0c\u{1b}[2Jd\u{7f}e\u{9b}31mf Zo\u{eb} \u{1f600}</p>";
        assert_eq!(
            readable(page.to_owned()),
            "<p>\ta\r\nb\u{fffd}c\u{fffd}[2Jd\u{fffd}e\u{fffd}31mf Zo\u{eb} \u{1f600}</p>"
        );
    }
}
