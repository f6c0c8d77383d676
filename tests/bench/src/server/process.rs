//! A program that is measured.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::cores;

const START: Duration = Duration::from_secs(30);

/// A running program, ended when this is dropped.
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program on the core of what is measured. Its log goes to a file.
    pub(super) fn start(command: &mut Command, log: &PathBuf) -> Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(log)?);
        Ok(Self {
            child: cores::spawn_on(cores::MEASURED, command)?,
        })
    }

    /// Waits until `ready` says so.
    pub(super) fn wait(&mut self, log: &PathBuf, mut ready: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        while !ready() {
            if self.child.try_wait()?.is_some() || start.elapsed() > START {
                bail!(
                    "it does not start:\n{}",
                    fs::read_to_string(log).unwrap_or_default()
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The resident memory, as the operating system reports it.
    pub(super) fn resident_bytes(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kib: f64 = kib.context("the system tells no VmRSS")?.trim().parse()?;
        Ok(kib * 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free now, for a program that cannot choose one itself.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

pub(super) fn accepts(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}
