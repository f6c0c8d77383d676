//! Builds the wheel of the Python host, as it is published.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    build,
    packages::{self, Package},
    project, tools,
    version::VERSION,
};

/// The folder of the package.
pub const PACKAGE: &str = "hosts/python";

/// The oldest Python that the package supports.
pub const OLDEST: &str = "python3.10";

/// How a wheel is compiled.
#[derive(Clone, Copy)]
pub enum Profile {
    /// As it is published.
    Release,
    /// Fast to compile, with the code that the other tests have compiled.
    Dev,
}

/// Builds the wheel in `folder` and returns its path.
pub fn run(profile: Profile, folder: &Path) -> Result<PathBuf> {
    notices()?;
    let maturin = tools::maturin()?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut command = Command::new(maturin);
    command
        .current_dir(project::root().join(PACKAGE))
        .args(["build", "--quiet", "--locked", "--profile"])
        .arg(match profile {
            Profile::Release => "release",
            Profile::Dev => "dev",
        })
        .arg("--out")
        .arg(folder);
    tools::run(&mut command)?;
    let start = format!("countersign_gate-{VERSION}-");
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with(&start)) {
            return Ok(path);
        }
    }
    bail!("maturin has made no wheel of {VERSION}")
}

/// Returns the packages that are compiled into it.
pub fn packages() -> Result<BTreeSet<Package>> {
    let crates = ["--package", "countersign-python"];
    let options = [&crates[..], &["-e", "normal,no-proc-macro"]].concat();
    packages::tree(project::root(), &options)
}

/// Writes the notices of what is compiled into the package.
fn notices() -> Result<()> {
    let root = project::root();
    let host = project::rustc(root, &["-vV"])?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not say its host")?;
    let sources = packages::sources(root, packages()?, host)?;
    let mut text = build::notices("the Python package", &sources)?;
    // And of what is in the sealed file.
    text += &fs::read_to_string(root.join("dist/NOTICES.txt"))?;
    let path = root.join(PACKAGE).join("NOTICES.txt");
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
