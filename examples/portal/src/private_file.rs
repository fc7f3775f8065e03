//! Files that only their owner may read, and that appear under their name whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use portal_auth::environment::{Entropy, draw};

/// A new file of mode 0600; an existing one is an error.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// `portal.keys` and `new` make `portal.keys.new`, in the same directory so that it can be moved into place.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Makes a new name last through a power cut.
pub(crate) fn keep_name(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// A file that is being written beside its place, and takes the place of an older one when it is whole.
///
/// Dropped before that, it is removed and the older one stands.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    draft: PathBuf,
    file: BufWriter<File>,
    is_placed: bool,
}

impl Draft {
    /// Begins a file that will stand at `path`; behind a symbolic link, what it leads to is replaced and not the link.
    pub(crate) fn begin(path: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if path.exists() && !path.is_file() {
            let message = "something that is no file is there already";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        let name = u64::from_be_bytes(draw(entropy).map_err(io::Error::other)?);
        let draft = beside(&path, &format!("{name:016x}.draft"));
        let file = BufWriter::new(create(&draft)?);
        Ok(Self {
            path,
            draft,
            file,
            is_placed: false,
        })
    }

    /// Puts it into its place.
    pub(crate) fn place(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.draft, &self.path)?;
        self.is_placed = true;
        keep_name(&self.path)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_placed {
            // Nothing is left to tell where even this cannot be done.
            let _left = fs::remove_file(&self.draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use portal_auth::environment::SystemEntropy;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_private_and_takes_the_place_of_an_open_one_when_it_is_whole() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.csv");
        fs::write(&path, "old").unwrap();
        let mut draft = Draft::begin(&path, &SystemEntropy::default()).unwrap();
        draft.write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        draft.place().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn half_a_file_leaves_the_old_one_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.csv");
        fs::write(&path, "old").unwrap();
        let mut draft = Draft::begin(&path, &SystemEntropy::default()).unwrap();
        draft.write_all(b"half").unwrap();
        drop(draft);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(Draft::begin(dir.path(), &SystemEntropy::default()).is_err());
    }
}
