//! What was built from which commit: an in-toto statement
//! (<https://in-toto.io/Statement/v1>).

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use xtask::{project, tools, version::VERSION};

use crate::{crates, files::put, go, signature, source::Source};

const PREDICATE: &str = "https://github.com/countersign/countersign/release/v1";

/// Writes `statement.json` about all files that are there.
pub(crate) fn write(release: &Path, source: &Source) -> Result<()> {
    let digests = signature::digests(release)?;
    let subject = |(name, sha256)| json!({ "name": name, "digest": { "sha256": sha256 } });
    let subjects: Vec<Value> = digests.into_iter().map(subject).collect();
    let sum = fs::read_to_string(release.join("countersign.wasm.sha256"))?;
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "version": VERSION,
            "commit": source.commit,
            "uncommitted_changes": source.has_changes,
            "module_sha256": sum.split(' ').next(),
            "contract": "1",
            "interface": interface(release)?,
            "toolchain": {
                "rustc": said("rustc", &["--version"])?,
                "rustc_of_crates": crates::oldest_rust(),
                "node": said("node", &["--version"])?,
                "go": said("go", &["version"])?,
            },
            "built_on": format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
            "slsa": "none claimed",
            "publish_order": publish_order(release)?,
        },
    });
    put(
        &release.join("statement.json"),
        serde_json::to_string_pretty(&statement)? + "\n",
    )
}

/// What goes up first: whatever something else needs.
fn publish_order(release: &Path) -> Result<Value> {
    let crates: Vec<_> = crates::ORDER
        .iter()
        .map(|name| format!("crates/{name}-{VERSION}.crate"))
        .collect();
    Ok(json!([
        { "registry": "crates", "files": crates },
        { "registry": "npm", "files": [format!("npm/countersign-{VERSION}.tgz")] },
        { "registry": "python", "files": [python(release)?] },
        { "registry": "git tags", "files": go::tags() },
        { "registry": "containers", "files": [format!("oci/countersign-{VERSION}.oci.tar")] },
    ]))
}

/// Returns the package and version that the WIT says.
fn interface(release: &Path) -> Result<String> {
    let wit = fs::read_to_string(release.join("countersign.wit"))?;
    let package = wit.lines().find_map(|line| line.strip_prefix("package "));
    let package = package.context("the WIT names no package")?;
    Ok(package.trim_end_matches(';').to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    tools::output(
        Command::new(program)
            .current_dir(project::root())
            .args(arguments),
    )
}

/// Returns the name of the wheel, which says for which systems it is.
fn python(release: &Path) -> Result<String> {
    let digests = signature::digests(release)?;
    let wheel = digests
        .into_iter()
        .map(|(name, _)| name)
        .find(|name| name.ends_with(".whl"));
    wheel.context("there is no wheel")
}
