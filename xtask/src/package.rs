//! Packs the npm package, as it is published, and builds the inspector from it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{project, tools, version::VERSION};

/// The folder of the package.
pub const PACKAGE: &str = "npm/package";
const INSPECTOR: &str = "npm/inspector";

/// Packs the output of [`crate::build`] into `dist/`.
pub fn run() -> Result<()> {
    tools::npm_packages(PACKAGE)?;
    npm(PACKAGE, &["run", "--silent", "build"])?;
    npm(
        PACKAGE,
        &[
            "pack",
            "--silent",
            "--ignore-scripts",
            "--pack-destination",
            "../../dist",
        ],
    )?;
    tools::npm_packages(INSPECTOR)?;
    unpack_for(INSPECTOR)?;
    npm(INSPECTOR, &["run", "--silent", "build"])
}

fn npm(folder: &str, arguments: &[&str]) -> Result<()> {
    let folder = project::root().join(folder);
    tools::run(tools::npm().current_dir(folder).args(arguments))
}

/// Unpacks the tarball into `node_modules` of a folder.
pub fn unpack_for(folder: &str) -> Result<()> {
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

/// Returns the path of the tarball.
fn tarball() -> PathBuf {
    let name = format!("dist/countersign-{VERSION}.tgz");
    project::root().join(name)
}

fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
