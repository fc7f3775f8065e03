//! Nothing that the rig starts outlives the process that started it, however that ends.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share may fail them too"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use test_rig::{Browser, BrowserOptions, fresh_database};

const HOLD: &str = "RIG_HOLD";

/// Not a test by itself: the process that the tests below start and end.
#[tokio::test]
async fn holder() {
    let Ok(how) = std::env::var(HOLD) else { return };
    let database = fresh_database();
    let _browser = Browser::start(&BrowserOptions::default()).await;
    println!("\nholding {} {database}", std::process::id());
    assert_ne!(how, "panic", "as asked");
    drop(std::io::stdin().read_line(&mut String::new()));
}

struct Holder {
    child: Child,
    address: String,
    folders: Vec<PathBuf>,
    // Kept open: the holder would fail if it could not print its result.
    _output: BufReader<ChildStdout>,
}

fn start_holder(how: &str) -> Holder {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder", "--nocapture"])
        .env(HOLD, how)
        .env_remove("DATABASE_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let line = output
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .find(|l| l.starts_with("holding "))
        .unwrap();
    let address = line.split(['@', '/']).nth(3).unwrap().to_owned();
    let folders = folders_of(child.id());
    Holder {
        child,
        address,
        folders,
        _output: output,
    }
}

fn folders_of(pid: u32) -> Vec<PathBuf> {
    let mark = format!(".{pid}_");
    ["/dev/shm", "/tmp"]
        .iter()
        .filter_map(|dir| std::fs::read_dir(dir).ok())
        .flatten()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.to_string_lossy().contains("/portal-") && p.to_string_lossy().contains(&mark))
        .collect()
}

/// Command lines that name one of `folders`: the server, the driver and every browser process do.
fn processes_in(folders: &[PathBuf]) -> usize {
    let command_lines = std::fs::read_dir("/proc").unwrap().flatten();
    command_lines
        .filter_map(|p| std::fs::read(p.path().join("cmdline")).ok())
        .filter(|line| {
            let line = String::from_utf8_lossy(line).into_owned();
            folders.iter().any(|f| line.contains(&*f.to_string_lossy()))
        })
        .count()
}

async fn assert_all_gone(pid: u32, address: &str, folders: &[PathBuf]) {
    for _ in 0..200 {
        let listening = TcpStream::connect(address).is_ok();
        if !listening && folders_of(pid).is_empty() && processes_in(folders) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "left over: {:?}, {} processes",
        folders_of(pid),
        processes_in(folders)
    );
}

#[tokio::test]
async fn nothing_is_left_after_sigkill() {
    let Holder {
        mut child,
        address,
        folders,
        _output,
    } = start_holder("wait");
    assert_eq!(folders.len(), 2, "{folders:?}");
    assert!(
        processes_in(&folders) >= 3,
        "the server, the driver and the browser run"
    );
    assert!(TcpStream::connect(&address).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_all_gone(child.id(), &address, &folders).await;
}

#[tokio::test]
async fn nothing_is_left_after_a_panic_or_a_normal_end() {
    for how in ["panic", "wait"] {
        let Holder {
            mut child,
            address,
            folders,
            _output,
        } = start_holder(how);
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().success(), how == "wait");
        assert_all_gone(child.id(), &address, &folders).await;
    }
}
