//! Tests of the manifests.

use std::{env, ffi::OsStr, fs, path::Path, process::Command};

use countersign_artefact_tests::{dist, yaml};
use serde_json::{Value, json};

use crate::image;

const FILES: [&str; 7] = [
    "istio/trafficextension.yaml",
    "istio/wasmplugin.yaml",
    "istio/issuer.yaml",
    "istio/connections.yaml",
    "envoy-gateway/extension.yaml",
    "envoy-gateway/issuer.yaml",
    "envoy-gateway/connections.yaml",
];
const BOOTSTRAP: &str = "envoy/bootstrap.yaml";

/// Returns every manifest with its file.
pub(crate) fn all() -> Vec<(&'static str, Value)> {
    let read = |file| {
        yaml::read(file)
            .into_iter()
            .map(move |manifest| (file, manifest))
    };
    FILES.into_iter().flat_map(read).collect()
}

#[test]
fn they_pin_the_built_image_and_name_the_module_in_it() {
    let (image, module) = (image::digest(), image::module_digest());
    let mut pinned = 0;
    for (file, manifest) in all() {
        let code = match manifest["kind"].as_str().unwrap() {
            "TrafficExtension" => &manifest["spec"]["wasm"],
            "WasmPlugin" => &manifest["spec"],
            "EnvoyExtensionPolicy" => &manifest["spec"]["wasm"][0]["code"]["image"],
            _ => continue,
        };
        pinned += 1;
        assert_eq!(code["sha256"], image, "{file}");
        let url = code["url"].as_str().unwrap();
        assert!(
            url.ends_with(&format!("/countersign@sha256:{image}")),
            "{file}: {url}"
        );
        let text = String::from_utf8(dist::read(&format!("deploy/{file}"))).unwrap();
        assert!(text.contains(&module), "{file}");
    }
    assert_eq!(pinned, 3);
}

#[test]
fn every_template_is_filled() {
    let mut templates = 0;
    for folder in ["istio", "envoy-gateway", "envoy"] {
        for entry in fs::read_dir(dist::root().join("deploy").join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let built = dist::read(&format!("deploy/{folder}/{name}"));
            assert!(
                !String::from_utf8(built).unwrap().contains("_SHA256"),
                "{name}"
            );
            let file = format!("{folder}/{name}");
            assert!(
                file == BOOTSTRAP || FILES.contains(&&*file),
                "{file} is not tested"
            );
            templates += 1;
        }
    }
    assert_eq!(templates, FILES.len() + 1);
}

#[test]
fn without_the_module_no_request_passes_and_a_crashed_one_restarts() {
    for (file, manifest) in all() {
        let spec = &manifest["spec"];
        match manifest["kind"].as_str().unwrap() {
            "TrafficExtension" => {
                assert_eq!(spec["wasm"]["failStrategy"], "FAIL_RELOAD", "{file}");
                assert_eq!(spec["phase"], "AUTHN", "{file}");
            }
            "WasmPlugin" => {
                assert_eq!(spec["failStrategy"], "FAIL_RELOAD", "{file}");
                assert_eq!(spec["phase"], "AUTHN", "{file}");
            }
            "EnvoyExtensionPolicy" => assert_eq!(spec["wasm"][0]["failOpen"], false, "{file}"),
            _ => {}
        }
    }
}

#[test]
fn requests_with_two_readings_are_refused_before_the_filter() {
    let manager = |file: &str, pointer: &str| {
        let manifest = yaml::read(file).remove(0);
        manifest.pointer(pointer).cloned().unwrap()
    };
    let chain = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    for manager in [
        manager(BOOTSTRAP, chain),
        manager(
            "istio/connections.yaml",
            "/spec/configPatches/0/patch/value/typed_config",
        ),
    ] {
        assert_eq!(
            manager["common_http_protocol_options"]["headers_with_underscores_action"],
            "REJECT_REQUEST"
        );
        assert_eq!(
            manager["path_with_escaped_slashes_action"],
            "REJECT_REQUEST"
        );
        assert_eq!(manager["normalize_path"], true);
        assert_eq!(manager["merge_slashes"], true);
    }
    let gateway = manager("envoy-gateway/connections.yaml", "/spec");
    assert_eq!(gateway["headers"]["withUnderscoresAction"], "RejectRequest");
    assert_eq!(gateway["path"]["escapedSlashesAction"], "RejectRequest");
}

#[test]
fn the_cluster_for_an_issuers_documents_exists() {
    for (file, _, configuration) in configurations() {
        let cluster = &configuration["envoy"]["clusters"]["auth.example.com"];
        let folder = file.split_once('/').unwrap().0;
        assert!(
            clusters(folder).iter().any(|name| cluster == name),
            "{file}: {cluster}"
        );
    }
}

/// Returns the configurations of the filter: file, kind and configuration.
fn configurations() -> Vec<(&'static str, String, Value)> {
    let mut configurations = Vec::new();
    for (file, manifest) in all() {
        let kind = manifest["kind"].as_str().unwrap();
        let configuration = match kind {
            "TrafficExtension" => &manifest["spec"]["wasm"]["pluginConfig"],
            "WasmPlugin" => &manifest["spec"]["pluginConfig"],
            "EnvoyExtensionPolicy" => &manifest["spec"]["wasm"][0]["config"],
            _ => continue,
        };
        configurations.push((file, kind.to_owned(), configuration.clone()));
    }
    assert_eq!(configurations.len(), 3);
    configurations
}

/// Returns the clusters that the manifests of a folder define.
fn clusters(folder: &str) -> Vec<String> {
    let mut clusters = Vec::new();
    for (_, manifest) in all().iter().filter(|(file, _)| file.starts_with(folder)) {
        match manifest["kind"].as_str().unwrap() {
            // Istio's name for the cluster of a host and port.
            "ServiceEntry" => clusters.push(format!(
                "outbound|{}||{}",
                manifest["spec"]["ports"][0]["number"],
                manifest["spec"]["hosts"][0].as_str().unwrap()
            )),
            "EnvoyProxy" => {
                clusters.push(cluster_of(manifest)["name"].as_str().unwrap().to_owned())
            }
            _ => {}
        }
    }
    clusters
}

fn cluster_of(proxy: &Value) -> Value {
    let bootstrap = proxy["spec"]["bootstrap"]["value"].as_str().unwrap();
    yaml::parse(bootstrap)[0]["static_resources"]["clusters"][0].clone()
}

#[test]
fn envoy_accepts_the_bootstrap_the_cluster_and_every_configuration_of_the_filter() {
    let Some(envoy) = env::var_os("COUNTERSIGN_ENVOY") else {
        assert!(env::var_os("CI").is_none(), "COUNTERSIGN_ENVOY is not set");
        println!("skipped: COUNTERSIGN_ENVOY is not set; `cargo xtask test` installs Envoy");
        return;
    };
    let mut bootstrap = yaml::read(BOOTSTRAP).remove(0);
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let filter = format!("{manager}/http_filters/0/typed_config/config");
    let filter = bootstrap.pointer(&filter).unwrap().clone();
    let with = |configuration: Option<&Value>| {
        let mut filter = filter.clone();
        filter["vm_config"]["code"]["local"]["filename"] = json!(dist::path("countersign.wasm"));
        if let Some(configuration) = configuration {
            filter["configuration"]["value"] = configuration.clone();
        }
        filter
    };
    let mut put = |filter| {
        let place = format!("{manager}/http_filters/0/typed_config/config");
        *bootstrap.pointer_mut(&place).unwrap() = filter;
        bootstrap.to_string()
    };
    let proxy = &yaml::read("envoy-gateway/issuer.yaml")[0];
    let merged = proxy["spec"]["bootstrap"]["value"].as_str().unwrap();
    let mut all = vec![
        ("bootstrap".to_owned(), put(with(None))),
        ("EnvoyProxy".to_owned(), merged.to_owned()),
    ];
    for (_, kind, configuration) in configurations() {
        all.push((kind, put(with(Some(&configuration)))));
    }
    for (name, text) in all {
        let (is_accepted, log) = validate(&envoy, &name, &text);
        assert!(is_accepted, "{name}:\n{log}");
    }
    // Envoy also validates the policy.
    let (is_accepted, _) = validate(
        &envoy,
        "broken",
        &put(with(Some(&json!({ "contract": "1" })))),
    );
    assert!(!is_accepted);
}

fn validate(envoy: &OsStr, name: &str, bootstrap: &str) -> (bool, String) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.yaml"));
    fs::write(&file, bootstrap).unwrap();
    let output = Command::new(envoy)
        .args(["--mode", "validate", "--config-path"])
        .arg(&file)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), log)
}
