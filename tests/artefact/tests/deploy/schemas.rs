//! Validates the manifests against the published schemas of their kinds.

use std::{collections::BTreeMap, env, fs};

use boon::{Compiler, Schemas};
use countersign_artefact_tests::{dist, yaml};
use serde_json::{Value, json};

use crate::manifests;

/// The folder of the schemas beside the repository, if it exists.
const FOLDER: &str = "../shared/schemas";
const FILES: [&str; 3] = [
    "istio-crds.yaml",
    "envoy-gateway-envoyextensionpolicies.yaml",
    "envoy-gateway-securitypolicies.yaml",
];
/// Kinds without a schema in the folder.
const WITHOUT_SCHEMA: [&str; 3] = ["ClientTrafficPolicy", "DestinationRule", "EnvoyProxy"];

#[test]
fn every_manifest_satisfies_its_schema() {
    let Some(schemas) = published() else {
        return;
    };
    let mut without = Vec::new();
    for (file, manifest) in manifests::all() {
        let kind = manifest["kind"].as_str().unwrap().to_owned();
        let key = (
            kind.clone(),
            manifest["apiVersion"].as_str().unwrap().to_owned(),
        );
        match schemas.get(&key) {
            Some(schema) => {
                let fault = fault(schema, &manifest);
                assert!(
                    fault.is_none(),
                    "{file}: {kind}: {}",
                    fault.unwrap_or_default()
                );
            }
            None => without.push(kind),
        }
    }
    without.sort();
    assert_eq!(without, WITHOUT_SCHEMA);
}

#[test]
fn a_misspelled_member_is_refused() {
    let Some(schemas) = published() else {
        return;
    };
    let plugin = &yaml::read("istio/wasmplugin.yaml")[0];
    let key = (
        "WasmPlugin".to_owned(),
        "extensions.istio.io/v1alpha1".to_owned(),
    );
    let schema = &schemas[&key];
    assert_eq!(fault(schema, plugin), None);
    for (member, value) in [
        ("failStrategy", json!("FAIL_CLOSED")),
        ("fail_strategy", json!("FAIL_CLOSE")),
        ("sha256", json!("IMAGE_SHA256")),
    ] {
        let mut wrong = plugin.clone();
        wrong["spec"][member] = value;
        assert!(fault(schema, &wrong).is_some(), "{member}");
    }
}

pub(crate) fn fault(schema: &Value, manifest: &Value) -> Option<String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("mem:schema", schema.clone()).unwrap();
    let index = compiler.compile("mem:schema", &mut schemas).unwrap();
    let judged = schemas.validate(manifest, index);
    judged.err().map(|error| error.to_string())
}

/// Returns the schemas by kind and `apiVersion`.
pub(crate) fn published() -> Option<BTreeMap<(String, String), Value>> {
    let folder = dist::root().join(FOLDER);
    if !folder.exists() {
        assert!(
            env::var_os("CI").is_none(),
            "{} is not there",
            folder.display()
        );
        println!("skipped: the published schemas are not in `{FOLDER}`");
        return None;
    }
    let mut schemas = BTreeMap::new();
    for file in FILES {
        for mut definition in yaml::parse(&fs::read_to_string(folder.join(file)).unwrap()) {
            let kind = definition["spec"]["names"]["kind"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let group = definition["spec"]["group"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let Some(versions) = definition["spec"]["versions"].as_array_mut() else {
                continue;
            };
            for version in versions {
                let mut schema = version["schema"]["openAPIV3Schema"].take();
                for member in ["apiVersion", "kind", "metadata"] {
                    // Every resource has these members; Kubernetes validates
                    // them itself.
                    schema["properties"][member] = json!({});
                }
                close(&mut schema);
                let name = version["name"].as_str().unwrap();
                schemas.insert((kind.clone(), format!("{group}/{name}")), schema);
            }
        }
    }
    Some(schemas)
}

/// Refuses unknown members, which a cluster would drop.
fn close(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    let is_open = members.contains_key("additionalProperties")
        || members.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if let Some(properties) = members.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
        if !is_open {
            members.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    if let Some(items) = members.get_mut("items") {
        close(items);
    }
}
