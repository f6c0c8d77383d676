//! The decision log, with the policy and the dialect beside each event.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign_host::{DecisionEvent, DecisionLog};
use http::Extensions;

use crate::config::{ConfigError, DecisionLogTo};

/// The dialect of a question, in its extensions.
#[derive(Clone, Copy)]
pub(crate) struct AskedIn(pub(crate) &'static str);

/// The decision log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Journal {
    pub(crate) log: DecisionLog,
    /// Set: the file is to be opened again, as it was moved away.
    reopen: Arc<AtomicBool>,
}

impl Journal {
    pub(crate) fn open(to: &DecisionLogTo) -> Result<Self, ConfigError> {
        let reopen = Arc::new(AtomicBool::new(false));
        let builder = DecisionLog::builder().allow_every(to.allow_every);
        let log = match &to.file {
            None => builder.write_to(io::stdout()),
            Some(path) => {
                let file = append(path).map_err(|error| {
                    let message = format!("it cannot be written: {error}");
                    ConfigError::of_file(path.display().to_string(), "file_unwritable", message)
                })?;
                builder.write_to(Moved {
                    path: path.clone(),
                    file,
                    reopen: reopen.clone(),
                })
            }
        };
        Ok(Self { log, reopen })
    }

    /// A hook for the gate of this policy.
    pub(crate) fn hook(
        &self,
        policy: &Arc<str>,
    ) -> impl Fn(&DecisionEvent, &Extensions) + Send + Sync + 'static {
        let (log, policy) = (self.log.clone(), policy.clone());
        move |event, extensions| {
            let asked: Option<&AskedIn> = extensions.get();
            let dialect = asked.map_or("", |asked| asked.0);
            log.record(event, &[("policy", &policy), ("dialect", dialect)]);
        }
    }

    /// Begins a new file at the next event, where the old one was moved away.
    pub(crate) fn reopen(&self) {
        self.reopen.store(true, Ordering::Relaxed);
    }
}

/// A file that another program moves away now and then.
struct Moved {
    path: PathBuf,
    file: File,
    reopen: Arc<AtomicBool>,
}

impl Write for Moved {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.reopen.swap(false, Ordering::Relaxed) {
            match append(&self.path) {
                Ok(file) => self.file = file,
                // Events go on to the old file.
                Err(error) => tracing::error!(%error, "the decision log was not opened again"),
            }
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.log.fmt(f)
    }
}
