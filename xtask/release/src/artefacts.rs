//! What `cargo xtask build` and `package` have made, under the names of a
//! release.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xtask::{project, version::VERSION};

use crate::archive::{self, Entry};

pub(crate) fn write(release: &Path) -> Result<()> {
    for file in [
        "countersign.wasm",
        "countersign.wasm.sha256",
        "countersign.component.wasm",
        "NOTICES.txt",
    ] {
        copy(&dist().join(file), &release.join(file))?;
    }
    let wit = project::root().join("wit/countersign.wit");
    copy(&wit, &release.join("countersign.wit"))?;
    let npm = format!("countersign-{VERSION}.tgz");
    copy(&dist().join(&npm), &release.join("npm").join(&npm))?;
    let page = format!("inspector/countersign-inspector-{VERSION}.html");
    copy(&dist().join("inspector/index.html"), &release.join(page))?;
    let image = archive::tar(&archive::folder(&dist().join("oci"), "")?)?;
    put(
        &release.join(format!("oci/countersign-{VERSION}.oci.tar")),
        image,
    )?;
    let deploy = archive::tar_gz(&manifests()?)?;
    put(
        &release.join(format!("deploy/countersign-deploy-{VERSION}.tar.gz")),
        deploy,
    )
}

/// Returns the manifests with their digests, what explains them, and the
/// bootstrap to start from.
fn manifests() -> Result<Vec<Entry>> {
    let prefix = format!("countersign-deploy-{VERSION}/");
    let mut entries = archive::folder(&dist().join("deploy"), &prefix)?;
    for (source, name) in [
        ("deploy/README.md", "README.md"),
        ("envoy-filter/example.yaml", "envoy/example.yaml"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("LICENSE-MIT", "LICENSE-MIT"),
    ] {
        let content = fs::read(project::root().join(source))?;
        entries.push(Entry::new(format!("{prefix}{name}"), content));
    }
    Ok(entries)
}

/// Returns the notices of what is in the file.
pub(crate) fn notices() -> Result<String> {
    Ok(fs::read_to_string(dist().join("NOTICES.txt"))?)
}

pub(crate) fn dist() -> PathBuf {
    project::root().join("dist")
}

/// Copies a file into a folder, which is made if necessary.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    put(
        to,
        fs::read(from).with_context(|| format!("cannot read {}", from.display()))?,
    )
}

pub(crate) fn put(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
