//! An SMTP server that others have written: aiosmtpd from Debian, with STARTTLS and AUTH.
//!
//! [`SmtpServer`](crate::SmtpServer) shows faults on demand; this one shows that our reading of the protocol is also
//! somebody else's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::smtp::ReceivedMail;
use crate::supervised::{Supervised, free_port, scratch_path};
use crate::tls::TestCa;

const PROGRAM: &str = include_str!("other_smtp.py");
/// The program ends with its input; its folder goes with it.
const SUPERVISOR: &str = r#""$1" "$2/server.py" "$2" "$3" portal s3cret 2>&1; rm -rf "$2""#;
/// Where Debian keeps the Python that has Debian's modules, then any other.
const PYTHONS: [&str; 2] = ["/usr/bin/python3", "python3"];
/// How long the waiting method waits.
const WAIT: Duration = Duration::from_secs(20);

/// A running aiosmtpd that demands STARTTLS, and the name `portal` with the password `s3cret`.
#[derive(Debug)]
pub struct OtherSmtpServer {
    // Ends before its folder is looked at no more.
    _server: Supervised,
    folder: PathBuf,
    port: u16,
}

impl OtherSmtpServer {
    /// Starts it on a free port of 127.0.0.1; it listens when this returns.
    ///
    /// # Panics
    /// When aiosmtpd is not installed, or does not start.
    pub fn start() -> Self {
        let python = PYTHONS.into_iter().find(|python| has_aiosmtpd(python));
        let python = python.unwrap_or_else(|| {
            panic!("these tests need aiosmtpd: install it with `apt-get install -y --no-install-recommends python3-aiosmtpd`")
        });
        let folder = scratch_path("smtp");
        let port = free_port();
        let prepared = prepare(&folder);
        prepared.unwrap_or_else(|e| panic!("{} cannot be filled: {e}", folder.display()));
        let args = [python, &folder.display().to_string(), &port.to_string()];
        let server = Supervised::start(SUPERVISOR, &args);
        let server = server.unwrap_or_else(|e| panic!("aiosmtpd does not start:\n{e}"));
        Self {
            _server: server,
            folder,
            port,
        }
    }

    /// `smtp://portal:s3cret@127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("smtp://portal:s3cret@127.0.0.1:{}", self.port)
    }

    /// The same with another password.
    pub fn url_with(&self, password: &str) -> String {
        format!("smtp://portal:{password}@127.0.0.1:{}", self.port)
    }

    /// The certificate authority of its certificate, as PEM.
    pub fn ca_pem(&self) -> String {
        TestCa::of_this_process().pem()
    }

    /// The same in a file.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The mail that came as the `count`-th, as soon as it is there.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn wait_for_mail(&self, count: usize) -> ReceivedMail {
        let path = self.folder.join(format!("{count}.mail"));
        let kept = tokio::time::timeout(WAIT, async {
            loop {
                if let Ok(kept) = fs::read(&path) {
                    return kept;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let kept = kept.await;
        let kept = kept.unwrap_or_else(|_| panic!("mail {count} never came to aiosmtpd"));
        received(&kept).unwrap_or_else(|| panic!("aiosmtpd kept something else than a mail"))
    }

    /// How many mails have come.
    pub fn mails(&self) -> usize {
        (1..)
            .take_while(|count| self.folder.join(format!("{count}.mail")).exists())
            .count()
    }
}

fn has_aiosmtpd(python: &str) -> bool {
    let asked = Command::new(python).args(["-c", "import aiosmtpd"]).output();
    asked.is_ok_and(|answer| answer.status.success())
}

fn prepare(folder: &Path) -> std::io::Result<()> {
    let ca = TestCa::of_this_process();
    let (certificate, key) = ca.leaf();
    fs::create_dir_all(folder)?;
    fs::write(folder.join("server.py"), PROGRAM)?;
    fs::write(folder.join("ca.pem"), ca.pem())?;
    fs::write(folder.join("cert.pem"), certificate.pem())?;
    fs::write(folder.join("key.pem"), key.serialize_pem())
}

/// Four lines of facts, then the mail.
fn received(kept: &[u8]) -> Option<ReceivedMail> {
    let mut parts = kept.splitn(5, |byte| *byte == b'\n');
    let mut line = || {
        parts
            .next()
            .and_then(|line| String::from_utf8(line.to_vec()).ok())
    };
    let (from, to, encrypted, user) = (line()?, line()?, line()?, line()?);
    Some(ReceivedMail {
        from,
        to: to.split(' ').map(str::to_owned).collect(),
        raw: parts.next()?.to_vec(),
        encrypted: encrypted == "encrypted",
        user: Some(user),
    })
}
