//! Processor time and memory, as the kernel counts them. Linux only; elsewhere everything reads as nothing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Processor time of this process, to the nanosecond.
#[must_use]
pub fn own_cpu() -> Duration {
    // Not from /proc, which counts a thread that is running only when it is next interrupted.
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(used).unwrap_or_default()
}

/// Processor time of this process and of `servers` together.
#[must_use]
pub fn cpu_with(servers: &[u32]) -> Duration {
    servers
        .iter()
        .map(|pid| threads_of(Path::new(&format!("/proc/{pid}/task"))))
        .fold(own_cpu(), Duration::saturating_add)
}

/// Of a server, whose threads sleep between two requests.
fn threads_of(tasks: &Path) -> Duration {
    let entries = fs::read_dir(tasks).into_iter().flatten().flatten();
    let nanos = entries.filter_map(|task| {
        // The first number is nanoseconds on a processor.
        let line = fs::read_to_string(task.path().join("schedstat")).ok()?;
        line.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.fold(0, u64::saturating_add))
}

/// The process ids with the same parent as `pid`, in order: all backends of its PostgreSQL. Later ones are not among
/// them, nor are the short-lived workers of autovacuum.
#[must_use]
pub fn siblings_of(pid: u32) -> Vec<u32> {
    let Some(parent) = parent_of(pid).filter(|parent| *parent > 1) else {
        return Vec::new();
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut siblings: Vec<_> = processes
        .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
        .filter(|process| parent_of(*process) == Some(parent) && !is_autovacuum_worker(*process))
        .collect();
    siblings.sort_unstable();
    siblings
}

fn is_autovacuum_worker(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("autovacuum worker"))
}

fn parent_of(pid: u32) -> Option<u32> {
    status(&format!("/proc/{pid}/status"), "PPid:").and_then(|n| u32::try_from(n).ok())
}

/// Resident memory of this process in bytes.
#[must_use]
pub fn resident() -> u64 {
    status("/proc/self/status", "VmRSS:")
        .unwrap_or(0)
        .saturating_mul(1024)
}

/// The most resident memory since [`forget_peak`], in bytes.
#[must_use]
pub fn peak() -> u64 {
    status("/proc/self/status", "VmHWM:")
        .unwrap_or(0)
        .saturating_mul(1024)
}

/// Begins to count the peak anew.
///
/// # Errors
/// When the kernel does not let it be counted anew.
pub fn forget_peak() -> std::io::Result<()> {
    fs::write("/proc/self/clear_refs", "5")
}

fn status(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
