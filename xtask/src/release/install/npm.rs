//! The npm package of a release, as a user installs it.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{
    package,
    test::npm::{self, TESTS},
    tools,
};

/// Installs the tarball of a release in an empty folder, and compiles and runs
/// the code of its README there, in the oldest and the newest Node.js. The
/// compiler and the frameworks are those of the tests.
pub(crate) fn installed(release: &Path) -> Result<()> {
    let name = format!("npm/countersign-{}.tgz", env!("CARGO_PKG_VERSION"));
    let tarball = release.join(&name).canonicalize().context(name)?;
    for folder in [package::PACKAGE, TESTS] {
        tools::npm_packages(folder)?;
    }
    for wheel in [tools::NODE_20, tools::NODE_24] {
        let tally = npm::suite(&tools::node(wheel)?, &["installed"], &tarball)?;
        ensure!(tally.failed == 0, "the installed npm package: {tally}");
    }
    Ok(())
}
