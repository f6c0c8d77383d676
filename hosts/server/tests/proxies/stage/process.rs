//! A program that a test has started.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use countersign_artefact_tests::stage::within;

/// A process that ends when this is dropped. Its output is in a file.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it, with its output in `folder/log`.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Self {
        let log = folder.join("log");
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Sends a signal such as `HUP`, if it still runs.
    pub(crate) fn signal(&mut self, name: &str) {
        if self.has_ended() {
            return;
        }
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.id().to_string())
            .status();
        assert!(sent.unwrap().success(), "the signal {name} was not sent");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killed, a master would leave its workers behind.
        self.signal("TERM");
        within(Duration::from_secs(5), || self.has_ended());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
