//! The log: to standard error, one line per event, as text or JSON.
//!
//! Whatever an event holds, it stays on its line: control characters are escaped in the finished line, so no value
//! can forge a second event or steer a terminal (LOG-4). Colours are left out for the same reason.

use std::fmt::Write as _;
use std::io::{self, Write};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::settings::LogFormat;

/// Starts logging for the whole process; `filter` is what `RUST_LOG` says.
///
/// # Errors
/// Where something else in the process logs already.
pub fn start(format: LogFormat, filter: &str) -> Result<(), TryInitError> {
    subscriber(format, filter, io::stderr).try_init()
}

/// A subscriber that writes to `writer`. A filter that cannot be read counts as `info`.
pub fn subscriber<W>(format: LogFormat, filter: &str, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder()
        .parse(filter)
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(OneLineEach(writer));
    match format {
        LogFormat::Text => Box::new(lines.finish()),
        LogFormat::Json => Box::new(lines.json().finish()),
    }
}

/// Whether a character could leave its line, hide text or steer a terminal: control characters, line and paragraph
/// separators, and the marks that change the direction of text.
#[must_use]
pub fn is_unsafe_to_print(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes writers that escape what [`is_unsafe_to_print`].
#[derive(Debug)]
struct OneLineEach<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for OneLineEach<W> {
    type Writer = OneLine<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        OneLine(self.0.make_writer())
    }

    fn make_writer_for(&'w self, meta: &tracing::Metadata<'_>) -> Self::Writer {
        OneLine(self.0.make_writer_for(meta))
    }
}

#[derive(Debug)]
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Takes one finished event, as the subscriber hands it over.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let mut safe = String::with_capacity(text.len());
        for c in line.chars() {
            if is_unsafe_to_print(c) {
                // The form JSON uses as well: all of these have four digits.
                write!(safe, "\\u{:04x}", u32::from(c)).map_err(io::Error::other)?;
            } else {
                safe.push(c);
            }
        }
        safe.push('\n');
        self.0.write_all(safe.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, act: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        tracing::subscriber::with_default(subscriber(format, filter, move || writer.clone()), act);
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    const NASTY: &str = "a\nINFO forged\r\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\u{0}\u{7f}end";

    #[test]
    fn no_value_leaves_its_line_in_either_format() {
        // LOG-4
        for format in [LogFormat::Text, LogFormat::Json] {
            let log = logged(format, "info", || {
                tracing::info!(field = NASTY, shown = %NASTY, debug = ?NASTY, "message {NASTY}");
            });
            let line = log.strip_suffix('\n').unwrap();
            assert!(!line.chars().any(is_unsafe_to_print), "{line:?}");
            assert!(line.contains("end"), "{line}");
        }
    }

    #[test]
    fn json_stays_json_and_gives_the_value_back() {
        let log = logged(LogFormat::Json, "info", || tracing::info!(field = NASTY, "hello"));
        let event: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(event["fields"]["field"], NASTY);
        assert_eq!(event["level"], "INFO");
    }

    #[test]
    fn the_filter_decides_what_is_written() {
        let log = logged(LogFormat::Text, "warn", || {
            tracing::info!("quiet");
            tracing::warn!("loud");
        });
        assert!(log.contains("loud") && !log.contains("quiet"), "{log}");
    }
}
