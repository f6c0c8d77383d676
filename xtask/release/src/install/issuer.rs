//! The development issuer of the installed command, on a free port instead of
//! the port in the READMEs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Result;
use tempfile::TempDir;
use xtask::tools;

use super::{Process, http};

/// The issuer's address in every README.
const USUAL: &str = "127.0.0.1:8181";

pub(crate) struct Issuer {
    command: PathBuf,
    folder: TempDir,
    port: u16,
    _server: Process,
}

impl Issuer {
    pub(crate) fn start(command: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = http::free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        said(
            command,
            folder.path(),
            &["dev", "keys", "--dir", "issuer", "--issuer", &url],
        )?;
        let server = Command::new(command)
            .current_dir(folder.path())
            .args(["dev", "serve", "--dir", "issuer"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Process(server);
        http::wait_for(port)?;
        Ok(Self {
            command: command.to_owned(),
            folder,
            port,
            _server: server,
        })
    }

    /// Returns a token of this tenant.
    pub(crate) fn token(&self, tenant: &str) -> Result<String> {
        let mint = [
            "dev",
            "mint",
            "--dir",
            "issuer",
            "--subject",
            "alice",
            "--role",
            "admin",
        ];
        said(
            &self.command,
            self.folder.path(),
            &[&mint[..], &["--tenant", tenant]].concat(),
        )
    }

    /// Writes `policy.json` as the READMEs do.
    pub(crate) fn write_policy(&self, folder: &Path) -> Result<()> {
        let policy = said(
            &self.command,
            self.folder.path(),
            &["dev", "policy", "--dir", "issuer"],
        )?;
        let yaml = folder.join("policy.yaml");
        fs::write(&yaml, policy)?;
        let json = said(&self.command, folder, &["policy", "show", "policy.yaml"])?;
        fs::write(folder.join("policy.json"), json)?;
        Ok(())
    }

    /// Returns a text with this issuer's address.
    pub(crate) fn replaced(&self, text: &str) -> String {
        text.replace(USUAL, &format!("127.0.0.1:{}", self.port))
            .replace("port_value: 8181", &format!("port_value: {}", self.port))
    }
}

/// Runs the command and returns its standard output.
pub(crate) fn said(command: &Path, folder: &Path, arguments: &[&str]) -> Result<String> {
    tools::output(Command::new(command).current_dir(folder).args(arguments))
}
