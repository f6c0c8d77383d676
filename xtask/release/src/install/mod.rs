//! Installs from `dist/release/` alone, in empty folders, as the README of each
//! package says, and sends a first request to each host.

mod envoy;
mod go;
mod http;
mod issuer;
mod npm;
mod program;
mod python;
mod readme;
mod rust;

use std::{path::Path, process::Command};

use anyhow::Result;
use xtask::{tools, version::VERSION};

use self::issuer::Issuer;
use crate::{signature::Key, step};

pub(crate) fn all(release: &Path, key: &Key) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let command = program::unpack(release, folder.path())?;
    step("it is verified", || {
        tools::run(
            Command::new(&command)
                .arg("verify-release")
                .arg(release)
                .args(["--public-key", &key.public(), "--version", VERSION]),
        )
    })?;
    step("installed as a user would: the command", || {
        program::installed(&command)
    })?;
    let issuer = Issuer::start(&command)?;
    step("installed as a user would: npm", || npm::installed(release))?;
    step("installed as a user would: Go", || go::installed(release))?;
    step("installed as a user would: Rust", || {
        rust::installed(release, &issuer)
    })?;
    step("installed as a user would: Python", || {
        python::installed(release, &issuer)
    })?;
    step("installed as a user would: Envoy", || {
        envoy::installed(release, &issuer)
    })
}

/// A process that is stopped in the end.
pub(crate) struct Process(pub(crate) std::process::Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
