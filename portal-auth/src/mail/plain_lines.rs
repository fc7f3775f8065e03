//! Plain text that survives mail programs: short lines, whole links, and names that cannot pass for anything else.

use crate::account::plain_text::{has_hidden_character, is_fit_for_a_name};
use crate::language::Spoken;

/// The longest line of a text mail, in characters (portal.md section 5: under 78).
pub(super) const WIDTH: usize = 77;
/// What a line begins with that a person typed.
const QUOTED: &str = "> ";
/// The longest name a greeting shows, in characters.
const LONGEST_NAME: usize = 60;

/// Breaks lines at blanks so that none is longer than [`WIDTH`], and ends the text with one line end.
///
/// A word that holds `://` or `@` is a link or an address and stays whole, whatever its length: people copy it by
/// hand. A line that begins with `@` stays whole too: programs read the code out of it; so does one that is quoted,
/// which [`paragraphs`] has broken. Any other word that is longer than a line is cut.
pub(super) fn wrap(text: &str) -> String {
    let mut wrapped = String::with_capacity(text.len().saturating_add(64));
    for line in text.trim().lines() {
        if line.starts_with('@') || line.starts_with(QUOTED) {
            wrapped.push_str(line);
            wrapped.push('\n');
            continue;
        }
        let mut used = 0_usize;
        for piece in words(line).iter().flat_map(|word| pieces(word)) {
            let length = piece.chars().count();
            if used > 0 && used.saturating_add(length) >= WIDTH {
                wrapped.push('\n');
                used = 0;
            }
            if used > 0 {
                wrapped.push(' ');
                used = used.saturating_add(1);
            }
            wrapped.push_str(&piece);
            used = used.saturating_add(length);
        }
        wrapped.push('\n');
    }
    wrapped
}

/// The paragraphs of a notice, line by line, without hidden characters; every line that a person typed keeps its mark,
/// also where it is broken, so that it cannot pass for words of the service.
pub(super) fn paragraphs(lines: &str) -> Vec<Vec<String>> {
    let mut paragraphs: Vec<Vec<String>> = Vec::new();
    let mut open = false;
    for line in lines.lines() {
        if line.trim().is_empty() {
            open = false;
            continue;
        }
        let broken = match line.strip_prefix('>') {
            Some(typed) => quoted(&plain(typed)),
            None => vec![plain(line)],
        };
        match paragraphs.last_mut() {
            Some(paragraph) if open => paragraph.extend(broken),
            _ => paragraphs.push(broken),
        }
        open = true;
    }
    paragraphs
}

/// A line that a person typed, broken where it is too long, each part with its mark.
fn quoted(typed: &str) -> Vec<String> {
    let room = WIDTH.saturating_sub(QUOTED.len());
    let mut lines = vec![String::new()];
    let mut used = 0_usize;
    // Links are cut like other words: a quoted one is none of ours.
    let characters: Vec<Vec<char>> = typed.split(' ').map(|word| word.chars().collect()).collect();
    for piece in characters.iter().flat_map(|word| word.chunks(room)) {
        let fits = used == 0 || used.saturating_add(piece.len()).saturating_add(1) <= room;
        if !fits {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used = used.saturating_add(1);
            }
            line.extend(piece);
            used = used.saturating_add(piece.len());
        }
    }
    lines
        .iter()
        .map(|line| format!("{QUOTED}{line}").trim_end().to_owned())
        .collect()
}

/// The words of a line; a time of day is one of them, since "10:40" and "pm" on two lines are easily misread.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let half = matches!(word.trim_end_matches(['.', ',', ':']), "am" | "pm");
        match words.last_mut() {
            Some(time) if half && time.ends_with(|c: char| c.is_ascii_digit()) => {
                time.push(' ');
                time.push_str(word);
            }
            Some(_) | None => words.push(word.to_owned()),
        }
    }
    words
}

fn pieces(word: &str) -> Vec<String> {
    if word.contains("://") || word.contains('@') || word.chars().count() <= WIDTH {
        return vec![word.to_owned()];
    }
    let characters: Vec<char> = word.chars().collect();
    characters
        .chunks(WIDTH)
        .map(|part| part.iter().collect())
        .collect()
}

/// "Hello Jo," or, where the name is unknown or not fit to be shown, "Hello,".
///
/// # Security
/// The name was typed by a person. One that carries a link would be the first link of the mail, so it is left out;
/// line ends and hidden characters are taken out, so that it cannot pretend to be the mail's own text.
pub(super) fn greeting(name: Option<&str>) -> String {
    greeting_in(Spoken::English, name)
}

/// As [`greeting`], in a language.
pub(super) fn greeting_in(spoken: Spoken, name: Option<&str>) -> String {
    let hello = match spoken {
        Spoken::English => "Hello",
        Spoken::Welsh => "Helo",
    };
    let name: String = name
        .map(plain)
        .unwrap_or_default()
        .chars()
        .take(LONGEST_NAME)
        .collect();
    if name.is_empty() || !is_fit_for_a_name(&name) {
        return format!("{hello},");
    }
    format!("{hello} {name},")
}

/// A value as one line without hidden characters.
pub(super) fn plain(value: &str) -> String {
    let spaced: String = value
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !has_hidden_character(c.encode_utf8(&mut [0; 4])))
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Digits in groups of three or four, as people read them out: "482 913", "482 9130", "4829 1307".
pub(super) fn grouped(digits: &str) -> String {
    let length = digits.chars().count();
    let groups = (length / 3).max(1);
    // The last groups take one digit more each until none is left over.
    let longer_from = groups.saturating_sub(length % 3);
    let mut rest = digits.chars();
    (0..groups)
        .map(|at| {
            let size = if at >= longer_from { 4 } else { 3 };
            rest.by_ref().take(size).collect::<String>()
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_grouped_so_that_no_group_is_longer_than_four() {
        for (digits, shown) in [
            ("482913", "482 913"),
            ("4829130", "482 9130"),
            ("48291307", "4829 1307"),
            ("482913074", "482 913 074"),
            ("4829130742", "482 913 0742"),
        ] {
            assert_eq!(grouped(digits), shown);
        }
    }

    #[test]
    fn a_greeting_shows_a_name_and_nothing_else() {
        // portal.md section 5, MAIL-3
        assert_eq!(greeting(Some("Zoë")), "Hello Zoë,");
        assert_eq!(greeting(None), "Hello,");
        assert_eq!(greeting(Some(" \t ")), "Hello,");
        assert_eq!(greeting(Some("Jo\r\n\r\nYour account")), "Hello Jo Your account,");
        assert_eq!(greeting(Some("Jo\u{202e}\u{0}\u{7}")), "Hello Jo,");
        assert_eq!(greeting(Some("https://evil.example")), "Hello,");
        assert_eq!(greeting(Some("<b>Jo</b>")), "Hello,");
        assert_eq!(greeting(Some(&"x".repeat(500))).chars().count(), 67);
    }

    #[test]
    fn a_time_of_day_is_not_torn_apart() {
        let text = format!("{} 10:40 pm today", "x".repeat(70));
        assert_eq!(wrap(&text).lines().last(), Some("10:40 pm today"));
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_word_is_lost(text in "([ \n]|[a-zé/.]{1,200}){0,60}") {
            let wrapped = wrap(&text);
            prop_assert!(wrapped.lines().all(|line| line.chars().count() <= WIDTH));
            let letters = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&wrapped), letters(&text));
        }

        #[test]
        fn a_link_stays_whole(path in "[a-z]{1,200}", before in "[a-z ]{0,100}") {
            let link = format!("https://portal.example/{path}");
            let text = format!("{before} {link} after");
            let wrapped = wrap(&text);
            prop_assert!(wrapped.split_whitespace().any(|word| word == link));
        }
    }
}
