//! One running `portal serve`, its log, and its end.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::sync::watch;

/// How long the program may take to open.
const OPEN_WITHIN: Duration = Duration::from_secs(60);
/// SIGTERM ends within 10 s; one more for the machine.
const END_WITHIN: Duration = Duration::from_secs(11);

/// A running portal. Dropping it kills it; so does the end of the test process.
#[derive(Debug)]
pub struct Portal {
    child: Child,
    watchdog: Child,
    port: u16,
    log: watch::Receiver<String>,
}

impl Portal {
    /// Starts the program and waits until it listens; `None` where somebody else took its port.
    pub async fn start(mut command: Command, port: u16) -> Option<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the portal starts");
        let watchdog = watchdog(&child);
        let (log, heard) = watch::channel(String::new());
        for pipe in [
            child.stdout.take().map(|p| Box::new(p) as Box<dyn Read + Send>),
            child.stderr.take().map(|p| Box::new(p) as Box<dyn Read + Send>),
        ] {
            let pipe = pipe.expect("a pipe from the portal");
            let log = log.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    log.send_modify(|text| {
                        text.push_str(&line);
                        text.push('\n');
                    });
                }
            });
        }
        // Only the threads hold the sender now, so the end of both pipes ends every wait.
        drop(log);
        let portal = Self {
            child,
            watchdog,
            port,
            log: heard,
        };
        let opened = portal.says("the portal is open", OPEN_WITHIN).await;
        if !opened && portal.log().contains("Address already in use") {
            return None;
        }
        assert!(opened, "the portal did not open:\n{}", portal.log());
        Some(portal)
    }

    /// Whether the log gets to contain `text` within the time, or before the program ends.
    async fn says(&self, text: &str, within: Duration) -> bool {
        let mut log = self.log.clone();
        let said = log.wait_for(|log| log.contains(text));
        matches!(tokio::time::timeout(within, said).await, Ok(Ok(_)))
    }

    /// Waits until the log contains `text`.
    pub async fn wait_for_log(&self, text: &str) {
        assert!(
            self.says(text, OPEN_WITHIN).await,
            "the log never said {text:?}:\n{}",
            self.log()
        );
    }

    /// Everything the program has written to standard output and standard error.
    pub fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// `http://127.0.0.1:port`.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`: nothing is finished.
    pub fn kill(mut self) {
        self.child.kill().expect("the portal can be killed");
        self.child.wait().expect("the portal was started");
    }

    /// Asks the program to end, as a service manager does.
    pub fn send_sigterm(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill is installed").success());
    }

    /// SIGTERM, and the exit status, which must come within 10 s.
    pub async fn stop(mut self) -> (ExitStatus, String) {
        self.send_sigterm();
        let status = self.wait_for_end().await;
        (status, self.log())
    }

    /// The exit status of a program that was asked to end.
    pub async fn wait_for_end(&mut self) -> ExitStatus {
        let mut log = self.log.clone();
        let closed = async { while log.changed().await.is_ok() {} };
        let closed = tokio::time::timeout(END_WITHIN, closed).await;
        assert!(
            closed.is_ok(),
            "the portal was still there after {END_WITHIN:?}:\n{}",
            self.log()
        );
        self.child.wait().expect("the portal was started")
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(self.watchdog.kill());
        drop(self.watchdog.wait());
        if std::thread::panicking() {
            let log = self.log();
            let skipped = log.lines().count().saturating_sub(60);
            eprintln!("the portal on port {} said, at last:", self.port);
            for line in log.lines().skip(skipped) {
                eprintln!("  {line}");
            }
        }
    }
}

/// Kills the child when this process is gone and its end of the pipe with it.
fn watchdog(child: &Child) -> Child {
    Command::new("/bin/sh")
        .args(["-c", "cat >/dev/null; kill -9 \"$1\"", "watchdog"])
        .arg(child.id().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("/bin/sh starts")
}
