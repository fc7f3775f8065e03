//! The mailer that writes `.eml` files.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use portal_auth::environment::Clock;
use portal_auth::mail::mailer::{MailError, Mailer, RenderedMail};

use crate::message::{Letterhead, LetterheadSettings};
use crate::setup::SetupError;

/// Writes each mail as `<id>.eml` into a folder instead of sending it.
///
/// A file appears under its name only when it is complete; a second attempt for the same mail replaces it. Files are
/// readable by their owner only. Names that begin with a dot are unfinished.
///
/// ```
/// use portal_auth::mail::mailer::{Mailer, RenderedMail};
/// use portal_auth_lettre::FileMailer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("file-mailer-example-{}", std::process::id()));
/// let mailer = FileMailer::builder(&folder).from("Portal <no-reply@portal.example>").build()?;
/// let id = "0123456789abcdef0123456789abcdef".to_owned();
/// let mail = RenderedMail::new(id, "a@b.example".into(), "Hello", "hello", "Hi.\n".into(), "<p>Hi.</p>\n".into());
/// mailer.send(&mail).await?;
/// assert!(folder.join("0123456789abcdef0123456789abcdef.eml").exists());
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
///
/// # Security
/// The files hold live links and codes: whoever can read the folder can take over accounts.
#[derive(Debug)]
pub struct FileMailer {
    folder: PathBuf,
    letterhead: Letterhead,
}

impl FileMailer {
    /// Begins with the folder; [`build`](FileMailerBuilder::build) makes it, with mode 0700, when it is missing.
    pub fn builder(folder: impl Into<PathBuf>) -> FileMailerBuilder {
        FileMailerBuilder {
            folder: folder.into(),
            letterhead: LetterheadSettings::default(),
        }
    }
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, mail: &RenderedMail) -> Result<(), MailError> {
        let message = self
            .letterhead
            .write(mail)
            .map_err(|e| MailError::Permanent(Box::new(e)))?;
        let (folder, name) = (self.folder.clone(), mail.id.clone());
        let writing = tokio::task::spawn_blocking(move || write_whole(&folder, &name, &message.formatted()));
        let written = writing.await.unwrap_or_else(|e| Err(io::Error::other(e)));
        // A full disk or a missing folder says nothing about this mail.
        written.map_err(|e| MailError::Unreachable(Box::new(e)))
    }
}

/// A [`FileMailer`] in the making.
#[must_use]
pub struct FileMailerBuilder {
    folder: PathBuf,
    letterhead: LetterheadSettings,
}

impl FileMailerBuilder {
    /// The sender, required: `no-reply@portal.example` or `Portal <no-reply@portal.example>`.
    pub fn from(mut self, sender: impl Into<String>) -> Self {
        self.letterhead.from = Some(sender.into());
        self
    }

    /// Where answers go; default: to the sender.
    pub fn reply_to(mut self, address: impl Into<String>) -> Self {
        self.letterhead.reply_to = Some(address.into());
        self
    }

    /// The clock behind the `Date` header; default: the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.letterhead.clock = clock;
        self
    }

    /// Checks the addresses and makes the folder when it is missing.
    ///
    /// # Errors
    /// [`SetupError`] names the setting that cannot be used.
    pub fn build(self) -> Result<FileMailer, SetupError> {
        let letterhead = self.letterhead.check()?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|e| {
            SetupError::new("folder", "cannot be made; give a folder this user may write to").because(e)
        })?;
        Ok(FileMailer {
            folder: self.folder,
            letterhead,
        })
    }
}

impl std::fmt::Debug for FileMailerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileMailerBuilder")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// Writes beside the final name and renames, so that nobody ever reads half a mail.
fn write_whole(folder: &Path, id: &str, content: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!(".{id}.{}.{count}", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&unfinished, folder.join(format!("{id}.eml")))
    };
    write().inspect_err(|_| {
        // Best effort: the error that matters is the one at hand.
        drop(fs::remove_file(&unfinished));
    })
}
