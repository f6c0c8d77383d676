//! The Rust host's events, for Python's `logging`. They contain no token and no
//! claim: the host writes none into them.

use std::{
    fmt::{self, Write},
    sync::atomic::{AtomicU64, Ordering},
};

use pyo3::prelude::*;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::process::speak;

/// Sends the events to `logger.log(level, text)`. Only the first call counts.
#[pyfunction]
pub(crate) fn log_to(logger: Py<PyAny>) {
    // Another one was set before: by an earlier import of this module.
    let _ = tracing::subscriber::set_global_default(ToPython {
        logger,
        spans: AtomicU64::new(1),
    });
}

struct ToPython {
    logger: Py<PyAny>,
    spans: AtomicU64,
}

impl Subscriber for ToPython {
    /// The events of this project; libraries below it have logs of their own kind.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() <= Level::INFO
            && metadata.target().starts_with("countersign_host")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let text = text.message + &text.fields;
        speak(|py| {
            // A handler that raises is the application's own matter.
            let _ =
                self.logger
                    .call_method1(py, "log", (level(*event.metadata().level()), "%s", text));
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Python's numbers of the levels.
fn level(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        _ => 10,
    }
}

/// The message, then each field as ` name=value`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
