//! The time as a file tells it, so that tests can drive the whole program through hours in a moment (TST-3).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use portal_auth::environment::{Clock, Timestamp};

/// A clock that reads Unix microseconds from a file at each use.
#[derive(Debug)]
pub struct FileClock {
    path: PathBuf,
    last: AtomicI64,
}

impl FileClock {
    /// A clock on the file at `path`.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no whole number.
    pub fn open(path: &Path) -> io::Result<Self> {
        let last = AtomicI64::new(read(path)?);
        Ok(Self {
            path: path.to_owned(),
            last,
        })
    }
}

impl Clock for FileClock {
    /// What the file says; what it last said, while somebody is writing to it.
    fn now(&self) -> Timestamp {
        match read(&self.path) {
            Ok(micros) => {
                self.last.store(micros, Ordering::Relaxed);
                Timestamp::from_micros(micros)
            }
            Err(_) => Timestamp::from_micros(self.last.load(Ordering::Relaxed)),
        }
    }
}

fn read(path: &Path) -> io::Result<i64> {
    let text = fs::read_to_string(path)?;
    text.trim().parse().map_err(|_| {
        let what = format!("{} holds no time in whole microseconds", path.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_follows_its_file_and_survives_a_half_written_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |text: &str| fs::write(file.path(), text).unwrap();
        assert!(FileClock::open(file.path()).is_err());
        write("1700000000000000\n");
        let clock = FileClock::open(file.path()).unwrap();
        assert_eq!(clock.now().as_micros(), 1_700_000_000_000_000);
        write("");
        assert_eq!(clock.now().as_micros(), 1_700_000_000_000_000);
        write("-5");
        assert_eq!(clock.now().as_micros(), -5, "it may go back as well");
    }
}
