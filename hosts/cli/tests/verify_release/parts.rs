//! Artefacts with the real module, and of each package only what is checked.

use std::io::{Cursor, Write};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_artefact_tests::dist;
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Files of an archive, in their order.
pub type Contents<'a> = Vec<(&'a str, Vec<u8>)>;

pub fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The module with one byte more: another module that is as well-formed, and has
/// the same interface.
pub fn another_module() -> Vec<u8> {
    // A custom section of an empty name.
    [dist::read("countersign.wasm"), vec![0, 1, 0]].concat()
}

pub fn tar(contents: &Contents<'_>) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in contents {
        let mut header = tar::Header::new_ustar();
        // By hand: the library refuses the paths that some tests want.
        header.as_mut_bytes()[..path.len().min(100)]
            .copy_from_slice(&path.as_bytes()[..path.len().min(100)]);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, &**bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

pub fn tar_gz(contents: &Contents<'_>) -> Vec<u8> {
    gzip(&tar(contents))
}

pub fn zip(contents: &Contents<'_>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (path, bytes) in contents {
        zip.start_file(*path, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub fn npm(module: &[u8]) -> Contents<'static> {
    let base64 = STANDARD.encode(module);
    vec![
        (
            "package/package.json",
            br#"{"name":"countersign","version":"0.1.0"}"#.to_vec(),
        ),
        ("package/countersign.wasm", module.to_vec()),
        ("package/countersign.wasm.sha256", sum(module)),
        (
            "package/esm/inlined.js",
            format!("export const base64 = \"{base64}\";").into(),
        ),
    ]
}

/// A wheel whose native part has this component in it.
pub fn wheel(component: &[u8]) -> Contents<'static> {
    vec![
        (
            "countersign_gate-0.1.0.dist-info/METADATA",
            b"Name: countersign-gate".to_vec(),
        ),
        ("countersign/__init__.py", Vec::new()),
        (
            "countersign/_native.abi3.so",
            [b"before", component, b"after"].concat(),
        ),
    ]
}

/// A layout of an image with that module; returns the digest of its manifest too.
pub fn image(module: &[u8]) -> (Vec<u8>, String) {
    let layer = tar_gz(&vec![("plugin.wasm", module.to_vec())]);
    let described = |bytes: &[u8]| json!({ "digest": format!("sha256:{}", sha256(bytes)), "size": bytes.len() });
    let config = b"{}".to_vec();
    let manifest = json!({ "config": described(&config), "layers": [described(&layer)] });
    let manifest = manifest.to_string().into_bytes();
    let index = json!({ "manifests": [described(&manifest)] }).to_string();
    let digest = sha256(&manifest);
    let blobs =
        [config, layer, manifest].map(|bytes| (format!("blobs/sha256/{}", sha256(&bytes)), bytes));
    let mut contents = vec![("index.json", index.into_bytes())];
    contents.extend(blobs.iter().map(|(path, bytes)| (&**path, bytes.clone())));
    (tar(&contents), digest)
}

/// A layout of the decision server's image, with this command.
pub fn server_image(program: &[u8]) -> Vec<u8> {
    let layer = tar_gz(&vec![("usr/local/bin/countersign", program.to_vec())]);
    let described = |bytes: &[u8]| json!({ "digest": format!("sha256:{}", sha256(bytes)), "size": bytes.len() });
    let config = b"{}".to_vec();
    let manifest = json!({ "config": described(&config), "layers": [described(&layer)] });
    let manifest = manifest.to_string().into_bytes();
    let inner = json!({ "manifests": [described(&manifest)] })
        .to_string()
        .into_bytes();
    let index = json!({ "manifests": [described(&inner)] }).to_string();
    let blobs = [config, layer, manifest, inner]
        .map(|bytes| (format!("blobs/sha256/{}", sha256(&bytes)), bytes));
    let mut contents = vec![("index.json", index.into_bytes())];
    contents.extend(blobs.iter().map(|(path, bytes)| (&**path, bytes.clone())));
    tar(&contents)
}

pub fn sum(module: &[u8]) -> Vec<u8> {
    format!("{}  countersign.wasm\n", sha256(module)).into()
}

pub fn page(module: &[u8]) -> Vec<u8> {
    let (sha256, base64) = (sha256(module), STANDARD.encode(module));
    format!("<meta name=\"countersign-sha256\" content=\"{sha256}\"><script>\"{base64}\"</script>")
        .into()
}

pub fn deploy(image: &str, module: &str) -> Vec<u8> {
    let text = format!("url: oci://x/countersign@sha256:{image}\nsha256: {image}\n# {module}\n");
    tar_gz(&vec![("istio/wasmplugin.yaml", text.into_bytes())])
}
