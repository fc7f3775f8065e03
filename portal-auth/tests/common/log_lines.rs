//! Counts the lines of one level that are logged on a test's own thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

/// Counts until it goes.
pub(crate) struct LogLines {
    counted: Arc<AtomicUsize>,
    _listening: DefaultGuard,
    /// With a single one alive, whichever thread meets a line of code first decides for all whether it is heard.
    _second: Dispatch,
}

impl LogLines {
    pub(crate) fn of_this_thread(level: Level) -> Self {
        let counted = Arc::new(AtomicUsize::new(0));
        let listening = tracing::subscriber::set_default(Counter(Arc::clone(&counted), level));
        Self {
            counted,
            _listening: listening,
            _second: Dispatch::new(Counter(Arc::default(), level)),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.counted.load(Ordering::Relaxed)
    }
}

struct Counter(Arc<AtomicUsize>, Level);

impl Subscriber for Counter {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        about.is_event() && *about.level() == self.1
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
