//! The texts and lists that belong to a deployment, each from its file or from the sample built in.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::given::Given;
use super::problem::Problems;
use portal_auth::account::security_question::Questions;

use crate::address_finder::CsvAddresses;
use crate::context_words::ContextWords;
use crate::home_page::HomePage;
use crate::roles::Roles;
use crate::views::catalogue::Language;

/// What the deployment says in its own words.
#[derive(Debug)]
#[non_exhaustive]
pub struct Content {
    /// The front page.
    pub home: HomePage,
    /// The front page in other languages, by their tags.
    pub home_in: Vec<(&'static str, HomePage)>,
    /// Professional roles to choose from.
    pub roles: Roles,
    /// Secret questions to choose from.
    pub questions: Questions,
    /// Words that no password may contain.
    pub context_words: ContextWords,
    /// Addresses for Find Address.
    pub addresses: CsvAddresses,
}

impl Content {
    /// Reads every file; what is wrong with them is added to `problems`.
    pub(crate) fn read(given: &Given, problems: &mut Problems) -> Option<Self> {
        let home = part(
            "PORTAL_HOME_FILE",
            given.home_file.as_deref(),
            SAMPLE_HOME,
            HomePage::parse,
            problems,
        );
        let roles = part(
            "PORTAL_ROLES_FILE",
            given.roles_file.as_deref(),
            SAMPLE_ROLES,
            Roles::parse,
            problems,
        );
        let questions = part(
            "PORTAL_QUESTIONS_FILE",
            given.questions_file.as_deref(),
            SAMPLE_QUESTIONS,
            Questions::parse,
            problems,
        );
        let words = part(
            "PORTAL_CONTEXT_WORDS_FILE",
            given.context_words_file.as_deref(),
            SAMPLE_CONTEXT_WORDS,
            ContextWords::parse,
            problems,
        );
        let addresses = part(
            "PORTAL_ADDRESS_FILE",
            given.address_file.as_deref(),
            SAMPLE_ADDRESSES,
            CsvAddresses::parse,
            problems,
        );
        let home_in = translated_homes(given, problems);
        Some(Self {
            home: home?,
            home_in,
            roles: roles?,
            questions: questions?,
            context_words: words?,
            addresses: addresses?,
        })
    }
}

/// The front page in other languages: the samples, or the files beside the one that the deployment names.
fn translated_homes(given: &Given, problems: &mut Problems) -> Vec<(&'static str, HomePage)> {
    let mut homes = Vec::new();
    for language in Language::all().filter(|language| *language != Language::ENGLISH) {
        let tag = language.tag();
        let beside = given.home_file.as_deref().map(|named| beside(named, tag));
        let sample = match &beside {
            Some(file) if Path::new(file).exists() => "",
            Some(_) => continue,
            None => match SAMPLE_HOMES.iter().find(|(of, _)| *of == tag) {
                Some((_, sample)) => sample,
                None => continue,
            },
        };
        let home = part(
            "PORTAL_HOME_FILE",
            beside.as_deref(),
            sample,
            HomePage::parse,
            problems,
        );
        homes.extend(home.map(|home| (tag, home)));
    }
    homes
}

/// `home.cy.md` of `home.md`.
fn beside(named: &str, tag: &str) -> String {
    let path = Path::new(named);
    let ending = path.extension().and_then(OsStr::to_str);
    let name = ending.map_or_else(|| tag.to_owned(), |ending| format!("{tag}.{ending}"));
    path.with_extension(name).to_string_lossy().into_owned()
}

/// Reads the file that `named` names, or the sample where none is named.
fn part<T, E: std::fmt::Display>(
    setting: &str,
    named: Option<&str>,
    sample: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    problems: &mut Problems,
) -> Option<T> {
    let Some(named) = named else {
        return problems.keep(setting, parse(sample));
    };
    let text = fs::read(Path::new(named))
        .map_err(|e| format!("names {named}, which cannot be read ({e}); name a readable file"));
    let text = problems.keep(setting, text)?;
    let text = String::from_utf8(text).map_err(|e| {
        let good = text_before(e.as_bytes(), e.utf8_error().valid_up_to());
        format!("names {named}, which is not UTF-8 at line {good}; save it as UTF-8")
    });
    let text = problems.keep(setting, text)?;
    // A byte order mark is what some editors put before UTF-8; it is no part of the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    problems.keep(
        setting,
        parse(text).map_err(|e| format!("names {named}, which is wrong at {e}")),
    )
}

/// The number of the line that byte `at` stands on.
fn text_before(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or_default();
    before
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1)
}

const SAMPLE_HOME: &str = include_str!("../../content/home.md");
const SAMPLE_HOMES: [(&str, &str); 1] = [("cy", include_str!("../../content/home.cy.md"))];
const SAMPLE_ROLES: &str = include_str!("../../content/roles.txt");
const SAMPLE_QUESTIONS: &str = include_str!("../../content/questions.txt");
const SAMPLE_CONTEXT_WORDS: &str = include_str!("../../content/context-words.txt");
const SAMPLE_ADDRESSES: &str = include_str!("../../content/addresses.csv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_samples_are_right() {
        let mut problems = Problems::default();
        let content = Content::read(&Given::default(), &mut problems);
        assert!(content.is_some(), "{problems}");
        let homes = content.unwrap().home_in;
        assert_eq!(homes.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), ["cy"]);
    }

    #[test]
    fn a_front_page_in_another_language_stands_beside_the_deployments_own() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("front.page.md");
        fs::write(&home, "Hello").unwrap();
        let given = Given {
            home_file: home.to_str().map(str::to_owned),
            ..Given::default()
        };
        let read = |problems: &mut Problems| Content::read(&given, problems).map(|content| content.home_in);
        let mut problems = Problems::default();
        assert_eq!(
            read(&mut problems),
            Some(Vec::new()),
            "the sample is not ours to mix in"
        );
        fs::write(dir.path().join("front.page.cy.md"), "Helo").unwrap();
        let own = HomePage::parse("Helo").unwrap();
        assert_eq!(read(&mut problems), Some(vec![("cy", own)]));
        fs::write(dir.path().join("front.page.cy.md"), "Helo {{neb}}").unwrap();
        assert_eq!(read(&mut problems), Some(Vec::new()));
        assert!(problems.iter().any(|p| p.sentence.contains("front.page.cy.md")));
    }

    #[test]
    fn every_bad_file_is_told_at_once_by_file_and_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            Some(path.to_str().unwrap().to_owned())
        };
        let given = Given {
            home_file: file("home.md", b"\n\nHello {{nobody}}"),
            roles_file: file("roles.txt", b"Teacher\n\xff"),
            questions_file: file("questions.txt", b"no-tab"),
            address_file: Some("/nonexistent.csv".into()),
            ..Given::default()
        };
        let mut problems = Problems::default();
        assert!(Content::read(&given, &mut problems).is_none());
        let told: Vec<_> = problems.iter().map(|p| p.sentence.as_str()).collect();
        assert!(
            told[0].contains("home.md") && told[0].contains("`{{nobody}}`"),
            "{told:?}"
        );
        assert!(
            told[1].contains("roles.txt") && told[1].contains("line 2"),
            "{told:?}"
        );
        assert!(told[2].contains("line 1"), "{told:?}");
        assert!(told[3].contains("/nonexistent.csv"), "{told:?}");
        assert_eq!(told.len(), 4);
    }
}
