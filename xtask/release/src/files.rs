//! Files and folders of a release.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xtask::{archive::Entry, project};

/// The licences that every package has.
pub(crate) const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Returns the folder with what was built.
pub(crate) fn dist() -> PathBuf {
    project::root().join("dist")
}

/// Returns the notices of what is in the module.
pub(crate) fn notices() -> Result<String> {
    Ok(fs::read_to_string(dist().join("NOTICES.txt"))?)
}

/// Copies a file into a folder, which is made if necessary.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// Writes a file into a folder, which is made if necessary.
pub(crate) fn put(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Makes a folder that is empty.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Returns files of the repository for an archive, and the licences.
pub(crate) fn entries(prefix: &str, files: &[(&str, &str)]) -> Result<Vec<Entry>> {
    let licences = LICENCES.map(|name| (name, name));
    let entry = |(source, name): &(&str, &str)| {
        let content = fs::read(project::root().join(source))?;
        Ok(Entry::new(format!("{prefix}{name}"), content))
    };
    files.iter().chain(&licences).map(entry).collect()
}
