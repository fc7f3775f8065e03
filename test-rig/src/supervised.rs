//! Child processes that cannot outlive the test process, however it ends.
//!
//! A child runs under a tiny `sh` that reads a pipe whose other end only the test process holds. When the test
//! process ends (normally, by a panic or by SIGKILL), the kernel closes the pipe, the `sh` sees the end of its input,
//! stops the child and removes its folder.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// How long a child may take until it reports that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running child; dropping it stops it, as the end of this process does.
#[derive(Debug)]
pub(crate) struct Supervised {
    supervisor: Child,
}

impl Supervised {
    /// Runs `script` by `sh` with `args` as `$1`, `$2`…, and waits until it prints the line `ready`.
    ///
    /// The script must read its standard input to the end, then stop what it started. Anything else that it prints
    /// before it ends is the error.
    pub(crate) fn start(script: &str, args: &[&str]) -> Result<Self, String> {
        let mut supervisor = Command::new("/bin/sh")
            .arg("-c")
            .arg(script)
            .arg("supervisor")
            .args(args)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own: neither Ctrl-C nor a test runner that kills the test's group may stop the cleaning up.
            .process_group(0)
            .spawn()
            .map_err(|e| format!("/bin/sh did not start: {e}"))?;
        let Some(stdout) = supervisor.stdout.take() else {
            return Err("no pipe from the supervisor".into());
        };
        let (said, heard) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut text = String::new();
            while stdout.read_line(&mut text).is_ok_and(|n| n > 0) {
                if text.lines().last() == Some("ready") {
                    drop(said.send(Ok(())));
                    // Keeps the pipe drained, so that the script never blocks or dies on a write.
                    drop(stdout.read_to_end(&mut Vec::new()));
                    return;
                }
            }
            drop(said.send(Err(text)));
        });
        let mut this = Self { supervisor };
        match heard.recv_timeout(READY_WITHIN) {
            Ok(Ok(())) => Ok(this),
            Ok(Err(text)) => Err(text),
            Err(_) => {
                this.stop();
                Err(format!("not ready within {READY_WITHIN:?}"))
            }
        }
    }

    fn stop(&mut self) {
        drop(self.supervisor.stdin.take());
        drop(self.supervisor.wait());
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A path for a new folder, in memory where the system offers that; the caller makes it.
pub(crate) fn scratch_path(what: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_path_buf()
    } else {
        std::env::temp_dir()
    };
    parent.join(format!("portal-{what}.{}", unique()))
}

/// A name part that no other call and no other process uses.
pub(crate) fn unique() -> String {
    use std::hash::BuildHasher as _;
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = std::collections::hash_map::RandomState::new().hash_one(count);
    format!("{}_{count}_{:08x}", std::process::id(), random & 0xffff_ffff)
}

/// A TCP port on loopback that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|l| l.local_addr())
        .unwrap_or_else(|e| panic!("no free TCP port on 127.0.0.1: {e}"))
        .port()
}

/// The first of `names` on `PATH`.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|n| {
        std::env::split_paths(&path)
            .map(|dir| dir.join(n))
            .find(|p| p.is_file())
    })
}
