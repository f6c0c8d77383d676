//! The commit that is released.

use anyhow::{Context, Result, ensure};
use std::process::Command;
use xtask::project;

/// The state of the repository.
pub(crate) struct Source {
    /// 40 hexadecimal digits.
    pub(crate) commit: String,
    /// Whether files differ from the commit. Only a dry run allows it.
    pub(crate) has_changes: bool,
}

impl Source {
    /// Asks git. Files that differ from the commit are an error, unless they are
    /// allowed.
    pub(crate) fn read(changes_are_allowed: bool) -> Result<Self> {
        let commit = git(&["rev-parse", "HEAD"])?;
        let changes = git(&["status", "--porcelain"])?;
        ensure!(
            changes.is_empty() || changes_are_allowed,
            "these files differ from the commit:\n{changes}"
        );
        Ok(Self {
            commit,
            has_changes: !changes.is_empty(),
        })
    }
}

/// Returns what git prints.
pub(crate) fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .current_dir(project::root())
        .args(arguments)
        .output()
        .context("cannot start git")?;
    ensure!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
