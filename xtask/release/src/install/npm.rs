//! The npm package in an empty folder: its suite `installed` compiles and runs
//! the code of its README there. The compiler and the frameworks are those of
//! the tests.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use xtask::{package, project, tools, version::VERSION};

/// The folder of the suites.
const TESTS: &str = "npm/tests";

/// Installs the tarball in the oldest and the newest Node.js.
pub(crate) fn installed(release: &Path) -> Result<()> {
    let name = format!("npm/countersign-{VERSION}.tgz");
    let tarball = release.join(&name).canonicalize().context(name)?;
    for folder in [package::PACKAGE, TESTS] {
        tools::npm_packages(folder)?;
    }
    for wheel in [tools::NODE_20, tools::NODE_24] {
        let mut suite = Command::new(tools::node(wheel)?);
        suite
            .current_dir(project::root().join(TESTS))
            .args(["main.mjs", "installed"])
            .env("COUNTERSIGN_TARBALL", &tarball);
        tools::run(&mut suite)?;
    }
    Ok(())
}
