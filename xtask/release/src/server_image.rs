//! The image of the decision server, as an OCI image layout: the static command, the
//! certificates of public issuers, and a user without rights. One manifest for each
//! processor.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;
use xtask::{
    archive::{self, Entry},
    build::report::digest,
    version::VERSION,
};

use crate::{files, program};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Where the command is in the image.
const PROGRAM: &str = "usr/local/bin/countersign";

/// The user of the manifests in `deploy/server/`.
const USER: &str = "65532:65532";
const PASSWD: &str = "countersign:x:65532:65532::/:/sbin/nologin\n";
const GROUP: &str = "countersign:x:65532:\n";

pub(crate) fn write(release: &Path, targets: &[&str]) -> Result<()> {
    let mut layout = Vec::new();
    let mut put = |media_type: &str, blob: Vec<u8>| {
        let descriptor = descriptor(media_type, &blob);
        let path = format!("blobs/sha256/{}", digest(&blob));
        layout.push(Entry::new(path, blob));
        descriptor
    };
    let mut manifests = Vec::new();
    for target in targets {
        let tar = archive::tar(&layer(release, target)?)?;
        let layer = put(LAYER, archive::gzip(&tar)?);
        let config = put(CONFIG, config(target, &tar)?.to_string().into_bytes());
        let manifest = json!({
            "annotations": {
                "org.opencontainers.image.licenses": "Apache-2.0 OR MIT",
                "org.opencontainers.image.title": "countersign-server",
                "org.opencontainers.image.version": VERSION,
            },
            "config": config,
            "layers": [layer],
            "mediaType": MANIFEST,
            "schemaVersion": 2,
        });
        let mut descriptor = put(MANIFEST, manifest.to_string().into_bytes());
        descriptor["platform"] = json!({ "architecture": architecture(target)?, "os": "linux" });
        manifests.push(descriptor);
    }
    let index = json!({ "manifests": manifests, "mediaType": INDEX, "schemaVersion": 2 });
    // An index of its own in the layout: the name means all processors.
    let mut named = put(INDEX, index.to_string().into_bytes());
    named["annotations"] = json!({ "org.opencontainers.image.ref.name": VERSION });
    let index = json!({ "manifests": [named], "mediaType": INDEX, "schemaVersion": 2 });
    layout.push(Entry::new("index.json", index.to_string()));
    layout.push(Entry::new(
        "oci-layout",
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    ));
    files::put(
        &release.join(format!("oci/countersign-server-{VERSION}.oci.tar")),
        archive::tar(&layout)?,
    )
}

/// What the archive of the command has, at the places of an image.
fn layer(release: &Path, target: &str) -> Result<Vec<Entry>> {
    let folder = program::name(target);
    let packed = fs::read(release.join(format!("bin/{folder}.tar.gz")))?;
    let mut entries = Vec::new();
    for entry in archive::read_tar(&archive::gunzip(&packed)?)? {
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let mut placed = match name {
            "countersign" => Entry::new(PROGRAM, entry.content),
            "README.md" => continue,
            notice => Entry::new(format!("usr/share/doc/countersign/{notice}"), entry.content),
        };
        placed.is_program = placed.path == PROGRAM;
        entries.push(placed);
    }
    entries.push(Entry::new("etc/group", GROUP));
    entries.push(Entry::new("etc/passwd", PASSWD));
    entries.push(Entry::new("etc/ssl/certs/ca-certificates.crt", roots()));
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

fn config(target: &str, tar: &[u8]) -> Result<Value> {
    Ok(json!({
        "architecture": architecture(target)?,
        "config": {
            "Cmd": ["serve", "--config", "/etc/countersign/server.yaml"],
            "Entrypoint": [format!("/{PROGRAM}")],
            "Env": ["PATH=/usr/local/bin"],
            "Labels": { "org.opencontainers.image.version": VERSION },
            "User": USER,
            "WorkingDir": "/",
        },
        "os": "linux",
        "rootfs": { "diff_ids": [format!("sha256:{}", digest(tar))], "type": "layers" },
    }))
}

/// Go's name of a processor, which images use.
fn architecture(target: &str) -> Result<&'static str> {
    match target.split('-').next() {
        Some("x86_64") => Ok("amd64"),
        Some("aarch64") => Ok("arm64"),
        _ => None.with_context(|| format!("{target} has no name in images")),
    }
}

/// The issuers that Mozilla trusts, in PEM.
fn roots() -> String {
    let mut pem = String::new();
    for root in TLS_SERVER_ROOT_CERTS {
        pem += "-----BEGIN CERTIFICATE-----\n";
        let text = BASE64_STANDARD.encode(root);
        for line in text.as_bytes().chunks(64) {
            pem += &String::from_utf8_lossy(line);
            pem.push('\n');
        }
        pem += "-----END CERTIFICATE-----\n";
    }
    pem
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({
        "digest": format!("sha256:{}", digest(blob)),
        "mediaType": media_type,
        "size": blob.len(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;
    use xtask::archive::{self, Entry};

    use super::{VERSION, digest, files, program, write};

    #[test]
    fn each_processor_has_its_program_the_roots_and_a_user() {
        let release = tempfile::tempdir().unwrap();
        for target in program::TARGETS {
            let folder = program::name(target);
            let mut command = Entry::new(format!("{folder}/countersign"), target);
            command.is_program = true;
            let entries = [
                command,
                Entry::new(format!("{folder}/NOTICES.txt"), "notices"),
                Entry::new(format!("{folder}/README.md"), "text"),
            ];
            let path = release.path().join(format!("bin/{folder}.tar.gz"));
            files::put(&path, archive::tar_gz(&entries).unwrap()).unwrap();
        }
        write(release.path(), &program::TARGETS).unwrap();

        let image = format!("oci/countersign-server-{VERSION}.oci.tar");
        let image = archive::read_tar(&std::fs::read(release.path().join(image)).unwrap()).unwrap();
        let blobs: BTreeMap<String, Vec<u8>> = image
            .into_iter()
            .map(|entry| (entry.path, entry.content))
            .collect();
        let blob = |descriptor: &Value| {
            let named = descriptor["digest"].as_str().unwrap();
            let named = named.strip_prefix("sha256:").unwrap();
            let blob = &blobs[&format!("blobs/sha256/{named}")];
            assert_eq!(
                (digest(blob).as_str(), &descriptor["size"]),
                (named, &blob.len().into())
            );
            blob.clone()
        };
        let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let index = json(&blob(&json(&blobs["index.json"])["manifests"][0]));
        let mut architectures = Vec::new();
        for (at, target) in program::TARGETS.into_iter().enumerate() {
            let descriptor = &index["manifests"][at];
            architectures.push(descriptor["platform"]["architecture"].clone());
            let manifest = json(&blob(descriptor));
            let config = json(&blob(&manifest["config"]));
            assert_eq!(config["config"]["User"], "65532:65532");
            let tar = archive::gunzip(&blob(&manifest["layers"][0])).unwrap();
            let diff = format!("sha256:{}", digest(&tar));
            assert_eq!(config["rootfs"]["diff_ids"][0], diff);
            let layer = archive::read_tar(&tar).unwrap();
            let names: Vec<_> = layer.iter().map(|entry| entry.path.as_str()).collect();
            let expected = [
                "etc/group",
                "etc/passwd",
                "etc/ssl/certs/ca-certificates.crt",
                "usr/local/bin/countersign",
                "usr/share/doc/countersign/NOTICES.txt",
            ];
            assert_eq!(names, expected);
            assert_eq!(layer[3].content, target.as_bytes());
            let roots = String::from_utf8_lossy(&layer[2].content).into_owned();
            assert!(roots.matches("BEGIN CERTIFICATE").count() > 50);
        }
        assert_eq!(architectures, ["amd64", "arm64"]);
    }
}
