//! The filter out of its image, in the oldest Envoy, with the example that is
//! beside the manifests.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;
use xtask::{archive, tools, version::VERSION};

use super::{Issuer, Process, http};

pub(crate) fn installed(release: &Path, issuer: &Issuer) -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("countersign.wasm"), module(release)?)?;
    let manifests = release.join(format!("deploy/countersign-deploy-{VERSION}.tar.gz"));
    archive::unpack(&manifests, folder.path())?;
    let example = fs::read_to_string(folder.path().join("envoy/example.yaml"))?;
    let port = http::free_port()?;
    let example = issuer
        .replaced(&example)
        .replace("port_value: 10000", &format!("port_value: {port}"))
        .replace("port_value: 9901", "port_value: 0");
    fs::write(folder.path().join("example.yaml"), example)?;
    let envoy = tools::oldest_envoy()?;
    let log = fs::File::create(folder.path().join("log"))?;
    let process = Command::new(&envoy)
        .current_dir(folder.path())
        .args([
            "-c",
            "example.yaml",
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
        ])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", envoy.display()))?;
    let _process = Process(process);
    http::decides(port, &issuer.token("acme")?, "you may pass")
        .with_context(|| fs::read_to_string(folder.path().join("log")).unwrap_or_default())
}

/// Returns `plugin.wasm` of the image, as an agent that pulls it would.
fn module(release: &Path) -> Result<Vec<u8>> {
    let image = release.join(format!("oci/countersign-{VERSION}.oci.tar"));
    let files = archive::read_tar(&fs::read(image)?)?;
    let file = |path: &str| {
        let entry = files.iter().find(|entry| entry.path == path);
        entry
            .map(|entry| &entry.content)
            .with_context(|| format!("the image has no {path}"))
    };
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().context("no digest")?;
        file(&format!("blobs/{}", digest.replace(':', "/")))
    };
    let index: Value = serde_json::from_slice(file("index.json")?)?;
    let manifest: Value = serde_json::from_slice(blob(&index["manifests"][0])?)?;
    let layer = blob(&manifest["layers"][0])?;
    let files = archive::read_tar(&archive::gunzip(layer)?)?;
    let plugin = files.into_iter().find(|entry| entry.path == "plugin.wasm");
    Ok(plugin.context("the layer has no plugin.wasm")?.content)
}
