//! The packages of this workspace and their dependencies, as cargo reports
//! them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{project, tools};

/// The target of the module.
pub const WASM: &str = "wasm32-unknown-unknown";

/// A package as `cargo tree` prints it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is in this repository.
    pub is_ours: bool,
    /// The SPDX expression of its manifest.
    pub licence: String,
}

/// Returns the packages whose code is in the module.
pub fn in_the_file(root: &Path) -> Result<BTreeSet<Package>> {
    let module = ["--package", "countersign-module", "--target", WASM];
    tree(
        root,
        &[&module[..], &["-e", "normal,no-proc-macro"]].concat(),
    )
}

/// Returns the packages that cargo would build.
pub fn tree(root: &Path, options: &[&str]) -> Result<BTreeSet<Package>> {
    let format = ["--prefix", "none", "--format", "{p}|{l}|"];
    let text = output_of(
        root,
        &[&["tree", "--locked"], &format[..], options].concat(),
    )?;
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| package(line).with_context(|| format!("cargo tree said `{line}`")))
        .collect()
}

/// Parses `name v1.2.3 (/path)|licence|`; ` (*)` can follow.
fn package(line: &str) -> Option<Package> {
    let mut parts = line.split('|');
    let mut words = parts.next()?.split(' ');
    Some(Package {
        name: words.next()?.to_owned(),
        version: words.next()?.trim_start_matches('v').to_owned(),
        is_ours: words.any(|word| word.starts_with('(') && word != "(proc-macro)"),
        licence: parts.next()?.to_owned(),
    })
}

/// A third-party package and the folder with its source.
pub struct Source {
    /// The folder with its manifest.
    pub folder: PathBuf,
    /// What cargo says of it.
    pub package: Package,
}

impl Source {
    /// Returns `name-version`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.package.name, self.package.version)
    }
}

/// Returns the third-party packages among `packages`, for one target of rustc.
pub fn sources(root: &Path, packages: BTreeSet<Package>, target: &str) -> Result<Vec<Source>> {
    let options = ["--locked", "--format-version", "1"];
    let filter = ["--filter-platform", target];
    let metadata = output_of(root, &[&["metadata"], &options[..], &filter].concat())?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let all = metadata["packages"].as_array().context("no packages")?;
    let third_party = packages.into_iter().filter(|package| !package.is_ours);
    third_party
        .map(|package| {
            let same =
                |one: &&Value| one["name"] == *package.name && one["version"] == *package.version;
            let manifest = all.iter().find(same);
            let manifest = manifest.and_then(|one| one["manifest_path"].as_str());
            let folder = manifest.and_then(|path| Path::new(path).parent());
            let folder = folder
                .with_context(|| format!("cargo does not say where {} lies", package.name))?;
            Ok(Source {
                folder: folder.to_owned(),
                package,
            })
        })
        .collect()
}

fn output_of(root: &Path, arguments: &[&str]) -> Result<String> {
    tools::output(project::cargo().current_dir(root).args(arguments))
}
