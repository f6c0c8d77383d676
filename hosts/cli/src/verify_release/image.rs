//! The image for Envoy's hosts, that of the decision server, and the manifests that name it.

use std::{collections::BTreeSet, io::Cursor};

use memchr::memmem;
use serde_json::Value;

use super::{
    archive::{self, Entries},
    content,
    path::file_name,
    statement::Facts,
    sums::is_hex,
};
use crate::sealed::sha256;

/// The command in the image of the decision server.
const PROGRAM: &str = "usr/local/bin/countersign";

/// An OCI image layout in a tar (OCI image specification, 1.1). Returns the SHA-256
/// of the manifest, which is the image's digest.
pub(super) fn oci(bytes: &[u8], facts: &Facts) -> Result<String, String> {
    let (entries, manifest) = layout(bytes)?;
    let (digest, bytes) = blob(&manifest, &entries)?;
    let manifest = json("the manifest", bytes)?;
    blob(&manifest["config"], &entries)?;
    let [layer] = manifest["layers"].as_array().map_or(&[][..], Vec::as_slice) else {
        return Err("the manifest does not name one layer".to_owned());
    };
    let (_, bytes) = blob(layer, &entries)?;
    let layer = archive::tar_gz(bytes).map_err(|problem| format!("its layer {problem}"))?;
    let plugin = layer.get("plugin.wasm").filter(|_| layer.len() == 1);
    let plugin = plugin.ok_or("its layer is not the one file `plugin.wasm`")?;
    content::module(plugin, facts).map_err(|problem| format!("`plugin.wasm` {problem}"))?;
    Ok(digest.to_owned())
}

/// The command in the image of each processor has the component in it.
pub(super) fn server(bytes: &[u8], component: Option<&[u8]>) -> Result<(), String> {
    let component = component.filter(|component| !component.is_empty());
    let component = component.ok_or("cannot be compared with the component")?;
    let (entries, index) = layout(bytes)?;
    let index = json("the index", blob(&index, &entries)?.1)?;
    let manifests = index["manifests"].as_array().map_or(&[][..], Vec::as_slice);
    if manifests.is_empty() {
        return Err("the index names no manifest".to_owned());
    }
    for manifest in manifests {
        let manifest = json("a manifest", blob(manifest, &entries)?.1)?;
        blob(&manifest["config"], &entries)?;
        let [layer] = manifest["layers"].as_array().map_or(&[][..], Vec::as_slice) else {
            return Err("a manifest does not name one layer".to_owned());
        };
        let (_, bytes) = blob(layer, &entries)?;
        let layer = archive::tar_gz(bytes).map_err(|problem| format!("a layer {problem}"))?;
        let program = layer.get(PROGRAM);
        let program = program.ok_or_else(|| format!("a layer does not contain `{PROGRAM}`"))?;
        if memmem::find(program, component).is_none() {
            return Err(format!(
                "`{PROGRAM}` does not contain countersign.component.wasm"
            ));
        }
    }
    Ok(())
}

/// The entries of a layout, whose blobs have the digests of their names, and the one
/// descriptor that it names.
fn layout(bytes: &[u8]) -> Result<(Entries, Value), String> {
    let entries = archive::tar(Cursor::new(bytes))?;
    for (path, blob) in &entries {
        let named = path.strip_prefix("blobs/sha256/");
        if named.is_some_and(|named| named != sha256(blob)) {
            return Err(format!("`{path}` has another digest than its name"));
        }
    }
    let index = entries
        .get("index.json")
        .ok_or("does not contain `index.json`")?;
    let mut index: Value = json("index.json", index)?;
    match index["manifests"].as_array_mut().map(std::mem::take) {
        Some(named) if named.len() == 1 => {
            let [named] = <[Value; 1]>::try_from(named).map_err(|_| String::new())?;
            Ok((entries, named))
        }
        _ => Err("`index.json` does not name one manifest".to_owned()),
    }
}

/// The blob that a descriptor names, with its digest and size.
fn blob<'a>(descriptor: &'a Value, entries: &'a Entries) -> Result<(&'a str, &'a [u8]), String> {
    let digest = descriptor["digest"]
        .as_str()
        .and_then(|it| it.strip_prefix("sha256:"));
    let digest = digest.ok_or("a descriptor has no digest of SHA-256")?;
    let blob = entries.get(&format!("blobs/sha256/{digest}"));
    let blob = blob.ok_or_else(|| format!("the blob {digest} is missing"))?;
    if descriptor["size"] != blob.len() {
        return Err(format!(
            "the blob {digest} has another size than its descriptor"
        ));
    }
    Ok((digest, blob))
}

fn json(what: &str, bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|_| format!("{what} is not JSON"))
}

/// Manifests of the cluster: they name the image and the module by their digests,
/// and nothing else by a digest.
pub(super) fn deploy(
    bytes: &[u8],
    image: Option<&str>,
    facts: &Facts,
) -> Result<Vec<String>, String> {
    let entries = archive::tar_gz(bytes)?;
    let mut problems = content::archive(&entries, facts);
    let mut named = BTreeSet::new();
    let manifests = entries.iter().filter(|(path, _)| {
        let name = file_name(path);
        name.ends_with(".yaml") || name.ends_with(".json")
    });
    for (path, bytes) in manifests {
        let text = String::from_utf8_lossy(bytes);
        if text.contains("_SHA256") {
            problems.push(format!("`{path}` has a placeholder for a digest"));
        }
        let words = text.split(|char: char| !char.is_ascii_alphanumeric());
        for digest in words.filter(|word| is_hex(word, 64)) {
            if digest != facts.module_sha256 && image.is_some_and(|image| image != digest) {
                problems.push(format!("`{path}` names another digest: {digest}"));
            }
            named.insert(digest.to_owned());
        }
    }
    let module = Some(&*facts.module_sha256);
    for (what, digest) in [("image", image), ("module", module)] {
        match digest {
            Some(digest) if named.contains(digest) => {}
            Some(_) => problems.push(format!("does not name the digest of the {what}")),
            None => problems.push(format!("cannot be compared with the {what}")),
        }
    }
    Ok(problems)
}
