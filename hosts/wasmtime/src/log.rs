//! The decision log: events as JSON lines, through a ring of fixed size that keeps no
//! decision waiting.

use std::{
    fmt,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use http::Extensions;

use crate::event::{Comparison, DecisionEvent, DecisionKind};

/// Events between the hook and the writer.
const RING: usize = 1024;

/// Of as many allowed requests one is logged.
const ALLOW_EVERY: u64 = 100;

/// Settings of a [`DecisionLog`].
#[derive(Clone, Copy, Debug)]
#[must_use = "call `write_to` or `call` to start the log"]
pub struct DecisionLogBuilder {
    ring: usize,
    allow_every: u64,
}

/// A log of decisions: JSON lines of `time` (RFC 3339, UTC, milliseconds) and the
/// members of the event (`docs/events.md`).
///
/// All denials are logged, and all comparisons that do not agree; of the others one
/// of so many ([`DecisionLogBuilder::allow_every`]). A full ring drops the new event and
/// counts it: no decision waits. Cheap to clone; all clones are one log.
///
/// ```no_run
/// # use countersign_host::{DecisionLog, Gate};
/// let log = DecisionLog::builder().write_to(std::io::stdout());
/// let gate = Gate::builder().on_decision(log.hook());
/// ```
#[derive(Clone)]
pub struct DecisionLog {
    shared: Arc<Shared>,
}

struct Shared {
    ring: SyncSender<Entry>,
    allow_every: u64,
    /// Of what is sampled: decisions, and comparisons that agree. With one counter for
    /// both, every second event would be a comparison, and an even number would choose
    /// none of them.
    allowed: AtomicU64,
    agreed: AtomicU64,
    dropped: Arc<AtomicU64>,
}

enum Entry {
    Event(Box<Logged>),
    /// Everything before it is to be written.
    Flush(SyncSender<()>),
}

struct Logged {
    at: SystemTime,
    event: DecisionEvent,
    more: Vec<(String, String)>,
}

impl Default for DecisionLogBuilder {
    fn default() -> Self {
        Self {
            ring: RING,
            allow_every: ALLOW_EVERY,
        }
    }
}

impl DecisionLogBuilder {
    /// The events between the hook and the writer (default: 1,024).
    pub fn ring(mut self, events: usize) -> Self {
        self.ring = events;
        self
    }

    /// Of as many requests that are not denied, the first is logged, and of as many
    /// comparisons that agree (default: 100; 1 for all, 0 for none).
    pub fn allow_every(mut self, requests: u64) -> Self {
        self.allow_every = requests;
        self
    }

    /// Writes to a file or to `stdout`, on a thread of its own, which flushes whenever
    /// the ring is empty. A line that cannot be written is dropped and counted.
    pub fn write_to(self, mut to: impl Write + Send + 'static) -> DecisionLog {
        self.start(move |line| match line {
            Some(line) => to.write_all(format!("{line}\n").as_bytes()).is_ok(),
            None => to.flush().is_ok(),
        })
    }

    /// Calls this with each line, without its end, on a thread of its own.
    pub fn call(self, mut with: impl FnMut(&str) + Send + 'static) -> DecisionLog {
        self.start(move |line| {
            line.map(&mut with);
            true
        })
    }

    /// `write` takes a line, or `None` when there is no other at once.
    fn start(self, write: impl FnMut(Option<&str>) -> bool + Send + 'static) -> DecisionLog {
        let (ring, events) = mpsc::sync_channel(self.ring.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = dropped.clone();
        thread::spawn(move || write_all(&events, write, &counter));
        DecisionLog {
            shared: Arc::new(Shared {
                ring,
                allow_every: self.allow_every,
                allowed: AtomicU64::new(0),
                agreed: AtomicU64::new(0),
                dropped,
            }),
        }
    }
}

impl DecisionLog {
    /// A builder with the default settings.
    pub fn builder() -> DecisionLogBuilder {
        DecisionLogBuilder::default()
    }

    /// A hook for [`GateBuilder::on_decision`](crate::GateBuilder::on_decision).
    pub fn hook(&self) -> impl Fn(&DecisionEvent, &Extensions) + Send + Sync + 'static {
        let log = self.clone();
        move |event, _| log.record(event, &[])
    }

    /// Logs an event, if it is one to log, with further members after it: a request id,
    /// a trace. Never waits.
    pub fn record(&self, event: &DecisionEvent, more: &[(&str, &str)]) {
        if !self.is_logged(event) {
            return;
        }
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let logged = Logged {
            at: SystemTime::now(),
            event: event.clone(),
            more: more.iter().map(own).collect(),
        };
        let entry = Entry::Event(Box::new(logged));
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.shared.ring.try_send(entry)
        {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many events were dropped: the ring was full, or a line could not be written.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything before this is written: for the end of a process. Blocks.
    pub fn flush(&self) {
        let (done, written) = mpsc::sync_channel(1);
        if self.shared.ring.send(Entry::Flush(done)).is_ok() {
            // An error: the writer has panicked.
            let _ = written.recv();
        }
    }

    fn is_logged(&self, event: &DecisionEvent) -> bool {
        let (seen, is_sampled) = match event.comparison {
            Some(comparison) => (&self.shared.agreed, comparison == Comparison::Agree),
            None => (&self.shared.allowed, event.decision != DecisionKind::Deny),
        };
        if !is_sampled {
            return true;
        }
        match self.shared.allow_every {
            0 => false,
            every => {
                let before = seen.fetch_add(1, Ordering::Relaxed);
                before.is_multiple_of(every)
            }
        }
    }
}

fn write_all(
    events: &Receiver<Entry>,
    mut write: impl FnMut(Option<&str>) -> bool,
    dropped: &AtomicU64,
) {
    while let Ok(first) = events.recv() {
        let mut next = Some(first);
        let mut flushed = Vec::new();
        while let Some(entry) = next {
            match entry {
                Entry::Event(logged) => {
                    let line = logged.event.to_json_at(&rfc3339(logged.at), &logged.more);
                    if !write(Some(&line)) {
                        dropped.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Entry::Flush(done) => flushed.push(done),
            }
            next = events.try_recv().ok();
        }
        write(None);
        for done in flushed {
            let _ = done.send(());
        }
    }
}

/// `2026-11-21T09:30:00.123Z`. The library has no times before 1970.
fn rfc3339(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at.max(UNIX_EPOCH)).to_string()
}

impl fmt::Debug for DecisionLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionLog")
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::rfc3339;

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_790_000_000_123, "2026-09-21T14:13:20.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (ms, text) in table {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(ms)), text);
        }
    }
}
