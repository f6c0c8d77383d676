//! Tests of the OCI image layout.

use std::{collections::BTreeSet, fs, io::Read};

use countersign_artefact_tests::dist;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Returns the digest of the image's manifest, in hex.
pub(crate) fn digest() -> String {
    let index = json(&dist::read("oci/index.json"));
    let [image] = index["manifests"].as_array().unwrap().as_slice() else {
        panic!("there is one image: {index}");
    };
    blob_name(image)
}

#[test]
fn the_image_contains_the_module() {
    let manifest = json(&blob(&digest()));
    let [layer] = manifest["layers"].as_array().unwrap().as_slice() else {
        panic!("Istio takes an image of one layer: {manifest}");
    };
    let mut tar = Vec::new();
    GzDecoder::new(&blob(&blob_name(layer))[..])
        .read_to_end(&mut tar)
        .unwrap();
    let config = json(&blob(&blob_name(&manifest["config"])));
    assert_eq!(
        config["rootfs"]["diff_ids"][0],
        format!("sha256:{}", hex(&tar))
    );

    let mut archive = tar::Archive::new(&tar[..]);
    let mut files = archive.entries().unwrap().map(Result::unwrap);
    let mut file = files.next().unwrap();
    assert_eq!(file.path().unwrap().to_str(), Some("plugin.wasm"));
    let mut module = Vec::new();
    file.read_to_end(&mut module).unwrap();
    drop(file);
    assert!(files.next().is_none(), "nothing else is in the layer");
    assert_eq!(hex(&module), module_digest());
}

#[test]
fn it_has_the_layout_that_istio_and_envoy_gateway_expect() {
    let manifest = json(&blob(&digest()));
    // With Docker's media types they would expect another layout.
    assert_eq!(
        manifest["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    let layer = &manifest["layers"][0]["mediaType"];
    assert_eq!(layer, "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(
        manifest["annotations"]["module.wasm.image/variant"],
        "compat"
    );
    let layout = json(&dist::read("oci/oci-layout"));
    assert_eq!(layout["imageLayoutVersion"], "1.0.0");
}

#[test]
fn every_blob_has_its_digest_as_name_and_none_is_unused() {
    let image = digest();
    let manifest = json(&blob(&image));
    let layers = manifest["layers"].as_array().unwrap();
    let descriptors = layers.iter().chain([&manifest["config"]]);
    let mut expected = BTreeSet::from([image]);
    for descriptor in descriptors {
        let name = blob_name(descriptor);
        assert_eq!(descriptor["size"], blob(&name).len(), "{descriptor}");
        expected.insert(name);
    }
    let files = fs::read_dir(dist::path("oci/blobs/sha256")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), expected);
}

/// Returns the digest in `dist/countersign.wasm.sha256`.
pub(crate) fn module_digest() -> String {
    let line = String::from_utf8(dist::read("countersign.wasm.sha256")).unwrap();
    line.split(' ').next().unwrap().to_owned()
}

fn blob(name: &str) -> Vec<u8> {
    let blob = dist::read(&format!("oci/blobs/sha256/{name}"));
    assert_eq!(hex(&blob), name);
    blob
}

fn blob_name(descriptor: &Value) -> String {
    let digest = descriptor["digest"].as_str().unwrap();
    digest.strip_prefix("sha256:").unwrap().to_owned()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
