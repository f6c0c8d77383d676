//! The decision log: the Rust host's, which writes on a thread of its own and does not
//! need the GIL for that.

use std::{
    fs::{File, OpenOptions},
    io,
    path::PathBuf,
    process,
    sync::mpsc,
    thread,
};

use countersign_host::{DecisionLog, DecisionLogBuilder, GateBuilder};
use pyo3::prelude::*;

use crate::{context, options::seconds, process::speak};

/// A log of this process.
#[pyclass(frozen)]
pub(crate) struct Log {
    /// In a forked process the thread that writes is gone, and the ring must not be used.
    process: u32,
    log: Option<DecisionLog>,
    /// Returns further members of an event.
    add: Option<Py<PyAny>>,
}

#[pymethods]
impl Log {
    /// Opens a log: `to` is the path of a file, something to call with each line, or
    /// `None` for the standard output.
    #[staticmethod]
    fn open(
        to: Option<To>,
        ring: usize,
        allow_every: u64,
        add: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let builder = DecisionLog::builder().ring(ring).allow_every(allow_every);
        let log = match to {
            None => builder.write_to(standard_output()?),
            Some(To::Path(path)) => {
                // Lines of several processes stand one after the other.
                let file = OpenOptions::new().append(true).create(true).open(path)?;
                builder.write_to(file)
            }
            Some(To::Call(call)) => to_call(builder, call),
        };
        Ok(Self {
            process: process::id(),
            log: Some(log),
            add,
        })
    }

    fn dropped(&self) -> u64 {
        self.here().map_or(0, DecisionLog::dropped)
    }

    /// Waits until everything before this is written. The result is whether it is, or
    /// `within_s` were not enough.
    fn flush(&self, py: Python<'_>, within_s: f64) -> PyResult<bool> {
        let within = seconds(within_s, "within_s")?;
        let Some(log) = self.here().cloned() else {
            return Ok(true);
        };
        let (done, written) = mpsc::channel();
        thread::spawn(move || {
            log.flush();
            // Nobody waits any more.
            let _ = done.send(());
        });
        Ok(py.detach(move || written.recv_timeout(within)).is_ok())
    }
}

/// Where the lines go.
#[derive(FromPyObject)]
enum To {
    Path(PathBuf),
    Call(Py<PyAny>),
}

impl Log {
    /// Adds it to a gate.
    pub(crate) fn attach(&self, py: Python<'_>, builder: GateBuilder) -> GateBuilder {
        let Some(log) = self.here() else {
            return builder;
        };
        let Some(add) = &self.add else {
            return builder.on_decision(log.hook());
        };
        let (log, add) = (log.clone(), add.clone_ref(py));
        builder.on_decision(move |event, _| {
            let more = members(&add, event.to_json());
            let more: Vec<_> = more
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect();
            log.record(event, &more);
        })
    }

    /// Whether it asks Python about each event.
    pub(crate) fn asks(&self) -> bool {
        self.add.is_some()
    }

    fn here(&self) -> Option<&DecisionLog> {
        self.log.as_ref().filter(|_| self.process == process::id())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if self.process != process::id() {
            // Its ring may be locked by a thread that is not in this process.
            std::mem::forget(self.log.take());
        }
    }
}

fn to_call(builder: DecisionLogBuilder, call: Py<PyAny>) -> DecisionLog {
    builder.call(move |line| {
        speak(|py| {
            if let Err(error) = call.call1(py, (line,)) {
                error.write_unraisable(py, Some(call.bind(py)));
            }
        });
    })
}

/// The members that the application adds; none if that fails.
fn members(add: &Py<PyAny>, event: String) -> Vec<(String, String)> {
    let mut members = Vec::new();
    speak(|py| {
        let added = context::call(py, add, event)
            .and_then(|added| added.extract::<Vec<(String, String)>>());
        match added {
            Ok(added) => members = added,
            Err(error) => error.write_unraisable(py, Some(add.bind(py))),
        }
    });
    members
}

/// The file descriptor itself: the standard library's `stdout` has a lock, which would
/// stay locked in a process that is forked meanwhile.
#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd;

    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn standard_output() -> io::Result<File> {
    use std::os::windows::io::AsHandle;

    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}
