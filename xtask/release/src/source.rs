//! The commit that is released.

use std::process::Command;

use anyhow::{Result, ensure};
use xtask::{project, tools};

/// The state of the repository.
pub(crate) struct Source {
    /// 40 hexadecimal digits.
    pub(crate) commit: String,
    /// When it was committed, in the format of ISO 8601.
    pub(crate) date: String,
    /// Whether files differ from the commit. Only a dry run allows it.
    pub(crate) has_changes: bool,
}

impl Source {
    /// Asks git. Files that differ from the commit are an error, unless they are
    /// allowed.
    pub(crate) fn read(changes_are_allowed: bool) -> Result<Self> {
        let changes = git(&["status", "--porcelain"])?;
        ensure!(
            changes.is_empty() || changes_are_allowed,
            "these files differ from the commit:\n{changes}"
        );
        Ok(Self {
            commit: git(&["rev-parse", "HEAD"])?,
            date: git(&["log", "-1", "--format=%cI"])?,
            has_changes: !changes.is_empty(),
        })
    }
}

/// Returns what git prints about the repository.
pub(crate) fn git(arguments: &[&str]) -> Result<String> {
    tools::output(
        Command::new("git")
            .current_dir(project::root())
            .args(arguments),
    )
}
