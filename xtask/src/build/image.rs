//! Writes the module as an OCI image layout for Istio and Envoy Gateway.
//!
//! It is the variant of Wasm images that both try first: an image of the usual
//! media types with one layer, a gzipped tar with `plugin.wasm`. It works with
//! any registry and any tool.

use std::{fs, io::Write, path::Path};

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use super::report::digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The image's tag in the layout.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes the layout and returns the digest of the image's manifest, by which
/// an image is pinned.
pub(super) fn write(folder: &Path, file: &[u8]) -> Result<String> {
    let tar = tar(file)?;
    let layer = gzip(&tar)?;
    // The members are in alphabetical order, so that the bytes do not depend on
    // the map type of `serde_json`.
    let config = json!({
        "architecture": "wasm",
        "config": {},
        "os": "unknown",
        "rootfs": { "diff_ids": [format!("sha256:{}", digest(&tar))], "type": "layers" },
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "annotations": {
            "module.wasm.image/variant": "compat",
            "org.opencontainers.image.title": "countersign",
            "org.opencontainers.image.version": VERSION,
        },
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
        "mediaType": MANIFEST,
        "schemaVersion": 2,
    });
    let manifest = manifest.to_string().into_bytes();
    let index = json!({
        "manifests": [{
            "annotations": { "org.opencontainers.image.ref.name": VERSION },
            "digest": format!("sha256:{}", digest(&manifest)),
            "mediaType": MANIFEST,
            "size": manifest.len(),
        }],
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "schemaVersion": 2,
    });

    // Blobs of earlier builds would be pushed too.
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    for blob in [&layer, &config, &manifest] {
        fs::write(blobs.join(digest(blob)), blob)?;
    }
    fs::write(folder.join("index.json"), index.to_string())?;
    fs::write(
        folder.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )?;
    Ok(digest(&manifest))
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({
        "digest": format!("sha256:{}", digest(blob)),
        "mediaType": media_type,
        "size": blob.len(),
    })
}

/// Makes a tar without times and owners, so that the same module gives the same
/// image.
fn tar(file: &[u8]) -> Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(file.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, "plugin.wasm", file)?;
    Ok(archive.into_inner()?)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
