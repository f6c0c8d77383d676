//! Writes the module as an OCI image layout for Istio and Envoy Gateway.
//!
//! It is the variant of Wasm images that both try first: an image of the usual
//! media types with one layer, a gzipped tar with `plugin.wasm`. It works with
//! any registry and any tool.

use std::{fs, path::Path};

use anyhow::Result;
use serde_json::{Value, json};

use super::report::digest;
use crate::{
    archive::{self, Entry},
    version::VERSION,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Writes the layout and returns the digest of the image's manifest, by which
/// an image is pinned.
pub(super) fn write(folder: &Path, file: &[u8]) -> Result<String> {
    // Without times and owners: the same module gives the same image.
    let tar = archive::tar(&[Entry::new("plugin.wasm", file)])?;
    let layer = archive::gzip(&tar)?;
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
