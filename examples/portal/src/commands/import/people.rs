//! The file, person by person, with the line that each stands in. However large it is, one record of it is in memory.

use std::collections::hash_map::{Entry as Slot, RandomState};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use portal_auth::features::prepare_registration::PersonToPrepare;

use super::cells::Cells;
use super::columns::Columns;

/// The longest record, in bytes; beyond it a quotation mark was never closed.
const LONGEST_RECORD: usize = 64 * 1024;
/// The most people of one file: what repeats are found by stays below 64 MiB.
const MOST_PEOPLE: usize = 1_000_000;

/// Something wrong with the file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    line: u64,
    column: Option<&'static str>,
    sentence: String,
}

impl Problem {
    fn of_line(line: u64, sentence: impl Into<String>) -> Self {
        Self {
            line,
            column: None,
            sentence: sentence.into(),
        }
    }

    pub(super) fn of_cell(line: u64, column: &'static str, sentence: String) -> Self {
        Self {
            line,
            column: Some(column),
            sentence,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.sentence)?;
        if self.sentence.ends_with(['.', '?']) {
            Ok(())
        } else {
            f.write_str(".")
        }
    }
}

/// Why the file cannot be read to its end.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// It could not be opened or read.
    Failed(String),
    /// It was read as far as this.
    Wrong(Vec<Problem>),
}

impl Unreadable {
    fn at(line: u64, sentence: impl Into<String>) -> Self {
        Self::Wrong(vec![Problem::of_line(line, sentence)])
    }
}

/// One line about somebody; in a quoted cell it may go over several.
#[derive(Debug)]
pub(super) struct Entry {
    /// Where it begins.
    pub(super) line: u64,
    /// The person, or all that is wrong.
    pub(super) person: Result<PersonToPrepare, Vec<Problem>>,
}

/// A file of people, from its first person on.
#[derive(Debug)]
pub(super) struct People {
    records: Records<File>,
    columns: Columns,
    /// Where each address has stood, by a hash with a random key: a file of a million needs little memory.
    seen: HashMap<u64, u64>,
    hasher: RandomState,
}

impl People {
    /// Opens a file and reads its first line.
    ///
    /// # Errors
    /// [`Unreadable`], with everything that is wrong with the first line.
    pub(super) fn open(path: &Path) -> Result<Self, Unreadable> {
        let failed = |e: io::Error| Unreadable::Failed(format!("{} cannot be read: {e}", path.display()));
        let mut file = File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            let sentence = format!(
                "{} is no file; it is read twice, so a pipe will not do",
                path.display()
            );
            return Err(Unreadable::Failed(sentence));
        }
        skip_mark(&mut file).map_err(failed)??;
        let mut records = Records::new(file);
        let Some((line, record)) = records.next()? else {
            return Err(Unreadable::at(
                1,
                "The file is empty: its first line names the columns, and one of them is email.",
            ));
        };
        let names = texts(&record)
            .map_err(|place| Unreadable::at(line, format!("The name of column {place} {NOT_UTF8}")))?;
        let columns = Columns::read(&names).map_err(|sentences| {
            let problems = sentences.into_iter().map(|s| Problem::of_line(line, s));
            Unreadable::Wrong(problems.collect())
        })?;
        Ok(Self {
            records,
            columns,
            seen: HashMap::new(),
            hasher: RandomState::new(),
        })
    }

    /// The next person.
    ///
    /// # Errors
    /// [`Unreadable`] where the file cannot be read on.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Unreadable> {
        loop {
            let Some((line, record)) = self.records.next()? else {
                return Ok(None);
            };
            // Spreadsheets leave lines of nothing but commas.
            if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            let person = self.person(line, &record)?;
            return Ok(Some(Entry { line, person }));
        }
    }

    fn person(
        &mut self,
        line: u64,
        record: &ByteRecord,
    ) -> Result<Result<PersonToPrepare, Vec<Problem>>, Unreadable> {
        let names = self.columns.names();
        if record.len() != names.len() {
            let sentence = format!(
                "The first line names {} columns, and this one has {}: look for a comma or a quotation mark too many or \
                 too few.",
                names.len(),
                record.len()
            );
            return Ok(Err(vec![Problem::of_line(line, sentence)]));
        }
        let cells = match texts(record) {
            Ok(cells) => cells,
            Err(place) => {
                let column = names.get(place.saturating_sub(1)).copied().unwrap_or_default();
                let problem = Problem::of_cell(line, column, format!("The cell {NOT_UTF8}"));
                return Ok(Err(vec![problem]));
            }
        };
        let person = match Cells::new(&self.columns, &cells).person() {
            Ok(person) => person,
            Err(wrong) => {
                let problems = wrong.into_iter();
                return Ok(Err(problems
                    .map(|(column, sentence)| Problem::of_cell(line, column, sentence))
                    .collect()));
            }
        };
        if self.seen.len() >= MOST_PEOPLE {
            let sentence = format!("The file has more than {MOST_PEOPLE} people: split it.");
            return Err(Unreadable::at(line, sentence));
        }
        Ok(match self.seen.entry(self.hasher.hash_one(&person.email)) {
            Slot::Occupied(first) => {
                let sentence = format!(
                    "This address stands in line {} already: remove one of the two.",
                    first.get()
                );
                Err(vec![Problem::of_cell(line, "email", sentence)])
            }
            Slot::Vacant(place) => {
                place.insert(line);
                Ok(person)
            }
        })
    }
}

const NOT_UTF8: &str = "is not in UTF-8: save the file as \"CSV UTF-8\".";

/// The cells as text, or the place of the first that is none, counted from 1.
fn texts(record: &ByteRecord) -> Result<Vec<String>, usize> {
    let cells = record.iter().zip(1_usize..);
    cells
        .map(|(cell, place)| str::from_utf8(cell).map(str::to_owned).map_err(|_| place))
        .collect()
}

/// Goes behind the mark that some programs put before UTF-8, and refuses what the marks of UTF-16 announce.
fn skip_mark(file: &mut File) -> io::Result<Result<(), Unreadable>> {
    let mut mark = Vec::with_capacity(3);
    file.take(3).read_to_end(&mut mark)?;
    if mark.starts_with(&[0xff, 0xfe]) || mark.starts_with(&[0xfe, 0xff]) {
        return Ok(Err(Unreadable::at(1, format!("The file {NOT_UTF8}"))));
    }
    if mark != [0xef, 0xbb, 0xbf] {
        file.seek(SeekFrom::Start(0))?;
    }
    Ok(Ok(()))
}

/// The records of a CSV text, each with the line it begins in.
#[derive(Debug)]
struct Records<R> {
    reader: csv::Reader<Watched<R>>,
}

impl<R: Read> Records<R> {
    fn new(text: R) -> Self {
        let mut builder = ReaderBuilder::new();
        let reader = builder
            .has_headers(false)
            .flexible(true)
            .from_reader(Watched::new(text));
        Self { reader }
    }

    fn next(&mut self) -> Result<Option<(u64, ByteRecord)>, Unreadable> {
        let begins = self.reader.position().byte();
        let mut record = ByteRecord::new();
        let read = self.reader.read_byte_record(&mut record);
        let line = self.reader.get_mut().line_of_record_at(begins);
        let ends = self.reader.position().byte();
        match read {
            Ok(true) => {
                self.reader.get_mut().forget_until(ends);
                Ok(Some((line, record)))
            }
            Ok(false) => Ok(None),
            Err(e) if is_too_long(&e) => Err(Unreadable::at(
                line,
                format!(
                    "The line goes on for more than {LONGEST_RECORD} bytes: look for a quotation mark that is never closed."
                ),
            )),
            Err(e) => Err(Unreadable::Failed(format!("line {line} cannot be read: {e}"))),
        }
    }
}

/// Whether it is what [`Watched`] answers to a record without an end.
fn is_too_long(error: &csv::Error) -> bool {
    matches!(error.kind(), csv::ErrorKind::Io(e) if e.kind() == ErrorKind::FileTooLarge)
}

/// Hands a text on and remembers what has not become a record yet: the reader of CSV counts neither the lines between
/// records nor those that end in CRLF, and takes a record of any length.
#[derive(Debug)]
struct Watched<R> {
    text: R,
    pending: VecDeque<u8>,
    /// Where the first pending byte stands, and in which line.
    offset: u64,
    line: u64,
}

impl<R> Watched<R> {
    const fn new(text: R) -> Self {
        Self {
            text,
            pending: VecDeque::new(),
            offset: 0,
            line: 1,
        }
    }

    /// The line of the record that was read from `begins` on, behind what was left of the line before.
    fn line_of_record_at(&mut self, begins: u64) -> u64 {
        self.forget_until(begins);
        while matches!(self.pending.front(), Some(b'\r' | b'\n')) {
            self.forget_one();
        }
        self.line
    }

    fn forget_until(&mut self, offset: u64) {
        while self.offset < offset && !self.pending.is_empty() {
            self.forget_one();
        }
    }

    fn forget_one(&mut self) {
        if self.pending.pop_front() == Some(b'\n') {
            self.line = self.line.saturating_add(1);
        }
        self.offset = self.offset.saturating_add(1);
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.len() > LONGEST_RECORD {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let read = self.text.read(buffer)?;
        self.pending.extend(buffer.iter().take(read));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these bytes, read to its end: the lines and addresses of its people, and what is wrong.
    fn read(bytes: &[u8]) -> (Vec<(u64, String)>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.csv");
        std::fs::write(&path, bytes).unwrap();
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        let told = |unreadable| match unreadable {
            Unreadable::Failed(sentence) => vec![sentence],
            Unreadable::Wrong(problems) => problems.iter().map(Problem::to_string).collect(),
        };
        let mut people = match People::open(&path) {
            Ok(people) => people,
            Err(unreadable) => return (found, told(unreadable)),
        };
        loop {
            match people.next() {
                Ok(None) => return (found, wrong),
                Ok(Some(Entry {
                    line,
                    person: Ok(person),
                })) => {
                    found.push((line, person.email.as_str().to_owned()));
                }
                Ok(Some(Entry {
                    person: Err(problems),
                    ..
                })) => {
                    wrong.extend(problems.iter().map(Problem::to_string));
                }
                Err(unreadable) => {
                    wrong.extend(told(unreadable));
                    return (found, wrong);
                }
            }
        }
    }

    fn people(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
        let people = expected.iter();
        people
            .map(|(line, name)| (*line, format!("{name}@school.example")))
            .collect()
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let text = "email,organisation\n\na@school.example,\"Hill School\n\"\nb@school.example,\n\n\n,\nc@school.example,x";
        for text in [
            text.to_owned(),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}\n"),
        ] {
            let (found, wrong) = read(text.as_bytes());
            assert_eq!(found, people(&[(3, "a"), (5, "b"), (9, "c")]), "{text:?}");
            assert!(wrong.is_empty(), "{text:?}: {wrong:?}");
        }
    }

    #[test]
    fn each_wrong_line_is_told_and_the_others_are_read() {
        let text = b"email,forename\na@school.example\nb@school.example,Zo\xeb\nc@school.example,Jo\nnobody,Jo\nC@school.example,Jo\nd@school.example,a,b\n";
        let (found, wrong) = read(text);
        assert_eq!(found, people(&[(4, "c")]));
        let begins = [
            "line 2: The first line names 2 columns, and this one has 1",
            "line 3, column forename: The cell is not in UTF-8",
            "line 5, column email: Enter an email address in the correct format",
            "line 6, column email: This address stands in line 4 already",
            "line 7: The first line names 2 columns, and this one has 3",
        ];
        assert_eq!(wrong.len(), begins.len(), "{wrong:?}");
        for (sentence, begin) in wrong.iter().zip(begins) {
            assert!(sentence.starts_with(begin), "{sentence}");
            assert!(
                !sentence.contains("nobody"),
                "a cell is never repeated: {sentence}"
            );
        }
    }

    #[test]
    fn a_file_that_is_none_says_what_it_should_be() {
        for (bytes, words) in [
            (&b""[..], "line 1: The file is empty"),
            (b"\n\n", "The file is empty"),
            (b"\xff\xfee\0m\0", "not in UTF-8"),
            (b"\xef\xbb\xbf", "The file is empty"),
            (b"email,\xff\n", "column 2 is not in UTF-8"),
            (b"jo@school.example\n", "column email is missing"),
        ] {
            let (found, wrong) = read(bytes);
            assert!(found.is_empty());
            assert!(wrong.iter().any(|s| s.contains(words)), "{bytes:?}: {wrong:?}");
        }
        let missing = People::open(Path::new("/nonexistent/people.csv"));
        assert!(matches!(missing, Err(Unreadable::Failed(s)) if s.contains("cannot be read")));
        let folder = People::open(Path::new("/"));
        assert!(matches!(folder, Err(Unreadable::Failed(_))));
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_does_not_read_the_file_into_memory() {
        let mut text = b"email,forename\na@school.example,Jo\nb@school.example,\"Jo\n".to_vec();
        text.extend(b"c@school.example,Jo\n".repeat(100_000));
        let (found, wrong) = read(&text);
        assert_eq!(found, people(&[(2, "a")]));
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].starts_with("line 3: The line goes on"), "{wrong:?}");
    }

    #[test]
    fn a_long_file_is_held_in_a_small_window() {
        let mut text = b"email\n".to_vec();
        for n in 0..20_000 {
            text.extend(format!("person.{n}@school.example\r\n").bytes());
        }
        let mut records = Records::new(&text[..]);
        let (mut last, mut largest) = (0, 0);
        while let Some((line, _)) = records.next().unwrap() {
            last = line;
            largest = largest.max(records.reader.get_ref().pending.len());
        }
        assert_eq!(last, 20_001);
        assert!(largest < LONGEST_RECORD / 4, "{largest}");
    }
}
