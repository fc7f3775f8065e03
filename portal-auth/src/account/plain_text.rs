//! What no text from a person may hold (LIM-3): characters that hide, reorder or end other text.

/// Whether `text` holds a character that a reader cannot see and that can make a page or a log line lie: C0 and C1
/// controls (NUL, tab and line ends among them) or a control of writing direction.
///
/// # Security
/// NUL breaks databases in different ways, line ends forge log lines and mail headers, and direction controls make
/// a name read as another one.
///
/// ```
/// use portal_auth::account::plain_text::has_hidden_character;
///
/// assert!(!has_hidden_character("Zoë O'Brien"));
/// assert!(has_hidden_character("Zo\u{202e}ë"));
/// ```
#[must_use]
pub fn has_hidden_character(text: &str) -> bool {
    text.chars().any(is_hidden)
}

/// Whether `text` is fit to be a name: nothing hidden, no `<` or `>`, and no `://`.
///
/// # Security
/// Names travel into mails and other people's pages; one that carries a link or markup is an advertisement or an
/// attack, whatever the escaping there.
#[must_use]
pub fn is_fit_for_a_name(text: &str) -> bool {
    !has_hidden_character(text) && !text.contains(['<', '>']) && !text.contains("://")
}

fn is_hidden(c: char) -> bool {
    c.is_control() || is_direction_control(c)
}

/// The characters of Unicode's property `Bidi_Control`.
fn is_direction_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use icu_properties::CodePointSetData;
    use icu_properties::props::BidiControl;

    use super::*;

    #[test]
    fn direction_controls_are_exactly_those_of_unicode() {
        let unicode = CodePointSetData::new::<BidiControl>();
        for c in '\0'..=char::MAX {
            assert_eq!(
                is_direction_control(c),
                unicode.contains(c),
                "{:04x}",
                u32::from(c)
            );
        }
    }

    #[test]
    fn controls_are_hidden_and_letters_of_any_script_are_not() {
        // LIM-3
        for c in ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}') {
            assert!(has_hidden_character(&format!("a{c}b")), "{:04x}", u32::from(c));
        }
        for text in [
            "",
            " ",
            "Jane",
            "Ærøskøbing",
            "李小龍",
            "محمد",
            "👩‍👩‍👧",
            "a\u{a0}b",
            "e\u{301}",
        ] {
            assert!(!has_hidden_character(text), "{text}");
        }
    }

    #[test]
    fn names_refuse_markup_and_links_as_well() {
        // LIM-3
        for name in ["<b>", "a > b", "see https://evil.example", "a\nb", "\u{202e}enaJ"] {
            assert!(!is_fit_for_a_name(name), "{name:?}");
        }
        for name in ["O'Brien-Smith", "Dr. J. & P. Jones", "Weiß: Söhne", "and/or"] {
            assert!(is_fit_for_a_name(name), "{name:?}");
        }
    }
}
