//! The manifests and the unit of the decision server.

use std::{env, fs, path::PathBuf, process::Command};

use countersign_artefact_tests::{dist, yaml};
use serde_json::Value;

const FILES: [&str; 2] = ["server.yaml", "sidecar.yaml"];

/// The oldest version for which they are, and the newest that the validator knows.
const VERSIONS: [&str; 2] = ["1.33", "1.37"];

fn folder() -> PathBuf {
    dist::root().join("deploy/server")
}

fn manifests() -> Vec<(&'static str, Value)> {
    let read = |file| {
        let text = fs::read_to_string(folder().join(file)).unwrap();
        yaml::parse(&text)
            .into_iter()
            .map(move |manifest| (file, manifest))
    };
    FILES.into_iter().flat_map(read).collect()
}

/// Each container that runs the server.
fn servers() -> Vec<Value> {
    let mut found = Vec::new();
    for (_, manifest) in manifests() {
        let pod = &manifest["spec"]["template"]["spec"];
        for list in ["containers", "initContainers"] {
            let containers = pod[list].as_array().into_iter().flatten();
            let is_server = |container: &&Value| {
                container["image"]
                    .as_str()
                    .unwrap()
                    .contains("countersign-server")
            };
            found.extend(containers.filter(is_server).cloned());
        }
    }
    assert_eq!(found.len(), FILES.len());
    found
}

#[test]
fn every_manifest_satisfies_the_schema_of_its_kind() {
    let Some(program) = env::var_os("COUNTERSIGN_KUBERNETES_VALIDATE") else {
        assert!(
            env::var_os("CI").is_none(),
            "COUNTERSIGN_KUBERNETES_VALIDATE is not set"
        );
        println!(
            "skipped: COUNTERSIGN_KUBERNETES_VALIDATE is not set; `cargo xtask test` installs it"
        );
        return;
    };
    let validate = |version: &str, file: &std::path::Path| {
        let mut command = Command::new(&program);
        command
            .args(["--strict", "--kubernetes-version", version])
            .arg(file);
        let output = command.output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.success(), said.into_owned())
    };
    for version in VERSIONS {
        for file in FILES {
            let (is_good, said) = validate(version, &folder().join(file));
            assert!(is_good, "{version}: {said}");
        }
    }
    // A member that the cluster would drop.
    let text = fs::read_to_string(folder().join(FILES[0])).unwrap();
    let wrong = text.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem");
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("misspelled.yaml");
    fs::write(&file, wrong).unwrap();
    let (is_good, said) = validate(VERSIONS[1], &file);
    assert!(
        !is_good && said.contains("readOnlyRootFileSystem"),
        "{said}"
    );
}

#[test]
fn the_server_has_probes_limits_and_no_rights() {
    for server in servers() {
        assert_eq!(server["livenessProbe"]["httpGet"]["path"], "/livez");
        assert_eq!(server["readinessProbe"]["httpGet"]["path"], "/readyz");
        assert!(server["resources"]["limits"]["memory"].is_string());
        let security = &server["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], false);
        assert_eq!(security["readOnlyRootFilesystem"], true);
        assert_eq!(security["capabilities"]["drop"][0], "ALL");
    }
    for (file, manifest) in manifests() {
        if manifest["kind"] == "Deployment" {
            let pod = &manifest["spec"]["template"]["spec"];
            assert_eq!(pod["automountServiceAccountToken"], false, "{file}");
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{file}");
        }
    }
}

#[test]
fn the_end_of_a_pod_is_later_than_that_of_the_server() {
    let deployment = |manifest: &Value| manifest["kind"] == "Deployment";
    for (file, manifest) in manifests() {
        if !deployment(&manifest) {
            continue;
        }
        let pod = &manifest["spec"]["template"]["spec"];
        let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
        let container = &pod["containers"][0];
        let sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64();
        // `limits.drain_s`, whose default is 20.
        assert!(grace > 20 + sleep.unwrap_or(0), "{file}: {grace}");
    }
}
