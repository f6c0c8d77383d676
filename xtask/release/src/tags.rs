//! The tags of the Go modules, in a git repository that has nothing else.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use xtask::tools;

use crate::{files::empty, source::Source};

/// A repository that has nothing but the trees of the tags.
pub(crate) struct Tags {
    pub(crate) folder: PathBuf,
    /// The commit that is released, and its date.
    commit: String,
    date: String,
}

impl Tags {
    pub(crate) fn init(folder: &Path, source: &Source) -> Result<Self> {
        empty(folder)?;
        let tags = Self {
            folder: folder.to_owned(),
            commit: source.commit.clone(),
            date: source.date.clone(),
        };
        tags.git(&["init", "--quiet", "--template="])?;
        Ok(tags)
    }

    /// Commits the folder. The same tree of the same commit gets the same hash,
    /// whoever makes it.
    pub(crate) fn tag(&self, module: &str, version: &str) -> Result<()> {
        let tag = format!("{module}/{version}");
        let message = format!("{tag}\n\nFrom commit {}", self.commit);
        self.git(&["add", "--all", "--force"])?;
        self.git(&["commit", "--quiet", "--no-verify", "--message", &message])?;
        self.git(&["tag", &tag])
    }

    pub(crate) fn bundle(&self, file: &Path) -> Result<()> {
        let file = file.to_str().context("the path is not UTF-8")?;
        // With more threads, the bytes of the pack vary.
        self.git(&[
            "-c",
            "pack.threads=1",
            "bundle",
            "create",
            "--quiet",
            file,
            "--tags",
        ])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        let mut git = Command::new("git");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Countersign")
                .env(format!("GIT_{who}_EMAIL"), "release@countersign.invalid")
                .env(format!("GIT_{who}_DATE"), &self.date);
        }
        without_settings(&mut git)
            .current_dir(&self.folder)
            .args(arguments);
        tools::output(&mut git).map(|_| ())
    }
}

/// Makes git ignore the settings of this machine and of a git that runs this
/// program.
pub(crate) fn without_settings(command: &mut Command) -> &mut Command {
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
        command.env_remove(name);
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
}
