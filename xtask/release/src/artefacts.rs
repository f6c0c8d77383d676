//! What `cargo xtask build` and `package` have made, under the names of a
//! release.

use std::path::Path;

use anyhow::Result;
use xtask::{
    archive::{self, Entry},
    project,
    version::VERSION,
};

use crate::files::{self, copy, dist, put};

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
    entries.extend(files::entries(
        &prefix,
        &[
            ("deploy/README.md", "README.md"),
            ("envoy-filter/example.yaml", "envoy/example.yaml"),
        ],
    )?);
    Ok(entries)
}
