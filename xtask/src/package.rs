//! The npm package of the built file, as it is published.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{project, tools};

/// Packs what [`crate::build`] has put out into `dist/`.
pub(crate) fn run() -> Result<()> {
    const FOLDER: &str = "npm/package";
    tools::npm_packages(FOLDER)?;
    let folder = project::root().join(FOLDER);
    let npm = |arguments: &[&str]| tools::run(tools::npm().current_dir(&folder).args(arguments));
    npm(&["run", "--silent", "build"])?;
    npm(&[
        "pack",
        "--silent",
        "--ignore-scripts",
        "--pack-destination",
        "../../dist",
    ])
}

/// Where the tests of a folder find the package: what is in the tarball.
pub(crate) fn unpack_for(folder: &str) -> Result<()> {
    let package = project::root()
        .join(folder)
        .join("node_modules/countersign");
    clear(&package)?;
    tools::run(
        Command::new("tar")
            .arg("-xzf")
            .arg(tarball())
            .args(["--strip-components", "1", "-C"])
            .arg(package),
    )
}

/// npm's name for it: the workspace's version is the package's.
fn tarball() -> PathBuf {
    let name = format!("dist/countersign-{}.tgz", env!("CARGO_PKG_VERSION"));
    project::root().join(name)
}

fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
