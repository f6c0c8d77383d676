//! What the manifests of `deploy/server/` configure is good.

use countersign_policy_source::Source;
use countersign_server::Config;
use serde_json::Value;

#[test]
fn the_configurations_and_policies_of_the_manifests_are_good() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/server");
    for file in ["server.yaml", "sidecar.yaml"] {
        let bytes = std::fs::read(format!("{folder}/{file}")).unwrap();
        let documents = Source::parse_foreign(file, bytes).unwrap();
        let documents = documents
            .iter()
            .map(|document| serde_json::from_slice(&document.json).unwrap());
        let configs: Vec<Value> = documents
            .filter(|document: &Value| document["kind"] == "ConfigMap")
            .collect();
        assert_eq!(configs.len(), 1, "{file}");
        let text = |name: &str| {
            configs[0]["data"][name]
                .as_str()
                .unwrap()
                .as_bytes()
                .to_vec()
        };
        Config::parse(file, text("server.yaml")).unwrap_or_else(|error| panic!("{error}"));
        let problems = Source::parse("policy.yaml", text("policy.yaml"))
            .unwrap()
            .lint();
        assert!(problems.is_empty(), "{file}: {problems:?}");
    }
}
