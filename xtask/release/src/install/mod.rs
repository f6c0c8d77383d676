//! Installs from `dist/release/` alone, in empty folders, as the README of each
//! package says, and sends a first request to each host.

mod envoy;
mod go;
mod http;
mod issuer;
mod npm;
mod program;
mod readme;
mod rust;

use std::{path::Path, process::Command, time::Instant};

use anyhow::{Context, Result};
use xtask::{tools, version::VERSION};

use self::issuer::Issuer;
use crate::signature::Key;

pub(crate) fn all(release: &Path, key: &Key) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let command = program::unpack(release, folder.path())?;
    said("verify-release", || {
        tools::run(
            Command::new(&command)
                .arg("verify-release")
                .arg(release)
                .args(["--public-key", &key.public(), "--version", VERSION]),
        )
    })?;
    said("the command", || program::installed(&command))?;
    let issuer = Issuer::start(&command)?;
    said("npm", || npm::installed(release))?;
    said("Go", || go::installed(release))?;
    said("Rust", || rust::installed(release, &issuer))?;
    said("Envoy", || envoy::installed(release, &issuer))
}

fn said(what: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    run().with_context(|| what.to_owned())?;
    println!(
        "            {what}: works, {:.0} s",
        start.elapsed().as_secs_f32()
    );
    Ok(())
}

/// A process that is stopped in the end.
pub(crate) struct Process(pub(crate) std::process::Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
