//! Builds a small release, signs it, and sees what is wrong with it.

use std::{collections::BTreeMap, fs, path::Path, sync::OnceLock};

use countersign_artefact_tests::dist;
use minisign::KeyPair;
use serde_json::json;

use crate::{
    common::{Folder, Run},
    parts::{deploy, image, npm, page, server_image, sha256, sum, tar_gz, wheel, zip},
};

pub const VERSION: &str = "0.1.0";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const GO: &str = "github.com/countersign/countersign/hosts/go";

pub const WHEEL: &str = "python/countersign_gate-0.1.0-cp310-abi3-manylinux_2_28_x86_64.whl";
pub const NPM: &str = "npm/countersign-0.1.0.tgz";
pub const CRATE: &str = "crates/countersign-host-0.1.0.crate";
pub const IMAGE: &str = "oci/countersign-0.1.0.oci.tar";
pub const SERVER_IMAGE: &str = "oci/countersign-server-0.1.0.oci.tar";
pub const PROGRAM: &str = "bin/countersign-0.1.0-x86_64-unknown-linux-musl.tar.gz";
pub const DEPLOY: &str = "deploy/countersign-deploy-0.1.0.tar.gz";
pub const PAGE: &str = "inspector/countersign-inspector-0.1.0.html";

/// Files by path. What is changed here is signed when it is written.
#[derive(Clone)]
pub struct Release {
    pub files: BTreeMap<String, Vec<u8>>,
    /// What the statement and the signature's comment say.
    pub version: String,
}

/// The key of the release, and one of somebody else.
pub fn keys() -> &'static [KeyPair; 2] {
    static KEYS: OnceLock<[KeyPair; 2]> = OnceLock::new();
    KEYS.get_or_init(|| [(); 2].map(|()| KeyPair::generate_unencrypted_keypair().unwrap()))
}

pub fn go(end: &str) -> String {
    format!("go/{GO}/@v/{end}")
}

impl Release {
    /// A good one.
    pub fn new() -> Self {
        static RELEASE: OnceLock<Release> = OnceLock::new();
        RELEASE.get_or_init(Self::build).clone()
    }

    fn build() -> Self {
        let module = dist::read("countersign.wasm");
        let component = dist::read("countersign.component.wasm");
        let wit = fs::read(dist::root().join("wit/countersign.wit")).unwrap();
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut put = |path: &str, bytes: Vec<u8>| files.insert(path.to_owned(), bytes);
        put("countersign.wasm", module.clone());
        put("countersign.wasm.sha256", sum(&module));
        put("countersign.component.wasm", component.clone());
        put("countersign.wit", wit);
        put("NOTICES.txt", b"notices\n".to_vec());
        for name in [
            "countersign",
            "countersign-cli",
            "countersign-dev-issuer",
            "countersign-importer",
            "countersign-init",
            "countersign-kernel",
            "countersign-policy-source",
            "countersign-proxy-config",
            "countersign-regions",
            "countersign-server",
        ] {
            let manifest = format!("{name}-{VERSION}/Cargo.toml");
            put(
                &format!("crates/{name}-{VERSION}.crate"),
                tar_gz(&vec![(&manifest, b"[package]".to_vec())]),
            );
        }
        put(
            CRATE,
            tar_gz(&vec![
                ("countersign-host-0.1.0/Cargo.toml", b"[package]".to_vec()),
                (
                    "countersign-host-0.1.0/module/countersign.component.wasm",
                    component.clone(),
                ),
                (
                    "countersign-host-0.1.0/module/countersign.wasm.sha256",
                    sum(&module),
                ),
            ]),
        );
        put(NPM, tar_gz(&npm(&module)));
        put(WHEEL, zip(&wheel(&component)));
        put("go/tags.bundle", b"# v2 git bundle\n".to_vec());
        for (path, with_module) in [
            (GO.to_owned(), true),
            (format!("{GO}/yaml"), false),
            (format!("{GO}/redis"), false),
            (format!("{GO}/grpc"), false),
            (format!("{GO}/otel"), false),
        ] {
            let go_mod = format!("module {path}\n\ngo 1.25.0\n").into_bytes();
            let inside = [
                "go.mod",
                "LICENSE-MIT",
                "countersign/countersign.wasm",
                "countersign/countersign.wasm.sha256",
            ];
            let inside = inside.map(|file| format!("{path}@v{VERSION}/{file}"));
            let mut contents = vec![
                (&*inside[0], go_mod.clone()),
                (&*inside[1], b"licence".to_vec()),
            ];
            if with_module {
                contents.extend([(&*inside[2], module.clone()), (&*inside[3], sum(&module))]);
            }
            let at = format!("go/{path}/@v");
            put(&format!("{at}/list"), b"v0.1.0\n".to_vec());
            put(
                &format!("{at}/v0.1.0.info"),
                br#"{"Version":"v0.1.0"}"#.to_vec(),
            );
            put(&format!("{at}/v0.1.0.mod"), go_mod);
            put(&format!("{at}/v0.1.0.zip"), zip(&contents));
        }
        let (image, manifest) = image(&module);
        put(IMAGE, image);
        put(DEPLOY, deploy(&manifest, &sha256(&module)));
        let program = [b"before", &*component, b"after"].concat();
        put(SERVER_IMAGE, server_image(&program));
        put(
            PROGRAM,
            tar_gz(&vec![("countersign-0.1.0/countersign", program)]),
        );
        put(PAGE, page(&module));
        let list = json!({ "bomFormat": "CycloneDX", "components": [
            { "name": "countersign.wasm", "hashes": [{ "alg": "SHA-256", "content": sha256(&module) }] }] });
        let packages: Vec<_> = files.keys().filter_map(|path| sbom(path)).collect();
        for path in packages {
            files.insert(path, list.to_string().into_bytes());
        }
        Self {
            files,
            version: VERSION.to_owned(),
        }
    }

    pub fn put(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), bytes.into());
        self
    }

    pub fn without(mut self, path: &str) -> Self {
        self.files.remove(path).expect("it was there");
        self
    }

    pub fn statement(&self) -> serde_json::Value {
        let subjects = self
            .files
            .iter()
            .map(|(path, bytes)| json!({ "name": path, "digest": { "sha256": sha256(bytes) } }));
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subjects.collect::<Vec<_>>(),
            "predicateType": "https://github.com/countersign/countersign/release/v1",
            "predicate": {
                "version": self.version, "commit": COMMIT, "contract": "1", "interface": "countersign:gate@0.1.0",
                "module_sha256": sha256(&dist::read("countersign.wasm")),
            },
        })
    }

    /// Writes it as a whole release, signed.
    pub fn write(&self) -> Written {
        self.write_with(&self.statement())
    }

    pub fn write_with(&self, statement: &serde_json::Value) -> Written {
        let written = Written {
            folder: Folder::new(),
        };
        for (path, bytes) in &self.files {
            written.put(path, bytes);
        }
        written.put("statement.json", statement.to_string().as_bytes());
        let mut all = self.files.clone();
        all.insert(
            "statement.json".to_owned(),
            statement.to_string().into_bytes(),
        );
        let sums: String = all
            .iter()
            .map(|(path, bytes)| format!("{}  {path}\n", sha256(bytes)))
            .collect();
        written.sign(
            &sums,
            &format!("countersign {} commit {COMMIT}", self.version),
            &keys()[0],
        );
        written
    }
}

fn sbom(path: &str) -> Option<String> {
    let name = match path.split_once('/') {
        None => (path == "countersign.wasm").then_some(path.to_owned()),
        Some(("deploy", _)) => None,
        Some(("go", rest)) => rest.ends_with(".zip").then(|| {
            let which = ["grpc", "otel", "redis", "yaml"]
                .into_iter()
                .find(|name| rest.contains(&format!("/{name}/")));
            let which = which.map(|name| format!("-{name}")).unwrap_or_default();
            format!("hosts-go{which}-v0.1.0.zip")
        }),
        Some((_, name)) => Some(name.to_owned()),
    };
    Some(format!("sbom/{}.cdx.json", name?))
}

/// A release in a folder, in which files can be broken.
pub struct Written {
    folder: Folder,
}

impl Written {
    pub fn path(&self) -> &Path {
        &self.folder.path
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path().join(path)).unwrap()
    }

    pub fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn sign(&self, sums: &str, comment: &str, keys: &KeyPair) {
        let signature =
            minisign::sign(None, &keys.sk, sums.as_bytes(), Some(comment), None).unwrap();
        self.put("SHA256SUMS", sums.as_bytes());
        self.put("SHA256SUMS.minisig", signature.into_string().as_bytes());
    }

    pub fn verify(&self, arguments: &str) -> Run {
        let key = keys()[0].pk.to_base64();
        self.folder
            .run(&format!("verify-release . --public-key {key} {arguments}"))
    }

    /// It is not verified, for exactly these problems.
    #[track_caller]
    pub fn is_refused_for(&self, problems: &[(&str, &str)]) {
        let answer = self.verify("--json").expect(1).json();
        assert_eq!(answer["verified"], false);
        let mut found = Vec::new();
        for file in answer["files"].as_array().unwrap() {
            for problem in file["problems"].as_array().unwrap() {
                found.push((file["file"].as_str().unwrap(), problem.as_str().unwrap()));
            }
        }
        let fits = found.len() == problems.len()
            && problems.iter().all(|(file, text)| {
                found
                    .iter()
                    .any(|(in_file, problem)| in_file == file && problem.contains(text))
            });
        assert!(fits, "wanted {problems:#?}, found {found:#?}");
    }
}
