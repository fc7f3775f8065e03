//! The downloadable list of Have I Been Pwned, read from disk: one sorted file, or a folder of ranges.
//!
//! Both are what the project's own
//! [downloader](https://github.com/HaveIBeenPwned/PwnedPasswordsDownloader) writes: `pwnedpasswords.txt` with a line
//! `HASH:COUNT` for each SHA-1, in the order of the hashes; or `00000.txt` to `FFFFF.txt`, each with the lines
//! `SUFFIX:COUNT` of its prefix. Lines may end in LF or CRLF.
//!
//! The file is searched by halves on one thread of its own and never loaded: whatever its size, a question takes some
//! forty short reads and as much memory as its answer.

use std::cmp::Ordering;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use async_trait::async_trait;
use thiserror::Error;
use tokio::sync::oneshot;

use super::breached::{BreachedPasswords, HashPrefix, PREFIX_DIGITS, SUFFIX_DIGITS, split_line};
use crate::error::Fault;

/// A [`BreachedPasswords`] on disk.
///
/// A single file is kept open: put a new one in its place by renaming it there, and restart. A folder's files are
/// opened when they are asked for, so they can be replaced one by one at any time.
#[derive(Debug)]
pub struct BreachedFile {
    path: PathBuf,
    asks: SyncSender<Ask>,
}

impl BreachedFile {
    /// Opens the file or the folder at `path` and checks it.
    ///
    /// A file of up to 64 MiB is read as a whole; of a larger one 4,096 lines spread over it are looked at, and each
    /// answer is checked again when it is given. Of a folder 64 ranges spread over it are read.
    ///
    /// # Errors
    /// See [`BreachedFileError`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, BreachedFileError> {
        let path = path.into();
        let metadata = std::fs::metadata(&path).map_err(BreachedFileError::Unreadable)?;
        let mut list = if metadata.is_dir() {
            List::Folder(path.clone())
        } else {
            let file = File::open(&path).map_err(BreachedFileError::Unreadable)?;
            List::Sorted(Sorted {
                file,
                length: metadata.len(),
            })
        };
        list.check()?;
        let (asks, asked) = mpsc::sync_channel::<Ask>(MOST_WAITING);
        thread::Builder::new()
            .name("portal-auth-breached".to_owned())
            .spawn(move || {
                for ask in asked {
                    // Whoever no longer waits is not worth the reading.
                    if !ask.answer.is_closed() {
                        let range = list.range(ask.prefix);
                        let _gone = ask.answer.send(range);
                    }
                }
            })
            .map_err(BreachedFileError::Thread)?;
        Ok(Self { path, asks })
    }

    /// Where the list is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl BreachedPasswords for BreachedFile {
    async fn range(&self, prefix: HashPrefix) -> Result<String, Fault> {
        let (answer, range) = oneshot::channel();
        self.asks
            .try_send(Ask { prefix, answer })
            .map_err(|_| Fault::transient("too many questions wait for the file of breached passwords"))?;
        let range = range
            .await
            .map_err(|_| Fault::permanent("the thread that reads the breached passwords has ended"))?;
        range.map_err(|e| Fault::transient("the list of breached passwords cannot be used").because(e))
    }
}

struct Ask {
    prefix: HashPrefix,
    answer: oneshot::Sender<Result<String, BreachedFileError>>,
}

/// Why a list of breached passwords cannot be used; the operator must mend or replace it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BreachedFileError {
    /// It is not there, or may not be read.
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    /// There is nothing in it.
    #[error("it is empty: download the list again")]
    Empty,
    /// It holds NTLM hashes.
    #[error("its hashes have 32 digits, so it is the NTLM list: download the SHA-1 list")]
    Ntlm,
    /// A line is not what the downloader writes.
    #[error("{place} is not a hash, a colon and a count: download the list again")]
    Form {
        /// Which line, as far as that may be told.
        place: Place,
    },
    /// A hash stands before a smaller one.
    #[error("{place} is not in the order of the hashes: take the list that is ordered by hash, or sort it")]
    Order {
        /// Which line, as far as that may be told.
        place: Place,
    },
    /// A folder lacks the file of a range.
    #[error("a range has no file in the folder: download the list again until it is whole")]
    Missing(#[source] io::Error),
    /// A range is a hundred times longer than any that is known.
    #[error("a range is longer than 4 MiB: this is not the list of Have I Been Pwned")]
    TooLong,
    /// The system gave no thread to read it on.
    #[error("no thread to read it on")]
    Thread(#[source] io::Error),
}

/// Where in a list something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The line of this number, of the file or of the first range of a folder that was looked at.
    Line(u64),
    /// The line that begins at this byte of the file.
    Byte(u64),
    /// Not told, since it would say which hash was asked for.
    Somewhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Byte(at) => write!(f, "the line at byte {at}"),
            Self::Somewhere => f.write_str("a line"),
        }
    }
}

enum List {
    Sorted(Sorted),
    Folder(PathBuf),
}

impl List {
    fn check(&mut self) -> Result<(), BreachedFileError> {
        match self {
            Self::Sorted(sorted) if sorted.length == 0 => Err(BreachedFileError::Empty),
            Self::Sorted(sorted) if sorted.length <= READ_AS_A_WHOLE => sorted.check_all(),
            Self::Sorted(sorted) => sorted.check_some(),
            Self::Folder(folder) => check_folder(folder),
        }
    }

    fn range(&mut self, prefix: HashPrefix) -> Result<String, BreachedFileError> {
        match self {
            Self::Sorted(sorted) => sorted.range(prefix),
            Self::Folder(folder) => range_file(folder, prefix),
        }
    }
}

/// The single file.
struct Sorted {
    file: File,
    length: u64,
}

impl Sorted {
    fn check_all(&mut self) -> Result<(), BreachedFileError> {
        let mut before: Option<Hash> = None;
        let mut line = Vec::with_capacity(LONGEST_LINE);
        let mut number = 0_u64;
        self.file
            .seek(SeekFrom::Start(0))
            .map_err(BreachedFileError::Unreadable)?;
        let mut lines = BufReader::new(&mut self.file);
        loop {
            line.clear();
            let mut short = (&mut lines).take(LONGEST_LINE_BYTES);
            let read = short
                .read_until(b'\n', &mut line)
                .map_err(BreachedFileError::Unreadable)?;
            if read == 0 {
                return before.map_or(Err(BreachedFileError::Empty), |_| Ok(()));
            }
            number = number.saturating_add(1);
            before = Some(next_hash(&line, before, Place::Line(number))?.0);
        }
    }

    /// Looks at lines spread evenly over the file, and at its last one.
    fn check_some(&mut self) -> Result<(), BreachedFileError> {
        let mut before = None;
        let step = self.length.checked_div(PROBES).unwrap_or(1).max(1);
        for probe in (0..PROBES).map(|n| n.saturating_mul(step)) {
            let at = self.line_from(probe)?;
            if at < self.length {
                let line = self.line_at(at)?;
                before = Some(next_hash(&line, before, Place::Byte(at))?.0);
            }
        }
        let mut at = self.line_from(self.length.saturating_sub(LONGEST_LINE_BYTES))?;
        while at < self.length {
            let line = self.line_at(at)?;
            next_hash(&line, None, Place::Byte(at))?;
            let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
            at = at.saturating_add(length).saturating_add(1);
        }
        Ok(())
    }

    /// All lines that begin with `prefix`, without it.
    fn range(&mut self, prefix: HashPrefix) -> Result<String, BreachedFileError> {
        let begins = self.first_line_of(prefix)?;
        let wanted = prefix.as_str().as_bytes();
        let mut range = Vec::new();
        let mut before = None;
        self.file
            .seek(SeekFrom::Start(begins))
            .map_err(BreachedFileError::Unreadable)?;
        let mut lines = BufReader::new(&mut self.file);
        let mut line = Vec::with_capacity(LONGEST_LINE);
        loop {
            line.clear();
            let mut short = (&mut lines).take(LONGEST_LINE_BYTES);
            let read = short
                .read_until(b'\n', &mut line)
                .map_err(BreachedFileError::Unreadable)?;
            if read == 0 {
                break;
            }
            let (hash, _) = next_hash(&line, before, Place::Somewhere)?;
            if !hash.starts_with(wanted) {
                break;
            }
            before = Some(hash);
            range.extend_from_slice(line.get(PREFIX_DIGITS..).unwrap_or_default());
            if range.len() > LONGEST_RANGE {
                return Err(BreachedFileError::TooLong);
            }
        }
        text(range)
    }

    /// Where the first line begins whose hash is not before `prefix`; the file's end where there is none.
    fn first_line_of(&mut self, prefix: HashPrefix) -> Result<u64, BreachedFileError> {
        // Any line that begins in `..low` is before the prefix; the first that begins in `high..` is not.
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let middle = low.midpoint(high);
            let at = self.line_from(middle)?;
            let is_before = at < self.length && {
                let line = self.line_at(at)?;
                let (hash, _) = next_hash(&line, None, Place::Somewhere)?;
                hash.as_slice().cmp(prefix.as_str().as_bytes()) == Ordering::Less
            };
            if is_before {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        self.line_from(low)
    }

    /// Where the first line begins that begins at `at` or later.
    fn line_from(&mut self, at: u64) -> Result<u64, BreachedFileError> {
        let Some(before) = at.checked_sub(1) else {
            return Ok(0);
        };
        let bytes = self.bytes_at(before)?;
        match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => Ok(at.saturating_add(u64::try_from(end).unwrap_or(u64::MAX))),
            None if bytes.len() < LONGEST_LINE => Ok(self.length),
            None => Err(BreachedFileError::Form {
                place: Place::Somewhere,
            }),
        }
    }

    fn line_at(&mut self, at: u64) -> Result<Vec<u8>, BreachedFileError> {
        let mut bytes = self.bytes_at(at)?;
        if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            bytes.truncate(end);
        }
        Ok(bytes)
    }

    /// As many bytes as the longest line has, fewer at the end of the file.
    fn bytes_at(&mut self, at: u64) -> Result<Vec<u8>, BreachedFileError> {
        let mut bytes = Vec::with_capacity(LONGEST_LINE);
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| (&mut self.file).take(LONGEST_LINE_BYTES).read_to_end(&mut bytes))
            .map_err(BreachedFileError::Unreadable)?;
        Ok(bytes)
    }
}

/// A hash as its digits, in upper case.
type Hash = [u8; PREFIX_DIGITS + SUFFIX_DIGITS];

/// The hash and the count of a line, which must not stand after a greater hash.
fn next_hash(line: &[u8], before: Option<Hash>, place: Place) -> Result<(Hash, u64), BreachedFileError> {
    let line = without_end(line);
    let Some((digits, count)) = split_line(line, PREFIX_DIGITS + SUFFIX_DIGITS) else {
        return Err(if split_line(line, NTLM_DIGITS).is_some() {
            BreachedFileError::Ntlm
        } else {
            BreachedFileError::Form { place }
        });
    };
    let mut hash = Hash::try_from(digits).map_err(|_| BreachedFileError::Form { place })?;
    hash.make_ascii_uppercase();
    if before.is_some_and(|before| before > hash) {
        return Err(BreachedFileError::Order { place });
    }
    Ok((hash, count))
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn check_folder(folder: &Path) -> Result<(), BreachedFileError> {
    let step = HashPrefix::COUNT.checked_div(RANGES_READ).unwrap_or(1);
    let spread = (0..RANGES_READ).map(|n| n.saturating_mul(step));
    for number in spread.chain([HashPrefix::COUNT.saturating_sub(1)]) {
        let Some(prefix) = HashPrefix::from_number(number) else {
            continue;
        };
        for (line, number) in range_file(folder, prefix)?.lines().zip(1..) {
            if split_line(line.as_bytes(), SUFFIX_DIGITS).is_none() {
                return Err(BreachedFileError::Form {
                    place: Place::Line(number),
                });
            }
        }
    }
    Ok(())
}

fn range_file(folder: &Path, prefix: HashPrefix) -> Result<String, BreachedFileError> {
    let file = File::open(folder.join(format!("{prefix}.txt"))).map_err(|e| {
        if e.kind() == io::ErrorKind::NotFound {
            BreachedFileError::Missing(e)
        } else {
            BreachedFileError::Unreadable(e)
        }
    })?;
    let most = u64::try_from(LONGEST_RANGE).unwrap_or(u64::MAX);
    let mut range = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut range)
        .map_err(BreachedFileError::Unreadable)?;
    if range.len() > LONGEST_RANGE {
        return Err(BreachedFileError::TooLong);
    }
    text(range)
}

fn text(range: Vec<u8>) -> Result<String, BreachedFileError> {
    String::from_utf8(range).map_err(|_| BreachedFileError::Form {
        place: Place::Somewhere,
    })
}

/// Questions that may wait for the thread; one more is not answered.
const MOST_WAITING: usize = 64;
/// 40 digits, a colon, a count of up to 20 digits, CR and LF are 63.
const LONGEST_LINE: usize = 64;
const LONGEST_LINE_BYTES: u64 = 64;
/// The longest range known has about a thousand lines of some 40 bytes.
const LONGEST_RANGE: usize = 4 << 20;
/// A file up to this size is read as a whole when it is opened: 64 MiB.
const READ_AS_A_WHOLE: u64 = 64 << 20;
/// Lines of a larger one that are looked at.
const PROBES: u64 = 4096;
/// Ranges of a folder that are read when it is opened.
const RANGES_READ: u32 = 64;
const NTLM_DIGITS: usize = 32;

#[cfg(test)]
#[path = "breached_file_tests.rs"]
mod tests;
