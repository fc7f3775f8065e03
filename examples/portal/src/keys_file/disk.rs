//! Where keys are kept: a file of mode 0600 that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use portal_auth::environment::{Entropy, draw};
use zeroize::Zeroizing;

use super::{KeyLine, KeysError, check, new_keys, parse, to_text};
use crate::private_file;

/// Reads the keys file at `path`.
///
/// # Errors
/// [`KeysError::Missing`], [`KeysError::Io`], or what is wrong with it.
pub fn read(path: &Path) -> Result<Vec<KeyLine>, KeysError> {
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => parse(&text),
        Err(e) if e.kind() == ErrorKind::NotFound => Err(KeysError::Missing(path.to_owned())),
        Err(e) => Err(io_error(path, "read")(e)),
    }
}

/// Reads the keys file, and makes it first where there is none.
///
/// Several processes may start at once: one makes the file, the others read what it made.
///
/// # Security
/// Only for a portal whose base URL is loopback. Elsewhere a lost file must stop the start: with new keys, every
/// password and every session would be void, and nobody would know why.
///
/// # Errors
/// As [`read`] and [`generate`].
pub fn read_or_generate(path: &Path, entropy: &dyn Entropy) -> Result<Vec<KeyLine>, KeysError> {
    match read(path) {
        Err(KeysError::Missing(_)) => match generate(path, entropy) {
            Ok(keys) => Ok(keys),
            Err(KeysError::Exists(_)) => read(path),
            Err(other) => Err(other),
        },
        read => read,
    }
}

/// Makes the keys file with new keys; never touches one that exists.
///
/// # Errors
/// [`KeysError::Exists`], [`KeysError::Io`], [`KeysError::Entropy`].
pub fn generate(path: &Path, entropy: &dyn Entropy) -> Result<Vec<KeyLine>, KeysError> {
    let keys = new_keys(entropy)?;
    let name = u64::from_be_bytes(draw(entropy)?);
    let draft = private_file::beside(path, &format!("{name:016x}.draft"));
    let mut file = private_file::create(&draft).map_err(io_error(&draft, "written"))?;
    // The file takes its name when it is whole: a process that starts at the same moment never reads half of it.
    // A hard link, unlike a rename, fails where the name is taken.
    let made = write(&mut file, &keys).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match made {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(KeysError::Exists(path.to_owned())),
        Err(e) => return Err(io_error(path, "written")(e)),
    }
    removed.map_err(io_error(&draft, "removed"))?;
    keep_directory(path)?;
    Ok(keys)
}

/// Reads the keys, lets `alter` change them, and puts the new file in the old one's place.
///
/// One change at a time: a second one is refused while the first is under way.
///
/// # Errors
/// As [`read`], what `alter` answers, [`KeysError::UnderChange`], [`KeysError::Io`]. The old file then stands.
pub fn change<T>(
    path: &Path,
    alter: impl FnOnce(&mut Vec<KeyLine>) -> Result<T, KeysError>,
) -> Result<T, KeysError> {
    // Behind a symbolic link, the file is replaced and not the link.
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(e) if e.kind() == ErrorKind::NotFound => return Err(KeysError::Missing(path.to_owned())),
        Err(e) => return Err(io_error(path, "read")(e)),
    };
    let draft = private_file::beside(&path, "new");
    let mut file = private_file::create(&draft).map_err(|e| {
        if e.kind() == ErrorKind::AlreadyExists {
            KeysError::UnderChange(draft.clone())
        } else {
            io_error(&draft, "written")(e)
        }
    })?;
    let replaced = read(&path).and_then(|mut keys| {
        let answer = alter(&mut keys)?;
        check(&keys)?;
        write(&mut file, &keys)
            .and_then(|()| keep_owner(&path, &file))
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(io_error(&path, "written"))?;
        Ok(answer)
    });
    let answer = match replaced {
        Ok(answer) => answer,
        Err(e) => {
            // The draft holds secrets and bars the next change; that it could not be removed is the lesser news.
            let _left = fs::remove_file(&draft);
            return Err(e);
        }
    };
    keep_directory(&path)?;
    Ok(answer)
}

/// A warning where others than the owner may read the file.
#[must_use]
pub fn exposure(path: &Path) -> Option<String> {
    let mode = mode_of(path)?;
    (mode & 0o077 != 0).then(|| {
        format!(
            "{} may be read by others (mode {mode:03o}); run `chmod 600` on it, and rotate the keys if it was seen",
            path.display()
        )
    })
}

fn write(file: &mut File, keys: &[KeyLine]) -> io::Result<()> {
    file.write_all(to_text(keys).as_bytes())?;
    file.sync_all()
}

fn io_error(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> KeysError {
    let path = path.to_owned();
    move |source| KeysError::Io { path, what, source }
}

/// Gives the new file the old one's owner: an administrator must not lock the service's user out of its keys.
#[cfg(unix)]
fn keep_owner(old: &Path, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let (old, now) = (fs::metadata(old)?, new.metadata()?);
    if (old.uid(), old.gid()) == (now.uid(), now.gid()) {
        return Ok(());
    }
    fchown(new, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_old: &Path, _new: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn mode_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode_of(_path: &Path) -> Option<u32> {
    None
}

/// Makes the new name last through a power cut.
fn keep_directory(path: &Path) -> Result<(), KeysError> {
    private_file::keep_name(path).map_err(io_error(path, "written"))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::super::{KeyList, announce};
    use super::*;
    use portal_auth::environment::SystemEntropy;

    #[test]
    fn a_new_file_is_private_and_whole_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portal.keys");
        let keys = generate(&path, &SystemEntropy::default()).unwrap();
        assert_eq!(mode_of(&path), Some(0o600));
        assert!(matches!(
            generate(&path, &SystemEntropy::default()),
            Err(KeysError::Exists(_))
        ));
        assert_eq!(read(&path).unwrap(), keys);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no draft is left behind"
        );
    }

    #[test]
    fn first_starts_at_the_same_moment_agree_on_the_keys() {
        let dir = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let path = dir.path().join(format!("{round}.keys"));
            let together = Barrier::new(4);
            let start = || {
                together.wait();
                read_or_generate(&path, &SystemEntropy::default()).unwrap()
            };
            let all: Vec<_> = thread::scope(|scope| {
                let racers: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).collect()
            });
            assert!(all.iter().all(|keys| *keys == all[0]), "round {round}");
        }
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            20,
            "no draft is left behind"
        );
    }

    #[test]
    fn a_change_keeps_the_file_private_even_if_it_was_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portal.keys");
        generate(&path, &SystemEntropy::default()).unwrap();
        assert_eq!(exposure(&path), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(exposure(&path).unwrap().contains("644"));
        let id = change(&path, |keys| {
            announce(keys, KeyList::Token, &SystemEntropy::default())
        })
        .unwrap();
        assert_eq!(mode_of(&path), Some(0o600));
        assert!(read(&path).unwrap().iter().any(|key| key.id == id));
    }

    #[test]
    fn a_refused_change_leaves_everything_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portal.keys");
        let keys = generate(&path, &SystemEntropy::default()).unwrap();
        let refused = change(&path, |keys| {
            keys.clear();
            Err::<(), _>(KeysError::Refused("no".to_owned()))
        });
        assert!(refused.is_err());
        let emptied = change(&path, |keys| {
            keys.clear();
            Ok(())
        });
        assert!(emptied.is_err(), "a list without a signing key is never written");
        assert_eq!(read(&path).unwrap(), keys);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_change_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portal.keys");
        generate(&path, &SystemEntropy::default()).unwrap();
        let inner = change(&path, |_| Ok(change(&path, |_| Ok(())).unwrap_err())).unwrap();
        assert!(matches!(inner, KeysError::UnderChange(_)), "{inner}");
        change(&path, |_| Ok(())).unwrap();
    }

    #[test]
    fn a_missing_file_says_how_to_make_it() {
        let missing = Path::new("/nonexistent/portal.keys");
        for told in [
            read(missing).unwrap_err(),
            change(missing, |_| Ok(())).unwrap_err(),
        ] {
            assert!(told.to_string().contains("portal keys generate"), "{told}");
        }
    }
}
