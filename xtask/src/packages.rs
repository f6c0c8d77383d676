//! The packages of this workspace and their dependencies, as cargo reports
//! them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::project;

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) is_ours: bool,
    pub(crate) licence: String,
}

/// Returns the packages whose code is in the module.
pub(crate) fn in_the_file(root: &Path) -> Result<BTreeSet<Package>> {
    let module = ["--package", "countersign-module", "--target", WASM];
    tree(
        root,
        &[&module[..], &["-e", "normal,no-proc-macro"]].concat(),
    )
}

/// Returns the packages that cargo would build.
pub(crate) fn tree(root: &Path, options: &[&str]) -> Result<BTreeSet<Package>> {
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

/// Returns the folder, and the name with version, of each third-party package
/// whose code is in the module.
pub(crate) fn sources(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let options = ["--locked", "--format-version", "1"];
    let filter = ["--filter-platform", WASM];
    let metadata = output_of(root, &[&["metadata"], &options[..], &filter].concat())?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let all = metadata["packages"].as_array().context("no packages")?;
    let mut sources = Vec::new();
    for Package { name, version, .. } in in_the_file(root)?.iter().filter(|one| !one.is_ours) {
        let same = |one: &&Value| one["name"] == **name && one["version"] == **version;
        let manifest = all.iter().find(same);
        let manifest = manifest.and_then(|one| one["manifest_path"].as_str());
        let folder = manifest.and_then(|path| Path::new(path).parent());
        let folder = folder.with_context(|| format!("cargo does not say where {name} lies"))?;
        sources.push((folder.to_owned(), format!("{name}-{version}")));
    }
    Ok(sources)
}

fn output_of(root: &Path, arguments: &[&str]) -> Result<String> {
    let mut cargo = project::cargo();
    let output = cargo.current_dir(root).args(arguments).output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
